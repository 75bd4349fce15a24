/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One rule: what a document says about one thing, how strongly, and where it says so.
 */
#ifndef GH_PROFILE_RULE_H
#define GH_PROFILE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/** What a rule is about. */
enum profile_subject {
	PROFILE_SCOPE, /**< where the profile applies; compiles to nothing */
	PROFILE_VERSION,
	PROFILE_SUITE,
	PROFILE_GROUP,
	PROFILE_SIGNATURE,
	PROFILE_EXTENSION,
	PROFILE_COMPRESSION,
	PROFILE_RENEGOTIATION,
	PROFILE_RESUMPTION,
	PROFILE_LIFETIME,
	PROFILE_AUTHENTICATION,
	PROFILE_FAILURE,
	/* of certificates and CRLs (profile/certificate.h) */
	PROFILE_CERT_FORM,
	PROFILE_CERT_HASH,
	PROFILE_CERT_SIGNING,
	PROFILE_CERT_KEY,
	PROFILE_CERT_NAME,
	PROFILE_CERT_VALIDITY,
	PROFILE_CERT_KEY_USAGE,
	PROFILE_CERT_PURPOSE,
	PROFILE_CERT_ALTERNATIVE_NAME,
	PROFILE_CERT_BASIC,
	PROFILE_CERT_KEY_IDENTIFIER,
	PROFILE_CERT_DISTRIBUTION_POINT,
	PROFILE_CERT_NAME_CONSTRAINTS,
	PROFILE_CRL_FIELD,
	PROFILE_SUBJECTS
};

/** Is that about certificates and CRLs? A profile is about them, or about TLS, never both. */
static inline bool profile_subject_of_certificates(enum profile_subject subject)
{
	return subject >= PROFILE_CERT_FORM && subject < PROFILE_SUBJECTS;
}

/** What a certificate or CRL is for, a bit set. */
enum profile_role {
	PROFILE_ROLE_CLIENT = 1 << 0, /**< TLS entity as client (TS 33.310, 6.1.3a) */
	PROFILE_ROLE_SERVER = 1 << 1,
	PROFILE_ROLE_CLIENT_CA = 1 << 2, /**< TLS client CA (5.2.2.2) */
	PROFILE_ROLE_SERVER_CA = 1 << 3,
	PROFILE_ROLE_INTERCONNECTION = 1 << 4, /**< Interconnection CA */
	PROFILE_ROLE_CROSS = 1 << 5,           /**< cross-certificate (6.1.4) */
	PROFILE_ROLE_CRL = 1 << 6,             /**< no certificate: a CRL (6.1a) */
};
#define PROFILE_ROLES          7 /**< how many */
#define PROFILE_ROLES_ENTITIES (PROFILE_ROLE_CLIENT | PROFILE_ROLE_SERVER)
#define PROFILE_ROLES_CAS                                                                          \
	(PROFILE_ROLE_CLIENT_CA | PROFILE_ROLE_SERVER_CA | PROFILE_ROLE_INTERCONNECTION |          \
	 PROFILE_ROLE_CROSS)
#define PROFILE_ROLES_CERTS (PROFILE_ROLES_ENTITIES | PROFILE_ROLES_CAS)

enum profile_strength {
	PROFILE_MAY,
	PROFILE_SHOULD,
	PROFILE_SHALL,
	PROFILE_SHOULD_NOT,
	PROFILE_SHALL_NOT,
};

/** When a rule applies; a rule about nothing special applies always. */
enum profile_when {
	PROFILE_ALWAYS,
	PROFILE_WHEN_DTLS,
	PROFILE_WHEN_NULL_ENCRYPTION, /**< only where the domain permits suites without encryption
	                               */
};

/** Whether the rule's source was seen: the letter stands in the data beside each rule. */
enum profile_mark {
	PROFILE_SEEN = 'V',
	PROFILE_DERIVED = 'D',  /**< follows from what was seen */
	PROFILE_RECALLED = 'R', /**< from general knowledge, the text was not seen */
	PROFILE_PROJECT = 'P',  /**< no source: this project's position */
};

/** One rule about one item. A rule of the file that lists several items becomes several of these.
 */
struct profile_rule {
	const char *id;      /**< the rule's own, "E4"; several items share it */
	const char *profile; /**< the profile whose file holds it (a derived one inherits) */
	unsigned layer;      /**< 0 for the root of the `extends:` chain, then 1, 2 ... */
	enum profile_subject subject;
	const char *item;  /**< as written: "TLS1.2", "TLS_RSA_WITH_...", "class rc4" */
	const char *value; /**< for items that need one ("24h"); NULL otherwise */
	enum profile_strength strength;
	enum profile_when when;
	unsigned roles; /**< enum profile_role: whom it binds; 0 for rules of TLS */
	bool off;       /**< permitted, but off unless a derived profile asks for it */
	enum profile_mark mark;
	const char *document;  /**< "TS 33.310" */
	const char *clause;    /**< "Annex E" */
	const char *release;   /**< "Rel-17" */
	const char *source;    /**< which copy was seen; NULL when the file does not say */
	const char *text;      /**< in short, own words */
	unsigned line, column; /**< of the rule in its file */
};

const char *profile_subject_name(enum profile_subject subject);
/** As in the files: "shall", "should", "may", "should-not", "shall-not". */
const char *profile_strength_name(enum profile_strength strength);
const char *profile_when_name(enum profile_when when);
/** "server", "cross"; "?" for anything but exactly one role. */
const char *profile_role_name(enum profile_role role);
/** The role of that name, or 0. */
unsigned profile_role_find(struct base_str name);
/** shall not, should not */
static inline bool profile_strength_negative(enum profile_strength strength)
{
	return strength == PROFILE_SHOULD_NOT || strength == PROFILE_SHALL_NOT;
}

/** "class rc4" and its like; a class can only be spoken against. */
bool profile_item_is_class(const char *item);

/** Does the rule speak of this code point, by its name or by a class that holds it? */
bool profile_rule_covers(const struct profile_rule *rule, enum profile_subject subject,
                         uint16_t code);

/** The code point that a rule's item names (of a version its bit); false for classes and words. */
bool profile_item_code(enum profile_subject subject, const char *item, uint16_t *ret);

/** The name of a code point of that subject, or "?". */
const char *profile_code_name(enum profile_subject subject, uint16_t code);

#endif
