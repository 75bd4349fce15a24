/* SPDX-License-Identifier: Apache-2.0 */
/** @file Ends of UDP and TCP for tests: a transport that keeps what it hears. */
#ifndef GH_TESTS_H248_TRANSPORT_SIDE_H
#define GH_TESTS_H248_TRANSPORT_SIDE_H

#include "check.h"

#include "h248/transport.h"

struct side {
	struct loop *loop;
	struct h248_transport *t;
	struct h248_addr local;
	bool echo, close_at_once;
	struct h248_addr from; /* of the last message */
	char got[1024];        /* all messages, each with a '|' behind */
	size_t count, got_len, total;
	unsigned opened, closed, drained;
	const char *where; /* the last message was */
	char reason[128];
};

void side_new(struct side *s, struct loop *loop, const struct h248_transport_config *config);
/** False when this machine has no such address family. */
bool side_listen(struct side *s, enum h248_transport_kind kind, const char *ip);
struct h248_addr target_of(const struct side *s);
/** A peer that is only a socket. */
int raw_connect(const struct side *s);
/** Sent, or queued. */
bool taken(int rc);

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 5000), 0);                            \
	} while (0)

/** For cmocka: a loop in `state`. */
int side_setup(void **state);
int side_teardown(void **state);

#endif
