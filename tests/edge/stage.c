/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "check.h"

static void say(struct stage *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct stage *s, const char *fmt, ...)
{
	size_t len = strlen(s->log);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(s->log + len, sizeof(s->log) - len, fmt, args);
	va_end(args);
}

static void on_close(void *arg, uint64_t flow, bool forget, const char *why)
{
	say(arg, "close %u%s: %s\n", (unsigned)flow, forget ? " forget" : "", why);
}

static void on_renew(void *arg, uint64_t flow)
{
	say(arg, "renew %u\n", (unsigned)flow);
}

static void on_told(void *arg, const struct edge_event *e)
{
	static const char *const names[] = { "bound", "refreshed", "rekeyed", "unbound", "note" };
	const struct edge_binding *b = e->binding;

	say(arg, "%s %u", names[e->what], (unsigned)e->flow);
	if (e->what == EDGE_TOLD_UNBOUND)
		say(arg, " (%s)", edge_end_name(e->end));
	if (e->what == EDGE_TOLD_NOTE)
		say(arg, " %s", e->why);
	else if (b) {
		say(arg, " %.*s:%u %.*s", BASE_FMT(b->address), b->port, BASE_FMT(b->impi));
		for (size_t i = 0; i < b->impu_count; i++)
			say(arg, " %.*s", BASE_FMT(b->impus[i]));
		say(arg, " session=%.*s", BASE_FMT(b->session));
	}
	say(arg, "\n");
}

static void on_part(void *arg, const struct edge_parting *p)
{
	struct base_writer w = { 0 };

	edge_parting_write(p, "SIP/2.0/UDP edge;branch=z9hG4bKx", "call-of-edge", &w);
	say(arg, "part next=%.*s\n%s", BASE_FMT(p->next), base_writer_cstr(&w));
	base_writer_done(&w);
}

static void on_ping(void *arg, uint64_t flow, uint32_t within_ms)
{
	say(arg, "ping %u %u\n", (unsigned)flow, within_ms);
}

static int on_key(void *arg, uint64_t epoch, uint8_t ret[32])
{
	const struct stage *s = arg;

	if (epoch != s->epoch && s->no_foreign_key)
		return BASE_ERR(BASE_LOCAL, 0);
	memset(ret, 0x5a, 32);
	memcpy(ret, &epoch, sizeof(epoch));
	return 0;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct stage *s = arg;

	s->deadline_ms = deadline_ms;
}

static uint64_t on_now(void *arg)
{
	const struct stage *s = arg;

	return s->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct stage *s = arg;

	for (size_t i = 0; i < len; i++)
		out[i] = ++s->random;
}

void stage_open(struct stage *s)
{
	struct edge_core_ops ops = { .close = on_close,
		                     .renew = on_renew,
		                     .told = on_told,
		                     .part = on_part,
		                     .ping = on_ping,
		                     .token_key = on_key,
		                     .rearm = on_rearm,
		                     .now_ms = on_now,
		                     .random = on_random,
		                     .arg = s };

	if (!s->policy.access_host)
		s->policy.access_host = "pcscf.example:5061";
	if (!s->policy.core_host)
		s->policy.core_host = "192.0.2.1:5070";
	if (!s->policy.registrar)
		s->policy.registrar = "sip:icscf.example;lr";
	if (!s->epoch)
		s->epoch = STAGE_EPOCH;
	s->now_ms = 1000;
	s->deadline_ms = UINT64_MAX;
	assert_int_equal(edge_core_new(&s->core, &s->policy, &ops, s->epoch, NULL), 0);
}

void stage_close(struct stage *s)
{
	edge_core_free(s->core);
	base_arena_done(&s->arena);
	base_writer_done(&s->out);
	for (size_t i = 0; i < BASE_COUNT(s->octets); i++)
		base_writer_done(&s->octets[i]);
}

void stage_up(struct stage *s, uint64_t flow, const char *session)
{
	struct edge_peer peer = { .address = BASE_STR("198.51.100.7"),
		                  .port = (uint16_t)(40000 + flow),
		                  .tls = session != NULL,
		                  .session = base_str_of(session) };

	assert_int_equal(edge_core_up(s->core, flow, &peer), 0);
}

