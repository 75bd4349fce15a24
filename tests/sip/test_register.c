/* SPDX-License-Identifier: Apache-2.0 */
/** @file Registrations, and requests of ours that are challenged, on a virtual clock. */
#include "check.h"
#include "sip/pair.h"

static struct pair p;

static const struct base_str route = { "<sip:pcscf.example;lr>", 22 };

/* Bob is the registrar. */
static struct registrar {
	struct sip_digest_server *digest;
	uint8_t salt[16];
	const char *lines; /* of a 200 */
	unsigned refuse;   /* with this status, and refuse_lines */
	const char *refuse_lines;
	unsigned registered, challenged, stale;
	char expires[16];
	unsigned nc;   /* that is expected with the nonce it has given last */
	bool any;      /* none is expected */
	uint32_t cseq; /* the last, of the Call-ID */
} reg;

static struct told {
	enum sip_register_what what;
	unsigned status;
} told[16];
static size_t told_count, told_seen;

static bool password_of(void *arg, struct base_str user, struct base_str *ret)
{
	(void)arg;
	*ret = BASE_STR("secret");
	return base_str_eq(user, BASE_STR("alice"));
}

static void reply(struct pair_end *end, struct sip_txn *txn, unsigned status, const char *lines)
{
	assert_int_equal(
	        sip_ua_reply(end->ua, txn, status, &(struct sip_content){ .lines = lines }), 0);
}

static void ask_for_proof(struct pair_end *end, struct sip_txn *txn, bool stale)
{
	struct base_writer w = { 0 };

	reg.salt[0]++;
	reg.nc = 1;
	reg.challenged++;
	reg.stale += stale;
	assert_int_equal(sip_digest_challenge(reg.digest, p.now_ms, reg.salt, false, stale, &w), 0);
	reply(end, txn, 401, base_writer_cstr(&w));
	base_writer_done(&w);
}

static bool registrar(struct pair_end *end, struct sip_txn *txn, const struct sip_message *msg)
{
	struct base_arena arena = { 0 };
	struct base_str user;
	bool stale;
	char nc[16];
	const struct sip_header *h = sip_header(msg, SIP_H_EXPIRES);
	int rc = sip_digest_check(reg.digest, p.now_ms, msg, false, password_of, NULL, &arena,
	                          &user, &stale);

	assert_int_equal(msg->method, SIP_REGISTER);
	assert_true(msg->cseq > reg.cseq); /* 10.2: one more each time */
	reg.cseq = msg->cseq;
	assert_non_null(sip_header_named(msg, "X-More"));
	assert_true(base_str_eq(sip_header(msg, SIP_H_ROUTE)->value, route));
	assert_non_null(sip_header(msg, SIP_H_CONTACT));
	(void)snprintf(reg.expires, sizeof(reg.expires), "%.*s", BASE_FMT(h->value));
	if (reg.refuse) {
		reply(end, txn, reg.refuse, reg.refuse_lines);
	} else if (rc) {
		ask_for_proof(end, txn, stale);
	} else {
		(void)snprintf(nc, sizeof(nc), "nc=%08x", reg.nc++);
		/* a nonce's first is 1; who was refused goes on with the one he has */
		assert_true(reg.any || pair_has(msg->octets, nc) == 1);
		reg.registered++;
		reply(end, txn, 200, reg.lines);
	}
	base_arena_done(&arena);
	return true;
}

static void on_register(void *user, enum sip_register_what what, unsigned status,
                        const struct sip_message *msg)
{
	assert_ptr_equal(user, &p);
	assert_true(!msg || msg->status == status);
	assert_true(told_count < BASE_COUNT(told));
	told[told_count++] = (struct told){ what, status };
}

static void expect(enum sip_register_what what, unsigned status)
{
	assert_true(told_seen < told_count);
	assert_int_equal(told[told_seen].what, what);
	assert_int_equal(told[told_seen++].status, status);
	assert_int_equal(told_seen, told_count);
}

static int set_up(void **state)
{
	static const uint8_t key[32] = { 1 };

	(void)state;
	pair_open(&p, NULL, NULL);
	reg = (struct registrar){ 0 };
	told_count = told_seen = 0;
	assert_int_equal(sip_digest_server_new(&reg.digest,
	                                       &(struct sip_digest_config){ .realm = "r" }, key),
	                 0);
	p.bob.handle = registrar;
	assert_int_equal(sip_ua_credential(p.alice.ua, NULL, "nobody", "x", 1), 0);
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "secret", 6), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pair_close(&p);
	sip_digest_server_free(reg.digest);
	return 0;
}

