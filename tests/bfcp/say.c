/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What our floor control server and its clients say to each other, message by message: lines of
 * hexadecimal digits on standard output, for a judge that is not ours
 * (tests/erlang/test_tshark_talk.py). `bfcp_say udp` speaks version 2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bfcp/bfcp.h"

enum { CLIENTS = 2 };

struct talk {
	bool reliable;
	struct bfcp_server *server;
	struct bfcp_client *client[CLIENTS];
	struct bfcp_peer *peer[CLIENTS];
};

static void wake(void *arg)
{
	(void)arg;
}

static void peer_wake(void *arg, struct bfcp_peer *peer, void *peer_arg)
{
	(void)arg;
	(void)peer;
	(void)peer_arg;
}

/** One message a line. */
static void print(const struct talk *t, const char *data, size_t len)
{
	size_t one;

	while (len) {
		one = t->reliable ? 12 + 4 * ((size_t)(unsigned char)data[2] << 8 |
		                              (unsigned char)data[3])
		                  : len;
		for (size_t i = 0; i < one; i++)
			printf("%02x", (unsigned)(unsigned char)data[i]);
		putchar('\n');
		data += one;
		len -= one;
	}
}

static void settle(struct talk *t)
{
	static char buf[65536];
	size_t n, moved;

	do {
		moved = 0;
		for (int i = 0; i < CLIENTS; i++) {
			n = bfcp_client_take(t->client[i], buf, sizeof(buf));
			print(t, buf, n);
			moved += n;
			if (n && bfcp_peer_input(t->peer[i], (struct base_str){ buf, n }, 0))
				abort();
			n = bfcp_peer_take(t->peer[i], buf, sizeof(buf));
			print(t, buf, n);
			moved += n;
			if (n && bfcp_client_input(t->client[i], (struct base_str){ buf, n }, 0))
				abort();
		}
	} while (moved);
}

static void open_all(struct talk *t)
{
	static const struct bfcp_server_ops ops = { .wake = peer_wake };
	static const struct bfcp_client_ops client_ops = { .wake = wake };
	const struct bfcp_server_spec spec = { .conference = 4711, .per_floor = 2, .ops = &ops };
	const struct bfcp_floor_spec open = { 0 }, chaired = { .chair = 2 };
	const struct bfcp_user_spec user = { .name = BASE_STR("Somebody"),
		                             .uri = BASE_STR("sip:somebody@example.com"),
		                             .third_party = true };

	if (bfcp_server_new(&t->server, &spec) || bfcp_server_floor(t->server, 1, &open, 0) ||
	    bfcp_server_floor(t->server, 2, &chaired, 0))
		abort();
	for (uint16_t i = 0; i < CLIENTS; i++) {
		const struct bfcp_client_spec c = { .conference = 4711,
			                            .user = (uint16_t)(i + 1),
			                            .reliable = t->reliable,
			                            .ops = &client_ops };

		if (bfcp_server_user(t->server, (uint16_t)(i + 1), &user) ||
		    bfcp_client_new(&t->client[i], &c) ||
		    bfcp_peer_new(t->server, c.user, t->reliable, NULL, &t->peer[i]))
			abort();
	}
}

static int story(struct talk *t)
{
	const uint16_t floors[] = { 1, 2 };
	const struct bfcp_wish both = { .floor = floors,
		                        .floors = 2,
		                        .has_priority = true,
		                        .priority = BFCP_HIGH,
		                        .reason = BASE_STR("to talk") };
	const struct bfcp_wish other = { .floor = floors, .floors = 1, .beneficiary = 1 };
	const struct bfcp_state grant = { .status = BFCP_GRANTED, .info = BASE_STR("go on") };
	const struct bfcp_state revoke = { .status = BFCP_REVOKED };
	struct bfcp_client *alice = t->client[0], *chair = t->client[1];
	int rc = bfcp_client_hello(alice, 0) | bfcp_client_hello(chair, 0);

	rc |= bfcp_client_ask_floors(chair, floors, 2, 0);
	rc |= bfcp_client_request(alice, &both, 0);
	settle(t);
	rc |= bfcp_client_decide(chair, 1, 2, &grant, 0);
	rc |= bfcp_client_request(chair, &other, 0);
	rc |= bfcp_client_ask_user(chair, 1, 0) | bfcp_client_ask_request(chair, 1, 0);
	rc |= bfcp_client_release(chair, 77, 0);
	settle(t);
	rc |= bfcp_client_decide(chair, 1, 2, &revoke, 0);
	settle(t);
	rc |= bfcp_client_request(alice, &both, 0);
	settle(t);
	rc |= bfcp_client_release(alice, 2, 0);
	if (!t->reliable)
		rc |= bfcp_client_goodbye(alice, 0);
	settle(t);
	bfcp_server_user_remove(t->server, 2, 0);
	settle(t);
	return rc;
}

int main(int argc, char **argv)
{
	struct talk t = { .reliable = argc < 2 || strcmp(argv[1], "udp") };
	int rc;

	open_all(&t);
	rc = story(&t);
	for (int i = 0; i < CLIENTS; i++)
		bfcp_client_free(t.client[i]);
	bfcp_server_free(t.server);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
