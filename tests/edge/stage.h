/* SPDX-License-Identifier: Apache-2.0 */
/** @file An edge's core between UEs and a core network that are texts; a clock that stands. */
#ifndef GH_TESTS_EDGE_STAGE_H
#define GH_TESTS_EDGE_STAGE_H

#include "edge/core.h"

#define STAGE_EPOCH 0x1122334455667788ULL

struct stage {
	struct edge_core *core;
	struct edge_policy policy; /* set before stage_open */
	uint64_t epoch;            /* likewise; 0 = STAGE_EPOCH */
	struct base_arena arena;
	uint64_t now_ms, deadline_ms;
	uint8_t random;
	/* what it told */
	char log[8192];           /* lines of ops: close, renew, told, part, ping */
	struct edge_decision d;   /* of the last request */
	struct edge_passing pass; /* of the last response */
	struct base_writer out;   /* the last message as it went on, terminated */
	/* what the store says */
	const struct edge_owner *owner;
	enum edge_load load;
	bool no_foreign_key;
	struct sip_message *request; /* the last that went on, for its response */
	struct base_writer octets[8];
	unsigned octet_at;
};

/** Of each test: its state is a struct stage that is not open yet. */
int stage_set_up(void **state);
int stage_tear_down(void **state);
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, stage_set_up, stage_tear_down)

void stage_open(struct stage *s);
void stage_close(struct stage *s);
/** A UE connects: its session id is the text. */
void stage_up(struct stage *s, uint64_t flow, const char *session);
/** Time goes on, and what is due is done. */
void stage_until(struct stage *s, uint64_t ms);

/**
 * A message from a UE (or, flow 0, from the core): it is judged and, when it goes on, changed.
 * Routes that are ours are taken off as the proxy does it. LF becomes CRLF, Content-Length: 0 is
 * added.
 * @return the status it was answered with, 0 = it went on (`out`), 1 = dropped, 2 = the store is
 *         asked
 */
unsigned stage_in(struct stage *s, uint64_t flow, const char *text);
unsigned stage_inf(struct stage *s, uint64_t flow, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/** The response to the last request that went on. */
void stage_answer(struct stage *s, const char *text);
void stage_answerf(struct stage *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** It was answered by the proxy itself. */
void stage_own_answer(struct stage *s, unsigned status);

bool stage_has(const struct stage *s, const char *text);  /**< in `out` */
bool stage_told(const struct stage *s, const char *text); /**< in `log` */
/** Between these two in `out`, copied: the first `n`-th. */
const char *stage_between(const struct stage *s, unsigned n, const char *from, const char *to);

/** Register alice on this flow with Digest, as IMPI `impi`, for so long. */
void stage_register(struct stage *s, uint64_t flow, const char *user, unsigned expires);
/** An open stage whose alice has registered on flow 1 (SID1) for three days, from time 1000 on. */
void stage_long_ago(struct stage *s);
/** The parts of it. `auth`: Authorization's parameters, NULL = none; `lines`: more of them. */
unsigned stage_ask(struct stage *s, uint64_t flow, const char *user, unsigned expires,
                   const char *auth, const char *lines);
/** 401 with this nonce, and parameters more. */
void stage_challenge(struct stage *s, const char *nonce, const char *more);
/** 200 with the contact of `user`, for so long. */
void stage_yes(struct stage *s, const char *user, unsigned expires, const char *lines);

#endif
