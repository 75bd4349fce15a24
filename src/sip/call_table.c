/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/call_table.h"

#include "sip/call.h"

#define GO(state, ...)                                                                             \
	{                                                                                          \
		.legal = true, .next = (state), .actions = (__VA_ARGS__)                           \
	}

/* clang-format off */
static const struct call_step life[C_STATES][C_EVENTS] = {
	/* 13.2, 9.1, 15 */
	[C_LOOKING] = {
		[C_SENT] =  GO(C_ASKING, 0),
		[C_LOST] =  GO(C_OVER, C_DO_OVER),
		[C_END] =   GO(C_OVER, C_DO_OVER),
	},
	[C_ASKING] = {
		[C_SENT] =      GO(C_ASKING, 0), /* by another way, or with credentials */
		[C_1XX] =       GO(C_RINGING, C_DO_TELL_PROGRESS),
		[C_2XX] =       GO(C_UP, C_DO_ACK | C_DO_TELL_ANSWERED),
		[C_2XX_OFFER] = GO(C_ASKED, C_DO_TELL_ASKED),
		[C_FINAL] =     GO(C_OVER, C_DO_OVER),
		[C_LOST] =      GO(C_OVER, C_DO_OVER),
		[C_END] =       GO(C_CANCELLING, 0), /* no CANCEL before a 1xx */
	},
	[C_RINGING] = {
		[C_SENT] =      GO(C_ASKING, 0),
		[C_1XX] =       GO(C_RINGING, C_DO_TELL_PROGRESS),
		[C_2XX] =       GO(C_UP, C_DO_ACK | C_DO_TELL_ANSWERED),
		[C_2XX_OFFER] = GO(C_ASKED, C_DO_TELL_ASKED),
		[C_FINAL] =     GO(C_OVER, C_DO_OVER),
		[C_LOST] =      GO(C_OVER, C_DO_OVER),
		[C_END] =       GO(C_CANCELLING, C_DO_CANCEL),
	},
	[C_CANCELLING] = {
		[C_1XX] =       GO(C_CANCELLING, C_DO_CANCEL),
		[C_2XX] =       GO(C_ENDING, C_DO_ACK | C_DO_BYE),
		[C_2XX_OFFER] = GO(C_ENDING, C_DO_ACK | C_DO_BYE),
		[C_FINAL] =     GO(C_OVER, C_DO_OVER),
		[C_LOST] =      GO(C_OVER, C_DO_OVER),
	},
	[C_ASKED] = {
		[C_ACCEPT] = GO(C_UP, C_DO_ACK),
		[C_END] =    GO(C_ENDING, C_DO_ACK | C_DO_BYE),
		[C_BYE] =    GO(C_OVER, C_DO_ACK | C_DO_OK | C_DO_OVER),
	},
	/* 13.3, 9.2, 15 */
	[C_OFFERED] = {
		[C_PROGRESS] = GO(C_OFFERED, C_DO_REPLY),
		[C_ACCEPT] =   GO(C_ACCEPTED, C_DO_REPLY | C_DO_REPEAT),
		[C_END] =      GO(C_OVER, C_DO_REPLY | C_DO_OVER),
		[C_CANCEL] =   GO(C_OVER, C_DO_487 | C_DO_OVER),
		[C_BYE] =      GO(C_OVER, C_DO_OK | C_DO_487 | C_DO_OVER),
		[C_LOST] =     GO(C_OVER, C_DO_OVER),
	},
	[C_ACCEPTED] = {
		[C_ACK] =    GO(C_UP, C_DO_TELL_CONFIRMED),
		[C_NO_ACK] = GO(C_ENDING, C_DO_BYE),
		[C_END] =    GO(C_HANGING, 0),
		[C_BYE] =    GO(C_OVER, C_DO_OK | C_DO_OVER),
	},
	[C_HANGING] = {
		[C_ACK] =    GO(C_ENDING, C_DO_BYE),
		[C_NO_ACK] = GO(C_ENDING, C_DO_BYE),
		[C_BYE] =    GO(C_OVER, C_DO_OK | C_DO_OVER),
	},
	[C_UP] = {
		[C_END] = GO(C_ENDING, C_DO_BYE),
		[C_BYE] = GO(C_OVER, C_DO_OK | C_DO_OVER),
	},
	[C_ENDING] = {
		[C_BYE] =      GO(C_ENDING, C_DO_OK), /* they cross */
		[C_BYE_DONE] = GO(C_OVER, C_DO_OVER),
	},
};

