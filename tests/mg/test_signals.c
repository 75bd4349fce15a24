/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals (RFC 3525, 7.1.11): lists, types, durations, completion, on the virtual clock. The
 * gateway's own signals are brief; two of a test's equipment can be played as any type.
 */
#include "mg/equip.h"
#include "scene.h"

static char played[1024];

static void write_down(const char *what, const struct h248_signal *s)
{
	size_t len = strlen(played);

	snprintf(played + len, sizeof(played) - len, "%s %.*s ", what, BASE_FMT(s->name.item));
}

static int refusal;

static int on_start(struct mg *mg, struct mg_term *term, const struct h248_signal *s)
{
	(void)mg;
	(void)term;
	if (refusal)
		return refusal;
	write_down("start", s);
	return 0;
}

static void on_stop(struct mg *mg, struct mg_term *term, const struct h248_signal *s)
{
	(void)mg;
	(void)term;
	write_down("stop", s);
}

#define ANY_TYPE (MG_TYPE(H248_BRIEF) | MG_TYPE(H248_ON_OFF) | MG_TYPE(H248_TIME_OUT))

static const struct mg_equipment_signal signals[] = {
	{ .name = "EstBNC", .types = ANY_TYPE, .start = on_start, .stop = on_stop },
	{ .name = "RelBNC", .types = ANY_TYPE, .duration = 50, .start = on_start, .stop = on_stop },
	{ 0 },
};
static const struct mg_equipment_event events[] = { { .name = "BNCChange" }, { 0 } };
static const struct mg_equipment tls = {
	.package = "tlsbsc", .on = MG_ON_ROOT | MG_ON_TERM, .events = events, .signals = signals
};

/* The built-in table, but tlsbsc. */
static void equip(void)
{
	static const struct mg_equipment *rows[64];
	const struct mg_equipment *e;
	size_t i = 0;

	mg_equipment_swap(NULL);
	for (; (e = mg_equipment_at(i)); i++)
		rows[i] = strcmp(e->package, "tlsbsc") ? e : &tls;
	rows[i] = NULL;
	mg_equipment_swap(rows);
	played[0] = '\0';
	refusal = 0;
	scene_start();
	/* An event stops signals: g/sc too, but for KeepActive. */
	accepted("C=${A=${E=9{g/sc{KA},tcpbcc/*{KA}}}}");
}

static void done(void)
{
	scene_end();
	mg_equipment_swap(NULL);
}

static void was_played(const char *what)
{
	if (strcmp(played, what) != 0)
		fail_msg("played: %s\ninstead: %s", played, what);
	played[0] = '\0';
}

static void later(uint64_t ms)
{
	st.now_ms += ms;
	mg_advance(st.mg);
}

static void told(const char *what)
{
	notified(what);
	stage_answer(&st);
	stage_forget(&st);
}

static void an_on_off_signal_lasts_until_it_is_stopped(void **state)
{
	(void)state;
	equip();
	says("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=OO,DR=5}}}}", "C=1{MF=ip/1/1}");
	was_played("start EstBNC ");
	later(60000); /* a Duration is ignored for it */
	was_played("");
	accepted("C=1{AV=ip/1/1{AT{SG}}}");
	contains("SG{tlsbsc/EstBNC{SY=OO,DR=5}}");
	accepted("C=1{MF=ip/1/1{SG{}}}");
	was_played("stop EstBNC ");
	says("C=1{AV=ip/1/1{AT{SG}}}", "C=1{AV=ip/1/1{SG}}");
	assert_int_equal(st.requests, 0); /* not asked for */
	done();
}

static void a_time_out_signal_ends_by_itself(void **state)
{
	(void)state;
	equip();
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=TO,DR=20,ST=3,NC={TO}}}}}");
	assert_int_equal(mg_deadline(st.mg), st.now_ms + 200);
	later(199);
	was_played("start EstBNC ");
	later(1);
	was_played("stop EstBNC ");
	told("OE=9{20260314T09200000:g/sc{ST=3,SigID=\"tlsbsc/EstBNC\",Meth=TO}}");
	/* The default of the signal, where it has one. */
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/RelBNC{SY=TO}}}}");
	later(499);
	was_played("start RelBNC ");
	later(1);
	was_played("stop RelBNC ");
	refused("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=TO}}}}", 457, "needs a Duration");
	done();
}

