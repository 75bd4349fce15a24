/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "fetch/yaml.h"

#define WHERE 96
#define HOUR  3600000ULL
#define DAY   (24 * HOUR)

static int no_memory(void)
{
	return BASE_ERR(BASE_LOCAL, ENOMEM);
}

static int path_get(struct fetch_config *c, const char *text, const char **ret)
{
	*ret = text ? config_doc_path(c->doc, text, &c->arena) : NULL;
	return text && !*ret ? no_memory() : 0;
}

static int paths_get(struct fetch_config *c, const char **texts, unsigned count, const char ***ret)
{
	int rc = 0;

	*ret = base_arena_array(&c->arena, count + 1, sizeof(**ret));
	if (!*ret)
		return no_memory();
	for (unsigned i = 0; i < count && !rc; i++)
		rc = path_get(c, texts[i], &(*ret)[i]);
	return rc;
}

static int number_get(const struct fetch_config *c, const char *where, unsigned value,
                      unsigned fallback, unsigned max, unsigned *ret, struct base_error *err)
{
	*ret = value ? value : fallback;
	return *ret <= max ? 0 : config_refuse(c->doc, err, where, "at most %u", max);
}

struct time_row {
	const char *where, *text;
	uint64_t fallback_ms, *to;
};

static int times_get(const struct fetch_config *c, const struct time_row *rows, size_t count,
                     struct base_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int rc = config_duration(c->doc, rows[i].where, rows[i].text, rows[i].fallback_ms,
		                         rows[i].to, err);

		if (!rc && (!*rows[i].to || *rows[i].to > 3660 * DAY))
			rc = config_refuse(c->doc, err, rows[i].where,
			                   "more than nothing and at most ten years");
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- fetch, issuers ---- */

static int user_get(struct fetch_config *c, struct base_error *err)
{
	const struct passwd *pw;

	c->user = c->yaml->fetch->user;
	if (!c->user)
		return 0;
	pw = getpwnam(c->user);
	if (!pw)
		return config_refuse(c->doc, err, "fetch.user", "there is no user '%s'", c->user);
	if (!pw->pw_uid)
		return config_refuse(c->doc, err, "fetch.user",
		                     "'%s' is root: name one without privileges", c->user);
	c->uid = pw->pw_uid;
	c->gid = pw->pw_gid;
	return 0;
}

static int fetch_read(struct fetch_config *c, struct base_error *err)
{
	const struct fetch_yaml *y = c->yaml;
	int rc = user_get(c, err);

	if (!rc)
		rc = path_get(c, y->fetch->cache, &c->cache);
	if (!rc)
		rc = path_get(c, y->fetch->metrics, &c->metrics);
	if (!rc)
		rc = paths_get(c, y->issuers, y->issuers_count, &c->issuers);
	if (!rc)
		rc = paths_get(c, y->interconnection, y->interconnection_count,
		               &c->interconnection);
	if (!rc)
		rc = paths_get(c, y->cross, y->cross_count, &c->cross);
	return rc;
}

/* ---- schedule, limits, alarms ---- */

static int schedule_read(struct fetch_config *c, struct fetch_plan_rules *delta,
                         struct base_error *err)
{
	static const struct fetch_yaml_schedule none;
	const struct fetch_yaml_schedule *y = c->yaml->schedule ? c->yaml->schedule : &none;
	const struct time_row rows[] = {
		{ "schedule.refresh", y->refresh, HOUR, &c->rules.refresh_ms },
		{ "schedule.delta-refresh", y->delta_refresh, HOUR / 12, &delta->refresh_ms },
		{ "schedule.retry", y->retry, 30000, &c->rules.retry_ms },
		{ "schedule.retry-max", y->retry_max, HOUR / 6, &c->rules.retry_max_ms },
	};
	int rc = times_get(c, rows, BASE_COUNT(rows), err);

	if (!rc && c->rules.retry_max_ms < c->rules.retry_ms)
		rc = config_refuse(c->doc, err, "schedule.retry-max", "shorter than retry");
	delta->retry_ms = c->rules.retry_ms;
	delta->retry_max_ms = c->rules.retry_max_ms;
	return rc;
}

static int limits_read(struct fetch_config *c, struct base_error *err)
{
	static const struct fetch_yaml_limits none;
	const struct fetch_yaml_limits *y = c->yaml->limits ? c->yaml->limits : &none;
	struct fetch_limits *l = &c->limits;
	const struct time_row rows[] = {
		{ "limits.time", y->time, 60000, &l->total_ms },
		{ "limits.connect-time", y->connect_time, 10000, &l->connect_ms },
	};
	int rc = times_get(c, rows, BASE_COUNT(rows), err);

	l->redirects = y->redirects ? *y->redirects : 3;
	if (!rc && l->redirects > 20)
		rc = config_refuse(c->doc, err, "limits.redirects", "at most 20");
	if (!rc)
		rc = config_size(c->doc, "limits.size", y->size, 64U << 20, &l->octets, err);
	if (!rc && (!l->octets || l->octets > 256U << 20))
		rc = config_refuse(c->doc, err, "limits.size",
		                   "more than nothing and at most 256MiB");
	if (!rc)
		rc = number_get(c, "limits.parallel", y->parallel, 8, 256, &l->parallel, err);
	if (!rc)
		rc = number_get(c, "limits.parallel-per-host", y->per_host, 2, 256,
		                &l->parallel_per_host, err);
	if (!rc)
		rc = number_get(c, "limits.values", y->values, 10000, 1000000, &l->values, err);
	return rc;
}

static int alarms_read(struct fetch_config *c, struct base_error *err)
{
	static const struct fetch_yaml_alarms none;
	const struct fetch_yaml_alarms *y = c->yaml->alarms ? c->yaml->alarms : &none;
	const struct time_row rows[] = {
		{ "alarms.warn", y->warn, DAY, &c->warn_ms },
		{ "alarms.critical", y->critical, 4 * HOUR, &c->critical_ms },
		{ "alarms.remind", y->remind, HOUR, &c->remind_ms },
	};
	int rc = times_get(c, rows, BASE_COUNT(rows), err);

	if (!rc && c->critical_ms > c->warn_ms)
		rc = config_refuse(c->doc, err, "alarms.critical", "earlier than warn");
	return rc;
}

static int log_read(struct fetch_config *c, struct base_error *err)
{
	const char *level = c->yaml->log ? c->yaml->log->level : NULL;

	c->log_level = BASE_LOG_INFO;
	if (level && base_log_level_parse(base_str_of(level), &c->log_level))
		return config_refuse(c->doc, err, "log.level",
		                     "'%s' is none of: error, warn, info, debug", level);
	return 0;
}

/* ---- whom to ask ---- */

static int schemes_read(struct fetch_config *c, const struct fetch_yaml_allow *y,
                        struct base_error *err)
{
	char where[WHERE];

	if (!y->schemes) /* all but https, which needs anchors */
		c->allow.schemes = 1U << FETCH_HTTP | 1U << FETCH_LDAP | 1U << FETCH_LDAPS |
		                   (c->https_anchors ? 1U << FETCH_HTTPS : 0);
	for (unsigned i = 0; y->schemes && i < y->schemes_count; i++) {
		unsigned s = 0;

		while (s < FETCH_SCHEMES &&
		       strcmp(y->schemes[i], fetch_scheme_name((enum fetch_scheme)s)) != 0)
			s++;
		(void)snprintf(where, sizeof(where), "allow.schemes[%u]", i);
		if (s == FETCH_SCHEMES)
			return config_refuse(c->doc, err, where,
			                     "'%s' is none of: http, https, ldap, ldaps",
			                     y->schemes[i]);
		if (s == FETCH_HTTPS && !c->https_anchors)
			return config_refuse(c->doc, err, where,
			                     "https without http.anchors: nobody vouches for "
			                     "the server");
		c->allow.schemes |= 1U << s;
	}
	return 0;
}

/* The sources' own hosts come behind those of the file. */
static int allow_read(struct fetch_config *c, struct base_error *err)
{
	static const struct fetch_yaml_allow none;
	const struct fetch_yaml_allow *y = c->yaml->allow ? c->yaml->allow : &none;
	struct base_error why = { 0 };
	char where[WHERE];
	int rc = path_get(c, c->yaml->http ? c->yaml->http->anchors : NULL, &c->https_anchors);

	c->proxy = c->yaml->http ? c->yaml->http->proxy : NULL;
	c->allow.hosts =
	        base_arena_array(&c->arena, y->hosts_count + 2U * c->yaml->sources_count + 1,
	                         sizeof(*c->allow.hosts));
	if (rc || !c->allow.hosts)
		return rc ? rc : no_memory();
	for (unsigned i = 0; y->hosts && i < y->hosts_count; i++) {
		(void)snprintf(where, sizeof(where), "allow.hosts[%u]", i);
		if (fetch_allow_check(y->hosts[i], &why))
			return config_refuse(c->doc, err, where, "%s", why.text);
		c->allow.hosts[c->allow.host_count++] = y->hosts[i];
	}
	return schemes_read(c, y, err);
}

static int password_read(struct fetch_config *c, const char *file, struct base_secret *ret,
                         struct base_error *err)
{
	const char *path = NULL;
	int rc = path_get(c, file, &path);

	return rc ? rc : config_password_read(path, ret, err);
}

static int directory_read(struct fetch_config *c, unsigned i, struct base_error *err)
{
	const struct fetch_yaml_directory *y = &c->yaml->directories[i];
	struct fetch_directory *d = &c->directories[i];
	struct base_error why = { 0 };
	char where[WHERE];
	int rc;

	(void)snprintf(where, sizeof(where), "directories[%u].host", i);
	if (fetch_allow_check(y->host, &why))
		return config_refuse(c->doc, err, where, "%s", why.text);
	d->entry = y->host;
	d->ldap.start_tls = y->start_tls;
	d->ldap.bind_dn = y->bind_dn;
	d->ldap.unsafe_clear_bind = y->clear_bind;
	rc = path_get(c, y->anchors, &d->ldap.anchors);
	if (!rc && y->start_tls && !y->anchors)
		rc = config_refuse(c->doc, err, where,
		                   "start-tls without anchors: nobody vouches for the directory");
	if (!rc && !y->bind_dn != !y->password_file)
		rc = config_refuse(c->doc, err, where, "bind-dn and password-file go together");
	if (!rc && y->password_file)
		rc = password_read(c, y->password_file, &d->ldap.password, err);
	return rc;
}

static int directories_read(struct fetch_config *c, struct base_error *err)
{
	int rc = 0;

	c->directories = base_arena_array(&c->arena, c->yaml->directories_count + 1,
	                                  sizeof(*c->directories));
	if (!c->directories)
		return no_memory();
	for (unsigned i = 0; i < c->yaml->directories_count && !rc; i++) {
		c->directory_count = i + 1;
		rc = directory_read(c, i, err);
	}
	return rc;
}

/* ---- sources ---- */

static int where_leads(struct fetch_config *c, const char *where, const char *text,
                       struct fetch_source_config *s, struct base_error *err)
{
	struct base_error why = { 0 };
	char *entry;

	if (!strstr(text, "://"))
		return path_get(c, text, &s->file);
	s->url = text;
	if (fetch_url_parse(base_str_of(text), &s->at, &why))
		return config_refuse(c->doc, err, where, "%s", why.text);
	if (!(c->allow.schemes & 1U << s->at.scheme))
		return config_refuse(c->doc, err, where, "%s is not allowed (allow.schemes%s)",
		                     fetch_scheme_name(s->at.scheme),
		                     s->at.scheme == FETCH_HTTPS ? ", http.anchors" : "");
	entry = base_arena_printf(&c->arena, s->at.v6 ? "[%s]:%u" : "%s:%u", s->at.host,
	                          s->at.port);
	if (!entry)
		return no_memory();
	c->allow.hosts[c->allow.host_count++] = entry;
	return 0;
}

static int source_add(struct fetch_config *c, unsigned i, enum fetch_kind kind,
                      const struct fetch_plan_rules *rules, struct base_error *err)
{
	static const char *const keys[FETCH_KINDS] = { "crl", "delta", "repository" };
	const struct fetch_yaml_source *y = &c->yaml->sources[i];
	const char *texts[FETCH_KINDS] = { y->crl, y->delta, y->repository };
	struct fetch_source_config *s = &c->sources[c->source_count];
	const char *refresh = kind == FETCH_DELTA ? y->delta_refresh : y->refresh;
	char where[WHERE];
	struct time_row row;
	int rc;

	(void)snprintf(where, sizeof(where), "sources[%u].%s", i, keys[kind]);
	s->kind = kind;
	s->rules = *rules;
	s->name = kind == FETCH_DELTA ? base_arena_printf(&c->arena, "%s.delta", y->name) : y->name;
	if (!s->name)
		return no_memory();
	c->source_count++;
	rc = where_leads(c, where, texts[kind], s, err);
	if (!rc && kind == FETCH_REPOSITORY &&
	    (!s->url || (s->at.scheme != FETCH_LDAP && s->at.scheme != FETCH_LDAPS)))
		rc = config_refuse(c->doc, err, where, "a repository is read over ldap or ldaps");
	if (!rc)
		rc = path_get(c, y->issuer, &s->issuer);
	(void)snprintf(where, sizeof(where), "sources[%u].%srefresh", i,
	               kind == FETCH_DELTA ? "delta-" : "");
	row = (struct time_row){ where, refresh, rules->refresh_ms, &s->rules.refresh_ms };
	return rc ? rc : times_get(c, &row, 1, err);
}

static int name_check(const struct fetch_config *c, unsigned i, struct base_error *err)
{
	const struct fetch_yaml_source *y = &c->yaml->sources[i];
	char where[WHERE];

	(void)snprintf(where, sizeof(where), "sources[%u].name", i);
	for (const char *p = y->name; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return config_refuse(
			        c->doc, err, where,
			        "a name is of visible ASCII without spaces, quotes and "
			        "backslashes");
	if (strlen(y->name) > 64)
		return config_refuse(c->doc, err, where, "longer than 64 octets");
	for (unsigned k = 0; k < i; k++)
		if (!strcmp(c->yaml->sources[k].name, y->name))
			return config_refuse(c->doc, err, where, "source '%s' is there already",
			                     y->name);
	if (!y->repository == !(y->crl || y->delta))
		return config_refuse(c->doc, err, where, "either crl (and delta) or repository");
	return 0;
}

static int sources_read(struct fetch_config *c, const struct fetch_plan_rules *delta,
                        struct base_error *err)
{
	int rc = 0;

	c->sources =
	        base_arena_array(&c->arena, 2U * c->yaml->sources_count + 1, sizeof(*c->sources));
	if (!c->sources)
		return no_memory();
	for (unsigned i = 0; i < c->yaml->sources_count && !rc; i++) {
		const struct fetch_yaml_source *y = &c->yaml->sources[i];

		rc = name_check(c, i, err);
		if (!rc && y->crl)
			rc = source_add(c, i, FETCH_COMPLETE, &c->rules, err);
		if (!rc && y->delta)
			rc = source_add(c, i, FETCH_DELTA, delta, err);
		if (!rc && y->repository)
			rc = source_add(c, i, FETCH_REPOSITORY, &c->rules, err);
	}
	return rc;
}

/* ---- the socket ---- */

static int users_read(struct fetch_config *c, const struct fetch_yaml_socket *y,
                      struct base_error *err)
{
	struct fetch_demand_config *d = &c->demand;
	char where[WHERE];

	d->users = base_arena_array(&c->arena, y->users_count + 1, sizeof(*d->users));
	d->groups = base_arena_array(&c->arena, y->groups_count + 1, sizeof(*d->groups));
	if (!d->users || !d->groups)
		return no_memory();
	for (unsigned i = 0; i < y->users_count; i++) {
		const struct passwd *pw = getpwnam(y->users[i]);

		(void)snprintf(where, sizeof(where), "socket.users[%u]", i);
		if (!pw)
			return config_refuse(c->doc, err, where, "there is no user '%s'",
			                     y->users[i]);
		d->users[d->user_count++] = pw->pw_uid;
	}
	for (unsigned i = 0; i < y->groups_count; i++) {
		const struct group *gr = getgrnam(y->groups[i]);

		(void)snprintf(where, sizeof(where), "socket.groups[%u]", i);
		if (!gr)
			return config_refuse(c->doc, err, where, "there is no group '%s'",
			                     y->groups[i]);
		d->groups[d->group_count++] = gr->gr_gid;
	}
	return 0;
}

static int socket_read(struct fetch_config *c, struct base_error *err)
{
	static const struct fetch_yaml_socket none;
	const struct fetch_yaml_socket *y = c->yaml->socket ? c->yaml->socket : &none;
	struct fetch_demand_config *d = &c->demand;
	const struct time_row rows[] = {
		{ "socket.pause", y->pause, 5000, &d->pause_ms },
		{ "socket.time", y->time, 5000, &d->total_ms },
		{ "socket.forget", y->forget, 7 * DAY, &d->forget_ms },
	};
	int rc = times_get(c, rows, BASE_COUNT(rows), err);

	if (!rc)
		rc = path_get(c, y->path, &d->socket);
	if (!rc && d->socket && strlen(d->socket) > 107)
		rc = config_refuse(c->doc, err, "socket.path", "longer than 107 octets (unix(7))");
	if (!rc)
		rc = number_get(c, "socket.clients", y->clients, 64, 1024, &d->clients, err);
	if (!rc)
		rc = number_get(c, "socket.per-client", y->per_client, 64, 1024, &d->per_client,
		                err);
	if (!rc)
		rc = number_get(c, "socket.learnt-sources", y->sources, 1000, 100000, &d->sources,
		                err);
	return rc ? rc : users_read(c, y, err);
}

/* ---- all of it ---- */

int fetch_config_load(struct fetch_config **ret, const char *path, struct base_error *err)
{
	struct fetch_config *c = calloc(1, sizeof(*c));
	struct fetch_plan_rules delta = { 0 };
	int rc;

	if (!c)
		return no_memory();
	atomic_init(&c->refs, 1);
	rc = config_load(path, &fetch_yaml_schema, (void **)&c->yaml, &c->doc, err);
	if (!rc)
		rc = fetch_read(c, err);
	if (!rc)
		rc = schedule_read(c, &delta, err);
	if (!rc)
		rc = limits_read(c, err);
	if (!rc)
		rc = alarms_read(c, err);
	if (!rc)
		rc = allow_read(c, err);
	if (!rc)
		rc = directories_read(c, err);
	if (!rc)
		rc = sources_read(c, &delta, err);
	if (!rc)
		rc = socket_read(c, err);
	if (!rc)
		rc = log_read(c, err);
	if (rc)
		goto out;
	*ret = c;
	c = NULL;
out:
	fetch_config_free(c);
	return rc;
}

struct fetch_config *fetch_config_ref(struct fetch_config *config)
{
	atomic_fetch_add(&config->refs, 1);
	return config;
}

void fetch_config_free(struct fetch_config *config)
{
	if (!config || atomic_fetch_sub(&config->refs, 1) != 1)
		return;
	for (size_t i = 0; i < config->directory_count; i++)
		base_secret_done(&config->directories[i].ldap.password);
	config_free(&fetch_yaml_schema, config->yaml);
	config_doc_free(config->doc);
	base_arena_done(&config->arena);
	free(config);
}

const struct fetch_ldap_settings *fetch_config_directory(const struct fetch_config *config,
                                                         const struct fetch_url *at)
{
	for (size_t i = 0; i < config->directory_count; i++) {
		const struct fetch_allow one = { .hosts = &config->directories[i].entry,
			                         .host_count = 1,
			                         .schemes = ~0U };

		if (fetch_allow_url(&one, at, NULL) == 0)
			return &config->directories[i].ldap;
	}
	return &config->no_directory;
}

void fetch_config_apply(const struct fetch_config *config)
{
	base_log_level_set(config->log_level);
	for (size_t i = 0; i < config->directory_count; i++)
		if (config->directories[i].ldap.unsafe_clear_bind)
			base_log(BASE_LOG_WARN, "fetch",
			         "unsafe setting unsafe-clear-bind of directory %s: the password "
			         "may go over the wire in clear text",
			         config->directories[i].entry);
}
