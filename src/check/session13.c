/* SPDX-License-Identifier: Apache-2.0 */
#include "check/session13.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "check/keys.h"
#include "check/words.h"

enum { TAG = 16, RECORD_HEAD = 5, MESSAGE_HEAD = 4, IV = 12, TEXT_MAX = 16640 };
enum { PSK = 41, EARLY = 42, SHARE = 51 };

/** One direction under one secret. */
struct way {
	uint8_t key[32], iv[IV];
	uint64_t number;
};

struct shaking {
	struct check_session13 *session;
	struct check_wire wire;
	size_t read;
	const char *hash, *cipher;
	size_t hash_len, key_len;
	struct base_writer transcript;
	struct check_bytes psk;         /**< an external one, that is offered; none = none */
	uint8_t secret[CHECK_HASH_MAX]; /**< of the key schedule's step at hand */
	uint8_t ours_secret[CHECK_HASH_MAX], theirs_secret[CHECK_HASH_MAX];
	struct way ours, theirs;
	int alert;
};

/* -- key schedule (RFC 8446, 7.1) -------------------------------------------------------------- */

static bool hmac(const char *hash, const uint8_t *key, size_t key_len, struct check_bytes text,
                 uint8_t *out)
{
	uint8_t full[64];
	unsigned len;
	bool good = HMAC(EVP_get_digestbyname(hash), key, (int)key_len, text.data, text.len, full,
	                 &len) != NULL;

	if (good)
		memcpy(out, full, len);
	base_wipe(full, sizeof(full));
	return good;
}

static size_t hash_len_of(const char *hash)
{
	return !strcmp(hash, "SHA384") ? 48 : 32;
}

bool check_expand_label(const char *hash, const uint8_t *secret, const char *label,
                        struct check_bytes context, uint8_t *out, size_t len)
{
	uint8_t info[320], block[64]; /* a ticket's nonce may have 255 octets */
	struct base_writer w = base_writer_over(info, sizeof(info));
	bool good;

	base_writer_u16(&w, (uint16_t)len);
	base_writer_u8(&w, (uint8_t)(6 + strlen(label)));
	base_writer_text(&w, "tls13 ");
	base_writer_text(&w, label);
	base_writer_u8(&w, (uint8_t)context.len);
	base_writer_put(&w, context.data, context.len);
	base_writer_u8(&w, 1); /* the first block of HKDF-Expand is all that is needed */
	good = !w.failed && len <= hash_len_of(hash) &&
	       hmac(hash, secret, hash_len_of(hash), (struct check_bytes){ info, w.len }, block);
	if (good)
		memcpy(out, block, len);
	base_wipe(block, sizeof(block));
	return good;
}

/** Derive-Secret over the messages so far; `messages` NULL = over none. */
static bool derive(const struct shaking *s, const uint8_t *secret, const char *label,
                   const struct base_writer *messages, uint8_t *out)
{
	static const struct base_writer none;
	uint8_t hash[64];

	return check_transcript_hash(0x0304, s->hash, messages ? messages : &none, hash) &&
	       check_expand_label(s->hash, secret, label, (struct check_bytes){ hash, s->hash_len },
	                          out, s->hash_len);
}

/** The next step: HKDF-Extract with what was, derived. */
static bool extract(struct shaking *s, struct check_bytes input)
{
	uint8_t salt[CHECK_HASH_MAX];

	return derive(s, s->secret, "derived", NULL, salt) &&
	       hmac(s->hash, salt, s->hash_len, input, s->secret);
}

static bool way_open(const struct shaking *s, const uint8_t *secret, struct way *way)
{
	const struct check_bytes none = { NULL, 0 };

	way->number = 0;
	return check_expand_label(s->hash, secret, "key", none, way->key, s->key_len) &&
	       check_expand_label(s->hash, secret, "iv", none, way->iv, IV);
}

static bool early(struct shaking *s, struct check_bytes psk)
{
	static const uint8_t zeros[CHECK_HASH_MAX];
	struct check_bytes input = psk.len ? psk : (struct check_bytes){ zeros, s->hash_len };

	return hmac(s->hash, zeros, s->hash_len, input, s->secret);
}

