/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/yaml.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define NEEDED(key, type, member)                                                                  \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, type, member, &text_entry, 0, CYAML_UNLIMITED)
#define NUMBER(key, type, member)       CYAML_FIELD_UINT_PTR(key, OPTIONAL, type, member)
#define FLAG(key, type, member)         CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)
#define CHOICE(key, type, member)       CYAML_FIELD_BOOL_PTR(key, OPTIONAL, type, member)
#define PART(key, type, member, fields) CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, type, member, fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t edge_fields[] = {
	NEEDED("host", struct edge_yaml_edge, host),
	TEXT("visited-network", struct edge_yaml_edge, network),
	TEXT("drain", struct edge_yaml_edge, drain),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t access_fields[] = {
	TEXTS("listen", struct edge_yaml_access, listen),
	TEXTS("unsafe-listen", struct edge_yaml_access, plain),
	NEEDED("domain", struct edge_yaml_access, domain),
	TEXT("idle", struct edge_yaml_access, idle),
	TEXT("handshake", struct edge_yaml_access, handshake),
	TEXT("message", struct edge_yaml_access, message),
	TEXT("keep-alive", struct edge_yaml_access, keep_alive),
	CHOICE("stun", struct edge_yaml_access, stun),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t core_fields[] = {
	TEXTS("listen", struct edge_yaml_core, listen),
	TEXTS("from", struct edge_yaml_core, from),
	TEXT("domain", struct edge_yaml_core, domain),
	TEXT("host", struct edge_yaml_core, host),
	TEXT("registrar", struct edge_yaml_core, registrar),
	TEXT("proxy", struct edge_yaml_core, proxy),
	TEXT("dns", struct edge_yaml_core, dns),
	TEXT("ping", struct edge_yaml_core, ping),
	TEXT("avoid", struct edge_yaml_core, avoid),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t session_fields[] = {
	TEXT("lifetime", struct edge_yaml_session, lifetime),
	TEXT("renew-before", struct edge_yaml_session, before),
	TEXT("renew-timeout", struct edge_yaml_session, timeout),
	TEXT("ignored", struct edge_yaml_session, ignored),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t registration_fields[] = {
	TEXT("security-agreement", struct edge_yaml_registration, agreement),
	TEXTS("mechanisms", struct edge_yaml_registration, mechanisms),
	TEXT("challenge", struct edge_yaml_registration, challenge),
	TEXT("on-loss", struct edge_yaml_registration, on_loss),
	NUMBER("identities-max", struct edge_yaml_registration, identities),
	TEXT("minimum", struct edge_yaml_registration, minimum),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t unregistered_fields[] = {
	NUMBER("requests", struct edge_yaml_unregistered, requests),
	TEXT("time", struct edge_yaml_unregistered, time),
	TEXTS("emergency", struct edge_yaml_unregistered, emergency),
	TEXT("emergency-proxy", struct edge_yaml_unregistered, emergency_proxy),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limits_fields[] = {
	NUMBER("connections", struct edge_yaml_limits, connections),
	NUMBER("per-source", struct edge_yaml_limits, per_source),
	NUMBER("per-flow", struct edge_yaml_limits, per_flow),
	NUMBER("transactions", struct edge_yaml_limits, transactions),
	NUMBER("lingering", struct edge_yaml_limits, lingering),
	TEXT("retry-after", struct edge_yaml_limits, retry_after),
	NUMBER("bindings-per-identity", struct edge_yaml_limits, bindings),
	NUMBER("handshakes", struct edge_yaml_limits, handshakes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t domain_fields[] = {
	NEEDED("name", struct edge_yaml_domain, name),
	TEXT("profile", struct edge_yaml_domain, profile),
	TEXT("engine", struct edge_yaml_domain, engine),
	TEXT("certificate", struct edge_yaml_domain, certificate),
	TEXT("key", struct edge_yaml_domain, key),
	TEXT("certificate-profile", struct edge_yaml_domain, certificate_profile),
	TEXT("certificate-faults", struct edge_yaml_domain, faults),
	TEXT("renegotiation", struct edge_yaml_domain, renegotiation),
	FLAG("unsafe-null-encryption", struct edge_yaml_domain, null_encryption),
	TEXTS("anchors", struct edge_yaml_domain, anchors),
	TEXTS("untrusted", struct edge_yaml_domain, untrusted),
	TEXTS("crls", struct edge_yaml_domain, crls),
	FLAG("crl-required", struct edge_yaml_domain, crl_required),
	FLAG("interconnect", struct edge_yaml_domain, interconnect),
	TEXTS("interconnection-cas", struct edge_yaml_domain, interconnection),
	TEXTS("client-cas", struct edge_yaml_domain, client_cas),
	TEXTS("server-cas", struct edge_yaml_domain, server_cas),
	TEXTS("cross", struct edge_yaml_domain, cross),
	TEXT("cache", struct edge_yaml_domain, cache),
	TEXT("on-revocation", struct edge_yaml_domain, on_revocation),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t domain_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct edge_yaml_domain, domain_fields),
};

static const cyaml_schema_field_t pool_fields[] = {
	NEEDED("name", struct edge_yaml_pool, name),
	TEXT("id", struct edge_yaml_pool, id),
	TEXT("address", struct edge_yaml_pool, address),
	NEEDED("redis", struct edge_yaml_pool, redis),
	NEEDED("secret-file", struct edge_yaml_pool, secret),
	TEXT("password-file", struct edge_yaml_pool, password),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT("listen", struct edge_yaml_metrics, listen),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct edge_yaml_log, level),
	FLAG("unsafe-messages", struct edge_yaml_log, messages),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	PART("edge", struct edge_yaml, edge, edge_fields),
	PART("access", struct edge_yaml, access, access_fields),
	PART("core", struct edge_yaml, core, core_fields),
	PART("session", struct edge_yaml, session, session_fields),
	PART("registration", struct edge_yaml, registration, registration_fields),
	PART("unregistered", struct edge_yaml, unregistered, unregistered_fields),
	PART("limits", struct edge_yaml, limits, limits_fields),
	CYAML_FIELD_SEQUENCE("tls-domains", OPTIONAL, struct edge_yaml, domains, &domain_entry, 0,
	                     CYAML_UNLIMITED),
	TEXTS("profile-dirs", struct edge_yaml, profile_dirs),
	PART("pool", struct edge_yaml, pool, pool_fields),
	FLAG("reg-event", struct edge_yaml, reg_event),
	PART("metrics", struct edge_yaml, metrics, metrics_fields),
	TEXT("control", struct edge_yaml, control),
	PART("log", struct edge_yaml, log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t edge_yaml_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct edge_yaml, fields),
};
