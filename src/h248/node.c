/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/node.h"

#include <stdlib.h>

struct h248_node {
	struct loop *loop;
	struct h248_txn *txn;
	struct h248_transport *transport;
	struct loop_timer timer;
	struct h248_user_ops ops;
	void *user;
};

static void trace(struct h248_node *node, bool out, const struct h248_addr *peer, const void *data,
                  size_t len)
{
	if (node->ops.on_trace)
		node->ops.on_trace(node->user, out, peer, data, len);
}

/* ---- from the transaction layer ---- */

static void send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	struct h248_node *node = arg;

	trace(node, true, to, data, len);
	/* What does not leave is lost; the transaction layer has timers for that. */
	(void)h248_transport_send(node->transport, to, data, len);
}

static void close_conn(void *arg, const struct h248_addr *addr)
{
	h248_transport_close(((struct h248_node *)arg)->transport, addr);
}

static uint64_t now_ms(void *arg)
{
	return loop_now_ms(((struct h248_node *)arg)->loop);
}

static void on_timer(void *arg)
{
	h248_txn_advance(((struct h248_node *)arg)->txn);
}

static void rearm(void *arg, uint64_t deadline_ms)
{
	struct h248_node *node = arg;
	uint64_t now = loop_now_ms(node->loop);

	if (deadline_ms == UINT64_MAX)
		loop_timer_stop(node->loop, &node->timer);
	else
		loop_timer_start(node->loop, &node->timer,
		                 deadline_ms > now ? deadline_ms - now : 0, on_timer, node);
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct h248_node *node = arg;

	node->ops.on_request(node->user, in, msg, req);
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	struct h248_node *node = arg;

	return node->ops.on_stranger && node->ops.on_stranger(node->user, from, msg);
}

static bool on_source(void *arg, struct h248_peer *peer, const struct h248_addr *from)
{
	struct h248_node *node = arg;

	return !node->ops.on_source || node->ops.on_source(node->user, peer, from);
}

static void on_message_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	struct h248_node *node = arg;

	if (node->ops.on_message_error)
		node->ops.on_message_error(node->user, peer, from, code, text);
}

static void on_heard(void *arg, struct h248_peer *peer)
{
	struct h248_node *node = arg;

	if (node->ops.on_heard)
		node->ops.on_heard(node->user, peer);
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	struct h248_node *node = arg;

	if (node->ops.on_lost)
		node->ops.on_lost(node->user, peer, reason);
}

/* ---- from the transport ---- */

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct h248_node *node = arg;

	trace(node, false, from, data, len);
	h248_txn_input(node->txn, from, data, len);
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	h248_txn_lost(((struct h248_node *)arg)->txn, conn, reason);
}

/* ---- life ---- */

int h248_node_new(struct h248_node **ret, struct loop *loop, const struct h248_node_config *config,
                  const struct h248_user_ops *ops, void *user)
{
	struct h248_node *node = calloc(1, sizeof(*node));
	struct h248_txn_ops txn_ops = { .send = send,
		                        .close = close_conn,
		                        .now_ms = now_ms,
		                        .rearm = rearm,
		                        .on_request = on_request,
		                        .on_stranger = on_stranger,
		                        .on_source = on_source,
		                        .on_message_error = on_message_error,
		                        .on_heard = on_heard,
		                        .on_lost = on_lost,
		                        .arg = node };
	struct h248_transport_ops transport_ops = { .on_message = on_message,
		                                    .on_closed = on_closed,
		                                    .arg = node };
	int rc;

	if (!node)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	node->loop = loop;
	node->ops = *ops;
	node->user = user;
	rc = h248_transport_new(&node->transport, loop, &config->transport, &transport_ops);
	if (rc)
		goto out;
	rc = h248_txn_new(&node->txn, &config->txn, &txn_ops);
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
	h248_txn_free(node->txn);
	h248_transport_free(node->transport);
	loop_timer_stop(node->loop, &node->timer);
	free(node);
}

int h248_node_listen(struct h248_node *node, struct h248_addr *local, struct base_error *err)
{
	return h248_transport_listen(node->transport, local, err);
}

struct h248_txn *h248_node_txn(struct h248_node *node)
{
	return node->txn;
}

struct h248_transport *h248_node_transport(struct h248_node *node)
{
	return node->transport;
}
