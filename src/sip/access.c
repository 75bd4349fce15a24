/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table's actions. Where its owner is told something, that is the last of an action: he may
 * call back. `a->now` is what has brought the event, for who is told.
 */
#include <stdlib.h>

#include "sip/access_private.h"
#include "sip/access_security.h"

#define EXPIRES_S    3600
#define RETRY_MS     30000 /* RFC 5626, 4.5 */
#define RETRY_MAX_MS 1800000
#define CONNECT_MS   40000 /* a way is found or not by then */
#define FAILURES_MAX 16

uint64_t sip_access_now_ms(const struct sip_access *a)
{
	return a->ua->ops.now_ms(a->ua->ops.arg);
}

const char *sip_access_why_name(enum sip_access_why why)
{
	static const char *const names[] = {
		[SIP_ACCESS_NO_WAY] = "no-way",           [SIP_ACCESS_LOST] = "lost",
		[SIP_ACCESS_SILENT] = "silent",           [SIP_ACCESS_DIGEST] = "digest",
		[SIP_ACCESS_NO_SECURITY] = "no-security", [SIP_ACCESS_FLOW_FAILED] = "flow-failed",
		[SIP_ACCESS_REFUSED] = "refused",
	};

	return names[why];
}

static void tell(struct sip_access *a, enum sip_access_what what, uint64_t again_ms)
{
	struct sip_access_event event = a->now;

	event.what = what;
	event.again_ms = again_ms;
	event.failures = a->failures;
	a->ops.told(a->ops.arg, &event);
}

/* The flow has failed, or nobody has answered. */
enum access_event sip_access_lost_event(const struct sip_access *a)
{
	bool soon = a->stands && sip_access_now_ms(a) - a->since_ms < a->retry_ms;

	return soon && a->hasty ? ACCESS_EV_LOST_SOON : ACCESS_EV_LOST;
}

static enum sip_access_why why_of(const struct sip_access *a, enum access_event event)
{
	switch (event) {
	case ACCESS_EV_NO_FLOW:
	case ACCESS_EV_TIME:
		return a->unreached ? SIP_ACCESS_LOST : SIP_ACCESS_NO_WAY;
	case ACCESS_EV_DIGEST:
		return SIP_ACCESS_DIGEST;
	case ACCESS_EV_INSECURE:
		return SIP_ACCESS_NO_SECURITY;
	case ACCESS_EV_FAILED:
		return SIP_ACCESS_FLOW_FAILED;
	case ACCESS_EV_SILENT:
		return SIP_ACCESS_SILENT;
	case ACCESS_EV_UNREACHED:
	case ACCESS_EV_LOST:
	case ACCESS_EV_LOST_SOON:
		return SIP_ACCESS_LOST;
	default:
		return SIP_ACCESS_REFUSED;
	}
}

/* -- actions -------------------------------------------------------------------------------------
 */

static void on_time(void *arg)
{
	struct sip_access *a = arg;

	a->now = (struct sip_access_event){ 0 };
	sip_access_happens(a, ACCESS_EV_TIME);
}

static void later(struct sip_access *a, uint64_t ms)
{
	sip_ua_timer(a->ua, &a->timer, ms, on_time, a);
}

/* What stood long enough makes good for what failed before it. */
static void make_good(struct sip_access *a)
{
	if (!a->stands || sip_access_now_ms(a) - a->since_ms < a->retry_ms)
		return;
	a->hasty = false;
	a->failures = 0;
}

/* Nothing is left of what there was: no REGISTER, no flow, no agreement, no acquaintance. */
static void drop(struct sip_access *a, bool forget)
{
	struct sip_flow flow = a->flow;

	sip_ua_timer_stop(a->ua, &a->timer);
	sip_ask_forget(a->ask);
	a->ask = NULL;
	make_good(a);
	a->hasty |= a->stands && sip_access_now_ms(a) - a->since_ms < a->retry_ms;
	a->stands = a->known = a->answered = a->unreached = false;
	a->flow = (struct sip_flow){ 0 };
	a->longer = 0;
	base_writer_reset(&a->verify);
	sip_auth_forget(a->ua);
	a->ops.close(a->ops.arg, flow, forget);
}

static void do_connect(struct sip_access *a)
{
	drop(a, true);
	later(a, CONNECT_MS);
	tell(a, SIP_ACCESS_CONNECTING, 0);
	if (a->state == ACCESS_CONNECTING && !a->flow.id)
		a->ops.connect(a->ops.arg, false);
}

