/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* The newest that was seen under a name, so that a file that was lost opens no way back. */
struct mark {
	struct base_map_node node;
	char name[TRUST_CACHE_NAME_MAX];
	int64_t this_update_s;
	uint8_t number[32];
	size_t number_len;
};

struct fetch_store {
	const char *folder;
	int lock; /* the folder itself, locked: one process writes */
	struct fetch_issuers issuers;
	struct base_map marks;
	struct fetch_seen seen;
};

/* ---- open, close ---- */

static int folder_refuse(const char *folder, int failed, const char *why, struct base_error *err)
{
	base_error_place(err, folder, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, failed), "the cache folder: %s", why);
}

static int folder_lock(struct fetch_store *store, struct base_error *err)
{
	store->lock = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->lock < 0)
		return folder_refuse(store->folder, errno, strerror(errno), err);
	if (flock(store->lock, LOCK_EX | LOCK_NB) < 0)
		return folder_refuse(store->folder, errno,
		                     errno == EWOULDBLOCK ? "another gatehouse-fetch writes to it"
		                                          : strerror(errno),
		                     err);
	if (access(store->folder, W_OK | X_OK) < 0)
		return folder_refuse(store->folder, errno, strerror(errno), err);
	return 0;
}

int fetch_store_open(struct fetch_store **ret, const struct fetch_issuer_files *files,
                     struct base_error *err)
{
	struct fetch_store *store = calloc(1, sizeof(*store));
	int rc;

	if (!store)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	store->folder = files->cache;
	rc = folder_lock(store, err);
	if (!rc)
		rc = base_random(store->marks.seed, sizeof(store->marks.seed));
	if (!rc)
		rc = fetch_issuers_load(&store->issuers, files, err);
	if (rc)
		goto out;
	trust_cache_tidy(store->folder);
	*ret = store;
	store = NULL;
out:
	fetch_store_close(store);
	return rc;
}

void fetch_store_close(struct fetch_store *store)
{
	struct base_map_node *node;

	if (!store)
		return;
	while ((node = base_map_next(&store->marks, NULL))) {
		base_map_remove(&store->marks, node);
		free(BASE_CONTAINER_OF(node, struct mark, node));
	}
	base_map_done(&store->marks);
	fetch_issuers_done(&store->issuers);
	fetch_seen_done(&store->seen);
	if (store->lock >= 0)
		(void)close(store->lock); /* only locked */
	free(store);
}

/* ---- reading ---- */

static int refuse(struct base_error *err, const char *why)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s", why);
}

/* The one CRL of a PEM text, as DER. OPENSSL_free. */
static int pem_open(const struct fetch_crl_order *order, unsigned char **ret, long *ret_len,
                    struct base_error *err)
{
	BIO *bio = order->len <= INT_MAX ? BIO_new_mem_buf(order->data, (int)order->len) : NULL;
	char *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	unsigned found = 0;
	long len;

