/* SPDX-License-Identifier: Apache-2.0 */
/* Names looked up by a thread. Only names that need no server: this machine's own and numbers. */
#include "check.h"

#include "h248/h248.h"

struct seen {
	struct loop *loop;
	uint32_t lookup;
	unsigned calls;
	bool found;
	struct h248_addr addr;
};

static void on_resolved(void *arg, uint32_t lookup, const struct h248_addr *found)
{
	struct seen *s = arg;

	s->lookup = lookup;
	s->calls++;
	s->found = found != NULL;
	if (found)
		s->addr = *found;
	loop_stop(s->loop);
}

static void names_have_addresses(void **state)
{
	static const struct {
		const char *name;
		unsigned family;
		bool found;
	} rows[] = {
		{ "localhost", 4, true },     { "127.0.0.9", 0, true }, { "::1", 0, true },
		{ "127.0.0.9", 6, false },    { "::1", 4, false },      { "", 0, false },
		{ "no such name", 0, false },
	};
	struct h248_resolver *r;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(loop_new(&seen.loop), 0);
	assert_int_equal(h248_resolver_new(&r, seen.loop, on_resolved, &seen), 0);
	for (unsigned i = 0; i < BASE_COUNT(rows); i++) {
		h248_resolver_ask(r, i, rows[i].name, rows[i].family);
		assert_int_equal(seen.calls, i); /* never inside */
		assert_int_equal(loop_run(seen.loop), 0);
		assert_int_equal(seen.calls, i + 1);
		assert_int_equal(seen.lookup, i);
		assert_int_equal(seen.found, rows[i].found);
		if (rows[i].family && rows[i].found)
			assert_int_equal(seen.addr.family, rows[i].family);
	}
	h248_resolver_free(r);
	loop_free(seen.loop);
}

static void only_the_last_question_is_answered(void **state)
{
	struct h248_resolver *r;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(loop_new(&seen.loop), 0);
	assert_int_equal(h248_resolver_new(&r, seen.loop, on_resolved, &seen), 0);
	for (uint32_t i = 0; i < 20; i++)
		h248_resolver_ask(r, i, "127.0.0.1", 4);
	assert_int_equal(loop_run(seen.loop), 0);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.lookup, 19);
	h248_resolver_ask(r, 20, "127.0.0.1", 4);
	h248_resolver_free(r); /* with one under way */
	while (loop_run_once(seen.loop, 10) == 0 && seen.calls > 1)
		continue;
	assert_int_equal(seen.calls, 1);
	loop_free(seen.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_addresses),
		cmocka_unit_test(only_the_last_question_is_answered),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
