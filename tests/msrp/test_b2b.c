/* SPDX-License-Identifier: Apache-2.0 */
/* The relay that knows MSRP, between two endpoints: RFC 4976, 6.4; RFC 4975, 7. */
#include "peer.h"

#define ALICE "msrp://alice.example.com:7654/a;tcp"
#define HERE0 "msrp://mg.example.com:1000/x;tcp"
#define HERE1 "msrp://mg.example.com:1001/y;tcp"
#define BOB   "msrp://relay.example.com:9;tcp msrp://bob.example.com:4923/b;tcp"
#define BOB0  "msrp://bob.example.com:4923/b;tcp"

struct line {
	struct msrp_b2b *b;
	struct peer a, c;
	struct base_writer late[2];
	bool woken[2], deaf[2];
	uint64_t now;
};

static void wake(void *arg, unsigned side)
{
	((struct line *)arg)->woken[side] = true;
}

static int set_up(void **state)
{
	struct line *t = calloc(1, sizeof(*t));
	struct msrp_b2b_spec spec = { .side = { { BASE_STR(HERE0), BASE_STR(ALICE) },
		                                { BASE_STR(HERE1), BASE_STR(BOB0) } },
		                      .wake = wake,
		                      .arg = t };

	peer_open(&t->a, ALICE, HERE0);
	peer_open(&t->c, BOB0, HERE1);
	assert_int_equal(msrp_b2b_new(&t->b, &spec, NULL), 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct line *t = *state;

	msrp_b2b_free(t->b);
	peer_close(&t->a);
	peer_close(&t->c);
	base_writer_done(&t->late[0]);
	base_writer_done(&t->late[1]);
	free(t);
	return 0;
}

static size_t feed(struct line *t, unsigned side, const char *data, size_t len)
{
	struct base_writer *late = &t->late[side];
	struct base_str in;

	base_writer_put(late, data, len);
	in = base_writer_view(late);
	assert_int_equal(msrp_b2b_input(t->b, side, &in, t->now, NULL), 0);
	len = late->len - in.len;
	if (len)
		memmove(late->data, late->data + len, in.len);
	late->len = in.len;
	return len;
}

static size_t carry(struct line *t, unsigned side, size_t step)
{
	struct peer *p = side ? &t->c : &t->a;
	char buf[8192];
	size_t n = 0, back = 0;
	struct base_str in;

	if (!t->late[side].len)
		n = msrp_client_take(p->client, buf, BASE_MIN(step, sizeof(buf)), t->now);
	n = feed(t, side, buf, n);
	if (!t->deaf[side])
		back = msrp_b2b_take(t->b, side, buf, BASE_MIN(step, sizeof(buf)), t->now);
	in = (struct base_str){ buf, back };
	assert_int_equal(msrp_client_input(p->client, &in, t->now, NULL), 0);
	return n + back;
}

static void settle(struct line *t, size_t step)
{
	while (carry(t, 0, step) + carry(t, 1, step))
		;
}

static void both_ways(void **state)
{
	struct line *t = *state;

	for (size_t step = 1; step < 1000; step = step * 4 + 1) {
		peer_say(&t->a, "text/plain", BASE_STR("from Alice"), true);
		peer_say(&t->c, "text/html", BASE_STR("<p>from Bob"), true);
		settle(t, step);
		assert_memory_equal(t->c.got.data, "from Alice", 10);
		assert_string_equal(t->c.type, "text/plain");
		assert_memory_equal(t->a.got.data, "<p>from Bob", 11);
		assert_int_equal(t->a.told, 200); /* the other end's report, routed back */
		assert_int_equal(t->a.told_range.end, 10);
		assert_int_equal(t->c.told, 200);
	}
	assert_int_equal(t->a.told_count, t->c.whole);
	assert_true(t->woken[0] && t->woken[1]);
}

static const char *out(struct line *t, unsigned side)
{
	static char buf[8192];

	buf[msrp_b2b_take(t->b, side, buf, sizeof(buf) - 1, t->now)] = '\0';
	return buf;
}

#define FROM_ALICE "To-Path: " HERE0 "\r\nFrom-Path: " ALICE "\r\n"
#define TO_BOB     "To-Path: " BOB0 "\r\nFrom-Path: " HERE1 "\r\n"

static void hand(struct line *t, unsigned side, const char *text)
{
	(void)feed(t, side, text, strlen(text));
}

/** Every field that is not ours to change goes across as it is. */
static void paths_are_rewritten(void **state)
{
	struct line *t = *state;
	const char *text;

	hand(t, 0,
	     "MSRP abcd SEND\r\n" FROM_ALICE "Message-ID: 1234\r\nSuccess-Report: yes\r\n"
	     "Failure-Report: partial\r\nByte-Range: 1-5/5\r\nX-Own: z\r\n"
	     "Content-Type: text/plain\r\n\r\nhello\r\n-------abcd$\r\n");
	assert_string_equal(out(t, 0), ""); /* "partial": no 200 */
	text = out(t, 1);
	assert_non_null(strstr(text,
	                       " SEND\r\n" TO_BOB "Message-ID: 1234\r\nSuccess-Report: yes\r\n"
	                       "Failure-Report: partial\r\nByte-Range: 1-5/5\r\nX-Own: z\r\n"
	                       "Content-Type: text/plain\r\n\r\nhello\r\n-------"));
	assert_null(strstr(text, "MSRP abcd ")); /* a transaction of our own */
	hand(t, 0, "MSRP abce SEND\r\n" FROM_ALICE "Message-ID: 1235\r\n-------abce$\r\n");
	assert_non_null(
	        strstr(out(t, 0), "MSRP abce 200 OK\r\nTo-Path: " ALICE "\r\nFrom-Path: " HERE0));
	assert_non_null(strstr(out(t, 1), " SEND\r\n" TO_BOB "Message-ID: 1235\r\n-------"));
	hand(t, 1,
	     "MSRP abcf REPORT\r\nTo-Path: " HERE1 "\r\nFrom-Path: " BOB0
	     "\r\nMessage-ID: 1234\r\nByte-Range: 1-5/5\r\nStatus: 000 200 "
	     "fine\r\n-------abcf$\r\n");
	assert_non_null(strstr(out(t, 0), " REPORT\r\nTo-Path: " ALICE "\r\nFrom-Path: " HERE0
	                                  "\r\nMessage-ID: 1234\r\nByte-Range: 1-5/5\r\n"
	                                  "Status: 000 200 fine\r\n-------"));
	assert_string_equal(out(t, 1), "");
}

/** RFC 4976, 6.4.3: what the far side refuses comes back as a REPORT. */
static void failures_come_back(void **state)
{
	struct line *t = *state;

	t->c.refuse = 415;
	peer_say(&t->a, "text/plain", BASE_STR("unwanted"), false);
	settle(t, 100);
	assert_int_equal(t->a.told, 415);
	assert_int_equal(t->a.told_range.start, 1);
	assert_int_equal(t->a.told_count, 1);
	t->c.refuse = 0;
	t->deaf[1] = true; /* takes nothing, answers nothing */
	peer_say(&t->a, "text/plain", BASE_STR("unheard"), false);
	settle(t, 100);
	assert_int_equal(t->a.told_count, 1);
	assert_int_equal(msrp_b2b_due(t->b), MSRP_NEVER);
	(void)out(t, 1); /* it has gone, and is lost */
	assert_int_equal(msrp_b2b_due(t->b), 30000);
	t->now = 30000;
	msrp_b2b_tick(t->b, t->now);
	t->deaf[1] = false;
	settle(t, 100);
	assert_int_equal(t->a.told, 408); /* 6.4.1 */
}

/** Others go across, and their answers back (6.4.2). */
static void other_requests(void **state)
{
	struct line *t = *state;
	char answer[512], tid[17] = "";
	const char *text;

	hand(t, 0,
	     "MSRP abcd NICKNAME\r\n" FROM_ALICE "Use-Nickname: \"Alice\"\r\n-------abcd$\r\n");
	assert_string_equal(out(t, 0), "");
	text = out(t, 1);
	memcpy(tid, text + 5, 16);
	assert_non_null(strstr(text, " NICKNAME\r\n" TO_BOB "Use-Nickname: \"Alice\"\r\n-------"));
	snprintf(answer, sizeof(answer),
	         "MSRP %s 425 Taken\r\nTo-Path: " HERE1 "\r\nFrom-Path: " BOB0 "\r\n-------%s$\r\n",
	         tid, tid);
	hand(t, 1, answer);
	assert_string_equal(out(t, 0), "MSRP abcd 425 Taken\r\nTo-Path: " ALICE
	                               "\r\nFrom-Path: " HERE0 "\r\n-------abcd$\r\n");
}

#define CHUNK(tid, range, data, flag)                                                              \
	"MSRP " tid " SEND\r\n" FROM_ALICE "Message-ID: 4564\r\nByte-Range: " range "\r\n"         \
	"Content-Type: text/plain\r\n\r\n" data "\r\n-------" tid flag "\r\n"

static void chunks_anew(void **state)
{
	struct line *t = *state;

	hand(t, 0, CHUNK("abcd", "1-*/*", "ab", "+") CHUNK("abce", "3-*/*", "cd", "+"));
	hand(t, 0, CHUNK("abcf", "5-8/8", "efgh", "$"));
	settle(t, 100);
	assert_memory_equal(t->c.got.data, "abcdefgh", 8);
	hand(t, 0, CHUNK("abcf", "5-8/8", "EFGH", "$")); /* in another order */
	hand(t, 0, CHUNK("abcd", "1-*/*", "ABCD", "+"));
	settle(t, 100);
	t->now = 540000; /* the relay does not know that it was the end */
	msrp_b2b_tick(t->b, t->now);
	settle(t, 100);
	hand(t, 0, CHUNK("abcd", "1-*/*", "ab", "+"));
	settle(t, 100);
	hand(t, 0, CHUNK("abcd", "7-*/*", "gh", "+")); /* a gap */
	hand(t, 0, CHUNK("abcd", "3-*/*", "cdef", "+"));
	hand(t, 0, CHUNK("abcd", "9-9/9", "i", "$"));
	settle(t, 100);
	assert_int_equal(t->c.got.len, 9);
	assert_memory_equal(t->c.got.data, "abcdefghi", 9);
	hand(t, 0, CHUNK("abcd", "1-*/*", "ab", "#"));
	settle(t, 100);
	assert_true(t->c.broken > 0);
}

/** A side that does not take holds the other, and nothing is lost. */
static void pace(void **state)
{
	struct line *t = *state;
	const size_t len = 3000000;
	char *data = malloc(len);
	size_t held;

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 13 + i / 127);
	peer_say(&t->a, "application/octet-stream", (struct base_str){ data, len }, true);
	t->deaf[1] = true;
	for (int i = 0; i < 1000; i++)
		carry(t, 0, 8192);
	held = t->late[0].len;
	assert_true(held > 0);
	t->woken[0] = false;
	t->deaf[1] = false;
	carry(t, 1, 8192);
	carry(t, 1, 8192);
	assert_true(t->woken[0]);
	settle(t, 8192);
	assert_int_equal(t->c.got.len, len);
	assert_memory_equal(t->c.got.data, data, len);
	assert_int_equal(t->a.told, 200);
	free(data);
}

