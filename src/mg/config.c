/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "mg/yaml.h"

#define DEFAULT_WATCH_MS 10000U
#define DEFAULT_KEEP_MS  3600000U
#define METRICS_PORT     9464 /* where Prometheus looks for exporters (P) */
#define DEFAULT_FETCH_MS 5000U
#define WORD_TRANSPORT   "h248.transport"
#define WRONG_TRANSPORT  "'%s' is not the transport of h248 (%s)"

static int word_pick(const struct mg_config *c, const char *where, const char *text,
                     const char *const *words, unsigned *ret, struct base_error *err)
{
	struct base_writer w = { 0 };
	int rc;

	for (unsigned i = 0; text && words[i]; i++)
		if (!strcmp(text, words[i])) {
			*ret = i;
			return 0;
		}
	if (!text)
		return 0;
	for (unsigned i = 0; words[i]; i++)
		base_writer_printf(&w, "%s%s", i ? ", " : "", words[i]);
	rc = config_refuse(c->doc, err, where, "'%s' is none of: %s", text, base_writer_cstr(&w));
	base_writer_done(&w);
	return rc;
}

int mg_ms_read(const struct mg_config *c, const char *where, const char *text, uint32_t *ret,
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

/* ---- mg ---- */

static int mg_read(struct mg_config *c, struct base_error *err)
{
	static const char *const leave[] = { "graceful", "forced", "failover", NULL };
	static const enum h248_method methods[] = { H248_GRACEFUL, H248_FORCED, H248_FAILOVER };
	const struct mg_yaml_mg *y = c->yaml->mg;
	struct h248_mid mid;
	unsigned word = 0;
	int rc;

	c->drain_ms = 30000;
	c->leave = H248_GRACEFUL;
	if (!y)
		return 0;
	if (y->mid && (strlen(y->mid) >= sizeof(c->mid) ||
	               h248_mid_parse(base_str_of(y->mid), &mid) || mid.kind == H248_MID_PORT))
		return config_refuse(c->doc, err, "mg.mid",
		                     "'%s' is no mId: expected [ADDRESS]:PORT, <DOMAIN>:PORT or a "
		                     "device name",
		                     y->mid);
	if (y->mid)
		snprintf(c->mid, sizeof(c->mid), "%s", y->mid);
	rc = mg_number_check(c, "mg.workers", y->workers, 1, 256, err);
	c->workers = y->workers;
	if (!rc)
		rc = config_duration(c->doc, "mg.drain", y->drain, 30000, &c->drain_ms, err);
	if (!rc)
		rc = word_pick(c, "mg.leave", y->leave, leave, &word, err);
	c->leave = methods[word];
	return rc;
}

/* ---- h248 ---- */

static int addr_read(const struct mg_config *c, const char *where, const char *text,
                     enum h248_transport_kind transport, struct h248_addr *ret,
                     struct base_error *err)
{
	struct config_address a;
	int rc = config_address(c->doc, where, text, H248_PORT_TEXT, &a, err);

	if (rc)
		return rc;
	if (a.transport[0] && strcmp(a.transport, h248_transport_name(transport)) != 0)
		return config_refuse(c->doc, err, where, WRONG_TRANSPORT, a.transport,
		                     h248_transport_name(transport));
	if (h248_addr_parse(transport, base_str_of(a.host), a.port, ret))
		return config_refuse(c->doc, err, where, "'%s' is no numeric address", a.host);
	ret->port = a.port;
	return 0;
}

/* Another than an address is a name, looked up when it is needed (RFC 3525, 9). */
static int controller_read(struct mg_config *c, const char *where, const char *text,
                           enum h248_transport_kind transport, struct base_error *err)
{
	struct h248_controller *to = &c->controllers[c->controller_count];
	struct config_address a;
	int rc = config_address(c->doc, where, text, H248_PORT_TEXT, &a, err);

	if (rc)
		return rc;
	if (a.transport[0] && strcmp(a.transport, h248_transport_name(transport)) != 0)
		return config_refuse(c->doc, err, where, WRONG_TRANSPORT, a.transport,
		                     h248_transport_name(transport));
	if (h248_addr_parse(transport, base_str_of(a.host), a.port, &to->addr)) {
		if (strlen(a.host) > H248_NAME_MAX)
			return config_refuse(c->doc, err, where,
			                     "'%s' is neither an address nor a name", a.host);
		to->addr.transport = (uint8_t)transport;
		snprintf(to->name, sizeof(to->name), "%s", a.host);
	}
	to->addr.port = a.port;
	c->controller_count++;
	return 0;
}

/* One entry: a controller, or a pool of equals between `|`. */
static int pool_read(struct mg_config *c, unsigned i, enum h248_transport_kind transport,
                     struct base_error *err)
{
	const char *text = c->yaml->controllers[i], *end;
	char where[MG_WHERE], one[256];
	int rc = 0;

	snprintf(where, sizeof(where), "controllers[%u]", i);
	for (bool first = true; text && !rc; first = false) {
		struct base_str part;

		end = strchr(text, '|');
		part = base_str_trim(end ? (struct base_str){ text, (size_t)(end - text) }
		                         : base_str_of(text));
		if (c->controller_count == MG_CONTROLLERS_MAX || part.len >= sizeof(one))
			return config_refuse(c->doc, err, where, "more than %d controllers",
			                     MG_CONTROLLERS_MAX);
		snprintf(one, sizeof(one), "%.*s", BASE_FMT(part));
		c->controllers[c->controller_count].alternative = !first;
		rc = controller_read(c, where, one, transport, err);
		text = end ? end + 1 : NULL;
	}
	return rc;
}

static int controllers_read(struct mg_config *c, enum h248_transport_kind transport,
                            struct base_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < c->yaml->controllers_count && !rc; i++)
		rc = pool_read(c, i, transport, err);
	c->assoc.controllers = c->controllers;
	c->assoc.controllers_count = c->controller_count;
	return rc;
}

