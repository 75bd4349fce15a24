/* SPDX-License-Identifier: Apache-2.0 */
/** @file TLS 1.3 as server: RFC 8446, 4.1.3, 4.3.1, 4.3.2, 4.4, 4.6.1, 4.6.3. */
#include "check/served13.h"

#include <stdio.h>

#include "check/words.h"
#include "x509/x509.h"

enum { MESSAGE_HEAD = 4, PIECE = 16000, LIFETIME_S = 3600, KEY_UPDATE = 24, PSK = 41 };

static const uint16_t groups[] = { 29, 23, 24, 25 };

static enum check_outcome give_up(struct check_served13 *s, enum check_outcome outcome,
                                  const char *why)
{
	if (!*s->why)
		(void)snprintf(s->why, sizeof(s->why), "%s", why);
	return outcome;
}

static uint16_t group_find(const struct check_offered *o)
{
	for (size_t i = 0; i < BASE_COUNT(groups); i++)
		if (check_share_find(o, groups[i]).len)
			return groups[i];
	return 0;
}

/** The external key, where the client offers its name. */
static bool key_offered(const struct check_host *h, const struct check_offered *o,
                        struct check_bytes hello, struct check_offered_psk *ret)
{
	struct check_bytes name = { NULL, 0 };

	if (h->psk)
		name = (struct check_bytes){ (const uint8_t *)h->psk->identity,
			                     strlen(h->psk->identity) };
	return check_psk_find(o, hello, name, ret);
}

bool check_served13_able(const struct check_host *h, const struct check_offered *o,
                         struct check_bytes hello)
{
	struct check_offered_psk psk;

	return (o->versions & PROFILE_TLS_1_3) && check_host_suite13(o) && group_find(o) &&
	       (h->identity || key_offered(h, o, hello, &psk));
}

bool check_served13_offers(const struct check_offered *o, struct check_bytes hello,
                           const struct check_ticket13 *t)
{
	struct check_offered_psk psk;

	return check_psk_find(o, hello, (struct check_bytes){ t->name, t->name_len }, &psk);
}

/* -- out --------------------------------------------------------------------------------------- */

static void record_hold(struct check_served13 *s, enum check_record type, const void *data,
                        size_t len)
{
	s->hold.failed |= !check_tls13_seal(&s->k, type, data, len, &s->hold);
	check_record_put(&s->sent, type, 0x0303, data, len);
}

static size_t message_begin(struct base_writer *w, enum check_message type)
{
	base_writer_reset(w);
	base_writer_u8(w, (uint8_t)type);
	return check_vector_begin(w, 3);
}

static void message_end(struct check_served13 *s, struct base_writer *w, size_t at)
{
	check_vector_end(w, at, 3);
	base_writer_put(&s->k.transcript, w->data, w->len);
	for (size_t from = 0; from < w->len; from += PIECE)
		record_hold(s, CHECK_RECORD_HANDSHAKE, w->data + from,
		            BASE_MIN(w->len - from, (size_t)PIECE));
	s->hold.failed |= w->failed || s->k.transcript.failed;
}

static bool flush(struct check_served13 *s)
{
	bool good = !s->hold.failed;

	if (good) /* what it has read enough of may be cut off: what it says still counts */
		(void)check_wire_send(s->wire, s->hold.data, s->hold.len);
	base_writer_reset(&s->hold);
	return good;
}

/* -- in ---------------------------------------------------------------------------------------- */

