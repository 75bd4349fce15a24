/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ue/call_private.h"

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct ue_call, node)
#define SDP          "application/sdp"

static void go_on(struct ue_call *call);

/* ---- life ---- */

void ue_call_tell(const struct ue_call *call, const char *name, unsigned status, const char *text)
{
	struct ue_number code;

	UE_TELL(&call->app->events, name, { "call", base_str_of(call->name) },
	        { "peer", base_str_of(call->peer) },
	        { "status", status ? ue_number(&code, status) : (struct base_str){ 0 } },
	        { "text", base_str_of(text) });
}

/** What the KMS was asked is of no use any more: its answers are not for what comes next. */
static void unask(struct ue_call *call)
{
	for (size_t i = 0; i < OFFER_STREAMS_MAX; i++) {
		http_cancel(call->question[i].http);
		call->question[i].http = NULL;
	}
}

void ue_call_free(struct ue_call *call)
{
	unask(call);
	base_list_remove(&call->node);
	offer_free(call->offer);
	free(call->target);
	free(call->route);
	base_writer_done(&call->sdp);
	free(call);
}

struct ue_call *ue_call_new(struct ue_app *app, const char *name, struct base_error *err)
{
	struct ue_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
		return NULL;
	}
	call->app = app;
	base_list_append(&app->calls, &call->node);
	if (name)
		(void)snprintf(call->name, sizeof(call->name), "%s", name);
	else
		(void)snprintf(call->name, sizeof(call->name), "call-%u", ++app->calls_made);
	return call;
}

/** It is over, whatever it was. */
static void over(struct ue_call *call, const char *why, unsigned status, struct base_str text)
{
	struct ue_number code;

	if (!call->plain)
		ue_call_media_end(call);
	UE_TELL(&call->app->events, "call.over", { "call", base_str_of(call->name) },
	        { "peer", base_str_of(call->peer) }, { "why", base_str_of(why) },
	        { "status", status ? ue_number(&code, status) : (struct base_str){ 0 } },
	        { "text", text });
	ue_call_free(call);
}

/** An offer in the call comes to nothing: all stays as it was (RFC 3261, 14). */
static void withdraw(struct ue_call *call)
{
	call->asked = call->anew = false;
	unask(call);
	offer_withdraw(call->offer);
	ue_call_media_restore(call);
}

/** It has failed before both had it. */
static void undo(struct ue_call *call, unsigned status)
{
	if (call->asked)
		(void)sip_call_decline(call->sip, status, NULL); /* else it is over by its time */
	withdraw(call);
}

/** The set-up has failed on our side: say why, by SIP where that has begun. */
static void fail(struct ue_call *call, const struct base_error *err)
{
	struct offer_failure failure = { .status = call->offer ? 500 : 488 };
	struct sip_cause cause = { .protocol = "SIP" };

	if (call->offer && offer_state(call->offer) == OFFER_FAILED)
		offer_failure(call->offer, &failure);
	else
		(void)snprintf(failure.text, sizeof(failure.text), "%.*s",
		               (int)sizeof(failure.text) - 1, err->text);
	ue_call_tell(call, "call.failed", failure.status,
	             failure.text[0] ? failure.text : err->text);
	if (call->up && (call->anew || call->asked)) {
		undo(call, failure.status);
		return;
	}
	if (!call->sip) {
		over(call, "ours", failure.status, base_str_of(failure.text));
		return;
	}
	call->ending = true;
	unask(call);
	cause.cause = failure.status;
	cause.text = failure.text[0] ? failure.text : NULL;
	ue_call_media_end(call);
	sip_call_end(call->sip, failure.status, &cause);
}

/* ---- the KMS ---- */

