/* SPDX-License-Identifier: Apache-2.0 */
#include "mgc/leg_table.h"

#define GO(state, what)                                                                            \
	{                                                                                          \
		.legal = true, .next = (state), .action = (what)                                   \
	}
#define CLOSE GO(LEG_CLOSING, LEG_DO_CLOSE)
/* Of every state in which a call is set up or up. */
#define ENDS                                                                                       \
	[LEG_EV_OVER] = CLOSE, [LEG_EV_END] = CLOSE, [LEG_EV_LOST] = CLOSE, [LEG_EV_LATE] = CLOSE

/* clang-format off */
static const struct leg_step table[LEG_STATES][LEG_EVENTS] = {
	[LEG_IDLE] = {
		[LEG_EV_INVITE] = GO(LEG_JUDGING, LEG_DO_JUDGE),
		[LEG_EV_BARE] =   GO(LEG_RESERVING, LEG_DO_RESERVE),
		[LEG_EV_DIAL] =   GO(LEG_RESERVING, LEG_DO_RESERVE),
		[LEG_EV_END] =    CLOSE,
	},
	/* dial-in (TS 23.333, 5.20.2; RFC 6043, 4.2.2: the ticket is resolved before an answer) */
	[LEG_JUDGING] = {
		[LEG_EV_KEYED] =   GO(LEG_SEATING, LEG_DO_SEAT),
		[LEG_EV_UNKEYED] = CLOSE,
		ENDS,
	},
	[LEG_SEATING] = {
		[LEG_EV_DONE] =    GO(LEG_ANSWERING, LEG_DO_ANSWER),
		[LEG_EV_REFUSED] = CLOSE,
		ENDS,
	},
	[LEG_ANSWERING] = {
		[LEG_EV_CONFIRMED] = GO(LEG_UP, LEG_DO_UP),
		[LEG_EV_UNKEYED] =   CLOSE,
		[LEG_EV_FAILED] =    CLOSE,
		ENDS,
	},
	/* dial-out, and whoever wants our offer */
	[LEG_RESERVING] = {
		[LEG_EV_DONE] =    GO(LEG_ASKING, LEG_DO_ASK),
		[LEG_EV_REFUSED] = CLOSE,
		ENDS,
	},
	[LEG_ASKING] = {
		[LEG_EV_KEYED] =   GO(LEG_CALLING, LEG_DO_CALL),
		[LEG_EV_UNKEYED] = CLOSE,
		ENDS,
	},
	[LEG_CALLING] = {
		[LEG_EV_ANSWER] =  GO(LEG_READING, LEG_DO_READ),
		[LEG_EV_UNKEYED] = CLOSE,
		[LEG_EV_FAILED] =  CLOSE,
		ENDS,
	},
	[LEG_READING] = {
		[LEG_EV_KEYED] =   GO(LEG_BINDING, LEG_DO_BIND),
		[LEG_EV_UNKEYED] = CLOSE, /* not the expected responder, too: abort (23.333) */
		ENDS,
	},
	[LEG_BINDING] = {
		[LEG_EV_DONE] =    GO(LEG_UP, LEG_DO_UP),
		[LEG_EV_REFUSED] = CLOSE,
		[LEG_EV_FAILED] =  CLOSE,
		ENDS,
	},
	[LEG_UP] = {
		[LEG_EV_OFFER] =  GO(LEG_REJUDGING, LEG_DO_JUDGE),
		[LEG_EV_BARE] =   GO(LEG_REASKING, LEG_DO_ASK),
		[LEG_EV_FAILED] = CLOSE,
		ENDS,
	},
	/* later offers (RFC 3264, 8; RFC 3261, 14): one that fails changes nothing */
	[LEG_REJUDGING] = {
		[LEG_EV_KEYED] =     GO(LEG_REBINDING, LEG_DO_BIND),
		[LEG_EV_UNKEYED] =   GO(LEG_UP, LEG_DO_DECLINE),
		[LEG_EV_WITHDRAWN] = GO(LEG_UP, LEG_DO_WITHDRAW),
		[LEG_EV_FAILED] =    CLOSE,
		ENDS,
	},
	[LEG_REBINDING] = {
		[LEG_EV_DONE] =      GO(LEG_UP, LEG_DO_ANSWER),
		[LEG_EV_REFUSED] =   CLOSE, /* what stood may be gone */
		[LEG_EV_WITHDRAWN] = CLOSE, /* likewise */
		[LEG_EV_FAILED] =    CLOSE,
		ENDS,
	},
	[LEG_REASKING] = {
		[LEG_EV_KEYED] =     GO(LEG_CALLING, LEG_DO_CALL),
		[LEG_EV_UNKEYED] =   GO(LEG_UP, LEG_DO_DECLINE),
		[LEG_EV_WITHDRAWN] = GO(LEG_UP, LEG_DO_WITHDRAW),
		[LEG_EV_FAILED] =    CLOSE,
		ENDS,
	},
	[LEG_CLOSING] = {
		[LEG_EV_DONE] =    GO(LEG_CLOSING, LEG_DO_SETTLE),
		[LEG_EV_REFUSED] = GO(LEG_CLOSING, LEG_DO_SETTLE),
		[LEG_EV_OVER] =    GO(LEG_CLOSING, LEG_DO_SETTLE),
		[LEG_EV_LOST] =    GO(LEG_CLOSING, LEG_DO_SETTLE),
		[LEG_EV_EMPTY] =   GO(LEG_GONE, LEG_DO_BURY),
	},
};
/* clang-format on */

static const char *const states[LEG_STATES] = {
	"idle",      "judging",   "seating",  "answering", "reserving",
	"asking",    "calling",   "reading",  "binding",   "up",
	"rejudging", "rebinding", "reasking", "closing",   "gone",
};
static const char *const events[LEG_EVENTS] = {
	"INVITE",        "INVITE-without-offer",
	"dial",          "offer",
	"keyed",         "not-keyed",
	"done",          "refused",
	"answer",        "ACK",
	"withdrawn",     "over",
	"bearer-failed", "MRFP-lost",
	"late",          "end",
	"empty",
};
static const char *const actions[LEG_ACTIONS] = {
	"-",    "judge", "seat",    "answer",   "reserve", "ask",    "call", "read",
	"bind", "up",    "decline", "withdraw", "close",   "settle", "bury",
};

struct leg_step mgc_leg_step(enum leg_state state, enum leg_event event)
{
	return table[state][event];
}

const char *mgc_leg_state_name(enum leg_state state)
{
	return states[state];
}

const char *mgc_leg_event_name(enum leg_event event)
{
	return events[event];
}

const char *mgc_leg_action_name(enum leg_action action)
{
	return actions[action];
}

bool mgc_leg_state_timed(enum leg_state state)
{
	return state == LEG_JUDGING || state == LEG_SEATING || state == LEG_RESERVING ||
	       state == LEG_ASKING || state == LEG_CALLING || state == LEG_BINDING ||
	       state == LEG_REJUDGING || state == LEG_REBINDING || state == LEG_REASKING;
}

void mgc_leg_print(struct base_writer *w)
{
	base_writer_text(w, "| State | Event | Action | Next |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < LEG_STATES; s++)
		for (unsigned e = 0; e < LEG_EVENTS; e++)
			if (table[s][e].legal)
				base_writer_printf(w, "| %s | %s | %s | %s |\n", states[s],
				                   events[e], actions[table[s][e].action],
				                   states[table[s][e].next]);
}
