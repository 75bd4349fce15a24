/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks (RFC 7616, 3.3 to 3.5). A nonce says itself when it was made, and proves by a MAC that
 * we made it; what is kept is its count alone, from its first use on, and of so many nonces. One
 * whose count has been forgotten for another's is stale: a count is never taken twice.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/digest.h"
#include "sip/digest_private.h"

#define NONCE_RAW 40 /* time 8, salt 16, MAC 16 */
#define MAC_LEN   16
#define MAC_AT    24

struct kept {
	struct base_map_node node;
	struct base_node age;
	uint8_t salt[16];
	uint32_t highest;
	uint64_t seen; /* bit n: highest - n has been */
};

struct sip_digest_server {
	char *realm;
	enum sip_hash hashes[3];
	size_t hash_count;
	uint32_t lifetime_ms;
	size_t nonces_max;
	uint8_t key[32];
	struct base_map map;   /* of kept, by salt */
	struct base_node ages; /* the oldest first */
	uint64_t forgotten_ms; /* nonces made by then may have been forgotten */
};

int sip_digest_server_new(struct sip_digest_server **ret, const struct sip_digest_config *config,
                          const uint8_t key[32])
{
	static const enum sip_hash usual[] = { SIP_HASH_SHA256, SIP_HASH_MD5 };
	struct sip_digest_server *server = calloc(1, sizeof(*server));

	if (!server)
		return BASE_ERR(BASE_LOCAL, 500);
	server->realm = strdup(config->realm);
	server->hash_count = config->hashes ? BASE_MIN(config->hash_count, 3) : 2;
	memcpy(server->hashes, config->hashes ? config->hashes : usual,
	       server->hash_count * sizeof(*usual));
	server->lifetime_ms = config->lifetime_ms ? config->lifetime_ms : 300000;
	server->nonces_max = config->nonces_max ? config->nonces_max : 4096;
	memcpy(server->key, key, sizeof(server->key));
	base_list_init(&server->ages);
	if (!server->realm) {
		sip_digest_server_free(server);
		return BASE_ERR(BASE_LOCAL, 500);
	}
	*ret = server;
	return 0;
}

static void forget(struct sip_digest_server *server, struct kept *kept)
{
	base_map_remove(&server->map, &kept->node);
	base_list_remove(&kept->age);
	free(kept);
}

void sip_digest_server_free(struct sip_digest_server *server)
{
	if (!server)
		return;
	BASE_LIST_EACH(&server->ages, node, after)
	{
		forget(server, BASE_CONTAINER_OF(node, struct kept, age));
	}
	base_map_done(&server->map);
	base_wipe(server->key, sizeof(server->key));
	free(server->realm);
	free(server);
}

/* -- nonces --------------------------------------------------------------------------------------
 */

static bool mac(const struct sip_digest_server *server, const uint8_t raw[MAC_AT],
                uint8_t out[MAC_LEN])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), server->key, sizeof(server->key), raw, MAC_AT, whole, &len))
		return false;
	memcpy(out, whole, MAC_LEN);
	return true;
}

int sip_digest_challenge(struct sip_digest_server *server, uint64_t now_ms, const uint8_t salt[16],
                         bool proxy, bool stale, struct base_writer *w)
{
	uint8_t raw[NONCE_RAW];
	char nonce[3 * NONCE_RAW + 1];

	for (unsigned i = 0; i < 8; i++)
		raw[i] = (uint8_t)(now_ms >> (56 - 8 * i));
	memcpy(raw + 8, salt, 16);
	if (!mac(server, raw, raw + MAC_AT))
		return BASE_ERR(BASE_LOCAL, 500);
	base_hex_encode(raw, sizeof(raw), 0, false, nonce);
	for (size_t i = 0; i < server->hash_count; i++) {
		base_writer_printf(w, "%s-Authenticate: Digest ", proxy ? "Proxy" : "WWW");
		digest_quote(w, "realm", base_str_of(server->realm));
		base_writer_printf(w, ", nonce=\"%s\", qop=\"auth,auth-int\", algorithm=%s%s\r\n",
		                   nonce, digest_algorithm_name(server->hashes[i], false),
		                   stale ? ", stale=true" : "");
	}
	return w->failed ? BASE_ERR(BASE_LOCAL, 500) : 0;
}

/* Have we made it, and when? */
static bool nonce_read(const struct sip_digest_server *server, struct base_str nonce,
                       uint8_t raw[NONCE_RAW], uint64_t *ret_ms)
{
	uint8_t right[MAC_LEN];
	uint64_t ms = 0;
	size_t len;

	if (base_hex_decode(nonce, raw, NONCE_RAW, &len) || len != NONCE_RAW ||
	    !mac(server, raw, right) || !base_secret_equal(right, MAC_LEN, raw + MAC_AT, MAC_LEN))
		return false;
	for (unsigned i = 0; i < 8; i++)
		ms = ms << 8 | raw[i];
	*ret_ms = ms;
	return true;
}

/* -- counts --------------------------------------------------------------------------------------
 */

static struct kept *kept_new(struct sip_digest_server *server, const uint8_t raw[NONCE_RAW])
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	memcpy(kept->salt, raw + 8, sizeof(kept->salt));
	if (base_map_insert(&server->map,
	                    (struct base_str){ (const char *)kept->salt, sizeof(kept->salt) },
	                    &kept->node)) {
		free(kept);
		return NULL;
	}
	base_list_append(&server->ages, &kept->age);
	return kept;
}

