/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no socket: TPKT's frames, and addresses. */
#include "check.h"

#include "h248/transport.h"

/* ---- TPKT, pure ---- */

static void tpkt_every_split(void **state)
{
	static const char stream[] = "\3\0\0\7abc\3\377\0\4\3\0\0\6xy";
	static const struct base_str want[] = { { "abc", 3 }, { "", 0 }, { "xy", 2 } };
	size_t len = sizeof(stream) - 1;

	(void)state;
	for (size_t have = 0; have <= len; have++) {
		size_t at = 0, n = 0, used = 0;
		struct base_str message;
		int rc;

		while ((rc = h248_tpkt_next((struct base_str){ stream + at, have - at }, &message,
		                            &used)) == 0) {
			assert_true(n < BASE_COUNT(want));
			assert_true(base_str_eq(message, want[n]));
			at += used;
			n++;
		}
		assert_int_equal(base_err_class(rc), BASE_AGAIN);
		assert_int_equal(n, (have >= 7) + (have >= 11) + (have >= 17));
	}
}

static void tpkt_bad(void **state)
{
	static const struct base_str bad[] = { { "\2", 1 },
		                               { "\0\0\0\7abc", 7 },
		                               { "M", 1 },
		                               { "\3\0\0\3", 4 },
		                               { "\3\0\0\0\0", 5 } };
	uint8_t header[H248_TPKT_HEADER];
	struct base_str message;
	size_t used;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_equal(base_err_class(h248_tpkt_next(bad[i], &message, &used)),
		                 BASE_PEER);
	h248_tpkt_header(H248_TPKT_MAX, header);
	assert_memory_equal(header, "\3\0\377\377", 4);
}

/* ---- addresses ---- */

static void addr_forms(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "192.0.2.1", "udp:192.0.2.1:2944" },
		{ "192.0.2.1:5", "udp:192.0.2.1:5" },
		{ "2001:db8::1", "udp:[2001:db8::1]:2944" },
		{ "[2001:db8::1]", "udp:[2001:db8::1]:2944" },
		{ "[2001:db8::1]:7", "udp:[2001:db8::1]:7" },
	};
	static const char *const bad[] = {
		"",       "host",   "192.0.2.1:",  "192.0.2.1:65536", "[::1",
		"[::1]x", "[::1]:", "192.0.2.1:x", "1.2.3.4%lo",      "::1%no-such-interface"
	};
	char text[H248_ADDR_TEXT];
	struct h248_addr a, b;
	struct h248_mid mid;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		assert_int_equal(h248_addr_parse(H248_UDP, base_str_of(good[i].in), 2944, &a), 0);
		assert_string_equal(h248_addr_format(&a, text), good[i].out);
		mid = h248_addr_mid(&a);
		assert_int_equal(h248_addr_of_mid(&mid, &a, &b), 0);
		assert_true(h248_addr_equal(&a, &b));
	}
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_not_equal(h248_addr_parse(H248_UDP, base_str_of(bad[i]), 2944, &a), 0);

	mid = (struct h248_mid){ .kind = H248_MID_PORT, .port = 55944 };
	assert_int_equal(h248_addr_of_mid(&mid, &a, &b), 0);
	assert_string_equal(h248_addr_format(&b, text), "udp:[2001:db8::1]:55944");
	mid = (struct h248_mid){ .kind = H248_MID_DOMAIN, .name = BASE_STR("mgc.example.net") };
	assert_int_not_equal(h248_addr_of_mid(&mid, &a, &b), 0);
}

/* A key may travel inside TLS, or within this machine. */
static void addresses_that_protect(void **state)
{
	static const struct {
		enum h248_transport_kind kind;
		const char *text;
		bool loopback, protects;
	} row[] = {
		{ H248_UDP, "127.0.0.1", true, true },
		{ H248_TCP, "127.255.0.9:1", true, true },
		{ H248_SCTP, "[::1]:2944", true, true },
		{ H248_UDP, "::ffff:127.0.0.1", true, true },
		{ H248_UDP, "::ffff:192.0.2.1", false, false },
		{ H248_TCP, "192.0.2.127", false, false },
		{ H248_UDP, "128.0.0.1", false, false },
		{ H248_SCTP, "7f00::1", false, false },
		{ H248_TCP, "::", false, false },
		{ H248_TLS, "192.0.2.1", false, true },
		{ H248_TLS, "[2001:db8::1]:1", false, true },
	};
	struct h248_addr a;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		assert_int_equal(h248_addr_parse(row[i].kind, base_str_of(row[i].text), 1, &a), 0);
		assert_int_equal(h248_addr_loopback(&a), row[i].loopback);
		assert_int_equal(h248_addr_protected(&a), row[i].protects);
		assert_int_equal(h248_transport_find(base_str_of(h248_transport_name(a.transport))),
		                 a.transport);
	}
	assert_int_equal(h248_transport_find(BASE_STR("tcp6")), 0);
	assert_int_equal(h248_transport_find(BASE_STR("")), 0);
	assert_string_equal(h248_transport_name(0), "?");
	assert_string_equal(h248_transport_name(250), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpkt_every_split),
		cmocka_unit_test(tpkt_bad),
		cmocka_unit_test(addr_forms),
		cmocka_unit_test(addresses_that_protect),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
