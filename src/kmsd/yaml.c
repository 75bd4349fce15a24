/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/yaml.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define NEEDED(key, type, member)                                                                  \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, type, member, &text_entry, 0, CYAML_UNLIMITED)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define FLAG(key, type, member)   CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)
#define PART(key, member, fields)                                                                  \
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, struct kmsd_yaml, member, fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t redis_fields[] = {
	NEEDED("address", struct kmsd_yaml_redis, address),
	TEXT("user", struct kmsd_yaml_redis, user),
	TEXT("password-file", struct kmsd_yaml_redis, password_file),
	TEXT("prefix", struct kmsd_yaml_redis, prefix),
	TEXT("patience", struct kmsd_yaml_redis, patience),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kms_fields[] = {
	NEEDED("identity", struct kmsd_yaml_kms, identity),
	TEXT("store", struct kmsd_yaml_kms, store),
	CYAML_FIELD_MAPPING_PTR("redis", OPTIONAL, struct kmsd_yaml_kms, redis, redis_fields),
	NEEDED("master-key", struct kmsd_yaml_kms, master_key),
	TEXT("control", struct kmsd_yaml_kms, control),
	TEXT("certificate", struct kmsd_yaml_kms, certificate),
	TEXT("key", struct kmsd_yaml_kms, key),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t listen_fields[] = {
	TEXT("http", struct kmsd_yaml_listen, http),
	TEXT("https", struct kmsd_yaml_listen, https),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t listen_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kmsd_yaml_listen, listen_fields),
};

static const cyaml_schema_field_t http_fields[] = {
	TEXT("path", struct kmsd_yaml_http, path),
	TEXT("parameter", struct kmsd_yaml_http, parameter),
	TEXT("request", struct kmsd_yaml_http, request),
	TEXT("resolve", struct kmsd_yaml_http, resolve),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t tickets_fields[] = {
	TEXT("lifetime", struct kmsd_yaml_tickets, lifetime),
	TEXT("lifetime-max", struct kmsd_yaml_tickets, lifetime_max),
	TEXT("turn", struct kmsd_yaml_tickets, turn),
	TEXT("skew", struct kmsd_yaml_tickets, skew),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t group_fields[] = {
	NEEDED("name", struct kmsd_yaml_group, name),
	TEXTS("members", struct kmsd_yaml_group, members),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t group_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kmsd_yaml_group, group_fields),
};

static const cyaml_schema_field_t rule_fields[] = {
	NEEDED("from", struct kmsd_yaml_rule, from),
	NEEDED("to", struct kmsd_yaml_rule, to),
	TEXT("lifetime", struct kmsd_yaml_rule, lifetime),
	FLAG("deny", struct kmsd_yaml_rule, deny),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t rule_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct kmsd_yaml_rule, rule_fields),
};

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("profile", struct kmsd_yaml_tls, profile),
	TEXT("engine", struct kmsd_yaml_tls, engine),
	NEEDED("certificate", struct kmsd_yaml_tls, certificate),
	TEXT("key", struct kmsd_yaml_tls, key),
	TEXT("clients", struct kmsd_yaml_tls, clients),
	TEXTS("anchors", struct kmsd_yaml_tls, anchors),
	TEXTS("untrusted", struct kmsd_yaml_tls, untrusted),
	TEXTS("crls", struct kmsd_yaml_tls, crls),
	FLAG("crl-required", struct kmsd_yaml_tls, crl_required),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
	TEXT("body", struct kmsd_yaml_limits, body),
	TEXT("request", struct kmsd_yaml_limits, request),
	NUMBER("connections", struct kmsd_yaml_limits, connections),
	NUMBER("per-source", struct kmsd_yaml_limits, per_source),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	NEEDED("listen", struct kmsd_yaml_metrics, listen),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct kmsd_yaml_log, level),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING_PTR("kms", CYAML_FLAG_POINTER, struct kmsd_yaml, kms, kms_fields),
	CYAML_FIELD_SEQUENCE("listen", CYAML_FLAG_POINTER, struct kmsd_yaml, listen, &listen_entry,
	                     1, 8),
	PART("http", http, http_fields),
	PART("tickets", tickets, tickets_fields),
	CYAML_FIELD_SEQUENCE("groups", OPTIONAL, struct kmsd_yaml, groups, &group_entry, 0, 10000),
	CYAML_FIELD_SEQUENCE("rules", OPTIONAL, struct kmsd_yaml, rules, &rule_entry, 0, 10000),
	TEXTS("profile-dirs", struct kmsd_yaml, profile_dirs),
	PART("tls", tls, tls_fields),
	PART("limits", limits, limits_fields),
	PART("metrics", metrics, metrics_fields),
	PART("log", log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t kmsd_yaml_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct kmsd_yaml, fields),
};
