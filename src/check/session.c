/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Rules kept here:
 * 1. `clear` holds the records of the handshake at hand, opened, up to the server's
 *    ChangeCipherSpec; check_answer_read reads it whenever a record is added.
 * 2. `transcript` holds messages of both sides in the order of the wire, without HelloRequest.
 * 3. Keys change with a ChangeCipherSpec in that direction and at no other time.
 * 4. Of DTLS all this is the same: datagrams hands over records in order, and Finished counts the
 *    heads of DTLS, without the hello that had no cookie, and what came upon it (RFC 6347, 4.2.6).
 */
#include "check/session.h"

#include <stdio.h>

#include "check/words.h"

enum { MESSAGE_HEAD = 4, SENT_TIMES = 3, NO_RENEGOTIATION = 100 };

static enum check_outcome give_up(struct check_session *s, enum check_outcome outcome,
                                  const char *why)
{
	if (!*s->why)
		(void)snprintf(s->why, sizeof(s->why), "%s", why);
	return outcome;
}

/* -- out --------------------------------------------------------------------------------------- */

/** A server may have read enough and end it before all is sent: what it said still counts. */
static bool record_send(struct check_session *s, enum check_record type, const void *data,
                        size_t len)
{
	struct base_writer out = { 0 };
	bool good = s->keys.dtls
	                    ? check_datagrams_put(&s->datagrams, &s->keys, type, data, len, &out)
	                    : check_keys_seal(&s->keys, type, data, len, &out);

	if (good)
		(void)check_wire_send(&s->wire, out.data, out.len);
	base_writer_done(&out);
	return good;
}

static bool message_send(struct check_session *s, enum check_message type, const void *body,
                         size_t len)
{
	size_t at = s->transcript.len;

	if (s->keys.dtls)
		check_fragment_head(&s->transcript, (uint8_t)type, s->datagrams.sent++, len);
	else
		base_writer_u32(&s->transcript, (uint32_t)type << 24 | (uint32_t)len);
	base_writer_put(&s->transcript, body, len);
	return !s->transcript.failed &&
	       record_send(s, CHECK_RECORD_HANDSHAKE, s->transcript.data + at,
	                   s->transcript.len - at);
}

static void ours_change(struct check_session *s)
{
	if (s->keys.dtls)
		check_datagrams_change(&s->datagrams, &s->keys);
	else
		check_keys_change_ours(&s->keys);
}

/* -- in ---------------------------------------------------------------------------------------- */

/** Messages of theirs, as they were read: into the transcript. */
static void transcript_put(struct check_session *s, const struct base_writer *text)
{
	struct base_reader r = base_reader_of(text->data, text->len);

	if (!s->keys.dtls)
		base_writer_put(&s->transcript, text->data, text->len);
	while (s->keys.dtls && base_reader_left(&r) >= MESSAGE_HEAD) {
		uint8_t type = base_reader_u8(&r);
		size_t len = base_reader_u24(&r);

		check_fragment_head(&s->transcript, type, s->heard++, len);
		base_writer_put(&s->transcript, base_reader_take(&r, len), len);
	}
}

/** One record more of `wire.in`. @return 1 one, 0 not all of it is there, -1 not genuine */
static int record_take(struct check_session *s, uint8_t *ret_type, struct base_writer *ret)
{
	struct base_reader r = base_reader_of(s->wire.in.data, s->wire.in.len);
	struct check_bytes text;

	(void)base_reader_take(&r, s->read);
	*ret_type = base_reader_u8(&r);
	(void)base_reader_u16(&r);
	text.len = base_reader_u16(&r);
	text.data = base_reader_take(&r, text.len);
	if (r.failed)
		return 0;
	s->read = (size_t)(r.at - s->wire.in.data);
	base_writer_reset(ret);
	return check_keys_open(&s->keys, *ret_type, text, ret) ? 1 : -1;
}

/** Their ChangeCipherSpec has no number: a ticket that was promised goes before it. */
static bool may_change(const struct check_session *s)
{
	const struct check_answer *a = &s->answer;
	bool due = a->hello ? check_answer_extension(a, 35) != NULL : s->ticket_due;

	return (a->hello || s->first_hello) && (a->ticket || !due);
}

