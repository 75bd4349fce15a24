/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsd/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define WHERE  96
#define SECOND 1000ULL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

int kmsd_path(struct kmsd_config *c, const char *text, const char **ret)
{
	*ret = text ? config_doc_path(c->doc, text, &c->arena) : NULL;
	return text && !*ret ? BASE_ERR(BASE_LOCAL, 0) : 0;
}

/* ---- addresses ---- */

/* A numeric one: a server's own address is not looked up. */
static int address_read(const struct kmsd_config *c, const char *where, const char *text,
                        struct kmsd_listen *ret, struct base_error *err)
{
	struct config_address a;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ret->at;
	struct sockaddr_in *four = (struct sockaddr_in *)&ret->at;
	int rc = config_address(c->doc, where, text, 0, &a, err);

	if (rc)
		return rc;
	if (inet_pton(AF_INET, a.host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(a.port);
	} else if (inet_pton(AF_INET6, a.host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(a.port);
	} else {
		return config_refuse(c->doc, err, where, "'%s' is no IP address with a port", text);
	}
	(void)snprintf(ret->text, sizeof(ret->text), "%.79s", text);
	return 0;
}

static int listen_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml *y = c->yaml;
	char where[WHERE];
	int rc = 0;

	for (unsigned i = 0; i < y->listen_count && !rc; i++) {
		const struct kmsd_yaml_listen *l = &y->listen[i];
		struct kmsd_listen *to = &c->listen[i];

		to->tls = l->https != NULL;
		(void)snprintf(where, sizeof(where), "listen[%u].%s", i,
		               to->tls ? "https" : "http");
		if (!l->http == !l->https)
			return config_refuse(c->doc, err, where,
			                     "one of http and https, with an address");
		rc = address_read(c, where, to->tls ? l->https : l->http, to, err);
		if (!rc && to->tls && !y->tls)
			rc = config_refuse(c->doc, err, where,
			                   "https needs `tls`: certificate, key, profile");
		c->listen_count = i + 1;
	}
	c->has_metrics = y->metrics != NULL;
	if (!rc && y->metrics)
		rc = address_read(c, "metrics.listen", y->metrics->listen, &c->metrics, err);
	return rc;
}

/* ---- what is granted ---- */

/* Seconds, of a duration; the KMS takes 0 for its own default. */
static int seconds_read(const struct kmsd_config *c, const char *where, const char *text,
                        uint32_t *ret, struct base_error *err)
{
	uint64_t ms;
	int rc = config_duration(c->doc, where, text, 0, &ms, err);

	if (!rc && text && (ms < SECOND || ms > 3660 * DAY))
		rc = config_refuse(c->doc, err, where, "at least one second and at most ten years");
	if (!rc)
		*ret = (uint32_t)(ms / SECOND);
	return rc;
}

static int tickets_read(struct kmsd_config *c, struct base_error *err)
{
	static const struct kmsd_yaml_tickets none;
	const struct kmsd_yaml_tickets *y = c->yaml->tickets ? c->yaml->tickets : &none;
	int rc = seconds_read(c, "tickets.lifetime", y->lifetime, &c->kms.lifetime_s, err);

	if (!rc)
		rc = seconds_read(c, "tickets.lifetime-max", y->lifetime_max,
		                  &c->kms.lifetime_max_s, err);
	if (!rc)
		rc = seconds_read(c, "tickets.turn", y->turn, &c->kms.turn_s, err);
	if (!rc)
		rc = seconds_read(c, "tickets.skew", y->skew, &c->kms.skew_s, err);
	if (!rc && c->kms.lifetime_s > (c->kms.lifetime_max_s ? c->kms.lifetime_max_s : 86400))
		rc = config_refuse(c->doc, err, "tickets.lifetime", "longer than lifetime-max");
	return rc;
}

static int rules_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml *y = c->yaml;
	struct kms_rule *rules = base_arena_array(&c->arena, y->rules_count + 1, sizeof(*rules));
	char where[WHERE];
	int rc = rules ? 0 : BASE_ERR(BASE_LOCAL, 0);

