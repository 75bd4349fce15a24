/* SPDX-License-Identifier: Apache-2.0 */
/** @file Verdicts on made-up surveys: no rule is left out, strengths decide, later layers win. */
#include "check.h"

#include "check/check.h"

#define HEAD(name) "name: " name "\ntitle: t\ndocument: TS 1\nclause: '1'\nrelease: none\n"
#define RULE(id, subject, items, strength)                                                         \
	"  - { id: " id ", subject: " subject ", items: [" items "], strength: " strength          \
	", mark: P, text: x }\n"
#define NEEDED                                                                                     \
	RULE("S0", "suite", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "may")                        \
	RULE("G0", "group", "secp256r1", "may") RULE("H0", "signature", "rsa_pkcs1_sha256", "may")

#define ORDERED                                                                                    \
	"precedence:\n  suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "                          \
	"TLS_RSA_WITH_AES_128_CBC_SHA]\nrules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")

struct bench {
	struct profile_store *store;
	struct check_target target;
	struct check_survey *survey;
	struct check_report report;
};

static int bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(profile_store_new(&b->store), 0);
	profile_store_isolate(b->store);
	b->survey = calloc(1, sizeof(*b->survey));
	assert_non_null(b->survey);
	b->survey->target = &b->target;
	*state = b;
	return 0;
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	check_report_done(&b->report);
	free(b->survey);
	profile_store_free(b->store);
	free(b);
	return 0;
}

static void judge(struct bench *b, const char *name, const char *text)
{
	const struct check_terms terms = { .dtls = false };
	const struct profile *profile;
	struct base_error err = { .rc = 0 };

	if (profile_store_text(b->store, name, text, strlen(text), &profile, &err))
		fail_msg("%s", err.text);
	check_report_done(&b->report);
	assert_int_equal(check_judge(&b->report, b->survey, NULL, profile, &terms), 0);
	assert_true(b->report.count >= profile->rule_count);
}

static enum check_state state_of(const struct bench *b, const char *id, const char *item)
{
	for (size_t i = 0; i < b->report.count; i++) {
		const struct profile_rule *rule = b->report.verdict[i].rule;

		if (rule ? item && !strcmp(rule->id, id) && !strcmp(rule->item, item)
		         : !item && !strcmp(b->report.verdict[i].topic, id))
			return b->report.verdict[i].state;
	}
	fail_msg("no verdict on %s %s", id, item ? item : "");
	return CHECK_STATES;
}

/** The server takes that version. */
static void takes(struct bench *b, unsigned version)
{
	struct check_probe *p = &b->survey->version[check_version_index(version)];

	p->wanted = true;
	p->answer.outcome = CHECK_ANSWERED;
	p->answer.hello = true;
	p->answer.version = profile_version_wire(version);
	b->survey->versions |= version;
	b->survey->high = version;
}

static struct check_probe *suite_of(struct bench *b, uint16_t code)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	for (size_t i = 0; i < count; i++)
		if (suite[i].code == code)
			return &b->survey->suite[i];
	return NULL;
}

static void takes_suite(struct bench *b, uint16_t code)
{
	struct check_probe *p = suite_of(b, code);

	p->wanted = true;
	p->answer.outcome = CHECK_ANSWERED;
	p->answer.hello = true;
	p->answer.suite = code;
}

static void refuses_suite(struct bench *b, uint16_t code)
{
	struct check_probe *p = suite_of(b, code);

	p->wanted = true;
	p->answer.outcome = CHECK_REFUSED;
	p->answer.alert = 40;
}

