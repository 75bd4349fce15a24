/* SPDX-License-Identifier: Apache-2.0 */
/* TCP and TLS as H.248.TLSPROF 6 to 8.9 and TS 23.333, 5.20.2 want them. */
#include "scene.h"

#define DOM(rest) "O{MO=SR,gatehouse/dom=\"access\"" rest "}"
#define PSK       "00112233445566778899aabbccddeeff"
#define SETUP(local, remote)                                                                       \
	"L{\nv=0\nc=IN IP4 $\nm=message $ TCP/MSRP *\na=setup:" local "\n},"                       \
	"R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/MSRP *\na=setup:" remote "\n}"

/* ---- TCP role (RFC 4145), SYN on request ---- */

static void the_syn_waits_for_the_request(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," SETUP("active", "passive") "}}}}");
	ordered("add 0 client");
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/EstBNC}}}");
	ordered("connect 0");
	accepted("C=1{MF=ip/1/1{SG}}");
	accepted("C=1{MF=ip/1/1{E=1{tcpbcc/*}}}");
	ordered(""); /* once is once */
	scene_end();
}

static void setup_decides_who_connects(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," SETUP("passive", "active") "}}}}");
	ordered("add 0 server");
	accepted("C=${A=${M{ST=1{O{MO=SR}," SETUP("actpass", "passive") "}}}}");
	ordered("add 1 client");
	accepted("C=${A=${M{ST=1{O{MO=SR}," SETUP("actpass", "active") "}}}}");
	ordered("add 2 server");
	refused("C=${A=${M{ST=1{O{MO=SR}," SETUP("active", "active") "}}}}", 473, "a=setup");
	refused("C=${A=${M{ST=1{O{MO=SR}," SETUP("passive", "active") "}},SG{tcpbcc/EstBNC}}}", 473,
	        "tcpbcc/EstBNC: a=setup makes this end the TCP server");
	scene_end();
}

static void the_signal_decides_where_setup_does_not(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "," TCP_PEER "}},SG{tcpbcc/EstBNC}}}");
	ordered("add 0 client connect 0");
	/* One that listens becomes one that connects: another socket, told in the reply. */
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "," TCP_PEER "}}}}");
	ordered("add 1 server");
	accepted("C=2{MF=ip/1/2{SG{tcpbcc/EstBNC{ST=1}}}}");
	contains("m=message 40002 TCP/MSRP");
	ordered("add 2 client remove 1 connect 2");
	refused("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}},SG{tcpbcc/EstBNC}}}", 441,
	        "needs Local and Remote");
	refused("C=2{MF=ip/1/2{SG{tcpbcc/EstBNC{ST=5}}}}", 449, "there is no stream 5");
	scene_end();
}

static void the_remote_may_come_later(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=message $ TCP "
	         "*\na=setup:active\n}}}}}");
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7001 TCP *\n}}},"
	         "SG{tcpbcc/EstBNC}}}");
	ordered("remote 0 7001 connect 0");
	scene_end();
}

static void release_is_ordered(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}},A=${M{ST=2{" DOM("") "," TLS_ANY "}}}}");
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/RelBNC}}}");
	ordered("release 0");
	accepted("C=1{MF=ip/1/1{SG{tcpbcc/RelBNC{Reset=on}}}}");
	ordered("release 0 abort");
	accepted("C=1{MF=ip/1/2{SG{tlsbsc/RelBNC}}}");
	ordered("release 1");
	scene_end();
}

/* ---- TLS role (8.2), independent of the TCP role (6-1) ---- */

static void the_tls_role_is_the_controllers(void **state)
{
	(void)state;
	scene_start();
	/* Without the signal: server; with it: client as soon as TCP is up. */
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "}}}}");
	ordered("add 0 server tls-server");
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "}},SG{tlsbsc/EstBNC}}}");
	ordered("add 1 server tls-client");
	/* The explicit role wins over both. */
	accepted("C=${A=${M{ST=1{" DOM(",gatehouse/role=client") "," TLS_ANY "}}}}");
	ordered("add 2 server tls-client");
	accepted("C=${A=${M{ST=1{" DOM(",gatehouse/role=server") "," TLS_ANY
	                                                         "}},SG{tlsbsc/EstBNC}}}");
	ordered("add 3 server tls-server");
	/* TCP client and TLS server. */
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "," TLS_PEER "}},SG{tcpbcc/EstBNC}}}");
	ordered("add 4 client tls-server connect 4");
	/* Later, on a waiting endpoint. */
	accepted("C=1{MF=ip/1/1{SG{tlsbsc/EstBNC}}}");
	ordered("start-tls 0 client");
	refused("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}},SG{tlsbsc/EstBNC{ST=1}}}}", 473,
	        "the stream has no TLS");
	refused("C=${A=${M{ST=1{" DOM(",gatehouse/role=both") "," TLS_ANY "}}}}", 449,
	        "gatehouse/role");
	scene_end();
}

