/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stream of a known application is, and the hubs of a context. A hub is made for the first
 * stream that needs it and ends with the last; its endpoints sit in it from the moment their
 * session's both ends are known.
 */
#include <stdlib.h>

#include "mg/app.h"
#include "mg/app_sdp.h"
#include "mg/pkg.h"
#include "msrp/msrp.h"

struct mg_hub {
	struct base_node node; /* in its context */
	uint16_t stream;
	uint8_t app; /* enum mg_app */
	struct relay_hub *relay;
	uint64_t made; /* as what: its sum */
	uint64_t told; /* what it was told of floors and users: their sum */
};

/* ---- what a stream is ---- */

enum mg_app mg_stream_app(const struct mg_stream *s)
{
	int64_t mode = 0;

	if (mg_pkg_number(s, H248_PACKAGE_MSRP, "mode", &mode) && mode != H248_MSRP_AGNOSTIC)
		return mode == H248_MSRP_ROOM ? MG_APP_ROOM : MG_APP_RELAY;
	if (mg_pkg_number(s, H248_PACKAGE_BFCP, "mode", &mode) && mode != H248_BFCP_AGNOSTIC)
		return MG_APP_FLOOR;
	return MG_APP_NONE;
}

bool mg_app_is_shared(enum mg_app app)
{
	return app == MG_APP_ROOM || app == MG_APP_FLOOR;
}

bool mg_term_has_app(const struct mg_term *term)
{
	for (const struct mg_stream *s = term->media ? term->media->streams : NULL; s; s = s->next)
		if (mg_stream_app(s) != MG_APP_NONE)
			return true;
	return false;
}

/* ---- legs ---- */

static uint64_t sum_text(uint64_t sum, struct base_str text)
{
	static const uint64_t seed[2] = { 0, 0 };

	return sum * 31 + base_hash(seed, text.ptr, text.len);
}

/* Both ends of the session and who speaks in it; another sum is another session. 0: they are not
 * known yet. `own` is our path where Local leaves it to us. */
static uint64_t session_of(const struct mg_stream *s, enum mg_app app, struct base_str own)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_MSRP, "user");
	struct base_str peer;
	uint16_t user;
	uint64_t sum;

	if (app == MG_APP_FLOOR)
		return mg_app_user(s, &user) ? user : 0;
	if ((!mg_app_path(&s->local, &own) && !own.len) || !mg_app_path(&s->remote, &peer))
		return 0;
	sum = sum_text(sum_text(0, own), peer);
	for (const struct h248_value *v = app == MG_APP_ROOM && p ? &p->value : NULL; v;
	     v = v->next)
		sum = sum_text(sum, v->text);
	return sum | 1;
}

void mg_app_describe(struct mg_leg *leg, const struct mg_stream *s)
{
	const struct mg_leg *old = s->leg;
	struct base_str path;

	leg->app = (uint8_t)mg_stream_app(s);
	leg->path_anew = old && old->path && mg_app_path(&s->local, &path) &&
	                 base_str_eq(path, base_str_of(old->path));
}

bool mg_app_fits(const struct mg_leg *leg, const struct mg_stream *s)
{
	enum mg_app app = mg_stream_app(s);
	struct base_str own = leg->path ? base_str_of(leg->path) : (struct base_str){ 0 };
	uint64_t session;

	if (leg->app != app || !leg->seated)
		return leg->app == app;
	/* A path of the controller's, which is to be one of ours now. */
	if (app != MG_APP_FLOOR && !own.len && !mg_app_path(&s->local, &own))
		return false;
	session = session_of(s, app, own);
	return !session || leg->seated == session;
}

/* ---- hubs ---- */

/* The first stream of that id with a leg for a hub; `from` NULL: from the first termination. */
static const struct mg_stream *member_next(const struct mg_context *context, uint16_t id,
                                           struct mg_term **at)
{
	for (*at = *at ? mg_context_term_next(context, *at) : mg_context_term_first(context); *at;
	     *at = mg_context_term_next(context, *at)) {
		const struct mg_stream *s = mg_term_stream(*at, id);

		if (s && s->leg && s->leg->app != MG_APP_NONE)
			return s;
	}
	return NULL;
}

static struct mg_hub *hub_find(const struct mg_context *context, uint16_t id, enum mg_app app)
{
	for (struct base_node *n = context->hubs.next; n != &context->hubs; n = n->next) {
		struct mg_hub *hub = BASE_CONTAINER_OF(n, struct mg_hub, node);

		if (hub->stream == id && hub->app == app)
			return hub;
	}
	return NULL;
}

