/* SPDX-License-Identifier: Apache-2.0 */
/* Start line and header fields: RFC 4975, 9; Use-Nickname: RFC 7701, 7.1. */
#include "msrp/lex.h"
#include "msrp/message.h"
#include "msrp/uri.h"

#define BAD BASE_ERR(BASE_PEER, MSRP_UNINTELLIGIBLE)

typedef bool field_fn(struct base_str value, struct msrp_head *head);

static bool read_to(struct base_str value, struct msrp_head *head)
{
	head->to_path = value;
	return msrp_path_count(value) > 0;
}

static bool read_from(struct base_str value, struct msrp_head *head)
{
	head->from_path = value;
	return msrp_path_count(value) > 0;
}

static bool read_id(struct base_str value, struct msrp_head *head)
{
	head->message_id = value;
	return msrp_is_ident(value);
}

static bool read_success(struct base_str value, struct msrp_head *head)
{
	head->has_success = true;
	head->success = base_str_ieq(value, BASE_STR("yes"));
	return head->success || base_str_ieq(value, BASE_STR("no"));
}

static bool read_failure(struct base_str value, struct msrp_head *head)
{
	static const char *const words[] = {
		[MSRP_FAILURE_YES] = "yes",
		[MSRP_FAILURE_PARTIAL] = "partial",
		[MSRP_FAILURE_NO] = "no",
	};

	head->has_failure = true;
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (!base_str_ieq(value, base_str_of(words[i])))
			continue;
		head->failure = (enum msrp_failure)i;
		return true;
	}
	return false;
}

static bool star_or_number(struct base_str s, bool *ret_known, uint64_t *ret)
{
	*ret_known = !base_str_eq(s, BASE_STR("*"));
	return !*ret_known || !base_str_u64(s, INT64_MAX, ret);
}

/** range-start "-" range-end "/" total. A start of 0 is none: octets count from 1 (7.1.1). */
static bool read_range(struct base_str value, struct msrp_head *head)
{
	struct msrp_range r = { 0 };
	const char *dash = memchr(value.ptr, '-', value.len), *slash, *end = value.ptr + value.len;

	slash = dash ? memchr(dash, '/', (size_t)(end - dash)) : NULL;
	if (!slash ||
	    base_str_u64((struct base_str){ value.ptr, (size_t)(dash - value.ptr) }, INT64_MAX,
	                 &r.start) ||
	    !star_or_number((struct base_str){ dash + 1, (size_t)(slash - dash) - 1 }, &r.end_known,
	                    &r.end) ||
	    !star_or_number((struct base_str){ slash + 1, (size_t)(end - slash) - 1 },
	                    &r.total_known, &r.total))
		return false;
	if (!r.start || (r.end_known && r.end < r.start - 1) ||
	    (r.end_known && r.total_known && r.end > r.total))
		return false;
	head->range = r;
	return head->has_range = true;
}

/** namespace SP status-code [SP comment] */
static bool read_status(struct base_str value, struct msrp_head *head)
{
	if (value.len < 7 || value.ptr[3] != ' ' || (value.len > 7 && value.ptr[7] != ' ') ||
	    !msrp_code((struct base_str){ value.ptr, 3 }, &head->report_namespace) ||
	    !msrp_code((struct base_str){ value.ptr + 4, 3 }, &head->report_status))
		return false;
	if (value.len > 7)
		head->report_comment = (struct base_str){ value.ptr + 8, value.len - 8 };
	return head->has_report = true;
}

static bool read_type(struct base_str value, struct msrp_head *head)
{
	const char *slash = memchr(value.ptr, '/', value.len);

	head->content_type = value;
	return slash && slash > value.ptr && slash + 1 < value.ptr + value.len;
}

static bool read_nickname(struct base_str value, struct msrp_head *head)
{
	head->use_nickname = value; /* what is wrong about it has a code of its own, 424 */
	return true;
}

/* Paths come first: without them nobody can be answered. */
enum { TO_PATH, FROM_PATH, CONTENT_TYPE, KNOWN = 9 };
static const struct {
	const char *name;
	field_fn *read;
	const char *why;
} fields[KNOWN] = {
	[TO_PATH] = { "To-Path", read_to, "To-Path is no list of MSRP URIs" },
	[FROM_PATH] = { "From-Path", read_from, "From-Path is no list of MSRP URIs" },
	[CONTENT_TYPE] = { "Content-Type", read_type, "Content-Type is no type/subtype" },
	{ "Message-ID", read_id, "Message-ID is no ident" },
	{ "Success-Report", read_success, "Success-Report is neither yes nor no" },
	{ "Failure-Report", read_failure, "Failure-Report is not yes, no or partial" },
	{ "Byte-Range", read_range, "Byte-Range is no range" },
	{ "Status", read_status, "Status is not namespace and code" },
	{ "Use-Nickname", read_nickname, "" },
};

static void blame(struct msrp_head *head, const char *why)
{
	if (!head->fault)
		head->why = why;
	head->fault = MSRP_UNINTELLIGIBLE;
}

/** hname = ALPHA *token, before a colon. */
static bool is_name(struct base_str s)
{
	if (!s.len || !msrp_is_alphanum((unsigned char)s.ptr[0]) || s.ptr[0] <= '9')
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!msrp_is_token((unsigned char)s.ptr[i]))
			return false;
	return true;
}

