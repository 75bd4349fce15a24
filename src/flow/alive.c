/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alives: ours, and those that are waited for (RFC 5626, 4.4 and 5.4). */
#include <stdlib.h>

#include "flow/private.h"

#define PONG_MS 10000 /* RFC 5626, 4.4.1 */

static void silent(struct flow *f, const char *why)
{
	f->flows->count.silent++;
	flow_lost(f, why);
}

/* ---- ours ---- */

static void on_ping(void *arg);

/* RFC 5626, 4.4.1: between 80 and 100 percent of the time. */
static void ping_later(struct flow *f)
{
	uint32_t random = 0, ms = f->ping_ms;

	(void)base_random(&random, sizeof(random)); /* else all do it at the same time */
	loop_timer_start(f->flows->loop, &f->ping, ms - random % (ms / 5 + 1), on_ping, f);
}

static void on_ping(void *arg)
{
	struct flow *f = arg;

	if (f->pinged) {
		silent(f, "no answer to a keep-alive within 10 s (RFC 5626, 4.4.1)");
		return;
	}
	f->pinged = true;
	(void)stream_write(f->stream, "\r\n\r\n", 4); /* a stream that has failed tells so */
	loop_timer_start(f->flows->loop, &f->ping, PONG_MS, on_ping, f);
}

void flow_alive_up(struct flow *f)
{
	if (!f->accepted && f->flows->config.ping_ms && !f->ping_ms)
		f->ping_ms = f->flows->config.ping_ms;
	f->framer.pings = f->ping_ms != 0;
	if (f->ping_ms && !f->expect_ms)
		ping_later(f);
}

/* ---- theirs ---- */

static void on_silence(void *arg)
{
	struct flow *f = arg;
	uint64_t quiet = loop_now_ms(f->flows->loop) - f->heard_ms;

	if (quiet >= f->expect_ms)
		silent(f, "no keep-alive came in time (RFC 5626, 5.4)");
	else
		loop_timer_start(f->flows->loop, &f->ping, f->expect_ms - quiet, on_silence, f);
}

void flow_heard(struct flow *f)
{
	if (f->expect_ms)
		f->heard_ms = loop_now_ms(f->flows->loop);
	if (f->pinged) {
		f->pinged = false;
		ping_later(f);
	}
}

/* ---- asked for ---- */

/* One timer serves both: who is waited for need not be asked. */
static void again(struct flow *f)
{
	flow_alive_stop(f);
	f->framer.pings = f->ping_ms != 0;
	if (f->expect_ms) {
		f->heard_ms = loop_now_ms(f->flows->loop);
		loop_timer_start(f->flows->loop, &f->ping, f->expect_ms, on_silence, f);
	} else if (f->ping_ms && (!f->stream || stream_is_up(f->stream))) {
		ping_later(f);
	}
}

bool flows_ping(struct flows *flows, uint64_t flow, uint32_t ms)
{
	struct flow *f = flow_find(flows, flow);

	if (!f)
		return false;
	f->ping_ms = ms;
	again(f);
	return true;
}

bool flows_ping_expected(struct flows *flows, uint64_t flow, uint32_t ms)
{
	struct flow *f = flow_find(flows, flow);

	if (!f)
		return false;
	f->expect_ms = ms;
	again(f);
	return true;
}

void flow_alive_stop(struct flow *f)
{
	loop_timer_stop(f->flows->loop, &f->ping);
	f->pinged = false;
}

bool flow_stun_take(struct flow_socket *socket, const union stream_addr *from,
                    struct base_str octets)
{
	(void)socket;
	(void)from;
	(void)octets;
	return false;
}
