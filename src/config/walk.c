/* SPDX-License-Identifier: Apache-2.0 */
/** @file Every value of a file, by no schema: for tools that look for something in any file. */
#include <stdio.h>
#include <stdlib.h>

#include "config/doc.h"

#define WHERE_MAX 512

struct walk {
	config_value_fn *fn;
	void *arg;
	char where[WHERE_MAX];
};

/* Depth is bounded by the reader (config.h). A path that does not fit is cut. */
static void node_walk(struct walk *w, const struct config_node *node, size_t len)
{
	size_t index = 0;

	if (node->kind == CONFIG_SCALAR)
		w->fn(w->arg, w->where, node->text);
	for (const struct config_node *n = node->child; n; n = n->next, index++) {
		char *at = w->where + len;
		size_t cap = sizeof(w->where) - len;
		int put = node->kind == CONFIG_SEQUENCE
		                  ? snprintf(at, cap, "[%zu]", index)
		                  : snprintf(at, cap, "%s%.*s", len ? "." : "", BASE_FMT(n->key));

		node_walk(w, n, len + BASE_MIN((size_t)put, cap - 1));
	}
	w->where[len] = '\0';
}

void config_values(const struct config_doc *doc, config_value_fn *fn, void *arg)
{
	struct walk walk = { .fn = fn, .arg = arg };

	if (doc->root)
		node_walk(&walk, doc->root, 0);
}

int config_doc_load(const char *path, struct config_doc **ret, struct base_error *err)
{
	char *data;
	size_t len;
	int rc = config_file_read(path, (size_t)1 << 20, &data, &len, err);

	if (rc)
		return rc;
	rc = config_doc_read(path, data, len, ret, err);
	free(data);
	return rc;
}
