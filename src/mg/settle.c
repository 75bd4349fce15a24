/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together in a context: legs linked, directions set (H.248.1, 7.1.6, 7.1.18). */
#include "mg/app.h"
#include "mg/bearer.h"

static struct mg_stream *partner_of(const struct mg_context *context, const struct mg_term *term,
                                    uint16_t id)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t)) {
		struct mg_stream *s = t == term ? NULL : mg_term_stream(t, id);

		if (s && s->leg)
			return s;
	}
	return NULL;
}

/* May media of `stream` flow from `from` to `to` (7.1.18)? */
static bool topology_flows(const struct mg_context *context, const struct mg_term *from,
                           const struct mg_term *to, uint16_t stream)
{
	for (struct base_node *n = context->topology.next; n != &context->topology; n = n->next) {
		struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (t->has_stream && t->stream != stream)
			continue;
		if (t->from == from && t->to == to)
			return t->forward;
		if (t->from == to && t->to == from)
			return t->backward;
	}
	return true;
}

static bool mode_sends(const struct mg_stream *s)
{
	return s->mode == H248_SEND_ONLY || s->mode == H248_SEND_RECEIVE;
}

static bool mode_receives(const struct mg_stream *s)
{
	return s->mode == H248_RECEIVE_ONLY || s->mode == H248_SEND_RECEIVE;
}

/* What the relay makes of a link: the earlier ones of both ends are over. */
static void leg_pair(struct mg_leg *leg, struct mg_leg *partner)
{
	mg_leg_part(leg);
	if (!partner)
		return;
	mg_leg_part(partner);
	leg->partner = partner;
	partner->partner = leg;
}

/* An order that could not be given stays due: the next settling tries again. */
static void leg_settle(struct mg *mg, struct mg_context *context, struct mg_term *term,
                       struct mg_stream *s)
{
	struct mg_stream *other = s->leg->app ? NULL : partner_of(context, term, s->id);
	struct mg_leg *leg = s->leg, *partner = other ? other->leg : NULL;
	bool send = mode_sends(s), receive = mode_receives(s);

	if (leg->partner != partner &&
	    !mg->bearer->endpoint_link(leg->endpoint, partner ? partner->endpoint : NULL))
		leg_pair(leg, partner);
	if (partner) {
		send = send && topology_flows(context, partner->term, term, s->id);
		receive = receive && topology_flows(context, term, partner->term, s->id);
	}
	if ((leg->may_send != send || leg->may_receive != receive) &&
	    !mg->bearer->endpoint_mode_set(leg->endpoint, send, receive)) {
		leg->may_send = send;
		leg->may_receive = receive;
	}
}

void mg_context_settle(struct mg *mg, struct mg_context *context)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t))
		for (struct mg_stream *s = t->media ? t->media->streams : NULL; s; s = s->next)
			if (s->leg)
				leg_settle(mg, context, t, s);
	mg_app_settle(mg, context);
}
