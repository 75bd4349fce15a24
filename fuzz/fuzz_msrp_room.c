/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A chat room of three, and a relay, whose peers say anything. The input is a list of steps: an
 * octet (two bits: whose turn; six bits: what), then for words their length and octets. Others'
 * octets must never come out broken: what goes out is read by a parser.
 */
#include <stdlib.h>

#include "msrp/msrp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS = 3, WORDS = 40, TICK = 56 };

struct side {
	struct msrp_member *member;
	struct msrp_parser parser;
};

static void wake(void *arg, struct msrp_member *member, void *member_arg)
{
	(void)arg;
	(void)member_arg;
	if (!member)
		abort();
}

static void b2b_wake(void *arg, unsigned side)
{
	(void)arg;
	if (side > 1)
		abort();
}

/** What goes out is MSRP, whatever came in. */
static void check_out(struct msrp_parser *p, const char *buf, size_t n)
{
	struct base_str in = { buf, n };
	enum msrp_event event;

	do {
		if (msrp_parser_next(p, &in, &event, NULL) || p->head.fault)
			abort();
	} while (event != MSRP_MORE);
}

static void take(struct side *s, struct msrp_b2b *b, unsigned which, struct msrp_parser *far,
                 size_t cap, uint64_t now)
{
	char buf[4096];

	if (s->member)
		check_out(&s->parser, buf,
		          msrp_member_take(s->member, buf, BASE_MIN(cap, sizeof(buf)), now));
	check_out(&far[which & 1], buf,
	          msrp_b2b_take(b, which & 1, buf, BASE_MIN(cap, sizeof(buf)), now));
}

static void say(struct side *s, struct msrp_b2b *b, unsigned which, bool *dead,
                struct base_str words, uint64_t now)
{
	struct base_str in = words;

	if (s->member && msrp_member_input(s->member, &in, now, NULL)) {
		msrp_room_leave(s->member);
		s->member = NULL;
	}
	in = words;
	if (!dead[which & 1])
		dead[which & 1] = msrp_b2b_input(b, which & 1, &in, now, NULL) != 0;
}

static void open_all(struct msrp_room **room, struct side *side, struct msrp_b2b **b)
{
	static const struct msrp_room_ops ops = { .wake = wake };
	const struct msrp_room_spec spec = { .uri = BASE_STR("sip:r@x"),
		                             .nicknames = true,
		                             .private_messages = true,
		                             .messages = 2,
		                             .window = 3000,
		                             .pool_octets = 60000,
		                             .patience_ms = 100,
		                             .chunk_ms = 500,
		                             .ops = &ops };
	const struct msrp_b2b_spec line = {
		.side = { { BASE_STR("msrp://g:1/0;tcp"), BASE_STR("msrp://p:1/0;tcp") },
		          { BASE_STR("msrp://g:1/1;tcp"), BASE_STR("msrp://p:1/1;tcp") } },
		.messages = 2,
		.window = 3000,
		.wake = b2b_wake
	};
	struct base_str uri[MEMBERS] = { BASE_STR("sip:a@x"), BASE_STR("sip:b@x"),
		                         BASE_STR("tel:1") };
	char own[] = "msrp://g:1/0;tcp", peer[] = "msrp://p:1/0;tcp";
	struct msrp_member_spec member = { .uris = 1, .private_messages = true };

	if (msrp_room_new(room, &spec, NULL) || msrp_b2b_new(b, &line, NULL))
		abort();
	for (int i = 0; i < MEMBERS; i++) {
		own[11] = peer[11] = (char)('0' + i);
		member.own = base_str_of(own);
		member.peer = base_str_of(peer);
		member.uri = &uri[i];
		if (msrp_room_join(*room, &member, &side[i].member, NULL))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader r = base_reader_of(data, size);
	struct side side[MEMBERS] = { 0 };
	struct msrp_parser far[2] = { 0 };
	struct msrp_room *room;
	struct msrp_b2b *b;
	bool dead[2] = { false };
	uint64_t now = 1;
	unsigned which, what;
	size_t len;

	open_all(&room, side, &b);
	while (base_reader_left(&r)) {
		what = base_reader_u8(&r);
		which = (what >> 6) % MEMBERS;
		what &= 63;
		len = 0;
		if (what < WORDS) {
			len = base_reader_u8(&r) * (what < WORDS / 2 ? 1U : 8U);
			len = BASE_MIN(len, base_reader_left(&r));
			say(&side[which], b, which, dead,
			    (struct base_str){ (const char *)base_reader_take(&r, len), len }, now);
		} else if (what < TICK) {
			take(&side[which], b, which, far, 1U << (what - WORDS), now);
		} else {
			now += 1ULL << 2 * (what - TICK);
			msrp_room_tick(room, now);
			msrp_b2b_tick(b, now);
		}
		if (msrp_room_due(room) <= now && what >= TICK)
			abort();
	}
	msrp_room_free(room);
	msrp_b2b_free(b);
	for (int i = 0; i < MEMBERS; i++)
		msrp_parser_done(&side[i].parser);
	msrp_parser_done(&far[0]);
	msrp_parser_done(&far[1]);
	return 0;
}
