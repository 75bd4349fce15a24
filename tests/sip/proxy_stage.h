/* SPDX-License-Identifier: Apache-2.0 */
/** @file A proxy between flows in memory, its owner by script, on a virtual clock. */
#ifndef GH_TESTS_SIP_PROXY_STAGE_H
#define GH_TESTS_SIP_PROXY_STAGE_H

#include "check.h"
#include "sip/sip.h"

#define PROXY_SENT_MAX 256

/* Flows: below 10 they are TLS, from there on UDP. */
enum { ALICE = 1, BOB, CAROL, DAVE, CORE = 10, CORE2, CORE3 };

#define ALICE_VIA "Via: SIP/2.0/TLS alice.example:5061;branch="
#define ALICE_IDS                                                                                  \
	"From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\nCall-ID: x\r\n"
/* From Alice, for Bob. */
#define ASK(method, branch, lines)                                                                 \
	method " sip:bob@example.com SIP/2.0\r\n" ALICE_VIA branch "\r\n"                          \
	       "Max-Forwards: 70\r\n" ALICE_IDS "CSeq: 7 " method "\r\n" lines                     \
	       "Content-Length: 0\r\n\r\n"
#define B "z9hG4bKalice"

struct proxy_sent {
	uint64_t flow, ms;
	char *text;
	size_t len;
};

struct proxy_stage {
	struct sip_proxy *proxy;
	uint64_t now_ms, deadline_ms;
	struct proxy_sent sent[PROXY_SENT_MAX];
	size_t count, seen;
	uint64_t broken; /* a flow whose sends fail */
	uint8_t random;

	/* what the owner does */
	struct sip_target targets[SIP_PROXY_TARGETS_MAX];
	size_t target_count; /* 0: it thinks on */
	unsigned refuse;     /* in admit */
	unsigned instead;    /* of final responses */
	unsigned reply;      /* in on_response */
	const char *route;   /* pushed to each copy */
	const char *record;
	const char *line; /* X-Passed of each response */
	uint64_t
	        ways[SIP_PROXY_ATTEMPTS_MAX + 1]; /* flows of ways, by attempt; 0 = there is none */
	bool hold_ways;
	bool cancel_orphans;
	bool strict_answers; /* of TLS by the same flow, of others by others */

	/* what it has been told */
	struct sip_context *ctx; /* the last */
	unsigned requests, admits, forwards, overs, orphans, answers, answered, responses,
	        way_count;
	uint64_t way; /* id of the last */
	unsigned attempt;
	char hop[256];
	char last_routes[256];
};

void proxy_open(struct proxy_stage *s, const struct sip_proxy_config *config);
/** Nothing may be left when all time has passed. */
void proxy_close(struct proxy_stage *s);
void proxy_until(struct proxy_stage *s, uint64_t ms);
void proxy_in(struct proxy_stage *s, uint64_t flow, const char *text);
/** Octets that were sent, as a text. */
const char *proxy_text(const struct proxy_stage *s, size_t i);
/** The next that was sent: by this flow, its first line begins so. @return its number */
size_t proxy_expect(struct proxy_stage *s, uint64_t flow, const char *begins);
/** Nothing more was sent. */
void proxy_silence(const struct proxy_stage *s);
/** It has this, so often. */
void proxy_has(const struct proxy_stage *s, size_t i, const char *text, unsigned times);
/** The peer of request number `i` answers, with this tag and these lines; lines NULL = none. */
void proxy_answer(struct proxy_stage *s, size_t i, unsigned status, const char *tag,
                  const char *lines);
/** Likewise, but by another flow than it was asked by. */
void proxy_answer_by(struct proxy_stage *s, uint64_t by, size_t i, unsigned status, const char *tag,
                     const char *lines);
/** Forward to these flows. */
void proxy_to(struct proxy_stage *s, size_t count, const uint64_t *flows);
/** Opened, and Alice calls these. */
void proxy_call(struct proxy_stage *s, size_t count, const uint64_t *flows);
struct sip_flow proxy_flow(uint64_t id);

#endif
