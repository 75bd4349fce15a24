/* SPDX-License-Identifier: Apache-2.0 */
/* CommandRequest and CommandReply. */
#include "h248/ber_in.h"

static void append(struct h248_command *command, struct h248_descriptor *d)
{
	if (command->last)
		command->last->next = d;
	else
		command->descriptors = d;
	command->last = d;
}

/* ---- requests ---- */

static bool amm_descriptor(struct ber_parser *p, int tag, struct h248_descriptor **ret)
{
	switch (tag) {
	case 0:
		return ber_media(p, ret);
	case 1:
		return ber_modem(p, ret);
	case 2:
		return ber_mux(p, ret);
	case 3:
		return ber_events(p, ret);
	case 4:
		return ber_event_buffer(p, ret);
	case 5:
		return ber_signals(p, ret);
	case 6:
		return ber_digit_map(p, ret);
	case 7:
		return ber_audit(p, ret);
	case 8:
		return ber_statistics(p, ret);
	default:
		return ber_extension(p, NULL);
	}
}

static bool amm_descriptors(struct ber_parser *p, struct h248_command *command)
{
	unsigned seen = 0;
	struct ber_box box;
	int tag, index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; (tag = ber_choice(p, &box)) >= 0; index++) {
		struct h248_descriptor *d = NULL;
		const uint8_t *from = p->h.from;

		if (!amm_descriptor(p, tag, &d))
			return ber_in(p, "descriptors", index);
		if (!d)
			continue;
		if (seen & 1U << d->kind) /* at most once */
			return ber_fail(p, H248_E_DESCRIPTOR_TWICE, from, "each descriptor once");
		seen |= 1U << d->kind;
		append(command, d);
	}
	return tag == BER_END;
}

