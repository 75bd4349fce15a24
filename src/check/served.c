/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Rules kept here:
 * 1. `inbox` holds handshake messages of the client's, opened, whole or not; what lies before
 *    `taken` was read.
 * 2. `transcript` holds messages of both sides in the order of the wire, without HelloRequest.
 * 3. Keys change with a ChangeCipherSpec in that direction and at no other time.
 * 4. What is sent is held until a flight is whole: a client that has read our Finished has our
 *    HelloRequest, too.
 */
#include "check/served_io.h"

#include <stdio.h>

#include "check/words.h"
#include "x509/x509.h"

enum { TICKET_LEN = 64, LIFETIME_S = 3600 };

static struct check_bytes body_of(struct check_bytes message)
{
	return (struct check_bytes){ message.data + MESSAGE_HEAD, message.len - MESSAGE_HEAD };
}

static void transcript_add(struct check_served *s, struct check_bytes message)
{
	base_writer_put(&s->transcript, message.data, message.len);
}

/* -- our flight -------------------------------------------------------------------------------- */

static void hello_extensions(struct check_served *s, unsigned how, bool ticket,
                             struct base_writer *w)
{
	size_t at = check_vector_begin(w, 2), outer, inner;

	if ((how & CHECK_SERVE_INFO) && s->secured) {
		base_writer_u16(w, 0xff01);
		outer = check_vector_begin(w, 2);
		inner = check_vector_begin(w, 1);
		if (s->up) {
			base_writer_put(w, s->verify_client, CHECK_VERIFY_DATA);
			base_writer_put(w, s->verify_server, CHECK_VERIFY_DATA);
		}
		if (how & CHECK_SERVE_SPOILT_INFO) {
			if (s->up)
				w->data[w->len - 1] ^= 1;
			else
				base_writer_put(w, s->server_random, CHECK_VERIFY_DATA);
		}
		check_vector_end(w, inner, 1);
		check_vector_end(w, outer, 2);
	}
	if (s->resume.ems)
		base_writer_put(w, "\x00\x17\x00\x00", 4);
	if (ticket)
		base_writer_put(w, "\x00\x23\x00\x00", 4);
	check_vector_end(w, at, 2);
	if (w->len == at && !w->failed) /* none: no list of them either (RFC 5246, 7.4.1.3) */
		w->len -= 2;
}

static void hello_hold(struct check_served *s, unsigned how, bool ticket, struct base_writer *w)
{
	size_t at = check_served_message(w, CHECK_SERVER_HELLO);

	base_writer_u16(w, s->keys.version);
	base_writer_put(w, s->server_random, sizeof(s->server_random));
	base_writer_u8(w, (uint8_t)s->resume.id_len);
	base_writer_put(w, s->resume.id, s->resume.id_len);
	base_writer_u16(w, s->resume.suite);
	base_writer_u8(w, 0);
	hello_extensions(s, how, ticket, w);
	check_served_message_end(s, w, at);
}

static void certificate_hold(struct check_served *s, struct base_writer *w)
{
	const struct x509_identity *id = s->host->identity;
	size_t at = check_served_message(w, CHECK_CERTIFICATE), list = check_vector_begin(w, 3);

	for (size_t i = 0; i < id->der_count; i++) {
		size_t one = check_vector_begin(w, 3);

		base_writer_str(w, id->der[i]);
		check_vector_end(w, one, 3);
	}
	check_vector_end(w, list, 3);
	check_served_message_end(s, w, at);
}

/** Any kind of certificate, by any authority (RFC 5246, 7.4.4). */
static void request_hold(struct check_served *s, struct base_writer *w)
{
	static const uint8_t schemes[] = { 0, 22, 4, 3, 5, 3, 6, 3, 4, 1, 5, 1,
		                           6, 1,  8, 4, 8, 5, 8, 6, 2, 3, 2, 1 };
	size_t at = check_served_message(w, CHECK_CERTIFICATE_REQUEST);

	base_writer_put(w, "\x02\x01\x40", 3);
	if (s->keys.version >= 0x0303)
		base_writer_put(w, schemes, sizeof(schemes));
	base_writer_u16(w, 0);
	check_served_message_end(s, w, at);
}

