/* SPDX-License-Identifier: Apache-2.0 */
/** @file The laboratory's certificates: one CA and those it signs, by libcrypto alone. */
#include "pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "check.h"

static void extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *certificate(const char *name, long serial, EVP_PKEY *key, long from_s, long until_s)
{
	X509 *cert = X509_new();
	X509_NAME *subject;

	assert_non_null(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), until_s);
	X509_set_pubkey(cert, key);
	subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
	                           0);
	return cert;
}

static void save(const char *dir, const char *name, X509 *cert, EVP_PKEY *key, char *path)
{
	FILE *file;

	(void)snprintf(path, PKI_PATH, "%s/%s.pem", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(file);
}

void pki_ca_make(struct pki_ca *ca, const char *dir)
{
	pki_ca_make_as(ca, dir, "Laboratory CA", false);
}

void pki_ca_make_as(struct pki_ca *ca, const char *dir, const char *name, bool rsa)
{
	char path[PKI_PATH];

	ca->key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	assert_non_null(ca->key);
	ca->cert = certificate(name, 1, ca->key, -86400, 86400);
	X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert));
	extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(ca->cert, ca->key, EVP_sha256()) > 0);
	save(dir, "ca", ca->cert, ca->key, path);
}

void pki_ca_done(struct pki_ca *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

struct x509_identity *pki_issue(const struct pki_ca *ca, const char *dir, const char *name,
                                bool rsa, long from_s, long until_s, bool sha1)
{
	static long serial = 100;
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509 *cert = certificate(name, ++serial, key, from_s, until_s);
	struct x509_identity *identity;
	char path[PKI_PATH], san[128];
	struct base_error err = { 0 };

	(void)snprintf(san, sizeof(san), "DNS:%s", name);
	X509_set_issuer_name(cert, X509_get_subject_name(ca->cert));
	extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature,keyEncipherment");
	extension(cert, ca->cert, NID_ext_key_usage, "serverAuth,clientAuth");
	extension(cert, ca->cert, NID_subject_alt_name, san);
	extension(cert, ca->cert, NID_authority_key_identifier, "keyid");
	assert_true(X509_sign(cert, ca->key, sha1 ? EVP_sha1() : EVP_sha256()) > 0);
	save(dir, "identity", cert, key, path);
	if (x509_identity_load(&identity, path, path, &err))
		fail_msg("%s", err.text);
	(void)remove(path);
	X509_free(cert);
	EVP_PKEY_free(key);
	return identity;
}
