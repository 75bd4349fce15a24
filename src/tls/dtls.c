/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A session of datagrams, as far as no engine is in it: its path, and its time, which is the
 * caller's. Engines have clocks of their own for this; they are not asked.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"
#include "tls/tickets.h"
#include "tls/wait.h"

bool tls_datagram_next(struct base_reader *r, struct base_str *ret)
{
	size_t len;

	if (base_reader_left(r) == 0)
		return false;
	len = base_reader_u16(r);
	ret->ptr = (const char *)base_reader_take(r, len);
	ret->len = len;
	return !r->failed;
}

/* -- life ------------------------------------------------------------------------------------ */

#define RTO_MS      1000  /**< RFC 6347, 4.2.4.1 */
#define RTO_MAX_MS  60000 /**< the same clause */
#define PATIENCE_MS 60000

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/** Those of the stream's SRTP profiles that the engine knows. @return how many */
static size_t srtp_take(struct tls_session *session, const struct tls_datagram_spec *spec)
{
	const struct profile_codes *known = &session->context->ops->srtp_profiles;
	uint16_t *codes = session->dtls->srtp;
	size_t count = 0;

	for (size_t i = 0; i < spec->srtp_count; i++)
		if (count < BASE_COUNT(session->dtls->srtp) - 1 && tls_srtp_name(spec->srtp[i]) &&
		    tls_caps_have(known, spec->srtp[i]))
			codes[count++] = spec->srtp[i];
	return count;
}

int tls_dtls_new(struct tls_session *session, const struct tls_datagram_spec *spec)
{
	struct tls_dtls *dtls = calloc(1, sizeof(*dtls));

	if (!dtls)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	session->dtls = dtls;
	dtls->mtu = (uint16_t)BASE_MAX(or_else(spec->mtu, TLS_MTU_DEFAULT), TLS_MTU_MIN);
	dtls->rto_first_ms = or_else(spec->rto_ms, RTO_MS);
	dtls->rto_max_ms = BASE_MAX(or_else(spec->rto_max_ms, RTO_MAX_MS), dtls->rto_first_ms);
	dtls->patience_ms = or_else(spec->patience_ms, PATIENCE_MS);
	dtls->rto_ms = dtls->rto_first_ms;
	dtls->verified = spec->verified && session->role == TLS_ROLE_SERVER;
	dtls->srtp_required = spec->srtp_required;
	if ((spec->srtp_count || spec->srtp_required) && srtp_take(session, spec) == 0)
		return BASE_ERR(BASE_CONFIG, 0);
	return 0;
}

void tls_dtls_free(struct tls_session *session)
{
	if (!session->dtls)
		return;
	base_writer_done(&session->dtls->hello);
	base_writer_done(&session->dtls->meanwhile);
	base_writer_done(&session->dtls->request);
	free(session->dtls);
	session->dtls = NULL;
}

bool tls_dtls_once(const struct tls_session *session)
{
	return session->dtls && session->dtls->srtp[0] && !session->context->ops->srtp_resumes;
}

/* -- datagrams ------------------------------------------------------------------------------- */

/** No record spans datagrams (RFC 6347, 4.1): GnuTLS would wait for the rest of one that is cut
 * off, and take the next datagram for it. */
void tls_dtls_trim(struct base_reader *in)
{
	struct base_reader r = *in;
	const uint8_t *end = in->at;

	while (base_reader_left(&r) && !r.failed) {
		(void)base_reader_take(&r, 11);
		(void)base_reader_take(&r, base_reader_u16(&r));
		if (!r.failed)
			end = r.at;
	}
	in->end = end;
}

/** Of the last record in it (RFC 6347, 4.1): a header is 13 octets, epoch and number are 8. */
static void sequence_note(struct tls_dtls *dtls, const uint8_t *data, size_t len)
{
	struct base_reader r = base_reader_of(data, len);

	while (base_reader_left(&r)) {
		uint64_t sequence;

		(void)base_reader_take(&r, 3);
		sequence = base_reader_u64(&r);
		(void)base_reader_take(&r, base_reader_u16(&r));
		if (!r.failed)
			dtls->sequence = sequence;
	}
}

void tls_dtls_sent(struct tls_session *session, const void *data, size_t len)
{
	struct base_reader r = base_reader_of(data, len);
	struct base_str one;

	base_writer_put(session->io->out, data, len);
	while (tls_datagram_next(&r, &one))
		sequence_note(session->dtls, (const uint8_t *)one.ptr, one.len);
}

