/* SPDX-License-Identifier: Apache-2.0 */
/* Participants, what they take, how they are called: RFC 7701, 5.2, 6.1 and 7. */
#include "msrp/cpim.h"
#include "msrp/room_private.h"

#define OF_NODE(ptr) BASE_CONTAINER_OF(ptr, struct msrp_member, node)

bool room_is(const struct msrp_member *m, struct base_str uri)
{
	for (size_t i = 0; i < m->uris; i++)
		if (msrp_same_participant(m->uri[i], uri))
			return true;
	return false;
}

/** The type without its parameters. */
static struct base_str bare(struct base_str type)
{
	const char *semicolon = memchr(type.ptr, ';', type.len);

	if (semicolon)
		type.len = (size_t)(semicolon - type.ptr);
	return base_str_trim(type);
}

/** "*", "type/ *" or a type of accept-wrapped-types (RFC 4975, 8.6). */
static bool matches(struct base_str pattern, struct base_str type)
{
	pattern = bare(pattern);
	if (base_str_eq(pattern, BASE_STR("*")))
		return true;
	if (pattern.len > 2 && !memcmp(pattern.ptr + pattern.len - 2, "/*", 2))
		return type.len >= pattern.len - 1 &&
		       base_str_ieq((struct base_str){ pattern.ptr, pattern.len - 1 },
		                    (struct base_str){ type.ptr, pattern.len - 1 });
	return base_str_ieq(pattern, type);
}

bool room_takes_type(const struct msrp_member *m, struct base_str type)
{
	struct base_str list = m->wrapped_types, one;
	const char *space;

	type = bare(type);
	if (!list.len)
		return true; /* not known: the switch is aware of nothing (6.1) */
	while (list.len) {
		space = memchr(list.ptr, ' ', list.len);
		one = (struct base_str){ list.ptr, space ? (size_t)(space - list.ptr) : list.len };
		if (one.len && matches(one, type))
			return true;
		list = (struct base_str){ list.ptr + one.len + (space ? 1 : 0),
			                  list.len - one.len - (space ? 1 : 0) };
	}
	return false;
}

/** The next octet of a nickname as it is compared: ASCII without case, white space once and not at
 * the ends. RFC 7700 asks for more beyond ASCII; octets over 127 are compared as they are. */
static int next_octet(struct base_str *s)
{
	bool space = false;

	while (s->len && s->ptr[0] == ' ') {
		space = true;
		*s = (struct base_str){ s->ptr + 1, s->len - 1 };
	}
	if (space && s->len)
		return ' ';
	if (!s->len)
		return -1;
	*s = (struct base_str){ s->ptr + 1, s->len - 1 };
	return base_lower((unsigned char)s->ptr[-1]);
}

static bool same_nickname(struct base_str a, struct base_str b)
{
	int x, y;

	a = base_str_trim(a);
	b = base_str_trim(b);
	do {
		x = next_octet(&a);
		y = next_octet(&b);
	} while (x == y && x >= 0);
	return x == y;
}

static bool same_user(const struct msrp_member *a, const struct msrp_member *b)
{
	for (size_t i = 0; i < b->uris; i++)
		if (room_is(a, b->uri[i]))
			return true;
	return false;
}

/** Reserved for nobody, or another user's (7.1). */
static bool is_taken(const struct msrp_member *m, struct base_str nickname)
{
	const struct msrp_room *room = m->room;

	for (size_t i = 0; i < room->spec.reserved_count; i++)
		if (same_nickname(room->spec.reserved[i], nickname))
			return true;
	for (struct base_node *node = room->members.next; node != &room->members; node = node->next)
		if (OF_NODE(node)->nickname.len && !same_user(OF_NODE(node), m) &&
		    same_nickname(OF_NODE(node)->nickname, nickname))
			return true;
	return false;
}

unsigned room_nickname(struct msrp_member *m, const struct msrp_head *head)
{
	const struct msrp_room_spec *spec = &m->room->spec;
	struct base_writer old = m->text;
	struct base_writer text = { 0 };
	char name[MSRP_NICKNAME_MAX];
	size_t len;

	if (!spec->nicknames)
		return MSRP_NOT_ALLOWED;
	if (!head->use_nickname.ptr || msrp_nickname_read(head->use_nickname, name, &len))
		return MSRP_NICKNAME_MALFORMED;
	if (len && !base_str_trim((struct base_str){ name, len }).len)
		return MSRP_NICKNAME_MALFORMED; /* nothing but spaces (RFC 7700) */
	if (len && is_taken(m, (struct base_str){ name, len }))
		return MSRP_NICKNAME_TAKEN; /* the old one stays (7.2) */
	base_writer_put(&text, name, len);
	if (text.failed)
		return MSRP_STOP;
	m->text = text;
	m->nickname = base_writer_view(&text);
	base_writer_done(&old);
	if (spec->ops->nickname)
		spec->ops->nickname(spec->arg, m->arg, m->nickname);
	return 0;
}