/** The next record: its inner type and text. Before keys it can only be an alert. */
static enum check_outcome record_await(struct check_served13 *s, uint8_t *ret_type,
                                       struct base_writer *ret)
{
	for (;;) {
		struct base_reader r = base_reader_of(s->wire->in.data, s->wire->in.len);
		const uint8_t *head;
		struct check_bytes text;

		(void)base_reader_take(&r, s->read);
		head = base_reader_take(&r, 3);
		text.len = base_reader_u16(&r);
		text.data = base_reader_take(&r, text.len);
		if (r.failed) {
			if (s->read == s->wire->in.len) { /* room for as much again */
				base_writer_reset(&s->wire->in);
				s->read = 0;
			}
			if (!check_wire_more(s->wire))
				return s->wire->ended ? CHECK_REFUSED : CHECK_STALLED;
			continue;
		}
		s->read = (size_t)(r.at - s->wire->in.data);
		if (s->seen.len >= CHECK_ANSWER_MAX) /* there is an end, however fast it talks */
			return give_up(s, CHECK_GARBLED, "it says too much");
		if (*head == CHECK_RECORD_CCS) { /* RFC 8446, D.4 */
			base_writer_put(&s->seen, head, 3);
			base_writer_u16(&s->seen, (uint16_t)text.len);
			base_writer_put(&s->seen, text.data, text.len);
			continue;
		}
		*ret_type = *head;
		base_writer_reset(ret);
		if (*head == CHECK_RECORD_ALERT)
			base_writer_put(ret, text.data, text.len);
		else
			*ret_type = *head == CHECK_RECORD_DATA
			                    ? check_tls13_open(&s->k, head, text, ret)
			                    : 0;
		if (!*ret_type)
			return give_up(s, CHECK_GARBLED, "a record of it is not genuine");
		check_record_put(&s->seen, (enum check_record) * ret_type, 0x0303, ret->data,
		                 ret->len);
		return CHECK_ANSWERED;
	}
}

static enum check_outcome record_sort(struct check_served13 *s, uint8_t type,
                                      const struct base_writer *record)
{
	if (type == CHECK_RECORD_ALERT && record->len == 2)
		s->alert = record->data[1];
	else if (type == CHECK_RECORD_HANDSHAKE)
		base_writer_put(&s->inbox, record->data, record->len);
	if (s->inbox.failed || s->inbox.len > CHECK_ANSWER_MAX)
		return give_up(s, CHECK_GARBLED, "it says too much");
	return s->alert >= 0 ? CHECK_REFUSED : CHECK_ANSWERED;
}

static bool message_next(struct check_served13 *s, uint8_t *ret_type, struct check_bytes *ret)
{
	struct base_reader r = base_reader_of(s->inbox.data, s->inbox.len);
	const uint8_t *begin;
	uint32_t len;

	(void)base_reader_take(&r, s->taken);
	begin = r.at;
	*ret_type = base_reader_u8(&r);
	len = base_reader_u24(&r);
	(void)base_reader_take(&r, len);
	if (r.failed)
		return false;
	*ret = (struct check_bytes){ begin, MESSAGE_HEAD + len };
	s->taken += ret->len;
	return true;
}

static enum check_outcome message_await(struct check_served13 *s, uint8_t *ret_type,
                                        struct check_bytes *ret)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	uint8_t type;

	while (outcome == CHECK_ANSWERED && !message_next(s, ret_type, ret)) {
		outcome = record_await(s, &type, &record);
		if (outcome == CHECK_ANSWERED)
			outcome = record_sort(s, type, &record);
	}
	base_writer_done(&record);
	return outcome;
}

static struct check_bytes body_of(struct check_bytes message)
{
	return (struct check_bytes){ message.data + MESSAGE_HEAD, message.len - MESSAGE_HEAD };
}

/* -- our flight -------------------------------------------------------------------------------- */

/** By which key, if any: the binder has to be right (RFC 8446, 4.2.11). */
static bool psk_take(struct check_served13 *s, const struct check_ticket13 *resume,
                     struct check_bytes *ret_psk, unsigned *ret_index)
{
	struct check_bytes hello = { s->hello.data, s->hello.len };
	struct check_offered_psk psk;
	uint8_t want[CHECK_HASH_MAX];

	*ret_psk = (struct check_bytes){ NULL, 0 };
	s->resumed = resume &&
	             check_psk_find(&s->offered, hello,
	                            (struct check_bytes){ resume->name, resume->name_len }, &psk);
	s->keyed = !s->resumed && key_offered(s->host, &s->offered, hello, &psk);
	if (!s->resumed && !s->keyed)
		return true;
	if (s->resumed)
		check_tls13_suite(&s->k, resume->suite);
	else
		check_tls13_suite(&s->k, 0x1301); /* SHA-256 */
	*ret_psk =
	        s->resumed ? (struct check_bytes){ resume->psk, s->k.hash_len } : s->host->psk->key;
	*ret_index = psk.index;
	return check_codes_hold(s->offered.suites, s->k.suite) &&
	       check_tls13_binder(&s->k, (struct check_bytes){ hello.data, psk.before }, *ret_psk,
	                          s->resumed ? "res binder" : "ext binder", want) &&
	       psk.binder.len == s->k.hash_len && !memcmp(want, psk.binder.data, s->k.hash_len);
}