/*
 * Where we listen. UDP's default: any address of the family of the first controller that has one
 * (of IPv4, when all are names), and the standard port (RFC 3525, 9).
 */
static int listen_read(struct mg_config *c, const struct mg_yaml_h248 *y,
                       enum h248_transport_kind kind, struct base_error *err)
{
	char where[MG_WHERE];
	uint8_t family = 0;
	int rc = 0;

	if (y->also_count && !y->listen)
		return config_refuse(c->doc, err, "h248.also-listen", "without h248.listen");
	if (y->also_count >= MG_ADDRESSES_MAX)
		return config_refuse(c->doc, err, "h248.also-listen", "more than %d addresses",
		                     MG_ADDRESSES_MAX - 1);
	if (y->listen)
		rc = addr_read(c, "h248.listen", y->listen, kind, &c->listen[0], err);
	for (unsigned i = 0; i < y->also_count && !rc; i++) {
		snprintf(where, sizeof(where), "h248.also-listen[%u]", i);
		rc = addr_read(c, where, y->also[i], kind, &c->listen[i + 1], err);
	}
	if (y->listen)
		c->listen_count = y->also_count + 1;
	if (y->listen || kind != H248_UDP)
		return rc;
	for (size_t i = 0; i < c->controller_count && !family; i++)
		family = c->controllers[i].addr.family;
	c->listen_count = 1;
	c->listen[0] = (struct h248_addr){ .transport = H248_UDP,
		                           .family = family ? family : 4,
		                           .port = H248_PORT_TEXT };
	return 0;
}

/* A UDP socket reaches addresses of its own family only. */
static void families_set(struct mg_config *c)
{
	uint8_t family = c->listen[0].family;

	for (size_t i = 1; i < c->listen_count; i++)
		if (c->listen[i].family != family)
			family = 0; /* both */
	for (size_t i = 0; i < c->controller_count; i++)
		if (c->controllers[i].name[0])
			c->controllers[i].addr.family = family;
}

