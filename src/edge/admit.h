/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Admission of new connections by what their TLS handshakes cost: a bucket of processor time that
 * fills with a share of one core. Who comes while it is empty waits in the kernel's queue; nobody
 * is refused by it. Pure. Private to this folder.
 */
#ifndef GH_EDGE_ADMIT_H
#define GH_EDGE_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

/** The bucket holds so much at most: a burst. */
#define EDGE_ADMIT_BURST_US 200000

/** In the caller's storage; edge_admit_set is its start. The fields are this module's. */
struct edge_admit {
	uint64_t full_us, resumed_us; /**< what a handshake costs */
	unsigned percent;             /**< of a core; 0 = everybody comes in */
	int64_t level_us;             /**< below 0: what was spent beforehand */
	uint64_t at_ms;
};

/** Another share or other costs; what has been spent stays spent. */
void edge_admit_set(struct edge_admit *admit, unsigned percent, uint64_t full_us,
                    uint64_t resumed_us, uint64_t now_ms);
/** One has come in, and may turn out full. */
void edge_admit_begun(struct edge_admit *admit, uint64_t now_ms);
/** It has resumed a session: the rest is given back. */
void edge_admit_resumed(struct edge_admit *admit, uint64_t now_ms);
/** After how many ms may the next one come in? 0 = now. */
uint64_t edge_admit_wait(struct edge_admit *admit, uint64_t now_ms);

#endif
