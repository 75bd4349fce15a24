/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/certificate_items.h"

#define CERT PROFILE_ROLES_CERTS
#define CRL  PROFILE_ROLE_CRL
#define BOTH (CERT | CRL)

#define ASK(name)                                                                                  \
	static enum profile_answer name(const struct x509_facts *f,                                \
	                                const struct profile_cert_value *value)
/** A question about the facts alone. */
#define ASK_PLAIN(name, condition)                                                                 \
	ASK(name)                                                                                  \
	{                                                                                          \
		(void)value;                                                                       \
		return (condition) ? PROFILE_YES : PROFILE_NO;                                     \
	}

/** Is `word` one of the words of a list? */
static bool listed(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += strcspn(at, ", ")) {
		at += strspn(at, ", ");
		if (strcspn(at, ", ") == len && len && !strncmp(at, word, len))
			return true;
	}
	return false;
}

static enum profile_answer yes_if(bool condition)
{
	return condition ? PROFILE_YES : PROFILE_NO;
}

/* -- form, algorithms, keys ------------------------------------------------------------------ */

ASK_PLAIN(version_3, f->version == 3)
ASK_PLAIN(version_2, f->version == 2)
ASK_PLAIN(serial_positive, f->serial_positive)
ASK_PLAIN(extension_twice, f->extension_twice)
ASK_PLAIN(unknown_critical, f->unknown_critical)
ASK_PLAIN(malformed, f->malformed)
ASK_PLAIN(algorithms_differ, f->algorithms_differ)
ASK_PLAIN(nf_types, f->present &X509_FACT_NF_TYPES)
ASK(serial_octets)
{
	return yes_if(f->serial_octets <= value->number);
}

ASK(hash_one_of)
{
	return yes_if(listed(value->words, f->hash));
}
ASK_PLAIN(hash_md2, !strcmp(f->hash, "md2"))
ASK_PLAIN(hash_md4, !strcmp(f->hash, "md4"))
ASK_PLAIN(hash_md5, !strcmp(f->hash, "md5"))
ASK_PLAIN(hash_sha1, !strcmp(f->hash, "sha-1"))

ASK(signing_one_of)
{
	return yes_if(listed(value->words, f->signing));
}
ASK_PLAIN(signing_pkcs1, !strcmp(f->signing, "rsa-pkcs1"))

ASK(key_one_of)
{
	return yes_if(listed(value->words, f->key));
}
ASK(key_rsa_bits)
{
	return strcmp(f->key, "rsa") != 0 ? PROFILE_NOT_ASKED
	                                  : yes_if(f->key_bits >= value->number);
}
ASK(key_exponent)
{
	return strcmp(f->key, "rsa") != 0 ? PROFILE_NOT_ASKED
	                                  : yes_if(f->exponent >= value->number);
}
ASK(key_curve)
{
	return strcmp(f->key, "ec") != 0 ? PROFILE_NOT_ASKED
	                                 : yes_if(listed(value->words, f->curve));
}
ASK(key_explicit)
{
	(void)value;
	return strcmp(f->key, "ec") != 0 ? PROFILE_NOT_ASKED : yes_if(f->curve_explicit);
}

/* -- names and time -------------------------------------------------------------------------- */

ASK_PLAIN(name_issuer, !f->issuer_empty)
ASK_PLAIN(name_subject, !f->subject_empty)
ASK_PLAIN(name_known, !f->subject_empty || f->critical & X509_FACT_NAMES)
ASK_PLAIN(name_subject_other, f->subject_has &X509_ATTRIBUTE_OTHER)
ASK_PLAIN(name_issuer_other, f->issuer_has &X509_ATTRIBUTE_OTHER)
ASK_PLAIN(name_cn, f->cn_count >= 1)
ASK_PLAIN(name_cn_host, f->cn_count == 1 && f->cn_is_host)

ASK(validity_most)
{
	return yes_if(f->until_s - f->from_s <= (int64_t)value->number);
}
ASK_PLAIN(validity_order, f->from_s <= f->until_s)

/* -- extensions ------------------------------------------------------------------------------ */

