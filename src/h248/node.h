/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The shell around the transaction layer: sockets, the loop's clock and a timer. A controller uses
 * a node directly; a gateway puts an association (h248/assoc.h) on it. One thread: the loop's.
 */
#ifndef GH_H248_NODE_H
#define GH_H248_NODE_H

#include "h248/transport.h"
#include "h248/txn.h"

struct h248_node;
struct h248_entity;

struct h248_node_config {
	struct h248_txn_config txn;
	struct h248_transport_config transport;
};

/** What a node tells its user; as in struct h248_txn_ops. Only on_request is needed. */
struct h248_user_ops {
	void (*on_request)(void *user, struct h248_incoming *in, const struct h248_message *msg,
	                   const struct h248_transaction *req);
	bool (*on_stranger)(void *user, const struct h248_addr *from,
	                    const struct h248_message *msg);
	bool (*on_source)(void *user, struct h248_peer *peer, const struct h248_addr *from);
	void (*on_message_error)(void *user, struct h248_peer *peer, const struct h248_addr *from,
	                         unsigned code, struct base_str text);
	void (*on_heard)(void *user, struct h248_peer *peer);
	/**
	 * The TCP connection by which requests to this peer go was refused or has ended. Its
	 * requests go on waiting: repeat them by h248_peer_resend, or free the peer.
	 */
	void (*on_lost)(void *user, struct h248_peer *peer, const char *reason);
	void (*on_abort)(void *user, struct h248_incoming *in);
	void (*on_late_reply)(void *user, struct h248_peer *peer, const struct h248_message *msg,
	                      const struct h248_transaction *reply);
	/** Each message as it is on the wire, decoded; costs a decoding of each that is sent. */
	void (*on_traced)(void *user, bool out, const struct h248_addr *addr,
	                  const struct h248_message *msg, const void *data, size_t len);
	/** Each message as it is on the wire, for call-flow ladders. */
	void (*on_trace)(void *user, bool out, const struct h248_addr *peer, const void *data,
	                 size_t len);
};

/** `config` and `ops` are copied. @return 0, or BASE_LOCAL. */
int h248_node_new(struct h248_node **ret, struct loop *loop, const struct h248_node_config *config,
                  const struct h248_user_ops *ops, void *user);
/** Not inside a callback. NULL is fine. */
void h248_node_free(struct h248_node *node);

/** As h248_transport_listen; for all entities of the node that have no such socket of their own. */
int h248_node_listen(struct h248_node *node, struct h248_addr *local, struct base_error *err);
/** The transactions of the entity that the node was made with. */
struct h248_txn *h248_node_txn(struct h248_node *node);
struct h248_transport *h248_node_transport(struct h248_node *node);

/* ---- several entities on one node ---- */

/**
 * One more entity on the node's loop and sockets: a virtual MG (RFC 3525, 11.1), another user. It
 * has an mId, peers, TransactionIDs, timers and counters of its own.
 *
 * A message names its sender and not its receiver (8.3), so it is for the entity whose own socket
 * it came by (h248_entity_listen), or that made the TCP or TLS connection (they share none); else
 * for the first one that has a peer at the address it came from; else for the node's own. So two
 * entities that talk with the same peer over UDP or SCTP need own sockets.
 *
 * `config` and `ops` are copied. @return 0, or BASE_LOCAL.
 */
int h248_entity_new(struct h248_entity **ret, struct h248_node *node,
                    const struct h248_txn_config *config, const struct h248_user_ops *ops,
                    void *user);
/** Not inside a callback. Its sockets stay open, for the node's own. The node frees what is left;
 * the node's own entity goes only with it. NULL is fine. */
void h248_entity_free(struct h248_entity *e);
/** As h248_transport_listen, for this entity alone; datagrams of its go out by it. At most 8. */
int h248_entity_listen(struct h248_entity *e, struct h248_addr *local, struct base_error *err);
struct h248_txn *h248_entity_txn(struct h248_entity *e);

#endif
