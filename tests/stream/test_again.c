/* SPDX-License-Identifier: Apache-2.0 */
/* Renegotiation and changes of keys on streams, what stands for a session, and its deletion. */
#include "stage.h"

static const enum tls_engine engines[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };

/* A server and a client that are up, both of which may renegotiate. */
struct scene {
	struct streams *streams;
	struct tls_domain *far, *near;
	struct place p;
	struct end e;
	struct stream_spec spec;
	uint8_t id[2][TLS_BINDING_MAX]; /* the client's, the server's */
	size_t id_len[2];
};

static void ids_take(struct scene *s)
{
	struct stream *of[] = { s->e.stream, s->p.end.stream };

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(stream_binding(of[i], s->id[i], &s->id_len[i]), 0);
}

static bool ids_equal(const struct scene *s)
{
	return s->id_len[0] == s->id_len[1] && !memcmp(s->id[0], s->id[1], s->id_len[0]);
}

/* Is it another one than it was? */
static bool id_changed(struct scene *s, size_t side)
{
	struct scene was = *s;

	ids_take(s);
	return was.id_len[side] != s->id_len[side] ||
	       memcmp(was.id[side], s->id[side], s->id_len[side]) != 0;
}

static void visit(struct scene *s)
{
	memset(&s->e, 0, sizeof(s->e));
	memset(&s->p.end, 0, sizeof(s->p.end));
	s->p.end.take = SIZE_MAX;
	come(&s->e, s->streams, &s->p, s->spec);
	assert_int_equal(stream_write(s->e.stream, "in", 2), 0);
	UNTIL(s->streams, s->p.end.got_len == 2);
	assert_int_equal(stream_write(s->p.end.stream, "out", 3), 0);
	UNTIL(s->streams, s->e.got_len == 3);
	ids_take(s);
}

static struct scene *scene(struct streams *streams, enum tls_engine e1, enum tls_engine e2,
                           const char *profile, bool renegotiable)
{
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, e1, profile);
	struct tls_domain_spec near = good(TLS_ROLE_CLIENT, e2, profile);
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->streams = streams;
	s->far = domain_new(&far);
	s->near = domain_new(&near);
	s->p.spec.domain = s->far;
	s->p.spec.renegotiable = true;
	s->spec.domain = s->near;
	s->spec.renegotiable = renegotiable;
	place_open(&s->p, streams, NULL);
	visit(s);
	return s;
}

static void leave(struct scene *s)
{
	if (s->e.stream)
		stream_end(s->e.stream);
	UNTIL(s->streams, s->e.ended && s->p.end.ended);
}

static void scene_free(struct scene *s)
{
	stream_listener_free(s->p.listener);
	stream_free(s->e.stream);
	if (!s->p.end.ended)
		stream_free(s->p.end.stream);
	assert_int_equal(loop_run_once(streams_loop(s->streams), 0), 0);
	tls_domain_unref(s->far);
	tls_domain_unref(s->near);
	free(s);
}

/* ---- renegotiation ---- */

