/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes that wait for a CRL, and sessions whose peer is revoked while they are up. */
#include <openssl/x509v3.h>

#include "../tls/crls.h"
#include "stage.h"

#define URL "http://crl.example/1.crl"

static struct pki ca, leaf;
static struct x509_identity *identity;

/* Who is asked for a CRL. */
static struct stream_ask *asked;
static unsigned asks;

static void on_ask(void *arg, struct stream_ask *ask)
{
	(void)arg;
	assert_string_equal(stream_ask_url(ask), URL);
	asks++;
	asked = ask;
}

struct scene {
	struct loop *loop;
	struct streams *streams;
	struct crls crls;
	struct tls_domain *far, *near;
	struct place p;
	struct end e;
};

/* The far end wants a CRL of who comes. */
static void open_scene(struct scene *s, enum tls_engine engine, const char *profile,
                       enum tls_on_revocation action, uint32_t ask_ms)
{
	const struct streams_config config = { .ask = on_ask, .ask_ms = ask_ms };
	struct tls_domain_spec far = good(TLS_ROLE_SERVER, engine, profile);
	struct tls_domain_spec near = good(TLS_ROLE_CLIENT, engine, profile);

	memset(s, 0, sizeof(*s));
	asks = 0;
	asked = NULL;
	log_text[0] = '\0';
	assert_int_equal(loop_new(&s->loop), 0);
	assert_int_equal(streams_new(&s->streams, s->loop, &config), 0);
	crls_begin(&s->crls, &ca);
	far.trust = s->crls.store;
	far.on_revocation = action;
	far.grace_ms = 30;
	near.identity = identity;
	near.server_methods = 0;
	s->far = domain_new(&far);
	s->near = domain_new(&near);
	s->p.spec.domain = s->far;
	s->p.end.echo = true;
	place_open(&s->p, s->streams, NULL);
	come(&s->e, s->streams, &s->p, (struct stream_spec){ .domain = s->near, .anybody = true });
	assert_int_equal(stream_write(s->e.stream, "early", 5), 0);
}

static void close_scene(struct scene *s)
{
	streams_free(s->streams);
	tls_domain_unref(s->far);
	tls_domain_unref(s->near);
	crls_end(&s->crls);
	loop_free(s->loop);
}

static const struct {
	enum tls_engine engine;
	const char *profile;
} ways[] = { { TLS_ENGINE_OPENSSL, "tls12" },
	     { TLS_ENGINE_OPENSSL, "tls13" },
	     { TLS_ENGINE_GNUTLS, "tls12" },
	     { TLS_ENGINE_GNUTLS, "tls13" } };

static void a_crl_that_comes(void **state)
{
	struct scene s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		open_scene(&s, ways[i].engine, ways[i].profile, TLS_REVOKED_END, 60000);
		UNTIL(s.streams, asked);
		assert_int_equal(s.p.end.up, 0);
		assert_null(strstr(log_text, "tls failed"));
		crls_come(&s.crls, NULL);
		stream_asked(asked, NULL);
		UNTIL(s.streams, s.e.got_len == 5);
		assert_int_equal(asks, 1);
		assert_memory_equal(s.p.end.got, "early", 5);
		close_scene(&s);
	}
}

static void a_crl_that_does_not_come(void **state)
{
	struct scene s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		/* somebody says so */
		open_scene(&s, ways[i].engine, ways[i].profile, TLS_REVOKED_END, 60000);
		UNTIL(s.streams, asked);
		stream_asked(asked, "the server is down");
		UNTIL(s.streams, s.p.end.ended);
		assert_int_equal(s.p.end.cause, STREAM_UNPROVEN);
		assert_non_null(strstr(s.p.end.text, "the server is down"));
		assert_int_equal(s.p.end.total, 0);
		close_scene(&s);
		/* nobody says anything; the answer comes when nobody waits */
		open_scene(&s, ways[i].engine, ways[i].profile, TLS_REVOKED_END, 20);
		UNTIL(s.streams, s.p.end.ended);
		assert_int_equal(s.p.end.cause, STREAM_UNPROVEN);
		stream_asked(asked, NULL);
		close_scene(&s);
		/* the stream is no more when the answer comes */
		open_scene(&s, ways[i].engine, ways[i].profile, TLS_REVOKED_END, 60000);
		UNTIL(s.streams, asked);
		close_scene(&s);
		stream_asked(asked, NULL);
		/* the answer has come, and the stream is no more before it is heard */
		open_scene(&s, ways[i].engine, ways[i].profile, TLS_REVOKED_END, 60000);
		UNTIL(s.streams, asked);
		stream_asked(asked, NULL);
		close_scene(&s);
	}
}

static void revoked_while_up(void **state)
{
	static const enum tls_on_revocation actions[] = { TLS_REVOKED_END, TLS_REVOKED_GRACE,
		                                          TLS_REVOKED_REPORT };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(actions); i++) {
		open_scene(&s, TLS_ENGINE_OPENSSL, "modern", actions[i], 60000);
		UNTIL(s.streams, asked);
		crls_come(&s.crls, NULL);
		stream_asked(asked, NULL);
		UNTIL(s.streams, s.e.got_len == 5);
		streams_rejudge(s.streams, NULL); /* nothing is known against it */
		assert_null(strstr(log_text, "condemned"));
		crls_come(&s.crls, leaf.cert);
		streams_rejudge(s.streams, i ? NULL : s.crls.store);
		assert_non_null(strstr(log_text, "tls condemned peer=127.0.0.1:"));
		if (actions[i] == TLS_REVOKED_REPORT) {
			assert_int_equal(stream_write(s.e.stream, "again", 5), 0);
			UNTIL(s.streams, s.e.got_len == 10);
		} else {
			UNTIL(s.streams, s.p.end.ended && s.e.ended);
			assert_int_equal(s.p.end.cause, STREAM_UNPROVEN);
			assert_non_null(strstr(s.p.end.text, "revoked by the cached CRL of CN=CA"));
			assert_int_equal(s.e.cause, STREAM_DONE); /* close_notify */
		}
		close_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crl_that_comes),
		cmocka_unit_test(a_crl_that_does_not_come),
		cmocka_unit_test(revoked_while_up),
	};
	int failed;

	ca = pki_ca("CA");
	leaf = pki_make(&(struct pki_spec){ .cn = "ue.example",
	                                    .issuer = &ca,
	                                    .ext_nid = NID_crl_distribution_points,
	                                    .ext = "URI:" URL });
	identity = pki_identity(&leaf, (const struct pki *const[]){ NULL });
	failed = cmocka_run_group_tests(tests, lab_open, lab_close);
	pki_free(&ca);
	pki_free(&leaf);
	x509_identity_unref(identity);
	return failed;
}
