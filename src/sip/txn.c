/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction is found by its key (17.1.3, 17.2.3) and is in the list of its flow. Nothing is
 * freed but by its last timer, so that a caller's pointer lives until on_end: what is over leaves
 * the map at once and waits for that timer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sip/txn_private.h"

#define WEIGHT_OCTETS 4096U /* a larger request counts for one more each */

/* -- keys -------------------------------------------------------------------------------------- */

static void key_method(struct base_writer *w, const struct sip_message *msg)
{
	base_writer_str(w, msg->method == SIP_ACK ? BASE_STR("INVITE") : msg->method_name);
}

/* All of it: an octet of value 0 does not make two keys one. */
static void key_part(struct base_writer *w, struct base_str part)
{
	base_writer_u8(w, ' ');
	base_writer_str(w, part);
}

static void key_host(struct base_writer *w, struct base_str host)
{
	if (!base_writer_reserve(w, host.len))
		return;
	for (size_t i = 0; i < host.len; i++)
		w->data[w->len++] = (uint8_t)base_lower(host.ptr[i]);
}

/* 17.1.3: branch and method. 17.2.3: sent-by too; by the rules of RFC 2543 where there is no
 * cookie. */
void sip_txn_key(struct base_writer *w, const struct sip_message *msg, struct sip_flow flow,
                 bool server)
{
	struct base_str cookie = { msg->via.branch.ptr, strlen(SIP_BRANCH_COOKIE) };

	base_writer_text(w, server ? "s " : "c ");
	key_method(w, msg);
	key_part(w, msg->via.branch);
	if (!server)
		return;
	base_writer_u8(w, ' ');
	key_host(w, msg->via.host);
	base_writer_u16(w, msg->via.port);
	if (flow.reliable)
		base_writer_put(w, &flow.id, sizeof(flow.id));
	if (msg->via.branch.len > cookie.len && base_str_eq(cookie, BASE_STR(SIP_BRANCH_COOKIE)))
		return;
	base_writer_printf(w, " %u", msg->cseq);
	key_part(w, msg->call_id);
	key_part(w, msg->from_tag);
	key_part(w, msg->target);
	key_part(w, msg->via.text);
}

struct sip_txn *sip_txn_find(struct sip_txns *txns, const struct sip_message *msg,
                             struct sip_flow flow, bool server)
{
	struct base_map_node *node;

	base_writer_reset(&txns->key);
	sip_txn_key(&txns->key, msg, flow, server);
	node = txns->key.failed ? NULL : base_map_find(&txns->map, base_writer_view(&txns->key));
	return node ? BASE_CONTAINER_OF(node, struct sip_txn, node) : NULL;
}

struct sip_txn *sip_txn_cancelled(const struct sip_txn *cancel)
{
	struct sip_message invite = cancel->request;

	invite.method_name = BASE_STR("INVITE"); /* nothing else is worth cancelling (9.1) */
	return sip_txn_find(cancel->owner, &invite, cancel->flow, true);
}

/* -- flows ------------------------------------------------------------------------------------- */

static struct txn_flow *flow_find(const struct sip_txns *txns, uint64_t id)
{
	struct base_map_node *node =
	        base_map_find(&txns->flows, (struct base_str){ (char *)&id, sizeof(id) });

	return node ? BASE_CONTAINER_OF(node, struct txn_flow, node) : NULL;
}

/* @return false: no memory */
static bool flow_join(struct sip_txn *txn)
{
	struct txn_flow *f = flow_find(txn->owner, txn->flow.id);

	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			return false;
		f->id = txn->flow.id;
		base_list_init(&f->txns);
		if (base_map_insert(&txn->owner->flows,
		                    (struct base_str){ (char *)&f->id, sizeof(f->id) }, &f->node)) {
			free(f);
			return false;
		}
	}
	base_list_append(&f->txns, &txn->beside);
	txn->group = f;
	return true;
}

static void flow_leave(struct sip_txn *txn)
{
	struct txn_flow *f = txn->group;

	if (!f)
		return;
	base_list_remove(&txn->beside);
	if (!base_list_empty(&f->txns))
		return;
	base_map_remove(&txn->owner->flows, &f->node);
	free(f);
}

/* -- life -------------------------------------------------------------------------------------- */

