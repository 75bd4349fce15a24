/* SPDX-License-Identifier: Apache-2.0 */
/* The chat room: RFC 7701, 6 (messages), 7 (nicknames), with its examples (9). */
#include "peer.h"

#define ROOM "sip:chatroom22@chat.example.com;transport=tcp"
enum { ALICE, BOB, CAROL, PEERS };

static const char *uri[] = { "sip:alice@atlanta.example.com", "sip:bob@example.com",
	                     "tel:+1-201-555-0123" };

struct world {
	struct msrp_room *room;
	struct peer peer[PEERS];
	struct msrp_member *member[PEERS];
	struct base_writer late[PEERS]; /* what the room has not read yet */
	bool stuck[PEERS], lagging[PEERS];
	bool woken[PEERS]; /* nothing is read again or taken else */
	char nickname[64];
	uint64_t now;
};

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

static const struct msrp_room_ops ops = { wake, on_nickname, on_lagging };

static void join(struct world *t, size_t i, bool private_messages, const char *types)
{
	struct base_str known[] = { base_str_of(uri[i]), BASE_STR("sip:anonymous@x.invalid") };
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

static int set_up(void **state)
{
	static const struct base_str reserved[] = { { "Moderator", 9 } };
	struct world *t = calloc(1, sizeof(*t));
	struct msrp_room_spec spec = { .uri = BASE_STR(ROOM),
		                       .nicknames = true,
		                       .private_messages = true,
		                       .reserved = reserved,
		                       .reserved_count = 1,
		                       .messages = 4,
		                       .ops = &ops,
		                       .arg = t };

	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		join(t, i, i != CAROL, "");
	*state = t;
	return 0;
}

static void leave(struct world *t, size_t i)
{
	msrp_room_leave(t->member[i]);
	t->member[i] = NULL;
}

static int tear_down(void **state)
{
	struct world *t = *state;

	for (size_t i = 0; i < PEERS; i++) {
		if (t->member[i])
			leave(t, i);
		peer_close(&t->peer[i]);
		base_writer_done(&t->late[i]);
	}
	msrp_room_free(t->room); /* nothing of any message is left: its pool says so */
	free(t);
	return 0;
}

/** Octets into the room, `step` at a time; what it does not read stays for the next time. */
static size_t feed(struct world *t, size_t i, const char *data, size_t len, size_t step)
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

static size_t carry(struct world *t, size_t i, size_t step)
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
	n = feed(t, i, buf, n, step);
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

static void settle(struct world *t, size_t step)
{
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < PEERS; i++)
			n += t->member[i] ? carry(t, i, step) : 0;
	} while (n);
}

static void wrap(struct base_writer *w, const char *from, const char *to, const char *type)
{
	const struct msrp_cpim cpim = { .from = base_str_of(from),
		                        .to = base_str_of(to),
		                        .date_time = BASE_STR("2009-03-02T15:02:31-03:00"),
		                        .content_type = base_str_of(type) };

	msrp_cpim_write(w, &cpim);
}

static void say(struct world *t, size_t i, const char *to, const char *text)
{
	struct base_writer w = { 0 };

	wrap(&w, uri[i], to, "text/plain");
	base_writer_text(&w, text);
	peer_say(&t->peer[i], "message/cpim", base_writer_view(&w), true);
	base_writer_done(&w);
}

static bool has(const struct peer *p, const char *text)
{
	size_t n = strlen(text);

	return p->whole && p->got.len >= n && !memcmp(p->got.data + p->got.len - n, text, n);
}

static void to_all_others(void **state)
{
	struct world *t = *state;

	for (size_t step = 1; step < 3000; step = step * 5 + 3) {
		say(t, ALICE, ROOM, "Hello guys, how are you today?");
		settle(t, step);
		assert_true(has(&t->peer[BOB], "Hello guys, how are you today?"));
		assert_true(has(&t->peer[CAROL], "Hello guys, how are you today?"));
		assert_int_equal(t->peer[ALICE].whole, 0);
		assert_string_equal(t->peer[BOB].type, "message/cpim");
		assert_int_equal(t->peer[ALICE].told, 200); /* 6.3: the switch is an end */
		assert_int_equal(t->peer[ALICE].told_count, 1);
		t->peer[ALICE].told_count = 0;
	}
}

