/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/plan.h"

#include "base/base.h"

/* xorshift64*: jitter, nothing secret. */
static uint64_t draw(struct fetch_plan *plan, uint64_t below)
{
	uint64_t x = plan->random ? plan->random : 0x9e3779b97f4a7c15U;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	plan->random = x;
	return below ? (x * 0x2545f4914f6cdd1dU) % below : 0;
}

static void set(struct fetch_plan *plan, int64_t now_ms, uint64_t delay_ms)
{
	plan->set_ms = now_ms;
	plan->due_ms = now_ms + (int64_t)BASE_MIN(delay_ms, (uint64_t)INT64_MAX / 4);
}

static uint64_t left(const struct fetch_plan *plan, int64_t now_ms)
{
	return plan->next_update_ms > now_ms ? (uint64_t)(plan->next_update_ms - now_ms) : 0;
}

void fetch_plan_init(struct fetch_plan *plan, uint64_t seed, int64_t now_ms, uint64_t spread_ms)
{
	*plan = (struct fetch_plan){ .random = seed };
	set(plan, now_ms, draw(plan, spread_ms));
}

void fetch_plan_know(struct fetch_plan *plan, int64_t this_update_ms, int64_t next_update_ms)
{
	plan->this_update_ms = this_update_ms;
	plan->next_update_ms = next_update_ms;
}

bool fetch_plan_due(const struct fetch_plan *plan, int64_t now_ms)
{
	return now_ms >= plan->due_ms || now_ms < plan->set_ms;
}

static uint64_t life(const struct fetch_plan *plan)
{
	return plan->next_update_ms > plan->this_update_ms
	               ? (uint64_t)(plan->next_update_ms - plan->this_update_ms)
	               : 0;
}

bool fetch_plan_near_end(const struct fetch_plan *plan, int64_t now_ms)
{
	return left(plan, now_ms) <= life(plan) / 4;
}

void fetch_plan_good(struct fetch_plan *plan, const struct fetch_plan_rules *rules, int64_t now_ms,
                     int64_t this_update_ms, int64_t next_update_ms)
{
	uint64_t rest, delay = rules->refresh_ms;

	fetch_plan_know(plan, this_update_ms, next_update_ms);
	plan->failures = 0;
	rest = left(plan, now_ms);
	if (next_update_ms && !fetch_plan_near_end(plan, now_ms))
		delay = BASE_MIN(delay, rest - life(plan) / 4);
	else if (next_update_ms)
		delay = BASE_MIN(delay, rest / 8);
	delay = BASE_MAX(delay, BASE_MIN(rules->retry_ms, rules->refresh_ms));
	/* Earlier by up to a tenth: never later than decided. */
	set(plan, now_ms, delay - draw(plan, delay / 10 + 1));
}

void fetch_plan_bad(struct fetch_plan *plan, const struct fetch_plan_rules *rules, int64_t now_ms)
{
	uint64_t delay = rules->retry_ms, rest = left(plan, now_ms);

	for (unsigned i = 0; i < plan->failures && delay < rules->retry_max_ms; i++)
		delay *= 2;
	if (plan->failures < UINT32_MAX)
		plan->failures++;
	delay = BASE_MIN(delay, rules->retry_max_ms);
	if (rest)
		delay = BASE_MIN(delay, rest / 8);
	delay = BASE_MAX(delay, rules->retry_ms);
	set(plan, now_ms, delay - draw(plan, delay / 2 + 1)); /* half of it is jitter */
}
