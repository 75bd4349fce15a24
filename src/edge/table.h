/* SPDX-License-Identifier: Apache-2.0 */
/** @file A flow of a UE and its binding as a table (docs/state-binding.md); private to this folder.
 */
#ifndef GH_EDGE_TABLE_H
#define GH_EDGE_TABLE_H

#include "base/base.h"

enum bind_state {
	BIND_NEW, /* TLS is up, nobody has registered: handshakes serve a registration (O.4.1) */
	BIND_CHALLENGED, /* a challenge has gone down, its answer is waited for */
	BIND_PROVING,    /* a Digest response has gone up */
	BIND_BOUND,
	BIND_RENEWING,  /* bound, and the edge renegotiates */
	BIND_TOLERATED, /* bound; the UE has ignored that, which the policy allows */
	BIND_PLAIN,     /* no TLS, or no session id: never bound */
	BIND_CLOSED,    /* it is being closed; nothing is bound any more */
	BIND_STATES,
};

enum bind_event {
	BIND_EV_PLAIN,     /* it comes up without TLS */
	BIND_EV_CHALLENGE, /* 401 or 407 to a REGISTER without a Digest response, or a stale one */
	BIND_EV_PROOF,     /* a REGISTER with a Digest response to our challenge goes up */
	BIND_EV_YES,       /* 2xx to one that was answered with a Digest response */
	BIND_EV_ZERO,      /* 2xx, and the flow's contact is not registered any more */
	BIND_EV_REFUSED,   /* 401 not stale, or 403, after a Digest response (O.3) */
	BIND_EV_OTHER,     /* any other final response, 408 and 503 of our own too */
	BIND_EV_CROSSED,   /* too many requests that had to be refused */
	BIND_EV_LATE,      /* nobody has registered, or answered a challenge, in time */
	BIND_EV_EXPIRED,   /* the registration */
	BIND_EV_AGED,    /* the TLS session's lifetime comes to its end, or we are told to renew */
	BIND_EV_REKEYED, /* its session has another id, whoever wanted it */
	BIND_EV_IGNORED, /* the UE ignores the renegotiation, or fails it: not tolerated */
	BIND_EV_SPARED,  /* likewise, and its lifetime is not at its end yet */
	BIND_EV_TOLERATED, /* likewise, and the policy says go on */
	BIND_EV_OLD,       /* 24 hours: the session must end (O.2.1) */
	BIND_EV_NETWORK,   /* the network has ended the registration */
	BIND_EV_DROP,      /* operator, or another flow has taken its place */
	BIND_EV_LOST,      /* the connection is gone */
	BIND_EVENTS,
};

enum bind_action {
	BIND_DO_NOTHING,
	BIND_DO_WAIT,    /* wait for the answer to the challenge */
	BIND_DO_BIND,    /* IMPI, IMPUs, Service-Route, expiry; tell */
	BIND_DO_REFRESH, /* the same anew; tell */
	BIND_DO_UNBIND,  /* it is over; the flow may register again within its time */
	BIND_DO_RENEW,   /* renegotiation, KeyUpdate */
	BIND_DO_REKEY,   /* the new id takes the old one's place; another lifetime begins */
	BIND_DO_GO_ON,   /* until the session is 24 hours old */
	BIND_DO_CLOSE,   /* the binding is over, the flow is closed */
	BIND_DO_FORGET,  /* likewise, and its TLS session is deleted */
	BIND_DO_PART,    /* 2xx for a flow that is gone: as for a lost one */
	BIND_DO_BURY,    /* the binding is over, the core is told as configured */
	BIND_ACTIONS,
};

struct bind_step {
	uint8_t action, next;
	bool legal;
};

/** What this event means in this state; not `legal` = it is passed over. */
struct bind_step edge_bind_step(enum bind_state state, enum bind_event event);
const char *edge_bind_state_name(enum bind_state state);
const char *edge_bind_event_name(enum bind_event event);
const char *edge_bind_action_name(enum bind_action action);
/** Has it a binding there? */
static inline bool edge_bind_bound(enum bind_state state)
{
	return state == BIND_BOUND || state == BIND_RENEWING || state == BIND_TOLERATED;
}

#endif
