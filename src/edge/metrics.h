/* SPDX-License-Identifier: Apache-2.0 */
/** @file Counters of the edge for Prometheus. Private to this folder. */
#ifndef GH_EDGE_METRICS_H
#define GH_EDGE_METRICS_H

#include "edge/net.h"

struct edge_metrics {
	const struct edge_net *net;
	const struct streams *streams;
};
/** For http_metrics_start(); `arg` is a struct edge_metrics. */
void edge_metrics_write(void *arg, struct base_writer *w);

#endif
