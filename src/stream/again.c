/* SPDX-License-Identifier: Apache-2.0 */
/* Renegotiation on a stream, and changes of keys: begun by either side, bounded in time, told. */
#include <errno.h>
#include <stdlib.h>

#include "stream/private.h"

#define HANDSHAKE_FAILURE 40

static void tell(struct stream *s, enum stream_again what)
{
	if (s->spec.ops.on_rekeyed && s->state != STREAM_DEAD)
		s->spec.ops.on_rekeyed(s->spec.ops.arg, s, what);
}

static struct stream_renegotiation *again_of(struct stream *s)
{
	if (!s->again)
		s->again = calloc(1, sizeof(*s->again));
	if (!s->again)
		stream_fail(s, STREAM_RESOURCES, ENOMEM, "no memory");
	return s->again;
}

/* No alert is ours to choose in the midst of it; the session is not resumed. */
static void give_up(struct stream *s, const char *why)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .out = wire, .now_ms = loop_now_ms(s->streams->loop) };

	base_writer_reset(wire);
	tls_session_abort(s->session, &io, HANDSHAKE_FAILURE);
	stream_put(s, wire->data, wire->len);
	base_writer_reset(wire);
	s->told = false;
	stream_fail(s, STREAM_LATE, 0, "%s", why);
}

/* RFC 5246, 7.4.1.1: "It may close the connection with a fatal alert"; so may a P-CSCF (O15). */
static void on_time(void *arg)
{
	struct stream *s = arg;

	if (s->again->going_on) {
		give_up(s, "the peer did not finish the renegotiation in time");
	} else if (tls_domain_ends_ignored(s->slot->domain)) {
		give_up(s, "the peer ignores the request to renegotiate (RFC 5246, 7.4.1.1)");
	} else {
		s->again->ignored = true;
		tell(s, STREAM_IGNORED);
	}
}

static void watch(struct stream *s, struct stream_renegotiation *again, bool going_on, bool asked)
{
	bool changed = going_on != again->going_on || asked != again->asked;

	again->going_on = going_on;
	again->asked = asked;
	if (going_on || (asked && !again->ignored)) {
		if (changed)
			loop_timer_start(s->streams->loop, &again->timer, s->spec.handshake_ms,
			                 on_time, s);
	} else {
		loop_timer_stop(s->streams->loop, &again->timer);
	}
}

bool stream_again_holds(const struct stream *s)
{
	return s->session && s->state == STREAM_UP && tls_session_renegotiating(s->session, NULL);
}

/* ---- keys of TLS 1.3 (RFC 8446, 4.6.3) ---- */

/* In two halves: where it was us who stood still, what has come meanwhile is read between them. */
#define KEYS_LATE 2

static void on_keys_time(void *arg);

static void keys_wait(struct stream *s, uint8_t since)
{
	s->again->keys_late = since;
	if (since < KEYS_LATE)
		loop_timer_start(s->streams->loop, &s->again->timer,
		                 s->spec.handshake_ms / KEYS_LATE, on_keys_time, s);
}

/* What it had sent before it can have read our KeyUpdate is no evidence. */
static void on_keys_time(void *arg)
{
	struct stream *s = arg;
	bool unread = s->paused || s->readable || stream_queue_len(&s->left);

	keys_wait(s, unread || stream_queue_len(&s->out) ? 0 : s->again->keys_late + 1);
}

static void keys_look(struct stream *s, bool data)
{
	struct stream_renegotiation *again = s->again;

	if (!tls_session_keys_due(s->session)) {
		again->keys_open = false;
		loop_timer_stop(s->streams->loop, &again->timer);
		stream_again_tell(s); /* first things first */
		tell(s, STREAM_KEYS_BOTH);
	} else if (data && again->keys_late == KEYS_LATE && !again->ignored) {
		again->ignored = true;
		if (tls_domain_ends_ignored(s->slot->domain))
			give_up(s, "the peer sends on under its old keys (RFC 8446, 4.6.3)");
		else
			tell(s, STREAM_IGNORED);
	}
}

/* ---- both ---- */

void stream_again_look(struct stream *s, bool data)
{
	struct stream_renegotiation *again;
	enum tls_wish wish;
	bool going_on, was_going_on, was_asked;
	uint32_t count;

	if (s->again && s->again->keys_open && s->state == STREAM_UP)
		keys_look(s, data);
	if (!s->spec.renegotiable || s->state != STREAM_UP || (s->again && s->again->keys_open))
		return;
	going_on = tls_session_renegotiating(s->session, &count);
	if (!s->again && !going_on && !count)
		return;
	again = again_of(s);
	if (!again)
		return;
	wish = tls_session_wish(s->session);
	was_going_on = again->going_on;
	was_asked = again->asked;
	watch(s, again, going_on, wish == TLS_WISH_OPEN);
	/* What was written meanwhile goes before what is written by who is told. */
	if (!going_on)
		stream_early(s);
	if (s->state != STREAM_UP)
		return;
	if (count != again->count) {
		again->count = count;
		again->ignored = false;
		stream_shake_log_again(s);
		tell(s, STREAM_REKEYED);
	} else if (wish == TLS_WISH_REFUSED && (was_asked || was_going_on)) {
		tell(s, STREAM_REFUSED_AGAIN);
	}
}

void stream_again_tell(struct stream *s)
{
	if (!s->again || !s->again->keys)
		return;
	s->again->keys = false;
	tell(s, STREAM_KEYS);
}

void stream_again_stop(struct stream *s)
{
	if (s->again)
		loop_timer_stop(s->streams->loop, &s->again->timer);
	free(s->again);
	s->again = NULL;
}

enum tls_again stream_renegotiate(struct stream *s)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .out = wire, .now_ms = loop_now_ms(s->streams->loop) };
	enum tls_again what = TLS_AGAIN_CLOSED;
	int rc;

	if (s->state != STREAM_UP || !s->session || s->end_wanted || !again_of(s))
		return TLS_AGAIN_CLOSED;
	base_writer_reset(wire);
	rc = tls_session_renegotiate(s->session, &io, &what);
	stream_put(s, wire->data, wire->len);
	base_writer_reset(wire);
	if (s->state == STREAM_DEAD)
		return TLS_AGAIN_CLOSED;
	if (rc) {
		stream_shake_failed(s, rc);
		return TLS_AGAIN_CLOSED;
	}
	if (what == TLS_AGAIN_KEYS) {
		if (!s->again->keys_open)
			keys_wait(s, 0);
		s->again->keys = s->again->keys_open = true;
		s->again->ignored = false;
		stream_later(s);
	} else if (what == TLS_AGAIN_BEGUN) {
		s->again->ignored = false;
		watch(s, s->again, tls_session_renegotiating(s->session, NULL),
		      tls_session_wish(s->session) == TLS_WISH_OPEN);
	}
	return what;
}

int stream_binding(struct stream *s, uint8_t ret[TLS_BINDING_MAX], size_t *ret_len)
{
	return s->session ? tls_session_binding(s->session, ret, ret_len) : BASE_ERR(BASE_BUG, 0);
}

bool stream_forget_session(struct stream *s)
{
	return !s->session || tls_session_forget(s->session, loop_now_ms(s->streams->loop));
}
