/* SPDX-License-Identifier: Apache-2.0 */
/* Several endpoints of DTLS at one port whose peers nobody named (src/relay/room.c). */
#include "check.h"

#include <errno.h>

#include "../tls/pairs.h"
#include "guests.h"
#include "relay/room.h"

static const struct relay_dgram_spec any = { 0 };
static const struct relay_dgram_spec shared = { .shared = true };

#define MANY 5

static void identities(const struct guests *s, struct x509_identity *who[MANY])
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
	struct guests s;
	struct wish all = { g, MANY, NULL, 0, 0 };
	int port = 0;

	guests_begin(&s, *state);
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
		end_hears(&s, mine, &g[i], text);
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
	guests_end(&s);
}

static void keyed_guest(struct guest *g, struct guests *s, const struct tls_psk *psk, int to)
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
	struct guests s;
	int port = 0;

	guests_begin(&s, *state);
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
		guest_until(&s, &g[i], &e[i].front, RELAY_TLS_UP, 1);
		assert_true(e[i].front.last[RELAY_TLS_UP].tls.psk);
		end_hears(&s, &e[i], &g[i], i ? "b" : "a");
	}
	for (unsigned i = 0; i < 2; i++) {
		end_done(&e[i]);
		guest_done(&g[i]);
	}
	guests_end(&s);
}

/* Whom nobody expects goes again, and takes nobody's place for good. */
static void strangers_leave_the_port_to_others(void **state)
{
	struct guest stranger, right;
	struct end e[2] = { 0 };
	struct guests s;
	unsigned failures = 0;

	guests_begin(&s, *state);
	end_make(&s, &e[0], s.sides->lab->client, &shared, 0);
	end_make(&s, &e[1], s.sides->lab->server_ec, &shared, endpoint_port(e[0].front.endpoint));
	guest_make(&stranger, &s, s.sides->lab->stranger, endpoint_port(e[0].front.endpoint));
	guest_until(&s, &stranger, NULL, 0, 0);
	guest_make(&right, &s, s.sides->lab->client, stranger.to);
	guest_until(&s, &right, &e[0].front, RELAY_TLS_UP, 1);
	end_hears(&s, &e[0], &right, "me");
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
	guests_end(&s);
}

/* One whose place is taken up late finds nobody else's session in it; ends of others are theirs. */
static void the_end_of_one_is_not_the_others(void **state)
{
	struct guest first, second;
	struct end e[2] = { 0 };
	struct guests s;
	struct tls_io io = { 0 };

	guests_begin(&s, *state);
	end_make(&s, &e[0], s.sides->lab->client, &shared, 0);
	end_make(&s, &e[1], s.sides->lab->server_ec, &shared, endpoint_port(e[0].front.endpoint));
	guest_make(&first, &s, s.sides->lab->client, endpoint_port(e[0].front.endpoint));
	guest_until(&s, &first, &e[0].front, RELAY_TLS_UP, 1);
	io.out = &first.out;
	assert_int_equal(tls_session_close(first.session, &io), 0);
	guest_flush(&first);
	stage_expect(&s.stage, &e[0].front, RELAY_TCP_DOWN);
	guest_make(&second, &s, s.sides->lab->server_ec, first.to);
	guest_until(&s, &second, &e[1].front, RELAY_TLS_UP, 1);
	end_hears(&s, &e[1], &second, "later");
	end_done(&e[0]);
	end_done(&e[1]);
	guest_done(&first);
	guest_done(&second);
	guests_end(&s);
}

struct call_out {
	struct guest *guest;
	int peer;
};

static bool is_heard(void *arg)
{
	struct call_out *c = arg;
	char buf[16];

	guest_say(c->guest, "here");
	return recv(c->peer, buf, sizeof(buf), 0) == 4 && memcmp(buf, "here", 4) == 0;
}

/*
 * One of the clear that is there first goes along to the worker of the port. A handshake can be
 * over before it has arrived there, and datagrams wait for nobody: so it is called again.
 */
static void a_context_goes_where_its_port_is(void **state)
{
	struct guest g;
	struct end e[2] = { 0 };
	struct guests s;

	guests_begin(&s, *state);
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
	guest_until(&s, &g, &e[1].front, RELAY_TLS_UP, 1);
	stage_wait(&s.stage, is_heard, &(struct call_out){ &g, e[1].peer });
	for (unsigned i = 0; i < 2; i++)
		end_done(&e[i]);
	guest_done(&g);
	stage_empty(&s.stage);
	for (unsigned i = 0; i < 2; i++)
		relay_context_free(e[i].context);
	guests_end(&s);
}

static int add(struct guests *s, struct end *e, struct relay_context *context, int port)
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
	struct guests s;
	int port;

	guests_begin(&s, *state);
	domain = s.domain;
	end_make(&s, &first, s.sides->lab->client, &shared, 0);
	port = endpoint_port(first.front.endpoint);
	/* All that wait at one port have one domain. */
	s.domain = guests_domain(&s, "another");
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
	guests_end(&s);
}

/* A peer that has come has its place as if it had been named. */
static void who_has_come_has_claimed_its_address(void **state)
{
	struct relay_endpoint_spec spec;
	struct guest g;
	struct end e = { 0 }, other = { 0 };
	struct guests s;

	guests_begin(&s, *state);
	end_make(&s, &e, s.sides->lab->client, &shared, 0);
	guest_make(&g, &s, s.sides->lab->client, endpoint_port(e.front.endpoint));
	guest_until(&s, &g, &e.front, RELAY_TLS_UP, 1);
	end_spec(&s, &other, &spec, s.sides->lab->client, &shared, g.to);
	spec.remote = e.front.last[RELAY_TLS_UP].peer;
	assert_int_equal(base_err_detail(relay_endpoint_add(&other.front.endpoint, s.stage.context,
	                                                    &spec, NULL)),
	                 EADDRINUSE);
	end_done(&e);
	guest_done(&g);
	guests_end(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
