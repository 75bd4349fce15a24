/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/socket.h"

int relay_address_set(union relay_address *address, const struct sockaddr_storage *from)
{
	memset(address, 0, sizeof(*address));
	switch (from->ss_family) {
	case AF_UNSPEC:
		return 0;
	case AF_INET:
		memcpy(&address->in, from, sizeof(address->in));
		return 0;
	case AF_INET6:
		memcpy(&address->in6, from, sizeof(address->in6));
		return 0;
	default:
		return BASE_ERR(BASE_LOCAL, EAFNOSUPPORT);
	}
}

void relay_address_get(const union relay_address *address, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, address, sizeof(*address));
}

socklen_t relay_address_len(const union relay_address *address)
{
	return address->family == AF_INET6 ? sizeof(address->in6) : sizeof(address->in);
}

in_port_t relay_address_port(const union relay_address *address)
{
	if (address->family == AF_UNSPEC)
		return 0;
	return address->family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port;
}

void relay_address_port_set(union relay_address *address, in_port_t port)
{
	if (address->family == AF_INET6)
		address->in6.sin6_port = port;
	else if (address->family == AF_INET)
		address->in.sin_port = port;
}

bool relay_address_admits(const union relay_address *filter, const union relay_address *peer)
{
	if (filter->family == AF_UNSPEC)
		return true;
	if (filter->family != peer->family)
		return false;
	if (filter->family == AF_INET)
		return filter->in.sin_addr.s_addr == peer->in.sin_addr.s_addr &&
		       (!filter->in.sin_port || filter->in.sin_port == peer->in.sin_port);
	return memcmp(&filter->in6.sin6_addr, &peer->in6.sin6_addr, sizeof(struct in6_addr)) == 0 &&
	       (!filter->in6.sin6_port || filter->in6.sin6_port == peer->in6.sin6_port);
}

const char *relay_address_format(const union relay_address *address, char *buf, size_t cap)
{
	char host[INET6_ADDRSTRLEN] = "-";

	if (address->family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		(void)snprintf(buf, cap, "%s:%u", host, ntohs(address->in.sin_port));
	} else if (address->family == AF_INET6) {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		(void)snprintf(buf, cap, "[%s]:%u", host, ntohs(address->in6.sin6_port));
	} else {
		(void)snprintf(buf, cap, "-");
	}
	return buf;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int new_socket(sa_family_t family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

int relay_socket_prompt(int fd)
{
	return option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* A port that is given may still have connections of the past in TIME-WAIT. */
static int bind_to(int fd, union relay_address *local, struct relay_ports *ports)
{
	if (!relay_address_port(local))
		return relay_ports_bind(ports, fd, local);
	if (option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	return bind(fd, &local->sa, relay_address_len(local));
}

int relay_socket_listen(union relay_address *local, struct relay_ports *ports, int backlog,
                        bool shared, int *ret_fd)
{
	int fd = new_socket(local->family), error;

	if (fd < 0)
		return BASE_ERR(BASE_LOCAL, errno);
	/* Where many come in, they inherit what they need; where one does, it is told then. */
	if ((shared &&
	     (option(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || relay_socket_prompt(fd) < 0)) ||
	    bind_to(fd, local, ports) < 0 || listen(fd, backlog) < 0) {
		error = errno;
		close(fd);
		return BASE_ERR(BASE_LOCAL, error);
	}
	*ret_fd = fd;
	return 0;
}

int relay_socket_client(sa_family_t family, union relay_address *local, struct relay_ports *ports,
                        int *ret_fd)
{
	int fd = new_socket(family), error;

	if (fd < 0)
		return BASE_ERR(BASE_LOCAL, errno);
	if (relay_socket_prompt(fd) < 0 ||
	    (local->family != AF_UNSPEC && bind_to(fd, local, ports) < 0)) {
		error = errno;
		close(fd);
		return BASE_ERR(BASE_LOCAL, error);
	}
	*ret_fd = fd;
	return 0;
}

int relay_socket_name(int fd, union relay_address *ret)
{
	socklen_t len = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return getsockname(fd, &ret->sa, &len) < 0 ? BASE_ERR(BASE_LOCAL, errno) : 0;
}

void relay_socket_abortive(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	/* If it fails the peer gets FIN instead of RST; nothing else can be done here. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
