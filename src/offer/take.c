/* SPDX-License-Identifier: Apache-2.0 */
/** @file Descriptions that come: an offer, or the answer to ours. */
#include "offer/session.h"

/* a=key-mgmt's message, out of its base64. */
static int message_of(const struct offer_remote *r, struct base_writer *w, struct base_error *err)
{
	const struct mikey_sdp sdp = { BASE_STR(MIKEY_SDP_ID), r->key_mgmt };

	w->limit = SIP_SDP_OCTETS_MAX;
	return mikey_sdp_message(&sdp, w, err);
}

static int line_read(struct offer_session *s, const struct sip_sdp *sdp, size_t i,
                     struct offer_remote *ret, struct base_error *err)
{
	const struct offer_line *line = &s->next.line[i];

	return offer_remote_read(&s->next.arena, sdp, &sdp->media[i], s->media[line->media].app,
	                         s->next.offerer, ret, err);
}

/* A stream's words; what is no fault of the description's ends all. */
static int refuse_or(struct offer_line *line, int rc, const struct base_error *why)
{
	if (base_err_class(rc) != BASE_PEER)
		return rc;
	offer_refuse(line, why->text);
	return 0;
}

/* ---- an offer ---- */

static bool taken_already(const struct offer_view *v, size_t media)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->line[i].ours && v->line[i].media == media)
			return true;
	}
	return false;
}

/* A media description that is new at its place: the first of ours that it could be. */
static int line_new(struct offer_session *s, const struct sip_sdp_media *m, struct base_error *err)
{
	struct offer_view *v = &s->next;
	struct offer_line *line = &v->line[v->count];
	enum offer_app app = OFFER_MSRP;

	*line = (struct offer_line){ .type = offer_dup(&v->arena, m->type),
		                     .proto = offer_dup(&v->arena, m->proto),
		                     .formats = offer_dup(&v->arena, m->formats) };
	for (size_t i = 0; m->port && offer_app_of(m, &app) && i < s->media_count; i++) {
		if (s->media[i].app == app && !taken_already(v, i) && !line->ours) {
			line->ours = true;
			line->media = i;
		}
	}
	v->count++;
	if (!line->ours)
		offer_refuse(line, m->port ? "no such stream is taken" : "its port is 0");
	return line->type.ptr && line->proto.ptr && line->formats.ptr
	               ? 0
	               : base_error_set(err, BASE_ERR(BASE_LOCAL, 500), "out of memory");
}

/* Is the media description still what it was? RFC 3264, 8: they keep their places. */
static bool same_place(const struct offer_session *s, const struct offer_line *line,
                       const struct sip_sdp_media *m)
{
	enum offer_app app;

	return !line->ours || !m->port ||
	       (offer_app_of(m, &app) && app == s->media[line->media].app);
}

static int line_keys_of(struct offer_session *s, struct offer_line *line,
                        const struct offer_remote *r, uint64_t now, struct base_error *err)
{
	struct offer_exchange *x = offer_line_keys(s, line);
	struct base_writer message = { 0 };
	int rc;

	if (!x)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 500), "out of memory");
	rc = message_of(r, &message, err);
	if (!rc)
		rc = offer_exchange_receive(x, now, mikey_octets_of(message.data, message.len),
		                            r->listed, err);
	base_writer_done(&message);
	return rc;
}

/* Whether the stream keeps its connection: both have one (RFC 4145, 5), or nothing changes. */
static bool keeps(const struct offer_session *s, const struct offer_line *line,
                  const struct offer_remote *r)
{
	return (r->existing || s->same) && line->verdict == OFFER_AGREED && line->keys;
}

