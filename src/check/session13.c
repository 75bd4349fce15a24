/* SPDX-License-Identifier: Apache-2.0 */
#include "check/session13.h"

#include <stdio.h>

#include "check/keys.h"
#include "check/words.h"

enum { RECORD_HEAD = 5, MESSAGE_HEAD = 4 };
enum { PSK = 41, EARLY = 42, SHARE = 51 };

struct shaking {
	struct check_session13 *session;
	struct check_wire wire;
	size_t read;
	struct check_tls13 k;
	struct check_bytes psk; /**< an external one, that is offered; none = none */
	int alert;
};

static void suite_take(struct shaking *s, uint16_t suite)
{
	s->session->suite = suite;
	check_tls13_suite(&s->k, suite);
}

static bool handshake_keys(struct shaking *s, struct check_bytes shared)
{
	const struct check_bytes none = { NULL, 0 };
	struct check_tls13 *k = &s->k;

	return check_tls13_early(k, s->session->psk_taken ? s->psk : none) &&
	       check_tls13_extract(k, shared) &&
	       check_tls13_derive(k, k->secret, "c hs traffic", &k->transcript, k->ours_secret) &&
	       check_tls13_derive(k, k->secret, "s hs traffic", &k->transcript, k->theirs_secret) &&
	       check_tls13_way(k, k->ours_secret, &k->ours) &&
	       check_tls13_way(k, k->theirs_secret, &k->theirs);
}

static bool record_send(struct shaking *s, enum check_record type, const void *data, size_t len)
{
	struct base_writer out = { 0 };
	bool good = check_tls13_seal(&s->k, type, data, len, &out) &&
	            check_wire_send(&s->wire, out.data, out.len);

	base_writer_done(&out);
	return good;
}

/** The next protected record. @return its inner type; 0 at the end, or where it is not genuine */
static uint8_t record_await(struct shaking *s, struct base_writer *out)
{
	for (;;) {
		struct base_reader r = base_reader_of(s->wire.in.data, s->wire.in.len);
		const uint8_t *head;
		struct check_bytes text;

		(void)base_reader_take(&r, s->read);
		head = base_reader_take(&r, 3);
		text.len = base_reader_u16(&r);
		text.data = base_reader_take(&r, text.len);
		if (r.failed) {
			if (!check_wire_more(&s->wire))
				return 0;
			continue;
		}
		s->read = (size_t)(r.at - s->wire.in.data);
		if (*head == CHECK_RECORD_CCS) /* RFC 8446, D.4 */
			continue;
		if (*head == CHECK_RECORD_ALERT && text.len == 2)
			s->alert = text.data[1];
		return *head == CHECK_RECORD_DATA ? check_tls13_open(&s->k, head, text, out) : 0;
	}
}

/* -- what the server says ---------------------------------------------------------------------- */

static struct check_bytes vector(struct base_reader *r, unsigned octets)
{
	size_t len = octets == 1   ? base_reader_u8(r)
	             : octets == 2 ? base_reader_u16(r)
	                           : base_reader_u24(r);
	const uint8_t *data = base_reader_take(r, len);

	return (struct check_bytes){ data, data ? len : 0 };
}

static bool extension_in(struct check_bytes list, uint16_t type)
{
	struct base_reader r = base_reader_of(list.data, list.len);

	while (base_reader_left(&r) && !r.failed) {
		uint16_t one = base_reader_u16(&r);

		(void)vector(&r, 2);
		if (one == type && !r.failed)
			return true;
	}
	return false;
}

static void certificate_read(struct check_session13 *session, struct base_reader r)
{
	struct check_bytes list;
	struct base_reader entry;

	(void)vector(&r, 1); /* the context */
	list = vector(&r, 3);
	entry = base_reader_of(list.data, list.len);
	session->certificate = vector(&entry, 3);
	session->status = extension_in(vector(&entry, 2), 5);
}

static void extensions_read(struct check_session13 *session, struct check_bytes list)
{
	session->server_name = extension_in(list, 0);
	session->early = extension_in(list, EARLY);
}

bool check_session13_read(struct check_session13 *session, struct check_bytes *ret_finished,
                          size_t *ret_before)
{
	struct base_reader r = base_reader_of(session->messages.data, session->messages.len);

	while (base_reader_left(&r) >= MESSAGE_HEAD) {
		size_t before = (size_t)(r.at - session->messages.data);
		uint8_t type = base_reader_u8(&r);
		uint32_t len = base_reader_u24(&r);
		struct base_reader body;

		if (base_reader_left(&r) < len)
			return false;
		body = base_reader_sub(&r, len);
		if (type == CHECK_ENCRYPTED_EXTENSIONS)
			extensions_read(session, vector(&body, 2));
		else if (type == CHECK_CERTIFICATE_REQUEST)
			session->certificate_request = true;
		else if (type == CHECK_CERTIFICATE)
			certificate_read(session, body);
		*ret_before = before;
		*ret_finished = (struct check_bytes){ body.at, len };
		if (type == CHECK_FINISHED)
			return true;
	}
	return false;
}

