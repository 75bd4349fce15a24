/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: RFC 8855, 5 (figures 5 to 47), and RFC 4582, whose version 1 has the same attributes.
 */
#include "bfcp/bfcp.h"
#include "check.h"

static struct base_arena arena;

static int wipe(void **state)
{
	(void)state;
	base_arena_done(&arena);
	return 0;
}

static int read_hex(const char *hex, struct bfcp_message *msg)
{
	static uint8_t octets[1024];
	char plain[2048];
	size_t n = 0, len;

	for (; *hex; hex++)
		if (*hex != ' ')
			plain[n++] = *hex;
	assert_int_equal(
	        base_hex_decode((struct base_str){ plain, n }, octets, sizeof(octets), &len), 0);
	return bfcp_decode((struct base_str){ (char *)octets, len }, &arena, msg, NULL);
}

static const char *hex_of(const struct bfcp_message *msg)
{
	static char text[3072];
	struct base_writer w = { 0 };

	assert_int_equal(bfcp_encode(&w, msg), 0);
	base_hex_encode(w.data, w.len, 0, false, text);
	base_writer_done(&w);
	return text;
}

/** By hand from the figures: FloorRequest of two floors, for somebody else, with a reason. */
static void by_the_figures(void **state)
{
	static const char hex[] = "20 01 0007 00000064 0001 0002"
	                          "05 04 0001 05 04 0002"        /* FLOOR-ID */
	                          "03 04 0003"                   /* BENEFICIARY-ID */
	                          "11 0b 776f726420706c65 7a 00" /* 11 octets, padded to 12 */
	                          "09 04 8000";                  /* PRIORITY, highest */
	struct bfcp_message msg;

	(void)state;
	assert_int_equal(read_hex(hex, &msg), 0);
	assert_int_equal(msg.version, 1);
	assert_false(msg.response);
	assert_int_equal(msg.primitive, BFCP_FLOOR_REQUEST);
	assert_int_equal(msg.conference, 100);
	assert_int_equal(msg.transaction, 1);
	assert_int_equal(msg.user, 2);
	assert_int_equal(msg.floors, 2);
	assert_int_equal(msg.floor[1], 2);
	assert_int_equal(msg.beneficiary, 3);
	assert_true(base_str_eq(msg.info, BASE_STR("word plez")));
	assert_int_equal(msg.priority, BFCP_HIGHEST);
	assert_string_equal(hex_of(&msg), "200100070000006400010002050400010504000203040003"
	                                  "110b776f726420706c657a0009048000");
	assert_int_equal(read_hex("20 01 0002 00000064 0001 0002 05040001 0904e000", &msg), 0);
	assert_int_equal(msg.priority, BFCP_HIGHEST); /* 5.2.4: 7 is taken for 4 */
}

static struct bfcp_floor_state floor_state[] = {
	{ 1, { BFCP_ACCEPTED, 2, { "queued", 6 } } },
	{ 2, { BFCP_NO_STATUS, 0, { NULL, 0 } } },
};

static struct bfcp_request_info info(void)
{
	return (struct bfcp_request_info){
		.id = 7,
		.has_overall = true,
		.overall = { BFCP_ACCEPTED, 1, BASE_STR("wait") },
		.floor = floor_state,
		.floors = 2,
		.beneficiary = { true, 3, BASE_STR("Bob"), BASE_STR("sip:bob@example.com") },
		.requested_by = { true, 2, BASE_STR(""), BASE_STR("sip:alice@example.com") },
		.has_priority = true,
		.priority = BFCP_LOW,
		.info = BASE_STR("a reason"),
	};
}

