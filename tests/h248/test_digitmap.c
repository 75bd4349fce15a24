/* SPDX-License-Identifier: Apache-2.0 */
/* Digit maps at work (RFC 3525, 7.1.14 and E.6.2). */
#include "check.h"

#include "h248/h248.h"

static struct base_arena arena;
static struct h248_digit_match m;

/* From text, as a controller sends it. */
static const struct h248_digit_program *compiled(const char *value)
{
	const struct h248_digit_program *program = NULL;
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	char text[600];
	const struct h248_descriptor *d;

	snprintf(text, sizeof(text), "!/2 m T=1{C=-{MF=ROOT{DM=d{%s}}}}", value);
	if (h248_text_decode(&arena, text, strlen(text), NULL, &msg, &err))
		fail_msg("%s: %s", value, err.text);
	d = msg->transactions->actions->commands->descriptors;
	if (h248_digit_compile(&arena, (const struct h248_digit_map *)d, &program, &err))
		fail_msg("%s: %s", value, err.text);
	return program;
}

static void start(const char *value)
{
	base_arena_reset(&arena);
	h248_digit_start(&m, compiled(value));
}

/* Dial: capital letters and digits; `_` before one makes it long. */
static enum h248_digit_method dial(const char *events)
{
	enum h248_digit_method method = H248_DIGIT_GOING_ON;

	for (; *events; events++) {
		bool lasted = *events == '_';

		events += lasted;
		method = h248_digit_event(&m, *events, lasted);
	}
	return method;
}

#define PLAN "(0| 00|[1-7]xxx|8xxxxxxx|Fxxxxxxx|Exx|91xxxxxxxxxx|9011x.)"

static void complete(const char *map, const char *events, const char *method, const char *digits)
{
	const char *name;

	start(map);
	name = h248_digit_method_name(dial(events));
	if (!name || strcmp(name, method) != 0 || strcmp(m.digits, digits) != 0)
		fail_msg("%s: %s gave %s \"%s\", not %s \"%s\"", map, events, name ? name : "-",
		         m.digits, method, digits);
}

static void expires(const char *map, const char *events, char timer, const char *method)
{
	start(map);
	assert_int_equal(dial(events), H248_DIGIT_GOING_ON);
	if (m.timer != timer)
		fail_msg("%s: after %s timer %c, not %c", map, events, m.timer ? m.timer : '-',
		         timer);
	assert_string_equal(h248_digit_method_name(h248_digit_expire(&m)), method);
	assert_string_equal(m.digits, events);
}

static void the_dial_plan_of_the_standard(void **state)
{
	(void)state;
	complete(PLAN, "00", "UM", "00");
	complete(PLAN, "7123", "UM", "7123");
	complete(PLAN, "81234567", "UM", "81234567");
	complete(PLAN, "F1234567", "UM", "F1234567");
	complete(PLAN, "E12", "UM", "E12");
	complete(PLAN, "911234567890", "UM", "911234567890");
	expires(PLAN, "0", 'S', "FM");         /* 00 could follow */
	expires(PLAN, "712", 'L', "PM");       /* one more digit is needed */
	expires(PLAN, "9011", 'S', "FM");      /* x. is also none */
	expires(PLAN, "901112345", 'S', "FM"); /* and any number */
	expires(PLAN, "", 'T', "PM");
}

static void what_fits_nothing_is_given_back(void **state)
{
	(void)state;
	complete(PLAN, "05", "FM", "0");
	assert_true(m.returned);
	complete(PLAN, "7E", "PM", "7");
	assert_true(m.returned);
	complete(PLAN, "A", "PM", "");
	complete(PLAN, "9011123F", "FM", "9011123");
	complete(PLAN, "00", "UM", "00");
	assert_false(m.returned);
	/* After completion nothing happens any more. */
	assert_int_equal(dial("123"), H248_DIGIT_UNAMBIGUOUS);
	assert_string_equal(m.digits, "00");
	assert_int_equal(h248_digit_expire(&m), H248_DIGIT_UNAMBIGUOUS);
}

static void one_alternative_with_a_dot_waits(void **state)
{
	(void)state;
	expires("x.", "", 'T', "FM");
	expires("x.", "123", 'S', "FM");
	complete("(1.2)", "1112", "UM", "1112");
	complete("(1.2)", "2", "UM", "2");
	expires("([1-3].[3-5].)", "1345", 'S', "FM");
	complete("([1-3].[3-5].)", "13451", "FM", "1345");
	complete("(12|12)", "12", "UM", "12"); /* twice the same is not ambiguous */
}

static void explicit_timing_wins(void **state)
{
	(void)state;
	expires("(0L|00)", "0", 'L', "FM");
	expires("(0S12)", "0", 'S', "PM");
	expires("(0S1|0L2)", "0", 'L', "PM");  /* at odds: the long one */
	expires("(0S1|0T2)", "0", 'L', "PM");  /* and where neither says so */
	expires("(0S1|012)", "0", 'S', "PM");  /* only one says */
	expires("(0S1|023)", "02", 'L', "PM"); /* it has been dropped: by the rules again */
	expires("(0S12)", "01", 'S', "PM");    /* for all that follow */
	expires("(S01)", "", 'S', "PM");
	expires("(0T1)", "0", 'T', "PM");
}

