/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/text_out.h"

static void hex32(struct text_out *o, uint32_t v)
{
	uint8_t octets[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
		              (uint8_t)v };
	char hex[3 * 4 + 1];

	base_hex_encode(octets, 4, 0, true, hex);
	OUT_LITERAL(o, "0x");
	out_put(o, hex, 8);
}

static void authentication(struct text_out *o, const struct h248_auth *auth)
{
	char hex[3 * sizeof(auth->data) + 1];

	if (auth->data_len < 12 || auth->data_len > sizeof(auth->data)) {
		o->bad = true;
		return;
	}
	out_key(o, TOK_AUTHENTICATION);
	hex32(o, auth->spi);
	out_char(o, ':');
	hex32(o, auth->sequence);
	base_hex_encode(auth->data, auth->data_len, 0, true, hex);
	OUT_LITERAL(o, ":0x");
	out_put(o, hex, strlen(hex));
	out_char(o, o->pretty ? '\n' : ' ');
}

static void acks(struct text_out *o, const void *what)
{
	bool first = true;

	for (const struct h248_ack *ack = what; ack; ack = ack->next) {
		out_comma(o, &first);
		out_number(o, ack->first);
		if (ack->last != ack->first) {
			out_char(o, '-');
			out_number(o, ack->last);
		}
	}
}

static void segment(struct text_out *o, const struct h248_transaction *txn)
{
	if (!txn->has_segment)
		return;
	out_char(o, '/');
	out_number(o, txn->segment);
	if (txn->segment_end) {
		out_char(o, '/');
		out_token(o, TOK_END);
	}
}

static void transaction_body(struct text_out *o, const void *what)
{
	const struct h248_transaction *txn = what;
	bool first = true;

	if (txn->ack_required && txn->kind == H248_REPLY) {
		out_comma(o, &first);
		out_token(o, TOK_IMM_ACK_REQUIRED);
	}
	if (txn->error && txn->kind == H248_REPLY) {
		out_comma(o, &first);
		out_error(o, txn->error);
		return;
	}
	for (const struct h248_action *action = txn->actions; action; action = action->next) {
		out_comma(o, &first);
		out_action(o, action);
	}
	if (!txn->actions)
		o->bad = true;
}

static void transaction(struct text_out *o, const struct h248_transaction *txn)
{
	o->line = (size_t)(o->at - o->data);
	o->reply = txn->kind == H248_REPLY;
	switch (txn->kind) {
	case H248_ACK:
		out_token(o, TOK_TRANSACTION_RESPONSE_ACK);
		if (!txn->acks)
			o->bad = true;
		out_block(o, false, acks, txn->acks);
		return;
	case H248_PENDING:
		out_key(o, TOK_PENDING);
		out_number(o, txn->id);
		out_block_empty(o);
		return;
	case H248_SEGMENT:
		out_key(o, TOK_SEGMENT);
		out_number(o, txn->id);
		if (!txn->has_segment)
			o->bad = true;
		segment(o, txn);
		return;
	case H248_REPLY:
		out_key(o, TOK_REPLY);
		out_number(o, txn->id);
		segment(o, txn);
		out_block(o, !txn->error, transaction_body, txn);
		return;
	case H248_REQUEST:
		out_key(o, TOK_TRANSACTION);
		out_number(o, txn->id);
		out_block(o, true, transaction_body, txn);
		return;
	default:
		o->bad = true;
	}
}

/*
 * Between transactions stands nothing. A Segment has no closing brace, so nothing may follow it by
 * the grammar (trap 7.2); where one is not the last, a line end separates, which receivers that are
 * as lenient as ours take.
 */
static void transactions(struct text_out *o, const struct h248_transaction *txn)
{
	for (; txn; txn = txn->next) {
		transaction(o, txn);
		if (txn->kind == H248_SEGMENT ? txn->next != NULL : o->pretty)
			out_char(o, '\n');
	}
}

static int result(struct text_out *o)
{
	out_finish(o);
	if (o->w->failed)
		return BASE_ERR(BASE_LOCAL,
		                o->w->fixed || o->w->limit ? H248_E_PDU_SIZE : H248_E_RESOURCES);
	return o->bad ? BASE_ERR(BASE_BUG, H248_E_INTERNAL) : 0;
}

/* The rings need no start. */
static void start(struct text_out *o, struct base_writer *w, unsigned version,
                  enum h248_text_style style)
{
	o->w = w;
	o->indent = o->depth = o->unfolded = o->breaks = 0;
	o->version = (uint8_t)version;
	o->pretty = style == H248_TEXT_PRETTY;
	o->reply = o->bad = false;
	out_start(o);
}

int h248_text_encode(struct base_writer *w, const struct h248_message *msg,
                     enum h248_text_style style)
{
	struct text_out o;

	start(&o, w, msg->version, style);
	if (msg->auth)
		authentication(&o, msg->auth);
	if (o.pretty)
		OUT_LITERAL(&o, "MEGACO/");
	else
		OUT_LITERAL(&o, "!/");
	if (msg->version == 0 || msg->version > 99)
		o.bad = true;
	out_number(&o, msg->version);
	out_char(&o, ' ');
	out_mid(&o, &msg->mid);
	out_char(&o, o.pretty ? '\n' : ' ');
	o.line = (size_t)(o.at - o.data);
	if (msg->error) {
		out_error(&o, msg->error);
		if (o.pretty)
			out_char(&o, '\n');
	} else if (msg->transactions) {
		transactions(&o, msg->transactions);
	} else {
		o.bad = true;
	}
	return result(&o);
}

int h248_text_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                 unsigned version, enum h248_text_style style)
{
	struct text_out o;

	start(&o, w, version, style);
	transaction(&o, txn);
	return result(&o);
}
