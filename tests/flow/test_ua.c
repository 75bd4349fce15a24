/* SPDX-License-Identifier: Apache-2.0 */
/* Two user agents call each other over real sockets. */
#include <sys/socket.h>
#include <unistd.h>

#include "names.h"
#include "station.h"

struct agent {
	struct streams *streams;
	struct flow_ua *ua;
	struct sip_call *call;
	unsigned incoming, answered, confirmed, over, lost;
	char trace[400]; /* first words of each message */
	enum sip_call_why why;
	char body[64];
};

static void keep(struct agent *a, struct base_str body)
{
	snprintf(a->body, sizeof(a->body), "%.*s", BASE_FMT(body));
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	struct agent *a = arg;
	const struct sip_content answer = { .type = "text/plain", .body = BASE_STR("answer") };

	a->call = event->call;
	switch (event->what) {
	case SIP_CALL_INCOMING:
		a->incoming++;
		keep(a, event->body);
		assert_int_equal(sip_call_accept(event->call, &answer), 0);
		break;
	case SIP_CALL_ANSWERED:
		a->answered++;
		keep(a, event->body);
		break;
	case SIP_CALL_CONFIRMED:
		a->confirmed++;
		break;
	case SIP_CALL_OVER:
		a->over++;
		a->why = event->why;
		a->call = NULL;
		break;
	default:
		break;
	}
}

static void on_trace(void *arg, uint64_t flow, bool sent, struct base_str octets)
{
	struct agent *a = arg;
	size_t at = strlen(a->trace), len = 0;

	assert_int_not_equal(flow, 0);
	while (len < octets.len && octets.ptr[len] != '\r' &&
	       (octets.ptr[len] != ' ' || (len == 7 && octets.ptr[0] == 'S')))
		len++;
	snprintf(a->trace + at, sizeof(a->trace) - at, "%c%.*s ", sent ? '>' : '<', (int)len,
	         octets.ptr);
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	assert_true(flow && *why);
	((struct agent *)arg)->lost++;
}

static void agent_open(struct agent *a, struct streams *streams, const char *servers)
{
	const struct flow_config config = { .user = "agent", .resolver = { .servers = servers } };
	const struct sip_ua_config sip = { 0 };
	const struct flow_ua_ops ops = {
		.on_call = on_call, .trace = on_trace, .on_lost = on_lost, .arg = a
	};
	struct base_error err = { 0 };

	memset(a, 0, sizeof(*a));
	a->streams = streams;
	if (flow_ua_new(&a->ua, streams, &config, &sip, &ops, &err))
		fail_msg("%s", err.text);
}

static void dial(struct agent *a, const char *uri)
{
	const struct sip_call_setup setup = {
		.target = base_str_of(uri),
		.from = BASE_STR("<sip:a@near.test>"),
		.content = { .type = "text/plain", .body = BASE_STR("offer") },
	};

	assert_int_equal(sip_call_start(&a->call, flow_ua_sip(a->ua), &setup, NULL), 0);
}

/* On a machine that is busy some are repeated. */
static void in_order(const char *trace, const char *const *words)
{
	for (const char *at = trace; *words; words++) {
		at = strstr(at, *words);
		if (!at)
			fail_msg("no %s in its place in %s", *words, trace);
	}
}

