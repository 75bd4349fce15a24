/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates and CRLs held against the shipped profiles: for each rule one that breaks it, beside
 * a good one that breaks none. A rule without a row here fails the test.
 */
#include "certificate_stage.h"
#include "stage.h"

/* -- what each rule refuses -------------------------------------------------------------------- */

#define CL PROFILE_ROLE_CLIENT
#define SV PROFILE_ROLE_SERVER
#define CA PROFILE_ROLE_SERVER_CA
#define XC PROFILE_ROLE_CROSS
#define LS PROFILE_ROLE_CRL

/* clang-format off: a table */
static const struct row {
	const char *profile;
	unsigned role;
	enum tweak tweak;
	const char *drop, *add;
	const char *broken; /* all that is broken, in the profile's order */
} rows[] = {
	/* RFC 5280 */
	{ "cert-ts33310", SV, SERIAL_ZERO, NULL, NULL, "I1/positive-serial" },
	{ "cert-ts33310", CA, SERIAL_NEGATIVE, NULL, NULL, "I1/positive-serial" },
	{ "cert-ts33310", SV, SERIAL_21, NULL, NULL, "I2/serial-octets" },
	{ "cert-ts33310", SV, PLAIN, NULL, "nsComment=a|nsComment=b", "I3/extension-twice" },
	{ "cert-ts33310", SV, PLAIN, NULL, "1.2.3.4=critical,DER:0500",
	  "I4/unknown-critical-extension" },
	{ "cert-ts33310", SV, PLAIN, "subjectKeyIdentifier", "subjectKeyIdentifier=DER:30",
	  "I5/malformed-extension E1/digital-signature E4/server-auth" },
	{ "cert-ts33310", SV, ALGORITHMS, NULL, NULL, "I6/two-signature-algorithms" },
	{ "cert-ts33310", SV, NO_ISSUER, NULL, NULL, "I7/issuer" },
	{ "cert-ts33310", LS, NO_ISSUER, NULL, NULL, "I7/issuer" },
	{ "cert-ts33310", CA, NO_SUBJECT, NULL, NULL, "I8/subject C11/common-name" },
	{ "cert-ts33310", SV, NO_SUBJECT, NULL, NULL,
	  "I9/subject-or-critical-names C11/common-name" },
	{ "cert-ts33310", SV, BACKWARDS, NULL, NULL, "I10/in-order" },
	{ "cert-ts33310", SV, PLAIN, "authorityKeyIdentifier", NULL, "I11/authority" },
	{ "cert-ts33310", LS, PLAIN, "authorityKeyIdentifier", NULL, "I11/authority" },
	{ "cert-ts33310", CA, PLAIN, "subjectKeyIdentifier", NULL, "I12/subject" },
	{ "cert-ts33310", SV, PLAIN, "subjectKeyIdentifier", NULL, "I13/subject" },
	{ "cert-ts33310", SV, PLAIN, "subjectKeyIdentifier", "subjectKeyIdentifier=critical,hash",
	  "I14/critical" },
	{ "cert-ts33310", CA, PLAIN, "keyUsage", NULL, "I15/present I15/cert-sign A1/crl-sign" },
	{ "cert-ts33310", CA, PLAIN, "keyUsage", "keyUsage=critical,cRLSign", "I15/cert-sign" },
	{ "cert-rfc5280", SV, PLAIN, "keyUsage", "keyUsage=digitalSignature", "I16/critical" },
	{ "cert-ts33310", SV, PLAIN, "keyUsage", "keyUsage=critical,digitalSignature,keyCertSign",
	  "I17/cert-sign" },
	{ "cert-ts33310", CA, PLAIN, "basicConstraints", "basicConstraints=critical,CA:FALSE",
	  "I18/ca A2/path-length" },
	{ "cert-ts33310", CA, PLAIN, "basicConstraints", "basicConstraints=CA:TRUE,pathlen:0",
	  "I18/critical" },
	{ "cert-ts33310", SV, PLAIN, NULL, "basicConstraints=CA:FALSE,pathlen:0",
	  "I19/path-length" },
	{ "cert-ts33310", SV, PLAIN, NULL, "nameConstraints=critical,permitted;DNS:a.example",
	  "I20/present" },
	{ "cert-ts33310", XC, PLAIN, "nameConstraints", "nameConstraints=permitted;DNS:a.example",
	  "I21/critical" },
	{ "cert-rfc5280", SV, PLAIN, "crl", "crlDistributionPoints=critical,URI:http://a.example/a",
	  "I22/critical" },
	{ "cert-ts33310", LS, VERSION_1, NULL, NULL, "I23/version-2" },
	{ "cert-ts33310", LS, NO_NEXT_UPDATE, NULL, NULL, "I24/next-update" },
	{ "cert-ts33310", LS, PLAIN, "number", NULL, "I25/number" },
	{ "cert-ts33310", LS, NUMBER_LONG, NULL, NULL, "I26/number-octets" },
	{ "cert-ts33310", LS, PLAIN, NULL, "number=critical", "I27/number-critical" },
	{ "cert-ts33310", LS, PLAIN, NULL, "issuingDistributionPoint=DER:300381017F",
	  "I28/scope-critical" },
	{ "cert-ts33310", LS, PLAIN, NULL, "2.5.29.27=DER:020101", "I29/delta-critical" },
	/* TS 33.310, 6.1.1 */
	{ "cert-ts33310", SV, VERSION_1, NULL, NULL, "C1/version-3" },
	{ "cert-ts33310", SV, SIGN_RSA_MD2, NULL, NULL, "C2/md2 C3/one-of C5/rsa-pkcs1" },
	{ "cert-ts33310", SV, SIGN_RSA_MD4, NULL, NULL, "C2a/md4 C3/one-of C5/rsa-pkcs1" },
	{ "cert-ts33310", SV, SIGN_RSA_MD5, NULL, NULL, "C2/md5 C3/one-of C5/rsa-pkcs1" },
	{ "cert-ts33310", SV, SIGN_SHA1, NULL, NULL, "C2/sha-1 C3/one-of" },
	{ "cert-ts33310", SV, SIGN_SHA512, NULL, NULL, "C3/one-of" },
	{ "cert-ts33310", SV, SIGN_ED25519, NULL, NULL, "C3/one-of C4/one-of" },
	{ "cert-ts33310", SV, SIGN_RSA, NULL, NULL, "C5/rsa-pkcs1" },
	{ "cert-ts33310", SV, KEY_ED25519, NULL, NULL, "C6/one-of" },
	{ "cert-ts33310", CL, KEY_RSA_1024, NULL, NULL, "C7/rsa-bits" },
	{ "cert-ts33310", CL, KEY_RSA_E3, NULL, NULL, "C8/rsa-exponent" },
	{ "cert-ts33310", SV, KEY_P521, NULL, NULL, "C9/curve" },
	{ "cert-ts33310", SV, KEY_EXPLICIT, NULL, NULL, "C9a/explicit-curve" },
	{ "cert-ts33310", SV, SUBJECT_OU, NULL, NULL, "C10/other-in-subject" },
	{ "cert-ts33310", SV, ISSUER_OU, NULL, NULL, "C10/other-in-issuer" },
	{ "cert-ts33310", SV, SUBJECT_NO_CN, NULL, NULL, "C11/common-name" },
	/* 6.1.3a */
	{ "cert-ts33310", SV, PLAIN, "keyUsage", NULL, "E1/present E1/digital-signature" },
	{ "cert-ts33310", SV, PLAIN, "keyUsage", "keyUsage=digitalSignature", "E1/critical" },
	{ "cert-ts33310", CL, PLAIN, "keyUsage", "keyUsage=critical,keyAgreement",
	  "E1/digital-signature" },
	{ "cert-ts33310", SV, KEY_RSA, NULL, NULL, "E2/key-encipherment" },
	{ "cert-ts33310", SV, PLAIN, NULL, "basicConstraints=critical,CA:TRUE", "E3/ca" },
	{ "cert-ts33310", SV, PLAIN, "extendedKeyUsage", "extendedKeyUsage=clientAuth",
	  "E4/server-auth" },
	{ "cert-ts33310", CL, PLAIN, "extendedKeyUsage", "extendedKeyUsage=serverAuth",
	  "E5/client-auth" },
	{ "cert-ts33310", SV, PLAIN, "subjectAltName", "subjectAltName=IP:127.0.0.1", "E6/dns" },
	{ "cert-ts33310", SV, PLAIN, "subjectAltName", "subjectAltName=DNS:*.a.example",
	  "E7/wildcard" },
	{ "cert-ts33310", SV, PLAIN, "crl", NULL, "E8/present" },
	{ "cert-ts33310", SV, PLAIN, "crl", "crlDistributionPoints=critical,URI:http://a.example/a",
	  "E9/critical" },
	{ "cert-ts33310", SV, PLAIN, "crl", "crlDistributionPoints=URI:ftp://a.example/a",
	  "E10/ldap-or-http" },
	/* 6.1.4 */
	{ "cert-ts33310", CA, PLAIN, "keyUsage", "keyUsage=keyCertSign,cRLSign", "A1/critical" },
	{ "cert-ts33310", CA, PLAIN, "keyUsage", "keyUsage=critical,keyCertSign", "A1/crl-sign" },
	{ "cert-ts33310", CA, PLAIN, "basicConstraints", "basicConstraints=critical,CA:TRUE",
	  "A2/path-length" },
	{ "cert-ts33310", XC, PLAIN, "crl", NULL, "A3/present" },
	{ "cert-ts33310", XC, PLAIN, "nameConstraints", NULL, "A4/present" },
	/* 6.1a */
	{ "cert-ts33310", LS, SIGN_RSA_MD2, NULL, NULL, "L1/md2 L2/one-of" },
	{ "cert-ts33310", LS, SIGN_RSA_MD4, NULL, NULL, "L1/md4 L2/one-of" },
	{ "cert-ts33310", LS, SIGN_RSA_MD5, NULL, NULL, "L1/md5 L2/one-of" },
	{ "cert-ts33310", LS, SIGN_SHA1, NULL, NULL, "L1/sha-1 L2/one-of" },
	{ "cert-ts33310", LS, SIGN_SHA512, NULL, NULL, "L2/one-of" },
	{ "cert-ts33310", LS, SIGN_ED25519, NULL, NULL, "L2/one-of L3/one-of" },
/* 6.1.3c; the good one has a critical subjectAltName and nfTypes */
#define NF "subjectAltName=critical,DNS:gw.a.example|1.3.6.1.5.5.7.1.34=DER:3000"
	{ "cert-ts33310-nf", SV, FOUR_YEARS, "subjectAltName", NF, "N1/at-most" },
	{ "cert-ts33310-nf", SV, SERIAL_ZERO, "subjectAltName", NF, "N2/positive-serial" },
	{ "cert-ts33310-nf", SV, SERIAL_21, "subjectAltName", NF, "N3/serial-octets" },
	{ "cert-ts33310-nf", CL, PLAIN, "extendedKeyUsage",
	  "extendedKeyUsage=codeSigning|"
	  "1.3.6.1.5.5.7.1.34=DER:3000",
	  "E5/client-auth N5/tls N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "authorityKeyIdentifier", "1.3.6.1.5.5.7.1.34=DER:3000",
	  "N6/authority N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "subjectAltName", "1.3.6.1.5.5.7.1.34=DER:3000",
	  "E6/dns N9/present" },
	{ "cert-ts33310-nf", SV, PLAIN, "crl", "1.3.6.1.5.5.7.1.34=DER:3000",
	  "N8/present N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "crl",
	  "1.3.6.1.5.5.7.1.34=DER:3000|crlDistributionPoints=URI:ftp://a",
	  "N8/ldap-or-http N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "keyUsage", "1.3.6.1.5.5.7.1.34=DER:3000",
	  "N4/present N4/digital-signature N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "keyUsage",
	  "1.3.6.1.5.5.7.1.34=DER:3000|keyUsage=digitalSignature", "N4/critical N9/critical" },
	{ "cert-ts33310-nf", SV, PLAIN, "subjectAltName",
	  "subjectAltName=critical,DNS:gw.a.example", "N10/nf-types" },
	/* TS 33.203, O.5 */
	{ "cert-ts33203-o5-rel17", SV, SUBJECT_NO_HOST, NULL, NULL,
	  "O2/common-name-is-one-host O3/common-name" },
	{ "cert-ts33203-o5-rel17", SV, PLAIN, "subjectAltName", "subjectAltName=DNS:other.example",
	  "O3/common-name" },
	/* what keeps all of them */
	{ "cert-ts33310", CL, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", SV, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", SV, KEY_RSA, "keyUsage",
	  "keyUsage=critical,digitalSignature,keyEncipherment", "" },
	{ "cert-ts33310", CA, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", CA, KEY_RSA, NULL, NULL, "" },
	{ "cert-ts33310", PROFILE_ROLE_CLIENT_CA, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", PROFILE_ROLE_INTERCONNECTION, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", CA, PLAIN, "crl", NULL, "" },
	{ "cert-ts33310", XC, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", LS, PLAIN, NULL, NULL, "" },
	{ "cert-ts33310", LS, PLAIN, NULL,
	  "issuingDistributionPoint=critical,DER:300381017F|2.5.29.27=critical,DER:020101", "" },
	{ "cert-ts33310", LS, SIGN_RSA, NULL, NULL, "" },
	{ "cert-ts33310-nf", SV, PLAIN, "subjectAltName", NF, "" },
	{ "cert-ts33203-o5-rel17", SV, PLAIN, "crl", NULL, "" },
	{ "cert-ts33203-o5-rel17", CA, ISSUER_OU, NULL, NULL, "" },
	{ "cert-rfc5280", SV, SUBJECT_OU, "keyUsage", "keyUsage=critical,keyAgreement", "" },
};
/* clang-format on */

struct told {
	struct base_writer w;
	bool seen_alone; /* every failing one was a seen shall */
};

static void on_finding(void *arg, const struct profile_finding *finding)
{
	struct told *told = arg;
	enum profile_strength s = finding->rule->strength;
	char line[700];

	base_writer_printf(&told->w, "%s%s/%s", told->w.len ? " " : "", finding->rule->id,
	                   finding->rule->item);
	told->seen_alone &= finding->fails == (finding->rule->mark == 'V' &&
	                                       (s == PROFILE_SHALL || s == PROFILE_SHALL_NOT));
	profile_finding_format(finding, line, sizeof(line));
	assert_non_null(strstr(line, finding->rule->clause));
	assert_true(strlen(finding->text) > 0);
}

static void test_rules(void **state)
{
	struct profile_store *store = stage_store();
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct told told = { .seen_alone = true };
		struct profile_checks *checks;
		struct profile_tally tally, counted;
		struct x509_facts facts;

		assert_int_equal(
		        profile_checks_new(&checks, stage_profile(store, r->profile), NULL), 0);
		if (r->role == LS)
			stage_crl(r->tweak, r->drop, r->add, &facts);
		else
			stage_cert(r->role, r->tweak, r->drop, r->add, &facts);
		tally = profile_check(checks, (enum profile_role)r->role, &facts, on_finding,
		                      &told);
		counted = profile_check(checks, (enum profile_role)r->role, &facts, NULL, NULL);
		assert_memory_equal(&tally, &counted, sizeof(tally));
		assert_true(told.seen_alone);
		if (strcmp(base_writer_cstr(&told.w), r->broken) != 0) {
			print_error("row %zu of %s: '%s' != '%s'\n", i, r->profile,
			            base_writer_cstr(&told.w), r->broken);
			wrong++;
		}
		base_writer_done(&told.w);
		profile_checks_unref(checks);
	}
	assert_int_equal(wrong, 0);
	profile_store_free(store);
}

static bool has_row(const struct profile_rule *rule)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/%s", rule->id, rule->item);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		const char *at = strstr(rows[i].broken, name);

		if (at && rows[i].role & rule->roles && strchr(" ", at[strlen(name)]))
			return true;
	}
	return false;
}

