/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of ours: repeated over UDP with growing pauses taken from the measured round trip
 * (RFC 3525, D.1.3), slower after a TransactionPending (D.1.4), given up after T-MAX (D.1.5).
 * Over TCP nothing is repeated but by h248_peer_resend (D.2). */
#include <stdlib.h>

#include "h248/txn_private.h"

/* The "N" of D.1.3: deviations added to the average. */
#define DEVIATIONS 4

struct outgoing {
	struct base_map_node by_id; /* the key is `id` */
	struct base_node node;      /* in the peer's list */
	struct h248_peer *peer;
	uint32_t id;
	unsigned sent;     /* times */
	bool pending;      /* the peer has said that it is at work */
	uint32_t aad_ms;   /* this request's own copy, doubled by each repetition */
	uint64_t first_ms; /* when it was sent first */
	uint64_t since_ms; /* T-MAX runs from here: first sending, or the last sign of work */
	struct loop_timer timer;
	struct txn_segments *segments; /* NULL: the reply comes whole */
	h248_reply_fn *fn;
	void *arg;
	size_t len;
	char data[];
};

static void on_timer(void *arg);

/* ---- the round trip ---- */

uint32_t h248_peer_rtt_ms(const struct h248_peer *peer)
{
	return peer->aad_x8 / 8;
}

static uint32_t clamp_rto(const struct h248_txn *txn, uint32_t ms)
{
	return BASE_MAX(BASE_MIN(ms, txn->config.rto_max_ms), txn->config.rto_min_ms);
}

static uint32_t aad_of(const struct h248_peer *peer)
{
	uint32_t aad =
	        peer->aad_x8 ? BASE_MAX(peer->aad_x8 / 8, 1U) : peer->txn->config.rto_first_ms;

	return BASE_MAX(aad, peer->backed_off_ms);
}

static uint32_t deviations_of(const struct h248_peer *peer)
{
	return peer->adev_x4 * DEVIATIONS / 4;
}

uint32_t h248_peer_rto_ms(const struct h248_peer *peer)
{
	return clamp_rto(peer->txn, aad_of(peer) + deviations_of(peer));
}

/* Exponential smoothing with 1/8 and 1/4, in fixed point, as TCP does. */
static void measured(struct h248_peer *peer, uint64_t rtt)
{
	int64_t diff, aad = peer->aad_x8, adev = peer->adev_x4;

	peer->backed_off_ms = 0;
	rtt = BASE_MIN(BASE_MAX(rtt, (uint64_t)1), (uint64_t)peer->txn->config.rto_max_ms);
	if (!aad) {
		peer->aad_x8 = (uint32_t)rtt * 8;
		peer->adev_x4 = (uint32_t)rtt * 2;
		return;
	}
	diff = (int64_t)rtt - aad / 8;
	aad += diff;
	adev += (diff < 0 ? -diff : diff) - adev / 4;
	peer->aad_x8 = (uint32_t)BASE_MAX(aad, (int64_t)8);
	peer->adev_x4 = (uint32_t)BASE_MAX(adev, (int64_t)0);
}

/* D.1.3, "After any retransmission": double the average, take a random share of it. What is sent
 * next starts from there too, until a request answered at its first sending measures anew (only
 * such a one can: else a round trip longer than the first timer would never be learned). */
static uint32_t back_off(struct outgoing *o)
{
	struct h248_peer *peer = o->peer;
	struct h248_txn *txn = peer->txn;

	o->aad_ms = BASE_MIN(o->aad_ms * 2, txn->config.rto_max_ms);
	peer->backed_off_ms = BASE_MAX(peer->backed_off_ms, o->aad_ms);
	return clamp_rto(txn, txn_random(txn, o->aad_ms / 2, o->aad_ms) + deviations_of(peer));
}

/* ---- life of one ---- */

static void unlink_outgoing(struct outgoing *o)
{
	loop_timers_stop(&o->peer->txn->timers, &o->timer);
	base_list_remove(&o->node);
	o->peer->outgoing_count--;
	base_map_remove(&o->peer->txn->outgoing, &o->by_id);
}

static void outgoing_free(struct outgoing *o)
{
	unlink_outgoing(o);
	base_wipe(o->data, o->len); /* a controller's may hold a key */
	free(o);
}

static void end(struct outgoing *o, enum h248_outcome outcome, const struct h248_message *msg,
                const struct h248_transaction *reply)
{
	struct h248_txn *txn = o->peer->txn;
	struct txn_segments *segments = o->segments; /* the reply may be made of them */
	h248_reply_fn *fn = o->fn;
	void *arg = o->arg;

	outgoing_free(o);
	fn(arg, outcome, msg, reply);
	txn_segments_free(txn, segments);
}

