/* SPDX-License-Identifier: Apache-2.0 */
/** @file Ends of SCTP for tests: a transport that counts what it hears, on either backend. */
#ifndef GH_TESTS_H248_SCTP_STAGE_H
#define GH_TESTS_H248_SCTP_STAGE_H

#include "check.h"

#include "h248/h248.h"

struct side {
	struct loop *loop;
	struct h248_transport *t;
	struct h248_addr local, from;
	bool echo, close_at_once;
	char got[1024];
	size_t count, got_len, total, longest;
	unsigned opened, closed, drained;
	char reason[128];
};

/** What the sides made from now on use. */
extern enum h248_sctp_backend backend;
extern uint16_t udp_port, remote_port; /**< of encapsulation; 0 = the same */

/** Usrsctp has one UDP port a process: the kernel's choice, once. */
uint16_t free_udp_port(void);
struct h248_transport_config config_of(const struct h248_transport_config *base);

void side_new(struct side *s, struct loop *loop, const struct h248_transport_config *base);
/** Skips the test, with the reason, where this machine has not the backend. */
void side_listen_at(struct side *s, const char *ip);
/** At 127.0.0.1. */
void side_listen(struct side *s);
struct h248_addr target_of(const struct side *s);
struct h248_transport_counters counters(const struct side *s);
/** Sent, or queued. */
bool taken(int rc);

#define UNTIL(loop, condition)                                                                     \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(loop, 20000), 0);                           \
	} while (0)

/** For cmocka: a loop in `state`; and for groups, the backend. */
int sctp_setup(void **state);
int sctp_teardown(void **state);
int sctp_use_kernel(void **state);
int sctp_use_library(void **state);

#endif