static void hub_spec(const struct mg_stream *s, enum mg_app app, struct relay_hub_spec *ret)
{
	memset(ret, 0, sizeof(*ret));
	switch (app) {
	case MG_APP_ROOM:
		ret->kind = RELAY_HUB_ROOM;
		(void)mg_pkg_text(s, H248_PACKAGE_MSRP, "room", &ret->uri);
		ret->nicknames = mg_app_chatroom(&s->local, BASE_STR("nickname"));
		ret->private_messages = mg_app_chatroom(&s->local, BASE_STR("private-messages"));
		ret->octets = mg_app_size(s);
		break;
	case MG_APP_FLOOR:
		ret->kind = RELAY_HUB_FLOOR;
		(void)mg_app_conference(s, &ret->conference);
		break;
	default:
		ret->kind = RELAY_HUB_RELAY;
		break;
	}
}

/* What its endpoints' peers were told of it. How long messages may be is for the first to say. */
static uint64_t hub_sum(const struct relay_hub_spec *spec)
{
	return sum_text(spec->conference * 4U + spec->nicknames * 2U + spec->private_messages,
	                spec->uri);
}

bool mg_app_hub_fits(const struct mg_context *context, const struct mg_stream *s)
{
	enum mg_app app = mg_stream_app(s);
	const struct mg_hub *hub = hub_find(context, s->id, app);
	struct relay_hub_spec spec;

	hub_spec(s, app, &spec);
	return !hub || hub->made == hub_sum(&spec);
}

/* NULL when memory is short. */
static struct mg_hub *hub_need(struct mg *mg, struct mg_context *context, const struct mg_stream *s)
{
	struct mg_hub *hub = hub_find(context, s->id, s->leg->app);
	struct relay_hub_spec spec;

	if (hub)
		return hub;
	hub = calloc(1, sizeof(*hub));
	if (!hub)
		return NULL;
	hub_spec(s, s->leg->app, &spec);
	if (mg->bearer->hub_new(&hub->relay, context->bearer->relay, &spec, NULL)) {
		free(hub);
		return NULL;
	}
	hub->stream = s->id;
	hub->made = hub_sum(&spec);
	hub->app = s->leg->app;
	base_list_append(&context->hubs, &hub->node);
	return hub;
}

static void hub_end(struct mg *mg, struct mg_hub *hub)
{
	base_list_remove(&hub->node);
	mg->bearer->hub_free(hub->relay);
	free(hub);
}

static bool hub_is_needed(const struct mg_context *context, const struct mg_hub *hub)
{
	const struct mg_stream *s;
	struct mg_term *at = NULL;

	while ((s = member_next(context, hub->stream, &at)))
		if (s->leg->app == hub->app)
			return true;
	return false;
}

void mg_app_end(struct mg *mg, struct mg_context *context)
{
	BASE_LIST_EACH(&context->hubs, n, after)
	{
		hub_end(mg, BASE_CONTAINER_OF(n, struct mg_hub, node));
	}
}

/* ---- floors and users ---- */

struct conference {
	struct relay_floor floor[MG_FLOORS_MAX];
	struct relay_user *user;
	size_t floors, users;
};

static struct relay_floor *floor_of(struct conference *c, uint16_t id)
{
	for (size_t i = 0; i < c->floors; i++)
		if (c->floor[i].id == id)
			return &c->floor[i];
	if (c->floors == MG_FLOORS_MAX) /* which is refused before */
		return NULL;
	c->floor[c->floors] = (struct relay_floor){ .id = id };
	return &c->floor[c->floors++];
}

static void floors_add(struct conference *c, const struct mg_stream *s)
{
	int64_t holders = 0;
	struct base_str text;
	size_t index = 0;
	uint16_t id;

	(void)mg_pkg_number(s, H248_PACKAGE_BFCP, "holders", &holders);
	while (mg_app_attribute(&s->local, "floorid", &index, &text))
		if (mg_app_floor(text, &id)) {
			struct relay_floor *f = floor_of(c, id);

			if (f)
				f->holders = BASE_MAX(f->holders, (unsigned)holders);
		}
}

static void chairs_add(struct conference *c, const struct mg_stream *s, uint16_t user)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_BFCP, "chair");
	uint16_t id;

	for (const struct h248_value *v = p ? &p->value : NULL; v; v = v->next)
		for (size_t i = 0; mg_app_floor(v->text, &id) && i < c->floors; i++)
			if (c->floor[i].id == id)
				c->floor[i].chair = user;
}

static void user_add(struct conference *c, const struct mg_stream *s)
{
	struct relay_user *u = &c->user[c->users];
	int64_t priority;

	memset(u, 0, sizeof(*u));
	if (!mg_app_user(s, &u->id))
		return;
	(void)mg_pkg_text(s, H248_PACKAGE_BFCP, "name", &u->name);
	(void)mg_pkg_text(s, H248_PACKAGE_BFCP, "uri", &u->uri);
	u->third_party = mg_pkg_on(s, H248_PACKAGE_BFCP, "third");
	u->limited = mg_pkg_number(s, H248_PACKAGE_BFCP, "maxprio", &priority);
	if (u->limited)
		u->priority = (uint8_t)priority;
	c->users++;
}