static void strengths(void **state)
{
	struct bench *b = *state;

	takes(b, PROFILE_TLS_1_2);
	takes_suite(b, 0x0005);
	refuses_suite(b, 0x002f);
	refuses_suite(b, 0x0035);
	refuses_suite(b, 0x000a);
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2",
	                                       "shall") RULE("V2", "version", "TLS1.1", "may")
	              RULE("S1", "suite", "TLS_RSA_WITH_AES_128_CBC_SHA",
	                   "shall") RULE("S2", "suite", "TLS_RSA_WITH_AES_256_CBC_SHA",
	                                 "should") RULE("S3", "suite", "class rc4", "shall-not")
	                      RULE("S4", "suite", "class 3des", "should-not")
	                              RULE("S5", "suite", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "may"));
	assert_int_equal(state_of(b, "V1", "TLS1.2"), CHECK_PASS);
	assert_int_equal(state_of(b, "V2", "TLS1.1"), CHECK_NOTED);
	assert_int_equal(state_of(b, "S1", "TLS_RSA_WITH_AES_128_CBC_SHA"), CHECK_FAIL);
	assert_int_equal(state_of(b, "S2", "TLS_RSA_WITH_AES_256_CBC_SHA"), CHECK_WARN);
	assert_int_equal(state_of(b, "S3", "class rc4"), CHECK_FAIL);
	assert_int_equal(state_of(b, "S4", "class 3des"), CHECK_PASS);
	assert_int_equal(state_of(b, "S5", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"), CHECK_NOTED);
	assert_int_equal(b->report.tally[CHECK_FAIL], 2);
	takes_suite(b, 0x000a);
	judge(b, "b",
	      HEAD("b") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("S4", "suite", "class 3des", "should-not"));
	assert_int_equal(state_of(b, "S4", "class 3des"), CHECK_WARN);
}

/** Silence is no refusal: it passes nothing, and fails nothing. */
static void stalled(void **state)
{
	struct bench *b = *state;

	takes(b, PROFILE_TLS_1_2);
	refuses_suite(b, 0x002f);
	refuses_suite(b, 0x0005);
	suite_of(b, 0x002f)->answer.outcome = CHECK_STALLED;
	suite_of(b, 0x0005)->answer.outcome = CHECK_STALLED;
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("S1", "suite", "TLS_RSA_WITH_AES_128_CBC_SHA", "shall")
	                      RULE("S3", "suite", "class rc4", "shall-not"));
	assert_int_equal(state_of(b, "S1", "TLS_RSA_WITH_AES_128_CBC_SHA"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "S3", "class rc4"), CHECK_UNTESTED);
}

/** Neither does silence in the lowest version, upon a scheme, or in the midst of a flight. */
static void stalled_in_part(void **state)
{
	struct bench *b = *state;
	const size_t rc4 = (size_t)(suite_of(b, 0x0005) - b->survey->suite);
	struct check_probe *ssl3 = &b->survey->version[check_version_index(PROFILE_SSL_3_0)];

	takes(b, PROFILE_TLS_1_2);
	refuses_suite(b, 0x0005);
	b->survey->suite_low[rc4].wanted = true;
	b->survey->suite_low[rc4].answer.outcome = CHECK_STALLED;
	for (size_t i = 0; i < CHECK_CODES_MAX; i++) {
		b->survey->signature[i].wanted = true;
		b->survey->signature[i].answer.outcome = CHECK_STALLED;
	}
	ssl3->wanted = true;
	ssl3->answer.outcome = CHECK_UNREACHABLE;
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("V2", "version", "SSL3.0", "shall-not")
	                      RULE("S1", "suite", "TLS_RSA_WITH_RC4_128_SHA", "shall-not")
	                              RULE("S2", "suite", "class rc4", "shall-not")
	                                      RULE("G1", "signature", "class sha1", "shall-not")
	                                              RULE("C1", "authentication",
	                                                   "client-certificate", "shall-not"));
	assert_int_equal(state_of(b, "V2", "SSL3.0"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "S1", "TLS_RSA_WITH_RC4_128_SHA"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "S2", "class rc4"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "G1", "class sha1"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "C1", "client-certificate"), CHECK_UNTESTED);
	ssl3->answer.outcome = CHECK_STALLED; /* of SSL this is a refusal */
	b->survey->version[check_version_index(PROFILE_TLS_1_2)].answer.done = true;
	judge(b, "b",
	      HEAD("b") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("V2", "version", "SSL3.0", "shall-not")
	                      RULE("C1", "authentication", "client-certificate", "shall-not"));
	assert_int_equal(state_of(b, "V2", "SSL3.0"), CHECK_PASS);
	assert_int_equal(state_of(b, "C1", "client-certificate"), CHECK_PASS);
}

