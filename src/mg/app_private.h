/* SPDX-License-Identifier: Apache-2.0 */
/** @file What app.c and app_settle.c read in descriptors. */
#ifndef GH_MG_APP_PRIVATE_H
#define GH_MG_APP_PRIVATE_H

#include "mg/world.h"

/* The next attribute of that name behind `*at` (NULL = the first); its value, perhaps empty. */
bool mg_app_attribute(const struct h248_sdp *sdp, const char *name, const struct h248_sdp_line **at,
                      struct base_str *ret);
bool mg_app_first(const struct h248_sdp *sdp, const char *name, struct base_str *ret);
/* false: not there, or no number up to `max`. */
bool mg_app_number(const struct h248_sdp *sdp, const char *name, uint64_t max, uint64_t *ret);
/* Is `word` among the words of the attribute? */
bool mg_app_word(const struct h248_sdp *sdp, const char *name, const char *word);
/* The next a=floorid of Local; 0 where it is no number. */
bool mg_app_floor_next(const struct mg_stream *s, const struct h248_sdp_line **at, uint16_t *ret);
/* a=path; empty when it is not there, or left to us. */
struct base_str mg_app_path_of(const struct h248_sdp *sdp);
/* An address as it stands in a URI. */
void mg_app_host_put(struct base_writer *w, const struct sockaddr_storage *address);

#endif