ASK_PLAIN(usage_present, f->present &X509_FACT_KEY_USAGE)
ASK(usage_critical)
{
	(void)value;
	return f->present & X509_FACT_KEY_USAGE ? yes_if(f->critical & X509_FACT_KEY_USAGE)
	                                        : PROFILE_NOT_ASKED;
}
ASK_PLAIN(usage_signature, f->usage &X509_USAGE_DIGITAL_SIGNATURE)
ASK_PLAIN(usage_cert_sign, f->usage &X509_USAGE_CERT_SIGN)
ASK_PLAIN(usage_crl_sign, f->usage &X509_USAGE_CRL_SIGN)
/** Key transport is a matter of RSA keys. */
ASK(usage_encipherment)
{
	(void)value;
	return strcmp(f->key, "rsa") != 0 ? PROFILE_NOT_ASKED
	                                  : yes_if(f->usage & X509_USAGE_KEY_ENCIPHERMENT);
}

ASK_PLAIN(purpose_present, f->present &X509_FACT_PURPOSES)
ASK_PLAIN(purpose_server, f->purposes &X509_PURPOSE_BIT_SERVER)
ASK_PLAIN(purpose_client, f->purposes &X509_PURPOSE_BIT_CLIENT)
ASK_PLAIN(purpose_any, f->purposes &X509_PURPOSE_BIT_ANY)
ASK_PLAIN(purpose_tls, f->purposes &(X509_PURPOSE_BIT_SERVER | X509_PURPOSE_BIT_CLIENT))

ASK_PLAIN(alternative_present, f->present &X509_FACT_NAMES)
ASK(alternative_critical)
{
	(void)value;
	return f->present & X509_FACT_NAMES ? yes_if(f->critical & X509_FACT_NAMES)
	                                    : PROFILE_NOT_ASKED;
}
ASK_PLAIN(alternative_dns, f->dns_count)
ASK_PLAIN(alternative_cn, f->cn_in_names)
ASK_PLAIN(alternative_wildcard, f->wildcard)

ASK_PLAIN(basic_ca, f->ca && f->present & X509_FACT_BASIC)
ASK(basic_critical)
{
	(void)value;
	return f->present & X509_FACT_BASIC ? yes_if(f->critical & X509_FACT_BASIC)
	                                    : PROFILE_NOT_ASKED;
}
ASK_PLAIN(basic_length, f->path_len >= 0)

/** RFC 5280, 4.2.1.1: self-signed ones may leave it out. */
ASK(identifier_authority)
{
	(void)value;
	if (f->present & X509_FACT_AUTHORITY_KEY)
		return PROFILE_YES;
	return !f->crl && f->self_issued ? PROFILE_NOT_ASKED : PROFILE_NO;
}
ASK_PLAIN(identifier_subject, f->present &X509_FACT_SUBJECT_KEY)
ASK_PLAIN(identifier_critical, f->critical &(X509_FACT_AUTHORITY_KEY | X509_FACT_SUBJECT_KEY))

ASK_PLAIN(point_present, f->point_count)
ASK_PLAIN(point_critical, f->critical &X509_FACT_POINTS)
ASK(point_reachable)
{
	(void)value;
	return f->point_count ? yes_if(f->http_count || f->ldap_count) : PROFILE_NOT_ASKED;
}

ASK_PLAIN(constraints_present, f->present &X509_FACT_CONSTRAINTS)
ASK(constraints_critical)
{
	(void)value;
	return f->present & X509_FACT_CONSTRAINTS ? yes_if(f->critical & X509_FACT_CONSTRAINTS)
	                                          : PROFILE_NOT_ASKED;
}

ASK_PLAIN(crl_number, f->present &X509_FACT_NUMBER)
ASK(crl_number_octets)
{
	return f->present & X509_FACT_NUMBER ? yes_if(f->number_octets <= value->number)
	                                     : PROFILE_NOT_ASKED;
}
ASK_PLAIN(crl_number_critical, f->critical &X509_FACT_NUMBER)
ASK_PLAIN(crl_next, f->until_s)
ASK(crl_scope_critical)
{
	(void)value;
	return f->present & X509_FACT_SCOPE ? yes_if(f->critical & X509_FACT_SCOPE)
	                                    : PROFILE_NOT_ASKED;
}
ASK(crl_delta_critical)
{
	(void)value;
	return f->present & X509_FACT_DELTA ? yes_if(f->critical & X509_FACT_DELTA)
	                                    : PROFILE_NOT_ASKED;
}

/* -- the table ------------------------------------------------------------------------------- */

#define NONE     PROFILE_VALUE_NONE
#define NUMBER   PROFILE_VALUE_NUMBER
#define WORDS    PROFILE_VALUE_WORDS
#define DURATION PROFILE_VALUE_DURATION

