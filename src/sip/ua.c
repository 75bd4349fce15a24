/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets what: a client transaction's user is its sip_ask, a server's is the call it belongs to.
 */
#include "sip/ua_private.h"

#include <stdio.h>
#include <stdlib.h>

static const struct sip_content nothing;

/* -- time -------------------------------------------------------------------------------------- */

uint64_t sip_ua_deadline(const struct sip_ua *ua)
{
	return BASE_MIN(loop_timers_deadline(&ua->timers), ua->txns_ms);
}

static void rearm(struct sip_ua *ua)
{
	uint64_t deadline;

	if (!ua->txns) /* it is being freed, or made */
		return;
	deadline = sip_ua_deadline(ua);
	if (deadline == ua->told_ms)
		return;
	ua->told_ms = deadline;
	ua->ops.rearm(ua->ops.arg, deadline);
}

void sip_ua_timer(struct sip_ua *ua, struct loop_timer *timer, uint64_t delay_ms,
                  void (*fn)(void *arg), void *arg)
{
	if (!ua->txns)
		return;
	ua->timers.now_ms = ua->ops.now_ms(ua->ops.arg);
	loop_timers_start(&ua->timers, timer, delay_ms, fn, arg);
	rearm(ua);
}

void sip_ua_timer_stop(struct sip_ua *ua, struct loop_timer *timer)
{
	loop_timers_stop(&ua->timers, timer);
	rearm(ua);
}

void sip_ua_advance(struct sip_ua *ua)
{
	loop_timers_run(&ua->timers, ua->ops.now_ms(ua->ops.arg));
	sip_txns_advance(ua->txns);
	ua->told_ms = sip_ua_deadline(ua);
	ua->ops.rearm(ua->ops.arg, ua->told_ms); /* always, as sip_txns_advance does */
}

/* -- what is written -----------------------------------------------------------------------------
 */

void sip_content_write(const struct sip_ua *ua, struct base_writer *w,
                       const struct sip_content *content)
{
	if (ua->lines)
		base_writer_text(w, ua->lines);
	if (content->lines)
		base_writer_text(w, content->lines);
	sip_body_end(w, content->type, content->body);
}

void sip_allow_write(struct base_writer *w)
{
	base_writer_text(w, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, MESSAGE, INFO\r\n");
}

void sip_tag(struct sip_ua *ua, char out[SIP_TAG_MAX])
{
	uint8_t random[8];

	ua->ops.random(ua->ops.arg, random, sizeof(random));
	base_hex_encode(random, sizeof(random), 0, false, out);
}

/* Does a 2xx or 1xx to this request say where we are (12.1.1, 11.2; RFC 3311, 5.2)? */
static bool wants_contact(const struct sip_message *msg, unsigned status)
{
	return status > 100 && status < 300 &&
	       (msg->method == SIP_INVITE || msg->method == SIP_UPDATE ||
	        msg->method == SIP_OPTIONS);
}

int sip_ua_answer(struct sip_ua *ua, struct sip_txn *txn, unsigned status, struct base_str tag,
                  const char *contact, const char *contact_params,
                  const struct sip_content *content, struct base_writer *keep)
{
	const struct sip_message *msg = sip_txn_request(txn);
	struct sip_local local = { 0 };
	struct base_writer w = { 0 };
	int rc;

	sip_reply_begin(&w, msg, sip_txn_source(txn), status, content->reason, tag);
	if (wants_contact(msg, status)) {
		if (!contact)
			ua->ops.local(ua->ops.arg, sip_txn_flow(txn), &local);
		base_writer_printf(&w, "Contact: <%s>%s\r\n", contact ? contact : local.contact,
		                   contact_params ? contact_params : "");
	}
	if (status == 405 || wants_contact(msg, status))
		sip_allow_write(&w);
	if (msg->method == SIP_OPTIONS && status < 300)
		base_writer_text(&w, "Accept: application/sdp\r\nSupported: timer\r\n");
	sip_content_write(ua, &w, content);
	if (keep) {
		base_writer_reset(keep);
		base_writer_str(keep, base_writer_view(&w));
	}
	rc = w.failed ? BASE_ERR(BASE_LOCAL, 500) : sip_txn_reply(txn, base_writer_view(&w));
	base_writer_done(&w);
	return rc;
}

int sip_ua_reply(struct sip_ua *ua, struct sip_txn *txn, unsigned status,
                 const struct sip_content *content)
{
	char tag[SIP_TAG_MAX];

	sip_tag(ua, tag);
	return sip_ua_answer(ua, txn, status, base_str_of(tag), NULL, NULL,
	                     content ? content : &nothing, NULL);
}

/* -- requests of others --------------------------------------------------------------------------
 */

static bool speaks(const struct sip_ua *ua, struct base_str tag)
{
	struct base_str rest = base_str_of(ua->config.supported), one;

	while (rest.len && sip_list_next(&rest, &one))
		if (base_str_ieq(one, tag))
			return true;
	return base_str_ieq(tag, BASE_STR("timer"));
}

/* Option tags of a Require that nobody here knows (8.2.2.3), in one line of Unsupported. */
static bool unsupported(const struct sip_ua *ua, const struct sip_message *msg,
                        struct base_writer *w)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_REQUIRE };
	struct base_str tag;

	while (sip_values_next(&values, &tag)) {
		if (!tag.len || speaks(ua, tag))
			continue;
		base_writer_text(w, w->len ? ", " : "Unsupported: ");
		base_writer_str(w, tag);
	}
	if (w->len)
		base_writer_text(w, "\r\n");
	return w->len > 0;
}

