/* SPDX-License-Identifier: Apache-2.0 */
/* Audit descriptors with individual items: version 2 has one thing in each, version 3 lists. */
#include "generate_parts.h"

static struct h248_parm *audited_names(struct generator *g, enum h248_package_kind kind,
                                       unsigned count)
{
	struct h248_parm *list = NULL, **tail = &list;

	for (unsigned n = 0; n < count; n++) {
		struct h248_parm *parm = GEN_NEW(g, struct h248_parm);
		const struct h248_package_item *item;
		bool twice = false;

		parm->name = gen_pkgd(g, kind, true, &item);
		for (const struct h248_parm *p = list; p; p = p->next)
			twice = twice || h248_name_equal(p->name, parm->name);
		if (!twice)
			GEN_APPEND(tail, parm);
	}
	return list;
}

static uint8_t relation(struct generator *g)
{
	if (gen_maybe(g, 30, GEN_AUDIT_UNEQUAL))
		return H248_FORM_UNEQUAL;
	return H248_FORM_EQUAL;
}

static struct h248_term_state *state(struct generator *g)
{
	struct h248_term_state *ts = GEN_NEW(g, struct h248_term_state);

	gen_mark(g, GEN_AUDIT_STATE);
	switch (gen_pick(g, g->version >= 3 ? 5 : 3)) {
	case 0:
		ts->asked = H248_ASK_SERVICE_STATES;
		break;
	case 1:
		ts->asked = H248_ASK_BUFFER;
		break;
	case 2:
		gen_mark(g, GEN_AUDIT_PARM);
		ts->parms = audited_names(g, H248_PROPERTY, 1);
		break;
	case 3:
		gen_mark(g, GEN_AUDIT_STATE_SELECT);
		ts->service_state = (uint8_t)(H248_STATE_TEST + gen_pick(g, 3));
		ts->state_form = relation(g);
		break;
	default:
		gen_mark(g, GEN_AUDIT_PARM_SELECT);
		ts->parms = gen_properties(g, 1, 0);
	}
	return ts;
}

static struct h248_local_control *control(struct generator *g)
{
	struct h248_local_control *o = GEN_NEW(g, struct h248_local_control);
	unsigned things = g->version >= 3 ? 1 + gen_pick(g, 3) : 1;

	if (things > 1)
		gen_mark(g, GEN_AUDIT_MANY);
	while (things--) {
		switch (gen_pick(g, g->version >= 3 ? 6 : 4)) {
		case 0:
			gen_mark(g, GEN_AUDIT_MODE);
			if (!o->mode)
				o->asked |= H248_ASK_MODE;
			break;
		case 1:
		case 2:
			gen_mark(g, GEN_AUDIT_RESERVED);
			o->asked |= gen_chance(g, 50) ? H248_ASK_RESERVED_VALUE
			                              : H248_ASK_RESERVED_GROUP;
			break;
		case 3:
			gen_mark(g, GEN_AUDIT_PARM);
			if (!o->parms)
				o->parms = audited_names(g, H248_PROPERTY, 1);
			break;
		case 4:
			if (o->asked & H248_ASK_MODE)
				break;
			gen_mark(g, GEN_AUDIT_MODE_SELECT);
			o->mode = (uint8_t)(H248_SEND_ONLY + gen_pick(g, 5));
			o->mode_form = relation(g);
			break;
		default:
			if (o->parms)
				break;
			gen_mark(g, GEN_AUDIT_PARM_SELECT);
			o->parms = gen_properties(g, 1, 0);
		}
	}
	return o;
}

static void stream_parms(struct generator *g, struct h248_stream *s)
{
	if (g->version < 3 || gen_chance(g, 60)) {
		s->control = control(g);
		return;
	}
	if (gen_maybe(g, 40, GEN_AUDIT_STREAM_STATISTICS)) {
		s->statistics = GEN_NEW(g, struct h248_statistics);
		s->statistics->d.kind = H248_STATISTICS;
		s->statistics->parms = audited_names(g, H248_STATISTIC, 1);
		return;
	}
	gen_mark(g, GEN_AUDIT_SDP);
	if (gen_chance(g, 50)) {
		s->has_local = true;
		s->local = gen_sdp(g, false);
	} else {
		s->has_remote = true;
		s->remote = gen_sdp(g, false);
	}
}

/* Several stream parameters directly in Media (v3); each once. */
static void implied(struct generator *g, struct h248_stream *s)
{
	s->implied = true;
	stream_parms(g, s);
	if (g->version < 3 || !gen_maybe(g, 20, GEN_AUDIT_SDP_BOTH))
		return;
	gen_mark(g, GEN_AUDIT_SDP);
	s->has_local = s->has_remote = true;
	s->local = gen_sdp(g, false);
	s->remote = gen_sdp(g, true);
}

static struct h248_descriptor *media(struct generator *g)
{
	struct h248_media *m = GEN_NEW(g, struct h248_media);
	unsigned what = gen_pick(g, 3);

	gen_mark(g, GEN_AUDIT_MEDIA);
	m->d.kind = H248_MEDIA;
	if (what == 0 || (g->version >= 3 && gen_chance(g, 30)))
		m->state = state(g);
	if (what == 0)
		return &m->d;
	m->streams = GEN_NEW(g, struct h248_stream);
	m->streams->id = 1;
	if (what == 1) {
		implied(g, m->streams);
	} else {
		gen_mark(g, GEN_AUDIT_STREAM);
		m->streams->id = (uint16_t)(1 + gen_pick(g, 9));
		stream_parms(g, m->streams);
	}
	return &m->d;
}

