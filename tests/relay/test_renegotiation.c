/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renegotiation under the relay (H.248.TLSPROF 7-5): told, counted, bounded in time, and nothing
 * that is under way is lost. The far peer is libssl, in both roles.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "../tls/pairs.h"
#include "scene.h"

struct peer {
	struct scene scene;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	uint8_t *got; /**< clear text from the endpoint */
	size_t len, cap, want;
	bool ended; /**< close_notify came */
};

static bool shaken(void *arg)
{
	struct peer *p = arg;

	return SSL_do_handshake(p->ssl) == 1;
}

/* Of the domain: its profile, and that a client which ignores us has to go. */
struct kind {
	const char *profile;
	bool end_ignored;
};

/* Front endpoint in that TLS role, handshake done; the timeout is of each handshake. */
static void up_as(struct peer *p, void *state, enum tls_role role, unsigned timeout_ms,
                  const struct kind *kind)
{
	const struct lab_sides *sides = state;
	struct tls_domain_spec domain = lab_spec(sides, role, kind->profile);
	struct relay_endpoint_spec spec;

	memset(p, 0, sizeof(*p));
	scene_begin(&p->scene, state, role, kind->profile);
	domain.end_ignored = kind->end_ignored;
	tls_domain_unref(p->scene.domain);
	assert_int_equal(tls_domain_new(&p->scene.domain, &domain, NULL), 0);
	p->scene.tls.domain = p->scene.domain;
	spec = stage_server(&p->scene.front);
	spec.tls = &p->scene.tls;
	spec.handshake_timeout_ms = timeout_ms;
	stage_add(&p->scene.stage, &spec);
	spec = stage_client(&p->scene.back, p->scene.port);
	stage_add(&p->scene.stage, &spec);
	assert_int_equal(relay_endpoint_link(p->scene.front.endpoint, p->scene.back.endpoint), 0);
	p->scene.far = peer_accept(&p->scene.stage, p->scene.listener);
	p->fd = peer_connect(&p->scene.stage, endpoint_port(p->scene.front.endpoint));
	p->ctx = SSL_CTX_new(TLS_method());
	assert_non_null(p->ctx);
	if (strcmp(kind->profile, "tls13") != 0)
		SSL_CTX_set_max_proto_version(p->ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(p->ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	assert_int_equal(SSL_CTX_use_cert_and_key(p->ctx, sides->lab->server_ec->cert,
	                                          sides->lab->server_ec->key, NULL, 1),
	                 1);
	p->ssl = SSL_new(p->ctx);
	assert_int_equal(SSL_set_fd(p->ssl, p->fd), 1);
	if (role == TLS_ROLE_SERVER)
		SSL_set_connect_state(p->ssl);
	else
		SSL_set_accept_state(p->ssl);
	stage_wait(&p->scene.stage, shaken, p);
	stage_expect(&p->scene.stage, &p->scene.front, RELAY_TLS_UP);
}

static void up(struct peer *p, void *state, enum tls_role role, unsigned timeout_ms)
{
	up_as(p, state, role, timeout_ms, &(struct kind){ .profile = "again" });
}

static void down(struct peer *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	close(p->fd);
	free(p->got);
	scene_end(&p->scene);
}

static bool answered(void *arg)
{
	struct peer *p = arg;
	struct pollfd poller = { .fd = p->fd, .events = POLLIN };

	return poll(&poller, 1, 0) == 1;
}

/* Begin, and read nothing of the answer, which is there: the endpoint is in the midst. */
static void ask(struct peer *p)
{
	BIO *nothing = BIO_new(BIO_s_mem());

	assert_non_null(nothing);
	(void)BIO_set_mem_eof_return(nothing, -1);
	SSL_set0_rbio(p->ssl, nothing);
	assert_int_equal(SSL_renegotiate(p->ssl), 1);
	(void)SSL_do_handshake(p->ssl);
	SSL_set0_rbio(p->ssl, BIO_new_socket(p->fd, BIO_NOCLOSE));
	stage_wait(&p->scene.stage, answered, p);
}

/* Take what comes; a renegotiation is carried on in it. */
static void take(struct peer *p)
{
	int n;

	for (;;) {
		if (p->len == p->cap) {
			p->cap = p->cap ? 2 * p->cap : 65536;
			p->got = realloc(p->got, p->cap);
			assert_non_null(p->got);
		}
		n = SSL_read(p->ssl, p->got + p->len, (int)BASE_MIN(p->cap - p->len, 65536));
		if (n <= 0)
			break;
		p->len += (size_t)n;
	}
	p->ended |= SSL_get_error(p->ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static bool renegotiated(void *arg)
{
	struct peer *p = arg;

	take(p);
	return p->scene.front.count[RELAY_TLS_RENEGOTIATED] > 0 && SSL_is_init_finished(p->ssl);
}

static bool taken(void *arg)
{
	struct peer *p = arg;

	take(p);
	return p->len >= p->want;
}

static bool ended(void *arg)
{
	struct peer *p = arg;

	take(p);
	return p->ended;
}

static void expect(struct peer *p, const char *text)
{
	p->want = p->len + strlen(text);
	stage_wait(&p->scene.stage, taken, p);
	assert_int_equal(p->len, p->want);
	assert_memory_equal(p->got + p->len - strlen(text), text, strlen(text));
}

static void told_and_counted(void **state)
{
	for (int role = 0; role < 2; role++) {
		const struct relay_event *event;
		struct peer p;

		up(&p, *state, (enum tls_role)role, 0);
		assert_int_equal(SSL_write(p.ssl, "before", 6), 6);
		peer_expect(&p.scene.stage, p.scene.far, "before");
		ask(&p);
		stage_wait(&p.scene.stage, renegotiated, &p);
		event = &p.scene.front.last[RELAY_TLS_RENEGOTIATED];
		assert_string_equal(event->tls.version_name, "TLS1.2");
		assert_int_equal(event->tls.suite, 0xc02b);
		assert_int_equal(event->cause, RELAY_CAUSE_NONE);
		assert_int_equal(event->tls.alert, -1);
		assert_int_equal(endpoint_stats(p.scene.front.endpoint).renegotiations, 1);
		assert_int_equal(endpoint_stats(p.scene.front.endpoint).handshakes, 1);
		assert_int_equal(SSL_write(p.ssl, "after", 5), 5);
		peer_expect(&p.scene.stage, p.scene.far, "after");
		peer_send(&p.scene.stage, p.scene.far, "and back");
		expect(&p, "and back");
		down(&p);
	}
}

#define BULK ((size_t)4 * 1024 * 1024)

struct bulk {
	struct peer *p;
	uint8_t *data;
	size_t sent;
};

static bool sends_until_full(void *arg)
{
	struct bulk *b = arg;
	ssize_t n = send(b->p->scene.far, b->data + b->sent, BULK - b->sent, MSG_NOSIGNAL);

	if (n > 0)
		b->sent += (size_t)n;
	return b->sent == BULK || (n < 0 && errno == EAGAIN);
}

static bool sends_and_takes(void *arg)
{
	struct bulk *b = arg;

	(void)sends_until_full(b);
	take(b->p);
	return b->sent == BULK;
}

/* A large stream, and its end, come in while nothing can be written: all of it goes out after. */
static void nothing_is_lost(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;
		struct bulk b = { .p = &p, .data = malloc(BULK) };

		assert_non_null(b.data);
		for (size_t i = 0; i < BULK; i++)
			b.data[i] = stream_octet(7, i);
		up(&p, *state, (enum tls_role)role, 0);
		/* We begin and do not go on: with both sides' data under way. */
		ask(&p);
		stage_wait(&p.scene.stage, sends_until_full, &b);
		stage_wait(&p.scene.stage, sends_and_takes, &b);
		assert_int_equal(shutdown(p.scene.far, SHUT_WR), 0);
		stage_wait(&p.scene.stage, ended, &p);
		assert_int_equal(p.len, BULK);
		assert_memory_equal(p.got, b.data, BULK);
		stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_RENEGOTIATED);
		assert_true(endpoint_stats(p.scene.front.endpoint).buffered_peak <= 300 * 1024);
		/* The other direction goes on. */
		assert_int_equal(SSL_write(p.ssl, "tail", 4), 4);
		peer_expect(&p.scene.stage, p.scene.far, "tail");
		free(b.data);
		down(&p);
	}
}

/*
 * Whatever has come to the sockets of the context's worker until now has been dealt with: what is
 * ready is told in order, and this connection is the last.
 */
static void caught_up(struct stage *stage)
{
	struct record door = { 0 };
	struct relay_endpoint_spec spec = stage_server(&door);
	int fd;

	stage_add(stage, &spec);
	fd = peer_connect(stage, endpoint_port(door.endpoint));
	stage_expect(stage, &door, RELAY_TCP_UP);
	relay_endpoint_remove(door.endpoint);
	close(fd);
}

/*
 * The end of the other side comes in its very midst: said when it is over, not before. Where
 * nothing may come from that side, its end is read and carried all the same, at once.
 */
static void half_close_waits(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct peer p;

		up(&p, *state, (enum tls_role)(way & 1), 0);
		assert_int_equal(relay_endpoint_mode_set(p.scene.back.endpoint, true, way < 2), 0);
		ask(&p);
		assert_int_equal(shutdown(p.scene.far, SHUT_WR), 0);
		caught_up(&p.scene.stage);
		stage_wait(&p.scene.stage, ended, &p);
		stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_RENEGOTIATED);
		assert_int_equal(SSL_write(p.ssl, "more", 4), 4);
		peer_expect(&p.scene.stage, p.scene.far, "more");
		down(&p);
	}
}

