/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines and groups (RFC 3525, 7.1.8; RFC 8866, 5 and 9). Each line is looked at once; nothing is
 * searched for from the start again, so the time is linear in the text.
 */
#include "h248/errors.h"
#include "h248/sdp_parser.h"
#include "h248/shown.h"

int h248_sdp_fail(struct h248_sdp_parser *p, struct base_str token, const char *why)
{
	unsigned column = (unsigned)(token.ptr - p->line.ptr) + p->indent + 1;
	char shown[H248_SHOWN_SIZE];

	base_error_place(p->err, "", p->number, column);
	return base_error_set(p->err, BASE_ERR(BASE_PEER, H248_E_SDP),
	                      "SDP line %u column %u: %s: '%s'", p->number, column, why,
	                      h248_shown(token, shown));
}

int h248_sdp_no_memory(struct h248_sdp_parser *p)
{
	return base_error_set(p->err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
	                      "no memory for a session description");
}

int h248_sdp_claim(struct h248_sdp_parser *p, enum h248_sdp_once what, bool *ret_first)
{
	uint8_t here = p->group->has_media ? H248_SDP_LEVEL_MEDIA : H248_SDP_LEVEL_SESSION;
	bool first = p->level[what] != here;

	if (!first && what < H248_SDP_LISTED_FINGERPRINT)
		return h248_sdp_fail(p, p->line, "given twice");
	p->level[what] = here;
	*ret_first = first;
	return 0;
}

struct base_str h248_sdp_field(struct base_str *rest)
{
	const char *blank = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
	size_t len = blank ? (size_t)(blank - rest->ptr) : rest->len;
	struct base_str field = { rest->ptr, len };

	rest->ptr += len + (blank ? 1 : 0);
	rest->len -= len + (blank ? 1 : 0);
	return field;
}

bool h248_sdp_is_token(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[]\\", c))
			return false;
	}
	return s.len > 0;
}

int h248_sdp_keep_line(struct h248_sdp_parser *p, char type, struct base_str value)
{
	struct h248_sdp_line *line = BASE_NEW(p->arena, struct h248_sdp_line);

	if (!line)
		return h248_sdp_no_memory(p);
	*line = (struct h248_sdp_line){ NULL, value, type, p->group->has_media };
	*p->line_end = line;
	p->line_end = &line->next;
	return 0;
}

/* A group is complete. Fingerprints that all cannot be used must not look like none at all: the
 * peer would then count as not asked for. */
static int group_end(struct h248_sdp_parser *p)
{
	const struct h248_sdp_fingerprint *fp;

	if (!p->group)
		return 0;
	for (fp = p->group->fingerprints; fp; fp = fp->next) {
		if (fp->usable || fp->choose)
			return 0;
	}
	if (!p->group->fingerprints)
		return 0;
	p->number = p->unusable_number;
	p->indent = 0;
	p->line = p->unusable;
	return h248_sdp_fail(p, p->line, "hash function too weak or unknown (RFC 8122, 5)");
}

static int group_start(struct h248_sdp_parser *p)
{
	int rc = group_end(p);

	if (rc)
		return rc;
	if (p->sdp->count == H248_SDP_GROUPS_MAX)
		return h248_sdp_fail(p, p->line, "too many alternatives");
	p->group = BASE_NEW(p->arena, struct h248_sdp_group);
	if (!p->group)
		return h248_sdp_no_memory(p);
	p->group->line = p->number;
	*p->group_end = p->group;
	p->group_end = &p->group->next;
	p->line_end = &p->group->lines;
	p->path_end = &p->group->paths;
	p->fingerprint_end = &p->group->fingerprints;
	p->fingerprints = 0;
	p->unusable_number = 0;
	memset(p->level, 0, sizeof(p->level));
	p->sdp->count++;
	return 0;
}

/* v=: a new group. Several groups need it each, one alone may leave it out (7.1.8). */
static int parse_version(struct h248_sdp_parser *p, struct base_str value)
{
	if (!base_str_eq(value, BASE_STR("0")))
		return h248_sdp_fail(p, value, "version is not 0");
	if (p->group && !p->versioned)
		return h248_sdp_fail(p, p->line, "what stands before this has no v= line");
	p->versioned = true;
	return group_start(p);
}

/* o=: six fields (RFC 8866, 5.2). */
static int parse_origin(struct h248_sdp_parser *p, struct base_str value)
{
	struct base_str rest = value;

	if (p->group->origin.ptr)
		return h248_sdp_fail(p, p->line, "given twice");
	for (int i = 0; i < 6; i++) {
		if (!h248_sdp_field(&rest).len)
			return h248_sdp_fail(p, value, "six fields expected");
	}
	if (rest.len)
		return h248_sdp_fail(p, rest, "six fields expected");
	p->group->origin = value;
	return 0;
}

