/* SPDX-License-Identifier: Apache-2.0 */
/** @file TLS 1.3 as server, but for the flights of the handshake: RFC 8446, 4.6.1, 4.6.3. */
#include "check/served13.h"

#include <stdio.h>

#include "check/served13_io.h"
#include "check/words.h"

enum { LIFETIME_S = 3600, KEY_UPDATE = 24 };

static const uint16_t groups[] = { 29, 23, 24, 25 };

static uint16_t group_find(const struct check_offered *o)
{
	for (size_t i = 0; i < BASE_COUNT(groups); i++)
		if (check_share_find(o, groups[i]).len)
			return groups[i];
	return 0;
}

bool check_served13_key_offered(const struct check_host *h, const struct check_offered *o,
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
	       (h->identity || check_served13_key_offered(h, o, hello, &psk));
}

bool check_served13_offers(const struct check_offered *o, struct check_bytes hello,
                           const struct check_ticket13 *t)
{
	struct check_offered_psk psk;

	return check_psk_find(o, hello, (struct check_bytes){ t->name, t->name_len }, &psk);
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
	check_served13_hold(s, CHECK_RECORD_HANDSHAKE, w.data, w.len);
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

	check_served13_hold(s, CHECK_RECORD_HANDSHAKE, "\x18\x00\x00\x01\x01", 5);
	good = way_turn(s, s->k.ours_secret, &s->k.ours);
	check_served13_hold(s, CHECK_RECORD_DATA, "\r\n\r\n", 4);
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
	       !check_served13_next(s, &type, &message)) {
		outcome = check_served13_record(s, &inner, &record);
		if (outcome == CHECK_ANSWERED)
			outcome = check_served13_sort(s, inner, &record);
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
	return good && check_served13_flush(s)
	               ? CHECK_ANSWERED
	               : check_served13_give_up(s, CHECK_STALLED, "out of memory");
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
	if (!check_served13_psk_take(s, resume, &psk, &index))
		return check_served13_give_up(s, CHECK_GARBLED,
		                              "its binder is wrong: it has another key");
	outcome = check_served13_flights(s, how, psk, index, ours, theirs);
	if (outcome == CHECK_ANSWERED)
		outcome = session_begin(s, how, ours, theirs, ret);
	base_wipe(ours, sizeof(ours));
	base_wipe(theirs, sizeof(theirs));
	s->up = outcome == CHECK_ANSWERED;
	if (s->alert >= 0)
		(void)snprintf(s->why, sizeof(s->why), "alert %s (%d)", check_alert_name(s->alert),
		               s->alert);
	else if (outcome == CHECK_REFUSED)
		(void)check_served13_give_up(s, outcome, "it ended the connection");
	else if (outcome == CHECK_STALLED)
		(void)check_served13_give_up(s, outcome, "nothing more came in time");
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
		check_served13_hold(s, CHECK_RECORD_ALERT, "\x01", 2);
		(void)check_served13_flush(s);
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
