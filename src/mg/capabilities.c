/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What could be (RFC 3525, 7.2.6; H.248.TLSPROF 8.9): the values that this gateway really takes,
 * from the package tables and the TLS domains in place. A descriptor may occur several times:
 * alternatives. TLS capabilities are told once for each domain, with gatehouse/dom beside them.
 */
#include <inttypes.h>

#include "mg/audit.h"
#include "mg/part.h"

static bool names_tell(struct mg_run *run, struct h248_parm **list, const char *name,
                       const char *const *words)
{
	struct h248_parm *p = NULL;

	for (; *words; words++) {
		if (!p)
			p = h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(*words),
			                  true);
		else if (!h248_value_add(run->arena, p, base_str_of(*words), true))
			return false;
		else
			p->form = H248_FORM_AND;
		if (!p)
			return false;
	}
	return true;
}

static bool flag_tell(struct mg_run *run, struct h248_parm **list, const char *name, bool value)
{
	return h248_parm_set(run->arena, list, h248_name_of(name),
	                     base_str_of(value ? "on" : "off"), false) != NULL;
}

/* Append one more alternative of a parameter. */
static bool value_tell(struct mg_run *run, struct h248_parm **list, struct h248_name name,
                       struct h248_parm **p, struct base_str v, bool quoted)
{
	if (!*p)
		*p = h248_parm_set(run->arena, list, name, v, quoted);
	else if (!h248_value_add(run->arena, *p, v, quoted))
		return false;
	else
		(*p)->form = H248_FORM_OR;
	return *p != NULL;
}

/* Those of gatehouse/reneg that the domain's profile has nothing against, in either role. */
static bool renegotiation_tell(struct mg_run *run, const struct mg_domain *d,
                               struct h248_parm **list)
{
	struct h248_name name = h248_name_of("gatehouse/reneg");
	const struct h248_package_item *item = NULL;
	struct h248_parm *p = NULL;

	if (h248_package_lookup(H248_PROPERTY, name, NULL, &item, NULL))
		return true;
	for (size_t i = 0; i < item->values.name_count; i++) {
		const struct h248_package_enum *one = &item->values.names[i];

		if (d->no_renegotiation[TLS_ROLE_CLIENT][one->number] ||
		    d->no_renegotiation[TLS_ROLE_SERVER][one->number])
			continue;
		if (!value_tell(run, list, name, &p, base_str_of(one->name), false))
			return false;
	}
	return true;
}

/* tlscn for one domain: versions, suites, compression, resumption, renegotiation; its gaps. */
static bool domain_tell(struct mg_run *run, const struct mg_domain *d, struct h248_parm **list)
{
	static const char *const none[] = { "null", NULL };
	static const char *const deflate[] = { "null", "deflate", NULL };

	return h248_parm_set(run->arena, list, h248_name_of("gatehouse/dom"), base_str_of(d->name),
	                     true) &&
	       names_tell(run, list, "tlscn/ver", d->versions) &&
	       names_tell(run, list, "tlscn/suites", d->suites) &&
	       names_tell(run, list, "tlscn/comp", d->compression ? deflate : none) &&
	       flag_tell(run, list, "tlscn/resum", d->resumption) &&
	       flag_tell(run, list, "tlscn/reneg", d->renegotiation) &&
	       (!d->maintenance || names_tell(run, list, "tlsm/can", d->maintenance)) &&
	       renegotiation_tell(run, d, list) &&
	       (!d->gaps || names_tell(run, list, "gatehouse/gaps", d->gaps));
}

static bool range_tell(struct mg_run *run, struct h248_parm **list, struct h248_name name,
                       const struct h248_package_values *values)
{
	const char *lo = base_arena_printf(run->arena, "%" PRId64, values->min);
	const char *hi = base_arena_printf(run->arena, "%" PRId64, values->max);
	struct h248_parm *p;

	p = lo && hi ? h248_parm_set(run->arena, list, name, base_str_of(lo), false) : NULL;
	if (!p || !h248_value_add(run->arena, p, base_str_of(hi), false))
		return false;
	p->form = H248_FORM_RANGE;
	return true;
}

/* What a row takes: names, on and off, a range. What has no end of values is not told (P). */
static bool values_tell(struct mg_run *run, struct h248_parm **list, struct h248_name name,
                        const struct h248_package_values *values)
{
	struct h248_parm *p = NULL;

	switch (values->type) {
	case H248_TYPE_ENUM:
		for (size_t i = 0; i < values->name_count; i++)
			if (!value_tell(run, list, name, &p, base_str_of(values->names[i].name),
			                false))
				return false;
		return true;
	case H248_TYPE_BOOLEAN:
		return value_tell(run, list, name, &p, BASE_STR("on"), false) &&
		       value_tell(run, list, name, &p, BASE_STR("off"), false);
	case H248_TYPE_INTEGER:
	case H248_TYPE_DOUBLE:
		return !values->bounded || range_tell(run, list, name, values);
	default:
		return true;
	}
}

