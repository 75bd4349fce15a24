/* SPDX-License-Identifier: Apache-2.0 */
/* Service states, what they keep out, and what the controller is told; load; hanging terminations.
 */
#include "mg/service.h"
#include "scene.h"

#define ADD                        "A=$ {M{ST=1{O{MO=SR}," TCP_ANY "}}}"
#define CHANGE(term, method, more) "SC=" term "{SV{MT=" method ",RE=\"905\"" more "}}"
#define ROOT_CHANGE(method, more)  "C=-{" CHANGE("ROOT", method, more) "}"

static void state_is(const char *context, const char *term, const char *expected)
{
	char text[128];

	snprintf(text, sizeof(text), "C=%s{AV=%s{AT{M{TS{SI}}}}}", context, term);
	accepted(text);
	contains(expected);
}

static void time_passes(uint64_t ms)
{
	st.now_ms += ms;
	mg_advance(st.mg);
}

/* With settings of the test's own. */
static void start_with(struct mg_settings settings)
{
	memset(&st, 0, sizeof(st));
	st.settings = settings;
	stage_start(&st);
}

/* ---- ROOT ---- */

static void graceful_root_with_a_delay(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	accepted(ROOT_CHANGE("GR", ",DL=60"));
	refused("C=${" ADD "}", 503, "going out of service");
	refused("C=1{" ADD "}", 503, "going out of service");
	state_is("-", "ROOT", "SI=IV");
	time_passes(59999);
	state_is("-", "ROOT", "SI=IV");
	time_passes(1);
	state_is("-", "ROOT", "SI=OS");
	state_is("1", "ip/1/1", "SI=OS");
	refused("C=${" ADD "}", 503, "out of service");
	accepted(ROOT_CHANGE("RS", ""));
	state_is("-", "ROOT", "SI=IV");
	state_is("1", "ip/1/1", "SI=IV");
	accepted("C=${" ADD "}");
	scene_end();
}

static void graceful_root_waits_for_the_last_context(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	accepted(ROOT_CHANGE("GR", ""));
	time_passes(1000000);
	state_is("-", "ROOT", "SI=IV");
	accepted("C=1{S=ip/1/1}");
	state_is("-", "ROOT", "SI=OS");
	accepted(ROOT_CHANGE("RS", ""));
	accepted(ROOT_CHANGE("GR", "")); /* with nothing to wait for */
	state_is("-", "ROOT", "SI=OS");
	scene_end();
}

static void graceful_can_be_taken_back(void **state)
{
	(void)state;
	scene_start();
	accepted(ROOT_CHANGE("GR", ",DL=60"));
	accepted("C=-{SC=ROOT{SV{MT=RS,RE=\"918 Cancel Graceful\"}}}");
	accepted("C=${" ADD "}");
	time_passes(100000);
	state_is("-", "ROOT", "SI=IV");
	accepted("C=1{" CHANGE("ip/1/1", "GR", ",DL=60") "}");
	accepted("C=1{SC=ip/1/1{SV{MT=RS,RE=\"918 Cancel Graceful\"}}}");
	time_passes(100000);
	state_is("1", "ip/1/1", "SI=IV");
	scene_end();
}

static void restart_of_root_with_a_delay(void **state)
{
	(void)state;
	scene_start();
	accepted(ROOT_CHANGE("FO", ""));
	accepted(ROOT_CHANGE("RS", ",DL=5"));
	refused("C=${" ADD "}", 503, "");
	time_passes(5000);
	state_is("-", "ROOT", "SI=IV");
	accepted("C=${" ADD "}");
	scene_end();
}

/* The gateway's own leaving and what the controller does to ROOT are two doors. */
static void nobody_opens_the_others_door(void **state)
{
	(void)state;
	scene_start();
	mg_close_door(st.mg, true);
	accepted(ROOT_CHANGE("RS", ""));
	refused("C=${" ADD "}", 503, "going out of service");
	mg_close_door(st.mg, false);
	accepted("C=${" ADD "}");
	accepted(ROOT_CHANGE("GR", ""));
	mg_close_door(st.mg, true);
	mg_close_door(st.mg, false);
	refused("C=${" ADD "}", 503, "going out of service");
	scene_end();
}

