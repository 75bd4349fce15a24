/* SPDX-License-Identifier: Apache-2.0 */
/** @file The UE's registration over a flow of its own (RFC 5626; TS 33.203, Annex O), on a virtual
 * clock. */
#include "check.h"
#include "sip/pair.h"

static struct pair p;

static const struct base_str route = { "<sip:pcscf.example;lr>", 22 };

/* Bob is P-CSCF and registrar. */
static struct registrar {
	struct sip_digest_server *digest;
	uint8_t salt[16];
	const char *security; /* lines of a 401 */
	const char *lines;    /* of a 200 */
	unsigned refuse;      /* with this status, and refuse_lines */
	const char *refuse_lines;
	bool mute;
	unsigned registers, registered, challenged, stale;
	char last[2048]; /* REGISTER */
} reg;

static struct told {
	enum sip_access_what what;
	enum sip_access_why why;
	unsigned status;
	bool stale, outbound;
	uint32_t expires_s;
	uint64_t again_ms;
	unsigned failures;
} told[32];
static size_t told_count, told_seen;

static struct sip_access *access_;
static uint64_t flow, closed; /* the last given, the last that was ended */
static unsigned wishes, nexts, closes;
static bool forgotten, hold;
static bool loses, begins; /* the flow, when it is told of a challenge; another, then */

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
	reg.challenged++;
	reg.stale += stale;
	assert_int_equal(sip_digest_challenge(reg.digest, p.now_ms, reg.salt, false, stale, &w), 0);
	base_writer_text(&w, reg.security ? reg.security : "");
	reply(end, txn, 401, base_writer_cstr(&w));
	base_writer_done(&w);
}

static bool registrar(struct pair_end *end, struct sip_txn *txn, const struct sip_message *msg)
{
	struct base_arena arena = { 0 };
	struct base_str user;
	bool stale;
	int rc = sip_digest_check(reg.digest, p.now_ms, msg, false, password_of, NULL, &arena,
	                          &user, &stale);

	assert_int_equal(msg->method, SIP_REGISTER);
	assert_int_equal(p.alice.flow, flow); /* and no other */
	(void)snprintf(reg.last, sizeof(reg.last), "%.*s", BASE_FMT(msg->octets));
	reg.registers++;
	if (reg.mute) {
		sip_txn_drop(txn);
	} else if (reg.refuse) {
		reply(end, txn, reg.refuse, reg.refuse_lines);
	} else if (rc) {
		ask_for_proof(end, txn, stale);
	} else {
		reg.registered++;
		reply(end, txn, 200, reg.lines);
	}
	base_arena_done(&arena);
	return true;
}

static bool last_has(const char *text)
{
	return strstr(reg.last, text) != NULL;
}

/* -- the network, as its owner plays it -- */

static void on_connect(void *arg, bool next)
{
	assert_ptr_equal(arg, &p);
	wishes++;
	nexts += next;
	if (!hold)
		sip_access_flow(access_, (struct sip_flow){ .id = ++flow, .reliable = true });
}

static void on_close(void *arg, struct sip_flow old, bool forget)
{
	assert_ptr_equal(arg, &p);
	if (!old.id)
		return;
	closes++;
	closed = old.id;
	forgotten = forget;
}

static void on_told(void *arg, const struct sip_access_event *e)
{
	assert_ptr_equal(arg, &p);
	assert_true(told_count < BASE_COUNT(told));
	if (e->what != SIP_ACCESS_CONNECTING)
		told[told_count++] =
		        (struct told){ e->what,     e->why,       e->status,   e->stale,
			               e->outbound, e->expires_s, e->again_ms, e->failures };
	if (loses && e->what == SIP_ACCESS_CHALLENGED) {
		loses = !begins;
		sip_access_lost(access_, flow, true);
		if (begins)
			sip_access_begin(access_);
	}
}

static struct told *expect(enum sip_access_what what, unsigned status)
{
	assert_true(told_seen < told_count);
	assert_int_equal(told[told_seen].what, what);
	assert_int_equal(told[told_seen].status, status);
	return &told[told_seen++];
}

