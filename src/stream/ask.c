/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes that wait for a CRL (tls_session_waits). Meanwhile the stream reads nothing, and
 * nobody else waits. A question outlives a stream that ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "stream/private.h"

struct stream_ask {
	struct stream *stream; /* NULL: it does not wait any more */
	struct loop *loop;
	struct loop_timer limit;
	struct loop_task done;
	bool last; /* no other wait after this one */
	bool failed;
	bool answered; /* and `done` is due: nobody else has it any more */
	char why[120];
	char url[];
};

const char *stream_ask_url(const struct stream_ask *ask)
{
	return ask->url;
}

void stream_ask_leave(struct stream *s)
{
	struct stream_ask *ask = s->ask;

	if (!ask)
		return;
	loop_timer_stop(ask->loop, &ask->limit);
	loop_defer_stop(ask->loop, &ask->done);
	ask->stream = NULL;
	s->ask = NULL;
	if (ask->answered)
		free(ask);
}

/* It goes on with what had come before it stopped. */
static void resume(struct stream_ask *ask)
{
	struct stream *s = ask->stream;
	struct base_writer held = s->held;

	stream_ask_leave(s);
	s->held = (struct base_writer){ 0 };
	tls_session_arrived(s->session, ask->failed ? ask->why : NULL, ask->last);
	stream_shake(s, held.data, held.len);
	base_writer_done(&held);
	if (s->state != STREAM_DEAD)
		stream_later(s);
}

static void on_done(void *arg)
{
	struct stream_ask *ask = arg;

	ask->answered = false; /* by now it is ours */
	resume(ask);
	free(ask);
}

static void on_limit(void *arg)
{
	struct stream_ask *ask = arg; /* whoever was asked still has it */

	ask->failed = ask->last = true;
	(void)snprintf(ask->why, sizeof(ask->why), "no answer within %u ms",
	               ask->stream->streams->config.ask_ms);
	resume(ask);
}

void stream_asked(struct stream_ask *ask, const char *why)
{
	if (!ask->stream) {
		free(ask);
		return;
	}
	loop_timer_stop(ask->loop, &ask->limit);
	ask->answered = true;
	ask->failed = why != NULL;
	(void)snprintf(ask->why, sizeof(ask->why), "%s", why ? why : "");
	loop_defer(ask->loop, &ask->done, on_done, ask);
}

/* One limit for all that a handshake lacks, from its first wait on. */
static uint64_t time_left(struct stream *s)
{
	uint64_t now = loop_now_ms(s->streams->loop);

	if (!s->ask_until_ms)
		s->ask_until_ms = now + s->streams->config.ask_ms;
	return s->ask_until_ms > now ? s->ask_until_ms - now : 0;
}

bool stream_ask_begin(struct stream *s, const struct tls_io *io)
{
	const char *url = tls_session_waits(s->session);
	struct stream_ask *ask;

	if (!url)
		return false;
	ask = calloc(1, sizeof(*ask) + strlen(url) + 1);
	base_writer_put(&s->held, io->in.at, base_reader_left(&io->in));
	if (!ask || s->held.failed) {
		free(ask);
		stream_fail(s, STREAM_RESOURCES, 0, "no memory");
		return true;
	}
	memcpy(ask->url, url, strlen(url) + 1);
	ask->stream = s;
	ask->loop = s->streams->loop;
	s->ask = ask;
	loop_timer_start(ask->loop, &ask->limit, time_left(s), on_limit, ask);
	s->streams->config.ask(s->streams->config.arg, ask);
	return true;
}
