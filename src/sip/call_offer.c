/* SPDX-License-Identifier: Apache-2.0 */
/* Offers within a call (RFC 3261, 14; RFC 3311): one at a time, ours or theirs. */
#include "sip/call_private.h"

/* Of one offer; then the peer does not mean what 491 says. */
#define GLARES_MAX 4

static const struct sip_content nothing;
static const struct call_in none;

/* -- ours ----------------------------------------------------------------------------------------
 */

static const struct sip_content *offer_build(void *owner, struct base_writer *w,
                                             const struct sip_local *local)
{
	struct sip_call *call = owner;

	sip_call_begin(call, call->dialog, w, call->offer_update ? "UPDATE" : "INVITE", local);
	sip_allow_write(w);
	sip_session_ask(call, w);
	return &call->pending.content;
}

/* 12.2.1.2: nobody is there any more, so the call is over. */
static bool gone(unsigned status)
{
	return status == 408 || status == 481;
}

static void declined(struct sip_call *call, unsigned status, const struct sip_message *msg)
{
	struct call_in in = { .msg = msg, .status = status };

	(void)sip_offer_step(call, O_FINAL, &in);
	if (!gone(status) || call->state != C_UP)
		return;
	sip_call_because(call, SIP_WHY_GONE, status, msg);
	(void)sip_call_step(call, C_END, &(struct call_in){ 0 });
}

/* The 2xx has come again: so does its ACK. */
static void offer_response(void *owner, struct sip_ask *ask, const struct sip_message *msg)
{
	struct sip_call *call = owner;
	struct call_in in = { .msg = msg };

	if (msg->status < 200)
		return;
	if (msg->status < 300 && call->offer_state != O_SENT) {
		if (!call->offer_update)
			sip_call_ack_again(call);
		return;
	}
	if (call->offer_state != O_SENT)
		return;
	if (msg->status >= 300 || call->offer_update) {
		sip_ask_forget(ask);
		call->offer = NULL;
	}
	if (msg->status < 300) {
		/* a Contact that cannot be taken leaves the target as it was */
		(void)sip_dialog_response_in(call->dialog, msg);
		sip_session_agreed(call, msg);
		(void)sip_offer_step(call, O_2XX, &in);
	} else if (msg->status == 491 && call->glares++ < GLARES_MAX) {
		(void)sip_offer_step(call, O_491, &in);
	} else if (msg->status == 422 && sip_session_longer(call, msg)) {
		call->offer_state = O_IDLE;
		(void)sip_offer_step(call, O_OFFER, NULL);
	} else {
		declined(call, msg->status, msg);
	}
}

static void offer_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct sip_call *call = owner;

	(void)ask;
	call->offer = NULL;
	if (status)
		declined(call, status, NULL);
}

static const struct sip_ask_ops offer_ops = { .build = offer_build,
	                                      .response = offer_response,
	                                      .over = offer_over };

static int send_offer(struct sip_call *call)
{
	sip_ask_forget(call->offer); /* one before it that lingers */
	call->offer = NULL;
	return sip_ask_new(&call->offer, call->ua, &offer_ops, call,
	                   sip_dialog_next_hop(call->dialog), call->flow,
	                   sip_content_octets(&call->pending.content));
}

static void on_glare(void *arg)
{
	(void)sip_offer_step(arg, O_AGAIN, NULL);
}

/* 14.1: whoever made the Call-ID waits longer. */
static void wait(struct sip_call *call)
{
	uint8_t random;
	uint64_t ms;

	call->ua->ops.random(call->ua->ops.arg, &random, 1);
	ms = call->server ? random % 201U * 10 : 2100 + random % 191U * 10;
	sip_ua_timer(call->ua, &call->glare, ms, on_glare, call);
}

