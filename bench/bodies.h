/* SPDX-License-Identifier: Apache-2.0 */
/* What a termination of the measured contexts is added with. */
#ifndef GH_BENCH_BODIES_H
#define GH_BENCH_BODIES_H

#include <string.h>

/** `bare`, `stream` (no port) or `port`; NULL for another name. */
static inline const char *bench_body(const char *name)
{
	static const char *const bodies[][2] = {
		{ "bare", "" },
		{ "stream", "{M{ST=1{O{MO=SR,RV=OFF}}}}" },
		{ "port", "{M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP "
		          "*\na=setup:passive\n}}}}" },
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (strcmp(bodies[i][0], name) == 0)
			return bodies[i][1];
	}
	return NULL;
}

#endif
