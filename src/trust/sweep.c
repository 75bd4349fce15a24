/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions that are up are held against CRLs that came later. For each issuer the CRLs that speak
 * for it are found once in a sweep; a session is then a lookup for each certificate of its path.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "trust/internal.h"

/* The CRLs of one issuer. */
struct voice {
	struct voice *next;
	const struct trust_issuer *issuer; /* referenced */
	struct trust_cache_pair *pairs;    /* borrowed from the view */
	size_t pair_count;
	X509_CRL **files; /* borrowed from the store; deltas first */
	size_t file_count;
};

struct trust_sweep {
	struct trust_store *store;
	struct trust_cache_view *view; /* NULL = no cache */
	int64_t now_s;
	struct voice *voices; /* the one asked last is the first */
};

int trust_sweep_new(struct trust_sweep **ret, struct trust_store *store, int64_t now_s)
{
	struct trust_sweep *sweep = calloc(1, sizeof(*sweep));

	if (!sweep)
		return BASE_ERR(BASE_LOCAL, 0);
	sweep->store = trust_store_ref(store);
	sweep->view = store->cache ? trust_cache_view_get(store->cache) : NULL;
	sweep->now_s = now_s ? now_s : (int64_t)time(NULL);
	*ret = sweep;
	return 0;
}

static void voice_free(struct voice *voice)
{
	if (!voice)
		return;
	trust_issuer_unref((struct trust_issuer *)voice->issuer);
	free(voice->pairs);
	free(voice->files);
	free(voice);
}

void trust_sweep_free(struct trust_sweep *sweep)
{
	if (!sweep)
		return;
	while (sweep->voices) {
		struct voice *next = sweep->voices->next;

		voice_free(sweep->voices);
		sweep->voices = next;
	}
	trust_cache_view_unref(sweep->view);
	trust_store_unref(sweep->store);
	free(sweep);
}

/* ---- who speaks for an issuer ---- */

static bool cached_speaks(const struct trust_sweep *sweep, const struct trust_issuer *issuer,
                          struct x509_crl_index *index)
{
	const struct x509_crl_info *info = x509_crl_index_info(index);

	return (info->flags & X509_CRL_VERIFIED) && !(info->flags & X509_CRL_INDIRECT) &&
	       !memcmp(info->signer, issuer->spki, sizeof(issuer->spki)) &&
	       sweep->now_s < info->next_update_s;
}

/* Whatever the scope: one that lists a certificate has it in its scope. */
static bool cached_find(const struct trust_sweep *sweep, struct voice *voice)
{
	struct base_str name = { (const char *)voice->issuer->name, voice->issuer->name_len };
	struct trust_cache_pair pair;
	size_t at = 0, room = 0;

	while (sweep->view && trust_cache_view_next(sweep->view, name, &at, &pair)) {
		if (!cached_speaks(sweep, voice->issuer, pair.complete))
			continue;
		if (pair.delta && !cached_speaks(sweep, voice->issuer, pair.delta))
			pair.delta = NULL;
		if (voice->pair_count == room) {
			struct trust_cache_pair *more;

			room = room ? 2 * room : 4;
			more = realloc(voice->pairs, room * sizeof(*more));
			if (!more)
				return false;
			voice->pairs = more;
		}
		voice->pairs[voice->pair_count++] = pair;
	}
	return true;
}

static X509 *known_find(const struct trust_store *store, const struct trust_issuer *issuer)
{
	for (size_t i = 0; i < store->issuer_count; i++) {
		const struct trust_issuer *one = store->issuers[i].issuer;

		if (one == issuer || !memcmp(one->spki, issuer->spki, sizeof(one->spki)))
			return store->issuers[i].cert;
	}
	return NULL;
}

/* Signatures of plain ones were checked at load. */
static bool file_signed(const struct trust_store *store, X509_CRL *crl, EVP_PKEY *key)
{
	for (size_t i = 0; i < store->plain_count; i++)
		if (store->plain[i].crl == crl)
			return EVP_PKEY_eq(X509_get0_pubkey(store->plain[i].issuer), key) == 1;
	return X509_CRL_verify(crl, key) == 1;
}

static bool file_indirect(X509_CRL *crl)
{
	ISSUING_DIST_POINT *idp =
	        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	bool indirect = idp && idp->indirectCRL > 0;

	ISSUING_DIST_POINT_free(idp);
	return indirect;
}

static bool file_speaks(const struct trust_sweep *sweep, X509_CRL *crl, const X509_NAME *name,
                        X509 *signer)
{
	const ASN1_TIME *to = X509_CRL_get0_nextUpdate(crl);
	time_t now = (time_t)sweep->now_s;

	return !X509_NAME_cmp(X509_CRL_get_issuer(crl), name) && to &&
	       X509_cmp_time(to, &now) > 0 && !file_indirect(crl) &&
	       file_signed(sweep->store, crl, X509_get0_pubkey(signer));
}

static bool is_delta(X509_CRL *crl)
{
	return X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
}

