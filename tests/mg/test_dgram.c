/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of datagrams: RTP, UDPTL, BFCP over UDP in Local and Remote (docs/datagrams.md). */
#include "scene.h"

#include <errno.h>

#define LOCAL(proto, more)     "L{\nv=0\nc=IN IP4 $\nm=audio $ " proto " 0\n" more "}"
#define REMOTE(proto, more)    "R{\nv=0\nc=IN IP4 198.51.100.7\nm=audio 7000 " proto " 0\n" more "}"
#define STREAM(control, media) "M{ST=1{O{MO=SR" control "}," media "}}"
#define ADD(control, media)    "C=${A=${" STREAM(control, media) "}}"
#define MUX                    "a=rtcp-mux\n"

static void an_endpoint_is_what_local_says(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL("RTP/AVP", "")));
	contains("m=audio 40000 RTP/AVP 0");
	ordered("add 0 udp rtp rtcp to 0");
	accepted(ADD("", LOCAL("udptl", "") "," REMOTE("udptl", "")));
	ordered("add 1 udp to 7000");
	accepted(ADD("", LOCAL("UDP/BFCP", "") "," REMOTE("UDP/BFCP", "")));
	ordered("add 2 udp to 7000");
	accepted(ADD("",
	             LOCAL("rtp/avpf", "") "," REMOTE("RTP/AVPF", "a=rtcp:7777 IN IP4 9.9.9.9\n")));
	ordered("add 3 udp rtp rtcp to 7000/7777");
	scene_end();
}

static void what_has_no_keys_here_is_refused(void **state)
{
	static const char *const protos[] = { "RTP/SAVP", "RTP/SAVPF", "UDP", "UDP/DTLS/SCTP",
		                              "DCCP/RTP/AVP" };
	char actions[512];

	(void)state;
	scene_start();
	for (size_t i = 0; i < BASE_COUNT(protos); i++) {
		snprintf(actions, sizeof(actions),
		         "C=${A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=audio $ %s 0\n}}}}}",
		         protos[i]);
		refused(actions, 515, "is not supported");
	}
	/* An alternative that is understood is taken. */
	accepted("C=${A=${M{ST=1{O{MO=SR},L{\nv=0\nc=IN IP4 $\nm=audio $ RTP/SAVP 0\n"
	         "v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 0\n}}}}}");
	contains("RTP/AVP 0");
	lacks("SAVP");
	scene_end();
}

static void rtcp_is_muxed_when_both_say_so(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL("RTP/AVP", MUX) "," REMOTE("RTP/AVP", MUX)));
	ordered("add 0 udp rtp mux to 7000/7000");
	/* An offer that may be answered either way keeps the port. */
	accepted(ADD("", LOCAL("RTP/AVP", MUX)));
	ordered("add 1 udp rtp rtcp mux to 0");
	accepted("C=2{MF=ip/1/2{M{ST=1{" REMOTE("RTP/AVP", MUX) "}}}}");
	ordered("aim 1 to 7000/7000");
	accepted("C=2{MF=ip/1/2{M{ST=1{" REMOTE("RTP/AVP", "") "}}}}");
	ordered("aim 1 to 7000");
	accepted(ADD("", LOCAL("RTP/AVP", MUX "a=rtcp-mux-only\n")));
	ordered("add 2 udp rtp mux to 0");
	/* A peer that alone says so is sent nothing that way. */
	accepted(ADD("", LOCAL("RTP/AVP", "") "," REMOTE("RTP/AVP", MUX)));
	ordered("add 3 udp rtp rtcp to 7000");
	scene_end();
}

