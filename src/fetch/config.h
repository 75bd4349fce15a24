/* SPDX-License-Identifier: Apache-2.0 */
/** @file The program's file, understood. Private to the folder. */
#ifndef GH_FETCH_CONFIG_H
#define GH_FETCH_CONFIG_H

#include <stdatomic.h>
#include <sys/types.h>

#include "config/config.h"
#include "fetch/fetch.h"
#include "fetch/ldap.h"
#include "fetch/plan.h"

enum fetch_kind { FETCH_COMPLETE, FETCH_DELTA, FETCH_REPOSITORY, FETCH_KINDS };

/** One thing to fetch again and again. */
struct fetch_source_config {
	const char *name;
	enum fetch_kind kind;
	const char *url;  /**< NULL for a file */
	const char *file; /**< NULL for a URL */
	struct fetch_url at;
	const char *issuer; /**< file of the only certificate that may have signed it; NULL = any */
	struct fetch_plan_rules rules;
};

struct fetch_directory {
	const char *entry; /**< as allow.hosts has them */
	struct fetch_ldap_settings ldap;
};

struct fetch_limits {
	uint64_t octets; /**< of one response */
	uint64_t total_ms, connect_ms;
	unsigned redirects;
	unsigned parallel;          /**< transfers at a time */
	unsigned parallel_per_host; /**< of them, by schedule, to one host and port */
	unsigned values;            /**< of one repository */
};

struct fetch_demand_config {
	const char *socket; /**< NULL = none */
	uid_t *users;
	gid_t *groups;
	size_t user_count, group_count;
	unsigned clients, per_client; /**< connections; requests that wait, of one */
	unsigned sources;             /**< distribution points learnt from requests */
	uint64_t pause_ms;            /**< a URL that was just asked is not asked again */
	uint64_t total_ms;            /**< a request's transfer */
	uint64_t forget_ms; /**< a learnt one that is this long past its nextUpdate is dropped */
};

struct fetch_yaml;

struct fetch_config {
	atomic_uint refs; /* a question to a directory may outlive a reload */
	struct fetch_yaml *yaml;
	struct config_doc *doc;
	struct base_arena arena;

	const char *user, *cache, *metrics;
	uid_t uid;
	gid_t gid;                                        /**< of `user` */
	const char **issuers, **interconnection, **cross; /**< files or folders; NULL-terminated */
	struct fetch_source_config *sources;
	size_t source_count;
	struct fetch_directory *directories;
	size_t directory_count;
	struct fetch_ldap_settings no_directory; /**< where none is configured */
	struct fetch_allow allow;                /**< the sources' own hosts are in it */
	const char *proxy, *https_anchors;       /**< NULL = none */
	struct fetch_limits limits;
	struct fetch_demand_config demand;
	uint64_t warn_ms, critical_ms, remind_ms;
	struct fetch_plan_rules rules; /**< of learnt sources */
	enum base_level log_level;
};

/** How to speak to a directory; never NULL. */
const struct fetch_ldap_settings *fetch_config_directory(const struct fetch_config *config,
                                                         const struct fetch_url *at);

/** The file as its schema gives it (yaml.c). */
extern const cyaml_schema_value_t fetch_yaml_schema;

#endif