/* What is written in its midst waits for its end, and nothing is lost or out of order. */
static void again_and_data(struct streams *streams, enum tls_engine e1, enum tls_engine e2,
                           const char *profile, enum tls_role who)
{
	struct scene *s = scene(streams, e1, e2, profile, true);
	struct stream *by = who == TLS_ROLE_SERVER ? s->p.end.stream : s->e.stream;
	char big[30000];

	memset(big, 'b', sizeof(big));
	for (unsigned n = 1; n <= 2; n++) {
		unsigned turns = 0;

		s->p.end.got_len = s->e.got_len = 0;
		assert_int_equal(stream_renegotiate(by), TLS_AGAIN_BEGUN);
		assert_int_equal(stream_renegotiate(by), TLS_AGAIN_BUSY);
		assert_int_equal(stream_write(s->e.stream, "first", 5), 0);
		assert_int_equal(stream_write(s->p.end.stream, "first", 5), 0);
		while (s->e.again[STREAM_REKEYED] < n || s->p.end.again[STREAM_REKEYED] < n) {
			assert_int_equal(loop_run_once(streams_loop(streams), 5000), 0);
			if (turns++ == 0) {
				(void)stream_write(s->e.stream, big, sizeof(big));
				(void)stream_write(s->p.end.stream, big, sizeof(big));
			}
		}
		assert_true(id_changed(s, 0));
		assert_true(ids_equal(s));
		UNTIL(streams,
		      s->e.got_len == 5 + sizeof(big) && s->p.end.got_len == 5 + sizeof(big));
		assert_memory_equal(s->e.got, "firstbbb", 8);
		assert_memory_equal(s->p.end.got, "firstbbb", 8);
	}
	assert_non_null(strstr(log_text, "tls renegotiated peer="));
	leave(s);
	assert_int_equal(s->p.end.cause, STREAM_DONE);
	scene_free(s);
}

static void begun_by_either(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++)
		for (size_t j = 0; j < BASE_COUNT(engines); j++) {
			again_and_data(*state, engines[i], engines[j], "both", TLS_ROLE_SERVER);
			again_and_data(*state, engines[i], engines[j], "both-ids", TLS_ROLE_SERVER);
			again_and_data(*state, engines[i], engines[j], "both", TLS_ROLE_CLIENT);
		}
}

/* What was written in its midst goes before what is written when its end is told. */
static void in_its_order(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[1 - i], engines[i], "both", true);

		s->p.end.got_len = 0;
		s->e.says = "second";
		assert_int_equal(stream_renegotiate(s->e.stream), TLS_AGAIN_BEGUN);
		assert_int_equal(stream_write(s->e.stream, "first ", 6), 0);
		UNTIL(*state, s->p.end.got_len == 12);
		assert_memory_equal(s->p.end.got, "first second", 12);
		leave(s);
		scene_free(s);
	}
}

static void keys_of_tls13(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], engines[1 - i], "tls13", false);

		assert_true(ids_equal(s));
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_KEYS);
		assert_int_equal(s->p.end.again[STREAM_KEYS], 0); /* not from inside a call */
		assert_int_equal(stream_write(s->p.end.stream, "more", 4), 0);
		UNTIL(*state, s->p.end.again[STREAM_KEYS] == 1 && s->e.got_len == 7);
		assert_int_equal(s->e.again[STREAM_KEYS], 0);
		assert_true(id_changed(s, 1));
		assert_int_equal(s->p.end.again[STREAM_KEYS_BOTH], 0); /* it has said nothing */
		assert_int_equal(stream_write(s->e.stream, "back", 4), 0);
		UNTIL(*state, s->p.end.got_len == 6);
		assert_int_equal(s->p.end.again[STREAM_KEYS_BOTH], 1);
		leave(s);
		scene_free(s);
	}
}

/* The client reads nothing more. */
static void deafen(struct scene *s)
{
	stream_pause(s->e.stream);
	assert_int_equal(stream_write(s->p.end.stream, "kept", 4), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_run_once(streams_loop(s->streams), 0), 0);
}

static void ignored(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], engines[i], "both", true);

		stream_free(s->e.stream);
		UNTIL(*state, s->p.end.ended);
		s->e.stream = NULL;
		s->p.spec.handshake_ms = 1000; /* for the first one, too */
		visit(s);
		deafen(s);
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_BEGUN);
		UNTIL(*state, s->p.end.again[STREAM_IGNORED] == 1);
		assert_false(id_changed(s, 1));
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_BUSY);
		/* It may still be answered. */
		stream_resume(s->e.stream);
		UNTIL(*state, s->p.end.again[STREAM_REKEYED] == 1);
		assert_true(id_changed(s, 1));
		leave(s);
		scene_free(s);
	}
}

