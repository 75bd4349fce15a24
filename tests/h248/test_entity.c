/* SPDX-License-Identifier: Apache-2.0 */
/* Several entities (virtual MGs, RFC 3525, 11.1) on one node, over real loopback sockets. */
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#include "h248/h248.h"
#include "h248/transport_private.h"

struct user {
	struct h248_txn *txn;
	struct h248_addr local;
	struct h248_peer *peer;
	unsigned executed, replies, traced, lost;
	uint32_t context; /* of the last request */
};

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct user *u = arg;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, 0);

	(void)msg;
	u->executed++;
	u->context = req->actions->context;
	u->peer = h248_incoming_peer(in);
	h248_command_add(&arena, h248_action_add(&arena, reply, u->context), H248_AUDIT_VALUE,
	                 BASE_STR("ROOT"));
	assert_int_equal(h248_txn_reply(in, reply), 0);
	base_arena_done(&arena);
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)arg;
	(void)from;
	(void)msg;
	return true;
}

static void on_trace(void *arg, bool out, const struct h248_addr *peer, const void *data,
                     size_t len)
{
	(void)out;
	(void)peer;
	(void)data;
	(void)len;
	((struct user *)arg)->traced++;
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	(void)peer;
	(void)reason;
	((struct user *)arg)->lost++;
}

static const struct h248_user_ops ops = { .on_request = on_request,
	                                  .on_stranger = on_stranger,
	                                  .on_trace = on_trace,
	                                  .on_lost = on_lost };

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	(void)msg;
	(void)reply;
	assert_int_equal(outcome, H248_OUTCOME_REPLY);
	((struct user *)arg)->replies++;
}

static void ask(struct user *u, struct h248_peer *peer, uint32_t context)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	h248_audit_add(&arena,
	               h248_command_add(&arena, h248_action_add(&arena, req, context),
	                                H248_AUDIT_VALUE, BASE_STR("ROOT")),
	               0);
	assert_int_equal(h248_txn_request(peer, req, 0, on_reply, u, NULL), 0);
	base_arena_done(&arena);
}

static void ask_silently(struct h248_peer *peer)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	struct h248_action *action = h248_action_add(&arena, req, 1);

	for (unsigned i = 0; i < 100; i++) /* a long one */
		h248_command_add(&arena, action, H248_SUBTRACT, BASE_STR("ip/1/4711"));
	/* A full queue is one of the ends of this. */
	(void)h248_txn_request(peer, req, 0, NULL, NULL, NULL);
	base_arena_done(&arena);
}

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

