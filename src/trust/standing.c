/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

/* ---- issuers ---- */

struct trust_issuer *trust_issuer_ref(struct trust_issuer *issuer)
{
	atomic_fetch_add_explicit(&issuer->refs, 1, memory_order_relaxed);
	return issuer;
}

void trust_issuer_unref(struct trust_issuer *issuer)
{
	if (issuer && atomic_fetch_sub_explicit(&issuer->refs, 1, memory_order_acq_rel) == 1)
		free(issuer);
}

/* NULL also for one whose key or name cannot be read: nothing can be said of what it issued. */
static struct trust_issuer *issuer_new(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	struct trust_issuer *issuer;
	const unsigned char *name;
	size_t len;

	if (!key || X509_NAME_get0_der(X509_get_subject_name(cert), &name, &len) != 1)
		return NULL;
	issuer = malloc(sizeof(*issuer) + len);
	if (!issuer)
		return NULL;
	atomic_init(&issuer->refs, 1);
	issuer->name_len = len;
	memcpy(issuer->name, name, len);
	if (x509_key_sha256(key, issuer->spki)) {
		free(issuer);
		return NULL;
	}
	return issuer;
}

/* All that the configuration has, so that sessions share them. */
int trust_issuers_make(struct trust_store *store)
{
	STACK_OF(X509) * all[] = { store->own, store->anchors, store->untrusted };
	size_t room = 0;

	for (size_t i = 0; i < BASE_COUNT(all); i++)
		room += (size_t)sk_X509_num(all[i]);
	store->issuers = calloc(room + 1, sizeof(*store->issuers));
	if (!store->issuers)
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		for (int j = 0; j < sk_X509_num(all[i]); j++) {
			X509 *cert = sk_X509_value(all[i], j);
			struct trust_issuer *issuer = issuer_new(cert);

			if (issuer)
				store->issuers[store->issuer_count++] =
				        (struct trust_known){ cert, issuer };
		}
	ERR_clear_error();
	return 0;
}

void trust_issuers_free(struct trust_store *store)
{
	for (size_t i = 0; i < store->issuer_count; i++)
		trust_issuer_unref(store->issuers[i].issuer);
	free(store->issuers);
}

static struct trust_issuer *issuer_of(const struct trust_store *store, X509 *cert)
{
	for (size_t i = 0; store && i < store->issuer_count; i++)
		if (store->issuers[i].cert == cert)
			return trust_issuer_ref(store->issuers[i].issuer);
	return issuer_new(cert); /* only the peer knows it */
}

/* ---- standings ---- */

/* Content octets of the serial number: at `to`, or only their length. 0 = not to be looked up. */
static size_t serial_take(X509 *cert, uint8_t *to)
{
	unsigned char der[TRUST_SERIAL_MAX + 2], *end = der;
	int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), NULL);

	if (len < 3 || (size_t)len > sizeof(der))
		return 0;
	if (to && i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &end) == len)
		memcpy(to, der + 2, (size_t)len - 2);
	return (size_t)len - 2;
}

struct trust_standing *trust_standing_new(const struct trust_store *store, STACK_OF(X509) * chain)
{
	int count = sk_X509_num(chain);
	struct trust_standing *standing;
	size_t room = 0, at = 0;

	for (int i = 0; i < count; i++)
		room += serial_take(sk_X509_value(chain, i), NULL);
	if (count < 2)
		return NULL; /* nobody issued it */
	standing = calloc(1, sizeof(*standing) + (size_t)count * sizeof(standing->link[0]) + room);
	if (!standing)
		return NULL;
	atomic_init(&standing->refs, 1);
	standing->count = (uint8_t)count;
	for (int i = 0; i < count; i++) {
		X509 *cert = sk_X509_value(chain, i);
		struct trust_link *link = &standing->link[i];

		/* the last one's own CRL may list it */
		link->issuer = issuer_of(store, sk_X509_value(chain, BASE_MIN(i + 1, count - 1)));
		link->len = (uint8_t)serial_take(cert, (uint8_t *)&standing->link[count] + at);
		at += link->len;
		if (!link->issuer) {
			trust_standing_unref(standing);
			ERR_clear_error();
			return NULL;
		}
	}
	ERR_clear_error();
	return standing;
}

struct trust_standing *trust_standing_ref(struct trust_standing *standing)
{
	atomic_fetch_add_explicit(&standing->refs, 1, memory_order_relaxed);
	return standing;
}

void trust_standing_unref(struct trust_standing *standing)
{
	if (!standing || atomic_fetch_sub_explicit(&standing->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < standing->count; i++)
		trust_issuer_unref(standing->link[i].issuer);
	free(standing);
}
