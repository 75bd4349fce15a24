/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What Local and Remote say of MSRP and BFCP beside address and role. All pure; views borrow.
 */
#ifndef GH_MG_APP_SDP_H
#define GH_MG_APP_SDP_H

#include "mg/world.h"

/** The value of the next attribute of that name; `*index` begins at 0. A property has none. */
bool mg_app_attribute(const struct h248_sdp *sdp, const char *name, size_t *index,
                      struct base_str *ret);
/** a=path; false: there is none, or it is left to us. */
bool mg_app_path(const struct h248_sdp *sdp, struct base_str *ret);
/** Is this word in a=chatroom? */
bool mg_app_chatroom(const struct h248_sdp *sdp, struct base_str word);
/** a=max-size of Local; 0 = none. */
uint64_t mg_app_size(const struct mg_stream *s);
/** a=userid and a=confid of Local; false: none, or no number. User 0 is nobody. */
bool mg_app_user(const struct mg_stream *s, uint16_t *ret);
bool mg_app_conference(const struct mg_stream *s, uint32_t *ret);
/** The floor that a value of a=floorid names: the number in front. false: none. */
bool mg_app_floor(struct base_str value, uint16_t *ret);

#endif
