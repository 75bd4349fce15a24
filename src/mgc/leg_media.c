/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A member's termination: what is agreed upon as an order for the MRFP (docs/mg.md, "MSRP and
 * BFCP"; TS 23.333, 5.20.2), and addresses out of its replies.
 */
#include "mgc/focus_private.h"

#define MSRP 0
#define BFCP 1

/* ---- lines ---- */

static void address_put(struct base_writer *w, struct base_str host)
{
	bool six = memchr(host.ptr, ':', host.len) != NULL;

	base_writer_printf(w, "v=0\r\nc=IN %s %.*s\r\n", six ? "IP6" : "IP4", BASE_FMT(host));
}

static void media_put(struct base_writer *w, unsigned app, unsigned port, const char *setup)
{
	char text[12] = "$";

	if (port)
		(void)snprintf(text, sizeof(text), "%u", port);
	base_writer_text(w, "m=");
	base_writer_printf(w,
	                   app == MSRP ? "message %s TCP/TLS/MSRP *\r\n"
	                               : "application %s TCP/TLS/BFCP *\r\n",
	                   text);
	base_writer_printf(w, "a=setup:%s\r\n", setup);
}

static void room_put(struct base_writer *w, const struct leg *leg, const char *path)
{
	const struct mgc_room *room = leg->conf->room;

	base_writer_printf(w, "a=path:%s\r\n", path);
	if (room->nicknames || room->private_messages)
		base_writer_printf(w, "a=chatroom:%s%s%s\r\n", room->nicknames ? "nickname" : "",
		                   room->nicknames && room->private_messages ? " " : "",
		                   room->private_messages ? "private-messages" : "");
	if (room->max_size)
		base_writer_printf(w, "a=max-size:%llu\r\n", (unsigned long long)room->max_size);
}

static void floors_put(struct base_writer *w, const struct leg *leg)
{
	const struct mgc_room *room = leg->conf->room;

	base_writer_printf(w, "a=confid:%u\r\na=userid:%u\r\n", room->conference, leg->user);
	for (size_t i = 0; i < room->floor_count; i++)
		base_writer_printf(w, "a=floorid:%u\r\n", room->floors[i].id);
}

/* In memory of the order. */
static struct base_str keep(struct leg_media *media, struct base_writer *w)
{
	char *text = w->failed ? NULL : base_arena_dup(&media->arena, base_writer_view(w));
	struct base_str kept = { text, text ? w->len : 0 };

	base_writer_done(w);
	return kept;
}

/* Of Local: to be chosen, or as the MRFP has chosen before. */
static struct base_str local_of(struct leg_media *media, const struct leg *leg, unsigned app,
                                const char *setup)
{
	const struct leg_stream *at = &leg->streams[app];
	struct base_writer w = { 0 };

	if (at->there)
		address_put(&w, base_str_of(at->host));
	else
		base_writer_text(&w, "v=0\r\nc=IN IP4 $\r\n");
	media_put(&w, app, at->there ? at->port : 0, setup);
	if (leg->conf->focus->config->agnostic)
		return keep(media, &w);
	if (app == MSRP)
		room_put(&w, leg, at->there ? at->path : "$");
	else
		floors_put(&w, leg);
	return keep(media, &w);
}

static struct base_str remote_of(struct leg_media *media, const struct offer_stream *s)
{
	struct base_writer w = { 0 };

	address_put(&w, s->host);
	media_put(&w, s->app == OFFER_BFCP, s->port ? s->port : 9,
	          s->tcp_client ? "passive" : "active");
	if (s->app == OFFER_MSRP) {
		base_writer_printf(&w, "a=path:%.*s\r\n", BASE_FMT(s->msrp.path));
		if (s->msrp.wrapped_types.len)
			base_writer_printf(&w, "a=accept-wrapped-types:%.*s\r\n",
			                   BASE_FMT(s->msrp.wrapped_types));
		if (s->msrp.has_chatroom)
			base_writer_printf(&w, "a=chatroom%s%.*s\r\n",
			                   s->msrp.chatroom.len ? ":" : "",
			                   BASE_FMT(s->msrp.chatroom));
	}
	return keep(media, &w);
}

/* ---- properties ---- */

static void prop(struct mgc_stream *to, const char *name, const char *value, bool quoted)
{
	if (to->prop_count < MGC_PROPS_MAX)
		to->props[to->prop_count++] = (struct mgc_prop){ name, base_str_of(value), quoted };
}

_Static_assert(MGC_PROPS_MAX >= 4 + MGC_FLOORS_MAX, "a member may be the chair of all floors");

