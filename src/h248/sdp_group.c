/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway does with a parsed group: compare, look, fill in. */
#include <netinet/in.h>

#include "h248/errors.h"
#include "h248/sdp_parser.h"

static bool texts_equal(const struct h248_sdp_text *a, const struct h248_sdp_text *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (!base_str_eq(a->text, b->text))
			return false;
	}
	return !a && !b;
}

static bool fingerprints_equal(const struct h248_sdp_fingerprint *a,
                               const struct h248_sdp_fingerprint *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (!base_str_ieq(a->name, b->name) || a->hash != b->hash ||
		    a->choose != b->choose || a->usable != b->usable || a->len != b->len ||
		    memcmp(a->octets, b->octets, a->len))
			return false;
	}
	return !a && !b;
}

static bool connections_equal(const struct h248_sdp_connection *a,
                              const struct h248_sdp_connection *b)
{
	size_t len = a->kind == H248_SDP_ADDRESS_IP4 ? 4 : a->kind == H248_SDP_ADDRESS_IP6 ? 16 : 0;

	return a->kind == b->kind && a->family == b->family && !memcmp(a->octets, b->octets, len) &&
	       base_str_ieq(a->name, b->name) && base_str_eq(a->scope, b->scope);
}

static bool media_equal(const struct h248_sdp_media *a, const struct h248_sdp_media *b)
{
	return base_str_eq(a->type, b->type) && base_str_ieq(a->proto, b->proto) &&
	       a->port == b->port && a->port_choose == b->port_choose &&
	       a->port_count == b->port_count && texts_equal(a->formats, b->formats);
}

static bool lines_equal(const struct h248_sdp_line *a, const struct h248_sdp_line *b, int pass)
{
	const struct h248_sdp_pass *which = &h248_sdp_passes[pass];

	a = h248_sdp_pass_next(which, a);
	b = h248_sdp_pass_next(which, b);
	while (a && b) {
		if (a->type != b->type || !base_str_eq(a->value, b->value))
			return false;
		a = h248_sdp_pass_next(which, a->next);
		b = h248_sdp_pass_next(which, b->next);
	}
	return !a && !b;
}

bool h248_sdp_group_equal(const struct h248_sdp_group *a, const struct h248_sdp_group *b)
{
	if (!a->origin.ptr != !b->origin.ptr || !base_str_eq(a->origin, b->origin) ||
	    !a->session.ptr != !b->session.ptr || !base_str_eq(a->session, b->session))
		return false;
	if (!connections_equal(&a->connection, &b->connection) || a->has_media != b->has_media)
		return false;
	if (a->has_media && !media_equal(&a->media, &b->media))
		return false;
	if (a->setup != b->setup || a->reuse != b->reuse || a->direction != b->direction ||
	    a->msrp_cema != b->msrp_cema || !base_str_eq(a->tls_id, b->tls_id))
		return false;
	for (int pass = 0; pass < H248_SDP_PASS_COUNT; pass++) {
		if (!lines_equal(a->lines, b->lines, pass))
			return false;
	}
	return texts_equal(a->paths, b->paths) &&
	       fingerprints_equal(a->fingerprints, b->fingerprints);
}

bool h248_sdp_equal(const struct h248_sdp *a, const struct h248_sdp *b)
{
	const struct h248_sdp_group *x = a->groups, *y = b->groups;

	for (; x && y; x = x->next, y = y->next) {
		if (!h248_sdp_group_equal(x, y))
			return false;
	}
	return !x && !y;
}

static bool any_choose(const struct h248_sdp_text *text)
{
	while (text && !h248_sdp_is_choose(text->text))
		text = text->next;
	return text != NULL;
}

bool h248_sdp_group_is_open(const struct h248_sdp_group *group)
{
	const struct h248_sdp_media *m = &group->media;

	for (const struct h248_sdp_fingerprint *fp = group->fingerprints; fp; fp = fp->next) {
		if (fp->choose)
			return true;
	}
	if (group->has_media && (m->port_choose || h248_sdp_is_choose(m->type) ||
	                         h248_sdp_is_choose(m->proto) || any_choose(m->formats)))
		return true;
	return group->connection.kind == H248_SDP_ADDRESS_CHOOSE ||
	       (group->connection.kind && !group->connection.family) ||
	       group->setup == H248_SDP_SETUP_CHOOSE || group->reuse == H248_SDP_REUSE_CHOOSE ||
	       h248_sdp_is_choose(group->tls_id) || any_choose(group->paths);
}

int h248_sdp_group_sockaddr(const struct h248_sdp_group *group, struct sockaddr_storage *ret)
{
	const struct h248_sdp_connection *c = &group->connection;
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out;

	if (!group->has_media || group->media.port_choose)
		return BASE_ERR(BASE_PEER, H248_E_SDP);
	if (c->kind == H248_SDP_ADDRESS_IP4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(group->media.port);
		memcpy(&in->sin_addr, c->octets, 4);
	} else if (c->kind == H248_SDP_ADDRESS_IP6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(group->media.port);
		memcpy(&in6->sin6_addr, c->octets, 16);
	} else {
		return BASE_ERR(BASE_PEER, H248_E_SDP);
	}
	*ret = out;
	return 0;
}

int h248_sdp_group_sockaddr_set(struct h248_sdp_group *group, const struct sockaddr *addr)
{
	struct h248_sdp_connection c = { 0 };
	uint16_t port;

	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		c.kind = H248_SDP_ADDRESS_IP4;
		memcpy(c.octets, &in->sin_addr, 4);
		port = ntohs(in->sin_port);
	} else if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		c.kind = H248_SDP_ADDRESS_IP6;
		memcpy(c.octets, &in6->sin6_addr, 16);
		port = ntohs(in6->sin6_port);
	} else {
		return BASE_ERR(BASE_BUG, 0);
	}
	c.family = (uint8_t)addr->sa_family;
	group->connection = c;
	group->media.port = port;
	group->media.port_choose = false;
	return 0;
}

struct h248_sdp_group *h248_sdp_group_dup(struct base_arena *arena,
                                          const struct h248_sdp_group *group)
{
	struct h248_sdp_group *copy = BASE_NEW(arena, struct h248_sdp_group);
	struct h248_sdp_fingerprint **end;

	if (!copy)
		return NULL;
	*copy = *group;
	copy->next = NULL;
	copy->fingerprints = NULL;
	end = &copy->fingerprints;
	for (const struct h248_sdp_fingerprint *fp = group->fingerprints; fp; fp = fp->next) {
		*end = BASE_NEW(arena, struct h248_sdp_fingerprint);
		if (!*end)
			return NULL;
		**end = *fp;
		(*end)->next = NULL;
		end = &(*end)->next;
	}
	return copy;
}
