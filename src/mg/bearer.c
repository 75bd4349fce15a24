/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/pkg.h"
#include "mg/service.h"

/* ---- relay contexts ---- */

struct mg_bearer *mg_bearer_new(struct mg *mg)
{
	struct mg_bearer *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->refs = 1;
	if (mg->bearer->context_new(&b->relay, mg->pool)) {
		free(b);
		return NULL;
	}
	return b;
}

void mg_bearer_unref(struct mg *mg, struct mg_bearer *bearer)
{
	if (!bearer || --bearer->refs)
		return;
	mg->bearer->context_free(bearer->relay);
	free(bearer);
}

/* ---- what a stream's descriptors mean ---- */

static const struct h248_sdp_group *group_of(const struct h248_sdp *sdp)
{
	return sdp->groups;
}

bool mg_stream_tls(const struct mg_stream *stream)
{
	const struct h248_sdp_group *g = group_of(&stream->local);

	return g && g->has_media && g->media.security != H248_SDP_CLEAR;
}

struct mg_tcp_role mg_stream_tcp_role(const struct mg_stream *stream)
{
	const struct h248_sdp_group *l = group_of(&stream->local), *r = group_of(&stream->remote);
	unsigned ours = l ? l->setup : H248_SDP_SETUP_ABSENT;
	unsigned theirs = r ? r->setup : H248_SDP_SETUP_ABSENT;
	bool we_say = ours == H248_SDP_ACTIVE || ours == H248_SDP_PASSIVE;
	bool they_say = theirs == H248_SDP_ACTIVE || theirs == H248_SDP_PASSIVE;
	struct mg_tcp_role role = { .fixed = we_say || they_say };

	if (mg_stream_udp(stream)) /* a=setup speaks of something else there */
		return (struct mg_tcp_role){ 0 };
	role.conflict = we_say && they_say && ours == theirs;
	role.hold = ours == H248_SDP_HOLDCONN || theirs == H248_SDP_HOLDCONN;
	if (we_say)
		role.client = ours == H248_SDP_ACTIVE;
	else if (they_say)
		role.client = theirs == H248_SDP_PASSIVE;
	else
		role.client = stream->signalled_connect || role.hold;
	return role;
}

enum tls_role mg_stream_tls_role(const struct mg_stream *stream)
{
	if (stream->role == H248_ROLE_CLIENT)
		return TLS_ROLE_CLIENT;
	if (stream->role == H248_ROLE_SERVER)
		return TLS_ROLE_SERVER;
	if (mg_stream_dtls(stream))
		return mg_stream_dtls_role(stream);
	return stream->signalled_client ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
}

const struct mg_domain *mg_stream_domain(const struct mg *mg, const struct mg_stream *stream)
{
	if (!stream->domain_name[0])
		return mg->default_domain;
	for (size_t i = 0; i < mg->domain_count; i++)
		if (!strcmp(mg->domains[i].name, stream->domain_name))
			return &mg->domains[i];
	return NULL;
}

/* ---- the relay's specifications ---- */

struct tls_order {
	struct relay_tls_spec spec;
	struct x509_fingerprint finger[MG_FINGERS_MAX];
};

static bool hash_of(unsigned sdp, enum x509_hash *ret)
{
	switch (sdp) {
	case H248_SDP_SHA1:
		*ret = X509_HASH_SHA1;
		return true;
	case H248_SDP_SHA224:
		*ret = X509_HASH_SHA224;
		return true;
	case H248_SDP_SHA256:
		*ret = X509_HASH_SHA256;
		return true;
	case H248_SDP_SHA384:
		*ret = X509_HASH_SHA384;
		return true;
	case H248_SDP_SHA512:
		*ret = X509_HASH_SHA512;
		return true;
	default:
		return false;
	}
}

