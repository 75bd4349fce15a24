/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "x509/x509.h"

static void loads_chain_and_key(void **state)
{
	struct pki ca = pki_ca("root"), leaf = pki_leaf("mg.example", &ca);
	struct x509_identity *id;
	struct base_str der = pki_der(ca.cert);

	(void)state;
	id = pki_identity(&leaf, (const struct pki *const[]){ &ca, NULL });
	assert_int_equal(X509_cmp(id->cert, leaf.cert), 0);
	assert_int_equal(sk_X509_num(id->chain), 1);
	assert_int_equal(EVP_PKEY_eq(id->key, leaf.key), 1);
	assert_int_equal(id->der_count, 2);
	assert_true(base_str_eq(id->der[1], der));
	assert_ptr_equal(x509_identity_ref(id), id);
	x509_identity_unref(id);
	x509_identity_unref(id);
	x509_identity_unref(NULL);
	pki_der_free(&der);
	pki_free(&leaf);
	pki_free(&ca);
}

static void one_file_may_hold_both(void **state)
{
	struct pki leaf = pki_make(&(struct pki_spec){ .cn = "both" });
	char *dir = pki_dir_new(), *file = pki_path(dir, "both.pem");
	struct x509_identity *id = NULL;
	BIO *bio = BIO_new_file(file, "w");

	(void)state;
	assert_true(PEM_write_bio_PrivateKey(bio, leaf.key, NULL, NULL, 0, NULL, NULL));
	assert_true(PEM_write_bio_X509(bio, leaf.cert));
	BIO_free(bio);
	assert_int_equal(x509_identity_load(&id, file, file, NULL), 0);
	x509_identity_unref(id);
	free(file);
	pki_dir_remove(dir);
	pki_free(&leaf);
}

static void refuse(const char *cert, const char *key, const char *file, const char *why)
{
	struct x509_identity *id = NULL;
	struct base_error err = { 0 };

	assert_int_equal(base_err_class(x509_identity_load(&id, cert, key, &err)), BASE_CONFIG);
	assert_null(id);
	assert_string_equal(err.file, file);
	if (!strstr(err.text, why))
		print_message("%s: %s\n", err.file, err.text);
	assert_non_null(strstr(err.text, why));
}

static void errors_name_file_and_reason(void **state)
{
	struct pki a = pki_make(&(struct pki_spec){ 0 }), b = pki_make(&(struct pki_spec){ 0 });
	char *dir = pki_dir_new();
	char *cert = pki_write_certs(dir, "a.pem", (X509 *[]){ a.cert, NULL });
	char *key = pki_write_key(dir, "a.key", a.key), *other = pki_write_key(dir, "b.key", b.key);
	char *junk = pki_write(dir, "junk", "hello", 5), *locked = pki_path(dir, "locked.key");
	static const char broken[] =
	        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	char *bad = pki_write(dir, "bad.pem", broken, sizeof(broken) - 1);
	BIO *bio = BIO_new_file(locked, "w");

	(void)state;
	assert_true(PEM_write_bio_PrivateKey(bio, a.key, EVP_aes_128_cbc(),
	                                     (const unsigned char *)"pass", 4, NULL, NULL));
	BIO_free(bio);
	refuse("/nonexistent/x.pem", key, "/nonexistent/x.pem", "No such file");
	refuse(dir, key, dir, "not a regular file");
	refuse(junk, key, junk, "neither PEM nor one DER certificate");
	refuse(bad, key, bad, "certificate 1 is malformed");
	refuse(key, key, key, "there is no certificate");
	refuse(cert, cert, cert, "there is no PEM private key");
	refuse(cert, other, other, "does not belong");
	refuse(cert, locked, locked, "encrypted");
	free(cert);
	free(key);
	free(other);
	free(junk);
	free(locked);
	free(bad);
	pki_dir_remove(dir);
	pki_free(&a);
	pki_free(&b);
}

