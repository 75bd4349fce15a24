/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction layer on a stage: RFC 3525, Annex D, with a virtual clock. Host 1 is the asking
 * side, host 2 the executing one, others are extras. */
#include "check.h"

#include "net.h"

/* ---- the executing side ---- */

struct server {
	struct net *net;
	bool hold; /* do not answer at once */
	bool keep_model;
	const char *octets; /* of the last request, where they were */
	bool strangers;     /* makes them peers */
	struct h248_incoming *held[16];
	unsigned held_count;
	const struct h248_transaction *req; /* of the last one, when kept */
	unsigned executed, heard, errors;
	unsigned error_code;
	uint16_t *times; /* by TransactionID, for the long test */
	uint32_t first;
	size_t reply_octets; /* of padding */
};

static int answer(struct server *s, struct h248_incoming *in)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = net_audit_reply(&arena, 0);
	int rc;

	if (s->reply_octets) {
		struct h248_packages *p = h248_packages_add(&arena, reply->actions->commands);

		for (size_t i = 0; i < s->reply_octets / 10; i++)
			h248_packages_item_add(&arena, p, BASE_STR("abcdefg"), 1);
	}
	rc = h248_txn_reply(in, reply);
	base_arena_done(&arena);
	return rc;
}

static void server_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                           const struct h248_transaction *req)
{
	struct server *s = arg;

	(void)msg;
	s->executed++;
	s->octets = req->actions->commands->term.name.ptr;
	if (s->times)
		s->times[req->id - s->first]++;
	if (s->keep_model) {
		h248_incoming_keep(in);
		s->req = req;
	}
	if (s->hold)
		s->held[s->held_count++] = in;
	else
		(void)answer(s, in);
}

static bool server_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)from;
	(void)msg;
	return ((struct server *)arg)->strangers;
}

static void server_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                         unsigned code, struct base_str text)
{
	struct server *s = arg;

	(void)peer;
	(void)from;
	(void)text;
	s->errors++;
	s->error_code = code;
}

static void server_heard(void *arg, struct h248_peer *peer)
{
	(void)peer;
	((struct server *)arg)->heard++;
}

static struct h248_txn_ops server_ops(struct server *s, struct net *net)
{
	*s = (struct server){ .net = net, .strangers = true };
	return (struct h248_txn_ops){ .on_request = server_request,
		                      .on_stranger = server_stranger,
		                      .on_message_error = server_error,
		                      .on_heard = server_heard,
		                      .arg = s };
}

/* ---- the asking side ---- */

struct answers {
	unsigned replies, timeouts, cancelled;
	unsigned code; /* of an error reply */
	uint64_t at_ms;
	struct net *net;
};

static void on_answer(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                      const struct h248_transaction *reply)
{
	struct answers *a = arg;

	a->replies += outcome == H248_OUTCOME_REPLY;
	a->timeouts += outcome == H248_OUTCOME_TIMEOUT;
	a->cancelled += outcome == H248_OUTCOME_CANCELLED;
	a->at_ms = a->net->now_ms;
	if (outcome == H248_OUTCOME_REPLY) {
		assert_non_null(msg);
		a->code = reply->error ? reply->error->code : 0;
	} else {
		assert_null(reply);
	}
}

struct stage {
	struct net net;
	struct server client, server; /* the client's own requests_from_server side */
	struct answers answers;
	struct h248_peer *peer; /* the server, seen from the client */
};

static void stage_with(struct stage *s, enum h248_transport_kind kind,
                       const struct h248_txn_config *client, const struct h248_txn_config *server)
{
	struct h248_txn_ops ops;
	struct h248_addr addr = net_addr(2, kind);

	net_init(&s->net);
	ops = server_ops(&s->client, &s->net);
	net_host_new(&s->net, 1, kind, client, &ops);
	ops = server_ops(&s->server, &s->net);
	net_host_new(&s->net, 2, kind, server, &ops);
	s->answers = (struct answers){ .net = &s->net };
	assert_int_equal(h248_peer_new(&s->peer, s->net.host[1].txn, &addr), 0);
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	stage_with(s, H248_UDP, NULL, NULL);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	net_done(&s->net);
	free(s);
	return 0;
}

