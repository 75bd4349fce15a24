/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/store.h"

#include <string.h>

#include "profile/vocabulary.h"

static const struct profile_rule *find_same(const struct profile *profile,
                                            const struct profile_rule *rule)
{
	const struct profile_rule *found = NULL;

	while ((found = profile_rule_next(profile, found, rule->subject, rule->item))) {
		if (found->when == rule->when)
			return found;
	}
	return NULL;
}

/** What a profile says of that rule's item: by name, or else by a class that holds it. */
static const struct profile_rule *find_bearing(const struct profile *profile,
                                               const struct profile_rule *rule)
{
	const struct profile_rule *found = find_same(profile, rule), *other = NULL;
	uint16_t code;

	if (found || !profile_item_code(rule->subject, rule->item, &code))
		return found;
	while ((other = profile_rule_next(profile, other, rule->subject, NULL))) {
		bool applies = other->when == PROFILE_ALWAYS || other->when == rule->when;

		if (applies && profile_rule_covers(other, rule->subject, code) &&
		    (!found || other->layer >= found->layer))
			found = other;
	}
	return found;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool rules_agree(const struct profile_rule *a, const struct profile_rule *b)
{
	return a->strength == b->strength && a->off == b->off && same_text(a->value, b->value);
}

int profile_diff(const struct profile *a, const struct profile *b, struct base_arena *arena,
                 struct profile_diff_row **ret, size_t *ret_count)
{
	struct profile_diff_row *row =
	        base_arena_array(arena, a->rule_count + b->rule_count + 1, sizeof(*row));
	size_t count = 0;

	if (!row)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned subject = 0; subject < PROFILE_SUBJECTS; subject++) {
		const struct profile_rule *rule = NULL, *other;

		while ((rule = profile_rule_next(a, rule, subject, NULL))) {
			other = find_bearing(b, rule);
			if (!other || !rules_agree(rule, other))
				row[count++] = (struct profile_diff_row){ subject, rule->item,
					                                  rule->when, rule, other };
		}
		while ((rule = profile_rule_next(b, rule, subject, NULL))) {
			other = find_bearing(a, rule);
			/* where A has a rule of its own, its walk has told the difference */
			if (!find_same(a, rule) && (!other || !rules_agree(other, rule)))
				row[count++] = (struct profile_diff_row){ subject, rule->item,
					                                  rule->when, other, rule };
		}
	}
	*ret = row;
	*ret_count = count;
	return 0;
}
