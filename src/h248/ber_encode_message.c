/* SPDX-License-Identifier: Apache-2.0 */
/* Header, transactions, actions, context attributes. */
#include "h248/ber.h"

#include "h248/ber_out.h"
#include "h248/ber_private.h"
#include "h248/errors.h"

/* ---- context attributes ---- */

/* A direction of v3 goes into its own field; topologyDirection is mandatory all the same (P). */
static void put_topology(struct ber_out *o, const struct h248_topology *t)
{
	size_t list = ber_begin(o, BOX(2));

	for (; t; t = t->next) {
		size_t at = ber_begin(o, TAG_SEQUENCE);
		bool extension = t->direction > H248_ONEWAY;

		ber_put_term(o, BOX(0), &t->from);
		ber_put_term(o, BOX(1), &t->to);
		ber_put_uint(o, TAG(2), extension ? H248_ONEWAY : t->direction);
		ber_put_uint_if(o, t->has_stream, TAG(3), t->stream);
		ber_put_uint_if(o, extension, TAG(4),
		                (uint32_t)(t->direction - H248_ONEWAY_EXTERNAL));
		ber_close(o, at);
	}
	ber_close(o, list);
}

static void put_context_list(struct ber_out *o, unsigned tag, const struct h248_context_id *id)
{
	size_t list = ber_begin(o, tag);

	for (; id; id = id->next)
		ber_put_uint(o, TAG_INTEGER, id->id);
	ber_close(o, list);
}

static bool has_attr(const struct h248_context_attr *attr)
{
	return attr && (attr->ieps | attr->emergency | attr->has_priority | (attr->parms != NULL) |
	                (attr->list != NULL) | (attr->topology != NULL));
}

static void put_context_attr(struct ber_out *o, unsigned tag, const struct h248_action *action)
{
	static const struct h248_context_attr nothing = { .topology = NULL };
	const struct h248_context_attr *attr = action->attr ? action->attr : &nothing;
	size_t at;

	if (!has_attr(action->attr) && !action->extensions)
		return;
	at = ber_begin(o, tag);
	ber_put_uint_if(o, attr->has_priority, TAG(0), attr->priority);
	ber_put_bool_if(o, attr->emergency, TAG(1), attr->emergency == H248_ON);
	if (attr->topology)
		put_topology(o, attr->topology);
	ber_put_bool_if(o, attr->ieps, TAG(3), attr->ieps == H248_ON);
	if (attr->parms)
		ber_put_properties(o, BOX(4), attr->parms);
	if (attr->list)
		put_context_list(o, BOX(5), attr->list);
	ber_put_extensions(o, action->extensions);
	ber_close(o, at);
}

static void put_context_audit(struct ber_out *o, const struct h248_context_audit *audit)
{
	size_t at = ber_begin(o, BOX(2)), logic;

	ber_put_null_if(o, audit->items & H248_CONTEXT_TOPOLOGY, TAG(0));
	ber_put_null_if(o, audit->items & H248_CONTEXT_EMERGENCY, TAG(1));
	ber_put_null_if(o, audit->items & H248_CONTEXT_PRIORITY, TAG(2));
	ber_put_null_if(o, audit->items & H248_CONTEXT_IEPS, TAG(3));
	if (audit->parms)
		ber_put_asked(o, BOX(4), audit->parms);
	ber_put_uint_if(o, audit->has_select_priority, TAG(5), audit->select_priority);
	ber_put_bool_if(o, audit->select_emergency, TAG(6), audit->select_emergency == H248_ON);
	ber_put_bool_if(o, audit->select_ieps, TAG(7), audit->select_ieps == H248_ON);
	if (audit->has_logic) {
		logic = ber_begin(o, BOX(8));
		ber_put_null(o, TAG(audit->logic_or ? 1 : 0));
		ber_close(o, logic);
	}
	if (audit->list)
		put_context_list(o, OUR_BOX(BER_OURS_LIST), audit->list);
	ber_close(o, at);
}

/* ---- actions ---- */

void ber_put_action(struct ber_out *o, const struct h248_action *action)
{
	size_t at = ber_begin(o, TAG_SEQUENCE), list;

	ber_put_uint(o, TAG(0), action->context);
	if (o->reply && action->error)
		ber_put_error(o, BOX(1), action->error);
	put_context_attr(o, o->reply ? BOX(2) : BOX(1), action);
	if (!o->reply && action->audit)
		put_context_audit(o, action->audit);
	list = ber_begin(o, BOX(3));
	for (const struct h248_command *c = action->commands; c; c = c->next)
		ber_put_command(o, c);
	ber_close2(o, list, at);
}

static void put_actions(struct ber_out *o, unsigned tag, const struct h248_action *action)
{
	size_t list = ber_begin(o, tag);

	for (; action; action = action->next)
		ber_put_action(o, action);
	ber_close(o, list);
}

/* ---- transactions ---- */

