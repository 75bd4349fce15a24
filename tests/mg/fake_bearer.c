/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_bearer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

/* The fake needs its stage; one runs at a time. */
static struct stage *on;

#define ORDER(...) stage_say(on->orders, sizeof(on->orders), __VA_ARGS__)

static struct stage_endpoint *fake_of(const struct relay_endpoint *endpoint)
{
	return (struct stage_endpoint *)(uintptr_t)endpoint;
}

static size_t number_of(const struct stage_endpoint *e)
{
	return (size_t)(e - on->endpoint);
}

static int fake_context_new(struct relay_context **ret, struct relay_pool *pool)
{
	unsigned *worker = malloc(sizeof(*worker));

	(void)pool;
	if (!worker)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	on->contexts++;
	*worker = on->context_number++ % 2;
	*ret = (struct relay_context *)worker;
	return 0;
}

static unsigned worker_of(const struct relay_context *context)
{
	return *(const unsigned *)(uintptr_t)context;
}

static void fake_context_free(struct relay_context *context)
{
	on->contexts--;
	free(context);
}

static void fake_tls(struct stage_endpoint *e, const struct relay_tls_spec *tls)
{
	const struct tls_session_spec *s = &tls->session;

	e->tls = true;
	e->tls_role = s->role;
	e->domain = tls->domain;
	e->mark = tls->mark;
	e->psk_count = s->psk_count;
	e->fingerprint_count = s->fingerprint_count;
	snprintf(e->psk_hint, sizeof(e->psk_hint), "%s", s->psk_hint ? s->psk_hint : "");
	e->psk_id[0] = '\0';
	if (s->psk_count) {
		snprintf(e->psk_id, sizeof(e->psk_id), "%.*s", BASE_FMT(s->psks[0].identity));
		memcpy(e->psk, s->psks[0].key.data, s->psks[0].key.len);
		e->psk_len = s->psks[0].key.len;
	}
}

static void fake_gate(struct stage_endpoint *e, const struct relay_gate *gate)
{
	e->gate = gate ? *gate : (struct relay_gate){ 0 };
	ORDER("gate %zu", number_of(e));
	if (e->gate.sources_only)
		ORDER(" sources=%u", e->gate.source_count);
	for (unsigned i = 0; i < e->gate.source_count; i++) {
		char host[INET6_ADDRSTRLEN];

		inet_ntop(e->gate.source[i].family, e->gate.source[i].octets, host, sizeof(host));
		ORDER(" %s/%u", host, e->gate.source[i].prefix);
	}
	if (e->gate.port_max)
		ORDER(" ports=%u-%u", e->gate.port_min, e->gate.port_max);
	if (e->gate.sustained.octets_per_s)
		ORDER(" sustained=%u/%u", e->gate.sustained.octets_per_s, e->gate.sustained.burst);
	if (e->gate.peak.octets_per_s)
		ORDER(" peak=%u/%u", e->gate.peak.octets_per_s, e->gate.peak.burst);
	ORDER(" dscp=%u\n", e->gate.dscp);
}

static void fake_aim(const struct sockaddr_storage *remote, const struct relay_dgram_spec *dgram)
{
	const struct sockaddr_in *rtcp = (const struct sockaddr_in *)&dgram->rtcp_remote;

	ORDER(" to %u", ntohs(((const struct sockaddr_in *)remote)->sin_port));
	if (dgram->rtcp_remote.ss_family)
		ORDER("/%u", ntohs(rtcp->sin_port));
	ORDER("%s\n", dgram->latch ? " latch" : "");
}

static int fake_dgram_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote,
                          const struct relay_dgram_spec *dgram)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_of(endpoint)->fingers_when_aimed = fake_of(endpoint)->fingerprint_count;
	fake_of(endpoint)->srtp_profile = dgram->srtp_profiles[0];
	fake_of(endpoint)->kept = false;
	ORDER("aim %zu", number_of(fake_of(endpoint)));
	fake_aim(remote, dgram);
	return 0;
}

