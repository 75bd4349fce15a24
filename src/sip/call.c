/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a call: what each event does, what its owner may do, and its end. */
#include <stdlib.h>

#include "sip/call_private.h"

static const struct sip_content nothing;
static const struct call_in none;

/* -- life and death ------------------------------------------------------------------------------
 */

int sip_call_new(struct sip_call **ret, struct sip_ua *ua, void *user)
{
	struct sip_call *call;

	if (ua->call_count >= ua->config.calls_max)
		return BASE_ERR(BASE_LOCAL, 503);
	call = calloc(1, sizeof(*call));
	if (!call)
		return BASE_ERR(BASE_LOCAL, 500);
	call->ua = ua;
	call->user = user;
	call->arena.chunk_size = call->pending.arena.chunk_size = call->local.arena.chunk_size =
	        call->ack.arena.chunk_size = 1024;
	call->ack.call = call;
	base_list_init(&call->forks);
	base_list_append(&ua->calls, &call->node);
	ua->call_count++;
	sip_tag(ua, call->tag);
	*ret = call;
	return 0;
}

static void unmap(struct sip_call *call)
{
	if (call->dialog_mapped)
		base_map_remove(&call->ua->by_dialog, &call->by_dialog);
	if (call->invite_mapped)
		base_map_remove(&call->ua->by_invite, &call->by_invite);
	call->dialog_mapped = call->invite_mapped = false;
}

int sip_call_map(struct sip_call *call, struct base_str call_id)
{
	int rc;

	base_writer_str(&call->dialog_key, call_id);
	base_writer_printf(&call->dialog_key, " %s", call->tag);
	if (call->dialog_key.failed)
		return BASE_ERR(BASE_LOCAL, 500);
	rc = base_map_insert(&call->ua->by_dialog, base_writer_view(&call->dialog_key),
	                     &call->by_dialog);
	call->dialog_mapped = !rc;
	return rc;
}

static void let_go(struct sip_call *call)
{
	sip_call_txn_set(call, &call->served, NULL);
	sip_call_txn_set(call, &call->peer_offer, NULL);
	sip_call_txn_set(call, &call->accepted_txn, NULL);
}

static void quiet(struct sip_call *call)
{
	sip_call_repeat_stop(call);
	sip_session_stop(call);
	sip_ua_timer_stop(call->ua, &call->glare);
	sip_ask_forget(call->offer);
	call->offer = NULL;
}

void sip_call_free(struct sip_call *call)
{
	unmap(call);
	let_go(call);
	quiet(call);
	sip_ua_timer_stop(call->ua, &call->over);
	sip_ask_forget(call->invite);
	sip_ask_forget(call->bye);
	sip_call_forks_done(call);
	sip_call_ack_done(&call->ack);
	sip_dialog_free(call->dialog);
	base_arena_done(&call->arena);
	base_arena_done(&call->pending.arena);
	base_arena_done(&call->local.arena);
	base_writer_done(&call->dialog_key);
	base_writer_done(&call->invite_key);
	base_writer_done(&call->accepted);
	base_writer_done(&call->reason);
	base_writer_done(&call->last);
	base_list_remove(&call->node);
	call->ua->call_count--;
	free(call);
}

void sip_calls_free(struct sip_ua *ua)
{
	BASE_LIST_EACH(&ua->calls, node, after)
	{
		struct sip_call *call = BASE_CONTAINER_OF(node, struct sip_call, node);

		call->served = call->peer_offer = call->accepted_txn = NULL; /* gone already */
		sip_call_free(call);
	}
	base_map_done(&ua->by_dialog);
	base_map_done(&ua->by_invite);
}

void sip_call_try_free(struct sip_call *call)
{
	if (call->over_told && !call->invite)
		sip_call_free(call);
}

/* -- telling -------------------------------------------------------------------------------------
 */

void sip_call_tell(struct sip_call *call, enum sip_call_what what, const struct sip_message *msg)
{
	struct sip_call_event event = {
		.what = what, .call = call, .user = call->user, .msg = msg, .why = call->why
	};
	const struct sip_header *type = msg ? sip_header(msg, SIP_H_CONTENT_TYPE) : NULL;

	if (call->state == C_OVER && what != SIP_CALL_OVER)
		return;
	if (msg) {
		event.body = msg->body;
		event.status = msg->status;
	}
	if (type)
		event.type = type->value;
	if (what == SIP_CALL_OVER && call->status)
		event.status = call->status;
	if (call->ua->ops.on_call)
		call->ua->ops.on_call(call->ua->ops.arg, &event);
}

