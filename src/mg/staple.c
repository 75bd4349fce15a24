/* SPDX-License-Identifier: Apache-2.0 */
/** @file OCSP responses about our own certificates, as files of the configuration (RFC 6066, 8). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mg/yaml.h"

#define STAPLE_MAX (64U << 10)

/* What to do about it. */
static const char *remedy(enum trust_reason reason)
{
	switch (reason) {
	case TRUST_REVOKED:
		return "put a new certificate in the place of this one";
	case TRUST_UNKNOWN_CA:
		return "put the issuer's certificate behind it in its file, or among the domain's "
		       "trust";
	default:
		return "get one in DER for this certificate from its CA's responder (openssl ocsp "
		       "-respout)";
	}
}

/* What vouches for us is no reason to serve nobody: whoever asks goes without it, as when it passes
 * its date while we run. */
static void leave_out(const char *domain, const char *file, const char *text)
{
	base_log(BASE_LOG_WARN, "mg",
	         "TLS domain %s: %s: %s; it is not sent: get a new one and reload", domain, file,
	         text);
}

static int judge(const char *domain, const char *file, const struct x509_identity *identity,
                 const struct trust_store *trust, struct tls_staple *staple, struct base_error *err)
{
	char text[200];
	enum trust_reason reason = trust_staple_own(trust, identity, staple->der, time(NULL),
	                                            &staple->until_s, text, sizeof(text));

	if (reason == TRUST_OK)
		return 0;
	staple->der.len = 0;
	staple->until_s = BASE_MAX(staple->until_s, (int64_t)1); /* past: metrics tell it */
	if (reason != TRUST_CRL_STALE)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s: %s: %s", file, text,
		                      remedy(reason));
	leave_out(domain, file, text);
	return 0;
}

static int staple_load(struct mg_config *c, const struct mg_yaml_domain *y, const char *name,
                       const struct x509_identity *identity, const struct trust_store *trust,
                       struct tls_staple *ret, struct base_error *err)
{
	const char *file = config_doc_path(c->doc, name, &c->arena);
	char *data = NULL;
	size_t len = 0;
	int rc = file ? config_file_read(file, STAPLE_MAX, &data, &len, err)
	              : BASE_ERR(BASE_LOCAL, 0);

	if (rc)
		return rc;
	ret->der.ptr = base_arena_dup(&c->arena, (struct base_str){ data, len });
	ret->der.len = len;
	free(data);
	return ret->der.ptr ? judge(y->name, file, identity, trust, ret, err)
	                    : BASE_ERR(BASE_LOCAL, 0);
}

int mg_staples_load(struct mg_config *c, const struct mg_yaml_domain *y,
                    const struct tls_domain_spec *spec, struct tls_staple *ret,
                    char ret_key[MG_STAPLE_KEY], struct base_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i <= y->more_count && !rc; i++) {
		const char *name = i ? y->more[i - 1].staple : y->staple;

		if (i)
			(void)snprintf(ret_key, MG_STAPLE_KEY, "certificates[%u].staple", i - 1);
		else
			(void)snprintf(ret_key, MG_STAPLE_KEY, "staple");
		if (name && !spec->identity)
			rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                    "a staple without a certificate");
		else if (name)
			rc = staple_load(c, y, name, i ? spec->more[i - 1] : spec->identity,
			                 spec->trust, &ret[i], err);
	}
	return rc;
}
