/* SPDX-License-Identifier: Apache-2.0 */
/** @file Rules of code points: versions, suites, groups, signatures, extensions. */
#include <stdio.h>
#include <stdlib.h>

#include "check/judge.h"
#include "check/words.h"

enum { NAMED = 6 }; /**< of a longer list so many are told */

static bool unseen(const struct check_probe *p)
{
	return p->wanted &&
	       (p->answer.outcome >= CHECK_STALLED || p->answer.outcome == CHECK_NOTHING);
}

/* -- versions ---------------------------------------------------------------------------------- */

void check_judge_version(const struct check_survey *s, const struct profile_rule *rule,
                         struct check_found *found)
{
	unsigned version = profile_version_find(base_str_of(rule->item));
	const struct check_probe *p = &s->version[check_version_index(version)];
	char words[CHECK_WORDS];
	bool dtls = (version & PROFILE_DTLS_ALL) != 0;

	if (dtls != s->target->dtls)
		check_found_set(found, CHECK_NO_WAY, NULL, "%s",
		                dtls ? "a stream was looked at: --dtls looks at datagrams"
		                     : "datagrams were looked at, not a stream");
	else if (s->versions & version)
		check_found_set(found, CHECK_HAS, p, "offered alone: %s",
		                check_probe_words(p, words, sizeof(words)));
	else
		/* SSL may well meet silence or garbage; who was not reached said nothing */
		check_found_set(found,
		                unseen(p) && (version > PROFILE_SSL_3_0 ||
		                              p->answer.outcome == CHECK_UNREACHABLE)
		                        ? CHECK_UNSEEN
		                        : CHECK_HAS_NOT,
		                p, "offered alone: %s", check_probe_words(p, words, sizeof(words)));
}

/* -- suites ------------------------------------------------------------------------------------ */

/** What a suite asks of the server that it may well not have; NULL = nothing. */
static const char *suite_lacks(const struct check_survey *s, const struct profile_suite *suite)
{
	if (s->psk_only && !(suite->flags & PROFILE_SUITE_PSK))
		return NULL;
	if ((suite->flags & PROFILE_SUITE_ECDSA) && !s->ecdsa && s->rsa)
		return "the server shows no ECDSA certificate";
	if ((suite->flags & PROFILE_SUITE_RSA_AUTH) && !(suite->flags & PROFILE_SUITE_PSK) &&
	    !s->rsa && s->ecdsa)
		return "the server shows no RSA certificate";
	return NULL;
}

static void suite_alone(const struct check_survey *s, const struct profile_rule *rule,
                        const struct profile_suite *suite, size_t index, struct check_found *found)
{
	const struct check_probe *taken = check_survey_takes(s, suite->code);
	const struct check_probe *p = taken                          ? taken
	                              : unseen(&s->suite_low[index]) ? &s->suite_low[index]
	                                                             : &s->suite[index];
	const char *lacks = suite_lacks(s, suite);
	char words[CHECK_WORDS];

	if (taken)
		check_found_set(found, CHECK_HAS, p, "offered alone: %s",
		                check_probe_words(p, words, sizeof(words)));
	else if (s->target->dtls && profile_suite_tls13(suite->code) && !s->has_13)
		check_found_set(found, CHECK_NO_WAY, NULL,
		                "datagrams were looked at, and it takes no DTLS 1.3");
	else if (!p->wanted)
		check_found_set(found, CHECK_HAS_NOT, NULL,
		                "the server takes no version that has this suite");
	else if (unseen(p))
		check_found_set(found, CHECK_UNSEEN, p, "offered alone: %s",
		                check_probe_words(p, words, sizeof(words)));
	else if (lacks && !profile_strength_negative(rule->strength))
		check_found_set(found, CHECK_NO_WAY, p, "%s", lacks);
	else
		check_found_set(found, CHECK_HAS_NOT, p, "offered alone in %s: %s",
		                profile_version_name(p->offer.version),
		                check_probe_words(p, words, sizeof(words)));
}

static void suite_class(const struct check_survey *s, const struct profile *profile,
                        const struct profile_rule *rule, const struct check_terms *terms,
                        struct check_found *found)
{
	size_t count, len = 0, taken = 0, asked = 0, stalled = 0;
	const struct profile_suite *suite = profile_suite_all(&count);
	const struct check_probe *first = NULL;
	char list[NAMED * 64] = "";

	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		const struct check_probe *p = check_survey_takes(s, suite[i].code);

