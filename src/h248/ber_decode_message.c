/* SPDX-License-Identifier: Apache-2.0 */
/* Header, transactions, and how faults are contained. */
#include "h248/ber.h"

#include "h248/ber_in.h"
#include "h248/ber_names.h"
#include "h248/ber_private.h"

/* ---- faults ---- */

void ber_fault_hang(struct h248_message *msg, struct h248_transaction *txn,
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

/*
 * With `contain`, a length of the message's frame that runs past the input is taken as far as the
 * input goes, so that whoever sent a message cut short gets its TransactionIDs back.
 */
static bool frame_header(struct ber_parser *p)
{
	p->clipped = false;
	if (ber_header(p))
		return true;
	if (!p->contain || p->h.len == BER_INDEFINITE || p->h.len <= (size_t)(p->limit - p->at))
		return false;
	p->code = 0;
	p->cut = p->clipped = true;
	p->h.len = (size_t)(p->limit - p->at);
	return true;
}

/* The next field of such a frame; as ber_field. */
static __attribute__((cold)) int frame_field_slow(struct ber_parser *p, struct ber_box box)
{
	if (!ber_more(p, &box))
		return p->code ? BER_FAIL : BER_END;
	return frame_header(p) ? ber_field_number(p, box.seen, box.last) : BER_FAIL;
}

static inline int frame_field(struct ber_parser *p, struct ber_box *box)
{
	int number;

	p->clipped = false;
	if (ber_ended(p, box))
		return BER_END;
	number = ber_field_usual(p, box);
	if (number >= 0)
		return number;
	number = frame_field_slow(p, *box);
	ber_met(box, number);
	return number;
}

/* ---- transactions ---- */

static bool actions(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	for (; p->syntax_code = H248_E_SYNTAX_TRANSACTION, ber_element(p, &box, BER_SEQUENCE);
	     index++) {
		if (!ber_action(p, msg, txn, index))
			return false;
	}
	return !p->code;
}

static bool result(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	struct ber_box box;
	bool ok;

	switch (ber_explicit(p, &box)) {
	case 0:
		ok = ber_error(p, &txn->error);
		break;
	case 1:
		ok = actions(p, msg, txn);
		break;
	default:
		ok = ber_expected(p, "transactionError or actionReplies");
	}
	return ok && ber_done(p, &box);
}

static bool flag(struct ber_parser *p, bool *ret)
{
	*ret = true;
	return ber_null(p);
}

static bool segment(struct ber_parser *p, struct h248_transaction *txn)
{
	txn->has_segment = true;
	return ber_u16(p, &txn->segment);
}

static bool reply_field(struct ber_parser *p, int tag, struct h248_message *msg,
                        struct h248_transaction *txn)
{
	switch (tag) {
	case 1:
		return flag(p, &txn->ack_required);
	case 2:
		return result(p, msg, txn);
	case 3:
		return segment(p, txn);
	case 4:
		return flag(p, &txn->segment_end);
	default:
		return ber_extension(p, &txn->extensions);
	}
}

static bool segment_field(struct ber_parser *p, int tag, struct h248_transaction *txn)
{
	return tag == 1   ? segment(p, txn)
	       : tag == 2 ? flag(p, &txn->segment_end)
	                  : ber_extension(p, &txn->extensions);
}

/* Request, Pending, Reply, SegmentReply: the TransactionID comes first in all of them. */
static bool numbered(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn)
{
	static const uint8_t needed[] = {
		[H248_REQUEST] = 3, [H248_PENDING] = 1, [H248_REPLY] = 5, [H248_SEGMENT] = 3
	};
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = frame_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0)
			ok = BER_AT(p, "transactionId", ber_uint(p, UINT32_MAX, &txn->id));
		else if (txn->kind == H248_REPLY)
			ok = reply_field(p, tag, msg, txn);
		else if (txn->kind == H248_SEGMENT)
			ok = segment_field(p, tag, txn);
		else if (txn->kind == H248_REQUEST && tag == 1)
			ok = actions(p, msg, txn);
		else
			ok = ber_extension(p, &txn->extensions);
		if (!ok)
			return false;
		p->syntax_code = H248_E_SYNTAX_TRANSACTION;
	}
	return tag == BER_END && ber_need(p, &box, needed[txn->kind], from);
}

