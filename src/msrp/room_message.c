/* SPDX-License-Identifier: Apache-2.0 */
/* Messages through the room: RFC 7701, 6.1 (regular), 6.2 (private), 6.3 (answers and reports). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "msrp/cpim.h"
#include "msrp/room_private.h"

struct copy {
	struct msrp_member *to;
	struct msrp_sending *sending; /* NULL: gone, or given up; then `to` may be gone, too */
};

/** One message that a member sends; its receivers are those of its first octets (6.1). */
struct room_message {
	struct base_node node;
	struct msrp_member *from;
	char id[MSRP_ID_OCTETS + 1];
	uint64_t next;           /* where the next octet belongs, from 1 */
	uint64_t due_ms;         /* when its next chunk is overdue; MSRP_NEVER while one comes */
	bool decided;            /* the wrapper was read, copies have begun */
	struct base_writer wrap; /* the wrapper so far */
	struct msrp_feed feed;
	struct copy *copy;
	size_t copies;
};

#define OF_NODE(ptr)   BASE_CONTAINER_OF(ptr, struct room_message, node)
#define MEMBER_OF(ptr) BASE_CONTAINER_OF(ptr, struct msrp_member, node)

/** The message is over, or (`flag` is '#') given up. */
static void finish(struct room_message *msg, char flag)
{
	for (size_t i = 0; i < msg->copies; i++) {
		if (!msg->copy[i].sending)
			continue;
		msrp_sending_end(msg->copy[i].sending, flag);
		room_wake(msg->copy[i].to);
	}
	if (msg->from->now == msg)
		msg->from->now = NULL;
	msg->from->messages--;
	base_list_remove(&msg->node);
	msrp_feed_done(&msg->feed);
	base_writer_done(&msg->wrap);
	free(msg->copy);
	free(msg);
}

void room_drop_messages(struct msrp_member *m)
{
	struct base_node *node;

	while ((node = base_list_shift(&m->incoming)))
		finish(OF_NODE(node), '#');
}

void room_expire(struct msrp_member *m, uint64_t now_ms)
{
	BASE_LIST_EACH(&m->incoming, node, after)
	if (OF_NODE(node)->due_ms <= now_ms)
		finish(OF_NODE(node), '#');
}

uint64_t room_message_due(const struct msrp_member *m)
{
	uint64_t due = MSRP_NEVER;

	for (struct base_node *node = m->incoming.next; node != &m->incoming; node = node->next)
		due = BASE_MIN(due, OF_NODE(node)->due_ms);
	return due;
}

bool room_may_read(const struct msrp_member *m)
{
	const struct room_message *msg = m->now;
	struct msrp_member *to;
	bool may = true;

	for (size_t i = 0; msg && i < msg->copies; i++) {
		to = msg->copy[i].to;
		if (!msg->copy[i].sending || !msrp_out_is_full(&to->link.out, m->room->spec.window))
			continue;
		may = false;
		if (!to->full)
			to->full_ms = m->now_ms;
		to->full = true;
	}
	return may;
}

static bool may_read(void *arg)
{
	return room_may_read(arg);
}

static struct room_message *find(const struct msrp_member *m, struct base_str id)
{
	for (struct base_node *node = m->incoming.next; node != &m->incoming; node = node->next)
		if (base_str_eq(base_str_of(OF_NODE(node)->id), id))
			return OF_NODE(node);
	return NULL;
}

static struct room_message *message_new(struct msrp_member *m, struct base_str id)
{
	struct room_message *msg = calloc(1, sizeof(*msg));

	if (!msg)
		return NULL;
	snprintf(msg->id, sizeof(msg->id), "%.*s", BASE_FMT(id));
	msg->from = m;
	msg->next = 1;
	msg->feed.pool = &m->room->pool;
	msg->wrap.limit = m->room->spec.cpim_octets;
	base_list_append(&m->incoming, &msg->node);
	m->messages++;
	return msg;
}

static bool is_cpim(struct base_str type)
{
	const char *semicolon = memchr(type.ptr, ';', type.len);

	if (semicolon)
		type.len = (size_t)(semicolon - type.ptr);
	return base_str_ieq(base_str_trim(type), BASE_STR("message/cpim"));
}

