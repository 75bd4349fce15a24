/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: found by mId (RFC 3525, D.1.1), learned by address. */
#include <stdlib.h>

#include "h248/txn_private.h"

/* An mId as octets that are equal exactly when the mIds are; names without case. */
#define KEY_HEAD 20
#define KEY_MAX  (KEY_HEAD + 256)

static size_t mid_key(const struct h248_mid *mid, char key[KEY_MAX])
{
	if (mid->name.len > KEY_MAX - KEY_HEAD)
		return 0;
	memset(key, 0, KEY_HEAD);
	key[0] = (char)mid->kind;
	key[1] = (char)mid->has_port;
	if (mid->has_port)
		memcpy(key + 2, &mid->port, 2);
	if (mid->kind == H248_MID_IP4 || mid->kind == H248_MID_IP6 || mid->kind == H248_MID_MTP) {
		size_t len = mid->kind == H248_MID_IP4 ? 4 : 16;

		if (mid->kind == H248_MID_MTP)
			len = BASE_MIN(mid->address_len, (size_t)16);
		memcpy(key + 4, mid->address, len);
		key[1] |= (char)(len << 1);
	}
	for (size_t i = 0; i < mid->name.len; i++)
		key[KEY_HEAD + i] = (char)base_lower((unsigned char)mid->name.ptr[i]);
	return KEY_HEAD + mid->name.len;
}

int h248_peer_new(struct h248_peer **ret, struct h248_txn *txn, const struct h248_addr *addr)
{
	struct h248_peer *peer;

	if (txn->peers_count >= txn->config.max_peers)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	peer->txn = txn;
	peer->round = txn->round; /* made for one that is lost, it is not lost with it */
	peer->addr = *addr;
	base_list_init(&peer->unanswered);
	base_list_init(&peer->answered);
	base_list_init(&peer->outgoing);
	base_list_init(&peer->queue);
	peer->timers = txn->config.timers;
	base_list_append(&txn->peers, &peer->node);
	txn->peers_count++;
	*ret = peer;
	return 0;
}

static void unname(struct h248_peer *peer)
{
	if (!peer->mid_key)
		return;
	base_map_remove(&peer->txn->by_mid, &peer->by_mid);
	free(peer->mid_key);
	peer->mid_key = NULL;
	peer->mid = (struct h248_mid){ 0 };
}

/* The struct itself may still be looked at by a caller further out. */
static void empty(struct h248_peer *peer)
{
	loop_timers_stop(&peer->txn->timers, &peer->ack_timer);
	txn_bundle_free(peer);
	txn_late_drop(peer);
	unname(peer);
	txn_in_drop(peer);
	base_map_done(&peer->incoming);
	base_list_remove(&peer->node);
	base_list_append(&peer->txn->dead_peers, &peer->node);
	peer->txn->peers_count--;
}

void h248_peer_free(struct h248_peer *peer)
{
	struct h248_txn *txn;

	if (!peer || peer->dead)
		return;
	peer->dead = true;
	txn = peer->txn;
	txn_enter(txn); /* the callbacks of its requests may look at it */
	txn_out_drop(peer, true);
	txn_bundle_flush(peer); /* what has been answered still goes */
	if (h248_addr_connected(&peer->addr) && txn->ops.close)
		txn->ops.close(txn->ops.arg, &peer->addr);
	empty(peer);
	txn_leave(txn);
}

void txn_peer_destroy(struct h248_peer *peer)
{
	peer->dead = true;
	txn_out_drop(peer, false);
	empty(peer);
}

void txn_peer_reap(struct h248_txn *txn)
{
	BASE_LIST_EACH(&txn->dead_peers, node, after)
	{
		base_list_remove(node);
		free(BASE_CONTAINER_OF(node, struct h248_peer, node));
	}
}