static bool flight_read(struct shaking *s)
{
	struct check_session13 *session = s->session;
	struct base_writer record = { 0 };
	struct check_bytes finished;
	uint8_t want[64];
	size_t before = 0;
	bool whole = false, good;

	while (!whole && session->messages.len < CHECK_ANSWER_MAX) {
		uint8_t type = record_await(s, &record);

		if (type == CHECK_RECORD_ALERT && record.len == 2)
			s->alert = record.data[1];
		if (type != CHECK_RECORD_HANDSHAKE)
			break;
		base_writer_put(&session->messages, record.data, record.len);
		whole = check_session13_read(session, &finished, &before);
	}
	base_writer_done(&record);
	if (!whole)
		return false;
	base_writer_put(&s->k.transcript, session->messages.data, before);
	good = finished.len == s->k.hash_len &&
	       check_tls13_finished(&s->k, s->k.theirs_secret, want) &&
	       !memcmp(want, finished.data, s->k.hash_len);
	base_writer_put(&s->k.transcript, session->messages.data + before,
	                MESSAGE_HEAD + finished.len);
	return good;
}

/* -- our flight, and tickets ------------------------------------------------------------------- */

static bool message_send(struct shaking *s, enum check_message type, const void *body, size_t len)
{
	size_t at = s->k.transcript.len;

	base_writer_u32(&s->k.transcript, (uint32_t)type << 24 | (uint32_t)len);
	base_writer_put(&s->k.transcript, body, len);
	return !s->k.transcript.failed &&
	       record_send(s, CHECK_RECORD_HANDSHAKE, s->k.transcript.data + at,
	                   s->k.transcript.len - at);
}

/** Certificate (none) and Finished; then the keys of the application and of resumption. */
static bool flight_send(struct shaking *s, uint8_t *resumption)
{
	uint8_t verify[64], ours[CHECK_HASH_MAX], theirs[CHECK_HASH_MAX];
	bool good =
	        check_tls13_extract(&s->k, (struct check_bytes){ NULL, 0 }) &&
	        check_tls13_derive(&s->k, s->k.secret, "c ap traffic", &s->k.transcript, ours) &&
	        check_tls13_derive(&s->k, s->k.secret, "s ap traffic", &s->k.transcript, theirs);

	if (good && s->session->certificate_request)
		good = message_send(s, CHECK_CERTIFICATE, "\0\0\0\0", 4);
	return good && check_tls13_finished(&s->k, s->k.ours_secret, verify) &&
	       message_send(s, CHECK_FINISHED, verify, s->k.hash_len) &&
	       check_tls13_derive(&s->k, s->k.secret, "res master", &s->k.transcript, resumption) &&
	       check_tls13_way(&s->k, ours, &s->k.ours) &&
	       check_tls13_way(&s->k, theirs, &s->k.theirs);
}

static void ticket_read(struct shaking *s, struct base_reader r, const uint8_t *resumption)
{
	struct check_session13 *session = s->session;
	uint32_t lifetime = base_reader_u32(&r), age_add = base_reader_u32(&r);
	struct check_bytes nonce = vector(&r, 1), ticket = vector(&r, 2), list = vector(&r, 2);

	if (!base_reader_done(&r))
		return;
	session->early_ticket |= extension_in(list, EARLY);
	session->lifetime_s = BASE_MAX(session->lifetime_s, lifetime);
	if (session->tickets++)
		return;
	session->age_add = age_add;
	base_writer_put(&session->ticket, ticket.data, ticket.len);
	(void)check_expand_label(s->k.hash, resumption, "resumption", nonce, session->psk,
	                         s->k.hash_len);
}

/** Say that this is all, and hear what comes until the server's end. */
static void tickets_read(struct shaking *s, const uint8_t *resumption)
{
	struct base_writer record = { 0 };
	uint8_t type;

	(void)record_send(s, CHECK_RECORD_ALERT, "\x01", 2);
	while ((type = record_await(s, &record)) && type != CHECK_RECORD_ALERT) {
		struct base_reader r = base_reader_of(record.data, record.len);

		while (type == CHECK_RECORD_HANDSHAKE && base_reader_left(&r) >= MESSAGE_HEAD &&
		       !r.failed) {
			uint8_t message = base_reader_u8(&r);
			struct base_reader body = base_reader_sub(&r, base_reader_u24(&r));

			if (message == CHECK_NEW_TICKET)
				ticket_read(s, body, resumption);
		}
	}
	base_writer_done(&record);
}