/** Nobody adds a rule without showing what it refuses. */
static void test_each_rule_has_a_row(void **state)
{
	struct profile_store *store = stage_store();
	struct base_arena arena = { .chunk = NULL };
	const char **name;
	size_t count, rules = 0;

	(void)state;
	assert_int_equal(profile_store_list(store, &arena, &name, &count), 0);
	for (size_t i = 0; i < count; i++) {
		const struct profile *p = stage_profile(store, name[i]);

		for (size_t j = 0; p->certificates && j < p->rule_count; j++) {
			if (p->rule[j].strength == PROFILE_MAY ||
			    strcmp(p->rule[j].profile, p->name) != 0)
				continue;
			rules++;
			if (!has_row(&p->rule[j]))
				fail_msg("%s: no row breaks %s/%s", p->name, p->rule[j].id,
				         p->rule[j].item);
		}
	}
	assert_true(rules > 80);
	base_arena_done(&arena);
	profile_store_free(store);
}

static void test_roles_are_guessed(void **state)
{
	struct x509_facts f;

	(void)state;
	stage_cert(SV, PLAIN, NULL, NULL, &f);
	assert_int_equal(profile_roles_guess(&f), SV);
	stage_cert(CL, PLAIN, "extendedKeyUsage", "extendedKeyUsage=clientAuth,serverAuth", &f);
	assert_int_equal(profile_roles_guess(&f), SV | CL);
	stage_cert(XC, PLAIN, NULL, NULL, &f);
	assert_int_equal(profile_roles_guess(&f), XC);
	stage_crl(PLAIN, NULL, NULL, &f);
	assert_int_equal(profile_roles_guess(&f), LS);
}