		if (!profile_rule_covers(rule, PROFILE_SUITE, suite[i].code) ||
		    check_code_overruled(profile, rule, suite[i].code, terms))
			continue;
		asked += s->suite[i].wanted;
		stalled += unseen(&s->suite[i]) || unseen(&s->suite_low[i]);
		if (!p)
			continue;
		first = first ? first : p;
		if (++taken <= NAMED)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
			                        len ? ", " : "", suite[i].name);
	}
	if (taken)
		check_found_set(found, CHECK_HAS, first, "takes %zu: %s%s", taken, list,
		                taken > NAMED ? ", ..." : "");
	else if (stalled)
		check_found_set(found, CHECK_UNSEEN, NULL, "%zu of %zu offers were not answered",
		                stalled, asked);
	else if (asked)
		check_found_set(found, CHECK_HAS_NOT, NULL, "takes none of %zu, each offered alone",
		                asked);
	else
		check_found_set(found, CHECK_HAS_NOT, NULL, "it takes no version that has them");
}

void check_judge_suite(const struct check_survey *s, const struct profile *profile,
                       const struct profile_rule *rule, const struct check_terms *terms,
                       struct check_found *found)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);
	uint16_t code;

	if (!profile_item_code(PROFILE_SUITE, rule->item, &code)) {
		suite_class(s, profile, rule, terms, found);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (suite[i].code == code)
			suite_alone(s, rule, &suite[i], i, found);
}

/* -- groups ------------------------------------------------------------------------------------ */

static void prime_take(const struct check_probe *p, unsigned *least,
                       const struct check_probe **which)
{
	struct check_key_exchange ske;

	if (!check_key_exchange_read(&p->answer, &ske) || !ske.dh_bits ||
	    (*least && ske.dh_bits >= *least))
		return;
	*least = ske.dh_bits;
	*which = p;
}

/** Of all suites with a finite field that it takes: the shortest prime. */
static void dh_bits(const struct check_survey *s, const struct profile_rule *rule,
                    struct check_found *found)
{
	unsigned least = 0, want = (unsigned)strtoul(rule->value, NULL, 10);
	const struct check_probe *which = NULL;

	for (size_t i = 0; i < CHECK_SUITES_MAX; i++) {
		prime_take(&s->suite[i], &least, &which);
		prime_take(&s->suite_low[i], &least, &which);
	}
	if (!least)
		check_found_set(found, CHECK_NO_WAY, NULL,
		                "it takes no suite with Diffie-Hellman over a finite field");
	else
		check_found_set(found, least >= want ? CHECK_HAS : CHECK_HAS_NOT, which,
		                "the shortest prime it shows has %u bits (%s)", least,
		                check_suite_name(which->answer.suite));
}

static bool group_taken_12(const struct check_probe *p, uint16_t code)
{
	struct check_key_exchange ske;

	return p->answer.outcome == CHECK_ANSWERED && check_key_exchange_read(&p->answer, &ske) &&
	       ske.group == code;
}

void check_judge_group(const struct check_survey *s, const struct profile_rule *rule,
                       struct check_found *found)
{
	size_t count;
	const struct profile_code *group = profile_group_all(&count);

	if (!strcmp(rule->item, "dh-bits")) {
		dh_bits(s, rule, found);
		return;
	}
	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		const struct check_probe *p12 = &s->group[i], *p13 = &s->group_13[i];
		const struct check_probe *p = p13->wanted && !unseen(p12) ? p13 : p12;
		bool in_12 = group_taken_12(p12, group[i].code);
		bool in_13 = p13->answer.outcome == CHECK_ANSWERED;
		char words[CHECK_WORDS];

		if (strcmp(group[i].name, rule->item))
			continue;
		if (!p->wanted || (group[i].code >= 256 && !p13->wanted))
			check_found_set(found, CHECK_NO_WAY, NULL,
			                "it takes no suite that names a group%s",
			                group[i].code >= 256 ? " of this kind" : "");
		else if (in_12 || in_13)
			check_found_set(found, CHECK_HAS, in_13 ? p13 : p12, "alone in %s%s%s",
			                in_13 ? "TLS 1.3" : "", in_12 && in_13 ? " and " : "",
			                in_12 ? "TLS up to 1.2" : "");
		else
			check_found_set(found, unseen(p) ? CHECK_UNSEEN : CHECK_HAS_NOT, p,
			                "offered alone: %s",
			                check_probe_words(p, words, sizeof(words)));
	}
}

/* -- signatures -------------------------------------------------------------------------------- */

static bool of_rsa(uint16_t scheme)
{
	return (scheme & 0xff) == 1 || (scheme >= 0x0804 && scheme <= 0x0806);
}

static bool of_ecdsa(uint16_t scheme)
{
	return (scheme & 0xff) == 3 && scheme < 0x0800;
}

