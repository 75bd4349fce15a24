/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * H.248 packages as tables (RFC 3525, 12 and Annex E; H.248.89, .90, .92 for TCP and TLS): which
 * names and numbers exist, what values they take, where they may stand. Constant data and pure
 * functions; any thread. Nothing here knows terminations or messages: the caller brings a name and
 * its values, and gets back a row and a number, or the H.248 error code to answer with.
 *
 * Every row has a mark that tells how sure it is, and a source. Rows of Recommendations whose text
 * is not public live in package_unpublished*.c alone, so that the true identifiers can be dropped
 * in.
 */
#ifndef GH_H248_PACKAGE_H
#define GH_H248_PACKAGE_H

#include "base/base.h"
#include "h248/descriptor.h"

/** How sure a row is. The values are the letters used in the documents. */
enum h248_mark {
	H248_MARK_SEEN = 'V',     /**< verbatim in a source that was read */
	H248_MARK_DERIVED = 'D',  /**< follows from seen facts */
	H248_MARK_RECALLED = 'R', /**< general knowledge, not found; a hint, never a claim */
	H248_MARK_OURS = 'P',     /**< not found: this project defines it */
};

enum h248_package_kind {
	H248_PROPERTY = 1,
	H248_EVENT,
	H248_SIGNAL,
	H248_STATISTIC,
};

/** Types of 12.1.2 and their text form (Annex B.2, comment at parmValue). */
enum h248_package_type {
	H248_TYPE_NONE = 0,  /**< events and signals have no value of their own */
	H248_TYPE_BOOLEAN,   /**< on, off */
	H248_TYPE_STRING,    /**< quoted */
	H248_TYPE_OCTETS,    /**< hexadecimal (B.3), quoted or not */
	H248_TYPE_INTEGER,   /**< signed, 4 octets */
	H248_TYPE_DOUBLE,    /**< signed, 8 octets */
	H248_TYPE_CHARACTER, /**< one UTF-8 letter, quoted */
	H248_TYPE_ENUM,      /**< one of the names in `values` */
};

/** Where a property may stand (12.1.2 "Defined in"); bits. */
enum h248_package_where {
	H248_IN_TERMINATION_STATE = 1,
	H248_IN_LOCAL_CONTROL = 2,
	H248_IN_CONTEXT_ATTR = 4,
	H248_IN_LOCAL_REMOTE = 8, /**< Local and Remote, binary encoding */
};

/** What a controller may do with a property; bits. Write without read is never audited. */
enum h248_package_access { H248_READ = 1, H248_WRITE = 2 };

/** SignalType (12.1.4), numbered as in Annex A. */
enum h248_package_signal_type { H248_SIGNAL_BRIEF = 0, H248_SIGNAL_ON_OFF, H248_SIGNAL_TIME_OUT };

/** One value of an enumeration. */
struct h248_package_enum {
	const char *name; /**< text form; compare without case */
	uint32_t number;  /**< binary form */
};

/** What values a property, parameter or statistic takes. */
struct h248_package_values {
	uint8_t type; /**< enum h248_package_type */
	bool sublist; /**< also a list of several at once, `[a,b]` */
	bool bounded; /**< `min` and `max` hold */
	int64_t min;  /**< of the number; of the length in octets for strings and octets */
	int64_t max;  /**< inclusive */
	const struct h248_package_enum *names; /**< ENUM only */
	size_t name_count;
	const char
	        *initial; /**< default in text form without quotes; NULL = none, or provisioned */
};

/** A parameter of an event or a signal (12.2). */
struct h248_package_param {
	const char *name;
	uint16_t id;
	uint8_t mark;  /**< enum h248_mark */
	bool required; /**< leaving it out is error 457 */
	struct h248_package_values values;
	const char *about; /**< one sentence, with the unit */
};

