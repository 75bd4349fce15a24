/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Media: streams, Local and Remote (RFC 3525, 7.1.4 to 7.1.8), and what they ask of the bearer.
 */
#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/pkg.h"
#include "mg/plan.h"

#define DEFAULT_STREAMS 16U
/* ---- reading ---- */

static bool media_known(const struct h248_sdp_group *g)
{
	if (!g->has_media)
		return false;
	return (g->media.transport == H248_SDP_TCP && g->media.security != H248_SDP_DTLS) ||
	       mg_proto_find(&g->media);
}

/* The first alternative that can be supported (7.1.8); NULL when there is none. */
static struct h248_sdp_group *group_choose(const struct h248_sdp *sdp)
{
	for (struct h248_sdp_group *g = sdp->groups; g; g = g->next)
		if (media_known(g))
			return g;
	return NULL;
}

/*
 * Parse it and choose one alternative. An empty descriptor stays empty (7.1.8 b). Text and meaning
 * are the transaction's: description_keep makes them the stream's.
 * @param ret_many  there were several
 */
static int description_read(struct mg_run *run, unsigned id, const char *which,
                            struct base_str text, struct h248_sdp *ret, bool *ret_many)
{
	struct base_error err = { 0 };
	struct h248_sdp_group *g;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = h248_sdp_parse(run->arena, text, ret, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "Stream %u, %s", id, which);
	*ret_many = ret->count > 1;
	if (!ret->groups)
		return 0;
	if (!ret->groups->has_media)
		return mg_fail(run, H248_E_SDP, "Stream %u, %s: no m= line", id, which);
	g = group_choose(ret);
	if (!g)
		return mg_fail(run, H248_E_MEDIA_TYPE,
		               "Stream %u, %s: %.*s is not supported (sdpc/proto tells what is)",
		               id, which, BASE_FMT(ret->groups->media.proto));
	g->next = NULL;
	ret->groups = g;
	ret->count = 1;
	return 0;
}

#define ROOM(size) (((size) + 15) & ~(size_t)15)

/*
 * What a description takes of an arena, text and meaning: it stands as long as its context, so it
 * gets no more. One that is written in full has a t= line (H248_SDP_FULL).
 */
static size_t description_room(const struct h248_sdp *sdp, size_t text, bool full)
{
	const struct h248_sdp_group *g = sdp->groups;
	size_t room = ROOM(text + 1), lines = full, texts = 0, fingerprints = 0;

	if (!g)
		return room;
	for (const struct h248_sdp_line *l = g->lines; l; l = l->next)
		lines += !full || l->type != 't';
	for (const struct h248_sdp_text *t = g->media.formats; t; t = t->next)
		texts++;
	for (const struct h248_sdp_text *t = g->paths; t; t = t->next)
		texts++;
	for (const struct h248_sdp_fingerprint *f = g->fingerprints; f; f = f->next)
		fingerprints++;
	return room + ROOM(sizeof(*g)) + lines * ROOM(sizeof(struct h248_sdp_line)) +
	       texts * ROOM(sizeof(struct h248_sdp_text)) +
	       fingerprints * ROOM(sizeof(struct h248_sdp_fingerprint));
}

/* The stream's own, from now on: text and what it means. */
static int description_keep(struct mg_run *run, struct base_arena *arena, struct base_str text,
                            struct h248_sdp *sdp, bool full, struct base_str *ret_text)
{
	arena->chunk_size = description_room(sdp, text.len, full);
	if (!mg_copy_str(arena, text, ret_text) || h248_sdp_parse(arena, *ret_text, sdp, NULL))
		return mg_fail_memory(run);
	return 0;
}

static int remote_check(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_sdp_group *g = s->remote.groups;

	if (!g)
		return 0;
	if (g->connection.kind == H248_SDP_ADDRESS_NAME)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, Remote c=: a host name, not an address", s->id);
	if (g->connection.kind == H248_SDP_ADDRESS_CHOOSE || g->media.port_choose)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, Remote: the gateway cannot choose the peer's address",
		               s->id);
	if (g->fingerprints && h248_sdp_fingerprint_best(g) == H248_SDP_HASH_OTHER)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, Remote a=fingerprint: no usable hash (RFC 8122, 5)",
		               s->id);
	return 0;
}

