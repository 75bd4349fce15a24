/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of our peers: executed at most once (RFC 3525, D.1.1), with TransactionPending while
 * that takes (8.2.3, D.1.4) and the reply kept for who did not get it (D.1.5). */
#include <stdlib.h>

#include "h248/txn_private.h"

static struct txn_form form_for(const struct h248_incoming *in)
{
	return (struct txn_form){ in->peer->version ? in->peer->version : in->version, in->codec };
}

/* ---- the table ---- */

static void forget_reply(struct h248_incoming *in)
{
	in->txn->reply_bytes -= in->reply_len;
	free(in->reply);
	txn_parts_free(in->parts);
	in->reply = NULL;
	in->parts = NULL;
	in->reply_len = 0;
}

static void incoming_free(struct h248_incoming *in)
{
	loop_timers_stop(&in->txn->timers, &in->timer);
	base_list_remove(&in->node);
	forget_reply(in);
	txn_input_unref(in->txn, in->input);
	free(in);
}

/* Of what has been answered nothing but the id is needed any more. */
static void release(struct txn_seen *seen)
{
	struct h248_incoming *in = seen->in;

	seen->in = NULL;
	incoming_free(in);
}

/* The user still has it, but its answer has nowhere to go. */
static void orphan(struct h248_incoming *in)
{
	struct h248_txn *txn = in->txn;

	loop_timers_stop(&txn->timers, &in->timer);
	if (txn->asking == in)
		txn->asking = NULL;
	if (in->state == IN_EXECUTING)
		in->peer->executing--;
	in->state = IN_ORPHAN;
	in->seen = NULL;
	in->peer = NULL;
	base_list_append(&txn->orphans, &in->node);
}

static void forget(struct h248_peer *peer, struct txn_seen *seen)
{
	if (seen->in && seen->in->state == IN_REPLIED)
		release(seen);
	else if (seen->in)
		orphan(seen->in);
	base_map_remove(&peer->incoming, &seen->by_id);
	base_list_remove(&seen->node);
	peer->txn->remembered--;
	free(seen);
}

void txn_in_destroy(struct h248_incoming *in)
{
	incoming_free(in);
}

void txn_in_drop(struct h248_peer *peer)
{
	loop_timers_stop(&peer->txn->timers, &peer->expiry);
	BASE_LIST_EACH(&peer->unanswered, node, after)
	forget(peer, BASE_CONTAINER_OF(node, struct txn_seen, node));
	BASE_LIST_EACH(&peer->answered, next, then)
	forget(peer, BASE_CONTAINER_OF(next, struct txn_seen, node));
}

/* LONG-TIMER is the same for all, so the first to be answered is the first to be forgotten. */
static void on_expiry(void *arg)
{
	struct h248_peer *peer = arg;
	struct h248_txn *txn = peer->txn;

	while (!base_list_empty(&peer->answered)) {
		struct txn_seen *seen =
		        BASE_CONTAINER_OF(peer->answered.next, struct txn_seen, node);

		if (seen->until_ms > txn->timers.now_ms) {
			loop_timers_start(&txn->timers, &peer->expiry,
			                  seen->until_ms - txn->timers.now_ms, on_expiry, peer);
			return;
		}
		forget(peer, seen);
	}
}

static struct txn_seen *find(struct h248_peer *peer, uint32_t id)
{
	struct base_map_node *node = base_map_find(&peer->incoming, txn_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct txn_seen, by_id) : NULL;
}

static struct h248_incoming *remember(struct h248_peer *peer, const struct h248_addr *from,
                                      uint32_t id)
{
	struct h248_txn *txn = peer->txn;
	struct h248_incoming *in;
	struct txn_seen *seen;

	/* Nothing is thrown out to make room: what is forgotten early could be executed twice. */
	if (txn->remembered >= txn->config.max_incoming ||
	    txn->reply_bytes >= txn->config.max_reply_bytes)
		return NULL;
	in = calloc(1, sizeof(*in));
	seen = malloc(sizeof(*seen));
	if (!in || !seen)
		goto out;
	*seen = (struct txn_seen){ .in = in, .id = id };
	if (base_map_insert(&peer->incoming, txn_key(&seen->id), &seen->by_id) != 0)
		goto out;
	*in = (struct h248_incoming){
		.txn = txn, .peer = peer, .seen = seen, .from = *from, .id = id
	};
	in->version = txn->current->form.version;
	in->codec = txn->current->form.codec;
	base_list_init(&in->node);
	base_list_append(&peer->unanswered, &seen->node);
	peer->executing++;
	txn->remembered++;
	return in;
out:
	free(seen);
	free(in);
	return NULL;
}

