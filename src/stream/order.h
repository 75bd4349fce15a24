/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Included by stream.h. Orders to a program that runs: lines of words through a Unix socket that
 * is its own user's alone (mode 0600), one order a connection. And the tool's side, which blocks.
 */
#ifndef GH_STREAM_ORDER_H
#define GH_STREAM_ORDER_H

#include "base/base.h"

struct streams;

/** Octets of an order. */
#define STREAM_ORDER_MAX 65536

struct stream_orders;

/** Do what the line says, which is without its end; the answer is appended to `answer` and wiped
 * after it was sent. */
typedef void stream_order_fn(void *arg, struct base_str line, struct base_writer *answer);

/** @return 0; BASE_CONFIG when the path cannot be had; BASE_LOCAL */
int stream_orders_new(struct stream_orders **ret, struct streams *streams, const char *path,
                      stream_order_fn *fn, void *arg, struct base_error *err);
/** NULL is fine; before the streams. */
void stream_orders_free(struct stream_orders *orders);

/**
 * The tool's side: give one order, `line` with its end, and hear the answer. Blocks, for some
 * seconds at most.
 * @return 0; BASE_AGAIN when nobody listens there; BASE_CONFIG (permissions); BASE_LOCAL
 */
int stream_order_give(const char *path, struct base_str line, struct base_writer *answer,
                      struct base_error *err);
/** The next word of a line, taken off; empty at its end. */
struct base_str stream_order_word(struct base_str *line);

#endif
