/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that may be answered: RFC 4975, 7.1.1 (the 30 s), 7.3.2 and 10.5. */
#include <stdlib.h>

#include "msrp/out_private.h"

struct unanswered {
	struct base_map_node by_tid;
	struct base_node node;
	char tid[17];
	uint64_t due_ms;
	struct msrp_answer what;
};

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct unanswered, node)

static void forget(struct msrp_out *out, struct unanswered *u)
{
	base_map_remove(&out->by_tid, &u->by_tid);
	base_list_remove(&u->node);
	base_list_append(&out->idle, &u->node);
	out->unanswered--;
}

void msrp_out_forget_all(struct msrp_out *out)
{
	struct base_node *node;

	while (!base_list_empty(&out->waiting))
		forget(out, OF_NODE(out->waiting.next));
	while ((node = base_list_shift(&out->idle)))
		free(OF_NODE(node));
	base_map_done(&out->by_tid);
}

void msrp_out_await(struct msrp_out *out, const struct msrp_answer *what, const char *tid,
                    uint64_t now_ms)
{
	struct base_node *node;
	struct unanswered *u;

	if (out->unanswered >= MSRP_UNANSWERED_MAX)
		forget(out, OF_NODE(out->waiting.next));
	node = base_list_shift(&out->idle);
	u = node ? OF_NODE(node) : calloc(1, sizeof(*u));
	if (!u)
		return; /* an answer that comes is then ignored */
	u->what = *what;
	u->due_ms = now_ms + MSRP_ANSWER_MS;
	memcpy(u->tid, tid, sizeof(u->tid));
	base_list_init(&u->node);
	if (base_map_insert(&out->by_tid, base_str_of(u->tid), &u->by_tid)) {
		base_list_append(&out->idle, &u->node);
		return;
	}
	base_list_append(&out->waiting, &u->node);
	out->unanswered++;
}

void msrp_out_give_up(struct msrp_out *out, struct base_str message_id)
{
	BASE_LIST_EACH(&out->ring, node, after)
	{
		struct msrp_sending *s = BASE_CONTAINER_OF(node, struct msrp_sending, node);

		if (base_str_eq(message_id, base_str_of(s->id)) && s->end != '#')
			msrp_sending_end(s, '#');
	}
}

void msrp_out_give_up_all(struct msrp_out *out)
{
	BASE_LIST_EACH(&out->ring, node, after)
	msrp_sending_end(BASE_CONTAINER_OF(node, struct msrp_sending, node), '#');
}

/** An answer to the chunk that is still going out (7.3.2); a good one is not final. */
static bool answered_early(struct msrp_out *out, const struct msrp_head *head,
                           struct msrp_answer *ret)
{
	struct msrp_sending *s = out->now;

	if (!s || s->failure == MSRP_FAILURE_NO || head->status / 100 == 2 ||
	    !base_str_eq(head->tid, base_str_of(out->tid)))
		return false;
	*ret = msrp_out_chunk(out);
	ret->status = head->status;
	s->failure = MSRP_FAILURE_NO; /* no second answer is awaited */
	msrp_sending_end(s, '#');
	return true;
}

bool msrp_out_answered(struct msrp_out *out, const struct msrp_head *head, struct msrp_answer *ret)
{
	struct base_map_node *found = base_map_find(&out->by_tid, head->tid);
	struct unanswered *u;

	if (!found)
		return answered_early(out, head, ret);
	u = BASE_CONTAINER_OF(found, struct unanswered, by_tid);
	*ret = u->what;
	ret->status = head->status;
	forget(out, u);
	if (ret->is_send && ret->status / 100 != 2)
		msrp_out_give_up(out, base_str_of(ret->note));
	return true;
}

bool msrp_out_expired(struct msrp_out *out, uint64_t now_ms, struct msrp_answer *ret)
{
	struct unanswered *u;

	while (!base_list_empty(&out->waiting)) {
		u = OF_NODE(out->waiting.next);
		if (u->due_ms > now_ms)
			return false;
		*ret = u->what;
		ret->status = MSRP_TIMED_OUT;
		forget(out, u);
		if (ret->report)
			return true; /* "partial" waits for no answer that says all is well */
	}
	return false;
}

uint64_t msrp_out_due(const struct msrp_out *out)
{
	return base_list_empty(&out->waiting) ? MSRP_NEVER : OF_NODE(out->waiting.next)->due_ms;
}
