/* SPDX-License-Identifier: Apache-2.0 */
/** @file A session: made, asked, placed, written; descriptions that come are read in take.c. */
#include "offer/session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "msrp/msrp.h"

/* ---- what is wanted ---- */

/* May it stand in a line of SDP? */
static bool in_a_line(struct base_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((uint8_t)s.ptr[i] < ' ')
			return false;
	}
	return true;
}

static bool media_ok(const struct offer_media *m)
{
	bool ok = in_a_line(m->label);

	if (m->app == OFFER_MSRP)
		return ok && m->msrp.accept_types.len && in_a_line(m->msrp.accept_types) &&
		       in_a_line(m->msrp.wrapped_types) && in_a_line(m->msrp.chatroom);
	for (size_t i = 0; i < m->bfcp.floors && i < OFFER_FLOORS_MAX; i++)
		ok = ok && in_a_line(m->bfcp.floor[i].streams);
	return ok && m->bfcp.floors <= OFFER_FLOORS_MAX && m->bfcp.versions &&
	       m->bfcp.versions <= (OFFER_BFCP_1 | OFFER_BFCP_2);
}

static int media_copy(struct base_arena *arena, const struct offer_media *from,
                      struct offer_media *to)
{
	struct base_str *const texts[] = { &to->label, &to->msrp.accept_types,
		                           &to->msrp.wrapped_types, &to->msrp.chatroom };
	int rc = 0;

	*to = *from;
	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		*texts[i] = offer_dup(arena, *texts[i]);
		rc |= !texts[i]->ptr;
	}
	to->msrp.path = (struct base_str){ NULL, 0 };
	for (size_t i = 0; i < to->bfcp.floors; i++) {
		to->bfcp.floor[i].streams = offer_dup(arena, to->bfcp.floor[i].streams);
		rc |= !to->bfcp.floor[i].streams.ptr;
	}
	return rc ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 500), "out of memory");
}

static int wanted(struct offer_session *s, const struct offer_media *media, size_t count,
                  struct base_error *err)
{
	if (count > OFFER_STREAMS_MAX)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "too many streams");
	for (size_t i = 0; i < count; i++) {
		if (!media_ok(&media[i]))
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "stream %zu: no types or no versions, or something "
			                      "that cannot stand in SDP",
			                      i + 1);
	}
	s->media = base_arena_array(&s->arena, count + 1, sizeof(*s->media));
	if (!s->media)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		if (media_copy(&s->arena, &media[i], &s->media[i]))
			return no_memory(err);
	}
	s->media_count = count;
	return 0;
}