/* clang-format off: a table to be read beside docs/certificates.md */
static const struct profile_cert_item items[] = {
	{ PROFILE_CERT_FORM, "version-3", NONE, CERT, version_3 },
	{ PROFILE_CERT_FORM, "version-2", NONE, CRL, version_2 },
	{ PROFILE_CERT_FORM, "positive-serial", NONE, CERT, serial_positive },
	{ PROFILE_CERT_FORM, "serial-octets", NUMBER, CERT, serial_octets },
	{ PROFILE_CERT_FORM, "extension-twice", NONE, BOTH, extension_twice },
	{ PROFILE_CERT_FORM, "unknown-critical-extension", NONE, BOTH, unknown_critical },
	{ PROFILE_CERT_FORM, "malformed-extension", NONE, BOTH, malformed },
	{ PROFILE_CERT_FORM, "two-signature-algorithms", NONE, CERT, algorithms_differ },
	{ PROFILE_CERT_FORM, "nf-types", NONE, CERT, nf_types },

	{ PROFILE_CERT_HASH, "one-of", WORDS, BOTH, hash_one_of },
	{ PROFILE_CERT_HASH, "md2", NONE, BOTH, hash_md2 },
	{ PROFILE_CERT_HASH, "md4", NONE, BOTH, hash_md4 },
	{ PROFILE_CERT_HASH, "md5", NONE, BOTH, hash_md5 },
	{ PROFILE_CERT_HASH, "sha-1", NONE, BOTH, hash_sha1 },

	{ PROFILE_CERT_SIGNING, "one-of", WORDS, BOTH, signing_one_of },
	{ PROFILE_CERT_SIGNING, "rsa-pkcs1", NONE, BOTH, signing_pkcs1 },

	{ PROFILE_CERT_KEY, "one-of", WORDS, CERT, key_one_of },
	{ PROFILE_CERT_KEY, "rsa-bits", NUMBER, CERT, key_rsa_bits },
	{ PROFILE_CERT_KEY, "rsa-exponent", NUMBER, CERT, key_exponent },
	{ PROFILE_CERT_KEY, "curve", WORDS, CERT, key_curve },
	{ PROFILE_CERT_KEY, "explicit-curve", NONE, CERT, key_explicit },

	{ PROFILE_CERT_NAME, "issuer", NONE, BOTH, name_issuer },
	{ PROFILE_CERT_NAME, "subject", NONE, CERT, name_subject },
	{ PROFILE_CERT_NAME, "subject-or-critical-names", NONE, CERT, name_known },
	{ PROFILE_CERT_NAME, "other-in-subject", NONE, CERT, name_subject_other },
	{ PROFILE_CERT_NAME, "other-in-issuer", NONE, BOTH, name_issuer_other },
	{ PROFILE_CERT_NAME, "common-name", NONE, CERT, name_cn },
	{ PROFILE_CERT_NAME, "common-name-is-one-host", NONE, CERT, name_cn_host },

	{ PROFILE_CERT_VALIDITY, "at-most", DURATION, CERT, validity_most },
	{ PROFILE_CERT_VALIDITY, "in-order", NONE, CERT, validity_order },

	{ PROFILE_CERT_KEY_USAGE, "present", NONE, CERT, usage_present },
	{ PROFILE_CERT_KEY_USAGE, "critical", NONE, CERT, usage_critical },
	{ PROFILE_CERT_KEY_USAGE, "digital-signature", NONE, CERT, usage_signature },
	{ PROFILE_CERT_KEY_USAGE, "key-encipherment", NONE, CERT, usage_encipherment },
	{ PROFILE_CERT_KEY_USAGE, "cert-sign", NONE, CERT, usage_cert_sign },
	{ PROFILE_CERT_KEY_USAGE, "crl-sign", NONE, CERT, usage_crl_sign },

	{ PROFILE_CERT_PURPOSE, "present", NONE, CERT, purpose_present },
	{ PROFILE_CERT_PURPOSE, "server-auth", NONE, CERT, purpose_server },
	{ PROFILE_CERT_PURPOSE, "client-auth", NONE, CERT, purpose_client },
	{ PROFILE_CERT_PURPOSE, "tls", NONE, CERT, purpose_tls },
	{ PROFILE_CERT_PURPOSE, "any", NONE, CERT, purpose_any },

	{ PROFILE_CERT_ALTERNATIVE_NAME, "present", NONE, CERT, alternative_present },
	{ PROFILE_CERT_ALTERNATIVE_NAME, "critical", NONE, CERT, alternative_critical },
	{ PROFILE_CERT_ALTERNATIVE_NAME, "dns", NONE, CERT, alternative_dns },
	{ PROFILE_CERT_ALTERNATIVE_NAME, "common-name", NONE, CERT, alternative_cn },
	{ PROFILE_CERT_ALTERNATIVE_NAME, "wildcard", NONE, CERT, alternative_wildcard },

	{ PROFILE_CERT_BASIC, "ca", NONE, CERT, basic_ca },
	{ PROFILE_CERT_BASIC, "critical", NONE, CERT, basic_critical },
	{ PROFILE_CERT_BASIC, "path-length", NONE, CERT, basic_length },

	{ PROFILE_CERT_KEY_IDENTIFIER, "authority", NONE, BOTH, identifier_authority },
	{ PROFILE_CERT_KEY_IDENTIFIER, "subject", NONE, CERT, identifier_subject },
	{ PROFILE_CERT_KEY_IDENTIFIER, "critical", NONE, BOTH, identifier_critical },

	{ PROFILE_CERT_DISTRIBUTION_POINT, "present", NONE, CERT, point_present },
	{ PROFILE_CERT_DISTRIBUTION_POINT, "critical", NONE, CERT, point_critical },
	{ PROFILE_CERT_DISTRIBUTION_POINT, "ldap-or-http", NONE, CERT, point_reachable },

	{ PROFILE_CERT_NAME_CONSTRAINTS, "present", NONE, CERT, constraints_present },
	{ PROFILE_CERT_NAME_CONSTRAINTS, "critical", NONE, CERT, constraints_critical },

	{ PROFILE_CRL_FIELD, "number", NONE, CRL, crl_number },
	{ PROFILE_CRL_FIELD, "number-octets", NUMBER, CRL, crl_number_octets },
	{ PROFILE_CRL_FIELD, "number-critical", NONE, CRL, crl_number_critical },
	{ PROFILE_CRL_FIELD, "next-update", NONE, CRL, crl_next },
	{ PROFILE_CRL_FIELD, "scope-critical", NONE, CRL, crl_scope_critical },
	{ PROFILE_CRL_FIELD, "delta-critical", NONE, CRL, crl_delta_critical },
};
/* clang-format on */

