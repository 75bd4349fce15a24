/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "x509/internal.h"

#define DAY_S 86400
/* RFC 5280, 4.1.2.5: a generalizedTime ends with the year 9999 */
#define VALID_MAX_S  ((long)100 * 365 * DAY_S)
#define NAME_MAX_LEN 64 /* RFC 5280, A.1: ub-common-name */

int x509_key_make(enum x509_key_kind kind, EVP_PKEY **ret)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case X509_KEY_EC_P256:
		key = EVP_EC_gen("P-256");
		break;
	case X509_KEY_EC_P384:
		key = EVP_EC_gen("P-384");
		break;
	case X509_KEY_RSA_2048:
		key = EVP_RSA_gen(2048);
		break;
	case X509_KEY_RSA_3072:
		key = EVP_RSA_gen(3072);
		break;
	}
	if (!key)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = key;
	return 0;
}

static bool is_rsa(enum x509_key_kind kind)
{
	return kind == X509_KEY_RSA_2048 || kind == X509_KEY_RSA_3072;
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets; unpredictable, so that no two collide. */
static int serial_set(X509 *cert)
{
	uint8_t octets[16];
	BIGNUM *number = NULL;
	bool ok;

	if (base_random(octets, sizeof(octets)))
		return -1;
	octets[0] = (octets[0] & 0x7f) | 0x40;
	number = BN_bin2bn(octets, sizeof(octets), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok ? 0 : -1;
}

static int name_set(X509 *cert, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);

	if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
	                               (const unsigned char *)common_name, -1, -1, 0) != 1)
		return -1;
	return X509_set_issuer_name(cert, name) == 1 ? 0 : -1;
}

static int extension_add(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

/* Built by hand: a configuration string would let a comma in the name add other names. */
static int san_add(X509 *cert, const char *common_name)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
	int ok = 0;

	if (names && name && dns && ASN1_STRING_set(dns, common_name, -1) == 1) {
		GENERAL_NAME_set0_value(name, GEN_DNS, dns);
		dns = NULL;
		if (sk_GENERAL_NAME_push(names, name)) {
			name = NULL;
			ok = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
		}
	}
	ASN1_IA5STRING_free(dns);
	GENERAL_NAME_free(name);
	GENERAL_NAMES_free(names);
	return ok ? 0 : -1;
}

static int fill(X509 *cert, EVP_PKEY *key, enum x509_key_kind kind, const char *common_name,
                long valid_s)
{
	time_t now = time(NULL);
	const char *usage = is_rsa(kind) ? "critical,digitalSignature,keyEncipherment"
	                                 : "critical,digitalSignature";

	if (X509_set_version(cert, X509_VERSION_3) != 1 || serial_set(cert) ||
	    name_set(cert, common_name) || X509_set_pubkey(cert, key) != 1)
		return -1;
	/* days and seconds apart: seconds alone would not fit where long is short */
	if (!X509_time_adj_ex(X509_getm_notBefore(cert), -1, 0, &now) ||
	    !X509_time_adj_ex(X509_getm_notAfter(cert), (int)(valid_s / DAY_S), valid_s % DAY_S,
	                      &now))
		return -1;
	if (extension_add(cert, NID_basic_constraints, "critical,CA:FALSE") ||
	    extension_add(cert, NID_key_usage, usage) ||
	    extension_add(cert, NID_ext_key_usage, "serverAuth,clientAuth") ||
	    extension_add(cert, NID_subject_key_identifier, "hash") || san_add(cert, common_name))
		return -1;
	return X509_sign(cert, key, EVP_sha256()) > 0 ? 0 : -1;
}

/* A dNSName is an IA5String without white space; a CN has at most 64 characters. */
static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return len && len <= NAME_MAX_LEN;
}

int x509_identity_self_signed(struct x509_identity **ret, enum x509_key_kind kind,
                              const char *common_name, long valid_s, struct base_error *err)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc;

	if (!name_ok(common_name))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a certificate's name has 1 to %d visible ASCII characters",
		                      NAME_MAX_LEN);
	if (valid_s <= 0 || valid_s > VALID_MAX_S)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a certificate is valid for 1 to %ld seconds", VALID_MAX_S);
	rc = x509_key_make(kind, &key);
	if (rc)
		return base_error_set(err, rc, "cannot make a key: %s", x509_crypto_reason());
	cert = X509_new();
	if (!cert || fill(cert, key, kind, common_name, valid_s)) {
		X509_free(cert);
		EVP_PKEY_free(key);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0),
		                      "cannot make a self-signed certificate: %s",
		                      x509_crypto_reason());
	}
	return x509_identity_wrap(ret, cert, NULL, key, err);
}
