/* SPDX-License-Identifier: Apache-2.0 */
#include "check/host.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "x509/x509.h"

/* -- suites ------------------------------------------------------------------------------------ */

static bool key_is(const struct check_host *h, const char *kind)
{
	return h->identity && EVP_PKEY_is_a(h->identity->key, kind);
}

static bool suite_ours(const struct check_host *h, uint16_t code, unsigned version)
{
	const struct profile_suite *suite = profile_suite_find(code);
	struct check_shape shape;

	if (!suite || profile_suite_tls13(code) || !check_suite_fits(suite, version) ||
	    !check_shape_of(code, &shape))
		return false;
	if (shape.psk)
		return h->psk != NULL;
	return key_is(h, suite->flags & PROFILE_SUITE_ECDSA ? "EC" : "RSA");
}

uint16_t check_host_suite(const struct check_host *h, const struct check_offered *o,
                          unsigned version)
{
	for (size_t i = 0; i + 1 < o->suites.len; i += 2) {
		uint16_t code = (uint16_t)(o->suites.data[i] << 8 | o->suites.data[i + 1]);

		if (suite_ours(h, code, version))
			return code;
	}
	return 0;
}

/* -- signatures -------------------------------------------------------------------------------- */

struct scheme {
	uint16_t code;
	bool rsa, pss;
	const char *digest;
};

static const struct scheme schemes[] = {
	{ 0x0403, false, false, "SHA256" }, { 0x0503, false, false, "SHA384" },
	{ 0x0603, false, false, "SHA512" }, { 0x0401, true, false, "SHA256" },
	{ 0x0501, true, false, "SHA384" },  { 0x0601, true, false, "SHA512" },
	{ 0x0804, true, true, "SHA256" },   { 0x0805, true, true, "SHA384" },
	{ 0x0806, true, true, "SHA512" },   { 0x0203, false, false, "SHA1" },
	{ 0x0201, true, false, "SHA1" },
};

static const struct scheme *scheme_find(uint16_t code)
{
	for (size_t i = 0; i < BASE_COUNT(schemes); i++)
		if (schemes[i].code == code)
			return &schemes[i];
	return NULL;
}

/** Without the extension it is SHA-1 (RFC 5246, 7.4.1.4.1). */
static const struct scheme *scheme_choose(const struct check_offered *o, bool rsa)
{
	for (size_t i = 0; i < BASE_COUNT(schemes); i++)
		if (schemes[i].rsa == rsa && check_codes_hold(o->signatures, schemes[i].code))
			return &schemes[i];
	return o->signatures.len ? NULL : scheme_find(rsa ? 0x0201 : 0x0203);
}

/** `scheme` NULL = as before TLS 1.2 (RFC 4346, 7.4.3; RFC 8422, 5.4). */
static const EVP_MD *digest_of(const struct scheme *scheme, bool rsa)
{
	return scheme ? EVP_get_digestbyname(scheme->digest) : rsa ? EVP_md5_sha1() : EVP_sha1();
}

