/* SPDX-License-Identifier: Apache-2.0 */
/** @file Records of an established session: in, out (RFC 5246, 6.2; RFC 8446, 5). */
#include "tls/record.h"

#include <errno.h>
#include <stdlib.h>

#define HEAD_LEN     5
#define TAG_LEN      16
#define EXPLICIT_LEN 8  /**< of a GCM nonce in TLS 1.2 (RFC 5288, 3) */
#define EMPTY_MAX    32 /**< records in a row without data before we call it an attack */

/** Full records under one key after which TLS 1.3 changes it: 2^24.5 (RFC 8446, 5.5), less. */
#define UPDATE_AFTER ((uint64_t)1 << 24)
/** TLS 1.2 has no other key to change to. */
#define SEQ_MAX (UINT64_MAX - 1)

static void put_u64(uint8_t *at, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		at[i] = (uint8_t)v;
}

/* -- the AEAD -------------------------------------------------------------------------------- */

/** Nonce of a record: salt and what the record says, or the IV with the sequence number in it. */
static void nonce_of(const struct tls_record *record, const struct tls_record_side *side,
                     const uint8_t *explicit, uint8_t nonce[TLS_IV_LEN])
{
	uint8_t seq[8];

	memcpy(nonce, side->iv, TLS_IV_LEN);
	if (record->salted) {
		memcpy(nonce + 4, explicit, EXPLICIT_LEN);
		return;
	}
	put_u64(seq, side->seq);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] ^= seq[i];
}

/**
 * What is authenticated beside the text: in TLS 1.3 the head as it is on the wire, before it the
 * sequence number and the head with the length of the clear text.
 */
static size_t associated(const struct tls_record *record, const struct tls_record_side *side,
                         const uint8_t *head, size_t len, uint8_t aad[13])
{
	if (record->tls13) {
		memcpy(aad, head, HEAD_LEN);
		return HEAD_LEN;
	}
	put_u64(aad, side->seq);
	memcpy(aad + 8, head, 3);
	aad[11] = (uint8_t)(len >> 8);
	aad[12] = (uint8_t)len;
	return 13;
}

