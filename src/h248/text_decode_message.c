/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header and transactions. Invariant of the containing mode: a broken element is skipped from its
 * own start, which stands outside quotes and octet strings, so that one fault cannot hide another
 * transaction unless its braces are unbalanced.
 */
#include "h248/text_parse.h"

/* SEP: at least one blank, line end or comment (trap 7.1). */
static bool separator(struct text_parser *p)
{
	if (p->at == p->end || !text_is(*p->at, CH_BLANK))
		return text_expected(p, "a blank or line end");
	return text_lwsp(p);
}

/* `0x` and hex digits, exactly `digits` of them. */
static bool hex32(struct text_parser *p, uint32_t *ret)
{
	struct base_str run;
	uint8_t octets[4];
	size_t len;

	run = text_run(p, CH_NAME);
	if (run.len != 10 || run.ptr[0] != '0' || (run.ptr[1] | 0x20) != 'x' ||
	    base_hex_decode((struct base_str){ run.ptr + 2, 8 }, octets, 4, &len))
		return text_fail(p, p->syntax_code, run.ptr, "0x and 8 hex digits");
	*ret = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
	       octets[3];
	return true;
}

/* `= 0x.. : 0x.. : 0x..`; no LWSP around the colons (traps 7.1 and 7.17). */
static bool authentication(struct text_parser *p, struct h248_auth *auth)
{
	struct base_str run;
	size_t len = 0;

	if (!text_equal(p) || !hex32(p, &auth->spi))
		return false;
	if (text_peek(p) != ':')
		return text_expected(p, "':'");
	p->at++;
	if (!hex32(p, &auth->sequence))
		return false;
	if (text_peek(p) != ':')
		return text_expected(p, "':'");
	p->at++;
	run = text_run(p, CH_NAME);
	if (run.len < 26 || run.len > 66 || run.ptr[0] != '0' || (run.ptr[1] | 0x20) != 'x' ||
	    base_hex_decode((struct base_str){ run.ptr + 2, run.len - 2 }, auth->data,
	                    sizeof(auth->data), &len))
		return text_fail(p, p->syntax_code, run.ptr,
		                 "0x and 12 to 32 octets of authentication data");
	auth->data_len = (uint8_t)len;
	return separator(p);
}

static bool version(struct text_parser *p, struct h248_message *msg)
{
	const char *from;
	uint32_t v = 0;

	if (text_peek(p) != '/')
		return text_expected(p, "'/' and a version");
	from = ++p->at;
	if (!text_number(p, 2, 99, &v))
		return false;
	msg->version = (uint8_t)v;
	if (!separator(p) || !text_mid(p, false, &msg->mid) || !separator(p))
		return false;
	if (v == 0 || v > H248_VERSION_MAX)
		return text_fail(p, H248_E_VERSION, from, "version 1, 2 or 3");
	return true;
}

static bool header(struct text_parser *p, struct h248_message *msg)
{
	struct base_str word;
	enum h248_token token;

	if (!text_lwsp(p))
		return false;
	token = text_keyword(p, &word);
	if (token == TOK_AUTHENTICATION) {
		msg->auth = TEXT_NEW(p, struct h248_auth);
		if (!msg->auth || !authentication(p, msg->auth))
			return false;
		token = text_keyword(p, &word);
	}
	if (word.len == 0 && text_peek(p) == '!')
		p->at++;
	else if (token != TOK_MEGACO)
		return text_fail(p, p->syntax_code, word.ptr, "MEGACO or '!'");
	return version(p, msg);
}

/* { n, n-m, ... } */
static bool acks(struct text_parser *p, struct h248_transaction *txn)
{
	struct h248_ack **tail = &txn->acks;

	if (!text_open(p))
		return false;
	do {
		struct h248_ack *ack = TEXT_NEW(p, struct h248_ack);

		if (!ack || !text_number(p, 10, UINT32_MAX, &ack->first))
			return false;
		ack->last = ack->first;
		if (text_peek(p) == '-') {
			p->at++;
			if (!text_number(p, 10, UINT32_MAX, &ack->last))
				return false;
		}
		TEXT_APPEND(tail, ack);
	} while (text_more(p));
	return text_close(p);
}

