/* SPDX-License-Identifier: Apache-2.0 */
/* What many user agents say, and how their load is measured and paced. */
#include "ue/load_measure.h"
#include "ue/load_text.h"

#include "check.h"

/* ---- histogram ---- */

static void empty(void **state)
{
	static const struct load_histogram h;

	(void)state;
	assert_int_equal(load_histogram_at(&h, 500), 0);
}

static void figures(void **state)
{
	static struct load_histogram h;

	(void)state;
	for (uint64_t us = 1; us <= 1000; us++)
		load_histogram_add(&h, us);
	assert_int_equal(h.count, 1000);
	assert_int_equal(load_histogram_at(&h, 1000), 1000);
	assert_int_equal(load_histogram_at(&h, 0), 1);
	assert_int_equal(load_histogram_at(&h, 20), 20); /* small ones are exact */
	assert_in_range(load_histogram_at(&h, 500), 500, 500 + 500 / LOAD_STEPS);
	assert_in_range(load_histogram_at(&h, 990), 990, 1000);
}

/* No value falls out, and none is told lower than it was. */
static void all_sizes(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		for (int more = -1; more <= 1; more++) {
			static struct load_histogram h;
			uint64_t us = (1ULL << bit) + (uint64_t)more;

			h = (struct load_histogram){ 0 };
			load_histogram_add(&h, 0);
			load_histogram_add(&h, us);
			assert_int_equal(h.max_us, us);
			if (us < 1ULL << 35)
				assert_int_equal(load_histogram_at(&h, 1000), us);
			assert_int_equal(load_histogram_at(&h, 500), us ? 0 : us);
		}
}

/* ---- pace ---- */

static void paced(void **state)
{
	struct load_pace pace;
	uint64_t due;

	(void)state;
	load_pace_start(&pace, 100, 5000);
	assert_true(load_pace_due(&pace, 5000, &due));
	load_pace_took(&pace);
	assert_false(load_pace_due(&pace, 14999, &due));
	assert_true(load_pace_due(&pace, 40000, &due));
	assert_int_equal(due, 15000); /* it has waited since then */
	load_pace_took(&pace);
	assert_true(load_pace_due(&pace, 40000, &due));
	assert_int_equal(due, 25000);
}

static void never_and_always(void **state)
{
	struct load_pace pace;
	uint64_t due;

	(void)state;
	load_pace_start(&pace, 0, 1);
	assert_false(load_pace_due(&pace, 1 << 30, &due));
	assert_int_equal(load_pace_skip(&pace, 1 << 30), 0);
	load_pace_start(&pace, LOAD_MAX, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(load_pace_due(&pace, 77, &due));
		assert_int_equal(due, 77);
		load_pace_took(&pace);
	}
	assert_int_equal(load_pace_skip(&pace, 1 << 30), 0);
}

static void far_behind(void **state)
{
	struct load_pace pace;
	uint64_t due, now = 10 * LOAD_BEHIND_US;

	(void)state;
	load_pace_start(&pace, 1000, 0);
	assert_int_equal(load_pace_skip(&pace, LOAD_BEHIND_US), 0);
	assert_int_equal(load_pace_skip(&pace, now), 9001);
	assert_true(load_pace_due(&pace, now, &due));
	assert_int_equal(due, 9 * LOAD_BEHIND_US + 1000);
}

/* ---- texts ---- */

struct stage {
	struct base_writer out;
	struct base_arena arena;
	struct load_home home;
	struct load_voice who;
	struct sip_message msg;
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	s->home = (struct load_home){ .identity = BASE_STR("sip:ue@home.example"),
		                      .user = BASE_STR("ue"),
		                      .password = BASE_STR("s3cret"),
		                      .registrar = BASE_STR("sip:home.example"),
		                      .proxies = "Route: <sip:edge.example;lr>\r\n",
		                      .transport = "TLS",
		                      .contact_transport = "tls",
		                      .run = 0xabc,
		                      .expires_s = 600,
		                      .octets = 20,
		                      .outbound = true };
	s->who = (struct load_voice){
		.home = &s->home, .number = 17, .address = "127.0.0.1:40000", .cseq = 3
	};
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	base_writer_done(&s->out);
	base_arena_done(&s->arena);
	free(s);
	return 0;
}

static const struct sip_message *read_back(struct stage *s)
{
	assert_false(s->out.failed);
	assert_int_equal(sip_message_parse(&s->msg, &s->arena, base_writer_view(&s->out), true), 0);
	assert_int_equal(s->msg.fault, 0);
	return &s->msg;
}

