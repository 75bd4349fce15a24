/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory walk: one request and its answer by each transport, and every allocation of ours fails
 * once. What comes of it is an answer, a refusal or silence; no crash and, under ASan, no leak.
 */
#include "../scarce.h"
#include "station.h"

struct side {
	struct flows *flows;
	unsigned messages, ways, lost;
	struct sip_flow way;
};

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	struct side *s = arg;

	(void)source;
	(void)octets;
	if (!s->messages++)
		(void)flows_send(s->flows, from, BASE_STR("SIP/2.0 200 OK\r\n\r\n"));
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	(void)flow;
	(void)why;
	((struct side *)arg)->lost++;
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	struct side *s = arg;

	assert_int_equal(id, 7);
	assert_int_equal(!flow.id, status != 0);
	s->ways++;
	s->way = flow;
}

static int side_open(struct side *s, struct streams *streams, struct tls_domain *domain)
{
	const struct flow_config config = { .domain = domain, .resolver = { .no_hosts = true } };
	const struct flow_ops ops = {
		.on_message = on_message, .on_lost = on_lost, .on_way = on_way, .arg = s
	};

	return flows_new(&s->flows, streams, &config, &ops, NULL);
}

static void talk(struct loop *loop, struct side *near, struct side *far,
                 enum flow_transport transport)
{
	char uri[120], at[STREAM_ADDR_TEXT], octets[500];
	union stream_addr local;
	struct sip_local us;

	assert_int_equal(stream_addr_parse(&local, BASE_STR("127.0.0.1:0"), NULL), 0);
	if (flows_listen(far->flows, transport, &local, NULL))
		return;
	snprintf(uri, sizeof(uri), "sip:x@%s;transport=%s",
	         stream_addr_format(&local, at, sizeof(at)), flow_transport_name(transport));
	flows_seek(near->flows, 7, base_str_of(uri), 300, 0, (struct sip_flow){ 0 });
	for (int i = 0; i < 50 && !near->ways; i++)
		assert_int_equal(loop_run_once(loop, 5), 0);
	assert_int_equal(near->ways, 1);
	if (!near->way.id)
		return;
	flows_local(near->flows, near->way, &us);
	(void)flows_send(near->flows, near->way,
	                 (struct base_str){ octets, request(octets, sizeof(octets), uri, &us, 0) });
	for (int i = 0; i < 50 && !near->messages && !near->lost; i++)
		assert_int_equal(loop_run_once(loop, 2), 0);
}

/* @return was there an answer? */
static bool visit(struct tls_domain *domain, enum flow_transport transport)
{
	struct side near = { 0 }, far = { 0 };
	struct streams *streams = NULL;
	struct loop *loop = NULL;

	if (!loop_new(&loop) && !streams_new(&streams, loop, NULL) &&
	    !side_open(&near, streams, domain) && !side_open(&far, streams, domain))
		talk(loop, &near, &far, transport);
	flows_free(near.flows);
	flows_free(far.flows);
	streams_free(streams);
	loop_free(loop);
	return near.messages > 0;
}

static void walk(enum flow_transport transport)
{
	struct tls_domain_spec spec = {
		.name = "sip",
		.profile = lab_profile(lab, "modern"),
		.identity = lab->server_ec,
		.trust = lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = TLS_CLIENT_AUTH_REQUEST,
	};
	struct tls_domain *domain = NULL;
	bool answered;
	long n = 0;

	assert_int_equal(tls_domain_new(&domain, &spec, NULL), 0);
	do {
		scarce_after(n++, false);
		answered = visit(domain, transport);
		if (scarce_failed())
			log_text[0] = '\0';
	} while (scarce_failed() && n < 2000);
	scarce_after(-1, false);
	assert_true(answered);
	assert_in_range(n, 10, 1999);
	tls_domain_unref(domain);
}

static void udp(void **state)
{
	(void)state;
	walk(FLOW_UDP);
}

static void tcp(void **state)
{
	(void)state;
	walk(FLOW_TCP);
}

static void tls(void **state)
{
	(void)state;
	walk(FLOW_TLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp),
		cmocka_unit_test(tcp),
		cmocka_unit_test(tls),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
