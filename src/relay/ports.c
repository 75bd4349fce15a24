/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports that nobody named. The kernel would choose one; but it looks from a random place on for one
 * of half of its range, one after the other: with 14,000 of 28,000 taken each costs 1 ms and more,
 * and it has to be asked which one it was. So we try some of that range at random, which also is
 * what makes them hard to guess (RFC 6056, 3.3.1), and leave it to the kernel when it gets crowded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/socket.h"

#define TRIES    12 /* where nine of ten are taken, three of ten times none is free */

#define RANGE    "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* The first line of a small file; "" when there is none. */
static const char *line_of(const char *path, char *line, int cap)
{
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f && !fgets(line, cap, f))
		line[0] = '\0';
	if (f)
		(void)fclose(f); /* only read */
	return line;
}

void relay_ports_init(struct relay_ports *ports)
{
	unsigned long min, max;
	char line[64], *end;

	memset(ports, 0, sizeof(*ports));
	/* Ports that it gives nobody: then it has to choose. */
	if (line_of(RESERVED, line, sizeof(line))[strspn(line, " \n")])
		return;
	min = strtoul(line_of(RANGE, line, sizeof(line)), &end, 10);
	max = strtoul(end, NULL, 10);
	if (min < 1 || min > max || max > 65535)
		return;
	ports->min = (uint16_t)min;
	ports->count = (uint32_t)(max - min + 1);
}

/* 0 = the kernel's choice. */
static uint16_t pick(struct relay_ports *ports)
{
	if (!ports->left) {
		if (base_random(ports->random, sizeof(ports->random)))
			return 0;
		ports->left = BASE_COUNT(ports->random);
	}
	return (uint16_t)(ports->min + ports->random[--ports->left] % ports->count);
}

uint16_t relay_ports_even(struct relay_ports *ports)
{
	uint16_t port = ports && ports->count > 1 ? pick(ports) & (uint16_t)~1U : 0;

	return port < (ports ? ports->min : 0) ? 0 : port;
}

int relay_ports_bind(struct relay_ports *ports, int fd, union relay_address *local)
{
	union relay_address try = *local;
	in_port_t *port = local->family == AF_INET6 ? &try.in6.sin6_port : &try.in.sin_port;

	for (unsigned i = 0; ports && ports->count && i < TRIES; i++) {
		*port = htons(pick(ports));
		if (!*port)
			break;
		if (bind(fd, &try.sa, relay_address_len(&try)) == 0) {
			*local = try;
			return 0;
		}
		if (errno != EADDRINUSE && errno != EACCES)
			return -1;
	}
	return bind(fd, &local->sa, relay_address_len(local));
}
