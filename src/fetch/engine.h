/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The sources, each with its plan and what it has brought; who is asked now, who waits. Everything
 * on the loop's thread.
 */
#ifndef GH_FETCH_ENGINE_H
#define GH_FETCH_ENGINE_H

#include "fetch/alarm.h"
#include "fetch/job.h"
#include "fetch/validators.h"

struct fetch_engine;

/** A CRL in the cache folder that a source answers for. */
struct fetch_crl {
	struct fetch_stored stored;
	struct fetch_alarm_state alarm;
	int64_t success_ms; /**< last time it was fetched and was good */
	bool lost;          /**< it is not there, and that was said */
	uint64_t seen[3];   /**< the file as it was: inode, size, time of writing */
};

struct fetch_source {
	struct base_node node, active;            /**< of all; of those that run */
	const struct fetch_source_config *config; /**< `owned` where it was learnt */
	struct fetch_source_config *owned;
	struct fetch_plan plan;
	struct fetch_alarm_state alarm; /**< that it has no CRL at all */
	struct fetch_crl *crls;
	size_t crl_count;
	bool running;
	bool wanted; /**< somebody waits, so it starts before others and has less time */
	bool asked;  /**< since the start */
	int64_t success_ms, end_ms;
	uint64_t successes, failures;
	int rc;          /**< of the last fetch */
	char error[300]; /**< "" = the last fetch was good */
	/** Of the response that brought its one CRL, forgotten with that one's file. */
	struct fetch_validators validators;
	/* Under way. */
	struct fetch_engine *engine;
	struct fetch_http_get *get;
	struct loop_call *call;
	struct fetch_job *job;
	struct fetch_validators news; /**< of what is in the store's hands */
};

struct fetch_engine_events {
	/** A fetch has ended, well or not (`source->error`). */
	void (*ended)(void *arg, struct fetch_source *source);
	void *arg;
};

/**
 * Open the cache folder, remember what is in it, and have everything due.
 * @param config  referenced while it lives
 * @return 0; BASE_CONFIG; BASE_LOCAL
 */
int fetch_engine_new(struct fetch_engine **ret, struct loop *loop, struct fetch_config *config,
                     const struct fetch_engine_events *events, struct base_error *err);
/** Cancels all transfers; waits for the store. NULL is fine. Not inside a callback. */
void fetch_engine_free(struct fetch_engine *engine);
/** Begin. `once`: each source once, and then no more. */
void fetch_engine_start(struct fetch_engine *engine, bool once);

/**
 * The source of that URL; a new one where the allow-list lets it. It is asked as soon as can be,
 * unless it has just been asked (socket.pause): then it is not `wanted` afterwards, and its last
 * outcome stands.
 * @return 0; BASE_PEER or BASE_CONFIG with the reason; BASE_LOCAL where there are too many
 */
int fetch_engine_demand(struct fetch_engine *engine, struct base_str url, struct fetch_source **ret,
                        struct base_error *err);

/** Write metrics and state now: at the end. */
void fetch_engine_report(struct fetch_engine *engine);
/** All that is to be fetched at once. */
void fetch_engine_refresh(struct fetch_engine *engine);

/** Walk the sources: NULL gives the first; NULL at the end. */
struct fetch_source *fetch_engine_next(struct fetch_engine *engine, struct fetch_source *source);
const struct fetch_config *fetch_engine_config(const struct fetch_engine *engine);
/** The worst of the source's alarms. */
enum fetch_alarm fetch_source_alarm(const struct fetch_source *source);
/** Milliseconds since 1970. */
int64_t fetch_now_ms(void);

#endif
