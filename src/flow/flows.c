/* SPDX-License-Identifier: Apache-2.0 */
/* Flows by number and by peer; what is sent on them and what is told of them. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "flow/private.h"

/* ---- tables ---- */

static struct base_str id_key(const uint64_t *id)
{
	return (struct base_str){ (const char *)id, sizeof(*id) };
}

struct flow *flow_find(const struct flows *flows, uint64_t id)
{
	struct base_map_node *node = base_map_find(&flows->ids, id_key(&id));

	return node ? BASE_CONTAINER_OF(node, struct flow, by_id) : NULL;
}

size_t flow_peer_key(uint8_t key[FLOW_KEY_MAX], enum flow_transport transport, uint64_t number,
                     const union stream_addr *remote, const char *name)
{
	struct base_writer w = base_writer_over(key, FLOW_KEY_MAX);

	base_writer_u8(&w, (uint8_t)transport);
	base_writer_put(&w, &number, sizeof(number));
	base_writer_u16(&w, stream_addr_port(remote));
	if (remote->sa.sa_family == AF_INET)
		base_writer_put(&w, &remote->in.sin_addr, 4);
	else if (remote->sa.sa_family == AF_INET6)
		base_writer_put(&w, &remote->in6.sin6_addr, 16);
	for (; name && *name; name++)
		base_writer_u8(&w, (uint8_t)base_lower(*name));
	return w.len;
}

struct flow *flow_peer(const struct flows *flows, enum flow_transport transport, uint64_t number,
                       const union stream_addr *remote, const char *name)
{
	uint8_t key[FLOW_KEY_MAX];
	size_t len = flow_peer_key(key, transport, number, remote, name);
	struct base_map_node *node =
	        base_map_find(&flows->peers, (struct base_str){ (char *)key, len });

	return node ? BASE_CONTAINER_OF(node, struct flow, by_peer) : NULL;
}

static void unmap(struct flow *f)
{
	if (f->mapped)
		base_map_remove(&f->flows->peers, &f->by_peer);
	f->mapped = false;
}

/* The younger one takes the older one's place. */
static void map(struct flow *f, uint64_t number, const char *name)
{
	struct flows *flows = f->flows;
	struct flow *old = flow_peer(flows, f->transport, number, &f->remote, name);
	uint8_t key[FLOW_KEY_MAX];

	if (old)
		unmap(old);
	f->key_len = flow_peer_key(key, f->transport, number, &f->remote, name);
	assert(f->key_len <= f->key_cap);
	memcpy(f->key, key, f->key_len);
	f->mapped = base_map_insert(&flows->peers, (struct base_str){ (char *)f->key, f->key_len },
	                            &f->by_peer) == 0; /* else it is not found again */
}

