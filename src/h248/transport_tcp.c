/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP with TPKT (RFC 3525, D.2), both sides. Invariants:
 *
 *  1. on_closed is called from the loop only, never from inside h248_transport_send: a connection
 *     that fails there says `why` and ends at the end of the iteration.
 *  2. A connection that has ended is in `dead` until the iteration's end, for callers further out.
 *  3. `in` holds the beginning of one unfinished message and nothing else between two events.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "h248/transport_private.h"

struct tcp_listener {
	struct base_node node;
	struct h248_transport *t;
	struct loop_fd w;
	struct loop_timer
	        again; /* after we ran out of descriptors: no event comes for those who wait */
	struct h248_addr local;
};

struct tcp_conn {
	struct base_node node;
	struct h248_transport *t;
	struct loop_fd w;
	struct h248_addr addr; /* the far end; `conn` is our number */
	bool connecting, dead;
	bool accepted;
	bool full; /* more than the mark waited, and its user was told */
	struct h248_transport_counters count;
	struct base_writer in, out;
	size_t out_at;           /* octets of `out` already gone */
	struct loop_timer timer; /* connecting, or an unfinished message */
	struct loop_task later;  /* more to read, or the end */
	char why[120];
};

/* Reads of one connection before others get their turn. */
#define TCP_BURST          16
#define ACCEPT_AGAIN_MS    200

#define COUNT(c, field, n) TRANSPORT_COUNT((c)->t, H248_TCP, &(c)->count, field, n)

static void on_event(void *arg, unsigned events);

/* ---- the end of a connection ---- */

static void conn_free(struct tcp_conn *c)
{
	base_list_remove(&c->node);
	base_writer_done(&c->in);
	base_writer_done(&c->out);
	free(c);
}

static void reap(void *arg)
{
	struct h248_transport *t = arg;

	BASE_LIST_EACH(&t->dead, node, after)
	conn_free(BASE_CONTAINER_OF(node, struct tcp_conn, node));
}

static void conn_end(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	c->dead = true;
	loop_fd_close(t->loop, &c->w);
	loop_timer_stop(t->loop, &c->timer);
	loop_defer_stop(t->loop, &c->later);
	base_list_remove(&c->node);
	base_list_append(&t->dead, &c->node);
	t->conns_count--;
	t->accepted_count -= c->accepted;
	loop_defer(t->loop, &t->reap, reap, t);
}

__attribute__((format(printf, 2, 3))) static void conn_fail(struct tcp_conn *c, const char *fmt,
                                                            ...)
{
	struct h248_transport *t = c->t;
	char reason[sizeof(c->why)];
	va_list ap;

	if (c->dead)
		return;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (c->connecting)
		COUNT(c, refused, 1);
	else
		COUNT(c, failures, 1);
	conn_end(c);
	if (t->ops.on_closed)
		t->ops.on_closed(t->ops.arg, &c->addr, reason);
}

static void on_later(void *arg)
{
	struct tcp_conn *c = arg;

	if (c->why[0])
		conn_fail(c, "%s", c->why);
	else
		on_event(c, LOOP_READABLE);
}

static void conn_fail_later(struct tcp_conn *c, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
	loop_defer(c->t->loop, &c->later, on_later, c);
}

static void on_timeout(void *arg)
{
	struct tcp_conn *c = arg;

	conn_fail(c, c->connecting ? "no answer to the connection request"
	                           : "the peer did not finish a message in time");
}

/* ---- writing ---- */