static int keep_other(struct base_str line, struct msrp_head *head)
{
	if (head->fields == MSRP_FIELDS_MAX) {
		blame(head, "more header fields than we take");
		return 0;
	}
	head->field[head->fields++] = line;
	return 0;
}

static int read_field(struct base_str line, struct msrp_head *head, unsigned *seen,
                      struct base_error *err)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	struct base_str name = { line.ptr, colon ? (size_t)(colon - line.ptr) : 0 }, value;

	if (!is_name(name) || !msrp_is_text(line))
		return base_error_set(err, BAD, "a header field is none (RFC 4975, 9)");
	value = base_str_trim((struct base_str){ colon + 1, line.len - name.len - 1 });
	for (size_t i = 0; i < KNOWN; i++) {
		if (!base_str_ieq(name, base_str_of(fields[i].name)))
			continue;
		if (*seen & 1U << i)
			return base_error_set(err, BAD, "%s comes twice", fields[i].name);
		*seen |= 1U << i;
		if (fields[i].read(value, head))
			return 0;
		if (i <= FROM_PATH)
			return base_error_set(err, BAD, "%s", fields[i].why);
		blame(head, fields[i].why);
		return 0;
	}
	return keep_other(line, head);
}

static void name_method(struct base_str word, struct msrp_head *head)
{
	static const struct {
		const char *name;
		enum msrp_method method;
	} known[] = {
		{ "SEND", MSRP_SEND },
		{ "REPORT", MSRP_REPORT },
		{ "NICKNAME", MSRP_NICKNAME },
	};

	head->method = MSRP_OTHER;
	head->method_name = word;
	for (size_t i = 0; i < BASE_COUNT(known); i++)
		if (base_str_eq(word, base_str_of(known[i].name)))
			head->method = known[i].method;
}

static bool all_upper(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 'A' || s.ptr[i] > 'Z')
			return false;
	return s.len > 0;
}

/** "MSRP" SP transact-id SP (method / status-code [SP comment]) */
static int read_start(struct base_str line, struct msrp_head *head, struct base_error *err)
{
	const char *end = line.ptr + line.len, *space;
	struct base_str word;

	if (line.len < 5 || memcmp(line.ptr, "MSRP ", 5))
		return base_error_set(err, BAD, "a start line does not begin with MSRP");
	line = (struct base_str){ line.ptr + 5, line.len - 5 };
	space = memchr(line.ptr, ' ', line.len);
	head->tid = (struct base_str){ line.ptr, space ? (size_t)(space - line.ptr) : line.len };
	if (!space || !msrp_is_ident(head->tid))
		return base_error_set(err, BAD, "a start line has no transaction id");
	word = (struct base_str){ space + 1, (size_t)(end - space) - 1 };
	if (all_upper(word)) {
		name_method(word, head);
		return 0;
	}
	if (word.len > 3 && word.ptr[3] == ' ') {
		head->comment = (struct base_str){ word.ptr + 4, word.len - 4 };
		word.len = 3;
	}
	if (!msrp_code(word, &head->status) || !msrp_is_text(head->comment))
		return base_error_set(err, BAD, "a start line has neither method nor status");
	return 0;
}

/** What each method must have and must not have. */
static void check_method(struct msrp_head *head)
{
	if ((head->method == MSRP_SEND || head->method == MSRP_REPORT) && !head->message_id.ptr)
		blame(head, "no Message-ID (RFC 4975, 7.1.1 and 7.1.2)");
	if (head->method == MSRP_REPORT && !head->has_report)
		blame(head, "a REPORT without Status (RFC 4975, 7.1.2)");
	if ((head->method == MSRP_REPORT || head->method == MSRP_NICKNAME) &&
	    (head->has_success || head->has_failure))
		blame(head,
		      "a report asked for where none can be (RFC 4975, 7.1.2; RFC 7701, 7.1)");
}

/** The next line without its CRLF, taken off `s`. */
static bool next_line(struct base_str *s, struct base_str *ret)
{
	const char *cr = memchr(s->ptr, '\r', s->len);
	size_t n = cr ? (size_t)(cr - s->ptr) : 0;

	if (!cr || n + 1 >= s->len || cr[1] != '\n')
		return false;
	*ret = (struct base_str){ s->ptr, n };
	*s = (struct base_str){ s->ptr + n + 2, s->len - n - 2 };
	return true;
}

int msrp_head_parse(struct base_str lines, struct msrp_head *ret, struct base_error *err)
{
	struct msrp_head head = { 0 };
	struct base_str line;
	unsigned seen = 0;
	int rc;

	if (!lines.len || !next_line(&lines, &line))
		return base_error_set(err, BAD, "a line does not end in CR LF");
	rc = read_start(line, &head, err);
	while (!rc && lines.len) {
		if (!next_line(&lines, &line))
			return base_error_set(err, BAD, "a line does not end in CR LF");
		rc = read_field(line, &head, &seen, err);
	}
	if (rc)
		return rc;
	if (!head.to_path.ptr || !head.from_path.ptr)
		return base_error_set(err, BAD, "no To-Path or no From-Path (RFC 4975, 9)");
	check_method(&head);
	*ret = head;
	return 0;
}
