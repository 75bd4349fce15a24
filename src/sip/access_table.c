/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/access_table.h"

#define GO(state, what)                                                                            \
	{                                                                                          \
		.legal = true, .next = (state), .action = (what)                                   \
	}
#define BACK_OFF GO(ACCESS_WAITING, ACCESS_DO_BACK_OFF)
#define ANEW     GO(ACCESS_CONNECTING, ACCESS_DO_RECONNECT)
#define LEFT     GO(ACCESS_IDLE, ACCESS_DO_LEFT)
#define CLOSE    GO(ACCESS_IDLE, ACCESS_DO_CLOSE)

/* clang-format off */
static const struct access_step table[ACCESS_STATES][ACCESS_EVENTS] = {
	[ACCESS_IDLE] = {
		[ACCESS_EV_BEGIN] = GO(ACCESS_CONNECTING, ACCESS_DO_CONNECT),
	},
	[ACCESS_CONNECTING] = {
		[ACCESS_EV_FLOW] =    GO(ACCESS_REGISTERING, ACCESS_DO_REGISTER),
		[ACCESS_EV_NO_FLOW] = BACK_OFF,
		[ACCESS_EV_TIME] =    BACK_OFF,
		[ACCESS_EV_STOP] =    LEFT,
	},
	/* O.3 and O.4: nothing is left of a registration that has not come about */
	[ACCESS_REGISTERING] = {
		[ACCESS_EV_CHALLENGED] = GO(ACCESS_REGISTERING, ACCESS_DO_ANSWER),
		[ACCESS_EV_OK] =         GO(ACCESS_REGISTERED, ACCESS_DO_UP),
		[ACCESS_EV_DIGEST] =     BACK_OFF,
		[ACCESS_EV_INSECURE] =   BACK_OFF,
		[ACCESS_EV_FAILED] =     BACK_OFF,
		[ACCESS_EV_BUSY] =       BACK_OFF,
		[ACCESS_EV_REFUSED] =    BACK_OFF,
		[ACCESS_EV_SILENT] =     BACK_OFF,
		[ACCESS_EV_UNREACHED] =  GO(ACCESS_CONNECTING, ACCESS_DO_NEXT),
		[ACCESS_EV_LOST] =       BACK_OFF,
		[ACCESS_EV_STOP] =       GO(ACCESS_ENDING, ACCESS_DO_NOTHING),
	},
	[ACCESS_REGISTERED] = {
		[ACCESS_EV_BEGIN] =     GO(ACCESS_REFRESHING, ACCESS_DO_REFRESH),
		[ACCESS_EV_TIME] =      GO(ACCESS_REFRESHING, ACCESS_DO_REFRESH),
		[ACCESS_EV_LOST] =      ANEW,
		[ACCESS_EV_LOST_SOON] = BACK_OFF,
		[ACCESS_EV_STOP] =      GO(ACCESS_LEAVING, ACCESS_DO_LEAVE),
	},
	/* O.3: a failed Digest ends the session, a stale one does not, silence wants a new
	 * registration; RFC 5626, 4.2.2: the flow is kept where it may go better later */
	[ACCESS_REFRESHING] = {
		[ACCESS_EV_CHALLENGED] = GO(ACCESS_REFRESHING, ACCESS_DO_ANSWER),
		[ACCESS_EV_OK] =         GO(ACCESS_REGISTERED, ACCESS_DO_UP),
		[ACCESS_EV_DIGEST] =     BACK_OFF,
		[ACCESS_EV_INSECURE] =   BACK_OFF,
		[ACCESS_EV_FAILED] =     ANEW,
		[ACCESS_EV_BUSY] =       GO(ACCESS_REGISTERED, ACCESS_DO_KEEP),
		[ACCESS_EV_REFUSED] =    BACK_OFF,
		[ACCESS_EV_SILENT] =     ANEW,
		[ACCESS_EV_LOST] =       ANEW,
		[ACCESS_EV_LOST_SOON] =  BACK_OFF,
		[ACCESS_EV_STOP] =       GO(ACCESS_ENDING, ACCESS_DO_NOTHING),
	},
	[ACCESS_WAITING] = {
		[ACCESS_EV_BEGIN] = GO(ACCESS_CONNECTING, ACCESS_DO_CONNECT),
		[ACCESS_EV_TIME] =  GO(ACCESS_CONNECTING, ACCESS_DO_CONNECT),
		[ACCESS_EV_STOP] =  LEFT,
	},
	/* RFC 3261, 10.2: no REGISTER before the last one has its answer */
	[ACCESS_ENDING] = {
		[ACCESS_EV_CHALLENGED] = GO(ACCESS_ENDING, ACCESS_DO_ANSWER),
		[ACCESS_EV_OK] =         GO(ACCESS_LEAVING, ACCESS_DO_LEAVE),
		[ACCESS_EV_BUSY] =       GO(ACCESS_LEAVING, ACCESS_DO_LEAVE),
		[ACCESS_EV_DIGEST] =     CLOSE,
		[ACCESS_EV_INSECURE] =   CLOSE,
		[ACCESS_EV_FAILED] =     CLOSE,
		[ACCESS_EV_REFUSED] =    CLOSE,
		[ACCESS_EV_SILENT] =     CLOSE,
		[ACCESS_EV_UNREACHED] =  CLOSE,
		[ACCESS_EV_LOST] =       CLOSE,
		[ACCESS_EV_LOST_SOON] =  CLOSE,
	},
	[ACCESS_LEAVING] = {
		[ACCESS_EV_CHALLENGED] = GO(ACCESS_LEAVING, ACCESS_DO_ANSWER),
		[ACCESS_EV_OK] =         LEFT,
		[ACCESS_EV_DIGEST] =     CLOSE,
		[ACCESS_EV_INSECURE] =   CLOSE,
		[ACCESS_EV_FAILED] =     CLOSE,
		[ACCESS_EV_BUSY] =       CLOSE,
		[ACCESS_EV_REFUSED] =    CLOSE,
		[ACCESS_EV_SILENT] =     CLOSE,
		[ACCESS_EV_LOST] =       CLOSE,
		[ACCESS_EV_LOST_SOON] =  CLOSE,
	},
};
/* clang-format on */

