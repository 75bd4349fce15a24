/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: the n-th allocation fails, alone or with all that follow, for every n. The room,
 * the relay and the endpoint then refuse something or end a stream; none crashes, what goes out
 * stays MSRP, and under ASan nothing leaks. The linker leads our code's malloc here (--wrap).
 */
#include "msrp/msrp.h"
#include "check.h"
#include "scarce.h"

static void room_wake(void *arg, struct msrp_member *member, void *member_arg)
{
	(void)arg;
	(void)member;
	(void)member_arg;
}

static void b2b_wake(void *arg, unsigned side)
{
	(void)arg;
	(void)side;
}

static void wake(void *arg)
{
	(void)arg;
}

static unsigned begin(void *arg, struct msrp_incoming *in)
{
	(void)arg;
	(void)in;
	return 0;
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

#define PATHS "To-Path: msrp://g:1/0;tcp\r\nFrom-Path: msrp://p:1/0;tcp\r\n"
#define CHUNK(id, range, data, flag)                                                               \
	"MSRP abcd SEND\r\n" PATHS "Message-ID: " id                                               \
	"\r\nSuccess-Report: yes\r\nByte-Range: " range                                            \
	"\r\nContent-Type: message/cpim\r\n\r\n" data "\r\n-------abcd" flag "\r\n"
static const char words[] =
        "MSRP abcd NICKNAME\r\n" PATHS "Use-Nickname: \"Alice\"\r\n-------abcd$\r\n" CHUNK(
                "id01", "1-*/*", "From: <sip:a@x>\r\nTo: <sip:r@x>\r\n\r\nContent-", "+")
                CHUNK("id01", "45-*/*", "Type: text/plain\r\n\r\nhello", "$")
                        CHUNK("id02", "1-*/*",
                              "From: <sip:a@x>\r\nTo: <sip:b@x>\r\n\r\nContent-Type: a/b\r\n\r\nx",
                              "$") "MSRP abcd REPORT\r\n" PATHS
                                   "Message-ID: id03\r\nStatus: 000 200\r\n-------abcd$\r\n";

static struct base_str said(void)
{
	return (struct base_str){ words, sizeof(words) - 1 };
}

/** What goes out can be read, as far as it goes. */
static void check_out(struct msrp_parser *p, const char *buf, size_t n)
{
	struct base_str in = { buf, n };
	enum msrp_event event = MSRP_HEAD;
	int rc;

	while (event != MSRP_MORE) {
		rc = msrp_parser_next(p, &in, &event, NULL);
		if (rc && base_err_class(rc) == BASE_LOCAL)
			return;
		assert_int_equal(rc, 0);
	}
}

static void room_story(void)
{
	static const struct msrp_room_ops ops = { .wake = room_wake };
	const struct msrp_room_spec spec = {
		.uri = BASE_STR("sip:r@x"), .nicknames = true, .private_messages = true, .ops = &ops
	};
	struct base_str uri[2] = { BASE_STR("sip:a@x"), BASE_STR("sip:b@x") }, in = said();
	struct msrp_member_spec m = { .uris = 1,
		                      .own = BASE_STR("msrp://g:1/0;tcp"),
		                      .peer = BASE_STR("msrp://p:1/0;tcp"),
		                      .private_messages = true };
	struct msrp_parser p[2] = { 0 };
	struct msrp_member *member[2];
	struct msrp_room *room;
	char buf[4096];
	int joined = 0;

	if (msrp_room_new(&room, &spec, NULL))
		return;
	for (; joined < 2; joined++) {
		m.uri = &uri[joined];
		if (msrp_room_join(room, &m, &member[joined], NULL))
			break;
	}
	if (joined)
		(void)msrp_member_input(member[0], &in, 0, NULL);
	for (int i = 0; i < joined; i++)
		check_out(&p[i], buf, msrp_member_take(member[i], buf, sizeof(buf), 0));
	msrp_room_tick(room, 600000);
	for (int i = 0; i < joined; i++)
		check_out(&p[i], buf, msrp_member_take(member[i], buf, sizeof(buf), 0));
	msrp_room_free(room);
	msrp_parser_done(&p[0]);
	msrp_parser_done(&p[1]);
}

static void b2b_story(void)
{
	const struct msrp_b2b_spec spec = {
		.side = { { BASE_STR("msrp://g:1/0;tcp"), BASE_STR("msrp://p:1/0;tcp") },
		          { BASE_STR("msrp://g:1/1;tcp"), BASE_STR("msrp://p:1/1;tcp") } },
		.wake = b2b_wake
	};
	struct msrp_parser p[2] = { 0 };
	struct base_str in = said();
	struct msrp_b2b *b;
	char buf[4096];

	if (msrp_b2b_new(&b, &spec, NULL))
		return;
	(void)msrp_b2b_input(b, 0, &in, 0, NULL);
	for (unsigned i = 0; i < 2; i++)
		check_out(&p[i], buf, msrp_b2b_take(b, i, buf, sizeof(buf), 0));
	msrp_b2b_tick(b, 600000);
	for (unsigned i = 0; i < 2; i++)
		check_out(&p[i], buf, msrp_b2b_take(b, i, buf, sizeof(buf), 0));
	msrp_b2b_free(b);
	msrp_parser_done(&p[0]);
	msrp_parser_done(&p[1]);
}

static void client_story(void)
{
	static const struct msrp_client_ops ops = {
		.wake = wake, .begin = begin, .piece = piece, .end = end
	};
	const struct msrp_client_spec spec = { .own = BASE_STR("msrp://g:1/0;tcp"),
		                               .peer = BASE_STR("msrp://p:1/0;tcp"),
		                               .ops = &ops };
	const struct msrp_upload_spec file = { .content_type = BASE_STR("a/b"), .success = true };
	struct msrp_parser p = { 0 };
	struct base_str in = said();
	static char data[10000];
	struct msrp_client *c;
	struct msrp_upload *u;
	char buf[20000], id[17];
	int rc;

	if (msrp_client_new(&c, &spec, NULL))
		return;
	(void)msrp_client_hello(c);
	(void)msrp_client_nickname(c, BASE_STR("Alice"), 0);
	if (!msrp_upload_new(c, &file, id, &u)) {
		rc = msrp_upload_put(u, (struct base_str){ data, sizeof(data) });
		check_out(&p, buf, msrp_client_take(c, buf, 3000, 0));
		msrp_upload_end(u, rc ? '#' : '$');
	}
	(void)msrp_client_input(c, &in, 0, NULL);
	check_out(&p, buf, msrp_client_take(c, buf, sizeof(buf), 0));
	msrp_client_tick(c, 600000);
	msrp_client_free(c);
	msrp_parser_done(&p);
}

static void walk(void (*story)(void))
{
	for (int mode = 0; mode < 2; mode++) {
		long n = 0;

		do {
			scarce_after(n, mode);
			story();
			scarce_after(-1, false);
			assert_true(++n < 1000);
		} while (scarce_failed());
	}
}

static void room(void **state)
{
	(void)state;
	walk(room_story);
}

static void relay(void **state)
{
	(void)state;
	walk(b2b_story);
}

static void endpoint(void **state)
{
	(void)state;
	walk(client_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(room), cmocka_unit_test(relay),
		                            cmocka_unit_test(endpoint) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
