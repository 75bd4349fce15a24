/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * ClientHello and ServerHello read by ourselves, for both engines: a pure parser, any octets are
 * safe input. What it tells is borrowed from the message. A list that is malformed is told as
 * empty: the engine that reads the message after us refuses it.
 */
#ifndef GH_TLS_HELLO_H
#define GH_TLS_HELLO_H

#include "tls/tls.h"

/** Extensions that a hello has, as bits. */
enum tls_hello_extension {
	TLS_HELLO_GROUPS = 1 << 0,
	TLS_HELLO_MASTER_SECRET = 1 << 1, /**< RFC 7627, 5.1 */
	TLS_HELLO_PSK = 1 << 2,
	TLS_HELLO_VERSIONS = 1 << 3,
	TLS_HELLO_KEY_SHARE = 1 << 4,
	TLS_HELLO_RENEGOTIATION = 1 << 5, /**< RFC 5746, 3.2 */
	TLS_HELLO_NAME = 1 << 6,          /**< RFC 6066, 3 */
	TLS_HELLO_FRAGMENT = 1 << 7,      /**< RFC 6066, 4 */
	TLS_HELLO_URL = 1 << 8,           /**< client_certificate_url: RFC 6066, 5 */
	TLS_HELLO_AUTHORITIES = 1 << 9,   /**< trusted_ca_keys: RFC 6066, 6 */
	TLS_HELLO_TRUNCATED = 1 << 10,    /**< truncated_hmac: RFC 6066, 7 */
	TLS_HELLO_STATUS = 1 << 11,       /**< RFC 6066, 8 */
	TLS_HELLO_ETM = 1 << 12,          /**< encrypt_then_mac: RFC 7366 */
	TLS_HELLO_SIGNATURES = 1 << 13,
	TLS_HELLO_RECORD_SIZE = 1 << 14, /**< RFC 8449 */
	TLS_HELLO_TICKET = 1 << 15,   /**< a session ticket, not the wish for one (RFC 5077, 3.2) */
	TLS_HELLO_CA_NAMES = 1 << 16, /**< certificate_authorities: RFC 8446, 4.2.4 */
};

struct tls_hello_view {
	uint16_t version; /**< legacy_version */
	uint16_t suite;   /**< ServerHello */
	bool compression; /**< a method other than null is offered, or chosen */
	unsigned present; /**< enum tls_hello_extension */
	struct base_reader suites, versions, groups, signatures; /**< 16-bit numbers */
	struct base_reader ticket, identities; /**< ClientHello: what is to be resumed */
	struct base_reader authorities;        /**< see tls_authority_next() */
	struct base_reader ca_names;           /**< see tls_ca_name_next() */
	struct base_str name;                  /**< host_name without a NUL in it; len 0 = none */
	uint8_t fragment;     /**< 1 to 4: 2^9 to 2^12 octets; 0 = none that is known */
	uint16_t record_size; /**< 0 = none */
};

/** RFC 5246, 7.4.1.2 and 7.4.1.3: the body of a handshake message. False when it is malformed. */
bool tls_hello_read(struct tls_hello_view *ret, const void *body, size_t len, bool client);
/** One extension of it, where an engine has cut the message already. */
void tls_hello_extension(struct tls_hello_view *hello, uint16_t type, struct base_reader body,
                         bool client);

/** Is it among these 16-bit numbers? */
bool tls_numbers_have(struct base_reader list, uint16_t number);

struct tls_authority {
	enum tls_authority_kind kind;
	struct base_str value;
};
/** Step to the next one. False at the end, and at one that is malformed or of no known kind. */
bool tls_authority_next(struct base_reader *list, struct tls_authority *ret);
/** The same of certificate_authorities: DER of a distinguished name. */
bool tls_ca_name_next(struct base_reader *list, struct base_str *ret);

#endif