/* Who begins and does not go on is shown out by the handshake's timer, and both ends are told. */
static void stalled(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up(&p, *state, (enum tls_role)role, 700); /* of the first one, too */
		ask(&p);
		stage_expect(&p.scene.stage, &p.scene.front, RELAY_TCP_DOWN);
		assert_int_equal(p.scene.front.count[RELAY_TLS_RENEGOTIATE_FAILED], 1);
		assert_int_equal(p.scene.front.last[RELAY_TLS_RENEGOTIATE_FAILED].cause,
		                 RELAY_CAUSE_TIMEOUT);
		assert_int_equal(p.scene.front.count[RELAY_TLS_DOWN], 1);
		assert_int_equal(p.scene.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_TIMEOUT);
		stage_expect(&p.scene.stage, &p.scene.back, RELAY_TCP_DOWN);
		assert_int_equal(endpoint_stats(p.scene.front.endpoint).renegotiation_failures, 1);
		down(&p);
	}
}

/* It waits for its peer alone: not for a partner that takes nothing. */
static void partner_in_the_way(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up(&p, *state, (enum tls_role)role, 0);
		ask(&p);
		assert_int_equal(relay_endpoint_mode_set(p.scene.back.endpoint, false, true), 0);
		stage_wait(&p.scene.stage, renegotiated, &p);
		down(&p);
	}
}

