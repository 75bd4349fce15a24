/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <sys/stat.h>

#include "x509/internal.h"

/* The public part comes first, so that a pointer to one is a pointer to the other. */
struct identity {
	struct x509_identity pub;
	struct base_str *der;
	atomic_uint refs;
};

static void identity_free(struct identity *id)
{
	for (size_t i = 0; id->der && i < id->pub.der_count; i++)
		OPENSSL_free((char *)id->der[i].ptr); /* ours; const only to readers */
	free(id->der);
	X509_free(id->pub.cert);
	sk_X509_pop_free(id->pub.chain, X509_free);
	EVP_PKEY_free(id->pub.key); /* libcrypto wipes it */
	free(id);
}

struct x509_identity *x509_identity_ref(struct x509_identity *id)
{
	atomic_fetch_add_explicit(&((struct identity *)id)->refs, 1, memory_order_relaxed);
	return id;
}

void x509_identity_unref(struct x509_identity *id)
{
	struct identity *own = (struct identity *)id;

	if (own && atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) == 1)
		identity_free(own);
}

static int der_of(X509 *cert, struct base_str *ret)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = (struct base_str){ (const char *)der, (size_t)len };
	return 0;
}

static int identity_encode(struct identity *id)
{
	size_t count = 1 + (size_t)sk_X509_num(id->pub.chain);
	int rc = 0;

	id->der = calloc(count, sizeof(*id->der));
	if (!id->der)
		return BASE_ERR(BASE_LOCAL, 0);
	id->pub.der = id->der;
	id->pub.der_count = count;
	for (size_t i = 0; !rc && i < count; i++)
		rc = der_of(i ? sk_X509_value(id->pub.chain, (int)i - 1) : id->pub.cert,
		            &id->der[i]);
	return rc;
}

int x509_identity_wrap(struct x509_identity **ret, X509 *cert, STACK_OF(X509) * chain,
                       EVP_PKEY *key, struct base_error *err)
{
	struct identity *id = calloc(1, sizeof(*id));
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (!id) {
		X509_free(cert);
		sk_X509_pop_free(chain, X509_free);
		EVP_PKEY_free(key);
		return rc;
	}
	atomic_init(&id->refs, 1);
	id->pub = (struct x509_identity){ .cert = cert,
		                          .chain = chain ? chain : sk_X509_new_null(),
		                          .key = key };
	if (!id->pub.chain || !cert || !key)
		goto out;
	if (X509_check_private_key(cert, key) != 1) {
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "the private key does not belong to the certificate: %s",
		                    x509_crypto_reason());
		goto out;
	}
	rc = identity_encode(id);
	if (rc)
		goto out;
	*ret = &id->pub;
	id = NULL;
out:
	if (id)
		identity_free(id);
	return rc;
}

int x509_identity_load_asking(struct x509_identity **ret, const char *cert_file,
                              const char *key_name, x509_pin_ask *ask, void *arg,
                              struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	EVP_PKEY *key = NULL;
	X509 *cert;
	int rc;

	if (!certs)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = x509_certs_load(cert_file, certs, err);
	if (!rc)
		rc = x509_key_load(&key, key_name, ask, arg, err);
	if (rc) {
		sk_X509_pop_free(certs, X509_free);
		return rc;
	}
	cert = sk_X509_shift(certs);
	base_error_place(err, key_name, 0, 0);
	return x509_identity_wrap(ret, cert, certs, key, err);
}

int x509_identity_load(struct x509_identity **ret, const char *cert_file, const char *key,
                       struct base_error *err)
{
	return x509_identity_load_asking(ret, cert_file, key, NULL, NULL, err);
}

bool x509_key_file_check(const char *key_file, char *buf, size_t cap)
{
	struct stat st;

	if (stat(key_file, &st) < 0 || !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return false;
	(void)snprintf(buf, cap,
	               "%s holds a private key and is open to %s (mode %04o); chmod 600 it",
	               key_file, st.st_mode & S_IRWXO ? "everybody" : "its group",
	               (unsigned)st.st_mode & 07777U);
	return true;
}