/* "/" segmentNumber [ "/" END ] (v3) */
static bool segment(struct text_parser *p, struct h248_transaction *txn)
{
	struct base_str word;

	if (text_peek(p) != '/' || p->version < 3)
		return text_expected(p, "'{'");
	p->at++;
	txn->has_segment = true;
	if (!text_u16(p, &txn->segment))
		return false;
	if (text_peek(p) != '/')
		return true;
	p->at++;
	word = text_run(p, CH_SAFE);
	if (text_token(p, word) != TOK_END)
		return text_fail(p, p->syntax_code, word.ptr, "END or '&'");
	txn->segment_end = true;
	return true;
}

static bool actions(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	do {
		p->syntax_code = H248_E_SYNTAX_TRANSACTION;
		if (!text_action(p, msg, txn))
			return false;
	} while (text_more(p));
	p->syntax_code = H248_E_SYNTAX_TRANSACTION;
	return text_close(p);
}

static bool reply(struct text_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	struct base_str word;
	enum h248_token token;
	const char *from;

	if (text_peek(p) == '/' && !segment(p, txn))
		return false;
	if (!text_open(p))
		return false;
	from = p->at;
	token = text_keyword(p, &word);
	if (token == TOK_IMM_ACK_REQUIRED) {
		txn->ack_required = true;
		if (!text_more(p))
			return text_expected(p, "','");
		from = p->at;
		token = text_keyword(p, &word);
	}
	if (token == TOK_ERROR)
		return text_error(p, &txn->error) && text_close(p);
	p->at = from;
	return actions(p, msg, txn);
}

/* Everything behind the token of a transaction. */
static bool transaction_body(struct text_parser *p, struct h248_message *msg,
                             struct h248_transaction *txn)
{
	p->reply = txn->kind == H248_REPLY;
	if (txn->kind == H248_TRANSACTION_UNKNOWN)
		return text_fail(p, p->syntax_code, txn->text.ptr, "a transaction");
	if (txn->kind == H248_ACK)
		return acks(p, txn);
	if (!text_equal(p) || !text_number(p, 10, UINT32_MAX, &txn->id))
		return false;
	switch (txn->kind) {
	case H248_PENDING:
		return text_open(p) && text_close(p);
	case H248_SEGMENT: /* no brace, no separator behind it (trap 7.2); LWSP is let pass */
		return segment(p, txn) && text_lwsp(p);
	case H248_REPLY:
		return reply(p, msg, txn);
	default:
		return text_open(p) && actions(p, msg, txn);
	}
}

static enum h248_transaction_kind kind_of(enum h248_token token)
{
	switch (token) {
	case TOK_TRANSACTION:
		return H248_REQUEST;
	case TOK_REPLY:
		return H248_REPLY;
	case TOK_PENDING:
		return H248_PENDING;
	case TOK_TRANSACTION_RESPONSE_ACK:
		return H248_ACK;
	case TOK_SEGMENT:
		return H248_SEGMENT;
	default:
		return H248_TRANSACTION_UNKNOWN;
	}
}

/* Where things hang: a fault belongs to the smallest thing given. */
void text_fault_hang(struct h248_message *msg, struct h248_transaction *txn,
                     const struct h248_action *action, const struct h248_command *command,
                     struct h248_fault *fault)
{
	struct h248_fault **tail = &msg->faults;

	if (txn) {
		txn->faulty = true;
		fault->has_transaction = true;
		fault->transaction = txn->id;
	}
	if (action) {
		fault->has_context = action->has_context;
		fault->context = action->context;
	}
	if (command) {
		fault->has_command = true;
		fault->command = command->kind;
	}
	if (msg->last_fault)
		tail = &msg->last_fault->next;
	*tail = fault;
	msg->last_fault = fault;
}

/* The transaction cannot be read: mark it and step behind it. False when its end is not found. */
static bool transaction_contain(struct text_parser *p, struct h248_message *msg,
                                struct h248_transaction *txn)
{
	struct h248_fault *fault = text_fault_new(p, H248_FAULT_TRANSACTION);
	bool found;