static void restart(struct stage *s, enum h248_transport_kind kind,
                    const struct h248_txn_config *client, const struct h248_txn_config *server)
{
	net_done(&s->net);
	stage_with(s, kind, client, server);
}

static uint32_t ask(struct stage *s)
{
	struct base_arena arena = { 0 };
	uint32_t id = 0;

	assert_int_equal(
	        h248_txn_request(s->peer, net_audit(&arena), 0, on_answer, &s->answers, &id), 0);
	base_arena_done(&arena);
	return id;
}

static const struct h248_txn_counters *count(struct stage *s, unsigned host)
{
	return h248_txn_counters(s->net.host[host].txn);
}

static bool sent_has(struct stage *s, unsigned host, const char *text)
{
	return strstr(s->net.host[host].last, text) != NULL;
}

static bool drop_first(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)text;
	return from == *(unsigned *)net->arg && n == 1;
}

static bool drop_all(struct net *net, unsigned from, unsigned n, const char *text)
{
	(void)n;
	(void)text;
	return from == *(unsigned *)net->arg;
}

/* ---- the plain way ---- */

static void request_and_reply(void **state)
{
	struct stage *s = *state;
	uint32_t id = ask(s);

	assert_int_equal(h248_peer_outgoing(s->peer), 1);
	assert_int_equal(s->answers.replies, 0);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[1].sent, 1);
	assert_int_equal(s->net.host[2].sent, 1);
	assert_int_equal(h248_peer_mid(s->peer)->kind, H248_MID_IP4); /* learned */
	assert_int_equal(h248_peer_rtt_ms(s->peer), 20);
	assert_int_equal(id, 1001);
	assert_int_equal(ask(s), 1002); /* unique, growing */
	net_run(&s->net, 60000);
	assert_int_equal(h248_txn_deadline(s->net.host[1].txn), UINT64_MAX);
	assert_int_equal(h248_txn_deadline(s->net.host[2].txn), UINT64_MAX);
}

/* D.1.2.2: the acknowledgement rides on the next message; the reply is then forgotten. */
static void acknowledgement_rides_along(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < 3; i++)
		ask(s);
	net_run(&s->net, 100);
	assert_int_equal(count(s, 2)->rx_acks, 0);
	ask(s);
	assert_true(sent_has(s, 1, "K{1001-1003}"));
	net_run(&s->net, 100);
	assert_int_equal(count(s, 2)->rx_acks, 3);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 4); /* the ids stay */
}

/* ---- losses ---- */

static void lost_request_is_repeated(void **state)
{
	struct stage *s = *state;
	unsigned who = 1;

	s->net.drop = drop_first;
	s->net.arg = &who;
	ask(s);
	net_run(&s->net, 199);
	assert_int_equal(s->net.host[1].sent, 1);
	net_run(&s->net, 1000);
	assert_int_equal(s->net.host[1].sent, 2);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(count(s, 1)->tx_retransmissions, 1);
	assert_int_equal(h248_peer_rtt_ms(s->peer), 0); /* nobody knows which one was answered */
}

static void lost_reply_is_repeated_from_memory(void **state)
{
	struct stage *s = *state;
	unsigned who = 2;

	s->net.drop = drop_first;
	s->net.arg = &who;
	ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(count(s, 2)->rx_repeated, 1);
	assert_int_equal(count(s, 2)->tx_replies_repeated, 1);
}

static void duplicates_execute_once(void **state)
{
	struct stage *s = *state;

	s->net.dup = 100;
	ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(count(s, 2)->rx_repeated, 1);
	assert_true(count(s, 1)->rx_replies_stray > 0);
}

/* D.1.3: the pauses grow; D.1.5: T-MAX ends it. */
static void silence_is_given_up_after_t_max(void **state)
{
	struct stage *s = *state;
	unsigned who = 1, sent = 1;
	uint64_t start = s->net.now_ms, last = start, gap = 0, first_gap = 0;

	s->net.drop = drop_all;
	s->net.arg = &who;
	ask(s);
	while (!s->answers.timeouts && net_step(&s->net, UINT64_MAX - 1)) {
		if (s->net.host[1].sent == sent)
			continue;
		sent = s->net.host[1].sent;
		gap = s->net.now_ms - last;
		last = s->net.now_ms;
		first_gap = first_gap ? first_gap : gap;
		assert_true(gap <= 4000);
	}
	assert_int_equal(s->answers.timeouts, 1);
	assert_int_equal(s->answers.at_ms - start, 25000);
	assert_int_equal(first_gap, 200);
	assert_true(gap >= 2000); /* between half of the bound and the bound */
	assert_in_range(sent, 8, 20);
	assert_int_equal(h248_peer_outgoing(s->peer), 0);
	assert_int_equal(s->server.executed, 0);
}

