/* SPDX-License-Identifier: Apache-2.0 */
/* SDP in Local and Remote: shapes of the RFCs, CHOOSE, alternatives, writing. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "check.h"

#include "h248/h248.h"

static struct base_arena arena;

static int done(void **state)
{
	(void)state;
	base_arena_done(&arena);
	return 0;
}

static struct h248_sdp parse(const char *text)
{
	struct h248_sdp sdp = { 0 };
	struct base_error err = { 0 };
	int rc = h248_sdp_parse(&arena, base_str_of(text), &sdp, &err);

	if (rc)
		fail_msg("%s", err.text);
	return sdp;
}

static struct h248_sdp_group *parse_one(const char *text)
{
	struct h248_sdp sdp = parse(text);

	assert_int_equal(sdp.count, 1);
	return sdp.groups;
}

/* Written as `want`, and the same again when that is parsed. */
static void check_written(const char *text, enum h248_sdp_style style, const char *want)
{
	struct h248_sdp sdp = parse(text), again;
	struct base_writer w = { 0 };

	h248_sdp_write(&w, &sdp, style);
	assert_string_equal(base_writer_cstr(&w), want);
	again = parse(base_writer_cstr(&w));
	if (style == H248_SDP_AS_IS)
		assert_true(h248_sdp_equal(&sdp, &again));
	base_writer_done(&w);
}

#define SHA1_TEXT "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"
#define SHA256_TEXT                                                                                \
	"12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:"     \
	"7C:AB:4A:AD"

/* RFC 4975, 8.1 and 14.4; RFC 4572's fingerprint. */
static void msrp(void **state)
{
	struct h248_sdp_group *g =
	        parse_one("c=IN IP4 atlanta.example.com\r\n"
	                  "m=message 7654 TCP/TLS/MSRP *\r\n"
	                  "a=accept-types:text/plain\r\n"
	                  "a=path:msrps://atlanta.example.com:7654/jshA7weso3ks;tcp\r\n"
	                  "a=fingerprint:SHA-1 " SHA1_TEXT "\r\n");

	(void)state;
	assert_int_equal(g->connection.kind, H248_SDP_ADDRESS_NAME);
	assert_int_equal(g->connection.family, AF_INET);
	assert_true(base_str_eq(g->media.type, BASE_STR("message")));
	assert_int_equal(g->media.port, 7654);
	assert_int_equal(g->media.transport, H248_SDP_TCP);
	assert_int_equal(g->media.security, H248_SDP_TLS);
	assert_int_equal(g->media.application, H248_SDP_MSRP);
	assert_true(base_str_eq(g->media.formats->text, BASE_STR("*")));
	assert_null(g->media.formats->next);
	assert_true(base_str_eq(g->paths->text,
	                        BASE_STR("msrps://atlanta.example.com:7654/jshA7weso3ks;tcp")));
	assert_int_equal(g->fingerprints->hash, H248_SDP_SHA1);
	assert_int_equal(g->fingerprints->len, 20);
	assert_int_equal(g->fingerprints->octets[0], 0x4a);
	assert_int_equal(g->fingerprints->octets[19], 0xab);
	assert_int_equal(g->setup, H248_SDP_SETUP_ABSENT);
	assert_false(g->msrp_cema);
	assert_false(h248_sdp_group_is_open(g));
	assert_int_equal(g->lines->type, 'a');
	assert_null(g->lines->next);
}

