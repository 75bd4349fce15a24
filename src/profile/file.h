/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the folder: a profile's file as it is written. */
#ifndef GH_PROFILE_FILE_H
#define GH_PROFILE_FILE_H

#include "profile/store.h"
#include "profile/vocabulary.h"

struct profile_file_rule {
	char *id;
	enum profile_subject subject;
	char **item;
	unsigned item_count;
	char *value;
	int *role; /**< `for:` */
	unsigned role_count;
	enum profile_strength strength;
	enum profile_when when;
	int standing; /**< `default:`, 1 = off */
	enum profile_mark mark;
	char *document, *clause, *release, *source, *text;
};

struct profile_file_precedence {
	char **suite, **group, **signature;
	unsigned suite_count, group_count, signature_count;
};

struct profile_file {
	char *name, *title, *document, *clause, *release, *extends;
	enum profile_subject *replace;
	unsigned replace_count;
	struct profile_file_precedence precedence;
	int about; /**< 1 = certificates */
	struct profile_file_rule *rule;
	unsigned rule_count;
};

extern const cyaml_schema_value_t profile_file_schema;

/**
 * Make a profile of a loaded file and of the one it extends (NULL = none).
 *
 * @param ret  filled on success; borrows from `file` and `base`, owns nothing: arrays in `arena`
 * @return 0, BASE_CONFIG with the place, BASE_LOCAL
 */
int profile_file_expand(const struct profile_file *file, const struct config_doc *doc,
                        const struct profile *base, struct base_arena *arena, struct profile *ret,
                        struct base_error *err);

#endif
