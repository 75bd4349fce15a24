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

bool mg_term_has_rtp(const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (mg_stream_rtp(s))
			return true;
	return false;
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
	ret->latch = s->latch;
	ret->rtp = mg_stream_rtp(s);
	if (!ret->rtp || rtcp_declined(s))
		return;
	ret->rtcp_mux = muxes(local);
	ret->rtcp_port = !both && !says(local, "rtcp-mux-only");
	if (!remote || h248_sdp_group_sockaddr(remote, &ret->rtcp_remote) != 0) {
		memset(&ret->rtcp_remote, 0, sizeof(ret->rtcp_remote));
		return; /* nobody is known */
	}
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

static int alone_judge(struct mg_run *run, const struct mg_stream *s)
{
	const struct mg_proto *l = proto_of(&s->local), *r = proto_of(&s->remote);

	if (s->local.groups && s->remote.groups && (!l != !r || (l && l->rtp != r->rtp)))
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
	return rtcp_judge(run, s);
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

/* ---- orders ---- */

int mg_leg_aim(struct mg *mg, const struct mg_leg *leg, const struct mg_stream *stream, bool latch)
{
	struct sockaddr_storage remote = { 0 };
	struct relay_dgram_spec spec;

	mg_dgram_fill(stream, &spec);
	spec.latch = latch;
	if (stream->remote.groups && h248_sdp_group_sockaddr(stream->remote.groups, &remote) != 0)
		memset(&remote, 0, sizeof(remote));
	return mg->bearer->endpoint_dgram_set(leg->endpoint, &remote, &spec);
}
