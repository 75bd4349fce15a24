/* SPDX-License-Identifier: Apache-2.0 */
/** Settles every rule of a profile, kind by kind; judge.c tells how rules settle one thing. */
#include "profile/settings.h"

#include <stdlib.h>

#include "profile/judge.h"
#include "profile/vocabulary.h"

#define CODES_MAX 256

struct compiling {
	struct profile_judging judging;
	const struct profile *profile;
	const struct profile_options *options; /**< never NULL */
	struct profile_settings *settings;
	struct base_error *err;
};

static int out_of_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

static int refuse_whole(struct compiling *c, const char *why)
{
	base_error_place(c->err, c->profile->file, 0, 0);
	return base_error_set(c->err, BASE_ERR(BASE_CONFIG, 0), "%s", why);
}

/** Keep the first error of a row of judgements. */
static void judge_flag(struct compiling *c, int *rc, enum profile_subject subject, const char *item,
                       bool fallback, struct profile_flag *ret)
{
	struct profile_verdict v;

	if (*rc)
		return;
	*rc = profile_judge_word(&c->judging, subject, item, &v);
	if (*rc)
		return;
	ret->value = v.state == PROFILE_SILENT ? fallback : v.state == PROFILE_ON;
	ret->rule = v.rule;
	ret->strength = v.rule ? v.rule->strength : PROFILE_MAY;
}

/* -- versions ------------------------------------------------------------------------------ */

static unsigned lowest_bit(unsigned set)
{
	return set & -set;
}

static unsigned highest_bit(unsigned set)
{
	unsigned bit = 0;

	while (set) {
		bit = lowest_bit(set);
		set &= set - 1;
	}
	return bit;
}

static int settle_versions(struct compiling *c)
{
	struct profile_settings *s = c->settings;
	unsigned bit = 0, gap;

	for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1, bit++) {
		bool dtls = (v & PROFILE_DTLS_ALL) != 0;
		struct profile_verdict verdict;
		int rc = profile_judge_code(&c->judging, PROFILE_VERSION, (uint16_t)v, dtls,
		                            &verdict);

		if (rc)
			return rc;
		s->version_rule[bit] = verdict.rule;
		if (verdict.state != PROFILE_ON)
			continue;
		if (v < PROFILE_TLS_1_0)
			return profile_refuse_rule(&c->judging, verdict.rule,
			                           "no SSL here, RFC 6176 and RFC 7568");
		*(dtls ? &s->dtls : &s->versions) |= v;
		if (verdict.rule->strength == PROFILE_SHALL)
			*(dtls ? &s->dtls_shall : &s->versions_shall) |= v;
	}
	if (!s->versions)
		return refuse_whole(c, "no version of TLS is on; rule one, as in 'TLS1.2 shall'");
	s->version_min = lowest_bit(s->versions);
	s->version_max = highest_bit(s->versions);
	s->dtls_min = lowest_bit(s->dtls);
	s->dtls_max = highest_bit(s->dtls);
	gap = (s->version_max * 2 - s->version_min) & ~s->versions;
	if (gap)
		return refuse_whole(c, "the versions of TLS that are on leave one out in between");
	return 0;
}

/* -- lists --------------------------------------------------------------------------------- */

/** A list in the making. */
struct sorting {
	struct profile_setting item[CODES_MAX];
	size_t count;
};

static bool sorting_has(const struct sorting *sorting, uint16_t code)
{
	for (size_t i = 0; i < sorting->count; i++) {
		if (sorting->item[i].code == code)
			return true;
	}
	return false;
}

static bool is_null_suite(enum profile_subject subject, uint16_t code)
{
	const struct profile_suite *suite = profile_suite_find(code);

	return subject == PROFILE_SUITE && suite && (suite->flags & PROFILE_SUITE_NULL);
}

/** With a suite: is it usable, and not forbidden, with DTLS? */
static int judge_dtls(struct compiling *c, struct profile_setting *setting)
{
	const struct profile_suite *suite = profile_suite_find(setting->code);
	struct profile_verdict v;
	int rc = profile_judge_code(&c->judging, PROFILE_SUITE, setting->code, true, &v);

	if (!rc)
		setting->dtls = suite && suite->dtls && v.state == PROFILE_ON && setting->on;
	return rc;
}

