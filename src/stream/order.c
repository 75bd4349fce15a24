/* SPDX-License-Identifier: Apache-2.0 */
/* Orders through a Unix socket. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream/stream.h"

#define CLIENTS    8
#define PATIENCE_S 10

struct stream_orders {
	struct stream_listener *listener;
	stream_order_fn *fn;
	void *arg;
};

/* ---- the program's side ---- */

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct stream_orders *orders = arg;
	struct base_writer out = { .wipe = true };
	const char *end = memchr(data.ptr, '\n', data.len);

	if (!end && data.len <= STREAM_ORDER_MAX)
		return 0;
	if (end) {
		orders->fn(orders->arg, (struct base_str){ data.ptr, (size_t)(end - data.ptr) },
		           &out);
		(void)stream_write(stream, out.data, out.len); /* else it hears of no end */
	}
	base_writer_done(&out);
	stream_release(stream); /* what comes after one order is heard by nobody */
	return data.len;
}

static void on_end(void *arg, struct stream *stream, const struct stream_end *end)
{
	(void)arg;
	(void)end;
	stream_free(stream);
}

static bool on_accept(void *arg, struct stream *stream, struct stream_spec *ret)
{
	(void)stream;
	*ret = (struct stream_spec){ .ops = { .on_data = on_data, .on_end = on_end, .arg = arg },
		                     .idle_ms = PATIENCE_S * 1000,
		                     .output_max = 64U << 20 };
	return true;
}

int stream_orders_new(struct stream_orders **ret, struct streams *streams, const char *path,
                      stream_order_fn *fn, void *arg, struct base_error *err)
{
	struct stream_orders *orders = calloc(1, sizeof(*orders));
	union stream_addr at = { .un = { .sun_family = AF_UNIX } };
	const struct stream_listen_spec spec = {
		.fn = on_accept, .arg = orders, .conns_max = CLIENTS, .mode = 0600
	};
	int rc;

	if (!orders)
		return BASE_ERR(BASE_LOCAL, 0);
	orders->fn = fn;
	orders->arg = arg;
	(void)snprintf(at.un.sun_path, sizeof(at.un.sun_path), "%s", path); /* it was measured */
	rc = stream_listen(&orders->listener, streams, &at, &spec, err);
	if (rc)
		free(orders);
	else
		*ret = orders;
	return rc;
}

void stream_orders_free(struct stream_orders *orders)
{
	if (!orders)
		return;
	stream_listener_free(orders->listener);
	free(orders);
}

/* ---- the tool's side ---- */

static int failed(const char *path, struct base_error *err)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return BASE_ERR(BASE_AGAIN, 0);
	return base_error_set(err, BASE_ERR(errno == EACCES ? BASE_CONFIG : BASE_LOCAL, errno),
	                      "%s: %s%s", path, strerror(errno),
	                      errno == EACCES ? ": only its own user may ask it" : "");
}

static bool send_all(int fd, struct base_str text)
{
	while (text.len) {
		ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text.ptr += n;
		text.len -= (size_t)n;
	}
	return true;
}

/* A receive with a deadline is interrupted by SIGCONT, without any handler (signal(7)). */
static ssize_t receive(int fd, char *to, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, to, size, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

int stream_order_give(const char *path, struct base_str line, struct base_writer *answer,
                      struct base_error *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char part[4096];
	ssize_t n = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	               sizeof(patience)) || /* a full queue */
	    connect(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    !send_all(fd, line))
		rc = failed(path, err);
	while (!rc && (n = receive(fd, part, sizeof(part))) > 0)
		base_writer_put(answer, part, (size_t)n);
	if (!rc && (n < 0 || answer->failed || !answer->len))
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, errno), "%s: no whole answer came",
		                    path);
	if (fd >= 0)
		(void)close(fd); /* it has been read to its end */
	return rc;
}

struct base_str stream_order_word(struct base_str *line)
{
	const char *blank;
	struct base_str word;

	while (line->len && *line->ptr == ' ') {
		line->ptr++;
		line->len--;
	}
	blank = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
	word = (struct base_str){ line->ptr, blank ? (size_t)(blank - line->ptr) : line->len };
	line->ptr += word.len;
	line->len -= word.len;
	return word;
}
