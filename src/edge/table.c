/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/core.h"
#include "edge/table.h"

#define GO(state, what)                                                                            \
	{                                                                                          \
		.legal = true, .next = (state), .action = (what)                                   \
	}
/* Of every flow that lives. */
#define ENDS                                                                                       \
	[BIND_EV_REFUSED] = GO(BIND_CLOSED, BIND_DO_FORGET),                                       \
	[BIND_EV_DROP] = GO(BIND_CLOSED, BIND_DO_FORGET),                                          \
	[BIND_EV_LOST] = GO(BIND_CLOSED, BIND_DO_BURY)
/* Of those who have not registered: a handshake serves a registration, or nothing (O.4.1). */
#define UNBOUND                                                                                    \
	ENDS, [BIND_EV_CROSSED] = GO(BIND_CLOSED, BIND_DO_FORGET),                                 \
	      [BIND_EV_CHALLENGE] = GO(BIND_CHALLENGED, BIND_DO_WAIT),                             \
	      [BIND_EV_PROOF] = GO(BIND_PROVING, BIND_DO_NOTHING),                                 \
	      [BIND_EV_YES] = GO(BIND_BOUND, BIND_DO_BIND),                                        \
	      [BIND_EV_LATE] = GO(BIND_CLOSED, BIND_DO_FORGET)
/* Of the bound: in all three a re-REGISTER goes on as if nothing else went on (O.4.3). */
#define BOUND(same)                                                                                \
	ENDS, [BIND_EV_YES] = GO(same, BIND_DO_REFRESH),                                           \
	      [BIND_EV_ZERO] = GO(BIND_NEW, BIND_DO_UNBIND),                                       \
	      [BIND_EV_EXPIRED] = GO(BIND_NEW, BIND_DO_UNBIND),                                    \
	      [BIND_EV_NETWORK] = GO(BIND_NEW, BIND_DO_UNBIND),                                    \
	      [BIND_EV_REKEYED] = GO(BIND_BOUND, BIND_DO_REKEY),                                   \
	      [BIND_EV_OLD] = GO(BIND_CLOSED, BIND_DO_FORGET)

/* clang-format off */
static const struct bind_step table[BIND_STATES][BIND_EVENTS] = {
	[BIND_NEW] = {
		UNBOUND,
		[BIND_EV_PLAIN] =   GO(BIND_PLAIN, BIND_DO_NOTHING),
		[BIND_EV_REKEYED] = GO(BIND_NEW, BIND_DO_REKEY),
	},
	[BIND_CHALLENGED] = {
		UNBOUND,
		[BIND_EV_REKEYED] = GO(BIND_CHALLENGED, BIND_DO_REKEY),
	},
	[BIND_PROVING] = {
		UNBOUND,
		[BIND_EV_OTHER] =   GO(BIND_NEW, BIND_DO_NOTHING),
		[BIND_EV_ZERO] =    GO(BIND_NEW, BIND_DO_NOTHING), /* it took back what another flow had */
		[BIND_EV_REKEYED] = GO(BIND_PROVING, BIND_DO_REKEY),
	},
	[BIND_BOUND] = {
		BOUND(BIND_BOUND),
		[BIND_EV_AGED] = GO(BIND_RENEWING, BIND_DO_RENEW),
		/* TLS 1.3: it talks on without the keys that it owes */
		[BIND_EV_IGNORED] =   GO(BIND_CLOSED, BIND_DO_FORGET),
		[BIND_EV_SPARED] =    GO(BIND_BOUND, BIND_DO_NOTHING),
		[BIND_EV_TOLERATED] = GO(BIND_TOLERATED, BIND_DO_GO_ON),
	},
	[BIND_RENEWING] = {
		BOUND(BIND_RENEWING),
		[BIND_EV_IGNORED] =   GO(BIND_CLOSED, BIND_DO_FORGET),
		[BIND_EV_SPARED] =    GO(BIND_BOUND, BIND_DO_NOTHING), /* once more when it is */
		[BIND_EV_TOLERATED] = GO(BIND_TOLERATED, BIND_DO_GO_ON),
	},
	[BIND_TOLERATED] = {
		BOUND(BIND_TOLERATED),
		[BIND_EV_AGED] = GO(BIND_RENEWING, BIND_DO_RENEW), /* the operator tries again */
	},
	[BIND_PLAIN] = {
		[BIND_EV_CROSSED] = GO(BIND_CLOSED, BIND_DO_CLOSE),
		[BIND_EV_DROP] =    GO(BIND_CLOSED, BIND_DO_CLOSE),
		[BIND_EV_LOST] =    GO(BIND_CLOSED, BIND_DO_NOTHING),
	},
	[BIND_CLOSED] = {
		[BIND_EV_YES] = GO(BIND_CLOSED, BIND_DO_PART),
	},
};
/* clang-format on */