int flow_new(struct flow **ret, struct flows *flows, enum flow_transport transport, uint64_t number,
             const union stream_addr *remote, const char *name)
{
	uint8_t key[FLOW_KEY_MAX];
	size_t len = flow_peer_key(key, transport, number, remote, name);
	struct flow *f = calloc(1, sizeof(*f) + len); /* another key of it is not longer */

	if (!f)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	f->key_cap = len;
	f->flows = flows;
	f->id = ++flows->last_id;
	f->transport = transport;
	f->remote = *remote;
	if (base_map_insert(&flows->ids, id_key(&f->id), &f->by_id)) {
		free(f);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	map(f, number, name);
	base_list_append(transport == FLOW_UDP ? &flows->datagrams : &flows->conns, &f->node);
	flows->datagram_count += transport == FLOW_UDP;
	*ret = f;
	return 0;
}

/* Of whom we connect to by TLS a certificate is asked; so it is of whom we call by a connection of
 * theirs, for their port is no proof. */
void flow_came_up(struct flow *f)
{
	struct tls_info info;

	if (f->transport != FLOW_TLS || !stream_tls(f->stream, &info) || !info.has_verdict ||
	    !info.verdict.authenticated)
		return;
	unmap(f);
	map(f, 0, NULL);
}

void flow_drop(struct flow *f)
{
	struct flows *flows = f->flows;

	if (!f->dead) {
		f->dead = true;
		unmap(f);
		flow_alias_drop(f);
		base_map_remove(&flows->ids, &f->by_id);
		base_list_remove(&f->node);
		flows->datagram_count -= f->transport == FLOW_UDP;
		flow_alive_stop(f);
		free(f->stun);
		if (f->accepted && f->known && flows->config.reopen)
			flow_gone_note(f);
		stream_release(f->stream);
		f->stream = NULL;
	}
	if (!f->busy)
		free(f);
}

void flow_lost(struct flow *f, const char *why)
{
	struct flows *flows = f->flows;
	uint64_t id = f->id;
	bool known = f->known;
	char peer[STREAM_ADDR_TEXT];

	flows->count.lost++;
	base_log(BASE_LOG_DEBUG, "flow", "lost transport=%s peer=%s: %s",
	         flow_transport_name(f->transport),
	         stream_addr_format(&f->remote, peer, sizeof(peer)), why);
	flow_drop(f);
	if (known)
		flows->ops.on_lost(flows->ops.arg, id, why);
}

struct sip_flow flow_of(const struct flow *f)
{
	return (struct sip_flow){ f->id, f->transport != FLOW_UDP };
}

/* ---- messages ---- */

bool flow_is_sip(struct base_str octets)
{
	const char *end = octets.len ? memchr(octets.ptr, '\n', octets.len) : NULL;
	size_t line = end ? (size_t)(end - octets.ptr) : octets.len;

	return line >= 12 && memmem(octets.ptr, line, "SIP/", 4) != NULL;
}

void flow_message(struct flow *f, struct base_str octets)
{
	struct flows *flows = f->flows;
	char host[STREAM_ADDR_TEXT];
	struct sip_source source = { stream_addr_host(&f->remote, host, sizeof(host)),
		                     stream_addr_port(&f->remote) };

	f->known = true;
	flows->count.messages_in++;
	if (flows->config.alias && f->accepted && f->transport == FLOW_TLS && !f->aliases)
		flow_alias_heard(f, octets);
	flows->ops.on_message(flows->ops.arg, flow_of(f), &source, octets);
}

int flows_send(struct flows *flows, struct sip_flow flow, struct base_str octets)
{
	struct flow *f = flow_find(flows, flow.id);
	int rc;

	if (!f)
		return flows->config.reopen ? flow_reopen(flows, flow.id, octets)
		                            : BASE_ERR(BASE_LOCAL, ENOTCONN);
	f->known = true;
	rc = f->transport == FLOW_UDP ? flow_udp_send(f, octets)
	                              : stream_write(f->stream, octets.ptr, octets.len);
	if (rc && base_err_class(rc) != BASE_AGAIN)
		return rc;
	flows->count.messages_out++;
	return 0; /* a peer that reads slowly is let be until output_max */
}

int flows_to(struct flows *flows, const struct flow_target *target, const char *name,
             struct sip_flow *ret)
{
	union stream_addr ip;
	struct flow *f = NULL;
	int rc = 0;

	if (target->transport == FLOW_UDP) {
		rc = flow_udp_to(flows, &target->addr, &f);
	} else {
		if (flows->peer[0] && target->transport == FLOW_TLS)
			name = flows->peer;
		/* An IP address is no dNSName: such a peer has to be vouched for by an anchor
		 * alone. */
		if (target->transport != FLOW_TLS ||
		    (name && !stream_addr_ip(&ip, base_str_of(name), 0)))
			name = NULL;
		f = flow_peer(flows, target->transport, 0, &target->addr, name);
		if (!f && name)
			f = flow_alias_find(flows, &target->addr, name);
		if (!f)
			rc = flow_conn_open(flows, target, name, &f);
	}
	if (!rc)
		*ret = flow_of(f);
	return rc;
}

void flows_close(struct flows *flows, uint64_t flow)
{
	struct flow *f = flow_find(flows, flow);

	if (f)
		flow_drop(f);
}

void flow_info_fill(const struct flow *f, struct flow_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->transport = f->transport;
	ret->remote = f->remote;
	ret->accepted = f->accepted;
	ret->up = !f->stream || stream_is_up(f->stream);
	ret->local = f->stream ? *stream_local(f->stream) : f->socket->local;
	ret->tls = f->stream && stream_tls(f->stream, &ret->session);
}

bool flows_reliable(const struct flows *flows, uint64_t flow)
{
	const struct flow *f = flow_find(flows, flow);

	return !f || f->transport != FLOW_UDP;
}

bool flows_info(const struct flows *flows, uint64_t flow, struct flow_info *ret)
{
	const struct flow *f = flow_find(flows, flow);

	if (f)
		flow_info_fill(f, ret);
	return f != NULL;
}

void *flows_user(const struct flows *flows, uint64_t flow)
{
	const struct flow *f = flow_find(flows, flow);

	return f ? f->user : NULL;
}

bool flows_user_set(struct flows *flows, uint64_t flow, void *user)
{
	struct flow *f = flow_find(flows, flow);

	if (f)
		f->user = user;
	return f != NULL;
}

/* ---- its TLS ---- */

int flows_binding(struct flows *flows, uint64_t flow, uint8_t ret[TLS_BINDING_MAX], size_t *ret_len)
{
	struct flow *f = flow_find(flows, flow);

	return f && f->stream ? stream_binding(f->stream, ret, ret_len) : BASE_ERR(BASE_BUG, 0);
}

enum tls_again flows_renegotiate(struct flows *flows, uint64_t flow)
{
	struct flow *f = flow_find(flows, flow);

	return f && f->stream ? stream_renegotiate(f->stream) : TLS_AGAIN_CLOSED;
}

bool flows_forget_session(struct flows *flows, uint64_t flow)
{
	struct flow *f = flow_find(flows, flow);

	return !f || !f->stream || stream_forget_session(f->stream);
}

bool flows_provisional(struct flows *flows, uint64_t flow, bool is)
{
	struct flow *f = flow_find(flows, flow);

	if (f)
		f->provisional = is;
	return f != NULL;
}

void flows_pause(struct flows *flows, enum flow_transport transport, bool paused)
{
	BASE_LIST_EACH(&flows->doors, node, after)
	{
		struct flow_door *d = BASE_CONTAINER_OF(node, struct flow_door, node);

		if (d->transport == transport)
			stream_listener_pause(d->listener, paused);
	}
}

/* ---- what we say of ourselves ---- */

static bool any_address(const union stream_addr *addr)
{
	return addr->sa.sa_family == AF_INET
	               ? addr->in.sin_addr.s_addr == htonl(INADDR_ANY)
	               : addr->sa.sa_family == AF_INET6 &&
	                         IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

/* The address that datagrams to this peer leave from. */
static union stream_addr leaves_from(const union stream_addr *remote,
                                     const union stream_addr *bound)
{
	union stream_addr local = *bound;
	socklen_t len = sizeof(local);
	int fd = socket(remote->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* Nothing is sent by this; where it fails the bound address has to do. */
	if (fd >= 0 && connect(fd, &remote->sa, stream_addr_len(remote)) == 0)
		(void)getsockname(fd, &local.sa, &len);
	if (fd >= 0)
		close(fd);
	return local;
}

/* The port where we take connections of this kind; 0 = we take none. */
static uint16_t door_port(const struct flows *flows, enum flow_transport transport, int family)
{
	BASE_LIST_EACH(&flows->doors, node, after)
	{
		const struct flow_door *d = BASE_CONTAINER_OF(node, struct flow_door, node);
		const union stream_addr *local = stream_listener_local(d->listener);

		if (d->transport == transport && local->sa.sa_family == family)
			return stream_addr_port(local);
	}
	return 0;
}

static void own_address(const struct flows *flows, const struct flow *f, union stream_addr *addr,
                        uint16_t *ret_port)
{
	uint16_t door = 0;

	if (f->transport == FLOW_UDP) {
		*addr = f->socket->local;
		*ret_port = stream_addr_port(addr);
		if (any_address(addr))
			*addr = leaves_from(&f->remote, addr);
		return;
	}
	*addr = *stream_local(f->stream);
	if (!flows->config.leaving)
		door = door_port(flows, f->transport, f->remote.sa.sa_family);
	*ret_port = door ? door : stream_addr_port(addr);
}

/* RFC 5923, 8.1: a TLS connection of ours, where we can be reached without it as well. */
static bool may_be_reused(const struct flows *flows, const struct flow *f)
{
	return flows->config.alias && f && f->transport == FLOW_TLS && !f->accepted &&
	       door_port(flows, FLOW_TLS, f->remote.sa.sa_family);
}

void flows_local(struct flows *flows, struct sip_flow flow, struct sip_local *ret)
{
	static const char *const params[] = { "", ";transport=tcp", ";transport=tls" };
	const struct flow *f = flow_find(flows, flow.id);
	union stream_addr addr = { .sa = { .sa_family = AF_UNSPEC } };
	char ip[STREAM_ADDR_TEXT];
	const char *host = ip;
	enum flow_transport transport = f ? f->transport : FLOW_UDP;
	uint16_t port = 5060;

	if (f)
		own_address(flows, f, &addr, &port);
	(void)stream_addr_host(&addr, ip, sizeof(ip));
	if (flows->host[0])
		host = flows->host;
	else if (addr.sa.sa_family == AF_INET6)
		(void)snprintf(
		        ip, sizeof(ip), "[%s]",
		        stream_addr_host(&addr, (char[STREAM_ADDR_TEXT]){ 0 }, STREAM_ADDR_TEXT));
	else if (addr.sa.sa_family != AF_INET)
		host = "invalid.invalid"; /* of a flow that is no more: nobody will read it */
	(void)snprintf(flows->sent_by, sizeof(flows->sent_by), "%s:%u%s", host, port,
	               transport == FLOW_UDP     ? ";rport" /* RFC 3581, 3 */
	               : may_be_reused(flows, f) ? ";alias"
	                                         : "");
	(void)snprintf(flows->contact, sizeof(flows->contact), "sip:%s%s%s:%u%s", flows->user,
	               flows->user[0] ? "@" : "", host, port, params[transport]);
	ret->transport = flow_transport_name(transport);
	ret->sent_by = flows->sent_by;
	ret->contact = flows->contact;
}

/* ---- life ---- */

#define DEFAULT(field, value)                                                                      \
	do {                                                                                       \
		if (!flows->config.field)                                                          \
			flows->config.field = (value);                                             \
	} while (0)

static void defaults(struct flows *flows)
{
	DEFAULT(flows_max, 65536);
	DEFAULT(conns_max, 4096);
	DEFAULT(source_max, 256);
	DEFAULT(message_ms, 10000);
	DEFAULT(handshake_ms, flows->config.message_ms);
	DEFAULT(connect_ms, 4000);
	DEFAULT(idle_ms, 3600000);
	DEFAULT(stall_ms, 30000);
	DEFAULT(avoid_ms, 30000);
	DEFAULT(stun_rto_ms, 500);
	DEFAULT(pong_ms, 10000); /* RFC 5626, 4.4.1 */
	DEFAULT(datagram_max, 1300);
}

int flows_new(struct flows **ret, struct streams *streams, const struct flow_config *config,
              const struct flow_ops *ops, struct base_error *err)
{
	struct flows *flows = calloc(1, sizeof(*flows));
	int rc;

	if (!flows)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	base_list_init(&flows->sockets);
	base_list_init(&flows->doors);
	base_list_init(&flows->datagrams);
	base_list_init(&flows->conns);
	base_list_init(&flows->hunting);
	flows->streams = streams;
	flows->loop = streams_loop(streams);
	flows->config = *config;
	flows->ops = *ops;
	defaults(flows);
	flows->last_id = config->first_id ? config->first_id - 1 : 0;
	(void)snprintf(flows->host, sizeof(flows->host), "%s", config->host ? config->host : "");
	(void)snprintf(flows->user, sizeof(flows->user), "%s", config->user ? config->user : "");
	(void)snprintf(flows->peer, sizeof(flows->peer), "%s", config->peer ? config->peer : "");
	flows->domain = config->domain ? tls_domain_ref(config->domain) : NULL;
	flows->buffer = malloc((size_t)FLOW_BATCH * SIP_MESSAGE_OCTETS_MAX);
	rc = flows->buffer
	             ? flow_resolver_new(&flows->resolver, flows->loop, &config->resolver, err)
	             : base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	if (rc)
		flows_free(flows);
	else
		*ret = flows;
	return rc;
}

void flows_free(struct flows *flows)
{
	if (!flows)
		return;
	flow_hunts_free(flows);
	flow_resolver_free(flows->resolver);
	BASE_LIST_EACH(&flows->doors, node, after)
	flow_door_close(BASE_CONTAINER_OF(node, struct flow_door, node));
	BASE_LIST_EACH(&flows->conns, node, after)
	flow_drop(BASE_CONTAINER_OF(node, struct flow, node));
	BASE_LIST_EACH(&flows->datagrams, node, after)
	flow_drop(BASE_CONTAINER_OF(node, struct flow, node));
	BASE_LIST_EACH(&flows->sockets, node, after)
	flow_udp_close(BASE_CONTAINER_OF(node, struct flow_socket, node));
	base_map_done(&flows->ids);
	base_map_done(&flows->peers);
	base_map_done(&flows->hunts);
	base_map_done(&flows->aliases);
	tls_domain_unref(flows->domain);
	free(flows->buffer);
	free(flows);
}

void flows_domain_set(struct flows *flows, struct tls_domain *domain)
{
	struct tls_domain *old = flows->domain;

	flows->domain = domain ? tls_domain_ref(domain) : NULL;
	tls_domain_unref(old);
}

int flows_listen(struct flows *flows, enum flow_transport transport, union stream_addr *local,
                 struct base_error *err)
{
	if (transport == FLOW_UDP)
		return flow_udp_open(flows, local, err);
	if (transport == FLOW_TLS && !flows->domain)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "SIP inside TLS needs a TLS domain");
	return flow_door_open(flows, transport, local, err);
}

const struct flow_counters *flows_count(const struct flows *flows)
{
	return &flows->count;
}
