/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under the relay: sessions held against CRLs that come later, handshakes that wait for one, and
 * domains replaced while sessions run. The far ends are sessions of ours over sockets.
 */
#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "../pki.h"
#include "../tls/pairs.h"
#include "far.h"

#define LONG (30 * PKI_DAY)
#define URL  "http://crl.example/1.crl"
#define URL2 "http://crl.example/2.crl"

static struct pki ca, good_pki, bad_pki, twice_pki;
static struct x509_identity *good, *bad, *twice;

struct scene {
	const struct lab_sides *sides;
	struct stage stage;
	char *cache, *anchor;
	struct trust_store *store;
	struct tls_domain *domain;
	long number;
	struct relay_fetch *fetch[8]; /* asked for */
	unsigned fetches;
};

static void on_fetch(void *arg, struct relay_fetch *fetch)
{
	struct scene *s = arg;

	assert_memory_equal(relay_fetch_url(fetch), URL, strlen(URL) - 5); /* or its number 2 */
	assert_true(s->fetches < BASE_COUNT(s->fetch));
	s->fetch[s->fetches++] = fetch;
}

static struct tls_domain *domain_new(struct scene *s, enum tls_on_revocation action,
                                     uint32_t grace_ms)
{
	struct tls_domain_spec spec = lab_spec(s->sides, TLS_ROLE_SERVER, "modern");
	struct tls_domain *domain = NULL;

	spec.trust = s->store;
	spec.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	spec.client_methods = TRUST_CA;
	spec.on_revocation = action;
	spec.grace_ms = grace_ms;
	assert_int_equal(tls_domain_new(&domain, &spec, NULL), 0);
	return domain;
}

static void store_load(struct scene *s)
{
	assert_int_equal(trust_store_load(&s->store,
	                                  &(struct trust_store_files){
	                                          .anchors = (const char *[]){ s->anchor, NULL },
	                                          .crl_required = true,
	                                          .cache = s->cache },
	                                  NULL),
	                 0);
}

static void scene_begin(struct scene *s, void *state, unsigned limit_ms)
{
	const struct relay_pool_spec pool = { .workers = 1,
		                              .drain_timeout_ms = 300,
		                              .fetch = limit_ms ? on_fetch : NULL,
		                              .fetch_arg = s,
		                              .fetch_limit_ms = limit_ms };

	*s = (struct scene){ .sides = state, .cache = pki_dir_new() };
	s->anchor = pki_write_certs(s->cache, ".ca", (X509 *[]){ ca.cert, NULL });
	store_load(s);
	s->domain = domain_new(s, TLS_REVOKED_END, 0);
	stage_begin(&s->stage, &pool);
}

static void scene_end(struct scene *s)
{
	DIR *d = opendir(s->cache);

	stage_end(&s->stage);
	tls_domain_unref(s->domain);
	trust_store_unref(s->store);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(s->cache);
	free(s->cache);
	free(s->anchor);
}

/* Reason 6: on hold; 8 in a delta: no longer. `base` 0: complete. */
static void crl_comes(struct scene *s, X509 *revoked, int reason, long base)
{
	X509_CRL *crl = pki_crl(&ca, revoked ? (X509 *[]){ revoked, NULL } : NULL,
	                        -PKI_DAY + ++s->number, LONG);
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	struct x509_crl_index *index = NULL;
	unsigned char *der = NULL;
	int len;

	assert_true(ASN1_INTEGER_set(n, s->number));
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0), 1);
	if (base) {
		assert_true(ASN1_INTEGER_set(n, base));
		assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
	}
	if (reason) {
		ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

		assert_true(ASN1_ENUMERATED_set(code, reason));
		assert_int_equal(X509_REVOKED_add1_ext_i2d(
		                         sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0),
		                         NID_crl_reason, code, 0, 0),
		                 1);
		ASN1_ENUMERATED_free(code);
	}
	ASN1_INTEGER_free(n);
	assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	assert_int_equal(x509_crl_index_make(&index, der, (size_t)len, ca.key, NULL), 0);
	assert_int_equal(trust_cache_write(s->cache, index, NULL), 0);
	assert_int_equal(trust_cache_refresh(trust_store_cache(s->store)), 1);
	x509_crl_index_unref(index);
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static void rejudge(struct scene *s, struct tls_domain *domain)
{
	assert_int_equal(relay_pool_rejudge(s->stage.pool, &domain, 1), 0);
}

