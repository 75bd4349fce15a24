/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCTP in UDP (RFC 6951) by usrsctp, for machines whose kernel has no SCTP. The one place of the
 * library with global state, because usrsctp has it: one UDP port a process, threads of its own,
 * and no way to end for certain. So:
 *
 *  1. It is started by the first socket and stays until the process ends; the UDP port is the
 *     first one's.
 *  2. Its threads touch nothing of ours but `bells`, under `lock`: they ring an eventfd that the
 *     owner's loop watches. All else happens on that loop's thread.
 *  3. usrsctp_close() of a socket with associations frees it twice at times: 0.9.5's receiving
 *     thread takes a reference while the last one is being dropped. So a socket of ours is closed
 *     once its associations are gone; until then it is one of `graves`.
 */
#include "h248/sctp.h"

#ifndef GH_USRSCTP

const struct sctp_backend *const transport_sctp_usr = NULL;

#else

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <usrsctp.h>

#define BELLS 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int bells[BELLS];      /* eventfd + 1; 0 = free */
static uint16_t started_port; /* 0 = not started */
static struct usr_socket *graves;

struct usr_socket {
	struct usr_socket *next; /* of graves */
	struct socket *so;
	int fd;
	size_t bell;
	struct sctp_setup setup;
};

/* ---- the process ---- */

static int port_free(int family, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int one = 1, no = 0, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return family == AF_INET6 ? 0 : errno; /* a machine without IPv6 */
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
	         family == AF_INET ? sizeof(in) : sizeof(in6)) < 0)
		no = errno;
	close(fd);
	return no;
}

/* usrsctp does not say whether it got its UDP port, so we ask first. */
static int start(uint16_t port)
{
	sigset_t all, old;
	int no;

	if (started_port)
		return started_port == port ? 0 : EADDRINUSE;
	no = port_free(AF_INET, port);
	if (!no)
		no = port_free(AF_INET6, port);
	if (no)
		return no;
	/* Its threads must not be the ones that get our signals. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	usrsctp_init(port, NULL, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_sysctl_set_sctp_asconf_enable(0); /* addresses do not move */
	started_port = port;
	return 0;
}

/* On usrsctp's threads, and on ours inside its calls. */
static void ring(struct socket *so, void *arg, int flags)
{
	static const uint64_t one = 1;
	const int *bell = arg;

	(void)so;
	(void)flags;
	pthread_mutex_lock(&lock);
	if (*bell) /* a full counter rings already */
		(void)!write(*bell - 1, &one, sizeof(one));
	pthread_mutex_unlock(&lock);
}

static int bell_hang(struct usr_socket *s, const struct sctp_setup *setup)
{
	int no = 0;

	s->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->fd < 0)
		return errno;
	pthread_mutex_lock(&lock);
	while (s->bell < BELLS && bells[s->bell])
		s->bell++;
	no = s->bell == BELLS ? EMFILE : start(setup->udp_port);
	if (!no)
		bells[s->bell] = s->fd + 1;
	pthread_mutex_unlock(&lock);
	return no;
}

/* ---- a socket ---- */

static void abort_or_end(struct socket *so, sctp_assoc_t assoc, bool abort)
{
	struct sctp_sndinfo info = { .snd_flags = abort ? SCTP_ABORT : SCTP_EOF,
		                     .snd_assoc_id = assoc };

	/* It may have gone already. The data has to be somewhere, even if it is none. */
	(void)usrsctp_sendv(so, "", 0, NULL, 0, &info, sizeof(info), SCTP_SENDV_SNDINFO, 0);
}

/* Its associations, for free(); NULL without memory. */
static struct sctp_assoc_ids *associations(struct socket *so)
{
	uint32_t count = 0;
	socklen_t len = sizeof(count);
	struct sctp_assoc_ids *ids;

	(void)usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, &count, &len);
	len = (socklen_t)(sizeof(*ids) + (count + 1) * sizeof(sctp_assoc_t)); /* one may come */
	ids = calloc(1, len);
	if (ids && usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &len) < 0)
		ids->gaids_number_of_ids = 0;
	return ids;
}