static int settle_code(struct compiling *c, enum profile_subject subject, uint16_t code,
                       struct sorting *sorting)
{
	struct profile_setting *setting = &sorting->item[sorting->count];
	struct profile_verdict v;
	int rc = profile_judge_code(&c->judging, subject, code, false, &v);

	if (rc || v.state == PROFILE_SILENT || v.state == PROFILE_FORBIDDEN)
		return rc;
	*setting = (struct profile_setting){ .code = code,
		                             .strength = v.rule->strength,
		                             .on = v.state == PROFILE_ON,
		                             .rule = v.rule };
	if (is_null_suite(subject, code)) {
		/* never by a profile alone: the domain has to ask for it */
		setting->on = c->judging.null_encryption && v.rule->strength != PROFILE_SHOULD_NOT;
		if (!c->settings->null_permitted.value)
			c->settings->null_permitted =
			        (struct profile_flag){ true, v.rule->strength, v.rule };
	}
	if (subject == PROFILE_SUITE)
		rc = judge_dtls(c, setting);
	sorting->count++;
	return rc;
}

static size_t place_in(const struct profile_codes *precedence, uint16_t code)
{
	size_t i = 0;

	while (i < precedence->count && precedence->code[i] != code)
		i++;
	return i;
}

/** What is on comes first; then precedence; equals keep the order of the rules. */
static bool goes_before(const struct profile_setting *a, const struct profile_setting *b,
                        const struct profile_codes *precedence)
{
	if (a->on != b->on)
		return a->on;
	return place_in(precedence, a->code) < place_in(precedence, b->code);
}

static void sort(struct sorting *sorting, const struct profile_codes *precedence)
{
	for (size_t i = 1; i < sorting->count; i++) {
		struct profile_setting moved = sorting->item[i];
		size_t j = i;

		for (; j && goes_before(&moved, &sorting->item[j - 1], precedence); j--)
			sorting->item[j] = sorting->item[j - 1];
		sorting->item[j] = moved;
	}
}

/** Copy what passes `want` (suites: 1 = TLS 1.3's, 0 = the others, -1 = all) into the settings. */
static int publish(struct compiling *c, const struct sorting *sorting, int want,
                   struct profile_list *ret)
{
	struct profile_setting *item =
	        base_arena_array(&c->settings->arena, sorting->count + 1, sizeof(*item));

	if (!item)
		return out_of_memory(c->err);
	ret->item = item;
	for (size_t i = 0; i < sorting->count; i++) {
		if (want >= 0 && profile_suite_tls13(sorting->item[i].code) != (want == 1))
			continue;
		item[ret->count++] = sorting->item[i];
		ret->on += sorting->item[i].on;
	}
	return 0;
}

static int settle_codes(struct compiling *c, enum profile_subject subject,
                        const struct profile_codes *precedence, struct sorting *sorting)
{
	sorting->count = 0;
	for (size_t i = 0; i < c->profile->rule_count; i++) {
		const struct profile_rule *rule = &c->profile->rule[i];
		uint16_t code;
		int rc;

		if (rule->subject != subject || profile_item_is_class(rule->item) ||
		    profile_strength_negative(rule->strength) ||
		    !profile_item_code(subject, rule->item, &code) || sorting_has(sorting, code))
			continue;
		rc = settle_code(c, subject, code, sorting);
		if (rc)
			return rc;
	}
	sort(sorting, precedence);
	return 0;
}

/** Extensions that rules speak against. */
static int settle_denied(struct compiling *c, struct sorting *sorting)
{
	sorting->count = 0;
	for (size_t i = 0; i < c->profile->rule_count; i++) {
		const struct profile_rule *rule = &c->profile->rule[i];
		struct profile_verdict v;
		uint16_t code;
		int rc;

		if (rule->subject != PROFILE_EXTENSION ||
		    !profile_item_code(PROFILE_EXTENSION, rule->item, &code) ||
		    sorting_has(sorting, code))
			continue;
		rc = profile_judge_code(&c->judging, PROFILE_EXTENSION, code, false, &v);
		if (rc)
			return rc;
		if (v.state == PROFILE_FORBIDDEN)
			sorting->item[sorting->count++] = (struct profile_setting){
				.code = code, .strength = v.rule->strength, .rule = v.rule
			};
	}
	return 0;
}

