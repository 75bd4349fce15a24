/* SPDX-License-Identifier: Apache-2.0 */
/** @file The handshake of TLS 1.3 as server: RFC 8446, 4.1.3, 4.3.1, 4.3.2, 4.4. */
#include "check/served13_io.h"
#include "x509/x509.h"

/* -- our flight -------------------------------------------------------------------------------- */

bool check_served13_psk_take(struct check_served13 *s, const struct check_ticket13 *resume,
                             struct check_bytes *ret_psk, unsigned *ret_index)
{
	struct check_bytes hello = { s->hello.data, s->hello.len };
	struct check_offered_psk psk;
	uint8_t want[CHECK_HASH_MAX];

	*ret_psk = (struct check_bytes){ NULL, 0 };
	s->resumed = resume &&
	             check_psk_find(&s->offered, hello,
	                            (struct check_bytes){ resume->name, resume->name_len }, &psk);
	s->keyed = !s->resumed && check_served13_key_offered(s->host, &s->offered, hello, &psk);
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
	size_t at = check_served13_message(&w, CHECK_SERVER_HELLO), list;

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
	size_t at = check_served13_message(w, CHECK_CERTIFICATE_REQUEST), list;

	base_writer_u8(w, 0);
	list = check_vector_begin(w, 2);
	base_writer_put(w, schemes, sizeof(schemes));
	check_vector_end(w, list, 2);
	check_served13_message_end(s, w, at);
}

static void certificate_hold(struct check_served13 *s, struct base_writer *w)
{
	const struct x509_identity *id = s->host->identity;
	size_t at = check_served13_message(w, CHECK_CERTIFICATE), list;

	base_writer_u8(w, 0);
	list = check_vector_begin(w, 3);
	for (size_t i = 0; i < id->der_count; i++) {
		size_t one = check_vector_begin(w, 3);

		base_writer_str(w, id->der[i]);
		check_vector_end(w, one, 3);
		base_writer_u16(w, 0);
	}
	check_vector_end(w, list, 3);
	check_served13_message_end(s, w, at);
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
	size_t at = check_served13_message(w, CHECK_CERTIFICATE_VERIFY);

	if (good && spoilt)
		body.data[body.len - 1] ^= 1;
	base_writer_put(w, body.data, body.len);
	check_served13_message_end(s, w, at);
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
	size_t at = check_served13_message(&w, CHECK_ENCRYPTED_EXTENSIONS);
	bool good = true;

	base_writer_u16(&w, 0);
	check_served13_message_end(s, &w, at);
	if (!psk && (how & CHECK_SERVE_CERTIFICATE))
		request_hold(s, &w);
	if (!psk)
		certificate_hold(s, &w);
	if (!psk)
		good = proof_hold(s, how & CHECK_SERVE_SPOILT_SIGNATURE, &w);
	good = good && check_tls13_finished(k, k->ours_secret, verify);
	at = check_served13_message(&w, CHECK_FINISHED);
	base_writer_put(&w, verify, k->hash_len);
	if (good && (how & CHECK_SERVE_SPOILT_FINISHED))
		w.data[w.len - 1] ^= 1;
	check_served13_message_end(s, &w, at);
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
	enum check_outcome outcome = check_served13_await(s, &type, &message);

	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_CERTIFICATE ||
	    !check_client_certificate13_read(check_served13_body(message), &first))
		return check_served13_give_up(s, CHECK_GARBLED, "its Certificate cannot be read");
	s->asked = true;
	base_writer_put(&s->cert, first.data, first.len);
	base_writer_put(&s->k.transcript, message.data, message.len);
	if (!first.len)
		return CHECK_ANSWERED;
	outcome = check_served13_await(s, &type, &message);
	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_CERTIFICATE_VERIFY)
		return check_served13_give_up(s, CHECK_GARBLED, "no CertificateVerify came");
	s->proved = signed_text(s, "client", &text) &&
	            check_proof_read(check_served13_body(message), 0x0304, &proof) &&
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
	enum check_outcome outcome = check_served13_await(s, &type, &message);

	if (outcome != CHECK_ANSWERED)
		return outcome;
	if (type != CHECK_FINISHED || message.len != MESSAGE_HEAD + s->k.hash_len ||
	    !check_tls13_finished(&s->k, s->k.theirs_secret, want) ||
	    memcmp(want, check_served13_body(message).data, s->k.hash_len) != 0)
		return check_served13_give_up(s, CHECK_GARBLED, "its Finished is wrong");
	base_writer_put(&s->k.transcript, message.data, message.len);
	return CHECK_ANSWERED;
}

enum check_outcome check_served13_flights(struct check_served13 *s, unsigned how,
                                          struct check_bytes psk, unsigned index, uint8_t *ours,
                                          uint8_t *theirs)
{
	struct base_writer public = { 0 }, shared = { .wipe = true };
	void *share = check_share_new(s->group, &public);
	enum check_outcome outcome = CHECK_ANSWERED;
	bool good = share && check_share_agree(share, s->group,
	                                       check_share_find(&s->offered, s->group), &shared);

	base_writer_put(&s->k.transcript, s->hello.data, s->hello.len);
	hello_hold(s, &public, psk.len != 0, index);
	good = good && handshake_keys(s, psk, (struct check_bytes){ shared.data, shared.len }) &&
	       flight_hold(s, how, psk.len != 0, ours, theirs) && check_served13_flush(s);
	check_share_free(share);
	base_writer_done(&public);
	base_writer_done(&shared);
	if (!good)
		return check_served13_give_up(
		        s, CHECK_GARBLED,
		        "no share or signature of its offer is one of this checker's");
	if (!psk.len && (how & CHECK_SERVE_CERTIFICATE))
		outcome = certificate_await(s);
	return outcome == CHECK_ANSWERED ? finished_await(s) : outcome;
}
