/* SPDX-License-Identifier: Apache-2.0 */
/* Two users with each other, and three in a room (RFC 7701), without a network. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ue/chat.h"

#include "check.h"

#define A     "msrps://a.example:7777/aaaaaaaa;tcp"
#define B     "msrps://b.example:8888/bbbbbbbb;tcp"
#define ROOM  "sip:room@conf.example"
#define USERS 3

struct user {
	struct ue_chat *chat;
	struct ue_events events;
	struct ue_inbox inbox;
	char folder[64];
	char uri[32];
	struct msrp_member *member;
};

struct stage {
	struct user user[USERS];
	struct msrp_room *room;
	size_t step; /* octets carried at a time */
};

static void on_wake(void *arg)
{
	(void)arg;
}

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	for (int i = 0; i < USERS; i++) {
		struct user *u = &s->user[i];

		ue_events_init(&u->events);
		(void)snprintf(u->folder, sizeof(u->folder), "/tmp/ue-chat-XXXXXX");
		assert_non_null(mkdtemp(u->folder));
		(void)snprintf(u->uri, sizeof(u->uri), "sip:%c@home.example", 'a' + i);
		u->inbox.folder = u->folder;
	}
	s->step = 5000;
	*state = s;
	return 0;
}

static void clear(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(folder);
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	for (int i = 0; i < USERS; i++) {
		ue_chat_free(s->user[i].chat);
		ue_events_done(&s->user[i].events);
		clear(s->user[i].folder);
	}
	msrp_room_free(s->room);
	free(s);
	return 0;
}

static void chat_open(struct user *u, const char *own, const char *peer, const char *room)
{
	struct ue_chat_spec spec = { .own = base_str_of(own),
		                     .peer = base_str_of(peer),
		                     .self = u->uri,
		                     .room = room,
		                     .session = "msrp",
		                     .inbox = &u->inbox,
		                     .events = &u->events,
		                     .wake = on_wake };

	assert_int_equal(ue_chat_new(&u->chat, &spec, NULL), 0);
}

static void two(struct stage *s)
{
	chat_open(&s->user[0], A, B, NULL);
	chat_open(&s->user[1], B, A, NULL);
}

static size_t carry(struct stage *s, struct user *from, struct user *to)
{
	char buf[8192];
	size_t n = ue_chat_take(from->chat, buf, s->step, 0);
	struct base_str in = { buf, n };

	assert_int_equal(ue_chat_input(to->chat, &in, 0, NULL), 0);
	assert_int_equal(in.len, 0);
	return n;
}

static void settle_two(struct stage *s)
{
	while (carry(s, &s->user[0], &s->user[1]) + carry(s, &s->user[1], &s->user[0]))
		;
}

#define HAPPENED(u, ...)                                                                           \
	ue_events_take(&(u)->events, (const char *const[]){ __VA_ARGS__ },                         \
	               sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void texts(void **state)
{
	struct stage *s = *state;
	struct base_error err = { 0 };

	two(s);
	s->step = 7;
	assert_int_equal(ue_chat_hello(s->user[0].chat), 0);
	assert_int_equal(ue_chat_say(s->user[0].chat, NULL, "Hi, I'm Alice!", NULL), 0);
	assert_int_equal(ue_chat_say(s->user[1].chat, NULL, "", NULL), 0);
	settle_two(s);
	assert_true(HAPPENED(&s->user[0], "chat.sent", "octets=14"));
	assert_true(HAPPENED(&s->user[1], "chat.text", "text=Hi, I'm Alice!"));
	assert_true(HAPPENED(&s->user[0], "chat.report", "status=200", "upto=14"));
	assert_true(HAPPENED(&s->user[0], "chat.text", "text="));
	assert_int_equal(base_err_class(ue_chat_say(s->user[0].chat, "sip:c@x", "no", &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "RFC 7701"));
}

static void write_file(const char *path, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t i = 0; i < len; i++)
		assert_int_not_equal(fputc((int)(i * 7 + i / 255) & 0xff, f), EOF);
	assert_int_equal(fclose(f), 0);
}

static void same_files(const char *a, const char *b)
{
	FILE *x = fopen(a, "r"), *y = fopen(b, "r");
	int c;

	assert_non_null(x);
	assert_non_null(y);
	do {
		c = fgetc(x);
		assert_int_equal(c, fgetc(y));
	} while (c != EOF);
	(void)fclose(x);
	(void)fclose(y);
}

/** Whatever length: in memory, just beyond it, far beyond; each under a name of its own. */
static void files(void **state)
{
	static const size_t sizes[] = { 0, 1, UE_PARCEL_HEAD, UE_PARCEL_HEAD + 1, 1000000 };
	struct stage *s = *state;
	char path[96], want[128];

	two(s);
	(void)snprintf(path, sizeof(path), "%s/.. a\"b.txt", s->user[0].folder);
	for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
		write_file(path, sizes[i]);
		assert_int_equal(ue_chat_file(s->user[0].chat, NULL, path, NULL, NULL), 0);
		assert_true(ue_chat_busy(s->user[0].chat));
		settle_two(s);
		assert_false(ue_chat_busy(s->user[0].chat));
		assert_true(HAPPENED(&s->user[0], "chat.sent", "sha256=*"));
		(void)snprintf(want, sizeof(want), "sha256=%s",
		               ue_events_value(&s->user[0].events, "sha256"));
		assert_true(HAPPENED(&s->user[1], "chat.file", want));
		same_files(path, ue_events_value(&s->user[1].events, "path"));
		assert_true(HAPPENED(&s->user[0], "chat.report", "status=200"));
	}
	(void)snprintf(path, sizeof(path), "%s/3-ab.txt", s->user[1].folder);
	assert_int_equal(access(path, R_OK), 0);
}