/* A server that ends who ignores it, and a client that reads nothing more. */
static struct scene *strict(struct streams *streams, const char *profile, bool gather)
{
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, profile);
	struct scene *s = scene(streams, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL, profile, true);

	leave(s);
	far.end_ignored = true;
	tls_domain_unref(s->far);
	s->far = s->p.spec.domain = domain_new(&far);
	s->p.spec.gather = gather;
	s->p.spec.handshake_ms = 1000; /* for the first one, too */
	visit(s);
	deafen(s);
	return s;
}

/* TS 33.203, O.4.2: it may abort the connection. */
static void ignored_and_shown_out(void **state)
{
	struct scene *s = strict(*state, "both", false);

	assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_BEGUN);
	UNTIL(*state, s->p.end.ended);
	assert_int_equal(s->p.end.cause, STREAM_LATE);
	assert_non_null(strstr(s->p.end.text, "RFC 5246, 7.4.1.1"));
	assert_int_equal(s->p.end.again[STREAM_IGNORED], 0);
	assert_non_null(strstr(log_text, "tls failed"));
	stream_resume(s->e.stream);
	UNTIL(*state, s->e.ended);
	scene_free(s);
}

/* What says why it ends is not left behind with what was gathered. */
static void last_words_are_gathered(void **state)
{
	struct scene *s = strict(*state, "both", true);

	assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_BEGUN);
	UNTIL(*state, s->p.end.ended);
	stream_resume(s->e.stream);
	UNTIL(*state, s->e.ended);
	assert_int_equal(s->e.cause, STREAM_ALERT);
	scene_free(s);
}

/* The client writes on under its old keys until that has come to something. */
static void talk_on(struct scene *s, const unsigned *until)
{
	uint64_t patience_ms = loop_now_ms(streams_loop(s->streams)) + 30000;

	while (!*until) {
		assert_true(loop_now_ms(streams_loop(s->streams)) < patience_ms);
		(void)stream_write(s->e.stream, "x", 1);
		assert_int_equal(loop_run_once(streams_loop(s->streams), 20), 0);
	}
}

/* RFC 8446, 4.6.3: who has been asked for new keys sends no data before them. */
static void keys_that_do_not_come(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], engines[1 - i], "tls13", false);
		size_t early;

		leave(s);
		s->p.spec.handshake_ms = 1000; /* for the first one, too */
		visit(s);
		deafen(s);
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_KEYS);
		early = s->p.end.got_len;
		(void)stream_write(s->e.stream, "on its way already", 18);
		UNTIL(*state, s->p.end.got_len == early + 18);
		assert_int_equal(s->p.end.again[STREAM_IGNORED], 0);
		talk_on(s, &s->p.end.again[STREAM_IGNORED]);
		assert_false(s->p.end.ended);
		/* It is told once, and may still be answered. */
		stream_resume(s->e.stream);
		talk_on(s, &s->p.end.again[STREAM_KEYS_BOTH]);
		assert_int_equal(s->p.end.again[STREAM_IGNORED], 1);
		leave(s);
		scene_free(s);
	}
}

static void keys_that_do_not_come_end_it(void **state)
{
	struct scene *s = strict(*state, "tls13", false);

	assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_KEYS);
	talk_on(s, &s->p.end.ended);
	assert_int_equal(s->p.end.again[STREAM_IGNORED], 0);
	assert_int_equal(s->p.end.cause, STREAM_LATE);
	assert_non_null(strstr(s->p.end.text, "RFC 8446, 4.6.3"));
	stream_resume(s->e.stream);
	UNTIL(*state, s->e.ended);
	scene_free(s);
}

