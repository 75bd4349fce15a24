/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge is read and answered, and what answers is judged by a server: octets of both sides.
 */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool password_of(void *arg, struct base_str user, struct base_str *ret)
{
	(void)arg;
	*ret = BASE_STR("p");
	return user.len != 3;
}

static void asked(struct base_str value)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_challenge c;
	struct sip_proof proof = { .user = BASE_STR("u\"\\"),
		                   .password = BASE_STR("p"),
		                   .nc = 1,
		                   .cnonce = "c",
		                   .method = BASE_STR("REGISTER"),
		                   .uri = BASE_STR("sip:r") };

	if (!sip_challenge_read(value, &arena, &c) && !sip_challenge_answer(&c, &proof, &w) &&
	    !w.failed && memchr(w.data, '\n', w.len))
		abort(); /* a line has been smuggled in */
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void judged(struct base_str value)
{
	static const uint8_t key[32] = { 7 };
	struct sip_digest_server *server;
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;
	struct base_str user;
	bool stale;

	if (sip_digest_server_new(&server, &(struct sip_digest_config){ .realm = "r" }, key))
		return;
	base_writer_text(&w, "REGISTER sip:r SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\n"
	                     "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n"
	                     "CSeq: 1 REGISTER\r\nAuthorization: ");
	base_writer_str(&w, value);
	base_writer_text(&w, "\r\n\r\n");
	if (!sip_message_parse(&msg, &arena, base_writer_view(&w), false) && !msg.fault &&
	    !sip_digest_check(server, 1, &msg, false, password_of, NULL, &arena, &user, &stale))
		abort(); /* nobody has the key of our nonces */
	sip_digest_server_free(server);
	base_writer_done(&w);
	base_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_str value = { (const char *)data, size };

	asked(value);
	judged(value);
	return 0;
}