static void in_private(void **state)
{
	struct world *t = *state;

	say(t, ALICE, uri[BOB], "Hello Bob.");
	settle(t, 50);
	assert_true(has(&t->peer[BOB], "Hello Bob."));
	assert_int_equal(t->peer[CAROL].whole, 0);
	assert_int_equal(t->peer[ALICE].told, 200);
	say(t, ALICE, "tel:+12015550123", "Carol?"); /* takes no private messages */
	settle(t, 50);
	assert_int_equal(t->peer[ALICE].told, 428);
	say(t, ALICE, "sip:nobody@example.com", "x");
	settle(t, 50);
	assert_int_equal(t->peer[ALICE].told, 404);
	assert_int_equal(t->peer[CAROL].whole + t->peer[BOB].whole, 1);
}

/** Written by hand, answered as expected. */
static void answers(struct world *t, size_t i, const char *text, const char *answer)
{
	char buf[4096];
	size_t n;

	feed(t, i, text, strlen(text), 11);
	n = msrp_member_take(t->member[i], buf, sizeof(buf) - 1, t->now);
	buf[n] = '\0';
	if (answer ? !strstr(buf, answer) : n)
		fail_msg("'%s', not %s", buf, answer ? answer : "nothing");
}

#define PATHS                                                                                      \
	"To-Path: msrp://chat.example.com:12763/s0;tcp\r\n"                                        \
	"From-Path: msrp://client0.example.com:7654/c;tcp\r\n"
#define CHUNK(tid, range, type, data, flag)                                                        \
	"MSRP " tid " SEND\r\n" PATHS "Message-ID: aft4to\r\nByte-Range: " range "\r\n"            \
	"Content-Type: " type "\r\n\r\n" data "\r\n-------" tid flag "\r\n"
#define FROM "From: <sip:alice@atlanta.example.com>\r\n"

static void refusals(void **state)
{
	static const struct {
		const char *text, *answer;
	} row[] = {
		{ CHUNK("abcd", "1-*/*", "text/plain", "x", "$"), " 415 " }, /* 6.3 */
		{ CHUNK("abcd", "1-*/*", "message/cpim", "x", "$"), " 415 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim", "x\n\r\n\r\n", "$"), " 400 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim", FROM "\r\n\r\n", "$"), " 400 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "From: <sip:bob@example.com>\r\nTo: <" ROOM
		        ">\r\n\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 403 " }, /* 6.3: not hers */
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        FROM "To: <" ROOM
		             ">\r\nTo: <sip:bob@example.com>\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 403 " }, /* 6.1: several To */
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "To: <" ROOM ">\r\nContent-Type: a/b\r\n\r\nx", "$"),
		  " 403 " },
		{ CHUNK("abcd", "1-*/*", "message/cpim",
		        "From: <sip:bob@example.com> <sip:alice@atlanta.example.com>\r\n"
		        "To: <" ROOM ">\r\n\r\nContent-Type: a/b\r\n\r\nx",
		        "$"),
		  " 400 " }, /* two URIs: which of them is shown? */
		{ CHUNK("abcd", "7-*/*", "message/cpim", "x", "$"), " 413 " },
		{ "MSRP abcd FETCH\r\n" PATHS "-------abcd$\r\n", " 501 " },
		{ "MSRP abcd SEND\r\n" PATHS "Message-ID: abcd\r\n-------abcd$\r\n", " 200 " },
	};
	struct world *t = *state;

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		answers(t, ALICE, row[i].text, row[i].answer);
	settle(t, 100);
	assert_int_equal(t->peer[BOB].whole + t->peer[BOB].broken, 0);
}