/** A file's name is the peer's to wish, and ours to make: no path, no link, no option of a command.
 */
static void names(void **state)
{
	static const struct {
		const char *wish, *name;
	} rows[] = {
		{ "../../etc/passwd", "passwd" },
		{ "-rf", "rf" },
		{ "/", "message" },
		{ "..", "1-message" },
		{ ".-.-x", "x" },
		{ "\x1b[2J\xc2\x9b", "2J" },
		{ "link", "1-link" },
	};
	struct stage *s = *state;
	const struct ue_inbox *inbox = &s->user[0].inbox;
	char path[128], want[128], aim[128], sha256[UE_SHA256_TEXT];

	(void)snprintf(path, sizeof(path), "%s/link", inbox->folder);
	(void)snprintf(aim, sizeof(aim), "%s/aim", inbox->folder);
	assert_int_equal(symlink(aim, path), 0);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		struct ue_parcel *parcel;

		assert_int_equal(ue_parcel_new(&parcel, inbox), 0);
		assert_int_equal(ue_parcel_keep(parcel, 0, base_str_of(rows[i].wish), path,
		                                sizeof(path), sha256, NULL),
		                 0);
		(void)snprintf(want, sizeof(want), "%s/%s", inbox->folder, rows[i].name);
		assert_string_equal(path, want);
		ue_parcel_free(parcel);
	}
	assert_int_not_equal(access(aim, F_OK), 0);
}

/** A text may stand before a file that was begun first has gone. */
static void between(void **state)
{
	struct stage *s = *state;
	char path[96];

	two(s);
	(void)snprintf(path, sizeof(path), "%s/file", s->user[0].folder);
	write_file(path, 1000000);
	assert_int_not_equal(ue_chat_file(s->user[0].chat, NULL, path, "a/b\r\nX: 1", NULL), 0);
	assert_int_equal(ue_chat_file(s->user[0].chat, NULL, path, "image/png", NULL), 0);
	(void)carry(s, &s->user[0], &s->user[1]);
	assert_int_equal(ue_chat_say(s->user[0].chat, NULL, "by the way", NULL), 0);
	while (!HAPPENED(&s->user[1], "chat.text", "text=by the way"))
		assert_int_not_equal(carry(s, &s->user[0], &s->user[1]), 0);
	assert_false(HAPPENED(&s->user[1], "chat.file"));
	settle_two(s);
	assert_true(HAPPENED(&s->user[1], "chat.file", "type=image/png;*"));
}

static void too_much(void **state)
{
	struct stage *s = *state;
	char path[96];

	s->user[1].inbox.octets_max = 100000;
	two(s);
	(void)snprintf(path, sizeof(path), "%s/file", s->user[0].folder);
	write_file(path, 1000000);
	assert_int_equal(ue_chat_file(s->user[0].chat, NULL, path, NULL, NULL), 0);
	settle_two(s);
	assert_true(HAPPENED(&s->user[0], "chat.report", "status=413"));
	assert_true(HAPPENED(&s->user[0], "chat.broken", "name=file"));
	assert_true(HAPPENED(&s->user[1], "chat.broken"));
	assert_false(HAPPENED(&s->user[1], "chat.file"));

	s->user[1].inbox = (struct ue_inbox){ 0 }; /* no folder: what fits memory is lost, too */
	write_file(path, 10);
	assert_int_equal(ue_chat_file(s->user[0].chat, NULL, path, NULL, NULL), 0);
	settle_two(s);
	assert_true(HAPPENED(&s->user[1], "chat.broken", "why=*inbox*"));
	assert_int_equal(ue_chat_say(s->user[0].chat, NULL, "still here", NULL), 0);
	settle_two(s);
	assert_true(HAPPENED(&s->user[1], "chat.text", "text=still here"));
}