/* Only those of the strongest hash count (RFC 8122, 5.1). */
static size_t fingers_fill(struct x509_fingerprint *finger, const struct h248_sdp_group *remote)
{
	enum h248_sdp_hash best = remote ? h248_sdp_fingerprint_best(remote) : H248_SDP_HASH_OTHER;
	size_t n = 0;

	for (const struct h248_sdp_fingerprint *f = remote ? remote->fingerprints : NULL;
	     f && n < MG_FINGERS_MAX; f = f->next) {
		if (f->hash != best || !f->usable || f->choose ||
		    !hash_of(f->hash, &finger[n].hash))
			continue;
		memcpy(finger[n].octets, f->octets, f->len);
		finger[n++].len = f->len;
	}
	return n;
}

_Static_assert((int)H248_RENEG_BOTH == (int)TLS_RENEGOTIATE_BOTH &&
                       (int)H248_RENEG_INITIATE == (int)TLS_RENEGOTIATE_INITIATE &&
                       (int)H248_RENEG_ACCEPT == (int)TLS_RENEGOTIATE_ACCEPT &&
                       (int)H248_RENEG_REFUSE == (int)TLS_RENEGOTIATE_REFUSE,
               "gatehouse/reneg is what sessions know");

static void tls_fill(struct tls_order *order, const struct mg_leg *leg,
                     const struct mg_stream *stream, const struct mg_domain *domain)
{
	struct tls_session_spec *s = &order->spec.session;

	memset(order, 0, sizeof(*order));
	order->spec.domain = domain->tls;
	order->spec.mark = leg->session->mark;
	s->role = mg_stream_tls_role(stream);
	s->fingerprint_count = fingers_fill(order->finger, group_of(&stream->remote));
	s->fingerprints = order->finger;
	if (stream->keys) {
		s->psks = stream->keys->psk;
		s->psk_count = stream->keys->count;
	}
	s->psk_hint = stream->psk_hint;
	s->peer_name = stream->peer_name;
	s->server_name = stream->server_name;
	s->renegotiate = (enum tls_renegotiate)stream->renegotiate;
}

static bool remote_of(const struct mg_stream *stream, struct sockaddr_storage *ret)
{
	const struct h248_sdp_group *r = group_of(&stream->remote);

	memset(ret, 0, sizeof(*ret));
	return r && !h248_sdp_group_sockaddr(r, ret);
}

uint16_t mg_port_of(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

void mg_port_set(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)a)->sin_port = htons(port);
}

bool mg_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		               &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
}

/* The host of a c= line without its port; false when the gateway has to choose. */
static bool host_given(const struct h248_sdp_connection *c, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (c->kind == H248_SDP_ADDRESS_IP4) {
		ret->ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)ret)->sin_addr, c->octets, 4);
		return true;
	}
	if (c->kind == H248_SDP_ADDRESS_IP6) {
		ret->ss_family = AF_INET6;
		memcpy(&((struct sockaddr_in6 *)ret)->sin6_addr, c->octets, 16);
		return true;
	}
	return false;
}

/*
 * One of our media addresses: the one given, or the next of the family and realm asked for. One
 * that is given may be of any realm unless one is named.
 */
static int host_pick(struct mg *mg, const struct h248_sdp_connection *c, const char *realm,
                     struct sockaddr_storage *ret, struct base_error *err)
{
	size_t count = mg->set.address_count;
	struct sockaddr_storage given;
	bool has = host_given(c, &given);

	if (c->kind == H248_SDP_ADDRESS_NAME)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE),
		                      "Local: a host name is no address of this gateway");
	for (size_t i = 0; i < count; i++) {
		size_t n = (mg->last_address + 1 + i) % count;
		const struct sockaddr_storage *a = &mg->set.addresses[n];

		if (!mg_address_good(mg, n))
			continue;
		if (has ? !mg_same_host(a, &given) : c->family && a->ss_family != c->family)
			continue;
		if ((!has || realm[0]) && !mg_ipdc_fits(&mg->set, n, realm))
			continue;
		if (!has)
			mg->last_address = n;
		*ret = *a;
		return 0;
	}
	if (has)
		return base_error_set(err, BASE_ERR(BASE_PEER, H248_E_VALUE),
		                      "Local: the address in c= is none of this gateway, or out of "
		                      "service%s%s",
		                      realm[0] ? " in realm " : "", realm);
	return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
	                      "Local: no media address of that family is in service %s%s",
	                      realm[0] ? "in realm " : "outside of realms", realm);
}