/* ---- one endpoint with its visitor ---- */

struct guest {
	struct record front;
	struct far far;
};

static void guest_come(struct scene *s, struct guest *g, struct x509_identity *who)
{
	struct relay_endpoint_spec spec = stage_server(&g->front);
	struct relay_tls_spec tls = { .domain = s->domain, .session = { .role = TLS_ROLE_SERVER } };
	struct tls_domain_spec domain = lab_spec(s->sides, TLS_ROLE_CLIENT, "modern");
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT };

	memset(&g->front, 0, sizeof(g->front));
	spec.tls = &tls;
	stage_add(&s->stage, &spec);
	domain.identity = who;
	far_open(&g->far, &s->stage, peer_connect(&s->stage, endpoint_port(g->front.endpoint)),
	         &domain, &session);
}

static void guest_up(struct scene *s, struct guest *g, struct x509_identity *who)
{
	guest_come(s, g, who);
	assert_int_equal(far_shake(&g->far), 0);
	stage_expect(&s->stage, &g->front, RELAY_TLS_UP);
}

static void guest_leave(struct scene *s, struct guest *g)
{
	far_done(&g->far);
	relay_endpoint_remove(g->front.endpoint);
	stage_empty(&s->stage);
}

struct more {
	struct guest *g;
	enum relay_event_kind kind;
	unsigned count;
};

static bool has_more(void *arg)
{
	struct more *m = arg;

	return m->g->front.count[m->kind] >= m->count;
}

static void told(struct scene *s, struct guest *g, enum relay_event_kind kind, unsigned count)
{
	struct more m = { g, kind, count };

	stage_wait(&s->stage, has_more, &m);
	assert_int_equal(g->front.count[kind], count);
}

static void counts(struct scene *s, struct relay_trust_counts want)
{
	struct relay_trust_counts got;

	relay_pool_trust_counts(s->stage.pool, &got);
	assert_memory_equal(&got, &want, sizeof(got));
}

/* ---- condemned ---- */

static void the_revoked_one_hears_close_notify(void **state)
{
	const struct relay_event *event;
	struct scene s;
	struct guest g;

	scene_begin(&s, *state, 0);
	crl_comes(&s, NULL, 0, 0);
	guest_up(&s, &g, bad);
	rejudge(&s, s.domain); /* nothing is known against it yet */
	crl_comes(&s, bad_pki.cert, 0, 0);
	rejudge(&s, s.domain);
	told(&s, &g, RELAY_TLS_CONDEMNED, 1);
	assert_int_equal(g.front.last[RELAY_TLS_CONDEMNED].action, TLS_REVOKED_END);
	assert_int_equal(far_read_end(&g.far), 0);
	stage_expect(&s.stage, &g.front, RELAY_TCP_DOWN);
	event = &g.front.last[RELAY_TLS_DOWN];
	assert_int_equal(event->cause, RELAY_CAUSE_REVOKED);
	assert_int_equal(event->tls.alert, 0);
	assert_int_equal(event->tls.reason, TRUST_REVOKED);
	assert_non_null(strstr(event->tls.text, "revoked by the cached CRL of CN=CA"));
	assert_int_equal(endpoint_stats(g.front.endpoint).condemned, 1);
	guest_leave(&s, &g);
	guest_come(&s, &g, bad);
	(void)far_shake(&g.far);
	stage_expect(&s.stage, &g.front, RELAY_TLS_FAILED);
	guest_leave(&s, &g);
	counts(&s, (struct relay_trust_counts){ .revoked = 1, .condemned = 1 });
	scene_end(&s);
}

