/* SPDX-License-Identifier: Apache-2.0 */
/** @file CertificatePair (RFC 4523, 4.3): read, written, and every broken form refused. */
#include "check.h"

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>

#include "pki.h"

/* Two CAs that vouch for each other. */
struct stage {
	struct pki a, b;
	X509 *b_by_a, *a_by_b, *b_by_b;
};

static X509 *cross(const char *cn, const struct pki *subject, const struct pki *issuer)
{
	struct pki made = pki_make(&(struct pki_spec){
	        .cn = cn, .issuer = issuer, .key = subject->key, .ca = true, .eku = "" });
	X509 *cert = made.cert;

	EVP_PKEY_free(made.key);
	return cert;
}

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->a = pki_make(&(struct pki_spec){ .cn = "A", .ca = true, .eku = "" });
	s->b = pki_make(&(struct pki_spec){ .cn = "B", .ca = true, .eku = "" });
	s->b_by_a = cross("B", &s->b, &s->a);
	s->a_by_b = cross("A", &s->a, &s->b);
	s->b_by_b = cross("B", &s->b, &s->b);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	X509_free(s->b_by_a);
	X509_free(s->a_by_b);
	X509_free(s->b_by_b);
	pki_free(&s->a);
	pki_free(&s->b);
	free(s);
	return 0;
}

static struct base_writer made(X509 *to_this, X509 *by_this)
{
	struct base_writer w = { 0 };

	assert_int_equal(x509_cross_pair_write(&(struct x509_cross_pair){ to_this, by_this }, &w),
	                 0);
	return w;
}

static bool same(const X509 *a, const X509 *b)
{
	return a && b ? !X509_cmp(a, b) : a == b;
}

static void there_and_back(void **state)
{
	struct stage *s = *state;
	X509 *const pairs[][2] = { { s->b_by_a, NULL },
		                   { NULL, s->b_by_a },
		                   { s->b_by_a, s->a_by_b },
		                   { s->a_by_b, s->b_by_a } };

	for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
		struct base_writer w = made(pairs[i][0], pairs[i][1]);
		struct x509_cross_pair pair = { 0 };
		struct base_error err = { 0 };

		assert_int_equal(x509_cross_pair_parse(w.data, w.len, &pair, &err), 0);
		assert_true(same(pair.to_this, pairs[i][0]));
		assert_true(same(pair.by_this, pairs[i][1]));
		x509_cross_pair_done(&pair);
		assert_null(pair.to_this);
		base_writer_done(&w);
	}
}

/* libcrypto has the type too, with macros alone: another's reading of the same syntax. */
typedef struct foreign_pair {
	X509 *forward, *reverse;
} FOREIGN_PAIR;
ASN1_SEQUENCE(FOREIGN_PAIR) = {
	ASN1_EXP_OPT(FOREIGN_PAIR, forward, X509, 0),
	ASN1_EXP_OPT(FOREIGN_PAIR, reverse, X509, 1),
} static_ASN1_SEQUENCE_END(FOREIGN_PAIR)

static void as_libcrypto_encodes_it(void **state)
{
	struct stage *s = *state;
	FOREIGN_PAIR foreign = { s->b_by_a, s->a_by_b };
	struct base_writer w = made(s->b_by_a, s->a_by_b);
	unsigned char *der = NULL;
	int len = ASN1_item_i2d((ASN1_VALUE *)&foreign, &der, ASN1_ITEM_rptr(FOREIGN_PAIR));

	assert_int_equal(len, w.len);
	assert_memory_equal(der, w.data, w.len);
	OPENSSL_free(der);
	base_writer_done(&w);
}

static void refused(const void *data, size_t len, const char *words)
{
	uint8_t *exact = malloc(len + !len); /* so that a read past the end is seen */
	struct x509_cross_pair pair = { 0 };
	struct base_error err = { 0 };
	int rc;

	assert_non_null(exact);
	memcpy(exact, data, len);
	rc = x509_cross_pair_parse(exact, len, &pair, &err);
	assert_int_equal(base_err_class(rc), BASE_PEER);
	assert_non_null(strstr(err.text, words));
	assert_null(pair.to_this);
	assert_null(pair.by_this);
	free(exact);
}

