/* SPDX-License-Identifier: Apache-2.0 */
/* After the registration: keeping it, losing it, leaving; and the table of it all. */
#include "assoc_stage.h"

/* ---- keeping it ---- */

static void inactivity_asks_and_stays(void **state)
{
	struct stage *s = *state;
	unsigned notifies;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	net_run(&s->net, 9000);
	mgc_ask(&s->mgc[2]); /* a sign of life restarts the timer */
	net_run(&s->net, 9000);
	assert_int_equal(s->mgc[2].notifies, 0);
	net_run(&s->net, 1200);
	assert_int_equal(s->mgc[2].notifies, 1);
	assert_non_null(strstr(s->net.host[1].last, "it/ito"));
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	net_run(&s->net, 100000);
	assert_in_range(s->mgc[2].notifies, 9, 11);
	assert_int_equal(s->mg.downs, 0);

	h248_assoc_inactivity_set(s->mg.assoc, 0, 0);
	net_run(&s->net, 100000);
	assert_in_range(s->mgc[2].notifies, 9, 11);
	h248_assoc_inactivity_set(s->mg.assoc, 1000, 77);
	net_run(&s->net, 1500);
	assert_non_null(strstr(s->net.host[1].last, "OE=77{"));
	notifies = s->mgc[2].notifies;
	net_run(&s->net, 10000);
	assert_in_range(s->mgc[2].notifies - notifies, 8, 11);
}

static void dead_controller_is_replaced(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	net_host_free(&s->net, 2);
	net_run(&s->net, 12000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);
	net_run(&s->net, 25000);
	assert_int_equal(s->mg.downs, 1);
	assert_int_equal(s->mg.cause, H248_CAUSE_SILENT);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER); /* 11.5 */
	assert_int_equal(s->mgc[3].reason, 909);
	assert_int_equal(s->mgc[3].header, 1);
	assert_int_equal(s->mg.ups, 2);

	/* Now the second one dies and the first is back. */
	mgc_new(s, 2, H248_UDP);
	net_host_free(&s->net, 3);
	net_run(&s->net, 50000);
	assert_int_equal(s->mgc[2].method, H248_FAILOVER);
	assert_int_equal(s->mg.ups, 3);
}

static void only_controller_gets_disconnected(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	s->mgc[2].version = 2;
	start(s);
	h248_assoc_failed(s->mg.assoc); /* a request of the user's has run into T-MAX */
	assert_int_equal(s->mg.downs, 1);
	assert_int_equal(state_of(s), H248_ASSOC_WAITING);
	net_run(&s->net, 5000);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	assert_int_equal(s->mgc[2].offered, 0); /* no registration: nothing to negotiate */
	assert_int_equal(s->mgc[2].header, 2);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

/* A controller that was started anew knows nobody who could have been disconnected. */
static void refused_disconnected_becomes_a_registration(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	start(s);
	s->mgc[2].forgetful = H248_E_UNAUTHORIZED_ENTITY;
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 2100);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].changes, 3);
	assert_int_equal(s->mgc[2].method, H248_FAILOVER); /* contexts live: no Restart */
	assert_int_equal(s->mgc[2].offered, 3);
	assert_int_equal(s->mgc[2].header, 1);
	/* One that is only busy is asked the same later. */
	s->mgc[2].forgetful = H248_E_BUSY;
	h248_assoc_failed(s->mg.assoc);
	net_run(&s->net, 30000);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	s->mgc[2].forgetful = 0;
	net_run(&s->net, 60000);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
}

static void lost_connection_reconnects_at_once(void **state)
{
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	restart(s, H248_TCP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	assert_int_equal(s->mg.cause, H248_CAUSE_LOST);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_DISCONNECTED);
	assert_int_equal(s->mg.ups, 2);

	s->mgc[2].refuse = H248_E_UNAVAILABLE;
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	h248_txn_lost(s->net.host[1].txn, &conn, "Connection refused");
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
	assert_int_equal(s->mg.ups, 3);
}

/* D.1.1 and D.2: what was asked before the connection broke is repeated after it. */
static void lost_connection_does_not_execute_twice(void **state)
{
	static const char audit[] = "!/3 [10.0.0.2]:2944 T=71{C=-{AV=ROOT{AT{}}}}";
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	restart(s, H248_TCP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	net_inject(&s->net, &conn, 1, audit);
	assert_int_equal(s->mg.requests, 1);
	s->mgc[2].silent = true; /* it gets our request, but its answer does not get here */
	mg_asks(s);
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].notifies, 1);
	net_clear(&s->net);
	s->mgc[2].silent = false;
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	net_run(&s->net, 100);
	assert_int_equal(s->mg.ups, 2);
	net_inject(&s->net, &conn, 1, audit);
	assert_int_equal(s->mg.requests, 1);
	assert_non_null(strstr(s->net.host[1].last, "P=71{"));
	/* The request has gone there again with its old TransactionID. */
	assert_int_equal(h248_txn_counters(s->net.host[2].txn)->rx_repeated, 1);
	assert_int_equal(s->mgc[2].notifies, 1);
}