static int line_agree(const struct offer_session *s, struct offer_line *line,
                      const struct offer_remote *r, struct base_error *err)
{
	const struct offer_media *media = &s->media[line->media];
	struct offer_stream *a = &line->agreed;

	line->existing = keeps(s, line, r);
	if (!line->existing || !offer_setup_fits(r->setup, line->setup))
		line->setup = offer_setup_answer(r->setup, media->setup);
	if (!line->existing)
		offer_roles(line, media->app, line->setup == OFFER_ACTIVE, false);
	a->held = !line->existing && line->setup == OFFER_HOLDCONN;
	a->fresh = !line->existing && !a->held;
	/* RFC 6714, 4.3: not with a relay that would have to connect */
	line->cema = media->msrp.cema && r->msrp.cema && !(r->relayed && r->setup == OFFER_ACTIVE);
	return offer_agree(media, media->msrp.cema, r, false, a, err);
}

static int line_offered(struct offer_session *s, const struct sip_sdp *sdp, size_t i, uint64_t now,
                        bool *ret_keys, struct base_error *err)
{
	struct offer_line *line = &s->next.line[i];
	struct base_error why = { 0 };
	struct offer_remote r;
	int rc;

	if (!line->ours || line->verdict == OFFER_REFUSED)
		return 0;
	if (!sdp->media[i].port || line->closed) {
		offer_refuse(line, "it is over");
		return 0;
	}
	rc = line_read(s, sdp, i, &r, &why);
	if (!rc)
		rc = line_agree(s, line, &r, &why);
	if (!rc && !line->existing && !r.key_mgmt.len)
		rc = offer_bad(&why, r.listed.len ? "no key-mgmt protocol but MIKEY is taken"
		                                  : "no a=key-mgmt (RFC 4567, 3.1)");
	if (rc)
		return refuse_or(line, rc, &why);
	line->verdict = OFFER_AGREED;
	if (line->existing)
		return 0;
	line->renew = false;
	*ret_keys = true;
	return line_keys_of(s, line, &r, now, err);
}

/* At least one stream, or there is nothing to answer. A later offer may end them all. */
static int some_stream(const struct offer_session *s, struct base_error *err)
{
	const struct offer_view *v = &s->next;
	const char *why = "no media description at all";

	for (size_t i = 0; i < v->count; i++) {
		if (v->line[i].verdict == OFFER_AGREED)
			return 0;
		if (v->line[i].why[0])
			why = v->line[i].why;
	}
	if (s->now.count)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_PEER, 488), "no stream can be taken: %s", why);
}

static int offered_lines(struct offer_session *s, const struct sip_sdp *sdp, struct base_error *err)
{
	struct offer_view *v = &s->next;
	int rc = 0;

	if (sdp->media_count > OFFER_STREAMS_MAX || sdp->media_count < v->count)
		return offer_bad(err, "more media descriptions than are taken, or fewer than there "
		                      "were (RFC 3264, 8)");
	for (size_t i = 0; i < sdp->media_count && !rc; i++) {
		if (i >= v->count)
			rc = line_new(s, &sdp->media[i], err);
		else if (!same_place(s, &v->line[i], &sdp->media[i]))
			rc = offer_bad(err, "a media description is another than it was (RFC 3264, "
			                    "8.3)");
	}
	return rc;
}

static struct base_str times_of(struct offer_view *v, const struct sip_sdp *sdp)
{
	for (size_t i = 0; i < sdp->line_count; i++) {
		if (sdp->lines[i].type == 't')
			return offer_dup(&v->arena, sdp->lines[i].value);
	}
	return BASE_STR("0 0");
}

static int take_offer(struct offer_session *s, const struct sip_sdp *sdp, struct base_str text,
                      uint64_t now, bool *ret_keys, struct base_error *err)
{
	int rc = offer_view_open(s, BASE_MIN(sdp->media_count, (size_t)OFFER_STREAMS_MAX), err);

	s->next.offerer = false;
	s->same = s->now.count && base_str_eq(base_writer_view(&s->heard), text);
	if (!rc)
		rc = offered_lines(s, sdp, err);
	if (!rc)
		s->next.times = times_of(&s->next, sdp);
	for (size_t i = 0; !rc && i < s->next.count; i++)
		rc = line_offered(s, sdp, i, now, ret_keys, err);
	if (!rc) {
		*ret_keys = false;
		rc = some_stream(s, err);
	}
	if (!rc)
		offer_settle(s, OFFER_TO_ANSWER);
	return rc;
}

/* ---- an answer ---- */

