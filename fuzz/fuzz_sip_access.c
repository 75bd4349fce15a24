/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registration over a flow of its own under a script: an octet says what happens. What answers
 * its REGISTER are lines of the script, behind those that make it an answer. In the end it is told
 * to stop, and has to be idle once all time has passed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct sip_ua *ua;
	struct sip_access *access;
	uint64_t now_ms, flow;
	struct base_writer sent; /* the last */
	uint8_t random;
	bool wanted;
};

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct world *w = arg;

	if (flow.id != w->flow) /* by another than its own */
		abort();
	base_writer_reset(&w->sent);
	base_writer_str(&w->sent, octets);
	return 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	(void)arg;
	(void)flow;
	ret->transport = "TLS";
	ret->sent_by = "ue.example";
	ret->contact = "sip:ue@ue.example";
}

static void on_way(void *arg, const struct sip_way *way)
{
	(void)arg;
	(void)way;
	abort(); /* nobody has asked for one */
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static uint64_t on_now(void *arg)
{
	return ((struct world *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	memset(out, ++((struct world *)arg)->random, len);
}

static void on_connect(void *arg, bool next)
{
	(void)next;
	((struct world *)arg)->wanted = true;
}

static void on_close(void *arg, struct sip_flow flow, bool forget)
{
	struct world *w = arg;

	(void)forget;
	if (flow.id && flow.id != w->flow)
		abort();
	w->wanted = false;
}

static void on_told(void *arg, const struct sip_access_event *event)
{
	struct world *w = arg;

	if (event->what == SIP_ACCESS_REGISTERED && !sip_access_is(w->access))
		abort();
	if (event->what == SIP_ACCESS_UNREGISTERED && !sip_access_idle(w->access))
		abort();
}

static void until(struct world *w, uint64_t ms)
{
	while (sip_ua_deadline(w->ua) <= ms) {
		w->now_ms = BASE_MAX(w->now_ms, sip_ua_deadline(w->ua));
		sip_ua_advance(w->ua);
	}
	w->now_ms = ms;
}

/** The answer to what was sent last, with these lines. */
static void answer(struct world *w, unsigned status, struct base_str lines)
{
	struct base_arena arena = { 0 };
	struct base_writer reply = { 0 };
	struct sip_message msg;

	if (w->sent.len && !sip_message_parse(&msg, &arena, base_writer_view(&w->sent), true) &&
	    msg.request) {
		sip_reply_begin(&reply, &msg, NULL, status, NULL, BASE_STR("t"));
		base_writer_str(&reply, lines);
		base_writer_text(&reply, "Content-Length: 0\r\n\r\n");
		if (!reply.failed)
			sip_ua_input(w->ua, (struct sip_flow){ .id = w->flow, .reliable = true },
			             NULL, base_writer_view(&reply));
	}
	base_writer_done(&reply);
	base_arena_done(&arena);
}

static struct base_str line_of(struct base_reader *in)
{
	struct base_str line = { (const char *)in->at, 0 };

	while (in->at < in->end && *in->at) {
		in->at++;
		line.len++;
	}
	in->at += in->at < in->end;
	return line;
}

static void act(struct world *w, struct base_reader *in)
{
	static const unsigned statuses[] = { 200, 401, 407, 403, 423, 430,
		                             494, 500, 503, 100, 404, 600 };
	uint8_t what = *in->at++;

	if (what < BASE_COUNT(statuses))
		answer(w, statuses[what], line_of(in));
	else if (what == 'b')
		sip_access_begin(w->access);
	else if (what == 's')
		sip_access_stop(w->access);
	else if (what == 'l' || what == 'u')
		sip_access_lost(w->access, w->flow, what == 'l');
	else if (what == 'n' && w->wanted)
		sip_access_no_flow(w->access);
	else if (what == 'f' && w->wanted) {
		w->wanted = false;
		sip_access_flow(w->access, (struct sip_flow){ ++w->flow, true });
	} else if (what == 't')
		until(w, w->now_ms + 1000);
	else if (what == 'T')
		until(w, w->now_ms + 300000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .now_ms = 1000 };
	const struct sip_ua_ops ops = { .send = on_send,
		                        .local = on_local,
		                        .on_way = on_way,
		                        .rearm = on_rearm,
		                        .now_ms = on_now,
		                        .random = on_random,
		                        .arg = &w };
	const struct sip_access_ops access = { on_connect, on_close, on_told, &w };
	const struct sip_access_config config = { .registrar = BASE_STR("sip:r"),
		                                  .aor = BASE_STR("<sip:a@r>"),
		                                  .instance = "urn:uuid:1",
		                                  .user = "a",
		                                  .realm = "r",
		                                  .sec_agree = true };
	struct base_reader in = base_reader_of(data, size);

	if (sip_ua_new(&w.ua, &(struct sip_ua_config){ 0 }, &ops) ||
	    sip_ua_credential(w.ua, NULL, "a", "secret", 6) ||
	    sip_access_new(&w.access, w.ua, &config, &access))
		abort();
	while (in.at < in.end)
		act(&w, &in);
	sip_access_stop(w.access);
	for (unsigned i = 0; i < 4 && !sip_access_idle(w.access); i++)
		until(&w, w.now_ms + 40000);
	if (!sip_access_idle(w.access))
		abort();
	sip_access_free(w.access);
	until(&w, w.now_ms + 200000);
	if (sip_ua_transactions(w.ua))
		abort();
	sip_ua_free(w.ua);
	base_writer_done(&w.sent);
	return 0;
}
