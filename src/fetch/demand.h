/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The socket: other processes ask for a distribution point that a handshake has met, or how things
 * stand. AF_UNIX, SOCK_SEQPACKET; who may ask is known by the kernel (SO_PEERCRED).
 */
#ifndef GH_FETCH_DEMAND_H
#define GH_FETCH_DEMAND_H

#include "fetch/engine.h"

struct fetch_demand;

/** Listen, where the configuration has a socket. @return 0 (`*ret` NULL where not), BASE_CONFIG */
int fetch_demand_new(struct fetch_demand **ret, struct loop *loop,
                     const struct fetch_config *config, struct base_error *err);
/** Closes all. NULL is fine. */
void fetch_demand_free(struct fetch_demand *demand);
/** Whom to ask from now on; after a reload another one. Requests that wait are told to try again.*/
void fetch_demand_engine_set(struct fetch_demand *demand, struct fetch_engine *engine);
/** A fetch has ended: those who wait for it are told. */
void fetch_demand_ended(struct fetch_demand *demand, const struct fetch_source *source);

/** Is that peer one who may ask? Our own user always may. Pure. */
bool fetch_demand_may(const struct fetch_demand_config *config, uid_t own, uid_t uid,
                      const gid_t *groups, size_t group_count);

#endif
