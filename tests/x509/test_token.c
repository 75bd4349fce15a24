/* SPDX-License-Identifier: Apache-2.0 */
/** @file A key in a token as libcrypto sees it. The programs' view is blackbox/token. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "check.h"
#include "pki.h"
#include "x509/x509.h"

#define THREADS 8
#define ROUNDS  40

static char *folder;

/* SoftHSM's module; NULL = not installed, or a build without PKCS#11. */
static const char *module(void)
{
	static const char *const places[] = {
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	};

	for (size_t i = 0; HAVE_P11_KIT && i < BASE_COUNT(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

static char *uri(const char *object)
{
	static char text[512];

	(void)snprintf(text, sizeof(text),
	               "pkcs11:token=unit;object=%s?module-path=%s&pin-source=file:%s/pin", object,
	               module() ? module() : "", folder ? folder : "");
	return text;
}

static void file_write(const char *name, const char *text)
{
	char *path = pki_path(folder, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

/* SoftHSM with a token in a folder of its own; skipped where it is not installed. */
static int token_make(void **state)
{
	char text[512];

	(void)state;
	if (!module() || system("softhsm2-util --version >/dev/null 2>&1") != 0)
		return 0;
	folder = pki_dir_new();
	(void)snprintf(text, sizeof(text), "directories.tokendir = %s\n", folder);
	file_write("conf", text);
	file_write("pin", "2468\n");
	(void)snprintf(text, sizeof(text), "%s/conf", folder);
	if (setenv("SOFTHSM2_CONF", text, 1))
		return -1;
	return system("softhsm2-util --init-token --free --label unit --pin 2468 --so-pin 1357 "
	              ">/dev/null");
}

static int token_remove(void **state)
{
	char text[512];

	(void)state;
	if (!folder)
		return 0;
	(void)snprintf(text, sizeof(text), "rm -r '%s'", folder);
	free(folder);
	return system(text);
}

static EVP_PKEY *made(enum x509_key_kind kind, const char *object)
{
	struct base_error err = { 0 };
	EVP_PKEY *key = NULL;

	if (!folder)
		skip(); /* SoftHSM is not installed (package softhsm2), or no PKCS#11 was built */
	if (x509_key_make_in_token(&key, kind, uri(object), NULL, NULL, &err))
		fail_msg("%s", err.text);
	return key;
}

static void signs(EVP_PKEY *key, const EVP_MD *digest)
{
	static const char text[] = "to be signed";
	unsigned char signature[512];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, digest, NULL, key), 1);
	assert_int_equal(
	        EVP_DigestSign(ctx, signature, &len, (const unsigned char *)text, sizeof(text)), 1);
	EVP_MD_CTX_free(ctx);
	ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key), 1);
	assert_int_equal(
	        EVP_DigestVerify(ctx, signature, len, (const unsigned char *)text, sizeof(text)),
	        1);
	EVP_MD_CTX_free(ctx);
}

/* A digest that is longer than the curve's order is cut, as FIPS 186-4, 6.4 has it. */
static void kinds(void **state)
{
	static const struct {
		enum x509_key_kind kind;
		const char *name;
	} rows[] = { { X509_KEY_EC_P256, "p256" },
		     { X509_KEY_EC_P384, "p384" },
		     { X509_KEY_RSA_2048, "rsa" } };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		EVP_PKEY *key = made(rows[i].kind, rows[i].name), *again = NULL;

		signs(key, EVP_sha256());
		signs(key, EVP_sha512());
		assert_int_equal(x509_key_load(&again, uri(rows[i].name), NULL, NULL, NULL), 0);
		assert_int_equal(EVP_PKEY_eq(key, again), 1);
		EVP_PKEY_free(key); /* its session ends; the other one's does not */
		signs(again, EVP_sha256());
		EVP_PKEY_free(again);
	}
}

static void *sign_on(void *key)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		signs(key, EVP_sha256());
	return NULL;
}

static void from_many_threads(void **state)
{
	EVP_PKEY *key = made(X509_KEY_EC_P256, "threads");
	pthread_t thread[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, sign_on, key), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	EVP_PKEY_free(key);
}

/* There is nothing of the private half here to be written. */
static void nothing_comes_out(void **state)
{
	struct base_writer w = { .wipe = true };
	EVP_PKEY *key = made(X509_KEY_EC_P384, "out");
	unsigned char *der = NULL;

	(void)state;
	assert_int_not_equal(x509_key_write(key, &w), 0);
	base_writer_done(&w);
	assert_true(i2d_PrivateKey(key, &der) <= 0);
	ERR_clear_error();
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static void names(void **state)
{
	(void)state;
	assert_true(x509_key_is_uri("pkcs11:token=a"));
	assert_true(x509_key_is_uri("PKCS11:token=a"));
	assert_false(x509_key_is_uri("pkcs11"));
	assert_false(x509_key_is_uri("/etc/pkcs11:key.pem"));
	assert_false(x509_key_is_uri(""));
}

static int asked(void *arg, const char *token, struct base_secret *ret)
{
	unsigned *count = arg;

	++*count;
	assert_string_equal(token, "unit");
	return base_secret_set(ret, "2468", 4);
}

/* Who has no pin-source is asked, once a key. */
static void asks(void **state)
{
	EVP_PKEY *key = made(X509_KEY_EC_P256, "asks"), *again = NULL;
	char text[256];
	unsigned count = 0;

	(void)state;
	EVP_PKEY_free(key);
	(void)snprintf(text, sizeof(text), "pkcs11:token=unit;object=asks?module-path=%s",
	               module() ? module() : "");
	assert_int_equal(x509_key_load(&again, text, asked, &count, NULL), 0);
	assert_int_equal(count, 1);
	signs(again, EVP_sha256());
	EVP_PKEY_free(again);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(kinds),
		cmocka_unit_test(from_many_threads),
		cmocka_unit_test(nothing_comes_out),
		cmocka_unit_test(asks),
	};

	return cmocka_run_group_tests(tests, token_make, token_remove);
}
