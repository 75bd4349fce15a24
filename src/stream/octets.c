/* SPDX-License-Identifier: Apache-2.0 */
/* Octets: from the socket to the owner, from the owner to the socket, and the ends of both. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "stream/private.h"

/* ---- queues ---- */

bool stream_queue_put(struct stream_queue *q, const void *data, size_t len)
{
	if (q->at && q->at >= stream_queue_len(q)) { /* each octet is moved once at most, mostly */
		memmove(q->w.data, q->w.data + q->at, stream_queue_len(q));
		q->w.len -= q->at;
		q->at = 0;
	}
	base_writer_put(&q->w, data, len);
	return !q->w.failed;
}

void stream_queue_take(struct stream_queue *q, size_t len)
{
	q->at += len;
	if (q->at == q->w.len)
		stream_queue_done(q); /* nobody holds memory while idle */
}

void stream_queue_done(struct stream_queue *q)
{
	base_writer_done(&q->w);
	q->at = 0;
}

/* ---- to the socket ---- */

static void no_memory(struct stream *s)
{
	stream_fail(s, STREAM_RESOURCES, ENOMEM, "no memory");
}

/* What the peer has said before it went is still read; it is over at its end. */
static void deafened(struct stream *s, int no)
{
	s->deaf = true;
	s->error = no;
	stream_queue_done(&s->out);
	s->readable = true;
	stream_later(s);
}

static size_t send_some(struct stream *s, const uint8_t *data, size_t len)
{
	ssize_t n;

	do
		n = send(s->w.fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		deafened(s, errno);
	else if (n < 0 && errno != EAGAIN)
		stream_fail(s, STREAM_RESET, errno, "%s", strerror(errno));
	else if (n > 0)
		s->touched_ms = loop_now_ms(s->streams->loop);
	return n > 0 ? (size_t)n : 0;
}

/* They wait for the end of the turn, unless so many have come together already. */
static void gather(struct stream *s)
{
	if (stream_queue_len(&s->out) >= s->spec.output_mark / 2) {
		stream_drain(s);
	} else if (!s->gathered) {
		s->gathered = true;
		stream_later(s);
	}
}

void stream_put(struct stream *s, const uint8_t *data, size_t len)
{
	bool first = !stream_queue_len(&s->out), gathers = s->spec.gather && s->state == STREAM_UP;
	size_t sent = 0;

	if (s->deaf || s->state == STREAM_DEAD)
		return;
	if (first && len && !gathers)
		sent = send_some(s, data, len);
	if (s->deaf || s->state == STREAM_DEAD || sent == len)
		return;
	if (!stream_queue_put(&s->out, data + sent, len - sent))
		no_memory(s);
	else if (first)
		stream_stall(s);
	if (gathers && s->state == STREAM_UP)
		gather(s);
}

void stream_gathered(struct stream *s)
{
	if (s->gathered && s->state != STREAM_DEAD)
		stream_drain(s);
	s->gathered = false;
}

void stream_drain(struct stream *s)
{
	struct base_str v = stream_queue_view(&s->out);

	while (v.len && !s->deaf) {
		size_t sent = send_some(s, (const uint8_t *)v.ptr, v.len);

		if (s->deaf || s->state == STREAM_DEAD || !sent)
			return;
		stream_queue_take(&s->out, sent);
		s->moved_ms = loop_now_ms(s->streams->loop);
		v = stream_queue_view(&s->out);
		if (s->end_wanted)
			stream_linger(s);
	}
	/* on_writable is told by stream_run, which follows */
}

/* The shared buffer is not to stay as large as one message once was. */
static void wire_used(struct streams *streams)
{
	base_writer_reset(&streams->wire);
	if (streams->wire.cap > STREAM_QUOTA)
		base_writer_done(&streams->wire);
}

static void write_now(struct stream *s, const void *data, size_t len)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .out = wire, .now_ms = loop_now_ms(s->streams->loop) };
	int rc;

	s->streams->count.octets_out += len;
	if (!s->session) {
		stream_put(s, data, len);
		return;
	}
	base_writer_reset(wire);
	rc = tls_session_write(s->session, &io, data, len);
	if (!rc && wire->failed)
		no_memory(s);
	else if (rc)
		stream_shake_failed(s, rc);
	else
		stream_put(s, wire->data, wire->len);
	wire_used(s->streams);
}

