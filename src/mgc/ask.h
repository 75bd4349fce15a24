/* SPDX-License-Identifier: Apache-2.0 */
/** @file Questions to the KMS by HTTP (TS 33.328, annex A; docs/kms.md has the form). */
#ifndef GH_MGC_ASK_H
#define GH_MGC_ASK_H

#include "mgc/focus.h"

struct mgc_kms;
struct streams;

/** @return 0 or BASE_LOCAL. `config` is borrowed for life; `streams` are for https, and outlive it.
 */
int mgc_kms_new(struct mgc_kms **ret, struct loop *loop, struct streams *streams,
                const struct mgc_config *config);
/** Questions under way are forgotten. NULL is fine. */
void mgc_kms_free(struct mgc_kms *kms);
/** As of struct mgc_focus_ops. */
int mgc_kms_ask(struct mgc_kms *kms, bool resolve, struct mikey_octets octets, mgc_answer_fn *fn,
                void *arg, struct mgc_ask **ret, struct base_error *err);
void mgc_kms_forget(struct mgc_kms *kms, struct mgc_ask *ask);

#endif
