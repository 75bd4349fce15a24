/* SPDX-License-Identifier: Apache-2.0 */
/* Flows over real sockets: messages both ways, which flow is taken, what a hostile peer gets. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "../pki.h"
#include "station.h"

#define ALL (1U << FLOW_UDP | 1U << FLOW_TCP | 1U << FLOW_TLS)

static const enum flow_transport transports[] = { FLOW_UDP, FLOW_TCP, FLOW_TLS };

static struct station near, far;

/* ---- both ways ---- */

static void requests_and_responses(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(transports); i++) {
		struct flow_info info;
		struct sip_flow flow;
		char via[80];

		station_open(&near, *state, NULL, 0);
		station_open(&far, *state, NULL, ALL);
		far.answer = true;
		flow = call(&near, 1, uri_of(&far, transports[i]), 100);
		assert_int_equal(flow.reliable, transports[i] != FLOW_UDP);
		UNTIL(&near, near.count == 1);
		assert_int_equal(far.count, 1);
		assert_string_equal(far.source, "127.0.0.1");
		assert_memory_equal(near.got, "SIP/2.0 200 OK\r\n", 16);
		assert_int_equal(near.from.id, flow.id);
		snprintf(via, sizeof(via),
		         "Via: SIP/2.0/%s 127.0.0.1:", flow_transport_name(transports[i]));
		assert_non_null(strstr(far.got, via));
		assert_true(flows_info(near.flows, flow.id, &info));
		assert_true(info.up && !info.accepted && info.transport == transports[i]);
		assert_int_equal(info.tls, transports[i] == FLOW_TLS);
		assert_true(flows_info(far.flows, far.from.id, &info));
		assert_int_equal(info.accepted, transports[i] != FLOW_UDP);
		/* the same way again is the same flow, and the far end's way back as well */
		assert_int_equal(call(&near, 2, uri_of(&far, transports[i]), 100).id, flow.id);
		UNTIL(&near, near.count == 2);
		station_close(&near);
		station_close(&far);
	}
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void over_ipv6(void **state)
{
	if (!has_ipv6()) {
		print_message("there is no IPv6 on the loopback\n");
		skip();
	}
	station_at = "[::1]:0";
	for (size_t i = 0; i < BASE_COUNT(transports); i++) {
		station_open(&near, *state, NULL, 0);
		station_open(&far, *state, NULL, ALL);
		far.answer = true;
		(void)call(&near, 1, uri_of(&far, transports[i]), 100);
		UNTIL(&near, near.count == 1);
		assert_string_equal(far.source, "::1");
		assert_non_null(strstr(far.got, " [::1]:"));
		assert_non_null(strstr(far.got, "Contact: <sip:[::1]:"));
		station_close(&near);
		station_close(&far);
	}
	station_at = "127.0.0.1:0";
}

/* RFC 3261, 18: connections are found by the address of the far end, whoever has made them. */
static void who_came_is_called_by_its_own_connection(void **state)
{
	char uri[200];
	const char *contact, *end;
	struct sip_flow flow;

	for (size_t i = 1; i < BASE_COUNT(transports); i++) {
		station_open(&near, *state, NULL, 0);
		station_open(&far, *state, NULL, ALL);
		flow = call(&near, 1, uri_of(&far, transports[i]), 10);
		UNTIL(&far, far.count == 1);
		contact = strstr(far.got, "Contact: <") + 10;
		end = strchr(contact, '>');
		snprintf(uri, sizeof(uri), "%.*s", (int)(end - contact), contact);
		assert_int_equal(call(&far, 1, uri, 10).id, far.from.id);
		UNTIL(&near, near.count == 1);
		assert_int_equal(near.from.id, flow.id);
		station_close(&near);
		station_close(&far);
	}
}

