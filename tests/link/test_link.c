/* SPDX-License-Identifier: Apache-2.0 */
/* H.248 inside TLS over real loopback sockets: who is let in, and what never reaches a decoder. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

static const enum tls_engine engines[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };

static struct h248_transport_counters counters(const struct side *s)
{
	struct h248_transport_counters c;

	h248_transport_counters(s->t, H248_TLS, &c);
	return c;
}

/* ---- the good case ---- */

static void messages_both_ways(struct loop *loop, enum tls_engine e1, enum tls_engine e2,
                               const char *profile)
{
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, e1, profile);
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, e2, profile);
	struct side mgc, mg;
	struct h248_addr to;

	log_lines = 0;
	side_new(&mgc, loop, &mgc_spec, &client_name, NULL);
	side_new(&mg, loop, &mg_spec, &server_name, NULL);
	side_listen(&mgc);
	mgc.echo = true;
	to = target_of(&mgc);
	/* Both wait for the handshake, and keep their order. */
	assert_int_equal(h248_transport_send(mg.t, &to, "one", 3), 0);
	assert_int_equal(h248_transport_send(mg.t, &to, "two", 3), 0);
	UNTIL(loop, mg.count == 2);
	assert_string_equal(mg.got, "one|two|");
	assert_int_equal(mg.from.transport, H248_TLS);
	assert_true(h248_addr_protected(&mg.from) && h248_addr_protected(&mgc.from));
	assert_int_equal(mg.opened, 1);
	assert_int_equal(mgc.opened, 1);
	assert_int_equal(log_lines, 2); /* one for each side's handshake */
	assert_non_null(strstr(log_text, "tls up peer=tls:127.0.0.1:"));
	assert_non_null(strstr(log_text, "auth=ca"));
	assert_int_equal(counters(&mg).connects, 1);
	assert_int_equal(counters(&mgc).accepts, 1);
	assert_int_equal(counters(&mgc).octets_in, 6);

	assert_int_equal(h248_transport_send(mgc.t, &mgc.from, "late", 4), 0);
	UNTIL(loop, mg.count == 3);
	h248_transport_close(mg.t, &mg.from);
	UNTIL(loop, mgc.closed == 1);
	assert_string_equal(mgc.reason, "closed by the peer");
	assert_int_equal(log_lines, 4); /* and one for each side's end */
	assert_non_null(strstr(log_text, "tls down peer=tls:127.0.0.1:"));
	side_free(&mg);
	side_free(&mgc);
}

static void both_engines_and_versions(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++)
		for (size_t j = 0; j < BASE_COUNT(engines); j++) {
			messages_both_ways(*state, engines[i], engines[j], "tls12");
			messages_both_ways(*state, engines[i], engines[j], "tls13");
		}
}

static void large_messages_and_a_slow_reader(void **state)
{
	static const struct h248_transport_config config = { .max_output = 64 << 20,
		                                             .mark_output = 100000 };
	struct loop *loop = *state;
	char *big = calloc(1, H248_TPKT_MAX);

	assert_non_null(big);
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, engines[i], "modern");
		struct side mgc, mg;
		struct h248_addr to;
		int rc = 0;

		side_new(&mgc, loop, &mgc_spec, &any_name, &config);
		side_new(&mg, loop, &mg_spec, &server_name, &config);
		side_listen(&mgc);
		to = target_of(&mgc);
		for (int n = 0; n < 200; n++) {
			rc = h248_transport_send(mg.t, &to, big, H248_TPKT_MAX);
			assert_true(!rc || base_err_class(rc) == BASE_AGAIN);
		}
		assert_int_equal(base_err_class(rc), BASE_AGAIN);
		UNTIL(loop, mgc.count == 200 && mg.drained);
		assert_int_equal(mgc.total, 200 * (size_t)H248_TPKT_MAX);
		side_free(&mg);
		side_free(&mgc);
	}
	free(big);
}

/* ---- who is not let in ---- */

