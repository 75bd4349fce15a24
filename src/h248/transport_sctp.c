/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCTP: one message in one user message, payload protocol 7, ordered, on stream 0. Which of these
 * H.248.4 asks for was not seen (R, docs/h248-transports.md). Sockets are of the one-to-many style:
 * one endpoint, with one or several addresses, carries the associations that we make and those that
 * come in. Invariants:
 *
 *  1. on_closed is called from the loop only, never from inside h248_transport_send.
 *  2. A connection that has ended is in `sctp_dead` until the iteration's end.
 *  3. `in` holds the first parts of one message that came in parts, or nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "h248/transport_sctp.h"

#define SCTP_BURST              64
#define SCTP_AGAIN_MS           50
#define SCTP_COUNT(c, field, n) TRANSPORT_COUNT((c)->end->t, H248_SCTP, &(c)->count, field, n)

/* ---- the end of a connection ---- */

static void reap(void *arg)
{
	struct h248_transport *t = arg;

	BASE_LIST_EACH(&t->sctp_dead, node, after)
	{
		struct sctp_conn *c = BASE_CONTAINER_OF(node, struct sctp_conn, node);

		base_list_remove(&c->node);
		base_writer_done(&c->in);
		base_writer_done(&c->out);
		free(c);
	}
}

static void conn_end(struct sctp_conn *c)
{
	struct h248_transport *t = c->end->t;

	c->dead = true;
	loop_timer_stop(t->loop, &c->timer);
	loop_defer_stop(t->loop, &c->later);
	base_list_remove(&c->node);
	base_list_append(&t->sctp_dead, &c->node);
	t->conns_count--;
	t->accepted_count -= c->accepted;
	loop_defer(t->loop, &t->sctp_reap, reap, t);
}

static void conn_fail(struct sctp_conn *c, const char *why)
{
	struct h248_transport *t = c->end->t;
	char reason[sizeof(c->why)];

	if (c->dead)
		return;
	snprintf(reason, sizeof(reason), "%s", why);
	if (c->open)
		SCTP_COUNT(c, failures, 1);
	else
		SCTP_COUNT(c, refused, 1);
	conn_end(c);
	if (t->ops.on_closed)
		t->ops.on_closed(t->ops.arg, &c->addr, reason);
}

/* We end it, because of what the peer does or does not. */
static void conn_abort(struct sctp_conn *c, const char *why)
{
	if (!c->dead)
		c->end->how->end(c->end->s, c->assoc, true);
	conn_fail(c, why);
}

static void on_later(void *arg)
{
	struct sctp_conn *c = arg;

	conn_abort(c, c->why);
}

static void conn_abort_later(struct sctp_conn *c, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
	loop_defer(c->end->t->loop, &c->later, on_later, c);
}

static void on_timeout(void *arg)
{
	struct sctp_conn *c = arg;

	conn_abort(c, c->open ? "the peer did not finish a message in time"
	                      : "no answer to the connection request");
}

/* ---- the beginning ---- */

static struct sctp_conn *conn_new(struct sctp_end *e, uint32_t assoc, const struct h248_addr *addr,
                                  bool accepted)
{
	struct h248_transport *t = e->t;
	struct sctp_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->end = e;
	c->assoc = assoc;
	c->addr = *addr;
	c->addr.conn = transport_number(t);
	c->accepted = accepted;
	c->in.wipe = c->out.wipe = true;
	base_list_insert(&t->sctp_conns, &c->node);
	t->conns_count++;
	t->accepted_count += accepted;
	loop_timer_start(t->loop, &c->timer, accepted ? t->config.partial_ms : t->config.connect_ms,
	                 on_timeout, c);
	return c;
}

static struct sctp_conn *by_assoc(const struct sctp_end *e, uint32_t assoc)
{
	BASE_LIST_EACH(&e->t->sctp_conns, node, after)
	{
		struct sctp_conn *c = BASE_CONTAINER_OF(node, struct sctp_conn, node);

		if (c->end == e && c->assoc == assoc)
			return c;
	}
	return NULL;
}

