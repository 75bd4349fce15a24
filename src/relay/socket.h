/* SPDX-License-Identifier: Apache-2.0 */
/** @file Addresses, and sockets bound to them: socket.c; ports that nobody named: ports.c. */
#ifndef GH_RELAY_SOCKET_H
#define GH_RELAY_SOCKET_H

#include <netinet/in.h>

#include "relay/relay.h"

/** An address in 28 octets instead of 128. family 0 = none. */
union relay_address {
	sa_family_t family;
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** @return 0, or BASE_LOCAL EAFNOSUPPORT; family 0 is fine. */
int relay_address_set(union relay_address *address, const struct sockaddr_storage *from);
void relay_address_get(const union relay_address *address, struct sockaddr_storage *ret);
socklen_t relay_address_len(const union relay_address *address);
/** Its port in network order; 0 = none. */
in_port_t relay_address_port(const union relay_address *address);
/** `port` in network order; nothing is done to an address without a family. */
void relay_address_port_set(union relay_address *address, in_port_t port);
/** Same host, and the same port unless `filter` leaves it 0. */
bool relay_address_admits(const union relay_address *filter, const union relay_address *peer);
/** "192.0.2.1:80", "[2001:db8::1]:80", "-"; into `buf`, terminated. */
const char *relay_address_format(const union relay_address *address, char *buf, size_t cap);
#define RELAY_ADDRESS_TEXT 64

/** Of the control thread: where ports that nobody named are taken from (ports.c). */
struct relay_ports {
	uint16_t min;
	uint32_t count; /**< 0 = the kernel's choice */
	uint32_t random[16];
	size_t left; /**< of `random` */
};
void relay_ports_init(struct relay_ports *ports);
/**
 * Bind to an address without a port. `*local` gets it, unless the kernel chose it: then it has to
 * be asked. `ports` NULL: it does. @return 0, or -1 and errno
 */
int relay_ports_bind(struct relay_ports *ports, int fd, union relay_address *local);
/** One of them, even, in host order; 0 = none can be told. */
uint16_t relay_ports_even(struct relay_ports *ports);

/**
 * A non-blocking socket, bound (without a port as relay_ports_bind does it), listening. `shared`:
 * one of several on its port, whose connections are prompt; else they have to be made so.
 * @return 0 or BASE_LOCAL errno
 */
int relay_socket_listen(union relay_address *local, struct relay_ports *ports, int backlog,
                        bool shared, int *ret_fd);
/** A non-blocking socket of that family, bound likewise to `local` if it has a family. */
int relay_socket_client(sa_family_t family, union relay_address *local, struct relay_ports *ports,
                        int *ret_fd);
int relay_socket_name(int fd, union relay_address *ret);
/**
 * A non-blocking UDP socket, bound likewise; with `ret_next` a second one at the port behind it,
 * and a port that nobody named is even (RFC 3550, 11). `shared`: with others of that kind. `*local`
 * gets the port.
 */
int relay_socket_datagram(union relay_address *local, struct relay_ports *ports, bool shared,
                          int *ret_fd, int *ret_next);
/** TCP_NODELAY: messages of two parties must not wait for each other's acknowledgements (RFC 896).
 * On a connection, or on a socket that will be one. @return 0, or -1 and errno */
int relay_socket_prompt(int fd);
/** Make the coming close() a RST. */
void relay_socket_abortive(int fd);

#endif
