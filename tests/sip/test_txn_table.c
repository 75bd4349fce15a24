/* SPDX-License-Identifier: Apache-2.0 */
/** @file The tables of SIP's transactions and calls: complete, and drawn in docs/state-sip.md. */
#include "check.h"
#include "sip/call_table.h"
#include "sip/sip.h"
#include "sip/txn_table.h"

#define PICTURE "docs/state-sip.md"

static enum txn_state start(enum txn_machine machine)
{
	return machine == INVITE_SERVER ? PROCEEDING : CALLING;
}

static void walk(enum txn_machine machine, enum txn_state state, bool seen[STATES])
{
	if (seen[state])
		return;
	seen[state] = true;
	for (unsigned e = 0; e < EVENTS; e++) {
		struct txn_step step = sip_txn_step_of(machine, state, (enum txn_event)e);

		if (step.legal)
			walk(machine, (enum txn_state)step.next, seen);
	}
}

/** Whatever has a row can be come to, and from everywhere there is a way out. */
static void states_have_ways_in_and_out(void **state)
{
	(void)state;
	for (unsigned m = 0; m < MACHINES; m++) {
		bool seen[STATES] = { false };

		walk((enum txn_machine)m, start((enum txn_machine)m), seen);
		assert_true(seen[OVER]);
		for (unsigned s = 0; s < STATES; s++) {
			bool rows = false, on[STATES] = { false };

			for (unsigned e = 0; e < EVENTS; e++)
				rows |= sip_txn_step_of((enum txn_machine)m, (enum txn_state)s,
				                        (enum txn_event)e)
				                .legal;
			assert_int_equal(rows, seen[s] && s != OVER);
			if (!rows)
				continue;
			walk((enum txn_machine)m, (enum txn_state)s, on);
			assert_true(on[OVER]);
		}
	}
}

/** Who waits for a peer has a timer: a row that gives up or ends, but where the owner is waited
 * for. */
static void who_waits_has_a_timer(void **state)
{
	(void)state;
	for (unsigned m = 0; m < MACHINES; m++) {
		for (unsigned s = 0; s < OVER; s++) {
			bool rows = false, timed = false;
			/* the owner has to answer; a proxy's timer C is the owner's (16.6, step 11)
			 */
			bool owners = (m >= INVITE_SERVER && s <= PROCEEDING) ||
			              (m == INVITE_CLIENT && s == PROCEEDING);

			for (unsigned e = 0; e < EVENTS; e++)
				rows |= sip_txn_step_of((enum txn_machine)m, (enum txn_state)s,
				                        (enum txn_event)e)
				                .legal;
			timed = sip_txn_step_of((enum txn_machine)m, (enum txn_state)s, EV_LINGER)
			                .legal ||
			        sip_txn_step_of((enum txn_machine)m, (enum txn_state)s, EV_TIMEOUT)
			                .legal;
			assert_true(!rows || timed || owners);
		}
	}
}

static void walk_call(unsigned from, bool seen[C_STATES])
{
	if (seen[from])
		return;
	seen[from] = true;
	for (unsigned e = 0; e < C_EVENTS; e++) {
		struct call_step step = sip_call_step_of((enum call_state)from, (enum call_event)e);

		if (step.legal)
			walk_call(step.next, seen);
	}
}

/** A call can be in each of its states, can be ended by its owner in all but those that end it,
 * and comes to an end from all. */
static void calls_can_be_ended(void **state)
{
	bool seen[C_STATES] = { false };

	(void)state;
	walk_call(C_LOOKING, seen);
	walk_call(C_OFFERED, seen);
	for (unsigned s = 0; s < C_STATES; s++) {
		bool on[C_STATES] = { false };
		bool ends = s == C_CANCELLING || s == C_HANGING || s == C_ENDING || s == C_OVER;

		assert_true(seen[s]);
		walk_call(s, on);
		assert_true(on[C_OVER]);
		assert_int_equal(sip_call_step_of((enum call_state)s, C_END).legal, !ends);
		for (unsigned e = 0; e < C_EVENTS; e++) {
			struct call_step step =
			        sip_call_step_of((enum call_state)s, (enum call_event)e);

			assert_int_equal((step.actions & C_DO_OVER) != 0,
			                 step.legal && step.next == C_OVER);
		}
	}
}

/** One exchange at a time, from every state of which there is a way back. */
static void offers_come_to_an_end(void **state)
{
	(void)state;
	for (unsigned s = 0; s < O_STATES; s++) {
		unsigned out = 0;

		assert_true(sip_offer_step_of((enum offer_state)s, O_PEER).legal);
		assert_int_equal(sip_offer_step_of((enum offer_state)s, O_OFFER).legal,
		                 s == O_IDLE);
		for (unsigned e = 0; e < O_EVENTS; e++) {
			struct call_step step =
			        sip_offer_step_of((enum offer_state)s, (enum offer_event)e);

			out += step.legal && step.next != s;
		}
		assert_true(out > 0);
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
	        &w,
	        "# States of a SIP transaction\n\nDrawn from the table in `src/sip/txn_table.c` by "
	        "`tests/sip/test_txn_table.c`;\nrewrite with `UPDATE=1`. Clients and servers start "
	        "in `calling`, INVITE servers in `proceeding`.\n");
	sip_txn_print(&w);
	base_writer_text(&w, "\n# States of a call\n\nDrawn from the tables in "
	                     "`src/sip/call_table.c`. Calls of ours start in `looking`, those that "
	                     "come in in `offered`;\noffers (re-INVITE, UPDATE) are taken in `up` "
	                     "alone. An UPDATE that was accepted wants no ACK: `idle` at once.\n");
	sip_call_print(&w);
	base_writer_text(&w, "\n# States of a proxy's copy\n\nDrawn from the table in "
	                     "`src/sip/proxy_table.c`. Each copy of a request that is forwarded "
	                     "starts in `seeking`.\n`C`: timer C from now on; any other row stops "
	                     "it. A number is the status that the copy counts as.\n");
	sip_proxy_print(&w);
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
		cmocka_unit_test(who_waits_has_a_timer),
		cmocka_unit_test(calls_can_be_ended),
		cmocka_unit_test(offers_come_to_an_end),
		cmocka_unit_test(drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