int offer_new(struct offer_session **ret, const struct offer_party *party,
              const struct mikey_id *peer, const struct offer_media *media, size_t count,
              struct base_error *err)
{
	struct offer_session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return no_memory(err);
	s->party = party;
	s->peer = *peer;
	s->peer.data =
	        peer->data.len ? offer_keep(&s->arena, peer->data) : mikey_octets_of(NULL, 0);
	rc = peer->data.len && !s->peer.data.at ? no_memory(err) : wanted(s, media, count, err);
	if (!rc && base_random(&s->id, sizeof(s->id)))
		rc = no_memory(err);
	s->id >>= 2; /* a number that 63 bits of others hold (RFC 8866, 5.2) */
	if (rc) {
		offer_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

/* ---- views ---- */

static void keys_free(struct offer_exchange *keys)
{
	if (!keys)
		return;
	offer_exchange_done(keys);
	free(keys);
}

/* Free the keys of `of` that `kept` does not have. */
static void view_done(struct offer_view *of, const struct offer_view *kept)
{
	for (size_t i = 0; i < of->count; i++) {
		if (!kept || i >= kept->count || kept->line[i].keys != of->line[i].keys)
			keys_free(of->line[i].keys);
	}
	base_arena_done(&of->arena);
	free(of->line);
	*of = (struct offer_view){ .count = 0 };
}

void offer_free(struct offer_session *s)
{
	if (!s)
		return;
	if (s->open)
		view_done(&s->next, &s->now);
	view_done(&s->now, NULL);
	base_writer_done(&s->last);
	base_writer_done(&s->heard);
	base_writer_done(&s->offered);
	base_arena_done(&s->arena);
	free(s);
}

int offer_view_open(struct offer_session *s, size_t room, struct base_error *err)
{
	struct offer_view *v = &s->next;
	bool ok = true;

	*v = (struct offer_view){ .line = calloc(BASE_MAX(s->now.count, room) + 1,
		                                 sizeof(*v->line)) };
	if (!v->line)
		return no_memory(err);
	v->count = s->now.count;
	if (v->count)
		memcpy(v->line, s->now.line, v->count * sizeof(*v->line));
	v->arena = (struct base_arena){ .limit = 256 * 1024UL };
	v->times = BASE_STR("0 0");
	s->open = true;
	for (size_t i = 0; i < v->count; i++) {
		struct offer_line *l = &v->line[i];

		l->type = offer_dup(&v->arena, l->type);
		l->proto = offer_dup(&v->arena, l->proto);
		l->formats = offer_dup(&v->arena, l->formats);
		ok = ok && l->type.ptr && l->proto.ptr && l->formats.ptr;
		l->agreed.fresh = false;
	}
	return ok ? 0 : no_memory(err);
}

/* A stream that is over has no key, and nothing of it was read anew. */
static void forget_refused(struct offer_view *v, const struct offer_view *old)
{
	for (size_t i = 0; i < v->count; i++) {
		struct offer_line *line = &v->line[i];

		if (line->verdict != OFFER_REFUSED)
			continue;
		if (i >= old->count || old->line[i].keys != line->keys)
			keys_free(line->keys);
		line->keys = NULL;
		line->agreed = (struct offer_stream){ .verdict = OFFER_REFUSED };
	}
}

/* Without memory for it a repetition is not known as one, and has to have fresh keys. */
static void heard(struct offer_session *s)
{
	struct base_writer spare = s->heard;

	s->heard = s->offered;
	s->offered = spare;
	base_writer_reset(&s->offered);
}

void offer_view_commit(struct offer_session *s)
{
	heard(s);
	forget_refused(&s->next, &s->now);
	view_done(&s->now, &s->next);
	s->now = s->next;
	s->next = (struct offer_view){ .count = 0 };
	s->open = false;
	s->state = OFFER_IDLE;
}

void offer_view_drop(struct offer_session *s)
{
	if (s->open)
		view_done(&s->next, &s->now);
	base_writer_reset(&s->offered);
	s->open = false;
	s->state = OFFER_IDLE;
}

struct offer_exchange *offer_line_keys(struct offer_session *s, struct offer_line *line)
{
	struct offer_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->party = s->party;
	x->peer = s->peer;
	line->keys = x;
	return x;
}

static bool waits(const struct offer_line *line)
{
	return line->keys && line->keys->asking;
}

void offer_settle(struct offer_session *s, enum offer_state ready)
{
	s->state = ready;
	for (size_t i = 0; i < s->next.count; i++) {
		if (waits(&s->next.line[i]))
			s->state = OFFER_ASKING;
	}
}

void offer_refuse(struct offer_line *line, const char *why)
{
	line->verdict = OFFER_REFUSED;
	(void)snprintf(line->why, sizeof(line->why), "%s", why);
}

/* MSRP: who is active is TLS client (RFC 8122, 6.2). BFCP: the answerer is TLS server, whoever
 * connects (RFC 4583, 8; RFC 8856, 8). */
void offer_roles(struct offer_line *line, enum offer_app app, bool active, bool offerer)
{
	line->agreed.tcp_client = active;
	line->agreed.tls_client = app == OFFER_MSRP ? active : offerer;
}

/* ---- failures ---- */

/* Printable, no double quotes: it goes into header fields. */
static void words(char *out, size_t cap, const char *text)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < cap; i++)
		out[i] = (char)(text[i] == '"'                   ? '\''
		                : text[i] < ' ' || text[i] > '~' ? '?'
		                                                 : text[i]);
	out[i] = '\0';
}

