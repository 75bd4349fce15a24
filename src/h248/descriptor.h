/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The descriptors of a command (RFC 3525, 7.1), one model for text and binary, versions 1 to 3.
 *
 * Everything lives in one arena; strings borrow from the decoded input where they can, else from
 * the arena. So a model is alive as long as both are. Lists are singly linked, in wire order, and
 * end in NULL. All zero means "not there"; what zero could also mean has a `has_` beside it.
 * Names, TerminationIDs and unquoted values keep the spelling of the peer but compare without case.
 */
#ifndef GH_H248_DESCRIPTOR_H
#define GH_H248_DESCRIPTOR_H

#include "base/base.h"

/** A flag that may also be absent. */
enum h248_tri { H248_ABSENT = 0, H248_OFF, H248_ON };

/**
 * Octets of an extension that a decoder of the binary form met and does not know (section 4.3:
 * keep unknown additions if the message is passed on). Never made by the text decoder.
 */
struct h248_extension {
	struct h248_extension *next;
	uint32_t tag;
	struct base_str data; /**< the complete TLV */
};

/** pkgdName: `package/item`. Either part may be `*`. */
struct h248_name {
	struct base_str package; /**< empty for names of event and signal parameters */
	struct base_str item;
};

/** How a parameter relates to its values (parmValue, trap 7.12). */
enum h248_form {
	H248_FORM_NONE = 0, /**< no value: a bare name (individual audit, statistics) */
	H248_FORM_EQUAL,    /**< `=value` */
	H248_FORM_GREATER,  /**< `>value` */
	H248_FORM_LESS,     /**< `<value` */
	H248_FORM_UNEQUAL,  /**< `#value` */
	H248_FORM_AND,      /**< `=[a,b]`: all of them (sublist) */
	H248_FORM_OR,       /**< `={a,b}`: one of them (alternatives) */
	H248_FORM_RANGE,    /**< `=[a:b]`: two values, borders included */
};

/** VALUE. Quotes are part of its type (trap 7.5), so they are kept as a flag. */
struct h248_value {
	struct base_str text; /**< without the quotes; `$` unquoted is CHOOSE */
	struct h248_value *next;
	bool quoted;
};

/** propertyParm, an event's or signal's other parameter, a statistic, an extension of Services. */
struct h248_parm {
	struct h248_parm *next;
	struct h248_name name;
	struct h248_value value; /**< the first one; more hang on `value.next` */
	uint8_t form;            /**< enum h248_form */
};

/** What a TerminationID is (trap 7.10). */
enum h248_term_kind {
	H248_TERM_NAME = 0,
	H248_TERM_ROOT,
	H248_TERM_ALL,     /**< `*` alone */
	H248_TERM_CHOOSE,  /**< `$` alone */
	H248_TERM_PARTIAL, /**< a name with `*` or `$` in it */
};

struct h248_term {
	struct h248_term *next;
	struct base_str name; /**< as spelled by the peer, also for ROOT, `*`, `$` */
	uint8_t kind;         /**< enum h248_term_kind */
};

/** TimeStamp: `yyyymmdd` and `hhmmssss` (the last two are 1/100 s). First octet 0 = absent. */
struct h248_time {
	char digits[16];
};

/** The form of an mId (trap 7.9), or of a ServiceChangeAddress, which may be a bare port. */
enum h248_mid_kind {
	H248_MID_NONE = 0,
	H248_MID_DOMAIN, /**< `<name>` with an optional port */
	H248_MID_IP4,    /**< `[a.b.c.d]` with an optional port */
	H248_MID_IP6,    /**< `[a:b::c]` with an optional port */
	H248_MID_DEVICE, /**< pathNAME */
	H248_MID_MTP,    /**< `MTP{hex}`: 2 to 4 octets */
	H248_MID_PORT,   /**< ServiceChangeAddress only */
};

struct h248_mid {
	struct base_str name; /**< domain or device name */
	uint8_t address[16];  /**< 4, 16, or `address_len` octets for MTP */
	uint16_t port;
	uint8_t kind; /**< enum h248_mid_kind */
	uint8_t address_len;
	bool has_port;
};

