/* SPDX-License-Identifier: Apache-2.0 */
/** @file How things stand, in words for machines. */
#ifndef GH_FETCH_REPORT_H
#define GH_FETCH_REPORT_H

#include "fetch/engine.h"

/** Prometheus' text format, version 0.0.4. */
void fetch_report_metrics(struct fetch_engine *engine, struct base_writer *w);

/** One source as a line: text, or a JSON object. Ends in a line end. */
void fetch_report_source(const struct fetch_source *source, bool json, struct base_writer *w);

#endif
