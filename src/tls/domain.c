/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A TLS domain: what the profile compiles to, which engine runs it, what that engine lacks.
 */
#include <errno.h>
#include <stdlib.h>

#include "tls/engine.h"

/** Validity of a certificate made on demand: 3 years (TS 33.310, 6.1.3c, as the upper bound). */
#define SELF_SIGNED_S (3L * 365 * 24 * 3600)

static int no_memory(struct base_error *err)
{
	return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory for a TLS domain");
}

bool tls_caps_have(const struct profile_codes *codes, uint16_t code)
{
	for (size_t i = 0; i < codes->count; i++)
		if (codes->code[i] == code)
			return true;
	return false;
}

/* -- which engine ---------------------------------------------------------------------------- */

struct candidate {
	const struct tls_engine_ops *ops;
	struct profile_gap *gap;
	size_t gap_count, shalls; /**< gaps; of those, the profile's "shall"s */
	bool stumbles;            /**< as server over data in the midst of a renegotiation */
	unsigned cost;            /**< of a full handshake */
};

static int candidate_fill(struct candidate *c, struct tls_domain *domain,
                          const struct tls_domain_spec *spec)
{
	int rc = profile_engine_gaps(domain->settings, c->ops->caps, &domain->arena, &c->gap,
	                             &c->gap_count);

	if (rc)
		return rc;
	c->shalls = profile_gap_count(c->gap, c->gap_count, PROFILE_SHALL);
	c->stumbles = profile_renegotiates(domain->settings) &&
	              !(c->ops->caps->features & PROFILE_FEATURE_RENEGOTIATION_DATA);
	c->cost = c->ops->cost_ecdsa;
	if (spec->identity && EVP_PKEY_is_a(spec->identity->key, "RSA"))
		c->cost = c->ops->cost_rsa;
	return 0;
}

/**
 * `auto`: the fewest unmet "shall"s; of equals, where anybody may renegotiate with a server, the
 * one that serves clients which send data meanwhile (RFC 5246, 7.4.1.1); of equals, the cheaper
 * full handshake. With the figures of the engines' tables (microseconds of server CPU, one core,
 * Debian 12: OpenSSL 3.0 281 with ECDSA P-256 and 637 with RSA-2048; GnuTLS 3.7 207 and, its
 * signature handed to libcrypto, 482; resumed by ticket 34 against 12, PSK 48 against 14) that is
 * GnuTLS wherever both can do what is asked.
 */
static bool candidate_better(const struct candidate *a, const struct candidate *b)
{
	if (!b->ops || !a->ops)
		return a->ops != NULL;
	if (a->shalls != b->shalls)
		return a->shalls < b->shalls;
	if (a->stumbles != b->stumbles)
		return b->stumbles;
	return a->cost < b->cost;
}

static int domain_gaps(struct tls_domain *domain, const struct candidate *c)
{
	if (c->gap_count == 0)
		return 0;
	domain->gaps = base_arena_array(&domain->arena, c->gap_count, sizeof(*domain->gaps));
	if (!domain->gaps)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (size_t i = 0; i < c->gap_count; i++) {
		struct tls_gap *gap = &domain->gaps[i];

		gap->rule = c->gap[i].rule;
		gap->strength = c->gap[i].strength;
		(void)profile_gap_format(&c->gap[i], c->ops->caps, gap->text, sizeof(gap->text));
	}
	domain->gap_count = c->gap_count;
	return 0;
}

static int domain_engine(struct tls_domain *domain, const struct tls_domain_spec *spec,
                         struct base_error *err)
{
	const struct tls_engine_ops *ops[] = { tls_openssl_ops(), tls_gnutls_ops() };
	struct candidate best = { 0 };

	for (size_t i = 0; i < BASE_COUNT(ops); i++) {
		struct candidate c = { .ops = ops[i] };

		if (!c.ops || (spec->engine != TLS_ENGINE_AUTO && spec->engine != c.ops->engine))
			continue;
		if (candidate_fill(&c, domain, spec))
			return no_memory(err);
		if (candidate_better(&c, &best))
			best = c;
	}
	if (!best.ops)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "TLS domain %s: engine %s is not in this build", spec->name,
		                      tls_engine_name(spec->engine));
	domain->ops = domain->client_ops = best.ops;
	return domain_gaps(domain, &best) ? no_memory(err) : 0;
}