static void on_kms(void *arg, const struct http_result *result)
{
	struct ue_question *q = arg;
	struct ue_call *call = q->call;
	struct mikey_octets answer = { 0 };
	struct base_error err = { 0 };
	struct ue_number status, octets;

	q->http = NULL;
	if (!result->rc && strcmp(result->type, "application/mikey") == 0)
		answer = mikey_octets_of(result->body.ptr, result->body.len);
	if (!answer.len)
		(void)base_error_set(&err, BASE_ERR(BASE_PEER, 0), "no ticket from the KMS: %s",
		                     result->rc ? result->err->text : "it has another answer");
	UE_TELL(&call->app->events, "kms.answer", { "call", base_str_of(call->name) },
	        { "status", ue_number(&status, result->status) },
	        { "octets", ue_number(&octets, answer.len) },
	        { "text", base_str_of(err.text[0] ? err.text : NULL) });
	if (offer_told(call->offer, ue_party_now(), (size_t)(q - call->question), answer, &err))
		fail(call, &err);
	else
		go_on(call);
}

/** Ask all that is to be asked. @return 0 or an error */
static int ask(struct ue_call *call, struct base_error *err)
{
	struct offer_question question;
	int rc = 0;

	while (!rc && offer_question(call->offer, &question)) {
		struct ue_question *q = &call->question[question.stream];

		q->call = call;
		http_cancel(q->http);
		q->http = NULL;
		rc = ue_party_ask(&call->app->party, &question, on_kms, q, &q->http, err);
		UE_TELL(&call->app->events, "kms.ask", { "call", base_str_of(call->name) },
		        { "what", base_str_of(question.resolve ? "resolve" : "request") });
	}
	return rc;
}

/* ---- descriptions ---- */

int ue_call_invite(struct ue_call *call, const struct sip_content *content, struct base_error *err)
{
	struct ue_sip *sip = call->app->sip;
	struct sip_call_setup setup = { .target = base_str_of(call->target),
		                        .from = base_str_of(ue_sip_self(sip)),
		                        .contact = ue_sip_contact(sip),
		                        .content = *content };
	struct base_str route = base_str_of(call->route);
	int rc;

	setup.routes = ue_sip_routes(sip, &setup.route_count);
	if (call->route) {
		setup.routes = &route;
		setup.route_count = 1;
	}
	rc = sip_call_start(&call->sip, ue_sip_ua(sip), &setup, call);
	if (rc)
		return base_error_set(err, rc, "the call cannot be begun");
	ue_call_tell(call, "call.out", 0, NULL);
	return 0;
}

/** Our description is ready: send it with what it belongs to. */
static int say(struct ue_call *call, struct base_error *err)
{
	bool answer = offer_state(call->offer) == OFFER_TO_ANSWER;
	struct base_writer w = { 0 };
	struct sip_content content = { .type = SDP };
	int rc = ue_call_place(call, err);

	if (!rc)
		rc = offer_write(call->offer, &w, err);
	content.body = base_writer_view(&w);
	if (!rc && !call->sip)
		rc = ue_call_invite(call, &content, err);
	else if (!rc && (call->anew ? sip_call_offer(call->sip, &content)
	                            : sip_call_accept(call->sip, &content)))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "the %s cannot be sent",
		                    call->anew ? "offer" : "answer");
	call->anew = call->asked = false;
	base_writer_done(&w);
	if (!rc && answer)
		rc = ue_call_agreed(call, err);
	return rc;
}

/** As far as it goes now. */
static void go_on(struct ue_call *call)
{
	struct base_error err = { 0 };
	enum offer_state state;
	int rc = ask(call, &err);

	state = offer_state(call->offer);
	if (!rc && call->taken && (state == OFFER_TO_OFFER || state == OFFER_TO_ANSWER))
		rc = say(call, &err);
	if (rc || state == OFFER_FAILED)
		fail(call, &err);
}

/** A description of the peer's, or none where it wants one of us. */
static void take(struct ue_call *call, const struct sip_call_event *event)
{
	struct base_error err = { 0 };
	bool answer = offer_state(call->offer) == OFFER_OFFERED;
	int rc;

	if (!event->body.len)
		rc = offer_begin(call->offer, ue_party_now(), &err);
	else
		rc = offer_take(call->offer, ue_party_now(), event->body, &err);
	if (!rc && answer)
		rc = ue_call_agreed(call, &err);
	if (rc)
		fail(call, &err);
	else
		go_on(call);
}

