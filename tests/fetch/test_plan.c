/* SPDX-License-Identifier: Apache-2.0 */
/** @file The schedule on a virtual clock: days pass in a loop, nothing waits. */
#include "check.h"
#include "fetch/plan.h"

#define S   1000LL
#define MIN (60 * S)
#define H   (60 * MIN)
#define DAY (24 * H)
#define T0  (1800000000LL * S)

static const struct fetch_plan_rules rules = { .refresh_ms = 6 * H,
	                                       .retry_ms = 30 * S,
	                                       .retry_max_ms = 10 * MIN };

static void a_start_is_spread(void **state)
{
	int64_t first = INT64_MAX, last = 0;
	struct fetch_plan plan;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		fetch_plan_init(&plan, seed * 0x9e3779b97f4a7c15U, T0, 10 * S);
		assert_in_range(plan.due_ms, T0, T0 + 10 * S - 1);
		first = plan.due_ms < first ? plan.due_ms : first;
		last = plan.due_ms > last ? plan.due_ms : last;
	}
	assert_true(last - first > 8 * S);
}

static void not_later_than_refresh(void **state)
{
	struct fetch_plan plan;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		fetch_plan_init(&plan, seed, T0, 0);
		assert_true(fetch_plan_due(&plan, T0));
		fetch_plan_good(&plan, &rules, T0, T0 - H, T0 + 7 * DAY);
		assert_in_range(plan.due_ms, T0 + 6 * H - 36 * MIN - 1, T0 + 6 * H);
		assert_false(fetch_plan_due(&plan, plan.due_ms - 1));
		assert_true(fetch_plan_due(&plan, plan.due_ms));
	}
}

/* A CRL of 8 hours is fetched again when 2 are left, though refresh would allow more. */
static void ahead_of_next_update(void **state)
{
	struct fetch_plan plan;

	(void)state;
	fetch_plan_init(&plan, 7, T0, 0);
	fetch_plan_good(&plan, &rules, T0, T0, T0 + 7 * H);
	assert_true(plan.due_ms <= T0 + 7 * H - 7 * H / 4);
	assert_true(plan.due_ms >= T0 + 4 * H);
}

/* The CA is late: the same CRL comes again and again, and is asked for ever more often. */
static void more_often_towards_the_end(void **state)
{
	struct fetch_plan plan;
	int64_t now = T0, last = INT64_MAX;
	unsigned asked = 0;

	(void)state;
	fetch_plan_init(&plan, 7, T0, 0);
	while (now < T0 + 8 * H) {
		fetch_plan_good(&plan, &rules, now, T0, T0 + 8 * H);
		assert_true(plan.due_ms > now);
		if (now > T0 + 7 * H && last != INT64_MAX)
			assert_true(plan.due_ms - now <= last + last / 5);
		last = plan.due_ms - now;
		now = plan.due_ms;
		asked++;
	}
	assert_in_range(asked, 10, 80);
}

/* From when on "unchanged" is no answer. */
static void near_its_end(void **state)
{
	struct fetch_plan plan = { .random = 1 };

	(void)state;
	assert_true(fetch_plan_near_end(&plan, T0)); /* nothing is there */
	fetch_plan_know(&plan, T0, T0 + 8 * DAY);
	assert_false(fetch_plan_near_end(&plan, T0));
	assert_false(fetch_plan_near_end(&plan, T0 + 6 * DAY - 1));
	assert_true(fetch_plan_near_end(&plan, T0 + 6 * DAY));
	assert_true(fetch_plan_near_end(&plan, T0 + 9 * DAY));
}

static void backoff_grows_and_ends(void **state)
{
	struct fetch_plan plan;
	int64_t now = T0;

	(void)state;
	fetch_plan_init(&plan, 99, T0, 0);
	for (unsigned i = 0; i < 40; i++) {
		int64_t full = 30 * S << (i < 6 ? i : 6);

		full = full < 10 * MIN ? full : 10 * MIN;
		fetch_plan_bad(&plan, &rules, now);
		assert_in_range(plan.due_ms - now, full / 2 - 1, full);
		assert_int_equal(plan.failures, i + 1);
		now = plan.due_ms;
	}
	fetch_plan_good(&plan, &rules, now, now, now + 7 * DAY);
	assert_int_equal(plan.failures, 0);
	fetch_plan_bad(&plan, &rules, now);
	assert_in_range(plan.due_ms - now, 15 * S - 1, 30 * S);
}