static void check_info(const struct bfcp_request_info *got)
{
	assert_int_equal(got->id, 7);
	assert_int_equal(got->overall.status, BFCP_ACCEPTED);
	assert_int_equal(got->overall.queue, 1);
	assert_true(base_str_eq(got->overall.info, BASE_STR("wait")));
	assert_int_equal(got->floors, 2);
	assert_int_equal(got->floor[0].state.queue, 2);
	assert_true(base_str_eq(got->floor[0].state.info, BASE_STR("queued")));
	assert_int_equal(got->floor[1].state.status, BFCP_NO_STATUS);
	assert_true(base_str_eq(got->beneficiary.uri, BASE_STR("sip:bob@example.com")));
	assert_int_equal(got->requested_by.id, 2);
	assert_int_equal(got->requested_by.name.len, 0);
	assert_int_equal(got->priority, BFCP_LOW);
	assert_true(base_str_eq(got->info, BASE_STR("a reason")));
}

/** Every primitive with all that it can have, in both versions; cut at each octet. */
static void there_and_back(void **state)
{
	struct bfcp_request_info infos[] = { info(), info() };
	uint16_t floors[] = { 1, 2 };
	struct base_writer w = { 0 };
	struct bfcp_message msg, back;

	(void)state;
	for (unsigned p = 1; p < BFCP_PRIMITIVES; p++) {
		for (unsigned version = 1; version <= 2; version++) {
			msg = (struct bfcp_message){ .version = (uint8_t)version,
				                     .response = version == 2,
				                     .primitive = (uint8_t)p,
				                     .conference = 0xfffffffe,
				                     .transaction = 0xfffd,
				                     .user = 0xfffc };
			if (p == BFCP_FLOOR_REQUEST || p == BFCP_FLOOR_QUERY ||
			    p == BFCP_FLOOR_STATUS) {
				msg.floor = floors;
				msg.floors = 2;
			}
			if (p == BFCP_FLOOR_RELEASE || p == BFCP_FLOOR_REQUEST_QUERY)
				msg.has_request = true;
			if (p == BFCP_FLOOR_REQUEST_STATUS || p == BFCP_CHAIR_ACTION)
				msg.infos = 1;
			if (p == BFCP_USER_STATUS || p == BFCP_FLOOR_STATUS)
				msg.infos = 2;
			msg.info_of = infos;
			if (p == BFCP_ERROR) {
				msg.error = BFCP_UNKNOWN_ATTRIBUTE;
				msg.error_details = BASE_STR("\x28");
				msg.error_info = BASE_STR("why");
			}
			if (p == BFCP_HELLO_ACK) {
				msg.primitives = BASE_STR("\x01\x02\x03");
				msg.attributes = BASE_STR("\x02\x04");
			}
			base_writer_reset(&w);
			assert_int_equal(bfcp_encode(&w, &msg), 0);
			for (size_t i = 0; i < w.len; i++)
				assert_int_not_equal(
				        bfcp_decode((struct base_str){ (char *)w.data, i }, &arena,
				                    &back, NULL),
				        0);
			assert_int_equal(bfcp_decode(base_writer_view(&w), &arena, &back, NULL), 0);
			assert_int_equal(back.response, version == 2);
			assert_int_equal(back.conference, 0xfffffffe);
			assert_int_equal(back.user, 0xfffc);
			assert_int_equal(back.infos, msg.infos);
			assert_int_equal(back.floors, msg.floors);
			assert_int_equal(back.error, msg.error);
			assert_true(base_str_eq(back.primitives, msg.primitives));
			for (size_t i = 0; i < back.infos; i++)
				check_info(&back.info_of[i]);
			assert_string_not_equal(bfcp_primitive_name(p), "unknown");
		}
	}
	base_writer_done(&w);
}

