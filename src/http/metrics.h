/* SPDX-License-Identifier: Apache-2.0 */
/** @file Included by http.h. A program's counters for Prometheus: GET /metrics, text format 0.0.4.
 */
#ifndef GH_HTTP_METRICS_H
#define GH_HTTP_METRICS_H

#include "base/base.h"
#include "loop/loop.h"

struct http_metrics;

/** Write all counters; called for each GET. */
typedef void http_metrics_fn(void *arg, struct base_writer *w);

/**
 * @param listen  address and port; NULL: *ret stays NULL
 * @param area    of the log line that tells the port
 * @return 0; BASE_CONFIG with words; BASE_LOCAL
 */
int http_metrics_start(struct http_metrics **ret, struct loop *loop, const char *listen,
                       const char *area, http_metrics_fn *fn, void *arg, struct base_error *err);
/** NULL is fine. */
void http_metrics_stop(struct http_metrics *metrics);

/** HELP, TYPE and value. `type`: "counter", "gauge". */
void http_metrics_number(struct base_writer *w, const char *name, const char *type,
                         const char *help, uint64_t value);

#endif
