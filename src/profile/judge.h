/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the folder: what a profile's rules, together, say about one thing. */
#ifndef GH_PROFILE_JUDGE_H
#define GH_PROFILE_JUDGE_H

#include "profile/store.h"

enum profile_state { PROFILE_SILENT, PROFILE_FORBIDDEN, PROFILE_OFF, PROFILE_ON };

struct profile_verdict {
	enum profile_state state;
	const struct profile_rule *rule; /**< who decided; NULL when silent */
};

/** Whose rules, under which choice of the domain, and where to complain. */
struct profile_judging {
	const struct profile *profile;
	bool null_encryption;
	struct base_error *err;
};

/**
 * The verdict on a code point of a subject; `dtls` lets the rules for DTLS speak too.
 * @return 0, or BASE_CONFIG when rules of one layer contradict each other
 */
int profile_judge_code(struct profile_judging *c, enum profile_subject subject, uint16_t code,
                       bool dtls, struct profile_verdict *ret);

/** The same on a word, such as renegotiation's "client-initiated". */
int profile_judge_word(struct profile_judging *c, enum profile_subject subject, const char *item,
                       struct profile_verdict *ret);

/** Name the rule that cannot stand, with its place if it is in the profile's own file. */
int profile_refuse_rule(struct profile_judging *c, const struct profile_rule *rule,
                        const char *why);

#endif
