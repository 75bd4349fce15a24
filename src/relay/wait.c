/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes that wait for a CRL (tls_session_waits): the worker asks control, control asks whoever
 * fetches, and the answer comes back as an order. Meanwhile the leg reads nothing, and nobody else
 * waits. A request outlives a leg that ends; `leg` is the worker's to look at.
 */
#include <errno.h>
#include <stdlib.h>

#include "relay/private.h"

struct relay_fetch {
	struct relay_letter letter;
	struct loop_msg answer;
	struct relay_worker *worker;
	struct relay_leg *leg;   /* NULL: it does not wait any more */
	struct loop_timer limit; /* the worker's */
	bool failed;
	char why[120];
	char url[];
};

const char *relay_fetch_url(const struct relay_fetch *fetch)
{
	return fetch->url;
}

/* ---- the worker ---- */

static void part_ways(struct relay_leg *leg)
{
	loop_timer_stop(leg->worker->loop, &leg->fetch->limit);
	leg->fetch->leg = NULL;
	leg->fetch = NULL;
}

void relay_wait_end(struct relay_leg *leg)
{
	if (leg->fetch)
		part_ways(leg);
}

/* It goes on with what had come before it stopped. */
static void resume(struct relay_leg *leg, const char *why, bool last)
{
	struct relay_queue left = leg->held;

	part_ways(leg);
	if (why)
		relay_trust_count(&leg->worker->pool->trust.waits_lost);
	if (leg->state != RELAY_HANDSHAKE)
		return;
	leg->held = (struct relay_queue){ 0 };
	tls_session_arrived(leg->session, why, last);
	relay_shake_step(leg, left.data ? left.data + left.at : NULL, left.len);
	relay_queue_done(&left);
	if (!relay_leg_gone(leg))
		relay_leg_resume(leg);
}

static void on_answer(void *arg)
{
	struct relay_fetch *fetch = arg;

	if (fetch->leg)
		resume(fetch->leg, fetch->failed ? fetch->why : NULL, false);
	free(fetch);
}

static void on_limit(void *arg)
{
	struct relay_fetch *fetch = arg;
	char why[64];

	(void)snprintf(why, sizeof(why), "no answer within %u ms",
	               fetch->worker->pool->fetch_limit_ms);
	resume(fetch->leg, why, true);
}

static void open_ask(struct relay_letter *letter, bool discard)
{
	struct relay_fetch *fetch = BASE_CONTAINER_OF(letter, struct relay_fetch, letter);
	struct relay_pool *pool = fetch->worker->pool;

	if (discard)
		free(fetch);
	else
		pool->fetch(pool->fetch_arg, fetch);
}

/* One limit for all that a handshake lacks, from its first wait on. */
static uint64_t time_left(struct relay_leg *leg)
{
	uint64_t now = loop_now_ms(leg->worker->loop);

	if (!leg->fetch_until_ms)
		leg->fetch_until_ms = now + leg->worker->pool->fetch_limit_ms;
	return leg->fetch_until_ms > now ? leg->fetch_until_ms - now : 0;
}

bool relay_wait_begin(struct relay_leg *leg, const struct tls_io *io)
{
	const char *url = tls_session_waits(leg->session);
	size_t left = base_reader_left(&io->in);
	struct relay_fetch *fetch;

	if (!url)
		return false;
	fetch = calloc(1, sizeof(*fetch) + strlen(url) + 1);
	if (!fetch || (left && relay_queue_put(&leg->held, io->in.at, left))) {
		free(fetch);
		relay_shake_fail(leg, RELAY_CAUSE_RESOURCES);
		return true;
	}
	memcpy(fetch->url, url, strlen(url) + 1);
	fetch->worker = leg->worker;
	fetch->leg = leg;
	leg->fetch = fetch;
	loop_timer_start(leg->worker->loop, &fetch->limit, time_left(leg), on_limit, fetch);
	relay_trust_count(&leg->worker->pool->trust.waits);
	fetch->letter.open = open_ask;
	relay_mailbox_post(&leg->worker->pool->mailbox, &fetch->letter);
	return true;
}

/* ---- control ---- */

void relay_fetched(struct relay_fetch *fetch, const char *why)
{
	fetch->failed = why != NULL;
	(void)snprintf(fetch->why, sizeof(fetch->why), "%s", why ? why : "");
	loop_post(fetch->worker->loop, &fetch->answer, on_answer, fetch);
}
