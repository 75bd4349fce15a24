/* SPDX-License-Identifier: Apache-2.0 */
/* Streams inside TLS: who is let in, by what, and that nothing is heard of others. */
#include <openssl/x509.h>
#include <sys/socket.h>

#include "stage.h"

static const enum tls_engine engines[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };

/* Two ends with a domain each. */
struct scene {
	struct streams *streams;
	struct tls_domain *far, *near;
	struct place p;
	struct end e;
	struct tls_session_spec session; /* of `e` */
	struct stream_spec spec;
};

static struct scene *scene(struct streams *streams, const struct tls_domain_spec *far,
                           const struct tls_domain_spec *near)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->streams = streams;
	s->far = domain_new(far);
	s->near = domain_new(near);
	s->p.spec.domain = s->far;
	s->spec.domain = s->near;
	s->session.peer_name = "server.test";
	s->spec.session = &s->session;
	place_open(&s->p, streams, NULL);
	return s;
}

static void scene_free(struct scene *s)
{
	stream_listener_free(s->p.listener);
	if (s->e.stream)
		stream_free(s->e.stream);
	if (s->p.end.stream && !s->p.end.ended)
		stream_free(s->p.end.stream);
	assert_int_equal(loop_run_once(streams_loop(s->streams), 0), 0);
	tls_domain_unref(s->far);
	tls_domain_unref(s->near);
	free(s);
}

/* ---- the good case ---- */

static void both_ways(struct streams *streams, enum tls_engine e1, enum tls_engine e2,
                      const char *profile)
{
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, e1, profile);
	struct tls_domain_spec near = good(TLS_ROLE_CLIENT, e2, profile);
	struct scene *s = scene(streams, &far, &near);
	struct tls_info info;
	char big[50000];

	memset(big, 'b', sizeof(big));
	log_text[0] = '\0';
	log_lines = 0;
	s->p.session.peer_name = "client.test";
	s->p.end.echo = true;
	come(&s->e, streams, &s->p, s->spec);
	assert_int_equal(stream_write(s->e.stream, "early ", 6), 0);
	UNTIL(streams, s->e.got_len == 6);
	assert_int_equal(stream_write(s->e.stream, big, sizeof(big)), 0);
	UNTIL(streams, s->e.got_len == 6 + sizeof(big));
	assert_memory_equal(s->e.got, "early bbbb", 10);
	assert_true(stream_tls(s->e.stream, &info));
	assert_true(info.established && info.verdict.authenticated);
	assert_int_equal(log_lines, 2); /* one for each side's handshake */
	assert_non_null(strstr(log_text, "stream: tls up peer=127.0.0.1:"));
	assert_non_null(strstr(log_text, "side=client domain=near"));
	assert_non_null(strstr(log_text, "auth=ca"));
	stream_end(s->e.stream);
	UNTIL(streams, s->e.ended && s->p.end.ended);
	assert_int_equal(s->e.cause, STREAM_DONE);
	assert_int_equal(s->p.end.cause, STREAM_DONE);
	scene_free(s);
}

static void both_engines_and_versions(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++)
		for (size_t j = 0; j < BASE_COUNT(engines); j++) {
			both_ways(*state, engines[i], engines[j], "tls12");
			both_ways(*state, engines[i], engines[j], "tls13");
		}
	assert_int_equal(streams_count(*state)->handshakes, 16);
	assert_int_equal(streams_count(*state)->handshakes_failed, 0);
}

/* Who connects is the TLS server, as RFC 4975 and RFC 8856 have it at times. */
static void roles_crossed_with_keys(void **state)
{
	struct tls_psk key = lab_psk("stream-1", "sesame-sesame-sesame");

	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "psk");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "psk");
		struct tls_info info;
		struct scene *s;

		far.identity = near.identity = NULL;
		far.server_methods = far.client_methods = 0;
		near.server_methods = near.client_methods = 0;
		far.client_auth = near.client_auth = TLS_CLIENT_AUTH_NONE;
		s = scene(*state, &far, &near);
		s->session = (struct tls_session_spec){ .role = TLS_ROLE_SERVER,
			                                .psks = &key,
			                                .psk_count = 1 };
		come(&s->e, *state, &s->p, s->spec);
		s->p.session = (struct tls_session_spec){ .role = TLS_ROLE_CLIENT,
			                                  .psks = &key,
			                                  .psk_count = 1 };
		assert_int_equal(stream_write(s->e.stream, "SEND", 4), 0);
		UNTIL(*state, s->p.end.got_len == 4);
		assert_true(stream_tls(s->e.stream, &info));
		assert_true(info.psk);
		assert_string_equal(info.psk_identity, "stream-1");
		assert_non_null(strstr(log_text, "auth=psk"));
		assert_null(strstr(log_text, "sesame"));
		scene_free(s);
	}
}

/* ---- who is not let in ---- */

static void refused(struct scene *s, enum stream_cause near, const char *words)
{
	log_text[0] = '\0';
	come(&s->e, s->streams, &s->p, s->spec);
	assert_int_equal(stream_write(s->e.stream, "secret", 6), 0);
	UNTIL(s->streams, s->e.ended && s->p.end.ended);
	assert_int_equal(s->p.end.total, 0);
	assert_int_equal(s->p.end.up, 0);
	if (near != STREAM_DONE)
		assert_int_equal(s->e.cause, near);
	if (!strstr(log_text, words))
		fail_msg("'%s' is not in '%s'", words, log_text);
	assert_non_null(strstr(log_text, "tls failed"));
	scene_free(s);
}

