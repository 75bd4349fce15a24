/* SPDX-License-Identifier: Apache-2.0 */
#include "far.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void far_open(struct far *far, struct stage *stage, int fd, const struct tls_domain_spec *domain,
              const struct tls_session_spec *session)
{
	struct base_error err = { 0 };

	memset(far, 0, sizeof(*far));
	far->stage = stage;
	far->fd = fd;
	if (tls_domain_new(&far->domain, domain, &err) ||
	    tls_context_new(&far->context, far->domain, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_session_new(&far->session, far->context, session), 0);
}

void far_done(struct far *far)
{
	tls_session_free(far->session);
	tls_context_free(far->context);
	tls_domain_unref(far->domain);
	base_writer_done(&far->out);
	if (far->fd >= 0)
		close(far->fd);
}

static void turn(struct far *far)
{
	struct pollfd p = { .fd = far->fd, .events = POLLIN };

	assert_int_equal(loop_run_once(far->stage->control, 0), 0);
	(void)poll(&p, 1, 5);
}

/* Octets from the socket; 0 = FIN. */
static ssize_t receive(struct far *far, uint8_t *buf, size_t cap)
{
	for (unsigned i = 0; i < 4000; i++) {
		ssize_t n = recv(far->fd, buf, cap, 0);

		if (n >= 0 || errno != EAGAIN)
			return n;
		turn(far);
	}
	fail_msg("the far end waited in vain");
	return -1;
}

int far_shake(struct far *far)
{
	uint8_t buf[16384];
	struct tls_io io = { .out = &far->out };

	for (;;) {
		int rc = tls_session_handshake(far->session, &io);
		ssize_t n;

		far_flush(far);
		if (rc == 0 && base_reader_left(&io.in)) {
			assert_int_equal(tls_session_read(far->session, &io, far->clear,
			                                  sizeof(far->clear), &far->clear_len),
			                 0);
		}
		if (rc == 0 || base_err_class(rc) != BASE_AGAIN)
			return rc;
		n = receive(far, buf, sizeof(buf));
		if (n <= 0)
			return BASE_ERR(BASE_LOCAL, n < 0 ? errno : 0);
		io.in = base_reader_of(buf, (size_t)n);
	}
}

void far_put(struct far *far, const char *text)
{
	struct tls_io io = { .out = &far->out };

	assert_int_equal(tls_session_write(far->session, &io, (const uint8_t *)text, strlen(text)),
	                 0);
}

void far_flush(struct far *far)
{
	if (far->out.len)
		assert_int_equal(send(far->fd, far->out.data, far->out.len, MSG_NOSIGNAL),
		                 (int)far->out.len);
	base_writer_reset(&far->out);
}

/* One receive and what is in it. */
static void read_more(struct far *far)
{
	uint8_t buf[16384];
	ssize_t n = receive(far, buf, sizeof(buf));
	struct tls_io io = { .out = &far->out };
	size_t got;

	if (n <= 0) {
		far->fin = n == 0;
		far->result = BASE_ERR(BASE_LOCAL, n < 0 ? errno : 0);
		return;
	}
	io.in = base_reader_of(buf, (size_t)n);
	do {
		got = 0;
		far->result = tls_session_read(far->session, &io, far->clear + far->clear_len,
		                               sizeof(far->clear) - far->clear_len, &got);
		far->clear_len += got;
	} while (far->result == 0 && got);
	far->closed = far->result == 0;
	far_flush(far);
}

void far_expect(struct far *far, const char *text)
{
	size_t len = strlen(text);

	while (far->clear_len < len) {
		read_more(far);
		if (far->result && base_err_class(far->result) != BASE_AGAIN)
			fail_msg("the far end's session failed: %x", (unsigned)-far->result);
	}
	assert_memory_equal(far->clear, text, len);
	memmove(far->clear, far->clear + len, far->clear_len - len);
	far->clear_len -= len;
}

int far_read_end(struct far *far)
{
	do
		read_more(far);
	while (!far->closed && base_err_class(far->result) == BASE_AGAIN);
	return far->result;
}

/* ---- programs ---- */

static bool installed(const char *name)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path && *path) {
		size_t len = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, name);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

bool program_start(struct program *program, const char *const argv[])
{
	int fd[2];

	*program = (struct program){ .pid = -1, .fd = -1 };
	if (!installed(argv[0]))
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(fd[1], 0);
		dup2(fd[1], 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fd[1]);
	program->fd = fd[0];
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	return true;
}

void program_end(struct program *program)
{
	if (program->fd >= 0)
		close(program->fd);
	if (program->pid > 0) {
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	*program = (struct program){ .pid = -1, .fd = -1 };
}
