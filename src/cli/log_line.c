/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/log_line.h"

#include <stddef.h>

static const struct {
	const char *key;
	size_t at;
} keys[] = {
	{ "text", offsetof(struct log_line, words) },
	{ "peer", offsetof(struct log_line, peer) },
	{ "side", offsetof(struct log_line, side) },
	{ "domain", offsetof(struct log_line, domain) },
	{ "version", offsetof(struct log_line, version) },
	{ "suite", offsetof(struct log_line, suite) },
	{ "cause", offsetof(struct log_line, cause) },
	{ "auth", offsetof(struct log_line, auth) },
	{ "depth", offsetof(struct log_line, depth) },
	{ "alert", offsetof(struct log_line, alert) },
	{ "subject", offsetof(struct log_line, subject) },
	{ "rules", offsetof(struct log_line, rules) },
	{ "serial", offsetof(struct log_line, serial) },
	{ "culprit", offsetof(struct log_line, culprit) },
	{ "issuer", offsetof(struct log_line, issuer) },
	{ "crl", offsetof(struct log_line, crl) },
};

static struct base_str from(struct base_str s, size_t at)
{
	return (struct base_str){ s.ptr + at, s.len - at };
}

static bool begins(struct base_str s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && !memcmp(s.ptr, word, len);
}

/** Step past `word` where it comes next. */
static bool take(struct base_str *s, const char *word)
{
	if (!begins(*s, word))
		return false;
	*s = from(*s, strlen(word));
	return true;
}

static size_t up_to(struct base_str s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

/* A name in quotes ends at the first one that no backslash takes away. */
static struct base_str quoted_take(struct base_str *s)
{
	struct base_str value = from(*s, 1);
	size_t len = 0;

	while (len < value.len && value.ptr[len] != '"')
		len += value.ptr[len] == '\\' && len + 1 < value.len ? 2 : 1;
	value.len = BASE_MIN(len, value.len);
	*s = from(*s, 1 + value.len);
	(void)take(s, "\""); /* absent where the line was cut */
	return value;
}

/* One key=value, or a remark in brackets. false: the words begin, or nothing more is understood. */
static bool field_take(struct base_str *s, struct log_line *line)
{
	size_t is = up_to(*s, '='), blank = up_to(*s, ' ');
	struct base_str key = { s->ptr, is }, value;

	if (take(s, "(from peer)"))
		return line->from_peer = true;
	if (take(s, "(tolerated)"))
		return line->tolerated = true;
	if (is >= blank || is == s->len)
		return false;
	*s = from(*s, is + 1);
	if (begins(*s, "\"")) {
		value = quoted_take(s);
	} else {
		value = (struct base_str){ s->ptr, up_to(*s, ' ') };
		/* the colon before the words stands at a value's end; one within a value does not
		 */
		if (value.len && value.len < s->len && value.ptr[value.len - 1] == ':')
			value.len--;
		*s = from(*s, value.len);
	}
	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		if (base_str_eq(key, base_str_of(keys[i].key)))
			memcpy((char *)line + keys[i].at, &value, sizeof(value));
	return true;
}

static void fields_take(struct base_str s, struct log_line *line)
{
	while (s.len) {
		if (take(&s, ": ")) {
			line->words = s;
			return;
		}
		if (take(&s, " "))
			continue;
		if (!field_take(&s, line))
			return;
	}
}

/* `side` is the alert's here; the role is not told. */
static bool down_read(struct base_str rest, struct log_line *l, struct log_line *ret)
{
	fields_take(rest, l);
	l->from_peer = base_str_eq(l->side, base_str_of("remote"));
	l->side = (struct base_str){ "", 0 };
	l->down = l->failed = l->from_peer && base_str_eq(l->cause, base_str_of("peer-alert")) &&
	                      !base_str_eq(l->alert, base_str_of("0"));
	*ret = *l;
	return l->domain.len != 0;
}

bool log_line_read(struct base_str line, struct log_line *ret)
{
	struct log_line l = { .failed = false };

	l.time = (struct base_str){ line.ptr, up_to(line, ' ') };
	for (size_t i = 0; i + 4 <= line.len; i++) {
		struct base_str rest = from(line, i);

		/* "relay: tls failed", "link: tls failed": never within a name, which is quoted */
		if (take(&rest, ": tls-down "))
			return down_read(rest, &l, ret);
		if (!take(&rest, ": tls "))
			continue;
		if (take(&rest, "failed "))
			l.failed = true;
		else if (take(&rest, "renegotiation failed "))
			l.failed = l.renegotiation = true;
		else if (!take(&rest, "up ") && !take(&rest, "renegotiated "))
			return false;
		fields_take(rest, &l);
		*ret = l;
		return l.peer.len != 0;
	}
	return false;
}
