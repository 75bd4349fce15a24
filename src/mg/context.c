/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Attributes of a context (RFC 3525, 6.1.1 and 7.2.9) and its topology (7.1.18).
 */
#include <stdlib.h>

#include "mg/app.h"
#include "mg/bearer.h"
#include "mg/part.h"
#include "mg/run.h"

/* ---- topology ---- */

struct flow {
	bool forward, backward;
};

static int direction_read(struct mg_run *run, unsigned direction, struct flow *ret)
{
	switch (direction) {
	case H248_BOTHWAY:
		*ret = (struct flow){ true, true };
		return 0;
	case H248_ISOLATE:
		*ret = (struct flow){ false, false };
		return 0;
	case H248_ONEWAY:
		*ret = (struct flow){ true, false };
		return 0;
	default:
		return mg_fail(run, H248_E_TOPOLOGY,
		               "Topology: only Bothway, Isolate and Oneway are supported");
	}
}

/* An existing termination of the context, or none for a wildcard. */
static int end_find(struct mg_run *run, struct mg_context *context, const struct h248_term *name,
                    struct mg_term **ret)
{
	*ret = NULL;
	if (name->kind == H248_TERM_CHOOSE) {
		*ret = run->chosen;
		if (!*ret)
			return mg_fail(run, H248_E_ACTION,
			               "Topology: CHOOSE without an Add that chooses");
		return 0;
	}
	if (name->kind == H248_TERM_ALL)
		return 0;
	if (h248_term_is_wild(name))
		return mg_fail(run, H248_E_TOPOLOGY, "Topology: %.*s: only ALL and CHOOSE",
		               BASE_FMT(name->name));
	*ret = mg_term_find(run->mg, name->name);
	if (!*ret)
		return mg_fail(run, H248_E_TERM_UNKNOWN, "Topology: no termination %.*s",
		               BASE_FMT(name->name));
	if (!mg_context_has(context, *ret))
		return mg_fail(run, H248_E_TERM_NOT_IN_CONTEXT, "Topology: %.*s is not in it",
		               BASE_FMT(name->name));
	return 0;
}

static struct mg_topology *topology_find(struct mg_context *context, const struct mg_term *a,
                                         const struct mg_term *b, uint16_t stream)
{
	for (struct base_node *n = context->topology.next; n != &context->topology; n = n->next) {
		struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (((t->from == a && t->to == b) || (t->from == b && t->to == a)) &&
		    t->has_stream && t->stream == stream)
			return t;
	}
	return NULL;
}

static void pair_forget(struct mg_context *context, const struct mg_term *a,
                        const struct mg_term *b)
{
	/* What is freed here was unlinked before; the analyzer loses sight of that in a ring.
	 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	BASE_LIST_EACH(&context->topology, n, after)
	{
		struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);

		if (!((t->from == a && t->to == b) || (t->from == b && t->to == a)))
			continue;
		base_list_remove(n);
		free(t);
	}
}

static int pair_set(struct mg_run *run, struct mg_context *context, struct mg_term *from,
                    struct mg_term *to, const struct h248_topology *triple, struct flow flow)
{
	struct mg_topology *t = NULL;

	if (from == to)
		return 0; /* no loopback is introduced (7.1.18) */
	if (triple->has_stream) {
		t = topology_find(context, from, to, triple->stream);
	} else { /* overrules what was said of the pair's streams */
		pair_forget(context, from, to);
		if (flow.forward && flow.backward)
			return 0;
	}
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return mg_fail_memory(run);
		base_list_append(&context->topology, &t->node);
	}
	t->from = from;
	t->to = to;
	t->has_stream = triple->has_stream;
	t->stream = triple->stream;
	t->forward = flow.forward;
	t->backward = flow.backward;
	return 0;
}

static int triple_check(struct mg_run *run, const struct h248_topology *list,
                        const struct h248_topology *triple)
{
	struct flow flow = { false, false };
	int rc = direction_read(run, triple->direction, &flow);

	if (rc)
		return rc;
	/* 7.1.18: a termination may not match both ends of a oneway. */
	if (flow.forward != flow.backward && triple->from.kind == H248_TERM_ALL &&
	    triple->to.kind == H248_TERM_ALL)
		return mg_fail(run, H248_E_TOPOLOGY, "Topology: Oneway between ALL and ALL");
	/* Spec 5.5: with and without StreamID do not mix for one pair. */
	for (const struct h248_topology *t = list; t != triple; t = t->next)
		if (t->has_stream != triple->has_stream &&
		    base_str_ieq(t->from.name, triple->from.name) &&
		    base_str_ieq(t->to.name, triple->to.name))
			return mg_fail(run, H248_E_ACTION,
			               "Topology: one pair both with and without a StreamID");
	return 0;
}

static int triple_set(struct mg_run *run, struct mg_context *context,
                      const struct h248_topology *triple)
{
	struct mg_term *from = NULL, *to = NULL;
	struct flow flow = { false, false };
	int rc = direction_read(run, triple->direction, &flow);

	if (!rc)
		rc = end_find(run, context, &triple->from, &from);
	if (!rc)
		rc = end_find(run, context, &triple->to, &to);
	for (struct mg_term *a = mg_context_term_first(context); a && !rc;
	     a = mg_context_term_next(context, a)) {
		if (from && a != from)
			continue;
		for (struct mg_term *b = mg_context_term_first(context); b && !rc;
		     b = mg_context_term_next(context, b))
			if (!to || b == to)
				rc = pair_set(run, context, a, b, triple, flow);
	}
	return rc;
}