static void on_over(void *arg)
{
	struct sip_call *call = arg;
	struct base_arena arena = { .chunk_size = 4096 };
	struct sip_message msg;
	bool read = call->last.len && !call->last.failed &&
	            !sip_message_parse(&msg, &arena, base_writer_view(&call->last), true);

	sip_call_tell(call, SIP_CALL_OVER, read ? &msg : NULL);
	base_arena_done(&arena);
	call->over_told = true;
	sip_call_try_free(call);
}

void sip_call_because(struct sip_call *call, enum sip_call_why why, unsigned status,
                      const struct sip_message *msg)
{
	if (call->ending)
		return;
	call->ending = true;
	call->why = why;
	call->status = status;
	if (msg)
		base_writer_str(&call->last, msg->octets);
}

/* -- steps ---------------------------------------------------------------------------------------
 */

static void finish(struct sip_call *call)
{
	unmap(call);
	quiet(call);
	if (call->peer_offer && !sip_txn_answered(call->peer_offer)) /* 15.1.2 */
		(void)sip_call_answer(call, call->peer_offer, 487, &nothing);
	let_go(call);
	if (!call->dialog) { /* else its 2xx may come again, and others */
		sip_ask_forget(call->invite);
		call->invite = NULL;
	}
	sip_ua_timer(call->ua, &call->over, 0, on_over, call);
}

/* Whether a way out is found or not, what comes after the reply goes on. */
static int reply(struct sip_call *call, unsigned actions, const struct call_in *in)
{
	int rc = 0;

	if (actions & C_DO_OK)
		(void)sip_call_answer(call, in->txn, 200, &nothing);
	if (actions & C_DO_487)
		(void)sip_call_answer(call, call->served, 487, &nothing);
	if (actions & C_DO_REPLY)
		rc = sip_call_answer(call, call->served, in->status ? in->status : 500,
		                     in->content ? in->content : &nothing);
	return actions & C_DO_OVER ? 0 : rc;
}

static void tell(struct sip_call *call, unsigned actions, const struct call_in *in)
{
	if ((actions & C_DO_TELL_PROGRESS) && in->msg && in->msg->status > 100)
		sip_call_tell(call, SIP_CALL_PROGRESS, in->msg);
	if (actions & C_DO_TELL_ANSWERED)
		sip_call_tell(call, SIP_CALL_ANSWERED, in->msg);
	if (actions & C_DO_TELL_ASKED)
		sip_call_tell(call, SIP_CALL_ASKED, in->msg);
	if (actions & C_DO_TELL_CONFIRMED)
		sip_call_tell(call, SIP_CALL_CONFIRMED, in->msg);
}

int sip_call_step(struct sip_call *call, enum call_event event, const struct call_in *in)
{
	struct call_step step = sip_call_step_of((enum call_state)call->state, event);
	int rc;

	if (!step.legal)
		return BASE_ERR(BASE_BUG, 0);
	if (!in)
		in = &none;
	rc = reply(call, step.actions, in);
	if (rc)
		return rc;
	call->state = step.next;
	if (step.actions & C_DO_REPEAT)
		sip_call_repeat(call, call->served);
	if (step.actions & C_DO_ACK)
		sip_call_ack(call, in->content ? in->content : &nothing);
	if (step.actions & C_DO_CANCEL)
		sip_call_cancel(call);
	if (step.actions & C_DO_BYE) {
		quiet(call);
		if (sip_call_bye(call)) /* no memory for it: the peer will find out */
			(void)sip_call_step(call, C_BYE_DONE, NULL);
	}
	if (step.actions & C_DO_OVER)
		finish(call);
	else
		tell(call, step.actions, in); /* last: it may do anything */
	return 0;
}

/* -- the owner -----------------------------------------------------------------------------------
 */

int sip_call_progress(struct sip_call *call, unsigned status, const struct sip_content *content)
{
	struct call_in in = { .status = status, .content = content ? content : &nothing };

	return sip_call_step(call, C_PROGRESS, &in);
}

int sip_call_accept(struct sip_call *call, const struct sip_content *content)
{
	struct call_in in = { .status = 200, .content = content ? content : &nothing };
	int rc;

	if (call->offer_state == O_ASKED)
		return sip_offer_step(call, O_ACCEPT, &in);
	rc = sip_call_step(call, C_ACCEPT, &in);
	if (!rc)
		rc = sip_call_say(&call->local, in.content);
	return rc;
}