/* ---- descriptors ------------------------------------------------------------------------- */

enum h248_descriptor_kind {
	H248_MUX = 0,
	H248_MODEM,
	H248_MEDIA,
	H248_EVENTS,
	H248_SIGNALS,
	H248_DIGIT_MAP,
	H248_STATISTICS,
	H248_OBSERVED_EVENTS,
	H248_PACKAGES,
	H248_EVENT_BUFFER, /* up to here: the numbers are the bits of auditToken (Annex A) */
	H248_AUDIT,
	H248_ERROR,
	H248_SERVICES,
	H248_ITEM, /**< a bare token in an audit reply: the descriptor `item` is empty */
};

/** Common head, always the first member, so that `(struct h248_media *)d` is right for its kind. */
struct h248_descriptor {
	struct h248_descriptor *next;
	uint8_t kind; /**< enum h248_descriptor_kind */
	uint8_t item; /**< H248_ITEM: enum h248_descriptor_kind of what is empty */
};

/** StreamMode of Annex A, plus one. */
enum h248_mode {
	H248_MODE_ABSENT = 0,
	H248_SEND_ONLY,
	H248_RECEIVE_ONLY,
	H248_SEND_RECEIVE,
	H248_INACTIVE,
	H248_LOOPBACK,
};

/** ServiceState of Annex A, plus one. */
enum h248_service_state {
	H248_STATE_ABSENT = 0,
	H248_STATE_TEST,
	H248_STATE_OUT_OF_SERVICE,
	H248_STATE_IN_SERVICE,
};

/** EventBufferControl of Annex A, plus one. */
enum h248_buffer { H248_BUFFER_ABSENT = 0, H248_BUFFER_OFF, H248_BUFFER_LOCK_STEP };

/** Items named without a value in an individual audit (`asked` below). */
enum h248_asked {
	H248_ASK_MODE = 1,
	H248_ASK_RESERVED_VALUE = 2,
	H248_ASK_RESERVED_GROUP = 4,
	H248_ASK_SERVICE_STATES = 8,
	H248_ASK_BUFFER = 16,
};

/**
 * LocalControl (RFC 3525, 7.1.7). In an individual audit a parm of form NONE is audited and one
 * with a value selects; `mode` with `mode_form` selects too (v3).
 */
struct h248_local_control {
	struct h248_parm *parms;
	uint8_t mode;           /**< enum h248_mode */
	uint8_t mode_form;      /**< enum h248_form; EQUAL outside selections */
	uint8_t reserved_value; /**< enum h248_tri */
	uint8_t reserved_group; /**< enum h248_tri */
	uint8_t asked;          /**< enum h248_asked bits; individual audit only */
};

/** TerminationState (RFC 3525, 7.1.5). */
struct h248_term_state {
	struct h248_parm *parms;
	uint8_t service_state; /**< enum h248_service_state */
	uint8_t state_form;    /**< enum h248_form; EQUAL outside selections */
	uint8_t buffer;        /**< enum h248_buffer */
	uint8_t asked;         /**< enum h248_asked bits; individual audit only */
};

/** Statistics (7.1.15), of a termination or (v3) of a stream. Empty list: collect nothing. */
struct h248_statistics {
	struct h248_descriptor d;
	struct h248_parm *parms; /**< form NONE (name only), EQUAL or AND (list, trap 7.11) */
};

/** Stream parameters. `local` and `remote` are SDP without escapes and without outer LWSP. */
struct h248_stream {
	struct h248_stream *next;
	struct h248_local_control *control; /**< NULL: none */
	struct h248_statistics *statistics; /**< NULL: none (v3) */
	struct base_str local, remote;
	struct h248_extension *extensions;
	uint16_t id;     /**< StreamID; 1 when implied */
	bool implied;    /**< the parameters stood directly in Media */
	bool has_local;  /**< `Local{}` is legal: there and empty, means release (trap 7.4) */
	bool has_remote; /**< likewise */
};

/** Media (7.1.4). */
struct h248_media {
	struct h248_descriptor d;
	struct h248_term_state *state; /**< NULL: none */
	struct h248_stream *streams;   /**< one implied, or each with its StreamID */
};

