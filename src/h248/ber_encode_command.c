/* SPDX-License-Identifier: Apache-2.0 */
/* CommandRequest and CommandReply. */
#include "h248/ber_out.h"

/* ---- requests ---- */

static void put_amm_descriptor(struct ber_out *o, const struct h248_descriptor *d)
{
	switch (d->kind) {
	case H248_MEDIA:
		ber_put_media(o, BOX(0), (const struct h248_media *)d, false);
		break;
	case H248_MODEM:
		ber_put_modem(o, BOX(1), (const struct h248_modem *)d);
		break;
	case H248_MUX:
		ber_put_mux(o, BOX(2), (const struct h248_mux *)d);
		break;
	case H248_EVENTS:
		ber_put_events(o, BOX(3), (const struct h248_events *)d, false);
		break;
	case H248_EVENT_BUFFER:
		ber_put_event_buffer(o, BOX(4), (const struct h248_event_buffer *)d);
		break;
	case H248_SIGNALS:
		ber_put_signals(o, BOX(5), (const struct h248_signals *)d);
		break;
	case H248_DIGIT_MAP:
		ber_put_digit_map(o, BOX(6), (const struct h248_digit_map *)d);
		break;
	case H248_AUDIT:
		ber_put_audit(o, BOX(7), (const struct h248_audit *)d);
		break;
	case H248_STATISTICS:
		ber_put_statistics(o, BOX(8), (const struct h248_statistics *)d);
		break;
	default:
		o->bad = true;
	}
}

static const void *find(const struct h248_descriptor *d, enum h248_descriptor_kind kind)
{
	while (d && d->kind != kind)
		d = d->next;
	return d;
}

static void put_amm_request(struct ber_out *o, const struct h248_command *c)
{
	size_t list;

	ber_put_terms(o, BOX(0), &c->term);
	list = ber_begin(o, BOX(1));
	for (const struct h248_descriptor *d = c->descriptors; d; d = d->next)
		put_amm_descriptor(o, d);
	ber_close(o, list);
}

/* A list of terminations is repeated in [2]; [0] has its first element (v3). */
static void put_audit_request(struct ber_out *o, const struct h248_command *c)
{
	const struct h248_audit *audit = find(c->descriptors, H248_AUDIT);

	ber_put_term(o, BOX(0), &c->term);
	if (audit)
		ber_put_audit(o, BOX(1), audit);
	else
		o->bad = true;
	if (c->term.next)
		ber_put_terms(o, BOX(2), &c->term);
}

static void put_request_body(struct ber_out *o, const struct h248_command *c)
{
	const struct h248_descriptor *d;
	const void *first = c->descriptors;

	switch (c->kind) {
	case H248_SUBTRACT:
		ber_put_terms(o, BOX(0), &c->term);
		d = find(first, H248_AUDIT);
		if (d)
			ber_put_audit(o, BOX(1), (const struct h248_audit *)d);
		break;
	case H248_AUDIT_CAPABILITY:
	case H248_AUDIT_VALUE:
		put_audit_request(o, c);
		break;
	case H248_NOTIFY:
		ber_put_terms(o, BOX(0), &c->term);
		d = find(first, H248_OBSERVED_EVENTS);
		if (d)
			ber_put_observed(o, BOX(1), (const struct h248_observed_events *)d);
		else
			o->bad = true;
		d = find(first, H248_ERROR);
		if (d)
			ber_put_error(o, BOX(2), (const struct h248_error *)d);
		break;
	case H248_SERVICE_CHANGE:
		ber_put_terms(o, BOX(0), &c->term);
		d = find(first, H248_SERVICES);
		if (d)
			ber_put_services(o, BOX(1), (const struct h248_services *)d, false);
		else
			o->bad = true;
		break;
	default:
		put_amm_request(o, c);
	}
}

static void put_request(struct ber_out *o, const struct h248_command *c)
{
	size_t at = ber_begin(o, TAG_SEQUENCE), choice = ber_begin(o, BOX(0)), one;

	one = ber_begin(o, BOX(c->kind));
	put_request_body(o, c);
	ber_close2(o, one, choice);
	ber_put_null_if(o, c->optional, TAG(1));
	ber_put_null_if(o, c->wildcarded_response, TAG(2));
	ber_put_extensions(o, c->extensions);
	ber_close(o, at);
}

/* ---- replies ---- */