void tls_dtls_put(struct tls_session *session, const void *data, size_t len)
{
	struct base_writer *out = tls_session_out(session);

	assert(len <= UINT16_MAX);
	session->dtls->last_at = out->len;
	base_writer_u16(out, (uint16_t)len);
	base_writer_put(out, data, len);
	if (!session->established && out == session->io->out)
		sequence_note(session->dtls, data, len);
}

void tls_dtls_add(struct tls_session *session, const void *data, size_t len, size_t mtu)
{
	struct base_writer *out = session->io->out;
	size_t at = session->dtls->last_at, have;

	if (at >= out->len || out->failed) {
		tls_dtls_put(session, data, len);
		return;
	}
	have = (size_t)out->data[at] << 8 | out->data[at + 1];
	if (at + 2 + have != out->len || have + len > mtu) {
		tls_dtls_put(session, data, len);
		return;
	}
	base_writer_put(out, data, len);
	if (out->failed)
		return;
	out->data[at] = (uint8_t)((have + len) >> 8);
	out->data[at + 1] = (uint8_t)(have + len);
	sequence_note(session->dtls, data, len);
}

int tls_dtls_plain_alert(struct tls_session *session, int version, uint8_t alert)
{
	struct tls_dtls *dtls = session->dtls;
	uint8_t record[15];
	struct base_writer w = base_writer_over(record, sizeof(record));

	if (session->established || dtls->sequence >> 48)
		return -1;
	dtls->sequence++;
	base_writer_u8(&w, 21);
	base_writer_u16(&w, version ? (uint16_t)version : 0xfeff);
	base_writer_u32(&w, (uint32_t)(dtls->sequence >> 32));
	base_writer_u32(&w, (uint32_t)dtls->sequence);
	base_writer_u16(&w, 2);
	base_writer_u8(&w, 2);
	base_writer_u8(&w, alert);
	tls_dtls_put(session, record, w.len);
	return session->io->out->failed ? -1 : alert;
}

/* -- time ------------------------------------------------------------------------------------ */

/** An unanswered flight may have been too long for the path (RFC 6347, 4.1.1.1). */
static void mtu_doubt(struct tls_session *session)
{
	const struct tls_dtls *dtls = session->dtls;

	if (dtls->tries == 2)
		session->context->ops->set_mtu(session, BASE_MIN(dtls->mtu, 548));
	if (dtls->tries == 3)
		session->context->ops->set_mtu(session, BASE_MIN(dtls->mtu, 228));
}

static int lose(struct tls_session *session, const char *why)
{
	int rc;

	if (session->rc)
		return session->rc;
	session->dtls->lost = true;
	rc = tls_session_fail(session, -1, TLS_SIDE_REMOTE, "%s", why);
	session->side = TLS_SIDE_NONE;
	return rc;
}

/** Nothing came in time: once more. */
static int repeat(struct tls_session *session, uint64_t now_ms)
{
	struct tls_dtls *dtls = session->dtls;

	dtls->tries = (uint8_t)BASE_MIN(dtls->tries + 1, UINT8_MAX);
	dtls->repeated++;
	dtls->rto_ms = (uint32_t)BASE_MIN((uint64_t)dtls->rto_ms * 2, dtls->rto_max_ms);
	dtls->due_ms = now_ms + dtls->rto_ms;
	mtu_doubt(session);
	return session->context->ops->repeat(session);
}

/**
 * A step has sent something: a new flight, or the peer has repeated its own and gets ours again.
 * What a repeated flight took says nothing of the path (RFC 6298, 3), and what had to be repeated
 * keeps the longer time until one comes through at once (RFC 6347, 4.2.4.1).
 */
static void flight_sent(struct tls_dtls *dtls, uint64_t now_ms)
{
	if (dtls->moved) {
		if (dtls->waiting && dtls->tries == 0) {
			dtls->rtt_ms = (uint32_t)BASE_MIN(now_ms - dtls->sent_ms, UINT32_MAX / 2);
			dtls->rto_ms = BASE_MAX(dtls->rto_first_ms, 2 * dtls->rtt_ms);
			dtls->rto_ms = BASE_MIN(dtls->rto_ms, dtls->rto_max_ms);
		}
		dtls->tries = 0;
		dtls->sent_ms = now_ms;
	} else {
		dtls->tries = (uint8_t)BASE_MAX(dtls->tries, 1);
	}
	dtls->waiting = true;
	dtls->due_ms = now_ms + dtls->rto_ms;
}