/* ---- the reply, kept and repeated ---- */

static void repeat(struct h248_incoming *in, const struct h248_addr *to)
{
	struct h248_txn *txn = in->txn;

	if (!in->reply && !in->parts)
		return; /* confirmed; D.1.2.2: ignored */
	TXN_COUNT(txn, in->peer, tx_replies_repeated);
	if (in->parts)
		txn_parts_repeat(in->parts);
	else
		txn_put(txn, in->peer, to, in->reply, in->reply_len);
}

static void on_repeat(void *arg)
{
	struct h248_incoming *in = arg;
	struct h248_txn *txn = in->txn;
	const struct h248_timer_rule *rule = &in->peer->timers.reply;
	uint32_t ms;

	if (txn->timers.now_ms - in->replied_ms >= txn->config.t_max_ms ||
	    (rule->limit && in->repeats >= rule->limit))
		return; /* kept until LONG-TIMER for whoever asks again */
	in->repeats++;
	repeat(in, &in->from);
	if (rule->wait_ms) {
		ms = in->repeat_ms = txn_rule_next(rule, in->repeat_ms);
	} else {
		in->repeat_ms = BASE_MIN(in->repeat_ms * 2, txn->config.rto_max_ms);
		ms = txn_random(txn, in->repeat_ms / 2, in->repeat_ms);
	}
	loop_timers_start(&txn->timers, &in->timer, ms, on_repeat, in);
}

/* Until it is confirmed it repeats itself: the peer, which has heard a Pending or some of the
 * segments, repeats its request slowly. */
static void repeat_unconfirmed(struct h248_incoming *in)
{
	const struct h248_timer_rule *rule = &in->peer->timers.reply;

	in->repeat_ms = rule->wait_ms ? txn_rule_next(rule, 0) : h248_peer_rto_ms(in->peer);
	loop_timers_start(&in->txn->timers, &in->timer, in->repeat_ms, on_repeat, in);
}

/* The reply is there: it is kept for LONG-TIMER. */
static void replied(struct h248_incoming *in)
{
	struct h248_txn *txn = in->txn;
	struct h248_peer *peer = in->peer;

	if (txn->asking == in)
		txn->asking = NULL;
	peer->executing--;
	in->state = IN_REPLIED;
	in->replied_ms = txn->timers.now_ms;
	txn->reply_bytes += in->reply_len;
	TXN_COUNT(txn, peer, tx_replies);
	loop_timers_stop(&txn->timers, &in->timer);
	in->seen->until_ms = txn->timers.now_ms + txn->config.long_timer_ms;
	base_list_remove(&in->seen->node);
	base_list_append(&peer->answered, &in->seen->node);
	if (!loop_timer_active(&peer->expiry))
		loop_timers_start(&txn->timers, &peer->expiry, txn->config.long_timer_ms, on_expiry,
		                  peer);
}

/* What is in txn->out is the reply. */
static void issue(struct h248_incoming *in, bool confirm)
{
	struct h248_txn *txn = in->txn;

	in->reply = txn->out.len ? malloc(txn->out.len) : NULL;
	if (in->reply) {
		memcpy(in->reply, txn->out.data, txn->out.len);
		in->reply_len = txn->out.len;
	}
	replied(in);
	if (in->reply) /* else a repetition of the request is ignored, for at most once comes first
	                */
		txn_put_first(in->peer, &in->from, in->reply, in->reply_len);
	else if (txn->out.len)
		txn_put(txn, in->peer, &in->from, txn->out.data, txn->out.len);
	if (confirm && in->from.transport == H248_UDP && in->reply)
		repeat_unconfirmed(in);
}

static void issue_parts(struct h248_incoming *in, struct txn_parts *parts)
{
	in->parts = parts;
	in->reply_len = txn_parts_bytes(parts);
	replied(in);
	txn_parts_send(parts);
	repeat_unconfirmed(in);
}

static bool too_big(int rc)
{
	return rc && base_err_class(rc) == BASE_LOCAL && base_err_detail(rc) == H248_E_PDU_SIZE;
}

