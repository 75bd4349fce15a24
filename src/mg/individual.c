/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Audit of individual items (version 2, spec 3.2; conditions of version 3, spec 5.4). What is asked
 * is cut out of what would be told as a whole, so both always agree.
 */
#include "mg/audit.h"
#include "mg/equip.h"
#include "mg/part.h"
#include "mg/play.h"

static int missing(struct mg_run *run, const char *what, const struct h248_name *name)
{
	return mg_fail(run, H248_E_AUDIT_MISSING, "Audit %s %.*s/%.*s: does not exist", what,
	               BASE_FMT(name->package), BASE_FMT(name->item));
}

int mg_audit_readable(struct mg_run *run, const struct h248_parm *asked)
{
	const struct h248_package_item *item = NULL;

	if (mg_package_lookup(H248_PROPERTY, asked->name, NULL, &item, NULL))
		return missing(run, "property", &asked->name);
	if (!(item->access & H248_READ))
		return mg_fail(run, H248_E_READ_WRITE, "Audit property %.*s/%.*s: write-only",
		               BASE_FMT(asked->name.package), BASE_FMT(asked->name.item));
	return 0;
}

/* Move what `asked` names from the full list to `out`; what is not set now has no value to tell. */
static int parms_pick(struct mg_run *run, const struct h248_parm *asked, struct h248_parm *full,
                      struct h248_parm **out)
{
	for (; asked; asked = asked->next) {
		int rc = mg_audit_readable(run, asked);

		if (rc)
			return rc;
		if (asked->form != H248_FORM_NONE)
			continue; /* a condition, which is met (select.c) */
		for (struct h248_parm *p = full; p; p = p->next) {
			struct h248_parm *copy;

			if (!h248_name_equal(p->name, asked->name))
				continue;
			copy = BASE_NEW(run->arena, struct h248_parm);
			if (!copy)
				return mg_fail_memory(run);
			*copy = *p;
			copy->next = NULL;
			*out = copy;
			out = &copy->next;
		}
	}
	return 0;
}

static int control_pick(struct mg_run *run, const struct h248_local_control *asked,
                        struct h248_stream *out)
{
	struct h248_local_control *c = out->control;
	struct h248_parm *full = c->parms;

	c->parms = NULL;
	if (!(asked->asked & H248_ASK_MODE))
		c->mode = H248_MODE_ABSENT;
	if (!(asked->asked & H248_ASK_RESERVED_VALUE))
		c->reserved_value = H248_ABSENT;
	if (!(asked->asked & H248_ASK_RESERVED_GROUP))
		c->reserved_group = H248_ABSENT;
	return parms_pick(run, asked->parms, full, &c->parms);
}

static int stream_pick(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                       const struct h248_stream *asked, struct h248_media *into)
{
	unsigned what = (asked->control ? MG_TELL_CONTROL : 0) |
	                (asked->has_local ? MG_TELL_LOCAL : 0) |
	                (asked->has_remote ? MG_TELL_REMOTE : 0);
	struct h248_stream *out;
	int rc;

	rc = mg_stream_tell(run, term, s, what, into);
	for (out = into->streams; !rc && out->next; out = out->next)
		;
	for (const struct h248_parm *p = asked->statistics ? asked->statistics->parms : NULL;
	     p && !rc; p = p->next)
		rc = mg_stream_statistics_tell(run, term, s, p, out);
	if (rc || !asked->control)
		return rc;
	return control_pick(run, asked->control, out);
}

static int state_pick(struct mg_run *run, const struct mg_term *term,
                      const struct h248_term_state *asked, struct h248_media *into)
{
	struct h248_term_state *state = mg_state_tell(run, term);
	struct h248_parm *full;

	if (!state)
		return mg_fail_memory(run);
	into->state = state;
	full = state->parms;
	state->parms = NULL;
	if (!(asked->asked & H248_ASK_SERVICE_STATES))
		state->service_state = H248_STATE_ABSENT;
	if (!(asked->asked & H248_ASK_BUFFER))
		state->buffer = H248_BUFFER_ABSENT;
	return parms_pick(run, asked->parms, full, &state->parms);
}

