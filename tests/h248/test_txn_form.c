/* SPDX-License-Identifier: Apache-2.0 */
/* The form of messages: compact, pretty or binary, by peer and by message; traces; headers. */
#include "check.h"

#include "txn_stage.h"

/* The form of what a host has sent last. */
static enum h248_codec form_of(const struct stage *s, unsigned host)
{
	return h248_codec_detect(s->net.host[host].last, s->net.host[host].last_len);
}

/* A request with that id of host 3, in that form, to host 2. */
static void ask_in(struct stage *s, enum h248_codec codec, uint32_t id)
{
	struct base_arena arena = { 0 };
	struct h248_addr from = net_addr(3, H248_UDP);
	struct h248_transaction *t = net_audit(&arena);
	struct h248_message msg = { .mid = h248_addr_mid(&from), .version = 1, .transactions = t };
	struct base_writer w = { 0 };

	t->id = id;
	msg.last = t;
	assert_int_equal(h248_codec_encode(&w, &msg, codec), 0);
	h248_txn_input(s->net.host[2].txn, &from, w.data, w.len);
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void answer_has_the_form_of_the_request(void **state)
{
	struct stage *s = *state;
	uint32_t id = 1;

	for (int round = 0; round < 2; round++) {
		for (enum h248_codec c = H248_CODEC_COMPACT; c <= H248_CODEC_BER; c++) {
			ask_in(s, c, id++);
			assert_int_equal(form_of(s, 2), c);
		}
	}
	ask_in(s, H248_CODEC_COMPACT, 3); /* a repetition: the reply as it was */
	assert_int_equal(form_of(s, 2), H248_CODEC_BER);
	assert_int_equal(s->server.executed, 6);
}

static void late_answer_has_the_form_of_its_request(void **state)
{
	struct stage *s = *state;

	s->server.hold = true;
	ask_in(s, H248_CODEC_BER, 1);
	ask_in(s, H248_CODEC_PRETTY, 2);
	net_run(&s->net, 501);
	assert_int_equal(stage_count(s, 2)->tx_pendings, 2);
	(void)stage_answer(&s->server, s->server.held[0]);
	assert_int_equal(form_of(s, 2), H248_CODEC_BER);
	(void)stage_answer(&s->server, s->server.held[1]);
	assert_int_equal(form_of(s, 2), H248_CODEC_PRETTY);
}

static void own_style_of_text(void **state)
{
	static const struct h248_txn_config pretty = { .pretty = true };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &pretty, &pretty);
	stage_ask(s);
	assert_int_equal(form_of(s, 1), H248_CODEC_PRETTY);
	ask_in(s, H248_CODEC_COMPACT, 1);
	assert_int_equal(form_of(s, 2), H248_CODEC_PRETTY);
	ask_in(s, H248_CODEC_BER, 2);
	assert_int_equal(form_of(s, 2), H248_CODEC_BER);
}

static void request_has_the_form_of_the_peer(void **state)
{
	static const struct h248_txn_config ber = { .codec = H248_CODEC_BER };
	struct stage *s = *state;
	struct h248_peer *third;

	stage_ask(s);
	net_run(&s->net, 100);
	assert_int_equal(form_of(s, 1), H248_CODEC_COMPACT);
	h248_peer_codec_set(s->peer, H248_CODEC_BER);
	assert_int_equal(h248_peer_codec(s->peer), H248_CODEC_BER);
	stage_ask(s);
	assert_int_equal(form_of(s, 1), H248_CODEC_BER);
	net_run(&s->net, 100);
	assert_int_equal(form_of(s, 2), H248_CODEC_BER);
	assert_int_equal(s->answers.replies, 2);
	/* The other side has heard it and does likewise. */
	third = h248_peer_next(s->net.host[2].txn, NULL);
	assert_int_equal(h248_peer_codec(third), H248_CODEC_BER);

	stage_restart(s, H248_UDP, &ber, NULL);
	stage_ask(s);
	assert_int_equal(form_of(s, 1), H248_CODEC_BER);
	net_run(&s->net, 100);
	assert_int_equal(s->answers.replies, 1);
	net_inject(&s->net, &s->net.host[2].addr, 1, "!/1 [10.0.0.2]:2944 PN=5{}");
	assert_int_equal(h248_peer_codec(s->peer), H248_CODEC_COMPACT);
}