/* However long it has failed: while the CRL lives there are tries left. */
static void backoff_knows_the_end(void **state)
{
	const struct fetch_plan_rules slow = { .refresh_ms = DAY,
		                               .retry_ms = S,
		                               .retry_max_ms = DAY };
	struct fetch_plan plan;
	int64_t now = T0;
	unsigned tries = 0;

	(void)state;
	fetch_plan_init(&plan, 5, T0, 0);
	fetch_plan_good(&plan, &slow, now, T0, T0 + 2 * DAY);
	for (now = T0 + DAY; now < T0 + 2 * DAY; now = plan.due_ms) {
		fetch_plan_bad(&plan, &slow, now);
		tries += now > T0 + 2 * DAY - H;
	}
	assert_in_range(tries, 10, 200);
}

static void two_do_not_march_in_step(void **state)
{
	struct fetch_plan a, b;

	(void)state;
	fetch_plan_init(&a, 1, T0, 0);
	fetch_plan_init(&b, 2, T0, 0);
	for (unsigned i = 0; i < 5; i++) {
		fetch_plan_bad(&a, &rules, T0);
		fetch_plan_bad(&b, &rules, T0);
		assert_true(a.due_ms != b.due_ms);
	}
}

static void a_clock_set_back_is_no_pause(void **state)
{
	struct fetch_plan plan;

	(void)state;
	fetch_plan_init(&plan, 3, T0, 0);
	fetch_plan_good(&plan, &rules, T0, T0, T0 + 7 * DAY);
	assert_false(fetch_plan_due(&plan, T0 + MIN));
	assert_true(fetch_plan_due(&plan, T0 - 30 * DAY));
	fetch_plan_bad(&plan, &rules, T0 - 30 * DAY);
	assert_false(fetch_plan_due(&plan, T0 - 30 * DAY + S));
	assert_true(fetch_plan_due(&plan, T0 - 30 * DAY + 30 * S));
}

/* Two weeks of a CA that makes a CRL of three days each day, its server down for a day and a half
 * in the middle, a delta CRL of an hour beside it. The cache is never without a CRL in date. */
static void two_weeks(void **state)
{
	struct source {
		struct fetch_plan plan;
		struct fetch_plan_rules rules;
		int64_t made, life, period;
		unsigned asked, gaps;
	} sources[2] = {
		{ .rules = rules, .life = 3 * DAY, .period = DAY },
		{ .rules = { 5 * MIN, 30 * S, 10 * MIN }, .life = 2 * H, .period = H },
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		fetch_plan_init(&sources[i].plan, i + 1, T0, 10 * S);
	for (int64_t now = T0; now < T0 + 14 * DAY; now += S)
		for (unsigned i = 0; i < 2; i++) {
			struct source *s = &sources[i];
			bool down = i == 0 && now > T0 + 6 * DAY && now < T0 + 6 * DAY + 36 * H;
			int64_t made = T0 + (now - T0) / s->period * s->period;

			s->gaps += now > T0 + MIN && now >= s->plan.next_update_ms;
			if (!fetch_plan_due(&s->plan, now))
				continue;
			s->asked++;
			if (down)
				fetch_plan_bad(&s->plan, &s->rules, now);
			else
				fetch_plan_good(&s->plan, &s->rules, now, made, made + s->life);
		}
	assert_int_equal(sources[0].gaps, 0);
	assert_int_equal(sources[1].gaps, 0);
	assert_in_range(sources[0].asked, 50, 600);
	assert_in_range(sources[1].asked, 14 * 24 * 12, 14 * 24 * 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_is_spread),
		cmocka_unit_test(not_later_than_refresh),
		cmocka_unit_test(ahead_of_next_update),
		cmocka_unit_test(more_often_towards_the_end),
		cmocka_unit_test(near_its_end),
		cmocka_unit_test(backoff_grows_and_ends),
		cmocka_unit_test(backoff_knows_the_end),
		cmocka_unit_test(two_do_not_march_in_step),
		cmocka_unit_test(a_clock_set_back_is_no_pause),
		cmocka_unit_test(two_weeks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
