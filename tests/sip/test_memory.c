/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: every allocation of ours in a call, with offers and challenges, and in a
 * registration fails once, or all do from there on. Whatever comes of it: nothing is left once time
 * has passed, each call is over once, and under ASan there is no leak.
 */
#include "check.h"

#include "../scarce.h"
#include "pair.h"

static struct pair p;
static struct sip_digest_server *digest;

static bool password_of(void *arg, struct base_str user, struct base_str *ret)
{
	(void)arg;
	(void)user;
	*ret = BASE_STR("secret");
	return true;
}

/* As well as it can. */
static bool judge(struct pair_end *end, struct sip_txn *txn, const struct sip_message *msg)
{
	static uint8_t salt[16] = { 1 };
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct base_str user;
	bool stale;
	int rc = sip_digest_check(digest, p.now_ms, msg, false, password_of, NULL, &arena, &user,
	                          &stale);

	salt[0]++; /* of its nonces no two are the same */
	if (rc && base_err_class(rc) == BASE_PEER &&
	    !sip_digest_challenge(digest, p.now_ms, salt, false, stale, &w))
		(void)sip_ua_reply(end->ua, txn, 401,
		                   &(struct sip_content){ .lines = base_writer_cstr(&w) });
	else
		(void)sip_ua_reply(end->ua, txn, rc ? 500 : 200, NULL);
	base_writer_done(&w);
	base_arena_done(&arena);
	return true;
}

static void on_register(void *user, enum sip_register_what what, unsigned status,
                        const struct sip_message *msg)
{
	(void)user;
	(void)what;
	(void)status;
	(void)msg;
}

static void asked(void *user, const struct sip_message *response, unsigned status, uint32_t cseq)
{
	(void)response;
	(void)status;
	(void)cseq;
	++*(unsigned *)user;
}

static void registers(void)
{
	struct sip_register_config config = { .registrar = BASE_STR("sip:example.com"),
		                              .aor = BASE_STR("<sip:alice@example.com>") };
	struct sip_draft draft = { .method = "MESSAGE",
		                   .target = BASE_STR("sip:bob@example.com"),
		                   .from = BASE_STR("<sip:alice@example.com>"),
		                   .to = BASE_STR("<sip:bob@example.com>") };
	struct sip_register *r = NULL;
	unsigned answers = 0;
	bool sent;

	if (!sip_register_new(&r, p.alice.ua, &config, on_register, NULL))
		pair_until(&p, p.now_ms + 100);
	sent = !sip_ua_ask(p.alice.ua, &draft, asked, &answers, NULL);
	pair_until(&p, p.now_ms + 100);
	if (r)
		sip_register_stop(r);
	pair_until(&p, p.now_ms + 100000);
	assert_int_equal(answers, sent);
	sip_register_free(r);
}

static struct sip_access *access_;
static uint64_t flow;

static void on_connect(void *arg, bool next)
{
	(void)next;
	(void)arg;
	sip_access_flow(access_, (struct sip_flow){ .id = ++flow, .reliable = true });
}

static void on_close(void *arg, struct sip_flow old, bool forget)
{
	(void)arg;
	(void)old;
	(void)forget;
}

static void on_told(void *arg, const struct sip_access_event *event)
{
	(void)arg;
	(void)event;
}

/** A registration over a flow of its own gets there in the end, and back. */
static void has_access(void)
{
	static const struct sip_access_ops ops = { on_connect, on_close, on_told, NULL };
	const struct sip_access_config config = { .registrar = BASE_STR("sip:r"),
		                                  .aor = BASE_STR("<sip:alice@r>"),
		                                  .instance = "urn:uuid:1",
		                                  .user = "alice",
		                                  .realm = "r" };

	if (sip_access_new(&access_, p.alice.ua, &config, &ops))
		return;
	sip_access_begin(access_);
	pair_until(&p, p.now_ms + 100);
	sip_access_begin(access_);
	pair_until(&p, p.now_ms + 100);
	sip_access_lost(access_, flow, true);
	pair_until(&p, p.now_ms + 100);
	scarce_after(-1, false);
	pair_until(&p, p.now_ms + 1800000);
	assert_true(sip_access_is(access_));
	sip_access_stop(access_);
	pair_until(&p, p.now_ms + 100);
	assert_true(sip_access_idle(access_));
	sip_access_free(access_);
}

static void calls(void)
{
	struct sip_content one = pair_body("o1"), two = pair_body("o2");
	struct sip_call_setup setup = { .target = BASE_STR("sip:bob@example.com"),
		                        .from = BASE_STR("<sip:alice@example.com>"),
		                        .content = one };

	if (sip_call_start(&p.alice.call, p.alice.ua, &setup, NULL))
		p.alice.call = NULL;
	pair_run(&p);
	if (p.bob.call)
		(void)sip_call_accept(p.bob.call, &two);
	pair_until(&p, p.now_ms + 5000);
	if (p.alice.call)
		(void)sip_call_offer(p.alice.call, &two);
	pair_run(&p);
	if (p.bob.call)
		(void)sip_call_accept(p.bob.call, &one);
	pair_until(&p, p.now_ms + 901000); /* and a refresh */
}

static void end(void)
{
	struct pair_end *ends[] = { &p.alice, &p.bob };

	for (int i = 0; i < 2; i++) {
		unsigned overs = 0, begun = 0;

		if (ends[i]->call)
			sip_call_end(ends[i]->call, 0, NULL);
		pair_until(&p, p.now_ms + 200000);
		assert_null(ends[i]->call);
		for (size_t e = 0; e < ends[i]->count; e++) {
			begun += ends[i]->events[e].what == SIP_CALL_INCOMING;
			overs += ends[i]->events[e].what == SIP_CALL_OVER;
		}
		assert_true(i ? overs == begun : overs <= 1); /* Alice's may never have begun */
	}
}

static void walk(bool for_good, void (*play)(void))
{
	static const uint8_t key[32] = { 1 };
	long n = 0;

	do {
		pair_open(&p, NULL, NULL);
		p.bob.handle = judge;
		assert_int_equal(sip_digest_server_new(
		                         &digest, &(struct sip_digest_config){ .realm = "r" }, key),
		                 0);
		assert_int_equal(sip_ua_credential(p.alice.ua, NULL, "alice", "secret", 6), 0);
		scarce_after(n++, for_good);
		play();
		scarce_after(-1, false);
		end();
		pair_close(&p);
		sip_digest_server_free(digest);
	} while (scarce_failed());
	assert_true(n > 60);
}

static void of_calls(void **state)
{
	(void)state;
	walk(false, calls);
	walk(true, calls);
}

static void of_registrations(void **state)
{
	(void)state;
	walk(false, registers);
	walk(true, registers);
}

static void of_access(void **state)
{
	(void)state;
	walk(false, has_access);
	walk(true, has_access);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_calls),
		cmocka_unit_test(of_access),
		cmocka_unit_test(of_registrations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
