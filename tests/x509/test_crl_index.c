/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "check.h"
#include "crl_forge.h"
#include "pki.h"
#include "x509/x509.h"

static struct pki ca, other;

static int setup(void **state)
{
	(void)state;
	ca = pki_ca("issuer");
	other = pki_ca("other");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pki_free(&ca);
	pki_free(&other);
	return 0;
}

static struct base_str view(const struct base_writer *w)
{
	return base_writer_view(w);
}

static struct x509_crl_index *made(struct base_str der, EVP_PKEY *key)
{
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };
	int rc = x509_crl_index_make(&index, der.ptr, der.len, key, &err);

	if (rc)
		print_message("%s\n", err.text);
	assert_int_equal(rc, 0);
	return index;
}

static struct x509_crl_index *forged(struct crl_forge spec)
{
	struct base_writer w;
	struct x509_crl_index *index;

	spec.issuer = ca.cert;
	spec.key = ca.key;
	w = crl_forge(&spec);
	index = made(view(&w), ca.key);
	base_writer_done(&w);
	return index;
}

static void refused_der(struct base_str der, EVP_PKEY *key, const char *why)
{
	struct x509_crl_index *index = NULL;
	struct base_error err = { 0 };

	assert_int_equal(base_err_class(x509_crl_index_make(&index, der.ptr, der.len, key, &err)),
	                 BASE_PEER);
	assert_null(index);
	if (!strstr(err.text, why))
		print_message("%s, not %s\n", err.text, why);
	assert_non_null(strstr(err.text, why));
}

static void refused(struct crl_forge spec, const char *why)
{
	struct base_writer w;

	spec.issuer = ca.cert;
	spec.key = ca.key;
	w = crl_forge(&spec);
	refused_der(view(&w), ca.key, why);
	base_writer_done(&w);
}

static struct base_str name_of(const X509 *cert)
{
	const unsigned char *der;
	size_t len;

	assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(cert), &der, &len), 1);
	return (struct base_str){ (const char *)der, len };
}

static enum x509_crl_status look(const struct x509_crl_index *index, uint64_t i,
                                 struct x509_crl_entry *ret)
{
	uint8_t serial[16];

	crl_forge_serial(i, serial);
	return x509_crl_index_find(index, name_of(ca.cert),
	                           (struct base_str){ (const char *)serial, 16 }, ret);
}

/* A CRL of libcrypto's making, every reason, and certificates looked up in it. */
static void as_libcrypto_made_it(void **state)
{
	struct pki leaf[12];
	X509_CRL *crl = pki_crl(&ca, NULL, -PKI_DAY, PKI_DAY);
	struct x509_crl_index *index;
	struct x509_crl_entry entry;
	unsigned char *der = NULL;
	int len;

	(void)state;
	for (int i = 0; i < 12; i++) {
		leaf[i] = pki_leaf("mg.example", &ca);
		if (i < 11 && i != 7) {
			X509_REVOKED *one = X509_REVOKED_new();
			ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

			assert_true(ASN1_ENUMERATED_set(reason, i));
			assert_true(X509_REVOKED_set_serialNumber(
			        one, X509_get_serialNumber(leaf[i].cert)));
			assert_true(X509_REVOKED_set_revocationDate(
			        one, (ASN1_TIME *)X509_CRL_get0_lastUpdate(crl)));
			assert_true(X509_REVOKED_add1_ext_i2d(one, NID_crl_reason, reason, 0, 0));
			assert_true(X509_CRL_add0_revoked(crl, one));
			ASN1_ENUMERATED_free(reason);
		}
	}
	assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	index = made((struct base_str){ (const char *)der, (size_t)len }, ca.key);
	assert_int_equal(x509_crl_index_info(index)->count, 10);
	assert_int_equal(x509_crl_index_info(index)->flags, X509_CRL_VERIFIED);
	assert_int_equal(x509_crl_index_info(index)->reasons, X509_CRL_ALL_REASONS);
	for (unsigned i = 0; i < 12; i++) {
		bool listed = i < 11 && i != 7;

		assert_int_equal(x509_crl_index_find_cert(index, leaf[i].cert, &entry),
		                 listed ? X509_CRL_REVOKED : X509_CRL_GOOD);
		if (listed) {
			assert_int_equal(entry.reason, i);
			assert_true(llabs(entry.date_s - (time(NULL) - PKI_DAY)) < 100);
		}
	}
	assert_int_equal(x509_crl_index_find_cert(index, other.cert, NULL), X509_CRL_OTHER);
	x509_crl_index_unref(index);
	/* the wrong key; and nobody's */
	refused_der((struct base_str){ (const char *)der, (size_t)len }, other.key, "did not sign");
	index = made((struct base_str){ (const char *)der, (size_t)len }, NULL);
	assert_int_equal(x509_crl_index_info(index)->flags, 0);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	X509_CRL_free(crl);
	for (int i = 0; i < 12; i++)
		pki_free(&leaf[i]);
}

