/* SPDX-License-Identifier: Apache-2.0 */
/** @file Contexts: what the sessions of a domain in one thread share, by role and carrier. */
#include <errno.h>
#include <stdlib.h>

#include "tls/engine.h"
#include "tls/tickets.h"

int tls_context_identity(struct tls_context *context, struct base_error *err)
{
	struct x509_identity *identity = atomic_load_explicit(
	        &tls_domain_whole(context->domain)->identity, memory_order_acquire);
	int rc;

	if (context->has_identity || !identity)
		return 0;
	rc = context->ops->context_identity(context, identity, err);
	if (rc == 0)
		context->has_identity = true;
	return rc;
}

static int context_make(struct tls_context **ret, struct tls_domain *domain,
                        const struct tls_engine_ops *ops, struct base_error *err)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	int rc;

	if (!context)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "no memory");
	(void)tls_domain_ref(tls_domain_whole(domain));
	context->domain = domain;
	context->ops = ops;
	base_list_init(&context->tickets);
	rc = context->ops->context_new(context, err);
	if (rc == 0)
		rc = tls_context_identity(context, err);
	if (rc == 0) {
		*ret = context;
		context = NULL;
	}
	tls_context_free(context);
	return rc;
}

int tls_context_new(struct tls_context **ret, struct tls_domain *domain, struct base_error *err)
{
	return context_make(ret, domain, domain->ops, err);
}

int tls_context_role(struct tls_context *context, enum tls_role role, struct tls_context **ret,
                     struct base_error *err)
{
	struct tls_domain *domain = context->domain;
	int rc = 0;

	*ret = context;
	if (role != TLS_ROLE_CLIENT || context->ops == domain->client_ops)
		return 0;
	if (!context->client)
		rc = context_make(&context->client, domain, domain->client_ops, err);
	if (rc == 0)
		*ret = context->client;
	return rc;
}

int tls_context_datagram(struct tls_context *context, struct tls_context **ret)
{
	struct tls_domain *part = context->domain->datagram;
	int rc = 0;

	if (!part)
		return BASE_ERR(BASE_CONFIG, 0);
	if (!context->datagram)
		rc = context_make(&context->datagram, part, part->ops, NULL);
	if (rc == 0)
		*ret = context->datagram;
	return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): the contexts behind one have none of their own */
void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	tls_context_free(context->client);
	tls_context_free(context->datagram);
	tls_tickets_drop(context);
	context->ops->context_free(context);
	tls_domain_unref(tls_domain_whole(context->domain));
	free(context);
}
