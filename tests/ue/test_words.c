/* SPDX-License-Identifier: Apache-2.0 */
/* Lines into words, and what fits a pattern. */
#include "ue/words.h"

#include "check.h"

static const char *lookup(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "request") == 0 ? "17"
	       : strcmp(name, "blank") == 0 ? "a b"
	       : strcmp(name, "text") == 0  ? "to=sip:eve@x"
	                                    : NULL;
}

struct line {
	struct base_arena arena;
	struct ue_words words;
	struct base_error err;
	int rc;
};

static struct line split(const char *text)
{
	struct line l = { 0 };

	l.rc = ue_words_split(&l.arena, base_str_of(text), lookup, NULL, &l.words, &l.err);
	return l;
}

static void check(const char *text, size_t count, const char *const *word)
{
	struct line l = split(text);

	assert_int_equal(l.rc, 0);
	assert_int_equal(l.words.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(l.words.word[i], word[i]);
	base_arena_done(&l.arena);
}

#define CHECK(text, ...)                                                                           \
	check(text, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                      \
	      (const char *[]){ __VA_ARGS__ })

static void lines(void **state)
{
	(void)state;
	CHECK("say hello", "say", "hello");
	CHECK("  say\t\"two words\"  # a remark", "say", "two words");
	CHECK("say \"a\\n\\\"b\\\"\\\\\" 'c\\n'", "say", "a\n\"b\"\\", "c\\n");
	CHECK("say a\"b c\"d \"\"", "say", "ab cd", "");
	CHECK("say a#b", "say", "a#b");
	CHECK("floor release $request", "floor", "release", "17");
	CHECK("expect x request=$request y=$blank", "expect", "x", "request=17", "y=a b");
	CHECK("say '$request' \"$request\" $ cost=$", "say", "$request", "$request", "$", "cost=$");
	check("   # nothing", 0, NULL);
	check("", 0, NULL);
}

static void refused(void **state)
{
	static const char *const bad[] = { "say \"open", "say 'open", "say $nobody", "x y=$nobody",
		                           "say \"a\\" };
	char many[2 * UE_WORDS_MAX + 3];
	struct line l;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		l = split(bad[i]);
		assert_int_equal(base_err_class(l.rc), BASE_CONFIG);
		assert_true(l.err.text[0]);
		base_arena_done(&l.arena);
	}
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 ? ' ' : 'x';
	many[sizeof(many) - 1] = '\0';
	l = split(many);
	assert_int_equal(base_err_class(l.rc), BASE_CONFIG);
	base_arena_done(&l.arena);
}

static void keys(void **state)
{
	struct line l = split("send file to=sip:bob@x total=1 on=a");

	(void)state;
	assert_string_equal(ue_words_take(&l.words, "to"), "sip:bob@x");
	assert_null(ue_words_take(&l.words, "to"));
	assert_string_equal(ue_words_take(&l.words, "on"), "a");
	assert_null(ue_words_take(&l.words, "send"));
	assert_int_equal(l.words.count, 3);
	assert_string_equal(l.words.word[2], "total=1");
	base_arena_done(&l.arena);
}

/** What somebody has said, and what is quoted, chooses nothing. */
static void no_keys(void **state)
{
	struct line l = split("say on=a \"to=sip:eve@x\" 'to=b' $text to=$request more");

	(void)state;
	assert_string_equal(ue_words_take(&l.words, "on"), "a");
	assert_string_equal(ue_words_take(&l.words, "to"), "17");
	assert_null(ue_words_take(&l.words, "to"));
	assert_int_equal(l.words.count, 5);
	assert_string_equal(l.words.word[3], "to=sip:eve@x");
	base_arena_done(&l.arena);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "a*", "abc", true },
		{ "*c", "abc", true },
		{ "a*c", "ac", true },
		{ "a*b*c", "a-b-b-c", true },
		{ "a*b", "abc", false },
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "**x", "yx", true },
		{ "*.c", "a.c.c", true },
		{ "A", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		assert_int_equal(ue_glob(rows[i].pattern, base_str_of(rows[i].text)), rows[i].fits);
}

/** A word that a peer has said makes no header of its own. */
static void uris(void **state)
{
	static const char *const none[] = { "",
		                            "bob",
		                            "http://x.example/",
		                            "sip:",
		                            "sip:bob@x\r\nRoute: <sip:eve@x>",
		                            "sip:bob@x>\nX: <sip:eve@x",
		                            "sip:bob@x>;tag=1",
		                            "<sip:bob@x>",
		                            "sip:bob@x SIP/2.0",
		                            "tel:+1\r\nX: 1" };
	static const char *const some[] = { "sip:bob@home.example", "sips:x.example:5061;lr",
		                            "sip:bob@[::1]:5060;transport=tcp", "tel:+15551234" };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(none); i++)
		assert_false(ue_words_uri(none[i]));
	for (size_t i = 0; i < BASE_COUNT(some); i++)
		assert_true(ue_words_uri(some[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),   cmocka_unit_test(refused),  cmocka_unit_test(keys),
		cmocka_unit_test(no_keys), cmocka_unit_test(patterns), cmocka_unit_test(uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