/** Beyond the domain's setting, within the profile (7-5); it stays until said anew. */
static void renegotiation_is_said_beforehand(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" DOM(",gatehouse/reneg=accept") "," TLS_ANY "}}}}");
	ordered("add 0 server tls-server reneg 2");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/reneg=accept");
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}}}}}");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/reneg=accept");
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR,gatehouse/reneg=domain}}}}}");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	assert_null(strstr(st.reply, "gatehouse/reneg"));
	refused("C=${A=${M{ST=1{" DOM(",gatehouse/reneg=both") "," TLS_ANY "}}}}", 449,
	        "Stream 1, LocalControl gatehouse/reneg: TLS domain access, shall-not "
	        "client-initiated (a rule)");
	refused("C=${A=${M{ST=1{" DOM(",gatehouse/reneg=always") "," TLS_ANY "}}}}", 449,
	        "gatehouse/reneg");
	/* The rule is one for servers. */
	accepted("C=${A=${M{ST=1{" DOM(",gatehouse/role=client,gatehouse/reneg=both") "," TLS_ANY
	                                                                              "}}}}");
	ordered("add 1 server tls-client reneg 4");
	scene_end();
}

/* ---- the domain (8.1) ---- */

static void the_domain_is_named_or_the_default(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"psk\"}," TLS_ANY "}}}}");
	assert_ptr_equal(st.endpoint[0].domain, (void *)0x2000);
	accepted("C=${A=${M{ST=1{O{MO=SR}," TLS_ANY "}}}}");
	assert_ptr_equal(st.endpoint[1].domain, (void *)0x1000);
	accepted("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=$}," TLS_ANY "}}}}");
	contains("gatehouse/dom=\"access\""); /* chosen by us, so told */
	refused("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"nosuch\"}," TLS_ANY "}}}}", 449,
	        "Context $, Add $: Stream 1, LocalControl gatehouse/dom: no TLS domain 'nosuch'");
	mg_domains_set(st.mg, NULL, 0, NULL);
	refused("C=${A=${M{ST=1{O{MO=SR}," TLS_ANY "}}}}", 472, "no TLS domain is named");
	/* A domain that a reload took away goes on for the stream that has it. */
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}}}}");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/dom=\"psk\"");
	scene_end();
}

/* ---- fingerprints (8.3.2.2) ---- */

static void the_own_fingerprint_is_in_the_reply(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "}}}}");
	contains("a=fingerprint:sha-256 AB:AB:AB");
	/* Not where no certificate is shown. */
	accepted("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"psk\"}," TLS_ANY "}}}}");
	lacks("fingerprint");
	accepted("C=${A=${M{ST=1{O{MO=SR}," TCP_ANY "}}}}");
	lacks("fingerprint");
	/* Asked for by CHOOSE; one that claims to be ours is replaced. */
	accepted("C=${A=${M{ST=1{" DOM("") ",L{\nv=0\nc=IN IP4 $\nm=message $ TCP/TLS/MSRP *\n"
	                                   "a=fingerprint:sha-256 $\n}}}}}");
	contains("a=fingerprint:sha-256 AB:AB:AB");
	lacks("$");
	scene_end();
}

#define FINGER                                                                                     \
	"12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:"  \
	"AB:4A:AD"

