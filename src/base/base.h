/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The ground floor: what every other folder may use. No I/O but the log sink, no threads, no
 * globals but the log's. Other folders include this header only.
 */
#ifndef GH_BASE_H
#define GH_BASE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/secret.h"
#include "base/str.h"

#define BASE_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BASE_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define BASE_MAX(a, b)    ((a) > (b) ? (a) : (b))

/** The struct that holds `member`, from a pointer to that member. */
#define BASE_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
