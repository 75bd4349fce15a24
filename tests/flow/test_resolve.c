/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3263 against a name server of our own: which transport, which port, which addresses. */
#include <stdio.h>

#include "check.h"
#include "flow/flow.h"
#include "names.h"

#define ALL (1U << FLOW_UDP | 1U << FLOW_TCP | 1U << FLOW_TLS)

struct found {
	char text[1024];
	char host[256];
	unsigned status;
	bool done;
};

static const struct record records[] = {
	/* a domain with everything (RFC 3263, 4.1, its example) */
	{ "example.com", TYPE_NAPTR, 50, 50, 0, "SIPS+D2T", "_sips._tcp.example.com" },
	{ "example.com", TYPE_NAPTR, 90, 50, 0, "SIP+D2T", "_sip._tcp.example.com" },
	{ "example.com", TYPE_NAPTR, 100, 50, 0, "SIP+D2U", "_sip._udp.example.com" },
	{ "example.com", TYPE_NAPTR, 10, 50, 0, "SIP+D2S", "_sip._sctp.example.com" },
	{ "example.com", TYPE_NAPTR, 20, 50, 0, "E2U+sip", "_sip._udp.elsewhere.com" },
	{ "_sips._tcp.example.com", TYPE_SRV, 0, 1, 5061, NULL, "server1.example.com" },
	{ "_sip._tcp.example.com", TYPE_SRV, 2, 1, 5060, NULL, "server2.example.com" },
	{ "_sip._tcp.example.com", TYPE_SRV, 1, 1, 5062, NULL, "server1.example.com" },
	{ "_sip._udp.example.com", TYPE_SRV, 0, 1, 5060, NULL, "server1.example.com" },
	{ "server1.example.com", TYPE_A, 0, 0, 0, NULL, "127.0.0.1" },
	{ "server2.example.com", TYPE_A, 0, 0, 0, NULL, "127.0.0.2" },
	/* without NAPTR */
	{ "srv.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.9" },
	{ "_sip._udp.srv.test", TYPE_SRV, 0, 0, 5070, NULL, "server2.example.com" },
	{ "_sip._tcp.srv.test", TYPE_SRV, 0, 0, 5071, NULL, "server2.example.com" },
	/* addresses alone */
	{ "plain.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.3" },
	{ "none.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.4" },
	{ "_sip._udp.none.test", TYPE_SRV, 0, 0, 0, NULL, "" },
	{ "empty.test", TYPE_SRV, 0, 0, 0, NULL, "x" },
	{ 0 },
};

static struct loop *loop;
static struct names names;
static struct flow_resolver *resolver;

static int setup(void **state)
{
	struct flow_resolver_config config = { .timeout_ms = 100, .tries = 1, .no_hosts = true };

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	names_open(&names, loop, records);
	config.servers = names.at;
	return flow_resolver_new(&resolver, loop, &config, NULL);
}

static int teardown(void **state)
{
	(void)state;
	flow_resolver_free(resolver);
	names_close(&names);
	loop_free(loop);
	return 0;
}

static void on_found(void *arg, const struct flow_target *targets, size_t count, const char *host,
                     unsigned status, const char *why)
{
	struct found *f = arg;
	size_t at = 0;

	assert_false(f->done);
	f->done = true;
	f->status = status;
	snprintf(f->host, sizeof(f->host), "%s", host);
	for (size_t i = 0; i < count; i++) {
		char text[STREAM_ADDR_TEXT];

		at += (size_t)snprintf(f->text + at, sizeof(f->text) - at, "%s%s %s", i ? ", " : "",
		                       flow_transport_name(targets[i].transport),
		                       stream_addr_format(&targets[i].addr, text, sizeof(text)));
	}
	if (!count)
		snprintf(f->text, sizeof(f->text), "%s", why);
}

static struct found find(const char *uri, unsigned transports, bool long_request)
{
	struct found f = { .done = false };
	const struct flow_question question = { base_str_of(uri), transports, long_request };
	struct flow_lookup *lookup;

	assert_int_equal(flow_lookup_start(&lookup, resolver, &question, on_found, &f), 0);
	assert_false(f.done); /* never from inside */
	while (!f.done)
		assert_int_equal(loop_run_once(loop, 5000), 0);
	return f;
}

static void expect(const char *uri, unsigned transports, bool long_request, const char *targets)
{
	struct found f = find(uri, transports, long_request);

	assert_string_equal(f.text, targets);
	assert_int_equal(f.status, 0);
}

/* RFC 3263, 4.1 and 4.2, without a name server. */
static void addresses_need_no_names(void **state)
{
	(void)state;
	expect("sip:a@127.0.0.1", ALL, false, "UDP 127.0.0.1:5060");
	expect("sip:a@127.0.0.1:5080", ALL, false, "UDP 127.0.0.1:5080");
	expect("sips:a@127.0.0.1", ALL, false, "TLS 127.0.0.1:5061");
	expect("sip:a@127.0.0.1;transport=tcp", ALL, false, "TCP 127.0.0.1:5060");
	expect("sips:a@127.0.0.1;transport=tcp", ALL, false, "TLS 127.0.0.1:5061");
	expect("sip:a@127.0.0.1;transport=TLS", ALL, false, "TLS 127.0.0.1:5061");
	expect("sip:a@[::1]:5062;transport=tcp", ALL, false, "TCP [::1]:5062");
	expect("sip:a@example.com;maddr=127.0.0.8", ALL, false, "UDP 127.0.0.8:5060");
	assert_int_equal(names.asked, 0);
	assert_string_equal(find("sips:a@example.com;maddr=127.0.0.8", ALL, false).host,
	                    "example.com");
}