/** Each with the code that a server answers it with. */
static void refused(void **state)
{
	static const struct {
		const char *hex;
		unsigned code;
	} row[] = {
		{ "", 0 },
		{ "20 01 0000 00000064 0001 00", 0 },
		{ "60 0b 0000 00000064 0001 0002", BFCP_UNSUPPORTED_VERSION },
		{ "00 0b 0000 00000064 0001 0002", BFCP_UNSUPPORTED_VERSION },
		{ "20 0b 0001 00000064 0001 0002", BFCP_WRONG_LENGTH },
		{ "20 0b 0000 00000064 0001 0002 00", BFCP_WRONG_LENGTH },
		{ "48 0b 0000 00000064 0001 0002", BFCP_WRONG_LENGTH }, /* a fragment */
		{ "20 01 0000 00000064 0001 0002", BFCP_CANNOT_PARSE }, /* no FLOOR-ID */
		{ "20 02 0002 00000064 0001 0002 07040001 07040002",
		  BFCP_CANNOT_PARSE },                                           /* two ids */
		{ "20 01 0001 00000064 0001 0002 05030001", BFCP_CANNOT_PARSE }, /* too short */
		{ "20 01 0001 00000064 0001 0002 05010001", BFCP_CANNOT_PARSE },
		{ "20 01 0001 00000064 0001 0002 05080001",
		  BFCP_CANNOT_PARSE }, /* beyond the end */
		{ "20 0d 0001 00000064 0001 0002 0d020000", BFCP_CANNOT_PARSE }, /* no error code */
		{ "20 04 0001 00000064 0001 0002 1f040001",
		  BFCP_CANNOT_PARSE }, /* no floor in it */
		{ "20 04 0003 00000064 0001 0002 1f0c0001 2308 0001 0b040000", BFCP_CANNOT_PARSE },
		{ "20 04 0003 00000064 0001 0002 1f0a0001 2308 0001 0b04", BFCP_WRONG_LENGTH },
	};
	struct bfcp_message msg;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		msg.transaction = 0;
		if (read_hex(row[i].hex, &msg) != BASE_ERR(BASE_PEER, row[i].code))
			fail_msg("%s", row[i].hex);
		if (row[i].code) /* enough is known to send an Error */
			assert_int_equal(msg.transaction, 1);
	}
}

static void unknown_things(void **state)
{
	struct bfcp_message msg;

	(void)state;
	/* types 20 (M), 21, 127 (M), and a FLOOR-REQUEST-ID where there is none */
	assert_int_equal(
	        read_hex("20 0b 0006 00000064 0001 0002 2905aabb cc000000 2a02 0000 ff02ffff"
	                 "07040001 0f02 1234",
	                 &msg),
	        0);
	assert_int_equal(msg.unknowns, 2);
	assert_int_equal(msg.unknown[0], 20);
	assert_int_equal(msg.unknown[1], 127);
	assert_false(msg.has_request);
	assert_int_equal(read_hex("20 55 0001 00000064 0001 0002 ffffffff", &msg), 0);
	assert_int_equal(msg.primitive, 0x55); /* its attributes are not looked at */
	assert_int_equal(read_hex("3f 0b 0000 00000064 0001 0002", &msg),
	                 0); /* R, F, reserved: ignored */
	assert_false(msg.response);
	/* inside groups, too */
	assert_int_equal(
	        read_hex("20 04 0004 00000064 0001 0002 1f100001 23080001 2b040000 2b040000", &msg),
	        0);
	assert_int_equal(msg.unknowns, 2);
}

static void what_does_not_fit(void **state)
{
	struct bfcp_request_info one = info();
	char text[256];
	struct bfcp_message msg = {
		.version = 1, .primitive = BFCP_FLOOR_REQUEST_STATUS, .info_of = &one, .infos = 1
	};
	struct base_writer w = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	one.info = (struct base_str){ text, 200 };
	base_writer_text(&w, "before");
	assert_int_equal(bfcp_encode(&w, &msg), BASE_ERR(BASE_BUG, 0));
	assert_string_equal(base_writer_cstr(&w), "before");
	msg = (struct bfcp_message){ .version = 1,
		                     .primitive = BFCP_FLOOR_REQUEST,
		                     .info = { text, 253 } };
	assert_int_equal(bfcp_encode(&w, &msg), 0);
	msg.info.len = 254;
	assert_int_not_equal(bfcp_encode(&w, &msg), 0);
	base_writer_done(&w);
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, wipe)
	const struct CMUnitTest tests[] = { T(by_the_figures), T(there_and_back), T(refused),
		                            T(unknown_things), T(what_does_not_fit) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
