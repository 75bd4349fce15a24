/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/yaml.h"
#include "profile/profile.h"
#include "sip/sip.h"

int edge_ms_read(const struct edge_config *c, const char *where, const char *text, uint32_t *ret,
                 struct base_error *err)
{
	uint64_t ms;
	int rc = config_duration(c->doc, where, text, *ret, &ms, err);

	if (!rc && ms > UINT32_MAX)
		rc = config_refuse(c->doc, err, where, "longer than 49 days");
	if (!rc)
		*ret = (uint32_t)ms;
	return rc;
}

/* A duration that is one: 0 would mean the default further inside. */
static int time_read(const struct edge_config *c, const char *where, const char *text,
                     uint32_t *ret, struct base_error *err)
{
	int rc = edge_ms_read(c, where, text, ret, err);

	return rc || *ret ? rc : config_refuse(c->doc, err, where, "more than nothing");
}

/* A duration of whole seconds. */
static int seconds_read(const struct edge_config *c, const char *where, const char *text,
                        uint32_t *ret_s, struct base_error *err)
{
	uint32_t ms = *ret_s * 1000;
	int rc = edge_ms_read(c, where, text, &ms, err);

	if (!rc && ms % 1000)
		rc = config_refuse(c->doc, err, where, "whole seconds");
	if (!rc)
		*ret_s = ms / 1000;
	return rc;
}

struct span {
	const char *where, *text;
	uint32_t *ret;
	uint32_t fallback;
	bool none; /* 0 = none */
};

static int spans_read(const struct edge_config *c, const struct span *spans, size_t count,
                      struct base_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		*spans[i].ret = spans[i].fallback;
		rc = (spans[i].none ? edge_ms_read : time_read)(c, spans[i].where, spans[i].text,
		                                                spans[i].ret, err);
	}
	return rc;
}

static bool wants_tls(const struct sip_uri *uri)
{
	struct base_str transport;

	return uri->scheme == SIP_SCHEME_SIPS || (sip_uri_param(uri, "transport", &transport) &&
	                                          base_str_ieq(transport, BASE_STR("tls")));
}

/* A next hop: where a Route leads. */
static int hop_check(const struct edge_config *c, const char *where, const char *text,
                     struct base_error *err)
{
	struct sip_uri uri;

	if (!text)
		return 0;
	if (sip_uri_parse(base_str_of(text), &uri) || !uri.host.len)
		return config_refuse(c->doc, err, where,
		                     "'%s' is no SIP URI, such as sip:HOST:PORT;lr", text);
	if (wants_tls(&uri) && !c->core_domain)
		return config_refuse(c->doc, err, where,
		                     "by TLS: core.domain is needed with it, a TLS domain");
	return 0;
}

/* What goes into a header field as it stands. */
static bool is_host(const char *text)
{
	size_t len = strlen(text);

	return len && len < 256 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
	               len;
}

/* ---- edge ---- */

static int edge_read(struct edge_config *c, struct base_error *err)
{
	const struct edge_yaml_edge *y = c->yaml->edge;

	if (!y)
		return config_refuse(c->doc, err, "", "edge.host is needed: our name");
	c->drain_ms = 10000;
	c->host = y->host;
	c->network = y->network ? y->network : y->host;
	if (!is_host(y->host))
		return config_refuse(c->doc, err, "edge.host", "'%s' is no host name", y->host);
	if (!is_host(c->network))
		return config_refuse(c->doc, err, "edge.visited-network",
		                     "'%s' is no name of a network (RFC 7315, 4.3)", c->network);
	return edge_ms_read(c, "edge.drain", y->drain, &c->drain_ms, err);
}

/* ---- where we listen ---- */

struct door {
	const char *key;
	uint16_t port;
	unsigned transports; /* 1 << enum flow_transport */
	const char *words;
	const char *domain; /* that tls: needs */
};

static int listen_read(struct edge_config *c, const struct door *door, unsigned i, const char *text,
                       struct edge_listen *ret, struct base_error *err)
{
	struct config_address a;
	struct base_error why = { 0 };
	char where[EDGE_WHERE], at[300];
	int rc;

