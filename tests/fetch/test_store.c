/* SPDX-License-Identifier: Apache-2.0 */
/** @file What gets into the cache folder, and what does not. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "check.h"
#include "crl_forge.h"
#include "fetch/store.h"
#include "pki.h"

#define NOW 1800000000LL /* 2027-01-15T08:00:00Z */

struct stage {
	struct pki ca, twin, other, ica, peer, cross;
	char *dir, *cache, *ca_file, *ica_file;
	const char *issuers[2], *interconnection[2];
	struct fetch_store *store;
};

static struct fetch_issuer_files files_of(const struct stage *st)
{
	return (struct fetch_issuer_files){ .issuers = st->issuers,
		                            .interconnection = st->interconnection,
		                            .cache = st->cache };
}

static void reopen(struct stage *st)
{
	const struct fetch_issuer_files files = files_of(st);

	fetch_store_close(st->store);
	st->store = NULL;
	assert_int_equal(fetch_store_open(&st->store, &files, NULL), 0);
}

static int stage_new(void **state)
{
	struct stage *st = calloc(1, sizeof(*st));

	st->ca = pki_ca("One");
	st->twin = pki_ca("One"); /* the same name, another key */
	st->other = pki_ca("Other");
	st->ica = pki_ca("Interconnection");
	st->peer = pki_ca("Peer");
	st->cross = pki_make(&(struct pki_spec){
	        .cn = "Peer", .issuer = &st->ica, .key = st->peer.key, .ca = true });
	st->dir = pki_dir_new();
	st->cache = pki_path(st->dir, "cache");
	assert_int_equal(mkdir(st->cache, 0700), 0);
	st->ca_file = pki_write_certs(st->dir, "ca.pem", (X509 *const[]){ st->ca.cert, NULL });
	st->ica_file = pki_write_certs(st->dir, "ica.pem", (X509 *const[]){ st->ica.cert, NULL });
	st->issuers[0] = st->ca_file;
	st->interconnection[0] = st->ica_file;
	reopen(st);
	*state = st;
	return 0;
}

static int stage_free(void **state)
{
	struct stage *st = *state;
	char *cross = pki_path(st->cache, "cross"), *ca = pki_path(st->cache, "ca");

	fetch_store_close(st->store);
	if (access(cross, F_OK) == 0)
		pki_dir_remove(cross);
	else
		free(cross);
	if (access(ca, F_OK) == 0)
		pki_dir_remove(ca);
	else
		free(ca);
	pki_dir_remove(st->cache);
	free(st->ca_file);
	free(st->ica_file);
	pki_dir_remove(st->dir);
	pki_free(&st->ca);
	pki_free(&st->twin);
	pki_free(&st->other);
	pki_free(&st->ica);
	pki_free(&st->peer);
	pki_free(&st->cross);
	free(st);
	return 0;
}

static struct base_writer forged(const struct pki *by, struct crl_forge spec)
{
	spec.issuer = by->cert;
	spec.key = by->key;
	if (!spec.from)
		spec.from = "270115000000Z";
	if (!spec.to)
		spec.to = "270116000000Z";
	return crl_forge(&spec);
}

/* Store a CRL. On failure the reason has `words` in it. */
static int put_at(struct stage *st, int64_t now_s, enum fetch_expect expect, const char *words,
                  const struct pki *by, struct crl_forge spec, struct fetch_stored *ret)
{
	struct base_writer w = forged(by, spec);
	struct fetch_crl_order order = {
		.data = w.data, .len = w.len, .expect = expect, .now_s = now_s
	};
	struct base_error err = { 0 };
	struct fetch_stored stored;
	int rc = fetch_store_crl(st->store, &order, ret ? ret : &stored, &err);

	base_writer_done(&w);
	if (!rc != !words || (words && !strstr(err.text, words)))
		fail_msg("wanted '%s', got %d '%s'", words ? words : "success", rc, err.text);
	return rc;
}

