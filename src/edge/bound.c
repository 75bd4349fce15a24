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

static void identity(struct layout *l, const struct edge_identity *id, size_t i)
{
	char buf[SIP_URI_KEY_MAX];
	struct base_str key = edge_identity_key(id->uri, buf);
	struct base_str kept = keep(l, id->uri);

	key = keep(l, key);
	if (!l->bound)
		return;
	l->bound->impus[i] = kept;
	l->bound->identities[i] = *id;
	l->bound->identities[i].uri = kept;
	l->bound->identities[i].key = key;
}

/* One of the binding that this 2xx names. A barred identity registers others, not itself
 * (TS 24.229, 5.1.1.4, R). */
static const struct edge_identity *known(const struct edge_made *made)
{
	struct sip_values values = { .msg = made->response, .id = SIP_H_P_ASSOCIATED_URI };
	const struct edge_identity *own = edge_identity_find(made->keep, made->request->to.uri);
	struct sip_addr addr;
	struct base_str one;

	while (!own && sip_values_next(&values, &one))
		if (!sip_addr_parse(one, &addr))
			own = edge_identity_find(made->keep, addr.uri);
	return own;
}

/* The set that a REGISTER is about; one that is not known is new. */
static uint32_t set_of(const struct edge_made *made)
{
	const struct edge_identity *own = made->keep ? known(made) : NULL;
	uint32_t next = 0;

	for (size_t i = 0; made->keep && i < made->keep->impu_count; i++)
		next = BASE_MAX(next, made->keep->identities[i].set + 1);
	return own ? own->set : next;
}

/* Those that stay: of sets before `set`, or behind it. */
static size_t others_of(struct layout *l, const struct edge_bound *had, uint32_t set, bool behind,
                        size_t count)
{
	for (size_t i = 0; had && i < had->impu_count; i++)
		if (behind ? had->identities[i].set > set : had->identities[i].set < set)
			identity(l, &had->identities[i], count++);
	return count;
}

static bool is_others(const struct edge_bound *had, uint32_t set, struct base_str uri)
{
	const struct edge_identity *id = had ? edge_identity_find(had, uri) : NULL;

	return id && id->set != set;
}

static size_t count_others(const struct edge_bound *had, uint32_t set)
{
	size_t count = 0;

	for (size_t i = 0; had && i < had->impu_count; i++)
		count += had->identities[i].set != set;
	return count;
}

/* Each set in its place, so that the default identity stays the first one's. @return how many;
 * `left_out` of those beyond the policy */
static size_t identities(struct layout *l, const struct edge_rules *rules,
                         const struct edge_made *made, unsigned *left_out)
{
	struct sip_values values = { .msg = made->response, .id = SIP_H_P_ASSOCIATED_URI };
	struct edge_identity id = { .set = set_of(made), .until_ms = made->until_ms };
	size_t count = others_of(l, made->keep, id.set, false, 0);
	size_t all = count_others(made->keep, id.set);
	struct sip_addr addr;
	struct base_str one;
	bool said = false;

	*left_out = 0;
	while (sip_values_next(&values, &one)) {
		if (sip_addr_parse(one, &addr) || !addr.uri.len)
			continue;
		said = true;
		if (is_others(made->keep, id.set, addr.uri))
			continue;
		id.uri = addr.uri;
		if (all >= rules->p.identities_max)
			++*left_out;
		else {
			identity(l, &id, count++);
			all++;
		}
	}
	id.uri = made->request->to.uri; /* whom it has registered */
	if (!said && all < EDGE_IDENTITIES_MAX)
		identity(l, &id, count++);
	return others_of(l, made->keep, id.set, true, count);
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
	out->contact_count = made->contact_count;
	for (size_t i = 0; i < made->contact_count; i++) {
		struct base_str kept = keep(l, made->contacts[i]);

		if (l->bound)
			l->bound->contacts[i] = kept;
		if (made->contacts[i].ptr == made->contact.ptr)
			out->contact = kept;
	}
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
	        (counted.impu_count + counted.route_count + counted.contact_count) *
	                sizeof(struct base_str);
	bound = calloc(1, heads + l.octets);
	if (!bound)
		return NULL;
	base_list_init(&bound->of_user);
	bound->identities = (struct edge_identity *)(bound + 1);
	bound->impus = (struct base_str *)(bound->identities + counted.impu_count);
	bound->routes = bound->impus + counted.impu_count;
	bound->contacts = bound->routes + counted.route_count;
	l = (struct layout){ .bound = bound, .at = (char *)bound + heads };
	bound->impu_count = identities(&l, rules, made, &bound->left_out);
	bound->route_count = routes(&l, made);
	others(&l, made, bound);
	return bound;
}

uint64_t edge_bound_until(const struct edge_bound *bound)
{
	uint64_t until_ms = EDGE_NEVER;

	for (size_t i = 0; i < bound->impu_count; i++)
		until_ms = BASE_MIN(until_ms, bound->identities[i].until_ms);
	return until_ms;
}

bool edge_bound_less(struct edge_bound *bound, uint32_t set, uint64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < bound->impu_count; i++)
		count += bound->identities[i].set != set && bound->identities[i].until_ms > now_ms;
	if (!count)
		return false;
	count = 0;
	for (size_t i = 0; i < bound->impu_count; i++) {
		const struct edge_identity id = bound->identities[i];

		if (id.set == set || id.until_ms <= now_ms)
			continue;
		bound->impus[count] = bound->impus[i];
		bound->identities[count++] = id;
	}
	bound->impu_count = count;
	return true;
}

void edge_bound_shorten(struct edge_bound *bound, uint64_t until_ms)
{
	for (size_t i = 0; i < bound->impu_count; i++)
		bound->identities[i].until_ms = BASE_MIN(bound->identities[i].until_ms, until_ms);
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