static bool property_can(struct mg_run *run, struct h248_parm **list, const char *property)
{
	const struct h248_package_item *item = NULL;
	struct h248_name name = h248_name_of(property);

	return h248_package_lookup(H248_PROPERTY, name, NULL, &item, NULL) ||
	       values_tell(run, list, name, &item->values);
}

/* Those that packages keep (equip.h): what they say, else what the tables say. */
static bool kept_can(struct mg_run *run, const struct mg_term *term, unsigned where,
                     struct h248_parm **list)
{
	unsigned on = term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM;
	const struct mg_equipment *e;

	for (size_t i = 0; (e = mg_equipment_at(i)); i++) {
		const struct mg_equipment_property *p = e->on & on ? e->properties : NULL;

		if (p && e->can && where == H248_IN_LOCAL_CONTROL) {
			if (!e->can(run, list))
				return false;
			continue;
		}
		for (; p && p->name; p++) {
			struct h248_name name = { base_str_of(e->package), base_str_of(p->name) };
			const struct h248_package_item *item = NULL;

			if (!h248_package_lookup(H248_PROPERTY, name, NULL, &item, NULL) &&
			    (item->where & where) && !values_tell(run, list, name, &item->values))
				return false;
		}
	}
	return true;
}

static struct h248_local_control *control_new(struct mg_run *run, struct h248_command *reply,
                                              uint8_t mode)
{
	struct h248_media *media = h248_media_add(run->arena, reply);
	struct h248_stream *s = media ? h248_stream_add(run->arena, media, 1) : NULL;
	struct h248_local_control *c = BASE_NEW(run->arena, struct h248_local_control);

	if (!s || !c)
		return NULL;
	s->control = c;
	c->mode = mode;
	c->mode_form = H248_FORM_EQUAL;
	return c;
}

/* Both states, and both ways with buffered events. */
static int states_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	for (unsigned i = 0; i < 2; i++) {
		struct h248_media *media = h248_media_add(run->arena, reply);
		struct h248_term_state *state = BASE_NEW(run->arena, struct h248_term_state);

		if (!media || !state)
			return mg_fail_memory(run);
		media->state = state;
		state->service_state = i ? H248_STATE_OUT_OF_SERVICE : H248_STATE_IN_SERVICE;
		state->state_form = H248_FORM_EQUAL;
		state->buffer = i ? H248_BUFFER_LOCK_STEP : H248_BUFFER_OFF;
		if (!i && !kept_can(run, term, H248_IN_TERMINATION_STATE, &state->parms))
			return mg_fail_memory(run);
	}
	return 0;
}

static int media_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	static const uint8_t modes[] = { H248_SEND_ONLY, H248_RECEIVE_ONLY, H248_SEND_RECEIVE,
		                         H248_INACTIVE };
	struct h248_local_control *c;
	int rc;

	if (term == &run->mg->root) {
		struct h248_media *media = h248_media_add(run->arena, reply);

		if (!media || !(media->state = mg_state_tell(run, term)) ||
		    !kept_can(run, term, H248_IN_TERMINATION_STATE, &media->state->parms))
			return mg_fail_memory(run);
		return 0;
	}
	rc = states_can(run, term, reply);
	if (rc)
		return rc;
	for (size_t i = 0; i < BASE_COUNT(modes); i++) {
		c = control_new(run, reply, modes[i]);
		if (!c)
			return mg_fail_memory(run);
		c->reserved_value = c->reserved_group = H248_OFF;
		if (!i && (!property_can(run, &c->parms, "seplink/link") ||
		           !property_can(run, &c->parms, "gatehouse/role") ||
		           !kept_can(run, term, H248_IN_LOCAL_CONTROL, &c->parms)))
			return mg_fail_memory(run);
	}
	for (size_t i = 0; i < run->mg->domain_count; i++) {
		c = control_new(run, reply, H248_MODE_ABSENT);
		if (!c || !domain_tell(run, &run->mg->domains[i], &c->parms))
			return mg_fail_memory(run);
	}
	return 0;
}

static struct h248_name parm_name(const char *name)
{
	return (struct h248_name){ { NULL, 0 }, base_str_of(name) };
}

/* An event or signal with all that its parameters can be. */
static bool params_tell(struct mg_run *run, enum h248_package_kind kind, struct h248_name name,
                        struct h248_parm **list)
{
	const struct h248_package_item *item = NULL;

	if (h248_package_lookup(kind, name, NULL, &item, NULL))
		return true;
	for (size_t i = 0; i < item->param_count; i++)
		if (!values_tell(run, list, parm_name(item->params[i].name),
		                 &item->params[i].values))
			return false;
	return true;
}

