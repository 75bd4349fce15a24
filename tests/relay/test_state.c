/* SPDX-License-Identifier: Apache-2.0 */
/* The table of endpoint states: complete, and drawn in docs/state-endpoint.md. */
#include "check.h"

#include "base/base.h"
#include "relay/state.h"

#define PICTURE "docs/state-endpoint.md"

static void walk(enum relay_state state, bool seen[RELAY_STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned i = 0; i < RELAY_INPUTS; i++) {
		struct relay_step step = relay_state_step(state, (enum relay_input)i);

		if (step.on)
			walk((enum relay_state)step.next, seen);
	}
}

static void test_every_state_is_reached(void **unused)
{
	bool seen[RELAY_STATES] = { false };

	(void)unused;
	/* Clients start in one, servers in the other. */
	walk(RELAY_IDLE, seen);
	walk(RELAY_LISTENING, seen);
	for (unsigned i = 0; i < RELAY_STATES; i++)
		assert_true(seen[i]);
}

static void test_every_state_has_an_exit(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < RELAY_STATES; i++) {
		bool seen[RELAY_STATES] = { false };

		walk((enum relay_state)i, seen);
		assert_true(seen[RELAY_GONE]);
		if (i == RELAY_GONE)
			continue;
		/* Whatever the state, control can end it at once. */
		assert_int_equal(relay_state_step((enum relay_state)i, RELAY_ON_ABORT).next,
		                 RELAY_GONE);
	}
	for (unsigned i = 0; i < RELAY_INPUTS; i++)
		assert_false(relay_state_step(RELAY_GONE, (enum relay_input)i).on);
}

static void test_who_waits_for_a_peer_has_a_timer(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < RELAY_STATES; i++) {
		const struct relay_state_info *info = relay_state_info((enum relay_state)i);
		bool timed = info->timer != RELAY_TIMER_NONE;

		assert_non_null(info->name);
		/* An open one waits for its peer while that renegotiates. */
		assert_int_equal(info->wait == RELAY_WAIT_PEER || i == RELAY_OPEN, timed);
		assert_int_equal(relay_state_step((enum relay_state)i, RELAY_ON_TIMEOUT).on, timed);
	}
}

static void test_every_input_is_used(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < RELAY_INPUTS; i++) {
		bool used = false;

		assert_non_null(relay_input_name((enum relay_input)i));
		for (unsigned s = 0; s < RELAY_STATES; s++)
			used = used ||
			       relay_state_step((enum relay_state)s, (enum relay_input)i).on;
		assert_true(used);
	}
}

static void draw(struct base_writer *w)
{
	static const char *const waits[] = { "control", "peer", "traffic", "nobody" };

	base_writer_text(w, "# States of a stream endpoint\n\n"
	                    "Drawn from the table in `src/relay/state.c` by "
	                    "`tests/relay/test_state.c`;\nrewrite with `UPDATE=1`. "
	                    "Servers start in `listening`, clients in `idle`.\n\n"
	                    "| State | Waits for | Timer |\n|---|---|---|\n");
	for (unsigned i = 0; i < RELAY_STATES; i++) {
		const struct relay_state_info *info = relay_state_info((enum relay_state)i);

		base_writer_printf(w, "| %s | %s | %s |\n", info->name, waits[info->wait],
		                   relay_timer_name(info->timer));
	}
	base_writer_text(w, "\n| State | Event | Action | Next |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < RELAY_STATES; s++) {
		for (unsigned i = 0; i < RELAY_INPUTS; i++) {
			struct relay_step step =
			        relay_state_step((enum relay_state)s, (enum relay_input)i);

			if (step.on)
				base_writer_printf(
				        w, "| %s | %s | %s | %s |\n",
				        relay_state_info((enum relay_state)s)->name,
				        relay_input_name((enum relay_input)i),
				        relay_action_name((enum relay_action)step.action),
				        relay_state_info((enum relay_state)step.next)->name);
		}
	}
	base_writer_text(w, "\n```mermaid\nstateDiagram-v2\n    [*] --> idle\n"
	                    "    [*] --> listening\n");
	for (unsigned s = 0; s < RELAY_STATES; s++) {
		for (unsigned i = 0; i < RELAY_INPUTS; i++) {
			struct relay_step step =
			        relay_state_step((enum relay_state)s, (enum relay_input)i);

			if (step.on)
				base_writer_printf(
				        w, "    %s --> %s: %s\n",
				        relay_state_info((enum relay_state)s)->name,
				        relay_state_info((enum relay_state)step.next)->name,
				        relay_input_name((enum relay_input)i));
		}
	}
	base_writer_text(w, "    gone --> [*]\n```\n");
}

static void test_picture_is_the_table(void **unused)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer drawn = { 0 }, stored = { 0 };
	char path[1024], chunk[4096];
	size_t n;
	FILE *f;

	(void)unused;
	if (!root) {
		print_message("skipped: GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	draw(&drawn);
	(void)snprintf(path, sizeof(path), "%s/%s", root, PICTURE);
	if (getenv("UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(drawn.data, 1, drawn.len, f), drawn.len);
		assert_int_equal(fclose(f), 0);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		base_writer_put(&stored, chunk, n);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(base_writer_cstr(&stored), base_writer_cstr(&drawn));
	base_writer_done(&stored);
	base_writer_done(&drawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_is_reached),
		cmocka_unit_test(test_every_state_has_an_exit),
		cmocka_unit_test(test_who_waits_for_a_peer_has_a_timer),
		cmocka_unit_test(test_every_input_is_used),
		cmocka_unit_test(test_picture_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