static void refused(const char *text, const char *why)
{
	struct profile_store *store = stage_store();
	const struct profile *p;
	struct base_error err = { .rc = 0 };

	assert_int_not_equal(profile_store_text(store, "cert-x", text, strlen(text), &p, &err), 0);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
	profile_store_free(store);
}

#define HEAD "name: cert-x\ntitle: t\ndocument: d\nclause: c\nrelease: r\n"
#define RULE(subject, item, more)                                                                  \
	"rules:\n  - id: X\n    subject: " subject "\n    items: [" item                           \
	"]\n    strength: shall\n"                                                                 \
	"    mark: P\n    text: t\n" more

static void test_wrong_files_are_refused(void **state)
{
	(void)state;
	refused(HEAD RULE("hash", "md5", ""), "begin with 'cert-'");
	refused(HEAD "about: certificates\n" RULE("suite", "class rc4", ""), "is no subject of");
	refused(HEAD "about: certificates\n" RULE("hash", "md6", ""), "did you mean 'md");
	refused(HEAD "about: certificates\n" RULE("hash", "md5", "    when: dtls\n"), "no 'when'");
	refused(HEAD "about: certificates\n" RULE("key", "rsa-bits", ""), "'value' is missing");
	refused(HEAD "about: certificates\n" RULE("key", "rsa-bits", "    value: many\n"),
	        "a number");
	refused(HEAD "about: certificates\n" RULE("key", "curve", "    value: ', '\n"), "words");
	refused(HEAD "about: certificates\n" RULE("crl", "number", "    for: [server]\n"),
	        "says nothing of certificates");
	refused(HEAD "about: certificates\n" RULE("key", "explicit-curve", "    for: [crl]\n"),
	        "says nothing of CRLs");
	refused(HEAD "about: certificates\nextends: ts33210-rel17\n" RULE("hash", "md5", ""),
	        "only alike extends alike");
	refused(HEAD "about: certificates\n" RULE("hash", "md5, md5", ""), "ruled twice");
}