/* @return 0 with the list of possible events, on `on` */
static int events_list(struct mg_run *run, unsigned on, struct h248_events *out)
{
	const struct mg_equipment *e;

	for (size_t i = 0; (e = mg_equipment_at(i)); i++)
		for (const struct mg_equipment_event *row = e->on & on ? e->events : NULL;
		     row && row->name; row++) {
			struct h248_name name = { base_str_of(e->package), base_str_of(row->name) };
			struct h248_event *event = h248_event_add(run->arena, out, name);

			if (!event || !params_tell(run, H248_EVENT, name, &event->parms))
				return mg_fail_memory(run);
		}
	return 0;
}

/* 7.2.6: EventBuffer tells the same as Events, whose RequestID is ALL (sheet 5.7). */
static int events_can(struct mg_run *run, const struct mg_term *term, bool buffer,
                      struct h248_command *reply)
{
	struct h248_events *out = h248_events_add(run->arena, NULL, H248_REQUEST_ALL);
	struct h248_event_buffer *same = BASE_NEW(run->arena, struct h248_event_buffer);
	int rc;

	if (!out || !same)
		return mg_fail_memory(run);
	rc = events_list(run, term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM, out);
	out->has_request_id = true;
	same->d.kind = H248_EVENT_BUFFER;
	same->events = out->events;
	if (!rc)
		h248_descriptor_append(reply, buffer ? &same->d : &out->d);
	return rc;
}

static bool signal_can(struct mg_run *run, const struct mg_equipment *e,
                       const struct mg_equipment_signal *row, unsigned type,
                       struct h248_signal ***at)
{
	struct h248_signal *s = BASE_NEW(run->arena, struct h248_signal);

	if (!s)
		return false;
	s->name = (struct h248_name){ base_str_of(e->package), base_str_of(row->name) };
	s->type = (uint8_t)type;
	s->has_duration = type == H248_TIME_OUT;
	s->duration = row->duration ? row->duration : 1;
	**at = s;
	*at = &s->next;
	return params_tell(run, H248_SIGNAL, s->name, &s->parms);
}

static int signals_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	unsigned on = term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM;
	struct h248_signals *out = h248_signals_add(run->arena, NULL);
	struct h248_signal **at = out ? &out->signals : NULL;
	const struct mg_equipment *e;

	for (size_t i = 0; at && (e = mg_equipment_at(i)); i++)
		for (const struct mg_equipment_signal *row = e->on & on ? e->signals : NULL;
		     row && row->name; row++) {
			unsigned types = row->types ? row->types : MG_TYPE(H248_BRIEF);

			for (unsigned type = H248_BRIEF; type <= H248_TIME_OUT; type++)
				if ((types & MG_TYPE(type)) && !signal_can(run, e, row, type, &at))
					return mg_fail_memory(run);
		}
	if (!out)
		return mg_fail_memory(run);
	if (!out->signals)
		return h248_item_add(run->arena, reply, H248_SIGNALS) ? 0 : mg_fail_memory(run);
	h248_descriptor_append(reply, &out->d);
	return 0;
}

/* Names of the events now active. */
static int observed_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_observed_events *out;

	if (!term->events)
		return h248_item_add(run->arena, reply, H248_OBSERVED_EVENTS) ? 0
		                                                              : mg_fail_memory(run);
	out = h248_observed_add(run->arena, reply, term->events->request_id);
	for (const struct h248_event *e = term->events->list; out && e; e = e->next) {
		struct h248_name name;

		if (!mg_copy_str(run->arena, e->name.package, &name.package) ||
		    !mg_copy_str(run->arena, e->name.item, &name.item) ||
		    !h248_observed_event_add(run->arena, out, name))
			return mg_fail_memory(run);
	}
	return out ? 0 : mg_fail_memory(run);
}

static int token_can(struct mg_run *run, const struct mg_term *term, unsigned kind,
                     struct h248_command *reply)
{
	switch (kind) {
	case H248_MEDIA:
		return media_can(run, term, reply);
	case H248_EVENTS:
		return events_can(run, term, false, reply);
	case H248_EVENT_BUFFER:
		return events_can(run, term, true, reply);
	case H248_SIGNALS:
		return signals_can(run, term, reply);
	case H248_STATISTICS:
		return mg_statistics_tell(run, term, NULL, false, reply);
	case H248_OBSERVED_EVENTS:
		return observed_can(run, term, reply);
	case H248_DIGIT_MAP:
	case H248_PACKAGES:
		return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL,
		               "Audit %s: not legal in AuditCapability (7.2.6)",
		               kind == H248_PACKAGES ? "Packages" : "DigitMap");
	default:
		return h248_item_add(run->arena, reply, kind) ? 0 : mg_fail_memory(run);
	}
}

