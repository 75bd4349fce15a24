/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/file.h"

#include <stdio.h>

/** Rules times items of one profile, inherited ones too. */
#define RULES_MAX 2000

static const cyaml_strval_t default_words[] = { { "on", 0 }, { "off", 1 } };
static const cyaml_strval_t about_words[] = { { "tls", 0 }, { "certificates", 1 } };
static const cyaml_strval_t mark_words[] = {
	{ "V", PROFILE_SEEN },
	{ "D", PROFILE_DERIVED },
	{ "R", PROFILE_RECALLED },
	{ "P", PROFILE_PROJECT },
};

#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, 400)
#define TEXT_IF(key, type, member)                                                                 \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, 400)

static const cyaml_schema_value_t word_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1,
	                                                             80) };
static const cyaml_schema_value_t subject_schema = { CYAML_VALUE_ENUM(
	CYAML_FLAG_STRICT, enum profile_subject, profile_subject_words, PROFILE_SUBJECTS) };

static const cyaml_schema_value_t role_schema = { CYAML_VALUE_ENUM(
	CYAML_FLAG_STRICT, int, profile_role_words, PROFILE_ROLE_WORDS) };

static const cyaml_schema_field_t rule_fields[] = {
	TEXT("id", struct profile_file_rule, id),
	CYAML_FIELD_ENUM("subject", CYAML_FLAG_STRICT, struct profile_file_rule, subject,
	                 profile_subject_words, PROFILE_SUBJECTS),
	CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_POINTER, struct profile_file_rule, item,
	                     &word_schema, 1, RULES_MAX),
	TEXT_IF("value", struct profile_file_rule, value),
	CYAML_FIELD_SEQUENCE("for", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct profile_file_rule, role, &role_schema, 1, PROFILE_ROLE_WORDS),
	CYAML_FIELD_ENUM("strength", CYAML_FLAG_STRICT, struct profile_file_rule, strength,
	                 profile_strength_words, PROFILE_SHALL_NOT + 1),
	CYAML_FIELD_ENUM("when", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct profile_file_rule,
	                 when, profile_when_words, PROFILE_WHEN_NULL_ENCRYPTION + 1),
	CYAML_FIELD_ENUM("default", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
	                 struct profile_file_rule, standing, default_words,
	                 CYAML_ARRAY_LEN(default_words)),
	CYAML_FIELD_ENUM("mark", CYAML_FLAG_STRICT, struct profile_file_rule, mark, mark_words,
	                 CYAML_ARRAY_LEN(mark_words)),
	TEXT_IF("document", struct profile_file_rule, document),
	TEXT_IF("clause", struct profile_file_rule, clause),
	TEXT_IF("release", struct profile_file_rule, release),
	TEXT_IF("source", struct profile_file_rule, source),
	TEXT("text", struct profile_file_rule, text),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t rule_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct profile_file_rule, rule_fields) };

static const cyaml_schema_field_t precedence_fields[] = {
	CYAML_FIELD_SEQUENCE("suites", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct profile_file_precedence, suite, &word_schema, 0, RULES_MAX),
	CYAML_FIELD_SEQUENCE("groups", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct profile_file_precedence, group, &word_schema, 0, RULES_MAX),
	CYAML_FIELD_SEQUENCE("signatures", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct profile_file_precedence, signature, &word_schema, 0, RULES_MAX),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t file_fields[] = {
	TEXT("name", struct profile_file, name),
	TEXT("title", struct profile_file, title),
	TEXT("document", struct profile_file, document),
	TEXT("clause", struct profile_file, clause),
	TEXT("release", struct profile_file, release),
	TEXT_IF("extends", struct profile_file, extends),
	CYAML_FIELD_ENUM("about", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct profile_file,
	                 about, about_words, CYAML_ARRAY_LEN(about_words)),
	CYAML_FIELD_SEQUENCE("replace", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	                     struct profile_file, replace, &subject_schema, 0, PROFILE_SUBJECTS),
	CYAML_FIELD_MAPPING("precedence", CYAML_FLAG_OPTIONAL, struct profile_file, precedence,
	                    precedence_fields),
	CYAML_FIELD_SEQUENCE("rules", CYAML_FLAG_POINTER, struct profile_file, rule, &rule_schema,
	                     0, RULES_MAX),
	CYAML_FIELD_END
};
const cyaml_schema_value_t profile_file_schema = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct profile_file, file_fields) };