/* 14; RFC 3311, 5 */
static const struct call_step offers[O_STATES][O_EVENTS] = {
	[O_IDLE] = {
		[O_OFFER] = GO(O_SENT, O_DO_SEND),
		[O_PEER] =  GO(O_ASKED, O_DO_TELL_OFFERED),
	},
	[O_SENT] = {
		[O_2XX] =   GO(O_IDLE, O_DO_ACK | O_DO_TELL_AGREED),
		[O_491] =   GO(O_GLARE, O_DO_WAIT),
		[O_FINAL] = GO(O_IDLE, O_DO_TELL_DECLINED),
		[O_PEER] =  GO(O_SENT, O_DO_491),
	},
	[O_GLARE] = {
		[O_AGAIN] = GO(O_SENT, O_DO_SEND),
		[O_PEER] =  GO(O_ASKED, O_DO_TELL_DECLINED | O_DO_TELL_OFFERED), /* it goes first */
	},
	[O_ASKED] = {
		[O_ACCEPT] =  GO(O_UNACKED, O_DO_REPLY | O_DO_REPEAT), /* an UPDATE: idle at once */
		[O_DECLINE] = GO(O_IDLE, O_DO_REPLY),
		[O_CANCEL] =  GO(O_IDLE, O_DO_487 | O_DO_TELL_WITHDRAWN),
		[O_PEER] =    GO(O_ASKED, O_DO_500),
	},
	[O_UNACKED] = {
		[O_ACK] =    GO(O_IDLE, O_DO_TELL_CONFIRMED),
		[O_NO_ACK] = GO(O_IDLE, O_DO_END),
		[O_PEER] =   GO(O_UNACKED, O_DO_491),
	},
};
/* clang-format on */

static const char *const life_states[] = { "looking", "asking",  "ringing",  "cancelling",
	                                   "asked",   "offered", "accepted", "hanging",
	                                   "up",      "ending",  "over" };
static const char *const life_events[] = { "sent", "1xx",      "2xx",    "2xx-offer", "3xx-6xx",
	                                   "lost", "progress", "accept", "end",       "CANCEL",
	                                   "BYE",  "ACK",      "no-ACK", "BYE-done" };
static const char *const life_actions[] = {
	"tell-progress", "tell-answered", "tell-asked", "tell-confirmed",
	"ACK",           "CANCEL",        "BYE",        "reply",
	"repeat",        "487",           "200",        "tell-over"
};
static const char *const offer_states[] = { "idle", "sent", "glare", "asked", "unacked" };
static const char *const offer_events[] = { "offer",  "again",   "2xx",    "491", "3xx-6xx", "peer",
	                                    "accept", "decline", "CANCEL", "ACK", "no-ACK" };
static const char *const offer_actions[] = { "send",
	                                     "ACK",
	                                     "tell-agreed",
	                                     "tell-declined",
	                                     "tell-offered",
	                                     "tell-withdrawn",
	                                     "tell-confirmed",
	                                     "wait",
	                                     "reply",
	                                     "repeat",
	                                     "487",
	                                     "491",
	                                     "500",
	                                     "end" };

struct call_step sip_call_step_of(enum call_state state, enum call_event event)
{
	return life[state][event];
}

struct call_step sip_offer_step_of(enum offer_state state, enum offer_event event)
{
	return offers[state][event];
}

const char *sip_call_state_name(enum call_state state)
{
	return life_states[state];
}

const char *sip_call_event_name(enum call_event event)
{
	return life_events[event];
}

const char *sip_offer_state_name(enum offer_state state)
{
	return offer_states[state];
}

const char *sip_offer_event_name(enum offer_event event)
{
	return offer_events[event];
}

static void print_row(struct base_writer *w, const char *state, const char *event, const char *next,
                      struct call_step step, const char *const *actions)
{
	const char *sep = "";

	base_writer_printf(w, "| %s | %s | ", state, event);
	for (unsigned a = 0; step.actions >> a; a++) {
		if (!(step.actions & (1U << a)))
			continue;
		base_writer_printf(w, "%s%s", sep, actions[a]);
		sep = ", ";
	}
	base_writer_printf(w, " | %s |\n", next);
}

void sip_call_print(struct base_writer *w)
{
	static const char head[] = "| State | Event | Action | Next |\n|---|---|---|---|\n";

	base_writer_printf(w, "\n## Call\n\n%s", head);
	for (unsigned s = 0; s < C_STATES; s++) {
		for (unsigned e = 0; e < C_EVENTS; e++) {
			if (life[s][e].legal)
				print_row(w, life_states[s], life_events[e],
				          life_states[life[s][e].next], life[s][e], life_actions);
		}
	}
	base_writer_printf(w, "\n## Offers within a call\n\n%s", head);
	for (unsigned s = 0; s < O_STATES; s++) {
		for (unsigned e = 0; e < O_EVENTS; e++) {
			if (offers[s][e].legal)
				print_row(w, offer_states[s], offer_events[e],
				          offer_states[offers[s][e].next], offers[s][e],
				          offer_actions);
		}
	}
}
