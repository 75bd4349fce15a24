/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams: one recvmmsg for all that waits, one sendmmsg for what became of it. What cannot go on
 * now is dropped and counted; nothing is queued, nothing allocated.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "relay/dgram.h"
#include "relay/room.h"

/** The first octet of RTP and RTCP (version 2), the second of muxed RTCP (RFC 5761, 4). */
#define RTP_MIN_LEN  12U
#define RTCP_MIN_LEN 8U

/** Datagrams that go out one way. */
struct out {
	unsigned count;
	struct mmsghdr msg[RELAY_SLOTS];
	struct iovec iov[RELAY_SLOTS];
	size_t clear[RELAY_SLOTS]; /**< octets of each before SRTP */
};

/** Of the worker; meaningful within one event alone. */
struct relay_batch {
	struct mmsghdr msg[RELAY_SLOTS];
	struct iovec iov[RELAY_SLOTS];
	union relay_address from[RELAY_SLOTS];
	struct out out[RELAY_WAYS];
	struct relay_leg *leg;                         /**< whose it is; NULL between batches */
	uint64_t wire_in, octets_in, packets_in, lost; /**< added to its counters at the end */
};

int relay_batch_init(struct relay_worker *worker)
{
	struct relay_batch *b = worker->batch = calloc(1, sizeof(*b));

	if (!b)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (unsigned i = 0; i < RELAY_SLOTS; i++) {
		b->iov[i].iov_base = worker->in + i * RELAY_SLOT_SIZE;
		b->iov[i].iov_len = RELAY_DGRAM_MAX;
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_name = &b->from[i];
	}
	worker->late = worker->clear;
	return 0;
}

/* ---- out ---- */

