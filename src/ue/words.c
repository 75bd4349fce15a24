/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/words.h"

#include <stdio.h>

#include "sip/sip.h"

/** One word while it is read. */
struct reading {
	struct base_arena *arena;
	const char *at, *end;
	struct base_writer text;
	bool quoted;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char escaped(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/** Behind an opening quote. @return false when it is not closed */
static bool read_quoted(struct reading *r, char quote)
{
	r->quoted = true;
	while (r->at < r->end && *r->at != quote) {
		char c = *r->at++;

		if (c == '\\' && quote == '"' && r->at < r->end)
			c = escaped(*r->at++);
		base_writer_u8(&r->text, (uint8_t)c);
	}
	return r->at < r->end && *r->at++ == quote;
}

static bool read_word(struct reading *r)
{
	base_writer_reset(&r->text);
	r->quoted = false;
	while (r->at < r->end && !is_blank(*r->at)) {
		char c = *r->at++;

		if (c != '"' && c != '\'')
			base_writer_u8(&r->text, (uint8_t)c);
		else if (!read_quoted(r, c))
			return false;
	}
	return true;
}

/** `$name` and `key=$name` as what they stand for. @return NULL: memory, or nobody knows it */
static const char *replace(struct reading *r, const char *word, ue_lookup_fn *lookup, void *arg,
                           struct base_error *err)
{
	const char *equals = strchr(word, '='), *name = word[0] == '$' ? word : NULL, *value;

	if (equals && equals[1] == '$')
		name = equals + 1;
	if (!lookup || r->quoted || !name || !name[1])
		return word;
	value = lookup(arg, name + 1);
	if (!value) {
		(void)base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                     "nothing is called '%s' yet; use 'set %s VALUE', or a field "
		                     "of the event that was expected last",
		                     name, name + 1);
		return NULL;
	}
	return base_arena_printf(r->arena, "%.*s%s", (int)(name - word), word, value);
}

static int split_all(struct reading *r, ue_lookup_fn *lookup, void *arg, struct ue_words *ret,
                     struct base_error *err)
{
	const char *word;
	char begin;

	for (;;) {
		while (r->at < r->end && is_blank(*r->at))
			r->at++;
		if (r->at == r->end || *r->at == '#')
			return 0;
		begin = *r->at;
		if (ret->count == UE_WORDS_MAX)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "more than %d words in a line", UE_WORDS_MAX);
		if (!read_word(r))
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "a quote is not closed");
		word = base_arena_dup(r->arena, base_writer_view(&r->text));
		if (!word || r->text.failed)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
		word = replace(r, word, lookup, arg, err);
		if (!word)
			return BASE_ERR(BASE_CONFIG, 0);
		/* what a peer has said is no option of ours */
		ret->text[ret->count] = strchr("\"'", begin) || (!r->quoted && begin == '$');
		ret->word[ret->count++] = word;
	}
}

int ue_words_split(struct base_arena *arena, struct base_str line, ue_lookup_fn *lookup, void *arg,
                   struct ue_words *ret, struct base_error *err)
{
	struct reading r = { .arena = arena, .at = line.ptr, .end = line.ptr + line.len };
	int rc;

	*ret = (struct ue_words){ 0 };
	rc = split_all(&r, lookup, arg, ret, err);
	base_writer_done(&r.text);
	return rc;
}

const char *ue_words_take(struct ue_words *words, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 1; i < words->count; i++) {
		const char *word = words->word[i];

		if (words->text[i] || strncmp(word, key, len) != 0 || word[len] != '=')
			continue;
		memmove(&words->word[i], &words->word[i + 1],
		        (words->count - i - 1) * sizeof(words->word[0]));
		memmove(&words->text[i], &words->text[i + 1],
		        (words->count - i - 1) * sizeof(words->text[0]));
		words->count--;
		return word + len + 1;
	}
	return NULL;
}

bool ue_words_uri(const char *text)
{
	struct sip_uri uri;

	return !sip_uri_parse(base_str_of(text), &uri) && uri.scheme != SIP_SCHEME_OTHER;
}

bool ue_glob(const char *pattern, struct base_str text)
{
	const char *star = NULL;
	size_t at = 0, back = 0;

	while (at < text.len) {
		if (*pattern == '*') {
			star = pattern++;
			back = at;
		} else if (*pattern == text.ptr[at]) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star + 1;
			at = ++back;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

int ue_numbers(const char *text, uint16_t *out, size_t cap, size_t *ret_count)
{
	struct base_str all = base_str_of(text);
	size_t count = 0;
	uint64_t value;

	while (all.len) {
		const char *comma = memchr(all.ptr, ',', all.len);
		struct base_str one = { all.ptr, comma ? (size_t)(comma - all.ptr) : all.len };

		if (count == cap || base_str_u64(one, UINT16_MAX, &value) != 0)
			return BASE_ERR(BASE_CONFIG, 0);
		out[count++] = (uint16_t)value;
		all = (struct base_str){ one.ptr + one.len + (comma ? 1 : 0),
			                 all.len - one.len - (comma ? 1 : 0) };
	}
	*ret_count = count;
	return count ? 0 : BASE_ERR(BASE_CONFIG, 0);
}
