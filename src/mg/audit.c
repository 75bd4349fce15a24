/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What is (RFC 3525, 7.1.12 and 7.2.5): each descriptor as it stands, whole or item by item
 * (versions 2 and 3). Write-only properties are never told: they are in no list that this reads.
 */
#include "mg/audit.h"
#include "mg/happen.h"
#include "mg/part.h"
#include "mg/play.h"

/* ---- streams ---- */

static bool set_text(struct mg_run *run, struct h248_parm **list, const char *name,
                     const char *text, bool quoted)
{
	/* A later command of the transaction may free what is told here. */
	const char *copy = base_arena_dup(run->arena, base_str_of(text));

	return copy &&
	       h248_parm_set(run->arena, list, h248_name_of(name), base_str_of(copy), quoted);
}

/* The identities; the keys stay where they are. */
static bool pskid_tell(struct mg_run *run, const struct mg_stream *s, struct h248_parm **list)
{
	struct h248_parm *p = NULL;

	for (size_t i = 0; s->keys && i < s->keys->count; i++) {
		struct base_str id;

		if (!mg_copy_str(run->arena, s->keys->psk[i].identity, &id))
			return false;
		if (!p)
			p = h248_parm_set(run->arena, list, h248_name_of("gatehouse/pskid"), id,
			                  true);
		else if (!h248_value_add(run->arena, p, id, true))
			return false;
		else
			p->form = H248_FORM_AND;
		if (!p)
			return false;
	}
	return true;
}

static const char *item_name(const char *property, int64_t number)
{
	const struct h248_package_item *item = NULL;

	if (h248_package_lookup(H248_PROPERTY, h248_name_of(property), NULL, &item, NULL))
		return "?";
	return h248_package_enum_name(&item->values, number);
}

/* What the packages keep, and what they tell besides. */
static bool kept_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                      const struct h248_parm *kept, struct h248_parm **list)
{
	const struct mg_equipment *e;

	while (*list)
		list = &(*list)->next;
	if (!mg_copy_parms(run->arena, kept, list))
		return false;
	for (size_t i = 0; (e = mg_equipment_at(i)); i++)
		if (e->tell && (e->on & (term == &run->mg->root ? MG_ON_ROOT : MG_ON_TERM)) &&
		    !e->tell(run, term, s, list))
			return false;
	return true;
}

static bool session_tell(struct mg_run *run, const struct mg_leg_session *s,
                         struct h248_parm **list)
{
	return set_text(run, list, "gatehouse/ver", s->version, true) &&
	       set_text(run, list, "gatehouse/suite", s->suite, true) &&
	       set_text(run, list, "gatehouse/peer", s->peer, true) &&
	       set_text(run, list, "gatehouse/resumed", s->resumed ? "on" : "off", false) &&
	       (!s->srtp || set_text(run, list, "gatehouse/srtp", tls_srtp_name(s->srtp), true));
}

/* Every readable property of the stream, in the order of the tables. */
static bool properties_tell(struct mg_run *run, const struct mg_stream *s, struct h248_parm **list)
{
	const struct mg_leg *leg = s->leg;
	const struct mg_domain *domain = mg_stream_domain(run->mg, s);
	const char *name = leg && leg->tls              ? mg_leg_domain(leg)
	                   : mg_stream_tls(s) && domain ? domain->name
	                                                : s->domain_name;
	bool ok = set_text(run, list, "seplink/link", item_name("seplink/link", s->link), false);

	if (!mg_stream_tls(s))
		return ok;
	ok = ok && set_text(run, list, "gatehouse/dom", name, true) &&
	     set_text(run, list, "gatehouse/role", item_name("gatehouse/role", s->role), false) &&
	     pskid_tell(run, s, list);
	if (ok && s->psk_hint)
		ok = set_text(run, list, "gatehouse/pskhint", s->psk_hint, true);
	if (ok && s->peer_name)
		ok = set_text(run, list, "gatehouse/peername", s->peer_name, true);
	if (ok && s->server_name)
		ok = set_text(run, list, "gatehouse/sni", s->server_name, true);
	if (ok && s->renegotiate)
		ok = set_text(run, list, "gatehouse/reneg",
		              item_name("gatehouse/reneg", s->renegotiate), false);
	return ok && (!leg || !leg->session || !leg->session->version[0] ||
	              session_tell(run, leg->session, list));
}

