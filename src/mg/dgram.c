/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of datagrams: which m= lines are such, and what they ask of the bearer. */
#include <netinet/in.h>

#include "mg/bearer.h"
#include "mg/pkg.h"

/** What is understood; the rest is 515. */
static const struct mg_proto protos[] = {
	{ .name = "RTP/AVP", .rtp = true },
	{ .name = "RTP/AVPF", .rtp = true },
	{ .name = "udptl" },
	{ .name = "UDP/BFCP" },
	{ .name = "UDP/TLS/RTP/SAVP", .rtp = true, .dtls = true }, /* RFC 5764, 8 */
	{ .name = "UDP/TLS/RTP/SAVPF", .rtp = true, .dtls = true },
	{ .name = "UDP/TLS/UDPTL", .dtls = true }, /* RFC 7345, 8.1 */
	{ .name = "UDP/TLS/BFCP", .dtls = true },  /* RFC 8856 */
};

const struct mg_proto *mg_proto_find(const struct h248_sdp_media *media)
{
	for (size_t i = 0; i < BASE_COUNT(protos); i++)
		if (base_str_ieq(media->proto, base_str_of(protos[i].name)))
			return &protos[i];
	return NULL;
}

static const struct mg_proto *proto_of(const struct h248_sdp *sdp)
{
	return sdp->groups && sdp->groups->has_media ? mg_proto_find(&sdp->groups->media) : NULL;
}

bool mg_stream_udp(const struct mg_stream *stream)
{
	return proto_of(&stream->local) != NULL;
}

bool mg_stream_rtp(const struct mg_stream *stream)
{
	const struct mg_proto *proto = proto_of(&stream->local);

	return proto && proto->rtp;
}

bool mg_stream_dtls(const struct mg_stream *stream)
{
	const struct mg_proto *proto = proto_of(&stream->local);

	return proto && proto->dtls;
}

bool mg_term_has_rtp(const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (mg_stream_rtp(s))
			return true;
	return false;
}

/* ---- who begins DTLS ---- */

static bool decided(unsigned setup)
{
	return setup == H248_SDP_ACTIVE || setup == H248_SDP_PASSIVE;
}

/* The active side is the client (RFC 5763, 5); passive and undecided ones wait, unless told. */
enum tls_role mg_stream_dtls_role(const struct mg_stream *stream)
{
	const struct h248_sdp_group *l = stream->local.groups, *r = stream->remote.groups;
	bool client = stream->signalled_client;

	if (l && decided(l->setup))
		client = l->setup == H248_SDP_ACTIVE;
	else if (r && decided(r->setup))
		client = r->setup == H248_SDP_PASSIVE;
	return client ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
}

static int setup_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_sdp_group *l = s->local.groups, *r = s->remote.groups;

	if (s->role != H248_ROLE_AUTO) /* that is what counts */
		return 0;
	if (l && r && decided(l->setup) && l->setup == r->setup)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, a=setup: %s in both Local and Remote", s->id,
		               h248_sdp_setup_name(l->setup));
	if (s->est_tls && mg_stream_dtls_role(s) == TLS_ROLE_SERVER)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, Signals tlsbsc/EstBNC: a=setup makes this end the DTLS "
		               "server",
		               s->id);
	return 0;
}

uint64_t mg_stream_prints(const struct mg_stream *stream)
{
	static const uint64_t seed[2] = { 0, 0 };
	const struct h248_sdp_group *r = stream->remote.groups;
	uint64_t sum = 0;

	for (const struct h248_sdp_fingerprint *f = r ? r->fingerprints : NULL; f; f = f->next)
		sum += base_hash(seed, f->octets, f->len);
	return sum;
}

/*
 * What a DTLS association is told apart by (RFC 8842, 4): its tls-ids and the peer's fingerprints.
 * Another one wants another association.
 */
uint64_t mg_stream_association(const struct mg_stream *stream)
{
	static const uint64_t seed[2] = { 0, 0 };
	const struct h248_sdp_group *r = stream->remote.groups;
	uint64_t sum = 0;

	if (!r)
		return 0;
	if (r->tls_id.len)
		sum = base_hash(seed, r->tls_id.ptr, r->tls_id.len);
	return sum + mg_stream_prints(stream);
}

