/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TICK_MIN_MS 20
#define TICK_MAX_MS 5000 /* no clock that jumps, and no file that is lost, is missed for longer */
#define LOOK_MS     5000
#define SPREAD_MS   2000

static void tick(void *arg);

int64_t fetch_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct fetch_source *fetch_engine_next(struct fetch_engine *engine, struct fetch_source *source)
{
	struct base_node *node = source ? source->node.next : engine->sources.next;

	return node == &engine->sources ? NULL : BASE_CONTAINER_OF(node, struct fetch_source, node);
}

const struct fetch_config *fetch_engine_config(const struct fetch_engine *engine)
{
	return engine->config;
}

static void soon(struct fetch_engine *e)
{
	e->again = true;
	if (e->started)
		loop_timer_start(e->loop, &e->tick, 0, tick, e);
}

/* ---- sources ---- */

static struct fetch_source *source_new(struct fetch_engine *e,
                                       const struct fetch_source_config *config)
{
	struct fetch_source *s = calloc(1, sizeof(*s));
	uint64_t seed = 0;

	if (!s)
		return NULL;
	(void)base_random(&seed, sizeof(seed)); /* jitter: 0 does as well */
	s->engine = e;
	s->config = config;
	fetch_plan_init(&s->plan, seed, fetch_now_ms(), e->once ? 0 : SPREAD_MS);
	base_list_append(&e->sources, &s->node);
	base_list_init(&s->active);
	return s;
}

static void source_free(struct fetch_source *s)
{
	fetch_transfer_stop(s);
	if (s->owned) {
		s->engine->learnt--;
		free((char *)s->owned->url);
		free(s->owned);
	}
	base_list_remove(&s->active);
	base_list_remove(&s->node);
	free(s->crls);
	free(s);
}

struct fetch_source *fetch_source_learn(struct fetch_engine *e, struct base_str url,
                                        const struct fetch_url *at)
{
	struct fetch_source_config *config = calloc(1, sizeof(*config));
	char *copy = strndup(url.ptr, url.len);
	struct fetch_source *s = NULL;

	if (config && copy) {
		*config = (struct fetch_source_config){ .name = "learnt",
			                                .kind = FETCH_COMPLETE,
			                                .url = copy,
			                                .at = *at,
			                                .rules = e->config->rules };
		s = source_new(e, config);
	}
	if (!s) {
		free(config);
		free(copy);
		return NULL;
	}
	s->owned = config;
	e->learnt++;
	return s;
}

struct fetch_source *fetch_source_find(const struct fetch_engine *e, struct base_str url)
{
	for (struct base_node *n = e->sources.next; n != &e->sources; n = n->next) {
		struct fetch_source *s = BASE_CONTAINER_OF(n, struct fetch_source, node);
		const char *own = s->config->url ? s->config->url : s->config->file;

		if (base_str_eq(base_str_of(own), url))
			return s;
	}
	return NULL;
}

/* Does another source answer for that CRL? Then one learnt beside it is not needed: a URL can be
 * written in many ways. */
static bool has_other(const struct fetch_source *s, const char *file)
{
	for (struct base_node *n = s->engine->sources.next; n != &s->engine->sources; n = n->next) {
		const struct fetch_source *other = BASE_CONTAINER_OF(n, struct fetch_source, node);

		for (size_t i = 0; other != s && i < other->crl_count; i++)
			if (!strcmp(other->crls[i].stored.name, file))
				return true;
	}
	return false;
}

static bool is_needed(const struct fetch_source *s)
{
	for (size_t i = 0; i < s->crl_count; i++)
		if (!has_other(s, s->crls[i].stored.name))
			return true;
	return false;
}

/* A learnt one that brought nothing of its own, or whose CRL nobody renews, goes. */
static bool to_be_dropped(const struct fetch_source *s, int64_t now_ms)
{
	const struct fetch_demand_config *d = &s->engine->config->demand;
	int64_t this_ms, next_ms;

	if (!s->owned || s->running || s->wanted || !s->end_ms)
		return false;
	if (now_ms >= s->end_ms && now_ms < s->end_ms + (int64_t)d->pause_ms)
		return false; /* its outcome stands for a while */
	if (!is_needed(s))
		return true;
	fetch_known_end(s, &this_ms, &next_ms);
	return s->rc && now_ms > next_ms + (int64_t)d->forget_ms;
}

/* ---- what is due ---- */

static unsigned at_host(const struct fetch_engine *e, const struct fetch_source *s)
{
	unsigned count = 0;

	for (struct base_node *n = e->active.next; n != &e->active; n = n->next) {
		const struct fetch_source *other =
		        BASE_CONTAINER_OF(n, struct fetch_source, active);

		count += other->config->url && other->config->at.port == s->config->at.port &&
		         !strcmp(other->config->at.host, s->config->at.host);
	}
	return count;
}

