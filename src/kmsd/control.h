/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The control socket: orders about users (users.h) while the KMS runs, from its own user alone
 * (mode 0600). Private to this folder.
 */
#ifndef GH_KMSD_CONTROL_H
#define GH_KMSD_CONTROL_H

#include "kmsd/users.h"
#include "stream/stream.h"

struct kmsd_control;

/** @return 0; BASE_CONFIG when the path cannot be had; BASE_LOCAL */
int kmsd_control_new(struct kmsd_control **ret, struct streams *streams, const char *path,
                     struct kms_store *store, struct base_error *err);
/** NULL is fine; before the streams. */
void kmsd_control_free(struct kmsd_control *control);

/**
 * The tool's side: send one line, hear the answer's. Blocks, for some seconds at most.
 * @return 0; BASE_AGAIN when nobody listens there; BASE_CONFIG (permissions), BASE_LOCAL
 */
int kmsd_control_ask(const char *path, struct base_str line, struct base_writer *answer,
                     struct base_error *err);

#endif
