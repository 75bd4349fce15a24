/* SPDX-License-Identifier: Apache-2.0 */
/** @file The file as its schema gives it, before anything is understood. */
#ifndef GH_MG_YAML_H
#define GH_MG_YAML_H

#include "mg/config.h"

struct mg_yaml_texts {
	const char **item;
	unsigned item_count;
};

struct mg_yaml_mg {
	const char *mid, *drain, *leave;
	unsigned workers;
};

/* config_txn.c: a timer by rule (h248/txn_config.h). */
struct mg_yaml_rule {
	const char *wait, *increment;
	unsigned factor, limit;
};

struct mg_yaml_timers {
	struct mg_yaml_rule *request, *long_request, *reply, *pending;
};

struct mg_yaml_acknowledge {
	const char *after;
	unsigned count;
};

struct mg_yaml_bundle {
	const char *wait;
	unsigned size;
};

struct mg_yaml_h248 {
	const char *transport, *listen, *encoding, *profile;
	const char **profiles;
	unsigned profiles_count;
	const char *resolve_timeout, *keep_contexts, *service_address, *hanging_after;
	const char *inactivity, *mwd, *retry, *retry_max, *register_timeout, *leave_timeout;
	const char *long_timer, *t_max, *execution;
	unsigned version, pending_limit, peer_pending_limit, window, queue;
	struct mg_yaml_timers *timers;
	struct mg_yaml_acknowledge *acknowledge;
	struct mg_yaml_bundle *bundle;
	bool any_source;
	const char *domain, *peer_name, *link_timeout; /* link_tls.c */
	const char **peer_prints, **also;
	unsigned peer_prints_count, also_count;
	bool any_peer_name, anonymous, unprotected_keys;
	const char *sctp_by;
	unsigned sctp_udp_port, sctp_udp_remote;
};

struct mg_yaml_realm {
	const char *name;
	const char **addresses;
	unsigned addresses_count;
};

struct mg_yaml_media {
	const char **addresses;
	unsigned addresses_count;
	struct mg_yaml_realm *realms;
	unsigned realms_count;
	const char **out_of_service, **failed;
	unsigned out_of_service_count, failed_count;
	const char *watch;
	const char *ports, *connect_timeout, *handshake_timeout;
};

struct mg_yaml_trust {
	const char **anchors, **untrusted, **crls;
	unsigned anchors_count, untrusted_count, crls_count;
	const char **interconnection_cas, **client_cas, **server_cas;
	unsigned interconnection_cas_count, client_cas_count, server_cas_count;
	const char **cross_clients, **cross_servers, **cross;
	unsigned cross_clients_count, cross_servers_count, cross_count;
	const char *cache;
	bool crl_required, interconnect, ocsp_staples;
};

struct mg_yaml_psk {
	const char *identity, *key_file;
};

struct mg_yaml_certificate {
	const char *certificate, *key, *staple;
};

struct mg_yaml_domain {
	const char *name, *profile, *engine, *certificate, *key, *staple, *client_auth, *psk_hint,
	        *on_revocation;
	const char *renegotiation, *renegotiation_ignored, *legacy_peers;
	const char *certificate_profile, *certificate_faults;
	struct mg_yaml_trust *trust;
	const char **server_methods, **client_methods, **continue_on;
	unsigned server_methods_count, client_methods_count, continue_on_count;
	struct mg_yaml_psk *psks;
	unsigned psks_count;
	struct mg_yaml_certificate *more;
	unsigned more_count, max_fragment;
	const char *unknown_name, *trusted_ca_keys, *unknown_identity;
	bool is_default, null_encryption;
};

struct mg_yaml_limits {
	unsigned contexts, terminations, streams, endpoints, transactions;
	const char *buffer;
};

struct mg_yaml_overload {
	unsigned contexts, cpu, priority, reduction;
};

struct mg_yaml_pool {
	char *name, *redis, *secret, *password;
};

struct mg_yaml_fetch {
	const char *socket, *limit;
};

struct mg_yaml_metrics {
	const char *listen;
};

struct mg_yaml_log {
	const char *level;
	bool messages;
};

