/* SPDX-License-Identifier: Apache-2.0 */
#include "ue/floor.h"

#include <stdlib.h>

struct ue_floor {
	struct ue_floor_spec spec;
	struct bfcp_client *client; /* either this */
	struct bfcp_server *server; /* or these two */
	struct bfcp_peer *peer;
	uint16_t request; /* told last about a request of ours */
};

static void on_wake(void *arg)
{
	const struct ue_floor *f = arg;

	f->spec.wake(f->spec.arg);
}

static struct base_str session_of(const struct ue_floor *f)
{
	return base_str_of(f->spec.session);
}

/* ---- what the server says ---- */

static enum bfcp_status status_of(const struct bfcp_request_info *info)
{
	if (info->has_overall)
		return info->overall.status;
	return info->floors ? info->floor[0].state.status : BFCP_NO_STATUS;
}

/** Floors of a request, as 1,2,3. */
static struct base_str floors_of(const struct bfcp_request_info *info, char *out, size_t cap)
{
	struct base_writer w = base_writer_over(out, cap);

	for (size_t i = 0; i < info->floors; i++)
		base_writer_printf(&w, "%s%u", i ? "," : "", info->floor[i].floor);
	return base_writer_view(&w);
}

static void tell_request(struct ue_floor *f, const char *name, const struct bfcp_request_info *info)
{
	struct ue_number request, user, place;
	char floors[BFCP_FLOORS_MAX * 6 + 1];

	UE_TELL(f->spec.events, name, { "session", session_of(f) },
	        { "request", ue_number(&request, info->id) },
	        { "floors", floors_of(info, floors, sizeof(floors)) },
	        { "status", base_str_of(bfcp_status_name(status_of(info))) },
	        { "place", info->has_overall && info->overall.queue
	                           ? ue_number(&place, info->overall.queue)
	                           : (struct base_str){ 0 } },
	        { "user", info->beneficiary.there ? ue_number(&user, info->beneficiary.id)
	                                          : (struct base_str){ 0 } },
	        { "name", info->beneficiary.name }, { "reason", info->info });
}

static void on_request(void *arg, unsigned asked, const struct bfcp_request_info *info)
{
	struct ue_floor *f = arg;

	if (!info->beneficiary.there || info->beneficiary.id == f->spec.user)
		f->request = info->id;
	(void)asked;
	tell_request(f, "floor.request", info);
}

static void on_floor(void *arg, uint16_t floor, const struct bfcp_request_info *info, size_t infos)
{
	struct ue_floor *f = arg;
	struct ue_number number, count, holder;
	struct base_str has = { 0 };

	for (size_t i = 0; i < infos && !has.ptr; i++)
		if (status_of(&info[i]) == BFCP_GRANTED && info[i].beneficiary.there)
			has = ue_number(&holder, info[i].beneficiary.id);
	UE_TELL(f->spec.events, "floor.status", { "session", session_of(f) },
	        { "floor", ue_number(&number, floor) }, { "requests", ue_number(&count, infos) },
	        { "holder", has });
	for (size_t i = 0; i < infos; i++)
		tell_request(f, "floor.queue", &info[i]);
}

static void on_user(void *arg, const struct bfcp_user_info *about,
                    const struct bfcp_request_info *info, size_t infos)
{
	struct ue_floor *f = arg;
	struct ue_number user, count;

	UE_TELL(f->spec.events, "floor.user", { "session", session_of(f) },
	        { "user", about->there ? ue_number(&user, about->id) : (struct base_str){ 0 } },
	        { "requests", ue_number(&count, infos) });
	for (size_t i = 0; i < infos; i++)
		tell_request(f, "floor.queue", &info[i]);
}

static void on_hello(void *arg, struct base_str primitives, struct base_str attributes)
{
	struct ue_floor *f = arg;
	struct ue_number p, a;

	UE_TELL(f->spec.events, "floor.hello", { "session", session_of(f) },
	        { "primitives", ue_number(&p, primitives.len) },
	        { "attributes", ue_number(&a, attributes.len) });
}

static void on_done(void *arg)
{
	struct ue_floor *f = arg;

	UE_TELL(f->spec.events, "floor.decided", { "session", session_of(f) });
}

static void on_error(void *arg, unsigned asked, unsigned code, struct base_str words)
{
	struct ue_floor *f = arg;
	struct ue_number n;

	UE_TELL(f->spec.events, "floor.error", { "session", session_of(f) },
	        { "asked", base_str_of(bfcp_primitive_name(asked)) },
	        { "code", ue_number(&n, code) },
	        { "words", words.len ? words : base_str_of(bfcp_error_words(code)) });
}

static void on_bye(void *arg)
{
	struct ue_floor *f = arg;

	UE_TELL(f->spec.events, "floor.bye", { "session", session_of(f) });
}

static const struct bfcp_client_ops client_ops = {
	.wake = on_wake,
	.hello = on_hello,
	.request = on_request,
	.floor = on_floor,
	.user = on_user,
	.done = on_done,
	.error = on_error,
	.bye = on_bye,
};