static bool acknowledgement(struct ber_parser *p, struct h248_ack *ack)
{
	const uint8_t *from = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag > 1 ? !ber_closed(p)
		            : !ber_uint(p, UINT32_MAX, tag ? &ack->last : &ack->first))
			return false;
	}
	if (box.seen == 1)
		ack->last = ack->first;
	return tag == BER_END && ber_need(p, &box, 1, from);
}

static bool acks(struct ber_parser *p, struct h248_transaction *txn)
{
	struct h248_ack **tail = &txn->acks;
	struct ber_box box;

	if (!ber_open(p, &box))
		return false;
	while (ber_element(p, &box, BER_SEQUENCE)) {
		struct h248_ack *ack = BER_NEW(p, struct h248_ack);

		if (!ack || !acknowledgement(p, ack))
			return ber_in(p, "transactionResponseAck", -1);
		BER_APPEND(tail, ack);
	}
	return !p->code;
}

static const uint8_t kinds[] = { H248_REQUEST, H248_PENDING, H248_REPLY, H248_ACK, H248_SEGMENT };

static bool transaction_body(struct ber_parser *p, struct h248_message *msg,
                             struct h248_transaction *txn)
{
	txn->kind = H248_TRANSACTION_UNKNOWN;
	if (ber_class(p) == BER_CONTEXT && ber_number(p) < sizeof(kinds))
		txn->kind = kinds[ber_number(p)];
	if (txn->kind == H248_TRANSACTION_UNKNOWN || (txn->kind == H248_SEGMENT && p->version < 3))
		return ber_expected(p, "a known transaction");
	p->reply = txn->kind == H248_REPLY;
	return txn->kind == H248_ACK ? acks(p, txn) : numbered(p, msg, txn);
}

/* The transaction cannot be read: mark it and step behind it. False when its end is not found. */
static bool contain(struct ber_parser *p, struct h248_message *msg, struct h248_transaction *txn,
                    const uint8_t *limit)
{
	const uint8_t *from = (const uint8_t *)txn->text.ptr;
	struct h248_fault *fault = ber_fault_new(p, H248_FAULT_TRANSACTION);

	if (!fault)
		return false;
	txn->fault = fault;
	txn->actions = txn->last_action = NULL;
	txn->acks = NULL;
	txn->error = NULL;
	ber_fault_hang(msg, txn, NULL, NULL, fault);
	p->ended = !ber_resync(p, from, limit);
	if (!p->ended)
		return true;
	p->code = 0;
	p->at = p->end;
	return false;
}

/* One element of `transactions`, its header read. */
static bool transaction(struct ber_parser *p, struct h248_message *msg, int index,
                        const uint8_t *limit)
{
	struct h248_transaction *txn = BER_NEW(p, struct h248_transaction);
	bool ok, go_on = true, clipped = p->clipped;

	if (!txn)
		return false;
	if (p->transactions_left-- == 0)
		return ber_fail(p, H248_E_TRANSACTIONS_TOO_MANY, p->h.from,
		                "no further transaction");
	p->syntax_code = H248_E_SYNTAX_TRANSACTION;
	txn->text.ptr = (const char *)p->h.from;
	p->transaction = index;
	ok = transaction_body(p, msg, txn) &&
	     (!clipped || ber_fail(p, p->syntax_code, p->at, "the rest of the transaction"));
	if (!ok)
		(void)ber_in(p, "transactions", index);
	if (!ok && (!p->contain || p->out_of_memory))
		return false;
	if (!msg->last)
		msg->transactions = txn;
	else
		msg->last->next = txn;
	msg->last = txn;
	if (!ok)
		go_on = contain(p, msg, txn, limit);
	txn->text.len = (size_t)((const char *)p->at - txn->text.ptr);
	p->syntax_code = H248_E_SYNTAX_MESSAGE;
	return go_on && !p->out_of_memory;
}

