/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of ours that outgrow a datagram, to peers of version 3 (package seg; fact sheet 5.2): cut
 * between actions, and between commands where an action alone is too big (its ContextID is then
 * repeated, D). Segments count from 1 (R), the last one says END. Each is repeated until its
 * SegmentReply, or the acknowledgement of the transaction, has come.
 */
#include <stdlib.h>

#include "h248/txn_private.h"

struct part {
	size_t at, len;
	bool confirmed;
};

struct txn_parts {
	struct h248_incoming *in;
	unsigned count;
	unsigned sent;      /* the first so many have been sent */
	unsigned confirmed; /* of those */
	size_t bytes;
	char *data;
	struct part at[TXN_SEGMENTS];
};

/* ---- cutting ---- */

/* What cannot be cut: a command, or an action without any. */
struct item {
	const struct h248_action *action;
	const struct h248_command *command; /* NULL: the action has none */
	size_t size;                        /* about, in octets */
};

struct cutter {
	struct h248_incoming *in;
	const struct h248_transaction *reply;
	struct txn_form form;
	size_t limit;
	struct base_arena arena;
	struct item *items;
	size_t count;
	struct base_writer data; /* all segments */
	struct txn_parts *parts;
};

static bool too_big(int rc)
{
	return rc && base_err_class(rc) == BASE_LOCAL && base_err_detail(rc) == H248_E_PDU_SIZE;
}

static size_t items_of(const struct h248_transaction *reply)
{
	size_t n = 0;

	for (const struct h248_action *a = reply->actions; a; a = a->next) {
		n += !a->commands;
		for (const struct h248_command *c = a->commands; c; c = c->next)
			n++;
	}
	return n;
}

/* Items from `first` as a transaction. Copies of the heads; all below is the reply's own. */
static bool build(struct cutter *k, size_t first, size_t n, struct h248_transaction *ret)
{
	struct h248_action *action = NULL;

	*ret = (struct h248_transaction){ .kind = H248_REPLY, .id = k->reply->id };
	for (size_t i = first; i < first + n; i++) {
		const struct item *item = &k->items[i];
		bool last = i + 1 == k->count || k->items[i + 1].action != item->action;

		if (i == first || item->action != k->items[i - 1].action) {
			struct h248_action *more = BASE_NEW(&k->arena, struct h248_action);

			if (!more)
				return false;
			*more = *item->action;
			more->next = NULL;
			more->commands = more->last_command = NULL;
			if (item->command != item->action->commands)
				more->attr = NULL; /* went with the first of its commands */
			if (action)
				action->next = more;
			else
				ret->actions = more;
			ret->last_action = action = more;
		}
		action->error = last ? item->action->error : NULL;
		if (item->command) {
			struct h248_command *c = BASE_NEW(&k->arena, struct h248_command);

			if (!c)
				return false;
			*c = *item->command;
			c->next = NULL;
			if (action->last_command)
				action->last_command->next = c;
			else
				action->commands = c;
			action->last_command = c;
		}
	}
	return true;
}

/* The items of the reply, each with its size when alone in an action. */
static int measure(struct cutter *k)
{
	struct h248_txn *txn = k->in->txn;
	size_t i = 0;

	k->count = items_of(k->reply);
	k->items = base_arena_array(&k->arena, k->count, sizeof(*k->items));
	if (!k->items)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	for (const struct h248_action *a = k->reply->actions; a; a = a->next) {
		const struct h248_command *c = a->commands;

		do {
			k->items[i++] = (struct item){ .action = a, .command = c };
			c = c ? c->next : NULL;
		} while (c);
	}
	for (i = 0; i < k->count; i++) {
		struct h248_transaction t;
		int rc;

		if (!build(k, i, 1, &t))
			return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
		base_writer_reset(&txn->out);
		rc = h248_codec_encode_transaction(&txn->out, &t, k->form.version,
		                                   (enum h248_codec)k->form.codec);
		if (rc)
			return rc;
		k->items[i].size = txn->out.len;
	}
	return 0;
}

