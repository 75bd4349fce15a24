/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of our peers: executed at most once (RFC 3525, D.1.1), with TransactionPending while
 * that takes (8.2.3, D.1.4) and the reply kept for who did not get it (D.1.5). */
#include <stdlib.h>

#include "h248/txn_private.h"

static unsigned version_for(const struct h248_incoming *in)
{
	return in->peer->version ? in->peer->version : in->version;
}

/* ---- the table ---- */

static void forget_reply(struct h248_incoming *in)
{
	in->txn->reply_bytes -= in->reply_len;
	free(in->reply);
	in->reply = NULL;
	in->reply_len = 0;
}

/* Out of its peer's table; the struct stays. */
static void leave_peer(struct h248_incoming *in)
{
	loop_timers_stop(&in->txn->timers, &in->timer);
	loop_timers_stop(&in->txn->timers, &in->expiry);
	base_list_remove(&in->node);
	if (!in->peer)
		return;
	base_map_remove(&in->peer->incoming, &in->by_id);
	if (in->state == IN_EXECUTING)
		in->peer->executing--;
	in->txn->remembered--;
	in->peer = NULL;
}

void txn_in_destroy(struct h248_incoming *in)
{
	leave_peer(in);
	forget_reply(in);
	txn_input_unref(in->txn, in->input);
	free(in);
}

void txn_in_drop(struct h248_peer *peer)
{
	BASE_LIST_EACH(&peer->incoming_list, node, after)
	{
		struct h248_incoming *in = BASE_CONTAINER_OF(node, struct h248_incoming, node);

		if (in->state == IN_REPLIED || in->state == IN_ACKED) {
			txn_in_destroy(in);
			continue;
		}
		leave_peer(in); /* the user still has it */
		in->state = IN_ORPHAN;
		base_list_append(&peer->txn->orphans, &in->node);
	}
}

static void on_expiry(void *arg)
{
	struct h248_incoming *in = arg;

	if (in->state == IN_REPLIED || in->state == IN_ACKED) {
		txn_in_destroy(in);
		return;
	}
	leave_peer(in); /* told 506 LONG-TIMER ago, and the user still has it */
	in->state = IN_ORPHAN;
	base_list_append(&in->txn->orphans, &in->node);
}

static struct h248_incoming *find(struct h248_peer *peer, uint32_t id)
{
	struct base_map_node *node = base_map_find(&peer->incoming, txn_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct h248_incoming, by_id) : NULL;
}

static struct h248_incoming *remember(struct h248_peer *peer, const struct h248_addr *from,
                                      uint32_t id, unsigned version)
{
	struct h248_txn *txn = peer->txn;
	struct h248_incoming *in;

	/* Nothing is thrown out to make room: what is forgotten early could be executed twice. */
	if (txn->remembered >= txn->config.max_incoming ||
	    txn->reply_bytes >= txn->config.max_reply_bytes)
		return NULL;
	in = calloc(1, sizeof(*in));
	if (!in)
		return NULL;
	*in = (struct h248_incoming){ .txn = txn, .peer = peer, .from = *from, .id = id };
	in->version = (uint8_t)version;
	if (base_map_insert(&peer->incoming, txn_key(&in->id), &in->by_id) != 0) {
		free(in);
		return NULL;
	}
	base_list_append(&peer->incoming_list, &in->node);
	peer->executing++;
	txn->remembered++;
	return in;
}

/* ---- the reply, kept and repeated ---- */

static void on_repeat(void *arg)
{
	struct h248_incoming *in = arg;
	struct h248_txn *txn = in->txn;

	if (txn->timers.now_ms - in->replied_ms >= txn->config.t_max_ms)
		return; /* kept until LONG-TIMER for whoever asks again */
	txn->count.tx_replies_repeated++;
	txn_put(txn, &in->from, in->reply, in->reply_len);
	in->repeat_ms = BASE_MIN(in->repeat_ms * 2, txn->config.rto_max_ms);
	loop_timers_start(&txn->timers, &in->timer,
	                  txn_random(txn, in->repeat_ms / 2, in->repeat_ms), on_repeat, in);
}

/* What is in txn->out is the reply: send it, and keep it for LONG-TIMER. */
static void issue(struct h248_incoming *in, bool confirm)
{
	struct h248_txn *txn = in->txn;

	if (in->state == IN_EXECUTING)
		in->peer->executing--;
	in->state = IN_REPLIED;
	in->replied_ms = txn->timers.now_ms;
	loop_timers_stop(&txn->timers, &in->timer);
	loop_timers_start(&txn->timers, &in->expiry, txn->config.long_timer_ms, on_expiry, in);
	in->reply = malloc(txn->out.len + 1);
	if (in->reply && txn->out.len) {
		memcpy(in->reply, txn->out.data, txn->out.len);
		in->reply_len = txn->out.len;
		txn->reply_bytes += in->reply_len;
	} else { /* no copy: a repetition of the request is ignored, for at most once comes first */
		forget_reply(in);
		in->state = IN_ACKED;
	}
	txn->count.tx_replies++;
	if (txn->out.len)
		txn_put(txn, &in->from, txn->out.data, txn->out.len);
	/* The peer, which has heard a Pending, repeats its request slowly: so the reply repeats
	 * itself until it is confirmed. */
	if (confirm && in->from.transport == H248_UDP && in->reply) {
		in->repeat_ms = h248_peer_rto_ms(in->peer);
		loop_timers_start(&txn->timers, &in->timer, in->repeat_ms, on_repeat, in);
	}
}

