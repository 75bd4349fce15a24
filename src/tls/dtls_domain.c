/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The part of a domain that is for datagrams. DTLS 1.0 is TLS 1.1 and DTLS 1.2 is TLS 1.2 in all
 * that a domain says (RFC 4347, 1; RFC 6347, 1), so engines find the versions of TLS in it.
 */
#include <errno.h>

#include "tls/engine.h"

static const struct {
	unsigned tls, dtls; /**< PROFILE_ bits */
} versions[] = { { PROFILE_TLS_1_1, PROFILE_DTLS_1_0 }, { PROFILE_TLS_1_2, PROFILE_DTLS_1_2 } };

uint16_t tls_domain_wire(const struct tls_domain *domain, unsigned version)
{
	for (size_t i = 0; domain->whole && i < BASE_COUNT(versions); i++)
		if (versions[i].tls == version)
			return profile_version_wire(versions[i].dtls);
	return profile_version_wire(version);
}

/** The suites of the profile that may be used with DTLS: no RC4 (RFC 6347, 4.1.2.2). */
static void suites_take(struct tls_domain *part, unsigned offered)
{
	const struct profile_list *list = &part->settings->suites;

	part->suite_count = 0;
	part->versions = 0;
	for (size_t i = 0; i < list->on; i++) {
		const struct profile_suite *suite = profile_suite_find(list->item[i].code);
		unsigned usable = 0;

		if (!suite || !list->item[i].dtls ||
		    !tls_caps_have(&part->ops->caps->suites, suite->code))
			continue;
		for (unsigned bit = suite->min; bit <= suite->max; bit <<= 1)
			usable |= bit & offered;
		if (usable)
			part->suites[part->suite_count++] = suite->code;
		part->versions |= usable;
	}
}

/** Can the engine that runs the domain's TLS clients do these, too? */
static bool clients_same(const struct tls_domain *part)
{
	if (part->client_ops->offers_more && part->client_ops->offers_more(part))
		return false;
	for (size_t i = 0; i < part->suite_count; i++)
		if (!tls_caps_have(&part->client_ops->caps->suites, part->suites[i]))
			return false;
	return true;
}

int tls_domain_datagram_new(struct tls_domain *domain, const struct tls_domain *before)
{
	unsigned may = domain->settings->dtls & domain->ops->caps->versions, offered = 0;
	struct tls_domain *part;

	if (base_random(domain->cookie_key, sizeof(domain->cookie_key)))
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < BASE_COUNT(versions); i++)
		offered |= may & versions[i].dtls ? versions[i].tls : 0;
	if (!offered)
		return 0;
	part = BASE_NEW(&domain->arena, struct tls_domain);
	if (!part)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	memcpy(part, domain, sizeof(*part)); /* borrowed, all of it: the arena too */
	part->suites = base_arena_array(&domain->arena, domain->settings->suites.on + 1,
	                                sizeof(*part->suites));
	if (!part->suites)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_wipe(part->cookie_key, sizeof(part->cookie_key)); /* the whole's counts */
	part->whole = domain;
	part->datagram = NULL;
	suites_take(part, offered);
	if (!clients_same(part))
		part->client_ops = part->ops;
	if (!part->versions)
		return 0;
	domain->datagram = part;
	return tls_domain_datagram_resumption(part, before);
}

bool tls_domain_datagrams(const struct tls_domain *domain)
{
	return domain->datagram != NULL;
}

bool tls_domain_srtp(const struct tls_domain *domain, enum tls_role role, uint16_t profile)
{
	const struct tls_domain *part = domain->datagram;
	const struct tls_engine_ops *ops = part ? part->ops : NULL;

	if (part && role == TLS_ROLE_CLIENT)
		ops = part->client_ops;
	return ops && tls_caps_have(&ops->srtp_profiles, profile);
}
