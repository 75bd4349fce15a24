/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside this folder: the primitives, on libcrypto. Results are 0 or BASE_LOCAL where nothing else
 * is said.
 */
#ifndef GH_MIKEY_CRYPTO_H
#define GH_MIKEY_CRYPTO_H

#include "mikey/env.h"
#include "mikey/message.h"

/** The longest tag and digest. */
#define MIKEY_TAG_MAX 32

struct evp_mac_ctx_st; /* libcrypto's EVP_MAC_CTX */

/** HMAC with one key. `kept`, here and below, may be NULL. */
struct mikey_mac_run {
	struct evp_mac_ctx_st *ctx;
	bool own;  /**< not of a mikey_kept */
	bool used; /**< has given a tag */
};
/** By MAC alg, never NULL. Whatever it says, mikey_mac_end comes after. */
int mikey_mac_begin(struct mikey_mac_run *run, struct mikey_kept *kept, uint8_t mac,
                    struct mikey_octets key);
/** The tag over the parts, one after the other; as often as is wanted. */
int mikey_mac_tag(struct mikey_mac_run *run, const struct mikey_octets *part, size_t count,
                  uint8_t ret[MIKEY_TAG_MAX]);
void mikey_mac_end(struct mikey_mac_run *run);
/** One tag. */
int mikey_hmac(struct mikey_kept *kept, uint8_t mac, struct mikey_octets key,
               struct mikey_octets data, uint8_t ret[MIKEY_TAG_MAX]);
/** Octets of the digest are mikey_hash_len(hash). */
int mikey_digest(struct mikey_kept *kept, uint8_t hash, struct mikey_octets data,
                 uint8_t ret[MIKEY_TAG_MAX]);

/** Octets of encr_key and salt_key by Encr alg (RFC 3830, 4.2.3); 0 when it is not known. Pure. */
size_t mikey_encr_key_len(uint8_t encr);
size_t mikey_salt_key_len(uint8_t encr);
/**
 * Encrypt or decrypt key data. `t` is the timestamp as 64 bits. Key wrap pads with zeroes.
 * @return 0; BASE_PEER with MIKEY_BAD_AUTH when a wrapped key does not open; BASE_LOCAL
 */
int mikey_cipher(struct mikey_kept *kept, uint8_t encr, bool encrypt, struct mikey_octets key,
                 struct mikey_octets salt, uint32_t csb_id, uint64_t t, struct mikey_octets in,
                 struct base_writer *out);

/** The longest RSA modulus, in octets: 8192 bits. */
#define MIKEY_RSA_MAX 1024
/** Octets of the modulus; 0 when it is no RSA key of 1024 to 8192 bits. NULL is fine. */
size_t mikey_rsa_len(struct evp_pkey_st *pkey);
/** The envelope key for an RSA key, padded by PKCS #1 v1.5 with the caller's random octets. */
int mikey_rsa_seal(const struct mikey_env *env, struct evp_pkey_st *to, struct mikey_octets key,
                   struct base_writer *out);
/**
 * Open it. What is badly padded opens as random octets, so that nobody learns that it was
 * (RFC 5246, 7.4.7.1 tells why); the message's answer then helps nobody.
 */
int mikey_rsa_open(const struct mikey_env *env, struct evp_pkey_st *own, struct mikey_octets sealed,
                   struct base_secret *ret);
/** RSASSA-PKCS1-v1_5 or RSASSA-PSS (S type), its salt as long as the hash; `hash` is enum
 * mikey_hash. */
int mikey_rsa_sign(struct evp_pkey_st *own, uint8_t type, uint8_t hash, struct mikey_octets data,
                   struct base_writer *out);
bool mikey_rsa_verify(struct evp_pkey_st *peer, uint8_t type, uint8_t hash,
                      struct mikey_octets data, struct mikey_octets signature);

#endif
