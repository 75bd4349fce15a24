/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the association: its state, what may happen to it, and what its table does then.
 * Everything here runs on the thread of the transaction layer. assoc.c holds the table and the
 * doors in and out, assoc_act.c the actions, assoc_register.c the ServiceChanges.
 */
#ifndef GH_H248_ASSOC_PRIVATE_H
#define GH_H248_ASSOC_PRIVATE_H

#include "h248/assoc.h"

enum assoc_event {
	E_START,
	E_STOP,
	E_TIMER,
	E_ACCEPTED,
	E_REDIRECTED,
	E_REFUSED,
	E_NO_REPLY,
	E_LOST,
	E_EXHAUSTED,
	E_HEARD,
	E_FAILED,
	E_HANDOFF,
	E_ANSWERED,
};

struct h248_assoc {
	struct h248_assoc_config config;
	struct h248_addr *controllers;
	char *profile;
	struct h248_addr service_address;
	struct h248_assoc_ops ops;
	void *user;
	struct h248_txn *txn;
	uint8_t state;

	struct loop_timer timer;   /* of the present state */
	struct loop_timer handoff; /* lets the reply to the HandOff leave first */
	struct h248_addr handoff_to;
	struct h248_peer *peer;  /* the controller we register with, or are registered with */
	struct h248_addr target; /* where the present attempt goes */
	struct h248_addr redirect_to;
	uint8_t method; /* of the present attempt */

	size_t next; /* the controller to try after this one */
	size_t skip; /* not in this round: it has just failed */
	uint32_t redirects, wait_ms;

	bool was_up; /* ever registered: `last` and `version` are set */
	struct h248_addr last;
	uint8_t version;
	uint32_t inactivity_request;

	uint8_t leave_method;
	unsigned leave_reason;
};

/** No place in the list of controllers. */
#define ASSOC_NONE SIZE_MAX

/** Look the event up in the table, change the state, run the action. No row: nothing happens. */
void assoc_fire(struct h248_assoc *a, enum assoc_event event);
/** The timer of the present state: E_TIMER after `delay_ms`. */
void assoc_timer_start(struct h248_assoc *a, uint64_t delay_ms);
void assoc_timer_stop(struct h248_assoc *a);

/* ---- ServiceChange (assoc_register.c) ---- */

/** Send ServiceChange on ROOT by `method` to `peer`; the outcome comes as an event. @return 0 or
 * BASE_LOCAL */
int assoc_register_send(struct h248_assoc *a);
/** Send ServiceChange with what h248_assoc_stop was told; E_ANSWERED when it is answered. A failure
 * needs no answer: the state's timer ends it. */
void assoc_leave_send(struct h248_assoc *a);

/* ---- the actions of the table (assoc_act.c) ---- */

void assoc_act_nothing(struct h248_assoc *a);
void assoc_act_wait_mwd(struct h248_assoc *a);
void assoc_act_try_next(struct h248_assoc *a);
void assoc_act_try_first(struct h248_assoc *a);
void assoc_act_redirect(struct h248_assoc *a);
void assoc_act_wait_retry(struct h248_assoc *a);
void assoc_act_heard(struct h248_assoc *a);
void assoc_act_come_up(struct h248_assoc *a);
void assoc_act_probe(struct h248_assoc *a);
void assoc_act_fail_over(struct h248_assoc *a);
void assoc_act_reconnect(struct h248_assoc *a);
void assoc_act_hand_off(struct h248_assoc *a);
void assoc_act_leave(struct h248_assoc *a);
void assoc_act_gone(struct h248_assoc *a);
void assoc_act_give_up(struct h248_assoc *a);
void assoc_act_left(struct h248_assoc *a);

#endif