/** What waits costs memory besides its octets: many small messages hold their sender, too. */
static void many_small_ones(void **state)
{
	static const char *const text[] = {
		"MSRP abcd SEND\r\n" FROM_ALICE "Message-ID: 4564\r\nFailure-Report: no\r\n"
		"Content-Type: text/plain\r\n\r\nx\r\n-------abcd$\r\n",
		"MSRP abcd SEND\r\n" FROM_ALICE
		"Message-ID: 4564\r\nFailure-Report: no\r\n-------abcd$\r\n",
	};
	struct line *t = *state;
	int n;

	for (size_t i = 0; i < BASE_COUNT(text); i++) {
		for (n = 0; n < 20000 && !t->late[0].len; n++)
			hand(t, 0, text[i]);
		assert_true(t->late[0].len > 0);
		assert_true(n > 100);
		t->woken[0] = false;
		while (*out(t, 1))
			;
		assert_true(t->woken[0]);
		hand(t, 0, "");
		assert_int_equal(t->late[0].len, 0);
		while (*out(t, 1))
			;
	}
}

/** What one side sends does not end the other's connection, however slowly that reads. */
static void filled_by_the_other(void **state)
{
	static const char *const text[] = {
		"MSRP abcd REPORT\r\n" FROM_ALICE "Message-ID: 1234\r\nByte-Range: 1-5/5\r\n"
		"Status: 000 200 fine\r\n-------abcd$\r\n",
		"MSRP abcd NICKNAME\r\n" FROM_ALICE "Use-Nickname: \"Alice\"\r\n-------abcd$\r\n",
	};
	struct line *t = *state;

	for (int i = 0; i < 2000; i++) {
		hand(t, 0, text[i % 2]);
		while (*out(t, 0))
			;
	}
	hand(t, 1,
	     "MSRP abcf SEND\r\nTo-Path: " HERE1 "\r\nFrom-Path: " BOB0
	     "\r\nMessage-ID: 1234\r\n-------abcf$\r\n");
	assert_non_null(strstr(out(t, 0), " SEND\r\n"));
}