static const char *const states[BIND_STATES] = {
	"new", "challenged", "proving", "bound", "renewing", "tolerated", "plain", "closed",
};
static const char *const events[BIND_EVENTS] = {
	[BIND_EV_PLAIN] = "no-TLS",
	[BIND_EV_CHALLENGE] = "challenge",
	[BIND_EV_PROOF] = "proof",
	[BIND_EV_YES] = "yes",
	[BIND_EV_ZERO] = "yes-gone",
	[BIND_EV_REFUSED] = "refused",
	[BIND_EV_OTHER] = "other-answer",
	[BIND_EV_CROSSED] = "crossed",
	[BIND_EV_LATE] = "late",
	[BIND_EV_EXPIRED] = "expired",
	[BIND_EV_AGED] = "aged",
	[BIND_EV_REKEYED] = "rekeyed",
	[BIND_EV_IGNORED] = "ignored",
	[BIND_EV_SPARED] = "ignored-early",
	[BIND_EV_TOLERATED] = "ignored-tolerated",
	[BIND_EV_OLD] = "24-h",
	[BIND_EV_NETWORK] = "network",
	[BIND_EV_DROP] = "drop",
	[BIND_EV_LOST] = "lost",
};
static const char *const actions[BIND_ACTIONS] = {
	"-",     "wait",  "bind",  "refresh", "unbind", "renew",
	"rekey", "go-on", "close", "forget",  "part",   "bury",
};
static const char *const ends[EDGE_ENDS] = {
	[EDGE_END_UNREGISTERED] = "unregistered",
	[EDGE_END_EXPIRED] = "expired",
	[EDGE_END_LOST] = "connection lost",
	[EDGE_END_DIGEST] = "Digest refused",
	[EDGE_END_IGNORED] = "not renegotiated",
	[EDGE_END_REPLACED] = "registered on another flow",
	[EDGE_END_CROWD] = "too many flows of one IMPI",
	[EDGE_END_NETWORK] = "ended by the network",
	[EDGE_END_OPERATOR] = "dropped",
};

struct bind_step edge_bind_step(enum bind_state state, enum bind_event event)
{
	return table[state][event];
}

const char *edge_bind_state_name(enum bind_state state)
{
	return states[state];
}

const char *edge_bind_event_name(enum bind_event event)
{
	return events[event];
}

const char *edge_bind_action_name(enum bind_action action)
{
	return actions[action];
}

const char *edge_end_name(enum edge_end end)
{
	return ends[end];
}

void edge_core_print(struct base_writer *w)
{
	base_writer_text(w, "| State | Event | Action | Next |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < BIND_STATES; s++)
		for (unsigned e = 0; e < BIND_EVENTS; e++)
			if (table[s][e].legal)
				base_writer_printf(w, "| %s | %s | %s | %s |\n", states[s],
				                   events[e], actions[table[s][e].action],
				                   states[table[s][e].next]);
}
