/* SPDX-License-Identifier: Apache-2.0 */
/** @file The file as its schema gives it, before anything is understood. */
#ifndef GH_KMSD_YAML_H
#define GH_KMSD_YAML_H

#include "config/config.h"

struct kmsd_yaml_redis {
	const char *address, *user, *password_file, *prefix, *patience;
};

struct kmsd_yaml_kms {
	const char *identity, *store, *master_key, *control, *certificate, *key;
	struct kmsd_yaml_redis *redis;
};

struct kmsd_yaml_listen {
	const char *http, *https;
};

struct kmsd_yaml_http {
	const char *path, *parameter, *request, *resolve;
};

struct kmsd_yaml_tickets {
	const char *lifetime, *lifetime_max, *turn, *skew;
};

struct kmsd_yaml_group {
	const char *name;
	const char **members;
	unsigned members_count;
};

struct kmsd_yaml_rule {
	const char *from, *to, *lifetime;
	bool deny;
};

struct kmsd_yaml_tls {
	const char *profile, *engine, *certificate, *key, *clients;
	const char **anchors, **untrusted, **crls;
	unsigned anchors_count, untrusted_count, crls_count;
	bool crl_required;
};

struct kmsd_yaml_limits {
	const char *body, *request;
	unsigned connections, per_source;
};

struct kmsd_yaml_metrics {
	const char *listen;
};

struct kmsd_yaml_log {
	const char *level;
};

struct kmsd_yaml {
	struct kmsd_yaml_kms *kms;
	struct kmsd_yaml_listen *listen;
	unsigned listen_count;
	struct kmsd_yaml_http *http;
	struct kmsd_yaml_tickets *tickets;
	struct kmsd_yaml_group *groups;
	unsigned groups_count;
	struct kmsd_yaml_rule *rules;
	unsigned rules_count;
	const char **profile_dirs;
	unsigned profile_dirs_count;
	struct kmsd_yaml_tls *tls;
	struct kmsd_yaml_limits *limits;
	struct kmsd_yaml_metrics *metrics;
	struct kmsd_yaml_log *log;
};

extern const cyaml_schema_value_t kmsd_yaml_schema;

#endif