int offer_fail(struct offer_session *s, int rc, bool key_mgmt, const struct base_error *err)
{
	struct offer_failure *f = &s->failure;
	bool theirs = base_err_class(rc) == BASE_PEER;

	*f = (struct offer_failure){ .status = theirs ? 488 : 500,
		                     .warning = theirs ? (key_mgmt ? 306 : 399) : 0,
		                     .key_mgmt = key_mgmt,
		                     .error_no = 255 };
	if (key_mgmt && theirs && base_err_detail(rc) <= MIKEY_BAD_TP_PARAM)
		f->error_no = base_err_detail(rc);
	words(f->text, sizeof(f->text), err->text[0] ? err->text : "out of memory");
	s->state = OFFER_FAILED;
	return rc;
}

void offer_failure(const struct offer_session *s, struct offer_failure *ret)
{
	*ret = s->failure;
}

void offer_withdraw(struct offer_session *s)
{
	offer_view_drop(s);
}

/* ---- our offer ---- */

enum offer_state offer_state(const struct offer_session *s)
{
	return s->state;
}

/* The first offer has a line for each stream. */
static void first_lines(struct offer_session *s)
{
	struct offer_view *v = &s->next;

	for (size_t i = 0; i < s->media_count; i++) {
		v->line[i].ours = true;
		v->line[i].media = i;
	}
	v->count = s->media_count;
}

static int line_begin(struct offer_session *s, struct offer_line *line, uint64_t now,
                      struct base_error *err)
{
	const struct offer_media *media = &s->media[line->media];
	struct offer_exchange *x;

	if (!line->ours || line->closed || line->verdict == OFFER_REFUSED) {
		line->verdict = OFFER_REFUSED;
		return 0;
	}
	/* RFC 6714, 4.2: a middlebox is in the way, so another offer without the attribute */
	line->cema = media->msrp.cema && !line->agreed.cema_failed;
	line->existing = line->verdict == OFFER_AGREED && !line->renew && !line->agreed.cema_failed;
	line->setup = line->existing ? line->setup : media->setup;
	if (line->existing)
		return 0;
	x = offer_line_keys(s, line);
	return x ? offer_exchange_begin(x, now, err) : no_memory(err);
}

int offer_begin(struct offer_session *s, uint64_t now, struct base_error *err)
{
	struct base_error why = { 0 };
	int rc;

	if (s->state != OFFER_IDLE)
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "an exchange is open");
	if (!s->peer.data.len)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "an offer needs to know for whom its tickets are");
	rc = offer_view_open(s, s->media_count, &why);
	if (!rc && !s->next.count)
		first_lines(s);
	s->next.offerer = true;
	for (size_t i = 0; !rc && i < s->next.count; i++)
		rc = line_begin(s, &s->next.line[i], now, &why);
	if (!rc) {
		offer_settle(s, OFFER_TO_OFFER);
		return 0;
	}
	(void)base_error_set(err, rc, "%s", why.text);
	return offer_fail(s, rc, true, &why);
}

static struct offer_view *current(struct offer_session *s)
{
	return s->open ? &s->next : &s->now;
}

void offer_renew(struct offer_session *s, size_t stream)
{
	if (stream < s->now.count)
		s->now.line[stream].renew = true;
}

void offer_close(struct offer_session *s, size_t stream)
{
	struct offer_view *const views[] = { &s->now, &s->next };

	for (size_t i = 0; i < BASE_COUNT(views); i++) {
		if (stream < views[i]->count) {
			views[i]->line[stream].closed = true;
			offer_refuse(&views[i]->line[stream], "it is over");
		}
	}
	if (!s->open)
		forget_refused(&s->now, &s->next);
}

/* ---- the KMS ---- */