static void put_reply(struct ber_out *o, const struct h248_transaction *txn)
{
	size_t at;

	ber_put_null_if(o, txn->ack_required, TAG(1));
	at = ber_begin(o, BOX(2));
	if (txn->error)
		ber_put_error(o, BOX(0), txn->error);
	else
		put_actions(o, BOX(1), txn->actions);
	ber_close(o, at);
	ber_put_uint_if(o, txn->has_segment, TAG(3), txn->segment);
	ber_put_null_if(o, txn->segment_end, TAG(4));
}

static void put_acks(struct ber_out *o, const struct h248_ack *ack)
{
	for (; ack; ack = ack->next) {
		size_t at = ber_begin(o, TAG_SEQUENCE);

		ber_put_uint(o, TAG(0), ack->first);
		ber_put_uint_if(o, ack->last != ack->first, TAG(1), ack->last);
		ber_close(o, at);
	}
}

static void put_transaction(struct ber_out *o, const struct h248_transaction *txn)
{
	static const uint8_t tags[] = {
		[H248_REQUEST] = 0, [H248_PENDING] = 1, [H248_REPLY] = 2,
		[H248_ACK] = 3,     [H248_SEGMENT] = 4,
	};
	size_t at;

	if (txn->kind >= sizeof(tags)) {
		o->bad = true;
		return;
	}
	o->reply = txn->kind == H248_REPLY;
	at = ber_begin(o, BOX(tags[txn->kind]));
	if (txn->kind == H248_ACK) {
		put_acks(o, txn->acks);
		ber_close(o, at);
		return;
	}
	ber_put_uint(o, TAG(0), txn->id);
	if (txn->kind == H248_REQUEST) {
		put_actions(o, BOX(1), txn->actions);
	} else if (txn->kind == H248_REPLY) {
		put_reply(o, txn);
	} else if (txn->kind == H248_SEGMENT) {
		ber_put_uint(o, TAG(1), txn->segment);
		ber_put_null_if(o, txn->segment_end, TAG(2));
	}
	ber_put_extensions(o, txn->extensions);
	ber_close(o, at);
}

/* ---- message ---- */

static void put_auth(struct ber_out *o, const struct h248_auth *auth)
{
	const uint32_t numbers[] = { auth->spi, auth->sequence };
	size_t at = ber_begin(o, BOX(0));

	for (unsigned i = 0; i < 2; i++) {
		uint8_t octets[4] = { (uint8_t)(numbers[i] >> 24), (uint8_t)(numbers[i] >> 16),
			              (uint8_t)(numbers[i] >> 8), (uint8_t)numbers[i] };

		ber_put(o, TAG(i), octets, 4);
	}
	if (auth->data_len < 12 || auth->data_len > sizeof(auth->data))
		o->bad = true;
	else
		ber_put(o, TAG(2), auth->data, auth->data_len);
	ber_close(o, at);
}

static void put_body(struct ber_out *o, const struct h248_message *msg)
{
	size_t body = ber_begin(o, BOX(2)), list;

	if (msg->error) {
		ber_put_error(o, BOX(0), msg->error);
		ber_close(o, body);
		return;
	}
	list = ber_begin(o, BOX(1));
	for (const struct h248_transaction *txn = msg->transactions; txn; txn = txn->next)
		put_transaction(o, txn);
	ber_close2(o, list, body);
}

static void put_names(struct ber_out *o)
{
	size_t at;

	if (!o->name_count)
		return;
	at = ber_begin(o, OUR_BOX(BER_OURS_NAMES));
	ber_put_raw(o, o->names.data, o->names.len);
	ber_close(o, at);
}

static void put_message(struct ber_out *o, const struct h248_message *msg)
{
	size_t at = ber_begin(o, TAG_SEQUENCE), mess;

	if (msg->auth)
		put_auth(o, msg->auth);
	mess = ber_begin(o, BOX(1));
	ber_put_uint(o, TAG(0), msg->version);
	ber_put_mid(o, BOX(1), &msg->mid, false);
	put_body(o, msg);
	put_names(o);
	ber_close2(o, mess, at);
}

static void start(struct ber_out *o, struct base_writer *w, unsigned version)
{
	ber_start(o, w);
	o->names = base_writer_over(o->names_room, sizeof(o->names_room));
	o->name_count = 0;
	o->version = (uint8_t)version;
	o->reply = false;
	o->bad = false;
}

static int finish(struct ber_out *o, size_t from)
{
	struct base_writer *w = o->w;
	bool failed = w->failed;

	ber_finish(o);
	base_writer_done(&o->names);
	if (!failed && !o->bad)
		return 0;
	w->len = from;
	if (failed)
		return BASE_ERR(BASE_LOCAL,
		                w->fixed || w->limit ? H248_E_PDU_SIZE : H248_E_RESOURCES);
	return BASE_ERR(BASE_BUG, H248_E_INTERNAL);
}

int h248_ber_encode(struct base_writer *w, const struct h248_message *msg)
{
	struct ber_out o;
	size_t from = w->len;

	start(&o, w, msg->version);
	put_message(&o, msg);
	return finish(&o, from);
}

int h248_ber_encode_transaction(struct base_writer *w, const struct h248_transaction *txn,
                                unsigned version)
{
	struct ber_out o;
	size_t from = w->len;

	start(&o, w, version);
	put_transaction(&o, txn);
	return finish(&o, from);
}