static struct sctp_conn *by_addr(const struct h248_transport *t, const struct h248_addr *to)
{
	BASE_LIST_EACH(&t->sctp_conns, node, after)
	{
		struct sctp_conn *c = BASE_CONTAINER_OF(node, struct sctp_conn, node);

		if (to->conn ? c->addr.conn == to->conn : h248_addr_equal(&c->addr, to))
			return c;
	}
	return NULL;
}

/* ---- writing ---- */

static size_t waiting(const struct sctp_conn *c)
{
	return c->out.len - c->out_at;
}

static void on_again(void *arg);

static void wait_for_room(struct sctp_end *e)
{
	if (!loop_timer_active(&e->again))
		loop_timer_start(e->t->loop, &e->again, SCTP_AGAIN_MS, on_again, e);
}

static void flush(struct sctp_conn *c)
{
	while (waiting(c) && !c->why[0]) {
		const uint8_t *at = c->out.data + c->out_at;
		uint32_t len;
		int no;

		memcpy(&len, at, sizeof(len));
		no = c->end->how->send(c->end->s, c->assoc, at + sizeof(len), len);
		if (no == EAGAIN) {
			wait_for_room(c->end);
			return;
		}
		if (no) {
			conn_abort_later(c, strerror(no));
			return;
		}
		c->out_at += sizeof(len) + len;
	}
	if (waiting(c))
		return;
	base_writer_done(&c->out);
	c->out_at = 0;
}

static void drain(struct sctp_conn *c)
{
	struct h248_transport *t = c->end->t;

	flush(c);
	if (!c->full || c->why[0] || waiting(c) >= (t->config.mark_output + 1) / 2)
		return;
	c->full = false;
	if (t->ops.on_drained)
		t->ops.on_drained(t->ops.arg, &c->addr);
}

/* A callback may end any connection: the next one is looked for from the start. */
static void drain_all(struct sctp_end *e)
{
	struct h248_transport *t = e->t;
	uint32_t last = 0;

	for (;;) {
		struct sctp_conn *next = NULL;

		BASE_LIST_EACH(&t->sctp_conns, node, after)
		{
			struct sctp_conn *c = BASE_CONTAINER_OF(node, struct sctp_conn, node);

			if (c->end == e && c->open && waiting(c) && c->addr.conn > last &&
			    (!next || c->addr.conn < next->addr.conn))
				next = c;
		}
		if (!next)
			return;
		last = next->addr.conn;
		drain(next);
	}
}

static void on_again(void *arg)
{
	drain_all(arg);
}

static int keep(struct sctp_conn *c, const void *data, size_t len)
{
	uint32_t size = (uint32_t)len;

	if (waiting(c) && waiting(c) + len > c->end->t->config.max_output) {
		conn_abort_later(c, "the peer does not read what it is sent");
		return ENOBUFS;
	}
	if (c->out_at) {
		memmove(c->out.data, c->out.data + c->out_at, waiting(c));
		c->out.len -= c->out_at;
		c->out_at = 0;
	}
	base_writer_put(&c->out, &size, sizeof(size));
	base_writer_put(&c->out, data, len);
	if (c->out.failed) {
		conn_abort_later(c, "no memory");
		return ENOMEM;
	}
	if (waiting(c) < c->end->t->config.mark_output)
		return 0;
	if (!c->full)
		SCTP_COUNT(c, full, 1);
	c->full = true;
	return TRANSPORT_FULL;
}

static int conn_write(struct sctp_conn *c, const void *data, size_t len)
{
	int no = EAGAIN;

	if (c->dead || c->why[0])
		return ENOTCONN;
	if (c->open && !waiting(c))
		no = c->end->how->send(c->end->s, c->assoc, data, len);
	if (no == EAGAIN) {
		wait_for_room(c->end);
		return keep(c, data, len);
	}
	if (no)
		conn_abort_later(c, strerror(no));
	return no;
}