static void root_out_of_service_by_modify(void **state)
{
	(void)state;
	scene_start();
	accepted("C=-{MF=ROOT{M{TS{SI=OS}}}}");
	refused("C=${" ADD "}", 503, "out of service");
	accepted("C=-{MF=ROOT{M{TS{SI=IV}}}}");
	accepted("C=${" ADD "}");
	scene_end();
}

/* ---- terminations ---- */

static void wildcards_mean_all_of_them(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	accepted("C=${" ADD "}");
	says("C=*{" CHANGE("*", "FO", "") "}", "C=1{SC=ip/1/1},C=2{SC=ip/1/2}");
	state_is("1", "ip/1/1", "SI=OS");
	state_is("2", "ip/1/2", "SI=OS");
	accepted("C=2{" CHANGE("ip/1/*", "RS", "") "}");
	state_is("1", "ip/1/1", "SI=OS");
	state_is("2", "ip/1/2", "SI=IV");
	scene_end();
}

static void out_of_service_takes_no_media(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	accepted("C=1{" CHANGE("ip/1/1", "FO", "") "}");
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}," TCP_ANY "}}}}", 502, "out of service");
	refused("C=1{MF=ip/1/1{SG{tcpbcc/EstBNC}}}", 502, "out of service");
	accepted("C=1{MF=ip/1/1{E=7{tcpbcc/BNCChange}}}");
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/RelBNC}}}");
	accepted("C=1{MF=ip/1/1{M{TS{SI=IV},ST=1{O{MO=SR}," TCP_ANY "}}}}");
	state_is("1", "ip/1/1", "SI=IV");
	accepted("C=1{MF=ip/1/1{M{TS{SI=OS}}}}");
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}," TCP_ANY "}}}}", 502, "out of service");
	accepted("C=1{S=ip/1/1}");
	scene_end();
}

/* ---- local media addresses ---- */

static void a_failed_address_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	accepted("C=${A=$}"); /* stands nowhere */
	stage_forget(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_FAILED);
	notified("C=1{SC=ip/1/1{SV{MT=FO,RE=\"906 Loss of lower");
	ordered("release 0 abort");
	assert_int_equal(st.requests, 1);
	state_is("1", "ip/1/1", "SI=OS");
	state_is("2", "ip/1/2", "SI=IV");
	refused("C=${" ADD "}", 510, "in service");
	refused("C=${A=$ {M{ST=1{L{\nv=0\nc=IN IP4 192.0.2.1\nm=message $ TCP/MSRP *\n}}}}}", 449,
	        "out of service");
	accepted("C=${A=$ {M{ST=1{L{\nv=0\nc=IN IP6 $\nm=message $ TCP/MSRP *\n}}}}}");
	stage_forget(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_FAILED); /* nothing new */
	mg_address_set(st.mg, 0, MG_ADDRESS_GOOD);
	assert_int_equal(st.requests, 0); /* one after the other */
	stage_answer(&st);
	notified("C=1{SC=ip/1/1{SV{MT=RS,RE=\"900 Service Restored\"}}}");
	state_is("1", "ip/1/1", "SI=IV");
	accepted("C=${" ADD "}");
	scene_end();
}

static void a_withdrawn_address_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	stage_forget(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_WITHDRAWN);
	notified("C=1{SC=ip/1/1{SV{MT=GR,RE=\"905 Termination taken out of service\"}}}");
	ordered("");
	state_is("1", "ip/1/1", "SI=IV"); /* 7.2.8: not before it is in the null context */
	refused("C=${" ADD "}", 510, "in service");
	stage_answer(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_GOOD);
	notified("C=1{SC=ip/1/1{SV{MT=RS,RE=\"918");
	stage_answer(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_FAILED);
	notified("MT=FO,RE=\"906");
	stage_answer(&st);
	stage_forget(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_WITHDRAWN); /* up again, but not for long */
	notified("MT=RS,RE=\"900");
	stage_answer(&st);
	notified("MT=GR,RE=\"905");
	state_is("1", "ip/1/1", "SI=IV");
	scene_end();
}

