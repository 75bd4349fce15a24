/* SPDX-License-Identifier: Apache-2.0 */
/** @file Files: what is refused and where, deriving, overriding, cycles, and where files are
 * sought. */
#include "stage.h"

#include <sys/stat.h>
#include <unistd.h>

/** A head that needs nothing else. */
#define HEAD "name: mine\ntitle: t\ndocument: D\nclause: C\nrelease: R\n"
/** Rules enough to compile. */
#define RULE(subject, items, strength)                                                             \
	"- {id: X, mark: P, text: t, subject: " subject ", items: [" items                         \
	"], strength: " strength "}\n"
#define ENOUGH                                                                                     \
	RULE("version", "TLS1.2", "shall")                                                         \
	RULE("suite", "TLS_RSA_WITH_AES_128_CBC_SHA", "shall")                                     \
	RULE("signature", "rsa_pkcs1_sha256", "shall")

static int load(struct profile_store *store, const char *text, const struct profile **ret,
                struct base_error *err)
{
	return profile_store_text(store, "mine", text, strlen(text), ret, err);
}

static const struct {
	const char *text, *told;
} wrong[] = {
	{ "nam: mine\n", "mine:1:1: unknown key 'nam'; did you mean 'name'?" },
	{ "name: mine\n", "mine:1:1: key 'title' is missing" },
	{ "name: other\ntitle: t\ndocument: D\nclause: C\nrelease: R\nrules: []\n",
	  "mine:1:7: the file's name says 'mine', this says 'other'" },
	{ HEAD "rules:\n- {id: X, subjct: version}\n",
	  "mine:7:11: unknown key 'subjct'; did you mean 'subject'?" },
	{ HEAD "rules:\n" RULE("sute", "a", "shall"),
	  "mine:7:38: 'subject' must be one of scope, version, suite, group, signature, extension, "
	  "compression, renegotiation, resumption, lifetime, authentication, failure, form, hash, "
	  "signing, key, "
	  "name, validity, key-usage, purpose, alternative-name, basic-constraints, "
	  "key-identifier, "
	  "distribution-point, name-constraints, crl; found "
	  "'sute'; did "
	  "you mean 'suite'?" },
	{ HEAD "rules:\n" RULE("version", "TLS1.2", "must"),
	  "mine:7:74: 'strength' must be one of may, should, shall, should-not, shall-not; found "
	  "'must'" },
	{ HEAD "rules:\n" RULE("version", "TLS1.2, TLS1.4", "shall"),
	  "mine:7:63: no version is called 'TLS1.4'; did you mean 'TLS1.0'?" },
	{ HEAD "rules:\n" RULE("suite", "TLS_RSA_WITH_AES_128_CBC_SHA1", "shall"),
	  "mine:7:53: no suite is called 'TLS_RSA_WITH_AES_128_CBC_SHA1'; did you mean "
	  "'TLS_RSA_WITH_AES_128_CBC_SHA'?" },
	{ HEAD "rules:\n" RULE("suite", "class rc5", "shall-not"),
	  "mine:7:53: no suite is called 'class rc5'; did you mean 'class rc4'?" },
	{ HEAD "rules:\n" RULE("suite", "class rc4", "shall"),
	  "mine:7:53: a class can only be spoken against; name the suites one by one" },
	{ HEAD "rules:\n" RULE("group", "secp256", "shall"),
	  "mine:7:53: no group is called 'secp256'; did you mean 'secp256r1'?" },
	{ HEAD "rules:\n" RULE("renegotiation", "client", "shall"),
	  "mine:7:61: no renegotiation is called 'client'" },
	{ HEAD "rules:\n" RULE("renegotiation", "client-initiated-insecure", "may"),
	  "mine:7:61: a renegotiation that RFC 5746 does not secure is never accepted; rule "
	  "'client-initiated' instead" },
	{ HEAD "rules:\n" RULE("lifetime", "maximum", "shall"),
	  "mine:7:3: key 'value' is missing: a duration of whole seconds, as in 1h" },
	{ HEAD "rules:\n- {id: X, mark: P, text: t, subject: lifetime, items: [maximum], strength: "
	       "shall, value: 10}\n",
	  "mine:7:90: 'value' must be a duration of whole seconds, as in 1h, found '10'" },
	{ HEAD "rules:\n- {id: X, mark: P, text: t, subject: version, items: [TLS1.2], strength: "
	       "shall, value: 10}\n",
	  "mine:7:88: these items take no 'value'" },
	{ HEAD "rules:\n- {id: X, mark: P, text: t, subject: version, items: [TLS1.2], strength: "
	       "shall, default: off}\n",
	  "mine:7:55: 'default: off' goes with should and may only, not with shall" },
	{ HEAD "rules:\n" RULE("version", "TLS1.2", "shall") RULE("version", "tls1.2", "may"),
	  "mine:8:55: 'TLS1.2' is ruled twice, here and in line 7; keep one" },
	{ HEAD "precedence: {suites: [RSA_WITH_AES_128_CBC_SH]}\nrules: []\n",
	  "mine:6:23: no suite is called 'RSA_WITH_AES_128_CBC_SH'; did you mean "
	  "'RSA_WITH_AES_128_CBC_SHA'?" },
	{ HEAD "extends: mine\nrules: []\n", "mine:6:10: 'mine' in the end extends itself" },
	{ HEAD "extends: ts33210-rel7\nrules: []\n",
	  "mine:6:10: no profile is called 'ts33210-rel7'; did you mean 'ts33210-rel17'?" },
	{ HEAD "extends: ../x\nrules: []\n",
	  "mine:6:10: '../x' is no profile's name; it has the letters a-z, digits and - _ . only" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		struct profile_store *store = stage_store();
		struct base_error err = { .rc = 0 };
		const struct profile *p = NULL;
		char told[800];
		int rc = load(store, wrong[i].text, &p, &err);

		assert_int_equal(base_err_class(rc), BASE_CONFIG);
		assert_null(p);
		assert_string_equal(base_error_format(&err, told, sizeof(told)), wrong[i].told);
		/* a failed load leaves nothing behind */
		assert_int_equal(load(store, HEAD "rules: []\n", &p, &err), 0);
		profile_store_free(store);
	}
}

