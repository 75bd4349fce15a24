/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/vocabulary.h"

#include "profile/settings.h"

/** The items that are no code points. What each does is told in docs/profiles.md. */
static const struct {
	enum profile_subject subject;
	const char *name;
	enum profile_value value;
} words[] = {
	{ PROFILE_GROUP, "dh-bits", PROFILE_VALUE_BITS },
	{ PROFILE_EXTENSION, "require extended_master_secret", PROFILE_VALUE_NONE },
	{ PROFILE_COMPRESSION, "any", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "renegotiation-info", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "renegotiation-info-peer", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "client-initiated", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "client-initiated-insecure", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "server-initiated", PROFILE_VALUE_NONE },
	{ PROFILE_RENEGOTIATION, "answer-hello-request", PROFILE_VALUE_NONE },
	{ PROFILE_RESUMPTION, "any", PROFILE_VALUE_NONE },
	{ PROFILE_RESUMPTION, "tickets", PROFILE_VALUE_NONE },
	{ PROFILE_RESUMPTION, "tickets-preferred", PROFILE_VALUE_NONE },
	{ PROFILE_RESUMPTION, "session-ids", PROFILE_VALUE_NONE },
	{ PROFILE_LIFETIME, "default", PROFILE_VALUE_DURATION },
	{ PROFILE_LIFETIME, "maximum", PROFILE_VALUE_DURATION },
	{ PROFILE_AUTHENTICATION, "server-certificate", PROFILE_VALUE_NONE },
	{ PROFILE_AUTHENTICATION, "client-certificate", PROFILE_VALUE_NONE },
	{ PROFILE_AUTHENTICATION, "fingerprint", PROFILE_VALUE_NONE },
	{ PROFILE_AUTHENTICATION, "fingerprint-hash", PROFILE_VALUE_HASH },
	{ PROFILE_AUTHENTICATION, "psk", PROFILE_VALUE_NONE },
	{ PROFILE_AUTHENTICATION, "psk-dhe-only", PROFILE_VALUE_NONE },
	{ PROFILE_AUTHENTICATION, "session-binding", PROFILE_VALUE_NONE },
	{ PROFILE_FAILURE, "alert", PROFILE_VALUE_NONE },
	{ PROFILE_FAILURE, "unknown-identity-alert", PROFILE_VALUE_NONE },
	{ PROFILE_FAILURE, "close-on-digest-failure", PROFILE_VALUE_NONE },
	{ PROFILE_FAILURE, "keep-on-stale-challenge", PROFILE_VALUE_NONE },
};

/** Classes of suites: those with any flag of `with`, or those without `without`. */
static const struct {
	const char *name;
	unsigned with, without;
} suite_classes[] = {
	{ "class rc4", PROFILE_SUITE_RC4, 0 },
	{ "class 3des", PROFILE_SUITE_3DES, 0 },
	{ "class des", PROFILE_SUITE_DES, 0 },
	{ "class null", PROFILE_SUITE_NULL, 0 },
	{ "class anon", PROFILE_SUITE_ANON, 0 },
	{ "class export", PROFILE_SUITE_EXPORT, 0 },
	{ "class md5", PROFILE_SUITE_MD5, 0 },
	{ "class cbc", PROFILE_SUITE_CBC, 0 },
	{ "class dss", PROFILE_SUITE_DSS, 0 },
	{ "class psk", PROFILE_SUITE_PSK, 0 },
	{ "class rsa-key-transport", PROFILE_SUITE_RSA_KX, 0 },
	{ "class no-mac", PROFILE_SUITE_NO_MAC, 0 },
	{ "class non-aead", 0, PROFILE_SUITE_AEAD },
	{ "class non-pfs", 0, PROFILE_SUITE_PFS },
};

/** Classes of signatures: how the scheme's name begins, or how it ends. */
static const struct {
	const char *name, *begin, *end;
} signature_classes[] = {
	{ "class md5", "", "_md5" },
	{ "class sha1", "", "_sha1" },
	{ "class sha224", "", "_sha224" },
	{ "class dsa", "dsa_", "" },
	{ "class rsa-pkcs1", "rsa_pkcs1_", "" },
};

