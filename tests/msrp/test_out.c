/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks, turns and answers on one connection: RFC 4975, 5.1, 7.1, 7.1.1, 7.3.2. */
#include "msrp/msrp.h"
#include "check.h"

#define A BASE_STR("msrp://a.example.com:1/a;tcp")
#define B BASE_STR("msrp://b.example.com:2/b;tcp")

struct stage {
	struct msrp_pool pool;
	struct msrp_ids ids;
	struct msrp_out out;
	struct msrp_feed feed;
	struct msrp_sending *one, *two;
	/* what came out */
	struct msrp_parser parser;
	struct base_writer body[2];
	size_t chunks[2], smallest, urgent_at, octets;
	char last_flag[2];
	bool in_order;
};

static int set_up(void **state)
{
	struct stage *t = calloc(1, sizeof(*t));

	assert_int_equal(msrp_ids_init(&t->ids), 0);
	msrp_out_init(&t->out, &t->pool, &t->ids);
	t->feed.pool = &t->pool;
	t->smallest = SIZE_MAX;
	t->in_order = true;
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *t = *state;

	msrp_feed_done(&t->feed);
	msrp_out_done(&t->out);
	assert_null(t->one);
	assert_null(t->two);
	msrp_pool_done(&t->pool);
	msrp_parser_done(&t->parser);
	base_writer_done(&t->body[0]);
	base_writer_done(&t->body[1]);
	free(t);
	return 0;
}

static struct msrp_head head_of(const char *id)
{
	return (struct msrp_head){ .method = MSRP_SEND,
		                   .to_path = B,
		                   .from_path = A,
		                   .message_id = base_str_of(id),
		                   .content_type = BASE_STR("text/plain") };
}

static void begin(struct stage *t, const char *id, struct msrp_sending **owner)
{
	struct msrp_head head = head_of(id);

	assert_int_equal(msrp_out_begin(&t->out, &head, owner), 0);
}

static void put(struct stage *t, struct msrp_sending *s, const char *data, size_t len)
{
	struct base_str rest = { data, len };
	struct msrp_block *block;
	uint32_t at, n;

	while (rest.len) {
		block = msrp_feed_put(&t->feed, &rest, &at, &n);
		assert_non_null(block);
		assert_int_equal(msrp_sending_put(s, block, at, n), 0);
	}
}

/** A body whose octets tell their place. */
static char *big(size_t len)
{
	char *data = malloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 + i / 251);
	return data;
}

static void one_event(struct stage *t, enum msrp_event event)
{
	const struct msrp_head *head = &t->parser.head;
	size_t which = head->message_id.ptr && head->message_id.ptr[0] == 't';
	static size_t length;

	if (event == MSRP_HEAD && head->method == MSRP_SEND) {
		length = 0;
		t->chunks[which]++;
		t->in_order = t->in_order && !head->fault &&
		              (!head->has_range || head->range.start == t->body[which].len + 1);
	} else if (event == MSRP_HEAD && !t->urgent_at) {
		t->urgent_at = t->octets;
	} else if (event == MSRP_BODY) {
		length += t->parser.piece.len;
		base_writer_str(&t->body[which], t->parser.piece);
	} else if (event == MSRP_END && head->method == MSRP_SEND) {
		t->last_flag[which] = t->parser.flag;
		if (t->parser.flag == '+')
			t->smallest = BASE_MIN(t->smallest, length);
	}
}

/** The receiver takes `credit` octets at a time, `most` of them in all. */
static void drain(struct stage *t, size_t credit, size_t most)
{
	enum msrp_event event;
	struct base_str in;
	char buf[8192];
	size_t n;

	while (most && (n = msrp_out_take(&t->out, buf, BASE_MIN(credit, most), 0))) {
		in = (struct base_str){ buf, n };
		most -= n;
		t->octets += n;
		for (event = MSRP_HEAD; event != MSRP_MORE;) {
			assert_int_equal(msrp_parser_next(&t->parser, &in, &event, NULL), 0);
			one_event(t, event);
		}
	}
}