/* ---- being the server ---- */

static void on_peer_wake(void *arg, struct bfcp_peer *peer, void *peer_arg)
{
	(void)peer;
	(void)peer_arg;
	on_wake(arg);
}

static void on_granted(void *arg, uint16_t floor, uint16_t user, bool granted)
{
	struct ue_floor *f = arg;
	struct ue_number number, who;

	UE_TELL(f->spec.events, granted ? "floor.given" : "floor.free",
	        { "session", session_of(f) }, { "floor", ue_number(&number, floor) },
	        { "user", ue_number(&who, user) });
}

static const struct bfcp_server_ops server_ops = { .wake = on_peer_wake, .floor = on_granted };

static int serve(struct ue_floor *f)
{
	struct bfcp_server_spec spec = { .conference = f->spec.conference,
		                         .ops = &server_ops,
		                         .arg = f };
	struct bfcp_floor_spec floor = { .chair = f->spec.chair };
	struct bfcp_user_spec user = { 0 };
	int rc = bfcp_server_new(&f->server, &spec);

	for (size_t i = 0; i < f->spec.floors && !rc; i++)
		rc = bfcp_server_floor(f->server, f->spec.floor[i], &floor, 0);
	if (!rc)
		rc = bfcp_server_user(f->server, f->spec.user, &user);
	return rc ? rc : bfcp_peer_new(f->server, f->spec.user, true, NULL, &f->peer);
}

/* ---- life ---- */

int ue_floor_new(struct ue_floor **ret, const struct ue_floor_spec *spec)
{
	struct ue_floor *f = calloc(1, sizeof(*f));
	struct bfcp_client_spec client = { .conference = spec->conference,
		                           .user = spec->user,
		                           .reliable = true,
		                           .ops = &client_ops,
		                           .arg = f };
	int rc;

	if (!f)
		return BASE_ERR(BASE_LOCAL, 0);
	f->spec = *spec;
	rc = spec->serve ? serve(f) : bfcp_client_new(&f->client, &client);
	f->spec.floor = NULL;
	if (rc) {
		ue_floor_free(f);
		return rc;
	}
	*ret = f;
	return 0;
}

void ue_floor_free(struct ue_floor *f)
{
	if (!f)
		return;
	bfcp_client_free(f->client);
	bfcp_server_free(f->server);
	free(f);
}

#define NOT_OURS BASE_ERR(BASE_CONFIG, 0)

int ue_floor_hello(struct ue_floor *f, uint64_t now_ms)
{
	return f->client ? bfcp_client_hello(f->client, now_ms) : NOT_OURS;
}

int ue_floor_request(struct ue_floor *f, const struct bfcp_wish *wish, uint64_t now_ms)
{
	return f->client ? bfcp_client_request(f->client, wish, now_ms) : NOT_OURS;
}

int ue_floor_release(struct ue_floor *f, uint16_t request, uint64_t now_ms)
{
	if (!f->client || (!request && !f->request))
		return NOT_OURS;
	return bfcp_client_release(f->client, request ? request : f->request, now_ms);
}

int ue_floor_query(struct ue_floor *f, const uint16_t *floor, size_t floors, uint64_t now_ms)
{
	return f->client ? bfcp_client_ask_floors(f->client, floor, floors, now_ms) : NOT_OURS;
}

int ue_floor_user(struct ue_floor *f, uint16_t user, uint64_t now_ms)
{
	return f->client ? bfcp_client_ask_user(f->client, user, now_ms) : NOT_OURS;
}

int ue_floor_decide(struct ue_floor *f, uint16_t request, uint16_t floor, enum bfcp_status status,
                    uint64_t now_ms)
{
	struct bfcp_state state = { .status = (uint8_t)status };

	return f->client ? bfcp_client_decide(f->client, request, floor, &state, now_ms) : NOT_OURS;
}

int ue_floor_input(struct ue_floor *f, struct base_str octets, uint64_t now_ms)
{
	return f->client ? bfcp_client_input(f->client, octets, now_ms)
	                 : bfcp_peer_input(f->peer, octets, now_ms);
}

size_t ue_floor_take(struct ue_floor *f, void *buf, size_t cap)
{
	return f->client ? bfcp_client_take(f->client, buf, cap)
	                 : bfcp_peer_take(f->peer, buf, cap);
}

bool ue_floor_over(const struct ue_floor *f)
{
	return f->client ? bfcp_client_over(f->client) : bfcp_peer_over(f->peer);
}

void ue_floor_tick(struct ue_floor *f, uint64_t now_ms)
{
	if (f->client)
		bfcp_client_tick(f->client, now_ms);
	else
		bfcp_server_tick(f->server, now_ms);
}

uint64_t ue_floor_due(const struct ue_floor *f)
{
	return f->client ? bfcp_client_due(f->client) : bfcp_server_due(f->server);
}
