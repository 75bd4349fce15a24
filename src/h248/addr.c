/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

bool h248_addr_equal(const struct h248_addr *a, const struct h248_addr *b)
{
	return a->transport == b->transport && a->family == b->family && a->port == b->port &&
	       a->scope == b->scope && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool h248_addr_loopback(const struct h248_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *ip = a->ip;

	if (a->family == 6 && memcmp(ip, mapped, sizeof(mapped)) == 0)
		return ip[12] == 127; /* an IPv4 address in IPv6's clothes */
	if (a->family == 6)
		return memcmp(ip, &in6addr_loopback, 16) == 0;
	return a->family == 4 && ip[0] == 127;
}

bool h248_addr_protected(const struct h248_addr *a)
{
	return a->transport == H248_TLS || h248_addr_loopback(a);
}

static const char *const names[H248_TRANSPORT_KINDS] = {
	[H248_UDP] = "udp", [H248_TCP] = "tcp", [H248_TLS] = "tls", [H248_SCTP] = "sctp"
};

const char *h248_transport_name(unsigned transport)
{
	return transport < H248_TRANSPORT_KINDS && names[transport] ? names[transport] : "?";
}

unsigned h248_transport_find(struct base_str name)
{
	for (unsigned i = 1; i < H248_TRANSPORT_KINDS; i++)
		if (base_str_eq(name, base_str_of(names[i])))
			return i;
	return 0;
}

/* Cut `host` and `port` out of any of the forms; a bare IPv6 address has more than one colon. */
static int split(struct base_str text, struct base_str *host, struct base_str *port)
{
	const char *end = text.ptr + text.len;
	const char *colon = memchr(text.ptr, ':', text.len);

	*port = (struct base_str){ NULL, 0 };
	if (text.len && text.ptr[0] == '[') {
		const char *close = memchr(text.ptr, ']', text.len);

		if (!close || (close + 1 < end && close[1] != ':'))
			return BASE_ERR(BASE_CONFIG, 0);
		*host = (struct base_str){ text.ptr + 1, (size_t)(close - text.ptr - 1) };
		if (close + 1 < end)
			*port = (struct base_str){ close + 2, (size_t)(end - close - 2) };
		return close + 2 == end ? BASE_ERR(BASE_CONFIG, 0) : 0;
	}
	*host = text;
	if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
		host->len = (size_t)(colon - text.ptr);
		*port = (struct base_str){ colon + 1, (size_t)(end - colon - 1) };
		return port->len ? 0 : BASE_ERR(BASE_CONFIG, 0);
	}
	return 0;
}

int h248_addr_parse(enum h248_transport_kind transport, struct base_str text, uint16_t port,
                    struct h248_addr *ret)
{
	struct h248_addr a = { .transport = (uint8_t)transport, .port = port };
	struct base_str host, digits;
	char buf[INET6_ADDRSTRLEN + IF_NAMESIZE + 1], *percent;
	uint64_t number;

	if (!text.len || split(text, &host, &digits) != 0 || host.len >= sizeof(buf))
		return BASE_ERR(BASE_CONFIG, 0);
	if (digits.len) {
		if (base_str_u64(digits, 65535, &number) != 0)
			return BASE_ERR(BASE_CONFIG, 0);
		a.port = (uint16_t)number;
	}
	memcpy(buf, host.ptr, host.len);
	buf[host.len] = '\0';
	percent = strchr(buf, '%');
	if (percent) {
		a.scope = if_nametoindex(percent + 1);
		if (a.scope == 0)
			return BASE_ERR(BASE_CONFIG, 0);
		*percent = '\0';
	}
	if (!percent && inet_pton(AF_INET, buf, a.ip) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, buf, a.ip) == 1)
		a.family = 6;
	else
		return BASE_ERR(BASE_CONFIG, 0);
	*ret = a;
	return 0;
}

const char *h248_addr_format(const struct h248_addr *a, char buf[H248_ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";
	const char *transport = h248_transport_name(a->transport);

	if (!h248_addr_known(a)) {
		snprintf(buf, H248_ADDR_TEXT, "-");
		return buf;
	}
	(void)inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, host, sizeof(host));
	snprintf(buf, H248_ADDR_TEXT, a->family == 4 ? "%s:%s:%u" : "%s:[%s]:%u", transport, host,
	         a->port);
	return buf;
}

int h248_addr_of_mid(const struct h248_mid *mid, const struct h248_addr *base,
                     struct h248_addr *ret)
{
	struct h248_addr a = { .transport = base->transport, .port = H248_PORT_TEXT };
	struct base_str name;

	switch (mid->kind) {
	case H248_MID_PORT:
		a = *base;
		a.conn = 0;
		a.port = mid->port;
		break;
	case H248_MID_IP4:
	case H248_MID_IP6:
		a.family = mid->kind == H248_MID_IP4 ? 4 : 6;
		memcpy(a.ip, mid->address, a.family == 4 ? 4 : 16);
		if (mid->has_port)
			a.port = mid->port;
		break;
	case H248_MID_DOMAIN: /* a numeric address in angle brackets is met in the field */
		name = mid->name;
		if (h248_addr_parse(base->transport, name, H248_PORT_TEXT, &a) != 0)
			return BASE_ERR(BASE_CONFIG, 0);
		if (mid->has_port)
			a.port = mid->port;
		break;
	default:
		return BASE_ERR(BASE_CONFIG, 0);
	}
	*ret = a;
	return 0;
}

struct h248_mid h248_addr_mid(const struct h248_addr *a)
{
	struct h248_mid mid = { .kind = a->family == 4 ? H248_MID_IP4 : H248_MID_IP6,
		                .port = a->port,
		                .has_port = true };

	mid.address_len = a->family == 4 ? 4 : 16;
	memcpy(mid.address, a->ip, mid.address_len);
	return mid;
}