static bool has_room(const struct fetch_engine *e, const struct fetch_source *s)
{
	const struct fetch_limits *l = &e->config->limits;

	/* Where a handshake waits there is as much room again. */
	unsigned times = s->wanted ? 2 : 1;

	return e->running < (size_t)times * l->parallel &&
	       (!s->config->url || at_host(e, s) < times * l->parallel_per_host);
}

static bool is_due(const struct fetch_source *s, int64_t now_ms)
{
	if (s->running)
		return false;
	return s->wanted || (s->engine->once ? !s->asked : fetch_plan_due(&s->plan, now_ms));
}

static void start(struct fetch_source *s)
{
	struct fetch_engine *e = s->engine;

	s->running = s->asked = true;
	e->running++;
	base_list_append(&e->active, &s->active);
	fetch_transfer_start(s);
}

static void drop(struct fetch_engine *e, int64_t now_ms)
{
	struct fetch_source *s = fetch_engine_next(e, NULL);

	while (s) {
		struct fetch_source *next = fetch_engine_next(e, s);

		if (to_be_dropped(s, now_ms))
			source_free(s);
		s = next;
	}
}

static void tick(void *arg)
{
	struct fetch_engine *e = arg;
	int64_t now = fetch_now_ms(), next = now + TICK_MAX_MS;

	e->again = false;
	if (now - e->looked_ms >= LOOK_MS || now < e->looked_ms) {
		fetch_known_look(e, now);
		e->looked_ms = now;
	}
	for (int waited_for = 1; waited_for >= 0; waited_for--)
		BASE_LIST_EACH(&e->sources, node, after)
		{
			struct fetch_source *s = BASE_CONTAINER_OF(node, struct fetch_source, node);

			if (s->wanted == waited_for && is_due(s, now) && has_room(e, s))
				start(s);
			else if (!s->running && !is_due(s, now))
				next = BASE_MIN(next, s->plan.due_ms);
		}
	if (fetch_known_alarm(e, now))
		fetch_known_report(e);
	drop(e, now);
	loop_timer_start(e->loop, &e->tick,
	                 e->again ? 0 : (uint64_t)BASE_MAX(next - now, TICK_MIN_MS), tick, e);
}

static void ended_log(const struct fetch_source *s, const struct fetch_job *job)
{
	const char *from = s->config->url ? s->config->url : s->config->file;
	bool news = false;

	if (s->rc) {
		base_log(BASE_LOG_WARN, "fetch",
		         "event=fetch-failed source=%s from=%s failures=%u next-try=%llds: %s",
		         s->config->name, from, s->plan.failures,
		         (long long)((s->plan.due_ms - s->plan.set_ms + 999) / 1000), s->error);
		return;
	}
	for (size_t i = 0; job && i < job->stored_count; i++) {
		const struct fetch_stored *st = &job->stored[i];

		news = news || !st->unchanged;
		if (!st->unchanged)
			base_log(BASE_LOG_INFO, "fetch",
			         "event=crl-stored source=%s file=%s issuer=\"%s\" delta=%d "
			         "entries=%zu next-update=%lld",
			         s->config->name, st->name, st->issuer, st->delta, st->entries,
			         (long long)st->next_update_s);
	}
	if (job && job->refused)
		base_log(BASE_LOG_INFO, "fetch", "event=not-taken source=%s count=%u: %s",
		         s->config->name, job->refused, job->refusal.text);
	base_log(news ? BASE_LOG_INFO : BASE_LOG_DEBUG, "fetch",
	         "event=fetched source=%s from=%s crls=%zu refused=%u not-modified=%d next=%llds",
	         s->config->name, from, job ? job->stored_count : 0, job ? job->refused : 0,
	         job && job->kept[0], (long long)((s->plan.due_ms - s->plan.set_ms + 999) / 1000));
}

