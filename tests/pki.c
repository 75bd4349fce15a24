/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"

static EVP_PKEY *key_for(const struct pki_spec *spec)
{
	EVP_PKEY *key = NULL;

	if (spec->key) {
		assert_true(EVP_PKEY_up_ref((EVP_PKEY *)spec->key));
		return (EVP_PKEY *)spec->key;
	}
	if (spec->rsa_bits)
		key = EVP_RSA_gen(spec->rsa_bits);
	else
		assert_int_equal(x509_key_make(X509_KEY_EC_P256, &key), 0);
	assert_non_null(key);
	return key;
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

static void extend_all(X509 *cert, X509 *issuer, const struct pki_spec *spec)
{
	char text[300];
	const char *usage = spec->usage      ? spec->usage
	                    : spec->ca       ? "critical,keyCertSign,cRLSign"
	                    : spec->rsa_bits ? "critical,digitalSignature,keyEncipherment"
	                                     : "critical,digitalSignature";
	const char *eku = spec->eku ? spec->eku : spec->ca ? "" : "serverAuth,clientAuth";

	if (spec->ca && spec->path_len) {
		(void)snprintf(text, sizeof(text), "critical,CA:TRUE,pathlen:%d",
		               spec->path_len - 1);
		extend(cert, issuer, NID_basic_constraints, text);
	} else {
		extend(cert, issuer, NID_basic_constraints,
		       spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	}
	if (*usage)
		extend(cert, issuer, NID_key_usage, usage);
	if (*eku)
		extend(cert, issuer, NID_ext_key_usage, eku);
	extend(cert, issuer, NID_subject_key_identifier, "hash");
	extend(cert, issuer, NID_authority_key_identifier, "keyid");
	if (spec->dns) {
		(void)snprintf(text, sizeof(text), "DNS:%s", spec->dns);
		extend(cert, issuer, NID_subject_alt_name, text);
	}
	if (spec->ext_nid)
		extend(cert, issuer, spec->ext_nid, spec->ext);
}

struct pki pki_make(const struct pki_spec *spec)
{
	struct pki pki = { X509_new(), key_for(spec) };
	X509 *issuer = spec->issuer ? spec->issuer->cert : pki.cert;
	const char *cn = spec->cn ? spec->cn : "leaf";
	bool dated = spec->from_s || spec->to_s;
	unsigned long serial = spec->serial;

	assert_non_null(pki.cert);
	if (!serial)
		assert_int_equal(base_random(&serial, sizeof(serial)), 0);
	assert_true(X509_set_version(pki.cert, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set_uint64(X509_get_serialNumber(pki.cert), serial & INT64_MAX));
	assert_true(X509_NAME_add_entry_by_NID(X509_get_subject_name(pki.cert), NID_commonName,
	                                       MBSTRING_UTF8, (const unsigned char *)cn, -1, -1,
	                                       0));
	assert_true(X509_set_issuer_name(pki.cert, X509_get_subject_name(issuer)));
	assert_true(X509_set_pubkey(pki.cert, pki.key));
	assert_non_null(
	        X509_gmtime_adj(X509_getm_notBefore(pki.cert), dated ? spec->from_s : -PKI_DAY));
	assert_non_null(
	        X509_gmtime_adj(X509_getm_notAfter(pki.cert), dated ? spec->to_s : 365 * PKI_DAY));
	extend_all(pki.cert, issuer, spec);
	assert_true(X509_sign(pki.cert, spec->issuer ? spec->issuer->key : pki.key,
	                      EVP_get_digestbyname(spec->md ? spec->md : "SHA256")) > 0);
	return pki;
}

void pki_free(struct pki *pki)
{
	X509_free(pki->cert);
	EVP_PKEY_free(pki->key);
	*pki = (struct pki){ 0 };
}

struct pki pki_ca(const char *cn)
{
	return pki_make(&(struct pki_spec){ .cn = cn, .ca = true });
}

struct pki pki_leaf(const char *cn, const struct pki *issuer)
{
	return pki_make(&(struct pki_spec){ .cn = cn, .issuer = issuer, .dns = cn });
}

X509_CRL *pki_crl(const struct pki *issuer, X509 *const *revoked, long from_s, long to_s)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *to = X509_gmtime_adj(NULL, to_s);

	assert_non_null(crl);
	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_true(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert)));
	assert_true(X509_CRL_set1_lastUpdate(crl, from));
	assert_true(X509_CRL_set1_nextUpdate(crl, to));
	for (; revoked && *revoked; revoked++) {
		X509_REVOKED *entry = X509_REVOKED_new();

		assert_non_null(entry);
		assert_true(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(*revoked)));
		assert_true(X509_REVOKED_set_revocationDate(entry, from));
		assert_true(X509_CRL_add0_revoked(crl, entry));
	}
	assert_true(X509_CRL_sort(crl));
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

