/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of ours: repeated over UDP with growing pauses taken from the measured round trip
 * (RFC 3525, D.1.3), slower after a TransactionPending (D.1.4), given up after T-MAX (D.1.5).
 * Over TCP nothing is repeated but by h248_peer_resend (D.2). Rules of the user (struct
 * h248_txn_timers) replace those times. What may not be sent yet waits in its peer's queue. */
#include <stdlib.h>

#include "h248/txn_private.h"

struct outgoing {
	struct base_map_node by_id; /* the key is `id` */
	struct base_node node;      /* in the peer's list or queue */
	struct h248_peer *peer;
	uint32_t id;
	unsigned sent;      /* times; 0: it is in the queue */
	bool pending;       /* the peer has said that it is at work */
	uint32_t pendings;  /* how often */
	unsigned repeats;   /* since it was sent first, or since the last sign of work */
	uint32_t waited_ms; /* the last time by a rule */
	uint32_t aad_ms;    /* this request's own copy, doubled by each repetition */
	uint64_t first_ms;  /* when it was sent first */
	uint64_t since_ms;  /* T-MAX runs from here: queued, first sent, or the last sign of work */
	struct loop_timer timer;
	struct txn_segments *segments; /* NULL: the reply comes whole */
	h248_reply_fn *fn;             /* may be NULL */
	void *arg;
	size_t len;
	char data[];
};

static void on_timer(void *arg);

/* ---- life of one ---- */

static void unlink_outgoing(struct outgoing *o)
{
	struct h248_peer *peer = o->peer;

	loop_timers_stop(&peer->txn->timers, &o->timer);
	base_list_remove(&o->node);
	peer->outgoing_count--;
	peer->queued_count -= !o->sent;
	base_map_remove(&peer->txn->outgoing, &o->by_id);
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
	struct h248_peer *peer = o->peer;
	struct h248_txn *txn = peer->txn;
	struct txn_segments *segments = o->segments; /* the reply may be made of them */
	h248_reply_fn *fn = o->fn;
	void *arg = o->arg;

	txn_enter(txn);
	if (outcome != H248_OUTCOME_REPLY && o->sent && !peer->dead)
		txn_late_expect(peer, o->id);
	outgoing_free(o);
	if (fn)
		fn(arg, outcome, msg, reply);
	txn_segments_free(txn, segments);
	txn_out_pump(peer);
	txn_leave(txn);
}

static struct outgoing *find(const struct h248_txn *txn, uint32_t id)
{
	struct base_map_node *node = base_map_find(&txn->outgoing, txn_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct outgoing, by_id) : NULL;
}

/* ---- time ---- */

static uint64_t left_ms(const struct outgoing *o)
{
	const struct h248_txn *txn = o->peer->txn;
	uint64_t passed = txn->timers.now_ms - o->since_ms;

	return passed >= txn->config.t_max_ms ? 0 : txn->config.t_max_ms - passed;
}

static const struct h248_timer_rule *rule_of(const struct outgoing *o)
{
	return o->pending ? &o->peer->timers.long_request : &o->peer->timers.request;
}

/* Look again after `ms`, or when T-MAX has passed. */
static void wait(struct outgoing *o, uint64_t ms)
{
	uint64_t left = left_ms(o);

	if (h248_addr_connected(&o->peer->addr) && !rule_of(o)->wait_ms)
		ms = left;
	loop_timers_start(&o->peer->txn->timers, &o->timer, BASE_MIN(ms, left), on_timer, o);
}

/* After a Pending the next sign is due within the peer's own timer (E.2.1), and some travelling. */
static uint32_t long_ms(const struct outgoing *o)
{
	const struct h248_txn_config *c = &o->peer->txn->config;

	return c->peer_provisional_ms ? c->peer_provisional_ms + h248_peer_rto_ms(o->peer)
	                              : c->pending_rto_ms;
}

/* The first time, or the first of a new phase. */
static void wait_first(struct outgoing *o)
{
	const struct h248_timer_rule *rule = rule_of(o);

	o->repeats = 0;
	if (rule->wait_ms)
		wait(o, o->waited_ms = txn_rule_next(rule, 0));
	else
		wait(o, o->pending ? long_ms(o) : h248_peer_rto_ms(o->peer));
}

static void wait_next(struct outgoing *o)
{
	const struct h248_timer_rule *rule = rule_of(o);

	o->repeats++;
	if (rule->wait_ms)
		wait(o, o->waited_ms = txn_rule_next(rule, o->waited_ms));
	else
		wait(o, o->pending ? long_ms(o) : txn_rtt_back_off(o->peer, &o->aad_ms));
}

static void repeat(struct outgoing *o)
{
	struct h248_peer *peer = o->peer;

	TXN_COUNT(peer->txn, peer, tx_retransmissions);
	o->sent++;
	txn_put(peer->txn, peer, &peer->addr, o->data, o->len);
}