/* An association that is still being set up has nothing to end in order. */
static bool is_up(struct socket *so, sctp_assoc_t assoc)
{
	struct sctp_status status = { .sstat_assoc_id = assoc };
	socklen_t len = sizeof(status);

	return usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_STATUS, &status, &len) == 0 &&
	       status.sstat_state != SCTP_COOKIE_WAIT && status.sstat_state != SCTP_COOKIE_ECHOED;
}

/* Is there data that nobody will read any more? Notices are read on the way. */
static bool unread(struct socket *so)
{
	char buf[512];
	ssize_t n;
	int flags = 0;

	do {
		struct sctp_rcvinfo info;
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from), info_len = sizeof(info);
		unsigned type;

		flags = 0;
		n = usrsctp_recvv(so, buf, sizeof(buf), (struct sockaddr *)&from, &from_len, &info,
		                  &info_len, &type, &flags);
	} while (n > 0 && (flags & MSG_NOTIFICATION));
	return n > 0;
}

/* Close it if its associations have gone. One that sent us data meanwhile is aborted, as TCP is. */
static bool buried(struct socket *so)
{
	bool abort = unread(so), gone;
	struct sctp_assoc_ids *ids = associations(so);

	for (uint32_t i = 0; abort && ids && i < ids->gaids_number_of_ids; i++)
		abort_or_end(so, ids->gaids_assoc_id[i], true);
	if (abort) {
		free(ids);
		ids = associations(so);
	}
	gone = ids && !ids->gaids_number_of_ids;
	free(ids);
	if (gone)
		usrsctp_close(so);
	return gone;
}

static void graves_visit(void)
{
	struct usr_socket *list, *next;

	pthread_mutex_lock(&lock);
	list = graves;
	graves = NULL;
	pthread_mutex_unlock(&lock);
	for (; list; list = next) {
		next = list->next;
		if (buried(list->so)) {
			free(list);
			continue;
		}
		pthread_mutex_lock(&lock);
		list->next = graves;
		graves = list;
		pthread_mutex_unlock(&lock);
	}
}

/* What was sent is still delivered, as by close() of TCP. */
static void bury(struct usr_socket *s)
{
	struct sctp_assoc_ids *ids;

	(void)usrsctp_listen(s->so, 0);
	ids = associations(s->so);
	for (uint32_t i = 0; ids && i < ids->gaids_number_of_ids; i++)
		abort_or_end(s->so, ids->gaids_assoc_id[i], !is_up(s->so, ids->gaids_assoc_id[i]));
	free(ids);
	pthread_mutex_lock(&lock);
	s->next = graves;
	graves = s;
	pthread_mutex_unlock(&lock);
}

static void usr_close(void *arg)
{
	struct usr_socket *s = arg;

	if (s->so)
		(void)usrsctp_set_upcall(s->so, NULL, NULL);
	pthread_mutex_lock(&lock);
	if (s->bell < BELLS && bells[s->bell] == s->fd + 1)
		bells[s->bell] = 0;
	pthread_mutex_unlock(&lock);
	if (s->fd >= 0)
		close(s->fd);
	if (s->so)
		bury(s);
	else
		free(s);
	graves_visit();
}

static int set(struct usr_socket *s, int option, const void *value, socklen_t len)
{
	return usrsctp_setsockopt(s->so, IPPROTO_SCTP, option, value, len) < 0 ? errno : 0;
}

static int events_on(struct usr_socket *s)
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

static int timers_set(struct usr_socket *s)
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

static int options_set(struct usr_socket *s, int family, const struct sctp_setup *setup)
{
	struct sctp_udpencaps encaps = { .sue_port = htons(setup->udp_remote) };
	int one = 1, buffer = (int)setup->send_buffer, no;
	struct sctp_assoc_value interleave = { .assoc_value = 1 };

	encaps.sue_address.ss_family = (sa_family_t)family;
	if (usrsctp_set_non_blocking(s->so, 1) < 0 ||
	    usrsctp_setsockopt(s->so, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) < 0)
		return errno;
	no = set(s, SCTP_REMOTE_UDP_ENCAPS_PORT, &encaps, sizeof(encaps));
	if (!no)
		no = set(s, SCTP_NODELAY, &one, sizeof(one));
	if (!no)
		no = set(s, SCTP_RECVRCVINFO, &one, sizeof(one));
	/* One peer's long message must not keep the others waiting (RFC 6458, 8.1.20). */
	if (!no)
		no = set(s, SCTP_FRAGMENT_INTERLEAVE, &interleave.assoc_value, sizeof(uint32_t));
	if (!no)
		no = events_on(s);
	return no ? no : timers_set(s);
}

