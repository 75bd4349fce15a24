/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Registration information (RFC 3680, 5): the document that a registrar sends in NOTIFY to who has
 * subscribed to the reg event package. Any octets are safe input: no document type, so no entities
 * but XML's own; length, depth and number are bounded. The only user of libexpat is reginfo.c.
 */
#ifndef GH_SIP_REGINFO_H
#define GH_SIP_REGINFO_H

#include "base/base.h"

#define SIP_REGINFO_MAX       65536U /**< octets of a document */
#define SIP_REGINFO_DEPTH     16U    /**< elements in each other */
#define SIP_REGINFO_CONTACTS  256U
#define SIP_REGINFO_RECORDS   64U
#define SIP_REGINFO_TEXT_MAX  1024U /**< octets of a URI or id */
#define SIP_REGINFO_TYPE      "application/reginfo+xml"
#define SIP_REGINFO_EXPIRES_S 3761U /**< of a subscription that does not say (4.4) */

enum sip_reg_state { SIP_REG_INIT, SIP_REG_ACTIVE, SIP_REG_TERMINATED };

/** Of a contact; the first four leave it active. */
enum sip_reg_event {
	SIP_REG_REGISTERED,
	SIP_REG_CREATED,
	SIP_REG_REFRESHED,
	SIP_REG_SHORTENED,
	SIP_REG_EXPIRED,
	SIP_REG_DEACTIVATED,
	SIP_REG_PROBATION,
	SIP_REG_UNREGISTERED,
	SIP_REG_REJECTED,
	SIP_REG_OTHER, /**< none of RFC 3680: `state` tells what counts */
};
const char *sip_reg_event_name(enum sip_reg_event event);

struct sip_reg_contact {
	struct base_str id, uri, callid;
	enum sip_reg_state state; /**< ACTIVE or TERMINATED */
	enum sip_reg_event event;
	bool has_expires, has_retry;
	uint32_t expires_s, retry_s;
};

/** An address-of-record. */
struct sip_reg_record {
	struct base_str aor, id;
	enum sip_reg_state state;
	const struct sip_reg_contact *contacts;
	size_t count;
};

struct sip_reginfo {
	uint32_t version;
	bool full; /**< else what has changed */
	const struct sip_reg_record *records;
	size_t count;
};

/**
 * @param arena  holds all that `ret` points to
 * @return 0; BASE_PEER, in words where `err` is given; BASE_LOCAL
 */
int sip_reginfo_read(struct sip_reginfo *ret, struct base_arena *arena, struct base_str body,
                     struct base_error *err);

/** What a document's version says (5.2). */
enum sip_reginfo_turn {
	SIP_REGINFO_NEXT,
	SIP_REGINFO_GAP, /**< to be used; but one was lost: ask for the full state */
	SIP_REGINFO_OLD, /**< not to be used */
};

/** Versions of one subscription; all zero before the first document. */
struct sip_reginfo_versions {
	bool begun;
	uint32_t last;
};
enum sip_reginfo_turn sip_reginfo_turn(struct sip_reginfo_versions *versions,
                                       const struct sip_reginfo *doc);

#endif
