/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Datagrams with GnuTLS. Its timers read the machine's clock; so its timeout is set to nothing and
 * its patience to a day: it repeats a flight whenever on_wait() says that there is nothing to read,
 * which it says when our time is up, and only then. What it repeats beside that (at any message it
 * did not expect) is not sent. Its records of a flight share datagrams, for each datagram more is
 * one more to lose.
 */
#include <errno.h>
#include <gnutls/dtls.h>

#include "tls/dtls_session.h"
#include "tls/gnutls_engine.h"

#define DAY_MS    (24U * 3600 * 1000)

#define HANDSHAKE 22

/** By what a flight in the clear is known: its first record's message and place in it. 0 = not. */
static uint64_t flight_key(const uint8_t *record, size_t len)
{
	struct base_reader r = base_reader_of(record, len);
	uint8_t type = base_reader_u8(&r);
	uint64_t key;

	(void)base_reader_take(&r, 2);
	if (base_reader_u64(&r) >> 48 || type == 21)
		return 0;
	key = (uint64_t)type << 48;
	if (type == HANDSHAKE) {
		(void)base_reader_take(&r, 2 + 4);
		key |= (uint64_t)base_reader_u16(&r) << 24;
		key |= base_reader_u24(&r);
	}
	return r.failed ? 0 : key;
}

/** Is this record to be sent? */
static bool flight_goes(struct tls_gnutls_session *gs, const uint8_t *record, size_t len)
{
	uint64_t key = flight_key(record, len);

	if (key && key == gs->flight) {
		gs->mute = !gs->repeat;
		gs->repeat = false;
	} else if (key && gs->fresh) {
		gs->flight = key;
	}
	gs->fresh &= !key;
	return !gs->mute;
}

static ssize_t on_push(gnutls_transport_ptr_t arg, const giovec_t *iov, int count)
{
	struct tls_session *session = arg;
	struct tls_gnutls_session *gs = session->engine;
	size_t total = 0;

	for (int i = 0; i < count; i++) { /* a record each */
		const uint8_t *record = iov[i].iov_base;

		if (session->established && !session->renegotiating)
			tls_dtls_put(session, record, iov[i].iov_len);
		else if (session->renegotiating ? gs->made || gs->repeat
		                                : flight_goes(gs, record, iov[i].iov_len))
			tls_dtls_add(session, record, iov[i].iov_len, gs->mtu);
		total += iov[i].iov_len;
	}
	if (!session->io->out->failed)
		return (ssize_t)total;
	errno = ENOMEM;
	return -1;
}

/** A datagram at a time; what has no room is lost, as it is with a socket. */
static ssize_t on_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct tls_session *session = arg;
	struct tls_gnutls_session *gs = session->engine;
	struct base_reader *in = &session->io->in;

	len = BASE_MIN(len, base_reader_left(in));
	if (len == 0) {
		gs->dry = true;
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, in->at, len);
	in->at = in->end;
	return (ssize_t)len;
}

/** Is there something to read? It looks then, also among what it keeps; and if there is not, it
 * repeats its flight. */
static int on_wait(gnutls_transport_ptr_t arg, unsigned ms)
{
	struct tls_session *session = arg;
	const struct tls_gnutls_session *gs = session->engine;

	(void)ms;
	return !gs->repeat;
}

int tls_gnutls_dtls_new(struct tls_session *session, struct tls_gnutls_session *gs)
{
	int rc = 0;

	gnutls_transport_set_vec_push_function(gs->tls, on_push);
	gnutls_transport_set_pull_function(gs->tls, on_pull);
	gnutls_transport_set_pull_timeout_function(gs->tls, on_wait);
	gnutls_dtls_set_timeouts(gs->tls, 0, DAY_MS);
	gs->mtu = session->dtls->mtu;
	gnutls_dtls_set_mtu(gs->tls, gs->mtu);
	/* IANA's numbers are GnuTLS's. */
	for (const uint16_t *code = session->dtls->srtp; rc >= 0 && *code; code++)
		rc = gnutls_srtp_set_profile(gs->tls, (gnutls_srtp_profile_t)*code);
	return rc;
}

void tls_gnutls_set_mtu(struct tls_session *session, uint16_t mtu)
{
	struct tls_gnutls_session *gs = session->engine;

	gs->mtu = mtu;
	gnutls_dtls_set_mtu(gs->tls, mtu);
}

size_t tls_gnutls_room(const struct tls_session *session)
{
	const struct tls_gnutls_session *gs = session->engine;

	return gnutls_dtls_get_data_mtu(gs->tls);
}

uint16_t tls_gnutls_srtp(const struct tls_session *session)
{
	const struct tls_gnutls_session *gs = session->engine;
	gnutls_srtp_profile_t profile;

	return gnutls_srtp_get_selected_profile(gs->tls, &profile) < 0 ? TLS_SRTP_NONE
	                                                               : (uint16_t)profile;
}

int tls_gnutls_extract(struct tls_session *session, const char *label,
                       const struct base_str *context, uint8_t *out, size_t len)
{
	struct tls_gnutls_session *gs = session->engine;
	int rc = gnutls_prf_rfc5705(gs->tls, strlen(label), label, context ? context->len : 0,
	                            context ? (context->ptr ? context->ptr : "") : NULL, len,
	                            (char *)out);

	return rc < 0 ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

/** Begin where the cookie exchange has ended, by the numbers of the ClientHello at hand. */
static void prestate_set(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct base_reader r = session->io->in;
	gnutls_dtls_prestate_st state = { 0 };

	(void)base_reader_take(&r, 3 + 2 + 2);
	state.record_seq = base_reader_u32(&r);
	(void)base_reader_take(&r, 2 + 1 + 3);
	state.hsk_read_seq = base_reader_u16(&r);
	if (r.failed)
		return;
	/* It has sent as many messages as it has read; GnuTLS adds the one it knows of. */
	state.hsk_write_seq = state.hsk_read_seq ? state.hsk_read_seq - 1 : 0;
	gnutls_dtls_prestate_set(gs->tls, &state);
	session->dtls->verified = false;
}

int tls_gnutls_repeat(struct tls_session *session)
{
	struct tls_gnutls_session *gs;
	int rc;

	if (!session->renegotiating)
		return tls_gnutls_handshake(session);
	gs = tls_gnutls_step(session);
	gs->repeat = true;
	rc = tls_gnutls_reshake(session, gs);
	gs->repeat = false;
	return rc;
}

void tls_gnutls_dtls_begin(struct tls_session *session, struct tls_gnutls_session *gs)
{
	if (session->dtls->verified)
		prestate_set(session, gs);
	gs->given = base_reader_left(&session->io->in) > 0;
	gs->repeat = !gs->given && !session->dtls->goes_on;
}
