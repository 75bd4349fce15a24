/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the program looks at from time to time and tells the core: whether this machine has its
 * media addresses, and how busy the control thread is. Control thread only.
 */
#ifndef GH_MG_WATCH_H
#define GH_MG_WATCH_H

#include "loop/loop.h"
#include "mg/config.h"

/** In the caller's storage; all zero before the start. The fields are this module's. */
struct mg_watch {
	struct loop *loop;
	struct mg *mg;
	const struct mg_config *config;
	enum mg_address_state wanted[MG_ADDRESSES_MAX]; /**< as the file says */
	struct loop_timer busy, probe;
	struct timespec cpu; /**< used by this thread ... */
	uint64_t cpu_at_ms;  /**< ... until then */
};

/** Look at once, and from then on. `config` is borrowed until the stop. */
void mg_watch_start(struct mg_watch *watch, struct loop *loop, struct mg *mg,
                    const struct mg_config *config);
void mg_watch_stop(struct mg_watch *watch);
/** The file was loaded again: take over which media addresses are in service. */
void mg_watch_reload(struct mg_watch *watch, const struct mg_config *fresh);

/** Can sockets be bound there? Only an address that this machine does not have says no. */
bool mg_address_here(const struct sockaddr_storage *address);

#endif