/* A fatal alert in its midst is its failure, and the session's end. */
static void broken(void **state)
{
	static const char garbage[] = "\x16\x03\x03\x00\x10 this is no record";
	struct peer p;

	up(&p, *state, TLS_ROLE_SERVER, 0);
	ask(&p);
	assert_int_equal(send(p.fd, garbage, sizeof(garbage), MSG_NOSIGNAL), sizeof(garbage));
	stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_DOWN);
	assert_int_equal(p.scene.front.count[RELAY_TLS_RENEGOTIATE_FAILED], 1);
	assert_int_equal(p.scene.front.last[RELAY_TLS_RENEGOTIATE_FAILED].cause,
	                 RELAY_CAUSE_LOCAL_ALERT);
	down(&p);
}

/* Control may end it at any time; that is no failure of the peer's. */
static void released(void **state)
{
	struct peer p;

	up(&p, *state, TLS_ROLE_SERVER, 0);
	ask(&p);
	assert_int_equal(relay_endpoint_release(p.scene.front.endpoint, false), 0);
	stage_expect(&p.scene.stage, &p.scene.front, RELAY_TCP_DOWN);
	assert_int_equal(p.scene.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	assert_int_equal(p.scene.front.count[RELAY_TLS_RENEGOTIATE_FAILED], 0);
	down(&p);
}

/* ---- by order ---- */

static const struct kind both = { .profile = "both" };

static void order(struct peer *p)
{
	assert_int_equal(relay_endpoint_renegotiate(p->scene.front.endpoint), 0);
}

static void order_is_carried_out(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up_as(&p, *state, (enum tls_role)role, 0, &both);
		assert_true(p.scene.front.last[RELAY_TLS_UP].tls.orderable);
		assert_true(p.scene.front.last[RELAY_TLS_UP].tls.secured);
		assert_int_equal(SSL_write(p.ssl, "before", 6), 6);
		peer_expect(&p.scene.stage, p.scene.far, "before");
		order(&p);
		stage_wait(&p.scene.stage, renegotiated, &p);
		assert_true(p.scene.front.last[RELAY_TLS_RENEGOTIATED].ordered);
		assert_int_equal(endpoint_stats(p.scene.front.endpoint).renegotiations, 1);
		assert_int_equal(SSL_write(p.ssl, "after", 5), 5);
		peer_expect(&p.scene.stage, p.scene.far, "after");
		peer_send(&p.scene.stage, p.scene.far, "and back");
		expect(&p, "and back");
		assert_int_equal(p.scene.front.count[RELAY_TLS_UNCHANGED], 0);
		down(&p);
	}
}

