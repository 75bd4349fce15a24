/* SPDX-License-Identifier: Apache-2.0 */
/** @file The torture messages of RFC 4475 through a proxy: each gets what it is due, or passes as
 * it came. */
#include "proxy_stage.h"
#include "shared.h"

#define FOLDER "sip-torture"

enum { FORWARDED = 1, NOTHING = 2 }; /* or a status */

static const struct {
	const char *name;
	unsigned due;
} due[] = {
	/* 3.1.1: valid */
	{ "wsinv", FORWARDED },
	{ "intmeth", FORWARDED },
	{ "esc01", FORWARDED },
	{ "escnull", FORWARDED },
	{ "esc02", FORWARDED },
	{ "lwsdisp", FORWARDED },
	{ "longreq", FORWARDED },
	{ "dblreq", FORWARDED },
	{ "semiuri", FORWARDED },
	{ "transports", FORWARDED },
	{ "mpart01", FORWARDED }, /* its Route is a strict router's */
	{ "unreason", NOTHING },  /* responses to what nobody has sent */
	{ "noreason", NOTHING },
	/* 3.1.2: invalid */
	{ "badinv01", 400 }, /* see unreadable */
	{ "clerr", 400 },
	{ "ncl", 400 },
	{ "scalar02", 400 },
	{ "scalarlg", NOTHING },
	{ "quotbal", 400 },
	{ "ltgtruri", 400 },
	{ "lwsruri", 400 },
	{ "lwsstart", 400 },
	{ "trws", 400 },
	{ "escruri", 400 },
	{ "baddate", FORWARDED },  /* 16.3, 1: nobody here reads Date */
	{ "regbadct", FORWARDED }, /* nor Contact */
	{ "badaspec", 400 },
	{ "baddn", 400 },
	{ "badvers", 505 }, /* likewise */
	{ "mismatch01", 400 },
	{ "mismatch02", 400 },
	{ "bigcode", NOTHING },
	/* 3.2 to 3.4 */
	{ "badbranch", FORWARDED }, /* by the rules of RFC 2543 */
	{ "insuf", 400 },
	{ "unkscm", 416 },
	{ "novelsc", 416 },
	{ "unksm2", FORWARDED },
	{ "bext01", 420 },
	{ "invut", FORWARDED },
	{ "regaut01", FORWARDED },
	{ "multi01", 400 },
	{ "mcl01", 400 },
	{ "bcast", NOTHING },
	{ "zeromf", 483 },
	{ "cparam01", FORWARDED },
	{ "cparam02", FORWARDED },
	{ "regescrt", FORWARDED },
	{ "sdp01", FORWARDED },
	{ "inv2543", FORWARDED },
	{ "test", NOTHING },
};

/* All but the Via and Max-Forwards that are due, octet by octet. */
static void as_it_came(const char *name, struct base_str came, struct base_str went, bool stream)
{
	struct base_arena arena = { 0 };
	struct sip_message in, out;
	size_t n = 1; /* our Via */

	assert_int_equal(sip_message_parse(&in, &arena, came, stream), 0);
	assert_int_equal(sip_message_parse(&out, &arena, went, true), 0);
	assert_int_equal(out.fault, 0);
	assert_true(base_str_eq(in.method_name, out.method_name));
	assert_true(base_str_eq(in.body, out.body));
	if (!strcmp(name, "mpart01")) {
		assert_int_equal(in.body.len, 553);
		assert_true(base_str_eq(out.target, BASE_STR("sip:127.0.0.1:5080")));
		base_arena_done(&arena);
		return;
	}
	assert_true(base_str_eq(in.target, out.target));
	for (size_t i = 0; i < in.header_count; i++, n++) {
		struct base_str mine = out.headers[n].whole;

		while (!base_str_eq(in.headers[i].whole, mine) &&
		       (out.headers[n].id == SIP_H_MAX_FORWARDS ||
		        out.headers[n].id == SIP_H_CONTENT_LENGTH)) {
			if (in.headers[i].id == out.headers[n].id)
				break;
			mine = out.headers[++n].whole; /* it was not there */
		}
		if (!base_str_eq(in.headers[i].whole, mine) &&
		    in.headers[i].id != SIP_H_MAX_FORWARDS)
			fail_msg("%s: %.*s", name, BASE_FMT(mine));
	}
	assert_int_equal(out.max_forwards, sip_header(&in, SIP_H_MAX_FORWARDS) ? in.max_forwards - 1
	                                                                       : in.max_forwards);
	base_arena_done(&arena);
}

static void one(const char *name, unsigned status, struct base_str came, uint64_t flow)
{
	struct proxy_stage s;
	char begins[32];

	proxy_open(&s, NULL);
	proxy_to(&s, 1, (uint64_t[]){ BOB });
	sip_proxy_input(s.proxy, proxy_flow(flow), NULL, came);
	if (s.count != (status != NOTHING) || s.requests != (status == FORWARDED))
		fail_msg("%s: %zu sent: %s", name, s.count, s.count ? s.sent[0].text : "");
	(void)snprintf(begins, sizeof(begins), "SIP/2.0 %u ", status);
	if (status == FORWARDED) {
		assert_int_equal(s.sent[0].flow, BOB);
		as_it_came(name, came, (struct base_str){ s.sent[0].text, s.sent[0].len },
		           flow < CORE);
	} else if (status != NOTHING) {
		(void)proxy_expect(&s, flow, begins);
	}
	sip_proxy_lost(s.proxy, BOB);
	sip_proxy_lost(s.proxy, flow);
	proxy_close(&s);
}

/* Its Via says nobody where he is who sent it as a datagram. */
static bool unreadable(const char *name)
{
	return !strcmp(name, "badinv01") || !strcmp(name, "badvers");
}

static void each(void **state)
{
	struct shared_file *files;
	size_t count = shared_folder(FOLDER, &files), seen = 0;

	(void)state;
	if (!count)
		skip();
	for (size_t i = 0; i < count; i++) {
		struct base_str all = { files[i].text, files[i].len };
		struct sip_framer framer = { 0 };
		enum sip_frame_kind kind = SIP_FRAME_MORE;
		size_t len = 0, n = 0;

		if (!strstr(files[i].name, ".dat"))
			continue;
		*strstr(files[i].name, ".dat") = 0;
		while (n < BASE_COUNT(due) && strcmp(due[n].name, files[i].name) != 0)
			n++;
		assert_true(n < BASE_COUNT(due)); /* none is passed over */
		seen++;
		one(due[n].name, unreadable(due[n].name) ? NOTHING : due[n].due, all, CORE);
		if (!sip_frame(&framer, all, &kind, &len) && kind == SIP_FRAME_MESSAGE)
			one(due[n].name, due[n].due, (struct base_str){ all.ptr, len }, ALICE);
	}
	assert_int_equal(seen, BASE_COUNT(due));
	shared_free(files, count);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