static bool only_service_changes(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)net;
	(void)n;
	return from == 2 && !strstr(text, "SC=");
}

/* A probe that has outlived its connection says nothing about the present one. */
static void a_late_probe_is_no_failure(void **state)
{
	struct stage *s = *state;
	struct h248_addr conn = net_addr(2, H248_TCP);

	restart(s, H248_TCP, 2, (struct h248_assoc_config){ .inactivity_ms = 10000 });
	start(s);
	s->net.drop = only_service_changes;
	net_run(&s->net, 10000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING); /* given up in 25 s */
	h248_txn_lost(s->net.host[1].txn, &conn, "closed by the peer");
	net_run(&s->net, 100);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
	assert_int_equal(s->mg.ups, 2);
	net_run(&s->net, 10000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING); /* 5 s before the first one's end */
	net_run(&s->net, 16000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);
	assert_int_equal(s->mg.downs, 1);
	net_run(&s->net, 10000);
	assert_int_equal(s->mg.downs, 2);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
}

static void hand_off(struct stage *s, unsigned to)
{
	char text[200];

	snprintf(text, sizeof(text),
	         "!/1 [10.0.0.2]:2944 T=%u{C=-{SC=ROOT{SV{MT=HO,RE=\"903\",MG=[10.0.0.%u]:2944}}}}",
	         90 + to, to);
	net_inject(&s->net, &s->net.host[2].addr, 1, text);
	assert_non_null(strstr(s->net.host[1].last, "P=9")); /* the reply leaves first */
	net_run(&s->net, 100);
}

static void handoff_is_followed(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	hand_off(s, 4); /* not in our list */
	assert_int_equal(s->mg.cause, H248_CAUSE_HANDOFF);
	assert_int_equal(s->mgc[4].method, H248_HAND_OFF);
	assert_int_equal(s->mgc[4].reason, 903);
	assert_int_equal(s->mg.ups, 2);
}

/* 11.5: "the MG shall behave as if the value was changed" */
static void handoff_to_the_same_one(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	start(s);
	hand_off(s, 2);
	assert_int_equal(s->mg.downs, 1);
	assert_int_equal(s->mgc[2].method, H248_HAND_OFF);
	assert_int_equal(s->mgc[2].offered, 3);
	assert_int_equal(s->mg.ups, 2);
}

static void failed_handoff_goes_on_with_the_list(void **state)
{
	struct stage *s = *state;

	restart(s, H248_UDP, 2, (struct h248_assoc_config){ 0 });
	s->mgc[4].refuse = H248_E_UNAVAILABLE;
	start(s);
	hand_off(s, 4);
	assert_int_equal(s->mgc[4].changes, 1);
	assert_int_equal(s->mgc[3].method, H248_FAILOVER);
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

/* ---- leaving ---- */

static void leaving_says_so(void **state)
{
	struct stage *s = *state;

	start(s);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, H248_R_OUT_OF_SERVICE);
	assert_int_equal(s->mg.gone, 0);
	mgc_ask(&s->mgc[2]); /* still served */
	net_run(&s->net, 100);
	assert_int_equal(s->mgc[2].method, H248_FORCED);
	assert_int_equal(s->mgc[2].reason, 905);
	assert_int_equal(s->mgc[2].code, 0);
	assert_int_equal(s->mg.gone, 1);
	assert_int_equal(s->mg.cause, H248_CAUSE_LEFT);
	assert_int_equal(state_of(s), H248_ASSOC_GONE);
	net_run(&s->net, 100000);
	assert_int_equal(s->mgc[2].changes, 2);

	start(s); /* and it can begin again */
	assert_int_equal(state_of(s), H248_ASSOC_REGISTERED);
}

static void leaving_does_not_wait_for_ever(void **state)
{
	struct stage *s = *state;

	start(s);
	net_host_free(&s->net, 2);
	h248_assoc_stop(s->mg.assoc, H248_GRACEFUL, H248_R_MG_FAILURE);
	h248_assoc_stop(s->mg.assoc, H248_GRACEFUL, H248_R_MG_FAILURE);
	net_run(&s->net, 2999);
	assert_int_equal(s->mg.gone, 0);
	net_run(&s->net, 2);
	assert_int_equal(s->mg.gone, 1);
}

static void stop_works_in_every_state(void **state)
{
	struct stage *s = *state;

	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905); /* idle */
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ .mwd_ms = 1 });
	h248_assoc_start(s->mg.assoc); /* waiting */
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ 0 });
	net_host_free(&s->net, 2);
	start(s); /* registering */
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	assert_int_equal(s->mg.gone, 1);

	restart(s, H248_UDP, 1, (struct h248_assoc_config){ .inactivity_ms = 1000 });
	start(s);
	net_host_free(&s->net, 2);
	net_run(&s->net, 2000);
	assert_int_equal(state_of(s), H248_ASSOC_PROBING);
	h248_assoc_stop(s->mg.assoc, H248_FORCED, 905);
	net_run(&s->net, 4000);
	assert_int_equal(s->mg.gone, 1);
}

