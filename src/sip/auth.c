/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges that requests of ours have met (RFC 3261, 22.2 and 22.3), and what answers them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/ua_private.h"

/* Octets of a challenge: much of it is said again in each request. */
#define CHALLENGE_MAX 2048

struct sip_credential {
	struct base_node node;
	char *realm; /* NULL = any */
	char *user;
	struct base_secret password;
};

/* -- who we are ----------------------------------------------------------------------------------
 */

static void credential_free(struct sip_credential *c)
{
	base_list_remove(&c->node);
	free(c->realm);
	free(c->user);
	base_secret_done(&c->password);
	free(c);
}

int sip_ua_credential(struct sip_ua *ua, const char *realm, const char *user, const void *password,
                      size_t len)
{
	struct sip_credential *c = calloc(1, sizeof(*c));

	if (!c)
		return BASE_ERR(BASE_LOCAL, 500);
	base_list_init(&c->node);
	c->realm = realm ? strdup(realm) : NULL;
	c->user = strdup(user);
	if ((realm && !c->realm) || !c->user || base_secret_set(&c->password, password, len)) {
		credential_free(c);
		return BASE_ERR(BASE_LOCAL, 500);
	}
	base_list_insert(&ua->credentials, &c->node); /* the last one counts */
	return 0;
}

static const struct sip_credential *credential_of(const struct sip_ua *ua, struct base_str realm)
{
	for (struct base_node *n = ua->credentials.next; n != &ua->credentials; n = n->next) {
		struct sip_credential *c = BASE_CONTAINER_OF(n, struct sip_credential, node);

		if (!c->realm || base_str_eq(base_str_of(c->realm), realm))
			return c;
	}
	return NULL;
}

void sip_auth_forget(struct sip_ua *ua)
{
	for (size_t i = 0; i < SIP_AUTHS_MAX; i++)
		if (ua->auths[i].registrar)
			ua->auths[i].used = false;
}

void sip_auth_free(struct sip_ua *ua)
{
	BASE_LIST_EACH(&ua->credentials, node, after)
	{
		credential_free(BASE_CONTAINER_OF(node, struct sip_credential, node));
	}
	for (size_t i = 0; i < SIP_AUTHS_MAX; i++)
		base_arena_done(&ua->auths[i].arena);
}

/* -- what was asked ------------------------------------------------------------------------------
 */

/* Host and port of whom a request goes to. "": it names none */
static void hop_of(const struct sip_ask *ask, char out[SIP_HOP_MAX])
{
	struct sip_uri uri;

	out[0] = '\0';
	if (sip_uri_parse(base_writer_view(&ask->uri), &uri) || !uri.host.len)
		return;
	(void)snprintf(out, SIP_HOP_MAX, "%.*s:%u", BASE_FMT(uri.host), uri.port);
	for (char *c = out; *c; c++)
		*c = (char)base_lower(*c);
}

/* Would this request's next hop, or its Call-ID, be answered so without being asked? */
static bool goes_to(const struct sip_auth *a, const char *hop, struct base_str call_id)
{
	return (hop[0] && strcmp(a->hop, hop) == 0) ||
	       (call_id.len && base_str_eq(a->call_id, call_id));
}

static unsigned slot_of(struct sip_ask *ask, const struct sip_message *msg, struct base_str realm,
                        bool proxy)
{
	struct sip_ua *ua = ask->ua;
	struct sip_auth *a;
	char hop[SIP_HOP_MAX];
	unsigned slot;

	hop_of(ask, hop);
	for (unsigned i = 0; i < SIP_AUTHS_MAX; i++) {
		a = &ua->auths[i];
		if (a->used && a->proxy == proxy && base_str_eq(a->challenge.realm, realm) &&
		    (!proxy || goes_to(a, hop, msg->call_id)))
			return i;
	}
	slot = ua->auth_next++ % SIP_AUTHS_MAX;
	a = &ua->auths[slot];
	a->used = false;
	a->owner = ++ua->auth_owner ? ua->auth_owner : ++ua->auth_owner;
	memcpy(a->hop, hop, sizeof(hop));
	return slot;
}

/* In an arena of its own, for it outlives the response. */
static bool keep(struct sip_auth *a, const struct sip_message *msg, struct base_str value,
                 bool proxy, bool registrar)
{
	char *call_id;

	base_arena_reset(&a->arena);
	a->arena.chunk_size = 512;
	call_id = base_arena_dup(&a->arena, msg->call_id);
	a->call_id = (struct base_str){ call_id, call_id ? msg->call_id.len : 0 };
	a->used = call_id && !sip_challenge_read(value, &a->arena, &a->challenge);
	a->proxy = proxy;
	a->registrar = registrar;
	a->nc = 0;
	return a->used;
}

/* A registrar's realm stays one when it asks of another method, too. */
static bool registrar_of(const struct sip_auth *a, const struct sip_message *msg,
                         struct base_str realm)
{
	return msg->method == SIP_REGISTER ||
	       (a->used && a->registrar && base_str_eq(a->challenge.realm, realm));
}