static struct outgoing *find(const struct h248_txn *txn, uint32_t id)
{
	struct base_map_node *node = base_map_find(&txn->outgoing, txn_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct outgoing, by_id) : NULL;
}

static uint64_t left_ms(const struct outgoing *o)
{
	const struct h248_txn *txn = o->peer->txn;
	uint64_t passed = txn->timers.now_ms - o->since_ms;

	return passed >= txn->config.t_max_ms ? 0 : txn->config.t_max_ms - passed;
}

/* Look again after `ms`, or when T-MAX has passed. */
static void wait(struct outgoing *o, uint64_t ms)
{
	uint64_t left = left_ms(o);

	if (h248_addr_connected(&o->peer->addr))
		ms = left;
	loop_timers_start(&o->peer->txn->timers, &o->timer, BASE_MIN(ms, left), on_timer, o);
}

static void transmit(struct outgoing *o)
{
	struct h248_txn *txn = o->peer->txn;

	txn->count.tx_retransmissions += o->sent > 0;
	o->sent++;
	txn_put(txn, &o->peer->addr, o->data, o->len);
}

static void on_timer(void *arg)
{
	struct outgoing *o = arg;
	struct h248_txn *txn = o->peer->txn;

	if (left_ms(o) == 0) {
		txn->count.tx_timeouts++;
		end(o, H248_OUTCOME_TIMEOUT, NULL, NULL);
		return;
	}
	transmit(o);
	wait(o, o->pending ? txn->config.pending_rto_ms : back_off(o));
}

/* ---- sending ---- */

static uint32_t new_id(struct h248_txn *txn)
{
	uint32_t id;

	/* 0 means "unknown" (8.1.1), the top one is kept out for the sake of ranges. */
	do {
		id = txn->next_id++;
		if (txn->next_id >= 0xfffffffe)
			txn->next_id = 1;
	} while (id == 0 || find(txn, id));
	return id;
}

static int outgoing_new(struct outgoing **ret, struct h248_peer *peer, uint32_t id)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = calloc(1, sizeof(*o) + txn->out.len);

	if (!o)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	o->peer = peer;
	o->id = id;
	if (base_map_insert(&txn->outgoing, txn_key(&o->id), &o->by_id) != 0) {
		free(o);
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	o->len = txn->out.len;
	memcpy(o->data, txn->out.data, o->len);
	o->aad_ms = aad_of(peer);
	o->first_ms = o->since_ms = txn->timers.now_ms;
	base_list_append(&peer->outgoing, &o->node);
	peer->outgoing_count++;
	*ret = o;
	return 0;
}

int h248_txn_request(struct h248_peer *peer, struct h248_transaction *request, unsigned version,
                     h248_reply_fn *fn, void *arg, uint32_t *ret_id)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o;
	int rc;

	h248_txn_now(txn);
	if (peer->dead || txn->outgoing.count >= txn->config.max_outgoing)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	request->kind = H248_REQUEST;
	request->id = new_id(txn);
	rc = txn_encode(txn, peer, &peer->addr, version ? version : h248_peer_version(peer),
	                request);
	if (rc)
		return rc;
	rc = outgoing_new(&o, peer, request->id);
	if (rc)
		return rc;
	o->fn = fn;
	o->arg = arg;
	txn->count.tx_requests++;
	if (ret_id)
		*ret_id = o->id;
	wait(o, h248_peer_rto_ms(peer));
	transmit(o);
	txn_tell(txn);
	return 0;
}

void h248_txn_cancel(struct h248_txn *txn, uint32_t id)
{
	struct outgoing *o = find(txn, id);

	if (!o)
		return;
	txn->count.tx_cancelled++;
	end(o, H248_OUTCOME_CANCELLED, NULL, NULL);
	txn_tell(txn);
}

void txn_out_drop(struct h248_peer *peer, bool tell)
{
	struct base_node *node;

	while ((node = base_list_shift(&peer->outgoing))) {
		struct outgoing *o = BASE_CONTAINER_OF(node, struct outgoing, node);

		if (tell) {
			peer->txn->count.tx_cancelled++;
			end(o, H248_OUTCOME_CANCELLED, NULL, NULL);
		} else {
			txn_segments_free(peer->txn, o->segments);
			outgoing_free(o);
		}
	}
}

static void repeat_now(struct outgoing *o)
{
	wait(o, h248_peer_rto_ms(o->peer));
	transmit(o);
}

