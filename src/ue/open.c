/* SPDX-License-Identifier: Apache-2.0 */
/* Media by their names, and media that no SIP has agreed upon. */
#include "ue/app.h"

/* ---- names ---- */

struct ue_slot *ue_app_slot(struct ue_app *app, const char *name, struct base_error *err)
{
	struct ue_slot *free_slot = NULL;

	for (size_t i = 0; i < UE_MEDIA_MAX; i++) {
		struct ue_slot *slot = &app->slot[i];
		bool gone = !slot->media || ue_media_over(slot->media);

		if (!gone && strcmp(slot->name, name) == 0) {
			(void)base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                     "there is a session '%s' already; 'as=NAME' gives "
			                     "another name, 'close %s' ends it",
			                     name, name);
			return NULL;
		}
		if (gone && !free_slot)
			free_slot = slot;
	}
	if (!free_slot || strlen(name) >= sizeof(free_slot->name) || !name[0]) {
		(void)base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                     "more than %d sessions, or a name of more than %zu octets",
		                     UE_MEDIA_MAX, sizeof(free_slot->name) - 1);
		return NULL;
	}
	ue_media_free(free_slot->media);
	free_slot->media = NULL;
	(void)snprintf(free_slot->name, sizeof(free_slot->name), "%s", name);
	return free_slot;
}

struct ue_slot *ue_app_find(struct ue_app *app, const char *name)
{
	for (size_t i = 0; i < UE_MEDIA_MAX; i++) {
		struct ue_slot *slot = &app->slot[i];

		if (slot->media && !ue_media_over(slot->media) && !strcmp(slot->name, name))
			return slot;
	}
	return NULL;
}

void ue_app_drop(struct ue_app *app, const char *name)
{
	for (size_t i = 0; i < UE_MEDIA_MAX; i++) {
		struct ue_slot *slot = &app->slot[i];

		if (slot->media && strcmp(slot->name, name) == 0) {
			ue_media_free(slot->media);
			slot->media = NULL;
		}
	}
}

struct ue_media *ue_app_media(struct ue_app *app, const char *name, enum ue_media_kind kind)
{
	for (size_t i = UE_MEDIA_MAX; i-- > 0;) {
		const struct ue_slot *slot = &app->slot[i];

		if (slot->media && !ue_media_over(slot->media) &&
		    ue_media_kind(slot->media) == kind && (!name || !strcmp(slot->name, name)))
			return slot->media;
	}
	return NULL;
}

/* ---- open ---- */

/** What `open` was told, as words. */
struct opening {
	enum ue_media_kind kind;
	const char *as, *connect, *listen, *tls, *psk_identity, *psk_file, *own, *peer, *room;
	const char *conference, *user, *serve, *chair;
	uint16_t floor[BFCP_FLOORS_MAX];
};

static int wrong(struct base_error *err, const char *what)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", what);
}

static int words_read(struct opening *o, struct ue_words *words, struct base_error *err)
{
	const struct {
		const char *key, **to;
	} keys[] = {
		{ "as", &o->as },
		{ "connect", &o->connect },
		{ "listen", &o->listen },
		{ "tls", &o->tls },
		{ "psk-identity", &o->psk_identity },
		{ "psk-file", &o->psk_file },
		{ "own", &o->own },
		{ "peer", &o->peer },
		{ "room", &o->room },
		{ "conference", &o->conference },
		{ "user", &o->user },
		{ "serve", &o->serve },
		{ "chair", &o->chair },
	};

	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		*keys[i].to = ue_words_take(words, keys[i].key);
	if (words->count != 2)
		return wrong(err,
		             "expected: open msrp|bfcp connect=ADDRESS:PORT|listen=ADDRESS:PORT "
		             "[key=value ...]; 'help' lists the keys");
	if (strcmp(words->word[1], "msrp") != 0 && strcmp(words->word[1], "bfcp") != 0)
		return wrong(err, "open: expected msrp or bfcp");
	o->kind = words->word[1][0] == 'm' ? UE_MSRP : UE_BFCP;
	if (!o->connect == !o->listen)
		return wrong(err, "open: expected one of connect=ADDRESS:PORT and "
		                  "listen=ADDRESS:PORT");
	if (o->kind == UE_MSRP && (!o->own || !o->peer))
		return wrong(err, "open msrp: expected own=URI and peer=PATH, the two ends' MSRP "
		                  "URIs (RFC 4975, 6)");
	if (o->kind == UE_BFCP && (!o->conference || !o->user))
		return wrong(err, "open bfcp: expected conference=NUMBER and user=NUMBER");
	return 0;
}

