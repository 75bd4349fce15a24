/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/node.h"

#include <errno.h>
#include <stdlib.h>

#define ENTITY_SOCKETS 8

struct h248_entity {
	struct base_node at; /* in the node's list; the first one is the node's own */
	struct h248_node *node;
	struct h248_txn *txn;
	struct loop_timer timer;
	struct h248_user_ops ops;
	void *user;
	struct h248_addr socket[ENTITY_SOCKETS]; /* of its own */
	unsigned sockets_count;
	struct base_node conns; /* struct own_conn */
};

/* A connection that an entity made. */
struct own_conn {
	struct base_node at;
	struct h248_addr far; /* with the connection's number */
};

struct h248_node {
	struct loop *loop;
	struct h248_transport *transport;
	struct base_node entities;
};

static void trace(struct h248_entity *e, bool out, const struct h248_addr *peer, const void *data,
                  size_t len)
{
	if (e->ops.on_trace)
		e->ops.on_trace(e->user, out, peer, data, len);
}

/* ---- connections of their own ---- */

static bool alone(const struct h248_node *node)
{
	return node->entities.next->next == &node->entities;
}

static struct own_conn *conn_to(const struct h248_entity *e, const struct h248_addr *to)
{
	BASE_LIST_EACH(&e->conns, at, after)
	{
		struct own_conn *c = BASE_CONTAINER_OF(at, struct own_conn, at);

		if (to->conn ? c->far.conn == to->conn : h248_addr_equal(&c->far, to))
			return c;
	}
	return NULL;
}

static struct own_conn *conn_made(struct h248_entity *e, const struct h248_addr *to)
{
	struct own_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->far = *to;
	if (h248_transport_connect(e->node->transport, to, &c->far.conn) != 0) {
		free(c);
		return NULL;
	}
	base_list_append(&e->conns, &c->at);
	return c;
}

static void conn_forget(struct own_conn *c)
{
	base_list_remove(&c->at);
	free(c);
}

static struct h248_entity *conn_owner(const struct h248_node *node, const struct h248_addr *conn)
{
	BASE_LIST_EACH(&node->entities, at, after)
	{
		struct h248_entity *e = BASE_CONTAINER_OF(at, struct h248_entity, at);

		if (conn->conn && conn_to(e, conn))
			return e;
	}
	return NULL;
}

/* ---- from the transaction layer ---- */

/* By a socket or connection of its own, unless the message is tied to one. */
static struct h248_addr route_of(struct h248_entity *e, const struct h248_addr *to)
{
	struct h248_addr by = *to;

	if (h248_addr_connected(to) && !to->conn) {
		const struct own_conn *c = conn_to(e, to);

		c = c ? c : conn_made(e, to);
		return c ? c->far : by;
	}
	for (unsigned i = 0; i < e->sockets_count && !by.conn; i++) {
		if (!h248_addr_connected(to) && e->socket[i].transport == to->transport &&
		    e->socket[i].family == to->family)
			by.conn = e->socket[i].conn;
	}
	return by;
}

static int send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	struct h248_entity *e = arg;
	struct h248_addr by = route_of(e, to);
	struct own_conn *own = conn_to(e, &by);
	int rc;

	trace(e, true, to, data, len);
	/* What does not leave is lost; the transaction layer has timers for that. */
	rc = h248_transport_send(e->node->transport, &by, data, len);
	if (rc && base_err_detail(rc) == ENOTCONN && own) { /* closed behind our back */
		conn_forget(own);
		by = route_of(e, to);
		rc = h248_transport_send(e->node->transport, &by, data, len);
	}
	return rc;
}

static void close_conn(void *arg, const struct h248_addr *addr)
{
	struct h248_entity *e = arg;
	struct own_conn *c = conn_to(e, addr);
	struct h248_addr which = c ? c->far : *addr;

	if (c)
		conn_forget(c);
	else if (!addr->conn && !alone(e->node))
		return; /* those to that address are the others' */
	h248_transport_close(e->node->transport, &which);
}

