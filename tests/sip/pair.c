/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "sip/pair.h"

static struct pair_end *other(struct pair_end *end)
{
	return end == &end->pair->alice ? &end->pair->bob : &end->pair->alice;
}

static bool first_line_has(struct base_str octets, const char *text)
{
	const char *end = memchr(octets.ptr, '\r', octets.len);

	return memmem(octets.ptr, end ? (size_t)(end - octets.ptr) : octets.len, text,
	              strlen(text)) != NULL;
}

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct pair_end *end = arg;
	struct pair *p = end->pair;
	struct pair_packet *packet;
	const char *eol = memchr(octets.ptr, '\r', octets.len);

	assert_true(flow.id != 0);
	end->flow = flow.id;
	assert_non_null(eol);
	if (end->broken)
		return BASE_ERR(BASE_PEER, 0);
	if (getenv("PAIR_LOG")) /* for who looks for what went wrong */
		(void)fprintf(stderr, "%s at %llu: %.*s\n\n", end->name,
		              (unsigned long long)p->now_ms, BASE_FMT(octets));
	(void)fprintf(p->logged, "%s %.*s\n", end->name, (int)(eol - octets.ptr), octets.ptr);
	if (p->drop && p->dropped < p->drops && first_line_has(octets, p->drop)) {
		p->dropped++;
		return 0;
	}
	packet = &p->queue[p->tail++ % PAIR_QUEUE];
	assert_true(p->tail - p->head <= PAIR_QUEUE);
	packet->to = other(end);
	packet->octets = strndup(octets.ptr, octets.len); /* libc's own memory is never scarce */
	assert_non_null(packet->octets);
	packet->len = octets.len;
	return 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	struct pair_end *end = arg;

	(void)flow;
	ret->transport = end->pair->reliable ? "TLS" : "UDP";
	ret->sent_by = end == &end->pair->alice ? "alice.example:5060" : "bob.example:5060";
	ret->contact = end == &end->pair->alice ? "sip:alice@alice.example" : "sip:bob@bob.example";
}

static void on_way(void *arg, const struct sip_way *way)
{
	struct pair_end *end = arg;

	end->way = way->id;
	end->ways++;
	assert_true(way->uri.len > 0 && way->octets > 0);
	if (end->hold_ways)
		return;
	if (way->attempt > end->ways_max)
		sip_ua_no_way(end->ua, way->id, 0);
	else
		sip_ua_way(end->ua, way->id,
		           (struct sip_flow){ .id = 1, .reliable = end->pair->reliable });
}

static void on_call(void *arg, const struct sip_call_event *event)
{
	struct pair_end *end = arg;
	struct pair_event *e = &end->events[end->count++];
	struct base_str protocol, text;
	unsigned cause;

	assert_true(end->count <= PAIR_EVENTS);
	*e = (struct pair_event){ .what = event->what, .status = event->status, .why = event->why };
	assert_true(event->body.len < sizeof(e->body));
	if (event->body.len)
		memcpy(e->body, event->body.ptr, event->body.len);
	if (event->msg && sip_cause_read(event->msg, &protocol, &cause, &text))
		(void)snprintf(e->reason, sizeof(e->reason), "%.*s %u %.*s", BASE_FMT(protocol),
		               cause, BASE_FMT(text));
	if (event->what == SIP_CALL_INCOMING)
		end->call = event->call;
	if (event->what == SIP_CALL_OVER && end->call == event->call)
		end->call = NULL;
}

static bool on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_call *call)
{
	struct pair_end *end = arg;

	end->requests++;
	if (end->handle)
		return end->handle(end, txn, msg);
	if (msg->method != SIP_MESSAGE)
		return false;
	assert_true(!call || call == end->call);
	assert_int_equal(sip_ua_reply(end->ua, txn, 202, NULL), 0);
	return true;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	((struct pair_end *)arg)->deadline_ms = deadline_ms;
}

static uint64_t on_now(void *arg)
{
	return ((struct pair_end *)arg)->pair->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct pair_end *end = arg;

	memset(out, ++end->random, len);
	if (len > 1)
		out[1] = (uint8_t)end->name[0]; /* theirs are never ours */
}

static void end_open(struct pair *p, struct pair_end *end, const char *name,
                     const struct sip_ua_config *config)
{
	static const struct sip_ua_config usual = { .session_s = 1800 };
	struct sip_ua_ops ops = { .send = on_send,
		                  .local = on_local,
		                  .on_way = on_way,
		                  .on_call = on_call,
		                  .on_request = on_request,
		                  .rearm = on_rearm,
		                  .now_ms = on_now,
		                  .random = on_random,
		                  .arg = end };

	end->pair = p;
	end->name = name;
	end->deadline_ms = UINT64_MAX;
	assert_int_equal(sip_ua_new(&end->ua, config ? config : &usual, &ops), 0);
}

void pair_open(struct pair *p, const struct sip_ua_config *alice, const struct sip_ua_config *bob)
{
	*p = (struct pair){ .now_ms = 1000, .drops = UINT32_MAX };
	p->logged = open_memstream(&p->log, &p->log_len);
	assert_non_null(p->logged);
	end_open(p, &p->alice, "alice", alice);
	end_open(p, &p->bob, "bob", bob);
}

