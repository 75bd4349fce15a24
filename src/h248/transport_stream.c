/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a stream: messages in TPKT (RFC 3525, D.2), bare or inside a filter. Invariants:
 *
 *  1. `in` holds the beginning of one unfinished message and nothing else between two events.
 *  2. Nothing reaches the framing before the state is TCP_OPEN: with a filter, not before the peer
 *     is authenticated.
 *  3. What is sent before that waits in `early`, in clear, and goes through the filter like all
 *     else.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "h248/transport_private.h"

/* ---- writing ---- */

static size_t waiting(const struct tcp_conn *c)
{
	return c->out.len - c->out_at + c->early.len;
}

static int write_some(struct tcp_conn *c, struct iovec *iov, size_t count, size_t *ret)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	ssize_t n = sendmsg(c->w.fd, &msg, MSG_NOSIGNAL);

	*ret = n > 0 ? (size_t)n : 0;
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return errno;
	return 0;
}

/* @return 0, or the errno with which the connection will end. */
static int flush(struct tcp_conn *c)
{
	if (c->out.failed) {
		tcp_fail_later(c, "no memory");
		return ENOMEM;
	}
	while (c->out.len > c->out_at) {
		struct iovec iov = { c->out.data + c->out_at, c->out.len - c->out_at };
		size_t n;
		int no = write_some(c, &iov, 1, &n);

		if (no) {
			tcp_fail_later(c, strerror(no));
			return no;
		}
		if (!n)
			return 0; /* the next edge goes on */
		c->out_at += n;
	}
	base_writer_reset(&c->out);
	c->out_at = 0;
	return 0;
}

void tcp_conn_drain(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	if (flush(c) || !c->full || waiting(c) >= (t->config.mark_output + 1) / 2)
		return;
	c->full = false;
	if (t->ops.on_drained)
		t->ops.on_drained(t->ops.arg, &c->addr);
}

static void make_room(struct tcp_conn *c)
{
	if (!c->out_at)
		return;
	memmove(c->out.data, c->out.data + c->out_at, c->out.len - c->out_at);
	c->out.len -= c->out_at;
	c->out_at = 0;
}

/* Clear octets through the filter into `out`, and on. @return 0 or an errno: it will end. */
static int wrap(struct tcp_conn *c, const void *data, size_t len)
{
	struct base_error err = { 0 };

	make_room(c);
	if (c->t->config.filter->output(c->filter, data, len, &c->out, &err)) {
		tcp_fail_later(c, err.text);
		return EPROTO;
	}
	return flush(c);
}

/* A frame that cannot leave as it is: `frame` of which `done` octets are gone. */
static int keep(struct tcp_conn *c, struct base_writer *to, struct iovec frame[2], size_t done)
{
	make_room(c);
	for (int i = 0; i < 2; i++) {
		size_t skip = BASE_MIN(done, frame[i].iov_len);

		base_writer_put(to, (char *)frame[i].iov_base + skip, frame[i].iov_len - skip);
		done -= skip;
	}
	if (!to->failed)
		return 0;
	tcp_fail_later(c, "no memory");
	return ENOMEM;
}

static int frame_send(struct tcp_conn *c, struct iovec frame[2])
{
	size_t len = frame[0].iov_len + frame[1].iov_len, done = 0;
	int no;

	if (c->filter && c->state == TCP_OPEN) {
		no = keep(c, &c->early, frame, 0); /* header and message in one record */
		if (!no)
			no = wrap(c, c->early.data, c->early.len);
		base_writer_done(&c->early);
		return no;
	}
	if (c->state == TCP_OPEN && !waiting(c)) {
		no = write_some(c, frame, 2, &done);
		if (no)
			tcp_fail_later(c, strerror(no));
		if (no || done == len)
			return no;
	}
	return keep(c, c->state == TCP_OPEN ? &c->out : &c->early, frame, done);
}

static int message_send(struct tcp_conn *c, const void *data, size_t len)
{
	const struct h248_transport_config *config = &c->t->config;
	uint8_t header[H248_TPKT_HEADER];
	struct iovec frame[2] = { { header, sizeof(header) }, { (void *)data, len } };
	int no;

	if (c->state == TCP_DEAD || c->why[0])
		return ENOTCONN;
	if (waiting(c) && waiting(c) + sizeof(header) + len > config->max_output) {
		tcp_fail_later(c, "the peer does not read what it is sent");
		return ENOBUFS;
	}
	h248_tpkt_header(len, header);
	no = frame_send(c, frame);
	if (no || waiting(c) < config->mark_output)
		return no;
	if (!c->full)
		TCP_COUNT(c, full, 1);
	c->full = true;
	return TRANSPORT_FULL;
}