/** What has come from a peer that repeats its flight; no more than that is kept of it. */
#define MEANWHILE_MAX 16384

void tls_dtls_meanwhile(struct tls_session *session, struct tls_io *io)
{
	struct base_writer *kept = &session->dtls->meanwhile;
	size_t len = base_reader_left(&io->in);

	if (len && len <= UINT16_MAX && kept->len + 2 + len <= MEANWHILE_MAX) {
		base_writer_u16(kept, (uint16_t)len);
		base_writer_put(kept, io->in.at, len); /* without memory it is lost on the way */
	}
	io->in.at = io->in.end;
}

/** One step of the engine, with what is in `io->in`. */
static int step(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	int rc = session->context->ops->handshake(session);

	session->io->in.at = session->io->in.end;
	dtls->goes_on = false;
	if (tls_session_waits(session))
		dtls->wait_ms = session->io->now_ms;
	return rc;
}

/**
 * The wait is over: the engine goes on where it stopped, then with what has come meanwhile. The
 * clocks stood still; a flight that was held says nothing of the path.
 */
static int go_on(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	struct base_writer kept = dtls->meanwhile;
	struct base_reader r = base_reader_of(kept.data, kept.len);
	uint64_t now_ms = session->io->now_ms;
	struct base_str one;
	int rc;

	dtls->meanwhile = (struct base_writer){ 0 };
	dtls->begun_ms += now_ms - dtls->wait_ms;
	dtls->waiting = false;
	dtls->moved = true;
	session->io->in = base_reader_of(NULL, 0);
	rc = step(session);
	while (base_err_class(rc) == BASE_AGAIN && !tls_session_waits(session) &&
	       tls_datagram_next(&r, &one)) {
		session->io->in = base_reader_of(one.ptr, one.len);
		tls_dtls_trim(&session->io->in);
		rc = step(session);
	}
	base_writer_done(&kept);
	dtls->waiting = true;
	dtls->due_ms = now_ms + dtls->rto_ms;
	return rc;
}

int tls_dtls_handshake(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	struct tls_io *io = session->io;
	uint64_t now_ms = io->now_ms;
	size_t before = io->out->len;
	int rc;

	tls_dtls_trim(&io->in);
	dtls->last_at = SIZE_MAX;
	dtls->moved = !dtls->begun;
	if (!dtls->begun)
		dtls->begun_ms = now_ms;
	if (dtls->goes_on) {
		tls_dtls_meanwhile(session, io);
		rc = go_on(session);
		if (io->out->len != before) {
			dtls->waiting = false;
			flight_sent(dtls, now_ms);
		}
	} else if (base_reader_left(&io->in) == 0 && dtls->begun) {
		if (now_ms >= dtls->begun_ms + dtls->patience_ms)
			return lose(session, "the peer did not answer in time");
		if (!dtls->waiting || now_ms < dtls->due_ms)
			return BASE_ERR(BASE_AGAIN, 0);
		rc = repeat(session, now_ms);
	} else {
		dtls->begun = true;
		rc = step(session);
		if (io->out->len != before)
			flight_sent(dtls, now_ms);
	}
	if (rc)
		return rc;
	dtls->waiting = false;
	session->context->ops->set_mtu(session, dtls->mtu);
	return 0;
}

/* -- renegotiation --------------------------------------------------------------------------- */

/** Something was done, from `at` on something written; before, one went on, or not. */
static void again_note(struct tls_session *session, bool before, size_t at)
{
	struct tls_dtls *dtls = session->dtls;
	uint64_t now_ms = session->io->now_ms;

	if (session->renegotiating && !before) {
		dtls->begun_ms = now_ms;
		dtls->waiting = false;
		dtls->moved = true;
		dtls->tries = 0;
	}
	if (session->renegotiating && session->io->out->len != at)
		flight_sent(dtls, now_ms);
	if (session->renegotiating || session->wish != TLS_WISH_OPEN)
		base_writer_done(&dtls->request);
	if (before && !session->renegotiating) {
		dtls->waiting = false;
		session->context->ops->set_mtu(session, dtls->mtu);
	}
}

/**
 * A HelloRequest is a flight, too (RFC 6347, 4.2.4). The very same datagram is sent again: who has
 * had it drops the copy as a replay (4.1.2.6), and nobody is asked twice (RFC 5246, 7.4.1.1).
 */