static void the_peers_fingerprint_reaches_the_session(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" DOM(
	        "") "," TLS_ANY ",R{\nv=0\nc=IN IP4 198.51.100.7\n"
	            "m=message 7000 TCP/TLS/MSRP *\na=fingerprint:sha-256 " FINGER "\n}}}}}");
	assert_int_equal(st.endpoint[0].fingerprint_count, 1);
	/* None is none: the trust floor then says not authenticated. */
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "," TLS_PEER "}}}}");
	assert_int_equal(st.endpoint[1].fingerprint_count, 0);
	/* It may come with the answer. */
	accepted("C=2{MF=ip/1/2{M{ST=1{R{\nv=0\nc=IN IP4 198.51.100.7\n"
	         "m=message 7000 TCP/TLS/MSRP *\na=fingerprint:sha-256 " FINGER "\n}}}}}");
	assert_int_equal(st.endpoint[1].fingerprint_count, 1);
	refused("C=${A=${M{ST=1{" DOM("") "," TLS_ANY ",R{\nv=0\nc=IN IP4 198.51.100.7\n"
	                                  "m=message 7000 TCP/TLS/MSRP *\na=fingerprint:md5 "
	                                  "12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82\n}}}}}",
	        474, "hash function too weak");
	scene_end();
}

#define OTHER_FINGER                                                                               \
	"13:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:"  \
	"AB:4A:AD"
#define NOW_FINGER(finger)                                                                         \
	"C=1{MF=ip/1/1{M{ST=1{R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 7000 TCP/TLS/MSRP *\n"     \
	"a=fingerprint:sha-256 " finger "\n}}}}}"

/* The bearer holds the session against them; those that are said again are no others. */
static void new_fingerprints_reach_a_session_that_is_up(void **state)
{
	struct relay_tls_result tls = { .alert = -1, .version_name = "TLS1.2" };

	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" DOM("") "," TLS_ANY "}}}}");
	accepted(NOW_FINGER(FINGER));
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
	assert_int_equal(st.endpoint[0].mark, 1);
	accepted(NOW_FINGER(FINGER));
	assert_int_equal(st.endpoint[0].mark, 1);
	accepted(NOW_FINGER(OTHER_FINGER));
	assert_int_equal(st.endpoint[0].mark, 2);
	scene_end();
}

/* ---- pre-shared keys (8.3.3) ---- */

#define KEYED(rest)                                                                                \
	"O{MO=SR,gatehouse/dom=\"psk\",gatehouse/pskid=\"crypto session\",gatehouse/psk=" PSK rest \
	"}"

static void nowhere_a_key(void)
{
	static const char *const spellings[] = { PSK, "00112233445566778899AABBCCDDEEFF",
		                                 "8899aabb", "8899AABB" };

	for (size_t i = 0; i < BASE_COUNT(spellings); i++)
		if (strstr(st.reply, spellings[i]) || strstr(st.log, spellings[i]) ||
		    strstr(st.request, spellings[i]))
			fail_msg("a key is told: %s%s%s", st.reply, st.log, st.request);
}

static void a_key_is_bound_to_its_stream(void **state)
{
	static const uint8_t want[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		                        0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" KEYED(
	        ",gatehouse/pskhint=\"hint\"") "," TLS_ANY "},ST=2{O{MO=SR,"
	                                       "gatehouse/dom=\"psk\"}," TLS_ANY "}}}}");
	nowhere_a_key();
	assert_int_equal(st.endpoint[0].psk_count, 1);
	assert_int_equal(st.endpoint[0].psk_len, sizeof(want));
	assert_memory_equal(st.endpoint[0].psk, want, sizeof(want));
	assert_string_equal(st.endpoint[0].psk_id, "crypto session");
	assert_string_equal(st.endpoint[0].psk_hint, "hint");
	assert_int_equal(st.endpoint[1].psk_count, 0);
	/* It stays when only the mode changes. */
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}}}}");
	assert_int_equal(st.endpoint[0].psk_count, 1);
	scene_end();
}

/* P: a key that anybody on the way could read is no key. */
static void a_key_needs_a_guarded_way(void **state)
{
	(void)state;
	scene_start();
	st.unguarded = true;
	accepted("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"psk\"}," TLS_ANY "}}}}");
	refused("C=1{MF=ip/1/1{M{ST=1{" KEYED("") "}}}}", 402, "gatehouse/psk");
	refused("C=${A=${M{ST=1{" KEYED("") "," TLS_ANY "}}}}", 402, "use H.248 inside TLS");
	nowhere_a_key();
	assert_int_equal(st.endpoint[0].psk_count, 0);
	assert_int_equal(st.endpoints, 1); /* refused, not done without */
	st.unguarded = false;
	accepted("C=1{MF=ip/1/1{M{ST=1{" KEYED("") "}}}}");
	assert_int_equal(st.endpoint[0].psk_count, 1);
	scene_end();

	st.settings = (struct mg_settings){ .unprotected_keys = true };
	stage_start(&st);
	st.unguarded = true;
	accepted("C=${A=${M{ST=1{" KEYED("") "," TLS_ANY "}}}}");
	assert_int_equal(st.endpoint[0].psk_count, 1);
	scene_end();
}