static int put(struct stage *st, const char *words, const struct pki *by, struct crl_forge spec)
{
	return put_at(st, NOW, FETCH_ANY, words, by, spec, NULL);
}

static size_t in_cache(const struct stage *st)
{
	struct trust_cache *cache;
	struct trust_cache_view *view;
	size_t count;

	assert_int_equal(trust_cache_open(&cache, st->cache, NULL, NULL, NULL), 0);
	view = trust_cache_view_get(cache);
	count = trust_cache_view_count(view);
	trust_cache_view_unref(view);
	trust_cache_close(cache);
	return count;
}

static void good_is_written(void **state)
{
	struct stage *st = *state;
	struct fetch_stored stored, seen;

	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca,
	       (struct crl_forge){ .count = 3, .number = 5 }, &stored);
	assert_int_equal(stored.entries, 3);
	assert_int_equal(stored.this_update_s, 1799971200);
	assert_int_equal(stored.next_update_s, 1800057600);
	assert_string_equal(stored.issuer, "CN=One");
	assert_false(stored.unchanged);
	assert_int_equal(in_cache(st), 1);
	assert_true(fetch_store_look(st->store, stored.name, &seen));
	assert_int_equal(seen.next_update_s, stored.next_update_s);
	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca,
	       (struct crl_forge){ .count = 3, .number = 5 }, &stored);
	assert_int_equal(in_cache(st), 1);
}

/* What is shown of a name is UTF-8, wherever it was cut. */
static void lengthy_names(void **state)
{
	struct stage *st = *state;
	char name[65];

	for (size_t shift = 0; shift < 2; shift++) {
		struct pki ca;
		char *file;
		struct base_writer w;
		struct fetch_crl_order order = { .now_s = NOW };
		struct fetch_stored stored;
		X509_NAME *subject;

		memset(name, 'x', sizeof(name));
		for (size_t i = shift; i + 1 < 60; i += 2)
			memcpy(name + i, "\xc3\xa4", 2);
		name[60] = '\0';
		ca = pki_ca("Lengthy");
		subject = X509_NAME_dup(X509_get_subject_name(ca.cert));
		for (int i = 0; i < 3; i++)
			assert_int_equal(X509_NAME_add_entry_by_txt(subject, "OU", MBSTRING_UTF8,
			                                            (const unsigned char *)name, -1,
			                                            -1, 0),
			                 1);
		assert_int_equal(X509_set_subject_name(ca.cert, subject), 1);
		assert_int_equal(X509_set_issuer_name(ca.cert, subject), 1);
		assert_true(X509_sign(ca.cert, ca.key, EVP_sha256()) > 0);
		file = pki_write_certs(st->dir, "lengthy.pem", (X509 *const[]){ ca.cert, NULL });
		w = forged(&ca, (struct crl_forge){ .number = 1 });
		order.data = w.data;
		order.len = w.len;
		order.issuer = file;
		assert_int_equal(fetch_store_crl(st->store, &order, &stored, NULL), 0);
		assert_int_equal(strcmp(stored.issuer + strlen(stored.issuer) - 3, "..."), 0);
		for (const char *p = stored.issuer; *p; p++)
			if ((unsigned char)*p == 0xc3)
				assert_int_equal((unsigned char)*++p, 0xa4);
			else
				assert_true((unsigned char)*p < 0x80);
		X509_NAME_free(subject);
		base_writer_done(&w);
		free(file);
		pki_free(&ca);
	}
}