bool mg_media_prune(struct h248_media *m)
{
	for (struct h248_stream **at = &m->streams; *at;) {
		struct h248_local_control *c = (*at)->control;

		if (c && !c->parms && !c->mode && !c->reserved_value && !c->reserved_group)
			(*at)->control = NULL;
		if ((*at)->control || (*at)->statistics || (*at)->has_local || (*at)->has_remote)
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
	if (m->state && !m->state->parms && !m->state->service_state && !m->state->buffer)
		m->state = NULL;
	return m->state || m->streams;
}

static int media_pick(struct mg_run *run, const struct mg_term *term,
                      const struct h248_media *asked, struct h248_command *reply)
{
	struct h248_media *into = h248_media_add(run->arena, NULL);
	int rc = 0;

	if (!into)
		return mg_fail_memory(run);
	if (asked->state)
		rc = state_pick(run, term, asked->state, into);
	for (const struct h248_stream *a = asked->streams; a && !rc; a = a->next) {
		bool found = false;

		for (const struct mg_stream *s = term->media ? term->media->streams : NULL;
		     s && !rc; s = s->next) {
			/* Without a StreamID it means each stream (spec 3.2). */
			if (!a->implied && s->id != a->id)
				continue;
			found = true;
			rc = stream_pick(run, term, s, a, into);
		}
		if (!found)
			return mg_fail(run, H248_E_AUDIT_MISSING, "Audit Stream %u: does not exist",
			               a->id);
	}
	if (!rc && mg_media_prune(into))
		h248_descriptor_append(reply, &into->d);
	return rc;
}

static int events_pick(struct mg_run *run, const struct mg_term *term,
                       const struct h248_events *asked, struct h248_command *reply)
{
	struct h248_events *out = NULL;
	struct h248_event **at = NULL;

	for (const struct h248_event *a = asked->events; a; a = a->next) {
		bool found = false;

		for (const struct h248_event *e = term->events ? term->events->list : NULL; e;
		     e = e->next) {
			struct h248_event one = *e;

			if (!h248_name_equal(e->name, a->name) ||
			    (asked->has_request_id &&
			     asked->request_id != term->events->request_id))
				continue;
			found = true;
			if (!out) {
				out = h248_events_add(run->arena, reply, term->events->request_id);
				at = out ? &out->events : NULL;
			}
			one.next = NULL;
			if (!out || !mg_copy_events(run->arena, &one, at))
				return mg_fail_memory(run);
			out->has_request_id = true;
			at = &(*at)->next;
		}
		if (!found)
			return missing(run, "event", &a->name);
	}
	return 0;
}

static int statistics_pick(struct mg_run *run, const struct mg_term *term,
                           const struct h248_statistics *asked, struct h248_command *reply)
{
	int rc = 0;

	for (const struct h248_parm *p = asked->parms; p && !rc; p = p->next)
		rc = mg_statistics_tell(run, term, p, true, reply);
	return rc;
}

static int packages_pick(struct mg_run *run, const struct mg_term *term,
                         const struct h248_packages *asked, struct h248_command *reply)
{
	struct h248_packages *out = h248_packages_add(run->arena, reply);

	if (!out)
		return mg_fail_memory(run);
	for (const struct h248_packages_item *i = asked->items; i; i = i->next) {
		const struct h248_package *p = h248_package_find(i->name);

		if (!p || !mg_package_on(run, term, p) || i->version > p->version)
			return mg_fail(run, H248_E_AUDIT_MISSING,
			               "Audit Packages %.*s-%u: does not exist", BASE_FMT(i->name),
			               i->version);
		if (!h248_packages_item_add(run->arena, out, base_str_of(p->name), p->version))
			return mg_fail_memory(run);
	}
	return 0;
}

/* Is this what was asked for: name, stream, request (version 3)? */
static bool signal_asked(const struct h248_signal *s, const struct h248_signal *asked)
{
	return h248_name_equal(s->name, asked->name) &&
	       (!asked->has_stream || (s->has_stream && s->stream == asked->stream)) &&
	       (!asked->has_request_id || asked->request_id == H248_REQUEST_ALL ||
	        (s->has_request_id && s->request_id == asked->request_id));
}

/* A list as a whole, or one signal of it; or a signal of its own. */
static bool play_asked(const struct mg_play *play, const struct h248_signal *asked)
{
	const struct h248_signal *top = play->top;

	if (asked->is_list != top->is_list)
		return false;
	if (!asked->is_list)
		return signal_asked(top, asked);
	if (asked->list_id != top->list_id || !asked->list)
		return asked->list_id == top->list_id;
	for (const struct h248_signal *s = top->list; s; s = s->next)
		if (signal_asked(s, asked->list))
			return true;
	return false;
}

static int signals_pick(struct mg_run *run, const struct mg_term *term,
                        const struct h248_signals *asked, struct h248_command *reply)
{
	struct h248_signals *out = h248_signals_add(run->arena, NULL);
	struct h248_signal **at = out ? &out->signals : NULL;

	for (const struct h248_signal *a = asked->signals; at && a; a = a->next) {
		bool found = false;

		for (struct base_node *n = term->plays.next; n != &term->plays; n = n->next) {
			const struct mg_play *play = BASE_CONTAINER_OF(n, struct mg_play, node);

			if (!play_asked(play, a))
				continue;
			found = true;
			if (!mg_copy_signals(run->arena, play->top, at))
				return mg_fail_memory(run);
			at = &(*at)->next;
		}
		if (!found && a->is_list)
			return mg_fail(run, H248_E_AUDIT_MISSING,
			               "Audit SignalList %u: is not active", a->list_id);
		if (!found)
			return missing(run, "signal", &a->name);
	}
	if (!out)
		return mg_fail_memory(run);
	if (!out->signals)
		return h248_item_add(run->arena, reply, H248_SIGNALS) ? 0 : mg_fail_memory(run);
	h248_descriptor_append(reply, &out->d);
	return 0;
}

static int buffer_pick(struct mg_run *run, const struct mg_term *term,
                       const struct h248_event_buffer *asked, struct h248_command *reply)
{
	struct h248_event_buffer *out = BASE_NEW(run->arena, struct h248_event_buffer);
	struct h248_event **at = out ? &out->events : NULL;

	for (const struct h248_event *a = asked->events; at && a; a = a->next) {
		bool found = false;

		for (const struct h248_event *e = term->buffer ? term->buffer->list : NULL; e;
		     e = e->next) {
			struct h248_event one = *e;

			if (!h248_name_equal(e->name, a->name) ||
			    (a->has_stream && (!e->has_stream || e->stream != a->stream)))
				continue;
			found = true;
			one.next = NULL;
			if (!mg_copy_events(run->arena, &one, at))
				return mg_fail_memory(run);
			at = &(*at)->next;
		}
		if (!found)
			return missing(run, "event of EventBuffer", &a->name);
	}
	if (!out)
		return mg_fail_memory(run);
	out->d.kind = H248_EVENT_BUFFER;
	h248_descriptor_append(reply, &out->d);
	return 0;
}

int mg_audit_individual(struct mg_run *run, const struct mg_term *term,
                        const struct h248_descriptor *asked, struct h248_command *reply)
{
	switch (asked->kind) {
	case H248_MEDIA:
		return media_pick(run, term, (const struct h248_media *)asked, reply);
	case H248_EVENTS:
		return events_pick(run, term, (const struct h248_events *)asked, reply);
	case H248_STATISTICS:
		return statistics_pick(run, term, (const struct h248_statistics *)asked, reply);
	case H248_PACKAGES:
		return packages_pick(run, term, (const struct h248_packages *)asked, reply);
	case H248_SIGNALS:
		return signals_pick(run, term, (const struct h248_signals *)asked, reply);
	case H248_EVENT_BUFFER:
		return buffer_pick(run, term, (const struct h248_event_buffer *)asked, reply);
	case H248_DIGIT_MAP:
		return mg_digit_map_tell(run, term, ((const struct h248_digit_map *)asked)->name,
		                         reply);
	default:
		return mg_fail(run, H248_E_AUDIT_MISSING, "Audit: it has no single items");
	}
}