	(void)snprintf(where, sizeof(where), "%s[%u]", door->key, i);
	rc = config_address(c->doc, where, text, door->port, &a, err);
	if (rc)
		return rc;
	if (flow_transport_parse(base_str_of(a.transport), &ret->transport) ||
	    !(door->transports & 1U << ret->transport))
		return config_refuse(c->doc, err, where, "'%s': %s in front", text, door->words);
	if (ret->transport == FLOW_TLS && !door->domain)
		return config_refuse(c->doc, err, where,
		                     "tls needs the name of a TLS domain (`domain`)");
	(void)snprintf(at, sizeof(at), strchr(a.host, ':') ? "[%s]:%u" : "%s:%u", a.host, a.port);
	if (stream_addr_parse(&ret->addr, base_str_of(at), &why))
		return config_refuse(c->doc, err, where, "%.300s", why.text);
	return 0;
}

static int listens_read(struct edge_config *c, const struct door *door, const char *const *texts,
                        unsigned count, struct edge_listen *list, size_t *ret_count,
                        struct base_error *err)
{
	int rc = 0;

	if (count > EDGE_LISTEN_MAX)
		return config_refuse(c->doc, err, door->key, "more than %d", EDGE_LISTEN_MAX);
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = listen_read(c, door, i, texts[i], &list[*ret_count], err);
		*ret_count += !rc;
	}
	return rc;
}

static int access_read(struct edge_config *c, struct base_error *err)
{
	const struct edge_yaml_access *y = c->yaml->access;
	struct door tls = { "access.listen", 5061, 1U << FLOW_TLS,
		            "tls: (others are access.unsafe-listen)", y ? y->domain : NULL };
	struct door plain = { "access.unsafe-listen", 5060, 1U << FLOW_UDP | 1U << FLOW_TCP,
		              "udp: or tcp:", NULL };
	int rc;

	if (!y || !y->listen_count)
		return config_refuse(c->doc, err, "access",
		                     "access.listen is needed: where UEs come to");
	const struct span spans[] = {
		{ "access.idle", y->idle, &c->idle_ms, 7200000 },
		{ "access.handshake", y->handshake, &c->handshake_ms, 10000 },
		{ "access.message", y->message, &c->message_ms, 10000 },
		{ "access.keep-alive", y->keep_alive, &c->keep_alive_ms, 120000, true },
	};

	c->access_domain = y->domain;
	c->stun = !y->stun || *y->stun;
	rc = listens_read(c, &tls, y->listen, y->listen_count, c->access, &c->access_count, err);
	if (!rc)
		rc = listens_read(c, &plain, y->plain, y->plain_count, c->access, &c->access_count,
		                  err);
	c->plain = y->plain_count > 0;
	if (!rc)
		rc = spans_read(c, spans, BASE_COUNT(spans), err);
	if (!rc && c->keep_alive_ms % 1000) /* Flow-Timer */
		rc = config_refuse(c->doc, err, "access.keep-alive", "whole seconds");
	return rc;
}

/* ---- core ---- */

static int from_read(struct edge_config *c, const struct edge_yaml_core *y, struct base_error *err)
{
	char where[EDGE_WHERE];

	if (y->from_count > EDGE_NETWORKS_MAX)
		return config_refuse(c->doc, err, "core.from", "more than %d", EDGE_NETWORKS_MAX);
	for (unsigned i = 0; i < y->from_count; i++) {
		(void)snprintf(where, sizeof(where), "core.from[%u]", i);
		if (edge_network_parse(base_str_of(y->from[i]), &c->from[i]))
			return config_refuse(c->doc, err, where,
			                     "'%s' is no address or network, such as 192.0.2.0/24",
			                     y->from[i]);
	}
	c->from_count = y->from_count;
	return 0;
}

static int dns_check(const struct edge_config *c, struct base_error *err)
{
	union stream_addr at;

	for (const char *from = c->dns; from && *from; from += *from == ',') {
		size_t len = strcspn(from, ",");
		struct base_str one = base_str_trim((struct base_str){ from, len });

		from += len;
		if (stream_addr_ip(&at, one, 53) && stream_addr_parse(&at, one, NULL))
			return config_refuse(c->doc, err, "core.dns",
			                     "'%.*s' is no address of a name server, such as "
			                     "192.0.2.53 or 192.0.2.53:5353",
			                     BASE_FMT(one));
	}
	return 0;
}

