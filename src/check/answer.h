/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a server says in the clear after a ClientHello, out of the bytes that came. Pure: no socket,
 * no clock. All that came so far is read anew each time more has come; any bytes are safe input.
 */
#ifndef GH_CHECK_ANSWER_H
#define GH_CHECK_ANSWER_H

#include "check/hello.h"

#define CHECK_ANSWER_MAX     (256U << 10) /**< octets of an answer that are looked at */
#define CHECK_EXTENSIONS_MAX 32

struct check_extension {
	uint16_t type;
	struct check_bytes data;
};

/** What it comes to. */
enum check_outcome {
	CHECK_NOTHING,     /**< not asked, or nothing came yet */
	CHECK_ANSWERED,    /**< a hello came */
	CHECK_REFUSED,     /**< a fatal alert, or the end of the connection, and no hello */
	CHECK_STALLED,     /**< nothing in time */
	CHECK_UNREACHABLE, /**< no connection, or none left to make */
	CHECK_GARBLED,     /**< what came is not TLS */
};

/** What was read; pointers are into `text`, until it is read anew or let go. */
struct check_answer {
	struct base_writer text; /**< handshake messages with heads, defragmented, in the clear */
	enum check_outcome outcome;
	bool whole;   /**< nothing more is to be waited for */
	bool ended;   /**< given: the connection is at its end */
	bool is_dtls; /**< given */
	bool silent;  /**< given: refused by silence, for it answered others */

	int alert, alert_level; /**< the first, or -1 */
	uint16_t record_version;

	bool hello, retry; /**< ServerHello; HelloRetryRequest (RFC 8446, 4.1.4) */
	uint16_t version;  /**< that was chosen, by supported_versions where it is there */
	uint16_t suite;
	uint8_t compression;
	const uint8_t *random;
	struct check_bytes session_id;
	struct check_extension extension[CHECK_EXTENSIONS_MAX];
	size_t extension_count;
	struct check_bytes cookie; /**< HelloVerifyRequest (RFC 6347, 4.2.1) */

	struct check_bytes certificates; /**< certificate_list */
	struct check_bytes key_exchange; /**< body of ServerKeyExchange */
	bool status;                     /**< CertificateStatus */
	bool certificate_request, done;  /**< CertificateRequest; ServerHelloDone */
	bool ticket;                     /**< NewSessionTicket in the clear (RFC 5077, 3.3) */
	uint32_t ticket_lifetime_s;
	struct check_bytes ticket_data;
	bool changed;      /**< ChangeCipherSpec */
	size_t consumed;   /**< octets of records that were read; up to the first protected one */
	size_t text_hello; /**< length of `text` with the hello's end */
};

/**
 * Read. `is_dtls` and `ended` are the caller's; datagrams stand one after another.
 * @return 0; BASE_LOCAL when memory is short
 */
int check_answer_read(struct check_answer *answer, const uint8_t *data, size_t len);
void check_answer_done(struct check_answer *answer);

/** The extension of that type, or NULL. */
const struct check_extension *check_answer_extension(const struct check_answer *answer,
                                                     uint16_t type);
/** The first certificate, DER; empty where none came. */
struct check_bytes check_answer_certificate(const struct check_answer *answer);
/** The version that was chosen, as a profile_version bit; 0 = none. */
unsigned check_answer_version(const struct check_answer *answer);

/** What stands in a ServerKeyExchange (RFC 5246, 7.4.3; RFC 8422, 5.4; RFC 4279, 3 and 4). */
struct check_key_exchange {
	uint16_t group;                       /**< named curve, 0 = none */
	unsigned dh_bits;                     /**< of the prime, 0 = no finite field */
	uint16_t signature;                   /**< scheme; 0 = none, or before TLS 1.2 */
	struct check_bytes dh_p, dh_g, point; /**< `point`: the server's public value */
	bool hint;                            /**< a psk_identity_hint stands there */
};
/** @return false where it is not as the suite wants it; `ret` then holds what was read */
bool check_key_exchange_read(const struct check_answer *answer, struct check_key_exchange *ret);

#endif