/* Has this nonce not been used with this count? From now on it has. */
static bool count(struct kept *kept, uint32_t nc)
{
	if (nc > kept->highest) {
		uint32_t up = nc - kept->highest;

		kept->seen = up > 63 ? 1 : kept->seen << up | 1;
		kept->highest = nc;
		return true;
	}
	if (kept->highest - nc > 63 || kept->seen >> (kept->highest - nc) & 1)
		return false;
	kept->seen |= (uint64_t)1 << (kept->highest - nc);
	return true;
}

/* @return 0; BASE_PEER 401: stale */
static int fresh(struct sip_digest_server *server, const uint8_t raw[NONCE_RAW], uint64_t made_ms,
                 uint64_t now_ms, uint32_t nc)
{
	struct base_str salt = { (const char *)raw + 8, 16 };
	struct base_map_node *node = base_map_find(&server->map, salt);
	struct kept *kept = node ? BASE_CONTAINER_OF(node, struct kept, node) : NULL;

	if (made_ms > now_ms || now_ms - made_ms > server->lifetime_ms)
		return BASE_ERR(BASE_PEER, 401);
	if (!kept && made_ms <= server->forgotten_ms)
		return BASE_ERR(BASE_PEER, 401); /* it may have been used before */
	if (!kept) {
		kept = kept_new(server, raw);
		if (!kept)
			return BASE_ERR(BASE_LOCAL, 500);
		if (server->map.count > server->nonces_max) {
			forget(server, BASE_CONTAINER_OF(server->ages.next, struct kept, age));
			server->forgotten_ms = now_ms;
		}
	}
	return count(kept, nc) ? 0 : BASE_ERR(BASE_PEER, 401);
}

/* -- answers -------------------------------------------------------------------------------------
 */

struct answer {
	struct digest_params p;
	struct sip_digest d;
	uint8_t nonce[NONCE_RAW];
	uint64_t made_ms;
};

/* The one for our realm. @return 0; BASE_PEER 401: there is none, 400; BASE_LOCAL */
static int find(const struct sip_digest_server *server, const struct sip_message *request,
                bool proxy, struct base_arena *arena, struct digest_params *ret)
{
	const struct sip_header *h =
	        sip_header(request, proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION);

	for (; h; h = sip_header_after(request, h)) {
		int rc;

		if (!digest_scheme(h->value))
			continue;
		rc = digest_params_read(h->value, arena, ret);
		if (rc)
			return rc;
		if (base_str_eq(ret->realm, base_str_of(server->realm)))
			return 0;
	}
	return BASE_ERR(BASE_PEER, proxy ? 407 : 401);
}

static bool offered(const struct sip_digest_server *server, enum sip_hash hash)
{
	for (size_t i = 0; i < server->hash_count; i++) {
		if (server->hashes[i] == hash)
			return true;
	}
	return false;
}

/* What it says, as far as it can be held against anything. */
static int understand(const struct sip_digest_server *server, const struct sip_message *request,
                      struct answer *a)
{
	const struct digest_params *p = &a->p;
	uint8_t nc[4];
	size_t len;

	if (!p->username.ptr || !p->nonce.ptr || !p->response.ptr || !p->uri.ptr || !p->nc.ptr ||
	    !p->cnonce.ptr || p->nc.len != 8 || base_hex_decode(p->nc, nc, 4, &len) ||
	    !digest_algorithm(p->algorithm.ptr ? p->algorithm : BASE_STR("MD5"), &a->d.hash,
	                      &a->d.sess))
		return BASE_ERR(BASE_PEER, 400);
	a->d.qop = base_str_ieq(p->qop, BASE_STR("auth-int")) ? SIP_QOP_AUTH_INT : SIP_QOP_AUTH;
	if ((a->d.qop == SIP_QOP_AUTH && !base_str_ieq(p->qop, BASE_STR("auth"))) ||
	    !offered(server, a->d.hash) || !base_str_eq(p->uri, request->target))
		return BASE_ERR(BASE_PEER, 400); /* 3.4.6: another URI is another request */
	a->d.nc = (uint32_t)nc[0] << 24 | (uint32_t)nc[1] << 16 | (uint32_t)nc[2] << 8 | nc[3];
	a->d.user = p->username;
	a->d.realm = p->realm;
	a->d.nonce = p->nonce;
	a->d.cnonce = p->cnonce;
	a->d.method = request->method_name;
	a->d.uri = p->uri;
	a->d.body = request->body;
	return 0;
}

int sip_digest_check(struct sip_digest_server *server, uint64_t now_ms,
                     const struct sip_message *request, bool proxy, sip_password_fn *password,
                     void *arg, struct base_arena *arena, struct base_str *ret_user,
                     bool *ret_stale)
{
	int ask = BASE_ERR(BASE_PEER, proxy ? 407 : 401);
	char right[SIP_DIGEST_MAX];
	struct answer a = { 0 };
	bool known;
	int rc = find(server, request, proxy, arena, &a.p);

	*ret_stale = false;
	if (!rc)
		rc = understand(server, request, &a);
	if (rc)
		return rc;
	known = password(arg, a.d.user, &a.d.password);
	rc = sip_digest_response(&a.d, right); /* for nobody, too: it takes as long */
	if (rc)
		return rc;
	if (!base_secret_equal(right, strlen(right), a.p.response.ptr, a.p.response.len) || !known)
		return ask;
	*ret_stale = true; /* who knows the password and has an old nonce */
	if (!nonce_read(server, a.p.nonce, a.nonce, &a.made_ms))
		return ask;
	rc = fresh(server, a.nonce, a.made_ms, now_ms, a.d.nc);
	if (rc)
		return base_err_class(rc) == BASE_PEER ? ask : rc;
	*ret_stale = false;
	*ret_user = a.d.user;
	return 0;
}