/** The state of one expansion. */
struct expansion {
	const struct profile_file *file;
	const struct config_doc *doc;
	struct base_arena *arena;
	struct base_error *err;
	struct profile *profile;
	struct profile_rule *rule; /**< inherited ones, then ours */
	size_t count, inherited;
};

static int out_of_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "out of memory");
}

static int refuse_item(struct expansion *x, const char *where, enum profile_subject subject,
                       const char *item, const struct config_guess *guess)
{
	char text[128] = "";
	struct base_writer w = base_writer_over(text, sizeof(text));

	config_guess_print(guess, &w);
	return config_refuse(x->doc, x->err, where, "no %s is called '%.60s'%s",
	                     profile_subject_name(subject), item, base_writer_cstr(&w));
}

static bool value_fits(enum profile_value kind, const char *value)
{
	uint64_t n;
	int hash;

	switch (kind) {
	case PROFILE_VALUE_DURATION:
		return !config_duration_parse(base_str_of(value), &n) && n && n % 1000 == 0 &&
		       n / 1000 <= UINT32_MAX;
	case PROFILE_VALUE_BITS:
		return !base_str_u64(base_str_of(value), 16384, &n) && n;
	case PROFILE_VALUE_HASH:
		return !profile_hash_parse(base_str_of(value), &hash);
	case PROFILE_VALUE_NUMBER:
		return !base_str_u64(base_str_of(value), UINT32_MAX, &n);
	case PROFILE_VALUE_WORDS:
		return strspn(value, ", ") < strlen(value);
	default:
		return false;
	}
}

static int check_value(struct expansion *x, unsigned index, enum profile_value kind)
{
	static const char *const expected[] = {
		[PROFILE_VALUE_NONE] = "nothing",
		[PROFILE_VALUE_DURATION] = "a duration of whole seconds, as in 1h",
		[PROFILE_VALUE_BITS] = "a number of bits",
		[PROFILE_VALUE_HASH] = "sha-256, sha-384 or sha-512",
		[PROFILE_VALUE_NUMBER] = "a number",
		[PROFILE_VALUE_WORDS] = "one or more words with commas between",
	};
	const char *value = x->file->rule[index].value;
	char where[48];

	(void)snprintf(where, sizeof(where), "rules[%u]%s", index, value ? ".value" : "");
	if (kind == PROFILE_VALUE_NONE)
		return value ? config_refuse(x->doc, x->err, where, "these items take no 'value'")
		             : 0;
	if (!value)
		return config_refuse(x->doc, x->err, where, "key 'value' is missing: %s",
		                     expected[kind]);
	if (!value_fits(kind, value))
		return config_refuse(x->doc, x->err, where, "'value' must be %s, found '%.60s'",
		                     expected[kind], value);
	return 0;
}

static bool rule_same(const struct profile_rule *a, const struct profile_rule *b)
{
	return a->subject == b->subject && a->when == b->when && !strcmp(a->item, b->item) &&
	       (!a->roles || a->roles & b->roles);
}

static void remove_rule(struct expansion *x, size_t i)
{
	memmove(&x->rule[i], &x->rule[i + 1], (x->count - i - 1) * sizeof(*x->rule));
	x->count--;
	x->inherited--;
}

/** Put one flat rule in, over inherited ones about the same: for its roles, where it has some. */
static int add_rule(struct expansion *x, const struct profile_rule *rule, const char *where)
{
	for (size_t i = x->count; i-- > 0;) {
		if (!rule_same(&x->rule[i], rule))
			continue;
		if (i >= x->inherited)
			return config_refuse(
			        x->doc, x->err, where,
			        "'%.60s' is ruled twice, here and in line %u; keep one", rule->item,
			        x->rule[i].line);
		x->rule[i].roles &= ~rule->roles;
		if (!x->rule[i].roles)
			remove_rule(x, i);
	}
	if (x->count >= RULES_MAX)
		return config_refuse(x->doc, x->err, where, "more than %d rules", RULES_MAX);
	x->rule[x->count++] = *rule;
	return 0;
}

