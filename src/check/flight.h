/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a client says to a server's flight, out of octets: Certificate, ClientKeyExchange,
 * CertificateVerify (RFC 5246, 7.4.6 to 7.4.8; RFC 4279; RFC 8422, 5.7). Pure; any octets are safe.
 */
#ifndef GH_CHECK_FLIGHT_H
#define GH_CHECK_FLIGHT_H

#include "check/keys.h"

/** ClientKeyExchange: what of it the suite has. */
struct check_client_key {
	struct check_bytes identity; /**< of a pre-shared key */
	struct check_bytes value;    /**< a public value, or the encrypted premaster secret */
};
/** @return false where it is not what the suite wants */
bool check_client_key_read(struct check_bytes body, const struct check_shape *shape,
                           struct check_client_key *ret);

/** Certificate before TLS 1.3: the first one, DER; empty where the client has none to show. */
bool check_client_certificate_read(struct check_bytes body, struct check_bytes *ret_first);

struct check_proof {
	uint16_t scheme; /**< 0 = before TLS 1.2 */
	struct check_bytes signature;
};
/** CertificateVerify. */
bool check_proof_read(struct check_bytes body, uint16_t version, struct check_proof *ret);

#endif
