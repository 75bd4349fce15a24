/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The message model: header, transactions, actions, commands (RFC 3525, 8 and Annexes A and B;
 * versions 2 and 3). Lifetime and conventions: h248/descriptor.h. Nothing here is thread safe by
 * itself; a model belongs to whoever owns its arena.
 */
#ifndef GH_H248_MESSAGE_H
#define GH_H248_MESSAGE_H

#include "h248/descriptor.h"

/** ContextIDs with a meaning (Annex A, A.2). In text they are `-`, `$` and `*`. */
#define H248_CONTEXT_NULL   0U
#define H248_CONTEXT_CHOOSE 0xFFFFFFFEU
#define H248_CONTEXT_ALL    0xFFFFFFFFU

/** How far a fault reaches: what has to be answered with its code. */
enum h248_fault_level {
	H248_FAULT_MESSAGE = 1, /**< the header, or text between transactions */
	H248_FAULT_TRANSACTION,
	H248_FAULT_ACTION,
	H248_FAULT_COMMAND,
};

/**
 * A place where the input broke a rule. In the model it hangs on the smallest thing that has to be
 * refused for it, and in the list of the message.
 */
struct h248_fault {
	struct h248_fault *next; /**< next fault of the message, in order of the input */
	const char *text;        /**< what is wrong, with the place; has no double quote, so it may
	                              be the text of an error descriptor */
	struct base_str token;   /**< the offending octets, borrowed from the input; may be empty */
	size_t offset;           /**< of the token in the input */
	uint32_t line, column;   /**< from 1; column in octets; both 0 in the binary form */
	uint32_t transaction;    /**< TransactionID; 0 when unknown (spec: 0 = unknown) */
	uint32_t context;        /**< ContextID, when `has_context` */
	uint16_t code;           /**< H.248 error code: 400, 403, 406, 422, 442, 448 ... */
	uint8_t level;           /**< enum h248_fault_level */
	uint8_t command;         /**< enum h248_command_kind, when `has_command` */
	bool has_transaction, has_context, has_command;
};

/** Values of topologyDirection (Annex A; the last two are v3). */
enum h248_topology_direction {
	H248_BOTHWAY = 0,
	H248_ISOLATE,
	H248_ONEWAY,
	H248_ONEWAY_EXTERNAL,
	H248_ONEWAY_BOTH,
};

/** One triple of a Topology descriptor (7.1.18). */
struct h248_topology {
	struct h248_topology *next;
	struct h248_term from, to; /**< `next` unused */
	uint16_t stream;           /**< v2 */
	bool has_stream;
	uint8_t direction; /**< enum h248_topology_direction */
};

struct h248_context_id {
	struct h248_context_id *next;
	uint32_t id;
};

/** Properties of a context in an action: set in a request, reported in a reply. */
struct h248_context_attr {
	struct h248_topology *topology;
	struct h248_parm *parms;      /**< ContextAttr (v3) */
	struct h248_context_id *list; /**< ContextAttr{ContextList} (v3) */
	uint16_t priority;            /**< 0..15 in meaning, UINT16 in text */
	bool has_priority;
	uint8_t emergency; /**< enum h248_tri; Emergency = ON, EmergencyOff = OFF */
	uint8_t ieps;      /**< enum h248_tri (v3) */
};

/** Bits of h248_context_audit.items. */
enum h248_context_item {
	H248_CONTEXT_TOPOLOGY = 1,
	H248_CONTEXT_EMERGENCY = 2,
	H248_CONTEXT_PRIORITY = 4,
	H248_CONTEXT_IEPS = 8, /**< v3 */
};

/** ContextAudit: what to return, and (v3) of which contexts: `select`. */
struct h248_context_audit {
	struct h248_parm *parms;      /**< form NONE: audited; with a value: selects */
	struct h248_context_id *list; /**< ContextList as a selector */
	uint16_t select_priority;
	bool has_select_priority;
	uint8_t select_emergency; /**< enum h248_tri */
	uint8_t select_ieps;      /**< enum h248_tri */
	uint8_t items;            /**< enum h248_context_item bits */
	bool has_logic;           /**< ANDLgc or ORLgc was given */
	bool logic_or;            /**< ORLgc; else AND, the default */
};

/** In the order of CommandRequest, Annex A. */
enum h248_command_kind {
	H248_ADD = 0,
	H248_MOVE,
	H248_MODIFY,
	H248_SUBTRACT,
	H248_AUDIT_CAPABILITY,
	H248_AUDIT_VALUE,
	H248_NOTIFY,
	H248_SERVICE_CHANGE,
	H248_COMMAND_UNKNOWN, /**< only with a fault */
};