static void long_requests_go_by_tcp(void **state)
{
	struct flow_info info;
	char uri[100];

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, 1U << FLOW_TCP);
	snprintf(uri, sizeof(uri), "sip:x@127.0.0.1:%u", stream_addr_port(&far.at[FLOW_TCP]));
	assert_true(call(&near, 1, uri, 20000).reliable);
	UNTIL(&far, far.count == 1);
	assert_true(far.got_len > 20000);
	assert_true(flows_info(near.flows, near.way.id, &info));
	assert_int_equal(info.transport, FLOW_TCP);
	/* and where nobody takes TCP, by UDP all the same (18.1.1) */
	station_close(&far);
	station_open(&far, *state, NULL, 1U << FLOW_UDP);
	snprintf(uri, sizeof(uri), "sip:x@127.0.0.1:%u", stream_addr_port(&far.at[FLOW_UDP]));
	(void)call(&near, 2, uri, 20000);
	assert_true(near.way.reliable);
	UNTIL(&near, near.lost && near.lost_id == near.way.id);
	flows_seek(near.flows, 2, base_str_of(uri), 20300, 1, (struct sip_flow){ 0 });
	assert_false(near.way.reliable);
	assert_int_not_equal(near.way.id, 0);
	flows_seek(near.flows, 2, base_str_of(uri), 20300, 2, (struct sip_flow){ 0 });
	assert_int_equal(near.way.id, 0);
	assert_int_equal(near.status, 503);
	station_close(&near);
	station_close(&far);
}

/* ---- what fails ---- */

static void nobody_there(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(transports); i++) {
		char uri[120];
		struct sip_flow flow;

		station_open(&near, *state, NULL, 0);
		station_open(&far, *state, NULL, ALL);
		snprintf(uri, sizeof(uri), "%s", uri_of(&far, transports[i]));
		station_close(&far);
		flow = call(&near, 1, uri, 10);
		UNTIL(&near, near.lost == 1); /* by UDP, the network says so (18.4) */
		assert_int_equal(near.lost_id, flow.id);
		assert_int_equal(base_err_class(flows_send(near.flows, flow, BASE_STR("x"))),
		                 BASE_LOCAL);
		station_close(&near);
	}
}

static void a_name_that_is_not_proven(void **state)
{
	/* The host's name is another than the certificate's, which says server.test. */
	const struct flow_target target = { FLOW_TLS, { .sa = { .sa_family = AF_UNSPEC } } };
	struct flow_target to = target;
	struct sip_flow flow;

	station_open(&near, *state, NULL, 0);
	station_open(&far, *state, NULL, ALL);
	to.addr = far.at[FLOW_TLS];
	assert_int_equal(flows_to(near.flows, &to, "other.test", &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, BASE_STR("x")), 0);
	UNTIL(&near, near.lost == 1);
	assert_non_null(strstr(near.why, "other.test"));
	assert_int_equal(far.count, 0);
	assert_int_equal(flows_to(near.flows, &to, "server.test", &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, BASE_STR("\r\n\r\n")), 0);
	UNTIL(&far, flows_count(far.flows)->pings == 1);
	station_close(&near);
	station_close(&far);
}

/* RFC 5923: who asks for it is called by its own connection, for what it has proven to be. */
static void connections_are_used_backwards(void **state)
{
	static const struct flow_config alias = { .alias = true }, none = { 0 };

	for (int i = 0; i < 3; i++) { /* both, near alone, far alone */
		struct flow_target to = { .transport = FLOW_TLS };
		struct sip_flow flow, back;
		struct sip_local local;
		char octets[1000];
		size_t len;

		station_open(&near, *state, i < 2 ? &alias : &none, ALL);
		station_open(&far, *state, i == 1 ? &none : &alias, ALL);
		to.addr = far.at[FLOW_TLS];
		assert_int_equal(flows_to(near.flows, &to, "server.test", &flow), 0);
		flows_local(near.flows, flow, &local);
		assert_int_equal(strstr(local.sent_by, ";alias") != NULL, i < 2);
		len = request(octets, sizeof(octets), "sip:x@server.test", &local, 0);
		assert_int_equal(flows_send(near.flows, flow, (struct base_str){ octets, len }), 0);
		UNTIL(&far, far.count == 1);
		to.addr = near.at[FLOW_TLS]; /* where near says that it is */
		assert_int_equal(flows_to(far.flows, &to, "Server.Test", &back), 0);
		assert_int_equal(back.id == far.from.id, i == 0);
		assert_int_equal(flows_to(far.flows, &to, "other.test", &back), 0);
		assert_int_not_equal(back.id, far.from.id);
		assert_int_equal(flows_to(far.flows, &to, NULL, &back), 0);
		assert_int_not_equal(back.id, far.from.id);
		/* when it is gone a new one is made */
		back = far.from;
		flows_close(near.flows, flow.id);
		UNTIL(&far, far.lost && far.lost_id == back.id);
		assert_int_equal(flows_to(far.flows, &to, "server.test", &flow), 0);
		assert_int_not_equal(flow.id, back.id);
		station_close(&near);
		station_close(&far);
	}
}

