/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy_stage.h"

struct sip_flow proxy_flow(uint64_t id)
{
	return (struct sip_flow){ id, id < CORE };
}

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct proxy_stage *s = arg;
	struct proxy_sent *sent = &s->sent[s->count];

	assert_int_not_equal(flow.id, 0);
	if (flow.id == s->broken)
		return BASE_ERR(BASE_LOCAL, 0);
	assert_true(s->count < PROXY_SENT_MAX);
	*sent = (struct proxy_sent){ flow.id, s->now_ms, malloc(octets.len + 1), octets.len };
	if (!sent->text) /* a memory walk's */
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(sent->text, octets.ptr, octets.len);
	sent->text[octets.len] = 0;
	s->count++;
	return 0;
}

static void on_local(void *arg, struct sip_flow flow, struct sip_local *ret)
{
	(void)arg;
	ret->transport = flow.id < CORE ? "TLS" : "UDP";
	ret->sent_by = flow.id < CORE ? "edge.example:5061" : "edge.example:5060;rport";
}

static void way_answer(struct proxy_stage *s)
{
	uint64_t flow = s->attempt <= SIP_PROXY_ATTEMPTS_MAX ? s->ways[s->attempt] : 0;

	if (flow)
		sip_proxy_way(s->proxy, s->way, proxy_flow(flow));
	else
		sip_proxy_no_way(s->proxy, s->way, 404);
}

static void on_way(void *arg, const struct sip_way *way)
{
	struct proxy_stage *s = arg;

	s->way = way->id;
	s->attempt = way->attempt;
	s->way_count++;
	assert_true(way->octets > 100);
	(void)snprintf(s->hop, sizeof(s->hop), "%.*s", BASE_FMT(way->uri));
	if (!s->hold_ways)
		way_answer(s);
}

static bool on_mine(void *arg, const struct sip_uri *uri, struct sip_flow from)
{
	(void)arg;
	assert_int_not_equal(from.id, 0);
	return base_str_ieq(uri->host, BASE_STR("edge.example"));
}

static bool on_answers(void *arg, struct sip_flow sent, struct sip_flow from)
{
	const struct proxy_stage *s = arg;

	return !s->strict_answers || (sent.id < CORE ? sent.id == from.id : from.id >= CORE);
}

static bool on_admit(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                     struct sip_flow from)
{
	struct proxy_stage *s = arg;

	assert_int_not_equal(from.id, 0);
	assert_int_equal(msg->fault, 0);
	s->admits++;
	if (!s->refuse)
		return true;
	assert_int_equal(sip_proxy_reply(ctx, s->refuse, NULL), 0);
	return false;
}

static void on_request(void *arg, struct sip_context *ctx, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct proxy_stage *s = arg;
	const struct base_str *routes;
	size_t count = sip_context_routes(ctx, &routes);
	int rc;

	assert_int_equal(sip_context_flow(ctx).id, from.id);
	assert_ptr_equal(sip_context_request(ctx), msg);
	s->requests++;
	s->ctx = ctx;
	s->last_routes[0] = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = strlen(s->last_routes);

		(void)snprintf(s->last_routes + at, sizeof(s->last_routes) - at, "%.*s ",
		               BASE_FMT(routes[i]));
	}
	sip_context_user_set(ctx, s);
	if (!s->target_count)
		return;
	rc = sip_proxy_forward(ctx, s->targets, s->target_count);
	assert_true(!rc || base_err_class(rc) == BASE_LOCAL);
	if (rc && sip_proxy_reply(ctx, 500, NULL))
		sip_proxy_drop(ctx);
}

static void on_forward(void *arg, struct sip_context *ctx, const struct sip_target *target,
                       struct sip_edit *edit)
{
	struct proxy_stage *s = arg;

	(void)target;
	assert_ptr_equal(sip_context_user(ctx), s);
	s->forwards++;
	if (s->route)
		sip_edit_push(edit, "Route", base_str_of(s->route));
	if (s->record)
		sip_edit_push(edit, "Record-Route", base_str_of(s->record));
}

static unsigned on_response(void *arg, struct sip_context *ctx, const struct sip_target *target,
                            const struct sip_message *msg, struct sip_edit *edit)
{
	struct proxy_stage *s = arg;

	assert_ptr_equal(sip_context_user(ctx), s);
	assert_int_not_equal(target->flow.id, 0);
	assert_int_not_equal(msg->status, 100);
	s->responses++;
	if (s->reply)
		assert_int_equal(sip_proxy_reply(ctx, s->reply, NULL), 0);
	if (s->line)
		sip_edit_append(edit, "X-Passed", base_str_of(s->line));
	return s->instead;
}

static void on_answered(void *arg, struct sip_context *ctx, unsigned status)
{
	struct proxy_stage *s = arg;

	assert_true(sip_context_answered(ctx));
	s->answers++;
	s->answered = status;
}

static void on_orphan(void *arg, struct sip_context *ctx)
{
	struct proxy_stage *s = arg;

	s->orphans++;
	if (s->cancel_orphans)
		sip_proxy_cancel(ctx);
}

