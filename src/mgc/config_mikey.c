/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the controller is to a KMS, and how tickets are made (RFC 6043; TS 23.333, 5.20.2).
 */
#include <stdio.h>

#include "mgc/yaml.h"

#define PSK_LEAST 16
#define REPLAYS   65536

static struct mikey_id id_of(const char *text)
{
	return (struct mikey_id){ MIKEY_URI, mikey_octets_text(text) };
}

static int prots_read(struct mgc_config *c, const struct mgc_yaml_mikey *y, struct base_error *err)
{
	char where[MGC_WHERE];

	if (y->prots_count > MGC_PROTS_MAX)
		return config_refuse(c->doc, err, "mikey.prot-types", "more than %d",
		                     MGC_PROTS_MAX);
	for (unsigned i = 0; i < y->prots_count; i++) {
		(void)snprintf(where, sizeof(where), "mikey.prot-types[%u]", i);
		if (y->prots[i] < 1 || y->prots[i] > 255)
			return config_refuse(c->doc, err, where,
			                     "1 to 255; TLS has no number at "
			                     "IANA, 241 is ours (P)");
		c->prots[i] = (uint8_t)y->prots[i];
	}
	return 0;
}

static int keys_read(struct mgc_config *c, const struct mgc_yaml_mikey *y, struct base_error *err)
{
	int rc = 0;

	if (y->psk_file)
		rc = mgc_secret_read(c, "mikey.psk-file", y->psk_file, PSK_LEAST, &c->psk, err);
	if (!rc && y->tpk_file)
		rc = mgc_secret_read(c, "mikey.tpk-file", y->tpk_file, PSK_LEAST, &c->tpk_key, err);
	if (rc)
		return rc;
	if (y->mode >= 3 && !y->tpk_file)
		return config_refuse(c->doc, err, "mikey.mode",
		                     "tickets of our own (mode %u) need mikey.tpk-file", y->mode);
	if ((!y->mode || y->mode == 1) && c->kms_url && !y->psk_file)
		return config_refuse(c->doc, err, "mikey",
		                     "psk-file is needed: what we share with the KMS");
	c->cred.psk = mikey_secret(&c->psk);
	if (y->psk_id)
		c->cred.psk_id = id_of(y->psk_id);
	c->tpk.key = mikey_secret(&c->tpk_key);
	if (y->tpk_id)
		c->tpk.id = id_of(y->tpk_id);
	return 0;
}

static int aliases_read(struct mgc_config *c, const struct mgc_yaml_mikey *y)
{
	c->aliases = base_arena_array(&c->arena, (size_t)y->aliases_count + 1, sizeof(*c->aliases));
	for (unsigned i = 0; c->aliases && i < y->aliases_count; i++)
		c->aliases[i] = (struct offer_alias){ y->aliases[i].name, y->aliases[i].also };
	return c->aliases ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

int mgc_mikey_read(struct mgc_config *c, struct base_error *err)
{
	static const struct mgc_yaml_mikey none;
	const struct mgc_yaml_mikey *y = c->yaml->mikey ? c->yaml->mikey : &none;
	int rc;

	if (y->mode > 4)
		return config_refuse(c->doc, err, "mikey.mode", "1 to 4 (RFC 6043, 4.1.1)");
	rc = prots_read(c, y, err);
	if (!rc)
		rc = keys_read(c, y, err);
	if (!rc)
		rc = aliases_read(c, y);
	c->replay = mikey_replay_new(REPLAYS);
	return rc || c->replay ? rc : BASE_ERR(BASE_LOCAL, 0);
}
