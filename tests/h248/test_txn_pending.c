/* SPDX-License-Identifier: Apache-2.0 */
/* TransactionPending (RFC 3525, 8.2.3 and D.1.4; sheet 5.9), and the timers. */
#include "check.h"

#include "txn_stage.h"

/* ---- pending ---- */

static void pending_while_it_takes_time(void **state)
{
	struct stage *s = *state;

	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 150);
	assert_int_equal(s->net.host[2].sent, 0);
	net_run(&s->net, 1850); /* the repetition at 200 gets one, 510, 1010, 1510 more */
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(stage_count(s, 2)->tx_pendings, 4);
	assert_int_equal(s->net.host[1].sent, 2); /* Pending has lengthened the pause */
	assert_true(stage_sent_has(s, 2, "PN=1001{}"));

	assert_int_equal(stage_answer(&s->server, s->server.held[0]), 0);
	assert_true(stage_sent_has(s, 2, "P=1001{IA,")); /* D.1.4: SHALL */
	net_run(&s->net, 15);
	assert_int_equal(s->answers.replies, 1);
	assert_true(stage_sent_has(s, 1, "K{1001}")); /* an immediate confirmation */
	net_run(&s->net, 60000);
	assert_int_equal(stage_count(s, 2)->rx_acks, 1);
	assert_int_equal(stage_count(s, 2)->tx_replies_repeated, 0);
}

/* D.1.4: "a different repetition timer", when nothing comes after the Pending. */
static void pending_lengthens_the_pauses(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	stage_ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	net_run(&s->net, 4999);
	assert_int_equal(s->net.host[1].sent, 1);
	net_run(&s->net, 2);
	assert_int_equal(s->net.host[1].sent, 2);
	net_run(&s->net, 5000);
	assert_int_equal(s->net.host[1].sent, 3);
}

static void a_handled_message_is_wiped(void **state)
{
	struct stage *s = *state;

	s->server.hold = s->server.keep_model = true;
	stage_ask(s);
	net_run(&s->net, 100);
	assert_memory_equal(s->server.octets, "ROOT", 4);
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_memory_equal(s->server.octets, "\0\0\0", 4); /* kept warm for the next, but empty */
}

static void pending_keeps_a_long_transaction_alive(void **state)
{
	struct stage *s = *state;

	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 90000); /* more than three times T-MAX */
	assert_int_equal(s->answers.timeouts, 0);
	assert_int_equal(s->server.executed, 1);
	(void)stage_answer(&s->server, s->server.held[0]);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
}

static bool drop_replies(struct net *net, unsigned from, unsigned n, const char *text)
{
	unsigned *left = net->arg;

	(void)from;
	(void)n;
	return strstr(text, " P=") && (*left)++ < 3;
}

static void unconfirmed_reply_repeats_itself(void **state)
{
	struct stage *s = *state;
	unsigned dropped = 0;

	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 600);
	s->net.drop = drop_replies;
	s->net.arg = &dropped;
	(void)stage_answer(&s->server, s->server.held[0]);
	net_run(&s->net, 4000);
	assert_int_equal(s->answers.replies, 1);
	assert_true(stage_count(s, 2)->tx_replies_repeated >= 3);
	assert_int_equal(stage_count(s, 2)->rx_acks, 1);
}

static void pending_limit_ends_it_with_506(void **state)
{
	static const struct h248_txn_config limited = { .pending_limit = 3 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, NULL, &limited);
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 5000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->answers.code, H248_E_PENDINGS);
	assert_int_equal(stage_count(s, 2)->tx_pendings, 3);
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_int_equal(stage_count(s, 2)->late_replies, 1);
	net_run(&s->net, 60000);

	s->server.held_count = 0; /* the same, answered after the entry has been purged */
	stage_ask(s);
	net_run(&s->net, 60000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_int_equal(stage_count(s, 2)->late_replies, 2);
}

/* Who asks again from another port of his host listens there now. */
static void a_late_reply_goes_where_it_was_asked_for_last(void **state)
{
	struct stage *s = *state;
	struct h248_addr before = net_addr(3, H248_UDP), now = before,
	                 elsewhere = net_addr(1, H248_UDP);

	before.port = 3000;
	s->server.hold = true;
	net_inject(&s->net, &before, 2, stage_request_7);
	net_inject(&s->net, &now, 2, stage_request_7);
	net_run(&s->net, 20);
	assert_int_equal(s->server.executed, 1);
	/* Another host is nobody to move it. */
	net_inject(&s->net, &elsewhere, 2, stage_request_7);
	net_run(&s->net, 20);
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_int_equal(s->net.host[2].last_to.ip[3], 3);
	assert_int_equal(s->net.host[2].last_to.port, now.port);
}