static void rtcp_may_be_declined(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",rtcph/rsb=off", LOCAL("RTP/AVP", "") "," REMOTE("RTP/AVP", "")));
	ordered("add 0 udp rtp to 7000");
	accepted(ADD(",rtcph/rsb=on", LOCAL("RTP/AVP", "") "," REMOTE("RTP/AVP", "")));
	ordered("add 1 udp rtp rtcp to 7000");
	refused(ADD(",rtcph/rsb=on", LOCAL("udptl", "")), 449, "rtcph/rsb");
	refused(ADD(",rtcph/rsb=on", TCP_ANY), 449, "rtcph/rsb");
	scene_end();
}

static void remote_may_change_at_any_time(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL("udptl", "")));
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}");
	ordered("aim 0 to 7000");
	accepted(
	        "C=1{MF=ip/1/1{M{ST=1{R{\nv=0\nc=IN IP4 198.51.100.8\nm=audio 7002 udptl 0\n}}}}}");
	ordered("aim 0 to 7002");
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SO}}}}}");
	ordered("mode 0 send");
	accepted("C=1{MF=ip/1/1{SG{ipnapt/latch{ST=1,napt=LATCH}}}}");
	ordered("aim 0 to 7002 latch");
	/* Who has come stays though Remote is said again; another Remote, or the signal, asks anew.
	 */
	accepted(
	        "C=1{MF=ip/1/1{M{ST=1{R{\nv=0\nc=IN IP4 198.51.100.8\nm=audio 7002 udptl 0\n}}}}}");
	ordered("");
	accepted("C=1{MF=ip/1/1{SG{ipnapt/latch{ST=1,napt=LATCH}}}}");
	ordered("aim 0 to 7002 latch");
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}");
	ordered("aim 0 to 7000 latch");
	/* Another kind of stream is another endpoint. */
	accepted("C=1{MF=ip/1/1{M{ST=1{" LOCAL("RTP/AVP", "") "," REMOTE("RTP/AVP", "") "}}}}");
	contains("m=audio 40001 RTP/AVP 0");
	scene_end();
}

/* The reply has gone when the order finds no memory, or another has the peer: then it ends. */
static void one_that_cannot_turn_does_not_go_on(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" STREAM("", LOCAL("udptl", "")) ",E=1{g/cause}}}");
	stage_forget(&st);
	st.endpoint[0].dull = true;
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}");
	ordered("release 0 abort");
	notified("g/cause");
	scene_end();
}

static void gate_and_rate_are_asked_of_it(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",gm/saf=on,ds/dscp=2e", LOCAL("RTP/AVP", "") "," REMOTE("RTP/AVP", "")));
	ordered("add 0 udp rtp rtcp to 7000 gate 0 sources=1 198.51.100.7/32 dscp=46");
	scene_end();
}

static void two_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	scene_start();
	refused(ADD("", LOCAL("RTP/AVP", "") "," REMOTE("udptl", "")), 473,
	        "Local is RTP/AVP and Remote udptl");
	refused(ADD("",
	            LOCAL("UDP/BFCP", "") ",R{\nv=0\nc=IN IP4 198.51.100.7\nm=audio 7000 TCP/BFCP "
	                                  "0\n}"),
	        473, "Local is UDP/BFCP and Remote TCP/BFCP");
	accepted(ADD("", LOCAL("UDP/BFCP", "")));
	refused("C=3{A=${" STREAM("", "L{\nv=0\nc=IN IP4 $\nm=audio $ TCP/BFCP 0\n}") "}}", 473,
	        "do not go together");
	refused("C=3{A=${" STREAM("", LOCAL("RTP/AVP", "")) "}}", 473, "do not go together");
	accepted("C=3{A=${" STREAM("", LOCAL("UDP/BFCP", "")) "}}");
	/* Nor when one comes from elsewhere. */
	accepted("C=${A=${" STREAM("", "L{\nv=0\nc=IN IP4 $\nm=audio $ TCP/BFCP 0\n}") "}}");
	accepted("C=${A=${" STREAM("", LOCAL("UDP/BFCP", "")) "}}");
	refused("C=5{MV=ip/1/7}", 473, "do not go together");
	scene_end();
}

