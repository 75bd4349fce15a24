/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Digest authentication (RFC 7616; RFC 2617 for who is older; RFC 3261, 22): what a challenge asks,
 * what answers it, and a server that asks and judges. MD5, SHA-256, SHA-512/256, each with -sess;
 * qop auth and auth-int. Pure: time and octets of chance go in.
 */
#ifndef GH_SIP_DIGEST_H
#define GH_SIP_DIGEST_H

#include "sip/message.h"

/** The better one is the greater. */
enum sip_hash { SIP_HASH_MD5, SIP_HASH_SHA256, SIP_HASH_SHA512_256 };

#define SIP_DIGEST_MAX 65 /**< octets of a digest as text, terminated */

enum sip_qop { SIP_QOP_NONE = 0, SIP_QOP_AUTH = 1, SIP_QOP_AUTH_INT = 2 };

/* -- what both sides calculate -- */

/** All that goes into `response` (RFC 7616, 3.4). Borrowed; nothing is quoted. */
struct sip_digest {
	enum sip_hash hash;
	bool sess;
	enum sip_qop qop;
	struct base_str user, realm, password;
	struct base_str nonce, cnonce;
	uint32_t nc;
	struct base_str method, uri, body;
};

/** @return 0; BASE_LOCAL when libcrypto does not do this hash (MD5 where FIPS rules) */
int sip_digest_response(const struct sip_digest *d, char out[SIP_DIGEST_MAX]);

/* -- who is asked -- */

/** One challenge, unquoted, in the arena it was read into. */
struct sip_challenge {
	struct base_str realm, nonce;
	struct base_str opaque; /**< ptr NULL = none */
	enum sip_hash hash;
	bool sess;
	unsigned qops; /**< set of enum sip_qop; 0 = it knows none (RFC 2069) */
	bool stale, userhash;
};

/**
 * Read a WWW-Authenticate or Proxy-Authenticate value.
 * @return 0; BASE_PEER: malformed, another scheme, or an algorithm or qop that is not known, so
 *         that it is to be passed over; BASE_LOCAL
 */
int sip_challenge_read(struct base_str value, struct base_arena *arena, struct sip_challenge *ret);

/** How the user proves himself. */
struct sip_proof {
	struct base_str user, password;
	uint32_t nc;                 /**< from 1, one more each time this nonce is used */
	const char *cnonce;          /**< by chance */
	struct base_str method, uri; /**< of the request */
	struct base_str body;
};

/** The value of the answer, `Digest username="..."`, without the name of its field. @return as
 * sip_digest_response */
int sip_challenge_answer(const struct sip_challenge *challenge, const struct sip_proof *proof,
                         struct base_writer *w);

/* -- who stands between -- */

/** What an Authorization or WWW-Authenticate value says, unquoted; ptr NULL = it does not. */
struct sip_credentials {
	struct base_str user, realm, nonce, uri, response, stale;
};

/** Read a Digest value, whose ever it is; in the arena. @return 0; BASE_PEER 400: malformed,
 * another scheme, a parameter twice; BASE_LOCAL */
int sip_credentials_read(struct base_str value, struct base_arena *arena,
                         struct sip_credentials *ret);

/* -- who asks -- */

struct sip_digest_server;

/** All but realm may be 0: the defaults. */
struct sip_digest_config {
	const char *realm;           /**< copied */
	const enum sip_hash *hashes; /**< challenges in this order; NULL: SHA-256, then MD5 */
	size_t hash_count;
	uint32_t lifetime_ms; /**< of a nonce: 300000 */
	size_t nonces_max;    /**< whose counts are kept at a time: 4096; of others it is `stale` */
};

/** @param key  32 octets by chance. Copied, as all else. @return 0; BASE_LOCAL */
int sip_digest_server_new(struct sip_digest_server **ret, const struct sip_digest_config *config,
                          const uint8_t key[32]);
/** NULL is fine. */
void sip_digest_server_free(struct sip_digest_server *server);

/**
 * Header lines that ask, one for each hash, with one nonce.
 * @param proxy  Proxy-Authenticate, for a 407, instead of WWW-Authenticate for a 401
 * @param salt   16 octets by chance
 */
int sip_digest_challenge(struct sip_digest_server *server, uint64_t now_ms, const uint8_t salt[16],
                         bool proxy, bool stale, struct base_writer *w);

/** A user's password. @return false when there is no such user */
typedef bool sip_password_fn(void *arg, struct base_str user, struct base_str *ret);

/**
 * Is this request by whom it says? Any octets are safe.
 *
 * @param ret_user   filled only on success: borrowed from the arena
 * @param ret_stale  filled on failure: right but for its nonce, so ask again with `stale`
 * @return 0; BASE_PEER: 401 (or as it is a proxy's 407) ask; 400 malformed, or its URI is another;
 *         BASE_LOCAL
 */
int sip_digest_check(struct sip_digest_server *server, uint64_t now_ms,
                     const struct sip_message *request, bool proxy, sip_password_fn *password,
                     void *arg, struct base_arena *arena, struct base_str *ret_user,
                     bool *ret_stale);

#endif
