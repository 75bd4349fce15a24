/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alives: ours, and those that are waited for (RFC 5626, 4.4 and 5.4). */
#include <stdlib.h>
#include <sys/socket.h>

#include "flow/private.h"

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

/* RFC 5389, 7.2.1 (R): seven times, each after twice the time, then 16 of the first. */
#define STUN_SENDS 7
#define STUN_LAST  16

static void stun_send(struct flow *f)
{
	uint8_t octets[STUN_ANSWER_MAX];
	struct base_writer w = base_writer_over(octets, sizeof(octets));
	unsigned factor = f->stun->sent + 1 < STUN_SENDS ? 1U << f->stun->sent : STUN_LAST;

	stun_request(f->stun->id, &w);
	f->stun->sent++;
	(void)flow_udp_send(f, base_writer_view(&w)); /* lost, as datagrams are: it is repeated */
	loop_timer_start(f->flows->loop, &f->ping, (uint64_t)f->flows->config.stun_rto_ms * factor,
	                 on_ping, f);
}

static void stun_ping(struct flow *f)
{
	if (f->pinged && f->stun->sent >= STUN_SENDS) {
		silent(f, "no answer to STUN (RFC 5626, 4.4.2)");
		return;
	}
	if (!f->stun)
		f->stun = calloc(1, sizeof(*f->stun));
	if (!f->stun || (!f->pinged && base_random(f->stun->id, STUN_ID))) {
		ping_later(f); /* memory may come back */
		return;
	}
	if (!f->pinged)
		f->stun->sent = 0;
	f->pinged = true;
	stun_send(f);
}

static void on_ping(void *arg)
{
	struct flow *f = arg;

	if (f->transport == FLOW_UDP) {
		stun_ping(f);
		return;
	}
	if (f->pinged) {
		silent(f, "no answer to a keep-alive in time (RFC 5626, 4.4.1)");
		return;
	}
	f->pinged = true;
	(void)stream_write(f->stream, "\r\n\r\n", 4); /* a stream that has failed tells so */
	loop_timer_start(f->flows->loop, &f->ping, f->flows->config.pong_ms, on_ping, f);
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
	/* What answers STUN is STUN. */
	if (f->pinged && f->transport != FLOW_UDP) {
		f->pinged = false;
		ping_later(f);
	}
}

/* ---- STUN ---- */

static void stun_answered(struct flow *f, const struct stun_message *m)
{
	bool named = m->mapped.sa.sa_family != AF_UNSPEC;
	bool moved = named && f->stun->mapped.sa.sa_family != AF_UNSPEC &&
	             !stream_addr_equal(&f->stun->mapped, &m->mapped);

	if (moved) {
		flow_lost(f, "STUN sees us at another address (RFC 5626, 4.4.2)");
		return;
	}
	if (named)
		f->stun->mapped = m->mapped;
	f->pinged = false;
	ping_later(f);
}

static void stun_asked(struct flow_socket *socket, const union stream_addr *from,
                       const struct stun_message *m)
{
	uint8_t octets[STUN_ANSWER_MAX];
	struct base_writer w = base_writer_over(octets, sizeof(octets));

	if (!socket->flows->config.stun)
		return;
	stun_answer(m, from, &w);
	socket->flows->count.stuns++;
	(void)sendto(socket->w.fd, w.data, w.len, MSG_NOSIGNAL, &from->sa,
	             stream_addr_len(from)); /* lost, as datagrams are: they ask again */
}

bool flow_stun_take(struct flow_socket *socket, const union stream_addr *from,
                    struct base_str octets)
{
	struct flow *f = flow_peer(socket->flows, FLOW_UDP, socket->number, from, NULL);
	struct stun_message m;
	enum stun_kind kind = stun_parse(&m, octets);

	if (kind == STUN_NONE)
		return false;
	if (f)
		flow_udp_heard(f);
	if (kind == STUN_REQUEST)
		stun_asked(socket, from, &m);
	else if (kind != STUN_OTHER && f && f->stun && f->pinged &&
	         memcmp(f->stun->id, m.id, STUN_ID) == 0)
		stun_answered(f, &m);
	return true;
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