/** A property, event, signal or statistic. */
struct h248_package_item {
	const char *name;
	uint16_t id;
	uint8_t kind;        /**< enum h248_package_kind */
	uint8_t mark;        /**< enum h248_mark */
	uint8_t where;       /**< properties: enum h248_package_where bits */
	uint8_t access;      /**< properties: enum h248_package_access bits */
	uint8_t signal_type; /**< signals: enum h248_package_signal_type, the default */
	struct h248_package_values values;       /**< properties and statistics */
	const struct h248_package_param *params; /**< signals; events: in the Events descriptor */
	size_t param_count;
	const struct h248_package_param *observed; /**< events: in ObservedEvents */
	size_t observed_count;
	const char *source; /**< document and clause */
	const char *about;  /**< one sentence, with the unit */
};

struct h248_package {
	const char *name;
	uint16_t id;
	uint8_t version;
	uint8_t mark; /**< of name, id and version */
	const char
	        *extends; /**< name of the package it extends, or NULL; its items count as ours */
	const char *title;
	const char *source;
	const struct h248_package_item *items;
	size_t item_count;
};

/* ---- finding ----------------------------------------------------------------------------- */

/** All packages in the order of their numbers: `index` from 0; NULL past the end. */
const struct h248_package *h248_package_at(size_t index);
/** By text id, without case; NULL when unknown. */
const struct h248_package *h248_package_find(struct base_str name);
/** By binary id; NULL when unknown. */
const struct h248_package *h248_package_by_id(uint16_t id);

/** An item by name, without case, also of the package it extends; NULL when unknown. */
const struct h248_package_item *h248_package_item_find(const struct h248_package *package,
                                                       enum h248_package_kind kind,
                                                       struct base_str name);
/** The same by binary id. */
const struct h248_package_item *h248_package_item_by_id(const struct h248_package *package,
                                                        enum h248_package_kind kind, uint16_t id);

/**
 * `package/item` as it came, neither of them `*`.
 * @return 0 with both set (each may be NULL if not wanted); BASE_PEER 440 for an unknown package,
 *         450, 451, 452, 453 for an unknown property, event, signal, statistic. An individual audit
 *         answers 532 instead (spec table 6.4), which is the caller's business.
 */
int h248_package_lookup(enum h248_package_kind kind, struct h248_name name,
                        const struct h248_package **ret_package,
                        const struct h248_package_item **ret_item, struct base_error *err);

/** A walk over all items that a name with wildcards means. Set up by h248_package_walk_start. */
struct h248_package_walk {
	struct h248_name name;
	enum h248_package_kind kind;
	size_t package, item;
	const struct h248_package *of; /**< package of the item returned last */
};
/** `*` for package, item or both; NULL-terminated by h248_package_walk_next. */
void h248_package_walk_start(struct h248_package_walk *walk, enum h248_package_kind kind,
                             struct h248_name name);
const struct h248_package_item *h248_package_walk_next(struct h248_package_walk *walk);

/** Which list of an event's parameters. */
enum h248_package_list { H248_PARAMS = 0, H248_OBSERVED };
/** A parameter by name, without case; NULL when unknown (answer 446). */
const struct h248_package_param *h248_package_param_find(const struct h248_package_item *item,
                                                         enum h248_package_list list,
                                                         struct base_str name);
/** The same by binary id. */
const struct h248_package_param *h248_package_param_by_id(const struct h248_package_item *item,
                                                          enum h248_package_list list, uint16_t id);

/* ---- values ------------------------------------------------------------------------------ */

/** One value, understood. */
struct h248_package_value {
	bool choose;          /**< `$`: the gateway picks; nothing else is set */
	int64_t number;       /**< BOOLEAN 0 or 1, INTEGER, DOUBLE, the ENUM's number */
	struct base_str text; /**< borrowed: STRING, CHARACTER, and OCTETS still as hexadecimal */
};

/**
 * Read one value against its row.
 * @param code  what to answer when it does not fit: H248_E_VALUE (449) for a property,
 *              H248_E_NO_VALUE (454) for a parameter of an event or signal
 * @return 0, or BASE_PEER with `code`. The text of `err` never repeats a write-only value; callers
 *         that check one pass NULL or use h248_package_property_check.
 */
int h248_package_value_parse(const struct h248_package_values *values,
                             const struct h248_value *value, unsigned code,
                             struct h248_package_value *ret, struct base_error *err);