/** ServerHello, in the clear; `share` is our public value. */
static void hello_hold(struct check_served13 *s, const struct base_writer *share, bool psk,
                       unsigned index)
{
	struct base_writer w = { 0 };
	uint8_t random[32];
	size_t at = message_begin(&w, CHECK_SERVER_HELLO), list;

	w.failed |= base_random(random, sizeof(random)) != 0;
	base_writer_u16(&w, 0x0303);
	base_writer_put(&w, random, sizeof(random));
	base_writer_u8(&w, (uint8_t)s->offered.session_id.len);
	base_writer_put(&w, s->offered.session_id.data, s->offered.session_id.len);
	base_writer_u16(&w, s->k.suite);
	base_writer_u8(&w, 0);
	list = check_vector_begin(&w, 2);
	base_writer_put(&w, "\x00\x2b\x00\x02\x03\x04\x00\x33", 8);
	base_writer_u16(&w, (uint16_t)(share->len + 4));
	base_writer_u16(&w, s->group);
	base_writer_u16(&w, (uint16_t)share->len);
	base_writer_put(&w, share->data, share->len);
	if (psk) {
		base_writer_put(&w, "\x00\x29\x00\x02", 4);
		base_writer_u16(&w, (uint16_t)index);
	}
	check_vector_end(&w, list, 2);
	check_vector_end(&w, at, 3);
	base_writer_put(&s->k.transcript, w.data, w.len);
	check_record_put(&s->hold, CHECK_RECORD_HANDSHAKE, 0x0303, w.data, w.len);
	check_record_put(&s->hold, CHECK_RECORD_CCS, 0x0303, "\x01", 1); /* D.4 */
	check_record_put(&s->sent, CHECK_RECORD_HANDSHAKE, 0x0303, w.data, w.len);
	s->hold.failed |= w.failed;
	base_writer_done(&w);
}

static bool handshake_keys(struct check_served13 *s, struct check_bytes psk,
                           struct check_bytes shared)
{
	struct check_tls13 *k = &s->k;

	return check_tls13_early(k, psk) && check_tls13_extract(k, shared) &&
	       check_tls13_derive(k, k->secret, "c hs traffic", &k->transcript, k->theirs_secret) &&
	       check_tls13_derive(k, k->secret, "s hs traffic", &k->transcript, k->ours_secret) &&
	       check_tls13_way(k, k->ours_secret, &k->ours) &&
	       check_tls13_way(k, k->theirs_secret, &k->theirs);
}

static void request_hold(struct check_served13 *s, struct base_writer *w)
{
	static const uint8_t schemes[] = {
		0, 13, 0, 14, 0, 12, 4, 3, 5, 3, 6, 3, 8, 4, 8, 5, 8, 6
	};
	size_t at = message_begin(w, CHECK_CERTIFICATE_REQUEST), list;

	base_writer_u8(w, 0);
	list = check_vector_begin(w, 2);
	base_writer_put(w, schemes, sizeof(schemes));
	check_vector_end(w, list, 2);
	message_end(s, w, at);
}

static void certificate_hold(struct check_served13 *s, struct base_writer *w)
{
	const struct x509_identity *id = s->host->identity;
	size_t at = message_begin(w, CHECK_CERTIFICATE), list;

	base_writer_u8(w, 0);
	list = check_vector_begin(w, 3);
	for (size_t i = 0; i < id->der_count; i++) {
		size_t one = check_vector_begin(w, 3);

		base_writer_str(w, id->der[i]);
		check_vector_end(w, one, 3);
		base_writer_u16(w, 0);
	}
	check_vector_end(w, list, 3);
	message_end(s, w, at);
}

/** What CertificateVerify is over (RFC 8446, 4.4.3). */
static bool signed_text(const struct check_served13 *s, const char *who, struct base_writer *out)
{
	uint8_t hash[64];
	size_t len = check_transcript_hash(0x0304, s->k.hash, &s->k.transcript, hash);

	base_writer_reset(out);
	for (int i = 0; i < 64; i++)
		base_writer_u8(out, ' ');
	base_writer_text(out, "TLS 1.3, ");
	base_writer_text(out, who);
	base_writer_text(out, " CertificateVerify");
	base_writer_u8(out, 0);
	base_writer_put(out, hash, len);
	return len && !out->failed;
}