static void silence(void)
{
	assert_int_equal(told_seen, told_count);
}

static int set_up(void **state)
{
	static const uint8_t key[32] = { 1 };

	(void)state;
	pair_open(&p, NULL, &(struct sip_ua_config){ .supported = "x, sec-agree" });
	p.reliable = true;
	reg = (struct registrar){ .security = "Security-Server: tls;q=0.2, digest;q=0.1\r\n",
		                  .lines = "Contact: <sip:alice@alice.example>;expires=600;"
		                           "+sip.instance=\"<urn:uuid:1>\"\r\n"
		                           "Require: outbound\r\n"
		                           "Service-Route: <sip:scscf.example;lr>\r\n" };
	told_count = told_seen = 0;
	flow = closed = 0;
	wishes = nexts = closes = 0;
	forgotten = hold = loses = begins = false;
	assert_int_equal(sip_digest_server_new(&reg.digest,
	                                       &(struct sip_digest_config){ .realm = "r" }, key),
	                 0);
	p.bob.handle = registrar;
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "secret", 6), 0);
	assert_int_equal(
	        sip_access_new(&access_, p.alice.ua,
	                       &(struct sip_access_config){ .registrar = BASE_STR("sip:r"),
	                                                    .aor = BASE_STR("<sip:alice@r>"),
	                                                    .routes = &route,
	                                                    .route_count = 1,
	                                                    .instance = "urn:uuid:1",
	                                                    .user = "alice",
	                                                    .realm = "r",
	                                                    .sec_agree = true,
	                                                    .retry_ms = 30000 },
	                       &(struct sip_access_ops){ on_connect, on_close, on_told, &p }),
	        0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sip_access_free(access_);
	pair_close(&p);
	sip_digest_server_free(reg.digest);
	return 0;
}

static void up(void)
{
	sip_access_begin(access_);
	pair_run(&p);
	assert_false(expect(SIP_ACCESS_CHALLENGED, 401)->stale);
	assert_int_equal(expect(SIP_ACCESS_REGISTERED, 200)->expires_s, 600);
	silence();
	assert_true(sip_access_is(access_));
}

/* The next attempt is RFC 5626's wait away after so many failures, and not before. */
static void waits(const struct told *e, unsigned failures)
{
	uint64_t most = 30000ULL << failures;

	most = BASE_MIN(most, 1800000);
	assert_int_equal(e->failures, failures);
	assert_in_range(e->again_ms, most / 2, most);
	assert_int_equal(sip_access_flow_of(access_).id, 0);
	assert_true(closed == flow && forgotten);
}

/** RFC 3329, 2.3.1; RFC 5626, 4.2.1; the refresh goes by the live flow (O.4.3); and back. */
static void there_and_back(void **state)
{
	const struct base_str *routes;
	size_t count;

	(void)state;
	reg.refuse = 486; /* to see the first */
	sip_access_begin(access_);
	pair_run(&p);
	waits(expect(SIP_ACCESS_FAILED, 486), 1);
	assert_true(last_has("Authorization: Digest username=\"alice\", realm=\"r\", nonce=\"\", "
	                     "uri=\"sip:r\", response=\"\"\r\n"));
	assert_true(last_has("Security-Client: tls\r\nRequire: sec-agree\r\n"
	                     "Proxy-Require: sec-agree\r\n"));
	assert_true(last_has("Supported: path, outbound\r\n"));
	assert_true(last_has(
	        "Contact: <sip:alice@alice.example>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n"));
	assert_false(last_has("Security-Verify"));
	routes = sip_access_routes(access_, &count);
	assert_true(count == 1 && base_str_eq(routes[0], route));
	reg.refuse = 0;
	up();
	assert_int_equal(reg.registers, 3);
	assert_true(last_has("Security-Verify: tls;q=0.2, digest;q=0.1\r\n"));
	assert_true(last_has("nc=00000001"));
	assert_false(last_has("nonce=\"\""));
	routes = sip_access_routes(access_, &count);
	assert_true(count == 1 && base_str_eq(routes[0], BASE_STR("<sip:scscf.example;lr>")));
	assert_non_null(strstr(sip_access_lines(access_), "Security-Verify: tls;q=0.2"));
	pair_until(&p, p.now_ms + 299999);
	silence();
	pair_until(&p, p.now_ms + 1); /* with the nonce it has, still good at 300 s */
	while (told[told_seen].what == SIP_ACCESS_CHALLENGED)
		assert_true(expect(SIP_ACCESS_CHALLENGED, 401)->stale);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	assert_int_equal(flow, 2);
	assert_true(last_has("Security-Verify: tls;q=0.2, digest;q=0.1\r\n"));
	sip_access_stop(access_);
	assert_false(sip_access_idle(access_));
	pair_until(&p, p.now_ms + 1);
	(void)expect(SIP_ACCESS_UNREGISTERED, 200);
	assert_true(last_has("Expires: 0\r\n"));
	assert_true(closed == 2 && !forgotten && sip_access_idle(access_));
	pair_until(&p, p.now_ms + 100000000);
	silence();
}

