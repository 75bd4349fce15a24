/* SPDX-License-Identifier: Apache-2.0 */
/* SRTP beside a derivation and encryption of our own on libcrypto, from RFC 3711 and RFC 7714. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "relay/srtp.h"

/* RFC 3711, B.3: master key and salt, and what is derived from them. */
static const uint8_t b3_master[] = { 0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F,
	                             0xA3, 0x2C, 0x06, 0xDE, 0x41, 0x39, 0x0E, 0xC6, 0x75, 0xAD,
	                             0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6 };
static const uint8_t b3_key[] = { 0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE,
	                          0x10, 0x73, 0x4A, 0xFE, 0x3F, 0xF7, 0xA0, 0x87 };
static const uint8_t b3_salt[] = { 0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C,
	                           0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A, 0xE1 };
static const uint8_t b3_auth[] = { 0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71, 0x6B, 0x6F, 0xD4,
	                           0xAB, 0x49, 0xAF, 0x25, 0x6A, 0x15, 0x6D, 0x38, 0xBA, 0xA4 };

enum label { RTP_KEY, RTP_AUTH, RTP_SALT, RTCP_KEY, RTCP_AUTH, RTCP_SALT };

static void crypt(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv, uint8_t *data,
                  size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, data, &n, data, (int)len), 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* RFC 3711, 4.3.1 and 4.3.3; a salt of 12 octets counts as followed by zeros (RFC 7714, 11). */
static void derive(const struct base_secret *master, size_t key_len, enum label label, uint8_t *ret,
                   size_t len)
{
	uint8_t iv[16] = { 0 };

	memcpy(iv, master->data + key_len, master->len - key_len);
	iv[7] ^= (uint8_t)label;
	memset(ret, 0, len);
	crypt(key_len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), master->data, iv, ret, len);
}

static const struct base_secret b3 = { .data = (uint8_t *)b3_master, .len = sizeof(b3_master) };

/* Ours sends with the first master key and salt; a peer's other way round. */
static void make(struct relay_srtp **ret, uint16_t profile, bool peer)
{
	struct tls_srtp_keys keys = { .profile = profile };
	uint8_t ours[48], theirs[48];
	size_t key, salt;

	assert_true(tls_srtp_sizes(profile, &key, &salt));
	for (size_t i = 0; i < sizeof(ours); i++) {
		ours[i] = i < sizeof(b3_master) ? b3_master[i] : (uint8_t)i;
		theirs[i] = (uint8_t)~i;
	}
	keys.ours = (struct base_secret){ peer ? theirs : ours, key + salt };
	keys.theirs = (struct base_secret){ peer ? ours : theirs, key + salt };
	assert_int_equal(relay_srtp_new(ret, &keys), 0);
}

struct packet {
	_Alignas(16) uint8_t data[2048];
	size_t len;
};

static struct packet rtp(uint32_t ssrc, uint16_t number, size_t payload)
{
	struct packet p = { .len = 12 + payload };

	p.data[0] = 0x80;
	p.data[2] = (uint8_t)(number >> 8);
	p.data[3] = (uint8_t)number;
	for (unsigned i = 0; i < 4; i++)
		p.data[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	for (size_t i = 12; i < p.len; i++)
		p.data[i] = (uint8_t)(number + i);
	return p;
}

static struct packet rtcp(uint32_t ssrc)
{
	struct packet p = { .data = { 0x80, 200, 0, 6 }, .len = 28 };