static int fake_add(struct relay_endpoint **ret, struct relay_context *context,
                    const struct relay_endpoint_spec *spec, struct base_error *err)
{
	struct stage_endpoint *e = &on->endpoint[on->endpoints % STAGE_ENDPOINTS];
	struct sockaddr_in *in = (struct sockaddr_in *)&e->local;

	(void)err;
	if (on->add_error)
		return BASE_ERR(BASE_LOCAL, on->add_error);
	for (size_t i = 0; i < STAGE_ENDPOINTS; i++) {
		const struct stage_endpoint *o = &on->endpoint[i];

		if (o->fn && !o->removed && ((const struct sockaddr_in *)&spec->local)->sin_port &&
		    ((const struct sockaddr_in *)&o->local)->sin_port ==
		            ((const struct sockaddr_in *)&spec->local)->sin_port)
			return BASE_ERR(BASE_LOCAL, EADDRINUSE);
	}
	for (size_t tries = 0; e->fn && !e->removed; tries++) {
		if (tries == STAGE_ENDPOINTS)
			return BASE_ERR(BASE_LOCAL, EMFILE);
		e = &on->endpoint[++on->endpoints % STAGE_ENDPOINTS];
	}
	in = (struct sockaddr_in *)&e->local;
	memset(e, 0, sizeof(*e));
	e->context = context;
	e->worker = worker_of(context);
	e->tcp_role = spec->tcp_role;
	e->local = spec->local;
	e->remote = spec->remote;
	e->fn = spec->fn;
	e->arg = spec->arg;
	e->send = e->receive = true;
	if (!in->sin_port) /* the same place for IPv6 */
		in->sin_port = htons(on->next_port++);
	if (spec->tls)
		fake_tls(e, spec->tls);
	on->endpoints++;
	if (spec->dgram) {
		ORDER("add %zu udp%s%s%s%s%s%s", number_of(e), spec->dgram->rtp ? " rtp" : "",
		      spec->dgram->srtp ? " srtp" : "", spec->dgram->rtcp_port ? " rtcp" : "",
		      spec->dgram->rtcp_mux ? " mux" : "",
		      !spec->tls                                   ? ""
		      : spec->tls->session.role == TLS_ROLE_CLIENT ? " dtls-client"
		                                                   : " dtls-server",
		      spec->tls_hold ? " hold" : "");
		for (unsigned i = 0; i < spec->dgram->srtp_count; i++)
			ORDER(" %u", spec->dgram->srtp_profiles[i]);
		if (spec->dgram->shared)
			ORDER(" shared");
		fake_aim(&spec->remote, spec->dgram);
	} else {
		ORDER("add %zu %s%s%s\n", number_of(e),
		      spec->tcp_role == RELAY_TCP_CLIENT ? "client" : "server",
		      !spec->tls                                   ? ""
		      : spec->tls->session.role == TLS_ROLE_CLIENT ? " tls-client"
		                                                   : " tls-server",
		      spec->tls_hold ? " hold" : "");
		if (spec->tls && spec->tls->session.renegotiate)
			ORDER("reneg %d\n", (int)spec->tls->session.renegotiate);
	}
	if (spec->gate)
		fake_gate(e, spec->gate);
	*ret = (struct relay_endpoint *)e;
	return 0;
}

static void fake_local(const struct relay_endpoint *endpoint, struct sockaddr_storage *ret)
{
	*ret = fake_of(endpoint)->local;
}

static int fake_remote_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote)
{
	struct stage_endpoint *e = fake_of(endpoint);

	e->remote = *remote;
	ORDER("remote %zu %u\n", number_of(e),
	      ntohs(((const struct sockaddr_in *)remote)->sin_port));
	return 0;
}

static int fake_peer_keep(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (remote)
		ORDER("keep %zu %u\n", number_of(e),
		      ntohs(((const struct sockaddr_in *)remote)->sin_port));
	e->kept = remote && !e->keep_error;
	return remote && e->keep_error ? BASE_ERR(BASE_LOCAL, e->keep_error) : 0;
}

static int fake_tls_set(struct relay_endpoint *endpoint, const struct relay_tls_spec *tls)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_tls(fake_of(endpoint), tls);
	return 0;
}

static int fake_connect(struct relay_endpoint *endpoint)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_of(endpoint)->connected = true;
	ORDER("connect %zu\n", number_of(fake_of(endpoint)));
	return 0;
}

static int fake_start_tls(struct relay_endpoint *endpoint, enum tls_role role)
{
	fake_of(endpoint)->tls_role = role;
	ORDER("start-tls %zu %s\n", number_of(fake_of(endpoint)),
	      role == TLS_ROLE_CLIENT ? "client" : "server");
	return 0;
}

static int fake_release(struct relay_endpoint *endpoint, bool abort)
{
	ORDER("release %zu%s\n", number_of(fake_of(endpoint)), abort ? " abort" : "");
	return 0;
}

static int fake_mode_set(struct relay_endpoint *endpoint, bool may_send, bool may_receive)
{
	struct stage_endpoint *e = fake_of(endpoint);

	e->send = may_send;
	e->receive = may_receive;
	ORDER("mode %zu%s%s\n", number_of(e), may_send ? " send" : "",
	      may_receive ? " receive" : "");
	return 0;
}

static int fake_gate_set(struct relay_endpoint *endpoint, const struct relay_gate *gate)
{
	if (fake_of(endpoint)->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fake_gate(fake_of(endpoint), gate);
	return 0;
}

static int fake_renegotiate(struct relay_endpoint *endpoint)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	ORDER("renegotiate %zu\n", number_of(e));
	e->again = true;
	return 0;
}

static int fake_link(struct relay_endpoint *endpoint, struct relay_endpoint *partner)
{
	struct stage_endpoint *e = fake_of(endpoint), *p = partner ? fake_of(partner) : NULL;

	if (e->dull)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (e->partner)
		e->partner->partner = NULL;
	e->partner = p;
	if (p) {
		if (p->partner)
			p->partner->partner = NULL;
		p->partner = e;
		if (p->worker != e->worker)
			abort();
		ORDER("link %zu %zu\n", number_of(e), number_of(p));
	} else {
		ORDER("unlink %zu\n", number_of(e));
	}
	return 0;
}