static bool transactions(struct ber_parser *p, struct h248_message *msg)
{
	struct ber_box box;
	int index = 0;

	if (!ber_open(p, &box))
		return false;
	while (ber_more(p, &box)) {
		const uint8_t *limit = p->limit;

		if (!frame_header(p))
			return ber_in(p, "transactions", index);
		if (!transaction(p, msg, index++, limit))
			return false;
	}
	return !p->code;
}

/* ---- header ---- */

/* One error descriptor or transactions, never both (trap 7.20). */
static bool message_body(struct ber_parser *p, struct h248_message *msg)
{
	struct ber_box box;
	bool ok;

	if (!ber_open(p, &box))
		return false;
	if (!ber_more(p, &box) || !frame_header(p))
		return p->code ? false : ber_expected(p, "messageError or transactions");
	if (ber_class(p) == BER_CONTEXT && ber_number(p) == 0)
		ok = ber_error(p, &msg->error);
	else if (ber_class(p) == BER_CONTEXT && ber_number(p) == 1)
		ok = transactions(p, msg);
	else
		ok = ber_expected(p, "messageError or transactions");
	return ok && ber_done(p, &box);
}

/* SEQUENCE OF IA5String into an array: what BER_LISTED numbers stand for. */
static bool list_of_names(struct ber_parser *p)
{
	struct ber_parser counting;
	struct base_str *names;
	struct ber_box box;
	unsigned count = 0;

	counting = *p;
	if (!ber_open(&counting, &box))
		return ber_expected(p, "a list of names");
	while (ber_more(&counting, &box) && ber_header(&counting) && ber_skip(&counting))
		count++;
	if (counting.code || count > BER_LISTED_MAX || count > p->items_left)
		return ber_expected(p, "a list of names");
	p->items_left -= count;
	names = base_arena_array(p->arena, count, sizeof(*names));
	if (!names && count)
		return ber_fail_memory(p);
	if (!ber_open(p, &box))
		return false;
	for (unsigned i = 0; ber_element(p, &box, BER_IA5_STRING); i++) {
		if (!names || !ber_sized(p, 1, 129, &names[i])) /* checked where it is used */
			return false;
	}
	p->names = names;
	p->name_count = count;
	return !p->code;
}

/*
 * Behind the body stands, if anything, what this project adds: it is needed before the body. Only
 * looked for where the end of the body is known or can be found by one walk.
 */
static bool look_ahead(struct ber_parser *p, struct ber_box box)
{
	struct ber_parser ahead;
	int tag;

	if (p->h.len != BER_INDEFINITE && p->at + p->h.len == box.end)
		return true;
	ahead = *p;
	if (!ber_skip(&ahead))
		return true;
	while ((tag = ber_field(&ahead, &box)) >= 0) {
		if (tag != BER_OURS + BER_OURS_NAMES) {
			if (!ber_skip(&ahead))
				return true;
			continue;
		}
		if (list_of_names(&ahead)) {
			p->names = ahead.names;
			p->name_count = ahead.name_count;
			p->items_left = ahead.items_left;
		}
		break;
	}
	return !ahead.out_of_memory || ber_fail_memory(p);
}

static bool version(struct ber_parser *p, struct h248_message *msg)
{
	return BER_AT(p, "version", ber_u8(p, 99, &msg->version));
}

static bool body(struct ber_parser *p, struct h248_message *msg, const struct ber_box *box)
{
	if (!look_ahead(p, *box))
		return false;
	p->version = msg->version;
	return message_body(p, msg);
}

static bool mess(struct ber_parser *p, struct h248_message *msg)
{
	const uint8_t *from = p->h.from, *version_at = p->h.from;
	struct ber_box box;
	int tag;

	if (!ber_open(p, &box))
		return false;
	while ((tag = frame_field(p, &box)) >= 0) {
		bool ok;

		if (tag == 0) {
			version_at = p->h.from;
			ok = version(p, msg);
		} else if (tag == 1) {
			ok = BER_AT(p, "mId", ber_mid(p, false, &msg->mid));
		} else if (tag == 2) {
			if ((box.seen & 3) != 3)
				return ber_need(p, &box, 3, from);
			if (msg->version == 0 || msg->version > H248_VERSION_MAX)
				return ber_fail(p, H248_E_VERSION, version_at, "version 1, 2 or 3");
			ok = body(p, msg, &box);
		} else {
			ok = ber_extension(p, NULL);
		}
		if (!ok)
			return false;
	}
	return tag == BER_END && ber_need(p, &box, 7, from);
}

