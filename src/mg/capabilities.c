/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What could be (RFC 3525, 7.2.6; H.248.TLSPROF 8.9): the values that this gateway really takes,
 * from the package tables and the TLS domains in place. A descriptor may occur several times:
 * alternatives. TLS capabilities are told once for each domain, with gatehouse/dom beside them.
 */
#include "mg/audit.h"
#include "mg/equip.h"
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
	       (!d->gaps || names_tell(run, list, "gatehouse/gaps", d->gaps));
}

/* All names of an enumeration as alternatives. */
static bool enum_tell(struct mg_run *run, struct h248_parm **list, const char *property)
{
	const struct h248_package_item *item = NULL;
	struct h248_parm *p = NULL;

	if (h248_package_lookup(H248_PROPERTY, h248_name_of(property), NULL, &item, NULL))
		return true;
	for (size_t i = 0; i < item->values.name_count; i++) {
		struct base_str v = base_str_of(item->values.names[i].name);

		if (!p)
			p = h248_parm_set(run->arena, list, h248_name_of(property), v, false);
		else if (!h248_value_add(run->arena, p, v, false))
			return false;
		else
			p->form = H248_FORM_OR;
		if (!p)
			return false;
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

/* What the packages take (equip.h). */
static bool packages_tell(struct mg_run *run, struct h248_parm **list)
{
	const struct mg_equipment *e;

	for (size_t i = 0; (e = mg_equipment_at(i)); i++)
		if (e->can && (e->on & MG_ON_TERM) && !e->can(run, list))
			return false;
	return true;
}

static int media_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	static const uint8_t modes[] = { H248_SEND_ONLY, H248_RECEIVE_ONLY, H248_SEND_RECEIVE,
		                         H248_INACTIVE };
	struct h248_local_control *c;

	if (term == &run->mg->root) {
		struct h248_media *media = h248_media_add(run->arena, reply);

		if (!media || !(media->state = mg_state_tell(run, term)))
			return mg_fail_memory(run);
		return 0;
	}
	for (size_t i = 0; i < BASE_COUNT(modes); i++) {
		c = control_new(run, reply, modes[i]);
		if (!c)
			return mg_fail_memory(run);
		c->reserved_value = c->reserved_group = H248_OFF;
		if (!i && (!enum_tell(run, &c->parms, "seplink/link") ||
		           !enum_tell(run, &c->parms, "gatehouse/role") ||
		           !packages_tell(run, &c->parms)))
			return mg_fail_memory(run);
	}
	for (size_t i = 0; i < run->mg->domain_count; i++) {
		c = control_new(run, reply, H248_MODE_ABSENT);
		if (!c || !domain_tell(run, &run->mg->domains[i], &c->parms))
			return mg_fail_memory(run);
	}
	return 0;
}

static bool is_on(const struct mg_run *run, const struct mg_term *term,
                  const struct mg_equipment *e)
{
	return e->on & (term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM);
}

static struct h248_name name_of(const struct mg_equipment *e, const char *item)
{
	return (struct h248_name){ base_str_of(e->package), base_str_of(item) };
}

static int events_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	/* The RequestID of a capability is ALL (spec 5.7). */
	struct h248_events *out = h248_events_add(run->arena, reply, H248_REQUEST_ALL);
	const struct mg_equipment *e;

	if (!out)
		return mg_fail_memory(run);
	out->has_request_id = true;
	for (size_t i = 0; (e = mg_equipment_at(i)); i++)
		for (const struct mg_equipment_event *v = is_on(run, term, e) ? e->events : NULL;
		     v && v->name; v++)
			if (!h248_event_add(run->arena, out, name_of(e, v->name)))
				return mg_fail_memory(run);
	return 0;
}

static int signals_can(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_signals *out = NULL;
	const struct mg_equipment *e;
	struct h248_signal **at = NULL;

	for (size_t i = 0; (e = mg_equipment_at(i)); i++)
		for (const struct mg_equipment_signal *v = is_on(run, term, e) ? e->signals : NULL;
		     v && v->name; v++) {
			if (!out && !(out = h248_signals_add(run->arena, reply)))
				return mg_fail_memory(run);
			at = at ? at : &out->signals;
			*at = BASE_NEW(run->arena, struct h248_signal);
			if (!*at)
				return mg_fail_memory(run);
			(*at)->name = name_of(e, v->name);
			if (!v->types || v->types == MG_TYPE(H248_BRIEF))
				(*at)->type = H248_BRIEF;
			at = &(*at)->next;
		}
	if (out)
		return 0;
	return h248_item_add(run->arena, reply, H248_SIGNALS) ? 0 : mg_fail_memory(run);
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
		return events_can(run, term, reply);
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

int mg_capabilities_tell(struct mg_run *run, const struct mg_term *term,
                         const struct h248_audit *audit, struct h248_command *reply)
{
	int rc = 0;

	if (audit->individual)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Audit: capabilities are told as whole descriptors");
	for (unsigned kind = H248_MUX; kind <= H248_EVENT_BUFFER && !rc; kind++)
		if (audit->items & H248_AUDIT_BIT(kind))
			rc = token_can(run, term, kind, reply);
	return rc;
}