static void broken_forms(void **state)
{
	struct stage *s = *state;
	struct base_writer both = made(s->b_by_a, s->a_by_b), w = { 0 };
	struct base_str a, b;
	static const uint8_t no_certificate[] = { 0x30, 0x04, 0xa0, 0x02, 0x30, 0x00 };
	static const uint8_t unknown[] = { 0x30, 0x04, 0xa2, 0x02, 0x30, 0x00 };
	static const uint8_t implicit[] = { 0x30, 0x02, 0xa0, 0x00 };

	refused("", 0, "not one DER SEQUENCE");
	refused("\x30\x00", 2, "no certificate in it");
	refused("\x30\x80\x00\x00", 4, "not one DER SEQUENCE");
	refused("\x31\x00", 2, "not one DER SEQUENCE");
	refused(no_certificate, sizeof(no_certificate), "issuedToThisCA");
	refused(unknown, sizeof(unknown), "something unknown");
	refused(implicit, sizeof(implicit), "not one certificate");
	for (size_t len = 0; len < both.len; len++)
		refused(both.data, len, "");
	base_writer_put(&w, both.data, both.len);
	base_writer_u8(&w, 0);
	refused(w.data, w.len, "not one DER SEQUENCE");
	base_writer_reset(&w);
	/* the second before the first, and one twice */
	a = pki_der(s->b_by_a);
	b = pki_der(s->a_by_b);
	for (unsigned twice = 0; twice < 2; twice++) {
		size_t len = 4 + a.len + 4 + b.len;

		base_writer_reset(&w);
		base_writer_put(&w, "\x30\x82", 2);
		base_writer_u16(&w, (uint16_t)len);
		base_writer_put(&w, twice ? "\xa0\x82" : "\xa1\x82", 2);
		base_writer_u16(&w, (uint16_t)a.len);
		base_writer_str(&w, a);
		base_writer_put(&w, "\xa0\x82", 2);
		base_writer_u16(&w, (uint16_t)b.len);
		base_writer_str(&w, b);
		refused(w.data, w.len, "something unknown");
	}
	pki_der_free(&a);
	pki_der_free(&b);
	base_writer_done(&w);
	base_writer_done(&both);
}

static void too_long(void **state)
{
	uint8_t *much = calloc(1, X509_CROSS_PAIR_MAX + 1);

	(void)state;
	assert_non_null(much);
	memcpy(much, "\x30\x83\x01\xff\xfc", 5); /* a length that is right */
	refused(much, X509_CROSS_PAIR_MAX + 1, "longer than");
	refused(much, X509_CROSS_PAIR_MAX, "not one DER SEQUENCE");
	free(much);
}

/* X.509, 11.2.3: the issuer of each is the subject of the other, and its key made the signature. */
static void strangers(void **state)
{
	struct stage *s = *state;
	struct pki other = pki_make(&(struct pki_spec){ .cn = "A", .ca = true, .eku = "" });
	X509 *forged = cross("B", &s->b, &other); /* the right names, another key */
	X509 *const pairs[][2] = { { s->b_by_a, s->b_by_b },
		                   { s->b_by_b, s->b_by_a },
		                   { forged, s->a_by_b },
		                   { s->a_by_b, forged } };

	for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
		struct base_writer w = made(pairs[i][0], pairs[i][1]);

		refused(w.data, w.len, "each other's issuer");
		base_writer_done(&w);
	}
	X509_free(forged);
	pki_free(&other);
}

static void nothing_to_write(void **state)
{
	struct stage *s = *state;
	struct base_writer w = { .limit = 100 };

	assert_int_equal(base_err_class(x509_cross_pair_write(&(struct x509_cross_pair){ 0 }, &w)),
	                 BASE_LOCAL);
	base_writer_reset(&w);
	assert_int_equal(base_err_class(x509_cross_pair_write(
	                         &(struct x509_cross_pair){ s->b_by_a, NULL }, &w)),
	                 BASE_LOCAL); /* no room */
	base_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(as_libcrypto_encodes_it),
		cmocka_unit_test(broken_forms),   cmocka_unit_test(too_long),
		cmocka_unit_test(strangers),      cmocka_unit_test(nothing_to_write),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