static void on_cancel(struct sip_ua *ua, struct sip_txn *txn, const struct sip_message *msg)
{
	struct sip_txn *invite = sip_txn_cancelled(txn);

	(void)sip_ua_reply(ua, txn, invite ? 200 : 481, NULL); /* nobody waits for how that went */
	if (invite && !sip_txn_answered(invite) && sip_txn_user(invite))
		sip_call_cancelled(invite, msg);
}

static void to_owner(struct sip_ua *ua, struct sip_txn *txn, const struct sip_message *msg,
                     struct sip_call *call)
{
	if (ua->ops.on_request && ua->ops.on_request(ua->ops.arg, txn, msg, call))
		return;
	(void)sip_ua_reply(ua, txn, msg->method == SIP_OPTIONS ? 200 : 405, NULL);
}

/* Is there nothing to it outside of a dialog (15.1.2; RFC 3311, 5.2)? */
static bool inside(const struct sip_message *msg)
{
	return msg->method == SIP_BYE || msg->method == SIP_UPDATE || msg->method == SIP_PRACK;
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct sip_ua *ua = arg;
	struct sip_call *call = msg->to_tag.ptr ? sip_call_find(ua, msg) : NULL;
	struct base_writer refused = { 0 };

	if (!txn) { /* an ACK */
		if (call)
			sip_call_request(call, NULL, msg, from);
		return;
	}
	if (msg->method == SIP_CANCEL) {
		on_cancel(ua, txn, msg);
	} else if (!call && (msg->to_tag.ptr || inside(msg))) {
		(void)sip_ua_reply(ua, txn, 481, NULL);
	} else if (unsupported(ua, msg, &refused)) {
		(void)sip_ua_reply(ua, txn, 420,
		                   &(struct sip_content){ .lines = base_writer_cstr(&refused) });
	} else if (msg->method == SIP_INVITE && !call && ua->ops.on_call) {
		sip_call_incoming(ua, txn, msg, from);
	} else if (call && (msg->method == SIP_INVITE || msg->method == SIP_UPDATE ||
	                    msg->method == SIP_BYE)) {
		sip_call_request(call, txn, msg, from);
	} else if (!call || sip_call_in_order(call, txn, msg, from)) {
		to_owner(ua, txn, msg, call);
	}
	base_writer_done(&refused);
	if (!sip_txn_answered(txn) && !sip_txn_user(txn))
		sip_txn_drop(txn); /* nobody will */
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_message *msg)
{
	(void)arg;
	if (sip_txn_user(txn))
		sip_ask_response(sip_txn_user(txn), msg);
}

