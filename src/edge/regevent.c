/* SPDX-License-Identifier: Apache-2.0 */
/** @file Subscriptions: one for each default identity, as long as a flow has it. */
#include <stdio.h>
#include <stdlib.h>

#include "edge/regevent_private.h"

#define EXPIRES_S  600000U     /**< TS 24.229, 5.2.3.1 (R) */
#define RETRY_MS   300000U     /**< after a failure that may pass */
#define SOON_MS    1000U       /**< after a dialog was lost */
#define LONG_S     1200U       /**< of longer ones 600 s before the end, else at half (R) */
#define REFRESH_MS 2000000000U /**< longest between two SUBSCRIBEs */

static void clock_in(struct edge_regevent *events)
{
	events->timers.now_ms =
	        BASE_MAX(events->timers.now_ms, events->ops.now_ms(events->ops.arg));
}

/* -- requests -------------------------------------------------------------------------------- */

static void id_new(const struct edge_regevent *events, char ret[EDGE_REGSUB_ID + 1])
{
	uint8_t octets[EDGE_REGSUB_ID / 2];

	events->ops.random(events->ops.arg, octets, sizeof(octets));
	base_hex_encode(octets, sizeof(octets), 0, false, ret);
}

static void subscribe_write(struct base_writer *w, struct edge_regsub *sub)
{
	const struct edge_regevent *events = sub->events;

	base_writer_printf(w, "SUBSCRIBE %s SIP/2.0\r\nMax-Forwards: 70\r\n",
	                   sub->target ? sub->target : sub->impu);
	if (sub->routes)
		base_writer_text(w, sub->routes);
	base_writer_printf(w, "From: <%s>;tag=%s\r\nTo: <%s>", events->identity, sub->tag,
	                   sub->impu);
	if (sub->remote_tag)
		base_writer_printf(w, ";tag=%s", sub->remote_tag);
	base_writer_printf(w,
	                   "\r\nCall-ID: %s\r\nCSeq: %u SUBSCRIBE\r\nContact: <%s>\r\n"
	                   "P-Asserted-Identity: <%s>\r\nEvent: reg\r\nAccept: %s\r\n"
	                   "Expires: %u\r\nContent-Length: 0\r\n\r\n",
	                   sub->call_id, ++sub->cseq, events->contact, events->identity,
	                   SIP_REGINFO_TYPE, sub->over ? 0 : EXPIRES_S);
}

static void on_time(void *arg)
{
	edge_regsub_ask(arg);
}

static void later(struct edge_regsub *sub, uint64_t delay_ms)
{
	loop_timers_start(&sub->events->timers, &sub->timer, delay_ms, on_time, sub);
	edge_regevent_rearm(sub->events);
}

void edge_regsub_ask(struct edge_regsub *sub)
{
	struct edge_regevent *events = sub->events;
	struct base_writer w = { 0 };
	struct base_str hop = { NULL, 0 };

	if (sub->asking) {
		sub->again = true;
		return;
	}
	if (events->hop && !sub->target)
		hop = base_str_of(events->hop);
	subscribe_write(&w, sub);
	sub->asking =
	        !w.failed && events->ops.ask(events->ops.arg, sub, base_writer_view(&w), hop) == 0;
	base_writer_done(&w);
	if (!sub->asking && !sub->over)
		later(sub, RETRY_MS);
}

/* -- life of a subscription ------------------------------------------------------------------ */

static void dialog_free(struct edge_regsub *sub)
{
	free(sub->remote_tag);
	free(sub->target);
	free(sub->routes);
	sub->remote_tag = sub->target = sub->routes = NULL;
	sub->notified = 0;
	sub->versions = (struct sip_reginfo_versions){ 0 };
}

static void sub_free(struct edge_regsub *sub)
{
	struct edge_regevent *events = sub->events;

	if (!sub->over)
		base_map_remove(&events->by_identity, &sub->by_identity);
	base_map_remove(&events->by_call, &sub->by_call);
	loop_timers_stop(&events->timers, &sub->timer);
	events->counts.subscriptions--;
	dialog_free(sub);
	free(sub->impu);
	free(sub);
}

