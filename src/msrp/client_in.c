/* SPDX-License-Identifier: Apache-2.0 */
/* Messages put together: RFC 4975, 7.3.1; answers and reports about ours: 7.3.2. */
#include <stdio.h>
#include <stdlib.h>

#include "msrp/client_private.h"
#include "msrp/ranges.h"

struct client_message {
	struct base_node node;
	char id[MSRP_ID_OCTETS + 1];
	struct msrp_incoming told;
	struct msrp_ranges have;
	uint64_t from, next; /* of the chunk being read, from 1 */
	bool ended;          /* its last octet is known */
	uint64_t due_ms;
};

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct client_message, node)

static void finish(struct msrp_client *c, struct client_message *msg, bool whole)
{
	if (c->now == msg)
		c->now = NULL;
	c->messages--;
	base_list_remove(&msg->node);
	if (whole) {
		memcpy(c->seen[c->seen_next], msg->id, sizeof(msg->id));
		c->seen_next = (c->seen_next + 1) % CLIENT_REMEMBERED;
	}
	c->spec.ops->end(c->spec.arg, &msg->told, whole);
	free(msg);
}

void client_drop_messages(struct msrp_client *c)
{
	struct base_node *node;

	while ((node = base_list_shift(&c->incoming)))
		finish(c, OF_NODE(node), false);
}

void client_expire(struct msrp_client *c, uint64_t now_ms)
{
	BASE_LIST_EACH(&c->incoming, node, after)
	if (OF_NODE(node)->due_ms <= now_ms)
		finish(c, OF_NODE(node), false);
}

uint64_t client_message_due(const struct msrp_client *c)
{
	uint64_t due = MSRP_NEVER;

	for (struct base_node *node = c->incoming.next; node != &c->incoming; node = node->next)
		due = BASE_MIN(due, OF_NODE(node)->due_ms);
	return due;
}

static bool was_whole(const struct msrp_client *c, struct base_str id)
{
	for (size_t i = 0; i < CLIENT_REMEMBERED; i++)
		if (base_str_eq(base_str_of(c->seen[i]), id))
			return true;
	return false;
}

static struct client_message *find(const struct msrp_client *c, struct base_str id)
{
	for (struct base_node *node = c->incoming.next; node != &c->incoming; node = node->next)
		if (base_str_eq(base_str_of(OF_NODE(node)->id), id))
			return OF_NODE(node);
	return NULL;
}

static unsigned message_new(struct msrp_client *c, const struct msrp_head *head)
{
	struct client_message *msg;
	unsigned status;

	msg = c->messages < c->spec.messages ? calloc(1, sizeof(*msg)) : NULL;
	if (!msg)
		return MSRP_STOP;
	snprintf(msg->id, sizeof(msg->id), "%.*s", BASE_FMT(head->message_id));
	msg->told.id = base_str_of(msg->id);
	msg->told.content_type = head->content_type;
	msg->told.total_known = head->has_range && head->range.total_known;
	msg->told.total = head->range.total;
	msg->told.again = was_whole(c, head->message_id);
	status = c->spec.ops->begin(c->spec.arg, &msg->told);
	if (status) {
		free(msg);
		return status;
	}
	msg->told.content_type = (struct base_str){ 0 }; /* borrowed from the head */
	base_list_append(&c->incoming, &msg->node);
	c->messages++;
	c->now = msg;
	return 0;
}

static unsigned on_begin(void *arg, const struct msrp_head *head, uint64_t now_ms)
{
	struct msrp_client *c = arg;
	const struct msrp_range *range = &head->range;
	struct msrp_incoming *told;
	unsigned status = 0;

	(void)now_ms;
	c->now = NULL;
	if (head->method != MSRP_SEND)
		return MSRP_NO_METHOD;
	if (!head->content_type.ptr)
		return 0; /* nothing to be rendered (7.1) */
	c->now = find(c, head->message_id);
	if (!c->now)
		status = message_new(c, head);
	if (status)
		return status;
	told = &c->now->told;
	c->now->due_ms = MSRP_NEVER;
	c->now->from = c->now->next = head->has_range ? range->start : 1;
	if (head->has_range && range->total_known && told->total_known &&
	    range->total != told->total) {
		finish(c, c->now, false);
		return MSRP_UNINTELLIGIBLE; /* two totals of one message */
	}
	return 0;
}

