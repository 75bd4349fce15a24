/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * CRLs that come into the cache folders of TLS domains are held against the sessions there are.
 * Private to this folder.
 */
#ifndef GH_EDGE_LIVE_H
#define GH_EDGE_LIVE_H

#include "edge/config.h"

struct edge_live_watch;

/** In the caller's storage; all zero is none. The fields are this module's. */
struct edge_live {
	struct loop *loop;
	struct streams *streams;
	const struct edge_config *config;
	struct loop_timer look;
	struct edge_live_watch *watches;
	size_t watch_count;
	unsigned changes; /**< of certificates in the folders */
	loop_fn *renew;
	void *arg;
};

/** @param renew  certificates in a cache folder have changed: the configuration is to be loaded
 * anew, which calls edge_live_config */
void edge_live_start(struct edge_live *live, struct streams *streams,
                     const struct edge_config *config, loop_fn *renew, void *arg);
/** Another configuration's domains. What is known now counts for sessions of the replaced ones,
 * too. */
void edge_live_config(struct edge_live *live, const struct edge_config *config);
/** One that was not started is fine. Before the streams and the configuration. */
void edge_live_stop(struct edge_live *live);

#endif