static size_t gaps_shall(const struct tls_domain *domain)
{
	size_t count = 0;

	for (size_t i = 0; i < domain->gap_count; i++)
		count += domain->gaps[i].strength == PROFILE_SHALL;
	return count;
}

/** Can this engine's client offer the very same, and lacks no more of what the profile demands? */
static bool client_same(struct tls_domain *domain, const struct tls_domain_spec *spec,
                        const struct tls_engine_ops *ops)
{
	struct candidate c = { .ops = ops };

	if (!ops || ops == domain->ops || (ops->offers_more && ops->offers_more(domain)) ||
	    domain->versions & ~ops->caps->versions)
		return false;
	for (size_t i = 0; i < domain->suite_count; i++)
		if (!tls_caps_have(&ops->caps->suites, domain->suites[i]))
			return false;
	return candidate_fill(&c, domain, spec) == 0 && c.shalls <= gaps_shall(domain);
}

/** `auto`, for clients: where the engine would offer more than the profile lists, another one. */
static void domain_client_engine(struct tls_domain *domain, const struct tls_domain_spec *spec)
{
	const struct tls_engine_ops *ops[] = { tls_openssl_ops(), tls_gnutls_ops() };

	if (spec->engine != TLS_ENGINE_AUTO || !domain->ops->offers_more ||
	    !domain->ops->offers_more(domain))
		return;
	for (size_t i = 0; i < BASE_COUNT(ops); i++)
		if (client_same(domain, spec, ops[i]))
			domain->client_ops = ops[i];
}

/* -- what is offered ------------------------------------------------------------------------- */

/** `versions`: bits; a suite's `min` and `max` are single bits, so numbers order them. */
static void suites_take(struct tls_domain *domain, const struct profile_list *list,
                        unsigned versions, unsigned *used)
{
	for (size_t i = 0; i < list->on; i++) {
		uint16_t code = list->item[i].code;
		const struct profile_suite *suite = profile_suite_find(code);
		unsigned usable = 0;

		if (!suite || !tls_caps_have(&domain->ops->caps->suites, code))
			continue;
		for (unsigned bit = suite->min; bit <= suite->max; bit <<= 1)
			usable |= bit & versions;
		if (usable)
			domain->suites[domain->suite_count++] = code;
		*used |= usable;
	}
}

/** Suites and versions both sides of which are there: no version without a suite. */
static int domain_offer(struct tls_domain *domain, struct base_error *err)
{
	const struct profile_settings *settings = domain->settings;
	unsigned versions = settings->versions & domain->ops->caps->versions & PROFILE_TLS_ALL;
	unsigned used = 0;

	domain->suites =
	        base_arena_array(&domain->arena, settings->suites.on + settings->suites13.on + 1,
	                         sizeof(*domain->suites));
	if (!domain->suites)
		return no_memory(err);
	if (versions & PROFILE_TLS_1_3)
		suites_take(domain, &settings->suites13, PROFILE_TLS_1_3, &used);
	if (versions & ~(unsigned)PROFILE_TLS_1_3)
		suites_take(domain, &settings->suites, versions & ~(unsigned)PROFILE_TLS_1_3,
		            &used);
	domain->versions = used;
	if (used)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "TLS domain %s: engine %s can offer no version and suite of profile "
	                      "%s%s%s",
	                      domain->name, domain->ops->caps->name, settings->profile->name,
	                      domain->gap_count ? "; " : "",
	                      domain->gap_count ? domain->gaps[0].text : "");
}

/* -- authentication -------------------------------------------------------------------------- */

/**
 * What a server really asks for. A fingerprint can only be held against a certificate that was
 * sent, so the method asks for one (RFC 8122, 5); a profile may require or forbid asking.
 */
