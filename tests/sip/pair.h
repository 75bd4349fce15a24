/* SPDX-License-Identifier: Apache-2.0 */
/** @file Two user agents and the network between them, in memory, on a virtual clock. */
#ifndef GH_TESTS_SIP_PAIR_H
#define GH_TESTS_SIP_PAIR_H

#include "sip/sip.h"

#define PAIR_EVENTS 64
#define PAIR_QUEUE  64

/* What one of them has been told. */
struct pair_event {
	enum sip_call_what what;
	unsigned status;
	enum sip_call_why why;
	char body[128];
	char reason[64];
};

struct pair;

struct pair_end {
	struct pair *pair;
	const char *name; /* "alice" */
	struct sip_ua *ua;
	struct sip_call *call; /* the last that began */
	struct pair_event events[PAIR_EVENTS];
	size_t count, seen;
	uint64_t deadline_ms;
	uint64_t way;            /* id of the last that was asked for */
	unsigned ways, ways_max; /* ways there are, 0 = always the one */
	bool hold_ways;
	unsigned requests; /* by on_request */
	uint8_t random;
	uint64_t flow; /* that it has sent on last */
	bool broken;   /* its sends fail */
	/* Answers requests; NULL: MESSAGE gets 202. */
	bool (*handle)(struct pair_end *end, struct sip_txn *txn, const struct sip_message *msg);
	void *user;
};

struct pair_packet {
	struct pair_end *to;
	char *octets;
	size_t len;
};

struct pair {
	struct pair_end alice, bob;
	uint64_t now_ms;
	struct pair_packet queue[PAIR_QUEUE];
	size_t head, tail;
	bool reliable;
	const char *drop; /* messages whose first line has this are lost */
	unsigned drops;   /* so many of them; UINT_MAX = all */
	unsigned dropped;
	char *log; /* first lines of all that was sent, with who: "alice INVITE sip:..." */
	size_t log_len;
	FILE *logged;
};

void pair_open(struct pair *p, const struct sip_ua_config *alice, const struct sip_ua_config *bob);
/** Nothing may be left but what lingers; then all is freed. */
void pair_close(struct pair *p);
/** Deliver what is under way, and what comes of that. */
void pair_run(struct pair *p);
/** As pair_run, with time passing. */
void pair_until(struct pair *p, uint64_t ms);
/** Octets for one of them from nobody in particular. */
void pair_in(struct pair *p, struct pair_end *to, const char *text);
/** The next event of this end, which has to be this one. */
struct pair_event *pair_expect(struct pair_end *end, enum sip_call_what what);
/** It has been told nothing more. */
void pair_silence(struct pair_end *end);
/** Messages whose first line holds this, from this end. */
unsigned pair_sent(struct pair *p, const struct pair_end *from, const char *text);
/** The last message that is under way. */
struct base_str pair_last(struct pair *p);
/** So often does it have this. */
unsigned pair_has(struct base_str in, const char *text);
/** It goes no further, but is answered so, by somebody on the way. */
void pair_answer(struct pair *p, struct pair_end *from, unsigned status, const char *lines);
/** Alice calls Bob with this offer (NULL: none). */
struct sip_call *pair_call(struct pair *p, const char *offer);
struct sip_content pair_body(const char *text);
/** A call that is up: offer and answer are "o1" and "a1". */
void pair_up(struct pair *p);

#endif
