/* SPDX-License-Identifier: Apache-2.0 */
/** @file Who comes in, by what handshakes cost. */
#include "check.h"
#include "edge/admit.h"

#define FULL    1000 /* us */
#define RESUMED 100

static struct edge_admit admit;

/* @return how many come in from `from_ms` on, within `ms`, when there are always some who wait */
static unsigned come(uint64_t from_ms, uint64_t ms, bool resumed)
{
	unsigned count = 0;

	for (uint64_t now = from_ms; now < from_ms + ms; now++)
		while (!edge_admit_wait(&admit, now)) {
			edge_admit_begun(&admit, now);
			if (resumed)
				edge_admit_resumed(&admit, now);
			count++;
		}
	return count;
}

static void begin(unsigned percent, uint64_t full_us)
{
	memset(&admit, 0, sizeof(admit));
	edge_admit_set(&admit, percent, full_us, RESUMED, 1000);
}

static void share_of_a_core(void **state)
{
	(void)state;
	begin(50, FULL);
	assert_int_equal(come(1000, 1, false), EDGE_ADMIT_BURST_US / FULL);
	/* ten seconds at half a core, 1 ms each */
	assert_in_range(come(1001, 10000, false), 4999, 5001);
}

static void resumed_cost_less(void **state)
{
	unsigned full;

	(void)state;
	begin(50, FULL);
	(void)come(1000, 1, false);
	full = come(1001, 1000, false);
	assert_in_range(come(2001, 1000, true), 9 * full, 11 * full);
}

static void waits_as_long_as_it_takes(void **state)
{
	uint64_t wait_ms;

	(void)state;
	begin(10, FULL);
	(void)come(1000, 1, false);
	wait_ms = edge_admit_wait(&admit, 1000);
	assert_in_range(wait_ms, 1, 10);
	assert_int_not_equal(edge_admit_wait(&admit, 1000 + wait_ms - 1), 0);
	assert_int_equal(edge_admit_wait(&admit, 1000 + wait_ms), 0);
}

static void idle_time_is_no_more_than_a_burst(void **state)
{
	(void)state;
	begin(100, FULL);
	(void)come(1000, 1, false);
	assert_int_equal(come(10000000000ULL, 1, false), EDGE_ADMIT_BURST_US / FULL);
}

static void one_comes_in_however_dear(void **state)
{
	(void)state;
	begin(10, 3ULL * EDGE_ADMIT_BURST_US);
	/* 600 ms each, at a tenth of a core: one in 6 s */
	assert_in_range(come(1000, 60000, false), 9, 11);
}

static void no_limit(void **state)
{
	(void)state;
	begin(0, FULL);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(edge_admit_wait(&admit, 1000), 0);
		edge_admit_begun(&admit, 1000);
	}
}

static void another_share_forgets_nothing(void **state)
{
	(void)state;
	begin(10, FULL);
	(void)come(1000, 1, false);
	edge_admit_set(&admit, 100, FULL, RESUMED, 1000);
	assert_int_equal(come(1000, 1, false), 0);
	assert_in_range(come(1001, 1000, false), 999, 1001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_of_a_core),
		cmocka_unit_test(resumed_cost_less),
		cmocka_unit_test(waits_as_long_as_it_takes),
		cmocka_unit_test(idle_time_is_no_more_than_a_burst),
		cmocka_unit_test(one_comes_in_however_dear),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(another_share_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