int mg_dgram_local_fill(struct mg_run *run, const struct mg_stream *s)
{
	struct h248_sdp_group *g = s->local.groups;
	uint8_t random[16];
	char *id;

	if (g->setup == H248_SDP_SETUP_CHOOSE)
		g->setup = !s->leg->tls                               ? H248_SDP_SETUP_ABSENT
		           : mg_stream_tls_role(s) == TLS_ROLE_CLIENT ? H248_SDP_ACTIVE
		                                                      : H248_SDP_PASSIVE;
	if (!base_str_eq(g->tls_id, BASE_STR("$")))
		return 0;
	id = base_arena_alloc(run->arena, 2 * sizeof(random) + 1);
	if (!id || base_random(random, sizeof(random)))
		return mg_fail_memory(run);
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", random[i]);
	g->tls_id = base_str_of(id);
	return 0;
}

/* ---- RTCP ---- */

/* An attribute's value, "" for one without; ptr NULL = absent. */
static struct base_str attribute(const struct h248_sdp_group *g, const char *name)
{
	size_t len = strlen(name);

	for (const struct h248_sdp_line *l = g ? g->lines : NULL; l; l = l->next) {
		struct base_str v = l->value;

		if (l->type != 'a' || !l->media || v.len < len || memcmp(v.ptr, name, len) != 0)
			continue;
		if (v.len == len)
			return BASE_STR("");
		if (v.ptr[len] == ':')
			return (struct base_str){ v.ptr + len + 1, v.len - len - 1 };
	}
	return (struct base_str){ 0 };
}

static bool says(const struct h248_sdp_group *g, const char *name)
{
	return attribute(g, name).ptr != NULL;
}

/* a=rtcp-mux (RFC 5761), which a=rtcp-mux-only (RFC 8858) comes with. */
static bool muxes(const struct h248_sdp_group *g)
{
	return says(g, "rtcp-mux") || says(g, "rtcp-mux-only");
}

/* The port of a=rtcp (RFC 3605); its address, where it has one, is not looked at: media and RTCP of
 * one stream that go to two hosts would be a way to have somebody else flooded (P). */
static uint16_t rtcp_port_of(const struct h248_sdp_group *g)
{
	struct base_str v = attribute(g, "rtcp");
	uint64_t port = 0;
	size_t len = 0;

	while (len < v.len && v.ptr[len] != ' ')
		len++;
	if (!len || base_str_u64((struct base_str){ v.ptr, len }, UINT16_MAX, &port))
		return 0;
	return (uint16_t)port;
}

static bool rtcp_declined(const struct mg_stream *s)
{
	struct base_str value;

	return mg_pkg_text(s, "rtcph", "rsb", &value) && base_str_ieq(value, BASE_STR("off"));
}

void mg_dgram_fill(const struct mg_stream *s, struct relay_dgram_spec *ret)
{
	const struct h248_sdp_group *local = s->local.groups, *remote = s->remote.groups;
	bool both = muxes(local) && muxes(remote);

	memset(ret, 0, sizeof(*ret));
	ret->shared = mg_pkg_on(s, H248_PACKAGE_PRIVATE, "share");
	ret->latch = s->latch && !ret->shared;
	ret->rtp = mg_stream_rtp(s);
	ret->srtp = ret->rtp && mg_stream_dtls(s);
	if (ret->srtp)
		mg_dtlscn_fill(s, ret);
	if (!ret->rtp || rtcp_declined(s))
		return;
	ret->rtcp_mux = muxes(local);
	ret->rtcp_port = !both && !ret->srtp && !says(local, "rtcp-mux-only");
	if (!mg_dgram_remote(s, &ret->rtcp_remote))
		return; /* nobody is known */
	if (both)
		return; /* with the media */
	if (rtcp_port_of(remote))
		mg_port_set(&ret->rtcp_remote, rtcp_port_of(remote));
	else
		memset(&ret->rtcp_remote, 0, sizeof(ret->rtcp_remote));
}

/* ---- do the descriptors go together? ---- */

