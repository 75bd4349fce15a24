/* SPDX-License-Identifier: Apache-2.0 */
/** @file What is decided from an entry as it is: one modify or one add, and never a step back. */
#include "check.h"

#include "crl_forge.h"
#include "fetch/ldap_change.h"
#include "pki.h"

struct stage {
	struct pki a, again; /* one name, two keys */
	struct base_arena arena;
	struct base_writer list[8];
	size_t count;
};

static struct base_str list(struct stage *s, const struct pki *issuer, uint32_t number,
                            uint32_t base)
{
	const struct crl_forge spec = {
		.issuer = issuer->cert, .key = issuer->key, .number = number, .base = base
	};

	assert_true(s->count < BASE_COUNT(s->list));
	s->list[s->count] = crl_forge(&spec);
	return base_writer_view(&s->list[s->count++]);
}

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->a = pki_ca("A");
	s->again = pki_ca("other");
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	for (size_t i = 0; i < s->count; i++)
		base_writer_done(&s->list[i]);
	base_arena_done(&s->arena);
	pki_free(&s->a);
	pki_free(&s->again);
	free(s);
	return 0;
}

/* What is wanted: one list, and one certificate where there is one. */
static struct fetch_job_entry wanted(struct base_str *crl, struct base_str *cert, unsigned bit)
{
	struct fetch_job_entry want = { .name = "x" };

	want.attribute[want.count++] =
	        (struct fetch_job_attribute){ .bit = bit, .values = crl, .count = 1 };
	if (cert)
		want.attribute[want.count++] = (struct fetch_job_attribute){ .bit = FETCH_LDAP_CA,
			                                                     .values = cert,
			                                                     .count = 1 };
	return want;
}

static const LDAPMod *find(const struct fetch_ldap_change *c, const char *type)
{
	for (size_t i = 0; c->list[i]; i++)
		if (!strcmp(c->list[i]->mod_type, type))
			return c->list[i];
	return NULL;
}

static size_t values_of(const LDAPMod *mod)
{
	size_t n = 0;

	while (mod && mod->mod_bvalues[n])
		n++;
	return n;
}

static bool has(const LDAPMod *mod, struct base_str value)
{
	for (size_t i = 0; i < values_of(mod); i++)
		if (base_str_eq(value, (struct base_str){ mod->mod_bvalues[i]->bv_val,
		                                          mod->mod_bvalues[i]->bv_len }))
			return true;
	return false;
}

static void a_new_entry(void **state)
{
	struct stage *s = *state;
	struct base_str crl = list(s, &s->a, 1, 0), cert = BASE_STR("certificate");
	struct fetch_job_entry want = wanted(&crl, &cert, FETCH_LDAP_CRL);
	const struct fetch_ldap_entry none = { 0 };
	struct fetch_ldap_change c = { .arena = &s->arena };
	struct base_error err = { 0 };

	assert_int_equal(fetch_ldap_change_make(&c, "cn=a\\2Cb,o=A", &want, &none, &err), 0);
	assert_true(has(find(&c, "cn"), BASE_STR("a,b")));
	assert_int_equal(values_of(find(&c, "objectClass")), 2);
	assert_true(has(find(&c, "objectClass"), BASE_STR("organizationalRole")));
	assert_true(has(find(&c, "objectClass"), BASE_STR("pkiCA")));
	assert_true(has(find(&c, "cACertificate;binary"), cert));
	assert_true(has(find(&c, "certificateRevocationList;binary"), crl));

	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(fetch_ldap_change_make(&c, "ou=x", &want, &none, &err), 0);
	assert_true(has(find(&c, "objectClass"), BASE_STR("organizationalUnit")));
	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(base_err_class(fetch_ldap_change_make(&c, "dc=x", &want, &none, &err)),
	                 BASE_CONFIG);
	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(
	        base_err_class(fetch_ldap_change_make(&c, "cn=x+ou=y,o=A", &want, &none, &err)),
	        BASE_CONFIG);
}