	for (unsigned i = 0; i < y->rules_count && !rc; i++) {
		const struct kmsd_yaml_rule *r = &y->rules[i];

		rules[i] = (struct kms_rule){ .from = r->from, .to = r->to, .deny = r->deny };
		(void)snprintf(where, sizeof(where), "rules[%u].lifetime", i);
		rc = seconds_read(c, where, r->lifetime, &rules[i].lifetime_s, err);
		if (!rc && strchr(r->from, '*') != strrchr(r->from, '*')) {
			(void)snprintf(where, sizeof(where), "rules[%u].from", i);
			rc = config_refuse(c->doc, err, where, "one * only");
		}
		if (!rc && strchr(r->to, '*') != strrchr(r->to, '*')) {
			(void)snprintf(where, sizeof(where), "rules[%u].to", i);
			rc = config_refuse(c->doc, err, where, "one * only");
		}
	}
	c->kms.rules = rules;
	c->kms.rule_count = y->rules_count;
	return rc;
}

static int groups_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml *y = c->yaml;
	struct kms_group *groups =
	        base_arena_array(&c->arena, y->groups_count + 1, sizeof(*groups));
	char where[WHERE];

	if (!groups)
		return BASE_ERR(BASE_LOCAL, 0);
	for (unsigned i = 0; i < y->groups_count; i++) {
		const struct kmsd_yaml_group *g = &y->groups[i];

		groups[i] = (struct kms_group){ g->name, g->members, g->members_count };
		for (unsigned m = 0; m < g->members_count; m++) {
			if (strchr(g->members[m], '*') == strrchr(g->members[m], '*'))
				continue;
			(void)snprintf(where, sizeof(where), "groups[%u].members[%u]", i, m);
			return config_refuse(c->doc, err, where, "one * only");
		}
	}
	c->kms.groups = groups;
	c->kms.group_count = y->groups_count;
	return 0;
}

/* ---- the KMS itself ---- */

static int master_read(struct kmsd_config *c, struct base_error *err)
{
	const char *path = NULL;
	struct base_error why = { 0 };
	char text[900];
	int rc = kmsd_path(c, c->yaml->kms->master_key, &path);

	if (rc)
		return rc;
	rc = config_secret_read(path, &c->master, &why);
	if (rc)
		return config_refuse(c->doc, err, "kms.master-key", "%.400s",
		                     base_error_format(&why, text, sizeof(text)));
	return c->master.len == KMS_MASTER_KEY
	               ? 0
	               : config_refuse(c->doc, err, "kms.master-key",
	                               "%s: %d octets are needed, as %d hex digits: openssl rand "
	                               "-hex 32",
	                               path, KMS_MASTER_KEY, 2 * KMS_MASTER_KEY);
}

/* Its own key pair, for requests by public key. */
static int identity_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml_kms *y = c->yaml->kms;
	const char *cert = NULL, *key = NULL;
	struct base_error why = { 0 };
	char text[900];
	int rc = kmsd_path(c, y->certificate, &cert);

	if (rc || !cert)
		return rc;
	rc = kmsd_path(c, y->key ? y->key : y->certificate, &key);
	if (!rc && x509_identity_load(&c->identity, cert, key, &why))
		return config_refuse(c->doc, err, "kms.certificate", "%.400s",
		                     base_error_format(&why, text, sizeof(text)));
	if (rc)
		return rc;
	if (!EVP_PKEY_is_a(c->identity->key, "RSA"))
		return config_refuse(c->doc, err, "kms.certificate",
		                     "requests by public key need an RSA key (RFC 3830, 3.2)");
	c->kms.key = c->identity->key;
	c->kms.cert = mikey_octets_of(c->identity->der[0].ptr, c->identity->der[0].len);
	return 0;
}

