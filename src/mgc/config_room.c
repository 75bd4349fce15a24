/* SPDX-License-Identifier: Apache-2.0 */
/** @file Conferences of the file. */
#include <stdio.h>

#include "mgc/yaml.h"

#define MEMBERS     100
#define MEMBERS_MAX 10000U /* user IDs of BFCP are 16 bits */

static bool admits(const char *pattern, const char *identity)
{
	const char *host = strchr(identity, '@');
	char one[OFFER_NAME_MAX];

	if (!strcmp(pattern, "*"))
		return true;
	if (!strncmp(pattern, "sip:*@", 6))
		return host && !strcasecmp(pattern + 5, host);
	return offer_identity(base_str_of(pattern), one, sizeof(one)) && !strcmp(one, identity);
}

bool mgc_room_admits(const struct mgc_room *room, const char *identity)
{
	for (size_t i = 0; i < room->member_count; i++)
		if (admits(room->members[i], identity))
			return true;
	for (size_t i = 0; i < room->dial_out_count; i++)
		if (admits(room->dial_out[i], identity))
			return true;
	return false;
}

static int refuse(struct mgc_config *c, unsigned i, const char *key, const char *words,
                  struct base_error *err)
{
	char where[MGC_WHERE];

	(void)snprintf(where, sizeof(where), "conferences[%u].%s", i, key);
	return config_refuse(c->doc, err, where, "%s", words);
}

static int msrp_read(struct mgc_config *c, unsigned i, struct mgc_room *r, struct base_error *err)
{
	static const struct mgc_yaml_msrp none;
	const struct mgc_yaml_msrp *y = c->yaml->rooms[i].msrp ? c->yaml->rooms[i].msrp : &none;
	char where[MGC_WHERE];

	r->msrp = !y->off;
	r->nicknames = !y->no_nicknames;
	r->private_messages = !y->no_private;
	r->cema = !y->no_cema;
	(void)snprintf(where, sizeof(where), "conferences[%u].msrp.max-size", i);
	return config_size(c->doc, where, y->max_size, 0, &r->max_size, err);
}

static int floors_read(struct mgc_config *c, unsigned i, struct mgc_room *r, struct base_error *err)
{
	const struct mgc_yaml_bfcp *y = c->yaml->rooms[i].bfcp;

	r->bfcp = y != NULL;
	if (!y)
		return 0;
	r->conference = y->conference ? y->conference : i + 1;
	if (!y->floors_count || y->floors_count > MGC_FLOORS_MAX)
		return refuse(c, i, "bfcp.floors", "1 to 16 floors", err);
	for (unsigned f = 0; f < y->floors_count; f++) {
		const struct mgc_yaml_floor *from = &y->floors[f];
		struct mgc_floor *to = &r->floors[f];

		if (!from->id || from->id > UINT16_MAX)
			return refuse(c, i, "bfcp.floors", "an id is 1 to 65535", err);
		for (unsigned other = 0; other < f; other++)
			if (r->floors[other].id == from->id)
				return refuse(c, i, "bfcp.floors", "an id occurs twice", err);
		*to = (struct mgc_floor){ .id = (uint16_t)from->id,
			                  .name = from->name,
			                  .chair = from->chair,
			                  .holders = from->holders ? from->holders : 1 };
	}
	r->floor_count = y->floors_count;
	return 0;
}

static int party_make(struct mgc_config *c, struct mgc_room *r, struct base_error *err)
{
	static const struct mgc_yaml_mikey none;
	const struct mgc_yaml_mikey *y = c->yaml->mikey ? c->yaml->mikey : &none;
	const struct mgc_yaml_kms *kms = c->yaml->kms;
	uint32_t life_ms = 3600000, skew_ms = 300000;
	int rc = mgc_ms_read(c, "mikey.lifetime", y->lifetime, &life_ms, err);

	if (!rc)
		rc = mgc_ms_read(c, "mikey.skew", y->skew, &skew_ms, err);
	r->party = (struct offer_party){
		.id = { MIKEY_URI, mikey_octets_text(r->identity) },
		.user = { MIKEY_URI, mikey_octets_text(y->user) },
		.kms = { MIKEY_URI, mikey_octets_text(kms ? kms->identity : NULL) },
		.cred = c->cred,
		.mode = y->mode,
		.tpk = c->tpk,
		.prots = c->prots,
		.prot_count = y->prots_count,
		.lifetime_s = life_ms / 1000,
		.skew_s = skew_ms / 1000,
		.replay = c->replay,
		.aliases = c->aliases,
		.alias_count = y->aliases_count,
		.unsafe_no_sdp_ids = y->no_sdp_ids,
	};
	r->party.tpk.owner = r->party.id;
	return rc;
}

static int words_read(struct mgc_config *c, unsigned i, struct mgc_room *r, struct base_error *err)
{
	const struct mgc_yaml_room *y = &c->yaml->rooms[i];

	if (y->dial && strcmp(y->dial, "start") != 0 && strcmp(y->dial, "first-member") != 0)
		return refuse(c, i, "dial", "expected start or first-member", err);
	if (y->setup && strcmp(y->setup, "passive") != 0 && strcmp(y->setup, "active") != 0)
		return refuse(c, i, "setup", "expected passive or active", err);
	if (y->member_max > MEMBERS_MAX)
		return refuse(c, i, "members-max", "expected 10000 or less", err);
	r->dial_at_start = y->dial && !strcmp(y->dial, "start");
	r->passive = !y->setup || !strcmp(y->setup, "passive");
	return 0;
}

static int room_read(struct mgc_config *c, unsigned i, struct base_error *err)
{
	const struct mgc_yaml_room *y = &c->yaml->rooms[i];
	struct mgc_room *r = &c->rooms[i];
	int rc;

	if (!offer_identity(base_str_of(y->uri), r->identity, sizeof(r->identity)))
		return refuse(c, i, "uri", "this is no SIP URI", err);
	for (unsigned other = 0; other < i; other++)
		if (!strcmp(c->rooms[other].identity, r->identity))
			return refuse(c, i, "uri", "another conference has it", err);
	r->uri = y->uri;
	r->name = y->name ? y->name : y->uri;
	r->members = y->members;
	r->member_count = y->members_count;
	r->dial_out = y->dial_out;
	r->dial_out_count = y->dial_out_count;
	r->member_max = y->member_max ? y->member_max : MEMBERS;
	rc = words_read(c, i, r, err);
	if (!rc)
		rc = msrp_read(c, i, r, err);
	if (!rc)
		rc = floors_read(c, i, r, err);
	if (!rc && !r->msrp && !r->bfcp)
		rc = refuse(c, i, "uri", "neither msrp nor bfcp: what is it for?", err);
	return rc ? rc : party_make(c, r, err);
}

int mgc_rooms_read(struct mgc_config *c, struct base_error *err)
{
	unsigned count = c->yaml->rooms_count;
	int rc = 0;

	c->rooms = base_arena_array(&c->arena, (size_t)count + 1, sizeof(*c->rooms));
	if (!c->rooms)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < count && !rc; i++)
		rc = room_read(c, i, err);
	c->room_count = count;
	return rc;
}
