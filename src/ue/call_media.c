/* SPDX-License-Identifier: Apache-2.0 */
/* The media of a call: where they are, and with whom. */
#include "ue/call_private.h"

#define TYPES   "message/cpim text/plain *"
#define ROOM    "nickname private-messages"
#define ID_HEX  (2 * 8)
#define SESSION 32

static enum ue_media_kind kind_of(enum offer_app app)
{
	return app == OFFER_MSRP ? UE_MSRP : UE_BFCP;
}

static void session_name(const struct ue_call *call, enum offer_app app, char out[SESSION])
{
	(void)snprintf(out, SESSION, "%s.%s", call->name, ue_media_name(kind_of(app)));
}

/** What was there before an offer that is not agreed upon yet. */
static void old_name(const char *name, char out[SESSION])
{
	(void)snprintf(out, SESSION, "%.*s.old", SESSION - 5, name);
}

static void put_aside(struct ue_app *app, const char *name)
{
	struct ue_slot *slot = ue_app_find(app, name);
	char old[SESSION];

	old_name(name, old);
	ue_app_drop(app, old);
	if (slot)
		(void)snprintf(slot->name, sizeof(slot->name), "%s", old);
}

size_t ue_call_wishes(const struct ue_call *call, bool msrp, bool bfcp, enum offer_setup setup,
                      struct offer_media ret[2])
{
	const struct ue_config *config = &call->app->config;
	size_t count = 0;

	if (msrp)
		ret[count++] = (struct offer_media){
			.app = OFFER_MSRP,
			.setup = setup,
			.msrp = { .accept_types = BASE_STR(TYPES),
			          .wrapped_types = BASE_STR("*"),
			          .has_chatroom = true,
			          .chatroom = BASE_STR(ROOM),
			          .cema = true,
			          .max_size = config->message_max },
		};
	if (!bfcp)
		return count;
	ret[count] = (struct offer_media){
		.app = OFFER_BFCP,
		.setup = setup,
		.bfcp = { .server = config->floors != 0,
		          .versions = OFFER_BFCP_1,
		          .conference = config->floors ? 1 : 0,
		          .user = config->floors ? 1 : 0,
		          .floors = config->floors },
	};
	for (size_t i = 0; i < config->floors; i++)
		ret[count].bfcp.floor[i].id = config->floor[i];
	return count + 1;
}

/* ---- places ---- */

static int path_make(const char *address, uint16_t port, char *out, size_t cap)
{
	uint8_t id[ID_HEX / 2];
	char hex[3 * sizeof(id) + 1];
	bool six = strchr(address, ':') != NULL;

	if (base_random(id, sizeof(id)))
		return BASE_ERR(BASE_LOCAL, 0);
	base_hex_encode(id, sizeof(id), 0, false, hex);
	(void)snprintf(out, cap, "msrps://%s%s%s:%u/%s;tcp", six ? "[" : "", address,
	               six ? "]" : "", port, hex);
	return 0;
}

static int place(struct ue_call *call, size_t i, const struct offer_stream *s,
                 struct base_error *err)
{
	struct ue_app *app = call->app;
	const char *address = app->config.address;
	char name[SESSION], path[256] = "";
	union stream_addr local;
	struct ue_slot *slot;
	int rc;

	session_name(call, s->app, name);
	put_aside(app, name);
	slot = ue_app_slot(app, name, err);
	if (!slot)
		return BASE_ERR(BASE_LOCAL, 0);
	if (stream_addr_ip(&local, base_str_of(address), 0))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "media.address: '%s' is no IP address", address);
	rc = ue_media_new(&slot->media, &app->env, kind_of(s->app), name, &local, err);
	if (!rc && s->app == OFFER_MSRP)
		rc = path_make(address, stream_addr_port(&local), path, sizeof(path));
	if (rc)
		return rc;
	(void)snprintf(slot->path, sizeof(slot->path), "%s", path);
	return offer_place(call->offer, i, base_str_of(address), stream_addr_port(&local),
	                   base_str_of(path), err);
}

