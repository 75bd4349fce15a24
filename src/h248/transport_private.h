/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the transport*.c files share, and nobody else. */
#ifndef GH_H248_TRANSPORT_PRIVATE_H
#define GH_H248_TRANSPORT_PRIVATE_H

#include <sys/socket.h>

#include "h248/transport.h"

struct h248_transport {
	struct loop *loop;
	struct h248_transport_config config;
	struct h248_transport_ops ops;
	uint32_t next_conn;
	struct base_node udp;       /* struct udp_socket */
	struct base_node listeners; /* struct tcp_listener */
	struct base_node conns;     /* struct tcp_conn, the most recently used first */
	size_t conns_count, accepted_count;
	struct h248_transport_counters counters[H248_TRANSPORT_KINDS];
	struct base_node dead; /* connections closed inside a callback, freed by `reap` */
	struct loop_task reap;
	uint8_t *buffer; /* one datagram, or one read of a stream; never kept */
};

#define TRANSPORT_BUFFER 65536

/** Count `n` of `field` for a kind and for one of its sockets. */
#define TRANSPORT_COUNT(t, kind, own, field, n)                                                    \
	((t)->counters[kind].field += (n), (own)->field += (n))

/** Our form of an address into the socket's, and back. */
socklen_t transport_sockaddr(const struct h248_addr *a, struct sockaddr_storage *ret);
void transport_addr(enum h248_transport_kind kind, const struct sockaddr_storage *sa, uint32_t conn,
                    struct h248_addr *ret);
/** A non-blocking socket, bound (and told to share nothing). @return descriptor, or -1 with errno.
 */
int transport_bind(const struct h248_addr *local, int type, bool reuse);
/** Fill port (and address) that the kernel chose. */
void transport_local(int fd, struct h248_addr *local);
/** The next number for a socket; never 0. */
uint32_t transport_number(struct h248_transport *t);

int udp_listen(struct h248_transport *t, struct h248_addr *local);
int udp_send(struct h248_transport *t, const struct h248_addr *to, const void *data, size_t len);
const struct h248_transport_counters *udp_counters(const struct h248_transport *t,
                                                   const struct h248_addr *local);
void udp_done(struct h248_transport *t);

int tcp_listen(struct h248_transport *t, struct h248_addr *local);
/** 0, an errno, or TRANSPORT_FULL: taken, but more than the mark waits. */
#define TRANSPORT_FULL (-1)
int tcp_send(struct h248_transport *t, const struct h248_addr *to, const void *data, size_t len);
void tcp_close(struct h248_transport *t, const struct h248_addr *conn);
const struct h248_transport_counters *tcp_counters(const struct h248_transport *t,
                                                   const struct h248_addr *conn);
bool tcp_full(const struct h248_transport *t, const struct h248_addr *conn);
void tcp_done(struct h248_transport *t);

#endif