static void all_of_them_are_told_at_once(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "," ADD "}");
	accepted("C=${" ADD "}");
	stage_forget(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_FAILED);
	assert_int_equal(st.requests, 1);
	notified("T=1{C=*{SC=*{SV{MT=FO,RE=\"906");
	state_is("1", "ip/1/1", "SI=OS");
	state_is("2", "ip/1/3", "SI=OS");
	stage_answer(&st);
	mg_address_set(st.mg, 0, MG_ADDRESS_WITHDRAWN);
	notified("C=*{SC=*{SV{MT=RS,RE=\"900");
	stage_answer(&st);
	notified("C=*{SC=*{SV{MT=GR,RE=\"905");
	scene_end();
}

static void a_change_waits_for_a_controller(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "}");
	stage_forget(&st);
	st.unreachable = true;
	mg_address_set(st.mg, 0, MG_ADDRESS_FAILED);
	assert_int_equal(st.requests, 0);
	st.unreachable = false;
	mg_resume(st.mg);
	notified("MT=FO,RE=\"906");
	stage_silence(&st); /* it dies as well: the next one hears it */
	assert_int_equal(st.requests, 2);
	scene_end();
}

static void given_up_means_all_is_gone(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD "," ADD "}");
	accepted("C=${" ADD "}");
	accepted("C=-{MF=ROOT{E=5{it/ito{mit=100}}}}");
	accepted(ROOT_CHANGE("GR", ",DL=60"));
	mg_give_up(st.mg);
	time_passes(100000);
	state_is("-", "ROOT", "SI=IV");
	says("C=-{AV=ROOT{AT{E}}}", "C=-{AV=ROOT{E}}");
	assert_int_equal(st.contexts, 0);
	assert_int_equal(st.idles, 1);
	says("C=*{AV=ROOT{AT{}}}", "C=*{AV=ROOT}");
	accepted("C=${" ADD "}");
	scene_end();
}

/* ---- load ---- */

static void overload_by_contexts(void **state)
{
	struct mg_counts counts;

	(void)state;
	start_with((struct mg_settings){
	        .overload_contexts = 10, .overload_priority = 12, .overload_reduction = 30 });
	accepted("C=-{MF=ROOT{E=5{ocp/mg_overload,chp/MGCon}}}");
	for (int i = 0; i < 10; i++)
		accepted("C=${A=$}");
	stage_forget(&st);
	refused("C=${A=$}", 511, "overloaded");
	notified("C=-{N=ROOT{OE=5{");
	notified("chp/MGCon{reduction=30}");
	stage_answer(&st);
	refused("C=${A=$}", 511, "overloaded");
	notified("ocp/mg_overload");
	refused("C=${A=$}", 511, "overloaded");
	refused("C=${A=$}", 511, "overloaded");
	assert_int_equal(st.requests, 2); /* one that is not answered is enough */
	/* 6.1.1: precedence of emergency, IEPS and priority */
	refused("C=${PR=11,A=$}", 511, "");
	accepted("C=${PR=12,A=$}");
	accepted("C=${EG,A=$}");
	accepted_v(3, "C=${IEPS=ON,A=$}");
	accepted("C=1{A=$}"); /* a call that was let in goes on */
	mg_counts(st.mg, &counts);
	assert_int_equal(counts.overload_refused, 5);
	/* It ends below nine tenths, not at once. */
	stage_answer(&st);
	for (int i = 13; i > 9; i--) {
		char text[64];

		snprintf(text, sizeof(text), "C=%d{S=*}", i);
		accepted(text);
	}
	refused("C=${A=$}", 511, "");
	stage_answer(&st);
	stage_forget(&st);
	accepted("C=9{S=*}");
	accepted("C=${A=$}");
	notified("chp/MGCon{reduction=0}");
	scene_end();
}