/* ---- making one ---- */

/*
 * 0 = any: CHOOSE; 9, the port of those who connect (RFC 4145, 4.1); and the port of the leg that
 * is to be replaced, which still holds it (the reply then tells another one).
 */
static uint16_t port_wanted(const struct h248_sdp_group *g, const struct mg_leg *old)
{
	struct sockaddr_storage local;

	if (g->media.port_choose || g->media.port == 9)
		return 0;
	if (old)
		mg_leg_local(old, &local);
	return old && g->media.port == mg_port_of(&local) ? 0 : g->media.port;
}

static int leg_bind_at(struct mg_leg *leg, struct relay_context *relay,
                       struct relay_endpoint_spec *spec, uint16_t port, struct base_error *err)
{
	mg_port_set(&spec->local, port);
	return leg->mg->bearer->endpoint_add(&leg->endpoint, relay, spec, err);
}

/* The given port, or one of the range, starting after the last one used; or the kernel's. */
static int leg_bind(struct mg_leg *leg, struct relay_context *relay,
                    struct relay_endpoint_spec *spec, uint16_t port, struct base_error *err)
{
	struct mg *mg = leg->mg;
	unsigned min = mg->set.port_min, range = mg->set.port_max - min + 1U;
	int rc = BASE_ERR(BASE_LOCAL, EADDRINUSE);

	if (port || !mg->set.port_max)
		return leg_bind_at(leg, relay, spec, port, err);
	for (unsigned i = 0; i < range; i++) {
		mg->last_port = (mg->last_port + 1) % range;
		/* With the next one for RTCP, which has to be of the range too. */
		if (spec->dgram && spec->dgram->rtcp_port &&
		    ((min + mg->last_port) % 2 || min + mg->last_port == mg->set.port_max))
			continue;
		rc = leg_bind_at(leg, relay, spec, (uint16_t)(min + mg->last_port), err);
		if (!rc || base_err_detail(rc) != EADDRINUSE)
			return rc;
	}
	return rc;
}

static int bind_error(int rc, uint16_t port, struct base_error *err)
{
	switch (base_err_detail(rc)) {
	case EADDRINUSE:
		if (port)
			return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
			                      "Local: port %u is in use", port);
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: no free port is left");
	case EDESTADDRREQ:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_MISSING_REMOTE_LOCAL),
		                      "Local: a shared port needs Remote");
	case EPROTOTYPE:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_CONFLICT),
		                      "Local: those that wait at port %u have another TLS domain",
		                      port);
	case EXDEV:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: streams that wait for unnamed peers in this TLS "
		                      "domain are on another worker than this context's sessions; "
		                      "add it before those");
	case EMFILE:
	case ENFILE:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: no descriptor is left");
	case ENOMEM:
	case ENOBUFS:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: memory is short");
	default:
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "Local: cannot bind: %s", strerror((int)base_err_detail(rc)));
	}
}

void mg_leg_local(const struct mg_leg *leg, struct sockaddr_storage *ret)
{
	leg->mg->bearer->endpoint_local(leg->endpoint, ret);
}

const char *mg_leg_domain(const struct mg_leg *leg)
{
	return leg->session ? leg->session->domain_name : "";
}

static bool same_keys(const struct mg_keys *a, const struct mg_keys *b)
{
	bool same = a && b && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = base_str_eq(a->psk[i].identity, b->psk[i].identity) &&
		       base_secret_equal(a->psk[i].key.data, a->psk[i].key.len, b->psk[i].key.data,
		                         b->psk[i].key.len);
	return same;
}