static void a_new_descriptor_stops_what_it_does_not_keep(void **state)
{
	(void)state;
	equip();
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=OO,NC={IBS}},tlsbsc/RelBNC{SY=OO}}}}");
	was_played("start EstBNC start RelBNC ");
	says("C=1{AV=ip/1/1{AT{SG{tlsbsc/RelBNC}}}}", "C=1{AV=ip/1/1{SG{tlsbsc/RelBNC{SY=OO}}}}");
	/* KeepActive goes on; one that is not playing is ignored with it (7.1.11). */
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/RelBNC{SY=OO,KA}}}}");
	was_played("stop EstBNC ");
	told("g/sc{SigID=\"tlsbsc/EstBNC\",Meth=SD}");
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=OO,KA},tlsbsc/RelBNC{SY=OO,KA}}}}");
	was_played("");
	/* Without KeepActive the same signal begins anew. */
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/RelBNC{SY=OO}}}}");
	was_played("stop RelBNC start RelBNC ");
	/* On another stream it is another one. */
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{ST=1,SY=OO},tlsbsc/RelBNC{SY=OO,KA}}}}");
	was_played("start EstBNC ");
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{ST=1,SY=OO,KA},tlsbsc/RelBNC{ST=1,SY=OO,KA}}}}");
	was_played("stop RelBNC ");
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/RelBNC{SY=OO}}}}");
	was_played("stop EstBNC start RelBNC ");
	/* A command that fails stops nothing. */
	refused("C=1{MF=ip/1/1{SG{},M{ST=1{O{MO=LB}}}}}", 517, "");
	refused("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC{SY=OO},tlsbsc/NoSuch}}}", 452, "");
	was_played("");
	/* Subtract stops all. */
	accepted("C=1{S=ip/1/1}");
	was_played("stop RelBNC ");
	done();
}

static void a_list_is_played_in_order(void **state)
{
	(void)state;
	equip();
	accepted_v(3, "C=1{MF=ip/1/1{SG{SL=7{tlsbsc/EstBNC{SY=TO,DR=10,SPAIS=30,NC={TO},SPARQ=88},"
	              "tlsbsc/RelBNC{SY=BR,NC={TO}},tlsbsc/EstBNC{SY=OO,NC={IBS}}}}}}");
	was_played("start EstBNC ");
	later(100);
	was_played("stop EstBNC ");
	told("g/sc{SigID=\"tlsbsc/EstBNC\",Meth=TO,SLID=7,RID=88}");
	later(299); /* the pause */
	was_played("");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{SG}}}");
	contains("SG{SL=7{tlsbsc/EstBNC{");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{SG{SL=7{tlsbsc/RelBNC}}}}}");
	contains("SG{SL=7{tlsbsc/EstBNC{");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{SG{SL=7}}}}");
	contains("SG{SL=7{tlsbsc/EstBNC{");
	refused_v(3, "C=1{AV=ip/1/1{AT{SG{SL=8}}}}", 532, "SignalList 8");
	refused_v(3, "C=1{AV=ip/1/1{AT{SG{tlsbsc/EstBNC}}}}", 532, "tlsbsc/EstBNC");
	later(1);
	was_played("start RelBNC start EstBNC "); /* brief, then the last one, which stays */
	told("g/sc{SigID=\"tlsbsc/RelBNC\",Meth=TO,SLID=7}");
	/* The same list again interrupts nothing and changes nothing (7.1.11). */
	accepted("C=1{MF=ip/1/1{SG{SL=7{tlsbsc/RelBNC}}}}");
	was_played("");
	accepted("C=1{MF=ip/1/1{SG{SL=8{tlsbsc/RelBNC{SY=TO}}}}}");
	was_played("stop EstBNC start RelBNC ");
	told("g/sc{SigID=\"tlsbsc/EstBNC\",Meth=SD,SLID=7}");
	refused("C=1{MF=ip/1/1{SG{SL=9{tlsbsc/EstBNC{SY=OO},tlsbsc/RelBNC}}}}", 449,
	        "only as the last one");
	refused("C=1{MF=ip/1/1{SG{SL=9{tlsbsc/EstBNC},SL=9{tlsbsc/RelBNC}}}}", 448, "twice");
	was_played("");
	done();
}

