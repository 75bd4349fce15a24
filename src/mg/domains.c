/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS domains (H.248.TLSPROF 8.1): profile, credentials, trust and keys of the configuration made
 * into what the relay uses and what an audit tells.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mg/yaml.h"
#include "profile/profile.h"
#include "trust/trust.h"
#include "x509/x509.h"

/* What a domain is made from; freed after it is made. */
struct making {
	struct mg_config *config;
	struct mg_domain_table *table;
	const struct mg_yaml_domain *y;
	unsigned index;
	struct tls_domain_spec spec;
	struct tls_psk *psks;
	struct x509_identity **more;
	struct tls_staple staples[TLS_CERTIFICATES_MAX];
	struct mg_lint lint;
	struct base_error *err;
};

static int refuse(const struct making *m, const char *key, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
static int refuse(const struct making *m, const char *key, const char *fmt, ...)
{
	char where[MG_WHERE], text[400];
	va_list ap;

	snprintf(where, sizeof(where), "tls-domains[%u]%s%s", m->index, key[0] ? "." : "", key);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return config_refuse(m->config->doc, m->err, where, "%s", text);
}

/* A failure of a lower floor: its words, at the key that led there. */
static int refuse_for(const struct making *m, const char *key, const struct base_error *why)
{
	char text[900];

	return refuse(m, key, "%.380s", base_error_format(why, text, sizeof(text)));
}

static const char *file_of(const struct making *m, const char *name)
{
	return config_doc_path(m->config->doc, name, &m->config->arena);
}

/* ---- the parts ---- */

static int certificates_make(struct making *m)
{
	struct base_error why = { 0 };
	char key[MG_CERTIFICATE_KEY];
	int rc = mg_certificates_load(m->config, m->y, &m->spec, &m->more, key, &why);

	return !rc || base_err_class(rc) == BASE_LOCAL ? rc : refuse_for(m, key, &why);
}

/* RFC 6066, 4 */
static int fragment_read(struct making *m)
{
	unsigned octets = m->y->max_fragment;

	if (octets && octets != 512 && octets != 1024 && octets != 2048 && octets != 4096)
		return refuse(m, "max-fragment-length",
		              "%u is none of: 512, 1024, 2048, 4096 (RFC 6066, 4)", octets);
	m->spec.max_fragment = (uint16_t)octets;
	return 0;
}

static int trust_make(struct making *m)
{
	struct base_error why = { 0 };
	int rc = mg_trust_load(m->config, m->table, m->y->trust, &m->lint, &m->spec.trust, &why);

	if (!rc)
		return 0;
	return base_err_class(rc) == BASE_LOCAL ? rc : refuse_for(m, "trust", &why);
}

static int staples_make(struct making *m)
{
	struct base_error why = { 0 };
	char key[MG_STAPLE_KEY];
	int rc = mg_staples_load(m->config, m->y, &m->spec, m->staples, key, &why);

	m->spec.staples = m->staples;
	return !rc || base_err_class(rc) == BASE_LOCAL ? rc : refuse_for(m, key, &why);
}

static int lint_start(struct making *m)
{
	struct base_error why = { 0 };
	int rc = mg_lint_start(m->y, m->table, &m->lint, &why);

	if (!rc || base_err_class(rc) == BASE_LOCAL)
		return rc;
	return refuse_for(m, "certificate-profile", &why);
}

static int lint_own(struct making *m, struct mg_domain *d)
{
	struct base_error why = { 0 };
	int rc = mg_lint_own(&m->lint, &m->spec, &m->table->arena, &d->findings, &why);

	return !rc || base_err_class(rc) == BASE_LOCAL ? rc : refuse_for(m, "certificate", &why);
}

static int psks_make(struct making *m)
{
	const struct mg_yaml_domain *y = m->y;

	m->psks = y->psks_count ? calloc(y->psks_count, sizeof(*m->psks)) : NULL;
	if (y->psks_count && !m->psks)
		return BASE_ERR(BASE_LOCAL, 0);
	m->spec.psks = m->psks;
	for (unsigned i = 0; i < y->psks_count; i++) {
		struct base_error why = { 0 };
		const char *file = file_of(m, y->psks[i].key_file);
		char key[64];

		snprintf(key, sizeof(key), "psks[%u].key-file", i);
		if (!file)
			return BASE_ERR(BASE_LOCAL, 0);
		if (config_secret_read(file, &m->psks[i].key, &why))
			return refuse_for(m, key, &why);
		m->spec.psk_count = i + 1;
		m->psks[i].identity = base_str_of(y->psks[i].identity);
		if (!m->psks[i].key.len || m->psks[i].key.len > 64)
			return refuse(m, key, "a key has 1 to 64 octets (RFC 4279, 5.3)");
		if (m->psks[i].identity.len > 128)
			return refuse(m, key, "an identity has at most 128 octets (RFC 4279, 5.3)");
	}
	m->spec.psk_hint = y->psk_hint;
	return 0;
}

/* ---- words ---- */

static int methods_read(const struct making *m, const char *key, const char *const *words,
                        unsigned count, unsigned *ret)
{
	char where[64];

	*ret = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(words[i], "ca"))
			*ret |= TRUST_CA;
		else if (!strcmp(words[i], "fingerprint"))
			*ret |= TRUST_FINGERPRINT;
		else if (strcmp(words[i], "none") != 0 || count != 1) {
			snprintf(where, sizeof(where), "%s[%u]", key, i);
			return refuse(m, where, "'%s' is none of: ca, fingerprint, or none alone",
			              words[i]);
		}
	}
	if (!count)
		*ret = TRUST_FINGERPRINT | (m->spec.trust ? TRUST_CA : 0);
	return 0;
}

