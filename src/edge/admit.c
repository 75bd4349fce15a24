/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/admit.h"

static int64_t most(const struct edge_admit *admit)
{
	int64_t one = (int64_t)admit->full_us;

	return one > EDGE_ADMIT_BURST_US ? one : EDGE_ADMIT_BURST_US;
}

static void fill(struct edge_admit *admit, uint64_t now_ms)
{
	uint64_t gone_ms = now_ms - admit->at_ms;

	if (gone_ms > 1000000) /* longer than any bucket takes */
		gone_ms = 1000000;
	admit->at_ms = now_ms;
	admit->level_us += (int64_t)(gone_ms * 10 * admit->percent); /* 1000 us, per cent */
	if (admit->level_us > most(admit))
		admit->level_us = most(admit);
}

void edge_admit_set(struct edge_admit *admit, unsigned percent, uint64_t full_us,
                    uint64_t resumed_us, uint64_t now_ms)
{
	if (admit->at_ms)
		fill(admit, now_ms);
	else
		admit->level_us = EDGE_ADMIT_BURST_US;
	admit->percent = percent;
	admit->full_us = full_us;
	admit->resumed_us = resumed_us < full_us ? resumed_us : full_us;
	admit->at_ms = now_ms;
}

void edge_admit_begun(struct edge_admit *admit, uint64_t now_ms)
{
	fill(admit, now_ms);
	admit->level_us -= (int64_t)admit->full_us;
}

void edge_admit_resumed(struct edge_admit *admit, uint64_t now_ms)
{
	fill(admit, now_ms);
	admit->level_us += (int64_t)(admit->full_us - admit->resumed_us);
}

uint64_t edge_admit_wait(struct edge_admit *admit, uint64_t now_ms)
{
	uint64_t each_ms = 10ULL * admit->percent;

	if (!admit->percent)
		return 0;
	fill(admit, now_ms);
	if (admit->level_us >= (int64_t)admit->full_us || admit->level_us == most(admit))
		return 0;
	return ((uint64_t)((int64_t)admit->full_us - admit->level_us) + each_ms - 1) / each_ms;
}
