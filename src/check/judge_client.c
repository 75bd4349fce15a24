/* SPDX-License-Identifier: Apache-2.0 */
/** @file A client's offer, and what it did with answers, held against a profile. */
#include <errno.h>
#include <stdio.h>

#include "check/client.h"
#include "check/words.h"

static void no_way(struct check_found *found, const char *why)
{
	check_found_set(found, CHECK_NO_WAY, NULL, "%s", why);
}

static const char *reaction(const struct check_lured *l, char *buf, size_t cap)
{
	if (l->probe.answer.alert >= 0)
		(void)snprintf(buf, cap, "alert %s (%d)", check_alert_name(l->probe.answer.alert),
		               l->probe.answer.alert);
	else
		(void)snprintf(buf, cap, "%s",
		               l->went_on ? "it went on"
		               : l->probe.answer.outcome == CHECK_STALLED
		                       ? "it waited for more"
		                       : "it ended the connection "
		                         "without a word");
	return buf;
}

/** Why no session says anything. */
static const char *no_session(const struct check_client *c)
{
	if (!c->host.identity && !c->host.psk)
		return "it would take a session: --cert and --key, or --psk-file, let it have one";
	if (c->trial[CHECK_VISIT_FULL].tried)
		return "its hello leaves nothing to try, or it did not come again";
	return "it did not come again to have a session, or offers no suite that this checker has "
	       "with what it was given";
}

/** What a session's trial says by itself. */
static void by_trial(const struct check_client *c, enum check_visit which,
                     struct check_found *found)
{
	const struct check_trial *t = &c->trial[which], *full = &c->trial[CHECK_VISIT_FULL];

	if (t->tried && t->probe.answer.outcome == CHECK_ANSWERED)
		check_found_set(found, t->yes ? CHECK_HAS : CHECK_HAS_NOT, &t->probe, "%s",
		                t->text);
	else if (t->tried && t->probe.answer.outcome == CHECK_REFUSED)
		check_found_set(found, CHECK_UNSEEN, &t->probe, "%s", t->text);
	else if (t->tried)
		check_found_set(found, CHECK_NO_WAY, &t->probe, "%s", t->text);
	else if (full->tried && !full->yes)
		check_found_set(found, CHECK_UNSEEN, &full->probe, "%s", full->text);
	else
		no_way(found, no_session(c));
}

/* -- versions ---------------------------------------------------------------------------------- */

static void version(const struct check_client *c, const struct profile_rule *rule,
                    struct check_found *found)
{
	unsigned v = profile_version_find(base_str_of(rule->item));
	unsigned lure =
	        check_version_index(v) - check_version_index(PROFILE_SSL_3_0) + CHECK_LURE_SSL_3_0;
	const struct check_lured *l = lure < CHECK_LURES ? &c->lured[lure] : NULL;
	char words[CHECK_WORDS];

	if (v & PROFILE_DTLS_ALL)
		no_way(found, "a stream was looked at");
	else if (c->offered.versions & v)
		check_found_set(found, CHECK_HAS, &c->hello, "it offers it");
	else if (c->offered.listed || v == PROFILE_SSL_2_0 ||
	         profile_version_wire(v) > c->offered.legacy_version)
		check_found_set(found, CHECK_HAS_NOT, &c->hello, "it does not offer it");
	else if (!l || !l->tried)
		no_way(found, "below the version that it names: it did not come again to be "
		              "answered so");
	else
		check_found_set(
		        found, l->went_on || l->about_certificate ? CHECK_HAS : CHECK_HAS_NOT,
		        &l->probe, "answered with it: %s", reaction(l, words, sizeof(words)));
}

/* -- code points ------------------------------------------------------------------------------- */

static struct check_bytes list_of(const struct check_client *c, enum profile_subject subject)
{
	return subject == PROFILE_SUITE   ? c->offered.suites
	       : subject == PROFILE_GROUP ? c->offered.groups
	                                  : c->offered.signatures;
}

