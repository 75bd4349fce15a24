/* SPDX-License-Identifier: Apache-2.0 */
#include "check/tls13.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { TAG = 16, RECORD_HEAD = 5, IV = 12 };

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

void check_tls13_suite(struct check_tls13 *k, uint16_t suite)
{
	bool big = suite == 0x1302;

	k->suite = suite;
	k->hash = big ? "SHA384" : "SHA256";
	k->hash_len = hash_len_of(k->hash);
	k->cipher = big ? "AES-256-GCM" : "AES-128-GCM";
	k->key_len = big ? 32 : 16;
}

void check_tls13_done(struct check_tls13 *k)
{
	base_writer_done(&k->transcript);
	base_wipe(k, sizeof(*k));
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

bool check_tls13_derive(const struct check_tls13 *k, const uint8_t *secret, const char *label,
                        const struct base_writer *messages, uint8_t *out)
{
	static const struct base_writer none;
	uint8_t hash[64];

	return check_transcript_hash(0x0304, k->hash, messages ? messages : &none, hash) &&
	       check_expand_label(k->hash, secret, label, (struct check_bytes){ hash, k->hash_len },
	                          out, k->hash_len);
}

bool check_tls13_early(struct check_tls13 *k, struct check_bytes psk)
{
	static const uint8_t zeros[CHECK_HASH_MAX];
	struct check_bytes input = psk.len ? psk : (struct check_bytes){ zeros, k->hash_len };

	return hmac(k->hash, zeros, k->hash_len, input, k->secret);
}

bool check_tls13_extract(struct check_tls13 *k, struct check_bytes input)
{
	static const uint8_t zeros[CHECK_HASH_MAX];
	uint8_t salt[CHECK_HASH_MAX];
	bool good;

	if (!input.len)
		input = (struct check_bytes){ zeros, k->hash_len };
	good = check_tls13_derive(k, k->secret, "derived", NULL, salt) &&
	       hmac(k->hash, salt, k->hash_len, input, k->secret);
	base_wipe(salt, sizeof(salt));
	return good;
}

bool check_tls13_way(const struct check_tls13 *k, const uint8_t *secret, struct check_way13 *way)
{
	const struct check_bytes none = { NULL, 0 };

	way->number = 0;
	return check_expand_label(k->hash, secret, "key", none, way->key, k->key_len) &&
	       check_expand_label(k->hash, secret, "iv", none, way->iv, IV);
}

bool check_tls13_finished(const struct check_tls13 *k, const uint8_t *secret, uint8_t *out)
{
	uint8_t key[CHECK_HASH_MAX], hash[64];
	bool good = check_expand_label(k->hash, secret, "finished", (struct check_bytes){ NULL, 0 },
	                               key, k->hash_len) &&
	            check_transcript_hash(0x0304, k->hash, &k->transcript, hash) &&
	            hmac(k->hash, key, k->hash_len, (struct check_bytes){ hash, k->hash_len }, out);

	base_wipe(key, sizeof(key));
	return good;
}

bool check_tls13_binder(struct check_tls13 *k, struct check_bytes hello, struct check_bytes psk,
                        const char *label, uint8_t *out)
{
	uint8_t secret[CHECK_HASH_MAX];
	bool good;

	base_writer_reset(&k->transcript);
	base_writer_put(&k->transcript, hello.data, hello.len);
	good = !k->transcript.failed && check_tls13_early(k, psk) &&
	       check_tls13_derive(k, k->secret, label, NULL, secret) &&
	       check_tls13_finished(k, secret, out);
	base_writer_reset(&k->transcript);
	base_wipe(secret, sizeof(secret));
	return good;
}

/* -- records (RFC 8446, 5.2) ------------------------------------------------------------------- */

static void nonce_of(struct check_way13 *way, uint8_t out[IV])
{
	memcpy(out, way->iv, IV);
	for (int i = 0; i < 8; i++)
		out[IV - 1 - i] ^= (uint8_t)(way->number >> (8 * i));
	way->number++;
}

bool check_tls13_seal(struct check_tls13 *k, enum check_record type, const void *data, size_t len,
                      struct base_writer *out)
{
	uint8_t clear[CHECK_TLS13_TEXT], sealed[CHECK_TLS13_TEXT + TAG], nonce[IV];
	uint8_t head[RECORD_HEAD] = { CHECK_RECORD_DATA, 3, 3 };
	bool good = len <= 16384;

	if (!good)
		return false;
	memcpy(clear, data, len);
	clear[len++] = (uint8_t)type;
	head[3] = (uint8_t)((len + TAG) >> 8);
	head[4] = (uint8_t)(len + TAG);
	nonce_of(&k->ours, nonce);
	good = check_aead_seal(k->cipher, k->ours.key, nonce,
	                       (struct check_bytes){ head, RECORD_HEAD },
	                       (struct check_bytes){ clear, len }, sealed);
	base_writer_put(out, head, RECORD_HEAD);
	base_writer_put(out, sealed, len + TAG);
	return good && !out->failed;
}

uint8_t check_tls13_open(struct check_tls13 *k, const uint8_t *head, struct check_bytes text,
                         struct base_writer *out)
{
	uint8_t clear[CHECK_TLS13_TEXT + TAG], nonce[IV];
	size_t len = text.len - TAG;

	if (text.len <= TAG || text.len > CHECK_TLS13_TEXT)
		return 0;
	nonce_of(&k->theirs, nonce);
	if (!check_aead_open(k->cipher, k->theirs.key, nonce,
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