/* RFC 4583, 9: offer and answer, one m= line each as H.248 wants it. */
static void bfcp(void **state)
{
	struct h248_sdp_group *g = parse_one("m=application 50000 TCP/TLS/BFCP *\n"
	                                     "a=setup:passive\n"
	                                     "a=connection:new\n"
	                                     "a=fingerprint:SHA-1 " SHA1_TEXT "\n"
	                                     "a=floorctrl:s-only\na=confid:4321\na=userid:1234\n"
	                                     "a=floorid:1 m-stream:10\na=floorid:2 m-stream:11");

	(void)state;
	assert_int_equal(g->media.application, H248_SDP_BFCP);
	assert_int_equal(g->setup, H248_SDP_PASSIVE);
	assert_int_equal(g->reuse, H248_SDP_NEW);
	g = parse_one("m=application 9 TCP/TLS/BFCP *\ra=setup:active\ra=connection:existing\r"
	              "a=inactive\r");
	assert_int_equal(g->media.port, 9);
	assert_int_equal(g->setup, H248_SDP_ACTIVE);
	assert_int_equal(g->reuse, H248_SDP_EXISTING);
	assert_int_equal(g->direction, H248_SDP_INACTIVE);
}

/* RFC 4145, 6 and 4: every role; the words are ABNF literals, so their case is free. */
static void setup_roles(void **state)
{
	static const struct {
		const char *text;
		enum h248_sdp_setup setup;
	} rows[] = { { "active", H248_SDP_ACTIVE },   { "passive", H248_SDP_PASSIVE },
		     { "actpass", H248_SDP_ACTPASS }, { "holdconn", H248_SDP_HOLDCONN },
		     { "$", H248_SDP_SETUP_CHOOSE },  { "Active", H248_SDP_ACTIVE } };
	char text[100];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		snprintf(text, sizeof(text),
		         "m=image 54111 TCP t38\r\nc=IN IP4 192.0.2.2\r\na=setup:%s\r\n",
		         rows[i].text);
		assert_int_equal(parse_one(text)->setup, rows[i].setup);
	}
	assert_string_equal(h248_sdp_setup_name(H248_SDP_HOLDCONN), "holdconn");
	assert_string_equal(h248_sdp_setup_name(H248_SDP_SETUP_ABSENT), "");
}

/* RFC 8122, figure 1: several fingerprints; verify against the strongest set (5.1). */
static void fingerprints(void **state)
{
	struct h248_sdp_group *g = parse_one("m=image 54111 TCP/TLS t38\r\n"
	                                     "c=IN IP4 192.0.2.2\r\n"
	                                     "a=setup:passive\r\n"
	                                     "a=connection:new\r\n"
	                                     "a=fingerprint:SHA-256 " SHA256_TEXT "\r\n"
	                                     "a=fingerprint:SHA-1 " SHA1_TEXT "\r\n"
	                                     "a=fingerprint:sha-1 " SHA1_TEXT "\r\n");

	(void)state;
	assert_int_equal(g->fingerprints->hash, H248_SDP_SHA256);
	assert_int_equal(g->fingerprints->len, 32);
	assert_int_equal(g->fingerprints->next->hash, H248_SDP_SHA1);
	assert_null(g->fingerprints->next->next); /* a repetition counts once */
	assert_int_equal(h248_sdp_fingerprint_best(g), H248_SDP_SHA256);
	/* lower case on input, upper case on output */
	check_written("m=- 1 TCP/TLS -\r\na=fingerprint:sha-1 "
	              "4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab\r\n",
	              H248_SDP_AS_IS,
	              "v=0\r\nm=- 1 TCP/TLS -\r\na=fingerprint:sha-1 " SHA1_TEXT "\r\n");
	/* a weak or unknown one beside a usable one is there, but not to verify with */
	g = parse_one("m=- 1 TCP/TLS -\na=fingerprint:md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:"
	              "DD:EE:FF\na=fingerprint:sha3-8 01\na=fingerprint:sha-1 " SHA1_TEXT "\n");
	assert_false(g->fingerprints->usable);
	assert_false(g->fingerprints->next->usable);
	assert_int_equal(h248_sdp_fingerprint_best(g), H248_SDP_SHA1);
}