	for (unsigned i = 0; i < 4; i++)
		p.data[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return p;
}

static void derivation_is_that_of_the_rfc(void **state)
{
	uint8_t out[20];

	(void)state;
	derive(&b3, 16, RTP_KEY, out, sizeof(b3_key));
	assert_memory_equal(out, b3_key, sizeof(b3_key));
	derive(&b3, 16, RTP_SALT, out, sizeof(b3_salt));
	assert_memory_equal(out, b3_salt, sizeof(b3_salt));
	derive(&b3, 16, RTP_AUTH, out, sizeof(b3_auth));
	assert_memory_equal(out, b3_auth, sizeof(b3_auth));
}

/* RFC 3711, 4.1.1 and 4.2: counter mode, then HMAC-SHA1 over the packet and the rollover count. */
static void cm_protects_as_the_rfc_says(void **state)
{
	static const struct {
		uint16_t profile;
		size_t tag;
	} rows[] = { { TLS_SRTP_AES128_CM_SHA1_80, 10 }, { TLS_SRTP_AES128_CM_SHA1_32, 4 } };
	uint8_t iv[16] = { 0 }, tag[20];
	unsigned tag_len = sizeof(tag);

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct packet got = rtp(0xCAFEBABE, 0x1234, 160), want = got;
		struct relay_srtp *srtp = NULL;

		make(&srtp, rows[i].profile, false);
		assert_int_equal(relay_srtp_protect(srtp, got.data, &got.len, false),
		                 RELAY_SRTP_OK);
		memcpy(iv, b3_salt, sizeof(b3_salt));
		iv[14] = iv[15] = 0;
		for (unsigned k = 0; k < 4; k++)
			iv[4 + k] ^= want.data[8 + k];
		iv[12] ^= 0x12;
		iv[13] ^= 0x34;
		crypt(EVP_aes_128_ctr(), b3_key, iv, want.data + 12, want.len - 12);
		HMAC(EVP_sha1(), b3_auth, sizeof(b3_auth), want.data, want.len + 4, tag, &tag_len);
		memcpy(want.data + want.len, tag, rows[i].tag);
		want.len += rows[i].tag;
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		relay_srtp_free(srtp);
	}
}

/* RFC 7714, 8.1: the IV is SSRC, rollover count and number, under the salt; the header is
 * authenticated. */
static void gcm_protects_as_the_rfc_says(void **state)
{
	static const uint16_t profiles[] = { TLS_SRTP_AEAD_AES_128_GCM, TLS_SRTP_AEAD_AES_256_GCM };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct packet got = rtp(0xCAFEBABE, 0x1234, 160), want = got;
		uint8_t master[48], key[32], iv[12];
		struct relay_srtp *srtp = NULL;
		struct base_secret from = { .data = master };
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		size_t key_len, salt;
		int n;

		for (size_t k = 0; k < sizeof(master); k++)
			master[k] = k < sizeof(b3_master) ? b3_master[k] : (uint8_t)k;
		assert_true(tls_srtp_sizes(profiles[i], &key_len, &salt));
		from.len = key_len + salt;
		make(&srtp, profiles[i], false);
		assert_int_equal(relay_srtp_protect(srtp, got.data, &got.len, false),
		                 RELAY_SRTP_OK);
		derive(&from, key_len, RTP_KEY, key, key_len);
		derive(&from, key_len, RTP_SALT, iv, sizeof(iv));
		for (unsigned k = 0; k < 4; k++)
			iv[2 + k] ^= want.data[8 + k];
		iv[10] ^= 0x12;
		iv[11] ^= 0x34;
		assert_int_equal(EVP_EncryptInit_ex(
		                         ctx, key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(),
		                         NULL, key, iv),
		                 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, want.data, 12), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want.data + 12, &n, want.data + 12, 160),
		                 1);
		assert_int_equal(EVP_EncryptFinal_ex(ctx, want.data + 172, &n), 1);
		assert_int_equal(
		        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, want.data + 172), 1);
		EVP_CIPHER_CTX_free(ctx);
		assert_int_equal(got.len, 172 + 16);
		assert_memory_equal(got.data, want.data, got.len);
		relay_srtp_free(srtp);
	}
}

static void both_sides_understand_each_other(void **state)
{
	(void)state;
	for (uint16_t profile = 1; profile <= 8; profile++) {
		struct relay_srtp *us = NULL, *them = NULL;
		struct packet p, before;

		if (!tls_srtp_name(profile))
			continue;
		make(&us, profile, false);
		make(&them, profile, true);
		for (unsigned i = 0; i < 70000; i += 7) { /* past a rollover */
			before = p = rtp(0x01020304 + i % 3, (uint16_t)i, i % 1300);
			assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false),
			                 RELAY_SRTP_OK);
			assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false),
			                 RELAY_SRTP_OK);
			assert_int_equal(p.len, before.len);
			assert_memory_equal(p.data, before.data, p.len);
		}
		before = p = rtcp(9);
		assert_int_equal(relay_srtp_protect(them, p.data, &p.len, true), RELAY_SRTP_OK);
		assert_memory_not_equal(p.data + 8, before.data + 8, 20);
		assert_int_equal(relay_srtp_unprotect(us, p.data, &p.len, true), RELAY_SRTP_OK);
		assert_memory_equal(p.data, before.data, before.len);
		relay_srtp_free(us);
		relay_srtp_free(them);
	}
}

static void rekey(struct relay_srtp *srtp, uint16_t profile, bool peer)
{
	struct tls_srtp_keys keys = { .profile = profile };
	uint8_t ours[48], theirs[48];
	size_t key, salt;

	assert_true(tls_srtp_sizes(profile, &key, &salt));
	memset(ours, peer ? 3 : 4, sizeof(ours));
	memset(theirs, peer ? 4 : 3, sizeof(theirs));
	keys.ours = (struct base_secret){ ours, key + salt };
	keys.theirs = (struct base_secret){ theirs, key + salt };
	assert_int_equal(relay_srtp_rekey(srtp, &keys), 0);
}

