/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/reload.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_listens(const struct edge_listen *a, size_t a_count, const struct edge_listen *b,
                         size_t b_count)
{
	for (size_t i = 0; a_count == b_count && i < a_count; i++)
		if (a[i].transport != b[i].transport || !stream_addr_equal(&a[i].addr, &b[i].addr))
			return false;
	return a_count == b_count;
}

static bool same_secret(const struct base_secret *a, const struct base_secret *b)
{
	return base_secret_equal(a->data, a->len, b->data, b->len);
}

static const char *access_obstacle(const struct edge_config *a, const struct edge_config *b)
{
	if (!same(a->host, b->host))
		return "edge.host";
	if (!same_listens(a->access, a->access_count, b->access, b->access_count))
		return "access.listen";
	if (!same(a->access_domain, b->access_domain))
		return "access.domain";
	if (a->idle_ms != b->idle_ms || a->handshake_ms != b->handshake_ms ||
	    a->message_ms != b->message_ms)
		return "a deadline of access";
	if (a->stun != b->stun)
		return "access.stun";
	if (a->connections != b->connections || a->per_source != b->per_source)
		return "limits.connections or per-source";
	return a->transactions != b->transactions || a->lingering != b->lingering
	               ? "limits.transactions or lingering"
	               : NULL;
}

static const char *core_obstacle(const struct edge_config *a, const struct edge_config *b)
{
	if (!same_listens(a->core, a->core_count, b->core, b->core_count))
		return "core.listen";
	if (!same(a->core_domain, b->core_domain))
		return "core.domain";
	if (!same(a->core_host, b->core_host))
		return "core.host";
	if (!same(a->dns, b->dns))
		return "core.dns";
	if (a->ping_ms != b->ping_ms || a->avoid_ms != b->avoid_ms)
		return "core.ping or avoid";
	return NULL;
}

static const char *pool_obstacle(const struct edge_config *a, const struct edge_config *b)
{
	bool is = same(a->pool.name, b->pool.name) && same(a->pool.redis, b->pool.redis) &&
	          same(a->pool_id, b->pool_id) && same(a->pool_address, b->pool_address) &&
	          same_secret(&a->pool.secret, &b->pool.secret) &&
	          same_secret(&a->pool.password, &b->pool.password);

	return is ? NULL : "pool";
}

const char *edge_reload_obstacle(const struct edge_config *now, const struct edge_config *fresh)
{
	const char *what = access_obstacle(now, fresh);

	if (!what)
		what = core_obstacle(now, fresh);
	if (!what)
		what = pool_obstacle(now, fresh);
	if (!what && now->reg_event != fresh->reg_event)
		what = "reg-event";
	if (!what && !same(now->metrics, fresh->metrics))
		what = "metrics.listen";
	if (!what && !same(now->control, fresh->control))
		what = "control";
	return what;
}

bool edge_reload_idle(const struct edge_config *config)
{
	for (size_t i = 0; i < config->domain_count; i++)
		if (tls_domain_shared(config->domains[i].tls))
			return false;
	return true;
}
