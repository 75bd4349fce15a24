/* SPDX-License-Identifier: Apache-2.0 */
/* Two endpoints, and one against what is written by hand: RFC 4975, 7 and 11. */
#include "peer.h"

#define A     "msrp://alicepc.example.com:7777/iau39soe2843z;tcp"
#define B     "msrp://bob.example.com:8888/9di4eae923wzd;tcp"
#define PATHS "To-Path: " B "\r\nFrom-Path: " A "\r\n"

struct pair {
	struct peer a, b;
};

static int set_up(void **state)
{
	struct pair *t = calloc(1, sizeof(*t));

	peer_open(&t->a, A, B);
	peer_open(&t->b, B, A);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *t = *state;

	peer_close(&t->a);
	peer_close(&t->b);
	free(t);
	return 0;
}

static size_t carry(struct peer *from, struct peer *to, size_t step)
{
	char buf[8192];
	size_t n = msrp_client_take(from->client, buf, BASE_MIN(step, sizeof(buf)), 0);
	struct base_str in = { buf, n };

	assert_int_equal(msrp_client_input(to->client, &in, 0, NULL), 0);
	assert_int_equal(in.len, 0);
	return n;
}

static void settle(struct pair *t, size_t step)
{
	while (carry(&t->a, &t->b, step) + carry(&t->b, &t->a, step))
		;
}

static void hand(struct pair *t, const char *text)
{
	struct base_str in = base_str_of(text);

	assert_int_equal(msrp_client_input(t->b.client, &in, 0, NULL), 0);
}

/** What b sends now. */
static const char *heard(struct pair *t)
{
	static char buf[8192];

	buf[msrp_client_take(t->b.client, buf, sizeof(buf) - 1, 0)] = '\0';
	return buf;
}

static void a_word_each_way(void **state)
{
	struct pair *t = *state;

	assert_int_equal(msrp_client_hello(t->a.client), 0); /* 5.4 */
	settle(t, 7);
	assert_int_equal(t->b.whole + t->b.broken, 0);
	peer_say(&t->a, "text/plain", BASE_STR("Hi, I'm Alice!"), true);
	peer_say(&t->b, "text/plain", BASE_STR("Hi, Alice!  I'm Bob!"), false);
	settle(t, 7);
	assert_int_equal(t->b.whole, 1);
	assert_memory_equal(t->b.got.data, "Hi, I'm Alice!", 14);
	assert_string_equal(t->b.type, "text/plain");
	assert_int_equal(t->a.whole, 1);
	assert_int_equal(t->a.told, 200); /* 7.1.3 */
	assert_int_equal(t->a.told_range.end, 14);
	assert_int_equal(t->b.told_count, 0);
}

/** A file, at the pace of the receiver, with a message of the other direction between. */
static void a_file(void **state)
{
	struct pair *t = *state;
	struct msrp_upload_spec spec = { .content_type = BASE_STR("application/octet-stream"),
		                         .success = true };
	const size_t len = 3000000;
	char *data = malloc(len), id[17];
	struct msrp_upload *u;
	size_t n;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 255);
	assert_int_equal(msrp_upload_new(t->a.client, &spec, id, &u), 0);
	for (size_t at = 0; at < len; at += n) {
		n = BASE_MIN(msrp_upload_room(u), len - at);
		assert_int_equal(msrp_upload_put(u, (struct base_str){ data + at, n }), 0);
		t->a.woken = false;
		peer_say(&t->a, "text/plain", BASE_STR("between"), false);
		while (!t->a.woken || !msrp_upload_room(u))
			(void)(carry(&t->a, &t->b, 5000) + carry(&t->b, &t->a, 100));
		t->a.woken = false;
	}
	msrp_upload_end(u, '$');
	settle(t, 8192);
	assert_int_equal(t->b.broken, 0);
	assert_int_equal(t->a.told, 200);
	assert_int_equal(t->a.told_range.total, len);
	free(data);
}

#define CHUNK(tid, range, data, flag)                                                              \
	"MSRP " tid " SEND\r\n" PATHS "Message-ID: 4564dpWd\r\nByte-Range: " range "\r\n"          \
	"Content-Type: text/plain\r\n\r\n" data "\r\n-------" tid flag "\r\n"

/** Chunks in any order; what comes later wins (7.3.1). */
static void out_of_order(void **state)
{
	struct pair *t = *state;

	hand(t, CHUNK("dkei38ib", "5-8/8", "EFGH", "$"));
	assert_int_equal(t->b.whole, 0);
	hand(t, CHUNK("dkei38sd", "1-*/8", "abxx", "+"));
	assert_int_equal(t->b.whole, 1);
	assert_memory_equal(t->b.got.data, "abxxEFGH", 8);
	hand(t, CHUNK("dkei38sd", "1-*/*", "abxx", "+") CHUNK("dkei38s2", "3-4/*", "cd", "+")
	                CHUNK("dkei38s3", "5-*/8", "EFGH", "$"));
	assert_int_equal(t->b.whole, 2);
	assert_memory_equal(t->b.got.data, "abcdEFGH", 8);
}

/** RFC 4975, 11.1 says 16 and has 14 octets: the payload counts (7.3.1). */
static void shorter_than_it_said(void **state)
{
	struct pair *t = *state;

	hand(t, CHUNK("dkei38sd", "1-16/16", "Hi, I'm Alice!", "$"));
	assert_int_equal(t->b.whole, 1);
	assert_int_equal(t->b.got.len, 14);
}

