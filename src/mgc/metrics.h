/* SPDX-License-Identifier: Apache-2.0 */
/** @file The controller's counters for Prometheus, by HTTP on the loopback. */
#ifndef GH_MGC_METRICS_H
#define GH_MGC_METRICS_H

#include "mgc/focus.h"

struct mgc_metrics;

/** All counters, in the text format (0.0.4). */
void mgc_metrics_text(const struct mgc_focus *focus, const struct mgc_mp *mp,
                      struct base_writer *w);
/** `listen` NULL: *ret stays NULL. @return 0; BASE_CONFIG with words; BASE_LOCAL */
int mgc_metrics_start(struct mgc_metrics **ret, struct loop *loop, const char *listen,
                      const struct mgc_focus *focus, const struct mgc_mp *mp,
                      struct base_error *err);
/** NULL is fine. */
void mgc_metrics_stop(struct mgc_metrics *metrics);

#endif
