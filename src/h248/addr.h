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

enum h248_transport_kind { H248_UDP = 1, H248_TCP };

/** All zero is "no address". */
struct h248_addr {
	uint8_t transport; /**< enum h248_transport_kind */
	uint8_t family;    /**< 4 or 6 */
	uint16_t port;
	uint32_t scope; /**< interface of an IPv6 link-local address, else 0 */
	/**
	 * Which socket: the TCP connection or the UDP socket a message came by, so that its answer
	 * goes back that way. 0 = the transport chooses (TCP: connects when it has to).
	 */
	uint32_t conn;
	uint8_t ip[16]; /**< network order; 4 octets used for family 4 */
};

static inline bool h248_addr_known(const struct h248_addr *a)
{
	return a->transport != 0;
}
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
