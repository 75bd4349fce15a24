/* SPDX-License-Identifier: Apache-2.0 */
/** @file Rules of what is done with a session, and what no rule of its own is for. */
#include <stdlib.h>

#include "check/judge.h"
#include "check/words.h"

static bool unseen(const struct check_probe *p)
{
	return p->wanted &&
	       (p->answer.outcome >= CHECK_STALLED || p->answer.outcome == CHECK_NOTHING);
}

static void no_way(struct check_found *found, const char *why)
{
	check_found_set(found, CHECK_NO_WAY, NULL, "%s", why);
}

/** "24h", "30m", "90s", "7d" of a rule, which the profile's reader has seen to be right. */
static uint32_t duration_s(const char *value)
{
	char *unit;
	unsigned long n = strtoul(value, &unit, 10);

	return (uint32_t)(n * (*unit == 'd' ? 86400 : *unit == 'h' ? 3600 : *unit == 'm' ? 60 : 1));
}

static void compression(const struct check_survey *s, struct check_found *found)
{
	const struct check_probe *p = &s->single[CHECK_ASK_DEFLATE];
	char words[CHECK_WORDS];

	if (!p->wanted)
		check_found_set(found, CHECK_HAS_NOT, NULL, "TLS 1.3 has none (RFC 8446, 4.1.2)");
	else if (unseen(p))
		check_found_set(found, CHECK_UNSEEN, p, "DEFLATE offered: no answer in time");
	else
		check_found_set(found, p->answer.compression ? CHECK_HAS : CHECK_HAS_NOT, p,
		                "DEFLATE offered: %s%s", check_probe_words(p, words, sizeof(words)),
		                p->answer.hello && !p->answer.compression ? ", not compressed"
		                                                          : "");
}

/* -- renegotiation ----------------------------------------------------------------------------- */

static void renegotiation_info(const struct check_survey *s, struct check_found *found)
{
	const struct check_probe *p = s->high ? &s->version[check_version_index(s->high)] : NULL;

	if (!p) {
		no_way(found, "TLS 1.3 has no renegotiation");
		return;
	}
	check_found_set(found,
	                check_answer_extension(&p->answer, 0xff01) ? CHECK_HAS : CHECK_HAS_NOT, p,
	                check_answer_extension(&p->answer, 0xff01)
	                        ? "renegotiation_info is in its hello"
	                        : "renegotiation_info offered: not in its hello");
}

static void renegotiation_peer(const struct check_survey *s, struct check_found *found)
{
	const struct check_probe *p = &s->single[CHECK_ASK_NO_RI];
	char words[CHECK_WORDS];

	if (!p->wanted)
		no_way(found, "TLS 1.3 has no renegotiation");
	else
		check_found_set(found,
		                unseen(p)                             ? CHECK_UNSEEN
		                : p->answer.outcome == CHECK_ANSWERED ? CHECK_HAS_NOT
		                                                      : CHECK_HAS,
		                p, "a hello without RFC 5746: %s",
		                check_probe_words(p, words, sizeof(words)));
}

/** Nothing came of it that says yes or no. */
static bool undecided(const struct check_answer *a)
{
	return a->outcome != CHECK_ANSWERED && a->outcome != CHECK_REFUSED;
}

/** What a trial says by itself. */
static void trial_take(const struct check_sessions *sessions, enum check_trial_of which,
                       struct check_found *found)
{
	const struct check_trial *t = sessions ? &sessions->trial[which] : NULL;
	const struct check_trial *full = sessions ? &sessions->trial[CHECK_TRY_FULL] : NULL;

	if (t && t->tried)
		check_found_set(found,
		                t->yes                        ? CHECK_HAS
		                : undecided(&t->probe.answer) ? CHECK_UNSEEN
		                                              : CHECK_HAS_NOT,
		                &t->probe, "%s", t->text);
	else if (full && full->tried && !full->yes)
		check_found_set(found, CHECK_UNSEEN, &full->probe, "%s", full->text);
	else
		no_way(found, "only a session would show it, of a kind that this checker cannot "
		              "establish");
}

