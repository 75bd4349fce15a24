/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A survey held against a profile: one verdict for each rule, none left out. Pure.
 */
#ifndef GH_CHECK_JUDGE_H
#define GH_CHECK_JUDGE_H

#include "check/report.h"
#include "check/session.h"
#include "check/survey.h"

/** What the rules ask beyond what can be seen. */
struct check_terms {
	bool dtls;            /**< rules of DTLS hold */
	bool null_encryption; /**< suites without encryption are in use here */
};

/** What was found of the thing a rule speaks of. */
enum check_has {
	CHECK_HAS,
	CHECK_HAS_NOT,
	CHECK_UNSEEN, /**< the probe stalled or could not be sent */
	CHECK_NO_WAY, /**< no probe could show it */
};

struct check_found {
	enum check_has has;
	const struct check_probe *probe;
	char text[600];
};

/** As printf into `found->text`. @return `found`'s `has` is set to `has` */
void check_found_set(struct check_found *found, enum check_has has, const struct check_probe *probe,
                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * Judge every rule of a profile of TLS. `sessions` may be NULL: no session was established.
 * @return 0, or BASE_LOCAL
 */
int check_judge(struct check_report *report, const struct check_survey *survey,
                const struct check_sessions *sessions, const struct profile *profile,
                const struct check_terms *terms);
/** The same with a profile of certificates. */
int check_certificate_judge(struct check_report *report, const struct check_survey *survey,
                            const struct check_sessions *sessions, const struct profile *profile,
                            struct base_error *err);

/** What is found of the thing a rule speaks of. */
typedef void check_look_fn(const void *arg, const struct profile *profile,
                           const struct profile_rule *rule, const struct check_terms *terms,
                           struct check_found *found);
/** Every rule: overruled, not for here, or by what `fn` finds. */
void check_judge_rules(struct check_report *report, const struct profile *profile,
                       const struct check_terms *terms, check_look_fn *fn, const void *arg);

/** The rule's strength and what was found give the verdict. */
enum check_state check_settle(const struct profile_rule *rule, enum check_has has);
/** Does a rule of a later layer decide all that this one speaks of? Then it, else NULL. */
const struct profile_rule *check_overruled(const struct profile *profile,
                                           const struct profile_rule *rule,
                                           const struct check_terms *terms);
/** Does a later layer speak of that code, so that `rule` does not? */
bool check_code_overruled(const struct profile *profile, const struct profile_rule *rule,
                          uint16_t code, const struct check_terms *terms);

/* judge_codes.c: versions, suites, groups, signatures, extensions */
void check_judge_version(const struct check_survey *s, const struct profile_rule *rule,
                         struct check_found *found);
void check_judge_suite(const struct check_survey *s, const struct profile *profile,
                       const struct profile_rule *rule, const struct check_terms *terms,
                       struct check_found *found);
void check_judge_group(const struct check_survey *s, const struct profile_rule *rule,
                       struct check_found *found);
void check_judge_signature(const struct check_survey *s, const struct profile *profile,
                           const struct profile_rule *rule, const struct check_terms *terms,
                           struct check_found *found);
void check_judge_extension(const struct check_survey *s, const struct check_sessions *sessions,
                           const struct profile_rule *rule, struct check_found *found);
/* judge_ways.c: compression, renegotiation, resumption, lifetime, authentication, failure, scope */
void check_judge_ways(const struct check_survey *s, const struct check_sessions *sessions,
                      const struct profile_rule *rule, struct check_found *found);
/** Precedence, which is no rule of its own. */
void check_judge_precedence(struct check_report *report, const struct check_survey *s,
                            const struct profile *profile, const struct check_terms *terms);
/** What is worth telling and no rule speaks of. */
void check_judge_notes(struct check_report *report, const struct check_survey *s);
/** The same of external pre-shared keys of TLS 1.3. */
void check_judge_psk13(struct check_report *report, const struct check_sessions *sessions);

#endif