/* It goes into answers and JSON: visible ASCII, whatever a server said. */
static void error_set(struct fetch_source *s, const char *why)
{
	(void)snprintf(s->error, sizeof(s->error), "%s", why);
	for (char *p = s->error; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* One address of a point will do: the first that we may ask (RFC 5280, 5.2.6 and 4.2.1.13). */
static void freshest_learn(struct fetch_engine *e, const char *urls)
{
	while (*urls) {
		const struct base_str url = { urls, strcspn(urls, "\n") };
		struct fetch_url at;

		if (fetch_source_find(e, url))
			return;
		if (!fetch_url_parse(url, &at, NULL) &&
		    !fetch_allow_url(&e->config->allow, &at, NULL)) {
			if (e->learnt < e->config->demand.sources &&
			    fetch_source_learn(e, url, &at))
				base_log(BASE_LOG_INFO, "fetch", "event=delta-learnt from=%.*s",
				         BASE_FMT(url));
			return;
		}
		urls += url.len + 1;
	}
}

void fetch_source_ended(struct fetch_source *s, int rc, const char *why,
                        const struct fetch_job *job)
{
	struct fetch_engine *e = s->engine;
	int64_t now = fetch_now_ms(), this_ms, next_ms;

	s->running = s->wanted = false;
	e->running--;
	base_list_remove(&s->active);
	for (size_t i = 0; job && i < job->stored_count; i++)
		if (fetch_known_add(s, &job->stored[i], now) && !rc) {
			rc = BASE_ERR(BASE_LOCAL, ENOMEM);
			why = "out of memory";
		}
	fetch_known_end(s, &this_ms, &next_ms);
	s->rc = rc;
	s->end_ms = now;
	error_set(s, rc ? why : "");
	if (rc) {
		s->failures++;
		fetch_plan_know(&s->plan, this_ms, next_ms);
		fetch_plan_bad(&s->plan, &s->config->rules, now);
	} else {
		s->successes++;
		s->success_ms = now;
		fetch_plan_good(&s->plan, &s->config->rules, now, this_ms, next_ms);
		for (size_t i = 0; i < s->crl_count; i++)
			freshest_learn(e, s->crls[i].stored.freshest);
	}
	ended_log(s, job);
	(void)fetch_known_source_alarm(s, now); /* the report comes in any case */
	fetch_known_report(e);
	if (e->events.ended)
		e->events.ended(e->events.arg, s);
	soon(e);
}

/* ---- from outside ---- */

static int sources_make(struct fetch_engine *e)
{
	for (size_t i = 0; i < e->config->source_count; i++)
		if (!source_new(e, &e->config->sources[i]))
			return BASE_ERR(BASE_LOCAL, ENOMEM);
	return 0;
}

int fetch_engine_new(struct fetch_engine **ret, struct loop *loop, struct fetch_config *config,
                     const struct fetch_engine_events *events, struct base_error *err)
{
	const struct fetch_issuer_files files = {
		.issuers = (const char *const *)config->issuers,
		.interconnection = (const char *const *)config->interconnection,
		.cross = (const char *const *)config->cross,
		.cache = config->cache,
	};
	const struct fetch_http_settings http = { .allow = &config->allow,
		                                  .proxy = config->proxy,
		                                  .anchors = config->https_anchors,
		                                  .redirects = config->limits.redirects,
		                                  .parallel = config->limits.parallel };
	struct fetch_engine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	base_list_init(&e->sources);
	base_list_init(&e->active);
	e->loop = loop;
	e->config = fetch_config_ref(config);
	e->events = *events;
	e->alarms = (struct fetch_alarm_rules){ config->warn_ms, config->critical_ms,
		                                config->remind_ms };
	rc = fetch_jobs_new(&e->jobs, &files, err);
	if (!rc)
		rc = fetch_http_new(&e->http, loop, &http);
	if (!rc)
		rc = sources_make(e);
	if (!rc)
		rc = fetch_known_load(e);
	if (rc)
		goto out;
	*ret = e;
	e = NULL;
out:
	fetch_engine_free(e);
	return rc;
}

void fetch_engine_free(struct fetch_engine *e)
{
	if (!e)
		return;
	loop_timer_stop(e->loop, &e->tick);
	loop_timer_stop(e->loop, &e->report);
	BASE_LIST_EACH(&e->sources, node, after)
	source_free(BASE_CONTAINER_OF(node, struct fetch_source, node));
	fetch_http_free(e->http);
	fetch_jobs_free(e->jobs);
	fetch_config_free(e->config);
	free(e);
}

void fetch_engine_start(struct fetch_engine *e, bool once)
{
	e->once = once;
	e->started = true;
	soon(e);
}

void fetch_engine_refresh(struct fetch_engine *e)
{
	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		s->plan.due_ms = 0;
	soon(e);
}

int fetch_engine_demand(struct fetch_engine *e, struct base_str url, struct fetch_source **ret,
                        struct base_error *err)
{
	struct fetch_source *s = fetch_source_find(e, url);
	int64_t now = fetch_now_ms();
	struct fetch_url at;
	int rc = 0;

	if (!s) {
		rc = fetch_url_parse(url, &at, err);
		if (!rc)
			rc = fetch_allow_url(&e->config->allow, &at, err);
		if (!rc && e->learnt >= e->config->demand.sources)
			rc = base_error_set(err, BASE_ERR(BASE_LOCAL, EAGAIN),
			                    "too many distribution points "
			                    "(socket.learnt-sources)");
		if (!rc && !(s = fetch_source_learn(e, url, &at)))
			rc = base_error_set(err, BASE_ERR(BASE_LOCAL, ENOMEM), "out of memory");
		if (rc)
			return rc;
	}
	if (!s->end_ms || now < s->end_ms || now >= s->end_ms + (int64_t)e->config->demand.pause_ms)
		s->wanted = true;
	if (s->running)
		s->wanted = true;
	soon(e);
	*ret = s;
	return 0;
}
