/* SPDX-License-Identifier: Apache-2.0 */
/* Requests given up lately, so that a reply which comes after all can be told from the repetition
 * of one that came in time. A ring: the oldest makes room. */
#include <stdlib.h>

#include "h248/txn_private.h"

#define LATE_MAX 1024

struct txn_late {
	const struct h248_peer *peer; /* compared only; NULL: taken */
	uint64_t until_ms;
	uint32_t id;
};

void txn_late_expect(const struct h248_peer *peer, uint32_t id)
{
	struct h248_txn *txn = peer->txn;

	if (!txn->ops.on_late_reply)
		return;
	if (!txn->late)
		txn->late = calloc(LATE_MAX, sizeof(*txn->late));
	if (!txn->late)
		return; /* the reply will count as stray */
	txn->late[txn->late_at] = (struct txn_late){
		.peer = peer, .until_ms = txn->timers.now_ms + txn->config.long_timer_ms, .id = id
	};
	txn->late_at = (txn->late_at + 1) % LATE_MAX;
	txn->late_count = BASE_MIN(txn->late_count + 1, (size_t)LATE_MAX);
}

bool txn_late_take(const struct h248_peer *peer, uint32_t id)
{
	struct h248_txn *txn = peer->txn;

	for (size_t i = 0; i < txn->late_count; i++) {
		struct txn_late *late = &txn->late[i];

		if (late->peer != peer || late->id != id)
			continue;
		late->peer = NULL;
		return late->until_ms > txn->timers.now_ms;
	}
	return false;
}

void txn_late_drop(const struct h248_peer *peer)
{
	for (size_t i = 0; i < peer->txn->late_count; i++) {
		if (peer->txn->late[i].peer == peer)
			peer->txn->late[i].peer = NULL;
	}
}
