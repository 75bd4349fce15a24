/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes to a DTLS server before it is known who it is: strangers, fingerprints that come later,
 * and several endpoints at one port whose peers nobody named. */
#include "check.h"

#include <errno.h>
#include <unistd.h>

#include "../tls/lab.h"
#include "../tls/pairs.h"
#include "relay/dgram.h"
#include "relay/room.h"
#include "udp_peer.h"

static const struct relay_dgram_spec any = { 0 };
static const struct relay_dgram_spec shared = { .shared = true };

/** A client far away: one session of its own engine. */
struct guest {
	int fd, port, to;
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
	struct base_writer out;
	uint64_t now_ms;
	int rc;
};

/** A gateway's end with its partner in the clear, and what is behind that. */
struct end {
	struct record front, back;
	struct relay_context *context; /**< NULL: the stage's */
	int peer, peer_port;
	struct x509_fingerprint print;
	struct relay_tls_spec tls;
};

struct scene {
	struct stage stage;
	struct lab_sides *sides;
	struct tls_domain *domain;
};

static struct tls_domain *server_domain(struct scene *s, const char *name)
{
	struct tls_domain_spec spec = lab_spec(s->sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain *domain;

	spec.name = name;
	spec.client_methods = TRUST_FINGERPRINT;
	assert_int_equal(tls_domain_new(&domain, &spec, NULL), 0);
	return domain;
}

static void scene_begin(struct scene *s, void *state)
{
	struct relay_pool_spec pool = { .workers = 2 };

	memset(s, 0, sizeof(*s));
	s->sides = state;
	stage_begin(&s->stage, &pool);
	s->domain = server_domain(s, "server");
}

static void scene_end(struct scene *s)
{
	stage_empty(&s->stage);
	stage_end(&s->stage);
	tls_domain_unref(s->domain);
}

/* ---- clients ---- */

static void guest_make(struct guest *g, struct scene *s, struct x509_identity *identity, int to)
{
	struct tls_domain_spec domain = lab_spec(s->sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_datagram_spec datagram = { .rto_ms = 50 };
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT, .datagram = &datagram };

	memset(g, 0, sizeof(*g));
	g->fd = udp_peer(&g->port);
	g->to = to;
	g->rc = BASE_ERR(BASE_AGAIN, 0);
	domain.identity = identity;
	assert_int_equal(tls_domain_new(&g->domain, &domain, NULL), 0);
	assert_int_equal(tls_context_new(&g->context, g->domain, NULL), 0);
	assert_int_equal(tls_session_new(&g->session, g->context, &session), 0);
}

static void guest_done(struct guest *g)
{
	tls_session_free(g->session);
	tls_context_free(g->context);
	tls_domain_unref(g->domain);
	base_writer_done(&g->out);
	close(g->fd);
}

static void guest_flush(struct guest *g)
{
	struct base_reader r = base_reader_of(g->out.data, g->out.len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		udp_send(g->fd, g->to, one.ptr, one.len);
	base_writer_reset(&g->out);
}

/* One turn of it; after the handshake what comes is read and forgotten. */
static void guest_step(struct guest *g)
{
	uint8_t buf[4096], clear[4096];
	ssize_t n = recv(g->fd, buf, sizeof(buf), 0);
	struct tls_io io = { .in = base_reader_of(buf, (size_t)BASE_MAX(n, 0)), .out = &g->out };
	size_t got;

	io.now_ms = g->now_ms += 5;
	if (base_err_class(g->rc) == BASE_AGAIN)
		g->rc = tls_session_handshake(g->session, &io);
	else if (g->rc == 0)
		(void)tls_session_read(g->session, &io, clear, sizeof(clear), &got);
	guest_flush(g);
}

static void guest_say(struct guest *g, const char *text)
{
	struct tls_io io = { .out = &g->out, .now_ms = g->now_ms };

	assert_int_equal(tls_session_write(g->session, &io, (const uint8_t *)text, strlen(text)),
	                 0);
	guest_flush(g);
}

/* Until an endpoint has told something, or the client is through. */
struct wish {
	struct guest *guest;
	size_t guests;
	const struct record *record;
	enum relay_event_kind kind;
	unsigned count;
};

static bool granted(void *arg)
{
	struct wish *w = arg;

	for (size_t i = 0; i < w->guests; i++)
		guest_step(&w->guest[i]);
	if (w->record)
		return w->record->count[w->kind] >= w->count;
	return base_err_class(w->guest->rc) != BASE_AGAIN;
}

static void until(struct scene *s, struct guest *g, const struct record *record,
                  enum relay_event_kind kind, unsigned count)
{
	struct wish w = { g, 1, record, kind, count };

	stage_wait(&s->stage, granted, &w);
}

/* ---- endpoints ---- */

static void end_spec(struct scene *s, struct end *e, struct relay_endpoint_spec *ret,
                     const struct x509_identity *expected, const struct relay_dgram_spec *dgram,
                     int port)
{
	e->tls = (struct relay_tls_spec){ .domain = s->domain, .mark = 1 };
	e->tls.session.role = TLS_ROLE_SERVER;
	if (expected) {
		e->print = lab_fingerprint(expected);
		e->tls.session.fingerprints = &e->print;
		e->tls.session.fingerprint_count = 1;
	}
	*ret = stage_datagrams(&e->front, 0, dgram);
	ret->tls = &e->tls;
	((struct sockaddr_in *)&ret->local)->sin_port = htons((uint16_t)port);
}

static struct relay_context *context_of(const struct scene *s, const struct end *e)
{
	return e->context ? e->context : s->stage.context;
}

static void end_back(struct scene *s, struct end *e)
{
	struct relay_endpoint_spec spec;

	e->peer = udp_peer(&e->peer_port);
	spec = stage_datagrams(&e->back, e->peer_port, &any);
	assert_int_equal(relay_endpoint_add(&e->back.endpoint, context_of(s, e), &spec, NULL), 0);
}

static void end_make(struct scene *s, struct end *e, const struct x509_identity *expected,
                     const struct relay_dgram_spec *dgram, int port)
{
	struct relay_endpoint_spec spec;

	end_spec(s, e, &spec, expected, dgram, port);
	assert_int_equal(relay_endpoint_add(&e->front.endpoint, context_of(s, e), &spec, NULL), 0);
	if (!e->back.endpoint)
		end_back(s, e);
	assert_int_equal(relay_endpoint_link(e->front.endpoint, e->back.endpoint), 0);
}

static void end_done(struct end *e)
{
	relay_endpoint_remove(e->front.endpoint);
	relay_endpoint_remove(e->back.endpoint);
	close(e->peer);
}

/* Another fingerprint is ordered. */
static void end_expect(struct end *e, const struct x509_identity *who)
{
	e->print = lab_fingerprint(who);
	e->tls.session.fingerprints = &e->print;
	e->tls.session.fingerprint_count = 1;
	e->tls.mark++;
	assert_int_equal(relay_endpoint_tls_set(e->front.endpoint, &e->tls), 0);
}

static void heard(struct scene *s, struct end *e, struct guest *g, const char *text)
{
	guest_say(g, text);
	udp_expect(&s->stage, e->peer, text, strlen(text));
}

/* ---- strangers ---- */

static void a_stranger_does_not_end_it(void **state)
{
	struct guest stranger, expected;
	struct end e = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	until(&s, &stranger, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_AUTH);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].tls.reason, TRUST_FINGERPRINT_MISMATCH);
	guest_make(&expected, &s, s.sides->lab->client, stranger.to);
	until(&s, &expected, &e.front, RELAY_TLS_UP, 1);
	heard(&s, &e, &expected, "it is me");
	assert_int_equal(e.front.count[RELAY_TCP_DOWN], 0);
	assert_int_equal(endpoint_stats(e.front.endpoint).handshake_failures, 1);
	assert_int_equal(endpoint_stats(e.front.endpoint).handshakes, 1);
	end_done(&e);
	guest_done(&stranger);
	guest_done(&expected);
	scene_end(&s);
}