/** A connection that could not be made is no refusal of what was to be tried on it. */
static void sessions_not_reached(void **state)
{
	struct bench *b = *state;
	const struct check_terms terms = { .dtls = false };
	static struct check_sessions sessions;
	const struct profile *profile;
	static const char text[] =
	        HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	                RULE("R1", "renegotiation", "client-initiated-insecure", "shall-not")
	                        RULE("R2", "resumption", "any", "shall");

	takes(b, PROFILE_TLS_1_2);
	for (size_t i = 0; i < CHECK_TRIALS; i++) {
		sessions.trial[i].tried = true;
		sessions.trial[i].probe.answer.outcome = CHECK_UNREACHABLE;
	}
	sessions.trial[CHECK_TRY_13_TICKET].tried = false;
	sessions.trial[CHECK_TRY_LEGACY].probe.answer.outcome = CHECK_REFUSED;
	assert_int_equal(profile_store_text(b->store, "a", text, sizeof(text) - 1, &profile, NULL),
	                 0);
	assert_int_equal(check_judge(&b->report, b->survey, &sessions, profile, &terms), 0);
	assert_int_equal(state_of(b, "R1", "client-initiated-insecure"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "R2", "any"), CHECK_UNTESTED);
}

/** External keys of TLS 1.3, where nothing else shows that the server has it. */
static void external_keys(void **state)
{
	struct bench *b = *state;
	const struct check_terms terms = { .dtls = false };
	static struct check_sessions sessions;
	const struct profile *profile;
	static const char text[] = HEAD("a") "rules:\n" NEEDED RULE(
	        "V1", "version", "TLS1.2", "shall") RULE("V2", "version", "TLS1.3", "shall")
	        RULE("S1", "suite", "TLS_AES_128_GCM_SHA256", "shall")
	                RULE("S2", "suite", "TLS_AES_256_GCM_SHA384", "shall")
	                        RULE("P1", "authentication", "psk", "shall")
	                                RULE("P2", "authentication", "psk-dhe-only", "shall");
	static const enum check_trial_of these[] = { CHECK_TRY_13_PSK, CHECK_TRY_13_KEY,
		                                     CHECK_TRY_13_PSK_KE, CHECK_TRY_13_EARLY };

	takes(b, PROFILE_TLS_1_2);
	for (size_t i = 0; i < BASE_COUNT(these); i++)
		sessions.trial[these[i]] = (struct check_trial){
			.tried = true,
			.yes = i == 0 || i > 1, /* it takes whatever it is given */
			.probe = { .wanted = true, .answer = { .outcome = CHECK_ANSWERED } },
		};
	sessions.psk13_suite = 0x1301;
	assert_int_equal(profile_store_text(b->store, "a", text, sizeof(text) - 1, &profile, NULL),
	                 0);
	assert_int_equal(check_judge(&b->report, b->survey, &sessions, profile, &terms), 0);
	assert_int_equal(state_of(b, "V2", "TLS1.3"), CHECK_PASS);
	assert_int_equal(state_of(b, "S1", "TLS_AES_128_GCM_SHA256"), CHECK_PASS);
	assert_int_equal(state_of(b, "S2", "TLS_AES_256_GCM_SHA384"), CHECK_NOT_TESTABLE);
	assert_int_equal(state_of(b, "P1", "psk"), CHECK_PASS);
	assert_int_equal(state_of(b, "P2", "psk-dhe-only"), CHECK_FAIL);
	assert_int_equal(state_of(b, "psk-binder", NULL), CHECK_FAIL);
	assert_int_equal(state_of(b, "early-data", NULL), CHECK_WARN);
}

