/* SPDX-License-Identifier: Apache-2.0 */
/* Replies in segments (version 3; fact sheet 5.2), received and sent. */
#include "check.h"

#include "txn_stage.h"

/* ---- segments (version 3) ---- */

static void count_actions(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	char *order = arg;

	(void)msg;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	for (const struct h248_action *a = reply->actions; a; a = a->next)
		snprintf(order + strlen(order), 32 - strlen(order), "%u ", a->context);
}

static void segments_are_joined(void **state)
{
	static const char *const parts[] = {
		"!/3 [10.0.0.2]:2944 P=1001/3/&{C=7,C=8}", "!/3 [10.0.0.2]:2944 P=1001/1{C=1,C=2}",
		"!/3 [10.0.0.2]:2944 P=1001/1{C=1,C=2}",   "!/3 [10.0.0.2]:2944 P=1001/0{C=99}",
		"!/3 [10.0.0.2]:2944 P=1001/65535{C=99}",
	};
	struct stage *s = *state;
	struct base_arena arena = { 0 };
	char order[32] = "";

	net_host_free(&s->net, 2);
	assert_int_equal(
	        h248_txn_request(s->peer, net_audit(&arena), 3, count_actions, order, NULL), 0);
	base_arena_done(&arena);
	for (size_t i = 0; i < BASE_COUNT(parts); i++)
		net_inject(&s->net, &s->net.host[2].addr, 1, parts[i]);
	assert_true(stage_sent_has(s, 1, "SM=1001/1"));
	assert_int_equal(s->net.host[1].sent, 4); /* the request, and each segment confirmed */
	assert_string_equal(order, "");
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/2{C=5}");
	assert_string_equal(order, "1 2 5 7 8 ");
	net_inject(&s->net, &s->net.host[2].addr, 1, parts[0]);
	assert_true(stage_sent_has(s, 1, "SM=1001/3/&"));
	assert_string_equal(order, "1 2 5 7 8 ");
}

static void note_fault(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                       const struct h248_transaction *reply)
{
	(void)msg;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	*(unsigned *)arg = reply->fault ? reply->fault->code : reply->faulty;
}