static void suite_take(struct shaking *s, uint16_t suite)
{
	bool big = suite == 0x1302;

	s->session->suite = suite;
	s->hash = big ? "SHA384" : "SHA256";
	s->hash_len = hash_len_of(s->hash);
	s->cipher = big ? "AES-256-GCM" : "AES-128-GCM";
	s->key_len = big ? 32 : 16;
}

static bool handshake_keys(struct shaking *s, struct check_bytes shared)
{
	const struct check_bytes none = { NULL, 0 };

	return early(s, s->session->psk_taken ? s->psk : none) && extract(s, shared) &&
	       derive(s, s->secret, "c hs traffic", &s->transcript, s->ours_secret) &&
	       derive(s, s->secret, "s hs traffic", &s->transcript, s->theirs_secret) &&
	       way_open(s, s->ours_secret, &s->ours) && way_open(s, s->theirs_secret, &s->theirs);
}

/* -- records (RFC 8446, 5.2) ------------------------------------------------------------------- */

static void nonce_of(struct way *way, uint8_t out[IV])
{
	memcpy(out, way->iv, IV);
	for (int i = 0; i < 8; i++)
		out[IV - 1 - i] ^= (uint8_t)(way->number >> (8 * i));
	way->number++;
}

static bool record_send(struct shaking *s, enum check_record type, const void *data, size_t len)
{
	uint8_t clear[256],
	        record[RECORD_HEAD + sizeof(clear) + 1 + TAG] = { CHECK_RECORD_DATA, 3, 3 };
	uint8_t nonce[IV];

	if (len >= sizeof(clear))
		return false;
	memcpy(clear, data, len);
	clear[len++] = (uint8_t)type;
	record[3] = (uint8_t)((len + TAG) >> 8);
	record[4] = (uint8_t)(len + TAG);
	nonce_of(&s->ours, nonce);
	return check_aead_seal(s->cipher, s->ours.key, nonce,
	                       (struct check_bytes){ record, RECORD_HEAD },
	                       (struct check_bytes){ clear, len }, record + RECORD_HEAD) &&
	       check_wire_send(&s->wire, record, RECORD_HEAD + len + TAG);
}

/** Open one record into `out` and tell its inner type; 0 = it cannot be. */
static uint8_t record_open(struct shaking *s, const uint8_t *head, struct check_bytes text,
                           struct base_writer *out)
{
	uint8_t clear[TEXT_MAX + TAG], nonce[IV];
	size_t len = text.len - TAG;