static void flight_repeat(struct check_session *s)
{
	struct base_writer out = { 0 };

	if (check_datagrams_repeat(&s->datagrams, &s->keys, &out))
		(void)check_wire_send(&s->wire, out.data,
		                      out.len); /* it is waited for, not asked */
	base_writer_done(&out);
}

/**
 * Silence in the midst of a session: does it answer others? A server of one peer at a time then
 * knows nothing of this one any more, and what is said again may be what it does not bear.
 */
static bool session_gone(struct check_session *s)
{
	struct check_target *t = s->wire.target;

	if (!t->known || atomic_load(&t->lost) || !(s->first_hello || s->datagrams.epoch))
		return false;
	s->gone = check_target_alive(t, &s->wire);
	return s->gone;
}

/** As record_await: our flight is sent again where nothing comes upon it (RFC 6347, 4.2.4). */
static enum check_outcome datagram_await(struct check_session *s, uint8_t *ret_type,
                                         struct base_writer *ret)
{
	unsigned sent = 1;

	while (!check_datagrams_next(&s->datagrams, may_change(s), ret_type, ret)) {
		base_writer_reset(&s->wire.in);
		if (check_wire_more(&s->wire))
			check_datagrams_take(&s->datagrams, &s->keys, s->wire.in.data,
			                     s->wire.in.len);
		else if (s->wire.ended)
			return give_up(s, CHECK_UNREACHABLE, "nobody is there any more");
		else if (sent == 1 && session_gone(s))
			return CHECK_REFUSED;
		else if (sent++ == SENT_TIMES)
			return CHECK_STALLED;
		else
			flight_repeat(s);
		if (s->datagrams.taken > CHECK_ANSWER_MAX)
			return give_up(s, CHECK_GARBLED, "too much came");
	}
	if (sent > 1)
		atomic_fetch_add(&s->wire.target->lost, 1);
	return CHECK_ANSWERED;
}

/** The next record, waited for. @return CHECK_ANSWERED when it is in `ret` */
static enum check_outcome record_await(struct check_session *s, uint8_t *ret_type,
                                       struct base_writer *ret)
{
	int got;

	if (s->keys.dtls)
		return datagram_await(s, ret_type, ret);
	while (!(got = record_take(s, ret_type, ret)))
		if (!check_wire_more(&s->wire))
			return s->wire.ended ? CHECK_REFUSED : CHECK_STALLED;
	return got > 0 ? CHECK_ANSWERED : CHECK_GARBLED;
}

static void alert_note(struct check_session *s, const struct base_writer *record)
{
	if (record->len == 2 &&
	    (record->data[0] == 2 || record->data[1] == NO_RENEGOTIATION || !record->data[1]))
		s->alert = record->data[1];
}

/** Read until the answer is whole: the server's flight, or its ChangeCipherSpec, or an end. */
static enum check_outcome flight_read(struct check_session *s)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	uint8_t type;

	s->answer.ended = false;
	if (check_answer_read(&s->answer, NULL, 0))
		return CHECK_STALLED;
	while (!s->answer.whole && !s->answer.changed && !s->answer.cookie.len &&
	       outcome == CHECK_ANSWERED) {
		outcome = record_await(s, &type, &record);
		if (outcome != CHECK_ANSWERED)
			break;
		if (type == CHECK_RECORD_DATA) /* old data may still come in between */
			continue;
		check_record_put(&s->clear, (enum check_record)type, 0x0303, record.data,
		                 record.len);
		if (type == CHECK_RECORD_ALERT)
			alert_note(s, &record);
		if (s->alert >= 0)
			outcome = CHECK_REFUSED;
		else if (check_answer_read(&s->answer, s->clear.data, s->clear.len))
			outcome = CHECK_STALLED;
	}
	base_writer_done(&record);
	return outcome;
}

/* -- Finished ---------------------------------------------------------------------------------- */

static bool finished_send(struct check_session *s)
{
	uint8_t verify[CHECK_VERIFY_DATA];

	if (!check_verify_data(&s->keys, s->resume.master, &s->transcript, "client finished",
	                       verify) ||
	    !record_send(s, CHECK_RECORD_CCS, "\x01", 1))
		return false;
	ours_change(s);
	base_writer_reset(&s->verify_client);
	base_writer_put(&s->verify_client, verify, CHECK_VERIFY_DATA);
	return message_send(s, CHECK_FINISHED, verify, CHECK_VERIFY_DATA);
}