static uint64_t now_ms(void *arg)
{
	return loop_now_ms(((struct h248_entity *)arg)->node->loop);
}

static void on_timer(void *arg)
{
	h248_txn_advance(((struct h248_entity *)arg)->txn);
}

static void rearm(void *arg, uint64_t deadline_ms)
{
	struct h248_entity *e = arg;
	struct loop *loop = e->node->loop;
	uint64_t now = loop_now_ms(loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(loop, &e->timer);
	else
		loop_timer_start(loop, &e->timer, deadline_ms > now ? deadline_ms - now : 0,
		                 on_timer, e);
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct h248_entity *e = arg;

	e->ops.on_request(e->user, in, msg, req);
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	struct h248_entity *e = arg;

	return e->ops.on_stranger && e->ops.on_stranger(e->user, from, msg);
}

static bool on_source(void *arg, struct h248_peer *peer, const struct h248_addr *from)
{
	struct h248_entity *e = arg;

	return !e->ops.on_source || e->ops.on_source(e->user, peer, from);
}

static void on_message_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	struct h248_entity *e = arg;

	if (e->ops.on_message_error)
		e->ops.on_message_error(e->user, peer, from, code, text);
}

static void on_heard(void *arg, struct h248_peer *peer)
{
	struct h248_entity *e = arg;

	if (e->ops.on_heard)
		e->ops.on_heard(e->user, peer);
}

static void on_abort(void *arg, struct h248_incoming *in)
{
	struct h248_entity *e = arg;

	if (e->ops.on_abort)
		e->ops.on_abort(e->user, in);
}

static void on_late_reply(void *arg, struct h248_peer *peer, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	struct h248_entity *e = arg;

	e->ops.on_late_reply(e->user, peer, msg, reply);
}

static void on_traced(void *arg, bool out, const struct h248_addr *addr,
                      const struct h248_message *msg, const void *data, size_t len)
{
	struct h248_entity *e = arg;

	e->ops.on_traced(e->user, out, addr, msg, data, len);
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	struct h248_entity *e = arg;

	if (e->ops.on_lost)
		e->ops.on_lost(e->user, peer, reason);
}

/* ---- from the transport ---- */

static struct h248_entity *first(const struct h248_node *node)
{
	return BASE_CONTAINER_OF(node->entities.next, struct h248_entity, at);
}

static bool owns(const struct h248_entity *e, uint32_t socket)
{
	for (unsigned i = 0; i < e->sockets_count; i++) {
		if (e->socket[i].conn == socket)
			return true;
	}
	return false;
}

/* Whose is a message that came from there? The header names its sender only (RFC 3525, 8.3). */
static struct h248_entity *receiver_of(const struct h248_node *node, const struct h248_addr *from)
{
	struct h248_entity *owner = alone(node) ? first(node) : conn_owner(node, from);
	uint32_t socket;

	if (owner)
		return owner;
	socket = h248_transport_socket(node->transport, from);
	BASE_LIST_EACH(&node->entities, at, after)
	{
		struct h248_entity *e = BASE_CONTAINER_OF(at, struct h248_entity, at);

		if (socket && owns(e, socket))
			return e;
	}
	BASE_LIST_EACH(&node->entities, at, after)
	{
		struct h248_entity *e = BASE_CONTAINER_OF(at, struct h248_entity, at);

		if (h248_txn_knows(e->txn, from))
			return e;
	}
	return first(node);
}

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct h248_entity *e = receiver_of(arg, from);

	trace(e, false, from, data, len);
	h248_txn_input(e->txn, from, data, len);
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	struct h248_node *node = arg;
	struct h248_entity *owner = conn_owner(node, conn);

	if (owner) {
		conn_forget(conn_to(owner, conn));
		h248_txn_lost(owner->txn, conn, reason);
		return;
	}
	BASE_LIST_EACH(&node->entities, at, after)
	h248_txn_lost(BASE_CONTAINER_OF(at, struct h248_entity, at)->txn, conn, reason);
}