struct mg_yaml {
	struct mg_yaml_mg *mg;
	const char **controllers;
	unsigned controllers_count;
	struct mg_yaml_h248 *h248;
	struct mg_yaml_media *media;
	const char **profile_dirs;
	unsigned profile_dirs_count;
	struct mg_yaml_domain *domains;
	unsigned domains_count;
	struct mg_yaml_limits *limits;
	struct mg_yaml_overload *overload;
	struct mg_yaml_fetch *fetch;
	struct mg_yaml_pool *pool;
	struct mg_yaml_metrics *metrics;
	struct mg_yaml_log *log;
};

extern const cyaml_schema_value_t mg_yaml_schema;

/* config.c: a duration; as it was where left out. */
int mg_ms_read(const struct mg_config *config, const char *where, const char *text, uint32_t *ret,
               struct base_error *err);
/* Which of `words` it is; *ret stays where it was left out. */
int mg_word_pick(const struct mg_config *config, const char *where, const char *text,
                 const char *const *words, unsigned *ret, struct base_error *err);
/* config_h248.c */
int mg_h248_read(struct mg_config *config, struct base_error *err);
/* config_media.c */
int mg_media_read(struct mg_config *config, struct base_error *err);
/* config_txn.c */
int mg_txn_read(struct mg_config *config, enum h248_transport_kind transport,
                struct base_error *err);
/* link_sctp.c */
int mg_sctp_read(struct mg_config *config, struct base_error *err);
/* link_tls.c, after the domains */
int mg_link_read(struct mg_config *config, struct base_error *err);
/* config_service.c */
int mg_profiles_read(struct mg_config *config, struct base_error *err);
/* media.out-of-service and media.failed; the addresses have been read. */
int mg_withdrawn_read(struct mg_config *config, struct base_error *err);
int mg_overload_read(struct mg_config *config, struct base_error *err);
/* A numeric address without port. */
int mg_host_read(const struct mg_config *config, const char *where, const char *text,
                 struct sockaddr_storage *ret, struct base_error *err);
/* 0 = left out. */
int mg_number_check(const struct mg_config *config, const char *where, unsigned value, unsigned min,
                    unsigned max, struct base_error *err);

/* lint.c: the certificate profile of a domain */
struct mg_lint {
	struct profile_checks *checks; /* NULL = none */
	bool warn;                     /* nothing is refused */
};
int mg_lint_start(const struct mg_yaml_domain *y, struct mg_domain_table *table,
                  struct mg_lint *ret, struct base_error *err);
/* What is our own; *ret: one line for each rule that is not kept. BASE_CONFIG: it cannot be used.
 */
int mg_lint_own(const struct mg_lint *lint, const struct tls_domain_spec *spec,
                struct base_arena *arena, const char *const **ret, struct base_error *err);
void mg_lint_done(struct mg_lint *lint);

/* certificates.c */
/* The certificates of a domain's file with their keys, `spec->more` in *ret_more (the caller's to
 * free), and how its clients tell their trust anchors; ret_key is what a failure is about. */
#define MG_CERTIFICATE_KEY 64
int mg_certificates_load(struct mg_config *c, const struct mg_yaml_domain *y,
                         struct tls_domain_spec *spec, struct x509_identity ***ret_more,
                         char ret_key[MG_CERTIFICATE_KEY], struct base_error *err);

/* staple.c */
/* What we staple to our own certificates, those of `spec`, judged by its trust; ret has
 * TLS_CERTIFICATES_MAX. One that is not in date is told and left out. BASE_CONFIG: it is not for
 * this certificate, or may not be believed; *ret_key is the key that led there. */
#define MG_STAPLE_KEY 48
int mg_staples_load(struct mg_config *c, const struct mg_yaml_domain *y,
                    const struct tls_domain_spec *spec, struct tls_staple *ret,
                    char ret_key[MG_STAPLE_KEY], struct base_error *err);

/* trust.c */
/* A domain's store; *ret stays NULL where it has no trust. Folders of the cache are opened once for
 * the table, and taken over from the table that it replaces. */
int mg_trust_load(struct mg_config *config, struct mg_domain_table *table,
                  const struct mg_yaml_trust *y, const struct mg_lint *lint,
                  struct trust_store **ret, struct base_error *err);
void mg_trust_free(struct mg_domain_table *table);

/* domains.c */
int mg_domains_load(struct mg_config *config, struct base_error *err);
/* Place of a key of the i-th domain, for config_refuse. */
#define MG_WHERE 96

#endif