/* The gateway sends a message as soon as it may; the controller must never see it. */
static void refused(struct loop *loop, const struct tls_domain_spec *mgc_spec,
                    const struct link_spec *mgc_link, const struct tls_domain_spec *mg_spec,
                    const struct link_spec *mg_link, const char *words)
{
	struct side mgc, mg;
	struct h248_addr to;

	side_new(&mgc, loop, mgc_spec, mgc_link, NULL);
	side_new(&mg, loop, mg_spec, mg_link, NULL);
	side_listen(&mgc);
	to = target_of(&mgc);
	log_text[0] = '\0';
	assert_int_equal(h248_transport_send(mg.t, &to, "secret", 6), 0);
	UNTIL(loop, mg.closed == 1 && counters(&mgc).refused == 1);
	assert_int_equal(mgc.count, 0);
	assert_int_equal(mgc.opened, 0);
	assert_int_equal(mgc.closed, 0); /* it was never there */
	if (!strstr(mg.reason, words) && !strstr(log_text, words))
		fail_msg("'%s' neither in '%s' nor in '%s'", words, mg.reason, log_text);
	assert_int_equal(h248_transport_conns(mgc.t), 0);
	side_free(&mg);
	side_free(&mgc);
}

static void client_without_certificate(void **state)
{
	static const char *const profiles[] = { "tls12", "tls13" };

	for (size_t i = 0; i < BASE_COUNT(engines); i++)
		for (size_t k = 0; k < BASE_COUNT(profiles); k++) {
			struct tls_domain_spec mgc = good(TLS_ROLE_SERVER, engines[i], profiles[k]);
			struct tls_domain_spec mg = good(TLS_ROLE_CLIENT, engines[i], profiles[k]);

			mg.identity = NULL;
			refused(*state, &mgc, &any_name, &mg, &server_name, "certificate");
		}
}

static void client_of_an_unknown_authority(void **state)
{
	struct tls_domain_spec mgc = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "tls12");
	struct tls_domain_spec mg = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "tls12");

	mg.identity = lab->stranger;
	refused(*state, &mgc, &any_name, &mg, &server_name, "unknown");
}

static void names_that_are_not_proven(void **state)
{
	struct tls_domain_spec mgc = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec mg = good(TLS_ROLE_CLIENT, TLS_ENGINE_GNUTLS, "modern");
	static const struct link_spec other = { .peer_name = "other.test" };

	refused(*state, &mgc, &client_name, &mg, &other, "other.test"); /* the client looks */
	refused(*state, &mgc, &other, &mg, &server_name, "");           /* the server looks */
}

/* A server that asks for nothing has not authenticated anybody. */
static void server_that_does_not_ask(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(engines); i++) {
		struct tls_domain_spec mgc = good(TLS_ROLE_SERVER, engines[i], "modern");
		struct tls_domain_spec mg = good(TLS_ROLE_CLIENT, engines[i], "modern");

		mgc.client_methods = 0;
		mgc.client_auth = TLS_CLIENT_AUTH_NONE;
		refused(*state, &mgc, &any_name, &mg, &server_name, "not proven who it is");
	}
}

static void unsafe_anybody_is_let_in(void **state)
{
	static const struct link_spec anybody = { .anybody = true };
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_GNUTLS, "modern");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct loop *loop = *state;
	struct side mgc, mg;
	struct h248_addr to;

	mgc_spec.client_methods = 0;
	mgc_spec.client_auth = TLS_CLIENT_AUTH_NONE;
	side_new(&mgc, loop, &mgc_spec, &anybody, NULL);
	side_new(&mg, loop, &mg_spec, &server_name, NULL);
	side_listen(&mgc);
	to = target_of(&mgc);
	assert_int_equal(h248_transport_send(mg.t, &to, "x", 1), 0);
	UNTIL(loop, mgc.count == 1);
	side_free(&mg);
	side_free(&mgc);
}

static void fingerprints_vouch(void **state)
{
	struct loop *loop = *state;
	struct x509_fingerprint ours = lab_fingerprint(lab->stranger);
	struct link_spec by_print = { .fingerprints = &ours, .fingerprint_count = 1 };
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct side mgc, mg;
	struct h248_addr to;

	mgc_spec.client_methods = TRUST_FINGERPRINT;
	mg_spec.identity = lab->stranger;
	side_new(&mgc, loop, &mgc_spec, &by_print, NULL);
	side_new(&mg, loop, &mg_spec, &server_name, NULL);
	side_listen(&mgc);
	to = target_of(&mgc);
	assert_int_equal(h248_transport_send(mg.t, &to, "x", 1), 0);
	UNTIL(loop, mgc.count == 1);
	side_free(&mg);
	side_free(&mgc);
	mg_spec.identity = lab->client;
	refused(loop, &mgc_spec, &by_print, &mg_spec, &server_name, "");
}

