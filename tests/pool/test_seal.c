/* SPDX-License-Identifier: Apache-2.0 */
/** @file What lies in Redis: nothing that helps whoever reads it, nothing of use to who writes it.
 */
#include "check.h"
#include "pool/private.h"

static uint8_t secret_octets[40] = "0123456789abcdef0123456789abcdef01234567";
static const struct base_secret secret = { secret_octets, sizeof(secret_octets) };
static const uint8_t shared[POOL_SECRET] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void there_and_back(void **state)
{
	uint8_t key[32], sealed[2][POOL_SEALED], back[POOL_SECRET] = { 0 };

	(void)state;
	assert_int_equal(pool_seal_key(&secret, "west", key), 0);
	for (int i = 0; i < 2; i++) {
		struct base_str text = { (const char *)sealed[i], POOL_SEALED };

		assert_int_equal(pool_seal(key, "a:1", shared, sealed[i]), 0);
		assert_null(memmem(sealed[i], POOL_SEALED, shared, 8));
		assert_int_equal(pool_unseal(key, "a:1", text, back), 0);
		assert_memory_equal(back, shared, sizeof(back));
	}
	assert_memory_not_equal(sealed[0], sealed[1], POOL_SEALED);
}

/** Another octet anywhere, another length, another place, another pool: refused, nothing given. */
static void nothing_else(void **state)
{
	uint8_t key[32], other[32], sealed[POOL_SEALED + 1], back[POOL_SECRET] = { 0 };
	const uint8_t none[POOL_SECRET] = { 0 };

	(void)state;
	assert_int_equal(pool_seal_key(&secret, "west", key), 0);
	assert_int_equal(pool_seal_key(&secret, "east", other), 0);
	assert_int_equal(pool_seal(key, "a:1", shared, sealed), 0);
	for (size_t i = 0; i < POOL_SEALED; i++) {
		sealed[i] ^= 1;
		assert_int_equal(pool_unseal(key, "a:1",
		                             (struct base_str){ (const char *)sealed, POOL_SEALED },
		                             back),
		                 BASE_ERR(BASE_PEER, 0));
		sealed[i] ^= 1;
	}
	for (size_t len = 0; len <= POOL_SEALED + 1; len++)
		if (len != POOL_SEALED)
			assert_int_not_equal(
			        pool_unseal(key, "a:1",
			                    (struct base_str){ (const char *)sealed, len }, back),
			        0);
	assert_int_not_equal(pool_unseal(key, "a:2",
	                                 (struct base_str){ (const char *)sealed, POOL_SEALED },
	                                 back),
	                     0);
	assert_int_not_equal(pool_unseal(other, "a:1",
	                                 (struct base_str){ (const char *)sealed, POOL_SEALED },
	                                 back),
	                     0);
	assert_memory_equal(back, none, sizeof(back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