int mg_topology_set(struct mg_run *run, struct mg_context *context,
                    const struct h248_topology *list)
{
	struct mg_term *end;
	int rc = 0;

	for (const struct mg_term *t = list ? mg_context_term_first(context) : NULL; t;
	     t = mg_context_term_next(context, t))
		if (mg_term_has_app(t))
			return mg_fail(run, H248_E_NOT_IMPLEMENTED,
			               "Topology: %s has a stream whose application is known",
			               t->name);
	for (const struct h248_topology *t = list; t && !rc; t = t->next) {
		rc = triple_check(run, list, t);
		if (!rc)
			rc = end_find(run, context, &t->from, &end);
		if (!rc)
			rc = end_find(run, context, &t->to, &end);
	}
	for (const struct h248_topology *t = list; t && !rc; t = t->next)
		rc = triple_set(run, context, t);
	mg_context_settle(run->mg, context);
	return rc;
}

static unsigned direction_of(const struct mg_topology *t)
{
	if (t->forward && t->backward)
		return H248_BOTHWAY;
	return t->forward || t->backward ? H248_ONEWAY : H248_ISOLATE;
}

struct h248_topology *mg_topology_list(struct base_arena *arena, const struct mg_context *context,
                                       bool *ret_ok)
{
	struct h248_topology *first = NULL, **at = &first;

	*ret_ok = true;
	for (struct base_node *n = context->topology.next; n != &context->topology; n = n->next) {
		const struct mg_topology *t = BASE_CONTAINER_OF(n, struct mg_topology, node);
		bool turned = t->backward && !t->forward;
		struct h248_topology *out = BASE_NEW(arena, struct h248_topology);
		const struct mg_term *a = turned ? t->to : t->from, *b = turned ? t->from : t->to;

		if (!out || !mg_copy_str(arena, base_str_of(a->name), &out->from.name) ||
		    !mg_copy_str(arena, base_str_of(b->name), &out->to.name)) {
			*ret_ok = false;
			return NULL;
		}
		out->direction = (uint8_t)direction_of(t);
		out->has_stream = t->has_stream;
		out->stream = t->stream;
		*at = out;
		at = &out->next;
	}
	return first;
}

/* ---- attributes ---- */

/*
 * A package's property of a context (version 3). No package of this gateway has one: which error it
 * is the tables say.
 */
static int property_refuse(struct mg_run *run, const struct h248_parm *p, bool set)
{
	const struct h248_package_item *item = NULL;
	struct base_error err = { 0 };
	int rc = h248_package_lookup(H248_PROPERTY, p->name, NULL, &item, &err);

	if (!rc && set)
		rc = h248_package_property_check(item, H248_IN_CONTEXT_ATTR, p->form, &p->value,
		                                 &err);
	if (rc)
		return mg_fail_error(run, rc, &err, "ContextAttr %.*s/%.*s",
		                     BASE_FMT(p->name.package), BASE_FMT(p->name.item));
	return mg_fail(run, set ? H248_E_PROPERTY : H248_E_AUDIT_MISSING,
	               "ContextAttr %.*s/%.*s: no context has it", BASE_FMT(p->name.package),
	               BASE_FMT(p->name.item));
}

int mg_context_attr_set(struct mg_run *run, struct mg_context *context,
                        const struct h248_context_attr *attr)
{
	int rc = 0;

	if (attr->parms)
		return property_refuse(run, attr->parms, true);
	if (attr->has_priority && attr->priority > 15)
		return mg_fail(run, H248_E_VALUE, "Priority %u: 0 to 15", attr->priority);
	if (attr->topology)
		rc = mg_topology_set(run, context, attr->topology);
	if (rc)
		return rc;
	if (attr->has_priority)
		context->priority = attr->priority;
	if (attr->emergency)
		context->emergency = attr->emergency == H248_ON;
	if (attr->ieps)
		context->ieps = attr->ieps == H248_ON;
	return 0;
}

int mg_context_attr_audit(struct mg_run *run, const struct mg_context *context,
                          const struct h248_context_audit *audit)
{
	struct h248_action *out = mg_run_out(run, context->id);
	struct h248_context_attr *attr = out ? h248_action_attr(run->arena, out) : NULL;
	bool ok = true;

	if (!attr)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	if (audit->parms)
		return property_refuse(run, audit->parms, false);
	if (audit->items & H248_CONTEXT_TOPOLOGY)
		attr->topology = mg_topology_list(run->arena, context, &ok);
	if (audit->items & H248_CONTEXT_PRIORITY) {
		attr->has_priority = true;
		attr->priority = context->priority;
	}
	if (audit->items & H248_CONTEXT_EMERGENCY)
		attr->emergency = context->emergency ? H248_ON
		                  : run->version < 2 ? H248_ABSENT
		                                     : H248_OFF;
	if (audit->items & H248_CONTEXT_IEPS)
		attr->ieps = context->ieps ? H248_ON : H248_OFF;
	return ok ? 0 : BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
}
