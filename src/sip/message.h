/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A SIP message (RFC 3261, 7) as it stands in its octets: start line, an index of its header
 * fields, the body. Nothing is rewritten and nothing is copied, so that a proxy forwards what it
 * does not touch octet for octet, and an octet of value 0 cuts no identity short.
 *
 * The octets and the arena must outlive the message. One thread each; no shared state.
 */
#ifndef GH_SIP_MESSAGE_H
#define GH_SIP_MESSAGE_H

#include "sip/text.h"
#include "sip/uri.h"

/** Limits of one message; beyond them it is refused. */
#define SIP_MESSAGE_OCTETS_MAX 65536
#define SIP_HEADERS_MAX        256

enum sip_method {
	SIP_OTHER = 0, /**< another token: see method_name */
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_REGISTER,
	SIP_OPTIONS,
	SIP_MESSAGE,
	SIP_INFO,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_REFER,
	SIP_PUBLISH,
};

/** Header fields that something here reads, in the order of the table in header.c. */
enum sip_header_id {
	SIP_H_OTHER = 0,
	SIP_H_ACCEPT,
	SIP_H_ALLOW,
	SIP_H_AUTHORIZATION,
	SIP_H_CALL_ID,
	SIP_H_CONTACT,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_TYPE,
	SIP_H_CSEQ,
	SIP_H_EVENT,
	SIP_H_EXPIRES,
	SIP_H_FROM,
	SIP_H_MAX_FORWARDS,
	SIP_H_MIN_EXPIRES,
	SIP_H_P_ASSERTED_IDENTITY,
	SIP_H_P_ASSOCIATED_URI,
	SIP_H_P_PREFERRED_IDENTITY,
	SIP_H_PATH,
	SIP_H_PRIVACY,
	SIP_H_PROXY_AUTHENTICATE,
	SIP_H_PROXY_AUTHORIZATION,
	SIP_H_PROXY_REQUIRE,
	SIP_H_REASON,
	SIP_H_RECORD_ROUTE,
	SIP_H_REPLACES,
	SIP_H_REQUIRE,
	SIP_H_RETRY_AFTER,
	SIP_H_ROUTE,
	SIP_H_SECURITY_CLIENT,
	SIP_H_SECURITY_SERVER,
	SIP_H_SECURITY_VERIFY,
	SIP_H_SERVICE_ROUTE,
	SIP_H_SUBSCRIPTION_STATE,
	SIP_H_SUPPORTED,
	SIP_H_TO,
	SIP_H_UNSUPPORTED,
	SIP_H_VIA,
	SIP_H_WWW_AUTHENTICATE,
	SIP_H_COUNT,
};

struct sip_header {
	enum sip_header_id id;
	struct base_str name;  /**< as spelled */
	struct base_str value; /**< without LWS at its ends; lines may be folded in it */
	struct base_str whole; /**< name to line end, for who forwards or drops it */
};

/** name-addr or addr-spec with its parameters: From, To, Contact, Route and their kin (20.10). */
struct sip_addr {
	struct base_str display; /**< as it stands, quotes included; empty when there is none */
	struct base_str uri;     /**< without `<>` */
	struct base_str params;  /**< header parameters, for sip_param_find */
};

struct sip_via {
	struct base_str transport; /**< "TLS", "UDP": as spelled */
	struct base_str host;      /**< an IPv6 address with its brackets */
	uint16_t port;             /**< 0 = none */
	struct base_str branch;    /**< ptr NULL = none (RFC 2543) */
	struct base_str params;
	struct base_str text; /**< all of this element */
};

struct sip_message {
	struct base_str octets; /**< all of it, without what follows its body */
	bool request;
	enum sip_method method;      /**< of a response: the one its CSeq names */
	struct base_str method_name; /**< likewise */
	struct base_str target;      /**< request: Request-URI */
	struct sip_uri uri;          /**< request: taken apart; empty when it is none */
	unsigned status;             /**< response: 100 to 699 */
	struct base_str reason;

	struct sip_header *headers;
	size_t header_count;
	struct base_str body;

	struct sip_via via; /**< the topmost */
	struct sip_addr from, to;
	struct base_str from_tag, to_tag; /**< ptr NULL = none */
	struct base_str call_id;
	uint32_t cseq;
	uint8_t max_forwards; /**< 70 where the request has none (16.6, step 3) */

	/**
	 * What is wrong with it, 0 = nothing. A request is due this status; a response is to be
	 * thrown away. Fields that are at fault are empty.
	 */
	unsigned fault;
	const char *fault_text; /**< for the reason phrase; static */
};

/**
 * Read one message that is whole: a datagram, or what sip_frame has found in a stream. A message
 * whose first line is SIP's is read as far as it goes; see `fault`.
 *
 * @param stream  it came by a stream: Content-Length has to fit exactly (18.3)
 * @return 0; BASE_PEER when it is no SIP message at all, or a limit is passed: nothing can be
 *         answered; BASE_LOCAL when memory is short
 */
int sip_message_parse(struct sip_message *ret, struct base_arena *arena, struct base_str octets,
                      bool stream);

/** A copy with octets of its own, both in the arena. @return 0, or BASE_LOCAL */
int sip_message_copy(struct sip_message *ret, struct base_arena *arena,
                     const struct sip_message *msg);

/** The first header field of this kind, or the next after `after`. NULL when there is none. */
const struct sip_header *sip_header(const struct sip_message *msg, enum sip_header_id id);
const struct sip_header *sip_header_after(const struct sip_message *msg,
                                          const struct sip_header *after);
/** The first header field of this name, for names that have no id. */
const struct sip_header *sip_header_named(const struct sip_message *msg, const char *name);
/** Its value as a number of at most `max`. @return 0, or BASE_PEER when it is none */
int sip_header_number(const struct sip_header *header, uint64_t max, uint64_t *ret);
/** Is this option tag (any token) in one of its header fields, which hold comma-separated lists? */
bool sip_header_has(const struct sip_message *msg, enum sip_header_id id, const char *token);

/** A place in all elements of all header fields of one kind; begin with `{ .msg, .id }`. */
struct sip_values {
	const struct sip_message *msg;
	enum sip_header_id id;
	const struct sip_header *header; /**< that the last element came from */
	struct base_str rest;
};
/** The next element of comma-separated values. @return false at the end */
bool sip_values_next(struct sip_values *values, struct base_str *ret);

/** Take one element apart. @return 0, or BASE_PEER when it is malformed (status in the detail) */
int sip_addr_parse(struct base_str text, struct sip_addr *ret);
int sip_via_parse(struct base_str text, struct sip_via *ret);

enum sip_method sip_method_of(struct base_str name);
const char *sip_method_name(enum sip_method method);
enum sip_header_id sip_header_id_of(struct base_str name);
/** As it is written, "Call-ID". */
const char *sip_header_name(enum sip_header_id id);
/** The reason phrase of RFC 3261, 21 and its kin; "Unknown" for others. */
const char *sip_reason(unsigned status);

#endif
