/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Messages over UDP, TCP (RFC 3525, Annex D; TPKT of RFC 1006), TCP inside a filter such as TLS,
 * and SCTP, IPv4 and IPv6, on a loop. Knows nothing of H.248 but its frames. One thread: the
 * loop's.
 */
#ifndef GH_H248_TRANSPORT_H
#define GH_H248_TRANSPORT_H

#include "h248/addr.h"
#include "h248/filter.h"
#include "loop/loop.h"

/* ---- TPKT, the pure part ---- */

#define H248_TPKT_HEADER 4
/** Octets of the largest message in a TPKT: 65535 less the header. */
#define H248_TPKT_MAX (65535 - H248_TPKT_HEADER)

/**
 * The next message at the start of `data` (RFC 1006, 6: version 3, a reserved octet, the length of
 * all in 16 bits). Any bytes are safe. Pure.
 *
 * @param ret       the message, inside `data`
 * @param ret_used  octets of `data` it took
 * @return 0; BASE_AGAIN when more octets are needed; BASE_PEER when this is no TPKT (the version is
 *         not 3, the length is less than its header's): the stream is beyond repair
 */
int h248_tpkt_next(struct base_str data, struct base_str *ret, size_t *ret_used);
/** Write the header of a message of `len` octets, at most H248_TPKT_MAX. */
void h248_tpkt_header(size_t len, uint8_t ret[H248_TPKT_HEADER]);

/* ---- sockets ---- */

/** Octets of the largest message over SCTP, either way (P). */
#define H248_SCTP_MAX 65535

/** Who does SCTP: the kernel, or usrsctp in UDP (RFC 6951) where the kernel cannot. */
enum h248_sctp_backend { H248_SCTP_AUTO, H248_SCTP_KERNEL, H248_SCTP_USER };

struct h248_transport;

struct h248_transport_ops {
	/** A message. `data` is borrowed until return. Sending and closing are allowed here. */
	void (*on_message)(void *arg, const struct h248_addr *from, const void *data, size_t len);
	/** A connection is open, made by us or accepted; with a filter: the peer is authenticated.
	 * May be NULL. */
	void (*on_connected)(void *arg, const struct h248_addr *conn);
	/**
	 * A connection could not be made or has ended, with the reason for people; not called
	 * for those that we closed ourselves, nor for those that came in and were not let in. May
	 * be NULL.
	 */
	void (*on_closed)(void *arg, const struct h248_addr *conn, const char *reason);
	/**
	 * After h248_transport_send has said BASE_AGAIN for this connection: little waits now, send
	 * on. Called from the loop. Not called when the connection ends first. May be NULL.
	 */
	void (*on_drained)(void *arg, const struct h248_addr *conn);
	void *arg;
};

/** All zero takes every default. */
struct h248_transport_config {
	uint32_t max_conns;    /**< TCP connections that come in; 0 = 1024. More are accepted and
	                            closed. As many again may go out */
	uint32_t max_output;   /**< octets waiting for one peer; 0 = 1 MiB. More closes it */
	uint32_t mark_output;  /**< octets waiting for one peer from which on h248_transport_send
	                            says BASE_AGAIN; drained below half of it; 0 = a quarter of
	                            max_output */
	uint32_t connect_ms;   /**< give up connecting; 0 = 10000 */
	uint32_t handshake_ms; /**< give up a filter's handshake; 0 = 10000 */
	uint32_t partial_ms;   /**< most time between the first and last octet of a message, and
	                            until the first message of an accepted one; 0 = 30000 */
	enum h248_sctp_backend sctp_backend;
	uint16_t sctp_udp_port;   /**< of encapsulation, ours; 0 = 9899. One for the process: the
	                               first transport that uses it decides */
	uint16_t sctp_udp_remote; /**< of those we connect to; 0 = 9899 */
	/** Of H248_TLS; outlives the transport. NULL: there is no such transport. */
	const struct h248_filter_ops *filter;
	void *filter_arg;
};

/** `config` and `ops` are copied. @return 0, or BASE_LOCAL. */
int h248_transport_new(struct h248_transport **ret, struct loop *loop,
                       const struct h248_transport_config *config,
                       const struct h248_transport_ops *ops);
/** Close all sockets and free. No callback is called. Not inside a callback. NULL is fine. */
void h248_transport_free(struct h248_transport *t);