int ue_call_place(struct ue_call *call, struct base_error *err)
{
	for (size_t i = 0; i < offer_count(call->offer); i++) {
		struct offer_stream s;
		char name[SESSION];
		int rc;

		offer_stream(call->offer, i, &s);
		session_name(call, s.app, name);
		if (!s.ours || s.verdict == OFFER_REFUSED ||
		    (!s.fresh && !call->anew && ue_app_media(call->app, name, kind_of(s.app))))
			continue;
		rc = place(call, i, &s, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- connections ---- */

static void tell(const struct ue_call *call, const struct offer_stream *s, const char *name)
{
	char remote[300] = "";

	if (s->verdict == OFFER_AGREED)
		(void)snprintf(remote, sizeof(remote), "%.*s:%u", BASE_FMT(s->host), s->port);
	UE_TELL(&call->app->events, "call.media", { "session", base_str_of(name) },
	        { "kind", base_str_of(ue_media_name(kind_of(s->app))) },
	        { "verdict", base_str_of(s->verdict == OFFER_AGREED ? "agreed" : "refused") },
	        { "why", base_str_of(s->why) }, { "remote", base_str_of(remote) },
	        { "tcp", base_str_of(s->tcp_client ? "active" : "passive") },
	        { "tls", base_str_of(s->tls_client ? "client" : "server") },
	        { "psk-identity", base_str_of(s->psk_identity) }, { "peer", base_str_of(s->peer) });
}

static void floor_fill(const struct ue_call *call, const struct offer_stream *s,
                       struct ue_floor_spec *ret)
{
	ret->conference = s->bfcp.conference;
	ret->user = s->bfcp.user;
	ret->serve = !s->bfcp.server;
	ret->floor = call->app->config.floor;
	ret->floors = call->app->config.floors;
}

static int start(struct ue_call *call, const struct offer_stream *s, const struct ue_slot *slot,
                 struct base_error *err)
{
	struct tls_psk psk = { .identity = base_str_of(s->psk_identity) };
	struct ue_media_start begin = { .connect = s->tcp_client,
		                        .role = s->tls_client ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER,
		                        .psk = &psk,
		                        .own = base_str_of(slot->path),
		                        .peer = s->msrp.path,
		                        .room = s->msrp.has_chatroom ? call->peer : NULL };
	int rc;

	if (!s->psk)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0), "no key was agreed upon");
	psk.key = *s->psk; /* borrowed */
	if (s->app == OFFER_BFCP)
		floor_fill(call, s, &begin.floor);
	if (s->tcp_client && stream_addr_ip(&begin.remote, s->host, s->port))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "the peer's address '%.*s' is none", BASE_FMT(s->host));
	rc = ue_app_domain(call->app, &begin.domain, err);
	return rc ? rc : ue_media_start(slot->media, &begin, err);
}

static void end_old(struct ue_call *call, const char *name)
{
	struct ue_slot *slot;
	char old[SESSION];

	old_name(name, old);
	slot = ue_app_find(call->app, old);
	if (slot)
		ue_media_end(slot->media);
}

int ue_call_agreed(struct ue_call *call, struct base_error *err)
{
	for (size_t i = 0; i < offer_count(call->offer); i++) {
		struct offer_stream s;
		char name[SESSION];
		struct ue_slot *slot;
		int rc;

		offer_stream(call->offer, i, &s);
		if (!s.ours)
			continue;
		session_name(call, s.app, name);
		slot = ue_app_find(call->app, name);
		if (s.fresh || s.verdict == OFFER_REFUSED)
			tell(call, &s, name);
		if (s.verdict == OFFER_REFUSED && slot)
			ue_media_end(slot->media);
		if (s.verdict != OFFER_AGREED || !s.fresh || s.held || !slot)
			continue;
		rc = start(call, &s, slot, err);
		if (rc)
			return rc;
		end_old(call, name);
	}
	return 0;
}

static const enum offer_app apps[] = { OFFER_MSRP, OFFER_BFCP };

void ue_call_media_end(struct ue_call *call)
{
	for (size_t i = 0; i < BASE_COUNT(apps); i++) {
		char name[SESSION];
		struct ue_slot *slot;

		session_name(call, apps[i], name);
		slot = ue_app_find(call->app, name);
		if (slot)
			ue_media_end(slot->media);
		end_old(call, name);
	}
}

void ue_call_media_restore(struct ue_call *call)
{
	for (size_t i = 0; i < BASE_COUNT(apps); i++) {
		char name[SESSION], old[SESSION];
		struct ue_slot *slot;

		session_name(call, apps[i], name);
		old_name(name, old);
		slot = ue_app_find(call->app, old);
		if (!slot)
			continue;
		ue_app_drop(call->app, name);
		(void)snprintf(slot->name, sizeof(slot->name), "%s", name);
	}
}
