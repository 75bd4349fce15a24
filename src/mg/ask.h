/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The client of gatehouse-fetch: CRLs that handshakes wait for are asked for over its socket, one
 * connection for the process, each address once however many wait. Control thread only.
 *
 * AF_UNIX, SOCK_SEQPACKET, one line a packet: `crl URL`; answers in order of completion, when the
 * cache folder has it: `done URL`, or `failed URL REASON`.
 */
#ifndef GH_MG_ASK_H
#define GH_MG_ASK_H

#include "loop/loop.h"
#include "relay/relay.h"

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct mg_ask {
	struct loop *loop;
	const char *path;
	struct loop_fd watch;  /**< fd -1 = no connection */
	struct base_node urls; /**< what has been asked for */
	unsigned count;
	loop_fn *arrived;
	void *arg;
};

/**
 * @param path     of the socket; borrowed
 * @param arrived  called before those who wait are told that a CRL is there: refresh the caches
 */
void mg_ask_start(struct mg_ask *ask, struct loop *loop, const char *path, loop_fn *arrived,
                  void *arg);
/** Whoever waits is told that nothing came. Before the pool is freed. */
void mg_ask_stop(struct mg_ask *ask);
/** A relay_fetch_fn; `arg` is the struct mg_ask. Answers at once when there is nobody to ask. */
void mg_ask_fetch(void *arg, struct relay_fetch *fetch);

/** One answer, read. Any octets are safe input. */
struct mg_answer {
	bool done;
	struct base_str url, reason; /**< borrowed; `reason` of one that failed */
};
/** @return 0 or BASE_PEER. Pure. */
int mg_answer_read(struct base_str packet, struct mg_answer *ret);

#endif