int stream_write(struct stream *s, const void *data, size_t len)
{
	if (s->state == STREAM_DEAD || s->end_wanted || s->deaf)
		return BASE_ERR(BASE_LOCAL, EPIPE);
	if (stream_waiting(s) + len > s->spec.output_max) {
		stream_fail(s, STREAM_FULL, 0, "%zu octets wait and %zu more came, of %zu that may",
		            stream_waiting(s), len, s->spec.output_max);
		return BASE_ERR(BASE_LOCAL, ENOBUFS);
	}
	if (s->state == STREAM_UP && !stream_again_holds(s))
		write_now(s, data, len);
	else if (!stream_queue_put(&s->early, data, len))
		no_memory(s);
	if (s->state == STREAM_DEAD)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (stream_waiting(s) < s->spec.output_mark)
		return 0;
	s->full = true;
	return BASE_ERR(BASE_AGAIN, 0);
}

void stream_early(struct stream *s)
{
	struct stream_queue early = s->early;
	struct base_str v = stream_queue_view(&early);

	if (!v.len || s->state != STREAM_UP)
		return;
	s->early = (struct stream_queue){ .w = { .wipe = true } };
	write_now(s, v.ptr, v.len);
	stream_queue_done(&early);
}

void stream_up(struct stream *s)
{
	s->state = STREAM_UP;
	s->was_up = true;
	s->streams->count.up++;
	loop_timer_stop(s->streams->loop, &s->limit);
	stream_early(s);
	if (s->state == STREAM_DEAD)
		return; /* that was too much already */
	if (s->end_wanted)
		stream_linger(s);
	if (s->spec.ops.on_up)
		s->spec.ops.on_up(s->spec.ops.arg, s);
}

/* ---- to the owner ---- */

static void show(struct stream *s)
{
	struct base_str v = stream_queue_view(&s->left);
	size_t taken;

	s->show = false;
	if (!v.len)
		return;
	taken = s->spec.ops.on_data(s->spec.ops.arg, s, v);
	stream_queue_take(&s->left, BASE_MIN(taken, v.len));
}

static void deliver(struct stream *s, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	s->streams->count.octets_in += len;
	s->touched_ms = loop_now_ms(s->streams->loop);
	if (!s->paused && !stream_queue_len(&s->left)) {
		taken = s->spec.ops.on_data(s->spec.ops.arg, s,
		                            (struct base_str){ (const char *)data, len });
		taken = BASE_MIN(taken, len);
	} else {
		s->show = !s->paused;
	}
	if (s->state != STREAM_DEAD && taken < len &&
	    !stream_queue_put(&s->left, data + taken, len - taken))
		no_memory(s);
	if (s->show && s->state != STREAM_DEAD)
		show(s);
}

/* Is what was left all that is to be had in memory? */
static bool blocked(const struct stream *s)
{
	size_t left = stream_queue_len(&s->left);

	return s->ask || (s->paused && left) || left >= s->spec.input_max;
}

static void peer_ended(struct stream *s)
{
	s->peer_ended = true;
}

void stream_records(struct stream *s, struct tls_io *io)
{
	struct streams *streams = s->streams;
	size_t n;
	int rc;

	do {
		n = 0;
		base_writer_reset(&streams->wire);
		io->out = &streams->wire;
		rc = tls_session_read(s->session, io, streams->clear, STREAM_CLEAR, &n);
		stream_put(s, streams->wire.data, streams->wire.len);
		wire_used(streams);
		stream_again_look(s, n > 0);
		if (n && s->state != STREAM_DEAD) {
			deliver(s, streams->clear, n);
			base_wipe(streams->clear, n);
		}
	} while (!rc && n && s->state != STREAM_DEAD);
	if (s->state == STREAM_DEAD || (rc && base_err_class(rc) == BASE_AGAIN))
		return;
	if (rc)
		stream_shake_failed(s, rc);
	else
		peer_ended(s);
}