static const char *const states[ACCESS_STATES] = {
	[ACCESS_IDLE] = "idle",
	[ACCESS_CONNECTING] = "connecting",
	[ACCESS_REGISTERING] = "registering",
	[ACCESS_REGISTERED] = "registered",
	[ACCESS_REFRESHING] = "refreshing",
	[ACCESS_WAITING] = "waiting",
	[ACCESS_ENDING] = "ending",
	[ACCESS_LEAVING] = "leaving",
};

static const char *const events[ACCESS_EVENTS] = {
	[ACCESS_EV_BEGIN] = "begin",
	[ACCESS_EV_FLOW] = "flow",
	[ACCESS_EV_NO_FLOW] = "no-flow",
	[ACCESS_EV_CHALLENGED] = "challenged",
	[ACCESS_EV_OK] = "200",
	[ACCESS_EV_DIGEST] = "Digest-failed",
	[ACCESS_EV_INSECURE] = "no-security",
	[ACCESS_EV_FAILED] = "430",
	[ACCESS_EV_BUSY] = "5xx",
	[ACCESS_EV_REFUSED] = "refused",
	[ACCESS_EV_SILENT] = "silent",
	[ACCESS_EV_UNREACHED] = "unreached",
	[ACCESS_EV_LOST] = "lost",
	[ACCESS_EV_LOST_SOON] = "lost-soon",
	[ACCESS_EV_TIME] = "time",
	[ACCESS_EV_STOP] = "stop",
};

static const char *const actions[ACCESS_ACTIONS] = {
	[ACCESS_DO_NOTHING] = "-",
	[ACCESS_DO_CONNECT] = "connect",
	[ACCESS_DO_NEXT] = "connect-elsewhere",
	[ACCESS_DO_REGISTER] = "REGISTER",
	[ACCESS_DO_ANSWER] = "REGISTER-with-answer",
	[ACCESS_DO_UP] = "up",
	[ACCESS_DO_REFRESH] = "re-REGISTER",
	[ACCESS_DO_KEEP] = "keep-flow",
	[ACCESS_DO_RECONNECT] = "remove, connect",
	[ACCESS_DO_BACK_OFF] = "remove, wait",
	[ACCESS_DO_LEAVE] = "REGISTER-Expires-0",
	[ACCESS_DO_LEFT] = "close",
	[ACCESS_DO_CLOSE] = "remove",
};

struct access_step sip_access_step(enum access_state state, enum access_event event)
{
	return table[state][event];
}

const char *sip_access_state_name(enum access_state state)
{
	return states[state];
}

bool sip_access_has_flow(enum access_state state)
{
	return state != ACCESS_IDLE && state != ACCESS_WAITING;
}

void sip_access_print(struct base_writer *w)
{
	base_writer_text(w, "| State | Event | Action | Next |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < ACCESS_STATES; s++)
		for (unsigned e = 0; e < ACCESS_EVENTS; e++)
			if (table[s][e].legal)
				base_writer_printf(w, "| %s | %s | %s | %s |\n", states[s],
				                   events[e], actions[table[s][e].action],
				                   states[table[s][e].next]);
}