/*
 * What the stream says of its peer is what the bearer is told next. @return whether it is another
 * than before: then a session that there is has to be held against it
 */
static bool peer_anew(struct mg_leg_session *t, const struct mg_stream *stream)
{
	uint64_t prints = mg_stream_prints(stream);
	bool anew = (prints && prints != t->prints) ||
	            (stream->keys && !same_keys(stream->keys, t->keys));

	t->association = mg_stream_association(stream);
	t->mark += anew;
	t->prints = prints;
	if (t->keys != stream->keys) {
		mg_keys_unref(t->keys);
		t->keys = mg_keys_ref(stream->keys);
	}
	return anew;
}

/* @return false when memory is short */
static bool leg_describe(struct mg_leg *leg, const struct mg_stream *stream,
                         const struct mg_domain *domain)
{
	leg->stream = stream->id;
	leg->tls = mg_stream_tls(stream);
	leg->udp = mg_stream_udp(stream);
	leg->tcp_role = mg_stream_tcp_role(stream).client ? RELAY_TCP_CLIENT : RELAY_TCP_SERVER;
	leg->link = stream->link;
	leg->may_send = leg->may_receive = true;
	mg_app_describe(leg, stream);
	if (stream->leg) /* whose count goes on */
		leg->carried = calloc(1, sizeof(*leg->carried));
	if (leg->tls)
		leg->session = calloc(1, sizeof(*leg->session));
	if ((stream->leg && !leg->carried) || (leg->tls && !leg->session))
		return false;
	if (leg->tls) {
		leg->session->domain = domain;
		(void)peer_anew(leg->session, stream);
		snprintf(leg->session->domain_name, sizeof(leg->session->domain_name), "%s",
		         domain->name);
	}
	return true;
}

int mg_leg_new(struct mg_leg **ret, struct mg *mg, struct mg_bearer *bearer, struct mg_term *term,
               const struct mg_stream *stream, const struct mg_domain *domain,
               struct base_error *err)
{
	const struct h248_sdp_group *g = group_of(&stream->local);
	struct relay_endpoint_spec spec = { .fn = mg_leg_event };
	struct relay_dgram_spec dgram;
	uint16_t port = port_wanted(g, stream->leg);
	struct mg_leg *leg = calloc(1, sizeof(*leg));
	struct tls_order order;
	int rc;

	if (!leg)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, H248_E_RESOURCES),
		                      "memory is short");
	leg->mg = mg;
	leg->term = term;
	rc = leg_describe(leg, stream, domain) ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!rc)
		rc = mg_leg_gate(mg, leg, stream);
	if (rc) {
		rc = bind_error(BASE_ERR(BASE_LOCAL, ENOMEM), port, err);
		goto out;
	}
	rc = host_pick(mg, &g->connection, stream->realm, &spec.local, err);
	if (rc)
		goto out;
	spec.gate = leg->gate;
	spec.tcp_role = leg->tcp_role;
	if (leg->tcp_role == RELAY_TCP_CLIENT)
		(void)remote_of(stream, &spec.remote); /* may come later */
	if (leg->tls) {
		tls_fill(&order, leg, stream, domain);
		spec.tls = &order.spec;
	}
	spec.linked_setup = stream->link != H248_LINK_OFF;
	spec.linked_tls = leg->tls && stream->link == H248_LINK_TCP_TLS;
	leg->reserved =
	        leg->tls && !leg->udp && !stream->remote.groups && g->setup == H248_SDP_ACTPASS;
	spec.tls_hold = spec.linked_tls || leg->reserved;
	if (leg->udp)
		mg_leg_udp_fill(leg, stream, &spec, &dgram);
	spec.handshake_timeout_ms = mg->set.handshake_ms;
	if (leg->tcp_role == RELAY_TCP_CLIENT)
		spec.connect_timeout_ms = mg->set.connect_ms;
	spec.arg = leg;
	rc = leg_bind(leg, bearer->relay, &spec, port, err);
	if (rc) {
		rc = bind_error(rc, port, err);
		goto out;
	}
	*ret = leg;
	leg = NULL;
