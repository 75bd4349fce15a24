/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The three faces of an audit: what is, one item of it, what could be.
 */
#ifndef GH_MG_AUDIT_H
#define GH_MG_AUDIT_H

#include "mg/bearer.h"
#include "mg/equip.h"
#include "mg/plan.h"

#define MG_DEFAULT_CONTEXTS     65536U
#define MG_DEFAULT_TERMINATIONS 8U

/* NULL when memory is short. */
struct h248_term_state *mg_state_tell(struct mg_run *run, const struct mg_term *term);
/* individual.c: a property that may only be written is no subject of an audit, nor a condition
 * of one, which would let guess it: 534; 532 for what does not exist. */
int mg_audit_readable(struct mg_run *run, const struct h248_parm *asked);
/* individual.c: a cut-down descriptor of an Audit (v2, v3): 532 for what does not exist. */
int mg_audit_individual(struct mg_run *run, const struct mg_term *term,
                        const struct h248_descriptor *asked, struct h248_command *reply);
/* individual.c: LocalControl{}, Stream=1{} and Media{} are no text (trap 7.4): what tells nothing
 * is left out. @return something is left */
bool mg_media_prune(struct h248_media *media);
/* digitmaps.c: all of the termination; or the one named, which may be ROOT's. */
int mg_digit_maps_tell(struct mg_run *run, const struct mg_term *term, struct h248_command *reply);
int mg_digit_map_tell(struct mg_run *run, const struct mg_term *term, struct base_str name,
                      struct h248_command *reply);
/* capabilities.c: AuditCapability (7.2.6). */
int mg_capabilities_tell(struct mg_run *run, const struct mg_term *term,
                         const struct h248_audit *audit, struct h248_command *reply);

#endif