/* A controller that was told to send no calls at all sends none by which we would see the end. */
static void the_end_of_an_overload_is_told_when_it_comes(void **state)
{
	(void)state;
	start_with((struct mg_settings){ .overload_contexts = 2, .overload_reduction = 100 });
	accepted("C=-{MF=ROOT{E=5{chp/MGCon}}}");
	accepted("C=${A=$}");
	accepted("C=${A=$}");
	refused("C=${A=$}", 511, "overloaded");
	notified("chp/MGCon{reduction=100}");
	stage_answer(&st);
	accepted("C=1{S=*}");
	notified("chp/MGCon{reduction=0}");
	scene_end();
}

static void overload_by_the_control_thread(void **state)
{
	(void)state;
	start_with((struct mg_settings){ .overload_busy = 80 });
	accepted("C=-{MF=ROOT{E=5{chp/MGCon}}}");
	stage_forget(&st);
	mg_busy_tell(st.mg, 79);
	accepted("C=${A=$}");
	mg_busy_tell(st.mg, 80);
	notified("chp/MGCon{reduction=50}");
	refused("C=${A=$}", 511, "overloaded");
	mg_busy_tell(st.mg, 72);
	refused("C=${A=$}", 511, "overloaded");
	stage_answer(&st);
	mg_busy_tell(st.mg, 71);
	notified("chp/MGCon{reduction=0}");
	accepted("C=${A=$}");
	scene_end();
}

static void overload_is_told_to_who_asks(void **state)
{
	(void)state;
	start_with((struct mg_settings){ .overload_busy = 80 });
	mg_busy_tell(st.mg, 100);
	refused("C=${A=$}", 511, "overloaded");
	assert_int_equal(st.requests, 0);
	scene_end();
}

/* ---- hanging terminations ---- */

static void hanging_is_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=$ {E=9{hangterm/thb{timerx=60}}}}");
	stage_forget(&st);
	time_passes(59999);
	assert_int_equal(st.requests, 0);
	time_passes(1);
	notified("C=1{N=ip/1/1{OE=9{");
	notified("hangterm/thb");
	time_passes(60000);
	assert_int_equal(st.requests, 1); /* the first one is still out */
	time_passes(30000);
	stage_answer(&st); /* an answer is a word about it */
	time_passes(30000);
	assert_int_equal(st.requests, 1);
	time_passes(30000);
	assert_int_equal(st.requests, 2);
	stage_answer(&st);
	/* So is a command. */
	time_passes(50000);
	accepted("C=1{AV=ip/1/1{AT{}}}");
	time_passes(50000);
	assert_int_equal(st.requests, 2);
	time_passes(10000);
	assert_int_equal(st.requests, 3);
	stage_answer(&st);
	accepted("C=1{MF=ip/1/1{E=9{hangterm/thb{timerx=0}}}}");
	time_passes(1000000);
	assert_int_equal(st.requests, 3);
	accepted("C=1{MF=ip/1/1{E=9{hangterm/thb{timerx=1}}}}");
	accepted("C=1{MF=ip/1/1{E}}");
	time_passes(1000000);
	assert_int_equal(st.requests, 3);
	assert_true(mg_deadline(st.mg) == UINT64_MAX);
	scene_end();
}

static void hanging_by_configuration(void **state)
{
	(void)state;
	start_with((struct mg_settings){ .hanging_ms = 3600000 });
	accepted("C=${A=$ {E=9{hangterm/thb}},A=$ {E=9{hangterm/*}},A=$}");
	stage_forget(&st);
	time_passes(3600000);
	assert_int_equal(st.requests, 2);
	accepted("C=1{S=ip/1/1}"); /* with its timer */
	stage_answer(&st);
	stage_answer(&st);
	time_passes(3600000);
	assert_int_equal(st.requests, 3);
	refused("C=-{MF=ROOT{E=9{hangterm/thb}}}", 512, "");
	scene_end();
}

/* ---- the table ---- */

