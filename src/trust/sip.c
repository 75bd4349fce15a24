/* SPDX-License-Identifier: Apache-2.0 */
/* Whose SIP domain a certificate is for (RFC 5922, 7.1 and 7.2). */
#include <openssl/x509v3.h>

#include "trust/internal.h"

/* The host part of a sip URI without user; empty: it identifies no domain. */
static struct base_str uri_domain(struct base_str uri)
{
	size_t len = 0;

	if (uri.len < 4 || !base_str_ieq((struct base_str){ uri.ptr, 4 }, BASE_STR("sip:")) ||
	    memchr(uri.ptr, '@', uri.len))
		return (struct base_str){ NULL, 0 };
	uri = (struct base_str){ uri.ptr + 4, uri.len - 4 };
	while (len < uri.len && !strchr(":;?", uri.ptr[len])) /* an octet of value 0 ends it, too */
		len++;
	return len < uri.len && !uri.ptr[len] ? (struct base_str){ NULL, 0 }
	                                      : (struct base_str){ uri.ptr, len };
}

static struct base_str domain_of(const GENERAL_NAME *name, int type)
{
	const ASN1_STRING *text;
	struct base_str all;

	if (name->type != type)
		return (struct base_str){ NULL, 0 };
	text = type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
	all = (struct base_str){ (const char *)ASN1_STRING_get0_data(text),
		                 (size_t)ASN1_STRING_length(text) };
	if (type == GEN_URI)
		return uri_domain(all);
	return memchr(all.ptr, 0, all.len) ? (struct base_str){ NULL, 0 } : all;
}

/* A name that may stand in a list with blanks between: letters of names, no more. */
static bool printable(struct base_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return false;
	return name.len > 0;
}

static size_t list(struct base_writer *w, const GENERAL_NAMES *names, int type)
{
	size_t count = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		struct base_str one = domain_of(sk_GENERAL_NAME_value(names, i), type);

		if (!printable(one))
			continue;
		base_writer_u8(w, ' ');
		base_writer_str(w, one);
		count++;
	}
	return count;
}

char *trust_sip_domains(X509 *cert)
{
	struct base_writer w = { .limit = 4096 };
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char *domains = NULL;

	/* dNSNames count "if and only if no other identity is found" */
	if (names && !list(&w, names, GEN_URI))
		(void)list(&w, names, GEN_DNS);
	GENERAL_NAMES_free(names);
	if (w.len && !w.failed)
		domains = strdup(base_writer_cstr(&w) + 1);
	base_writer_done(&w);
	return domains;
}

bool trust_sip_domain_in(const char *domains, struct base_str name)
{
	while (domains && *domains) {
		size_t len = strcspn(domains, " ");

		if (base_str_ieq((struct base_str){ domains, len }, name))
			return true;
		domains += len + (domains[len] == ' ');
	}
	return false;
}

/* The CN stands for a domain where there is no subjectAltName (7.1, 2). Never a wildcard (7.2). */
bool trust_sip_proves(X509 *cert, const char *name)
{
	char *domains = trust_sip_domains(cert);
	bool proves = trust_sip_domain_in(domains, base_str_of(name));

	free(domains);
	if (X509_get_ext_by_NID(cert, NID_subject_alt_name, -1) >= 0)
		return proves;
	return *name && X509_check_host(cert, name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
}