/** Rules that load and cannot stand together. */
static const struct {
	const char *text, *told;
} unsettled[] = {
	{ HEAD "rules:\n" ENOUGH RULE("suite", "class cbc", "shall-not"),
	  "mine:10:3: rule X (shall-not class cbc): contradicts another rule of the same profile" },
	{ HEAD "rules:\n" RULE("version", "TLS1.0, TLS1.2", "shall")
	          RULE("suite", "TLS_RSA_WITH_AES_128_CBC_SHA", "shall")
	                  RULE("signature", "rsa_pkcs1_sha256", "shall"),
	  "mine: the versions of TLS that are on leave one out in between" },
	{ HEAD "rules:\n" RULE("version", "DTLS1.2", "shall"),
	  "mine: no version of TLS is on; rule one, as in 'TLS1.2 shall'" },
	{ HEAD "rules:\n" RULE("version", "SSL3.0", "may"),
	  "mine:7:3: rule X (may SSL3.0): no SSL here, RFC 6176 and RFC 7568" },
	{ HEAD "rules:\n" RULE("version", "TLS1.2", "shall"),
	  "mine: TLS up to 1.2 is on and none of its suites is" },
	{ HEAD "rules:\n" ENOUGH RULE("version", "TLS1.3", "shall"),
	  "mine: TLS 1.3 is on and none of its suites is" },
	{ HEAD "rules:\n" ENOUGH RULE("suite", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "may"),
	  "mine: a suite with (EC)DHE is on and no group is" },
	{ HEAD "rules:\n" RULE("version", "TLS1.2", "shall")
	          RULE("suite", "TLS_RSA_WITH_AES_128_CBC_SHA", "shall"),
	  "mine: no signature scheme is on" },
	{ HEAD "rules:\n" ENOUGH "- {id: L, mark: P, text: t, subject: lifetime, items: [default], "
	       "strength: shall, value: 2h}\n"
	       "- {id: L, mark: P, text: t, subject: lifetime, items: [maximum], "
	       "strength: shall, value: 1h}\n",
	  "mine:10:3: rule L (shall default): longer than the maximum lifetime" },
};

static void test_unsettled(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(unsettled); i++) {
		struct profile_store *store = stage_store();
		struct profile_settings *s = NULL;
		struct base_error err = { .rc = 0 };
		const struct profile *p;
		char told[800];

		assert_int_equal(load(store, unsettled[i].text, &p, &err), 0);
		assert_int_equal(base_err_class(profile_compile(p, NULL, &s, &err)), BASE_CONFIG);
		assert_null(s);
		assert_string_equal(base_error_format(&err, told, sizeof(told)), unsettled[i].told);
		profile_store_free(store);
	}
}