/* Items [first, first + n) as segment `number` into txn->out. */
static int write(struct cutter *k, size_t first, size_t n, unsigned number)
{
	struct h248_txn *txn = k->in->txn;
	struct h248_transaction t;

	if (!build(k, first, n, &t))
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	t.has_segment = true;
	t.segment = (uint16_t)number;
	t.segment_end = first + n == k->count;
	t.ack_required = t.segment_end && k->reply->ack_required;
	return txn_encode_within(txn, NULL, k->form, &t, k->limit);
}

/* As many items as fit. */
static size_t fitting(const struct cutter *k, size_t first)
{
	size_t n = 1, size = k->items[first].size;

	while (first + n < k->count && size + k->items[first + n].size <= k->limit)
		size += k->items[first + n++].size;
	return n;
}

static int cut(struct cutter *k)
{
	struct txn_parts *parts = k->parts;
	const struct base_writer *out = &k->in->txn->out;

	for (size_t first = 0; first < k->count;) {
		size_t n = fitting(k, first);
		int rc;

		if (parts->count == TXN_SEGMENTS)
			return BASE_ERR(BASE_LOCAL, H248_E_PDU_SIZE);
		while (too_big(rc = write(k, first, n, parts->count + 1)) && n > 1)
			n--;
		if (rc)
			return rc;
		parts->at[parts->count++] = (struct part){ .at = k->data.len, .len = out->len };
		base_writer_put(&k->data, out->data, out->len);
		first += n;
	}
	return k->data.failed ? BASE_ERR(BASE_LOCAL, H248_E_RESOURCES) : 0;
}

int txn_parts_new(struct txn_parts **ret, struct h248_incoming *in, struct h248_transaction *reply,
                  struct txn_form form, size_t limit)
{
	struct cutter k = { .in = in, .reply = reply, .form = form, .limit = limit };
	int rc;

	k.parts = calloc(1, sizeof(*k.parts));
	if (!k.parts)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	k.parts->in = in;
	k.data.wipe = k.arena.wipe = true;
	rc = measure(&k);
	if (rc == 0)
		rc = cut(&k);
	base_arena_done(&k.arena);
	if (rc) {
		base_writer_done(&k.data);
		free(k.parts);
		return rc;
	}
	k.parts->data = (char *)k.data.data; /* the writer's memory is ours now */
	k.parts->bytes = k.data.len;
	*ret = k.parts;
	return 0;
}

void txn_parts_free(struct txn_parts *parts)
{
	if (!parts)
		return;
	base_wipe(parts->data, parts->bytes);
	free(parts->data);
	free(parts);
}

size_t txn_parts_bytes(const struct txn_parts *parts)
{
	return parts->bytes;
}

/* ---- sending ---- */

static void put(const struct txn_parts *parts, unsigned i)
{
	struct h248_incoming *in = parts->in;

	txn_put(in->txn, in->peer, &in->from, parts->data + parts->at[i].at, parts->at[i].len);
}

void txn_parts_send(struct txn_parts *parts)
{
	struct h248_txn *txn = parts->in->txn;

	while (parts->sent < parts->count &&
	       parts->sent - parts->confirmed < txn->config.segment_window) {
		TXN_COUNT(txn, parts->in->peer, tx_segments);
		put(parts, parts->sent++);
	}
}

void txn_parts_repeat(struct txn_parts *parts)
{
	for (unsigned i = 0; i < parts->sent; i++) {
		if (parts->at[i].confirmed)
			continue;
		TXN_COUNT(parts->in->txn, parts->in->peer, tx_segments_repeated);
		put(parts, i);
	}
}

bool txn_parts_confirmed(struct txn_parts *parts, unsigned number)
{
	if (number >= 1 && number <= parts->sent && !parts->at[number - 1].confirmed) {
		parts->at[number - 1].confirmed = true;
		parts->confirmed++;
		txn_parts_send(parts);
	}
	return parts->confirmed == parts->count;
}