const struct profile_cert_item *profile_cert_item(enum profile_subject subject, const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(items); i++)
		if (items[i].subject == subject && !strcmp(items[i].name, name))
			return &items[i];
	return NULL;
}

const char *profile_cert_item_find(enum profile_subject subject, const char *item,
                                   enum profile_value *ret_value, unsigned *ret_roles)
{
	const struct profile_cert_item *found = profile_cert_item(subject, item);

	if (!found)
		return NULL;
	*ret_value = found->value;
	*ret_roles = found->roles;
	return found->name;
}

void profile_cert_items_guess(enum profile_subject subject, struct config_guess *guess)
{
	for (size_t i = 0; i < BASE_COUNT(items); i++)
		if (items[i].subject == subject)
			config_guess_offer(guess, items[i].name);
}

/* -- what was found -------------------------------------------------------------------------- */

static void set_told(struct base_writer *w, unsigned set, const char *const *names, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!(set & 1U << i))
			continue;
		base_writer_printf(w, "%s%s", any ? ", " : "", names[i]);
		any = true;
	}
	base_writer_text(w, any ? "" : "none");
}

static void form_told(const struct x509_facts *f, struct base_writer *w)
{
	base_writer_printf(w, "version %u", f->version);
	if (!f->crl)
		base_writer_printf(w, ", serial number of %u octets%s", f->serial_octets,
		                   f->serial_positive ? "" : ", not positive");
	base_writer_printf(w, "%s%s%s%s", f->extension_twice ? ", an extension twice" : "",
	                   f->unknown_critical ? ", an unknown critical extension" : "",
	                   f->malformed ? ", a malformed extension" : "",
	                   f->algorithms_differ ? ", two signature algorithms" : "");
}

static void key_told(const struct x509_facts *f, struct base_writer *w)
{
	if (!strcmp(f->key, "ec"))
		base_writer_printf(w, "EC %s%s", f->curve, f->curve_explicit ? " (explicit)" : "");
	else if (!strcmp(f->key, "rsa"))
		base_writer_printf(w, "RSA %u, exponent %" PRIu64, f->key_bits, f->exponent);
	else
		base_writer_printf(w, "%s %u", f->key, f->key_bits);
}

static void name_told(const struct x509_facts *f, struct base_writer *w)
{
	static const char *const names[] = { "C", "O", "CN", "others" };

	base_writer_printf(w, "subject '%s' (", f->subject);
	set_told(w, f->subject_has, names, BASE_COUNT(names));
	base_writer_text(w, "), issuer (");
	set_told(w, f->issuer_has, names, BASE_COUNT(names));
	base_writer_text(w, ")");
}