/** Either way to renegotiate without the protection of RFC 5746 is one too many. */
static void insecure(const struct check_sessions *sessions, struct check_found *found)
{
	struct check_found legacy = { .text = "" }, spliced = { .text = "" };

	trial_take(sessions, CHECK_TRY_LEGACY, &legacy);
	trial_take(sessions, CHECK_TRY_SPLICED, &spliced);
	if (legacy.has == CHECK_HAS)
		check_found_set(found, CHECK_HAS, legacy.probe, "a client without RFC 5746: %s",
		                legacy.text);
	else if (spliced.has == CHECK_HAS || spliced.has == CHECK_UNSEEN)
		check_found_set(found, spliced.has, spliced.probe,
		                "a first hello inside another's session: %s", spliced.text);
	else
		check_found_set(found, legacy.has, legacy.probe, "a client without RFC 5746: %s",
		                legacy.text);
}

static void renegotiation(const struct check_survey *s, const struct check_sessions *sessions,
                          const struct profile_rule *rule, struct check_found *found)
{
	if (!strcmp(rule->item, "renegotiation-info"))
		renegotiation_info(s, found);
	else if (!strcmp(rule->item, "renegotiation-info-peer"))
		renegotiation_peer(s, found);
	else if (!strcmp(rule->item, "server-initiated"))
		no_way(found, "only the server knows when it would ask");
	else if (!strcmp(rule->item, "answer-hello-request"))
		no_way(found, "it binds clients");
	else if (!s->high)
		check_found_set(found, CHECK_HAS_NOT, NULL, "TLS 1.3 has no renegotiation");
	else if (!strcmp(rule->item, "client-initiated"))
		trial_take(sessions, CHECK_TRY_SECURED, found);
	else
		insecure(sessions, found);
}

/* -- who shows what ---------------------------------------------------------------------------- */

static void server_certificate(const struct check_survey *s, const struct check_sessions *sessions,
                               struct check_found *found)
{
	const struct check_probe *p;

	for (unsigned i = 0; i < CHECK_VERSIONS; i++) {
		p = &s->version[i];
		if (p->answer.certificates.len) {
			check_found_set(found, CHECK_HAS, p, "a certificate came, in %s",
			                profile_version_name(1U << i));
			return;
		}
	}
	if (sessions && sessions->tls13.up)
		check_found_set(found, sessions->tls13.certificate.len ? CHECK_HAS : CHECK_HAS_NOT,
		                &sessions->trial[CHECK_TRY_13].probe, "in TLS 1.3 %s came",
		                sessions->tls13.certificate.len ? "a certificate"
		                                                : "no certificate");
	else if (s->high)
		check_found_set(found, CHECK_HAS_NOT, &s->version[check_version_index(s->high)],
		                "no certificate came");
	else
		no_way(found, "TLS 1.3 hides it, and no session was established");
}

/** It may ask in one version only: what is forbidden is so in each, what is asked for likewise. */
static void client_certificate(const struct check_survey *s, const struct check_sessions *sessions,
                               const struct profile_rule *rule, struct check_found *found)
{
	const struct check_probe *p = s->high ? &s->version[check_version_index(s->high)] : NULL;
	const struct check_session13 *up = sessions && sessions->tls13.up ? &sessions->tls13 : NULL;
	bool odd = up && up->certificate_request != !profile_strength_negative(rule->strength);

	if (up && (!p || odd))
		check_found_set(found, up->certificate_request ? CHECK_HAS : CHECK_HAS_NOT,
		                &sessions->trial[CHECK_TRY_13].probe, "in TLS 1.3 it %s",
		                up->certificate_request ? "asks for one" : "does not ask for one");
	else if (!p)
		no_way(found, "TLS 1.3 hides whether it asks for one");
	else if (!p->answer.certificate_request && !p->answer.done)
		check_found_set(found, CHECK_UNSEEN, p, "the rest of its flight did not come");
	else
		check_found_set(found, p->answer.certificate_request ? CHECK_HAS : CHECK_HAS_NOT, p,
		                p->answer.certificate_request ? "it asks for one"
		                                              : "it does not ask for one");
}