bool offer_question(struct offer_session *s, struct offer_question *ret)
{
	for (size_t i = 0; s->open && i < s->next.count; i++) {
		struct offer_line *line = &s->next.line[i];

		if (!waits(line) || line->keys->handed)
			continue;
		line->keys->handed = true;
		*ret = (struct offer_question){ .stream = i,
			                        .resolve = !line->keys->initiator,
			                        .octets = { line->keys->asked.sent.data,
			                                    line->keys->asked.sent.len } };
		return true;
	}
	return false;
}

/* What the KMS says: its own refusal is no fault of the peer's, so it is 403, or 503. */
static void kms_failure(struct offer_session *s, int rc, const struct base_error *why)
{
	bool told = strncmp(why->text, "told:", 5) == 0;

	(void)offer_fail(s, rc, true, why);
	if (told) {
		s->failure.status = 403;
		s->failure.warning = 399;
		s->failure.error_no = 255;
	}
}

int offer_told(struct offer_session *s, uint64_t now, size_t stream, struct mikey_octets answer,
               struct base_error *err)
{
	struct offer_line *line = s->open && stream < s->next.count ? &s->next.line[stream] : NULL;
	struct base_error why = { 0 };
	int rc;

	if (s->state != OFFER_ASKING || !line || !waits(line))
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "nothing was asked");
	if (!answer.len) {
		line->keys->asking = false;
		(void)base_error_set(&why, BASE_ERR(BASE_LOCAL, 503),
		                     "no answer of the KMS: %.200s",
		                     err && err->text[0] ? err->text : "it cannot be reached");
		(void)offer_fail(s, why.rc, true, &why);
		s->failure.status = 503;
		return base_error_set(err, why.rc, "%s", why.text);
	}
	rc = offer_exchange_told(line->keys, now, answer, &why);
	if (!rc) {
		offer_settle(s, s->next.offerer ? OFFER_TO_OFFER : OFFER_TO_ANSWER);
		return 0;
	}
	kms_failure(s, rc, &why);
	return base_error_set(err, rc, "%s", why.text);
}

/* ---- our description ---- */

static bool path_ok(struct base_str path)
{
	struct msrp_uri uri;

	return path.len < OFFER_PATH_MAX && !msrp_uri_parse(path, &uri) && uri.secure &&
	       uri.has_port && uri.port;
}

int offer_place(struct offer_session *s, size_t stream, struct base_str address, uint16_t port,
                struct base_str path, struct base_error *err)
{
	struct offer_view *v = current(s);
	struct offer_line *line = stream < v->count ? &v->line[stream] : NULL;
	uint8_t octets[16];
	char text[sizeof(line->address)];

	if (!line || !line->ours || !port || address.len >= sizeof(text))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no such stream, or no port");
	(void)snprintf(text, sizeof(text), "%.*s", BASE_FMT(address));
	if (inet_pton(AF_INET, text, octets) != 1 && inet_pton(AF_INET6, text, octets) != 1)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "no address: %s", text);
	if (s->media[line->media].app == OFFER_MSRP && !path_ok(path))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "no msrps URI with a port (RFC 4975, 6)");
	memcpy(line->address, text, sizeof(text));
	line->port = port;
	(void)snprintf(line->path, sizeof(line->path), "%.*s", BASE_FMT(path));
	line->placed = true;
	return 0;
}

static void line_write(const struct offer_session *s, const struct offer_line *line,
                       struct base_writer *w)
{
	const struct offer_media *media = line->ours ? &s->media[line->media] : NULL;
	bool msrp = media && media->app == OFFER_MSRP;
	bool refused = line->verdict == OFFER_REFUSED;
	struct offer_written m = { .media = media,
		                   .address = line->address,
		                   .port = line->port,
		                   .path = line->path,
		                   .setup = line->setup,
		                   .existing = line->existing,
		                   .cema = line->cema };