static void open_key_files_are_told(void **state)
{
	struct pki a = pki_make(&(struct pki_spec){ 0 });
	char *dir = pki_dir_new(), *key = pki_write_key(dir, "a.key", a.key), text[512];

	(void)state;
	assert_false(x509_key_file_check(key, text, sizeof(text)));
	assert_int_equal(chmod(key, 0640), 0);
	assert_true(x509_key_file_check(key, text, sizeof(text)));
	assert_non_null(strstr(text, "its group"));
	assert_int_equal(chmod(key, 0644), 0);
	assert_true(x509_key_file_check(key, text, sizeof(text)));
	assert_non_null(strstr(text, "everybody"));
	free(key);
	pki_dir_remove(dir);
	pki_free(&a);
}

static void self_signed_is_as_promised(void **state)
{
	static const enum x509_key_kind kinds[] = { X509_KEY_EC_P256, X509_KEY_EC_P384,
		                                    X509_KEY_RSA_2048, X509_KEY_RSA_3072 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		struct x509_identity *id = NULL;
		bool rsa = kinds[i] == X509_KEY_RSA_2048 || kinds[i] == X509_KEY_RSA_3072;

		assert_int_equal(
		        x509_identity_self_signed(&id, kinds[i], "mg1.example", 3600, NULL), 0);
		assert_int_equal(X509_get_version(id->cert), X509_VERSION_3);
		assert_int_equal(X509_self_signed(id->cert, 1), 1);
		assert_false(ASN1_INTEGER_get(X509_get_serialNumber(id->cert)) == 0);
		assert_int_equal(X509_check_host(id->cert, "mg1.example", 0,
		                                 X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
		                 1);
		assert_int_equal(X509_get_key_usage(id->cert),
		                 KU_DIGITAL_SIGNATURE | (rsa ? KU_KEY_ENCIPHERMENT : 0));
		assert_int_equal(X509_get_extended_key_usage(id->cert),
		                 XKU_SSL_SERVER | XKU_SSL_CLIENT);
		assert_int_equal(X509_check_ca(id->cert), 0);
		assert_true(X509_cmp_current_time(X509_get0_notBefore(id->cert)) < 0);
		assert_true(X509_cmp_current_time(X509_get0_notAfter(id->cert)) > 0);
		x509_identity_unref(id);
	}
}

static void self_signed_refuses_nonsense(void **state)
{
	struct x509_identity *id = NULL;
	struct base_error err = { 0 };
	char longer[66];

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_not_equal(x509_identity_self_signed(&id, X509_KEY_EC_P256, "", 60, &err), 0);
	assert_int_not_equal(x509_identity_self_signed(&id, X509_KEY_EC_P256, "a b", 60, &err), 0);
	assert_int_not_equal(x509_identity_self_signed(&id, X509_KEY_EC_P256, longer, 60, &err), 0);
	assert_int_not_equal(x509_identity_self_signed(&id, X509_KEY_EC_P256, "a", 0, &err), 0);
	assert_null(id);
	/* a comma adds no second name */
	assert_int_equal(
	        x509_identity_self_signed(&id, X509_KEY_EC_P256, "a,DNS:b.example", 60, &err), 0);
	assert_int_equal(X509_check_host(id->cert, "b.example", 0, 0, NULL), 0);
	x509_identity_unref(id);
}

static void names_as_text(void **state)
{
	struct pki a = pki_make(&(struct pki_spec){ .cn = "line\nbreak, and \"quotes\"" });
	char text[64], shorter[10];

	(void)state;
	(void)x509_name_format(X509_get_subject_name(a.cert), text, sizeof(text));
	assert_null(strchr(text, '\n'));
	assert_non_null(strstr(text, "CN=line"));
	(void)x509_name_format(X509_get_subject_name(a.cert), shorter, sizeof(shorter));
	assert_string_equal(shorter, "CN=lin...");
	pki_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_chain_and_key),
		cmocka_unit_test(one_file_may_hold_both),
		cmocka_unit_test(errors_name_file_and_reason),
		cmocka_unit_test(open_key_files_are_told),
		cmocka_unit_test(self_signed_is_as_promised),
		cmocka_unit_test(self_signed_refuses_nonsense),
		cmocka_unit_test(names_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