/* What it had said before, and we had not read, is no evidence. */
static void keys_while_we_do_not_read(void **state)
{
	struct scene *s = scene(*state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL, "tls13", false);
	uint64_t then_ms;

	leave(s);
	s->p.spec.handshake_ms = 1000; /* for the first one, too */
	visit(s);
	deafen(s);
	assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_KEYS);
	stream_pause(s->p.end.stream);
	then_ms = loop_now_ms(streams_loop(*state)) + 1500;
	while (loop_now_ms(streams_loop(*state)) < then_ms) {
		assert_int_equal(stream_write(s->e.stream, "x", 1), 0);
		assert_int_equal(loop_run_once(streams_loop(*state), 20), 0);
	}
	stream_resume(s->p.end.stream);
	UNTIL(*state, s->p.end.got_len > 3);
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_run_once(streams_loop(*state), 0), 0);
	assert_int_equal(s->p.end.again[STREAM_IGNORED], 0);
	stream_resume(s->e.stream);
	leave(s);
	scene_free(s);
}

/* Who is silent owes nothing. */
static void keys_of_the_silent(void **state)
{
	struct scene *s = scene(*state, TLS_ENGINE_GNUTLS, TLS_ENGINE_OPENSSL, "tls13", false);

	leave(s);
	s->p.spec.handshake_ms = 1000; /* for the first one, too */
	visit(s);
	assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_KEYS);
	stream_deadline(s->e.stream, 1500, "the test's");
	UNTIL(*state, s->e.ended);
	UNTIL(*state, s->p.end.ended);
	assert_int_equal(s->p.end.again[STREAM_IGNORED], 0);
	scene_free(s);
}

static void refused_by_the_client(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], engines[1 - i], "both", false);

		assert_int_equal(stream_renegotiate(s->e.stream), TLS_AGAIN_FORBIDDEN);
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_BEGUN);
		UNTIL(*state, s->p.end.again[STREAM_REFUSED_AGAIN] == 1 || s->p.end.ended);
		/* libssl ends the session at no_renegotiation (docs/tls.md). */
		assert_int_equal(s->p.end.ended, engines[i] == TLS_ENGINE_OPENSSL);
		if (s->p.end.ended) {
			leave(s);
			scene_free(s);
			continue;
		}
		assert_false(id_changed(s, 1));
		assert_int_equal(stream_renegotiate(s->p.end.stream), TLS_AGAIN_REFUSED);
		assert_int_equal(stream_write(s->p.end.stream, "more", 4), 0);
		UNTIL(*state, s->e.got_len == 7);
		leave(s);
		scene_free(s);
	}
}

/* ---- what stands for a session ---- */

static void resumed_by_id_is_called_the_same(void **state)
{
	struct scene *s = scene(*state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL, "ids", false);
	struct tls_info info;

	assert_true(ids_equal(s));
	leave(s);
	visit(s);
	assert_true(stream_tls(s->p.end.stream, &info) && info.resumed);
	assert_false(id_changed(s, 1));
	leave(s);
	scene_free(s);
}

static void resumed_by_ticket_is_another(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], engines[i], "tls12", false);
		struct scene was = *s;
		struct tls_info info;

		assert_true(ids_equal(s));
		leave(s);
		visit(s);
		assert_true(stream_tls(s->p.end.stream, &info) && info.resumed);
		assert_true(ids_equal(s));
		assert_memory_not_equal(was.id[1], s->id[1], sizeof(s->id[1]));
		leave(s);
		scene_free(s);
	}
}

static void forgotten(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, engines[i], TLS_ENGINE_OPENSSL, "ids", false);
		struct tls_info info;

		assert_true(stream_forget_session(s->p.end.stream));
		assert_false(id_changed(s, 1));
		assert_int_equal(stream_write(s->p.end.stream, "more", 4), 0);
		UNTIL(*state, s->e.got_len == 7);
		leave(s);
		visit(s);
		assert_true(stream_tls(s->p.end.stream, &info) && !info.resumed);
		leave(s);
		scene_free(s);
	}
}

/* All that go back to the same full handshake; of a GnuTLS server those that it has seen, and who
 * shows one is given no other. */
