/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Whom a TLS domain lets in: `trust` of the configuration made into a store. The cache folders are
 * opened once for all domains, and handed on from one generation of domains to the next: an index
 * is mapped once, and what a reload finds bad in a folder does not take away the last good one.
 */
#include <stdlib.h>

#include "mg/yaml.h"
#include "trust/trust.h"

static int names_list(const struct mg_config *c, struct base_arena *arena, const char *const *names,
                      unsigned count, const char *const **ret)
{
	const char **list = base_arena_array(arena, count + 1, sizeof(*list));

	if (!list)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < count; i++) {
		list[i] = config_doc_path(c->doc, names[i], arena);
		if (!list[i])
			return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = list;
	return 0;
}

static int files_fill(const struct mg_config *c, struct base_arena *arena,
                      const struct mg_yaml_trust *y, struct trust_store_files *files)
{
	const struct {
		const char *const *names;
		unsigned count;
		const char *const **list;
	} all[] = {
		{ y->anchors, y->anchors_count, &files->anchors },
		{ y->untrusted, y->untrusted_count, &files->untrusted },
		{ y->crls, y->crls_count, &files->crls },
		{ y->interconnection_cas, y->interconnection_cas_count, &files->interconnection },
		{ y->client_cas, y->client_cas_count, &files->client_cas },
		{ y->server_cas, y->server_cas_count, &files->server_cas },
		{ y->cross_clients, y->cross_clients_count, &files->cross_clients },
		{ y->cross_servers, y->cross_servers_count, &files->cross_servers },
		{ y->cross, y->cross_count, &files->cross },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < BASE_COUNT(all); i++)
		rc = names_list(c, arena, all[i].names, all[i].count, all[i].list);
	files->crl_required = y->crl_required;
	files->interconnect = y->interconnect;
	files->ocsp_staples = y->ocsp_staples;
	if (!rc && y->cache) {
		files->cache = config_doc_path(c->doc, y->cache, arena);
		rc = files->cache ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	return rc;
}

/* ---- cache folders ---- */

static void on_bad_file(void *arg, const struct base_error *err)
{
	char text[900];

	(void)arg;
	base_log(BASE_LOG_WARN, "mg", "cache: %s", base_error_format(err, text, sizeof(text)));
}

static struct trust_cache *cache_find(const struct mg_domain_table *table, const char *folder)
{
	for (; table; table = table->older)
		for (size_t i = 0; i < table->cache_count; i++)
			if (!strcmp(trust_cache_folder(table->caches[i]), folder))
				return table->caches[i];
	return NULL;
}

/* Is it still there? Cross-certificates are read anew at a reload, and would be missing else. */
static int cache_look(struct trust_cache *cache, struct base_error *err)
{
	int rc = trust_cache_refresh(cache);

	if (rc < 0)
		return rc;
	if (trust_cache_readable(cache))
		return 0;
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "the cache folder %s cannot be read",
	                      trust_cache_folder(cache));
}

/* The folder, open: ours already, the replaced table's, or a new one. It is the table's. */
static int cache_get(const struct mg_config *c, struct mg_domain_table *table, const char *folder,
                     struct trust_cache **ret, struct base_error *err)
{
	struct trust_cache *cache = cache_find(table, folder), **more;
	int rc = 0;

	*ret = cache;
	if (cache)
		return 0;
	more = realloc(table->caches, (table->cache_count + 1) * sizeof(struct trust_cache *));
	if (!more)
		return BASE_ERR(BASE_LOCAL, 0);
	table->caches = more;
	cache = cache_find(c->replaced, folder);
	if (cache) {
		rc = cache_look(cache, err);
		if (!rc)
			(void)trust_cache_ref(cache);
	} else {
		rc = trust_cache_open(&cache, folder, on_bad_file, NULL, err);
	}
	if (!rc)
		*ret = more[table->cache_count++] = cache;
	return rc;
}

void mg_trust_free(struct mg_domain_table *table)
{
	for (size_t i = 0; i < table->cache_count; i++)
		trust_cache_close(table->caches[i]);
	free(table->caches);
}

/* ---- one store ---- */

int mg_trust_load(struct mg_config *c, struct mg_domain_table *table, const struct mg_yaml_trust *y,
                  const struct mg_lint *lint, struct trust_store **ret, struct base_error *err)
{
	struct trust_store_files files = { .checks = lint->checks, .checks_warn = lint->warn };
	int rc;

	if (!y)
		return 0;
	if (!y->interconnect &&
	    (y->interconnection_cas_count || y->client_cas_count || y->server_cas_count ||
	     y->cross_clients_count || y->cross_servers_count || y->cross_count))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "own CAs and cross-certificates need `interconnect: true`");
	rc = files_fill(c, &table->arena, y, &files);
	if (!rc && files.cache)
		rc = cache_get(c, table, files.cache, &files.open_cache, err);
	if (!rc)
		rc = trust_store_load(ret, &files, err);
	if (!rc && !trust_store_vouches(*ret))
		base_log(
		        BASE_LOG_WARN, "mg",
		        "no own TLS CA and no cross-certificate yet: everybody is refused until %s "
		        "has one (TS 33.310, 5.2.2.2)",
		        files.cache);
	return rc;
}
