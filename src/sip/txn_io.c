/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, what is begun, what is answered. */
#include <stdio.h>

#include "sip/txn_private.h"

/* 17.2.1: an INVITE's 100, unless the owner has said something within 200 ms. */
#define TRYING_MS 200

static enum txn_event event_of(unsigned status)
{
	return status < 200 ? EV_1XX : status < 300 ? EV_2XX : EV_FINAL;
}

/* Once, without state: what cannot become a transaction. */
static void refuse(struct sip_txns *txns, struct sip_flow flow, const struct sip_source *source,
                   const struct sip_message *msg, unsigned status, const char *reason)
{
	struct base_writer w = { 0 };
	char tag[17];

	bool lost = !msg->via.host.len && !(flow.reliable && sip_header(msg, SIP_H_VIA));

	if (msg->method == SIP_ACK || lost)
		return; /* an ACK is never answered, nor is who has not said where he is */
	/* the same for the same request, for there is no state to keep it in (8.2.7) */
	(void)snprintf(
	        tag, sizeof(tag), "%016llx",
	        (unsigned long long)base_hash(txns->tag_seed, msg->octets.ptr, msg->octets.len));
	sip_reply_begin(&w, msg, source, status, reason, base_str_of(tag));
	if (status == 503)
		base_writer_text(&w, "Retry-After: 5\r\n");
	sip_body_end(&w, NULL, (struct base_str){ NULL, 0 });
	if (!w.failed)
		(void)txns->ops.send(txns->ops.arg, flow, base_writer_view(&w)); /* nobody waits */
	base_writer_done(&w);
}

static void on_trying(void *arg)
{
	struct sip_txn *txn = arg;

	if (txn->sent.len)
		return;
	sip_reply_begin(&txn->sent, &txn->request, sip_txn_source(txn), 100, NULL,
	                (struct base_str){ NULL, 0 });
	sip_body_end(&txn->sent, NULL, (struct base_str){ NULL, 0 });
	sip_txn_step(txn, EV_1XX, NULL);
}

static void request_new(struct sip_txns *txns, struct sip_flow from,
                        const struct sip_source *source, const struct sip_message *msg)
{
	struct sip_txn *txn;
	int rc;

	if (msg->fault) {
		refuse(txns, from, source, msg, msg->fault, msg->fault_text);
		return;
	}
	rc = sip_txn_new(&txn, txns, msg, from, true);
	if (rc) {
		refuse(txns, from, source, msg, base_err_detail(rc), NULL);
		return;
	}
	if (source && source->address) {
		txn->source.port = source->port;
		txn->source.address = base_arena_dup(&txn->arena, base_str_of(source->address));
	}
	if (txn->machine == INVITE_SERVER)
		loop_timers_start(&txns->timers, &txn->repeat, TRYING_MS, on_trying, txn);
	txns->ops.on_request(txns->ops.arg, txn, &txn->request, from);
}

static void request(struct sip_txns *txns, struct sip_flow from, const struct sip_source *source,
                    const struct sip_message *msg)
{
	struct sip_txn *txn = msg->fault ? NULL : sip_txn_find(txns, msg, from, true);

	if (txn && msg->method == SIP_ACK && txn->state != ACCEPTED)
		sip_txn_step(txn, EV_ACK, msg);
	else if (msg->method == SIP_ACK) {
		if (!msg->fault)
			txns->ops.on_request(txns->ops.arg, NULL, msg, from);
	} else if (txn) {
		sip_txn_step(txn, EV_REQUEST, msg);
	} else {
		request_new(txns, from, source, msg);
	}
}

/* 18.1.2: a response to what somebody else has sent is thrown away. */
static bool sent_by_us(const struct sip_txn *txn, const struct sip_message *msg)
{
	const struct sip_via *ours = &txn->request.via;

	return base_str_ieq(msg->via.host, ours->host) && msg->via.port == ours->port;
}

static void response(struct sip_txns *txns, struct sip_flow from, const struct sip_message *msg)
{
	struct sip_txn *txn;

	if (msg->fault)
		return; /* to be thrown away (18.3, 8.1.3.1) */
	txn = sip_txn_find(txns, msg, from, false);
	if (txn && (!sent_by_us(txn, msg) ||
	            (txns->ops.answers && !txns->ops.answers(txns->ops.arg, txn->flow, from))))
		return;
	if (txn)
		sip_txn_step(txn, event_of(msg->status), msg);
	else if (txns->ops.on_stray)
		txns->ops.on_stray(txns->ops.arg, msg, from);
}

void sip_txns_input(struct sip_txns *txns, struct sip_flow from, const struct sip_source *source,
                    struct base_str octets)
{
	struct sip_message msg;

