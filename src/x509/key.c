/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private keys from PEM files; those in tokens are token.c's. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "x509/internal.h"
#include "x509/token.h"

bool x509_key_is_uri(const char *name)
{
	/* RFC 3986, 3.1: a scheme is compared without regard to case */
	return base_str_ieq((struct base_str){ name, strnlen(name, 7) }, base_str_of("pkcs11:"));
}

/* Without this, libcrypto would ask on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static int file_load(const char *file, EVP_PKEY **ret, struct base_error *err)
{
	struct base_secret content = { 0 };
	bool encrypted = false;
	BIO *bio = NULL;
	int rc = x509_file_read(file, &content, err);

	if (rc)
		return rc;
	ERR_clear_error();
	bio = BIO_new_mem_buf(content.data, (int)content.len);
	*ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted) : NULL;
	if (!*ret) {
		base_error_place(err, file, 0, 0);
		if (encrypted)
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "the private key is encrypted; store it in the clear "
			                    "with tight file permissions");
		else if (!memmem(content.data, content.len, "PRIVATE KEY-----", 16))
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "there is no PEM private key in the file");
		else
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "the private key cannot be read: %s",
			                    x509_crypto_reason());
		ERR_clear_error();
	}
	BIO_free(bio);
	base_secret_done(&content);
	return rc;
}

int x509_key_load(EVP_PKEY **ret, const char *name, x509_pin_ask *ask, void *arg,
                  struct base_error *err)
{
	return x509_key_is_uri(name) ? x509_token_key(ret, name, NULL, ask, arg, err)
	                             : file_load(name, ret, err);
}

int x509_key_make_in_token(EVP_PKEY **ret, enum x509_key_kind kind, const char *uri,
                           x509_pin_ask *ask, void *arg, struct base_error *err)
{
	return x509_token_key(ret, uri, &kind, ask, arg, err);
}
