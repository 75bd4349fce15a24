/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Transport addresses as values: they can be copied, compared and kept by the pure cores, which
 * know nothing of sockets.
 */
#ifndef GH_H248_ADDR_H
#define GH_H248_ADDR_H

#include "h248/message.h"

/** Registered port of the text encoding (RFC 3525, 9), UDP and TCP. */
#define H248_PORT_TEXT 2944

/** How messages travel. H248_TLS is TCP with TPKT inside TLS. */
enum h248_transport_kind { H248_UDP = 1, H248_TCP, H248_TLS, H248_SCTP };
/** One more than the last of them, for arrays. */
#define H248_TRANSPORT_KINDS 5

/** All zero is "no address". */
struct h248_addr {
	uint8_t transport; /**< enum h248_transport_kind */
	uint8_t family;    /**< 4 or 6 */
	uint16_t port;
	uint32_t scope; /**< interface of an IPv6 link-local address, else 0 */
	/**
	 * Which socket: the connection (TCP, TLS), association (SCTP) or UDP socket a message came
	 * by, so that its answer goes back that way. 0 = the transport chooses (it connects when it
	 * has to).
	 */
	uint32_t conn;
	uint8_t ip[16]; /**< network order; 4 octets used for family 4 */
};

static inline bool h248_addr_known(const struct h248_addr *a)
{
	return a->transport != 0;
}
/**
 * Does this transport have connections, which carry a message surely or end? Then nothing is
 * repeated (RFC 3525, D.2) and the end of a connection is told. UDP has none. Pure.
 */
static inline bool h248_addr_connected(const struct h248_addr *a)
{
	return a->transport == H248_TCP || a->transport == H248_TLS || a->transport == H248_SCTP;
}
/** Is it an address of this machine's own loopback (127.0.0.0/8, ::1)? Pure. */
bool h248_addr_loopback(const struct h248_addr *a);
/**
 * May a key travel this way? Inside TLS, or without leaving the machine. What an IPsec gateway or
 * the kernel does underneath cannot be seen from here. Pure.
 */
bool h248_addr_protected(const struct h248_addr *a);
/** "udp", "tcp", "tls", "sctp"; "?" for another number. Pure. */
const char *h248_transport_name(unsigned transport);
/** The other way; 0 for another word. Pure. */
unsigned h248_transport_find(struct base_str name);
/** Same transport, host and port, by whatever socket. Pure. */
bool h248_addr_equal(const struct h248_addr *a, const struct h248_addr *b);
/**
 * From text: `192.0.2.1`, `192.0.2.1:2944`, `2001:db8::1`, `[2001:db8::1]:2944`.
 * @param port  taken where the text has none
 * @return 0, or BASE_CONFIG when this is not a numeric address
 */
int h248_addr_parse(enum h248_transport_kind transport, struct base_str text, uint16_t port,
                    struct h248_addr *ret);

/** Room for any address written by h248_addr_format. */
#define H248_ADDR_TEXT 64
/** For people and logs: `udp:192.0.2.1:2944`, `tcp:[2001:db8::1]:2944`, `-`. @return `buf`. */
const char *h248_addr_format(const struct h248_addr *a, char buf[H248_ADDR_TEXT]);

/**
 * The address that an mId or a ServiceChangeAddress names (RFC 3525, 7.2.8).
 *
 * @param base  where the transport comes from, and what a bare port or a missing port is added to
 * @return 0, or BASE_CONFIG when it is a name and not a numeric address
 */
int h248_addr_of_mid(const struct h248_mid *mid, const struct h248_addr *base,
                     struct h248_addr *ret);
/** The other way: `[ip]:port`. */
struct h248_mid h248_addr_mid(const struct h248_addr *a);

#endif
