/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a KMS grants; private to this folder. Pure. */
#ifndef GH_KMS_POLICY_H
#define GH_KMS_POLICY_H

#include "kms/kms.h"

/** The rule for this pair; NULL: none fits, or it denies. */
const struct kms_rule *kms_rule_for(const struct kms_config *config, struct mikey_octets from,
                                    struct mikey_octets to);
/**
 * Turn what was asked for into what is granted: who the initiator is, lifetimes within their
 * bounds, flags that this KMS stands for; the K flag where that changed anything (RFC 6043, 6.10).
 * @return 0; BASE_PEER with MIKEY_BAD_AUTH when it is not allowed, with MIKEY_BAD_TICKET when it is
 * of another type, with MIKEY_BAD_TP_PARAM when it makes no sense
 */
int kms_policy_grant(const struct kms_config *config, const struct mikey_id *asker, uint64_t now_s,
                     struct mikey_policy *policy, struct base_error *err);
/**
 * May a ticket as it stands be resolved: forked where a group shares it, and, where the KMS has not
 * made it, over as soon as one of the KMS's would be?
 * @return 0, BASE_PEER with MIKEY_BAD_TICKET
 */
int kms_policy_bounds(const struct kms_config *config, const struct kms_rule *rule,
                      const struct mikey_policy *policy, bool group, uint64_t now_s,
                      struct base_error *err);
/**
 * Which of the ticket's responders the asker is: himself, or a group that he is a member of.
 * @return NULL when he is none
 */
const struct mikey_id *kms_policy_listed(const struct kms_config *config,
                                         const struct mikey_policy *policy,
                                         const struct mikey_id *asker);

#endif
