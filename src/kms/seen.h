/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Messages that were taken, in memory and in two journals that survive a kill: 40 octets each, one
 * write, no sync (a crash of the machine itself takes longer than a timestamp is good for only by
 * chance; an operator who fears that lets the KMS wait). Private to this folder.
 */
#ifndef GH_KMS_SEEN_H
#define GH_KMS_SEEN_H

#include "base/base.h"

struct kms_seen;

/** `path` gets ".a" and ".b" behind it. @return 0; BASE_CONFIG, also when another process has them;
 * BASE_LOCAL */
int kms_seen_open(struct kms_seen **ret, const char *path, struct base_error *err);
void kms_seen_close(struct kms_seen *seen);
/** As kms_store_seen. */
int kms_seen(struct kms_seen *seen, const uint8_t digest[32], uint64_t now_s, uint64_t until_s);

#endif