	if (refused && media && !line->type.len)
		offer_refused_write(w, base_str_of(msrp ? "message" : "application"),
		                    base_str_of(msrp ? "TCP/TLS/MSRP" : "TCP/TLS/BFCP"),
		                    BASE_STR("*"));
	else if (refused || !media)
		offer_refused_write(w, line->type, line->proto, line->formats);
	if (refused || !media)
		return;
	m.versions = s->next.offerer ? media->bfcp.versions : line->agreed.bfcp.versions;
	if (!line->existing && line->keys)
		m.key_mgmt = offer_exchange_message(line->keys);
	offer_media_write(w, &m);
}

static const char *first_address(const struct offer_view *v)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->line[i].placed && v->line[i].verdict != OFFER_REFUSED)
			return v->line[i].address;
	}
	return "0.0.0.0";
}

/* What follows o=. */
static int body_write(const struct offer_session *s, struct base_writer *w, struct base_error *err)
{
	const struct offer_view *v = &s->next;

	base_writer_text(w, "s=-\r\nc=");
	offer_address_write(w, first_address(v));
	base_writer_printf(w, "\r\nt=%.*s\r\n", BASE_FMT(v->times));
	for (size_t i = 0; i < v->count; i++) {
		if (v->line[i].verdict != OFFER_REFUSED && !v->line[i].placed)
			return base_error_set(err, BASE_ERR(BASE_BUG, 0),
			                      "stream %zu has no address yet", i);
		line_write(s, &v->line[i], w);
	}
	return w->failed ? no_memory(err) : 0;
}

int offer_write(struct offer_session *s, struct base_writer *out, struct base_error *err)
{
	struct base_writer body = { .limit = SIP_SDP_OCTETS_MAX - 512 };
	int rc = 0;

	if (s->state != OFFER_TO_OFFER && s->state != OFFER_TO_ANSWER)
		return base_error_set(err, BASE_ERR(BASE_BUG, 0), "nothing can be written now");
	if (s->same && s->answered && s->state == OFFER_TO_ANSWER)
		base_writer_str(&body, base_writer_view(&s->last)); /* RFC 4975, 8.4 */
	else
		rc = body_write(s, &body, err);
	if (rc) {
		base_writer_done(&body);
		return rc;
	}
	if (!base_str_eq(base_writer_view(&body), base_writer_view(&s->last)))
		s->version++; /* RFC 3264, 8: by one when anything changes */
	base_writer_text(out, "v=0\r\n");
	base_writer_printf(out, "o=- %llu %llu ", (unsigned long long)s->id,
	                   (unsigned long long)s->version);
	offer_address_write(out, first_address(&s->next));
	base_writer_text(out, "\r\n");
	base_writer_str(out, base_writer_view(&body));
	base_writer_done(&s->last);
	s->last = body;
	s->answered = s->state == OFFER_TO_ANSWER;
	if (out->failed)
		return no_memory(err);
	if (s->state == OFFER_TO_OFFER)
		s->state = OFFER_OFFERED;
	else
		offer_view_commit(s);
	return 0;
}

/* ---- what is agreed ---- */

size_t offer_count(const struct offer_session *s)
{
	return s->open ? s->next.count : s->now.count;
}

void offer_stream(const struct offer_session *s, size_t stream, struct offer_stream *ret)
{
	const struct offer_view *v = s->open ? &s->next : &s->now;
	const struct offer_line *line = stream < v->count ? &v->line[stream] : NULL;
	const struct offer_exchange *x = line ? line->keys : NULL;

	*ret = (struct offer_stream){ .verdict = OFFER_REFUSED, .psk_identity = "", .peer = "" };
	if (!line)
		return;
	*ret = line->agreed;
	ret->ours = line->ours;
	ret->media = line->media;
	ret->verdict = line->verdict;
	ret->why = line->why[0] ? line->why : NULL;
	ret->psk_identity = x ? x->psk_identity : "";
	ret->psk = x && x->psk.len ? &x->psk : NULL;
	ret->peer = x ? x->name : "";
	ret->end_s = x ? x->end_s : 0;
	if (line->ours)
		ret->app = s->media[line->media].app;
}