static void do_next(struct sip_access *a)
{
	drop(a, true);
	a->unreached = true;
	later(a, CONNECT_MS);
	a->ops.connect(a->ops.arg, true);
}

static void do_reconnect(struct sip_access *a)
{
	tell(a, SIP_ACCESS_DOWN, 0);
	if (a->state == ACCESS_CONNECTING)
		do_connect(a);
}

static void do_register(struct sip_access *a)
{
	sip_ua_timer_stop(a->ua, &a->timer);
	a->answered = false;
	sip_access_send(a);
}

static void do_answer(struct sip_access *a)
{
	a->known = a->answered = true;
	tell(a, SIP_ACCESS_CHALLENGED, 0);
}

static void do_up(struct sip_access *a)
{
	const struct sip_message *msg = a->now.msg;

	a->now.expires_s = sip_granted(msg, a->expires_s, a->instance);
	a->now.outbound = sip_header_has(msg, SIP_H_REQUIRE, "outbound");
	a->known = true;
	a->longer = 0;
	if (!a->stands)
		a->since_ms = sip_access_now_ms(a);
	a->stands = true;
	a->until_ms = sip_access_now_ms(a) + (uint64_t)a->now.expires_s * 1000;
	sip_routes_take(&a->routes, msg);
	later(a, sip_refresh_s(a->now.expires_s) * 1000);
	tell(a, SIP_ACCESS_REGISTERED, 0);
}

/* RFC 5626, 4.5: half to all of the base-time, doubled for each failure in a row. */
static uint64_t wait_ms(struct sip_access *a)
{
	uint64_t most = BASE_MIN((uint64_t)a->retry_ms << BASE_MIN(a->failures, FAILURES_MAX),
	                         (uint64_t)a->retry_max_ms);
	uint64_t said = sip_retry_after(a->now.msg, 86400) * 1000;
	uint8_t random[4];

	a->ua->ops.random(a->ua->ops.arg, random, sizeof(random));
	most -= (most / 2) * (random[0] | (unsigned)random[1] << 8) / 65536;
	return BASE_MAX(most, said);
}

static void do_keep(struct sip_access *a)
{
	uint64_t ms, left = a->until_ms - sip_access_now_ms(a);

	make_good(a);
	ms = BASE_MIN(wait_ms(a), left - left / 4);
	later(a, ms);
	tell(a, SIP_ACCESS_FAILED, ms);
}

static void do_back_off(struct sip_access *a)
{
	uint64_t ms;

	drop(a, true);
	a->failures += a->failures < FAILURES_MAX;
	ms = wait_ms(a);
	later(a, ms);
	tell(a, SIP_ACCESS_FAILED, ms);
}

static void do_left(struct sip_access *a)
{
	drop(a, !a->stands);
	a->failures = 0;
	tell(a, SIP_ACCESS_UNREGISTERED, UINT64_MAX);
}

static void do_close(struct sip_access *a)
{
	drop(a, true);
	a->failures = 0;
	tell(a, SIP_ACCESS_FAILED, UINT64_MAX);
}

static void (*const actions[ACCESS_ACTIONS])(struct sip_access *a) = {
	[ACCESS_DO_CONNECT] = do_connect,
	[ACCESS_DO_NEXT] = do_next,
	[ACCESS_DO_REGISTER] = do_register,
	[ACCESS_DO_ANSWER] = do_answer,
	[ACCESS_DO_UP] = do_up,
	[ACCESS_DO_REFRESH] = do_register,
	[ACCESS_DO_KEEP] = do_keep,
	[ACCESS_DO_RECONNECT] = do_reconnect,
	[ACCESS_DO_BACK_OFF] = do_back_off,
	[ACCESS_DO_LEAVE] = do_register,
	[ACCESS_DO_LEFT] = do_left,
	[ACCESS_DO_CLOSE] = do_close,
};

void sip_access_happens(struct sip_access *a, enum access_event event)
{
	struct access_step s = sip_access_step(a->state, event);

	if (!s.legal)
		return;
	a->now.why = why_of(a, event);
	a->state = (enum access_state)s.next;
	if (actions[s.action])
		actions[s.action](a);
}

/* -- life ----------------------------------------------------------------------------------------
 */