static bool files_find(const struct trust_sweep *sweep, struct voice *voice)
{
	STACK_OF(X509_CRL) *crls = sweep->store->crls;
	X509 *signer = known_find(sweep->store, voice->issuer);
	int count = sk_X509_CRL_num(crls);

	if (count <= 0 || !signer)
		return true;
	voice->files = calloc((size_t)count, sizeof(X509_CRL *));
	if (!voice->files)
		return false;
	for (int delta = 1; delta >= 0; delta--)
		for (int i = 0; i < count; i++) {
			X509_CRL *crl = sk_X509_CRL_value(crls, i);

			if (is_delta(crl) == (delta == 1) &&
			    file_speaks(sweep, crl, X509_get_subject_name(signer), signer))
				voice->files[voice->file_count++] = crl;
		}
	ERR_clear_error();
	return true;
}

static bool same_issuer(const struct trust_issuer *a, const struct trust_issuer *b)
{
	return a == b || (!memcmp(a->spki, b->spki, sizeof(a->spki)) &&
	                  a->name_len == b->name_len && !memcmp(a->name, b->name, a->name_len));
}

static struct voice *voice_get(struct trust_sweep *sweep, struct trust_issuer *issuer)
{
	struct voice **at = &sweep->voices, *voice;

	while ((voice = *at) && !same_issuer(voice->issuer, issuer))
		at = &voice->next;
	if (voice) {
		*at = voice->next;
	} else {
		voice = calloc(1, sizeof(*voice));
		if (!voice)
			return NULL;
		voice->issuer = trust_issuer_ref(issuer);
		if (!cached_find(sweep, voice) || !files_find(sweep, voice)) {
			voice_free(voice);
			return NULL;
		}
	}
	voice->next = sweep->voices;
	sweep->voices = voice;
	return voice;
}

/* ---- what they say ---- */

static void tell(struct trust_condemned *ret, int depth, const struct base_str *serial,
                 const char *reason, const char *which, const struct trust_issuer *issuer)
{
	const unsigned char *at = issuer->name;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)issuer->name_len);
	char number[2 * 20 + 1] = "", text[100] = "?";

	for (size_t i = 0; i < BASE_MIN(serial->len, sizeof(number) / 2); i++)
		(void)snprintf(number + 2 * i, 3, "%02X", (uint8_t)serial->ptr[i]);
	if (name)
		(void)x509_name_format(name, text, sizeof(text));
	X509_NAME_free(name);
	ret->depth = depth;
	(void)snprintf(ret->text, sizeof(ret->text), "%s %s revoked%s%s by the %s of %s",
	               depth ? "the CA certificate above it, serial" : "its certificate, serial",
	               number, *reason ? " for " : "", reason, which, text);
}

static bool cached_condemns(const struct voice *voice, struct base_str serial, const char **reason)
{
	struct base_str name = { (const char *)voice->issuer->name, voice->issuer->name_len };

	for (size_t i = 0; i < voice->pair_count; i++) {
		struct x509_crl_entry entry = { 0 };

		if (trust_cache_pair_find_serial(&voice->pairs[i], name, serial, &entry) !=
		    X509_CRL_REVOKED)
			continue;
		*reason = entry.reason ? x509_crl_reason_name(entry.reason) : "";
		return true;
	}
	return false;
}

/* Deltas come first: what one takes back no complete CRL says any more (RFC 5280, 5.2.4). */
static bool files_condemn(const struct voice *voice, struct base_str serial, const char **reason)
{
	/* positive, as RFC 5280, 4.1.2.2 has it: a leading zero is DER's */
	size_t zero = serial.len > 1 && !serial.ptr[0];
	unsigned char octets[TRUST_SERIAL_MAX];
	ASN1_INTEGER number = { .length = (int)(serial.len - zero),
		                .type = V_ASN1_INTEGER,
		                .data = octets };
	bool listed = false;

	memcpy(octets, serial.ptr + zero, serial.len - zero);
	for (size_t i = 0; !listed && i < voice->file_count; i++) {
		X509_REVOKED *entry = NULL;
		int found = X509_CRL_get0_by_serial(voice->files[i], &entry, &number);

		if (found == 2)
			return false;
		listed = found == 1;
		if (listed)
			*reason = trust_revoked_reason(entry);
	}
	return listed;
}

bool trust_sweep_condemns(struct trust_sweep *sweep, const struct trust_standing *standing,
                          struct trust_condemned *ret)
{
	const char *at = (const char *)&standing->link[standing->count], *reason = "";

	for (unsigned i = 0; i < standing->count; i++) {
		const struct trust_link *link = &standing->link[i];
		struct base_str serial = { at, link->len };
		struct voice *voice = link->len ? voice_get(sweep, link->issuer) : NULL;
		bool cached = voice && cached_condemns(voice, serial, &reason);

		at += link->len;
		if (!cached && !(voice && files_condemn(voice, serial, &reason)))
			continue;
		tell(ret, (int)i, &serial, reason, cached ? "cached CRL" : "CRL", link->issuer);
		return true;
	}
	return false;
}