/* -- the whole --------------------------------------------------------------------------------- */

static bool share_of(const struct check_answer *a, uint16_t group, struct check_bytes *ret)
{
	const struct check_extension *e = check_answer_extension(a, SHARE);
	struct base_reader r = base_reader_of(e ? e->data.data : NULL, e ? e->data.len : 0);
	uint16_t theirs = base_reader_u16(&r);

	*ret = vector(&r, 2);
	return base_reader_done(&r) && theirs == group;
}

/** The binder over the hello up to the list of binders, into its place (RFC 8446, 4.2.11.2). */
static bool binder_put(struct shaking *s, struct base_writer *hello, struct check_bytes psk,
                       const char *label)
{
	size_t hash_len = s->k.hash_len, tail = hash_len + 3;
	struct check_bytes begin;
	uint8_t binder[CHECK_HASH_MAX];

	if (hello->failed || hello->len < RECORD_HEAD + tail)
		return false;
	begin = (struct check_bytes){ hello->data + RECORD_HEAD, hello->len - RECORD_HEAD - tail };
	if (!check_tls13_binder(&s->k, begin, psk, label, binder))
		return false;
	memcpy(hello->data + hello->len - hash_len, binder, hash_len);
	return true;
}

static bool hello_exchange(struct shaking *s, const struct check_offer *offer,
                           struct check_answer *answer, struct base_writer *sent)
{
	check_hello_wire(offer, sent);
	if (s->psk.len && !binder_put(s, sent, s->psk, "ext binder"))
		return false;
	if (sent->failed || !check_wire_send(&s->wire, sent->data, sent->len))
		return false;
	while (!answer->whole) {
		bool more = check_wire_more(&s->wire);

		answer->ended = s->wire.ended;
		if (check_answer_read(answer, s->wire.in.data, s->wire.in.len) || !more)
			break;
	}
	s->alert = answer->alert;
	s->read = answer->consumed;
	s->session->psk_taken = answer->hello && check_answer_extension(answer, PSK) != NULL;
	s->session->dhe = answer->hello && check_answer_extension(answer, SHARE) != NULL;
	return answer->hello && !answer->retry && answer->version == 0x0304;
}

/** What (EC)DHE brings; of a pre-shared key alone it is zeros (RFC 8446, 7.1). */
static bool shared_of(const struct shaking *s, void *share, const struct check_offer *offer,
                      const struct check_answer *answer, struct base_writer *secret)
{
	static const uint8_t zeros[CHECK_HASH_MAX];
	struct check_bytes theirs;

	if (s->session->psk_taken && !s->session->dhe) {
		base_writer_put(secret, zeros, s->k.hash_len);
		return !secret->failed;
	}
	return share_of(answer, offer->share_group, &theirs) &&
	       check_share_agree(share, offer->share_group, theirs, secret);
}

static bool shake(struct shaking *s, void *share, const struct check_offer *offer,
                  struct check_probe *probe)
{
	struct base_writer secret = { .wipe = true };
	uint8_t resumption[CHECK_HASH_MAX];
	bool good = hello_exchange(s, offer, &probe->answer, &probe->sent);

	if (good) {
		suite_take(s, probe->answer.suite);
		good = (!s->session->psk_taken || s->k.hash_len == 32) &&
		       shared_of(s, share, offer, &probe->answer, &secret);
	}
	if (good) {
		base_writer_put(&s->k.transcript, probe->sent.data + RECORD_HEAD,
		                probe->sent.len - RECORD_HEAD);
		base_writer_put(&s->k.transcript, probe->answer.text.data,
		                probe->answer.text_hello);
		good = handshake_keys(s, (struct check_bytes){ secret.data, secret.len }) &&
		       flight_read(s) && flight_send(s, resumption);
	}
	if (good)
		tickets_read(s, resumption);
	base_writer_done(&secret);
	base_wipe(resumption, sizeof(resumption));
	return good;
}

static enum check_outcome open_with(struct shaking *s, struct check_target *t,
                                    struct check_offer *offer, struct check_probe *probe)
{
	struct check_session13 *session = s->session;
	struct base_writer public = { 0 };
	void *share = check_share_new(offer->share_group, &public);
	enum check_outcome outcome;

