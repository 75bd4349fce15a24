/* SPDX-License-Identifier: Apache-2.0 */
/** @file SHA-256 of what passes by; private to this folder. */
#ifndef GH_UE_HASH_H
#define GH_UE_HASH_H

#include "base/base.h"

#define UE_SHA256_TEXT 65

struct ue_hash {
	struct evp_md_ctx_st *md; /* libcrypto's EVP_MD_CTX */
};

/** @return 0 or BASE_LOCAL */
int ue_hash_init(struct ue_hash *hash);
/** Safe after a failed ue_hash_init, and twice. */
void ue_hash_done(struct ue_hash *hash);
/** @return 0 or BASE_LOCAL */
int ue_hash_put(struct ue_hash *hash, const void *data, size_t len);
/** Lower-case digits. @return 0 or BASE_LOCAL */
int ue_hash_text(struct ue_hash *hash, char ret[UE_SHA256_TEXT]);

#endif