static void request_repeat(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	uint64_t now_ms = session->io->now_ms;

	if (now_ms >= dtls->begun_ms + dtls->patience_ms) {
		base_writer_done(&dtls->request); /* who ignores it is the caller's matter */
		return;
	}
	if (now_ms < dtls->due_ms)
		return;
	dtls->repeated++;
	dtls->rto_ms = (uint32_t)BASE_MIN((uint64_t)dtls->rto_ms * 2, dtls->rto_max_ms);
	dtls->due_ms = now_ms + dtls->rto_ms;
	base_writer_put(session->io->out, dtls->request.data, dtls->request.len);
}

/** Is it time for something? @return 0 = go on */
static int again_time(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	uint64_t now_ms = session->io->now_ms;
	int rc;

	if (dtls->request.len)
		request_repeat(session);
	if (!session->renegotiating)
		return 0;
	if (now_ms >= dtls->begun_ms + dtls->patience_ms)
		return lose(session, "the peer did not go on with a renegotiation in time");
	if (!dtls->waiting || now_ms < dtls->due_ms)
		return 0;
	rc = repeat(session, now_ms);
	return rc && base_err_class(rc) == BASE_AGAIN ? 0 : rc;
}

int tls_dtls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len)
{
	struct tls_dtls *dtls = session->dtls;
	struct tls_io *io = session->io;
	bool before = session->renegotiating;
	size_t at;
	int rc = 0;

	tls_dtls_trim(&io->in);
	dtls->last_at = SIZE_MAX;
	dtls->moved = false;
	if (base_reader_left(&io->in) == 0)
		rc = again_time(session);
	at = io->out->len;
	if (rc == 0)
		rc = session->context->ops->read(session, clear, cap, ret_len);
	again_note(session, before, at);
	return rc;
}

int tls_dtls_again(struct tls_session *session)
{
	struct tls_dtls *dtls = session->dtls;
	size_t at = session->io->out->len;
	int rc;

	dtls->last_at = SIZE_MAX;
	rc = session->context->ops->again(session);
	again_note(session, false, at);
	if (rc == 0 && session->role == TLS_ROLE_SERVER && session->io->out->len > at) {
		base_writer_put(&dtls->request, session->io->out->data + at,
		                session->io->out->len - at);
		dtls->begun_ms = session->io->now_ms;
		dtls->due_ms = dtls->begun_ms + dtls->rto_ms;
	}
	return rc;
}

bool tls_dtls_agreed(struct tls_session *session)
{
	int sent;

	if (!session->dtls->srtp_required || session->context->ops->srtp(session))
		return true;
	sent = session->context->ops->abort(session, TLS_ALERT_HANDSHAKE_FAILURE);
	(void)tls_session_fail(session, sent, TLS_SIDE_LOCAL,
	                       "no SRTP protection profile in common (RFC 5764, 4.1.1)");
	return false;
}

uint64_t tls_session_deadline(const struct tls_session *session)
{
	const struct tls_dtls *dtls = session->dtls;
	uint64_t end_ms;

	if (!dtls || session->rc)
		return UINT64_MAX;
	end_ms = dtls->begun_ms + dtls->patience_ms;
	if (session->established && dtls->request.len)
		return BASE_MIN(dtls->due_ms, end_ms);
	if (session->established && !session->renegotiating)
		return UINT64_MAX;
	if (!dtls->begun || dtls->goes_on)
		return 0;
	if (tls_session_waits(session))
		return UINT64_MAX;
	return dtls->waiting ? BASE_MIN(dtls->due_ms, end_ms) : end_ms;
}

uint32_t tls_session_rtt(const struct tls_session *session)
{
	return session->dtls ? session->dtls->rtt_ms : 0;
}

void tls_session_lost(struct tls_session *session, const char *why)
{
	if (!session->dtls)
		return;
	(void)lose(session, why);
	tls_resume_forget(session);
}

void tls_session_set_mtu(struct tls_session *session, uint16_t mtu)
{
	if (!session->dtls || session->rc)
		return;
	session->dtls->mtu = (uint16_t)BASE_MAX(mtu, TLS_MTU_MIN);
	session->context->ops->set_mtu(session, session->dtls->mtu);
}

size_t tls_session_room(const struct tls_session *session)
{
	if (!session->dtls || !session->established)
		return 0;
	return BASE_MIN(session->context->ops->room(session), (size_t)TLS_RECORD_MAX);
}
