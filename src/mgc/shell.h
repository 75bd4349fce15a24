/* SPDX-License-Identifier: Apache-2.0 */
/** @file The program around conferences: sockets, signals, metrics. */
#ifndef GH_MGC_SHELL_H
#define GH_MGC_SHELL_H

#include "mgc/config.h"

/** Run until SIGTERM has ended all calls; SIGHUP reads the file anew. @return 0; BASE_CONFIG or
 * BASE_LOCAL with words */
int mgc_shell_run(struct mgc_config *config, struct base_error *err);

#endif