static const struct check_probe *signature_taken(const struct check_survey *s, size_t i,
                                                 uint16_t code)
{
	struct check_key_exchange ske;

	if (s->signature_13[i].answer.outcome == CHECK_ANSWERED)
		return &s->signature_13[i];
	return s->signature[i].answer.outcome == CHECK_ANSWERED &&
	                       check_key_exchange_read(&s->signature[i].answer, &ske) &&
	                       ske.signature == code
	               ? &s->signature[i]
	               : NULL;
}

static void signature_class(const struct check_survey *s, const struct profile *profile,
                            const struct profile_rule *rule, const struct check_terms *terms,
                            struct check_found *found)
{
	size_t count, len = 0, asked = 0, stalled = 0;
	const struct profile_code *signature = profile_signature_all(&count);
	const struct check_probe *first = NULL;
	char list[200] = "";

	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		const struct check_probe *p = signature_taken(s, i, signature[i].code);

		if (!profile_rule_covers(rule, PROFILE_SIGNATURE, signature[i].code) ||
		    check_code_overruled(profile, rule, signature[i].code, terms))
			continue;
		asked += s->signature[i].wanted || s->signature_13[i].wanted;
		stalled += unseen(&s->signature[i]) || unseen(&s->signature_13[i]);
		if (!p)
			continue;
		first = first ? first : p;
		if (len < sizeof(list) - 32)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
			                        len ? ", " : "", signature[i].name);
	}
	if (!asked)
		check_found_set(found, CHECK_NO_WAY, NULL,
		                "it takes no version in which signatures are named");
	else if (first)
		check_found_set(found, CHECK_HAS, first, "signs with %s", list);
	else if (stalled)
		check_found_set(found, CHECK_UNSEEN, NULL, "%zu of %zu offers were not answered",
		                stalled, asked);
	else
		check_found_set(found, CHECK_HAS_NOT, NULL, "signs with none of %zu", asked);
}

static void signature_alone(const struct check_survey *s, uint16_t code, size_t i,
                            struct check_found *found)
{
	const struct check_probe *taken = signature_taken(s, i, code);
	bool in_13 = s->signature_13[i].wanted && !unseen(&s->signature[i]);
	const struct check_probe *p = in_13 ? &s->signature_13[i] : &s->signature[i];
	char words[CHECK_WORDS];

	if (taken)
		check_found_set(found, CHECK_HAS, taken, "offered alone: %s",
		                check_probe_words(taken, words, sizeof(words)));
	else if (!p->wanted || s->psk_only)
		check_found_set(found, CHECK_NO_WAY, NULL, "nothing that it takes is signed so");
	else if (unseen(p))
		check_found_set(found, CHECK_UNSEEN, p, "offered alone: no answer in time");
	else if ((of_rsa(code) && !s->rsa) || (of_ecdsa(code) && !s->ecdsa))
		check_found_set(found, CHECK_NO_WAY, p, "the server shows no %s key",
		                of_rsa(code) ? "RSA" : "ECDSA");
	else if (of_ecdsa(code) && s->curve != 23 + (code >> 8) - 4) /* RFC 8446, 4.2.3 */
		check_found_set(found, CHECK_NO_WAY, p, "the server shows no key on that curve");
	else
		check_found_set(found, CHECK_HAS_NOT, p, "offered alone: %s",
		                check_probe_words(p, words, sizeof(words)));
}

void check_judge_signature(const struct check_survey *s, const struct profile *profile,
                           const struct profile_rule *rule, const struct check_terms *terms,
                           struct check_found *found)
{
	size_t count;
	const struct profile_code *signature = profile_signature_all(&count);
	uint16_t code;

	if (!profile_item_code(PROFILE_SIGNATURE, rule->item, &code)) {
		signature_class(s, profile, rule, terms, found);
		return;
	}
	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++)
		if (signature[i].code == code)
			signature_alone(s, code, i, found);
}

/* -- extensions -------------------------------------------------------------------------------- */

enum {
	SERVER_NAME = 0,
	STATUS = 5,
	SUPPORTED_GROUPS = 10,
	SIGNATURE_ALGORITHMS = 13,
	PRE_SHARED_KEY = 41,
	VERSIONS = 43,
	PSK_MODES = 45,
	SHARE = 51
};