static int stream_read(struct mg_run *run, struct mg_plan *plan, const struct h248_stream *in)
{
	struct mg_media *media = mg_plan_media(plan);
	struct mg_stream *s;
	bool many = false;
	int rc;

	if (!media)
		return mg_fail_memory(run);
	s = mg_media_stream(media, in->id);
	if (!s)
		s = mg_media_stream_add(media, in->id);
	if (!s)
		return mg_fail_memory(run);
	if (in->statistics) {
		rc = mg_stream_choice_read(run, plan, s, in->statistics);
		if (rc)
			return rc;
	}
	if (in->control) {
		rc = mg_control_read(run, plan, s, in->control);
		if (rc)
			return rc;
	}
	if (in->has_local) {
		rc = description_read(run, in->id, "Local", in->local, &s->local, &many);
		if (rc)
			return rc;
		s->local_text = in->local;
		s->has_local = s->new_local = true;
		s->tell_local |= many;
	}
	if (in->has_remote) {
		rc = description_read(run, in->id, "Remote", in->remote, &s->remote, &many);
		if (!rc)
			rc = remote_check(run, s);
		if (rc)
			return rc;
		s->remote_text = in->remote;
		s->has_remote = s->new_remote = true;
		s->tell_remote |= many;
	}
	return 0;
}

int mg_plan_media_read(struct mg_run *run, struct mg_plan *plan, const struct h248_media *media)
{
	unsigned max = run->mg->set.max_streams ? run->mg->set.max_streams : DEFAULT_STREAMS;
	unsigned count = 0;
	int rc = 0;

	if (media->state)
		rc = mg_state_read(run, plan, media->state);
	if (!rc && media->streams && plan->term == &run->mg->root)
		return mg_fail(run, H248_E_COMMAND_ILLEGAL, "Media: ROOT has no streams");
	for (const struct h248_stream *s = media->streams; s && !rc; s = s->next)
		rc = stream_read(run, plan, s);
	for (const struct mg_stream *s = plan->media ? plan->media->streams : NULL; s; s = s->next)
		count++;
	if (!rc && count > max)
		return mg_fail(run, H248_E_RESOURCES, "Media: more than %u streams", max);
	return rc;
}

/* ---- checking a stream as a whole ---- */

static int role_check(struct mg_run *run, const struct mg_stream *s)
{
	struct mg_tcp_role role = mg_stream_tcp_role(s);

	if (role.conflict)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, a=setup: %s in both Local and Remote", s->id,
		               h248_sdp_setup_name(s->local.groups->setup));
	if (!s->est_tcp)
		return 0;
	if (!s->local.groups || !s->remote.groups)
		return mg_fail(run, H248_E_MISSING_REMOTE_LOCAL,
		               "Stream %u, Signals tcpbcc/EstBNC: needs Local and Remote", s->id);
	if (role.fixed && !role.client)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, Signals tcpbcc/EstBNC: a=setup makes this end the TCP "
		               "server",
		               s->id);
	return 0;
}

static int domain_check(struct mg_run *run, const struct mg_stream *s)
{
	const struct h248_sdp_group *l = s->local.groups, *r = s->remote.groups;

	if (s->est_tls && !mg_stream_tls(s))
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, Signals tlsbsc/EstBNC: the stream has no TLS", s->id);
	if (l && r && l->media.security != r->media.security)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, m=: TLS in only one of Local and Remote", s->id);
	if (s->domain_name[0] && !mg_stream_domain(run->mg, s) &&
	    (!s->leg || strcmp(mg_leg_domain(s->leg), s->domain_name) != 0))
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl gatehouse/dom: no TLS domain '%.64s'",
		               s->id, s->domain_name);
	if (mg_stream_dtls(s) && mg_stream_domain(run->mg, s) &&
	    !mg_stream_domain(run->mg, s)->datagrams)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl gatehouse/dom: TLS domain %s has no DTLS",
		               s->id, mg_stream_domain(run->mg, s)->name);
	if (mg_stream_tls(s) && !s->domain_name[0] && !run->mg->default_domain && !s->leg)
		return mg_fail(run, H248_E_REQUIRED_MISSING,
		               "Stream %u, LocalControl gatehouse/dom: no TLS domain is named and "
		               "none is the default",
		               s->id);
	return 0;
}

/* Renegotiation as the controller says beforehand, by the role the stream has now (7-5). */
static int renegotiation_check(struct mg_run *run, const struct mg_stream *s)
{
	const struct mg_domain *domain = mg_stream_domain(run->mg, s);
	const char *why;

	if (!s->renegotiate || !domain || !mg_stream_tls(s))
		return 0;
	why = domain->no_renegotiation[mg_stream_tls_role(s)][s->renegotiate];
	if (!why)
		return 0;
	return mg_fail(run, H248_E_VALUE,
	               "Stream %u, LocalControl gatehouse/reneg: TLS domain %s, %s", s->id,
	               domain->name, why);
}

