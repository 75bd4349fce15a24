/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of MSRP and BFCP that the gateway understands (docs/mg.md, "MSRP and BFCP"). */
#include "scene.h"

#define ROOM_MODE         "gatehouse_msrp/mode=room,gatehouse_msrp/room=\"sip:room@conf\""
#define USER(name)        "gatehouse_msrp/user=\"sip:" name "@home\""
#define MEMBER(name)      "ST=1{O{MO=SR," ROOM_MODE "," USER(name) "},"
#define OURS(proto, rest) "L{\nv=0\nc=IN IP4 $\nm=message $ " proto " *\na=setup:passive\n" rest "}"
#define THEIRS(proto, rest)                                                                        \
	"R{\nv=0\nc=IN IP4 198.51.100.7\nm=message 9 " proto " *\na=setup:active\n" rest "}"
#define OWN(name)  "a=path:msrp://192.0.2.1:9/" name ";tcp\n"
#define PATH(name) "a=path:msrp://" name ".home:9/" name ";tcp\n"
/* A member whose path the controller gives. */
#define COMES(name)  MEMBER(name) OURS("TCP/MSRP", OWN(name)) "," THEIRS("TCP/MSRP", PATH(name)) "}"
#define ADD(streams) "A=${M{" streams "}}"

#define FLOORS       "a=floorid:1 mstrm:10\na=floorid:2\n"
#define SERVER(rest) "ST=2{O{MO=SR,gatehouse_bfcp/mode=server" rest "},"
#define FLOOR_OURS(rest)                                                                           \
	"L{\nv=0\nc=IN IP4 $\nm=application $ TCP/BFCP *\na=setup:passive\n" rest "}}"
#define ASKS(user, properties)                                                                     \
	SERVER(properties) FLOOR_OURS("a=confid:7\na=userid:" user "\n" FLOORS)

#define RELAYED(own, rest) "ST=1{O{MO=SR,gatehouse_msrp/mode=b2b}," OURS("TCP/MSRP", own) rest "}"

/* What our path in the last reply is. */
static const char *told_path(void)
{
	static char path[256];
	const char *at = strstr(st.reply, "a=path:");

	assert_non_null(at);
	at += 7;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, " }\r\n"), at);
	return path;
}

static unsigned told_port(void)
{
	const char *at = strstr(st.reply, "m=message ");

	assert_non_null(at);
	return (unsigned)strtoul(at + 10, NULL, 10);
}

static void seated_with(const char *own)
{
	if (!strstr(st.orders, "seat ") || !strstr(st.orders, own))
		fail_msg("no seat with %s in: %s", own, st.orders);
}

/* ---- rooms ---- */

