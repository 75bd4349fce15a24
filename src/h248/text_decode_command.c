/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_parse.h"

#define BIT(kind) (1U << (kind))

/* Descriptors that amm requests take, beside Statistics (v3). */
#define AMM                                                                                        \
	(BIT(H248_MEDIA) | BIT(H248_MODEM) | BIT(H248_MUX) | BIT(H248_EVENTS) |                    \
	 BIT(H248_SIGNALS) | BIT(H248_DIGIT_MAP) | BIT(H248_EVENT_BUFFER) | BIT(H248_AUDIT))
/* What terminationAudit can hold (RFC 3525, auditReturnParameter). */
#define RETURNED                                                                                   \
	(BIT(H248_MEDIA) | BIT(H248_MODEM) | BIT(H248_MUX) | BIT(H248_EVENTS) |                    \
	 BIT(H248_SIGNALS) | BIT(H248_DIGIT_MAP) | BIT(H248_EVENT_BUFFER) | BIT(H248_STATISTICS) | \
	 BIT(H248_OBSERVED_EVENTS) | BIT(H248_PACKAGES) | BIT(H248_ERROR) | BIT(H248_ITEM))

/* What a command takes, by H248_ADD .. H248_SERVICE_CHANGE; and what it cannot be without. */
static const struct {
	uint16_t request, required, reply;
} rules[] = {
	[H248_ADD] = { AMM, 0, RETURNED },
	[H248_MOVE] = { AMM, 0, RETURNED },
	[H248_MODIFY] = { AMM, 0, RETURNED },
	[H248_SUBTRACT] = { BIT(H248_AUDIT), 0, RETURNED },
	[H248_AUDIT_CAPABILITY] = { BIT(H248_AUDIT), BIT(H248_AUDIT), RETURNED },
	[H248_AUDIT_VALUE] = { BIT(H248_AUDIT), BIT(H248_AUDIT), RETURNED },
	[H248_NOTIFY] = { BIT(H248_OBSERVED_EVENTS) | BIT(H248_ERROR), BIT(H248_OBSERVED_EVENTS),
	                  BIT(H248_ERROR) },
	[H248_SERVICE_CHANGE] = { BIT(H248_SERVICES), BIT(H248_SERVICES),
	                          BIT(H248_SERVICES) | BIT(H248_ERROR) },
};

static enum h248_command_kind command_kind(enum h248_token token)
{
	switch (token) {
	case TOK_ADD:
		return H248_ADD;
	case TOK_MOVE:
		return H248_MOVE;
	case TOK_MODIFY:
		return H248_MODIFY;
	case TOK_SUBTRACT:
		return H248_SUBTRACT;
	case TOK_AUDIT_CAPABILITY:
		return H248_AUDIT_CAPABILITY;
	case TOK_AUDIT_VALUE:
		return H248_AUDIT_VALUE;
	case TOK_NOTIFY:
		return H248_NOTIFY;
	case TOK_SERVICE_CHANGE:
		return H248_SERVICE_CHANGE;
	default:
		return H248_COMMAND_UNKNOWN;
	}
}

static enum h248_descriptor_kind descriptor_kind(enum h248_token token)
{
	switch (token) {
	case TOK_MEDIA:
		return H248_MEDIA;
	case TOK_MODEM:
		return H248_MODEM;
	case TOK_MUX:
		return H248_MUX;
	case TOK_EVENTS:
		return H248_EVENTS;
	case TOK_SIGNALS:
		return H248_SIGNALS;
	case TOK_DIGIT_MAP:
		return H248_DIGIT_MAP;
	case TOK_STATISTICS:
		return H248_STATISTICS;
	case TOK_OBSERVED_EVENTS:
		return H248_OBSERVED_EVENTS;
	case TOK_PACKAGES:
		return H248_PACKAGES;
	case TOK_EVENT_BUFFER:
		return H248_EVENT_BUFFER;
	case TOK_AUDIT:
		return H248_AUDIT;
	case TOK_ERROR:
		return H248_ERROR;
	case TOK_SERVICES:
		return H248_SERVICES;
	default:
		return H248_ITEM;
	}
}