static size_t waiting(const struct tcp_conn *c)
{
	return c->out.len - c->out_at;
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

static void flush(struct tcp_conn *c)
{
	while (waiting(c)) {
		struct iovec iov = { c->out.data + c->out_at, waiting(c) };
		size_t n;
		int no = write_some(c, &iov, 1, &n);

		if (no) {
			conn_fail_later(c, strerror(no));
			return;
		}
		if (!n)
			return; /* the next edge goes on */
		c->out_at += n;
	}
	base_writer_reset(&c->out);
	c->out_at = 0;
}

/* Write on what waits, and tell the user when little is left. */
static void drain(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	flush(c);
	if (!c->full || c->why[0] || waiting(c) >= (t->config.mark_output + 1) / 2)
		return;
	c->full = false;
	if (t->ops.on_drained)
		t->ops.on_drained(t->ops.arg, &c->addr);
}

/* Keep what the socket did not take of header and data, of which `done` octets are gone. */
static int keep(struct tcp_conn *c, struct iovec iov[2], size_t done)
{
	size_t len = iov[0].iov_len + iov[1].iov_len - done;

	if (waiting(c) + len > c->t->config.max_output) {
		conn_fail_later(c, "the peer does not read what it is sent");
		return ENOBUFS;
	}
	if (c->out_at) {
		memmove(c->out.data, c->out.data + c->out_at, waiting(c));
		c->out.len -= c->out_at;
		c->out_at = 0;
	}
	for (int i = 0; i < 2; i++) {
		size_t skip = BASE_MIN(done, iov[i].iov_len);

		base_writer_put(&c->out, (char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
		done -= skip;
	}
	if (c->out.failed) {
		conn_fail_later(c, "no memory");
		return ENOMEM;
	}
	if (waiting(c) < c->t->config.mark_output)
		return 0;
	if (!c->full)
		COUNT(c, full, 1);
	c->full = true;
	return TRANSPORT_FULL;
}

static int conn_write(struct tcp_conn *c, const void *data, size_t len)
{
	uint8_t header[H248_TPKT_HEADER];
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)data, len } };
	size_t done = 0;

	if (c->dead || c->why[0])
		return ENOTCONN;
	h248_tpkt_header(len, header);
	if (!c->connecting && !waiting(c)) {
		int no = write_some(c, iov, 2, &done);

		if (no) {
			conn_fail_later(c, strerror(no));
			return no;
		}
		if (done == sizeof(header) + len)
			return 0;
	}
	return keep(c, iov, done);
}

static int conn_send(struct tcp_conn *c, const void *data, size_t len)
{
	int no = conn_write(c, data, len);

	if (no > 0) {
		c->count.errors_out++; /* the kind's: h248_transport_send */
	} else {
		COUNT(c, messages_out, 1);
		COUNT(c, octets_out, len);
	}
	return no;
}

/* ---- reading ---- */

/* Hand on each whole message at the start of `data`. @return octets used; what is left is the
 * beginning of one, unless the connection has ended. */
static size_t hand_on(struct tcp_conn *c, struct base_str data)
{
	struct h248_transport *t = c->t;
	size_t used = 0;

	while (!c->dead) {
		struct base_str rest = { data.ptr + used, data.len - used }, message;
		size_t n;
		int rc = h248_tpkt_next(rest, &message, &n);

		if (rc) {
			if (rest.len && base_err_class(rc) == BASE_PEER) {
				COUNT(c, errors_in, 1);
				conn_fail(c, "not a TPKT (RFC 1006): %02x %02x ...",
				          (unsigned char)rest.ptr[0],
				          rest.len > 1 ? (unsigned char)rest.ptr[1] : 0);
			}
			break;
		}
		used += n;
		loop_timer_stop(t->loop, &c->timer);
		COUNT(c, messages_in, 1);
		COUNT(c, octets_in, message.len);
		t->ops.on_message(t->ops.arg, &c->addr, message.ptr, message.len);
	}
	return used;
}

static void take(struct tcp_conn *c, const uint8_t *data, size_t len)
{
	struct h248_transport *t = c->t;
	struct base_str all = { (const char *)data, len };
	size_t used;

	if (c->in.len) {
		base_writer_put(&c->in, data, len);
		all = base_writer_view(&c->in);
	}
	if (c->in.failed) {
		conn_fail(c, "no memory");
		return;
	}
	used = hand_on(c, all);
	if (c->dead)
		return;
	if (c->in.len) {
		memmove(c->in.data, c->in.data + used, c->in.len - used);
		c->in.len -= used;
	} else {
		base_writer_put(&c->in, data + used, len - used);
	}
	if (c->in.len && !loop_timer_active(&c->timer))
		loop_timer_start(t->loop, &c->timer, t->config.partial_ms, on_timeout, c);
	else if (!c->in.len)
		base_writer_done(&c->in); /* idle connections hold no buffer */
}