static void client_judged(struct bench *b, const char *name, const struct check_client *c)
{
	const struct check_terms terms = { .dtls = false };
	const struct profile *profile;
	struct base_error err = { .rc = 0 };
	char text[2048];

	(void)snprintf(
	        text, sizeof(text),
	        "name: %s\ntitle: x\ndocument: x\nclause: x\nrelease: x\nrules:\n" NEEDED RULE(
	                "V1", "version", "TLS1.2", "shall") RULE("R1", "renegotiation",
	                                                         "answer-hello-request", "should")
	                RULE("R2", "renegotiation", "client-initiated-insecure", "shall-not")
	                        RULE("A1", "authentication", "client-certificate", "shall"),
	        name);
	assert_int_equal(profile_store_text(b->store, name, text, strlen(text), &profile, &err), 0);
	check_report_done(&b->report);
	assert_int_equal(check_client_judge(&b->report, c, profile, &terms, &err), 0);
}

static void visit_told(struct check_client *c, enum check_visit which, bool yes)
{
	c->trial[which].tried = true;
	c->trial[which].yes = yes;
	c->trial[which].probe.answer.outcome = CHECK_ANSWERED;
}

/** What clients do in sessions, worst and best; what was not to be seen passes nothing. */
static void clients(void **state)
{
	struct bench *b = *state;
	static struct check_client c;

	c.offered = (struct check_offered){ .versions = PROFILE_TLS_1_2 };
	client_judged(b, "a", &c);
	assert_int_equal(state_of(b, "R1", "answer-hello-request"), CHECK_NOT_TESTABLE);
	assert_int_equal(state_of(b, "A1", "client-certificate"), CHECK_NOT_TESTABLE);
	visit_told(&c, CHECK_VISIT_FULL, false);
	c.trial[CHECK_VISIT_FULL].probe.answer.outcome = CHECK_REFUSED;
	client_judged(b, "b", &c);
	assert_int_equal(state_of(b, "R1", "answer-hello-request"), CHECK_UNTESTED);
	assert_int_equal(state_of(b, "session", NULL), CHECK_UNTESTED);
	for (unsigned good = 0; good < 2; good++) {
		visit_told(&c, CHECK_VISIT_FULL, true);
		visit_told(&c, CHECK_VISIT_ASKED, good);
		visit_told(&c, CHECK_VISIT_UNSECURED, !good);
		visit_told(&c, CHECK_VISIT_CERTIFICATE, good);
		visit_told(&c, CHECK_VISIT_FINISHED, good);
		visit_told(&c, CHECK_VISIT_SPOILT_AGAIN, good);
		visit_told(&c, CHECK_VISIT_13_SIGNATURE, good);
		c.unbound = !good;
		client_judged(b, good ? "d" : "c", &c);
		assert_int_equal(state_of(b, "R1", "answer-hello-request"),
		                 good ? CHECK_PASS : CHECK_WARN);
		assert_int_equal(state_of(b, "R2", "client-initiated-insecure"),
		                 good ? CHECK_PASS : CHECK_FAIL);
		assert_int_equal(state_of(b, "A1", "client-certificate"),
		                 good ? CHECK_PASS : CHECK_FAIL);
		assert_int_equal(state_of(b, "wrong-finished", NULL),
		                 good ? CHECK_PASS : CHECK_FAIL);
		assert_int_equal(state_of(b, "renegotiation-info-again", NULL),
		                 good ? CHECK_PASS : CHECK_FAIL);
		assert_int_equal(state_of(b, "wrong-signature-of-tls13", NULL),
		                 good ? CHECK_PASS : CHECK_FAIL);
		if (!good)
			assert_int_equal(state_of(b, "renegotiation-info-own", NULL), CHECK_FAIL);
	}
}

