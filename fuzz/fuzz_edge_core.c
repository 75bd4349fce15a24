/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge's core under a script: an octet says what happens, the next on which flow. Registrations
 * come by template, other messages as they stand (two octets of length before them). What goes on
 * has to be a message again, by whose identity it says, and no binding may outlive its flow.
 */
#include <stdio.h>
#include <stdlib.h>

#include "edge/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 4

struct world {
	struct edge_core *core;
	struct base_arena arena;
	uint64_t now_ms;
	size_t bound; /* as told */
	struct edge_decision d;
	struct sip_message *request; /* the last that went on */
	bool forwarded;
	struct base_str owner;
};

static void on_close(void *arg, uint64_t flow, bool forget, const char *why)
{
	(void)arg;
	(void)forget;
	if (!flow || !why)
		abort();
}

static void on_renew(void *arg, uint64_t flow)
{
	(void)arg;
	(void)flow;
}

static void on_told(void *arg, const struct edge_event *e)
{
	struct world *w = arg;

	if (e->what == EDGE_TOLD_BOUND)
		w->bound++;
	if (e->what == EDGE_TOLD_UNBOUND && !w->bound--)
		abort();
	if (e->what != EDGE_TOLD_NOTE && (!e->binding->impu_count || !e->binding->impi.len))
		abort();
}

static void on_part(void *arg, const struct edge_parting *p)
{
	struct base_writer out = { 0 };
	struct sip_message msg;
	struct world *w = arg;

	edge_parting_write(p, "SIP/2.0/UDP e;branch=z9hG4bKx", "c", &out);
	if (sip_message_parse(&msg, &w->arena, base_writer_view(&out), true) || msg.fault)
		abort();
	base_writer_done(&out);
}

static int on_key(void *arg, uint64_t epoch, uint8_t ret[32])
{
	(void)arg;
	memset(ret, 7, 32);
	memcpy(ret, &epoch, sizeof(epoch));
	return 0;
}

