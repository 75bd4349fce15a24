/* SPDX-License-Identifier: Apache-2.0 */
/** @file The torture messages of RFC 4475, each held against what its clause says of it. */
#include <stdio.h>

#include "check.h"
#include "shared.h"
#include "sip/sip.h"

#define FOLDER "sip-torture"

/* What each is due. `frame`: what a stream says of it, 0 = a message; NO = no SIP message at all.
 */
#define NO   1
#define MORE 2
static const struct {
	const char *name;
	unsigned fault;
	unsigned frame;
} due[] = {
	/* 3.1.1: valid */
	{ "wsinv", 0, 0 },
	{ "intmeth", 0, 0 },
	{ "esc01", 0, 0 },
	{ "escnull", 0, 0 },
	{ "esc02", 0, 0 },
	{ "lwsdisp", 0, 0 },
	{ "longreq", 0, 0 },
	{ "dblreq", 0, 0 },
	{ "semiuri", 0, 0 },
	{ "transports", 0, 0 },
	{ "mpart01", 0, 0 },
	{ "unreason", 0, 0 },
	{ "noreason", 0, 0 },
	/* 3.1.2: invalid */
	{ "badinv01", 400, 0 },
	{ "clerr", 400, MORE },
	{ "ncl", 400, 400 },
	{ "scalar02", 400, 0 },
	{ "scalarlg", 400, 0 },
	{ "quotbal", 400, 0 },
	{ "ltgtruri", 400, 0 },
	{ "lwsruri", 400, 0 },
	{ "lwsstart", 400, 0 },
	{ "trws", 400, 0 },
	{ "escruri", 400, 0 },
	{ "baddate", 0, 0 },  /* nobody here reads Date */
	{ "regbadct", 0, 0 }, /* the Contact's: see contacts */
	{ "badaspec", 400, 0 },
	{ "baddn", 400, MORE }, /* its file has no empty line, either: see text, addresses */
	{ "badvers", 505, 0 },
	{ "mismatch01", 400, 0 },
	{ "mismatch02", 400, 0 },
	{ "bigcode", 400, 0 },
	/* 3.2 to 3.4: what the parser leaves to those who act on a message */
	{ "badbranch", 0, 0 },
	{ "insuf", 400, 0 },
	{ "unkscm", 0, 0 },
	{ "novelsc", 0, 0 },
	{ "unksm2", 0, 0 },
	{ "bext01", 0, 0 },
	{ "invut", 0, 0 },
	{ "regaut01", 0, 0 },
	{ "multi01", 400, 0 },
	{ "mcl01", 400, 400 },
	{ "bcast", 0, 0 },
	{ "zeromf", 0, 0 },
	{ "cparam01", 0, 0 },
	{ "cparam02", 0, 0 },
	{ "regescrt", 0, 0 },
	{ "sdp01", 0, 0 },
	{ "inv2543", 0, 0 },
	{ "test", NO, 0 },
};

static struct shared_file *files;
static size_t file_count;

static int setup(void **state)
{
	(void)state;
	file_count = shared_folder(FOLDER, &files);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shared_free(files, file_count);
	return 0;
}

static struct base_str file_of(const char *name)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "%s.dat", name);
	for (size_t i = 0; i < file_count; i++) {
		if (!strcmp(files[i].name, full))
			return (struct base_str){ files[i].text, files[i].len };
	}
	fail_msg("no %s", full);
	return (struct base_str){ NULL, 0 };
}

static void need_files(void)
{
	if (!file_count)
		skip();
}

