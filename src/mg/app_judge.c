/* SPDX-License-Identifier: Apache-2.0 */
/* Do the descriptors of such a stream go together, and with those that it is to meet? */
#include <arpa/inet.h>

#include "mg/app.h"
#include "mg/app_sdp.h"
#include "mg/pkg.h"
#include "msrp/msrp.h"

/* The numbers that SDP has to have, or has wrong. */
static int floor_judge(struct mg_run *run, const struct mg_stream *s)
{
	struct base_str value;
	uint32_t conference;
	size_t index = 0;
	uint16_t n;

	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "userid" : "confid";

		index = 0;
		if (!mg_app_attribute(&s->local, name, &index, &value))
			return mg_fail(run, H248_E_REQUIRED_MISSING,
			               "Stream %u, Local: gatehouse_bfcp/mode server needs a=%s",
			               s->id, name);
	}
	if (!mg_app_conference(s, &conference) || !mg_app_user(s, &n))
		return mg_fail(run, H248_E_SDP, "Stream %u, Local a=%s: no number in its range",
		               s->id, mg_app_user(s, &n) ? "confid" : "userid");
	index = 0;
	while (mg_app_attribute(&s->local, "floorid", &index, &value))
		if (!mg_app_floor(value, &n))
			return mg_fail(run, H248_E_SDP,
			               "Stream %u, Local a=floorid: no number of a floor", s->id);
	return 0;
}

static int path_judge(struct mg_run *run, const struct mg_stream *s)
{
	struct base_str path;
	struct msrp_uri uri;

	if (mg_app_path(&s->local, &path) && msrp_uri_parse(path, &uri))
		return mg_fail(run, H248_E_SDP, "Stream %u, Local a=path: not one MSRP URI", s->id);
	if (mg_app_path(&s->remote, &path) && !msrp_path_count(path))
		return mg_fail(run, H248_E_SDP, "Stream %u, Remote a=path: no path of MSRP URIs",
		               s->id);
	return 0;
}

static int room_judge(struct mg_run *run, const struct mg_stream *s)
{
	struct base_str text;

	if (!mg_pkg_text(s, H248_PACKAGE_MSRP, "room", &text) ||
	    !h248_parm_find(s->parms, H248_PACKAGE_MSRP, "user"))
		return mg_fail(run, H248_E_REQUIRED_MISSING,
		               "Stream %u, LocalControl gatehouse_msrp/mode: room needs "
		               "gatehouse_msrp/room and user",
		               s->id);
	return path_judge(run, s);
}

static int kind_judge(struct mg_run *run, const struct mg_stream *s, enum mg_app app)
{
	const struct h248_sdp_media *m = &s->local.groups->media;
	unsigned wanted = app == MG_APP_FLOOR ? H248_SDP_BFCP : H248_SDP_MSRP;

	if (m->transport != H248_SDP_TCP || m->application != wanted)
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl %s/mode: %.*s is not %s over TCP", s->id,
		               app == MG_APP_FLOOR ? H248_PACKAGE_BFCP : H248_PACKAGE_MSRP,
		               BASE_FMT(m->proto), app == MG_APP_FLOOR ? "BFCP" : "MSRP");
	if (s->link != H248_LINK_OFF)
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, LocalControl seplink/link: not where the application is "
		               "known",
		               s->id);
	if (app == MG_APP_FLOOR)
		return floor_judge(run, s);
	return app == MG_APP_ROOM ? room_judge(run, s) : path_judge(run, s);
}

static bool same_text(const struct mg_stream *a, const struct mg_stream *b, const char *item)
{
	struct base_str x = { 0 }, y = { 0 };

	(void)mg_pkg_text(a, H248_PACKAGE_MSRP, item, &x);
	(void)mg_pkg_text(b, H248_PACKAGE_MSRP, item, &y);
	return base_str_eq(x, y);
}

static bool same_room(const struct mg_stream *a, const struct mg_stream *b)
{
	static const char *const words[] = { "nickname", "private-messages" };

	for (size_t i = 0; i < BASE_COUNT(words); i++)
		if (mg_app_chatroom(&a->local, base_str_of(words[i])) !=
		    mg_app_chatroom(&b->local, base_str_of(words[i])))
			return false;
	return same_text(a, b, "room");
}

static bool decides(const struct mg_stream *s, uint16_t floor)
{
	const struct h248_parm *p = h248_parm_find(s->parms, H248_PACKAGE_BFCP, "chair");
	uint16_t id;

	for (const struct h248_value *v = p ? &p->value : NULL; v; v = v->next)
		if (mg_app_floor(v->text, &id) && id == floor)
			return true;
	return false;
}

/* NULL: they go together. */
static const char *floors_differ(const struct mg_stream *a, const struct mg_stream *b)
{
	const struct h248_parm *p = h248_parm_find(a->parms, H248_PACKAGE_BFCP, "chair");
	uint32_t x = 0, y = 0;
	uint16_t m = 0, n = 0;

	if (!mg_app_conference(a, &x) || !mg_app_conference(b, &y) || x != y)
		return "another a=confid than that of the conference";
	if (mg_app_user(a, &m) && mg_app_user(b, &n) && m == n)
		return "another termination has this a=userid";
	for (const struct h248_value *v = p ? &p->value : NULL; v; v = v->next)
		if (mg_app_floor(v->text, &n) && decides(b, n))
			return "a floor has two chairs";
	return NULL;
}