static uint64_t conference_sum(const struct conference *c)
{
	uint64_t sum = c->users * 31 + c->floors + 1;

	for (size_t i = 0; i < c->floors; i++)
		sum = sum * 31 + ((uint64_t)c->floor[i].id << 48) +
		      ((uint64_t)c->floor[i].chair << 32) + c->floor[i].holders;
	for (size_t i = 0; i < c->users; i++) {
		const struct relay_user *u = &c->user[i];

		sum = sum * 31 + ((uint64_t)u->id << 16) + (u->third_party ? 256U : 0U) +
		      (u->limited ? 128U + u->priority : 0U);
		sum = sum_text(sum_text(sum, u->name), u->uri);
	}
	return sum;
}

static void conference_fill(struct conference *c, const struct mg_context *context, uint16_t id)
{
	const struct mg_stream *s;
	struct mg_term *at = NULL;
	uint16_t user;

	while ((s = member_next(context, id, &at)))
		if (s->leg->app == MG_APP_FLOOR) {
			floors_add(c, s);
			user_add(c, s);
		}
	at = NULL;
	while ((s = member_next(context, id, &at)))
		if (s->leg->app == MG_APP_FLOOR && mg_app_user(s, &user))
			chairs_add(c, s, user);
}

/* Before anybody sits down: a user has to be known. @return 0, or BASE_LOCAL */
static int conference_tell(struct mg *mg, const struct mg_context *context, struct mg_hub *hub)
{
	struct conference *c = calloc(1, sizeof(*c));
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	uint64_t sum;

	if (!c)
		return rc;
	c->user = calloc(context->term_count + 1U, sizeof(*c->user));
	if (c->user) {
		conference_fill(c, context, hub->stream);
		sum = conference_sum(c);
		rc = sum == hub->told ? 0
		                      : mg->bearer->hub_conference(hub->relay, c->floor, c->floors,
		                                                   c->user, c->users);
		if (!rc)
			hub->told = sum;
	}
	free(c->user);
	free(c);
	return rc;
}

/* ---- seats ---- */

#define USERS_MAX 8

static void seat_fill(const struct mg_stream *s, struct base_str *uris, struct relay_seat_spec *ret)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_MSRP, "user");
	size_t index = 0;

	memset(ret, 0, sizeof(*ret));
	if (s->leg->app == MG_APP_FLOOR) {
		(void)mg_app_user(s, &ret->user);
		return;
	}
	(void)mg_app_path(&s->local, &ret->own);
	(void)mg_app_path(&s->remote, &ret->peer);
	for (const struct h248_value *v = p ? &p->value : NULL; v && ret->uris < USERS_MAX;
	     v = v->next)
		uris[ret->uris++] = v->text;
	ret->uri = uris;
	ret->private_messages = mg_app_chatroom(&s->remote, BASE_STR("private-messages"));
	if (mg_app_attribute(&s->remote, "accept-wrapped-types", &index, &ret->wrapped_types) &&
	    base_str_eq(ret->wrapped_types, BASE_STR("*")))
		ret->wrapped_types = (struct base_str){ 0 };
}

static void seat(struct mg *mg, struct mg_context *context, const struct mg_stream *s)
{
	uint64_t session = session_of(s, s->leg->app, (struct base_str){ 0 });
	struct base_str uris[USERS_MAX];
	struct relay_seat_spec spec;
	struct mg_hub *hub;

	if (!session || s->leg->seated || s->leg->state == MG_LEG_ENDED)
		return;
	hub = hub_need(mg, context, s);
	if (!hub || (hub->app == MG_APP_FLOOR && conference_tell(mg, context, hub)))
		return;
	seat_fill(s, uris, &spec);
	if (!mg->bearer->endpoint_seat(s->leg->endpoint, hub->relay, &spec, NULL))
		s->leg->seated = session;
}

void mg_app_settle(struct mg *mg, struct mg_context *context)
{
	for (struct mg_term *t = mg_context_term_first(context); t;
	     t = mg_context_term_next(context, t))
		for (const struct mg_stream *s = t->media ? t->media->streams : NULL; s;
		     s = s->next)
			if (s->leg && s->leg->app != MG_APP_NONE)
				seat(mg, context, s);
	BASE_LIST_EACH(&context->hubs, n, after)
	{
		struct mg_hub *hub = BASE_CONTAINER_OF(n, struct mg_hub, node);

		if (!hub_is_needed(context, hub))
			hub_end(mg, hub);
		else if (hub->app == MG_APP_FLOOR)
			(void)conference_tell(mg, context, hub);
	}
}