struct base_str pki_staple(const struct pki *by, const struct pki *issuer, X509 *about, int status,
                           long from_s, long to_s)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about, issuer->cert);
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s),
	          *to = to_s ? X509_gmtime_adj(NULL, to_s) : NULL;
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id, status, 0, from, from, to));
	assert_int_equal(OCSP_basic_sign(basic, by->cert, by->key, EVP_sha256(), NULL, 0), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return (struct base_str){ (const char *)der, (size_t)len };
}

struct base_str pki_der(X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	assert_true(len > 0);
	return (struct base_str){ (const char *)der, (size_t)len };
}

void pki_der_free(struct base_str *der)
{
	OPENSSL_free((char *)der->ptr);
	*der = (struct base_str){ 0 };
}

char *pki_path(const char *dir, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static BIO *file_new(const char *path)
{
	BIO *bio = BIO_new_file(path, "wb");

	assert_non_null(bio);
	assert_int_equal(chmod(path, 0600), 0);
	return bio;
}

char *pki_write_certs(const char *dir, const char *name, X509 *const *certs)
{
	char *path = pki_path(dir, name);
	BIO *bio = file_new(path);

	for (; *certs; certs++)
		assert_true(PEM_write_bio_X509(bio, *certs));
	BIO_free(bio);
	return path;
}

char *pki_write_key(const char *dir, const char *name, EVP_PKEY *key)
{
	char *path = pki_path(dir, name);
	BIO *bio = file_new(path);

	assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	BIO_free(bio);
	return path;
}

char *pki_write_crl(const char *dir, const char *name, X509_CRL *crl, bool pem)
{
	char *path = pki_path(dir, name);
	BIO *bio = file_new(path);

	assert_true(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl));
	BIO_free(bio);
	return path;
}

char *pki_write(const char *dir, const char *name, const void *data, size_t len)
{
	char *path = pki_path(dir, name);
	BIO *bio = file_new(path);

	assert_int_equal(BIO_write(bio, data, (int)len), (int)len);
	BIO_free(bio);
	return path;
}

char *pki_dir_new(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = pki_path(tmp ? tmp : "/tmp", "gatehouse-test-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

void pki_dir_remove(char *dir)
{
	DIR *d = opendir(dir);

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			(void)unlinkat(dirfd(d), e->d_name, 0); /* rmdir below tells */
	}
	(void)closedir(d);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
}

struct x509_identity *pki_identity(const struct pki *pki, const struct pki *const *chain)
{
	char *dir = pki_dir_new(), *certs, *key;
	X509 *all[8] = { pki->cert };
	struct x509_identity *id = NULL;

	for (size_t i = 1; chain && *chain && i < BASE_COUNT(all) - 1; i++, chain++)
		all[i] = (*chain)->cert;
	certs = pki_write_certs(dir, "cert.pem", all);
	key = pki_write_key(dir, "key.pem", pki->key);
	assert_int_equal(x509_identity_load(&id, certs, key, NULL), 0);
	free(certs);
	free(key);
	pki_dir_remove(dir);
	return id;
}
