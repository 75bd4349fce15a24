/* SPDX-License-Identifier: Apache-2.0 */
/* Datagram legs: their sockets, and where what they send goes. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/dgram.h"
#include "relay/room.h"

/** Even ports that are tried before the kernel is asked. */
#define TRIES 64

/* ---- sockets ---- */

static int made(sa_family_t family, bool shared, int *ret_fd)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	int error, one = 1;

	if (fd < 0)
		return BASE_ERR(BASE_LOCAL, errno);
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0) {
		error = errno;
		close(fd);
		return BASE_ERR(BASE_LOCAL, error);
	}
	*ret_fd = fd;
	return 0;
}

static int bound(union relay_address *local, uint16_t port, bool shared, int *ret_fd)
{
	int error, fd = -1, rc = made(local->family, shared, &fd);

	if (rc)
		return rc;
	relay_address_port_set(local, htons(port));
	if (bind(fd, &local->sa, relay_address_len(local)) < 0) {
		error = errno;
		close(fd);
		return BASE_ERR(BASE_LOCAL, error);
	}
	*ret_fd = fd;
	return 0;
}

static int bound_pair(union relay_address *local, uint16_t port, bool shared, int *ret_fd,
                      int *ret_next)
{
	int rc, next = -1;

	if (port == UINT16_MAX)
		return BASE_ERR(BASE_LOCAL, EADDRINUSE);
	rc = bound(local, (uint16_t)(port + 1), shared, &next);
	if (rc)
		return rc;
	rc = bound(local, port, shared, ret_fd);
	if (rc)
		close(next);
	else
		*ret_next = next;
	return rc;
}

/* One that the kernel chose, and given back: the next try names it, or the even one below. */
static uint16_t kernels_choice(const union relay_address *local)
{
	union relay_address any = *local;
	uint16_t port = 0;
	int fd = -1;

	if (bound(&any, 0, false, &fd))
		return 0;
	if (relay_socket_name(fd, &any) == 0)
		port = ntohs(relay_address_port(&any)) & (uint16_t)~1U;
	close(fd);
	return port;
}

static int any_pair(union relay_address *local, struct relay_ports *ports, bool shared, int *ret_fd,
                    int *ret_next)
{
	int rc = BASE_ERR(BASE_LOCAL, EADDRINUSE);

	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t port = relay_ports_even(ports);

		if (!port)
			port = kernels_choice(local);
		if (!port)
			break;
		rc = bound_pair(local, port, shared, ret_fd, ret_next);
		if (rc == 0 || (base_err_detail(rc) != EADDRINUSE && base_err_detail(rc) != EACCES))
			break;
	}
	return rc;
}