static void what_speaks_of_connections_is_refused(void **state)
{
	(void)state;
	scene_start();
	refused("C=${A=${" STREAM("",
	                          LOCAL("udptl", "") "," REMOTE("udptl", "")) ",SG{tcpbcc/EstBNC{"
	                                                                      "ST=1}}}}",
	        473, "the stream has no TCP");
	refused("C=${A=${" STREAM("", LOCAL("udptl", "")) ",SG{tcpbcc/EstBNC}}}", 441,
	        "no such stream");
	refused("C=${A=${" STREAM("", LOCAL("udptl", "")) ",SG{tlsbsc/EstBNC{ST=1}}}}", 473,
	        "the stream has no TLS");
	refused(ADD(",seplink/link=tcp", LOCAL("udptl", "")), 488, "datagrams");
	accepted(ADD("", LOCAL("udptl", "")));
	stage_forget(&st);
	refused("C=5{MF=ip/1/5{SG{tcpbcc/RelBNC{ST=1}}}}", 473, "the stream has no TCP");
	accepted("C=5{MF=ip/1/5{SG{tcpbcc/RelBNC}}}");
	ordered("");
	scene_end();
}

/* ---- DTLS ---- */

#define SAVP       "UDP/TLS/RTP/SAVPF"
#define PRINT      "a=fingerprint:sha-256 " EIGHT ":" EIGHT ":" EIGHT ":" EIGHT "\n"
#define EIGHT      "01:23:45:67:89:AB:CD:EF"
#define OTHER      "a=fingerprint:sha-256 " EIGHT ":" EIGHT ":" EIGHT ":01:23:45:67:89:AB:CD:00\n"
#define SETUP(how) "a=setup:" how "\n"

static void setup_says_who_begins(void **state)
{
	(void)state;
	scene_start();
	/* The server waits, and shows its fingerprint. */
	accepted(ADD(
	        "", LOCAL(SAVP, MUX SETUP("passive")) "," REMOTE(SAVP, MUX SETUP("active") PRINT)));
	contains("a=fingerprint:");
	ordered("add 0 udp rtp srtp mux dtls-server hold to 7000/7000");
	/* The client waits for the signal (TS 23.334: Establish (D)TLS session). */
	accepted(ADD(
	        "", LOCAL(SAVP, MUX SETUP("active")) "," REMOTE(SAVP, MUX SETUP("passive") PRINT)));
	ordered("add 1 udp rtp srtp mux dtls-client hold to 7000/7000");
	accepted("C=2{MF=ip/1/2{SG{tlsbsc/EstBNC}}}");
	ordered("start-tls 1 client");
	accepted("C=${A=${" STREAM(
	        "", LOCAL("UDP/TLS/UDPTL", SETUP("actpass")) "," REMOTE(
	                    "UDP/TLS/UDPTL", SETUP("passive"))) ",SG{tlsbsc/EstBNC}}}");
	ordered("add 2 udp dtls-client to 7000");
	accepted(ADD(
	        "", LOCAL("UDP/TLS/BFCP", SETUP("$")) "," REMOTE("UDP/TLS/BFCP", SETUP("active"))));
	contains("a=setup:passive");
	ordered("add 3 udp dtls-server hold to 7000");
	/* The controller's own word goes before it. */
	accepted(ADD(",gatehouse/role=client",
	             LOCAL("UDP/TLS/BFCP", SETUP("passive")) "," REMOTE("UDP/TLS/BFCP", "")));
	ordered("add 4 udp dtls-client to 7000");
	refused(ADD("", LOCAL("UDP/TLS/BFCP", SETUP("active")) "," REMOTE("UDP/TLS/BFCP",
	                                                                  SETUP("active"))),
	        473, "a=setup: active in both");
	refused("C=${A=${" STREAM("",
	                          LOCAL("UDP/TLS/UDPTL", SETUP("passive"))) ",SG{tlsbsc/EstBNC}}}",
	        473, "makes this end the DTLS server");
	scene_end();
}