static void on_drained(void *arg, const struct h248_addr *conn)
{
	struct h248_node *node = arg;

	BASE_LIST_EACH(&node->entities, at, after)
	h248_txn_drained(BASE_CONTAINER_OF(at, struct h248_entity, at)->txn, conn);
}

/* ---- entities ---- */

int h248_entity_new(struct h248_entity **ret, struct h248_node *node,
                    const struct h248_txn_config *config, const struct h248_user_ops *ops,
                    void *user)
{
	struct h248_entity *e = calloc(1, sizeof(*e));
	struct h248_txn_ops txn_ops = { .send = send,
		                        .close = close_conn,
		                        .now_ms = now_ms,
		                        .rearm = rearm,
		                        .on_request = on_request,
		                        .on_stranger = on_stranger,
		                        .on_source = on_source,
		                        .on_message_error = on_message_error,
		                        .on_heard = on_heard,
		                        .on_abort = on_abort,
		                        .on_late_reply = ops->on_late_reply ? on_late_reply : NULL,
		                        .on_traced = ops->on_traced ? on_traced : NULL,
		                        .on_lost = on_lost,
		                        .arg = e };
	int rc;

	if (!e)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	e->node = node;
	e->ops = *ops;
	e->user = user;
	base_list_init(&e->conns);
	rc = h248_txn_new(&e->txn, config, &txn_ops);
	if (rc) {
		free(e);
		return rc;
	}
	base_list_append(&node->entities, &e->at);
	*ret = e;
	return 0;
}

static void entity_destroy(struct h248_entity *e)
{
	h248_txn_free(e->txn);
	BASE_LIST_EACH(&e->conns, at, after)
	{
		struct own_conn *c = BASE_CONTAINER_OF(at, struct own_conn, at);

		h248_transport_close(e->node->transport, &c->far);
		conn_forget(c);
	}
	loop_timer_stop(e->node->loop, &e->timer);
	base_list_remove(&e->at);
	free(e);
}

void h248_entity_free(struct h248_entity *e)
{
	if (e && e != first(e->node))
		entity_destroy(e);
}

int h248_entity_listen(struct h248_entity *e, struct h248_addr *local, struct base_error *err)
{
	int rc;

	if (e->sockets_count == ENTITY_SOCKETS)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "no more than %d sockets of one entity", ENTITY_SOCKETS);
	rc = h248_transport_listen(e->node->transport, local, err);
	if (rc == 0)
		e->socket[e->sockets_count++] = *local;
	return rc;
}

struct h248_txn *h248_entity_txn(struct h248_entity *e)
{
	return e->txn;
}

/* ---- life ---- */

int h248_node_new(struct h248_node **ret, struct loop *loop, const struct h248_node_config *config,
                  const struct h248_user_ops *ops, void *user)
{
	struct h248_node *node = calloc(1, sizeof(*node));
	struct h248_transport_ops transport_ops = { .on_message = on_message,
		                                    .on_closed = on_closed,
		                                    .on_drained = on_drained,
		                                    .arg = node };
	struct h248_entity *own;
	int rc;

	if (!node)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	node->loop = loop;
	base_list_init(&node->entities);
	rc = h248_transport_new(&node->transport, loop, &config->transport, &transport_ops);
	if (rc)
		goto out;
	rc = h248_entity_new(&own, node, &config->txn, ops, user);
	if (rc)
		goto out;
	*ret = node;
	node = NULL;
out:
	h248_node_free(node);
	return rc;
}

void h248_node_free(struct h248_node *node)
{
	if (!node)
		return;
	BASE_LIST_EACH(&node->entities, at, after)
	entity_destroy(BASE_CONTAINER_OF(at, struct h248_entity, at));
	h248_transport_free(node->transport);
	free(node);
}

int h248_node_listen(struct h248_node *node, struct h248_addr *local, struct base_error *err)
{
	return h248_transport_listen(node->transport, local, err);
}

struct h248_txn *h248_node_txn(struct h248_node *node)
{
	return first(node)->txn;
}

struct h248_transport *h248_node_transport(struct h248_node *node)
{
	return node->transport;
}