static void tickets_are_refused(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13", "both" };

	for (size_t i = 0; i < BASE_COUNT(engines); i++)
		for (size_t j = 0; j < BASE_COUNT(profiles); j++) {
			struct scene *s =
			        scene(*state, engines[i], TLS_ENGINE_OPENSSL, profiles[j], false);
			struct tls_info info;

			leave(s);
			visit(s);
			assert_true(stream_tls(s->p.end.stream, &info) && info.resumed);
			assert_true(stream_forget_session(s->p.end.stream));
			leave(s);
			visit(s);
			assert_true(stream_tls(s->p.end.stream, &info));
			assert_false(info.resumed);
			leave(s);
			/* which is a session of its own */
			visit(s);
			assert_true(stream_tls(s->p.end.stream, &info));
			if (engines[i] == TLS_ENGINE_OPENSSL)
				assert_true(info.resumed);
			leave(s);
			scene_free(s);
		}
}

static void a_client_forgets_its_ticket(void **state)
{
	struct scene *s = scene(*state, TLS_ENGINE_OPENSSL, TLS_ENGINE_OPENSSL, "tls13", false);
	struct tls_info info;

	assert_true(stream_forget_session(s->e.stream));
	leave(s);
	visit(s);
	assert_true(stream_tls(s->p.end.stream, &info) && !info.resumed);
	leave(s);
	scene_free(s);
}

/* Tickets of TLS 1.3 come when they like, and after it was forgotten for nothing. */
static void a_client_forgets_tickets_to_come(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct scene *s = scene(*state, TLS_ENGINE_OPENSSL, engines[i], "tls13", false);
		struct tls_info info;

		assert_true(stream_forget_session(s->e.stream));
		leave(s);
		memset(&s->e, 0, sizeof(s->e));
		memset(&s->p.end, 0, sizeof(s->p.end));
		s->p.end.take = SIZE_MAX;
		come(&s->e, *state, &s->p, s->spec);
		UNTIL(*state, s->e.up);
		assert_true(stream_tls(s->e.stream, &info) && !info.resumed);
		assert_true(stream_forget_session(s->e.stream));
		assert_int_equal(stream_write(s->e.stream, "in", 2), 0);
		UNTIL(*state, s->p.end.got_len == 2);
		assert_int_equal(stream_write(s->p.end.stream, "out", 3), 0);
		UNTIL(*state, s->e.got_len == 3);
		leave(s);
		visit(s);
		assert_true(stream_tls(s->e.stream, &info) && !info.resumed);
		leave(s);
		scene_free(s);
	}
}

/* ---- who may come in ---- */

static void listeners_pause(void **state)
{
	struct place p = { 0 };
	struct end e = { 0 };
	static const struct stream_spec plain = { 0 };

	place_open(&p, *state, NULL);
	stream_listener_pause(p.listener, true);
	come(&e, *state, &p, plain);
	UNTIL(*state, e.up); /* the kernel has answered */
	assert_int_equal(loop_run_once(streams_loop(*state), 0), 0);
	assert_int_equal(p.came, 0);
	stream_listener_pause(p.listener, false);
	UNTIL(*state, p.came == 1);
	stream_listener_free(p.listener);
	stream_free(e.stream);
	UNTIL(*state, p.end.ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(begun_by_either),
		CASE(in_its_order),
		CASE(keys_of_tls13),
		CASE(keys_that_do_not_come),
		CASE(keys_that_do_not_come_end_it),
		CASE(keys_while_we_do_not_read),
		CASE(keys_of_the_silent),
		CASE(ignored),
		CASE(ignored_and_shown_out),
		CASE(refused_by_the_client),
		CASE(resumed_by_id_is_called_the_same),
		CASE(resumed_by_ticket_is_another),
		CASE(forgotten),
		CASE(tickets_are_refused),
		CASE(a_client_forgets_its_ticket),
		CASE(a_client_forgets_tickets_to_come),
		CASE(last_words_are_gathered),
		CASE(listeners_pause),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
