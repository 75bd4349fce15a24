/* SPDX-License-Identifier: Apache-2.0 */
/** @file A certificate from a description, extension by extension. */
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/internal.h"

#define CN_MAX_CHARS 64 /* RFC 5280, A.1: ub-common-name, ub-organization-name */
#define URL_MAX      2048

int x509_serial_make(uint8_t serial[X509_SERIAL_OCTETS])
{
	int rc = base_random(serial, X509_SERIAL_OCTETS);

	/* positive, and always of the same length */
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	return rc;
}

bool x509_dns_ok(const char *name)
{
	size_t len = strlen(name), label = 0;

	for (size_t i = 0; i < len; i++) {
		int c = base_lower(name[i]);

		if (c == '.' ? !label
		             : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label && len <= 253;
}

bool x509_crl_url_ok(const char *url)
{
	size_t len = strlen(url), at;

	if (!strncmp(url, "http://", 7))
		at = 7;
	else if (!strncmp(url, "ldap://", 7))
		at = 7;
	else
		return false;
	for (size_t i = at; i < len; i++)
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	return len > at && len <= URL_MAX;
}

int x509_key_check(const EVP_PKEY *key, struct base_error *err)
{
	char group[32] = "";
	size_t len;

	if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048)
		return 0;
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	    (!strcmp(group, "prime256v1") || !strcmp(group, "secp384r1")))
		return 0;
	ERR_clear_error();
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "a key is RSA of 2048 bits or more, or ECDSA on P-256 or P-384 "
	                      "(TS 33.310, 6.1.1); this one is %s%s%s of %d bits",
	                      EVP_PKEY_get0_type_name(key), *group ? " " : "", group,
	                      EVP_PKEY_get_bits(key));
}

const EVP_MD *x509_digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384()
	                                                                : EVP_sha256();
}

int x509_serial_set(ASN1_INTEGER *into, const uint8_t serial[X509_SERIAL_OCTETS])
{
	BIGNUM *number = BN_bin2bn(serial, X509_SERIAL_OCTETS, NULL);
	bool ok = number && BN_to_ASN1_INTEGER(number, into);

	BN_free(number);
	return ok ? 0 : -1;
}

/* -- names --------------------------------------------------------------------------------- */

static int name_add(X509_NAME *name, int nid, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	return !value || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, text, -1, -1, 0) == 1
	               ? 0
	               : -1;
}

static int names_set(X509 *cert, const struct x509_make *what)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	if (what->subject_of) {
		if (X509_set_subject_name(cert, X509_get_subject_name(what->subject_of)) != 1)
			return -1;
	} else if (name_add(subject, NID_organizationName, what->organization) ||
	           name_add(subject, NID_commonName, what->common_name)) {
		return -1;
	}
	return X509_set_issuer_name(cert,
	                            X509_get_subject_name(what->issuer ? what->issuer : cert)) == 1
	               ? 0
	               : -1;
}

/* -- extensions ------------------------------------------------------------------------------ */