/** An operator's own: the common profile, and one old suite for one old peer. */
static void test_derive(void **state)
{
	struct profile_store *store = stage_store();
	const struct profile *base = stage_profile(store, "ts33210-rel17"), *p;
	struct base_error err = { .rc = 0 };
	struct profile_settings *s;
	const struct profile_rule *rule;

	(void)state;
	assert_int_equal(load(store,
	                      HEAD "extends: ts33210-rel17\n"
	                           "precedence: {suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}\n"
	                           "rules:\n" RULE("suite", "RSA_WITH_AES_128_CBC_SHA", "may")
	                                   RULE("version", "TLS1.3", "should-not"),
	                      &p, &err),
	                 0);
	s = stage_settings(p, NULL);
	assert_int_equal(p->layers, 2);
	assert_string_equal(p->extends, "ts33210-rel17");
	/* named in favour by the last layer: over the base's class non-aead, and now first */
	assert_int_equal(s->suites.item[0].code, 0x002f);
	assert_true(s->suites.item[0].on);
	assert_string_equal(s->suites.item[0].rule->profile, "mine");
	assert_int_equal(s->suites.on, 6);
	/* overridden by item: one rule about TLS 1.3 is left */
	assert_int_equal(s->version_max, PROFILE_TLS_1_2);
	rule = profile_rule_next(p, NULL, PROFILE_VERSION, "TLS1.3");
	assert_int_equal(rule->strength, PROFILE_SHOULD_NOT);
	assert_null(profile_rule_next(p, rule, PROFILE_VERSION, "TLS1.3"));
	assert_int_equal(p->rule_count, base->rule_count + 1);
	profile_settings_free(s);

	/* and the base is as it was */
	s = stage_settings(base, NULL);
	assert_int_equal(s->version_max, PROFILE_TLS_1_3);
	assert_null(profile_list_find(&s->suites, 0x002f));
	profile_settings_free(s);
	profile_store_free(store);
}

/** RC4 that someone turns on stays out of DTLS (RFC 6347, 4.1.2.2), and so does what a rule says.
 */
static void test_dtls(void **state)
{
	struct profile_store *store = stage_store();
	struct base_error err = { .rc = 0 };
	const struct profile *p;
	struct profile_settings *s;

	(void)state;
	assert_int_equal(
	        load(store,
	             HEAD "extends: ts33310-annex-e\nrules:\n" RULE(
	                     "suite", "TLS_RSA_WITH_RC4_128_SHA",
	                     "may") "- {id: Y, mark: P, text: t, subject: suite, when: dtls, "
	                            "items: "
	                            "[TLS_RSA_WITH_AES_256_CBC_SHA], strength: shall-not}\n",
	             &p, &err),
	        0);
	s = stage_settings(p, NULL);
	assert_true(profile_list_find(&s->suites, 0x0005)->on);
	assert_false(profile_list_find(&s->suites, 0x0005)->dtls);
	assert_true(profile_list_find(&s->suites, 0x0035)->on);
	assert_false(profile_list_find(&s->suites, 0x0035)->dtls);
	assert_true(profile_list_find(&s->suites, 0x002f)->dtls);
	profile_settings_free(s);
	profile_store_free(store);
}

/** The example of docs/profiles.md does what the page says. */
static void test_docs_example(void **state)
{
	struct profile_store *store = stage_store();
	struct base_error err = { .rc = 0 };
	char path[1024], told[800], *page, *start, *end;
	struct profile_settings *s;
	const struct profile *p;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/profiles.md", stage_root());
	assert_int_equal(config_file_read(path, 1 << 20, &page, &len, &err), 0);
	start = strstr(page, "```yaml\n");
	assert_non_null(start);
	start += 8;
	end = strstr(start, "```");
	assert_non_null(end);
	if (profile_store_text(store, "partner-x", start, (size_t)(end - start), &p, &err))
		fail_msg("%s", base_error_format(&err, told, sizeof(told)));
	s = stage_settings(p, NULL);
	assert_int_equal(s->suites.item[0].code, 0xc02f);
	assert_int_equal(s->suites.item[1].code, 0x002f);
	assert_true(s->suites.item[1].on);
	assert_int_equal(s->suites.on, 6);
	profile_settings_free(s);
	profile_store_free(store);
	free(page);
}

static void test_replace(void **state)
{
	struct profile_store *store = stage_store();
	struct base_error err = { .rc = 0 };
	const struct profile *p;
	struct profile_settings *s;

	(void)state;
	assert_int_equal(
	        load(store,
	             HEAD "extends: ts33210-rel17\nreplace: [suite]\nrules:\n" RULE(
	                     "suite", "TLS_AES_128_GCM_SHA256, AES_256_GCM_SHA384", "shall")
	                     RULE("suite", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "may"),
	             &p, &err),
	        0);
	s = stage_settings(p, NULL);
	assert_int_equal(s->suites.count, 1);
	assert_int_equal(s->suites13.count, 2);
	profile_settings_free(s);
	profile_store_free(store);
}

