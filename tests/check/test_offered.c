/* SPDX-License-Identifier: Apache-2.0 */
/** @file Clients' hellos: what the one part of the checker builds, the other reads. */
#include "check.h"

#include "check/check.h"

static void built_and_read(void **state)
{
	static const uint16_t suites[] = { 0xc02f, 0x002f };
	struct check_offer offer = { .version = PROFILE_TLS_1_2,
		                     .suites = { suites, 2 },
		                     .with = CHECK_WITH_DEFLATE | CHECK_WITH_EMS |
		                             CHECK_WITH_RENEGOTIATION_SCSV };
	struct base_writer w = { 0 };
	struct check_offered o;

	(void)state;
	check_hello_message(&offer, &w);
	assert_true(check_offered_read(&o, (struct check_bytes){ w.data, w.len }));
	assert_int_equal(o.versions, PROFILE_TLS_1_2);
	assert_false(o.listed);
	assert_true(check_codes_hold(o.suites, 0x002f) && check_codes_hold(o.suites, 0x00ff));
	assert_false(check_codes_hold(o.suites, 0x2f00));
	assert_int_equal(o.compressions.len, 2);
	assert_non_null(check_offered_extension(&o, 23));
	assert_true(check_codes_hold(o.groups, 29) && check_codes_hold(o.signatures, 0x0401));
	for (size_t len = 0; len < w.len; len++)
		assert_false(check_offered_read(&o, (struct check_bytes){ w.data, len }));
	offer.version = PROFILE_TLS_1_3;
	base_writer_reset(&w);
	check_hello_message(&offer, &w);
	assert_true(check_offered_read(&o, (struct check_bytes){ w.data, w.len }));
	assert_true(o.listed);
	assert_int_equal(o.versions, PROFILE_TLS_1_3);
	base_writer_done(&w);
}

static void no_hello(void **state)
{
	static const uint8_t server[] = { 2, 0, 0, 0 }, empty[] = { 1, 0, 0, 0 };
	struct check_offered o;

	(void)state;
	assert_false(check_offered_read(&o, (struct check_bytes){ server, sizeof(server) }));
	assert_false(check_offered_read(&o, (struct check_bytes){ empty, sizeof(empty) }));
	assert_false(check_offered_read(&o, (struct check_bytes){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_and_read),
		cmocka_unit_test(no_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
