/* SPDX-License-Identifier: Apache-2.0 */
/* Headers read and written: RFC 4975, 7 and 9; RFC 7701, 7.1. */
#include "msrp/msrp.h"
#include "check.h"

#define PATHS "To-Path: msrp://a:1/b;tcp\r\nFrom-Path: msrp://c:2/d;tcp\r\n"
#define SEND  "MSRP d93kswow SEND\r\n" PATHS "Message-ID: 12339sdqwer\r\n"

static struct msrp_head read(const char *text)
{
	struct msrp_head head;
	struct base_error err = { 0 };

	if (msrp_head_parse(base_str_of(text), &head, &err))
		fail_msg("%s: %s", text, err.text);
	return head;
}

static void everything(void **state)
{
	static const char text[] = SEND "Success-Report: yes\r\n"
	                                "Failure-Report: partial\r\n"
	                                "Byte-Range: 5-*/8\r\n"
	                                "X-Own: a: b\r\n"
	                                "Content-Disposition: inline\r\n"
	                                "Content-Type: text/plain;charset=utf-8\r\n";
	struct msrp_head head = read(text);
	struct base_writer w = { 0 };

	(void)state;
	assert_int_equal(head.fault, 0);
	assert_int_equal(head.method, MSRP_SEND);
	assert_true(head.success);
	assert_int_equal(head.failure, MSRP_FAILURE_PARTIAL);
	assert_int_equal(head.range.start, 5);
	assert_false(head.range.end_known);
	assert_int_equal(head.range.total, 8);
	assert_int_equal(head.fields, 2);
	msrp_head_write(&w, &head);
	msrp_end_write(&w, head.tid, true, '+');
	assert_string_equal(base_writer_cstr(&w) + sizeof(text) - 1,
	                    "\r\n\r\n-------d93kswow+\r\n");
	assert_memory_equal(w.data, text, sizeof(text) - 1);
	base_writer_done(&w);
}

static void defaults(void **state)
{
	struct msrp_head head = read(SEND);

	(void)state;
	assert_false(head.success || head.has_success || head.has_failure || head.has_range);
	assert_int_equal(head.failure, MSRP_FAILURE_YES); /* 7.1.1 */
	head = read("MSRP d93kswow 200\r\n" PATHS);
	assert_int_equal(head.method, MSRP_RESPONSE);
	assert_int_equal(head.status, 200);
	assert_null(head.comment.ptr);
	head = read("MSRP d93kswow 481 No such: thing\r\n" PATHS);
	assert_int_equal(head.status, 481);
	assert_true(base_str_eq(head.comment, BASE_STR("No such: thing")));
}

static void reports(void **state)
{
	struct msrp_head head = read("MSRP dkei38sd REPORT\r\n" PATHS "Message-ID: 12339sdqwer\r\n"
	                             "Byte-Range: 1-106/106\r\nStatus: 000 200 OK\r\n");

	(void)state;
	assert_int_equal(head.fault, 0);
	assert_int_equal(head.report_status, 200);
	assert_int_equal(head.report_namespace, 0);
	assert_true(base_str_eq(head.report_comment, BASE_STR("OK")));
	assert_int_equal(read("MSRP dkei38sd REPORT\r\n" PATHS "Message-ID: 1233\r\n").fault, 400);
	assert_int_equal(read("MSRP dkei38sd REPORT\r\n" PATHS
	                      "Message-ID: 1233\r\nStatus: 000 200\r\nSuccess-Report: no\r\n")
	                         .fault,
	                 400);
}

/** Wrong fields are told, and the request can still be answered. */
static void faults(void **state)
{
	static const char *const bad[] = {
		"Success-Report: maybe", "Failure-Report: ",
		"Byte-Range: 0-1/1",     "Byte-Range: 5-3/8",
		"Byte-Range: 1-9/8",     "Byte-Range: 1-/8",
		"Byte-Range: *-8/8",     "Byte-Range: 1-8",
		"Byte-Range: 1-8/x",     "Content-Type: text",
		"Content-Type: /plain",  "Status: 0 200",
		"Status: 000 2000",      "Byte-Range: 99999999999999999999-*/*",
	};
	char text[512];
	struct msrp_head head;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		snprintf(text, sizeof(text), SEND "%s\r\n", bad[i]);
		head = read(text);
		if (head.fault != 400 || !head.why)
			fail_msg("%s", bad[i]);
		assert_true(base_str_eq(head.from_path, BASE_STR("msrp://c:2/d;tcp")));
	}
	assert_int_equal(read("MSRP d93kswow SEND\r\n" PATHS).fault, 400);
	assert_int_equal(read("MSRP d93kswow SEND\r\n" PATHS "Message-ID: 123\r\n").fault, 400);
	assert_int_equal(read(SEND "Byte-Range: 1-0/0\r\n").fault, 0);
}

