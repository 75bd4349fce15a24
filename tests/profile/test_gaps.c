/* SPDX-License-Identifier: Apache-2.0 */
/** @file What an engine lacks, told by clause; the registry that the codes come from. */
#include "stage.h"

/** What this distribution's two engines offer, as the registry tells it: for tests of the words. */
struct engine {
	struct profile_engine_caps caps;
	uint16_t suite[256], group[64], signature[64], extension[64];
};

static bool every_openssl(const struct profile_suite *s)
{
	return s->openssl != NULL;
}

static bool every_gnutls(const struct profile_suite *s)
{
	return s->gnutls_cipher != NULL;
}

static void engine_fill(struct engine *e, const char *name,
                        bool (*has)(const struct profile_suite *))
{
	const struct profile_suite *s;
	const struct profile_code *c;
	size_t count;

	memset(e, 0, sizeof(*e));
	e->caps.name = name;
	e->caps.versions = PROFILE_TLS_ALL;
	e->caps.features = ~0u;
	s = profile_suite_all(&count);
	for (size_t i = 0; i < count; i++) {
		if (has(&s[i]))
			e->suite[e->caps.suites.count++] = s[i].code;
	}
	c = profile_group_all(&count);
	for (size_t i = 0; i < count; i++)
		e->group[e->caps.groups.count++] = c[i].code;
	c = profile_signature_all(&count);
	for (size_t i = 0; i < count; i++)
		e->signature[e->caps.signatures.count++] = c[i].code;
	c = profile_extension_all(&count);
	for (size_t i = 0; i < count; i++)
		e->extension[e->caps.extensions.count++] = c[i].code;
	e->caps.suites.code = e->suite;
	e->caps.groups.code = e->group;
	e->caps.signatures.code = e->signature;
	e->caps.extensions.code = e->extension;
}