static int h248_times_read(struct mg_config *c, const struct mg_yaml_h248 *y,
                           struct base_error *err)
{
	const struct {
		const char *where, *text;
		uint32_t *to;
	} times[] = {
		{ "h248.inactivity", y->inactivity, &c->assoc.inactivity_ms },
		{ "h248.max-waiting-delay", y->mwd, &c->assoc.mwd_ms },
		{ "h248.retry", y->retry, &c->assoc.retry_ms },
		{ "h248.retry-max", y->retry_max, &c->assoc.retry_max_ms },
		{ "h248.register-timeout", y->register_timeout, &c->assoc.register_ms },
		{ "h248.resolve-timeout", y->resolve_timeout, &c->assoc.resolve_ms },
		{ "h248.keep-contexts", y->keep_contexts, &c->keep_ms },
		{ "h248.hanging-after", y->hanging_after, &c->core.hanging_ms },
		{ "h248.leave-timeout", y->leave_timeout, &c->assoc.leave_ms },
		{ "h248.long-timer", y->long_timer, &c->node.txn.long_timer_ms },
		{ "h248.t-max", y->t_max, &c->node.txn.t_max_ms },
		{ "h248.execution-time", y->execution, &c->node.txn.execution_ms },
		{ "h248.handshake-timeout", y->link_timeout, &c->node.transport.handshake_ms },
	};
	int rc = 0;

	c->keep_ms = DEFAULT_KEEP_MS;
	for (size_t i = 0; i < BASE_COUNT(times) && !rc; i++)
		rc = mg_ms_read(c, times[i].where, times[i].text, times[i].to, err);
	c->core.execution_ms = c->node.txn.execution_ms;
	return rc;
}

static int h248_read(struct mg_config *c, struct base_error *err)
{
	static const char *const transports[] = { "udp", "tcp", "tls", "sctp", NULL };
	static const enum h248_transport_kind kinds[] = { H248_UDP, H248_TCP, H248_TLS, H248_SCTP };
	static const char *const encodings[] = { "compact", "pretty", "ber", NULL };
	static const struct mg_yaml_h248 none;
	const struct mg_yaml_h248 *y = c->yaml->h248 ? c->yaml->h248 : &none;
	unsigned transport = 0, encoding = 0;
	int rc = word_pick(c, WORD_TRANSPORT, y->transport, transports, &transport, err);
	enum h248_transport_kind kind = kinds[transport];

	if (!rc)
		rc = word_pick(c, "h248.encoding", y->encoding, encodings, &encoding, err);
	if (!rc)
		rc = mg_number_check(c, "h248.version", y->version, 1, H248_VERSION_MAX, err);
	if (!rc)
		rc = controllers_read(c, kind, err);
	if (!rc)
		rc = listen_read(c, y, kind, err);
	if (!rc)
		rc = h248_times_read(c, y, err);
	if (!rc)
		rc = mg_txn_read(c, kind, err);
	c->node.txn.codec = (enum h248_codec)encoding; /* in the order of enum h248_codec */
	c->node.txn.pretty = encoding == H248_CODEC_PRETTY;
	c->node.txn.pending_limit = c->core.pending_limit = y->pending_limit;
	c->assoc.version = (uint8_t)y->version;
	c->assoc.any_source = y->any_source;
	if (!rc && y->service_address)
		rc = addr_read(c, "h248.service-address", y->service_address, kind,
		               &c->service_address, err);
	if (!rc && y->service_address)
		c->assoc.service_address = &c->service_address;
	families_set(c);
	return rc ? rc : mg_profiles_read(c, err);
}

/* ---- media, limits, log ---- */

/* One more media address, of that realm (NULL: of none). */
static int media_address(struct mg_config *c, const char *where, const char *text,
                         const char *realm, struct base_error *err)
{
	if (c->core.address_count == MG_ADDRESSES_MAX)
		return config_refuse(c->doc, err, where, "more than %u addresses in all",
		                     MG_ADDRESSES_MAX);
	c->address_realms[c->core.address_count] = realm;
	return mg_host_read(c, where, text, &c->addresses[c->core.address_count++], err);
}

