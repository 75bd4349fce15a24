/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS and DTLS-SRTP endpoints with real sockets on loopback; the far end is a session of ours on
 * the same or the other engine. */
#include "check.h"

#include <errno.h>
#include <semaphore.h>
#include <unistd.h>

#include "../tls/pairs.h"
#include "call.h"

static const struct relay_dgram_spec any = { 0 };
static const struct relay_dgram_spec rtp = { .rtp = true, .rtcp_port = true };
static const struct relay_dgram_spec srtp = { .rtp = true, .rtcp_mux = true, .srtp = true };
static const uint16_t offered[] = { TLS_SRTP_AES128_CM_SHA1_32, TLS_SRTP_AES128_CM_SHA1_80 };

/* ---- datagrams inside DTLS (RFC 7345) ---- */

/** What the domains' counters have in that family, at that place in it. */
static uint64_t metered(const struct relay_pool *pool, const char *name, unsigned index)
{
	struct base_arena arena = { 0 };
	struct relay_meter *meters;
	size_t count, families;
	const struct relay_family *family = relay_families(&families);
	uint64_t sum = 0;

	assert_int_equal(relay_meters_read(pool, &arena, &meters, &count), 0);
	for (size_t f = 0; f < families; f++)
		for (size_t m = 0; m < count && !strcmp(family[f].name, name); m++)
			sum += meters[m].value[family[f].at + index];
	base_arena_done(&arena);
	return sum;
}

static void as_server_it_asks_for_a_cookie_and_relays(void **state)
{
	struct call call;
	struct relay_stats stats;

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	dtls_shake(&call);
	stage_expect(&call.stage, &call.front, RELAY_TLS_UP);
	assert_string_equal(call.front.last[RELAY_TLS_UP].tls.version_name, "DTLS1.2");
	assert_int_equal(call.front.count[RELAY_TCP_UP], 0);
	talk(&call);
	stats = endpoint_stats(call.front.endpoint);
	assert_int_equal(stats.handshakes, 1);
	assert_int_equal(stats.packets_in, 8);
	assert_int_equal(stats.packets_out, 8);
	assert_int_equal(stats.packets_lost, 0);
	assert_true(stats.octets_in > 0);
	assert_int_equal(metered(call.stage.pool, "octets", 1), stats.octets_in);
	assert_int_equal(metered(call.stage.pool, "octets", 0), stats.octets_out);
	/* of a server, DTLS 1.2, not resumed */
	assert_int_equal(metered(call.stage.pool, "handshakes", (1 * 7 + 6) * 2), 1);
	call_done(&call);
}

static void as_client_it_begins_when_it_knows_whom_to_call(void **state)
{
	struct relay_endpoint_spec spec;
	struct record late = { 0 };
	struct call call;

	call_make(&call, *state, TLS_ROLE_CLIENT, &any, &any);
	dtls_make(&call, TLS_ROLE_SERVER, NULL, 0);
	dtls_shake(&call);
	stage_expect(&call.stage, &call.front, RELAY_TLS_UP);
	talk(&call);
	/* Another one has to be told. */
	spec = stage_datagrams(&late, 0, &any);
	spec.tls = &call.tls;
	spec.tls_hold = true;
	stage_add(&call.stage, &spec);
	assert_int_equal(relay_endpoint_start_tls(late.endpoint, TLS_ROLE_CLIENT), 0);
	spec = stage_client(&late, call.peer_port);
	udp_nothing(call.peer[0]);
	assert_int_equal(relay_endpoint_dgram_set(late.endpoint, &spec.remote, &any), 0);
	assert_true(udp_receive(&call.stage, call.peer[0], (uint8_t[4096]){ 0 }, 4096, NULL) > 100);
	relay_endpoint_remove(late.endpoint);
	call_done(&call);
}

