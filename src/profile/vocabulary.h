/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the folder: what a rule's item may be, and how a rule bears on a code point. */
#ifndef GH_PROFILE_VOCABULARY_H
#define GH_PROFILE_VOCABULARY_H

#include "profile/registry.h"
#include "profile/rule.h"

#include "config/config.h"

/** What a rule's `value:` must be. */
enum profile_value {
	PROFILE_VALUE_NONE,
	PROFILE_VALUE_DURATION,
	PROFILE_VALUE_BITS,
	PROFILE_VALUE_HASH,
	PROFILE_VALUE_NUMBER,
	PROFILE_VALUE_WORDS /**< one or more, with commas and blanks between */
};

/**
 * The item as the tables spell it, or NULL when the subject has no such item; `guess` is then
 * offered what it has. Scope takes any word and hands it back.
 */
const char *profile_item_find(enum profile_subject subject, const char *item,
                              enum profile_value *ret_value, struct config_guess *guess);

int profile_hash_parse(struct base_str text, int *ret);
const char *profile_hash_name(int hash);

/** Offer every item that a subject of certificates has. */
void profile_cert_items_guess(enum profile_subject subject, struct config_guess *guess);
/** As profile_item_find(), of certificates. `ret_roles`: whom the item can speak of. */
const char *profile_cert_item_find(enum profile_subject subject, const char *item,
                                   enum profile_value *ret_value, unsigned *ret_roles);

extern const cyaml_strval_t profile_subject_words[], profile_strength_words[], profile_when_words[],
        profile_role_words[];
#define PROFILE_ROLE_WORDS 10

#endif