static void check_body(struct stage *t, size_t which, const char *data, size_t len)
{
	assert_true(t->in_order);
	assert_int_equal(t->body[which].len, len);
	assert_memory_equal(t->body[which].data, data, len);
	assert_int_equal(t->last_flag[which], '$');
}

static void a_small_one_is_one_chunk(void **state)
{
	struct stage *t = *state;
	char buf[1024], want[1024], tid[17] = "";
	size_t n;

	begin(t, "one1", &t->one);
	put(t, t->one, "Hi, I'm Alice!", 14);
	msrp_sending_end(t->one, '$');
	n = msrp_out_take(&t->out, buf, sizeof(buf), 0);
	memcpy(tid, buf + 5, 16);
	snprintf(want, sizeof(want),
	         "MSRP %s SEND\r\nTo-Path: msrp://b.example.com:2/b;tcp\r\n"
	         "From-Path: msrp://a.example.com:1/a;tcp\r\nMessage-ID: one1\r\n"
	         "Byte-Range: 1-14/14\r\nContent-Type: text/plain\r\n\r\n"
	         "Hi, I'm Alice!\r\n-------%s$\r\n",
	         tid, tid);
	buf[n] = '\0';
	assert_string_equal(buf, want);
	assert_false(msrp_out_ready(&t->out));
}

static void nothing_to_say(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = head_of("one1");

	begin(t, "two2", &t->two);
	msrp_sending_end(t->two, '$'); /* an empty body (7.1.1: 1-0/0) */
	head.content_type = (struct base_str){ 0 };
	assert_int_equal(msrp_out_begin(&t->out, &head, &t->one), 0);
	msrp_sending_end(t->one, '$'); /* none */
	drain(t, 100, SIZE_MAX);
	assert_int_equal(t->chunks[0] + t->chunks[1], 2);
	assert_int_equal(t->last_flag[0], '$');
	assert_int_equal(t->last_flag[1], '$');
	assert_true(t->in_order);
}

static void alone_a_message_is_not_cut(void **state)
{
	struct stage *t = *state;
	char *data = big(300000);

	begin(t, "one1", &t->one);
	for (size_t i = 0; i < 300000; i += 1000) {
		put(t, t->one, data + i, 1000);
		drain(t, 1 + i % 4000, SIZE_MAX);
	}
	msrp_sending_end(t->one, '$');
	drain(t, 8192, SIZE_MAX);
	check_body(t, 0, data, 300000);
	assert_int_equal(t->chunks[0], 1);
	free(data);
}

static void two_take_turns(void **state)
{
	struct stage *t = *state;
	char *data = big(200000);

	begin(t, "one1", &t->one);
	begin(t, "two2", &t->two);
	put(t, t->one, data, 200000);
	put(t, t->two, data, 150000);
	msrp_sending_end(t->one, '$');
	msrp_sending_end(t->two, '$');
	drain(t, 777, 50000);
	assert_true(t->body[0].len > 10000 && t->body[1].len > 10000);
	drain(t, 777, SIZE_MAX);
	check_body(t, 0, data, 200000);
	check_body(t, 1, data, 150000);
	assert_true(t->chunks[0] > 5);
	assert_true(t->smallest >= MSRP_CHUNK_MIN);
	assert_int_equal(t->out.queued, 0);
	free(data);
}

/** A message whose sender pauses does not hold the line (5.1). */
static void a_pause_lets_others_go(void **state)
{
	struct stage *t = *state;
	char *data = big(10000);

	begin(t, "one1", &t->one);
	put(t, t->one, data, 5000);
	drain(t, 100, SIZE_MAX);
	begin(t, "two2", &t->two);
	put(t, t->two, data, 100);
	msrp_sending_end(t->two, '$');
	drain(t, 100, SIZE_MAX);
	check_body(t, 1, data, 100);
	assert_int_equal(t->last_flag[0], '+');
	put(t, t->one, data + 5000, 5000);
	msrp_sending_end(t->one, '$');
	drain(t, 100, SIZE_MAX);
	check_body(t, 0, data, 10000);
	free(data);
}

