/* SPDX-License-Identifier: Apache-2.0 */
/** @file The counters as text; private to this folder. */
#ifndef GH_KMSD_METRICS_H
#define GH_KMSD_METRICS_H

#include "http/http.h"
#include "kmsd/service.h"

/** Everything, in the text format of Prometheus (version 0.0.4). */
void kmsd_metrics_write(const struct kmsd_counts *counts, const struct http_counts *http,
                        struct base_writer *out);

#endif
