/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A floor control server with a connection of each kind, and a client, whose peers say anything.
 * The input is a list of steps: an octet (three bits: to whom; five bits: what), then for words
 * their length and octets. Steps of one kind put a message together whose header is right. What the
 * server says can always be read.
 */
#include <stdlib.h>

#include "bfcp/bfcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 3, RAW = 8, MADE = 24 };

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

static void on_floor(void *arg, uint16_t floor, uint16_t user, bool granted)
{
	int *held = arg;

	(void)user;
	held[floor] += granted ? 1 : -1;
	if (held[floor] < 0 || held[floor] > 2)
		abort();
}

/** Empty a connection; a datagram is a message or a fragment. */
static void drain(struct bfcp_peer *peer, struct base_writer *stream)
{
	char buf[2048];
	size_t n;

	while ((n = bfcp_peer_take(peer, buf, sizeof(buf))))
		base_writer_put(stream, buf, n);
}

/** A whole message: primitive, user and attributes from the input. */
static void made(struct base_reader *r, bool reliable, struct base_writer *w)
{
	static uint16_t tid;
	size_t len = base_reader_u8(r) % 32 * 4;
	const uint8_t *attributes;

	base_writer_reset(w);
	base_writer_u8(w, reliable ? 0x20 : 0x40);
	base_writer_u8(w, base_reader_u8(r));
	len = BASE_MIN(len, base_reader_left(r) / 4 * 4);
	attributes = base_reader_take(r, len);
	if (!attributes)
		len = 0;
	base_writer_u16(w, (uint16_t)(len / 4));
	base_writer_u32(w, 100);
	base_writer_u16(w, ++tid ? tid : ++tid);
	base_writer_u16(w, (uint16_t)(1 + tid % 3));
	base_writer_put(w, attributes, len);
}

static struct bfcp_peer *fresh(struct bfcp_server *s, unsigned which)
{
	struct bfcp_peer *peer;

	if (bfcp_peer_new(s, 0, which != 2, NULL, &peer))
		abort();
	return peer;
}

/** Whatever was said on a stream, it is messages from end to end. */
static void check_stream(const struct base_writer *stream)
{
	struct base_reader r = base_reader_of(stream->data, stream->len);
	struct base_arena arena = { 0 };
	struct bfcp_message msg;
	size_t len;

	while (base_reader_left(&r) >= BFCP_HEADER_OCTETS) {
		len = BFCP_HEADER_OCTETS + 4 * ((size_t)r.at[2] << 8 | r.at[3]);
		const uint8_t *at = base_reader_take(&r, len);

		if (!at ||
		    bfcp_decode((struct base_str){ (const char *)at, len }, &arena, &msg, NULL))
			abort();
		base_arena_reset(&arena);
	}
	if (base_reader_left(&r))
		abort();
	base_arena_done(&arena);
}

static void step(struct base_reader *r, struct bfcp_server *s, struct bfcp_peer **peer,
                 struct bfcp_client *client, struct base_writer *said, uint64_t *now)
{
	unsigned what = base_reader_u8(r), which = (what >> 5) % (PEERS + 1);
	struct base_writer w = { 0 };
	size_t len;

	what &= 31;
	if (what >= MADE) {
		*now += 1ULL << (what - MADE) * 2;
		bfcp_server_tick(s, *now);
		bfcp_client_tick(client, *now);
		return;
	}
	if (what < RAW) {
		len = base_reader_u8(r);
		len = BASE_MIN(len, base_reader_left(r));
		if (len)
			base_writer_put(&w, base_reader_take(r, len), len);
	} else {
		made(r, which != 2, &w);
	}
	if (which == PEERS) {
		(void)bfcp_client_input(client, base_writer_view(&w), *now);
	} else {
		(void)bfcp_peer_input(peer[which], base_writer_view(&w), *now);
		drain(peer[which], &said[which]);
		if (bfcp_peer_over(peer[which])) {
			bfcp_peer_free(peer[which]);
			peer[which] = fresh(s, which);
		}
	}
	base_writer_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bfcp_server_ops ops = { peer_wake, on_floor };
	static const struct bfcp_client_ops client_ops = { .wake = wake };
	int held[4] = { 0 };
	const struct bfcp_server_spec spec = {
		.conference = 100, .requests = 20, .per_floor = 3, .ops = &ops, .arg = held
	};
	const struct bfcp_client_spec client_spec = { .conference = 100,
		                                      .user = 1,
		                                      .ops = &client_ops };
	const struct bfcp_floor_spec open = { 0 }, chaired = { .chair = 3, .holders = 2 };
	const struct bfcp_user_spec user = { .name = BASE_STR("x"), .third_party = true };
	struct base_reader r = base_reader_of(data, size);
	struct base_writer said[PEERS] = { 0 };
	struct bfcp_peer *peer[PEERS];
	struct bfcp_server *s;
	struct bfcp_client *client;
	uint64_t now = 0;

	if (bfcp_server_new(&s, &spec) || bfcp_client_new(&client, &client_spec) ||
	    bfcp_server_floor(s, 1, &open, 0) || bfcp_server_floor(s, 2, &chaired, 0))
		abort();
	for (uint16_t i = 1; i <= 3; i++)
		if (bfcp_server_user(s, i, &user))
			abort();
	for (unsigned i = 0; i < PEERS; i++)
		peer[i] = fresh(s, i);
	while (base_reader_left(&r))
		step(&r, s, peer, client, said, &now);
	bfcp_server_user_remove(s, 1, now);
	bfcp_server_floor_remove(s, 2, now);
	if (held[2])
		abort();
	for (unsigned i = 0; i < PEERS; i++) {
		drain(peer[i], &said[i]);
		if (i != 2)
			check_stream(&said[i]);
		base_writer_done(&said[i]);
	}
	bfcp_client_free(client);
	bfcp_server_free(s);
	return 0;
}