/** Those of TLS 1.3 that a ServerHello itself proves, and those that nothing does. */
static bool extension_of_13(const struct check_survey *s, uint16_t code, struct check_found *found)
{
	const struct check_probe *p = &s->version[check_version_index(PROFILE_TLS_1_3)];
	bool up = p->answer.outcome == CHECK_ANSWERED && s->has_13;
	const struct check_probe *old = s->has_13       ? p
	                                : s->part_count ? check_survey_takes(s, s->part[0])
	                                : s->high       ? &s->version[check_version_index(s->high)]
	                                                : NULL;

	switch (code) {
	case VERSIONS:
	case SHARE:
		check_found_set(found,
		                !s->has_13                                 ? CHECK_NO_WAY
		                : check_answer_extension(&p->answer, code) ? CHECK_HAS
		                                                           : CHECK_HAS_NOT,
		                p, up ? "in its hello of TLS 1.3" : "it takes no TLS 1.3");
		return true;
	case SUPPORTED_GROUPS:
		check_found_set(found, s->has_13 || s->part_count ? CHECK_HAS : CHECK_NO_WAY, old,
		                s->has_13 || s->part_count ? "it chose a group out of it"
		                                           : "it takes nothing with a group");
		return true;
	case SIGNATURE_ALGORITHMS:
		up = s->has_13 || check_tls_of(s->high) == PROFILE_TLS_1_2;
		check_found_set(found, up ? CHECK_HAS : CHECK_NO_WAY, old,
		                up ? "it shakes hands by it" : "it takes no version that has it");
		return true;
	case PRE_SHARED_KEY:
	case PSK_MODES:
		check_found_set(found, CHECK_NO_WAY, NULL,
		                "a server shows it in a session of TLS 1.3 with a pre-shared key "
		                "that it takes");
		return true;
	case 44:
	case 50:
		check_found_set(found, CHECK_NO_WAY, NULL,
		                "a server takes it, or sends it of its own accord: no probe asks "
		                "for it");
		return true;
	default:
		return false;
	}
}

/** RFC 6066, 3: who used the name says so; who did not need not. */
static void extension_silent(uint16_t code, const struct check_probe *p, struct check_found *found)
{
	if (code == SERVER_NAME || code == STATUS)
		check_found_set(found, CHECK_NO_WAY, p,
		                code == STATUS ? "no staple came: it may have none to show"
		                               : "no acknowledgement: a server without several "
		                                 "names need not send it (RFC 6066, 3)");
	else
		check_found_set(found, CHECK_HAS_NOT, p, "offered: not in its hello");
}

static void extension_required(const struct check_survey *s, struct check_found *found)
{
	const struct check_probe *p = &s->single[CHECK_ASK_NO_EMS];
	char words[CHECK_WORDS];

	if (!p->wanted)
		check_found_set(found, CHECK_NO_WAY, NULL, "it takes no version that has it");
	else if (unseen(p))
		check_found_set(found, CHECK_UNSEEN, p, "without it: no answer in time");
	else
		check_found_set(found,
		                p->answer.outcome == CHECK_ANSWERED ? CHECK_HAS_NOT : CHECK_HAS, p,
		                "without it: %s", check_probe_words(p, words, sizeof(words)));
}

void check_judge_extension(const struct check_survey *s, const struct check_sessions *sessions,
                           const struct profile_rule *rule, struct check_found *found)
{
	size_t count;
	const struct profile_code *extension = profile_extension_all(&count);
	uint16_t code;

	if (!profile_item_code(PROFILE_EXTENSION, rule->item, &code)) {
		extension_required(s, found);
		return;
	}
	if (sessions && (code == PRE_SHARED_KEY || code == PSK_MODES) &&
	    sessions->trial[CHECK_TRY_13_PSK].yes) {
		check_found_set(found, CHECK_HAS, &sessions->trial[CHECK_TRY_13_PSK].probe, "%s",
		                sessions->trial[CHECK_TRY_13_PSK].text);
		return;
	}
	if (extension_of_13(s, code, found))
		return;
	if (sessions && ((code == SERVER_NAME && sessions->tls13.server_name) ||
	                 (code == STATUS && sessions->tls13.status))) {
		check_found_set(found, CHECK_HAS, &sessions->trial[CHECK_TRY_13].probe,
		                "offered: under TLS 1.3's encryption it is answered");
		return;
	}
	for (size_t i = 0; i < count && i < CHECK_CODES_MAX; i++) {
		const struct check_probe *p = &s->extension[i];

		if (extension[i].code != code)
			continue;
		if (!p->wanted)
			check_found_set(
			        found, CHECK_NO_WAY, NULL, "%s",
			        code == SERVER_NAME && s->high
			                ? "an address is no name to ask for"
			                : "it takes nothing that would show it in the clear");
		else if (unseen(p))
			check_found_set(found, CHECK_UNSEEN, p, "no answer in time");
		else if (check_answer_extension(&p->answer, code) ||
		         (code == STATUS && p->answer.status))
			check_found_set(found, CHECK_HAS, p, "offered: in its hello");
		else
			extension_silent(code, p, found);
	}
}