static struct h248_descriptor *events(struct generator *g)
{
	struct h248_events *e = GEN_NEW(g, struct h248_events);
	const struct h248_package_item *item;

	gen_mark(g, GEN_AUDIT_EVENTS);
	e->d.kind = H248_EVENTS;
	e->events = GEN_NEW(g, struct h248_event);
	e->events->name = gen_pkgd(g, H248_EVENT, true, &item);
	if (g->version >= 3 && gen_maybe(g, 40, GEN_AUDIT_EVENTS_NO_ID))
		return &e->d;
	e->has_request_id = true;
	e->request_id = gen_request_id(g);
	return &e->d;
}

static struct h248_signal *signal_name(struct generator *g)
{
	struct h248_signal *s = GEN_NEW(g, struct h248_signal);
	const struct h248_package_item *item;

	s->name = gen_pkgd(g, H248_SIGNAL, true, &item);
	if (g->version < 3 || !gen_maybe(g, 30, GEN_AUDIT_SIGNAL_PARM))
		return s;
	s->has_stream = gen_chance(g, 60);
	s->has_request_id = !s->has_stream || gen_chance(g, 50);
	s->stream = s->has_stream ? gen_u16(g) : 0;
	s->request_id = s->has_request_id ? gen_request_id(g) : 0;
	return s;
}

static struct h248_descriptor *signals(struct generator *g)
{
	struct h248_signals *sg = GEN_NEW(g, struct h248_signals);

	sg->d.kind = H248_SIGNALS;
	if (gen_maybe(g, 15, GEN_AUDIT_SIGNALS_EMPTY))
		return &sg->d;
	gen_mark(g, GEN_AUDIT_SIGNALS);
	if (!gen_maybe(g, 35, GEN_AUDIT_SIGNAL_LIST)) {
		sg->signals = signal_name(g);
		return &sg->d;
	}
	sg->signals = GEN_NEW(g, struct h248_signal);
	sg->signals->is_list = true;
	sg->signals->list_id = gen_u16(g);
	if (g->version < 3 || !gen_maybe(g, 40, GEN_AUDIT_SIGNAL_LIST_BARE))
		sg->signals->list = signal_name(g);
	return &sg->d;
}

static struct h248_descriptor *event_buffer(struct generator *g)
{
	struct h248_event_buffer *eb = GEN_NEW(g, struct h248_event_buffer);
	const struct h248_package_item *item;

	gen_mark(g, GEN_AUDIT_BUFFER);
	eb->d.kind = H248_EVENT_BUFFER;
	eb->events = GEN_NEW(g, struct h248_event);
	eb->events->name = gen_pkgd(g, H248_EVENT, true, &item);
	if (gen_maybe(g, 30, GEN_AUDIT_BUFFER_STREAM)) {
		eb->events->has_stream = true;
		eb->events->stream = gen_u16(g);
	} else if (!g->tables_only && gen_maybe(g, 30, GEN_AUDIT_BUFFER_PARM)) {
		eb->events->parms = GEN_NEW(g, struct h248_parm);
		eb->events->parms->name.item = gen_printf(g, "param%u", gen_pick(g, 99));
	}
	return &eb->d;
}

static struct h248_descriptor *one(struct generator *g)
{
	struct h248_statistics *sa;
	struct h248_digit_map *dm;
	struct h248_packages *pg;

	switch (gen_pick(g, 8)) {
	case 0:
	case 1:
		return media(g);
	case 2:
		return events(g);
	case 3:
		return signals(g);
	case 4:
		return event_buffer(g);
	case 5:
		gen_mark(g, GEN_AUDIT_STATISTICS);
		sa = GEN_NEW(g, struct h248_statistics);
		sa->d.kind = H248_STATISTICS;
		sa->parms = audited_names(g, H248_STATISTIC, 1);
		return &sa->d;
	case 6:
		gen_mark(g, GEN_AUDIT_DIGIT_MAP);
		dm = GEN_NEW(g, struct h248_digit_map);
		dm->d.kind = H248_DIGIT_MAP;
		dm->name = gen_name(g);
		return &dm->d;
	default:
		gen_mark(g, GEN_AUDIT_PACKAGES);
		pg = (struct h248_packages *)gen_packages(g);
		pg->items->next = NULL; /* one in each */
		return &pg->d;
	}
}

struct h248_descriptor *gen_audit(struct generator *g)
{
	struct h248_audit *audit = GEN_NEW(g, struct h248_audit);
	struct h248_descriptor **tail = &audit->individual;

	gen_mark(g, GEN_AUDIT);
	audit->d.kind = H248_AUDIT;
	if (gen_maybe(g, 10, GEN_AUDIT_EMPTY))
		return &audit->d;
	if (gen_maybe(g, 60, GEN_AUDIT_ITEMS) || g->version < 2) {
		gen_audit_items(g, audit);
		if (g->version < 2 || gen_chance(g, 60))
			return &audit->d;
	}
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_descriptor *d = one(g);

		audit->last = d;
		GEN_APPEND(tail, d);
	}
	return &audit->d;
}
