/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/pkg.h"

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

/* ---- legs ---- */

static bool remote_of(const struct mg_stream *stream, struct sockaddr_storage *ret)
{
	const struct h248_sdp_group *r = stream->remote.groups;

	memset(ret, 0, sizeof(*ret));
	return r && !h248_sdp_group_sockaddr(r, ret);
}

void mg_leg_local(const struct mg_leg *leg, struct sockaddr_storage *ret)
{
	leg->mg->bearer->endpoint_local(leg->endpoint, ret);
}

const char *mg_leg_domain(const struct mg_leg *leg)
{
	return leg->session ? leg->session->domain_name : "";
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
		(void)mg_leg_peer_anew(leg->session, stream);
		snprintf(leg->session->domain_name, sizeof(leg->session->domain_name), "%s",
		         domain->name);
	}
	return true;
}

int mg_leg_new(struct mg_leg **ret, struct mg *mg, struct mg_bearer *bearer, struct mg_term *term,
               const struct mg_stream *stream, const struct mg_domain *domain,
               struct base_error *err)
{
	const struct h248_sdp_group *g = stream->local.groups;
	struct relay_endpoint_spec spec = { .fn = mg_leg_event };
	struct relay_dgram_spec dgram;
	uint16_t port = mg_port_wanted(g, stream->leg);
	struct mg_leg *leg = calloc(1, sizeof(*leg));
	struct mg_tls_order order;
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
		rc = mg_bind_error(BASE_ERR(BASE_LOCAL, ENOMEM), port, err);
		goto out;
	}
	rc = mg_host_pick(mg, &g->connection, stream->realm, &spec.local, err);
	if (rc)
		goto out;
	spec.gate = leg->gate;
	spec.tcp_role = leg->tcp_role;
	if (leg->tcp_role == RELAY_TCP_CLIENT)
		(void)remote_of(stream, &spec.remote); /* may come later */
	if (leg->tls) {
		mg_leg_tls_fill(&order, leg, stream, domain);
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
	rc = mg_leg_bind(leg, bearer->relay, &spec, port, err);
	if (rc) {
		rc = mg_bind_error(rc, port, err);
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

bool mg_leg_fits(const struct mg_leg *leg, const struct mg_stream *stream,
                 const struct mg_domain *domain)
{
	const struct h248_sdp_group *g = stream->local.groups;
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
	if (mg_host_given(&g->connection, &host) && !mg_same_host(&host, &local))
		return false;
	if (stream->realm[0] && !mg_host_in_realm(&leg->mg->set, &local, stream->realm))
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
	struct mg_tls_order order;
	int rc = 0;

	if (leg->tls && leg->state != MG_LEG_ENDED && domain &&
	    (mg_leg_peer_anew(leg->session, stream) || leg->state != MG_LEG_TLS_UP)) {
		mg_leg_tls_fill(&order, leg, stream, domain);
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
