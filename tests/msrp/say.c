/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What our endpoints and our room say to each other, message by message: lines of hexadecimal
 * digits on standard output, for a judge that is not ours (tests/erlang/test_tshark_talk.py).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msrp/msrp.h"

#define ROOM  "msrp://chat.example.com:12763/kjhd37s2s20w2a;tcp"
#define ALICE "msrp://client.atlanta.example.com:7654/jshA7weztas;tcp"
#define BOB   "msrp://client.biloxi.example.com:4923/49dufdje2;tcp"

static const char *const uri[2] = { "sip:alice@example.com", "sip:bob@example.com" };

static void wake(void *arg)
{
	(void)arg;
}

static unsigned begin(void *arg, struct msrp_incoming *in)
{
	(void)in;
	return *(unsigned *)arg;
}

static unsigned piece(void *arg, struct msrp_incoming *in, uint64_t at, struct base_str data)
{
	(void)arg;
	(void)in;
	(void)at;
	(void)data;
	return 0;
}

static void end(void *arg, struct msrp_incoming *in, bool whole)
{
	(void)arg;
	(void)in;
	(void)whole;
}

static void room_wake(void *arg, struct msrp_member *member, void *member_arg)
{
	(void)arg;
	(void)member;
	(void)member_arg;
}

/** Each message of a stream on a line of its own. */
static void print(struct msrp_parser *p, const char *data, size_t len)
{
	struct base_str in = { data, len };
	enum msrp_event event = MSRP_HEAD;
	const char *at = data;

	while (event != MSRP_MORE) {
		if (msrp_parser_next(p, &in, &event, NULL))
			abort();
		for (; at < in.ptr; at++)
			printf("%02x", (unsigned)(unsigned char)*at);
		if (event == MSRP_END)
			putchar('\n');
	}
}

struct talk {
	struct msrp_client *client[2];
	struct msrp_member *member[2];
	struct msrp_parser up[2], down[2];
};

static size_t carry(struct talk *t, int i)
{
	static char buf[1 << 18]; /* whole messages, so that none is interrupted by another */
	size_t up = msrp_client_take(t->client[i], buf, sizeof(buf), 0), down;
	struct base_str in = { buf, up };

	print(&t->up[i], buf, up);
	if (msrp_member_input(t->member[i], &in, 0, NULL))
		abort();
	down = msrp_member_take(t->member[i], buf, sizeof(buf), 0);
	print(&t->down[i], buf, down);
	in = (struct base_str){ buf, down };
	if (msrp_client_input(t->client[i], &in, 0, NULL))
		abort();
	return up + down;
}

static void send_one(struct talk *t, int i, const char *to, size_t len, char flag)
{
	struct msrp_upload_spec spec = { .content_type = BASE_STR("message/cpim"),
		                         .total_known = len < 3000,
		                         .success = len < 3000 };
	const struct msrp_cpim cpim = { .from = base_str_of(uri[i]),
		                        .to = base_str_of(to),
		                        .content_type = BASE_STR("text/plain") };
	struct base_writer w = { 0 };
	struct msrp_upload *u;
	char id[17];

	msrp_cpim_write(&w, &cpim);
	while (w.len < len)
		base_writer_text(&w, "Hello guys, how are you today?\r\n");
	spec.total = w.len;
	if (msrp_upload_new(t->client[i], &spec, id, &u) ||
	    msrp_upload_put(u, base_writer_view(&w)))
		abort();
	if (flag == '#') /* in its midst */
		(void)carry(t, i);
	msrp_upload_end(u, flag);
	base_writer_done(&w);
}

static void open_all(struct talk *t, struct msrp_room **room, unsigned *refuse)
{
	static const struct msrp_client_ops client_ops = { wake, begin, piece, end, NULL, NULL };
	static const struct msrp_room_ops room_ops = { .wake = room_wake };
	struct base_str known;
	const struct base_str path[2] = { BASE_STR(ALICE), BASE_STR(BOB) };
	const struct msrp_room_spec spec = { .uri = BASE_STR("sip:chatroom22@chat.example.com"),
		                             .nicknames = true,
		                             .private_messages = true,
		                             .ops = &room_ops };

	if (msrp_room_new(room, &spec, NULL))
		abort();
	for (int i = 0; i < 2; i++) {
		const struct msrp_client_spec c = { .own = path[i],
			                            .peer = BASE_STR(ROOM),
			                            .ops = &client_ops,
			                            .arg = &refuse[i] };
		const struct msrp_member_spec m = { .uri = &known,
			                            .uris = 1,
			                            .own = BASE_STR(ROOM),
			                            .peer = path[i],
			                            .private_messages = true };

		known = base_str_of(uri[i]);
		if (msrp_client_new(&t->client[i], &c, NULL) ||
		    msrp_room_join(*room, &m, &t->member[i], NULL))
			abort();
	}
}

int main(void)
{
	struct talk t = { 0 };
	struct msrp_room *room;
	unsigned refuse[2] = { 0, 0 };

	open_all(&t, &room, refuse);
	if (msrp_client_hello(t.client[0]) ||
	    msrp_client_nickname(t.client[0], BASE_STR("Alice the \"great\""), 0) ||
	    msrp_client_nickname(t.client[1], BASE_STR(" alice the \"GREAT\""), 0))
		abort();
	for (int i = 0; i < 4; i++) {
		refuse[0] = i == 2 ? 413 : 0;
		send_one(&t, 0, "sip:chatroom22@chat.example.com", i == 3 ? 50000 : 100,
		         i == 3 ? '#' : '$');
		send_one(&t, 1, i ? uri[0] : "sip:nobody@example.com", i == 1 ? 40000 : 10, '$');
		send_one(&t, 1, uri[0], 10, '$');
		while (carry(&t, 0) + carry(&t, 1))
			;
	}
	for (int i = 0; i < 2; i++) {
		msrp_client_free(t.client[i]);
		msrp_parser_done(&t.up[i]);
		msrp_parser_done(&t.down[i]);
	}
	msrp_room_free(room);
	return 0;
}
