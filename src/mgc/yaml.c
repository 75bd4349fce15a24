/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/yaml.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT(key, type, member)                                                                    \
	CYAML_FIELD_STRING_PTR(key, OPTIONAL, type, member, 0, CYAML_UNLIMITED)
#define NEEDED(key, type, member)                                                                  \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define TEXTS(key, type, member)                                                                   \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, type, member, &text_entry, 0, CYAML_UNLIMITED)
#define NUMBER(key, type, member)       CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define FLAG(key, type, member)         CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)
#define PART(key, type, member, fields) CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, type, member, fields)
#define LIST(key, type, member, entry)                                                             \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL, type, member, entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};
static const cyaml_schema_value_t number_entry = {
	CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, unsigned),
};

static const cyaml_schema_field_t sip_fields[] = {
	TEXTS("listen", struct mgc_yaml_sip, listen),
	TEXT("dns", struct mgc_yaml_sip, dns),
	TEXT("domain", struct mgc_yaml_sip, domain),
	TEXT("host", struct mgc_yaml_sip, host),
	TEXT("proxy", struct mgc_yaml_sip, proxy),
	TEXT("session", struct mgc_yaml_sip, session),
	TEXT("ring", struct mgc_yaml_sip, ring),
	FLAG("trust-asserted-identity", struct mgc_yaml_sip, trust_asserted),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t h248_fields[] = {
	TEXT("transport", struct mgc_yaml_h248, transport),
	TEXT("listen", struct mgc_yaml_h248, listen),
	TEXT("mid", struct mgc_yaml_h248, mid),
	TEXT("encoding", struct mgc_yaml_h248, encoding),
	NUMBER("version", struct mgc_yaml_h248, version),
	TEXTS("gateways", struct mgc_yaml_h248, gateways),
	TEXT("audit", struct mgc_yaml_h248, audit),
	TEXT("lost-after", struct mgc_yaml_h248, lost),
	TEXT("t-max", struct mgc_yaml_h248, t_max),
	TEXT("hand-off-to", struct mgc_yaml_h248, handoff),
	TEXT("domain", struct mgc_yaml_h248, domain),
	TEXT("peer-name", struct mgc_yaml_h248, peer_name),
	FLAG("unsafe-any-peer-name", struct mgc_yaml_h248, any_peer_name),
	FLAG("unsafe-unprotected-keys", struct mgc_yaml_h248, unprotected_keys),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t mrfp_fields[] = {
	TEXT("domain", struct mgc_yaml_mrfp, domain),
	TEXTS("psk-suites", struct mgc_yaml_mrfp, suites),
	TEXT("timeout", struct mgc_yaml_mrfp, timeout),
	FLAG("agnostic", struct mgc_yaml_mrfp, agnostic),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t alias_fields[] = {
	NEEDED("name", struct mgc_yaml_alias, name),
	NEEDED("also", struct mgc_yaml_alias, also),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t alias_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mgc_yaml_alias, alias_fields),
};

static const cyaml_schema_field_t mikey_fields[] = {
	NUMBER("mode", struct mgc_yaml_mikey, mode),
	TEXT("user", struct mgc_yaml_mikey, user),
	TEXT("psk-id", struct mgc_yaml_mikey, psk_id),
	TEXT("psk-file", struct mgc_yaml_mikey, psk_file),
	TEXT("tpk-id", struct mgc_yaml_mikey, tpk_id),
	TEXT("tpk-file", struct mgc_yaml_mikey, tpk_file),
	LIST("prot-types", struct mgc_yaml_mikey, prots, &number_entry),
	TEXT("lifetime", struct mgc_yaml_mikey, lifetime),
	TEXT("skew", struct mgc_yaml_mikey, skew),
	LIST("aliases", struct mgc_yaml_mikey, aliases, &alias_entry),
	FLAG("unsafe-no-sdp-ids", struct mgc_yaml_mikey, no_sdp_ids),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t kms_fields[] = {
	TEXT("url", struct mgc_yaml_kms, url),
	TEXT("parameter", struct mgc_yaml_kms, parameter),
	TEXT("identity", struct mgc_yaml_kms, identity),
	TEXT("timeout", struct mgc_yaml_kms, timeout),
	TEXT("domain", struct mgc_yaml_kms, domain),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t domain_fields[] = {
	NEEDED("name", struct mgc_yaml_domain, name),
	TEXT("profile", struct mgc_yaml_domain, profile),
	TEXT("certificate", struct mgc_yaml_domain, certificate),
	TEXT("key", struct mgc_yaml_domain, key),
	TEXTS("anchors", struct mgc_yaml_domain, anchors),
	TEXTS("crls", struct mgc_yaml_domain, crls),
	FLAG("crl-required", struct mgc_yaml_domain, crl_required),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t domain_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mgc_yaml_domain, domain_fields),
};

static const cyaml_schema_field_t floor_fields[] = {
	CYAML_FIELD_UINT("id", CYAML_FLAG_DEFAULT, struct mgc_yaml_floor, id),
	NUMBER("holders", struct mgc_yaml_floor, holders),
	TEXT("name", struct mgc_yaml_floor, name),
	TEXT("chair", struct mgc_yaml_floor, chair),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t floor_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mgc_yaml_floor, floor_fields),
};

static const cyaml_schema_field_t msrp_fields[] = {
	FLAG("off", struct mgc_yaml_msrp, off),
	FLAG("no-nicknames", struct mgc_yaml_msrp, no_nicknames),
	FLAG("no-private-messages", struct mgc_yaml_msrp, no_private),
	FLAG("no-cema", struct mgc_yaml_msrp, no_cema),
	TEXT("max-size", struct mgc_yaml_msrp, max_size),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t bfcp_fields[] = {
	NUMBER("conference-id", struct mgc_yaml_bfcp, conference),
	LIST("floors", struct mgc_yaml_bfcp, floors, &floor_entry),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t room_fields[] = {
	NEEDED("uri", struct mgc_yaml_room, uri),
	TEXT("name", struct mgc_yaml_room, name),
	TEXTS("members", struct mgc_yaml_room, members),
	NUMBER("members-max", struct mgc_yaml_room, member_max),
	TEXTS("dial-out", struct mgc_yaml_room, dial_out),
	TEXT("dial", struct mgc_yaml_room, dial),
	TEXT("setup", struct mgc_yaml_room, setup),
	PART("msrp", struct mgc_yaml_room, msrp, msrp_fields),
	PART("bfcp", struct mgc_yaml_room, bfcp, bfcp_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t room_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct mgc_yaml_room, room_fields),
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT("listen", struct mgc_yaml_metrics, listen),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct mgc_yaml_log, level),
	FLAG("unsafe-messages", struct mgc_yaml_log, messages),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	PART("sip", struct mgc_yaml, sip, sip_fields),
	PART("h248", struct mgc_yaml, h248, h248_fields),
	PART("mrfp", struct mgc_yaml, mrfp, mrfp_fields),
	PART("mikey", struct mgc_yaml, mikey, mikey_fields),
	PART("kms", struct mgc_yaml, kms, kms_fields),
	TEXTS("profile-dirs", struct mgc_yaml, profile_dirs),
	LIST("tls-domains", struct mgc_yaml, domains, &domain_entry),
	LIST("conferences", struct mgc_yaml, rooms, &room_entry),
	PART("metrics", struct mgc_yaml, metrics, metrics_fields),
	PART("log", struct mgc_yaml, log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t mgc_yaml_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct mgc_yaml, fields),
};
