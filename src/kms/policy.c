/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/policy.h"

static bool text_is(struct mikey_octets name, const char *text, size_t len)
{
	return name.len >= len && (!len || memcmp(name.at, text, len) == 0);
}

bool kms_name_fits(const char *pattern, struct mikey_octets name)
{
	const char *star = strchr(pattern, '*');
	size_t before = star ? (size_t)(star - pattern) : strlen(pattern);
	size_t after = star ? strlen(star + 1) : 0;

	if (!star)
		return name.len == before && text_is(name, pattern, before);
	return name.len >= before + after && text_is(name, pattern, before) &&
	       text_is(mikey_octets_of(name.at + name.len - after, after), star + 1, after);
}

const struct kms_rule *kms_rule_for(const struct kms_config *config, struct mikey_octets from,
                                    struct mikey_octets to)
{
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct kms_rule *rule = &config->rules[i];

		if (kms_name_fits(rule->from, from) && kms_name_fits(rule->to, to))
			return rule->deny ? NULL : rule;
	}
	return NULL;
}

static const struct kms_group *group_of(const struct kms_config *config, struct mikey_octets name)
{
	for (size_t i = 0; i < config->group_count; i++) {
		if (kms_name_fits(config->groups[i].name, name))
			return &config->groups[i];
	}
	return NULL;
}

static uint32_t default_of(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

/* Each responder by a rule of its own; the shortest lifetime of those rules holds. */
static int allowed(const struct kms_config *config, const struct mikey_id *asker,
                   const struct mikey_policy *policy, uint32_t *max_s, bool *group,
                   struct base_error *err)
{
	*max_s = default_of(config->lifetime_max_s, 86400);
	*group = false;
	for (size_t i = 0; i < policy->responders; i++) {
		const struct mikey_id *to = &policy->responder[i];
		const struct kms_rule *rule = kms_rule_for(config, asker->data, to->data);

		if (!rule)
			return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
			                      "no rule lets it have a ticket for %.*s",
			                      (int)BASE_MIN(to->data.len, (size_t)128),
			                      to->data.at);
		if (rule->lifetime_s)
			*max_s = BASE_MIN(*max_s, rule->lifetime_s);
		*group |= group_of(config, to->data) != NULL;
	}
	if (!policy->responders)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
		                      "the policy names no responder");
	return 0;
}

/* Validity in NTP seconds: from now on, for no longer than is allowed. */
static int lifetime(const struct kms_config *config, uint64_t now_s, uint32_t max_s,
                    struct mikey_policy *policy, struct base_error *err)
{
	uint64_t start = BASE_MAX(policy->start, now_s);
	uint64_t end = policy->end ? policy->end
	                           : start + BASE_MIN(max_s, default_of(config->lifetime_s, 3600));

	if (policy->end && policy->end <= start)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
		                      "the ticket would be over before it begins");
	if (start > now_s + max_s)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TP_PARAM),
		                      "the ticket would begin later than one may live");
	end = BASE_MIN(end, now_s + max_s);
	policy->start = start;
	policy->end = BASE_MAX(end, start + 1);
	return 0;
}

/* TGKs, which forking forks: asked for, or given where nothing is. */
static bool has_tgk(const struct mikey_policy *policy)
{
	for (size_t i = 0; i < policy->wants; i++) {
		if (policy->want[i].type == MIKEY_TGK || policy->want[i].type == MIKEY_TGK_SALT)
			return true;
	}
	return !policy->wants;
}

/* What was asked for and what is granted say the same. */
static bool same(const struct mikey_policy *a, const struct mikey_policy *b)
{
	return a->flags == b->flags && a->start == b->start && a->end == b->end &&
	       mikey_id_eq(&a->kms, &b->kms) && mikey_id_eq(&a->initiator, &b->initiator);
}

int kms_policy_grant(const struct kms_config *config, const struct mikey_id *asker, uint64_t now_s,
                     struct mikey_policy *policy, struct base_error *err)
{
	struct mikey_policy wanted;
	uint32_t max_s;
	bool group;
	int rc;

	policy->flags &= ~(uint32_t)MIKEY_FLAG_K; /* the asker's is ignored (6.10) */
	wanted = *policy;
	rc = allowed(config, asker, policy, &max_s, &group, err);
	if (rc)
		return rc;
	if (policy->type != MIKEY_TICKET_BASE || policy->subtype != 1 || policy->version != 1)
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		                      "only MIKEY base tickets are made here (RFC 6043, 6.10)");
	if (policy->initiator.data.len && !mikey_id_eq(&policy->initiator, asker))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_AUTH),
		                      "it asks for a ticket in another's name");
	rc = lifetime(config, now_s, max_s, policy, err);
	if (rc)
		return rc;
	policy->initiator = *asker;
	policy->kms = (struct mikey_id){ MIKEY_URI, mikey_octets_text(config->identity) };
	/* Made here and resolved here, for the responder has no key of ours (modes 2 and 4 need
	 * one). */
	policy->flags |= MIKEY_FLAG_D | MIKEY_FLAG_E;
	if (group) /* or each member could pose as any other (RFC 6043, 5.1.1) */
		policy->flags |= MIKEY_FLAG_I;
	if ((policy->flags & MIKEY_FLAG_I) && has_tgk(policy)) /* 6.10: RANDRkms comes with it */
		policy->flags |= MIKEY_FLAG_F;
	if (!same(&wanted, policy))
		policy->flags |= MIKEY_FLAG_K;
	return mikey_policy_check(policy, err);
}

int kms_policy_bounds(const struct kms_config *config, const struct kms_rule *rule,
                      const struct mikey_policy *policy, bool group, uint64_t now_s,
                      struct base_error *err)
{
	uint32_t max_s = default_of(config->lifetime_max_s, 86400);

	if (rule->lifetime_s)
		max_s = BASE_MIN(max_s, rule->lifetime_s);
	if (group && !(policy->flags & MIKEY_FLAG_I))
		return base_error_set(err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		                      "the ticket is a group's, and its keys are not forked");
	if (!(policy->flags & MIKEY_FLAG_D) && (!policy->end || policy->end > now_s + max_s))
		return base_error_set(
		        err, BASE_ERR(BASE_PEER, MIKEY_BAD_TICKET),
		        "the ticket is valid for longer than its maker may let it be");
	return 0;
}

const struct mikey_id *kms_policy_listed(const struct kms_config *config,
                                         const struct mikey_policy *policy,
                                         const struct mikey_id *asker)
{
	for (size_t i = 0; i < policy->responders; i++) {
		if (mikey_id_eq(&policy->responder[i], asker))
			return &policy->responder[i];
	}
	for (size_t i = 0; i < policy->responders; i++) {
		const struct kms_group *group = group_of(config, policy->responder[i].data);

		for (size_t m = 0; group && m < group->count; m++) {
			if (kms_name_fits(group->members[m], asker->data))
				return &policy->responder[i];
		}
	}
	return NULL;
}
