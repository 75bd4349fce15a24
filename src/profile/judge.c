/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How rules settle a thing:
 * 1. Only rules that bear on it count: by its name, or by a class that holds it.
 * 2. Of those, the rules of the last profile in the `extends:` chain that has any decide alone.
 * 3. Among these the strongest decides: shall-not forbids, shall turns on, should-not turns off,
 *    should and may turn on unless they say `default: off`. Shall beside shall-not is an error.
 * 4. A code point that no rule names in favour, in any layer, is not there at all.
 */
#include "profile/judge.h"

#include "profile/vocabulary.h"

int profile_refuse_rule(struct profile_judging *c, const struct profile_rule *rule, const char *why)
{
	base_error_place(c->err, c->profile->file, 0, 0);
	if (!strcmp(rule->profile, c->profile->name))
		base_error_place(c->err, c->profile->file, rule->line, rule->column);
	return base_error_set(c->err, BASE_ERR(BASE_CONFIG, 0), "rule %s (%s %s): %s", rule->id,
	                      profile_strength_name(rule->strength), rule->item, why);
}

static unsigned rank(enum profile_strength strength)
{
	static const unsigned ranks[] = {
		[PROFILE_MAY] = 0,   [PROFILE_SHOULD] = 1,    [PROFILE_SHOULD_NOT] = 2,
		[PROFILE_SHALL] = 3, [PROFILE_SHALL_NOT] = 4,
	};

	return ranks[strength];
}

/** Take one more rule into the verdict. @return false on a contradiction. */
static bool verdict_take(struct profile_verdict *v, const struct profile_rule *rule)
{
	const struct profile_rule *old = v->rule;
	bool both;

	if (!old || rule->layer > old->layer) {
		v->rule = rule;
	} else if (rule->layer == old->layer) {
		both = (rule->strength == PROFILE_SHALL && old->strength == PROFILE_SHALL_NOT) ||
		       (rule->strength == PROFILE_SHALL_NOT && old->strength == PROFILE_SHALL);
		if (both)
			return false;
		if (rank(rule->strength) > rank(old->strength))
			v->rule = rule;
	}
	return true;
}

static void verdict_close(struct profile_verdict *v)
{
	if (!v->rule)
		v->state = PROFILE_SILENT;
	else if (v->rule->strength == PROFILE_SHALL_NOT)
		v->state = PROFILE_FORBIDDEN;
	else if (v->rule->strength == PROFILE_SHOULD_NOT || v->rule->off)
		v->state = PROFILE_OFF;
	else
		v->state = PROFILE_ON;
}

static bool applies(const struct profile_judging *c, const struct profile_rule *rule, bool dtls)
{
	switch (rule->when) {
	case PROFILE_WHEN_DTLS:
		return dtls;
	case PROFILE_WHEN_NULL_ENCRYPTION:
		return c->null_encryption;
	default:
		return true;
	}
}

int profile_judge_code(struct profile_judging *c, enum profile_subject subject, uint16_t code,
                       bool dtls, struct profile_verdict *ret)
{
	struct profile_verdict v = { .rule = NULL };

	for (size_t i = 0; i < c->profile->rule_count; i++) {
		const struct profile_rule *rule = &c->profile->rule[i];

		if (!applies(c, rule, dtls) || !profile_rule_covers(rule, subject, code))
			continue;
		if (!verdict_take(&v, rule))
			return profile_refuse_rule(c, rule,
			                           "contradicts another rule of the same profile");
	}
	verdict_close(&v);
	*ret = v;
	return 0;
}

int profile_judge_word(struct profile_judging *c, enum profile_subject subject, const char *item,
                       struct profile_verdict *ret)
{
	struct profile_verdict v = { .rule = NULL };

	for (size_t i = 0; i < c->profile->rule_count; i++) {
		const struct profile_rule *rule = &c->profile->rule[i];

		if (rule->subject != subject || strcmp(rule->item, item) ||
		    !applies(c, rule, false))
			continue;
		if (!verdict_take(&v, rule))
			return profile_refuse_rule(c, rule,
			                           "contradicts another rule of the same profile");
	}
	verdict_close(&v);
	*ret = v;
	return 0;
}
