/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * When a source is fetched next: a state machine without a clock. Times are milliseconds since
 * 1970; whoever owns it says what time it is.
 */
#ifndef GH_FETCH_PLAN_H
#define GH_FETCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct fetch_plan_rules {
	uint64_t refresh_ms;   /**< the longest pause after a success */
	uint64_t retry_ms;     /**< the first pause after a failure, doubled by each further one */
	uint64_t retry_max_ms; /**< up to this */
};

/** All zero is a source that is due at once. */
struct fetch_plan {
	int64_t due_ms;
	int64_t set_ms;         /**< when `due_ms` was decided */
	int64_t this_update_ms; /**< of what is in the cache; 0 = nothing is */
	int64_t next_update_ms;
	unsigned failures; /**< in a row */
	uint64_t random;   /**< state of the jitter */
};

/** Due within `spread_ms` from now, so that a start does not ask everybody at one moment. */
void fetch_plan_init(struct fetch_plan *plan, uint64_t seed, int64_t now_ms, uint64_t spread_ms);
/** What is in the cache is good from and until then; the next fetch does not move. */
void fetch_plan_know(struct fetch_plan *plan, int64_t this_update_ms, int64_t next_update_ms);

/**
 * Due? Also when the clock was set back since it was decided: then nothing that was computed is
 * worth anything.
 */
bool fetch_plan_due(const struct fetch_plan *plan, int64_t now_ms);

/**
 * Is a quarter of the life left, or less? Then a source is asked in a way that takes no "unchanged"
 * for an answer. Also true where nothing is in the cache.
 */
bool fetch_plan_near_end(const struct fetch_plan *plan, int64_t now_ms);

/**
 * Fetched: the next one comes after at most `refresh_ms`, and in any case when a quarter of the
 * CRL's life is left; within that quarter after an eighth of what is left, but not before
 * `retry_ms`.
 */
void fetch_plan_good(struct fetch_plan *plan, const struct fetch_plan_rules *rules, int64_t now_ms,
                     int64_t this_update_ms, int64_t next_update_ms);
/** Failed: backoff with jitter; while a CRL lives, no longer than an eighth of what is left. */
void fetch_plan_bad(struct fetch_plan *plan, const struct fetch_plan_rules *rules, int64_t now_ms);

#endif