static struct edge_regsub *sub_new(struct edge_regevent *events, struct base_str impu)
{
	struct edge_regsub *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	sub->events = events;
	base_list_init(&sub->flows);
	id_new(events, sub->call_id);
	id_new(events, sub->tag);
	sub->impu = strndup(impu.ptr, impu.len);
	if (!sub->impu ||
	    base_map_insert(&events->by_identity, base_str_of(sub->impu), &sub->by_identity)) {
		free(sub->impu);
		free(sub);
		return NULL;
	}
	if (base_map_insert(&events->by_call, base_str_of(sub->call_id), &sub->by_call)) {
		base_map_remove(&events->by_identity, &sub->by_identity);
		free(sub->impu);
		free(sub);
		return NULL;
	}
	events->counts.subscriptions++;
	return sub;
}

/** Nobody has its identity any more: it ends where it has begun. */
static void sub_end(struct edge_regsub *sub)
{
	base_map_remove(&sub->events->by_identity, &sub->by_identity);
	sub->over = true;
	loop_timers_stop(&sub->events->timers, &sub->timer);
	if (sub->asking)
		sub->again = !sub->off;
	else if (sub->target && !sub->off)
		edge_regsub_ask(sub);
	if (!sub->asking)
		sub_free(sub);
}

void edge_regsub_anew(struct edge_regsub *sub, uint64_t delay_ms)
{
	struct edge_regevent *events = sub->events;
	char call_id[EDGE_REGSUB_ID + 1];

	dialog_free(sub);
	/* Another Call-ID: answers to what was sent in the old dialog mean nothing any more. */
	id_new(events, call_id);
	base_map_remove(&events->by_call, &sub->by_call);
	memcpy(sub->call_id, call_id, sizeof(call_id));
	(void)base_map_insert(&events->by_call, base_str_of(sub->call_id), &sub->by_call);
	sub->cseq++; /* flows that were bound before are in the full state to come */
	later(sub, BASE_MAX(delay_ms, 1));
}

void edge_regsub_expires(struct edge_regsub *sub, uint64_t expires_s)
{
	uint64_t in_ms = expires_s > LONG_S ? (expires_s - LONG_S / 2) * 1000 : expires_s * 500;

	later(sub, BASE_MIN(BASE_MAX(in_ms, 1000), REFRESH_MS));
}

/* -- answers --------------------------------------------------------------------------------- */

static char *routes_of(const struct sip_message *msg)
{
	struct sip_values values = { .msg = msg, .id = SIP_H_RECORD_ROUTE };
	struct base_str list[32], element;
	struct base_writer w = { 0 };
	size_t count = 0;
	char *text;

	while (count < BASE_COUNT(list) && sip_values_next(&values, &element))
		list[count++] = element;
	/* A response has them in the order of the way there, backwards for us (12.1.2). */
	for (size_t i = 0; i < count; i++)
		base_writer_printf(&w, "Route: %.*s\r\n",
		                   BASE_FMT(list[msg->request ? i : count - 1 - i]));
	text = w.len && !w.failed ? strndup((const char *)w.data, w.len) : NULL;
	base_writer_done(&w);
	return text;
}

int edge_regsub_dialog(struct edge_regsub *sub, const struct sip_message *msg)
{
	const struct sip_header *contact = sip_header(msg, SIP_H_CONTACT);
	struct base_str tag = msg->request ? msg->from_tag : msg->to_tag;
	struct sip_addr addr;
	struct sip_uri uri;

	if (!tag.len || !contact || sip_addr_parse(contact->value, &addr) ||
	    sip_uri_parse(addr.uri, &uri))
		return BASE_ERR(BASE_PEER, 400);
	dialog_free(sub);
	sub->remote_tag = strndup(tag.ptr, tag.len);
	sub->target = strndup(addr.uri.ptr, addr.uri.len);
	sub->routes = routes_of(msg);
	if (sub->remote_tag && sub->target)
		return 0;
	dialog_free(sub);
	return BASE_ERR(BASE_LOCAL, 500);
}