void stage_until(struct stage *s, uint64_t ms)
{
	while (s->deadline_ms <= ms) {
		s->now_ms = BASE_MAX(s->now_ms, s->deadline_ms);
		edge_core_advance(s->core);
	}
	s->now_ms = ms;
}

/* LF to CRLF, in storage that some more messages do not touch. */
static struct base_str wire(struct stage *s, const char *text)
{
	struct base_writer *w = &s->octets[s->octet_at++ % BASE_COUNT(s->octets)];

	base_writer_reset(w);
	for (; *text; text++) {
		if (*text == '\n')
			base_writer_u8(w, '\r');
		base_writer_u8(w, (uint8_t)*text);
	}
	base_writer_text(w, "Content-Length: 0\r\n\r\n");
	return base_writer_view(w);
}

static struct sip_message *parsed(struct stage *s, const char *text)
{
	struct sip_message *msg = BASE_NEW(&s->arena, struct sip_message);

	assert_int_equal(sip_message_parse(msg, &s->arena, wire(s, text), true), 0);
	if (msg->fault)
		fail_msg("%u %s in: %s", msg->fault, msg->fault_text, text);
	return msg;
}

/* As RFC 3261, 16.4 has it: our Routes at the top go. */
static size_t take_off(struct stage *s, struct sip_edit *edit, struct base_str *ret, size_t max)
{
	struct base_str element;
	size_t count = 0;

	while (count < max && sip_edit_first(edit, "Route", &element)) {
		struct sip_addr addr;
		struct sip_uri uri;

		if (sip_addr_parse(element, &addr) || sip_uri_parse(addr.uri, &uri) ||
		    !edge_core_mine(s->core, &uri))
			break;
		assert_true(sip_edit_shift(edit, "Route", &element));
		ret[count++] = addr.uri;
	}
	return count;
}

unsigned stage_in(struct stage *s, uint64_t flow, const char *text)
{
	struct sip_message *msg = parsed(s, text);
	struct base_str routes[8];
	struct edge_request request = { .side = flow ? EDGE_ACCESS : EDGE_CORE,
		                        .flow = flow,
		                        .msg = msg,
		                        .uri = msg->target,
		                        .routes = routes,
		                        .owner = s->owner,
		                        .load = s->load };
	struct sip_edit edit;

	sip_edit_begin(&edit, msg, &s->arena);
	request.route_count = take_off(s, &edit, routes, BASE_COUNT(routes));
	assert_int_equal(edge_core_request(s->core, &request, &s->arena, &s->d), 0);
	base_writer_reset(&s->out);
	if (s->d.what == EDGE_REPLY) {
		base_writer_str(&s->out, s->d.lines);
		(void)base_writer_cstr(&s->out);
		return s->d.status;
	}
	if (s->d.what != EDGE_FORWARD)
		return s->d.what == EDGE_DROP ? 1 : 2;
	s->request = msg;
	edge_core_forward(s->core, &request, &s->d, &edit);
	assert_false(edit.failed);
	sip_edit_write(&edit, &s->out);
	assert_false(s->out.failed);
	(void)base_writer_cstr(&s->out);
	return 0;
}

unsigned stage_inf(struct stage *s, uint64_t flow, const char *fmt, ...)
{
	char text[8192];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return stage_in(s, flow, text);
}

void stage_answer(struct stage *s, const char *text)
{
	struct sip_message *msg = parsed(s, text);
	struct sip_edit edit;

	sip_edit_begin(&edit, msg, &s->arena);
	assert_int_equal(edge_core_response(s->core,
	                                    &(struct edge_response){ .request = s->request,
	                                                             .decision = &s->d,
	                                                             .status = msg->status,
	                                                             .msg = msg },
	                                    &edit, &s->pass),
	                 0);
	base_writer_reset(&s->out);
	sip_edit_write(&edit, &s->out);
	assert_false(s->out.failed);
	(void)base_writer_cstr(&s->out);
}

void stage_answerf(struct stage *s, const char *fmt, ...)
{
	char text[8192];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	stage_answer(s, text);
}

void stage_own_answer(struct stage *s, unsigned status)
{
	assert_int_equal(edge_core_response(s->core,
	                                    &(struct edge_response){ .request = s->request,
	                                                             .decision = &s->d,
	                                                             .status = status },
	                                    NULL, &s->pass),
	                 0);
}

