/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a transaction; private to this folder. */
#ifndef GH_SIP_TXN_PRIVATE_H
#define GH_SIP_TXN_PRIVATE_H

#include "sip/txn.h"
#include "sip/txn_table.h"

struct sip_txns {
	struct sip_txn_ops ops;
	struct sip_txn_config config;
	struct base_map map;   /* by key; without those that are over */
	struct base_map flows; /* struct txn_flow by id */
	struct base_node all;
	struct base_node lingering; /* who has waited longest is first */
	size_t count, busy, lingering_count, lingering_weight;
	struct loop_timers timers;
	uint64_t told_ms; /* to rearm */
	uint64_t tag_seed[2];
	struct base_arena in, out; /* kept warm: what is read from peers, and of ours */
	struct base_writer key;    /* likewise */
};

/* All transactions of one flow, so that its end costs as much as it has. */
struct txn_flow {
	struct base_map_node node;
	uint64_t id;
	struct base_node txns;
};

struct sip_txn {
	struct base_map_node node;
	struct base_node all;
	struct base_node beside; /* those of its flow */
	struct base_node behind; /* in `lingering` */
	struct txn_flow *group;
	struct sip_txns *owner;
	struct sip_flow flow;
	uint8_t machine; /* enum txn_machine */
	uint8_t state;   /* enum txn_state */
	bool mapped, busy, lingers;
	unsigned weight; /* of lingering_max; what is large counts for several */
	enum sip_end why;
	uint64_t wait_ms;         /* until the repetition that is waited for */
	struct loop_timer repeat; /* A, E, G; an INVITE server's 100 before that */
	struct loop_timer limit;  /* B, F, H; then D, I, J, K, L, M */
	struct base_str key;      /* in the arena */
	struct base_writer sent; /* last: a response, an ACK; a client's own request is not in it */
	struct base_arena arena;
	struct sip_message request; /* a copy, in the arena */
	struct sip_source source;   /* server: in the arena */
	void *user;
};

void sip_txn_key(struct base_writer *w, const struct sip_message *msg, struct sip_flow flow,
                 bool server);
struct sip_txn *sip_txn_find(struct sip_txns *txns, const struct sip_message *msg,
                             struct sip_flow flow, bool server);
/* Right behind a sip_txn_find that has found none: the key is the one that was looked for. */
int sip_txn_new(struct sip_txn **ret, struct sip_txns *txns, const struct sip_message *msg,
                struct sip_flow flow, bool server);
void sip_txn_free(struct sip_txn *txn);
void sip_txn_step(struct sip_txn *txn, enum txn_event event, const struct sip_message *msg);
/* Begin to repeat (unreliable flows), and the time after which it is given up. */
void sip_txn_repeat(struct sip_txn *txn);
/* No longer than 64 T1 from now on. */
void sip_txn_give_up(struct sip_txn *txn);
/* What is in `sent`. */
int sip_txn_send(struct sip_txn *txn);
void sip_txns_rearm(struct sip_txns *txns);

#endif
