/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/script.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX (1U << 20)

static void on_more(void *arg);

static void go_on(void *arg)
{
	struct ue_script *s = arg;

	loop_defer(s->app->loop, &s->more, on_more, s);
}

/** It could not be done: a script ends there, a person goes on. */
static void fail(struct ue_script *s, const struct base_error *err)
{
	struct ue_number line;

	s->app->failed = true;
	UE_TELL(&s->app->events, "error", { "line", ue_number(&line, s->line) },
	        { "command", base_str_of(s->words.count ? s->words.word[0] : NULL) },
	        { "text", base_str_of(err->text[0] ? err->text : "it could not be done") });
	if (s->name) {
		s->over = true;
		ue_app_quit(s->app);
	}
}

/* ---- expect ---- */

static bool take(struct ue_script *s)
{
	return ue_events_take(&s->app->events, s->words.word + 1, s->words.count - 1);
}

static void on_late(void *arg)
{
	struct ue_script *s = arg;
	struct base_error err = { 0 };
	struct base_writer w = { 0 };

	s->waiting = false;
	for (size_t i = 1; i < s->words.count; i++)
		base_writer_printf(&w, "%s%s", i > 1 ? " " : "", s->words.word[i]);
	(void)base_error_set(&err, BASE_ERR(BASE_PEER, 0), "this has not happened: %s",
	                     base_writer_cstr(&w));
	base_writer_done(&w);
	fail(s, &err);
	go_on(s);
}

/** expect EVENT [key=pattern ...] [within DURATION] */
static int expect(struct ue_script *s, struct base_error *err)
{
	struct ue_words *words = &s->words;
	uint64_t ms = UE_EXPECT_MS;

	if (words->count > 3 && strcmp(words->word[words->count - 2], "within") == 0) {
		if (config_duration_parse(base_str_of(words->word[words->count - 1]), &ms) || !ms)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "expected a duration such as 500ms or 10s behind "
			                      "'within'");
		words->count -= 2;
	}
	if (words->count < 2 || !ue_events_readable(words->word + 1, words->count - 1))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "expected: expect EVENT [key=pattern ...] [within 10s]");
	s->waiting = !take(s);
	if (s->waiting)
		loop_timer_start(s->app->loop, &s->late, ms, on_late, s);
	return 0;
}

/** refuse EVENT [key=pattern ...]: it has not happened until now */
static int refuse(struct ue_script *s, struct base_error *err)
{
	if (s->words.count < 2 || !ue_events_readable(s->words.word + 1, s->words.count - 1))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "expected: refuse EVENT [key=pattern ...]");
	return take(s) ? base_error_set(err, BASE_ERR(BASE_PEER, 0),
	                                "this has happened, and should not: %s", s->words.word[1])
	               : 0;
}

/* ---- lines ---- */

/** The next whole line, or what is left at the end. @return false when there is none */
static bool next_line(const struct ue_script *s, struct base_str *ret)
{
	const char *data = (const char *)s->text.data;
	const char *end = s->text.len ? memchr(data, '\n', s->text.len) : NULL;

	*ret = (struct base_str){ data, end ? (size_t)(end - data) : s->text.len };
	return end || (s->ended && s->text.len);
}

static void drop_line(struct ue_script *s, size_t len)
{
	len = BASE_MIN(len + 1, s->text.len);
	memmove(s->text.data, s->text.data + len, s->text.len - len);
	s->text.len -= len;
}

static int do_words(struct ue_script *s, struct base_error *err)
{
	const char *command = s->words.word[0];

	if (strcmp(command, "expect") == 0)
		return expect(s, err);
	if (strcmp(command, "refuse") == 0)
		return refuse(s, err);
	if (strcmp(command, "quit") == 0) {
		s->over = true;
		ue_app_quit(s->app);
		return 0;
	}
	return ue_command(s->app, &s->words, err);
}

static void do_line(struct ue_script *s, struct base_str line)
{
	struct base_error err = { 0 };
	int rc;

	s->line++;
	base_arena_reset(&s->arena);
	rc = ue_words_split(&s->arena, line, ue_events_value, &s->app->events, &s->words, &err);
	drop_line(s, line.len);
	if (!rc && s->words.count)
		rc = do_words(s, &err);
	if (rc)
		fail(s, &err);
}

static void on_more(void *arg)
{
	struct ue_script *s = arg;
	struct base_str line;

	if (s->waiting && take(s)) {
		s->waiting = false;
		loop_timer_stop(s->app->loop, &s->late);
	}
	if (s->waiting || s->over || s->app->ending)
		return;
	if (next_line(s, &line)) {
		do_line(s, line); /* one at a time: what it tells comes first */
		go_on(s);
	} else if (s->ended) {
		s->over = true;
		ue_app_quit(s->app);
	}
}

/* ---- standard input ---- */

static void on_input(void *arg, unsigned events)
{
	struct ue_script *s = arg;
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	char buf[4096];

	(void)events;
	/* The terminal is shared with the shell, so it stays blocking: ask before each read. */
	while (!s->ended && poll(&ready, 1, 0) > 0) {
		ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		s->ended = n <= 0;
		if (n > 0)
			base_writer_put(&s->text, buf, (size_t)n);
	}
	if (s->text.failed) {
		base_writer_reset(&s->text);
		s->ended = true;
	}
	go_on(s);
}

static int input_start(struct ue_script *s, struct base_error *err)
{
	int rc;

	s->in = (struct loop_fd){ .fd = STDIN_FILENO, .fn = on_input, .arg = s };
	rc = loop_fd_start(s->app->loop, &s->in);
	s->watched = !rc;
	if (rc && base_err_detail(rc) == EPERM) { /* a file is always ready, and not watched */
		on_input(s, 0);
		return 0;
	}
	return rc ? base_error_set(err, rc, "standard input cannot be read") : 0;
}

int ue_script_start(struct ue_script *s, struct base_error *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	s->text.limit = TEXT_MAX;
	s->app->events.wake = go_on;
	s->app->events.arg = s;
	if (!s->name)
		return input_start(s, err);
	rc = config_file_read(s->name, TEXT_MAX, &text, &len, err);
	if (!rc)
		base_writer_put(&s->text, text, len);
	free(text);
	s->ended = true;
	go_on(s);
	return rc;
}

void ue_script_done(struct ue_script *s)
{
	if (s->watched)
		loop_fd_stop(s->app->loop, &s->in);
	loop_defer_stop(s->app->loop, &s->more);
	loop_timer_stop(s->app->loop, &s->late);
	base_writer_done(&s->text);
	base_arena_done(&s->arena);
}
