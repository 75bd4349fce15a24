/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "mg/yaml.h"

#define METRICS_PORT     9464 /* where Prometheus looks for exporters (P) */
#define DEFAULT_FETCH_MS 5000U

int mg_word_pick(const struct mg_config *c, const char *where, const char *text,
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
		rc = mg_word_pick(c, "mg.leave", y->leave, leave, &word, err);
	c->leave = methods[word];
	return rc;
}

/* ---- limits, log, metrics, fetcher, pool ---- */

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
		rc = mg_h248_read(c, err);
	if (!rc)
		rc = mg_media_read(c, err);
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
