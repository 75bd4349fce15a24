/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client's flight as the checker reads it when it is the server. First octet: bits 0 to 1 which
 * part (0 the whole session: octets that a client sends in the clear, by pre-shared key; 2 the same
 * of TLS 1.3), bit 2 the version, bits 3 to 5 the exchange of a ClientKeyExchange, bit 6 with a
 * pre-shared key.
 */
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/check.h"
#include "check/served.h"
#include "check/served13.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct check_bytes all, struct check_bytes b)
{
	assert(!b.len || (b.data >= all.data && b.data + b.len <= all.data + all.len));
}

static void parts(uint8_t mode, struct check_bytes body)
{
	struct check_shape shape = { .exchange = (enum check_exchange)(mode >> 3 & 3),
		                     .psk = (mode & 64) != 0 };
	struct check_client_key key;
	struct check_proof proof;
	struct check_bytes first;

	if (check_client_key_read(body, &shape, &key)) {
		inside(body, key.identity);
		inside(body, key.value);
	}
	if (check_client_certificate_read(body, &first))
		inside(body, first);
	if (check_client_certificate13_read(body, &first))
		inside(body, first);
	if (check_proof_read(body, mode & 4 ? 0x0303 : 0x0301, &proof))
		inside(body, proof.signature);
}

static void session13(struct check_wire *wire, const struct check_host *host,
                      const struct check_answer *text)
{
	struct check_bytes hello = { text->text.data, text->text.len };
	struct check_ticket13 ticket = { .suite = 0x1302, .name = "ticket", .name_len = 6 };
	struct check_offered_psk psk;
	struct check_served13 s;

	if (check_served13_begin(&s, wire, host, text)) {
		if (check_psk_find(&s.offered, (struct check_bytes){ s.hello.data, s.hello.len },
		                   (struct check_bytes){ (const uint8_t *)"client", 6 }, &psk)) {
			inside((struct check_bytes){ s.hello.data, s.hello.len }, psk.binder);
			assert(psk.before < s.hello.len);
		}
		(void)check_served13_offers(&s.offered, hello, &ticket);
		if (check_served13_able(host, &s.offered, hello)) {
			(void)check_served13_shake(&s, CHECK_SERVE_TICKET, &ticket, &ticket);
			(void)check_served13_hear(&s);
		}
	}
	check_served13_done(&s);
}

/** All that comes is there before it is read, and then the connection's end. */
static void session(uint8_t mode, struct check_bytes octets)
{
	static const uint8_t secret[16] = "a key of both";
	const struct check_psk psk = { "client", { secret, sizeof(secret) } };
	const struct check_host host = { NULL, &psk };
	struct check_target target = { .timeout_ms = 1000, .connections = 1 };
	struct check_answer text = { .alert = -1 };
	struct check_served s;
	struct check_wire wire;
	int pair[2];

	if (octets.len > 32768 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return;
	check_wire_begin(&wire, &target);
	wire.fd = pair[0];
	(void)!write(pair[1], octets.data, octets.len); /* as much as goes in */
	(void)shutdown(pair[1], SHUT_WR);
	while (check_wire_more(&wire))
		;
	if (!check_answer_read(&text, wire.in.data, wire.in.len) && (mode & 2)) {
		session13(&wire, &host, &text);
	} else if (text.text.len) {
		if (check_served_begin(&s, &wire, &host, &text)) {
			(void)check_served_shake(&s, mode & 4 ? PROFILE_TLS_1_2 : PROFILE_TLS_1_0,
			                         CHECK_SERVE_INFO | CHECK_SERVE_TICKET, NULL);
			(void)check_served_hear(&s, true);
		}
		check_served_done(&s);
	}
	check_answer_done(&text);
	check_wire_close(&wire);
	(void)close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_bytes rest = { data + 1, size - 1 };

	if (!size)
		return 0;
	if (*data & 1)
		parts(*data, rest);
	else
		session(*data, rest);
	return 0;
}