static int conn_send(struct sctp_conn *c, const void *data, size_t len)
{
	int no = conn_write(c, data, len);

	if (no > 0) {
		c->count.errors_out++; /* the kind's: h248_transport_send */
	} else {
		SCTP_COUNT(c, messages_out, 1);
		SCTP_COUNT(c, octets_out, len);
	}
	return no;
}

/* ---- reading ---- */

static void message_take(struct sctp_conn *c, const uint8_t *data, size_t len)
{
	struct h248_transport *t = c->end->t;

	loop_timer_stop(t->loop, &c->timer);
	SCTP_COUNT(c, messages_in, 1);
	SCTP_COUNT(c, octets_in, len);
	t->ops.on_message(t->ops.arg, &c->addr, data, len);
}

static void part_take(struct sctp_conn *c, const uint8_t *data, const struct sctp_seen *seen)
{
	struct h248_transport *t = c->end->t;

	if (c->in.len + seen->len > H248_SCTP_MAX) {
		SCTP_COUNT(c, errors_in, 1);
		conn_abort(c, "a message that is too long");
		return;
	}
	if (seen->last && !c->in.len) {
		message_take(c, data, seen->len);
		return;
	}
	base_writer_put(&c->in, data, seen->len);
	if (c->in.failed) {
		conn_abort(c, "no memory");
	} else if (!seen->last) {
		if (!loop_timer_active(&c->timer))
			loop_timer_start(t->loop, &c->timer, t->config.partial_ms, on_timeout, c);
	} else {
		message_take(c, c->in.data, c->in.len);
		base_writer_done(&c->in);
	}
}

static void data_seen(struct sctp_end *e, const struct sctp_seen *seen)
{
	struct sctp_conn *c = by_assoc(e, seen->assoc);

	if (!c || !c->open)
		return; /* one that we have ended */
	/* 0 is "unspecified" (RFC 4960, 3.3.1): taken, as the port says what it is (P). */
	if (seen->ppid != SCTP_PPID_H248 && seen->ppid != 0) {
		SCTP_COUNT(c, errors_in, 1);
		conn_abort(c, "not H.248: another payload protocol");
		return;
	}
	part_take(c, e->t->buffer, seen);
}

static void up_seen(struct sctp_end *e, const struct sctp_seen *seen)
{
	struct h248_transport *t = e->t;
	struct sctp_conn *c = by_assoc(e, seen->assoc);
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	struct h248_addr from;

	if (c && c->open && seen->restarted) {
		conn_fail(c, "the peer has restarted the association");
		c = NULL;
	}
	if (!c && e->how->peer(e->s, seen->assoc, &sa))
		return; /* gone already, or nothing of it is proven: it cannot speak here */
	if (!c) {
		transport_addr(H248_SCTP, &sa, 0, &from);
		if (t->accepted_count < t->config.max_conns && e->listens)
			c = conn_new(e, seen->assoc, &from, true);
		if (!c) {
			e->how->end(e->s, seen->assoc, true);
			t->counters[H248_SCTP].refused++;
			return;
		}
	}
	if (c->open)
		return;
	c->open = true;
	if (c->accepted) {
		SCTP_COUNT(c, accepts, 1);
	} else {
		SCTP_COUNT(c, connects, 1);
		loop_timer_stop(t->loop, &c->timer);
	}
	flush(c);
	if (t->ops.on_connected)
		t->ops.on_connected(t->ops.arg, &c->addr);
}

static void see(struct sctp_end *e, const struct sctp_seen *seen)
{
	struct sctp_conn *c;

	switch (seen->sight) {
	case SEEN_DATA:
		data_seen(e, seen);
		return;
	case SEEN_UP:
		up_seen(e, seen);
		return;
	default:
		break;
	}
	c = by_assoc(e, seen->assoc);
	if (!c)
		return;
	if (seen->sight == SEEN_DOWN)
		conn_fail(c, seen->why);
	else if (seen->sight == SEEN_PATH_DOWN)
		SCTP_COUNT(c, paths_lost, 1);
	else if (seen->sight == SEEN_PATH_UP)
		SCTP_COUNT(c, paths_back, 1);
}