/** ModemType of Annex A: bits of `types`. */
enum h248_modem_type {
	H248_MODEM_V18 = 1 << 0,
	H248_MODEM_V22 = 1 << 1,
	H248_MODEM_V22B = 1 << 2,
	H248_MODEM_V32 = 1 << 3,
	H248_MODEM_V32B = 1 << 4,
	H248_MODEM_V34 = 1 << 5,
	H248_MODEM_V90 = 1 << 6,
	H248_MODEM_V91 = 1 << 7,
	H248_MODEM_SYNCH_ISDN = 1 << 8,
};

/** Modem (7.1.2), deprecated from version 2: carried, never acted on. */
struct h248_modem {
	struct h248_descriptor d;
	struct h248_parm *parms;
	struct h248_value *extensions; /**< types `X-..` */
	uint16_t types;                /**< enum h248_modem_type */
	bool list;                     /**< bracket form `Modem[..]` */
};

/** MuxType of Annex A, plus one. */
enum h248_mux_type {
	H248_MUX_EXTENSION = 0,
	H248_MUX_H221,
	H248_MUX_H223,
	H248_MUX_H226,
	H248_MUX_V76,
	H248_MUX_NX64K,
};

/** Mux (7.1.3). */
struct h248_mux {
	struct h248_descriptor d;
	struct h248_term *terms;
	struct base_str extension; /**< the name `X-..` when `type` is EXTENSION */
	uint8_t type;              /**< enum h248_mux_type */
};

/** Digit map (7.1.14): named, valued, or both. */
struct h248_digit_map {
	struct h248_descriptor d;
	struct base_str name; /**< empty: none */
	struct base_str body; /**< validated text without blanks; empty: no value */
	uint8_t t, s, l, z;   /**< timers: s, s, s, 100 ms */
	bool has_t, has_s, has_l, has_z;
};

struct h248_events;
struct h248_signals;

/** Embed (7.1.9): at least one of the two. */
struct h248_embed {
	struct h248_signals *signals; /**< NULL: none */
	struct h248_events *events;   /**< NULL: none */
};

enum h248_notify {
	H248_NOTIFY_ABSENT = 0,
	H248_NOTIFY_IMMEDIATE,
	H248_NOTIFY_REGULATED,
	H248_NOTIFY_NEVER
};

/** A requested event, an event specification of the event buffer, an event named in an audit. */
struct h248_event {
	struct h248_event *next;
	struct h248_name name;
	struct h248_parm *parms;          /**< eventOther; form NONE in an individual audit */
	struct h248_digit_map *digit_map; /**< NULL: none */
	struct h248_embed *embed;         /**< NULL: none */
	struct h248_embed *regulated;     /**< Embed inside RegulatedNotify (v3); NULL: none */
	struct h248_extension *extensions;
	uint16_t stream;
	uint8_t notify; /**< enum h248_notify (v3) */
	bool has_stream;
	bool keep_active;
	bool reset_events; /**< ResetEventsDescriptor (v3) */
};

/** RequestID `*` (Annex A: FFFFFFFF). */
#define H248_REQUEST_ALL 0xFFFFFFFFU

/** Events (7.1.9). Without events and RequestID: the empty descriptor, which clears. */
struct h248_events {
	struct h248_descriptor d;
	struct h248_event *events;
	uint32_t request_id;
	bool has_request_id;
};

/** EventBuffer (7.1.10). */
struct h248_event_buffer {
	struct h248_descriptor d;
	struct h248_event *events; /**< name, stream, parms */
};

/** One entry of ObservedEvents. */
struct h248_observed_event {
	struct h248_observed_event *next;
	struct h248_name name;
	struct h248_parm *parms;
	struct h248_time time;
	uint16_t stream;
	bool has_stream;
};

/** ObservedEvents (7.1.17). */
struct h248_observed_events {
	struct h248_descriptor d;
	struct h248_observed_event *events;
	uint32_t request_id;
};

/** SignalType of Annex A, plus one. */
enum h248_signal_type { H248_SIGNAL_ABSENT = 0, H248_BRIEF, H248_ON_OFF, H248_TIME_OUT };