/** What nobody can answer. */
static void no_messages(void **state)
{
	static const char *const bad[] = {
		"",
		"\r\n",
		"MSRP\r\n",
		"MSRP abcd\r\n",
		"msrp abcd SEND\r\n" PATHS,
		"MSRP abc SEND\r\n" PATHS,
		"MSRP -bcd SEND\r\n" PATHS,
		"MSRP abcd send\r\n" PATHS,
		"MSRP abcd SEND \r\n" PATHS,
		"MSRP abcd 20\r\n" PATHS,
		"MSRP abcd 2000\r\n" PATHS,
		"MSRP abcd 200 \x01\r\n" PATHS,
		"MSRP abcd 200 \xc3\r\n" PATHS,
		"MSRP a0123456789012345678901234567890x SEND\r\n" PATHS,
		"MSRP abcd SEND\r\nTo-Path: msrp://a:1/b;tcp\r\n",
		"MSRP abcd SEND\r\nFrom-Path: msrp://a:1/b;tcp\r\n",
		"MSRP abcd SEND\r\nTo-Path: x\r\nFrom-Path: msrp://a:1/b;tcp\r\n",
		SEND "To-Path: msrp://a:1/b;tcp\r\n",
		SEND "message-id: abcd\r\n",
		SEND "no colon\r\n",
		SEND ": no name\r\n",
		SEND "1X: name\r\n",
		SEND "X: \x7f\r\n",
		SEND "X: y",
	};
	struct msrp_head head;
	struct base_error err;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		if (msrp_head_parse(base_str_of(bad[i]), &head, &err) != BASE_ERR(BASE_PEER, 400) ||
		    !err.text[0])
			fail_msg("%zu: %s", i, bad[i]);
}

static void too_many_fields(void **state)
{
	struct base_writer w = { 0 };

	(void)state;
	base_writer_text(&w, SEND);
	for (int i = 0; i <= MSRP_FIELDS_MAX; i++)
		base_writer_printf(&w, "X-%d: y\r\n", i);
	assert_int_equal(read(base_writer_cstr(&w)).fault, 400);
	base_writer_done(&w);
}

static void nicknames(void **state)
{
	static const char *const bad[] = { "",         "\"",     "x",       "\"a",     "a\"",
		                           "\"a\"b\"", "\"\\\"", "\"\\a\"", "\"\xff\"" };
	char out[MSRP_NICKNAME_MAX];
	struct base_writer w = { 0 };
	size_t len;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		if (msrp_nickname_read(base_str_of(bad[i]), out, &len) != BASE_ERR(BASE_PEER, 424))
			fail_msg("%s", bad[i]);
	assert_int_equal(msrp_nickname_read(BASE_STR("\"\""), out, &len), 0);
	assert_int_equal(len, 0); /* removes it (7.3) */
	assert_int_equal(
	        msrp_nickname_read(BASE_STR("\"Al \\\"the\\\\ice\\\" \xc3\xa9\""), out, &len), 0);
	msrp_nickname_write(&w, (struct base_str){ out, len });
	assert_string_equal(base_writer_cstr(&w), "\"Al \\\"the\\\\ice\\\" \xc3\xa9\"");
	base_writer_reset(&w);
	base_writer_u8(&w, '"');
	for (int i = 0; i < MSRP_NICKNAME_MAX; i++)
		base_writer_u8(&w, 'a');
	base_writer_u8(&w, '"');
	assert_int_equal(msrp_nickname_read(base_writer_view(&w), out, &len), 0);
	assert_int_equal(len, MSRP_NICKNAME_MAX);
	w.len--;
	base_writer_text(&w, "a\"");
	assert_int_not_equal(msrp_nickname_read(base_writer_view(&w), out, &len), 0);
	base_writer_done(&w);
}

static void ids(void **state)
{
	struct msrp_ids ids;
	char a[17], b[17];

	(void)state;
	assert_int_equal(msrp_ids_init(&ids), 0);
	msrp_id_next(&ids, a);
	msrp_id_next(&ids, b);
	assert_int_equal(strlen(a), 16);
	assert_string_not_equal(a, b);
	assert_int_equal(msrp_ids_init(&ids), 0);
	msrp_id_next(&ids, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),  cmocka_unit_test(defaults),
		cmocka_unit_test(reports),     cmocka_unit_test(faults),
		cmocka_unit_test(no_messages), cmocka_unit_test(too_many_fields),
		cmocka_unit_test(nicknames),   cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