static void class_of(const struct check_client *c, const struct profile *profile,
                     const struct profile_rule *rule, const struct check_terms *terms,
                     struct check_found *found)
{
	enum { NAMED = 6 };
	struct check_bytes list = list_of(c, rule->subject);
	char names[NAMED * 64] = "";
	size_t len = 0, count = 0;

	for (size_t i = 0; i + 1 < list.len; i += 2) {
		uint16_t code = (uint16_t)(list.data[i] << 8 | list.data[i + 1]);

		if (!profile_rule_covers(rule, rule->subject, code) ||
		    check_code_overruled(profile, rule, code, terms))
			continue;
		if (++count <= NAMED)
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
			                        len ? ", " : "",
			                        profile_code_name(rule->subject, code));
	}
	check_found_set(found, count ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "offers %zu%s%s%s",
	                count, count ? ": " : "", names, count > NAMED ? ", ..." : "");
}

static void codes(const struct check_client *c, const struct profile *profile,
                  const struct profile_rule *rule, const struct check_terms *terms,
                  struct check_found *found)
{
	struct check_bytes list = list_of(c, rule->subject);
	uint16_t code;
	bool has;

	if (profile_item_is_class(rule->item)) {
		class_of(c, profile, rule, terms, found);
	} else if (!profile_item_code(rule->subject, rule->item, &code)) {
		no_way(found, "only the server's group has a length");
	} else {
		has = check_codes_hold(list, code);
		check_found_set(found, has ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "%s",
		                has ? "it offers it" : "it does not offer it");
	}
}

static void extension(const struct check_client *c, const struct profile_rule *rule,
                      struct check_found *found)
{
	bool info, has;
	uint16_t code;

	if (!profile_item_code(PROFILE_EXTENSION, rule->item, &code)) {
		by_trial(c, CHECK_VISIT_NO_EMS, found);
		return;
	}
	info = code == 0xff01 && check_codes_hold(c->offered.suites, CHECK_SCSV_RENEGOTIATION);
	has = check_offered_extension(&c->offered, code) != NULL;
	if (!has && (code == 0 || code == 44 || code == 50))
		no_way(found, code == 0    ? "it may know the server by its address alone"
		              : code == 44 ? "it sends it back where a server asks"
		                           : "signature_algorithms may stand for both (RFC 8446, "
		                             "4.2.3)");
	else
		check_found_set(found, has || info ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "%s",
		                has    ? "it is in its hello"
		                : info ? "its signal is among the suites (RFC 5746, 3.3)"
		                       : "it is not in its hello");
}

/* -- the rest ---------------------------------------------------------------------------------- */

static void compression(const struct check_client *c, struct check_found *found)
{
	bool some = false;

	for (size_t i = 0; i < c->offered.compressions.len; i++)
		some |= c->offered.compressions.data[i] != 0;
	check_found_set(found, some ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "%s",
	                some ? "it offers to compress" : "it offers the null method only");
}

static void by_lure(const struct check_lured *l, bool yes, const char *what,
                    struct check_found *found)
{
	char words[CHECK_WORDS];

	if (!l->tried)
		no_way(found, "it did not come again to be answered so");
	else if (l->probe.answer.outcome == CHECK_STALLED)
		no_way(found, "it waits for more than this checker answers");
	else
		check_found_set(found, yes ? CHECK_HAS : CHECK_HAS_NOT, &l->probe, "%s: %s", what,
		                reaction(l, words, sizeof(words)));
}

/** Up to TLS 1.2 or, where that was not seen, in TLS 1.3. */
static void by_either(const struct check_client *c, enum check_visit old, enum check_visit in_13,
                      struct check_found *found)
{
	enum check_visit full = CHECK_VISIT_13_FULL;

	if (!c->trial[old].tried && c->trial[in_13].tried)
		by_trial(c, in_13, found);
	else if (!c->trial[CHECK_VISIT_FULL].tried && c->trial[full].tried && !c->trial[full].yes)
		by_trial(c, full, found);
	else
		by_trial(c, old, found);
}

static void renegotiation(const struct check_client *c, const struct profile_rule *rule,
                          struct check_found *found)
{
	const struct check_lured *l = &c->lured[CHECK_LURE_NO_RI];
	bool info = check_offered_extension(&c->offered, 0xff01) ||
	            check_codes_hold(c->offered.suites, CHECK_SCSV_RENEGOTIATION);

