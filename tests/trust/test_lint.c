/* SPDX-License-Identifier: Apache-2.0 */
/** @file The certificate profile as a step of the decision between operators (TS 33.310, 6.1.1). */
#include <openssl/x509v3.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define LONG  (30 * PKI_DAY)
#define POINT "URI:http://crl.away.example/servers.crl"

static struct pki ica, away, good, plain, signing, cross, weak_cross;
static struct profile_store *profiles;
static struct profile_checks *checks;

static struct pki leaf(const char *usage, const char *point)
{
	return pki_make(&(struct pki_spec){ .cn = "mg.away.example",
	                                    .issuer = &away,
	                                    .dns = "mg.away.example",
	                                    .usage = usage,
	                                    .eku = "serverAuth",
	                                    .ext_nid = point ? NID_crl_distribution_points : 0,
	                                    .ext = point });
}

static struct pki cross_of(const char *md)
{
	return pki_make(&(struct pki_spec){ .cn = "Away TLS server CA",
	                                    .issuer = &ica,
	                                    .key = away.key,
	                                    .ca = true,
	                                    .path_len = 1,
	                                    .md = md,
	                                    .ext_nid = NID_name_constraints,
	                                    .ext = "critical,permitted;DNS:away.example" });
}

static int group_setup(void **state)
{
	const struct profile *profile;
	char dir[1024];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/profiles", getenv("GATEHOUSE_SOURCE_ROOT"));
	if (profile_store_new(&profiles) || profile_store_dir(profiles, dir) ||
	    profile_store_find(profiles, "cert-ts33310", &profile, NULL) ||
	    profile_checks_new(&checks, profile, NULL))
		return -1;
	ica = pki_ca("Home Interconnection CA");
	away = pki_ca("Away TLS server CA");
	good = leaf("critical,digitalSignature", POINT);
	plain = leaf("critical,digitalSignature", NULL);
	signing = leaf("critical,digitalSignature,keyCertSign", POINT);
	cross = cross_of(NULL);
	weak_cross = cross_of("SHA1");
	return 0;
}

static int group_teardown(void **state)
{
	struct pki *all[] = { &ica, &away, &good, &plain, &signing, &cross, &weak_cross };

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		pki_free(all[i]);
	profile_checks_unref(checks);
	profile_store_free(profiles);
	return 0;
}

struct setting {
	bool no_checks, warn, no_crl;
	struct pki *cross;
};

static struct trust_store *store_of(struct setting set)
{
	char *dir = pki_dir_new(), *file[4];
	X509_CRL *by_ica = pki_crl(&ica, NULL, -PKI_DAY, LONG),
	         *by_away = pki_crl(&away, NULL, -PKI_DAY, LONG);
	struct trust_store *store = NULL;
	struct pki *vouching = set.cross ? set.cross : &cross;

	file[0] = pki_write_certs(dir, "ica.pem", (X509 *[]){ ica.cert, NULL });
	file[1] = pki_write_certs(dir, "cross.pem", (X509 *[]){ vouching->cert, NULL });
	file[2] = pki_write_crl(dir, "ica.crl", by_ica, true);
	file[3] = pki_write_crl(dir, "away.crl", by_away, true);
	assert_int_equal(
	        trust_store_load(
	                &store,
	                &(struct trust_store_files){
	                        .interconnect = true,
	                        .interconnection = (const char *[]){ file[0], NULL },
	                        .cross_servers = (const char *[]){ file[1], NULL },
	                        .crls = (const char *[]){ file[2], set.no_crl ? NULL : file[3],
	                                                  NULL },
	                        .checks = set.no_checks ? NULL : checks,
	                        .checks_warn = set.warn },
	                NULL),
	        0);
	for (size_t i = 0; i < BASE_COUNT(file); i++)
		free(file[i]);
	pki_dir_remove(dir);
	X509_CRL_free(by_ica);
	X509_CRL_free(by_away);
	return store;
}

struct steps {
	unsigned profile_good, profile_bad;
	char text[400];
};

static void on_step(void *arg, const struct trust_step *step)
{
	struct steps *steps = arg;

	if (step->look != TRUST_LOOK_PROFILE)
		return;
	steps->profile_good += step->ok;
	steps->profile_bad += !step->ok;
	snprintf(steps->text, sizeof(steps->text), "%s", step->text);
}

static struct steps told;

static struct trust_verdict ask(struct setting set, struct pki *peer, unsigned continue_on)
{
	struct trust_store *store = store_of(set);
	struct base_str chain = pki_der(peer->cert);
	struct trust_question question = { .methods = TRUST_CA,
		                           .peer_is_server = true,
		                           .allow_sha1 = true,
		                           .continue_on = continue_on };
	struct trust_verdict verdict, again;

	told = (struct steps){ 0 };
	assert_int_equal(trust_decide(store, &question, &chain, 1, &verdict), 0);
	assert_int_equal(trust_explain(store, &question, &chain, 1, on_step, &told, &again), 0);
	assert_memory_equal(&verdict, &again, sizeof(verdict));
	pki_der_free(&chain);
	trust_store_unref(store);
	return verdict;
}