/* A refresh: an UPDATE that offers nothing where the peer knows it (RFC 4028, 7.4). */
void sip_offer_refresh(struct sip_call *call)
{
	if (call->state != C_UP || call->offer_state != O_IDLE)
		return; /* it is tried again */
	if (sip_call_say(&call->pending, call->updates ? NULL : &call->local.content))
		return;
	call->offer_update = call->updates;
	call->offer_refresh = true;
	(void)sip_offer_step(call, O_OFFER, NULL);
}

/* -- steps ---------------------------------------------------------------------------------------
 */

static int reply(struct sip_call *call, unsigned actions, const struct call_in *in)
{
	int rc = 0;

	if (actions & O_DO_491)
		(void)sip_call_answer(call, in->txn, 491, &nothing);
	if (actions & O_DO_500)
		(void)sip_call_answer(call, in->txn, 500,
		                      &(struct sip_content){ .lines = "Retry-After: 2\r\n" });
	if ((actions & O_DO_487) && call->peer_offer)
		(void)sip_call_answer(call, call->peer_offer, 487, &nothing);
	if (actions & O_DO_REPLY)
		rc = sip_call_answer(call, call->peer_offer, in->status, in->content);
	return rc;
}

static void tell(struct sip_call *call, unsigned actions, const struct sip_message *msg)
{
	bool silent = call->offer_refresh;

	if (actions & (O_DO_TELL_AGREED | O_DO_TELL_DECLINED)) {
		call->offer_refresh = false;
		if (!silent)
			sip_call_tell(call,
			              actions & O_DO_TELL_AGREED ? SIP_CALL_AGREED
			                                         : SIP_CALL_DECLINED,
			              actions & O_DO_TELL_OFFERED ? NULL : msg);
	}
	if (call->state != C_UP)
		return; /* the owner has ended it meanwhile */
	if (actions & O_DO_TELL_OFFERED)
		sip_call_tell(call, SIP_CALL_OFFERED, msg);
	if (actions & O_DO_TELL_WITHDRAWN)
		sip_call_tell(call, SIP_CALL_WITHDRAWN, msg);
	if (actions & O_DO_TELL_CONFIRMED)
		sip_call_tell(call, SIP_CALL_CONFIRMED, msg);
}

/* What is kept of an exchange that has succeeded. */
static void settle(struct sip_call *call, enum offer_event event, const struct call_in *in)
{
	if (event == O_2XX && !call->offer_update)
		sip_call_said_move(&call->local, &call->pending);
	if (event == O_ACCEPT && sip_call_say(&call->local, in->content))
		call->local.content = nothing;
}

int sip_offer_step(struct sip_call *call, enum offer_event event, const struct call_in *in)
{
	struct call_step step = sip_offer_step_of((enum offer_state)call->offer_state, event);
	int rc;

	if (!step.legal)
		return BASE_ERR(BASE_BUG, 0);
	if (!in)
		in = &none;
	rc = reply(call, step.actions, in);
	if (rc)
		return rc;
	call->offer_state = step.next;
	if (step.next != O_SENT && step.next != O_GLARE)
		call->glares = 0;
	sip_ua_timer_stop(call->ua, &call->glare);
	if ((step.actions & O_DO_TELL_OFFERED) && in->msg) {
		sip_call_txn_set(call, &call->peer_offer, in->txn);
		call->peer_update = in->msg->method == SIP_UPDATE;
	}
	settle(call, event, in);
	if ((step.actions & O_DO_REPEAT) && call->peer_update)
		call->offer_state = O_IDLE;
	else if (step.actions & O_DO_REPEAT)
		sip_call_repeat(call, call->peer_offer);
	if ((step.actions & O_DO_ACK) && !call->offer_update)
		sip_call_ack(call, &nothing);
	if (step.actions & O_DO_WAIT)
		wait(call);
	if (step.actions & O_DO_SEND) {
		rc = send_offer(call);
		if (rc)
			call->offer_state = O_IDLE;
	}
	if (step.actions & O_DO_END)
		(void)sip_call_step(call, C_END, &(struct call_in){ 0 });
	tell(call, step.actions, in->msg);
	return rc;
}