static void on_timer(void *arg)
{
	struct outgoing *o = arg;
	struct h248_peer *peer = o->peer;
	const struct h248_timer_rule *rule = rule_of(o);

	if (left_ms(o) == 0 || (o->sent && rule->limit && o->repeats >= rule->limit)) {
		TXN_COUNT(peer->txn, peer, tx_timeouts);
		end(o, H248_OUTCOME_TIMEOUT, NULL, NULL);
		return;
	}
	repeat(o);
	wait_next(o);
}

/* ---- the queue ---- */

static bool may_send(const struct h248_peer *peer)
{
	uint32_t window = peer->txn->config.window;

	return !peer->dead && !peer->blocked && !peer->full &&
	       (!window || peer->outgoing_count - peer->queued_count < window);
}

static void transmit(struct outgoing *o)
{
	struct h248_peer *peer = o->peer;

	base_list_remove(&o->node);
	base_list_append(&peer->outgoing, &o->node);
	peer->queued_count--;
	o->sent = 1;
	o->aad_ms = txn_rtt_aad(peer);
	o->first_ms = o->since_ms = peer->txn->timers.now_ms;
	wait_first(o);
	txn_put_first(peer, &peer->addr, o->data, o->len);
}

void txn_out_pump(struct h248_peer *peer)
{
	while (may_send(peer) && !base_list_empty(&peer->queue))
		transmit(BASE_CONTAINER_OF(peer->queue.next, struct outgoing, node));
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

/* What is in txn->out, at the end of the queue. */
static int outgoing_new(struct outgoing **ret, struct h248_peer *peer, uint32_t id)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = malloc(sizeof(*o) + txn->out.len);

	if (!o)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	memset(o, 0, sizeof(*o));
	o->peer = peer;
	o->id = id;
	if (base_map_insert(&txn->outgoing, txn_key(&o->id), &o->by_id) != 0) {
		free(o);
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	}
	o->len = txn->out.len;
	memcpy(o->data, txn->out.data, o->len);
	o->since_ms = txn->timers.now_ms;
	base_list_append(&peer->queue, &o->node);
	peer->outgoing_count++;
	peer->queued_count++;
	*ret = o;
	return 0;
}

int h248_txn_request(struct h248_peer *peer, struct h248_transaction *request, unsigned version,
                     h248_reply_fn *fn, void *arg, uint32_t *ret_id)
{
	struct h248_txn *txn = peer->txn;
	bool now = may_send(peer) && base_list_empty(&peer->queue);
	struct outgoing *o;
	int rc;

	h248_txn_now(txn);
	if (peer->dead || txn->outgoing.count >= txn->config.max_outgoing ||
	    (!now && peer->queued_count >= txn->config.max_queued))
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	request->kind = H248_REQUEST;
	request->id = new_id(txn);
	/* Acknowledgements are not for the queue. */
	rc = txn_encode(txn, now ? peer : NULL, &peer->addr, txn_form_of(peer, version), request);
	if (rc)
		return rc;
	rc = outgoing_new(&o, peer, request->id);
	if (rc)
		return rc;
	o->fn = fn;
	o->arg = arg;
	TXN_COUNT(txn, peer, tx_requests);
	TXN_COUNT_BY(txn, peer, tx_queued, !now);
	if (ret_id)
		*ret_id = o->id;
	if (now)
		transmit(o);
	else
		wait(o, UINT64_MAX);
	txn_tell(txn);
	return 0;
}

void h248_txn_cancel(struct h248_txn *txn, uint32_t id)
{
	struct outgoing *o = find(txn, id);

	if (!o)
		return;
	TXN_COUNT(txn, o->peer, tx_cancelled);
	end(o, H248_OUTCOME_CANCELLED, NULL, NULL);
}

static void drop(struct outgoing *o, bool tell)
{
	struct h248_peer *peer = o->peer;

	if (tell) {
		TXN_COUNT(peer->txn, peer, tx_cancelled);
		end(o, H248_OUTCOME_CANCELLED, NULL, NULL);
	} else {
		txn_segments_free(peer->txn, o->segments);
		outgoing_free(o);
	}
}

void txn_out_drop(struct h248_peer *peer, bool tell)
{
	struct base_node *node;

	while ((node = base_list_shift(&peer->outgoing)) != NULL ||
	       (node = base_list_shift(&peer->queue)) != NULL)
		drop(BASE_CONTAINER_OF(node, struct outgoing, node), tell);
}

void h248_peer_resend(struct h248_peer *peer)
{
	h248_txn_now(peer->txn);
	peer->full = false;
	BASE_LIST_EACH(&peer->outgoing, node, after)
	{
		struct outgoing *o = BASE_CONTAINER_OF(node, struct outgoing, node);

		wait_first(o);
		repeat(o);
	}
	txn_out_pump(peer);
	txn_tell(peer->txn);
}

