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
	struct base_node sctp_ends;  /* struct sctp_end */
	struct base_node sctp_conns; /* struct sctp_conn */
	struct base_node sctp_dead;
	struct loop_task sctp_reap;
	uint8_t *buffer;          /* one datagram, or one read of a stream; never kept */
	struct base_writer clear; /* what a filter made of it; never kept */
};

/* ---- a stream: TCP, bare or with a filter ---- */

enum tcp_state {
	TCP_CONNECTING, /* we wait for the far end */
	TCP_SHAKING,    /* the filter finds out who it is */
	TCP_OPEN,
	TCP_DEAD, /* in `dead` */
};

struct tcp_conn {
	struct base_node node;
	struct h248_transport *t;
	struct loop_fd w;
	struct h248_addr addr; /* the far end; `conn` is our number */
	enum tcp_state state;
	bool accepted;
	uint32_t listener; /* number of the socket that accepted it; 0: we made it */
	bool full;         /* more than the mark waited, and its user was told */
	void *filter;      /* NULL = bare TCP */
	struct h248_transport_counters count;
	struct base_writer in;    /* the beginning of one unfinished message */
	struct base_writer early; /* frames that wait for the handshake, in clear */
	struct base_writer out;   /* what the socket did not take */
	size_t out_at;            /* octets of `out` already gone */
	struct loop_timer timer;  /* connecting, the handshake, or an unfinished message */
	struct loop_task later;   /* more to read, or the end */
	char why[160];
};

#define TCP_COUNT(c, field, n) TRANSPORT_COUNT((c)->t, (c)->addr.transport, &(c)->count, field, n)

/* transport_stream.c: the bytes */

/** The far end is there: shake hands, or be open. */
void tcp_conn_begin(struct tcp_conn *c);
/** Octets have come from the socket. */
void tcp_conn_take(struct tcp_conn *c, const uint8_t *data, size_t len);
/** The socket takes octets again. */
void tcp_conn_drain(struct tcp_conn *c);
/** One message. @return 0, an errno, or TRANSPORT_FULL. */
int tcp_conn_send(struct tcp_conn *c, const void *data, size_t len);
/** The last word before we close. */
void tcp_conn_goodbye(struct tcp_conn *c);

/* transport_tcp.c: beginning and end */

/** End it and tell why. */
void tcp_fail(struct tcp_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The same at the end of the iteration, for inside a call of our user. */
void tcp_fail_later(struct tcp_conn *c, const char *why);
/** Open: count, tell, and wait for the first message of one that came in. */
void tcp_opened(struct tcp_conn *c);
/** Time for what the state waits for. */
void tcp_timer(struct tcp_conn *c, uint32_t ms);

/* ---- all ---- */

#define TRANSPORT_BUFFER 65536

/** Count `n` of `field` for a kind and for one of its sockets. */
#define TRANSPORT_COUNT(t, kind, own, field, n)                                                    \
	((t)->counters[kind].field += (n), (own)->field += (n))

/** Our form of an address into the socket's, and back. */
socklen_t transport_sockaddr(const struct h248_addr *a, struct sockaddr_storage *ret);
void transport_addr(unsigned kind, const struct sockaddr_storage *sa, uint32_t conn,
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

/** As h248_transport_connect. @return 0 or an errno */
int tcp_connect(struct h248_transport *t, const struct h248_addr *to, uint32_t *ret_conn);
/** As h248_transport_socket. */
uint32_t tcp_socket(const struct h248_transport *t, const struct h248_addr *conn);
int tcp_listen(struct h248_transport *t, struct h248_addr *local);
/** 0, an errno, or TRANSPORT_FULL: taken, but more than the mark waits. */
#define TRANSPORT_FULL (-1)
int tcp_send(struct h248_transport *t, const struct h248_addr *to, const void *data, size_t len);
void tcp_close(struct h248_transport *t, const struct h248_addr *conn);
const struct h248_transport_counters *tcp_counters(const struct h248_transport *t,
                                                   const struct h248_addr *conn);
bool tcp_full(const struct h248_transport *t, const struct h248_addr *conn);
void tcp_done(struct h248_transport *t);

/** Errnos and results as for TCP. */
int transport_sctp_listen(struct h248_transport *t, struct h248_addr *local);
int transport_sctp_send(struct h248_transport *t, const struct h248_addr *to, const void *data,
                        size_t len);
void transport_sctp_close(struct h248_transport *t, const struct h248_addr *conn);
const struct h248_transport_counters *transport_sctp_counters(const struct h248_transport *t,
                                                              const struct h248_addr *conn);
bool transport_sctp_full(const struct h248_transport *t, const struct h248_addr *conn);
void transport_sctp_done(struct h248_transport *t);

#endif