int sip_call_decline(struct sip_call *call, unsigned status, const struct sip_content *content)
{
	struct call_in in = { .status = status, .content = content ? content : &nothing };

	if (call->state != C_OFFERED)
		return sip_offer_step(call, O_DECLINE, &in);
	sip_call_because(call, SIP_WHY_OURS, status, NULL);
	return sip_call_step(call, C_END, &in);
}

int sip_call_offer(struct sip_call *call, const struct sip_content *content)
{
	int rc;

	if (call->state != C_UP || call->offer_state != O_IDLE)
		return BASE_ERR(BASE_AGAIN, 491);
	call->offer_update = call->offer_refresh = false;
	rc = sip_call_say(&call->pending, content);
	if (!rc)
		rc = sip_offer_step(call, O_OFFER, NULL);
	return rc;
}

void sip_call_end(struct sip_call *call, unsigned status, const struct sip_cause *cause)
{
	struct sip_content content = { .reason = cause ? cause->text : NULL };
	struct call_in in = { .status = status ? status : 480, .content = &content };

	if (call->ending)
		return;
	if (content.reason && strpbrk(content.reason, "\r\n"))
		content.reason = NULL;
	if (cause)
		sip_cause_write(&call->reason, cause);
	sip_call_because(call, SIP_WHY_OURS, status, NULL);
	if (call->invite && sip_ask_unsent(call->invite) &&
	    (call->state == C_ASKING || call->state == C_RINGING))
		call->state = C_LOOKING; /* for another way */
	else if (call->invite)
		call->invite->last = true; /* no other way from now on */
	if (call->state != C_OFFERED)
		in.content = NULL; /* ACK has none */
	(void)sip_call_step(call, C_END, &in);
}

void *sip_call_user(const struct sip_call *call)
{
	return call->user;
}

void sip_call_user_set(struct sip_call *call, void *user)
{
	call->user = user;
}

static int keep_text(struct sip_call *call, const char *text, const char **ret)
{
	*ret = text ? base_arena_dup(&call->arena, base_str_of(text)) : NULL;
	return text && !*ret ? BASE_ERR(BASE_LOCAL, 500) : 0;
}

int sip_call_contact_set(struct sip_call *call, const char *uri, const char *params)
{
	int rc = keep_text(call, uri, &call->contact);

	return rc ? rc : keep_text(call, params, &call->contact_params);
}

const char *sip_call_state(const struct sip_call *call)
{
	return sip_call_state_name((enum call_state)call->state);
}

struct base_str sip_call_id(const struct sip_call *call)
{
	return call->dialog ? sip_dialog_call_id(call->dialog) : call->draft.call_id;
}

/* -- small things --------------------------------------------------------------------------------
 */

int sip_call_say(struct call_said *said, const struct sip_content *content)
{
	base_arena_reset(&said->arena);
	said->content = nothing;
	return content ? sip_content_keep(&said->arena, content, &said->content) : 0;
}

void sip_call_said_move(struct call_said *to, struct call_said *from)
{
	struct call_said spare = *to;

	*to = *from;
	*from = spare;
	base_arena_reset(&from->arena);
	from->content = nothing;
}

void sip_cause_write(struct base_writer *w, const struct sip_cause *cause)
{
	base_writer_printf(w, "Reason: %s;cause=%u", cause->protocol, cause->cause);
	if (cause->text && !strpbrk(cause->text, "\r\n\"\\"))
		base_writer_printf(w, ";text=\"%s\"", cause->text);
	base_writer_text(w, "\r\n");
}

bool sip_cause_read(const struct sip_message *msg, struct base_str *ret_protocol,
                    unsigned *ret_cause, struct base_str *ret_text)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_REASON };
	struct base_str one, params, number = { 0 }, text = { 0 };
	uint64_t cause = 0;
	size_t name;

	if (!sip_values_next(&values, &one))
		return false;
	name = sip_span(one, SIP_CH_TOKEN);
	params = sip_from(one, name);
	if (!name)
		return false;
	if (sip_param_find(params, "cause", &number) && base_str_u64(number, 65535, &cause))
		return false;
	(void)sip_param_find(params, "text", &text); /* none is fine */
	if (text.len >= 2 && text.ptr[0] == '"')
		text = (struct base_str){ text.ptr + 1, text.len - 2 };
	*ret_protocol = (struct base_str){ one.ptr, name };
	*ret_cause = (unsigned)cause;
	*ret_text = text;
	return true;
}