static void floor_props(struct leg_media *media, const struct leg *leg, struct mgc_stream *to)
{
	const struct mgc_room *room = leg->conf->room;
	unsigned holders = room->floor_count ? room->floors[0].holders : 1;

	for (size_t i = 0; i < room->floor_count; i++) {
		char id[OFFER_NAME_MAX];

		if (room->floors[i].chair &&
		    offer_identity(base_str_of(room->floors[i].chair), id, sizeof(id)) &&
		    !strcmp(id, leg->peer))
			prop(to, "gatehouse_bfcp/chair",
			     base_arena_printf(&media->arena, "%u", room->floors[i].id), false);
	}
	if (holders > 1)
		prop(to, "gatehouse_bfcp/holders", base_arena_printf(&media->arena, "%u", holders),
		     false);
}

static void props_put(struct leg_media *media, const struct leg *leg, unsigned app,
                      struct mgc_stream *to)
{
	const struct mgc_config *config = leg->conf->focus->config;

	if (config->media_domain)
		prop(to, "gatehouse/dom", config->media_domain, true);
	if (config->agnostic)
		return;
	if (app == MSRP) {
		prop(to, "gatehouse_msrp/mode", "room", false);
		prop(to, "gatehouse_msrp/room", leg->conf->room->identity, true);
		prop(to, "gatehouse_msrp/user", leg->peer, true);
	} else {
		prop(to, "gatehouse_bfcp/mode", "server", false);
		prop(to, "gatehouse_bfcp/uri", leg->peer, true);
		floor_props(media, leg, to);
	}
}

/* ---- orders ---- */

static struct mgc_stream *stream_add(struct leg_media *media, const struct leg *leg, unsigned app)
{
	struct mgc_stream *to = &media->order.streams[media->order.stream_count++];

	to->id = (uint16_t)(app + 1);
	to->control = true;
	props_put(media, leg, app, to);
	return to;
}

/* TS 23.333, 5.20.2: "Reserve IMS resources", before anybody has answered. */
static void reserve_put(struct leg_media *media, const struct leg *leg)
{
	const struct mgc_room *room = leg->conf->room;

	for (unsigned app = MSRP; app <= BFCP; app++)
		if (app == MSRP ? room->msrp : room->bfcp)
			stream_add(media, leg, app)->local = local_of(media, leg, app, "actpass");
}

/* Address and roles of both ends, key, and what starts it (TS 23.333, 5.20.2; docs/offer.md). */
static void agreed_put(struct leg_media *media, const struct leg *leg, const struct offer_stream *s)
{
	unsigned app = s->app == OFFER_BFCP;
	struct mgc_stream *to = stream_add(media, leg, app);

	to->local = local_of(media, leg, app, s->tcp_client ? "active" : "passive");
	to->remote = remote_of(media, s);
	if (s->psk) {
		to->psk_id = s->psk_identity;
		to->psk = s->psk->data;
		to->psk_len = s->psk->len;
	}
	to->tcp_start = s->tcp_client;
	to->tls_start = s->tls_client;
}

/* Not agreed upon, and the termination has it: its empty Local and Remote release it (7.1.8). */
static void release_put(struct leg_media *media, unsigned app)
{
	struct mgc_stream *to = &media->order.streams[media->order.stream_count++];

	to->id = (uint16_t)(app + 1);
	to->release = true;
}

/* TLS with another key is another connection, and a bearer has one. */
static bool in_the_way(const struct leg *leg, const struct offer_stream *s)
{
	return s->ours && s->verdict == OFFER_AGREED && s->fresh && !s->held &&
	       leg->streams[s->app == OFFER_BFCP].bound;
}

bool leg_media_in_the_way(const struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (in_the_way(leg, &s))
			return true;
	}
	return false;
}

static void releases_put(struct leg_media *media, const struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (in_the_way(leg, &s) && media->order.stream_count < MGC_STREAMS_MAX)
			release_put(media, s.app == OFFER_BFCP);
	}
}

void leg_media_bound(struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (s.ours && s.verdict == OFFER_AGREED && s.fresh && !s.held)
			leg->streams[s.app == OFFER_BFCP].bound = true;
	}
}

void leg_media_released(struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (in_the_way(leg, &s))
			leg->streams[s.app == OFFER_BFCP] = (struct leg_stream){ 0 };
	}
}

static void streams_put(struct leg_media *media, const struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (!s.ours || media->order.stream_count == MGC_STREAMS_MAX)
			continue;
		if (s.verdict == OFFER_AGREED && s.fresh && !s.held)
			agreed_put(media, leg, &s);
		else if (s.verdict == OFFER_REFUSED && leg->streams[s.app == OFFER_BFCP].there)
			release_put(media, s.app == OFFER_BFCP);
	}
}

bool leg_media_changed(const struct leg *leg)
{
	for (size_t i = 0; i < offer_count(leg->offer); i++) {
		struct offer_stream s;

		offer_stream(leg->offer, i, &s);
		if (s.ours &&
		    ((s.verdict == OFFER_AGREED && s.fresh && !s.held) ||
		     (s.verdict == OFFER_REFUSED && leg->streams[s.app == OFFER_BFCP].there)))
			return true;
	}
	return false;
}

