/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from an event (RFC 3525, 7.1.9, 7.1.10; sheet 5.7): embedded descriptors, notify
 * behaviour, LockStep and the EventBuffer.
 */
#include "mg/equip.h"
#include "scene.h"

#define ADD(more) "C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "," TCP_PEER "}}" more "}}"

static void told(const char *what)
{
	notified(what);
	stage_answer(&st);
	stage_forget(&st);
}

static void happens(enum relay_event_kind kind)
{
	stage_event(&st, st.endpoints - 1, kind, RELAY_CAUSE_PEER_CLOSE);
}

/* ---- Embed ---- */

static void an_embedded_descriptor_takes_over(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",E=5{tcpbcc/BNCChange{Type=Est,EM{E=6{tcpbcc/BNCChange{Type=Rel}}}}}"));
	stage_forget(&st);
	happens(RELAY_TCP_DOWN); /* not asked for yet */
	assert_int_equal(st.requests, 0);
	happens(RELAY_TCP_UP);
	told("OE=5{");
	says("C=1{AV=ip/1/1{AT{E}}}", "C=1{AV=ip/1/1{E=6{tcpbcc/BNCChange{Type=Rel}}}}");
	happens(RELAY_TCP_UP); /* not asked for any more */
	assert_int_equal(st.requests, 0);
	happens(RELAY_TCP_DOWN);
	told("OE=6{");
	scene_end();
}

static void an_embedded_signal_is_given(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",E=5{tcpbcc/BNCChange{EM{SG{tcpbcc/RelBNC}}}}"));
	stage_forget(&st);
	accepted("C=1{AV=ip/1/1{AT{E}}}");
	contains("E=5{tcpbcc/BNCChange{EM{SG{tcpbcc/RelBNC}}}}");
	happens(RELAY_TCP_UP);
	ordered("release 0");
	told("OE=5{");
	scene_end();
}

static void an_embedded_signal_may_make_another_bearer(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",E=5{tcpbcc/BNCChange{EM{SG{tcpbcc/EstBNC},E=7{tcpbcc/*}}}}"));
	stage_forget(&st);
	happens(RELAY_TCP_DOWN);
	ordered("add 1 client remove 0 connect 1");
	told("OE=5{");
	happens(RELAY_TCP_UP);
	told("OE=7{");
	scene_end();
}

static void what_an_embedded_signal_fails_of_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",E=5{g/sc,tcpbcc/BNCChange{EM{SG{tcpbcc/EstBNC}}}}"));
	st.add_error = 24;
	happens(RELAY_TCP_DOWN);
	assert_non_null(strstr(st.log, "a signal cannot begin"));
	told("g/sc{SigID=\"tcpbcc/EstBNC\",Meth=NC}");
	scene_end();
}

static void what_cannot_be_embedded_is_refused(void **state)
{
	(void)state;
	scene_start();
	refused(ADD(",E=5{tcpbcc/*{KA,EM{SG{tcpbcc/RelBNC}}}}"), 473, "KeepActive");
	refused(ADD(",E=5{tcpbcc/*{EM{SG{nosuch/x}}}}"), 440, "");
	refused(ADD(",E=5{tcpbcc/*{EM{SG{tcpbcc/nosuch}}}}"), 452, "");
	refused(ADD(",E=5{tcpbcc/*{EM{E=6{it/ito{mit=1}}}}}"), 512, "not equipped");
	refused(ADD(",E=5{tcpbcc/*{EM{E=6{g/nosuch}}}}"), 451, "");
	scene_end();
}

static void reset_goes_back_to_the_first_descriptor(void **state)
{
	(void)state;
	scene_start();
	accepted_v(3,
	           ADD(",E=5{tcpbcc/BNCChange{Type=Est,EM{E=6{tcpbcc/BNCChange{Type=Rel,RSE}}}}}"));
	happens(RELAY_TCP_UP);
	told("OE=5{");
	happens(RELAY_TCP_DOWN);
	told("OE=6{");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{E}}}");
	contains("E=5{tcpbcc/BNCChange{");
	accepted("C=1{MF=ip/1/1{M{ST=1{" TCP_ANY "}}}}");
	happens(RELAY_TCP_UP);
	told("OE=5{");
	scene_end();
}

/* ---- notify behaviour (v3) ---- */

static bool busy;

static bool suppress(struct mg *mg, const struct mg_term *term, const struct h248_event *e)
{
	(void)mg;
	(void)term;
	(void)e;
	return busy;
}

