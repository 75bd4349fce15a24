/* SPDX-License-Identifier: Apache-2.0 */
/** @file A member's call: the table's actions (docs/state-mrfc.md), and what SIP and Mp tell. */
#include <stdio.h>
#include <stdlib.h>

#include "mgc/focus_private.h"

#define SDP          "application/sdp"
#define NOT_HERE     488
#define NO_WHY       "the conference ends"
#define GRACE_MS     3000U /* a connection that has ended: will its call, or be offered anew (P) */
#define FOCUS_PARAMS ";isfocus" /* RFC 4579, 4.2 */

static struct mgc_focus *focus_of(const struct leg *leg)
{
	return leg->conf->focus;
}

/* ---- keeping why ---- */

/* For a quoted string of a header (RFC 3326), so it has none of what would break it. */
static void why_keep(struct leg *leg, unsigned status, const char *fmt, va_list ap)
        __attribute__((format(printf, 3, 0)));
static void why_keep(struct leg *leg, unsigned status, const char *fmt, va_list ap)
{
	if (leg->why[0])
		return;
	leg->status = status;
	(void)vsnprintf(leg->why, sizeof(leg->why), fmt, ap);
	for (char *c = leg->why; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '"' || *c == '\\' || (unsigned char)*c > '~')
			*c = '\'';
}

void leg_fail(struct leg *leg, enum leg_event event, unsigned status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	why_keep(leg, status, fmt, ap);
	va_end(ap);
	leg_event(leg, event);
}

/* ---- actions about the call ---- */

static void judge(struct leg *leg)
{
	struct base_error err = { 0 };

	if (!leg->offer && leg_offer_new(leg, true)) {
		leg_fail(leg, LEG_EV_UNKEYED, 500, "no memory");
		return;
	}
	if (offer_take(leg->offer, leg_now(leg), leg->body, &err))
		leg_key_failed(leg, &err);
	else
		leg_key_pump(leg);
}

static void ask(struct leg *leg)
{
	struct base_error err = { 0 };

	if (!leg->offer && leg_offer_new(leg, false)) {
		leg_fail(leg, LEG_EV_UNKEYED, 500, "no memory");
		return;
	}
	if (offer_begin(leg->offer, leg_now(leg), &err))
		leg_key_failed(leg, &err);
	else
		leg_key_pump(leg);
}

static int invite(struct leg *leg, const struct sip_content *content)
{
	const struct mgc_config *config = focus_of(leg)->config;
	struct base_str route = base_str_of(config->proxy);
	char from[OFFER_NAME_MAX + 2];
	const struct sip_call_setup setup = {
		.target = base_str_of(leg->target),
		.from = { from,
		          (size_t)snprintf(from, sizeof(from), "<%s>", leg->conf->room->identity) },
		.routes = &route,
		.route_count = config->proxy ? 1 : 0,
		.contact_params = FOCUS_PARAMS,
		.content = *content,
	};

	return sip_call_start(&leg->call, focus_of(leg)->ua, &setup, leg);
}

/* Our offer, by an INVITE of ours or in the 2xx to one that wanted it. */
static void call(struct leg *leg)
{
	struct base_writer sdp = { 0 };
	struct base_error err = { 0 };
	struct sip_content content = { .type = SDP };
	int rc = leg_describe(leg, &sdp, &err);

	content.body = base_writer_view(&sdp);
	if (!rc)
		rc = leg->call ? sip_call_accept(leg->call, &content) : invite(leg, &content);
	base_writer_done(&sdp);
	if (rc)
		leg_fail(leg, LEG_EV_END, 500, "the offer cannot be sent: %s", err.text);
}

static void answer(struct leg *leg)
{
	struct base_writer sdp = { 0 };
	struct base_error err = { 0 };
	struct sip_content content = { .type = SDP };
	int rc = leg_describe(leg, &sdp, &err);

	content.body = base_writer_view(&sdp);
	if (!rc)
		rc = sip_call_accept(leg->call, &content);
	base_writer_done(&sdp);
	if (rc)
		leg_fail(leg, LEG_EV_END, 500, "the answer cannot be sent: %s", err.text);
}