static void test_null_not_permitted(void **state)
{
	const struct profile_options options = { .null_encryption = true };
	struct profile_store *store = stage_store();
	struct profile_settings *s = NULL;
	struct base_error err = { .rc = 0 };

	(void)state;
	assert_int_not_equal(
	        profile_compile(stage_profile(store, "ts33210-rel17"), &options, &s, &err), 0);
	assert_string_equal(err.text, "suites without encryption are asked for; no rule of this "
	                              "profile permits them");
	profile_store_free(store);
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void drop_file(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

#define FILE_TEXT(name, more)                                                                      \
	"name: " name "\ntitle: from the first\ndocument: D\nclause: C\nrelease: R\n" more

static void test_files(void **state)
{
	char dir[] = "/tmp/gatehouse-test-XXXXXX";
	struct base_arena arena = { .chunk = NULL };
	struct profile_store *store = NULL;
	struct base_error err = { .rc = 0 };
	const struct profile *p = NULL;
	const char **name;
	char told[800], want[800];
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_file(dir, "a.yaml", FILE_TEXT("a", "extends: b\nrules: []\n"));
	put_file(dir, "b.yaml", FILE_TEXT("b", "extends: c\nrules: []\n"));
	put_file(dir, "c.yaml", FILE_TEXT("c", "extends: a\nrules: []\n"));
	put_file(dir, "ts33210-rel17.yaml", FILE_TEXT("ts33210-rel17", "rules: []\n"));
	put_file(dir, "README", "no profile\n");
	store = stage_store();
	assert_int_equal(profile_store_find(store, "ts33210-rel17", &p, &err), 0);
	assert_string_equal(err.file, ""); /* what goes wrong next does so elsewhere */
	profile_store_free(store);

	assert_int_equal(profile_store_new(&store), 0);
	assert_int_equal(profile_store_dir(store, dir), 0);
	/* a folder that was added goes before the installed ones */
	assert_int_equal(profile_store_find(store, "ts33210-rel17", &p, &err), 0);
	assert_string_equal(p->title, "from the first");
	assert_int_equal(profile_store_find(store, "a", &p, &err), BASE_ERR(BASE_CONFIG, 0));
	snprintf(want, sizeof(want), "%s/c.yaml:6:10: 'a' in the end extends itself", dir);
	assert_string_equal(base_error_format(&err, told, sizeof(told)), want);
	profile_store_isolate(store);
	assert_int_equal(profile_store_list(store, &arena, &name, &count), 0);
	assert_int_equal(count, 4);
	assert_string_equal(name[0], "a");
	assert_string_equal(name[3], "ts33210-rel17");
	err.file[0] = '\0';
	assert_int_not_equal(profile_store_find(store, "nowhere", &p, &err), 0);
	snprintf(want, sizeof(want), "no profile is called 'nowhere'; looked in %s", dir);
	assert_string_equal(err.text, want);
	profile_store_free(store);
	profile_store_free(NULL);
	base_arena_done(&arena);
	drop_file(dir, "a.yaml");
	drop_file(dir, "b.yaml");
	drop_file(dir, "c.yaml");
	drop_file(dir, "ts33210-rel17.yaml");
	drop_file(dir, "README");
	assert_int_equal(rmdir(dir), 0);
}

static void test_long_chain(void **state)
{
	char dir[] = "/tmp/gatehouse-test-XXXXXX";
	struct profile_store *store = NULL;
	struct base_error err = { .rc = 0 };
	const struct profile *p = NULL;
	char name[32], text[256];

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "p%d.yaml", i);
		snprintf(text, sizeof(text), FILE_TEXT("p%d", "extends: p%d\nrules: []\n"), i,
		         i + 1);
		put_file(dir, name, text);
	}
	assert_int_equal(profile_store_new(&store), 0);
	assert_int_equal(profile_store_dir(store, dir), 0);
	assert_int_not_equal(profile_store_find(store, "p0", &p, &err), 0);
	assert_string_equal(err.text, "a chain of more than 16 profiles");
	profile_store_free(store);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "p%d.yaml", i);
		drop_file(dir, name);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_unsettled),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_dtls),
		cmocka_unit_test(test_docs_example),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_null_not_permitted),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
