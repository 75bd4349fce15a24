/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Service states (RFC 3525, 7.1.5 and 7.2.8): of ROOT, of terminations, of local media addresses;
 * what they keep out, and what the controller is told. Load control (H.248.10, H.248.11; their
 * identifiers as marked in the tables) stands at the same door.
 *
 * ROOT lets contexts in when all of this holds: the gateway does not leave (mg_close_door), the
 * controller has not taken it out of service, and there is no overload, but for calls that pass.
 */
#ifndef GH_MG_SERVICE_H
#define GH_MG_SERVICE_H

#include "mg/plan.h"

/* May the running action make a context, the running command a termination? @return 0 or mg_fail */
int mg_admit_context(struct mg_run *run);
int mg_admit_term(struct mg_run *run);
/* A termination out of service takes no media and no new signals: 502. @return 0 or mg_fail */
int mg_service_check(struct mg_run *run, const struct mg_plan *plan);

/* ServiceChange to the controller, in its place among the termination's Notify. */
void mg_service_tell(struct mg *mg, struct mg_term *term, enum h248_method method, unsigned reason);

/* Is that local media address (an index) good for new terminations? */
bool mg_address_good(const struct mg *mg, size_t index);

/* ---- service_state.c ---- */

enum mg_service {
	MG_SERVICE_IN = 0,
	MG_SERVICE_CLOSING, /* in service, but takes nothing new: Graceful */
	MG_SERVICE_OUT,
	MG_SERVICE_RETURNING, /* out of service until the delay is over */
};
#define MG_SERVICE_STATES 4

enum mg_service_event {
	MG_SERVICE_FORCED,
	MG_SERVICE_GRACEFUL,
	MG_SERVICE_GRACEFUL_LATER,
	MG_SERVICE_RESTART,
	MG_SERVICE_RESTART_LATER,
	MG_SERVICE_SET_IN, /* ServiceStates by Modify */
	MG_SERVICE_SET_OUT,
	MG_SERVICE_TIME,
	MG_SERVICE_EMPTY, /* ROOT: there is no context left */
};

/* No row: nothing happens. */
void mg_service_fire(struct mg *mg, struct mg_term *term, enum mg_service_event event,
                     uint32_t delay_s);
/* ServiceChange from the controller, checked; with a delay the termination has its `delay`. */
void mg_service_change(struct mg *mg, struct mg_term *term, const struct h248_services *services);
/* A command has set service_state. */
void mg_service_modified(struct mg *mg, struct mg_term *term);
/* A context has ended: if it was the last one, whoever waits for that goes on. */
void mg_context_went(struct mg *mg);

/* The table, for the test that draws it. @return false past the end */
struct mg_service_row {
	uint8_t state, next;
	const char *event, *action;
};
bool mg_service_row(size_t index, struct mg_service_row *ret);
const char *mg_service_name(enum mg_service state);

/* ---- load.c ---- */

/* Begin or end the overload by what there is. */
void mg_load_look(struct mg *mg);
/* Does this action's call pass in overload (emergency, IEPS, priority)? */
bool mg_load_passes(const struct mg *mg, const struct h248_context_attr *attr);
/* A call has been refused for overload: ocp/mg_overload. */
void mg_load_refused(struct mg *mg);

/* ---- hang.c ---- */

/* The Events descriptor in force has changed: watch for hangterm/thb, or no longer. */
void mg_hang_set(struct mg *mg, struct mg_term *term);
/* A message was about this termination. */
void mg_hang_touch(struct mg *mg, struct mg_term *term);
void mg_hang_free(struct mg *mg, struct mg_term *term);

#endif
