/* SPDX-License-Identifier: Apache-2.0 */
/** @file The other descriptors in words (RFC 3525, 7.1). */
#include "cli/explain.h"

#include <stdio.h>

void explain_error(struct explain *e, const struct h248_error *error)
{
	const char *known = h248_error_text(error->code);
	char text[EXPLAIN_SHOWN];

	explain_line(e, "Error %u (%s)%s%s", error->code, known ? known : "not a registered code",
	             error->has_text ? ": " : "", explain_shown(error->text, text));
}

/* ---- Services ---- */

static void mid_line(struct explain *e, const char *title, const struct h248_mid *mid)
{
	char text[EXPLAIN_SHOWN];

	if (mid)
		explain_line(e, "%s: %s", title, explain_mid(mid, text));
}

static void reason(struct explain *e, const struct h248_services *s)
{
	const char *known = h248_reason_text(s->reason_code);
	char text[EXPLAIN_SHOWN];

	if (s->has_reason)
		explain_line(e, "Reason: %s%s%s%s", explain_shown(s->reason, text),
		             known ? " (registered: " : "", known ? known + 4 : "",
		             known ? ")" : "");
}

void explain_services(struct explain *e, const struct h248_services *s)
{
	char text[EXPLAIN_SHOWN];

	if (s->method)
		explain_line(e, "Method %s%s%s", explain_word(explain_methods, s->method),
		             s->method_extension.len ? " " : "",
		             explain_shown(s->method_extension, text));
	reason(e, s);
	if (s->has_delay)
		explain_line(e, "Delay: %u s", s->delay);
	mid_line(e, "Send requests to (ServiceChangeAddress)", s->address);
	mid_line(e, "Try this controller (MgcIdToTry)", s->mgc_id);
	if (s->has_version)
		explain_line(e, "Protocol version: %u", s->version);
	if (s->has_profile)
		explain_line(e, "Profile: %s version %u", explain_shown(s->profile, text),
		             s->profile_version);
	if (s->time.digits[0])
		explain_line(e, "Time: %s", explain_time(&s->time, text));
	if (s->incomplete)
		explain_line(e, "More of these will follow (ServiceChangeInc)");
	for (const struct h248_parm *p = s->parms; p; p = p->next)
		explain_line(e, "Extension %s", explain_shown(p->name.item, text));
	if (s->info)
		explain_descriptor(e, &s->info->d);
}

/* ---- Audit ---- */

static void audit(struct explain *e, const struct h248_audit *audit)
{
	char text[200] = "";

	for (unsigned kind = H248_MUX; kind <= H248_EVENT_BUFFER; kind++) {
		if (audit->items & H248_AUDIT_BIT(kind))
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			               text[0] ? ", " : "",
			               explain_word(explain_descriptors, kind));
	}
	explain_line(e, "Return: %s",
	             text[0]             ? text
	             : audit->individual ? "these items"
	                                 : "nothing but the TerminationIDs");
	explain_in(e);
	e->audit = true;
	for (const struct h248_descriptor *d = audit->individual; d; d = d->next)
		explain_descriptor(e, d);
	e->audit = false;
	explain_out(e);
}

/* ---- the small ones ---- */

static void packages(struct explain *e, const struct h248_packages *packages)
{
	char text[EXPLAIN_SHOWN];

	explain_line(e, "Packages:");
	explain_in(e);
	for (const struct h248_packages_item *i = packages->items; i; i = i->next) {
		const char *title = explain_package(i->name);

		explain_line(e, "%s version %u: %s", explain_shown(i->name, text), i->version,
		             title ? title : "unknown here");
	}
	explain_out(e);
}

static void statistics(struct explain *e, const struct h248_statistics *s)
{
	explain_line(e, "Statistics:%s", s->parms ? "" : " none");
	explain_in(e);
	explain_parms(e, H248_STATISTIC, s->parms);
	explain_out(e);
}

static void mux(struct explain *e, const struct h248_mux *mux)
{
	char text[EXPLAIN_SHOWN];

	explain_line(e, "Multiplex %s%s of:", explain_word(explain_muxes, mux->type),
	             explain_shown(mux->extension, text));
	explain_in(e);
	for (const struct h248_term *t = mux->terms; t; t = t->next)
		explain_line(e, "%s", explain_term(t, text));
	explain_out(e);
}

static void modem(struct explain *e, const struct h248_modem *modem)
{
	explain_line(e, "Modem (deprecated from version 2), types %#x", modem->types);
	explain_in(e);
	explain_parms(e, H248_PROPERTY, modem->parms);
	explain_out(e);
}

void explain_descriptor(struct explain *e, const struct h248_descriptor *d)
{
	switch (d->kind) {
	case H248_MUX:
		mux(e, (const struct h248_mux *)d);
		break;
	case H248_MODEM:
		modem(e, (const struct h248_modem *)d);
		break;
	case H248_MEDIA:
		explain_media(e, (const struct h248_media *)d);
		break;
	case H248_EVENTS:
		explain_events(e, (const struct h248_events *)d);
		break;
	case H248_SIGNALS:
		explain_signals_of(e, (const struct h248_signals *)d);
		break;
	case H248_DIGIT_MAP:
		explain_digit_map(e, (const struct h248_digit_map *)d);
		break;
	case H248_STATISTICS:
		statistics(e, (const struct h248_statistics *)d);
		break;
	case H248_OBSERVED_EVENTS:
		explain_observed(e, (const struct h248_observed_events *)d);
		break;
	case H248_PACKAGES:
		packages(e, (const struct h248_packages *)d);
		break;
	case H248_EVENT_BUFFER:
		explain_event_buffer(e, (const struct h248_event_buffer *)d);
		break;
	case H248_AUDIT:
		audit(e, (const struct h248_audit *)d);
		break;
	case H248_ERROR:
		explain_error(e, (const struct h248_error *)d);
		break;
	case H248_SERVICES:
		explain_services(e, (const struct h248_services *)d);
		break;
	case H248_ITEM:
		explain_line(e, "%s: empty", explain_word(explain_descriptors, d->item));
		break;
	default:
		break;
	}
}