/* All that is under way comes over, whoever has to wait. */
static void order_stops_nothing(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;
		struct bulk b = { .p = &p, .data = malloc(BULK) };

		assert_non_null(b.data);
		for (size_t i = 0; i < BULK; i++)
			b.data[i] = stream_octet(9, i);
		up_as(&p, *state, (enum tls_role)role, 0, &both);
		stage_wait(&p.scene.stage, sends_until_full, &b);
		order(&p);
		stage_wait(&p.scene.stage, sends_and_takes, &b);
		stage_wait(&p.scene.stage, renegotiated,
		           &p); /* before an end that it could not survive */
		assert_int_equal(shutdown(p.scene.far, SHUT_WR), 0);
		stage_wait(&p.scene.stage, ended, &p);
		assert_int_equal(p.len, BULK);
		assert_memory_equal(p.got, b.data, BULK);
		free(b.data);
		down(&p);
	}
}

/* It waits for its peer alone: not for a partner that takes nothing of what came before. */
static void order_waits_for_the_peer_alone(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up_as(&p, *state, (enum tls_role)role, 0, &both);
		assert_int_equal(relay_endpoint_mode_set(p.scene.back.endpoint, false, true), 0);
		caught_up(&p.scene.stage);
		assert_int_equal(SSL_write(p.ssl, "waits", 5), 5);
		order(&p);
		stage_wait(&p.scene.stage, renegotiated, &p);
		assert_true(p.scene.front.last[RELAY_TLS_RENEGOTIATED].ordered);
		assert_int_equal(relay_endpoint_mode_set(p.scene.back.endpoint, true, true), 0);
		peer_expect(&p.scene.stage, p.scene.far, "waits");
		down(&p);
	}
}

/* As configured (O15): who ignores the request stays, and may follow it late ... */
static void ignored(void **state)
{
	struct peer p;

	up_as(&p, *state, TLS_ROLE_SERVER, 700, &both); /* of the first handshake, too */
	order(&p);
	stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_UNCHANGED);
	assert_int_equal(p.scene.front.last[RELAY_TLS_UNCHANGED].cause, RELAY_CAUSE_TIMEOUT);
	assert_true(p.scene.front.last[RELAY_TLS_UNCHANGED].ordered);
	assert_int_equal(endpoint_stats(p.scene.front.endpoint).renegotiation_failures, 1);
	assert_int_equal(SSL_write(p.ssl, "still", 5), 5);
	peer_expect(&p.scene.stage, p.scene.far, "still");
	order(&p); /* it is not asked twice (RFC 5246, 7.4.1.1) */
	stage_wait(&p.scene.stage, renegotiated, &p);
	assert_int_equal(p.scene.front.count[RELAY_TLS_UNCHANGED], 2);
	assert_int_equal(p.scene.front.last[RELAY_TLS_UNCHANGED].again, TLS_AGAIN_BUSY);
	assert_false(p.scene.front.last[RELAY_TLS_RENEGOTIATED].ordered);
	peer_send(&p.scene.stage, p.scene.far, "and back");
	expect(&p, "and back");
	down(&p);
}