/* ---- peers that are only a socket ---- */

static int raw_connect(const struct side *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(s->local.port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(fd, errno);
	assert_return_code(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), errno);
	return fd;
}

static void clear_text_and_garbage(void **state)
{
	static const struct base_str rubbish[] = {
		{ "\3\0\0\34MEGACO/1 [1.2.3.4] T=1{}", 28 }, /* a message in clear */
		{ "\26\3\1\0\4\1\0\0\0", 9 },                /* an empty ClientHello */
		{ "\27\3\3\0\4abcd", 9 },                    /* application data first */
		{ "\0\0\0\0\0\0\0\0", 8 },
		{ "GET / HTTP/1.0\r\n\r\n", 18 },
	};
	struct loop *loop = *state;

	for (size_t e = 0; e < BASE_COUNT(engines); e++) {
		struct tls_domain_spec spec = good(TLS_ROLE_SERVER, engines[e], "modern");
		struct side mgc;

		side_new(&mgc, loop, &spec, &any_name, NULL);
		side_listen(&mgc);
		for (size_t i = 0; i < BASE_COUNT(rubbish); i++) {
			int fd = raw_connect(&mgc);

			log_lines = 0;
			assert_int_equal(write(fd, rubbish[i].ptr, rubbish[i].len), rubbish[i].len);
			UNTIL(loop, counters(&mgc).refused == i + 1);
			close(fd);
			assert_int_equal(log_lines, 1);
			assert_non_null(strstr(log_text, "tls failed"));
		}
		assert_int_equal(mgc.count + mgc.opened + mgc.closed, 0);
		assert_int_equal(h248_transport_conns(mgc.t), 0);
		side_free(&mgc);
	}
}

static void half_open_ends_in_time(void **state)
{
	static const struct h248_transport_config config = { .handshake_ms = 1 };
	struct tls_domain_spec spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct loop *loop = *state;
	struct side mgc;
	int fd;

	side_new(&mgc, loop, &spec, &any_name, &config);
	side_listen(&mgc);
	fd = raw_connect(&mgc); /* and never a word */
	UNTIL(loop, counters(&mgc).refused == 1);
	assert_int_equal(log_lines, 1);
	assert_non_null(strstr(log_text, "the peer did not finish the handshake in time"));
	close(fd);
	fd = raw_connect(&mgc);
	close(fd);
	UNTIL(loop, counters(&mgc).refused == 2);
	assert_int_equal(log_lines, 2);
	assert_int_equal(mgc.closed, 0);
	side_free(&mgc);
}

/* A server that is none. */
static void client_meets_another_service(void **state)
{
	struct tls_domain_spec spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_GNUTLS, "modern");
	struct loop *loop = *state;
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	struct h248_addr to;
	struct side mg;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(bind(fd, (struct sockaddr *)&sa, len), errno);
	assert_return_code(listen(fd, 1), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&sa, &len), errno);
	side_new(&mg, loop, &spec, &server_name, NULL);
	assert_int_equal(h248_addr_parse(H248_TLS, BASE_STR("127.0.0.1"), ntohs(sa.sin_port), &to),
	                 0);
	assert_int_equal(h248_transport_send(mg.t, &to, "secret", 6), 0);
	peer = accept(fd, NULL, NULL);
	assert_return_code(write(peer, "SSH-2.0-x\r\n", 11), errno);
	UNTIL(loop, mg.closed == 1);
	assert_memory_equal(mg.reason, "TLS: ", 5);
	assert_int_equal(counters(&mg).refused, 1);
	close(peer);
	close(fd);
	side_free(&mg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(both_engines_and_versions),    CASE(large_messages_and_a_slow_reader),
		CASE(client_without_certificate),   CASE(client_of_an_unknown_authority),
		CASE(names_that_are_not_proven),    CASE(server_that_does_not_ask),
		CASE(unsafe_anybody_is_let_in),     CASE(fingerprints_vouch),
		CASE(clear_text_and_garbage),       CASE(half_open_ends_in_time),
		CASE(client_meets_another_service),
	};

	return cmocka_run_group_tests_name("link", tests, lab_open, lab_close);
}
