/* SPDX-License-Identifier: Apache-2.0 */
/** @file A user agent's SIP: its flows and its calls; private to this folder. */
#ifndef GH_UE_SIP_H
#define GH_UE_SIP_H

#include "ue/access.h"

/** `app->config.sip` is there. @return 0, BASE_CONFIG, BASE_LOCAL */
int ue_sip_new(struct ue_sip **ret, struct ue_app *app, struct base_error *err);
/** Calls must be gone. NULL is fine. */
void ue_sip_free(struct ue_sip *sip);

struct sip_ua *ue_sip_ua(struct ue_sip *sip);
/** Elements of Route for requests outside of dialogs. */
const struct base_str *ue_sip_routes(const struct ue_sip *sip, size_t *ret_count);
/** The registration over a connection of its own; NULL = none. */
struct ue_access *ue_sip_access(const struct ue_sip *sip);
/** Our URI in dialogs, borrowed for the call; NULL = that of the flow. */
const char *ue_sip_contact(const struct ue_sip *sip);
/** `<identity>` */
const char *ue_sip_self(const struct ue_sip *sip);
/** MESSAGE (RFC 3428). */
int ue_sip_message(struct ue_sip *sip, const char *target, const char *text,
                   struct base_error *err);
/** It is going to end: what is registered is taken back. */
void ue_sip_quit(struct ue_sip *sip);
/** Requests of ours that are unanswered. */
bool ue_sip_busy(const struct ue_sip *sip);

#endif
