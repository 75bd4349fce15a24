/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/certificate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "profile/certificate_items.h"
#include "profile/store.h"

/** A rule whose item and value were looked up. */
struct check {
	const struct profile_rule *rule;
	profile_ask_fn *ask;
	struct profile_cert_value value;
	bool negative, fails;
};

struct profile_checks {
	const struct profile *profile;
	atomic_uint refs;
	size_t count;
	struct check check[];
};

static struct check check_of(const struct profile_rule *rule)
{
	const struct profile_cert_item *item = profile_cert_item(rule->subject, rule->item);
	struct check check = { .rule = rule,
		               .ask = item->ask,
		               .value = { .words = rule->value ? rule->value : "" },
		               .negative = profile_strength_negative(rule->strength) };

	/* both were read by the loader; what a file says wrong never gets here */
	if (item->value == PROFILE_VALUE_NUMBER)
		(void)base_str_u64(base_str_of(rule->value), UINT32_MAX, &check.value.number);
	if (item->value == PROFILE_VALUE_DURATION &&
	    !config_duration_parse(base_str_of(rule->value), &check.value.number))
		check.value.number /= 1000;
	check.fails = rule->mark == PROFILE_SEEN &&
	              (rule->strength == PROFILE_SHALL || rule->strength == PROFILE_SHALL_NOT);
	return check;
}

int profile_checks_new(struct profile_checks **ret, const struct profile *profile,
                       struct base_error *err)
{
	struct profile_checks *checks;

	if (!profile->certificates) {
		base_error_place(err, profile->file, 0, 0);
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%s' is a profile of TLS, not of certificates",
		                      profile->name);
	}
	checks = calloc(1, sizeof(*checks) + profile->rule_count * sizeof(*checks->check));
	if (!checks)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
	atomic_init(&checks->refs, 1);
	checks->profile = profile;
	for (size_t i = 0; i < profile->rule_count; i++)
		if (profile->rule[i].strength != PROFILE_MAY && profile->rule[i].roles)
			checks->check[checks->count++] = check_of(&profile->rule[i]);
	*ret = checks;
	return 0;
}

struct profile_checks *profile_checks_ref(struct profile_checks *checks)
{
	atomic_fetch_add_explicit(&checks->refs, 1, memory_order_relaxed);
	return checks;
}

void profile_checks_unref(struct profile_checks *checks)
{
	if (checks && atomic_fetch_sub_explicit(&checks->refs, 1, memory_order_acq_rel) == 1)
		free(checks);
}

const struct profile *profile_checks_profile(const struct profile_checks *checks)
{
	return checks->profile;
}

static void tell(const struct check *check, const struct x509_facts *facts, profile_finding_fn *fn,
                 void *arg)
{
	char text[320];
	struct base_writer w = base_writer_over(text, sizeof(text));
	struct profile_finding finding = { check->rule, check->fails, text };

	profile_cert_told(check->rule->subject, facts, &w);
	finding.text = base_writer_cstr(&w);
	fn(arg, &finding);
}

struct profile_tally profile_check(const struct profile_checks *checks, enum profile_role role,
                                   const struct x509_facts *facts, profile_finding_fn *fn,
                                   void *arg)
{
	struct profile_tally tally = { 0, 0 };

	for (size_t i = 0; i < checks->count; i++) {
		const struct check *check = &checks->check[i];
		enum profile_answer answer;

		if (!(check->rule->roles & role) || (role == PROFILE_ROLE_CRL) != facts->crl)
			continue;
		answer = check->ask(facts, &check->value);
		if (answer == PROFILE_NOT_ASKED || (answer == PROFILE_YES) != check->negative)
			continue;
		tally.fails += check->fails;
		tally.warns += !check->fails;
		if (fn)
			tell(check, facts, fn, arg);
	}
	return tally;
}

const char *profile_finding_format(const struct profile_finding *finding, char *buf, size_t cap)
{
	const struct profile_rule *r = finding->rule;

	(void)snprintf(buf, cap, "%s %s %s%s%s, found: %s (%s %s [%s %c])",
	               profile_strength_name(r->strength), profile_subject_name(r->subject),
	               r->item, r->value ? " " : "", r->value ? r->value : "", finding->text,
	               r->document, r->clause, r->id, (char)r->mark);
	return buf;
}

unsigned profile_roles_guess(const struct x509_facts *f)
{
	if (f->crl)
		return PROFILE_ROLE_CRL;
	if (!f->ca)
		return (f->purposes & X509_PURPOSE_BIT_SERVER ? PROFILE_ROLE_SERVER : 0U) |
		       (f->purposes & X509_PURPOSE_BIT_CLIENT ? PROFILE_ROLE_CLIENT : 0U);
	/* TS 33.310, 5.2.2.2: an Interconnection CA vouches for others' authorities */
	if (!f->self_issued)
		return PROFILE_ROLE_CROSS;
	return f->path_len == 0 ? PROFILE_ROLE_CLIENT_CA | PROFILE_ROLE_SERVER_CA
	                        : PROFILE_ROLE_INTERCONNECTION;
}
