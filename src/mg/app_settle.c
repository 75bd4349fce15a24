/* SPDX-License-Identifier: Apache-2.0 */
/* Hubs, as the streams of a context ask for them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "mg/app.h"
#include "mg/app_private.h"
#include "mg/pkg.h"

#define URIS_MAX 8

void mg_app_host_put(struct base_writer *w, const struct sockaddr_storage *a)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, host,
		          sizeof(host));
		base_writer_printf(w, "[%s]", host);
	} else {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, host, sizeof(host));
		base_writer_text(w, host);
	}
}

/* ---- what has been ordered, as one number ---- */

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *octet = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octet[i]) * 0x100000001b3U;
	return (hash ^ 0xff) * 0x100000001b3U;
}

static uint64_t session_of(const struct mg_stream *s)
{
	struct base_str own = mg_app_path_of(&s->local), peer = mg_app_path_of(&s->remote);
	enum mg_app app = mg_stream_app(s);
	uint64_t user = 0, hash = mix(0xcbf29ce484222325U, &app, sizeof(app));

	if (app == MG_APP_FLOOR) {
		(void)mg_app_number(&s->local, "userid", UINT16_MAX, &user);
		return mix(hash, &user, sizeof(user)) | 1;
	}
	return mix(mix(hash, own.ptr, own.len), peer.ptr, peer.len) | 1;
}

bool mg_app_fits(const struct mg_leg *leg, const struct mg_stream *s)
{
	struct base_str own = mg_app_path_of(&s->local);
	struct h248_sdp_text path = { 0 };
	struct h248_sdp_group group;
	struct mg_stream ours = *s;

	if (leg->state == MG_LEG_WAITING)
		return true;
	if (leg->app != mg_stream_app(s))
		return false;
	if (!leg->seated)
		return true;
	if (!own.len && leg->path && s->local.groups) { /* the leg's own is meant */
		group = *s->local.groups;
		path.text = base_str_of(leg->path);
		group.paths = &path;
		ours.local.groups = &group;
	}
	return leg->seated == session_of(&ours);
}

/* ---- hubs ---- */

static struct mg_hub *hub_find(struct mg_context *context, uint16_t stream, enum mg_app app)
{
	for (struct base_node *n = context->hubs.next; n != &context->hubs; n = n->next) {
		struct mg_hub *hub = BASE_CONTAINER_OF(n, struct mg_hub, node);

		if (hub->stream == stream && hub->app == app)
			return hub;
	}
	return NULL;
}

static void hub_free(struct mg *mg, struct mg_hub *hub)
{
	base_list_remove(&hub->node);
	mg->bearer->hub_free(hub->relay);
	free(hub);
}

void mg_hubs_free(struct mg *mg, struct mg_context *context)
{
	BASE_LIST_EACH(&context->hubs, n, after)
	{
		hub_free(mg, BASE_CONTAINER_OF(n, struct mg_hub, node));
	}
}

static struct mg_hub *hub_new(struct mg *mg, struct mg_context *context, const struct mg_stream *s)
{
	static const enum relay_hub_kind kinds[] = { [MG_APP_B2B] = RELAY_HUB_RELAY,
		                                     [MG_APP_ROOM] = RELAY_HUB_ROOM,
		                                     [MG_APP_FLOOR] = RELAY_HUB_FLOOR };
	struct relay_hub_spec spec = { .kind = kinds[mg_stream_app(s)] };
	struct mg_hub *hub = calloc(1, sizeof(*hub));
	struct base_error err = { 0 };
	uint64_t number;

