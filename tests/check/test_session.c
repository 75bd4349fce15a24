/* SPDX-License-Identifier: Apache-2.0 */
/** @file Sessions with a peer that ends them early, or says what no server would. */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/check.h"
#include "check/keys.h"

enum { PATIENCE_MS = 15000 };

/* -- a connection that is gone ----------------------------------------------------------------- */

/** A session in the clear that stood, and whose peer has said `last` and gone. */
static void session_left(struct check_session *s, struct check_target *t, const void *last,
                         size_t len)
{
	int pair[2];

	*t = (struct check_target){ .timeout_ms = PATIENCE_MS, .connections = 1 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], last, len), len);
	assert_int_equal(close(pair[1]), 0);
	*s = (struct check_session){
		.alert = -1, .up = true, .resumed = true, .first_hello = true
	};
	check_wire_begin(&s->wire, t);
	s->wire.fd = pair[0];
	base_writer_text(&s->first, "the first handshake's");
}

/** No word of the first handshake is taken for one of the second. */
static void stale_hello(void **state)
{
	const struct check_offer offer = { .version = PROFILE_TLS_1_2 };
	struct check_probe probe = { .answer = { .alert = -1 } };
	struct check_session s;
	struct check_target t;

	(void)state;
	session_left(&s, &t, "", 0);
	assert_int_equal(check_session_again(&s, &offer, &probe), CHECK_REFUSED);
	assert_false(s.first_hello);
	assert_false(s.resumed);
	assert_int_equal(probe.seen.len, 0);
	assert_string_equal(s.why, "the connection ended");
	check_session_close(&s);
	check_probe_done(&probe);
}

/** Who has read enough says so and goes, while we still send: that is heard. */
static void last_words(void **state)
{
	const struct check_offer offer = { .version = PROFILE_TLS_1_2 };
	struct check_session s;
	struct check_target t;

	(void)state;
	session_left(&s, &t, "\x15\x03\x03\x00\x02\x02\x73", 7);
	assert_int_equal(check_session_again(&s, &offer, NULL), CHECK_REFUSED);
	assert_int_equal(s.alert, 115);
	assert_string_equal(s.why, "alert unknown_psk_identity (115)");
	check_session_close(&s);
}

/* -- a server of TLS 1.3 that has our keys, and no manners ------------------------------------- */

struct rude {
	int listener;
	size_t filler; /**< octets of a message before Finished, which is empty */
};

static bool digest(struct check_bytes key, struct check_bytes text, uint8_t out[32])
{
	unsigned len;

	return HMAC(EVP_sha256(), key.data, (int)key.len, text.data, text.len, out, &len) != NULL;
}

static const struct check_bytes no_text = { (const uint8_t *)"", 0 };

/** RFC 8446, 7.1: the server's secret of the handshake. */
static bool secret_of(const struct base_writer *transcript, struct check_bytes shared,
                      uint8_t out[32])
{
	static const struct base_writer none;
	uint8_t zeros[32] = { 0 }, hash[64], early[32], salt[32], shake[32];

	return check_transcript_hash(0x0304, "SHA256", &none, hash) == 32 &&
	       digest((struct check_bytes){ zeros, 32 }, (struct check_bytes){ zeros, 32 },
	              early) &&
	       check_expand_label("SHA256", early, "derived", (struct check_bytes){ hash, 32 },
	                          salt, 32) &&
	       digest((struct check_bytes){ salt, 32 }, shared, shake) &&
	       check_transcript_hash(0x0304, "SHA256", transcript, hash) == 32 &&
	       check_expand_label("SHA256", shake, "s hs traffic", (struct check_bytes){ hash, 32 },
	                          out, 32);
}

static void hello_answer(struct base_writer *w, const struct base_writer *share)
{
	size_t at, list;

	base_writer_u8(w, CHECK_SERVER_HELLO);
	at = check_vector_begin(w, 3);
	base_writer_u16(w, 0x0303);
	base_writer_put(w, "0123456789abcdef0123456789abcdef", 32);
	base_writer_u8(w, 0);
	base_writer_put(w, "\x13\x01\x00", 3);
	list = check_vector_begin(w, 2);
	base_writer_put(w, "\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x24\x00\x1d\x00\x20", 14);
	base_writer_put(w, share->data, share->len);
	check_vector_end(w, list, 2);
	check_vector_end(w, at, 3);
}