static int answer(struct h248_incoming *in, struct h248_transaction *reply)
{
	struct h248_txn *txn = in->txn;
	int rc;

	reply->kind = H248_REPLY;
	reply->id = in->id;
	if (in->pendings) /* D.1.4: SHALL */
		reply->ack_required = true;
	rc = txn_encode(txn, in->peer, &in->from, version_for(in), reply);
	if (rc) {
		bool big =
		        base_err_class(rc) == BASE_LOCAL && base_err_detail(rc) == H248_E_PDU_SIZE;
		struct h248_error error = txn_error(big ? H248_E_PDU_SIZE : H248_E_INTERNAL, NULL);
		struct h248_transaction instead = { .id = in->id, .kind = H248_REPLY };

		instead.error = &error;
		instead.ack_required = in->pendings > 0;
		if (txn_encode(txn, in->peer, &in->from, version_for(in), &instead) != 0)
			base_writer_reset(&txn->out); /* out of memory: nothing is sent */
	}
	issue(in, reply->ack_required);
	return rc;
}

/* ---- TransactionPending ---- */

static void send_pending(struct h248_incoming *in, const struct h248_addr *to)
{
	struct h248_transaction t = { .kind = H248_PENDING, .id = in->id };

	in->pendings++;
	in->txn->count.tx_pendings++;
	txn_send(in->txn, to, version_for(in), &t);
}

static void on_execution_time(void *arg)
{
	struct h248_incoming *in = arg;
	struct h248_txn *txn = in->txn;

	if (txn->config.pending_limit && in->pendings >= txn->config.pending_limit) {
		struct h248_error error = txn_error(H248_E_PENDINGS, NULL);
		struct h248_transaction reply = { .error = &error };

		(void)answer(in, &reply); /* one fixed error: nothing to refuse in it */
		in->state = IN_EXPIRED;
		return;
	}
	send_pending(in, &in->from);
	loop_timers_start(&txn->timers, &in->timer, txn->config.execution_ms, on_execution_time,
	                  in);
}

/* ---- arriving ---- */

static void repeated(struct h248_incoming *in, const struct h248_addr *from)
{
	struct h248_txn *txn = in->txn;
	bool over = txn->config.pending_limit && in->pendings >= txn->config.pending_limit;

	txn->count.rx_repeated++;
	/* The same host by another connection: the reply goes where the peer listens now. */
	if (memcmp(from->ip, in->from.ip, sizeof(from->ip)) == 0)
		in->from = *from;
	if (in->state == IN_EXECUTING && !over) {
		send_pending(in, from);
	} else if (in->reply) {
		txn->count.tx_replies_repeated++;
		txn_put(txn, from, in->reply, in->reply_len);
	}
}

void txn_in_request(struct h248_peer *peer, const struct h248_addr *from,
                    const struct h248_message *msg, const struct h248_transaction *req)
{
	struct h248_txn *txn = peer->txn;
	struct h248_incoming *in = find(peer, req->id);

	if (in) {
		repeated(in, from);
		return;
	}
	in = remember(peer, from, req->id, msg->version);
	if (!in) {
		txn->count.rx_refused++;
		txn_send_error(txn, from, peer->version ? peer->version : msg->version, req->id,
		               H248_E_BUSY, NULL);
		return;
	}
	txn->count.rx_executed++;
	loop_timers_start(&txn->timers, &in->timer, txn->config.execution_ms, on_execution_time,
	                  in);
	txn->ops.on_request(txn->ops.arg, in, msg, req);
}

static void confirmed(struct h248_incoming *in)
{
	if (in->state != IN_REPLIED)
		return;
	in->txn->count.rx_acks++;
	in->state = IN_ACKED; /* D.1.1: the id is kept until LONG-TIMER */
	loop_timers_stop(&in->txn->timers, &in->timer);
	forget_reply(in);
}

/* One range; a walk over the table where that is shorter, for a range may be four thousand millions
 * wide. @return steps taken. */
static size_t confirm_range(struct h248_peer *peer, uint32_t first, uint32_t last)
{
	size_t count = peer->incoming.count;

	if (first > last)
		return 1;
	if (last - first >= count) {
		BASE_LIST_EACH(&peer->incoming_list, node, after)
		{
			struct h248_incoming *in =
			        BASE_CONTAINER_OF(node, struct h248_incoming, node);

			if (in->id >= first && in->id <= last)
				confirmed(in);
		}
		return count + 1;
	}
	for (uint32_t n = last - first + 1, id = first; n; n--, id++) {
		struct h248_incoming *in = find(peer, id);

		if (in)
			confirmed(in);
	}
	return (size_t)(last - first) + 1;
}

void txn_in_ack(struct h248_peer *peer, const struct h248_transaction *ack)
{
	/* Thousands of wide ranges fit into a message. To forget a reply early is a favour
	 * (D.1.2.2: "may choose"), so who asks too much of it is not served to the end. */
	size_t budget = 2 * peer->incoming.count + 4096;

	for (const struct h248_ack *a = ack->acks; a && budget; a = a->next)
		budget -= BASE_MIN(confirm_range(peer, a->first, a->last), budget);
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
		txn->count.late_replies++;
		if (in->state == IN_ORPHAN)
			txn_in_destroy(in);
		else
			in->state = in->reply ? IN_REPLIED : IN_ACKED;
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