static int realm_read(struct mg_config *c, unsigned n, struct base_error *err)
{
	const struct mg_yaml_realm *r = &c->yaml->media->realms[n];
	char where[MG_WHERE];
	int rc = 0;

	snprintf(where, sizeof(where), "media.realms[%u].name", n);
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(c->yaml->media->realms[i].name, r->name))
			return config_refuse(c->doc, err, where, "realm '%s' is there already",
			                     r->name);
	if (strlen(r->name) > 64)
		return config_refuse(c->doc, err, where, "longer than 64 octets");
	for (unsigned i = 0; i < r->addresses_count && !rc; i++) {
		snprintf(where, sizeof(where), "media.realms[%u].addresses[%u]", n, i);
		rc = media_address(c, where, r->addresses[i], r->name, err);
	}
	return rc;
}

static int addresses_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_media *y = c->yaml->media;
	char where[MG_WHERE];
	int rc = 0;

	for (unsigned i = 0; i < y->addresses_count && !rc; i++) {
		snprintf(where, sizeof(where), "media.addresses[%u]", i);
		rc = media_address(c, where, y->addresses[i], NULL, err);
	}
	for (unsigned i = 0; i < y->realms_count && !rc; i++)
		rc = realm_read(c, i, err);
	if (!rc && !c->core.address_count)
		rc = config_refuse(c->doc, err, "media", "neither addresses nor realms");
	c->core.addresses = c->addresses;
	c->core.address_realms = c->address_realms;
	return rc;
}

static int ports_read(struct mg_config *c, const char *text, struct base_error *err)
{
	const char *dash = text ? strchr(text, '-') : NULL;
	uint64_t min, max;

	if (!text)
		return 0;
	if (!dash ||
	    base_str_u64(base_str_trim((struct base_str){ text, (size_t)(dash - text) }), 65535,
	                 &min) ||
	    base_str_u64(base_str_trim(base_str_of(dash + 1)), 65535, &max) || !min || max < min)
		return config_refuse(c->doc, err, "media.ports",
		                     "'%s' is no range of ports: expected LOW-HIGH", text);
	c->core.port_min = (uint16_t)min;
	c->core.port_max = (uint16_t)max;
	return 0;
}

static int media_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_media *y = c->yaml->media;
	int rc = ports_read(c, y->ports, err);

	if (!rc)
		rc = addresses_read(c, err);
	if (!rc)
		rc = mg_withdrawn_read(c, err);
	c->watch_ms = DEFAULT_WATCH_MS;
	if (!rc)
		rc = mg_ms_read(c, "media.watch", y->watch, &c->watch_ms, err);
	if (!rc)
		rc = mg_ms_read(c, "media.connect-timeout", y->connect_timeout, &c->core.connect_ms,
		                err);
	if (!rc)
		rc = mg_ms_read(c, "media.handshake-timeout", y->handshake_timeout,
		                &c->core.handshake_ms, err);
	return rc;
}

static int limits_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_limits *y = c->yaml->limits;
	uint64_t buffer = 0;
	int rc;

	if (!y)
		return 0;
	rc = mg_number_check(c, "limits.contexts", y->contexts, 1, 10000000, err);
	if (!rc)
		rc = mg_number_check(c, "limits.terminations-per-context", y->terminations, 1, 1024,
		                     err);
	if (!rc)
		rc = mg_number_check(c, "limits.streams-per-termination", y->streams, 1, 1024, err);
	if (!rc)
		rc = config_size(c->doc, "limits.buffer", y->buffer, 0, &buffer, err);
	c->core.max_contexts = y->contexts;
	c->core.max_terminations = y->terminations;
	c->core.max_streams = y->streams;
	c->endpoint_limit = y->endpoints;
	c->node.txn.max_incoming = y->transactions;
	c->buffer_limit = buffer;
	return rc;
}

