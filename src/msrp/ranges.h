/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which octets of a message have come (RFC 4975, 7.3.1): a few intervals, in order. */
#ifndef GH_MSRP_RANGES_H
#define GH_MSRP_RANGES_H

#include "base/base.h"

#define MSRP_RANGES_MAX 32

/** All zero is the empty one. */
struct msrp_ranges {
	size_t count;
	struct {
		uint64_t from, to; /**< both count */
	} part[MSRP_RANGES_MAX];
};

/** Octets `from` to `to` have come. @return false when they would leave too many gaps */
bool msrp_ranges_add(struct msrp_ranges *r, uint64_t from, uint64_t to);
/** The last octet that has come; 0: none. */
uint64_t msrp_ranges_last(const struct msrp_ranges *r);
/** Are octets 1 to `total` all there? */
bool msrp_ranges_whole(const struct msrp_ranges *r, uint64_t total);

#endif
