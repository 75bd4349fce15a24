/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges that requests of ours have met (RFC 3261, 22.2 and 22.3), and what answers them. */
#include <stdlib.h>

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

static unsigned slot_of(struct sip_ua *ua, struct base_str realm, bool proxy)
{
	for (unsigned i = 0; i < SIP_AUTHS_MAX; i++) {
		const struct sip_auth *a = &ua->auths[i];

		if (a->used && a->proxy == proxy && base_str_eq(a->challenge.realm, realm))
			return i;
	}
	return ua->auth_next++ % SIP_AUTHS_MAX;
}

/* In an arena of its own, for it outlives the response. */
static bool keep(struct sip_auth *a, struct base_str value, bool proxy, bool registrar)
{
	base_arena_reset(&a->arena);
	a->arena.chunk_size = 512;
	a->used = !sip_challenge_read(value, &a->arena, &a->challenge);
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
		slot = slot_of(ua, c.realm, proxy);
		registrar = registrar_of(&ua->auths[slot], msg, c.realm);
		if (*taken >> slot & 1)
			fine = ua->auths[slot].challenge.hash >= c.hash ||
			       keep(&ua->auths[slot], value, proxy, registrar);
		else if (!(ask->answered >> slot & 1) || c.stale)
			fine = keep(&ua->auths[slot], value, proxy, registrar);
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
	ask->answered |= taken;
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

void sip_auth_write(struct sip_ask *ask, const struct base_writer *request,
                    const struct sip_content *content)
{
	struct sip_ua *ua = ask->ua;
	struct sip_proof proof = { .body = content->type ? content->body : (struct base_str){ 0 } };

	base_writer_reset(&ask->auth);
	if (!first_line(request, &proof))
		return;
	for (unsigned i = 0; i < SIP_AUTHS_MAX; i++) {
		struct sip_auth *a = &ua->auths[i];
		bool wanted = a->proxy || (ask->answered >> i & 1) ||
		              (a->registrar && base_str_eq(proof.method, BASE_STR("REGISTER")));

		if (a->used && wanted)
			answer(ua, a, &proof, &ask->auth);
	}
}