static void receive(void *arg)
{
	struct sctp_end *e = arg;
	struct h248_transport *t = e->t;

	for (int i = 0; i < SCTP_BURST; i++) {
		struct sctp_seen seen = { .sight = SEEN_NOTHING };
		int no = e->how->recv(e->s, t->buffer, TRANSPORT_BUFFER, &seen);

		if (no == EAGAIN || no == EINTR) {
			drain_all(e);
			return;
		}
		if (no)
			continue; /* of one association, which says so itself */
		see(e, &seen);
		base_wipe(t->buffer, seen.len); /* it may have held a key */
	}
	loop_defer(t->loop, &e->more, receive, e);
}

void transport_sctp_event(void *arg, unsigned events)
{
	(void)events;
	receive(arg);
}

/* ---- for transport.c ---- */

static struct sctp_conn *connect_to(struct h248_transport *t, const struct h248_addr *to,
                                    int *ret_no)
{
	struct sctp_end *e = NULL;
	struct sctp_conn *c;
	struct sockaddr_storage sa;
	socklen_t len = transport_sockaddr(to, &sa);
	uint32_t assoc = 0;

	*ret_no = EMFILE;
	if (t->conns_count - t->accepted_count >= t->config.max_conns)
		return NULL;
	BASE_LIST_EACH(&t->sctp_ends, node, after)
	{
		struct sctp_end *at = BASE_CONTAINER_OF(node, struct sctp_end, node);

		if (!e && at->local.family == to->family)
			e = at;
	}
	*ret_no = e ? 0 : transport_sctp_end_new(&e, t, to->family);
	if (!*ret_no && e)
		*ret_no = e->how->connect(e->s, (struct sockaddr *)&sa, len, &assoc);
	if (*ret_no || !e)
		return NULL;
	c = conn_new(e, assoc, to, false);
	if (!c) {
		e->how->end(e->s, assoc, true);
		*ret_no = ENOMEM;
	}
	return c;
}

int transport_sctp_send(struct h248_transport *t, const struct h248_addr *to, const void *data,
                        size_t len)
{
	struct sctp_conn *c = by_addr(t, to);
	int no = 0;

	if (len > H248_SCTP_MAX || !len)
		return EMSGSIZE;
	if (!c && to->conn)
		return ENOTCONN;
	if (!c)
		c = connect_to(t, to, &no);
	return c ? conn_send(c, data, len) : no;
}

void transport_sctp_close(struct h248_transport *t, const struct h248_addr *conn)
{
	struct sctp_conn *c;

	while ((c = by_addr(t, conn)) != NULL) {
		if (c->open)
			SCTP_COUNT(c, closes, 1);
		/* What the socket has is still sent; what it did not take is lost with us. */
		c->end->how->end(c->end->s, c->assoc, !c->open);
		conn_end(c);
	}
}

const struct h248_transport_counters *transport_sctp_counters(const struct h248_transport *t,
                                                              const struct h248_addr *conn)
{
	const struct sctp_conn *c = by_addr(t, conn);

	return c ? &c->count : NULL;
}

bool transport_sctp_full(const struct h248_transport *t, const struct h248_addr *conn)
{
	const struct sctp_conn *c = by_addr(t, conn);

	return c && c->full;
}

void transport_sctp_done(struct h248_transport *t)
{
	BASE_LIST_EACH(&t->sctp_conns, node, after)
	conn_end(BASE_CONTAINER_OF(node, struct sctp_conn, node));
	reap(t);
	loop_defer_stop(t->loop, &t->sctp_reap);
	BASE_LIST_EACH(&t->sctp_ends, at, next)
	transport_sctp_end_free(BASE_CONTAINER_OF(at, struct sctp_end, node));
}