static void check_str(struct base_str got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.ptr, want, got.len);
}

static bool password(void *arg, struct base_str user, struct base_str *ret)
{
	(void)arg;
	check_str(user, "ue17");
	*ret = BASE_STR("s3cret");
	return true;
}

static void registers(void **state)
{
	struct stage *s = *state;
	const struct sip_message *msg;
	uint64_t expires;

	assert_int_equal(load_text_register(&s->out, &s->arena, &s->who, 600), 0);
	msg = read_back(s);
	assert_int_equal(msg->method, SIP_REGISTER);
	check_str(msg->from.uri, "sip:ue17@home.example");
	check_str(msg->to.uri, "sip:ue17@home.example");
	check_str(sip_header(msg, SIP_H_ROUTE)->value, "<sip:edge.example;lr>");
	assert_int_equal(sip_header_number(sip_header(msg, SIP_H_EXPIRES), 1000, &expires), 0);
	assert_int_equal(expires, 600);
	assert_true(sip_header_has(msg, SIP_H_SUPPORTED, "outbound"));
	assert_null(sip_header(msg, SIP_H_AUTHORIZATION));
	assert_non_null(strstr(base_writer_cstr(&s->out), ";reg-id=1;+sip.instance="));
}

static void without_outbound(void **state)
{
	struct stage *s = *state;

	s->home.outbound = false;
	assert_int_equal(load_text_register(&s->out, &s->arena, &s->who, 600), 0);
	(void)read_back(s);
	assert_null(strstr(base_writer_cstr(&s->out), "reg-id"));
	assert_null(strstr(base_writer_cstr(&s->out), ";ob"));
	assert_false(sip_header_has(&s->msg, SIP_H_SUPPORTED, "outbound"));
}

/* A registrar that asks, by both hashes, is answered by the better one. */
static void proves_itself(void **state)
{
	static const enum sip_hash hashes[] = { SIP_HASH_MD5, SIP_HASH_SHA256 };
	static const uint8_t key[32] = { 1 }, salt[16] = { 2 };
	const struct sip_digest_config config = { .realm = "home.example",
		                                  .hashes = hashes,
		                                  .hash_count = 2 };
	struct stage *s = *state;
	struct sip_digest_server *server;
	struct base_writer asked = { 0 };
	struct sip_message answer;
	struct base_str user;
	bool stale;

	assert_int_equal(load_text_register(&s->out, &s->arena, &s->who, 600), 0);
	assert_int_equal(sip_digest_server_new(&server, &config, key), 0);
	sip_reply_begin(&asked, read_back(s), NULL, 401, NULL, BASE_STR("t"));
	assert_int_equal(sip_digest_challenge(server, 1000, salt, false, false, &asked), 0);
	sip_body_end(&asked, NULL, BASE_STR(""));
	assert_int_equal(sip_message_parse(&answer, &s->arena, base_writer_view(&asked), true), 0);
	assert_true(load_text_challenge(&answer, &s->arena, &s->who.challenge));
	s->who.answered = 1;
	base_writer_reset(&s->out);
	assert_int_equal(load_text_register(&s->out, &s->arena, &s->who, 600), 0);
	assert_int_equal(sip_digest_check(server, 1001, read_back(s), false, password, NULL,
	                                  &s->arena, &user, &stale),
	                 0);
	assert_non_null(strstr(base_writer_cstr(&s->out), "algorithm=SHA-256"));
	sip_digest_server_free(server);
	base_writer_done(&asked);
}

static void asks_another(void **state)
{
	struct stage *s = *state;
	const struct sip_message *msg;

	s->who.routes = "Route: <sip:edge.example;lr>\r\nRoute: <sip:scscf.example;lr>\r\n";
	load_text_request(&s->out, &s->who, SIP_MESSAGE, 4);
	msg = read_back(s);
	check_str(msg->target, "sip:ue4@home.example");
	check_str(msg->from.uri, "sip:ue17@home.example");
	assert_int_equal(msg->body.len, 20);
	assert_int_equal(msg->cseq, 3);
}