static uint32_t rtcp_index(const struct packet *p, uint16_t profile)
{
	const uint8_t *at = p->data + p->len - (profile <= 2 ? 10 : 0) - 4;

	return ((uint32_t)(at[0] & 0x7f) << 24) | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

/* RFC 5764, 5.2: those of before for what is late; RFC 3711, 3.3.1 and 3.4: counters go on. */
static void new_keys_take_over(void **state)
{
	(void)state;
	for (uint16_t profile = 1; profile <= 8; profile++) {
		struct relay_srtp *us = NULL, *them = NULL, *zero = NULL;
		struct packet p, before, late, first, report[2];

		if (!tls_srtp_name(profile))
			continue;
		make(&us, profile, false);
		make(&them, profile, true);
		for (unsigned i = 65000; i < 66000; i++) { /* past a rollover */
			p = rtp(7, (uint16_t)i, 40);
			assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false),
			                 RELAY_SRTP_OK);
			assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false),
			                 RELAY_SRTP_OK);
		}
		for (int i = 0; i < 2; i++) {
			report[i] = rtcp(7);
			assert_int_equal(
			        relay_srtp_protect(us, report[i].data, &report[i].len, true),
			        RELAY_SRTP_OK);
			if (i == 0)
				rekey(us, profile, false);
		}
		assert_int_equal(rtcp_index(&report[1], profile),
		                 rtcp_index(&report[0], profile) + 1);
		rekey(us, profile, false);
		before = first = rtp(7, (uint16_t)66001, 40);
		assert_int_equal(relay_srtp_protect(us, first.data, &first.len, false),
		                 RELAY_SRTP_OK);
		/* What goes out by the other side, of before, and comes late. */
		late = rtp(8, 5, 40);
		assert_int_equal(relay_srtp_protect(them, late.data, &late.len, false),
		                 RELAY_SRTP_OK);
		p = late;
		assert_int_equal(relay_srtp_unprotect(us, p.data, &p.len, false),
		                 RELAY_SRTP_BAD); /* us has changed twice: only the last are kept */
		rekey(them, profile, true);
		p = first;
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_OK);
		assert_memory_equal(p.data, before.data, before.len);
		p = first;
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false),
		                 RELAY_SRTP_REPLAYED);
		/* Who begins at zero does not understand. */
		make(&zero, profile, true);
		rekey(zero, profile, true);
		p = first;
		assert_int_equal(relay_srtp_unprotect(zero, p.data, &p.len, false), RELAY_SRTP_BAD);
		relay_srtp_free(us);
		relay_srtp_free(them);
		relay_srtp_free(zero);
	}
}

/* A packet that was under way is read by the keys of before, once, and not when they are forgotten.
 */
static void old_keys_last_for_a_time(void **state)
{
	(void)state;
	for (uint16_t profile = 1; profile <= 8; profile++) {
		struct relay_srtp *us = NULL, *them = NULL;
		struct packet late[2], p;

		if (!tls_srtp_name(profile))
			continue;
		make(&us, profile, false);
		make(&them, profile, true);
		for (int i = 0; i < 2; i++) {
			late[i] = rtp(7, (uint16_t)i, 40);
			assert_int_equal(relay_srtp_protect(us, late[i].data, &late[i].len, false),
			                 RELAY_SRTP_OK);
		}
		rekey(them, profile, true);
		p = late[0];
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_OK);
		assert_memory_equal(p.data, rtp(7, 0, 40).data, p.len);
		p = late[0];
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false),
		                 RELAY_SRTP_REPLAYED);
		relay_srtp_forget(them);
		p = late[1];
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_BAD);
		relay_srtp_free(us);
		relay_srtp_free(them);
	}
}