/*
 * A bare token in a reply says that the descriptor is empty. Events, EventBuffer and (v3) Signals
 * have an empty form of their own, which looks the same (trap 7.13).
 */
static bool bare_item(struct text_parser *p, enum h248_descriptor_kind kind)
{
	if (!p->reply || kind > H248_PACKAGES || kind == H248_EVENTS ||
	    (kind == H248_SIGNALS && p->version >= 3) || !text_lwsp(p))
		return false;
	return text_peek(p) == ',' || text_peek(p) == '}';
}

static bool descriptor_body(struct text_parser *p, enum h248_descriptor_kind kind,
                            struct h248_descriptor **ret)
{
	struct h248_error *error = NULL;

	switch (kind) {
	case H248_MEDIA:
		return text_media(p, false, ret);
	case H248_MODEM:
		return text_modem(p, ret);
	case H248_MUX:
		return text_mux(p, ret);
	case H248_EVENTS:
		return text_events(p, 0, ret);
	case H248_SIGNALS:
		return text_signals(p, ret);
	case H248_DIGIT_MAP:
		return text_digit_map(p, ret);
	case H248_STATISTICS:
		return text_statistics(p, false, ret);
	case H248_OBSERVED_EVENTS:
		return text_observed_events(p, ret);
	case H248_PACKAGES:
		return text_packages(p, ret);
	case H248_EVENT_BUFFER:
		return text_event_buffer(p, false, ret);
	case H248_AUDIT:
		return text_audit(p, ret);
	case H248_ERROR:
		if (!text_error(p, &error))
			return false;
		*ret = &error->d;
		return true;
	default:
		return text_services(p, ret);
	}
}

static bool descriptor(struct text_parser *p, struct h248_command *command, unsigned allowed,
                       unsigned *seen)
{
	struct h248_descriptor *d = NULL;
	const char *from = p->at;
	struct base_str word;
	enum h248_descriptor_kind kind = descriptor_kind(text_keyword(p, &word));

	if (kind == H248_ITEM)
		return text_fail(p, word.len ? H248_E_DESCRIPTOR : p->syntax_code, from,
		                 "a descriptor");
	if (!(allowed & BIT(kind)))
		return text_fail(p, H248_E_DESCRIPTOR_ILLEGAL, from,
		                 "a descriptor that this command takes");
	if (!p->reply && *seen & BIT(kind)) /* at-most-once (trap 7.18) */
		return text_fail(p, H248_E_DESCRIPTOR_TWICE, from, "each descriptor once");
	*seen |= BIT(kind);
	if (bare_item(p, kind)) {
		d = TEXT_NEW(p, struct h248_descriptor);
		if (!d)
			return false;
		d->kind = H248_ITEM;
		d->item = (uint8_t)kind;
	} else if (p->code || !descriptor_body(p, kind, &d)) {
		return false;
	}
	if (command->last)
		command->last->next = d;
	else
		command->descriptors = d;
	command->last = d;
	return true;
}

/* termIDList: one, or (v3) several in brackets; a list of one is let pass (trap 7.10). */
static bool terms(struct text_parser *p, struct h248_command *command)
{
	struct h248_term *last = &command->term;

	if (text_peek(p) != '[')
		return text_term(p, last);
	if (p->version < 3)
		return text_expected(p, "one TerminationID");
	if (!text_punct(p, '[', "'['") || !text_term(p, last))
		return false;
	while (text_more(p)) {
		struct h248_term *term = TEXT_NEW(p, struct h248_term);

		if (!term || !text_term(p, term))
			return false;
		last->next = term;
		last = term;
	}
	return text_punct(p, ']', "',' or ']'");
}

/*
 * `AV=Context{a,b}` and `AV=Context{Error=..}` in a reply. A termination may be called Context or C
 * too (trap 7.7), so what stands in the braces decides: in the first form nothing but ids.
 */