static void timer_follows_the_round_trip(void **state)
{
	struct stage *s = *state;

	s->net.delay_ms = 300;
	for (int i = 0; i < 40; i++) {
		ask(s);
		net_run(&s->net, 5000);
	}
	assert_int_equal(s->answers.replies, 40);
	assert_in_range(h248_peer_rtt_ms(s->peer), 595, 700);
	assert_in_range(h248_peer_rto_ms(s->peer), 600, 1500);
	assert_true(count(s, 1)->tx_retransmissions < 10); /* only until it was learned */
}

/* ---- at most once ---- */

static const char request_7[] = "!/1 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}";

static void long_timer_purges(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, request_7);
	net_run(&s->net, 29999);
	net_inject(&s->net, &from, 2, request_7);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 1);
	net_run(&s->net, 1);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	net_inject(&s->net, &from, 2, request_7); /* a new transaction by the same number */
	assert_int_equal(s->server.executed, 2);
}

static void acknowledged_stays_known(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);
	unsigned sent;

	net_inject(&s->net, &from, 2, request_7);
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 K{0-4294967295,9-3}");
	assert_int_equal(count(s, 2)->rx_acks, 1);
	sent = s->net.host[2].sent;
	net_inject(&s->net, &from, 2, request_7);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[2].sent, sent); /* D.1.2.2: silently discarded */
}

static void same_id_of_another_peer_is_another(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, request_7);
	net_inject(&s->net, &from, 2, "!/1 <mgc.example.net> T=7{C=-{AV=ROOT{AT{}}}}");
	net_inject(&s->net, &from, 2, "!/1 <MGC.Example.NET> T=7{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 2);
}

static void several_transactions_in_a_message(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2,
	           "!/1 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}T=8{C=-{AV=ROOT{AT{}}}}"
	           "T=7{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 2);
	assert_int_equal(count(s, 2)->rx_repeated, 1);
}

static void full_table_refuses_and_forgets_nothing(void **state)
{
	static const struct h248_txn_config small = { .max_incoming = 2 };
	struct stage *s = *state;

	restart(s, H248_UDP, NULL, &small);
	for (int i = 0; i < 3; i++)
		ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->server.executed, 2);
	assert_int_equal(s->answers.replies, 3);
	assert_int_equal(s->answers.code, H248_E_BUSY);
	assert_int_equal(count(s, 2)->rx_refused, 1);
	net_run(&s->net, 31000);
	ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, 0);
}

/* ---- pending ---- */

static void pending_while_it_takes_time(void **state)
{
	struct stage *s = *state;

	s->server.hold = true;
	ask(s);
	net_run(&s->net, 150);
	assert_int_equal(s->net.host[2].sent, 0);
	net_run(&s->net, 1850); /* the repetition at 200 gets one, 510, 1010, 1510 more */
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(count(s, 2)->tx_pendings, 4);
	assert_int_equal(s->net.host[1].sent, 2); /* Pending has lengthened the pause */
	assert_true(sent_has(s, 2, "PN=1001{}"));

	assert_int_equal(answer(&s->server, s->server.held[0]), 0);
	assert_true(sent_has(s, 2, "P=1001{IA,")); /* D.1.4: SHALL */
	net_run(&s->net, 15);
	assert_int_equal(s->answers.replies, 1);
	assert_true(sent_has(s, 1, "K{1001}")); /* an immediate confirmation */
	net_run(&s->net, 60000);
	assert_int_equal(count(s, 2)->rx_acks, 1);
	assert_int_equal(count(s, 2)->tx_replies_repeated, 0);
}