static void read_answer(struct leg *leg)
{
	struct base_error err = { 0 };

	if (offer_take(leg->offer, leg_now(leg), leg->body, &err))
		leg_key_failed(leg, &err);
	else
		leg_event(leg, LEG_EV_KEYED);
}

static void decline(struct leg *leg)
{
	leg_key_forget(leg);
	offer_withdraw(leg->offer);
	base_log(BASE_LOG_INFO, "mgc", "conference=%s member=%s: a later offer is refused: %s",
	         leg->conf->room->uri, leg->peer, leg->why);
	(void)sip_call_decline(leg->call, leg->status ? leg->status : NOT_HERE, NULL);
	leg->why[0] = 0;
}

static void withdraw(struct leg *leg)
{
	leg_key_forget(leg);
	offer_withdraw(leg->offer);
}

static void bind_bearer(struct leg *leg)
{
	if (leg_media_in_the_way(leg))
		conf_order(leg, ORDER_RELEASE);
	else if (leg_media_changed(leg))
		conf_order(leg, ORDER_BIND);
	else
		leg_event(leg, LEG_EV_DONE);
}

static void seat(struct leg *leg)
{
	if (leg_media_changed(leg))
		conf_order(leg, ORDER_SEAT);
	else
		leg_fail(leg, LEG_EV_REFUSED, NOT_HERE,
		         "nothing in the offer is of this "
		         "conference");
}

static void up(struct leg *leg)
{
	if (leg->up)
		return;
	leg->up = true;
	focus_of(leg)->counters.ups++;
	base_log(BASE_LOG_INFO, "mgc", "member conference=%s member=%s term=%s mrfp=%s",
	         leg->conf->room->uri, leg->peer, leg->term, mgc_mrfp_name(leg->conf->mrfp));
	if (!leg->conf->room->dial_at_start)
		conf_dial(leg->conf);
}

/* ---- the end ---- */

static void settle(struct leg *leg)
{
	if (!leg->ordered && leg->term[0])
		conf_order(leg, ORDER_SUBTRACT);
	if (!leg->call && !leg->ordered && !leg->term[0])
		leg_event(leg, LEG_EV_EMPTY);
}

static void close_leg(struct leg *leg)
{
	const struct sip_cause cause = { "SIP", leg->status ? leg->status : 480,
		                         leg->why[0] ? leg->why : NO_WHY };

	base_log(BASE_LOG_INFO, "mgc", "end conference=%s member=%s: %s", leg->conf->room->uri,
	         leg->peer, leg->why[0] ? leg->why : NO_WHY);
	leg_key_forget(leg);
	offer_free(leg->offer); /* wipes its keys */
	leg->offer = NULL;
	if (leg->call) /* refused, CANCEL or BYE, as its state wants; with Reason (RFC 3326) */
		sip_call_end(leg->call, leg->status, &cause);
	if (leg->ordered)
		(void)conf_unorder(leg);
	settle(leg);
}

static void bury_now(void *arg)
{
	struct leg *leg = arg;
	struct conf *conf = leg->conf;
	struct mgc_focus *focus = conf->focus;

	leg_free(leg);
	conf_settled(conf);
	if (focus->ops.on_empty && !focus->members)
		focus->ops.on_empty(focus->ops.arg);
}

static void bury(struct leg *leg)
{
	focus_of(leg)->counters.gone++;
	loop_defer(focus_of(leg)->loop, &leg->task, bury_now, leg);
}

void leg_free(struct leg *leg)
{
	struct mgc_focus *focus = focus_of(leg);

	loop_timer_stop(focus->loop, &leg->timer);
	loop_defer_stop(focus->loop, &leg->task);
	leg_key_forget(leg);
	offer_free(leg->offer);
	base_list_remove(&leg->waiting);
	base_list_remove(&leg->node);
	focus->members--;
	free(leg);
}

