/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorization on its way up (TS 24.229, 5.2.2, R): who it is that proves himself, what the edge
 * says about the session it came by, and to which challenges a flow has answers.
 */
#include <stdio.h>

#include "edge/private.h"

#define ROOM 64 /* octets of a parameter of ours */

static const enum sip_header_id fields[] = { SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION };

static bool is_digest(struct base_str value)
{
	struct base_str scheme = { value.ptr, sip_span(value, SIP_CH_TOKEN) };

	return base_str_ieq(scheme, BASE_STR("Digest"));
}

static bool clean(struct base_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

/* Is it the one name that others read there, too? RFC 7616 has username*, which we do not read. */
static bool one_name(struct base_str value, const struct sip_credentials *c)
{
	struct base_str rest = sip_skip(sip_from(value, sip_span(value, SIP_CH_TOKEN))), param;

	while (sip_list_next(&rest, &param)) {
		struct base_str name = { param.ptr, sip_span(param, SIP_CH_TOKEN) };

		if (base_str_ieq(name, BASE_STR("username*")))
			return false;
	}
	return clean(c->user) && clean(c->realm);
}

int edge_credentials_read(const struct sip_message *msg, struct base_arena *arena,
                          struct edge_credentials *ret)
{
	struct edge_credentials found = { 0 };
	int rc;

	for (const struct sip_header *h = sip_header(msg, SIP_H_AUTHORIZATION); h;
	     h = sip_header_after(msg, h)) {
		if (!is_digest(h->value))
			continue;
		if (found.header) /* which of them would the registrar believe? */
			return BASE_ERR(BASE_PEER, 400);
		rc = sip_credentials_read(h->value, arena, &found.c);
		if (rc)
			return rc;
		if (!one_name(h->value, &found.c))
			return BASE_ERR(BASE_PEER, 400);
		found.header = h;
	}
	/* an empty one says no more than who is going to prove himself (TS 24.229, 5.1.1.2, R) */
	found.proof = found.header && found.c.response.len;
	*ret = found;
	return 0;
}

static const struct base_str mark_name = { "integrity-protected", 19 };

/* What stands before the `=` of a parameter. */
static struct base_str name_of(struct base_str param)
{
	return (struct base_str){ param.ptr, sip_span(param, SIP_CH_TOKEN) };
}

/* Anywhere: what no grammar allows somebody might read all the same. */
static bool says_mark(struct base_str text)
{
	for (; text.len >= mark_name.len; text = sip_from(text, 1))
		if (base_str_ieq((struct base_str){ text.ptr, mark_name.len }, mark_name))
			return true;
	return false;
}

/* The value without the parameters of this name; there is room behind it for one. @return its
 * length, 0: memory is short */
static size_t without(struct sip_edit *edit, struct base_str value, struct base_str name,
                      char **ret)
{
	size_t n = sip_span(value, SIP_CH_TOKEN), scheme = n;
	struct base_str rest = sip_skip(sip_from(value, n)), param;
	char *out = base_arena_alloc(edit->arena, 2 * value.len + ROOM); /* `, ` for `,` */

	if (!out) {
		edit->failed = true;
		return 0;
	}
	memcpy(out, value.ptr, scheme);
	while (sip_list_next(&rest, &param)) {
		if (!param.len || base_str_ieq(name_of(param), name))
			continue;
		memcpy(out + n, n > scheme ? ", " : " ", n > scheme ? 2 : 1);
		n += n > scheme ? 2 : 1;
		memcpy(out + n, param.ptr, param.len);
		n += param.len;
	}
	*ret = out;
	return n;
}

/* The value without any mark, then with this one. */
static void mark(struct sip_edit *edit, const struct sip_header *h, const char *integrity)
{
	char *out;
	size_t n;

	if (!integrity && !says_mark(h->value))
		return;
	n = without(edit, h->value, mark_name, &out);
	if (!n)
		return;
	if (says_mark((struct base_str){ out, n })) {
		sip_edit_drop(edit, h);
		return;
	}
	if (integrity)
		n += (size_t)snprintf(out + n, ROOM, "%sintegrity-protected=\"%s\"",
		                      memchr(out, ' ', n) ? ", " : " ", integrity);
	sip_edit_value(edit, h, (struct base_str){ out, n });
}

void edge_credentials_mark(struct sip_edit *edit, const char *integrity)
{
	for (size_t i = 0; i < BASE_COUNT(fields); i++)
		for (const struct sip_header *h = sip_header(edit->msg, fields[i]); h;
		     h = sip_header_after(edit->msg, h))
			mark(edit, h,
			     fields[i] == SIP_H_AUTHORIZATION && is_digest(h->value) ? integrity
			                                                             : NULL);
}

/* -- challenges of a flow -- */

static uint64_t nonce_hash(const struct edge_flow *flow, struct base_str nonce)
{
	uint64_t hash = base_hash(flow->core->seed, nonce.ptr, nonce.len);

	return hash ? hash : 1; /* 0 is an empty place */
}

bool edge_nonce_known(const struct edge_flow *flow, struct base_str nonce)
{
	uint64_t hash = nonce_hash(flow, nonce);

	for (size_t i = 0; i < EDGE_NONCES; i++)
		if (flow->nonces[i] == hash)
			return true;
	return false;
}

static void nonce_add(struct edge_flow *flow, struct base_str nonce)
{
	if (!nonce.len || edge_nonce_known(flow, nonce))
		return;
	flow->nonces[flow->nonce_at] = nonce_hash(flow, nonce);
	flow->nonce_at = (uint8_t)((flow->nonce_at + 1) % EDGE_NONCES);
}

bool edge_challenges_note(struct edge_flow *flow, const struct sip_message *msg,
                          struct base_arena *arena)
{
	bool stale = false;

	for (const struct sip_header *h = sip_header(msg, SIP_H_WWW_AUTHENTICATE); h;
	     h = sip_header_after(msg, h)) {
		struct sip_credentials c;

		if (!is_digest(h->value) || sip_credentials_read(h->value, arena, &c))
			continue;
		nonce_add(flow, c.nonce);
		stale = stale || base_str_ieq(c.stale, BASE_STR("true"));
	}
	return stale;
}

/* `nextnonce = value` */
static bool next_value(struct base_str param, struct base_arena *arena, struct base_str *ret)
{
	struct base_str value = sip_skip(sip_from(param, name_of(param).len));
	char *text;

	if (!base_str_ieq(name_of(param), BASE_STR("nextnonce")) || !value.len ||
	    value.ptr[0] != '=')
		return false;
	value = sip_skip(sip_from(value, 1));
	text = base_arena_alloc(arena, value.len + 1);
	ret->ptr = text;
	return text && sip_unquote(value, text, value.len + 1, &ret->len);
}

void edge_next_nonce(struct edge_flow *flow, const struct sip_message *msg,
                     struct base_arena *arena)
{
	const struct sip_header *h = sip_header_named(msg, "Authentication-Info");
	struct base_str rest = h ? h->value : (struct base_str){ NULL, 0 }, param, nonce;

	while (sip_list_next(&rest, &param))
		if (next_value(param, arena, &nonce))
			nonce_add(flow, nonce);
}

void edge_challenge_stale(struct sip_edit *edit, const struct sip_header *h)
{
	char *out;
	size_t n = without(edit, h->value, BASE_STR("stale"), &out);

	if (!n)
		return;
	n += (size_t)snprintf(out + n, ROOM, ", stale=true");
	sip_edit_value(edit, h, (struct base_str){ out, n });
}