out:
	mg_leg_free(mg, leg);
	return rc;
}

void mg_leg_part(struct mg_leg *leg)
{
	if (leg->partner)
		leg->partner->partner = NULL;
	leg->partner = NULL;
}

void mg_leg_free(struct mg *mg, struct mg_leg *leg)
{
	if (!leg)
		return;
	if (leg->partner) /* it lives on: our end must not be carried to it */
		(void)mg->bearer->endpoint_link(leg->endpoint, NULL);
	mg_leg_part(leg);
	if (leg->endpoint)
		mg->bearer->endpoint_remove(leg->endpoint);
	free(leg->gate);
	free(leg->path);
	free(leg->carried);
	if (leg->session)
		mg_keys_unref(leg->session->keys);
	free(leg->session);
	free(leg);
}

static bool host_in_realm(const struct mg_settings *set, const struct sockaddr_storage *host,
                          const char *realm)
{
	for (size_t i = 0; i < set->address_count; i++)
		if (mg_same_host(&set->addresses[i], host) && mg_ipdc_fits(set, i, realm))
			return true;
	return false;
}

bool mg_leg_fits(const struct mg_leg *leg, const struct mg_stream *stream,
                 const struct mg_domain *domain)
{
	const struct h248_sdp_group *g = group_of(&stream->local);
	enum relay_tcp_role role =
	        mg_stream_tcp_role(stream).client ? RELAY_TCP_CLIENT : RELAY_TCP_SERVER;
	struct sockaddr_storage host, local;

	if (!g || leg->state == MG_LEG_ENDED)
		return false;
	if (leg->tls != mg_stream_tls(stream) || leg->udp != mg_stream_udp(stream))
		return false;
	if ((leg->udp && !mg_leg_udp_fits(leg, stream)) || !mg_app_fits(leg, stream))
		return false;
	if (leg->tls && domain && strcmp(mg_leg_domain(leg), domain->name) != 0)
		return false;
	mg_leg_local(leg, &local);
	if (host_given(&g->connection, &host) && !mg_same_host(&host, &local))
		return false;
	if (stream->realm[0] && !host_in_realm(&leg->mg->set, &local, stream->realm))
		return false;
	if (!g->media.port_choose && g->media.port != 9 && g->media.port != mg_port_of(&local))
		return false;
	/* Who connected is history once it is connected. */
	return leg->state != MG_LEG_WAITING || (leg->tcp_role == role && leg->link == stream->link);
}

/* Where a TCP server is that is still to be called. */
static int leg_aim(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream)
{
	struct sockaddr_storage remote;

	if (stream->new_remote && leg->state == MG_LEG_WAITING &&
	    leg->tcp_role == RELAY_TCP_CLIENT && remote_of(stream, &remote))
		return mg->bearer->endpoint_remote_set(leg->endpoint, &remote);
	return 0;
}

/* Who it has to be, and who may come, is told first: a DTLS client begins as soon as it knows
 * where, and who latches is whoever comes then. */
int mg_leg_update(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream,
                  const struct mg_domain *domain)
{
	struct tls_order order;
	int rc = 0;

	if (leg->tls && leg->state != MG_LEG_ENDED && domain &&
	    (peer_anew(leg->session, stream) || leg->state != MG_LEG_TLS_UP)) {
		tls_fill(&order, leg, stream, domain);
		rc = mg->bearer->endpoint_tls_set(leg->endpoint, &order.spec);
	}
	if (!rc && leg->state != MG_LEG_ENDED)
		rc = mg_leg_gate(mg, leg, stream);
	if (rc)
		return rc;
	return leg->udp ? mg_leg_udp_update(mg, leg, stream) : leg_aim(mg, leg, stream);
}