static int kms_read(struct kmsd_config *c, struct base_error *err)
{
	const struct kmsd_yaml_kms *y = c->yaml->kms;
	int rc = kmsd_store_read(c, err);

	c->kms.identity = y->identity;
	if (!rc && (!strchr(y->identity, ':') || strlen(y->identity) > 255))
		rc = config_refuse(c->doc, err, "kms.identity",
		                   "a URI of at most 255 octets is needed: sip:kms.example.com");
	if (!rc)
		rc = kmsd_path(c, y->control, &c->control);
	if (!rc && c->control && strlen(c->control) > 107)
		rc = config_refuse(c->doc, err, "kms.control", "longer than 107 octets (unix(7))");
	if (!rc)
		rc = master_read(c, err);
	if (!rc)
		rc = identity_read(c, err);
	return rc;
}

/* ---- HTTP ---- */

static int form_read(struct kmsd_config *c, struct base_error *err)
{
	static const struct kmsd_yaml_http none;
	const struct kmsd_yaml_http *y = c->yaml->http ? c->yaml->http : &none;

	c->form = (struct kmsd_form){
		.path = y->path ? y->path : "/keymanagement",
		.parameter = y->parameter ? y->parameter : "requesttype",
		.request = y->request ? y->request : "ticketrequest",
		.resolve = y->resolve ? y->resolve : "ticketresolve",
	};
	if (c->form.path[0] != '/')
		return config_refuse(c->doc, err, "http.path", "it begins with /");
	if (!strcmp(c->form.request, c->form.resolve))
		return config_refuse(c->doc, err, "http.resolve", "not the same as request");
	return 0;
}

static int limits_read(struct kmsd_config *c, struct base_error *err)
{
	static const struct kmsd_yaml_limits none;
	const struct kmsd_yaml_limits *y = c->yaml->limits ? c->yaml->limits : &none;
	int rc = config_size(c->doc, "limits.body", y->body, 65536, &c->body_max, err);

	if (!rc && (c->body_max < 1024 || c->body_max > 16 << 20))
		rc = config_refuse(c->doc, err, "limits.body", "from 1KiB to 16MiB");
	if (!rc)
		rc = config_duration(c->doc, "limits.request", y->request, 10 * SECOND,
		                     &c->request_ms, err);
	if (!rc && (c->request_ms < 100 || c->request_ms > HOUR))
		rc = config_refuse(c->doc, err, "limits.request", "from 100ms to 1h");
	c->connections = y->connections ? y->connections : 1024;
	c->per_source = y->per_source ? y->per_source : (c->connections + 3) / 4;
	return rc;
}

static int log_read(struct kmsd_config *c, struct base_error *err)
{
	const char *level = c->yaml->log ? c->yaml->log->level : NULL;

	c->level = BASE_LOG_INFO;
	if (level && base_log_level_parse(base_str_of(level), &c->level))
		return config_refuse(c->doc, err, "log.level",
		                     "'%s' is none of: error, warn, info, debug", level);
	return 0;
}

/* ---- all ---- */

static int read_all(struct kmsd_config *c, struct base_error *err)
{
	static int (*const parts[])(struct kmsd_config *, struct base_error *) = {
		kms_read,    listen_read, form_read, tickets_read,     rules_read,
		groups_read, limits_read, log_read,  kmsd_domain_load,
	};
	int rc = 0;

	for (size_t i = 0; i < BASE_COUNT(parts) && !rc; i++)
		rc = parts[i](c, err);
	return rc;
}

int kmsd_config_load(struct kmsd_config **ret, const char *file, struct base_error *err)
{
	struct kmsd_config *c = calloc(1, sizeof(*c));
	void *yaml = NULL;
	int rc;

	if (!c)
		return BASE_ERR(BASE_LOCAL, 0);
	c->file = file;
	rc = config_load(file, &kmsd_yaml_schema, &yaml, &c->doc, err);
	c->yaml = yaml;
	if (!rc)
		rc = read_all(c, err);
	if (rc)
		kmsd_config_free(c);
	else
		*ret = c;
	return rc;
}

void kmsd_config_free(struct kmsd_config *c)
{
	if (!c)
		return;
	tls_domain_unref(c->domain);
	profile_store_free(c->profiles);
	x509_identity_unref(c->identity);
	base_secret_done(&c->master);
	base_secret_done(&c->redis_password);
	base_arena_done(&c->arena);
	config_free(&kmsd_yaml_schema, c->yaml);
	config_doc_free(c->doc);
	free(c);
}