static bool proof_hold(struct check_served13 *s, bool spoilt, struct base_writer *w)
{
	struct base_writer text = { 0 }, body = { 0 };
	bool good = signed_text(s, "server", &text) &&
	            check_host_sign13(s->host, &s->offered, &text, &body);
	size_t at = message_begin(w, CHECK_CERTIFICATE_VERIFY);

	if (good && spoilt)
		body.data[body.len - 1] ^= 1;
	base_writer_put(w, body.data, body.len);
	message_end(s, w, at);
	base_writer_done(&text);
	base_writer_done(&body);
	return good;
}

/** EncryptedExtensions to Finished; then the application's keys are ready in `ret_*`. */
static bool flight_hold(struct check_served13 *s, unsigned how, bool psk, uint8_t *ret_ours,
                        uint8_t *ret_theirs)
{
	struct check_tls13 *k = &s->k;
	struct base_writer w = { 0 };
	uint8_t verify[64];
	size_t at = message_begin(&w, CHECK_ENCRYPTED_EXTENSIONS);
	bool good = true;

	base_writer_u16(&w, 0);
	message_end(s, &w, at);
	if (!psk && (how & CHECK_SERVE_CERTIFICATE))
		request_hold(s, &w);
	if (!psk)
		certificate_hold(s, &w);
	if (!psk)
		good = proof_hold(s, how & CHECK_SERVE_SPOILT_SIGNATURE, &w);
	good = good && check_tls13_finished(k, k->ours_secret, verify);
	at = message_begin(&w, CHECK_FINISHED);
	base_writer_put(&w, verify, k->hash_len);
	if (good && (how & CHECK_SERVE_SPOILT_FINISHED))
		w.data[w.len - 1] ^= 1;
	message_end(s, &w, at);
	base_writer_done(&w);
	return good && check_tls13_extract(k, (struct check_bytes){ NULL, 0 }) &&
	       check_tls13_derive(k, k->secret, "c ap traffic", &k->transcript, ret_theirs) &&
	       check_tls13_derive(k, k->secret, "s ap traffic", &k->transcript, ret_ours);
}

/* -- its flight -------------------------------------------------------------------------------- */

static enum check_outcome certificate_await(struct check_served13 *s)
{
	struct base_writer text = { 0 };
	struct check_bytes message, first;
	struct check_proof proof;
	uint8_t type;
	enum check_outcome outcome = message_await(s, &type, &message);

	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_CERTIFICATE || !check_client_certificate13_read(body_of(message), &first))
		return give_up(s, CHECK_GARBLED, "its Certificate cannot be read");
	s->asked = true;
	base_writer_put(&s->cert, first.data, first.len);
	base_writer_put(&s->k.transcript, message.data, message.len);
	if (!first.len)
		return CHECK_ANSWERED;
	outcome = message_await(s, &type, &message);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_CERTIFICATE_VERIFY)
		return give_up(s, CHECK_GARBLED, "no CertificateVerify came");
	s->proved = signed_text(s, "client", &text) &&
	            check_proof_read(body_of(message), 0x0304, &proof) &&
	            check_proof_holds((struct check_bytes){ s->cert.data, s->cert.len }, 0x0304,
	                              &proof, (struct check_bytes){ text.data, text.len });
	base_writer_put(&s->k.transcript, message.data, message.len);
	base_writer_done(&text);
	return CHECK_ANSWERED;
}

static enum check_outcome finished_await(struct check_served13 *s)
{
	struct check_bytes message = { 0 };
	uint8_t type, want[64];
	enum check_outcome outcome = message_await(s, &type, &message);

	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_FINISHED || message.len != MESSAGE_HEAD + s->k.hash_len ||
	    !check_tls13_finished(&s->k, s->k.theirs_secret, want) ||
	    memcmp(want, body_of(message).data, s->k.hash_len) != 0)
		return give_up(s, CHECK_GARBLED, "its Finished is wrong");
	base_writer_put(&s->k.transcript, message.data, message.len);
	return CHECK_ANSWERED;
}

/* -- in the session ---------------------------------------------------------------------------- */

