/* SPDX-License-Identifier: Apache-2.0 */
/** @file Endpoints of SCTP: who does it, one or several addresses, listening. */
#include <errno.h>
#include <stdlib.h>

#include "h248/transport_sctp.h"

void transport_sctp_end_free(struct sctp_end *e)
{
	loop_fd_stop(e->t->loop, &e->w);
	loop_defer_stop(e->t->loop, &e->more);
	loop_timer_stop(e->t->loop, &e->again);
	if (e->s)
		e->how->close(e->s);
	base_list_remove(&e->node);
	free(e);
}

static int end_open(struct sctp_end *e, const struct sctp_backend *how, int family)
{
	const struct h248_transport_config *config = &e->t->config;
	struct sctp_setup setup = { .udp_port = config->sctp_udp_port,
		                    .udp_remote = config->sctp_udp_remote,
		                    .send_buffer = 256 * 1024 };

	e->how = how;
	return how ? how->open(&e->s, family, &setup) : EPROTONOSUPPORT;
}

int transport_sctp_end_new(struct sctp_end **ret, struct h248_transport *t, unsigned family)
{
	int af = family == 4 ? AF_INET : AF_INET6, rc, no = EPROTONOSUPPORT;
	struct sctp_end *e = calloc(1, sizeof(*e));

	if (!e)
		return ENOMEM;
	e->t = t;
	base_list_append(&t->sctp_ends, &e->node);
	if (t->config.sctp_backend != H248_SCTP_USER)
		no = end_open(e, transport_sctp_kernel, af);
	/* The kernel says one or the other when it was built without. */
	if ((no == EPROTONOSUPPORT || no == ESOCKTNOSUPPORT) &&
	    t->config.sctp_backend != H248_SCTP_KERNEL)
		no = end_open(e, transport_sctp_usr, af);
	if (no) {
		transport_sctp_end_free(e);
		return no;
	}
	e->local = (struct h248_addr){ .transport = H248_SCTP, .family = (uint8_t)family };
	e->w = (struct loop_fd){ e->how->fd(e->s), transport_sctp_event, e };
	rc = loop_fd_start(t->loop, &e->w);
	if (rc) {
		transport_sctp_end_free(e);
		return (int)base_err_detail(rc);
	}
	*ret = e;
	return 0;
}

/* An endpoint of this family and port, to which one more address may be added. */
static struct sctp_end *end_of(struct h248_transport *t, const struct h248_addr *local)
{
	BASE_LIST_EACH(&t->sctp_ends, node, after)
	{
		struct sctp_end *e = BASE_CONTAINER_OF(node, struct sctp_end, node);

		if (e->listens && e->local.family == local->family && local->port &&
		    e->local.port == local->port && !h248_addr_equal(&e->local, local))
			return e;
	}
	return NULL;
}

int transport_sctp_listen(struct h248_transport *t, struct h248_addr *local)
{
	struct sctp_end *e = end_of(t, local);
	bool more = e != NULL;
	struct sockaddr_storage sa;
	socklen_t len = transport_sockaddr(local, &sa);
	in_port_t port;
	int no = more ? 0 : transport_sctp_end_new(&e, t, local->family);

	if (no)
		return no;
	no = e->how->bind(e->s, (struct sockaddr *)&sa, len, more);
	if (more) {
		local->conn = e->local.conn;
		return no;
	}
	if (!no)
		no = e->how->listen(e->s);
	if (!no)
		no = e->how->port(e->s, &port);
	if (no) {
		transport_sctp_end_free(e);
		return no;
	}
	local->port = ntohs(port);
	local->conn = transport_number(t);
	e->local = *local;
	e->listens = true;
	return 0;
}
