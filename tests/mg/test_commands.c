/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of RFC 3525, 7.2, text in, text out. Replies are the actions, compact. */
#include "check.h"
#include "scene.h"

/* ---- Add, Modify, Subtract, Move ---- */

static void add_chooses_what_is_left_open(void **state)
{
	(void)state;
	scene_start();
	says("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}",
	     "C=1{A=ip/1/1{M{ST=1{L{v=0 o=- 0 0 IN IP4 192.0.2.1 s=- c=IN IP4 192.0.2.1 t=0 0 "
	     "m=message 40000 TCP/MSRP * }}}}}");
	ordered("add 0 server");
	says("C=1{A=ip/${M{ST=2{O{MO=SR},L{\nv=0\nc=IN IP6 $\nm=message $ TCP/MSRP *\n}}}}}",
	     "C=1{A=ip/1/2{M{ST=2{L{v=0 o=- 0 0 IN IP6 2001:db8::1 s=- c=IN IP6 2001:db8::1 t=0 0 "
	     "m=message 40001 TCP/MSRP * }}}}}");
	/* Nothing left open, nothing to tell. */
	says("C=1{A=${M{ST=3{O{MO=SR},L{\nv=0\nc=IN IP4 192.0.2.1\nm=message 5000 TCP/MSRP "
	     "*\n}}}}}",
	     "C=1{A=ip/1/3}");
	/* A termination may have no media at all. */
	says("C=${A=$}", "C=2{A=ip/1/4}");
	scene_end();
}

static void add_refuses_what_it_cannot(void **state)
{
	(void)state;
	scene_start();
	refused("C=${A=tdm/1}", 430, "Context $, Add tdm/1: there is no such termination");
	refused("C=${A=*}", 431, "Add *");
	refused("C=${A=tdm/$}", 432, "no name of this gateway is like that");
	refused("C=${A=ROOT}", 410, "ROOT");
	refused("C=-{A=$}", 421, "needs a context");
	refused("C=7{A=$}", 411, "Context 7: there is no such context");
	refused("C=${MF=ip/1/1}", 421, "a new context begins with an Add or a Move");
	says("C=${A=$}", "C=5{A=ip/1/2}"); /* failed contexts leave no trace but their numbers */
	refused("C=5{A=ip/1/2}", 433, "it is in context 5");
	refused("C=${A=ip/1/2}", 433, "it is in context 5");
	scene_end();
}

static void a_failed_add_leaves_nothing(void **state)
{
	(void)state;
	scene_start();
	/* The first stream is bound before the second one fails. */
	refused("C=${A=${M{ST=1{" TCP_ANY "},ST=2{L{\nv=0\nc=IN IP4 192.0.2.9\nm=message $ TCP *\n"
	        "}}}}}",
	        449,
	        "Context $, Add $: Stream 2: Local: the address in c= is none of this gateway");
	ordered("add 0 server remove 0");
	assert_int_equal(st.contexts, 0);
	says("C=*{AV=ROOT{AT{}}}", "C=*{AV=ROOT}");
	st.add_error = 24; /* EMFILE */
	refused("C=${A=${M{ST=1{" TCP_ANY "}}}}", 510, "no descriptor is left");
	st.add_error = 12; /* ENOMEM */
	refused("C=${A=${M{ST=1{" TCP_ANY "}}}}", 510, "memory is short");
	st.add_error = 0;
	accepted("C=${A=${M{ST=1{" TCP_ANY "}}}}"); /* service goes on */
	scene_end();
}

static void ports_come_from_the_range(void **state)
{
	(void)state;
	st.settings = (struct mg_settings){ .port_min = 6000, .port_max = 6001 };
	stage_start(&st);
	accepted("C=${A=${M{ST=1{" TCP_ANY "}}}}");
	contains("message 6000 TCP");
	accepted("C=${A=${M{ST=1{" TCP_ANY "}}}}");
	contains("message 6001 TCP");
	refused("C=${A=${M{ST=1{" TCP_ANY "}}}}", 510, "no free port is left");
	accepted("C=1{S=*}");
	accepted("C=${A=${M{ST=1{" TCP_ANY "}}}}");
	contains("message 6000 TCP");
	scene_end();
}

