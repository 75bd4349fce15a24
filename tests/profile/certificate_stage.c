/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate_stage.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY  (24L * 3600)
#define ROOM 12 /* extensions */

static EVP_PKEY *keys[TWEAKS], *ca_ec;
static X509 *issuer_cert;

static EVP_PKEY *rsa_new(int bits, unsigned long e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *exponent = BN_new();
	EVP_PKEY *key = NULL;

	assert_true(ctx && exponent && BN_set_word(exponent, e));
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	BN_free(exponent);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *explicit_new(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "P-256"), 1);
	assert_int_equal(EVP_PKEY_CTX_set_ec_param_enc(ctx, 0 /* explicit */), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Made at first use: some of them take long. */
static EVP_PKEY *key_of(enum tweak tweak)
{
	if (keys[tweak])
		return keys[tweak];
	switch (tweak) {
	case KEY_ED25519:
	case SIGN_ED25519:
		keys[tweak] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	case KEY_RSA:
		keys[tweak] = rsa_new(2048, 65537);
		break;
	case KEY_RSA_1024:
		keys[tweak] = rsa_new(1024, 65537);
		break;
	case KEY_RSA_E3:
		keys[tweak] = rsa_new(2048, 3);
		break;
	case KEY_P521:
		keys[tweak] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
		break;
	case KEY_EXPLICIT:
		keys[tweak] = explicit_new();
		break;
	default:
		keys[tweak] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	}
	assert_non_null(keys[tweak]);
	return keys[tweak];
}

static bool signs_rsa(enum tweak tweak)
{
	return tweak >= SIGN_RSA && tweak <= SIGN_RSA_MD5;
}

static EVP_PKEY *signer_of(enum tweak tweak)
{
	return signs_rsa(tweak) ? key_of(KEY_RSA) : tweak == SIGN_ED25519 ? key_of(tweak) : ca_ec;
}

static const EVP_MD *md_of(enum tweak tweak)
{
	return tweak == SIGN_SHA1      ? EVP_sha1()
	       : tweak == SIGN_SHA512  ? EVP_sha512()
	       : tweak == SIGN_ED25519 ? NULL
	                               : EVP_sha256();
}

static X509_NAME *name_new(const char *cn, bool ou)
{
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"A",
	                                            -1, -1, 0),
	                 1);
	if (ou)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const uint8_t *)"x", -1, -1,
		                           0);
	if (cn)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1,
		                           0);
	return name;
}

static void serial_set(ASN1_INTEGER *serial, enum tweak tweak)
{
	uint8_t octets[21] = { 0x11 };

	if (tweak == SERIAL_21)
		ASN1_STRING_set(serial, octets, 21);
	else
		ASN1_INTEGER_set(serial, tweak == SERIAL_ZERO       ? 0
		                         : tweak == SERIAL_NEGATIVE ? -5
		                                                    : 0x7111);
}

/* "keyUsage=critical,digitalSignature" */
static X509_EXTENSION *ext_new(const char *text, X509V3_CTX *ctx)
{
	const char *is = strchr(text, '=');
	char name[64];
	X509_EXTENSION *ext;

	snprintf(name, sizeof(name), "%.*s", (int)(is - text), text);
	ext = X509V3_EXT_conf(NULL, ctx, name, is + 1);
	if (!ext)
		fail_msg("%s", text);
	return ext;
}

static const char *const entity[] = { "authorityKeyIdentifier=keyid:always",
	                              "subjectKeyIdentifier=hash",
	                              "keyUsage=critical,digitalSignature",
	                              "subjectAltName=DNS:gw.a.example",
	                              "crlDistributionPoints=URI:http://crl.a.example/a.crl",
	                              NULL };
static const char *const authority[] = { "authorityKeyIdentifier=keyid:always",
	                                 "subjectKeyIdentifier=hash",
	                                 "keyUsage=critical,keyCertSign,cRLSign",
	                                 "basicConstraints=critical,CA:TRUE,pathlen:0",
	                                 "crlDistributionPoints=URI:ldap://cr.a.example/cn=ca",
	                                 NULL };