/* D.1.4: "a different repetition timer", when nothing comes after the Pending. */
static void pending_lengthens_the_pauses(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	ask(s);
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
	ask(s);
	net_run(&s->net, 100);
	assert_memory_equal(s->server.octets, "ROOT", 4);
	(void)answer(&s->server, s->server.held[0]);
	assert_memory_equal(s->server.octets, "\0\0\0", 4); /* kept warm for the next, but empty */
}

static void pending_keeps_a_long_transaction_alive(void **state)
{
	struct stage *s = *state;

	s->server.hold = true;
	ask(s);
	net_run(&s->net, 90000); /* more than three times T-MAX */
	assert_int_equal(s->answers.timeouts, 0);
	assert_int_equal(s->server.executed, 1);
	(void)answer(&s->server, s->server.held[0]);
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
	ask(s);
	net_run(&s->net, 600);
	s->net.drop = drop_replies;
	s->net.arg = &dropped;
	(void)answer(&s->server, s->server.held[0]);
	net_run(&s->net, 4000);
	assert_int_equal(s->answers.replies, 1);
	assert_true(count(s, 2)->tx_replies_repeated >= 3);
	assert_int_equal(count(s, 2)->rx_acks, 1);
}

static void pending_limit_ends_it_with_506(void **state)
{
	static const struct h248_txn_config limited = { .pending_limit = 3 };
	struct stage *s = *state;

	restart(s, H248_UDP, NULL, &limited);
	s->server.hold = true;
	ask(s);
	net_run(&s->net, 5000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->answers.code, H248_E_PENDINGS);
	(void)answer(&s->server, s->server.held[0]);
	assert_int_equal(count(s, 2)->late_replies, 1);
	net_run(&s->net, 60000);

	s->server.held_count = 0; /* the same, answered after the entry has been purged */
	ask(s);
	net_run(&s->net, 60000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	(void)answer(&s->server, s->server.held[0]);
	assert_int_equal(count(s, 2)->late_replies, 2);
}

static void pending_after_the_reply_is_ignored(void **state)
{
	struct stage *s = *state;

	ask(s);
	net_run(&s->net, 100);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=1001{}");
	net_run(&s->net, 60000);
	assert_int_equal(s->net.host[1].sent, 1);
}

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
	assert_true(sent_has(s, 1, "SM=1001/1"));
	assert_int_equal(s->net.host[1].sent, 4); /* the request, and each segment confirmed */
	assert_string_equal(order, "");
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/2{C=5}");
	assert_string_equal(order, "1 2 5 7 8 ");
	net_inject(&s->net, &s->net.host[2].addr, 1, parts[0]);
	assert_true(sent_has(s, 1, "SM=1001/3/&"));
	assert_string_equal(order, "1 2 5 7 8 ");
}

static void missing_segment_is_asked_for_again(void **state)
{
	struct stage *s = *state;

	net_host_free(&s->net, 2);
	ask(s);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/3 [10.0.0.2]:2944 P=1001/2/&{C=5}");
	net_run(&s->net, 5001);
	assert_true(sent_has(s, 1, "T=1001{"));
	net_run(&s->net, 25000);
	assert_int_equal(s->answers.timeouts, 1);
}

/* ---- faults ---- */

static void garbage_gets_a_message_error(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(1, H248_UDP);

	net_inject(&s->net, &from, 2, "hello");
	assert_true(sent_has(s, 2, "ER=400{"));
	net_inject(&s->net, &from, 2, "");
	net_inject(&s->net, &from, 2, "!/9 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}");
	assert_true(sent_has(s, 2, "ER=406{"));
	assert_int_equal(count(s, 2)->tx_message_errors, 3);
	assert_int_equal(s->server.executed, 0);
	net_run(&s->net, 1000);
	assert_int_equal(s->client.errors, 3); /* and no answer to an error: no ping-pong */
	assert_int_equal(s->net.host[1].sent, 0);
	assert_int_equal(s->net.host[2].sent, 3);
}

static void message_error_is_never_answered(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 ER=403{\"x\"}");
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 ER=403{\"x\"} rubbish");
	assert_int_equal(s->server.error_code, 403);
	assert_int_equal(s->net.host[2].sent, 0);
}

static void broken_transaction_gets_403_and_the_next_is_done(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 T=x{C=-{}}T=8{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(count(s, 2)->rx_faulty, 1);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->net.host[2].sent, 2);
}