static int parse_session(struct h248_sdp_parser *p, struct base_str value)
{
	if (p->group->session.ptr)
		return h248_sdp_fail(p, p->line, "given twice");
	p->group->session = value;
	return 0;
}

static bool is_digits(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	}
	return s.len > 0;
}

/* t=: two numbers (RFC 8866, 5.9). Examples of RFC 3525 have a blank before them. */
static int parse_time(struct h248_sdp_parser *p, struct base_str value)
{
	struct base_str rest = base_str_trim(value);
	struct base_str kept = rest;

	for (int i = 0; i < 2; i++) {
		struct base_str field = h248_sdp_field(&rest);

		if (!is_digits(field) && !h248_sdp_is_choose(field))
			return h248_sdp_fail(p, value, "two numbers expected");
	}
	if (rest.len)
		return h248_sdp_fail(p, rest, "two numbers expected");
	return h248_sdp_keep_line(p, 't', kept);
}

/* b=: `type:number` (RFC 8866, 5.8). */
static int parse_bandwidth(struct h248_sdp_parser *p, struct base_str value)
{
	const char *colon = memchr(value.ptr, ':', value.len);
	struct base_str number;

	if (!colon ||
	    !h248_sdp_is_token((struct base_str){ value.ptr, (size_t)(colon - value.ptr) }))
		return h248_sdp_fail(p, value, "type:number expected");
	number = (struct base_str){ colon + 1, (size_t)(value.ptr + value.len - colon - 1) };
	if (!is_digits(number) && !h248_sdp_is_choose(number))
		return h248_sdp_fail(p, value, "type:number expected");
	return h248_sdp_keep_line(p, 'b', value);
}

static int parse_line(struct h248_sdp_parser *p)
{
	struct base_str value = { p->line.ptr + 2, p->line.len - 2 };
	char type = p->line.ptr[0];
	int rc;

	if (type == 'v')
		return parse_version(p, value);
	rc = p->group ? 0 : group_start(p);
	if (rc)
		return rc;
	if (p->group->has_media && strchr("osuetprz", type))
		return h248_sdp_fail(p, p->line, "not allowed after m=");
	if (!value.len && type != 's')
		return h248_sdp_fail(p, p->line, "empty value");
	switch (type) {
	case 'o':
		return parse_origin(p, value);
	case 's':
		return parse_session(p, value);
	case 't':
		return parse_time(p, value);
	case 'b':
		return parse_bandwidth(p, value);
	case 'c':
		return h248_sdp_parse_connection(p, value);
	case 'm':
		return h248_sdp_parse_media(p, value);
	case 'a':
		return h248_sdp_parse_attribute(p, value);
	default:
		return h248_sdp_keep_line(p, type, value);
	}
}

/* SDP has no blanks before a line, yet messages laid out by hand do; nothing else can be meant. */
static void strip_indent(struct h248_sdp_parser *p)
{
	p->indent = 0;
	while (p->line.len && (p->line.ptr[0] == ' ' || p->line.ptr[0] == '\t')) {
		p->line.ptr++;
		p->line.len--;
		p->indent++;
	}
}

/* One line: its form, then its content. NUL ends no line, it is an error (RFC 8866, 5). */
static int check_line(struct h248_sdp_parser *p)
{
	if (p->number > H248_SDP_LINES_MAX)
		return h248_sdp_fail(p, p->line, "too many lines");
	strip_indent(p);
	if (!p->line.len)
		return 0;
	if (memchr(p->line.ptr, 0, p->line.len))
		return h248_sdp_fail(p, p->line, "octet zero in the line");
	if (p->line.len < 2 || p->line.ptr[1] != '=' || !strchr("vosiuepcbtrzkam", p->line.ptr[0]))
		return h248_sdp_fail(p, p->line, "type=value expected");
	return parse_line(p);
}

int h248_sdp_parse(struct base_arena *arena, struct base_str text, struct h248_sdp *ret,
                   struct base_error *err)
{
	struct h248_sdp sdp = { 0 };
	struct h248_sdp_parser p = { .arena = arena, .err = err, .sdp = &sdp, .number = 1 };
	const char *at = text.len ? text.ptr : "", *end = at + text.len;
	int rc = 0;

	p.group_end = &sdp.groups;
	p.line = (struct base_str){ at, 0 };
	if (text.len > H248_SDP_OCTETS_MAX)
		return h248_sdp_fail(&p, p.line, "too long");
	while (!rc && at < end) {
		const char *from = at;

		while (at < end && *at != '\r' && *at != '\n')
			at++;
		p.line = (struct base_str){ from, (size_t)(at - from) };
		rc = check_line(&p);
		if (at < end && *at == '\r' && at + 1 < end && at[1] == '\n')
			at++;
		at++;
		p.number += rc ? 0 : 1;
	}
	if (!rc)
		rc = group_end(&p);
	if (rc)
		return rc;
	*ret = sdp;
	return 0;
}
