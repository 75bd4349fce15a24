/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An EVP_PKEY whose private half is in a token.
 *
 * libcrypto has two ways to hand signing out: a provider of one's own, and the methods of RSA and
 * EC_KEY objects, deprecated in 3.0 and working. A provider would be several times this file and
 * has to do the public half too; so it is the methods.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "x509/token_internal.h"

#define SIGNATURE_MAX 1024 /* RSA of 8192 bits */

/** What the RSA or EC_KEY object holds; copies of that share it. */
struct secret {
	struct token token;
	CK_OBJECT_HANDLE object;
	pthread_mutex_t lock; /* a session does one operation at a time (PKCS#11 v2.40, 6.7.7) */
	atomic_uint refs;
};

/* Made once, never freed: keys may live until the process ends. */
static struct {
	pthread_once_t once;
	EC_KEY_METHOD *ec;
	RSA_METHOD *rsa;
	int ec_index, rsa_index, lib;
} way = { .once = PTHREAD_ONCE_INIT };

/* -- what a token that fails is called in libcrypto's queue ---------------------------------- */

static const struct {
	CK_RV rv;
	const char *words;
} reasons[] = {
	{ CKR_GENERAL_ERROR,
	  "the token failed" }, /* the first one stands for all that are not here */
	{ CKR_DEVICE_REMOVED, "the token was removed" },
	{ CKR_TOKEN_NOT_PRESENT, "the token was removed" },
	{ CKR_SESSION_HANDLE_INVALID, "the token closed our session" },
	{ CKR_SESSION_CLOSED, "the token closed our session" },
	{ CKR_KEY_HANDLE_INVALID, "the key is no longer in the token" },
	{ CKR_OBJECT_HANDLE_INVALID, "the key is no longer in the token" },
	{ CKR_USER_NOT_LOGGED_IN, "the token wants its PIN again" },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, "the token forbids this key to sign" },
	{ CKR_MECHANISM_INVALID, "the token cannot sign this way" },
	{ CKR_DEVICE_ERROR, "the token's device failed" },
	{ CKR_DEVICE_MEMORY, "the token is out of memory" },
	{ CKR_FUNCTION_FAILED, "the token failed to sign" },
};

static void tell(CK_RV rv)
{
	int reason = 0;

	for (int i = 0; i < (int)BASE_COUNT(reasons); i++)
		if (reasons[i].rv == rv)
			reason = i;
	ERR_raise(way.lib, reason + 1);
}

const char *x509_token_reason(unsigned long code)
{
	unsigned reason = (unsigned)ERR_GET_REASON(code);

	return way.lib && ERR_GET_LIB(code) == way.lib && reason && reason <= BASE_COUNT(reasons)
	               ? reasons[reason - 1].words
	               : NULL;
}

/* -- signing --------------------------------------------------------------------------------- */

static int sign(struct secret *s, CK_MECHANISM_TYPE type, const unsigned char *in, size_t len,
                unsigned char *out, CK_ULONG *out_len)
{
	CK_MECHANISM mechanism = { type, NULL, 0 };
	CK_RV rv;

	if (!s)
		return -1;
	(void)pthread_mutex_lock(&s->lock); /* it was initialised: it cannot fail */
	rv = s->token.f->C_SignInit(s->token.session, &mechanism, s->object);
	if (rv == CKR_OK)
		rv = s->token.f->C_Sign(s->token.session, (CK_BYTE *)in, len, out, out_len);
	(void)pthread_mutex_unlock(&s->lock); /* likewise */
	if (rv != CKR_OK)
		tell(rv);
	return rv == CKR_OK ? 0 : -1;
}

/* The token answers with r and s side by side (PKCS#11 v2.40, 2.3.1). */
static ECDSA_SIG *ec_sign(const unsigned char *digest, int len, const BIGNUM *kinv,
                          const BIGNUM *rp, EC_KEY *key)
{
	size_t half = (size_t)(EC_GROUP_order_bits(EC_KEY_get0_group(key)) + 7) / 8;
	unsigned char raw[SIGNATURE_MAX];
	CK_ULONG raw_len = sizeof(raw);
	ECDSA_SIG *signature;
	BIGNUM *r, *s;

	(void)kinv;
	(void)rp;
	/* FIPS 186-4, 6.4: the leftmost bits of a longer digest; not every token does it itself */
	if (sign(EC_KEY_get_ex_data(key, way.ec_index), CKM_ECDSA, digest,
	         BASE_MIN((size_t)len, half), raw, &raw_len))
		return NULL;
	if (raw_len != 2 * half) {
		tell(CKR_GENERAL_ERROR);
		return NULL;
	}
	signature = ECDSA_SIG_new();
	r = BN_bin2bn(raw, (int)half, NULL);
	s = BN_bin2bn(raw + half, (int)half, NULL);
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1)
		return signature;
	ECDSA_SIG_free(signature);
	BN_free(r);
	BN_free(s);
	return NULL;
}

