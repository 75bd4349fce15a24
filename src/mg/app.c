/* SPDX-License-Identifier: Apache-2.0 */
/* What streams of MSRP and BFCP ask for, and whether it goes together. app_settle.c orders it. */
#include <stdio.h>
#include <sys/random.h>

#include "mg/app.h"
#include "mg/app_private.h"
#include "mg/part.h"
#include "mg/pkg.h"

static bool mode_is(const struct mg_stream *s, const char *package, const char *word)
{
	struct base_str text;

	return mg_pkg_text(s, package, "mode", &text) && base_str_ieq(text, base_str_of(word));
}

enum mg_app mg_stream_app(const struct mg_stream *s)
{
	if (mode_is(s, H248_PACKAGE_MSRP, "room"))
		return MG_APP_ROOM;
	if (mode_is(s, H248_PACKAGE_MSRP, "b2b"))
		return MG_APP_B2B;
	return mode_is(s, H248_PACKAGE_BFCP, "server") ? MG_APP_FLOOR : MG_APP_NONE;
}

bool mg_app_attribute(const struct h248_sdp *sdp, const char *name, const struct h248_sdp_line **at,
                      struct base_str *ret)
{
	const struct h248_sdp_line *l = *at ? (*at)->next : sdp->groups ? sdp->groups->lines : NULL;
	size_t len = strlen(name);

	for (; l; l = l->next) {
		struct base_str v = l->value;

		if (l->type != 'a' || v.len < len || memcmp(v.ptr, name, len) != 0 ||
		    (v.len > len && v.ptr[len] != ':'))
			continue;
		*at = l;
		len = BASE_MIN(v.len, len + 1);
		*ret = base_str_trim((struct base_str){ v.ptr + len, v.len - len });
		return true;
	}
	return false;
}

bool mg_app_first(const struct h248_sdp *sdp, const char *name, struct base_str *ret)
{
	const struct h248_sdp_line *at = NULL;

	return mg_app_attribute(sdp, name, &at, ret);
}

bool mg_app_number(const struct h248_sdp *sdp, const char *name, uint64_t max, uint64_t *ret)
{
	struct base_str text;

	return mg_app_first(sdp, name, &text) && base_str_u64(text, max, ret) == 0;
}

bool mg_app_word(const struct h248_sdp *sdp, const char *name, const char *word)
{
	struct base_str text, want = base_str_of(word);

	if (!mg_app_first(sdp, name, &text))
		return false;
	while (text.len) {
		const char *space = memchr(text.ptr, ' ', text.len);
		size_t n = space ? (size_t)(space - text.ptr) : text.len;

		if (base_str_eq((struct base_str){ text.ptr, n }, want))
			return true;
		n += space != NULL;
		text = (struct base_str){ text.ptr + n, text.len - n };
	}
	return false;
}

