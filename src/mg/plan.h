/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What Add, Modify and Move share: read all descriptors of a command into new parts, check them,
 * make bearers; then put it in force, or forget it without a trace.
 */
#ifndef GH_MG_PLAN_H
#define GH_MG_PLAN_H

#include "mg/run.h"

#define MG_ORDERS_MAX 16

/* A signal for the bearer: EstBNC or RelBNC of tcpbcc or tlsbsc, or (`again`) tlsm/Reneg. */
struct mg_order {
	uint16_t stream; /* 0 = every one of that kind */
	bool tls, release, abort, again;
};

struct mg_plan {
	struct mg_term *term;
	struct mg_context *context; /* where it is or will be; NULL for ROOT */
	struct mg_bearer *bearer;   /* of the context, or the one to become it */
	bool own_bearer;            /* made by this plan */

	struct mg_media *media; /* new parts; NULL = as it was */
	bool new_media;
	struct mg_events *events;
	struct mg_choice *choice;
	bool clear_events;
	uint8_t service_state; /* ABSENT = as it was */
	struct mg_order order[MG_ORDERS_MAX];
	size_t order_count;
	struct base_node plays;   /* signals that begin (play.h) */
	bool new_signals;         /* ... in the place of those that are active */
	struct mg_buffer *buffer; /* with what is in the present one, once in force */
	bool new_buffer;
	uint8_t lock_step; /* enum h248_tri; ABSENT = as it was */
	struct mg_maps *maps;
	bool new_maps;
	struct mg_state *state;
	bool new_state;
	bool tell_state; /* a value was ours to choose */
	const struct h248_audit *audit;
	uint32_t inactivity_ms; /* ROOT: it/ito */

	bool swapped; /* the new parts are in the termination, the old ones here */
};

/*
 * Read the running command's descriptors for `term` and check them; make bearers. On failure
 * nothing is left but what mg_plan_drop frees.
 */
int mg_plan_make(struct mg_run *run, struct mg_plan *plan, struct mg_term *term,
                 struct mg_context *context);
/* The beginning of that: an empty plan. */
void mg_plan_begin(struct mg_plan *plan, struct mg_term *term, struct mg_context *context);
/* Put the new parts in the termination, keeping the old ones; called again, the other way. */
void mg_plan_swap(struct mg_plan *plan);
/* cmd_modify.c: put it in force and write the reply. On failure it is as before. */
int mg_plan_commit(struct mg_run *run, struct mg_plan *plan, uint32_t context);
/* What the reply has to tell: chosen values, and what Audit asks for. Parts are swapped. */
int mg_plan_reply(struct mg_run *run, struct mg_plan *plan, struct h248_command *reply);
/* Free the old parts, give the orders. The termination is in its context. Cannot fail. */
void mg_plan_settle(struct mg *mg, struct mg_plan *plan);
/* Free the new parts (swapped back first). After mg_plan_settle: nothing to do. */
void mg_plan_drop(struct mg *mg, struct mg_plan *plan);

/* The new media, made from what there is at the first call. NULL when memory is short. */
struct mg_media *mg_plan_media(struct mg_plan *plan);

/* media.c */
int mg_plan_media_read(struct mg_run *run, struct mg_plan *plan, const struct h248_media *media);
/* All streams together: roles, domains, linkage; then bearers. */
int mg_plan_streams(struct mg_run *run, struct mg_plan *plan);
/* control.c */
int mg_control_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *stream,
                    const struct h248_local_control *control);
int mg_state_read(struct mg_run *run, struct mg_plan *plan, const struct h248_term_state *state);
/* signals.c */
int mg_signals_read(struct mg_run *run, struct mg_plan *plan, const struct h248_signals *signals);
/* Could they be generated there? Nothing is begun. */
int mg_signals_check(struct mg_run *run, struct mg_plan *plan, const struct h248_signals *signals);
/* Mark the streams that they mean. */
int mg_signals_apply(struct mg_run *run, struct mg_plan *plan);
/* events.c */
int mg_events_read(struct mg_run *run, struct mg_plan *plan, const struct h248_events *events);
int mg_buffer_read(struct mg_run *run, struct mg_plan *plan,
                   const struct h248_event_buffer *buffer);
/* digitmaps.c */
int mg_digit_map_read(struct mg_run *run, struct mg_plan *plan, const struct h248_digit_map *dm);
/* statistics.c */
int mg_choice_read(struct mg_run *run, struct mg_plan *plan, const struct h248_statistics *stats);
int mg_stream_choice_read(struct mg_run *run, struct mg_plan *plan, struct mg_stream *s,
                          const struct h248_statistics *stats);

/* audit.c: a stream as it is told; `what` is a set of MG_TELL_. */
#define MG_TELL_CONTROL 1U
#define MG_TELL_LOCAL   2U
#define MG_TELL_REMOTE  4U
int mg_stream_tell(struct mg_run *run, const struct mg_term *term, const struct mg_stream *s,
                   unsigned what, struct h248_media *media);
/* audit.c: TerminationState as it is, into `media` or a new one. */
int mg_state_add(struct mg_run *run, const struct mg_term *term, struct h248_media *media,
                 struct h248_command *reply);
/* audit.c: the items of an Audit descriptor. */
int mg_audit_items(struct mg_run *run, const struct mg_term *term, const struct h248_audit *audit,
                   struct h248_command *reply);
/* statistics.c: all kept ones (or the one named), without values for capabilities. */
int mg_statistics_tell(struct mg_run *run, const struct mg_term *term, const struct h248_parm *only,
                       bool values, struct h248_command *reply);
/* Those of one stream (or the one named: 532 if it is not kept), into its description. */
int mg_stream_statistics_tell(struct mg_run *run, const struct mg_term *term,
                              const struct mg_stream *s, const struct h248_parm *only,
                              struct h248_stream *into);
/* Those of all streams that keep some, in a Media descriptor (sheet 5.6). */
int mg_streams_statistics_tell(struct mg_run *run, const struct mg_term *term,
                               struct h248_command *reply);

#endif
