/* SPDX-License-Identifier: Apache-2.0 */
/* A call of ours (RFC 3261, 13.2): INVITE, answers of whoever was asked, ACK, CANCEL, BYE. */
#include <stdlib.h>

#include "sip/call_private.h"

static const struct sip_content nothing;

static void contact(const struct sip_call *call, struct base_writer *w,
                    const struct sip_local *local)
{
	base_writer_printf(w, "Contact: <%s>%s\r\n", call->contact ? call->contact : local->contact,
	                   call->contact_params ? call->contact_params : "");
}

void sip_call_begin(struct sip_call *call, struct sip_dialog *dialog, struct base_writer *w,
                    const char *method, const struct sip_local *local)
{
	struct sip_local bare = *local;

	bare.contact = NULL; /* with its parameters, below */
	(void)sip_dialog_request(dialog, w, method, &bare);
	if (strcmp(method, "ACK") != 0 && strcmp(method, "BYE") != 0)
		contact(call, w, local);
}

/* -- ACK -----------------------------------------------------------------------------------------
 */

static const struct sip_content *ack_build(void *owner, struct base_writer *w,
                                           const struct sip_local *local)
{
	struct call_ack *ack = owner;

	sip_call_begin(ack->call, ack->dialog, w, "ACK", local);
	if (!ack->auth.failed)
		base_writer_put(w, ack->auth.data, ack->auth.len); /* 22.1 */
	return &ack->content;
}

static void ack_sent(void *owner, struct sip_flow flow, struct base_str octets)
{
	struct call_ack *ack = owner;

	sip_ask_forget(ack->ask); /* if it fails, the 2xx will come again */
	ack->ask = NULL;
	ack->flow = flow;
	base_writer_reset(&ack->octets);
	base_writer_str(&ack->octets, octets);
}

static void ack_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct call_ack *ack = owner;

	(void)ask;
	(void)status; /* the 2xx comes again, and with it another try */
	ack->ask = NULL;
}

static const struct sip_ask_ops ack_ops = { .build = ack_build,
	                                    .over = ack_over,
	                                    .sent = ack_sent };

static void acknowledge(struct call_ack *ack, struct sip_dialog *dialog,
                        const struct sip_content *content, const struct sip_ask *invite,
                        struct sip_flow last)
{
	sip_ask_forget(ack->ask);
	ack->ask = NULL;
	base_writer_reset(&ack->auth);
	if (invite)
		base_writer_put(&ack->auth, invite->auth.data, invite->auth.len);
	ack->dialog = dialog;
	base_writer_reset(&ack->octets);
	base_arena_reset(&ack->arena);
	/* short of memory: none goes out, and the peer will give up */
	if (sip_content_keep(&ack->arena, content, &ack->content))
		ack->content = nothing;
	(void)sip_ask_new(&ack->ask, ack->call->ua, &ack_ops, ack, sip_dialog_next_hop(dialog),
	                  last, sip_content_octets(content));
}

/* The 2xx has come again (13.2.2.4). */
static void acknowledge_again(struct call_ack *ack)
{
	struct sip_ua *ua = ack->call->ua;

	if (!ack->dialog || ack->ask)
		return; /* its answer, or its way, is still being looked for */
	if (!ack->octets.len || ack->octets.failed ||
	    ua->ops.send(ua->ops.arg, ack->flow, base_writer_view(&ack->octets)))
		(void)sip_ask_new(&ack->ask, ua, &ack_ops, ack, sip_dialog_next_hop(ack->dialog),
		                  (struct sip_flow){ 0 }, sip_content_octets(&ack->content));
}

void sip_call_ack_done(struct call_ack *ack)
{
	sip_ask_forget(ack->ask);
	ack->ask = NULL;
	base_writer_done(&ack->octets);
	base_writer_done(&ack->auth);
	base_arena_done(&ack->arena);
}

void sip_call_ack(struct sip_call *call, const struct sip_content *content)
{
	acknowledge(&call->ack, call->dialog, content, call->offer ? call->offer : call->invite,
	            call->flow);
}

void sip_call_ack_again(struct sip_call *call)
{
	acknowledge_again(&call->ack);
}

/* -- BYE and CANCEL ------------------------------------------------------------------------------
 */