static int settle_lists(struct compiling *c, struct sorting *sorting)
{
	static const struct profile_codes as_ruled = { NULL, 0 };
	const struct profile *p = c->profile;
	struct profile_settings *s = c->settings;
	int rc;

	rc = settle_codes(c, PROFILE_SUITE, &p->suite_precedence, sorting);
	if (!rc)
		rc = publish(c, sorting, 0, &s->suites);
	if (!rc)
		rc = publish(c, sorting, 1, &s->suites13);
	if (!rc)
		rc = settle_codes(c, PROFILE_GROUP, &p->group_precedence, sorting);
	if (!rc)
		rc = publish(c, sorting, -1, &s->groups);
	if (!rc)
		rc = settle_codes(c, PROFILE_SIGNATURE, &p->signature_precedence, sorting);
	if (!rc)
		rc = publish(c, sorting, -1, &s->signatures);
	if (!rc)
		rc = settle_codes(c, PROFILE_EXTENSION, &as_ruled, sorting);
	if (!rc)
		rc = publish(c, sorting, -1, &s->extensions);
	if (!rc)
		rc = settle_denied(c, sorting);
	return rc ? rc : publish(c, sorting, -1, &s->extensions_denied);
}

/** What is on must suffice for a handshake of each version that is on. */
static int check_lists(struct compiling *c)
{
	const struct profile_settings *s = c->settings;
	bool needs_group = s->suites13.on != 0;

	if ((s->versions & ~(unsigned)PROFILE_TLS_1_3) && !s->suites.on)
		return refuse_whole(c, "TLS up to 1.2 is on and none of its suites is");
	if ((s->versions & PROFILE_TLS_1_3) && !s->suites13.on)
		return refuse_whole(c, "TLS 1.3 is on and none of its suites is");
	for (size_t i = 0; i < s->suites.on; i++)
		needs_group |=
		        profile_suite_find(s->suites.item[i].code)->flags & PROFILE_SUITE_PFS;
	if (needs_group && !s->groups.on)
		return refuse_whole(c, "a suite with (EC)DHE is on and no group is");
	if (!s->signatures.on && !s->psk.value)
		return refuse_whole(c, "no signature scheme is on");
	return 0;
}

/* -- the rest ------------------------------------------------------------------------------ */

static int settle_number(struct compiling *c, enum profile_subject subject, const char *item,
                         uint32_t fallback, struct profile_number *ret)
{
	struct profile_verdict v;
	uint64_t n = 0;
	int rc = profile_judge_word(&c->judging, subject, item, &v);

	if (rc)
		return rc;
	ret->value = fallback;
	if (v.state != PROFILE_ON)
		return 0;
	/* the file's reader has checked both forms */
	if (subject == PROFILE_LIFETIME)
		(void)config_duration_parse(base_str_of(v.rule->value), &n);
	else
		(void)base_str_u64(base_str_of(v.rule->value), UINT32_MAX, &n);
	ret->value = (uint32_t)(subject == PROFILE_LIFETIME ? n / 1000 : n);
	ret->rule = v.rule;
	return 0;
}

static int settle_lifetime(struct compiling *c)
{
	static const uint32_t hour = 3600;
	struct profile_settings *s = c->settings;
	int rc = settle_number(c, PROFILE_LIFETIME, "maximum", 24 * hour, &s->lifetime_max_s);

	if (!rc)
		rc = settle_number(c, PROFILE_LIFETIME, "default",
		                   BASE_MIN(hour, s->lifetime_max_s.value), &s->lifetime_s);
	if (!rc)
		rc = settle_number(c, PROFILE_GROUP, "dh-bits", 2048, &s->dh_bits_min);
	if (!rc && s->lifetime_s.value > s->lifetime_max_s.value)
		return profile_refuse_rule(&c->judging, s->lifetime_s.rule,
		                           "longer than the maximum lifetime");
	return rc;
}

