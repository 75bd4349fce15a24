/* SPDX-License-Identifier: Apache-2.0 */
/** @file The program gatehouse-edge: its loop, sockets and files. */
#ifndef GH_EDGE_SHELL_H
#define GH_EDGE_SHELL_H

#include "edge/config.h"

/**
 * First of all, before the file is read: a SIGHUP from now on waits for edge_shell_run, which reads
 * the file once more then. It would end the process, and to systemd that is an end in order.
 */
void edge_shell_prepare(void);

/**
 * Serve until SIGTERM or SIGINT; SIGHUP loads the file again. `config` stays the caller's.
 * @return 0, BASE_CONFIG, BASE_LOCAL
 */
int edge_shell_run(struct edge_config *config, struct base_error *err);

#endif
