/* SPDX-License-Identifier: Apache-2.0 */
/* One entity: its life, its time and its limits. */
#include "h248/txn.h"

#include <errno.h>
#include <stdlib.h>

#include "h248/txn_private.h"

/* ---- life ---- */

static void set_defaults(struct h248_txn_config *c)
{
	c->long_timer_ms = txn_or(c->long_timer_ms, 30000);
	c->t_max_ms = txn_or(c->t_max_ms, 25000);
	c->rto_first_ms = txn_or(c->rto_first_ms, 200);
	c->rto_min_ms = txn_or(c->rto_min_ms, 100);
	c->rto_max_ms = txn_or(c->rto_max_ms, 4000);
	c->pending_rto_ms = txn_or(c->pending_rto_ms, 5000);
	c->execution_ms = txn_or(c->execution_ms, 500);
	c->segment_ms = txn_or(c->segment_ms, c->pending_rto_ms);
	c->segment_window = txn_or(c->segment_window, 8);
	c->bundle_bytes = txn_or(c->bundle_bytes, 1400);
	c->max_queued = txn_or(c->max_queued, 1024);
	c->max_peers = txn_or(c->max_peers, 64);
	c->max_incoming = txn_or(c->max_incoming, 1U << 21);
	c->max_outgoing = txn_or(c->max_outgoing, 65536);
	c->max_udp = txn_or(c->max_udp, 65507);
	if (!c->max_reply_bytes)
		c->max_reply_bytes = (size_t)64 << 20;
}

static int seed(struct h248_txn *txn)
{
	uint64_t bytes[2];
	int rc;

	txn->random = txn->config.seed;
	txn->next_id = txn->config.first_id;
	if (txn->random && txn->next_id)
		return 0;
	rc = base_random(bytes, sizeof(bytes));
	if (rc)
		return rc;
	if (!txn->random)
		txn->random = bytes[0] | 1;
	if (!txn->next_id) /* well below the top, so that ids grow for a long time */
		txn->next_id = (uint32_t)(bytes[1] & 0x3fffffff) + 1;
	return 0;
}

int h248_txn_new(struct h248_txn **ret, const struct h248_txn_config *config,
                 const struct h248_txn_ops *ops)
{
	struct h248_txn *txn = calloc(1, sizeof(*txn));
	size_t name_len = config->mid.name.len;
	int rc;

	if (!txn)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	txn->config = *config;
	txn->ops = *ops;
	set_defaults(&txn->config);
	base_list_init(&txn->peers);
	base_list_init(&txn->dead_peers);
	base_list_init(&txn->orphans);
	txn->told_ms = UINT64_MAX;
	txn->out.wipe = true;
	rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	txn->mid_name = calloc(1, name_len + 1);
	if (!txn->mid_name)
		goto out;
	if (name_len)
		memcpy(txn->mid_name, config->mid.name.ptr, name_len);
	txn->config.mid.name = (struct base_str){ txn->mid_name, name_len };
	rc = seed(txn);
	if (rc)
		goto out;
	h248_txn_now(txn);
	*ret = txn;
	txn = NULL;
out:
	h248_txn_free(txn);
	return rc;
}

void h248_txn_free(struct h248_txn *txn)
{
	if (!txn)
		return;
	BASE_LIST_EACH(&txn->peers, node, after)
	txn_peer_destroy(BASE_CONTAINER_OF(node, struct h248_peer, node));
	txn_peer_reap(txn);
	BASE_LIST_EACH(&txn->orphans, node, after)
	txn_in_destroy(BASE_CONTAINER_OF(node, struct h248_incoming, node));
	base_map_done(&txn->by_mid);
	base_map_done(&txn->outgoing);
	base_writer_done(&txn->out);
	txn_input_free(txn->spare);
	free(txn->late);
	free(txn->mid_name);
	free(txn);
}

void h248_txn_limits_set(struct h248_txn *txn, uint32_t execution_ms, uint32_t pending_limit)
{
	txn->config.execution_ms = txn_or(execution_ms, 500);
	txn->config.pending_limit = pending_limit;
}

void h248_txn_root_set(struct h248_txn *txn, const struct h248_txn_root *root)
{
	h248_txn_limits_set(txn, root->execution_ms, root->pending_limit);
	txn->config.provisional_ms = root->provisional_ms;
	txn->config.peer_provisional_ms = root->peer_provisional_ms;
	txn->config.peer_pending_limit = root->peer_pending_limit;
}

void h248_txn_root(const struct h248_txn *txn, struct h248_txn_root *ret)
{
	*ret = (struct h248_txn_root){
		.execution_ms = txn->config.execution_ms,
		.provisional_ms = txn->config.provisional_ms,
		.pending_limit = txn->config.pending_limit,
		.peer_provisional_ms = txn->config.peer_provisional_ms,
		.peer_pending_limit = txn->config.peer_pending_limit,
	};
}

void h248_txn_segments_set(struct h248_txn *txn, uint32_t segment_bytes, uint32_t segment_ms)
{
	txn->config.segment_bytes = segment_bytes;
	txn->config.segment_ms = txn_or(segment_ms, txn->config.pending_rto_ms);
}

/* ---- time ---- */

uint64_t h248_txn_now(struct h248_txn *txn)
{
	txn->timers.now_ms = BASE_MAX(txn->timers.now_ms, txn->ops.now_ms(txn->ops.arg));
	return txn->timers.now_ms;
}

uint64_t h248_txn_deadline(const struct h248_txn *txn)
{
	return loop_timers_deadline(&txn->timers);
}

void txn_tell(struct h248_txn *txn)
{
	uint64_t deadline = h248_txn_deadline(txn);

	if (txn->depth || deadline == txn->told_ms)
		return;
	txn->told_ms = deadline;
	if (txn->ops.rearm)
		txn->ops.rearm(txn->ops.arg, deadline);
}

struct loop_timers *h248_txn_timers(struct h248_txn *txn)
{
	return &txn->timers;
}

void h248_txn_timers_changed(struct h248_txn *txn)
{
	txn_tell(txn);
}

void txn_enter(struct h248_txn *txn)
{
	txn->depth++;
}

void txn_leave(struct h248_txn *txn)
{
	if (--txn->depth == 0)
		txn_peer_reap(txn);
	txn_tell(txn);
}

void h248_txn_advance(struct h248_txn *txn)
{
	txn_enter(txn);
	txn->told_ms = 0; /* a one-shot timer outside has fired: it needs to hear again */
	loop_timers_run(&txn->timers, h248_txn_now(txn));
	txn_leave(txn);
}

uint32_t txn_random(struct h248_txn *txn, uint32_t low, uint32_t high)
{
	/* xorshift64*: spreads timers, guards nothing */
	txn->random ^= txn->random >> 12;
	txn->random ^= txn->random << 25;
	txn->random ^= txn->random >> 27;
	return low +
	       (uint32_t)((txn->random * 2685821657736338717U >> 33) % ((uint64_t)high - low + 1));
}

const struct h248_mid *h248_txn_mid(const struct h248_txn *txn)
{
	return &txn->config.mid;
}

const struct h248_txn_counters *h248_txn_counters(const struct h248_txn *txn)
{
	return &txn->count;
}

size_t h248_txn_remembered(const struct h248_txn *txn)
{
	return txn->remembered;
}