static int settle_certificate(struct compiling *c, const char *item,
                              enum profile_certificate fallback, enum profile_certificate *ret,
                              const struct profile_rule **ret_rule)
{
	struct profile_verdict v;
	int rc = profile_judge_word(&c->judging, PROFILE_AUTHENTICATION, item, &v);

	if (rc)
		return rc;
	*ret_rule = v.rule;
	if (v.state == PROFILE_SILENT)
		*ret = fallback;
	else if (profile_strength_negative(v.rule->strength))
		*ret = PROFILE_CERTIFICATE_REFUSED;
	else
		*ret = v.rule->strength == PROFILE_SHALL ? PROFILE_CERTIFICATE_REQUIRED
		                                         : PROFILE_CERTIFICATE_OPTIONAL;
	return 0;
}

static int settle_authentication(struct compiling *c)
{
	struct profile_settings *s = c->settings;
	enum profile_certificate server;
	struct profile_verdict v;
	int rc = 0, hash = PROFILE_HASH_SHA256;

	judge_flag(c, &rc, PROFILE_AUTHENTICATION, "psk", false, &s->psk);
	judge_flag(c, &rc, PROFILE_AUTHENTICATION, "psk-dhe-only", true, &s->psk_dhe_only);
	judge_flag(c, &rc, PROFILE_AUTHENTICATION, "fingerprint", false, &s->fingerprint);
	server = s->psk.value ? PROFILE_CERTIFICATE_OPTIONAL : PROFILE_CERTIFICATE_REQUIRED;
	if (!rc)
		rc = settle_certificate(c, "server-certificate", server, &s->server_certificate,
		                        &s->server_certificate_rule);
	if (!rc)
		rc = settle_certificate(c, "client-certificate", PROFILE_CERTIFICATE_OPTIONAL,
		                        &s->client_certificate, &s->client_certificate_rule);
	if (!rc)
		rc = profile_judge_word(&c->judging, PROFILE_AUTHENTICATION, "fingerprint-hash",
		                        &v);
	if (!rc && v.state == PROFILE_ON) {
		(void)profile_hash_parse(base_str_of(v.rule->value), &hash); /* checked before */
		s->fingerprint_hash_rule = v.rule;
	}
	s->fingerprint_hash = (enum profile_hash)hash;
	return rc;
}

/** What the domain wants, unless the profile's "shall" is against it. */
static int choose(struct compiling *c, enum profile_choice choice, struct profile_flag *flag)
{
	if (choice == PROFILE_CHOICE_YES && flag->rule && flag->strength == PROFILE_SHALL_NOT)
		return profile_refuse_rule(&c->judging, flag->rule, "the TLS domain wants it");
	if (choice == PROFILE_CHOICE_NO && flag->rule && flag->strength == PROFILE_SHALL)
		return profile_refuse_rule(&c->judging, flag->rule, "the TLS domain is against it");
	if (choice != PROFILE_CHOICE_NONE)
		flag->value = choice == PROFILE_CHOICE_YES;
	return 0;
}

static int settle_renegotiation(struct compiling *c)
{
	const struct profile_options *options = c->options;
	const enum profile_choice refused[] = { PROFILE_CHOICE_NONE, PROFILE_CHOICE_NO,
		                                PROFILE_CHOICE_YES };
	struct profile_settings *s = c->settings;
	struct profile_flag client;
	int rc = 0;

	judge_flag(c, &rc, PROFILE_RENEGOTIATION, "renegotiation-info", true,
	           &s->renegotiation_info);
	judge_flag(c, &rc, PROFILE_RENEGOTIATION, "renegotiation-info-peer", false,
	           &s->renegotiation_info_peer);
	judge_flag(c, &rc, PROFILE_RENEGOTIATION, "client-initiated", false, &client);
	judge_flag(c, &rc, PROFILE_RENEGOTIATION, "server-initiated", false,
	           &s->renegotiation_server);
	if (!rc)
		rc = choose(c, options->by_client, &client);
	if (!rc)
		rc = choose(c, options->by_server, &s->renegotiation_server);
	if (!rc)
		rc = choose(c, refused[options->legacy_peers], &s->renegotiation_info_peer);
	if (rc)
		return rc;
	s->renegotiation_client = client.value && s->renegotiation_info.value
	                                  ? PROFILE_RENEGOTIATION_SECURE
	                                  : PROFILE_RENEGOTIATION_REFUSE;
	s->renegotiation_client_rule = client.rule;
	/* Where either may begin one, the client may when it is asked to. */
	judge_flag(c, &rc, PROFILE_RENEGOTIATION, "answer-hello-request",
	           client.value || s->renegotiation_server.value, &s->renegotiation_answer);
	if (!rc)
		rc = choose(c, options->by_server, &s->renegotiation_answer);
	s->renegotiation_answer.value &= s->renegotiation_info.value;
	return rc;
}

