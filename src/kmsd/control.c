/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS    8
#define PATIENCE_S 10

struct kmsd_control {
	struct stream_listener *listener;
	struct kms_store *store;
};

/* ---- the KMS's side ---- */

static size_t on_data(void *arg, struct stream *stream, struct base_str data)
{
	struct kmsd_control *control = arg;
	struct base_writer out = { .wipe = true };
	const char *end = memchr(data.ptr, '\n', data.len);
	struct base_str line = { data.ptr, end ? (size_t)(end - data.ptr) : 0 };

	if (!end && data.len <= KMSD_LINE_MAX)
		return 0;
	if (end) {
		struct base_str rest = line, verb = kmsd_word_take(&rest);
		bool done = kmsd_users_do(control->store, line, &out);

		base_log(BASE_LOG_INFO, "kms", "event=order order=%.*s: %s",
		         (int)BASE_MIN(verb.len, (size_t)20), verb.ptr ? verb.ptr : "",
		         done ? "done" : "not done");
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

int kmsd_control_new(struct kmsd_control **ret, struct streams *streams, const char *path,
                     struct kms_store *store, struct base_error *err)
{
	struct kmsd_control *control = calloc(1, sizeof(*control));
	union stream_addr at = { .un = { .sun_family = AF_UNIX } };
	const struct stream_listen_spec spec = {
		.fn = on_accept, .arg = control, .conns_max = CLIENTS, .mode = 0600
	};
	int rc;

	if (!control)
		return BASE_ERR(BASE_LOCAL, 0);
	control->store = store;
	(void)snprintf(at.un.sun_path, sizeof(at.un.sun_path), "%s", path); /* it was measured */
	rc = stream_listen(&control->listener, streams, &at, &spec, err);
	if (rc)
		free(control);
	else
		*ret = control;
	return rc;
}

void kmsd_control_free(struct kmsd_control *control)
{
	if (!control)
		return;
	stream_listener_free(control->listener);
	free(control);
}

/* ---- the tool's side ---- */

static int failed(const char *path, struct base_error *err)
{
	if (errno == ENOENT || errno == ECONNREFUSED)
		return BASE_ERR(BASE_AGAIN, 0);
	return base_error_set(err, BASE_ERR(errno == EACCES ? BASE_CONFIG : BASE_LOCAL, errno),
	                      "%s: %s%s", path, strerror(errno),
	                      errno == EACCES ? ": only the KMS's own user may ask it" : "");
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

int kmsd_control_ask(const char *path, struct base_str line, struct base_writer *answer,
                     struct base_error *err)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char part[4096];
	ssize_t n = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&at, sizeof(at)) || !send_all(fd, line))
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
