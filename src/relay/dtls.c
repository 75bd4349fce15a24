/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DTLS on a datagram leg (RFC 6347), and with it the keys of SRTP (RFC 5764). Until a peer has
 * shown a cookie of ours there is no state for it, and the answer is no longer than what it sent.
 * The one that has is the leg's peer from then on: what comes from elsewhere is dropped.
 */
#include "relay/dgram.h"
#include "relay/room.h"

/** RFC 5764, 4.1.2: its mandatory one first; what the engine lacks is left out. */
static const uint16_t profiles[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AEAD_AES_128_GCM,
	                             TLS_SRTP_AES128_CM_SHA1_32 };

bool relay_dtls_may_begin(const struct relay_leg *leg)
{
	const struct relay_setup *setup = leg->setup;

	return leg->tls && leg->role == TLS_ROLE_CLIENT && setup &&
	       (leg->tls_wanted || !setup->tls_hold) &&
	       relay_address_port(&leg->dgram->remote[RELAY_WAY_MEDIA]);
}

void relay_dtls_spec(const struct relay_leg *leg, struct tls_datagram_spec *ret)
{
	*ret = (struct tls_datagram_spec){ .patience_ms = leg->setup->handshake_timeout_ms,
		                           .verified = true };
	if (!leg->dgram->secure)
		return;
	ret->srtp = leg->dgram->srtp_count ? leg->dgram->srtp_profiles : profiles;
	ret->srtp_count = leg->dgram->srtp_count ? leg->dgram->srtp_count : BASE_COUNT(profiles);
	ret->srtp_required = true;
}

const char *relay_dtls_peer(const struct relay_leg *leg, char *buf, size_t cap)
{
	union relay_address host = leg->dgram->remote[RELAY_WAY_MEDIA];

	relay_address_port_set(&host, 0);
	return relay_address_format(&host, buf, cap);
}

void relay_dtls_send(struct relay_leg *leg, const uint8_t *data, size_t len)
{
	struct base_reader r = base_reader_of(data, len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		relay_dgram_send(leg, one.ptr, one.len, &leg->dgram->remote[RELAY_WAY_MEDIA]);
}

/** So long packets under the keys of before a renegotiation may be on their way: the MSL of RFC
 * 793, 3.3 (RFC 5764, 5.2). */
#define OLD_KEYS_MS 120000

static void on_deadline(void *arg)
{
	struct relay_leg *leg = arg;

	if (leg->state == RELAY_HANDSHAKE)
		relay_shake_step(leg, NULL, 0);
	else if (leg->state == RELAY_OPEN)
		relay_dgram_alone(leg, relay_dtls_late);
}

/** When an open one is to be looked at. */
static uint64_t open_deadline(struct relay_leg *leg, uint64_t now)
{
	struct relay_dgram *d = leg->dgram;

	if (d->old_until_ms && now >= d->old_until_ms) {
		relay_srtp_forget(d->srtp);
		d->old_until_ms = 0;
	}
	return BASE_MIN(tls_session_deadline(leg->session),
	                d->old_until_ms ? d->old_until_ms : UINT64_MAX);
}

void relay_dtls_time(struct relay_leg *leg)
{
	struct loop *loop = leg->worker->loop;
	uint64_t now = loop_now_ms(loop), at;

	at = UINT64_MAX;
	if (leg->session && leg->state == RELAY_HANDSHAKE)
		at = tls_session_deadline(leg->session);
	else if (leg->session && leg->state == RELAY_OPEN)
		at = open_deadline(leg, now);
	if (at == UINT64_MAX)
		loop_timer_stop(loop, &leg->dgram->timer);
	else
		loop_timer_start(loop, &leg->dgram->timer, at > now ? at - now : 0, on_deadline,
		                 leg);
}

bool relay_dtls_keyed(struct relay_leg *leg)
{
	struct tls_srtp_keys keys = { 0 };
	int rc;

	if (!leg->dgram->secure)
		return true;
	rc = tls_session_srtp_keys(leg->session, &keys);
	if (rc == 0)
		rc = relay_srtp_new(&leg->dgram->srtp, &keys);
	tls_srtp_keys_done(&keys);
	return rc == 0;
}

bool relay_dtls_rekeyed(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;
	struct tls_srtp_keys keys = { 0 };
	int rc;

	if (!d->secure)
		return true;
	rc = tls_session_srtp_keys(leg->session, &keys);
	if (rc == 0)
		rc = relay_srtp_rekey(d->srtp, &keys);
	tls_srtp_keys_done(&keys);
	d->old_until_ms = loop_now_ms(leg->worker->loop) + OLD_KEYS_MS;
	return rc == 0;
}

/* ---- in ---- */

static bool is_peer(const struct relay_leg *leg, const union relay_address *from)
{
	return relay_dgram_is(leg, RELAY_WAY_MEDIA, from);
}

/* Cookies are the domain's: which of our ports they were asked at is part of whom they are for. */
struct asker {
	union relay_address peer, local;
};

static void hello(struct relay_leg *leg, const uint8_t *data, size_t len,
                  const union relay_address *from)
{
	struct base_writer *out = &leg->worker->out;
	struct asker asker;
	struct base_str who = { (const char *)&asker, sizeof(asker) }, one;
	struct base_reader r;

	/* Behind an address of IPv4 stands what an earlier batch has left there. */
	memset(&asker, 0, sizeof(asker));
	memcpy(&asker.peer, from, relay_address_len(from));
	memcpy(&asker.local, &leg->owner->local, relay_address_len(&leg->owner->local));
	base_writer_reset(out);
	switch (tls_hello_check(leg->setup->tls->domain,
	                        (struct base_str){ (const char *)data, len }, who,
	                        loop_now_ms(leg->worker->loop), out)) {
	case TLS_HELLO_ASK:
		r = base_reader_of(out->data, out->len);
		while (tls_datagram_next(&r, &one))
			relay_dgram_send(leg, one.ptr, one.len, from);
		break;
	case TLS_HELLO_VERIFIED:
		if (!relay_guest_come(leg, from))
			break;
		relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
		if (leg->session && leg->state == RELAY_HANDSHAKE)
			relay_shake_step(leg, data, len);
		break;
	case TLS_HELLO_DROP:
		relay_dgram_lose(leg);
		break;
	}
}

static void ended(struct relay_leg *leg, int rc)
{
	struct tls_info info;

	if (base_err_class(rc) == BASE_AGAIN)
		return;
	tls_session_info(leg->session, &info);
	if (leg->proving) {
		relay_shake_fail(leg, relay_shake_cause(&info, rc));
		return;
	}
	if (rc == 0) {
		relay_leg_input(leg, RELAY_ON_RELEASE, RELAY_CAUSE_PEER_CLOSE, 0);
		return;
	}
	relay_leg_input(leg, RELAY_ON_TLS_BROKEN, relay_shake_cause(&info, rc), 0);
}

/* What was passed on, or told, may have ended it. */
static bool listens(const struct relay_leg *leg)
{
	return leg->session && (leg->state == RELAY_OPEN || leg->proving);
}

static void record(struct relay_leg *leg, const uint8_t *data, size_t len, uint8_t *clear)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .in = base_reader_of(data, len),
		             .out = out,
		             .now_ms = loop_now_ms(leg->worker->loop) };
	size_t got = 0, used = 0;
	int rc;

	/* As many messages as records (RFC 6347, 4.1); all together they are shorter than those. */
	do {
		base_writer_reset(out);
		rc = tls_session_read(leg->session, &io, clear + used, RELAY_SLOT_SIZE - used,
		                      &got);
		relay_dtls_send(leg, out->data, out->len);
		/* Beside SRTP nothing else is meant, and of one who is not proved nothing at all.
		 */
		if (got && !leg->dgram->secure && !leg->proving)
			relay_dgram_pass(leg, clear + used, got, RELAY_WAY_MEDIA);
		used += got;
		if (leg->state == RELAY_OPEN)
			relay_shake_again(leg);
	} while (got && listens(leg));
	if (listens(leg))
		ended(leg, rc);
	if (leg->state == RELAY_OPEN)
		relay_dtls_time(leg);
}