static void client_without_certificate(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "tls12");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "tls12");

		near.identity = NULL;
		refused(scene(*state, &far, &near), STREAM_ALERT, "certificate");
	}
}

static void server_of_another_name(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "modern");
		struct scene *s = scene(*state, &far, &near);

		s->session.peer_name = "other.test";
		refused(s, STREAM_UNPROVEN, "other.test");
	}
}

/* A server that asks for nothing has not authenticated anybody, unless that is said to be fine. */
static void peers_that_nobody_asked(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "modern");
		struct scene *s;

		far.client_methods = 0;
		far.client_auth = TLS_CLIENT_AUTH_NONE;
		refused(scene(*state, &far, &near), STREAM_DONE, "not proven who it is");
		s = scene(*state, &far, &near);
		s->p.spec.anybody = true;
		come(&s->e, *state, &s->p, s->spec);
		assert_int_equal(stream_write(s->e.stream, "x", 1), 0);
		UNTIL(*state, s->p.end.got_len == 1);
		scene_free(s);
	}
}

static void who_says_nothing(void **state)
{
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec near = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct scene *s = scene(*state, &far, &near);
	static const struct stream_spec plain = { 0 };

	s->p.spec.handshake_ms = 30;
	come(&s->e, *state, &s->p, plain);
	UNTIL(*state, s->p.end.ended);
	assert_int_equal(s->p.end.cause, STREAM_LATE);
	assert_false(s->p.end.was_up);
	UNTIL(*state, s->e.ended);
	scene_free(s);
}

/* ---- ends ---- */

/* The far end of a socketpair is cut: FIN without close_notify is told from an end in order. */
static void cut_off(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "modern");
		struct scene *s = scene(*state, &far, &near);
		struct stream_spec there = { .domain = s->far, .session = &s->p.session };
		struct base_error err;
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		s->e.take = SIZE_MAX;
		s->spec.ops = end_ops(&s->e);
		there.ops = end_ops(&s->p.end);
		assert_int_equal(stream_adopt(&s->e.stream, *state, pair[0], &s->spec, &err), 0);
		assert_int_equal(stream_adopt(&s->p.end.stream, *state, pair[1], &there, &err), 0);
		UNTIL(*state, s->e.up && s->p.end.up);
		assert_int_equal(stream_write(s->p.end.stream, "last", 4), 0);
		shutdown(pair[1], SHUT_WR);
		UNTIL(*state, s->e.ended);
		assert_int_equal(s->e.got_len, 4);
		assert_int_equal(s->e.cause, STREAM_TRUNCATED);
		scene_free(s);
	}
}

/* Who has been proven once is known again, by address; and another name is another peer. */
static void sessions_are_resumed(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec far = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engines[i], "modern");
		struct scene *s = scene(*state, &far, &near);

		for (unsigned k = 0; k < 3; k++) {
			struct tls_info info;

			if (k == 2)
				s->session.peer_name = "sip:server.test";
			s->p.end.ended = s->e.ended = 0;
			s->p.end.echo = true;
			come(&s->e, *state, &s->p, s->spec);
			assert_int_equal(stream_write(s->e.stream, "x", 1), 0);
			UNTIL(*state, s->e.got_len == k + 1);
			assert_true(stream_tls(s->e.stream, &info));
			assert_int_equal(info.resumed, k == 1);
			assert_true(info.verdict.authenticated);
			assert_int_equal(tls_session_sip_domains(stream_session(s->e.stream)) !=
			                         NULL,
			                 k == 2);
			stream_end(s->e.stream);
			UNTIL(*state, s->e.ended && s->p.end.ended);
		}
		scene_free(s);
	}
}

static void one_context_for_a_domain(void **state)
{
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec near = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct scene *s = scene(*state, &far, &near);

	for (unsigned i = 0; i < 3; i++) {
		s->p.end.ended = s->e.ended = 0;
		come(&s->e, *state, &s->p, s->spec);
		assert_int_equal(stream_write(s->e.stream, "x", 1), 0);
		UNTIL(*state, s->p.end.got_len == i + 1);
		stream_end(s->e.stream);
		UNTIL(*state, s->e.ended && s->p.end.ended);
	}
	/* A domain that has been replaced is let go with the last who uses it. */
	assert_true(tls_domain_shared(s->far)); /* by its context, kept for who comes next */
	come(&s->e, *state, &s->p, s->spec);
	UNTIL(*state, s->e.up);
	streams_forget(*state, s->far);
	streams_forget(*state, s->near);
	assert_true(tls_domain_shared(s->near)); /* it is in use */
	s->e.ended = s->p.end.ended = 0;
	stream_end(s->e.stream);
	UNTIL(*state, s->e.ended && s->p.end.ended);
	for (int i = 0; i < 3; i++) /* who has ended is freed at the end of a turn */
		assert_int_equal(loop_run_once(streams_loop(*state), 0), 0);
	streams_forget(*state, s->far);
	streams_forget(*state, s->near);
	assert_false(tls_domain_shared(s->far));
	assert_false(tls_domain_shared(s->near));
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(both_engines_and_versions),
		CASE(roles_crossed_with_keys),
		CASE(client_without_certificate),
		CASE(server_of_another_name),
		CASE(peers_that_nobody_asked),
		CASE(who_says_nothing),
		CASE(cut_off),
		CASE(one_context_for_a_domain),
		CASE(sessions_are_resumed),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
