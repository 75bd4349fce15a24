/* SPDX-License-Identifier: Apache-2.0 */
#include "station.h"

struct lab *lab;
char log_text[65536];

static void on_log(void *arg, enum base_level level, const char *line)
{
	(void)arg;
	(void)level;
	snprintf(log_text + strlen(log_text), sizeof(log_text) - strlen(log_text), "%s\n", line);
}

int station_reply(struct station *s)
{
	const struct sip_source source = { s->source, s->source_port };
	const struct base_str octets = { s->got, s->got_len };
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;
	int rc = 0;

	if (!sip_message_parse(&msg, &arena, octets, s->from.reliable) && msg.request &&
	    !msg.fault) {
		sip_reply_begin(&w, &msg, &source, 200, NULL, BASE_STR("tag"));
		sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
		rc = flows_send(s->flows, s->from, base_writer_view(&w));
	}
	base_writer_done(&w);
	base_arena_done(&arena);
	return rc;
}

static void on_message(void *arg, struct sip_flow from, const struct sip_source *source,
                       struct base_str octets)
{
	struct station *s = arg;

	s->count++;
	s->from = from;
	s->got_len = BASE_MIN(octets.len, sizeof(s->got) - 1);
	memcpy(s->got, octets.ptr, s->got_len);
	s->got[s->got_len] = 0;
	snprintf(s->source, sizeof(s->source), "%s", source->address);
	s->source_port = source->port;
	if (s->answer && memcmp(octets.ptr, "SIP", 3) != 0)
		assert_int_equal(station_reply(s), 0);
	if (s->close_on)
		flows_close(s->flows, from.id);
}

static void on_forgotten(void *arg, uint64_t flow)
{
	struct station *s = arg;

	s->forgotten++;
	s->forgotten_id = flow;
}

static void on_lost(void *arg, uint64_t flow, const char *why)
{
	struct station *s = arg;

	s->lost++;
	s->lost_id = flow;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void on_way(void *arg, uint64_t id, struct sip_flow flow, unsigned status)
{
	struct station *s = arg;

	s->ways++;
	s->way_id = id;
	s->way = flow;
	s->status = status;
}

static void on_up(void *arg, uint64_t flow, const struct flow_info *info)
{
	struct station *s = arg;

	s->ups++;
	s->up_id = flow;
	s->up = *info;
	assert_true(info->up);
	if (s->close_up)
		flows_close(s->flows, flow);
}

static void on_rekeyed(void *arg, uint64_t flow, enum stream_again what)
{
	struct station *s = arg;

	(void)flow;
	s->again[what]++;
}

static void on_shake(void *arg, uint64_t flow, enum flow_shake what)
{
	struct station *s = arg;

	assert_true(flow != 0);
	s->shakes[what]++;
}

bool station_nobody;
struct x509_identity *station_identity;
struct trust_store *station_trust;
const char *station_at = "127.0.0.1:0";

void station_open(struct station *s, struct streams *streams, const struct flow_config *base,
                  unsigned transports)
{
	struct flow_config config = base ? *base : (struct flow_config){ 0 };
	const struct flow_ops ops = { .on_message = on_message,
		                      .on_lost = on_lost,
		                      .on_forgotten = on_forgotten,
		                      .on_way = on_way,
		                      .on_up = on_up,
		                      .on_rekeyed = on_rekeyed,
		                      .on_shake = on_shake,
		                      .arg = s };
	struct tls_domain_spec spec = {
		.name = "sip",
		.profile = lab_profile(lab, "modern"),
		.identity = station_nobody     ? NULL
		            : station_identity ? station_identity
		                               : lab->server_ec,
		.trust = station_trust ? station_trust : lab->trust,
		.server_methods = TRUST_CA,
		.client_methods = TRUST_CA,
		.client_auth = TLS_CLIENT_AUTH_REQUEST,
	};
	struct base_error err = { 0 };

	memset(s, 0, sizeof(*s));
	s->streams = streams;
	if (tls_domain_new(&s->domain, &spec, &err))
		fail_msg("%s", err.text);
	config.domain = s->domain;
	if (flows_new(&s->flows, streams, &config, &ops, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < 3; i++) {
		if (!(transports & 1U << i))
			continue;
		assert_int_equal(stream_addr_parse(&s->at[i], base_str_of(station_at), NULL), 0);
		if (flows_listen(s->flows, (enum flow_transport)i, &s->at[i], &err))
			fail_msg("%s", err.text);
	}
}

void station_close(struct station *s)
{
	flows_free(s->flows);
	tls_domain_unref(s->domain);
}

size_t request(char *out, size_t cap, const char *uri, const struct sip_local *local, size_t body)
{
	size_t at = (size_t)snprintf(
	        out, cap,
	        "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKtest\r\n"
	        "Max-Forwards: 70\r\nFrom: <sip:a@near.test>;tag=1\r\nTo: <sip:b@far.test>\r\n"
	        "Call-ID: call\r\nCSeq: 1 MESSAGE\r\nContact: <%s>\r\nContent-Length: %zu\r\n\r\n",
	        uri, local->transport, local->sent_by, local->contact, body);

	assert_true(at + body < cap);
	memset(out + at, 'b', body);
	return at + body;
}

struct sip_flow call(struct station *s, uint64_t id, const char *uri, size_t body)
{
	static char octets[70000];
	unsigned ways = s->ways;
	struct sip_local local;
	size_t len;

	flows_seek(s->flows, id, base_str_of(uri), body + 300, 0, (struct sip_flow){ 0 });
	UNTIL(s, s->ways > ways);
	assert_int_equal(s->way_id, id);
	assert_int_equal(s->status, 0);
	flows_local(s->flows, s->way, &local);
	len = request(octets, sizeof(octets), uri, &local, body);
	assert_int_equal(flows_send(s->flows, s->way, (struct base_str){ octets, len }), 0);
	return s->way;
}

const char *uri_of(const struct station *s, enum flow_transport transport)
{
	static char uri[120];
	char at[STREAM_ADDR_TEXT];

	snprintf(uri, sizeof(uri), "sip:x@%s;transport=%s",
	         stream_addr_format(&s->at[transport], at, sizeof(at)),
	         flow_transport_name(transport));
	return uri;
}

int setup(void **state)
{
	struct loop *loop;

	log_text[0] = '\0';
	if (loop_new(&loop))
		return -1;
	return streams_new((struct streams **)state, loop, NULL);
}

int teardown(void **state)
{
	struct loop *loop = streams_loop(*state);

	streams_free(*state);
	loop_free(loop);
	return 0;
}

int lab_open(void **state)
{
	(void)state;
	lab = lab_new();
	base_log_sink_set(on_log, NULL);
	return lab ? 0 : -1;
}

int lab_close(void **state)
{
	(void)state;
	base_log_sink_set(NULL, NULL);
	lab_free(lab);
	return 0;
}