static bool auth(struct ber_parser *p, struct h248_message *msg)
{
	struct h248_auth *a = msg->auth = BER_NEW(p, struct h248_auth);
	const uint8_t *from = p->h.from;
	struct base_str s;
	struct ber_box box;
	uint32_t number;
	int tag;

	if (!a || !ber_open(p, &box))
		return false;
	while ((tag = ber_field(p, &box)) >= 0) {
		if (tag > 2)
			return ber_closed(p);
		if (!ber_sized(p, tag == 2 ? 12 : 4, tag == 2 ? 32 : 4, &s))
			return false;
		if (tag == 2) {
			memcpy(a->data, s.ptr, s.len);
			a->data_len = (uint8_t)s.len;
			continue;
		}
		number = (uint32_t)(uint8_t)s.ptr[0] << 24 | (uint32_t)(uint8_t)s.ptr[1] << 16 |
		         (uint32_t)(uint8_t)s.ptr[2] << 8 | (uint8_t)s.ptr[3];
		if (tag == 0)
			a->spi = number;
		else
			a->sequence = number;
	}
	return tag == BER_END && ber_need(p, &box, 7, from);
}

static bool message(struct ber_parser *p, struct h248_message *msg)
{
	const uint8_t *from = p->at;
	struct ber_box box;
	int tag;

	if (!frame_header(p))
		return false;
	if (ber_class(p) != BER_UNIVERSAL || ber_number(p) != BER_SEQUENCE || !ber_open(p, &box))
		return ber_expected(p, "a MegacoMessage");
	while ((tag = frame_field(p, &box)) >= 0) {
		if (tag == 0   ? !BER_AT(p, "authHeader", auth(p, msg))
		    : tag == 1 ? !mess(p, msg)
		               : !ber_closed(p))
			return false;
	}
	if (tag != BER_END || !ber_need(p, &box, 2, from))
		return false;
	if (p->at != p->end)
		return ber_fail(p, p->syntax_code, p->at, "the end of the message");
	return !p->cut || ber_fail(p, p->syntax_code, p->at, "the rest of the message");
}

static int refuse(const struct h248_fault *fault, bool local, struct base_error *err)
{
	int rc = BASE_ERR(local ? BASE_LOCAL : BASE_PEER, fault->code);

	base_error_place(err, NULL, 0, 0);
	return base_error_set(err, rc, "%s", fault->text);
}

int h248_ber_decode(struct base_arena *arena, const void *input, size_t len,
                    const struct h248_text_options *options, struct h248_message **ret,
                    struct base_error *err)
{
	static const struct h248_text_options defaults = { 0 };
	const struct h248_text_options *o = options ? options : &defaults;
	struct ber_parser p;
	struct h248_message *msg;
	struct h248_fault *fault = NULL;
	bool local;

	memset(&p, 0, offsetof(struct ber_parser, frames)); /* the frames are counted */
	p.frame_count = 0;
	p.at = p.start = p.h.from = len ? input : (const void *)"";
	p.limit = p.end = p.at + len;
	p.arena = arena;
	p.items_left = o->max_items ? o->max_items : 65536;
	p.transactions_left = o->max_transactions ? o->max_transactions : 1024;
	p.max_depth = o->max_depth ? o->max_depth : 4;
	p.contain = o->contain;
	p.version = H248_VERSION_MAX;
	p.syntax_code = H248_E_SYNTAX_MESSAGE;
	msg = BER_NEW(&p, struct h248_message);
	if (msg && (message(&p, msg) || p.ended)) {
		*ret = msg;
		return 0;
	}
	local = p.local || p.out_of_memory;
	if (!p.out_of_memory)
		fault = ber_fault_new(&p, H248_FAULT_MESSAGE);
	if (!fault)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "the message needs more memory than its limit");
	if (!o->contain)
		return refuse(fault, local, err);
	ber_fault_hang(msg, NULL, NULL, NULL, fault);
	*ret = msg;
	return 0;
}