static void notification_is_regulated(void **state)
{
	static const struct mg_equipment load = { .package = "nb", .suppress = suppress };
	static const struct mg_equipment *rows[64];
	const struct mg_equipment *e;
	size_t i = 0;

	(void)state;
	for (; (e = mg_equipment_at(i)); i++)
		rows[i] = e;
	rows[i++] = &load;
	rows[i] = NULL;
	mg_equipment_swap(rows);
	scene_start();
	accepted_v(3, ADD(",E=5{tcpbcc/*{NBNN,EM{E=6{tcpbcc/*{NBIN}}}}}"));
	happens(RELAY_TCP_UP);
	assert_int_equal(st.requests, 0); /* never, but its embedded descriptor is active */
	happens(RELAY_TCP_UP);
	told("OE=6{");
	accepted_v(3, "C=1{MF=ip/1/1{E=7{tcpbcc/*{NBRN{EM{E=9{tcpbcc/*}}},EM{E=8{tcpbcc/*}}}}}}");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{E}}}");
	contains("NBRN{EM{E=9{tcpbcc/*}}}");
	busy = true;
	happens(RELAY_TCP_UP);
	assert_int_equal(st.requests, 0);
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{E}}}");
	contains("E=9{"); /* the one of RegulatedNotify */
	accepted_v(3, "C=1{MF=ip/1/1{E=7{tcpbcc/*{NBRN{EM{E=9{tcpbcc/*}}},EM{E=8{tcpbcc/*}}}}}}");
	busy = false;
	happens(RELAY_TCP_UP);
	told("OE=7{");
	stage_send_v(&st, 3, "C=1{AV=ip/1/1{AT{E}}}");
	contains("E=8{");
	scene_end();
	mg_equipment_swap(NULL);
}

/* ---- LockStep ---- */

