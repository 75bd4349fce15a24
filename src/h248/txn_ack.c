/* SPDX-License-Identifier: Apache-2.0 */
/* Acknowledgements of replies (RFC 3525, D.1.2.2): with the next message, or by themselves when
 * none comes in time, when there are many, or when the peer wants one at once (D.1.4). */
#include "h248/txn_private.h"

struct h248_ack *txn_ack_list(const struct h248_peer *peer, struct h248_ack *range)
{
	unsigned n = peer->acks_count;

	for (unsigned i = 0; i < n; i++)
		range[i] = (struct h248_ack){ i + 1 < n ? &range[i + 1] : NULL, peer->acks[i].first,
			                      peer->acks[i].last };
	return n ? range : NULL;
}

void txn_ack_sent(struct h248_peer *peer)
{
	TXN_COUNT(peer->txn, peer, tx_acks);
	peer->acks_count = 0;
	peer->acks_ids = 0;
	loop_timers_stop(&peer->txn->timers, &peer->ack_timer);
}

void txn_ack_flush(struct h248_peer *peer)
{
	struct h248_ack range[TXN_ACK_RANGES];
	struct h248_transaction t = { .kind = H248_ACK, .acks = txn_ack_list(peer, range) };

	if (!t.acks)
		return;
	txn_send(peer->txn, peer, &peer->addr, txn_form_of(peer, 0), &t);
	txn_ack_sent(peer);
}

void txn_ack_now(struct h248_peer *peer, const struct h248_addr *to, uint32_t id)
{
	struct h248_ack range = { .first = id, .last = id };
	struct h248_transaction t = { .kind = H248_ACK, .acks = &range };

	TXN_COUNT(peer->txn, peer, tx_acks);
	txn_send(peer->txn, peer, to, txn_form_of(peer, 0), &t);
}

/* @return true when the id is in one of the ranges now */
static bool widen(struct h248_peer *peer, uint32_t id)
{
	for (unsigned i = 0; i < peer->acks_count; i++) {
		struct txn_range *r = &peer->acks[i];

		if (id >= r->first && id <= r->last)
			return true;
		if (id != r->last + 1 && id + 1 != r->first)
			continue;
		if (id == r->last + 1)
			r->last = id;
		else
			r->first = id;
		peer->acks_ids++;
		return true;
	}
	return false;
}

static void on_ack_timer(void *arg)
{
	txn_ack_flush(arg);
}

void txn_ack_owe(struct h248_peer *peer, uint32_t id)
{
	const struct h248_txn_config *c = &peer->txn->config;

	if (!widen(peer, id)) {
		if (peer->acks_count == TXN_ACK_RANGES)
			txn_ack_flush(peer);
		peer->acks[peer->acks_count++] = (struct txn_range){ id, id };
		peer->acks_ids++;
	}
	if (c->ack_max && peer->acks_ids >= c->ack_max)
		txn_ack_flush(peer);
	else if (c->ack_ms && !loop_timer_active(&peer->ack_timer))
		loop_timers_start(&peer->txn->timers, &peer->ack_timer, c->ack_ms, on_ack_timer,
		                  peer);
}
