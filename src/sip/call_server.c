/* SPDX-License-Identifier: Apache-2.0 */
/* A call that comes in (RFC 3261, 13.3), and what comes in a call's dialog. */
#include <stdio.h>

#include "sip/call_private.h"

static const struct sip_content nothing;

/* -- transactions that know it -------------------------------------------------------------------
 */

static bool knows(const struct sip_call *call, const struct sip_txn *txn)
{
	return txn == call->served || txn == call->peer_offer || txn == call->accepted_txn;
}

void sip_call_txn_set(struct sip_call *call, struct sip_txn **slot, struct sip_txn *txn)
{
	struct sip_txn *old = *slot;

	*slot = txn;
	if (old && !knows(call, old)) {
		sip_txn_user_set(old, NULL);
		if (!sip_txn_answered(old))
			sip_txn_drop(old);
	}
	if (txn)
		sip_txn_user_set(txn, call);
}

/* -- answers -------------------------------------------------------------------------------------
 */

static bool refreshes(const struct sip_message *request)
{
	return request->method == SIP_INVITE || request->method == SIP_UPDATE;
}

int sip_call_answer(struct sip_call *call, struct sip_txn *txn, unsigned status,
                    const struct sip_content *content)
{
	const struct sip_message *request;
	struct sip_content whole;
	struct base_writer lines = { 0 };
	bool accepts;
	int rc;

	if (!txn || (call->dialog == NULL && status < 300))
		return BASE_ERR(BASE_BUG, 0);
	request = sip_txn_request(txn);
	accepts = status >= 200 && status < 300 && refreshes(request);
	whole = *content;
	if (accepts)
		sip_session_answer(call, request, &lines);
	if (content->lines)
		base_writer_text(&lines, content->lines);
	if (lines.len)
		whole.lines = base_writer_cstr(&lines);
	rc = lines.failed ? BASE_ERR(BASE_LOCAL, 500)
	                  : sip_ua_answer(call->ua, txn, status, base_str_of(call->tag),
	                                  call->contact, call->contact_params, &whole,
	                                  accepts ? &call->accepted : NULL);
	base_writer_done(&lines);
	return rc;
}

/* 13.3.1.4: from T1 on, twice as long each time, T2 at most, 64 T1 in all. */
static void on_repeat(void *arg)
{
	struct sip_call *call = arg;
	const struct sip_txn_config *c = &call->ua->config.txns;

	call->repeated_ms += call->repeat_ms;
	if (call->repeated_ms >= 64 * c->t1_ms) {
		sip_call_repeat_stop(call);
		sip_call_because(call, SIP_WHY_NO_ACK, 0, NULL);
		if (call->offer_state == O_UNACKED)
			(void)sip_offer_step(call, O_NO_ACK, NULL);
		else
			(void)sip_call_step(call, C_NO_ACK, NULL);
		return;
	}
	if (call->accepted_txn && !call->accepted.failed)
		(void)sip_txn_reply(call->accepted_txn, base_writer_view(&call->accepted));
	call->repeat_ms = BASE_MIN(2 * call->repeat_ms, c->t2_ms);
	call->repeat_ms = BASE_MIN(call->repeat_ms, 64 * c->t1_ms - call->repeated_ms);
	sip_ua_timer(call->ua, &call->repeat, call->repeat_ms, on_repeat, call);
}

void sip_call_repeat(struct sip_call *call, struct sip_txn *txn)
{
	sip_call_txn_set(call, &call->accepted_txn, txn);
	call->accepted_cseq = sip_txn_request(txn)->cseq;
	call->repeat_ms = call->ua->config.txns.t1_ms;
	call->repeated_ms = 0;
	sip_ua_timer(call->ua, &call->repeat, call->repeat_ms, on_repeat, call);
}

void sip_call_repeat_stop(struct sip_call *call)
{
	sip_ua_timer_stop(call->ua, &call->repeat);
}

/* -- the INVITE that begins it -------------------------------------------------------------------
 */

static void refuse(struct sip_ua *ua, struct sip_txn *txn, unsigned status)
{
	(void)sip_ua_reply(
	        ua, txn, status,
	        &(struct sip_content){ .lines = status == 503 ? "Retry-After: 5\r\n" : NULL });
}

/* One that has come by two ways (8.2.2.2) is known by all but its branch. */
static int map_invite(struct sip_call *call, const struct sip_message *msg)
{
	struct base_writer *key = &call->invite_key;

	base_writer_str(key, msg->call_id);
	base_writer_text(key, " ");
	base_writer_str(key, msg->from_tag);
	base_writer_printf(key, " %u", msg->cseq);
	if (key->failed)
		return BASE_ERR(BASE_LOCAL, 500);
	if (base_map_find(&call->ua->by_invite, base_writer_view(key)))
		return BASE_ERR(BASE_PEER, 482);
	if (base_map_insert(&call->ua->by_invite, base_writer_view(key), &call->by_invite))
		return BASE_ERR(BASE_LOCAL, 500);
	call->invite_mapped = true;
	return 0;
}

static int begin(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg,
                 struct sip_flow from)
{
	int rc = map_invite(call, msg);

	call->server = true;
	call->state = C_OFFERED;
	call->flow = from;
	call->updates = sip_header_has(msg, SIP_H_ALLOW, "UPDATE");
	if (!rc)
		rc = sip_dialog_served(&call->dialog, msg, base_str_of(call->tag));
	if (!rc)
		rc = sip_call_map(call, msg->call_id);
	if (rc)
		return rc;
	sip_call_txn_set(call, &call->served, txn);
	return 0;
}