static void refusals(void **state)
{
	static const struct {
		const char *text, *answer;
	} row[] = {
		{ "MSRP abcd SEND\r\nTo-Path: msrp://x:1/y;tcp\r\nFrom-Path: " A
		  "\r\nMessage-ID: abcd\r\n-------abcd$\r\n",
		  " 481 " },
		{ "MSRP abcd SEND\r\nTo-Path: " B " " B "\r\nFrom-Path: " A
		  "\r\nMessage-ID: abcd\r\n-------abcd$\r\n",
		  " 481 " },
		{ "MSRP abcd SEND\r\n" PATHS "-------abcd$\r\n", " 400 " },
		{ "MSRP abcd FETCH\r\n" PATHS "-------abcd$\r\n", " 501 " },
		{ CHUNK("abcd", "1-4/4", "abcdefgh", "$"), " 400 " },
		{ CHUNK("abcd", "1-*/8", "abcd", "+") CHUNK("abce", "5-*/9", "efgh", "$"),
		  "abce 400 " },
		/* behind the end that another chunk told; before what others had */
		{ CHUNK("abcd", "3-4/4", "cd", "$") CHUNK("abce", "900-*/*", "zz", "+"),
		  "abce 400 " },
		{ CHUNK("abcd", "1-*/*", "abcdefgh", "+") CHUNK("abce", "2-*/*", "b", "$"),
		  "abce 400 " },
		{ "MSRP abcd REPORT\r\n" PATHS "-------abcd$\r\n", NULL },
		{ "MSRP abcd SEND\r\n" PATHS "Failure-Report: no\r\n-------abcd$\r\n", NULL },
		{ "MSRP abcd SEND\r\n" PATHS
		  "Message-ID: abcd\r\nFailure-Report: partial\r\n-------abcd$\r\n",
		  NULL },
		{ "MSRP abcd SEND\r\nTo-Path: msrp://x:1/y;tcp\r\nFrom-Path: " A
		  "\r\nMessage-ID: abcd\r\nFailure-Report: partial\r\n-------abcd$\r\n",
		  " 481 " },
		{ "MSRP abcd SEND\r\nTo-Path: " B "\r\nFrom-Path: msrp://relay:1;tcp " A
		  "\r\nMessage-ID: abcd\r\n-------abcd$\r\n",
		  "MSRP abcd 200 OK\r\nTo-Path: msrp://relay:1;tcp\r\nFrom-Path: " B
		  "\r\n-------abcd$\r\n" },
	};
	struct pair *t = *state;
	const char *answer;

	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		hand(t, row[i].text);
		answer = heard(t);
		if (row[i].answer ? !strstr(answer, row[i].answer) : *answer)
			fail_msg("%zu: %s", i, answer);
	}
}

static void not_wanted(void **state)
{
	struct pair *t = *state;
	struct msrp_upload_spec spec = { .content_type = BASE_STR("text/plain") };
	struct msrp_upload *u;
	char id[17];

	t->b.refuse = 415;
	assert_int_equal(msrp_upload_new(t->a.client, &spec, id, &u), 0);
	assert_int_equal(msrp_upload_put(u, BASE_STR("some, not all")), 0);
	settle(t, 100);
	assert_int_equal(t->a.told, 415);
	assert_int_equal(msrp_upload_put(u, BASE_STR("more")), BASE_ERR(BASE_PEER, 413));
	msrp_upload_end(u, '#');
	settle(t, 100);
	assert_int_equal(t->b.whole, 0);
}

static void never_answered(void **state)
{
	struct pair *t = *state;
	char buf[1024];

	peer_say(&t->a, "text/plain", BASE_STR("hello?"), false);
	assert_true(msrp_client_take(t->a.client, buf, sizeof(buf), 5) > 0);
	assert_int_equal(msrp_client_due(t->a.client), 30005);
	msrp_client_tick(t->a.client, 30004);
	assert_int_equal(t->a.told_count, 0);
	msrp_client_tick(t->a.client, 30005);
	assert_int_equal(t->a.told, 408);
}

/** A message whose sender is gone does not stay for ever. */
static void never_continued(void **state)
{
	struct pair *t = *state;

	hand(t, CHUNK("dkei38sd", "1-*/8", "abcd", "+"));
	assert_int_equal(msrp_client_due(t->b.client), 540000);
	msrp_client_tick(t->b.client, 540000);
	assert_int_equal(t->b.broken, 1);
	for (int i = 0; i < 40; i++) { /* nor do gaps without end */
		char text[512];

		snprintf(text, sizeof(text), CHUNK("dkei38sd", "%d-*/*", "a", "+"), 1 + 2 * i);
		hand(t, text);
	}
	assert_int_equal(t->b.broken, 2);
}

static void ranges(void **state)
{
	struct msrp_ranges r = { 0 };

	(void)state;
	assert_true(msrp_ranges_whole(&r, 0));
	assert_true(msrp_ranges_add(&r, 5, 6) && msrp_ranges_add(&r, 1, 2));
	assert_int_equal(r.count, 2);
	assert_true(msrp_ranges_add(&r, 9, 9) && msrp_ranges_add(&r, 3, 4));
	assert_int_equal(r.count, 2);
	assert_false(msrp_ranges_whole(&r, 9));
	assert_true(msrp_ranges_add(&r, 2, 8));
	assert_int_equal(r.count, 1);
	assert_true(msrp_ranges_whole(&r, 9));
	assert_false(msrp_ranges_whole(&r, 10));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_word_each_way),      T(a_file),          T(out_of_order),
		T(shorter_than_it_said), T(refusals),        T(not_wanted),
		T(never_answered),       T(never_continued), cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