static void stranger_gets_504(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	s->server.strangers = false;
	net_inject(&s->net, &from, 2, request_7);
	assert_true(sent_has(s, 2, "P=7{ER=504{"));
	net_inject(&s->net, &from, 2, "!/1 [10.0.0.3]:2944 P=7{C=-{AV=ROOT}}");
	assert_int_equal(s->server.executed, 0);
	assert_int_equal(count(s, 2)->rx_refused, 1);
	assert_int_equal(count(s, 2)->rx_replies_stray, 1);
	assert_null(h248_peer_next(s->net.host[2].txn, NULL));
	/* By TCP its connection ends with that, so that strangers cannot take all there are. */
	assert_int_equal(s->net.host[2].closed, 0);
	from = net_addr(3, H248_TCP);
	from.conn = 77;
	net_inject(&s->net, &from, 2, request_7);
	assert_int_equal(s->net.host[2].closed, 1);
	assert_int_equal(s->net.host[2].last_closed.conn, 77);
}

static void too_big_a_reply_is_533(void **state)
{
	static const struct h248_txn_config small = { .max_udp = 600 };
	struct stage *s = *state;

	restart(s, H248_UDP, NULL, &small);
	s->server.reply_octets = 1000;
	ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, H248_E_PDU_SIZE);
	s->server.reply_octets = 200;
	ask(s);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.code, 0);
}

/* ---- peers that come and go ---- */

static void freed_peer_cancels_and_discards(void **state)
{
	struct stage *s = *state;
	struct h248_peer *client;
	uint32_t id;

	s->server.hold = true;
	id = ask(s);
	ask(s);
	net_run(&s->net, 100);
	h248_txn_cancel(s->net.host[1].txn, id);
	h248_txn_cancel(s->net.host[1].txn, id);
	assert_int_equal(s->answers.cancelled, 1);
	h248_peer_free(s->peer);
	assert_int_equal(s->answers.cancelled, 2);

	client = h248_peer_next(s->net.host[2].txn, NULL);
	assert_int_equal(h248_peer_executing(client), 2);
	h248_peer_free(client);
	assert_null(h248_incoming_peer(s->server.held[0]));
	(void)answer(&s->server, s->server.held[0]);
	assert_int_equal(s->net.host[2].sent, 0);
	assert_int_equal(count(s, 2)->late_replies, 1);
	/* the other one is freed with its entity */
}

static void requests_move_to_another_peer(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = server_ops(&third, &s->net);
	struct h248_addr addr = net_addr(3, H248_UDP);
	struct h248_peer *to;

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	net_host_free(&s->net, 2);
	ask(s);
	ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(h248_peer_new(&to, s->net.host[1].txn, &addr), 0);
	h248_peer_move(s->peer, to);
	h248_peer_free(s->peer);
	assert_int_equal(s->answers.cancelled, 0);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 2);
	assert_int_equal(third.executed, 2);
}

static void kept_model_outlives_the_callback(void **state)
{
	struct stage *s = *state;

	s->server.hold = s->server.keep_model = true;
	ask(s);
	net_run(&s->net, 50);
	s->server.keep_model = false;
	s->server.hold = false;
	for (int i = 0; i < 5; i++) {
		ask(s);
		net_run(&s->net, 50);
	}
	assert_int_equal(s->server.req->id, 1001);
	assert_true(base_str_eq(s->server.req->actions->commands->term.name, BASE_STR("ROOT")));
	(void)answer(&s->server, s->server.held[0]);
}