/* One segment of a reply that cannot be read: the whole is told as faulty, whichever it is. */
static void a_broken_segment_is_told(void **state)
{
	struct stage *s = *state;
	struct base_arena arena = { 0 };
	unsigned told = 0;

	net_host_free(&s->net, 2);
	assert_int_equal(h248_txn_request(s->peer, net_audit(&arena), 3, note_fault, &told, NULL),
	                 0);
	base_arena_done(&arena);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/1{C=1}");
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/2/&{C=2");
	assert_true(told >= H248_E_SYNTAX_MESSAGE);
}

static void missing_segment_is_asked_for_again(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	stage_ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/2/&{C=5}");
	net_run(&s->net, 4999);
	assert_true(stage_sent_has(s, 1, "SM=1001/2/&"));
	net_run(&s->net, 2);
	assert_true(stage_sent_has(s, 1, "T=1001{"));
	net_run(&s->net, 25000);
	assert_int_equal(s->answers.timeouts, 1);
}

/* ---- sent ---- */

enum { CONTEXTS = 12, COMMANDS = 5 };

/* A reply of CONTEXTS actions with COMMANDS commands each, about 60 octets a command. */
static struct h248_transaction *big_reply(struct base_arena *arena, size_t padding)
{
	struct h248_transaction *reply = h248_reply_new(arena, 0);

	for (uint32_t c = 1; c <= CONTEXTS; c++) {
		struct h248_action *action = h248_action_add(arena, reply, c);

		for (unsigned n = 0; n < COMMANDS; n++) {
			char name[32];
			struct h248_command *command;

			snprintf(name, sizeof(name), "ip/%u/%u", (unsigned)c, n);
			command = h248_command_add(
			        arena, action, H248_ADD,
			        base_str_of(base_arena_dup(arena, base_str_of(name))));
			struct h248_packages *p = h248_packages_add(arena, command);

			for (size_t i = 0; i < padding; i += 10)
				h248_packages_item_add(arena, p, BASE_STR("abcdefg"), 1);
		}
	}
	return reply;
}

static void answer_big(struct stage *s, size_t padding, int rc)
{
	struct base_arena arena = { 0 };

	assert_int_equal(h248_txn_reply(s->server.held[0], big_reply(&arena, padding)), rc);
	s->server.held_count = 0;
	base_arena_done(&arena);
}

static unsigned commands_of(const struct h248_transaction *reply)
{
	unsigned n = 0;

	for (const struct h248_action *a = reply->actions; a; a = a->next) {
		for (const struct h248_command *c = a->commands; c; c = c->next)
			n++;
	}
	return n;
}

struct whole {
	unsigned replies, commands, code;
	bool in_order;
};

static void on_whole(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct whole *w = arg;
	unsigned n = 0;

	(void)msg;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	w->replies++;
	w->code = reply->error ? reply->error->code : 0;
	w->commands = commands_of(reply);
	w->in_order = true;
	for (const struct h248_action *a = reply->actions; a; a = a->next) {
		for (const struct h248_command *c = a->commands; c; c = c->next, n++) {
			char name[32];

			snprintf(name, sizeof(name), "ip/%u/%u", n / COMMANDS + 1, n % COMMANDS);
			w->in_order &= base_str_eq(c->term.name, base_str_of(name)) &&
			               a->context == n / COMMANDS + 1;
		}
	}
}

static void ask_big(struct stage *s, unsigned version, struct whole *w)
{
	struct base_arena arena = { 0 };

	*w = (struct whole){ 0 };
	s->server.hold = true;
	assert_int_equal(h248_txn_request(s->peer, net_audit(&arena), version, on_whole, w, NULL),
	                 0);
	base_arena_done(&arena);
	net_run(&s->net, 50);
	assert_int_equal(s->server.held_count, 1);
}

static void big_reply_goes_in_segments(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600 };
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_int_equal(w.replies, 1);
	assert_int_equal(w.commands, CONTEXTS * COMMANDS);
	assert_true(w.in_order);
	assert_in_range(stage_count(s, 2)->tx_segments, 6, 20);
	assert_int_equal(stage_count(s, 2)->tx_segments_repeated, 0);
	assert_int_equal(stage_count(s, 1)->rx_segments, stage_count(s, 2)->tx_segments);
	assert_true(s->net.host[2].longest <= 600);
	assert_int_equal(stage_count(s, 2)->tx_replies, 1);
	net_run(&s->net, 31000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
}

/* An action that is too big by itself is cut between commands; its ContextID is repeated (D). */
static void action_is_cut_between_commands(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 150 };
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
	assert_int_equal(w.commands, CONTEXTS * COMMANDS);
	assert_true(stage_count(s, 2)->tx_segments > CONTEXTS);
	assert_true(s->net.host[2].longest <= 150);
}

static void window_of_segments(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 300, .segment_window = 2 };
	struct stage *s = *state;
	struct whole w;
	unsigned sent;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	sent = s->net.host[2].sent;
	answer_big(s, 40, 0);
	assert_int_equal(s->net.host[2].sent, sent + 2);
	net_run(&s->net, 20);
	assert_int_equal(s->net.host[2].sent, sent + 4);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
}

static void lost_segments_are_repeated(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 300 };
	struct stage *s = *state;
	struct whole w;

	for (unsigned round = 0; round < 20; round++) {
		stage_restart(s, H248_UDP, NULL, &c);
		s->net.random = round;
		ask_big(s, 3, &w);
		s->net.loss = s->net.dup = 30;
		s->net.jitter_ms = 60;
		answer_big(s, 40, 0);
		net_run(&s->net, 24000);
		assert_int_equal(w.replies, 1);
		assert_int_equal(w.commands, CONTEXTS * COMMANDS);
		assert_true(w.in_order);
		assert_true(stage_count(s, 2)->tx_segments_repeated > 0);
		assert_int_equal(s->server.executed, 1);
	}
}

