/* SPDX-License-Identifier: Apache-2.0 */
/*
 * H.248 over SCTP: one suite for both backends, the kernel's and usrsctp in UDP. A backend that
 * this machine has not is skipped with the reason. Both ends are ours: Debian 12 has no H.248 peer
 * over SCTP, and its SCTP programs need the kernel's.
 */
#include "sctp_stage.h"

#include <errno.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- messages ---- */

static void round_trip(struct loop *loop, const char *ip)
{
	struct h248_transport_counters c;
	struct side a, b;
	struct h248_addr to;

	side_new(&b, loop, NULL);
	side_listen_at(&b, ip);
	side_new(&a, loop, NULL);
	b.echo = true;
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "one", 3), 0);
	assert_int_equal(h248_transport_send(a.t, &to, "two", 3), 0); /* the same association */
	UNTIL(loop, a.count == 2);
	assert_string_equal(a.got, "one|two|");
	assert_true(h248_addr_equal(&a.from, &to));
	assert_int_equal(a.opened + b.opened, 2);
	assert_int_equal(h248_transport_conns(a.t), 1);
	assert_true(h248_transport_conn_counters(a.t, &a.from, &c));
	assert_int_equal(c.messages_in, 2);
	assert_int_equal(c.octets_out, 6);
	assert_int_equal(counters(&b).accepts, 1);
	h248_transport_close(a.t, &to);
	assert_int_equal(h248_transport_conns(a.t), 0);
	UNTIL(loop, b.closed == 1);
	assert_string_equal(b.reason, "closed by the peer");
	assert_false(taken(h248_transport_send(b.t, &b.from, "x", 1)));
	assert_int_equal(counters(&b).failures, 1);
	assert_int_equal(a.closed, 0);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

static void over_ipv4(void **state)
{
	round_trip(*state, "127.0.0.1");
}

static void over_ipv6(void **state)
{
	round_trip(*state, "::1");
}

static void messages_of_every_size(void **state)
{
	static const struct h248_transport_config config = { .max_output = 64 << 20 };
	static const size_t sizes[] = { 1, 2, 1400, 1500, 4096, 16384, 65531, H248_SCTP_MAX };
	struct loop *loop = *state;
	static const char big[H248_SCTP_MAX + 1];
	struct h248_addr to;
	struct side a, b;
	size_t sum = 0;

	side_new(&b, loop, &config);
	side_listen(&b);
	side_new(&a, loop, &config);
	b.echo = true;
	to = target_of(&b);
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
			assert_true(taken(h248_transport_send(a.t, &to, big, sizes[i])));
			sum += sizes[i];
		}
	assert_false(taken(h248_transport_send(a.t, &to, big, H248_SCTP_MAX + 1)));
	assert_false(taken(h248_transport_send(a.t, &to, big, 0)));
	UNTIL(loop, a.count == 10 * BASE_COUNT(sizes));
	assert_int_equal(a.total, sum);
	assert_int_equal(a.longest, H248_SCTP_MAX);
	assert_int_equal(counters(&b).octets_in, sum);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