/** What is taken in the lowest version alone, or may be, counts as what is taken above. */
static void lowest_version(void **state)
{
	struct bench *b = *state;
	const size_t dhe = (size_t)(suite_of(b, 0x0033) - b->survey->suite),
	             psk = (size_t)(suite_of(b, 0x008c) - b->survey->suite);
	struct check_probe *low = &b->survey->suite_low[dhe];
	static const uint8_t rest[] = { 0, 1, 2, 0, 1, 4 };
	uint8_t body[2 + 128 + sizeof(rest)] = { 0, 128, 0x80 };

	memcpy(body + 130, rest, sizeof(rest));
	takes(b, PROFILE_TLS_1_2);
	refuses_suite(b, 0x0033);
	low->wanted = true;
	low->answer = (struct check_answer){ .hello = true,
		                             .outcome = CHECK_ANSWERED,
		                             .suite = 0x0033,
		                             .version = 0x0301,
		                             .key_exchange = { body, sizeof(body) } };
	b->survey->suite[psk].wanted = true;
	b->survey->suite[psk].answer.outcome = CHECK_STALLED;
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE(
	              "V1", "version", "TLS1.2",
	              "shall") "  - { id: D1, subject: group, items: [dh-bits], value: '2048', "
	                       "strength: shall, mark: P, text: x }\n" RULE("P1", "authentication",
	                                                                    "psk", "shall"));
	assert_int_equal(state_of(b, "D1", "dh-bits"), CHECK_FAIL);
	assert_int_equal(state_of(b, "P1", "psk"), CHECK_UNTESTED);
}

/** The evidence is of the probe that showed it, not of one that was refused. */
static void evidence(void **state)
{
	struct bench *b = *state;
	const size_t at = (size_t)(suite_of(b, 0xc02f) - b->survey->suite);

	takes(b, PROFILE_TLS_1_2);
	takes_suite(b, 0xc02f);
	b->survey->part[0] = 0xc02f;
	b->survey->part_count = 1;
	base_writer_put(&b->survey->suite[at].seen, "\x16\x03\x03", 3);
	base_writer_put(&b->survey->version[check_version_index(PROFILE_TLS_1_3)].seen,
	                "\x15\x03\x03", 3);
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("X1", "extension", "supported_groups", "shall"));
	assert_int_equal(state_of(b, "X1", "supported_groups"), CHECK_PASS);
	for (size_t i = 0; i < b->report.count; i++)
		if (!strcmp(b->report.verdict[i].topic, "X1"))
			assert_string_equal(b->report.verdict[i].seen, "16 03 03");
	check_survey_done(b->survey);
}

/** What a peer calls itself can neither write to a terminal nor break JSON and XML. */
static void names_of_peers(void **state)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{ "CN=M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x92",
		  "CN=M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x94\x92" },
		{ "\x1b[2J\n\x7f\xc2\x9b", "?[2J????" },
		{ "cut\xe2\x82", "cut??" },
		{ "\xed\xa0\x80 \xc0\xaf \xff \xef\xbf\xbf", "??? ?? ? ???" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		check_report_note(&b->report, "name", CHECK_NOTED, NULL, "%s", cases[i].name);
		assert_string_equal(b->report.verdict[i].text, cases[i].shown);
	}
}