/** ServerHello to ServerHelloDone. */
static bool flight_hold(struct check_served *s, unsigned how, bool ticket, struct check_own *own)
{
	const struct check_parties parties = { s->keys.version, s->resume.suite, &s->keys.shape,
		                               s->client_random, s->server_random };
	struct base_writer w = { 0 }, exchange = { 0 };
	bool good = check_host_exchange(s->host, &parties, &s->offered, own, &exchange);
	size_t at;

	hello_hold(s, how, ticket, &w);
	if (!s->keys.shape.psk)
		certificate_hold(s, &w);
	if (exchange.len) {
		at = check_served_message(&w, CHECK_KEY_EXCHANGE);
		base_writer_put(&w, exchange.data, exchange.len);
		check_served_message_end(s, &w, at);
	}
	if ((how & CHECK_SERVE_CERTIFICATE) && !s->keys.shape.psk)
		request_hold(s, &w);
	at = check_served_message(&w, CHECK_HELLO_DONE);
	check_served_message_end(s, &w, at);
	base_writer_done(&w);
	base_writer_done(&exchange);
	return good;
}

/* -- secrets ----------------------------------------------------------------------------------- */

static bool master_make(struct check_served *s, const struct base_writer *premaster)
{
	struct check_bytes secret = { premaster->data, premaster->len };
	const char *digest = s->keys.shape.hash;
	uint8_t hash[64];
	size_t len;

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

/** check_keys_make() speaks as a client. */
static bool keys_next(struct check_served *s)
{
	struct check_direction ours;
	bool good = check_keys_make(&s->keys, s->resume.master, s->client_random, s->server_random);

	ours = s->keys.theirs_next;
	s->keys.theirs_next = s->keys.ours_next;
	s->keys.ours_next = ours;
	base_wipe(&ours, sizeof(ours));
	return good;
}

/* -- its flight -------------------------------------------------------------------------------- */

static bool certificate_take(struct check_served *s, struct check_bytes message)
{
	struct check_bytes first;

	if (!check_client_certificate_read(body_of(message), &first))
		return false;
	s->asked = true;
	s->proved = false;
	base_writer_reset(&s->cert);
	base_writer_put(&s->cert, first.data, first.len);
	transcript_add(s, message);
	return true;
}

static bool key_take(struct check_served *s, const struct check_own *own,
                     struct check_bytes message)
{
	const struct check_parties parties = { s->keys.version, s->resume.suite, &s->keys.shape,
		                               s->client_random, s->server_random };
	struct base_writer premaster = { .wipe = true };
	struct check_client_key key;
	bool good;

	s->went_on = true;
	transcript_add(s, message);
	good = check_client_key_read(body_of(message), &s->keys.shape, &key) &&
	       check_host_premaster(s->host, &parties, own, &key, &premaster) &&
	       master_make(s, &premaster) && keys_next(s);
	base_writer_done(&premaster);
	return good;
}

/** CertificateVerify; a wrong one is told, and is no end: nothing here depends on it. */
static void proof_take(struct check_served *s, struct check_bytes message)
{
	struct check_proof proof;

	s->proved = check_proof_read(body_of(message), s->keys.version, &proof) &&
	            check_proof_holds(
	                    (struct check_bytes){ s->cert.data, s->cert.len }, s->keys.version,
	                    &proof, (struct check_bytes){ s->transcript.data, s->transcript.len });
	transcript_add(s, message);
}

/** Certificate, where it was asked for, ClientKeyExchange and CertificateVerify. */
static enum check_outcome flight_await(struct check_served *s, unsigned how,
                                       const struct check_own *own)
{
	struct check_bytes message;
	enum check_outcome outcome;
	uint8_t type;

	outcome = check_served_await(s, &type, &message);
	if (outcome == CHECK_ANSWERED && type == CHECK_CERTIFICATE &&
	    (how & CHECK_SERVE_CERTIFICATE)) {
		if (!certificate_take(s, message))
			return check_served_give_up(s, CHECK_GARBLED,
			                            "its Certificate cannot be read");
		outcome = check_served_await(s, &type, &message);
	}
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_CLIENT_KEY || !key_take(s, own, message))
		return check_served_give_up(s, CHECK_GARBLED,
		                            "its key exchange is not what the suite wants");
	if (!s->asked || !s->cert.len)
		return CHECK_ANSWERED;
	outcome = check_served_await(s, &type, &message);
	if (outcome == CHECK_ANSWERED && type != CHECK_CERTIFICATE_VERIFY)
		return check_served_give_up(s, CHECK_GARBLED, "no CertificateVerify came");
	if (outcome == CHECK_ANSWERED)
		proof_take(s, message);
	return outcome;
}

