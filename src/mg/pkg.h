/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Packages of the Iq and Mp profiles, one file each: what their properties and signals ask of a
 * stream's endpoint. Properties are kept as set in the stream's `parms`; from these the gate of the
 * endpoint is made whenever it is needed, so nothing is kept twice.
 */
#ifndef GH_MG_PKG_H
#define GH_MG_PKG_H

#include "mg/bearer.h"
#include "mg/equip.h"
#include "mg/plan.h"

extern const struct mg_equipment mg_pkg_adid, mg_pkg_ds, mg_pkg_dtlscn, mg_pkg_gm, mg_pkg_ipdc,
        mg_pkg_ipnapt, mg_pkg_ipra, mg_pkg_nb, mg_pkg_root, mg_pkg_rtcph, mg_pkg_sdpc, mg_pkg_sdpr,
        mg_pkg_seg, mg_pkg_tlsm, mg_pkg_tman, mg_pkg_msrp, mg_pkg_bfcp;

/* ---- pkg.c ---- */

/* All that gm, tman, ds and ipnapt ask of the endpoint; all zero when they ask nothing. */
void mg_stream_gate(const struct mg_stream *stream, struct relay_gate *ret);
/* Order it, if it is another than the leg has. @return 0, or BASE_LOCAL: it stays due */
int mg_leg_gate(struct mg *mg, struct mg_leg *leg, const struct mg_stream *stream);
/* All of a command's descriptors have been read: do they go together? */
int mg_pkg_judge(struct mg_run *run, const struct mg_stream *stream);

/* A kept property of this stream: its one value as text, number or switch; false = not set. */
bool mg_pkg_text(const struct mg_stream *s, const char *package, const char *item,
                 struct base_str *ret);
bool mg_pkg_number(const struct mg_stream *s, const char *package, const char *item, int64_t *ret);
bool mg_pkg_on(const struct mg_stream *s, const char *package, const char *item);
/* Likewise of ROOT. */
bool mg_pkg_root_number(const struct mg *mg, const char *package, const char *item, int64_t *ret);

/* For audits: a list or alternatives of quoted names, a range of numbers, what a switch can be. */
bool mg_pkg_names_tell(struct mg_run *run, struct h248_parm **list, const char *name,
                       const char *const *words, enum h248_form form);
bool mg_pkg_range_tell(struct mg_run *run, struct h248_parm **list, const char *name);
bool mg_pkg_words_tell(struct mg_run *run, struct h248_parm **list, const char *name, const char *a,
                       const char *b);

/* A switch that can only be off here. */
int mg_pkg_off_check(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                     const struct h248_parm *parm);

/* ---- pkg_tlsm.c: renegotiation by the controller's order ---- */

/* tlsm/Reneg, for one stream or (0) every one whose session is up: mark them, or mg_fail. */
int mg_tlsm_order(struct mg_run *run, struct mg_media *media, uint16_t stream);
/* After the command is in force. */
void mg_tlsm_give(struct mg *mg, struct mg_stream *s);
/* A session is up, or is another now. */
void mg_tlsm_remember(struct mg_leg_session *session, const struct relay_tls_result *tls);
/* The bearer tells something: is it the answer? */
void mg_tlsm_told(struct mg_leg *leg, const struct relay_event *e);

/* ---- pkg_gm.c: gate management (H.248.43) ---- */

/* Does a stream of this termination filter? */
bool mg_gm_filters(const struct mg_term *term);
int mg_gm_judge(struct mg_run *run, const struct mg_stream *s);
void mg_gm_fill(const struct mg_stream *s, struct relay_gate *gate);

/* ---- dgram.c: are a stream and its other end (NULL = none) datagrams that go together? ---- */

int mg_dgram_judge(struct mg_run *run, const struct mg_stream *s, const struct mg_stream *partner);

/* What was left to us in the Local of such a stream, beside address and port. */
int mg_dgram_local_fill(struct mg_run *run, const struct mg_stream *s);

/* ---- pkg_dtlscn.c: DTLS extended capabilities (H.248.93) ---- */

void mg_dtlscn_fill(const struct mg_stream *s, struct relay_dgram_spec *ret);
int mg_dtlscn_judge(struct mg_run *run, const struct mg_stream *s);

/* ---- pkg_tman.c: traffic management (H.248.53) ---- */

int mg_tman_judge(struct mg_run *run, const struct mg_stream *s);
void mg_tman_fill(const struct mg_stream *s, struct relay_gate *gate);

/* ---- pkg_ds.c: differentiated services (H.248.52) ---- */

void mg_ds_fill(const struct mg_stream *s, struct relay_gate *gate);

/* ---- pkg_adid.c: application data inactivity (H.248.40) ---- */

/* The Events descriptor in force has changed: watch for adid/ipstop, or no longer. */
void mg_idle_set(struct mg *mg, struct mg_term *term);
void mg_idle_free(struct mg *mg, struct mg_term *term);

/* ---- pkg_ipdc.c: IP realms (H.248.41) ---- */

/* Is the n-th media address one for this realm ("" = for streams that name none)? */
bool mg_ipdc_fits(const struct mg_settings *set, size_t address, const char *realm);
/* The name of the n-th realm, each once; NULL past the end. */
const char *mg_ipdc_realm_at(const struct mg_settings *set, size_t index);

#endif
