/* SPDX-License-Identifier: Apache-2.0 */
/** @file The program gatehouse-edge: its loop, sockets and files. */
#ifndef GH_EDGE_SHELL_H
#define GH_EDGE_SHELL_H

#include "edge/config.h"

/**
 * Serve until SIGTERM or SIGINT; SIGHUP loads the file again. `config` stays the caller's.
 * @return 0, BASE_CONFIG, BASE_LOCAL
 */
int edge_shell_run(struct edge_config *config, struct base_error *err);

#endif