static void modify_changes_only_what_it_names(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=IN}," TCP_ANY "}}}}");
	ordered("add 0 server mode 0");
	says("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}}}}}", "C=1{MF=ip/1/1}");
	ordered("mode 0 send receive");
	says("C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}}}}", "C=1{MF=ip/1/1}");
	ordered("mode 0 send");
	/* The Local that was chosen may be sent again: nothing moves. */
	says("C=1{MF=ip/1/1{M{ST=1{L{\nv=0\nc=IN IP4 192.0.2.1\nm=message 40000 TCP/MSRP *\n}}}}}",
	     "C=1{MF=ip/1/1}");
	ordered("");
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=LB}}}}}", 517, "Stream 1, LocalControl Mode");
	refused("C=1{MF=ip/1/2}", 430, "no such termination");
	refused("C=1{MF=$}", 410, "CHOOSE needs an Add");
	refused("C=1{MF=tdm/*}", 431, "no termination matches");
	scene_end();
}

static void streams_end_with_empty_descriptors(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" TCP_ANY "},ST=2{" TCP_ANY "}}}}");
	stage_forget(&st);
	says("C=1{MF=ip/1/1{M{ST=2{L{},R{}}}}}", "C=1{MF=ip/1/1}");
	ordered("remove 1");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("ST=1{");
	lacks("ST=2{");
	scene_end();
}

static void subtract_tells_what_was_carried(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TLS_ANY "}}}}");
	st.endpoint[0].stats = (struct relay_stats){ .octets_in = 11,
		                                     .octets_out = 22,
		                                     .wire_in = 111,
		                                     .wire_out = 222,
		                                     .records_in = 3,
		                                     .records_out = 4,
		                                     .segments_retransmitted = 5 };
	st.now_ms += 1234;
	says("C=1{S=ip/1/1}",
	     "C=1{S=ip/1/1{SA{nt/dur=1234,nt/os=22,nt/or=11,tcptv/oin=111,tcptv/oout=222,"
	     "tcprm/retrans=5,tlsbsc/hs=0,tlsbsc/hsfail=0,tlsbsc/resum=0,tlsbsc/hsauth=0,"
	     "tlsbsc/hstime=0,tlsbsc/reneg=0,tlsbsc/renegfail=0,tlsbsc/ain=0,tlsbsc/aout=0,tlstv/"
	     "oin=11,tlstv/oout=22,tlstv/rin=3,tlstv/rout=4}}}");
	assert_int_equal(st.contexts, 0);
	assert_int_equal(st.idles, 1);
	/* Audit says what is told instead (7.2.3). */
	accepted("C=${A=$,A=$}");
	says("C=2{S=*{AT{}}}", "C=2{S=ip/1/2,S=ip/1/3}");
	accepted("C=${A=$,A=$}");
	says("C=3{W-S=*{AT{}}}", "C=3{S=*}");
	accepted("C=${A=$}");
	says("C=4{S=ip/1/6{AT{SA{nt/os}}}}", "C=4{S=ip/1/6{SA{nt/os=0}}}");
	scene_end();
}

static void subtract_refuses_what_is_not_there(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$},C=${A=$}");
	refused("C=1{S=ip/1/2}", 435, "it is in context 2");
	refused("C=1{S=ip/1/9}", 430, "no such termination");
	refused("C=-{S=ROOT}", 410, "ROOT");
	refused("C=1{S=ip/1/1{M{ST=1{O{MO=SR}}}}}", 447, "");
	refused("C=1{S=ip/2/*}", 431, "");
	/* All contexts at once. */
	says("C=*{S=*{AT{}}}", "C=1{S=ip/1/1},C=2{S=ip/1/2}");
	scene_end();
}

static void a_context_that_has_ended_takes_no_commands(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$}");
	says("C=1{S=*{AT{}},A=$}", "C=1{S=ip/1/1,ER=411{\"Context 1: the context has ended\"}}");
	says("C=${A=$,S=*{AT{}}}", "C=2{A=ip/1/2,S=ip/1/2}");
	scene_end();
}