static int log_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_log *y = c->yaml->log;

	c->log_level = BASE_LOG_INFO;
	if (!y)
		return 0;
	c->log_messages = y->messages;
	if (y->level && base_log_level_parse(base_str_of(y->level), &c->log_level))
		return config_refuse(c->doc, err, "log.level",
		                     "'%s' is none of: error, warn, info, debug", y->level);
	return 0;
}

/* What the counters tell is nobody's business but the operator's, and HTTP asks nobody who he is.
 */
static int metrics_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_metrics *y = c->yaml->metrics;

	if (!y)
		return 0;
	if (h248_addr_parse(H248_TCP, base_str_of(y->listen), METRICS_PORT, &c->metrics))
		return config_refuse(c->doc, err, "metrics.listen",
		                     "'%s' is no numeric address: 127.0.0.1:%u", y->listen,
		                     METRICS_PORT);
	if (h248_addr_loopback(&c->metrics))
		return 0;
	return config_refuse(
	        c->doc, err, "metrics.listen",
	        "'%s' is not on the loopback: metrics are neither encrypted nor is "
	        "anybody asked who he is; let a scraper's own proxy carry them further",
	        y->listen);
}

static int fetch_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_fetch *y = c->yaml->fetch;
	int rc;

	if (!y)
		return 0;
	c->fetch_socket = config_doc_path(c->doc, y->socket, &c->arena);
	if (!c->fetch_socket)
		return BASE_ERR(BASE_LOCAL, 0);
	c->fetch_limit_ms = DEFAULT_FETCH_MS;
	rc = mg_ms_read(c, "fetch.limit", y->limit, &c->fetch_limit_ms, err);
	if (!rc && !c->fetch_limit_ms)
		rc = config_refuse(c->doc, err, "fetch.limit",
		                   "0: leave out `fetch` to wait never");
	return rc;
}

static int pool_refuse(struct mg_config *c, const char *key, const struct base_error *why,
                       struct base_error *err)
{
	char text[900];

	return config_refuse(c->doc, err, key, "%.380s",
	                     base_error_format(why, text, sizeof(text)));
}

static int keys_pool_read(struct mg_config *c, struct base_error *err)
{
	const struct mg_yaml_pool *y = c->yaml->pool;
	struct base_error why = { 0 };
	const char *secret, *password;

	if (!y)
		return 0;
	secret = config_doc_path(c->doc, y->secret, &c->arena);
	password = y->password ? config_doc_path(c->doc, y->password, &c->arena) : NULL;
	if (!secret || (y->password && !password))
		return BASE_ERR(BASE_LOCAL, 0);
	if (config_secret_read(secret, &c->pool.secret, &why))
		return pool_refuse(c, "pool.secret-file", &why, err);
	if (password && config_password_read(password, &c->pool.password, &why))
		return pool_refuse(c, "pool.password-file", &why, err);
	c->pool.name = y->name;
	c->pool.redis = y->redis;
	if (pool_check(&c->pool, &why))
		return pool_refuse(c, "pool", &why, err);
	return 0;
}

int mg_config_reload(struct mg_config **ret, const char *path, const struct mg_domain_table *table,
                     struct base_error *err)
{
	struct mg_config *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return BASE_ERR(BASE_LOCAL, 0);
	c->replaced = table;
	rc = config_load(path, &mg_yaml_schema, (void **)&c->yaml, &c->doc, err);
	if (!rc)
		rc = mg_read(c, err);
	if (!rc)
		rc = h248_read(c, err);
	if (!rc)
		rc = media_read(c, err);
	if (!rc)
		rc = limits_read(c, err);
	if (!rc)
		rc = mg_overload_read(c, err);
	if (!rc)
		rc = log_read(c, err);
	if (!rc)
		rc = fetch_read(c, err);
	if (!rc)
		rc = keys_pool_read(c, err);
	if (!rc)
		rc = metrics_read(c, err);
	if (!rc)
		rc = mg_domains_load(c, err);
	if (!rc)
		rc = mg_link_read(c, err);
	if (!rc)
		rc = mg_sctp_read(c, err);
	if (rc)
		goto out;
	c->replaced = NULL;
	*ret = c;
	c = NULL;
out:
	mg_config_free(c);
	return rc;
}