/** After the server's ChangeCipherSpec. */
static enum check_outcome finished_read(struct check_session *s)
{
	struct base_writer record = { 0 };
	uint8_t type, verify[CHECK_VERIFY_DATA];
	enum check_outcome outcome;

	check_keys_change_theirs(&s->keys);
	if (s->keys.dtls)
		check_datagrams_changed(&s->datagrams, &s->keys);
	outcome = record_await(s, &type, &record);
	if (outcome == CHECK_ANSWERED && type == CHECK_RECORD_ALERT) {
		alert_note(s, &record);
		outcome = CHECK_REFUSED;
	}
	if (outcome == CHECK_ANSWERED &&
	    (record.len != MESSAGE_HEAD + CHECK_VERIFY_DATA || record.data[0] != CHECK_FINISHED ||
	     !check_verify_data(&s->keys, s->resume.master, &s->transcript, "server finished",
	                        verify) ||
	     memcmp(verify, record.data + MESSAGE_HEAD, CHECK_VERIFY_DATA) != 0))
		outcome = give_up(s, CHECK_GARBLED, "the server's Finished is wrong");
	if (outcome == CHECK_ANSWERED) {
		transcript_put(s, &record);
		base_writer_reset(&s->verify_server);
		base_writer_put(&s->verify_server, verify, CHECK_VERIFY_DATA);
	}
	base_writer_done(&record);
	return outcome;
}

/* -- the handshake ----------------------------------------------------------------------------- */

static bool chosen(struct check_session *s)
{
	const struct check_answer *a = &s->answer;

	s->keys.version = a->version;
	s->resume.version = a->version;
	s->resume.suite = a->suite;
	memcpy(s->server_random, a->random, 32);
	return check_shape_of(a->suite, &s->keys.shape);
}

static bool keys_next(struct check_session *s)
{
	return check_keys_make(&s->keys, s->resume.master, s->client_random, s->server_random);
}

static bool master_make(struct check_session *s, const struct base_writer *premaster)
{
	uint8_t hash[64];
	struct check_bytes secret = { premaster->data, premaster->len };
	const char *digest = s->keys.shape.hash;
	size_t len;

	s->resume.ems = check_answer_extension(&s->answer, 23) != NULL;
	if (!s->resume.ems)
		return check_prf(s->keys.version, digest, secret, "master secret",
		                 (struct check_bytes){ s->client_random, 32 },
		                 (struct check_bytes){ s->server_random, 32 }, s->resume.master,
		                 48);
	len = check_transcript_hash(s->keys.version, digest, &s->transcript, hash);
	return len && check_prf(s->keys.version, digest, secret, "extended master secret",
	                        (struct check_bytes){ hash, len }, (struct check_bytes){ NULL, 0 },
	                        s->resume.master, 48);
}

/** Our flight of a full handshake (RFC 5246, 7.3). */
static bool key_send(struct check_session *s, const struct check_offer *offer)
{
	struct base_writer body = { 0 }, premaster = { .wipe = true };
	bool good = true;

	if (s->answer.certificate_request) /* none to show */
		good = message_send(s, CHECK_CERTIFICATE, "\0\0\0", 3);
	good = good &&
	       check_exchange_make(&s->answer, &s->keys.shape, profile_version_wire(offer->version),
	                           s->psk, &body, &premaster) &&
	       message_send(s, CHECK_CLIENT_KEY, body.data, body.len) &&
	       master_make(s, &premaster) && keys_next(s);
	base_writer_done(&body);
	base_writer_done(&premaster);
	return good;
}

/** NewSessionTicket goes into the transcript and is kept. */
static void ticket_keep(struct check_session *s)
{
	const struct check_answer *a = &s->answer;

	if (!a->ticket)
		return;
	base_writer_reset(&s->resume.ticket);
	base_writer_put(&s->resume.ticket, a->ticket_data.data, a->ticket_data.len);
	s->resume.lifetime_s = a->ticket_lifetime_s;
}

static enum check_outcome full(struct check_session *s, const struct check_offer *offer)
{
	enum check_outcome outcome;