int txn_peer_name(struct h248_peer *peer, const struct h248_mid *mid)
{
	struct h248_txn *txn = peer->txn;
	struct h248_peer *old = h248_peer_find(txn, mid);
	char key[KEY_MAX];
	size_t len = mid_key(mid, key);
	char *own;

	if (old == peer)
		return 0;
	own = len ? malloc(len + mid->name.len + 1) : NULL;
	if (!own)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (old) /* a failed controller's successor may bear its name (11.5) */
		unname(old);
	unname(peer);
	memcpy(own, key, len);
	if (mid->name.len)
		memcpy(own + len, mid->name.ptr, mid->name.len);
	if (base_map_insert(&txn->by_mid, (struct base_str){ own, len }, &peer->by_mid) != 0) {
		free(own);
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	peer->mid_key = own;
	peer->mid = *mid;
	peer->mid.name = (struct base_str){ own + len, mid->name.len };
	return 0;
}

struct h248_peer *h248_peer_find(const struct h248_txn *txn, const struct h248_mid *mid)
{
	char key[KEY_MAX];
	size_t len = mid_key(mid, key);
	struct base_map_node *node;

	node = len ? base_map_find(&txn->by_mid, (struct base_str){ key, len }) : NULL;
	return node ? BASE_CONTAINER_OF(node, struct h248_peer, by_mid) : NULL;
}

struct h248_peer *txn_peer_of(struct h248_txn *txn, const struct h248_addr *from,
                              const struct h248_mid *mid)
{
	struct h248_peer *peer = h248_peer_find(txn, mid);

	if (peer) {
		/* A connection made anew by the same host replaces the one that ended. */
		if (h248_addr_connected(from) && from->transport == peer->addr.transport &&
		    memcmp(from->ip, peer->addr.ip, sizeof(from->ip)) == 0 && peer->addr.conn)
			peer->addr = *from;
		return peer;
	}
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		peer = BASE_CONTAINER_OF(node, struct h248_peer, node);
		if (!peer->mid_key && h248_addr_equal(&peer->addr, from))
			return txn_peer_name(peer, mid) == 0 ? peer : NULL;
	}
	return NULL;
}

struct h248_peer *h248_peer_next(const struct h248_txn *txn, const struct h248_peer *peer)
{
	const struct base_node *next = peer ? peer->node.next : txn->peers.next;

	return next == &txn->peers ? NULL : BASE_CONTAINER_OF(next, struct h248_peer, node);
}

const struct h248_addr *h248_peer_addr(const struct h248_peer *peer)
{
	return &peer->addr;
}

void h248_peer_addr_set(struct h248_peer *peer, const struct h248_addr *addr)
{
	if (peer->addr.conn != addr->conn || !h248_addr_equal(&peer->addr, addr))
		peer->full = false;
	peer->addr = *addr;
	txn_out_pump(peer);
	txn_tell(peer->txn);
}

const struct h248_mid *h248_peer_mid(const struct h248_peer *peer)
{
	return &peer->mid;
}

unsigned h248_peer_version(const struct h248_peer *peer)
{
	return peer->version ? peer->version : 1;
}

void h248_peer_version_set(struct h248_peer *peer, unsigned version)
{
	peer->version = (uint8_t)version;
}

void h248_peer_user_set(struct h248_peer *peer, void *user)
{
	peer->user = user;
}

void *h248_peer_user(const struct h248_peer *peer)
{
	return peer->user;
}

struct h248_txn *h248_peer_txn(const struct h248_peer *peer)
{
	return peer->txn;
}

size_t h248_peer_outgoing(const struct h248_peer *peer)
{
	return peer->outgoing_count;
}

size_t h248_peer_executing(const struct h248_peer *peer)
{
	return peer->executing;
}

const struct h248_txn_counters *h248_peer_counters(const struct h248_peer *peer)
{
	return &peer->count;
}

void h248_peer_timers_set(struct h248_peer *peer, const struct h248_txn_timers *timers)
{
	peer->timers = *timers;
}

void h248_peer_block(struct h248_peer *peer)
{
	peer->blocked = true;
}

void h248_peer_unblock(struct h248_peer *peer)
{
	peer->blocked = false;
	h248_txn_now(peer->txn);
	txn_out_pump(peer);
	txn_tell(peer->txn);
}

bool h248_peer_blocked(const struct h248_peer *peer)
{
	return peer->blocked;
}

size_t h248_peer_queued(const struct h248_peer *peer)
{
	return peer->queued_count;
}