	if (!hub)
		return NULL;
	(void)mg_pkg_text(s, H248_PACKAGE_MSRP, "room", &spec.uri);
	spec.nicknames = mg_app_word(&s->local, "chatroom", "nickname");
	spec.private_messages = mg_app_word(&s->local, "chatroom", "private-messages");
	(void)mg_app_number(&s->local, "max-size", UINT64_MAX, &spec.octets);
	if (mg_app_number(&s->local, "confid", UINT32_MAX, &number))
		spec.conference = (uint32_t)number;
	if (mg->bearer->hub_new(&hub->relay, context->bearer->relay, &spec, &err)) {
		base_log(BASE_LOG_ERROR, "mg", "Context %u, Stream %u: no hub: %s", context->id,
		         s->id, err.text);
		free(hub);
		return NULL;
	}
	hub->stream = s->id;
	hub->app = (uint8_t)mg_stream_app(s);
	base_list_append(&context->hubs, &hub->node);
	return hub;
}

/* ---- seats ---- */

static void seat(struct mg *mg, struct mg_hub *hub, struct mg_stream *s)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_MSRP, "user");
	struct base_str uri[URIS_MAX];
	struct relay_seat_spec spec = { .uri = uri };
	struct base_error err = { 0 };
	uint64_t user = 0, want = session_of(s);

	s->leg->app = hub->app;
	spec.own = mg_app_path_of(&s->local);
	spec.peer = mg_app_path_of(&s->remote);
	if (s->leg->seated == want || s->leg->state == MG_LEG_ENDED ||
	    (hub->app != MG_APP_FLOOR && (!spec.own.len || !spec.peer.len)))
		return;
	for (const struct h248_value *v = p ? &p->value : NULL; v && spec.uris < URIS_MAX;
	     v = v->next)
		uri[spec.uris++] = v->text;
	spec.private_messages = mg_app_word(&s->remote, "chatroom", "private-messages");
	(void)mg_app_first(&s->remote, "accept-wrapped-types", &spec.wrapped_types);
	(void)mg_app_number(&s->local, "userid", UINT16_MAX, &user);
	spec.user = (uint16_t)user;
	if (mg->bearer->endpoint_seat(s->leg->endpoint, hub->relay, &spec, &err))
		base_log(BASE_LOG_WARN, "mg", "Stream %u: no seat yet: %s", s->id, err.text);
	else
		s->leg->seated = want;
}

/* ---- floors and users of a conference ---- */

struct conference {
	struct relay_floor floor[MG_FLOORS_MAX];
	size_t floors;
	struct relay_user *user;
	size_t users;
};

static struct relay_floor *floor_of(struct conference *c, uint16_t id)
{
	for (size_t i = 0; i < c->floors; i++)
		if (c->floor[i].id == id)
			return &c->floor[i];
	if (c->floors == MG_FLOORS_MAX)
		return NULL;
	c->floor[c->floors] = (struct relay_floor){ .id = id };
	return &c->floor[c->floors++];
}

static void floors_add(struct conference *c, const struct mg_stream *s)
{
	const struct h248_sdp_line *at = NULL;
	struct relay_floor *floor;
	int64_t holders = 0;
	uint16_t id;

	(void)mg_pkg_number(s, H248_PACKAGE_BFCP, "holders", &holders);
	while (mg_app_floor_next(s, &at, &id)) {
		floor = floor_of(c, id);
		if (floor && holders)
			floor->holders = (unsigned)holders;
	}
}

static void chairs_add(struct conference *c, const struct mg_stream *s, uint16_t user)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_BFCP, "chair");
	uint64_t id;

	for (const struct h248_value *v = p ? &p->value : NULL; v; v = v->next)
		for (size_t i = 0; i < c->floors; i++)
			if (!base_str_u64(v->text, UINT16_MAX, &id) && c->floor[i].id == id)
				c->floor[i].chair = user;
}