/** A key that the server does not show to have is no fault of it. */
static void no_such_key(void **state)
{
	struct bench *b = *state;

	takes(b, PROFILE_TLS_1_2);
	b->survey->rsa = true;
	refuses_suite(b, 0xc02b);
	judge(b, "a",
	      HEAD("a") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("S1", "suite", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "shall"));
	assert_int_equal(state_of(b, "S1", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
	                 CHECK_NOT_TESTABLE);
	b->survey->ecdsa = true;
	judge(b, "b",
	      HEAD("b") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	              RULE("S1", "suite", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "shall"));
	assert_int_equal(state_of(b, "S1", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), CHECK_FAIL);
}

/** A derived profile's word on a suite takes it out of the base's class. */
static void layers(void **state)
{
	struct bench *b = *state;
	const struct profile *base;
	static const char text[] =
	        HEAD("base") "rules:\n" NEEDED RULE("V1", "version", "TLS1.2", "shall")
	                RULE("B1", "version", "TLS1.1", "may")
	                        RULE("B2", "suite", "class rc4", "shall-not");

	assert_int_equal(profile_store_text(b->store, "base", text, sizeof(text) - 1, &base, NULL),
	                 0);
	takes(b, PROFILE_TLS_1_1);
	takes(b, PROFILE_TLS_1_2);
	takes_suite(b, 0x0005);
	refuses_suite(b, 0x0004);
	judge(b, "a",
	      HEAD("a") "extends: base\nrules:\n" RULE("A1", "version", "TLS1.1", "shall-not")
	              RULE("A2", "suite", "TLS_RSA_WITH_RC4_128_SHA", "may"));
	assert_int_equal(state_of(b, "A1", "TLS1.1"), CHECK_FAIL);
	assert_int_equal(state_of(b, "B2", "class rc4"), CHECK_PASS);
	assert_int_equal(state_of(b, "A2", "TLS_RSA_WITH_RC4_128_SHA"), CHECK_NOTED);
	takes_suite(b, 0x0004);
	judge(b, "c",
	      HEAD("c") "extends: base\nrules:\n" RULE("A2", "suite", "TLS_RSA_WITH_RC4_128_SHA",
	                                               "may"));
	assert_int_equal(state_of(b, "B2", "class rc4"), CHECK_FAIL);
}

/** Every rule of every profile that is shipped gets a verdict, even of a server that says nothing.
 */
static void nothing_passes_in_silence(void **state)
{
	struct bench *b = *state;
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	const struct check_terms terms = { .dtls = false };
	struct base_arena arena = { 0 };
	char folder[512];
	const char **name;
	size_t count, seen = 0;

	(void)snprintf(folder, sizeof(folder), "%s/profiles", root ? root : ".");
	assert_int_equal(profile_store_dir(b->store, folder), 0);
	assert_int_equal(profile_store_list(b->store, &arena, &name, &count), 0);
	for (size_t i = 0; i < count; i++) {
		const struct profile *p;

		assert_int_equal(profile_store_find(b->store, name[i], &p, NULL), 0);
		check_report_done(&b->report);
		if (p->certificates)
			assert_int_equal(
			        check_certificate_judge(&b->report, b->survey, NULL, p, NULL), 0);
		else
			assert_int_equal(check_judge(&b->report, b->survey, NULL, p, &terms), 0);
		assert_true(b->report.count >= p->rule_count);
		for (size_t k = 0; k < b->report.count; k++) {
			const struct check_verdict *v = &b->report.verdict[k];

			if (!*v->text)
				fail_msg("%s %s %s: no words", name[i], v->rule->id, v->rule->item);
		}
		seen++;
	}
	assert_true(seen >= 8);
	base_arena_done(&arena);
}

static void precedence(void **state)
{
	struct bench *b = *state;
	struct check_probe *one = &b->survey->single[CHECK_ASK_ORDER],
	                   *two = &b->survey->single[CHECK_ASK_ORDER_2];
	static const char *const text[] = { HEAD("a") ORDERED, HEAD("b") ORDERED };

	takes(b, PROFILE_TLS_1_2);
	b->survey->taken[0] = 0x002f;
	b->survey->taken[1] = 0xc02f;
	b->survey->taken_count = 2;
	for (int order = 0; order < 2; order++) {
		one->wanted = two->wanted = true;
		one->answer.outcome = two->answer.outcome = CHECK_ANSWERED;
		one->offer.version = PROFILE_TLS_1_2;
		one->answer.suite = order ? 0x002f : 0xc02f;
		two->answer.suite = 0xc02f;
		judge(b, order ? "b" : "a", text[order]);
		assert_int_equal(b->report.tally[CHECK_WARN], order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strengths, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(stalled, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(stalled_in_part, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(sessions_not_reached, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(external_keys, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(clients, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(lowest_version, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(evidence, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(names_of_peers, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(no_such_key, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(layers, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(nothing_passes_in_silence, bench_open, bench_close),
		cmocka_unit_test_setup_teardown(precedence, bench_open, bench_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
