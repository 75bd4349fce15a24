/* SPDX-License-Identifier: Apache-2.0 */
#include "check/judge.h"

#include <errno.h>
#include <stdio.h>

#include "check/words.h"

void check_found_set(struct check_found *found, enum check_has has, const struct check_probe *probe,
                     const char *fmt, ...)
{
	va_list args;

	found->has = has;
	found->probe = probe;
	va_start(args, fmt);
	(void)vsnprintf(found->text, sizeof(found->text), fmt, args); /* cut short where it must */
	va_end(args);
}

enum check_state check_settle(const struct profile_rule *rule, enum check_has has)
{
	bool kept =
	        profile_strength_negative(rule->strength) ? has == CHECK_HAS_NOT : has == CHECK_HAS;

	if (has == CHECK_UNSEEN)
		return CHECK_UNTESTED;
	if (has == CHECK_NO_WAY)
		return CHECK_NOT_TESTABLE;
	if (rule->strength == PROFILE_MAY)
		return CHECK_NOTED;
	if (kept)
		return CHECK_PASS;
	return rule->strength == PROFILE_SHALL || rule->strength == PROFILE_SHALL_NOT ? CHECK_FAIL
	                                                                              : CHECK_WARN;
}

/* -- which rules speak ------------------------------------------------------------------------- */

static bool applies(const struct profile_rule *rule, const struct check_terms *terms)
{
	return rule->when == PROFILE_ALWAYS || (rule->when == PROFILE_WHEN_DTLS && terms->dtls) ||
	       (rule->when == PROFILE_WHEN_NULL_ENCRYPTION && terms->null_encryption);
}

static const struct profile_rule *code_rule(const struct profile *profile,
                                            const struct profile_rule *rule, uint16_t code,
                                            const struct check_terms *terms)
{
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *other = &profile->rule[i];

		if (other->layer > rule->layer && applies(other, terms) &&
		    profile_rule_covers(other, rule->subject, code))
			return other;
	}
	return NULL;
}

bool check_code_overruled(const struct profile *profile, const struct profile_rule *rule,
                          uint16_t code, const struct check_terms *terms)
{
	return code_rule(profile, rule, code, terms) != NULL;
}

const struct profile_rule *check_overruled(const struct profile *profile,
                                           const struct profile_rule *rule,
                                           const struct check_terms *terms)
{
	uint16_t code;

	if (profile_item_code(rule->subject, rule->item, &code))
		return code_rule(profile, rule, code, terms);
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct profile_rule *other = &profile->rule[i];

		if (other->layer > rule->layer && other->subject == rule->subject &&
		    applies(other, terms) && !strcmp(other->item, rule->item))
			return other;
	}
	return NULL;
}

/* -- one rule ---------------------------------------------------------------------------------- */

struct looking {
	const struct check_survey *survey;
	const struct check_sessions *sessions;
};

/** Of TLS 1.3 for those alone who show a key the survey saw nothing. */
static bool by_psk13(const struct looking *l, const struct profile_rule *rule,
                     struct check_found *found)
{
	const struct check_trial *t = l->sessions ? &l->sessions->trial[CHECK_TRY_13_PSK] : NULL;
	uint16_t code = 0;

	if (!t || !t->yes || (l->survey->versions & PROFILE_TLS_1_3) ||
	    !profile_item_code(rule->subject, rule->item, &code))
		return false;
	if (rule->subject == PROFILE_VERSION ? code == PROFILE_TLS_1_3
	                                     : code == l->sessions->psk13_suite)
		check_found_set(found, CHECK_HAS, &t->probe, "%s", t->text);
	else if (rule->subject == PROFILE_SUITE && profile_suite_tls13(code))
		check_found_set(found, CHECK_NO_WAY, &t->probe,
		                "it has TLS 1.3 by pre-shared key alone, which was tried with one "
		                "suite");
	else
		return false;
	return true;
}

static void look(const void *arg, const struct profile *profile, const struct profile_rule *rule,
                 const struct check_terms *terms, struct check_found *found)
{
	const struct looking *l = arg;

	if ((rule->subject == PROFILE_VERSION || rule->subject == PROFILE_SUITE) &&
	    by_psk13(l, rule, found))
		return;
	switch (rule->subject) {
	case PROFILE_VERSION:
		check_judge_version(l->survey, rule, found);
		break;
	case PROFILE_SUITE:
		check_judge_suite(l->survey, profile, rule, terms, found);
		break;
	case PROFILE_GROUP:
		check_judge_group(l->survey, rule, found);
		break;
	case PROFILE_SIGNATURE:
		check_judge_signature(l->survey, profile, rule, terms, found);
		break;
	case PROFILE_EXTENSION:
		check_judge_extension(l->survey, l->sessions, rule, found);
		break;
	default:
		check_judge_ways(l->survey, l->sessions, rule, found);
	}
}

static void rule_judge(struct check_report *report, const struct profile_rule *rule,
                       const struct check_terms *terms, check_look_fn *fn, const void *arg)
{
	const struct profile_rule *later = check_overruled(report->profile, rule, terms);
	struct check_found found = { .text = "" };

	if (later) {
		check_report_add(report, rule, CHECK_OVERRULED, NULL, "%s of %s decides", later->id,
		                 later->profile);
		return;
	}
	if (!applies(rule, terms)) {
		check_report_add(report, rule, CHECK_NOT_TESTABLE, NULL,
		                 rule->when == PROFILE_WHEN_DTLS
		                         ? "of DTLS: --dtls looks at it"
		                         : "holds where suites without encryption are used: "
		                           "--null-encryption says so");
		return;
	}
	fn(arg, report->profile, rule, terms, &found);
	check_report_add(report, rule, check_settle(rule, found.has), found.probe, "%s",
	                 found.text);
}

void check_judge_rules(struct check_report *report, const struct profile *profile,
                       const struct check_terms *terms, check_look_fn *fn, const void *arg)
{
	report->profile = profile;
	for (size_t i = 0; i < profile->rule_count; i++)
		rule_judge(report, &profile->rule[i], terms, fn, arg);
}

int check_judge(struct check_report *report, const struct check_survey *s,
                const struct check_sessions *sessions, const struct profile *profile,
                const struct check_terms *terms)
{
	const struct looking l = { s, sessions };

	check_judge_rules(report, profile, terms, look, &l);
	check_judge_precedence(report, s, profile, terms);
	check_judge_notes(report, s);
	if (sessions)
		check_judge_psk13(report, sessions);
	return report->failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}