int leg_media_order(struct leg *leg, struct leg_media *ret)
{
	struct mgc_order *order = &ret->order;
	bool add = leg->order == ORDER_SEAT || leg->order == ORDER_RESERVE;

	*order = (struct mgc_order){
		.kind = add                            ? H248_ADD
		        : leg->order == ORDER_SUBTRACT ? H248_SUBTRACT
		                                       : H248_MODIFY,
		.context = leg->conf->context,
		.term = add ? BASE_STR("$") : base_str_of(leg->term),
		.events = add ? leg->user : 0,
	};
	if (leg->order == ORDER_RESERVE)
		reserve_put(ret, leg);
	else if (leg->order == ORDER_RELEASE)
		releases_put(ret, leg);
	else if (leg->order != ORDER_SUBTRACT)
		streams_put(ret, leg);
	for (size_t i = 0; i < order->stream_count; i++)
		if (!order->streams[i].release && !order->streams[i].local.len)
			return BASE_ERR(BASE_LOCAL, 0);
	return 0;
}

/* ---- replies ---- */

static bool line_next(struct base_str *rest, struct base_str *line)
{
	const char *end;

	if (!rest->len)
		return false;
	end = memchr(rest->ptr, '\n', rest->len);
	line->ptr = rest->ptr;
	line->len = end ? (size_t)(end - rest->ptr) : rest->len;
	rest->ptr += line->len + (end != NULL);
	rest->len -= line->len + (end != NULL);
	*line = base_str_trim(*line);
	return true;
}

static bool begins(struct base_str line, const char *with, struct base_str *ret)
{
	size_t len = strlen(with);

	if (line.len < len || memcmp(line.ptr, with, len) != 0)
		return false;
	*ret = (struct base_str){ line.ptr + len, line.len - len };
	return true;
}

/* The word number `n` of a value. */
static struct base_str word(struct base_str text, unsigned n)
{
	for (;;) {
		const char *blank = memchr(text.ptr, ' ', text.len);
		size_t len = blank ? (size_t)(blank - text.ptr) : text.len;

		if (!n--)
			return (struct base_str){ text.ptr, len };
		if (!blank)
			return (struct base_str){ NULL, 0 };
		text.ptr += len + 1;
		text.len -= len + 1;
	}
}

static bool copy(char *to, size_t cap, struct base_str from)
{
	if (from.len >= cap)
		return false;
	memcpy(to, from.ptr ? from.ptr : "", from.len);
	to[from.len] = 0;
	return true;
}

/* Where the MRFP listens, or connects from. */
static bool path_make(struct leg_stream *at)
{
	bool six = strchr(at->host, ':') != NULL;
	struct base_writer w;
	uint8_t octets[10]; /* 80 bits (RFC 4975, 14.1) */
	char hex[2 * sizeof(octets) + sizeof(octets) + 1];

	if (base_random(octets, sizeof(octets)))
		return false;
	base_hex_encode(octets, sizeof(octets), 0, false, hex);
	w = base_writer_over(at->path, sizeof(at->path));
	base_writer_printf(&w, "msrps://%s%s%s:%u/%s;tcp", six ? "[" : "", at->host, six ? "]" : "",
	                   at->port, hex);
	base_writer_u8(&w, 0);
	return !w.failed;
}

static bool local_take(struct leg_stream *at, bool msrp, struct base_str sdp)
{
	struct base_str rest = sdp, line, value;
	uint64_t port = 0;
	bool ok = true, host = false;

	while (ok && line_next(&rest, &line)) {
		if (begins(line, "c=IN ", &value))
			ok = host = copy(at->host, sizeof(at->host), word(value, 1));
		else if (begins(line, "m=", &value))
			ok = !base_str_u64(word(value, 1), UINT16_MAX, &port);
		else if (begins(line, "a=path:", &value))
			ok = copy(at->path, sizeof(at->path), value);
	}
	at->port = (uint16_t)port;
	if (!ok || !host || !port)
		return false;
	return !msrp || at->path[0] || path_make(at);
}

int leg_media_take(struct leg *leg, const struct mgc_done *done, struct base_error *err)
{
	const struct h248_stream *s = done->media ? done->media->streams : NULL;

	for (; s; s = s->next) {
		struct leg_stream *at;

		if (s->id < 1 || s->id > LEG_STREAMS)
			continue;
		at = &leg->streams[s->id - 1];
		if (!s->has_local || !s->local.len) {
			at->there = false;
			continue;
		}
		if (!local_take(at, s->id == MSRP + 1, s->local))
			return base_error_set(err, BASE_ERR(BASE_PEER, 0),
			                      "the MRFP tells no address for stream %u", s->id);
		at->there = true;
	}
	return 0;
}