static void granted(struct edge_regsub *sub, const struct sip_message *response)
{
	const struct sip_header *header = sip_header(response, SIP_H_EXPIRES);
	uint64_t expires_s = SIP_REGINFO_EXPIRES_S;

	if (header && sip_header_number(header, UINT32_MAX, &expires_s))
		expires_s = SIP_REGINFO_EXPIRES_S;
	if (!sub->target && edge_regsub_dialog(sub, response))
		later(sub, RETRY_MS);
	else
		edge_regsub_expires(sub, expires_s);
}

/** Will the same be refused for ever? */
static bool for_good(unsigned status)
{
	return status == 403 || status == 405 || status == 489 || status == 501;
}

static void refused(struct edge_regsub *sub, unsigned status)
{
	if (for_good(status)) {
		sub->off = true;
		if (!sub->events->deaf)
			base_log(BASE_LOG_WARN, "edge",
			         "reg-event: the registrar answers SUBSCRIBE by %u: bindings that "
			         "the "
			         "network ends stay here until they expire",
			         status);
		sub->events->deaf = true;
	} else if (sub->target) {
		edge_regsub_anew(sub, status == 481 ? SOON_MS : RETRY_MS);
	} else {
		later(sub, RETRY_MS);
	}
}

void edge_regevent_answered(struct edge_regsub *sub, const struct sip_message *response,
                            unsigned status)
{
	bool ours = !response || base_str_eq(response->call_id, base_str_of(sub->call_id));
	bool again = sub->again;

	clock_in(sub->events);
	sub->asking = sub->again = false;
	if (sub->over) {
		/* It may have begun by this very answer, and must not stay there. */
		if (again && response && status < 300 && ours &&
		    (sub->target || !edge_regsub_dialog(sub, response)))
			edge_regsub_ask(sub);
		if (!sub->asking)
			sub_free(sub);
		return;
	}
	if (ours && response && status < 300)
		granted(sub, response);
	else if (ours)
		refused(sub, status);
	if (again && !sub->off)
		edge_regsub_ask(sub);
}

/* -- flows ----------------------------------------------------------------------------------- */

static struct base_str flow_key(const uint64_t *flow)
{
	return (struct base_str){ (const char *)flow, sizeof(*flow) };
}

static void flow_free(struct edge_regflow *f)
{
	base_map_remove(&f->sub->events->by_flow, &f->by_flow);
	base_list_remove(&f->node);
	free(f->contact);
	free(f);
}

static void flow_end(struct edge_regevent *events, uint64_t flow)
{
	struct base_map_node *node = base_map_find(&events->by_flow, flow_key(&flow));
	struct edge_regflow *f =
	        node ? BASE_CONTAINER_OF(node, struct edge_regflow, by_flow) : NULL;
	struct edge_regsub *sub = f ? f->sub : NULL;

	if (!f)
		return;
	flow_free(f);
	if (base_list_empty(&sub->flows))
		sub_end(sub);
}

static char *contact_uri(struct base_str contact)
{
	struct sip_addr addr;

	return sip_addr_parse(contact, &addr) ? NULL : strndup(addr.uri.ptr, addr.uri.len);
}

static void flow_begin(struct edge_regevent *events, const struct edge_binding *b)
{
	struct base_map_node *node = base_map_find(&events->by_identity, b->impus[0]);
	struct edge_regsub *sub =
	        node ? BASE_CONTAINER_OF(node, struct edge_regsub, by_identity) : NULL;
	struct edge_regflow *f = calloc(1, sizeof(*f));
	bool fresh = !sub;

	if (fresh && f)
		sub = sub_new(events, b->impus[0]);
	if (f && sub) {
		*f = (struct edge_regflow){ .sub = sub, .flow = b->flow, .since = sub->cseq };
		f->contact = contact_uri(b->contact);
	}
	if (!f || !sub || !f->contact ||
	    base_map_insert(&events->by_flow, flow_key(&f->flow), &f->by_flow)) {
		base_log(BASE_LOG_ERROR, "edge", "flow=%llu: no subscription to its reg event",
		         (unsigned long long)b->flow);
		if (f)
			free(f->contact);
		free(f);
		if (fresh && sub)
			sub_free(sub);
		return;
	}
	base_list_init(&f->node);
	base_list_append(&sub->flows, &f->node);
	if (fresh)
		edge_regsub_ask(sub);
}