static void no_file(void **state)
{
	struct stage *s = *state;
	struct base_error err = { 0 };

	two(s);
	assert_int_equal(
	        base_err_class(ue_chat_file(s->user[0].chat, NULL, "/nowhere/x", NULL, &err)),
	        BASE_CONFIG);
	assert_non_null(strstr(err.text, "/nowhere/x"));
	assert_int_equal(base_err_class(ue_chat_file(s->user[0].chat, NULL, "/tmp", NULL, &err)),
	                 BASE_CONFIG);
	assert_false(ue_chat_busy(s->user[0].chat));
}

/* ---- a room ---- */

static void on_member_wake(void *arg, struct msrp_member *member, void *member_arg)
{
	(void)arg;
	(void)member;
	(void)member_arg;
}

static void three(struct stage *s)
{
	static const struct msrp_room_ops ops = { .wake = on_member_wake };
	struct msrp_room_spec spec = {
		.uri = BASE_STR(ROOM), .nicknames = true, .private_messages = true, .ops = &ops
	};

	assert_int_equal(msrp_room_new(&s->room, &spec, NULL), 0);
	for (int i = 0; i < USERS; i++) {
		struct user *u = &s->user[i];
		char own[64], there[64];
		struct base_str uri = base_str_of(u->uri);
		struct msrp_member_spec member = { .uri = &uri,
			                           .uris = 1,
			                           .private_messages = true };

		(void)snprintf(own, sizeof(own), "msrps://ue.example:7000/user%d;tcp", i);
		(void)snprintf(there, sizeof(there), "msrps://room.example:7001/room%d;tcp", i);
		member.own = base_str_of(there);
		member.peer = base_str_of(own);
		chat_open(u, own, there, ROOM);
		assert_int_equal(msrp_room_join(s->room, &member, &u->member, NULL), 0);
	}
}

static void settle_room(struct stage *s)
{
	size_t moved;

	do {
		moved = 0;
		for (int i = 0; i < USERS; i++) {
			struct user *u = &s->user[i];
			char buf[8192];
			struct base_str in = { buf, ue_chat_take(u->chat, buf, s->step, 0) };

			moved += in.len;
			assert_int_equal(msrp_member_input(u->member, &in, 0, NULL), 0);
			assert_int_equal(in.len, 0);
			in = (struct base_str){ buf, msrp_member_take(u->member, buf, s->step, 0) };
			moved += in.len;
			assert_int_equal(ue_chat_input(u->chat, &in, 0, NULL), 0);
		}
	} while (moved);
}

static void in_a_room(void **state)
{
	struct stage *s = *state;
	char path[96], want[128];

	three(s);
	assert_int_equal(ue_chat_nickname(s->user[0].chat, "Alice \"the\" first", 0), 0);
	assert_int_equal(ue_chat_say(s->user[0].chat, NULL, "to all", NULL), 0);
	assert_int_equal(ue_chat_say(s->user[1].chat, "sip:c@home.example", "to c", NULL), 0);
	settle_room(s);
	assert_true(HAPPENED(&s->user[0], "chat.nickname", "status=200"));
	for (int i = 1; i < USERS; i++)
		assert_true(HAPPENED(&s->user[i], "chat.text", "from=sip:a@home.example",
		                     "to=" ROOM, "text=to all"));
	assert_true(HAPPENED(&s->user[2], "chat.text", "from=sip:b@home.example",
	                     "to=sip:c@home.example", "text=to c"));
	assert_false(HAPPENED(&s->user[0], "chat.text"));
	assert_false(HAPPENED(&s->user[1], "chat.text"));

	(void)snprintf(path, sizeof(path), "%s/file", s->user[2].folder);
	write_file(path, 300000);
	assert_int_equal(ue_chat_file(s->user[2].chat, NULL, path, NULL, NULL), 0);
	settle_room(s);
	assert_true(HAPPENED(&s->user[2], "chat.sent", "sha256=*"));
	(void)snprintf(want, sizeof(want), "sha256=%s",
	               ue_events_value(&s->user[2].events, "sha256"));
	for (int i = 0; i < 2; i++)
		assert_true(HAPPENED(&s->user[i], "chat.file", want, "octets=300000", "name=file"));
}

/** What cannot be read is told, and harms nothing. */
static void bad_wrapper(void **state)
{
	struct stage *s = *state;
	char text[512];
	struct base_str in;

	two(s);
	in = (struct base_str){ text,
		                (size_t)snprintf(text, sizeof(text),
		                                 "MSRP abcd SEND\r\nTo-Path: " B "\r\nFrom-Path: " A
		                                 "\r\nMessage-ID: 1234\r\nByte-Range: 1-5/5\r\n"
		                                 "Content-Type: message/cpim\r\n\r\nhello\r\n"
		                                 "-------abcd$\r\n") };
	assert_int_equal(ue_chat_input(s->user[1].chat, &in, 0, NULL), 0);
	assert_true(HAPPENED(&s->user[1], "chat.broken", "why=*wrapper*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(between, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_a_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_wrapper, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
