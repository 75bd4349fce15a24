/* SPDX-License-Identifier: Apache-2.0 */
/** @file Certificates, CRLs and keys to PEM; requests from PEM. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/internal.h"

static int bio_write(BIO *bio, bool written, struct base_writer *w)
{
	char *text = NULL;
	long len = written ? BIO_get_mem_data(bio, &text) : 0;

	if (len > 0)
		base_writer_put(w, text, (size_t)len);
	ERR_clear_error();
	BIO_free(bio);
	return len > 0 && !w->failed ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

int x509_cert_write(const X509 *cert, struct base_writer *w)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return bio_write(bio, bio && PEM_write_bio_X509(bio, (X509 *)cert) == 1, w);
}

int x509_crl_write(const X509_CRL *crl, bool pem, struct base_writer *w)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio && (pem ? PEM_write_bio_X509_CRL(bio, (X509_CRL *)crl)
	                      : i2d_X509_CRL_bio(bio, (X509_CRL *)crl)) == 1;

	return bio_write(bio, ok, w);
}

int x509_key_write(const EVP_PKEY *key, struct base_writer *w)
{
	/* memory that is wiped when it is freed */
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, (EVP_PKEY *)key, NULL, NULL, 0, NULL,
	                                               NULL) == 1;

	return bio_write(bio, ok, w);
}

int x509_request_key(EVP_PKEY **ret, const char *file, struct base_error *err)
{
	struct base_secret content = { 0 };
	int rc = x509_file_read(file, &content, err);
	X509_REQ *request = NULL;
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(content.data, (int)content.len);
	request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	key = request ? X509_REQ_get_pubkey(request) : NULL;
	base_error_place(err, file, 0, 0);
	if (!key)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "not a PEM certificate request: %s", x509_crypto_reason());
	else if (X509_REQ_verify(request, key) != 1)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "the request is not signed by its own key: %s",
		                    x509_crypto_reason());
	else
		rc = x509_key_check(key, err);
	BIO_free(bio);
	X509_REQ_free(request);
	base_secret_done(&content);
	ERR_clear_error();
	if (rc) {
		EVP_PKEY_free(key);
		return rc;
	}
	if (err)
		err->file[0] = '\0';
	*ret = key;
	return 0;
}
