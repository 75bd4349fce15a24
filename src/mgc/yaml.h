/* SPDX-License-Identifier: Apache-2.0 */
/** @file The file as its schema gives it, before anything is understood. */
#ifndef GH_MGC_YAML_H
#define GH_MGC_YAML_H

#include "mgc/config.h"

struct mgc_yaml_sip {
	const char **listen;
	unsigned listen_count;
	const char *dns, *domain, *host, *proxy, *session, *ring;
	bool trust_asserted;
};

struct mgc_yaml_h248 {
	const char *transport, *listen, *mid, *encoding, *audit, *lost, *t_max, *handoff, *domain,
	        *peer_name;
	const char **gateways;
	unsigned gateways_count, version;
	bool any_peer_name, unprotected_keys;
};

struct mgc_yaml_mrfp {
	const char *domain, *timeout;
	const char **suites;
	unsigned suites_count;
	bool agnostic;
};

struct mgc_yaml_alias {
	const char *name, *also;
};

struct mgc_yaml_mikey {
	const char *user, *psk_id, *psk_file, *tpk_id, *tpk_file, *lifetime, *skew;
	unsigned mode;
	unsigned *prots;
	unsigned prots_count;
	struct mgc_yaml_alias *aliases;
	unsigned aliases_count;
	bool no_sdp_ids;
};

struct mgc_yaml_kms {
	const char *url, *parameter, *identity, *timeout, *domain;
};

struct mgc_yaml_domain {
	const char *name, *profile, *certificate, *key;
	const char **anchors, **crls;
	unsigned anchors_count, crls_count;
	bool crl_required;
};

struct mgc_yaml_floor {
	unsigned id, holders;
	const char *name, *chair;
};

struct mgc_yaml_msrp {
	bool off, no_nicknames, no_private, no_cema;
	const char *max_size;
};

struct mgc_yaml_bfcp {
	unsigned conference;
	struct mgc_yaml_floor *floors;
	unsigned floors_count;
};

struct mgc_yaml_room {
	const char *uri, *name, *dial, *setup;
	const char **members, **dial_out;
	unsigned members_count, dial_out_count, member_max;
	struct mgc_yaml_msrp *msrp;
	struct mgc_yaml_bfcp *bfcp;
};

struct mgc_yaml_metrics {
	const char *listen;
};

struct mgc_yaml_log {
	const char *level;
	bool messages;
};

struct mgc_yaml {
	struct mgc_yaml_sip *sip;
	struct mgc_yaml_h248 *h248;
	struct mgc_yaml_mrfp *mrfp;
	struct mgc_yaml_mikey *mikey;
	struct mgc_yaml_kms *kms;
	const char **profile_dirs;
	unsigned profile_dirs_count;
	struct mgc_yaml_domain *domains;
	unsigned domains_count;
	struct mgc_yaml_room *rooms;
	unsigned rooms_count;
	struct mgc_yaml_metrics *metrics;
	struct mgc_yaml_log *log;
};

extern const cyaml_schema_value_t mgc_yaml_schema;

#define MGC_WHERE 96
/* config.c: a duration; as it was where left out. */
int mgc_ms_read(const struct mgc_config *c, const char *where, const char *text, uint32_t *ret,
                struct base_error *err);
/* A secret of its own file; at least `least` octets. */
int mgc_secret_read(struct mgc_config *c, const char *where, const char *file, size_t least,
                    struct base_secret *ret, struct base_error *err);
/* config_domain.c */
int mgc_domains_read(struct mgc_config *c, struct base_error *err);
/* Is that name one of tls-domains? NULL is. */
int mgc_domain_check(const struct mgc_config *c, const char *where, const char *name,
                     struct base_error *err);
/* config_mp.c */
int mgc_mp_read(struct mgc_config *c, struct base_error *err);
/* config_mikey.c */
int mgc_mikey_read(struct mgc_config *c, struct base_error *err);
/* config_room.c, after all others */
int mgc_rooms_read(struct mgc_config *c, struct base_error *err);

#endif