/* Offer, answer, ACK, and the BYE of who was called, by each transport. */
static void a_call_there_and_back(void **state)
{
	for (int i = 0; i < 2; i++) {
		enum flow_transport transport = i ? FLOW_TCP : FLOW_UDP;
		union stream_addr at;
		struct agent a, b;
		char uri[200], text[STREAM_ADDR_TEXT];

		agent_open(&a, *state, NULL);
		agent_open(&b, *state, NULL);
		assert_int_equal(stream_addr_parse(&at, BASE_STR("127.0.0.1:0"), NULL), 0);
		assert_int_equal(flows_listen(flow_ua_flows(b.ua), transport, &at, NULL), 0);
		snprintf(uri, sizeof(uri), "sip:b@%s;transport=%s",
		         stream_addr_format(&at, text, sizeof(text)),
		         flow_transport_name(transport));
		dial(&a, uri);
		UNTIL(&a, a.answered && b.confirmed);
		assert_string_equal(b.body, "offer");
		assert_string_equal(a.body, "answer");
		sip_call_end(b.call, 0, NULL);
		UNTIL(&a, a.over && b.over);
		assert_int_equal(a.why, SIP_WHY_BYE);
		assert_int_equal(b.why, SIP_WHY_OURS);
		in_order(a.trace, (const char *[]){ ">INVITE", "<SIP/2.0 200", ">ACK", "<BYE",
		                                    ">SIP/2.0 200", NULL });
		in_order(b.trace, (const char *[]){ "<INVITE", ">SIP/2.0 200", "<ACK", ">BYE",
		                                    "<SIP/2.0 200", NULL });
		flow_ua_free(a.ua);
		flow_ua_free(b.ua);
	}
}

/* A port that is taken, and where nobody listens. @return its descriptor */
static int closed_port(uint16_t *ret_port)
{
	union stream_addr at = { .in = { .sin_family = AF_INET,
		                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, &at.sa, sizeof(at.in)), 0);
	assert_int_equal(getsockname(fd, &at.sa, &len), 0);
	*ret_port = stream_addr_port(&at);
	return fd;
}

/* The call ends at once, as if it had been refused. */
static void nobody_takes_the_call(void **state)
{
	struct agent a;
	char uri[80];
	uint16_t port;
	int fd = closed_port(&port);

	agent_open(&a, *state, NULL);
	snprintf(uri, sizeof(uri), "sip:b@127.0.0.1:%u;transport=tcp", port);
	dial(&a, uri);
	UNTIL(&a, a.over);
	assert_int_equal(a.why, SIP_WHY_REFUSED);
	assert_int_equal(a.lost, 1);
	flow_ua_free(a.ua);
	close(fd);
}

/* Nobody is at the first address of the host, and the second answers (RFC 3263, 4.3); the next
 * request begins with that one. */
static void the_next_address_is_tried(void **state)
{
	struct record records[] = {
		{ "_sip._tcp.b.test", TYPE_SRV, 1, 0, 0, NULL, "host.b.test" },
		{ "_sip._tcp.b.test", TYPE_SRV, 2, 0, 0, NULL, "host.b.test" },
		{ "host.b.test", TYPE_A, 0, 0, 0, NULL, "127.0.0.1" },
		{ 0 },
	};
	struct names names;
	union stream_addr at;
	struct agent a, b;
	uint16_t port;
	int fd = closed_port(&port);

	names_open(&names, streams_loop(*state), records);
	agent_open(&a, *state, names.at);
	agent_open(&b, *state, NULL);
	assert_int_equal(stream_addr_parse(&at, BASE_STR("127.0.0.1:0"), NULL), 0);
	assert_int_equal(flows_listen(flow_ua_flows(b.ua), FLOW_TCP, &at, NULL), 0);
	records[0].c = port;
	records[1].c = stream_addr_port(&at);
	for (unsigned i = 1; i <= 2; i++) {
		dial(&a, "sip:b@b.test;transport=tcp");
		UNTIL(&a, a.answered == i);
		sip_call_end(a.call, 0, NULL);
		UNTIL(&a, a.over == i);
		assert_int_equal(a.why, SIP_WHY_OURS);
		assert_int_equal(flows_count(flow_ua_flows(a.ua))->lost, 1);
	}
	assert_int_equal(b.incoming, 2);
	flow_ua_free(a.ua);
	flow_ua_free(b.ua);
	names_close(&names);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_there_and_back),
		CASE(nobody_takes_the_call),
		CASE(the_next_address_is_tried),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
