/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "cli/pair.h"
#include "cli/pki_lint.h"

#define DOMAINS_MAX 64
#define LIST_MAX    64

/** A list of words or paths, NULL-terminated. */
struct list {
	const char *item[LIST_MAX + 1];
	size_t count;
};

struct reading {
	struct pair_end *end;
	struct config_doc *doc;
	unsigned index; /**< the domain that is wanted */
	bool failed;
	/* of all domains */
	const char *names[DOMAINS_MAX];
	bool defaults[DOMAINS_MAX];
	unsigned domains;
	/* of the wanted one */
	const char *profile, *certificate, *client_auth, *certificate_profile, *faults, *cache;
	struct list server_methods, client_methods, continue_on, profile_dirs;
	struct list anchors, untrusted, crls, interconnection, client_cas, server_cas;
	struct list cross_clients, cross_servers, cross;
	bool null_encryption, crl_required, interconnect, staples, has_trust;
};

/* As libcyaml reads a flag. */
static bool yes(const char *word)
{
	static const char *const no[] = { "false", "no", "disable", "disabled", "0", "off" };

	for (size_t i = 0; i < BASE_COUNT(no); i++)
		if (!strcasecmp(word, no[i]))
			return false;
	return true;
}

/** "anchors[0]" is an item of "anchors". */
static bool in_list(const char *key, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(key, name, len) && key[len] == '[';
}

static void push(struct reading *r, struct list *list, const char *item)
{
	r->failed |= !item || list->count == LIST_MAX;
	if (!r->failed)
		list->item[list->count++] = item;
}

static bool trust_take(struct reading *r, const char *key, const char *text)
{
	const struct {
		const char *name;
		struct list *list;
	} lists[] = {
		{ "anchors", &r->anchors },
		{ "untrusted", &r->untrusted },
		{ "crls", &r->crls },
		{ "interconnection-cas", &r->interconnection },
		{ "client-cas", &r->client_cas },
		{ "server-cas", &r->server_cas },
		{ "cross-clients", &r->cross_clients },
		{ "cross-servers", &r->cross_servers },
		{ "cross", &r->cross },
	};
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "crl-required", &r->crl_required },
		{ "interconnect", &r->interconnect },
		{ "ocsp-staples", &r->staples },
	};

	r->has_trust = true;
	for (size_t i = 0; i < BASE_COUNT(lists); i++) {
		if (in_list(key, lists[i].name)) {
			push(r, lists[i].list, config_doc_path(r->doc, text, &r->end->arena));
			return true;
		}
	}
	for (size_t i = 0; i < BASE_COUNT(flags); i++) {
		if (!strcmp(key, flags[i].name)) {
			*flags[i].flag = yes(text);
			return true;
		}
	}
	if (strcmp(key, "cache") != 0)
		return false;
	r->cache = config_doc_path(r->doc, text, &r->end->arena);
	r->failed |= !r->cache;
	return true;
}

/** Keys that no peer notices. */
static bool of_no_matter(const char *key)
{
	static const char *const keys[] = { "name",
		                            "default",
		                            "key",
		                            "psk-hint",
		                            "on-revocation",
		                            "engine",
		                            "unknown-name",
		                            "max-fragment-length",
		                            "renegotiation",
		                            "renegotiation-ignored",
		                            "legacy-peers",
		                            "staple",
		                            "trusted-ca-keys",
		                            "unknown-identity" };

	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	/* By name or authority a peer may be shown another one; would-connect looks at the first.
	 */
	return in_list(key, "certificates");
}

static bool domain_take(struct reading *r, const char *key, const char *text)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = {
		{ "profile", &r->profile },
		{ "client-auth", &r->client_auth },
		{ "certificate-profile", &r->certificate_profile },
		{ "certificate-faults", &r->faults },
	};

	if (!strncmp(key, "trust.", 6))
		return trust_take(r, key + 6, text);
	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		if (!strcmp(key, texts[i].name)) {
			*texts[i].text = text;
			return true;
		}
	}
	if (!strcmp(key, "certificate")) {
		r->certificate = config_doc_path(r->doc, text, &r->end->arena);
		r->failed |= !r->certificate;
	} else if (in_list(key, "server-methods")) {
		push(r, &r->server_methods, text);
	} else if (in_list(key, "client-methods")) {
		push(r, &r->client_methods, text);
	} else if (in_list(key, "continue-on")) {
		push(r, &r->continue_on, text);
	} else if (in_list(key, "psks")) {
		r->end->psks = true;
	} else if (!strcmp(key, "unsafe-null-encryption")) {
		r->null_encryption = yes(text);
	} else {
		return of_no_matter(key);
	}
	return true;
}

