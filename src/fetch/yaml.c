/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/yaml.h"

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
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, struct fetch_yaml, member, fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t fetch_fields[] = {
	TEXT("user", struct fetch_yaml_fetch, user),
	NEEDED("cache", struct fetch_yaml_fetch, cache),
	TEXT("metrics", struct fetch_yaml_fetch, metrics),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t source_fields[] = {
	NEEDED("name", struct fetch_yaml_source, name),
	TEXT("crl", struct fetch_yaml_source, crl),
	TEXT("delta", struct fetch_yaml_source, delta),
	TEXT("repository", struct fetch_yaml_source, repository),
	TEXT("issuer", struct fetch_yaml_source, issuer),
	TEXT("refresh", struct fetch_yaml_source, refresh),
	TEXT("delta-refresh", struct fetch_yaml_source, delta_refresh),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t source_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct fetch_yaml_source, source_fields),
};

static const cyaml_schema_field_t directory_fields[] = {
	NEEDED("host", struct fetch_yaml_directory, host),
	TEXT("anchors", struct fetch_yaml_directory, anchors),
	FLAG("start-tls", struct fetch_yaml_directory, start_tls),
	TEXT("bind-dn", struct fetch_yaml_directory, bind_dn),
	TEXT("password-file", struct fetch_yaml_directory, password_file),
	FLAG("unsafe-clear-bind", struct fetch_yaml_directory, clear_bind),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t directory_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct fetch_yaml_directory, directory_fields),
};

static const cyaml_schema_field_t allow_fields[] = {
	TEXTS("hosts", struct fetch_yaml_allow, hosts),
	TEXTS("schemes", struct fetch_yaml_allow, schemes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
	TEXT("size", struct fetch_yaml_limits, size),
	TEXT("time", struct fetch_yaml_limits, time),
	TEXT("connect-time", struct fetch_yaml_limits, connect_time),
	CYAML_FIELD_UINT_PTR("redirects", OPTIONAL, struct fetch_yaml_limits, redirects),
	NUMBER("parallel", struct fetch_yaml_limits, parallel),
	NUMBER("parallel-per-host", struct fetch_yaml_limits, per_host),
	NUMBER("values", struct fetch_yaml_limits, values),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t schedule_fields[] = {
	TEXT("refresh", struct fetch_yaml_schedule, refresh),
	TEXT("delta-refresh", struct fetch_yaml_schedule, delta_refresh),
	TEXT("retry", struct fetch_yaml_schedule, retry),
	TEXT("retry-max", struct fetch_yaml_schedule, retry_max),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t socket_fields[] = {
	NEEDED("path", struct fetch_yaml_socket, path),
	TEXTS("users", struct fetch_yaml_socket, users),
	TEXTS("groups", struct fetch_yaml_socket, groups),
	NUMBER("clients", struct fetch_yaml_socket, clients),
	NUMBER("per-client", struct fetch_yaml_socket, per_client),
	NUMBER("learnt-sources", struct fetch_yaml_socket, sources),
	TEXT("pause", struct fetch_yaml_socket, pause),
	TEXT("time", struct fetch_yaml_socket, time),
	TEXT("forget", struct fetch_yaml_socket, forget),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t alarms_fields[] = {
	TEXT("warn", struct fetch_yaml_alarms, warn),
	TEXT("critical", struct fetch_yaml_alarms, critical),
	TEXT("remind", struct fetch_yaml_alarms, remind),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t http_fields[] = {
	TEXT("proxy", struct fetch_yaml_http, proxy),
	TEXT("anchors", struct fetch_yaml_http, anchors),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct fetch_yaml_log, level),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING_PTR("fetch", CYAML_FLAG_POINTER, struct fetch_yaml, fetch,
	                        fetch_fields),
	TEXTS("issuers", struct fetch_yaml, issuers),
	TEXTS("interconnection-cas", struct fetch_yaml, interconnection),
	TEXTS("cross", struct fetch_yaml, cross),
	CYAML_FIELD_SEQUENCE("sources", OPTIONAL, struct fetch_yaml, sources, &source_entry, 0,
	                     10000),
	CYAML_FIELD_SEQUENCE("directories", OPTIONAL, struct fetch_yaml, directories,
	                     &directory_entry, 0, 1000),
	PART("allow", allow, allow_fields),
	PART("limits", limits, limits_fields),
	PART("schedule", schedule, schedule_fields),
	PART("socket", socket, socket_fields),
	PART("alarms", alarms, alarms_fields),
	PART("http", http, http_fields),
	PART("log", log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t fetch_yaml_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct fetch_yaml, fields),
};