static const char *const crl_exts[] = { "authorityKeyIdentifier=keyid:always", NULL };

static const char *const *exts_of(unsigned role)
{
	return role & PROFILE_ROLES_ENTITIES ? entity
	       : role & PROFILE_ROLES_CAS    ? authority
	                                     : crl_exts;
}

/** What a good one has, without what `drop` begins, with what `add` says ('|' between). */
static int exts_choose(unsigned role, const char *drop, const char *add, char all[ROOM][160])
{
	const char *const *good = exts_of(role);
	int n = 0;

	for (; *good; good++)
		if (!drop || strncmp(*good, drop, strlen(drop)) != 0)
			snprintf(all[n++], 160, "%s", *good);
	if (role & PROFILE_ROLES_ENTITIES && (!drop || strcmp(drop, "extendedKeyUsage") != 0))
		snprintf(all[n++], 160, "extendedKeyUsage=%s",
		         role == PROFILE_ROLE_SERVER ? "serverAuth" : "clientAuth");
	if (role == PROFILE_ROLE_CROSS && (!drop || strcmp(drop, "nameConstraints") != 0))
		snprintf(all[n++], 160, "nameConstraints=critical,permitted;DNS:b.example");
	while (add && *add) {
		size_t len = strcspn(add, "|");

		snprintf(all[n++], 160, "%.*s", (int)len, add);
		add += len + (add[len] == '|');
	}
	assert_true(n <= ROOM);
	return n;
}

/* Another algorithm's OID of the same length, where the old one stands: `all`, or the last time. */
static void oid_patch(uint8_t *der, size_t len, const char *old, size_t oid_len, uint8_t last,
                      bool all)
{
	uint8_t *at = der, *found = NULL;

	while ((at = memmem(at, len - (size_t)(at - der), old, oid_len))) {
		found = at;
		at += oid_len;
		if (all)
			at[-1] = last;
	}
	assert_non_null(found);
	found[oid_len - 1] = last;
}

static void der_tweak(uint8_t *der, size_t len, enum tweak tweak)
{
	static const char rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
	                  ec[] = "\x2a\x86\x48\xce\x3d\x04\x03\x02";

	if (tweak >= SIGN_RSA_MD2 && tweak <= SIGN_RSA_MD5)
		oid_patch(der, len, rsa, 9, (uint8_t)(2 + tweak - SIGN_RSA_MD2), true);
	if (tweak == ALGORITHMS)
		oid_patch(der, len, ec, 8, 3, false);
}

static void cert_fill(X509 *cert, unsigned role, enum tweak tweak)
{
	const char *cn = role & PROFILE_ROLES_ENTITIES ? "gw.a.example" : "CA of A";
	X509_NAME *subject = name_new(tweak == SUBJECT_NO_CN     ? NULL
	                              : tweak == SUBJECT_NO_HOST ? "the gateway"
	                                                         : cn,
	                              tweak == SUBJECT_OU);
	X509_NAME *issuer = name_new("Issuer", tweak == ISSUER_OU), *none = X509_NAME_new();
	long days = tweak == BACKWARDS ? -10 : tweak == FOUR_YEARS ? 1460 : 365;

	X509_set_version(cert, tweak == VERSION_1 ? 0 : 2);
	serial_set(X509_get_serialNumber(cert), tweak);
	X509_set_subject_name(cert, tweak == NO_SUBJECT ? none : subject);
	X509_set_issuer_name(cert, tweak == NO_ISSUER ? none : issuer);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY);
	X509_set_pubkey(cert, tweak >= KEY_ED25519 && tweak <= KEY_EXPLICIT ? key_of(tweak)
	                                                                    : key_of(PLAIN));
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	X509_NAME_free(none);
}

void stage_cert(unsigned role, enum tweak tweak, const char *drop, const char *add,
                struct x509_facts *ret)
{
	X509 *cert = X509_new(), *back;
	uint8_t *der = NULL;
	const uint8_t *at;
	char ext[ROOM][160];
	int n = exts_choose(role, drop, add, ext), len;
	X509V3_CTX ctx;