const cyaml_strval_t profile_subject_words[] = {
	{ "scope", PROFILE_SCOPE },
	{ "version", PROFILE_VERSION },
	{ "suite", PROFILE_SUITE },
	{ "group", PROFILE_GROUP },
	{ "signature", PROFILE_SIGNATURE },
	{ "extension", PROFILE_EXTENSION },
	{ "compression", PROFILE_COMPRESSION },
	{ "renegotiation", PROFILE_RENEGOTIATION },
	{ "resumption", PROFILE_RESUMPTION },
	{ "lifetime", PROFILE_LIFETIME },
	{ "authentication", PROFILE_AUTHENTICATION },
	{ "failure", PROFILE_FAILURE },
	{ "form", PROFILE_CERT_FORM },
	{ "hash", PROFILE_CERT_HASH },
	{ "signing", PROFILE_CERT_SIGNING },
	{ "key", PROFILE_CERT_KEY },
	{ "name", PROFILE_CERT_NAME },
	{ "validity", PROFILE_CERT_VALIDITY },
	{ "key-usage", PROFILE_CERT_KEY_USAGE },
	{ "purpose", PROFILE_CERT_PURPOSE },
	{ "alternative-name", PROFILE_CERT_ALTERNATIVE_NAME },
	{ "basic-constraints", PROFILE_CERT_BASIC },
	{ "key-identifier", PROFILE_CERT_KEY_IDENTIFIER },
	{ "distribution-point", PROFILE_CERT_DISTRIBUTION_POINT },
	{ "name-constraints", PROFILE_CERT_NAME_CONSTRAINTS },
	{ "crl", PROFILE_CRL_FIELD },
	{ NULL, 0 },
};

/* The last three are several at once, for files only. */
const cyaml_strval_t profile_role_words[] = {
	{ "client", PROFILE_ROLE_CLIENT },
	{ "server", PROFILE_ROLE_SERVER },
	{ "client-ca", PROFILE_ROLE_CLIENT_CA },
	{ "server-ca", PROFILE_ROLE_SERVER_CA },
	{ "interconnection-ca", PROFILE_ROLE_INTERCONNECTION },
	{ "cross", PROFILE_ROLE_CROSS },
	{ "crl", PROFILE_ROLE_CRL },
	{ "entities", PROFILE_ROLES_ENTITIES },
	{ "authorities", PROFILE_ROLES_CAS },
	{ "certificates", PROFILE_ROLES_CERTS },
	{ NULL, 0 },
};

const cyaml_strval_t profile_strength_words[] = {
	{ "may", PROFILE_MAY },
	{ "should", PROFILE_SHOULD },
	{ "shall", PROFILE_SHALL },
	{ "should-not", PROFILE_SHOULD_NOT },
	{ "shall-not", PROFILE_SHALL_NOT },
	{ NULL, 0 },
};

const cyaml_strval_t profile_when_words[] = {
	{ "always", PROFILE_ALWAYS },
	{ "dtls", PROFILE_WHEN_DTLS },
	{ "null-encryption", PROFILE_WHEN_NULL_ENCRYPTION },
	{ NULL, 0 },
};

static const cyaml_strval_t hash_words[] = {
	{ "sha-256", PROFILE_HASH_SHA256 },
	{ "sha-384", PROFILE_HASH_SHA384 },
	{ "sha-512", PROFILE_HASH_SHA512 },
};

const char *profile_subject_name(enum profile_subject subject)
{
	return config_enum_name(profile_subject_words, PROFILE_SUBJECTS, subject);
}

const char *profile_strength_name(enum profile_strength strength)
{
	return config_enum_name(profile_strength_words, PROFILE_SHALL_NOT + 1, strength);
}

const char *profile_when_name(enum profile_when when)
{
	return config_enum_name(profile_when_words, PROFILE_WHEN_NULL_ENCRYPTION + 1, when);
}

const char *profile_role_name(enum profile_role role)
{
	return config_enum_name(profile_role_words, PROFILE_ROLE_WORDS, role);
}

unsigned profile_role_find(struct base_str name)
{
	int64_t role;

	return config_enum_find(profile_role_words, PROFILE_ROLE_WORDS - 3, name, &role)
	               ? 0
	               : (unsigned)role;
}

int profile_hash_parse(struct base_str text, int *ret)
{
	int64_t v;

	if (config_enum_find(hash_words, BASE_COUNT(hash_words), text, &v))
		return BASE_ERR(BASE_CONFIG, 0);
	*ret = (int)v;
	return 0;
}

const char *profile_hash_name(int hash)
{
	return config_enum_name(hash_words, BASE_COUNT(hash_words), hash);
}

bool profile_item_is_class(const char *item)
{
	return !strncmp(item, "class ", 6);
}

bool profile_item_code(enum profile_subject subject, const char *item, uint16_t *ret)
{
	struct base_str name = base_str_of(item);
	const struct profile_suite *suite;
	const struct profile_code *code = NULL;

	switch (subject) {
	case PROFILE_VERSION:
		*ret = (uint16_t)profile_version_find(name);
		return *ret != 0;
	case PROFILE_SUITE:
		suite = profile_suite_named(name);
		if (suite)
			*ret = suite->code;
		return suite != NULL;
	case PROFILE_GROUP:
		code = profile_group_named(name);
		break;
	case PROFILE_SIGNATURE:
		code = profile_signature_named(name);
		break;
	case PROFILE_EXTENSION:
		code = profile_extension_named(name);
		break;
	default:
		break;
	}
	if (code)
		*ret = code->code;
	return code != NULL;
}

