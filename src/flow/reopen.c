/* SPDX-License-Identifier: Apache-2.0 */
/* Responses whose connection has gone (RFC 3261, 18.2.2): back to where that came from, at the port
 * that its peer has said to listen at. */
#include <errno.h>
#include <stdio.h>

#include "flow/private.h"

void flow_gone_note(const struct flow *f)
{
	struct flows *flows = f->flows;
	struct flow_gone *g = &flows->gone[flows->gone_next++ % FLOW_GONE_MAX];

	g->id = f->id;
	g->transport = f->transport;
	g->remote = f->remote;
}

static const struct flow_gone *gone_find(const struct flows *flows, uint64_t id)
{
	for (size_t i = 0; i < FLOW_GONE_MAX; i++)
		if (id && flows->gone[i].id == id)
			return &flows->gone[i];
	return NULL;
}

/* Where it listens by the Via that it has written, and by which name it is to prove itself. A host
 * that is an address says nothing: it came from where it came from. */
static int way_back(const struct flow_gone *gone, struct base_str octets, struct flow_target *ret,
                    char name[256])
{
	struct base_arena arena = { 0 };
	struct sip_message msg;
	union stream_addr ip;
	uint16_t port;
	int rc;

	rc = sip_message_parse(&msg, &arena, octets, true);
	if (rc || msg.request || !msg.via.host.len || msg.via.host.len > 255) {
		base_arena_done(&arena);
		return BASE_ERR(BASE_LOCAL, ENOTCONN);
	}
	port = htons(msg.via.port ? msg.via.port : gone->transport == FLOW_TLS ? 5061 : 5060);
	ret->transport = gone->transport;
	ret->addr = gone->remote;
	if (ret->addr.sa.sa_family == AF_INET)
		ret->addr.in.sin_port = port;
	else
		ret->addr.in6.sin6_port = port;
	name[0] = '\0';
	if (gone->transport == FLOW_TLS && stream_addr_ip(&ip, msg.via.host, 0))
		(void)snprintf(name, 256, "%.*s", (int)msg.via.host.len, msg.via.host.ptr);
	base_arena_done(&arena);
	return 0;
}

int flow_reopen(struct flows *flows, uint64_t id, struct base_str octets)
{
	const struct flow_gone *gone = gone_find(flows, id);
	struct flow_target target;
	struct sip_flow flow;
	char name[256];
	int rc = BASE_ERR(BASE_LOCAL, ENOTCONN);

	if (!gone || octets.len < 8 || memcmp(octets.ptr, "SIP/2.0 ", 8) != 0)
		return rc;
	rc = way_back(gone, octets, &target, name);
	if (!rc)
		rc = flows_to(flows, &target, name[0] ? name : NULL, &flow);
	if (rc)
		return rc;
	flows->count.reopened++;
	return flows_send(flows, flow, octets);
}