/* The end of the endpoint is told as ever, and why, whoever was there before. */
static void its_end_is_its_own(void **state)
{
	struct guest stranger;
	struct end e = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	until(&s, &stranger, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(relay_endpoint_release(e.front.endpoint, false), 0);
	stage_expect(&s.stage, &e.front, RELAY_TCP_DOWN);
	assert_int_equal(e.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	end_done(&e);
	guest_done(&stranger);
	scene_end(&s);
}

static union relay_address host(unsigned n, unsigned port)
{
	union relay_address a;

	memset(&a, 0, sizeof(a));
	a.in.sin_family = AF_INET;
	a.in.sin_addr.s_addr = htonl(0x0a000000 + n);
	a.in.sin_port = htons((uint16_t)port);
	return a;
}

/* Three times nothing; then 1 s, 2 s, ... a minute. Another port is the same host. */
static void who_fails_again_and_again_waits_longer(void **state)
{
	static const unsigned seconds[] = { 0, 0, 1, 2, 4, 8, 16, 32, 64, 64 };
	struct relay_guests guests = { 0 };
	union relay_address first = host(1, 1);
	uint64_t now = 1000;

	(void)state;
	for (unsigned i = 0; i < BASE_COUNT(seconds); i++) {
		union relay_address a = host(1, 1000 + i), b = host(1, 2000 + i);
		union relay_address other = host(2, 7);

		assert_true(relay_guests_may(&guests, &a, now));
		assert_int_equal(relay_guests_failed(&guests, &a, now), seconds[i] * 1000);
		now += (uint64_t)seconds[i] * 1000;
		if (seconds[i])
			assert_false(relay_guests_may(&guests, &b, now - 1));
		assert_true(relay_guests_may(&guests, &other, now));
		assert_true(relay_guests_may(&guests, &b, now));
	}
	/* Long ago is forgotten. */
	now += 1000000;
	assert_int_equal(relay_guests_failed(&guests, &first, now), 0);
}

/* However many hosts there are: so many at once, and then so many in a second. */
static void all_together_are_bounded(void **state)
{
	struct relay_guests guests = { 0 };
	union relay_address last = host(1000, 5);
	unsigned taken = 0;

	(void)state;
	for (unsigned n = 0; n < 10 * RELAY_GUEST_BURST; n++) {
		union relay_address a = host(n, 5);

		if (!relay_guests_may(&guests, &a, 5000))
			continue;
		taken++;
		(void)relay_guests_failed(&guests, &a, 5000);
	}
	assert_int_equal(taken, RELAY_GUEST_BURST);
	assert_true(relay_guests_may(&guests, &last, 5000 + 1000 / RELAY_GUEST_RATE));
}

/* ---- fingerprints that come later ---- */

static void the_fingerprint_may_come_after_the_handshake(void **state)
{
	struct guest g;
	struct end e = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	until(&s, &g, NULL, 0, 0);
	assert_int_equal(g.rc, 0);
	guest_say(&g, "too early");
	udp_send(e.peer, endpoint_port(e.back.endpoint), "nor this", 8);
	STAGE_COUNT(&s.stage, e.back.endpoint, packets_lost, 1);
	assert_int_equal(e.front.count[RELAY_TLS_UP], 0);
	end_expect(&e, s.sides->lab->client);
	until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	assert_int_equal(e.front.last[RELAY_TLS_UP].mark, 2);
	assert_true(e.front.last[RELAY_TLS_UP].tls.authenticated);
	assert_int_equal(e.front.last[RELAY_TLS_UP].tls.method, TRUST_FINGERPRINT);
	heard(&s, &e, &g, "now"); /* and nothing that was said before */
	end_done(&e);
	guest_done(&g);
	scene_end(&s);
}

static void and_may_be_another_ones(void **state)
{
	struct guest g, right;
	struct end e = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->stranger, endpoint_port(e.front.endpoint));
	until(&s, &g, NULL, 0, 0);
	assert_int_equal(g.rc, 0);
	end_expect(&e, s.sides->lab->client);
	until(&s, &g, &e.front, RELAY_TLS_FAILED, 1);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_AUTH);
	guest_make(&right, &s, s.sides->lab->client, g.to);
	until(&s, &right, &e.front, RELAY_TLS_UP, 1);
	heard(&s, &e, &right, "me");
	end_done(&e);
	guest_done(&g);
	guest_done(&right);
	scene_end(&s);
}