static bool padding_set(EVP_PKEY_CTX *ctx, const struct scheme *scheme)
{
	return !scheme || !scheme->pss ||
	       (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static bool sign(EVP_PKEY *key, const struct scheme *scheme, const struct base_writer *text,
                 struct base_writer *out)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	uint8_t signature[2048];
	size_t len = sizeof(signature);
	bool good = md &&
	            EVP_DigestSignInit(md, &ctx, digest_of(scheme, EVP_PKEY_is_a(key, "RSA")), NULL,
	                               key) == 1 &&
	            padding_set(ctx, scheme) &&
	            EVP_DigestSign(md, signature, &len, text->data, text->len) == 1;

	if (good) {
		if (scheme)
			base_writer_u16(out, scheme->code);
		base_writer_u16(out, (uint16_t)len);
		base_writer_put(out, signature, len);
	}
	EVP_MD_CTX_free(md);
	return good;
}

bool check_proof_holds(struct check_bytes certificate, uint16_t version,
                       const struct check_proof *proof, struct check_bytes text)
{
	const unsigned char *at = certificate.data;
	X509 *cert = certificate.len ? d2i_X509(NULL, &at, (long)certificate.len) : NULL;
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
	bool rsa = key && EVP_PKEY_is_a(key, "RSA");
	const struct scheme *scheme = version >= 0x0303 ? scheme_find(proof->scheme) : NULL;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool good = key && md && (version < 0x0303 || (scheme && scheme->rsa == rsa)) &&
	            EVP_DigestVerifyInit(md, &ctx, digest_of(scheme, rsa), NULL, key) == 1 &&
	            padding_set(ctx, scheme) &&
	            EVP_DigestVerify(md, proof->signature.data, proof->signature.len, text.data,
	                             text.len) == 1;

	EVP_MD_CTX_free(md);
	X509_free(cert);
	return good;
}

/* -- TLS 1.3 ----------------------------------------------------------------------------------- */

uint16_t check_host_suite13(const struct check_offered *o)
{
	for (size_t i = 0; i + 1 < o->suites.len; i += 2) {
		uint16_t code = (uint16_t)(o->suites.data[i] << 8 | o->suites.data[i + 1]);

		if (code == 0x1301 || code == 0x1302)
			return code;
	}
	return 0;
}

/** RSA is PSS; a scheme of ECDSA is of one curve (RFC 8446, 4.2.3). */
static bool fits_13(const struct scheme *scheme, EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	unsigned curve = bits == 256 ? 0x0403 : bits == 384 ? 0x0503 : 0x0603;

	return EVP_PKEY_is_a(key, "RSA") ? scheme->pss : scheme->code == curve;
}

bool check_host_sign13(const struct check_host *h, const struct check_offered *o,
                       const struct base_writer *text, struct base_writer *body)
{
	for (size_t i = 0; h->identity && i < BASE_COUNT(schemes); i++)
		if (fits_13(&schemes[i], h->identity->key) &&
		    check_codes_hold(o->signatures, schemes[i].code))
			return sign(h->identity->key, &schemes[i], text, body);
	return false;
}

/* -- our public value -------------------------------------------------------------------------- */

void check_own_done(struct check_own *own)
{
	check_share_free(own->share);
	BN_clear_free(own->exponent);
	*own = (struct check_own){ .share = NULL };
}

/** A curve of the client's; without a list it takes any (RFC 8422, 4). */
static uint16_t group_choose(const struct check_offered *o)
{
	static const uint16_t ours[] = { 23, 29, 24, 25 };

	for (size_t i = 0; i < BASE_COUNT(ours); i++)
		if (check_codes_hold(o->groups, ours[i]) || !o->groups.len)
			return ours[i];
	return 0;
}

static bool curve_put(const struct check_offered *o, struct check_own *own,
                      struct base_writer *body)
{
	struct base_writer point = { 0 };

	own->group = group_choose(o);
	own->share = check_share_new(own->group, &point);
	base_writer_u8(body, 3); /* named_curve */
	base_writer_u16(body, own->group);
	base_writer_u8(body, (uint8_t)point.len);
	base_writer_put(body, point.data, point.len);
	base_writer_done(&point);
	return own->share != NULL;
}

static void number_put(struct base_writer *w, const BIGNUM *n)
{
	uint8_t out[256];

	base_writer_u16(w, (uint16_t)BN_num_bytes(n));
	base_writer_put(w, out, (size_t)BN_bn2bin(n, out));
}

/** The group of 2048 bits of RFC 3526, 3. */
static bool field_put(struct check_own *own, struct base_writer *body)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *g = BN_new(), *x = BN_new(), *y = BN_new();
	bool good = ctx && p && g && x && y && BN_set_word(g, 2) == 1 &&
	            BN_rand(x, 256, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	            BN_mod_exp(y, g, x, p, ctx) == 1;

	if (good) {
		number_put(body, p);
		number_put(body, g);
		number_put(body, y);
		own->exponent = x;
		x = NULL;
	}
	BN_free(p);
	BN_free(g);
	BN_clear_free(x);
	BN_free(y);
	BN_CTX_free(ctx);
	return good;
}

bool check_host_exchange(const struct check_host *h, const struct check_parties *p,
                         const struct check_offered *o, struct check_own *own,
                         struct base_writer *body)
{
	const struct scheme *scheme = NULL;
	struct base_writer text = { 0 };
	size_t hint = p->shape->psk ? 2 : 0;
	bool good = true, rsa = key_is(h, "RSA");

	if (p->shape->exchange == CHECK_BY_RSA || p->shape->exchange == CHECK_BY_PSK)
		return true;
	base_writer_put(body, "\0", hint); /* an empty psk_identity_hint (RFC 5489, 2) */
	good = p->shape->exchange == CHECK_BY_ECDH ? curve_put(o, own, body) : field_put(own, body);
	if (!good || p->shape->psk)
		return good && !body->failed;
	if (p->version >= 0x0303)
		scheme = scheme_choose(o, rsa);
	if (p->version >= 0x0303 && !scheme)
		return false;
	base_writer_put(&text, p->client_random, 32);
	base_writer_put(&text, p->server_random, 32);
	base_writer_put(&text, body->data, body->len);
	good = sign(h->identity->key, scheme, &text, body) && !body->failed;
	base_writer_done(&text);
	return good;
}

/* -- the secret -------------------------------------------------------------------------------- */

static bool field_agree(const struct check_own *own, struct check_bytes theirs,
                        struct base_writer *secret)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *shared = BN_new();
	BIGNUM *y = BN_bin2bn(theirs.data, (int)theirs.len, NULL);
	uint8_t out[256];
	bool good = ctx && p && shared && y && theirs.len <= sizeof(out) && BN_cmp(y, p) < 0 &&
	            BN_mod_exp(shared, y, own->exponent, p, ctx) == 1;

	if (good) /* RFC 5246, 8.1.2: leading zeros are taken away */
		base_writer_put(secret, out, (size_t)BN_bn2bin(shared, out));
	base_wipe(out, sizeof(out));
	BN_free(p);
	BN_free(y);
	BN_clear_free(shared);
	BN_CTX_free(ctx);
	return good;
}