/** NewSessionTicket (RFC 8446, 4.6.1), without early_data. */
static bool ticket_hold(struct check_served13 *s, struct check_ticket13 *ret)
{
	static const uint8_t nonce = 0;
	uint8_t resumption[CHECK_HASH_MAX], age_add[4];
	struct base_writer w = { 0 };
	size_t at;
	bool good =
	        check_tls13_derive(&s->k, s->k.secret, "res master", &s->k.transcript,
	                           resumption) &&
	        check_expand_label(s->k.hash, resumption, "resumption",
	                           (struct check_bytes){ &nonce, 1 }, ret->psk, s->k.hash_len) &&
	        !base_random(ret->name, sizeof(ret->name)) &&
	        !base_random(age_add, sizeof(age_add));

	base_writer_u8(&w, CHECK_NEW_TICKET);
	at = check_vector_begin(&w, 3);
	base_writer_u32(&w, LIFETIME_S);
	base_writer_put(&w, age_add, sizeof(age_add));
	base_writer_put(&w, "\x01\x00", 2);
	base_writer_u16(&w, sizeof(ret->name));
	base_writer_put(&w, ret->name, sizeof(ret->name));
	base_writer_u16(&w, 0);
	check_vector_end(&w, at, 3);
	record_hold(s, CHECK_RECORD_HANDSHAKE, w.data, w.len);
	base_writer_done(&w);
	base_wipe(resumption, sizeof(resumption));
	ret->suite = s->k.suite;
	ret->name_len = good ? sizeof(ret->name) : 0;
	return good;
}

static bool way_turn(struct check_served13 *s, uint8_t *secret, struct check_way13 *way)
{
	return check_expand_label(s->k.hash, secret, "traffic upd", (struct check_bytes){ NULL, 0 },
	                          secret, s->k.hash_len) &&
	       check_tls13_way(&s->k, secret, way);
}

/**
 * Ours, and a request for the client's, which is due before it sends again (RFC 8446, 4.6.3). What
 * comes behind it makes many a client send: of SIP it is the question of a keep-alive (RFC 5626,
 * 3.5.1).
 */
static bool update_hold(struct check_served13 *s)
{
	bool good;

	record_hold(s, CHECK_RECORD_HANDSHAKE, "\x18\x00\x00\x01\x01", 5);
	good = way_turn(s, s->k.ours_secret, &s->k.ours);
	record_hold(s, CHECK_RECORD_DATA, "\r\n\r\n", 4);
	return good;
}

enum check_heard check_served13_hear(struct check_served13 *s)
{
	struct base_writer record = { 0 };
	enum check_outcome outcome = CHECK_ANSWERED;
	struct check_bytes message = { 0 };
	uint8_t type = 0, inner = 0;

	s->alert = -1;
	while (outcome == CHECK_ANSWERED && inner != CHECK_RECORD_DATA &&
	       !message_next(s, &type, &message)) {
		outcome = record_await(s, &inner, &record);
		if (outcome == CHECK_ANSWERED)
			outcome = record_sort(s, inner, &record);
	}
	base_writer_done(&record);
	if (s->alert > 0)
		return CHECK_HEARD_ALERT;
	if (outcome != CHECK_ANSWERED)
		return outcome == CHECK_REFUSED   ? CHECK_HEARD_CLOSED
		       : outcome == CHECK_STALLED ? CHECK_HEARD_NOTHING
		                                  : CHECK_HEARD_NONSENSE;
	if (inner == CHECK_RECORD_DATA)
		return CHECK_HEARD_DATA;
	if (type != KEY_UPDATE || message.len != MESSAGE_HEAD + 1)
		return CHECK_HEARD_NONSENSE;
	s->updated = way_turn(s, s->k.theirs_secret, &s->k.theirs);
	return CHECK_HEARD_HELLO;
}

/* -- the handshake ----------------------------------------------------------------------------- */

static enum check_outcome shake(struct check_served13 *s, unsigned how, struct check_bytes psk,
                                unsigned index, uint8_t *ours, uint8_t *theirs)
{
	struct base_writer public = { 0 }, shared = { .wipe = true };
	void *share = check_share_new(s->group, &public);
	enum check_outcome outcome = CHECK_ANSWERED;
	bool good = share && check_share_agree(share, s->group,
	                                       check_share_find(&s->offered, s->group), &shared);

	base_writer_put(&s->k.transcript, s->hello.data, s->hello.len);
	hello_hold(s, &public, psk.len != 0, index);
	good = good && handshake_keys(s, psk, (struct check_bytes){ shared.data, shared.len }) &&
	       flight_hold(s, how, psk.len != 0, ours, theirs) && flush(s);
	check_share_free(share);
	base_writer_done(&public);
	base_writer_done(&shared);
	if (!good)
		return give_up(s, CHECK_GARBLED,
		               "no share or signature of its offer is one of this checker's");
	if (!psk.len && (how & CHECK_SERVE_CERTIFICATE))
		outcome = certificate_await(s);
	return outcome == CHECK_ANSWERED ? finished_await(s) : outcome;
}

