/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user agent with calls under a script: an octet says what happens, the next two how long the
 * message is that follows. What it sends may come back to itself. Each call that begins has to be
 * told over once, and nothing may be left once all time has passed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 16

struct world {
	struct sip_ua *ua;
	uint64_t now_ms;
	struct sip_call *calls[CALLS_MAX]; /* that are alive */
	unsigned next;
	uint64_t way, ways;       /* the last that was asked for, and the highest */
	bool broken, eager, late; /* late: ways are answered by the script */
	struct base_writer sent;  /* the last */
	uint8_t random;
};

static const struct sip_content sdp = { .type = "application/sdp", .body = { "v=0\r\n", 5 } };

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct world *w = arg;

	(void)flow;
	if (!octets.len)
		abort();
	base_writer_reset(&w->sent);
	base_writer_str(&w->sent, octets);
	return w->broken ? BASE_ERR(BASE_PEER, 0) : 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	(void)arg;
	(void)flow;
	ret->transport = "UDP";
	ret->sent_by = "ue.example";
	ret->contact = "sip:ue@ue.example";
}

static void on_way(void *arg, const struct sip_way *way)
{
	struct world *w = arg;

	w->way = way->id;
	w->ways = BASE_MAX(w->ways, way->id);
	if (way->attempt > 2)
		sip_ua_no_way(w->ua, way->id, 0);
	else if (!w->late)
		sip_ua_way(w->ua, way->id, (struct sip_flow){ .id = 1 });
}

static void slot_set(struct world *w, struct sip_call *from, struct sip_call *to)
{
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		if (w->calls[i] == from) {
			w->calls[i] = to;
			return;
		}
	}
	abort(); /* an event of a call that is over; or more calls than may be */
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	struct world *w = arg;

	if (event->what == SIP_CALL_INCOMING)
		slot_set(w, NULL, event->call);
	else if (event->what == SIP_CALL_OVER)
		slot_set(w, event->call, NULL);
	else
		slot_set(w, event->call, event->call);
	if (!w->eager || event->what == SIP_CALL_OVER)
		return;
	if (w->now_ms & 1024)
		sip_call_end(event->call, 0, NULL);
	(void)sip_call_accept(event->call, &sdp);
	(void)sip_call_offer(event->call, &sdp);
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

static void start(struct world *w, bool offer)
{
	struct sip_call_setup setup = { .target = BASE_STR("sip:b@example.com"),
		                        .from = BASE_STR("<sip:a@example.com>") };
	struct sip_call *call;

	if (offer)
		setup.content = sdp;
	if (!sip_call_start(&call, w->ua, &setup, NULL))
		slot_set(w, NULL, call);
}

static void asked(void *user, const struct sip_message *response, unsigned status, uint32_t cseq)
{
	(void)user;
	(void)cseq; /* 0 = nothing has gone out */
	if (!status || (response && response->status != status))
		abort();
}

static void ask(struct world *w)
{
	struct sip_draft draft = { .method = "MESSAGE",
		                   .target = BASE_STR("sip:b@example.com"),
		                   .from = BASE_STR("<sip:a@example.com>"),
		                   .to = BASE_STR("<sip:b@example.com>") };

	(void)sip_ua_ask(w->ua, &draft, asked, w, NULL);
}

/* The owner's, on one of its calls. */
static void owner(struct sip_call *call, unsigned what)
{
	static const struct sip_cause cause = { "SIP", 488, "no" };

	if (!call)
		return;
	switch (what & 7U) {
	case 0:
		(void)sip_call_progress(call, 180, NULL);
		break;
	case 1:
		(void)sip_call_decline(call, 488, NULL);
		break;
	case 2:
		(void)sip_call_offer(call, &sdp);
		break;
	case 3:
		sip_call_end(call, 486, &cause);
		break;
	default:
		(void)sip_call_accept(call, &sdp);
	}
}

static void back(struct world *w)
{
	struct base_writer copy = w->sent;

	w->sent = (struct base_writer){ 0 };
	sip_ua_input(w->ua, (struct sip_flow){ .id = 1 }, NULL, base_writer_view(&copy));
	base_writer_done(&copy);
}

static void act(struct world *w, uint8_t what, struct base_str octets)
{
	static const struct sip_source source = { .address = "2001:db8::1", .port = 5061 };

	switch (what >> 4) {
	case 0:
		w->now_ms += (uint64_t)1 << (what & 15U);
		sip_ua_advance(w->ua);
		break;
	case 1:
		owner(w->calls[w->next % CALLS_MAX], what);
		break;
	case 2:
		w->broken = what & 1U;
		w->eager = what & 2U;
		w->late = what & 4U;
		break;
	case 3:
		sip_ua_lost(w->ua, what & 1U);
		break;
	case 4:
		if (what & 8U)
			ask(w);
		else
			start(w, what & 1U);
		break;
	case 5:
		sip_ua_way(w->ua, w->way,
		           (struct sip_flow){ .id = what & 1U, .reliable = what & 2U });
		break;
	case 6:
		w->next = what;
		break;
	case 7:
		back(w);
		break;
	default:
		sip_ua_input(w->ua, (struct sip_flow){ .id = 1, .reliable = what & 1U }, &source,
		             octets);
	}
}

static void settle(struct world *w)
{
	w->broken = w->eager = w->late = false;
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		if (w->calls[i])
			sip_call_end(w->calls[i], 0, NULL);
	}
	for (int i = 0; i < 60 && (sip_ua_calls(w->ua) || sip_ua_transactions(w->ua)); i++) {
		w->now_ms += 40000;
		for (uint64_t id = 1; id <= w->ways; id++)
			sip_ua_no_way(w->ua, id, 0);
		sip_ua_advance(w->ua);
	}
	for (unsigned i = 0; i < CALLS_MAX; i++) {
		if (!w->calls[i])
			continue;
		(void)fprintf(stderr, "left: %s\n", sip_call_state(w->calls[i]));
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .now_ms = 1 };
	struct sip_ua_ops ops = { .send = on_send,
		                  .local = on_local,
		                  .on_way = on_way,
		                  .on_call = on_call,
		                  .rearm = on_rearm,
		                  .now_ms = on_now,
		                  .random = on_random,
		                  .arg = &w };
	struct sip_ua_config config = { .calls_max = CALLS_MAX, .txns.count_max = 32 };
	struct base_reader in = base_reader_of(data, size);

	if (sip_ua_new(&w.ua, &config, &ops))
		return 0;
	while (base_reader_left(&in)) {
		uint8_t what = base_reader_u8(&in);
		size_t len = what >> 4 >= 8 ? base_reader_u16(&in) : 0;

		len = BASE_MIN(len, base_reader_left(&in));
		act(&w, what, (struct base_str){ (const char *)base_reader_take(&in, len), len });
	}
	if (size & 1U)
		settle(&w); /* else it goes with all it has */
	sip_ua_free(w.ua);
	base_writer_done(&w.sent);
	return 0;
}
