/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a client says to a server's flight, out of octets: Certificate, ClientKeyExchange,
 * CertificateVerify (RFC 5246, 7.4.6 to 7.4.8; RFC 4279; RFC 8422, 5.7). Pure; any octets are safe.
 */
#ifndef GH_CHECK_FLIGHT_H
#define GH_CHECK_FLIGHT_H

#include "check/keys.h"
#include "check/offered.h"

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
/** CertificateVerify, of TLS 1.3, too. */
bool check_proof_read(struct check_bytes body, uint16_t version, struct check_proof *ret);

/* -- TLS 1.3 --------------------------------------------------------------------------------- */

/** Certificate of TLS 1.3 (RFC 8446, 4.4.2), as above. */
bool check_client_certificate13_read(struct check_bytes body, struct check_bytes *ret_first);

/** The share for a group in the client's key_share (4.2.8); empty where there is none. */
struct check_bytes check_share_find(const struct check_offered *offered, uint16_t group);

/** One pre-shared key that it offers (4.2.11). */
struct check_offered_psk {
	struct check_bytes identity, binder;
	unsigned index;
	size_t before; /**< octets of the hello (message with head) up to the list of binders */
};
/**
 * The one of that name. `hello` is what `offered` was read from.
 * @return false where there is none, or the extension is not the hello's last
 */
bool check_psk_find(const struct check_offered *offered, struct check_bytes hello,
                    struct check_bytes identity, struct check_offered_psk *ret);

#endif
