/* SPDX-License-Identifier: Apache-2.0 */
/** @file A domain's own certificates with their keys, and what goes with them in a hello. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mg/yaml.h"
#include "x509/x509.h"

static int refuse(struct base_error *err, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
static int refuse(struct base_error *err, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", text);
}

/* Nobody would take it, but those who know it by its fingerprint. */
static int dates_check(const char *file, const struct x509_identity *identity,
                       struct base_error *err)
{
	struct x509_about about;
	int64_t now_s = (int64_t)time(NULL);
	char day[32] = "?";
	time_t at;
	struct tm tm;

	if (x509_about_cert(identity->cert, &about))
		return BASE_ERR(BASE_LOCAL, 0);
	if (about.from_s <= now_s && now_s < about.until_s)
		return 0;
	at = (time_t)(about.from_s > now_s ? about.from_s : about.until_s);
	if (gmtime_r(&at, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return refuse(err, "%s %s %s (RFC 5280, 4.1.2.5): put a new one in its place", file,
	              about.from_s > now_s ? "is not valid before" : "expired on", day);
}

static int identity_load(struct mg_config *c, const char *certificate, const char *key_name,
                         struct x509_identity **ret, struct base_error *err)
{
	const char *cert = config_doc_path(c->doc, certificate, &c->arena);
	const char *key =
	        key_name && x509_key_is_uri(key_name)
	                ? key_name
	                : config_doc_path(c->doc, key_name ? key_name : certificate, &c->arena);
	int rc;

	if (!cert || !key)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = x509_identity_load(ret, cert, key, err);
	return rc ? rc : dates_check(certificate, *ret, err);
}

static int first_load(struct mg_config *c, const struct mg_yaml_domain *y,
                      struct tls_domain_spec *spec, char key[MG_CERTIFICATE_KEY],
                      struct base_error *err)
{
	(void)snprintf(key, MG_CERTIFICATE_KEY, "%s", y->certificate ? "certificate" : "key");
	if (!y->certificate && !y->key)
		return 0;
	if (!y->certificate)
		return refuse(err, "a key without a certificate");
	return identity_load(c, y->certificate, y->key, &spec->identity, err);
}

static int unknown_name_read(const struct mg_yaml_domain *y, struct tls_domain_spec *spec,
                             char key[MG_CERTIFICATE_KEY], struct base_error *err)
{
	const char *word = y->unknown_name;

	(void)snprintf(key, MG_CERTIFICATE_KEY, "unknown-name");
	if (word && strcmp(word, "continue") != 0 && strcmp(word, "refuse") != 0)
		return refuse(err, "'%s' is none of: continue, refuse", word);
	spec->refuse_unknown_name = word && !strcmp(word, "refuse");
	if (spec->refuse_unknown_name && !spec->identity)
		return refuse(err, "without a certificate of the domain no name is known: name "
		                   "one, or leave this out");
	return 0;
}

/* The further ones, among which a server chooses (RFC 6066, 3 and 6). */
static int more_load(struct mg_config *c, const struct mg_yaml_domain *y,
                     struct tls_domain_spec *spec, struct x509_identity ***ret_more,
                     char key[MG_CERTIFICATE_KEY], struct base_error *err)
{
	struct x509_identity **more;
	int rc = 0;

	(void)snprintf(key, MG_CERTIFICATE_KEY, "certificates");
	if (!y->more_count)
		return 0;
	if (!spec->identity)
		return refuse(err, "the one that is shown by default is missing: name it as "
		                   "certificate");
	more = calloc(y->more_count, sizeof(struct x509_identity *));
	if (!more)
		return BASE_ERR(BASE_LOCAL, 0);
	spec->more = *ret_more = more;
	for (unsigned i = 0; i < y->more_count && !rc; i++) {
		(void)snprintf(key, MG_CERTIFICATE_KEY, "certificates[%u].certificate", i);
		rc = identity_load(c, y->more[i].certificate, y->more[i].key, &more[i], err);
		spec->more_count = i + (more[i] ? 1 : 0);
	}
	return rc;
}

/* RFC 6066, 6 */
static int authorities_read(const struct mg_yaml_domain *y, struct tls_domain_spec *spec,
                            char key[MG_CERTIFICATE_KEY], struct base_error *err)
{
	static const struct {
		const char *word;
		enum tls_authority_kind how;
	} row[] = {
		{ "none", TLS_AUTHORITY_AGREED },
		{ "names", TLS_AUTHORITY_NAME },
		{ "key-hashes", TLS_AUTHORITY_KEY_HASH },
		{ "certificate-hashes", TLS_AUTHORITY_CERT_HASH },
	};

	(void)snprintf(key, MG_CERTIFICATE_KEY, "trusted-ca-keys");
	for (size_t i = 0; y->trusted_ca_keys && i < BASE_COUNT(row); i++)
		if (!strcmp(row[i].word, y->trusted_ca_keys)) {
			spec->tell_authorities = row[i].how;
			return 0;
		}
	return y->trusted_ca_keys
	               ? refuse(err, "'%s' is none of: none, names, key-hashes, certificate-hashes",
	                        y->trusted_ca_keys)
	               : 0;
}

int mg_certificates_load(struct mg_config *c, const struct mg_yaml_domain *y,
                         struct tls_domain_spec *spec, struct x509_identity ***ret_more,
                         char ret_key[MG_CERTIFICATE_KEY], struct base_error *err)
{
	int rc = first_load(c, y, spec, ret_key, err);

	if (!rc)
		rc = unknown_name_read(y, spec, ret_key, err);
	if (!rc)
		rc = more_load(c, y, spec, ret_more, ret_key, err);
	return rc ? rc : authorities_read(y, spec, ret_key, err);
}