/* ... or is shown out. */
static void ignored_for_the_last_time(void **state)
{
	struct peer p;

	up_as(&p, *state, TLS_ROLE_SERVER, 700, &(struct kind){ "both", true });
	order(&p);
	stage_expect(&p.scene.stage, &p.scene.front, RELAY_TCP_DOWN);
	assert_int_equal(p.scene.front.count[RELAY_TLS_RENEGOTIATE_FAILED], 1);
	assert_true(p.scene.front.last[RELAY_TLS_RENEGOTIATE_FAILED].ordered);
	assert_int_equal(p.scene.front.last[RELAY_TLS_RENEGOTIATE_FAILED].cause,
	                 RELAY_CAUSE_TIMEOUT);
	assert_int_equal(p.scene.front.last[RELAY_TLS_DOWN].cause, RELAY_CAUSE_TIMEOUT);
	assert_true(p.scene.front.last[RELAY_TLS_DOWN].tls.alert > 0);
	assert_int_equal(p.scene.front.last[RELAY_TLS_DOWN].tls.alert_side, TLS_SIDE_LOCAL);
	stage_expect(&p.scene.stage, &p.scene.back, RELAY_TCP_DOWN);
	down(&p);
}

static void not_begun(void **state)
{
	struct peer p;

	up(&p, *state, TLS_ROLE_SERVER, 0); /* only the client may */
	assert_false(p.scene.front.last[RELAY_TLS_UP].tls.orderable);
	order(&p);
	stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_UNCHANGED);
	assert_int_equal(p.scene.front.last[RELAY_TLS_UNCHANGED].again, TLS_AGAIN_FORBIDDEN);
	assert_int_equal(p.scene.front.last[RELAY_TLS_UNCHANGED].cause, RELAY_CAUSE_NONE);
	assert_non_null(strstr(p.scene.front.last[RELAY_TLS_UNCHANGED].tls.text, "8.4"));
	assert_int_equal(relay_endpoint_renegotiate(p.scene.back.endpoint), 0);
	stage_expect(&p.scene.stage, &p.scene.back, RELAY_TLS_UNCHANGED);
	assert_int_equal(p.scene.back.last[RELAY_TLS_UNCHANGED].again, TLS_AGAIN_CLOSED);
	assert_int_equal(endpoint_stats(p.scene.front.endpoint).renegotiation_failures, 0);
	down(&p);
}

/* The peer has begun already: its renegotiation answers the order as well. */
static void order_meets_the_peers_own(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up_as(&p, *state, (enum tls_role)role, 0, &both);
		ask(&p);
		order(&p);
		caught_up(&p.scene.stage);
		stage_wait(&p.scene.stage, renegotiated, &p);
		assert_true(p.scene.front.last[RELAY_TLS_RENEGOTIATED].ordered);
		assert_int_equal(p.scene.front.count[RELAY_TLS_RENEGOTIATED], 1);
		assert_int_equal(p.scene.front.count[RELAY_TLS_UNCHANGED], 0);
		down(&p);
	}
}

static void order_changes_keys(void **state)
{
	for (int role = 0; role < 2; role++) {
		struct peer p;

		up_as(&p, *state, (enum tls_role)role, 0, &(struct kind){ "tls13", false });
		order(&p);
		stage_expect(&p.scene.stage, &p.scene.front, RELAY_TLS_REKEYED);
		assert_true(p.scene.front.last[RELAY_TLS_REKEYED].ordered);
		assert_string_equal(p.scene.front.last[RELAY_TLS_REKEYED].tls.version_name,
		                    "TLS1.3");
		peer_send(&p.scene.stage, p.scene.far, "and back");
		expect(&p, "and back");
		assert_int_equal(SSL_write(p.ssl, "after", 5), 5);
		peer_expect(&p.scene.stage, p.scene.far, "after");
		down(&p);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(order_is_carried_out),
	cmocka_unit_test(order_stops_nothing),
	cmocka_unit_test(order_waits_for_the_peer_alone),
	cmocka_unit_test(ignored),
	cmocka_unit_test(ignored_for_the_last_time),
	cmocka_unit_test(not_begun),
	cmocka_unit_test(order_meets_the_peers_own),
	cmocka_unit_test(order_changes_keys),
	cmocka_unit_test(told_and_counted),
	cmocka_unit_test(nothing_is_lost),
	cmocka_unit_test(half_close_waits),
	cmocka_unit_test(stalled),
	cmocka_unit_test(partner_in_the_way),
	cmocka_unit_test(broken),
	cmocka_unit_test(released),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