/* RFC 8122, 5 and RFC 8866: the session's hold where the media description has none. */
static void levels(void **state)
{
	struct h248_sdp_group *g = parse_one(
	        "v=0\r\nc=IN IP4 192.0.2.1\r\na=setup:active\r\na=sendonly\r\n"
	        "a=fingerprint:SHA-1 " SHA1_TEXT "\r\na=tool:x\r\n"
	        "m=message 7 TCP/TLS/MSRP *\r\nc=IN IP6 2001:db8::1\r\na=setup:passive\r\n"
	        "a=fingerprint:SHA-256 " SHA256_TEXT "\r\na=x:y\r\n");

	(void)state;
	assert_int_equal(g->connection.kind, H248_SDP_ADDRESS_IP6);
	assert_int_equal(g->connection.octets[15], 1);
	assert_int_equal(g->setup, H248_SDP_PASSIVE);
	assert_int_equal(g->direction, H248_SDP_SENDONLY);
	assert_int_equal(g->fingerprints->hash, H248_SDP_SHA256);
	assert_null(g->fingerprints->next);
	assert_false(g->lines->media);
	assert_true(g->lines->next->media);
	g = parse_one("a=fingerprint:SHA-1 " SHA1_TEXT "\nm=message 7 TCP/TLS/MSRP *\na=a\n");
	assert_int_equal(g->fingerprints->hash, H248_SDP_SHA1);
}

/* RFC 8842, 4; RFC 6714, 5. */
static void tls_id_and_cema(void **state)
{
	struct h248_sdp_group *g = parse_one("m=message 7 TCP/TLS/MSRP *\n"
	                                     "a=tls-id:abc3de65cddef001be82\na=msrp-cema\n"
	                                     "a=path:msrps://r.example:1/a;tcp\n"
	                                     "a=path:msrps://b.example:2/b;tcp\n");

	(void)state;
	assert_true(base_str_eq(g->tls_id, BASE_STR("abc3de65cddef001be82")));
	assert_true(g->msrp_cema);
	assert_non_null(g->paths->next);
}

static void protos(void **state)
{
	static const struct {
		const char *proto;
		uint8_t transport, security, application;
	} rows[] = {
		{ "TCP", H248_SDP_TCP, H248_SDP_CLEAR, 0 },
		{ "tcp", H248_SDP_TCP, H248_SDP_CLEAR, 0 },
		{ "TCP/MSRP", H248_SDP_TCP, H248_SDP_CLEAR, H248_SDP_MSRP },
		{ "TCP/TLS", H248_SDP_TCP, H248_SDP_TLS, 0 },
		{ "TCP/TLS/MSRP", H248_SDP_TCP, H248_SDP_TLS, H248_SDP_MSRP },
		{ "TCP/BFCP", H248_SDP_TCP, H248_SDP_CLEAR, H248_SDP_BFCP },
		{ "TCP/TLS/BFCP", H248_SDP_TCP, H248_SDP_TLS, H248_SDP_BFCP },
		{ "UDP/BFCP", H248_SDP_UDP, H248_SDP_CLEAR, H248_SDP_BFCP },
		{ "UDP/TLS/BFCP", H248_SDP_UDP, H248_SDP_DTLS, H248_SDP_BFCP },
		{ "UDP/TLS/RTP/SAVP", H248_SDP_UDP, H248_SDP_DTLS, 0 },
		{ "UDP/TLS/RTP/SAVPF", H248_SDP_UDP, H248_SDP_DTLS, 0 },
		{ "TCP/DTLS/SCTP", H248_SDP_TCP, H248_SDP_DTLS, 0 },
		{ "RTP/AVP", H248_SDP_UDP, H248_SDP_CLEAR, 0 },
		{ "udp", H248_SDP_UDP, H248_SDP_CLEAR, 0 },
		{ "udptl", H248_SDP_UDP, H248_SDP_CLEAR, 0 },
		{ "-", H248_SDP_TRANSPORT_OTHER, H248_SDP_CLEAR, 0 },
		{ "$", H248_SDP_TRANSPORT_OTHER, H248_SDP_CLEAR, 0 },
		{ "ATM/MSRP2", H248_SDP_TRANSPORT_OTHER, H248_SDP_CLEAR, 0 },
	};
	char text[100];

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct h248_sdp_media *m;

		snprintf(text, sizeof(text), "m=application 1 %s *", rows[i].proto);
		m = &parse_one(text)->media;
		assert_int_equal(m->transport, rows[i].transport);
		assert_int_equal(m->security, rows[i].security);
		assert_int_equal(m->application, rows[i].application);
	}
}

