/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/load_measure.h"

#include <stddef.h>

/* ---- histogram ---- */

/* The first LOAD_STEPS buckets hold one value each; then each doubling has LOAD_STEPS. */
static size_t bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * LOAD_STEPS)
		shift++;
	if (us < LOAD_STEPS)
		return us;
	if (shift >= LOAD_DOUBLES)
		return (LOAD_DOUBLES + 1) * LOAD_STEPS - 1;
	return shift * LOAD_STEPS + (us >> shift);
}

static uint64_t bucket_top(size_t bucket)
{
	size_t shift = bucket < 2 * LOAD_STEPS ? 0 : bucket / LOAD_STEPS - 1;

	return ((uint64_t)(bucket - shift * LOAD_STEPS + 1) << shift) - 1;
}

void load_histogram_add(struct load_histogram *h, uint64_t us)
{
	h->bucket[bucket_of(us)]++;
	h->count++;
	if (us > h->max_us)
		h->max_us = us;
}

uint64_t load_histogram_at(const struct load_histogram *h, unsigned per_mille)
{
	uint64_t wanted = (h->count * per_mille + 999) / 1000, seen = 0, top = 0;

	for (size_t i = 0; i < sizeof(h->bucket) / sizeof(h->bucket[0]); i++) {
		seen += h->bucket[i];
		if (seen >= wanted && seen) {
			top = bucket_top(i);
			break;
		}
	}
	return top < h->max_us ? top : h->max_us;
}

/* ---- pace ---- */

static uint64_t step_us(const struct load_pace *pace)
{
	double step = 1e6 / pace->per_s;

	return step < 1 ? 1 : (uint64_t)step;
}

void load_pace_start(struct load_pace *pace, double per_s, uint64_t now_us)
{
	pace->per_s = per_s;
	pace->next_us = now_us;
}

bool load_pace_due(const struct load_pace *pace, uint64_t now_us, uint64_t *ret)
{
	if (pace->per_s == 0)
		return false;
	*ret = pace->per_s < 0 ? now_us : pace->next_us;
	return *ret <= now_us;
}

void load_pace_took(struct load_pace *pace)
{
	if (pace->per_s > 0)
		pace->next_us += step_us(pace);
}

uint64_t load_pace_skip(struct load_pace *pace, uint64_t now_us)
{
	uint64_t behind, count;

	if (pace->per_s <= 0 || pace->next_us + LOAD_BEHIND_US >= now_us)
		return 0;
	behind = now_us - LOAD_BEHIND_US - pace->next_us;
	count = behind / step_us(pace) + 1;
	pace->next_us += count * step_us(pace);
	return count;
}