static int policy_read(struct making *m)
{
	static const char *const auths[] = { "none", "request", "require" };
	const struct mg_yaml_domain *y = m->y;
	unsigned auth = 0;
	int rc = methods_read(m, "server-methods", y->server_methods, y->server_methods_count,
	                      &m->spec.server_methods);

	if (!rc)
		rc = methods_read(m, "client-methods", y->client_methods, y->client_methods_count,
		                  &m->spec.client_methods);
	if (rc)
		return rc;
	while (y->client_auth && auth < BASE_COUNT(auths) && strcmp(y->client_auth, auths[auth]))
		auth++;
	if (auth == BASE_COUNT(auths))
		return refuse(m, "client-auth", "'%s' is none of: none, request, require",
		              y->client_auth);
	m->spec.client_auth = (enum tls_client_auth)auth;
	/* Asking nobody is meant where it is said: the methods that nobody named do not overrule
	 * it. */
	if (y->client_auth && !auth && !y->client_methods_count)
		m->spec.client_methods = 0;
	for (unsigned i = 0; i < y->continue_on_count; i++) {
		unsigned reason = TRUST_OK + 1;
		char where[64];

		while (reason < TRUST_REASON_COUNT &&
		       strcmp(y->continue_on[i], trust_reason_name((enum trust_reason)reason)))
			reason++;
		snprintf(where, sizeof(where), "continue-on[%u]", i);
		if (reason == TRUST_REASON_COUNT)
			return refuse(m, where, "'%s' is no reason of a failed authentication",
			              y->continue_on[i]);
		m->spec.continue_on |= 1U << reason;
	}
	return 0;
}

/* end, report, or "grace TIME". */
static int revocation_read(struct making *m)
{
	const char *word = m->y->on_revocation;
	char where[MG_WHERE];
	uint64_t ms = 0;
	int rc;

	m->spec.on_revocation = TLS_REVOKED_END;
	if (!word || !strcmp(word, "end"))
		return 0;
	if (!strcmp(word, "report")) {
		m->spec.on_revocation = TLS_REVOKED_REPORT;
		return 0;
	}
	if (strncmp(word, "grace ", 6) != 0)
		return refuse(m, "on-revocation",
		              "'%s' is none of: end, report, grace and a time (grace 30s)", word);
	snprintf(where, sizeof(where), "tls-domains[%u].on-revocation", m->index);
	rc = config_duration(m->config->doc, where, word + 6, 0, &ms, m->err);
	if (!rc && (ms == 0 || ms > UINT32_MAX))
		return refuse(m, "on-revocation", "a grace of 1 ms to 49 days");
	m->spec.on_revocation = TLS_REVOKED_GRACE;
	m->spec.grace_ms = (uint32_t)ms;
	return rc;
}

