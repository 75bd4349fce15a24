/* SPDX-License-Identifier: Apache-2.0 */
#include "mg/yaml.h"
#include "tls/tls.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define NEEDED(key, type, member)                                                                  \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, type, member, &text_entry, 0, CYAML_UNLIMITED)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define FLAG(key, type, member)   CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t mg_fields[] = {
	TEXT("mid", struct mg_yaml_mg, mid),
	NUMBER("workers", struct mg_yaml_mg, workers),
	TEXT("drain", struct mg_yaml_mg, drain),
	TEXT("leave", struct mg_yaml_mg, leave),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rule_fields[] = {
	TEXT("wait", struct mg_yaml_rule, wait),
	NUMBER("factor", struct mg_yaml_rule, factor),
	TEXT("increment", struct mg_yaml_rule, increment),
	NUMBER("limit", struct mg_yaml_rule, limit),
	CYAML_FIELD_END,
};

#define RULE(key, member)                                                                          \
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, struct mg_yaml_timers, member, rule_fields)

static const cyaml_schema_field_t timers_fields[] = {
	RULE("request", request), RULE("long-request", long_request),
	RULE("reply", reply),     RULE("pending", pending),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t acknowledge_fields[] = {
	TEXT("after", struct mg_yaml_acknowledge, after),
	NUMBER("count", struct mg_yaml_acknowledge, count),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t bundle_fields[] = {
	TEXT("wait", struct mg_yaml_bundle, wait),
	NUMBER("size", struct mg_yaml_bundle, size),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t h248_fields[] = {
	TEXT("transport", struct mg_yaml_h248, transport),
	TEXT("listen", struct mg_yaml_h248, listen),
	NUMBER("version", struct mg_yaml_h248, version),
	TEXT("encoding", struct mg_yaml_h248, encoding),
	TEXT("profile", struct mg_yaml_h248, profile),
	TEXTS("profiles", struct mg_yaml_h248, profiles),
	TEXT("inactivity", struct mg_yaml_h248, inactivity),
	TEXT("max-waiting-delay", struct mg_yaml_h248, mwd),
	TEXT("retry", struct mg_yaml_h248, retry),
	TEXT("retry-max", struct mg_yaml_h248, retry_max),
	TEXT("register-timeout", struct mg_yaml_h248, register_timeout),
	TEXT("resolve-timeout", struct mg_yaml_h248, resolve_timeout),
	TEXT("service-address", struct mg_yaml_h248, service_address),
	TEXT("keep-contexts", struct mg_yaml_h248, keep_contexts),
	TEXT("hanging-after", struct mg_yaml_h248, hanging_after),
	TEXT("leave-timeout", struct mg_yaml_h248, leave_timeout),
	TEXT("long-timer", struct mg_yaml_h248, long_timer),
	TEXT("t-max", struct mg_yaml_h248, t_max),
	TEXT("execution-time", struct mg_yaml_h248, execution),
	NUMBER("pending-limit", struct mg_yaml_h248, pending_limit),
	NUMBER("peer-pending-limit", struct mg_yaml_h248, peer_pending_limit),
	CYAML_FIELD_MAPPING_PTR("timers", OPTIONAL, struct mg_yaml_h248, timers, timers_fields),
	CYAML_FIELD_MAPPING_PTR("acknowledge", OPTIONAL, struct mg_yaml_h248, acknowledge,
	                        acknowledge_fields),
	CYAML_FIELD_MAPPING_PTR("bundle", OPTIONAL, struct mg_yaml_h248, bundle, bundle_fields),
	NUMBER("window", struct mg_yaml_h248, window),
	NUMBER("queue", struct mg_yaml_h248, queue),
	FLAG("unsafe-any-source", struct mg_yaml_h248, any_source),
	TEXTS("also-listen", struct mg_yaml_h248, also),
	TEXT("sctp-by", struct mg_yaml_h248, sctp_by),
	NUMBER("sctp-udp-port", struct mg_yaml_h248, sctp_udp_port),
	NUMBER("sctp-udp-remote", struct mg_yaml_h248, sctp_udp_remote),
	TEXT("domain", struct mg_yaml_h248, domain),
	TEXT("peer-name", struct mg_yaml_h248, peer_name),
	TEXTS("peer-fingerprints", struct mg_yaml_h248, peer_prints),
	TEXT("handshake-timeout", struct mg_yaml_h248, link_timeout),
	FLAG("unsafe-any-peer-name", struct mg_yaml_h248, any_peer_name),
	FLAG("unsafe-anonymous-peer", struct mg_yaml_h248, anonymous),
	FLAG("unsafe-unprotected-keys", struct mg_yaml_h248, unprotected_keys),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t realm_fields[] = {
	NEEDED("name", struct mg_yaml_realm, name),
	CYAML_FIELD_SEQUENCE("addresses", CYAML_FLAG_POINTER, struct mg_yaml_realm, addresses,
	                     &text_entry, 1, MG_ADDRESSES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t realm_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mg_yaml_realm, realm_fields),
};

static const cyaml_schema_field_t media_fields[] = {
	CYAML_FIELD_SEQUENCE("addresses", OPTIONAL, struct mg_yaml_media, addresses, &text_entry, 1,
	                     MG_ADDRESSES_MAX),
	CYAML_FIELD_SEQUENCE("realms", OPTIONAL, struct mg_yaml_media, realms, &realm_entry, 1,
	                     MG_ADDRESSES_MAX),
	TEXTS("out-of-service", struct mg_yaml_media, out_of_service),
	TEXTS("failed", struct mg_yaml_media, failed),
	TEXT("watch", struct mg_yaml_media, watch),
	TEXT("ports", struct mg_yaml_media, ports),
	TEXT("connect-timeout", struct mg_yaml_media, connect_timeout),
	TEXT("handshake-timeout", struct mg_yaml_media, handshake_timeout),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t trust_fields[] = {
	TEXTS("anchors", struct mg_yaml_trust, anchors),
	TEXTS("untrusted", struct mg_yaml_trust, untrusted),
	TEXTS("crls", struct mg_yaml_trust, crls),
	FLAG("crl-required", struct mg_yaml_trust, crl_required),
	FLAG("interconnect", struct mg_yaml_trust, interconnect),
	TEXTS("interconnection-cas", struct mg_yaml_trust, interconnection_cas),
	TEXTS("client-cas", struct mg_yaml_trust, client_cas),
	TEXTS("server-cas", struct mg_yaml_trust, server_cas),
	TEXTS("cross-clients", struct mg_yaml_trust, cross_clients),
	TEXTS("cross-servers", struct mg_yaml_trust, cross_servers),
	TEXTS("cross", struct mg_yaml_trust, cross),
	FLAG("ocsp-staples", struct mg_yaml_trust, ocsp_staples),
	TEXT("cache", struct mg_yaml_trust, cache),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t psk_fields[] = {
	NEEDED("identity", struct mg_yaml_psk, identity),
	NEEDED("key-file", struct mg_yaml_psk, key_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t psk_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mg_yaml_psk, psk_fields),
};

static const cyaml_schema_field_t certificate_fields[] = {
	NEEDED("certificate", struct mg_yaml_certificate, certificate),
	TEXT("key", struct mg_yaml_certificate, key),
	TEXT("staple", struct mg_yaml_certificate, staple),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t certificate_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mg_yaml_certificate, certificate_fields),
};

static const cyaml_schema_field_t domain_fields[] = {
	NEEDED("name", struct mg_yaml_domain, name),
	NEEDED("profile", struct mg_yaml_domain, profile),
	TEXT("engine", struct mg_yaml_domain, engine),
	TEXT("certificate", struct mg_yaml_domain, certificate),
	TEXT("key", struct mg_yaml_domain, key),
	TEXT("staple", struct mg_yaml_domain, staple),
	CYAML_FIELD_SEQUENCE("certificates", OPTIONAL, struct mg_yaml_domain, more,
	                     &certificate_entry, 0, TLS_CERTIFICATES_MAX - 1),
	TEXT("unknown-name", struct mg_yaml_domain, unknown_name),
	TEXT("trusted-ca-keys", struct mg_yaml_domain, trusted_ca_keys),
	TEXT("unknown-identity", struct mg_yaml_domain, unknown_identity),
	NUMBER("max-fragment-length", struct mg_yaml_domain, max_fragment),
	TEXT("certificate-profile", struct mg_yaml_domain, certificate_profile),
	TEXT("certificate-faults", struct mg_yaml_domain, certificate_faults),
	CYAML_FIELD_MAPPING_PTR("trust", OPTIONAL, struct mg_yaml_domain, trust, trust_fields),
	TEXTS("server-methods", struct mg_yaml_domain, server_methods),
	TEXTS("client-methods", struct mg_yaml_domain, client_methods),
	TEXT("client-auth", struct mg_yaml_domain, client_auth),
	TEXTS("continue-on", struct mg_yaml_domain, continue_on),
	CYAML_FIELD_SEQUENCE("psks", OPTIONAL, struct mg_yaml_domain, psks, &psk_entry, 0, 1024),
	TEXT("psk-hint", struct mg_yaml_domain, psk_hint),
	TEXT("on-revocation", struct mg_yaml_domain, on_revocation),
	TEXT("renegotiation", struct mg_yaml_domain, renegotiation),
	TEXT("renegotiation-ignored", struct mg_yaml_domain, renegotiation_ignored),
	TEXT("legacy-peers", struct mg_yaml_domain, legacy_peers),
	FLAG("default", struct mg_yaml_domain, is_default),
	FLAG("unsafe-null-encryption", struct mg_yaml_domain, null_encryption),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t domain_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mg_yaml_domain, domain_fields),
};

static const cyaml_schema_field_t limits_fields[] = {
	NUMBER("contexts", struct mg_yaml_limits, contexts),
	NUMBER("terminations-per-context", struct mg_yaml_limits, terminations),
	NUMBER("streams-per-termination", struct mg_yaml_limits, streams),
	NUMBER("endpoints", struct mg_yaml_limits, endpoints),
	NUMBER("transactions", struct mg_yaml_limits, transactions),
	TEXT("buffer", struct mg_yaml_limits, buffer),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t overload_fields[] = {
	NUMBER("contexts", struct mg_yaml_overload, contexts),
	NUMBER("cpu", struct mg_yaml_overload, cpu),
	NUMBER("priority", struct mg_yaml_overload, priority),
	NUMBER("reduction", struct mg_yaml_overload, reduction),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t pool_fields[] = {
	NEEDED("name", struct mg_yaml_pool, name),
	NEEDED("redis", struct mg_yaml_pool, redis),
	NEEDED("secret-file", struct mg_yaml_pool, secret),
	TEXT("password-file", struct mg_yaml_pool, password),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fetch_fields[] = {
	NEEDED("socket", struct mg_yaml_fetch, socket),
	TEXT("limit", struct mg_yaml_fetch, limit),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	NEEDED("listen", struct mg_yaml_metrics, listen),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct mg_yaml_log, level),
	FLAG("unsafe-messages", struct mg_yaml_log, messages),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_MAPPING_PTR("mg", OPTIONAL, struct mg_yaml, mg, mg_fields),
	CYAML_FIELD_SEQUENCE("controllers", CYAML_FLAG_POINTER, struct mg_yaml, controllers,
	                     &text_entry, 1, MG_CONTROLLERS_MAX),
	CYAML_FIELD_MAPPING_PTR("h248", OPTIONAL, struct mg_yaml, h248, h248_fields),
	CYAML_FIELD_MAPPING_PTR("media", CYAML_FLAG_POINTER, struct mg_yaml, media, media_fields),
	TEXTS("profile-dirs", struct mg_yaml, profile_dirs),
	CYAML_FIELD_SEQUENCE("tls-domains", OPTIONAL, struct mg_yaml, domains, &domain_entry, 0,
	                     256),
	CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL, struct mg_yaml, limits, limits_fields),
	CYAML_FIELD_MAPPING_PTR("overload", OPTIONAL, struct mg_yaml, overload, overload_fields),
	CYAML_FIELD_MAPPING_PTR("pool", OPTIONAL, struct mg_yaml, pool, pool_fields),
	CYAML_FIELD_MAPPING_PTR("fetch", OPTIONAL, struct mg_yaml, fetch, fetch_fields),
	CYAML_FIELD_MAPPING_PTR("metrics", OPTIONAL, struct mg_yaml, metrics, metrics_fields),
	CYAML_FIELD_MAPPING_PTR("log", OPTIONAL, struct mg_yaml, log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t mg_yaml_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct mg_yaml, fields),
};