	transcript_put(s, &s->answer.text);
	s->resume.id_len = BASE_MIN(s->answer.session_id.len, sizeof(s->resume.id));
	memcpy(s->resume.id, s->answer.session_id.data, s->resume.id_len);
	base_writer_reset(&s->resume.ticket);
	if (!key_send(s, offer) || !finished_send(s))
		return give_up(s, CHECK_GARBLED, "the key exchange could not be made");
	base_writer_reset(&s->clear);
	outcome = flight_read(s);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (!s->answer.changed)
		return give_up(s, CHECK_GARBLED, "no ChangeCipherSpec came");
	transcript_put(s, &s->answer.text);
	ticket_keep(s);
	return finished_read(s);
}

/** The server has taken the session up again (RFC 5246, 7.3; RFC 5077, 3.1). */
static enum check_outcome abbreviated(struct check_session *s, const struct check_resume *resume)
{
	enum check_outcome outcome;

	if (!resume)
		return give_up(s, CHECK_GARBLED, "it took up a session that was not offered");
	memcpy(s->resume.master, resume->master, sizeof(s->resume.master));
	transcript_put(s, &s->answer.text);
	ticket_keep(s);
	if (!keys_next(s))
		return give_up(s, CHECK_GARBLED, "the keys could not be made");
	outcome = finished_read(s);
	if (outcome == CHECK_ANSWERED && !finished_send(s))
		outcome = give_up(s, CHECK_REFUSED, "the connection ended");
	s->resumed = outcome == CHECK_ANSWERED;
	return outcome;
}

/** Our hello, and what comes upon it. */
static enum check_outcome hello_exchange(struct check_session *s, const struct check_offer *offer)
{
	struct base_writer hello = { 0 };
	bool sent;

	base_writer_reset(&s->transcript);
	base_writer_reset(&s->clear);
	s->heard = s->datagrams.in.next;
	check_hello_put(offer, &hello);
	sent = !hello.failed && message_send(s, CHECK_CLIENT_HELLO, hello.data, hello.len);
	base_writer_done(&hello);
	return sent ? flight_read(s) : give_up(s, CHECK_REFUSED, "the connection ended");
}

/** The same again with the cookie that the server wants (RFC 6347, 4.2.1). */
static enum check_outcome cookie_return(struct check_session *s, struct check_offer *offer)
{
	s->cookie_len = BASE_MIN(s->answer.cookie.len, sizeof(s->cookie));
	memcpy(s->cookie, s->answer.cookie.data, s->cookie_len);
	offer->cookie.len = s->cookie_len;
	s->keys.version = s->keys.version ? s->keys.version : profile_version_wire(offer->version);
	return hello_exchange(s, offer);
}

static enum check_outcome shake(struct check_session *s, const struct check_offer *given,
                                const struct check_resume *resume)
{
	struct check_offer offer = *given;
	enum check_outcome outcome;

	s->first_hello = s->resumed = s->ticket_due = false; /* of an earlier handshake */
	base_writer_reset(&s->first);
	offer.random = s->client_random;
	if (base_random(s->client_random, sizeof(s->client_random)))
		return give_up(s, CHECK_STALLED, "no random octets");
	/* without it OpenSSL 3.0 would take a hello inside a session, and look into none of it */
	offer.cookie = (struct check_bytes){ s->cookie, s->cookie_len };
	if (s->keys.dtls)
		check_datagrams_begin(&s->datagrams, &s->keys);
	outcome = hello_exchange(s, &offer);
	if (outcome == CHECK_ANSWERED && s->keys.dtls && s->answer.cookie.len)
		outcome = cookie_return(s, &offer);
	s->first_hello = s->answer.hello;
	s->ticket_due = check_answer_extension(&s->answer, 35) != NULL;
	base_writer_reset(&s->first);
	base_writer_put(&s->first, s->clear.data, s->clear.len);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (!s->answer.hello || !chosen(s))
		return give_up(
		        s, s->answer.outcome == CHECK_ANSWERED ? CHECK_GARBLED : s->answer.outcome,
		        "the answer is not what was offered");
	return s->answer.changed ? abbreviated(s, resume) : full(s, &offer);
}

