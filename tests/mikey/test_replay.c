/* SPDX-License-Identifier: Apache-2.0 */
/** @file The replay cache: what it has seen never gets in again, whatever it forgot. */
#include "check.h"

#include "mikey/replay.h"

static void digest_of(uint32_t n, uint8_t ret[MIKEY_REPLAY_DIGEST])
{
	memset(ret, 0, MIKEY_REPLAY_DIGEST);
	memcpy(ret, &n, sizeof(n));
}

static void seen_once(void **state)
{
	struct mikey_replay *r = mikey_replay_new(8);
	uint8_t d[MIKEY_REPLAY_DIGEST];

	(void)state;
	digest_of(1, d);
	assert_false(mikey_replay_seen(r, 100, d));
	assert_int_equal(mikey_replay_add(r, 100, 0, d), 0);
	assert_true(mikey_replay_seen(r, 100, d));
	digest_of(2, d);
	assert_false(mikey_replay_seen(r, 100, d));
	mikey_replay_free(r);
	mikey_replay_free(NULL);
	assert_false(mikey_replay_seen(NULL, 100, d));
	assert_int_equal(mikey_replay_add(NULL, 100, 0, d), 0);
}

/* Any order of times, many more than fit: bounded, and nothing twice. */
static void bounded_and_tight(void **state)
{
	enum { MAX = 64, ALL = 5000 };
	struct mikey_replay *r = mikey_replay_new(MAX);
	uint64_t t[ALL], base = (uint64_t)-1000 << 20; /* goes round in between */
	uint32_t random = 12345, taken = 0;
	uint8_t d[MIKEY_REPLAY_DIGEST];
	bool in[ALL];

	(void)state;
	for (uint32_t i = 0; i < ALL; i++) {
		random = random * 1664525 + 1013904223;
		t[i] = base + ((uint64_t)i << 20) + (random % 64 << 20);
		digest_of(i, d);
		in[i] = !mikey_replay_seen(r, t[i], d);
		if (in[i])
			assert_int_equal(mikey_replay_add(r, t[i], base, d), 0);
		taken += in[i];
		assert_true(mikey_replay_count(r) <= MAX);
		if (i % 97)
			continue;
		for (uint32_t k = 0; k <= i; k++) {
			digest_of(k, d);
			if (in[k])
				assert_true(mikey_replay_seen(r, t[k], d));
		}
	}
	assert_true(taken > ALL / 2);
	mikey_replay_free(r);
}

static void what_is_out_of_the_window_goes(void **state)
{
	struct mikey_replay *r = mikey_replay_new(64);
	uint8_t d[MIKEY_REPLAY_DIGEST];

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		digest_of(i, d);
		assert_int_equal(mikey_replay_add(r, i, 0, d), 0);
	}
	digest_of(50, d);
	assert_int_equal(mikey_replay_add(r, 50, 40, d), 0);
	assert_int_equal(mikey_replay_count(r), 11);
	digest_of(3, d);
	assert_true(mikey_replay_seen(r, 3, d));
	digest_of(45, d);
	assert_true(mikey_replay_seen(r, 45, d));
	mikey_replay_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_once),
		cmocka_unit_test(bounded_and_tight),
		cmocka_unit_test(what_is_out_of_the_window_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
