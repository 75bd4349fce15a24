/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines and as what scripts expect. */
#include "ue/event.h"

#include "check.h"

struct stage {
	struct ue_events events;
	char *text;
	size_t len;
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	ue_events_init(&s->events);
	s->events.to = open_memstream(&s->text, &s->len);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	(void)fclose(s->events.to);
	free(s->text);
	ue_events_done(&s->events);
	free(s);
	return 0;
}

static bool take(struct stage *s, const char *name, const char *field)
{
	const char *const want[] = { name, field };

	return ue_events_take(&s->events, want, field ? 2 : 1);
}

static void as_lines(void **state)
{
	struct stage *s = *state;

	UE_TELL(&s->events, "chat.text", { "from", base_str_of("sip:a@b") },
	        { "text", base_str_of("two \"words\"\n\x01") }, { "none", base_str_of(NULL) },
	        { "empty", base_str_of("") }, { "quote", base_str_of("'") });
	assert_string_equal(s->text,
	                    "chat.text from=sip:a@b text=\"two \\\"words\\\"\\n?\" empty=\"\" "
	                    "quote=\"'\"\n");
}

static void as_json(void **state)
{
	struct stage *s = *state;

	s->events.json = true;
	s->events.name = "alice";
	UE_TELL(&s->events, "chat.text", { "text", base_str_of("\"\n\xff") });
	assert_non_null(
	        strstr(s->text, "\"ue\":\"alice\",\"event\":\"chat.text\",\"text\":\"220aff\"}\n"));
	UE_TELL(&s->events, "chat.text", { "text", base_str_of("\"\n") });
	assert_non_null(strstr(s->text, "\"text\":\"\\\"\\n\"}\n"));
}

/** What a peer has said moves no cursor: no C1 controls (ESC [ in one), nothing that is no UTF-8.
 */
static void as_no_escapes(void **state)
{
	struct stage *s = *state;

	UE_TELL(&s->events, "x",
	        { "csi", base_str_of("\xc2\x9b"
	                             "2J") },
	        { "raw", base_str_of("\x9b"
	                             "2J") },
	        { "cut", base_str_of("a\xe2\x82") }, { "long", base_str_of("\xc0\x9b") },
	        { "fine", base_str_of("\xc3\xa9\xe2\x82\xac") },
	        { "far", base_str_of("\xf0\x9f\x98\x80\xf4\x90\x80\x80") });
	assert_string_equal(s->text, "x csi=??2J raw=?2J cut=a?? long=?? fine=\xc3\xa9\xe2\x82\xac "
	                             "far=\xf0\x9f\x98\x80????\n");
	s->events.json = true;
	UE_TELL(&s->events, "x", { "csi", base_str_of("\xc2\x9b\x7f") });
	assert_null(strchr(s->text, '\x9b'));
	assert_non_null(strstr(s->text, "\\u009B"));
}

/** A peer that sends much is not kept for ever. */
static void bounded_octets(void **state)
{
	struct stage *s = *state;
	char *big = calloc(1, 1 << 20);
	FILE *to = s->events.to;

	assert_non_null(big);
	s->events.to = NULL;
	for (unsigned i = 0; i < 40; i++)
		UE_TELL(&s->events, "x", { "text", { big, 1 << 20 } });
	assert_true(s->events.count && s->events.count < 32);
	assert_true(take(s, "x", NULL));
	while (take(s, "x", NULL))
		;
	assert_int_equal(s->events.octets, 0);
	s->events.to = to;
	free(big);
}

static void expected(void **state)
{
	struct stage *s = *state;

	UE_TELL(&s->events, "floor.request", { "request", base_str_of("7") },
	        { "status", base_str_of("Pending") });
	UE_TELL(&s->events, "floor.request", { "request", base_str_of("7") },
	        { "status", base_str_of("Granted") });
	assert_false(take(s, "floor.requests", NULL));
	assert_false(take(s, "floor.request", "status=Denied"));
	assert_false(take(s, "floor.request", "statu=Granted"));
	assert_true(take(s, "floor.*", "status=G*"));
	assert_string_equal(ue_events_value(&s->events, "status"), "Granted");
	assert_true(take(s, "floor.request", "request=7")); /* the other one */
	assert_string_equal(ue_events_value(&s->events, "status"), "Pending");
	assert_false(take(s, "*", NULL));
	assert_null(ue_events_value(&s->events, "nothing"));
	assert_int_equal(ue_events_set(&s->events, "nothing", BASE_STR("x")), 0);
	assert_string_equal(ue_events_value(&s->events, "nothing"), "x");
}

/** Nobody looks: the oldest are forgotten, the newest are there. */
static void bounded(void **state)
{
	struct stage *s = *state;
	struct ue_number n;

	for (unsigned i = 0; i < UE_EVENTS_MAX + 10; i++)
		UE_TELL(&s->events, "x", { "n", ue_number(&n, i) });
	assert_int_equal(s->events.count, UE_EVENTS_MAX);
	assert_false(take(s, "x", "n=9"));
	assert_true(take(s, "x", "n=10"));
	assert_true(take(s, "x", "n=4105"));
}

static void readable(void **state)
{
	static const char *const good[] = { "a", "b=*", "c=" }, *const bad[] = { "a", "b" },
	                         *const empty[] = { "a", "=b" };

	(void)state;
	assert_true(ue_events_readable(good, 3));
	assert_false(ue_events_readable(bad, 2));
	assert_false(ue_events_readable(empty, 2));
	assert_false(ue_events_readable(good, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_no_escapes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounded_octets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
		cmocka_unit_test(readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
