/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A domain with several certificates: which one a server shows, by the name the client asks for
 * (RFC 6066, 3) and the authorities it trusts (RFC 6066, 6; RFC 8446, 4.2.4). A choice of the
 * server's alone: what a client gets that says neither is the first.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/choose.h"
#include "tls/engine.h"
#include "tls/hand.h"

/* -- what each rests on ---------------------------------------------------------------------- */

static int name_of(struct base_arena *arena, const X509_NAME *name, struct base_str *ret)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return BASE_ERR(BASE_LOCAL, 0);
	ret->ptr = base_arena_dup(arena, (struct base_str){ (const char *)der, len });
	ret->len = len;
	return ret->ptr ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static int above_add(struct base_arena *arena, struct tls_certificate *c, X509 *authority)
{
	struct tls_above *above = &c->above[c->above_count];
	unsigned len = sizeof(above->certificate);

	if (name_of(arena, X509_get_subject_name(authority), &above->name) ||
	    !tls_authority_key_hash(authority, above->key) ||
	    X509_digest(authority, EVP_sha1(), above->certificate, &len) != 1)
		return BASE_ERR(BASE_LOCAL, 0);
	above->known = true;
	c->above_count++;
	return 0;
}

/** Names may be shared (a root that was made anew), so the signature decides. */
static bool issued(X509 *authority, X509 *cert)
{
	return X509_NAME_cmp(X509_get_subject_name(authority), X509_get_issuer_name(cert)) == 0 &&
	       X509_verify(cert, X509_get0_pubkey(authority)) == 1;
}

/** The chain's own authorities, and above its end who of those the domain trusts has signed that;
 * where that is nobody, the name alone. */
static int above_fill(struct base_arena *arena, struct tls_certificate *c,
                      const STACK_OF(X509) * anchors)
{
	const STACK_OF(X509) *chain = c->identity->chain;
	int count = BASE_MAX(sk_X509_num(chain), 0), more = BASE_MAX(sk_X509_num(anchors), 0);
	X509 *end = count ? sk_X509_value(chain, count - 1) : c->identity->cert;
	size_t before;

	c->above = base_arena_array(arena, (size_t)count + (size_t)more + 1, sizeof(*c->above));
	if (!c->above)
		return BASE_ERR(BASE_LOCAL, 0);
	for (int i = 0; i < count; i++)
		if (above_add(arena, c, sk_X509_value(chain, i)))
			return BASE_ERR(BASE_LOCAL, 0);
	before = c->above_count;
	for (int i = 0; i < more; i++)
		if (issued(sk_X509_value(anchors, i), end) &&
		    above_add(arena, c, sk_X509_value(anchors, i)))
			return BASE_ERR(BASE_LOCAL, 0);
	if (c->above_count == before)
		return name_of(arena, X509_get_issuer_name(end), &c->above[c->above_count++].name);
	return 0;
}

int tls_certificates_make(struct tls_domain *domain, const struct tls_domain_spec *spec,
                          struct base_error *err)
{
	const STACK_OF(X509) *anchors = spec->trust ? trust_store_anchors(spec->trust) : NULL;

	if (!spec->identity || (!spec->more_count && !spec->refuse_unknown_name))
		return 0;
	if (spec->more_count >= TLS_CERTIFICATES_MAX)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "TLS domain %s: at most %d certificates", spec->name,
		                      TLS_CERTIFICATES_MAX);
	domain->certificates = base_arena_array(&domain->arena, spec->more_count + 1,
	                                        sizeof(*domain->certificates));
	for (size_t i = 0; domain->certificates && i <= spec->more_count; i++) {
		struct tls_certificate *c = &domain->certificates[i];

		c->identity = x509_identity_ref(i ? spec->more[i - 1] : spec->identity);
		domain->certificate_count++;
		if (above_fill(&domain->arena, c, anchors))
			return base_error_set(err, BASE_ERR(BASE_LOCAL, 0),
			                      "no memory for a TLS domain");
	}
	ERR_clear_error();
	domain->refuse_unknown_name = spec->refuse_unknown_name;
	return domain->certificates ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

