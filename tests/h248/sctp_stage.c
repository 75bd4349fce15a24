/* SPDX-License-Identifier: Apache-2.0 */
#include "sctp_stage.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum h248_sctp_backend backend;
uint16_t udp_port, remote_port;

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct side *s = arg;

	s->from = *from;
	s->count++;
	s->total += len;
	s->longest = BASE_MAX(s->longest, len);
	if (s->got_len + len + 2 < sizeof(s->got)) {
		memcpy(s->got + s->got_len, data, len);
		s->got_len += len;
		s->got[s->got_len++] = '|';
	}
	if (s->echo)
		(void)h248_transport_send(s->t, from, data, len);
	if (s->close_at_once)
		h248_transport_close(s->t, from);
}

static void on_connected(void *arg, const struct h248_addr *conn)
{
	struct side *s = arg;

	s->from = *conn;
	s->opened++;
}

static void on_closed(void *arg, const struct h248_addr *conn, const char *reason)
{
	struct side *s = arg;

	(void)conn;
	s->closed++;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static void on_drained(void *arg, const struct h248_addr *conn)
{
	(void)conn;
	((struct side *)arg)->drained++;
}

/* Usrsctp has one UDP port a process: the kernel's choice, once. */
uint16_t free_udp_port(void)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		sa.sin6_family = AF_INET;
		len = sizeof(struct sockaddr_in);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	assert_return_code(bind(fd, (struct sockaddr *)&sa, len), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)&sa, &len), errno);
	close(fd);
	return ntohs(sa.sin6_port); /* at the same place in both */
}

struct h248_transport_config config_of(const struct h248_transport_config *base)
{
	struct h248_transport_config config = base ? *base : (struct h248_transport_config){ 0 };

	config.sctp_backend = backend;
	config.sctp_udp_port = udp_port;
	config.sctp_udp_remote = remote_port ? remote_port : udp_port;
	return config;
}

void side_new(struct side *s, struct loop *loop, const struct h248_transport_config *base)
{
	struct h248_transport_config config = config_of(base);
	struct h248_transport_ops ops = { on_message, on_connected, on_closed, on_drained, s };

	*s = (struct side){ .loop = loop };
	assert_int_equal(h248_transport_new(&s->t, loop, &config, &ops), 0);
}

void side_listen_at(struct side *s, const char *ip)
{
	struct base_error err = { 0 };

	assert_int_equal(h248_addr_parse(H248_SCTP, base_str_of(ip), 0, &s->local), 0);
	if (h248_transport_listen(s->t, &s->local, &err) == 0)
		return;
	print_message("%s\n", err.text);
	h248_transport_free(s->t);
	skip();
}

void side_listen(struct side *s)
{
	side_listen_at(s, "127.0.0.1");
}

struct h248_addr target_of(const struct side *s)
{
	struct h248_addr to = s->local;

	to.conn = 0;
	return to;
}

struct h248_transport_counters counters(const struct side *s)
{
	struct h248_transport_counters c;

	h248_transport_counters(s->t, H248_SCTP, &c);
	return c;
}

bool taken(int rc)
{
	return rc == 0 || base_err_class(rc) == BASE_AGAIN;
}

int sctp_setup(void **state)
{
	return loop_new((struct loop **)state);
}

int sctp_teardown(void **state)
{
	loop_free(*state);
	return 0;
}

int sctp_use_kernel(void **state)
{
	(void)state;
	backend = H248_SCTP_KERNEL;
	return 0;
}

int sctp_use_library(void **state)
{
	(void)state;
	backend = H248_SCTP_USER;
	if (!udp_port)
		udp_port = free_udp_port();
	return 0;
}