static void members_sit_down_in_one_room(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(COMES("ann")) "," ADD(COMES("bob")) "}");
	assert_non_null(strstr(st.orders, "hub 0 room sip:room@conf 0\n"));
	assert_non_null(strstr(st.orders, "seat 0 0 msrp://192.0.2.1:9/ann;tcp "
	                                  "msrp://ann.home:9/ann;tcp sip:ann@home\n"));
	assert_non_null(strstr(st.orders, "seat 1 0 msrp://192.0.2.1:9/bob;tcp "
	                                  "msrp://bob.home:9/bob;tcp sip:bob@home\n"));
	assert_null(strstr(st.orders, "link"));
	assert_int_equal(st.hubs, 1);
	/* Each sits once. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=IN," ROOM_MODE "," USER("ann") "}}}}}");
	assert_null(strstr(st.orders, "seat"));
	accepted("C=1{S=ip/1/1}");
	assert_int_equal(st.hubs_there, 1);
	accepted("C=1{S=ip/1/2}");
	assert_int_equal(st.hubs_there, 0);
	scene_end();
}

static void a_seat_waits_for_the_peers_path(void **state)
{
	char first[256];

	(void)state;
	scene_start();
	accepted("C=${" ADD(MEMBER("ann") OURS("TCP/MSRP", "a=path:$\n") "}") "}");
	assert_null(strstr(st.orders, "seat"));
	snprintf(first, sizeof(first), "%s", told_path());
	accepted("C=1{MF=ip/1/1{M{ST=1{" THEIRS("TCP/MSRP", PATH("ann")) "}}}}");
	seated_with(first);
	scene_end();
}

/* What was told stays true as long as its endpoint is there. */
static void our_path_is_told_once(void **state)
{
	char first[256];

	(void)state;
	scene_start();
	accepted("C=${" ADD(MEMBER("ann") OURS("TCP/MSRP", "a=path:$\n") "}") "}");
	snprintf(first, sizeof(first), "%s", told_path());
	/* Not seated yet. */
	accepted("C=1{MF=ip/1/1{M{" MEMBER("ann")
	                 OURS("TCP/MSRP", "a=path:$\n") "," THEIRS("TCP/MSRP", PATH("ann")) "}}}}");
	assert_string_equal(told_path(), first);
	seated_with(first);
	/* And seated. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{" MEMBER("ann") OURS("TCP/MSRP", "a=path:$\n") "}}}}");
	assert_string_equal(told_path(), first);
	assert_int_equal(st.endpoints, 1);
	scene_end();
}

static void another_path_is_another_session(void **state)
{
	char first[256], port[16];

	(void)state;
	scene_start();
	accepted("C=${" ADD(MEMBER("ann") OURS("TCP/MSRP", "a=path:$\n") "," THEIRS(
	        "TCP/MSRP", PATH("ann")) "}") "}");
	snprintf(first, sizeof(first), "%s", told_path());
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{" THEIRS("TCP/MSRP", PATH("new")) "}}}}");
	assert_int_equal(st.endpoints, 2);
	assert_true(st.endpoint[0].removed);
	/* Ours is another one too: it names the port (RFC 4975, 6). */
	assert_string_not_equal(told_path(), first);
	snprintf(port, sizeof(port), ":%u/", told_port());
	assert_non_null(strstr(told_path(), port));
	seated_with(told_path());
	assert_non_null(strstr(st.orders, "msrp://new.home:9/new;tcp"));
	/* Both at once, ours left to us again. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{" MEMBER("ann") OURS("TCP/MSRP", "a=path:$\n") "," THEIRS(
	        "TCP/MSRP", PATH("newer")) "}}}}");
	assert_non_null(strstr(st.orders, "msrp://newer.home:9/newer;tcp"));
	seated_with(told_path());
	scene_end();
}

static void who_may_speak_stays(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(COMES("ann")) "}");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=SR," ROOM_MODE "," USER("eve") "}}}}}", 501, "user");
	/* A new Local makes a new endpoint for him. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR," ROOM_MODE
	         "," USER("eve") "}," OURS("TCP/MSRP", OWN("ann")) "}}}}");
	assert_int_equal(st.endpoints, 2);
	assert_non_null(strstr(st.orders, "seat 1 0 msrp://192.0.2.1:9/ann;tcp "
	                                  "msrp://ann.home:9/ann;tcp sip:eve@home\n"));
	scene_end();
}

/* Even where one is alone in it: what its hub was made as is what its peer was told. */
static void a_hub_stays_what_it_is(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(COMES("ann") "," ASKS("1", "")) "}");
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=SR,gatehouse_msrp/mode=room,"
	        "gatehouse_msrp/room=\"sip:other@conf\"," USER("ann") "}}}}}",
	        473, "another room");
	refused("C=1{MF=ip/1/1{M{ST=2{" FLOOR_OURS("a=confid:8\na=userid:1\n") "}}}", 473,
	        "a=confid");
	accepted("C=1{S=ip/1/1}");
	accepted("C=${" ADD("ST=1{O{MO=SR,gatehouse_msrp/mode=room,"
	                    "gatehouse_msrp/room=\"sip:other@conf\"," USER("ann") "}," OURS(
	                            "TCP/MSRP", OWN("ann")) "}") "}");
	scene_end();
}