static void on_over(void *arg, struct sip_context *ctx)
{
	struct proxy_stage *s = arg;

	if (s->ctx == ctx)
		s->ctx = NULL;
	s->overs++;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	((struct proxy_stage *)arg)->deadline_ms = deadline_ms;
}

static uint64_t on_now(void *arg)
{
	return ((struct proxy_stage *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	memset(out, ++((struct proxy_stage *)arg)->random, len);
}

void proxy_open(struct proxy_stage *s, const struct sip_proxy_config *config)
{
	static const struct sip_proxy_config defaults;
	struct sip_proxy_ops ops = { .send = on_send,
		                     .local = on_local,
		                     .on_way = on_way,
		                     .answers = on_answers,
		                     .mine = on_mine,
		                     .admit = on_admit,
		                     .on_request = on_request,
		                     .on_forward = on_forward,
		                     .on_response = on_response,
		                     .on_answered = on_answered,
		                     .on_orphan = on_orphan,
		                     .on_over = on_over,
		                     .rearm = on_rearm,
		                     .now_ms = on_now,
		                     .random = on_random,
		                     .arg = s };

	*s = (struct proxy_stage){ .now_ms = 1, .deadline_ms = UINT64_MAX };
	assert_int_equal(sip_proxy_new(&s->proxy, config ? config : &defaults, &ops), 0);
}

void proxy_until(struct proxy_stage *s, uint64_t ms)
{
	while (s->deadline_ms <= ms) {
		assert_int_equal(s->deadline_ms, sip_proxy_deadline(s->proxy));
		s->now_ms = BASE_MAX(s->now_ms, s->deadline_ms);
		s->deadline_ms = UINT64_MAX;
		sip_proxy_advance(s->proxy);
	}
	s->now_ms = ms;
}

void proxy_close(struct proxy_stage *s)
{
	proxy_until(s, s->now_ms + 400000);
	assert_int_equal(sip_proxy_contexts(s->proxy), 0);
	assert_int_equal(sip_proxy_transactions(s->proxy), 0);
	assert_int_equal(s->overs, s->admits);
	sip_proxy_free(s->proxy);
	for (size_t i = 0; i < s->count; i++)
		free(s->sent[i].text);
}

void proxy_in(struct proxy_stage *s, uint64_t flow, const char *text)
{
	sip_proxy_input(s->proxy, proxy_flow(flow), NULL, base_str_of(text));
}

const char *proxy_text(const struct proxy_stage *s, size_t i)
{
	assert_true(i < s->count);
	return s->sent[i].text;
}

size_t proxy_expect(struct proxy_stage *s, uint64_t flow, const char *begins)
{
	size_t i = s->seen++;

	if (i >= s->count)
		fail_msg("nothing was sent, not \"%s\"", begins);
	if (s->sent[i].flow != flow || strncmp(s->sent[i].text, begins, strlen(begins)))
		fail_msg("not \"%s\" by %u but by %u: %s", begins, (unsigned)flow,
		         (unsigned)s->sent[i].flow, s->sent[i].text);
	return i;
}

void proxy_silence(const struct proxy_stage *s)
{
	if (s->seen < s->count)
		fail_msg("by %u: %s", (unsigned)s->sent[s->seen].flow, s->sent[s->seen].text);
}

void proxy_has(const struct proxy_stage *s, size_t i, const char *text, unsigned times)
{
	unsigned count = 0;

	for (const char *at = proxy_text(s, i); (at = strstr(at, text)) != NULL; at++)
		count++;
	if (count != times)
		fail_msg("%u times \"%s\" in: %s", count, text, proxy_text(s, i));
}

void proxy_answer(struct proxy_stage *s, size_t i, unsigned status, const char *tag,
                  const char *lines)
{
	assert_true(i < s->count);
	proxy_answer_by(s, s->sent[i].flow, i, status, tag, lines);
}

void proxy_answer_by(struct proxy_stage *s, uint64_t by, size_t i, unsigned status, const char *tag,
                     const char *lines)
{
	struct base_arena arena = { 0 };
	struct base_writer w = { 0 };
	struct sip_message msg;

	assert_int_equal(sip_message_parse(&msg, &arena, base_str_of(proxy_text(s, i)), true), 0);
	assert_int_equal(msg.fault, 0);
	sip_reply_begin(&w, &msg, NULL, status, NULL, base_str_of(tag));
	if (lines)
		base_writer_text(&w, lines);
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	sip_proxy_input(s->proxy, proxy_flow(by), NULL, base_writer_view(&w));
	base_writer_done(&w);
	base_arena_done(&arena);
}

void proxy_to(struct proxy_stage *s, size_t count, const uint64_t *flows)
{
	s->target_count = count;
	for (size_t i = 0; i < count; i++)
		s->targets[i] = (struct sip_target){ .flow = proxy_flow(flows[i]) };
}

void proxy_call(struct proxy_stage *s, size_t count, const uint64_t *flows)
{
	proxy_open(s, NULL);
	proxy_to(s, count, flows);
	proxy_in(s, ALICE, ASK("INVITE", B, ""));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(proxy_expect(s, flows[i], "INVITE "), i);
}
