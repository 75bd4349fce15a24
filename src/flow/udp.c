/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h> /* wants struct timespec */

#include "flow/private.h"

/* Datagrams of one socket before others get their turn. */
#define BURST 64

static void on_more(void *arg);

/* ---- flows of datagrams ---- */

/* Who has been silent longest is forgotten first. */
static void make_room(struct flows *flows)
{
	struct flow *f = BASE_CONTAINER_OF(flows->datagrams.next, struct flow, node);
	uint64_t id;

	if (flows->datagram_count < flows->config.flows_max)
		return;
	id = f->known ? f->id : 0;
	flow_drop(f);
	if (id && flows->ops.on_forgotten)
		flows->ops.on_forgotten(flows->ops.arg, id);
}

static void touch(struct flow *f)
{
	base_list_remove(&f->node);
	base_list_append(&f->flows->datagrams, &f->node);
}

void flow_udp_heard(struct flow *f)
{
	touch(f);
	flow_heard(f);
}

static struct flow *flow_at(struct flow_socket *socket, const union stream_addr *remote)
{
	struct flows *flows = socket->flows;
	struct flow *f = flow_peer(flows, FLOW_UDP, socket->number, remote, NULL);

	if (f) {
		touch(f);
		return f;
	}
	make_room(flows);
	if (flow_new(&f, flows, FLOW_UDP, socket->number, remote, NULL))
		return NULL;
	f->socket = socket;
	return f;
}

int flow_udp_to(struct flows *flows, const union stream_addr *remote, struct flow **ret)
{
	union stream_addr any = { .sa = { .sa_family = remote->sa.sa_family } };
	struct flow_socket *found = NULL;
	int rc = 0;

	for (int i = 0; i < 2 && !found && !rc; i++) {
		BASE_LIST_EACH(&flows->sockets, node, after)
		{
			struct flow_socket *s = BASE_CONTAINER_OF(node, struct flow_socket, node);

			if (!found && s->local.sa.sa_family == remote->sa.sa_family)
				found = s;
		}
		if (!found)
			rc = flow_udp_open(flows, &any, NULL);
	}
	*ret = found ? flow_at(found, remote) : NULL;
	return *ret ? 0 : BASE_ERR(BASE_LOCAL, ENOBUFS);
}

/* ---- sending ---- */

/* Does the first Via, which stands in the first line behind the status as nearly everybody writes
 * it, plainly ask for rport? To read all of the message costs more than to send it. */
static bool rport_asked(struct base_str octets)
{
	const char *line = memchr(octets.ptr, '\n', octets.len), *end, *comma;
	size_t left;

	if (!line)
		return false;
	left = octets.len - (size_t)(++line - octets.ptr);
	if (left < 4 || memcmp(line, "Via:", 4) != 0)
		return false;
	end = memchr(line, '\n', left);
	left = end ? (size_t)(end - line) : 0;
	comma = memchr(line, ',', left);
	left = comma ? (size_t)(comma - line) : left;
	end = line + left;
	line = memmem(line, left, ";rport", 6);
	return line && line + 6 < end && (line[6] == '=' || line[6] == ';' || line[6] == '\r') &&
	       !memchr(line, '"', (size_t)(end - line));
}

/* 18.2.2 and RFC 3581, 4: to where it came from, but to the port of sent-by unless `rport` asks for
 * the one it came from. A `maddr` is not followed: anybody could point it at anybody. */
static void response_port(union stream_addr *to, struct base_str octets)
{
	struct base_arena arena = { 0 };
	struct sip_message msg;
	uint16_t port;

	if (octets.len > 8 && memcmp(octets.ptr, "SIP/2.0 ", 8) == 0 && !rport_asked(octets) &&
	    !sip_message_parse(&msg, &arena, octets, false) && msg.via.host.len &&
	    !sip_param_find(msg.via.params, "rport", NULL)) {
		port = htons(msg.via.port ? msg.via.port : 5060);
		if (to->sa.sa_family == AF_INET)
			to->in.sin_port = port;
		else
			to->in6.sin6_port = port;
	}
	base_arena_done(&arena);
}

int flow_udp_send(struct flow *f, struct base_str octets)
{
	union stream_addr to = f->remote;
	ssize_t n = -1;

	touch(f);
	response_port(&to, octets);
	/* An ICMP error about an earlier one may be told here instead: once more, then. */
	for (int i = 0; i < 3 && n < 0; i++) {
		n = sendto(f->socket->w.fd, octets.ptr, octets.len, MSG_NOSIGNAL, &to.sa,
		           stream_addr_len(&to));
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			return 0; /* lost, as datagrams are: it is repeated */
	}
	return n < 0 ? BASE_ERR(BASE_LOCAL, errno) : 0;
}

/* ---- receiving ---- */

/* Keep-alives of who knows no better. */
static bool blank(const uint8_t *data, size_t len)
{
	return len <= 4 && (!len || memchr("\r\n", data[0], 3)); /* NUL too */
}

static void take(struct flow_socket *socket, const union stream_addr *from, const uint8_t *data,
                 size_t len)
{
	const struct base_str octets = { (const char *)data, len };
	struct flows *flows = socket->flows;
	struct flow *f;

	if (!flow_is_sip(octets)) {
		if (!flow_stun_take(socket, from, octets))
			flows->count.strays += !blank(data, len);
		return;
	}
	f = flow_at(socket, from);
	if (!f)
		return;
	f->busy = true;
	flow_heard(f);
	flow_message(f, octets);
	f->busy = false;
	if (f->dead)
		flow_drop(f);
}

