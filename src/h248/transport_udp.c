/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: one message per datagram (RFC 3525, D.1). A datagram that the socket does not take is a lost
 * one; the transaction layer repeats it. */
#include <errno.h>
#include <stdlib.h>

#include "h248/transport_private.h"

struct udp_socket {
	struct base_node node;
	struct h248_transport *t;
	struct loop_fd w;
	struct loop_task more; /* edge triggered: nobody tells again what was left unread */
	struct h248_addr local;
	struct h248_transport_counters count;
};

/* At most this many datagrams before the loop's other descriptors get their turn. */
#define UDP_BURST 64

static void receive(void *arg)
{
	struct udp_socket *s = arg;
	struct h248_transport *t = s->t;

	for (int i = 0; i < UDP_BURST; i++) {
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t sa_len = sizeof(sa);
		struct h248_addr from;
		ssize_t n = recvfrom(s->w.fd, t->buffer, TRANSPORT_BUFFER, 0,
		                     (struct sockaddr *)&sa, &sa_len);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) /* an ICMP error about something sent: the next read goes on */
			continue;
		transport_addr(H248_UDP, &sa, s->local.conn, &from);
		TRANSPORT_COUNT(t, H248_UDP, &s->count, messages_in, 1);
		TRANSPORT_COUNT(t, H248_UDP, &s->count, octets_in, (size_t)n);
		t->ops.on_message(t->ops.arg, &from, t->buffer, (size_t)n);
		base_wipe(t->buffer, (size_t)n); /* it may have held a key */
	}
	loop_defer(t->loop, &s->more, receive, s);
}

static void on_event(void *arg, unsigned events)
{
	if (events & (LOOP_READABLE | LOOP_ERROR))
		receive(arg);
}

int udp_listen(struct h248_transport *t, struct h248_addr *local)
{
	struct udp_socket *s = calloc(1, sizeof(*s));
	int no = ENOMEM;

	if (!s)
		return no;
	s->t = t;
	s->w = (struct loop_fd){ transport_bind(local, SOCK_DGRAM, false), on_event, s };
	if (s->w.fd < 0) {
		no = errno;
		free(s);
		return no;
	}
	local->conn = transport_number(t);
	transport_local(s->w.fd, local);
	s->local = *local;
	if (loop_fd_start(t->loop, &s->w) != 0) {
		no = errno;
		loop_fd_close(t->loop, &s->w);
		free(s);
		return no;
	}
	base_list_append(&t->udp, &s->node);
	return 0;
}

int udp_send(struct h248_transport *t, const struct h248_addr *to, const void *data, size_t len)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = transport_sockaddr(to, &sa);

	BASE_LIST_EACH(&t->udp, node, after)
	{
		struct udp_socket *s = BASE_CONTAINER_OF(node, struct udp_socket, node);

		if (s->local.family != to->family || (to->conn && to->conn != s->local.conn))
			continue;
		if (sendto(s->w.fd, data, len, 0, (struct sockaddr *)&sa, sa_len) < 0) {
			s->count.errors_out++; /* the kind's: h248_transport_send */
			return errno;
		}
		TRANSPORT_COUNT(t, H248_UDP, &s->count, messages_out, 1);
		TRANSPORT_COUNT(t, H248_UDP, &s->count, octets_out, len);
		return 0;
	}
	return ENOTSOCK;
}

const struct h248_transport_counters *udp_counters(const struct h248_transport *t,
                                                   const struct h248_addr *local)
{
	BASE_LIST_EACH(&t->udp, node, after)
	{
		struct udp_socket *s = BASE_CONTAINER_OF(node, struct udp_socket, node);

		if (local->conn == s->local.conn)
			return &s->count;
	}
	return NULL;
}

void udp_done(struct h248_transport *t)
{
	BASE_LIST_EACH(&t->udp, node, after)
	{
		struct udp_socket *s = BASE_CONTAINER_OF(node, struct udp_socket, node);

		loop_fd_close(t->loop, &s->w);
		loop_defer_stop(t->loop, &s->more);
		base_list_remove(&s->node);
		free(s);
	}
}
