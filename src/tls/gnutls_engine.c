/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The GnuTLS engine: one set of credentials and priorities per worker and domain, so that a session
 * parses no priority string and builds no credentials.
 */
#include <stdlib.h>

#include "tls/gnutls_engine.h"

static int refused(struct tls_context *context, struct base_error *err, const char *what, int rc)
{
	return base_error_set(err,
	                      BASE_ERR(rc == GNUTLS_E_MEMORY_ERROR ? BASE_LOCAL : BASE_CONFIG, 0),
	                      "TLS domain %s: GnuTLS refuses %s: %s", context->domain->name, what,
	                      gnutls_strerror(rc));
}

/** A named group of RFC 7919 for clients that name none, at least of the profile's size. */
static int set_dh(struct tls_gnutls_context *gc)
{
	uint32_t least = gc->context->domain->settings->dh_bits_min.value;
	const gnutls_datum_t *prime = &gnutls_ffdhe_2048_group_prime;
	const gnutls_datum_t *generator = &gnutls_ffdhe_2048_group_generator;
	unsigned key_bits = gnutls_ffdhe_2048_key_bits;
	int rc = gnutls_dh_params_init(&gc->dh);

	if (rc < 0)
		return rc;
	if (least > 3072) {
		prime = &gnutls_ffdhe_4096_group_prime;
		generator = &gnutls_ffdhe_4096_group_generator;
		key_bits = gnutls_ffdhe_4096_key_bits;
	} else if (least > 2048) {
		prime = &gnutls_ffdhe_3072_group_prime;
		generator = &gnutls_ffdhe_3072_group_generator;
		key_bits = gnutls_ffdhe_3072_key_bits;
	}
	return gnutls_dh_params_import_raw2(gc->dh, prime, generator, key_bits);
}

/**
 * The authorities whose certificates we take (RFC 5246, 7.4.4); none where a fingerprint may do,
 * for then any certificate is acceptable. GnuTLS only sends their names.
 */
