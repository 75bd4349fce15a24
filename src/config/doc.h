/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the folder: the tree of values with their places. */
#ifndef GH_CONFIG_DOC_H
#define GH_CONFIG_DOC_H

#include "config/config.h"

enum config_kind { CONFIG_SCALAR, CONFIG_SEQUENCE, CONFIG_MAPPING };

/** One value. Children of a mapping carry their key, those of a sequence do not. */
struct config_node {
	enum config_kind kind;
	bool quoted; /**< a scalar that says it is text */
	unsigned line, column;
	struct base_str text; /**< scalars */
	struct base_str key;
	unsigned key_line, key_column;
	size_t count; /**< children */
	struct config_node *child, *last, *next;
};

struct config_doc {
	struct base_arena arena;
	const char *file;
	struct config_node *root; /**< NULL for an empty file */
	size_t nodes;
};

/**
 * Read all events of the text into a tree, within the limits of config.h.
 * @return 0, BASE_CONFIG with the place, BASE_LOCAL
 */
int config_doc_read(const char *name, const char *data, size_t len, struct config_doc **ret,
                    struct base_error *err);

/**
 * Hold a tree against a schema, more strictly than libcyaml does, which takes "ture" for true, "5x"
 * for 5 and "010" for 8.
 * @return 0, or BASE_CONFIG with the place of the first value that does not fit
 */
int config_schema_check(const struct config_doc *doc, const cyaml_schema_value_t *schema,
                        struct base_error *err);

/** As config_refuse(), at a place already known. */
int config_refuse_at(const struct config_doc *doc, struct base_error *err, unsigned line,
                     unsigned column, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