static bool met(const struct sip_ask *ask, unsigned slot)
{
	return ask->answered[slot] && ask->answered[slot] == ask->ua->auths[slot].owner;
}

/* The best challenge for each realm is answered (RFC 7616, 3.7). */
static bool take(struct sip_ask *ask, const struct sip_message *msg, struct base_str value,
                 bool proxy, unsigned *taken)
{
	struct sip_ua *ua = ask->ua;
	struct base_arena arena = { .chunk_size = 1024 };
	struct sip_challenge c;
	bool fine = false, registrar;
	unsigned slot;

	if (value.len <= CHALLENGE_MAX && !sip_challenge_read(value, &arena, &c) &&
	    credential_of(ua, c.realm)) {
		slot = slot_of(ask, msg, c.realm, proxy);
		registrar = registrar_of(&ua->auths[slot], msg, c.realm);
		if (*taken >> slot & 1)
			fine = ua->auths[slot].challenge.hash >= c.hash ||
			       keep(&ua->auths[slot], msg, value, proxy, registrar);
		else if (!met(ask, slot) || c.stale)
			fine = keep(&ua->auths[slot], msg, value, proxy, registrar);
		if (fine)
			*taken |= 1U << slot;
	}
	base_arena_done(&arena);
	return fine;
}

bool sip_auth_challenged(struct sip_ask *ask, const struct sip_message *msg)
{
	bool proxy = msg->status == 407;
	const struct sip_header *h =
	        sip_header(msg, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE);
	unsigned taken = 0;

	if ((msg->status != 401 && msg->status != 407) || ask->challenges++ == SIP_CHALLENGES_MAX)
		return false;
	for (; h; h = sip_header_after(msg, h))
		(void)take(ask, msg, h->value, proxy, &taken); /* others may do */
	for (unsigned i = 0; i < SIP_AUTHS_MAX; i++) {
		if (taken >> i & 1)
			ask->answered[i] = ask->ua->auths[i].owner;
	}
	return taken != 0;
}

/* -- what answers it -----------------------------------------------------------------------------
 */

static void answer(struct sip_ua *ua, struct sip_auth *a, const struct sip_proof *request,
                   struct base_writer *out)
{
	const struct sip_credential *c = credential_of(ua, a->challenge.realm);
	struct sip_proof proof = *request;
	char cnonce[SIP_TAG_MAX];

	if (!c)
		return;
	sip_tag(ua, cnonce);
	proof.user = base_str_of(c->user);
	proof.password = (struct base_str){ (const char *)c->password.data, c->password.len };
	proof.nc = ++a->nc;
	proof.cnonce = cnonce;
	base_writer_text(out, a->proxy ? "Proxy-Authorization: " : "Authorization: ");
	if (sip_challenge_answer(&a->challenge, &proof, out))
		out->failed = true;
	base_writer_text(out, "\r\n");
}

/* Method and URI of the request that has been begun. */
static bool first_line(const struct base_writer *w, struct sip_proof *ret)
{
	struct base_str line = base_writer_view(w);
	const char *sp = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
	struct base_str rest;

	if (!sp)
		return false;
	ret->method = (struct base_str){ line.ptr, (size_t)(sp - line.ptr) };
	rest = sip_from(line, ret->method.len + 1);
	sp = rest.len ? memchr(rest.ptr, ' ', rest.len) : NULL;
	if (!sp)
		return false;
	ret->uri = (struct base_str){ rest.ptr, (size_t)(sp - rest.ptr) };
	return true;
}

static struct base_str call_id_of(const struct base_writer *request)
{
	static const char name[] = "\r\nCall-ID: ";
	struct base_str all = base_writer_view(request), value;
	const char *at = all.len ? memmem(all.ptr, all.len, name, sizeof(name) - 1) : NULL;
	const char *end;

	if (!at)
		return (struct base_str){ 0 };
	value = sip_from(all, (size_t)(at - all.ptr) + sizeof(name) - 1);
	end = value.len ? memchr(value.ptr, '\r', value.len) : NULL;
	return (struct base_str){ value.ptr, end ? (size_t)(end - value.ptr) : 0 };
}

void sip_auth_write(struct sip_ask *ask, const struct base_writer *request,
                    const struct sip_content *content)
{
	struct sip_ua *ua = ask->ua;
	struct sip_proof proof = { .body = content->type ? content->body : (struct base_str){ 0 } };
	struct base_str call_id = call_id_of(request);
	char hop[SIP_HOP_MAX];

	hop_of(ask, hop);
	base_writer_reset(&ask->auth);
	if (!first_line(request, &proof))
		return;
	for (unsigned i = 0; i < SIP_AUTHS_MAX; i++) {
		struct sip_auth *a = &ua->auths[i];
		bool wanted = met(ask, i) || (a->proxy && goes_to(a, hop, call_id)) ||
		              (a->registrar && base_str_eq(proof.method, BASE_STR("REGISTER")));

		if (a->used && wanted)
			answer(ua, a, &proof, &ask->auth);
	}
}
