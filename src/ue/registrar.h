/* SPDX-License-Identifier: Apache-2.0 */
/** @file A user agent's registration, and how it proves itself; private to this folder. */
#ifndef GH_UE_REGISTRAR_H
#define GH_UE_REGISTRAR_H

#include "sip/sip.h"
#include "ue/access.h"

struct ue_registrar;

/**
 * Credentials of `app->config.sip` for this user agent, and a REGISTER, where it says so.
 *
 * @param self    `<identity>`
 * @param routes  of requests outside of dialogs; borrowed as long as this lives
 * @return 0, BASE_CONFIG, BASE_LOCAL
 */
int ue_registrar_new(struct ue_registrar **ret, struct ue_app *app, struct flow_ua *net,
                     const char *self, const struct base_str *routes, size_t route_count,
                     struct base_error *err);
/** Before its flow_ua. NULL is fine. */
void ue_registrar_free(struct ue_registrar *r);
/** With `sip.outbound`; else NULL. */
struct ue_access *ue_registrar_access(const struct ue_registrar *r);
/** Take it back. */
void ue_registrar_quit(struct ue_registrar *r);
/** It is being taken back. */
bool ue_registrar_busy(const struct ue_registrar *r);
/** Elements of Route for requests outside of dialogs: those it was given, then the Service-Route.
 */
const struct base_str *ue_registrar_routes(struct ue_registrar *r, size_t *ret_count);

#endif