void sip_call_incoming(struct sip_ua *ua, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct sip_call *call;
	int rc = sip_call_new(&call, ua, NULL);

	if (rc) {
		refuse(ua, txn, base_err_detail(rc));
		return;
	}
	if (sip_session_too_short(call, msg)) {
		char lines[32];

		(void)snprintf(lines, sizeof(lines), "Min-SE: %u\r\n", ua->config.session_min);
		(void)sip_ua_reply(ua, txn, 422, &(struct sip_content){ .lines = lines });
		sip_call_free(call);
		return;
	}
	rc = begin(call, txn, msg, from);
	if (rc) {
		sip_call_free(call);
		refuse(ua, txn, base_err_detail(rc));
		return;
	}
	sip_call_tell(call, SIP_CALL_INCOMING, msg);
}

/* -- requests in its dialog ----------------------------------------------------------------------
 */

struct sip_call *sip_call_find(const struct sip_ua *ua, const struct sip_message *msg)
{
	struct base_writer key = { 0 };
	struct base_map_node *node;
	struct sip_call *call;

	base_writer_str(&key, msg->call_id);
	base_writer_text(&key, " ");
	base_writer_str(&key, msg->to_tag);
	node = key.failed ? NULL : base_map_find(&ua->by_dialog, base_writer_view(&key));
	base_writer_done(&key);
	if (!node)
		return NULL;
	call = BASE_CONTAINER_OF(node, struct sip_call, by_dialog);
	return call->dialog && sip_dialog_has(call->dialog, msg) ? call : NULL;
}

static void on_ack(struct sip_call *call, const struct sip_message *msg)
{
	struct call_in in = { .msg = msg };

	if (!loop_timer_active(&call->repeat) || msg->cseq != call->accepted_cseq)
		return; /* again, or nobody's */
	sip_call_repeat_stop(call);
	if (call->offer_state == O_UNACKED)
		(void)sip_offer_step(call, O_ACK, &in);
	else
		(void)sip_call_step(call, C_ACK, &in);
}

static void on_bye(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg)
{
	struct call_in in = { .msg = msg, .txn = txn };

	sip_call_because(call, SIP_WHY_BYE, 0, msg);
	if (sip_call_step(call, C_BYE, &in)) /* before we have answered: the dialog is not there */
		(void)sip_call_answer(call, txn, 481, &nothing);
}

static void on_offer(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg)
{
	struct call_in in = { .msg = msg, .txn = txn };
	char lines[32];

	if (call->state == C_OFFERED) { /* 14.2: ours to the first is missing */
		(void)sip_call_answer(call, txn, 500,
		                      &(struct sip_content){ .lines = "Retry-After: 2\r\n" });
	} else if (call->state == C_ACCEPTED || call->state == C_ASKED) {
		(void)sip_call_answer(call, txn, 491, &nothing);
	} else if (call->state != C_UP) {
		(void)sip_call_answer(call, txn, 481, &nothing);
	} else if (sip_session_too_short(call, msg)) {
		(void)snprintf(lines, sizeof(lines), "Min-SE: %u\r\n",
		               call->ua->config.session_min);
		(void)sip_call_answer(call, txn, 422, &(struct sip_content){ .lines = lines });
	} else if (msg->method == SIP_UPDATE && !msg->body.len) { /* a refresh alone */
		(void)sip_call_answer(call, txn, 200, &nothing);
	} else {
		(void)sip_offer_step(call, O_PEER, &in);
	}
}

bool sip_call_in_order(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	int rc = sip_dialog_request_in(call->dialog, msg);

	call->flow = from;
	if (rc)
		(void)sip_call_answer(call, txn, base_err_detail(rc), &nothing);
	return !rc;
}

void sip_call_request(struct sip_call *call, struct sip_txn *txn, const struct sip_message *msg,
                      struct sip_flow from)
{
	if (!txn)
		on_ack(call, msg);
	else if (!sip_call_in_order(call, txn, msg, from))
		return;
	else if (msg->method == SIP_BYE)
		on_bye(call, txn, msg);
	else
		on_offer(call, txn, msg);
}

void sip_call_cancelled(struct sip_txn *invite, const struct sip_message *cancel)
{
	struct sip_call *call = sip_txn_user(invite);
	struct call_in in = { .msg = cancel };

	if (invite == call->served) {
		if (call->state == C_OFFERED)
			sip_call_because(call, SIP_WHY_CANCELLED, 0, cancel);
		(void)sip_call_step(call, C_CANCEL, &in);
	} else if (invite == call->peer_offer) {
		(void)sip_offer_step(call, O_CANCEL, &in);
	}
}

void sip_call_txn_ended(struct sip_call *call, struct sip_txn *txn, enum sip_end why)
{
	if (txn == call->accepted_txn)
		call->accepted_txn = NULL;
	if (txn == call->peer_offer) {
		call->peer_offer = NULL;
		if (call->offer_state == O_ASKED) /* its flow failed */
			(void)sip_offer_step(call, O_CANCEL, NULL);
	}
	if (txn != call->served)
		return;
	call->served = NULL;
	if (call->state != C_OFFERED)
		return;
	sip_call_because(call, SIP_WHY_GONE, why == SIP_END_TIMEOUT ? 408 : 503, NULL);
	(void)sip_call_step(call, C_LOST, NULL);
}
