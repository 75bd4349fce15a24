/* SPDX-License-Identifier: Apache-2.0 */
/** @file Keys at rest: AES-256-GCM under the master key; private to this folder. */
#ifndef GH_KMS_SEAL_H
#define GH_KMS_SEAL_H

#include "kms/store.h"

#define KMS_SEAL_EXTRA 28 /* octets that it adds: nonce and tag */

/** `what` says what it is, and is bound to it. `out` holds len + KMS_SEAL_EXTRA. @return 0,
 * BASE_LOCAL */
int kms_seal(const uint8_t *master, struct base_str what, struct mikey_octets clear, uint8_t *out);
/** `out` holds len - KMS_SEAL_EXTRA. @return 0; BASE_CONFIG: another key, or damaged; BASE_LOCAL */
int kms_unseal(const uint8_t *master, struct base_str what, struct mikey_octets sealed,
               uint8_t *out);

#endif