static void what_the_header_says(void **state)
{
	static const char idp[] = "\x30\x06\x81\x01\xff\x84\x01\xff";
	struct crl_forge spec = { .count = 3, .number = 300, .base = 128, .scope = { idp, 8 } };
	struct x509_crl_index *index = forged(spec);
	const struct x509_crl_info *info = x509_crl_index_info(index);
	uint8_t key[32];

	(void)state;
	assert_int_equal(info->flags, X509_CRL_VERIFIED | X509_CRL_DELTA | X509_CRL_INDIRECT |
	                                      X509_CRL_ONLY_USERS);
	assert_true(base_str_eq(info->number, (struct base_str){ "\x01\x2c", 2 }));
	assert_true(base_str_eq(info->base_number, (struct base_str){ "\x80", 1 }));
	assert_true(base_str_eq(info->scope, spec.scope));
	assert_true(base_str_eq(info->issuer, name_of(ca.cert)));
	assert_int_equal(info->this_update_s, 1767225600);
	assert_int_equal(info->next_update_s, 2524607999);
	assert_int_equal(x509_key_sha256(ca.key, key), 0);
	assert_memory_equal(info->signer, key, 32);
	assert_true(info->signature.len > 60 && info->signature_alg.len == 12);
	assert_true(x509_crl_number_compare(info->base_number, info->number) < 0);
	assert_true(x509_crl_number_compare((struct base_str){ NULL, 0 }, info->number) < 0);
	assert_int_equal(x509_crl_number_compare(info->number, info->number), 0);
	assert_string_equal(x509_crl_reason_name(1), "keyCompromise");
	assert_string_equal(x509_crl_reason_name(99), "unknown");
	x509_crl_index_unref(index);
	index = forged((struct crl_forge){ .to = "", .scope = { "\x30\x04\x83\x02\x05\x60", 6 } });
	assert_int_equal(x509_crl_index_info(index)->next_update_s, 0);
	assert_int_equal(x509_crl_index_info(index)->reasons, 6); /* keyCompromise, cACompromise */
	assert_int_equal(x509_crl_index_info(index)->count, 0);
	assert_null(x509_crl_index_info(index)->number.ptr);
	x509_crl_index_unref(index);
}

static void refuses_what_it_cannot_judge(void **state)
{
	(void)state;
	refused((struct crl_forge){ .more = BASE_STR(
	                                    "\x30\x0e\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x04"
	                                    "abcd") },
	        "critical extension that is not known");
	refused((struct crl_forge){ .number = 1,
	                            .more = BASE_STR("\x30\x0a\x06\x03\x55\x1d\x14\x04\x03"
	                                             "\x02\x01\x02") },
	        "twice");
	refused((struct crl_forge){ .scope = BASE_STR("\x30\x06\x81\x01\xff\x82\x01\xff") },
	        "contradicts itself");
	refused((struct crl_forge){ .scope = BASE_STR("\x30\x06\x82\x01\xff\x81\x01\xff") },
	        "malformed (RFC 5280, 5.2.5)");
	refused((struct crl_forge){ .from = "260230000000Z" }, "malformed");
	refused((struct crl_forge){ .from = "2601010000Z" }, "malformed");
	/* a critical extension of an entry; a certificateIssuer where none may be; reason 11 */
	refused((struct crl_forge){ .entry = BASE_STR(
	                                    "\x30\x24\x02\x01\x05\x17\x0d"
	                                    "260101000000Z\x30\x10\x30\x0e\x06\x03\x2a\x03\x04"
	                                    "\x01\x01\xff\x04\x04"
	                                    "abcd") },
	        "an entry has a critical extension");
	refused((struct crl_forge){ .entry = BASE_STR(
	                                    "\x30\x20\x02\x01\x05\x17\x0d"
	                                    "260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x1d"
	                                    "\x04\x03\x30\x01\x00") },
	        "not indirect");
	refused((struct crl_forge){ .entry = BASE_STR(
	                                    "\x30\x20\x02\x01\x05\x17\x0d"
	                                    "260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15"
	                                    "\x04\x03\x0a\x01\x0b") },
	        "reasonCode is malformed");
}