static void answers_interrupt(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = {
		.tid = BASE_STR("abcd"), .status = 200, .to_path = B, .from_path = A
	};
	char *data = big(100000);
	size_t before;

	begin(t, "one1", &t->one);
	put(t, t->one, data, 100000);
	msrp_sending_end(t->one, '$');
	drain(t, 512, 5120);
	before = t->octets;
	assert_int_equal(msrp_out_put(&t->out, &head, (struct base_str){ 0 }), 0);
	drain(t, 512, SIZE_MAX);
	assert_true(t->urgent_at && t->urgent_at < before + 1024);
	check_body(t, 0, data, 100000);
	assert_true(t->smallest >= MSRP_CHUNK_MIN);
	free(data);
}

/** The body holds what will be the chunk's end-line: the chunk ends before (7.1). */
static void an_end_line_in_the_body(void **state)
{
	struct stage *t = *state;
	struct msrp_ids copy = t->ids;
	struct base_writer w = { 0 };
	char tid[17];

	for (int i = 0; i < 4; i++) {
		msrp_id_next(&copy, tid);
		for (int j = 0; j < 3000; j++)
			base_writer_u8(&w, (uint8_t)j);
		base_writer_printf(&w, "--\r\n----------%s$\r\n", tid);
	}
	for (size_t credit = 1; credit < 9000; credit = credit * 3 + 1) {
		t->ids.count = 0;
		base_writer_reset(&t->body[0]);
		t->chunks[0] = 0;
		begin(t, "one1", &t->one);
		put(t, t->one, (char *)w.data, w.len);
		msrp_sending_end(t->one, '$');
		drain(t, credit, SIZE_MAX);
		check_body(t, 0, (char *)w.data, w.len);
		assert_int_equal(t->chunks[0], 5);
	}
	base_writer_done(&w);
}

static void given_up(void **state)
{
	struct stage *t = *state;
	char *data = big(10000);

	begin(t, "one1", &t->one);
	put(t, t->one, data, 10000);
	drain(t, 100, 3000);
	msrp_sending_end(t->one, '#');
	assert_null(t->one);
	assert_int_equal(t->out.queued, 0);
	begin(t, "two2", &t->two);
	put(t, t->two, data, 10);
	msrp_sending_end(t->two, '#'); /* never began: nobody hears of it */
	drain(t, 100, SIZE_MAX);
	assert_int_equal(t->last_flag[0], '#');
	assert_int_equal(t->chunks[1], 0);
	assert_int_equal(t->pool.used, 1); /* the feed's */
	free(data);
}

static void answered(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = { 0 };
	struct msrp_answer what;
	char *data = big(100000), tid[2][17] = { "", "" };
	struct msrp_ids copy = t->ids;

	msrp_id_next(&copy, tid[0]);
	msrp_id_next(&copy, tid[1]);
	begin(t, "one1", &t->one);
	put(t, t->one, data, 5000);
	drain(t, 8192, SIZE_MAX);
	begin(t, "two2", &t->two);
	put(t, t->two, data, 10);
	msrp_sending_end(t->two, '$');
	drain(t, 8192, SIZE_MAX);
	assert_int_equal(t->out.unanswered, 2);
	head = (struct msrp_head){ .tid = base_str_of(tid[1]), .status = 200 };
	assert_true(msrp_out_answered(&t->out, &head, &what));
	assert_string_equal(what.note, "two2");
	assert_int_equal(what.range.end, 10);
	assert_false(msrp_out_answered(&t->out, &head, &what));
	head = (struct msrp_head){ .tid = base_str_of(tid[0]), .status = 413 };
	assert_true(msrp_out_answered(&t->out, &head, &what));
	assert_string_equal(what.note, "one1");
	assert_int_equal(what.range.start, 1);
	assert_int_equal(what.range.end, 4999); /* the last octet waits until more is known */
	assert_null(t->one);                    /* 10.5: no further chunks */
	drain(t, 8192, SIZE_MAX);
	assert_int_equal(t->last_flag[0], '#');
	free(data);
}