/* With PKCS#1 padding, or none where libcrypto has padded for PSS. */
static int rsa_sign(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	CK_ULONG out_len = (CK_ULONG)RSA_size(rsa);
	CK_MECHANISM_TYPE type = padding == RSA_PKCS1_PADDING ? CKM_RSA_PKCS : CKM_RSA_X_509;

	if (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING) {
		tell(CKR_MECHANISM_INVALID);
		return -1;
	}
	return sign(RSA_get_ex_data(rsa, way.rsa_index), type, from, (size_t)len, to, &out_len)
	               ? -1
	               : (int)out_len;
}

/* RSA key transport (TLS 1.2 and before) would be decryption: these keys sign. */
static int rsa_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
	(void)len;
	(void)from;
	(void)to;
	(void)rsa;
	(void)padding;
	tell(CKR_KEY_FUNCTION_NOT_PERMITTED);
	return -1;
}

/* -- the way through libcrypto, made once ---------------------------------------------------- */

static void secret_unref(struct secret *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	token_close(&s->token);
	(void)pthread_mutex_destroy(&s->lock); /* nobody holds it */
	free(s);
}

static void on_free(void *parent, void *held, CRYPTO_EX_DATA *data, int index, long argl,
                    void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	secret_unref(held);
}

static int on_copy(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **held, int index,
                   long argl, void *argp)
{
	struct secret *s = *held;

	(void)to;
	(void)from;
	(void)index;
	(void)argl;
	(void)argp;
	if (s)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return 1;
}

static void way_make(void)
{
	int (*ec_plain)(int, const unsigned char *, int, unsigned char *, unsigned int *,
	                const BIGNUM *, const BIGNUM *, EC_KEY *);

	way.lib = ERR_get_next_error_library();
	way.ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, on_copy, on_free);
	way.rsa_index = RSA_get_ex_new_index(0, NULL, NULL, on_copy, on_free);
	way.ec = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
	way.rsa = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	if (way.ec) {
		EC_KEY_METHOD_get_sign(way.ec, &ec_plain, NULL, NULL);
		EC_KEY_METHOD_set_sign(way.ec, ec_plain, NULL, ec_sign);
	}
	if (way.rsa) {
		(void)RSA_meth_set1_name(way.rsa, "gatehouse token"); /* only for people */
		(void)RSA_meth_set_priv_enc(way.rsa, rsa_sign);       /* setters cannot fail */
		(void)RSA_meth_set_priv_dec(way.rsa, rsa_decrypt);
		(void)RSA_meth_set_flags(way.rsa, RSA_FLAG_EXT_PKEY);
	}
}

static bool way_ready(void)
{
	(void)pthread_once(&way.once, way_make); /* fails for a wrong argument only */
	return way.ec && way.rsa && way.ec_index >= 0 && way.rsa_index >= 0;
}

/* -- the public half ------------------------------------------------------------------------- */

/* An attribute's value, malloc'd. @return NULL when the token has not got it */
static uint8_t *attribute(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                          long *ret_len)
{
	CK_ATTRIBUTE a = { type, NULL, 0 };

	if (t->f->C_GetAttributeValue(t->session, object, &a, 1) != CKR_OK || !a.ulValueLen ||
	    a.ulValueLen > 65536)
		return NULL;
	a.pValue = malloc(a.ulValueLen);
	if (a.pValue && t->f->C_GetAttributeValue(t->session, object, &a, 1) != CKR_OK) {
		free(a.pValue);
		return NULL;
	}
	*ret_len = (long)a.ulValueLen;
	return a.pValue;
}

