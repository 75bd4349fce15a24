/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/config.h"

static const uint8_t *octets_of(const union stream_addr *addr, unsigned *ret_bits)
{
	*ret_bits = addr->sa.sa_family == AF_INET6 ? 128 : 32;
	return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_addr.s6_addr
	                                      : (const uint8_t *)&addr->in.sin_addr;
}

bool edge_address_any(const union stream_addr *addr)
{
	static const uint8_t zeros[16];
	unsigned bits;
	const uint8_t *octets = octets_of(addr, &bits);

	return !memcmp(octets, zeros, bits / 8);
}

int edge_network_parse(struct base_str text, struct edge_network *ret)
{
	const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
	struct base_str ip = { text.ptr, slash ? (size_t)(slash - text.ptr) : text.len };
	struct edge_network made = { 0 };
	unsigned most;
	uint64_t bits;

	if (stream_addr_ip(&made.addr, ip, 0))
		return BASE_ERR(BASE_CONFIG, 0);
	(void)octets_of(&made.addr, &most);
	bits = most;
	if (slash &&
	    base_str_u64((struct base_str){ slash + 1, text.len - ip.len - 1 }, most, &bits))
		return BASE_ERR(BASE_CONFIG, 0);
	made.bits = (unsigned)bits;
	*ret = made;
	return 0;
}

bool edge_network_has(const struct edge_network *network, const union stream_addr *addr)
{
	unsigned bits, most;
	const uint8_t *a = octets_of(&network->addr, &bits), *b = octets_of(addr, &most);
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (network->addr.sa.sa_family != addr->sa.sa_family)
		return false;
	if (memcmp(a, b, whole) != 0)
		return false;
	return !rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}