/* 18.4: the network says that nobody is there. */
static void read_errors(struct flow_socket *socket)
{
	for (int i = 0; i < BURST; i++) {
		union stream_addr to;
		uint8_t control[512], octet;
		struct iovec iov = { &octet, 1 };
		struct msghdr msg = { .msg_name = &to,
			              .msg_namelen = sizeof(to),
			              .msg_iov = &iov,
			              .msg_iovlen = 1,
			              .msg_control = control,
			              .msg_controllen = sizeof(control) };
		struct flow *f;

		memset(&to, 0, sizeof(to));
		if (recvmsg(socket->w.fd, &msg, MSG_ERRQUEUE) < 0)
			return;
		f = flow_peer(socket->flows, FLOW_UDP, socket->number, &to, NULL);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c && f; c = CMSG_NXTHDR(&msg, c)) {
			struct sock_extended_err ee;

			if (c->cmsg_len < CMSG_LEN(sizeof(ee)))
				continue;
			memcpy(&ee, CMSG_DATA(c), sizeof(ee));
			if (ee.ee_errno != EMSGSIZE) {
				flow_lost(f, strerror((int)ee.ee_errno));
				f = NULL;
			}
		}
	}
}

/* All that waits in one call, as far as there is room. @return how many, -1: none, errno says why
 */
static int read_batch(struct flow_socket *socket, struct mmsghdr batch[FLOW_BATCH],
                      union stream_addr from[FLOW_BATCH])
{
	struct iovec iov[FLOW_BATCH];

	memset(batch, 0, FLOW_BATCH * sizeof(*batch));
	memset(from, 0, FLOW_BATCH * sizeof(*from));
	for (size_t i = 0; i < FLOW_BATCH; i++) {
		iov[i] = (struct iovec){ socket->flows->buffer + i * SIP_MESSAGE_OCTETS_MAX,
			                 SIP_MESSAGE_OCTETS_MAX };
		batch[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
			                            .msg_namelen = sizeof(from[i]),
			                            .msg_iov = &iov[i],
			                            .msg_iovlen = 1 };
	}
	return recvmmsg(socket->w.fd, batch, FLOW_BATCH, MSG_DONTWAIT, NULL);
}

/* Fewer than there is room for are all there are, unless an error has ended the batch, which comes
 * with an event of its own: then `until_none`. */
static void receive(struct flow_socket *socket, bool until_none)
{
	union stream_addr from[FLOW_BATCH];
	struct mmsghdr batch[FLOW_BATCH];

	for (int i = 0; i < BURST; i += FLOW_BATCH) {
		int n = read_batch(socket, batch, from);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		for (int k = 0; k < n; k++)
			take(socket, &from[k],
			     socket->flows->buffer + (size_t)k * SIP_MESSAGE_OCTETS_MAX,
			     batch[k].msg_len);
		/* other errors are those of one datagram: read_errors has them */
		if (n >= 0 && n < FLOW_BATCH && !until_none)
			return;
	}
	loop_defer(socket->flows->loop, &socket->more, on_more, socket);
}

static void on_more(void *arg)
{
	receive(arg, true);
}

static void on_event(void *arg, unsigned events)
{
	struct flow_socket *socket = arg;

	if (events & LOOP_ERROR)
		read_errors(socket);
	if (events & (LOOP_READABLE | LOOP_ERROR))
		receive(socket, events & LOOP_ERROR);
}

/* ---- sockets ---- */

static int bind_at(union stream_addr *local)
{
	bool v6 = local->sa.sa_family == AF_INET6;
	int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*local);
	int one = 1, no;

	if (fd < 0)
		return -1;
	if (v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	/* Without it nobody tells that nobody is there; the transactions find out in 32 s. */
	(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &one,
	                 sizeof(one));
	if (bind(fd, &local->sa, stream_addr_len(local)) == 0 &&
	    getsockname(fd, &local->sa, &len) == 0)
		return fd;
	no = errno;
	close(fd);
	errno = no;
	return -1;
}

int flow_udp_open(struct flows *flows, union stream_addr *local, struct base_error *err)
{
	struct flow_socket *s = calloc(1, sizeof(*s));
	char text[STREAM_ADDR_TEXT];
	int no = ENOMEM;

	if (s) {
		s->flows = flows;
		s->number = ++flows->last_id;
		s->w = (struct loop_fd){ bind_at(local), on_event, s };
		no = s->w.fd < 0 ? errno : (int)base_err_detail(loop_fd_start(flows->loop, &s->w));
	}
	if (no) {
		if (s && s->w.fd >= 0)
			close(s->w.fd);
		free(s);
		return base_error_set(err, BASE_ERR(BASE_CONFIG, no),
		                      "cannot receive at udp %s: %s",
		                      stream_addr_format(local, text, sizeof(text)), strerror(no));
	}
	s->local = *local;
	base_list_append(&flows->sockets, &s->node);
	return 0;
}

void flow_udp_close(struct flow_socket *socket)
{
	loop_fd_close(socket->flows->loop, &socket->w);
	loop_defer_stop(socket->flows->loop, &socket->more);
	base_list_remove(&socket->node);
	free(socket);
}