int tls_record_seal(struct tls_session *session, enum tls_content type, const uint8_t *clear,
                    size_t len)
{
	struct tls_record *record = session->record;
	struct tls_record_side *side = &record->out;
	struct base_writer *out = session->io->out;
	size_t extra = record->salted ? EXPLICIT_LEN : 0;
	size_t body = extra + len + record->tls13 + TAG_LEN;
	uint8_t nonce[TLS_IV_LEN], aad[13], inner = (uint8_t)type, *at;
	size_t aad_len;
	int n, ok;

	if (side->seq > SEQ_MAX || !base_writer_reserve(out, HEAD_LEN + body))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	at = out->data + out->len;
	at[0] = record->tls13 ? TLS_DATA : inner;
	at[1] = at[2] = 3;
	at[3] = (uint8_t)(body >> 8);
	at[4] = (uint8_t)body;
	if (record->salted)
		put_u64(at + HEAD_LEN, side->seq);
	nonce_of(record, side, at + HEAD_LEN, nonce);
	aad_len = associated(record, side, at, len, aad);
	at += HEAD_LEN + extra;
	ok = EVP_EncryptInit_ex2(side->cipher, NULL, NULL, nonce, NULL) == 1 &&
	     EVP_EncryptUpdate(side->cipher, NULL, &n, aad, (int)aad_len) == 1 &&
	     (!len || EVP_EncryptUpdate(side->cipher, at, &n, clear, (int)len) == 1) &&
	     (!record->tls13 || EVP_EncryptUpdate(side->cipher, at + len, &n, &inner, 1) == 1) &&
	     EVP_EncryptFinal_ex(side->cipher, at + len, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(side->cipher, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
	                         at + len + record->tls13) == 1;
	if (!ok)
		return BASE_ERR(BASE_LOCAL, 0);
	out->len += HEAD_LEN + body;
	side->seq++;
	return 0;
}

/**
 * Decrypt one whole record into `clear`, which has room for all its octets but head, explicit
 * nonce and tag. @return whether the tag was right
 */
static bool unseal(struct tls_record *record, const uint8_t *wire, size_t body, uint8_t *clear,
                   size_t *ret_len)
{
	struct tls_record_side *side = &record->in;
	size_t extra = record->salted ? EXPLICIT_LEN : 0;
	size_t len = body - extra - TAG_LEN, aad_len;
	const uint8_t *at = wire + HEAD_LEN + extra;
	uint8_t nonce[TLS_IV_LEN], aad[13], tag[TAG_LEN], end[16];
	int n, ok;

	nonce_of(record, side, wire + HEAD_LEN, nonce);
	aad_len = associated(record, side, wire, len, aad);
	memcpy(tag, at + len, TAG_LEN);
	ok = EVP_DecryptInit_ex2(side->cipher, NULL, NULL, nonce, NULL) == 1 &&
	     EVP_CIPHER_CTX_ctrl(side->cipher, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
	     EVP_DecryptUpdate(side->cipher, NULL, &n, aad, (int)aad_len) == 1 &&
	     (!len || EVP_DecryptUpdate(side->cipher, clear, &n, at, (int)len) == 1) &&
	     EVP_DecryptFinal_ex(side->cipher, end, &n) == 1;
	if (!ok) {
		base_wipe(clear, len); /* nobody sees what was not proven */
		return false;
	}
	side->seq++;
	*ret_len = len;
	return true;
}

/* -- failures -------------------------------------------------------------------------------- */

int tls_record_abort(struct tls_session *session, uint8_t alert)
{
	const uint8_t body[2] = { 2, alert };

	return tls_record_seal(session, TLS_ALERT, body, sizeof(body)) ? -1 : alert;
}

int tls_record_fatal(struct tls_session *session, uint8_t alert, const char *why)
{
	int sent = session->closed_out ? -1 : tls_record_abort(session, alert);

	(void)tls_session_fail(session, sent, TLS_SIDE_LOCAL, "%s: %s", tls_alert_name(alert), why);
	return session->rc;
}

static int local(struct tls_session *session)
{
	return tls_session_fail(session, -1, TLS_SIDE_NONE, "no memory for a TLS record");
}

/* -- reading --------------------------------------------------------------------------------- */

/** Is this head one of a record that we may get now? @return 0 or a failure */
static int check_head(struct tls_session *session, const uint8_t *head, size_t *ret_body)
{
	const struct tls_record *record = session->record;
	size_t body = (size_t)head[3] << 8 | head[4];
	size_t least = TAG_LEN + (record->salted ? EXPLICIT_LEN : 0) + record->tls13;

	if (record->tls13 ? head[0] != TLS_DATA : head[0] < TLS_CCS || head[0] > TLS_DATA)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE, "record type");
	if (!record->tls13 && (head[1] != 3 || head[2] != 3))
		return tls_record_fatal(session, 70, "record version");
	if (body > TLS_RECORD_MAX + (record->tls13 ? 256 : 2048))
		return tls_record_fatal(session, 22, "record too long");
	if (body < least)
		return tls_record_fatal(session, TLS_ALERT_BAD_RECORD_MAC, "record too short");
	*ret_body = body;
	return 0;
}

/** Take up to `want` octets in all of a record from the wire into `part`. */
static bool part_fill(struct tls_record *record, struct base_reader *in, size_t want)
{
	size_t n = BASE_MIN(want - record->part_len, base_reader_left(in));

	memcpy(record->part + record->part_len, in->at, n);
	in->at += n;
	record->part_len += (uint32_t)n;
	return record->part_len == want;
}

/**
 * The next whole record: in the lent bytes, or put together in `part`. A lent one is left in `in`
 * (the caller may have no room for it now). @return 0, BASE_AGAIN or a failure
 */
static int next_record(struct tls_session *session, const uint8_t **ret, size_t *ret_body)
{
	struct tls_record *record = session->record;
	struct base_reader *in = &session->io->in;
	int rc;

	if (!record->part) {
		if (base_reader_left(in) >= HEAD_LEN) {
			rc = check_head(session, in->at, ret_body);
			if (rc)
				return rc;
			if (base_reader_left(in) >= HEAD_LEN + *ret_body) {
				*ret = in->at;
				return 0;
			}
		}
		if (base_reader_left(in) == 0)
			return BASE_ERR(BASE_AGAIN, 0);
		record->part = malloc(HEAD_LEN);
		record->part_len = 0;
		if (!record->part)
			return local(session);
	}
	if (record->part_len < HEAD_LEN) {
		uint8_t *whole;

		if (!part_fill(record, in, HEAD_LEN))
			return BASE_ERR(BASE_AGAIN, 0);
		rc = check_head(session, record->part, ret_body);
		if (rc)
			return rc;
		whole = realloc(record->part, HEAD_LEN + *ret_body);
		if (!whole)
			return local(session);
		record->part = whole;
	}
	*ret_body = (size_t)record->part[3] << 8 | record->part[4];
	if (!part_fill(record, in, HEAD_LEN + *ret_body))
		return BASE_ERR(BASE_AGAIN, 0);
	*ret = record->part;
	return 0;
}

/** The record is done with: off the wire, or its buffer freed. */
static void record_done(struct tls_session *session, size_t body)
{
	struct tls_record *record = session->record;

	if (!record->part) {
		session->io->in.at += HEAD_LEN + body;
		return;
	}
	free(record->part);
	record->part = NULL;
	record->part_len = 0;
}

/** Content type inside a TLS 1.3 record: the last octet that is not padding (RFC 8446, 5.4). */
static int inner_type(const uint8_t *clear, size_t *len)
{
	while (*len && clear[*len - 1] == 0)
		(*len)--;
	return *len ? clear[--*len] : -1;
}

/** One whole record, decrypted into `clear`. @return 0 with *ret_len data octets, or a failure */
static int read_record(struct tls_session *session, const uint8_t *wire, size_t body,
                       uint8_t *clear, size_t *ret_len)
{
	struct tls_record *record = session->record;
	int type = wire[0];
	size_t len = 0;

	if (!unseal(record, wire, body, clear, &len))
		return tls_record_fatal(session, TLS_ALERT_BAD_RECORD_MAC, "wrong tag");
	record_done(session, body);
	if (record->tls13)
		type = inner_type(clear, &len);
	if (len > TLS_RECORD_MAX)
		return tls_record_fatal(session, 22, "record too long");
	if (len == 0 && type != TLS_DATA)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE, "empty record");
	if (type == TLS_DATA && len) {
		/* RFC 8446, 5.1: handshake messages are not interleaved with other records. */
		if (record->tls13 && record->message_len)
			return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE,
			                        "data inside a handshake message");
		record->empty = 0;
		session->records_in++;
		*ret_len = len;
		return 0;
	}
	if (++record->empty > EMPTY_MAX)
		return tls_record_fatal(session, TLS_ALERT_UNEXPECTED_MESSAGE,
		                        "too many records without data");
	return type == TLS_DATA ? 0 : tls_record_post(session, (enum tls_content)type, clear, len);
}

