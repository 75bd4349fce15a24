/* SPDX-License-Identifier: Apache-2.0 */
/** @file The file as its schema gives it, before anything is understood. */
#ifndef GH_EDGE_YAML_H
#define GH_EDGE_YAML_H

#include "edge/config.h"

struct edge_yaml_edge {
	const char *host, *network, *drain;
};

struct edge_yaml_access {
	const char **listen, **plain;
	unsigned listen_count, plain_count;
	const char *domain, *idle, *handshake, *message, *keep_alive;
	bool *stun;
};

struct edge_yaml_core {
	const char **listen, **from;
	unsigned listen_count, from_count;
	const char *domain, *host, *registrar, *proxy, *dns, *ping, *avoid;
};

struct edge_yaml_session {
	const char *lifetime, *before, *timeout, *ignored;
};

struct edge_yaml_registration {
	const char *agreement, *challenge, *on_loss, *minimum;
	const char **mechanisms;
	unsigned mechanisms_count;
	unsigned *identities;
};

struct edge_yaml_unregistered {
	unsigned *requests;
	const char *time, *emergency_proxy;
	const char **emergency;
	unsigned emergency_count;
};

struct edge_yaml_limits {
	unsigned *connections, *per_source, *per_flow, *transactions, *lingering, *bindings,
	        *handshakes;
	const char *retry_after;
};

struct edge_yaml_domain {
	const char *name, *profile, *engine, *certificate, *key, *certificate_profile, *faults,
	        *renegotiation, *cache, *on_revocation;
	bool null_encryption, crl_required, interconnect;
	const char **anchors, **untrusted, **crls, **interconnection, **client_cas, **server_cas,
	        **cross;
	unsigned anchors_count, untrusted_count, crls_count, interconnection_count,
	        client_cas_count, server_cas_count, cross_count;
};

struct edge_yaml_pool {
	const char *name, *id, *address, *redis, *secret, *password;
};

struct edge_yaml_metrics {
	const char *listen;
};

struct edge_yaml_log {
	const char *level;
	bool messages;
};

struct edge_yaml {
	struct edge_yaml_edge *edge;
	struct edge_yaml_access *access;
	struct edge_yaml_core *core;
	struct edge_yaml_session *session;
	struct edge_yaml_registration *registration;
	struct edge_yaml_unregistered *unregistered;
	struct edge_yaml_limits *limits;
	struct edge_yaml_domain *domains;
	unsigned domains_count;
	const char **profile_dirs;
	unsigned profile_dirs_count;
	struct edge_yaml_pool *pool;
	bool reg_event;
	struct edge_yaml_metrics *metrics;
	const char *control;
	struct edge_yaml_log *log;
};

extern const cyaml_schema_value_t edge_yaml_schema;

#define EDGE_WHERE 96
/* config.c: a duration; as it was where left out. */
int edge_ms_read(const struct edge_config *c, const char *where, const char *text, uint32_t *ret,
                 struct base_error *err);
/* config_domain.c */
int edge_domains_read(struct edge_config *c, const struct edge_config *before,
                      struct base_error *err);
/* config_pool.c */
int edge_pool_read(struct edge_config *c, struct base_error *err);

#endif