static void psk(const struct check_survey *s, const struct check_sessions *sessions,
                struct check_found *found)
{
	const struct check_trial *t = sessions ? &sessions->trial[CHECK_TRY_13_PSK] : NULL;
	const struct check_probe *silent = NULL;
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	for (size_t i = 0; i < count && i < CHECK_SUITES_MAX; i++) {
		const struct check_probe *p = check_survey_takes(s, suite[i].code);

		if (p && (suite[i].flags & PROFILE_SUITE_PSK)) {
			check_found_set(found, CHECK_HAS, p, "takes %s", suite[i].name);
			return;
		}
		if ((suite[i].flags & PROFILE_SUITE_PSK) && unseen(&s->suite[i]))
			silent = &s->suite[i];
	}
	if (t && t->yes)
		check_found_set(found, CHECK_HAS, &t->probe, "%s", t->text);
	else if (silent)
		check_found_set(found, CHECK_UNSEEN, silent,
		                "not every suite of pre-shared keys was answered");
	else if (s->high)
		check_found_set(found, CHECK_HAS_NOT, NULL, "takes no suite of pre-shared keys");
	else
		no_way(found, "in TLS 1.3 that shows with the right key alone");
}

/** The rule is kept where psk_ke is not taken; without the right key nothing is. */
static void psk_dhe_only(const struct check_sessions *sessions, struct check_found *found)
{
	const struct check_trial *t = sessions ? &sessions->trial[CHECK_TRY_13_PSK_KE] : NULL;

	if (!t || !t->tried)
		no_way(found, "shows in TLS 1.3 with the right key alone");
	else
		check_found_set(found,
		                undecided(&t->probe.answer) ? CHECK_UNSEEN
		                : t->yes                    ? CHECK_HAS_NOT
		                                            : CHECK_HAS,
		                &t->probe, "%s", t->text);
}

static void authentication(const struct check_survey *s, const struct check_sessions *sessions,
                           const struct profile_rule *rule, struct check_found *found)
{
	if (!strcmp(rule->item, "server-certificate"))
		server_certificate(s, sessions, found);
	else if (!strcmp(rule->item, "client-certificate"))
		client_certificate(s, sessions, rule, found);
	else if (!strcmp(rule->item, "psk"))
		psk(s, sessions, found);
	else if (!strcmp(rule->item, "psk-dhe-only"))
		psk_dhe_only(sessions, found);
	else if (!strcmp(rule->item, "session-binding"))
		no_way(found, "the binding of session and registration is SIP's");
	else
		no_way(found, "fingerprints travel in SDP, which is not looked at");
}

/* -- taken up again ---------------------------------------------------------------------------- */

/** Where earlier versions show nothing of it, TLS 1.3 may. */
static void of_13(const struct check_sessions *sessions, struct check_found *found)
{
	const struct check_trial *t = sessions ? &sessions->trial[CHECK_TRY_13_TICKET] : NULL;

	const struct check_trial *full = sessions ? &sessions->trial[CHECK_TRY_13] : NULL;

	if (found->has == CHECK_NO_WAY && full && full->tried && !full->yes)
		check_found_set(found, CHECK_UNSEEN, &full->probe, "%s", full->text);
	if (found->has == CHECK_NO_WAY && t && t->tried)
		check_found_set(found,
		                t->yes                        ? CHECK_HAS
		                : undecided(&t->probe.answer) ? CHECK_UNSEEN
		                                              : CHECK_HAS_NOT,
		                &t->probe, "%s", t->text);
}

static void resumption(const struct check_sessions *sessions, const struct profile_rule *rule,
                       struct check_found *found)
{
	struct check_found by_id = { .text = "" };

