/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * NIST PKITS 1.0.1 through trust_explain(), all cases. The verdict's sentence has to be one of the
 * steps that were told.
 */
#include <unistd.h>

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

/* 2011-04-15 00:00:00 UTC, the day the data are made for */
#define PKITS_DAY 1302825600

struct score {
	unsigned run, agreed, wrongly_accepted, wrongly_refused;
};

static char *data_dir(void)
{
	const char *shared = getenv("GATEHOUSE_SHARED"), *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char *dir = NULL;

	if (shared)
		assert_true(asprintf(&dir, "%s/pkits", shared) > 0);
	else
		assert_true(asprintf(&dir, "%s/../shared/pkits", root ? root : ".") > 0);
	return dir;
}

/* Cut the next field off; NULL at the end. */
static char *field(char **line, const char *sep)
{
	return *line ? strsep(line, sep) : NULL;
}

static struct trust_store *case_store(const char *dir, char *crls)
{
	char *anchor = pki_path(dir, "certs/TrustAnchorRootCertificate.crt"), *path[8] = { 0 };
	const char *list[8] = { 0 }, *name;
	struct trust_store *store = NULL;
	struct base_error err = { 0 };
	size_t count = 0;

	while ((name = field(&crls, " ")) && count < 7) {
		if (!*name)
			continue;
		assert_true(asprintf(&path[count], "%s/crls/%s.crl", dir, name) > 0);
		list[count] = path[count];
		count++;
	}
	if (trust_store_load(
	            &store,
	            &(struct trust_store_files){ .anchors = (const char *const[]){ anchor, NULL },
	                                         .crls = list,
	                                         .crl_required = true },
	            &err))
		print_message("%s: %s\n", err.file, err.text);
	while (count)
		free(path[--count]);
	free(anchor);
	return store;
}

/* The steps of a decision. */
struct steps {
	unsigned good, bad;
	char bad_text[32][256];
};

static void on_step(void *arg, const struct trust_step *step)
{
	struct steps *steps = arg;

	assert_true(*step->text);
	assert_int_equal(step->ok, step->reason == TRUST_OK);
	if (step->ok)
		steps->good++;
	else if (steps->bad < BASE_COUNT(steps->bad_text))
		(void)snprintf(steps->bad_text[steps->bad++], sizeof(steps->bad_text[0]), "%s",
		               step->text);
}

static void steps_check(const struct steps *steps, const struct trust_verdict *verdict)
{
	bool told = verdict->authenticated;

	for (unsigned i = 0; i < steps->bad; i++)
		told |= !strcmp(steps->bad_text[i], verdict->text);
	if (!told)
		print_message("no step says: %s\n", verdict->text);
	assert_true(told);
	if (verdict->authenticated) /* each certificate, and a CRL for all but the anchor */
		assert_true(steps->good >= 3);
}

static struct trust_verdict case_judge(const char *dir, const char *target, char *intermediates,
                                       struct trust_store *store,
                                       const struct trust_question *question)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct trust_verdict verdict;
	struct steps steps = { 0 };
	struct base_str chain[16] = { 0 };
	const char *name = target;
	size_t count;

	for (; name; name = field(&intermediates, " ")) {
		char *path = NULL;

		if (!*name)
			continue;
		assert_true(asprintf(&path, "%s/certs/%s.crt", dir, name) > 0);
		assert_int_equal(x509_certs_load(path, certs, NULL), 0);
		free(path);
	}
	count = (size_t)sk_X509_num(certs);
	for (size_t i = 0; i < count; i++)
		chain[i] = pki_der(sk_X509_value(certs, (int)i));
	assert_int_equal(trust_explain(store, question, chain, count, on_step, &steps, &verdict),
	                 0);
	steps_check(&steps, &verdict);
	for (size_t i = 0; i < count; i++)
		pki_der_free(&chain[i]);
	sk_X509_pop_free(certs, X509_free);
	return verdict;
}

static struct trust_question case_question(char *policies, const char *flags, const char **list)
{
	size_t count = 0;

	while (policies && count < 7) {
		char *one = field(&policies, " ");

		if (*one)
			list[count++] = one;
	}
	return (struct trust_question){
		.methods = TRUST_CA,
		.now_s = PKITS_DAY,
		.any_strength = true,
		.policies = list,
		.require_explicit_policy = strstr(flags, "explicit"),
		.inhibit_policy_mapping = strstr(flags, "inhibit-map"),
		.inhibit_any_policy = strstr(flags, "inhibit-any"),
	};
}

static void case_run(const char *dir, char *line, struct score *score)
{
	char *id = field(&line, "\t"), *title = field(&line, "\t"), *target = field(&line, "\t"),
	     *intermediates = field(&line, "\t"), *crls = field(&line, "\t"),
	     *policies = field(&line, "\t"), *flags = field(&line, "\t");
	const char *expected, *list[8] = { 0 };
	struct trust_question question;
	struct trust_store *store;
	struct trust_verdict verdict;

	(void)field(&line, "\t"); /* policies out: the verdict has none */
	expected = line;
	assert_non_null(expected);
	question = case_question(policies, flags, list);
	store = case_store(dir, crls);
	assert_non_null(store);
	verdict = case_judge(dir, target, intermediates, store, &question);
	trust_store_unref(store);
	score->run++;
	if (verdict.authenticated == !strcmp(expected, "valid")) {
		score->agreed++;
		return;
	}
	*(verdict.authenticated ? &score->wrongly_accepted : &score->wrongly_refused) += 1;
	print_message("%s %s: expected %s: %s\n", id, title, expected, verdict.text);
}

static void pkits(void **state)
{
	char *dir = data_dir(), *path = pki_path(dir, "manifest.tsv"), *line = NULL;
	FILE *manifest = fopen(path, "r");
	struct score score = { 0 };
	size_t cap = 0;

	(void)state;
	free(path);
	if (!manifest) {
		free(dir);
		print_message("skipped: the PKITS data are not here (GATEHOUSE_SHARED)\n");
		skip();
	}
	while (getline(&line, &cap, manifest) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line && *line != '#')
			case_run(dir, line, &score);
	}
	free(line);
	(void)fclose(manifest);
	free(dir);
	print_message("PKITS: %u run, %u as expected, %u wrongly accepted, %u wrongly refused\n",
	              score.run, score.agreed, score.wrongly_accepted, score.wrongly_refused);
	assert_int_equal(score.run, 249);
	assert_int_equal(score.wrongly_accepted, 0);
	/* 4.1.5 has a DSA key without its parameters, which libcrypto cannot read; 4.14.30 has a
	 * CRL whose issuer's own status is in that CRL, which libcrypto refuses */
	assert_int_equal(score.wrongly_refused, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pkits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
