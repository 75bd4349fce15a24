/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The memory walk: the n-th allocation fails, alone or with all that follow, for every n. A text or
 * file then does not come through, or a session ends; nothing crashes, what is kept of a file is
 * all of it, and under ASan nothing leaks.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ue/chat.h"
#include "ue/floor.h"
#include "ue/words.h"

#include "check.h"
#include "scarce.h"

#define A      "msrps://a.example:7777/aaaaaaaa;tcp"
#define B      "msrps://b.example:8888/bbbbbbbb;tcp"
#define OCTETS 70000 /* beyond what stands in memory */

static char folder[] = "/tmp/ue-memory-XXXXXX";
static char sent[sizeof(folder) + 8];

static void on_wake(void *arg)
{
	(void)arg;
}

/** Whatever was kept is whole. */
static void sweep(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "sent") == 0)
			continue;
		assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
		assert_int_equal(st.st_size, OCTETS);
		assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	}
	(void)closedir(dir);
}

static bool carry(struct ue_chat *from, struct ue_chat *to)
{
	char buf[8192];
	size_t n = ue_chat_take(from, buf, sizeof(buf), 0);
	struct base_str in = { buf, n };

	return n && !ue_chat_input(to, &in, 0, NULL);
}

static void talk(struct ue_events *events)
{
	const struct ue_inbox inbox = { .folder = folder };
	struct ue_chat_spec spec = { .own = base_str_of(A),
		                     .peer = base_str_of(B),
		                     .self = "sip:a@a.example",
		                     .room = "sip:room@conf.example",
		                     .session = "msrp",
		                     .inbox = &inbox,
		                     .events = events,
		                     .wake = on_wake };
	struct ue_chat *chat[2] = { NULL, NULL };

	if (ue_chat_new(&chat[0], &spec, NULL))
		return;
	spec.own = base_str_of(B);
	spec.peer = base_str_of(A);
	if (!ue_chat_new(&chat[1], &spec, NULL)) {
		(void)ue_chat_hello(chat[0]);
		(void)ue_chat_say(chat[0], NULL, "hello", NULL);
		(void)ue_chat_file(chat[1], NULL, sent, NULL, NULL);
		(void)ue_chat_nickname(chat[1], "bob", 0);
		for (int i = 0; i < 100; i++)
			if (!carry(chat[0], chat[1]) && !carry(chat[1], chat[0]))
				break;
	}
	ue_chat_free(chat[0]);
	ue_chat_free(chat[1]);
}

static void floors(struct ue_events *events)
{
	static const uint16_t floor[] = { 1 };
	struct ue_floor_spec spec = { .conference = 1,
		                      .user = 2,
		                      .floor = floor,
		                      .floors = 1,
		                      .session = "bfcp",
		                      .events = events,
		                      .wake = on_wake };
	const struct bfcp_wish wish = { .floor = floor, .floors = 1 };
	struct ue_floor *end[2] = { NULL, NULL };
	char buf[1024];
	size_t n;

	if (!ue_floor_new(&end[0], &spec)) {
		spec.serve = true;
		if (!ue_floor_new(&end[1], &spec)) {
			(void)ue_floor_request(end[0], &wish, 0);
			for (int i = 0; i < 20; i++) {
				n = ue_floor_take(end[i % 2], buf, sizeof(buf));
				if (n &&
				    ue_floor_input(end[1 - i % 2], (struct base_str){ buf, n }, 0))
					break;
			}
		}
	}
	ue_floor_free(end[0]);
	ue_floor_free(end[1]);
}

static void lines(struct ue_events *events)
{
	static const char *const any[] = { "*" };
	struct base_arena arena = { 0 };
	struct ue_words words;

	(void)ue_events_set(events, "name", BASE_STR("value"));
	(void)ue_words_split(&arena, BASE_STR("say \"a b\" $name 'c'"), ue_events_value, events,
	                     &words, NULL);
	while (ue_events_take(events, any, 1))
		;
	base_arena_done(&arena);
}

static void walk(bool for_good)
{
	bool failed = true;

	for (long n = 0; failed; n++) {
		struct ue_events events = { 0 };

		assert_true(n < 100000);
		ue_events_init(&events);
		scarce_after(n, for_good);
		talk(&events);
		floors(&events);
		lines(&events);
		failed = scarce_failed();
		scarce_after(-1, false);
		ue_events_done(&events);
		sweep();
	}
}

static void one(void **state)
{
	(void)state;
	walk(false);
}

static void all(void **state)
{
	(void)state;
	walk(true);
}

static int set_up(void **state)
{
	FILE *f;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(sent, sizeof(sent), "%s/sent", folder);
	f = fopen(sent, "w");
	for (int i = 0; f && i < OCTETS; i++)
		(void)fputc(i & 0xff, f);
	return f ? fclose(f) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(sent) || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one), cmocka_unit_test(all) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
