/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "mgc/yaml.h"
#include "profile/profile.h"

#define RING_MS    60000U
#define LEG_MS     30000U
#define KMS_MS     5000U
#define SESSION_MS 1800000U
#define AUDIT_MS   30000U

int mgc_ms_read(const struct mgc_config *c, const char *where, const char *text, uint32_t *ret,
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

int mgc_secret_read(struct mgc_config *c, const char *where, const char *file, size_t least,
                    struct base_secret *ret, struct base_error *err)
{
	const char *path = config_doc_path(c->doc, file, &c->arena);
	struct base_error why = { 0 };
	char text[900];

	if (!path)
		return BASE_ERR(BASE_LOCAL, 0);
	if (config_secret_read(path, ret, &why))
		return config_refuse(c->doc, err, where, "%.380s",
		                     base_error_format(&why, text, sizeof(text)));
	if (ret->len < least)
		return config_refuse(c->doc, err, where, "a key of %zu octets; at least %zu",
		                     ret->len, least);
	return 0;
}

/* ---- sip ---- */

static int listen_check(struct mgc_config *c, unsigned i, const char *text, struct base_error *err)
{
	struct config_address a;
	char where[MGC_WHERE];
	int rc;

	(void)snprintf(where, sizeof(where), "sip.listen[%u]", i);
	rc = config_address(c->doc, where, text, 5060, &a, err);
	if (rc)
		return rc;
	if (strcmp(a.transport, "udp") != 0 && strcmp(a.transport, "tcp") != 0 &&
	    strcmp(a.transport, "tls") != 0)
		return config_refuse(c->doc, err, where,
		                     "'%s' names no transport: udp:, tcp: or tls: in front", text);
	if (!strcmp(a.transport, "tls") && !c->sip_domain)
		return config_refuse(c->doc, err, where,
		                     "tls needs sip.domain: the name of a TLS domain");
	return 0;
}

static int sip_read(struct mgc_config *c, struct base_error *err)
{
	const struct mgc_yaml_sip *y = c->yaml->sip;
	uint32_t session_ms = SESSION_MS;
	int rc;

	c->ring_ms = RING_MS;
	if (!y || !y->listen_count)
		return config_refuse(c->doc, err, "sip",
		                     "sip.listen is needed: where members call");
	if (y->listen_count > MGC_LISTEN_MAX)
		return config_refuse(c->doc, err, "sip.listen", "more than %d", MGC_LISTEN_MAX);
	c->sip_domain = y->domain;
	c->sip_host = y->host;
	c->proxy = y->proxy;
	c->trust_asserted = y->trust_asserted;
	c->dns = y->dns;
	rc = mgc_domain_check(c, "sip.domain", y->domain, err);
	for (unsigned i = 0; !rc && i < y->listen_count; i++) {
		rc = listen_check(c, i, y->listen[i], err);
		c->sip_listen[c->sip_listen_count++] = y->listen[i];
	}
	if (!rc)
		rc = mgc_ms_read(c, "sip.session", y->session, &session_ms, err);
	if (!rc && session_ms < 90000)
		rc = config_refuse(c->doc, err, "sip.session", "at least 90s (RFC 4028, 4)");
	c->session_s = session_ms / 1000;
	return rc ? rc : mgc_ms_read(c, "sip.ring", y->ring, &c->ring_ms, err);
}

/* ---- mrfp ---- */

static int suites_read(struct mgc_config *c, const struct mgc_yaml_mrfp *y, struct base_error *err)
{
	const struct profile_suite *suite;
	char where[MGC_WHERE];

	if (y->suites_count > MGC_SUITES_MAX)
		return config_refuse(c->doc, err, "mrfp.psk-suites", "more than %d",
		                     MGC_SUITES_MAX);
	for (unsigned i = 0; i < y->suites_count; i++) {
		(void)snprintf(where, sizeof(where), "mrfp.psk-suites[%u]", i);
		suite = profile_suite_named(base_str_of(y->suites[i]));
		/* in TLS 1.3 the suite says nothing of keys (RFC 8446, 4.2.11) */
		if (!suite ||
		    !(suite->flags & PROFILE_SUITE_PSK || profile_suite_tls13(suite->code)))
			return config_refuse(c->doc, err, where,
			                     "'%s' is no PSK suite by its IANA name, such as "
			                     "TLS_PSK_WITH_AES_128_GCM_SHA256",
			                     y->suites[i]);
		c->suites[c->suite_count++] = y->suites[i];
	}
	return 0;
}

static int mrfp_read(struct mgc_config *c, struct base_error *err)
{
	const struct mgc_yaml_mrfp *y = c->yaml->mrfp;
	int rc;

	c->leg_ms = LEG_MS;
	if (!y)
		return 0;
	c->media_domain = y->domain;
	c->agnostic = y->agnostic;
	rc = suites_read(c, y, err);
	return rc ? rc : mgc_ms_read(c, "mrfp.timeout", y->timeout, &c->leg_ms, err);
}

/* ---- kms ---- */

static int kms_read(struct mgc_config *c, struct base_error *err)
{
	const struct mgc_yaml_kms *y = c->yaml->kms;
	int rc;

	c->kms_ms = KMS_MS;
	c->kms_parameter = "requesttype";
	if (!y)
		return 0;
	c->kms_url = y->url;
	if (y->parameter)
		c->kms_parameter = y->parameter;
	c->kms_domain = y->domain;
	if (y->url && strncmp(y->url, "http://", 7) != 0 && strncmp(y->url, "https://", 8) != 0)
		return config_refuse(c->doc, err, "kms.url", "'%s' is no http:// or https:// URL",
		                     y->url);
	if (!y->domain != (!y->url || strncmp(y->url, "https:", 6) != 0))
		return config_refuse(c->doc, err, y->domain ? "kms.domain" : "kms.url",
		                     "https:// and kms.domain, the name of a TLS domain, go "
		                     "together");
	rc = mgc_domain_check(c, "kms.domain", y->domain, err);
	return rc ? rc : mgc_ms_read(c, "kms.timeout", y->timeout, &c->kms_ms, err);
}

/* ---- all ---- */

static int log_read(struct mgc_config *c, struct base_error *err)
{
	const struct mgc_yaml_log *y = c->yaml->log;

	c->log_level = BASE_LOG_INFO;
	c->messages = y && y->messages;
	if (y && y->level && base_log_level_parse(base_str_of(y->level), &c->log_level))
		return config_refuse(c->doc, err, "log.level",
		                     "'%s' is none of: error, warn, info, debug", y->level);
	return 0;
}

static int understand(struct mgc_config *c, struct base_error *err)
{
	static int (*const parts[])(struct mgc_config *, struct base_error *) = {
		log_read,  mgc_domains_read, sip_read,       mgc_mp_read,
		mrfp_read, kms_read,         mgc_mikey_read, mgc_rooms_read,
	};
	int rc = 0;

	for (size_t i = 0; i < BASE_COUNT(parts) && !rc; i++)
		rc = parts[i](c, err);
	c->metrics = c->yaml->metrics ? c->yaml->metrics->listen : NULL;
	return rc;
}

int mgc_config_load(struct mgc_config **ret, const char *path, struct base_error *err)
{
	struct mgc_config *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory");
	c->file = path;
	c->mp.audit_ms = AUDIT_MS;
	rc = config_load(path, &mgc_yaml_schema, (void **)&c->yaml, &c->doc, err);
	if (!rc)
		rc = understand(c, err);
	if (rc) {
		mgc_config_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void mgc_config_free(struct mgc_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->domain_count; i++)
		tls_domain_unref(c->domains[i].tls);
	profile_store_free(c->profiles);
	mikey_replay_free(c->replay);
	base_secret_done(&c->psk);
	base_secret_done(&c->tpk_key);
	config_free(&mgc_yaml_schema, c->yaml);
	config_doc_free(c->doc);
	base_arena_done(&c->arena);
	free(c);
}

void mgc_config_warn(const struct mgc_config *c)
{
	if (c->messages)
		base_log(BASE_LOG_WARN, "mgc",
		         "log.unsafe-messages: H.248 messages are logged, KEYS INCLUDED");
	if (c->mp.unprotected_keys)
		base_log(BASE_LOG_WARN, "mgc",
		         "h248.unsafe-unprotected-keys: keys go to MRFPs in the clear");
	if (c->kms_url && !strncmp(c->kms_url, "http:", 5))
		base_log(BASE_LOG_INFO, "mgc",
		         "kms.url is http: MIKEY protects what it carries, not who asks whom");
	if (!c->room_count)
		base_log(BASE_LOG_WARN, "mgc", "no conferences: every call is refused");
}
