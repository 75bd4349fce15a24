/* SPDX-License-Identifier: Apache-2.0 */
/* The chat room: who is in it, and its pace. RFC 7701, 6.4. */
#include <stdlib.h>

#include "msrp/room_private.h"

#define NO_MEMORY    BASE_ERR(BASE_LOCAL, 0)
#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct msrp_member, node)
#define OR(value, otherwise)                                                                       \
	if (!(value))                                                                              \
	(value) = (otherwise)

static void defaults(struct msrp_room_spec *spec)
{
	OR(spec->members, 1000);
	OR(spec->messages, 16);
	OR(spec->octets, UINT64_MAX);
	OR(spec->cpim_octets, 4096);
	OR(spec->window, (size_t)256 * 1024);
	OR(spec->pool_octets, (size_t)64 * 1024 * 1024);
	OR(spec->patience_ms, 5000);
	OR(spec->chunk_ms, 540000);
}

/** A copy of a list of strings. @return false when memory is short */
static bool copy_list(struct base_arena *arena, const struct base_str *list, size_t count,
                      struct base_str **ret)
{
	struct base_str *copy = base_arena_array(arena, count ? count : 1, sizeof(*copy));

	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = base_str_of(base_arena_dup(arena, list[i]));
		if (!copy[i].ptr)
			return false;
	}
	*ret = copy;
	return copy != NULL;
}

int msrp_room_new(struct msrp_room **ret, const struct msrp_room_spec *spec, struct base_error *err)
{
	struct msrp_room *room = calloc(1, sizeof(*room));
	struct base_str *reserved;
	int rc = room ? msrp_ids_init(&room->ids) : NO_MEMORY;

	if (rc) {
		free(room);
		return base_error_set(err, rc, "no memory, or no random octets");
	}
	room->spec = *spec;
	defaults(&room->spec);
	base_list_init(&room->members);
	room->pool.limit = room->spec.pool_octets / MSRP_BLOCK_OCTETS + 1;
	room->spec.uri = base_str_of(base_arena_dup(&room->arena, spec->uri));
	if (!room->spec.uri.ptr ||
	    !copy_list(&room->arena, spec->reserved, spec->reserved_count, &reserved)) {
		msrp_room_free(room);
		return base_error_set(err, NO_MEMORY, "no memory");
	}
	room->spec.reserved = reserved;
	*ret = room;
	return 0;
}

void msrp_room_free(struct msrp_room *room)
{
	struct base_node *node;

	if (!room)
		return;
	while ((node = base_list_shift(&room->members)))
		msrp_room_leave(OF_NODE(node));
	msrp_pool_done(&room->pool);
	base_arena_done(&room->arena);
	free(room);
}

int msrp_room_join(struct msrp_room *room, const struct msrp_member_spec *spec,
                   struct msrp_member **ret, struct base_error *err)
{
	struct msrp_member *m;
	int rc;

	if (room->count >= room->spec.members)
		return base_error_set(err, NO_MEMORY, "the room is full: %zu members", room->count);
	m = calloc(1, sizeof(*m));
	if (!m)
		return base_error_set(err, NO_MEMORY, "no memory");
	base_list_init(&m->incoming);
	m->room = room;
	m->arg = spec->arg;
	m->private_messages = spec->private_messages;
	rc = msrp_link_init(&m->link, &room_link_ops, m, &room->pool, &room->ids, spec->own,
	                    spec->peer, err);
	if (rc) {
		free(m);
		return rc;
	}
	base_list_append(&room->members, &m->node);
	room->count++;
	m->uris = spec->uris;
	m->wrapped_types = base_str_of(base_arena_dup(&m->arena, spec->wrapped_types));
	if (!m->wrapped_types.ptr || !copy_list(&m->arena, spec->uri, spec->uris, &m->uri)) {
		m->uris = 0;
		msrp_room_leave(m);
		return base_error_set(err, NO_MEMORY, "no memory");
	}
	*ret = m;
	return 0;
}

void room_wake(struct msrp_member *m)
{
	if (m->woken)
		return;
	m->woken = true;
	m->room->spec.ops->wake(m->room->spec.arg, m, m->arg);
}

/** Somebody takes again, or is gone: who was held may go on. */
static void wake_waiting(struct msrp_room *room)
{
	BASE_LIST_EACH(&room->members, node, after)
	{
		if (!OF_NODE(node)->waits)
			continue;
		OF_NODE(node)->waits = false;
		OF_NODE(node)->woken = false;
		room_wake(OF_NODE(node));
	}
}

void msrp_room_leave(struct msrp_member *m)
{
	struct msrp_room *room = m->room;

	room_drop_messages(m);
	base_list_remove(&m->node);
	room->count--;
	msrp_link_done(&m->link);
	base_writer_done(&m->text);
	base_arena_done(&m->arena);
	free(m);
	wake_waiting(room);
}

int msrp_member_input(struct msrp_member *m, struct base_str *in, uint64_t now_ms,
                      struct base_error *err)
{
	int rc;

	m->now_ms = now_ms;
	rc = msrp_link_input(&m->link, in, now_ms, err);
	m->waits = !rc && in->len;
	if (!rc && msrp_out_ready(&m->link.out))
		room_wake(m);
	return rc;
}

static void set_lagging(struct msrp_member *m, bool is)
{
	const struct msrp_room_spec *spec = &m->room->spec;

	m->lagging = is;
	if (spec->ops->lagging)
		spec->ops->lagging(spec->arg, m->arg, is);
}

size_t msrp_member_take(struct msrp_member *m, void *buf, size_t cap, uint64_t now_ms)
{
	size_t n = msrp_out_take(&m->link.out, buf, cap, now_ms);

	if (n < cap) {
		m->woken = false;
		if (m->lagging)
			set_lagging(m, false);
	}
	if (m->full && !msrp_out_is_full(&m->link.out, m->room->spec.window)) {
		m->full = false;
		wake_waiting(m->room);
	}
	return n;
}

/** Patience is at its end: what has not gone out yet does not (6.4). */
static void cut_off(struct msrp_member *m)
{
	m->full = false;
	msrp_out_give_up_all(&m->link.out);
	set_lagging(m, true);
	wake_waiting(m->room);
}

void msrp_room_tick(struct msrp_room *room, uint64_t now_ms)
{
	struct msrp_member *m;

	BASE_LIST_EACH(&room->members, node, after)
	{
		m = OF_NODE(node);
		msrp_link_tick(&m->link, now_ms);
		room_expire(m, now_ms);
		if (m->full && now_ms >= m->full_ms + room->spec.patience_ms)
			cut_off(m);
	}
}

uint64_t msrp_room_due(const struct msrp_room *room)
{
	uint64_t due = MSRP_NEVER;

	for (struct base_node *node = room->members.next; node != &room->members;
	     node = node->next) {
		due = BASE_MIN(due, msrp_out_due(&OF_NODE(node)->link.out));
		due = BASE_MIN(due, room_message_due(OF_NODE(node)));
		if (OF_NODE(node)->full)
			due = BASE_MIN(due, OF_NODE(node)->full_ms + room->spec.patience_ms);
	}
	return due;
}

struct base_str msrp_member_nickname(const struct msrp_member *m)
{
	return m->nickname;
}

void msrp_member_counts(const struct msrp_member *m, uint64_t *ret_in, uint64_t *ret_out)
{
	*ret_in = m->link.sends;
	*ret_out = m->link.out.sends;
}