static int domain_client_auth(struct tls_domain *domain, const struct tls_domain_spec *spec,
                              struct base_error *err)
{
	const struct profile_settings *settings = domain->settings;
	enum tls_client_auth auth = spec->client_auth;

	if (auth == TLS_CLIENT_AUTH_NONE && spec->client_methods &&
	    (spec->client_methods & TRUST_FINGERPRINT ||
	     settings->client_certificate == PROFILE_CERTIFICATE_REQUIRED))
		auth = TLS_CLIENT_AUTH_REQUIRE;
	if (settings->client_certificate == PROFILE_CERTIFICATE_REFUSED) {
		const struct profile_rule *rule = settings->client_certificate_rule;

		if (spec->client_auth != TLS_CLIENT_AUTH_NONE)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "TLS domain %s asks clients for a certificate, which "
			                      "%s %s [%s] forbids",
			                      domain->name, rule ? rule->document : "its profile",
			                      rule ? rule->clause : "", rule ? rule->id : "");
		auth = TLS_CLIENT_AUTH_NONE;
	}
	domain->client_auth = auth;
	return 0;
}

static bool psk_valid(const struct tls_psk *psk)
{
	return psk->identity.len <= TLS_IDENTITY_MAX && psk->key.len > 0 &&
	       psk->key.len <= TLS_PSK_MAX &&
	       !(psk->identity.len && memchr(psk->identity.ptr, '\0', psk->identity.len));
}

static int domain_psks(struct tls_domain *domain, const struct tls_domain_spec *spec,
                       struct base_error *err)
{
	if (spec->psk_hint && strlen(spec->psk_hint) > TLS_IDENTITY_MAX)
		return base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "TLS domain %s: the PSK hint exceeds %d octets (RFC 4279, 5.3)", spec->name,
		        TLS_IDENTITY_MAX);
	if (spec->psk_hint) {
		domain->psk_hint = base_arena_dup(&domain->arena, base_str_of(spec->psk_hint));
		if (!domain->psk_hint)
			return no_memory(err);
	}
	domain->psks = base_arena_array(&domain->arena, spec->psk_count, sizeof(*domain->psks));
	if (spec->psk_count && !domain->psks)
		return no_memory(err);
	for (size_t i = 0; i < spec->psk_count; i++) {
		const struct tls_psk *from = &spec->psks[i];
		struct tls_psk *to = &domain->psks[i];

		if (!psk_valid(from))
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "TLS domain %s: PSK %zu: identity of at most %d, key "
			                      "of 1 to %d octets (RFC 4279, 5.3)",
			                      spec->name, i + 1, TLS_IDENTITY_MAX, TLS_PSK_MAX);
		domain->psk_count = i + 1;
		to->identity.ptr = base_arena_dup(&domain->arena, from->identity);
		to->identity.len = from->identity.len;
		if (!to->identity.ptr || base_secret_set(&to->key, from->key.data, from->key.len))
			return no_memory(err);
	}
	return 0;
}

/* -- small records -------------------------------------------------------------------------- */

/** RFC 6066, 4. */
static int domain_fragment(struct tls_domain *domain, const struct tls_domain_spec *spec,
                           struct base_error *err)
{
	uint16_t octets = spec->max_fragment;

	domain->max_fragment = octets;
	if (!octets || octets == 512 || octets == 1024 || octets == 2048 || octets == 4096)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      "TLS domain %s: a max_fragment_length of %u; there are 512, 1024, "
	                      "2048 and 4096 (RFC 6066, 4)",
	                      spec->name, octets);
}

/* -- life ------------------------------------------------------------------------------------ */

/** An engine that refuses its settings says so now, not at the first worker's first session. */
static int domain_try(struct tls_domain *domain, struct base_error *err)
{
	struct tls_context *context, *client;
	int rc = tls_context_new(&context, domain, err);

	if (rc)
		return rc;
	rc = tls_context_role(context, TLS_ROLE_CLIENT, &client, err);
	tls_context_free(context);
	return rc;
}