/* RFC 3525, 7.1.8 and Appendix I: CHOOSE in each place. */
static void choose(void **state)
{
	static const char *const open[] = {
		"v=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP 4\r\na=ptime:30\r\n",
		"c=IN IP4 $\nm=message 1 TCP/TLS/MSRP *",
		"c=IN IP6 $\nm=message 1 TCP/TLS/MSRP *",
		"c=IN $ $\nm=message 1 TCP/TLS/MSRP *",
		"c=$ $ $\nm=message 1 TCP/TLS/MSRP *",
		"c=IN IP4 192.0.2.1\nm=message $ TCP/TLS/MSRP *",
		"c=IN IP4 192.0.2.1\nm=$ 1 TCP/TLS/MSRP *",
		"c=IN IP4 192.0.2.1\nm=message 1 $ *",
		"c=IN IP4 192.0.2.1\nm=audio 1 RTP/AVP $",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=setup:$",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=connection:$",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=fingerprint:$",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=fingerprint:sha-256 $",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=tls-id:$",
		"c=IN IP4 192.0.2.1\nm=message 1 TCP *\na=path:$",
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(open); i++) {
		struct h248_sdp sdp = parse(open[i]), again;
		struct base_writer w = { 0 };

		assert_true(h248_sdp_group_is_open(sdp.groups));
		h248_sdp_write(&w, &sdp, H248_SDP_AS_IS);
		again = parse(base_writer_cstr(&w));
		assert_true(h248_sdp_equal(&sdp, &again));
		base_writer_done(&w);
	}
	assert_false(h248_sdp_group_is_open(parse_one("c=IN IP4 192.0.2.1\nm=- 1 - -\na=x:$")));
}

/* 7.1.8: alternatives need v= each, a single group does not; nothing at all means release. */
static void alternatives(void **state)
{
	struct h248_sdp sdp = parse("v=0\r\nc=IN IP4 $\r\nm=message $ TCP/TLS/MSRP *\r\n"
	                            "v=0\r\nc=IN IP4 $\r\nm=message $ TCP/MSRP *\r\n");

	(void)state;
	assert_int_equal(sdp.count, 2);
	assert_int_equal(sdp.groups->media.security, H248_SDP_TLS);
	assert_int_equal(sdp.groups->next->media.security, H248_SDP_CLEAR);
	assert_int_equal(sdp.groups->next->line, 4);
	assert_null(sdp.groups->next->next);
	assert_int_equal(parse("").count, 0);
	assert_int_equal(parse(" \r\n\r\n\t").count, 0);
	assert_int_equal(parse("v=0").count, 1);
}

