/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow tokens (RFC 5626, 5.2): the user part of our URIs in Path and Record-Route, base64url of
 *   version kind epoch(8) flow(8) [self(8) route(8)] mac(12)
 * the mac being HMAC-SHA-256, cut to 96 bits, under a key of this epoch: of one start of one edge.
 * In a dialog it is over the Call-ID too, so that it counts in no other; `self` says by which URI
 * the UE goes there, `route` by which routes.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "edge/private.h"

#define VERSION    1
#define PLAIN_LEN  30
#define DIALOG_LEN 46

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* @return its length; terminated */
static size_t encode(const uint8_t *in, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = BASE_MIN(len - i, (size_t)3);
		uint32_t v = (uint32_t)in[i] << 16;

		v |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= have > 2 ? in[i + 2] : 0;
		for (size_t k = 0; k <= have; k++)
			out[n++] = digits[v >> (18 - 6 * k) & 63];
	}
	out[n] = '\0';
	return n;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Strict: one text for one token. @return octets, 0 = it is none */
static size_t decode(struct base_str in, uint8_t *out, size_t cap)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		int d = digit(in.ptr[i]);

		if (d < 0)
			return 0;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == cap)
			return 0;
		out[n++] = (uint8_t)(v >> bits);
		v &= (1U << bits) - 1;
	}
	return bits < 6 && !v ? n : 0;
}

static void put64(uint8_t *out, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static size_t head(const struct edge_token *token, uint8_t out[DIALOG_LEN])
{
	out[0] = VERSION;
	out[1] = (uint8_t)token->kind;
	put64(out + 2, token->epoch);
	put64(out + 10, token->flow);
	if (token->kind == EDGE_TOKEN_PATH)
		return PLAIN_LEN - EDGE_MAC;
	memcpy(out + 18, token->self, EDGE_DIGEST);
	memcpy(out + 18 + EDGE_DIGEST, token->route, EDGE_DIGEST);
	return DIALOG_LEN - EDGE_MAC;
}

static bool seal(const struct edge_token *token, const uint8_t key[32], struct base_str call_id,
                 uint8_t out[EDGE_MAC])
{
	uint8_t whole[DIALOG_LEN + 512], mac[EVP_MAX_MD_SIZE];
	size_t len = head(token, whole);
	unsigned mac_len = 0;

	if (token->kind != EDGE_TOKEN_PATH) {
		/* a longer Call-ID counts by its beginning: nobody is let in by that */
		size_t n = BASE_MIN(call_id.len, (size_t)512);

		if (n)
			memcpy(whole + len, call_id.ptr, n);
		len += n;
	}
	if (!HMAC(EVP_sha256(), key, 32, whole, len, mac, &mac_len) || mac_len < EDGE_MAC)
		return false;
	memcpy(out, mac, EDGE_MAC);
	return true;
}

static uint64_t get64(const uint8_t *in)
{
	struct base_reader r = base_reader_of(in, 8);

	return base_reader_u64(&r);
}

bool edge_token_read(struct base_str uri, struct edge_token *ret)
{
	uint8_t raw[DIALOG_LEN];
	struct sip_uri u;
	size_t len, body;

	if (sip_uri_parse(uri, &u) || (u.scheme != SIP_SCHEME_SIP && u.scheme != SIP_SCHEME_SIPS))
		return false;
	len = decode(u.user, raw, sizeof(raw));
	if (len < PLAIN_LEN || raw[0] != VERSION || raw[1] < EDGE_TOKEN_PATH ||
	    raw[1] > EDGE_TOKEN_EMERGENCY ||
	    len != (raw[1] == EDGE_TOKEN_PATH ? PLAIN_LEN : DIALOG_LEN))
		return false;
	*ret = (struct edge_token){ .kind = (enum edge_token_kind)raw[1],
		                    .epoch = get64(raw + 2),
		                    .flow = get64(raw + 10) };
	body = len - EDGE_MAC;
	if (ret->kind != EDGE_TOKEN_PATH) {
		memcpy(ret->self, raw + 18, EDGE_DIGEST);
		memcpy(ret->route, raw + 18 + EDGE_DIGEST, EDGE_DIGEST);
	}
	memcpy(ret->mac, raw + body, EDGE_MAC);
	return true;
}

bool edge_token_genuine(const struct edge_token *token, const uint8_t key[32],
                        struct base_str call_id)
{
	uint8_t mac[EDGE_MAC];

	return seal(token, key, call_id, mac) &&
	       base_secret_equal(mac, EDGE_MAC, token->mac, EDGE_MAC);
}

bool edge_token_keep(struct edge_flow *flow)
{
	const struct edge_token token = { .kind = EDGE_TOKEN_PATH,
		                          .epoch = flow->core->epoch,
		                          .flow = flow->id };

	return seal(&token, flow->core->token_key, (struct base_str){ 0 }, flow->path_mac);
}

bool edge_token_ours(const struct edge_core *core, const struct edge_token *token,
                     const struct edge_flow *flow, struct base_str call_id)
{
	if (flow && token->kind == EDGE_TOKEN_PATH)
		return base_secret_equal(flow->path_mac, EDGE_MAC, token->mac, EDGE_MAC);
	return edge_token_genuine(token, core->token_key, call_id);
}

bool edge_token_same(const struct edge_token *a, const struct edge_token *b)
{
	return base_secret_equal(a->mac, EDGE_MAC, b->mac, EDGE_MAC);
}

void edge_token_self(struct base_str uri, uint8_t out[EDGE_DIGEST])
{
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	char buf[SIP_URI_KEY_MAX];
	struct base_str key = edge_identity_key(uri, buf);

	(void)EVP_Digest(key.ptr, key.len, hash, NULL, EVP_sha256(), NULL); /* zeros match nobody */
	memcpy(out, hash, EDGE_DIGEST);
}

void edge_token_write(const struct edge_token *token, const uint8_t key[32],
                      struct base_str call_id, char out[EDGE_TOKEN_MAX])
{
	uint8_t raw[DIALOG_LEN];
	size_t len = head(token, raw);

	out[0] = '\0';
	if (seal(token, key, call_id, raw + len))
		(void)encode(raw, len + EDGE_MAC, out);
}

void edge_token_path(const struct edge_core *core, uint64_t flow, char out[EDGE_TOKEN_MAX])
{
	const struct edge_token token = { .kind = EDGE_TOKEN_PATH,
		                          .epoch = core->epoch,
		                          .flow = flow };

	edge_token_write(&token, core->token_key, (struct base_str){ 0 }, out);
}

void edge_flow_key(uint64_t epoch, uint64_t flow, char out[EDGE_FLOW_KEY])
{
	char text[EDGE_FLOW_KEY + 1];
	uint8_t raw[16];

	put64(raw, epoch);
	put64(raw + 8, flow);
	(void)encode(raw, sizeof(raw), text);
	memcpy(out, text, EDGE_FLOW_KEY);
}