static void every_state_can_be_reached_and_left(void **state)
{
	bool reached[MG_SERVICE_STATES] = { [MG_SERVICE_IN] = true };
	bool left[MG_SERVICE_STATES] = { false };
	struct mg_service_row row;

	(void)state;
	for (int pass = 0; pass < MG_SERVICE_STATES; pass++)
		for (size_t i = 0; mg_service_row(i, &row); i++) {
			reached[row.next] |= reached[row.state];
			left[row.state] |= row.state != row.next;
		}
	for (int i = 0; i < MG_SERVICE_STATES; i++)
		assert_true(reached[i] && left[i]);
}

static void draw(struct base_writer *w)
{
	struct mg_service_row row;

	base_writer_text(w,
	                 "# Service states, of ROOT and of terminations\n"
	                 "\n"
	                 "Printed from the table in `src/mg/service_state.c` by "
	                 "`tests/mg/test_service.c`, which fails when\n"
	                 "the two differ (`GATEHOUSE_UPDATE_DOCS=1` writes it anew). "
	                 "Clauses: RFC 3525, 7.1.5, 7.2.8.\n"
	                 "Audits tell InService in `in` and `closing`, OutOfService in `out` and "
	                 "`returning`. Events\n"
	                 "without a row change nothing.\n"
	                 "\n"
	                 "```mermaid\n"
	                 "stateDiagram-v2\n"
	                 "    [*] --> in\n");
	for (size_t i = 0; mg_service_row(i, &row); i++)
		base_writer_printf(w, "    %s --> %s: %s / %s\n", mg_service_name(row.state),
		                   mg_service_name(row.next), row.event, row.action);
	base_writer_text(w, "```\n"
	                    "\n"
	                    "| State | Event | Action | Next |\n"
	                    "|---|---|---|---|\n");
	for (size_t i = 0; mg_service_row(i, &row); i++)
		base_writer_printf(w, "| %s | %s | %s | %s |\n", mg_service_name(row.state),
		                   row.event, row.action, mg_service_name(row.next));
}

static void the_picture_is_up_to_date(void **state)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	struct base_writer want = { 0 };
	char path[1024], have[16384];
	size_t len;
	FILE *f;

	(void)state;
	if (!root) {
		print_message("GATEHOUSE_SOURCE_ROOT is not set\n");
		skip();
	}
	draw(&want);
	snprintf(path, sizeof(path), "%s/docs/state-service.md", root);
	if (getenv("GATEHOUSE_UPDATE_DOCS")) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(want.data, 1, want.len, f), want.len);
		fclose(f);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(have, 1, sizeof(have) - 1, f);
	have[len] = '\0';
	fclose(f);
	assert_string_equal(have, base_writer_cstr(&want));
	base_writer_done(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graceful_root_with_a_delay),
		cmocka_unit_test(graceful_root_waits_for_the_last_context),
		cmocka_unit_test(graceful_can_be_taken_back),
		cmocka_unit_test(restart_of_root_with_a_delay),
		cmocka_unit_test(nobody_opens_the_others_door),
		cmocka_unit_test(root_out_of_service_by_modify),
		cmocka_unit_test(wildcards_mean_all_of_them),
		cmocka_unit_test(out_of_service_takes_no_media),
		cmocka_unit_test(a_failed_address_is_told),
		cmocka_unit_test(a_withdrawn_address_is_told),
		cmocka_unit_test(all_of_them_are_told_at_once),
		cmocka_unit_test(a_change_waits_for_a_controller),
		cmocka_unit_test(given_up_means_all_is_gone),
		cmocka_unit_test(overload_by_contexts),
		cmocka_unit_test(the_end_of_an_overload_is_told_when_it_comes),
		cmocka_unit_test(overload_by_the_control_thread),
		cmocka_unit_test(overload_is_told_to_who_asks),
		cmocka_unit_test(hanging_is_told),
		cmocka_unit_test(hanging_by_configuration),
		cmocka_unit_test(every_state_can_be_reached_and_left),
		cmocka_unit_test(the_picture_is_up_to_date),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