static struct sip_register *begin(void)
{
	struct sip_register_config config = { .registrar = BASE_STR("sip:example.com"),
		                              .aor = BASE_STR("<sip:alice@example.com>"),
		                              .routes = &route,
		                              .route_count = 1,
		                              .lines = "X-More: 1\r\n" };
	struct sip_register *r;

	reg.cseq = 0; /* of another Call-ID */
	assert_int_equal(sip_register_new(&r, p.alice.ua, &config, on_register, &p), 0);
	return r;
}

static void finish(struct sip_register *r, uint64_t wait_ms)
{
	sip_register_stop(r);
	pair_until(&p, p.now_ms + wait_ms);
	expect(SIP_UNREGISTERED, 200);
	assert_string_equal(reg.expires, "0");
	pair_until(&p, p.now_ms + 100000000);
	assert_int_equal(told_seen, told_count);
	sip_register_free(r);
}

/** Challenged, accepted, refreshed in time with the nonce that is known, and taken back. */
static void there_and_back(void **state)
{
	struct sip_register *r;
	const struct base_str *routes;
	size_t count;

	(void)state;
	reg.lines =
	        "Contact: <sip:other@x>;expires=7200, <sip:alice@alice.example>;expires=3600\r\n"
	        "Service-Route: <sip:s1.example;lr>, <sip:s2.example;lr>\r\n";
	r = begin();
	routes = sip_register_routes(r, &count);
	assert_int_equal(count, 1);
	assert_true(base_str_eq(routes[0], BASE_STR("<sip:pcscf.example;lr>")));
	pair_run(&p);
	expect(SIP_REGISTERED, 200);
	assert_true(sip_register_is(r));
	assert_string_equal(reg.expires, "3600");
	assert_int_equal(reg.challenged, 1);
	routes = sip_register_routes(r, &count);
	assert_int_equal(count, 2);
	assert_true(base_str_eq(routes[1], BASE_STR("<sip:s2.example;lr>")));
	pair_until(&p, p.now_ms + 2999999);
	assert_int_equal(told_seen, told_count);
	pair_until(&p, p.now_ms + 1);
	expect(SIP_REGISTERED, 200);
	assert_int_equal(reg.challenged, 2); /* the nonce was out of date by then */
	assert_int_equal(reg.stale, 1);
	reg.lines = "Expires: 100\r\n";
	pair_until(&p, p.now_ms + 3000000);
	expect(SIP_REGISTERED, 200);
	assert_int_equal(reg.challenged, 3);
	pair_until(&p, p.now_ms + 50000);
	expect(SIP_REGISTERED, 200);
	assert_int_equal(reg.challenged, 3); /* not yet this time */
	assert_int_equal(pair_sent(&p, &p.alice, "REGISTER"), 7);
	finish(r, 1);
}

/** A wrong password is not tried twice, but later; a failed registrar is left alone longer. */
static void refused(void **state)
{
	struct sip_register *r;

	(void)state;
	reg.any = true;
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "Secret", 6), 0);
	r = begin();
	pair_run(&p);
	expect(SIP_UNANSWERED, 401);
	assert_false(sip_register_is(r));
	assert_int_equal(reg.challenged, 2);
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "secret", 6), 0);
	pair_until(&p, p.now_ms + 29999);
	assert_int_equal(reg.challenged, 2);
	pair_until(&p, p.now_ms + 1);
	expect(SIP_REGISTERED, 200);
	reg.refuse = 500;
	reg.refuse_lines = "Retry-After: 100 (well)\r\n";
	pair_until(&p, p.now_ms + 3000000);
	expect(SIP_UNANSWERED, 500);
	assert_false(sip_register_is(r));
	pair_until(&p, p.now_ms + 99999);
	assert_int_equal(told_seen, told_count);
	pair_until(&p, p.now_ms + 1);
	expect(SIP_UNANSWERED, 500);
	reg.refuse = 423;
	reg.refuse_lines = "Min-Expires: 9000\r\n";
	p.drop = "423";
	p.drops = 1;
	pair_until(&p, p.now_ms + 100600); /* its answer comes the second time */
	expect(SIP_UNANSWERED, 423);       /* again too short: there is no more to it */
	assert_string_equal(reg.expires, "9000");
	reg.refuse = 0;
	pair_until(&p, p.now_ms + 200000);
	expect(SIP_REGISTERED, 200);
	p.drop = "REGISTER";
	p.drops = UINT32_MAX;
	pair_until(&p, p.now_ms + 8400000);
	expect(SIP_UNANSWERED, 408);
	p.drop = NULL;
	finish(r, 5000); /* after the one that is under way */
}

