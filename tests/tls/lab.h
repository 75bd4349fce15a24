/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A laboratory for two TLS sessions in one process: certificates made on the spot, profiles from
 * text, and a wire that carries any number of octets at a time and may be tampered with.
 */
#ifndef GH_TESTS_TLS_LAB_H
#define GH_TESTS_TLS_LAB_H

#include "check.h"
#include "tls/tls.h"

/** What all tests of a program share. Made once. */
struct lab {
	char dir[64];
	struct profile_store *profiles;
	struct trust_store *trust;        /**< anchors: the laboratory's CA */
	struct x509_identity *server_ec;  /**< CA-signed, dNSName "server.test" */
	struct x509_identity *server_rsa; /**< the same with RSA-2048 */
	struct x509_identity *client;     /**< CA-signed, dNSName "client.test" */
	struct x509_identity *expired;    /**< CA-signed, expired yesterday */
	struct x509_identity *sha1;       /**< as server_ec, but signed with SHA-1 */
	struct x509_identity *stranger;   /**< self-signed */
};

struct lab *lab_new(void);
void lab_free(struct lab *lab);
/** One of the laboratory's profiles, named in profiles.c. Fails the test when it is not there. */
const struct profile *lab_profile(struct lab *lab, const char *name);
/** The SHA-256 fingerprint of an identity's certificate. */
struct x509_fingerprint lab_fingerprint(const struct x509_identity *identity);
/** A PSK over static text. */
struct tls_psk lab_psk(const char *identity, const char *key);

/** The engines of the two sides; `auto` never. */
struct lab_sides {
	struct lab *lab;
	enum tls_engine server, client;
};

/** Two sessions and the wire between them. */
struct lab_pair {
	struct tls_domain *domain[2]; /**< [TLS_ROLE_CLIENT], [TLS_ROLE_SERVER] */
	struct tls_context *context[2];
	struct tls_session *session[2];
	struct base_writer wire[2]; /**< written by that side and not yet read by the other */
	size_t chunk;               /**< octets given at a time; 0 = all there are */
	int result[2];              /**< of the handshake */
	uint64_t now_ms;            /**< what both are told */
};

/** The spec of a domain with the laboratory's usual values: profile "modern", no methods. */
struct tls_domain_spec lab_spec(const struct lab_sides *sides, enum tls_role role,
                                const char *profile);
/** Make domains, contexts and sessions; NULL session specs are the plain ones. */
void lab_pair_open(struct lab_pair *pair, const struct tls_domain_spec *server,
                   const struct tls_domain_spec *client, const struct tls_session_spec *server_s,
                   const struct tls_session_spec *client_s);
/** Replace both sessions by fresh ones of the same contexts. */
void lab_pair_again(struct lab_pair *pair, const struct tls_session_spec *server_s,
                    const struct tls_session_spec *client_s);
/** Shake hands until both are done or one has failed and the other has heard of it. */
void lab_pair_shake(struct lab_pair *pair);
void lab_pair_close(struct lab_pair *pair);

/** Encrypt on one side, carry, decrypt on the other; checks that all of it arrives. */
void lab_pair_send(struct lab_pair *pair, enum tls_role from, const void *data, size_t len);
/** One read by `to` of what is on the wire. */
int lab_pair_read(struct lab_pair *pair, enum tls_role to, uint8_t *clear, size_t cap,
                  size_t *ret_len);
struct tls_info lab_info(const struct lab_pair *pair, enum tls_role role);
/** Both sides established, or the test fails with what they say. */
void lab_assert_up(const struct lab_pair *pair);

#endif
