/* SPDX-License-Identifier: Apache-2.0 */
/** @file What becomes of one copy of a request (RFC 3261, 16.6 to 16.10) as a table; private to
 * this folder. */
#ifndef GH_SIP_PROXY_TABLE_H
#define GH_SIP_PROXY_TABLE_H

#include "base/base.h"

enum leg_state {
	LEG_SEEKING, /* its way is looked for */
	LEG_CALLING,
	LEG_PROCEEDING,
	LEG_DOOMED, /* to be cancelled as soon as that is allowed (9.1) */
	LEG_CANCELLED,
	LEG_ANSWERED,
	LEG_OVER,
	LEG_STATES,
};

enum leg_event {
	LEG_WAY,
	LEG_NO_WAY,
	LEG_1XX,
	LEG_2XX,
	LEG_503,
	LEG_FINAL, /* 3xx to 6xx but 503 */
	LEG_TIMEOUT,
	LEG_BROKEN, /* the flow failed */
	LEG_CANCEL,
	LEG_TIMER_C,
	LEG_END, /* its transaction has lingered */
	LEG_EVENTS,
};

enum leg_action {
	LEG_DO_SEND = 1,
	LEG_DO_C = 2,       /* timer C from now on; without it: no more */
	LEG_DO_PASS = 4,    /* the response goes on at once, if it may (16.7, 5) */
	LEG_DO_KEEP = 8,    /* it is a candidate (16.7, 4) */
	LEG_DO_MISSED = 16, /* 408 is what it counts as */
	LEG_DO_LOST = 32,   /* likewise 503, or what the owner has said */
	LEG_DO_NONE = 64,   /* likewise 487 */
	LEG_DO_CANCEL = 128,
	LEG_DO_NEXT = 256, /* another way, or it is over */
};

struct leg_step {
	uint16_t actions;
	uint8_t next;
	bool legal;
};

/** What this event means in this state; not `legal` = it is passed over. */
struct leg_step sip_leg_step_of(enum leg_state state, enum leg_event event);
const char *sip_leg_state_name(enum leg_state state);

#endif
