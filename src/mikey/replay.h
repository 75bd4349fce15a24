/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside this folder: asking and filling the replay cache. */
#ifndef GH_MIKEY_REPLAY_H
#define GH_MIKEY_REPLAY_H

#include "mikey/env.h"

#define MIKEY_REPLAY_DIGEST 32

/** Was it seen, or is it too old to know? `replay` may be NULL. */
bool mikey_replay_seen(const struct mikey_replay *replay, uint64_t t,
                       const uint8_t digest[MIKEY_REPLAY_DIGEST]);
/** Remember an authenticated message; what is older than `oldest` is forgotten. NULL is fine. */
int mikey_replay_add(struct mikey_replay *replay, uint64_t t, uint64_t oldest,
                     const uint8_t digest[MIKEY_REPLAY_DIGEST]);

#endif