static void an_event_stops_signals(void **state)
{
	(void)state;
	equip();
	accepted("C=1{MF=ip/1/1{E=10{g/sc{KA},g/cause},M{ST=1{O{MO=SR}," TCP_ANY "}},"
	         "SG{tlsbsc/EstBNC{SY=OO,NC={IBE}}}}}");
	was_played("start EstBNC ");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE); /* not recognized: nobody asked */
	was_played("");
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_RESET);
	was_played("stop EstBNC ");
	notified("g/cause{ST=1,Generalcause=FT},20260314T09200000:g/sc{SigID=\"tlsbsc/EstBNC\","
	         "Meth=EV}");
	stage_answer(&st);
	/* KeepActive of the event lets them go on. */
	accepted("C=1{MF=ip/1/1{E=11{tcpbcc/*{KA}},M{ST=1{" TCP_ANY
	         "}},SG{tlsbsc/EstBNC{SY=OO}}}}");
	was_played("start EstBNC ");
	stage_event(&st, 1, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	was_played("");
	done();
}

static void one_that_cannot_begin_is_told_unasked(void **state)
{
	(void)state;
	equip();
	refusal = BASE_ERR(BASE_LOCAL, 1);
	accepted("C=1{MF=ip/1/1{SG{SL=3{tlsbsc/EstBNC{SY=TO,DR=1},tlsbsc/RelBNC{SY=TO}}}}}");
	told("g/sc{SigID=\"tlsbsc/EstBNC\",Meth=NC,SLID=3},20260314T09200000:g/sc{SigID=\"tlsbsc/"
	     "RelBNC\",Meth=NC,SLID=3}");
	says("C=1{AV=ip/1/1{AT{SG}}}", "C=1{AV=ip/1/1{SG}}");
	done();
}

/* The gateway's own: orders to the bearer, one after the other. */
static void orders_to_the_bearer_go_in_lists(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${E=9{g/sc},M{ST=1{O{MO=SR}," TLS_ANY "," TLS_PEER "}}}}");
	stage_forget(&st);
	accepted_v(3, "C=1{MF=ip/1/1{SG{SL=1{tcpbcc/EstBNC{SPAIS=100},tlsbsc/EstBNC{NC={TO}}}}}}");
	ordered("add 1 client tls-server remove 0 connect 1");
	st.now_ms += 1000;
	mg_advance(st.mg);
	ordered("start-tls 1 client");
	told("g/sc{SigID=\"tlsbsc/EstBNC\",Meth=TO,SLID=1}");
	/* What cannot be is refused before anything begins. */
	refused("C=1{MF=ip/1/1{SG{SL=2{tcpbcc/RelBNC,tcpbcc/EstBNC{SY=OO}}}}}", 449,
	        "only be Brief");
	refused("C=1{MF=ip/1/1{SG{SL=2{tcpbcc/RelBNC,nosuch/x}}}}", 440, "");
	refused_v(3, "C=1{MF=ip/1/1{SG{tcpbcc/RelBNC{SPADI=IT}}}}", 501, "direction");
	ordered("");
	scene_end();
}

/* An order whose end is the event that gives it: the controller's loop is not ours. */
static void a_circle_of_signals_and_events_ends(void **state)
{
	struct mg_counts counts;

	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	accepted(
	        "C=1{MF=ip/1/1{E=9{g/sc{EM{SG{tcpbcc/EstBNC{NC={TO}},tcpbcc/RelBNC{NC={TO}}}}}}}}");
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/RelBNC{NC={TO}}}}}");
	notified("g/sc{SigID=\"tcpbcc/RelBNC\",Meth=TO}");
	assert_int_equal(st.requests, 1);
	mg_counts(st.mg, &counts);
	assert_true(counts.notifies_lost > 0);
	assert_non_null(strstr(st.log, "circle"));
	says("C=1{AV=ip/1/1{AT{SG}}}", "C=1{AV=ip/1/1{SG}}"); /* and it goes on */
	scene_end();
}

static void root_has_signals_where_a_package_has_some(void **state)
{
	(void)state;
	equip();
	refused("C=-{MF=ROOT{SG{tcpbcc/EstBNC}}}", 513, "not equipped on ROOT");
	accepted("C=-{MF=ROOT{SG{tlsbsc/EstBNC{SY=TO,DR=1}}}}");
	was_played("start EstBNC ");
	later(10);
	was_played("stop EstBNC ");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_on_off_signal_lasts_until_it_is_stopped),
		cmocka_unit_test(a_time_out_signal_ends_by_itself),
		cmocka_unit_test(a_new_descriptor_stops_what_it_does_not_keep),
		cmocka_unit_test(a_list_is_played_in_order),
		cmocka_unit_test(an_event_stops_signals),
		cmocka_unit_test(one_that_cannot_begin_is_told_unasked),
		cmocka_unit_test(orders_to_the_bearer_go_in_lists),
		cmocka_unit_test(a_circle_of_signals_and_events_ends),
		cmocka_unit_test(root_has_signals_where_a_package_has_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