static void pending_after_the_reply_is_ignored(void **state)
{
	struct stage *s = *state;

	stage_ask(s);
	net_run(&s->net, 100);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	net_run(&s->net, 60000);
	assert_int_equal(s->net.host[1].sent, 1);
}

/* ---- what root says (E.2.1, sheet 5.9) ---- */

static void provisional_time_hurries_the_pending(void **state)
{
	struct stage *s = *state;
	struct h248_txn_root root = { .execution_ms = 400, .provisional_ms = 100 }, now;

	h248_txn_root_set(s->net.host[2].txn, &root);
	h248_txn_root(s->net.host[2].txn, &now);
	assert_memory_equal(&now, &root, sizeof(now));
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 109);
	assert_int_equal(stage_count(s, 2)->tx_pendings, 0);
	net_run(&s->net, 1);
	assert_int_equal(stage_count(s, 2)->tx_pendings, 1);
	(void)stage_answer(&s->server, s->server.held[0]);
}

/* The peer's own provisional time tells when its silence after a Pending means a loss. */
static void peers_provisional_time_sets_the_pause(void **state)
{
	static const struct h248_txn_config c = { .peer_provisional_ms = 1000 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	net_host_free(&s->net, 2);
	stage_ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	net_run(&s->net, 1199); /* and one retransmission time, 200 */
	assert_int_equal(s->net.host[1].sent, 1);
	net_run(&s->net, 1);
	assert_int_equal(s->net.host[1].sent, 2);
}

static void too_many_pendings_end_our_request(void **state)
{
	static const struct h248_txn_config c = { .peer_pending_limit = 3 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, NULL);
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 1100); /* one for the repetition at 200, two by time */
	assert_int_equal(s->answers.pended, 0);
	assert_int_equal(stage_count(s, 1)->rx_pendings, 3);
	net_run(&s->net, 500);
	assert_int_equal(s->answers.pended, 1);
	assert_int_equal(h248_peer_outgoing(s->peer), 0);
	assert_int_equal(stage_count(s, 1)->tx_pended, 1);
	(void)stage_answer(&s->server, s->server.held[0]);
}