static void a_hold_may_be_taken_back_in_time(void **state)
{
	struct tls_domain *grace;
	struct scene s;
	struct guest g;

	scene_begin(&s, *state, 0);
	grace = domain_new(&s, TLS_REVOKED_GRACE, 600000);
	crl_comes(&s, NULL, 0, 0);
	guest_up(&s, &g, bad);
	crl_comes(&s, bad_pki.cert, 6, 0);
	rejudge(&s, grace);
	rejudge(&s, grace); /* told once */
	told(&s, &g, RELAY_TLS_CONDEMNED, 1);
	assert_int_equal(g.front.last[RELAY_TLS_CONDEMNED].action, TLS_REVOKED_GRACE);
	crl_comes(&s, bad_pki.cert, 8, s.number);
	rejudge(&s, grace); /* acquitted */
	crl_comes(&s, bad_pki.cert, 1, 0);
	rejudge(&s, grace);
	told(&s, &g, RELAY_TLS_CONDEMNED, 2);
	/* a reload that is stricter */
	rejudge(&s, s.domain);
	told(&s, &g, RELAY_TLS_CONDEMNED, 3);
	assert_int_equal(far_read_end(&g.far), 0);
	stage_expect(&s.stage, &g.front, RELAY_TCP_DOWN);
	assert_int_equal(g.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_REVOKED);
	guest_leave(&s, &g);
	tls_domain_unref(grace);
	scene_end(&s);
}

static void grace_ends(void **state)
{
	struct tls_domain *grace;
	struct scene s;
	struct guest g;

	scene_begin(&s, *state, 0);
	grace = domain_new(&s, TLS_REVOKED_GRACE, 20);
	crl_comes(&s, NULL, 0, 0);
	guest_up(&s, &g, bad);
	crl_comes(&s, bad_pki.cert, 0, 0);
	rejudge(&s, grace);
	assert_int_equal(far_read_end(&g.far), 0);
	stage_expect(&s.stage, &g.front, RELAY_TCP_DOWN);
	assert_int_equal(g.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_REVOKED);
	assert_non_null(strstr(g.front.last[RELAY_TLS_DOWN].tls.text, "revoked by"));
	guest_leave(&s, &g);
	tls_domain_unref(grace);
	scene_end(&s);
}

#define CROWD 280 /* more than a sweep looks at in one go */

static void exactly_the_revoked_of_a_crowd(void **state)
{
	struct guest *crowd = calloc(CROWD, sizeof(*crowd));
	struct scene s;

	assert_non_null(crowd);
	scene_begin(&s, *state, 0);
	crl_comes(&s, NULL, 0, 0);
	for (size_t i = 0; i < CROWD; i++)
		guest_up(&s, &crowd[i], i % 3 ? good : bad);
	crl_comes(&s, bad_pki.cert, 0, 0);
	rejudge(&s, s.domain);
	rejudge(&s, s.domain); /* in its midst */
	for (size_t i = 0; i < CROWD; i += 3) {
		assert_int_equal(far_read_end(&crowd[i].far), 0);
		stage_expect(&s.stage, &crowd[i].front, RELAY_TCP_DOWN);
	}
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(crowd[i].front.count[RELAY_TLS_CONDEMNED], i % 3 == 0);
		assert_int_equal(crowd[i].front.count[RELAY_TLS_DOWN], i % 3 == 0);
	}
	for (size_t i = 0; i < CROWD; i++) {
		far_done(&crowd[i].far);
		relay_endpoint_remove(crowd[i].front.endpoint);
	}
	stage_empty(&s.stage);
	free(crowd);
	scene_end(&s);
}

/* ---- handshakes that wait ---- */

static bool asked(void *arg)
{
	return ((struct scene *)arg)->fetches > 0;
}

/* The client's part as far as it goes by itself: the far end blocks, so it is stepped here. */
static void shake_until_asked(struct scene *s, struct guest *g)
{
	unsigned want = s->fetches + 1;
	uint8_t buf[16384];

	while (s->fetches < want) {
		struct tls_io io = { .out = &g->far.out };
		ssize_t n = recv(g->far.fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n > 0)
			io.in = base_reader_of(buf, (size_t)n);
		(void)tls_session_handshake(g->far.session, &io);
		far_flush(&g->far);
		assert_int_equal(loop_run_once(s->stage.control, 5), 0);
	}
}

