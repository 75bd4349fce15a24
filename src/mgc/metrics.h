/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller's counters for Prometheus, by HTTP on the loopback. */
#ifndef GH_MGC_METRICS_H
#define GH_MGC_METRICS_H

#include "mgc/focus.h"

struct mgc_metrics {
	const struct mgc_focus *focus;
	const struct mgc_mp *mp;
};

/** All counters, for http_metrics_start(); `arg` is a struct mgc_metrics. */
void mgc_metrics_write(void *arg, struct base_writer *w);

#endif