static void a_key_is_never_told(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" KEYED("") "," TLS_ANY "}},E=1{tlsbsc/*,tcpbcc/*,g/*}}}");
	nowhere_a_key();
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	nowhere_a_key();
	accepted("C=1{AV=ip/1/1{AT{M,E,SG,SA,OE,PG,DM,EB,MD,MX}}}");
	contains("gatehouse/pskid=\"crypto session\"");
	lacks("gatehouse/psk=");
	nowhere_a_key();
	accepted("C=1{AC=ip/1/1{AT{M,E,SG,SA,OE}}}");
	nowhere_a_key();
	accepted("C=1{MF=ip/1/1{AT{M}}}");
	nowhere_a_key();
	refused("C=1{AV=ip/1/1{AT{M{ST=1{O{gatehouse/psk}}}}}}", 534, "write-only");
	refused_v(3, "C=1{AV=ip/1/1{AT{M{ST=1{O{gatehouse/psk=" PSK "}}}}}}", 534, "write-only");
	nowhere_a_key();
	/* Errors about keys do not repeat them. */
	refused("C=${A=${M{ST=1{O{gatehouse/pskid=\"a\",gatehouse/psk=" PSK "0}," TLS_ANY "}}}}",
	        449, "gatehouse/psk");
	nowhere_a_key();
	refused("C=${A=${M{ST=1{O{gatehouse/psk=" PSK "}," TLS_ANY "}}}}", 472, "without");
	nowhere_a_key();
	accepted("C=1{S=ip/1/1{AT{M,SA}}}");
	nowhere_a_key();
	scene_end();
}

static void several_keys_go_in_order(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR,gatehouse/dom=\"psk\",gatehouse/pskid=[\"a\",\"b\"],"
	         "gatehouse/psk=[0011,2233]}," TLS_ANY "}}}}");
	assert_int_equal(st.endpoint[0].psk_count, 2);
	refused("C=${A=${M{ST=1{O{gatehouse/pskid=[\"a\",\"b\"],gatehouse/psk=0011}," TLS_ANY
	        "}}}}",
	        473, "not as many keys as identities");
	scene_end();
}

/* ---- linkage (H.248.92) ---- */

static void a_setup_that_comes_in_starts_the_partners(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{O{MO=SR,seplink/link=tcp}," TCP_ANY "}}},"
	         "A=${M{ST=1{O{MO=SR}," SETUP("active", "passive") "}}}}");
	ordered("add 0 server add 1 client link 0 1");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	ordered("connect 1");
	scene_end();
}