static void receive(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	for (int i = 0; i < TCP_BURST && !c->dead; i++) {
		ssize_t n = read(c->w.fd, t->buffer, TRANSPORT_BUFFER);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			conn_fail(c, "%s", strerror(errno));
		else if (n == 0)
			conn_fail(c, c->in.len ? "closed by the peer inside a message"
			                       : "closed by the peer");
		else
			take(c, t->buffer, (size_t)n);
		if (n > 0)
			base_wipe(t->buffer, (size_t)n); /* it may have held a key */
	}
	if (!c->dead)
		loop_defer(t->loop, &c->later, on_later, c);
}

static bool connected(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;
	int no = 0;
	socklen_t len = sizeof(no);

	if (getsockopt(c->w.fd, SOL_SOCKET, SO_ERROR, &no, &len) < 0)
		no = errno;
	if (no) {
		conn_fail(c, "%s", strerror(no));
		return false;
	}
	c->connecting = false;
	COUNT(c, connects, 1);
	loop_timer_stop(t->loop, &c->timer);
	if (t->ops.on_connected)
		t->ops.on_connected(t->ops.arg, &c->addr);
	return !c->dead;
}

static void on_event(void *arg, unsigned events)
{
	struct tcp_conn *c = arg;

	if (c->why[0])
		return; /* it has failed already and says so at the end of the iteration */
	if (c->connecting) {
		if (!(events & (LOOP_WRITABLE | LOOP_ERROR | LOOP_HANGUP)) || !connected(c))
			return;
	}
	if (events & LOOP_WRITABLE)
		drain(c);
	if (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR))
		receive(c);
}

/* ---- the beginning of a connection ---- */

/* Takes the descriptor over, also on failure. @return NULL with *ret_no an errno. */
static struct tcp_conn *conn_new(struct h248_transport *t, int fd, const struct h248_addr *addr,
                                 bool connecting, int *ret_no)
{
	struct tcp_conn *c = calloc(1, sizeof(*c));
	int one = 1, rc;

	if (!c) {
		close(fd);
		*ret_no = ENOMEM;
		return NULL;
	}
	/* Both only make things better: a message leaves at once, a dead peer is noticed. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	c->t = t;
	c->addr = *addr;
	c->addr.conn = transport_number(t);
	c->connecting = connecting;
	c->accepted = !connecting;
	c->in.wipe = c->out.wipe = true; /* a controller sends keys, and sends them again */
	c->w = (struct loop_fd){ fd, on_event, c };
	rc = loop_fd_start(t->loop, &c->w);
	if (rc) {
		close(fd);
		free(c);
		*ret_no = (int)base_err_detail(rc);
		return NULL;
	}
	loop_timer_start(t->loop, &c->timer,
	                 connecting ? t->config.connect_ms : t->config.partial_ms, on_timeout, c);
	base_list_insert(&t->conns, &c->node);
	t->conns_count++;
	t->accepted_count += c->accepted;
	return c;
}

/* @return NULL with *ret_no an errno. */
static struct tcp_conn *conn_connect(struct h248_transport *t, const struct h248_addr *to,
                                     int *ret_no)
{
	struct sockaddr_storage sa;
	socklen_t len = transport_sockaddr(to, &sa);
	struct tcp_conn *c;
	int fd, rc = 0;

	/* Those that came in must not keep us from going out. */
	if (t->conns_count - t->accepted_count >= t->config.max_conns) {
		*ret_no = EMFILE;
		return NULL;
	}
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		*ret_no = errno;
		return NULL;
	}
	if (connect(fd, (struct sockaddr *)&sa, len) < 0)
		rc = errno;
	c = conn_new(t, fd, to, true, ret_no);
	if (c && rc && rc != EINPROGRESS)
		conn_fail_later(c, strerror(rc)); /* as if it had come later */
	return c;
}