/**
 * Bind a UDP socket, or listen for connections; several of each may be open. Port 0 takes any.
 * SCTP: another address of the same family with the port of an endpoint that is there becomes a
 * further address of that endpoint (multi-homing).
 *
 * @param local  in: where; out: with the true port, and `conn` naming this socket
 * @return 0; BASE_CONFIG when the address cannot be bound, BASE_LOCAL when we lack descriptors or
 *         memory; `err` says which
 */
int h248_transport_listen(struct h248_transport *t, struct h248_addr *local,
                          struct base_error *err);

/**
 * Send one message. UDP: by the socket that `to->conn` names, else by the first one of the family.
 * TCP: by the connection that `to->conn` names; with 0, by an open one to that address, else by a
 * new one, which keeps the message until it is open.
 *
 * @return 0 when it is on its way (which promises nothing more); BASE_AGAIN when it is on its way
 *         too, but the peer reads slowly: what can wait should wait for on_drained; BASE_LOCAL when
 *         it is too long, the socket would not take it, or there is no such socket or connection
 *         any more
 */
int h248_transport_send(struct h248_transport *t, const struct h248_addr *to, const void *data,
                        size_t len);
/**
 * One more TCP or TLS connection to that address, whatever others there are: for who must not share
 * them. Messages may be sent by it at once; they wait until it is open.
 *
 * @param ret_conn  its number, for `conn` of an address
 * @return 0; BASE_LOCAL when there is no room, or the transport is another one
 */
int h248_transport_connect(struct h248_transport *t, const struct h248_addr *to,
                           uint32_t *ret_conn);
/**
 * Close the connection that `conn->conn` names, or all to that address when that is 0. What
 * was accepted for sending is still sent, as far as the socket takes it at once.
 */
void h248_transport_close(struct h248_transport *t, const struct h248_addr *conn);
/** Open connections, for tests and status. */
size_t h248_transport_conns(const struct h248_transport *t);
/**
 * The `conn` of the local socket (h248_transport_listen) that what comes from there came by; 0 for
 * connections that we made and those that have ended.
 */
uint32_t h248_transport_socket(const struct h248_transport *t, const struct h248_addr *from);
/** Does output to this address wait above the mark? False for what is not connected. */
bool h248_transport_full(const struct h248_transport *t, const struct h248_addr *to);

/* ---- counters ---- */

/**
 * Octets are those of messages, without frames. How they add up, for one kind of transport:
 *   connections open now = connects + accepts - failures - closes (connecting ones not counted)
 * A kind's counters are the sums of its sockets' and connections', those that have ended included;
 * its errors_out and refused also have those that never had a connection.
 */
#define H248_TRANSPORT_COUNTERS(X)                                                                 \
	X(messages_in, "messages received")                                                        \
	X(messages_out, "messages handed to the socket or kept for it")                            \
	X(octets_in, "octets of messages received")                                                \
	X(octets_out, "octets of messages handed to the socket or kept for it")                    \
	X(errors_in, "connections ended because what came was no message")                         \
	X(errors_out, "messages refused: too long, no room, or the socket would not")              \
	X(connects, "connections made by us")                                                      \
	X(accepts, "connections accepted")                                                         \
	X(refused, "connections that could not be made, or were turned away")                      \
	X(failures, "open connections ended by the peer, the network or an error")                 \
	X(closes, "open connections ended by us")                                                  \
	X(paths_lost, "addresses of SCTP peers that were no longer reached")                       \
	X(paths_back, "addresses of SCTP peers that were reached again")                           \
	X(full, "times that output for a peer went above the mark")

struct h248_transport_counters {
#define H248_TRANSPORT_COUNTER_FIELD(name, text) uint64_t name;
	H248_TRANSPORT_COUNTERS(H248_TRANSPORT_COUNTER_FIELD)
#undef H248_TRANSPORT_COUNTER_FIELD
};
/** Of all sockets of one kind since the start. */
void h248_transport_counters(const struct h248_transport *t, enum h248_transport_kind kind,
                             struct h248_transport_counters *ret);
/**
 * Of the one connection or UDP socket that `conn->conn` names, or (0) an open connection to that
 * address. @return false when there is none
 */
bool h248_transport_conn_counters(const struct h248_transport *t, const struct h248_addr *conn,
                                  struct h248_transport_counters *ret);

#endif