/** Of two layers the later rules, for the roles that it names. */
static void test_layers_by_role(void **state)
{
	static const char text[] = HEAD "about: certificates\nextends: cert-ts33310\n" RULE(
	        "distribution-point", "present", "    for: [client]\n");
	struct profile_store *store = stage_store();
	struct base_error err = { .rc = 0 };
	const struct profile *p;
	struct profile_checks *checks;
	struct told told = { .seen_alone = true };
	struct x509_facts facts;

	(void)state;
	if (profile_store_text(store, "cert-x", text, strlen(text), &p, &err))
		fail_msg("%s", err.text);
	assert_int_equal(profile_checks_new(&checks, p, NULL), 0);
	stage_cert(CL, PLAIN, "crl", NULL, &facts);
	(void)profile_check(checks, PROFILE_ROLE_CLIENT, &facts, on_finding, &told);
	stage_cert(SV, PLAIN, "crl", NULL, &facts);
	(void)profile_check(checks, PROFILE_ROLE_SERVER, &facts, on_finding, &told);
	assert_string_equal(base_writer_cstr(&told.w), "X/present E8/present");
	base_writer_done(&told.w);
	profile_checks_unref(checks);
	assert_int_not_equal(
	        profile_checks_new(&checks, stage_profile(store, "ts33210-rel17"), &err), 0);
	assert_non_null(strstr(err.text, "a profile of TLS"));
	profile_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_each_rule_has_a_row),
		cmocka_unit_test(test_roles_are_guessed),
		cmocka_unit_test(test_wrong_files_are_refused),
		cmocka_unit_test(test_layers_by_role),
	};

	return cmocka_run_group_tests(tests, stage_setup, stage_teardown);
}