	cert_fill(cert, role, tweak);
	X509V3_set_ctx(&ctx, issuer_cert, cert, NULL, NULL, 0);
	for (int i = 0; i < n; i++) {
		X509_EXTENSION *one = ext_new(ext[i], &ctx);

		X509_add_ext(cert, one, -1);
		X509_EXTENSION_free(one);
	}
	assert_true(X509_sign(cert, signer_of(tweak), md_of(tweak)) > 0);
	len = i2d_X509(cert, &der);
	der_tweak(der, (size_t)len, tweak);
	at = der;
	back = d2i_X509(NULL, &at, len);
	assert_non_null(back);
	x509_facts_cert(back, ret);
	X509_free(back);
	X509_free(cert);
	OPENSSL_free(der);
}

static void number_add(X509_CRL *crl, enum tweak tweak, bool critical)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	serial_set(number, tweak == NUMBER_LONG ? SERIAL_21 : PLAIN);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, critical, 0), 1);
	ASN1_INTEGER_free(number);
}

void stage_crl(enum tweak tweak, const char *drop, const char *add, struct x509_facts *ret)
{
	X509_CRL *crl = X509_CRL_new(), *back;
	X509_NAME *issuer = name_new("Issuer", false), *none = X509_NAME_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *next = X509_gmtime_adj(NULL, 7 * DAY);
	bool number = !drop || strcmp(drop, "number") != 0;
	bool critical = add && !strcmp(add, "number=critical");
	uint8_t *der = NULL;
	const uint8_t *at;
	char ext[ROOM][160];
	int n = exts_choose(PROFILE_ROLE_CRL, drop, critical ? NULL : add, ext), len;
	X509V3_CTX ctx;

	X509_CRL_set_version(crl, tweak == VERSION_1 ? 0 : 1);
	X509_CRL_set_issuer_name(crl, tweak == NO_ISSUER ? none : issuer);
	X509_CRL_set1_lastUpdate(crl, now);
	if (tweak != NO_NEXT_UPDATE)
		X509_CRL_set1_nextUpdate(crl, next);
	X509V3_set_ctx(&ctx, issuer_cert, NULL, NULL, crl, 0);
	for (int i = 0; i < n; i++) {
		X509_EXTENSION *one = ext_new(ext[i], &ctx);

		X509_CRL_add_ext(crl, one, -1);
		X509_EXTENSION_free(one);
	}
	if (number)
		number_add(crl, tweak, critical);
	assert_true(X509_CRL_sign(crl, signer_of(tweak), md_of(tweak)) > 0);
	len = i2d_X509_CRL(crl, &der);
	der_tweak(der, (size_t)len, tweak);
	at = der;
	back = d2i_X509_CRL(NULL, &at, len);
	assert_non_null(back);
	x509_facts_crl(back, ret);
	X509_CRL_free(back);
	X509_CRL_free(crl);
	X509_NAME_free(issuer);
	X509_NAME_free(none);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	OPENSSL_free(der);
}

int stage_setup(void **state)
{
	X509_NAME *name = name_new("Issuer", false);

	(void)state;
	ca_ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	issuer_cert = X509_new();
	X509_set_version(issuer_cert, 2);
	X509_set_subject_name(issuer_cert, name);
	X509_set_pubkey(issuer_cert, ca_ec);
	X509_add1_ext_i2d(issuer_cert, NID_subject_key_identifier,
	                  &(ASN1_OCTET_STRING){ .length = 4,
	                                        .type = V_ASN1_OCTET_STRING,
	                                        .data = (uint8_t *)"\1\2\3\4" },
	                  0, 0);
	X509_NAME_free(name);
	return ca_ec ? 0 : -1;
}

int stage_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < TWEAKS; i++)
		EVP_PKEY_free(keys[i]);
	EVP_PKEY_free(ca_ec);
	X509_free(issuer_cert);
	return 0;
}