/** O.3: the Digest fails: flow and session are gone, and the next attempt knows nothing. */
static void wrong_password(void **state)
{
	(void)state;
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "Secret", 6), 0);
	sip_access_begin(access_);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_DIGEST);
	waits(expect(SIP_ACCESS_FAILED, 401), 1);
	assert_int_equal(sip_ua_credential(p.alice.ua, "r", "alice", "secret", 6), 0);
	pair_until(&p, p.now_ms + 29999);
	silence();
	assert_int_equal(reg.registers, 2);
	reg.refuse = 403;
	pair_until(&p, p.now_ms + 30001);
	assert_true(last_has("nonce=\"\""));
	assert_false(last_has("Security-Verify"));
	assert_int_equal(told[told_seen].why, SIP_ACCESS_REFUSED);
	waits(expect(SIP_ACCESS_FAILED, 403), 2);
	reg.refuse = 0;
	sip_access_begin(access_); /* who is told to does not wait */
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	reg.refuse = 403; /* to a proof */
	sip_access_begin(access_);
	pair_run(&p);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_DIGEST);
	(void)expect(SIP_ACCESS_FAILED, 403);
	assert_true(closed == flow && forgotten);
}

/** O.3: a stale challenge is answered on the same session. */
static void stale(void **state)
{
	(void)state;
	reg.lines = "Expires: 3600\r\n";
	sip_access_begin(access_);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	assert_int_equal(expect(SIP_ACCESS_REGISTERED, 200)->expires_s, 3600);
	pair_until(&p, p.now_ms + 3000000);
	assert_true(expect(SIP_ACCESS_CHALLENGED, 401)->stale);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	silence();
	assert_int_equal(reg.stale, 1);
	assert_int_equal(closes, 0);
}

/** O.3: no answer to a refresh: a new registration; 430 likewise (RFC 5626, 11.5). */
static void begins_anew(void **state)
{
	(void)state;
	up();
	reg.refuse = 430;
	hold = true;
	sip_access_begin(access_);
	pair_run(&p);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_FLOW_FAILED);
	(void)expect(SIP_ACCESS_DOWN, 430);
	assert_true(wishes == 2 && closed == 1 && forgotten);
	reg.refuse = 0;
	hold = false;
	flow = 2;
	sip_access_flow(access_, (struct sip_flow){ .id = flow, .reliable = true });
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	reg.mute = true;
	sip_access_begin(access_);
	pair_until(&p, p.now_ms + 32000);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_SILENT);
	(void)expect(SIP_ACCESS_DOWN, 408);
	assert_int_equal(flow, 3);
	pair_until(&p, p.now_ms + 32000); /* that one, too: now it waits */
	assert_int_equal(told[told_seen].why, SIP_ACCESS_SILENT);
	(void)expect(SIP_ACCESS_FAILED, 408);
}