void pair_close(struct pair *p)
{
	struct pair_end *ends[] = { &p->alice, &p->bob };

	pair_until(p, p->now_ms + 200000);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sip_ua_calls(ends[i]->ua), 0);
		assert_int_equal(sip_ua_transactions(ends[i]->ua), 0);
		assert_int_equal(sip_ua_deadline(ends[i]->ua), UINT64_MAX);
		sip_ua_free(ends[i]->ua);
	}
	(void)fclose(p->logged);
	free(p->log);
}

void pair_run(struct pair *p)
{
	static const struct sip_source source = { .address = "192.0.2.1", .port = 5060 };
	struct sip_flow flow = { .id = 1, .reliable = p->reliable };

	while (p->head < p->tail) {
		struct pair_packet packet = p->queue[p->head++ % PAIR_QUEUE];

		sip_ua_input(packet.to->ua, flow, &source,
		             (struct base_str){ packet.octets, packet.len });
		free(packet.octets);
	}
}

/* The one that is due first, if it is by then. */
static struct pair_end *due(struct pair *p, uint64_t ms)
{
	struct pair_end *end = p->alice.deadline_ms <= p->bob.deadline_ms ? &p->alice : &p->bob;

	return end->deadline_ms <= ms ? end : NULL;
}

void pair_until(struct pair *p, uint64_t ms)
{
	struct pair_end *end;

	pair_run(p);
	while ((end = due(p, ms)) != NULL) {
		assert_int_equal(end->deadline_ms, sip_ua_deadline(end->ua));
		p->now_ms = BASE_MAX(p->now_ms, end->deadline_ms);
		end->deadline_ms = UINT64_MAX;
		sip_ua_advance(end->ua);
		pair_run(p);
	}
	p->now_ms = ms;
}

void pair_in(struct pair *p, struct pair_end *to, const char *text)
{
	sip_ua_input(to->ua, (struct sip_flow){ .id = 1, .reliable = p->reliable }, NULL,
	             base_str_of(text));
}

struct pair_event *pair_expect(struct pair_end *end, enum sip_call_what what)
{
	assert_true(end->seen < end->count);
	assert_int_equal(end->events[end->seen].what, what);
	return &end->events[end->seen++];
}

void pair_silence(struct pair_end *end)
{
	assert_int_equal(end->seen, end->count);
}

unsigned pair_sent(struct pair *p, const struct pair_end *from, const char *text)
{
	unsigned count = 0;
	size_t name = strlen(from->name);

	(void)fflush(p->logged);
	for (const char *at = p->log, *eol; (eol = strchr(at, '\n')) != NULL; at = eol + 1) {
		if (!strncmp(at, from->name, name) &&
		    memmem(at + name, (size_t)(eol - at) - name, text, strlen(text)))
			count++;
	}
	return count;
}

struct sip_content pair_body(const char *text)
{
	return (struct sip_content){ .type = text ? "application/sdp" : NULL,
		                     .body = base_str_of(text) };
}

struct sip_call *pair_call(struct pair *p, const char *offer)
{
	struct sip_call_setup setup = { .target = BASE_STR("sip:bob@example.com"),
		                        .from = BASE_STR("<sip:alice@example.com>"),
		                        .content = pair_body(offer) };

	assert_int_equal(sip_call_start(&p->alice.call, p->alice.ua, &setup, &p->alice), 0);
	return p->alice.call;
}

void pair_up(struct pair *p)
{
	struct sip_content answer = pair_body("a1");

	(void)pair_call(p, "o1");
	pair_run(p);
	assert_string_equal(pair_expect(&p->bob, SIP_CALL_INCOMING)->body, "o1");
	assert_int_equal(sip_call_accept(p->bob.call, &answer), 0);
	pair_run(p);
	assert_string_equal(pair_expect(&p->alice, SIP_CALL_ANSWERED)->body, "a1");
	(void)pair_expect(&p->bob, SIP_CALL_CONFIRMED);
	assert_string_equal(sip_call_state(p->alice.call), "up");
	assert_string_equal(sip_call_state(p->bob.call), "up");
}

struct base_str pair_last(struct pair *p)
{
	const struct pair_packet *packet = &p->queue[(p->tail - 1) % PAIR_QUEUE];

	assert_true(p->tail > p->head);
	return (struct base_str){ packet->octets, packet->len };
}

void pair_answer(struct pair *p, struct pair_end *from, unsigned status, const char *lines)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct base_str octets = pair_last(p);
	struct sip_message msg;

	assert_int_equal(sip_message_parse(&msg, &arena, octets, true), 0);
	p->tail--;
	sip_reply_begin(&w, &msg, NULL, status, NULL, BASE_STR("between"));
	base_writer_text(&w, lines);
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	free(p->queue[p->tail % PAIR_QUEUE].octets);
	base_arena_done(&arena);
	pair_in(p, from, base_writer_cstr(&w));
	base_writer_done(&w);
}

unsigned pair_has(struct base_str in, const char *text)
{
	unsigned n = 0;
	const char *at = in.ptr, *end = in.ptr + in.len;

	while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
		at += strlen(text);
		n++;
	}
	return n;
}