/* Only for values of our own: libcrypto's words would let a comma in a name add other names. */
static int words_add(X509 *cert, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, (X509 *)(issuer ? issuer : cert), cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

/* A general name of text; NULL when memory is short. */
static GENERAL_NAME *general_name(int type, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	if (!name || !value || ASN1_STRING_set(value, text, -1) != 1) {
		ASN1_IA5STRING_free(value);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

static GENERAL_NAMES *general_names(int type, const char *const *text)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (; names && *text; text++) {
		GENERAL_NAME *name = general_name(type, *text);

		if (!name || !sk_GENERAL_NAME_push(names, name)) {
			GENERAL_NAME_free(name);
			GENERAL_NAMES_free(names);
			return NULL;
		}
	}
	return names;
}

static int san_add(X509 *cert, const char *const *dns)
{
	GENERAL_NAMES *names = general_names(GEN_DNS, dns);
	int ok = names && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;

	GENERAL_NAMES_free(names);
	return ok ? 0 : -1;
}

static int subtree_push(NAME_CONSTRAINTS *limits, const char *dns)
{
	GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
	GENERAL_NAME *name = general_name(GEN_DNS, dns);

	if (tree && name) {
		GENERAL_NAME_free(tree->base);
		tree->base = name;
		name = NULL;
		if (sk_GENERAL_SUBTREE_push(limits->permittedSubtrees, tree))
			return 0;
	}
	GENERAL_NAME_free(name);
	GENERAL_SUBTREE_free(tree);
	return -1;
}

/* RFC 5280, 4.2.1.10: critical, only in certificates of authorities. */
static int limits_add(X509 *cert, const char *const *dns)
{
	NAME_CONSTRAINTS *limits = NAME_CONSTRAINTS_new();
	int ok = 0;

	if (limits) {
		limits->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
		ok = limits->permittedSubtrees != NULL;
	}
	for (; ok && *dns; dns++)
		ok = !subtree_push(limits, *dns);
	ok = ok && X509_add1_ext_i2d(cert, NID_name_constraints, limits, 1, 0) == 1;
	NAME_CONSTRAINTS_free(limits);
	return ok ? 0 : -1;
}

/* RFC 5280, 4.2.1.13: the addresses are of one and the same CRL, so they are one point. */
CRL_DIST_POINTS *x509_points_make(const char *const *urls)
{
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	DIST_POINT *point = DIST_POINT_new();
	DIST_POINT_NAME *name = DIST_POINT_NAME_new();
	bool ok = false;

	if (points && point && name && sk_DIST_POINT_push(points, point)) {
		name->type = 0;
		name->name.fullname = general_names(GEN_URI, urls);
		ok = name->name.fullname != NULL;
		point->distpoint = name;
		name = NULL;
		point = NULL;
	}
	DIST_POINT_NAME_free(name);
	DIST_POINT_free(point);
	if (ok)
		return points;
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	return NULL;
}

static int crl_urls_add(X509 *cert, const char *const *urls)
{
	CRL_DIST_POINTS *points = x509_points_make(urls);
	int ok = points && X509_add1_ext_i2d(cert, NID_crl_distribution_points, points, 0, 0) == 1;

	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	return ok ? 0 : -1;
}

/* The peer's own identifier, where there is one: its entities' certificates point at that. */
static int key_id_add(X509 *cert, const struct x509_make *what)
{
	const ASN1_OCTET_STRING *id =
	        what->subject_of ? X509_get0_subject_key_id((X509 *)what->subject_of) : NULL;

	if (id && X509_check_private_key(what->subject_of, what->key) == 1)
		return X509_add1_ext_i2d(cert, NID_subject_key_identifier, (void *)id, 0, 0) == 1
		               ? 0
		               : -1;
	ERR_clear_error();
	return words_add(cert, what->issuer, NID_subject_key_identifier, "hash");
}

static int authority_add(X509 *cert, const struct x509_make *what)
{
	char words[64];

	(void)snprintf(words, sizeof(words), "critical,CA:TRUE,pathlen:%d", what->path_len);
	if (words_add(cert, what->issuer, NID_basic_constraints, words) ||
	    words_add(cert, what->issuer, NID_key_usage, "critical,keyCertSign,cRLSign"))
		return -1;
	return what->kind == X509_MAKE_CROSS && what->dns ? limits_add(cert, what->dns) : 0;
}

static int entity_add(X509 *cert, const struct x509_make *what)
{
	bool transport = what->server && EVP_PKEY_is_a(what->key, "RSA");
	const char *usage = transport ? "critical,digitalSignature,keyEncipherment"
	                              : "critical,digitalSignature";

	if (words_add(cert, what->issuer, NID_basic_constraints, "critical,CA:FALSE") ||
	    words_add(cert, what->issuer, NID_key_usage, usage))
		return -1;
	return san_add(cert, what->dns);
}

static int purpose_add(X509 *cert, const struct x509_make *what)
{
	const char *words = what->client && what->server ? "serverAuth,clientAuth"
	                    : what->server               ? "serverAuth"
	                                                 : "clientAuth";

	if (what->kind == X509_MAKE_CA || (!what->client && !what->server))
		return 0;
	return words_add(cert, what->issuer, NID_ext_key_usage, words);
}

/* -- the whole ------------------------------------------------------------------------------- */

static int fill(X509 *cert, const struct x509_make *what)
{
	bool entity = what->kind == X509_MAKE_ENTITY;

	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
	    x509_serial_set(X509_get_serialNumber(cert), what->serial) || names_set(cert, what) ||
	    X509_set_pubkey(cert, what->key) != 1 ||
	    !ASN1_TIME_adj(X509_getm_notBefore(cert), (time_t)what->from_s, 0, 0) ||
	    !ASN1_TIME_adj(X509_getm_notAfter(cert), (time_t)what->until_s, 0, 0))
		return -1;
	if ((entity ? entity_add(cert, what) : authority_add(cert, what)) ||
	    purpose_add(cert, what) || key_id_add(cert, what) ||
	    words_add(cert, what->issuer, NID_authority_key_identifier, "keyid:always") ||
	    (what->crl_urls && *what->crl_urls && crl_urls_add(cert, what->crl_urls)))
		return -1;
	return X509_sign(cert, what->issuer_key, x509_digest_for(what->issuer_key)) > 0 ? 0 : -1;
}

static int refuse(struct base_error *err, const char *what, const char *value)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s: '%s'", what, value);
}

static bool text_ok(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len && len <= CN_MAX_CHARS;
}

static int check(const struct x509_make *what, struct base_error *err)
{
	const char *const *at;

	if (!what->subject_of && (!what->common_name || !text_ok(what->common_name)))
		return refuse(err, "a common name has 1 to 64 characters, no control characters",
		              what->common_name ? what->common_name : "");
	if (!what->subject_of && what->organization && !text_ok(what->organization))
		return refuse(err, "an organization has 1 to 64 characters, no control characters",
		              what->organization);
	for (at = what->dns; at && *at; at++)
		if (!x509_dns_ok(*at))
			return refuse(err, "not a host name for a dNSName", *at);
	for (at = what->crl_urls; at && *at; at++)
		if (!x509_crl_url_ok(*at))
			return refuse(err, "a CRL's address is http://... or ldap://...", *at);
	if (what->kind == X509_MAKE_ENTITY && (!what->dns || !*what->dns))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a TLS certificate names its host (dNSName)");
	if (what->from_s >= what->until_s)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the certificate would end before it begins");
	return x509_key_check(what->key, err);
}

int x509_make_cert(X509 **ret, const struct x509_make *what, struct base_error *err)
{
	int rc = check(what, err);
	X509 *cert;

	if (rc)
		return rc;
	cert = X509_new();
	if (!cert || fill(cert, what)) {
		X509_free(cert);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "cannot make a certificate: %s",
		                      x509_crypto_reason());
	}
	*ret = cert;
	return 0;
}
