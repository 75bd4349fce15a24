/* SPDX-License-Identifier: Apache-2.0 */
/* Requests rewritten and passed on: RFC 4976, 6.4.1 (SEND), 6.4.2 (others), 6.4.3 (responses). */
#include "msrp/b2b.h"

#include <stdio.h>
#include <stdlib.h>

#include "msrp/link.h"

#define NO_MEMORY BASE_ERR(BASE_LOCAL, 0)

/** A message on its way through; its chunks come one after the other. */
struct passing {
	struct base_node node;
	struct side *from;
	char id[MSRP_ID_OCTETS + 1];
	struct msrp_sending *sending; /* NULL: the far side does not want it */
	struct msrp_feed feed;
	uint64_t due_ms; /* MSRP_NEVER while a chunk comes */
};

struct side {
	struct msrp_b2b *b;
	struct side *other;
	unsigned number;
	struct msrp_link link;
	struct base_node passing; /* messages from here */
	size_t messages;
	struct passing *now;
	struct base_writer body; /* of a request that is not SEND */
	bool waits;
	uint64_t now_ms;
};

struct msrp_b2b {
	struct msrp_b2b_spec spec;
	struct msrp_pool pool;
	struct msrp_ids ids;
	struct side side[2];
};

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct passing, node)

static void wake(struct side *s)
{
	s->b->spec.wake(s->b->spec.arg, s->number);
}

static void finish(struct passing *p, char flag)
{
	if (p->sending)
		msrp_sending_end(p->sending, flag);
	if (p->from->now == p)
		p->from->now = NULL;
	p->from->messages--;
	wake(p->from->other);
	base_list_remove(&p->node);
	msrp_feed_done(&p->feed);
	free(p);
}

/** The request as the other side is to see it. */
static struct msrp_head rewritten(const struct side *to, const struct msrp_head *head)
{
	struct msrp_head ours = *head;

	ours.to_path = to->link.peer;
	ours.from_path = to->link.own;
	return ours;
}

static struct passing *find(const struct side *s, struct base_str id)
{
	for (struct base_node *node = s->passing.next; node != &s->passing; node = node->next)
		if (base_str_eq(base_str_of(OF_NODE(node)->id), id))
			return OF_NODE(node);
	return NULL;
}

/** What the far side has refused is remembered as long as nobody else needs its place. */
static void forget_refused(struct side *s)
{
	BASE_LIST_EACH(&s->passing, node, after)
	{
		if (OF_NODE(node)->sending)
			continue;
		finish(OF_NODE(node), '#');
		return;
	}
}

static struct passing *passing_new(struct side *s, const struct msrp_head *head)
{
	struct passing *p = s->messages < s->b->spec.messages ? calloc(1, sizeof(*p)) : NULL;
	struct msrp_head ours = rewritten(s->other, head);

	if (!p)
		return NULL;
	if (msrp_out_begin(&s->other->link.out, &ours, &p->sending)) {
		free(p);
		return NULL;
	}
	snprintf(p->id, sizeof(p->id), "%.*s", BASE_FMT(head->message_id));
	p->from = s;
	p->feed.pool = &s->b->pool;
	base_list_append(&s->passing, &p->node);
	s->messages++;
	return p;
}

static unsigned begin_send(struct side *s, const struct msrp_head *head)
{
	struct passing *p = find(s, head->message_id);
	uint64_t start = head->has_range ? head->range.start : 1;

	if (p && !p->sending)
		return MSRP_STOP; /* the far side does not want it (RFC 4975, 10.5) */
	if (p && msrp_sending_position(p->sending) != start) {
		finish(p, '+'); /* a gap, or a chunk again: the rest stands for itself */
		p = NULL;
	} else if (!p && s->messages >= s->b->spec.messages) {
		forget_refused(s);
	}
	s->now = p ? p : passing_new(s, head);
	if (!s->now)
		return MSRP_STOP;
	s->now->due_ms = MSRP_NEVER;
	return 0;
}