/* More than sockets and buffers take: BASE_AGAIN, then on_drained, and nothing is lost. */
static void output_waits_and_drains(void **state)
{
	static const struct h248_transport_config config = { .max_output = 64 << 20,
		                                             .mark_output = 100000 };
	struct loop *loop = *state;
	static const char data[50000];
	struct h248_addr to;
	struct side a, b;
	int rc = 0;

	side_new(&b, loop, NULL);
	side_listen(&b);
	side_new(&a, loop, &config);
	to = target_of(&b);
	for (int i = 0; i < 100; i++)
		rc = h248_transport_send(a.t, &to, data, sizeof(data));
	assert_int_equal(base_err_class(rc), BASE_AGAIN);
	assert_true(h248_transport_full(a.t, &to));
	UNTIL(loop, b.count == 100 && a.drained);
	assert_false(h248_transport_full(a.t, &to));
	assert_int_equal(counters(&a).full, 1);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

static void many_associations(void **state)
{
	struct loop *loop = *state;
	struct side b, a[8];

	side_new(&b, loop, NULL);
	side_listen(&b);
	b.echo = true;
	for (size_t i = 0; i < BASE_COUNT(a); i++) {
		struct h248_addr to = target_of(&b);

		side_new(&a[i], loop, NULL);
		for (int k = 0; k < 20; k++)
			assert_int_equal(h248_transport_send(a[i].t, &to, "hello", 5), 0);
	}
	for (size_t i = 0; i < BASE_COUNT(a); i++)
		UNTIL(loop, a[i].count == 20);
	assert_int_equal(h248_transport_conns(b.t), BASE_COUNT(a));
	for (size_t i = 0; i < BASE_COUNT(a); i++)
		h248_transport_free(a[i].t); /* which closes gracefully */
	UNTIL(loop, b.closed == BASE_COUNT(a));
	assert_int_equal(h248_transport_conns(b.t), 0);
	h248_transport_free(b.t);
}

/* ---- ends ---- */

static void nobody_there(void **state)
{
	static const struct h248_transport_config config = { .connect_ms = 15000 };
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, gone;

	side_new(&gone, loop, NULL);
	side_listen(&gone);
	to = target_of(&gone);
	h248_transport_free(gone.t);
	side_new(&a, loop, &config);
	assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
	assert_int_equal(a.closed, 0); /* never inside the call */
	UNTIL(loop, a.closed == 1);
	assert_int_equal(a.opened, 0);
	assert_int_equal(counters(&a).refused, 1);
	assert_int_equal(h248_transport_conns(a.t), 0);
	h248_transport_free(a.t);
}

/* An accepted association that says nothing is aborted; its peer is told. */
static void the_peer_aborts(void **state)
{
	static const struct h248_transport_config config = { .partial_ms = 50 };
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, b;

	side_new(&b, loop, &config);
	side_listen(&b);
	side_new(&a, loop, NULL);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
	UNTIL(loop, b.count == 1); /* it has spoken: no limit */
	b.close_at_once = true;
	assert_int_equal(h248_transport_send(a.t, &to, "y", 1), 0);
	UNTIL(loop, a.closed == 1);
	assert_int_equal(b.closed, 0);
	assert_int_equal(counters(&b).closes, 1);
	assert_int_equal(counters(&a).failures, 1);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

static void too_many_are_turned_away(void **state)
{
	static const struct h248_transport_config config = { .max_conns = 1 };
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, c, b;

	side_new(&b, loop, &config);
	side_listen(&b);
	side_new(&a, loop, NULL);
	side_new(&c, loop, NULL);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
	UNTIL(loop, b.count == 1);
	assert_int_equal(h248_transport_send(c.t, &to, "y", 1), 0);
	UNTIL(loop, c.closed == 1);
	assert_int_equal(counters(&b).refused, 1);
	assert_int_equal(b.count, 1);
	assert_int_equal(h248_transport_conns(b.t), 1);
	h248_transport_free(a.t);
	h248_transport_free(c.t);
	h248_transport_free(b.t);
}

static void freed_while_busy(void **state)
{
	struct loop *loop = *state;
	static const char data[60000];

	for (int i = 0; i < 20; i++) {
		struct h248_addr to;
		struct side a, b;

		side_new(&b, loop, NULL);
		side_listen(&b);
		side_new(&a, loop, NULL);
		b.echo = true;
		to = target_of(&b);
		for (int k = 0; k < 10; k++)
			assert_true(taken(h248_transport_send(a.t, &to, data, sizeof(data))));
		for (int k = 0; k < i; k++)
			assert_int_equal(loop_run_once(loop, 1), 0);
		h248_transport_free(a.t);
		h248_transport_free(b.t);
	}
}

/* ---- several addresses ---- */

/* An IPv4 address of this machine that is not loopback; false when it has none. */
static bool other_address(char *text, size_t cap)
{
	struct ifaddrs *list, *i;
	bool found = false;

	assert_return_code(getifaddrs(&list), errno);
	for (i = list; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
			continue;
		snprintf(text, cap, "%s", inet_ntoa(((struct sockaddr_in *)i->ifa_addr)->sin_addr));
		found = true;
	}
	freeifaddrs(list);
	return found;
}

/* One endpoint, two addresses: reached by either, and one association whichever was called. */
static void reached_by_either_address(void **state)
{
	struct loop *loop = *state;
	struct h248_addr second, to;
	struct side b, a, c;
	char ip[64];

	if (!other_address(ip, sizeof(ip))) {
		print_message("this machine has one IPv4 address only\n");
		skip();
	}
	side_new(&b, loop, NULL);
	side_listen(&b);
	assert_int_equal(h248_addr_parse(H248_SCTP, base_str_of(ip), b.local.port, &second), 0);
	assert_int_equal(h248_transport_listen(b.t, &second, NULL), 0);
	assert_int_equal(second.conn, b.local.conn);
	b.echo = true;
	side_new(&a, loop, NULL);
	side_new(&c, loop, NULL);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "by the first", 12), 0);
	UNTIL(loop, a.count == 1);
	second.conn = 0;
	assert_int_equal(h248_transport_send(c.t, &second, "by the second", 13), 0);
	UNTIL(loop, c.count == 1);
	assert_true(h248_addr_equal(&c.from, &second));
	h248_transport_free(a.t);
	h248_transport_free(c.t);
	h248_transport_free(b.t);
}

