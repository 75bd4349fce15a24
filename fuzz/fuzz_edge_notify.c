/* SPDX-License-Identifier: Apache-2.0 */
/* NOTIFYs of a registrar (RFC 3680), one after another with zero octets between them: the first
 * line of each is Subscription-State, what follows the document. Two flows are bound, and end at
 * most once. What lies in a pool's Redis is read, too, as if the seal had let it pass. */
#include <stdlib.h>

#include "edge/regevent.h"
#include "edge/store_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct edge_regevent *events;
	struct edge_regsub *asking;
	uint64_t now_ms;
	unsigned bound;
} st;

static int on_ask(void *arg, struct edge_regsub *sub, struct base_str octets, struct base_str hop)
{
	(void)arg;
	(void)hop;
	if (!octets.len || memchr(octets.ptr, '\0', octets.len))
		abort();
	st.asking = sub;
	return 0;
}

static void tell(enum edge_told what, uint64_t flow)
{
	struct base_str impu = BASE_STR("sip:a@h");
	struct edge_binding b = { .flow = flow,
		                  .impus = &impu,
		                  .impu_count = 1,
		                  .contact = flow == 1 ? BASE_STR("<sip:a@1>")
		                                       : BASE_STR("<sip:a@2>") };
	struct edge_event event = { .what = what, .flow = flow, .binding = &b };

	edge_regevent_told(st.events, &event);
}

static void on_ended(void *arg, uint64_t flow, const char *why)
{
	(void)arg;
	if (!why || !(st.bound & 1U << flow))
		abort();
	st.bound &= ~(1U << flow);
	tell(EDGE_TOLD_UNBOUND, flow);
}

static void on_shortened(void *arg, uint64_t flow, uint32_t expires_s)
{
	(void)arg;
	(void)expires_s;
	if (!(st.bound & 1U << flow))
		abort();
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, 7, len); /* every Call-ID and tag is the same: one subscription at a time */
}

static uint64_t on_now(void *arg)
{
	(void)arg;
	return st.now_ms;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static void notify(struct base_str text, uint32_t cseq)
{
	const char *line = memchr(text.ptr, '\n', text.len);
	size_t head = line ? (size_t)(line - text.ptr) : text.len;
	struct base_str body = { text.ptr + head, text.len - head };
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;

	base_writer_printf(&w,
	                   "NOTIFY sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKy\r\n"
	                   "From: <sip:a@h>;tag=r\r\nTo: <sip:h>;tag=070707070707070707070707\r\n"
	                   "Call-ID: 070707070707070707070707\r\nCSeq: %u NOTIFY\r\n"
	                   "Contact: <sip:r@h>\r\nEvent: reg\r\n"
	                   "Content-Type: application/reginfo+xml\r\n"
	                   "Subscription-State: %.*s\r\nContent-Length: %zu\r\n\r\n",
	                   cseq, (int)head, text.ptr, body.len);
	base_writer_str(&w, body);
	if (!w.failed && !sip_message_parse(&msg, &arena, base_writer_view(&w), false) &&
	    !msg.fault)
		(void)edge_regevent_notify(st.events, &msg);
	base_writer_done(&w);
	base_arena_done(&arena);
}

static void records(struct base_str octets)
{
	struct edge_written written;
	struct base_str uri;
	uint64_t epoch;

	if (!edge_written_read(octets, &written) &&
	    (!written.token.len || written.token.len > EDGE_STORE_TOKEN_MAX))
		abort();
	if (!edge_alive_read(octets, &epoch, &uri) && (!epoch || memchr(uri.ptr, '\r', uri.len)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct edge_regevent_spec spec = { .identity = "sip:h", .contact = "sip:h" };
	const struct edge_regevent_ops ops = { .ask = on_ask,
		                               .ended = on_ended,
		                               .shortened = on_shortened,
		                               .random = on_random,
		                               .now_ms = on_now,
		                               .rearm = on_rearm };
	struct base_str rest = { (const char *)data, size };
	uint32_t cseq = 1;

	base_log_level_set(BASE_LOG_ERROR);
	records(rest);
	st.events = NULL;
	st.asking = NULL;
	st.now_ms = 1000;
	st.bound = 6;
	if (edge_regevent_new(&st.events, &spec, &ops))
		return 0;
	tell(EDGE_TOLD_BOUND, 1);
	tell(EDGE_TOLD_BOUND, 2);
	while (rest.len && cseq < 20) {
		const char *end = memchr(rest.ptr, '\0', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

		notify((struct base_str){ rest.ptr, len }, cseq++);
		len += end != NULL;
		rest = (struct base_str){ rest.ptr + len, rest.len - len };
		st.now_ms += 1000;
		edge_regevent_advance(st.events);
	}
	edge_regevent_free(st.events);
	return 0;
}