/* An error in its place. What the encoder refuses even so, for want of memory, is not sent. */
static void answer_instead(struct h248_incoming *in, int why)
{
	unsigned code = too_big(why) ? H248_E_PDU_SIZE : H248_E_INTERNAL;
	struct h248_error error = txn_error(code, NULL);
	struct h248_transaction instead = { .id = in->id, .kind = H248_REPLY, .error = &error };

	instead.ack_required = in->pendings > 0;
	if (txn_encode(in->txn, in->peer, &in->from, form_for(in), &instead) != 0)
		base_writer_reset(&in->txn->out);
}

/* Sheet 5.2: version 3, and a transport that does not cut by itself. */
static bool may_segment(const struct h248_incoming *in)
{
	return form_for(in).version >= 3 && !h248_addr_connected(&in->from) &&
	       !in->txn->config.no_segments;
}

static int answer(struct h248_incoming *in, struct h248_transaction *reply)
{
	struct h248_txn *txn = in->txn;
	size_t limit = txn_limit(txn, &in->from);
	struct txn_parts *parts = NULL;
	int rc;

	reply->kind = H248_REPLY;
	reply->id = in->id;
	if (in->pendings) /* D.1.4: SHALL */
		reply->ack_required = true;
	if (may_segment(in) && txn->config.segment_bytes)
		limit = BASE_MIN(limit, (size_t)txn->config.segment_bytes);
	rc = txn_encode_within(txn, in->peer, form_for(in), reply, limit);
	if (too_big(rc) && may_segment(in) && reply->actions && !reply->error) {
		rc = txn_parts_new(&parts, in, reply, form_for(in), limit);
		if (rc == 0) {
			issue_parts(in, parts);
			return 0;
		}
	}
	if (rc)
		answer_instead(in, rc);
	issue(in, reply->ack_required);
	return rc;
}

/* ---- TransactionPending ---- */

static void send_pending(struct h248_incoming *in, const struct h248_addr *to)
{
	struct h248_transaction t = { .kind = H248_PENDING, .id = in->id };

	in->pendings++;
	TXN_COUNT(in->txn, in->peer, tx_pendings);
	txn_send(in->txn, in->peer, to, form_for(in), &t);
}

static bool over_limit(const struct h248_incoming *in)
{
	uint32_t limit = in->txn->config.pending_limit;

	return limit && in->pendings >= limit;
}

static void on_execution_time(void *arg);

static void wait_execution(struct h248_incoming *in)
{
	const struct h248_txn_config *c = &in->txn->config;
	const struct h248_timer_rule *rule = &in->peer->timers.pending;

	if (rule->limit && in->pendings >= rule->limit)
		return;
	if (rule->wait_ms)
		in->pending_ms = txn_rule_next(rule, in->pending_ms);
	else
		in->pending_ms = BASE_MIN(c->execution_ms, txn_or(c->provisional_ms, UINT32_MAX));
	loop_timers_start(&in->txn->timers, &in->timer, in->pending_ms, on_execution_time, in);
}

/* Sheet 5.9: 506 instead of whatever the user is at. */
static void abort_execution(struct h248_incoming *in)
{
	struct h248_txn *txn = in->txn;
	struct h248_error error = txn_error(H248_E_PENDINGS, NULL);
	struct h248_transaction reply = { .error = &error };

	(void)answer(in, &reply); /* one fixed error: nothing to refuse in it */
	in->state = IN_EXPIRED;
	if (txn->ops.on_abort)
		txn->ops.on_abort(txn->ops.arg, in);
}

static void on_execution_time(void *arg)
{
	struct h248_incoming *in = arg;

	if (over_limit(in)) {
		abort_execution(in);
		return;
	}
	send_pending(in, &in->from);
	wait_execution(in);
}

/* ---- arriving ---- */

static void repeated(struct h248_incoming *in, const struct h248_addr *from)
{
	/* The same host by another connection: the reply goes where the peer listens now. */
	if (memcmp(from->ip, in->from.ip, sizeof(from->ip)) == 0)
		in->from = *from;
	if (in->state == IN_EXECUTING && !over_limit(in))
		send_pending(in, from);
	else
		repeat(in, from);
}