static void hand_over(struct outgoing *o, struct h248_peer *to)
{
	struct h248_peer *from = o->peer;

	base_list_remove(&o->node);
	from->outgoing_count--;
	to->outgoing_count++;
	o->peer = to;
	o->pending = false;
	o->pendings = 0;
	o->since_ms = to->txn->timers.now_ms;
	if (!o->sent) {
		from->queued_count--;
		to->queued_count++;
		base_list_append(&to->queue, &o->node);
		wait(o, UINT64_MAX);
		return;
	}
	base_list_append(&to->outgoing, &o->node);
	o->aad_ms = txn_rtt_aad(to);
	wait_first(o);
	repeat(o);
}

void h248_peer_move(struct h248_peer *from, struct h248_peer *to)
{
	h248_txn_now(from->txn);
	while (!base_list_empty(&from->outgoing))
		hand_over(BASE_CONTAINER_OF(from->outgoing.next, struct outgoing, node), to);
	while (!base_list_empty(&from->queue))
		hand_over(BASE_CONTAINER_OF(from->queue.next, struct outgoing, node), to);
	txn_out_pump(to);
	txn_tell(from->txn);
}

/* ---- answers ---- */

struct h248_peer *txn_out_unnamed(struct h248_txn *txn, uint32_t id)
{
	struct outgoing *o = find(txn, id);

	return o && !o->peer->mid_key ? o->peer : NULL;
}

/* Confirm and keep a segment. @return true when `whole` has become the complete reply. */
static bool take_segment(struct h248_peer *peer, struct outgoing *o, const struct h248_addr *from,
                         const struct h248_transaction *part, struct h248_transaction *whole)
{
	struct h248_txn *txn = peer->txn;
	struct txn_form form = { H248_VERSION_MAX, txn->current->form.codec };
	struct h248_transaction confirm = { .kind = H248_SEGMENT,
		                            .id = part->id,
		                            .segment = part->segment,
		                            .has_segment = true,
		                            .segment_end = part->segment_end };

	TXN_COUNT(txn, peer, rx_segments);
	if (o && !txn_segments_add(txn, &o->segments, part))
		return false;
	txn_send(txn, peer, from, form, &confirm);
	if (!o)
		return false; /* one that came twice, after the reply was complete */
	o->pending = true;    /* the peer is at it: repeat the request only if it stops */
	o->repeats = 0;
	o->since_ms = txn->timers.now_ms;
	wait(o, txn->config.segment_ms);
	return txn_segments_join(o->segments, whole);
}

static void not_waiting(struct h248_peer *peer, const struct h248_message *msg,
                        const struct h248_transaction *reply)
{
	struct h248_txn *txn = peer->txn;

	if (!txn_late_take(peer, reply->id)) {
		TXN_COUNT(txn, peer, rx_replies_stray);
		return;
	}
	TXN_COUNT(txn, peer, rx_replies_late);
	txn_ack_owe(peer, reply->id);
	txn->ops.on_late_reply(txn->ops.arg, peer, msg, reply);
}

void txn_out_reply(struct h248_peer *peer, const struct h248_addr *from,
                   const struct h248_message *msg, const struct h248_transaction *reply)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = find(txn, reply->id);
	bool ours = o && o->peer == peer && o->sent;
	struct h248_transaction whole;

	if (reply->has_segment) {
		if (!take_segment(peer, ours ? o : NULL, from, reply, &whole))
			return;
		reply = &whole;
	}
	/* A peer that asks for the acknowledgement again has not got the first one. */
	if (reply->ack_required || (ours && o->pending && from->transport == H248_UDP))
		txn_ack_now(peer, from, reply->id);
	else if (ours)
		txn_ack_owe(peer, reply->id);
	if (!ours) {
		not_waiting(peer, msg, reply);
		return;
	}
	/* Of a repeated request nobody knows which sending was answered. */
	if (o->sent == 1 && !o->pending)
		txn_rtt_measured(peer, txn->timers.now_ms - o->first_ms);
	TXN_COUNT(txn, peer, rx_replies);
	end(o, H248_OUTCOME_REPLY, msg, reply);
}

void txn_out_pending(struct h248_peer *peer, const struct h248_transaction *pending)
{
	struct h248_txn *txn = peer->txn;
	struct outgoing *o = find(txn, pending->id);

	TXN_COUNT(txn, peer, rx_pendings);
	if (!o || o->peer != peer || !o->sent) /* D.1.4: after the reply it is ignored */
		return;
	o->pendings++;
	if (txn->config.peer_pending_limit && o->pendings > txn->config.peer_pending_limit) {
		TXN_COUNT(txn, peer, tx_pended);
		end(o, H248_OUTCOME_PENDINGS, NULL, NULL);
		return;
	}
	o->pending = true;
	o->since_ms = txn->timers.now_ms; /* 8: "Receipt of Pending should restart the timer" */
	wait_first(o);
}