/** One of the words, or left out: -1. @return 0, or refused */
static int word_read(struct making *m, const char *key, const char *word, const char *const *words,
                     int *ret)
{
	char all[96] = "";

	*ret = -1;
	if (!word)
		return 0;
	for (int i = 0; words[i]; i++) {
		size_t at = strlen(all);

		if (!strcmp(word, words[i])) {
			*ret = i;
			return 0;
		}
		snprintf(all + at, sizeof(all) - at, "%s%s", i ? ", " : "", words[i]);
	}
	return refuse(m, key, "'%s' is none of: %s", word, all);
}

/* Who may begin a renegotiation, what becomes of those who ignore ours, and of those without RFC
 * 5746; what is left out is the profile's to say. */
static int renegotiation_read(struct making *m)
{
	static const char *const who[] = { "none", "client", "server", "both", NULL };
	static const char *const then[] = { "continue", "end", NULL };
	static const char *const legacy[] = { "refuse", "tolerate", NULL };
	static const enum profile_choice choices[] = { PROFILE_CHOICE_NO, PROFILE_CHOICE_YES };
	int word, rc = word_read(m, "renegotiation", m->y->renegotiation, who, &word);

	if (!rc && word >= 0) {
		m->spec.by_client = choices[word & 1];
		m->spec.by_server = choices[word >> 1];
	}
	if (!rc)
		rc = word_read(m, "renegotiation-ignored", m->y->renegotiation_ignored, then,
		               &word);
	m->spec.end_ignored = !rc && word == 1;
	if (!rc)
		rc = word_read(m, "legacy-peers", m->y->legacy_peers, legacy, &word);
	if (!rc && word >= 0)
		m->spec.legacy_peers = choices[word];
	return rc;
}

/* Of TLS 1.3; the profile says by which alert. */
static int identities_read(struct making *m)
{
	static const char *const words[] = { "continue", "refuse", NULL };
	int word, rc = word_read(m, "unknown-identity", m->y->unknown_identity, words, &word);

	m->spec.refuse_unknown_psk = !rc && word == 1;
	return rc;
}

static int engine_read(struct making *m)
{
	static const enum tls_engine engines[] = { TLS_ENGINE_AUTO, TLS_ENGINE_OPENSSL,
		                                   TLS_ENGINE_GNUTLS };
	const char *word = m->y->engine;

	m->spec.engine = TLS_ENGINE_AUTO;
	for (size_t i = 0; word && i < BASE_COUNT(engines); i++)
		if (!strcmp(word, tls_engine_name(engines[i]))) {
			m->spec.engine = engines[i];
			return 0;
		}
	return word ? refuse(m, "engine", "'%s' is none of: auto, openssl, gnutls", word) : 0;
}

static int name_check(const struct making *m)
{
	const struct mg_yaml *y = m->config->yaml;

	if (strlen(m->y->name) > 63)
		return refuse(m, "name", "longer than 63 octets");
	for (unsigned i = 0; i < m->index; i++) {
		if (!strcmp(y->domains[i].name, m->y->name))
			return refuse(m, "name", "'%s' is the name of tls-domains[%u] already",
			              m->y->name, i);
		if (m->y->is_default && y->domains[i].is_default)
			return refuse(m, "default", "tls-domains[%u] is the default already", i);
	}
	return 0;
}

/* ---- what an audit tells of it ---- */

static int own_fingerprint(const struct mg_domain *domain, struct x509_fingerprint *ret)
{
	return tls_domain_fingerprint(domain->tls, ret);
}

static int versions_tell(struct base_arena *arena, const struct tls_domain *tls,
                         struct mg_domain *d)
{
	const char **list = base_arena_array(arena, 8, sizeof(*list));
	unsigned n = 0;

	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned v = PROFILE_TLS_1_0; v <= PROFILE_TLS_1_3; v <<= 1) {
		if (tls_domain_version_bits(tls) & v)
			list[n++] = profile_version_name(v);
	}
	d->versions = list;
	return 0;
}