static bool amm_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !amm_descriptors(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static bool audit_into(struct ber_parser *p, struct h248_command *command)
{
	struct h248_descriptor *d = NULL;

	if (!ber_audit(p, &d))
		return false;
	append(command, d);
	return true;
}

static bool subtract_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !audit_into(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* terminationIDList is [2] by automatic tagging, [3] to some (sheet 4.2); it repeats the first. */
static bool audit_terms(struct ber_parser *p, struct h248_command *command)
{
	struct h248_term list = { 0 };

	if (!ber_terms(p, &list))
		return false;
	command->term = list;
	return true;
}

static bool audit_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = ber_term(p, &command->term);
		else if (tag == 1)
			ok = audit_into(p, command);
		else if (tag == 2 || tag == 3)
			ok = audit_terms(p, command);
		else
			ok = ber_extension(p, NULL);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static bool error_into(struct ber_parser *p, struct h248_command *command)
{
	struct h248_error *error = NULL;

	if (!ber_error(p, &error))
		return false;
	append(command, &error->d);
	return true;
}

static bool observed_into(struct ber_parser *p, struct h248_command *command)
{
	struct h248_descriptor *d = NULL;

	if (!ber_observed(p, &d))
		return false;
	append(command, d);
	return true;
}

static bool notify_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !observed_into(p, command)
		    : tag == 2 ? !error_into(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static bool services_into(struct ber_parser *p, struct h248_command *command)
{
	struct h248_descriptor *d = NULL;

	if (!ber_services(p, &d))
		return false;
	append(command, d);
	return true;
}

static bool service_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !services_into(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

static bool request(struct ber_parser *p, int tag, struct h248_command *command)
{
	command->kind = (uint8_t)(tag <= H248_SERVICE_CHANGE ? tag : H248_COMMAND_UNKNOWN);
	switch (tag) {
	case H248_ADD:
	case H248_MOVE:
	case H248_MODIFY:
		return amm_request(p, command);
	case H248_SUBTRACT:
		return subtract_request(p, command);
	case H248_AUDIT_CAPABILITY:
	case H248_AUDIT_VALUE:
		return audit_request(p, command);
	case H248_NOTIFY:
		return notify_request(p, command);
	case H248_SERVICE_CHANGE:
		return service_request(p, command);
	default:
		return ber_fail(p, H248_E_COMMAND, p->h.from, "a known command");
	}
}

static const char *const words[] = {
	[H248_ADD] = "Add",
	[H248_MOVE] = "Move",
	[H248_MODIFY] = "Modify",
	[H248_SUBTRACT] = "Subtract",
	[H248_AUDIT_CAPABILITY] = "AuditCapability",
	[H248_AUDIT_VALUE] = "AuditValue",
	[H248_NOTIFY] = "Notify",
	[H248_SERVICE_CHANGE] = "ServiceChange",
	[H248_COMMAND_UNKNOWN] = "command",
};

/* The CHOICE of the command, tagged explicitly. */
static bool request_choice(struct ber_parser *p, struct h248_command *command)
{
	struct ber_box box;
	int tag = ber_explicit(p, &box);

	if (tag < 0)
		return false;
	if (!request(p, tag, command))
		return ber_in(p, words[command->kind], -1);
	return ber_done(p, &box);
}

static bool flag(struct ber_parser *p, bool *ret)
{
	*ret = true;
	return ber_null(p);
}

static bool command_request(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !request_choice(p, command)
		    : tag == 1 ? !flag(p, &command->optional)
		    : tag == 2 ? !flag(p, &command->wildcarded_response)
		               : !ber_extension(p, &command->extensions))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* ---- replies ---- */

/* Events, EventBuffer and (v3) Signals have an empty form, which looks the same in text. */
static struct h248_descriptor *empty(struct ber_parser *p, enum h248_descriptor_kind kind)
{
	bool own = kind == H248_EVENTS || kind == H248_EVENT_BUFFER ||
	           (kind == H248_SIGNALS && p->version >= 3);
	struct h248_descriptor *d;

	switch (own ? kind : H248_ITEM) {
	case H248_EVENTS:
		d = ber_node(p, sizeof(struct h248_events));
		break;
	case H248_EVENT_BUFFER:
		d = ber_node(p, sizeof(struct h248_event_buffer));
		break;
	case H248_SIGNALS:
		d = ber_node(p, sizeof(struct h248_signals));
		break;
	default:
		d = BER_NEW(p, struct h248_descriptor);
	}
	if (!d)
		return NULL;
	d->kind = (uint8_t)(own ? kind : H248_ITEM);
	d->item = (uint8_t)(own ? 0 : kind);
	return d;
}

/* emptyDescriptors: each token says that its descriptor is empty. */
static bool empty_descriptors(struct ber_parser *p, struct h248_command *command)
{
	struct h248_descriptor *d = NULL;
	const uint8_t *from = p->h.from;
	const struct h248_audit *audit;

	if (!ber_audit(p, &d))
		return false;
	audit = (const struct h248_audit *)d;
	if (audit->individual)
		return ber_fail(p, p->syntax_code, from, "tokens alone in emptyDescriptors");
	for (unsigned kind = 0; kind <= H248_EVENT_BUFFER; kind++) {
		if (!(audit->items & H248_AUDIT_BIT(kind)))
			continue;
		d = empty(p, (enum h248_descriptor_kind)kind);
		if (!d)
			return false;
		append(command, d);
	}
	return true;
}

static bool returned(struct ber_parser *p, int tag, struct h248_command *command)
{
	struct h248_descriptor *d = NULL;
	bool ok;

	switch (tag) {
	case 0:
		return error_into(p, command);
	case 1:
		ok = ber_media(p, &d);
		break;
	case 2:
		ok = ber_modem(p, &d);
		break;
	case 3:
		ok = ber_mux(p, &d);
		break;
	case 4:
		ok = ber_events(p, &d);
		break;
	case 5:
		ok = ber_event_buffer(p, &d);
		break;
	case 6:
		ok = ber_signals(p, &d);
		break;
	case 7:
		ok = ber_digit_map(p, &d);
		break;
	case 8:
		return observed_into(p, command);
	case 9:
		ok = ber_statistics(p, &d);
		break;
	case 10:
		ok = ber_packages(p, &d);
		break;
	case 11:
		return empty_descriptors(p, command);
	default:
		return ber_extension(p, NULL);
	}
	if (ok)
		append(command, d);
	return ok;
}

/* TerminationAudit */
static bool termination_audit(struct ber_parser *p, struct h248_command *command)
{
	struct ber_box box;
	int tag, index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; (tag = ber_choice(p, &box)) >= 0; index++) {
		if (!returned(p, tag, command))
			return ber_in(p, "terminationAudit", index);
	}
	return tag == BER_END;
}

static bool amms_reply(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !termination_audit(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

/* AuditResult (closed) and, with a list of terminations, TermListAuditResult. */
static bool audit_result(struct ber_parser *p, bool list, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = list ? ber_terms(p, &command->term) : ber_term(p, &command->term);
		else if (tag == 1)
			ok = termination_audit(p, command);
		else
			ok = list ? ber_extension(p, NULL) : ber_closed(p);
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

/* AuditReply; RFC 3015's older layout is not taken (sheet 4.3). */
static bool audit_reply(struct ber_parser *p, struct h248_command *command)
{
	struct ber_box box;
	bool ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		command->context_audit = true;
		ok = ber_terms(p, &command->term);
		break;
	case 1:
		command->context_audit = true;
		ok = error_into(p, command);
		break;
	case 2:
		ok = audit_result(p, false, command);
		break;
	case 3:
		ok = audit_result(p, true, command);
		break;
	default:
		ok = ber_expected(p, "a known result of an audit");
	}
	return ok && ber_done(p, &box);
}

static bool notify_reply(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !error_into(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 1, from);
}

static bool service_result(struct ber_parser *p, struct h248_command *command)
{
	struct h248_services *sv = NULL;
	struct ber_box box;
	bool ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		ok = error_into(p, command);
		break;
	case 1:
		ok = ber_services_reply(p, &sv);
		if (ok && sv)
			append(command, &sv->d);
		break;
	default:
		ok = ber_expected(p, "errorDescriptor or serviceChangeResParms");
	}
	return ok && ber_done(p, &box);
}

static bool service_reply(struct ber_parser *p, struct h248_command *command)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag == 0   ? !ber_terms(p, &command->term)
		    : tag == 1 ? !service_result(p, command)
		               : !ber_extension(p, NULL))
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 3, from);
}

/* CommandReply: the CHOICE itself is the element of the list. */
static bool command_reply(struct ber_parser *p, struct h248_command *command)
{
	unsigned number = ber_class(p) == BER_CONTEXT ? ber_number(p) : 99;
	bool ok;

	command->kind = (uint8_t)(number <= H248_SERVICE_CHANGE ? number : H248_COMMAND_UNKNOWN);
	switch (number) {
	case H248_ADD:
	case H248_MOVE:
	case H248_MODIFY:
	case H248_SUBTRACT:
		ok = amms_reply(p, command);
		break;
	case H248_AUDIT_CAPABILITY:
	case H248_AUDIT_VALUE:
		ok = audit_reply(p, command);
		break;
	case H248_NOTIFY:
		ok = notify_reply(p, command);
		break;
	case H248_SERVICE_CHANGE:
		ok = service_reply(p, command);
		break;
	default:
		ok = ber_fail(p, H248_E_COMMAND, p->h.from, "a known command");
	}
	return ok || ber_in(p, words[command->kind], -1);
}

bool ber_command(struct ber_parser *p, struct h248_command *command)
{
	return p->reply ? command_reply(p, command) : command_request(p, command);
}
