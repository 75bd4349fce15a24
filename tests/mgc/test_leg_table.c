/* SPDX-License-Identifier: Apache-2.0 */
/** @file The table of a member's call: complete, and drawn in docs/state-mrfc.md. */
#include <stdio.h>

#include "check.h"
#include "mgc/leg_table.h"

#define PICTURE "docs/state-mrfc.md"

static void walk(enum leg_state state, bool seen[LEG_STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned e = 0; e < LEG_EVENTS; e++) {
		struct leg_step step = mgc_leg_step(state, (enum leg_event)e);

		if (step.legal)
			walk((enum leg_state)step.next, seen);
	}
}

static void states_have_ways_in_and_out(void **state)
{
	bool seen[LEG_STATES] = { false };

	(void)state;
	walk(LEG_IDLE, seen);
	for (unsigned s = 0; s < LEG_STATES; s++) {
		bool on[LEG_STATES] = { false };

		assert_true(seen[s]);
		walk((enum leg_state)s, on);
		assert_true(on[LEG_GONE]);
	}
}

/** Whatever becomes of call, MRFP or our own will, no state keeps a member: "failure of either
 * leg, MRFP loss: everything released". */
static void every_state_ends(void **state)
{
	static const enum leg_event ends[] = { LEG_EV_OVER, LEG_EV_END, LEG_EV_LOST };

	(void)state;
	for (unsigned s = LEG_JUDGING; s < LEG_GONE; s++)
		for (size_t i = 0; i < BASE_COUNT(ends); i++) {
			struct leg_step step = mgc_leg_step((enum leg_state)s, ends[i]);

			if (s == LEG_CLOSING && ends[i] == LEG_EV_END)
				continue; /* it does already */
			assert_true(step.legal);
			assert_int_equal(step.next, LEG_CLOSING);
			assert_int_equal(step.action,
			                 s == LEG_CLOSING ? LEG_DO_SETTLE : LEG_DO_CLOSE);
		}
}

/** A bearer that fails ends the call wherever there is one. */
static void a_bearer_that_fails_ends_the_call(void **state)
{
	(void)state;
	for (unsigned s = LEG_ANSWERING; s < LEG_CLOSING; s++)
		if (s != LEG_RESERVING && s != LEG_ASKING && s != LEG_READING)
			assert_int_equal(mgc_leg_step((enum leg_state)s, LEG_EV_FAILED).next,
			                 LEG_CLOSING);
}

static void who_waits_has_a_timer(void **state)
{
	(void)state;
	for (unsigned s = 0; s < LEG_STATES; s++)
		if (mgc_leg_state_timed((enum leg_state)s))
			assert_int_equal(mgc_leg_step((enum leg_state)s, LEG_EV_LATE).next,
			                 LEG_CLOSING);
}

/** A later offer that fails leaves the session as it was (RFC 3264, 8; RFC 3261, 14.1). */
static void a_later_offer_that_fails_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(mgc_leg_step(LEG_REJUDGING, LEG_EV_UNKEYED).next, LEG_UP);
	assert_int_equal(mgc_leg_step(LEG_REASKING, LEG_EV_UNKEYED).next, LEG_UP);
	assert_int_equal(mgc_leg_step(LEG_REJUDGING, LEG_EV_UNKEYED).action, LEG_DO_DECLINE);
}

static void drawn(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer w = { 0 };
	char path[4096], *page = NULL;
	size_t cap = 0;
	FILE *f;

	(void)state;
	base_writer_text(&w,
	                 "# States of a member's call at the MRFC\n\nDrawn from the table in "
	                 "`src/mgc/leg_table.c` by `tests/mgc/test_leg_table.c`; rewrite "
	                 "with `UPDATE=1`.\nWhat the states and actions mean: [mgc.md](mgc.md). "
	                 "Events without a row are passed over.\n\n");
	mgc_leg_print(&w);
	(void)snprintf(path, sizeof(path), "%s/%s", root ? root : ".", PICTURE);
	if (getenv("UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		(void)fwrite(w.data, 1, w.len, f);
		(void)fclose(f);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(getdelim(&page, &cap, 0, f) > 0);
	(void)fclose(f);
	assert_string_equal(page, base_writer_cstr(&w));
	free(page);
	base_writer_done(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_have_ways_in_and_out),
		cmocka_unit_test(every_state_ends),
		cmocka_unit_test(a_bearer_that_fails_ends_the_call),
		cmocka_unit_test(who_waits_has_a_timer),
		cmocka_unit_test(a_later_offer_that_fails_changes_nothing),
		cmocka_unit_test(drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