/** "tls-domains[2].trust.crls[0]": 2, and the key behind it; NULL for something else. */
static const char *domain_key(const char *where, unsigned *ret_index)
{
	char *end;

	if (strncmp(where, "tls-domains[", 12) != 0)
		return NULL;
	*ret_index = (unsigned)strtoul(where + 12, &end, 10);
	return !strncmp(end, "].", 2) && *ret_index < DOMAINS_MAX ? end + 2 : NULL;
}

/* First all names, to find the domain. */
static void on_name(void *arg, const char *where, struct base_str text)
{
	struct reading *r = arg;
	char *word = base_arena_dup(&r->end->arena, text);
	unsigned index;
	const char *key = domain_key(where, &index);

	r->failed |= !word;
	if (!word)
		return;
	if (!strncmp(where, "fetch.", 6))
		r->end->fetches = true;
	if (in_list(where, "profile-dirs"))
		push(r, &r->profile_dirs, config_doc_path(r->doc, word, &r->end->arena));
	if (!key)
		return;
	r->domains = BASE_MAX(r->domains, index + 1);
	if (!strcmp(key, "name"))
		r->names[index] = word;
	if (!strcmp(key, "default"))
		r->defaults[index] = yes(word);
}

static void on_value(void *arg, const char *where, struct base_str text)
{
	struct reading *r = arg;
	struct pair_end *end = r->end;
	char *word;
	unsigned index;
	const char *key = domain_key(where, &index);

	if (!key || index != r->index)
		return;
	word = base_arena_dup(&end->arena, text);
	r->failed |= !word;
	if (word && !domain_take(r, key, word) && end->unknown_count < PAIR_UNKNOWN_MAX)
		end->unknown[end->unknown_count++] = base_arena_dup(&end->arena, base_str_of(key));
}

static int domain_choose(struct reading *r, const char *wanted, struct base_error *err)
{
	struct pair_end *end = r->end;

	for (r->index = 0; r->index < r->domains; r->index++) {
		const char *name = r->names[r->index];

		if (name &&
		    (wanted ? !strcmp(name, wanted) : r->domains == 1 || r->defaults[r->index])) {
			end->domain = name;
			return 0;
		}
	}
	base_error_place(err, end->file, 0, 0);
	if (wanted)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "no TLS domain is called '%.60s'", wanted);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                      r->domains ? "which of its TLS domains? None is the default"
	                                 : "there are no TLS domains");
}

/* -- what the words mean ----------------------------------------------------------------------- */

static int methods_of(const struct pair_end *end, const struct list *words, bool trust,
                      unsigned *ret, struct base_error *err)
{
	*ret = words->count ? 0 : TRUST_FINGERPRINT | (trust ? TRUST_CA : 0);
	for (size_t i = 0; i < words->count; i++) {
		if (!strcmp(words->item[i], "ca"))
			*ret |= TRUST_CA;
		else if (!strcmp(words->item[i], "fingerprint"))
			*ret |= TRUST_FINGERPRINT;
		else if (strcmp(words->item[i], "none") != 0)
			return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
			                      "%s: '%.40s' is none of: ca, fingerprint, none",
			                      end->file, words->item[i]);
	}
	return 0;
}

/* As a TLS domain settles it (src/tls/domain.c): fingerprints need a certificate to be asked for.
 */
static void client_auth_settle(struct reading *r)
{
	struct pair_end *end = r->end;
	enum profile_certificate profile = end->settings->client_certificate;
	const char *word = r->client_auth;

	end->client_auth = word && !strcmp(word, "require")   ? PAIR_AUTH_REQUIRE
	                   : word && !strcmp(word, "request") ? PAIR_AUTH_REQUEST
	                                                      : PAIR_AUTH_NONE;
	if (word && !strcmp(word, "none") && !r->client_methods.count)
		end->client_methods = 0;
	if (end->client_auth == PAIR_AUTH_NONE && end->client_methods &&
	    (end->client_methods & TRUST_FINGERPRINT || profile == PROFILE_CERTIFICATE_REQUIRED))
		end->client_auth = PAIR_AUTH_REQUIRE;
	if (profile == PROFILE_CERTIFICATE_REFUSED)
		end->client_auth = PAIR_AUTH_NONE;
}