void tls_certificates_free(struct tls_domain *domain)
{
	for (size_t i = 0; i < domain->certificate_count; i++)
		x509_identity_unref(domain->certificates[i].identity);
}

/* -- the choice ------------------------------------------------------------------------------ */

static bool equal(struct base_str a, const void *b, size_t len)
{
	return a.len == len && memcmp(a.ptr, b, len) == 0;
}

static bool above_is(const struct tls_above *above, const struct tls_authority *authority)
{
	switch (authority->kind) {
	case TLS_AUTHORITY_NAME:
		return equal(authority->value, above->name.ptr, above->name.len);
	case TLS_AUTHORITY_KEY_HASH:
		return above->known && equal(authority->value, above->key, sizeof(above->key));
	case TLS_AUTHORITY_CERT_HASH:
		return above->known &&
		       equal(authority->value, above->certificate, sizeof(above->certificate));
	default:
		return false;
	}
}

static bool trusted(const struct tls_certificate *c, struct base_reader authorities)
{
	struct tls_authority authority;

	while (tls_authority_next(&authorities, &authority))
		for (size_t i = 0; i < c->above_count; i++)
			if (above_is(&c->above[i], &authority))
				return true;
	return false;
}

static bool trusted_by_name(const struct tls_certificate *c, struct base_reader names)
{
	struct base_str name;

	while (tls_ca_name_next(&names, &name))
		for (size_t i = 0; i < c->above_count; i++)
			if (equal(name, c->above[i].name.ptr, c->above[i].name.len))
				return true;
	return false;
}

static bool named(const struct tls_certificate *c, struct base_str name)
{
	return X509_check_host(c->identity->cert, name.ptr, name.len, 0, NULL) == 1;
}

enum wish { BY_NAME, BY_AUTHORITY, BY_CA_NAME };

static bool certificate_fits(const struct tls_certificate *c, const struct tls_hello_view *hello,
                             enum wish wish)
{
	if (wish == BY_NAME)
		return named(c, hello->name);
	return wish == BY_AUTHORITY ? trusted(c, hello->authorities)
	                            : trusted_by_name(c, hello->ca_names);
}

/** Keep those that fit, if any does. */
static bool narrow(const struct tls_domain *domain, const struct tls_hello_view *hello,
                   enum wish wish, struct tls_choice *choice)
{
	struct tls_choice left = { 0 };

	for (unsigned i = 0; i < choice->count; i++)
		if (certificate_fits(&domain->certificates[choice->index[i]], hello, wish))
			left.index[left.count++] = choice->index[i];
	if (left.count)
		*choice = left;
	return left.count > 0;
}

bool tls_certificates_choose(const struct tls_session *session, const struct tls_hello_view *hello,
                             struct tls_choice *ret)
{
	const struct tls_domain *domain = session->context->domain;
	bool by_name, by_authority;

	*ret = (struct tls_choice){ .count = 1 };
	if (!domain->certificate_count)
		return true;
	/* The fingerprint of the first is what the controller has told (RFC 8122, 5). */
	if (!(session->hand && session->hand->fingerprint_count))
		for (ret->count = 0; ret->count < domain->certificate_count; ret->count++)
			ret->index[ret->count] = (uint8_t)ret->count;
	by_name = hello->name.len && narrow(domain, hello, BY_NAME, ret);
	if (hello->name.len && !by_name && domain->refuse_unknown_name)
		return false;
	by_authority = narrow(domain, hello, BY_AUTHORITY, ret);
	if (!by_authority)
		(void)narrow(domain, hello, BY_CA_NAME, ret);
	ret->by_name = by_name;
	ret->by_authority = by_authority;
	return true;
}
