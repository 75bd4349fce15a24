/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The transaction layer on a stage (net.h): host 1 is the asking side, host 2 the executing one,
 * others are extras.
 */
#ifndef GH_TESTS_H248_TXN_STAGE_H
#define GH_TESTS_H248_TXN_STAGE_H

#include "net.h"

/** A user that executes. Counts, and answers at once unless told to hold. */
struct server {
	struct net *net;
	bool hold; /* do not answer at once */
	bool keep_model;
	const char *octets; /* of the last request, where they were */
	bool strangers;     /* makes them peers */
	struct h248_incoming *held[16];
	unsigned held_count;
	const struct h248_transaction *req; /* of the last one, when kept */
	unsigned executed, heard, errors, aborted, late;
	bool answer_aborted; /* in on_abort */
	unsigned error_code;
	uint16_t *times; /* by TransactionID, for the long test */
	uint32_t first;
	unsigned many_commands; /* in a reply */
	void *user;
	size_t reply_octets; /* of padding */
};

/** What came of requests. */
struct answers {
	unsigned replies, timeouts, cancelled, pended;
	unsigned code; /* of an error reply */
	unsigned commands;
	uint64_t at_ms;
	struct net *net;
};

struct stage {
	struct net net;
	struct server client, server; /* the client's own requests_from_server side */
	struct answers answers;
	struct h248_peer *peer; /* the server, seen from the client */
};

/** A stage with UDP and all defaults, as a cmocka set-up; and its end. */
int stage_setup(void **state);
int stage_teardown(void **state);
#define STAGE(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
/** All anew, with these settings (NULL: defaults). */
void stage_restart(struct stage *s, enum h248_transport_kind kind,
                   const struct h248_txn_config *client, const struct h248_txn_config *server);
/** Callbacks of a further host. */
struct h248_txn_ops stage_server(struct server *s, struct net *net);
/** Answer a request that was held. @return what h248_txn_reply says */
int stage_answer(struct server *s, struct h248_incoming *in);
/** A request from host 1 to `s->peer`. @return its TransactionID */
uint32_t stage_ask(struct stage *s);
void stage_on_answer(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply);
const struct h248_txn_counters *stage_count(struct stage *s, unsigned host);
/** Is this in what the host has sent last? */
bool stage_sent_has(struct stage *s, unsigned host, const char *text);
/** Drop the first, or all, packets of the host whose number `net->arg` points to. */
bool stage_drop_first(struct net *net, unsigned from, unsigned n, const char *text);
bool stage_drop_all(struct net *net, unsigned from, unsigned n, const char *text);
/** Drop whatever is not binary. */
bool stage_only_ber(struct net *net, unsigned from, unsigned n, const char *text);
/** A request with id 7 that host 3 could send. */
extern const char stage_request_7[];

#endif