static const struct sip_content *bye_build(void *owner, struct base_writer *w,
                                           const struct sip_local *local)
{
	struct sip_call *call = owner;

	sip_call_begin(call, call->dialog, w, "BYE", local);
	if (!call->reason.failed)
		base_writer_str(w, base_writer_view(&call->reason));
	return &nothing;
}

static void bye_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct sip_call *call = owner;

	(void)ask;
	(void)status; /* whatever was answered: it is over (15.1.1) */
	call->bye = NULL;
	(void)sip_call_step(call, C_BYE_DONE, NULL);
}

static void bye_response(void *owner, struct sip_ask *ask, const struct sip_message *msg)
{
	struct sip_call *call = owner;

	if (msg->status < 200)
		return;
	sip_ask_forget(ask);
	bye_over(call, ask, 0);
}

static const struct sip_ask_ops bye_ops = { .build = bye_build,
	                                    .response = bye_response,
	                                    .over = bye_over };

int sip_call_bye(struct sip_call *call)
{
	return sip_ask_new(&call->bye, call->ua, &bye_ops, call, sip_dialog_next_hop(call->dialog),
	                   call->flow, sip_content_octets(&nothing));
}

void sip_call_cancel(struct sip_call *call)
{
	struct base_writer *reason = &call->reason;

	if (call->cancelled || !call->invite || !call->invite->txn)
		return;
	call->cancelled = true;
	/* in vain: its INVITE will be answered, or time out */
	(void)sip_request_cancel(call->invite->txn,
	                         reason->len && !reason->failed ? base_writer_cstr(reason) : NULL,
	                         NULL, NULL);
}

/* -- others that answer --------------------------------------------------------------------------
 */

static const struct sip_content *fork_bye_build(void *owner, struct base_writer *w,
                                                const struct sip_local *local)
{
	struct call_fork *fork = owner;

	sip_call_begin(fork->call, fork->dialog, w, "BYE", local);
	return &nothing;
}

static void fork_bye_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct call_fork *fork = owner;

	(void)ask;
	(void)status;
	fork->bye = NULL;
}

static const struct sip_ask_ops fork_bye_ops = { .build = fork_bye_build, .over = fork_bye_over };

static void fork_free(struct call_fork *fork)
{
	base_list_remove(&fork->node);
	sip_ask_forget(fork->bye);
	sip_call_ack_done(&fork->ack);
	sip_dialog_free(fork->dialog);
	free(fork);
}

void sip_call_forks_done(struct sip_call *call)
{
	BASE_LIST_EACH(&call->forks, node, after)
	{
		fork_free(BASE_CONTAINER_OF(node, struct call_fork, node));
	}
}

static struct call_fork *fork_find(const struct sip_call *call, const struct sip_message *msg)
{
	for (struct base_node *n = call->forks.next; n != &call->forks; n = n->next) {
		struct call_fork *fork = BASE_CONTAINER_OF(n, struct call_fork, node);

		if (sip_dialog_has(fork->dialog, msg))
			return fork;
	}
	return NULL;
}

/* Somebody else has answered, too: we have a call already. */
static void other_answer(struct sip_call *call, struct sip_ask *ask, const struct sip_message *msg)
{
	struct call_fork *fork = fork_find(call, msg);

	if (fork) {
		acknowledge_again(&fork->ack);
		return;
	}
	if (call->fork_count == FORKS_MAX)
		return;
	fork = calloc(1, sizeof(*fork));
	if (!fork)
		return;
	base_list_append(&call->forks, &fork->node);
	fork->call = fork->ack.call = call;
	fork->ack.arena.chunk_size = 64;
	if (sip_dialog_begun(&fork->dialog, sip_txn_request(ask->txn), msg)) {
		fork_free(fork);
		return;
	}
	call->fork_count++;
	acknowledge(&fork->ack, fork->dialog, &nothing, ask, ask->flow);
	(void)sip_ask_new(&fork->bye, call->ua, &fork_bye_ops, fork,
	                  sip_dialog_next_hop(fork->dialog), ask->flow,
	                  sip_content_octets(&nothing));
}

/* -- INVITE --------------------------------------------------------------------------------------
 */

