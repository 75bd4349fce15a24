/* SPDX-License-Identifier: Apache-2.0 */
#include "transport_side.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void on_message(void *arg, const struct h248_addr *from, const void *data, size_t len)
{
	struct side *s = arg;

	s->from = *from;
	s->where = data;
	s->count++;
	s->total += len;
	if (s->got_len + len + 2 < sizeof(s->got)) {
		memcpy(s->got + s->got_len, data, len);
		s->got_len += len;
		s->got[s->got_len++] = '|';
	}
	if (s->echo)
		assert_int_equal(h248_transport_send(s->t, from, data, len), 0);
	if (s->close_at_once)
		h248_transport_close(s->t, from);
}

static void on_connected(void *arg, const struct h248_addr *conn)
{
	(void)conn;
	((struct side *)arg)->opened++;
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
	struct side *s = arg;

	assert_false(h248_transport_full(s->t, conn));
	s->drained++;
}

void side_new(struct side *s, struct loop *loop, const struct h248_transport_config *config)
{
	static const struct h248_transport_config none = { 0 };
	struct h248_transport_ops ops = { on_message, on_connected, on_closed, on_drained, s };

	*s = (struct side){ .loop = loop };
	assert_int_equal(h248_transport_new(&s->t, loop, config ? config : &none, &ops), 0);
}

bool side_listen(struct side *s, enum h248_transport_kind kind, const char *ip)
{
	struct base_error err = { 0 };

	assert_int_equal(h248_addr_parse(kind, base_str_of(ip), 0, &s->local), 0);
	if (h248_transport_listen(s->t, &s->local, &err) != 0) {
		print_message("%s\n", err.text);
		return false;
	}
	assert_int_not_equal(s->local.port, 0);
	return true;
}

int side_setup(void **state)
{
	return loop_new((struct loop **)state);
}

int side_teardown(void **state)
{
	loop_free(*state);
	return 0;
}

bool taken(int rc)
{
	return rc == 0 || base_err_class(rc) == BASE_AGAIN;
}

int raw_connect(const struct side *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(s->local.port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(fd, errno);
	assert_return_code(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), errno);
	return fd;
}

struct h248_addr target_of(const struct side *s)
{
	struct h248_addr to = s->local;

	to.conn = 0;
	return to;
}
