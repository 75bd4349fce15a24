/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ldap_change.h"

#include <errno.h>

#include "x509/x509.h"

static int no_memory(void)
{
	return BASE_ERR(BASE_LOCAL, ENOMEM);
}

/* One modification; `binary` values have that option (RFC 4523, 4). */
static int mod_add(struct fetch_ldap_change *c, int op, const char *name, bool binary,
                   const struct base_str *values, size_t count)
{
	struct berval *bv = base_arena_array(c->arena, count + 1, sizeof(*bv));
	struct berval **list = base_arena_array(c->arena, count + 1, sizeof(struct berval *));
	char *type = base_arena_printf(c->arena, "%s%s", name, binary ? ";binary" : "");

	if (!bv || !list || !type || c->count == FETCH_CHANGE_MODS)
		return no_memory();
	for (size_t i = 0; i < count; i++) {
		/* libldap only reads it */
		bv[i] = (struct berval){ values[i].len, (char *)values[i].ptr };
		list[i] = &bv[i];
	}
	c->mod[c->count] = (LDAPMod){ .mod_op = op | LDAP_MOD_BVALUES, .mod_type = type };
	c->mod[c->count].mod_bvalues = list;
	c->list[c->count] = &c->mod[c->count];
	c->list[++c->count] = NULL;
	return 0;
}

static int mod_word(struct fetch_ldap_change *c, int op, const char *name, const char *word)
{
	const struct base_str value = base_str_of(word);

	return mod_add(c, op, name, false, &value, 1);
}

/* ---- lists ---- */

static int list_read(struct base_str der, struct x509_crl_index **ret, struct base_error *err)
{
	return x509_crl_index_make(ret, der.ptr, der.len, NULL, err);
}

/* Of one issuer and key, for one scope, and of one kind: the later of two takes the place. */
static bool one_line(const struct x509_crl_info *a, const struct x509_crl_info *b)
{
	return !((a->flags ^ b->flags) & X509_CRL_DELTA) && base_str_eq(a->issuer, b->issuer) &&
	       base_str_eq(a->authority_key, b->authority_key) && base_str_eq(a->scope, b->scope);
}

static bool newer(const struct x509_crl_info *a, const struct x509_crl_info *than)
{
	int order = x509_crl_number_compare(a->number, than->number);

	return order > 0 || (order == 0 && a->this_update_s > than->this_update_s);
}

enum meeting { STAYS, GOES, SAME, FORBIDS };

/* What one of the directory's lists means for ours. What cannot be read is not ours to take away.
 */
static enum meeting meet(const struct x509_crl_info *ours, struct base_str our_der,
                         struct base_str theirs)
{
	struct x509_crl_index *index = NULL;
	enum meeting result = STAYS;

	if (base_str_eq(our_der, theirs))
		return SAME;
	if (list_read(theirs, &index, NULL))
		return STAYS;
	if (one_line(ours, x509_crl_index_info(index)))
		result = newer(x509_crl_index_info(index), ours) ? FORBIDS : GOES;
	x509_crl_index_unref(index);
	return result;
}

/* What is there, as far as it stays, and whether it already has ours. */
static int list_meet(const struct fetch_ldap_entry *have, unsigned bit, struct base_str der,
                     bool *gone, bool *same, struct base_error *err)
{
	struct x509_crl_index *ours = NULL;
	int rc = list_read(der, &ours, err);

	*same = false;
	for (size_t i = 0; !rc && i < have->count; i++) {
		enum meeting m = have->there[i].bit == bit ? meet(x509_crl_index_info(ours), der,
		                                                  have->there[i].value)
		                                           : STAYS;

		*same |= m == SAME;
		gone[i] |= m != STAYS;
		if (m == FORBIDS)
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "the CRL there is newer than ours; an older one would "
			                    "bring revoked certificates back");
	}
	x509_crl_index_unref(ours);
	return rc && base_err_class(rc) == BASE_PEER ? BASE_ERR(BASE_CONFIG, 0) : rc;
}

/*
 * All values at once: directories have no matching rule for lists (OpenLDAP's core.schema, mark V),
 * so one of several can be neither taken away nor added.
 */
