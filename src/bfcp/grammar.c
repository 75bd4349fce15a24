/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8855, 5.3, and the names of its tables. */
#include "bfcp/grammar.h"

#define B(type) (1U << BFCP_##type)
#define MANY    (B(FLOOR_ID) | B(FLOOR_REQUEST_INFORMATION))
#define ROW(words, must, may)                                                                      \
	{                                                                                          \
		words, must, (must) | (may), ~MANY                                                 \
	}
/* one FLOOR-REQUEST-INFORMATION */
#define ONE(words, must, may)                                                                      \
	{                                                                                          \
		words, must, (must) | (may), ~B(FLOOR_ID)                                          \
	}

const struct bfcp_grammar bfcp_grammar[BFCP_PRIMITIVES] = {
	[BFCP_FLOOR_REQUEST] = ROW("FloorRequest", B(FLOOR_ID),
	                           B(BENEFICIARY_ID) | B(PARTICIPANT_PROVIDED_INFO) | B(PRIORITY)),
	[BFCP_FLOOR_RELEASE] = ROW("FloorRelease", B(FLOOR_REQUEST_ID), 0),
	[BFCP_FLOOR_REQUEST_QUERY] = ROW("FloorRequestQuery", B(FLOOR_REQUEST_ID), 0),
	[BFCP_FLOOR_REQUEST_STATUS] = ONE("FloorRequestStatus", B(FLOOR_REQUEST_INFORMATION), 0),
	[BFCP_USER_QUERY] = ROW("UserQuery", 0, B(BENEFICIARY_ID)),
	[BFCP_USER_STATUS] =
	        ROW("UserStatus", 0, B(BENEFICIARY_INFORMATION) | B(FLOOR_REQUEST_INFORMATION)),
	[BFCP_FLOOR_QUERY] = ROW("FloorQuery", 0, B(FLOOR_ID)),
	[BFCP_FLOOR_STATUS] = ROW("FloorStatus", 0, B(FLOOR_ID) | B(FLOOR_REQUEST_INFORMATION)),
	[BFCP_CHAIR_ACTION] = ONE("ChairAction", B(FLOOR_REQUEST_INFORMATION), 0),
	[BFCP_CHAIR_ACTION_ACK] = ROW("ChairActionAck", 0, 0),
	[BFCP_HELLO] = ROW("Hello", 0, 0),
	[BFCP_HELLO_ACK] = ROW("HelloAck", B(SUPPORTED_PRIMITIVES) | B(SUPPORTED_ATTRIBUTES), 0),
	[BFCP_ERROR] = ROW("Error", B(ERROR_CODE), B(ERROR_INFO)),
	[BFCP_FLOOR_REQUEST_STATUS_ACK] = ROW("FloorRequestStatusAck", 0, 0),
	[BFCP_FLOOR_STATUS_ACK] = ROW("FloorStatusAck", 0, 0),
	[BFCP_GOODBYE] = ROW("Goodbye", 0, 0),
	[BFCP_GOODBYE_ACK] = ROW("GoodbyeAck", 0, 0),
};

const char *bfcp_primitive_name(unsigned primitive)
{
	return primitive && primitive < BFCP_PRIMITIVES ? bfcp_grammar[primitive].name : "unknown";
}

const char *bfcp_status_name(unsigned status)
{
	static const char *const names[BFCP_STATUSES] = { "none",     "Pending", "Accepted",
		                                          "Granted",  "Denied",  "Cancelled",
		                                          "Released", "Revoked" };

	return status < BFCP_STATUSES ? names[status] : "unknown";
}

const char *bfcp_error_words(unsigned error)
{
	static const char *const words[] = {
		"unknown",
		"Conference does not exist",
		"User does not exist",
		"Unknown primitive",
		"Unknown mandatory attribute",
		"Unauthorized operation",
		"Invalid floor ID",
		"Floor request ID does not exist",
		"Too many ongoing floor requests for this floor",
		"Use TLS",
		"Unable to parse message",
		"Use DTLS",
		"Unsupported version",
		"Incorrect message length",
		"Generic error",
	};

	return words[error < BASE_COUNT(words) ? error : 0];
}
