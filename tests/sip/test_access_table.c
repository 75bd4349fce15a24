/* SPDX-License-Identifier: Apache-2.0 */
/** @file The table of the UE's registration: complete, and drawn in docs/state-ue.md. */
#include <stdio.h>

#include "check.h"
#include "sip/access_table.h"

#define PICTURE "docs/state-ue.md"

static struct access_step on(unsigned state, unsigned event)
{
	return sip_access_step((enum access_state)state, (enum access_event)event);
}

static void walk(unsigned state, bool seen[ACCESS_STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned e = 0; e < ACCESS_EVENTS; e++)
		if (on(state, e).legal)
			walk(on(state, e).next, seen);
}

static void states_have_ways_in_and_out(void **state)
{
	bool seen[ACCESS_STATES] = { false };

	(void)state;
	walk(ACCESS_IDLE, seen);
	for (unsigned s = 0; s < ACCESS_STATES; s++) {
		bool away[ACCESS_STATES] = { false };

		assert_true(seen[s]);
		walk(s, away);
		assert_true(away[ACCESS_IDLE]);
	}
}

/** A flow that is lost leaves nothing behind, wherever there is one; nor does being told to stop.
 */
static void a_lost_flow_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned s = 0; s < ACCESS_STATES; s++) {
		if (!sip_access_has_flow((enum access_state)s) || s == ACCESS_CONNECTING)
			continue;
		assert_true(on(s, ACCESS_EV_LOST).legal);
		assert_true(on(s, ACCESS_EV_LOST).action == ACCESS_DO_RECONNECT ||
		            on(s, ACCESS_EV_LOST).action == ACCESS_DO_BACK_OFF ||
		            on(s, ACCESS_EV_LOST).action == ACCESS_DO_CLOSE);
		assert_true(s == ACCESS_REGISTERING || on(s, ACCESS_EV_LOST_SOON).legal);
	}
}

/** TS 33.203, O.3: a failed Digest ends TLS and its session in every state; what can be answered is
 * answered where we are. */
static void digest_decides(void **state)
{
	(void)state;
	for (unsigned s = 0; s < ACCESS_STATES; s++) {
		if (!on(s, ACCESS_EV_CHALLENGED).legal)
			continue;
		assert_int_equal(on(s, ACCESS_EV_CHALLENGED).next, s);
		assert_int_equal(on(s, ACCESS_EV_CHALLENGED).action, ACCESS_DO_ANSWER);
		assert_true(on(s, ACCESS_EV_DIGEST).action == ACCESS_DO_BACK_OFF ||
		            on(s, ACCESS_EV_DIGEST).action == ACCESS_DO_CLOSE);
	}
}

static void drawn(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer w = { 0 };
	char path[4096], *page = NULL;
	size_t cap = 0;
	FILE *f;

	(void)state;
	base_writer_text(
	        &w, "# States of a registration over a connection of its own\n\nDrawn from the "
	            "table in `src/sip/access_table.c` by `tests/sip/test_access_table.c`; "
	            "rewrite with `UPDATE=1`.\nWhat it is: [ue.md](ue.md). Events without a "
	            "row are passed over. \"remove\" ends the connection, and its\nTLS session "
	            "is resumed by nobody (TS 33.203, Annex O); that of a registration which "
	            "stood, and whose\n"
	            "connection was lost, may be.\n\n");
	sip_access_print(&w);
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
		cmocka_unit_test(a_lost_flow_leaves_nothing),
		cmocka_unit_test(digest_decides),
		cmocka_unit_test(drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
