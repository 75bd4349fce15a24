/* SPDX-License-Identifier: Apache-2.0 */
#include "room_stage.h"

const char *room_uri[PEERS] = { "sip:alice@atlanta.example.com", "sip:bob@example.com",
	                        "tel:+1-201-555-0123" };

static void wake(void *arg, struct msrp_member *member, void *member_arg)
{
	struct world *t = arg;

	(void)member;
	t->woken[(struct peer *)member_arg - t->peer] = true;
}

static void on_nickname(void *arg, void *member_arg, struct base_str nickname)
{
	struct world *t = arg;

	(void)member_arg;
	snprintf(t->nickname, sizeof(t->nickname), "%.*s", BASE_FMT(nickname));
}

static void on_lagging(void *arg, void *member_arg, bool is)
{
	struct world *t = arg;

	t->lagging[(struct peer *)member_arg - t->peer] = is;
}

const struct msrp_room_ops room_stage_ops = { wake, on_nickname, on_lagging };

void room_join(struct world *t, size_t i, bool private_messages, const char *types)
{
	struct base_str known[] = { base_str_of(room_uri[i]), BASE_STR("sip:anonymous@x.invalid") };
	char own[64], peer[64];
	struct msrp_member_spec spec = { .uri = known,
		                         .uris = i == CAROL ? 2 : 1,
		                         .private_messages = private_messages,
		                         .wrapped_types = base_str_of(types),
		                         .arg = &t->peer[i] };

	snprintf(own, sizeof(own), "msrp://chat.example.com:12763/s%zu;tcp", i);
	snprintf(peer, sizeof(peer), "msrp://client%zu.example.com:7654/c;tcp", i);
	spec.own = base_str_of(own);
	spec.peer = base_str_of(peer);
	peer_open(&t->peer[i], peer, own);
	assert_int_equal(msrp_room_join(t->room, &spec, &t->member[i], NULL), 0);
}

int set_up(void **state)
{
	static const struct base_str reserved[] = { { "Moderator", 9 } };
	struct world *t = calloc(1, sizeof(*t));
	struct msrp_room_spec spec = { .uri = BASE_STR(ROOM),
		                       .nicknames = true,
		                       .private_messages = true,
		                       .reserved = reserved,
		                       .reserved_count = 1,
		                       .messages = 4,
		                       .ops = &room_stage_ops,
		                       .arg = t };

	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		room_join(t, i, i != CAROL, "");
	*state = t;
	return 0;
}

void room_leave(struct world *t, size_t i)
{
	msrp_room_leave(t->member[i]);
	t->member[i] = NULL;
}

int tear_down(void **state)
{
	struct world *t = *state;

	for (size_t i = 0; i < PEERS; i++) {
		if (t->member[i])
			room_leave(t, i);
		peer_close(&t->peer[i]);
		base_writer_done(&t->late[i]);
	}
	msrp_room_free(t->room); /* nothing of any message is left: its pool says so */
	free(t);
	return 0;
}

size_t room_feed(struct world *t, size_t i, const char *data, size_t len, size_t step)
{
	struct base_writer *late = &t->late[i];
	struct base_str in;
	size_t done = 0;

	base_writer_put(late, data, len);
	while (done < late->len) {
		in = (struct base_str){ (char *)late->data + done,
			                BASE_MIN(step, late->len - done) };
		len = in.len;
		assert_int_equal(msrp_member_input(t->member[i], &in, t->now, NULL), 0);
		done += len - in.len;
		if (in.len)
			break;
	}
	if (done)
		memmove(late->data, late->data + done, late->len - done);
	late->len -= done;
	return done;
}

size_t room_carry(struct world *t, size_t i, size_t step)
{
	char buf[16384] = "";
	bool go = t->woken[i];
	size_t n = 0, back;
	struct base_str in;

	if (t->late[i].len && !go)
		return 0; /* held */
	t->woken[i] = false;
	if (!t->late[i].len)
		n = msrp_client_take(t->peer[i].client, buf, BASE_MIN(step, sizeof(buf)), t->now);
	n = room_feed(t, i, buf, n, step);
	go = go || t->woken[i];
	t->woken[i] = go;
	if (t->stuck[i] || !go)
		return n;
	step = BASE_MIN(step, sizeof(buf));
	back = msrp_member_take(t->member[i], buf, step, t->now);
	t->woken[i] = back == step;
	in = (struct base_str){ buf, back };
	assert_int_equal(msrp_client_input(t->peer[i].client, &in, t->now, NULL), 0);
	return n + back;
}

void room_settle(struct world *t, size_t step)
{
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < PEERS; i++)
			n += t->member[i] ? room_carry(t, i, step) : 0;
	} while (n);
}

void room_wrap(struct base_writer *w, const char *from, const char *to, const char *type)
{
	const struct msrp_cpim cpim = { .from = base_str_of(from),
		                        .to = base_str_of(to),
		                        .date_time = BASE_STR("2009-03-02T15:02:31-03:00"),
		                        .content_type = base_str_of(type) };

	msrp_cpim_write(w, &cpim);
}

void room_say(struct world *t, size_t i, const char *to, const char *text)
{
	struct base_writer w = { 0 };

	room_wrap(&w, room_uri[i], to, "text/plain");
	base_writer_text(&w, text);
	peer_say(&t->peer[i], "message/cpim", base_writer_view(&w), true);
	base_writer_done(&w);
}

bool room_has(const struct peer *p, const char *text)
{
	size_t n = strlen(text);

	return p->whole && p->got.len >= n && !memcmp(p->got.data + p->got.len - n, text, n);
}

void room_answers(struct world *t, size_t i, const char *text, const char *answer)
{
	char buf[4096];
	size_t n;

	room_feed(t, i, text, strlen(text), 11);
	n = msrp_member_take(t->member[i], buf, sizeof(buf) - 1, t->now);
	buf[n] = '\0';
	if (answer ? !strstr(buf, answer) : n)
		fail_msg("'%s', not %s", buf, answer ? answer : "nothing");
}

void room_ask_nickname(struct world *t, size_t i, const char *name, unsigned status)
{
	assert_int_equal(msrp_client_nickname(t->peer[i].client, base_str_of(name), t->now), 0);
	room_settle(t, 20);
	if (t->peer[i].nickname != status)
		fail_msg("%s: %u", name, t->peer[i].nickname);
}
