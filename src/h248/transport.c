/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "h248/sctp.h"
#include "h248/transport_private.h"

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}

int h248_transport_new(struct h248_transport **ret, struct loop *loop,
                       const struct h248_transport_config *config,
                       const struct h248_transport_ops *ops)
{
	struct h248_transport *t = calloc(1, sizeof(*t));

	if (!t)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	t->buffer = malloc(TRANSPORT_BUFFER);
	if (!t->buffer) {
		free(t);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	t->loop = loop;
	t->config = *config;
	t->ops = *ops;
	t->config.max_conns = or_default(t->config.max_conns, 1024);
	t->config.max_output = or_default(t->config.max_output, 1U << 20);
	t->config.mark_output = or_default(t->config.mark_output, t->config.max_output / 4);
	t->config.handshake_ms = or_default(t->config.handshake_ms, 10000);
	t->clear.wipe = true;
	t->config.connect_ms = or_default(t->config.connect_ms, 10000);
	t->config.partial_ms = or_default(t->config.partial_ms, 30000);
	base_list_init(&t->udp);
	base_list_init(&t->listeners);
	base_list_init(&t->conns);
	base_list_init(&t->dead);
	base_list_init(&t->sctp_ends);
	base_list_init(&t->sctp_conns);
	base_list_init(&t->sctp_dead);
	t->config.sctp_udp_port = (uint16_t)or_default(t->config.sctp_udp_port, SCTP_UDP_PORT);
	t->config.sctp_udp_remote = (uint16_t)or_default(t->config.sctp_udp_remote, SCTP_UDP_PORT);
	*ret = t;
	return 0;
}

void h248_transport_free(struct h248_transport *t)
{
	if (!t)
		return;
	udp_done(t);
	tcp_done(t);
	transport_sctp_done(t);
	base_writer_done(&t->clear);
	free(t->buffer);
	free(t);
}

static int listen_at(struct h248_transport *t, struct h248_addr *local)
{
	switch (local->transport) {
	case H248_UDP:
		return udp_listen(t, local);
	case H248_TCP:
		return tcp_listen(t, local);
	case H248_TLS:
		return t->config.filter ? tcp_listen(t, local) : EPROTONOSUPPORT;
	case H248_SCTP:
		return transport_sctp_listen(t, local);
	default:
		return EPROTONOSUPPORT;
	}
}

int h248_transport_listen(struct h248_transport *t, struct h248_addr *local, struct base_error *err)
{
	char text[H248_ADDR_TEXT];
	int no = listen_at(t, local);
	bool ours = no == ENOMEM || no == EMFILE || no == ENFILE || no == ENOBUFS;

	if (no == 0)
		return 0;
	return base_error_set(err, BASE_ERR(ours ? BASE_LOCAL : BASE_CONFIG, no), "%s: %s",
	                      h248_addr_format(local, text), strerror(no));
}

int h248_transport_send(struct h248_transport *t, const struct h248_addr *to, const void *data,
                        size_t len)
{
	int no = EDESTADDRREQ;

	if (to->transport == H248_UDP)
		no = udp_send(t, to, data, len);
	else if (to->transport == H248_TCP || (to->transport == H248_TLS && t->config.filter))
		no = tcp_send(t, to, data, len);
	else if (to->transport == H248_SCTP)
		no = transport_sctp_send(t, to, data, len);
	if (no > 0)
		t->counters[to->transport % H248_TRANSPORT_KINDS].errors_out++;
	if (no < 0)
		return BASE_ERR(BASE_AGAIN, 0);
	return no ? BASE_ERR(BASE_LOCAL, no) : 0;
}

int h248_transport_connect(struct h248_transport *t, const struct h248_addr *to, uint32_t *ret_conn)
{
	bool can = to->transport == H248_TCP || (to->transport == H248_TLS && t->config.filter);
	int no = can ? tcp_connect(t, to, ret_conn) : EPROTONOSUPPORT;

	return no ? BASE_ERR(BASE_LOCAL, no) : 0;
}

void h248_transport_close(struct h248_transport *t, const struct h248_addr *conn)
{
	if (conn->transport == H248_SCTP)
		transport_sctp_close(t, conn);
	else
		tcp_close(t, conn);
}

size_t h248_transport_conns(const struct h248_transport *t)
{
	return t->conns_count;
}

uint32_t h248_transport_socket(const struct h248_transport *t, const struct h248_addr *from)
{
	return h248_addr_connected(from) ? tcp_socket(t, from) : from->conn;
}

bool h248_transport_full(const struct h248_transport *t, const struct h248_addr *to)
{
	if (to->transport == H248_SCTP)
		return transport_sctp_full(t, to);
	return h248_addr_connected(to) && tcp_full(t, to);
}

/* ---- counters ---- */

void h248_transport_counters(const struct h248_transport *t, enum h248_transport_kind kind,
                             struct h248_transport_counters *ret)
{
	*ret = t->counters[kind % H248_TRANSPORT_KINDS];
}

bool h248_transport_conn_counters(const struct h248_transport *t, const struct h248_addr *conn,
                                  struct h248_transport_counters *ret)
{
	const struct h248_transport_counters *found =
	        conn->transport == H248_UDP    ? udp_counters(t, conn)
	        : conn->transport == H248_SCTP ? transport_sctp_counters(t, conn)
	                                       : tcp_counters(t, conn);

	if (found)
		*ret = *found;
	return found != NULL;
}

/* ---- addresses and sockets ---- */

socklen_t transport_sockaddr(const struct h248_addr *a, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	in6->sin6_scope_id = a->scope;
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

void transport_addr(unsigned kind, const struct sockaddr_storage *sa, uint32_t conn,
                    struct h248_addr *ret)
{
	*ret = (struct h248_addr){ .transport = (uint8_t)kind, .conn = conn };
	if (sa->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		ret->family = 4;
		ret->port = ntohs(in->sin_port);
		memcpy(ret->ip, &in->sin_addr, 4);
	} else if (sa->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

		ret->family = 6;
		ret->port = ntohs(in6->sin6_port);
		ret->scope = in6->sin6_scope_id;
		memcpy(ret->ip, &in6->sin6_addr, 16);
	}
}

int transport_bind(const struct h248_addr *local, int type, bool reuse)
{
	struct sockaddr_storage sa;
	socklen_t len = transport_sockaddr(local, &sa);
	int one = 1, no;
	int fd = socket(sa.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Neither can fail on a fresh socket of this family. */
	if (reuse)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (local->family == 6) /* IPv4 has its own socket, so that addresses stay what they are */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, len) == 0)
		return fd;
	no = errno;
	close(fd);
	errno = no;
	return -1;
}

void transport_local(int fd, struct h248_addr *local)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		transport_addr(local->transport, &sa, local->conn, local);
}

uint32_t transport_number(struct h248_transport *t)
{
	if (++t->next_conn == 0)
		t->next_conn = 1;
	return t->next_conn;
}
