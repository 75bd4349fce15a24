/* SPDX-License-Identifier: Apache-2.0 */
/* Framing: RFC 4975, 7.1 (end-line, sizes) and 9. */
#include "msrp/parser.h"

#define BAD BASE_ERR(BASE_PEER, MSRP_UNINTELLIGIBLE)

enum { IN_HEAD, IN_BODY, AT_END };

void msrp_parser_done(struct msrp_parser *p)
{
	base_writer_done(&p->text);
	*p = (struct msrp_parser){ .limit = p->limit };
}

bool msrp_parser_idle(const struct msrp_parser *p)
{
	return p->state == IN_HEAD && p->text.len == 0;
}

bool msrp_parser_at_end(const struct msrp_parser *p)
{
	return !p->failed && p->state == AT_END;
}

static void step(struct base_str *in, size_t n)
{
	*in = (struct base_str){ in->ptr + n, in->len - n };
}

static bool is_flag(char c)
{
	return c == '$' || c == '+' || c == '#';
}

/** CR LF, seven hyphens, the transaction id; then the flag's place and CR LF. */
static void set_stop(struct msrp_parser *p)
{
	size_t n = p->head.tid.len;

	memcpy(p->stop, "\r\n-------", 9);
	memcpy(p->stop + 9, p->head.tid.ptr, n);
	memcpy(p->stop + 9 + n, "$\r\n", 3);
	p->stop_len = n + 12;
}

/** The flag of a line that is the end-line of this transaction, else 0. */
static char end_flag(const struct msrp_parser *p, struct base_str line)
{
	size_t before = p->stop_len - 5; /* without both CRLF and the flag */

	if (line.len != before + 1 || memcmp(line.ptr, p->stop + 2, before))
		return 0;
	return is_flag(line.ptr[before]) ? line.ptr[before] : 0;
}

static int check_end(struct msrp_parser *p, struct base_error *err)
{
	if (p->head.method == MSRP_RESPONSE && (p->flag != '$' || p->has_body))
		return base_error_set(err, BAD, "a response with a body or continued (7.2)");
	return 0;
}

/** The header is over: at an empty line (then a body comes), or at the end-line. */
static int finish_head(struct msrp_parser *p, struct base_str last, struct base_error *err)
{
	struct base_str lines = { (const char *)p->text.data, p->line };
	int rc = msrp_head_parse(lines, &p->head, err);

	if (rc)
		return rc;
	set_stop(p);
	p->has_body = last.len == 0;
	p->body = 0;
	if (p->has_body != (p->head.content_type.ptr != NULL) && !p->head.fault) {
		p->head.fault = MSRP_UNINTELLIGIBLE;
		p->head.why = "a body and no Content-Type, or the other way round (RFC 4975, 7.1)";
	}
	if (p->has_body) {
		p->state = IN_BODY;
		p->held = p->virtual = 2; /* an end-line may follow at once: an empty body */
	} else {
		p->state = AT_END;
		p->flag = end_flag(p, last);
		if (!p->flag)
			return base_error_set(err, BAD, "an end-line of another transaction (7.1)");
	}
	return p->has_body ? 0 : check_end(p, err);
}

/** One line has come whole. @return 0 with *ret_done when it was the header's last */
static int take_line(struct msrp_parser *p, bool *ret_done, struct base_error *err)
{
	struct base_str line = { (const char *)p->text.data + p->line, p->text.len - p->line };

	if (line.len < 2 || line.ptr[line.len - 2] != '\r')
		return base_error_set(err, BAD, "a line ends without CR");
	line.len -= 2;
	if (p->line == 0 && line.len == 0)
		return base_error_set(err, BAD, "an empty line where a start line belongs");
	if (line.len == 0 || line.ptr[0] == '-') {
		*ret_done = true;
		return finish_head(p, line, err);
	}
	p->line = p->text.len;
	return 0;
}

static int next_head(struct msrp_parser *p, struct base_str *in, enum msrp_event *ret,
                     struct base_error *err)
{
	const char *lf;
	size_t n, limit = p->limit ? p->limit : MSRP_HEAD_OCTETS_MAX;
	bool done = false;
	int rc;

