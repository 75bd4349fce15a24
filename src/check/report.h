/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a check comes to: verdicts with rule, words and evidence. */
#ifndef GH_CHECK_REPORT_H
#define GH_CHECK_REPORT_H

#include "base/base.h"
#include "profile/profile.h"

struct check_probe;

enum check_state {
	CHECK_PASS,
	CHECK_FAIL,         /**< a shall or shall-not that is not kept */
	CHECK_WARN,         /**< a should or should-not */
	CHECK_NOTED,        /**< a may: told, not judged */
	CHECK_NOT_TESTABLE, /**< nothing that can be sent from outside would show it; says why */
	CHECK_UNTESTED,     /**< could not be tested this time: a probe stalled */
	CHECK_OVERRULED,    /**< a later layer of the profile decides instead */
	CHECK_STATES
};

struct check_verdict {
	const struct profile_rule *rule; /**< NULL: of no rule (precedence, notes) */
	const char *topic;               /**< where there is no rule: "precedence" */
	enum check_state state;
	const char *text;        /**< what was found */
	const char *sent, *seen; /**< hex, shortened; "" = nothing was */
};

/** Verdicts in the order of the profile's rules. All zero is an empty one. */
struct check_report {
	struct base_arena arena; /**< owns the texts */
	const struct profile *profile;
	struct check_verdict *verdict;
	size_t count, room;
	unsigned tally[CHECK_STATES];
	bool failed; /**< memory was short */
};

/** Add a verdict; `probe` is the evidence, NULL = none. */
void check_report_add(struct check_report *report, const struct profile_rule *rule,
                      enum check_state state, const struct check_probe *probe, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
/** The same of no rule. */
void check_report_note(struct check_report *report, const char *topic, enum check_state state,
                       const struct check_probe *probe, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
void check_report_done(struct check_report *report);

/** "pass", "FAIL", "warn", "note", "not testable", "not tested", "overruled". */
const char *check_state_name(enum check_state state);

#endif