static int answered_new(struct offer_session *s, struct offer_line *line,
                        const struct offer_remote *r, uint64_t now, bool *ret_keys,
                        struct base_error *err)
{
	const struct offer_media *media = &s->media[line->media];
	struct base_writer message = { 0 };
	int rc;

	if (line->existing)
		return offer_bad(err, "a new connection, where the offer was to keep it and has no "
		                      "keys (RFC 4145, 5)");
	if (r->existing || !offer_setup_fits(media->setup, r->setup))
		return offer_bad(err, "an answer that RFC 4145, 4.1 and 5 do not know");
	line->agreed.held = r->setup == OFFER_HOLDCONN;
	line->agreed.fresh = !line->agreed.held;
	offer_roles(line, media->app, r->setup == OFFER_PASSIVE, true);
	line->setup = r->setup == OFFER_PASSIVE ? OFFER_ACTIVE : OFFER_PASSIVE;
	*ret_keys = true;
	if (!r->key_mgmt.len)
		return offer_bad(err, "the answer has no a=key-mgmt:mikey (RFC 4567, 4.1.1)");
	rc = message_of(r, &message, err);
	if (!rc)
		rc = offer_exchange_finish(line->keys, now,
		                           mikey_octets_of(message.data, message.len), err);
	base_writer_done(&message);
	return rc;
}

static int line_answered(struct offer_session *s, const struct sip_sdp *sdp, size_t i, uint64_t now,
                         bool *ret_keys, struct base_error *err)
{
	struct offer_line *line = &s->next.line[i];
	const struct sip_sdp_media *m = &sdp->media[i];
	enum offer_app app;
	struct offer_remote r;
	int rc;

	if (!m->port || line->verdict == OFFER_REFUSED) {
		if (line->verdict != OFFER_REFUSED)
			offer_refuse(line, "the peer refused it");
		return m->port ? offer_bad(err, "a port for a stream that was refused") : 0;
	}
	if (!offer_app_of(m, &app) || app != s->media[line->media].app)
		return offer_bad(err, "the answer is to another media description (RFC 3264, 6)");
	rc = line_read(s, sdp, i, &r, err);
	if (!rc && (!line->existing || !r.existing))
		rc = answered_new(s, line, &r, now, ret_keys, err);
	*ret_keys = rc != 0 && *ret_keys;
	if (!rc)
		rc = offer_agree(&s->media[line->media], line->cema, &r, true, &line->agreed, err);
	if (rc)
		return rc;
	line->verdict = OFFER_AGREED;
	line->renew = line->renew && line->existing;
	return 0;
}

static int take_answer(struct offer_session *s, const struct sip_sdp *sdp, uint64_t now,
                       bool *ret_keys, struct base_error *err)
{
	int rc = 0;

	if (sdp->media_count != s->next.count)
		return offer_bad(err, "the answer has not as many media descriptions as the offer "
		                      "(RFC 3264, 6)");
	for (size_t i = 0; i < s->next.count && !rc; i++)
		rc = line_answered(s, sdp, i, now, ret_keys, err);
	return rc ? rc : some_stream(s, err);
}

int offer_take(struct offer_session *s, uint64_t now, struct base_str text, struct base_error *err)
{
	struct base_arena arena = { .limit = 256 * 1024UL };
	bool answer = s->state == OFFER_OFFERED, keys = false;
	struct base_error why = { 0 };
	struct sip_sdp sdp;
	int rc;

	if (!answer && s->state != OFFER_IDLE)
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "an exchange is open");
	rc = sip_sdp_parse(&sdp, &arena, text, &why);
	if (!rc)
		rc = answer ? take_answer(s, &sdp, now, &keys, &why)
		            : take_offer(s, &sdp, text, now, &keys, &why);
	base_arena_done(&arena);
	if (rc) {
		(void)base_error_set(err, rc, "%s", why.text);
		return offer_fail(s, rc, keys, &why);
	}
	base_writer_reset(&s->offered);
	base_writer_str(&s->offered, text);
	if (answer)
		offer_view_commit(s);
	return 0;
}