/** RFC 7701, 9.5 (whose first flag is to be "+"): the wrapper's headers come in two chunks. */
static void wrapper_in_two_chunks(void **state)
{
	struct world *t = *state;

	answers(t, ALICE,
	        CHUNK("7443ruls", "1-*/*", "message/cpim", "To: <sip:bob@example.com>\r\n" FROM,
	              "+"),
	        " 200 ");
	settle(t, 100);
	assert_int_equal(t->peer[BOB].whole + t->peer[BOB].broken, 0);
	answers(t, ALICE,
	        CHUNK("7443rulu", "67-*/*", "message/cpim",
	              "DateTime: 2009-03-02T15:02:31-03:00\r\nContent-Type: text/plain\r\n\r\n"
	              "Hello Bob",
	              "$"),
	        " 200 ");
	settle(t, 100);
	assert_true(has(&t->peer[BOB], "Hello Bob"));
	assert_int_equal(t->peer[CAROL].whole, 0);
}

/** Who has not got a message's beginning does not get its rest (6.1). */
static void latecomers(void **state)
{
	struct world *t = *state;

	leave(t, CAROL);
	answers(t, ALICE,
	        CHUNK("abcd", "1-*/*", "message/cpim",
	              FROM "To: <" ROOM ">\r\n\r\nContent-Type: text/plain\r\n\r\n12345", "+"),
	        " 200 ");
	peer_close(&t->peer[CAROL]);
	join(t, CAROL, true, "");
	settle(t, 100);
	answers(t, ALICE, CHUNK("abce", "130-*/*", "message/cpim", "67890", "$"), " 413 ");
	answers(t, ALICE,
	        CHUNK("abcd", "1-*/*", "message/cpim",
	              FROM "To: <" ROOM ">\r\n\r\nContent-Type: text/plain\r\n\r\n12345", "+"),
	        " 200 ");
	leave(t, CAROL);
	answers(t, ALICE, CHUNK("abce", "128-*/*", "message/cpim", "67890", "$"), " 200 ");
	settle(t, 100);
	assert_true(has(&t->peer[BOB], "1234567890"));
	assert_int_equal(t->peer[CAROL].whole, 0);
}

/** Many small messages for somebody who takes nothing: memory counts, not octets alone. */
static void many_small_ones(void **state)
{
	struct world *t = *state;

	t->stuck[BOB] = true;
	for (int i = 0; i < 700; i++)
		say(t, ALICE, ROOM, "x");
	settle(t, 16384);
	assert_true(t->late[ALICE].len > 0);
	t->now += 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[BOB]);
	settle(t, 16384);
	assert_int_equal(t->late[ALICE].len, 0);
	assert_int_equal(t->peer[CAROL].whole, 700);
}

/** The rest never comes: by its timer (6.1), or since the sender has gone. */
static void unfinished(void **state)
{
	static const char begun[] =
	        CHUNK("abcd", "1-*/*", "message/cpim",
	              FROM "To: <" ROOM ">\r\n\r\nContent-Type: a/b\r\n\r\n12345", "+");
	struct world *t = *state;

	answers(t, ALICE, begun, " 200 ");
	settle(t, 100);
	t->now = 539999;
	assert_true(msrp_room_due(t->room) <= 540000);
	msrp_room_tick(t->room, t->now);
	settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 0);
	t->now = 540000;
	msrp_room_tick(t->room, t->now);
	settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 1);
	answers(t, ALICE, begun, " 200 ");
	settle(t, 100);
	leave(t, ALICE);
	settle(t, 100);
	assert_int_equal(t->peer[BOB].broken, 2);
	assert_int_equal(t->peer[CAROL].broken, 2);
}

static void types(void **state)
{
	struct world *t = *state;

	leave(t, BOB);
	peer_close(&t->peer[BOB]);
	join(t, BOB, true, "text/html  image/* ");
	say(t, ALICE, ROOM, "plain");
	settle(t, 100);
	assert_int_equal(t->peer[BOB].whole, 0); /* 6.1: not forwarded, and no failure */
	assert_int_equal(t->peer[CAROL].whole, 1);
	assert_int_equal(t->peer[ALICE].told, 200);
	leave(t, BOB);
	peer_close(&t->peer[BOB]);
	join(t, BOB, true, "text/*");
	say(t, ALICE, ROOM, "plain");
	settle(t, 100);
	assert_int_equal(t->peer[BOB].whole, 1);
}