static void send_all(struct relay_leg *leg, struct out *out, int fd, bool count)
{
	struct relay_counters *counters = &leg->counters;
	unsigned at = 0;
	uint64_t sent = 0, octets = 0, wire = 0;
	bool heard = false;

	while (at < out->count) {
		int n = sendmmsg(fd, out->msg + at, out->count - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		for (int i = 0; i < n; i++) {
			octets += out->clear[at + (unsigned)i];
			wire += out->iov[at + (unsigned)i].iov_len;
		}
		sent += (uint64_t)BASE_MAX(n, 0);
		at += (unsigned)BASE_MAX(n, 0);
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
			break; /* late media is no good to anybody */
		if (n < 0 && errno == ECONNREFUSED && !heard) {
			heard = true; /* of an earlier one, and told but once */
			continue;
		}
		if (n < 0)
			at++; /* this one alone: too long for its way, or nobody is there */
	}
	relay_count_add(&counters->packets_lost, out->count - sent);
	relay_count_add(&counters->octets_out, octets);
	relay_count_add(&counters->wire_out, wire);
	if (count)
		relay_count_add(&counters->packets_out, sent);
	out->count = 0;
}

static void flush(struct relay_leg *leg, struct relay_batch *b)
{
	const struct relay_dgram *d = leg->dgram;

	if (b->out[RELAY_WAY_MEDIA].count)
		send_all(leg, &b->out[RELAY_WAY_MEDIA], leg->watch.fd, true);
	if (b->out[RELAY_WAY_RTCP].count)
		send_all(leg, &b->out[RELAY_WAY_RTCP],
		         d->rtcp_with_media ? leg->watch.fd : d->rtcp.fd, false);
}

/* Have it sent to our peer with the rest of the batch. */
static bool put(struct relay_leg *leg, uint8_t *data, size_t len, enum relay_way way)
{
	struct out *out = &leg->worker->batch->out[way];
	union relay_address *to = &leg->dgram->remote[way];
	size_t clear = len;
	bool lost = false;
	struct msghdr *h;

	if (!relay_address_port(to) || out->count == RELAY_SLOTS)
		return false;
	if (leg->tls && !relay_dtls_protect(leg, data, &len, way == RELAY_WAY_RTCP, &lost))
		return !lost;
	out->clear[out->count] = clear;
	out->iov[out->count] = (struct iovec){ .iov_base = data, .iov_len = len };
	h = &out->msg[out->count].msg_hdr;
	*h = (struct msghdr){ .msg_name = to,
		              .msg_namelen = relay_address_len(to),
		              .msg_iov = &out->iov[out->count],
		              .msg_iovlen = 1 };
	out->count++;
	return true;
}

void relay_dgram_send(struct relay_leg *leg, const void *data, size_t len,
                      const union relay_address *to)
{
	ssize_t n;

	do
		n = sendto(leg->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa,
		           relay_address_len(to));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		relay_count_add(&leg->counters.wire_out, (uint64_t)n);
}

/* ---- in ---- */

/* The partner, when datagrams of ours may go on through it now. */
static struct relay_leg *way_on(const struct relay_leg *leg)
{
	struct relay_leg *partner = leg->partner;

	if (!partner || !leg->may_receive || !partner->may_send || !partner->dgram)
		return NULL;
	return partner->state == RELAY_OPEN ? partner : NULL;
}

/* RTP or RTCP, by their first two octets (RFC 5764, 5.1.2; RFC 5761, 4)? */
static bool is_rtp(const struct relay_dgram *d, const uint8_t *data, size_t len,
                   enum relay_way *way)
{
	if (len < RTCP_MIN_LEN || data[0] < 128 || data[0] > 191)
		return false;
	if (d->rtcp_mux && data[1] >= 192 && data[1] <= 223)
		*way = RELAY_WAY_RTCP;
	return *way == RELAY_WAY_RTCP || len >= RTP_MIN_LEN;
}

/* Who sent it may, and from now on is the one that we send to if nobody else was. */
static bool admitted(struct relay_leg *leg, const union relay_address *from, enum relay_way way)
{
	/* What is said of ports is said of the media's. A shared port may have got something before
	 * it was connected. */
	if ((leg->dgram->shared && relay_address_port(&leg->dgram->remote[way]) &&
	     !relay_dgram_is(leg, way, from)) ||
	    !(way == RELAY_WAY_RTCP ? relay_door_admits_host(leg->door, from)
	                            : relay_door_admits(leg->door, from))) {
		relay_count_add(&leg->counters.refused, 1);
		return false;
	}
	if (leg->dgram->latch && way == RELAY_WAY_MEDIA && !leg->tls)
		relay_dgram_latch(leg, from);
	return true;
}

void relay_dgram_lose(struct relay_leg *leg)
{
	leg->worker->batch->lost++;
}

void relay_dgram_pass(struct relay_leg *leg, uint8_t *data, size_t len, enum relay_way way)
{
	struct relay_batch *b = leg->worker->batch;
	struct relay_leg *to = way_on(leg);

	b->octets_in += len;
	b->packets_in += way == RELAY_WAY_MEDIA;
	if (!to || !put(to, data, len, way))
		b->lost++;
}

void relay_dgram_rtp(struct relay_leg *leg, uint8_t *data, size_t len, enum relay_way way)
{
	struct relay_srtp *srtp = leg->dgram->srtp;

	if (!is_rtp(leg->dgram, data, len, &way) ||
	    (srtp &&
	     relay_srtp_unprotect(srtp, data, &len, way == RELAY_WAY_RTCP) != RELAY_SRTP_OK))
		relay_dgram_lose(leg);
	else
		relay_dgram_pass(leg, data, len, way);
}

static void take_one(struct relay_leg *leg, struct relay_batch *b, unsigned i, enum relay_way way)
{
	uint8_t *data = b->iov[i].iov_base;
	size_t len = b->msg[i].msg_len;

	b->wire_in += len;
	if (!admitted(leg, &b->from[i], way))
		return;
	if ((b->msg[i].msg_hdr.msg_flags & MSG_TRUNC) || !len ||
	    (leg->door && !relay_door_passes(leg->door, loop_now_ms(leg->worker->loop), len)))
		relay_dgram_lose(leg);
	else if (leg->tls)
		relay_dtls_take(leg, data, len, &b->from[i],
		                leg->worker->clear + i * RELAY_SLOT_SIZE);
	else if (leg->dgram->rtp)
		relay_dgram_rtp(leg, data, len, way);
	else
		relay_dgram_pass(leg, data, len, way);
}

static void take(struct relay_leg *leg, struct relay_batch *b, unsigned i, enum relay_way way)
{
	struct relay_leg *whose = leg;

	if (leg->dgram->room)
		whose = relay_room_whose(leg, &b->from[i]);
	if (!whose) {
		relay_count_add(&leg->counters.refused, 1);
		return;
	}
	relay_dgram_for(whose);
	take_one(whose, b, i, way);
	relay_dgram_for(leg);
}

void relay_dgram_for(struct relay_leg *leg)
{
	struct relay_batch *b = leg->worker->batch;

	if (!b->leg || b->leg == leg)
		return;
	relay_dgram_settle(leg->worker);
	b->leg = leg;
}

void relay_dgram_settle(struct relay_worker *worker)
{
	struct relay_batch *b = worker->batch;
	struct relay_leg *leg = b->leg;

	if (!leg)
		return;
	relay_count_add(&leg->counters.wire_in, b->wire_in);
	relay_meter_octets(leg, true, b->octets_in);
	relay_count_add(&leg->counters.packets_in, b->packets_in);
	relay_count_add(&leg->counters.packets_lost, b->lost);
	b->wire_in = b->octets_in = b->packets_in = b->lost = 0;
	if (leg->partner && leg->partner->dgram)
		flush(leg->partner, b);
}

void relay_dgram_alone(struct relay_leg *leg, void (*fn)(struct relay_leg *leg))
{
	struct relay_worker *worker = leg->worker;

	worker->batch->leg = leg;
	worker->late = worker->clear;
	fn(leg);
	relay_dgram_settle(worker);
	worker->batch->leg = NULL;
}

static void take_all(struct relay_leg *leg, struct relay_batch *b, unsigned count,
                     enum relay_way way)
{
	b->leg = leg;
	for (unsigned i = 0; i < count && leg->state <= RELAY_OPEN; i++) {
		take(leg, b, i, way);
	}
	relay_dgram_settle(leg->worker);
	b->leg = NULL;
}

/* @return false when the socket is empty: the loop tells when more comes (edge triggered) */
static bool run_socket(struct relay_leg *leg, int fd, enum relay_way way)
{
	struct relay_batch *b = leg->worker->batch;

	for (unsigned i = 0; i < RELAY_BATCHES && leg->state <= RELAY_OPEN; i++) {
		int n;

		for (unsigned k = 0; k < RELAY_SLOTS; k++)
			b->msg[k].msg_hdr.msg_namelen = sizeof(b->from[k]);
		n = recvmmsg(fd, b->msg, RELAY_SLOTS, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n > 0)
			take_all(leg, b, (unsigned)n, way);
		/* On a connected socket an ICMP error may have ended the batch early. */
		if (n >= 0 && n < (int)RELAY_SLOTS && !leg->dgram->shared)
			return false;
		/* Any other failure is one datagram's (ICMP), and over. */
	}
	return true;
}

void relay_dgram_run(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (leg->state < RELAY_TCP_READY || leg->state > RELAY_OPEN)
		return;
	if (leg->readable)
		leg->readable = run_socket(leg, leg->watch.fd, RELAY_WAY_MEDIA);
	if (d->rtcp_readable && leg->state <= RELAY_OPEN)
		d->rtcp_readable = run_socket(leg, d->rtcp.fd, RELAY_WAY_RTCP);
	if (leg->owner && leg->session)
		relay_shake_count(leg);
	if (leg->readable || d->rtcp_readable)
		relay_leg_resume(leg);
}

void relay_dgram_event(void *arg, unsigned events)
{
	struct relay_leg *leg = arg;

	if (!(events & LOOP_READABLE))
		return;
	leg->readable = true;
	relay_dgram_run(leg);
}

void relay_dgram_rtcp_event(void *arg, unsigned events)
{
	struct relay_leg *leg = arg;

	if (!(events & LOOP_READABLE))
		return;
	leg->dgram->rtcp_readable = true;
	relay_dgram_run(leg);
}

void relay_dgram_end(struct relay_leg *leg)
{
	if (leg->state != RELAY_DRAIN)
		return;
	if (leg->tls_up && !leg->ended)
		relay_flow_say_close(leg);
	leg->ended = true;
	relay_leg_input(leg, RELAY_ON_FLUSHED, RELAY_CAUSE_NONE, 0);
}