/* Where a complete CRL says that its delta lies (RFC 5280, 5.2.6). */
static void freshest_is_told(void **state)
{
	struct stage *st = *state;
	static const char one[] =
	        "\x30\x1b\x06\x03\x55\x1d\x2e\x04\x14\x30\x12\x30\x10\xa0\x0e\xa0\x0c\x86\x0a"
	        "http://a/d";
	char other[sizeof(one)];
	struct fetch_stored stored;

	put_at(st, NOW, FETCH_ANY, NULL, &st->ca,
	       (struct crl_forge){ .count = 1, .number = 5, .more = { one, sizeof(one) - 1 } },
	       &stored);
	assert_string_equal(stored.freshest, "http://a/d\n");
	assert_true(fetch_store_look(st->store, stored.name, &stored));
	assert_string_equal(stored.freshest, ""); /* the index does not keep it */
	put_at(st, NOW, FETCH_ANY, NULL, &st->ca,
	       (struct crl_forge){
	               .count = 1, .number = 6, .base = 5, .more = { one, sizeof(one) - 1 } },
	       &stored);
	assert_string_equal(stored.freshest, ""); /* not in a delta */
	for (size_t i = 9; i < sizeof(one) - 1; i++) {
		memcpy(other, one, sizeof(one));
		other[i] = i < 19 ? 0x05 : '\n'; /* not the form, or no address */
		put_at(st, NOW, FETCH_ANY, NULL, &st->ca,
		       (struct crl_forge){
		               .count = 1, .number = 7, .more = { other, sizeof(one) - 1 } },
		       &stored);
		if (stored.freshest[0])
			fail_msg("octet %zu: %s", i, stored.freshest);
	}
}

static void pem_or_der(void **state)
{
	struct stage *st = *state;
	struct base_writer der = forged(&st->ca, (struct crl_forge){ .count = 2, .number = 1 });
	const unsigned char *at = der.data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	BIO *bio = BIO_new(BIO_s_mem());
	struct fetch_stored stored;
	struct fetch_crl_order order = { .now_s = NOW };
	char *text;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, st->ca.cert), 1); /* others are skipped */
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	len = BIO_get_mem_data(bio, &text);
	order.data = text;
	order.len = (size_t)len;
	assert_int_equal(fetch_store_crl(st->store, &order, &stored, NULL), 0);
	assert_int_equal(stored.entries, 2);
	order.len = (size_t)len - 40; /* cut short */
	assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
	                 BASE_PEER);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1); /* two: which one? */
	order.len = (size_t)BIO_get_mem_data(bio, &text);
	order.data = text;
	assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
	                 BASE_PEER);
	BIO_free(bio);
	X509_CRL_free(crl);
	base_writer_done(&der);
}

static void cut_or_changed_is_refused(void **state)
{
	struct stage *st = *state;
	struct base_writer w = forged(&st->ca, (struct crl_forge){ .count = 4, .number = 1 });
	struct fetch_stored stored;

	for (size_t len = 0; len < w.len; len++) {
		struct fetch_crl_order order = { .data = w.data, .len = len, .now_s = NOW };

		assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
		                 BASE_PEER);
	}
	for (size_t i = 0; i < w.len; i++) {
		struct fetch_crl_order order = { .data = w.data, .len = w.len, .now_s = NOW };

		w.data[i] ^= 0x01;
		assert_int_not_equal(fetch_store_crl(st->store, &order, &stored, NULL), 0);
		w.data[i] ^= 0x01;
	}
	base_writer_done(&w);
	assert_int_equal(in_cache(st), 0);
}

static void issuers_only(void **state)
{
	struct stage *st = *state;

	put(st, "no issuer of the configuration", &st->other, (struct crl_forge){ .number = 1 });
	put(st, "sign", &st->twin, (struct crl_forge){ .number = 1 }); /* the name, not the key */
	put(st, NULL, &st->ica, (struct crl_forge){ .number = 1 });
	assert_int_equal(in_cache(st), 1);
}

static void only_the_issuer_of_the_source(void **state)
{
	struct stage *st = *state;
	struct base_writer w = forged(&st->ica, (struct crl_forge){ .number = 1 });
	struct fetch_crl_order order = { .data = w.data, .len = w.len, .now_s = NOW };
	struct fetch_stored stored;

	order.issuer = st->ca_file;
	assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
	                 BASE_PEER);
	order.issuer = st->ica_file;
	assert_int_equal(fetch_store_crl(st->store, &order, &stored, NULL), 0);
	order.issuer = "/nowhere.pem";
	assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
	                 BASE_CONFIG);
	base_writer_done(&w);
}