static int lists_change(struct fetch_ldap_change *c, const struct fetch_job_attribute *want,
                        const struct fetch_ldap_entry *have, struct base_error *err)
{
	const char *name = fetch_ldap_attribute_name((enum fetch_ldap_attribute)want->bit);
	struct base_str *values =
	        base_arena_array(c->arena, have->count + want->count + 1, sizeof(*values));
	bool *gone = base_arena_array(c->arena, have->count + 1, sizeof(*gone)), same, news = false;
	size_t count = 0;
	int rc = gone && values ? 0 : no_memory();

	for (size_t i = 0; !rc && i < want->count; i++) {
		rc = list_meet(have, want->bit, want->values[i], gone, &same, err);
		values[count++] = want->values[i];
		news |= !same;
	}
	for (size_t i = 0; !rc && i < have->count; i++)
		if (have->there[i].bit == want->bit && !gone[i])
			values[count++] = have->there[i].value;
	if (!rc && news)
		rc = mod_add(c, have->exists ? LDAP_MOD_REPLACE : LDAP_MOD_ADD, name, true, values,
		             count);
	return rc;
}

/* ---- the entry ---- */

/* Structural class and naming attribute of a new entry, by its name (RFC 4519). */
static int entry_begin(struct fetch_ldap_change *c, const char *dn, struct base_error *err)
{
	static const struct {
		const char *attribute, *class;
	} kinds[] = { { "cn", "organizationalRole" },
		      { "ou", "organizationalUnit" },
		      { "o", "organization" } };
	LDAPDN parsed = NULL;
	int rc = base_error_set(
	        err, BASE_ERR(BASE_CONFIG, 0),
	        "%.200s cannot be made: names of new entries begin with cn, ou or o", dn);

	if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !parsed)
		return rc;
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		const LDAPAVA *ava = parsed[0][0];
		struct base_str value = { ava->la_value.bv_val, ava->la_value.bv_len };
		struct base_str type = { ava->la_attr.bv_val, ava->la_attr.bv_len };
		char *copy;

		if (parsed[0][1] || !base_str_ieq(type, base_str_of(kinds[i].attribute)))
			continue;
		copy = base_arena_dup(c->arena, value);
		rc = copy ? mod_word(c, LDAP_MOD_ADD, kinds[i].attribute, copy) : no_memory();
		if (!rc)
			rc = mod_word(c, LDAP_MOD_ADD, "objectClass", kinds[i].class);
		break;
	}
	ldap_dnfree(parsed);
	return rc;
}

static int classes_change(struct fetch_ldap_change *c, const struct fetch_job_entry *want,
                          const struct fetch_ldap_entry *have)
{
	struct base_str classes[2];
	size_t count = 0;
	bool delta = false;

	for (size_t i = 0; i < want->count; i++)
		delta |= want->attribute[i].bit == FETCH_LDAP_DELTA && want->attribute[i].count;
	if (!have->is_ca)
		classes[count++] = BASE_STR("pkiCA");
	if (delta && !have->is_delta)
		classes[count++] = BASE_STR("deltaCRL");
	return count ? mod_add(c, LDAP_MOD_ADD, "objectClass", false, classes, count) : 0;
}

/* An add takes each attribute once: what was said of the object class goes into one. */
static void classes_join(struct fetch_ldap_change *c, struct berval **into)
{
	size_t at = 0, kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->mod[i].mod_type, "objectClass") != 0) {
			c->mod[kept++] = c->mod[i];
			continue;
		}
		for (struct berval **v = c->mod[i].mod_bvalues; *v; v++)
			into[at++] = *v;
		if (at == 1)
			c->mod[kept++] = c->mod[i];
	}
	for (size_t i = 0; i < kept; i++)
		if (!strcmp(c->mod[i].mod_type, "objectClass"))
			c->mod[i].mod_bvalues = into;
	c->list[kept] = NULL;
	c->count = kept;
}

int fetch_ldap_change_make(struct fetch_ldap_change *change, const char *dn,
                           const struct fetch_job_entry *want, const struct fetch_ldap_entry *have,
                           struct base_error *err)
{
	struct berval **classes = base_arena_array(change->arena, 8, sizeof(struct berval *));
	int rc = !classes ? no_memory() : have->exists ? 0 : entry_begin(change, dn, err);

	if (!rc)
		rc = classes_change(change, want, have);
	if (!rc && !have->exists)
		classes_join(change, classes);
	for (size_t i = 0; !rc && i < want->count; i++) {
		const struct fetch_job_attribute *a = &want->attribute[i];
		const char *name = fetch_ldap_attribute_name((enum fetch_ldap_attribute)a->bit);

		if (a->bit & FETCH_LDAP_CRLS)
			rc = lists_change(change, a, have, err);
		else if (have->exists || a->count)
			rc = mod_add(change, have->exists ? LDAP_MOD_REPLACE : LDAP_MOD_ADD, name,
			             true, a->values, a->count);
	}
	return rc;
}
