/* SPDX-License-Identifier: Apache-2.0 */
/** @file The two machines of a call as tables: its life, and offers within it. Private. */
#ifndef GH_SIP_CALL_TABLE_H
#define GH_SIP_CALL_TABLE_H

#include "base/base.h"

/* -- its life -- */

enum call_state {
	C_LOOKING,    /* ours: no INVITE has gone out yet */
	C_ASKING,     /* ours: it has, nobody has answered */
	C_RINGING,    /* ours: 1xx */
	C_CANCELLING, /* ours: it is to end before it was answered */
	C_ASKED,      /* ours: the 2xx has an offer that the owner has to answer */
	C_OFFERED,    /* theirs: the owner has to answer */
	C_ACCEPTED,   /* theirs: 2xx given, ACK awaited */
	C_HANGING,    /* theirs: to end once the ACK is there (15) */
	C_UP,
	C_ENDING, /* BYE sent */
	C_OVER,
	C_STATES,
};

enum call_event {
	C_SENT, /* the INVITE has gone out */
	C_1XX,
	C_2XX,
	C_2XX_OFFER, /* to an INVITE that had none */
	C_FINAL,     /* 3xx to 6xx */
	C_LOST,      /* no way, no answer; theirs: its transaction failed */
	C_PROGRESS,  /* the owner: 1xx */
	C_ACCEPT,    /* the owner */
	C_END,       /* the owner, or what goes wrong */
	C_CANCEL,    /* from the peer */
	C_BYE,
	C_ACK,
	C_NO_ACK,
	C_BYE_DONE, /* our BYE has its answer, or its time is over */
	C_EVENTS,
};

enum call_action {
	C_DO_TELL_PROGRESS = 1,
	C_DO_TELL_ANSWERED = 2,
	C_DO_TELL_ASKED = 4,
	C_DO_TELL_CONFIRMED = 8,
	C_DO_ACK = 16,     /* the ACK of a 2xx */
	C_DO_CANCEL = 32,  /* if none has been sent */
	C_DO_BYE = 64,     /* send it */
	C_DO_REPLY = 128,  /* to the INVITE, as the owner says: 1xx, 2xx, a refusal */
	C_DO_REPEAT = 256, /* the 2xx, until its ACK */
	C_DO_487 = 512,    /* to the INVITE */
	C_DO_OK = 1024,    /* 200 to the peer's BYE */
	C_DO_OVER = 2048,
};

struct call_step {
	uint16_t actions;
	uint8_t next;
	bool legal;
};

struct call_step sip_call_step_of(enum call_state state, enum call_event event);
const char *sip_call_state_name(enum call_state state);
const char *sip_call_event_name(enum call_event event);

/* -- offers within it: re-INVITE and UPDATE -- */

enum offer_state {
	O_IDLE,
	O_SENT,    /* ours: its answer is awaited */
	O_GLARE,   /* ours: 491, it waits to be sent again (14.1) */
	O_ASKED,   /* theirs: the owner has to answer */
	O_UNACKED, /* theirs: accepted, its ACK awaited */
	O_STATES,
};

enum offer_event {
	O_OFFER, /* the owner, or a session that has to be refreshed */
	O_AGAIN, /* 491 was long enough ago */
	O_2XX,
	O_491,
	O_FINAL,  /* 3xx to 6xx, or no answer */
	O_PEER,   /* re-INVITE or UPDATE with an offer */
	O_ACCEPT, /* the owner */
	O_DECLINE,
	O_CANCEL,
	O_ACK,
	O_NO_ACK,
	O_EVENTS,
};

enum offer_action {
	O_DO_SEND = 1,
	O_DO_ACK = 2, /* where it was a re-INVITE */
	O_DO_TELL_AGREED = 4,
	O_DO_TELL_DECLINED = 8,
	O_DO_TELL_OFFERED = 16,
	O_DO_TELL_WITHDRAWN = 32,
	O_DO_TELL_CONFIRMED = 64,
	O_DO_WAIT = 128,   /* a time by chance (14.1) */
	O_DO_REPLY = 256,  /* as the owner says */
	O_DO_REPEAT = 512, /* a 2xx to a re-INVITE, until its ACK */
	O_DO_487 = 1024,
	O_DO_491 = 2048,
	O_DO_500 = 4096, /* with Retry-After (14.2) */
	O_DO_END = 8192, /* of the call */
};

struct call_step sip_offer_step_of(enum offer_state state, enum offer_event event);
const char *sip_offer_state_name(enum offer_state state);
const char *sip_offer_event_name(enum offer_event event);

#endif
