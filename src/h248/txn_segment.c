/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that come in segments (version 3; fact sheet 5.2): taken in any order, duplicates
 * dropped, joined by number once END and all before it are there. */
#include <stdlib.h>

#include "h248/txn_private.h"

struct segment {
	struct txn_input *input; /* keeps the model */
	const struct h248_transaction *reply;
};

struct txn_segments {
	uint16_t last; /* number of the one with END, 0 = not yet */
	unsigned count;
	bool ack_required;
	struct segment at[TXN_SEGMENTS]; /* by number less one */
};

/* An empty set on the first call. */
static struct txn_segments *get(struct txn_segments **s)
{
	if (!*s)
		*s = calloc(1, sizeof(**s));
	return *s;
}

bool txn_segments_add(struct h248_txn *txn, struct txn_segments **s,
                      const struct h248_transaction *reply)
{
	struct txn_segments *all;
	struct segment *one;

	if (reply->segment < 1 || reply->segment > TXN_SEGMENTS || !get(s))
		return false;
	all = *s;
	one = &all->at[reply->segment - 1];
	if (one->input)
		return true; /* again: the peer has not got our Segment */
	one->input = txn->current;
	one->input->refs++;
	one->reply = reply;
	all->count++;
	all->ack_required |= reply->ack_required;
	if (reply->segment_end)
		all->last = reply->segment;
	return true;
}

bool txn_segments_join(const struct txn_segments *s, struct h248_transaction *ret)
{
	struct h248_transaction whole;

	if (!s->last || s->count < s->last)
		return false;
	for (unsigned i = 0; i < s->last; i++) {
		if (!s->at[i].input)
			return false; /* one beyond the last has been counted */
	}
	whole = *s->at[0].reply;
	whole.next = NULL;
	whole.has_segment = whole.segment_end = false;
	whole.ack_required = s->ack_required;
	whole.text = (struct base_str){ NULL, 0 };
	for (unsigned i = 1; i < s->last; i++) {
		const struct h248_transaction *more = s->at[i].reply;

		whole.faulty |= more->faulty;
		whole.error = whole.error ? whole.error : more->error;
		whole.fault = whole.fault ? whole.fault : more->fault;
		if (!more->actions)
			continue;
		if (whole.last_action)
			whole.last_action->next = more->actions;
		else
			whole.actions = more->actions;
		whole.last_action = more->last_action;
	}
	*ret = whole;
	return true;
}

void txn_segments_free(struct h248_txn *txn, struct txn_segments *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < TXN_SEGMENTS; i++)
		txn_input_unref(txn, s->at[i].input);
	free(s);
}