static void ask_nickname(struct world *t, size_t i, const char *name, unsigned status)
{
	assert_int_equal(msrp_client_nickname(t->peer[i].client, base_str_of(name), t->now), 0);
	settle(t, 20);
	if (t->peer[i].nickname != status)
		fail_msg("%s: %u", name, t->peer[i].nickname);
}

static void nicknames(void **state)
{
	struct world *t = *state;
	struct base_str name;

	ask_nickname(t, ALICE, "Alice the great", 200);
	assert_string_equal(t->nickname, "Alice the great");
	ask_nickname(t, BOB, " ALICE  the great ", 425); /* in use */
	ask_nickname(t, BOB, "moderator", 425);          /* reserved */
	ask_nickname(t, BOB, "  ", 424);
	ask_nickname(t, BOB, "Bob", 200);
	ask_nickname(t, ALICE, "bob", 425);
	name = msrp_member_nickname(t->member[ALICE]);
	assert_true(base_str_eq(name, BASE_STR("Alice the great"))); /* 7.2: the old one stays */
	ask_nickname(t, ALICE, "Al", 200);
	ask_nickname(t, BOB, "Alice the great", 200); /* 7.2: released */
	ask_nickname(t, BOB, "", 200);                /* 7.3 */
	assert_int_equal(msrp_member_nickname(t->member[BOB]).len, 0);
	answers(t, ALICE, "MSRP abcd NICKNAME\r\n" PATHS "Use-Nickname: x\r\n-------abcd$\r\n",
	        " 424 ");
	answers(t, ALICE, "MSRP abcd NICKNAME\r\n" PATHS "-------abcd$\r\n", " 424 ");
	answers(t, ALICE,
	        "MSRP abcd NICKNAME\r\n" PATHS
	        "Use-Nickname: \"x\"\r\nFailure-Report: no\r\n-------abcd$\r\n",
	        " 400 ");
	leave(t, ALICE);
	ask_nickname(t, CAROL, "AL", 200);
}

/** One user at two devices (7.1), both of whom get what others say (6.1). */
static void two_devices(void **state)
{
	struct world *t = *state;
	const char *carol = uri[CAROL];

	leave(t, CAROL);
	peer_close(&t->peer[CAROL]);
	uri[CAROL] = uri[BOB];
	join(t, CAROL, true, "");
	uri[CAROL] = carol;
	ask_nickname(t, BOB, "Bob", 200);
	assert_int_equal(msrp_member_nickname(t->member[CAROL]).len, 0); /* not by itself */
	ask_nickname(t, CAROL, "Bob", 200);
	ask_nickname(t, ALICE, "Bob", 425);
	say(t, ALICE, uri[BOB], "both");
	settle(t, 100);
	assert_true(has(&t->peer[BOB], "both") && has(&t->peer[CAROL], "both"));
}

/** Who takes nothing does not keep the room's memory for ever, be it less than a window (6.4). */
static void the_pool_is_used_up(void **state)
{
	struct world *t = *state;
	struct msrp_room_spec spec = {
		.uri = BASE_STR(ROOM), .ops = &ops, .arg = t, .pool_octets = 200000
	};

	for (size_t i = 0; i < PEERS; i++) {
		leave(t, i);
		peer_close(&t->peer[i]);
	}
	msrp_room_free(t->room);
	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		join(t, i, true, "");
	t->stuck[BOB] = true;
	for (int i = 0; i < 100 && t->peer[ALICE].told != 413; i++) {
		say(t, ALICE, ROOM, "x");
		settle(t, 16384);
	}
	assert_int_equal(t->peer[ALICE].told, 413);
	assert_int_equal(msrp_room_due(t->room), t->now + 5000);
	t->now += 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[BOB] && !t->lagging[CAROL]);
	say(t, ALICE, ROOM, "again");
	settle(t, 16384);
	assert_true(has(&t->peer[CAROL], "again"));
}