	if (!strcmp(rule->item, "renegotiation-info"))
		check_found_set(found, info ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "%s",
		                info ? "RFC 5746 is signalled" : "no word of RFC 5746");
	else if (!strcmp(rule->item, "renegotiation-info-peer"))
		by_lure(l, !l->went_on && !l->about_certificate, "a server without RFC 5746",
		        found);
	else if (!strcmp(rule->item, "server-initiated"))
		no_way(found, "it binds servers");
	else if (!(c->offered.versions & (PROFILE_TLS_1_3 - 1U)))
		no_way(found, "TLS 1.3 has no renegotiation");
	else if (!strcmp(rule->item, "answer-hello-request"))
		by_trial(c, CHECK_VISIT_ASKED, found);
	else if (!strcmp(rule->item, "client-initiated-insecure"))
		by_trial(c, CHECK_VISIT_UNSECURED, found);
	else if (c->trial[CHECK_VISIT_FULL].yes && !c->trial[CHECK_VISIT_BEGUN].tried)
		no_way(found, "it began none while it was looked at; only it knows when it would");
	else
		by_trial(c, CHECK_VISIT_BEGUN, found);
}

static void failure(const struct check_client *c, const struct profile_rule *rule,
                    struct check_found *found)
{
	const struct check_lured *l = &c->lured[CHECK_LURE_STRANGER];

	if (strcmp(rule->item, "alert") != 0)
		no_way(found, "it binds servers, or what is above TLS");
	else if (!l->tried && c->trial[CHECK_VISIT_13_STRANGER].tried)
		by_trial(c, CHECK_VISIT_13_STRANGER, found);
	else if (l->went_on)
		no_way(found, "it went on to its key exchange: what it thinks of the certificate "
		              "comes later");
	else
		by_lure(l, l->probe.answer.alert > 0, "a certificate by nobody it can know", found);
}

/** psk_key_exchange_modes (RFC 8446, 4.2.9). */
static void psk_modes(const struct check_client *c, struct check_found *found)
{
	const struct check_extension *e = check_offered_extension(&c->offered, 45);
	bool alone = false;

	for (size_t i = 1; e && i < e->data.len; i++)
		alone |= !e->data.data[i];
	if (!e)
		no_way(found, "it offers no pre-shared keys of TLS 1.3");
	else
		check_found_set(found, alone ? CHECK_HAS_NOT : CHECK_HAS, &c->hello, "%s",
		                alone ? "it offers psk_ke, without forward secrecy"
		                      : "it offers psk_dhe_ke alone");
}

static void authentication(const struct check_client *c, const struct profile_rule *rule,
                           struct check_found *found)
{
	bool psk = check_offered_extension(&c->offered, 41) != NULL;

	for (size_t i = 0; i + 1 < c->offered.suites.len; i += 2) {
		const struct profile_suite *suite = profile_suite_find(
		        (uint16_t)(c->offered.suites.data[i] << 8 | c->offered.suites.data[i + 1]));

		psk |= suite && (suite->flags & PROFILE_SUITE_PSK);
	}
	if (!strcmp(rule->item, "psk"))
		check_found_set(found, psk ? CHECK_HAS : CHECK_HAS_NOT, &c->hello, "%s",
		                psk ? "it offers pre-shared keys" : "it offers no pre-shared keys");
	else if (!strcmp(rule->item, "psk-dhe-only"))
		psk_modes(c, found);
	else if (!strcmp(rule->item, "client-certificate") &&
	         !profile_strength_negative(rule->strength))
		by_either(c, CHECK_VISIT_CERTIFICATE, CHECK_VISIT_13_CERTIFICATE, found);
	else
		no_way(found, "it binds servers, or travels above TLS");
}