static void lock_step_buffers_until_the_next_descriptor(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{TS{BF=SP},ST=1{O{MO=SR}," TCP_ANY "}},E=5{tcpbcc/*},"
	         "EB{tcpbcc/BNCChange{Type=[Rel,EstFail]}}}}");
	says("C=1{AV=ip/1/1{AT{EB,OE,M{TS{BF}}}}}",
	     "C=1{AV=ip/1/1{OE,EB{tcpbcc/BNCChange{Type=[Rel,EstFail]}},M{TS{BF=SP}}}}");
	says("C=1{AV=ip/1/1{AT{EB{tcpbcc/BNCChange}}}}",
	     "C=1{AV=ip/1/1{EB{tcpbcc/BNCChange{Type=[Rel,EstFail]}}}}");
	refused("C=1{AV=ip/1/1{AT{EB{g/cause}}}}", 532, "EventBuffer g/cause");
	stage_forget(&st);
	happens(RELAY_TCP_UP);
	told("OE=5{");
	st.wall_ms += 2000;
	happens(RELAY_TCP_UP);   /* not in the EventBuffer: lost */
	happens(RELAY_TCP_DOWN); /* buffered */
	st.wall_ms += 2000;
	happens(RELAY_TCP_DOWN);
	assert_int_equal(st.requests, 0);
	accepted("C=1{AV=ip/1/1{AT{OE}}}");
	contains("OE=5{20260314T09200200:tcpbcc/BNCChange{ST=1,Type=Rel");
	contains("20260314T09200400:tcpbcc/BNCChange{ST=1,Type=Rel");
	/* The new descriptor gets the first of them, with its own time; then it waits again. */
	accepted("C=1{MF=ip/1/1{E=6{tcpbcc/*}}}");
	told("OE=6{20260314T09200200:tcpbcc/BNCChange{");
	accepted("C=1{MF=ip/1/1{E=7{tcpbcc/*}}}");
	told("OE=7{20260314T09200400:");
	accepted("C=1{MF=ip/1/1{E=8{tcpbcc/*}}}");
	assert_int_equal(st.requests, 0);
	happens(RELAY_TCP_UP); /* empty: what happens now is told */
	told("OE=8{");
	scene_end();
}

static void what_a_new_descriptor_does_not_ask_for_is_discarded(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{TS{BF=SP},ST=1{O{MO=SR}," TCP_ANY "}},E=5{tcpbcc/*},EB{tcpbcc/*}}}");
	happens(RELAY_TCP_UP);
	told("OE=5{");
	happens(RELAY_TCP_UP);
	happens(RELAY_TCP_DOWN);
	accepted("C=1{MF=ip/1/1{E=6{tcpbcc/BNCChange{Type=Rel}}}}");
	told("OE=6{20260314T09200000:tcpbcc/BNCChange{ST=1,Type=Rel");
	/* An empty Events descriptor clears the buffer (7.1.9). */
	happens(RELAY_TCP_UP);
	accepted("C=1{MF=ip/1/1{E}}");
	says("C=1{AV=ip/1/1{AT{OE}}}", "C=1{AV=ip/1/1{OE}}");
	accepted("C=1{MF=ip/1/1{E=7{tcpbcc/*}}}");
	assert_int_equal(st.requests, 0);
	/* So does an empty EventBuffer, and Off. */
	happens(RELAY_TCP_UP);
	told("OE=7{");
	happens(RELAY_TCP_UP);
	accepted("C=1{MF=ip/1/1{EB}}");
	accepted("C=1{MF=ip/1/1{E=8{tcpbcc/*},EB{tcpbcc/*}}}");
	assert_int_equal(st.requests, 0);
	happens(RELAY_TCP_UP);
	told("OE=8{");
	happens(RELAY_TCP_UP);
	accepted("C=1{MF=ip/1/1{M{TS{BF=OFF}}}}");
	says("C=1{AV=ip/1/1{AT{OE}}}", "C=1{AV=ip/1/1{OE}}");
	happens(RELAY_TCP_UP); /* and it goes on at once */
	told("OE=8{");
	scene_end();
}

static void an_embedded_descriptor_is_a_new_one_for_the_buffer(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{TS{BF=SP},ST=1{O{MO=SR}," TCP_ANY "}},EB{tcpbcc/*},"
	         "E=5{tcpbcc/BNCChange{Type=Est,EM{E=6{tcpbcc/BNCChange{Type=Rel}}}}}}}");
	happens(RELAY_TCP_UP);
	told("OE=5{");
	happens(RELAY_TCP_DOWN);
	told("OE=6{");
	scene_end();
}

static void a_full_buffer_is_told_once(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{TS{BF=SP},ST=1{O{MO=SR}," TCP_ANY "}},E=5{tcpbcc/*},EB{tcpbcc/*}}}");
	happens(RELAY_TCP_UP);
	told("OE=5{");
	for (unsigned i = 0; i < 40; i++)
		happens(RELAY_TCP_UP);
	assert_int_equal(st.requests, 1);
	told("ER=518{");
	assert_int_equal(st.answered, st.notices);
	for (unsigned i = 0; i < 3; i++)
		happens(RELAY_TCP_UP);
	assert_int_equal(st.requests, 0);
	/* What begins anew may be full anew. */
	accepted("C=1{MF=ip/1/1{E=6{tcpbcc/*}}}");
	told("OE=6{");
	happens(RELAY_TCP_UP);
	assert_int_equal(st.requests, 0); /* there was room for one */
	happens(RELAY_TCP_UP);
	told("ER=518{");
	scene_end();
}

static void buffers_are_checked_as_events_are(void **state)
{
	(void)state;
	scene_start();
	refused(ADD(",EB{nosuch/x}"), 440, "EventBuffer");
	refused(ADD(",EB{tcpbcc/nosuch}"), 451, "EventBuffer");
	refused(ADD(",EB{it/ito{mit=1}}"), 512, "EventBuffer");
	refused(ADD(",EB{tcpbcc/BNCChange{Type=Never}}"), 454, "EventBuffer");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_embedded_descriptor_takes_over),
		cmocka_unit_test(an_embedded_signal_is_given),
		cmocka_unit_test(an_embedded_signal_may_make_another_bearer),
		cmocka_unit_test(what_an_embedded_signal_fails_of_is_told),
		cmocka_unit_test(what_cannot_be_embedded_is_refused),
		cmocka_unit_test(reset_goes_back_to_the_first_descriptor),
		cmocka_unit_test(notification_is_regulated),
		cmocka_unit_test(lock_step_buffers_until_the_next_descriptor),
		cmocka_unit_test(what_a_new_descriptor_does_not_ask_for_is_discarded),
		cmocka_unit_test(an_embedded_descriptor_is_a_new_one_for_the_buffer),
		cmocka_unit_test(a_full_buffer_is_told_once),
		cmocka_unit_test(buffers_are_checked_as_events_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