static void policy(void **state)
{
	struct world *t = *state;
	struct msrp_room_spec spec = { .uri = BASE_STR(ROOM), .ops = &ops, .arg = t };

	for (size_t i = 0; i < PEERS; i++) {
		leave(t, i);
		peer_close(&t->peer[i]);
	}
	msrp_room_free(t->room);
	spec.members = 3;
	assert_int_equal(msrp_room_new(&t->room, &spec, NULL), 0);
	for (size_t i = 0; i < PEERS; i++)
		join(t, i, true, "");
	ask_nickname(t, ALICE, "x", 403);
	say(t, ALICE, uri[BOB], "x");
	settle(t, 100);
	assert_int_equal(t->peer[ALICE].told, 403);
}

static struct base_writer big(const char *from, size_t len)
{
	struct base_writer w = { 0 };

	wrap(&w, from, ROOM, "application/octet-stream");
	while (w.len < len)
		base_writer_u32(&w, (uint32_t)w.len * 2654435761U);
	return w;
}

static bool same(const struct peer *p, const struct base_writer *w)
{
	return p->got.len == w->len && !memcmp(p->got.data, w->data, w->len);
}

/** A file to all while others talk. Nothing is held for longer than it takes. */
static void a_file_and_talk(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(uri[ALICE], 2000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 20; i++)
		for (size_t j = 0; j < PEERS; j++)
			carry(t, j, 4000);
	say(t, BOB, ROOM, "meanwhile");
	for (int i = 0; i < 20 && !t->peer[ALICE].whole; i++)
		for (size_t j = 0; j < PEERS; j++)
			carry(t, j, 4000);
	assert_true(has(&t->peer[ALICE], "meanwhile"));
	assert_int_equal(t->peer[BOB].whole, 0);
	settle(t, 16384);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[CAROL].broken, 0);
	assert_int_equal(t->peer[ALICE].told, 200);
	base_writer_done(&w);
}

/** Who takes nothing holds the sender for a while, and is then left behind (6.4). */
static void one_does_not_take(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(uri[ALICE], 2000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 4; i++)
		(void)(carry(t, ALICE, 4000) + carry(t, CAROL, 100));
	t->stuck[CAROL] = true;
	settle(t, 16384);
	assert_int_equal(t->peer[BOB].whole, 0);
	say(t, BOB, uri[ALICE], "still talking"); /* what is not for Carol is not held */
	settle(t, 16384);
	assert_true(has(&t->peer[ALICE], "still talking"));
	assert_int_equal(msrp_room_due(t->room), 5000);
	t->now = 5000;
	msrp_room_tick(t->room, t->now);
	assert_true(t->lagging[CAROL]);
	settle(t, 16384);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[ALICE].told, 200);
	say(t, ALICE, ROOM, "not for Carol");
	settle(t, 16384);
	t->stuck[CAROL] = false;
	settle(t, 16384);
	assert_int_equal(t->peer[CAROL].broken, 1); /* '#' */
	assert_int_equal(t->peer[CAROL].whole, 0);
	assert_false(t->lagging[CAROL]);
	say(t, ALICE, ROOM, "for Carol");
	settle(t, 16384);
	assert_true(has(&t->peer[CAROL], "for Carol"));
	base_writer_done(&w);
}

/** Slow is not stuck: it gets all, and sets the pace. */
static void one_is_slow(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(uri[ALICE], 1000000);

	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	for (int i = 0; i < 5000 && !t->peer[CAROL].whole; i++) {
		t->stuck[CAROL] = i % 10;
		t->now += 100;
		msrp_room_tick(t->room, t->now);
		for (size_t j = 0; j < PEERS; j++)
			carry(t, j, 8000);
	}
	assert_true(same(&t->peer[CAROL], &w));
	assert_true(same(&t->peer[BOB], &w));
	base_writer_done(&w);
}

/** A receiver who refuses a message gets no more of it; its sender hears nothing of that (6.3). */
static void a_receiver_refuses(void **state)
{
	struct world *t = *state;
	struct base_writer w = big(uri[ALICE], 500000);

	t->peer[CAROL].refuse = 413;
	peer_say(&t->peer[ALICE], "message/cpim", base_writer_view(&w), true);
	settle(t, 4096);
	assert_true(same(&t->peer[BOB], &w));
	assert_int_equal(t->peer[ALICE].told, 200);
	assert_int_equal(t->peer[ALICE].told_count, 1);
	assert_int_equal(t->peer[CAROL].whole, 0);
	base_writer_done(&w);
}

