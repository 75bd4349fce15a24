/* SPDX-License-Identifier: Apache-2.0 */
/* H.248 inside TLS over real loopback sockets: who is let in, and what never reaches a decoder. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../pki.h"
#include "../tls/lab.h"
#include "link/link.h"

static struct lab *lab;

struct side {
	struct loop *loop;
	struct tls_domain *domain;
	struct link *link;
	struct h248_transport *t;
	struct h248_addr local, from;
	bool echo;
	char got[256];
	size_t count, got_len, total;
	unsigned opened, closed, drained;
	char reason[200];
};

static char log_text[65536]; /* of one test */
static unsigned log_lines;

static void on_log(void *arg, enum base_level level, const char *line)
{
	(void)arg;
	(void)level;
	snprintf(log_text + strlen(log_text), sizeof(log_text) - strlen(log_text), "%s\n", line);
	log_lines++;
}

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct side *s = arg;

	s->from = *from;
	s->count++;
	s->total += len;
	if (s->got_len + len + 2 < sizeof(s->got)) {
		memcpy(s->got + s->got_len, data, len);
		s->got_len += len;
		s->got[s->got_len++] = '|';
	}
	if (s->echo)
		(void)h248_transport_send(s->t, from, data, len);
}

static void on_connected(void *arg, const struct h248_addr *conn)
{
	struct side *s = arg;

	s->from = *conn;
	s->opened++;
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	struct side *s = arg;

	(void)conn;
	s->closed++;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static void on_drained(void *arg, const struct h248_addr *conn)
{
	(void)conn;
	((struct side *)arg)->drained++;
}

/* What both sides have when nothing is said otherwise. */
static struct tls_domain_spec good(enum tls_role role, enum tls_engine engine, const char *profile)
{
	return (struct tls_domain_spec){
		.name = role == TLS_ROLE_SERVER ? "mgc" : "mg",
		.profile = lab_profile(lab, profile),
		.engine = engine,
		.identity = role == TLS_ROLE_SERVER ? lab->server_ec : lab->client,
		.trust = lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = TLS_CLIENT_AUTH_REQUIRE,
	};
}

static void side_new(struct side *s, struct loop *loop, const struct tls_domain_spec *domain,
                     const struct link_spec *spec, const struct h248_transport_config *base)
{
	struct h248_transport_config config = base ? *base : (struct h248_transport_config){ 0 };
	struct h248_transport_ops ops = { on_message, on_connected, on_closed, on_drained, s };
	struct base_error err = { 0 };

	*s = (struct side){ .loop = loop };
	if (tls_domain_new(&s->domain, domain, &err) || link_new(&s->link, s->domain, spec, &err))
		fail_msg("%s", err.text);
	config.filter = &link_filter;
	config.filter_arg = s->link;
	assert_int_equal(h248_transport_new(&s->t, loop, &config, &ops), 0);
}

static void side_listen(struct side *s)
{
	struct base_error err = { 0 };

	assert_int_equal(h248_addr_parse(H248_TLS, BASE_STR("127.0.0.1"), 0, &s->local), 0);
	if (h248_transport_listen(s->t, &s->local, &err))
		fail_msg("%s", err.text);
}

static void side_free(struct side *s)
{
	h248_transport_free(s->t);
	link_free(s->link);
	tls_domain_unref(s->domain);
}

static struct h248_addr target_of(const struct side *s)
{
	struct h248_addr to = s->local;

	to.conn = 0;
	return to;
}

static struct h248_transport_counters counters(const struct side *s)
{
	struct h248_transport_counters c;

	h248_transport_counters(s->t, H248_TLS, &c);
	return c;
}

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

static const enum tls_engine engines[] = { TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };
static const struct link_spec server_name = { .peer_name = "server.test" };
static const struct link_spec client_name = { .peer_name = "client.test" };
static const struct link_spec any_name = { 0 };

static int setup(void **state)
{
	log_text[0] = '\0';
	log_lines = 0;
	return loop_new((struct loop **)state);
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
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

/* ---- a domain from files, and another domain later ---- */

static void another_domain_for_those_to_come(void **state)
{
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "tls12");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec fresh_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_GNUTLS, "tls13");
	struct loop *loop = *state;
	struct tls_domain *fresh, *first;
	struct side mgc, old, late;
	struct h248_addr to;

	side_new(&mgc, loop, &mgc_spec, &any_name, NULL);
	side_new(&old, loop, &mg_spec, &server_name, NULL);
	side_new(&late, loop, &mg_spec, &server_name, NULL);
	side_listen(&mgc);
	mgc.echo = true;
	to = target_of(&mgc);
	assert_int_equal(h248_transport_send(old.t, &to, "1", 1), 0);
	UNTIL(loop, old.count == 1);
	assert_non_null(strstr(log_text, "version=TLS1.2"));

	assert_int_equal(tls_domain_new(&fresh, &fresh_spec, NULL), 0);
	assert_int_equal(link_domain_set(mgc.link, fresh, NULL), 0);
	tls_domain_unref(fresh);
	assert_int_equal(h248_transport_send(late.t, &to, "2", 1), 0);
	UNTIL(loop, late.count == 1);
	assert_non_null(strstr(log_text, "version=TLS1.3"));
	assert_int_equal(h248_transport_send(old.t, &to, "3", 1), 0);
	UNTIL(loop, old.count == 2);

	first = mgc.domain;
	assert_true(tls_domain_shared(first)); /* its connection lives */
	h248_transport_close(old.t, &old.from);
	UNTIL(loop, mgc.closed == 1);
	assert_false(tls_domain_shared(first));
	side_free(&old);
	side_free(&late);
	side_free(&mgc);
}