	if (text.len <= TAG || text.len > TEXT_MAX)
		return 0;
	nonce_of(&s->theirs, nonce);
	if (!check_aead_open(s->cipher, s->theirs.key, nonce,
	                     (struct check_bytes){ head, RECORD_HEAD }, text, clear))
		return 0;
	while (len && !clear[len - 1])
		len--;
	if (!len)
		return 0;
	base_writer_reset(out);
	base_writer_put(out, clear, len - 1);
	return clear[len - 1];
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
		return *head == CHECK_RECORD_DATA ? record_open(s, head, text, out) : 0;
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

static bool finished_of(const struct shaking *s, const uint8_t *secret, uint8_t *out)
{
	uint8_t key[CHECK_HASH_MAX], hash[64];

	return check_expand_label(s->hash, secret, "finished", (struct check_bytes){ NULL, 0 }, key,
	                          s->hash_len) &&
	       check_transcript_hash(0x0304, s->hash, &s->transcript, hash) &&
	       hmac(s->hash, key, s->hash_len, (struct check_bytes){ hash, s->hash_len }, out);
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
	base_writer_put(&s->transcript, session->messages.data, before);
	good = finished.len == s->hash_len && finished_of(s, s->theirs_secret, want) &&
	       !memcmp(want, finished.data, s->hash_len);
	base_writer_put(&s->transcript, session->messages.data + before,
	                MESSAGE_HEAD + finished.len);
	return good;
}

/* -- our flight, and tickets ------------------------------------------------------------------- */

static bool message_send(struct shaking *s, enum check_message type, const void *body, size_t len)
{
	size_t at = s->transcript.len;

	base_writer_u32(&s->transcript, (uint32_t)type << 24 | (uint32_t)len);
	base_writer_put(&s->transcript, body, len);
	return !s->transcript.failed &&
	       record_send(s, CHECK_RECORD_HANDSHAKE, s->transcript.data + at,
	                   s->transcript.len - at);
}

/** Certificate (none) and Finished; then the keys of the application and of resumption. */
static bool flight_send(struct shaking *s, uint8_t *resumption)
{
	static const uint8_t zeros[CHECK_HASH_MAX];
	uint8_t verify[64], ours[CHECK_HASH_MAX], theirs[CHECK_HASH_MAX];
	bool good = extract(s, (struct check_bytes){ zeros, s->hash_len }) &&
	            derive(s, s->secret, "c ap traffic", &s->transcript, ours) &&
	            derive(s, s->secret, "s ap traffic", &s->transcript, theirs);

	if (good && s->session->certificate_request)
		good = message_send(s, CHECK_CERTIFICATE, "\0\0\0\0", 4);
	return good && finished_of(s, s->ours_secret, verify) &&
	       message_send(s, CHECK_FINISHED, verify, s->hash_len) &&
	       derive(s, s->secret, "res master", &s->transcript, resumption) &&
	       way_open(s, ours, &s->ours) && way_open(s, theirs, &s->theirs);
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
	(void)check_expand_label(s->hash, resumption, "resumption", nonce, session->psk,
	                         s->hash_len);
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
	uint8_t secret[CHECK_HASH_MAX], binder[64];
	size_t tail = s->hash_len + 3;
	bool good;

	if (hello->failed || hello->len < RECORD_HEAD + tail)
		return false;
	base_writer_put(&s->transcript, hello->data + RECORD_HEAD, hello->len - RECORD_HEAD - tail);
	good = early(s, psk) && derive(s, s->secret, label, NULL, secret) &&
	       finished_of(s, secret, binder);
	if (good)
		memcpy(hello->data + hello->len - s->hash_len, binder, s->hash_len);
	base_writer_reset(&s->transcript);
	base_wipe(secret, sizeof(secret));
	return good;
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
		base_writer_put(secret, zeros, s->hash_len);
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
		good = (!s->session->psk_taken || s->hash_len == 32) &&
		       shared_of(s, share, offer, &probe->answer, &secret);
	}
	if (good) {
		base_writer_put(&s->transcript, probe->sent.data + RECORD_HEAD,
		                probe->sent.len - RECORD_HEAD);
		base_writer_put(&s->transcript, probe->answer.text.data, probe->answer.text_hello);
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
	base_writer_done(&s->transcript);
	base_wipe(s, sizeof(*s));
	return outcome;
}

enum check_outcome check_session13_open(struct check_session13 *session, struct check_target *t,
                                        uint16_t group, struct profile_codes suites,
                                        struct check_probe *probe)
{
	struct shaking s = { .session = session, .alert = -1, .hash = "SHA256", .hash_len = 32 };
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
	offer.binder_len = s.hash_len;
	offer.share = (struct check_bytes){ public.data, public.len };
	probe->answer = (struct check_answer){ .alert = -1, .alert_level = -1 };
	check_hello_wire(&offer, &probe->sent);
	good = share && binder_put(&s, &probe->sent,
	                           (struct check_bytes){ session->psk, s.hash_len }, "res binder");
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
	base_writer_done(&s.transcript);
	base_wipe(&s, sizeof(s));
	return probe->answer.hello && check_answer_extension(&probe->answer, PSK) != NULL;
}

void check_session13_done(struct check_session13 *session)
{
	base_writer_done(&session->messages);
	base_writer_done(&session->ticket);
	base_wipe(session->psk, sizeof(session->psk));
}