static void timers_have_values(void **state)
{
	(void)state;
	start("T:9, S:2, L:30, Z:15, (0|00|12)");
	assert_int_equal(m.timer_ms, 9000);
	assert_int_equal(dial("0"), H248_DIGIT_GOING_ON);
	assert_int_equal(m.timer_ms, 2000);
	start("T:9, S:2, L:30, (0|00|12)");
	assert_int_equal(dial("1"), H248_DIGIT_GOING_ON);
	assert_int_equal(m.timer_ms, 30000);
	start("T:0, (0|1)");
	assert_int_equal(m.timer, 0); /* wait for ever */
	start("Z:15, (Z0)");
	assert_int_equal(h248_digit_long_ms(m.program), 1500);
	start("(0|00)");
	assert_int_equal(m.timer_ms, H248_DIGIT_START_MS);
	assert_int_equal(h248_digit_long_ms(m.program), H248_DIGIT_Z_MS);
}

static void long_events(void **state)
{
	(void)state;
	complete("(Z1|12)", "_1", "UM", "Z1");
	complete("(Z1|12)", "12", "UM", "12");
	/* A long one that nobody asked to be long is an ordinary one. */
	complete("(Z1|22)", "_22", "UM", "22");
	/* One that had to be long and was not is no candidate any more. */
	complete("(Z1)", "1", "PM", "");
	/* The long one discards the others (rule 4). */
	complete("(Z12|134)", "_13", "PM", "Z1");
	complete("(8xZ1)", "84_1", "UM", "84Z1");
	complete("(Z[12]3)", "_23", "UM", "Z23");
}

static void letters_in_either_case(void **state)
{
	(void)state;
	complete("(aBx)", "Ab7", "UM", "AB7");
	complete("([1aD])", "d", "UM", "D");
}

static void symbols_of_dd(void **state)
{
	(void)state;
	assert_int_equal(h248_digit_of_dd(BASE_STR("d7")), '7');
	assert_int_equal(h248_digit_of_dd(BASE_STR("DS")), 'E');
	assert_int_equal(h248_digit_of_dd(BASE_STR("do")), 'F');
	assert_int_equal(h248_digit_of_dd(BASE_STR("dd")), 'D');
	assert_int_equal(h248_digit_of_dd(BASE_STR("ce")), 0);
	assert_int_equal(h248_digit_of_dd(BASE_STR("de")), 0);
	assert_int_equal(h248_digit_of_dd(BASE_STR("")), 0);
}

/* Text that no codec has looked at. */
static void what_is_no_map_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",      "(",     ")",    "()",    "(1",   "1|2", "(1||2)", "(|1)", "(1|)", ".",
		"(.1)",  "1..",   "Z",    "(Z|1)", "1ZZ2", "ZS1", "[",      "[]",   "[1",   "[1-]",
		"[2-1]", "[A-D]", "[xZ]", "L",     "m",    "1 2", "(S)",    "*",    "#",    "[1-A]",
	};
	struct h248_digit_map map = { 0 };
	const struct h248_digit_program *program;
	static char large[3000];
	struct base_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		map.body = base_str_of(wrong[i]);
		if (h248_digit_compile(&arena, &map, &program, &err) !=
		    BASE_ERR(BASE_PEER, H248_E_VALUE))
			fail_msg("\"%s\" was taken", wrong[i]);
	}
	memset(large, '1', sizeof(large));
	map.body = (struct base_str){ large, sizeof(large) };
	assert_int_equal(h248_digit_compile(&arena, &map, &program, &err),
	                 BASE_ERR(BASE_LOCAL, H248_E_RESOURCES));
}

static void a_dial_string_has_an_end(void **state)
{
	(void)state;
	start("x.");
	for (unsigned i = 0; i < 200 && !m.method; i++)
		(void)h248_digit_event(&m, '1', false);
	assert_string_equal(h248_digit_method_name((enum h248_digit_method)m.method), "FM");
	assert_int_equal(strlen(m.digits), m.len);
}

static int done(void **state)
{
	(void)state;
	base_arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dial_plan_of_the_standard),
		cmocka_unit_test(what_fits_nothing_is_given_back),
		cmocka_unit_test(one_alternative_with_a_dot_waits),
		cmocka_unit_test(explicit_timing_wins),
		cmocka_unit_test(timers_have_values),
		cmocka_unit_test(long_events),
		cmocka_unit_test(letters_in_either_case),
		cmocka_unit_test(symbols_of_dd),
		cmocka_unit_test(what_is_no_map_is_refused),
		cmocka_unit_test(a_dial_string_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