static int usr_open(void **ret, int family, const struct sctp_setup *setup)
{
	struct usr_socket *s = calloc(1, sizeof(*s));
	int no;

	if (!s)
		return ENOMEM;
	graves_visit();
	s->setup = *setup;
	no = bell_hang(s, setup);
	if (no)
		goto out;
	s->so = usrsctp_socket(family, SOCK_SEQPACKET, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	no = s->so ? options_set(s, family, setup) : errno;
	if (!no && usrsctp_set_upcall(s->so, ring, &bells[s->bell]) < 0)
		no = errno;
	if (no)
		goto out;
	*ret = s;
	s = NULL;
out:
	if (s)
		usr_close(s);
	return no;
}

static int usr_fd(const void *s)
{
	return ((const struct usr_socket *)s)->fd;
}

static int usr_bind(void *arg, const struct sockaddr *sa, socklen_t len, bool more)
{
	struct usr_socket *s = arg;
	struct sockaddr_storage copy;
	int rc;

	memcpy(&copy, sa, len);
	rc = more ? usrsctp_bindx(s->so, (struct sockaddr *)&copy, 1, SCTP_BINDX_ADD_ADDR)
	          : usrsctp_bind(s->so, (struct sockaddr *)&copy, len);
	return rc < 0 ? errno : 0;
}

static int usr_listen(void *s)
{
	return usrsctp_listen(((struct usr_socket *)s)->so, 16) < 0 ? errno : 0;
}

static int usr_port(void *arg, in_port_t *ret)
{
	struct usr_socket *s = arg;
	struct sockaddr *list = NULL;

	if (usrsctp_getladdrs(s->so, 0, &list) <= 0)
		return errno ? errno : EINVAL;
	*ret = list->sa_family == AF_INET ? ((struct sockaddr_in *)list)->sin_port
	                                  : ((struct sockaddr_in6 *)list)->sin6_port;
	usrsctp_freeladdrs(list);
	return 0;
}

static int usr_connect(void *arg, const struct sockaddr *sa, socklen_t len, uint32_t *ret_assoc)
{
	struct usr_socket *s = arg;
	struct sockaddr_storage copy;
	sctp_assoc_t id = 0;

	memcpy(&copy, sa, len);
	if (usrsctp_connectx(s->so, (struct sockaddr *)&copy, 1, &id) < 0 && errno != EINPROGRESS)
		return errno;
	*ret_assoc = id;
	return 0;
}

static socklen_t length_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static bool proven(const struct usr_socket *s, uint32_t assoc, const struct sockaddr *sa)
{
	struct sctp_paddrinfo info = { .spinfo_assoc_id = assoc };
	socklen_t len = sizeof(info);

	memcpy(&info.spinfo_address, sa, length_of(sa));
	return usrsctp_getsockopt(s->so, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &info, &len) == 0 &&
	       !(info.spinfo_state & SCTP_UNCONFIRMED);
}

static int usr_peer(void *arg, uint32_t assoc, struct sockaddr_storage *ret)
{
	struct usr_socket *s = arg;
	struct sockaddr *list = NULL, *at;
	int count = usrsctp_getpaddrs(s->so, assoc, &list), no = EINVAL;

	if (count <= 0)
		return errno ? errno : EINVAL;
	at = list;
	for (int i = 0; i < count && no; i++) {
		if (proven(s, assoc, at)) {
			memcpy(ret, at, length_of(at));
			no = 0;
		}
		at = (struct sockaddr *)((char *)at + length_of(at));
	}
	usrsctp_freepaddrs(list);
	return no;
}

static int usr_send(void *arg, uint32_t assoc, const void *data, size_t len)
{
	struct usr_socket *s = arg;
	struct sctp_sndinfo info = { .snd_ppid = htonl(SCTP_PPID_H248), .snd_assoc_id = assoc };

	if (usrsctp_sendv(s->so, data, len, NULL, 0, &info, sizeof(info), SCTP_SENDV_SNDINFO, 0) >=
	    0)
		return 0;
	return errno == EWOULDBLOCK || errno == ENOBUFS ? EAGAIN : errno;
}

static void usr_end(void *arg, uint32_t assoc, bool abort)
{
	abort_or_end(((struct usr_socket *)arg)->so, assoc, abort);
}

static void assoc_seen(const struct sctp_assoc_change *c, struct sctp_seen *ret)
{
	ret->assoc = c->sac_assoc_id;
	switch (c->sac_state) {
	case SCTP_RESTART:
		ret->restarted = true;
		ret->sight = SEEN_UP;
		break;
	case SCTP_COMM_UP:
		ret->sight = SEEN_UP;
		break;
	case SCTP_COMM_LOST:
		ret->sight = SEEN_DOWN;
		ret->why = "aborted by the peer, or out of reach";
		break;
	case SCTP_CANT_STR_ASSOC:
		ret->sight = SEEN_DOWN;
		ret->why = "the association could not be set up";
		break;
	case SCTP_SHUTDOWN_COMP:
		ret->sight = SEEN_DOWN;
		ret->why = "closed by the peer";
		break;
	default:
		break;
	}
}

static void notice(const void *data, size_t len, struct sctp_seen *ret)
{
	const union sctp_notification *n = data;

	if (len < sizeof(n->sn_header) || n->sn_header.sn_length > len)
		return;
	if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE) {
		assoc_seen(&n->sn_assoc_change, ret);
	} else if (n->sn_header.sn_type == SCTP_PEER_ADDR_CHANGE) {
		ret->assoc = n->sn_paddr_change.spc_assoc_id;
		if (n->sn_paddr_change.spc_state == SCTP_ADDR_UNREACHABLE)
			ret->sight = SEEN_PATH_DOWN;
		else if (n->sn_paddr_change.spc_state == SCTP_ADDR_AVAILABLE)
			ret->sight = SEEN_PATH_UP;
	}
}