	while (bio && PEM_read_bio(bio, &label, &header, &der, &len)) {
		if (!strcmp(label, PEM_STRING_X509_CRL) && ++found == 1) {
			*ret = der;
			*ret_len = len;
			der = NULL;
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (found == 1)
		return 0;
	if (found)
		OPENSSL_free(*ret);
	return refuse(err, found ? "more than one CRL in the response" : "no whole CRL in the PEM");
}

static X509_NAME *name_of(struct base_str der)
{
	const unsigned char *at = (const unsigned char *)der.ptr;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);

	ERR_clear_error();
	return name;
}

/* The index, made with the key of one of the issuers of that name. */
static int by_issuers(const struct fetch_issuers *issuers, const X509_NAME *name, const void *der,
                      size_t len, struct x509_crl_index **ret, struct base_error *err)
{
	char text[128];
	X509 *cert;
	int at = 0, rc = 0, tried = 0;

	while ((cert = fetch_issuers_next(issuers, name, &at))) {
		rc = x509_crl_index_make(ret, der, len, X509_get0_pubkey(cert), err);
		tried++;
		if (!rc || base_err_class(rc) == BASE_LOCAL)
			return rc;
	}
	if (tried)
		return rc;
	return base_error_set(err, BASE_ERR(BASE_PEER, ENOENT),
	                      "no issuer of the configuration is named %s (issuers, cross)",
	                      x509_name_format(name, text, sizeof(text)));
}

static int by_file(const char *file, const X509_NAME *name, const void *der, size_t len,
                   struct x509_crl_index **ret, struct base_error *err)
{
	struct fetch_issuers one = { .all = sk_X509_new_null() };
	int rc = one.all ? x509_certs_load(file, one.all, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = by_issuers(&one, name, der, len, ret, err);
	fetch_issuers_done(&one);
	return rc;
}

/* Step into (or past) a DER element of that tag. */
static bool element(const unsigned char **at, const unsigned char *end, int tag, bool into)
{
	const unsigned char *p = *at;
	int got, class;
	long len;

	if (end - p <= 0 || ASN1_get_object(&p, &len, &got, &class, end - p) & 0x80 || got != tag ||
	    class != V_ASN1_UNIVERSAL)
		return false;
	*at = into ? p : p + len;
	return true;
}

/* CertificateList { tbsCertList { version, signature, issuer ... (RFC 5280, 5.1): only to know
 * whose keys to try; the whole is read and judged with the key. */
static X509_NAME *issuer_of(const unsigned char *at, size_t len)
{
	const unsigned char *end = at + len;
	X509_NAME *name = NULL;
	bool inside = element(&at, end, V_ASN1_SEQUENCE, true);

	inside = inside && element(&at, end, V_ASN1_SEQUENCE, true);
	(void)element(&at, end, V_ASN1_INTEGER, false); /* OPTIONAL */
	if (inside && element(&at, end, V_ASN1_SEQUENCE, false) && end - at > 0)
		name = d2i_X509_NAME(NULL, &at, end - at);
	ERR_clear_error();
	return name;
}

static int index_make(const struct fetch_store *store, const struct fetch_crl_order *order,
                      const void *der, size_t len, struct x509_crl_index **ret,
                      struct base_error *err)
{
	X509_NAME *name = issuer_of(der, len);
	int rc;

	if (!name)
		return refuse(err, "this is no CRL: no issuer's name where one has to be");
	rc = order->issuer ? by_file(order->issuer, name, der, len, ret, err)
	                   : by_issuers(&store->issuers, name, der, len, ret, err);
	X509_NAME_free(name);
	return rc;
}

/* ---- judging ---- */

static int times_check(const struct x509_crl_info *info, int64_t now_s, struct base_error *err)
{
	if (info->this_update_s > now_s)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "not yet valid: its thisUpdate is %lld s from now (is the "
		                      "clock right?)",
		                      (long long)(info->this_update_s - now_s));
	if (!info->next_update_s)
		return refuse(err, "it has no nextUpdate (RFC 5280, 5.1.2.5)");
	if (info->next_update_s <= now_s)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "past its nextUpdate since %lld s",
		                      (long long)(now_s - info->next_update_s));
	return 0;
}

static int back_check(const struct x509_crl_info *info, int64_t this_update_s,
                      struct base_str number, const char *where, struct base_error *err)
{
	if (info->this_update_s < this_update_s)
		return base_error_set(err, BASE_ERR(BASE_PEER, ESTALE),
		                      "older than the one %s, by %lld s", where,
		                      (long long)(this_update_s - info->this_update_s));
	if (x509_crl_number_compare(info->number, number) < 0)
		return base_error_set(err, BASE_ERR(BASE_PEER, ESTALE),
		                      "its CRL number is before that of the one %s (RFC 5280, "
		                      "5.2.3); if the CA began to count anew, remove the file and "
		                      "restart",
		                      where);
	return 0;
}

