/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a NOTIFY says of flows that are bound here. */
#include <stdlib.h>

#include "edge/regevent_private.h"

#define AGAIN_MS 1000U
#define LONG_MS  300000U

/** Flows that are to end, or sooner than they would; told when the document has been read, for that
 * changes the lists. */
struct endings {
	struct base_arena arena;
	struct ending {
		uint64_t flow;
		const char *why; /**< NULL: it is shortened */
		uint32_t expires_s;
	} * list;
	size_t count;
};

static bool same_uri(const char *a, struct base_str b)
{
	struct sip_uri x, y;

	return base_str_eq(base_str_of(a), b) || (!sip_uri_parse(base_str_of(a), &x) &&
	                                          !sip_uri_parse(b, &y) && sip_uri_equal(&x, &y));
}

static const struct sip_reg_contact *contact_of(const struct sip_reg_record *record,
                                                const struct edge_regflow *f)
{
	const struct sip_reg_contact *found = NULL;

	/* The last one counts: a contact may have ended and be there again. */
	for (size_t i = 0; i < record->count; i++)
		if (same_uri(f->contact, record->contacts[i].uri))
			found = &record->contacts[i];
	return found;
}

/** Why this flow's registration is over, or NULL. */
static const char *over(const struct edge_regsub *sub, const struct sip_reginfo *doc,
                        const struct edge_regflow *f)
{
	bool known = false; /* our identity is in it */

	for (size_t i = 0; i < doc->count; i++) {
		const struct sip_reg_record *record = &doc->records[i];
		const struct sip_reg_contact *contact = contact_of(record, f);

		if (!same_uri(sub->impu, record->aor))
			continue; /* of the same user perhaps, but not what is bound first */
		if (contact && contact->state == SIP_REG_TERMINATED)
			return sip_reg_event_name(contact->event);
		if (record->state == SIP_REG_TERMINATED)
			return "registration terminated";
		if (contact)
			return NULL;
		known = true;
	}
	/* All that there was when we have asked (RFC 3680, 5.2), and this one not among it. Before
	 * the answer it may be what we have asked for earlier. */
	return doc->full && known && f->since + sub->asking < sub->cseq ? "no longer registered"
	                                                                : NULL;
}

/** The contact of this flow, where it has been shortened; or NULL. */
static const struct sip_reg_contact *
shorter(const struct edge_regsub *sub, const struct sip_reginfo *doc, const struct edge_regflow *f)
{
	const struct sip_reg_contact *contact = NULL;

	for (size_t i = 0; i < doc->count && !contact; i++)
		if (same_uri(sub->impu, doc->records[i].aor))
			contact = contact_of(&doc->records[i], f);
	return contact && contact->event == SIP_REG_SHORTENED && contact->has_expires ? contact
	                                                                              : NULL;
}

static void collect(struct edge_regsub *sub, const struct sip_reginfo *doc, struct endings *e)
{
	size_t most = 0;

	BASE_LIST_EACH(&sub->flows, node, after)
	most++;
	e->list = base_arena_array(&e->arena, most, sizeof(*e->list));
	if (!e->list)
		return;
	BASE_LIST_EACH(&sub->flows, node, after)
	{
		const struct edge_regflow *f = BASE_CONTAINER_OF(node, struct edge_regflow, node);
		const char *why = over(sub, doc, f);

		const struct sip_reg_contact *contact = why ? NULL : shorter(sub, doc, f);

		if (why || contact)
			e->list[e->count++] =
			        (struct ending){ f->flow, why, contact ? contact->expires_s : 0 };
	}
}

static unsigned document(struct edge_regsub *sub, const struct sip_message *notify,
                         struct endings *e)
{
	struct edge_regevent *events = sub->events;
	struct sip_reginfo doc;
	struct base_error err = { 0 };

	if (sip_reginfo_read(&doc, &e->arena, notify->body, &err)) {
		events->counts.bad++;
		base_log(BASE_LOG_WARN, "edge", "reg-event: NOTIFY for %s refused: %s", sub->impu,
		         err.text);
		return 400;
	}
	switch (sip_reginfo_turn(&sub->versions, &doc)) {
	case SIP_REGINFO_OLD:
		return 200;
	case SIP_REGINFO_GAP:
		if (!sub->over)
			edge_regsub_ask(sub); /* for the full state (5.2) */
		break;
	case SIP_REGINFO_NEXT:
		break;
	}
	collect(sub, &doc, e);
	return 200;
}