static void what_does_not_go_together_is_refused(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(COMES("ann")) "}");
	refused("C=1{" ADD("ST=1{O{MO=SR}," OURS("TCP/MSRP", "") "}") "}", 473, "another mode");
	refused("C=1{" ADD(RELAYED("", "")) "}", 473, "another mode");
	refused("C=1{" ADD("ST=1{O{MO=SR," ROOM_MODE "}," OURS("TCP/MSRP", "") "}") "}", 472,
	        "gatehouse_msrp/room and user");
	refused("C=1{" ADD("ST=1{O{MO=SR," ROOM_MODE
	                   "," USER("bob") "}," OURS("TCP/MSRP", "a=chatroom:nickname\n") "}") "}",
	        473, "a=chatroom");
	refused("C=1{" ADD(MEMBER("bob") OURS("TCP/MSRP", "a=path:nonsense\n") "}") "}", 474,
	        "a=path");
	refused("C=1{" ADD(MEMBER("bob") OURS("TCP/MSRP", "") "," THEIRS(
	                "TCP/MSRP", "a=path:http://x\n") "}") "}",
	        474, "a=path");
	refused("C=1{" ADD(MEMBER("bob") OURS("TCP", "") "}") "}", 473, "is not MSRP over TCP");
	refused("C=1{" ADD("ST=1{O{MO=SR,seplink/link=tcp," ROOM_MODE
	                   "," USER("bob") "}," OURS("TCP/MSRP", "") "}") "}",
	        488, "seplink");
	refused("C=${MV=ip/1/1}", 501, "");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	refused("C=1{MF=ip/1/1{M{ST=1{O{MO=SR}}}}}", 501, "another mode");
	for (size_t i = 1; i < st.endpoints; i++)
		assert_true(st.endpoint[i].removed);
	scene_end();
}

/* ---- relays ---- */

static void a_relay_is_of_two(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(RELAYED(OWN("ann"), "," THEIRS("TCP/MSRP", PATH("ann")))) "," ADD(
	        RELAYED(OWN("bob"), "," THEIRS("TCP/MSRP", PATH("bob")))) "}");
	assert_non_null(strstr(st.orders, "hub 0 relay\n"));
	assert_non_null(strstr(st.orders, "seat 1 0 msrp://192.0.2.1:9/bob;tcp"));
	refused("C=1{" ADD(RELAYED("", "")) "}", 434, "two terminations");
	accepted("C=1{S=ip/1/1}");
	accepted("C=1{" ADD(RELAYED("", "")) "}");
	assert_int_equal(st.hubs, 1);
	scene_end();
}

/* ---- floors ---- */

static void floors_and_users_are_told_before_seats(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(ASKS("1", ",gatehouse_bfcp/name=\"Ann\",gatehouse_bfcp/chair=2")) "}");
	assert_non_null(strstr(st.orders, "hub 0 floor 7\n"
	                                  "conference 0 floors 1/0/0 2/1/0 users 1<Ann|>\n"
	                                  "seat 0 0 user 1\n"));
	stage_forget(&st);
	accepted("C=1{" ADD(ASKS("2", ",gatehouse_bfcp/third=on")) "}");
	assert_non_null(strstr(st.orders, "users 1<Ann|> 2<|>+third\nseat 1 0 user 2\n"));
	/* A name that changes is told; what does not is not. */
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{ST=2{O{MO=SR,gatehouse_bfcp/mode=server,"
	         "gatehouse_bfcp/name=\"Anna\"}}}}}");
	ordered("conference 0 floors 1/0/0 2/0/0 users 1<Anna|> 2<|>+third");
	accepted("C=1{MF=ip/1/2{M{ST=2{O{MO=SR,gatehouse_bfcp/mode=server,"
	         "gatehouse_bfcp/third=on}}}}}");
	ordered("");
	/* Who is subtracted is a user no more. */
	accepted("C=1{S=ip/1/1}");
	assert_non_null(strstr(st.orders, "conference 0 floors 1/0/0 2/0/0 users 2<|>+third\n"));
	scene_end();
}

static void users_are_numbers_of_their_own(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(ASKS("1", ",gatehouse_bfcp/chair=1")) "}");
	refused("C=1{" ADD(ASKS("1", "")) "}", 473, "a=userid");
	refused("C=1{" ADD(ASKS("2", ",gatehouse_bfcp/chair=1")) "}", 473, "two chairs");
	refused("C=1{" ADD(SERVER("") FLOOR_OURS("a=confid:8\na=userid:2\n")) "}", 473, "a=confid");
	refused("C=1{" ADD(SERVER("") FLOOR_OURS("a=confid:7\n")) "}", 472, "a=userid");
	refused("C=1{" ADD(SERVER("") FLOOR_OURS("a=userid:2\n")) "}", 472, "a=confid");
	refused("C=1{" ADD(ASKS("70000", "")) "}", 474, "a=userid");
	/* 0 would be whomever its peer says. */
	refused("C=1{" ADD(ASKS("0", "")) "}", 474, "a=userid");
	refused("C=1{" ADD(SERVER("") FLOOR_OURS("a=confid:7\na=userid:2\na=floorid:x\n")) "}", 474,
	        "a=floorid");
	/* By wildcard all would be one user. */
	accepted("C=1{" ADD(ASKS("2", "")) "}");
	refused("C=1{MF=*{M{ST=2{" FLOOR_OURS("a=confid:7\na=userid:3\n") "}}}", 473, "a=userid");
	scene_end();
}