int sip_txns_new(struct sip_txns **ret, const struct sip_txn_config *config,
                 const struct sip_txn_ops *ops)
{
	struct sip_txns *txns = calloc(1, sizeof(*txns));

	if (!txns)
		return BASE_ERR(BASE_LOCAL, 500);
	txns->ops = *ops;
	txns->config = *config;
	if (!txns->config.t1_ms)
		txns->config.t1_ms = 500;
	if (!txns->config.t2_ms)
		txns->config.t2_ms = 4000;
	if (!txns->config.t4_ms)
		txns->config.t4_ms = 5000;
	if (!txns->config.count_max)
		txns->config.count_max = 65536;
	if (!txns->config.lingering_max)
		txns->config.lingering_max = 65536;
	txns->told_ms = UINT64_MAX;
	ops->random(ops->arg, (uint8_t *)txns->tag_seed, sizeof(txns->tag_seed));
	base_list_init(&txns->all);
	base_list_init(&txns->lingering);
	*ret = txns;
	return 0;
}

/* It wants nothing any more; whether it lingers is another matter. */
static void rest(struct sip_txn *txn)
{
	txn->owner->busy -= txn->busy;
	txn->busy = false;
	if (!txn->lingers)
		return;
	txn->lingers = false;
	base_list_remove(&txn->behind);
	txn->owner->lingering_count--;
	txn->owner->lingering_weight -= txn->weight;
}

void sip_txn_free(struct sip_txn *txn)
{
	struct sip_txns *txns = txn->owner;

	rest(txn);
	loop_timers_stop(&txns->timers, &txn->repeat);
	loop_timers_stop(&txns->timers, &txn->limit);
	if (txn->mapped)
		base_map_remove(&txns->map, &txn->node);
	flow_leave(txn);
	base_list_remove(&txn->all);
	txns->count--;
	base_writer_done(&txn->sent);
	base_arena_done(&txn->arena);
	free(txn);
}

void sip_txns_free(struct sip_txns *txns)
{
	if (!txns)
		return;
	BASE_LIST_EACH(&txns->all, node, after)
	{
		sip_txn_free(BASE_CONTAINER_OF(node, struct sip_txn, all));
	}
	base_map_done(&txns->map);
	base_map_done(&txns->flows);
	base_arena_done(&txns->in);
	base_arena_done(&txns->out);
	base_writer_done(&txns->key);
	free(txns);
}

int sip_txn_new(struct sip_txn **ret, struct sip_txns *txns, const struct sip_message *msg,
                struct sip_flow flow, bool server)
{
	struct sip_txn *txn;
	int rc;

	if (txns->busy >= txns->config.count_max)
		return BASE_ERR(BASE_LOCAL, 503);
	txn = calloc(1, sizeof(*txn));
	if (!txn)
		return BASE_ERR(BASE_LOCAL, 500);
	txn->owner = txns;
	txn->flow = flow;
	txn->machine = msg->method == SIP_INVITE ? (server ? INVITE_SERVER : INVITE_CLIENT)
	                                         : (server ? OTHER_SERVER : OTHER_CLIENT);
	txn->state = txn->machine == INVITE_SERVER ? PROCEEDING : CALLING;
	base_list_append(&txns->all, &txn->all);
	txns->count++;
	txn->busy = true;
	txns->busy++;
	txn->weight = 1 + (unsigned)(msg->octets.len / WEIGHT_OCTETS);
	txn->arena.chunk_size = msg->octets.len + (msg->header_count + 2) * sizeof(*msg->headers) +
	                        txns->key.len + 160;
	txn->key.len = txns->key.len;
	txn->key.ptr =
	        txns->key.failed ? NULL : base_arena_dup(&txn->arena, base_writer_view(&txns->key));
	rc = !txn->key.ptr || !flow_join(txn) ? BASE_ERR(BASE_LOCAL, 500)
	                                      : sip_message_copy(&txn->request, &txn->arena, msg);
	if (!rc)
		rc = base_map_insert(&txns->map, txn->key, &txn->node);
	if (rc) {
		sip_txn_free(txn);
		return BASE_ERR(BASE_LOCAL, 500);
	}
	txn->mapped = true;
	*ret = txn;
	return 0;
}

/* -- steps ------------------------------------------------------------------------------------- */

void sip_txns_rearm(struct sip_txns *txns)
{
	uint64_t deadline = loop_timers_deadline(&txns->timers);

	if (deadline == txns->told_ms)
		return;
	txns->told_ms = deadline;
	txns->ops.rearm(txns->ops.arg, deadline);
}