/* A peer with several addresses is known by the one it came by: others it only names. */
static void known_by_the_address_it_came_by(void **state)
{
	struct loop *loop = *state;
	struct h248_addr second, home, to;
	char ip[64];

	if (!other_address(ip, sizeof(ip))) {
		print_message("this machine has one IPv4 address only\n");
		skip();
	}
	for (int way = 0; way < 2; way++) {
		struct side a, b;

		side_new(&b, loop, NULL);
		side_listen_at(&b, way ? ip : "127.0.0.1");
		side_new(&a, loop, NULL);
		side_listen(&a);
		assert_int_equal(h248_addr_parse(H248_SCTP, base_str_of(ip), a.local.port, &second),
		                 0);
		assert_int_equal(h248_transport_listen(a.t, &second, NULL), 0);
		home = way ? second : a.local;
		to = target_of(&b);
		assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
		UNTIL(loop, b.count == 1);
		assert_true(h248_addr_equal(&b.from, &home));
		assert_int_equal(h248_addr_protected(&b.from), !way);
		h248_transport_free(a.t);
		h248_transport_free(b.t);
	}
}

/* ---- rubbish ---- */

static void rubbish_on_the_udp_port(void **state)
{
	struct loop *loop = *state;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(udp_port) };
	struct h248_addr to;
	struct side a, b;
	uint8_t data[1400];
	uint32_t seed = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (backend != H248_SCTP_USER) {
		close(fd);
		print_message("the kernel's own port is the kernel's business\n");
		skip();
	}
	side_new(&b, loop, NULL);
	side_listen(&b);
	b.echo = true;
	side_new(&a, loop, NULL);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "x", 1), 0);
	UNTIL(loop, a.count == 1);
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)i % sizeof(data);

		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		if (i % 3 == 0 && len >= 4) { /* the ports of our endpoint */
			data[0] = data[2] = (uint8_t)(b.local.port >> 8);
			data[1] = data[3] = (uint8_t)b.local.port;
		}
		(void)sendto(fd, data, len, 0, (struct sockaddr *)&sa, sizeof(sa));
		assert_int_equal(loop_run_once(loop, 0), 0);
	}
	assert_int_equal(h248_transport_send(a.t, &to, "y", 1), 0);
	UNTIL(loop, a.count == 2);
	assert_int_equal(h248_transport_conns(b.t), 1);
	assert_int_equal(b.count, 2);
	close(fd);
	h248_transport_free(a.t);
	h248_transport_free(b.t);
}

/* ---- a whole life on it: the nodes of the H.248 stack ---- */

struct mgc {
	struct h248_node *node;
	struct h248_addr local;
	unsigned changes, lost;
};

static void mgc_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                        const struct h248_transaction *req)
{
	struct mgc *m = user;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, 0);
	struct h248_action *action = h248_action_add(&arena, reply, H248_CONTEXT_NULL);

	(void)msg;
	m->changes += req->actions->commands->kind == H248_SERVICE_CHANGE;
	h248_command_add(&arena, action, (enum h248_command_kind)req->actions->commands->kind,
	                 BASE_STR("ROOT"));
	assert_int_equal(h248_txn_reply(in, reply), 0);
	base_arena_done(&arena);
}