/* A full RFC 8866 description, as a controller may send it; order of the output is the RFC's. */
static void all_lines(void **state)
{
	(void)state;
	check_written("v=0\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\ns=Call to Jane\n"
	              "i=An\nu=http://example.com/\ne=j@example.com (Jane)\np=+1 617 555-6011\n"
	              "c=IN IP4 233.252.0.1/127/3\nb=X-YZ:128\nt=0 0\nr=7d 1h 0 25h\n"
	              "z=2882844526 -1h 2898848070 0\nk=prompt\na=recvonly\na=cat:x\n"
	              "m=audio 49170/2 RTP/AVP 0 8 97\ni=title\nb=AS:64\n"
	              "a=rtpmap:97 iLBC/8000\na=path:b\n",
	              H248_SDP_AS_IS,
	              "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
	              "s=Call to Jane\r\ni=An\r\nu=http://example.com/\r\n"
	              "e=j@example.com (Jane)\r\np=+1 617 555-6011\r\n"
	              "c=IN IP4 233.252.0.1/127/3\r\nb=X-YZ:128\r\nt=0 0\r\nr=7d 1h 0 25h\r\n"
	              "z=2882844526 -1h 2898848070 0\r\nk=prompt\r\na=cat:x\r\n"
	              "m=audio 49170/2 RTP/AVP 0 8 97\r\ni=title\r\nb=AS:64\r\n"
	              "a=path:b\r\na=recvonly\r\na=rtpmap:97 iLBC/8000\r\n");
	/* laid out by hand */
	check_written("  v=0\r\n\tc=IN IP4 $\r\n    m=audio $ RTP/AVP 18\r\n    a=ptime:20\r\n  ",
	              H248_SDP_AS_IS,
	              "v=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP 18\r\na=ptime:20\r\n");
	/* as printed in RFC 3525, Appendix I */
	check_written("v=0\no=- 2890844526 2890842807 IN IP4 124.124.124.222\ns=-\nt= 0 0\n"
	              "c=IN IP4 124.124.124.222\nm=audio 2222 RTP/AVP 4\n",
	              H248_SDP_AS_IS,
	              "v=0\r\no=- 2890844526 2890842807 IN IP4 124.124.124.222\r\ns=-\r\n"
	              "c=IN IP4 124.124.124.222\r\nt=0 0\r\nm=audio 2222 RTP/AVP 4\r\n");
}

/* What a gateway does: take the controller's group, fill it in, answer with all lines. */
static void filled_in(void **state)
{
	struct h248_sdp_group *asked = parse_one("c=IN IP4 $\nm=message $ TCP/TLS/MSRP *\n"
	                                         "a=setup:passive\na=fingerprint:sha-256 $\n");
	struct h248_sdp_group *g = h248_sdp_group_dup(&arena, asked);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(20000) };
	struct sockaddr_storage got;
	struct base_writer w = { 0 };
	uint8_t digest[32] = { 0xab };

	(void)state;
	in.sin_addr.s_addr = htonl(0xc0000201);
	assert_int_equal(base_err_class(h248_sdp_group_sockaddr(g, &got)), BASE_PEER);
	assert_int_equal(h248_sdp_group_sockaddr_set(g, (struct sockaddr *)&in), 0);
	g->fingerprints = NULL;
	assert_int_equal(h248_sdp_fingerprint_add(&arena, g, H248_SDP_SHA256, digest, 32), 0);
	assert_int_not_equal(h248_sdp_fingerprint_add(&arena, g, H248_SDP_SHA256, digest, 31), 0);
	assert_int_not_equal(h248_sdp_fingerprint_add(&arena, g, H248_SDP_MD5, digest, 16), 0);
	assert_false(h248_sdp_group_is_open(g));
	assert_true(h248_sdp_group_is_open(asked));
	assert_int_equal(h248_sdp_group_sockaddr(g, &got), 0);
	assert_memory_equal(&got, &in, sizeof(in));
	h248_sdp_group_write(&w, g, H248_SDP_FULL);
	assert_string_equal(
	        base_writer_cstr(&w),
	        "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	        "m=message 20000 TCP/TLS/MSRP *\r\na=setup:passive\r\n"
	        "a=fingerprint:sha-256 AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
	        "00:00:00:00:00:00:00:00:00:00:00:00:00\r\n");
	base_writer_done(&w);
}

