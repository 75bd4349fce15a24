/* SPDX-License-Identifier: Apache-2.0 */
/* Where Erlang/OTP's megaco writes what the grammar has not, we read what it means (fact sheet, 8).
 */
#include "check.h"
#include "h248/h248.h"

/* What it writes, and the same by the grammar. */
static const char *const pairs[][2] = {
	{ "!/2 a T=1{C=1{CA{TP},PR=3,MF=b}}", "!/2 a T=1{C=1{PR=3,CA{TP},MF=b}}" },
	{ "MEGACO/2 a T=1{C=1{EmergencyOffToken,MF=b}}", "!/2 a T=1{C=1{EGO,MF=b}}" },
	{ "!/3 a T=1{C=1{TP{b,c,OW,7}}}", "!/3 a T=1{C=1{TP{b,c,OW,ST=7}}}" },
	{ "!/3 a T=1{C=1{TP{b,c,OW,7,d,e,IS}}}", "!/3 a T=1{C=1{TP{b,c,OW,ST=7,d,e,IS}}}" },
	{ "!/3 a T=1{C=1{TP{b,c,OW,7,d,e,IS,8}}}", "!/3 a T=1{C=1{TP{b,c,OW,ST=7,d,e,IS,ST=8}}}" },
	{ "!/3 a T=1{C=1{AV=b{AT{SG{cg/dt{5}}}}}}", "!/3 a T=1{C=1{AV=b{AT{SG{cg/dt{ST=5}}}}}}" },
	{ "!/3 a T=1{C=1{MF=b{E=1{al/on{EM{E=2{al/of{}}}}}}}}",
	  "!/3 a T=1{C=1{MF=b{E=1{al/on{EM{E=2{al/of}}}}}}}" },
	{ "!/3 a T=1{C=1{MF=b{E=1{dd/ce{DM{(1|2)}}}}}}",
	  "!/3 a T=1{C=1{MF=b{E=1{dd/ce{DM={(1|2)}}}}}}" },
	{ "!/1 a T=1{C=1{MF=b{SG}}}", "!/1 a T=1{C=1{MF=b{SG{}}}}" },
};

static struct h248_message *decode(struct base_arena *arena, const char *text)
{
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };

	if (h248_text_decode(arena, text, strlen(text), NULL, &msg, &err))
		fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.text);
	return msg;
}

static void what_it_writes_is_read(void **state)
{
	struct base_arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(pairs); i++) {
		if (!h248_message_equal(decode(&arena, pairs[i][0]), decode(&arena, pairs[i][1])))
			fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
	}
	base_arena_done(&arena);
}

/* A termination may be called 7 (trap 7.10), so a number is not always a stream. */
static void a_number_may_be_a_termination(void **state)
{
	struct base_arena arena = { 0 };
	const struct h248_topology *t;

	(void)state;
	t = decode(&arena, "!/3 a T=1{C=1{TP{b,c,OW,7,e,IS}}}")
	            ->transactions->actions->attr->topology;
	assert_false(t->has_stream);
	assert_true(base_str_eq(t->next->from.name, BASE_STR("7")));
	base_arena_done(&arena);
}

/* What is let pass has its bounds. */
static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"!/1 a T=1{C=1{CA{TP},PR=3}}",       "!/3 a T=1{C=1{CA{TP},PR=3}}",
		"!/3 a T=1{C=1{MF=b,CA{TP}}}",       "!/3 a T=1{C=1{TP{b,c,OW,7,d}}}",
		"!/3 a T=1{C=1{TP{b,c,OW,70000}}}",  "!/2 a T=1{C=1{TP{b,c,OW,7}}}",
		"!/1 a T=1{C=1{EmergencyOffToken}}", "!/3 a T=1{C=1{AV=b{AT{SG{cg/dt{5,6}}}}}}",
	};
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		if (!h248_text_decode(&arena, texts[i], strlen(texts[i]), NULL, &msg, NULL))
			fail_msg("taken: %s", texts[i]);
	}
	base_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_writes_is_read),
		cmocka_unit_test(a_number_may_be_a_termination),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
