/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

/* Behind the `{` of Local or Remote: to the brace that ends the octet string (trap 7.4). */
static const char *octets_end(const char *at, const char *end)
{
	const char *from = at;

	while ((at = memchr(at, '}', (size_t)(end - at)))) {
		if (at == from || at[-1] != '\\')
			return at;
		at++;
	}
	return end;
}

static const char *comment_end(const char *at, const char *end)
{
	while (at < end && *at != '\n' && *at != '\r')
		at++;
	return at;
}

/*
 * Is the word at `at` Local or Remote in a place where descriptors stand, and a brace behind it?
 * Then its content has no structure. `before` is the last character that was not LWSP.
 */
static const char *octets_open(struct text_parser *p, struct base_str word, char before)
{
	enum h248_token token;
	const char *at = word.ptr + word.len;

	if (before != '{' && before != ',')
		return NULL;
	token = text_token(p, word);
	if (token != TOK_LOCAL && token != TOK_REMOTE)
		return NULL;
	while (at < p->end && text_is(*at, CH_BLANK)) {
		if (*at == ';')
			at = comment_end(at, p->end);
		else
			at++;
	}
	return at < p->end && *at == '{' ? at + 1 : NULL;
}

bool text_resync(struct text_parser *p, const char *from, bool braced)
{
	const char *at = from, *end = p->end;
	unsigned depth = 0;
	char before = ',';

	while (at < end) {
		char c = *at;

		if (text_is(c, CH_SAFE)) {
			const char *word = at, *inside;

			while (at < end && text_is(*at, CH_SAFE))
				at++;
			inside = octets_open(p, (struct base_str){ word, (size_t)(at - word) },
			                     before);
			if (inside) {
				depth++;
				at = octets_end(inside, end);
			}
			before = 'w';
			continue;
		}
		if (text_is(c, CH_BLANK)) {
			at = c == ';' ? comment_end(at, end) : at + 1;
			continue;
		}
		if (c == '"') {
			at = memchr(at + 1, '"', (size_t)(end - at - 1));
			at = at ? at + 1 : end;
			before = c;
			continue;
		}
		p->at = at;
		if (!braced && depth == 0 && (c == ',' || c == '}'))
			return true;
		at++;
		if (c == '{') {
			depth++;
		} else if (c == '}') {
			if (depth == 0) /* one too many: leave it to the level above */
				return false;
			if (--depth == 0 && braced) {
				p->at = at;
				return true;
			}
		}
		before = c;
	}
	return false;
}
