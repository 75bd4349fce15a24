/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Bytes as a certificate or a CRL, held against every shipped profile: DER -> facts -> findings.
 * The first octet chooses the kind and the role.
 */
#include <stdlib.h>

#include <openssl/err.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MODE_CRL = 0x80 };

static const char *const names[] = { "cert-ts33310", "cert-ts33310-nf", "cert-ts33203-o5-rel17" };
static struct profile_checks *checks[BASE_COUNT(names)];

/* Kept for the life of the process: made once, read by every input. */
static struct profile_store *store;

static void profiles_load(void)
{
	const char *root = getenv("GATEHOUSE_SOURCE_ROOT");
	char dir[1024];

	snprintf(dir, sizeof(dir), "%s/profiles", root ? root : ".");
	if (profile_store_new(&store) || profile_store_dir(store, dir))
		abort();
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		const struct profile *profile;

		if (profile_store_find(store, names[i], &profile, NULL) ||
		    profile_checks_new(&checks[i], profile, NULL))
			abort();
	}
}

static void on_finding(void *arg, const struct profile_finding *finding)
{
	struct profile_tally *told = arg;
	char text[64];

	told->fails += finding->fails;
	told->warns += !finding->fails;
	if (!*finding->text || !*profile_finding_format(finding, text, sizeof(text)))
		abort(); /* no finding without evidence */
}

static void check(const struct x509_facts *facts, enum profile_role role)
{
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		struct profile_tally told = { 0, 0 }, tally = profile_check(checks[i], role, facts,
		                                                            on_finding, &told);

		if (tally.fails != told.fails || tally.warns != told.warns)
			abort();
	}
	if (!memchr(facts->subject, 0, sizeof(facts->subject)) ||
	    !memchr(facts->cn, 0, sizeof(facts->cn)) || profile_roles_guess(facts) > 0x7f)
		abort();
}

static void crl_check(const uint8_t *data, size_t size)
{
	X509_CRL *crl = d2i_X509_CRL(NULL, &data, (long)size);
	struct x509_facts facts;

	if (!crl)
		return;
	x509_facts_crl(crl, &facts);
	check(&facts, PROFILE_ROLE_CRL);
	X509_CRL_free(crl);
}

static void cert_check(const uint8_t *data, size_t size, enum profile_role role)
{
	X509 *cert = d2i_X509(NULL, &data, (long)size);
	struct x509_facts facts, again;

	if (!cert)
		return;
	memset(&facts, 0, sizeof(facts));
	memset(&again, 0, sizeof(again));
	x509_facts_cert(cert, &facts);
	x509_facts_cert(cert, &again);
	if (facts.usage != again.usage || facts.present != again.present ||
	    strcmp(facts.subject, again.subject) != 0)
		abort(); /* the same certificate, the same facts */
	check(&facts, role);
	X509_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!store)
		profiles_load();
	if (!size)
		return 0;
	if (data[0] & MODE_CRL)
		crl_check(data + 1, size - 1);
	else
		cert_check(data + 1, size - 1, (enum profile_role)(1U << data[0] % 6));
	ERR_clear_error();
	return 0;
}