static void one_waits_and_no_other(void **state)
{
	struct guest waiting, other;
	struct scene s;

	scene_begin(&s, *state, 60000);
	guest_come(&s, &waiting, good);
	shake_until_asked(&s, &waiting);
	stage_wait(&s.stage, asked, &s);
	crl_comes(&s, NULL, 0, 0); /* it is there, and the answer is not yet */
	guest_up(&s, &other, good);
	far_done(&other.far);
	relay_endpoint_remove(other.front.endpoint);
	assert_int_equal(waiting.front.count[RELAY_TLS_UP], 0);
	assert_int_equal(waiting.front.count[RELAY_TLS_FAILED], 0);
	relay_fetched(s.fetch[0], NULL);
	if (!tls_session_waits(waiting.far.session))
		(void)far_shake(&waiting.far);
	stage_expect(&s.stage, &waiting.front, RELAY_TLS_UP);
	far_put(&waiting.far, "hello");
	far_flush(&waiting.far);
	guest_leave(&s, &waiting);
	scene_end(&s);
}

static void who_goes_while_it_waits(void **state)
{
	struct guest g;
	struct scene s;

	/* removed, then answered */
	scene_begin(&s, *state, 60000);
	guest_come(&s, &g, good);
	shake_until_asked(&s, &g);
	guest_leave(&s, &g);
	relay_fetched(s.fetch[0], NULL);
	/* the limit, then the answer */
	guest_come(&s, &g, good);
	shake_until_asked(&s, &g);
	relay_fetched(s.fetch[1], "gone");
	stage_expect(&s.stage, &g.front, RELAY_TLS_FAILED);
	assert_int_equal(g.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_AUTH);
	assert_int_equal(g.front.last[RELAY_TLS_FAILED].tls.reason, TRUST_CRL_MISSING);
	assert_non_null(strstr(g.front.last[RELAY_TLS_FAILED].tls.text, "not fetched: gone"));
	guest_leave(&s, &g);
	counts(&s, (struct relay_trust_counts){ .crl_missing = 1, .waits = 2, .waits_lost = 1 });
	scene_end(&s);
	scene_begin(&s, *state, 30);
	guest_come(&s, &g, good);
	shake_until_asked(&s, &g);
	stage_expect(&s.stage, &g.front, RELAY_TLS_FAILED);
	assert_non_null(strstr(g.front.last[RELAY_TLS_FAILED].tls.text, "no answer within 30 ms"));
	relay_fetched(s.fetch[0], NULL);
	guest_leave(&s, &g);
	scene_end(&s);
}

/* For all that it lacks: who began to wait first is refused first, though it asked twice. */
static void one_limit_for_a_handshake(void **state)
{
	struct guest first, second;
	struct scene s;

	scene_begin(&s, *state, 200);
	guest_come(&s, &first, twice);
	shake_until_asked(&s, &first);
	guest_come(&s, &second, good);
	shake_until_asked(&s, &second);
	relay_fetched(s.fetch[0], "gone");
	shake_until_asked(&s, &first);
	assert_string_equal(relay_fetch_url(s.fetch[2]), URL2);
	stage_expect(&s.stage, &second.front, RELAY_TLS_FAILED);
	assert_int_equal(first.front.count[RELAY_TLS_FAILED], 1);
	assert_non_null(
	        strstr(first.front.last[RELAY_TLS_FAILED].tls.text, "no answer within 200 ms"));
	relay_fetched(s.fetch[1], NULL);
	relay_fetched(s.fetch[2], NULL);
	far_done(&second.far);
	relay_endpoint_remove(second.front.endpoint);
	guest_leave(&s, &first);
	scene_end(&s);
}

/* ---- reloads under load ---- */

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(d))
		count++;
	(void)closedir(d);
	return count;
}

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
        __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RELOADS 1500 /* they keep their own account of memory, and take their time */
#define WATCHED 0
#else
#define RELOADS 10000
#define WATCHED 1
#endif
#define GUESTS 4