/* Acknowledgements, pendings, confirmations: nothing falls back to text. */
static void a_binary_association_stays_binary(void **state)
{
	static const struct h248_txn_config ber = { .codec = H248_CODEC_BER, .ack_ms = 100 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &ber, &ber);
	s->net.drop = stage_only_ber;
	s->server.hold = true;
	stage_ask(s);
	net_run(&s->net, 1000);
	(void)stage_answer(&s->server, s->server.held[0]);
	s->server.hold = false;
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 2);
	assert_int_equal(stage_count(s, 2)->rx_acks, 2);
	ask_in(s, H248_CODEC_BER, 9);
	h248_txn_input(s->net.host[2].txn, &s->net.host[1].addr, "\x30\x03\x02\x01\x01", 5);
	assert_int_equal(stage_count(s, 2)->tx_message_errors, 1);
	assert_int_equal(form_of(s, 2), H248_CODEC_BER);
}

static void segments_in_binary(void **state)
{
	static const struct h248_txn_config ber = { .codec = H248_CODEC_BER, .segment_bytes = 200 };
	struct stage *s = *state;
	struct base_arena arena = { 0 };

	stage_restart(s, H248_UDP, &ber, &ber);
	s->net.drop = stage_only_ber;
	s->server.many_commands = 50;
	assert_int_equal(
	        h248_txn_request(s->peer, net_audit(&arena), 3, stage_on_answer, &s->answers, NULL),
	        0);
	base_arena_done(&arena);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 1);
	assert_int_equal(s->answers.commands, 50);
	assert_true(stage_count(s, 2)->tx_segments > 5);
	assert_true(s->net.host[2].longest <= 200);
}

static void bundles_in_binary(void **state)
{
	static const struct h248_txn_config ber = { .codec = H248_CODEC_BER, .bundle_ms = 30 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &ber, &ber);
	s->net.drop = stage_only_ber;
	for (int i = 0; i < 20; i++) /* long enough for lengths of two octets */
		stage_ask(s);
	net_run(&s->net, 200);
	assert_int_equal(s->net.host[1].sent, 1);
	assert_int_equal(s->net.host[2].sent, 1);
	assert_int_equal(s->answers.replies, 20);
	stage_ask(s);
	net_run(&s->net, 200);
	assert_int_equal(stage_count(s, 2)->rx_acks, 20);
}

static void bundles_in_pretty_text(void **state)
{
	static const struct h248_txn_config c = { .pretty = true, .bundle_ms = 5 };
	struct stage *s = *state;

	stage_restart(s, H248_UDP, &c, &c);
	for (int i = 0; i < 5; i++)
		stage_ask(s);
	net_run(&s->net, 200);
	assert_int_equal(s->net.host[1].sent, 1);
	assert_int_equal(s->answers.replies, 5);
}

/* ---- what is wrong is told in its own form ---- */

static void bad_header_is_answered_in_its_form(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2, "MEGACO/9 [10.0.0.3]:2944\nPending = 1 { }");
	assert_true(stage_sent_has(s, 2, "Error = 406"));
	net_inject(&s->net, &from, 2, "!/9 [10.0.0.3]:2944 PN=1{}");
	assert_true(stage_sent_has(s, 2, "ER=406{"));
	net_inject(&s->net, &from, 2, "MEGACO/1 [10.0.0.3]:2944 Transaction = 9 { Context }");
	assert_true(stage_sent_has(s, 2, "Reply = 9"));
}