static void user_add(struct conference *c, const struct mg_stream *s)
{
	struct relay_user *u = &c->user[c->users++];
	int64_t priority;
	uint64_t id = 0;

	*u = (struct relay_user){ 0 };
	(void)mg_app_number(&s->local, "userid", UINT16_MAX, &id);
	u->id = (uint16_t)id;
	(void)mg_pkg_text(s, H248_PACKAGE_BFCP, "name", &u->name);
	(void)mg_pkg_text(s, H248_PACKAGE_BFCP, "uri", &u->uri);
	u->third_party = mg_pkg_on(s, H248_PACKAGE_BFCP, "third");
	u->limited = mg_pkg_number(s, H248_PACKAGE_BFCP, "maxprio", &priority);
	if (u->limited)
		u->priority = (uint8_t)priority;
}

static uint64_t conference_mark(const struct conference *c)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < c->floors; i++) {
		hash = mix(hash, &c->floor[i].id, sizeof(c->floor[i].id));
		hash = mix(hash, &c->floor[i].chair, sizeof(c->floor[i].chair));
		hash = mix(hash, &c->floor[i].holders, sizeof(c->floor[i].holders));
	}
	for (size_t i = 0; i < c->users; i++) {
		const struct relay_user *u = &c->user[i];
		uint8_t flags[3] = { u->third_party, u->limited, u->priority };

		hash = mix(mix(hash, &u->id, sizeof(u->id)), flags, sizeof(flags));
		hash = mix(mix(hash, u->name.ptr, u->name.len), u->uri.ptr, u->uri.len);
	}
	return hash | 1;
}

/* Each stream of the hub, in the order of the terminations. */
static const struct mg_stream *member_next(const struct mg_context *context,
                                           const struct mg_hub *hub, struct mg_term **at)
{
	for (*at = *at ? mg_context_term_next(context, *at) : mg_context_term_first(context); *at;
	     *at = mg_context_term_next(context, *at)) {
		const struct mg_stream *s = mg_term_stream(*at, hub->stream);

		if (s && s->leg && s->local.groups && mg_stream_app(s) == hub->app)
			return s;
	}
	return NULL;
}

static void conference_settle(struct mg *mg, struct mg_context *context, struct mg_hub *hub)
{
	struct conference c = { .user = calloc(context->term_count, sizeof(struct relay_user)) };
	const struct mg_stream *s;
	struct mg_term *t = NULL;
	uint64_t mark;

	if (!c.user)
		return; /* it stays due */
	while ((s = member_next(context, hub, &t))) {
		floors_add(&c, s);
		user_add(&c, s);
	}
	for (size_t i = 0; (s = member_next(context, hub, &t)); i++)
		chairs_add(&c, s, c.user[i].id);
	mark = conference_mark(&c);
	if (hub->told != mark &&
	    !mg->bearer->hub_conference(hub->relay, c.floor, c.floors, c.user, c.users))
		hub->told = mark;
	free(c.user);
}

/* ---- all of a context ---- */

static void stream_settle(struct mg *mg, struct mg_context *context, struct mg_stream *s)
{
	struct mg_hub *hub = hub_find(context, s->id, mg_stream_app(s));

	if (!hub)
		hub = hub_new(mg, context, s);
	if (hub)
		hub->used = true;
}

void mg_app_settle(struct mg *mg, struct mg_context *context)
{
	const struct mg_stream *s;
	struct mg_term *t;

	for (t = mg_context_term_first(context); t; t = mg_context_term_next(context, t))
		for (struct mg_stream *each = t->media ? t->media->streams : NULL; each;
		     each = each->next)
			if (each->leg && each->local.groups && mg_stream_app(each) != MG_APP_NONE)
				stream_settle(mg, context, each);
	BASE_LIST_EACH(&context->hubs, n, after)
	{
		struct mg_hub *hub = BASE_CONTAINER_OF(n, struct mg_hub, node);

		if (!hub->used) {
			hub_free(mg, hub);
			continue;
		}
		hub->used = false;
		if (hub->app == MG_APP_FLOOR)
			conference_settle(mg, context, hub);
		t = NULL;
		while ((s = member_next(context, hub, &t)))
			seat(mg, hub, mg_term_stream(t, s->id));
	}
}
