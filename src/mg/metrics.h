/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Metrics: the counters of relay and core as text, and an HTTP server that shows it, on the control
 * thread's loop. Labels are words of tables and names of the configuration: no peer can add one.
 */
#ifndef GH_MG_METRICS_H
#define GH_MG_METRICS_H

#include "loop/loop.h"
#include "mg/core.h"

struct mg_config;

/**
 * Everything, in the text format of Prometheus (version 0.0.4). Counters that are 0 are left out
 * where a label has many values.
 * @return false when memory is short
 */
bool mg_metrics_text(const struct mg *mg, const struct relay_pool *pool, struct base_writer *w);

struct mg_metrics;
/**
 * Listen where the configuration says; *ret stays NULL where it says nothing.
 * @return 0; BASE_CONFIG with words when the address cannot be had, BASE_LOCAL
 */
int mg_metrics_start(struct mg_metrics **ret, struct loop *loop, const struct mg_config *config,
                     const struct mg *mg, const struct relay_pool *pool, struct base_error *err);
/** NULL is fine. */
void mg_metrics_stop(struct mg_metrics *metrics);

#endif