void h248_peer_resend(struct h248_peer *peer)
{
	h248_txn_now(peer->txn);
	BASE_LIST_EACH(&peer->outgoing, node, after)
	repeat_now(BASE_CONTAINER_OF(node, struct outgoing, node));
	txn_tell(peer->txn);
}

void h248_peer_move(struct h248_peer *from, struct h248_peer *to)
{
	h248_txn_now(from->txn);
	while (!base_list_empty(&from->outgoing)) {
		struct outgoing *o = BASE_CONTAINER_OF(from->outgoing.next, struct outgoing, node);

		base_list_remove(&o->node);
		from->outgoing_count--;
		base_list_append(&to->outgoing, &o->node);
		to->outgoing_count++;
		o->peer = to;
		o->pending = false;
		o->aad_ms = aad_of(to);
		o->since_ms = to->txn->timers.now_ms;
		repeat_now(o);
	}
	txn_tell(from->txn);
}

/* ---- answers ---- */

struct h248_peer *txn_out_unnamed(struct h248_txn *txn, uint32_t id)
{
	struct outgoing *o = find(txn, id);

	return o && !o->peer->mid_key ? o->peer : NULL;
}

/* One more id to acknowledge with the next message; ranges grow where they can. */
static void owe_ack(struct h248_peer *peer, uint32_t id)
{
	for (unsigned i = 0; i < peer->acks_count; i++) {
		struct txn_range *r = &peer->acks[i];

		if (id >= r->first && id <= r->last)
			return;
		if (id == r->last + 1) {
			r->last = id;
			return;
		}
		if (id + 1 == r->first) {
			r->first = id;
			return;
		}
	}
	if (peer->acks_count == TXN_ACK_RANGES) { /* the oldest is least worth repeating */
		memmove(peer->acks, peer->acks + 1, sizeof(peer->acks) - sizeof(peer->acks[0]));
		peer->acks_count--;
	}
	peer->acks[peer->acks_count++] = (struct txn_range){ id, id };
}

static void ack_now(struct h248_peer *peer, const struct h248_addr *to, uint32_t id)
{
	struct h248_ack range = { .first = id, .last = id };
	struct h248_transaction t = { .kind = H248_ACK, .acks = &range };

	txn_send(peer->txn, to, h248_peer_version(peer), &t);
}

/* Confirm and keep a segment. @return true when `whole` has become the complete reply. */
static bool take_segment(struct h248_peer *peer, struct outgoing *o, const struct h248_addr *from,
                         const struct h248_transaction *part, struct h248_transaction *whole)
{
	struct h248_txn *txn = peer->txn;
	struct h248_transaction confirm = { .kind = H248_SEGMENT,
		                            .id = part->id,
		                            .segment = part->segment,
		                            .has_segment = true,
		                            .segment_end = part->segment_end };

	if (o && !txn_segments_add(txn, &o->segments, part))
		return false;
	txn_send(txn, from, H248_VERSION_MAX, &confirm);
	if (!o)
		return false; /* one that came twice, after the reply was complete */
	o->pending = true;    /* the peer is at it: repeat the request only if it stops */
	o->since_ms = txn->timers.now_ms;
	wait(o, txn->config.pending_rto_ms);
	return txn_segments_join(o->segments, whole);
}

void txn_out_reply(struct h248_peer *peer, const struct h248_addr *from,
                   const struct h248_message *msg, const struct h248_transaction *reply)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = find(txn, reply->id);
	bool ours = o && o->peer == peer;
	struct h248_transaction whole;

	if (reply->has_segment) {
		if (!take_segment(peer, ours ? o : NULL, from, reply, &whole))
			return;
		reply = &whole;
	}
	/* A peer that asks for the acknowledgement again has not got the first one. */
	if (reply->ack_required || (ours && o->pending && from->transport == H248_UDP))
		ack_now(peer, from, reply->id);
	else if (ours)
		owe_ack(peer, reply->id);
	if (!ours) {
		txn->count.rx_replies_stray++;
		return;
	}
	/* Of a repeated request nobody knows which sending was answered. */
	if (o->sent == 1 && !o->pending)
		measured(peer, txn->timers.now_ms - o->first_ms);
	txn->count.rx_replies++;
	end(o, H248_OUTCOME_REPLY, msg, reply);
}

void txn_out_pending(struct h248_peer *peer, const struct h248_transaction *pending)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = find(txn, pending->id);

	txn->count.rx_pendings++;
	if (!o || o->peer != peer) /* D.1.4: after the reply it is ignored */
		return;
	o->pending = true;
	o->since_ms = txn->timers.now_ms; /* 8: "Receipt of Pending should restart the timer" */
	wait(o, txn->config.pending_rto_ms);
}
