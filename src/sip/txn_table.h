/* SPDX-License-Identifier: Apache-2.0 */
/** @file The four machines of RFC 3261, 17 as one table; private to this folder. */
#ifndef GH_SIP_TXN_TABLE_H
#define GH_SIP_TXN_TABLE_H

#include "base/base.h"

enum txn_machine { INVITE_CLIENT, OTHER_CLIENT, INVITE_SERVER, OTHER_SERVER, MACHINES };

enum txn_state {
	CALLING, /* a client's Calling or Trying; a server's Trying */
	PROCEEDING,
	COMPLETED,
	CONFIRMED,
	ACCEPTED, /* RFC 6026 */
	OVER,
	STATES,
};

enum txn_event {
	EV_1XX, /* a response: come (client), or given by the owner (server) */
	EV_2XX,
	EV_FINAL,   /* 3xx to 6xx */
	EV_REQUEST, /* server: the request again */
	EV_ACK,
	EV_REPEAT,  /* timers A, E, G */
	EV_TIMEOUT, /* timers B, F, H */
	EV_LINGER,  /* timers D, I, J, K, L, M */
	EV_ERROR,   /* the flow failed */
	EVENTS,
};

enum txn_action {
	DO_SEND = 1,     /* what was sent last (server: what has just been given), once more */
	DO_ACK = 2,      /* make the ACK of this response and send it */
	DO_DOUBLE = 4,   /* wait twice as long, T2 at most, until the next repetition */
	DO_SLOW = 8,     /* wait T2 from now on */
	DO_REPEAT = 16,  /* repeat from T1 on (unreliable), and give up after 64 T1 */
	DO_STOP = 32,    /* no more repetitions, no giving up */
	DO_LINGER = 64,  /* stay for repetitions of the peer's: txn_linger_ms */
	DO_TELL = 128,   /* on_response */
	DO_STALE = 256,  /* over: nobody answered */
	DO_BROKEN = 512, /* over: the flow failed */
	DO_DONE = 1024,  /* over */
	DO_REST = 2048,  /* answered: room is made of it where it is short */
};

struct txn_step {
	uint16_t actions;
	uint8_t next;
	bool legal;
};

/** What this event means in this state; not `legal` = it is passed over. */
struct txn_step sip_txn_step_of(enum txn_machine machine, enum txn_state state,
                                enum txn_event event);
/** Names, for tests and the picture. */
const char *sip_txn_state_name(enum txn_state state);
const char *sip_txn_event_name(enum txn_event event);
const char *sip_txn_machine_name(enum txn_machine machine);

#endif
