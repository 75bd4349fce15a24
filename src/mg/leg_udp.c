/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Legs of datagrams: what of a stream's descriptors their bearer is made of, what may change while
 * they are there, and whose peer of a shared port is whose (docs/datagrams.md).
 */
#include <errno.h>
#include <netinet/in.h>

#include "mg/bearer.h"

/* ---- where to ---- */

/* 0.0.0.0 and ::, with whatever port: not known yet (RFC 8840, 4.1.1). */
static bool unspecified(const struct sockaddr_storage *a)
{
	static const uint8_t none[16];

	if (a->ss_family == AF_INET6)
		return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, none, sizeof(none));
	return ((const struct sockaddr_in *)a)->sin_addr.s_addr == 0;
}

bool mg_dgram_remote(const struct mg_stream *stream, struct sockaddr_storage *ret)
{
	if (stream->remote.groups && !h248_sdp_group_sockaddr(stream->remote.groups, ret) &&
	    !unspecified(ret))
		return true;
	memset(ret, 0, sizeof(*ret));
	return false;
}

static void aim_fill(const struct mg_stream *stream, struct sockaddr_storage *remote,
                     struct relay_dgram_spec *spec)
{
	mg_dgram_fill(stream, spec);
	(void)mg_dgram_remote(stream, remote);
}

static uint64_t aim_sum(const struct sockaddr_storage *remote, const struct relay_dgram_spec *spec)
{
	static const uint64_t seed[2] = { 0, 0 };

	return (base_hash(seed, remote, sizeof(*remote)) +
	        base_hash(seed, &spec->rtcp_remote, sizeof(spec->rtcp_remote))) |
	       1;
}

bool mg_leg_latched(const struct mg_leg *leg, const struct mg_stream *stream)
{
	struct sockaddr_storage remote;
	struct relay_dgram_spec spec;

	if (!leg->latched)
		return false;
	aim_fill(stream, &remote, &spec);
	return leg->latched == aim_sum(&remote, &spec);
}

int mg_leg_aim(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream, bool latch)
{
	struct sockaddr_storage remote;
	struct relay_dgram_spec spec;
	int rc;

	aim_fill(stream, &remote, &spec);
	spec.latch = latch;
	rc = mg->bearer->endpoint_dgram_set(leg->endpoint, &remote, &spec);
	if (!rc)
		leg->latched = latch ? aim_sum(&remote, &spec) : 0;
	return rc;
}

/* ---- making one ---- */

void mg_leg_udp_fill(struct mg_leg *leg, const struct mg_stream *stream,
                     struct relay_endpoint_spec *spec, struct relay_dgram_spec *dgram)
{
	aim_fill(stream, &spec->remote, dgram);
	leg->rtp = dgram->rtp;
	leg->rtcp_port = dgram->rtcp_port;
	leg->rtcp_mux = dgram->rtcp_mux;
	leg->shared = dgram->shared;
	leg->unnamed = dgram->shared && !spec->remote.ss_family;
	spec->dgram = dgram;
	if (leg->tls) /* there is no TCP that comes up: somebody has to say when */
		spec->tls_hold = !stream->signalled_client && stream->role != H248_ROLE_CLIENT;
}

/* ---- does it still fit? ---- */

/* A port that is there need not be asked for: an answer that muxes leaves it unused. */
static bool rtcp_fits(const struct mg_leg *leg, const struct mg_stream *stream)
{
	struct relay_dgram_spec spec;

	mg_dgram_fill(stream, &spec);
	return leg->shared == spec.shared && leg->rtp == spec.rtp &&
	       leg->rtcp_mux == spec.rtcp_mux && (leg->rtcp_port || !spec.rtcp_port);
}

/* Is its session another one than the stream wants now (RFC 8842, 4)? */
static bool association_over(const struct mg_leg *leg, const struct mg_stream *stream)
{
	uint64_t now = mg_stream_association(stream);

	return leg->state == MG_LEG_TLS_UP && now && now != leg->session->association;
}

bool mg_leg_udp_fits(const struct mg_leg *leg, const struct mg_stream *stream)
{
	return rtcp_fits(leg, stream) && !association_over(leg, stream);
}

/* ---- what changes ---- */

int mg_leg_udp_update(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream)
{
	bool profiles = stream->new_control && leg->tls && leg->rtp; /* they go with it */

	if (leg->state == MG_LEG_ENDED || (stream->latch && mg_leg_latched(leg, stream)) ||
	    !(stream->new_remote || profiles))
		return 0;
	return mg_leg_aim(mg, leg, stream, stream->latch);
}

int mg_leg_peer_keep(struct mg_run *run, const struct mg_stream *stream)
{
	struct sockaddr_storage remote;
	int rc = 0;

	if (!stream->leg || stream->fresh || !stream->leg->shared || !stream->new_remote ||
	    stream->leg->state == MG_LEG_ENDED)
		return 0;
	if (mg_dgram_remote(stream, &remote) || !stream->leg->unnamed)
		rc = run->mg->bearer->endpoint_peer_keep(stream->leg->endpoint, &remote);
	switch (base_err_detail(rc)) {
	case 0:
		return 0;
	case EADDRINUSE:
		return mg_fail(run, H248_E_RESOURCES,
		               "Stream %u, Remote: another stream of its shared port has that "
		               "peer",
		               stream->id);
	case EDESTADDRREQ:
		return mg_fail(run, H248_E_MISSING_REMOTE_LOCAL,
		               "Stream %u, Remote: its shared port was given a peer, and needs one",
		               stream->id);
	default:
		return mg_fail_memory(run);
	}
}

void mg_leg_peer_forget(struct mg *mg, const struct mg_stream *stream)
{
	if (stream->leg && !stream->fresh && stream->leg->shared && stream->new_remote)
		(void)mg->bearer->endpoint_peer_keep(stream->leg->endpoint, NULL);
}