int mg_stream_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                   unsigned what, struct h248_media *media)
{
	struct h248_stream *out = h248_stream_add(run->arena, media, s->id);

	if (!out)
		return mg_fail_memory(run);
	if (what & MG_TELL_CONTROL) {
		struct h248_local_control *c = BASE_NEW(run->arena, struct h248_local_control);

		if (!c)
			return mg_fail_memory(run);
		out->control = c;
		c->mode = s->mode;
		c->mode_form = H248_FORM_EQUAL;
		c->reserved_value = s->reserved_value;
		c->reserved_group = s->reserved_group;
		if (!properties_tell(run, s, &c->parms) ||
		    !kept_tell(run, term, s, s->parms, &c->parms))
			return mg_fail_memory(run);
	}
	if ((what & MG_TELL_LOCAL) && s->has_local) {
		out->has_local = true;
		if (!mg_copy_str(run->arena, s->local_text, &out->local))
			return mg_fail_memory(run);
	}
	if ((what & MG_TELL_REMOTE) && s->has_remote) {
		out->has_remote = true;
		if (!mg_copy_str(run->arena, s->remote_text, &out->remote))
			return mg_fail_memory(run);
	}
	return 0;
}

/* ---- TerminationState ---- */

struct h248_term_state *mg_state_tell(struct mg_run *run, const struct mg_term *term)
{
	struct h248_term_state *state = BASE_NEW(run->arena, struct h248_term_state);

	if (!state)
		return NULL;
	state->service_state = term->service_state;
	state->state_form = H248_FORM_EQUAL;
	state->buffer = term->lock_step ? H248_BUFFER_LOCK_STEP : H248_BUFFER_OFF;
	if (!kept_tell(run, term, NULL, term->state ? term->state->parms : NULL, &state->parms))
		return NULL;
	return state;
}

int mg_state_add(struct mg_run *run, const struct mg_term *term, struct h248_media *media,
                 struct h248_command *reply)
{
	if (!media)
		media = h248_media_add(run->arena, reply);
	if (!media || !(media->state = mg_state_tell(run, term)))
		return mg_fail_memory(run);
	return 0;
}

static int media_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_media *media = h248_media_add(run->arena, reply);
	int rc = 0;

	if (!media)
		return mg_fail_memory(run);
	media->state = mg_state_tell(run, term);
	if (!media->state)
		return mg_fail_memory(run);
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s && !rc;
	     s = s->next)
		rc = mg_stream_tell(run, term, s, MG_TELL_CONTROL | MG_TELL_LOCAL | MG_TELL_REMOTE,
		                    media);
	return rc;
}

/* ---- the others ---- */

static int item_tell(struct mg_run *run, enum h248_descriptor_kind kind, struct h248_command *reply)
{
	return h248_item_add(run->arena, reply, kind) ? 0 : mg_fail_memory(run);
}

static int events_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_events *out;

	if (!term->events)
		return item_tell(run, H248_EVENTS, reply);
	out = h248_events_add(run->arena, reply, term->events->request_id);
	if (!out)
		return mg_fail_memory(run);
	out->has_request_id = true;
	return mg_copy_events(run->arena, term->events->list, &out->events) ? 0
	                                                                    : mg_fail_memory(run);
}

/* The packages that this gateway realizes there. */
static int packages_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_packages *out = h248_packages_add(run->arena, reply);
	const struct h248_package *p;

	if (!out)
		return mg_fail_memory(run);
	for (size_t i = 0; (p = h248_package_at(i)); i++)
		if (mg_package_on(run, term, p) &&
		    !h248_packages_item_add(run->arena, out, base_str_of(p->name), p->version))
			return mg_fail_memory(run);
	return 0;
}

