/* SPDX-License-Identifier: Apache-2.0 */
/** @file Events, signals and digit maps in words (RFC 3525, 7.1.9 to 7.1.11, 7.1.14, 7.1.17). */
#include "cli/explain.h"

#include <stdio.h>

/** `RequestID` for behind a word: " 7", " *" or "". */
static const char *request(bool has, uint32_t id, char buf[16])
{
	buf[0] = '\0';
	if (has && id == H248_REQUEST_ALL)
		(void)snprintf(buf, 16, " *");
	else if (has)
		(void)snprintf(buf, 16, " %u", id);
	return buf;
}

static void on_stream(struct explain *e, bool has, unsigned id)
{
	if (has)
		explain_line(e, "on stream %u", id);
}

void explain_digit_map(struct explain *e, const struct h248_digit_map *map)
{
	char name[EXPLAIN_SHOWN], body[EXPLAIN_SHOWN];

	explain_line(e, "Digit map%s%s%s%s", map->name.len ? " " : "",
	             explain_shown(map->name, name), map->body.len ? ": " : "",
	             explain_shown(map->body, body));
	explain_in(e);
	if (map->has_t)
		explain_line(e, "start timer T: %u s", map->t);
	if (map->has_s)
		explain_line(e, "short timer S: %u s", map->s);
	if (map->has_l)
		explain_line(e, "long timer L: %u s", map->l);
	if (map->has_z)
		explain_line(e, "long digit Z: %u ms", map->z * 100U);
	explain_out(e);
}

/* ---- events ---- */

static void embed(struct explain *e, const char *title, const struct h248_embed *embed)
{
	if (!embed)
		return;
	explain_line(e, "%s", title);
	explain_in(e);
	if (embed->signals)
		explain_signals_of(e, embed->signals);
	if (embed->events)
		explain_events(e, embed->events);
	explain_out(e);
}

static void event(struct explain *e, const struct h248_event *event)
{
	static const char *const notify[] = { "", "tell it at once", "tell it regulated",
		                              "never tell it", NULL };

	explain_name(e, H248_EVENT, event->name, "", "");
	explain_in(e);
	on_stream(e, event->has_stream, event->stream);
	explain_params(e, H248_EVENT, event->name, H248_PARAMS, event->parms);
	if (event->keep_active)
		explain_line(e, "signals go on when it happens (KeepActive)");
	if (event->notify)
		explain_line(e, "%s", explain_word(notify, event->notify));
	if (event->reset_events)
		explain_line(e, "it ends the Events descriptor (ResetEventsDescriptor)");
	if (event->digit_map)
		explain_digit_map(e, event->digit_map);
	embed(e, "when it happens, from then on:", event->embed);
	embed(e, "when it is told regulated, from then on:", event->regulated);
	explain_out(e);
}

void explain_events(struct explain *e, const struct h248_events *events)
{
	char id[16];

	if (!events->events) {
		explain_line(e, "Events%s: none, stop watching",
		             request(events->has_request_id, events->request_id, id));
		return;
	}
	explain_line(e, events->has_request_id ? "Events, request%s:%s" : "Events%s:%s",
	             request(events->has_request_id, events->request_id, id),
	             e->audit ? "" : " watch for");
	explain_in(e);
	for (const struct h248_event *ev = events->events; ev; ev = ev->next)
		event(e, ev);
	explain_out(e);
}

void explain_event_buffer(struct explain *e, const struct h248_event_buffer *buffer)
{
	explain_line(e, "Event buffer:%s%s", e->audit ? "" : " keep these while one is handled",
	             buffer->events ? "" : " (none)");
	explain_in(e);
	for (const struct h248_event *ev = buffer->events; ev; ev = ev->next)
		event(e, ev);
	explain_out(e);
}

void explain_observed(struct explain *e, const struct h248_observed_events *observed)
{
	char id[16], when[EXPLAIN_SHOWN], lead[EXPLAIN_SHOWN];

	explain_line(e, "Observed, request%s:", request(true, observed->request_id, id));
	explain_in(e);
	for (const struct h248_observed_event *ev = observed->events; ev; ev = ev->next) {
		explain_time(&ev->time, when);
		(void)explain_put(lead, "%s%s", when, when[0] ? "  " : "");
		explain_name(e, H248_EVENT, ev->name, lead, "");
		explain_in(e);
		on_stream(e, ev->has_stream, ev->stream);
		explain_params(e, H248_EVENT, ev->name, H248_OBSERVED, ev->parms);
		explain_out(e);
	}
	explain_out(e);
}

/* ---- signals ---- */

static void completion(struct explain *e, unsigned bits)
{
	static const char *const words[] = { "time-out", "event", "new Signals descriptor",
		                             "other reason", "iteration" };
	char text[100] = "";

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (bits & 1U << i)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			               text[0] ? ", " : "", words[i]);
	}
	explain_line(e, "its end is told (g/sc) after: %s", text[0] ? text : "nothing");
}

static void signal_of(struct explain *e, const struct h248_signal *s)
{
	char id[16];

	explain_name(e, H248_SIGNAL, s->name, "", "");
	explain_in(e);
	on_stream(e, s->has_stream, s->stream);
	if (s->type)
		explain_line(e, "type: %s", explain_word(explain_signals, s->type));
	if (s->has_duration)
		explain_line(e, "duration: %u ms", s->duration * 10U);
	if (s->has_completion)
		completion(e, s->completion);
	if (s->keep_active)
		explain_line(e, "goes on when an event happens (KeepActive)");
	if (s->direction)
		explain_line(e, "direction: %s", explain_word(explain_directions, s->direction));
	if (s->has_request_id)
		explain_line(e, "request%s", request(true, s->request_id, id));
	if (s->has_intersignal)
		explain_line(e, "pause to the next one: %u", s->intersignal);
	explain_params(e, H248_SIGNAL, s->name, H248_PARAMS, s->parms);
	explain_out(e);
}

void explain_signals_of(struct explain *e, const struct h248_signals *signals)
{
	if (!signals->signals) {
		explain_line(e, "Signals: none%s", e->audit ? "" : ", stop what is playing");
		return;
	}
	explain_line(e, "Signals:%s", e->audit ? "" : " apply");
	explain_in(e);
	for (const struct h248_signal *s = signals->signals; s; s = s->next) {
		if (!s->is_list) {
			signal_of(e, s);
			continue;
		}
		explain_line(e, "list %u, one after the other:", s->list_id);
		explain_in(e);
		for (const struct h248_signal *in = s->list; in; in = in->next)
			signal_of(e, in);
		explain_out(e);
	}
	explain_out(e);
}
