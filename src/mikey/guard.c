/* SPDX-License-Identifier: Apache-2.0 */
#include "mikey/guard.h"

#include "mikey/codec.h"

static bool takes(uint32_t mask, uint8_t n, uint8_t last)
{
	return n <= last && (!mask || mask >> n & 1);
}

bool mikey_takes_mac(const struct mikey_env *env, uint8_t mac)
{
	return mac != MIKEY_MAC_NULL && takes(env->macs, mac, MIKEY_HMAC_SHA_256_256);
}

bool mikey_takes_encr(const struct mikey_env *env, uint8_t encr)
{
	return encr != MIKEY_ENCR_NULL && takes(env->encrs, encr, MIKEY_AES_CM_256);
}

bool mikey_takes_prf(const struct mikey_env *env, uint8_t prf)
{
	return takes(env->prfs, prf, MIKEY_PRF_HMAC_SHA_256);
}

static int guard_key(const struct mikey_guard *g, enum mikey_use use, uint8_t *out, size_t len)
{
	if (g->ticket)
		return mikey_derive_ticket(g->kept, g->prf, g->key, use, g->rands.initiator, out,
		                           len);
	return mikey_derive_message(g->kept, g->prf, g->key, use, g->csb_id, g->response, &g->rands,
	                            out, len);
}

int mikey_guard_tag(const struct mikey_guard *g, uint8_t mac, struct mikey_octets data,
                    uint8_t ret[MIKEY_TAG_MAX])
{
	uint8_t key[MIKEY_TAG_MAX];
	size_t len = (size_t)mikey_mac_len(mac); /* auth_key as long as the tag (RFC 3830, 4.2.4) */
	int rc = guard_key(g, MIKEY_USE_AUTH, key, len);

	if (!rc)
		rc = mikey_hmac(g->kept, mac, mikey_octets_of(key, len), data, ret);
	base_wipe(key, sizeof(key));
	return rc;
}

int mikey_guard_check(const struct mikey_env *env, const struct mikey_guard *g,
                      const struct mikey_v *v, struct mikey_octets data, struct base_error *err)
{
	uint8_t tag[MIKEY_TAG_MAX];
	int rc;

	if (!mikey_takes_mac(env, v->mac))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_MAC),
		                      "MAC algorithm %u is not taken (RFC 3830, 4.2.4)", v->mac);
	rc = mikey_guard_tag(g, v->mac, data, tag);
	if (rc)
		return base_error_set(err, rc, "HMAC failed");
	if (!base_secret_equal(tag, (size_t)mikey_mac_len(v->mac), v->tag.at, v->tag.len))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
		                    "the MAC is not right (RFC 3830, 5.3)");
	base_wipe(tag, sizeof(tag));
	return rc;
}

static int run(const struct mikey_guard *g, uint8_t encr, bool encrypt, uint64_t t,
               struct mikey_octets in, struct base_writer *out)
{
	uint8_t key[32], salt[16];
	size_t key_len = mikey_encr_key_len(encr), salt_len = mikey_salt_key_len(encr);
	int rc = guard_key(g, MIKEY_USE_ENCR, key, key_len);

	if (!rc)
		rc = guard_key(g, MIKEY_USE_SALT, salt, salt_len);
	if (!rc)
		rc = mikey_cipher(g->kept, encr, encrypt, mikey_octets_of(key, key_len),
		                  mikey_octets_of(salt, salt_len), g->csb_id, t, in, out);
	base_wipe(key, sizeof(key));
	base_wipe(salt, sizeof(salt));
	return rc;
}

int mikey_guard_seal(struct base_arena *arena, const struct mikey_guard *g, uint8_t encr,
                     uint64_t t, const struct mikey_keys *keys, unsigned mpks,
                     struct mikey_payload *kemac)
{
	struct mikey_payload *chain = NULL;
	struct base_writer clear = { .wipe = true }, sealed = { 0 };
	uint8_t *copy = NULL;
	int rc = mikey_keys_write(arena, keys, mpks, &chain);

	if (!rc)
		rc = mikey_chain_encode(&clear, chain);
	if (!rc)
		rc = run(g, encr, true, t, mikey_octets_of(clear.data, clear.len), &sealed);
	if (!rc) {
		copy = base_arena_alloc(arena, sealed.len + 1);
		rc = copy ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	if (!rc) {
		if (sealed.len)
			memcpy(copy, sealed.data, sealed.len);
		kemac->kemac = (struct mikey_kemac){ .encr = encr,
			                             .data = mikey_octets_of(copy, sealed.len) };
	}
	base_writer_done(&clear);
	base_writer_done(&sealed);
	return rc;
}

int mikey_guard_open(const struct mikey_env *env, const struct mikey_guard *g,
                     const struct mikey_kemac *kemac, uint64_t t, struct mikey_keys *ret,
                     struct base_error *err)
{
	struct base_arena arena = { .wipe = true };
	struct base_writer clear = { .wipe = true };
	struct mikey_payload *chain = NULL;
	int rc;

	if (!mikey_takes_encr(env, kemac->encr))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_EA),
		                      "encryption algorithm %u is not taken (RFC 3830, 4.2.3)",
		                      kemac->encr);
	rc = run(g, kemac->encr, false, t, kemac->data, &clear);
	if (rc)
		(void)base_error_set(err, rc, "the KEMAC does not open (RFC 3830, 4.2.3)");
	else
		rc = mikey_keys_decode(&arena, mikey_octets_of(clear.data, clear.len),
		                       kemac->encr == MIKEY_AES_KW_128, &chain, err);
	if (!rc && (rc = mikey_keys_read(chain, ret)) != 0)
		(void)base_error_set(err, rc, "too many keys in a KEMAC");
	base_arena_done(&arena);
	base_writer_done(&clear);
	return rc;
}