static bool mgc_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)user;
	(void)from;
	(void)msg;
	return true;
}

static void mgc_lost(void *user, struct h248_peer *peer, const char *reason)
{
	(void)peer;
	(void)reason;
	((struct mgc *)user)->lost++;
}

struct mg {
	struct h248_node *node;
	unsigned replies;
};

static void mg_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	(void)user;
	(void)msg;
	(void)req;
	h248_txn_reply_error(in, H248_E_NOT_IMPLEMENTED, NULL);
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	(void)msg;
	(void)reply;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	((struct mg *)arg)->replies++;
}

static void register_and_notify(struct mg *g, struct h248_peer *peer, unsigned kind)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	struct h248_command *c =
	        h248_command_add(&arena, h248_action_add(&arena, req, H248_CONTEXT_NULL),
	                         (enum h248_command_kind)kind, BASE_STR("ROOT"));

	if (kind == H248_SERVICE_CHANGE) {
		struct h248_services *s = h248_services_add(&arena, c);

		s->method = H248_RESTART;
		s->reason = BASE_STR("901 Cold Boot");
		s->reason_code = 901;
		s->has_reason = true;
	} else {
		h248_audit_add(&arena, c, 0);
	}
	assert_int_equal(h248_txn_request(peer, req, 0, on_reply, g, NULL), 0);
	base_arena_done(&arena);
}

static void transactions(void **state)
{
	static const struct h248_user_ops mgc_ops = { .on_request = mgc_request,
		                                      .on_stranger = mgc_stranger,
		                                      .on_lost = mgc_lost };
	static const struct h248_user_ops mg_ops = { .on_request = mg_request };
	struct h248_node_config config = { .txn.mid = { .kind = H248_MID_DEVICE } };
	struct loop *loop = *state;
	struct base_error err = { 0 };
	struct h248_peer *peer;
	struct mgc m = { 0 };
	struct mg g = { 0 };

	config.transport = config_of(NULL);
	config.txn.mid.name = BASE_STR("mgc");
	assert_int_equal(h248_node_new(&m.node, loop, &config, &mgc_ops, &m), 0);
	assert_int_equal(h248_addr_parse(H248_SCTP, BASE_STR("127.0.0.1"), 0, &m.local), 0);
	if (h248_node_listen(m.node, &m.local, &err)) {
		print_message("%s\n", err.text);
		h248_node_free(m.node);
		skip();
	}
	m.local.conn = 0;
	config.txn.mid.name = BASE_STR("mg");
	assert_int_equal(h248_node_new(&g.node, loop, &config, &mg_ops, &g), 0);
	assert_int_equal(h248_peer_new(&peer, h248_node_txn(g.node), &m.local), 0);
	register_and_notify(&g, peer, H248_SERVICE_CHANGE);
	UNTIL(loop, g.replies == 1);
	for (int i = 0; i < 500; i++)
		register_and_notify(&g, peer, H248_AUDIT_VALUE);
	UNTIL(loop, g.replies == 501);
	assert_int_equal(m.changes, 1);
	assert_int_equal(h248_txn_counters(h248_node_txn(g.node))->tx_retransmissions, 0);
	h248_node_free(g.node);
	UNTIL(loop, m.lost == 1);
	h248_node_free(m.node);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, sctp_setup, sctp_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(over_ipv4),
		CASE(over_ipv6),
		CASE(messages_of_every_size),
		CASE(output_waits_and_drains),
		CASE(many_associations),
		CASE(nobody_there),
		CASE(the_peer_aborts),
		CASE(too_many_are_turned_away),
		CASE(freed_while_busy),
		CASE(reached_by_either_address),
		CASE(known_by_the_address_it_came_by),
		CASE(rubbish_on_the_udp_port),
		CASE(transactions),
	};
	int failed = cmocka_run_group_tests_name("sctp, kernel", tests, sctp_use_kernel, NULL);

	return failed + cmocka_run_group_tests_name("sctp, usrsctp", tests, sctp_use_library, NULL);
}