static int settle_flags(struct compiling *c)
{
	struct profile_settings *s = c->settings;
	int rc = 0;

	s->server_precedence = (struct profile_flag){ true, PROFILE_MAY, NULL };
	judge_flag(c, &rc, PROFILE_COMPRESSION, "any", false, &s->compression);
	judge_flag(c, &rc, PROFILE_EXTENSION, "require extended_master_secret", false,
	           &s->extended_master_secret_required);
	judge_flag(c, &rc, PROFILE_RESUMPTION, "any", false, &s->resumption);
	judge_flag(c, &rc, PROFILE_RESUMPTION, "tickets", s->resumption.value, &s->tickets);
	judge_flag(c, &rc, PROFILE_RESUMPTION, "session-ids", s->resumption.value, &s->session_ids);
	judge_flag(c, &rc, PROFILE_RESUMPTION, "tickets-preferred", false, &s->tickets_first);
	judge_flag(c, &rc, PROFILE_FAILURE, "alert", true, &s->alert_on_failure);
	judge_flag(c, &rc, PROFILE_FAILURE, "unknown-identity-alert", true, &s->psk_unknown_alert);
	if (!rc)
		rc = settle_renegotiation(c);
	if (!rc)
		rc = settle_authentication(c);
	if (!rc)
		rc = settle_lifetime(c);
	return rc;
}

static int settle_null(struct compiling *c)
{
	struct profile_settings *s = c->settings;

	if (!c->judging.null_encryption)
		return 0;
	if (!s->null_permitted.value)
		return refuse_whole(c, "suites without encryption are asked for; no rule of this "
		                       "profile permits them");
	s->null_on = s->null_permitted;
	return 0;
}

static int settle(struct compiling *c)
{
	struct sorting *sorting = malloc(sizeof(*sorting));
	int rc;

	if (!sorting)
		return out_of_memory(c->err);
	rc = settle_versions(c);
	if (!rc)
		rc = settle_lists(c, sorting);
	if (!rc)
		rc = settle_flags(c);
	if (!rc)
		rc = settle_null(c);
	if (!rc)
		rc = check_lists(c);
	free(sorting);
	return rc;
}

int profile_compile(const struct profile *profile, const struct profile_options *options,
                    struct profile_settings **ret, struct base_error *err)
{
	struct profile_settings *settings = calloc(1, sizeof(*settings));
	static const struct profile_options defaults;
	struct compiling c = {
		.judging = { profile, options && options->null_encryption, err },
		.profile = profile,
		.options = options ? options : &defaults,
		.settings = settings,
		.err = err,
	};
	int rc;

	if (profile->certificates) {
		free(settings);
		base_error_place(err, profile->file, 0, 0);
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "'%s' is a profile of certificates, not of TLS",
		                      profile->name);
	}
	if (!settings)
		return out_of_memory(err);
	settings->profile = profile;
	rc = settle(&c);
	if (rc) {
		profile_settings_free(settings);
		return rc;
	}
	*ret = settings;
	return 0;
}

void profile_settings_free(struct profile_settings *settings)
{
	if (!settings)
		return;
	base_arena_done(&settings->arena);
	free(settings);
}

const struct profile_setting *profile_list_find(const struct profile_list *list, uint16_t code)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->item[i].code == code)
			return &list->item[i];
	}
	return NULL;
}
