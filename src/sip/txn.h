/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * SIP transactions (RFC 3261, 17, with the Accepted state of RFC 6026). A pure core: octets and
 * time go in, octets and calls come out, so that it is tested on a virtual clock. One `struct
 * sip_txns` is one element (a UA, a proxy); it knows transports only as flows that its owner
 * numbers.
 *
 * Callbacks may call everything here but sip_txns_input, sip_txns_advance, sip_txns_lost and
 * sip_txns_free. One thread each.
 */
#ifndef GH_SIP_TXN_H
#define GH_SIP_TXN_H

#include "loop/loop.h"
#include "sip/build.h"
#include "sip/message.h"

/** The magic cookie that every branch of ours begins with (8.1.1.7), and octets of a branch. */
#define SIP_BRANCH_COOKIE "z9hG4bK"
#define SIP_BRANCH_MAX    40

struct sip_txns;
struct sip_txn;

/** Where a message came from or goes to: a connection, or the peer of a datagram. */
struct sip_flow {
	uint64_t id; /**< the owner's number */
	/** TCP, TLS: nothing is repeated, and what comes by another connection is not of the same
	 * transaction (P): who has seen its Via could end it otherwise. */
	bool reliable;
};

enum sip_end {
	SIP_END_DONE,    /**< it has had its final response, and has lingered */
	SIP_END_TIMEOUT, /**< client: no final response (408); INVITE server: no ACK */
	SIP_END_FLOW,    /**< its flow failed before that (503) */
};

