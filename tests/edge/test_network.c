/* SPDX-License-Identifier: Apache-2.0 */
/** @file Networks of core.from. */
#include "check.h"
#include "edge/config.h"

static bool has(const char *network, const char *address)
{
	struct edge_network n;
	union stream_addr addr;

	assert_int_equal(edge_network_parse(base_str_of(network), &n), 0);
	assert_int_equal(stream_addr_ip(&addr, base_str_of(address), 5060), 0);
	return edge_network_has(&n, &addr);
}

static void within(void **state)
{
	(void)state;
	assert_true(has("192.0.2.0/24", "192.0.2.255"));
	assert_false(has("192.0.2.0/24", "192.0.3.0"));
	assert_true(has("192.0.2.128/25", "192.0.2.128"));
	assert_false(has("192.0.2.128/25", "192.0.2.127"));
	assert_true(has("192.0.2.7", "192.0.2.7"));
	assert_false(has("192.0.2.7", "192.0.2.6"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(has("::/0", "2001:db8::1"));
	assert_false(has("::/0", "192.0.2.1"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
}

static void none(void **state)
{
	static const char *const texts[] = {
		"",
		"/24",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.0/-1",
		"192.0.2/24",
		"2001:db8::/129",
		"localhost/8",
		"192.0.2.0/24 ",
		"192.0.2.0/2x",
	};
	struct edge_network n;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		assert_int_not_equal(edge_network_parse(base_str_of(texts[i]), &n), 0);
}

static void any(void **state)
{
	union stream_addr addr;

	(void)state;
	assert_int_equal(stream_addr_ip(&addr, base_str_of("0.0.0.0"), 1), 0);
	assert_true(edge_address_any(&addr));
	assert_int_equal(stream_addr_ip(&addr, base_str_of("::"), 1), 0);
	assert_true(edge_address_any(&addr));
	assert_int_equal(stream_addr_ip(&addr, base_str_of("0.0.0.1"), 1), 0);
	assert_false(edge_address_any(&addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within),
		cmocka_unit_test(none),
		cmocka_unit_test(any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
