/* SPDX-License-Identifier: Apache-2.0 */
/** @file The UE's registration over a flow of its own as a table (docs/state-ue.md); private to
 * this folder and its tests. */
#ifndef GH_SIP_ACCESS_TABLE_H
#define GH_SIP_ACCESS_TABLE_H

#include "base/base.h"

enum access_state {
	ACCESS_IDLE,
	ACCESS_CONNECTING,  /* a flow is wanted */
	ACCESS_REGISTERING, /* REGISTER is out on a fresh flow */
	ACCESS_REGISTERED,
	ACCESS_REFRESHING, /* re-REGISTER is out on the live flow (O.4.3) */
	ACCESS_WAITING,    /* for the next attempt (RFC 5626, 4.5) */
	ACCESS_ENDING,     /* told to stop; the REGISTER under way has no answer yet */
	ACCESS_LEAVING,    /* REGISTER with Expires: 0 is out */
	ACCESS_STATES,
};

enum access_event {
	ACCESS_EV_BEGIN,      /* we want to be registered, now */
	ACCESS_EV_FLOW,       /* there is a flow */
	ACCESS_EV_NO_FLOW,    /* there is none */
	ACCESS_EV_CHALLENGED, /* 401 or 407 that can be answered: the first, or stale */
	ACCESS_EV_OK,         /* 2xx */
	ACCESS_EV_DIGEST,     /* the answer to a challenge was refused, or none can be given */
	ACCESS_EV_INSECURE,   /* no mechanism of RFC 3329 in common; 494 */
	ACCESS_EV_FAILED,     /* 430 (RFC 5626) */
	ACCESS_EV_BUSY,       /* 5xx: it may go better later */
	ACCESS_EV_REFUSED,    /* any other answer */
	ACCESS_EV_SILENT,     /* no answer */
	ACCESS_EV_UNREACHED,  /* the flow never came up */
	ACCESS_EV_LOST,       /* the flow is */
	ACCESS_EV_LOST_SOON,  /* likewise, once more after too short a time */
	ACCESS_EV_TIME,
	ACCESS_EV_STOP,
	ACCESS_EVENTS,
};

enum access_action {
	ACCESS_DO_NOTHING,
	ACCESS_DO_CONNECT,   /* what is left of an earlier one is removed; a new flow is wanted */
	ACCESS_DO_NEXT,      /* a flow to another address of the P-CSCF is wanted (RFC 3263, 4.3) */
	ACCESS_DO_REGISTER,  /* REGISTER on it, with what is known of nobody */
	ACCESS_DO_ANSWER,    /* once more on the same flow, with the answer */
	ACCESS_DO_UP,        /* it stands until the next refresh */
	ACCESS_DO_REFRESH,   /* REGISTER on the live flow */
	ACCESS_DO_KEEP,      /* it stands all the same: refresh it later, on the same flow */
	ACCESS_DO_RECONNECT, /* as CONNECT, and that is told */
	ACCESS_DO_BACK_OFF,  /* flow and TLS session are removed; again later */
	ACCESS_DO_LEAVE,     /* REGISTER with Expires: 0 */
	ACCESS_DO_LEFT,      /* the flow is closed */
	ACCESS_DO_CLOSE,     /* flow and TLS session are removed */
	ACCESS_ACTIONS,
};

struct access_step {
	uint8_t action, next;
	bool legal;
};

/** What this event means in this state; not `legal` = it is passed over. */
struct access_step sip_access_step(enum access_state state, enum access_event event);
const char *sip_access_state_name(enum access_state state);
/** Is there a flow here, or one on its way? */
bool sip_access_has_flow(enum access_state state);
/** For docs/state-ue.md. */
void sip_access_print(struct base_writer *w);

#endif
