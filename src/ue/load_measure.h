/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a load is measured and paced by: a histogram of times, and how many operations are due. All
 * pure; times are microseconds of any clock that only goes forward. Private to this folder.
 */
#ifndef GH_UE_LOAD_MEASURE_H
#define GH_UE_LOAD_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_STEPS 32UL /**< of each doubling: a figure is at most 1/32 too high */
#define LOAD_DOUBLES                                                                               \
	31UL /**< the last ends beyond half an hour; what takes longer counts there                \
	      */

/** All zero is an empty one. */
struct load_histogram {
	uint64_t bucket[(LOAD_DOUBLES + 1) * LOAD_STEPS];
	uint64_t count, max_us;
};

void load_histogram_add(struct load_histogram *h, uint64_t us);
/** So many of a thousand took no longer; the top of their bucket, but never more than max_us. 0
 * when it is empty. */
uint64_t load_histogram_at(const struct load_histogram *h, unsigned per_mille);

/** How fast one kind of work is begun. */
struct load_pace {
	double per_s;     /**< 0 = never; LOAD_MAX = whenever there is room */
	uint64_t next_us; /**< when the next one is due */
};
#define LOAD_MAX       (-1.0)
#define LOAD_BEHIND_US 1000000UL /**< who is further behind does not catch up */

/** From now on. */
void load_pace_start(struct load_pace *pace, double per_s, uint64_t now_us);
/** Is one due? @param ret  since when: its time counts from there, so that waiting is seen */
bool load_pace_due(const struct load_pace *pace, uint64_t now_us, uint64_t *ret);
/** It has been begun. */
void load_pace_took(struct load_pace *pace);
/** Let go what is due for too long. @return how many were let go */
uint64_t load_pace_skip(struct load_pace *pace, uint64_t now_us);

#endif