/** The application's keys, and what is said first under them. */
static enum check_outcome session_begin(struct check_served13 *s, unsigned how, const uint8_t *ours,
                                        const uint8_t *theirs, struct check_ticket13 *ret)
{
	bool good;

	memcpy(s->k.ours_secret, ours, s->k.hash_len);
	memcpy(s->k.theirs_secret, theirs, s->k.hash_len);
	good = check_tls13_way(&s->k, s->k.ours_secret, &s->k.ours) &&
	       check_tls13_way(&s->k, s->k.theirs_secret, &s->k.theirs);
	if (good && ret && (how & CHECK_SERVE_TICKET))
		good = ticket_hold(s, ret);
	if (good && (how & CHECK_SERVE_REQUEST))
		good = update_hold(s);
	return good && flush(s) ? CHECK_ANSWERED : give_up(s, CHECK_STALLED, "out of memory");
}

enum check_outcome check_served13_shake(struct check_served13 *s, unsigned how,
                                        const struct check_ticket13 *resume,
                                        struct check_ticket13 *ret)
{
	uint8_t ours[CHECK_HASH_MAX], theirs[CHECK_HASH_MAX];
	struct check_bytes psk;
	unsigned index = 0;
	enum check_outcome outcome;

	s->group = group_find(&s->offered);
	check_tls13_suite(&s->k, check_host_suite13(&s->offered));
	if (!psk_take(s, resume, &psk, &index))
		return give_up(s, CHECK_GARBLED, "its binder is wrong: it has another key");
	outcome = shake(s, how, psk, index, ours, theirs);
	if (outcome == CHECK_ANSWERED)
		outcome = session_begin(s, how, ours, theirs, ret);
	base_wipe(ours, sizeof(ours));
	base_wipe(theirs, sizeof(theirs));
	s->up = outcome == CHECK_ANSWERED;
	if (s->alert >= 0)
		(void)snprintf(s->why, sizeof(s->why), "alert %s (%d)", check_alert_name(s->alert),
		               s->alert);
	else if (outcome == CHECK_REFUSED)
		(void)give_up(s, outcome, "it ended the connection");
	else if (outcome == CHECK_STALLED)
		(void)give_up(s, outcome, "nothing more came in time");
	return outcome;
}

/* -- begin and end ----------------------------------------------------------------------------- */

bool check_served13_begin(struct check_served13 *s, struct check_wire *wire,
                          const struct check_host *host, const struct check_answer *text)
{
	*s = (struct check_served13){
		.wire = wire, .host = host, .read = text->consumed, .alert = -1
	};
	base_writer_put(&s->seen, wire->in.data, BASE_MIN(text->consumed, wire->in.len));
	base_writer_put(&s->hello, text->text.data, text->text.len);
	return !s->hello.failed &&
	       check_offered_read(&s->offered, (struct check_bytes){ s->hello.data, s->hello.len });
}

static void close_send(struct check_served13 *s)
{
	if (s->up) {
		record_hold(s, CHECK_RECORD_ALERT, "\x01", 2);
		(void)flush(s);
	}
	s->up = false;
}

void check_served13_part(struct check_served13 *s)
{
	enum check_heard heard;

	close_send(s);
	do
		heard = check_served13_hear(s);
	while (heard == CHECK_HEARD_DATA || heard == CHECK_HEARD_HELLO);
}

void check_served13_done(struct check_served13 *s)
{
	close_send(s);
	base_writer_done(&s->inbox);
	base_writer_done(&s->hold);
	base_writer_done(&s->hello);
	base_writer_done(&s->cert);
	base_writer_done(&s->sent);
	base_writer_done(&s->seen);
	check_tls13_done(&s->k);
	base_wipe(s, sizeof(*s));
}