/* The request comes again while segments are under way: those that are not confirmed go again. */
static void repeated_request_repeats_segments(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600 };
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);
	static const char request[] = "!/3 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}";
	unsigned sent, parts;

	stage_restart(s, H248_UDP, NULL, &c);
	s->server.hold = true;
	net_inject(&s->net, &from, 2, request);
	answer_big(s, 40, 0);
	parts = s->net.host[2].sent;
	assert_in_range(parts, 6, 8); /* all of the window */
	net_inject(&s->net, &from, 2, "!/3 [10.0.0.3]:2944 SM=7/2");
	net_inject(&s->net, &from, 2, "!/3 [10.0.0.3]:2944 SM=7/2");
	net_inject(&s->net, &from, 2, "!/3 [10.0.0.3]:2944 SM=7/99");
	net_inject(&s->net, &from, 2, "!/3 [10.0.0.3]:2944 SM=8/1");
	sent = s->net.host[2].sent;
	net_inject(&s->net, &from, 2, request);
	assert_int_equal(s->net.host[2].sent, sent + (sent > parts ? parts : parts - 1));
	assert_int_equal(s->server.executed, 1);
	/* The acknowledgement of the transaction ends it too. */
	net_inject(&s->net, &from, 2, "!/3 [10.0.0.3]:2944 K{7}");
	sent = s->net.host[2].sent;
	net_inject(&s->net, &from, 2, request);
	net_run(&s->net, 20000);
	assert_int_equal(s->net.host[2].sent, sent);
}

static void unheard_segments_are_given_up(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600,
		                                  .timers.reply = { .limit = 3 } };
	struct stage *s = *state;
	struct whole w;
	unsigned sent, parts;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	net_host_free(&s->net, 1);
	sent = s->net.host[2].sent;
	answer_big(s, 40, 0);
	parts = s->net.host[2].sent - sent;
	net_run(&s->net, 29000);
	assert_int_equal(s->net.host[2].sent, sent + parts * 4);
	net_run(&s->net, 2000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
}

/* After a Pending the whole is confirmed at once, and that once, after the last (P). */
static void segments_after_a_pending(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600 };
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	net_run(&s->net, 600);
	assert_true(stage_count(s, 2)->tx_pendings > 0);
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
	assert_int_equal(stage_count(s, 2)->rx_acks, 1);
}

/* What belongs to an action as a whole goes once: its attributes first, its error last. */
static void count_wholes(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                         const struct h248_transaction *reply)
{
	unsigned *n = arg;
	const struct h248_action *a = reply->actions;

	(void)outcome;
	(void)msg;
	assert_true(a->attr && a->attr->has_priority);
	for (; a; a = a->next) {
		n[0]++;
		n[1] += a->attr != NULL;
		n[2] += a->error != NULL;
		assert_true(!a->error || !a->next);
	}
}

static void parts_of_an_action_go_once(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 200 };
	struct stage *s = *state;
	struct base_arena arena = { 0 };
	struct h248_context_attr attr = { .has_priority = true, .priority = 7 };
	struct h248_error error = { .d.kind = H248_ERROR, .code = H248_E_HARDWARE };
	struct h248_transaction *reply;
	unsigned n[3] = { 0 };

	stage_restart(s, H248_UDP, NULL, &c);
	s->server.hold = true;
	assert_int_equal(h248_txn_request(s->peer, net_audit(&arena), 3, count_wholes, n, NULL), 0);
	net_run(&s->net, 50);
	reply = h248_reply_new(&arena, 0);
	reply->actions = reply->last_action = NULL;
	h248_action_add(&arena, reply, 7);
	for (unsigned i = 0; i < 40; i++)
		assert_non_null(h248_command_add(&arena, reply->actions, H248_SUBTRACT,
		                                 BASE_STR("ip/1/4711")));
	reply->actions->attr = &attr;
	reply->actions->error = &error;
	assert_int_equal(h248_txn_reply(s->server.held[0], reply), 0);
	base_arena_done(&arena);
	net_run(&s->net, 1000);
	assert_true(n[0] > 3);
	assert_int_equal(n[1], 1);
	assert_int_equal(n[2], 1);
}