static int keep_text(struct sip_access *a, const char *text, const char **ret)
{
	*ret = text ? base_arena_dup(&a->arena, base_str_of(text)) : NULL;
	return text && !*ret ? BASE_ERR(BASE_LOCAL, 500) : 0;
}

static int settle(struct sip_access *a, const struct sip_access_config *config)
{
	struct sip_draft draft = { .method = "REGISTER",
		                   .target = config->registrar,
		                   .from = config->aor,
		                   .to = config->aor,
		                   .routes = config->routes,
		                   .route_count = config->route_count,
		                   .contact = true };
	const char *params =
	        config->instance
	                ? base_arena_printf(&a->arena, ";reg-id=%u;+sip.instance=\"<%s>\"",
	                                    config->reg_id ? config->reg_id : 1, config->instance)
	                : NULL;

	if (config->instance && !params)
		return BASE_ERR(BASE_LOCAL, 500);
	draft.contact_params = params;
	a->sec_agree = config->sec_agree;
	a->expires_s = config->expires_s ? config->expires_s : EXPIRES_S;
	a->retry_ms = config->retry_ms ? config->retry_ms : RETRY_MS;
	a->retry_max_ms = config->retry_max_ms ? config->retry_max_ms : RETRY_MAX_MS;
	if (keep_text(a, config->instance, &a->instance) || keep_text(a, config->user, &a->user) ||
	    keep_text(a, config->realm, &a->realm) || keep_text(a, config->lines, &a->more))
		return BASE_ERR(BASE_LOCAL, 500);
	return sip_draft_keep(a->ua, &a->arena, &draft, &a->draft);
}

int sip_access_new(struct sip_access **ret, struct sip_ua *ua,
                   const struct sip_access_config *config, const struct sip_access_ops *ops)
{
	struct sip_access *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return BASE_ERR(BASE_LOCAL, 500);
	a->ua = ua;
	a->ops = *ops;
	a->arena.chunk_size = a->routes.arena.chunk_size = 1024;
	rc = settle(a, config);
	if (rc)
		sip_access_free(a);
	else
		*ret = a;
	return rc;
}

void sip_access_free(struct sip_access *a)
{
	if (!a)
		return;
	sip_ua_timer_stop(a->ua, &a->timer);
	sip_ask_forget(a->ask);
	base_writer_done(&a->verify);
	base_writer_done(&a->lines);
	base_writer_done(&a->own_lines);
	base_arena_done(&a->routes.arena);
	base_arena_done(&a->arena);
	free(a);
}

/* -- what its owner says -------------------------------------------------------------------------
 */

static void said(struct sip_access *a, enum access_event event)
{
	a->now = (struct sip_access_event){ 0 };
	sip_access_happens(a, event);
}

void sip_access_begin(struct sip_access *a)
{
	said(a, ACCESS_EV_BEGIN);
}

void sip_access_stop(struct sip_access *a)
{
	said(a, ACCESS_EV_STOP);
}

void sip_access_flow(struct sip_access *a, struct sip_flow flow)
{
	if (a->state != ACCESS_CONNECTING)
		return;
	a->flow = flow;
	said(a, ACCESS_EV_FLOW);
}

void sip_access_no_flow(struct sip_access *a)
{
	said(a, ACCESS_EV_NO_FLOW);
}

void sip_access_lost(struct sip_access *a, uint64_t flow, bool up)
{
	if (flow && flow == a->flow.id)
		said(a, up ? sip_access_lost_event(a) : ACCESS_EV_UNREACHED);
}

struct sip_flow sip_access_flow_of(const struct sip_access *a)
{
	return a->flow;
}

bool sip_access_is(const struct sip_access *a)
{
	return a->stands;
}

bool sip_access_idle(const struct sip_access *a)
{
	return a->state == ACCESS_IDLE;
}

const char *sip_access_state(const struct sip_access *a)
{
	return sip_access_state_name(a->state);
}

const struct base_str *sip_access_routes(const struct sip_access *a, size_t *ret_count)
{
	bool said_so = a->stands && a->routes.count;

	*ret_count = said_so ? a->routes.count : a->draft.route_count;
	return said_so ? a->routes.uri : a->draft.routes;
}

const char *sip_access_lines(const struct sip_access *a)
{
	struct base_writer *w = &((struct sip_access *)a)->lines;

	base_writer_reset(w);
	if (a->sec_agree && a->stands)
		sip_security_write(&a->verify, false, w);
	return w->failed ? "" : base_writer_cstr(w);
}
