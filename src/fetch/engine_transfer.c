/* SPDX-License-Identifier: Apache-2.0 */
/* One fetch: from wherever it comes, through the store. */
#include "fetch/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A question to a directory, on a thread of its own. */
struct asking {
	struct fetch_ldap_order order;
	struct fetch_source *source;
	struct fetch_config *config; /* its settings are read even when nobody waits any more */
	char url[FETCH_URL_MAX + 1];
	struct fetch_url at;
	struct fetch_blobs blobs;
	struct fetch_ldap_left_out left_out;
	struct base_error err;
	int rc;
};

static void failed(struct fetch_source *s, int rc, const struct base_error *err)
{
	fetch_source_ended(s, rc,
	                   err && err->text[0]                ? err->text
	                   : base_err_class(rc) == BASE_LOCAL ? "out of memory"
	                                                      : "failed",
	                   NULL);
}

/* ---- the store ---- */

static void on_stored(struct fetch_job *job)
{
	struct fetch_source *s = job->owner;
	char why[600];

	s->job = NULL;
	if (job->kept[0] && job->rc) { /* without the file there is no condition to set */
		fetch_job_free(job);
		s->validators = (struct fetch_validators){ .seen = 0 };
		fetch_transfer_start(s);
		return;
	}
	s->validators = (struct fetch_validators){ .seen = 0 };
	if (!job->rc && job->stored_count == 1)
		s->validators = s->news;
	fetch_source_ended(s, job->rc, base_error_format(&job->err, why, sizeof(why)), job);
	fetch_job_free(job);
}

static struct fetch_job *job_for(struct fetch_source *s)
{
	static const enum fetch_expect expects[FETCH_KINDS] = {
		[FETCH_COMPLETE] = FETCH_ONLY_COMPLETE,
		[FETCH_DELTA] = FETCH_ONLY_DELTA,
		[FETCH_REPOSITORY] = FETCH_ANY,
	};
	struct fetch_job *job = fetch_job_new();

	if (!job)
		return NULL;
	job->expect = s->owned ? FETCH_ANY : expects[s->config->kind];
	job->repository = s->config->kind == FETCH_REPOSITORY;
	job->issuer = s->config->issuer;
	job->now_s = fetch_now_ms() / 1000;
	job->urgent = s->wanted;
	job->done = on_stored;
	job->owner = s;
	job->back = s->engine->loop;
	return job;
}

static void store(struct fetch_source *s, struct fetch_job *job)
{
	s->job = job;
	fetch_job_post(s->engine->jobs, job);
}

/* ---- HTTP ---- */

static void on_response(void *arg, int rc, struct base_writer *body,
                        const struct fetch_validators *validators, const struct base_error *err)
{
	struct fetch_source *s = arg;
	struct fetch_job *job;

	s->get = NULL;
	if (rc) {
		failed(s, rc, err);
		return;
	}
	job = job_for(s);
	if (!job) {
		failed(s, BASE_ERR(BASE_LOCAL, ENOMEM), NULL);
		return;
	}
	if (body->len) {
		s->news = *validators;
	} else { /* the old ones stay */
		s->news = s->validators;
		(void)snprintf(job->kept, sizeof(job->kept), "%s", s->crls[0].stored.name);
	}
	job->body = *body;
	*body = (struct base_writer){ 0 };
	store(s, job);
}

/* Only what is there, whole, and far from its end is not worth being sent again. */
static bool may_be_kept(struct fetch_source *s)
{
	if (s->crl_count != 1 || fetch_plan_near_end(&s->plan, fetch_now_ms()))
		return false;
	return fetch_validators_any(&s->validators) &&
	       fetch_known_is_as_seen(s->engine, &s->crls[0]);
}

static int http_start(struct fetch_source *s, uint64_t total_ms, struct base_error *err)
{
	const struct fetch_limits *l = &s->engine->config->limits;
	const struct fetch_http_order order = { .url = s->config->url,
		                                .connect_ms = l->connect_ms,
		                                .total_ms = total_ms,
		                                .max_octets = l->octets,
		                                .unless = may_be_kept(s) ? &s->validators : NULL };

	return fetch_http_start(&s->get, s->engine->http, &order, on_response, s, err);
}