	probe->answer = (struct check_answer){ .alert = -1, .alert_level = -1 };
	offer->share = (struct check_bytes){ public.data, public.len };
	outcome = share ? check_wire_open(&s->wire, t) : CHECK_UNREACHABLE;
	if (outcome == CHECK_NOTHING) {
		session->up = shake(s, share, offer, probe);
		outcome = session->up ? CHECK_ANSWERED : CHECK_GARBLED;
		base_writer_put(&probe->seen, probe->answer.text.data, probe->answer.text.len);
		base_writer_put(&probe->seen, session->messages.data, session->messages.len);
	}
	session->alert = s->alert;
	if (!session->up)
		(void)snprintf(session->why, sizeof(session->why),
		               s->alert >= 0 ? "alert %s (%d)"
		                             : "the handshake did not come through%s",
		               s->alert >= 0 ? check_alert_name(s->alert) : "", s->alert);
	if (share)
		check_wire_close(&s->wire);
	check_share_free(share);
	base_writer_done(&public);
	check_tls13_done(&s->k);
	base_wipe(s, sizeof(*s));
	return outcome;
}

enum check_outcome check_session13_open(struct check_session13 *session, struct check_target *t,
                                        uint16_t group, struct profile_codes suites,
                                        struct check_probe *probe)
{
	struct shaking s = { .session = session, .alert = -1 };
	struct check_offer offer = { .version = PROFILE_TLS_1_3,
		                     .suites = suites,
		                     .groups = { &group, 1 },
		                     .share_group = group,
		                     .with = CHECK_WITH_STATUS,
		                     .server_name = t->server_name };

	return open_with(&s, t, &offer, probe);
}

enum check_outcome check_session13_psk(struct check_session13 *session, struct check_target *t,
                                       uint16_t group, const struct check_psk *psk, unsigned with,
                                       struct check_probe *probe)
{
	static const uint16_t suite = 0x1301; /* SHA-256 */
	static const uint16_t groups[] = { 29, 23, 24, 25 };
	struct shaking s = { .session = session, .alert = -1, .psk = psk->key };
	struct check_offer offer = { .version = PROFILE_TLS_1_3,
		                     .suites = { &suite, 1 },
		                     .groups = { groups, BASE_COUNT(groups) },
		                     .share_group = group,
		                     .with = with,
		                     .binder_len = 32,
		                     .ticket = { (const uint8_t *)psk->identity,
		                                 strlen(psk->identity) },
		                     .server_name = t->server_name };

	suite_take(&s, suite);
	return open_with(&s, t, &offer, probe);
}

bool check_session13_again(const struct check_session13 *session, struct check_target *t,
                           uint16_t group, struct check_probe *probe)
{
	struct check_session13 copy = { .up = false };
	struct shaking s = { .session = &copy, .alert = -1 };
	struct base_writer public = { 0 };
	struct check_offer offer = { .version = PROFILE_TLS_1_3,
		                     .suites = { &session->suite, 1 },
		                     .groups = { &group, 1 },
		                     .share_group = group,
		                     .ticket = { session->ticket.data, session->ticket.len },
		                     .ticket_age = session->age_add,
		                     .server_name = t->server_name };
	void *share = check_share_new(group, &public);
	bool good;

	suite_take(&s, session->suite);
	offer.binder_len = s.k.hash_len;
	offer.share = (struct check_bytes){ public.data, public.len };
	probe->answer = (struct check_answer){ .alert = -1, .alert_level = -1 };
	check_hello_wire(&offer, &probe->sent);
	good = share &&
	       binder_put(&s, &probe->sent, (struct check_bytes){ session->psk, s.k.hash_len },
	                  "res binder");
	if (good && check_wire_open(&s.wire, t) == CHECK_NOTHING) {
		good = check_wire_send(&s.wire, probe->sent.data, probe->sent.len);
		while (good && !probe->answer.whole) {
			good = check_wire_more(&s.wire);
			probe->answer.ended = s.wire.ended;
			if (check_answer_read(&probe->answer, s.wire.in.data, s.wire.in.len))
				break;
		}
		base_writer_put(&probe->seen, s.wire.in.data, s.wire.in.len);
		check_wire_close(&s.wire);
	}
	check_share_free(share);
	base_writer_done(&public);
	check_tls13_done(&s.k);
	base_wipe(&s, sizeof(s));
	return probe->answer.hello && check_answer_extension(&probe->answer, PSK) != NULL;
}

void check_session13_done(struct check_session13 *session)
{
	base_writer_done(&session->messages);
	base_writer_done(&session->ticket);
	base_wipe(session->psk, sizeof(session->psk));
}