	while (in->len && !done) {
		lf = memchr(in->ptr, '\n', in->len);
		n = lf ? (size_t)(lf - in->ptr) + 1 : in->len;
		if (n > limit - p->text.len)
			return base_error_set(err, BAD, "a header of more than %zu octets", limit);
		base_writer_put(&p->text, in->ptr, n);
		if (p->text.failed)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
		step(in, n);
		rc = lf ? take_line(p, &done, err) : 0;
		if (rc)
			return rc;
	}
	*ret = done ? MSRP_HEAD : MSRP_MORE;
	return 0;
}

/** Does this octet continue the end-line of which `held` octets are there? */
static bool goes_on(const struct msrp_parser *p, char c)
{
	return p->held == p->stop_len - 3 ? is_flag(c) : c == p->stop[p->held];
}

/** What was held back is no end-line: it is body. The flag in it is as it came. */
static void release(struct msrp_parser *p)
{
	p->piece = (struct base_str){ p->stop + p->virtual, p->held - p->virtual };
	p->held = p->virtual = 0;
}

/** Go on with a possible end-line. @return true when `ret` is an event */
static bool match(struct msrp_parser *p, struct base_str *in, enum msrp_event *ret)
{
	while (p->held && in->len) {
		if (!goes_on(p, in->ptr[0])) {
			/* CR stands at its first place and behind the flag alone, so nothing
			 * that was held can begin another one. */
			release(p);
			*ret = MSRP_BODY;
			return p->piece.len > 0;
		}
		if (p->held == p->stop_len - 3)
			p->stop[p->held] = in->ptr[0];
		step(in, 1);
		if (++p->held < p->stop_len)
			continue;
		p->flag = p->stop[p->stop_len - 3];
		p->held = p->virtual = 0;
		p->state = AT_END;
		*ret = MSRP_END;
		return true;
	}
	return false;
}

/** Octets up to the first CR that may begin an end-line. */
static void plain(struct msrp_parser *p, struct base_str *in)
{
	const char *at = in->ptr, *end = in->ptr + in->len;

	while ((at = memchr(at, '\r', (size_t)(end - at)))) {
		if (at + 1 == end || at[1] == '\n')
			break;
		at++;
	}
	p->piece = (struct base_str){ in->ptr, at ? (size_t)(at - in->ptr) : in->len };
	step(in, p->piece.len);
	if (at) {
		step(in, 1);
		p->held = 1;
	}
}

static int next_body(struct msrp_parser *p, struct base_str *in, enum msrp_event *ret,
                     struct base_error *err)
{
	*ret = MSRP_MORE;
	while (in->len) {
		if (match(p, in, ret))
			break;
		if (!in->len || p->held)
			continue;
		plain(p, in);
		*ret = p->piece.len ? MSRP_BODY : MSRP_MORE;
		if (p->piece.len)
			break;
	}
	if (*ret == MSRP_BODY) {
		p->body += p->piece.len;
		if (p->head.method != MSRP_SEND && p->body > MSRP_BODY_MAX)
			return base_error_set(err, BAD, "a body of more than %d octets (7.1)",
			                      MSRP_BODY_MAX);
	}
	return 0;
}

/** The event MSRP_END has been told, or comes now when there was no body. */
static void next_message(struct msrp_parser *p)
{
	base_writer_reset(&p->text);
	p->line = 0;
	p->state = IN_HEAD;
}

int msrp_parser_next(struct msrp_parser *p, struct base_str *in, enum msrp_event *ret,
                     struct base_error *err)
{
	int rc = 0;

	if (p->failed)
		return base_error_set(err, p->failed, "the stream has failed before");
	if (p->state == IN_HEAD) {
		rc = next_head(p, in, ret, err);
	} else if (p->state == IN_BODY) {
		rc = next_body(p, in, ret, err);
		if (!rc && *ret == MSRP_END) {
			rc = check_end(p, err);
			next_message(p);
		}
	} else {
		*ret = MSRP_END;
		next_message(p);
	}
	p->failed = rc;
	return rc;
}
