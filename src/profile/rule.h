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
	PROFILE_SUBJECTS
};

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
	bool off; /**< permitted, but off unless a derived profile asks for it */
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
/** shall not, should not */
static inline bool profile_strength_negative(enum profile_strength strength)
{
	return strength == PROFILE_SHOULD_NOT || strength == PROFILE_SHALL_NOT;
}

#endif
