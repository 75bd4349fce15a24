/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/alarm.h"

#include "base/base.h"

static const char *const names[FETCH_ALARMS] = {
	[FETCH_FRESH] = "crl-fresh",
	[FETCH_WARN] = "crl-expires-soon",
	[FETCH_CRITICAL] = "crl-expires-very-soon",
	[FETCH_EXPIRED] = "crl-expired",
	[FETCH_MISSING] = "crl-missing",
};

const char *fetch_alarm_name(enum fetch_alarm level)
{
	return names[level];
}

enum fetch_alarm fetch_alarm_level(const struct fetch_alarm_rules *rules, int64_t this_update_ms,
                                   int64_t next_update_ms, int64_t now_ms)
{
	uint64_t life, left;

	if (next_update_ms <= now_ms)
		return FETCH_EXPIRED;
	left = (uint64_t)(next_update_ms - now_ms);
	life = next_update_ms > this_update_ms ? (uint64_t)(next_update_ms - this_update_ms) : 0;
	if (left <= BASE_MIN(rules->critical_ms, life / 6))
		return FETCH_CRITICAL;
	if (left <= BASE_MIN(rules->warn_ms, life / 3))
		return FETCH_WARN;
	return FETCH_FRESH;
}

bool fetch_alarm_step(struct fetch_alarm_state *state, const struct fetch_alarm_rules *rules,
                      enum fetch_alarm level, int64_t now_ms)
{
	bool changed = level != state->level;
	bool again =
	        level != FETCH_FRESH && (now_ms < state->said_ms ||
	                                 (uint64_t)(now_ms - state->said_ms) >= rules->remind_ms);

	state->level = level;
	if (changed || again)
		state->said_ms = now_ms;
	return changed || again;
}