static struct profile_rule rule_of(const struct expansion *x, unsigned index)
{
	const struct profile_file_rule *r = &x->file->rule[index];
	struct profile_rule rule = {
		.id = r->id,
		.profile = x->file->name,
		.layer = x->profile->layers - 1,
		.subject = r->subject,
		.value = r->value,
		.strength = r->strength,
		.when = r->when,
		.off = r->standing == 1,
		.mark = r->mark,
		.document = r->document ? r->document : x->file->document,
		.clause = r->clause ? r->clause : x->file->clause,
		.release = r->release ? r->release : x->file->release,
		.source = r->source,
		.text = r->text,
	};
	char where[32];

	(void)snprintf(where, sizeof(where), "rules[%u]", index);
	(void)config_place(x->doc, where, &rule.line, &rule.column); /* it is there */
	return rule;
}

/** What no schema can say about a rule. */
static int check_rule(struct expansion *x, const struct profile_rule *rule, const char *where)
{
	bool negative = profile_strength_negative(rule->strength);

	if (rule->off && rule->roles)
		return config_refuse(x->doc, x->err, where,
		                     "'default' says nothing of certificates");
	if (profile_item_is_class(rule->item) && !negative)
		return config_refuse(x->doc, x->err, where,
		                     "a class can only be spoken against; name the %ss one by one",
		                     profile_subject_name(rule->subject));
	if (rule->off && (negative || rule->strength == PROFILE_SHALL))
		return config_refuse(x->doc, x->err, where,
		                     "'default: off' goes with should and may only, not with %s",
		                     profile_strength_name(rule->strength));
	if (!negative && !strcmp(rule->item, "client-initiated-insecure"))
		return config_refuse(x->doc, x->err, where,
		                     "a renegotiation that RFC 5746 does not secure is never "
		                     "accepted; rule 'client-initiated' instead");
	return 0;
}

/** A rule fits what its profile is about. */
static int check_subject(struct expansion *x, unsigned index)
{
	const struct profile_file_rule *r = &x->file->rule[index];
	char where[32];

	(void)snprintf(where, sizeof(where), "rules[%u].subject", index);
	if (r->subject != PROFILE_SCOPE &&
	    profile_subject_of_certificates(r->subject) != x->profile->certificates)
		return config_refuse(x->doc, x->err, where,
		                     "'%s' is no subject of a profile of %s; see the key 'about'",
		                     profile_subject_name(r->subject),
		                     x->profile->certificates ? "certificates" : "TLS");
	(void)snprintf(where, sizeof(where), "rules[%u].for", index);
	if (r->role_count && !profile_subject_of_certificates(r->subject))
		return config_refuse(x->doc, x->err, where,
		                     "only rules of certificates take 'for'");
	(void)snprintf(where, sizeof(where), "rules[%u].when", index);
	if (r->when != PROFILE_ALWAYS && profile_subject_of_certificates(r->subject))
		return config_refuse(x->doc, x->err, where, "rules of certificates take no 'when'");
	return 0;
}

/** Whom a rule binds: whom it names, or all that the item can speak of. */
static int roles_of(struct expansion *x, unsigned index, const char *item, unsigned *ret)
{
	const struct profile_file_rule *r = &x->file->rule[index];
	enum profile_value kind;
	unsigned named = 0, can;
	char where[32];

	*ret = 0;
	if (!profile_cert_item_find(r->subject, item, &kind, &can))
		return 0;
	for (unsigned i = 0; i < r->role_count; i++)
		named |= (unsigned)r->role[i];
	(void)snprintf(where, sizeof(where), "rules[%u].for", index);
	if (named & ~can)
		return config_refuse(x->doc, x->err, where, "'%.60s' says nothing of %s", item,
		                     named & ~can & PROFILE_ROLE_CRL ? "CRLs" : "certificates");
	*ret = named ? named : can;
	return 0;
}