/** SignalDirection of Annex A (v3), plus one. */
enum h248_direction { H248_DIRECTION_ABSENT = 0, H248_INTERNAL, H248_EXTERNAL, H248_BOTH };

/** Bits of NotifyCompletion (Annex A). */
enum h248_completion {
	H248_ON_TIME_OUT = 1,
	H248_ON_EVENT = 2,
	H248_ON_SIGNALS = 4,
	H248_ON_OTHER = 8,
	H248_ON_ITERATION = 16, /**< v3 */
};

/** A signal, or a SignalList of signals (`is_list`; then only `list_id` and `list` count). */
struct h248_signal {
	struct h248_signal *next;
	struct h248_name name;
	struct h248_parm *parms;
	struct h248_signal *list;
	struct h248_extension *extensions;
	uint32_t request_id; /**< SPARequestID (v3); H248_REQUEST_ALL for `*` */
	uint16_t list_id;
	uint16_t stream;
	uint16_t duration;    /**< 10 ms */
	uint16_t intersignal; /**< unit not stated by the Recommendation (v3) */
	uint8_t type;         /**< enum h248_signal_type */
	uint8_t direction;    /**< enum h248_direction (v3) */
	uint8_t completion;   /**< enum h248_completion bits */
	bool is_list, has_stream, has_duration, has_completion, keep_active, has_request_id,
	        has_intersignal;
};

/** Signals (7.1.11). No signals: the empty descriptor, which stops all. */
struct h248_signals {
	struct h248_descriptor d;
	struct h248_signal *signals;
};

struct h248_packages_item {
	struct h248_packages_item *next;
	struct base_str name;
	uint16_t version;
};

/** Packages (7.1.16). */
struct h248_packages {
	struct h248_descriptor d;
	struct h248_packages_item *items;
};

/** Bit of a descriptor kind in h248_audit.items, as in auditToken of Annex A. */
#define H248_AUDIT_BIT(kind) (1U << (kind))

/** Audit (7.1.12): bare tokens as bits, and (v2, v3) individual items as cut-down descriptors. */
struct h248_audit {
	struct h248_descriptor d;
	struct h248_descriptor *individual; /**< Media, Events, Signals, DigitMap, EventBuffer,
	                                         Statistics, Packages; may repeat */
	struct h248_descriptor *last;       /**< tail of `individual`, NULL when empty */
	uint16_t items;                     /**< H248_AUDIT_BIT of kinds MEDIA .. EVENT_BUFFER */
};

/** Error (7.1.19; codes in h248/errors.h). */
struct h248_error {
	struct h248_descriptor d;
	struct base_str text; /**< without the quotes */
	uint16_t code;
	bool has_text;
};

/** ServiceChangeMethod of Annex A, plus one. */
enum h248_method {
	H248_METHOD_ABSENT = 0,
	H248_FAILOVER,
	H248_FORCED,
	H248_GRACEFUL,
	H248_RESTART,
	H248_DISCONNECTED,
	H248_HAND_OFF,
	H248_METHOD_EXTENSION, /**< name in `method_extension` */
};

/** Services: the ServiceChange descriptor (7.1.13), of a request or of a reply. */
struct h248_services {
	struct h248_descriptor d;
	struct h248_mid *address; /**< ServiceChangeAddress; NULL: none */
	struct h248_mid *mgc_id;  /**< MgcIdToTry; NULL: none */
	struct base_str method_extension;
	struct base_str reason;  /**< all of the string: code, blank, words */
	struct base_str profile; /**< name only */
	struct h248_time time;
	struct h248_parm *parms; /**< extensions `X-..` */
	struct h248_audit *info; /**< audit items in Services (v2); NULL: none */
	struct h248_extension *extensions;
	uint32_t delay;       /**< seconds */
	uint16_t reason_code; /**< 0 when the reason does not start with a number */
	uint8_t method;       /**< enum h248_method */
	uint8_t version;
	uint8_t profile_version;
	bool has_reason, has_delay, has_version, has_profile;
	bool incomplete; /**< ServiceChangeInc (v3) */
};

#endif
