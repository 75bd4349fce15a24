/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator wants, copied, its defaults filled in. */
#include <stdlib.h>

#include "edge/private.h"

static int bad(struct base_error *err, const char *what, const char *text)
{
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s: %s", text, what);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static int texts(struct base_arena *arena, const char *const *in, size_t count,
                 const char *const **ret)
{
	const char **out = base_arena_array(arena, count + 1, sizeof(*out));

	if (!out)
		return BASE_ERR(BASE_LOCAL, 0);
	for (size_t i = 0; i < count; i++) {
		out[i] = base_arena_dup(arena, base_str_of(in[i]));
		if (!out[i])
			return BASE_ERR(BASE_LOCAL, 0);
	}
	*ret = out;
	return 0;
}

/* "host:port" in a URI of ours. */
static int host(struct base_arena *arena, const char *text, const char *params, const char *what,
                struct base_str *ret, struct base_error *err)
{
	struct sip_uri uri;
	char *whole;

	if (!text || !text[0])
		return bad(err, "is needed", what);
	whole = base_arena_printf(arena, "sip:token@%s;lr%s", text, params);
	if (!whole)
		return BASE_ERR(BASE_LOCAL, 0);
	if (sip_uri_parse(base_str_of(whole), &uri))
		return bad(err, "does not fit into a SIP URI", text);
	*ret = base_str_of(base_arena_dup(arena, base_str_of(text)));
	return ret->ptr ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

static int next_hop(struct base_arena *arena, const char **text, struct base_error *err)
{
	struct sip_uri uri;

	if (!*text)
		return 0;
	if (sip_uri_parse(base_str_of(*text), &uri) || uri.scheme == SIP_SCHEME_OTHER ||
	    uri.scheme == SIP_SCHEME_TEL)
		return bad(err, "is no SIP URI", *text);
	*text = base_arena_dup(arena, base_str_of(*text));
	return *text ? 0 : BASE_ERR(BASE_LOCAL, 0);
}

/* The value of Security-Server (RFC 3329, 2.2): what is not its grammar would never be mirrored. */
static int mechanisms(struct edge_rules *rules, struct base_error *err)
{
	static const char *const tls[] = { "tls;q=0.5" };
	struct edge_policy *p = &rules->p;
	struct base_writer w = { 0 };
	int rc = 0;

	if (!p->mechanism_count) {
		p->mechanisms = tls;
		p->mechanism_count = 1;
	}
	for (size_t i = 0; i < p->mechanism_count && !rc; i++) {
		struct base_str rest = base_str_of(p->mechanisms[i]), one;
		struct base_str params;
		struct sip_param param;
		int more;

		base_writer_printf(&w, "%s%s", i ? ", " : "", p->mechanisms[i]);
		if (!sip_list_next(&rest, &one) || rest.len || !sip_span(one, SIP_CH_TOKEN)) {
			rc = bad(err, "is no security mechanism (RFC 3329, 2.2)", p->mechanisms[i]);
			break;
		}
		params = sip_skip(sip_from(one, sip_span(one, SIP_CH_TOKEN)));
		while ((more = sip_param_next(&params, &param)) == 1)
			;
		if (more || params.len)
			rc = bad(err, "is no security mechanism (RFC 3329, 2.2)", p->mechanisms[i]);
	}
	if (!rc && !w.failed)
		rules->server_list =
		        base_str_of(base_arena_dup(&rules->arena, base_writer_view(&w)));
	base_writer_done(&w);
	return rc || rules->server_list.ptr ? rc : BASE_ERR(BASE_LOCAL, 0);
}

static int copied(struct edge_rules *rules, struct base_error *err)
{
	struct base_arena *arena = &rules->arena;
	struct edge_policy *p = &rules->p;
	int rc = 0;

	rc = rc ? rc : next_hop(arena, &p->registrar, err);
	rc = rc ? rc : next_hop(arena, &p->proxy, err);
	rc = rc ? rc : next_hop(arena, &p->emergency_proxy, err);
	rc = rc ? rc : texts(arena, p->names, p->name_count, &p->names);
	rc = rc ? rc : texts(arena, p->emergency, p->emergency_count, &p->emergency);
	rc = rc ? rc : mechanisms(rules, err);
	rc = rc ? rc : texts(arena, p->mechanisms, p->mechanism_count, &p->mechanisms);
	return rc;
}

static void numbers(struct edge_policy *p)
{
	p->lifetime_ms = BASE_MIN(or_default(p->lifetime_ms, 3600000), EDGE_OLD_MS);
	p->renew_before_ms = BASE_MIN(or_default(p->renew_before_ms, 60000), p->lifetime_ms / 2);
	p->renew_timeout_ms = or_default(p->renew_timeout_ms, 10000);
	p->challenge_ms = or_default(p->challenge_ms, 32000);
	p->identities_max = BASE_MIN(or_default(p->identities_max, 32), EDGE_IDENTITIES_MAX);
	p->bindings_max = or_default(p->bindings_max, 16);
	p->refused_max = or_default(p->refused_max, 5);
	p->unregistered_ms = or_default(p->unregistered_ms, 32000);
	p->retry_after_s = or_default(p->retry_after_s, 10);
}

/* Without its port; an IPv6 address keeps its brackets. */
static struct base_str bare(struct base_str host)
{
	for (size_t i = host.len; i > 0 && host.ptr[i - 1] != ']'; i--)
		if (host.ptr[i - 1] == ':')
			return (struct base_str){ host.ptr, i - 1 };
	return host;
}

int edge_rules_make(struct edge_rules **ret, const struct edge_policy *policy,
                    struct base_error *err)
{
	struct edge_rules *rules = calloc(1, sizeof(*rules));
	struct edge_policy *p;
	int rc;

	if (!rules)
		return BASE_ERR(BASE_LOCAL, 0);
	p = &rules->p;
	*p = *policy;
	numbers(p);
	p->access_params = base_arena_dup(
	        &rules->arena, base_str_of(p->access_params ? p->access_params : ";transport=tls"));
	p->core_params =
	        base_arena_dup(&rules->arena, base_str_of(p->core_params ? p->core_params : ""));
	rc = p->access_params && p->core_params ? 0 : BASE_ERR(BASE_LOCAL, 0);
	rc = rc ? rc
	        : host(&rules->arena, p->access_host, p->access_params, "the host of UEs",
	               &rules->access_host, err);
	rc = rc ? rc
	        : host(&rules->arena, p->core_host, p->core_params, "the host of the core",
	               &rules->core_host, err);
	rc = rc ? rc : copied(rules, err);
	if (!rc) {
		rules->core_name = bare(rules->core_host);
		p->network = p->network ? base_arena_dup(&rules->arena, base_str_of(p->network))
		                        : base_arena_dup(&rules->arena, bare(rules->access_host));
		rc = p->network ? 0 : BASE_ERR(BASE_LOCAL, 0);
	}
	if (rc) {
		edge_rules_free(rules);
		return rc;
	}
	*ret = rules;
	return 0;
}

void edge_rules_free(struct edge_rules *rules)
{
	if (!rules)
		return;
	base_arena_done(&rules->arena);
	free(rules);
}
