/* SPDX-License-Identifier: Apache-2.0 */
/** @file Media in words: TerminationState, streams, LocalControl, SDP (RFC 3525, 7.1.4 to 7.1.8).
 */
#include "cli/explain.h"

/** Starts of SDP lines that a TLS gateway acts on, and what they say. */
static const struct {
	const char *start, *words;
} sdp_words[] = {
	{ "c=", "address" },
	{ "m=", "media, port, transport, format" },
	{ "b=", "bandwidth" },
	{ "a=setup:active", "this side connects" },
	{ "a=setup:passive", "this side waits for the connection" },
	{ "a=setup:actpass", "either side may connect" },
	{ "a=setup:holdconn", "no connection for now" },
	{ "a=connection:new", "a new connection" },
	{ "a=connection:existing", "the connection that exists" },
	{ "a=fingerprint:", "hash of this side's certificate (RFC 8122)" },
	{ "a=tls-id:", "identity of the TLS association (RFC 8842)" },
	{ "a=path:", "MSRP path (RFC 4975)" },
	{ "a=msrp-cema", "MSRP through relays that do not read it (RFC 6714)" },
};

static const char *sdp_about(struct base_str line)
{
	for (size_t i = 0; i < BASE_COUNT(sdp_words); i++) {
		size_t len = strlen(sdp_words[i].start);

		if (line.len >= len && memcmp(line.ptr, sdp_words[i].start, len) == 0)
			return sdp_words[i].words;
	}
	return "";
}

static void sdp(struct explain *e, const char *title, struct base_str text)
{
	char shown[EXPLAIN_SHOWN];
	bool choose = text.len && memchr(text.ptr, '$', text.len);

	explain_line(e, "%s%s%s", title, text.len ? ":" : ": empty (release it)",
	             choose ? " ($ is for the gateway to fill in)" : "");
	explain_in(e);
	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		struct base_str line = base_str_trim((struct base_str){ text.ptr, len });
		const char *words = sdp_about(line);

		if (line.len)
			explain_line(e, "%s%s%s", explain_shown(line, shown),
			             words[0] ? "   -- " : "", words);
		text.ptr += BASE_MIN(len + 1, text.len);
		text.len -= BASE_MIN(len + 1, text.len);
	}
	explain_out(e);
}

static void flag(struct explain *e, const char *name, unsigned tri)
{
	if (tri != H248_ABSENT)
		explain_line(e, "%s: %s", name, tri == H248_ON ? "on" : "off");
}

static void asked(struct explain *e, unsigned asked, unsigned bit, const char *name)
{
	if (asked & bit)
		explain_line(e, "%s: asked for", name);
}

static void control(struct explain *e, const struct h248_local_control *c)
{
	explain_line(e, "LocalControl:");
	explain_in(e);
	if (c->mode)
		explain_line(e, "Mode%s: %s", c->mode_form == H248_FORM_UNEQUAL ? " is not" : "",
		             explain_word(explain_modes, c->mode));
	flag(e, "Reserve for every value of Local and Remote", c->reserved_value);
	flag(e, "Reserve for every group of Local and Remote", c->reserved_group);
	asked(e, c->asked, H248_ASK_MODE, "Mode");
	asked(e, c->asked, H248_ASK_RESERVED_VALUE, "ReservedValue");
	asked(e, c->asked, H248_ASK_RESERVED_GROUP, "ReservedGroup");
	explain_parms(e, H248_PROPERTY, c->parms);
	explain_out(e);
}

static void state(struct explain *e, const struct h248_term_state *s)
{
	explain_line(e, "TerminationState:");
	explain_in(e);
	if (s->service_state)
		explain_line(e, "Service state%s: %s",
		             s->state_form == H248_FORM_UNEQUAL ? " is not" : "",
		             explain_word(explain_states, s->service_state));
	if (s->buffer)
		explain_line(e, "Event buffer: %s",
		             s->buffer == H248_BUFFER_OFF
		                     ? "off, events are handled as they come"
		                     : "lock step, one event is told and the others wait");
	asked(e, s->asked, H248_ASK_SERVICE_STATES, "Service state");
	asked(e, s->asked, H248_ASK_BUFFER, "Event buffer control");
	explain_parms(e, H248_PROPERTY, s->parms);
	explain_out(e);
}

static void stream(struct explain *e, const struct h248_stream *s)
{
	explain_line(e, s->implied ? "Stream (the only one):" : "Stream %u:", s->id);
	explain_in(e);
	if (s->control)
		control(e, s->control);
	if (s->has_local)
		sdp(e, "Local, what the gateway receives with", s->local);
	if (s->has_remote)
		sdp(e, "Remote, what the far end receives with", s->remote);
	if (s->statistics) {
		explain_line(e, "Statistics of the stream:");
		explain_in(e);
		explain_parms(e, H248_STATISTIC, s->statistics->parms);
		explain_out(e);
	}
	explain_out(e);
}

void explain_media(struct explain *e, const struct h248_media *media)
{
	if (media->state)
		state(e, media->state);
	for (const struct h248_stream *s = media->streams; s; s = s->next)
		stream(e, s);
}