static int domain_fill(struct tls_domain *domain, const struct tls_domain_spec *spec,
                       struct base_error *err)
{
	const struct profile_options options = { .null_encryption = spec->null_encryption,
		                                 .by_client = spec->by_client,
		                                 .by_server = spec->by_server,
		                                 .legacy_peers = spec->legacy_peers };
	int rc;

	domain->name = base_arena_dup(&domain->arena, base_str_of(spec->name));
	if (!domain->name)
		return no_memory(err);
	rc = profile_compile(spec->profile, &options, &domain->settings, err);
	if (rc == 0)
		rc = domain_engine(domain, spec, err);
	if (rc == 0)
		rc = domain_offer(domain, err);
	if (rc == 0)
		domain_client_engine(domain, spec);
	if (rc == 0)
		rc = domain_client_auth(domain, spec, err);
	if (rc == 0)
		rc = tls_certificates_make(domain, spec, err);
	if (rc == 0)
		rc = tls_authorities_make(domain, spec, err);
	if (rc == 0 && tls_staples_make(domain, spec))
		rc = no_memory(err);
	if (rc == 0)
		rc = domain_fragment(domain, spec, err);
	if (rc == 0)
		rc = domain_psks(domain, spec, err);
	if (rc == 0)
		rc = tls_domain_resumption(domain, spec, err);
	if (rc == 0 && tls_domain_datagram_new(domain, spec->before))
		rc = no_memory(err);
	return rc;
}

int tls_domain_new(struct tls_domain **ret, const struct tls_domain_spec *spec,
                   struct base_error *err)
{
	struct tls_domain *domain = calloc(1, sizeof(*domain));
	int rc;

	if (!domain)
		return no_memory(err);
	atomic_init(&domain->refs, 1);
	atomic_init(&domain->identity, spec->identity ? x509_identity_ref(spec->identity) : NULL);
	domain->trust = spec->trust ? trust_store_ref(spec->trust) : NULL;
	domain->server_methods = spec->server_methods;
	domain->client_methods = spec->client_methods;
	domain->continue_on = spec->continue_on;
	domain->on_revocation =
	        spec->continue_on & 1U << TRUST_REVOKED ? TLS_REVOKED_REPORT : spec->on_revocation;
	domain->client_tickets = spec->client_tickets ? spec->client_tickets : 64;
	domain->grace_ms = domain->on_revocation == TLS_REVOKED_GRACE ? spec->grace_ms : 0;
	domain->end_ignored = spec->end_ignored;
	domain->refuse_unknown_psk = spec->refuse_unknown_psk;
	domain->key_log = spec->unsafe_key_log;
	domain->key_log_arg = spec->unsafe_key_log_arg;
	rc = domain_fill(domain, spec, err);
	if (rc == 0)
		rc = domain_try(domain, err);
	if (rc == 0) {
		*ret = domain;
		domain = NULL;
	}
	tls_domain_unref(domain);
	return rc;
}

struct tls_domain *tls_domain_ref(struct tls_domain *domain)
{
	atomic_fetch_add_explicit(&domain->refs, 1, memory_order_relaxed);
	return domain;
}

bool tls_domain_shared(const struct tls_domain *domain)
{
	return atomic_load_explicit(&domain->refs, memory_order_acquire) > 1;
}