static int policy_read(struct reading *r, struct base_error *err)
{
	struct pair_end *end = r->end;
	int rc = methods_of(end, &r->server_methods, r->has_trust, &end->server_methods, err);

	if (!rc)
		rc = methods_of(end, &r->client_methods, r->has_trust, &end->client_methods, err);
	for (size_t i = 0; !rc && i < r->continue_on.count; i++) {
		enum trust_reason reason;

		rc = trust_reason_parse(base_str_of(r->continue_on.item[i]), &reason);
		if (!rc)
			end->continue_on |= 1U << reason;
		else
			(void)base_error_set(err, rc, "%s: '%.40s' is no reason", end->file,
			                     r->continue_on.item[i]);
	}
	if (!rc)
		client_auth_settle(r);
	return rc;
}

static int profile_read(struct reading *r, struct base_error *err)
{
	const struct profile_options options = { .null_encryption = r->null_encryption };
	struct pair_end *end = r->end;
	const struct profile *profile;
	int rc = profile_store_new(&end->profiles);

	for (size_t i = 0; !rc && i < r->profile_dirs.count; i++)
		rc = profile_store_dir(end->profiles, r->profile_dirs.item[i]);
	if (!rc)
		rc = profile_store_find(end->profiles, r->profile ? r->profile : "", &profile, err);
	if (!rc)
		rc = profile_compile(profile, &options, &end->settings, err);
	for (size_t i = 0; !rc && i < end->settings->signatures.on; i++)
		end->sha1 |= end->settings->signatures.item[i].code >> 8 == 2;
	return rc;
}

static int checks_new(const struct reading *r, struct profile_checks **ret, struct base_error *err)
{
	const char *name = r->certificate_profile;
	const struct profile *profile;
	int rc;

	if (!name)
		name = r->interconnect ? PKI_LINT_PROFILE : "none";
	if (!strcmp(name, "none"))
		return 0;
	rc = profile_store_find(r->end->profiles, name, &profile, err);
	return rc ? rc : profile_checks_new(ret, profile, err);
}

static int trust_read(struct reading *r, struct base_error *err)
{
	struct trust_store_files files = {
		.anchors = r->anchors.item,
		.untrusted = r->untrusted.item,
		.crls = r->crls.item,
		.interconnection = r->interconnection.item,
		.client_cas = r->client_cas.item,
		.server_cas = r->server_cas.item,
		.cross_clients = r->cross_clients.item,
		.cross_servers = r->cross_servers.item,
		.cross = r->cross.item,
		.interconnect = r->interconnect,
		.cache = r->cache,
		.ocsp_staples = r->staples,
		.crl_required = r->crl_required,
		.checks_warn = r->faults && !strcmp(r->faults, "warn"),
	};
	int rc;

	if (!r->has_trust)
		return 0;
	rc = checks_new(r, &files.checks, err);
	if (!rc)
		rc = trust_store_load(&r->end->trust, &files, err);
	profile_checks_unref(files.checks);
	return rc;
}

static int chain_read(const struct reading *r, struct base_error *err)
{
	struct pair_end *end = r->end;
	size_t count;
	int rc;

	end->chain = sk_X509_new_null();
	if (!end->chain)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!r->certificate)
		return 0;
	rc = x509_certs_load(r->certificate, end->chain, err);
	if (rc)
		return rc;
	count = (size_t)sk_X509_num(end->chain);
	end->der = calloc(count, sizeof(*end->der));
	if (!end->der)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = x509_cert_der(sk_X509_value(end->chain, (int)i), &end->der[i]);
		end->der_count += !rc;
	}
	x509_facts_cert(sk_X509_value(end->chain, 0), &end->facts);
	return rc;
}

int pair_end_load(struct pair_end *end, const char *file, const char *domain,
                  struct base_error *err)
{
	struct reading r = { .end = end };
	int rc;

	end->file = file;
	rc = config_doc_load(file, &r.doc, err);
	if (rc)
		return rc;
	config_values(r.doc, on_name, &r);
	rc = domain_choose(&r, domain, err);
	if (!rc)
		config_values(r.doc, on_value, &r);
	if (!rc && r.failed)
		rc = base_error_set(err, BASE_ERR(BASE_LOCAL, 0),
		                    "%s: out of memory, or more than %d entries in a list", file,
		                    LIST_MAX);
	if (!rc)
		rc = profile_read(&r, err);
	if (!rc)
		rc = trust_read(&r, err);
	if (!rc)
		rc = chain_read(&r, err);
	if (!rc)
		rc = policy_read(&r, err);
	config_doc_free(r.doc);
	return rc;
}

void pair_end_done(struct pair_end *end)
{
	for (size_t i = 0; i < end->der_count; i++)
		x509_der_free(&end->der[i]);
	free(end->der);
	sk_X509_pop_free(end->chain, X509_free);
	trust_store_unref(end->trust);
	profile_settings_free(end->settings);
	profile_store_free(end->profiles);
	base_arena_done(&end->arena);
}