/** A command request or a command reply; which one its transaction says. */
struct h248_command {
	struct h248_command *next;
	struct h248_term term;               /**< the first TerminationID; more on `term.next` (v3).
	                                          Name empty: none given (faults, empty audits) */
	struct h248_descriptor *descriptors; /**< in wire order */
	struct h248_descriptor *last;        /**< tail of `descriptors`, NULL when empty */
	struct h248_fault *fault;            /**< refuse this command; rest of it is unreliable */
	struct h248_extension *extensions;
	uint8_t kind;             /**< enum h248_command_kind */
	bool optional;            /**< `O-` */
	bool wildcarded_response; /**< `W-` */
	bool context_audit;       /**< reply `AV=Context{..}`: `term` is the list, or an Error */
};

/** An action: commands in one context. */
struct h248_action {
	struct h248_action *next;
	struct h248_context_attr *attr;   /**< NULL: none */
	struct h248_context_audit *audit; /**< NULL: none; requests only */
	struct h248_command *commands, *last_command;
	struct h248_error *error; /**< replies only: ends the action; NULL: none */
	struct h248_fault *fault; /**< refuse this action: no command of it is here */
	struct h248_extension *extensions;
	uint32_t context;
	bool has_context; /**< false only with a fault: the ContextID could not be read */
	bool bare;        /**< reply `Context=7` without braces (v3) */
};

enum h248_transaction_kind {
	H248_REQUEST = 0,
	H248_PENDING,
	H248_REPLY,
	H248_ACK,                 /**< TransactionResponseAck */
	H248_SEGMENT,             /**< SegmentReply (v3) */
	H248_TRANSACTION_UNKNOWN, /**< only with a fault */
};

/** One range of a TransactionResponseAck, as sent: `first` > `last` is possible and acks nothing.
 */
struct h248_ack {
	struct h248_ack *next;
	uint32_t first, last;
};

struct h248_transaction {
	struct h248_transaction *next;
	struct h248_action *actions, *last_action; /**< request and reply */
	struct h248_ack *acks;                     /**< ACK */
	struct h248_error *error;                  /**< reply: instead of actions; NULL: none */
	struct h248_fault *fault; /**< refuse this transaction; 403 with id 0 if unknown */
	struct h248_extension *extensions;
	struct base_str text; /**< the transaction's own octets of the input (for retransmission
	                           checks); empty when built */
	uint32_t id;
	uint16_t segment; /**< segment number of a reply or SegmentReply (v3) */
	uint8_t kind;     /**< enum h248_transaction_kind */
	bool has_segment;
	bool segment_end;  /**< END: the last segment */
	bool ack_required; /**< ImmAckRequired */
	bool faulty;       /**< it or anything in it has a fault */
};

/** AuthenticationHeader (10.2; trap 7.17). */
struct h248_auth {
	uint32_t spi, sequence;
	uint8_t data[32];
	uint8_t data_len; /**< 12 to 32 octets */
};

struct h248_message {
	struct h248_auth *auth; /**< NULL: none */
	struct h248_mid mid;
	struct h248_error *error; /**< message error instead of transactions; NULL: none */
	struct h248_transaction *transactions, *last;
	struct h248_fault *faults;     /**< everything found wrong (containing decode only) */
	struct h248_fault *last_fault; /**< tail of `faults` */
	uint8_t version;               /**< of the header; 1 to 3 unless faults say 406 */
};

/** Highest version of the protocol that the codec speaks. */
#define H248_VERSION_MAX 3

/* ---- comparing --------------------------------------------------------------------------- */

/**
 * Deep comparison by the rules of the protocol: names without case, quoted strings and SDP with.
 * Faults, extensions, and where the octets stood are not compared. Pure.
 */
bool h248_message_equal(const struct h248_message *a, const struct h248_message *b);
/** The same for one transaction; used to tell a retransmission from a reused TransactionID. */
bool h248_transaction_equal(const struct h248_transaction *a, const struct h248_transaction *b);
bool h248_command_equal(const struct h248_command *a, const struct h248_command *b);
bool h248_descriptor_equal(const struct h248_descriptor *a, const struct h248_descriptor *b);
/** Same peer: form and value, without case (trap 7.9). */
bool h248_mid_equal(const struct h248_mid *a, const struct h248_mid *b);
bool h248_name_equal(struct h248_name a, struct h248_name b);

#endif