/* The route set of who has called is Record-Route from its end. */
static void call_ends(void **state)
{
	static const char ok[] =
	        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK1\r\n"
	        "Record-Route: <sip:c.example;lr>, <sip:b.example;lr>\r\n"
	        "Record-Route: <sip:a.example;lr>\r\n"
	        "From: <sip:ue17@home.example>;tag=1\r\nTo: <sip:ue4@home.example>;tag=2\r\n"
	        "Call-ID: x\r\nCSeq: 3 INVITE\r\nContact: <sip:ue4@127.0.0.9:5>\r\n"
	        "Content-Length: 0\r\n\r\n";
	struct stage *s = *state;
	struct sip_framer framer = { 0 };
	enum sip_frame_kind kind;
	struct sip_message answer, ack, bye;
	struct base_str both;
	size_t len;

	assert_int_equal(sip_message_parse(&answer, &s->arena, base_str_of(ok), true), 0);
	load_text_ack_bye(&s->out, &s->who, &answer);
	both = base_writer_view(&s->out);
	assert_int_equal(sip_frame(&framer, both, &kind, &len), 0);
	assert_int_equal(kind, SIP_FRAME_MESSAGE);
	assert_int_equal(
	        sip_message_parse(&ack, &s->arena, (struct base_str){ both.ptr, len }, true), 0);
	assert_int_equal(sip_message_parse(&bye, &s->arena, sip_from(both, len), true), 0);
	assert_int_equal(ack.fault | bye.fault, 0);
	assert_int_equal(ack.method, SIP_ACK);
	assert_int_equal(ack.cseq, 3);
	assert_int_equal(bye.method, SIP_BYE);
	assert_int_equal(bye.cseq, 4);
	check_str(bye.target, "sip:ue4@127.0.0.9:5");
	check_str(bye.to_tag, "2");
	check_str(sip_header(&bye, SIP_H_ROUTE)->value, "<sip:a.example;lr>");
}

/* The ACK of a refusal belongs to its INVITE: the same Request-URI, branch, Route (17.1.1.3). */
static void call_is_refused(void **state)
{
	static const char busy[] =
	        "SIP/2.0 486 Busy\r\nVia: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK1\r\n"
	        "From: <sip:ue17@home.example>;tag=1\r\nTo: <sip:ue4@home.example>;tag=2\r\n"
	        "Call-ID: x\r\nCSeq: 3 INVITE\r\nContent-Length: 0\r\n\r\n";
	struct stage *s = *state;
	struct sip_message answer;
	char branch[64];

	s->who.routes = "Route: <sip:scscf.example;lr>\r\n";
	load_text_request(&s->out, &s->who, SIP_INVITE, 4);
	(void)snprintf(branch, sizeof(branch), "%.*s", BASE_FMT(read_back(s)->via.branch));
	base_writer_reset(&s->out);
	assert_int_equal(sip_message_parse(&answer, &s->arena, base_str_of(busy), true), 0);
	load_text_ack(&s->out, &s->who, &answer);
	assert_int_equal(read_back(s)->method, SIP_ACK);
	assert_int_equal(s->msg.cseq, 3);
	check_str(s->msg.target, "sip:ue4@home.example");
	check_str(s->msg.via.branch, branch);
	check_str(s->msg.to_tag, "2");
	check_str(s->msg.call_id, "x");
	check_str(sip_header(&s->msg, SIP_H_ROUTE)->value, "<sip:scscf.example;lr>");
}

static unsigned answer_to(struct stage *s, enum sip_method method)
{
	struct sip_message request;

	base_writer_reset(&s->out);
	if (method == SIP_REGISTER)
		assert_int_equal(load_text_register(&s->out, &s->arena, &s->who, 1), 0);
	else
		load_text_request(&s->out, &s->who, method, 1);
	request = *read_back(s);
	request.octets.ptr = base_arena_dup(&s->arena, request.octets);
	assert_int_equal(sip_message_parse(&request, &s->arena, request.octets, true), 0);
	base_writer_reset(&s->out);
	load_text_answer(&s->out, &s->who, &request);
	return read_back(s)->status;
}

static void answers(void **state)
{
	struct stage *s = *state;

	assert_int_equal(answer_to(s, SIP_MESSAGE), 200);
	assert_int_equal(answer_to(s, SIP_INVITE), 200);
	assert_non_null(sip_header(&s->msg, SIP_H_CONTACT));
	assert_true(s->msg.body.len > 0);
	assert_int_equal(answer_to(s, SIP_REGISTER), 405);
}

int main(void)
{
#define TEXT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(figures),
		cmocka_unit_test(all_sizes),
		cmocka_unit_test(paced),
		cmocka_unit_test(never_and_always),
		cmocka_unit_test(far_behind),
		TEXT(registers),
		TEXT(without_outbound),
		TEXT(proves_itself),
		TEXT(asks_another),
		TEXT(call_ends),
		TEXT(call_is_refused),
		TEXT(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