static enum relay_reach fake_reach(const struct relay_endpoint *endpoint,
                                   const struct relay_context *context)
{
	const struct stage_endpoint *e = fake_of(endpoint);

	if (e->busy)
		return RELAY_BUSY;
	return e->worker == worker_of(context) ? RELAY_NEAR : RELAY_FAR;
}

static void fake_move(struct relay_endpoint *endpoint, struct relay_context *context)
{
	struct stage_endpoint *e = fake_of(endpoint);

	ORDER("%s %zu\n", e->worker == worker_of(context) ? "shift" : "move", number_of(e));
	e->context = context;
	e->worker = worker_of(context);
	if (e->partner) /* the relay itself would part them */
		abort();
}

static void fake_remove(struct relay_endpoint *endpoint)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->partner)
		e->partner->partner = NULL;
	e->partner = NULL;
	e->removed = true;
	ORDER("remove %zu\n", number_of(e));
}

static void fake_stats(const struct relay_endpoint *endpoint, struct relay_stats *ret)
{
	*ret = fake_of(endpoint)->stats;
}

/* ---- hubs: only what they are told ---- */

struct relay_hub {
	size_t number;
};

static int fake_hub_new(struct relay_hub **ret, struct relay_context *context,
                        const struct relay_hub_spec *spec, struct base_error *err)
{
	static const char *const kinds[] = { "relay", "room", "floor" };
	struct relay_hub *hub;

	(void)context;
	if (on->dull_hubs)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	hub = calloc(1, sizeof(*hub));
	if (!hub)
		abort();
	hub->number = on->hubs++;
	on->hubs_there++;
	ORDER("hub %zu %s", hub->number, kinds[spec->kind]);
	if (spec->kind == RELAY_HUB_ROOM)
		ORDER(" %.*s%s%s %llu", BASE_FMT(spec->uri), spec->nicknames ? " nicknames" : "",
		      spec->private_messages ? " private" : "", (unsigned long long)spec->octets);
	if (spec->kind == RELAY_HUB_FLOOR)
		ORDER(" %u", spec->conference);
	ORDER("\n");
	*ret = hub;
	return 0;
}

static void fake_hub_free(struct relay_hub *hub)
{
	ORDER("hub-end %zu\n", hub->number);
	on->hubs_there--;
	free(hub);
}

static int fake_conference(struct relay_hub *hub, const struct relay_floor *floor, size_t floors,
                           const struct relay_user *user, size_t users)
{
	ORDER("conference %zu floors", hub->number);
	for (size_t i = 0; i < floors; i++)
		ORDER(" %u/%u/%u", floor[i].id, floor[i].chair, floor[i].holders);
	ORDER(" users");
	for (size_t i = 0; i < users; i++)
		ORDER(" %u<%.*s|%.*s>%s", user[i].id, BASE_FMT(user[i].name), BASE_FMT(user[i].uri),
		      user[i].third_party ? "+third" : "");
	ORDER("\n");
	return 0;
}

static int fake_seat(struct relay_endpoint *endpoint, struct relay_hub *hub,
                     const struct relay_seat_spec *spec, struct base_error *err)
{
	struct stage_endpoint *e = fake_of(endpoint);

	if (e->dull)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
	ORDER("seat %zu %zu", number_of(e), hub->number);
	if (spec->own.len)
		ORDER(" %.*s %.*s", BASE_FMT(spec->own), BASE_FMT(spec->peer));
	for (size_t i = 0; i < spec->uris; i++)
		ORDER(" %.*s", BASE_FMT(spec->uri[i]));
	if (spec->user)
		ORDER(" user %u", spec->user);
	ORDER("%s\n", spec->private_messages ? " private" : "");
	return 0;
}

static const struct mg_bearer_ops fake = {
	.hub_new = fake_hub_new,
	.hub_free = fake_hub_free,
	.hub_conference = fake_conference,
	.endpoint_seat = fake_seat,
	.context_new = fake_context_new,
	.context_free = fake_context_free,
	.endpoint_add = fake_add,
	.endpoint_local = fake_local,
	.endpoint_remote_set = fake_remote_set,
	.endpoint_dgram_set = fake_dgram_set,
	.endpoint_peer_keep = fake_peer_keep,
	.endpoint_tls_set = fake_tls_set,
	.endpoint_connect = fake_connect,
	.endpoint_start_tls = fake_start_tls,
	.endpoint_release = fake_release,
	.endpoint_renegotiate = fake_renegotiate,
	.endpoint_mode_set = fake_mode_set,
	.endpoint_gate_set = fake_gate_set,
	.endpoint_link = fake_link,
	.endpoint_reach = fake_reach,
	.endpoint_move = fake_move,
	.endpoint_remove = fake_remove,
	.endpoint_stats = fake_stats,
};

const struct mg_bearer_ops *fake_bearer(struct stage *stage)
{
	on = stage;
	return &fake;
}