static const struct sip_content *invite_build(void *owner, struct base_writer *w,
                                              const struct sip_local *local)
{
	struct sip_call *call = owner;

	sip_draft_write(w, &call->draft, ++call->cseq, local);
	contact(call, w, local);
	sip_allow_write(w);
	sip_session_ask(call, w);
	call->cancelled = false;
	(void)sip_call_step(call, C_SENT, NULL);
	return &call->draft.content;
}

static void accepted(struct sip_call *call, struct sip_ask *ask, const struct sip_message *msg)
{
	bool offered = !call->draft.content.type && msg->body.len;

	if (call->dialog && sip_dialog_has(call->dialog, msg)) {
		acknowledge_again(&call->ack);
		return;
	}
	if (call->dialog) {
		other_answer(call, ask, msg);
		return;
	}
	if (sip_dialog_begun(&call->dialog, sip_txn_request(ask->txn), msg)) {
		sip_call_because(call, SIP_WHY_GONE, 400, msg); /* nowhere to send an ACK */
		(void)sip_call_step(call, C_LOST, NULL);
		return;
	}
	if (sip_call_say(&call->local, &call->draft.content)) /* a refresh will have no body */
		call->local.content = nothing;
	sip_session_agreed(call, msg);
	(void)sip_call_step(call, offered ? C_2XX_OFFER : C_2XX, &(struct call_in){ .msg = msg });
}

static int invite_again(struct sip_call *call);

static void invite_response(void *owner, struct sip_ask *ask, const struct sip_message *msg)
{
	struct sip_call *call = owner;
	struct call_in in = { .msg = msg };

	call->flow = ask->flow;
	if (msg->status < 200) {
		(void)sip_call_step(call, C_1XX, &in);
	} else if (msg->status < 300) {
		accepted(call, ask, msg);
	} else if (msg->status == 422 && call->state != C_CANCELLING &&
	           sip_session_longer(call, msg) && !invite_again(call)) {
		return;
	} else {
		sip_call_because(call, SIP_WHY_REFUSED, msg->status, msg);
		(void)sip_call_step(call, C_FINAL, &in);
	}
}

static void invite_over(void *owner, struct sip_ask *ask, unsigned status)
{
	struct sip_call *call = owner;

	(void)ask;
	call->invite = NULL;
	if (status) {
		sip_call_because(call, SIP_WHY_REFUSED, status, NULL);
		(void)sip_call_step(call, C_LOST, NULL);
	}
	sip_call_try_free(call);
}

static const struct sip_ask_ops invite_ops = { .build = invite_build,
	                                       .response = invite_response,
	                                       .over = invite_over };

static int invite_new(struct sip_call *call)
{
	return sip_ask_new(&call->invite, call->ua, &invite_ops, call,
	                   sip_draft_next_hop(&call->draft), call->flow,
	                   sip_content_octets(&call->draft.content));
}

/* With another interval (RFC 4028, 7.3). */
static int invite_again(struct sip_call *call)
{
	sip_ask_forget(call->invite);
	call->invite = NULL;
	call->state = C_LOOKING;
	return invite_new(call);
}

static int start(struct sip_call *call, const struct sip_call_setup *setup)
{
	struct sip_draft draft = { .method = "INVITE",
		                   .target = setup->target,
		                   .from = setup->from,
		                   .to = setup->to,
		                   .tag = base_str_of(call->tag),
		                   .routes = setup->routes,
		                   .route_count = setup->route_count,
		                   .content = setup->content };
	char *to = setup->to.len
	                   ? NULL
	                   : base_arena_printf(&call->arena, "<%.*s>", BASE_FMT(setup->target));
	int rc;

	if (to)
		draft.to = base_str_of(to);
	rc = sip_draft_keep(call->ua, &call->arena, &draft, &call->draft);
	if (!rc)
		rc = sip_call_contact_set(call, setup->contact, setup->contact_params);
	if (!rc)
		rc = sip_call_map(call, call->draft.call_id);
	return rc ? rc : invite_new(call);
}

int sip_call_start(struct sip_call **ret, struct sip_ua *ua, const struct sip_call_setup *setup,
                   void *user)
{
	struct sip_call *call;
	int rc = sip_call_new(&call, ua, user);

	if (rc)
		return rc;
	rc = start(call, setup);
	if (rc)
		sip_call_free(call);
	else
		*ret = call;
	return rc;
}
