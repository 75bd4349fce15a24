/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * ClientHellos as no library will send them: any version, suite, compression and extension, alone
 * or with others (RFC 5246, 7.4.1.2; RFC 8446, 4.1.2; RFC 6347, 4.2.1). Only bytes are made here.
 */
#ifndef GH_CHECK_HELLO_H
#define GH_CHECK_HELLO_H

#include "base/base.h"
#include "profile/profile.h"

/** Types of handshake messages. */
enum check_message {
	CHECK_HELLO_REQUEST = 0,
	CHECK_CLIENT_HELLO = 1,
	CHECK_SERVER_HELLO = 2,
	CHECK_HELLO_VERIFY = 3,
	CHECK_NEW_TICKET = 4,
	CHECK_ENCRYPTED_EXTENSIONS = 8,
	CHECK_CERTIFICATE = 11,
	CHECK_KEY_EXCHANGE = 12,
	CHECK_CERTIFICATE_REQUEST = 13,
	CHECK_HELLO_DONE = 14,
	CHECK_CERTIFICATE_VERIFY = 15,
	CHECK_CLIENT_KEY = 16,
	CHECK_FINISHED = 20,
	CHECK_CERTIFICATE_STATUS = 22,
};

/** Types of records. */
enum check_record {
	CHECK_RECORD_CCS = 20,
	CHECK_RECORD_ALERT = 21,
	CHECK_RECORD_HANDSHAKE = 22,
	CHECK_RECORD_DATA = 23,
};

enum {
	CHECK_SCSV_RENEGOTIATION = 0x00ff, /**< RFC 5746, 3.3 */
	CHECK_SCSV_FALLBACK = 0x5600,      /**< RFC 7507 */
};

/** What a ClientHello brings beside versions and suites. */
enum check_with {
	CHECK_WITH_RENEGOTIATION_INFO = 1 << 0, /**< the extension, with `verify` inside */
	CHECK_WITH_RENEGOTIATION_SCSV = 1 << 1,
	CHECK_WITH_FALLBACK_SCSV = 1 << 2,
	CHECK_WITH_DEFLATE = 1 << 3, /**< before the null method */
	CHECK_WITH_EMS = 1 << 4,
	CHECK_WITH_ETM = 1 << 5,
	CHECK_WITH_MAX_FRAGMENT = 1 << 6, /**< 2^9 */
	CHECK_WITH_STATUS = 1 << 7,
	CHECK_WITH_TICKET = 1 << 8, /**< with `ticket` inside */
	CHECK_WITH_TRUNCATED_HMAC = 1 << 9,
	CHECK_WITH_NO_EXTENSIONS = 1 << 10, /**< none at all, as SSL 3.0 */
	CHECK_WITH_TRUSTED_CA = 1 << 11,    /**< trusted_ca_keys, with no authority named */
	CHECK_WITH_RECORD_LIMIT = 1 << 12,
	CHECK_WITH_CLIENT_URL = 1 << 13,
	CHECK_WITH_SRTP = 1 << 14,
	CHECK_WITH_NO_SHARE = 1 << 15, /**< TLS 1.3: an empty key_share, so that it asks for one */
	CHECK_WITH_PSK_KE = 1 << 16,   /**< TLS 1.3: psk_ke alone, without forward secrecy */
	CHECK_WITH_EARLY = 1 << 17,    /**< TLS 1.3: early_data, of which none is sent */
};

struct check_bytes {
	const uint8_t *data;
	size_t len;
};

/** One offer. All zero but `version` is a fair one with everything that is known. */
struct check_offer {
	unsigned version;            /**< profile_version bit; the only one that is offered */
	struct profile_codes suites; /**< none: every suite of the registry the version can have */
	struct profile_codes groups, signatures; /**< none: all of the registry */
	unsigned with;                           /**< enum check_with */
	const char *server_name;                 /**< NULL = no such extension */
	struct check_bytes session_id, ticket, verify, cookie;
	struct check_bytes
	        share; /**< TLS 1.3: a public key for `share_group`; none = random X25519 */
	uint16_t share_group;
	/** TLS 1.3: `ticket` is offered as a pre-shared key, its binder this long and all zero. */
	size_t binder_len;
	uint32_t ticket_age;   /**< obfuscated (RFC 8446, 4.2.11) */
	const uint8_t *random; /**< 32 octets; NULL = new ones */
};

/** The TLS version whose suites and extensions a version has: of DTLS 1.2 it is TLS 1.2. */
unsigned check_tls_of(unsigned version);
/** Can the version have the suite? */
bool check_suite_fits(const struct profile_suite *suite, unsigned version);

/** Append the message's body, without any head. */
void check_hello_put(const struct check_offer *offer, struct base_writer *w);
/** As check_hello_put with head (RFC 5246, 7.4). */
void check_hello_message(const struct check_offer *offer, struct base_writer *w);
/** Append the whole: record, head, body. Of SSL 2.0 its own form (RFC 5246, E.2). */
void check_hello_wire(const struct check_offer *offer, struct base_writer *w);
/** As check_hello_wire, for DTLS; `again` is the answer to a cookie: message 1. */
void check_hello_datagram(const struct check_offer *offer, bool again, uint32_t record,
                          struct base_writer *w);

/** One record of TLS in the clear around `data`. */
void check_record_put(struct base_writer *w, enum check_record type, uint16_t version,
                      const void *data, size_t len);

/** The same of DTLS: `number` is epoch and number (RFC 6347, 4.1). */
void check_record_put_dtls(struct base_writer *w, enum check_record type, uint16_t version,
                           uint64_t number, const void *data, size_t len);

/* A vector whose length is written once its end is known: `octets` 1 to 3 of length. */
size_t check_vector_begin(struct base_writer *w, unsigned octets);
void check_vector_end(struct base_writer *w, size_t at, unsigned octets);

#endif
