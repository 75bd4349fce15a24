/* SPDX-License-Identifier: Apache-2.0 */
/* Node and association in one go. */
#include <stdlib.h>

#include "h248/assoc.h"
#include "h248/resolve.h"

struct h248_gateway {
	struct h248_resolver *resolver;
	struct h248_node *node;
	struct h248_assoc *assoc;
};

static void resolve(void *arg, uint32_t lookup, const char *name, unsigned family)
{
	struct h248_gateway *gw = arg;

	h248_resolver_ask(gw->resolver, lookup, name, family);
}

static void on_resolved(void *arg, uint32_t lookup, const struct h248_addr *found)
{
	struct h248_gateway *gw = arg;

	h248_assoc_resolved(gw->assoc, lookup, found);
}

int h248_gateway_new(struct h248_gateway **ret, struct loop *loop,
                     const struct h248_node_config *node, const struct h248_assoc_config *assoc,
                     const struct h248_assoc_ops *ops, void *user)
{
	struct h248_gateway *gw = calloc(1, sizeof(*gw));
	struct h248_assoc_ops all = *ops;
	struct h248_user_ops user_ops;
	int rc;

	if (!gw)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (!all.resolve) {
		all.resolve = resolve;
		all.resolve_arg = gw;
	}
	rc = h248_resolver_new(&gw->resolver, loop, on_resolved, gw);
	if (rc)
		goto out;
	rc = h248_assoc_new(&gw->assoc, assoc, &all, user);
	if (rc)
		goto out;
	h248_assoc_user_ops(&user_ops);
	rc = h248_node_new(&gw->node, loop, node, &user_ops, gw->assoc);
	if (rc)
		goto out;
	h248_assoc_attach(gw->assoc, h248_node_txn(gw->node));
	*ret = gw;
	gw = NULL;
out:
	h248_gateway_free(gw);
	return rc;
}

void h248_gateway_free(struct h248_gateway *gw)
{
	if (!gw)
		return;
	h248_resolver_free(gw->resolver);
	h248_node_free(gw->node);
	h248_assoc_free(gw->assoc);
	free(gw);
}

struct h248_node *h248_gateway_node(struct h248_gateway *gw)
{
	return gw->node;
}

struct h248_assoc *h248_gateway_assoc(struct h248_gateway *gw)
{
	return gw->assoc;
}