static bool count_wishes(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)n;
	if (from == 2 && strstr(text, " P="))
		*(unsigned *)net->arg += strstr(text, "{IA,") != NULL;
	return false;
}

/* The acknowledgement is asked for once, by the last segment (P). */
static void last_segment_asks_for_the_acknowledgement(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600 };
	struct stage *s = *state;
	struct whole w;
	unsigned wishes = 0;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	net_run(&s->net, 600);
	s->net.drop = count_wishes;
	s->net.arg = &wishes;
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
	assert_int_equal(wishes, 1);
}

static void no_segments_before_version_3(void **state)
{
	static const struct h248_txn_config c = { .max_udp = 600 };
	static const struct h248_txn_config never = { .max_udp = 600, .no_segments = true };
	const int big = BASE_ERR(BASE_LOCAL, H248_E_PDU_SIZE);
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 2, &w);
	answer_big(s, 40, big);
	net_run(&s->net, 100);
	assert_int_equal(w.code, H248_E_PDU_SIZE);

	stage_restart(s, H248_UDP, NULL, &never);
	ask_big(s, 3, &w);
	answer_big(s, 40, big);
	net_run(&s->net, 100);
	assert_int_equal(w.code, H248_E_PDU_SIZE);

	stage_restart(s, H248_UDP, NULL, &c); /* by max_udp alone, too */
	ask_big(s, 3, &w);
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
	assert_true(s->net.host[2].longest <= 600);
}

static void a_command_alone_too_big_is_533(void **state)
{
	static const struct h248_txn_config c = { .max_udp = 600 };
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_UDP, NULL, &c);
	ask_big(s, 3, &w);
	answer_big(s, 700, BASE_ERR(BASE_LOCAL, H248_E_PDU_SIZE));
	net_run(&s->net, 100);
	assert_int_equal(w.code, H248_E_PDU_SIZE);
	assert_int_equal(stage_count(s, 2)->tx_segments, 0);
}

static void tcp_needs_no_segments(void **state)
{
	static const struct h248_txn_config c = { .segment_bytes = 600 };
	struct stage *s = *state;
	struct whole w;

	stage_restart(s, H248_TCP, NULL, &c);
	ask_big(s, 3, &w);
	answer_big(s, 40, 0);
	net_run(&s->net, 100);
	assert_int_equal(w.commands, CONTEXTS * COMMANDS);
	assert_int_equal(stage_count(s, 2)->tx_segments, 0);
}

/* Package seg may set it later; a bound of 0 is the datagram's. */
static void size_and_timer_can_be_set(void **state)
{
	struct stage *s = *state;
	struct whole w;

	h248_txn_segments_set(s->net.host[2].txn, 600, 700);
	h248_txn_segments_set(s->net.host[1].txn, 0, 700);
	ask_big(s, 3, &w);
	answer_big(s, 40, 0);
	net_run(&s->net, 1000);
	assert_true(w.in_order);
	assert_true(stage_count(s, 2)->tx_segments > 5);
	net_host_free(&s->net, 2);
	stage_ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1002/2/&{C=5}");
	net_run(&s->net, 699);
	assert_false(stage_sent_has(s, 1, "T=1002{"));
	net_run(&s->net, 1);
	assert_true(stage_sent_has(s, 1, "T=1002{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(segments_are_joined),
		STAGE(a_broken_segment_is_told),
		STAGE(missing_segment_is_asked_for_again),
		STAGE(big_reply_goes_in_segments),
		STAGE(action_is_cut_between_commands),
		STAGE(window_of_segments),
		STAGE(lost_segments_are_repeated),
		STAGE(repeated_request_repeats_segments),
		STAGE(unheard_segments_are_given_up),
		STAGE(segments_after_a_pending),
		STAGE(parts_of_an_action_go_once),
		STAGE(last_segment_asks_for_the_acknowledgement),
		STAGE(no_segments_before_version_3),
		STAGE(a_command_alone_too_big_is_533),
		STAGE(tcp_needs_no_segments),
		STAGE(size_and_timer_can_be_set),
	};

	return cmocka_run_group_tests_name("txn_segment", tests, NULL, NULL);
}
