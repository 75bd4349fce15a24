/* SPDX-License-Identifier: Apache-2.0 */
#include "msrp/ranges.h"

bool msrp_ranges_add(struct msrp_ranges *r, uint64_t from, uint64_t to)
{
	size_t i = 0, last;

	while (i < r->count && r->part[i].to + 1 < from)
		i++;
	for (last = i; last < r->count && r->part[last].from <= to + 1; last++) {
		from = BASE_MIN(from, r->part[last].from);
		to = BASE_MAX(to, r->part[last].to);
	}
	if (last == i && r->count == MSRP_RANGES_MAX)
		return false;
	/* parts i to last become one */
	memmove(&r->part[i + 1], &r->part[last], (r->count - last) * sizeof(r->part[0]));
	r->count = r->count - (last - i) + 1;
	r->part[i].from = from;
	r->part[i].to = to;
	return true;
}

uint64_t msrp_ranges_last(const struct msrp_ranges *r)
{
	return r->count ? r->part[r->count - 1].to : 0;
}

bool msrp_ranges_whole(const struct msrp_ranges *r, uint64_t total)
{
	return total == 0 || (r->count == 1 && r->part[0].from == 1 && r->part[0].to >= total);
}