	trial_take(sessions, !strcmp(rule->item, "session-ids") ? CHECK_TRY_ID : CHECK_TRY_TICKET,
	           found);
	if (!strcmp(rule->item, "tickets") || !strcmp(rule->item, "tickets-preferred"))
		of_13(sessions, found);
	if (strcmp(rule->item, "any") != 0 || found->has == CHECK_HAS)
		return;
	trial_take(sessions, CHECK_TRY_ID, &by_id);
	if (by_id.has == CHECK_HAS || found->has == CHECK_NO_WAY)
		*found = by_id;
	of_13(sessions, found);
}

static void lifetime(const struct check_sessions *sessions, const struct profile_rule *rule,
                     struct check_found *found)
{
	uint32_t want = duration_s(rule->value), claimed = sessions ? sessions->lifetime_s : 0;
	const struct check_probe *p = sessions ? &sessions->trial[CHECK_TRY_TICKET].probe : NULL;
	bool most = !strcmp(rule->item, "maximum");

	if (sessions && sessions->tls13.tickets && sessions->tls13.lifetime_s > claimed) {
		claimed = sessions->tls13.lifetime_s;
		p = &sessions->trial[CHECK_TRY_13].probe;
	}
	if (!sessions || (!sessions->ticket && !sessions->tls13.tickets))
		no_way(found, "no ticket came: only tickets claim a lifetime");
	else if (!claimed)
		no_way(found, "its ticket claims none (RFC 5077, 3.3)");
	else if (most || claimed == want)
		check_found_set(found, claimed <= want ? CHECK_HAS : CHECK_HAS_NOT, p,
		                "its ticket claims %u s", claimed);
	else
		check_found_set(found, CHECK_NO_WAY, p,
		                "its ticket claims %u s: local policy may well say so", claimed);
}

static void failure(const struct check_sessions *sessions, const struct profile_rule *rule,
                    struct check_found *found)
{
	if (!strcmp(rule->item, "alert"))
		no_way(found, "it binds clients");
	else if (strcmp(rule->item, "unknown-identity-alert") != 0)
		no_way(found, "what SIP does is not looked at");
	else if (sessions && sessions->trial[CHECK_TRY_IDENTITY].tried)
		trial_take(sessions, CHECK_TRY_IDENTITY, found);
	else if (sessions && sessions->trial[CHECK_TRY_13_IDENTITY].tried)
		trial_take(sessions, CHECK_TRY_13_IDENTITY, found);
	else
		no_way(found, "it takes no suite of pre-shared keys in which this could be tried");
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void scope(const struct check_survey *s, const struct profile_rule *rule,
                  struct check_found *found)
{
	unsigned port = s->target->port;