int mg_config_load(struct mg_config **ret, const char *path, struct base_error *err)
{
	return mg_config_reload(ret, path, NULL, err);
}

void mg_config_free(struct mg_config *config)
{
	if (!config)
		return;
	mg_domain_table_free(config->domains);
	config_free(&mg_yaml_schema, config->yaml);
	config_doc_free(config->doc);
	base_secret_done(&config->pool.secret);
	base_secret_done(&config->pool.password);
	base_arena_done(&config->arena);
	free(config);
}

int mg_config_domains_renew(struct mg_config *config, const struct mg_domain_table *table,
                            struct mg_domain_table **ret, struct base_error *err)
{
	int rc;

	config->replaced = table;
	rc = mg_domains_load(config, err);
	config->replaced = NULL;
	if (!rc)
		*ret = mg_config_domains_take(config);
	else
		mg_domain_table_free(mg_config_domains_take(config));
	return rc;
}

struct mg_domain_table *mg_config_domains_take(struct mg_config *config)
{
	struct mg_domain_table *table = config->domains;

	config->domains = NULL;
	return table;
}

void mg_config_warn(const struct mg_config *c)
{
	if (c->assoc.any_source)
		base_log(BASE_LOG_WARN, "mg",
		         "unsafe setting h248.unsafe-any-source: whoever names itself like the "
		         "controller is obeyed");
	if (c->link.spec.anybody)
		base_log(BASE_LOG_WARN, "mg",
		         "unsafe setting h248.unsafe-anonymous-peer: controllers need not prove "
		         "who they are");
	if (c->yaml->h248 && c->yaml->h248->any_peer_name)
		base_log(BASE_LOG_WARN, "mg",
		         "unsafe setting h248.unsafe-any-peer-name: every certificate under the "
		         "anchors is taken for a controller's");
	if (c->core.unprotected_keys)
		base_log(BASE_LOG_WARN, "mg",
		         "unsafe setting h248.unsafe-unprotected-keys: keys are taken from "
		         "messages that anybody on the way could read");
	if (c->log_messages)
		base_log(BASE_LOG_WARN, "mg",
		         "unsafe setting log.unsafe-messages: keys that the controller sends stand "
		         "in the log");
	for (unsigned i = 0; i < c->yaml->domains_count; i++) {
		const struct mg_yaml_domain *d = &c->yaml->domains[i];

		if (d->null_encryption)
			base_log(BASE_LOG_WARN, "mg",
			         "unsafe setting unsafe-null-encryption in TLS domain %s: sessions "
			         "may be in clear text",
			         d->name);
		for (unsigned k = 0; k < d->continue_on_count; k++)
			base_log(BASE_LOG_WARN, "mg",
			         "unsafe setting continue-on in TLS domain %s: sessions go on "
			         "though the peer's authentication failed with '%s'",
			         d->name, d->continue_on[k]);
		for (unsigned k = 0; k < d->server_methods_count; k++)
			if (!strcmp(d->server_methods[k], "none"))
				base_log(BASE_LOG_WARN, "mg",
				         "unsafe setting server-methods none in TLS domain %s: "
				         "servers are not authenticated",
				         d->name);
	}
	for (size_t i = 0; c->domains && i < c->domains->count; i++)
		for (const char *const *f = c->domains->domains[i].findings; f && *f; f++)
			base_log(BASE_LOG_WARN, "mg", "TLS domain %s: certificate profile: %s",
			         c->domains->domains[i].name, *f);
	for (size_t i = 0; c->domains && i < c->domains->count; i++)
		for (const char *const *g = c->domains->domains[i].gaps; g && *g; g++)
			base_log(BASE_LOG_WARN, "mg", "TLS domain %s: %s",
			         c->domains->domains[i].name, *g);
}