static int core_read(struct edge_config *c, struct base_error *err)
{
	const struct edge_yaml_core *y = c->yaml->core;
	struct door door = { "core.listen", 5060, 7, "udp:, tcp: or tls:", y ? y->domain : NULL };
	int rc;

	if (!y || !y->listen_count)
		return config_refuse(c->doc, err, "core",
		                     "core.listen is needed: where the network reaches us");
	const struct span spans[] = { { "core.ping", y->ping, &c->ping_ms, 0, true },
		                      { "core.avoid", y->avoid, &c->avoid_ms, 30000 } };

	c->core_domain = y->domain;
	c->core_host = y->host;
	c->registrar = y->registrar;
	c->proxy = y->proxy;
	c->dns = y->dns;
	if (y->host && !is_host(y->host))
		return config_refuse(c->doc, err, "core.host", "'%s' is no host name", y->host);
	rc = listens_read(c, &door, y->listen, y->listen_count, c->core, &c->core_count, err);
	if (!rc && !y->host && edge_address_any(&c->core[0].addr))
		rc = config_refuse(c->doc, err, "core.listen[0]",
		                   "core.host is needed with it: where shall others reach us?");
	if (!rc)
		rc = hop_check(c, "core.registrar", y->registrar, err);
	if (!rc)
		rc = hop_check(c, "core.proxy", y->proxy, err);
	if (!rc)
		rc = from_read(c, y, err);
	if (!rc)
		rc = dns_check(c, err);
	return rc ? rc : spans_read(c, spans, BASE_COUNT(spans), err);
}

/* ---- policy ---- */

/* One of two words; the first where there is none. */
static int word_read(const struct edge_config *c, const char *where, const char *text,
                     const char *no, const char *yes, bool *ret, struct base_error *err)
{
	*ret = text && !strcmp(text, yes);
	if (!text || *ret || !strcmp(text, no))
		return 0;
	return config_refuse(c->doc, err, where, "'%s' is none of: %s, %s", text, no, yes);
}

static int session_read(struct edge_config *c, struct base_error *err)
{
	static const struct edge_yaml_session none;
	const struct edge_yaml_session *y = c->yaml->session ? c->yaml->session : &none;
	const struct span spans[] = {
		{ "session.lifetime", y->lifetime, &c->lifetime_ms, 3600000 },
		{ "session.renew-before", y->before, &c->renew_before_ms, 60000 },
		{ "session.renew-timeout", y->timeout, &c->renew_timeout_ms, 10000 },
	};
	bool go_on = false;
	int rc = spans_read(c, spans, BASE_COUNT(spans), err);

	if (!rc)
		rc = word_read(c, "session.ignored", y->ignored, "end", "continue", &go_on, err);
	c->end_ignored = !go_on;
	if (rc)
		return rc;
	if (!c->lifetime_ms || c->lifetime_ms > EDGE_LIFETIME_MAX_MS)
		return config_refuse(c->doc, err, "session.lifetime",
		                     "more than nothing and at most 24h (TS 33.203, O.2.1)");
	if (!y->before && c->renew_before_ms > c->lifetime_ms / 2)
		c->renew_before_ms = c->lifetime_ms / 10;
	if (c->renew_before_ms > c->lifetime_ms / 2)
		return config_refuse(c->doc, err, "session.renew-before",
		                     "at most half of session.lifetime");
	return 0;
}

static int registration_read(struct edge_config *c, struct base_error *err)
{
	static const struct edge_yaml_registration none;
	static const char *const tls[] = { "tls;q=0.5" };
	const struct edge_yaml_registration *y =
	        c->yaml->registration ? c->yaml->registration : &none;
	int rc = word_read(c, "registration.security-agreement", y->agreement, "optional",
	                   "required", &c->agreement, err);

	c->challenge_ms = 32000;
	c->minimum_s = 0;
	c->identities_max = y->identities ? *y->identities : 32;
	c->mechanisms = y->mechanisms_count ? y->mechanisms : tls;
	c->mechanism_count = y->mechanisms_count ? y->mechanisms_count : 1;
	if (!rc)
		rc = word_read(c, "registration.on-loss", y->on_loss, "nothing", "deregister",
		               &c->deregister, err);
	if (!rc)
		rc = time_read(c, "registration.challenge", y->challenge, &c->challenge_ms, err);
	if (!rc)
		rc = seconds_read(c, "registration.minimum", y->minimum, &c->minimum_s, err);
	if (!rc && (!c->identities_max || c->identities_max > 256))
		rc = config_refuse(c->doc, err, "registration.identities-max", "1 to 256");
	for (unsigned i = 0; !rc && i < c->mechanism_count; i++)
		if (strcspn(c->mechanisms[i], "; \t") != 3 ||
		    strncmp(c->mechanisms[i], "tls", 3) != 0 ||
		    strpbrk(c->mechanisms[i], ",\r\n\"")) /* one element of a list */
			rc = config_refuse(c->doc, err, "registration.mechanisms",
			                   "'%s' is no mechanism tls of RFC 3329, such as "
			                   "tls;q=0.5",
			                   c->mechanisms[i]);
	return rc;
}