/* Whoever leaves before it is known who it was is nobody's end. */
static void who_leaves_before_is_forgotten(void **state)
{
	struct guest g, right;
	struct end e = { 0 };
	struct scene s;
	struct tls_io io = { 0 };

	scene_begin(&s, *state);
	end_make(&s, &e, NULL, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	until(&s, &g, NULL, 0, 0);
	io.out = &g.out;
	assert_int_equal(tls_session_close(g.session, &io), 0);
	guest_flush(&g);
	stage_expect(&s.stage, &e.front, RELAY_TLS_FAILED);
	assert_int_equal(e.front.last[RELAY_TLS_FAILED].cause, RELAY_CAUSE_PEER_CLOSE);
	guest_make(&right, &s, s.sides->lab->client, g.to);
	until(&s, &right, NULL, 0, 0);
	end_expect(&e, s.sides->lab->client);
	until(&s, &right, &e.front, RELAY_TLS_UP, 1);
	end_done(&e);
	guest_done(&g);
	guest_done(&right);
	scene_end(&s);
}

/* A session that is up and does not fit what is ordered then does not go on. */
static void a_session_is_held_against_new_fingerprints(void **state)
{
	struct guest g;
	struct end e = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &any, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	assert_int_equal(e.front.last[RELAY_TLS_UP].mark, 1);
	end_expect(&e, s.sides->lab->client); /* said again */
	heard(&s, &e, &g, "still");
	end_expect(&e, s.sides->lab->stranger);
	stage_expect(&s.stage, &e.front, RELAY_TCP_DOWN);
	assert_int_equal(e.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_AUTH);
	end_done(&e);
	guest_done(&g);
	scene_end(&s);
}

/* ---- several at one port ---- */

#define MANY 5

static void identities(const struct scene *s, struct x509_identity *who[MANY])
{
	struct lab *lab = s->sides->lab;

	who[0] = lab->client;
	who[1] = lab->stranger;
	who[2] = lab->server_ec;
	who[3] = lab->server_rsa;
	who[4] = lab->expired;
}

static bool all_up(void *arg)
{
	struct wish *w = arg;
	bool up = true;

	for (size_t i = 0; i < w->guests; i++) {
		guest_step(&w->guest[i]);
		assert_true(w->guest[i].rc == 0 || base_err_class(w->guest[i].rc) == BASE_AGAIN);
		up &= w->guest[i].rc == 0;
	}
	return up;
}

/* Their handshakes go on side by side, in no order: each ends where its certificate belongs. */
static void a_certificate_finds_its_endpoint(void **state)
{
	struct x509_identity *who[MANY];
	struct guest g[MANY];
	struct end e[MANY] = { 0 };
	struct scene s;
	struct wish all = { g, MANY, NULL, 0, 0 };
	int port = 0;

	scene_begin(&s, *state);
	identities(&s, who);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(relay_context_new(&e[i].context, s.stage.pool), 0);
		end_make(&s, &e[i], who[i], &shared, port);
		port = endpoint_port(e[i].front.endpoint);
	}
	for (unsigned i = 0; i < MANY; i++)
		guest_make(&g[i], &s, who[(i * 2) % MANY], port);
	stage_wait(&s.stage, all_up, &all);
	for (unsigned i = 0; i < MANY; i++) {
		struct end *mine = &e[(i * 2) % MANY];
		char text[2] = { (char)('a' + i) };

		stage_expect(&s.stage, &mine->front, RELAY_TLS_UP);
		assert_int_equal(ntohs(((struct sockaddr_in *)&mine->front.last[RELAY_TLS_UP].peer)
		                               ->sin_port),
		                 g[i].port);
		heard(&s, mine, &g[i], text);
	}
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(e[i].front.count[RELAY_TLS_FAILED], 0);
		assert_int_equal(endpoint_stats(e[i].front.endpoint).packets_in, 1);
		assert_int_equal(endpoint_stats(e[i].front.endpoint).handshakes, 1);
		end_done(&e[i]);
		guest_done(&g[i]);
	}
	stage_empty(&s.stage);
	for (unsigned i = 0; i < MANY; i++)
		relay_context_free(e[i].context);
	scene_end(&s);
}