static void not_answered(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = head_of("one1");
	struct msrp_answer what;
	char buf[2048];

	for (int i = 0; i < 3; i++) {
		head.has_failure = true;
		head.failure = (enum msrp_failure)i;
		assert_int_equal(msrp_out_begin(&t->out, &head, &t->one), 0);
		put(t, t->one, "x", 1);
		msrp_sending_end(t->one, '$');
		assert_true(msrp_out_take(&t->out, buf, sizeof(buf), 1000 + (uint64_t)i) > 0);
	}
	assert_int_equal(t->out.unanswered, 2); /* "no" waits for nothing */
	assert_int_equal(msrp_out_due(&t->out), 31000);
	assert_false(msrp_out_expired(&t->out, 30999, &what));
	assert_true(msrp_out_expired(&t->out, 31002, &what));
	assert_int_equal(what.status, 408);
	assert_false(msrp_out_expired(&t->out, 31002, &what)); /* "partial" is not told */
	assert_int_equal(msrp_out_due(&t->out), MSRP_NEVER);
}

/** Nobody looks at answers: what is over is forgotten; the rest of a message can still be refused.
 */
static void nobody_hears_answers(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = head_of("one1"), refusal = { .status = 413 };
	struct msrp_head other = { .tid = BASE_STR("abcd"), .status = 200 };
	struct msrp_answer what;
	char buf[4096] = "", tid[17];

	t->out.unheard = true;
	assert_int_equal(msrp_out_begin(&t->out, &head, &t->one), 0);
	put(t, t->one, "x", 1);
	msrp_sending_end(t->one, '$');
	assert_true(msrp_out_take(&t->out, buf, sizeof(buf), 1000) > 0);
	assert_int_equal(t->out.unanswered, 0);
	assert_int_equal(msrp_out_begin(&t->out, &head, &t->one), 0);
	for (int i = 0; i < 10; i++)
		put(t, t->one, buf, sizeof(buf));
	assert_int_equal(msrp_out_take(&t->out, buf, sizeof(buf), 1000), sizeof(buf));
	memcpy(tid, buf + 5, sizeof(tid) - 1);
	tid[16] = '\0';
	refusal.tid = base_str_of(tid);
	assert_int_equal(msrp_out_put(&t->out, &other, (struct base_str){ 0 }), 0);
	assert_true(msrp_out_take(&t->out, buf, 200, 1000) > 0); /* which makes its chunk end */
	assert_int_equal(t->out.unanswered, 1);
	assert_true(msrp_out_answered(&t->out, &refusal, &what));
	assert_null(t->one);
}

static void bounded(void **state)
{
	struct stage *t = *state;
	struct msrp_head head = {
		.tid = BASE_STR("abcd"), .status = 200, .to_path = B, .from_path = A
	};
	struct base_str data = { "0123456789", 10 };
	struct msrp_block *block;
	uint32_t at, n;
	int i;

	for (i = 0; !msrp_out_put(&t->out, &head, (struct base_str){ 0 }); i++)
		assert_true(i < 1000);
	drain(t, 8192, SIZE_MAX);
	assert_int_equal(msrp_out_put(&t->out, &head, (struct base_str){ 0 }), 0);
	drain(t, 8192, SIZE_MAX);
	t->pool.limit = 2;
	begin(t, "one1", &t->one);
	for (i = 0; i < 1000; i++) { /* octet by octet costs no more blocks */
		data = (struct base_str){ "0123456789", 1 };
		block = msrp_feed_put(&t->feed, &data, &at, &n);
		assert_non_null(block);
		assert_int_equal(msrp_sending_put(t->one, block, at, n), 0);
	}
	assert_int_equal(t->pool.used, 1);
	data = (struct base_str){ (char[3 * MSRP_BLOCK_OCTETS]){ 0 },
		                  3 * (size_t)MSRP_BLOCK_OCTETS };
	while (data.len && (block = msrp_feed_put(&t->feed, &data, &at, &n)))
		assert_int_equal(msrp_sending_put(t->one, block, at, n), 0);
	assert_true(data.len);
	drain(t, 8192, SIZE_MAX);
	assert_int_equal(t->pool.used, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_small_one_is_one_chunk),
		T(nothing_to_say),
		T(alone_a_message_is_not_cut),
		T(two_take_turns),
		T(a_pause_lets_others_go),
		T(answers_interrupt),
		T(an_end_line_in_the_body),
		T(given_up),
		T(answered),
		T(not_answered),
		T(nobody_hears_answers),
		T(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