static int floor_read(struct opening *o, struct ue_floor_spec *ret, struct base_error *err)
{
	uint64_t conference, user, chair = 0;

	if (base_str_u64(base_str_of(o->conference), UINT32_MAX, &conference) ||
	    base_str_u64(base_str_of(o->user), UINT16_MAX, &user) ||
	    (o->chair && base_str_u64(base_str_of(o->chair), UINT16_MAX, &chair)) ||
	    (o->serve && ue_numbers(o->serve, o->floor, BASE_COUNT(o->floor), &ret->floors)))
		return wrong(
		        err,
		        "open bfcp: conference, user, chair and serve are numbers, serve= those "
		        "of floors with commas between");
	ret->conference = (uint32_t)conference;
	ret->user = (uint16_t)user;
	ret->chair = (uint16_t)chair;
	ret->serve = o->serve != NULL;
	ret->floor = o->floor;
	return 0;
}

/** `tls=client|server|none`; with a key and without the word, who connects is the client. */
static int tls_read(struct ue_app *app, const struct opening *o, struct tls_psk *psk,
                    struct ue_media_start *start, struct base_error *err)
{
	const char *word = o->tls;
	int rc;

	if (!word)
		word = !o->psk_file ? "none" : o->connect ? "client" : "server";
	if (strcmp(word, "none") == 0)
		return o->psk_file ? wrong(err, "open: a key without TLS") : 0;
	if (strcmp(word, "client") != 0 && strcmp(word, "server") != 0)
		return wrong(err, "open: expected tls=client, tls=server or tls=none");
	if (!o->psk_file || !o->psk_identity)
		return wrong(err, "open: TLS wants psk-file=FILE and psk-identity=WORD");
	start->role = word[0] == 'c' ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
	psk->identity = base_str_of(o->psk_identity);
	start->psk = psk;
	rc = config_secret_read(o->psk_file, &psk->key, err);
	return rc ? rc : ue_app_domain(app, &start->domain, err);
}

static int media_open(struct ue_app *app, const struct opening *o, struct ue_slot *slot,
                      const struct ue_media_start *start, struct base_error *err)
{
	union stream_addr local;
	struct ue_media *media;
	char text[STREAM_ADDR_TEXT];
	int rc;

	if (o->listen) {
		rc = stream_addr_parse(&local, base_str_of(o->listen), err);
	} else { /* of the remote's family */
		local = start->remote;
		rc = stream_addr_ip(
		        &local, base_str_of(local.sa.sa_family == AF_INET6 ? "::" : "0.0.0.0"), 0);
	}
	if (!rc)
		rc = ue_media_new(&media, &app->env, o->kind, slot->name, &local, err);
	if (rc)
		return rc;
	rc = ue_media_start(media, start, err);
	if (rc) {
		ue_media_free(media);
		return rc;
	}
	slot->media = media;
	UE_TELL(&app->events, "media.open", { "session", base_str_of(slot->name) },
	        { "kind", base_str_of(ue_media_name(o->kind)) },
	        { "local",
	          base_str_of(o->listen ? stream_addr_format(&local, text, sizeof(text)) : NULL) });
	return 0;
}

int ue_open(struct ue_app *app, struct ue_words *words, struct base_error *err)
{
	struct opening o = { 0 };
	struct tls_psk psk = { 0 };
	struct ue_media_start start = { 0 };
	struct ue_slot *slot;
	int rc = words_read(&o, words, err);

	start.connect = o.connect != NULL;
	start.own = base_str_of(o.own);
	start.peer = base_str_of(o.peer);
	start.room = o.room;
	if (!rc && o.kind == UE_BFCP)
		rc = floor_read(&o, &start.floor, err);
	if (!rc && o.connect)
		rc = stream_addr_parse(&start.remote, base_str_of(o.connect), err);
	if (!rc)
		rc = tls_read(app, &o, &psk, &start, err);
	slot = rc ? NULL : ue_app_slot(app, o.as ? o.as : ue_media_name(o.kind), err);
	if (slot)
		rc = media_open(app, &o, slot, &start, err);
	else if (!rc)
		rc = BASE_ERR(BASE_CONFIG, 0);
	base_secret_done(&psk.key);
	return rc;
}