/* RFC 5923, 8.1: a connection of ours is that of all domains that its server has proven. */
static void one_connection_for_all_domains(void **state)
{
	static const struct flow_config alias = { .alias = true };
	struct pki ca = pki_ca("CA");
	struct pki leaf = pki_make(&(struct pki_spec){ .cn = "x",
	                                               .issuer = &ca,
	                                               .ext_nid = NID_subject_alt_name,
	                                               .ext = "DNS:a.test,DNS:b.test" });
	char *dir = pki_dir_new();
	char *anchor = pki_write_certs(dir, "ca.pem", (X509 *[]){ ca.cert, NULL });
	const struct trust_store_files files = { .anchors = (const char *[]){ anchor, NULL } };
	struct flow_target to = { .transport = FLOW_TLS };
	struct sip_flow a, b;
	struct flow_info info;

	assert_int_equal(trust_store_load(&station_trust, &files, NULL), 0);
	station_identity = pki_identity(&leaf, (const struct pki *const[]){ NULL });
	station_open(&near, *state, &alias, 0);
	station_open(&far, *state, NULL, ALL);
	to.addr = far.at[FLOW_TLS];
	assert_int_equal(flows_to(near.flows, &to, "a.test", &a), 0);
	UNTIL(&near, flows_info(near.flows, a.id, &info) && info.up);
	assert_int_equal(flows_to(near.flows, &to, "b.test", &b), 0);
	assert_int_equal(b.id, a.id);
	assert_int_equal(flows_to(near.flows, &to, "c.test", &b), 0);
	assert_int_not_equal(b.id, a.id);
	station_close(&near);
	station_close(&far);
	x509_identity_unref(station_identity);
	station_identity = NULL;
	trust_store_unref(station_trust);
	station_trust = NULL;
	pki_free(&leaf);
	pki_free(&ca);
	free(anchor);
	pki_dir_remove(dir);
}

/* 9.2: who shows no certificate is let in, and not called by what it claims. */
static void nobody_is_called_by_a_claim(void **state)
{
	static const struct flow_config open = { .alias = true, .anybody = true };
	const struct sip_local local = { .transport = "TLS",
		                         .sent_by = "127.0.0.1:5061;alias",
		                         .contact = "sip:x@127.0.0.1" };
	struct flow_target to = { .transport = FLOW_TLS };
	struct sip_flow flow;
	char octets[1000];
	size_t len = request(octets, sizeof(octets), "sip:x@server.test", &local, 0);

	station_open(&far, *state, &open, ALL);
	station_nobody = true;
	station_open(&near, *state, NULL, 0);
	station_nobody = false;
	to.addr = far.at[FLOW_TLS];
	assert_int_equal(flows_to(near.flows, &to, "server.test", &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, (struct base_str){ octets, len }), 0);
	UNTIL(&far, far.count == 1);
	assert_int_equal(stream_addr_parse(&to.addr, BASE_STR("127.0.0.1:5061"), NULL), 0);
	assert_int_equal(flows_to(far.flows, &to, "server.test", &flow), 0);
	assert_int_not_equal(flow.id, far.from.id);
	station_close(&near);
	station_close(&far);
}

/* Who comes from a port that somebody is called by has not proven to be that. */
static void nobody_is_called_by_its_port(void **state)
{
	static const struct flow_config open = { .anybody = true };
	struct flow_target to = { .transport = FLOW_TLS };
	const struct sip_local local = { .transport = "TLS",
		                         .sent_by = "127.0.0.1:5061",
		                         .contact = "sip:x@127.0.0.1" };
	struct sip_flow flow;
	struct flow_info info;
	char octets[1000];
	size_t len = request(octets, sizeof(octets), "sip:x@127.0.0.1", &local, 0);

	station_open(&far, *state, &open, ALL);
	station_nobody = true;
	station_open(&near, *state, NULL, 0);
	station_nobody = false;
	to.addr = far.at[FLOW_TLS];
	assert_int_equal(flows_to(near.flows, &to, "server.test", &flow), 0);
	assert_int_equal(flows_send(near.flows, flow, (struct base_str){ octets, len }), 0);
	UNTIL(&far, far.count == 1);
	assert_true(flows_info(far.flows, far.from.id, &info));
	to.addr = info.remote;
	assert_int_equal(flows_to(far.flows, &to, "127.0.0.1", &flow), 0);
	assert_int_not_equal(flow.id, far.from.id);
	station_close(&near);
	station_close(&far);
}

