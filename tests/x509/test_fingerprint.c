/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "x509/x509.h"

static struct base_str str(const char *text)
{
	return base_str_of(text);
}

static void made_over_der(void **state)
{
	struct x509_fingerprint fp;
	char text[X509_FINGERPRINT_TEXT];

	(void)state;
	/* FIPS 180-2, B.1: SHA-256("abc") */
	assert_int_equal(x509_fingerprint_make(X509_HASH_SHA256, (const uint8_t *)"abc", 3, &fp),
	                 0);
	assert_string_equal(x509_fingerprint_format(&fp, text),
	                    "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:"
	                    "7A:9C:B4:10:FF:61:F2:00:15:AD");
	for (unsigned i = 0; i < X509_HASH_COUNT; i++) {
		assert_int_equal(
		        x509_fingerprint_make((enum x509_hash)i, (const uint8_t *)"abc", 3, &fp),
		        0);
		assert_int_equal(fp.len, x509_hash_len((enum x509_hash)i));
	}
}

static void reads_what_it_writes(void **state)
{
	struct x509_fingerprint fp, back;
	char text[X509_FINGERPRINT_TEXT];

	(void)state;
	for (unsigned i = 0; i < X509_HASH_COUNT; i++) {
		enum x509_hash hash = (enum x509_hash)i;

		assert_int_equal(x509_fingerprint_make(hash, (const uint8_t *)"x", 1, &fp), 0);
		assert_int_equal(x509_fingerprint_parse(str(x509_hash_name(hash)),
		                                        str(x509_fingerprint_format(&fp, text)),
		                                        &back),
		                 0);
		assert_true(x509_fingerprint_equal(&fp, &back));
		back.octets[back.len - 1] ^= 1;
		assert_false(x509_fingerprint_equal(&fp, &back));
	}
}

static void grammar_is_exact(void **state)
{
	/* RFC 8122, 5, Figure 2 */
	static const char *const bad[][2] = {
		{ "md5", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B" },
		{ "md2", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B" },
		{ "sha256", "4A" },
		{ "sha-1", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C" },
		{ "sha-1", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:00" },
		{ "sha-1", "4a:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB" },
		{ "sha-1", "4AAD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:" },
		{ "sha-1", "4A-AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB" },
		{ "sha-1", "" },
	};
	struct x509_fingerprint fp;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_equal(
		        base_err_class(x509_fingerprint_parse(str(bad[i][0]), str(bad[i][1]), &fp)),
		        BASE_PEER);
	assert_int_equal(x509_fingerprint_parse(
	                         str("SHA-1"),
	                         str("4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"),
	                         &fp),
	                 0);
	assert_int_equal(fp.octets[19], 0xab);
}

static void hashes_differ(void **state)
{
	struct x509_fingerprint a = { X509_HASH_SHA1, { 0 }, 20 }, b = a;

	(void)state;
	assert_true(x509_fingerprint_equal(&a, &b));
	b.hash = X509_HASH_SHA224;
	assert_false(x509_fingerprint_equal(&a, &b));
	a.len = b.len = 0;
	b.hash = a.hash;
	assert_false(x509_fingerprint_equal(&a, &b)); /* an empty one proves nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_over_der),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(grammar_is_exact),
		cmocka_unit_test(hashes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