static void two_entities_share_nothing(void **state)
{
	struct stage *s = *state;
	struct server third;
	struct h248_txn_ops ops = server_ops(&third, &s->net);

	net_host_new(&s->net, 3, H248_UDP, NULL, &ops);
	ask(s);
	net_run(&s->net, 100);
	net_inject(&s->net, &s->net.host[1].addr, 3,
	           "!/1 [10.0.0.1]:2944 T=1001{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(third.executed, 1);
}

/* ---- TCP ---- */

static void tcp_repeats_nothing(void **state)
{
	struct stage *s = *state;
	unsigned who = 1;

	restart(s, H248_TCP, NULL, NULL);
	s->net.drop = drop_all;
	s->net.arg = &who;
	ask(s);
	net_run(&s->net, 10000);
	assert_int_equal(s->net.host[1].sent, 1);
	s->net.drop = NULL; /* the connection is there again */
	h248_peer_resend(s->peer);
	h248_peer_resend(s->peer);
	net_run(&s->net, 100);
	assert_int_equal(s->server.executed, 1);
	assert_int_equal(s->answers.replies, 1);

	s->net.drop = drop_all;
	ask(s);
	net_run(&s->net, 24999);
	assert_int_equal(s->answers.timeouts, 0);
	net_run(&s->net, 2);
	assert_int_equal(s->answers.timeouts, 1);
}

/* ---- the long run ---- */

enum { MANY = 10000 };

static void run_lossy(struct stage *s, unsigned loss)
{
	static const struct h248_txn_config patient = { .first_id = 1 };
	const struct h248_txn_counters *c, *d;
	unsigned asked = 0;

	restart(s, H248_UDP, &patient, NULL);
	s->net.loss = loss;
	s->net.dup = loss;
	s->net.jitter_ms = 60;
	s->server.times = calloc(MANY, sizeof(uint16_t));
	s->server.first = 1;
	assert_non_null(s->server.times);
	while (asked < MANY || h248_peer_outgoing(s->peer)) {
		while (asked < MANY && h248_peer_outgoing(s->peer) < 50) {
			ask(s);
			asked++;
		}
		net_run(&s->net, 5);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(s->server.times[i], 1);
	assert_int_equal(s->server.executed, MANY);
	assert_int_equal(s->answers.replies, MANY);
	c = count(s, 2);
	assert_int_equal(c->rx_requests,
	                 c->rx_executed + c->rx_repeated + c->rx_refused + c->rx_faulty);
	d = count(s, 1);
	assert_int_equal(d->tx_requests, d->rx_replies + d->tx_timeouts + d->tx_cancelled);
	print_message("%2u %% loss: %u requests, %llu repeated, %llu ms\n", loss, MANY,
	              (unsigned long long)d->tx_retransmissions, (unsigned long long)s->net.now_ms);
	net_run(&s->net, 31000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	free(s->server.times);
}

static void ten_thousand_at_1_per_cent(void **state)
{
	run_lossy(*state, 1);
}
static void ten_thousand_at_5_per_cent(void **state)
{
	run_lossy(*state, 5);
}
static void ten_thousand_at_20_per_cent(void **state)
{
	run_lossy(*state, 20);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(request_and_reply),
		CASE(acknowledgement_rides_along),
		CASE(lost_request_is_repeated),
		CASE(lost_reply_is_repeated_from_memory),
		CASE(duplicates_execute_once),
		CASE(silence_is_given_up_after_t_max),
		CASE(timer_follows_the_round_trip),
		CASE(long_timer_purges),
		CASE(acknowledged_stays_known),
		CASE(same_id_of_another_peer_is_another),
		CASE(several_transactions_in_a_message),
		CASE(full_table_refuses_and_forgets_nothing),
		CASE(pending_while_it_takes_time),
		CASE(pending_lengthens_the_pauses),
		CASE(a_handled_message_is_wiped),
		CASE(pending_keeps_a_long_transaction_alive),
		CASE(unconfirmed_reply_repeats_itself),
		CASE(pending_limit_ends_it_with_506),
		CASE(pending_after_the_reply_is_ignored),
		CASE(segments_are_joined),
		CASE(missing_segment_is_asked_for_again),
		CASE(garbage_gets_a_message_error),
		CASE(message_error_is_never_answered),
		CASE(broken_transaction_gets_403_and_the_next_is_done),
		CASE(stranger_gets_504),
		CASE(too_big_a_reply_is_533),
		CASE(freed_peer_cancels_and_discards),
		CASE(requests_move_to_another_peer),
		CASE(kept_model_outlives_the_callback),
		CASE(two_entities_share_nothing),
		CASE(tcp_repeats_nothing),
		CASE(ten_thousand_at_1_per_cent),
		CASE(ten_thousand_at_5_per_cent),
		CASE(ten_thousand_at_20_per_cent),
	};

	return cmocka_run_group_tests_name("txn", tests, NULL, NULL);
}
