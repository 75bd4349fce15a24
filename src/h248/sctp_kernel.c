/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCTP by the kernel (RFC 6458 as Linux has it), without libsctp: its calls are socket options. It
 * encapsulates in UDP only when the operator has told the kernel to (sysctl net.sctp.udp_port).
 */
#include "h248/sctp.h"

#ifndef GH_KERNEL_SCTP

const struct sctp_backend *const transport_sctp_kernel = NULL;

#else

#include <errno.h>
#include <linux/sctp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kernel_socket {
	int fd;
};

static void kernel_close(void *arg)
{
	struct kernel_socket *s = arg;

	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static int set(const struct kernel_socket *s, int option, const void *value, socklen_t len)
{
	return setsockopt(s->fd, IPPROTO_SCTP, option, value, len) < 0 ? errno : 0;
}

static int events_on(const struct kernel_socket *s)
{
	static const uint16_t types[] = { SCTP_ASSOC_CHANGE, SCTP_PEER_ADDR_CHANGE };
	int no = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !no; i++) {
		struct sctp_event e = { .se_assoc_id = SCTP_FUTURE_ASSOC,
			                .se_type = types[i],
			                .se_on = 1 };

		no = set(s, SCTP_EVENT, &e, sizeof(e));
	}
	return no;
}

static int timers_set(const struct kernel_socket *s)
{
	struct sctp_rtoinfo rto = { .srto_initial = SCTP_RTO_INITIAL,
		                    .srto_max = SCTP_RTO_MAX,
		                    .srto_min = SCTP_RTO_MIN };
	struct sctp_assocparams assoc = { .sasoc_asocmaxrxt = SCTP_ASSOC_RETRANS };
	struct sctp_paddrparams path = { .spp_hbinterval = SCTP_HEARTBEAT_MS,
		                         .spp_pathmaxrxt = SCTP_PATH_RETRANS,
		                         .spp_flags = SPP_HB_ENABLE };
	struct sctp_initmsg init = { .sinit_num_ostreams = 1,
		                     .sinit_max_instreams = 16,
		                     .sinit_max_attempts = SCTP_INIT_TRIES,
		                     .sinit_max_init_timeo = SCTP_RTO_MAX };
	int no = set(s, SCTP_RTOINFO, &rto, sizeof(rto));

	if (!no)
		no = set(s, SCTP_ASSOCINFO, &assoc, sizeof(assoc));
	if (!no)
		no = set(s, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
	return no ? no : set(s, SCTP_INITMSG, &init, sizeof(init));
}

static int kernel_open(void **ret, int family, const struct sctp_setup *setup)
{
	struct kernel_socket *s = calloc(1, sizeof(*s));
	int one = 1, buffer = (int)setup->send_buffer, no = 0;

	if (!s)
		return ENOMEM;
	s->fd = socket(family, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (s->fd < 0)
		no = errno;
	if (!no && (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) < 0 ||
	            (family == AF_INET6 &&
	             setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)))
		no = errno;
	if (!no)
		no = set(s, SCTP_NODELAY, &one, sizeof(one));
	if (!no)
		no = set(s, SCTP_RECVRCVINFO, &one, sizeof(one));
	if (!no)
		no = set(s, SCTP_FRAGMENT_INTERLEAVE, &one, sizeof(one));
	if (!no)
		no = events_on(s);
	if (!no)
		no = timers_set(s);
	if (no)
		kernel_close(s);
	else
		*ret = s;
	return no;
}

static int kernel_fd(const void *s)
{
	return ((const struct kernel_socket *)s)->fd;
}

static int kernel_bind(void *arg, const struct sockaddr *sa, socklen_t len, bool more)
{
	struct kernel_socket *s = arg;

	if (more)
		return set(s, SCTP_SOCKOPT_BINDX_ADD, sa, len);
	return bind(s->fd, sa, len) < 0 ? errno : 0;
}

static int kernel_listen(void *s)
{
	return listen(((struct kernel_socket *)s)->fd, SOMAXCONN) < 0 ? errno : 0;
}

static int kernel_port(void *arg, in_port_t *ret)
{
	struct kernel_socket *s = arg;
	struct sockaddr_in6 sa = { .sin6_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	if (getsockname(s->fd, (struct sockaddr *)&sa, &len) < 0)
		return errno;
	*ret = sa.sin6_port; /* at the same place for IPv4 */
	return 0;
}

static int kernel_connect(void *arg, const struct sockaddr *sa, socklen_t len, uint32_t *ret_assoc)
{
	struct kernel_socket *s = arg;
	struct sockaddr_storage copy = { .ss_family = AF_UNSPEC };
	/* CONNECTX3 takes the length of the addresses in addr_num. */
	struct sctp_getaddrs_old param = { .addr_num = (int)len,
		                           .addrs = (struct sockaddr *)&copy };
	socklen_t size = sizeof(param);

	memcpy(&copy, sa, len);
	if (getsockopt(s->fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, &param, &size) < 0 &&
	    errno != EINPROGRESS)
		return errno;
	*ret_assoc = (uint32_t)param.assoc_id;
	return 0;
}

static bool proven(const struct kernel_socket *s, uint32_t assoc, const void *sa, socklen_t sa_len)
{
	struct sctp_paddrinfo info = { .spinfo_assoc_id = (sctp_assoc_t)assoc };
	socklen_t len = sizeof(info);

	memcpy(&info.spinfo_address, sa, sa_len);
	return getsockopt(s->fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info, &len) == 0 &&
	       info.spinfo_state != SCTP_UNCONFIRMED;
}

static int kernel_peer(void *arg, uint32_t assoc, struct sockaddr_storage *ret)
{
	struct kernel_socket *s = arg;
	union {
		struct sctp_getaddrs head;
		uint8_t room[4096];
	} list = { .head = { .assoc_id = (sctp_assoc_t)assoc } };
	socklen_t size = sizeof(list);
	const uint8_t *at;

	if (getsockopt(s->fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDRS, &list, &size) < 0)
		return errno;
	at = list.head.addrs;
	for (uint32_t i = 0; i < list.head.addr_num; i++) {
		size = ((const struct sockaddr *)at)->sa_family == AF_INET
		               ? sizeof(struct sockaddr_in)
		               : sizeof(struct sockaddr_in6);
		if (proven(s, assoc, at, size)) {
			memcpy(ret, at, size);
			return 0;
		}
		at += size;
	}
	return EINVAL;
}

static int message_send(const struct kernel_socket *s, uint32_t assoc, unsigned flags,
                        const void *data, size_t len)
{
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(sizeof(struct sctp_sndinfo))];
	} control;
	struct sctp_sndinfo info = { .snd_flags = (uint16_t)flags,
		                     .snd_ppid = htonl(SCTP_PPID_H248),
		                     .snd_assoc_id = (sctp_assoc_t)assoc };
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = data ? 1 : 0,
		              .msg_control = &control,
		              .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	memset(&control, 0, sizeof(control));
	c->cmsg_level = IPPROTO_SCTP;
	c->cmsg_type = SCTP_SNDINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	if (sendmsg(s->fd, &msg, MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? EAGAIN : errno;
}

static int kernel_send(void *s, uint32_t assoc, const void *data, size_t len)
{
	return message_send(s, assoc, 0, data, len);
}

static void kernel_end(void *s, uint32_t assoc, bool abort)
{
	/* It may have gone already. */
	(void)message_send(s, assoc, abort ? SCTP_ABORT : SCTP_EOF, NULL, 0);
}

static void assoc_seen(const struct sctp_assoc_change *c, struct sctp_seen *ret)
{
	ret->assoc = (uint32_t)c->sac_assoc_id;
	ret->restarted = c->sac_state == SCTP_RESTART;
	if (c->sac_state == SCTP_COMM_UP || c->sac_state == SCTP_RESTART) {
		ret->sight = SEEN_UP;
		return;
	}
	ret->sight = SEEN_DOWN;
	ret->why = c->sac_state == SCTP_COMM_LOST       ? "aborted by the peer, or out of reach"
	           : c->sac_state == SCTP_SHUTDOWN_COMP ? "closed by the peer"
	                                                : "the association could not be set up";
}

static void notice(const void *data, size_t len, struct sctp_seen *ret)
{
	const union sctp_notification *n = data;

	if (len < sizeof(n->sn_header) || n->sn_header.sn_length > len)
		return;
	if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE) {
		assoc_seen(&n->sn_assoc_change, ret);
	} else if (n->sn_header.sn_type == SCTP_PEER_ADDR_CHANGE) {
		ret->assoc = (uint32_t)n->sn_paddr_change.spc_assoc_id;
		if (n->sn_paddr_change.spc_state == SCTP_ADDR_UNREACHABLE)
			ret->sight = SEEN_PATH_DOWN;
		else if (n->sn_paddr_change.spc_state == SCTP_ADDR_AVAILABLE)
			ret->sight = SEEN_PATH_UP;
	}
}

static void info_read(struct msghdr *msg, struct sctp_seen *ret)
{
	struct sctp_rcvinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		ret->sight = SEEN_DATA;
		ret->assoc = (uint32_t)info.rcv_assoc_id;
		ret->ppid = ntohl(info.rcv_ppid);
	}
}

