/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The gateway's one file (packaging/gatehouse-mg.yaml tells every key). Loading checks everything
 * that can be checked without sockets, TLS domains included; errors name file, line, column and
 * what was expected.
 */
#ifndef GH_MG_CONFIG_H
#define GH_MG_CONFIG_H

#include "base/base.h"
#include "config/config.h"
#include "h248/h248.h"
#include "link/link.h"
#include "mg/core.h"
#include "pool/pool.h"

#define MG_CONTROLLERS_MAX 16
#define MG_ADDRESSES_MAX   16
#define MG_PROFILES_MAX    8
#define MG_PRINTS_MAX      16

struct mg_yaml;

/** TLS domains made from a configuration, with what they stand on. */
struct mg_domain_table {
	struct mg_domain *domains;
	size_t count;
	const struct mg_domain *default_domain; /**< in `domains`; NULL = none */
	struct profile_store *profiles;
	struct base_arena arena;
	struct trust_cache **caches; /**< the folders of the domains' trust, each once */
	size_t cache_count;
	struct mg_domain_table *older; /**< replaced by a reload; sessions may still use it */
};

/** H.248 inside TLS: `transport: tls`. */
struct mg_link_config {
	const char *domain; /**< name; NULL: no TLS */
	struct link_spec spec;
	struct x509_fingerprint prints[MG_PRINTS_MAX];
};

struct mg_config {
	char mid[128]; /**< as written; empty = from the H.248 address */
	unsigned workers;
	uint64_t drain_ms;
	/** How to leave: H248_GRACEFUL with a drain, H248_FORCED, or H248_FAILOVER, by which the
	 * spare one of a pair takes over (RFC 3525, 11.4). */
	enum h248_method leave;

	struct h248_controller controllers[MG_CONTROLLERS_MAX];
	size_t controller_count;
	struct h248_addr listen[MG_ADDRESSES_MAX]; /**< the first one is told in the mId */
	size_t listen_count;
	struct mg_link_config link;
	struct h248_profile profiles[MG_PROFILES_MAX];
	struct h248_node_config node;
	struct h248_assoc_config assoc;
	struct h248_addr service_address; /**< told as ServiceChangeAddress; unknown = not told */
	uint32_t keep_ms; /**< contexts outlive their controller so long; 0 = for ever */
	enum h248_text_style style;

	struct sockaddr_storage addresses[MG_ADDRESSES_MAX];
	const char *address_realms[MG_ADDRESSES_MAX]; /**< IP realm of each, NULL = none */
	uint32_t watch_ms; /**< look whether the addresses are there; 0 = never */
	enum mg_address_state address_states[MG_ADDRESSES_MAX];
	struct mg_settings core;
	struct pool_spec pool;    /**< `name` NULL = none */
	const char *fetch_socket; /**< of gatehouse-fetch; NULL: handshakes wait for no CRL */
	uint32_t fetch_limit_ms;
	struct h248_addr metrics; /**< unknown: none; else on the loopback */
	size_t buffer_limit;
	unsigned endpoint_limit;
	enum base_level log_level;
	bool log_messages; /**< unsafe: whole messages, keys included, at level debug */

	struct mg_domain_table *domains; /**< owned until mg_config_domains_take */

	const struct mg_domain_table *replaced; /**< during a reload: whose open folders to share */
	struct mg_yaml *yaml;                   /* private */
	struct config_doc *doc;
	struct base_arena arena;
};

/**
 * Load and check a file, TLS domains with their keys and certificates included.
 * @return 0; BASE_CONFIG with place and words; BASE_LOCAL when memory is short
 */
int mg_config_load(struct mg_config **ret, const char *path, struct base_error *err);
/** The same, to take the place of `table`, with which it shares what is open of the cache folders.
 */
int mg_config_reload(struct mg_config **ret, const char *path, const struct mg_domain_table *table,
                     struct base_error *err);
/** NULL is fine. */
void mg_config_free(struct mg_config *config);
/** The domains become the caller's. */
struct mg_domain_table *mg_config_domains_take(struct mg_config *config);
/**
 * Make the domains once more, of the file as it was loaded and of the files it names as they are
 * now, to take the place of `table` (see mg_config_reload).
 * @return 0 and they are the caller's; or as mg_config_load
 */
int mg_config_domains_renew(struct mg_config *config, const struct mg_domain_table *table,
                            struct mg_domain_table **ret, struct base_error *err);
void mg_domain_table_free(struct mg_domain_table *table);
/** Free those of the older tables that no session uses any more. Control thread. */
void mg_domain_table_prune(struct mg_domain_table *table);
/**
 * The link of `transport: tls`, with its domain out of `table`. *ret is NULL for other transports.
 * @return 0; BASE_CONFIG or BASE_LOCAL with words
 */
int mg_link_start(struct link **ret, const struct mg_config *config,
                  const struct mg_domain_table *table, struct base_error *err);
/** After a reload: its domain out of the new table, or a line in the log why not. NULL is fine. */
void mg_link_reload(struct link *link, const struct mg_config *config,
                    const struct mg_domain_table *table);
/** One warning line for each unsafe setting, one for each gap between profile and engine. */
void mg_config_warn(const struct mg_config *config);

#endif