/** All needed but on_orphan and on_stray. */
struct sip_txn_ops {
	/** Octets are borrowed. @return 0; anything else ends the transaction: SIP_END_FLOW */
	int (*send)(void *arg, struct sip_flow flow, struct base_str octets);
	/**
	 * A new request; answer with sip_txn_reply, now or later. NULL `txn`: an ACK that belongs
	 * to no transaction, as that of a 2xx does. The message is borrowed.
	 */
	void (*on_request)(void *arg, struct sip_txn *txn, const struct sip_message *msg,
	                   struct sip_flow from);
	/**
	 * A response to a request of ours: provisional ones, then one final; of an INVITE each 2xx
	 * that comes, repetitions too (13.2.2.4). ACKs of others have been sent. Borrowed.
	 */
	void (*on_response)(void *arg, struct sip_txn *txn, const struct sip_message *msg);
	/** May the answer to what was sent by one flow come by the other? false: it is thrown away.
	 * Whoever has seen our Via knows the branch. May be NULL: from everywhere. */
	bool (*answers)(void *arg, struct sip_flow sent, struct sip_flow from);
	/** It is over and freed after this call: once for each transaction. */
	void (*on_end)(void *arg, struct sip_txn *txn, enum sip_end why);
	/** The flow of a request that is to outlive it has failed, unanswered. May be NULL. */
	void (*on_orphan)(void *arg, struct sip_txn *txn);
	/** A response that belongs to no transaction; a 2xx, mostly. May be NULL. */
	void (*on_stray)(void *arg, const struct sip_message *msg, struct sip_flow from);
	/** sip_txns_deadline has changed to this, or sip_txns_advance has been called. */
	void (*rearm)(void *arg, uint64_t deadline_ms);
	uint64_t (*now_ms)(void *arg);
	/** Octets that nobody can foresee. */
	void (*random)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

/** 0 = the default of RFC 3261, table 4. */
struct sip_txn_config {
	uint32_t t1_ms; /**< 500: a round trip */
	uint32_t t2_ms; /**< 4000: the longest wait between repetitions */
	uint32_t t4_ms; /**< 5000: the longest a message stays in the network */
	/** Transactions at a time that want something, 65536; requests beyond them get 503. */
	size_t count_max;
	/** Transactions that only wait for repetitions (timers D, I, J, K, L, M) or for the ACK of
	 * a refusal, 65536: beyond it the one that has waited longest is over early (P). Of a
	 * large request each 4 KiB count for one more. */
	size_t lingering_max;
	/** What has been asked outlives its flow: `send` may find another for the answer (18.2.2).
	 * Its end is known when that fails. */
	bool answers_outlive;
};

/** Both are copied. @return 0, or BASE_LOCAL */
int sip_txns_new(struct sip_txns **ret, const struct sip_txn_config *config,
                 const struct sip_txn_ops *ops);
/** Frees all its transactions; no callback is called. NULL is fine. */
void sip_txns_free(struct sip_txns *txns);

/**
 * One message, as a datagram or cut out of a stream. Any octets are safe. A request with a fault is
 * answered with its status, once and without state; other octets are passed over.
 *
 * @param source  for the topmost Via of the responses; copied, may be NULL
 */
void sip_txns_input(struct sip_txns *txns, struct sip_flow from, const struct sip_source *source,
                    struct base_str octets);
/** This flow has failed: SIP_END_FLOW for each transaction on it that still wants something of it,
 * and is not to outlive it. */
void sip_txns_lost(struct sip_txns *txns, uint64_t flow);
/** When sip_txns_advance has to be called; UINT64_MAX = never. */
uint64_t sip_txns_deadline(const struct sip_txns *txns);
/** Do what is due by now. */
void sip_txns_advance(struct sip_txns *txns);
/** Transactions there are. */
size_t sip_txns_count(const struct sip_txns *txns);
/** Those that want an answer; and those of lingering_max. */
size_t sip_txns_busy(const struct sip_txns *txns);
size_t sip_txns_lingering(const struct sip_txns *txns);

/** A fresh branch for the Via of a request of ours; terminated. */
void sip_branch(struct sip_txns *txns, char out[SIP_BRANCH_MAX]);
/**
 * Send a request that is whole, with our Via on top and its branch from sip_branch, and wait for
 * responses. An ACK is none of these: just send it (13.2.2.4).
 * @return 0; BASE_BUG when the message has a fault; BASE_LOCAL; or what `send` said
 */
int sip_request_send(struct sip_txns *txns, struct sip_flow flow, struct base_str octets,
                     void *user, struct sip_txn **ret);
/** Send CANCEL for a request that has had a provisional response and no final one, which is then
 * waited for no longer than 64 T1 (9.1), also where this fails. `lines`: whole header lines more, a
 * Reason; may be NULL.
 * @return as above */
int sip_request_cancel(struct sip_txn *txn, const char *lines, void *user, struct sip_txn **ret);
/**
 * Answer a request, more than once with provisional responses. Whole; copied.
 * @return 0, also when its flow has failed meanwhile: on_end tells; BASE_LOCAL; BASE_BUG after a
 *         final response (of INVITE another 2xx is fine: it is the caller who repeats it)
 */
int sip_txn_reply(struct sip_txn *txn, struct base_str octets);
/** The same for who has made it out of messages without fault, and knows its status: it is not read
 * again. */
int sip_txn_reply_known(struct sip_txn *txn, unsigned status, struct base_str octets);
/** A request that cannot be answered, memory being short: its peer will ask again. on_end tells. */
void sip_txn_drop(struct sip_txn *txn);
/** The INVITE that this CANCEL means (9.2). NULL: answer 481. */
struct sip_txn *sip_txn_cancelled(const struct sip_txn *cancel);

/** What the owner ties to it: NULL until it is set. */
void *sip_txn_user(const struct sip_txn *txn);
void sip_txn_user_set(struct sip_txn *txn, void *user);
/** Its request: the peer's, or ours. Borrowed, until on_end. */
const struct sip_message *sip_txn_request(const struct sip_txn *txn);
struct sip_flow sip_txn_flow(const struct sip_txn *txn);
const struct sip_source *sip_txn_source(const struct sip_txn *txn);
bool sip_txn_is_invite(const struct sip_txn *txn);
/** Is its request ours? */
bool sip_txn_is_client(const struct sip_txn *txn);
/** A client's: has it had a final response? A server's: has it been given one? */
bool sip_txn_answered(const struct sip_txn *txn);

/** The tables as text, for docs/state-sip.md. */
void sip_txn_print(struct base_writer *w);

#endif
