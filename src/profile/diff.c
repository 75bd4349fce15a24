/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/store.h"

#include <string.h>

#include "profile/vocabulary.h"

/** `role`: of certificates, one of the rule's; 0 for TLS. */
static const struct profile_rule *find_same(const struct profile *profile,
                                            const struct profile_rule *rule, unsigned role)
{
	const struct profile_rule *found = NULL;

	while ((found = profile_rule_next(profile, found, rule->subject, rule->item))) {
		if (found->when == rule->when && (!role || found->roles & role))
			return found;
	}
	return NULL;
}

/** What a profile says of that rule's item: by name, or else by a class that holds it. */
static const struct profile_rule *find_bearing(const struct profile *profile,
                                               const struct profile_rule *rule, unsigned role)
{
	const struct profile_rule *found = find_same(profile, rule, role), *other = NULL;
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

struct comparing {
	const struct profile *a, *b;
	struct profile_diff_row *row;
	size_t count;
};

/** What A rules, for one role: does B rule alike? */
static void compare_a(struct comparing *c, const struct profile_rule *rule, unsigned role)
{
	const struct profile_rule *other = find_bearing(c->b, rule, role);
	const struct profile_diff_row *last = c->count ? &c->row[c->count - 1] : NULL;

	if (other && rules_agree(rule, other))
		return;
	/* one row, however many roles it is the same for */
	if (last && last->a == rule && last->b == other)
		return;
	c->row[c->count++] =
	        (struct profile_diff_row){ rule->subject, rule->item, rule->when, rule, other };
}

/** What B rules: where A has a rule of its own, its walk has told the difference. */
static void compare_b(struct comparing *c, const struct profile_rule *rule, unsigned role)
{
	const struct profile_rule *other = find_bearing(c->a, rule, role);
	const struct profile_diff_row *last = c->count ? &c->row[c->count - 1] : NULL;

	if (find_same(c->a, rule, role) || (other && rules_agree(other, rule)))
		return;
	if (last && last->b == rule && last->a == other)
		return;
	c->row[c->count++] =
	        (struct profile_diff_row){ rule->subject, rule->item, rule->when, other, rule };
}

static void by_role(struct comparing *c, const struct profile_rule *rule,
                    void (*compare)(struct comparing *, const struct profile_rule *, unsigned))
{
	if (!rule->roles)
		compare(c, rule, 0);
	for (unsigned role = 1; role <= rule->roles; role <<= 1)
		if (rule->roles & role)
			compare(c, rule, role);
}

int profile_diff(const struct profile *a, const struct profile *b, struct base_arena *arena,
                 struct profile_diff_row **ret, size_t *ret_count)
{
	struct comparing c = { a, b, NULL, 0 };
	size_t roles = a->certificates || b->certificates ? PROFILE_ROLES : 1;

	c.row = base_arena_array(arena, (a->rule_count + b->rule_count) * roles + 1,
	                         sizeof(*c.row));
	if (!c.row)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned subject = 0; subject < PROFILE_SUBJECTS; subject++) {
		const struct profile_rule *rule = NULL;

		while ((rule = profile_rule_next(a, rule, subject, NULL)))
			by_role(&c, rule, compare_a);
		while ((rule = profile_rule_next(b, rule, subject, NULL)))
			by_role(&c, rule, compare_b);
	}
	*ret = c.row;
	*ret_count = c.count;
	return 0;
}