static void what_is_not_authentic_is_refused(void **state)
{
	struct relay_srtp *us = NULL, *them = NULL;
	struct packet p, bent;

	(void)state;
	make(&us, TLS_SRTP_AES128_CM_SHA1_80, false);
	make(&them, TLS_SRTP_AES128_CM_SHA1_80, true);
	p = rtp(5, 100, 160);
	assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false), RELAY_SRTP_OK);
	for (size_t i = 0; i < p.len; i++) { /* an octet of it after the other */
		bent = p;
		bent.data[i] ^= 0x01;
		assert_int_not_equal(relay_srtp_unprotect(them, bent.data, &bent.len, false),
		                     RELAY_SRTP_OK);
	}
	for (size_t len = 0; len < p.len; len++) {
		bent = p;
		bent.len = len;
		assert_int_not_equal(relay_srtp_unprotect(them, bent.data, &bent.len, false),
		                     RELAY_SRTP_OK);
		bent = p;
		bent.len = len;
		assert_int_not_equal(relay_srtp_unprotect(them, bent.data, &bent.len, true),
		                     RELAY_SRTP_OK);
	}
	bent = p; /* and none of that has used up its number */
	assert_int_equal(relay_srtp_unprotect(them, bent.data, &bent.len, false), RELAY_SRTP_OK);
	bent = p;
	assert_int_equal(relay_srtp_unprotect(them, bent.data, &bent.len, false),
	                 RELAY_SRTP_REPLAYED);
	/* Nor goes a number out twice. */
	bent = rtp(5, 100, 20);
	assert_int_equal(relay_srtp_protect(us, bent.data, &bent.len, false), RELAY_SRTP_REPLAYED);
	/* Late, but not too late. */
	p = rtp(5, 90, 20);
	assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false), RELAY_SRTP_OK);
	assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_OK);
	relay_srtp_free(us);
	relay_srtp_free(them);
}

static void ssrcs_are_bounded(void **state)
{
	struct relay_srtp *us = NULL, *them = NULL;
	struct packet p;

	(void)state;
	make(&us, TLS_SRTP_AES128_CM_SHA1_80, false);
	make(&them, TLS_SRTP_AES128_CM_SHA1_80, true);
	for (uint32_t i = 0; i < 1000; i++) { /* forged ones take no room */
		p = rtp(i, 1, 20);
		assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_BAD);
	}
	for (uint32_t i = 0; i <= RELAY_SRTP_SSRCS; i++) {
		p = rtp(i, 1, 20);
		assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false),
		                 i < RELAY_SRTP_SSRCS ? RELAY_SRTP_OK : RELAY_SRTP_CROWDED);
		if (i < RELAY_SRTP_SSRCS)
			assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false),
			                 RELAY_SRTP_OK);
	}
	p = rtp(7, 2, 20); /* those that are known go on */
	assert_int_equal(relay_srtp_protect(us, p.data, &p.len, false), RELAY_SRTP_OK);
	assert_int_equal(relay_srtp_unprotect(them, p.data, &p.len, false), RELAY_SRTP_OK);
	relay_srtp_free(us);
	relay_srtp_free(them);
}

static void keys_have_to_fit(void **state)
{
	uint8_t octets[46] = { 0 };
	struct tls_srtp_keys keys = { .profile = TLS_SRTP_AES128_CM_SHA1_80,
		                      .ours = { octets, 30 },
		                      .theirs = { octets, 29 } };
	struct relay_srtp *srtp = NULL;

	(void)state;
	assert_int_equal(base_err_class(relay_srtp_new(&srtp, &keys)), BASE_BUG);
	keys.profile = TLS_SRTP_NONE;
	keys.theirs.len = 30;
	assert_int_equal(base_err_class(relay_srtp_new(&srtp, &keys)), BASE_BUG);
	assert_null(srtp);
	relay_srtp_free(NULL);
}

static bool is_mapped(const char *name)
{
	char line[512];
	bool found = false;
	FILE *f = fopen("/proc/self/maps", "r");

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, name) != NULL;
	(void)fclose(f);
	return found;
}

/* Loading NSS's modules again would cost each endpoint that is alone more than its handshake. */
static void the_last_session_takes_nothing_of_the_library_along(void **state)
{
	struct relay_srtp *srtp;

	(void)state;
	make(&srtp, TLS_SRTP_AES128_CM_SHA1_80, false);
	if (!is_mapped("libsoftokn3")) {
		relay_srtp_free(srtp);
		skip(); /* a libsrtp2 that does not stand on NSS */
	}
	relay_srtp_free(srtp);
	assert_true(is_mapped("libsoftokn3"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(derivation_is_that_of_the_rfc),
		cmocka_unit_test(cm_protects_as_the_rfc_says),
		cmocka_unit_test(gcm_protects_as_the_rfc_says),
		cmocka_unit_test(both_sides_understand_each_other),
		cmocka_unit_test(new_keys_take_over),
		cmocka_unit_test(old_keys_last_for_a_time),
		cmocka_unit_test(what_is_not_authentic_is_refused),
		cmocka_unit_test(ssrcs_are_bounded),
		cmocka_unit_test(keys_have_to_fit),
		cmocka_unit_test(the_last_session_takes_nothing_of_the_library_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