static int suites_tell(struct base_arena *arena, const struct tls_domain *tls, struct mg_domain *d)
{
	size_t count;
	const uint16_t *codes = tls_domain_suites(tls, &count);
	const char **list = base_arena_array(arena, count + 1, sizeof(*list));

	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < count; i++) {
		const struct profile_suite *s = profile_suite_find(codes[i]);

		list[i] = s ? s->name : "?";
		if (!s || !(s->flags & (PROFILE_SUITE_PSK | PROFILE_SUITE_ANON)))
			d->certificate = true;
	}
	d->suites = list;
	return 0;
}

static int gaps_tell(struct base_arena *arena, const struct tls_domain *tls, struct mg_domain *d)
{
	size_t count;
	const struct tls_gap *gaps = tls_domain_gaps(tls, &count);
	const char **list = base_arena_array(arena, count + 1, sizeof(*list));

	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < count; i++)
		list[i] = gaps[i].text;
	d->gaps = count ? list : NULL;
	return 0;
}

/* Who may begin a renegotiation, and that TLS 1.3 has new keys in its place (RFC 8446, 4.6.3). */
static int maintenance_tell(struct base_arena *arena, const struct tls_domain *tls,
                            struct mg_domain *d)
{
	const char **list = base_arena_array(arena, 4, sizeof(*list));
	unsigned who = tls_domain_renegotiation(tls), n = 0;
	uint16_t min, max;

	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	tls_domain_versions(tls, &min, &max);
	if (who & 1U << TLS_ROLE_CLIENT)
		list[n++] = "by-client";
	if (who & 1U << TLS_ROLE_SERVER)
		list[n++] = "by-server";
	if (max == profile_version_wire(PROFILE_TLS_1_3))
		list[n++] = "key-update";
	d->maintenance = n ? list : NULL;
	return 0;
}

/* What no stream may ask for (gatehouse/reneg), in words with the clause. */
static int renegotiation_tell(struct base_arena *arena, struct mg_domain *d)
{
	for (int role = 0; role < 2; role++)
		for (int what = 0; what <= TLS_RENEGOTIATE_BOTH; what++) {
			const struct profile_rule *rule = tls_domain_renegotiate_rule(
			        d->tls, (enum tls_role)role, (enum tls_renegotiate)what);

			if (!rule)
				continue;
			d->no_renegotiation[role][what] = base_arena_printf(
			        arena, "%s %s (%s, %s, %s, rule %s)",
			        profile_strength_name(rule->strength), rule->item, rule->document,
			        rule->clause, rule->release, rule->id);
			if (!d->no_renegotiation[role][what])
				return BASE_ERR(BASE_LOCAL, 0);
		}
	return 0;
}

static int domain_describe(struct base_arena *arena, struct mg_domain *d)
{
	const struct profile_settings *s = tls_domain_settings(d->tls);
	int rc = versions_tell(arena, d->tls, d);

	d->name = tls_domain_name(d->tls);
	d->fingerprint = own_fingerprint;
	d->compression =
	        s->compression.value &&
	        tls_engine_caps(tls_domain_engine(d->tls))->features & PROFILE_FEATURE_COMPRESSION;
	d->resumption = tls_domain_resumes(d->tls);
	d->datagrams = tls_domain_datagrams(d->tls);
	d->renegotiation = tls_domain_renegotiation(d->tls) & 1U << TLS_ROLE_CLIENT;
	if (!rc)
		rc = suites_tell(arena, d->tls, d);
	if (!rc)
		rc = maintenance_tell(arena, d->tls, d);
	if (!rc)
		rc = renegotiation_tell(arena, d);
	return rc ? rc : gaps_tell(arena, d->tls, d);
}

/* ---- one and all ---- */

static void making_done(struct making *m)
{
	x509_identity_unref(m->spec.identity);
	for (size_t i = 0; i < m->spec.more_count; i++)
		x509_identity_unref(m->more[i]);
	free(m->more);
	trust_store_unref(m->spec.trust);
	mg_lint_done(&m->lint);
	for (size_t i = 0; i < m->y->psks_count && m->psks; i++)
		base_secret_done(&m->psks[i].key);
	free(m->psks);
}