/* ---- single items (version 2) ---- */

static bool parms_keep(struct h248_parm **list, const struct h248_parm *asked)
{
	bool any = false;

	while (*list) {
		const struct h248_parm *a = asked;

		while (a && !h248_name_equal(a->name, (*list)->name))
			a = a->next;
		any |= a != NULL;
		if (a)
			list = &(*list)->next;
		else
			*list = (*list)->next;
	}
	return any;
}

/* What `asked` names of one alternative of Media. @return something is left */
static bool media_keep(struct h248_media *m, const struct h248_media *asked)
{
	struct h248_local_control *c = m->streams ? m->streams->control : NULL;
	const struct h248_local_control *ac = asked->streams ? asked->streams->control : NULL;
	bool any = false;

	if (m->state && asked->state) {
		const struct h248_term_state *as = asked->state;

		any |= parms_keep(&m->state->parms, as->parms);
		if (as->asked & H248_ASK_SERVICE_STATES)
			any = true;
		else
			m->state->service_state = H248_STATE_ABSENT;
		if (as->asked & H248_ASK_BUFFER)
			any = true;
		else
			m->state->buffer = H248_BUFFER_ABSENT;
	}
	if (c && ac) {
		any |= parms_keep(&c->parms, ac->parms);
		if (ac->asked & H248_ASK_MODE && c->mode)
			any = true;
		else
			c->mode = H248_MODE_ABSENT;
		c->reserved_value = c->reserved_group = H248_ABSENT;
	}
	return any;
}

static bool events_keep(struct h248_event **list, const struct h248_event *asked)
{
	bool any = false;

	while (*list) {
		const struct h248_event *a = asked;

		while (a && !h248_name_equal(a->name, (*list)->name))
			a = a->next;
		any |= a != NULL;
		if (a)
			list = &(*list)->next;
		else
			*list = (*list)->next;
	}
	return any;
}

static bool signals_keep(struct h248_signal **list, const struct h248_signal *asked)
{
	bool any = false;

	while (*list) {
		const struct h248_signal *a = asked;

		while (a && !h248_name_equal(a->name, (*list)->name))
			a = a->next;
		any |= a != NULL;
		if (a)
			list = &(*list)->next;
		else
			*list = (*list)->next;
	}
	return any;
}

static bool item_keep(struct h248_descriptor *d, const struct h248_descriptor *asked)
{
	if (d->kind != asked->kind)
		return false;
	switch (d->kind) {
	case H248_MEDIA:
		return media_keep((struct h248_media *)d, (const struct h248_media *)asked);
	case H248_EVENTS:
		return events_keep(&((struct h248_events *)d)->events,
		                   ((const struct h248_events *)asked)->events);
	case H248_EVENT_BUFFER:
		return events_keep(&((struct h248_event_buffer *)d)->events,
		                   ((const struct h248_event_buffer *)asked)->events);
	case H248_SIGNALS:
		return signals_keep(&((struct h248_signals *)d)->signals,
		                    ((const struct h248_signals *)asked)->signals);
	case H248_STATISTICS:
		return parms_keep(&((struct h248_statistics *)d)->parms,
		                  ((const struct h248_statistics *)asked)->parms);
	default:
		return false;
	}
}

/* Cut out of the whole; 532 when nothing of it is there. */
static int individual_can(struct mg_run *run, const struct mg_term *term,
                          const struct h248_descriptor *asked, struct h248_command *reply)
{
	struct h248_command aside = { 0 };
	struct h248_descriptor *next;
	bool any = false;
	int rc = token_can(run, term, asked->kind, &aside);

	if (rc)
		return rc;
	for (struct h248_descriptor *d = aside.descriptors; d; d = next) {
		next = d->next;
		d->next = NULL;
		if (!item_keep(d, asked))
			continue;
		any = true;
		if (d->kind == H248_MEDIA)
			(void)mg_media_prune((struct h248_media *)d);
		h248_descriptor_append(reply, d);
	}
	return any ? 0 : mg_fail(run, H248_E_AUDIT_MISSING, "Audit: no such capability does exist");
}

int mg_capabilities_tell(struct mg_run *run, const struct mg_term *term,
                         const struct h248_audit *audit, struct h248_command *reply)
{
	int rc = 0;

	for (unsigned kind = H248_MUX; kind <= H248_EVENT_BUFFER && !rc; kind++)
		if (audit->items & H248_AUDIT_BIT(kind))
			rc = token_can(run, term, kind, reply);
	for (const struct h248_descriptor *d = audit->individual; d && !rc; d = d->next)
		rc = individual_can(run, term, d, reply);
	return rc;
}
