/* SPDX-License-Identifier: Apache-2.0 */
/* A name server on the loopback, in the test's own loop. */
#ifndef GH_TESTS_FLOW_NAMES_H
#define GH_TESTS_FLOW_NAMES_H

#include "loop/loop.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_NAPTR = 35 };

struct record {
	const char *name;
	int type;
	unsigned a, b, c; /* SRV: priority, weight, port; NAPTR: order, preference */
	const char *service;
	const char *target; /* an address, or a name */
};

struct names {
	struct loop *loop;
	struct loop_fd w;
	char at[40];                  /* for flow_resolver_config.servers */
	const struct record *records; /* up to one without a name */
	unsigned asked;
	bool silent;
	bool truncated; /* by UDP: the client has to come by TCP, and nobody is there */
};

void names_open(struct names *names, struct loop *loop, const struct record *records);
void names_close(struct names *names);

#endif
