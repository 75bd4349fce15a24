/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The gateway as a program: the core on a loop, with association, relay and signals around it.
 */
#ifndef GH_MG_SHELL_H
#define GH_MG_SHELL_H

#include "mg/config.h"

/**
 * Run until the gateway has left (SIGTERM, SIGINT) or cannot go on. SIGHUP loads `path` again: TLS
 * domains are replaced and media addresses put out of or into service when the whole file is right,
 * else nothing changes and the log says why.
 *
 * SIGTERM (RFC 3525, 11.4): no new contexts; ServiceChange Graceful 905 on ROOT with the drain time
 * as its delay; when the last context has ended or the time is over, ServiceChange Forced 905 and
 * out. With `leave: forced`, without contexts, and at a second signal, that one at once; with
 * `leave: failover` Failover 908 instead.
 *
 * @param config  borrowed, but its TLS domains are taken
 * @return 0 when it has left; BASE_CONFIG or BASE_LOCAL with words when it could not start
 */
int mg_shell_run(struct mg_config *config, const char *path, struct base_error *err);

#endif
