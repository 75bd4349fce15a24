/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/keys.h"

int mikey_keys_add(struct mikey_keys *keys, uint8_t type, struct mikey_octets key,
                   struct mikey_octets salt, struct mikey_octets spi)
{
	struct mikey_key k = { .type = type };

	if (keys->count == MIKEY_KEYS_MAX)
		return BASE_ERR(BASE_PEER, MIKEY_UNSPECIFIED);
	if (base_secret_set(&k.key, key.at, key.len) ||
	    base_secret_set(&k.salt, salt.at, salt.len) ||
	    base_secret_set(&k.spi, spi.at, spi.len)) {
		base_secret_done(&k.key);
		base_secret_done(&k.salt);
		return BASE_ERR(BASE_LOCAL, 0);
	}
	keys->key[keys->count++] = k;
	return 0;
}

void mikey_keys_done(struct mikey_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		base_secret_done(&keys->key[i].key);
		base_secret_done(&keys->key[i].salt);
		base_secret_done(&keys->key[i].spi);
	}
	keys->count = 0;
}

struct mikey_octets mikey_keys_mpk(const struct mikey_keys *keys, unsigned n)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->key[i].type == MIKEY_MPK && n-- == 0)
			return mikey_secret(&keys->key[i].key);
	}
	return mikey_octets_of(NULL, 0);
}

int mikey_keys_write(struct base_arena *arena, const struct mikey_keys *keys, unsigned mpks,
                     struct mikey_payload **ret)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct mikey_key *k = &keys->key[i];
		struct mikey_payload *p;

		if (k->type == MIKEY_MPK && mpks-- == 0) {
			mpks = 0;
			continue;
		}
		p = mikey_append(arena, ret, MIKEY_KEY_DATA);
		if (!p)
			return BASE_ERR(BASE_LOCAL, 0);
		p->key = (struct mikey_key_data){
			.type = k->type,
			.kv = k->spi.len ? MIKEY_KV_SPI : MIKEY_KV_NULL,
			.key = mikey_secret(&k->key),
			.salt = mikey_secret(&k->salt),
			.spi = mikey_secret(&k->spi),
		};
	}
	return 0;
}

int mikey_keys_read(const struct mikey_payload *chain, struct mikey_keys *ret)
{
	for (const struct mikey_payload *p = chain; p; p = p->next) {
		int rc = mikey_keys_add(ret, p->key.type, p->key.key, p->key.salt, p->key.spi);

		if (rc)
			return rc;
	}
	return 0;
}