static void move_takes_a_termination_along(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}},A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	stage_forget(&st);
	says("C=${MV=ip/1/2}", "C=2{MV=ip/1/2}");
	ordered("unlink 1");
	accepted("C=2{A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	ordered("add 2 server link 1 2");
	/* A socket of another worker goes there. */
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	stage_forget(&st);
	says("C=3{MV=ip/1/1}", "C=3{MV=ip/1/1}");
	ordered("move 0 link 3 0");
	/* All contexts are on one worker by now, or have nothing left there. */
	refused("C=1{AV=*{AT{}}}", 411, "");
	/* Without bearers anything moves; the source ends with its last one. */
	accepted("C=${A=$}");
	says("C=3{MV=ip/1/5}", "C=3{MV=ip/1/5}");
	refused("C=4{AV=*{AT{}}}", 411, "");
	refused("C=3{MV=ip/1/5}", 433, "in this context already");
	refused("C=-{MV=ip/1/5}", 421, "");
	scene_end();
}

static void a_third_termination_finds_the_stream_taken(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" TCP_ANY "}}},A=${M{ST=1{" TCP_ANY "}}}}");
	refused("C=1{A=${M{ST=1{" TCP_ANY "}}}}", 434, "Stream 1: two terminations");
	accepted("C=1{A=${M{ST=2{" TCP_ANY "}}}}"); /* another stream is free */
	scene_end();
}

static void limits_hold(void **state)
{
	(void)state;
	st.settings =
	        (struct mg_settings){ .max_contexts = 1, .max_terminations = 2, .max_streams = 1 };
	stage_start(&st);
	refused("C=${A=${M{ST=1{O{MO=SR}},ST=2{O{MO=SR}}}}}", 510, "more than 1 streams");
	accepted("C=${A=$,A=$}");
	refused("C=${A=$}", 412, "no further context is possible");
	refused("C=2{A=$}", 434, "holds 2 terminations");
	mg_close_door(st.mg, true);
	accepted("C=2{S=*}");
	refused("C=${A=$}", 503, "going out of service");
	scene_end();
}

/* ---- order, failure, options (8.2.2) ---- */

static void processing_stops_at_the_first_failure(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$}");
	says("C=1{AV=ip/1/1{AT{}},MF=ip/9/9,S=ip/1/1},C=1{S=ip/1/1}",
	     "C=1{AV=ip/1/1,MF=ip/9/9{ER=430{\"Context 1, Modify ip/9/9: there is no such "
	     "termination\"}}}");
	/* An optional command may fail. */
	says("C=1{O-MF=ip/9/9,S=ip/1/1{AT{}}}",
	     "C=1{MF=ip/9/9{ER=430{\"Context 1, Modify ip/9/9: there is no such termination\"}},"
	     "S=ip/1/1}");
	scene_end();
}

static void a_broken_command_spoils_no_other(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$}");
	stage_send(&st, "C=1{AV=ip/1/1{AT{}},O-MF=ip/1/1{NOSUCH{}},AV=ip/1/1{AT{}}}");
	contains("C=1{AV=ip/1/1,MF=ip/1/1{ER=444{");
	contains("},AV=ip/1/1}");
	scene_end();
}

static void descriptors_of_other_trades_are_refused(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$}");
	refused("C=1{MF=ip/1/1{MX=H221{ip/1/1}}}", 444, "Mux: this gateway has none");
	refused("C=1{MF=ip/1/1{MD[V90]}}", 444, "Modem");
	refused("C=1{MF=ip/1/1{M{TS{SI=TE}}}}", 501, "test state");
	refused("C=1{N=ip/1/1{OE=1{tcpbcc/BNCChange}}}", 443, "does not execute");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(add_chooses_what_is_left_open),
		cmocka_unit_test(add_refuses_what_it_cannot),
		cmocka_unit_test(a_failed_add_leaves_nothing),
		cmocka_unit_test(ports_come_from_the_range),
		cmocka_unit_test(modify_changes_only_what_it_names),
		cmocka_unit_test(streams_end_with_empty_descriptors),
		cmocka_unit_test(subtract_tells_what_was_carried),
		cmocka_unit_test(subtract_refuses_what_is_not_there),
		cmocka_unit_test(a_context_that_has_ended_takes_no_commands),
		cmocka_unit_test(move_takes_a_termination_along),
		cmocka_unit_test(a_third_termination_finds_the_stream_taken),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(processing_stops_at_the_first_failure),
		cmocka_unit_test(a_broken_command_spoils_no_other),
		cmocka_unit_test(descriptors_of_other_trades_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