static enum check_outcome finished_await(struct check_served *s)
{
	uint8_t type, want[CHECK_VERIFY_DATA];
	struct check_bytes message;
	enum check_outcome outcome = check_served_change(s);

	if (outcome == CHECK_ANSWERED)
		outcome = check_served_await(s, &type, &message);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_FINISHED || message.len != MESSAGE_HEAD + CHECK_VERIFY_DATA ||
	    !check_verify_data(&s->keys, s->resume.master, &s->transcript, "client finished",
	                       want) ||
	    memcmp(want, body_of(message).data, CHECK_VERIFY_DATA) != 0)
		return check_served_give_up(s, CHECK_GARBLED, "its Finished is wrong");
	transcript_add(s, message);
	memcpy(s->verify_client, want, CHECK_VERIFY_DATA);
	return CHECK_ANSWERED;
}

/* -- the end of our side ----------------------------------------------------------------------- */

static bool finished_hold(struct check_served *s, bool spoilt)
{
	struct base_writer w = { 0 };
	size_t at;

	if (!check_verify_data(&s->keys, s->resume.master, &s->transcript, "server finished",
	                       s->verify_server))
		return false;
	check_served_hold(s, CHECK_RECORD_CCS, "\x01", 1);
	s->keys.ours = s->keys.ours_next;
	at = check_served_message(&w, CHECK_FINISHED);
	base_writer_put(&w, s->verify_server, CHECK_VERIFY_DATA);
	if (spoilt && !w.failed)
		w.data[w.len - 1] ^= 1;
	check_served_message_end(s, &w, at);
	base_writer_done(&w);
	return true;
}

/** NewSessionTicket (RFC 5077, 3.3): random octets, for what it stands for stays here. */
static bool ticket_hold(struct check_served *s)
{
	uint8_t ticket[TICKET_LEN];
	struct base_writer w = { 0 };
	size_t at;

	if (base_random(ticket, sizeof(ticket)))
		return false;
	base_writer_put(&s->resume.ticket, ticket, sizeof(ticket));
	s->resume.lifetime_s = LIFETIME_S;
	at = check_served_message(&w, CHECK_NEW_TICKET);
	base_writer_u32(&w, LIFETIME_S);
	base_writer_u16(&w, sizeof(ticket));
	base_writer_put(&w, ticket, sizeof(ticket));
	check_served_message_end(s, &w, at);
	base_writer_done(&w);
	return true;
}

/* -- the handshake ----------------------------------------------------------------------------- */

static enum check_outcome full(struct check_served *s, unsigned how)
{
	struct check_own own = { .share = NULL };
	bool ticket = (how & CHECK_SERVE_TICKET) && check_offered_extension(&s->offered, 35);
	enum check_outcome outcome = CHECK_ANSWERED;

