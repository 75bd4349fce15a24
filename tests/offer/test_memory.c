/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: every allocation of ours in an exchange, and in a later one, fails once. What
 * comes of it is success or BASE_LOCAL, and under ASan no leak.
 */
#include "../scarce.h"
#include "stage.h"

static int play(struct stage *s)
{
	struct offer_session *made = NULL;
	int rc = offer_new(&made, &s->alice, &s->room.id, stage_user, 2, &s->err);

	s->caller = made;
	made = NULL;
	if (!rc)
		rc = offer_new(&made, &s->room, &s->alice.id, stage_room, 2, &s->err);
	s->called = made;
	if (!rc)
		rc = stage_play(s);
	if (!rc) {
		offer_renew(s->caller, 0);
		rc = stage_play(s);
	}
	return rc;
}

static void every_allocation(void **state)
{
	long n = 0;

	(void)state;
	do {
		struct stage s;
		int rc;

		stage_open(&s, 4);
		scarce_after(n++, false);
		rc = play(&s);
		scarce_after(-1, false);
		if (rc && base_err_class(rc) != BASE_LOCAL)
			fail_msg("allocation %ld: %s", n, s.err.text);
		if (rc)
			assert_true(scarce_failed());
		stage_close(&s);
	} while (scarce_failed());
	assert_true(n > 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
