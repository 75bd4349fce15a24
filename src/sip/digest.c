/* SPDX-License-Identifier: Apache-2.0 */
/* What a challenge asks and what answers it (RFC 7616, 3.3 and 3.4). */
#include "sip/digest.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>

#include "sip/digest_private.h"

/* -- hashes --------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	const char *sess;
	const char *openssl;
} hashes[] = {
	[SIP_HASH_MD5] = { "MD5", "MD5-sess", "MD5" },
	[SIP_HASH_SHA256] = { "SHA-256", "SHA-256-sess", "SHA256" },
	[SIP_HASH_SHA512_256] = { "SHA-512-256", "SHA-512-256-sess", "SHA512-256" },
};

bool digest_algorithm(struct base_str name, enum sip_hash *ret_hash, bool *ret_sess)
{
	for (size_t i = 0; i < BASE_COUNT(hashes); i++) {
		*ret_hash = (enum sip_hash)i;
		*ret_sess = base_str_ieq(name, base_str_of(hashes[i].sess));
		if (*ret_sess || base_str_ieq(name, base_str_of(hashes[i].name)))
			return true;
	}
	return false;
}

const char *digest_algorithm_name(enum sip_hash hash, bool sess)
{
	return sess ? hashes[hash].sess : hashes[hash].name;
}

static bool update(EVP_MD_CTX *ctx, const struct base_str *parts, size_t count)
{
	const char *sep = "";

	for (size_t i = 0; i < count; i++) {
		if (!parts[i].ptr)
			continue;
		if (EVP_DigestUpdate(ctx, sep, strlen(sep)) != 1 ||
		    EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
			return false;
		sep = ":";
	}
	return true;
}

int digest_hash(enum sip_hash hash, const struct base_str *parts, size_t count,
                char out[SIP_DIGEST_MAX])
{
	EVP_MD *md = EVP_MD_fetch(NULL, hashes[hash].openssl, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
	          update(ctx, parts, count) && EVP_DigestFinal_ex(ctx, raw, &len) == 1 &&
	          2 * len < SIP_DIGEST_MAX;

	if (ok) { /* base_hex_encode wants room for separators that are not written */
		char text[3 * EVP_MAX_MD_SIZE + 1];

		base_hex_encode(raw, len, 0, false, text);
		memcpy(out, text, 2 * (size_t)len + 1);
		base_wipe(text, sizeof(text));
	}
	base_wipe(raw, sizeof(raw));
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return ok ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

int sip_digest_response(const struct sip_digest *d, char out[SIP_DIGEST_MAX])
{
	char ha1[SIP_DIGEST_MAX], ha2[SIP_DIGEST_MAX], body[SIP_DIGEST_MAX], nc[9];
	bool none = d->qop == SIP_QOP_NONE;
	bool whole = d->qop == SIP_QOP_AUTH_INT;
	struct base_str empty = { "", 0 };
	struct base_str a1[] = { d->user, d->realm, d->password.ptr ? d->password : empty };
	int rc = digest_hash(d->hash, a1, BASE_COUNT(a1), ha1);

	if (!rc && d->sess)
		rc = digest_hash(d->hash,
		                 (struct base_str[]){ base_str_of(ha1), d->nonce, d->cnonce }, 3,
		                 ha1);
	if (!rc && whole)
		rc = digest_hash(d->hash,
		                 &(struct base_str){ d->body.ptr ? d->body.ptr : "", d->body.len },
		                 1, body);
	if (!rc)
		rc = digest_hash(d->hash,
		                 (struct base_str[]){ d->method, d->uri,
		                                      whole ? base_str_of(body)
		                                            : (struct base_str){ NULL, 0 } },
		                 3, ha2);
	(void)snprintf(nc, sizeof(nc), "%08x", d->nc);
	if (!rc && none)
		rc = digest_hash(
		        d->hash,
		        (struct base_str[]){ base_str_of(ha1), d->nonce, base_str_of(ha2) }, 3,
		        out);
	else if (!rc)
		rc = digest_hash(d->hash,
		                 (struct base_str[]){ base_str_of(ha1), d->nonce, base_str_of(nc),
		                                      d->cnonce,
		                                      base_str_of(whole ? "auth-int" : "auth"),
		                                      base_str_of(ha2) },
		                 6, out);
	base_wipe(ha1, sizeof(ha1));
	return rc;
}

/* -- parameters ----------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	size_t at;
} names[] = {
#define ROW(field)                                                                                 \
	{                                                                                          \
#field, offsetof(struct digest_params, field)                                      \
	}
	ROW(realm), ROW(nonce),    ROW(opaque),   ROW(algorithm), ROW(qop),    ROW(stale),
	ROW(uri),   ROW(userhash), ROW(username), ROW(response),  ROW(cnonce), ROW(nc),
};

static int unquoted(struct base_str value, struct base_arena *arena, struct base_str *ret)
{
	char *text = base_arena_alloc(arena, value.len + 1);
	size_t len;

	if (!text)
		return BASE_ERR(BASE_LOCAL, 500);
	if (!sip_unquote(value, text, value.len + 1, &len))
		return BASE_ERR(BASE_PEER, 400);
	*ret = (struct base_str){ text, len };
	return 0;
}

/* Not quoted: no more than the one value, which others might read differently (25.1: a token). */
static bool one_word(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

/* `name = value` */
static int one(struct base_str text, struct base_arena *arena, struct digest_params *ret)
{
	size_t len = sip_span(text, SIP_CH_TOKEN);
	struct base_str name = { text.ptr, len };
	struct base_str rest = sip_skip(sip_from(text, len));

	if (!len || !rest.len || rest.ptr[0] != '=')
		return BASE_ERR(BASE_PEER, 400);
	rest = sip_skip(sip_from(rest, 1));
	if (rest.len && rest.ptr[0] == '"' && sip_quoted_len(rest) != rest.len)
		return BASE_ERR(BASE_PEER, 400);
	if (rest.len && rest.ptr[0] != '"' && !one_word(rest))
		return BASE_ERR(BASE_PEER, 400);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		struct base_str *field = (struct base_str *)((char *)ret + names[i].at);

		if (!base_str_ieq(name, base_str_of(names[i].name)))
			continue;
		if (field->ptr)
			return BASE_ERR(BASE_PEER, 400);
		return unquoted(rest, arena, field);
	}
	return 0; /* others are to be passed over */
}