static struct mark *mark_find(const struct fetch_store *store, const char *name)
{
	struct base_map_node *node = base_map_find(&store->marks, base_str_of(name));

	return node ? BASE_CONTAINER_OF(node, struct mark, node) : NULL;
}

static int mark_set(struct fetch_store *store, const char *name, const struct x509_crl_info *info)
{
	struct mark *mark = mark_find(store, name);
	int rc = 0;

	if (!mark) {
		mark = calloc(1, sizeof(*mark));
		if (!mark)
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		(void)snprintf(mark->name, sizeof(mark->name), "%s", name);
		rc = base_map_insert(&store->marks, base_str_of(mark->name), &mark->node);
		if (rc) {
			free(mark);
			return rc;
		}
	}
	mark->this_update_s = info->this_update_s;
	mark->number_len = BASE_MIN(info->number.len, sizeof(mark->number));
	if (mark->number_len)
		memcpy(mark->number, info->number.ptr, mark->number_len);
	return 0;
}

static bool there_map(const struct fetch_store *store, const char *name,
                      struct x509_crl_index **ret)
{
	char path[4096];

	return snprintf(path, sizeof(path), "%s/%s", store->folder, name) < (int)sizeof(path) &&
	       x509_crl_index_map(ret, path, NULL) == 0;
}

/* Is it at least as new as what is there, and as what was ever seen under its name? */
static int newer_check(const struct fetch_store *store, const char *name,
                       const struct x509_crl_info *info, bool *unchanged, struct base_error *err)
{
	const struct mark *mark = mark_find(store, name);
	struct x509_crl_index *there = NULL;
	int rc = 0;

	if (mark)
		rc = back_check(
		        info, mark->this_update_s,
		        (struct base_str){ mark->number_len ? (const char *)mark->number : NULL,
		                           mark->number_len },
		        "seen before", err);
	*unchanged = false;
	if (rc || !there_map(store, name, &there))
		return rc;
	*unchanged = memcmp(x509_crl_index_info(there)->tbs_sha256, info->tbs_sha256, 32) ==
	             0; /* no tag */
	rc = back_check(info, x509_crl_index_info(there)->this_update_s,
	                x509_crl_index_info(there)->number, "in the cache", err);
	x509_crl_index_unref(there);
	return rc;
}

/* A name that was shortened may end within a character: it goes into JSON. */
static void shortened_mend(char *text)
{
	size_t len = strlen(text), end = len > 3 ? len - 3 : 0;

	if (!end || strcmp(text + end, "...") != 0)
		return;
	while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end && (unsigned char)text[end - 1] >= 0xc0)
		end--;
	memmove(text + end, "...", 4);
}

static void stored_fill(struct fetch_stored *ret, const char *name,
                        const struct x509_crl_info *info, size_t octets)
{
	X509_NAME *issuer = name_of(info->issuer);

	*ret = (struct fetch_stored){ .this_update_s = info->this_update_s,
		                      .next_update_s = info->next_update_s,
		                      .entries = info->count,
		                      .octets = octets,
		                      .delta = info->flags & X509_CRL_DELTA };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)x509_name_format(issuer, ret->issuer, sizeof(ret->issuer));
	shortened_mend(ret->issuer);
	X509_NAME_free(issuer);
}

static int index_store(struct fetch_store *store, const struct fetch_crl_order *order,
                       const struct x509_crl_index *index, size_t len, struct fetch_stored *ret,
                       struct base_error *err)
{
	const struct x509_crl_info *info = x509_crl_index_info(index);
	bool delta = info->flags & X509_CRL_DELTA, unchanged;
	char name[TRUST_CACHE_NAME_MAX];
	int rc = trust_cache_name(index, name);

