/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of the store only. */
#ifndef GH_EDGE_STORE_PRIVATE_H
#define GH_EDGE_STORE_PRIVATE_H

#include "edge/shelf.h"
#include "edge/store.h"

#define EDGE_STORE_VALUE_MAX                                                                       \
	(1 + 8 + 4 + EDGE_STORE_ID_MAX + EDGE_STORE_TOKEN_MAX + EDGE_STORE_IMPI_MAX +              \
	 EDGE_STORE_SESSION_MAX)
/** A kind of record and what it is of: what it lies under. */
#define EDGE_STORE_NAME_MAX (8 + EDGE_STORE_TOKEN_MAX)

struct edge_store {
	struct loop *loop;
	struct edge_shelf *shelf;
	char id[EDGE_STORE_ID_MAX + 1];
	char uri[EDGE_STORE_URI_MAX + 1];
	uint64_t epoch, alive_ms;
	struct base_node due;   /**< to be written */
	struct base_node lying; /**< written or being written, oldest first */
	struct base_node questions;
	unsigned writing; /**< without an answer */
	bool pumping;
	bool alive;       /**< we have said so on this shelf since it came */
	bool namesake;    /**< it was told that another has our name */
	bool lost;        /**< the shelf was gone once */
	uint64_t back_ms; /**< when it came back */
	struct pool_query looking;
	struct pool_watch watch;
	struct loop_timer tick;
	struct edge_store_counts counts;
	unsigned searching;
};

/** What lies under a token. */
struct edge_written {
	uint64_t epoch;
	struct base_str id, token, impi, session;
};

/** Any octets are safe input; borrowed. @return 0 or BASE_PEER */
int edge_written_read(struct base_str value, struct edge_written *ret);
/** Who lives, in which epoch and where; likewise. */
int edge_alive_read(struct base_str value, uint64_t *ret_epoch, struct base_str *ret_uri);
/** Into `buf` of EDGE_STORE_NAME_MAX; empty when it is too long. */
struct base_str edge_store_name(char *buf, const char *kind, struct base_str of);
/** All searches end untold. */
void edge_store_find_done(struct edge_store *store);

#endif
