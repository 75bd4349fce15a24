/* SPDX-License-Identifier: Apache-2.0 */
/** @file The configuration of a user agent; private to this folder. */
#ifndef GH_UE_CONFIG_H
#define GH_UE_CONFIG_H

#include "config/config.h"

/* ---- as the schema gives it ---- */

struct ue_yaml_media {
	const char *address, *profile, *inbox, *message_max, *patience, *setup, *floors;
};

struct ue_yaml_tls {
	const char *profile, *certificate, *key;
	const char **anchors;
	unsigned anchors_count;
	bool null_encryption;
};

struct ue_yaml_outbound {
	const char *name, *instance, *retry, *retry_max, *keep_alive, *renegotiate;
	unsigned reg_id;
	const bool *at_start, *sec_agree;
};

struct ue_yaml_sip {
	const char **listen, **proxy;
	unsigned listen_count, proxy_count;
	const char *answer, *registrar, *user, *password_file, *realm, *expires, *sdp, *dns;
	struct ue_yaml_tls *tls;
	struct ue_yaml_outbound *outbound;
};

struct ue_yaml_alias {
	const char *name, *also;
};

struct ue_yaml_kms {
	const char *url, *identity, *key_file, *key_id, *tpk_file, *tpk_id;
	unsigned mode;
	struct ue_yaml_alias *aliases;
	unsigned aliases_count;
	struct ue_yaml_tls *tls;
};

struct ue_yaml {
	const char *identity, *name;
	const char **profiles;
	unsigned profiles_count;
	struct ue_yaml_media *media;
	struct ue_yaml_sip *sip;
	struct ue_yaml_kms *kms;
};

/* ---- as it is understood ---- */

/** A registration over a connection of its own. */
struct ue_outbound {
	const struct ue_yaml_outbound *yaml;
	uint64_t retry_ms, retry_max_ms;
	uint64_t keep_alive_ms, renegotiate_ms; /**< 0 = never */
};

enum ue_answer { UE_ANSWER_AUTO, UE_ANSWER_MANUAL, UE_ANSWER_BUSY };

struct ue_config {
	struct ue_yaml *yaml;
	struct config_doc *doc;
	struct base_arena arena;
	const char *identity;        /**< our own URI */
	const char *name;            /**< in events; NULL = none */
	const char *const *profiles; /**< folders, NULL-terminated */
	const char *address;         /**< of media */
	const char *media_profile;
	const char *inbox; /**< NULL = none */
	uint64_t message_max, patience_ms;
	uint16_t floor[16]; /**< that we control, where a peer does not */
	size_t floors;
	bool passive;                  /**< how we answer where it is left to us */
	const struct ue_yaml_sip *sip; /**< NULL: none */
	enum ue_answer answer;
	uint32_t expires_s;            /**< of a registration */
	struct ue_outbound outbound;   /**< `yaml` NULL: none */
	const char *sdp;               /**< of calls without keys, a path; NULL = no media */
	const struct ue_yaml_kms *kms; /**< NULL: none */
};

/** @param path  NULL: nothing but defaults. @return 0, BASE_CONFIG, BASE_LOCAL */
int ue_config_load(struct ue_config *ret, const char *path, struct base_error *err);
/** A file's name in the configuration is relative to it. @return NULL when memory is short */
const char *ue_config_path(struct ue_config *config, const char *name);
/** Who we are where a password is asked for: the part before the @, unless `sip.user` knows
 * better. The caller frees it. @return NULL when memory is short */
char *ue_config_user(const struct ue_config *config);
/** All zero is fine. */
void ue_config_done(struct ue_config *config);

#endif
