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

/** @return 0; BASE_CONFIG when the path cannot be had; BASE_LOCAL */
int kmsd_control_new(struct stream_orders **ret, struct streams *streams, const char *path,
                     struct kms_store *store, struct base_error *err);

#endif
