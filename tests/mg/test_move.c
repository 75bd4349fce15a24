/* SPDX-License-Identifier: Apache-2.0 */
/* Move between contexts that both have bearers (RFC 3525, 7.2.4), on two workers. */
#include "scene.h"

#define TCP_STREAM(id) "M{ST=" id "{O{MO=SR}," TCP_ANY "}}"
#define TLS_STREAM(id) "M{ST=" id "{O{MO=SR}," TLS_ANY "}}"

static void session_begins(size_t endpoint)
{
	stage_event(&st, endpoint, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, endpoint, RELAY_TLS_UP, RELAY_CAUSE_NONE);
}

static void the_termination_goes_to_the_context(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TCP_STREAM("1") "},A=${" TLS_STREAM("1") "}}");
	accepted("C=${A=${" TCP_STREAM("1") "}}");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_forget(&st);
	/* A command that fails leaves everything where it is. */
	refused("C=2{MV=ip/1/1{M{ST=1{O{MO=LB}}}}}", 517, "");
	ordered("");
	says("C=2{MV=ip/1/1}", "C=2{MV=ip/1/1}");
	ordered("unlink 0 move 0 link 2 0");
	/* One with TLS goes too, as long as no session has begun. */
	accepted("C=2{S=ip/1/3}");
	stage_forget(&st);
	says("C=2{MV=ip/1/2}", "C=2{MV=ip/1/2}");
	ordered("move 1 link 0 1");
	refused("C=1{AV=*{AT{}}}", 411, "");
	scene_end();
}

static void the_context_comes_to_a_session(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TLS_STREAM("1") "}}");
	accepted("C=${A=${" TCP_STREAM("1") "},A=${" TCP_STREAM("2") "},A=${" TCP_STREAM("2") "}}");
	session_begins(0);
	stage_forget(&st);
	says("C=2{MV=ip/1/1}", "C=2{MV=ip/1/1}");
	/* All of it, and what was linked is linked again. */
	ordered("move 1 unlink 2 move 2 move 3 link 2 3 link 1 0");
	/* New bearers of the context are made there. */
	accepted("C=2{A=${" TCP_STREAM("3") "}}");
	assert_int_equal(st.endpoint[4].worker, st.endpoint[0].worker);
	scene_end();
}

static void two_sessions_stay_apart(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TLS_STREAM("1") "}}");
	accepted("C=${A=${" TLS_STREAM("1") "}}");
	session_begins(0);
	session_begins(1);
	stage_forget(&st);
	refused("C=2{MV=ip/1/1}", 501, "its TLS session lives on another worker");
	ordered("");
	accepted("C=1{AV=ip/1/1{AT{}}}");
	/* The third context is on the first worker again. */
	accepted("C=${A=${" TLS_STREAM("1") "}}");
	session_begins(2);
	stage_forget(&st);
	says("C=3{MV=ip/1/1}", "C=3{MV=ip/1/1}");
	ordered("shift 0 link 2 0");
	/* A session that has ended holds nobody back. */
	stage_event(&st, 1, RELAY_TLS_DOWN, RELAY_CAUSE_PEER_CLOSE);
	stage_event(&st, 1, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
	accepted("C=3{S=ip/1/1}");
	stage_forget(&st);
	says("C=3{MV=ip/1/2}", "C=3{MV=ip/1/2}");
	ordered("move 1 link 2 1");
	scene_end();
}

static void one_on_its_way_is_waited_for(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TCP_STREAM("1") "}},C=${A=${" TLS_STREAM("1") "}}");
	session_begins(1);
	st.endpoint[0].busy = true;
	refused("C=2{MV=ip/1/1}", 511, "on its way");
	st.endpoint[0].busy = false;
	accepted("C=2{MV=ip/1/1}");
	scene_end();
}

static void all_of_a_wildcard_go(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TCP_STREAM("1") "},A=${" TCP_STREAM("2") "}},C=${A=${" TCP_STREAM(
	        "1") "}}");
	says("C=2{MV=*}", "C=2{MV=ip/1/1,MV=ip/1/2}");
	says("C=*{AV=*{AT{}}}", "C=2{AV=ip/1/3,AV=ip/1/1,AV=ip/1/2}");
	refused("C=2{MV=*}", 431, "no termination matches");
	refused("C=*{MV=ip/1/1}", 421, "a context of its own");
	scene_end();
}

/* Whoever gets a new partner parts from the former one, for which the relay needs no order. */
static void no_memory_for_the_one_left_behind(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" TCP_STREAM("1") "},A=${" TCP_STREAM("1") "}}");
	accepted("C=${MV=ip/1/1}");
	accepted("C=1{A=${" TCP_STREAM("1") "}}");
	assert_ptr_equal(st.endpoint[1].partner, &st.endpoint[2]);
	stage_forget(&st);
	st.endpoint[2].dull = true;
	accepted("C=2{MV=ip/1/2}");
	ordered("link 0 1");
	accepted("C=2{S=ip/1/2}");
	st.endpoint[2].dull = false;
	/* Its former partner is gone for good. */
	accepted("C=1{MF=ip/1/3{M{ST=1{O{MO=SO}}}}}");
	accepted("C=1{A=${" TCP_STREAM("1") "}}");
	assert_ptr_equal(st.endpoint[3].partner, &st.endpoint[2]);
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_termination_goes_to_the_context),
		cmocka_unit_test(the_context_comes_to_a_session),
		cmocka_unit_test(two_sessions_stay_apart),
		cmocka_unit_test(one_on_its_way_is_waited_for),
		cmocka_unit_test(all_of_a_wildcard_go),
		cmocka_unit_test(no_memory_for_the_one_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
