/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The media gateway: contexts, terminations and streams under H.248 (RFC 3525, 6 and 7). The core
 * (mg/core.h) is pure: decoded transactions go in, replies and requests come out, bearers stand
 * behind a table of functions, time is asked for. The shell (mg/shell.h) puts the association, the
 * relay, signals and a configuration file around it. docs/mg.md tells how a command flows.
 */
#ifndef GH_MG_H
#define GH_MG_H

#include "base/base.h"

#include "mg/config.h"
#include "mg/core.h"
#include "mg/shell.h"

#endif