static void accept_all(void *arg)
{
	struct tcp_listener *l = arg;
	struct h248_transport *t = l->t;

	for (;;) {
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(sa);
		struct h248_addr from;
		struct tcp_conn *c;
		int no, fd = accept4(l->w.fd, (struct sockaddr *)&sa, &len,
		                     SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			loop_timer_start(t->loop, &l->again, ACCEPT_AGAIN_MS, accept_all, l);
			return;
		}
		if (fd < 0) /* that one has gone already */
			continue;
		if (t->accepted_count >= t->config.max_conns) {
			close(fd);
			t->counters[H248_TCP].refused++;
			continue;
		}
		transport_addr(H248_TCP, &sa, 0, &from);
		c = conn_new(t, fd, &from, false, &no); /* without room it is closed, no more */
		if (!c)
			continue;
		COUNT(c, accepts, 1);
		if (t->ops.on_connected)
			t->ops.on_connected(t->ops.arg, &c->addr);
	}
}

static void on_accept(void *arg, unsigned events)
{
	if (events & LOOP_READABLE)
		accept_all(arg);
}

int tcp_listen(struct h248_transport *t, struct h248_addr *local)
{
	struct tcp_listener *l = calloc(1, sizeof(*l));
	int no = ENOMEM;

	if (!l)
		return no;
	l->t = t;
	l->w = (struct loop_fd){ transport_bind(local, SOCK_STREAM, true), on_accept, l };
	if (l->w.fd < 0 || listen(l->w.fd, SOMAXCONN) < 0 || loop_fd_start(t->loop, &l->w) != 0) {
		no = errno;
		loop_fd_close(t->loop, &l->w);
		free(l);
		return no;
	}
	local->conn = transport_number(t);
	transport_local(l->w.fd, local);
	l->local = *local;
	base_list_append(&t->listeners, &l->node);
	return 0;
}

/* ---- for transport.c ---- */

static struct tcp_conn *look_up(const struct h248_transport *t, const struct h248_addr *to)
{
	BASE_LIST_EACH(&t->conns, node, after)
	{
		struct tcp_conn *c = BASE_CONTAINER_OF(node, struct tcp_conn, node);

		if (to->conn ? c->addr.conn == to->conn : h248_addr_equal(&c->addr, to))
			return c;
	}
	return NULL;
}

static struct tcp_conn *find(struct h248_transport *t, const struct h248_addr *to)
{
	struct tcp_conn *c = look_up(t, to);

	if (c) { /* those in use are found at once */
		base_list_remove(&c->node);
		base_list_insert(&t->conns, &c->node);
	}
	return c;
}

int tcp_send(struct h248_transport *t, const struct h248_addr *to, const void *data, size_t len)
{
	struct tcp_conn *c = find(t, to);
	int no = 0;

	if (len > H248_TPKT_MAX)
		return EMSGSIZE;
	if (!c && to->conn)
		return ENOTCONN;
	if (!c)
		c = conn_connect(t, to, &no);
	if (!c)
		return no;
	return conn_send(c, data, len);
}

void tcp_close(struct h248_transport *t, const struct h248_addr *conn)
{
	struct tcp_conn *c;

	while ((c = find(t, conn)) != NULL) {
		if (!c->connecting)
			COUNT(c, closes, 1);
		conn_end(c);
	}
}

const struct h248_transport_counters *tcp_counters(const struct h248_transport *t,
                                                   const struct h248_addr *conn)
{
	const struct tcp_conn *c = look_up(t, conn);

	return c ? &c->count : NULL;
}

bool tcp_full(const struct h248_transport *t, const struct h248_addr *conn)
{
	const struct tcp_conn *c = look_up(t, conn);

	return c && c->full;
}

void tcp_done(struct h248_transport *t)
{
	BASE_LIST_EACH(&t->conns, node, after)
	conn_end(BASE_CONTAINER_OF(node, struct tcp_conn, node));
	reap(t);
	loop_defer_stop(t->loop, &t->reap);
	BASE_LIST_EACH(&t->listeners, at, next)
	{
		struct tcp_listener *l = BASE_CONTAINER_OF(at, struct tcp_listener, node);

		loop_fd_close(t->loop, &l->w);
		loop_timer_stop(t->loop, &l->again);
		base_list_remove(&l->node);
		free(l);
	}
}