static int setup(void **state)
{
	return loop_new((struct loop **)state);
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

static struct h248_addr loopback(enum h248_transport_kind kind)
{
	struct h248_addr a;

	assert_int_equal(h248_addr_parse(kind, BASE_STR("127.0.0.1"), 0, &a), 0);
	return a;
}

static struct h248_mid named(const char *name)
{
	return (struct h248_mid){ .kind = H248_MID_DEVICE, .name = base_str_of(name) };
}

static struct h248_node *node_new(struct loop *loop, const char *name, struct user *u)
{
	struct h248_node_config config = { .txn.mid = named(name) };
	struct h248_node *node;

	*u = (struct user){ 0 };
	assert_int_equal(h248_node_new(&node, loop, &config, &ops, u), 0);
	u->txn = h248_node_txn(node);
	return node;
}

static struct h248_entity *entity_new(struct h248_node *node, const char *name, struct user *u)
{
	struct h248_txn_config config = { .mid = named(name) };
	struct h248_entity *e;

	*u = (struct user){ 0 };
	assert_int_equal(h248_entity_new(&e, node, &config, &ops, u), 0);
	u->txn = h248_entity_txn(e);
	return e;
}

static struct h248_addr at(const struct user *u)
{
	struct h248_addr a = u->local;

	a.conn = 0;
	return a;
}

static struct h248_peer *peer_at(const struct user *whose, const struct user *where)
{
	struct h248_addr a = at(where);
	struct h248_peer *peer;

	assert_int_equal(h248_peer_new(&peer, whose->txn, &a), 0);
	return peer;
}

/* A controller and three entities of one node: each is asked by its own socket, and asks by it. */
static void sockets_tell_entities_apart(struct loop *loop, enum h248_transport_kind kind)
{
	struct user mgc, own, virtual[2];
	struct h248_node *controller = node_new(loop, "mgc", &mgc);
	struct h248_node *node = node_new(loop, "mg", &own);
	struct h248_entity *e[2] = { entity_new(node, "mg/1", &virtual[0]),
		                     entity_new(node, "mg/2", &virtual[1]) };

	own.local = virtual[0].local = virtual[1].local = mgc.local = loopback(kind);
	assert_int_equal(h248_node_listen(controller, &mgc.local, NULL), 0);
	assert_int_equal(h248_node_listen(node, &own.local, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(h248_entity_listen(e[i], &virtual[i].local, NULL), 0);

	ask(&mgc, peer_at(&mgc, &own), 10);
	ask(&mgc, peer_at(&mgc, &virtual[0]), 11);
	ask(&mgc, peer_at(&mgc, &virtual[1]), 12);
	UNTIL(loop, mgc.replies == 3);
	assert_int_equal(own.context, 10);
	assert_int_equal(virtual[0].context, 11);
	assert_int_equal(virtual[1].context, 12);
	assert_int_equal(own.executed + virtual[0].executed + virtual[1].executed, 3);
	assert_true(virtual[0].traced == 2 && virtual[1].traced == 2);
	assert_int_equal(h248_txn_counters(virtual[1].txn)->rx_executed, 1);

	for (int i = 0; i < 2; i++) { /* and the other way */
		ask(&virtual[i], virtual[i].peer, 20);
		UNTIL(loop, virtual[i].replies == 1);
		assert_true(base_str_eq(h248_peer_mid(mgc.peer)->name,
		                        base_str_of(i ? "mg/2" : "mg/1")));
		if (kind == H248_UDP) {
			struct h248_addr to = at(&mgc); /* no socket named */

			h248_peer_addr_set(virtual[i].peer, &to);
			ask(&virtual[i], virtual[i].peer, 21);
			UNTIL(loop, virtual[i].replies == 2);
			assert_int_equal(h248_peer_addr(mgc.peer)->port, virtual[i].local.port);
		}
	}
	assert_int_equal(own.replies, 0);
	h248_entity_free(e[0]);
	h248_entity_free(NULL);
	h248_node_free(node); /* with what is left */
	h248_node_free(controller);
}

static void sockets_tell_entities_apart_udp(void **state)
{
	sockets_tell_entities_apart(*state, H248_UDP);
}

static void sockets_tell_entities_apart_tcp(void **state)
{
	sockets_tell_entities_apart(*state, H248_TCP);
}

/* Without own sockets: who has a peer there is meant. */
static void peers_tell_entities_apart(void **state)
{
	struct loop *loop = *state;
	struct user a, b, own, second;
	struct h248_node *mgc_a = node_new(loop, "a", &a), *mgc_b = node_new(loop, "b", &b);
	struct h248_node *node = node_new(loop, "mg", &own);

	(void)entity_new(node, "mg/2", &second);
	a.local = b.local = own.local = loopback(H248_UDP);
	assert_int_equal(h248_node_listen(mgc_a, &a.local, NULL), 0);
	assert_int_equal(h248_node_listen(mgc_b, &b.local, NULL), 0);
	assert_int_equal(h248_node_listen(node, &own.local, NULL), 0);
	ask(&second, peer_at(&second, &b), 5);
	UNTIL(loop, second.replies == 1);
	ask(&b, b.peer, 6);
	UNTIL(loop, b.replies == 1);
	assert_int_equal(second.executed, 1);
	ask(&a, peer_at(&a, &own), 7); /* nobody knows this one: the node's own */
	UNTIL(loop, a.replies == 1);
	assert_int_equal(own.executed, 1);
	assert_int_equal(second.executed, 1);
	h248_node_free(node);
	h248_node_free(mgc_a);
	h248_node_free(mgc_b);
}

/* Two that connect to one controller do not share the connection, nor its end. */
static void connections_tell_entities_apart(void **state)
{
	struct loop *loop = *state;
	struct user mgc, own, second;
	struct h248_node *controller = node_new(loop, "mgc", &mgc);
	struct h248_node *node = node_new(loop, "mg", &own);
	struct h248_peer *of_own, *of_second, *to[2];

	(void)entity_new(node, "mg/2", &second);
	mgc.local = loopback(H248_TCP);
	assert_int_equal(h248_node_listen(controller, &mgc.local, NULL), 0);
	of_own = peer_at(&own, &mgc);
	of_second = peer_at(&second, &mgc);
	ask(&own, of_own, 1);
	UNTIL(loop, own.replies == 1);
	to[0] = mgc.peer;
	ask(&second, of_second, 2);
	UNTIL(loop, second.replies == 1);
	to[1] = mgc.peer;
	assert_ptr_not_equal(to[0], to[1]);
	ask(&mgc, to[0], 3);
	ask(&mgc, to[1], 4);
	UNTIL(loop, mgc.replies == 2);
	assert_int_equal(own.context, 3);
	assert_int_equal(second.context, 4);

	h248_peer_free(of_second); /* which closes its connection, and no other */
	UNTIL(loop, mgc.lost == 1);
	ask(&mgc, to[0], 5);
	UNTIL(loop, mgc.replies == 3);
	assert_int_equal(own.context, 5);
	assert_int_equal(own.lost, 0);

	of_second = peer_at(&second, &mgc);
	ask(&second, of_second, 6);
	UNTIL(loop, second.replies == 2);
	h248_peer_free(to[0]); /* the controller parts with one: the other hears nothing */
	UNTIL(loop, own.lost == 1);
	assert_int_equal(second.lost, 0);
	ask(&own, of_own, 7); /* it connects again */
	UNTIL(loop, own.replies == 2);
	h248_transport_close(h248_node_transport(node), h248_peer_addr(of_own));
	ask(&own, of_own, 8); /* and again, though nobody has told it */
	UNTIL(loop, own.replies == 3);
	h248_node_free(node);
	h248_node_free(controller);
}

/* A far end that does not read: requests wait in the queue, and go when it does. */
static void a_slow_reader_is_waited_for(void **state)
{
	struct loop *loop = *state;
	struct h248_node_config config = { .txn.mid = named("mgc"),
		                           .txn.max_outgoing = 1U << 20,
		                           .transport.mark_output = 4096 };
	struct h248_addr where = loopback(H248_TCP);
	struct h248_peer *peer;
	struct user mgc = { 0 };
	struct h248_node *node;
	int small = 4096, far, fd = transport_bind(&where, SOCK_STREAM, false);
	char sink[4096];

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(listen(fd, 1), 0);
	transport_local(fd, &where);
	assert_int_equal(h248_node_new(&node, loop, &config, &ops, &mgc), 0);
	assert_int_equal(h248_peer_new(&peer, h248_node_txn(node), &where), 0);
	while (!h248_peer_queued(peer)) { /* until the socket and the mark are full */
		for (unsigned i = 0; i < 10; i++)
			ask_silently(peer);
		assert_int_equal(loop_run_once(loop, 0), 0);
	}
	far = accept(fd, NULL, NULL);
	assert_true(far >= 0);
	while (h248_peer_queued(peer)) {
		while (recv(far, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
		assert_int_equal(loop_run_once(loop, 10), 0);
	}
	h248_node_free(node);
	close(far);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sockets_tell_entities_apart_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_tell_entities_apart_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(peers_tell_entities_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(connections_tell_entities_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_reader_is_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests_name("entity", tests, NULL, NULL);
}
