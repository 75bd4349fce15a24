/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream connections: listening, connecting, accepting, ending; the bytes are in
 * transport_stream.c. Invariants:
 *
 *  1. on_closed is called from the loop only, never from inside h248_transport_send: a connection
 *     that fails there says `why` and ends at the end of the iteration.
 *  2. A connection that has ended is in `dead` until the iteration's end, for callers further out.
 *  3. One that came in and never was open ends without a word to our user.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Reads of one connection before others get their turn. */
#define TCP_BURST       16
#define ACCEPT_AGAIN_MS 200

static void on_event(void *arg, unsigned events);

/* ---- the end of a connection ---- */

static void conn_free(struct tcp_conn *c)
{
	base_list_remove(&c->node);
	base_writer_done(&c->in);
	base_writer_done(&c->early);
	base_writer_done(&c->out);
	free(c);
}

static void reap(void *arg)
{
	struct h248_transport *t = arg;

	BASE_LIST_EACH(&t->dead, node, after)
	conn_free(BASE_CONTAINER_OF(node, struct tcp_conn, node));
}

static void conn_end(struct tcp_conn *c, const char *why)
{
	struct h248_transport *t = c->t;

	c->state = TCP_DEAD;
	if (c->filter)
		t->config.filter->free(c->filter, why);
	c->filter = NULL;
	loop_fd_close(t->loop, &c->w);
	loop_timer_stop(t->loop, &c->timer);
	loop_defer_stop(t->loop, &c->later);
	base_list_remove(&c->node);
	base_list_append(&t->dead, &c->node);
	t->conns_count--;
	t->accepted_count -= c->accepted;
	loop_defer(t->loop, &t->reap, reap, t);
}

void tcp_fail(struct tcp_conn *c, const char *fmt, ...)
{
	struct h248_transport *t = c->t;
	bool was_open = c->state == TCP_OPEN;
	char reason[sizeof(c->why)];
	va_list ap;

	if (c->state == TCP_DEAD)
		return;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (was_open)
		TCP_COUNT(c, failures, 1);
	else
		TCP_COUNT(c, refused, 1);
	conn_end(c, reason);
	if (t->ops.on_closed && (was_open || !c->accepted))
		t->ops.on_closed(t->ops.arg, &c->addr, reason);
}

static void on_later(void *arg)
{
	struct tcp_conn *c = arg;

	if (c->why[0])
		tcp_fail(c, "%s", c->why);
	else
		on_event(c, LOOP_READABLE);
}

void tcp_fail_later(struct tcp_conn *c, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
	loop_defer(c->t->loop, &c->later, on_later, c);
}

static void on_timeout(void *arg)
{
	static const char *const late[] = {
		[TCP_CONNECTING] = "no answer to the connection request",
		[TCP_SHAKING] = "the peer did not finish the handshake in time",
		[TCP_OPEN] = "the peer did not finish a message in time",
		[TCP_DEAD] = "?",
	};
	struct tcp_conn *c = arg;

	tcp_fail(c, "%s", late[c->state]);
}

void tcp_timer(struct tcp_conn *c, uint32_t ms)
{
	loop_timer_start(c->t->loop, &c->timer, ms, on_timeout, c);
}

/* ---- events ---- */

static void ended_by_peer(struct tcp_conn *c)
{
	if (c->state == TCP_SHAKING)
		tcp_fail(c, "closed by the peer in the handshake");
	else
		tcp_fail(c,
		         c->in.len ? "closed by the peer inside a message" : "closed by the peer");
}

static void receive(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	for (int i = 0; i < TCP_BURST && c->state != TCP_DEAD && !c->why[0]; i++) {
		ssize_t n = read(c->w.fd, t->buffer, TRANSPORT_BUFFER);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			tcp_fail(c, "%s", strerror(errno));
		else if (n == 0)
			ended_by_peer(c);
		else
			tcp_conn_take(c, t->buffer, (size_t)n);
		if (n > 0)
			base_wipe(t->buffer, (size_t)n); /* it may have held a key */
	}
	if (c->state != TCP_DEAD)
		loop_defer(t->loop, &c->later, on_later, c);
}

void tcp_opened(struct tcp_conn *c)
{
	struct h248_transport *t = c->t;

	if (c->accepted)
		TCP_COUNT(c, accepts, 1);
	else
		TCP_COUNT(c, connects, 1);
	loop_timer_stop(t->loop, &c->timer);
	if (c->accepted)
		tcp_timer(c, t->config.partial_ms);
	if (t->ops.on_connected)
		t->ops.on_connected(t->ops.arg, &c->addr);
}

static bool connected(struct tcp_conn *c)
{
	int no = 0;
	socklen_t len = sizeof(no);

	if (getsockopt(c->w.fd, SOL_SOCKET, SO_ERROR, &no, &len) < 0)
		no = errno;
	if (no) {
		tcp_fail(c, "%s", strerror(no));
		return false;
	}
	tcp_conn_begin(c);
	return c->state != TCP_DEAD;
}

static void on_event(void *arg, unsigned events)
{
	struct tcp_conn *c = arg;

	if (c->why[0])
		return; /* it has failed already and says so at the end of the iteration */
	if (c->state == TCP_CONNECTING) {
		if (!(events & (LOOP_WRITABLE | LOOP_ERROR | LOOP_HANGUP)) || !connected(c))
			return;
	}
	if (events & LOOP_WRITABLE)
		tcp_conn_drain(c);
	if (c->state != TCP_DEAD && (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR)))
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
	c->state = TCP_CONNECTING; /* one that came in begins at once */
	c->accepted = !connecting;
	c->in.wipe = c->early.wipe = c->out.wipe =
	        true; /* a controller sends keys, and sends them again */
	c->w = (struct loop_fd){ fd, on_event, c };
	rc = loop_fd_start(t->loop, &c->w);
	if (rc) {
		close(fd);
		free(c);
		*ret_no = (int)base_err_detail(rc);
		return NULL;
	}
	tcp_timer(c, t->config.connect_ms);
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
		tcp_fail_later(c, strerror(rc)); /* as if it had come later */
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
			t->counters[l->local.transport].refused++;
			continue;
		}
		transport_addr(l->local.transport, &sa, 0, &from);
		c = conn_new(t, fd, &from, false, &no); /* without room it is closed, no more */
		if (!c)
			continue;
		c->listener = l->local.conn;
		tcp_conn_begin(c);
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

uint32_t tcp_socket(const struct h248_transport *t, const struct h248_addr *conn)
{
	const struct tcp_conn *c = look_up(t, conn);

	return c ? c->listener : 0;
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
	return tcp_conn_send(c, data, len);
}

int tcp_connect(struct h248_transport *t, const struct h248_addr *to, uint32_t *ret_conn)
{
	int no = 0;
	const struct tcp_conn *c = conn_connect(t, to, &no);

	if (c)
		*ret_conn = c->addr.conn;
	return no;
}

void tcp_close(struct h248_transport *t, const struct h248_addr *conn)
{
	struct tcp_conn *c;

	while ((c = find(t, conn)) != NULL) {
		if (c->state == TCP_OPEN)
			TCP_COUNT(c, closes, 1);
		tcp_conn_goodbye(c);
		conn_end(c, "closed by us");
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
	{
		struct tcp_conn *c = BASE_CONTAINER_OF(node, struct tcp_conn, node);

		tcp_conn_goodbye(c);
		conn_end(c, "closed by us");
	}
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
