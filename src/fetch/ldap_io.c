/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fetch/ldap_resolve.h"

int64_t fetch_ldap_clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool wait_for(struct fetch_ldap_io *io, short events)
{
	for (;;) {
		int64_t left = io->deadline_ms - fetch_ldap_clock_ms();
		struct pollfd p = { .fd = io->fd, .events = events };
		int n = left > 0 ? poll(&p, 1, (int)BASE_MIN(left, INT32_MAX)) : 0;

		if (n > 0)
			return true;
		if (n < 0 && errno == EINTR)
			continue;
		io->why = "it took too long";
		errno = ETIMEDOUT;
		return false;
	}
}

bool fetch_ldap_io_wait(struct fetch_ldap_io *io)
{
	return wait_for(io, POLLIN);
}

/* @return 0 or an errno */
static int connect_one(struct fetch_ldap_io *io, const struct addrinfo *to)
{
	int on = 1, failed = 0;
	socklen_t size = sizeof(failed);

	io->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (io->fd < 0)
		return errno;
	/* requests are small and wait for their answers; without it they are only slower */
	(void)setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!connect(io->fd, to->ai_addr, to->ai_addrlen))
		return 0;
	if (errno != EINPROGRESS)
		failed = errno;
	else if (!wait_for(io, POLLOUT))
		failed = ETIMEDOUT;
	else if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &failed, &size))
		failed = errno;
	if (failed)
		fetch_ldap_io_done(io);
	return failed;
}

int fetch_ldap_io_connect(struct fetch_ldap_io *io, const struct fetch_url *at,
                          struct base_error *err)
{
	struct addrinfo *list = NULL;
	int failed = EADDRNOTAVAIL;
	int rc = fetch_ldap_resolve(at, io->deadline_ms, &list, err);

	io->fd = -1;
	if (rc)
		return rc;
	for (struct addrinfo *one = list; one && failed && failed != ETIMEDOUT; one = one->ai_next)
		failed = connect_one(io, one);
	freeaddrinfo(list);
	if (failed)
		return base_error_set(err, BASE_ERR(BASE_PEER, failed), "%s port %u: %s", at->host,
		                      at->port, strerror(failed));
	return 0;
}

void fetch_ldap_io_done(struct fetch_ldap_io *io)
{
	if (io->fd > 0)
		(void)close(io->fd); /* nothing was promised of what is not sent */
	io->fd = -1;
}

static int io_setup(Sockbuf_IO_Desc *desc, void *arg)
{
	desc->sbiod_pvt = arg;
	return 0;
}

/* The descriptor is ours and closed by us. */
static int io_remove(Sockbuf_IO_Desc *desc)
{
	desc->sbiod_pvt = NULL;
	return 0;
}

static int io_close(Sockbuf_IO_Desc *desc)
{
	(void)desc;
	return 0;
}

static int io_ctrl(Sockbuf_IO_Desc *desc, int opt, void *arg)
{
	(void)desc;
	(void)opt;
	(void)arg;
	return 0; /* nothing is buffered here, and no option is known */
}

static ber_slen_t io_read(Sockbuf_IO_Desc *desc, void *buf, ber_len_t len)
{
	struct fetch_ldap_io *io = desc->sbiod_pvt;

	for (;;) {
		ssize_t got = recv(io->fd, buf, BASE_MIN((size_t)len, io->left), 0);

		if (got > 0) {
			io->left -= (size_t)got;
			if (!io->left) {
				io->why = "more came than is allowed";
				errno = EFBIG;
				return -1;
			}
			return got;
		}
		if (got == 0)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return -1;
		if (errno == EAGAIN && !wait_for(io, POLLIN))
			return -1;
	}
}

static ber_slen_t io_write(Sockbuf_IO_Desc *desc, void *buf, ber_len_t len)
{
	struct fetch_ldap_io *io = desc->sbiod_pvt;

	for (;;) {
		ssize_t put = send(io->fd, buf, len, MSG_NOSIGNAL);

		if (put >= 0)
			return put;
		if (errno != EINTR && errno != EAGAIN)
			return -1;
		if (errno == EAGAIN && !wait_for(io, POLLOUT))
			return -1;
	}
}

/* ---- above TLS ---- */

static int watch_ctrl(Sockbuf_IO_Desc *desc, int opt, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(desc, opt, arg);
}

static ber_slen_t watch_read(Sockbuf_IO_Desc *desc, void *buf, ber_len_t len)
{
	struct fetch_ldap_io *io = desc->sbiod_pvt;
	ber_slen_t got = LBER_SBIOD_READ_NEXT(desc, buf, len);

	if (got <= 0)
		return got;
	switch (fetch_ldap_frame_take(&io->frame, buf, (size_t)got)) {
	case FETCH_LDAP_FRAME_OK:
		return got;
	case FETCH_LDAP_FRAME_GOODBYE:
		io->why = "the directory ends the session (RFC 4511, 4.4.1)";
		break;
	case FETCH_LDAP_FRAME_BAD:
		io->why = "what came is no LDAP";
		break;
	}
	errno = EPROTO;
	return -1;
}

static ber_slen_t watch_write(Sockbuf_IO_Desc *desc, void *buf, ber_len_t len)
{
	return LBER_SBIOD_WRITE_NEXT(desc, buf, len);
}

int fetch_ldap_io_attach(struct fetch_ldap_io *io, Sockbuf *sb)
{
	/* liblber changes nothing in them, but does not say so */
	static Sockbuf_IO below = { io_setup, io_remove, io_ctrl, io_read, io_write, io_close };
	static Sockbuf_IO watch = { io_setup,   io_remove,   watch_ctrl,
		                    watch_read, watch_write, io_close };

	if (ber_sockbuf_add_io(sb, &below, LBER_SBIOD_LEVEL_PROVIDER, io))
		return -1;
	return ber_sockbuf_add_io(sb, &watch, LBER_SBIOD_LEVEL_APPLICATION, io);
}