	txns->timers.now_ms = txns->ops.now_ms(txns->ops.arg);
	if (!sip_message_parse(&msg, &txns->in, octets, from.reliable)) {
		if (msg.request)
			request(txns, from, source, &msg);
		else
			response(txns, from, &msg);
	}
	base_arena_reset(&txns->in);
	sip_txns_rearm(txns);
}

void sip_branch(struct sip_txns *txns, char out[SIP_BRANCH_MAX])
{
	static const char cookie[] = SIP_BRANCH_COOKIE;
	uint8_t random[12];

	txns->ops.random(txns->ops.arg, random, sizeof(random));
	memcpy(out, cookie, sizeof(cookie));
	base_hex_encode(random, sizeof(random), 0, false, out + sizeof(cookie) - 1);
}

int sip_request_send(struct sip_txns *txns, struct sip_flow flow, struct base_str octets,
                     void *user, struct sip_txn **ret)
{
	struct sip_message msg;
	struct sip_txn *txn = NULL;
	int rc = sip_message_parse(&msg, &txns->out, octets, true);

	txns->timers.now_ms = txns->ops.now_ms(txns->ops.arg);
	if (!rc && (msg.fault || !msg.request || msg.method == SIP_ACK ||
	            sip_txn_find(txns, &msg, flow, false)))
		rc = BASE_ERR(BASE_BUG, msg.fault);
	if (!rc)
		rc = sip_txn_new(&txn, txns, &msg, flow, false);
	base_arena_reset(&txns->out);
	if (!rc) {
		txn->user = user;
		rc = sip_txn_send(txn);
		if (rc)
			sip_txn_free(txn);
		else
			sip_txn_repeat(txn);
	}
	if (!rc && ret)
		*ret = txn;
	sip_txns_rearm(txns);
	return rc;
}

int sip_request_cancel(struct sip_txn *txn, const char *lines, void *user, struct sip_txn **ret)
{
	struct base_writer w = { 0 };
	int rc;

	if (txn->machine != INVITE_CLIENT || txn->state != PROCEEDING)
		return BASE_ERR(BASE_BUG, 0);
	sip_cancel_build(&w, &txn->request, lines);
	rc = w.failed ? BASE_ERR(BASE_LOCAL, 500)
	              : sip_request_send(txn->owner, txn->flow, base_writer_view(&w), user, ret);
	base_writer_done(&w);
	sip_txn_give_up(txn); /* one that could not be sent ends nothing else */
	sip_txns_rearm(txn->owner);
	return rc;
}

/* On a reliable flow nothing but an INVITE's answer is ever sent again. */
static bool once(const struct sip_txn *txn, unsigned status)
{
	return txn->flow.reliable && txn->machine == OTHER_SERVER && status >= 200;
}

static int reply(struct sip_txn *txn, unsigned status, struct base_str octets)
{
	struct sip_txns *txns = txn->owner;
	enum txn_event event = event_of(status);

	if (txn->state == OVER) /* as if it had been sent in vain: on_end tells */
		return 0;
	if (!sip_txn_step_of((enum txn_machine)txn->machine, (enum txn_state)txn->state, event)
	             .legal)
		return BASE_ERR(BASE_BUG, 0);
	base_writer_reset(&txn->sent);
	if (once(txn, status)) {
		int rc = txns->ops.send(txns->ops.arg, txn->flow, octets);

		sip_txn_step(txn, rc ? EV_ERROR : event, NULL);
		return 0;
	}
	base_writer_str(&txn->sent, octets);
	if (txn->sent.failed)
		return BASE_ERR(BASE_LOCAL, 500);
	if (txn->machine == INVITE_SERVER && status < 300) /* no 100 any more */
		loop_timers_stop(&txns->timers, &txn->repeat);
	sip_txn_step(txn, event, NULL);
	return 0;
}

int sip_txn_reply_known(struct sip_txn *txn, unsigned status, struct base_str octets)
{
	struct sip_txns *txns = txn->owner;
	int rc;

	txns->timers.now_ms = txns->ops.now_ms(txns->ops.arg);
	rc = reply(txn, status, octets);
	sip_txns_rearm(txns);
	return rc;
}

int sip_txn_reply(struct sip_txn *txn, struct base_str octets)
{
	struct sip_message msg;
	int rc = sip_message_parse(&msg, &txn->owner->out, octets, true);

	base_arena_reset(&txn->owner->out);
	if (rc || msg.fault || msg.request)
		return BASE_ERR(BASE_BUG, rc ? 0 : msg.fault);
	return sip_txn_reply_known(txn, msg.status, octets);
}

void sip_txn_drop(struct sip_txn *txn)
{
	struct sip_txns *txns = txn->owner;

	txns->timers.now_ms = txns->ops.now_ms(txns->ops.arg);
	sip_txn_step(txn, EV_ERROR, NULL);
	sip_txns_rearm(txns);
}
