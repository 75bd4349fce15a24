/* SPDX-License-Identifier: Apache-2.0 */
/** @file What two profiles can agree upon, with the keys that are there (RFC 8446, 4.1.1; RFC
 * 5246, 7.4). */
#include "cli/pair.h"

static bool on(const struct profile_list *list, uint16_t code)
{
	for (size_t i = 0; i < list->on; i++)
		if (list->item[i].code == code)
			return true;
	return false;
}

/** May a key of that kind sign a handshake of that version with the scheme (RFC 8446, 4.2.3)? */
static bool signs(uint16_t scheme, unsigned version, const struct x509_facts *facts)
{
	static const char *const curves[] = { [4] = "P-256", [5] = "P-384", [6] = "P-521" };
	unsigned high = scheme >> 8, low = scheme & 0xff;
	bool pss = scheme >= 0x0804 && scheme <= 0x0806;

	if (!strcmp(facts->key, "rsa"))
		return pss || (version < PROFILE_TLS_1_3 && high <= 6 && low == 1);
	if (strcmp(facts->key, "ec") != 0 || low != 3 || high > 6)
		return false;
	return version < PROFILE_TLS_1_3 || (high >= 4 && !strcmp(curves[high], facts->curve));
}

/** A scheme for a key of `signer` that both have; "" where the version needs none. */
static const char *signature_find(const struct pair_end *signer, const struct pair_end *other,
                                  unsigned version)
{
	const struct profile_list *list = &signer->settings->signatures;

	if (version < PROFILE_TLS_1_2)
		return "";
	for (size_t i = 0; i < list->on; i++) {
		uint16_t code = list->item[i].code;

		if (signs(code, version, &signer->facts) && on(&other->settings->signatures, code))
			return profile_signature_find(code)->name;
	}
	return NULL;
}

static const char *group_find(const struct pair_end *client, const struct pair_end *server,
                              bool curves_only)
{
	const struct profile_list *list = &server->settings->groups;

	for (size_t i = 0; i < list->on; i++) {
		uint16_t code = list->item[i].code;

		if (!(curves_only && code >= 256) && on(&client->settings->groups, code))
			return profile_group_find(code)->name;
	}
	return NULL;
}

/** Can the server's key be used with that suite? Pre-shared keys are another matter. */
static bool suite_fits(const struct profile_suite *suite, unsigned version,
                       const struct x509_facts *facts)
{
	if (version < suite->min || version > suite->max ||
	    suite->flags & (PROFILE_SUITE_PSK | PROFILE_SUITE_ANON))
		return false;
	if (profile_suite_tls13(suite->code))
		return true;
	return (suite->flags & PROFILE_SUITE_ECDSA && !strcmp(facts->key, "ec")) ||
	       (suite->flags & PROFILE_SUITE_RSA_AUTH && !strcmp(facts->key, "rsa"));
}

/** The first of the server's; NULL = none. */
static const char *suite_find(const struct pair_end *client, const struct pair_end *server,
                              unsigned version, const char **ret_group)
{
	bool tls13 = version == PROFILE_TLS_1_3;
	const struct profile_list *ours = tls13 ? &server->settings->suites13
	                                        : &server->settings->suites,
	                          *theirs = tls13 ? &client->settings->suites13
	                                          : &client->settings->suites;

	for (size_t i = 0; i < ours->on; i++) {
		const struct profile_suite *suite = profile_suite_find(ours->item[i].code);
		bool curves = suite && strstr(suite->name, "_ECDHE_");

		if (!suite || !on(theirs, suite->code) ||
		    !suite_fits(suite, version, &server->facts))
			continue;
		*ret_group = curves || tls13 ? group_find(client, server, curves) : NULL;
		if (*ret_group || (!curves && !tls13))
			return suite->name;
	}
	return NULL;
}

struct pair_common pair_common_find(const struct pair_end *client, const struct pair_end *server,
                                    bool client_shows)
{
	unsigned both = client->settings->versions & server->settings->versions & PROFILE_TLS_ALL;
	struct pair_common c = { .lacks = "a TLS version" };

	for (unsigned version = PROFILE_TLS_1_3; version >= PROFILE_TLS_1_0; version >>= 1) {
		if (!(both & version))
			continue;
		c.version = profile_version_name(version);
		c.suite = suite_find(client, server, version, &c.group);
		c.signature = signature_find(server, client, version);
		c.lacks = !c.suite       ? "a suite for the server's key, with its group"
		          : !c.signature ? "a signature for the server's key"
		          : client_shows && client->der_count &&
		                          !signature_find(client, server, version)
		                  ? "a signature for the client's key"
		                  : NULL;
		if (!c.lacks)
			return c;
	}
	return c;
}