	if (!flight_hold(s, how, ticket, &own) || !check_served_flush(s))
		outcome = check_served_give_up(
		        s, CHECK_GARBLED,
		        "no group or signature of its offer is one of this checker's");
	if (outcome == CHECK_ANSWERED)
		outcome = flight_await(s, how, &own);
	check_own_done(&own);
	if (outcome == CHECK_ANSWERED)
		outcome = finished_await(s);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if ((ticket && !ticket_hold(s)) || !finished_hold(s, how & CHECK_SERVE_SPOILT_FINISHED))
		return check_served_give_up(s, CHECK_STALLED, "our Finished could not be made");
	if (how & CHECK_SERVE_REQUEST)
		check_served_hold(s, CHECK_RECORD_HANDSHAKE, "\0\0\0\0", MESSAGE_HEAD);
	return check_served_flush(s) ? CHECK_ANSWERED
	                             : check_served_give_up(s, CHECK_STALLED, "out of memory");
}

/** RFC 5246, 7.3; RFC 5077, 3.4: whatever it is taken up by, its session id is said again. */
static enum check_outcome abbreviated(struct check_served *s, unsigned how)
{
	struct base_writer w = { 0 };
	enum check_outcome outcome;
	bool good = keys_next(s);

	hello_hold(s, how, false, &w);
	base_writer_done(&w);
	if (!good || !finished_hold(s, false) || !check_served_flush(s))
		return check_served_give_up(s, CHECK_STALLED, "our Finished could not be made");
	outcome = finished_await(s);
	s->resumed = outcome == CHECK_ANSWERED;
	return outcome;
}

/** Version, suite, randoms and session. */
static bool choose(struct check_served *s, unsigned version, unsigned how,
                   const struct check_resume *resume)
{
	base_writer_reset(&s->resume.ticket);
	s->keys.version = s->resume.version = profile_version_wire(version);
	s->resume.suite = resume ? resume->suite : check_host_suite(s->host, &s->offered, version);
	s->resume.id_len = how & CHECK_SERVE_NO_ID ? 0 : sizeof(s->resume.id);
	s->resume.ems = check_offered_extension(&s->offered, 23) && !(how & CHECK_SERVE_NO_EMS);
	memcpy(s->client_random, s->offered.random, sizeof(s->client_random));
	if (base_random(s->server_random, sizeof(s->server_random)) ||
	    base_random(s->resume.id, sizeof(s->resume.id)))
		return false;
	if (resume) {
		memcpy(s->resume.master, resume->master, sizeof(s->resume.master));
		s->resume.id_len = BASE_MIN(s->offered.session_id.len, sizeof(s->resume.id));
		memcpy(s->resume.id, s->offered.session_id.data, s->resume.id_len);
		s->resume.ems = resume->ems;
	}
	return check_shape_of(s->resume.suite, &s->keys.shape);
}

enum check_outcome check_served_shake(struct check_served *s, unsigned version, unsigned how,
                                      const struct check_resume *resume)
{
	enum check_outcome outcome = CHECK_ANSWERED;

	*s->why = '\0';
	s->alert = -1;
	s->changed = s->went_on = s->asked = s->resumed = false;
	if (!choose(s, version, how, resume))
		return check_served_give_up(s, CHECK_GARBLED,
		                            "no suite of its offer is one of this checker's");
	base_writer_reset(&s->transcript);
	base_writer_put(&s->transcript, s->hello.data, s->hello.len);
	outcome = resume ? abbreviated(s, how) : full(s, how);
	s->up = outcome == CHECK_ANSWERED;
	if (s->alert >= 0)
		(void)snprintf(s->why, sizeof(s->why), "alert %s (%d)", check_alert_name(s->alert),
		               s->alert);
	else if (outcome == CHECK_REFUSED)
		(void)check_served_give_up(s, outcome, "it ended the connection");
	else if (outcome == CHECK_STALLED)
		(void)check_served_give_up(s, outcome, "nothing more came in time");
	return outcome;
}