void tls_domain_unref(struct tls_domain *domain)
{
	if (!domain || atomic_fetch_sub_explicit(&domain->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < domain->psk_count; i++)
		base_secret_done(&domain->psks[i].key);
	tls_domain_resumption_done(domain);
	if (domain->datagram)
		tls_domain_resumption_done(domain->datagram);
	base_wipe(domain->cookie_key, sizeof(domain->cookie_key));
	x509_identity_unref(atomic_load(&domain->identity));
	tls_certificates_free(domain);
	if (domain->trust)
		trust_store_unref(domain->trust);
	profile_settings_free(domain->settings);
	base_arena_done(&domain->arena);
	free(domain);
}

/* -- what it is ------------------------------------------------------------------------------ */

const char *tls_domain_name(const struct tls_domain *domain)
{
	return domain->name;
}

const struct profile *tls_domain_profile(const struct tls_domain *domain)
{
	return domain->settings->profile;
}

const struct profile_settings *tls_domain_settings(const struct tls_domain *domain)
{
	return domain->settings;
}

struct trust_store *tls_domain_trust(const struct tls_domain *domain)
{
	return domain->trust;
}

const char *tls_on_revocation_name(enum tls_on_revocation action)
{
	static const char *const names[] = { "end", "grace", "report" };

	return (size_t)action < BASE_COUNT(names) ? names[action] : "?";
}

enum tls_on_revocation tls_domain_on_revocation(const struct tls_domain *domain,
                                                uint32_t *ret_grace_ms)
{
	*ret_grace_ms = domain->grace_ms;
	return domain->on_revocation;
}

bool tls_domain_ends_ignored(const struct tls_domain *domain)
{
	return domain->end_ignored;
}

unsigned tls_domain_renegotiation(const struct tls_domain *domain)
{
	if (!(domain->versions & ~(unsigned)PROFILE_TLS_1_3))
		return 0;
	return (domain->begin[TLS_ROLE_CLIENT] ? 1U << TLS_ROLE_CLIENT : 0) |
	       (domain->begin[TLS_ROLE_SERVER] ? 1U << TLS_ROLE_SERVER : 0);
}

enum tls_engine tls_domain_engine(const struct tls_domain *domain)
{
	return domain->ops->engine;
}

enum tls_engine tls_domain_client_engine(const struct tls_domain *domain)
{
	return domain->client_ops->engine;
}

const uint16_t *tls_domain_suites(const struct tls_domain *domain, size_t *ret_count)
{
	*ret_count = domain->suite_count;
	return domain->suites;
}

unsigned tls_domain_version_bits(const struct tls_domain *domain)
{
	return domain->versions;
}

bool tls_domain_resumes(const struct tls_domain *domain)
{
	return domain->tickets || tls_domain_ids(domain);
}

void tls_domain_versions(const struct tls_domain *domain, uint16_t *ret_min, uint16_t *ret_max)
{
	unsigned low = domain->versions & -domain->versions;
	unsigned high = PROFILE_TLS_1_3;

	while (!(high & domain->versions))
		high >>= 1;
	*ret_min = profile_version_wire(low);
	*ret_max = profile_version_wire(high);
}

const struct tls_gap *tls_domain_gaps(const struct tls_domain *domain, size_t *ret_count)
{
	*ret_count = domain->gap_count;
	return domain->gaps;
}

/** ECDSA where some suite can use it, else the RSA key that old suites want. */
static enum x509_key_kind self_signed_kind(const struct tls_domain *domain)
{
	for (size_t i = 0; i < domain->suite_count; i++) {
		const struct profile_suite *suite = profile_suite_find(domain->suites[i]);

		if (profile_suite_tls13(domain->suites[i]) || suite->flags & PROFILE_SUITE_ECDSA)
			return X509_KEY_EC_P256;
	}
	return X509_KEY_RSA_2048;
}

static enum x509_hash fingerprint_hash(const struct tls_domain *domain)
{
	switch (domain->settings->fingerprint_hash) {
	case PROFILE_HASH_SHA384:
		return X509_HASH_SHA384;
	case PROFILE_HASH_SHA512:
		return X509_HASH_SHA512;
	default:
		return X509_HASH_SHA256;
	}
}

int tls_domain_fingerprint(struct tls_domain *domain, struct x509_fingerprint *ret)
{
	struct x509_identity *identity =
	        atomic_load_explicit(&domain->identity, memory_order_acquire);
	int rc;

	if (!identity) {
		rc = x509_identity_self_signed(&identity, self_signed_kind(domain), domain->name,
		                               SELF_SIGNED_S, NULL);
		if (rc)
			return rc;
		/* Workers pick it up with their next session (context_identity in session.c). */
		atomic_store_explicit(&domain->identity, identity, memory_order_release);
	}
	return x509_fingerprint_make(fingerprint_hash(domain),
	                             (const uint8_t *)identity->der[0].ptr, identity->der[0].len,
	                             ret);
}