/* An indirect CRL: an entry speaks for its certificateIssuer, and so do those after it. */
static void entries_of_other_issuers(void **state)
{
	static const char idp[] = "\x30\x03\x84\x01\xff";
	struct base_str name = name_of(other.cert);
	struct base_writer entry = { 0 };
	struct x509_crl_index *index, *copy = NULL;
	uint8_t serial[16], n = (uint8_t)name.len;
	struct base_str sought = { (const char *)serial, 16 }, octets, odd;
	char five[] = "\x05", *shouting;

	(void)state;
	base_writer_put(&entry, "\x30", 1);
	base_writer_u8(&entry, (uint8_t)(18 + 2 + 2 + 8 + 2 + 2 + 2 + n - 2 + 1));
	base_writer_put(&entry,
	                "\x02\x01\x05\x17\x0d"
	                "260101000000Z",
	                18);
	base_writer_put(&entry,
	                (uint8_t[]){ 0x30, (uint8_t)(n + 16), 0x30, (uint8_t)(n + 14), 6, 3, 0x55,
	                             0x1d, 29, 1, 1, 0xff, 4, (uint8_t)(n + 4), 0x30,
	                             (uint8_t)(n + 2), 0xa4, n },
	                18);
	base_writer_str(&entry, name);
	entry.data[1] = (uint8_t)(entry.len - 2);
	index = forged(
	        (struct crl_forge){ .count = 2, .scope = { idp, 5 }, .entry = view(&entry) });
	crl_forge_serial(1, serial);
	assert_int_equal(x509_crl_index_find(index, name, sought, NULL), X509_CRL_REVOKED);
	assert_int_equal(x509_crl_index_find(index, name, (struct base_str){ five, 1 }, NULL),
	                 X509_CRL_REVOKED);
	assert_int_equal(x509_crl_index_find(index, name_of(ca.cert), sought, NULL), X509_CRL_GOOD);
	/* in a file it is the same; and a name is the same name in capitals (RFC 5280, 7.1) */
	octets = x509_crl_index_octets(index);
	assert_int_equal(x509_crl_index_parse(&copy, "x", octets.ptr, octets.len, NULL), 0);
	shouting = malloc(name.len);
	memcpy(shouting, name.ptr, name.len);
	shouting[name.len - 1] = 'R';
	odd = (struct base_str){ shouting, name.len };
	assert_int_equal(x509_crl_index_find(copy, odd, sought, NULL), X509_CRL_REVOKED);
	shouting[name.len - 1] = 'q';
	assert_int_equal(x509_crl_index_find(copy, odd, sought, NULL), X509_CRL_GOOD);
	assert_int_equal(x509_crl_index_find(copy, BASE_STR("junk"), sought, NULL), X509_CRL_GOOD);
	free(shouting);
	x509_crl_index_unref(copy);
	x509_crl_index_unref(index);
	base_writer_done(&entry);
}

