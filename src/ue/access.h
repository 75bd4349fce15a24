/* SPDX-License-Identifier: Apache-2.0 */
/** @file The registration over a connection of its own (sip/access.h): its connection, its events,
 * its commands; private to this folder. */
#ifndef GH_UE_ACCESS_H
#define GH_UE_ACCESS_H

#include "flow/flow.h"
#include "ue/app.h"

struct ue_access;

/** Where nothing is said about listening, do we? Not where all comes by a connection of ours. */
bool ue_access_listens(const struct ue_config *config);
/** As ue_registrar_new. */
int ue_access_new(struct ue_access **ret, struct ue_app *app, struct flow_ua *ua, const char *self,
                  const struct base_str *routes, size_t route_count, struct base_error *err);
/** Before its flow_ua. NULL is fine. */
void ue_access_free(struct ue_access *a);

/* Commands. */
/** @return 0; BASE_CONFIG: it is being taken back */
int ue_access_begin(struct ue_access *a, struct base_error *err);
void ue_access_stop(struct ue_access *a);
/** @return 0; BASE_CONFIG: there is no connection */
int ue_access_cut(struct ue_access *a, struct base_error *err);
int ue_access_renegotiate(struct ue_access *a, struct base_error *err);

/** It is being taken back. */
bool ue_access_busy(const struct ue_access *a);
/** The Service-Route, where there is one. */
const struct base_str *ue_access_routes(const struct ue_access *a, size_t *ret_count);
/** Our URI in dialogs, with `ob` (RFC 5626, 4.3); NULL = the flow's own. */
const char *ue_access_contact(struct ue_access *a);

/* What the network says, as of struct flow_ua_ops. */
void ue_access_opened(struct ue_access *a, struct sip_flow flow, unsigned status);
void ue_access_up(struct ue_access *a, uint64_t flow, const struct flow_info *info);
void ue_access_rekeyed(struct ue_access *a, uint64_t flow, enum stream_again what);
/** @return it was the registration's */
bool ue_access_lost(struct ue_access *a, uint64_t flow, const char *why);

#endif