	if (!fault)
		return false;
	txn->fault = fault;
	txn->actions = txn->last_action = NULL;
	txn->acks = NULL;
	txn->error = NULL;
	text_fault_hang(msg, txn, NULL, NULL, fault);
	found = text_resync(p, txn->text.ptr, true) && text_lwsp(p);
	if (!found) {
		p->at = p->end;
		p->code = 0;
	}
	return found;
}

static bool transaction(struct text_parser *p, struct h248_message *msg)
{
	struct h248_transaction *txn = TEXT_NEW(p, struct h248_transaction);
	struct base_str word;
	bool ok;

	if (!txn)
		return false;
	if (p->transactions_left-- == 0)
		return text_fail(p, H248_E_TRANSACTIONS_TOO_MANY, p->at, "no further transaction");
	p->syntax_code = H248_E_SYNTAX_TRANSACTION;
	txn->text.ptr = p->at;
	txn->kind = (uint8_t)kind_of(text_keyword(p, &word));
	if (word.len == 0 || (txn->kind == H248_TRANSACTION_UNKNOWN && !p->contain))
		return text_fail(p, H248_E_SYNTAX_MESSAGE, word.ptr, "a transaction");
	ok = transaction_body(p, msg, txn);
	if (!ok && (!p->contain || p->out_of_memory))
		return false;
	if (!msg->last)
		msg->transactions = txn;
	else
		msg->last->next = txn;
	msg->last = txn;
	if (!ok)
		(void)transaction_contain(p, msg, txn); /* then the input is at its end */
	txn->text.len = (size_t)(p->at - txn->text.ptr);
	while (txn->text.len && text_is(txn->text.ptr[txn->text.len - 1], CH_BLANK))
		txn->text.len--;
	return !p->out_of_memory;
}

/* One error descriptor or transactions, never both (trap 7.20). */
static bool body(struct text_parser *p, struct h248_message *msg)
{
	const char *from = p->at;
	struct base_str word;

	if (text_keyword(p, &word) == TOK_ERROR)
		return text_error(p, &msg->error) &&
		       (p->at == p->end ||
		        text_expected(p, "the end of the message after its error"));
	p->at = from;
	do {
		if (!transaction(p, msg))
			return false;
		p->syntax_code = H248_E_SYNTAX_MESSAGE;
	} while (p->at < p->end);
	return true;
}

static bool message(struct text_parser *p, struct h248_message *msg)
{
	if (!header(p, msg))
		return false;
	p->version = msg->version;
	return body(p, msg);
}

static int refuse(const struct h248_fault *fault, bool local, struct base_error *err)
{
	int rc = BASE_ERR(local ? BASE_LOCAL : BASE_PEER, fault->code);
	const char *words = strstr(fault->text, ": ");

	base_error_place(err, NULL, fault->line, fault->column);
	return base_error_set(err, rc, "%s", words ? words + 2 : fault->text);
}

int h248_text_decode(struct base_arena *arena, const char *input, size_t len,
                     const struct h248_text_options *options, struct h248_message **ret,
                     struct base_error *err)
{
	static const struct h248_text_options defaults = { 0 };
	const struct h248_text_options *o = options ? options : &defaults;
	struct text_parser p = {
		.at = len ? input : "",
		.arena = arena,
		.items_left = o->max_items ? o->max_items : 65536,
		.transactions_left = o->max_transactions ? o->max_transactions : 1024,
		.max_depth = o->max_depth ? o->max_depth : 4,
		.contain = o->contain,
		.version = H248_VERSION_MAX,
		.syntax_code = H248_E_SYNTAX_MESSAGE,
	};
	struct h248_message *msg = TEXT_NEW(&p, struct h248_message);
	struct h248_fault *fault = NULL;
	bool local;

	p.start = p.at;
	p.end = p.at + len;
	if (msg && message(&p, msg)) {
		*ret = msg;
		return 0;
	}
	local = p.local || p.out_of_memory;
	if (!p.out_of_memory)
		fault = text_fault_new(&p, H248_FAULT_MESSAGE);
	if (!fault)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "the message needs more memory than its limit");
	if (!o->contain)
		return refuse(fault, local, err);
	text_fault_hang(msg, NULL, NULL, NULL, fault);
	*ret = msg;
	return 0;
}
