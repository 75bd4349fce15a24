/* SPDX-License-Identifier: Apache-2.0 */
/* What a 2xx to REGISTER says, kept in one block: identities, routes, how to take it back. */
#include <stdlib.h>

#include "edge/private.h"

/* Strings are counted first, then laid behind the struct. */
struct layout {
	struct edge_bound *bound; /* NULL = counting */
	char *at;
	size_t octets;
};

static struct base_str keep(struct layout *l, struct base_str s)
{
	struct base_str kept = { l->at, s.len };

	l->octets += s.len;
	if (!l->bound)
		return s;
	if (s.len)
		memcpy(l->at, s.ptr, s.len);
	l->at += s.len;
	return kept;
}

static void identity(struct layout *l, struct base_str uri, size_t i)
{
	char buf[SIP_URI_KEY_MAX];
	struct base_str key = edge_identity_key(uri, buf);
	struct base_str kept = keep(l, uri);

	key = keep(l, key);
	if (!l->bound)
		return;
	l->bound->impus[i] = kept;
	l->bound->identities[i] = (struct edge_identity){ .uri = kept, .key = key };
}

/* @return how many; `left_out` of those beyond the policy */
static size_t identities(struct layout *l, const struct edge_rules *rules,
                         const struct edge_made *made, unsigned *left_out)
{
	struct sip_values values = { .msg = made->response, .id = SIP_H_P_ASSOCIATED_URI };
	struct sip_addr addr;
	struct base_str one;
	size_t count = 0;
	bool said = false;

	*left_out = 0;
	for (; made->keep && count < made->keep->impu_count; count++)
		identity(l, made->keep->impus[count], count);
	while (sip_values_next(&values, &one)) {
		if (sip_addr_parse(one, &addr) || !addr.uri.len)
			continue;
		said = true;
		if (made->keep && edge_identity_find(made->keep, addr.uri))
			continue;
		if (count >= rules->p.identities_max)
			++*left_out;
		else
			identity(l, addr.uri, count++);
	}
	if (!said && count < EDGE_IDENTITIES_MAX) /* whom it has registered */
		identity(l, made->request->to.uri, count++);
	return count;
}

static size_t routes(struct layout *l, const struct edge_made *made)
{
	struct sip_values values = { .msg = made->response, .id = SIP_H_SERVICE_ROUTE };
	struct base_str one;
	size_t count = 0;

	while (count < EDGE_ROUTES_MAX && sip_values_next(&values, &one)) {
		struct base_str kept;

		if (!one.len)
			continue;
		kept = keep(l, one);
		if (l->bound)
			l->bound->routes[count] = kept;
		count++;
	}
	return count;
}

static void others(struct layout *l, const struct edge_made *made, struct edge_bound *out)
{
	out->contact = keep(l, made->contact);
	out->registrar = keep(l, made->request->target);
	out->aor = keep(l, made->request->to.uri);
	out->realm = keep(l, made->realm);
}

struct edge_bound *edge_bound_new(const struct edge_rules *rules, const struct edge_made *made)
{
	struct layout l = { 0 };
	struct edge_bound *bound, counted = { 0 };
	size_t heads;

	counted.impu_count = identities(&l, rules, made, &counted.left_out);
	counted.route_count = routes(&l, made);
	others(&l, made, &counted);
	heads = sizeof(*bound) + counted.impu_count * sizeof(struct edge_identity) +
	        (counted.impu_count + counted.route_count) * sizeof(struct base_str);
	bound = calloc(1, heads + l.octets);
	if (!bound)
		return NULL;
	base_list_init(&bound->of_user);
	bound->identities = (struct edge_identity *)(bound + 1);
	bound->impus = (struct base_str *)(bound->identities + counted.impu_count);
	bound->routes = bound->impus + counted.impu_count;
	l = (struct layout){ .bound = bound, .at = (char *)bound + heads };
	bound->impu_count = identities(&l, rules, made, &bound->left_out);
	bound->route_count = routes(&l, made);
	others(&l, made, bound);
	return bound;
}

void edge_bound_free(struct edge_bound *bound)
{
	free(bound);
}

bool edge_bound_same_contact(struct base_str a, struct base_str b)
{
	struct sip_addr ca, cb;
	struct base_str ia, ib, ra, rb;
	struct sip_uri ua, ub;

	if (sip_addr_parse(a, &ca) || sip_addr_parse(b, &cb))
		return false;
	if (sip_param_find(ca.params, "reg-id", &ra) && sip_param_find(cb.params, "reg-id", &rb) &&
	    sip_param_find(ca.params, "+sip.instance", &ia) &&
	    sip_param_find(cb.params, "+sip.instance", &ib))
		return base_str_eq(ra, rb) && base_str_ieq(ia, ib); /* RFC 5626, 6 */
	return !sip_uri_parse(ca.uri, &ua) && !sip_uri_parse(cb.uri, &ub) &&
	       sip_uri_equal(&ua, &ub);
}