/* A client begins as soon as it knows where to: so whom to expect there comes first. */
static void who_the_peer_is_comes_before_where_it_is(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",gatehouse/role=client", LOCAL(SAVP, MUX)));
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	ordered("aim 0 to 7000/7000");
	assert_int_equal(st.endpoint[0].fingers_when_aimed, 1);
	scene_end();
}

static void what_is_not_built_is_refused(void **state)
{
	(void)state;
	scene_start();
	refused(ADD("", LOCAL(SAVP, "")), 501, "Local: DTLS-SRTP only with a=rtcp-mux");
	refused(ADD("", LOCAL(SAVP, MUX) "," REMOTE(SAVP, "")), 501, "Remote: DTLS-SRTP");
	accepted(ADD(",rtcph/rsb=off", LOCAL(SAVP, "") "," REMOTE(SAVP, "")));
	ordered("add 0 udp rtp srtp dtls-server hold to 7000");
	refused(ADD(",gatehouse/dom=\"psk\"", LOCAL(SAVP, MUX)), 449, "TLS domain psk has no DTLS");
	refused(ADD("", LOCAL(SAVP, MUX) "," REMOTE("RTP/AVPF", MUX)), 473, "m=");
	scene_end();
}

static void the_controller_names_srtp_profiles(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",dtlscn/srtpprof=[\"SRTP_AEAD_AES_128_GCM\",\"SRTP_AES128_CM_HMAC_SHA1_80\"]",
	             LOCAL(SAVP, MUX)));
	ordered("add 0 udp rtp srtp mux dtls-server hold 7 1 to 0");
	/* Before the handshake they may change. */
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR,dtlscn/srtpprof=[\"SRTP_AES128_CM_HMAC_SHA1_80\"]"
	         "}}}}}");
	ordered("aim 0 to 0");
	assert_int_equal(st.endpoint[0].srtp_profile, 1);
	refused(ADD(",dtlscn/srtpprof=[\"SRTP_NULL_HMAC_SHA1_80\"]", LOCAL(SAVP, MUX)), 449,
	        "dtlscn/srtpprof");
	/* What the engine lacks is left out, as long as something is left. */
	refused(ADD(",dtlscn/srtpprof=[\"SRTP_AEAD_AES_256_GCM\"]", LOCAL(SAVP, MUX)), 449,
	        "the engine of TLS domain access has none of these");
	accepted(ADD(",dtlscn/srtpprof=[\"SRTP_AEAD_AES_256_GCM\",\"SRTP_AES128_CM_HMAC_SHA1_32\"]",
	             LOCAL(SAVP, MUX)));
	refused(ADD(",dtlscn/srtpprof=[\"SRTP_AES128_CM_HMAC_SHA1_80\"]", LOCAL("RTP/AVP", "")),
	        449, "Local is not of DTLS-SRTP");
	scene_end();
}

static void another_association_is_another_endpoint(void **state)
{
	struct relay_tls_result tls = { .alert = -1, .version_name = "DTLS1.2" };

	(void)state;
	scene_start();
	accepted(ADD("", LOCAL(SAVP, MUX SETUP("passive") "a=tls-id:$\n")));
	contains("a=tls-id:");
	lacks("a=tls-id:$");
	ordered("add 0 udp rtp srtp mux dtls-server hold to 0");
	/* The answer says who it is. */
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	ordered("aim 0 to 7000/7000");
	assert_int_equal(st.endpoint[0].fingerprint_count, 1);
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	ordered("aim 0 to 7000/7000");
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX OTHER) "}}}}");
	contains("m=audio 40001");
	ordered("add 1 udp rtp srtp mux dtls-server hold to 7000/7000 remove 0");
	scene_end();
}