static unsigned begin_send(struct msrp_member *m, const struct msrp_head *head)
{
	struct room_message *msg = find(m, head->message_id);
	uint64_t start = head->has_range ? head->range.start : 1;

	if (!head->content_type.ptr)
		return 0; /* "traffic" without a body (RFC 4975, 7.1) */
	if (!is_cpim(head->content_type))
		return MSRP_MEDIA_TYPE; /* 6.3 */
	if (msg && start != msg->next) {
		finish(msg, '#');
		msg = NULL;
	}
	if (!msg && (start != 1 || m->messages >= m->room->spec.messages))
		return MSRP_STOP;
	if (head->has_range && head->range.total_known && head->range.total > m->room->spec.octets)
		return MSRP_STOP;
	m->now = msg ? msg : message_new(m, head->message_id);
	if (!m->now)
		return MSRP_STOP;
	m->now->due_ms = MSRP_NEVER;
	return 0;
}

static unsigned on_begin(void *arg, const struct msrp_head *head, uint64_t now_ms)
{
	struct msrp_member *m = arg;

	m->now_ms = now_ms;
	m->now = NULL;
	switch (head->method) {
	case MSRP_SEND:
		return begin_send(m, head);
	case MSRP_NICKNAME:
		return 0;
	default:
		return MSRP_NO_METHOD;
	}
}

/** To whom it goes, or why to nobody (6.1, 6.2). Lists those of `all` who are meant. */
static unsigned choose(struct room_message *msg, const struct msrp_cpim *cpim)
{
	struct msrp_room *room = msg->from->room;
	bool regular = msrp_same_participant(room->spec.uri, cpim->to);
	bool known = false, able = false;
	struct msrp_member *to;

	if (!regular && !room->spec.private_messages)
		return MSRP_NOT_ALLOWED;
	for (struct base_node *n = room->members.next; n != &room->members; n = n->next) {
		to = MEMBER_OF(n);
		if (to == msg->from || (!regular && !room_is(to, cpim->to)))
			continue;
		known = true;
		if (!regular && !to->private_messages)
			continue;
		able = true;
		if (!to->lagging && room_takes_type(to, cpim->content_type))
			msg->copy[msg->copies++].to = to;
	}
	if (!regular && !known)
		return MSRP_NO_RECIPIENT;
	return !regular && !able ? MSRP_NOT_PRIVATE : 0;
}

/** A copy of the SEND for each of them, with an id of its own; whoever refuses it says so (6.3: any
 * report model; reports are not forwarded). */
static unsigned begin_copies(struct room_message *msg, const struct msrp_head *head)
{
	struct msrp_head ours = *head;
	struct msrp_member *to;
	char id[17];

	ours.has_success = ours.success = false;
	ours.has_failure = true;
	ours.failure = MSRP_FAILURE_PARTIAL;
	ours.range.start = 1;
	for (size_t i = 0; i < msg->copies; i++) {
		to = msg->copy[i].to;
		assert(to); /* choose lists members */
		msrp_id_next(&msg->from->room->ids, id);
		ours.message_id = base_str_of(id);
		ours.to_path = to->link.peer;
		ours.from_path = to->link.own;
		if (msrp_out_begin(&to->link.out, &ours, &msg->copy[i].sending))
			return MSRP_STOP;
	}
	return 0;
}

/** The wrapper is there: check it, and begin. */
static unsigned decide(struct room_message *msg, const struct msrp_head *head,
                       const struct msrp_cpim *cpim)
{
	unsigned status;

	if (cpim->froms != 1 || !room_is(msg->from, cpim->from))
		return MSRP_NOT_ALLOWED; /* 6.3 */
	if (cpim->tos != 1)
		return MSRP_NOT_ALLOWED; /* 6.1 */
	msg->copy = calloc(msg->from->room->count, sizeof(*msg->copy));
	if (!msg->copy)
		return MSRP_STOP;
	status = choose(msg, cpim);
	if (!status)
		status = begin_copies(msg, head);
	msg->decided = !status;
	return status;
}

/** All memory waits for somebody: whoever takes nothing of it is cut off when patience ends, as one
 * is for whom too much waits (6.4). */
static void hurry(struct msrp_room *room, uint64_t now_ms)
{
	for (struct base_node *n = room->members.next; n != &room->members; n = n->next) {
		struct msrp_member *m = MEMBER_OF(n);

		if (m->full || !m->link.out.kept)
			continue;
		m->full = true;
		m->full_ms = now_ms;
	}
}