static bool rsa_decrypt(const struct check_host *h, struct check_bytes value,
                        struct base_writer *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(h->identity->key, NULL);
	uint8_t out[2048];
	size_t len = sizeof(out);
	bool good = ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
	            EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	            EVP_PKEY_decrypt(ctx, out, &len, value.data, value.len) == 1 && len == 48;

	if (good)
		base_writer_put(secret, out, len);
	base_wipe(out, sizeof(out));
	EVP_PKEY_CTX_free(ctx);
	return good;
}

bool check_host_premaster(const struct check_host *h, const struct check_parties *p,
                          const struct check_own *own, const struct check_client_key *key,
                          struct base_writer *secret)
{
	const struct check_shape *s = p->shape;
	bool good = true;

	if (s->psk && (key->identity.len != strlen(h->psk->identity) ||
	               memcmp(key->identity.data, h->psk->identity, key->identity.len) != 0))
		return false;
	if (s->exchange == CHECK_BY_ECDH)
		good = check_share_agree(own->share, own->group, key->value, secret);
	else if (s->exchange == CHECK_BY_DH)
		good = field_agree(own, key->value, secret);
	else if (s->exchange == CHECK_BY_RSA)
		good = rsa_decrypt(h, key->value, secret);
	if (good && s->psk)
		check_psk_mix(secret, h->psk, s->exchange == CHECK_BY_PSK);
	return good && !secret->failed;
}