static void sessions_are_told_as_those_of_tls(void **state)
{
	struct relay_tls_result tls = { .alert = -1, .version_name = "DTLS1.2" };

	(void)state;
	scene_start();
	accepted("C=${A=${" STREAM(
	        "", LOCAL("UDP/TLS/UDPTL", SETUP("passive"))) ",E=1{tlsbsc/*,tcpbcc/*}}}");
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
	notified("Type=Est,Version=\"DTLS1.2\"");
	stage_answer(&st);
	stage_event_tls(&st, 0, RELAY_TLS_DOWN, RELAY_CAUSE_PEER_CLOSE, &tls);
	notified("tlsbsc/BNCChange");
	stage_answer(&st);
	stage_forget(&st);
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PEER_CLOSE);
	assert_string_equal(st.request, "");
	scene_end();
}

static void a_port_is_shared_on_request(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(",gatehouse/share=on", LOCAL("udptl", "") "," REMOTE("udptl", "")));
	ordered("add 0 udp shared to 7000");
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/share=on");
	accepted(ADD("", LOCAL("udptl", "") "," REMOTE("udptl", "")));
	ordered("add 1 udp to 7000");
	refused(ADD(",gatehouse/share=on", LOCAL("udptl", "")), 441,
	        "gatehouse/share: needs Remote");
	refused(ADD(",gatehouse/share=on", TCP_ANY "," TCP_PEER), 449, "gatehouse/share");
	scene_end();
}

#define SHARE                ",gatehouse/share=on"
#define NOWHERE(proto, more) "R{\nv=0\nc=IN IP4 0.0.0.0\nm=audio 9 " proto " 0\n" more "}"

/* At a shared port a DTLS server may wait for whom Remote has a fingerprint of, wherever it is. */
static void a_peer_may_be_known_by_its_fingerprint(void **state)
{
	(void)state;
	scene_start();
	refused(ADD(SHARE, LOCAL(SAVP, MUX SETUP("passive"))), 441, "gatehouse/pskid");
	refused(ADD(SHARE, LOCAL(SAVP, MUX SETUP("passive")) "," NOWHERE(SAVP, MUX)), 441,
	        "gatehouse/pskid");
	refused(ADD(SHARE, LOCAL(SAVP, MUX SETUP("active")) "," NOWHERE(SAVP, MUX PRINT)), 441,
	        "gatehouse/share: needs Remote");
	refused(ADD(SHARE, LOCAL("udptl", "") "," NOWHERE("udptl", PRINT)), 441, "needs Remote");
	accepted(ADD(SHARE, LOCAL(SAVP, MUX SETUP("passive")) "," NOWHERE(SAVP, MUX SETUP("active")
	                                                                                PRINT)));
	ordered("add 0 udp rtp srtp mux dtls-server hold shared to 0");
	assert_int_equal(st.endpoint[0].fingerprint_count, 1);
	/* It stays where its port is, also before anybody has come: the others go there. */
	accepted(ADD("", LOCAL("RTP/AVP", "")));
	accepted("C=6{MV=ip/1/5}");
	assert_ptr_equal(st.endpoint[1].context, st.endpoint[0].context);
	/* Where it is may be said later. */
	stage_forget(&st);
	accepted("C=6{MF=ip/1/5{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	ordered("keep 0 7000 aim 0 to 7000/7000");
	scene_end();
}

/* An address of zeros is none yet (RFC 8840, 4.1.1). */
static void zeros_are_no_address(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL("RTP/AVP", MUX) "," NOWHERE("RTP/AVP", MUX)));
	ordered("add 0 udp rtp mux to 0");
	scene_end();
}

static void what_cannot_wait_at_a_port_is_told(void **state)
{
	static const struct {
		int error;
		unsigned code;
		const char *words;
	} why[] = { { EPROTOTYPE, 473, "another TLS domain" },
		    { EXDEV, 510, "another worker" },
		    { EDESTADDRREQ, 441, "needs Remote" } };

	(void)state;
	scene_start();
	for (size_t i = 0; i < BASE_COUNT(why); i++) {
		st.add_error = why[i].error;
		refused(ADD(SHARE, LOCAL(SAVP, MUX) "," NOWHERE(SAVP, MUX PRINT)), why[i].code,
		        why[i].words);
	}
	st.add_error = 0;
	scene_end();
}