static void removed_counts_in_a_delta_alone(void **state)
{
	struct base_str entry = BASE_STR("\x30\x20\x02\x01\x05\x17\x0d"
	                                 "260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15"
	                                 "\x04\x03\x0a\x01\x08");
	struct x509_crl_index *delta = forged((struct crl_forge){ .base = 1, .entry = entry });
	struct x509_crl_index *complete = forged((struct crl_forge){ .entry = entry });
	struct base_str issuer = name_of(ca.cert);

	(void)state;
	assert_int_equal(x509_crl_index_find(delta, issuer, BASE_STR("\x05"), NULL),
	                 X509_CRL_REMOVED);
	assert_int_equal(x509_crl_index_find(complete, issuer, BASE_STR("\x05"), NULL),
	                 X509_CRL_REVOKED);
	/* however the number is written; and none at all, and one longer than any */
	assert_int_equal(x509_crl_index_find(complete, issuer, BASE_STR("\0\0\x05"), NULL),
	                 X509_CRL_REVOKED);
	assert_int_equal(x509_crl_index_find(complete, issuer, BASE_STR(""), NULL), X509_CRL_GOOD);
	x509_crl_index_unref(delta);
	x509_crl_index_unref(complete);
}

static double now_s(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Issue: at most 20 MB. Every entry is found, none that is not there. */
static void a_million_entries(void **state)
{
	struct crl_forge spec = { .issuer = ca.cert, .key = ca.key, .count = 1000000, .number = 7 };
	struct base_writer w = crl_forge(&spec);
	double start = now_s();
	struct x509_crl_index *index = made(view(&w), ca.key);
	double took = now_s() - start;
	struct x509_crl_entry entry;
	size_t wrong = 0;

	(void)state;
	assert_true(x509_crl_index_octets(index).len <= 20000000);
	assert_int_equal(x509_crl_index_info(index)->count, spec.count);
	for (size_t i = 0; i < spec.count; i++)
		wrong += look(index, i, &entry) != X509_CRL_REVOKED ||
		         entry.reason != (i % CRL_FORGE_REASONED ? 0 : 1) ||
		         entry.date_s != 1767323045;
	for (size_t i = spec.count; i < 2 * spec.count; i++)
		wrong += look(index, i, NULL) != X509_CRL_GOOD;
	assert_int_equal(wrong, 0);
	print_message("%zu octets of %zu, made in %.3f s\n", x509_crl_index_octets(index).len,
	              w.len, took);
	x509_crl_index_unref(index);
	base_writer_done(&w);
}

/* Cut at every octet, and every octet changed: the CRL's signature or its form says no. */
static void a_broken_crl_is_refused(void **state)
{
	struct crl_forge spec = { .issuer = ca.cert, .key = ca.key, .count = 5, .number = 7 };
	struct base_writer w = crl_forge(&spec);
	struct x509_crl_index *index = NULL;

	(void)state;
	for (size_t len = 0; len < w.len; len++) {
		uint8_t *cut = malloc(len + 1); /* exact, so that a read past it is seen */

		memcpy(cut, w.data, len);
		assert_int_not_equal(x509_crl_index_make(&index, cut, len, NULL, NULL), 0);
		free(cut);
	}
	for (size_t i = 0; i < w.len; i++) {
		w.data[i] ^= (uint8_t)(1U << i % 8);
		assert_int_not_equal(x509_crl_index_make(&index, w.data, w.len, ca.key, NULL), 0);
		w.data[i] ^= (uint8_t)(1U << i % 8);
	}
	base_writer_done(&w);
}

static void a_broken_index_is_refused(void **state)
{
	struct x509_crl_index *index = forged((struct crl_forge){ .count = 5, .number = 7 }),
	                      *bad = NULL;
	struct base_str octets = x509_crl_index_octets(index);
	uint8_t *copy = malloc(octets.len + 1);
	struct x509_crl_index *whole = NULL;
	struct base_error err = { 0 };

	(void)state;
	memcpy(copy, octets.ptr, octets.len);
	for (size_t len = 0; len < octets.len; len++)
		assert_int_not_equal(x509_crl_index_parse(&bad, "x", copy, len, NULL), 0);
	assert_int_not_equal(x509_crl_index_parse(&bad, "x", copy, octets.len + 1, NULL), 0);
	for (size_t i = 0; i < octets.len; i++) {
		copy[i] ^= (uint8_t)(1U << i % 8);
		assert_int_equal(
		        base_err_class(x509_crl_index_parse(&bad, "x", copy, octets.len, &err)),
		        BASE_CONFIG);
		copy[i] ^= (uint8_t)(1U << i % 8);
	}
	assert_string_equal(err.file, "x");
	assert_int_equal(x509_crl_index_parse(&whole, "x", copy, octets.len, NULL), 0);
	assert_int_equal(look(whole, 4, NULL), X509_CRL_REVOKED);
	x509_crl_index_unref(whole);
	x509_crl_index_unref(index);
	free(copy);
}

static void mapped_files(void **state)
{
	struct x509_crl_index *index = forged((struct crl_forge){ .count = 100 }), *bad = NULL;
	struct base_str octets = x509_crl_index_octets(index);
	char *dir = pki_dir_new(), *file = pki_write(dir, "a.crlx", octets.ptr, octets.len);
	struct x509_crl_index *mapped = NULL, *bare;
	struct base_error err = { 0 };
	char *short_file, *unsigned_file;
	struct base_writer w;

	(void)state;
	assert_int_equal(x509_crl_index_map(&mapped, file, NULL), 0);
	assert_ptr_equal(x509_crl_index_ref(mapped), mapped);
	x509_crl_index_unref(mapped);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(look(mapped, i, NULL), i < 100 ? X509_CRL_REVOKED : X509_CRL_GOOD);
	assert_true(x509_crl_index_intact(mapped));
	assert_true(x509_crl_index_intact(index));
	/* one that was cut short must not be looked at again */
	assert_int_equal(truncate(file, 10), 0);
	assert_false(x509_crl_index_intact(mapped));
	x509_crl_index_unref(mapped);
	assert_int_equal(base_err_class(x509_crl_index_map(&bad, file, &err)), BASE_CONFIG);
	assert_string_equal(err.file, file);
	assert_int_equal(base_err_class(x509_crl_index_map(&bad, dir, NULL)), BASE_CONFIG);
	assert_int_equal(base_err_class(x509_crl_index_map(&bad, "/nonexistent/a", NULL)),
	                 BASE_CONFIG);
	short_file = pki_write(dir, "b.crlx", "", 0);
	assert_int_equal(base_err_class(x509_crl_index_map(&bad, short_file, NULL)), BASE_CONFIG);
	/* nobody verified it: not from a file */
	w = crl_forge(&(struct crl_forge){ .issuer = ca.cert, .key = ca.key, .count = 1 });
	bare = made(view(&w), NULL);
	octets = x509_crl_index_octets(bare);
	unsigned_file = pki_write(dir, "c.crlx", octets.ptr, octets.len);
	assert_int_equal(base_err_class(x509_crl_index_map(&bad, unsigned_file, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "nobody verified"));
	x509_crl_index_unref(bare);
	base_writer_done(&w);
	x509_crl_index_unref(index);
	x509_crl_index_unref(NULL);
	free(file);
	free(short_file);
	free(unsigned_file);
	pki_dir_remove(dir);
}

/* A certificate listed twice is as revoked as its stricter entry says. */
static void listed_twice(void **state)
{
	struct base_str twice = BASE_STR("\x30\x20\x02\x01\x05\x17\x0d"
	                                 "260101000000Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15"
	                                 "\x04\x03\x0a\x01\x08"
	                                 "\x30\x12\x02\x01\x05\x17\x0d"
	                                 "260103000000Z"
	                                 "\x30\x12\x02\x01\x05\x17\x0d"
	                                 "260102000000Z");
	struct x509_crl_index *index =
	        forged((struct crl_forge){ .base = 1, .count = 1, .entry = twice });
	struct x509_crl_entry entry;

	(void)state;
	assert_int_equal(x509_crl_index_info(index)->count, 2);
	assert_int_equal(x509_crl_index_find(index, name_of(ca.cert), BASE_STR("\x05"), &entry),
	                 X509_CRL_REVOKED);
	assert_int_equal(entry.reason, 0);
	assert_int_equal(entry.date_s, 1767312000);
	x509_crl_index_unref(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_libcrypto_made_it),
		cmocka_unit_test(what_the_header_says),
		cmocka_unit_test(refuses_what_it_cannot_judge),
		cmocka_unit_test(entries_of_other_issuers),
		cmocka_unit_test(removed_counts_in_a_delta_alone),
		cmocka_unit_test(listed_twice),
		cmocka_unit_test(a_million_entries),
		cmocka_unit_test(a_broken_crl_is_refused),
		cmocka_unit_test(a_broken_index_is_refused),
		cmocka_unit_test(mapped_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
