/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every error code of the Recommendation's table (sheet 6.4) from 400 to 542: what draws it from
 * this gateway, or where it is shown, or why it is never sent. A registered code without a row
 * fails.
 */
#include "scene.h"

/* In context 1: ip/1/1 with a TCP stream 1; ip/1/2 with a TLS stream 2; context 2 with ip/1/3. */
#define SCENE          "C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}},A=${M{ST=2{O{MO=SR}," TLS_ANY "}}}},C=${A=$}"

#define MODIFY(body)   "C=1{MF=ip/1/1{" body "}}"
#define CONTROL(parms) "C=1{MF=ip/1/2{M{ST=2{O{" parms "}}}}}"
#define ADD(sdp)       "C=1{A=${M{ST=9{" sdp "}}}}"
#define LOCAL(lines)   "L{\nv=0\nc=IN IP4 $\n" lines "\n}"

static const struct {
	unsigned code, version;
	const char *actions; /* NULL: not from the core, or never */
	const char *where;   /* then: the test that shows it, or why there is none */
} rows[] = {
	{ 400, 0, NULL, "blackbox/messages: what_is_no_message_gets_a_message_error" },
	{ 401, 3,
	  "C=1{MF=ip/1/1{E=1{tcpbcc/BNCChange{NBRN{EM{E=2{tcpbcc/BNCChange{NBRN{EM{E=3{tcpbcc/"
	  "BNCChange}}}}}}}}}}}",
	  NULL },
	{ 402, 0, NULL, "mg/tls: a key over an unguarded transport" },
	{ 403, 0, NULL, "h248/txn: broken_transaction_gets_403_and_the_next_is_done" },
	{ 406, 0, NULL, "h248/assoc: version_we_do_not_speak_is_refused" },
	{ 410, 2, "C=-{S=ROOT}", NULL },
	{ 411, 2, "C=77{AV=*{AT{}}}", NULL },
	{ 412, 0, NULL, "mg/commands: limits_hold" },
	{ 413, 0, NULL, "h248/text_contain" },
	{ 421, 2, "C=-{A=$}", NULL },
	{ 422, 2, "C=nosuch{AV=*{AT{}}}", NULL },
	{ 430, 2, "C=1{MF=ip/9/9}", NULL },
	{ 431, 2, "C=1{S=tdm/*}", NULL },
	{ 432, 2, "C=1{A=tdm/$}", NULL },
	{ 433, 2, "C=1{A=ip/1/1}", NULL },
	{ 434, 2, "C=1{A=$,A=$,A=$,A=$,A=$,A=$,A=$}", NULL },
	{ 435, 2, "C=1{S=ip/1/3}", NULL },
	{ 440, 2, MODIFY("E=1{dd/ce}"), NULL },
	{ 441, 2, MODIFY("SG{tcpbcc/EstBNC}"), NULL },
	{ 442, 2, "C=1{MF=ip/1/1{M{}}}", NULL },
	{ 443, 2, "C=1{N=ip/1/1{OE=1{g/sc}}}", NULL },
	{ 444, 2, MODIFY("MX=H221{ip/1/1}"), NULL },
	{ 445, 2, CONTROL("nt/jit=1"), NULL },
	{ 446, 2, MODIFY("E=1{tcpbcc/BNCChange{nosuch=1}}"), NULL },
	{ 447, 2, "C=1{S=ip/1/1{M{ST=1{O{MO=SR}}}}}", NULL },
	{ 448, 2, MODIFY("E=1{g/sc},E=2{g/sc}"), NULL },
	{ 449, 2, CONTROL("gatehouse/dom=\"nosuch\""), NULL },
	{ 450, 2, CONTROL("nt/nosuch=1"), NULL },
	{ 451, 2, MODIFY("E=1{g/nosuch}"), NULL },
	{ 452, 2, MODIFY("SG{tcpbcc/nosuch}"), NULL },
	{ 453, 3, MODIFY("SA{nt/nosuch}"), NULL },
	{ 454, 2, MODIFY("E=1{tcpbcc/BNCChange{Type=Never}}"), NULL },
	{ 455, 3, "C=1{CT{nt/jit=1}}", NULL },
	{ 456, 2, CONTROL("seplink/link=off,seplink/link=off"), NULL },
	{ 457, 2, "C=-{MF=ROOT{E=1{it/ito}}}", NULL },
	{ 458, 0, NULL, "for whoever gets a Notify: a controller" },
	{ 459, 0, NULL, "H.248.26, not realized" },
	{ 460, 3, "C=1{MF=ip/1/1{M{ST=1{SA{nt/dur}}}}}", NULL },
	{ 461, 0, NULL, "for a controller; h248/assoc takes it as an answer" },
	{ 471, 0, NULL, "no multiplexing: Mux is 444" },
	{ 472, 2, CONTROL("gatehouse/psk=00"), NULL },
	{ 473, 2,
	  ADD(LOCAL("m=message $ TCP *\na=setup:active") ",R{\nv=0\nc=IN IP4 198.51.100.7\n"
	                                                 "m=message 7 TCP *\na=setup:active\n}"),
	  NULL },
	{ 474, 2, ADD("L{\nv=0\nnonsense\n}"), NULL },
	{ 475, 0, NULL, "H.248.66, not realized" },
	{ 476, 0, NULL, "H.248.66, not realized" },
	{ 477, 0, NULL, "H.248.66, not realized" },
	{ 478, 0, NULL, "H.248.63, not realized" },
	{ 479, 0, NULL, "H.248.19, not realized" },
	{ 480, 0, NULL, "H.248.74, not realized" },
	{ 481, 0, NULL, "H.248.76, not realized" },
	{ 482, 0, NULL, "H.248.76, not realized" },
	{ 483, 0, NULL, "H.248.74, not realized" },
	{ 484, 0, NULL, "H.248.74, not realized" },
	{ 485, 0, NULL, "H.248.48, not realized" },
	{ 486, 0, NULL, "H.248.48, not realized" },
	{ 487, 0, NULL, "H.248.48, not realized" },
	{ 488, 2, "C=1{MF=ip/1/1{M{ST=1{O{MO=SR,seplink/link=tcp+tls}}}}}", NULL },
	{ 489, 0, NULL, "no stream grouping" },
	{ 500, 0, NULL, "our own fault; h248/txn answers with it what cannot be written" },
	{ 501, 2, MODIFY("M{TS{SI=TE}}"), NULL },
	{ 502, 0, NULL, "mg/service: refused out of service" },
	{ 503, 0, NULL, "mg/commands: limits_hold" },
	{ 504, 0, NULL, "h248/assoc: another_controller_gets_504" },
	{ 505, 0, NULL, "h248/assoc: request_before_the_reply_gets_505" },
	{ 506, 0, NULL, "h248/txn: pending_limit_ends_it_with_506" },
	{ 507, 0, NULL, "H.248.67, not realized" },
	{ 510, 0, NULL, "mg/stress: without_memory_nothing_happens" },
	{ 511, 0, NULL, "mg/move: one_on_its_way_is_waited_for" },
	{ 512, 2, MODIFY("E=1{nt/netfail}"), NULL },
	{ 513, 2, "C=-{MF=ROOT{SG{tcpbcc/EstBNC}}}", NULL },
	{ 514, 0, NULL, "no announcements" },
	{ 515, 2, ADD(LOCAL("m=audio $ RTP/SAVP 0")), NULL },
	{ 517, 2, CONTROL("MO=LB"), NULL },
	{ 518, 0, NULL, "in a Notify; mg/buffer: a_full_buffer_is_told_once" },
	{ 519, 0, NULL, "mg/audit: digit_maps_by_name" },
	{ 520, 2, MODIFY("DM=nosuch"), NULL },
	{ 521, 0, NULL, "no ServiceChange of a termination takes time here" },
	{ 522, 3, "C=1{TP{ip/1/1,ip/1/2,OWB}}", NULL },
	{ 526, 0, NULL, "bandwidth is not admitted by measure" },
	{ 529, 0, NULL, "no hardware of its own" },
	{ 530, 0, NULL, "failures of the network are events (g/cause)" },
	{ 531, 0, NULL, "failures of the network are events (g/cause)" },
	{ 532, 2, "C=1{AV=ip/1/1{AT{SA{nt/nosuch}}}}", NULL },
	{ 533, 0, NULL, "h248/ber_bounds; a reply too large for its datagram" },
	{ 534, 2, "C=1{AV=ip/1/2{AT{M{ST=2{O{gatehouse/psk}}}}}}", NULL },
	{ 540, 0, NULL, "no hooks" },
	{ 541, 0, NULL, "H.248.33, not realized" },
	{ 542, 2, "C=-{MF=ROOT{M{ST=1{O{MO=SR}}}}}", NULL },
};

static void each_code_has_its_cause(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		if (!rows[i].actions) {
			assert_non_null(rows[i].where);
			continue;
		}
		scene_start();
		accepted(SCENE);
		refused_v(rows[i].version, rows[i].actions, rows[i].code, "");
		/* Nothing came of it, and service goes on. */
		accepted("C=2{AV=ip/1/3{AT{}}}");
		scene_end();
	}
}

static void no_code_is_forgotten(void **state)
{
	(void)state;
	for (unsigned code = 400; code <= 542; code++) {
		size_t i = 0;

		while (i < BASE_COUNT(rows) && rows[i].code != code)
			i++;
		if ((i < BASE_COUNT(rows)) != (h248_error_text(code) != NULL) && code != 543)
			fail_msg("%u: %s", code,
			         h248_error_text(code) ? "no row" : "not registered");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_cause),
		cmocka_unit_test(no_code_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