bool digest_scheme(struct base_str value)
{
	return base_str_ieq((struct base_str){ value.ptr, sip_span(value, SIP_CH_TOKEN) },
	                    BASE_STR("Digest"));
}

int digest_params_read(struct base_str value, struct base_arena *arena, struct digest_params *ret)
{
	struct base_str rest, param;
	int rc = 0;

	*ret = (struct digest_params){ 0 };
	if (!digest_scheme(value))
		return BASE_ERR(BASE_PEER, 400);
	rest = sip_skip(sip_from(value, sip_span(value, SIP_CH_TOKEN)));
	while (!rc && sip_list_next(&rest, &param))
		rc = param.len ? one(param, arena, ret) : 0;
	return rc;
}

void digest_quote(struct base_writer *w, const char *name, struct base_str value)
{
	base_writer_printf(w, "%s=\"", name);
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == '\r' || c == '\n') /* no line of its own */
			w->failed = true;
		if (c == '"' || c == '\\')
			base_writer_u8(w, '\\');
		base_writer_u8(w, (uint8_t)c);
	}
	base_writer_text(w, "\"");
}

/* -- challenges ----------------------------------------------------------------------------------
 */

/* @return false when there are qops and none is known */
static bool qops(struct base_str text, unsigned *ret)
{
	struct base_str word;

	*ret = 0;
	if (!text.ptr)
		return true;
	while (sip_list_next(&text, &word)) {
		if (base_str_ieq(word, BASE_STR("auth")))
			*ret |= SIP_QOP_AUTH;
		if (base_str_ieq(word, BASE_STR("auth-int")))
			*ret |= SIP_QOP_AUTH_INT;
	}
	return *ret != 0;
}

int sip_credentials_read(struct base_str value, struct base_arena *arena,
                         struct sip_credentials *ret)
{
	struct digest_params p;
	int rc = digest_params_read(value, arena, &p);

	if (!rc)
		*ret = (struct sip_credentials){ .user = p.username,
			                         .realm = p.realm,
			                         .nonce = p.nonce,
			                         .uri = p.uri,
			                         .response = p.response,
			                         .stale = p.stale };
	return rc;
}

int sip_challenge_read(struct base_str value, struct base_arena *arena, struct sip_challenge *ret)
{
	struct digest_params p;
	struct sip_challenge c = { 0 };
	int rc = digest_params_read(value, arena, &p);

	if (rc)
		return rc;
	if (!p.realm.ptr || !p.nonce.ptr || !qops(p.qop, &c.qops) ||
	    !digest_algorithm(p.algorithm.ptr ? p.algorithm : BASE_STR("MD5"), &c.hash, &c.sess))
		return BASE_ERR(BASE_PEER, 400);
	c.realm = p.realm;
	c.nonce = p.nonce;
	c.opaque = p.opaque;
	c.stale = base_str_ieq(p.stale, BASE_STR("true"));
	c.userhash = base_str_ieq(p.userhash, BASE_STR("true"));
	*ret = c;
	return 0;
}

int sip_challenge_answer(const struct sip_challenge *challenge, const struct sip_proof *proof,
                         struct base_writer *w)
{
	struct sip_digest d = { .hash = challenge->hash,
		                .sess = challenge->sess,
		                .qop = challenge->qops & SIP_QOP_AUTH
		                               ? SIP_QOP_AUTH
		                               : (enum sip_qop)challenge->qops,
		                .user = proof->user,
		                .realm = challenge->realm,
		                .password = proof->password,
		                .nonce = challenge->nonce,
		                .cnonce = base_str_of(proof->cnonce),
		                .nc = proof->nc,
		                .method = proof->method,
		                .uri = proof->uri,
		                .body = proof->body };
	char response[SIP_DIGEST_MAX], hashed[SIP_DIGEST_MAX];
	struct base_str user = proof->user;
	int rc = sip_digest_response(&d, response);

	if (!rc && challenge->userhash) { /* 3.4.4 */
		rc = digest_hash(d.hash, (struct base_str[]){ user, d.realm }, 2, hashed);
		user = base_str_of(hashed);
	}
	if (rc)
		return rc;
	base_writer_text(w, "Digest ");
	digest_quote(w, "username", user);
	digest_quote(w, ", realm", d.realm);
	digest_quote(w, ", nonce", d.nonce);
	digest_quote(w, ", uri", d.uri);
	base_writer_printf(w, ", response=\"%s\", algorithm=%s", response,
	                   digest_algorithm_name(d.hash, d.sess));
	if (challenge->opaque.ptr)
		digest_quote(w, ", opaque", challenge->opaque);
	if (d.qop || d.sess)
		digest_quote(w, ", cnonce", d.cnonce);
	if (d.qop)
		base_writer_printf(w, ", qop=%s, nc=%08x",
		                   d.qop == SIP_QOP_AUTH ? "auth" : "auth-int", d.nc);
	if (challenge->userhash)
		base_writer_text(w, ", userhash=true");
	return 0;
}