static void test_annex_o(void **state)
{
	struct profile_store *store = stage_store();
	struct profile_settings *s = stage_settings(stage_profile(store, "ts33203-annex-o"), NULL);
	struct base_arena arena = { .chunk = NULL };
	struct profile_gap *gap;
	struct engine e;
	char told[256];
	size_t count;

	(void)state;
	engine_fill(&e, "openssl", every_openssl);
	assert_int_equal(profile_engine_gaps(s, &e.caps, &arena, &gap, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(profile_gap_count(gap, count, PROFILE_SHALL), 1);
	assert_string_equal(
	        profile_gap_format(&gap[0], &e.caps, told, sizeof(told)),
	        "openssl cannot meet: shall suite TLS_RSA_WITH_3DES_EDE_CBC_SHA (TS 33.203 "
	        "Annex O [O2, V])");
	engine_fill(&e, "gnutls", every_gnutls);
	assert_int_equal(profile_engine_gaps(s, &e.caps, &arena, &gap, &count), 0);
	assert_int_equal(count, 0);
	assert_null(gap);
	profile_settings_free(s);
	base_arena_done(&arena);
	profile_store_free(store);
}

/** Neither engine has RFC 8442's GCM suites: a "should" of the project's own PSK list. */
static void test_annex_h(void **state)
{
	struct profile_store *store = stage_store();
	struct profile_settings *s = stage_settings(stage_profile(store, "ts33328-annex-h"), NULL);
	struct base_arena arena = { .chunk = NULL };
	struct profile_gap *gap;
	struct engine e;
	size_t count;

	(void)state;
	for (int i = 0; i < 2; i++) {
		engine_fill(&e, "x", i ? every_openssl : every_gnutls);
		assert_int_equal(profile_engine_gaps(s, &e.caps, &arena, &gap, &count), 0);
		assert_int_equal(count, 1);
		assert_int_equal(gap[0].strength, PROFILE_SHOULD);
		assert_string_equal(gap[0].item, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256");
	}
	profile_settings_free(s);
	base_arena_done(&arena);
	profile_store_free(store);
}

/** RFC 6066's client_certificate_url and truncated_hmac: permitted by E10, never offered, and told.
 */
static void test_never(void **state)
{
	struct profile_store *store = stage_store();
	struct profile_settings *s =
	        stage_settings(stage_profile(store, "ts33310-annex-e-rel12"), NULL);
	struct base_arena arena = { .chunk = NULL };
	static const uint16_t extensions[] = { 0, 1, 3, 5, 22, 23, 35, 65281 };
	struct profile_gap *gap;
	struct engine e;
	char told[256];
	size_t count;

	(void)state;
	engine_fill(&e, "openssl", every_openssl);
	e.caps.extensions = (struct profile_codes){ extensions, BASE_COUNT(extensions) };
	assert_int_equal(profile_engine_gaps(s, &e.caps, &arena, &gap, &count), 0);
	assert_int_equal(profile_gap_count(gap, count, PROFILE_MAY), 2);
	assert_int_equal(profile_gap_count(gap, count, PROFILE_SHALL), 0);
	assert_string_equal(
	        profile_gap_format(&gap[count - 2], &e.caps, told, sizeof(told)),
	        "gatehouse never offers: may extension client_certificate_url (TS 33.310 Annex E "
	        "[E10, V]): a server would connect to where a client tells it to (RFC 6066, 11.3)");
	assert_string_equal(profile_gap_format(&gap[count - 1], &e.caps, told, sizeof(told)),
	                    "gatehouse never offers: may extension truncated_hmac (TS 33.310 "
	                    "Annex E [E10, V]): RFC 9325, 4.6: MUST NOT be used");
	profile_settings_free(s);
	base_arena_done(&arena);
	profile_store_free(store);
}

/** H.248.TLSPROF 8.3.4: a profile may ask for Kerberos (RFC 2712); no engine has it, and that is
 * told. */
static void test_kerberos(void **state)
{
	static const char text[] =
	        "name: mine\ntitle: t\ndocument: D\nclause: C\nrelease: R\nrules:\n"
	        "- {id: K1, mark: P, text: t, subject: suite, strength: shall,\n"
	        "   items: [TLS_KRB5_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA]}\n"
	        "- {id: K2, mark: P, text: t, subject: version, items: [TLS1.2], strength: shall}\n"
	        "- {id: K3, mark: P, text: t, subject: signature, items: [rsa_pkcs1_sha256], "
	        "strength: shall}\n";
	bool (*const has[])(const struct profile_suite *) = { every_openssl, every_gnutls };
	struct profile_store *store = stage_store();
	struct base_arena arena = { .chunk = NULL };
	const struct profile *profile;
	struct profile_settings *s;
	struct base_error err = { .rc = 0 };

	(void)state;
	assert_int_equal(profile_store_text(store, "mine", text, strlen(text), &profile, &err), 0);
	s = stage_settings(profile, NULL);
	for (size_t i = 0; i < BASE_COUNT(has); i++) {
		struct profile_gap *gap;
		struct engine e;
		char told[256];
		size_t count;

		engine_fill(&e, "engine", has[i]);
		assert_int_equal(profile_engine_gaps(s, &e.caps, &arena, &gap, &count), 0);
		assert_int_equal(count, 1);
		assert_string_equal(
		        profile_gap_format(&gap[0], &e.caps, told, sizeof(told)),
		        "engine cannot meet: shall suite TLS_KRB5_WITH_3DES_EDE_CBC_SHA (D C "
		        "[K1, P])");
	}
	profile_settings_free(s);
	base_arena_done(&arena);
	profile_store_free(store);
}

/** An engine that can do nothing: every positive rule that compiles shows up, strongest first. */
static void test_everything(void **state)
{
	struct profile_store *store = stage_store();
	struct profile_settings *s = stage_settings(stage_profile(store, "ts33210-rel17"), NULL);
	const struct profile_engine_caps none = { .name = "none" };
	const struct profile_engine_caps dtls = { .name = "dtls", .versions = PROFILE_DTLS_1_0 };
	struct base_arena arena = { .chunk = NULL };
	struct base_writer w = { .data = NULL };
	struct profile_gap *gap;
	size_t count;

	(void)state;
	assert_int_equal(profile_engine_gaps(s, &none, &arena, &gap, &count), 0);
	for (size_t i = 0; i < count; i++) {
		char told[256];

		if (i)
			assert_true(gap[i].strength <= gap[i - 1].strength);
		base_writer_printf(&w, "%s\n",
		                   profile_gap_format(&gap[i], &none, told, sizeof(told)));
	}
	stage_golden("gaps+ts33210-rel17", &w);
	/* an engine that does DTLS at all is held to "if DTLS is supported" */
	assert_int_equal(profile_engine_gaps(s, &dtls, &arena, &gap, &count), 0);
	assert_string_equal(gap[2].item, "DTLS1.2");
	base_writer_done(&w);
	profile_settings_free(s);
	base_arena_done(&arena);
	profile_store_free(store);
}

static void test_registry(void **state)
{
	const struct profile_suite *all;
	size_t count;

	(void)state;
	all = profile_suite_all(&count);
	for (size_t i = 0; i < count; i++) {
		const struct profile_suite *s = &all[i];

		if (i)
			assert_true(all[i - 1].code < s->code);
		assert_ptr_equal(profile_suite_find(s->code), s);
		assert_ptr_equal(profile_suite_named(base_str_of(s->name)), s);
		assert_ptr_equal(profile_suite_named(base_str_of(s->name + 4)), s);
		assert_true(s->min <= s->max);
		assert_int_equal(s->min == PROFILE_TLS_1_3, profile_suite_tls13(s->code));
		assert_int_equal(!s->gnutls_cipher, !s->gnutls_mac);
		assert_false(s->dtls && (s->flags & PROFILE_SUITE_RC4));
		/* what a name says, the flags say */
		assert_int_equal(strstr(s->name, "_CBC_") != NULL,
		                 (s->flags & PROFILE_SUITE_CBC) != 0);
		assert_int_equal(strstr(s->name, "_WITH_NULL_") != NULL,
		                 (s->flags & PROFILE_SUITE_NULL) != 0);
		assert_int_equal(strstr(s->name, "_anon_") != NULL,
		                 (s->flags & PROFILE_SUITE_ANON) != 0);
	}
	assert_null(profile_suite_find(0x5600));
	assert_null(profile_suite_named(BASE_STR("TLS_")));
	assert_int_equal(profile_suite_named(BASE_STR("psk_with_aes_128_gcm_sha256"))->code, 0xa8);
	assert_int_equal(profile_version_find(BASE_STR("tls1.3")), PROFILE_TLS_1_3);
	assert_int_equal(profile_version_find(BASE_STR("TLS")), 0);
	assert_int_equal(profile_version_wire(PROFILE_TLS_1_2), 0x0303);
	assert_int_equal(profile_version_wire(PROFILE_DTLS_1_2), 0xfefd);
	assert_int_equal(profile_version_wire(3), 0);
	assert_string_equal(profile_version_name(PROFILE_TLS_ALL), "?");
	assert_int_equal(profile_group_named(BASE_STR("X25519"))->code, 29);
	assert_string_equal(profile_extension_find(65281)->name, "renegotiation_info");
	assert_null(profile_signature_find(0));
}

/** The fact sheet leaves "TLS_" and "WITH_" out of the names. */
static void short_name(const struct profile_suite *s, char *out, size_t cap)
{
	const char *with = strstr(s->name, "WITH_");

	assert_non_null(with);
	snprintf(out, cap, "%.*s%s", (int)(with - s->name - 4), s->name + 4, with + 5);
}

/** Code points of the fact sheet's own table (its section 8), against the registry. */
static void test_sheet(void **state)
{
	const char *shared = getenv("GATEHOUSE_SHARED");
	struct base_error err = { .rc = 0 };
	char path[1024], name[64], *text, *at;
	size_t len, found = 0;

	(void)state;
	if (shared)
		snprintf(path, sizeof(path), "%s/spec/tls-profiles.md", shared);
	else
		snprintf(path, sizeof(path), "%s/../shared/spec/tls-profiles.md", stage_root());
	if (config_file_read(path, 1 << 20, &text, &len, &err)) {
		print_message("skipped: no fact sheet at hand (%s)\n", err.text);
		skip();
	}
	/* cells are "NAME | 0xCODE |" */
	at = strstr(text, "## 8 Code points");
	assert_non_null(at);
	for (; (at = strstr(at, " | 0x")); at++) {
		uint16_t code = (uint16_t)strtoul(at + 3, NULL, 16);
		const struct profile_suite *s = profile_suite_find(code);
		size_t n;

		if (!s || profile_suite_tls13(code))
			continue;
		short_name(s, name, sizeof(name));
		n = strlen(name);
		assert_true((size_t)(at - text) > n && !memcmp(at - n, name, n));
		found++;
	}
	assert_true(found >= 25);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_annex_o),    cmocka_unit_test(test_annex_h),
		cmocka_unit_test(test_never),      cmocka_unit_test(test_kerberos),
		cmocka_unit_test(test_everything), cmocka_unit_test(test_registry),
		cmocka_unit_test(test_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