static void keyed_guest(struct guest *g, struct scene *s, const struct tls_psk *psk, int to)
{
	struct tls_domain_spec domain = lab_spec(s->sides, TLS_ROLE_CLIENT, "dtls-psk");
	struct tls_datagram_spec datagram = { .rto_ms = 50 };
	struct tls_session_spec session = {
		.role = TLS_ROLE_CLIENT, .datagram = &datagram, .psks = psk, .psk_count = 1
	};

	memset(g, 0, sizeof(*g));
	g->fd = udp_peer(&g->port);
	g->to = to;
	g->rc = BASE_ERR(BASE_AGAIN, 0);
	assert_int_equal(tls_domain_new(&g->domain, &domain, NULL), 0);
	assert_int_equal(tls_context_new(&g->context, g->domain, NULL), 0);
	assert_int_equal(tls_session_new(&g->session, g->context, &session), 0);
}

/* A key's identity does as well as a certificate. */
static void a_key_finds_its_endpoint(void **state)
{
	struct tls_domain_spec spec;
	struct relay_endpoint_spec one;
	struct guest g[2];
	struct end e[2] = { 0 };
	struct tls_psk psk[2];
	struct scene s;
	int port = 0;

	scene_begin(&s, *state);
	tls_domain_unref(s.domain);
	spec = lab_spec(s.sides, TLS_ROLE_SERVER, "dtls-psk");
	spec.identity = NULL;
	assert_int_equal(tls_domain_new(&s.domain, &spec, NULL), 0);
	psk[0] = lab_psk("one", "0123456789abcdef");
	psk[1] = lab_psk("other", "fedcba9876543210");
	for (unsigned i = 0; i < 2; i++) {
		end_spec(&s, &e[i], &one, NULL, &shared, port);
		e[i].tls.session.psks = &psk[i];
		e[i].tls.session.psk_count = 1;
		assert_int_equal(
		        relay_endpoint_add(&e[i].front.endpoint, s.stage.context, &one, NULL), 0);
		end_back(&s, &e[i]);
		assert_int_equal(relay_endpoint_link(e[i].front.endpoint, e[i].back.endpoint), 0);
		port = endpoint_port(e[i].front.endpoint);
	}
	for (unsigned i = 0; i < 2; i++) {
		keyed_guest(&g[i], &s, &psk[i], port);
		until(&s, &g[i], &e[i].front, RELAY_TLS_UP, 1);
		assert_true(e[i].front.last[RELAY_TLS_UP].tls.psk);
		heard(&s, &e[i], &g[i], i ? "b" : "a");
	}
	for (unsigned i = 0; i < 2; i++) {
		end_done(&e[i]);
		guest_done(&g[i]);
	}
	scene_end(&s);
}

