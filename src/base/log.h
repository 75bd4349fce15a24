/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One line per event, on standard error or where the program points it. Library code returns
 * errors; the layer that decides logs once. Lines are `TIME LEVEL AREA: text key=value ...`.
 * Thread safe: a line is written by one write().
 */
#ifndef GH_BASE_LOG_H
#define GH_BASE_LOG_H

#include <stdbool.h>

#include "base/str.h"

enum base_level { BASE_LOG_ERROR, BASE_LOG_WARN, BASE_LOG_INFO, BASE_LOG_DEBUG };

/** Lines above this level cost one branch. Set once, before threads start. Default: info. */
void base_log_level_set(enum base_level level);
bool base_log_on(enum base_level level);
/** Level from its name (error, warn, info, debug). @return 0, or BASE_CONFIG. */
int base_log_level_parse(struct base_str name, enum base_level *ret);

/** A sink for tests and programs: gets each finished line, without its line end. NULL = stderr. */
typedef void base_log_fn(void *arg, enum base_level level, const char *line);
void base_log_sink_set(base_log_fn *fn, void *arg);

/** `area` is the folder's name. Control characters in the text are written as `\xNN`. */
void base_log(enum base_level level, const char *area, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

#endif