static int set_authorities(struct tls_gnutls_key *own)
{
	const struct tls_domain *domain = own->gc->context->domain;
	const STACK_OF(X509) *anchors = trust_store_anchors(domain->trust);

	if (domain->client_methods & TRUST_FINGERPRINT ||
	    domain->client_auth == TLS_CLIENT_AUTH_NONE)
		return 0;
	for (int i = 0; i < sk_X509_num(anchors); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(anchors, i), &der), rc;
		gnutls_datum_t datum = { der, len > 0 ? (unsigned)len : 0 };

		if (len <= 0)
			return GNUTLS_E_MEMORY_ERROR;
		rc = gnutls_certificate_set_x509_trust_mem(own->cred, &datum, GNUTLS_X509_FMT_DER);
		OPENSSL_free(der);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int set_psk(struct tls_gnutls_context *gc)
{
	const struct tls_domain *domain = gc->context->domain;
	int rc = gnutls_psk_allocate_server_credentials(&gc->psk_server);

	if (rc >= 0)
		rc = gnutls_psk_allocate_client_credentials(&gc->psk_client);
	if (rc < 0)
		return rc;
	gnutls_psk_set_server_credentials_function2(gc->psk_server, tls_gnutls_psk_server);
	gnutls_psk_set_client_credentials_function2(gc->psk_client, tls_gnutls_psk_client);
	if (domain->psk_hint)
		rc = gnutls_psk_set_server_credentials_hint(gc->psk_server, domain->psk_hint);
	gnutls_psk_set_server_dh_params(gc->psk_server, gc->dh);
	return rc;
}

static int credentials_new(struct tls_gnutls_context *gc, struct tls_gnutls_key *own)
{
	int rc = gnutls_certificate_allocate_credentials(&own->cred);

	own->gc = gc;
	own->pk = GNUTLS_PK_UNKNOWN;
	if (rc < 0)
		return rc;
	gnutls_certificate_set_verify_function(own->cred, tls_gnutls_verify);
	/* The loader has seen that key and certificate belong together. */
	gnutls_certificate_set_flags(own->cred,
	                             GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH |
	                                     GNUTLS_CERTIFICATE_SKIP_OCSP_RESPONSE_CHECK);
	gnutls_certificate_set_dh_params(own->cred, gc->dh);
	return set_authorities(own);
}

static void credentials_free(struct tls_gnutls_key *own)
{
	if (own->cred)
		gnutls_certificate_free_credentials(own->cred);
	EVP_PKEY_CTX_free(own->sign);
	x509_identity_unref(own->identity);
}

/** Give the chain and a key that asks libcrypto; on success the credentials own both. */
static int identity_set(struct tls_gnutls_key *own, gnutls_pcert_st *chain, unsigned count)
{
	gnutls_privkey_t key = NULL;
	int rc = tls_gnutls_key_new(own, &key);

	if (rc >= 0)
		rc = gnutls_certificate_set_key(own->cred, NULL, 0, chain, (int)count, key);
	if (rc < 0 && key)
		gnutls_privkey_deinit(key);
	return rc;
}

/** A client has asked. GnuTLS frees what it is given. */
static int on_staple(gnutls_session_t tls, void *ptr, gnutls_datum_t *ret)
{
	const struct tls_gnutls_key *own = ptr;
	struct base_str der =
	        tls_staple_find(own->gc->context->domain, own->identity->cert, (int64_t)time(NULL));

	(void)tls;
	ret->data = der.len ? gnutls_malloc(der.len) : NULL;
	ret->size = ret->data ? (unsigned)der.len : 0;
	if (!ret->data)
		return GNUTLS_E_NO_CERTIFICATE_STATUS;
	memcpy(ret->data, der.ptr, der.len);
	return 0;
}

static int credentials_identity(struct tls_gnutls_key *own, struct x509_identity *identity)
{
	gnutls_pcert_st *chain = calloc(identity->der_count, sizeof(*chain));
	unsigned count = 0;
	int rc = 0;

	if (!chain)
		return GNUTLS_E_MEMORY_ERROR;
	own->identity = x509_identity_ref(identity);
	own->pk = tls_gnutls_pk(identity->key);
	if (own->pk == GNUTLS_PK_UNKNOWN)
		rc = GNUTLS_E_UNKNOWN_PK_ALGORITHM;
	for (; rc >= 0 && count < identity->der_count; count++) {
		gnutls_datum_t der = { (unsigned char *)identity->der[count].ptr,
			               (unsigned)identity->der[count].len };

		rc = gnutls_pcert_import_x509_raw(&chain[count], &der, GNUTLS_X509_FMT_DER, 0);
		if (rc < 0)
			break;
	}
	if (rc >= 0)
		rc = identity_set(own, chain, count);
	if (rc < 0)
		while (count)
			gnutls_pcert_deinit(&chain[--count]);
	free(chain);
	if (rc >= 0 && tls_staple_find(own->gc->context->domain, identity->cert, 0).len)
		rc = gnutls_certificate_set_ocsp_status_request_function2(own->cred, 0, on_staple,
		                                                          own);
	return rc;
}

/** The domain's certificates beside its identity, which comes by context_identity(). */
static int set_more(struct tls_gnutls_context *gc)
{
	const struct tls_domain *domain = gc->context->domain;
	int rc = 0;

	if (domain->certificate_count < 2)
		return 0;
	gc->more = calloc(domain->certificate_count - 1, sizeof(*gc->more));
	if (!gc->more)
		return GNUTLS_E_MEMORY_ERROR;
	for (size_t i = 1; i < domain->certificate_count && rc >= 0; i++) {
		rc = credentials_new(gc, &gc->more[i - 1]);
		if (rc >= 0)
			rc = credentials_identity(&gc->more[i - 1],
			                          domain->certificates[i].identity);
	}
	return rc;
}

static int context_new(struct tls_context *context, struct base_error *err)
{
	struct tls_gnutls_context *gc = calloc(1, sizeof(*gc));
	int rc;

	if (!gc)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for GnuTLS");
	gc->context = context;
	context->engine = gc;
	gc->one = calloc(context->domain->suite_count, sizeof(*gc->one));
	if (!gc->one)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for GnuTLS");
	rc = tls_gnutls_priority_all(context->domain, &gc->all);
	if (rc < 0)
		return refused(context, err, "the versions, suites or groups", rc);
	rc = set_dh(gc);
	if (rc < 0)
		return refused(context, err, "the Diffie-Hellman group", rc);
	rc = credentials_new(gc, &gc->own);
	if (rc < 0)
		return refused(context, err, "the trust anchors", rc);
	rc = set_more(gc);
	if (rc < 0)
		return refused(context, err, "a further certificate", rc);
	rc = set_psk(gc);
	return rc < 0 ? refused(context, err, "the PSK settings", rc) : 0;
}

static void context_free(struct tls_context *context)
{
	struct tls_gnutls_context *gc = context->engine;

	if (!gc)
		return;
	for (size_t i = 0; gc->one && i < context->domain->suite_count; i++)
		for (int finite = 0; finite < 2; finite++)
			if (gc->one[i][finite])
				gnutls_priority_deinit(gc->one[i][finite]);
	free(gc->one);
	if (gc->all)
		gnutls_priority_deinit(gc->all);
	if (gc->bare)
		gnutls_priority_deinit(gc->bare);
	credentials_free(&gc->own);
	for (size_t i = 0; gc->more && i + 1 < context->domain->certificate_count; i++)
		credentials_free(&gc->more[i]);
	free(gc->more);
	if (gc->psk_server)
		gnutls_psk_free_server_credentials(gc->psk_server);
	if (gc->psk_client)
		gnutls_psk_free_client_credentials(gc->psk_client);
	if (gc->dh)
		gnutls_dh_params_deinit(gc->dh);
	free(gc);
	context->engine = NULL;
}

static int context_identity(struct tls_context *context, struct x509_identity *identity,
                            struct base_error *err)
{
	struct tls_gnutls_context *gc = context->engine;
	int rc = credentials_identity(&gc->own, identity);

	return rc < 0 ? refused(context, err, "the certificate", rc) : 0;
}

const struct tls_engine_ops *tls_gnutls_ops(void)
{
	static const uint16_t srtp[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AES128_CM_SHA1_32 };
	static const struct tls_engine_ops ops = {
		.engine = TLS_ENGINE_GNUTLS,
		.caps = &tls_gnutls_caps,
		.cost_ecdsa = 207,
		.cost_rsa = 482,
		.offers_more = tls_gnutls_offers_more,
		.context_new = context_new,
		.context_free = context_free,
		.context_identity = context_identity,
		.session_new = tls_gnutls_session_new,
		.session_free = tls_gnutls_session_free,
		.offer = tls_gnutls_offer,
		.handshake = tls_gnutls_handshake,
		.read = tls_gnutls_read,
		.write = tls_gnutls_write,
		.close = tls_gnutls_close,
		.again = tls_gnutls_restart,
		.abort = tls_gnutls_abort,
		.id = tls_gnutls_id,
		.extract = tls_gnutls_extract,
		.repeat = tls_gnutls_repeat,
		.set_mtu = tls_gnutls_set_mtu,
		.room = tls_gnutls_room,
		.srtp = tls_gnutls_srtp,
		.srtp_profiles = { srtp, BASE_COUNT(srtp) },
	};

	return &ops;
}