/**
 * Check all values of one parmValue (EQUAL, a sublist, alternatives, a range, `>`, `<`, `#`).
 * @return 0, or BASE_PEER with `code`
 */
int h248_package_value_check(const struct h248_package_values *values, enum h248_form form,
                             const struct h248_value *first, unsigned code, struct base_error *err);

/**
 * A controller sets a property.
 * @param where  the descriptor it stands in, one bit of enum h248_package_where
 * @return 0; BASE_PEER 455 when it is illegal there, 534 when it is read-only, 449 for its value
 */
int h248_package_property_check(const struct h248_package_item *item, enum h248_package_where where,
                                enum h248_form form, const struct h248_value *first,
                                struct base_error *err);

/**
 * The parameters of an event (in Events) or signal that a controller gives. Parameters that are
 * not the package's own (StreamID, Duration ...) are no business of this function.
 * @return 0; BASE_PEER 446 for an unknown one, 456 for a repeated one, 457 for a missing one, 454
 *         for a value
 */
int h248_package_params_check(const struct h248_package_item *item, const struct h248_parm *parms,
                              struct base_error *err);

/** Octets of an OCTETS value. @return 0, or BASE_PEER on bad hexadecimal or more than `cap`. */
int h248_package_octets(struct base_str hex, uint8_t *out, size_t cap, size_t *ret_len);

/** Text of an enumeration's number; NULL when there is none. */
const char *h248_package_enum_name(const struct h248_package_values *values, int64_t number);
/** Is this type written in quotes? (Annex B.2, comment at parmValue.) */
bool h248_package_type_quoted(enum h248_package_type type);

/** Words for people and documents: "property", "integer", "LocalControl" ... */
const char *h248_package_kind_name(enum h248_package_kind kind);
const char *h248_package_type_name(enum h248_package_type type);

/* ---- names that the gateway's own code uses ------------------------------------------------ */

/**
 * Our private package. Its text id has more than the 8 characters that RFC 3525, 13.1 asks of ids
 * that no standards body registered; its number lies in the private range and far from those that
 * vendors took one after the other from its start (0x8000 to 0x801c).
 */
#define H248_PACKAGE_PRIVATE    "gatehouse"
#define H248_PACKAGE_PRIVATE_ID 0x9A7E
/** Likewise: streams in which the gateway knows the application. */
#define H248_PACKAGE_MSRP    "gatehouse_msrp"
#define H248_PACKAGE_MSRP_ID 0x9A7F
#define H248_PACKAGE_BFCP    "gatehouse_bfcp"
#define H248_PACKAGE_BFCP_ID 0x9A80

/** tcpbcc/BNCChange and tlsbsc/BNCChange, parameter Type. */
enum h248_bnc_type {
	H248_BNC_ESTABLISHED = 1,
	H248_BNC_MODIFIED = 2,      /**< tlsbsc: renegotiated */
	H248_BNC_MODIFY_FAILED = 4, /**< tlsbsc */
	H248_BNC_RELEASED = 5,
	H248_BNC_ESTABLISH_FAILED = 6,
};
/** Parameter Side of both events. */
enum h248_bnc_side { H248_SIDE_NONE = 0, H248_SIDE_LOCAL, H248_SIDE_REMOTE };
/** gatehouse/role. */
enum h248_tls_role { H248_ROLE_AUTO = 0, H248_ROLE_CLIENT, H248_ROLE_SERVER };
/** gatehouse/reneg. */
enum h248_tls_reneg {
	H248_RENEG_DOMAIN = 0,
	H248_RENEG_REFUSE,
	H248_RENEG_ACCEPT,
	H248_RENEG_INITIATE,
	H248_RENEG_BOTH,
};
/** seplink/link. */
enum h248_seplink { H248_LINK_OFF = 0, H248_LINK_TCP, H248_LINK_TCP_TLS };
/** gatehouse_msrp/mode, gatehouse_bfcp/mode. */
enum h248_msrp_mode { H248_MSRP_AGNOSTIC = 0, H248_MSRP_B2B, H248_MSRP_ROOM };
enum h248_bfcp_mode { H248_BFCP_AGNOSTIC = 0, H248_BFCP_SERVER };

#endif