/* What breaks behind a readable header is told to its sender in the same form. */
static void broken_binary_is_answered_in_binary(void **state)
{
	struct stage *s = *state;
	struct base_arena arena = { 0 };
	struct h248_addr from = net_addr(3, H248_UDP);
	struct h248_transaction *t = net_audit(&arena);
	struct h248_message msg = {
		.mid = h248_addr_mid(&from), .version = 2, .transactions = t, .last = t
	};
	struct base_writer w = { 0 };

	t->id = 0x1234567;
	assert_int_equal(h248_codec_encode(&w, &msg, H248_CODEC_BER), 0);
	for (size_t at = 1; at < w.len; at++) { /* one octet wrong, anywhere */
		uint8_t was = w.data[at];
		unsigned sent = s->net.host[2].sent;

		w.data[at] ^= 0x81;
		h248_txn_input(s->net.host[2].txn, &from, w.data, w.len);
		if (s->net.host[2].sent != sent)
			assert_int_equal(form_of(s, 2), H248_CODEC_BER);
		w.data[at] = was;
	}
	assert_true(stage_count(s, 2)->tx_message_errors > 5);
	assert_true(stage_count(s, 2)->rx_faulty + stage_count(s, 2)->rx_executed > 0);
	base_writer_done(&w);
	base_arena_done(&arena);
}

/* 10.2: the header of somebody's authentication is read and passed over, and its request done. */
static void authentication_header_is_tolerated(void **state)
{
	struct stage *s = *state;
	struct h248_addr from = net_addr(3, H248_UDP);

	net_inject(&s->net, &from, 2,
	           "AU=0x0000BEEF:0x00000042:0x00112233445566778899AABB "
	           "!/1 [10.0.0.3]:2944 T=7{C=-{AV=ROOT{AT{}}}}");
	assert_int_equal(s->server.executed, 1);
	assert_true(stage_sent_has(s, 2, "P=7{C=-{AV=ROOT"));
}

/* ---- tracing ---- */

struct traced {
	unsigned in, out, undecoded;
	unsigned kinds; /* bits of transaction kinds seen */
	size_t octets;
};

static void on_traced(void *arg, bool out, const struct h248_addr *addr,
                      const struct h248_message *msg, const void *data, size_t len)
{
	struct traced *t = ((struct server *)arg)->user;

	assert_true(h248_addr_known(addr));
	assert_non_null(data);
	t->octets += len;
	t->in += !out;
	t->out += out;
	t->undecoded += !msg;
	for (const struct h248_transaction *one = msg ? msg->transactions : NULL; one;
	     one = one->next)
		t->kinds |= 1U << one->kind;
}

static void trace_shows_messages_decoded(void **state)
{
	static const struct h248_txn_config c = { .bundle_ms = 5 };
	struct stage *s = *state;
	struct traced traced = { 0 };
	struct h248_txn_ops ops;
	struct h248_addr addr = net_addr(2, H248_UDP);
	unsigned who = 1;

	net_host_free(&s->net, 1);
	ops = stage_server(&s->client, &s->net);
	ops.on_traced = on_traced;
	s->client.user = &traced;
	net_host_new(&s->net, 1, H248_UDP, &c, &ops);
	assert_int_equal(h248_peer_new(&s->peer, s->net.host[1].txn, &addr), 0);
	s->net.drop = stage_drop_first;
	s->net.arg = &who;
	for (int i = 0; i < 3; i++)
		stage_ask(s);
	net_run(&s->net, 1000);
	stage_ask(s);
	net_run(&s->net, 1000);
	assert_int_equal(s->answers.replies, 4);
	assert_int_equal(traced.in, s->net.host[1].received);
	assert_int_equal(traced.out, s->net.host[1].sent);
	assert_int_equal(traced.undecoded, 0);
	assert_int_equal(traced.kinds, 1U << H248_REQUEST | 1U << H248_REPLY | 1U << H248_ACK);
	assert_int_equal(traced.octets,
	                 stage_count(s, 1)->tx_octets + stage_count(s, 1)->rx_octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(answer_has_the_form_of_the_request),
		STAGE(late_answer_has_the_form_of_its_request),
		STAGE(own_style_of_text),
		STAGE(request_has_the_form_of_the_peer),
		STAGE(a_binary_association_stays_binary),
		STAGE(segments_in_binary),
		STAGE(bundles_in_binary),
		STAGE(bundles_in_pretty_text),
		STAGE(bad_header_is_answered_in_its_form),
		STAGE(broken_binary_is_answered_in_binary),
		STAGE(authentication_header_is_tolerated),
		STAGE(trace_shows_messages_decoded),
	};

	return cmocka_run_group_tests_name("txn_form", tests, NULL, NULL);
}