static void the_user_hears_that_its_answer_is_not_wanted(void **state)
{
	static const struct h248_txn_config limited = { .pending_limit = 1 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, NULL, &limited);
	s->server.hold = true;
	s->server.answer_aborted = true;
	stage_ask(s);
	net_run(&s->net, 2000);
	assert_int_equal(s->server.aborted, 1);
	assert_int_equal(s->answers.code, H248_E_PENDINGS);
	assert_int_equal(stage_count(s, 2)->late_replies, 1); /* answered inside on_abort */
	net_run(&s->net, 31000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
}

/* ---- timers by rule ---- */

/* Times, from the first sending, at which host 1 sends. */
static void sendings(struct stage *s, uint64_t *at, unsigned max)
{
	uint64_t start = s->net.now_ms;
	unsigned n = s->net.host[1].sent;

	for (unsigned i = 0; i < max;) {
		if (!net_step(&s->net, start + 3600000))
			break;
		if (s->net.host[1].sent != n) {
			n = s->net.host[1].sent;
			at[i++] = s->net.now_ms - start;
		}
	}
}

static void request_timer_follows_its_rule(void **state)
{
	static const struct h248_txn_config c = {
		.timers.request = { .wait_ms = 300, .factor = 2, .incr_ms = -100, .limit = 3 }
	};
	struct stage *s = *state;
	unsigned who = 1;
	uint64_t at[3] = { 0 }, start;

	stage_restart(s, H248_UDP, &c, NULL);
	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	start = s->net.now_ms;
	stage_ask(s);
	sendings(s, at, 3);
	assert_int_equal(at[0], 300);
	assert_int_equal(at[1], 300 + 500);
	assert_int_equal(at[2], 300 + 500 + 900);
	net_run(&s->net, 10000);
	assert_int_equal(s->net.host[1].sent, 4);
	assert_int_equal(s->answers.timeouts, 1);
	assert_int_equal(s->answers.at_ms - start, 300 + 500 + 900 + 1700);
}

/* D.2: timers of the application over TCP too, for those who want them. */
static void a_rule_repeats_over_tcp(void **state)
{
	struct stage *s = *state;
	const struct h248_txn_timers timers = { .request = { .wait_ms = 1000, .limit = 1 } };
	unsigned who = 1;

	stage_restart(s, H248_TCP, NULL, NULL);
	h248_peer_timers_set(s->peer, &timers);
	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	stage_ask(s);
	net_run(&s->net, 1999);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_int_equal(s->answers.timeouts, 0);
	net_run(&s->net, 1);
	assert_int_equal(s->answers.timeouts, 1);
}

static void limit_counts_repetitions_of_the_measured_timer_too(void **state)
{
	static const struct h248_txn_config c = { .timers.request = { .limit = 2 } };
	struct stage *s = *state;
	unsigned who = 1;

	stage_restart(s, H248_UDP, &c, NULL);
	s->net.drop = stage_drop_all;
	s->net.arg = &who;
	stage_ask(s);
	net_run(&s->net, 5000);
	assert_int_equal(s->net.host[1].sent, 3);
	assert_int_equal(s->answers.timeouts, 1);
}

static void long_request_timer_after_a_pending(void **state)
{
	static const struct h248_txn_config c = {
		.timers.long_request = { .wait_ms = 2000, .factor = 1, .incr_ms = 1000, .limit = 2 }
	};
	struct stage *s = *state;
	uint64_t at[2] = { 0 };

	stage_restart(s, H248_UDP, &c, NULL);
	net_host_free(&s->net, 2);
	stage_ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	sendings(s, at, 2);
	assert_int_equal(at[0], 2000);
	assert_int_equal(at[1], 5000);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	net_run(&s->net, 1999); /* anew with each Pending */
	assert_int_equal(s->net.host[1].sent, 3);
	net_run(&s->net, 1);
	assert_int_equal(s->net.host[1].sent, 4);
	net_run(&s->net, 7000);
	assert_int_equal(s->answers.timeouts, 1);
}

static void pending_timer_follows_its_rule(void **state)
{
	static const struct h248_txn_config c = {
		.timers.pending = { .wait_ms = 100, .factor = 3, .limit = 2 }
	};
	static const struct h248_txn_config patient = { .timers.request = { .wait_ms = 20000 } };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &patient, &c);
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 10 + 99);
	assert_int_equal(s->net.host[2].sent, 0);
	net_run(&s->net, 1 + 299);
	assert_int_equal(s->net.host[2].sent, 1);
	net_run(&s->net, 1 + 4000);
	assert_int_equal(s->net.host[2].sent, 2); /* no third one by time */
	(void)stage_answer(&s->server, s->server.held[0]);
}

static void reply_timer_follows_its_rule(void **state)
{
	static const struct h248_txn_config c = { .timers.reply = { .wait_ms = 50, .limit = 2 } };
	struct stage *s = *state;
	unsigned sent;

	stage_restart(s, H248_UDP, NULL, &c);
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 600);
	net_host_free(&s->net, 1); /* nobody confirms */
	sent = s->net.host[2].sent;
	(void)stage_answer(&s->server, s->server.held[0]);
	net_run(&s->net, 99);
	assert_int_equal(s->net.host[2].sent, sent + 2);
	net_run(&s->net, 5000);
	assert_int_equal(s->net.host[2].sent, sent + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(pending_while_it_takes_time),
		STAGE(pending_lengthens_the_pauses),
		STAGE(a_handled_message_is_wiped),
		STAGE(pending_keeps_a_long_transaction_alive),
		STAGE(unconfirmed_reply_repeats_itself),
		STAGE(pending_limit_ends_it_with_506),
		STAGE(a_late_reply_goes_where_it_was_asked_for_last),
		STAGE(pending_after_the_reply_is_ignored),
		STAGE(provisional_time_hurries_the_pending),
		STAGE(peers_provisional_time_sets_the_pause),
		STAGE(too_many_pendings_end_our_request),
		STAGE(the_user_hears_that_its_answer_is_not_wanted),
		STAGE(request_timer_follows_its_rule),
		STAGE(a_rule_repeats_over_tcp),
		STAGE(limit_counts_repetitions_of_the_measured_timer_too),
		STAGE(long_request_timer_after_a_pending),
		STAGE(pending_timer_follows_its_rule),
		STAGE(reply_timer_follows_its_rule),
	};

	return cmocka_run_group_tests_name("txn_pending", tests, NULL, NULL);
}