static void on_end(void *arg, struct sip_txn *txn, enum sip_end why)
{
	void *user = sip_txn_user(txn);

	(void)arg;
	if (user && sip_txn_is_client(txn))
		sip_ask_ended(user, why);
	else if (user)
		sip_call_txn_ended(user, txn, why);
}

/* -- life ----------------------------------------------------------------------------------------
 */

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	struct sip_ua *ua = arg;

	return ua->ops.send(ua->ops.arg, flow, octets);
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	struct sip_ua *ua = arg;

	ua->txns_ms = deadline_ms;
	rearm(ua);
}

static uint64_t on_now(void *arg)
{
	struct sip_ua *ua = arg;

	return ua->ops.now_ms(ua->ops.arg);
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct sip_ua *ua = arg;

	ua->ops.random(ua->ops.arg, out, len);
}

static int settle(struct sip_ua *ua, const struct sip_ua_config *config)
{
	ua->config = *config;
	if (!ua->config.txns.t1_ms)
		ua->config.txns.t1_ms = 500;
	if (!ua->config.txns.t2_ms)
		ua->config.txns.t2_ms = 4000;
	if (!ua->config.calls_max)
		ua->config.calls_max = 4096;
	if (!ua->config.session_s)
		ua->config.session_s = 1800;
	if (!ua->config.session_min)
		ua->config.session_min = 90;
	ua->config.session_s = BASE_MAX(ua->config.session_s, ua->config.session_min);
	ua->config.lines = NULL;
	if (!config->lines)
		return 0;
	ua->lines = strdup(config->lines);
	return ua->lines ? 0 : BASE_ERR(BASE_LOCAL, 500);
}

int sip_ua_new(struct sip_ua **ret, const struct sip_ua_config *config,
               const struct sip_ua_ops *ops)
{
	struct sip_ua *ua = calloc(1, sizeof(*ua));
	int rc;

	if (!ua)
		return BASE_ERR(BASE_LOCAL, 500);
	ua->ops = *ops;
	ua->told_ms = ua->txns_ms = UINT64_MAX;
	base_list_init(&ua->asks);
	base_list_init(&ua->credentials);
	base_list_init(&ua->calls);
	rc = settle(ua, config);
	if (!rc)
		rc = sip_txns_new(&ua->txns, &config->txns,
		                  &(struct sip_txn_ops){ .send = on_send,
		                                         .on_request = on_request,
		                                         .on_response = on_response,
		                                         .on_end = on_end,
		                                         .rearm = on_rearm,
		                                         .now_ms = on_now,
		                                         .random = on_random,
		                                         .arg = ua });
	if (rc) {
		sip_ua_free(ua);
		return rc;
	}
	*ret = ua;
	return 0;
}

void sip_ua_free(struct sip_ua *ua)
{
	if (!ua)
		return;
	sip_txns_free(ua->txns);
	ua->txns = NULL;
	sip_calls_free(ua);
	BASE_LIST_EACH(&ua->asks, node, after)
	{
		struct sip_ask *ask = BASE_CONTAINER_OF(node, struct sip_ask, node);

		if (ask->owner && ask->ops->drop)
			ask->ops->drop(ask->owner);
		sip_ask_free(ask);
	}
	base_map_done(&ua->by_id);
	sip_auth_free(ua);
	free(ua->lines);
	free(ua->request_lines);
	free(ua);
}

int sip_ua_lines(struct sip_ua *ua, const char *lines)
{
	char *copy = lines && lines[0] ? strdup(lines) : NULL;

	if (lines && lines[0] && !copy)
		return BASE_ERR(BASE_LOCAL, 500);
	free(ua->request_lines);
	ua->request_lines = copy;
	return 0;
}

void sip_ua_input(struct sip_ua *ua, struct sip_flow from, const struct sip_source *source,
                  struct base_str octets)
{
	sip_txns_input(ua->txns, from, source, octets);
}

void sip_ua_lost(struct sip_ua *ua, uint64_t flow)
{
	sip_txns_lost(ua->txns, flow);
}

size_t sip_ua_calls(const struct sip_ua *ua)
{
	return ua->call_count;
}

size_t sip_ua_transactions(const struct sip_ua *ua)
{
	return sip_txns_count(ua->txns);
}