int tcp_conn_send(struct tcp_conn *c, const void *data, size_t len)
{
	int no = message_send(c, data, len);

	if (no > 0) {
		c->count.errors_out++; /* the kind's: h248_transport_send */
	} else {
		TCP_COUNT(c, messages_out, 1);
		TCP_COUNT(c, octets_out, len);
	}
	return no;
}

void tcp_conn_goodbye(struct tcp_conn *c)
{
	if (!c->filter || c->why[0])
		return;
	make_room(c);
	c->t->config.filter->close(c->filter, &c->out);
	(void)flush(c); /* as far as the socket takes it */
}

/* ---- reading ---- */

/* Hand on each whole message at the start of `data`. @return octets used; what is left is the
 * beginning of one, unless the connection has ended. */
static size_t hand_on(struct tcp_conn *c, struct base_str data)
{
	struct h248_transport *t = c->t;
	size_t used = 0;

	while (c->state != TCP_DEAD) {
		struct base_str rest = { data.ptr + used, data.len - used }, message;
		size_t n;
		int rc = h248_tpkt_next(rest, &message, &n);

		if (rc) {
			if (rest.len && base_err_class(rc) == BASE_PEER) {
				TCP_COUNT(c, errors_in, 1);
				tcp_fail(c, "not a TPKT (RFC 1006): %02x %02x ...",
				         (unsigned char)rest.ptr[0],
				         rest.len > 1 ? (unsigned char)rest.ptr[1] : 0);
			}
			break;
		}
		used += n;
		loop_timer_stop(t->loop, &c->timer);
		TCP_COUNT(c, messages_in, 1);
		TCP_COUNT(c, octets_in, message.len);
		t->ops.on_message(t->ops.arg, &c->addr, message.ptr, message.len);
	}
	return used;
}

static void frames_take(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	struct h248_transport *t = c->t;
	struct base_str all = { (const char *)data, len };
	size_t used;

	if (c->in.len) {
		base_writer_put(&c->in, data, len);
		all = base_writer_view(&c->in);
	}
	if (c->in.failed) {
		tcp_fail(c, "no memory");
		return;
	}
	used = hand_on(c, all);
	if (c->state == TCP_DEAD)
		return;
	if (c->in.len) {
		memmove(c->in.data, c->in.data + used, c->in.len - used);
		c->in.len -= used;
	} else {
		base_writer_put(&c->in, data + used, len - used);
	}
	if (c->in.len && !loop_timer_active(&c->timer))
		tcp_timer(c, t->config.partial_ms);
	else if (!c->in.len)
		base_writer_done(&c->in); /* idle connections hold no buffer */
}

/* ---- the filter ---- */

/* What was sent early may go now. */
static void opened(struct tcp_conn *c)
{
	struct base_writer early = c->early;

	c->early = (struct base_writer){ .wipe = true };
	c->state = TCP_OPEN;
	if (early.len && c->filter)
		(void)wrap(c, early.data, early.len); /* a failure ends it later */
	else
		base_writer_put(&c->out, early.data, early.len);
	base_writer_done(&early);
	(void)flush(c); /* likewise */
	tcp_opened(c);
}

static void filter_feed(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	struct h248_transport *t = c->t;
	struct base_writer *clear = &t->clear;
	struct base_error err = { 0 };
	int rc;

	base_writer_reset(clear);
	make_room(c);
	rc = t->config.filter->input(c->filter, data, len, clear, &c->out, &err);
	if (rc == 0 && c->state == TCP_SHAKING)
		opened(c);
	else
		(void)flush(c); /* a failure ends it later */
	if (c->state == TCP_OPEN && clear->len)
		frames_take(c, clear->data, clear->len);
	base_wipe(clear->data, clear->len); /* it may have held a key */
	if (clear->failed)
		tcp_fail(c, "no memory");
	else if (rc && base_err_class(rc) != BASE_AGAIN)
		tcp_fail(c, "%s", err.text);
	else if (c->state != TCP_DEAD && waiting(c) > t->config.max_output)
		tcp_fail(c, "the peer does not read what it is sent");
}

void tcp_conn_begin(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;
	struct base_error err = { 0 };

	if (c->addr.transport != H248_TLS) {
		opened(c);
		return;
	}
	c->state = TCP_SHAKING;
	tcp_timer(c, t->config.handshake_ms);
	if (t->config.filter->open(t->config.filter_arg, &c->addr, c->accepted, &c->filter, &err))
		tcp_fail(c, "%s", err.text);
	else if (!c->accepted)
		filter_feed(c, NULL, 0);
}

void tcp_conn_take(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	if (c->filter)
		filter_feed(c, data, len);
	else
		frames_take(c, data, len);
}