static int number_read(const struct edge_config *c, const char *where, const unsigned *y,
                       unsigned fallback, unsigned least, unsigned most, unsigned *ret,
                       struct base_error *err)
{
	*ret = y ? *y : fallback;
	return *ret >= least && *ret <= most
	               ? 0
	               : config_refuse(c->doc, err, where, "%u to %u", least, most);
}

/* One that is no URI is none that a UE could call. */
static int emergency_check(const struct edge_config *c, struct base_error *err)
{
	struct sip_uri uri;
	char where[EDGE_WHERE];

	for (unsigned i = 0; i < c->emergency_count; i++) {
		(void)snprintf(where, sizeof(where), "unregistered.emergency[%u]", i);
		if (sip_uri_parse(base_str_of(c->emergency[i]), &uri))
			return config_refuse(c->doc, err, where,
			                     "'%s' is no URI, such as urn:service:sos or tel:112",
			                     c->emergency[i]);
	}
	return 0;
}

static int unregistered_read(struct edge_config *c, struct base_error *err)
{
	static const struct edge_yaml_unregistered none;
	const struct edge_yaml_unregistered *y =
	        c->yaml->unregistered ? c->yaml->unregistered : &none;

	int rc = number_read(c, "unregistered.requests", y->requests, 5, 1, UINT_MAX,
	                     &c->refused_max, err);

	c->unregistered_ms = 32000;
	c->emergency = y->emergency;
	c->emergency_count = y->emergency_count;
	c->emergency_proxy = y->emergency_proxy;
	if (!rc)
		rc = emergency_check(c, err);
	if (!rc)
		rc = hop_check(c, "unregistered.emergency-proxy", y->emergency_proxy, err);
	return rc ? rc : time_read(c, "unregistered.time", y->time, &c->unregistered_ms, err);
}

static int limits_read(struct edge_config *c, struct base_error *err)
{
	static const struct edge_yaml_limits none;
	const struct edge_yaml_limits *y = c->yaml->limits ? c->yaml->limits : &none;
	int rc = number_read(c, "limits.connections", y->connections, 65536, 1, 1U << 20,
	                     &c->connections, err);

	c->retry_after_s = 10;
	if (!rc)
		rc = number_read(c, "limits.per-source", y->per_source, 256, 1, 1U << 20,
		                 &c->per_source, err);
	if (!rc)
		rc = number_read(c, "limits.per-flow", y->per_flow, 256, 1, 1U << 20, &c->per_flow,
		                 err);
	if (!rc)
		rc = number_read(c, "limits.transactions", y->transactions, 65536, 10, 1U << 22,
		                 &c->transactions, err);
	if (!rc)
		rc = number_read(c, "limits.lingering", y->lingering, 65536, 10, 1U << 22,
		                 &c->lingering, err);
	if (!rc)
		rc = number_read(c, "limits.bindings-per-identity", y->bindings, 16, 1, 1024,
		                 &c->bindings, err);
	if (!rc)
		rc = number_read(c, "limits.handshakes", y->handshakes, 80, 0, 100, &c->handshakes,
		                 err);
	if (!rc)
		rc = seconds_read(c, "limits.retry-after", y->retry_after, &c->retry_after_s, err);
	return rc || c->retry_after_s
	               ? rc
	               : config_refuse(c->doc, err, "limits.retry-after", "more than nothing");
}

