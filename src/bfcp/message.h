/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * BFCP messages as values, read and written: version 1 (RFC 4582, and RFC 8855 over TCP or TLS) and
 * version 2 (RFC 8855 over UDP or DTLS).
 */
#ifndef GH_BFCP_MESSAGE_H
#define GH_BFCP_MESSAGE_H

#include "base/base.h"

#define BFCP_HEADER_OCTETS 12
#define BFCP_UNKNOWN_MAX   16 /**< types of unknown mandatory attributes that are told */

/** RFC 8855, table 1. The Acks of status messages and Goodbye are of version 2. */
enum bfcp_primitive {
	BFCP_FLOOR_REQUEST = 1,
	BFCP_FLOOR_RELEASE,
	BFCP_FLOOR_REQUEST_QUERY,
	BFCP_FLOOR_REQUEST_STATUS,
	BFCP_USER_QUERY,
	BFCP_USER_STATUS,
	BFCP_FLOOR_QUERY,
	BFCP_FLOOR_STATUS,
	BFCP_CHAIR_ACTION,
	BFCP_CHAIR_ACTION_ACK,
	BFCP_HELLO,
	BFCP_HELLO_ACK,
	BFCP_ERROR,
	BFCP_FLOOR_REQUEST_STATUS_ACK,
	BFCP_FLOOR_STATUS_ACK,
	BFCP_GOODBYE,
	BFCP_GOODBYE_ACK,
	BFCP_PRIMITIVES,
};

/** RFC 8855, table 2. */
enum bfcp_attribute {
	BFCP_BENEFICIARY_ID = 1,
	BFCP_FLOOR_ID,
	BFCP_FLOOR_REQUEST_ID,
	BFCP_PRIORITY,
	BFCP_REQUEST_STATUS,
	BFCP_ERROR_CODE,
	BFCP_ERROR_INFO,
	BFCP_PARTICIPANT_PROVIDED_INFO,
	BFCP_STATUS_INFO,
	BFCP_SUPPORTED_ATTRIBUTES,
	BFCP_SUPPORTED_PRIMITIVES,
	BFCP_USER_DISPLAY_NAME,
	BFCP_USER_URI,
	BFCP_BENEFICIARY_INFORMATION,
	BFCP_FLOOR_REQUEST_INFORMATION,
	BFCP_REQUESTED_BY_INFORMATION,
	BFCP_FLOOR_REQUEST_STATUS_GROUP,
	BFCP_OVERALL_REQUEST_STATUS,
	BFCP_ATTRIBUTES,
};

/** RFC 8855, table 4. */
enum bfcp_status {
	BFCP_NO_STATUS, /**< not in the message */
	BFCP_PENDING,
	BFCP_ACCEPTED,
	BFCP_GRANTED,
	BFCP_DENIED,
	BFCP_CANCELLED,
	BFCP_RELEASED,
	BFCP_REVOKED,
	BFCP_STATUSES,
};

/** RFC 8855, table 5; also the detail of errors with class BASE_PEER. */
enum bfcp_error {
	BFCP_NO_CONFERENCE = 1,
	BFCP_NO_USER,
	BFCP_UNKNOWN_PRIMITIVE,
	BFCP_UNKNOWN_ATTRIBUTE,
	BFCP_UNAUTHORIZED,
	BFCP_INVALID_FLOOR,
	BFCP_NO_REQUEST,
	BFCP_TOO_MANY_REQUESTS,
	BFCP_USE_TLS,
	BFCP_CANNOT_PARSE,
	BFCP_USE_DTLS,
	BFCP_UNSUPPORTED_VERSION,
	BFCP_WRONG_LENGTH,
	BFCP_GENERIC_ERROR,
};

enum { BFCP_LOWEST, BFCP_LOW, BFCP_NORMAL, BFCP_HIGH, BFCP_HIGHEST };

/** A status with its words; `info` is empty when there is none. */
struct bfcp_state {
	uint8_t status; /**< enum bfcp_status, or a value of later days */
	uint8_t queue;  /**< position, 0 = not told */
	struct base_str info;
};

/** BENEFICIARY-INFORMATION, REQUESTED-BY-INFORMATION. Empty texts are left out. */
struct bfcp_user_info {
	bool there;
	uint16_t id;
	struct base_str name, uri;
};

struct bfcp_floor_state {
	uint16_t floor;
	struct bfcp_state state;
};

/** FLOOR-REQUEST-INFORMATION: not more than 255 octets when written. */
struct bfcp_request_info {
	uint16_t id;
	bool has_overall;
	struct bfcp_state overall;
	struct bfcp_floor_state *floor;
	size_t floors;
	struct bfcp_user_info beneficiary, requested_by;
	bool has_priority;
	uint8_t priority;
	struct base_str info; /**< PARTICIPANT-PROVIDED-INFO */
};

/** One message. Texts are borrowed from the octets, lists are in the caller's arena. */
struct bfcp_message {
	uint8_t version; /**< 1 or 2 */
	bool response;   /**< R: version 2 alone */
	uint8_t primitive;
	uint32_t conference;
	uint16_t transaction, user;

	uint16_t *floor; /**< FLOOR-ID */
	size_t floors;
	bool has_beneficiary; /**< BENEFICIARY-ID */
	uint16_t beneficiary;
	bool has_request; /**< FLOOR-REQUEST-ID */
	uint16_t request;
	bool has_priority;
	uint8_t priority;     /**< 0 to 4: what is higher is read as 4 (5.2.4) */
	struct base_str info; /**< PARTICIPANT-PROVIDED-INFO */
	uint8_t error;        /**< ERROR-CODE; 0 = not there */
	struct base_str error_details;
	struct base_str error_info;
	struct base_str primitives; /**< SUPPORTED-PRIMITIVES: an octet each */
	struct base_str
	        attributes; /**< SUPPORTED-ATTRIBUTES: types, shifted left by one as on the wire */
	struct bfcp_user_info about;       /**< BENEFICIARY-INFORMATION of UserStatus */
	struct bfcp_request_info *info_of; /**< FLOOR-REQUEST-INFORMATION */
	size_t infos;

	uint8_t unknown[BFCP_UNKNOWN_MAX]; /**< types with the M bit that we do not know */
	size_t unknowns;
};

/**
 * Read one whole message (not a fragment). Any octets are safe. Known attributes where the grammar
 * has none of them are passed over, as unknown ones without the M bit are.
 *
 * @param ret  its header is filled as soon as there are 12 octets, also on failure, so that an
 * Error can be sent; a primitive that we do not know is no failure (its attributes are not read)
 * @return 0; BASE_PEER with the error code to answer with (10, 12, 13), 0 as detail where no answer
 * is possible; BASE_LOCAL
 */
int bfcp_decode(struct base_str octets, struct base_arena *arena, struct bfcp_message *ret,
                struct base_error *err);

/**
 * Append a message. @return 0; BASE_BUG when an attribute would not fit its length (255 octets),
 * the message its own, or memory is short. The writer is as it was then.
 */
int bfcp_encode(struct base_writer *w, const struct bfcp_message *msg);

/** Words for people; "unknown" for others. */
const char *bfcp_primitive_name(unsigned primitive);
const char *bfcp_status_name(unsigned status);
const char *bfcp_error_words(unsigned error);

#endif