void relay_dtls_late(struct relay_leg *leg)
{
	record(leg, NULL, 0, leg->worker->late);
}

void relay_dtls_take(struct relay_leg *leg, uint8_t *data, size_t len,
                     const union relay_address *from, uint8_t *clear)
{
	bool dtls = tls_datagram_is((struct base_str){ (const char *)data, len });

	if (leg->state == RELAY_TCP_READY) {
		if (dtls && leg->role == TLS_ROLE_SERVER)
			hello(leg, data, len, from);
		else
			relay_dgram_lose(leg);
		return;
	}
	if (!is_peer(leg, from)) {
		relay_count_add(&leg->counters.refused, 1);
		return;
	}
	leg->worker->late = clear;
	if (leg->state == RELAY_HANDSHAKE && dtls && !leg->proving)
		relay_shake_step(leg, data, len);
	else if ((leg->state == RELAY_OPEN || leg->proving) && dtls)
		record(leg, data, len, clear);
	else if (leg->state == RELAY_OPEN && leg->dgram->srtp)
		relay_dgram_rtp(leg, data, len, RELAY_WAY_MEDIA);
	else
		relay_dgram_lose(leg);
}

/* ---- out ---- */

bool relay_dtls_protect(struct relay_leg *leg, uint8_t *data, size_t *len, bool rtcp,
                        bool *ret_lost)
{
	struct base_writer *out = &leg->worker->out;
	struct tls_io io = { .out = out, .now_ms = loop_now_ms(leg->worker->loop) };

	if (leg->dgram->srtp) {
		*ret_lost = relay_srtp_protect(leg->dgram->srtp, data, len, rtcp) != RELAY_SRTP_OK;
		return !*ret_lost;
	}
	base_writer_reset(out);
	*ret_lost = *len > tls_session_room(leg->session) ||
	            tls_session_write(leg->session, &io, data, *len) != 0 || out->failed;
	if (*ret_lost)
		return false;
	relay_dtls_send(leg, out->data, out->len);
	relay_meter_octets(leg, false, *len);
	relay_count_add(&leg->counters.packets_out, 1);
	return false;
}