	if (rc)
		return rc;
	if (order->expect == FETCH_ONLY_COMPLETE && delta)
		return refuse(err, "a delta CRL where a complete one was expected");
	if (order->expect == FETCH_ONLY_DELTA && !delta)
		return refuse(err, "a complete CRL where a delta was expected");
	rc = times_check(info, order->now_s, err);
	if (!rc)
		rc = newer_check(store, name, info, &unchanged, err);
	if (!rc)
		rc = trust_cache_write(store->folder, index, err);
	if (!rc)
		rc = mark_set(store, name, info);
	if (rc)
		return rc;
	stored_fill(ret, name, info, len);
	ret->unchanged = unchanged;
	return 0;
}

/* Of a complete CRL that was taken; a delta has none (5.2.6). What is no word is no address. */
static void freshest_fill(struct fetch_stored *ret, const void *der, size_t der_len)
{
	char **urls = ret->delta ? NULL : x509_crl_freshest(der, der_len);
	size_t len = 0;

	for (size_t i = 0; urls && urls[i]; i++) {
		size_t more = strlen(urls[i]);

		if (!more || strpbrk(urls[i], " \n") || len + more + 2 > sizeof(ret->freshest))
			continue;
		memcpy(ret->freshest + len, urls[i], more);
		memcpy(ret->freshest + len + more, "\n", 2);
		len += more + 1;
	}
	x509_urls_free(urls);
}

int fetch_store_crl(struct fetch_store *store, const struct fetch_crl_order *order,
                    struct fetch_stored *ret, struct base_error *err)
{
	bool pem = order->len && memmem(order->data, order->len, "-----BEGIN ", 11);
	struct x509_crl_index *index = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	int rc = pem ? pem_open(order, &der, &der_len, err) : 0;

	if (rc)
		return rc;
	if (pem)
		rc = index_make(store, order, der, (size_t)der_len, &index, err);
	else
		rc = index_make(store, order, order->data, order->len, &index, err);
	if (!rc)
		rc = index_store(store, order, index, order->len, ret, err);
	if (!rc && pem)
		freshest_fill(ret, der, (size_t)der_len);
	else if (!rc)
		freshest_fill(ret, order->data, order->len);
	OPENSSL_free(der);
	x509_crl_index_unref(index);
	return rc;
}

int fetch_store_cert(struct fetch_store *store, enum fetch_what what, const void *data, size_t len,
                     int64_t now_s, struct base_error *err)
{
	enum trust_cache_kind kind = what == FETCH_CROSS ? TRUST_CACHE_CROSS : TRUST_CACHE_CA;
	STACK_OF(X509) *found = sk_X509_new_null();
	struct x509_about about = { 0 };
	int rc = found ? x509_certs_parse("certificate", data, len, found, err)
	               : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (rc && base_err_class(rc) == BASE_CONFIG) /* no file of ours: the repository's fault */
		rc = BASE_ERR(BASE_PEER, 0);
	if (!rc && sk_X509_num(found) != 1)
		rc = refuse(err, "not one certificate");
	if (!rc)
		rc = x509_about_cert(sk_X509_value(found, 0), &about);
	if (!rc && about.until_s <= now_s)
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s has expired", about.subject);
	if (!rc)
		rc = fetch_issuers_add(&store->issuers, kind, sk_X509_value(found, 0), err);
	if (!rc)
		rc = trust_cache_write_cert(store->folder, kind, sk_X509_value(found, 0), err);
	sk_X509_pop_free(found, X509_free);
	return rc;
}

int fetch_store_whole(struct fetch_store *store, const void *which, size_t of,
                      const struct fetch_blobs *blobs, struct base_error *err)
{
	return fetch_seen_note(&store->seen, store->folder, which, of, blobs, err);
}

bool fetch_store_look(const struct fetch_store *store, const char *name, struct fetch_stored *ret)
{
	struct x509_crl_index *there = NULL;

	if (!there_map(store, name, &there))
		return false;
	stored_fill(ret, name, x509_crl_index_info(there), 0);
	x509_crl_index_unref(there);
	return true;
}