/* Another stream's peer is refused with nothing changed, not found out when it has been answered.
 */
static void the_peer_of_a_shared_port_is_claimed_while_planned(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD(SHARE, LOCAL("udptl", "") "," REMOTE("udptl", "")));
	stage_forget(&st);
	st.endpoint[0].keep_error = EADDRINUSE;
	refused("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}", 510,
	        "another stream of its shared port has that peer");
	ordered("keep 0 7000");
	st.endpoint[0].keep_error = EDESTADDRREQ;
	refused("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}", 441, "needs one");
	st.endpoint[0].keep_error = 0;
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}}}}");
	ordered("keep 0 7000 aim 0 to 7000");
	/* One that fails for another reason keeps nothing. */
	refused("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "}},E=1{no/such}}}", 440, "no/such");
	assert_false(st.endpoint[0].kept);
	refused("C=1{MF=ip/1/1{M{ST=1{" REMOTE("udptl", "") "},ST=2{O{MO=SR},L{\nv=0\nc=IN IP4 "
	                                                    "9.9.9.9\nm=audio $ udptl 0\n}}}}}",
	        449, "Local");
	assert_false(st.endpoint[0].kept);
	scene_end();
}

/* What is said of the peer is numbered, and events say by which number they go. */
static void set_ups_are_numbered(void **state)
{
	struct relay_tls_result tls = { .alert = -1,
		                        .version_name = "DTLS1.2",
		                        .srtp = TLS_SRTP_AES128_CM_SHA1_80 };

	(void)state;
	scene_start();
	accepted(ADD("", LOCAL(SAVP, MUX SETUP("passive"))));
	assert_int_equal(st.endpoint[0].mark, 0);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	assert_int_equal(st.endpoint[0].mark, 1);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX PRINT) "}}}}");
	assert_int_equal(st.endpoint[0].mark, 1);
	accepted("C=1{MF=ip/1/1{M{ST=1{" REMOTE(SAVP, MUX OTHER) "}}}}");
	assert_int_equal(st.endpoint[0].mark, 2);
	stage_forget(&st);
	stage_event_tls(&st, 0, RELAY_TLS_UP, RELAY_CAUSE_NONE, &tls);
	assert_non_null(strstr(st.log, "srtp=SRTP_AES128_CM_HMAC_SHA1_80 setup=0/2"));
	accepted("C=1{AV=ip/1/1{AT{M}}}");
	contains("gatehouse/srtp=\"SRTP_AES128_CM_HMAC_SHA1_80\"");
	scene_end();
}