static EC_KEY *ec_read(const struct token *t, CK_OBJECT_HANDLE object)
{
	long curve_len = 0, point_len = 0;
	uint8_t *curve = attribute(t, object, CKA_EC_PARAMS, &curve_len);
	uint8_t *point = attribute(t, object, CKA_EC_POINT, &point_len);
	const unsigned char *at = curve;
	EC_KEY *key = curve && point ? d2i_ECParameters(NULL, &at, curve_len) : NULL;
	ASN1_OCTET_STRING *octets = NULL;
	bool ok = false;

	if (key) {
		at = point; /* an OCTET STRING around the point (PKCS#11 v2.40, 2.3.3) */
		octets = d2i_ASN1_OCTET_STRING(NULL, &at, point_len);
		ok = octets && EC_KEY_oct2key(key, ASN1_STRING_get0_data(octets),
		                              (size_t)ASN1_STRING_length(octets), NULL) == 1;
	}
	ASN1_OCTET_STRING_free(octets);
	free(curve);
	free(point);
	if (ok)
		return key;
	EC_KEY_free(key);
	return NULL;
}

static RSA *rsa_read(const struct token *t, CK_OBJECT_HANDLE object)
{
	long n_len = 0, e_len = 0;
	uint8_t *n_octets = attribute(t, object, CKA_MODULUS, &n_len);
	uint8_t *e_octets = attribute(t, object, CKA_PUBLIC_EXPONENT, &e_len);
	BIGNUM *n = n_octets ? BN_bin2bn(n_octets, (int)n_len, NULL) : NULL;
	BIGNUM *e = e_octets ? BN_bin2bn(e_octets, (int)e_len, NULL) : NULL;
	RSA *rsa = RSA_new();

	free(n_octets);
	free(e_octets);
	if (rsa && n && e && RSA_set0_key(rsa, n, e, NULL) == 1 && RSA_size(rsa) <= SIGNATURE_MAX)
		return rsa;
	if (!rsa || RSA_get0_n(rsa) != n) {
		BN_free(n);
		BN_free(e);
	}
	RSA_free(rsa);
	return NULL;
}

/* -- wrap ------------------------------------------------------------------------------------ */

/* On success the secret is the key's. */
static bool ec_wrap(EVP_PKEY *pkey, const struct token *t, CK_OBJECT_HANDLE public,
                    struct secret *s)
{
	EC_KEY *ec = ec_read(t, public);

	if (ec && EC_KEY_set_method(ec, way.ec) == 1 && EVP_PKEY_assign_EC_KEY(pkey, ec) == 1)
		return EC_KEY_set_ex_data(ec, way.ec_index, s) == 1;
	EC_KEY_free(ec);
	return false;
}

static bool rsa_wrap(EVP_PKEY *pkey, const struct token *t, CK_OBJECT_HANDLE public,
                     struct secret *s)
{
	RSA *rsa = rsa_read(t, public);

	if (rsa && RSA_set_method(rsa, way.rsa) == 1 && EVP_PKEY_assign_RSA(pkey, rsa) == 1)
		return RSA_set_ex_data(rsa, way.rsa_index, s) == 1;
	RSA_free(rsa);
	return false;
}

static struct secret *secret_new(CK_OBJECT_HANDLE private)
{
	struct secret *s = calloc(1, sizeof(*s));

	if (s && pthread_mutex_init(&s->lock, NULL)) {
		free(s);
		return NULL;
	}
	if (s) {
		s->object = private;
		atomic_init(&s->refs, 1);
	}
	return s;
}

int token_key_wrap(EVP_PKEY **ret, struct token *t, CK_OBJECT_HANDLE private,
                   CK_OBJECT_HANDLE public, struct base_error *err)
{
	struct secret *s = way_ready() ? secret_new(private) : NULL;
	EVP_PKEY *pkey = s ? EVP_PKEY_new() : NULL;
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE a = { CKA_KEY_TYPE, &type, sizeof(type) };
	CK_RV rv = t->f->C_GetAttributeValue(t->session, public, &a, 1);
	bool ok = false;

	if (pkey && rv == CKR_OK)
		ok = type == CKK_EC    ? ec_wrap(pkey, t, public, s)
		     : type == CKK_RSA ? rsa_wrap(pkey, t, public, s)
		                       : false;
	ERR_clear_error();
	if (ok) {
		s->token = *t;
		*t = (struct token){ .open = false };
		*ret = pkey;
		return 0;
	}
	EVP_PKEY_free(pkey);
	secret_unref(s);
	return base_error_set(err, BASE_ERR(s && pkey ? BASE_CONFIG : BASE_LOCAL, 0),
	                      "token '%s': the key is neither EC on a known curve nor RSA, or its "
	                      "public half cannot be read",
	                      t->label);
}
