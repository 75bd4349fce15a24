/* SPDX-License-Identifier: Apache-2.0 */
/** @file The table of flows and bindings: complete, and drawn in docs/state-binding.md. */
#include "check.h"
#include "edge/core.h"
#include "edge/table.h"

#define PICTURE "docs/state-binding.md"

static void walk(enum bind_state state, bool seen[BIND_STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned e = 0; e < BIND_EVENTS; e++) {
		struct bind_step step = edge_bind_step(state, (enum bind_event)e);

		if (step.legal)
			walk((enum bind_state)step.next, seen);
	}
}

static void states_have_ways_in_and_out(void **state)
{
	bool seen[BIND_STATES] = { false };

	(void)state;
	walk(BIND_NEW, seen);
	for (unsigned s = 0; s < BIND_STATES; s++) {
		bool on[BIND_STATES] = { false };

		assert_true(seen[s]);
		walk((enum bind_state)s, on);
		assert_true(on[BIND_CLOSED]);
	}
}

/** Each has a name, and the page of the table calls things by it. */
static void all_have_names(void **state)
{
	(void)state;
	for (unsigned s = 0; s < BIND_STATES; s++)
		assert_non_null(edge_bind_state_name((enum bind_state)s));
	for (unsigned e = 0; e < BIND_EVENTS; e++)
		assert_non_null(edge_bind_event_name((enum bind_event)e));
	for (unsigned a = 0; a < BIND_ACTIONS; a++)
		assert_non_null(edge_bind_action_name((enum bind_action)a));
	for (unsigned e = 0; e < EDGE_ENDS; e++)
		assert_non_null(edge_end_name((enum edge_end)e));
	assert_string_equal(edge_bind_state_name(BIND_CLOSED), "closed");
	assert_string_equal(edge_bind_event_name(BIND_EV_LOST), "lost");
	assert_string_equal(edge_bind_event_name(BIND_EV_IGNORED), "ignored");
	assert_string_equal(edge_bind_event_name(BIND_EV_TOLERATED), "ignored-tolerated");
	assert_string_equal(edge_bind_action_name(BIND_DO_BURY), "bury");
}

/** No binding outlives its flow, nor a Digest response that was refused (TS 33.203, O.2.2, O.3). */
static void every_binding_ends(void **state)
{
	static const enum bind_event ends[] = { BIND_EV_LOST, BIND_EV_DROP, BIND_EV_REFUSED };

	(void)state;
	for (unsigned s = 0; s < BIND_CLOSED; s++)
		for (size_t i = 0; i < BASE_COUNT(ends); i++) {
			struct bind_step step = edge_bind_step((enum bind_state)s, ends[i]);

			if (s == BIND_PLAIN && ends[i] == BIND_EV_REFUSED)
				continue; /* nothing is bound there */
			assert_true(step.legal);
			assert_int_equal(step.next, BIND_CLOSED);
		}
}

/** What binds is a 2xx after a Digest response, and nothing else. */
static void only_yes_binds(void **state)
{
	(void)state;
	for (unsigned s = 0; s < BIND_STATES; s++)
		for (unsigned e = 0; e < BIND_EVENTS; e++) {
			struct bind_step step =
			        edge_bind_step((enum bind_state)s, (enum bind_event)e);

			if (!step.legal || edge_bind_bound((enum bind_state)s))
				continue;
			assert_int_equal(edge_bind_bound((enum bind_state)step.next),
			                 e == BIND_EV_YES && s != BIND_CLOSED);
			assert_int_equal(step.action == BIND_DO_BIND,
			                 e == BIND_EV_YES && s != BIND_CLOSED);
		}
}

/** A flow without TLS can never be bound, one that is closed comes back never. */
static void some_are_never_bound(void **state)
{
	static const enum bind_state never[] = { BIND_PLAIN, BIND_CLOSED };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(never); i++) {
		bool on[BIND_STATES] = { false };

		walk(never[i], on);
		for (unsigned s = 0; s < BIND_STATES; s++)
			assert_false(on[s] && edge_bind_bound((enum bind_state)s));
	}
}

/** What waits for a UE has an end: "late" for who has not registered, 24 hours for who has. */
static void who_waits_has_an_end(void **state)
{
	(void)state;
	for (unsigned s = 0; s < BIND_PLAIN; s++)
		assert_int_equal(edge_bind_step((enum bind_state)s,
		                                edge_bind_bound((enum bind_state)s) ? BIND_EV_OLD
		                                                                    : BIND_EV_LATE)
		                         .next,
		                 BIND_CLOSED);
}

static void drawn(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer w = { 0 };
	char path[4096], *page = NULL;
	size_t cap = 0;
	FILE *f;

	(void)state;
	base_writer_text(&w, "# States of a UE's flow at the edge\n\nDrawn from the table in "
	                     "`src/edge/table.c` by `tests/edge/test_table.c`; rewrite with "
	                     "`UPDATE=1`.\nWhat the states and actions mean: "
	                     "[edge.md](edge.md). Events without a row are passed over.\n\n");
	edge_core_print(&w);
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
		cmocka_unit_test(all_have_names),
		cmocka_unit_test(every_binding_ends),
		cmocka_unit_test(only_yes_binds),
		cmocka_unit_test(some_are_never_bound),
		cmocka_unit_test(who_waits_has_an_end),
		cmocka_unit_test(drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
