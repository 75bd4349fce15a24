/* SPDX-License-Identifier: Apache-2.0 */
/** @file Is the table of what OpenSSL can do what this machine's OpenSSL says? */
#include <openssl/ssl.h>

#include "lab.h"

static bool listed(const struct profile_codes *codes, uint16_t code)
{
	for (size_t i = 0; i < codes->count; i++)
		if (codes->code[i] == code)
			return true;
	return false;
}

static bool openssl_takes(uint16_t code, const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	STACK_OF(SSL_CIPHER) * all;
	char list[128];
	bool found = false;

	if (profile_suite_tls13(code)) {
		found = SSL_CTX_set_ciphersuites(ctx, name) == 1;
	} else {
		(void)snprintf(list, sizeof(list), "%s:@SECLEVEL=0", name);
		(void)SSL_CTX_set_ciphersuites(ctx, "");
		if (SSL_CTX_set_cipher_list(ctx, list) == 1) {
			all = SSL_CTX_get_ciphers(ctx);
			found = sk_SSL_CIPHER_num(all) == 1 &&
			        SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(all, 0)) == code;
		}
	}
	SSL_CTX_free(ctx);
	return found;
}

static void suites(void **state)
{
	const struct profile_engine_caps *caps = tls_engine_caps(TLS_ENGINE_OPENSSL);
	const struct profile_suite *all;
	size_t count;

	(void)state;
	all = profile_suite_all(&count);
	for (size_t i = 0; i < count; i++) {
		bool takes = all[i].openssl && openssl_takes(all[i].code, all[i].openssl);

		if (takes != listed(&caps->suites, all[i].code))
			fail_msg("%s: OpenSSL %s, the table does not agree", all[i].name,
			         takes ? "can" : "cannot");
	}
}

static void groups(void **state)
{
	const struct profile_engine_caps *caps = tls_engine_caps(TLS_ENGINE_OPENSSL);
	const struct profile_code *all;
	size_t count;

	(void)state;
	all = profile_group_all(&count);
	for (size_t i = 0; i < count; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_method());
		bool takes = all[i].openssl && SSL_CTX_set1_groups_list(ctx, all[i].openssl) == 1;

		if (takes != listed(&caps->groups, all[i].code))
			fail_msg("%s: OpenSSL %s, the table does not agree", all[i].name,
			         takes ? "can" : "cannot");
		SSL_CTX_free(ctx);
	}
}

static void signatures(void **state)
{
	const struct profile_engine_caps *caps = tls_engine_caps(TLS_ENGINE_OPENSSL);
	const struct profile_code *all;
	size_t count;

	(void)state;
	all = profile_signature_all(&count);
	for (size_t i = 0; i < count; i++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_method());
		bool takes = all[i].openssl && SSL_CTX_set1_sigalgs_list(ctx, all[i].openssl) == 1;

		if (takes != listed(&caps->signatures, all[i].code))
			fail_msg("%s: OpenSSL %s, the table does not agree", all[i].name,
			         takes ? "can" : "cannot");
		SSL_CTX_free(ctx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites),
		cmocka_unit_test(groups),
		cmocka_unit_test(signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