/* One side with a link, the other side or NULL (H.248.92; spec section 4). */
static int link_check(struct mg_run *run, const struct mg_stream *s, const struct mg_stream *other)
{
	bool tls = s->link == H248_LINK_TCP_TLS;

	if (s->link == H248_LINK_OFF || !s->local.groups)
		return 0;
	if (mg_stream_tcp_role(s).client)
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, LocalControl seplink/link: nothing comes in at a TCP "
		               "client",
		               s->id);
	if (tls && !mg_stream_tls(s))
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, LocalControl seplink/link: tcp+tls without TLS", s->id);
	if (!other || !other->local.groups)
		return 0;
	if (mg_stream_tcp_role(other).fixed && !mg_stream_tcp_role(other).client)
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, seplink/link: both endpoints are TCP servers", s->id);
	if (tls && (!mg_stream_tls(other) || other->role == H248_ROLE_SERVER))
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, seplink/link: tcp+tls, but the partner is no TLS client",
		               s->id);
	return 0;
}

/* The stream's other end in the context; also counts them. */
static const struct mg_stream *partner_find(const struct mg_plan *plan, uint16_t id,
                                            unsigned *ret_count)
{
	const struct mg_stream *found = NULL;

	*ret_count = 0;
	for (struct mg_term *t = plan->context ? mg_context_term_first(plan->context) : NULL; t;
	     t = mg_context_term_next(plan->context, t)) {
		const struct mg_stream *s = t == plan->term ? NULL : mg_term_stream(t, id);

		if (!s || !s->local.groups)
			continue;
		found = found ? found : s;
		++*ret_count;
	}
	return found;
}

static int stream_check(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s)
{
	unsigned others;
	const struct mg_stream *partner = partner_find(plan, s->id, &others);
	int rc = mg_dgram_judge(run, s, partner);

	if (!rc)
		rc = role_check(run, s);
	if (!rc)
		rc = domain_check(run, s);
	if (!rc)
		rc = renegotiation_check(run, s);
	if (!rc)
		rc = mg_pkg_judge(run, s);
	if (!rc)
		rc = mg_app_judge(run, plan, s);
	if (!rc && s->local.groups && others > 1 && !mg_app_is_shared(mg_stream_app(s)))
		return mg_fail(run, H248_E_TERM_TOO_MANY,
		               "Stream %u: two terminations of the context have it already", s->id);
	if (!rc)
		rc = link_check(run, s, partner);
	if (!rc && partner)
		rc = link_check(run, partner, s);
	return rc;
}

/* ---- Local as we answer it ---- */

static int fingerprint_put(struct mg_run *run, struct mg_stream *s, const struct mg_domain *domain)
{
	static const enum h248_sdp_hash hashes[] = {
		[X509_HASH_SHA1] = H248_SDP_SHA1,     [X509_HASH_SHA224] = H248_SDP_SHA224,
		[X509_HASH_SHA256] = H248_SDP_SHA256, [X509_HASH_SHA384] = H248_SDP_SHA384,
		[X509_HASH_SHA512] = H248_SDP_SHA512,
	};
	struct h248_sdp_group *g = s->local.groups;
	struct x509_fingerprint own;

	/* Ours, not what somebody else says is ours. */
	if (g->fingerprints)
		s->tell_local = true;
	g->fingerprints = NULL;
	if (!s->leg || !s->leg->tls || !domain || !domain->certificate || s->keys)
		return 0;
	if (domain->fingerprint(domain, &own))
		return mg_fail(run, H248_E_INTERNAL,
		               "Stream %u, Local: TLS domain %s has no certificate to show", s->id,
		               domain->name);
	s->tell_local = true;
	if (h248_sdp_fingerprint_add(run->arena, g, hashes[own.hash], own.octets, own.len))
		return mg_fail_memory(run);
	return 0;
}

/* What was left to us; has it become another one than the controller gave? */
static void local_fill(struct mg_stream *s)
{
	struct h248_sdp_group *g = s->local.groups;
	struct sockaddr_storage told, local;

	if (h248_sdp_group_is_open(g))
		s->tell_local = true;
	if (g->setup == H248_SDP_SETUP_CHOOSE)
		g->setup =
		        s->leg->tcp_role == RELAY_TCP_CLIENT ? H248_SDP_ACTIVE : H248_SDP_PASSIVE;
	if (g->media.port == 9 && !g->media.port_choose)
		return;
	mg_leg_local(s->leg, &local);
	if (h248_sdp_group_sockaddr(g, &told) || memcmp(&told, &local, sizeof(told)) != 0)
		s->tell_local = true;
	(void)h248_sdp_group_sockaddr_set(g, (const struct sockaddr *)&local);
}

/* As it now stands, in full or as it was given. */
static int group_keep(struct mg_run *run, struct base_arena *arena, struct h248_sdp *sdp,
                      enum h248_sdp_style style, struct base_str *text)
{
	struct base_writer w = { 0 };
	int rc;