/* -- what it does in a session ----------------------------------------------------------------- */

static bool hello_take(struct check_served *s, struct check_bytes message)
{
	base_writer_reset(&s->hello);
	base_writer_put(&s->hello, message.data, message.len);
	return !s->hello.failed &&
	       check_offered_read(&s->offered, (struct check_bytes){ s->hello.data, s->hello.len });
}

static enum check_heard alert_heard(const struct check_served *s)
{
	return s->alert == 100 ? CHECK_HEARD_DECLINED
	       : s->alert      ? CHECK_HEARD_ALERT
	                       : CHECK_HEARD_CLOSED;
}

enum check_heard check_served_hear(struct check_served *s, bool beyond_data)
{
	struct base_writer record = { 0 };
	enum check_heard heard = CHECK_HEARD_NOTHING;
	enum check_outcome outcome = CHECK_ANSWERED;
	struct check_bytes message;
	uint8_t type;

	s->alert = -1;
	while (outcome == CHECK_ANSWERED && heard == CHECK_HEARD_NOTHING) {
		if (check_served_next(s, &type, &message)) {
			heard = type == CHECK_CLIENT_HELLO && hello_take(s, message)
			                ? CHECK_HEARD_HELLO
			                : CHECK_HEARD_NONSENSE;
			break;
		}
		outcome = check_served_record(s, &type, &record);
		if (outcome == CHECK_ANSWERED && type == CHECK_RECORD_DATA && !beyond_data)
			heard = CHECK_HEARD_DATA;
		else if (outcome == CHECK_ANSWERED)
			outcome = check_served_sort(s, type, &record);
	}
	base_writer_done(&record);
	if (s->alert >= 0)
		return alert_heard(s);
	return outcome == CHECK_REFUSED   ? CHECK_HEARD_CLOSED
	       : outcome == CHECK_GARBLED ? CHECK_HEARD_NONSENSE
	                                  : heard;
}

bool check_served_bound(const struct check_served *s)
{
	const struct check_extension *e = check_offered_extension(&s->offered, 0xff01);

	return e && e->data.len == 1 + CHECK_VERIFY_DATA && e->data.data[0] == CHECK_VERIFY_DATA &&
	       !memcmp(e->data.data + 1, s->verify_client, CHECK_VERIFY_DATA);
}

/* -- begin and end ----------------------------------------------------------------------------- */

bool check_served_begin(struct check_served *s, struct check_wire *wire,
                        const struct check_host *host, const struct check_answer *text)
{
	*s = (struct check_served){
		.wire = wire, .host = host, .read = text->consumed, .alert = -1
	};
	base_writer_put(&s->seen, wire->in.data, BASE_MIN(text->consumed, wire->in.len));
	if (!hello_take(s, (struct check_bytes){ text->text.data, text->text.len }))
		return false;
	s->secured = check_offered_extension(&s->offered, 0xff01) ||
	             check_codes_hold(s->offered.suites, CHECK_SCSV_RENEGOTIATION);
	return true;
}

static void close_send(struct check_served *s)
{
	if (s->up) { /* a session that ends without it may not be taken up again */
		check_served_hold(s, CHECK_RECORD_ALERT, "\x01", 2);
		(void)check_served_flush(s);
	}
	s->up = false;
}

void check_served_part(struct check_served *s)
{
	close_send(s);
	while (check_served_hear(s, true) == CHECK_HEARD_HELLO)
		;
}

void check_served_done(struct check_served *s)
{
	close_send(s);
	base_writer_done(&s->inbox);
	base_writer_done(&s->hold);
	base_writer_done(&s->hello);
	base_writer_done(&s->transcript);
	base_writer_done(&s->cert);
	base_writer_done(&s->resume.ticket);
	base_writer_done(&s->sent);
	base_writer_done(&s->seen);
	base_wipe(s, sizeof(*s));
}