/** EncryptedExtensions, a message of nothing, Finished of nothing: as one record. */
static bool flight_put(const struct rude *rude, const uint8_t secret[32], struct base_writer *out)
{
	struct base_writer text = { 0 };
	uint8_t key[16], iv[12], head[5] = { CHECK_RECORD_DATA, 3, 3 }, sealed[4096];
	size_t at;
	bool good;

	base_writer_put(&text, "\x08\0\0\x02\0\0", 6);
	base_writer_u8(&text, 0xfe);
	at = check_vector_begin(&text, 3);
	for (size_t i = 0; i < rude->filler; i++)
		base_writer_u8(&text, 0);
	check_vector_end(&text, at, 3);
	base_writer_put(&text, "\x14\0\0\0\x16", 5);
	head[3] = (uint8_t)((text.len + 16) >> 8);
	head[4] = (uint8_t)(text.len + 16);
	good = check_expand_label("SHA256", secret, "key", no_text, key, sizeof(key)) &&
	       check_expand_label("SHA256", secret, "iv", no_text, iv, sizeof(iv)) &&
	       check_aead_seal("AES-128-GCM", key, iv, (struct check_bytes){ head, 5 },
	                       (struct check_bytes){ text.data, text.len }, sealed);
	base_writer_put(out, head, sizeof(head));
	base_writer_put(out, sealed, text.len + 16);
	base_writer_done(&text);
	return good;
}

static bool rude_talk(const struct rude *rude, int fd)
{
	struct base_writer transcript = { 0 }, share = { 0 }, out = { 0 }, shared = { 0 };
	void *key = check_share_new(29, &share);
	const struct check_extension *theirs;
	struct check_offered offered;
	uint8_t in[4096], secret[32];
	ssize_t got = recv(fd, in, sizeof(in), 0);
	size_t hello;
	bool good = got > 5 && key;

	base_writer_put(&transcript, in + 5, got > 5 ? (size_t)got - 5 : 0);
	good = good &&
	       check_offered_read(&offered, (struct check_bytes){ in + 5, (size_t)got - 5 });
	theirs = good ? check_offered_extension(&offered, 51) : NULL;
	hello = transcript.len;
	hello_answer(&transcript, &share);
	good = theirs && theirs->data.len == 38 &&
	       check_share_agree(key, 29, (struct check_bytes){ theirs->data.data + 6, 32 },
	                         &shared) &&
	       secret_of(&transcript, (struct check_bytes){ shared.data, shared.len }, secret);
	check_record_put(&out, CHECK_RECORD_HANDSHAKE, 0x0303, transcript.data + hello,
	                 transcript.len - hello);
	good = good && flight_put(rude, secret, &out) &&
	       send(fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
	check_share_free(key);
	base_writer_done(&transcript);
	base_writer_done(&share);
	base_writer_done(&out);
	base_writer_done(&shared);
	return good;
}

static void *rude_serve(void *arg)
{
	const struct rude *rude = arg;
	int fd = accept(rude->listener, NULL, NULL);
	bool good = fd >= 0 && rude_talk(rude, fd);

	if (fd >= 0)
		(void)close(fd); /* it has said all */
	return good ? arg : NULL;
}

/** A Finished without its octets, at the very end of what was kept: nothing behind it is read. */
static void finished_of_nothing(void **state)
{
	static const uint16_t suite = 0x1301;
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	struct rude rude = { .filler = 256 - 6 - 4 - 4 };

	(void)state;
	rude.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(rude.listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(rude.listener, 1), 0);
	assert_int_equal(getsockname(rude.listener, (struct sockaddr *)&address, &len), 0);
	{
		struct check_session13 session = { .up = false };
		struct check_target t = { .timeout_ms = PATIENCE_MS, .connections = 1 };
		struct check_probe probe = { .wanted = true };
		pthread_t thread;
		void *good;

		memcpy(&t.address, &address, len);
		t.address_len = len;
		assert_int_equal(pthread_create(&thread, NULL, rude_serve, &rude), 0);
		assert_int_equal(check_session13_open(&session, &t, 29,
		                                      (struct profile_codes){ &suite, 1 }, &probe),
		                 CHECK_GARBLED);
		assert_int_equal(pthread_join(thread, &good), 0);
		assert_non_null(good);
		/* it was opened, so the keys are right; it is not up */
		assert_int_equal(session.messages.len, 256);
		assert_int_equal(session.messages.cap, 256);
		assert_false(session.up);
		check_session13_done(&session);
		check_probe_done(&probe);
	}
	assert_int_equal(close(rude.listener), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stale_hello),
		cmocka_unit_test(last_words),
		cmocka_unit_test(finished_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