static bool echoed(void *arg)
{
	struct guest *g = arg;
	uint8_t buf[4096];
	size_t n = 0;
	struct tls_io io = { .out = &g->far.out };
	ssize_t got = recv(g->far.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (got <= 0)
		return false;
	io.in = base_reader_of(buf, (size_t)got);
	return tls_session_read(g->far.session, &io, g->far.clear, sizeof(g->far.clear), &n) == 0 &&
	       n == 5;
}

/* Two guests of a context are linked: what one says the other hears. */
static void talk(struct scene *s, struct guest *a, struct guest *b)
{
	far_put(&a->far, "hello");
	far_flush(&a->far);
	stage_wait(&s->stage, echoed, b);
}

static void reloads_leak_nothing_and_drop_nothing(void **state)
{
	struct guest g[GUESTS], visitor;
	size_t used = 0, now;
	unsigned fds = 0;
	struct scene s;

	scene_begin(&s, *state, 0);
	crl_comes(&s, NULL, 0, 0);
	for (size_t i = 0; i < GUESTS; i++)
		guest_up(&s, &g[i], good);
	for (size_t i = 0; i < GUESTS; i += 2)
		assert_int_equal(relay_endpoint_link(g[i].front.endpoint, g[i + 1].front.endpoint),
		                 0);
	for (unsigned round = 0; round < RELOADS; round++) {
		struct tls_domain *old = s.domain;
		struct trust_store *old_store = s.store;

		/* anchor, CRLs, certificate, key and profile: all of it anew, then in place */
		store_load(&s);
		s.domain = domain_new(&s, TLS_REVOKED_END, 0);
		assert_int_equal(relay_pool_domain_drop(s.stage.pool, old), 0);
		rejudge(&s, s.domain);
		tls_domain_unref(old);
		trust_store_unref(old_store);
		if (round % 50)
			continue;
		talk(&s, &g[0], &g[1]);
		talk(&s, &g[3], &g[2]);
		guest_up(&s, &visitor, good);
		far_done(&visitor.far);
		relay_endpoint_remove(visitor.front.endpoint);
		if (round == 1000) {
			used = mallinfo2().uordblks;
			fds = descriptors();
		}
	}
	for (size_t i = 0; i < GUESTS; i++)
		assert_int_equal(g[i].front.count[RELAY_TLS_DOWN], 0);
	talk(&s, &g[1], &g[0]);
	talk(&s, &g[2], &g[3]);
	now = mallinfo2().uordblks;
	/* a hundredth of what one generation takes, for each reload, would be a megabyte */
	if (now > used + 262144)
		print_message("heap: %zu, then %zu\n", used, now);
	assert_true(!WATCHED || now <= used + 262144);
	assert_true(descriptors() <= fds + 4); /* of the visitor's that may not be closed yet */
	for (size_t i = 0; i < GUESTS; i++) {
		far_done(&g[i].far);
		relay_endpoint_remove(g[i].front.endpoint);
	}
	stage_empty(&s.stage);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_revoked_one_hears_close_notify),
		cmocka_unit_test(a_hold_may_be_taken_back_in_time),
		cmocka_unit_test(grace_ends),
		cmocka_unit_test(exactly_the_revoked_of_a_crowd),
		cmocka_unit_test(one_waits_and_no_other),
		cmocka_unit_test(who_goes_while_it_waits),
		cmocka_unit_test(one_limit_for_a_handshake),
		cmocka_unit_test(reloads_leak_nothing_and_drop_nothing),
	};
	int failed;

	base_log_level_set(BASE_LOG_ERROR);
	ca = pki_ca("CA");
	good_pki = pki_make(&(struct pki_spec){ .cn = "good.example",
	                                        .issuer = &ca,
	                                        .ext_nid = NID_crl_distribution_points,
	                                        .ext = "URI:" URL });
	twice_pki = pki_make(&(struct pki_spec){ .cn = "twice.example",
	                                         .issuer = &ca,
	                                         .ext_nid = NID_crl_distribution_points,
	                                         .ext = "URI:" URL ",URI:" URL2 });
	bad_pki = pki_leaf("bad.example", &ca);
	good = pki_identity(&good_pki, (const struct pki *const[]){ NULL });
	bad = pki_identity(&bad_pki, (const struct pki *const[]){ NULL });
	twice = pki_identity(&twice_pki, (const struct pki *const[]){ NULL });
	failed = pairs_run_servers(tests, BASE_COUNT(tests));
	pki_free(&ca);
	pki_free(&good_pki);
	pki_free(&bad_pki);
	pki_free(&twice_pki);
	x509_identity_unref(good);
	x509_identity_unref(bad);
	x509_identity_unref(twice);
	return failed;
}
