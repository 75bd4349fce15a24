/* SPDX-License-Identifier: Apache-2.0 */
/** @file An element with transactions, a virtual clock and no network. */
#ifndef GH_TESTS_SIP_STAGE_H
#define GH_TESTS_SIP_STAGE_H

#include "sip/sip.h"

#define SENT_MAX 64

/** One element on a stage: what it sends, what it is told. */
struct stage {
	struct sip_txns *txns;
	uint64_t now_ms, deadline_ms;
	struct base_writer sent[SENT_MAX];
	uint64_t sent_ms[SENT_MAX];
	size_t sent_count;
	int send_rc;
	uint8_t random;
	struct sip_txn *request; /* last on_request */
	unsigned requests, stray_acks, strays, responses, ends;
	unsigned status; /* last on_response */
	bool eager;      /* whatever may be done inside of a callback, is done */
	enum sip_end why;
	uint64_t end_ms;
};

#define HEAD(branch)                                                                               \
	"Via: SIP/2.0/UDP ue.example:5061;branch=" branch "\r\n"                                   \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\n"
#define REQUEST(method, branch)                                                                    \
	method " sip:b@example.com SIP/2.0\r\n" HEAD(branch) "Route: <sip:p.example;lr>\r\n"       \
	                                                     "CSeq: 7 " method                     \
	                                                     "\r\nContent-Length: 0\r\n\r\n"
#define RESPONSE(status, method, branch)                                                           \
	"SIP/2.0 " status " x\r\nVia: SIP/2.0/UDP ue.example:5061;branch=" branch "\r\n"           \
	"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\nCall-ID: x\r\n"       \
	"CSeq: 7 " method "\r\nContent-Length: 0\r\n\r\n"
#define B "z9hG4bKone"

/** Flows: of datagrams, and of a stream. */
static const struct sip_flow udp = { .id = 1 }, tls = { .id = 2, .reliable = true };

/** One element, with so many transactions at most (0 = the default). */
void stage_open(struct stage *s, size_t count_max);
/** And so many that only linger. */
void stage_open_short(struct stage *s, size_t count_max, size_t lingering_max);
void stage_close(struct stage *s);
/** Time goes on to this, and what is due on the way is done when it is due. */
void stage_until(struct stage *s, uint64_t ms);
/** What it has sent, the first is 0. */
struct base_str stage_sent(const struct stage *s, size_t i);
bool stage_has(struct base_str s, const char *text);
/** A message for it. */
void stage_in(struct stage *s, struct sip_flow flow, const char *text);
/** A request of its own. */
struct sip_txn *stage_begin(struct stage *s, struct sip_flow flow, const char *text);
/** From the `from`-th on, it has sent at these times and no more. */
void stage_sent_at(const struct stage *s, size_t from, const uint64_t *ms, size_t count);
/** An answer to the last request that came. */
void stage_answer(struct stage *s, unsigned status);
/** A request of ours from inside of a callback. */
void stage_send_another(struct stage *s, const char *method);

#endif
