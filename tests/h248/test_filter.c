/* SPDX-License-Identifier: Apache-2.0 */
/* A filter between the octets of a connection and its frames (h248/filter.h). */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport_side.h"

/* ---- a filter: the first octet opens it, all others are one too high ---- */

struct thin {
	bool up;
};

static struct {
	bool leaks, refuses;
	unsigned freed;
	char why[128];
} thin_test;

static int thin_open(void *arg, const struct h248_addr *remote, bool server, void **ret,
                     struct base_error *err)
{
	struct thin *f = calloc(1, sizeof(*f));

	(void)arg;
	(void)server;
	assert_int_equal(remote->transport, H248_TLS);
	if (thin_test.refuses) {
		free(f);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no room");
	}
	*ret = f;
	return 0;
}

static int thin_input(void *filter, const void *data, size_t len, struct base_writer *clear,
                      struct base_writer *wire, struct base_error *err)
{
	struct thin *f = filter;
	const uint8_t *at = data;
	size_t i = 0;

	if (!len) /* a client begins */
		base_writer_u8(wire, '!');
	if (thin_test.leaks)
		base_writer_put(clear, "\3\0\0\6no", 6);
	if (!f->up && (!len || at[0] != '!'))
		return len ? base_error_set(err, BASE_ERR(BASE_PEER, 0), "not thin")
		           : BASE_ERR(BASE_AGAIN, 0);
	if (!f->up) {
		i = 1;
		if (thin_test.leaks)
			return BASE_ERR(BASE_AGAIN, 0);
		f->up = true;
		base_writer_u8(wire, '!');
	}
	for (; i < len; i++)
		if (at[i] != '!')
			base_writer_u8(clear, (uint8_t)(at[i] - 1));
	return 0;
}

static int thin_output(void *filter, const void *data, size_t len, struct base_writer *wire,
                       struct base_error *err)
{
	(void)err;
	assert_true(((struct thin *)filter)->up);
	for (size_t i = 0; i < len; i++)
		base_writer_u8(wire, (uint8_t)(((const uint8_t *)data)[i] + 1));
	return 0;
}

static void thin_close(void *filter, struct base_writer *wire)
{
	(void)filter;
	(void)wire;
}

static void thin_free(void *filter, const char *why)
{
	thin_test.freed++;
	snprintf(thin_test.why, sizeof(thin_test.why), "%s", why);
	free(filter);
}

static const struct h248_filter_ops thin_ops = { thin_open, thin_input, thin_output, thin_close,
	                                         thin_free };
static const struct h248_transport_config thin_config = { .filter = &thin_ops };

static void filter_stands_before_the_frames(void **state)
{
	struct loop *loop = *state;
	struct h248_addr to;
	struct side a, b;
	int fd;

	memset(&thin_test, 0, sizeof(thin_test));
	side_new(&b, loop, &thin_config);
	assert_true(side_listen(&b, H248_TLS, "127.0.0.1"));
	side_new(&a, loop, &thin_config);
	to = target_of(&b);
	assert_int_equal(h248_transport_send(a.t, &to, "abc", 3), 0);
	UNTIL(loop, b.count == 1);
	assert_string_equal(b.got, "abc|");
	h248_transport_close(a.t, &a.from);
	h248_transport_free(a.t);
	UNTIL(loop, b.closed == 1 && thin_test.freed == 2);

	fd = raw_connect(&b); /* in clear: it never was there */
	assert_int_equal(write(fd, "\3\0\0\5a", 5), 5);
	UNTIL(loop, thin_test.freed == 3);
	assert_string_equal(thin_test.why, "not thin");
	close(fd);

	thin_test.leaks = true; /* what a filter hands out before its time is thrown away */
	fd = raw_connect(&b);
	assert_int_equal(write(fd, "!\3\0\0\5a", 6), 6);
	close(fd);
	UNTIL(loop, thin_test.freed == 4);
	assert_string_equal(thin_test.why, "closed by the peer in the handshake");
	thin_test.leaks = false;
	thin_test.refuses = true;
	fd = raw_connect(&b);
	UNTIL(loop, h248_transport_conns(b.t) == 0);
	close(fd);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.opened, 1);
	assert_int_equal(b.closed, 1);
	h248_transport_free(b.t);

	side_new(&b, loop, NULL); /* without a filter there is no such transport */
	assert_int_equal(h248_addr_parse(H248_TLS, BASE_STR("127.0.0.1"), 0, &to), 0);
	assert_int_equal(base_err_class(h248_transport_listen(b.t, &to, NULL)), BASE_CONFIG);
	assert_false(taken(h248_transport_send(b.t, &to, "x", 1)));
	h248_transport_free(b.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(filter_stands_before_the_frames, side_setup,
		                                side_teardown),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