/* ---- the table ---- */

static void every_state_can_be_reached_and_left(void **state)
{
	bool reached[H248_ASSOC_STATES] = { [H248_ASSOC_IDLE] = true };
	bool left[H248_ASSOC_STATES] = { false };
	struct h248_assoc_row row;

	(void)state;
	for (int pass = 0; pass < H248_ASSOC_STATES; pass++) {
		for (size_t i = 0; h248_assoc_row(i, &row); i++) {
			if (reached[row.state])
				reached[row.next] = true;
			if (row.state != row.next)
				left[row.state] = true;
		}
	}
	for (int i = 0; i < H248_ASSOC_STATES; i++) {
		assert_true(reached[i]);
		assert_true(left[i]);
	}
}

static void every_waiting_state_has_a_timer(void **state)
{
	static const uint8_t waiting[] = { H248_ASSOC_WAITING,  H248_ASSOC_RESOLVING,
		                           H248_ASSOC_LOCATING, H248_ASSOC_REGISTERING,
		                           H248_ASSOC_PROBING,  H248_ASSOC_LEAVING };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(waiting); i++)
		assert_true(h248_assoc_state_timed(waiting[i]));
}

static void no_event_has_two_rows(void **state)
{
	struct h248_assoc_row a, b;

	(void)state;
	for (size_t i = 0; h248_assoc_row(i, &a); i++) {
		for (size_t j = 0; j < i; j++) {
			(void)h248_assoc_row(j, &b);
			assert_false(a.state == b.state && strcmp(a.event, b.event) == 0);
		}
	}
}

static void draw(struct base_writer *w)
{
	struct h248_assoc_row row;

	base_writer_text(w, "# The control association, state by state\n"
	                    "\n"
	                    "Printed from the table in `src/h248/assoc.c` by "
	                    "`tests/h248/test_assoc_life.c`, which fails\n"
	                    "when the two differ (`GATEHOUSE_UPDATE_DOCS=1` writes it anew). "
	                    "Clauses: RFC 3525, 9.2,\n"
	                    "11.2 to 11.5, D.1.5. Events without a row are ignored.\n"
	                    "\n"
	                    "```mermaid\n"
	                    "stateDiagram-v2\n"
	                    "    [*] --> idle\n");
	for (size_t i = 0; h248_assoc_row(i, &row); i++)
		base_writer_printf(w, "    %s --> %s: %s / %s\n", h248_assoc_state_name(row.state),
		                   h248_assoc_state_name(row.next), row.event, row.action);
	base_writer_text(w, "    gone --> [*]\n"
	                    "```\n"
	                    "\n"
	                    "| State | Event | Action | Next |\n"
	                    "|---|---|---|---|\n");
	for (size_t i = 0; h248_assoc_row(i, &row); i++)
		base_writer_printf(w, "| %s | %s | %s | %s |\n", h248_assoc_state_name(row.state),
		                   row.event, row.action, h248_assoc_state_name(row.next));
}

static void the_picture_is_up_to_date(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer want = { 0 };
	char path[1024], have[16384];
	size_t len;
	FILE *f;

	(void)state;
	if (!root) {
		print_message("GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	draw(&want);
	snprintf(path, sizeof(path), "%s/docs/state-association.md", root);
	if (getenv("GATEHOUSE_UPDATE_DOCS")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(want.data, 1, want.len, f), want.len);
		fclose(f);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(have, 1, sizeof(have) - 1, f);
	have[len] = '\0';
	fclose(f);
	assert_string_equal(have, base_writer_cstr(&want));
	base_writer_done(&want);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(inactivity_asks_and_stays),
		CASE(dead_controller_is_replaced),
		CASE(only_controller_gets_disconnected),
		CASE(refused_disconnected_becomes_a_registration),
		CASE(lost_connection_reconnects_at_once),
		CASE(lost_connection_does_not_execute_twice),
		CASE(a_late_probe_is_no_failure),
		CASE(handoff_is_followed),
		CASE(handoff_to_the_same_one),
		CASE(failed_handoff_goes_on_with_the_list),
		CASE(leaving_says_so),
		CASE(leaving_does_not_wait_for_ever),
		CASE(stop_works_in_every_state),
		cmocka_unit_test(every_state_can_be_reached_and_left),
		cmocka_unit_test(every_waiting_state_has_a_timer),
		cmocka_unit_test(no_event_has_two_rows),
		cmocka_unit_test(the_picture_is_up_to_date),
	};

	return cmocka_run_group_tests_name("assoc_life", tests, NULL, NULL);
}