/** The same as it was: nothing to do. */
static bool flow_same(const struct edge_regevent *events, const struct edge_binding *b)
{
	struct base_map_node *node = base_map_find(&events->by_flow, flow_key(&b->flow));
	const struct edge_regflow *f =
	        node ? BASE_CONTAINER_OF(node, struct edge_regflow, by_flow) : NULL;
	struct sip_addr addr;

	return f && base_str_eq(base_str_of(f->sub->impu), b->impus[0]) &&
	       !sip_addr_parse(b->contact, &addr) && base_str_eq(base_str_of(f->contact), addr.uri);
}

static void flow_bound(struct edge_regevent *events, const struct edge_binding *b)
{
	if (!b || !b->impu_count || flow_same(events, b))
		return;
	flow_end(events, b->flow);
	flow_begin(events, b);
}

void edge_regevent_told(struct edge_regevent *events, const struct edge_event *event)
{
	clock_in(events);
	switch (event->what) {
	case EDGE_TOLD_BOUND:
		flow_end(events, event->flow);
		flow_bound(events, event->binding);
		break;
	case EDGE_TOLD_REFRESHED:
		flow_bound(events, event->binding);
		break;
	case EDGE_TOLD_UNBOUND:
		flow_end(events, event->flow);
		break;
	case EDGE_TOLD_REKEYED:
	case EDGE_TOLD_NOTE:
		break;
	}
	edge_regevent_rearm(events);
}

/* -- life ------------------------------------------------------------------------------------ */

int edge_regevent_new(struct edge_regevent **ret, const struct edge_regevent_spec *spec,
                      const struct edge_regevent_ops *ops)
{
	struct edge_regevent *events = calloc(1, sizeof(*events));

	if (!events)
		return BASE_ERR(BASE_LOCAL, 0);
	events->ops = *ops;
	events->armed_ms = UINT64_MAX;
	events->identity = strdup(spec->identity);
	events->contact = strdup(spec->contact);
	events->hop = spec->hop;
	if (!events->identity || !events->contact) {
		edge_regevent_free(events);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = events;
	return 0;
}

void edge_regevent_free(struct edge_regevent *events)
{
	struct base_map_node *node;

	if (!events)
		return;
	while ((node = base_map_next(&events->by_flow, NULL)))
		flow_free(BASE_CONTAINER_OF(node, struct edge_regflow, by_flow));
	while ((node = base_map_next(&events->by_call, NULL)))
		sub_free(BASE_CONTAINER_OF(node, struct edge_regsub, by_call));
	base_map_done(&events->by_flow);
	base_map_done(&events->by_call);
	base_map_done(&events->by_identity);
	free(events->identity);
	free(events->contact);
	free(events);
}

void edge_regevent_hop(struct edge_regevent *events, const char *hop)
{
	events->hop = hop;
}

uint64_t edge_regevent_deadline(const struct edge_regevent *events)
{
	return loop_timers_deadline(&events->timers);
}

void edge_regevent_rearm(struct edge_regevent *events)
{
	uint64_t deadline_ms = edge_regevent_deadline(events);

	if (deadline_ms == events->armed_ms)
		return;
	events->armed_ms = deadline_ms;
	events->ops.rearm(events->ops.arg, deadline_ms);
}

void edge_regevent_advance(struct edge_regevent *events)
{
	loop_timers_run(&events->timers, events->ops.now_ms(events->ops.arg));
	edge_regevent_rearm(events);
}

struct edge_regevent_counts edge_regevent_counts(const struct edge_regevent *events)
{
	return events->counts;
}
