/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "stream/stream.h"

int stream_addr_ip(union stream_addr *ret, struct base_str ip, uint16_t port)
{
	union stream_addr addr;
	char text[INET6_ADDRSTRLEN];

	memset(&addr, 0, sizeof(addr));
	if (ip.len >= 2 && ip.ptr[0] == '[' && ip.ptr[ip.len - 1] == ']')
		ip = (struct base_str){ ip.ptr + 1, ip.len - 2 };
	if (!ip.len || ip.len >= sizeof(text))
		return BASE_ERR(BASE_PEER, 0);
	memcpy(text, ip.ptr, ip.len);
	text[ip.len] = 0;
	if (inet_pton(AF_INET, text, &addr.in.sin_addr) == 1) {
		addr.in.sin_family = AF_INET;
		addr.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
	} else {
		return BASE_ERR(BASE_PEER, 0);
	}
	*ret = addr;
	return 0;
}

static int unix_path(union stream_addr *ret, struct base_str path, struct base_error *err)
{
	union stream_addr addr;

	memset(&addr, 0, sizeof(addr));
	if (!path.len || path.len >= sizeof(addr.un.sun_path))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "a socket's path has 1 to %zu octets, this one %zu",
		                      sizeof(addr.un.sun_path) - 1, path.len);
	addr.un.sun_family = AF_UNIX;
	memcpy(addr.un.sun_path, path.ptr, path.len);
	*ret = addr;
	return 0;
}

int stream_addr_parse(union stream_addr *ret, struct base_str text, struct base_error *err)
{
	struct base_str ip = text, port;
	uint64_t number;

	if (text.len > 5 && memcmp(text.ptr, "unix:", 5) == 0)
		return unix_path(ret, (struct base_str){ text.ptr + 5, text.len - 5 }, err);
	while (ip.len && ip.ptr[ip.len - 1] != ':')
		ip.len--;
	port = (struct base_str){ text.ptr + ip.len, text.len - ip.len };
	if (ip.len)
		ip.len--;
	/* an IPv6 address without brackets would lend its last part as port */
	if (!ip.len || base_str_u64(port, 65535, &number) ||
	    (ip.ptr[0] != '[' && memchr(ip.ptr, ':', ip.len)) ||
	    stream_addr_ip(ret, ip, (uint16_t)number))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "\"%.*s\" is no address; write it as 192.0.2.1:5060, "
		                      "[2001:db8::1]:5060 or unix:/run/name",
		                      BASE_FMT(text));
	return 0;
}

const char *stream_addr_host(const union stream_addr *addr, char *buf, size_t cap)
{
	const void *ip = addr->sa.sa_family == AF_INET6 ? (const void *)&addr->in6.sin6_addr
	                                                : (const void *)&addr->in.sin_addr;

	if ((addr->sa.sa_family != AF_INET && addr->sa.sa_family != AF_INET6) ||
	    !inet_ntop(addr->sa.sa_family, ip, buf, (socklen_t)cap))
		(void)snprintf(buf, cap, "-");
	return buf;
}

uint16_t stream_addr_port(const union stream_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return ntohs(addr->in.sin_port);
	return addr->sa.sa_family == AF_INET6 ? ntohs(addr->in6.sin6_port) : 0;
}

const char *stream_addr_format(const union stream_addr *addr, char *buf, size_t cap)
{
	char ip[INET6_ADDRSTRLEN];

	(void)stream_addr_host(addr, ip, sizeof(ip));
	if (addr->sa.sa_family == AF_UNIX)
		(void)snprintf(buf, cap, "unix:%s", addr->un.sun_path);
	else if (addr->sa.sa_family == AF_INET6)
		(void)snprintf(buf, cap, "[%s]:%u", ip, stream_addr_port(addr));
	else if (addr->sa.sa_family == AF_INET)
		(void)snprintf(buf, cap, "%s:%u", ip, stream_addr_port(addr));
	else
		(void)snprintf(buf, cap, "-");
	return buf;
}

bool stream_addr_equal(const union stream_addr *a, const union stream_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family || stream_addr_port(a) != stream_addr_port(b))
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0 &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
	return a->sa.sa_family != AF_UNIX ||
	       strncmp(a->un.sun_path, b->un.sun_path, sizeof(a->un.sun_path)) == 0;
}

socklen_t stream_addr_len(const union stream_addr *addr)
{
	switch (addr->sa.sa_family) {
	case AF_INET:
		return sizeof(addr->in);
	case AF_INET6:
		return sizeof(addr->in6);
	default:
		return sizeof(addr->un);
	}
}