/** A flow that is lost is replaced at once; one that is lost again too soon is not. */
static void lost(void **state)
{
	(void)state;
	up();
	sip_access_lost(access_, 99, true);
	silence();
	sip_access_lost(access_, flow, true);
	(void)expect(SIP_ACCESS_DOWN, 0);
	assert_int_equal(flow, 2);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	sip_access_lost(access_, flow, true);
	waits(expect(SIP_ACCESS_FAILED, 0), 1);
	pair_until(&p, p.now_ms + 60000);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	pair_until(&p, p.now_ms + 30000); /* it has stood */
	sip_access_lost(access_, flow, true);
	(void)expect(SIP_ACCESS_DOWN, 0);
	sip_access_lost(access_, flow, true); /* in the midst of the next */
	waits(expect(SIP_ACCESS_FAILED, 0), 1);
}

/** Who is told of a challenge may end what it belongs to: nothing is answered on what has gone. */
static void lost_when_told(void **state)
{
	(void)state;
	loses = true;
	sip_access_begin(access_);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	waits(expect(SIP_ACCESS_FAILED, 0), 1);
	assert_int_equal(reg.registers, 1);
	loses = false;
	up();
	sip_access_stop(access_);
	pair_until(&p, p.now_ms + 1);
	(void)expect(SIP_ACCESS_UNREGISTERED, 200);
	loses = begins = true; /* once */
	sip_access_begin(access_);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_FAILED, 0);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	assert_int_equal(flow, 4);
	silence();
}

/** RFC 3263, 4.3: a flow that never came up: the next address, at once; where there is none it
 * waits. */
static void other_addresses(void **state)
{
	(void)state;
	sip_access_begin(access_);
	sip_access_lost(access_, flow, false);
	silence();
	assert_true(flow == 2 && nexts == 1 && closed == 1);
	hold = true;
	sip_access_lost(access_, flow, false);
	assert_true(wishes == 3 && nexts == 2 && closed == 2);
	sip_access_no_flow(access_);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_LOST);
	waits(expect(SIP_ACCESS_FAILED, 0), 1);
	hold = false;
	up();
	assert_int_equal(nexts, 2);
	sip_access_begin(access_);
	sip_access_stop(access_);
	sip_access_lost(access_, flow, false);
	(void)expect(SIP_ACCESS_FAILED, 0);
}

/** The wait grows and has an end; Retry-After makes it longer; nobody answers. */
static void waits_longer(void **state)
{
	(void)state;
	reg.refuse = 503;
	sip_access_begin(access_);
	for (unsigned i = 1; i < 9; i++) {
		pair_run(&p);
		assert_int_equal(told[told_seen].why, SIP_ACCESS_REFUSED);
		waits(expect(SIP_ACCESS_FAILED, 503), i);
		pair_until(&p, p.now_ms + told[told_seen - 1].again_ms);
	}
	reg.refuse_lines = "Retry-After: 5000\r\n";
	(void)expect(SIP_ACCESS_FAILED, 503);
	sip_access_begin(access_);
	pair_run(&p);
	assert_int_equal(expect(SIP_ACCESS_FAILED, 503)->again_ms, 5000000);
	reg.mute = true;
	sip_access_begin(access_);
	pair_until(&p, p.now_ms + 32000);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_SILENT);
	(void)expect(SIP_ACCESS_FAILED, 408);
	hold = true;
	sip_access_begin(access_);
	pair_until(&p, p.now_ms + 40000);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_NO_WAY);
	(void)expect(SIP_ACCESS_FAILED, 0);
	sip_access_begin(access_);
	sip_access_no_flow(access_);
	(void)expect(SIP_ACCESS_FAILED, 0);
	sip_access_stop(access_);
	(void)expect(SIP_ACCESS_UNREGISTERED, 0);
	assert_true(sip_access_idle(access_));
}