static void the_end_of_the_session_is_the_end_of_the_endpoint(void **state)
{
	struct call call;
	struct tls_io io = { 0 };

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	dtls_shake(&call);
	talk(&call);
	io.out = &call.out;
	assert_int_equal(tls_session_close(call.session, &io), 0);
	dtls_flush(&call);
	stage_expect(&call.stage, &call.front, RELAY_TCP_DOWN);
	assert_int_equal(call.front.count[RELAY_TLS_DOWN], 1);
	assert_int_equal(call.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	assert_int_equal(call.back.count[RELAY_TCP_DOWN], 0);
	call_done(&call);
}

static void our_release_says_close_notify(void **state)
{
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	dtls_shake(&call);
	talk(&call);
	assert_int_equal(relay_endpoint_release(call.front.endpoint, false), 0);
	dtls_expect(&call, "", 0);
	stage_expect(&call.stage, &call.front, RELAY_TCP_DOWN);
	assert_int_equal(call.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_LOCAL_CLOSE);
	call_done(&call);
}

/* What comes from elsewhere, or is no DTLS, neither harms nor gets through. */
static void strangers_are_not_heard(void **state)
{
	struct call call;
	int port, stranger = udp_peer(&port);
	uint8_t junk[64] = { 22, 0xfe, 0xfd };

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	udp_send(stranger, call.to, junk, sizeof(junk));
	udp_send(stranger, call.to, "\x80zzzzzzzzzzz", 12);
	STAGE_COUNT(&call.stage, call.front.endpoint, packets_lost, 2);
	dtls_shake(&call);
	talk(&call);
	udp_send(stranger, call.to, junk, sizeof(junk));
	STAGE_COUNT(&call.stage, call.front.endpoint, refused, 1);
	udp_send(call.fd, call.to, junk, sizeof(junk)); /* forged: dropped by the session */
	talk(&call);
	udp_nothing(call.peer[0]);
	close(stranger);
	call_done(&call);
}

static void a_handshake_that_ends_nowhere_times_out(void **state)
{
	struct relay_endpoint_spec spec;
	struct record lonely = { 0 };
	struct call call;

	call_make(&call, *state, TLS_ROLE_CLIENT, &any, &any);
	spec = stage_datagrams(&lonely, call.peer_port, &any);
	spec.tls = &call.tls;
	spec.handshake_timeout_ms = 200;
	stage_add(&call.stage, &spec);
	stage_expect(&call.stage, &lonely, RELAY_TCP_DOWN);
	assert_int_equal(lonely.count[RELAY_TLS_FAILED], 1);
	assert_int_equal(lonely.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_TIMEOUT);
	relay_endpoint_remove(lonely.endpoint);
	call_done(&call);
}

static void losses_are_made_good(void **state)
{
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	call.lose = 1U << 0 | 1U << 2; /* its first hello, and of what follows the cookie */
	dtls_shake(&call);
	talk(&call);
	call_done(&call);
}

/* ---- DTLS-SRTP (RFC 5764) ---- */

struct packet {
	_Alignas(16) uint8_t data[2048];
	size_t len;
};

static struct packet packet(uint16_t number)
{
	struct packet p = { .data = { 0x80, 0 }, .len = 172 };

	p.data[2] = (uint8_t)(number >> 8);
	p.data[3] = (uint8_t)number;
	memset(p.data + 12, (uint8_t)number, p.len - 12);
	return p;
}

static void secured(struct call *call, void *state, enum tls_role role)
{
	call_make(call, state, role, &srtp, &rtp);
	dtls_make(call, role == TLS_ROLE_SERVER ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER, offered,
	          BASE_COUNT(offered));
	dtls_shake(call);
	stage_expect(&call->stage, &call->front, RELAY_TLS_UP);
	dtls_keys(call);
}

static void in(struct call *call, struct packet p, int fd, bool rtcp)
{
	struct packet clear = p;

	assert_int_equal(relay_srtp_protect(call->srtp, p.data, &p.len, rtcp), RELAY_SRTP_OK);
	udp_send(call->fd, call->to, p.data, p.len);
	udp_expect(&call->stage, fd, clear.data, clear.len);
}

static void out(struct call *call, struct packet clear, int fd, bool rtcp)
{
	struct packet p;

	udp_send(fd, endpoint_port(call->back.endpoint) + rtcp, clear.data, clear.len);
	p.len = udp_receive(&call->stage, call->fd, p.data, sizeof(p.data), NULL);
	assert_true(p.len > clear.len);
	assert_memory_not_equal(p.data + 8, clear.data + 8, clear.len - 8);
	assert_int_equal(relay_srtp_unprotect(call->srtp, p.data, &p.len, rtcp), RELAY_SRTP_OK);
	assert_int_equal(p.len, clear.len);
	assert_memory_equal(p.data, clear.data, p.len);
}

static void srtp_here_is_rtp_there(void **state)
{
	const struct packet report = { .data = { 0x80, 200, 0, 6, 1, 2, 3, 4 }, .len = 28 };
	static const enum tls_role roles[] = { TLS_ROLE_SERVER, TLS_ROLE_CLIENT };

	for (size_t r = 0; r < BASE_COUNT(roles); r++) {
		struct relay_stats stats;
		struct call call;

		secured(&call, *state, roles[r]);
		for (uint16_t i = 1; i <= 20; i++) {
			in(&call, packet(i), call.peer[0], false);
			out(&call, packet(i), call.peer[0], false);
		}
		in(&call, report, call.peer[1], true);
		out(&call, report, call.peer[1], true);
		stats = endpoint_stats(call.front.endpoint);
		assert_int_equal(stats.packets_in, 20);
		assert_int_equal(stats.packets_out, 20);
		assert_int_equal(stats.octets_in, 20 * 172 + 28);
		assert_int_equal(stats.octets_out, stats.octets_in);
		assert_true(stats.wire_out > stats.octets_out);
		call_done(&call);
	}
}

static void what_is_not_authentic_gets_nowhere(void **state)
{
	struct call call;
	struct packet p, clear = packet(1);
	int port, stranger = udp_peer(&port);

	secured(&call, *state, TLS_ROLE_SERVER);
	udp_send(call.fd, call.to, clear.data, clear.len); /* in the clear */
	STAGE_COUNT(&call.stage, call.front.endpoint, packets_lost, 1);
	p = clear;
	assert_int_equal(relay_srtp_protect(call.srtp, p.data, &p.len, false), RELAY_SRTP_OK);
	udp_send(stranger, call.to, p.data, p.len); /* from elsewhere */
	STAGE_COUNT(&call.stage, call.front.endpoint, refused, 1);
	udp_send(call.fd, call.to, p.data, p.len);
	udp_expect(&call.stage, call.peer[0], clear.data, clear.len);
	udp_send(call.fd, call.to, p.data, p.len); /* again */
	STAGE_COUNT(&call.stage, call.front.endpoint, packets_lost, 2);
	p.data[1] = 99;
	udp_send(call.fd, call.to, p.data, p.len);                 /* bent */
	udp_send(call.fd, call.to, "\0\1\0\0\x21\x12\xa4\x42", 8); /* STUN */
	STAGE_COUNT(&call.stage, call.front.endpoint, packets_lost, 4);
	dtls_write(&call, "not RTP", 7); /* inside DTLS */
	in(&call, packet(2), call.peer[0], false);
	udp_nothing(call.peer[0]);
	close(stranger);
	call_done(&call);
}

/* RFC 6347, 4.1: records may share a datagram. None is kept back, and none lost for it. */
static void records_in_one_datagram(void **state)
{
	uint8_t both[256];
	struct base_writer w = base_writer_over(both, sizeof(both));
	struct tls_io io = { 0 };
	struct base_reader r;
	struct base_str one;
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	dtls_shake(&call);
	stage_expect(&call.stage, &call.front, RELAY_TLS_UP);
	io.out = &call.out;
	assert_int_equal(tls_session_write(call.session, &io, (const uint8_t *)"one", 3), 0);
	assert_int_equal(tls_session_write(call.session, &io, (const uint8_t *)"two", 3), 0);
	r = base_reader_of(call.out.data, call.out.len);
	while (tls_datagram_next(&r, &one))
		base_writer_str(&w, one);
	base_writer_reset(&call.out);
	udp_send(call.fd, call.to, both, w.len);
	udp_expect(&call.stage, call.peer[0], "one", 3);
	udp_expect(&call.stage, call.peer[0], "two", 3);
	talk(&call);
	call_done(&call);
}

static bool has_six(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	close(fd);
	return has;
}

/** An endpoint of IPv6 on the worker of `call`'s, and one datagram that it gets. */
static void six_gets_one(struct call *call, struct record *six)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct relay_endpoint_spec spec = stage_datagrams(six, 0, &any);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	memset(&spec.local, 0, sizeof(spec.local));
	memcpy(&spec.local, &at, sizeof(at));
	stage_add(&call->stage, &spec);
	at.sin6_port = htons((uint16_t)endpoint_port(six->endpoint));
	assert_int_equal(sendto(fd, "six", 3, 0, (struct sockaddr *)&at, sizeof(at)), 3);
	STAGE_COUNT(&call->stage, six->endpoint, packets_in, 1);
	close(fd);
}

