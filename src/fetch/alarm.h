/* SPDX-License-Identifier: Apache-2.0 */
/** @file How near a CRL is to refusing everybody, and when to say so. Pure; milliseconds. */
#ifndef GH_FETCH_ALARM_H
#define GH_FETCH_ALARM_H

#include <stdbool.h>
#include <stdint.h>

/** In the order of alarm; the numbers are the metric's. */
enum fetch_alarm {
	FETCH_FRESH,
	FETCH_WARN,     /**< `warn_ms` or less is left */
	FETCH_CRITICAL, /**< `critical_ms` or less is left */
	FETCH_EXPIRED,  /**< past nextUpdate: peers are being refused */
	FETCH_MISSING,  /**< there is none, and the source failed: likewise */
	FETCH_ALARMS
};

struct fetch_alarm_rules {
	uint64_t warn_ms, critical_ms, remind_ms;
};

/** Of one CRL, or of a source that has none. All zero is one of which nothing was said. */
struct fetch_alarm_state {
	enum fetch_alarm level;
	int64_t said_ms;
};

/** Stable word of the log: "crl-expires-soon", ... Pure. */
const char *fetch_alarm_name(enum fetch_alarm level);

/**
 * The level of a CRL. A short-lived one (a delta) has narrower thresholds: a third of its life is
 * left for a warning, a sixth for the critical one.
 */
enum fetch_alarm fetch_alarm_level(const struct fetch_alarm_rules *rules, int64_t this_update_ms,
                                   int64_t next_update_ms, int64_t now_ms);

/** Note the level. @return whether it is to be said: it changed, or it is time to remind */
bool fetch_alarm_step(struct fetch_alarm_state *state, const struct fetch_alarm_rules *rules,
                      enum fetch_alarm level, int64_t now_ms);

#endif
