/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An Initiator, a Responder and a KMS with fixed keys, a fixed clock and octets that only seem
 * random: the same flow gives the same messages. The vectors are made of it, and bad input is tried
 * on it.
 */
#ifndef GH_TESTS_MIKEY_STAGE_H
#define GH_TESTS_MIKEY_STAGE_H

#include "mikey/mikey.h"

/** Octets from SHA-256 of a seed and a counter. */
struct stage_random {
	const char *seed;
	uint32_t count;
	size_t left;
	uint8_t block[32];
};

struct stage_party {
	struct stage_random random;
	struct mikey_env env;
	struct mikey_cred cred;
	struct mikey_id id;
	struct evp_pkey_st *key;
	uint8_t cert[2048];
	size_t cert_len;
};

struct stage {
	/* what is played, set before stage_init */
	int mode;       /**< RFC 6043, 4.1.1 */
	bool pk;        /**< RSA towards the KMS, in place of pre-shared keys */
	bool forked;    /**< I flag */
	bool one_way;   /**< no TRANSFER_RESP */
	bool answered;  /**< the Responder does what `supplied` says of the Initiator */
	bool supplied;  /**< the Initiator supplies a TEK of its own */
	bool group;     /**< the ticket lists a group that the Responder is in */
	bool many_keys; /**< a GTGK and a TEK besides the TGK */
	size_t mpk_len; /**< 0 = 32 */
	struct mikey_suite suite;
	uint8_t ticket_prf;

	struct base_arena arena;
	struct stage_party initiator, responder, kms;
	struct mikey_cred kms_i, kms_r; /**< as the KMS knows them */
	struct mikey_tpk tpk;
	struct mikey_id listed;
	struct mikey_policy policy;
	struct mikey_keys raw; /**< what goes into the ticket: MPK, TGK, ... */
	struct mikey_keys supply;
	struct mikey_cs cs;
	struct mikey_payload sp;

	struct mikey_asking request, resolve;
	struct base_writer request_resp, resolve_resp, transfer_resp;
	struct mikey_grant grant;
	struct mikey_transfer transfer;
	struct mikey_message *transfer_init;
	struct mikey_received received;
	struct mikey_resolved resolved;
	struct mikey_session session_i, session_r;
	struct base_error err;
};

#define STAGE_NOW ((uint64_t)0xedd2f080 << 32 | 0x40000000) /* 2026-06-08, 00:00:00.25 */
#define STAGE_CSB 0x0badcafeU
#define STAGE_TEK 32

void stage_init(struct stage *s);
void stage_done(struct stage *s);
/** Steps of a flow; each 0 or an error, with s->err. */
int stage_grant(struct stage *s);   /**< modes 1, 2: Ticket Request; 3, 4: a ticket of one's own */
int stage_offer(struct stage *s);   /**< TRANSFER_INIT */
int stage_receive(struct stage *s); /**< the Responder's early checks */
int stage_resolve(struct stage *s); /**< Ticket Resolve, or the ticket opened */
int stage_answer(struct stage *s);  /**< TRANSFER_RESP, read by the Initiator */
int stage_play(struct stage *s);    /**< all of them */
/** Read octets into the stage's arena. */
struct mikey_message *stage_read(struct stage *s, const struct base_writer *w);
struct mikey_octets stage_octets(const struct base_writer *w);

#endif