static void without_crl_sign(void **state)
{
	struct stage *st = *state;
	struct pki weak = pki_make(
	        &(struct pki_spec){ .cn = "Weak", .ca = true, .usage = "critical,keyCertSign" });
	char *file = pki_write_certs(st->dir, "weak.pem", (X509 *const[]){ weak.cert, NULL });
	struct base_writer w = forged(&weak, (struct crl_forge){ .number = 1 });
	struct fetch_crl_order order = {
		.data = w.data, .len = w.len, .issuer = file, .now_s = NOW
	};
	struct fetch_stored stored;

	assert_int_equal(base_err_class(fetch_store_crl(st->store, &order, &stored, NULL)),
	                 BASE_PEER);
	base_writer_done(&w);
	free(file);
	pki_free(&weak);
}

static void times(void **state)
{
	struct stage *st = *state;

	put(st, "not yet valid", &st->ca,
	    (struct crl_forge){ .number = 9, .from = "270115080001Z" });
	put(st, "past its nextUpdate", &st->ca,
	    (struct crl_forge){ .number = 9, .to = "270115080000Z" });
	put(st, "no nextUpdate", &st->ca, (struct crl_forge){ .number = 9, .to = "" });
	assert_int_equal(in_cache(st), 0);
	put(st, NULL, &st->ca, (struct crl_forge){ .number = 9, .from = "270115080000Z" });
	/* the clock went back a year: nothing that comes now is believed, and nothing is lost */
	put_at(st, NOW - 365LL * 86400, FETCH_ANY, "clock", &st->ca,
	       (struct crl_forge){ .number = 10, .from = "270115080000Z" }, NULL);
	assert_int_equal(in_cache(st), 1);
}

/* An attacker who kept yesterday's CRL does not get it in again. */
static void never_back(void **state)
{
	struct stage *st = *state;
	const struct crl_forge old = { .count = 1, .number = 6, .from = "270115010000Z" };
	struct fetch_stored stored;
	char *path;

	put_at(st, NOW, FETCH_ANY, NULL, &st->ca,
	       (struct crl_forge){ .count = 2, .number = 7, .from = "270115020000Z" }, &stored);
	put(st, "older", &st->ca, old);
	put(st, "CRL number", &st->ca, (struct crl_forge){ .number = 6, .from = "270115030000Z" });
	put(st, "CRL number", &st->ca, (struct crl_forge){ .from = "270115030000Z" }); /* none */
	put(st, "older", &st->ca, (struct crl_forge){ .number = 8, .from = "270115010000Z" });
	/* not even when the newer file is lost: it was seen */
	path = pki_path(st->cache, stored.name);
	assert_int_equal(unlink(path), 0);
	put(st, "seen before", &st->ca, old);
	assert_int_equal(in_cache(st), 0);
	put(st, NULL, &st->ca,
	    (struct crl_forge){ .count = 2, .number = 7, .from = "270115020000Z" });
	/* nor by the next process, which finds the file */
	reopen(st);
	put(st, "in the cache", &st->ca, old);
	put(st, NULL, &st->ca, (struct crl_forge){ .number = 8, .from = "270115020001Z" });
	free(path);
}

static void complete_and_delta(void **state)
{
	struct stage *st = *state;
	const struct crl_forge complete = { .number = 3 }, delta = { .number = 4, .base = 3 };
	struct fetch_stored stored;

	put_at(st, NOW, FETCH_ONLY_DELTA, "a complete CRL", &st->ca, complete, NULL);
	put_at(st, NOW, FETCH_ONLY_COMPLETE, "a delta CRL", &st->ca, delta, NULL);
	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca, complete, NULL);
	put_at(st, NOW, FETCH_ONLY_DELTA, NULL, &st->ca, delta, &stored);
	assert_true(stored.delta);
	assert_int_equal(in_cache(st), 2);
}