static void too_many_floors_are_refused(void **state)
{
	static char floors[8192], actions[9000];
	size_t len = 0;

	(void)state;
	scene_start();
	for (unsigned i = 1; i <= 256; i++)
		len += (size_t)snprintf(floors + len, sizeof(floors) - len, "a=floorid:%u\n", i);
	assert_true(len < sizeof(floors));
	snprintf(actions, sizeof(actions),
	         "C=${A=${M{" SERVER("") "L{\nv=0\nc=IN IP4 $\nm=application $ TCP/BFCP *\n"
	                                 "a=confid:7\na=userid:1\n%s}}}}}",
	         floors);
	accepted(actions);
	accepted("C=1{" ADD(ASKS("2", "")) "}");
	refused("C=1{" ADD(SERVER("") FLOOR_OURS("a=confid:7\na=userid:3\na=floorid:257\n")) "}",
	        510, "256 floors");
	scene_end();
}

/* ---- keys, memory, audit ---- */

#define KEY_A            "00112233445566778899AABBCCDDEEFF"
#define KEY_B            "FFEEDDCCBBAA99887766554433221100"
#define KEYED(name, key) "gatehouse/dom=\"psk\",gatehouse/pskid=\"" name "\",gatehouse/psk=" key ","
#define KEYED_ROOM(name, key)                                                                      \
	"ST=1{O{MO=SR," KEYED(name, key) ROOM_MODE "," USER(name) "}," OURS(                       \
	        "TCP/TLS/MSRP", OWN(name)) "," THEIRS("TCP/TLS/MSRP", PATH(name)) "}"
#define KEYED_FLOOR(user, name, key)                                                               \
	"ST=2{O{MO=SR," KEYED(name, key) "gatehouse_bfcp/mode=server},"                            \
	                                 "L{\nv=0\nc=IN IP4 $\nm=application $ TCP/TLS/BFCP "      \
	                                 "*\na=confid:7\na=userid:" user "\n}}"