/* The signals that are active. */
static int signals_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_signals *out;
	struct h248_signal **at;

	if (base_list_empty(&term->plays))
		return item_tell(run, H248_SIGNALS, reply);
	out = h248_signals_add(run->arena, reply);
	at = out ? &out->signals : NULL;
	for (struct base_node *n = term->plays.next; at && n != &term->plays; n = n->next) {
		const struct mg_play *play = BASE_CONTAINER_OF(n, struct mg_play, node);

		if (!mg_copy_signals(run->arena, play->top, at))
			return mg_fail_memory(run);
		at = &(*at)->next;
	}
	return out ? 0 : mg_fail_memory(run);
}

/* What EventBuffer asks for; 7.2.5. */
static int buffer_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	struct h248_event_buffer *out;

	if (!term->buffer)
		return item_tell(run, H248_EVENT_BUFFER, reply);
	out = BASE_NEW(run->arena, struct h248_event_buffer);
	if (!out || !mg_copy_events(run->arena, term->buffer->list, &out->events))
		return mg_fail_memory(run);
	out->d.kind = H248_EVENT_BUFFER;
	h248_descriptor_append(reply, &out->d);
	return 0;
}

/* What is in the buffer and has not been told (7.1.17). */
static int observed_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	const struct mg_buffer *b = term->buffer;
	struct h248_observed_events *out;

	if (!b || base_list_empty(&b->queue))
		return item_tell(run, H248_OBSERVED_EVENTS, reply);
	out = h248_observed_add(run->arena, reply, term->events ? term->events->request_id : 0);
	for (struct base_node *n = b->queue.next; out && n != &b->queue; n = n->next)
		if (!mg_happening_observed(run->arena, out,
		                           BASE_CONTAINER_OF(n, struct mg_happening, node)))
			return mg_fail_memory(run);
	return out ? 0 : mg_fail_memory(run);
}

static int token_tell(struct mg_run *run, const struct mg_term *term, unsigned kind,
                      struct h248_command *reply)
{
	int rc;

	switch (kind) {
	case H248_MEDIA:
		return media_tell(run, term, reply);
	case H248_EVENTS:
		return events_tell(run, term, reply);
	case H248_SIGNALS:
		return signals_tell(run, term, reply);
	case H248_EVENT_BUFFER:
		return buffer_tell(run, term, reply);
	case H248_OBSERVED_EVENTS:
		return observed_tell(run, term, reply);
	case H248_STATISTICS:
		rc = mg_statistics_tell(run, term, NULL, true, reply);
		return rc ? rc : mg_streams_statistics_tell(run, term, reply);
	case H248_DIGIT_MAP:
		return mg_digit_maps_tell(run, term, reply);
	case H248_PACKAGES:
		return packages_tell(run, term, reply);
	default:
		/* Modem and Mux are empty because there are none. */
		return item_tell(run, kind, reply);
	}
}

int mg_audit_items(struct mg_run *run, const struct mg_term *term, const struct h248_audit *audit,
                   struct h248_command *reply)
{
	int rc = 0;

	for (unsigned kind = H248_MUX; kind <= H248_EVENT_BUFFER && !rc; kind++)
		if (audit->items & H248_AUDIT_BIT(kind))
			rc = token_tell(run, term, kind, reply);
	for (const struct h248_descriptor *d = audit->individual; d && !rc; d = d->next)
		rc = mg_audit_individual(run, term, d, reply);
	return rc;
}

int mg_cmd_audit(struct mg_run *run, const struct mg_term *term, struct h248_command *reply)
{
	const struct h248_audit *audit = h248_command_audit(run->command);

	for (const struct h248_descriptor *d = run->command->descriptors; d; d = d->next)
		if (d->kind != H248_AUDIT)
			return mg_fail(run, H248_E_DESCRIPTOR_ILLEGAL,
			               "only an Audit descriptor is legal in this command");
	if (!audit)
		return mg_fail(run, H248_E_SYNTAX_COMMAND, "no Audit descriptor");
	if (run->command->kind == H248_AUDIT_CAPABILITY)
		return mg_capabilities_tell(run, term, audit, reply);
	return mg_audit_items(run, term, audit, reply);
}
