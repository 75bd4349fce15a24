/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/store.h"

#include <string.h>

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

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool rules_agree(const struct profile_rule *a, const struct profile_rule *b)
{
	return a->strength == b->strength && a->off == b->off && same_text(a->value, b->value);
}

static struct profile_diff_row row_of(const struct profile_rule *a, const struct profile_rule *b)
{
	const struct profile_rule *any = a ? a : b;

	return (struct profile_diff_row){ any->subject, any->item, any->when, a, b };
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
			other = find_same(b, rule);
			if (!other || !rules_agree(rule, other))
				row[count++] = row_of(rule, other);
		}
		while ((rule = profile_rule_next(b, rule, subject, NULL))) {
			if (!find_same(a, rule))
				row[count++] = row_of(NULL, rule);
		}
	}
	*ret = row;
	*ret_count = count;
	return 0;
}