/* -- the NOTIFY itself ----------------------------------------------------------------------- */

static bool of_event(const struct sip_message *notify)
{
	const struct sip_header *event = sip_header(notify, SIP_H_EVENT);
	struct base_str name = event ? event->value : (struct base_str){ NULL, 0 };

	name.len = sip_span(name, SIP_CH_TOKEN);
	return base_str_ieq(name, BASE_STR("reg"));
}

static bool of_type(const struct sip_message *notify)
{
	const struct sip_header *type = sip_header(notify, SIP_H_CONTENT_TYPE);
	struct base_str text = type ? type->value : (struct base_str){ NULL, 0 };

	text.len = BASE_MIN(text.len, strlen(SIP_REGINFO_TYPE));
	if (type && type->value.len > text.len && type->value.ptr[text.len] != ';' &&
	    !sip_is(type->value.ptr[text.len], SIP_CH_BLANK))
		return false;
	return base_str_ieq(text, BASE_STR(SIP_REGINFO_TYPE));
}

/** Is it of our dialog, or the first of one (it may come before the 2xx)? */
static bool of_dialog(const struct edge_regsub *sub, const struct sip_message *notify)
{
	return base_str_eq(notify->to_tag, base_str_of(sub->tag)) && notify->from_tag.len &&
	       (!sub->remote_tag || base_str_eq(notify->from_tag, base_str_of(sub->remote_tag)));
}

/** Subscription-State (RFC 3265, 3.2.4: R). */
static void state(struct edge_regsub *sub, const struct sip_message *notify)
{
	const struct sip_header *header = sip_header(notify, SIP_H_SUBSCRIPTION_STATE);
	struct base_str value = header ? header->value : (struct base_str){ NULL, 0 };
	struct base_str word = { value.ptr, sip_span(value, SIP_CH_TOKEN) }, text;
	uint64_t expires_s;

	if (!header || sub->over)
		return;
	if (base_str_ieq(word, BASE_STR("terminated"))) {
		bool soon = sip_param_find(sip_from(value, word.len), "reason", &text) &&
		            (base_str_ieq(text, BASE_STR("deactivated")) ||
		             base_str_ieq(text, BASE_STR("timeout")));

		edge_regsub_anew(sub, soon ? AGAIN_MS : LONG_MS);
	} else if (sip_param_find(sip_from(value, word.len), "expires", &text) &&
	           !base_str_u64(text, UINT32_MAX, &expires_s)) {
		edge_regsub_expires(sub, expires_s);
	}
}

static unsigned judge(struct edge_regsub *sub, const struct sip_message *notify, struct endings *e)
{
	unsigned status = 200;

	if (!of_event(notify))
		return 489;
	if (sub->notified && notify->cseq <= sub->notified)
		return 500; /* out of order (RFC 3261, 12.2.2) */
	if (notify->body.len && !of_type(notify))
		return 415;
	if (!sub->target && edge_regsub_dialog(sub, notify))
		return 400;
	sub->notified = notify->cseq;
	if (notify->body.len)
		status = document(sub, notify, e);
	state(sub, notify);
	return status;
}

unsigned edge_regevent_notify(struct edge_regevent *events, const struct sip_message *notify)
{
	struct base_map_node *node = base_map_find(&events->by_call, notify->call_id);
	struct edge_regsub *sub =
	        node ? BASE_CONTAINER_OF(node, struct edge_regsub, by_call) : NULL;
	struct endings e = { 0 };
	unsigned status;

	if (!sub || !of_dialog(sub, notify))
		return 0;
	events->timers.now_ms =
	        BASE_MAX(events->timers.now_ms, events->ops.now_ms(events->ops.arg));
	events->counts.notified++;
	status = judge(sub, notify, &e);
	for (size_t i = 0; i < e.count; i++) { /* `sub` may end by it */
		const struct ending *one = &e.list[i];

		if (!one->why) {
			events->ops.shortened(events->ops.arg, one->flow, one->expires_s);
			continue;
		}
		events->counts.ended++;
		events->ops.ended(events->ops.arg, one->flow, one->why);
	}
	base_arena_done(&e.arena);
	edge_regevent_rearm(events);
	return status;
}