static void its_end_is_no_event_of_tcp(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${A=${" STREAM("", LOCAL("udptl", "")) ",E=1{tcpbcc/*,g/cause}}}");
	stage_event(&st, 0, RELAY_TCP_FAILED, RELAY_CAUSE_RESOURCES);
	notified("g/cause");
	assert_null(strstr(st.request, "tcpbcc"));
	scene_end();
}

static void packets_are_counted(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL("RTP/AVP", "")));
	st.endpoint[0].stats.packets_in = 7;
	st.endpoint[0].stats.packets_out = 9;
	st.endpoint[0].stats.octets_in = 700;
	accepted("C=1{AV=ip/1/1{AT{SA}}}");
	contains("rtp/ps=9");
	contains("rtp/pr=7");
	contains("nt/or=700");
	lacks("rtp/pl");
	refused("C=1{MF=ip/1/1{E=1{rtp/pltrans}}}", 512, "rtp/pltrans");
	accepted("C=1{S=ip/1/1{AT{SA}}}");
	contains("rtp/pr=7");
	accepted(ADD("", LOCAL("udptl", "")));
	accepted("C=2{AV=ip/1/2{AT{SA}}}");
	lacks("rtp/");
	scene_end();
}

/* Another endpoint in its place goes on where the first one was. */
static void what_was_counted_stays_counted(void **state)
{
	(void)state;
	scene_start();
	accepted(ADD("", LOCAL(SAVP, MUX)));
	memset(&st.endpoint[0].stats, 0, sizeof(st.endpoint[0].stats));
	st.endpoint[0].stats.handshakes = 1;
	st.endpoint[0].stats.handshake_failures = 2;
	st.endpoint[0].stats.resumptions = 3;
	st.endpoint[0].stats.auth_failures = 4;
	st.endpoint[0].stats.handshake_ms = 5;
	st.endpoint[0].stats.renegotiations = 6;
	st.endpoint[0].stats.renegotiation_failures = 7;
	st.endpoint[0].stats.alerts_in = 8;
	st.endpoint[0].stats.alerts_out = 9;
	accepted("C=1{MF=ip/1/1{M{ST=1{" LOCAL("UDP/TLS/UDPTL", "") "}}}}");
	contains("m=audio 40001");
	accepted("C=1{S=ip/1/1{AT{SA}}}");
	contains("tlsbsc/hs=1,tlsbsc/hsfail=2,tlsbsc/resum=3,tlsbsc/hsauth=4,tlsbsc/hstime=5,"
	         "tlsbsc/reneg=6,tlsbsc/renegfail=7,tlsbsc/ain=8,tlsbsc/aout=9");
	scene_end();
}

static void ports_of_a_range_come_in_pairs(void **state)
{
	(void)state;
	memset(&st, 0, sizeof(st));
	st.settings = (struct mg_settings){ .port_min = 31001, .port_max = 31006 };
	stage_start(&st);
	accepted(ADD("", LOCAL("RTP/AVP", "")));
	contains("m=audio 31002 ");
	accepted(ADD("", LOCAL("udptl", "")));
	contains("m=audio 31003 "); /* the fake bearer does not know that RTCP is there */
	accepted(ADD("", LOCAL("RTP/AVP", "")));
	contains("m=audio 31004 ");
	refused(ADD("", LOCAL("RTP/AVP", "")), 510, "no free port");
	scene_end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_what_local_says),
		cmocka_unit_test(what_has_no_keys_here_is_refused),
		cmocka_unit_test(rtcp_is_muxed_when_both_say_so),
		cmocka_unit_test(rtcp_may_be_declined),
		cmocka_unit_test(remote_may_change_at_any_time),
		cmocka_unit_test(one_that_cannot_turn_does_not_go_on),
		cmocka_unit_test(gate_and_rate_are_asked_of_it),
		cmocka_unit_test(two_that_do_not_go_together_are_refused),
		cmocka_unit_test(what_speaks_of_connections_is_refused),
		cmocka_unit_test(setup_says_who_begins),
		cmocka_unit_test(who_the_peer_is_comes_before_where_it_is),
		cmocka_unit_test(what_is_not_built_is_refused),
		cmocka_unit_test(the_controller_names_srtp_profiles),
		cmocka_unit_test(another_association_is_another_endpoint),
		cmocka_unit_test(sessions_are_told_as_those_of_tls),
		cmocka_unit_test(a_port_is_shared_on_request),
		cmocka_unit_test(a_peer_may_be_known_by_its_fingerprint),
		cmocka_unit_test(zeros_are_no_address),
		cmocka_unit_test(what_cannot_wait_at_a_port_is_told),
		cmocka_unit_test(the_peer_of_a_shared_port_is_claimed_while_planned),
		cmocka_unit_test(set_ups_are_numbered),
		cmocka_unit_test(its_end_is_no_event_of_tcp),
		cmocka_unit_test(packets_are_counted),
		cmocka_unit_test(what_was_counted_stays_counted),
		cmocka_unit_test(ports_of_a_range_come_in_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