static void who_keeps_it_is_let_in(void **state)
{
	struct trust_verdict v = ask((struct setting){ 0 }, &good, 0);
	char fields[TRUST_FIELDS_TEXT];

	(void)state;
	assert_true(v.authenticated);
	assert_string_equal(v.rules, "");
	assert_string_equal(trust_verdict_fields(&v, fields, sizeof(fields)), "");
	assert_int_equal(told.profile_good, 1);
	assert_non_null(strstr(told.text, "cert-ts33310"));
}

/* TS 33.310, 6.1.3a is recalled. */
static void recalled_rules_are_noted_and_refuse_nobody(void **state)
{
	struct trust_verdict v = ask((struct setting){ 0 }, &plain, 0);
	char fields[TRUST_FIELDS_TEXT];

	(void)state;
	assert_true(v.authenticated);
	assert_string_equal(v.rules, "E8");
	assert_string_equal(trust_verdict_fields(&v, fields, sizeof(fields)), " rules=E8");
	assert_int_equal(told.profile_good, 1);
	assert_non_null(strstr(told.text, "[E8 R]"));
}

static void seen_rules_refuse(void **state)
{
	struct trust_verdict v = ask((struct setting){ 0 }, &signing, 0);

	(void)state;
	assert_false(v.authenticated);
	assert_int_equal(v.reason, TRUST_PROFILE);
	assert_string_equal(trust_reason_name(v.reason), "profile");
	assert_int_equal(v.alert, 46); /* certificate_unknown */
	assert_int_equal(v.depth, 0);
	assert_string_equal(v.rules, "I17");
	assert_non_null(strstr(v.text, "RFC 5280 4.2.1.9 [I17 V]"));
	assert_int_equal(told.profile_bad, 1);
	/* without a profile nobody asks */
	assert_true(ask((struct setting){ .no_checks = true }, &signing, 0).authenticated);
}

static void the_operator_may_only_want_to_hear(void **state)
{
	struct trust_verdict v = ask((struct setting){ .warn = true }, &signing, 0);

	(void)state;
	assert_true(v.authenticated);
	assert_string_equal(v.rules, "I17");
	v = ask((struct setting){ 0 }, &signing, 1U << TRUST_PROFILE);
	assert_true(!v.authenticated && v.tolerated);
}

static void a_cross_certificate_that_breaks_it_vouches_for_nobody(void **state)
{
	struct trust_verdict v = ask((struct setting){ .cross = &weak_cross }, &good, 0);

	(void)state;
	assert_int_equal(v.reason, TRUST_UNKNOWN_CA);
	assert_non_null(strstr(v.text, "does not keep the certificate profile"));
	assert_true(ask((struct setting){ .cross = &weak_cross, .warn = true }, &good, 0)
	                    .authenticated);
}

static void on_own(void *arg, const char *subject, enum profile_role role,
                   const struct profile_finding *finding)
{
	struct base_writer *w = arg;

	base_writer_printf(w, "%s:%s:%s:%d ", profile_role_name(role), finding->rule->id, subject,
	                   finding->fails);
}

static void the_stores_own_are_told(void **state)
{
	struct trust_store *store = store_of((struct setting){ .cross = &weak_cross });
	struct base_writer w = { .data = NULL };
	const char *text;

	(void)state;
	trust_store_lint(store, on_own, &w);
	text = base_writer_cstr(&w);
	assert_non_null(strstr(text, "cross:C2:CN=Away TLS server CA:1"));
	assert_non_null(strstr(text, "cross:A3:CN=Away TLS server CA:0"));
	assert_non_null(strstr(text, "interconnection-ca:A2:CN=Home Interconnection CA:0"));
	assert_non_null(strstr(text, "crl:I25:CN=Away TLS server CA:1"));
	base_writer_done(&w);
	trust_store_unref(store);
	store = store_of((struct setting){ .no_checks = true });
	trust_store_lint(store, on_own, NULL);
	trust_store_unref(store);
}

/* What a log line needs for somebody to act upon it. */
static void a_refusal_names_its_culprit(void **state)
{
	struct trust_verdict v = ask((struct setting){ .no_crl = true }, &good, 0);
	char fields[TRUST_FIELDS_TEXT], tight[12];

	(void)state;
	assert_int_equal(v.reason, TRUST_CRL_MISSING);
	trust_verdict_fields(&v, fields, sizeof(fields));
	assert_non_null(strstr(fields, " crl=http://crl.away.example/servers.crl culprit=\"CN=mg"));
	assert_non_null(strstr(fields, "issuer=\"CN=Away TLS server CA\""));
	assert_int_equal(strncmp(fields, " serial=", 8), 0);
	assert_true(strlen(trust_verdict_fields(&v, tight, sizeof(tight))) < sizeof(tight));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_keeps_it_is_let_in),
		cmocka_unit_test(recalled_rules_are_noted_and_refuse_nobody),
		cmocka_unit_test(seen_rules_refuse),
		cmocka_unit_test(the_operator_may_only_want_to_hear),
		cmocka_unit_test(a_cross_certificate_that_breaks_it_vouches_for_nobody),
		cmocka_unit_test(the_stores_own_are_told),
		cmocka_unit_test(a_refusal_names_its_culprit),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