bool mg_app_floor_next(const struct mg_stream *s, const struct h248_sdp_line **at, uint16_t *ret)
{
	struct base_str text;
	uint64_t id;

	if (!mg_app_attribute(&s->local, "floorid", at, &text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == ' ')
			text.len = i;
	if (base_str_u64(text, UINT16_MAX, &id))
		id = 0;
	*ret = (uint16_t)id;
	return true;
}

struct base_str mg_app_path_of(const struct h248_sdp *sdp)
{
	const struct h248_sdp_text *t = sdp->groups ? sdp->groups->paths : NULL;

	if (!t || base_str_eq(t->text, BASE_STR("$")))
		return (struct base_str){ 0 };
	return t->text;
}

/* ---- judging ---- */

static bool kind_fits(const struct mg_stream *s, enum mg_app app)
{
	const struct h248_sdp_media *m = &s->local.groups->media;

	return m->transport == H248_SDP_TCP &&
	       m->application == (app == MG_APP_FLOOR ? H248_SDP_BFCP : H248_SDP_MSRP);
}

static int needs_check(struct mg_run *run, const struct mg_stream *s, enum mg_app app)
{
	const struct h248_sdp_line *at = NULL;
	struct base_str text;
	uint64_t number;
	uint16_t floor;

	if (app == MG_APP_ROOM && (!mg_pkg_text(s, H248_PACKAGE_MSRP, "room", &text) ||
	                           !h248_parm_find(s->parms, H248_PACKAGE_MSRP, "user")))
		return mg_fail(run, H248_E_REQUIRED_MISSING,
		               "Stream %u, LocalControl: mode room needs gatehouse_msrp/room and "
		               "gatehouse_msrp/user",
		               s->id);
	if (app != MG_APP_FLOOR)
		return 0;
	if (!mg_app_number(&s->local, "confid", UINT32_MAX, &number) ||
	    !mg_app_number(&s->local, "userid", UINT16_MAX, &number) || !number)
		return mg_fail(run, H248_E_REQUIRED_MISSING,
		               "Stream %u, Local: mode server needs a=confid and a=userid", s->id);
	while (mg_app_floor_next(s, &at, &floor))
		if (!floor)
			return mg_fail(run, H248_E_SDP,
			               "Stream %u, Local a=floorid: not a number from 1 to 65535",
			               s->id);
	return 0;
}

static int paths_check(struct mg_run *run, const struct mg_stream *s)
{
	struct base_str own = mg_app_path_of(&s->local), peer = mg_app_path_of(&s->remote);
	struct base_error err = { 0 };

	if (relay_paths_check(own, peer, &err))
		return mg_fail(run, H248_E_SDP, "Stream %u, a=path: %s", s->id, err.text);
	return 0;
}

static bool same_text(const struct mg_stream *a, const struct mg_stream *b, const char *item)
{
	struct base_str x = { 0 }, y = { 0 };

	return mg_pkg_text(a, H248_PACKAGE_MSRP, item, &x) ==
	               mg_pkg_text(b, H248_PACKAGE_MSRP, item, &y) &&
	       base_str_eq(x, y);
}

static bool chairs_meet(const struct mg_stream *a, const struct mg_stream *b)
{
	const struct h248_parm *x = h248_parm_find(a->parms, H248_PACKAGE_BFCP, "chair");
	const struct h248_parm *y = h248_parm_find(b->parms, H248_PACKAGE_BFCP, "chair");

	for (const struct h248_value *v = x ? &x->value : NULL; v; v = v->next)
		for (const struct h248_value *w = y ? &y->value : NULL; w; w = w->next)
			if (base_str_eq(v->text, w->text))
				return true;
	return false;
}

static const char *differs(const struct mg_stream *s, const struct mg_stream *o, enum mg_app app)
{
	uint64_t a = 0, b = 0;

	if (mg_stream_app(o) != app)
		return "another mode";
	if (app == MG_APP_ROOM && !same_text(s, o, "room"))
		return "another room";
	if (app == MG_APP_ROOM && (mg_app_word(&s->local, "chatroom", "nickname") !=
	                                   mg_app_word(&o->local, "chatroom", "nickname") ||
	                           mg_app_word(&s->local, "chatroom", "private-messages") !=
	                                   mg_app_word(&o->local, "chatroom", "private-messages")))
		return "another a=chatroom";
	if (app != MG_APP_FLOOR)
		return NULL;
	(void)mg_app_number(&s->local, "confid", UINT32_MAX, &a);
	(void)mg_app_number(&o->local, "confid", UINT32_MAX, &b);
	if (a != b)
		return "another conference";
	(void)mg_app_number(&s->local, "userid", UINT16_MAX, &a);
	(void)mg_app_number(&o->local, "userid", UINT16_MAX, &b);
	if (a == b)
		return "the same user";
	return chairs_meet(s, o) ? "a chair for the same floor" : NULL;
}

static int others_check(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s,
                        enum mg_app app)
{
	unsigned others = 0;

	for (struct mg_term *t = plan->context ? mg_context_term_first(plan->context) : NULL; t;
	     t = mg_context_term_next(plan->context, t)) {
		const struct mg_stream *o = t == plan->term ? NULL : mg_term_stream(t, s->id);
		const char *what;

		if (!o || !o->local.groups)
			continue;
		what = differs(s, o, app);
		if (what)
			return mg_fail(run, H248_E_CONFLICT, "Stream %u: %s has %s there", s->id,
			               t->name, what);
		if (++others > 1 && app == MG_APP_B2B)
			return mg_fail(run, H248_E_CONFLICT,
			               "Stream %u: two terminations are a b2b already", s->id);
	}
	return 0;
}

int mg_app_judge(struct mg_run *run, const struct mg_plan *plan, const struct mg_stream *s)
{
	enum mg_app app = mg_stream_app(s);
	bool up = s->leg && s->leg->state != MG_LEG_WAITING && s->leg->state != MG_LEG_ENDED;
	int rc;

	if (!s->local.groups)
		return 0;
	if (up && s->leg->app != app && !s->new_local)
		return mg_fail(run, H248_E_NOT_IMPLEMENTED,
		               "Stream %u, LocalControl mode: its connection is up with another "
		               "one; give a new Local",
		               s->id);
	if (app != MG_APP_NONE && !kind_fits(s, app))
		return mg_fail(run, H248_E_CONFLICT,
		               "Stream %u, LocalControl mode: Local is not of %s over TCP", s->id,
		               app == MG_APP_FLOOR ? "BFCP" : "MSRP");
	if (app != MG_APP_NONE && s->link != H248_LINK_OFF)
		return mg_fail(run, H248_E_INTERLINKAGE,
		               "Stream %u, seplink/link: such a stream has no partner", s->id);
	rc = app != MG_APP_NONE ? needs_check(run, s, app) : 0;
	if (!rc && (app == MG_APP_ROOM || app == MG_APP_B2B))
		rc = paths_check(run, s);
	return rc ? rc : others_check(run, plan, s, app);
}

/* ---- our path ---- */

static const char *path_new(struct mg_run *run, const struct mg_stream *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[16];
	char id[sizeof(random) + 1];
	struct h248_sdp_group g = *s->local.groups;
	struct sockaddr_storage local;
	struct base_writer w = { 0 };
	const char *text;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return NULL;
	for (size_t i = 0; i < sizeof(random); i++)
		id[i] = letters[random[i] % 32]; /* 80 bits (RFC 4975, 14.1) */
	id[sizeof(random)] = '\0';
	mg_leg_local(s->leg, &local);
	if (h248_sdp_group_sockaddr_set(&g, (const struct sockaddr *)&local))
		return NULL;
	base_writer_printf(&w, "%s://", s->leg->tls ? "msrps" : "msrp");
	mg_app_host_put(&w, &local);
	base_writer_printf(&w, ":%u/%s;tcp", g.media.port, id);
	text = w.failed ? NULL : mg_copy_text(run->arena, base_writer_view(&w));
	base_writer_done(&w);
	return text;
}

int mg_app_path(struct mg_run *run, struct mg_stream *s)
{
	struct h248_sdp_text *path;
	enum mg_app app = mg_stream_app(s);

	if ((app != MG_APP_ROOM && app != MG_APP_B2B) || mg_app_path_of(&s->local).len)
		return 0;
	path = BASE_NEW(run->arena, struct h248_sdp_text);
	if (path && s->leg->path)
		path->text = base_str_of(s->leg->path);
	else if (path)
		path->text = base_str_of(path_new(run, s));
	if (!path || !path->text.ptr)
		return mg_fail_memory(run);
	if (!s->leg->path)
		s->leg->path = strndup(path->text.ptr, path->text.len);
	s->local.groups->paths = path;
	s->tell_local = true;
	return 0;
}