static int rtcp_judge(struct mg_run *run, const struct mg_stream *s)
{
	struct base_str value;

	if (mg_stream_rtp(s) || !s->local.groups || !mg_pkg_text(s, "rtcph", "rsb", &value) ||
	    base_str_ieq(value, BASE_STR("off")))
		return 0;
	return mg_fail(run, H248_E_VALUE,
	               "Stream %u, LocalControl rtcph/rsb: can only be off where Local is not RTP",
	               s->id);
}

/* A second port would be a second DTLS session (RFC 5764, 5.1.1). */
static int srtcp_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_sdp_group *l = s->local.groups, *r = s->remote.groups;

	if (!mg_stream_rtp(s) || rtcp_declined(s) || (muxes(l) && (!r || muxes(r))))
		return 0;
	return mg_fail(run, H248_E_NOT_IMPLEMENTED,
	               "Stream %u, %s: DTLS-SRTP only with a=rtcp-mux, or with rtcph/rsb=off",
	               s->id, muxes(l) ? "Remote" : "Local");
}

static int dtls_judge(struct mg_run *run, const struct mg_stream *s)
{
	int rc = setup_judge(run, s);

	return rc ? rc : srtcp_judge(run, s);
}

/* Peers of one port are told apart by their addresses: ours has to be known. Or by what a DTLS
 * client shows, once it has come. */
static int share_judge(struct mg_run *run, const struct mg_stream *s)
{
	struct sockaddr_storage remote;

	if (!s->local.groups || !mg_pkg_on(s, H248_PACKAGE_PRIVATE, "share"))
		return 0;
	if (!mg_stream_udp(s))
		return mg_fail(
		        run, H248_E_VALUE,
		        "Stream %u, LocalControl gatehouse/share: can only be off where Local "
		        "is not of datagrams",
		        s->id);
	if (mg_dgram_remote(s, &remote))
		return 0;
	if (!mg_stream_dtls(s) || mg_stream_tls_role(s) == TLS_ROLE_CLIENT)
		return mg_fail(run, H248_E_MISSING_REMOTE_LOCAL,
		               "Stream %u, LocalControl gatehouse/share: needs Remote", s->id);
	if (!mg_stream_prints(s) && !s->keys)
		return mg_fail(
		        run, H248_E_MISSING_REMOTE_LOCAL,
		        "Stream %u, LocalControl gatehouse/share: needs Remote's address, or "
		        "what the peer is known by: its a=fingerprint or gatehouse/pskid",
		        s->id);
	return 0;
}

static int alone_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct mg_proto *l = proto_of(&s->local), *r = proto_of(&s->remote);
	int rc;

	if (s->local.groups && s->remote.groups &&
	    (!l != !r || (l && (l->rtp != r->rtp || l->dtls != r->dtls))))
		return mg_fail(run, H248_E_CONFLICT, "Stream %u, m=: Local is %.*s and Remote %.*s",
		               s->id, BASE_FMT(s->local.groups->media.proto),
		               BASE_FMT(s->remote.groups->media.proto));
	if (l && s->est_tcp)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, Signals tcpbcc/EstBNC: the stream has no TCP", s->id);
	if (l && s->link != H248_LINK_OFF)
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, LocalControl seplink/link: nothing is set up for "
		               "datagrams",
		               s->id);
	rc = l && l->dtls ? dtls_judge(run, s) : 0;
	if (!rc)
		rc = share_judge(run, s);
	if (!rc)
		rc = mg_dtlscn_judge(run, s);
	return rc ? rc : rtcp_judge(run, s);
}

int mg_dgram_judge(struct mg_run *run, const struct mg_stream *s, const struct mg_stream *partner)
{
	const struct mg_proto *ours = proto_of(&s->local), *theirs;
	int rc = alone_judge(run, s);

	if (rc || !partner || !s->local.groups || !partner->local.groups)
		return rc;
	theirs = proto_of(&partner->local);
	if (!ours == !theirs && (!ours || ours->rtp == theirs->rtp))
		return 0;
	return mg_fail(run, H248_E_CONFLICT,
	               "Stream %u, m=: %.*s here and %.*s at the other end do not go together",
	               s->id, BASE_FMT(s->local.groups->media.proto),
	               BASE_FMT(partner->local.groups->media.proto));
}