/* Never long enough. */
static bool insatiable(struct pair_end *end, struct sip_txn *txn, const struct sip_message *msg)
{
	char lines[40];
	uint64_t s;

	assert_int_equal(sip_header_number(sip_header(msg, SIP_H_EXPIRES), UINT32_MAX, &s), 0);
	(void)snprintf(lines, sizeof(lines), "Min-Expires: %u\r\n", (unsigned)s + 1);
	reply(end, txn, 423, lines);
	return true;
}

/** A registrar that wants ever longer does not keep us busy: it is left alone as one that fails. */
static void ever_longer(void **state)
{
	struct sip_register *r;

	(void)state;
	p.bob.handle = insatiable;
	r = begin();
	pair_run(&p);
	expect(SIP_UNANSWERED, 423);
	assert_int_equal(pair_sent(&p, &p.alice, "REGISTER"), 5);
	pair_until(&p, p.now_ms + 29999);
	assert_int_equal(pair_sent(&p, &p.alice, "REGISTER"), 5);
	p.bob.handle = registrar;
	pair_until(&p, p.now_ms + 1);
	expect(SIP_REGISTERED, 200);
	finish(r, 1);
}

/** It is taken back while its first answer is still awaited, and let go without a word. */
static void cut_short(void **state)
{
	struct sip_register *r;

	(void)state;
	r = begin();
	sip_register_stop(r);
	sip_register_stop(r);
	pair_until(&p, p.now_ms + 1);
	expect(SIP_UNREGISTERED, 200);
	sip_register_free(r);
	r = begin();
	sip_register_free(r);
	pair_until(&p, p.now_ms + 100000);
	assert_int_equal(told_seen, told_count);
	p.alice.hold_ways = true;
	r = begin();
	sip_register_free(r);
	sip_ua_no_way(p.alice.ua, p.alice.way, 404);
	pair_until(&p, p.now_ms + 100000);
	assert_int_equal(told_seen, told_count);
}

/* -- calls that are challenged -------------------------------------------------------------------
 */

#define CHALLENGE(realm, more)                                                                     \
	"Proxy-Authenticate: Digest realm=\"" realm "\", nonce=\"n\", qop=\"auth\"" more "\r\n"

/** The INVITE goes again with another number, its ACK with its credentials (22.1), what follows
 * with the next count; the best hash that is known is taken, of each realm. */