static enum check_outcome shake_and_show(struct check_session *s, const struct check_offer *offer,
                                         const struct check_resume *resume,
                                         struct check_probe *probe)
{
	enum check_outcome outcome = shake(s, offer, resume);

	if (s->alert >= 0)
		(void)snprintf(s->why, sizeof(s->why), "alert %s (%d)", check_alert_name(s->alert),
		               s->alert);
	else if (s->gone)
		(void)snprintf(s->why, sizeof(s->why), "%s", check_silence);
	else if (outcome == CHECK_REFUSED)
		(void)snprintf(s->why, sizeof(s->why), "the connection ended");
	else if (outcome == CHECK_STALLED)
		(void)snprintf(s->why, sizeof(s->why), "no answer in time");
	if (outcome == CHECK_STALLED)
		atomic_fetch_add(&s->wire.target->stalled, 1);
	if (probe) {
		base_writer_put(&probe->sent, s->transcript.data, s->transcript.len);
		base_writer_put(&probe->seen, s->first.data, s->first.len);
		if (s->first_hello && !s->answer.hello) /* of a full one the second flight, too */
			base_writer_put(&probe->seen, s->clear.data, s->clear.len);
		probe->answer.outcome = outcome;
		probe->wanted = true;
	}
	s->up = outcome == CHECK_ANSWERED;
	return outcome;
}

enum check_outcome check_session_open(struct check_session *s, struct check_target *target,
                                      const struct check_offer *offer,
                                      const struct check_resume *resume,
                                      const struct check_psk *psk, struct check_probe *probe)
{
	enum check_outcome outcome;

	*s = (struct check_session){ .psk = psk, .alert = -1, .wire = { .fd = -1 } };
	if (atomic_load(&target->stalled) >= CHECK_STALLS_MAX)
		return give_up(s, CHECK_STALLED, "too much was not answered before");
	outcome = check_wire_open(&s->wire, target);
	if (outcome != CHECK_NOTHING)
		return give_up(s, outcome, "no connection");
	s->keys.dtls = target->dtls;
	if (target->dtls)
		s->wire.wait_ms = BASE_MAX(target->timeout_ms / SENT_TIMES, 1U);
	return shake_and_show(s, offer, resume, probe);
}

enum check_outcome check_session_again(struct check_session *s, const struct check_offer *offer,
                                       struct check_probe *probe)
{
	*s->why = '\0';
	s->alert = -1;
	s->gone = false;
	return shake_and_show(s, offer, NULL, probe);
}

/** A server of datagrams hears no end of a connection, and many a one nobody else before it. */
static void handshake_abort(struct check_session *s)
{
	static const uint8_t cancelled[] = { 2, 90 };
	struct base_writer out = { 0 };

	if (check_datagrams_abort(&s->datagrams, &s->keys, cancelled, &out))
		(void)check_wire_send(&s->wire, out.data, out.len); /* nothing comes upon it */
	base_writer_done(&out);
}

void check_session_part(struct check_session *s)
{
	bool datagrams = s->keys.dtls && s->wire.fd >= 0;

	/* a session that ends without it may not be taken up again (RFC 5246, 7.2.1) */
	if (s->up)
		(void)record_send(s, CHECK_RECORD_ALERT, "\x01", 2);
	else if (datagrams && !s->gone && (s->first_hello || s->keys.ours.on) &&
	         (s->alert < 0 || s->alert == NO_RENEGOTIATION))
		handshake_abort(s);
	/* where datagrams are lost, that one may be; who has heard it says so, or nothing */
	if (s->up && datagrams && atomic_load(&s->wire.target->lost) && !check_wire_more(&s->wire))
		flight_repeat(s);
	s->up = false;
	check_wire_close(&s->wire);
}

void check_session_close(struct check_session *s)
{
	check_session_part(s);
	check_answer_done(&s->answer);
	base_writer_done(&s->clear);
	base_writer_done(&s->first);
	base_writer_done(&s->transcript);
	base_writer_done(&s->verify_client);
	base_writer_done(&s->verify_server);
	base_writer_done(&s->resume.ticket);
	check_datagrams_done(&s->datagrams);
	check_keys_wipe(&s->keys);
	base_wipe(&s->resume, sizeof(s->resume));
}