static int usr_recv(void *arg, void *buf, size_t cap, struct sctp_seen *ret)
{
	struct usr_socket *s = arg;
	struct sctp_rcvinfo info = { 0 };
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from), info_len = sizeof(info);
	unsigned type = SCTP_RECVV_NOINFO;
	uint64_t count;
	int flags = 0;
	ssize_t n = usrsctp_recvv(s->so, buf, cap, (struct sockaddr *)&from, &from_len, &info,
	                          &info_len, &type, &flags);

	if (n < 0 && errno == EWOULDBLOCK) {
		/* Silence the bell, then look once more: it may have rung in between. */
		if (read(s->fd, &count, sizeof(count)) < 0)
			return EAGAIN;
		*ret = (struct sctp_seen){ .sight = SEEN_NOTHING };
		return 0;
	}
	if (n < 0)
		return errno;
	*ret = (struct sctp_seen){ .sight = SEEN_NOTHING, .len = (size_t)n };
	if (flags & MSG_NOTIFICATION) {
		notice(buf, (size_t)n, ret);
	} else if (n > 0 && type == SCTP_RECVV_RCVINFO) {
		ret->sight = SEEN_DATA;
		ret->assoc = info.rcv_assoc_id;
		ret->ppid = ntohl(info.rcv_ppid);
		ret->last = flags & MSG_EOR;
	}
	return 0;
}

static const struct sctp_backend usr = {
	.name = "usrsctp",
	.open = usr_open,
	.fd = usr_fd,
	.bind = usr_bind,
	.listen = usr_listen,
	.port = usr_port,
	.connect = usr_connect,
	.peer = usr_peer,
	.send = usr_send,
	.end = usr_end,
	.recv = usr_recv,
	.close = usr_close,
};

const struct sctp_backend *const transport_sctp_usr = &usr;

#endif