static void challenged_call(void **state)
{
	struct sip_content answer = { .type = "application/sdp", .body = BASE_STR("a1") };
	struct pair_event *e;
	char *long_one;

	(void)state;
	(void)pair_call(&p, "o1");
	pair_answer(&p, &p.alice, 407,
	            CHALLENGE("r", ", algorithm=AKAv1-MD5") CHALLENGE("r", "")
	                    CHALLENGE("r", ", algorithm=SHA-256") CHALLENGE("r2", ""));
	assert_int_equal(pair_has(pair_last(&p), "ACK sip:"), 0); /* it was before the new INVITE */
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization: Digest username=\"alice\""),
	                 1);
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization: Digest username=\"nobody\""),
	                 1);
	assert_int_equal(pair_has(pair_last(&p), "algorithm=SHA-256"), 1);
	assert_int_equal(pair_has(pair_last(&p), "nc=00000001"), 2);
	assert_int_equal(pair_has(pair_last(&p), "CSeq: 2 INVITE"), 1);
	free(p.queue[p.head++ % PAIR_QUEUE].octets); /* that ACK was the proxy's */
	pair_run(&p);
	(void)pair_expect(&p.bob, SIP_CALL_INCOMING);
	assert_int_equal(sip_call_accept(p.bob.call, &answer), 0);
	sip_ua_input(p.alice.ua, (struct sip_flow){ .id = 1 }, NULL, pair_last(&p));
	assert_int_equal(pair_has(pair_last(&p), "ACK sip:bob"), 1);
	assert_int_equal(pair_has(pair_last(&p), "nc=00000001"), 2);
	pair_run(&p);
	(void)pair_expect(&p.alice, SIP_CALL_ANSWERED);
	sip_call_end(p.alice.call, 0, NULL);
	assert_int_equal(pair_has(pair_last(&p), "BYE sip:bob"), 1);
	assert_int_equal(pair_has(pair_last(&p), "nc=00000002"), 2);
	pair_until(&p, p.now_ms + 1);
	(void)pair_expect(&p.alice, SIP_CALL_OVER);
	/* one that would make all later requests long is passed over */
	(void)pair_call(&p, "o1");
	long_one = calloc(1, 4096);
	(void)snprintf(long_one, 4096, CHALLENGE("r", ", opaque=\"%03000u\""), 0);
	pair_answer(&p, &p.alice, 407, long_one);
	free(long_one);
	pair_until(&p, p.now_ms + 1);
	assert_int_equal(pair_expect(&p.alice, SIP_CALL_OVER)->status, 407);
	/* refused with them: that is an end */
	(void)pair_call(&p, "o1");
	pair_answer(&p, &p.alice, 407, CHALLENGE("r", ""));
	free(p.queue[p.head++ % PAIR_QUEUE].octets);
	pair_answer(&p, &p.alice, 407, CHALLENGE("r", ""));
	pair_until(&p, p.now_ms + 1);
	e = pair_expect(&p.alice, SIP_CALL_OVER);
	assert_int_equal(e->status, 407);
}

/* A MESSAGE for somebody, on its way. */
static void message_to(const char *target)
{
	struct sip_draft draft = { .method = "MESSAGE",
		                   .target = base_str_of(target),
		                   .from = BASE_STR("<sip:alice@example.com>"),
		                   .to = BASE_STR("<sip:x@example.com>") };

	assert_int_equal(sip_ua_ask(p.alice.ua, &draft, NULL, NULL, NULL), 0);
}

static void drain(void)
{
	p.bob.handle = NULL;
	pair_until(&p, p.now_ms + 1);
}

/** What a next hop has asked goes to that one again, to no other. */
static void by_next_hop(void **state)
{
	(void)state;
	message_to("sip:mallory@evil.example");
	pair_answer(&p, &p.alice, 407, CHALLENGE("evil", ""));
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization: Digest"), 1);
	drain();
	message_to("sip:bob@example.com");
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization"), 0);
	drain();
	message_to("sip:other@Evil.example");
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization: Digest"), 1);
	assert_int_equal(pair_has(pair_last(&p), "nc=00000002"), 1);
	drain();
	message_to("sip:other@evil.example:5070");
	assert_int_equal(pair_has(pair_last(&p), "Proxy-Authorization"), 0);
	drain();
}

#define ASKED(realm) "WWW-Authenticate: Digest realm=\"" realm "\", nonce=\"n\", qop=\"auth\"\r\n"

/** A place that has been given to another realm meanwhile is not what this request has met. */
static void another_in_its_place(void **state)
{
	struct pair_packet first;
	char lines[128];

	(void)state;
	message_to("sip:bob@first.example");
	pair_answer(&p, &p.alice, 401, ASKED("first"));
	assert_int_equal(pair_has(pair_last(&p), "realm=\"first\""), 1);
	first = p.queue[--p.tail % PAIR_QUEUE]; /* it waits for its answer */
	for (unsigned i = 0; i < 8; i++) {
		message_to("sip:bob@other.example");
		(void)snprintf(lines, sizeof(lines), ASKED("other%u"), i);
		pair_answer(&p, &p.alice, 401, lines);
		assert_int_equal(pair_has(pair_last(&p), "\r\nAuthorization: Digest"), 1);
		drain();
	}
	p.queue[p.tail++ % PAIR_QUEUE] = first;
	pair_answer(&p, &p.alice, 401, ASKED("second"));
	assert_int_equal(pair_has(pair_last(&p), "realm=\"second\""), 1);
	assert_int_equal(pair_has(pair_last(&p), "realm=\"other"), 0);
	drain();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(there_and_back),  TEST(refused),     TEST(ever_longer),
		TEST(cut_short),       TEST(by_next_hop), TEST(another_in_its_place),
		TEST(challenged_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
