/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include "generate_parts.h"

const char *generate_feature_name(enum generate_feature feature)
{
	static const char *const names[] = {
#define F(name) #name,
#include "generate_features.inc"
#undef F
	};

	return names[feature];
}

/* splitmix64 (public domain, S. Vigna). */
uint64_t gen_next(struct generator *g)
{
	uint64_t z = (g->state += 0x9E3779B97F4A7C15ULL);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

/* ---- contexts ---------------------------------------------------------------------------- */

static uint32_t context_number(struct generator *g)
{
	uint32_t id = gen_u32(g);

	return id == 0 || id >= H248_CONTEXT_CHOOSE ? 7 : id;
}

static uint32_t context_id(struct generator *g)
{
	switch (gen_pick(g, 6)) {
	case 0:
		gen_mark(g, GEN_CONTEXT_NULL);
		return H248_CONTEXT_NULL;
	case 1:
		gen_mark(g, GEN_CONTEXT_CHOOSE);
		return H248_CONTEXT_CHOOSE;
	case 2:
		gen_mark(g, GEN_CONTEXT_ALL);
		return H248_CONTEXT_ALL;
	default:
		gen_mark(g, GEN_CONTEXT_NUMBER);
		return context_number(g);
	}
}

static struct h248_context_id *context_list(struct generator *g)
{
	struct h248_context_id *list = NULL, **tail = &list;

	for (unsigned n = 1 + gen_pick(g, 4); n; n--) {
		struct h248_context_id *id = GEN_NEW(g, struct h248_context_id);

		id->id = context_number(g);
		GEN_APPEND(tail, id);
	}
	return list;
}

static struct h248_topology *topology(struct generator *g)
{
	static const enum generate_feature marks[] = { GEN_TOPOLOGY_BOTHWAY, GEN_TOPOLOGY_ISOLATE,
		                                       GEN_TOPOLOGY_ONEWAY, GEN_TOPOLOGY_EXTERNAL,
		                                       GEN_TOPOLOGY_BOTH };
	struct h248_topology *list = NULL, **tail = &list;

	gen_mark(g, GEN_ATTR_TOPOLOGY);
	for (unsigned n = 1 + gen_pick(g, 3); n; n--) {
		struct h248_topology *t = GEN_NEW(g, struct h248_topology);

		t->from = gen_term(g);
		t->to = gen_term(g);
		t->direction = (uint8_t)gen_pick(g, 3);
		if (g->version >= 3 && gen_chance(g, 25))
			t->direction = (uint8_t)(H248_ONEWAY_EXTERNAL + gen_pick(g, 2));
		gen_mark(g, marks[t->direction]);
		if (g->version >= 2 && gen_maybe(g, 40, GEN_TOPOLOGY_STREAM)) {
			t->has_stream = true;
			t->stream = gen_u16(g);
		}
		GEN_APPEND(tail, t);
	}
	if (list->next)
		gen_mark(g, GEN_TOPOLOGY_MANY);
	return list;
}

static void attributes(struct generator *g, struct h248_context_attr *attr)
{
	if (gen_chance(g, 50))
		attr->topology = topology(g);
	if (gen_maybe(g, 40, GEN_ATTR_PRIORITY)) {
		attr->has_priority = true;
		attr->priority = (uint16_t)gen_pick(g, 16);
	}
	if (gen_chance(g, 30)) {
		attr->emergency = H248_ON;
		if (g->version >= 2 && gen_chance(g, 40))
			attr->emergency = H248_OFF;
		gen_mark(g,
		         attr->emergency == H248_ON ? GEN_ATTR_EMERGENCY : GEN_ATTR_EMERGENCY_OFF);
	}
	if (g->version >= 3 && gen_maybe(g, 30, GEN_ATTR_IEPS))
		attr->ieps = gen_chance(g, 50) ? H248_ON : H248_OFF;
	if (g->version >= 3 && gen_maybe(g, 20, GEN_ATTR_PARMS))
		attr->parms = gen_properties(g, 2, 0);
	else if (g->version >= 3 && gen_maybe(g, 10, GEN_ATTR_LIST))
		attr->list = context_list(g);
	if (!attr->topology && !attr->has_priority && !attr->emergency && !attr->ieps &&
	    !attr->parms && !attr->list)
		attr->topology = topology(g);
}

static void selectors(struct generator *g, struct h248_context_audit *audit)
{
	if (gen_maybe(g, 30, GEN_SELECT_PRIORITY)) {
		audit->has_select_priority = true;
		audit->select_priority = (uint16_t)gen_pick(g, 16);
	}
	if (gen_maybe(g, 30, GEN_SELECT_EMERGENCY))
		audit->select_emergency = gen_chance(g, 50) ? H248_ON : H248_OFF;
	if (gen_maybe(g, 30, GEN_SELECT_IEPS))
		audit->select_ieps = gen_chance(g, 50) ? H248_ON : H248_OFF;
	if (gen_maybe(g, 30, GEN_SELECT_LIST))
		audit->list = context_list(g);
	else if (!audit->parms && gen_maybe(g, 40, GEN_SELECT_PARM))
		audit->parms = gen_properties(g, 2, 0);
	if (gen_chance(g, 40)) {
		audit->has_logic = true;
		audit->logic_or = gen_chance(g, 50);
		gen_mark(g, audit->logic_or ? GEN_SELECT_OR : GEN_SELECT_AND);
	}
}

static struct h248_context_audit *context_audit(struct generator *g)
{
	struct h248_context_audit *audit = GEN_NEW(g, struct h248_context_audit);

	gen_mark(g, GEN_CONTEXT_AUDIT);
	audit->items = (uint8_t)gen_pick(g, 8);
	if (g->version >= 3 && gen_maybe(g, 30, GEN_CONTEXT_AUDIT_IEPS))
		audit->items |= H248_CONTEXT_IEPS;
	if (g->version >= 3 && gen_maybe(g, 20, GEN_CONTEXT_AUDIT_PARM)) {
		const struct h248_package_item *item;

		audit->parms = GEN_NEW(g, struct h248_parm);
		audit->parms->name = gen_pkgd(g, H248_PROPERTY, true, &item);
	}
	if (g->version >= 3 && gen_chance(g, 30))
		selectors(g, audit);
	if (!audit->items)
		audit->items = H248_CONTEXT_TOPOLOGY;
	return audit;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void append(struct h248_command *c, struct h248_descriptor *d)
{
	h248_descriptor_append(c, d);
}

/* At most one of each, in random order of presence. */
static void amm_request(struct generator *g, struct h248_command *c)
{
	if (gen_chance(g, 60))
		append(c, gen_media(g));
	if (gen_chance(g, 30))
		append(c, &gen_events(g, 0)->d);
	if (gen_chance(g, 30))
		append(c, &gen_signals(g)->d);
	if (gen_chance(g, 9))
		append(c, gen_modem(g));
	if (gen_chance(g, 5))
		append(c, gen_mux(g));
	if (gen_chance(g, 10))
		append(c, gen_digit_map(g));
	if (gen_chance(g, 10))
		append(c, gen_event_buffer(g));
	if (gen_chance(g, 15))
		append(c, gen_audit(g));
	if (g->version >= 3 && gen_maybe(g, 10, GEN_STATISTICS_REQUEST))
		append(c, &gen_statistics(g)->d);
}

/* A descriptor that is empty, as a bare token. Those that have an empty form of their own are left
 * out: bare they mean that. */
static struct h248_descriptor *bare_item(struct generator *g)
{
	static const uint8_t items[] = { H248_MUX,       H248_MODEM,      H248_MEDIA,
		                         H248_DIGIT_MAP, H248_STATISTICS, H248_OBSERVED_EVENTS,
		                         H248_PACKAGES,  H248_SIGNALS };
	struct h248_descriptor *d = GEN_NEW(g, struct h248_descriptor);

	gen_mark(g, g->has[GEN_ITEM_BARE] ? GEN_ITEMS_BARE : GEN_ITEM_BARE);
	d->kind = H248_ITEM;
	d->item = items[gen_pick(g, BASE_COUNT(items) - (g->version >= 3))];
	if (g->version >= 3 && d->item == H248_STATISTICS) /* bare = collect nothing */
		d->item = H248_MEDIA;
	return d;
}

static struct h248_descriptor *returned(struct generator *g)
{
	switch (gen_pick(g, 14)) {
	case 0:
	case 1:
	case 2:
		return gen_media(g);
	case 3:
		return &gen_events(g, 0)->d;
	case 4:
		return &gen_signals(g)->d;
	case 5:
		return gen_chance(g, 30) ? gen_modem(g) : gen_mux(g);
	case 6:
		return gen_digit_map(g);
	case 7:
		return gen_event_buffer(g);
	case 8:
	case 9:
		gen_mark(g, GEN_STATISTICS);
		return &gen_statistics(g)->d;
	case 10:
		return gen_observed(g);
	case 11:
		return gen_packages(g);
	case 12:
		gen_mark(g, GEN_COMMAND_ERROR);
		return &gen_error(g)->d;
	default:
		return bare_item(g);
	}
}

static void termination_audit(struct generator *g, struct h248_command *c)
{
	for (unsigned n = gen_pick(g, 4); n; n--)
		append(c, returned(g));
}

static void context_terms(struct generator *g, struct h248_command *c)
{
	c->context_audit = true;
	if (gen_chance(g, 25)) {
		gen_mark(g, GEN_CONTEXT_TERMS_ERROR);
		c->term = (struct h248_term){ 0 };
		append(c, &gen_error(g)->d);
		return;
	}
	gen_mark(g, GEN_CONTEXT_TERMS);
	c->term.next = gen_chance(g, 70) ? gen_terms(g, 1 + gen_pick(g, 3)) : NULL;
}

static void reply_body(struct generator *g, struct h248_command *c)
{
	switch (c->kind) {
	case H248_NOTIFY:
		if (gen_maybe(g, 30, GEN_NOTIFY_REPLY_ERROR))
			append(c, &gen_error(g)->d);
		return;
	case H248_SERVICE_CHANGE:
		if (gen_chance(g, 20))
			append(c, &gen_error(g)->d);
		else if (gen_chance(g, 80))
			append(c, gen_services(g));
		return;
	case H248_AUDIT_VALUE:
	case H248_AUDIT_CAPABILITY:
		gen_mark(g, GEN_AUDIT_REPLY);
		if (gen_chance(g, 20)) {
			context_terms(g, c);
			return;
		}
		break;
	default:
		break;
	}
	if (g->version >= 3 && gen_maybe(g, 10, GEN_TERM_LIST))
		c->term.next = gen_terms(g, 1 + gen_pick(g, 3));
	termination_audit(g, c);
}

static void request_body(struct generator *g, struct h248_command *c)
{
	c->optional = gen_maybe(g, 12, GEN_OPTIONAL);
	c->wildcarded_response = gen_maybe(g, 12, GEN_WILDCARDED_RESPONSE);
	if (c->optional && c->wildcarded_response)
		gen_mark(g, GEN_OPTIONAL_WILDCARDED);
	if (c->wildcarded_response && (c->kind == H248_MOVE || c->kind == H248_MODIFY))
		gen_mark(g, GEN_WILDCARDED_MOVE);
	if (g->version >= 3 && gen_maybe(g, 10, GEN_TERM_LIST))
		c->term.next = gen_terms(g, 1 + gen_pick(g, 3));
	switch (c->kind) {
	case H248_SUBTRACT:
		if (gen_chance(g, 40))
			append(c, gen_audit(g));
		break;
	case H248_AUDIT_CAPABILITY:
	case H248_AUDIT_VALUE:
		if (c->term.next)
			gen_mark(g, GEN_AUDIT_LIST);
		append(c, gen_audit(g));
		break;
	case H248_NOTIFY:
		append(c, gen_observed(g));
		if (gen_maybe(g, 10, GEN_NOTIFY_ERROR))
			append(c, &gen_error(g)->d);
		break;
	case H248_SERVICE_CHANGE:
		append(c, gen_services(g));
		break;
	default:
		amm_request(g, c);
	}
}

static void command(struct generator *g, struct h248_action *action)
{
	static const enum generate_feature marks[] = {
		GEN_ADD,         GEN_MOVE,   GEN_MODIFY,        GEN_SUBTRACT, GEN_AUDIT_CAPABILITY,
		GEN_AUDIT_VALUE, GEN_NOTIFY, GEN_SERVICE_CHANGE
	};
	unsigned kind = gen_chance(g, 40) ? H248_ADD : gen_pick(g, 8);
	struct h248_term term = gen_term(g);
	struct h248_command *c = h248_command_add(g->arena, action, kind, term.name);

	if (!c)
		abort();
	gen_mark(g, marks[kind]);
	if (g->reply)
		reply_body(g, c);
	else
		request_body(g, c);
}

/* ---- actions, transactions --------------------------------------------------------------- */

static void action_request(struct generator *g, struct h248_action *action)
{
	bool attr = gen_chance(g, 25), audit = gen_chance(g, 20);
	unsigned commands = 1 + gen_pick(g, 3);

	if (attr)
		attributes(g, h248_action_attr(g->arena, action));
	if (audit)
		action->audit = context_audit(g);
	if ((attr || audit) && gen_chance(g, 30)) {
		gen_mark(g, audit ? GEN_ACTION_AUDIT_ONLY : GEN_ACTION_ATTR_ONLY);
		return;
	}
	while (commands--)
		command(g, action);
}

static void action_reply(struct generator *g, struct h248_action *action)
{
	if (g->version >= 3 && gen_maybe(g, 5, GEN_ACTION_BARE)) {
		action->bare = true;
		return;
	}
	if (gen_maybe(g, 8, GEN_ACTION_ERROR)) {
		action->error = gen_error(g);
		return;
	}
	if (gen_chance(g, 20))
		attributes(g, h248_action_attr(g->arena, action));
	if (!action->attr || gen_chance(g, 60)) {
		for (unsigned n = 1 + gen_pick(g, 3); n; n--)
			command(g, action);
	} else {
		gen_mark(g, GEN_ACTION_ATTR_ONLY);
	}
	if (gen_maybe(g, 10, GEN_ACTION_ERROR_LAST))
		action->error = gen_error(g);
}

static void actions(struct generator *g, struct h248_transaction *txn)
{
	for (unsigned n = 1 + (gen_chance(g, 25) ? gen_pick(g, 3) : 0); n; n--) {
		struct h248_action *action = h248_action_add(g->arena, txn, context_id(g));

		if (!action)
			abort();
		if (g->reply)
			action_reply(g, action);
		else
			action_request(g, action);
	}
}

static void acks(struct generator *g, struct h248_transaction *txn)
{
	for (unsigned n = 1 + gen_pick(g, 4); n; n--) {
		uint32_t first = gen_u32(g) / 2, last = first;

		if (gen_maybe(g, 40, GEN_ACK_RANGE))
			last += 1 + gen_pick(g, 50);
		if (!h248_ack_add(g->arena, txn, first, last))
			abort();
	}
}

static void reply(struct generator *g, struct h248_transaction *txn)
{
	g->reply = true;
	txn->ack_required = gen_maybe(g, 15, GEN_REPLY_ACK_REQUIRED);
	if (g->version >= 3 && gen_maybe(g, 10, GEN_REPLY_SEGMENT)) {
		txn->has_segment = true;
		txn->segment = gen_u16(g);
		txn->segment_end = gen_maybe(g, 50, GEN_REPLY_SEGMENT_END);
	}
	if (gen_maybe(g, 8, GEN_REPLY_ERROR))
		txn->error = gen_error(g);
	else
		actions(g, txn);
	g->reply = false;
}

static void transaction(struct generator *g, struct h248_message *msg)
{
	static const uint8_t kinds[] = { H248_REQUEST, H248_REQUEST, H248_REQUEST,
		                         H248_REQUEST, H248_REPLY,   H248_REPLY,
		                         H248_REPLY,   H248_PENDING, H248_ACK };
	static const enum generate_feature marks[] = { [H248_REQUEST] = GEN_REQUEST,
		                                       [H248_PENDING] = GEN_PENDING,
		                                       [H248_REPLY] = GEN_REPLY,
		                                       [H248_ACK] = GEN_ACK };
	unsigned kind = kinds[gen_pick(g, BASE_COUNT(kinds))];
	struct h248_transaction *txn =
	        h248_transaction_add(g->arena, msg, kind, kind == H248_ACK ? 0 : gen_u32(g));

	if (!txn)
		abort();
	gen_mark(g, marks[kind]);
	if (kind == H248_ACK)
		acks(g, txn);
	else if (kind == H248_REPLY)
		reply(g, txn);
	else if (kind == H248_REQUEST)
		actions(g, txn);
}

/* Last in its message: nothing may follow it (trap 7.2). */
static void segment(struct generator *g, struct h248_message *msg)
{
	struct h248_transaction *txn =
	        h248_transaction_add(g->arena, msg, H248_SEGMENT, gen_u32(g));

	if (!txn)
		abort();
	txn->has_segment = true;
	txn->segment = gen_u16(g);
	txn->segment_end = gen_maybe(g, 50, GEN_SEGMENT_END);
}

static void authentication(struct generator *g, struct h248_message *msg)
{
	struct h248_auth *auth = GEN_NEW(g, struct h248_auth);

	auth->spi = gen_u32(g);
	auth->sequence = gen_u32(g);
	auth->data_len = (uint8_t)(12 + gen_pick(g, 21));
	for (unsigned i = 0; i < auth->data_len; i++)
		auth->data[i] = (uint8_t)gen_pick(g, 256);
	msg->auth = auth;
}

struct h248_message *generate_message(struct generator *g, uint32_t number)
{
	struct h248_message *msg;
	struct h248_mid mid;

	memset(g->has, 0, sizeof(g->has));
	g->state = (g->seed << 32) ^ number;
	g->version = 1 + number % 3;
	g->reply = false;
	mid = gen_mid(g);
	msg = h248_message_new(g->arena, g->version, &mid);
	if (!msg)
		return NULL;
	if (gen_maybe(g, 5, GEN_AUTH))
		authentication(g, msg);
	if (gen_maybe(g, 3, GEN_MESSAGE_ERROR)) {
		msg->error = gen_error(g);
	} else if (g->version >= 3 && gen_maybe(g, 4, GEN_SEGMENT)) {
		segment(g, msg);
	} else {
		for (unsigned n = 1 + (gen_chance(g, 20) ? gen_pick(g, 3) : 0); n; n--)
			transaction(g, msg);
		if (g->version >= 3 && gen_maybe(g, 3, GEN_SEGMENT))
			segment(g, msg);
	}
	for (unsigned i = 0; i < GEN_COUNT; i++)
		g->seen[i] += g->has[i];
	return msg;
}