static void too_much(void **state)
{
	struct world *t = *state;
	char text[1024];

	for (int i = 0; i < 5; i++) { /* four at a time */
		snprintf(text, sizeof(text),
		         "MSRP abcd SEND\r\n" PATHS "Message-ID: id0%d\r\nByte-Range: 1-*/*\r\n"
		         "Content-Type: message/cpim\r\n\r\nx\r\n-------abcd+\r\n",
		         i);
		answers(t, ALICE, text, i < 4 ? " 200 " : " 413 ");
	}
	answers(t, BOB,
	        "MSRP abcd SEND\r\nTo-Path: msrp://chat.example.com:12763/s1;tcp\r\n"
	        "From-Path: msrp://x:1/c;tcp\r\nMessage-ID: id01\r\n"
	        "Content-Type: message/cpim\r\n\r\nFrom: ",
	        NULL);
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 4; i++)
		feed(t, BOB, text, sizeof(text), 100);
	answers(t, BOB, "\r\n-------abcd$\r\n", " 413 ");
}

static void cpim(void **state)
{
	struct msrp_cpim c;
	struct base_str text = BASE_STR("From: \"<x>\" <sip:a@b>\r\nTo: <im:c@d>\r\ncc: <x:y>\r\n"
	                                "NS: <a>\r\nDateTime: now\r\n\r\nContent-ID: <1>\r\n"
	                                "content-type: text/plain; charset=utf-8\r\n\r\nbody");

	(void)state;
	assert_int_equal(msrp_cpim_parse(text, &c), 0);
	assert_true(base_str_eq(c.from, BASE_STR("sip:a@b")));
	assert_true(base_str_eq(c.to, BASE_STR("im:c@d")));
	assert_true(base_str_eq(c.content_type, BASE_STR("text/plain; charset=utf-8")));
	assert_int_equal(c.len, text.len - 4);
	for (size_t i = 0; i < c.len; i++)
		assert_int_equal(msrp_cpim_parse((struct base_str){ text.ptr, i }, &c),
		                 BASE_ERR(BASE_AGAIN, 0));
	assert_int_not_equal(msrp_cpim_parse(BASE_STR("From: sip:a@b\r\n"), &c),
	                     BASE_ERR(BASE_AGAIN, 0));
	assert_int_not_equal(msrp_cpim_parse(BASE_STR("From: <>\r\n"), &c),
	                     BASE_ERR(BASE_AGAIN, 0));
	assert_int_equal(msrp_cpim_parse(BASE_STR("from: x\r\n"), &c), BASE_ERR(BASE_AGAIN, 0));
	assert_true(
	        msrp_same_participant(BASE_STR("SIP:a@B.example"), BASE_STR("sip:a@b.EXAMPLE")));
	assert_false(msrp_same_participant(BASE_STR("sip:A@b"), BASE_STR("sip:a@b")));
	assert_false(msrp_same_participant(BASE_STR("sip:a@b"), BASE_STR("sips:a@b")));
	assert_true(msrp_same_participant(BASE_STR("tel:+1-(2)3."), BASE_STR("TEL:+123")));
	assert_false(msrp_same_participant(BASE_STR("tel:+12"), BASE_STR("tel:+123")));
	assert_false(msrp_same_participant(BASE_STR(""), BASE_STR("")));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(to_all_others),
		T(in_private),
		T(refusals),
		T(wrapper_in_two_chunks),
		T(latecomers),
		T(unfinished),
		T(types),
		T(nicknames),
		T(two_devices),
		T(policy),
		T(a_file_and_talk),
		T(one_does_not_take),
		T(one_is_slow),
		T(a_receiver_refuses),
		T(too_much),
		T(many_small_ones),
		T(the_pool_is_used_up),
		cmocka_unit_test(cpim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