/** A session id shows once it is offered; whether a ticket is wanted, its hello says. */
static void resumption(const struct check_client *c, const struct profile_rule *rule,
                       struct check_found *found)
{
	const struct check_trial *id = &c->trial[CHECK_VISIT_ID],
	                         *again = &c->trial[c->trial[CHECK_VISIT_TICKET_AGAIN].yes
	                                                    ? CHECK_VISIT_TICKET_AGAIN
	                                                    : CHECK_VISIT_13_TICKET];
	bool ticket = check_offered_extension(&c->offered, 35) ||
	              check_offered_extension(&c->offered, 45);

	if (!strcmp(rule->item, "session-ids") || (!strcmp(rule->item, "any") && id->yes))
		by_trial(c, CHECK_VISIT_ID, found);
	else if (again->yes)
		check_found_set(found, CHECK_HAS, &again->probe, "%s", again->text);
	else if (ticket)
		check_found_set(found, CHECK_HAS, &c->hello, "it asks for tickets");
	else if (!strcmp(rule->item, "any"))
		by_trial(c, CHECK_VISIT_ID, found);
	else
		check_found_set(found, CHECK_HAS_NOT, &c->hello, "it does not ask for tickets");
}

/** TS 33.203, O.2: who offers a suite without encryption offers one that encrypts, too. */
static void scope(const struct check_client *c, const struct profile_rule *rule,
                  struct check_found *found)
{
	bool null = false, encrypts = false;

	for (size_t i = 0; i + 1 < c->offered.suites.len; i += 2) {
		const struct profile_suite *suite = profile_suite_find(
		        (uint16_t)(c->offered.suites.data[i] << 8 | c->offered.suites.data[i + 1]));

		null |= suite && (suite->flags & PROFILE_SUITE_NULL);
		encrypts |= suite && !(suite->flags & PROFILE_SUITE_NULL);
	}
	if (strcmp(rule->item, "offer-an-encrypting-suite") != 0)
		no_way(found, "it says where the profile holds, or what is above TLS");
	else
		check_found_set(found, encrypts || !null ? CHECK_HAS : CHECK_HAS_NOT, &c->hello,
		                "%s",
		                encrypts ? "it offers suites that encrypt" : "it offers none");
}

static void look(const void *arg, const struct profile *profile, const struct profile_rule *rule,
                 const struct check_terms *terms, struct check_found *found)
{
	const struct check_client *c = arg;

	switch (rule->subject) {
	case PROFILE_VERSION:
		version(c, rule, found);
		break;
	case PROFILE_SUITE:
	case PROFILE_GROUP:
	case PROFILE_SIGNATURE:
		codes(c, profile, rule, terms, found);
		break;
	case PROFILE_EXTENSION:
		extension(c, rule, found);
		break;
	case PROFILE_COMPRESSION:
		compression(c, found);
		break;
	case PROFILE_RENEGOTIATION:
		renegotiation(c, rule, found);
		break;
	case PROFILE_RESUMPTION:
		resumption(c, rule, found);
		break;
	case PROFILE_LIFETIME:
		no_way(found, "how long a client keeps a session does not show");
		break;
	case PROFILE_AUTHENTICATION:
		authentication(c, rule, found);
		break;
	case PROFILE_FAILURE:
		failure(c, rule, found);
		break;
	case PROFILE_SCOPE:
		scope(c, rule, found);
		break;
	default:
		no_way(found, "it is about certificates");
	}
}

/* -- of no rule of its own --------------------------------------------------------------------- */

/** The client's order beside the profile's: the first pair that stands the other way round. */
static void precedence(struct check_report *report, const struct check_client *c,
                       const struct profile *profile)
{
	const struct check_bytes list = c->offered.suites;
	size_t last = 0;

	for (size_t i = 0; i + 1 < list.len; i += 2) {
		uint16_t code = (uint16_t)(list.data[i] << 8 | list.data[i + 1]);

		for (size_t k = 0; k < profile->suite_precedence.count; k++) {
			if (profile->suite_precedence.code[k] != code)
				continue;
			if (k < last) {
				check_report_note(
				        report, "precedence", CHECK_WARN, &c->hello,
				        "it offers %s before %s, against the profile's order (%s "
				        "%s, %s)",
				        check_suite_name(profile->suite_precedence.code[last]),
				        check_suite_name(code), profile->document, profile->clause,
				        profile->release);
				return;
			}
			last = k;
		}
	}
	check_report_note(report, "precedence", CHECK_PASS, &c->hello,
	                  "what the profile orders it offers in that order");
}