static void put_empty(struct ber_out *o, unsigned kind)
{
	size_t at = ber_begin(o, BOX(11));

	ber_put_bits(o, TAG(0), H248_AUDIT_BIT(kind));
	ber_close(o, at);
}

/* AuditReturnParameter */
static void put_returned(struct ber_out *o, const struct h248_descriptor *d)
{
	switch (d->kind) {
	case H248_ERROR:
		ber_put_error(o, BOX(0), (const struct h248_error *)d);
		break;
	case H248_MEDIA:
		ber_put_media(o, BOX(1), (const struct h248_media *)d, false);
		break;
	case H248_MODEM:
		ber_put_modem(o, BOX(2), (const struct h248_modem *)d);
		break;
	case H248_MUX:
		ber_put_mux(o, BOX(3), (const struct h248_mux *)d);
		break;
	case H248_EVENTS:
		ber_put_events(o, BOX(4), (const struct h248_events *)d, false);
		break;
	case H248_EVENT_BUFFER:
		ber_put_event_buffer(o, BOX(5), (const struct h248_event_buffer *)d);
		break;
	case H248_SIGNALS:
		ber_put_signals(o, BOX(6), (const struct h248_signals *)d);
		break;
	case H248_DIGIT_MAP:
		ber_put_digit_map(o, BOX(7), (const struct h248_digit_map *)d);
		break;
	case H248_OBSERVED_EVENTS:
		ber_put_observed(o, BOX(8), (const struct h248_observed_events *)d);
		break;
	case H248_STATISTICS:
		ber_put_statistics(o, BOX(9), (const struct h248_statistics *)d);
		break;
	case H248_PACKAGES:
		ber_put_packages(o, BOX(10), (const struct h248_packages *)d);
		break;
	case H248_ITEM:
		put_empty(o, d->item);
		break;
	default:
		o->bad = true;
	}
}

static void put_termination_audit(struct ber_out *o, const struct h248_descriptor *d)
{
	size_t at = ber_begin(o, BOX(1));

	for (; d; d = d->next)
		put_returned(o, d);
	ber_close(o, at);
}

static void put_audit_reply(struct ber_out *o, const struct h248_command *c)
{
	const struct h248_descriptor *error = find(c->descriptors, H248_ERROR);
	size_t one;

	if (c->context_audit && (c->term.name.len || !error)) {
		ber_put_terms(o, BOX(0), &c->term);
	} else if (c->context_audit) {
		ber_put_error(o, BOX(1), (const struct h248_error *)error);
	} else {
		one = ber_begin(o, c->term.next ? BOX(3) : BOX(2));
		if (c->term.next)
			ber_put_terms(o, BOX(0), &c->term);
		else
			ber_put_term(o, BOX(0), &c->term);
		put_termination_audit(o, c->descriptors);
		ber_close(o, one);
	}
}

static void put_service_result(struct ber_out *o, const struct h248_command *c)
{
	static const struct h248_services nothing = { .method = 0 };
	const struct h248_descriptor *error = find(c->descriptors, H248_ERROR);
	const struct h248_services *sv = find(c->descriptors, H248_SERVICES);
	size_t at = ber_begin(o, BOX(1));

	if (error)
		ber_put_error(o, BOX(0), (const struct h248_error *)error);
	else
		ber_put_services(o, BOX(1), sv ? sv : &nothing, true);
	ber_close(o, at);
}

static void put_reply(struct ber_out *o, const struct h248_command *c)
{
	size_t at = ber_begin(o, BOX(c->kind));
	const struct h248_descriptor *error;

	switch (c->kind) {
	case H248_AUDIT_CAPABILITY:
	case H248_AUDIT_VALUE:
		put_audit_reply(o, c);
		break;
	case H248_NOTIFY:
		ber_put_terms(o, BOX(0), &c->term);
		error = find(c->descriptors, H248_ERROR);
		if (error)
			ber_put_error(o, BOX(1), (const struct h248_error *)error);
		break;
	case H248_SERVICE_CHANGE:
		ber_put_terms(o, BOX(0), &c->term);
		put_service_result(o, c);
		break;
	default:
		ber_put_terms(o, BOX(0), &c->term);
		if (c->descriptors)
			put_termination_audit(o, c->descriptors);
	}
	ber_close(o, at);
}

void ber_put_command(struct ber_out *o, const struct h248_command *c)
{
	if (c->kind > H248_SERVICE_CHANGE)
		o->bad = true;
	else if (o->reply)
		put_reply(o, c);
	else
		put_request(o, c);
}