/* Whose ticket keys it may go on with: the domain of that name before a reload. */
static const struct tls_domain *domain_before(const struct making *m)
{
	const struct mg_domain_table *table = m->config->replaced;

	for (size_t i = 0; table && i < table->count; i++)
		if (!strcmp(tls_domain_name(table->domains[i].tls), m->y->name))
			return table->domains[i].tls;
	return NULL;
}

static int domain_make(struct making *m, struct mg_domain_table *table, struct mg_domain *d)
{
	struct base_error why = { 0 };
	int rc = name_check(m);

	m->spec.name = m->y->name;
	m->spec.null_encryption = m->y->null_encryption;
	m->spec.before = domain_before(m);
	if (!rc && profile_store_find(table->profiles, m->y->profile, &m->spec.profile, &why))
		rc = refuse_for(m, "profile", &why);
	if (!rc)
		rc = engine_read(m);
	if (!rc)
		rc = certificates_make(m);
	if (!rc)
		rc = fragment_read(m);
	if (!rc)
		rc = lint_start(m);
	if (!rc)
		rc = trust_make(m);
	if (!rc)
		rc = staples_make(m);
	if (!rc)
		rc = lint_own(m, d);
	if (!rc)
		rc = psks_make(m);
	if (!rc)
		rc = policy_read(m);
	if (!rc)
		rc = revocation_read(m);
	if (!rc)
		rc = renegotiation_read(m);
	if (!rc)
		rc = identities_read(m);
	if (!rc && tls_domain_new(&d->tls, &m->spec, &why))
		rc = refuse_for(m, "", &why);
	making_done(m);
	return rc ? rc : domain_describe(&table->arena, d);
}

static int profiles_open(struct mg_config *c, struct mg_domain_table *table)
{
	int rc = profile_store_new(&table->profiles);

	for (unsigned i = 0; i < c->yaml->profile_dirs_count && !rc; i++) {
		const char *dir = config_doc_path(c->doc, c->yaml->profile_dirs[i], &c->arena);

		rc = dir ? profile_store_dir(table->profiles, dir) : BASE_ERR(BASE_LOCAL, 0);
	}
	return rc;
}

int mg_domains_load(struct mg_config *c, struct base_error *err)
{
	struct mg_domain_table *table = calloc(1, sizeof(*table));
	int rc;

	if (!table)
		return BASE_ERR(BASE_LOCAL, 0);
	c->domains = table;
	table->domains = calloc(c->yaml->domains_count + 1, sizeof(*table->domains));
	if (!table->domains)
		return BASE_ERR(BASE_LOCAL, 0);
	rc = profiles_open(c, table);
	for (unsigned i = 0; i < c->yaml->domains_count && !rc; i++) {
		struct making m = { .config = c,
			            .table = table,
			            .y = &c->yaml->domains[i],
			            .index = i,
			            .err = err };

		table->count = i + 1;
		rc = domain_make(&m, table, &table->domains[i]);
		if (!rc && m.y->is_default)
			table->default_domain = &table->domains[i];
	}
	return rc;
}

static bool table_used(const struct mg_domain_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->domains[i].tls && tls_domain_shared(table->domains[i].tls))
			return true;
	return false;
}

void mg_domain_table_prune(struct mg_domain_table *table)
{
	while (table->older) {
		struct mg_domain_table *older = table->older;

		if (table_used(older)) {
			table = older;
			continue;
		}
		table->older = older->older;
		older->older = NULL;
		mg_domain_table_free(older);
	}
}

void mg_domain_table_free(struct mg_domain_table *table)
{
	while (table) {
		struct mg_domain_table *older = table->older;

		for (size_t i = 0; table->domains && i < table->count; i++)
			tls_domain_unref(table->domains[i].tls);
		mg_trust_free(table);
		profile_store_free(table->profiles);
		base_arena_done(&table->arena);
		free(table->domains);
		free(table);
		table = older;
	}
}