/* ---- what SIP says ---- */

static const char *why_name(enum sip_call_why why)
{
	static const char *const names[] = {
		[SIP_WHY_OURS] = "ours",           [SIP_WHY_BYE] = "bye",
		[SIP_WHY_CANCELLED] = "cancelled", [SIP_WHY_REFUSED] = "refused",
		[SIP_WHY_NO_ACK] = "no-ack",       [SIP_WHY_EXPIRED] = "expired",
		[SIP_WHY_GONE] = "gone",
	};

	return (size_t)why < BASE_COUNT(names) && names[why] ? names[why] : "?";
}

void ue_call_over(struct ue_call *call, const struct sip_call_event *event)
{
	struct base_str protocol, text = { 0 };
	unsigned cause;

	if (event->msg && !sip_cause_read(event->msg, &protocol, &cause, &text))
		text = (struct base_str){ 0 };
	if (!text.len && event->msg && !event->msg->request)
		text = event->msg->reason;
	call->sip = NULL;
	over(call, why_name(event->why), event->status, text);
}

static int offer_open(struct ue_call *call, struct base_str peer, const struct ue_call_wish *wish,
                      struct base_error *err)
{
	struct offer_media media[2];
	struct mikey_id id;
	size_t count = ue_call_wishes(call, wish->msrp, wish->bfcp, wish->setup, media);

	if (!call->app->party.url)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "keys come from a KMS; set 'kms' in the configuration");
	if (!offer_identity(peer, call->peer, sizeof(call->peer)))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "'%.*s' names nobody that a KMS could know", BASE_FMT(peer));
	id = (struct mikey_id){ MIKEY_URI, mikey_octets_text(call->peer) };
	return offer_new(&call->offer, &call->app->party.offer, &id, media, count, err);
}

static void on_incoming(struct ue_app *app, const struct sip_call_event *event)
{
	const struct ue_call_wish wish = { .msrp = true,
		                           .bfcp = true,
		                           .setup = app->config.passive ? OFFER_PASSIVE
		                                                        : OFFER_ACTIVE };
	struct base_error err = { 0 };
	struct ue_call *call = ue_call_new(app, NULL, &err);

	if (!call) {
		sip_call_end(event->call, 503, NULL);
		return;
	}
	call->sip = event->call;
	sip_call_user_set(call->sip, call);
	call->taken = app->config.answer == UE_ANSWER_AUTO;
	(void)sip_call_contact_set(call->sip, ue_sip_contact(app->sip), NULL); /* or its flow's */
	if (!app->party.url && ue_plain_fits(event->body)) {
		ue_plain_incoming(call, event);
		return;
	}
	if (offer_open(call, event->msg->from.uri, &wish, &err)) {
		fail(call, &err);
		return;
	}
	ue_call_tell(call, "call.incoming", 0, NULL);
	if (app->config.answer == UE_ANSWER_BUSY) {
		sip_call_end(call->sip, 486, NULL);
		return;
	}
	(void)sip_call_progress(call->sip, 180, NULL); /* the call goes on without it */
	take(call, event);
}

void ue_call_up(struct ue_call *call)
{
	if (call->up || call->ending)
		return;
	call->up = true;
	ue_call_tell(call, "call.up", 0, NULL);
}

static void on_answered(struct ue_call *call, const struct sip_call_event *event)
{
	struct base_error err = { 0 };

	if (event->body.len) {
		take(call, event);
	} else {
		(void)base_error_set(&err, BASE_ERR(BASE_PEER, 0), "no answer in the 2xx");
		fail(call, &err);
	}
	ue_call_up(call);
}