static int any_one(union relay_address *local, struct relay_ports *ports, bool shared, int *ret_fd)
{
	int fd = -1, rc = made(local->family, shared, &fd);

	if (rc)
		return rc;
	if (relay_ports_bind(ports, fd, local) < 0)
		rc = BASE_ERR(BASE_LOCAL, errno);
	else if (!relay_address_port(local))
		rc = relay_socket_name(fd, local);
	if (rc)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

int relay_socket_datagram(union relay_address *local, struct relay_ports *ports, bool shared,
                          int *ret_fd, int *ret_next)
{
	uint16_t port = ntohs(relay_address_port(local));

	if (!ret_next)
		return port ? bound(local, port, shared, ret_fd)
		            : any_one(local, ports, shared, ret_fd);
	return port ? bound_pair(local, port, shared, ret_fd, ret_next)
	            : any_pair(local, ports, shared, ret_fd, ret_next);
}

/* ---- a leg's ---- */

int relay_dgram_new(struct relay_leg *leg, const struct relay_endpoint_spec *spec)
{
	struct relay_dgram *d = calloc(1, sizeof(*d));
	union relay_address remote, rtcp;
	int rc;

	if (!d)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	leg->dgram = d;
	d->leg = leg;
	d->rtcp.fd = -1;
	d->rtp = spec->dgram->rtp;
	d->shared = spec->dgram->shared;
	d->srtp_count = (uint8_t)spec->dgram->srtp_count;
	memcpy(d->srtp_profiles, spec->dgram->srtp_profiles, sizeof(d->srtp_profiles));
	d->secure = d->rtp && spec->tls && spec->dgram->srtp;
	d->rtcp_port = d->rtp && !d->secure && spec->dgram->rtcp_port;
	d->rtcp_mux = d->rtp && spec->dgram->rtcp_mux;
	rc = relay_address_set(&remote, &spec->remote);
	if (rc == 0)
		rc = relay_address_set(&rtcp, &spec->dgram->rtcp_remote);
	if (rc == 0)
		relay_dgram_aim(leg, &remote, &rtcp, spec->dgram->latch);
	return rc;
}

static int meet_one(int fd, const union relay_address *peer)
{
	if (fd < 0 || !relay_address_port(peer))
		return 0;
	return connect(fd, &peer->sa, relay_address_len(peer)) < 0 ? BASE_ERR(BASE_LOCAL, errno)
	                                                           : 0;
}

int relay_dgram_meet(const struct relay_leg *leg)
{
	const struct relay_dgram *d = leg->dgram;
	int rc = meet_one(leg->watch.fd, &d->remote[RELAY_WAY_MEDIA]);

	return rc ? rc : meet_one(d->rtcp.fd, &d->remote[RELAY_WAY_RTCP]);
}

int relay_dgram_bind(struct relay_endpoint *endpoint, union relay_address *local,
                     struct relay_ports *ports)
{
	struct relay_leg *leg = &endpoint->leg;
	struct relay_dgram *d = leg->dgram;
	uint8_t dscp = leg->door ? leg->door->gate.dscp : 0;
	int rc = relay_socket_datagram(local, ports, d->shared, &leg->watch.fd,
	                               d->rtcp_port ? &d->rtcp.fd : NULL);

	endpoint->local = *local;
	if (rc == 0 && d->shared && !relay_dgram_unnamed(leg))
		rc = relay_claim(endpoint, &d->remote[RELAY_WAY_MEDIA]);
	if (rc == 0 && d->shared)
		rc = relay_dgram_meet(leg);
	if (rc == 0 && dscp)
		rc = relay_socket_mark(leg->watch.fd, local->family, dscp);
	if (rc == 0 && dscp && d->rtcp_port)
		rc = relay_socket_mark(d->rtcp.fd, local->family, dscp);
	if (rc && d->rtcp.fd >= 0)
		close(d->rtcp.fd);
	return rc;
}

static bool same(const union relay_address *a, const union relay_address *b)
{
	return a->family && relay_address_port(a) == relay_address_port(b) &&
	       relay_address_admits(a, b);
}

bool relay_dgram_is(const struct relay_leg *leg, enum relay_way way,
                    const union relay_address *from)
{
	return same(&leg->dgram->remote[way], from);
}

bool relay_dgram_unnamed(const struct relay_leg *leg)
{
	return leg->dgram->shared && leg->tls && leg->role == TLS_ROLE_SERVER &&
	       !relay_address_port(&leg->dgram->wanted[RELAY_WAY_MEDIA]);
}

void relay_dgram_point(struct relay_leg *leg, const union relay_address *remote,
                       const union relay_address *rtcp)
{
	struct relay_dgram *d = leg->dgram;
	union relay_address *to = &d->remote[RELAY_WAY_RTCP];

	d->remote[RELAY_WAY_MEDIA] = *remote;
	memset(to, 0, sizeof(*to));
	if (rtcp->family)
		*to = *rtcp;
	else if (d->rtcp_port || d->rtcp_mux)
		*to = *remote;
	if (!rtcp->family && d->rtcp_port)
		relay_address_port_set(to,
		                       htons((uint16_t)(ntohs(relay_address_port(remote)) + 1)));
	d->rtcp_with_media = same(to, remote) || !d->rtcp_port;
}

void relay_dgram_aim(struct relay_leg *leg, const union relay_address *remote,
                     const union relay_address *rtcp, bool latch)
{
	struct relay_dgram *d = leg->dgram;

	d->wanted[RELAY_WAY_MEDIA] = *remote;
	d->wanted[RELAY_WAY_RTCP] = *rtcp;
	if (leg->session)
		return; /* its peer is the one that it has */
	relay_dgram_point(leg, remote, rtcp);
	d->latch = latch && !d->shared;
	d->latched = false;
	if (d->shared && leg->watch.fd >= 0 && relay_dgram_meet(leg) != 0)
		base_log(BASE_LOG_WARN, "relay", "a shared port cannot turn to another peer: %s",
		         strerror(errno));
	if (leg->state == RELAY_TCP_READY && relay_dtls_may_begin(leg))
		relay_leg_input(leg, RELAY_ON_START_TLS, RELAY_CAUSE_NONE, 0);
}

void relay_dgram_latch(struct relay_leg *leg, const union relay_address *from)
{
	struct relay_dgram *d = leg->dgram;
	union relay_address none = { .family = AF_UNSPEC };

	/* What went with the media goes on with it. */
	relay_dgram_point(leg, from,
	                  same(&d->remote[RELAY_WAY_MEDIA], &d->remote[RELAY_WAY_RTCP]) ? from
	                                                                                : &none);
	d->latched = d->latch;
	d->latch = false;
}

void relay_dgram_regate(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (!d || !d->latched || leg->session ||
	    relay_door_admits(leg->door, &d->remote[RELAY_WAY_MEDIA]))
		return;
	relay_dgram_point(leg, &d->wanted[RELAY_WAY_MEDIA], &d->wanted[RELAY_WAY_RTCP]);
	d->latched = false;
	d->latch = true;
}

int relay_dgram_watch(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;
	int rc;

	if (d->rtcp.fd < 0)
		return 0;
	d->rtcp.fn = relay_dgram_rtcp_event;
	d->rtcp.arg = leg;
	rc = loop_fd_start(leg->worker->loop, &d->rtcp);
	d->rtcp_watched = rc == 0;
	if (rc)
		loop_fd_stop(leg->worker->loop, &leg->watch);
	return rc;
}

void relay_dgram_unwatch(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (d && d->rtcp_watched)
		loop_fd_stop(leg->worker->loop, &d->rtcp);
	if (d)
		d->rtcp_watched = false;
}

void relay_dgram_free(struct relay_leg *leg)
{
	struct relay_dgram *d = leg->dgram;

	if (!d)
		return;
	loop_timer_stop(leg->worker->loop, &d->timer);
	relay_room_leave(leg);
	free(d->guests);
	d->guests = NULL;
	relay_srtp_free(d->srtp);
	d->srtp = NULL;
	if (d->rtcp_watched)
		loop_fd_close(leg->worker->loop, &d->rtcp);
	else if (d->rtcp.fd >= 0)
		close(d->rtcp.fd);
	d->rtcp.fd = -1;
	d->rtcp_watched = false;
}