/* ---- LDAP ---- */

static void asking_free(void *arg)
{
	struct asking *a = arg;

	fetch_blobs_done(&a->blobs);
	fetch_config_free(a->config);
	free(a);
}

static void ldap_work(void *arg)
{
	struct asking *a = arg;

	a->rc = fetch_ldap_get(&a->order, &a->blobs, &a->err);
}

/* What is not there any more is taken away (fetch/withdrawn.h) only where all that is there was
 * read, through TLS: on a bare line anybody could leave something out. */
static bool is_whole(const struct asking *a)
{
	return a->order.repository && !a->left_out.count &&
	       (a->at.scheme == FETCH_LDAPS || a->order.settings->start_tls);
}

static size_t repositories(const struct fetch_config *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->source_count; i++)
		count += c->sources[i].kind == FETCH_REPOSITORY;
	return count;
}

static void ldap_done(void *arg)
{
	struct asking *a = arg;
	struct fetch_source *s = a->source;
	struct fetch_job *job = NULL;
	int rc = a->rc;

	s->call = NULL;
	if (a->left_out.count)
		base_log(BASE_LOG_WARN, "fetch", "event=left-out source=%s count=%zu: %s",
		         s->config->name, a->left_out.count, a->left_out.first.text);
	if (!rc && !a->blobs.count)
		rc = base_error_set(&a->err, BASE_ERR(BASE_PEER, ENOENT),
		                    "the directory has nothing there");
	if (!rc && !(job = job_for(s)))
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	if (rc) {
		failed(s, rc, &a->err);
	} else {
		job->blobs = a->blobs;
		job->whole = is_whole(a) ? s->config : NULL;
		job->repositories = repositories(a->config);
		a->blobs = (struct fetch_blobs){ 0 };
		store(s, job);
	}
	asking_free(a);
}

static int ldap_start(struct fetch_source *s, uint64_t total_ms)
{
	static const struct loop_call_ops ops = { ldap_work, ldap_done, asking_free };
	struct fetch_config *c = s->engine->config;
	struct asking *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	a->source = s;
	a->config = fetch_config_ref(c);
	a->at = s->config->at;
	memcpy(a->url, s->config->url, strlen(s->config->url) + 1);
	a->order = (struct fetch_ldap_order){
		.url = a->url,
		.at = &a->at,
		.allow = &c->allow,
		.referrals = c->limits.redirects,
		.left_out = &a->left_out,
		.settings = fetch_config_directory(c, &a->at),
		.repository = s->config->kind == FETCH_REPOSITORY,
		.connect_ms = BASE_MIN(c->limits.connect_ms, total_ms),
		.total_ms = total_ms,
		.max_octets = c->limits.octets,
		.max_values = c->limits.values,
	};
	a->blobs.max_octets = c->limits.octets;
	a->blobs.max_count = c->limits.values;
	rc = loop_call_start(&s->call, s->engine->loop, &ops, a);
	if (rc)
		asking_free(a);
	return rc;
}

/* ---- files ---- */

static int file_start(struct fetch_source *s)
{
	struct fetch_job *job = job_for(s);

	if (!job)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	job->file = s->config->file;
	job->max_octets = s->engine->config->limits.octets;
	store(s, job);
	return 0;
}

/* ---- all ---- */

void fetch_transfer_start(struct fetch_source *s)
{
	const struct fetch_config *c = s->engine->config;
	uint64_t total =
	        s->wanted ? BASE_MIN(c->demand.total_ms, c->limits.total_ms) : c->limits.total_ms;
	struct base_error err = { 0 };
	int rc;

	if (!s->config->url)
		rc = file_start(s);
	else if (s->config->at.scheme == FETCH_HTTP || s->config->at.scheme == FETCH_HTTPS)
		rc = http_start(s, total, &err);
	else
		rc = ldap_start(s, total);
	if (rc)
		failed(s, rc, &err);
}

void fetch_transfer_stop(struct fetch_source *s)
{
	fetch_http_cancel(s->get);
	loop_call_abandon(s->call);
	if (s->job)
		s->job->owner = NULL;
	s->get = NULL;
	s->call = NULL;
	s->job = NULL;
}