static int expand_rule(struct expansion *x, unsigned index)
{
	const struct profile_file_rule *r = &x->file->rule[index];
	struct profile_rule rule = rule_of(x, index);
	int rc = check_subject(x, index);
	char where[48];

	for (unsigned i = 0; i < r->item_count && !rc; i++) {
		struct config_guess guess = { .word = base_str_of(r->item[i]) };
		enum profile_value kind;

		(void)snprintf(where, sizeof(where), "rules[%u].items[%u]", index, i);
		rule.item = profile_item_find(r->subject, r->item[i], &kind, &guess);
		if (!rule.item)
			return refuse_item(x, where, r->subject, r->item[i], &guess);
		rc = check_value(x, index, kind);
		if (!rc)
			rc = roles_of(x, index, rule.item, &rule.roles);
		if (!rc)
			rc = check_rule(x, &rule, where);
		if (!rc)
			rc = add_rule(x, &rule, where);
	}
	return rc;
}

static bool subject_replaced(const struct profile_file *file, enum profile_subject subject)
{
	for (unsigned i = 0; i < file->replace_count; i++) {
		if (file->replace[i] == subject)
			return true;
	}
	return false;
}

static int expand_rules(struct expansion *x, const struct profile *base)
{
	size_t room = RULES_MAX + (base ? base->rule_count : 0);
	int rc = 0;

	x->rule = base_arena_array(x->arena, room, sizeof(*x->rule));
	if (!x->rule)
		return out_of_memory(x->err);
	for (size_t i = 0; base && i < base->rule_count; i++) {
		if (!subject_replaced(x->file, base->rule[i].subject))
			x->rule[x->count++] = base->rule[i];
	}
	x->inherited = x->count;
	for (unsigned i = 0; i < x->file->rule_count && !rc; i++)
		rc = expand_rule(x, i);
	x->profile->rule = x->rule;
	x->profile->rule_count = x->count;
	return rc;
}

static int expand_precedence(struct expansion *x, enum profile_subject subject, const char *key,
                             char **name, unsigned count, struct profile_codes *ret)
{
	uint16_t *code = base_arena_array(x->arena, count + 1, sizeof(*code));
	char where[48];

	if (!code)
		return out_of_memory(x->err);
	for (unsigned i = 0; i < count; i++) {
		struct config_guess guess = { .word = base_str_of(name[i]) };
		enum profile_value kind;

		if (profile_item_code(subject, name[i], &code[i]))
			continue;
		(void)snprintf(where, sizeof(where), "precedence.%s[%u]", key, i);
		(void)profile_item_find(subject, name[i], &kind, &guess); /* for its guess */
		return refuse_item(x, where, subject, name[i], &guess);
	}
	if (count)
		*ret = (struct profile_codes){ code, count };
	return 0;
}

int profile_file_expand(const struct profile_file *file, const struct config_doc *doc,
                        const struct profile *base, struct base_arena *arena, struct profile *ret,
                        struct base_error *err)
{
	struct profile profile = { .layers = 1 };
	struct expansion x = { file, doc, arena, err, &profile, NULL, 0, 0 };
	int rc;

	if (base) {
		profile = *base;
		profile.layers++;
	}
	profile.certificates = file->about;
	if (profile.certificates != !strncmp(file->name, "cert-", 5))
		return config_refuse(doc, err, "name",
		                     "profiles about certificates, and only they, begin with "
		                     "'cert-'");
	if (base && base->certificates != profile.certificates)
		return config_refuse(doc, err, "extends",
		                     "'%s' is about %s; only alike extends alike", base->name,
		                     base->certificates ? "certificates" : "TLS");
	profile.name = file->name;
	profile.title = file->title;
	profile.document = file->document;
	profile.clause = file->clause;
	profile.release = file->release;
	profile.extends = file->extends;
	rc = expand_rules(&x, base);
	if (!rc)
		rc = expand_precedence(&x, PROFILE_SUITE, "suites", file->precedence.suite,
		                       file->precedence.suite_count, &profile.suite_precedence);
	if (!rc)
		rc = expand_precedence(&x, PROFILE_GROUP, "groups", file->precedence.group,
		                       file->precedence.group_count, &profile.group_precedence);
	if (!rc)
		rc = expand_precedence(&x, PROFILE_SIGNATURE, "signatures",
		                       file->precedence.signature, file->precedence.signature_count,
		                       &profile.signature_precedence);
	if (!rc)
		*ret = profile;
	return rc;
}