	h248_sdp_group_write(&w, sdp->groups, style);
	rc = w.failed ? mg_fail_memory(run)
	              : description_keep(run, arena, base_str_trim(base_writer_view(&w)), sdp,
	                                 style == H248_SDP_FULL, text);
	base_writer_done(&w);
	return rc;
}

/* Fill it in, add the fingerprint (8.3.2.2.2), write it down. */
static int local_finish(struct mg_run *run, struct base_arena *arena, struct mg_stream *s,
                        const struct mg_domain *domain)
{
	int rc;

	if (!s->fresh && !s->new_local)
		return 0;
	if (!s->local.groups || !s->leg) /* which go together */
		return description_keep(run, arena, s->local_text, &s->local, false,
		                        &s->local_text);
	if (h248_sdp_group_is_open(s->local.groups))
		s->tell_local = true;
	rc = s->leg->udp ? mg_dgram_local_fill(run, s) : 0;
	if (rc)
		return rc;
	local_fill(s);
	rc = mg_app_local_fill(run, s);
	if (rc)
		return rc;
	rc = fingerprint_put(run, s, domain);
	return rc ? rc : group_keep(run, arena, &s->local, H248_SDP_FULL, &s->local_text);
}

static int remote_finish(struct mg_run *run, struct base_arena *arena, struct mg_stream *s)
{
	if (!s->new_remote)
		return 0;
	if (s->tell_remote && s->remote.groups)
		return group_keep(run, arena, &s->remote, H248_SDP_AS_IS, &s->remote_text);
	return description_keep(run, arena, s->remote_text, &s->remote, false, &s->remote_text);
}

/* ---- bearers ---- */

static int bearer_need(struct mg_run *run, struct mg_plan *plan)
{
	if (plan->bearer)
		return 0;
	plan->bearer = mg_bearer_new(run->mg);
	plan->own_bearer = plan->bearer != NULL;
	return plan->bearer ? 0 : mg_fail_memory(run);
}

/* A leg for it, unless it has one that does or needs none. */
static int stream_bear(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                       const struct mg_domain *domain)
{
	struct base_error err = { 0 };
	struct mg_leg *leg = NULL;
	bool revive = s->new_local || s->est_tcp;
	int rc;

	if (!s->local.groups) {
		s->leg = NULL; /* released; the old generation ends it */
		return 0;
	}
	if (s->leg &&
	    (mg_leg_fits(s->leg, s, domain) || (s->leg->state == MG_LEG_ENDED && !revive)))
		return 0;
	if (mg_stream_tls(s) && !domain)
		return mg_fail(run, H248_E_VALUE,
		               "Stream %u, LocalControl gatehouse/dom: that TLS domain is gone",
		               s->id);
	rc = bearer_need(run, plan);
	if (rc)
		return rc;
	rc = mg_leg_new(&leg, run->mg, plan->bearer, plan->term, s, domain, &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "Stream %u", s->id);
	s->leg = leg;
	s->fresh = true;
	/* The port of the former one was ours to give; so is this. */
	if (!s->new_local && s->local.groups->media.port != 9)
		s->tell_local = true;
	return 0;
}

static int stream_make(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s)
{
	const struct mg_domain *domain = mg_stream_domain(run->mg, s);
	struct base_arena *arena = &plan->media->arena;
	int rc = stream_bear(run, plan, s, domain);

	if (!rc)
		rc = mg_leg_peer_keep(run, s);
	if (!rc)
		rc = local_finish(run, arena, s, domain);
	return rc ? rc : remote_finish(run, arena, s);
}

/* Both descriptors empty, nothing reserved: the stream is deleted (7.1.6). */
static bool stream_deleted(const struct mg_stream *s)
{
	return s->has_local && !s->local.groups && s->has_remote && !s->remote.groups &&
	       s->reserved_value != H248_ON && s->reserved_group != H248_ON;
}

static void streams_prune(struct mg_media *media)
{
	for (struct mg_stream **at = &media->streams; *at;) {
		struct mg_stream *s = *at;

		if (!stream_deleted(s)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		mg_keys_unref(s->keys);
	}
}

int mg_plan_streams(struct mg_run *run, struct mg_plan *plan)
{
	int rc = 0;

	streams_prune(plan->media);
	for (struct mg_stream *s = plan->media->streams; s && !rc; s = s->next) {
		/* A bearer that ended takes its signals with it. */
		if (s->leg && s->leg->state == MG_LEG_ENDED && (s->new_local || s->est_tcp))
			s->signalled_client = s->signalled_connect = s->latch = false;
		s->signalled_connect |= s->est_tcp;
		s->signalled_client |= s->est_tls;
		rc = stream_check(run, plan, s);
	}
	for (struct mg_stream *s = plan->media->streams; s && !rc; s = s->next)
		rc = stream_make(run, plan, s);
	return rc;
}