/** RFC 5626, 4.2.2: a registrar that is busy does not cost the flow, as long as it stands. */
static void busy(void **state)
{
	(void)state;
	hold = true;
	for (unsigned i = 1; i < 6; i++) { /* what failed before it stood counts no more */
		sip_access_begin(access_);
		sip_access_no_flow(access_);
		assert_int_equal(expect(SIP_ACCESS_FAILED, 0)->failures, i);
	}
	hold = false;
	up();
	reg.refuse = 503;
	pair_until(&p, p.now_ms + 300000);
	assert_in_range(told[told_seen].again_ms, 15000, 30000);
	for (unsigned i = 0; told[told_seen].what == SIP_ACCESS_FAILED; i++) {
		assert_true(i < 32);
		assert_int_equal(told[told_seen].why, SIP_ACCESS_REFUSED);
		assert_int_equal(closes, 0);
		assert_true(sip_access_is(access_));
		(void)expect(SIP_ACCESS_FAILED, 503);
		pair_until(&p, p.now_ms + told[told_seen - 1].again_ms);
	}
	(void)expect(SIP_ACCESS_DOWN, 503);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_REFUSED);
	waits(expect(SIP_ACCESS_FAILED, 503), 1);
	assert_int_equal(flow, 2);
}

/** RFC 3329: no tls on offer, or 494: there is no registration; a list in a stale one counts. */
static void no_security(void **state)
{
	(void)state;
	reg.security = "Security-Server: ipsec-3gpp;q=0.1, tlsx\r\n";
	sip_access_begin(access_);
	pair_run(&p);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_NO_SECURITY);
	(void)expect(SIP_ACCESS_FAILED, 401);
	assert_int_equal(reg.registers, 1);
	reg.security = NULL;
	reg.refuse = 494;
	sip_access_begin(access_);
	pair_run(&p);
	assert_int_equal(told[told_seen].why, SIP_ACCESS_NO_SECURITY);
	(void)expect(SIP_ACCESS_FAILED, 494);
	reg.refuse = 0; /* who does not speak it is taken as he is: TLS is there (P) */
	sip_access_begin(access_);
	pair_run(&p);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_REGISTERED, 200);
	assert_false(last_has("Security-Verify"));
	assert_string_equal(sip_access_lines(access_), "");
}

/** Told to stop while a REGISTER is under way: its answer first (RFC 3261, 10.2). */
static void stopped_in_between(void **state)
{
	(void)state;
	sip_access_begin(access_);
	sip_access_stop(access_);
	sip_access_stop(access_);
	pair_until(&p, p.now_ms + 1);
	(void)expect(SIP_ACCESS_CHALLENGED, 401);
	(void)expect(SIP_ACCESS_UNREGISTERED, 200);
	assert_int_equal(reg.registered, 2);
	assert_true(last_has("Expires: 0"));
	reg.refuse = 403;
	sip_access_begin(access_);
	sip_access_stop(access_);
	pair_until(&p, p.now_ms + 1);
	assert_int_equal(expect(SIP_ACCESS_FAILED, 403)->again_ms, UINT64_MAX);
	assert_true(sip_access_idle(access_) && closed == flow && forgotten);
	pair_until(&p, p.now_ms + 100000000);
	silence();
}

/** 423 (RFC 3261, 10.3), on the same flow; whoever wants ever longer is left alone. */
static void longer(void **state)
{
	(void)state;
	reg.refuse = 423;
	reg.refuse_lines = "Min-Expires: 9000\r\n";
	sip_access_begin(access_);
	pair_run(&p);
	assert_true(last_has("Expires: 9000"));
	assert_int_equal(reg.registers, 2);
	(void)expect(SIP_ACCESS_FAILED, 423);
	assert_int_equal(flow, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(there_and_back), TEST(wrong_password),  TEST(stale),
		TEST(begins_anew),    TEST(other_addresses), TEST(lost),
		TEST(lost_when_told), TEST(waits_longer),    TEST(busy),
		TEST(no_security),    TEST(longer),          TEST(stopped_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