/* ---- the engine ---- */

static void reserve(struct leg *leg)
{
	conf_order(leg, ORDER_RESERVE);
}

static void nothing(struct leg *leg)
{
	(void)leg;
}

static void (*const actions[LEG_ACTIONS])(struct leg *) = {
	[LEG_DO_NOTHING] = nothing, [LEG_DO_JUDGE] = judge,      [LEG_DO_SEAT] = seat,
	[LEG_DO_ANSWER] = answer,   [LEG_DO_RESERVE] = reserve,  [LEG_DO_ASK] = ask,
	[LEG_DO_CALL] = call,       [LEG_DO_READ] = read_answer, [LEG_DO_BIND] = bind_bearer,
	[LEG_DO_UP] = up,           [LEG_DO_DECLINE] = decline,  [LEG_DO_WITHDRAW] = withdraw,
	[LEG_DO_CLOSE] = close_leg, [LEG_DO_SETTLE] = settle,    [LEG_DO_BURY] = bury,
};

static void late(void *arg)
{
	struct leg *leg = arg;

	if (leg->state == LEG_UP) { /* the bearer had ended, and nothing came of it */
		focus_of(leg)->counters.failed_bearers++;
		leg_fail(leg, LEG_EV_FAILED, 503, "the bearer has ended");
		return;
	}
	focus_of(leg)->counters.late++;
	leg_fail(leg, LEG_EV_LATE, leg->state == LEG_CALLING ? 408 : 504,
	         "nothing came in state %s", mgc_leg_state_name(leg->state));
}

static void timer_set(struct leg *leg)
{
	const struct mgc_config *config = focus_of(leg)->config;

	if (mgc_leg_state_timed(leg->state))
		loop_timer_start(focus_of(leg)->loop, &leg->timer,
		                 leg->state == LEG_CALLING ? config->ring_ms : config->leg_ms, late,
		                 leg);
	else
		loop_timer_stop(focus_of(leg)->loop, &leg->timer);
}

void leg_event(struct leg *leg, enum leg_event event)
{
	struct leg_step step = mgc_leg_step(leg->state, event);

	base_log(BASE_LOG_DEBUG, "mgc", "conference=%s member=%s %s: %s -> %s",
	         leg->conf->room->uri, leg->peer, mgc_leg_event_name(event),
	         mgc_leg_state_name(leg->state),
	         step.legal ? mgc_leg_state_name((enum leg_state)step.next) : "passed over");
	if (!step.legal)
		return;
	if (event == LEG_EV_UNKEYED && step.next == LEG_CLOSING)
		focus_of(leg)->counters.unkeyed++;
	leg->state = (enum leg_state)step.next;
	timer_set(leg);
	actions[step.action](leg);
}

/* ---- what SIP tells ---- */

static void call_over(struct leg *leg, const struct sip_call_event *event)
{
	static const char *const whys[] = { "by us",  "BYE",           "CANCEL", "refused",
		                            "no ACK", "not refreshed", "gone" };

	leg->call = NULL;
	if (event->why == SIP_WHY_REFUSED)
		leg_fail(leg, LEG_EV_OVER, 0, "the member's answer: %u", event->status);
	else
		leg_fail(leg, LEG_EV_OVER, 0, "the call is over: %s", whys[event->why]);
}

static bool is_sdp(const struct sip_call_event *event)
{
	const char *end = event->type.len ? memchr(event->type.ptr, ';', event->type.len) : NULL;
	struct base_str type = { event->type.ptr,
		                 end ? (size_t)(end - event->type.ptr) : event->type.len };

	return !event->body.len || base_str_ieq(base_str_trim(type), BASE_STR(SDP));
}

/* Is the body of this one looked at, and none that we know? */
static bool body_unknown(const struct leg *leg, const struct sip_call_event *event)
{
	switch (event->what) {
	case SIP_CALL_INCOMING:
	case SIP_CALL_ANSWERED:
	case SIP_CALL_OFFERED:
		return !is_sdp(event);
	case SIP_CALL_CONFIRMED:
		return leg->state == LEG_CALLING && !is_sdp(event);
	default:
		return false;
	}
}

