/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that nobody named (src/relay/ports.c). */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "relay/socket.h"

static union relay_address loopback(uint16_t port)
{
	union relay_address a = { .family = AF_UNSPEC };

	a.in.sin_family = AF_INET;
	a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.in.sin_port = htons(port);
	return a;
}

static uint16_t port_of(int fd)
{
	union relay_address a;

	assert_int_equal(relay_socket_name(fd, &a), 0);
	return ntohs(relay_address_port(&a));
}

static int taken(uint16_t *ret_port)
{
	union relay_address a = loopback(0);
	int fd;

	assert_int_equal(relay_socket_listen(&a, NULL, 1, false, &fd), 0);
	*ret_port = port_of(fd);
	return fd;
}

static void the_range_is_the_kernels(void **state)
{
	struct relay_ports ports;
	union relay_address a = loopback(0);
	int fd;

	(void)state;
	relay_ports_init(&ports);
	assert_int_equal(relay_socket_listen(&a, &ports, 1, false, &fd), 0);
	if (ports.count) { /* else ports are reserved here, or nothing is said of the range */
		assert_in_range(port_of(fd), ports.min, ports.min + ports.count - 1);
		assert_int_equal(ntohs(relay_address_port(&a)), port_of(fd)); /* known unasked */
	}
	close(fd);
}

/* Without SO_REUSEADDR: nobody gets a port that another one only holds. */
static void a_port_that_is_held_is_nobody_elses(void **state)
{
	struct relay_ports ports = { .count = 1 };
	union relay_address a = loopback(0), b = loopback(0);
	int client, server;

	(void)state;
	server = taken(&ports.min);
	close(server);
	assert_int_equal(relay_socket_client(AF_INET, &a, &ports, &client), 0);
	assert_int_equal(relay_socket_listen(&b, &ports, 1, false, &server), 0);
	assert_int_not_equal(port_of(client), port_of(server));
	close(client);
	close(server);
}

static void the_kernel_finds_one_where_it_is_crowded(void **state)
{
	struct relay_ports ports = { .count = 1 };
	union relay_address a = loopback(0);
	int other = taken(&ports.min), fd;

	(void)state;
	assert_int_equal(relay_socket_listen(&a, &ports, 1, false, &fd), 0);
	assert_int_equal(relay_address_port(&a), 0); /* to be asked for */
	assert_int_not_equal(port_of(fd), ports.min);
	close(fd);
	close(other);
}

static void what_else_fails_is_told(void **state)
{
	struct relay_ports ports;
	union relay_address a = loopback(0);
	int fd = -1;

	(void)state;
	relay_ports_init(&ports);
	a.in.sin_addr.s_addr = htonl(0xc6336407); /* 198.51.100.7 is none of ours */
	assert_int_equal(base_err_detail(relay_socket_listen(&a, &ports, 1, false, &fd)),
	                 EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_range_is_the_kernels),
		cmocka_unit_test(a_port_that_is_held_is_nobody_elses),
		cmocka_unit_test(the_kernel_finds_one_where_it_is_crowded),
		cmocka_unit_test(what_else_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
