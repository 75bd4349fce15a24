/* SPDX-License-Identifier: Apache-2.0 */
/* message/cpim: RFC 3862, 2 (structure), 2.2 (lines), 3.6 (syntax), 4.1 and 4.2 (From, To). */
#include "msrp/cpim.h"

#include "msrp/lex.h"

#define BAD  BASE_ERR(BASE_PEER, 400)
#define MORE BASE_ERR(BASE_AGAIN, 0)

/** A Formal-name holds no brackets outside quotes: whoever reads the first pair, and whoever reads
 * the last, shall see the same URI. */
static bool is_name(struct base_str s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"')
			quoted = !quoted;
		else if (s.ptr[i] == '\\')
			i++;
		else if (!quoted && (s.ptr[i] == '<' || s.ptr[i] == '>'))
			return false;
	}
	return !quoted;
}

/** [Formal-name] "<" URI ">": what stands between the last pair of brackets. */
static bool read_uri(struct base_str value, struct base_str *first, size_t *count)
{
	const char *open = memrchr(value.ptr, '<', value.len), *close;

	close = open ? memchr(open, '>', (size_t)(value.ptr + value.len - open)) : NULL;
	if (!close || close != value.ptr + value.len - 1 || close == open + 1 ||
	    !is_name((struct base_str){ value.ptr, (size_t)(open - value.ptr) }))
		return false;
	if (!(*count)++)
		*first = (struct base_str){ open + 1, (size_t)(close - open) - 1 };
	return true;
}

/** A header line. Names of CPIM's own are compared with case (2.2), those of MIME without. */
static bool read_line(struct base_str line, struct msrp_cpim *cpim)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	struct base_str name, value;

	if (!colon || colon == line.ptr || !msrp_is_text(line))
		return false;
	name = (struct base_str){ line.ptr, (size_t)(colon - line.ptr) };
	value = base_str_trim((struct base_str){ colon + 1, line.len - name.len - 1 });
	if (base_str_eq(name, BASE_STR("From")))
		return read_uri(value, &cpim->from, &cpim->froms);
	if (base_str_eq(name, BASE_STR("To")))
		return read_uri(value, &cpim->to, &cpim->tos);
	if (base_str_eq(name, BASE_STR("DateTime")))
		cpim->date_time = value;
	else if (base_str_ieq(name, BASE_STR("Content-Type")))
		cpim->content_type = value;
	return true;
}

int msrp_cpim_parse(struct base_str text, struct msrp_cpim *ret)
{
	struct msrp_cpim cpim = { 0 };
	const char *at = text.ptr, *end = text.ptr + text.len, *lf;
	struct base_str line;
	int blocks = 0;

	while (at < end && (lf = memchr(at, '\n', (size_t)(end - at)))) {
		line = (struct base_str){ at, (size_t)(lf - at) };
		if (!line.len || line.ptr[line.len - 1] != '\r')
			return BAD;
		line.len--;
		at = lf + 1;
		if (line.len) {
			if (!read_line(line, &cpim))
				return BAD;
			continue;
		}
		if (++blocks == 2 || cpim.content_type.ptr) {
			cpim.len = (size_t)(at - text.ptr);
			*ret = cpim;
			return cpim.content_type.ptr ? 0 : BAD;
		}
	}
	return MORE;
}

void msrp_cpim_write(struct base_writer *w, const struct msrp_cpim *cpim)
{
	base_writer_printf(w, "From: <%.*s>\r\nTo: <%.*s>\r\n", BASE_FMT(cpim->from),
	                   BASE_FMT(cpim->to));
	if (cpim->date_time.len)
		base_writer_printf(w, "DateTime: %.*s\r\n", BASE_FMT(cpim->date_time));
	base_writer_printf(w, "\r\nContent-Type: %.*s\r\n\r\n", BASE_FMT(cpim->content_type));
}

static struct base_str split(struct base_str *s, char at)
{
	const char *found = memchr(s->ptr, at, s->len);
	struct base_str before = { s->ptr, found ? (size_t)(found - s->ptr) : 0 };

	if (found)
		*s = (struct base_str){ found + 1, s->len - before.len - 1 };
	return before;
}

static bool same_number(struct base_str a, struct base_str b)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		while (i < a.len && a.ptr[i] && strchr("-.()", a.ptr[i]))
			i++;
		while (j < b.len && b.ptr[j] && strchr("-.()", b.ptr[j]))
			j++;
		if (i == a.len || j == b.len)
			return i == a.len && j == b.len;
		if (base_lower(a.ptr[i]) != base_lower(b.ptr[j]))
			return false;
	}
}

bool msrp_same_participant(struct base_str a, struct base_str b)
{
	struct base_str scheme, user;

	if (!a.len || !b.len)
		return false;
	scheme = split(&a, ':');
	if (!scheme.len || !base_str_ieq(scheme, split(&b, ':')))
		return false;
	if (base_str_ieq(scheme, BASE_STR("tel")))
		return same_number(a, b);
	user = split(&a, '@');
	return base_str_eq(user, split(&b, '@')) && base_str_ieq(a, b);
}
