/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a reload may not change. Private to this folder. */
#ifndef GH_EDGE_RELOAD_H
#define GH_EDGE_RELOAD_H

#include "edge/config.h"

/** @return the first key that needs a restart; NULL = none */
const char *edge_reload_obstacle(const struct edge_config *now, const struct edge_config *fresh);
/** Does nobody use its TLS domains any more? */
bool edge_reload_idle(const struct edge_config *config);

#endif
