/* SPDX-License-Identifier: Apache-2.0 */
/** @file The edge's configuration file, understood. packaging/gatehouse-edge.yaml has it all. */
#ifndef GH_EDGE_CONFIG_H
#define GH_EDGE_CONFIG_H

#include "base/base.h"
#include "config/config.h"
#include "flow/flow.h"
#include "pool/pool.h"

struct edge_yaml;

#define EDGE_LISTEN_MAX   8
#define EDGE_DOMAINS_MAX  16
#define EDGE_NETWORKS_MAX 64
/** TS 33.203, O.2.1. */
#define EDGE_LIFETIME_MAX_MS 86400000U

struct edge_listen {
	enum flow_transport transport;
	union stream_addr addr;
};

/** Addresses whose first `bits` are these. */
struct edge_network {
	union stream_addr addr;
	unsigned bits;
};
/** "192.0.2.0/24", "2001:db8::/32", or one address. @return 0; BASE_CONFIG */
int edge_network_parse(struct base_str text, struct edge_network *ret);
/** 0.0.0.0, [::]: no address that others could use. */
bool edge_address_any(const union stream_addr *addr);
bool edge_network_has(const struct edge_network *network, const union stream_addr *addr);

struct edge_domain {
	const char *name;
	struct tls_domain *tls;
	struct profile_checks *checks; /**< its certificate profile; NULL = none */
	size_t faults;                 /**< of our own certificate that were told */
};

/** Strings are of the file's arena or document. */
struct edge_config {
	const char *file; /**< where it is from; borrowed */
	struct base_arena arena;
	struct config_doc *doc;
	struct edge_yaml *yaml;
	struct profile_store *profiles;
	struct edge_domain domains[EDGE_DOMAINS_MAX];
	size_t domain_count;

	/* edge */
	const char *host, *network;
	uint32_t drain_ms;

	/* access: those with TLS, then the unsafe ones */
	struct edge_listen access[2 * EDGE_LISTEN_MAX];
	size_t access_count;
	bool plain; /**< there are unsafe ones */
	const char *access_domain;
	uint32_t idle_ms, handshake_ms, message_ms, keep_alive_ms;
	bool stun;

	/* core */
	struct edge_listen core[EDGE_LISTEN_MAX];
	size_t core_count;
	const char *core_domain, *core_host; /**< NULL = none; the address */
	const char *registrar, *proxy;       /**< URIs; NULL = by the Request-URI */
	struct edge_network from[EDGE_NETWORKS_MAX];
	size_t from_count; /**< 0 = everybody */
	const char *dns;
	uint32_t ping_ms, avoid_ms;

	/* session */
	uint32_t lifetime_ms, renew_before_ms, renew_timeout_ms;
	bool end_ignored;

	/* registration */
	bool agreement; /**< required */
	const char *const *mechanisms;
	size_t mechanism_count;
	uint32_t challenge_ms, minimum_s;
	bool deregister;
	unsigned identities_max;

	/* unregistered */
	unsigned refused_max;
	uint32_t unregistered_ms;
	const char *const *emergency;
	size_t emergency_count;
	const char *emergency_proxy;

	/* limits */
	unsigned connections, per_source, per_flow, transactions, lingering, bindings, handshakes;
	uint32_t retry_after_s;

	/* pool */
	struct pool_spec pool; /**< name NULL = none */
	const char *pool_id, *pool_address;

	bool reg_event;
	const char *metrics, *control; /**< NULL = none */
	enum base_level log_level;
	bool messages;
};

/**
 * Load and check, with all files it names.
 * @param before  the configuration whose place it takes, whose tickets go on; NULL = none
 * @return 0; BASE_CONFIG with file, line and words; BASE_LOCAL
 */
int edge_config_load(struct edge_config **ret, const char *path, const struct edge_config *before,
                     struct base_error *err);
/** Wipes keys. NULL is fine. */
void edge_config_free(struct edge_config *config);
/** The TLS domain of that name; NULL = there is none. Borrowed. */
struct tls_domain *edge_config_domain(const struct edge_config *config, const char *name);
/** Tell what is unsafe, what an engine lacks, and what does not go together. */
void edge_config_warn(const struct edge_config *config);

#endif
