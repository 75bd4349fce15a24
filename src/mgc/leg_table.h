/* SPDX-License-Identifier: Apache-2.0 */
/** @file The logic of one member's call as a table (docs/state-mrfc.md); private to this folder. */
#ifndef GH_MGC_LEG_TABLE_H
#define GH_MGC_LEG_TABLE_H

#include "base/base.h"

enum leg_state {
	LEG_IDLE,
	LEG_JUDGING,   /* dial-in: the offer's tickets are resolved */
	LEG_SEATING,   /* dial-in: the MRFP is told addresses, roles and keys */
	LEG_ANSWERING, /* dial-in: our 2xx waits for its ACK */
	LEG_RESERVING, /* dial-out: the MRFP is asked for addresses */
	LEG_ASKING,    /* dial-out: tickets are asked for */
	LEG_CALLING,   /* our offer is out */
	LEG_READING,   /* its answer is judged */
	LEG_BINDING,   /* the MRFP is told the far end, roles and keys */
	LEG_UP,
	LEG_REJUDGING, /* the peer's later offer: as JUDGING */
	LEG_REBINDING, /* as BINDING, before our answer */
	LEG_REASKING,  /* the peer wants an offer of ours: as ASKING */
	LEG_CLOSING,   /* what is left of call and termination comes to its end */
	LEG_GONE,
	LEG_STATES,
};

enum leg_event {
	LEG_EV_INVITE,    /* with an offer */
	LEG_EV_BARE,      /* an INVITE, first or later, that wants our offer */
	LEG_EV_DIAL,      /* we are to call */
	LEG_EV_OFFER,     /* a later offer of the peer's */
	LEG_EV_KEYED,     /* every stream that is not refused has its key and roles */
	LEG_EV_UNKEYED,   /* not; the KMS is lost or refuses; not whom we wanted; no such media */
	LEG_EV_DONE,      /* the MRFP has done it */
	LEG_EV_REFUSED,   /* the MRFP has not, or there is none */
	LEG_EV_ANSWER,    /* of the peer, to our offer */
	LEG_EV_CONFIRMED, /* the ACK */
	LEG_EV_WITHDRAWN, /* the later offer was cancelled */
	LEG_EV_OVER,      /* the call is over: BYE, CANCEL, refused, expired, no ACK, flow failed */
	LEG_EV_FAILED,    /* the bearer could not be established, or has ended */
	LEG_EV_LOST,      /* the MRFP, with the termination */
	LEG_EV_LATE,      /* it took too long */
	LEG_EV_END,       /* we want it to end */
	LEG_EV_EMPTY,     /* nothing is left: no call, no termination, no order, no question */
	LEG_EVENTS,
};

enum leg_action {
	LEG_DO_NOTHING,
	LEG_DO_JUDGE,    /* take the offer, ask the KMS to resolve its tickets */
	LEG_DO_SEAT,     /* Add with all that is known */
	LEG_DO_ANSWER,   /* write the answer, accept with it */
	LEG_DO_RESERVE,  /* Add with addresses to choose */
	LEG_DO_ASK,      /* begin our offer, ask the KMS for tickets */
	LEG_DO_CALL,     /* write our offer; INVITE, or accept with it */
	LEG_DO_READ,     /* take the answer */
	LEG_DO_BIND,     /* Modify, where anything is new */
	LEG_DO_UP,       /* it is a member now */
	LEG_DO_DECLINE,  /* refuse the later offer; all is as before */
	LEG_DO_WITHDRAW, /* forget the later offer */
	LEG_DO_CLOSE,    /* end the call with its reason, subtract the termination */
	LEG_DO_SETTLE,   /* one of the two has ended: go on with the other */
	LEG_DO_BURY,
	LEG_ACTIONS,
};

struct leg_step {
	uint8_t action, next;
	bool legal;
};

/** What this event means in this state; not `legal` = it is passed over. */
struct leg_step mgc_leg_step(enum leg_state state, enum leg_event event);
const char *mgc_leg_state_name(enum leg_state state);
const char *mgc_leg_event_name(enum leg_event event);
const char *mgc_leg_action_name(enum leg_action action);
/** Does something of ours have to come within leg-timeout here? */
bool mgc_leg_state_timed(enum leg_state state);
/** For docs/state-mrfc.md. */
void mgc_leg_print(struct base_writer *w);

#endif