static void over(void *arg)
{
	struct sip_txn *txn = arg;
	struct sip_txns *txns = txn->owner;

	txns->ops.on_end(txns->ops.arg, txn, txn->why);
	sip_txn_free(txn);
}

static void on_repeat(void *arg)
{
	sip_txn_step(arg, EV_REPEAT, NULL);
}

static void on_timeout(void *arg)
{
	sip_txn_step(arg, EV_TIMEOUT, NULL);
}

static void on_linger(void *arg)
{
	sip_txn_step(arg, EV_LINGER, NULL);
}

/* How long it stays for the peer's repetitions (table 4): timers D, K, I, J, and L and M. */
static uint64_t linger_ms(const struct sip_txn *txn)
{
	const struct sip_txn_config *c = &txn->owner->config;

	if (txn->state == ACCEPTED)
		return (uint64_t)64 * c->t1_ms; /* 2xx are repeated whatever the transport */
	if (txn->flow.reliable)
		return 0;
	switch (txn->machine) {
	case INVITE_CLIENT:
		return BASE_MAX((uint64_t)64 * c->t1_ms, 32000U);
	case OTHER_SERVER:
		return (uint64_t)64 * c->t1_ms;
	default:
		return c->t4_ms;
	}
}

static void repeat_in(struct sip_txn *txn, uint64_t wait_ms)
{
	txn->wait_ms = wait_ms;
	if (!txn->flow.reliable)
		loop_timers_start(&txn->owner->timers, &txn->repeat, wait_ms, on_repeat, txn);
}

void sip_txn_give_up(struct sip_txn *txn)
{
	loop_timers_start(&txn->owner->timers, &txn->limit, (uint64_t)64 * txn->owner->config.t1_ms,
	                  on_timeout, txn);
}

void sip_txn_repeat(struct sip_txn *txn)
{
	repeat_in(txn, txn->owner->config.t1_ms);
	sip_txn_give_up(txn);
}

static void finish(struct sip_txn *txn, enum sip_end why)
{
	struct sip_txns *txns = txn->owner;

	txn->why = why;
	rest(txn);
	loop_timers_stop(&txns->timers, &txn->repeat);
	if (txn->mapped)
		base_map_remove(&txns->map, &txn->node);
	txn->mapped = false;
	loop_timers_start(&txns->timers, &txn->limit, 0, over, txn);
}

int sip_txn_send(struct sip_txn *txn)
{
	struct sip_txns *txns = txn->owner;
	struct base_str octets = base_writer_view(&txn->sent);

	if (txn->sent.failed) /* half a message is none */
		return BASE_ERR(BASE_LOCAL, 500);
	if (!octets.len && sip_txn_is_client(txn))
		octets = txn->request.octets;
	return octets.len ? txns->ops.send(txns->ops.arg, txn->flow, octets) : 0;
}

/* A peer repeats every 4 s at most, and mostly needs no more than that. */
static void make_room(struct sip_txns *txns)
{
	while (txns->lingering_weight > txns->config.lingering_max)
		sip_txn_step(BASE_CONTAINER_OF(txns->lingering.next, struct sip_txn, behind),
		             EV_LINGER, NULL);
}

/* It has its answer. Who sends no ACK keeps nobody out. */
static void fall_behind(struct sip_txn *txn)
{
	struct sip_txns *txns = txn->owner;

	rest(txn);
	txn->lingers = true;
	base_list_append(&txns->lingering, &txn->behind);
	txns->lingering_count++;
	txns->lingering_weight += txn->weight;
	make_room(txns);
}

static void linger(struct sip_txn *txn)
{
	uint64_t wait_ms = linger_ms(txn);

	loop_timers_start(&txn->owner->timers, &txn->limit, wait_ms, on_linger, txn);
	if (wait_ms)
		fall_behind(txn);
	else
		rest(txn);
}