static void later_offer(struct leg *leg, const struct sip_call_event *event)
{
	if (body_unknown(leg, event)) {
		(void)sip_call_decline(leg->call, 415, NULL);
		return;
	}
	leg->why[0] = 0;
	if (leg->state == LEG_UP)
		leg_event(leg, event->body.len ? LEG_EV_OFFER : LEG_EV_BARE);
	else
		(void)sip_call_decline(leg->call, 491, NULL);
}

void leg_call_event(struct leg *leg, const struct sip_call_event *event)
{
	leg->body = event->body;
	if (event->what != SIP_CALL_OFFERED && body_unknown(leg, event)) {
		leg_fail(leg, LEG_EV_END, 415, "a body that is no SDP");
		return;
	}
	switch (event->what) {
	case SIP_CALL_INCOMING:
		leg_event(leg, event->body.len ? LEG_EV_INVITE : LEG_EV_BARE);
		break;
	case SIP_CALL_ANSWERED:
		leg_event(leg, LEG_EV_ANSWER);
		break;
	case SIP_CALL_CONFIRMED: /* of an offer in our 2xx, or of our answer */
		leg_event(leg, leg->state == LEG_CALLING ? LEG_EV_ANSWER : LEG_EV_CONFIRMED);
		break;
	case SIP_CALL_OFFERED:
		later_offer(leg, event);
		break;
	case SIP_CALL_WITHDRAWN:
		leg_event(leg, LEG_EV_WITHDRAWN);
		break;
	case SIP_CALL_OVER:
		call_over(leg, event);
		break;
	default: /* progress; what we never ask for */
		break;
	}
	leg->body = (struct base_str){ NULL, 0 };
}

/* ---- what the MRFP tells ---- */

static bool suite_known(const struct mgc_config *config, struct base_str suite)
{
	for (size_t i = 0; i < config->suite_count; i++)
		if (base_str_ieq(base_str_of(config->suites[i]), suite))
			return true;
	return !config->suite_count || !suite.len;
}

static void bearer_up(struct leg *leg, const struct mgc_told *told)
{
	unsigned i = told->stream ? told->stream - 1U : 0;

	if (!base_str_ieq(told->name.package, BASE_STR("tlsbsc")) || i >= LEG_STREAMS)
		return;
	leg->streams[i].up = true;
	base_log(BASE_LOG_INFO, "mgc",
	         "tls-up conference=%s member=%s term=%s stream=%u suite=%.*s",
	         leg->conf->room->uri, leg->peer, leg->term, i + 1, BASE_FMT(told->suite));
	if (!suite_known(focus_of(leg)->config, told->suite)) {
		focus_of(leg)->counters.failed_bearers++;
		leg_fail(leg, LEG_EV_FAILED, NOT_HERE, "%.*s is none of mrfp.psk-suites",
		         BASE_FMT(told->suite));
	}
}

void leg_told(struct leg *leg, const struct mgc_told *told)
{
	bool ended = base_str_ieq(told->type, BASE_STR("Rel"));

	if (base_str_ieq(told->type, BASE_STR("Est"))) {
		bearer_up(leg, told);
		return;
	}
	if (ended && leg->state == LEG_UP) { /* mostly the peer's BYE is on its way */
		loop_timer_start(focus_of(leg)->loop, &leg->timer, GRACE_MS, late, leg);
		return;
	}
	if (!ended && !base_str_ieq(told->type, BASE_STR("EstFail")) && told->name.item.len)
		return; /* renegotiated, or not */
	if (leg->state != LEG_CLOSING)
		focus_of(leg)->counters.failed_bearers++;
	leg_fail(leg, told->name.item.len ? LEG_EV_FAILED : LEG_EV_LOST, 503,
	         "%s of stream %u: %.*s", told->name.item.len ? "the bearer" : "the termination",
	         told->stream, BASE_FMT(told->cause));
}