	if (!strcmp(rule->item, "port-5061") && (port == 5061 || port == 443))
		check_found_set(found, CHECK_HAS, NULL, "it was found on port %u", port);
	else if (!strcmp(rule->item, "port-5061"))
		no_way(found, "the operator may publish this port");
	else
		no_way(found, "it says where the profile holds, or what is above TLS");
}

void check_judge_ways(const struct check_survey *s, const struct check_sessions *sessions,
                      const struct profile_rule *rule, struct check_found *found)
{
	switch (rule->subject) {
	case PROFILE_COMPRESSION:
		compression(s, found);
		break;
	case PROFILE_RENEGOTIATION:
		renegotiation(s, sessions, rule, found);
		break;
	case PROFILE_AUTHENTICATION:
		authentication(s, sessions, rule, found);
		break;
	case PROFILE_RESUMPTION:
		resumption(sessions, rule, found);
		break;
	case PROFILE_LIFETIME:
		lifetime(sessions, rule, found);
		break;
	case PROFILE_FAILURE:
		failure(sessions, rule, found);
		break;
	default:
		scope(s, rule, found);
	}
}

/* -- of no rule of its own --------------------------------------------------------------------- */

/** The first suite of the profile's precedence that the server takes in that version. */
static uint16_t preferred(const struct profile *profile, const uint16_t *taken, size_t count)
{
	for (size_t i = 0; i < profile->suite_precedence.count; i++)
		for (size_t k = 0; k < count; k++)
			if (taken[k] == profile->suite_precedence.code[i])
				return taken[k];
	return 0;
}

static void precedence(struct check_report *report, const struct check_survey *s,
                       const struct profile *profile, enum check_single one, uint16_t want)
{
	const struct check_probe *p = &s->single[one], *q = &s->single[one + 1];
	const struct check_probe *odd = p->answer.suite == want ? q : p;

	if (!want || !p->wanted)
		return;
	if (p->answer.outcome != CHECK_ANSWERED || q->answer.outcome != CHECK_ANSWERED)
		check_report_note(report, "precedence", CHECK_UNTESTED,
		                  p->answer.outcome != CHECK_ANSWERED ? p : q,
		                  "not every offer of what it takes was answered");
	else if (p->answer.suite == want && q->answer.suite == want)
		check_report_note(report, "precedence", CHECK_PASS, p,
		                  "%s: in either order of the offer it takes %s",
		                  profile_version_name(p->offer.version), check_suite_name(want));
	else
		check_report_note(
		        report, "precedence", CHECK_WARN, odd,
		        "%s: takes %s where %s is first in the profile's order (%s %s, %s); "
		        "%s",
		        profile_version_name(p->offer.version), check_suite_name(odd->answer.suite),
		        check_suite_name(want), profile->document, profile->clause,
		        profile->release,
		        p->answer.suite == q->answer.suite ? "it has another order"
		                                           : "it goes by the client's");
}

void check_judge_precedence(struct check_report *report, const struct check_survey *s,
                            const struct profile *profile, const struct check_terms *terms)
{
	(void)terms;
	precedence(report, s, profile, CHECK_ASK_ORDER,
	           preferred(profile, s->taken, s->taken_count));
	precedence(report, s, profile, CHECK_ASK_ORDER_13,
	           preferred(profile, s->taken_13, s->taken_13_count));
}

void check_judge_notes(struct check_report *report, const struct check_survey *s)
{
	const struct check_probe *fallback = &s->single[CHECK_ASK_FALLBACK],
	                         *scsv = &s->single[CHECK_ASK_SCSV];
	char words[CHECK_WORDS];

	if (fallback->wanted)
		check_report_note(report, "fallback", CHECK_NOTED, fallback,
		                  "RFC 7507: %s with the signal of a fallback: %s",
		                  profile_version_name(fallback->offer.version),
		                  check_probe_words(fallback, words, sizeof(words)));
	if (scsv->wanted)
		check_report_note(report, "renegotiation-scsv", CHECK_NOTED, scsv,
		                  "RFC 5746, 3.6: the signal as a suite: %s",
		                  check_answer_extension(&scsv->answer, 0xff01)
		                          ? "answered with renegotiation_info"
		                          : check_probe_words(scsv, words, sizeof(words)));
}

void check_judge_psk13(struct check_report *report, const struct check_sessions *sessions)
{
	const struct check_trial *right = &sessions->trial[CHECK_TRY_13_PSK],
	                         *wrong = &sessions->trial[CHECK_TRY_13_KEY],
	                         *early = &sessions->trial[CHECK_TRY_13_EARLY];

	if (sessions->tls13.early_ticket)
		check_report_note(report, "early-data", CHECK_WARN,
		                  &sessions->trial[CHECK_TRY_13].probe,
		                  "RFC 8446, 8: what comes so may come twice: its tickets take "
		                  "early_data");
	if (right->tried)
		check_report_note(report, "psk-of-tls13", CHECK_NOTED, &right->probe, "%s",
		                  right->text);
	if (wrong->tried)
		check_report_note(report, "psk-binder",
		                  undecided(&wrong->probe.answer) ? CHECK_UNTESTED
		                  : wrong->yes                    ? CHECK_PASS
		                                                  : CHECK_FAIL,
		                  &wrong->probe, "RFC 8446, 4.2.11: %s", wrong->text);
	if (early->tried)
		check_report_note(report, "early-data",
		                  undecided(&early->probe.answer) ? CHECK_UNTESTED
		                  : early->yes                    ? CHECK_WARN
		                                                  : CHECK_PASS,
		                  &early->probe, "RFC 8446, 8: what comes so may come twice: %s",
		                  early->text);
}
