/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A peer's certificate chain into trust_decide(), and CRL files into their loader. The first octet
 * chooses; a chain is certificates with their lengths before them as TLS sends them (RFC 5246,
 * 7.4.2).
 */
#include <stdlib.h>

#include "trust/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_CRL = 1, MODE_FINGERPRINT = 2, MODE_SERVER = 4, MODE_NAME = 8, MODE_TOLERATE = 16 };

static void crl_load(struct base_reader *in)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	size_t len = base_reader_left(in);
	struct base_error err = { 0 };

	(void)x509_crls_parse("fuzz", base_reader_take(in, len), len, crls, &err);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}

static void chain_judge(struct base_reader *in, uint8_t mode)
{
	struct x509_fingerprint fp = { X509_HASH_SHA256, { 1 }, 32 };
	struct trust_question question = {
		.methods = TRUST_CA | (mode & MODE_FINGERPRINT ? TRUST_FINGERPRINT : 0),
		.fingerprints = &fp,
		.fingerprint_count = 1,
		.peer_is_server = mode & MODE_SERVER,
		.peer_name = mode & MODE_NAME ? "mg.example" : NULL,
		.continue_on = mode & MODE_TOLERATE ? ~0U : 0,
		.now_s = 1700000000,
	};
	struct base_str chain[20];
	struct trust_verdict verdict;
	size_t count = 0;

	while (base_reader_left(in) > 3 && count < BASE_COUNT(chain)) {
		size_t len = base_reader_u24(in);

		len = BASE_MIN(len, base_reader_left(in));
		chain[count++] = (struct base_str){ (const char *)base_reader_take(in, len), len };
	}
	/* nothing without an anchor or a fingerprint is ever authenticated */
	if (trust_decide(NULL, &question, chain, count, &verdict) == 0 && verdict.authenticated)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader in = base_reader_of(data, size);
	uint8_t mode = base_reader_u8(&in);

	if (in.failed)
		return 0;
	if (mode & MODE_CRL)
		crl_load(&in);
	else
		chain_judge(&in, mode);
	return 0;
}