static bool is_context_audit(struct text_parser *p, const struct h248_command *command)
{
	const char *from = p->at;
	struct base_str word;
	bool is = false;
	char c;

	if (!p->reply || command->term.next ||
	    (command->kind != H248_AUDIT_VALUE && command->kind != H248_AUDIT_CAPABILITY) ||
	    text_token(p, command->term.name) != TOK_CONTEXT || !text_try(p, '{'))
		return false;
	word = text_run(p, CH_PATH);
	if (text_lwsp(p)) {
		c = text_peek(p);
		is = c == ',' || c == '}' || (c == '=' && text_token(p, word) == TOK_ERROR);
	}
	p->at = from;
	return is && !p->code;
}

static bool context_audit(struct text_parser *p, struct h248_command *command)
{
	struct h248_term *list = NULL;
	struct h248_error *error = NULL;
	const char *from = p->at;
	struct base_str word;

	command->context_audit = true;
	if (!text_open(p))
		return false;
	if (text_keyword(p, &word) == TOK_ERROR && text_parm_follows(p)) {
		if (!text_error(p, &error))
			return false;
		command->term = (struct h248_term){ 0 };
		command->descriptors = command->last = &error->d;
		return text_close(p);
	}
	p->at = from;
	if (p->code || !text_term_list(p, &list))
		return false;
	command->term = *list;
	return true;
}

static bool body(struct text_parser *p, struct h248_command *command)
{
	unsigned allowed = p->reply ? rules[command->kind].reply : rules[command->kind].request;
	unsigned seen = 0;

	if (!p->reply && command->kind <= H248_MODIFY && p->version >= 3)
		allowed |= BIT(H248_STATISTICS);
	if (text_try(p, '{')) {
		do {
			if (!descriptor(p, command, allowed, &seen))
				return false;
		} while (text_more(p));
		if (!text_close(p))
			return false;
	}
	if (p->code)
		return false;
	if (!p->reply && rules[command->kind].required & ~seen)
		return text_fail(p, p->syntax_code, p->at, "the descriptor this command needs");
	return true;
}

/* `O-` comes before `W-` (trap 7.15). In replies neither is grammatical; let pass, drop (5.3). */
static struct base_str prefixes(struct text_parser *p, struct base_str word,
                                struct h248_command *command)
{
	if (word.len > 2 && (word.ptr[0] | 0x20) == 'o' && word.ptr[1] == '-') {
		command->optional = !p->reply;
		word.ptr += 2;
		word.len -= 2;
	}
	if (word.len > 2 && (word.ptr[0] | 0x20) == 'w' && word.ptr[1] == '-') {
		command->wildcarded_response = !p->reply;
		word.ptr += 2;
		word.len -= 2;
	}
	return word;
}

bool text_command(struct text_parser *p, struct h248_command *command)
{
	struct base_str whole = text_run(p, CH_SAFE);
	struct base_str word = prefixes(p, whole, command);

	command->kind = (uint8_t)command_kind(text_token(p, word));
	if (command->kind == H248_COMMAND_UNKNOWN)
		return text_fail(p, whole.len ? H248_E_COMMAND : p->syntax_code, whole.ptr,
		                 "a command");
	if (!text_equal(p) || !terms(p, command))
		return false;
	if (is_context_audit(p, command))
		return context_audit(p, command);
	return !p->code && body(p, command);
}

bool text_error(struct text_parser *p, struct h248_error **ret)
{
	struct h248_error *error = TEXT_NEW(p, struct h248_error);
	uint32_t code = 0;

	if (!error || !text_equal(p) || !text_number(p, 4, 9999, &code) || !text_open(p))
		return false;
	error->d.kind = H248_ERROR;
	error->code = (uint16_t)code;
	if (text_peek(p) == '"') {
		error->has_text = true;
		if (!text_quoted(p, &error->text))
			return false;
	}
	*ret = error;
	return text_close(p);
}
