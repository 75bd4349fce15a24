/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the cache folder, and how long it will do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fetch/engine_private.h"
#include "fetch/report.h"
#include "fetch/state.h"

#define REPORT_MS 200 /* one report for all that ends within */

static bool state_path(const struct fetch_engine *e, char *buf, size_t cap)
{
	return snprintf(buf, cap, "%s/" FETCH_STATE_FILE, e->config->cache) < (int)cap;
}

static void file_look(const struct fetch_engine *e, const char *name, uint64_t ret[3])
{
	char path[4096];
	struct stat st;

	ret[0] = ret[1] = ret[2] = 0;
	if (snprintf(path, sizeof(path), "%s/%s", e->config->cache, name) >= (int)sizeof(path) ||
	    stat(path, &st) < 0)
		return;
	ret[0] = (uint64_t)st.st_ino;
	ret[1] = (uint64_t)st.st_size;
	ret[2] = (uint64_t)st.st_mtim.tv_sec * 1000000000U + (uint64_t)st.st_mtim.tv_nsec;
}

bool fetch_known_is_as_seen(const struct fetch_engine *e, const struct fetch_crl *crl)
{
	uint64_t now[3];

	file_look(e, crl->stored.name, now);
	return !crl->lost && now[0] && !memcmp(now, crl->seen, sizeof(now));
}

/* What was not read again has told its size and its delta before. */
static void stored_renew(struct fetch_crl *crl, const struct fetch_stored *stored)
{
	const struct fetch_stored before = crl->stored;

	crl->stored = *stored;
	if (stored->octets)
		return;
	crl->stored.octets = before.octets;
	memcpy(crl->stored.freshest, before.freshest, sizeof(before.freshest));
}

int fetch_known_add(struct fetch_source *s, const struct fetch_stored *stored, int64_t now_ms)
{
	struct fetch_crl *crl = NULL, *more;

	for (size_t i = 0; i < s->crl_count && !crl; i++)
		if (!strcmp(s->crls[i].stored.name, stored->name))
			crl = &s->crls[i];
	if (!crl) {
		more = reallocarray(s->crls, s->crl_count + 1, sizeof(*more));
		if (!more)
			return BASE_ERR(BASE_LOCAL, ENOMEM);
		s->crls = more;
		crl = &more[s->crl_count++];
		*crl = (struct fetch_crl){ 0 };
	}
	stored_renew(crl, stored);
	crl->success_ms = now_ms;
	crl->lost = false;
	file_look(s->engine, stored->name, crl->seen);
	return 0;
}

void fetch_known_end(const struct fetch_source *s, int64_t *ret_this_ms, int64_t *ret_next_ms)
{
	*ret_this_ms = *ret_next_ms = 0;
	for (size_t i = 0; i < s->crl_count; i++) {
		int64_t next_ms = s->crls[i].stored.next_update_s * 1000;

		if (*ret_next_ms && next_ms >= *ret_next_ms)
			continue;
		*ret_next_ms = next_ms;
		*ret_this_ms = s->crls[i].stored.this_update_s * 1000;
	}
}

/* Gone, or written to? Said once. A file that another source of the same CRL renewed is well. */
static bool is_lost(const struct fetch_engine *e, struct fetch_crl *crl)
{
	struct fetch_stored stored;
	uint64_t now[3];
	bool before = crl->lost;

	file_look(e, crl->stored.name, now);
	if (now[0] && !memcmp(now, crl->seen, sizeof(now)))
		return false;
	memcpy(crl->seen, now, sizeof(now));
	crl->lost = !fetch_store_look(fetch_jobs_store(e->jobs), crl->stored.name, &stored);
	if (!crl->lost)
		stored_renew(crl, &stored);
	return crl->lost && !before;
}

void fetch_known_look(struct fetch_engine *e, int64_t now_ms)
{
	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		for (size_t i = 0; i < s->crl_count && !s->running; i++) {
			struct fetch_crl *crl = &s->crls[i];

			if (!is_lost(e, crl))
				continue;
			base_log(BASE_LOG_ERROR, "fetch",
			         "event=cache-damaged source=%s file=%s: it is fetched again",
			         s->config->name, crl->stored.name);
			s->plan.due_ms = now_ms;
		}
}

/* ---- alarms ---- */

enum fetch_alarm fetch_source_alarm(const struct fetch_source *s)
{
	enum fetch_alarm worst = s->alarm.level;

	for (size_t i = 0; i < s->crl_count; i++)
		worst = BASE_MAX(worst, s->crls[i].alarm.level);
	return worst;
}

static void alarm_say(const struct fetch_source *s, const struct fetch_crl *crl,
                      enum fetch_alarm level, int64_t now_ms)
{
	static const enum base_level levels[FETCH_ALARMS] = { BASE_LOG_INFO, BASE_LOG_WARN,
		                                              BASE_LOG_ERROR, BASE_LOG_ERROR,
		                                              BASE_LOG_ERROR };