static void tls_follows_tls(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${M{ST=1{" DOM(
	        ",seplink/link=tcp+tls") "," TLS_ANY "}}},"
	                                 "A=${M{ST=1{" DOM(
	                                         ",gatehouse/role=client") ",L{\nv=0\nc=IN IP4 "
	                                                                   "$\nm=message $ "
	                                                                   "TCP/TLS/MSRP "
	                                                                   "*\na=setup:active\n}"
	                                                                   "," TLS_PEER "}}}}");
	stage_forget(&st);
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	ordered("connect 1");
	stage_event(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE);
	ordered("start-tls 1 client");
	scene_end();
}

static void wrong_linkage_is_488(void **state)
{
	(void)state;
	scene_start();
	refused("C=${A=${M{ST=1{O{MO=SR,seplink/link=tcp}," SETUP("active", "passive") "}}}}", 488,
	        "nothing comes in at a TCP client");
	refused("C=${A=${M{ST=1{O{MO=SR,seplink/link=tcp+tls}," TCP_ANY "}}}}", 488,
	        "tcp+tls without TLS");
	accepted("C=${A=${M{ST=1{O{MO=SR,seplink/link=tcp}," TCP_ANY "}}}}");
	refused("C=3{A=${M{ST=1{O{MO=SR}," SETUP("passive", "active") "}}}}", 488,
	        "both endpoints are TCP servers");
	accepted("C=3{AV=*{AT{}}}");
	scene_end();
}

/* ---- what SDP can be wrong ---- */

static void wrong_descriptions_are_refused(void **state)
{
	(void)state;
	scene_start();
	refused("C=${A=${M{ST=1{L{\nv=0\nc=IN IP4 $\nm=audio $ RTP/SAVP 8\n}}}}}", 515, "RTP/SAVP");
	refused("C=${A=${M{ST=1{L{\nv=0\nc=IN IP4 $\n}}}}}", 474, "no m= line");
	refused("C=${A=${M{ST=1{L{\nv=0\nc=IN IP4 300.1.1.1\nm=message $ TCP *\n}}}}}", 474,
	        "Stream 1, Local");
	refused("C=${A=${M{ST=1{" TLS_ANY "," TCP_PEER "}}}}", 473, "TLS in only one");
	refused("C=${A=${M{ST=1{" TCP_ANY ",R{\nv=0\nc=IN IP4 $\nm=message 1 TCP *\n}}}}}", 449,
	        "cannot choose the peer's address");
	/* Of alternatives the first that can be (7.1.8). */
	accepted("C=${A=${M{ST=1{L{\nv=0\nc=IN IP4 $\nm=audio $ RTP/SAVP 8\nv=0\nc=IN IP4 $\n"
	         "m=message $ TCP *\n}}}}}");
	contains("m=message 40000 TCP *");
	lacks("RTP");
	scene_end();
}

static void properties_are_checked_by_the_tables(void **state)
{
	(void)state;
	scene_start();
	refused("C=${A=${M{ST=1{O{nosuch/x=1}}}}}", 440, "nosuch/x");
	refused("C=${A=${M{ST=1{O{nt/nosuch=1}}}}}", 450, "nt/nosuch");
	refused("C=${A=${M{ST=1{O{nt/jit=40}}}}}", 445, "not supported on TCP streams");
	refused("C=${A=${M{ST=1{O{root/maxNumberOfContexts=1}}}}}", 455,
	        "root/maxNumberOfContexts");
	refused("C=${A=${M{ST=1{O{tlscn/resum=on}}}}}", 534, "tlscn/resum");
	refused("C=${A=${M{ST=1{O{seplink/link=tcp,seplink/link=off}}}}}", 456, "");
	refused("C=${A=${E=1{nosuch/*}}}", 440, "nosuch");
	refused("C=${A=${E=1{tcpbcc/nosuch}}}", 451, "tcpbcc/nosuch");
	refused("C=${A=${E=1{nt/qualert}}}", 512, "nt/qualert");
	refused("C=${A=${SG{tcpbcc/nosuch}}}", 452, "tcpbcc/nosuch");
	refused("C=${A=${SG{tcpbcc/RelBNC{Nosuch=1}}}}", 446, "Nosuch");
	refused("C=${A=${SG{tcpbcc/RelBNC{Reset=maybe}}}}", 454, "tcpbcc/RelBNC");
	refused("C=${A=${SG{SL=1{tcpbcc/EstBNC}}}}", 441, "no such stream");
	refused("C=-{MF=ROOT{E=1{it/ito}}}", 457, "mit");
	refused_v(3, "C=${A=${SA{tlstv/nosuch}}}", 453, "tlstv/nosuch");
	refused_v(3, "C=${A=${M{ST=1{SA{nt/dur}}}}}", 460, "of the termination only");
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_syn_waits_for_the_request),
		cmocka_unit_test(setup_decides_who_connects),
		cmocka_unit_test(the_signal_decides_where_setup_does_not),
		cmocka_unit_test(the_remote_may_come_later),
		cmocka_unit_test(release_is_ordered),
		cmocka_unit_test(the_tls_role_is_the_controllers),
		cmocka_unit_test(renegotiation_is_said_beforehand),
		cmocka_unit_test(the_domain_is_named_or_the_default),
		cmocka_unit_test(the_own_fingerprint_is_in_the_reply),
		cmocka_unit_test(the_peers_fingerprint_reaches_the_session),
		cmocka_unit_test(new_fingerprints_reach_a_session_that_is_up),
		cmocka_unit_test(a_key_is_bound_to_its_stream),
		cmocka_unit_test(a_key_needs_a_guarded_way),
		cmocka_unit_test(a_key_is_never_told),
		cmocka_unit_test(several_keys_go_in_order),
		cmocka_unit_test(a_setup_that_comes_in_starts_the_partners),
		cmocka_unit_test(tls_follows_tls),
		cmocka_unit_test(wrong_linkage_is_488),
		cmocka_unit_test(wrong_descriptions_are_refused),
		cmocka_unit_test(properties_are_checked_by_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