static uint64_t on_now(void *arg)
{
	return ((const struct world *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, 3, len);
}

static void open_world(struct world *w)
{
	static const char *const emergency[] = { "urn:service:sos", "tel:112" };
	const struct edge_core_ops ops = { .close = on_close,
		                           .renew = on_renew,
		                           .told = on_told,
		                           .part = on_part,
		                           .token_key = on_key,
		                           .now_ms = on_now,
		                           .random = on_random,
		                           .arg = w };
	const struct edge_policy policy = { .access_host = "p.example:5061",
		                            .core_host = "192.0.2.1:5070",
		                            .deregister = true,
		                            .flow_timer_s = 60,
		                            .bindings_max = 2,
		                            .minimum_s = 10,
		                            .emergency = emergency,
		                            .emergency_count = 2 };

	w->now_ms = 1000;
	w->owner = BASE_STR("sip:192.0.2.2:5070");
	if (edge_core_new(&w->core, &policy, &ops, 0x3131313131313131ULL, NULL))
		abort();
}

/* Whoever says "tls-yes", or asserts an identity, has a binding. */
static void check_up(const struct world *w, const struct sip_message *out, uint64_t flow)
{
	struct sip_values values = { .msg = out, .id = SIP_H_P_ASSERTED_IDENTITY };
	struct edge_binding b = { 0 };
	struct base_str one;
	bool bound = edge_core_binding(w->core, flow, &b);

	while (sip_values_next(&values, &one)) {
		bool own = false;

		for (size_t i = 0; i < b.impu_count; i++)
			own = own || (one.len == b.impus[i].len + 2 &&
			              !memcmp(one.ptr + 1, b.impus[i].ptr, b.impus[i].len));
		if (!bound || !own)
			abort();
	}
	for (const struct sip_header *h = sip_header(out, SIP_H_AUTHORIZATION); h && !bound;
	     h = sip_header_after(out, h))
		if (memmem(h->value.ptr, h->value.len, "integrity-protected=\"tls-yes\"", 29))
			abort();
}

static void written(struct world *w, struct sip_edit *edit, bool up, uint64_t flow)
{
	struct base_writer out = { .limit = 2UL * SIP_MESSAGE_OCTETS_MAX };
	struct sip_message msg;

	sip_edit_write(edit, &out);
	if (!out.failed && out.len <= SIP_MESSAGE_OCTETS_MAX &&
	    !sip_message_parse(&msg, &w->arena, base_writer_view(&out), false)) {
		if (msg.fault)
			abort();
		if (up)
			check_up(w, &msg, flow);
	}
	base_writer_done(&out);
}

static void request(struct world *w, struct sip_message *msg, uint64_t flow, unsigned how)
{
	const struct edge_owner owner = { .known = how & 4, .uri = w->owner };
	struct base_str routes[8], element;
	struct edge_request r = { .side = flow ? EDGE_ACCESS : EDGE_CORE,
		                  .flow = flow,
		                  .msg = msg,
		                  .uri = msg->target,
		                  .routes = routes,
		                  .owner = how & 8 ? &owner : NULL,
		                  .load = (enum edge_load)(how & 16 ? (how & 3) % 3 : 0) };
	struct sip_edit edit;
	struct sip_addr addr;
	struct sip_uri uri;

	sip_edit_begin(&edit, msg, &w->arena);
	while (r.route_count < 8 && sip_edit_first(&edit, "Route", &element) &&
	       !sip_addr_parse(element, &addr) && !sip_uri_parse(addr.uri, &uri) &&
	       edge_core_mine(w->core, &uri)) {
		(void)sip_edit_shift(&edit, "Route", &element);
		routes[r.route_count++] = addr.uri;
	}
	if (edge_core_request(w->core, &r, &w->arena, &w->d))
		abort();
	w->forwarded = w->d.what == EDGE_FORWARD;
	if (!w->forwarded)
		return;
	w->request = msg;
	edge_core_forward(w->core, &r, &w->d, &edit);
	written(w, &edit, w->d.to == EDGE_CORE && w->d.way != EDGE_WAY_OWNER, flow);
}

static void response(struct world *w, const struct sip_message *msg)
{
	struct edge_response r = {
		.request = w->request, .decision = &w->d, .status = msg->status, .msg = msg
	};
	struct edge_passing passing;
	struct sip_edit edit;

	if (!w->forwarded)
		return;
	sip_edit_begin(&edit, msg, &w->arena);
	if (!edge_core_response(w->core, &r, &edit, &passing))
		written(w, &edit, false, 0);
	w->forwarded = msg->status < 200;
}

static void message(struct world *w, struct base_str octets, uint64_t flow, unsigned how)
{
	struct sip_message *msg = BASE_NEW(&w->arena, struct sip_message);

	if (!msg || sip_message_parse(msg, &w->arena, octets, false) || msg->fault)
		return;
	if (!msg->request)
		response(w, msg);
	else if (msg->method != SIP_CANCEL)
		request(w, msg, flow, how);
}

static void print(struct world *w, uint64_t flow, unsigned how, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
static void print(struct world *w, uint64_t flow, unsigned how, const char *fmt, ...)
{
	char text[1024], *kept;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kept = base_arena_dup(&w->arena, base_str_of(text));
	if (kept)
		message(w, base_str_of(kept), flow, how);
}

#define FRAME(user)                                                                                \
	"Via: SIP/2.0/TLS u;branch=z9hG4bK1\r\nFrom: <sip:" user "@x>;tag=1\r\nTo: <sip:" user     \
	"@x>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n"

static void template(struct world *w, uint8_t what, uint64_t flow, uint8_t how)
{
	char user[2] = { (char)('a' + how % 3), '\0' };

	switch (what) {
	case 0:
		print(w, flow, how,
		      "REGISTER sip:x SIP/2.0\r\n" FRAME(
		              "%s") "Contact: <sip:%s@u>;expires=60\r\n\r\n",
		      user, user, user);
		break;
	case 1:
		print(w, flow, how,
		      "REGISTER sip:x SIP/2.0\r\n" FRAME(
		              "%s") "Contact: <sip:%s@u>;expires=%u\r\n"
		                    "Authorization: Digest username=\"%s\", nonce=\"n\", "
		                    "response=\"1\"\r\n\r\n",
		      user, user, user, how & 64 ? 0 : 60, user);
		break;
	case 2:
		print(w, flow, how,
		      "SIP/2.0 401 x\r\n" FRAME(
		              "a") "WWW-Authenticate: Digest nonce=\"n\"%s\r\n\r\n",
		      how & 1 ? ", stale=true" : "");
		break;
	default:
		print(w, flow, how,
		      "SIP/2.0 200 x\r\n" FRAME("a") "Require: outbound\r\n%s%s%s\r\n",
		      how & 64 ? "" : "Contact: <sip:a@u>;expires=60, <sip:b@u>, <sip:c@u>\r\n",
		      how & 4 ? "P-Associated-URI: <sip:a@x>, <tel:+1>\r\n" : "",
		      how & 8 ? "Service-Route: <sip:s;lr>\r\n" : "");
		break;
	}
}

static void event(struct world *w, uint8_t what, uint64_t flow, uint8_t how)
{
	struct base_str session = { &"SESSION0SESSION1SESSION2"[how % 16], 8 };
	struct edge_peer peer = {
		.address = BASE_STR("198.51.100.1"), .port = 1, .tls = how < 250, .session = session
	};

	switch (what) {
	case 4:
		if (edge_core_up(w->core, flow, &peer))
			abort();
		break;
	case 5:
		edge_core_lost(w->core, flow);
		break;
	case 6:
		edge_core_rekeyed(w->core, flow, session);
		break;
	case 7:
		edge_core_not_rekeyed(w->core, flow);
		break;
	case 8:
		w->now_ms += 1ULL << how % 27;
		edge_core_advance(w->core);
		break;
	case 9:
		(void)edge_core_drop(w->core, flow);
		break;
	case 10:
		(void)edge_core_ended(w->core, flow);
		break;
	default:
		(void)edge_core_renew(w->core, flow);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader r = base_reader_of(data, size);
	struct world w = { 0 };

	open_world(&w);
	while (base_reader_left(&r) >= 3) {
		uint8_t what = base_reader_u8(&r) % 16;
		uint64_t flow = base_reader_u8(&r) % (FLOWS + 1);
		uint8_t how = base_reader_u8(&r);

		if (what < 4) {
			template(&w, what, flow, how);
		} else if (what < 12) {
			event(&w, what, flow ? flow : 1, how);
		} else {
			size_t len = BASE_MIN((size_t)base_reader_u16(&r), base_reader_left(&r));
			const uint8_t *octets = base_reader_take(&r, len);

			if (octets && len)
				message(&w, (struct base_str){ (const char *)octets, len }, flow,
				        how);
		}
		if (edge_core_count(w.core) != w.bound)
			abort();
	}
	for (uint64_t flow = 1; flow <= FLOWS; flow++)
		edge_core_lost(w.core, flow);
	if (edge_core_count(w.core) || edge_core_flow_count(w.core) || w.bound ||
	    edge_core_deadline(w.core) != UINT64_MAX)
		abort();
	edge_core_free(w.core);
	base_arena_done(&w.arena);
	return 0;
}