static unsigned on_begin(void *arg, const struct msrp_head *head, uint64_t now_ms)
{
	struct side *s = arg;

	s->now_ms = now_ms;
	s->now = NULL;
	base_writer_reset(&s->body);
	return head->method == MSRP_SEND ? begin_send(s, head) : 0;
}

/** The far side does not want the rest: its further chunks are known by this for a while. */
static unsigned refused(struct passing *p)
{
	p->from->now = NULL;
	p->due_ms = p->from->now_ms + p->from->b->spec.chunk_ms;
	return MSRP_STOP;
}

static unsigned on_body(void *arg, const struct msrp_head *head, struct base_str piece)
{
	struct side *s = arg;
	struct passing *p = s->now;
	struct msrp_block *block;
	uint32_t at, len;

	if (head->method != MSRP_SEND)
		base_writer_str(&s->body, piece);
	while (p && piece.len) {
		if (!p->sending)
			return refused(p);
		block = msrp_feed_put(&p->feed, &piece, &at, &len);
		if (!block || msrp_sending_put(p->sending, block, at, len)) {
			finish(p, '#');
			return MSRP_STOP;
		}
	}
	wake(s->other);
	return 0;
}

/** Any other request goes across, and its answer comes back (RFC 4976, 6.4.2). */
static unsigned pass_request(struct side *s, const struct msrp_head *head, uint64_t now_ms)
{
	struct msrp_head ours = rewritten(s->other, head);
	int rc = s->body.failed || !msrp_out_has_room(&s->other->link.out)
	                 ? NO_MEMORY
	                 : msrp_out_ask(&s->other->link.out, &ours, base_writer_view(&s->body),
	                                head->tid, now_ms);

	wake(s->other);
	return rc ? MSRP_STOP : MSRP_LATER;
}

static unsigned on_end(void *arg, const struct msrp_head *head, char flag, uint64_t now_ms)
{
	struct side *s = arg;
	struct passing *p = s->now;

	if (head->method != MSRP_SEND)
		return pass_request(s, head, now_ms);
	s->now = NULL;
	if (!p)
		return 0;
	if (!p->sending) {
		finish(p, '#');
		return MSRP_STOP;
	}
	if (flag == '+')
		p->due_ms = now_ms + s->b->spec.chunk_ms;
	else
		finish(p, flag);
	return 0;
}

static void on_report(void *arg, const struct msrp_head *head)
{
	struct side *s = arg;
	struct msrp_head ours = rewritten(s->other, head);
	char tid[17];

	if (head->fault || !msrp_out_has_room(&s->other->link.out))
		return;
	msrp_id_next(&s->b->ids, tid);
	ours.tid = base_str_of(tid);
	ours.content_type = (struct base_str){ 0 }; /* its body is informational only (7.1.2) */
	(void)msrp_out_put(&s->other->link.out, &ours, (struct base_str){ 0 });
	wake(s->other);
}

/** The far side's answer to what we passed on: a failure goes back to whose message it was. */
static void on_answer(void *arg, const struct msrp_answer *what, const struct msrp_head *head)
{
	struct side *s = arg;
	struct msrp_head answer = { .tid = base_str_of(what->note), .status = what->status };

	if (what->is_send && what->status / 100 != 2 && msrp_out_has_room(&s->other->link.out))
		(void)msrp_link_report(&s->other->link, base_str_of(what->note), &what->range,
		                       what->status);
	if (!what->is_send) {
		answer.to_path = s->other->link.peer;
		answer.from_path = s->other->link.own;
		if (head)
			answer.comment = head->comment;
		(void)msrp_out_put(&s->other->link.out, &answer, (struct base_str){ 0 });
	}
	wake(s->other);
}

static bool may_read(void *arg)
{
	const struct side *s = arg;

	return !msrp_out_is_full(&s->other->link.out, s->b->spec.window);
}