static void timing(struct sip_txn *txn, unsigned actions)
{
	const struct sip_txn_config *c = &txn->owner->config;

	if (actions & (DO_STOP | DO_REPEAT)) {
		loop_timers_stop(&txn->owner->timers, &txn->repeat);
		loop_timers_stop(&txn->owner->timers, &txn->limit);
	}
	if (actions & DO_REPEAT)
		sip_txn_repeat(txn);
	if (actions & DO_DOUBLE) /* timer A has no bound but B (17.1.1.2) */
		repeat_in(txn, txn->machine == INVITE_CLIENT
		                       ? txn->wait_ms * 2
		                       : BASE_MIN(txn->wait_ms * 2, (uint64_t)c->t2_ms));
	if (actions & DO_SLOW)
		repeat_in(txn, c->t2_ms);
	if (actions & DO_REST)
		fall_behind(txn);
	if (actions & DO_LINGER)
		linger(txn);
}

void sip_txn_step(struct sip_txn *txn, enum txn_event event, const struct sip_message *msg)
{
	struct txn_step step =
	        sip_txn_step_of((enum txn_machine)txn->machine, (enum txn_state)txn->state, event);
	struct sip_txns *txns = txn->owner;
	int rc = 0;

	if (!step.legal)
		return;
	txn->state = step.next;
	if (step.actions & (DO_DONE | DO_STALE | DO_BROKEN)) {
		finish(txn, step.actions & DO_STALE    ? SIP_END_TIMEOUT
		            : step.actions & DO_BROKEN ? SIP_END_FLOW
		                                       : SIP_END_DONE);
		return;
	}
	if (step.actions & DO_ACK) {
		base_writer_reset(&txn->sent);
		sip_ack_build(&txn->sent, &txn->request, msg);
	}
	if (step.actions & (DO_SEND | DO_ACK))
		rc = sip_txn_send(txn);
	timing(txn, step.actions);
	if (step.actions & DO_TELL)
		txns->ops.on_response(txns->ops.arg, txn, msg);
	if (rc)
		sip_txn_step(txn, EV_ERROR, NULL);
}

uint64_t sip_txns_deadline(const struct sip_txns *txns)
{
	return loop_timers_deadline(&txns->timers);
}

void sip_txns_advance(struct sip_txns *txns)
{
	loop_timers_run(&txns->timers, txns->ops.now_ms(txns->ops.arg));
	/* Always, for the owner's timer has run out: what is due next may be due at once, at the
	 * very time that was told before. */
	txns->told_ms = loop_timers_deadline(&txns->timers);
	txns->ops.rearm(txns->ops.arg, txns->told_ms);
}

void sip_txns_lost(struct sip_txns *txns, uint64_t flow)
{
	struct txn_flow *f = flow_find(txns, flow);

	if (!f)
		return;
	txns->timers.now_ms = txns->ops.now_ms(txns->ops.arg);
	BASE_LIST_EACH(&f->txns, node, after) /* none is freed but by its last timer */
	{
		struct sip_txn *txn = BASE_CONTAINER_OF(node, struct sip_txn, beside);

		if (sip_txn_is_client(txn) || !txns->config.answers_outlive)
			sip_txn_step(txn, EV_ERROR, NULL);
		else if (!sip_txn_answered(txn) && txns->ops.on_orphan)
			txns->ops.on_orphan(txns->ops.arg, txn);
	}
	sip_txns_rearm(txns);
}

/* -- what others may know ---------------------------------------------------------------------- */

size_t sip_txns_count(const struct sip_txns *txns)
{
	return txns->count;
}

size_t sip_txns_busy(const struct sip_txns *txns)
{
	return txns->busy;
}

size_t sip_txns_lingering(const struct sip_txns *txns)
{
	return txns->lingering_count;
}

void *sip_txn_user(const struct sip_txn *txn)
{
	return txn->user;
}

void sip_txn_user_set(struct sip_txn *txn, void *user)
{
	txn->user = user;
}

struct sip_flow sip_txn_flow(const struct sip_txn *txn)
{
	return txn->flow;
}

const struct sip_message *sip_txn_request(const struct sip_txn *txn)
{
	return &txn->request;
}

const struct sip_source *sip_txn_source(const struct sip_txn *txn)
{
	return txn->source.address ? &txn->source : NULL;
}

bool sip_txn_is_invite(const struct sip_txn *txn)
{
	return txn->machine == INVITE_CLIENT || txn->machine == INVITE_SERVER;
}

bool sip_txn_is_client(const struct sip_txn *txn)
{
	return txn->machine == INVITE_CLIENT || txn->machine == OTHER_CLIENT;
}

bool sip_txn_answered(const struct sip_txn *txn)
{
	return txn->state >= COMPLETED;
}