static unsigned on_body(void *arg, const struct msrp_head *head, struct base_str piece)
{
	struct msrp_client *c = arg;
	struct client_message *msg = c->now;
	unsigned status;

	(void)head;
	if (!msg)
		return 0;
	if (msg->told.total_known && msg->next - 1 + piece.len > msg->told.total)
		status = MSRP_UNINTELLIGIBLE; /* more than it said */
	else if (msg->next - 1 + piece.len > INT64_MAX)
		status = MSRP_UNINTELLIGIBLE;
	else
		status = c->spec.ops->piece(c->spec.arg, &msg->told, msg->next - 1, piece);
	msg->next += piece.len;
	if (status)
		finish(c, msg, false);
	return status;
}

/** All octets are there: report, if that was asked for (7.1.3), and tell. */
static void complete(struct msrp_client *c, struct client_message *msg, bool success)
{
	struct msrp_range range = { .start = 1,
		                    .end = msg->told.total,
		                    .end_known = true,
		                    .total = msg->told.total,
		                    .total_known = true };

	/* A peer who does not read is found out by the answer that follows. */
	if (success)
		(void)msrp_link_report(&c->link, msg->told.id, &range, MSRP_OK);
	finish(c, msg, true);
}

static unsigned on_end(void *arg, const struct msrp_head *head, char flag, uint64_t now_ms)
{
	struct msrp_client *c = arg;
	struct client_message *msg = c->now;

	if (!msg)
		return 0;
	c->now = NULL;
	if (flag == '#') {
		finish(c, msg, false);
		return 0;
	}
	if (msg->next > msg->from && !msrp_ranges_add(&msg->have, msg->from, msg->next - 1)) {
		finish(c, msg, false);
		return MSRP_STOP;
	}
	if (flag == '$' && msrp_ranges_last(&msg->have) >= msg->next) {
		finish(c, msg, false);
		return MSRP_UNINTELLIGIBLE; /* others had octets behind its end */
	}
	if (flag == '$') { /* this one tells the length, by what it really has (7.3.1) */
		msg->ended = true;
		msg->told.total_known = true;
		msg->told.total = msg->next - 1;
	}
	if (msg->ended && msrp_ranges_whole(&msg->have, msg->told.total))
		complete(c, msg, head->success);
	else
		msg->due_ms = now_ms + c->spec.chunk_ms;
	return 0;
}

static void on_report(void *arg, const struct msrp_head *head)
{
	struct msrp_client *c = arg;

	if (head->fault || head->report_namespace)
		return;
	if (head->report_status / 100 != 2)
		msrp_out_give_up(&c->link.out, head->message_id);
	if (c->spec.ops->told)
		c->spec.ops->told(c->spec.arg, head->message_id, &head->range, head->report_status);
}

static void on_answer(void *arg, const struct msrp_answer *what, const struct msrp_head *head)
{
	struct msrp_client *c = arg;

	(void)head;
	if (!what->is_send) {
		if (c->spec.ops->nickname)
			c->spec.ops->nickname(c->spec.arg, what->status);
	} else if (what->status / 100 != 2 && c->spec.ops->told) {
		c->spec.ops->told(c->spec.arg, base_str_of(what->note), &what->range, what->status);
	}
}

const struct msrp_link_ops client_link_ops = {
	.begin = on_begin,
	.body = on_body,
	.end = on_end,
	.report = on_report,
	.answer = on_answer,
};
