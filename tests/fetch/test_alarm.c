/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "fetch/alarm.h"

#define H   3600000LL
#define DAY (24 * H)
#define T0  1800000000000LL

static const struct fetch_alarm_rules rules = { .warn_ms = 24 * H,
	                                        .critical_ms = 4 * H,
	                                        .remind_ms = H };

static void levels(void **state)
{
	static const struct {
		int64_t left;
		enum fetch_alarm level;
	} rows[] = {
		{ 7 * DAY, FETCH_FRESH },  { DAY + 1, FETCH_FRESH },      { DAY, FETCH_WARN },
		{ 4 * H + 1, FETCH_WARN }, { 4 * H, FETCH_CRITICAL },     { 1, FETCH_CRITICAL },
		{ 0, FETCH_EXPIRED },      { -365 * DAY, FETCH_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		        fetch_alarm_level(&rules, T0, T0 + 7 * DAY, T0 + 7 * DAY - rows[i].left),
		        rows[i].level);
}

/* A delta of an hour would else be critical from its first minute. */
static void short_lives(void **state)
{
	(void)state;
	assert_int_equal(fetch_alarm_level(&rules, T0, T0 + H, T0), FETCH_FRESH);
	assert_int_equal(fetch_alarm_level(&rules, T0, T0 + H, T0 + H * 2 / 3 - 1), FETCH_FRESH);
	assert_int_equal(fetch_alarm_level(&rules, T0, T0 + H, T0 + H * 2 / 3), FETCH_WARN);
	assert_int_equal(fetch_alarm_level(&rules, T0, T0 + H, T0 + H * 5 / 6), FETCH_CRITICAL);
}

/* The whole life of a CRL that nobody renews, minute by minute: who is told what, how often. */
static void said_in_time(void **state)
{
	struct fetch_alarm_state alarm = { 0 };
	unsigned said[FETCH_ALARMS] = { 0 };
	int64_t first[FETCH_ALARMS] = { 0 };

	(void)state;
	for (int64_t now = T0; now < T0 + 8 * DAY; now += 60000) {
		enum fetch_alarm level = fetch_alarm_level(&rules, T0, T0 + 7 * DAY, now);

		if (!fetch_alarm_step(&alarm, &rules, level, now))
			continue;
		if (!said[level]++)
			first[level] = now;
	}
	assert_int_equal(said[FETCH_FRESH], 0);
	assert_int_equal(said[FETCH_WARN], 20); /* at once, then hourly */
	assert_int_equal(said[FETCH_CRITICAL], 4);
	assert_int_equal(said[FETCH_EXPIRED], 24);
	assert_int_equal(first[FETCH_WARN], T0 + 6 * DAY);
	assert_int_equal(first[FETCH_CRITICAL], T0 + 7 * DAY - 4 * H);
	assert_int_equal(first[FETCH_EXPIRED], T0 + 7 * DAY);
}

static void the_end_of_an_alarm_is_said_once(void **state)
{
	struct fetch_alarm_state alarm = { 0 };

	(void)state;
	assert_false(fetch_alarm_step(&alarm, &rules, FETCH_FRESH, T0));
	assert_true(fetch_alarm_step(&alarm, &rules, FETCH_MISSING, T0));
	assert_false(fetch_alarm_step(&alarm, &rules, FETCH_MISSING, T0 + H - 1));
	assert_true(fetch_alarm_step(&alarm, &rules, FETCH_MISSING, T0 + H));
	assert_true(fetch_alarm_step(&alarm, &rules, FETCH_FRESH, T0 + H + 1));
	assert_false(fetch_alarm_step(&alarm, &rules, FETCH_FRESH, T0 + 9 * H));
}

static void a_clock_set_back_silences_nobody(void **state)
{
	struct fetch_alarm_state alarm = { 0 };

	(void)state;
	assert_true(fetch_alarm_step(&alarm, &rules, FETCH_WARN, T0));
	assert_true(fetch_alarm_step(&alarm, &rules, FETCH_WARN, T0 - DAY));
	assert_false(fetch_alarm_step(&alarm, &rules, FETCH_WARN, T0 - DAY + 1));
}

static void names_stay(void **state)
{
	(void)state;
	assert_string_equal(fetch_alarm_name(FETCH_FRESH), "crl-fresh");
	assert_string_equal(fetch_alarm_name(FETCH_WARN), "crl-expires-soon");
	assert_string_equal(fetch_alarm_name(FETCH_CRITICAL), "crl-expires-very-soon");
	assert_string_equal(fetch_alarm_name(FETCH_EXPIRED), "crl-expired");
	assert_string_equal(fetch_alarm_name(FETCH_MISSING), "crl-missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(short_lives),
		cmocka_unit_test(said_in_time),
		cmocka_unit_test(the_end_of_an_alarm_is_said_once),
		cmocka_unit_test(a_clock_set_back_silences_nobody),
		cmocka_unit_test(names_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