const char *profile_code_name(enum profile_subject subject, uint16_t code)
{
	const struct profile_suite *suite;
	const struct profile_code *c = NULL;

	switch (subject) {
	case PROFILE_VERSION:
		return profile_version_name(code);
	case PROFILE_SUITE:
		suite = profile_suite_find(code);
		return suite ? suite->name : "?";
	case PROFILE_GROUP:
		c = profile_group_find(code);
		break;
	case PROFILE_SIGNATURE:
		c = profile_signature_find(code);
		break;
	case PROFILE_EXTENSION:
		c = profile_extension_find(code);
		break;
	default:
		break;
	}
	return c ? c->name : "?";
}

static void guess_table(struct config_guess *guess, const struct profile_code *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		config_guess_offer(guess, table[i].name);
}

/** Offer every name the subject knows. */
static void guess_items(enum profile_subject subject, struct config_guess *guess)
{
	const struct profile_suite *suite;
	const struct profile_code *code;
	size_t count;

	profile_cert_items_guess(subject, guess);
	if (subject == PROFILE_SUITE) {
		suite = profile_suite_all(&count);
		for (size_t i = 0; i < count; i++) {
			config_guess_offer(guess, suite[i].name);
			config_guess_offer(guess, suite[i].name + 4);
		}
		for (size_t i = 0; i < BASE_COUNT(suite_classes); i++)
			config_guess_offer(guess, suite_classes[i].name);
	} else if (subject == PROFILE_VERSION) {
		for (unsigned v = PROFILE_SSL_2_0; v <= PROFILE_DTLS_1_3; v <<= 1)
			config_guess_offer(guess, profile_version_name(v));
	} else if (subject == PROFILE_GROUP) {
		code = profile_group_all(&count);
		guess_table(guess, code, count);
	} else if (subject == PROFILE_SIGNATURE) {
		code = profile_signature_all(&count);
		guess_table(guess, code, count);
		for (size_t i = 0; i < BASE_COUNT(signature_classes); i++)
			config_guess_offer(guess, signature_classes[i].name);
	} else if (subject == PROFILE_EXTENSION) {
		code = profile_extension_all(&count);
		guess_table(guess, code, count);
	}
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (words[i].subject == subject)
			config_guess_offer(guess, words[i].name);
	}
}

static const char *class_find(enum profile_subject subject, const char *item)
{
	for (size_t i = 0; subject == PROFILE_SUITE && i < BASE_COUNT(suite_classes); i++) {
		if (!strcmp(suite_classes[i].name, item))
			return suite_classes[i].name;
	}
	for (size_t i = 0; subject == PROFILE_SIGNATURE && i < BASE_COUNT(signature_classes); i++) {
		if (!strcmp(signature_classes[i].name, item))
			return signature_classes[i].name;
	}
	return NULL;
}

const char *profile_item_find(enum profile_subject subject, const char *item,
                              enum profile_value *ret_value, struct config_guess *guess)
{
	const char *found;
	unsigned roles;
	uint16_t code;

	*ret_value = PROFILE_VALUE_NONE;
	if (subject == PROFILE_SCOPE)
		return item;
	found = profile_cert_item_find(subject, item, ret_value, &roles);
	if (found)
		return found;
	if (profile_item_code(subject, item, &code))
		return profile_code_name(subject, code);
	found = class_find(subject, item);
	if (found)
		return found;
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (words[i].subject == subject && !strcmp(words[i].name, item)) {
			*ret_value = words[i].value;
			return words[i].name;
		}
	}
	guess_items(subject, guess);
	return NULL;
}

static bool begins(const char *name, const char *part)
{
	return !strncmp(name, part, strlen(part));
}

static bool ends(const char *name, const char *part)
{
	size_t a = strlen(name), b = strlen(part);

	return a >= b && !strcmp(name + a - b, part);
}

static bool class_covers(enum profile_subject subject, const char *item, uint16_t code)
{
	const struct profile_suite *suite = profile_suite_find(code);
	const char *name = profile_code_name(subject, code);

	for (size_t i = 0; subject == PROFILE_SUITE && i < BASE_COUNT(suite_classes); i++) {
		if (strcmp(suite_classes[i].name, item) || !suite)
			continue;
		return suite_classes[i].with ? (suite->flags & suite_classes[i].with) != 0
		                             : !(suite->flags & suite_classes[i].without);
	}
	for (size_t i = 0; subject == PROFILE_SIGNATURE && i < BASE_COUNT(signature_classes); i++) {
		if (!strcmp(signature_classes[i].name, item))
			return begins(name, signature_classes[i].begin) &&
			       ends(name, signature_classes[i].end);
	}
	return false;
}

bool profile_rule_covers(const struct profile_rule *rule, enum profile_subject subject,
                         uint16_t code)
{
	if (rule->subject != subject)
		return false;
	if (profile_item_is_class(rule->item))
		return class_covers(subject, rule->item, code);
	return !strcmp(rule->item, profile_code_name(subject, code));
}
