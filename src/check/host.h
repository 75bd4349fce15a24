/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the checker has when it is the server, and the server's part of a key exchange (RFC 5246,
 * 7.4.3; RFC 4279; RFC 5489; RFC 8422). On libcrypto; no I/O.
 */
#ifndef GH_CHECK_HOST_H
#define GH_CHECK_HOST_H

#include "check/exchange.h"
#include "check/flight.h"
#include "check/offered.h"

struct x509_identity;

/** Either or both; neither: no session can be established. */
struct check_host {
	const struct x509_identity *identity; /**< the client trusts it */
	const struct check_psk *psk;          /**< that the client has, too */
};

/** The first suite of its offer that both have; 0 = none. */
uint16_t check_host_suite(const struct check_host *host, const struct check_offered *offered,
                          unsigned version);

/** Our secret of one key exchange. */
struct check_own {
	void *share;    /**< of a curve (an EVP_PKEY) */
	void *exponent; /**< of the finite field (a BIGNUM) */
	uint16_t group;
};
void check_own_done(struct check_own *own);

/** One handshake, as far as a key exchange needs it. */
struct check_parties {
	uint16_t version; /**< on the wire */
	uint16_t suite;
	const struct check_shape *shape;
	const uint8_t *client_random, *server_random;
};

/**
 * Body of ServerKeyExchange; nothing where the suite has none.
 * @return false where the client's groups or signatures are none of ours
 */
bool check_host_exchange(const struct check_host *host, const struct check_parties *parties,
                         const struct check_offered *offered, struct check_own *own,
                         struct base_writer *body);
/** The premaster secret, by a ClientKeyExchange. @return false where it cannot be made */
bool check_host_premaster(const struct check_host *host, const struct check_parties *parties,
                          const struct check_own *own, const struct check_client_key *key,
                          struct base_writer *secret);

/**
 * The same for TLS 1.3: of its suites TLS_AES_128_GCM_SHA256 and TLS_AES_256_GCM_SHA384;
 * CertificateVerify's body over `text`. @return 0 or false where the client has none of ours
 */
uint16_t check_host_suite13(const struct check_offered *offered);
bool check_host_sign13(const struct check_host *host, const struct check_offered *offered,
                       const struct base_writer *text, struct base_writer *body);

/** Is `proof` a signature of the certificate's key over `text`? */
bool check_proof_holds(struct check_bytes certificate, uint16_t version,
                       const struct check_proof *proof, struct check_bytes text);

#endif