/* Whom nobody expects goes again, and takes nobody's place for good. */
static void strangers_leave_the_port_to_others(void **state)
{
	struct guest stranger, right;
	struct end e[2] = { 0 };
	struct scene s;
	unsigned failures = 0;

	scene_begin(&s, *state);
	end_make(&s, &e[0], s.sides->lab->client, &shared, 0);
	end_make(&s, &e[1], s.sides->lab->server_ec, &shared, endpoint_port(e[0].front.endpoint));
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e[0].front.endpoint));
	until(&s, &stranger, NULL, 0, 0);
	guest_make(&right, &s, s.sides->lab->client, stranger.to);
	until(&s, &right, &e[0].front, RELAY_TLS_UP, 1);
	heard(&s, &e[0], &right, "me");
	for (unsigned i = 0; i < 2; i++) {
		failures += e[i].front.count[RELAY_TLS_FAILED];
		assert_int_equal(e[i].front.count[RELAY_TCP_DOWN], 0);
	}
	assert_int_equal(failures, 1);
	assert_int_equal(e[1].front.count[RELAY_TLS_UP], 0);
	/* What comes to a peer's own socket from others, and what they say, is nobody's. */
	end_done(&e[0]);
	end_done(&e[1]);
	guest_done(&stranger);
	guest_done(&right);
	scene_end(&s);
}

/* One whose place is taken up late finds nobody else's session in it; ends of others are theirs. */
static void the_end_of_one_is_not_the_others(void **state)
{
	struct guest first, second;
	struct end e[2] = { 0 };
	struct scene s;
	struct tls_io io = { 0 };

	scene_begin(&s, *state);
	end_make(&s, &e[0], s.sides->lab->client, &shared, 0);
	end_make(&s, &e[1], s.sides->lab->server_ec, &shared, endpoint_port(e[0].front.endpoint));
	guest_make(&first, &s, s.sides->lab->client, endpoint_port(e[0].front.endpoint));
	until(&s, &first, &e[0].front, RELAY_TLS_UP, 1);
	io.out = &first.out;
	assert_int_equal(tls_session_close(first.session, &io), 0);
	guest_flush(&first);
	stage_expect(&s.stage, &e[0].front, RELAY_TCP_DOWN);
	guest_make(&second, &s, s.sides->lab->server_ec, first.to);
	until(&s, &second, &e[1].front, RELAY_TLS_UP, 1);
	heard(&s, &e[1], &second, "later");
	end_done(&e[0]);
	end_done(&e[1]);
	guest_done(&first);
	guest_done(&second);
	scene_end(&s);
}

