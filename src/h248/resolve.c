/* SPDX-License-Identifier: Apache-2.0 */
#include "h248/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

/* What a thread works on, alone. */
struct question {
	struct h248_resolver *resolver; /* not looked at by the thread */
	uint32_t lookup;
	unsigned family;
	char name[256];
	struct h248_addr answer;
	bool found;
};

struct h248_resolver {
	struct loop *loop;
	h248_resolved_fn *fn;
	void *arg;
	struct loop_call *call; /* of the question that is asked */
	struct loop_task task;  /* when no thread could be started */
	uint32_t failed;
};

static bool take(struct h248_addr *to, const struct addrinfo *from, unsigned family)
{
	if (from->ai_family == AF_INET && family != 6) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(void *)from->ai_addr;

		to->family = 4;
		memcpy(to->ip, &in->sin_addr, 4);
		return true;
	}
	if (from->ai_family == AF_INET6 && family != 4) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(void *)from->ai_addr;

		to->family = 6;
		memcpy(to->ip, &in->sin6_addr, 16);
		to->scope = in->sin6_scope_id;
		return true;
	}
	return false;
}

/* On a thread of its own. */
static void on_work(void *arg)
{
	struct question *q = arg;
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
		                        .ai_family = q->family == 4   ? AF_INET
		                                     : q->family == 6 ? AF_INET6
		                                                      : AF_UNSPEC };
	struct addrinfo *list = NULL;

	if (getaddrinfo(q->name, NULL, &hints, &list))
		return;
	for (const struct addrinfo *a = list; a && !q->found; a = a->ai_next)
		q->found = take(&q->answer, a, q->family);
	freeaddrinfo(list);
}

static void on_done(void *arg)
{
	struct question *q = arg;
	struct h248_resolver *r = q->resolver;

	r->call = NULL;
	r->fn(r->arg, q->lookup, q->found ? &q->answer : NULL);
	free(q);
}

static void on_failed(void *arg)
{
	struct h248_resolver *r = arg;

	r->fn(r->arg, r->failed, NULL);
}

int h248_resolver_new(struct h248_resolver **ret, struct loop *loop, h248_resolved_fn *fn,
                      void *arg)
{
	struct h248_resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return BASE_ERR(BASE_LOCAL, 0);
	r->loop = loop;
	r->fn = fn;
	r->arg = arg;
	*ret = r;
	return 0;
}

void h248_resolver_free(struct h248_resolver *r)
{
	if (!r)
		return;
	loop_defer_stop(r->loop, &r->task);
	loop_call_abandon(r->call);
	free(r);
}

void h248_resolver_ask(struct h248_resolver *r, uint32_t lookup, const char *name, unsigned family)
{
	static const struct loop_call_ops ops = { on_work, on_done, free };
	struct question *q = calloc(1, sizeof(*q));

	loop_call_abandon(r->call);
	r->call = NULL;
	loop_defer_stop(r->loop, &r->task);
	if (q) {
		q->resolver = r;
		q->lookup = lookup;
		q->family = family;
		snprintf(q->name, sizeof(q->name), "%s", name);
	}
	if (q && !loop_call_start(&r->call, r->loop, &ops, q))
		return;
	free(q);
	r->failed = lookup;
	loop_defer(r->loop, &r->task, on_failed, r);
}