static void what_has_no_way(void **state)
{
	(void)state;
	assert_int_equal(find("tel:+1", ALL, false).status, 416);
	assert_int_equal(find("nonsense", ALL, false).status, 416);
	assert_int_equal(find("sips:a@127.0.0.1", 1U << FLOW_UDP, false).status, 503);
	assert_int_equal(find("sips:a@127.0.0.1;transport=udp", ALL, false).status, 503);
	assert_int_equal(find("sip:a@127.0.0.1;transport=sctp", ALL, false).status, 503);
	assert_int_equal(find("sip:a@unknown.test", ALL, false).status, 404);
	assert_int_equal(find("sip:a@empty.test", ALL, false).status, 404);
}

static void naptr_srv_and_addresses(void **state)
{
	(void)state;
	expect("sip:a@example.com", ALL, false,
	       "TLS 127.0.0.1:5061, TCP 127.0.0.1:5062, TCP 127.0.0.2:5060, UDP 127.0.0.1:5060");
	expect("sips:a@example.com", ALL, false, "TLS 127.0.0.1:5061");
	expect("sip:a@example.com", 1U << FLOW_UDP | 1U << FLOW_TCP, false,
	       "TCP 127.0.0.1:5062, TCP 127.0.0.2:5060, UDP 127.0.0.1:5060");
	/* a port or a transport leaves out what it has decided */
	expect("sip:a@server2.example.com:5099", ALL, false, "UDP 127.0.0.2:5099");
	expect("sip:a@example.com;transport=tcp", ALL, false,
	       "TCP 127.0.0.1:5062, TCP 127.0.0.2:5060");
}

static void without_naptr(void **state)
{
	(void)state;
	expect("sip:a@srv.test", ALL, false, "UDP 127.0.0.2:5070, TCP 127.0.0.2:5071");
	expect("sip:a@plain.test", ALL, false, "UDP 127.0.0.3:5060");
	expect("sips:a@plain.test", ALL, false, "TLS 127.0.0.3:5061");
	assert_int_equal(find("sip:a@none.test;transport=udp", ALL, false).status, 503);
}

/* RFC 3261, 18.1.1: long ones by TCP, and by UDP where there is none. */
static void long_requests(void **state)
{
	(void)state;
	expect("sip:a@plain.test", ALL, true, "TCP 127.0.0.3:5060, UDP 127.0.0.3:5060");
	expect("sip:a@127.0.0.1;transport=udp", ALL, true,
	       "TCP 127.0.0.1:5060, UDP 127.0.0.1:5060");
	expect("sip:a@127.0.0.1", 1U << FLOW_UDP, true, "UDP 127.0.0.1:5060");
}

static void names_that_nobody_answers(void **state)
{
	struct found f;

	(void)state;
	names.silent = true;
	f = find("sip:a@example.com;transport=udp", ALL, false);
	assert_int_equal(f.status, 503);
	names.silent = false;
	names.truncated = true; /* and nobody at its TCP port */
	f = find("sip:a@example.com;transport=udp", ALL, false);
	assert_int_equal(f.status, 503);
}

static void on_never(void *arg, const struct flow_target *targets, size_t count, const char *host,
                     unsigned status, const char *why)
{
	(void)arg;
	(void)targets;
	(void)count;
	(void)host;
	(void)status;
	(void)why;
	fail_msg("a lookup was cancelled and told");
}

static void cancelled_ones_are_not_told(void **state)
{
	const struct flow_question asks = { BASE_STR("sip:a@example.com"), ALL, false };
	const struct flow_question knows = { BASE_STR("sip:a@127.0.0.1"), ALL, false };
	struct flow_lookup *a, *b, *c;

	(void)state;
	assert_int_equal(flow_lookup_start(&a, resolver, &asks, on_never, NULL), 0);
	assert_int_equal(flow_lookup_start(&b, resolver, &knows, on_never, NULL), 0);
	flow_lookup_cancel(a);
	flow_lookup_cancel(b);
	(void)find("sip:a@example.com", ALL, false);
	assert_int_equal(flow_lookup_start(&c, resolver, &asks, on_never, NULL), 0);
	/* teardown frees the resolver under it */
}

/* RFC 2782: by weight, over many lookups. */
static void weights_share(void **state)
{
	static const struct record shared[] = {
		{ "_sip._udp.w.test", TYPE_SRV, 1, 90, 5060, NULL, "server1.w.test" },
		{ "_sip._udp.w.test", TYPE_SRV, 1, 10, 5060, NULL, "server2.w.test" },
		{ "server1.w.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.1" },
		{ "server2.w.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.2" },
		{ 0 },
	};
	unsigned first = 0;

	(void)state;
	names.records = shared;
	for (unsigned i = 0; i < 400; i++) {
		struct found f = find("sip:a@w.test;transport=udp", ALL, false);

		first += strncmp(f.text, "UDP 127.0.0.1:5060, UDP 127.0.0.2", 33) == 0;
	}
	/* 360 are expected, with a deviation of 6: ten of these either way */
	assert_in_range(first, 300, 399);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses_need_no_names, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_no_way, setup, teardown),
		cmocka_unit_test_setup_teardown(naptr_srv_and_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(without_naptr, setup, teardown),
		cmocka_unit_test_setup_teardown(long_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_nobody_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled_ones_are_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(weights_share, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