/* Ours takes the place of our older one alone. */
static void one_line_moves_on(void **state)
{
	struct stage *s = *state;
	struct base_str crl = list(s, &s->a, 7, 0);
	struct fetch_ldap_there there[] = {
		{ FETCH_LDAP_CRL, list(s, &s->a, 6, 0) },
		{ FETCH_LDAP_CRL, list(s, &s->again, 99, 0) }, /* of another CA */
		{ FETCH_LDAP_CRL, list(s, &s->a, 99, 6) },     /* a delta has its own line */
		{ FETCH_LDAP_CRL, BASE_STR("no list at all") },
		{ FETCH_LDAP_ARL, list(s, &s->a, 99, 0) }, /* another attribute */
	};
	struct fetch_ldap_entry have = {
		.exists = true, .is_ca = true, .there = there, .count = BASE_COUNT(there)
	};
	struct fetch_job_entry want = wanted(&crl, NULL, FETCH_LDAP_CRL);
	struct fetch_ldap_change c = { .arena = &s->arena };
	struct base_error err = { 0 };
	const LDAPMod *mod;

	assert_int_equal(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err), 0);
	assert_int_equal(c.count, 1);
	mod = find(&c, "certificateRevocationList;binary");
	assert_int_equal(mod->mod_op, LDAP_MOD_REPLACE | LDAP_MOD_BVALUES);
	assert_int_equal(values_of(mod), 4);
	assert_true(has(mod, crl));
	assert_false(has(mod, there[0].value));
	for (size_t i = 1; i < 4; i++)
		assert_true(has(mod, there[i].value));

	/* the same again is no change */
	there[0].value = crl;
	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err), 0);
	assert_int_equal(c.count, 0);
}

static void never_back(void **state)
{
	struct stage *s = *state;
	struct base_str crl = list(s, &s->a, 7, 0), bad = BASE_STR("no list");
	struct fetch_ldap_there there = { FETCH_LDAP_CRL, list(s, &s->a, 8, 0) };
	const struct fetch_ldap_entry have = { .exists = true, .there = &there, .count = 1 };
	struct fetch_job_entry want = wanted(&crl, NULL, FETCH_LDAP_CRL);
	struct fetch_ldap_change c = { .arena = &s->arena };
	struct base_error err = { 0 };

	assert_int_equal(base_err_class(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err)),
	                 BASE_CONFIG);
	assert_non_null(strstr(err.text, "newer than ours"));
	want = wanted(&bad, NULL, FETCH_LDAP_CRL);
	assert_int_equal(base_err_class(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err)),
	                 BASE_CONFIG);
}

static void classes(void **state)
{
	struct stage *s = *state;
	struct base_str crl = list(s, &s->a, 7, 6);
	struct fetch_ldap_entry have = { .exists = true };
	struct fetch_job_entry want = wanted(&crl, NULL, FETCH_LDAP_DELTA);
	struct fetch_ldap_change c = { .arena = &s->arena };
	struct base_error err = { 0 };

	assert_int_equal(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err), 0);
	assert_int_equal(find(&c, "objectClass")->mod_op, LDAP_MOD_ADD | LDAP_MOD_BVALUES);
	assert_true(has(find(&c, "objectClass"), BASE_STR("pkiCA")));
	assert_true(has(find(&c, "objectClass"), BASE_STR("deltaCRL")));
	have.is_ca = have.is_delta = true;
	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err), 0);
	assert_null(find(&c, "objectClass"));
	/* pairs that are no more are taken away */
	want.attribute[0] = (struct fetch_job_attribute){ .bit = FETCH_LDAP_CROSS };
	c = (struct fetch_ldap_change){ .arena = &s->arena };
	assert_int_equal(fetch_ldap_change_make(&c, "cn=x", &want, &have, &err), 0);
	assert_int_equal(values_of(find(&c, "crossCertificatePair;binary")), 0);
	assert_int_equal(c.list[0]->mod_op, LDAP_MOD_REPLACE | LDAP_MOD_BVALUES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_line_moves_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(classes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