/** A record that is larger than what the caller has room for: the rest waits here. */
static int read_aside(struct tls_session *session, const uint8_t *wire, size_t body)
{
	struct tls_record *record = session->record;
	size_t len = 0;
	int rc;

	record->rest = malloc(body);
	if (!record->rest)
		return local(session);
	rc = read_record(session, wire, body, record->rest, &len);
	record->rest_at = 0;
	record->rest_len = (uint32_t)len;
	if (len == 0) {
		free(record->rest);
		record->rest = NULL;
	}
	return rc;
}

static size_t take_rest(struct tls_record *record, uint8_t *clear, size_t cap)
{
	size_t n = BASE_MIN(cap, (size_t)(record->rest_len - record->rest_at));

	memcpy(clear, record->rest + record->rest_at, n);
	record->rest_at += (uint32_t)n;
	if (record->rest_at == record->rest_len) {
		base_wipe(record->rest, record->rest_len);
		free(record->rest);
		record->rest = NULL;
	}
	return n;
}

int tls_record_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len)
{
	struct tls_record *record = session->record;
	const uint8_t *wire = NULL;
	size_t got = 0, body = 0, n;
	int rc = 0;

	while (got < cap && !session->closed_in) {
		if (record->rest) {
			got += take_rest(record, clear + got, cap - got);
			continue;
		}
		rc = next_record(session, &wire, &body);
		if (rc)
			break;
		n = 0;
		if (body <= cap - got)
			rc = read_record(session, wire, body, clear + got, &n);
		else if (got)
			break; /* next time, when there is room for all of it */
		else
			rc = read_aside(session, wire, body);
		got += n;
		if (rc)
			break;
	}
	/* What was read before an end or a failure comes first; the next call tells the rest. */
	*ret_len = got;
	if (session->closed_in)
		session->io->in.at = session->io->in.end;
	return got || session->closed_in ? 0 : rc;
}

/* -- writing --------------------------------------------------------------------------------- */

int tls_record_write(struct tls_session *session, const uint8_t *clear, size_t len)
{
	struct tls_record *record = session->record;
	size_t records = (len + TLS_RECORD_MAX - 1) / TLS_RECORD_MAX;

	if (record->tls13 && record->out.seq >= UPDATE_AFTER) {
		/* KeyUpdate, update_not_requested (RFC 8446, 4.6.3). */
		const uint8_t update[] = { 24, 0, 0, 1, 0 };

		if (tls_record_seal(session, TLS_HANDSHAKE, update, sizeof(update)) ||
		    tls_record_update(session, &record->out))
			return local(session);
	}
	(void)base_writer_reserve(session->io->out,
	                          len + records * (HEAD_LEN + EXPLICIT_LEN + 1 + TAG_LEN));
	while (len) {
		size_t n = BASE_MIN(len, (size_t)TLS_RECORD_MAX);

		if (tls_record_seal(session, TLS_DATA, clear, n))
			return local(session);
		session->records_out++;
		clear += n;
		len -= n;
	}
	return 0;
}

int tls_record_close(struct tls_session *session)
{
	static const uint8_t body[] = { 1, TLS_ALERT_CLOSE_NOTIFY };

	return tls_record_seal(session, TLS_ALERT, body, sizeof(body)) ? local(session) : 0;
}