	if (!crl) {
		base_log(levels[level], "fetch", "alarm=%s source=%s failures=%u: %s",
		         fetch_alarm_name(level), s->config->name, s->plan.failures,
		         level ? "there is no CRL of it: peers that need it are refused"
		               : "there is one now");
		return;
	}
	base_log(levels[level], "fetch",
	         "alarm=%s source=%s file=%s issuer=\"%s\" left=%llds failures=%u%s%s",
	         fetch_alarm_name(level), s->config->name, crl->stored.name, crl->stored.issuer,
	         (long long)(crl->stored.next_update_s - now_ms / 1000), s->plan.failures,
	         s->error[0] ? " last-failure: " : "", s->error);
}

bool fetch_known_source_alarm(struct fetch_source *s, int64_t now_ms)
{
	struct fetch_engine *e = s->engine;
	/* a repository need not hold CRLs; a learnt source is one only when it has brought one */
	bool missing = !s->crl_count && s->rc && !s->owned;
	enum fetch_alarm level = missing ? FETCH_MISSING : FETCH_FRESH;
	bool said = fetch_alarm_step(&s->alarm, &e->alarms, level, now_ms);

	if (said)
		alarm_say(s, NULL, level, now_ms);
	for (size_t i = 0; i < s->crl_count; i++) {
		struct fetch_crl *crl = &s->crls[i];

		level = fetch_alarm_level(&e->alarms, crl->stored.this_update_s * 1000,
		                          crl->stored.next_update_s * 1000, now_ms);
		if (!fetch_alarm_step(&crl->alarm, &e->alarms, level, now_ms))
			continue;
		alarm_say(s, crl, level, now_ms);
		said = true;
	}
	return said;
}

bool fetch_known_alarm(struct fetch_engine *e, int64_t now_ms)
{
	bool said = false;

	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		said = fetch_known_source_alarm(s, now_ms) || said;
	return said;
}

/* ---- files ---- */

static void state_write(struct fetch_engine *e)
{
	struct base_writer w = { .limit = FETCH_STATE_MAX };
	struct base_error err = { 0 };
	char path[4096], text[900];

	for (struct fetch_source *s = NULL; (s = fetch_engine_next(e, s));)
		for (size_t i = 0; i < s->crl_count; i++) {
			const struct fetch_state_line line = {
				.file = base_str_of(s->crls[i].stored.name),
				.url = base_str_of(s->config->url ? s->config->url
				                                  : s->config->file),
				.learnt = s->owned != NULL,
			};

			fetch_state_line_put(&w, &line);
		}
	if (state_path(e, path, sizeof(path)) &&
	    fetch_file_replace(path, base_writer_view(&w), &err))
		base_log(BASE_LOG_ERROR, "fetch", "event=state-not-written %s",
		         base_error_format(&err, text, sizeof(text)));
	base_writer_done(&w);
}

static void metrics_write(struct fetch_engine *e)
{
	struct base_writer w = { 0 };
	struct base_error err = { 0 };
	char text[900];

	if (!e->config->metrics)
		return;
	fetch_report_metrics(e, &w);
	if (fetch_file_replace(e->config->metrics, base_writer_view(&w), &err))
		base_log(BASE_LOG_ERROR, "fetch", "event=metrics-not-written %s",
		         base_error_format(&err, text, sizeof(text)));
	base_writer_done(&w);
}

static void report(void *arg)
{
	struct fetch_engine *e = arg;

	state_write(e);
	metrics_write(e);
}

void fetch_known_report(struct fetch_engine *e)
{
	if (!loop_timer_active(&e->report))
		loop_timer_start(e->loop, &e->report, REPORT_MS, report, e);
}

void fetch_engine_report(struct fetch_engine *e)
{
	loop_timer_stop(e->loop, &e->report);
	report(e);
}

static struct fetch_source *learnt_again(struct fetch_engine *e, const struct fetch_state_line *l)
{
	struct fetch_url at;

	if (!l->learnt || e->learnt >= e->config->demand.sources ||
	    fetch_url_parse(l->url, &at, NULL) || fetch_allow_url(&e->config->allow, &at, NULL))
		return NULL;
	return fetch_source_learn(e, l->url, &at);
}

static int line_take(struct fetch_engine *e, const struct fetch_state_line *l)
{
	struct fetch_source *s = fetch_source_find(e, l->url);
	char name[TRUST_CACHE_NAME_MAX];
	struct fetch_stored stored;
	int64_t this_ms, next_ms;
	int rc;

	(void)snprintf(name, sizeof(name), "%.*s", BASE_FMT(l->file));
	if (!fetch_store_look(fetch_jobs_store(e->jobs), name, &stored))
		return 0;
	if (!s)
		s = learnt_again(e, l);
	if (!s)
		return 0;
	rc = fetch_known_add(s, &stored, 0);
	fetch_known_end(s, &this_ms, &next_ms);
	fetch_plan_know(&s->plan, this_ms, next_ms);
	return rc;
}

int fetch_known_load(struct fetch_engine *e)
{
	struct fetch_state_line line;
	char path[4096], *data;
	size_t len, at = 0;
	int rc = 0;

	if (!state_path(e, path, sizeof(path)) ||
	    config_file_read(path, FETCH_STATE_MAX, &data, &len, NULL))
		return 0; /* the first start */
	while (!rc && fetch_state_next((struct base_str){ data, len }, &at, &line))
		rc = line_take(e, &line);
	free(data);
	return rc;
}