void txn_in_request(struct h248_peer *peer, const struct h248_addr *from,
                    const struct h248_message *msg, const struct h248_transaction *req)
{
	struct h248_txn *txn = peer->txn;
	struct txn_seen *seen = find(peer, req->id);
	struct h248_incoming *in;

	if (seen) {
		TXN_COUNT(txn, peer, rx_repeated);
		if (seen->in)
			repeated(seen->in, from);
		return; /* D.1.2.2: silently, once it has been acknowledged */
	}
	in = remember(peer, from, req->id);
	if (!in) {
		struct txn_form form = txn->current->form;

		TXN_COUNT(txn, peer, rx_refused);
		form.version = peer->version ? peer->version : form.version;
		txn_send_error(txn, peer, from, form, req->id, H248_E_BUSY, NULL);
		return;
	}
	TXN_COUNT(txn, peer, rx_executed);
	txn->asking = in;
	txn->ops.on_request(txn->ops.arg, in, msg, req);
	if (txn->asking == in) /* not answered at once */
		wait_execution(in);
	txn->asking = NULL;
}

static void confirmed(struct txn_seen *seen)
{
	struct h248_incoming *in = seen->in;

	if (!in || in->state != IN_REPLIED)
		return;
	TXN_COUNT(in->txn, in->peer, rx_acks);
	release(seen); /* D.1.1: the id is kept until LONG-TIMER */
}

void txn_in_segment(struct h248_peer *peer, const struct h248_transaction *t)
{
	struct txn_seen *seen = find(peer, t->id);
	struct h248_incoming *in = seen ? seen->in : NULL;

	if (!in || !in->parts || !txn_parts_confirmed(in->parts, t->segment))
		return;
	loop_timers_stop(&peer->txn->timers, &in->timer);
	forget_reply(in); /* the peer has it all; a repetition of the request is a late one */
}

/* One range; a walk over the table where that is shorter, for a range may be four thousand millions
 * wide. @return steps taken. */
static size_t confirm_range(struct h248_peer *peer, uint32_t first, uint32_t last)
{
	size_t count = peer->incoming.count;

	if (first > last)
		return 1;
	if (last - first >= count) {
		BASE_LIST_EACH(&peer->answered, node, after)
		{
			struct txn_seen *seen = BASE_CONTAINER_OF(node, struct txn_seen, node);

			if (seen->id >= first && seen->id <= last)
				confirmed(seen);
		}
		return count + 1;
	}
	for (uint32_t n = last - first + 1, id = first; n; n--, id++) {
		struct txn_seen *seen = find(peer, id);

		if (seen)
			confirmed(seen);
	}
	return (size_t)(last - first) + 1;
}

void txn_in_ack(struct h248_peer *peer, const struct h248_transaction *ack)
{
	/* Thousands of wide ranges fit into a message. To forget a reply early is a favour
	 * (D.1.2.2: "may choose"), so who asks too much of it is not served to the end. */
	size_t budget = 2 * peer->incoming.count + 4096;

	for (const struct h248_ack *a = ack->acks; a && budget; a = a->next) {
		size_t steps = confirm_range(peer, a->first, a->last);

		budget -= BASE_MIN(steps, budget);
	}
}

/* ---- the user's side ---- */

struct h248_peer *h248_incoming_peer(const struct h248_incoming *in)
{
	return in->peer;
}

uint32_t h248_incoming_id(const struct h248_incoming *in)
{
	return in->id;
}

const struct h248_addr *h248_incoming_from(const struct h248_incoming *in)
{
	return &in->from;
}

void h248_incoming_keep(struct h248_incoming *in)
{
	if (in->input || !in->txn->current)
		return;
	in->input = in->txn->current;
	in->input->refs++;
}

int h248_txn_reply(struct h248_incoming *in, struct h248_transaction *reply)
{
	struct h248_txn *txn = in->txn;
	struct txn_input *input = in->input; /* the reply may borrow from it */
	int rc = 0;

	in->input = NULL;
	h248_txn_now(txn);
	if (in->state == IN_EXECUTING) {
		rc = answer(in, reply);
	} else {
		TXN_COUNT(txn, in->peer, late_replies);
		if (in->state == IN_ORPHAN)
			txn_in_destroy(in);
		else
			in->state = IN_REPLIED;
	}
	txn_input_unref(txn, input);
	txn_tell(txn);
	return rc;
}

void h248_txn_reply_error(struct h248_incoming *in, unsigned code, const char *text)
{
	struct h248_error error = txn_error(code, text);
	struct h248_transaction reply = { .error = &error };

	(void)h248_txn_reply(in, &reply); /* a text that cannot be sent has become error 500 */
}