static const char *differ(const struct mg_stream *a, const struct mg_stream *b, enum mg_app app)
{
	if (mg_stream_app(b) != app)
		return "another mode than that of this stream in other terminations";
	if (app == MG_APP_ROOM && !same_room(a, b))
		return "another room or a=chatroom than the others'";
	return app == MG_APP_FLOOR ? floors_differ(a, b) : NULL;
}

/* Floors of the StreamID, with those of `s`, are as many as a conference may have? */
static int floors_judge(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s)
{
	struct mg_term *t = plan->context ? mg_context_term_first(plan->context) : NULL;
	uint8_t seen[(UINT16_MAX + 1) / 8] = { 0 };
	struct base_str value;
	unsigned floors = 0;
	uint16_t id;

	for (const struct mg_stream *o = s; o || t;) {
		size_t index = 0;

		while (o && mg_app_attribute(&o->local, "floorid", &index, &value)) {
			if (!mg_app_floor(value, &id) || seen[id / 8] & 1U << id % 8)
				continue;
			seen[id / 8] |= (uint8_t)(1U << id % 8);
			floors++;
		}
		o = t && t != plan->term ? mg_term_stream(t, s->id) : NULL;
		t = t ? mg_context_term_next(plan->context, t) : NULL;
	}
	return floors <= MG_FLOORS_MAX
	               ? 0
	               : mg_fail(run, H248_E_RESOURCES,
	                         "Stream %u, Local a=floorid: a conference has up to %u floors",
	                         s->id, MG_FLOORS_MAX);
}

/* A leg whose connection is there stays what it is. */
static int change_judge(struct mg_run *run, const struct mg_stream *s, enum mg_app app)
{
	const struct mg_leg *leg = s->leg;

	if (!leg || s->new_local || leg->state == MG_LEG_ENDED)
		return 0;
	if (leg->app == app && app == MG_APP_ROOM && !s->new_remote && !mg_app_fits(leg, s))
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Stream %u, LocalControl gatehouse_msrp/user: another one in the "
		               "room already; a new Local makes a new endpoint",
		               s->id);
	if (leg->app == app || leg->state == MG_LEG_WAITING)
		return 0;
	return mg_fail(run, H248_E_NOT_IMPLEMENTED,
	               "Stream %u, LocalControl: another mode of the application while its "
	               "connection is up; a new Local makes a new one",
	               s->id);
}

int mg_app_judge(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s)
{
	enum mg_app app = mg_stream_app(s);
	int rc = change_judge(run, s, app);

	if (!s->local.groups)
		return rc;
	if (!rc && app != MG_APP_NONE)
		rc = kind_judge(run, s, app);
	for (struct mg_term *t = plan->context ? mg_context_term_first(plan->context) : NULL;
	     t && !rc; t = mg_context_term_next(plan->context, t)) {
		const struct mg_stream *o = t == plan->term ? NULL : mg_term_stream(t, s->id);
		const char *why = o && o->local.groups ? differ(s, o, app) : NULL;

		if (why)
			rc = mg_fail(run, H248_E_CONFLICT, "Stream %u: %s", s->id, why);
	}
	if (!rc && plan->context && !mg_app_hub_fits(plan->context, s))
		rc = mg_fail(
		        run, H248_E_CONFLICT,
		        "Stream %u: %s than it began with; subtract it, and add it anew", s->id,
		        app == MG_APP_FLOOR ? "another a=confid" : "another room or a=chatroom");
	return !rc && app == MG_APP_FLOOR ? floors_judge(run, plan, s) : rc;
}

/* ---- our path ---- */

static const char *host_text(struct base_arena *arena, const struct sockaddr_storage *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text,
		          sizeof(text));
		return base_arena_printf(arena, "[%s]", text);
	}
	inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, sizeof(text));
	return base_arena_printf(arena, "%s", text);
}

#define SESSION_OCTETS 10 /* 80 random bits (RFC 4975, 14.1) */

static const char *path_make(struct mg_run *run, const struct mg_leg *leg)
{
	static const char hex[] = "0123456789abcdef";
	char id[2 * SESSION_OCTETS + 1];
	struct sockaddr_storage local;
	uint8_t random[SESSION_OCTETS];
	const char *host;

	if (base_random(random, sizeof(random)))
		return NULL;
	for (size_t i = 0; i < sizeof(random); i++) {
		id[2 * i] = hex[random[i] >> 4];
		id[2 * i + 1] = hex[random[i] & 15];
	}
	id[sizeof(id) - 1] = '\0';
	mg_leg_local(leg, &local);
	host = host_text(run->arena, &local);
	return host ? base_arena_printf(run->arena, "%s://%s:%u/%s;tcp",
	                                leg->tls ? "msrps" : "msrp", host, mg_port_of(&local), id)
	            : NULL;
}

/* One for the leg's life: what was told stays true. */
int mg_app_local_fill(struct mg_run *run, struct mg_stream *s)
{
	struct mg_leg *leg = s->leg;
	struct h248_sdp_text *path;
	struct base_str given;
	const char *made;

	if (!leg || (leg->app != MG_APP_RELAY && leg->app != MG_APP_ROOM) ||
	    (mg_app_path(&s->local, &given) && !leg->path_anew))
		return 0;
	path = BASE_NEW(run->arena, struct h248_sdp_text);
	made = leg->path ? leg->path : path_make(run, leg);
	if (made && !leg->path)
		leg->path = strdup(made);
	if (!path || !leg->path)
		return mg_fail_memory(run);
	leg->path_anew = false;
	path->text = base_str_of(leg->path);
	s->local.groups->paths = path;
	s->tell_local = true;
	return 0;
}