static const struct msrp_link_ops ops = {
	.ready = may_read,
	.begin = on_begin,
	.body = on_body,
	.end = on_end,
	.report = on_report,
	.answer = on_answer,
};

int msrp_b2b_new(struct msrp_b2b **ret, const struct msrp_b2b_spec *spec, struct base_error *err)
{
	struct msrp_b2b *b = calloc(1, sizeof(*b));
	int rc = b ? msrp_ids_init(&b->ids) : NO_MEMORY;

	if (rc) {
		free(b);
		return base_error_set(err, rc, "no memory, or no random octets");
	}
	b->spec = *spec;
	b->spec.messages = spec->messages ? spec->messages : 64;
	b->spec.window = spec->window ? spec->window : 256 * (size_t)1024;
	b->spec.chunk_ms = spec->chunk_ms ? spec->chunk_ms : 540000;
	for (unsigned i = 0; i < 2; i++) {
		b->side[i] = (struct side){ .b = b, .number = i, .other = &b->side[1 - i] };
		base_list_init(&b->side[i].passing);
	}
	for (unsigned i = 0; i < 2 && !rc; i++)
		rc = msrp_link_init(&b->side[i].link, &ops, &b->side[i], &b->pool, &b->ids,
		                    spec->side[i].own, spec->side[i].peer, err);
	if (rc) {
		msrp_b2b_free(b);
		return rc;
	}
	*ret = b;
	return 0;
}

static void forget_messages(struct side *s)
{
	struct base_node *node;

	while ((node = base_list_shift(&s->passing))) {
		msrp_feed_done(&OF_NODE(node)->feed);
		free(OF_NODE(node));
	}
}

void msrp_b2b_free(struct msrp_b2b *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < 2; i++)
		msrp_link_done(&b->side[i].link);
	for (unsigned i = 0; i < 2; i++) {
		forget_messages(&b->side[i]);
		base_writer_done(&b->side[i].body);
	}
	msrp_pool_done(&b->pool);
	free(b);
}

int msrp_b2b_input(struct msrp_b2b *b, unsigned side, struct base_str *in, uint64_t now_ms,
                   struct base_error *err)
{
	struct side *s = &b->side[side];
	int rc = msrp_link_input(&s->link, in, now_ms, err);

	s->waits = !rc && in->len;
	if (!rc && msrp_out_ready(&s->link.out))
		wake(s);
	return rc;
}

size_t msrp_b2b_take(struct msrp_b2b *b, unsigned side, void *buf, size_t cap, uint64_t now_ms)
{
	struct side *s = &b->side[side];
	size_t n = msrp_out_take(&s->link.out, buf, cap, now_ms);

	if (s->other->waits && may_read(s->other)) {
		s->other->waits = false;
		wake(s->other);
	}
	return n;
}

void msrp_b2b_counts(const struct msrp_b2b *b, unsigned side, uint64_t *ret_in, uint64_t *ret_out)
{
	*ret_in = b->side[side].link.sends;
	*ret_out = b->side[side].link.out.sends;
}

void msrp_b2b_tick(struct msrp_b2b *b, uint64_t now_ms)
{
	for (unsigned i = 0; i < 2; i++) {
		msrp_link_tick(&b->side[i].link, now_ms);
		BASE_LIST_EACH(&b->side[i].passing, node, after)
		if (OF_NODE(node)->due_ms <= now_ms)
			finish(OF_NODE(node), '#');
	}
}

uint64_t msrp_b2b_due(const struct msrp_b2b *b)
{
	uint64_t due = MSRP_NEVER;

	for (unsigned i = 0; i < 2; i++) {
		const struct base_node *head = &b->side[i].passing;

		due = BASE_MIN(due, msrp_out_due(&b->side[i].link.out));
		for (struct base_node *node = head->next; node != head; node = node->next)
			due = BASE_MIN(due, OF_NODE(node)->due_ms);
	}
	return due;
}
