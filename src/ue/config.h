/* SPDX-License-Identifier: Apache-2.0 */
/** @file The configuration of a user agent; private to this folder. */
#ifndef GH_UE_CONFIG_H
#define GH_UE_CONFIG_H

#include "config/config.h"

/* ---- as the schema gives it ---- */

struct ue_yaml_media {
	const char *address, *profile, *inbox, *message_max, *patience;
};

struct ue_yaml {
	const char *identity, *name;
	const char **profiles;
	unsigned profiles_count;
	struct ue_yaml_media *media;
};

/* ---- as it is understood ---- */

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
};

/** @param path  NULL: nothing but defaults. @return 0, BASE_CONFIG, BASE_LOCAL */
int ue_config_load(struct ue_config *ret, const char *path, struct base_error *err);
/** All zero is fine. */
void ue_config_done(struct ue_config *config);

#endif