/* CRLs of one issuer for several distribution points (RFC 5280, 5.2.5) live side by side, and each
 * has its own past. */
static void partitions(void **state)
{
	/* SEQUENCE { [0] { [0] { [6] "http://a/1" } } } */
	static const char one[] = "\x30\x10\xa0\x0e\xa0\x0c\x86\x0ahttp://a/1";
	static const char two[] = "\x30\x10\xa0\x0e\xa0\x0c\x86\x0ahttp://a/2";
	struct stage *st = *state;
	const struct crl_forge first = { .number = 7, .scope = { one, sizeof(one) - 1 } };
	const struct crl_forge second = { .number = 3, .scope = { two, sizeof(two) - 1 } };
	struct fetch_stored a, b, c;

	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca, first, &a);
	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca, second, &b);
	put_at(st, NOW, FETCH_ONLY_COMPLETE, NULL, &st->ca, (struct crl_forge){ .number = 5 }, &c);
	assert_string_not_equal(a.name, b.name);
	assert_string_not_equal(b.name, c.name);
	assert_int_equal(in_cache(st), 3);
	put(st, "CRL number", &st->ca,
	    (struct crl_forge){ .number = 6, .scope = { one, sizeof(one) - 1 } });
	put(st, NULL, &st->ca,
	    (struct crl_forge){ .number = 4, .scope = { two, sizeof(two) - 1 } });
}

static void damaged_is_replaced(void **state)
{
	struct stage *st = *state;
	const struct crl_forge spec = { .count = 2, .number = 7 };
	struct fetch_stored stored, seen;
	char *path;

	put_at(st, NOW, FETCH_ANY, NULL, &st->ca, spec, &stored);
	path = pki_path(st->cache, stored.name);
	assert_int_equal(unlink(path), 0);
	free(pki_write(st->cache, stored.name, "garbage", 7));
	assert_false(fetch_store_look(st->store, stored.name, &seen));
	put(st, NULL, &st->ca, spec);
	assert_true(fetch_store_look(st->store, stored.name, &seen));
	assert_int_equal(in_cache(st), 1);
	free(path);
}

/* The file may not grow to the size of the CRL, as on a full disk. */
static void full_disk(void **state)
{
	struct stage *st = *state;
	const struct rlimit small = { 20000, 20000 };
	int status;
	pid_t child;

	put(st, NULL, &st->ca, (struct crl_forge){ .count = 2, .number = 1 });
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child) {
		struct base_writer w =
		        forged(&st->ca, (struct crl_forge){ .count = 5000, .number = 2 });
		struct fetch_crl_order order = { .data = w.data, .len = w.len, .now_s = NOW };
		struct base_error err = { 0 };
		struct fetch_stored stored;
		int rc;

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &small))
			_exit(3);
		rc = fetch_store_crl(st->store, &order, &stored, &err);
		_exit(base_err_class(rc) == BASE_LOCAL && base_err_detail(rc) == EFBIG ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	reopen(st);
	assert_int_equal(in_cache(st), 1);
	put(st, NULL, &st->ca, (struct crl_forge){ .count = 2, .number = 1 }); /* still it */
}