static void filled_in_ip6(void **state)
{
	struct h248_sdp_group *g = parse_one("c=IN $ $\nm=message $ TCP *\n");
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(7) };
	struct sockaddr_storage got;
	struct base_writer w = { 0 };
	struct sockaddr other = { .sa_family = AF_UNIX };

	(void)state;
	in6.sin6_addr = in6addr_loopback;
	assert_int_equal(h248_sdp_group_sockaddr_set(g, (struct sockaddr *)&in6), 0);
	assert_int_equal(h248_sdp_group_sockaddr(g, &got), 0);
	assert_memory_equal(&got, &in6, sizeof(in6));
	h248_sdp_group_write(&w, g, H248_SDP_FULL);
	assert_string_equal(base_writer_cstr(&w), "v=0\r\no=- 0 0 IN IP6 ::1\r\ns=-\r\n"
	                                          "c=IN IP6 ::1\r\nt=0 0\r\nm=message 7 TCP *\r\n");
	assert_int_not_equal(h248_sdp_group_sockaddr_set(g, &other), 0);
	base_writer_done(&w);
}

static void equality(void **state)
{
	static const char *const texts[] = {
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *",
		"c=IN IP4 192.0.2.2\nm=message 7 TCP *",
		"c=IN IP6 ::1\nm=message 7 TCP *",
		"c=IN IP4 a.example\nm=message 7 TCP *",
		"c=IN IP4 192.0.2.1",
		"c=IN IP4 192.0.2.1\nm=message 8 TCP *",
		"c=IN IP4 192.0.2.1\nm=message $ TCP *",
		"c=IN IP4 192.0.2.1\nm=message 7/2 TCP *",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP/MSRP *",
		"c=IN IP4 192.0.2.1\nm=audio 7 TCP *",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP * *",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=setup:active",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=connection:new",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=inactive",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=msrp-cema",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=tls-id:$",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=path:x",
		"c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=other",
		"c=IN IP4 192.0.2.1\na=other\nm=message 7 TCP *",
		("c=IN IP4 192.0.2.1\nm=message 7 TCP *\na=fingerprint:sha-1 " SHA1_TEXT),
		"s=\nc=IN IP4 192.0.2.1\nm=message 7 TCP *",
		"o=- 0 0 IN IP4 $\nc=IN IP4 192.0.2.1\nm=message 7 TCP *",
		"v=0\nc=IN IP4 192.0.2.1\nm=message 7 TCP *\nv=0",
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		for (size_t j = 0; j < BASE_COUNT(texts); j++) {
			struct h248_sdp a = parse(texts[i]), b = parse(texts[j]);

			assert_int_equal(h248_sdp_equal(&a, &b), i == j);
		}
	}
}

/* The arena's limit stands for a heap that says no: refused, nothing half done. */
static void memory_walk(void **state)
{
	static const char text[] = "v=0\nc=IN IP4 192.0.2.1\na=x\nm=message 7 TCP/TLS/MSRP * *\n"
	                           "a=path:y\na=fingerprint:sha-1 " SHA1_TEXT "\nb=AS:1\n";
	struct h248_sdp sdp;
	int rc = -1;

	(void)state;
	for (size_t limit = 1; rc && limit < 4096; limit += 8) {
		struct base_arena small = { .limit = limit };

		rc = h248_sdp_parse(&small, BASE_STR(text), &sdp, NULL);
		if (rc)
			assert_int_equal(rc, BASE_ERR(BASE_LOCAL, 510));
		base_arena_done(&small);
	}
	assert_int_equal(rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(msrp, done),
		cmocka_unit_test_teardown(bfcp, done),
		cmocka_unit_test_teardown(setup_roles, done),
		cmocka_unit_test_teardown(fingerprints, done),
		cmocka_unit_test_teardown(levels, done),
		cmocka_unit_test_teardown(tls_id_and_cema, done),
		cmocka_unit_test_teardown(protos, done),
		cmocka_unit_test_teardown(choose, done),
		cmocka_unit_test_teardown(alternatives, done),
		cmocka_unit_test_teardown(all_lines, done),
		cmocka_unit_test_teardown(filled_in, done),
		cmocka_unit_test_teardown(filled_in_ip6, done),
		cmocka_unit_test_teardown(equality, done),
		cmocka_unit_test_teardown(memory_walk, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