static void lured_note(struct check_report *report, const struct check_client *c,
                       enum check_lure lure, const char *topic, const char *what)
{
	const struct check_lured *l = &c->lured[lure];
	char words[CHECK_WORDS];

	if (l->tried)
		check_report_note(report, topic,
		                  l->went_on || l->about_certificate ? CHECK_FAIL : CHECK_PASS,
		                  &l->probe, "RFC 5246, 7.4.1.3: %s: %s", what,
		                  reaction(l, words, sizeof(words)));
}

/** What an RFC asks of every client, whatever the profile. */
static void trial_note(struct check_report *report, const struct check_client *c,
                       enum check_visit which, const char *topic, const char *what)
{
	const struct check_trial *t = &c->trial[which];

	if (t->tried && t->probe.answer.outcome == CHECK_ANSWERED)
		check_report_note(report, topic, t->yes ? CHECK_PASS : CHECK_FAIL, &t->probe,
		                  "%s: %s", what, t->text);
}

static void sessions_note(struct check_report *report, const struct check_client *c)
{
	const struct check_trial *full = &c->trial[CHECK_VISIT_FULL];

	if (full->tried)
		check_report_note(report, "session", full->yes ? CHECK_NOTED : CHECK_UNTESTED,
		                  &full->probe, "%s", full->text);
	full = &c->trial[CHECK_VISIT_13_FULL];
	if (full->tried)
		check_report_note(report, "session-of-tls13",
		                  full->yes ? CHECK_NOTED : CHECK_UNTESTED, &full->probe, "%s",
		                  full->text);
	trial_note(report, c, CHECK_VISIT_SPOILT, "renegotiation-info-first",
	           "RFC 5746, 3.4: answered with a renegotiation_info that is not empty");
	trial_note(report, c, CHECK_VISIT_SPOILT_AGAIN, "renegotiation-info-again",
	           "RFC 5746, 3.5: renegotiating, answered with one of another session");
	trial_note(report, c, CHECK_VISIT_FINISHED, "wrong-finished",
	           "RFC 5246, 7.4.9: a wrong Finished");
	trial_note(report, c, CHECK_VISIT_13_FINISHED, "wrong-finished-of-tls13",
	           "RFC 8446, 4.4.4: a wrong Finished");
	trial_note(report, c, CHECK_VISIT_13_SIGNATURE, "wrong-signature-of-tls13",
	           "RFC 8446, 4.4.3: a wrong CertificateVerify");
	trial_note(report, c, CHECK_VISIT_13_UPDATE, "key-update",
	           "RFC 8446, 4.6.3: a KeyUpdate that asks for its own");
	if (c->unbound)
		check_report_note(report, "renegotiation-info-own", CHECK_FAIL,
		                  &c->trial[CHECK_VISIT_ASKED].probe,
		                  "RFC 5746, 3.5: it renegotiated without the verify_data of its "
		                  "session");
	if (c->certificate.len && !c->proved)
		check_report_note(report, "certificate-verify", CHECK_FAIL,
		                  &c->trial[CHECK_VISIT_CERTIFICATE].probe,
		                  "RFC 5246, 7.4.8: it did not prove to have the key of its "
		                  "certificate");
}

int check_client_judge(struct check_report *report, const struct check_client *c,
                       const struct profile *profile, const struct check_terms *terms,
                       struct base_error *err)
{
	if (profile->certificates)
		return check_client_certificate_judge(report, c, profile, err);
	check_judge_rules(report, profile, terms, look, c);
	precedence(report, c, profile);
	lured_note(report, c, CHECK_LURE_DEFLATE, "unoffered-compression", "answered with DEFLATE");
	lured_note(report, c, CHECK_LURE_UNOFFERED, "unoffered-suite",
	           "answered with a suite that it did not offer");
	sessions_note(report, c);
	return report->failed ? BASE_ERR(BASE_LOCAL, ENOMEM) : 0;
}
