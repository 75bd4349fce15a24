/* SPDX-License-Identifier: Apache-2.0 */
/** @file OCSP responses about our own certificates (RFC 6066, 8; RFC 8446, 4.4.2.1). */
#include "tls/domain.h"

int tls_staples_make(struct tls_domain *domain, const struct tls_domain_spec *spec)
{
	size_t count = spec->staples && spec->identity ? 1 + spec->more_count : 0;

	domain->staples = base_arena_array(&domain->arena, count, sizeof(*domain->staples));
	if (!domain->staples)
		return count ? BASE_ERR(BASE_LOCAL, 0) : 0;
	for (size_t i = 0; i < count; i++) {
		struct tls_staple *to = &domain->staples[i];

		*to = spec->staples[i];
		if (!to->der.len)
			continue;
		to->der.ptr = base_arena_dup(&domain->arena, to->der);
		if (!to->der.ptr)
			return BASE_ERR(BASE_LOCAL, 0);
	}
	domain->staple_count = count;
	return 0;
}

/** Where a domain has but one certificate there is no list of them. */
static const X509 *certificate_of(const struct tls_domain *domain, size_t i)
{
	const struct x509_identity *identity = i < domain->certificate_count
	                                               ? domain->certificates[i].identity
	                                               : atomic_load(&domain->identity);

	return identity ? identity->cert : NULL;
}

bool tls_domain_staple_until(const struct tls_domain *domain, size_t i, int64_t *ret_until_s)
{
	if (i >= domain->staple_count)
		return false;
	*ret_until_s = domain->staples[i].until_s;
	return true;
}

struct base_str tls_staple_find(const struct tls_domain *domain, const X509 *cert, int64_t now_s)
{
	const struct tls_domain *whole = domain->whole ? domain->whole : domain;

	for (size_t i = 0; cert && i < whole->staple_count; i++)
		if (certificate_of(whole, i) == cert && now_s < whole->staples[i].until_s)
			return whole->staples[i].der;
	return (struct base_str){ NULL, 0 };
}
