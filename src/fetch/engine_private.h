/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the engine's files share. */
#ifndef GH_FETCH_ENGINE_PRIVATE_H
#define GH_FETCH_ENGINE_PRIVATE_H

#include "fetch/engine.h"
#include "fetch/http.h"

struct fetch_engine {
	struct loop *loop;
	struct fetch_config *config;
	struct fetch_engine_events events;
	struct fetch_http *http;
	struct fetch_jobs *jobs;
	struct base_node sources, active;
	size_t learnt, running;
	struct loop_timer tick, report;
	struct fetch_alarm_rules alarms;
	int64_t looked_ms; /* when the cache's files were looked at */
	bool once, started;
	bool again; /* something ended or was asked for since the tick began */
};

/* ---- engine_transfer.c ---- */

/** Ask it; its end comes by fetch_source_ended(). Never ends within. */
void fetch_transfer_start(struct fetch_source *source);
/** Let go of what is under way. */
void fetch_transfer_stop(struct fetch_source *source);

/* ---- engine.c ---- */

/** `job` may be NULL; it stays the caller's. */
void fetch_source_ended(struct fetch_source *source, int rc, const char *why,
                        const struct fetch_job *job);

/* ---- engine_known.c ---- */

/** Read `.sources`, and of each file that is named there what it is. */
int fetch_known_load(struct fetch_engine *engine);
/** Note what a fetch brought. @return 0 or BASE_LOCAL */
int fetch_known_add(struct fetch_source *source, const struct fetch_stored *stored, int64_t now_ms);
/** The earliest end among the source's CRLs, and that one's beginning; 0 where it has none. */
void fetch_known_end(const struct fetch_source *source, int64_t *ret_this_ms, int64_t *ret_next_ms);
/** Is the file there as it was when it was last looked at? */
bool fetch_known_is_as_seen(const struct fetch_engine *engine, const struct fetch_crl *crl);
/** Files that are gone or were written to have their source due. */
void fetch_known_look(struct fetch_engine *engine, int64_t now_ms);
/** Say what is near its end. @return whether something was said */
bool fetch_known_source_alarm(struct fetch_source *source, int64_t now_ms);
/** The same of all. */
bool fetch_known_alarm(struct fetch_engine *engine, int64_t now_ms);
/** Write `.sources` and the metrics, soon. */
void fetch_known_report(struct fetch_engine *engine);

/** A source that was learnt from a request. NULL where memory is short. */
struct fetch_source *fetch_source_learn(struct fetch_engine *engine, struct base_str url,
                                        const struct fetch_url *at);
/** By URL or by file. */
struct fetch_source *fetch_source_find(const struct fetch_engine *engine, struct base_str url);

#endif