static unsigned spread(struct room_message *msg, struct base_str data)
{
	struct msrp_block *block;
	uint32_t at, len;

	while (data.len) {
		block = msrp_feed_put(&msg->feed, &data, &at, &len);
		if (!block) {
			hurry(msg->from->room, msg->from->now_ms);
			return MSRP_STOP;
		}
		for (size_t i = 0; i < msg->copies; i++)
			if (msg->copy[i].sending &&
			    msrp_sending_put(msg->copy[i].sending, block, at, len))
				msrp_sending_end(msg->copy[i].sending, '#');
	}
	for (size_t i = 0; i < msg->copies; i++)
		if (msg->copy[i].sending)
			room_wake(msg->copy[i].to);
	return 0;
}

/** Is there an empty line's end behind the first `had` octets? A wrapper may come octet by octet;
 * only then is it worth reading. */
static bool has_empty_line(struct base_str text, size_t had)
{
	const char *end = text.ptr + text.len, *lf = text.ptr + had;

	for (; lf < end && (lf = memchr(lf, '\n', (size_t)(end - lf))); lf++)
		if (lf - text.ptr < 2 || lf[-2] == '\n')
			return true;
	return false;
}

/** Octets before the wrapper's end is known. */
static unsigned gather(struct room_message *msg, const struct msrp_head *head,
                       struct base_str piece)
{
	size_t had = msg->wrap.len, room = msg->wrap.limit - had, n = BASE_MIN(room, piece.len);
	struct msrp_cpim cpim;
	unsigned status;
	int rc;

	base_writer_put(&msg->wrap, piece.ptr, n);
	if (msg->wrap.failed)
		return MSRP_STOP;
	rc = has_empty_line(base_writer_view(&msg->wrap), had)
	             ? msrp_cpim_parse(base_writer_view(&msg->wrap), &cpim)
	             : BASE_ERR(BASE_AGAIN, 0);
	if (rc && base_err_class(rc) == BASE_AGAIN)
		return n < piece.len ? MSRP_STOP : 0;
	status = rc ? MSRP_UNINTELLIGIBLE : decide(msg, head, &cpim);
	if (!status)
		status = spread(msg, base_writer_view(&msg->wrap));
	base_writer_done(&msg->wrap);
	if (status || n == piece.len)
		return status;
	return spread(msg, (struct base_str){ piece.ptr + n, piece.len - n });
}

static unsigned on_body(void *arg, const struct msrp_head *head, struct base_str piece)
{
	struct msrp_member *m = arg;
	struct room_message *msg = m->now;
	unsigned status;

	if (!msg)
		return 0;
	msg->next += piece.len;
	if (msg->next - 1 > m->room->spec.octets)
		status = MSRP_STOP;
	else
		status = msg->decided ? spread(msg, piece) : gather(msg, head, piece);
	if (status) /* at once: others need not wait for the end of its chunk */
		finish(msg, '#');
	return status;
}

/** The whole message has come (RFC 4975, 7.1.3). */
static void report_success(struct msrp_member *m, const struct msrp_head *head,
                           const struct room_message *msg)
{
	struct msrp_range range = { .start = 1,
		                    .end = msg->next - 1,
		                    .end_known = true,
		                    .total = msg->next - 1,
		                    .total_known = true };

	/* A peer who does not read is found out by the answer that follows. */
	if (head->success)
		(void)msrp_link_report(&m->link, head->message_id, &range, MSRP_OK);
}

static unsigned on_end(void *arg, const struct msrp_head *head, char flag, uint64_t now_ms)
{
	struct msrp_member *m = arg;
	struct room_message *msg = m->now;

	if (head->method == MSRP_NICKNAME)
		return room_nickname(m, head);
	if (!msg)
		return 0;
	m->now = NULL;
	if (flag == '+') {
		msg->due_ms = now_ms + m->room->spec.chunk_ms;
		return 0;
	}
	if (flag == '$' && !msg->decided) {
		finish(msg, '#');
		return MSRP_MEDIA_TYPE; /* no wrapper in it (6.3) */
	}
	if (flag == '$')
		report_success(m, head, msg);
	finish(msg, flag);
	return 0;
}

const struct msrp_link_ops room_link_ops = {
	.ready = may_read,
	.begin = on_begin,
	.body = on_body,
	.end = on_end,
};