static void a_flow_that_ends_in_its_own_callback(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(transports); i++) {
		station_open(&near, *state, NULL, 0);
		station_open(&far, *state, NULL, ALL);
		far.close_on = true;
		(void)call(&near, 1, uri_of(&far, transports[i]), 10);
		UNTIL(&far, far.count == 1);
		assert_int_equal(far.lost, 0); /* by us */
		if (transports[i] != FLOW_UDP)
			UNTIL(&near, near.lost == 1);
		station_close(&near);
		station_close(&far);
	}
}

/* ---- raw peers ---- */

static int raw(enum flow_transport transport)
{
	bool udp = transport == FLOW_UDP;
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, &far.at[transport].sa, sizeof(far.at[transport].in)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* What comes on a raw socket: the loop goes round until there is something, or the end. */
static ssize_t hear(int fd, char *out, size_t cap)
{
	ssize_t n;

	while ((n = recv(fd, out, cap - 1, 0)) < 0 && errno == EAGAIN)
		assert_int_equal(loop_run_once(streams_loop(far.streams), 10), 0);
	if (n >= 0)
		out[n] = 0;
	return n;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const char head[] = "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n"
                           "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK1%s\r\n"
                           "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\n"
                           "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n";

/* 18.2.2 and RFC 3581: the port of sent-by, or the one it came from. */
static void responses_find_their_port(void **state)
{
	union stream_addr other = { .in = { .sin_family = AF_INET,
		                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	static const char *const without[] = { "", ", SIP/2.0/UDP 192.0.2.1;rport", ";rportal=1",
		                               ";x=\";rport\"" };
	socklen_t len = sizeof(other);
	char text[2000];
	int fd, elsewhere = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	station_open(&far, *state, NULL, ALL);
	far.answer = true;
	fd = raw(FLOW_UDP);
	assert_int_equal(bind(elsewhere, &other.sa, sizeof(other.in)), 0);
	assert_int_equal(getsockname(elsewhere, &other.sa, &len), 0);
	snprintf(text, sizeof(text), head, stream_addr_port(&other), ";rport", "");
	say(fd, text);
	assert_true(hear(fd, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, ";received=127.0.0.1;rport="));
	for (size_t i = 0; i < BASE_COUNT(without); i++) {
		snprintf(text, sizeof(text), head, stream_addr_port(&other), without[i], "");
		say(fd, text);
		assert_true(hear(elsewhere, text, sizeof(text)) > 0);
		assert_int_equal(far.count, 2 + i);
	}
	/* blank lines and noise make no flow */
	say(fd, "\r\n\r\n");
	say(fd, "what is this, and why SIP/2.0\r\n");
	say(fd, "\x16\x03\x01 hello\r\n");
	say(fd, "last SIP/2.0\r\n\r\n");
	UNTIL(&far, far.count == 3 + BASE_COUNT(without));
	assert_int_equal(flows_count(far.flows)->strays, 1);
	close(fd);
	close(elsewhere);
	station_close(&far);
}

static void streams_in_pieces(void **state)
{
	char text[2000], both[4000];
	int fd;

	station_open(&far, *state, NULL, ALL);
	fd = raw(FLOW_TCP);
	snprintf(text, sizeof(text), head, 1, "", "");
	for (size_t i = 0; i < strlen(text); i++) {
		assert_int_equal(send(fd, text + i, 1, 0), 1);
		assert_int_equal(loop_run_once(streams_loop(far.streams), 0), 0);
	}
	UNTIL(&far, far.count == 1);
	assert_int_equal(far.got_len, strlen(text));
	snprintf(both, sizeof(both), "%s\r\n\r\n%s", text, text);
	say(fd, both);
	UNTIL(&far, far.count == 3);
	assert_int_equal(hear(fd, text, sizeof(text)), 2); /* the pong (RFC 5626, 3.5.1) */
	assert_string_equal(text, "\r\n");
	close(fd);
	UNTIL(&far, far.lost == 1);
	station_close(&far);
}

/* 18.3: a request in a stream whose length nobody knows is answered, and the stream ends. */
static void a_stream_that_makes_no_sense(void **state)
{
	static const char *const lines[] = {
		"OPTIONS sip:x@x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
		"From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
		"Max-Forwards: 70\r\nContent-Length: 12x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	char text[2000];

	for (size_t i = 0; i < BASE_COUNT(lines); i++) {
		int fd;

		station_open(&far, *state, NULL, ALL);
		fd = raw(FLOW_TCP);
		say(fd, lines[i]);
		assert_int_equal(hear(fd, text, sizeof(text)), 0);
		assert_int_equal(flows_count(far.flows)->broken, 1);
		assert_int_equal(far.count, i ? 0 : 1); /* which is what HTTP is told */
		close(fd);
		station_close(&far);
	}
}

/* A message that never ends, an octet now and then; and who says nothing at all. */
static void slow_ones_are_let_go(void **state)
{
	static const struct flow_config hasty = { .message_ms = 60 };
	char text[2000];
	int fd, silent;
	size_t sent = 0;
	ssize_t n = -1;

	station_open(&far, *state, &hasty, ALL);
	fd = raw(FLOW_TCP);
	silent = raw(FLOW_TCP);
	say(fd, "OPTIONS sip:x@x SIP/2.0\r\nSubject: ");
	while (n < 0) {
		(void)send(fd, "x", 1, MSG_NOSIGNAL); /* until it is closed */
		assert_true(sent++ < 50000);          /* and not for its length */
		assert_int_equal(loop_run_once(streams_loop(far.streams), 5), 0);
		n = recv(fd, text, sizeof(text), 0);
		if (n < 0 && errno != EAGAIN)
			break;
	}
	assert_int_equal(hear(silent, text, sizeof(text)), 0);
	assert_int_equal(flows_count(far.flows)->broken, 2);
	assert_int_equal(far.count, 0);
	assert_int_equal(far.lost, far.ups); /* all that is known of them */
	close(fd);
	close(silent);
	station_close(&far);
}

static void one_source_has_not_all_connections(void **state)
{
	static const struct flow_config two = { .source_max = 2 };
	char text[100];
	int fds[3];

	station_open(&far, *state, &two, ALL);
	for (size_t i = 0; i < 3; i++)
		fds[i] = raw(FLOW_TCP);
	assert_int_equal(hear(fds[2], text, sizeof(text)), 0);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	station_close(&far);
}

static void datagrams_from_many_are_forgotten_in_turn(void **state)
{
	static const struct flow_config few = { .flows_max = 4 };
	char text[2000];
	int fds[6];

	station_open(&far, *state, &few, ALL);
	snprintf(text, sizeof(text), head, 5060, "", "");
	for (size_t i = 0; i < 6; i++) {
		fds[i] = raw(FLOW_UDP);
		say(fds[i], text);
		UNTIL(&far, far.count == i + 1);
	}
	assert_int_equal(
	        base_err_class(flows_send(far.flows, (struct sip_flow){ far.from.id - 5, false },
	                                  BASE_STR("x"))),
	        BASE_LOCAL);
	assert_int_equal(flows_send(far.flows, far.from, BASE_STR("x")), 0);
	assert_int_equal(far.forgotten, 2);
	assert_int_equal(far.forgotten_id, far.from.id - 4);
	assert_int_equal(far.lost, 0);
	for (size_t i = 0; i < 6; i++)
		close(fds[i]);
	station_close(&far);
}

static void pings(void **state)
{
	static const struct flow_config often = { .ping_ms = 20 };

	station_open(&near, *state, &often, 0);
	station_open(&far, *state, NULL, ALL);
	(void)call(&near, 1, uri_of(&far, FLOW_TCP), 10);
	UNTIL(&near, flows_count(far.flows)->pings == 3);
	assert_int_equal(near.lost, 0);
	station_close(&near);
	station_close(&far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(requests_and_responses),
		CASE(over_ipv6),
		CASE(who_came_is_called_by_its_own_connection),
		CASE(long_requests_go_by_tcp),
		CASE(nobody_there),
		CASE(a_name_that_is_not_proven),
		CASE(connections_are_used_backwards),
		CASE(nobody_is_called_by_a_claim),
		CASE(nobody_is_called_by_its_port),
		CASE(one_connection_for_all_domains),
		CASE(a_flow_that_ends_in_its_own_callback),
		CASE(responses_find_their_port),
		CASE(streams_in_pieces),
		CASE(a_stream_that_makes_no_sense),
		CASE(slow_ones_are_let_go),
		CASE(one_source_has_not_all_connections),
		CASE(datagrams_from_many_are_forgotten_in_turn),
		CASE(pings),
	};

	return cmocka_run_group_tests(tests, lab_open, lab_close);
}