static int kernel_recv(void *arg, void *buf, size_t cap, struct sctp_seen *ret)
{
	struct kernel_socket *s = arg;
	union {
		struct cmsghdr align;
		uint8_t room[256];
	} control;
	struct iovec iov = { buf, cap };
	struct msghdr msg = { .msg_iov = &iov,
		              .msg_iovlen = 1,
		              .msg_control = &control,
		              .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->fd, &msg, 0);

	if (n < 0)
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	*ret = (struct sctp_seen){ .sight = SEEN_NOTHING, .len = (size_t)n };
	if (msg.msg_flags & MSG_NOTIFICATION)
		notice(buf, (size_t)n, ret);
	else if (n > 0)
		info_read(&msg, ret);
	ret->last = msg.msg_flags & MSG_EOR;
	return 0;
}

static const struct sctp_backend kernel = {
	.name = "kernel",
	.open = kernel_open,
	.fd = kernel_fd,
	.bind = kernel_bind,
	.listen = kernel_listen,
	.port = kernel_port,
	.connect = kernel_connect,
	.peer = kernel_peer,
	.send = kernel_send,
	.end = kernel_end,
	.recv = kernel_recv,
	.close = kernel_close,
};

const struct sctp_backend *const transport_sctp_kernel = &kernel;

#endif