void ue_call_event(struct ue_app *app, const struct sip_call_event *event)
{
	struct ue_call *call = event->user;

	if (event->what == SIP_CALL_INCOMING) {
		on_incoming(app, event);
		return;
	}
	if (!call)
		return;
	if (call->plain) {
		ue_plain_event(call, event);
		return;
	}
	switch (event->what) {
	case SIP_CALL_PROGRESS:
		ue_call_tell(call, "call.progress", event->status, NULL);
		break;
	case SIP_CALL_CONFIRMED:
		if (event->body.len)
			take(call, event);
		ue_call_up(call);
		break;
	case SIP_CALL_ANSWERED:
	case SIP_CALL_AGREED:
		on_answered(call, event);
		break;
	case SIP_CALL_ASKED:
	case SIP_CALL_OFFERED:
		ue_call_tell(call, "call.offered", 0, NULL);
		call->asked = true;
		take(call, event);
		break;
	case SIP_CALL_WITHDRAWN:
		withdraw(call);
		break;
	case SIP_CALL_DECLINED:
		ue_call_tell(call, "call.declined", event->status, NULL);
		withdraw(call);
		break;
	case SIP_CALL_OVER:
		ue_call_over(call, event);
		break;
	default:
		break;
	}
}

/* ---- commands ---- */

int ue_call_start(struct ue_app *app, const struct ue_call_wish *wish, struct base_error *err)
{
	struct ue_call *call = ue_call_new(app, wish->name, err);
	struct ue_call_wish all = *wish;
	int rc;

	if (!call)
		return BASE_ERR(BASE_LOCAL, 0);
	if (wish->route && asprintf(&call->route, "<%s>", wish->route) < 0)
		call->route = NULL;
	if (!all.msrp && !all.bfcp)
		all.msrp = all.bfcp = true;
	call->taken = true;
	call->target = strdup(wish->target);
	if (wish->sdp) {
		rc = ue_plain_start(call, wish, err);
		if (rc)
			ue_call_free(call);
		return rc;
	}
	rc = call->target ? offer_open(call, base_str_of(wish->target), &all, err)
	                  : base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	if (!rc)
		rc = offer_begin(call->offer, ue_party_now(), err);
	if (rc) {
		ue_call_free(call);
		return rc;
	}
	go_on(call);
	return 0;
}

int ue_call_answer(struct ue_call *call, struct base_error *err)
{
	if (call->taken || !call->sip)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "it is answered already");
	call->taken = true;
	if (call->plain)
		return ue_plain_answer(call, err);
	go_on(call);
	return 0;
}

int ue_call_renew(struct ue_call *call, struct base_error *err)
{
	int rc;

	if (call->plain)
		return ue_plain_renew(call, err);
	if (!call->up || offer_state(call->offer) != OFFER_IDLE)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "the call is not up, or there is an offer already");
	for (size_t i = 0; i < offer_count(call->offer); i++)
		offer_renew(call->offer, i);
	rc = offer_begin(call->offer, ue_party_now(), err);
	if (rc) {
		offer_withdraw(call->offer);
		return rc;
	}
	call->anew = true;
	go_on(call);
	return 0;
}

void ue_call_end(struct ue_call *call, unsigned status)
{
	struct base_str none = { 0 };

	call->ending = true;
	if (!call->sip) {
		over(call, "ours", 0, none);
		return;
	}
	unask(call);
	if (!call->plain)
		ue_call_media_end(call);
	sip_call_end(call->sip, status ? status : 603, NULL);
}

struct ue_call *ue_call_find(const struct ue_app *app, const char *name)
{
	for (struct base_node *node = app->calls.prev; node != &app->calls; node = node->prev)
		if (name ? strcmp(OF_NODE(node)->name, name) == 0 : !OF_NODE(node)->ending)
			return OF_NODE(node);
	return NULL;
}

bool ue_calls_busy(const struct ue_app *app)
{
	return !base_list_empty(&app->calls);
}

void ue_calls_end(struct ue_app *app)
{
	BASE_LIST_EACH(&app->calls, node, after)
	ue_call_end(OF_NODE(node), 0);
}

void ue_calls_free(struct ue_app *app)
{
	struct base_node *node;

	while (app->calls.next && (node = base_list_shift(&app->calls)))
		ue_call_free(OF_NODE(node));
}