static void usage_told(const struct x509_facts *f, struct base_writer *w)
{
	static const char *const names[] = { "digitalSignature", "contentCommitment",
		                             "keyEncipherment",  "dataEncipherment",
		                             "keyAgreement",     "keyCertSign",
		                             "cRLSign",          "encipherOnly" };

	set_told(w, f->usage, names, BASE_COUNT(names));
	if (f->present & X509_FACT_KEY_USAGE)
		base_writer_text(w, f->critical & X509_FACT_KEY_USAGE ? ", critical"
		                                                      : ", not critical");
}

static void purposes_told(const struct x509_facts *f, struct base_writer *w)
{
	static const char *const names[] = { "serverAuth", "clientAuth", "any" };

	if (f->present & X509_FACT_PURPOSES && !f->purposes)
		base_writer_text(w, "others");
	else
		set_told(w, f->purposes, names, BASE_COUNT(names));
}

static void alternative_told(const struct x509_facts *f, struct base_writer *w)
{
	base_writer_printf(w, "%u dNSName%s, %u others%s%s", f->dns_count,
	                   f->wildcard ? " (wildcard)" : "", f->other_names,
	                   f->cn_in_names ? ", the CN among them" : "",
	                   f->critical & X509_FACT_NAMES ? ", critical" : "");
}

static void basic_told(const struct x509_facts *f, struct base_writer *w)
{
	if (!(f->present & X509_FACT_BASIC)) {
		base_writer_text(w, "none");
		return;
	}
	base_writer_printf(w, "%s, %scritical", f->ca ? "CA" : "no CA",
	                   f->critical & X509_FACT_BASIC ? "" : "not ");
	if (f->path_len >= 0)
		base_writer_printf(w, ", path length %d", f->path_len);
	else
		base_writer_text(w, ", no path length");
}

static void point_told(const struct x509_facts *f, struct base_writer *w)
{
	base_writer_printf(w, "%u, by http %u, by ldap %u%s", f->point_count, f->http_count,
	                   f->ldap_count, f->critical & X509_FACT_POINTS ? ", critical" : "");
}

static void crl_told(const struct x509_facts *f, struct base_writer *w)
{
	if (f->present & X509_FACT_NUMBER)
		base_writer_printf(w, "number of %u octets", f->number_octets);
	else
		base_writer_text(w, "no number");
	base_writer_text(w, f->until_s ? ", nextUpdate" : ", no nextUpdate");
}

static void presence_told(const struct x509_facts *f, unsigned bit, struct base_writer *w)
{
	base_writer_text(w, f->critical & bit  ? "there, critical"
	                    : f->present & bit ? "there, not critical"
	                                       : "none");
}

void profile_cert_told(enum profile_subject subject, const struct x509_facts *f,
                       struct base_writer *w)
{
	switch (subject) {
	case PROFILE_CERT_HASH:
		base_writer_text(w, f->hash);
		break;
	case PROFILE_CERT_SIGNING:
		base_writer_text(w, f->signing);
		break;
	case PROFILE_CERT_KEY:
		key_told(f, w);
		break;
	case PROFILE_CERT_NAME:
		name_told(f, w);
		break;
	case PROFILE_CERT_VALIDITY:
		base_writer_printf(w, "%" PRId64 " days", (f->until_s - f->from_s) / 86400);
		break;
	case PROFILE_CERT_KEY_USAGE:
		usage_told(f, w);
		break;
	case PROFILE_CERT_PURPOSE:
		purposes_told(f, w);
		break;
	case PROFILE_CERT_ALTERNATIVE_NAME:
		alternative_told(f, w);
		break;
	case PROFILE_CERT_BASIC:
		basic_told(f, w);
		break;
	case PROFILE_CERT_KEY_IDENTIFIER:
		base_writer_text(w, "authority ");
		presence_told(f, X509_FACT_AUTHORITY_KEY, w);
		base_writer_text(w, f->crl ? "" : ", subject ");
		if (!f->crl)
			presence_told(f, X509_FACT_SUBJECT_KEY, w);
		break;
	case PROFILE_CERT_DISTRIBUTION_POINT:
		point_told(f, w);
		break;
	case PROFILE_CERT_NAME_CONSTRAINTS:
		presence_told(f, X509_FACT_CONSTRAINTS, w);
		break;
	case PROFILE_CRL_FIELD:
		crl_told(f, w);
		break;
	default:
		form_told(f, w);
		break;
	}
}
