/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the association: its state, what may happen to it, and what its table does then.
 * Everything here runs on the thread of the transaction layer. assoc.c holds the table and the
 * doors in and out, assoc_act.c the actions, assoc_target.c which controller is next and where it
 * is, assoc_register.c the ServiceChanges.
 */
#ifndef GH_H248_ASSOC_PRIVATE_H
#define GH_H248_ASSOC_PRIVATE_H

#include "h248/assoc.h"

enum assoc_event {
	E_START,
	E_STOP,
	E_TIMER,
	E_ACCEPTED,
	E_ACCEPTED_NAME,
	E_REDIRECTED,
	E_LOWER,
	E_REFUSED,
	E_NO_REPLY,
	E_LOST,
	E_EXHAUSTED,
	E_NAME,
	E_FOUND,
	E_NOT_FOUND,
	E_HEARD,
	E_FAILED,
	E_HANDOFF,
	E_ANSWERED,
	E_ACTIVITY,
	E_FORGOTTEN,
};

struct h248_assoc {
	struct h248_assoc_config config;
	struct h248_controller *controllers;
	size_t *order; /* of this round: indices into `controllers` */
	struct h248_profile *profiles;
	char *profile_names; /* what they point into */
	struct h248_addr service_address;
	struct h248_assoc_ops ops;
	void *user;
	struct h248_txn *txn;
	struct h248_assoc_counters counters;
	uint8_t state;

	struct loop_timer timer;   /* of the present state */
	struct loop_timer handoff; /* lets the reply to the HandOff leave first */
	struct h248_controller handoff_to;
	struct h248_peer *peer;        /* the controller we register with, or are registered with */
	struct h248_addr target;       /* where the present attempt goes */
	struct h248_controller wanted; /* of the present lookup */
	struct h248_controller redirect_to;
	uint32_t lookup;       /* number of the last one */
	uint8_t method;        /* of the present attempt; ABSENT = as its address decides */
	uint8_t offer;         /* version offered in it */
	size_t offer_profile;  /* and profile, an index */
	size_t agreed_profile; /* ASSOC_NONE = none */

	size_t next; /* place in `order` of the controller to try after this one */
	size_t at;   /* index of the one that is tried; ASSOC_NONE = not of the list */
	size_t skip; /* index; not in this round: it has just failed */
	uint32_t redirects, wait_ms;

	/* 11.3: who agreed upon a version that we do not speak, and its requests' peer; NULL = it
	 * has sent none */
	struct h248_addr unfit;
	struct h248_peer *unfit_peer;

	bool up;     /* on_up has been called, and on_down not yet */
	bool was_up; /* registered, and not forgotten since: `last` and `version` are set */
	struct h248_addr last;
	size_t last_at;
	uint8_t version;
	uint32_t inactivity_request;
	uint32_t inactivity_ms; /* as configured; config.inactivity_ms is what holds */
	uint32_t probe;         /* TransactionID of the last one */

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

/* ---- which controller, and where (assoc_target.c) ---- */

/** A new round from the beginning of the list, without the one of index `skip`. */
void assoc_round_begin(struct h248_assoc *a, size_t skip);
/** The next controller of the round; NULL = there is none. Moves on, sets `a->at`. */
const struct h248_controller *assoc_round_next(struct h248_assoc *a);
/** Index in the list of where we were registered last; ASSOC_NONE = not in it. */
size_t assoc_last_index(const struct h248_assoc *a);
/** What an mId means seen from `base`: an address, or a name to look up.
 * @return 0, or BASE_CONFIG (a device name, a name that is too long) */
int assoc_controller_of_mid(const struct h248_mid *mid, const struct h248_addr *base,
                            struct h248_controller *ret);
/** Is that the host of a controller that is in the list by its address? */
bool assoc_listed_host(const struct h248_assoc *a, const struct h248_addr *from);
/** Forget whom we cannot comply with: somebody else's turn, or its own once more. */
void assoc_unfit_forget(struct h248_assoc *a);
bool assoc_same_host(const struct h248_addr *a, const struct h248_addr *b);

/* ---- ServiceChange (assoc_register.c) ---- */

/** A controller has refused us: offer it less where the code says so and there is less, else
 * E_REFUSED. */
void assoc_refused(struct h248_assoc *a, unsigned code);
/** Tell the user that a controller is passed over. */
void assoc_tell_refused(struct h248_assoc *a, const struct h248_addr *who, unsigned code,
                        const char *why, struct base_str text);

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
void assoc_act_offer_less(struct h248_assoc *a);
void assoc_act_look_up(struct h248_assoc *a);
void assoc_act_go_there(struct h248_assoc *a);
void assoc_act_pass_over(struct h248_assoc *a);
void assoc_act_come_up_there(struct h248_assoc *a);
void assoc_act_come_up_here(struct h248_assoc *a);
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