/* ---- a CRL that comes later ---- */

static struct trust_store *store_of(const char *dir, const struct pki *ca, X509 *revoked)
{
	char *anchor = pki_write_certs(dir, "ca", (X509 *[]){ ca->cert, NULL }), *crl = NULL;
	X509_CRL *list =
	        pki_crl(ca, revoked ? (X509 *[]){ revoked, NULL } : NULL, -PKI_DAY, PKI_DAY);
	struct trust_store *store = NULL;

	crl = pki_write_crl(dir, "crl", list, true);
	assert_int_equal(trust_store_load(&store,
	                                  &(struct trust_store_files){
	                                          .anchors = (const char *[]){ anchor, NULL },
	                                          .crls = (const char *[]){ crl, NULL },
	                                          .crl_required = true },
	                                  NULL),
	                 0);
	X509_CRL_free(list);
	free(anchor);
	free(crl);
	return store;
}

/* Of two the one that was revoked is heard no more; how strict the domain is, it says. */
static void a_controller_that_is_revoked(void **state)
{
	struct tls_domain_spec mgc_spec = good(TLS_ROLE_SERVER, TLS_ENGINE_OPENSSL, "modern");
	struct tls_domain_spec mg_spec = good(TLS_ROLE_CLIENT, TLS_ENGINE_GNUTLS, "modern");
	struct pki ca = pki_ca("CA"), pki[2] = { pki_leaf("good", &ca), pki_leaf("bad", &ca) };
	struct side mgc, far[2];
	char *dir = pki_dir_new();

	mgc_spec.trust = store_of(dir, &ca, NULL);
	side_new(&mgc, *state, &mgc_spec, &any_name, NULL);
	side_listen(&mgc);
	mgc.echo = true;
	for (int i = 0; i < 2; i++) {
		struct h248_addr to = target_of(&mgc);

		mg_spec.identity = pki_identity(&pki[i], (const struct pki *const[]){ NULL });
		side_new(&far[i], *state, &mg_spec, &server_name, NULL);
		x509_identity_unref(mg_spec.identity);
		assert_int_equal(h248_transport_send(far[i].t, &to, "1", 1), 0);
		UNTIL(*state, far[i].count == 1);
	}
	link_rejudge(mgc.link); /* nothing is known against them */
	trust_store_unref(mgc_spec.trust);
	mgc_spec.trust = store_of(dir, &ca, pki[1].cert);
	for (int report = 1; report >= 0; report--) {
		struct h248_addr to = target_of(&mgc);
		struct tls_domain *fresh = NULL;

		mgc_spec.on_revocation = report ? TLS_REVOKED_REPORT : TLS_REVOKED_END;
		assert_int_equal(tls_domain_new(&fresh, &mgc_spec, NULL), 0);
		assert_int_equal(link_domain_set(mgc.link, fresh, NULL), 0);
		tls_domain_unref(fresh);
		link_rejudge(mgc.link);
		assert_non_null(strstr(log_text, report ? "action=report" : "action=end"));
		assert_int_equal(h248_transport_send(far[0].t, &to, "2", 1), 0);
		assert_int_equal(h248_transport_send(far[1].t, &to, "2", 1), 0);
		UNTIL(*state, far[0].count == (report ? 2 : 3));
		if (report)
			UNTIL(*state, far[1].count == 2);
	}
	UNTIL(*state, far[1].closed == 1);
	assert_int_equal(mgc.count, 5);
	assert_non_null(strstr(log_text, "tls condemned peer="));
	assert_non_null(strstr(mgc.reason, "revoked by the CRL of CN=CA"));
	for (int i = 0; i < 2; i++) {
		side_free(&far[i]);
		pki_free(&pki[i]);
	}
	side_free(&mgc);
	trust_store_unref(mgc_spec.trust);
	pki_free(&ca);
	pki_dir_remove(dir);
}

static void files_that_are_not_there(void **state)
{
	char profiles[512];
	const char *dirs[] = { profiles, NULL };
	const struct link_files none = { 0 };
	const struct link_files gone = { .certificate = "/nonexistent.pem", .profile_dirs = dirs };
	struct base_error err = { 0 };
	struct link *link = NULL;
	char text[900];

	(void)state;
	assert_non_null(getenv("GATEHOUSE_SOURCE_ROOT"));
	snprintf(profiles, sizeof(profiles), "%s/profiles", getenv("GATEHOUSE_SOURCE_ROOT"));
	assert_int_equal(base_err_class(link_new_files(&link, &none, &any_name, &err)),
	                 BASE_CONFIG);
	assert_int_equal(base_err_class(link_new_files(&link, &gone, &any_name, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(base_error_format(&err, text, sizeof(text)), "nonexistent"));
	assert_null(link);
}

static int lab_open(void **state)
{
	(void)state;
	lab = lab_new();
	base_log_sink_set(on_log, NULL);
	return lab ? 0 : -1;
}

static int lab_close(void **state)
{
	(void)state;
	base_log_sink_set(NULL, NULL);
	lab_free(lab);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(both_engines_and_versions),    CASE(large_messages_and_a_slow_reader),
		CASE(client_without_certificate),   CASE(client_of_an_unknown_authority),
		CASE(names_that_are_not_proven),    CASE(server_that_does_not_ask),
		CASE(unsafe_anybody_is_let_in),     CASE(fingerprints_vouch),
		CASE(clear_text_and_garbage),       CASE(half_open_ends_in_time),
		CASE(client_meets_another_service), CASE(another_domain_for_those_to_come),
		CASE(a_controller_that_is_revoked), CASE(files_that_are_not_there),
	};

	return cmocka_run_group_tests_name("link", tests, lab_open, lab_close);
}