/* The peer's CA is known by its cross-certificate only, as TS 33.310, 5.2.2.2 has it. */
static void cross_certificates_vouch(void **state)
{
	struct stage *st = *state;
	struct pki fake = pki_make(&(struct pki_spec){
	        .cn = "Peer", .issuer = &st->other, .key = st->peer.key, .ca = true });
	struct pki leaf = pki_leaf("leaf", &st->ica);
	struct pki ours = pki_make(&(struct pki_spec){
	        .cn = "Peer", .issuer = &st->ca, .key = st->peer.key, .ca = true });
	struct base_str der;
	struct base_error err = { 0 };
	int64_t now_s = (int64_t)time(NULL);

	put(st, "no issuer", &st->peer, (struct crl_forge){ .number = 1 });
	der = pki_der(fake.cert);
	assert_int_equal(base_err_class(fetch_store_cert(st->store, FETCH_CROSS, der.ptr, der.len,
	                                                 now_s, &err)),
	                 BASE_PEER);
	pki_der_free(&der);
	der = pki_der(ours.cert); /* by an own CA, but none for interconnection */
	assert_int_equal(base_err_class(fetch_store_cert(st->store, FETCH_CROSS, der.ptr, der.len,
	                                                 now_s, &err)),
	                 BASE_PEER);
	pki_der_free(&der);
	der = pki_der(leaf.cert); /* the Interconnection CA's, but no CA */
	assert_int_equal(base_err_class(fetch_store_cert(st->store, FETCH_CROSS, der.ptr, der.len,
	                                                 now_s, &err)),
	                 BASE_PEER);
	pki_der_free(&der);
	put(st, "no issuer", &st->peer, (struct crl_forge){ .number = 1 });
	der = pki_der(st->cross.cert);
	assert_int_equal(base_err_class(fetch_store_cert(st->store, FETCH_CROSS, der.ptr, der.len,
	                                                 now_s + 5LL * 366 * 86400, &err)),
	                 BASE_PEER); /* it has expired by then */
	assert_int_equal(fetch_store_cert(st->store, FETCH_CROSS, der.ptr, der.len, now_s, &err),
	                 0);
	put(st, NULL, &st->peer, (struct crl_forge){ .number = 1 });
	pki_der_free(&der);
	reopen(st); /* and it is found again */
	put(st, NULL, &st->peer, (struct crl_forge){ .number = 2, .from = "270115010000Z" });
	pki_free(&fake);
	pki_free(&leaf);
	pki_free(&ours);
}

static void ca_certificates_vouch(void **state)
{
	struct stage *st = *state;
	struct pki below =
	        pki_make(&(struct pki_spec){ .cn = "Below", .issuer = &st->ca, .ca = true });
	struct base_str der = pki_der(below.cert), root = pki_der(st->other.cert);
	int64_t now_s = (int64_t)time(NULL);

	/* a root that only the repository knows vouches for nobody */
	assert_int_equal(base_err_class(fetch_store_cert(st->store, FETCH_CA, root.ptr, root.len,
	                                                 now_s, NULL)),
	                 BASE_PEER);
	assert_int_equal(fetch_store_cert(st->store, FETCH_CA, der.ptr, der.len, now_s, NULL), 0);
	put(st, NULL, &below, (struct crl_forge){ .number = 1 });
	pki_der_free(&der);
	pki_der_free(&root);
	pki_free(&below);
}

static void one_writer(void **state)
{
	struct stage *st = *state;
	const struct fetch_issuer_files files = files_of(st);
	struct fetch_store *second = NULL;
	struct base_error err = { 0 };

	assert_int_equal(base_err_class(fetch_store_open(&second, &files, &err)), BASE_CONFIG);
	assert_non_null(strstr(err.text, "another gatehouse-fetch"));
	assert_null(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_new, stage_free)
	const struct CMUnitTest tests[] = {
		TEST(good_is_written),
		TEST(lengthy_names),
		TEST(freshest_is_told),
		TEST(pem_or_der),
		TEST(cut_or_changed_is_refused),
		TEST(issuers_only),
		TEST(only_the_issuer_of_the_source),
		TEST(without_crl_sign),
		TEST(times),
		TEST(never_back),
		TEST(complete_and_delta),
		TEST(partitions),
		TEST(damaged_is_replaced),
		TEST(full_disk),
		TEST(cross_certificates_vouch),
		TEST(ca_certificates_vouch),
		TEST(one_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