/** As datagrams: the fault is told, and what is at fault is not there. */
static void each_is_what_the_rfc_says(void **state)
{
	struct base_arena arena = { 0 };
	size_t seen = 0;

	(void)state;
	need_files();
	for (size_t i = 0; i < BASE_COUNT(due); i++) {
		struct sip_message msg;
		int rc = sip_message_parse(&msg, &arena, file_of(due[i].name), false);

		if ((rc != 0) != (due[i].fault == NO) || (!rc && msg.fault != due[i].fault))
			fail_msg("%s: rc %d, fault %u %s", due[i].name, rc, rc ? 0 : msg.fault,
			         rc || !msg.fault ? "" : msg.fault_text);
		base_arena_reset(&arena);
	}
	for (size_t i = 0; i < file_count; i++)
		seen += strstr(files[i].name, ".dat") != NULL;
	assert_int_equal(seen, BASE_COUNT(due)); /* none is passed over */
	base_arena_done(&arena);
}

/** As streams, and octet by octet the same. */
static void each_in_a_stream(void **state)
{
	(void)state;
	need_files();
	for (size_t i = 0; i < BASE_COUNT(due); i++) {
		struct base_str all = file_of(due[i].name);
		struct sip_framer at_once = { 0 }, slow = { 0 };
		enum sip_frame_kind kind, one = SIP_FRAME_MORE;
		size_t len = 0, n, one_len = 0;
		int rc = sip_frame(&at_once, all, &kind, &len), one_rc = 0;

		if (due[i].frame == MORE)
			assert_int_equal(kind, SIP_FRAME_MORE);
		else if (due[i].frame)
			assert_int_equal(rc, BASE_ERR(BASE_PEER, due[i].frame));
		else if (rc || kind != SIP_FRAME_MESSAGE)
			fail_msg("%s: rc %d kind %d", due[i].name, rc, kind);
		for (n = 1; n <= all.len && !one_rc && one == SIP_FRAME_MORE; n++)
			one_rc = sip_frame(&slow, (struct base_str){ all.ptr, n }, &one, &one_len);
		assert_int_equal(one_rc, rc);
		assert_int_equal(one, kind);
		assert_int_equal(one_len, len);
		if (kind == SIP_FRAME_MESSAGE)
			assert_int_equal(n - 1, len); /* and no octet later */
	}
}

static void parse(const char *name, struct base_arena *arena, struct sip_message *msg)
{
	assert_int_equal(sip_message_parse(msg, arena, file_of(name), false), 0);
}