void mg_leg_stats(const struct mg *mg, const struct mg_leg *leg, struct relay_stats *ret)
{
	const struct relay_stats *c = leg->carried;

	memset(ret, 0, sizeof(*ret));
	mg->bearer->endpoint_stats(leg->endpoint, ret);
	if (!c)
		return;
	ret->octets_in += c->octets_in;
	ret->octets_out += c->octets_out;
	ret->wire_in += c->wire_in;
	ret->wire_out += c->wire_out;
	ret->records_in += c->records_in;
	ret->records_out += c->records_out;
	ret->handshakes += c->handshakes;
	ret->handshake_failures += c->handshake_failures;
	ret->resumptions += c->resumptions;
	ret->auth_failures += c->auth_failures;
	ret->handshake_ms += c->handshake_ms;
	ret->alerts_in += c->alerts_in;
	ret->alerts_out += c->alerts_out;
	ret->renegotiations += c->renegotiations;
	ret->renegotiation_failures += c->renegotiation_failures;
	ret->segments_retransmitted += c->segments_retransmitted;
	ret->refused += c->refused;
	ret->packets_in += c->packets_in;
	ret->packets_out += c->packets_out;
	ret->packets_lost += c->packets_lost;
	ret->messages_in += c->messages_in;
	ret->messages_out += c->messages_out;
}

/* ---- what belongs together ---- */

static struct mg_stream *partner_of(const struct mg_context *context, const struct mg_term *term,
                                    uint16_t id)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t)) {
		struct mg_stream *s = t == term ? NULL : mg_term_stream(t, id);

		if (s && s->leg)
			return s;
	}
	return NULL;
}

/* May media of `stream` flow from `from` to `to` (7.1.18)? */
static bool topology_flows(const struct mg_context *context, const struct mg_term *from,
                           const struct mg_term *to, uint16_t stream)
{
	for (struct base_node *n = context->topology.next; n != &context->topology; n = n->next) {
		struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (t->has_stream && t->stream != stream)
			continue;
		if (t->from == from && t->to == to)
			return t->forward;
		if (t->from == to && t->to == from)
			return t->backward;
	}
	return true;
}

static bool mode_sends(const struct mg_stream *s)
{
	return s->mode == H248_SEND_ONLY || s->mode == H248_SEND_RECEIVE;
}

static bool mode_receives(const struct mg_stream *s)
{
	return s->mode == H248_RECEIVE_ONLY || s->mode == H248_SEND_RECEIVE;
}

/* What the relay makes of a link: the earlier ones of both ends are over. */
static void leg_pair(struct mg_leg *leg, struct mg_leg *partner)
{
	mg_leg_part(leg);
	if (!partner)
		return;
	mg_leg_part(partner);
	leg->partner = partner;
	partner->partner = leg;
}

/* An order that could not be given stays due: the next settling tries again. */
static void leg_settle(struct mg *mg, struct mg_context *context, struct mg_term *term,
                       struct mg_stream *s)
{
	struct mg_stream *other = s->leg->app ? NULL : partner_of(context, term, s->id);
	struct mg_leg *leg = s->leg, *partner = other ? other->leg : NULL;
	bool send = mode_sends(s), receive = mode_receives(s);

	if (leg->partner != partner &&
	    !mg->bearer->endpoint_link(leg->endpoint, partner ? partner->endpoint : NULL))
		leg_pair(leg, partner);
	if (partner) {
		send = send && topology_flows(context, partner->term, term, s->id);
		receive = receive && topology_flows(context, term, partner->term, s->id);
	}
	if ((leg->may_send != send || leg->may_receive != receive) &&
	    !mg->bearer->endpoint_mode_set(leg->endpoint, send, receive)) {
		leg->may_send = send;
		leg->may_receive = receive;
	}
}

void mg_context_settle(struct mg *mg, struct mg_context *context)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t))
		for (struct mg_stream *s = t->media ? t->media->streams : NULL; s; s = s->next)
			if (s->leg)
				leg_settle(mg, context, t, s);
	mg_app_settle(mg, context);
}
