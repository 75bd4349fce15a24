/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static const uint8_t item_tokens[] = {
	[H248_MEDIA] = TOK_MEDIA,
	[H248_MODEM] = TOK_MODEM,
	[H248_MUX] = TOK_MUX,
	[H248_EVENTS] = TOK_EVENTS,
	[H248_SIGNALS] = TOK_SIGNALS,
	[H248_DIGIT_MAP] = TOK_DIGIT_MAP,
	[H248_STATISTICS] = TOK_STATISTICS,
	[H248_OBSERVED_EVENTS] = TOK_OBSERVED_EVENTS,
	[H248_PACKAGES] = TOK_PACKAGES,
	[H248_EVENT_BUFFER] = TOK_EVENT_BUFFER,
};

static void error_text(struct text_out *o, const void *what)
{
	const struct h248_error *error = what;

	out_quoted(o, error->text);
}

void out_error(struct text_out *o, const struct h248_error *error)
{
	out_key(o, TOK_ERROR);
	if (error->code > 9999)
		o->bad = true;
	out_number(o, error->code);
	if (error->has_text)
		out_block(o, false, error_text, error);
	else
		out_block_empty(o);
}

/* Plain tokens first: some peers take them only so (section 8 of the fact sheet). */
void out_audit_items(struct text_out *o, bool *first, const struct h248_audit *audit)
{
	for (unsigned kind = 0; kind < BASE_COUNT(item_tokens); kind++) {
		if (audit->items & H248_AUDIT_BIT(kind)) {
			out_comma(o, first);
			out_token(o, item_tokens[kind]);
		}
	}
	for (const struct h248_descriptor *d = audit->individual; d; d = d->next) {
		out_comma(o, first);
		out_descriptor(o, d, true);
	}
}

static void audit_body(struct text_out *o, const void *what)
{
	bool first = true;

	out_audit_items(o, &first, what);
}

static void audit(struct text_out *o, const struct h248_audit *a)
{
	out_token(o, TOK_AUDIT);
	if (a->items || a->individual)
		out_block(o, false, audit_body, a);
	else
		out_block_empty(o);
}

void out_descriptor(struct text_out *o, const struct h248_descriptor *d, bool individual)
{
	switch (d->kind) {
	case H248_MEDIA:
		out_media(o, (const struct h248_media *)d);
		break;
	case H248_MODEM:
		out_modem(o, (const struct h248_modem *)d);
		break;
	case H248_MUX:
		out_mux(o, (const struct h248_mux *)d);
		break;
	case H248_EVENTS:
		out_events(o, (const struct h248_events *)d, individual);
		break;
	case H248_SIGNALS:
		out_signals(o, (const struct h248_signals *)d, individual);
		break;
	case H248_DIGIT_MAP:
		out_digit_map(o, (const struct h248_digit_map *)d);
		break;
	case H248_STATISTICS:
		out_statistics(o, (const struct h248_statistics *)d);
		break;
	case H248_OBSERVED_EVENTS:
		out_observed(o, (const struct h248_observed_events *)d);
		break;
	case H248_PACKAGES:
		out_packages(o, (const struct h248_packages *)d);
		break;
	case H248_EVENT_BUFFER:
		out_event_buffer(o, (const struct h248_event_buffer *)d);
		break;
	case H248_AUDIT:
		audit(o, (const struct h248_audit *)d);
		break;
	case H248_ERROR:
		out_error(o, (const struct h248_error *)d);
		break;
	case H248_SERVICES:
		out_services(o, (const struct h248_services *)d);
		break;
	default:
		if (d->kind == H248_ITEM && d->item < BASE_COUNT(item_tokens))
			out_token(o, item_tokens[d->item]);
		else
			o->bad = true;
	}
}

static void method(struct text_out *o, const struct h248_services *sv)
{
	static const uint8_t methods[] = {
		[H248_FAILOVER] = TOK_FAILOVER,         [H248_FORCED] = TOK_FORCED,
		[H248_GRACEFUL] = TOK_GRACEFUL,         [H248_RESTART] = TOK_RESTART,
		[H248_DISCONNECTED] = TOK_DISCONNECTED, [H248_HAND_OFF] = TOK_HAND_OFF,
	};

	out_key(o, TOK_METHOD);
	if (sv->method < sizeof(methods))
		out_token(o, methods[sv->method]);
	else
		out_checked(o, sv->method_extension, CH_SAFE);
}

static void services_body(struct text_out *o, const void *what)
{
	const struct h248_services *sv = what;
	bool first = true;

	if (sv->method) {
		out_comma(o, &first);
		method(o, sv);
	}
	if (sv->has_reason) { /* always quoted (grammar comment) */
		out_comma(o, &first);
		out_key(o, TOK_REASON);
		out_quoted(o, sv->reason);
	}
	if (sv->address) {
		out_comma(o, &first);
		out_key(o, TOK_SERVICE_CHANGE_ADDRESS);
		out_mid(o, sv->address);
	}
	if (sv->mgc_id) {
		out_comma(o, &first);
		out_key(o, TOK_MGC_ID_TO_TRY);
		out_mid(o, sv->mgc_id);
	}
	if (sv->has_version) {
		out_comma(o, &first);
		out_key(o, TOK_VERSION);
		out_number(o, sv->version);
	}
	if (sv->has_profile) {
		out_comma(o, &first);
		out_key(o, TOK_PROFILE);
		out_name(o, sv->profile);
		out_char(o, '/');
		out_number(o, sv->profile_version);
	}
	if (sv->has_delay) {
		out_comma(o, &first);
		out_key(o, TOK_DELAY);
		out_number(o, sv->delay);
	}
	if (sv->time.digits[0]) {
		out_comma(o, &first);
		out_time(o, &sv->time);
	}
	if (sv->incomplete) {
		out_comma(o, &first);
		out_token(o, TOK_SERVICE_CHANGE_INC);
	}
	out_parms(o, &first, sv->parms);
	if (sv->info)
		out_audit_items(o, &first, sv->info);
	if (first)
		o->bad = true;
}

void out_services(struct text_out *o, const struct h248_services *sv)
{
	out_token(o, TOK_SERVICES);
	out_block(o, true, services_body, sv);
}