static bool hears(void *arg)
{
	const struct call *call = arg;
	uint8_t octet;

	return recv(call->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* A cookie is the peer's whatever came from others in between: an address of IPv6 is longer. */
static void a_cookie_is_the_peers_alone(void **state)
{
	struct record six[4] = { 0 };
	struct call call;
	unsigned count = 0;

	if (!has_six())
		skip();
	call_make(&call, *state, TLS_ROLE_SERVER, &any, &any);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	(void)dtls_step(&call); /* ClientHello */
	stage_wait(&call.stage, hears, &call);
	do
		six_gets_one(&call, &six[count]);
	while (six[count++].endpoint->leg.worker != call.front.endpoint->leg.worker && count < 4);
	assert_ptr_equal(six[count - 1].endpoint->leg.worker, call.front.endpoint->leg.worker);
	dtls_shake(&call);
	stage_expect(&call.stage, &call.front, RELAY_TLS_UP);
	assert_int_equal(call.asked, 1);
	while (count)
		relay_endpoint_remove(six[--count].endpoint);
	call_done(&call);
}

/** A worker that is made to wait, so that what comes meanwhile is one batch. */
struct pause {
	struct loop_msg msg;
	sem_t told, go;
};

static void wait_here(void *arg)
{
	struct pause *pause = arg;

	(void)sem_post(&pause->told);
	while (sem_wait(&pause->go) < 0 && errno == EINTR)
		;
}

static void worker_hold(struct pause *pause, const struct call *call)
{
	assert_int_equal(sem_init(&pause->told, 0, 0) | sem_init(&pause->go, 0, 0), 0);
	loop_post(call->front.endpoint->leg.worker->loop, &pause->msg, wait_here, pause);
	while (sem_wait(&pause->told) < 0 && errno == EINTR)
		;
}

/* What a peer says last stands in one batch with its close_notify: it goes on before the end, by
 * nobody else's socket, and is counted when control hears of the end. */
static void last_words_stand_beside_the_end(void **state)
{
	struct packet p[3] = { packet(1), packet(2), packet(3) };
	struct pause pause = { 0 };
	struct relay_stats stats;
	struct tls_io io = { 0 };
	struct call call;

	secured(&call, *state, TLS_ROLE_SERVER);
	in(&call, p[0], call.peer[0], false);
	worker_hold(&pause, &call);
	for (size_t i = 1; i < BASE_COUNT(p); i++) {
		struct packet sent = p[i];

		assert_int_equal(relay_srtp_protect(call.srtp, sent.data, &sent.len, false),
		                 RELAY_SRTP_OK);
		udp_send(call.fd, call.to, sent.data, sent.len);
	}
	io.out = &call.out;
	assert_int_equal(tls_session_close(call.session, &io), 0);
	dtls_flush(&call);
	(void)sem_post(&pause.go);
	stage_expect(&call.stage, &call.front, RELAY_TCP_DOWN);
	assert_int_equal(call.front.last[RELAY_TCP_DOWN].cause, RELAY_CAUSE_PEER_CLOSE);
	udp_expect(&call.stage, call.peer[0], p[1].data, p[1].len);
	udp_expect(&call.stage, call.peer[0], p[2].data, p[2].len);
	udp_nothing(call.peer[0]);
	stats = endpoint_stats(call.front.endpoint);
	assert_int_equal(stats.packets_in, 3);
	assert_int_equal(metered(call.stage.pool, "octets", 1), stats.octets_in);
	assert_int_equal(endpoint_stats(call.back.endpoint).packets_out, 3);
	call_done(&call);
}

static void before_there_are_keys_nothing_goes_out(void **state)
{
	struct call call;
	struct packet p = packet(1);

	call_make(&call, *state, TLS_ROLE_SERVER, &srtp, &rtp);
	udp_send(call.peer[0], endpoint_port(call.back.endpoint), p.data, p.len);
	STAGE_COUNT(&call.stage, call.back.endpoint, packets_lost, 1);
	udp_nothing(call.fd);
	call_done(&call);
}

static bool has_failed(void *arg)
{
	struct call *call = arg;

	call->now_ms += 5;
	(void)dtls_step(call);
	return call->front.count[RELAY_TLS_FAILED] > 0;
}

static void the_profile_may_be_named(void **state)
{
	static const struct relay_dgram_spec named = {
		.rtp = true,
		.rtcp_mux = true,
		.srtp = true,
		.srtp_profiles = { TLS_SRTP_AES128_CM_SHA1_32 },
		.srtp_count = 1
	};
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &named, &rtp);
	dtls_make(&call, TLS_ROLE_CLIENT, offered + 1, 1); /* another one alone */
	stage_wait(&call.stage, has_failed, &call);
	call_done(&call);
	call_make(&call, *state, TLS_ROLE_SERVER, &named, &rtp);
	dtls_make(&call, TLS_ROLE_CLIENT, offered, BASE_COUNT(offered));
	dtls_shake(&call);
	assert_int_equal(tls_session_srtp(call.session), TLS_SRTP_AES128_CM_SHA1_32);
	call_done(&call);
}

static void the_profile_may_be_named_later(void **state)
{
	struct relay_dgram_spec named = srtp;
	struct relay_endpoint_spec spec;
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &srtp, &rtp);
	dtls_make(&call, TLS_ROLE_CLIENT, offered + 1, 1);
	named.srtp_profiles[0] = TLS_SRTP_AES128_CM_SHA1_32;
	named.srtp_count = 1;
	spec = stage_client(&call.front, call.port);
	assert_int_equal(relay_endpoint_dgram_set(call.front.endpoint, &spec.remote, &named), 0);
	stage_wait(&call.stage, has_failed, &call);
	assert_int_equal(call.front.count[RELAY_TLS_UP], 0);
	call_done(&call);
}