/** A message that holds its own sender is answered all the same: its end is there. */
static void the_last_that_fits(void **state)
{
	struct line *t = *state;

	for (int i = 0; i < 20000; i++) {
		hand(t, 0, "MSRP abcd SEND\r\n" FROM_ALICE "Message-ID: 4564\r\n-------abcd$\r\n");
		if (t->late[0].len)
			return;
		assert_non_null(strstr(out(t, 0), " 200 OK"));
	}
	fail();
}

/** Messages refused in their midst take nobody's place. */
static void refused_often(void **state)
{
	struct line *t = *state;
	char text[1024];

	t->c.refuse = 413;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text),
		         "MSRP abcd SEND\r\n" FROM_ALICE "Message-ID: big%d\r\n"
		         "Content-Type: text/plain\r\n\r\nthe beginning",
		         i);
		hand(t, 0, text);
		(void)carry(t, 1, 8192);
		(void)carry(t, 1, 8192);
		hand(t, 0, " and more");
		hand(t, 0, " and the end\r\n-------abcd$\r\n");
		(void)out(t, 0);
	}
	t->c.refuse = 0;
	hand(t, 0, CHUNK("abcd", "1-*/*", "welcome", "$"));
	settle(t, 8192);
	assert_int_equal(t->c.whole, 1);
}

static void no_paths(void **state)
{
	struct msrp_b2b_spec spec = { .side = { { BASE_STR(HERE0), BASE_STR(ALICE) },
		                                { BASE_STR("x"), BASE_STR(BOB) } },
		                      .wake = wake };
	struct msrp_b2b *b;
	struct base_error err = { 0 };

	(void)state;
	assert_int_equal(msrp_b2b_new(&b, &spec, &err), BASE_ERR(BASE_CONFIG, 0));
	assert_non_null(strstr(err.text, "'x'"));
	spec.side[1].own = BASE_STR(HERE1);
	spec.side[1].peer = BASE_STR("");
	assert_int_equal(msrp_b2b_new(&b, &spec, &err), BASE_ERR(BASE_CONFIG, 0));
	spec.side[1].peer = BASE_STR(BOB);
	assert_int_equal(msrp_b2b_new(&b, &spec, &err), 0);
	msrp_b2b_free(b);
	msrp_b2b_free(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(both_ways),
		T(paths_are_rewritten),
		T(failures_come_back),
		T(other_requests),
		T(chunks_anew),
		T(pace),
		T(many_small_ones),
		T(refused_often),
		T(filled_by_the_other),
		T(the_last_that_fits),
		cmocka_unit_test(no_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