static void is(struct base_str s, const char *text)
{
	if (!base_str_eq(s, base_str_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", BASE_FMT(s), text);
}

/** 3.1.1.1: folded, compact, padded, and still read. */
static void a_tortuous_invite(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;
	struct sip_values vias = { .msg = &msg, .id = SIP_H_VIA };
	struct base_str one;
	size_t count = 0;

	(void)state;
	need_files();
	parse("wsinv", &arena, &msg);
	is(msg.call_id, "wsinv.ndaksdj@192.0.2.1");
	assert_int_equal(msg.cseq, 9);
	assert_int_equal(msg.max_forwards, 68);
	is(msg.from_tag, "98asjd8");
	is(msg.to_tag, "1918181833n");
	is(msg.via.host, "192.0.2.2");
	is(msg.via.branch, "390skdjuw");
	while (sip_values_next(&vias, &one))
		count++;
	assert_int_equal(count, 3);
	is(sip_header_named(&msg, "UnknownHeaderWithUnusualValue")->value, ";;,,;;,;");
	assert_int_equal(msg.body.len, 150);
	base_arena_done(&arena);
}

/** 3.1.1.2, 3.1.1.3, 3.1.1.5: names are names, whatever they look like. */
static void names_as_spelled(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	need_files();
	parse("intmeth", &arena, &msg);
	assert_int_equal(msg.method, SIP_OTHER);
	is(msg.method_name, "!interesting-Method0123456789_*+`.%indeed'~");
	assert_non_null(
	        memchr(msg.to.display.ptr, 0, msg.to.display.len)); /* and NUL ends nothing */
	is(msg.to.uri, "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com");
	parse("esc01", &arena, &msg);
	is(msg.uri.user, "sips%3Auser%40example.com");
	is(msg.uri.host, "example.net");
	parse("esc02", &arena, &msg);
	assert_int_equal(msg.method, SIP_OTHER);
	parse("semiuri", &arena, &msg);
	is(msg.uri.user, "user;par=u%40example.net");
	assert_int_equal(msg.uri.params.len, 0);
	base_arena_done(&arena);
}

/** 3.1.1.4: two users, not one and not none. */
static void escaped_nulls(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;
	struct sip_values contacts = { .msg = &msg, .id = SIP_H_CONTACT };
	char key[2][SIP_URI_KEY_MAX];
	size_t len[2];
	struct base_str one;

	(void)state;
	need_files();
	parse("escnull", &arena, &msg);
	for (int i = 0; i < 2; i++) {
		struct sip_addr addr;
		struct sip_uri uri;

		assert_true(sip_values_next(&contacts, &one));
		assert_int_equal(sip_addr_parse(one, &addr), 0);
		assert_int_equal(sip_uri_parse(addr.uri, &uri), 0);
		len[i] = sip_uri_key(&uri, key[i], sizeof(key[i]));
	}
	is((struct base_str){ key[0], len[0] }, "%00@host5.example.com");
	is((struct base_str){ key[1], len[1] }, "%00%00@host5.example.com");
	assert_false(sip_values_next(&contacts, &one));
	base_arena_done(&arena);
}

/** 3.1.1.8: what follows a datagram's body is no part of it; in a stream it is the next message. */
static void two_in_one(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_framer framer = { 0 };
	enum sip_frame_kind kind;
	struct sip_message msg;
	struct base_str all;
	size_t len;

	(void)state;
	need_files();
	parse("dblreq", &arena, &msg);
	assert_int_equal(msg.method, SIP_REGISTER);
	all = file_of("dblreq");
	assert_true(msg.octets.len < all.len);
	assert_int_equal(sip_frame(&framer, all, &kind, &len), 0);
	assert_int_equal(len, msg.octets.len);
	assert_int_equal(sip_message_parse(&msg, &arena, sip_from(all, len), false), 0);
	assert_int_equal(msg.method, SIP_INVITE);
	base_arena_done(&arena);
}

/** 3.1.2.13, 3.3.12 to 3.3.14: whose parameters they are. */
static void contacts(void **state)
{
	static const struct {
		const char *name;
		int rc;
		const char *uri, *params;
	} rows[] = {
		{ "regbadct", BASE_ERR(BASE_PEER, 400), NULL, NULL },
		{ "cparam01", 0, "sip:+19725552222@gw1.example.net", ";unknownparam" },
		{ "cparam02", 0, "sip:+19725552222@gw1.example.net;unknownparam", "" },
		{ "regescrt", 0, "sip:user@example.com?Route=%3Csip:sip.example.com%3E", "" },
	};
	struct base_arena arena = { 0 };

	(void)state;
	need_files();
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct sip_message msg;
		struct sip_addr addr;

		parse(rows[i].name, &arena, &msg);
		assert_int_equal(sip_addr_parse(sip_header(&msg, SIP_H_CONTACT)->value, &addr),
		                 rows[i].rc);
		if (rows[i].rc)
			continue;
		is(addr.uri, rows[i].uri);
		is(addr.params, rows[i].params);
	}
	base_arena_done(&arena);
}

/** 3.3.2, 3.3.3: other schemes are read, and said to be others. */
static void other_schemes(void **state)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;

	(void)state;
	need_files();
	parse("unkscm", &arena, &msg);
	assert_int_equal(msg.uri.scheme, SIP_SCHEME_OTHER);
	is(msg.uri.name, "nobodyKnowsThisScheme");
	parse("novelsc", &arena, &msg);
	is(msg.uri.name, "soap.beep");
	base_arena_done(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_what_the_rfc_says),
		cmocka_unit_test(each_in_a_stream),
		cmocka_unit_test(a_tortuous_invite),
		cmocka_unit_test(names_as_spelled),
		cmocka_unit_test(escaped_nulls),
		cmocka_unit_test(two_in_one),
		cmocka_unit_test(contacts),
		cmocka_unit_test(other_schemes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