static int log_read(struct edge_config *c, struct base_error *err)
{
	const struct edge_yaml_log *y = c->yaml->log;

	c->log_level = BASE_LOG_INFO;
	c->messages = y && y->messages;
	if (y && y->level && base_log_level_parse(base_str_of(y->level), &c->log_level))
		return config_refuse(c->doc, err, "log.level",
		                     "'%s' is none of: error, warn, info, debug", y->level);
	return 0;
}

/* ---- all ---- */

static int control_read(struct edge_config *c, struct base_error *err)
{
	union stream_addr addr;

	struct base_error why = { 0 };

	c->metrics = c->yaml->metrics ? c->yaml->metrics->listen : NULL;
	c->reg_event = c->yaml->reg_event;
	if (c->metrics && stream_addr_parse(&addr, base_str_of(c->metrics), &why))
		return config_refuse(c->doc, err, "metrics.listen", "%.300s", why.text);
	if (c->metrics && addr.sa.sa_family == AF_UNIX)
		return config_refuse(c->doc, err, "metrics.listen",
		                     "expected address and port, such as 127.0.0.1:9466");
	if (c->reg_event && !c->pool_address && edge_address_any(&c->core[0].addr))
		return config_refuse(c->doc, err, "reg-event",
		                     "the registrar cannot reach an edge whose first core.listen "
		                     "is of any address: name one, or pool.address");
	if (!c->yaml->control)
		return 0;
	c->control = config_doc_path(c->doc, c->yaml->control, &c->arena);
	if (!c->control)
		return BASE_ERR(BASE_LOCAL, 0);
	if (strlen(c->control) >= sizeof(addr.un.sun_path))
		return config_refuse(c->doc, err, "control", "a path of at most %zu octets",
		                     sizeof(addr.un.sun_path) - 1);
	return 0;
}

static int understand(struct edge_config *c, const struct edge_config *before,
                      struct base_error *err)
{
	static int (*const parts[])(struct edge_config *, struct base_error *) = {
		access_read,       core_read,   session_read,   registration_read,
		unregistered_read, limits_read, edge_pool_read, control_read,
	};
	int rc = log_read(c, err);

	if (!rc)
		rc = edge_read(c, err);
	if (!rc)
		rc = edge_domains_read(c, before, err);
	for (size_t i = 0; i < BASE_COUNT(parts) && !rc; i++)
		rc = parts[i](c, err);
	return rc;
}

int edge_config_load(struct edge_config **ret, const char *path, const struct edge_config *before,
                     struct base_error *err)
{
	struct edge_config *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	c->file = path;
	rc = config_load(path, &edge_yaml_schema, (void **)&c->yaml, &c->doc, err);
	if (!rc)
		rc = understand(c, before, err);
	if (rc) {
		edge_config_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void edge_config_free(struct edge_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->domain_count; i++) {
		tls_domain_unref(c->domains[i].tls);
		profile_checks_unref(c->domains[i].checks);
	}
	profile_store_free(c->profiles);
	base_secret_done(&c->pool.secret);
	base_secret_done(&c->pool.password);
	config_free(&edge_yaml_schema, c->yaml);
	config_doc_free(c->doc);
	base_arena_done(&c->arena);
	free(c);
}

static void gaps_tell(const struct edge_domain *domain)
{
	size_t count;
	const struct tls_gap *gaps = tls_domain_gaps(domain->tls, &count);

	for (size_t i = 0; i < count; i++)
		base_log(gaps[i].strength == PROFILE_MAY ? BASE_LOG_INFO : BASE_LOG_WARN, "edge",
		         "tls domain=%s gap: %s", domain->name, gaps[i].text);
}

void edge_config_warn(const struct edge_config *c)
{
	for (size_t i = 0; i < c->domain_count; i++)
		gaps_tell(&c->domains[i]);
	if (c->plain)
		base_log(BASE_LOG_WARN, "edge",
		         "access.unsafe-listen: without TLS nothing is bound and nobody is proven");
	if (c->messages)
		base_log(BASE_LOG_WARN, "edge",
		         "log.unsafe-messages: whole SIP messages are logged");
	if (c->lifetime_ms < c->minimum_s * 1000ULL)
		base_log(BASE_LOG_WARN, "edge",
		         "session.lifetime is shorter than registrations (registration.minimum): "
		         "TS 33.203, O.2.1 recommends 1h, or longer than those");
}