bool stage_has(const struct stage *s, const char *text)
{
	return s->out.data && strstr((const char *)s->out.data, text);
}

bool stage_told(const struct stage *s, const char *text)
{
	return strstr(s->log, text);
}

const char *stage_between(const struct stage *s, unsigned n, const char *from, const char *to)
{
	static char kept[8][512];
	static unsigned at;
	const char *p = (const char *)s->out.data, *end;
	char *out = kept[at++ % 8];

	for (unsigned i = 0; i <= n; i++) {
		p = strstr(p, from);
		assert_non_null(p);
		p += strlen(from);
	}
	end = strstr(p, to);
	assert_non_null(end);
	assert_true((size_t)(end - p) < sizeof(kept[0]));
	memcpy(out, p, (size_t)(end - p));
	out[end - p] = '\0';
	return out;
}

/* -- registration -- */

unsigned stage_ask(struct stage *s, uint64_t flow, const char *user, unsigned expires,
                   const char *auth, const char *lines)
{
	char header[1024] = "";

	if (auth)
		(void)snprintf(header, sizeof(header), "Authorization: Digest %s\n", auth);
	return stage_inf(s, flow,
	                 "REGISTER sip:example SIP/2.0\n"
	                 "Via: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1;rport\n"
	                 "From: <sip:%s@example>;tag=1\nTo: <sip:%s@example>\nCall-ID: r\n"
	                 "CSeq: 1 REGISTER\nMax-Forwards: 70\n"
	                 "Contact: <sip:%s@10.0.0.1:5061;transport=tls>;expires=%u\n%s%s",
	                 user, user, user, expires, header, lines ? lines : "");
}

#define ANSWER(user)                                                                               \
	"Via: SIP/2.0/TLS 10.0.0.1:5061;branch=z9hG4bK1;rport\nFrom: <sip:" user                   \
	"@example>;tag=1\nTo: <sip:" user "@example>;tag=2\nCall-ID: r\nCSeq: 1 REGISTER\n"

void stage_challenge(struct stage *s, const char *nonce, const char *more)
{
	stage_answerf(
	        s,
	        "SIP/2.0 401 Unauthorized\n" ANSWER("x") "WWW-Authenticate: Digest "
	                                                 "realm=\"example\", nonce=\"%s\"%s\n",
	        nonce, more ? more : "");
}

void stage_yes(struct stage *s, const char *user, unsigned expires, const char *lines)
{
	char contact[256] = "";

	if (expires)
		(void)snprintf(contact, sizeof(contact),
		               "Contact: <sip:%s@10.0.0.1:5061;transport=tls>;expires=%u\n", user,
		               expires);
	stage_answerf(s, "SIP/2.0 200 OK\n" ANSWER("x") "%s%s", contact, lines ? lines : "");
}

void stage_register(struct stage *s, uint64_t flow, const char *user, unsigned expires)
{
	char auth[256], lines[256];

	assert_int_equal(stage_ask(s, flow, user, expires, NULL, NULL), 0);
	stage_challenge(s, "n1", NULL);
	(void)snprintf(auth, sizeof(auth),
	               "username=\"%s@home\", realm=\"example\", nonce=\"n1\", "
	               "uri=\"sip:example\", response=\"0123456789abcdef0123456789abcdef\"",
	               user);
	assert_int_equal(stage_ask(s, flow, user, expires, auth, NULL), 0);
	(void)snprintf(lines, sizeof(lines),
	               "P-Associated-URI: <sip:%s@example>, <tel:+49%s1>\n"
	               "Service-Route: <sip:orig@scscf.example;lr>\n",
	               user, strcmp(user, "alice") ? "2" : "1");
	stage_yes(s, user, expires, lines);
}

void stage_long_ago(struct stage *s)
{
	stage_open(s);
	stage_up(s, 1, "SID1");
	stage_register(s, 1, "alice", 259200);
	s->log[0] = '\0';
}

int stage_set_up(void **state)
{
	static struct stage s;

	memset(&s, 0, sizeof(s));
	*state = &s;
	return 0;
}

int stage_tear_down(void **state)
{
	stage_close(*state);
	return 0;
}