/* The end of what the socket gives. */
static void on_fin(struct stream *s)
{
	if (s->state == STREAM_SHAKING)
		stream_fail(s, STREAM_TRUNCATED, 0, "closed by the peer in the handshake");
	else if (s->deaf)
		stream_fail(s, STREAM_RESET, s->error, "%s", strerror(s->error));
	else if (s->session && !s->peer_ended && !s->ended)
		stream_fail(s, STREAM_TRUNCATED, 0, "closed by the peer without close_notify");
	else
		peer_ended(s);
}

static void take(struct stream *s, const uint8_t *data, size_t len)
{
	struct tls_io io = { .in = base_reader_of(data, len),
		             .now_ms = loop_now_ms(s->streams->loop) };

	if (s->peer_ended)
		return; /* after close_notify nothing counts (RFC 5246, 7.2.1) */
	if (s->state == STREAM_SHAKING)
		stream_shake(s, data, len);
	else if (s->session)
		stream_records(s, &io);
	else
		deliver(s, data, len);
}

static void receive(struct stream *s)
{
	struct streams *streams = s->streams;
	size_t quota = STREAM_QUOTA;

	while (s->readable && s->state != STREAM_DEAD && !blocked(s)) {
		ssize_t n = recv(s->w.fd, streams->in, STREAM_READ, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* After a short read the loop tells when more comes. Unless the peer has hung up,
		 * of which it has told already, or at urgent data, where a read stops (tcp(7)). */
		if (n <= 0 || (n < STREAM_READ && !s->hangup && !s->urgent))
			s->readable = s->urgent = false;
		if (n < 0 && errno != EAGAIN) {
			int no = s->deaf ? s->error : errno;

			stream_fail(s, STREAM_RESET, no, "%s", strerror(no));
		} else if (n == 0) {
			on_fin(s);
		} else if (n > 0) {
			take(s, streams->in, (size_t)n);
			base_wipe(streams->in, (size_t)n); /* it may have held a key */
		}
		if (n > 0 && (size_t)n >= quota) {
			stream_later(s);
			return;
		}
		quota -= (size_t)BASE_MAX(n, 0);
	}
}

/* ---- ends ---- */

static void say_end(struct stream *s)
{
	struct base_writer *wire = &s->streams->wire;
	struct tls_io io = { .out = wire, .now_ms = loop_now_ms(s->streams->loop) };

	s->ended = true;
	if (!s->session)
		return;
	base_writer_reset(wire);
	if (tls_session_close(s->session, &io) == 0) /* else FIN alone tells the truth */
		stream_put(s, wire->data, wire->len);
	base_writer_reset(wire);
}

void stream_try_end(struct stream *s)
{
	if (!s->end_wanted || s->state != STREAM_UP || (stream_queue_len(&s->out) && !s->deaf) ||
	    stream_again_holds(s))
		return;
	if (!s->ended) {
		say_end(s);
		if (s->state == STREAM_DEAD || stream_queue_len(&s->out))
			return;
		(void)shutdown(s->w.fd, SHUT_WR); /* the peer may have gone */
	}
	if (s->peer_ended)
		stream_fail(s, STREAM_DONE, 0, "both sides have ended");
}

static void tell_peer_end(struct stream *s)
{
	if (!s->peer_ended || s->told_peer_end || s->paused)
		return;
	s->told_peer_end = true;
	if (s->spec.ops.on_peer_end && !s->end_wanted)
		s->spec.ops.on_peer_end(s->spec.ops.arg, s);
	else
		stream_end(s);
}

static void tell_writable(struct stream *s)
{
	if (!s->full || s->state != STREAM_UP || stream_waiting(s) > s->spec.output_mark / 2)
		return;
	s->full = false;
	if (s->spec.ops.on_writable)
		s->spec.ops.on_writable(s->spec.ops.arg, s);
}

void stream_resume(struct stream *s)
{
	s->paused = false;
	s->show = true;
	if (s->state != STREAM_DEAD)
		stream_later(s);
}

void stream_pause(struct stream *s)
{
	s->paused = true;
}

void stream_run(struct stream *s)
{
	if (s->state == STREAM_UP && s->show && !s->paused)
		show(s);
	if (s->state != STREAM_DEAD)
		receive(s);
	if (s->state == STREAM_UP)
		tell_peer_end(s);
	if (s->state == STREAM_UP)
		tell_writable(s);
	if (s->state == STREAM_UP)
		stream_try_end(s);
}