static void a_key_is_one_streams(void **state)
{
	static const uint8_t a[] = { 0x00, 0x11, 0x22, 0x33 }, b[] = { 0xff, 0xee, 0xdd, 0xcc };

	(void)state;
	scene_start();
	accepted("C=${" ADD(KEYED_ROOM("ann", KEY_A) "," KEYED_FLOOR("1", "annf", KEY_B)) "," ADD(
	        KEYED_ROOM("bob", KEY_B)) "}");
	assert_int_equal(st.endpoint[0].psk_count, 1);
	assert_memory_equal(st.endpoint[0].psk, a, sizeof(a));
	assert_string_equal(st.endpoint[0].psk_id, "ann");
	assert_memory_equal(st.endpoint[1].psk, b, sizeof(b));
	assert_string_equal(st.endpoint[1].psk_id, "annf");
	assert_string_equal(st.endpoint[2].psk_id, "bob");
	/* No audit shows one, no stream without one gets one. */
	accepted("C=1{AV=*{AT{M}}}");
	contains("gatehouse/pskid=\"ann\"");
	lacks("gatehouse/psk=");
	refused("C=1{AV=ip/1/1{AT{M{ST=1{O{gatehouse/psk}}}}}}", 534, "write-only");
	accepted("C=1{MF=ip/1/1{M{ST=3{O{MO=SR,gatehouse/dom=\"psk\"}," TLS_ANY "}}}}");
	assert_int_equal(st.endpoint[3].psk_count, 0);
	/* A new session's endpoint gets the new key, and that alone. */
	accepted("C=1{MF=ip/1/1{M{ST=1{O{MO=SR," KEYED("ann2", KEY_B) ROOM_MODE
	         "," USER("ann") "}," OURS("TCP/TLS/MSRP", OWN("two")) "}}}}");
	assert_true(st.endpoint[0].removed);
	assert_string_equal(st.endpoint[4].psk_id, "ann2");
	assert_int_equal(st.endpoint[4].psk_count, 1);
	assert_memory_equal(st.endpoint[4].psk, b, sizeof(b));
	/* A stream that is deleted and comes again has none. */
	accepted("C=1{MF=ip/1/1{M{ST=2{O{MO=SR},L{},R{}}}}}");
	assert_true(st.endpoint[1].removed);
	accepted("C=1{MF=ip/1/1{M{ST=2{O{MO=SR,gatehouse/dom=\"psk\",gatehouse_bfcp/mode=server},"
	         "L{\nv=0\nc=IN IP4 $\nm=application $ TCP/TLS/BFCP "
	         "*\na=confid:7\na=userid:1\n}}}}}");
	assert_int_equal(st.endpoint[5].psk_count, 0);
	scene_end();
}

static void what_found_no_memory_stays_due(void **state)
{
	(void)state;
	scene_start();
	st.dull_hubs = true;
	accepted("C=${" ADD(COMES("ann")) "}");
	assert_null(strstr(st.orders, "seat"));
	st.dull_hubs = false;
	accepted("C=1{MF=ip/1/1}");
	seated_with("msrp://192.0.2.1:9/ann;tcp");
	scene_end();
}

static void an_end_frees_the_stream_not_the_room(void **state)
{
	(void)state;
	scene_start();
	accepted("C=${" ADD(COMES("ann")) "," ADD(COMES("bob")) "}");
	stage_event(&st, 0, RELAY_TCP_UP, RELAY_CAUSE_NONE);
	stage_event(&st, 0, RELAY_TCP_DOWN, RELAY_CAUSE_PROTOCOL);
	stage_forget(&st);
	accepted("C=1{MF=ip/1/1{M{" COMES("ann") "}}}");
	assert_true(st.endpoint[0].removed);
	seated_with("seat 2 0 ");
	assert_int_equal(st.hubs, 1);
	scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_sit_down_in_one_room),
		cmocka_unit_test(a_seat_waits_for_the_peers_path),
		cmocka_unit_test(our_path_is_told_once),
		cmocka_unit_test(another_path_is_another_session),
		cmocka_unit_test(who_may_speak_stays),
		cmocka_unit_test(a_hub_stays_what_it_is),
		cmocka_unit_test(what_does_not_go_together_is_refused),
		cmocka_unit_test(a_relay_is_of_two),
		cmocka_unit_test(floors_and_users_are_told_before_seats),
		cmocka_unit_test(users_are_numbers_of_their_own),
		cmocka_unit_test(too_many_floors_are_refused),
		cmocka_unit_test(a_key_is_one_streams),
		cmocka_unit_test(what_found_no_memory_stays_due),
		cmocka_unit_test(an_end_frees_the_stream_not_the_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