/* One of the clear that is there first goes along to the worker of the port. */
static void a_context_goes_where_its_port_is(void **state)
{
	struct guest g;
	struct end e[2] = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(relay_context_new(&e[i].context, s.stage.pool), 0);
	end_make(&s, &e[0], s.sides->lab->client, &shared, 0);
	/* The other worker has fewer now. */
	relay_context_free(e[1].context);
	assert_int_equal(relay_context_new(&e[1].context, s.stage.pool), 0);
	end_back(&s, &e[1]);
	assert_ptr_not_equal(e[0].front.endpoint->home, e[1].back.endpoint->home);
	end_make(&s, &e[1], s.sides->lab->server_ec, &shared, endpoint_port(e[0].front.endpoint));
	assert_ptr_equal(e[0].front.endpoint->home, e[1].back.endpoint->home);
	guest_make(&g, &s, s.sides->lab->server_ec, endpoint_port(e[0].front.endpoint));
	until(&s, &g, &e[1].front, RELAY_TLS_UP, 1);
	heard(&s, &e[1], &g, "here");
	for (unsigned i = 0; i < 2; i++)
		end_done(&e[i]);
	guest_done(&g);
	stage_empty(&s.stage);
	for (unsigned i = 0; i < 2; i++)
		relay_context_free(e[i].context);
	scene_end(&s);
}

static int add(struct scene *s, struct end *e, struct relay_context *context, int port)
{
	struct relay_endpoint_spec spec;
	int rc;

	end_spec(s, e, &spec, s->sides->lab->client, &shared, port);
	rc = relay_endpoint_add(&e->front.endpoint, context, &spec, NULL);
	return (int)base_err_detail(rc);
}

static void what_cannot_wait_there_is_told_at_once(void **state)
{
	struct relay_context *far = NULL;
	struct relay_endpoint_spec spec;
	struct end first = { 0 }, other = { 0 }, held = { 0 };
	struct tls_domain *domain;
	struct scene s;
	int port;

	scene_begin(&s, *state);
	domain = s.domain;
	end_make(&s, &first, s.sides->lab->client, &shared, 0);
	port = endpoint_port(first.front.endpoint);
	/* All that wait at one port have one domain. */
	s.domain = server_domain(&s, "another");
	assert_int_equal(add(&s, &other, s.stage.context, port), EPROTOTYPE);
	tls_domain_unref(s.domain);
	s.domain = domain;
	/* And one worker; a TLS session would stay where it is. */
	assert_int_equal(relay_context_new(&far, s.stage.pool), 0);
	end_spec(&s, &held, &spec, s.sides->lab->client, &any, 0);
	assert_int_equal(relay_endpoint_add(&held.front.endpoint, far, &spec, NULL), 0);
	assert_ptr_not_equal(held.front.endpoint->home, first.front.endpoint->home);
	assert_int_equal(add(&s, &other, far, port), EXDEV);
	relay_endpoint_remove(held.front.endpoint);
	end_done(&first);
	stage_empty(&s.stage);
	relay_context_free(far);
	scene_end(&s);
}

/* A peer that has come has its place as if it had been named. */
static void who_has_come_has_claimed_its_address(void **state)
{
	struct relay_endpoint_spec spec;
	struct guest g;
	struct end e = { 0 }, other = { 0 };
	struct scene s;

	scene_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &shared, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	end_spec(&s, &other, &spec, s.sides->lab->client, &shared, g.to);
	spec.remote = e.front.last[RELAY_TLS_UP].peer;
	assert_int_equal(base_err_detail(relay_endpoint_add(&other.front.endpoint, s.stage.context,
	                                                    &spec, NULL)),
	                 EADDRINUSE);
	end_done(&e);
	guest_done(&g);
	scene_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_does_not_end_it),
		cmocka_unit_test(its_end_is_its_own),
		cmocka_unit_test(who_fails_again_and_again_waits_longer),
		cmocka_unit_test(all_together_are_bounded),
		cmocka_unit_test(the_fingerprint_may_come_after_the_handshake),
		cmocka_unit_test(and_may_be_another_ones),
		cmocka_unit_test(who_leaves_before_is_forgotten),
		cmocka_unit_test(a_session_is_held_against_new_fingerprints),
		cmocka_unit_test(a_certificate_finds_its_endpoint),
		cmocka_unit_test(a_key_finds_its_endpoint),
		cmocka_unit_test(strangers_leave_the_port_to_others),
		cmocka_unit_test(the_end_of_one_is_not_the_others),
		cmocka_unit_test(a_context_goes_where_its_port_is),
		cmocka_unit_test(what_cannot_wait_there_is_told_at_once),
		cmocka_unit_test(who_has_come_has_claimed_its_address),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
