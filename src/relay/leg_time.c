/* SPDX-License-Identifier: Apache-2.0 */
/* The one timer of an endpoint: what it stands for is its state's (state.c), or a renegotiation's.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "relay/dgram.h"
#include "relay/room.h"

static uint64_t octets_seen(const struct relay_leg *leg)
{
	return relay_count_get(&leg->counters.wire_in) + relay_count_get(&leg->counters.wire_out);
}

/* What our peer has acknowledged. */
static uint64_t octets_taken(const struct relay_leg *leg)
{
	uint64_t sent = relay_count_get(&leg->counters.wire_out);
	int queued = 0;

	if (ioctl(leg->watch.fd, SIOCOUTQ, &queued) < 0 || queued < 0)
		return 0;
	return sent - BASE_MIN((uint64_t)queued, sent); /* a FIN counts as one in the queue */
}

static void on_timer(void *arg);

/* While one goes on its timer stands in for the state's. */
static bool renegotiates(const struct relay_leg *leg)
{
	return (leg->renegotiating || leg->asked) && leg->state != RELAY_DRAIN;
}

void relay_leg_time(struct relay_leg *leg)
{
	const struct relay_pool *pool = leg->worker->pool;
	const struct relay_setup *setup = leg->setup;
	unsigned delay_ms = 0;

	switch (renegotiates(leg) ? RELAY_TIMER_RENEGOTIATION
	                          : relay_state_info(leg->state)->timer) {
	case RELAY_TIMER_ACCEPT:
	case RELAY_TIMER_CONNECT:
		delay_ms = setup->connect_timeout_ms;
		break;
	case RELAY_TIMER_HANDSHAKE:
		delay_ms = leg->proving ? RELAY_PROVE_MS : setup->handshake_timeout_ms;
		break;
	case RELAY_TIMER_RENEGOTIATION:
		delay_ms = leg->handshake_ms;
		break;
	case RELAY_TIMER_IDLE:
		leg->progress_mark = octets_seen(leg);
		delay_ms = leg->idle_ms;
		break;
	case RELAY_TIMER_HALF:
		leg->progress_mark = octets_seen(leg);
		delay_ms = pool->half_timeout_ms;
		break;
	case RELAY_TIMER_DRAIN:
		leg->progress_mark = octets_taken(leg);
		delay_ms = pool->drain_timeout_ms;
		break;
	default:
		break;
	}
	if (delay_ms)
		loop_timer_start(leg->worker->loop, &leg->timer, delay_ms, on_timer, leg);
	else
		loop_timer_stop(leg->worker->loop, &leg->timer);
}

/*
 * The half states, and idle ones, end for want of traffic, not of time. An end in order waits for a
 * peer that takes what was sent, if slowly; that is bounded and grows no more, and so is the wait.
 */
static bool has_moved(const struct relay_leg *leg)
{
	switch (renegotiates(leg) ? RELAY_TIMER_RENEGOTIATION
	                          : relay_state_info(leg->state)->timer) {
	case RELAY_TIMER_HALF:
	case RELAY_TIMER_IDLE:
		return leg->progress_mark != octets_seen(leg);
	case RELAY_TIMER_DRAIN:
		return octets_taken(leg) >= leg->progress_mark + RELAY_DRAIN_STEP;
	default:
		return false;
	}
}

static void on_timer(void *arg)
{
	struct relay_leg *leg = arg;

	if (has_moved(leg)) {
		relay_leg_time(leg);
		return;
	}
	if (leg->asked && !leg->renegotiating && leg->state != RELAY_DRAIN) {
		relay_shake_ignored(leg);
		return;
	}
	if (leg->state == RELAY_HANDSHAKE && relay_guest_is(leg)) {
		if (leg->proving)
			relay_shake_refuse(leg, 46); /* certificate_unknown */
		else
			relay_shake_fail(leg, RELAY_CAUSE_TIMEOUT);
		return;
	}
	/* Nobody has done wrong who says nothing: such an end goes in order. */
	relay_leg_input(leg,
	                leg->state == RELAY_OPEN && !leg->renegotiating ? RELAY_ON_RELEASE
	                                                                : RELAY_ON_TIMEOUT,
	                RELAY_CAUSE_TIMEOUT, ETIMEDOUT);
}