static void a_peer_without_srtp_is_refused(void **state)
{
	struct call call;

	call_make(&call, *state, TLS_ROLE_SERVER, &srtp, &rtp);
	dtls_make(&call, TLS_ROLE_CLIENT, NULL, 0);
	stage_wait(&call.stage, has_failed, &call);
	assert_int_equal(call.front.count[RELAY_TLS_UP], 0);
	assert_int_equal(call.front.count[RELAY_TCP_DOWN], 0); /* the next one may come */
	call_done(&call);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_server_it_asks_for_a_cookie_and_relays),
		cmocka_unit_test(as_client_it_begins_when_it_knows_whom_to_call),
		cmocka_unit_test(the_end_of_the_session_is_the_end_of_the_endpoint),
		cmocka_unit_test(our_release_says_close_notify),
		cmocka_unit_test(strangers_are_not_heard),
		cmocka_unit_test(a_cookie_is_the_peers_alone),
		cmocka_unit_test(records_in_one_datagram),
		cmocka_unit_test(a_handshake_that_ends_nowhere_times_out),
		cmocka_unit_test(losses_are_made_good),
		cmocka_unit_test(srtp_here_is_rtp_there),
		cmocka_unit_test(what_is_not_authentic_gets_nowhere),
		cmocka_unit_test(last_words_stand_beside_the_end),
		cmocka_unit_test(before_there_are_keys_nothing_goes_out),
		cmocka_unit_test(the_profile_may_be_named),
		cmocka_unit_test(the_profile_may_be_named_later),
		cmocka_unit_test(a_peer_without_srtp_is_refused),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
