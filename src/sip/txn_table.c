/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/txn_table.h"

#include "sip/txn.h"

#define GO(state, ...)                                                                             \
	{                                                                                          \
		.legal = true, .next = (state), .actions = (__VA_ARGS__)                           \
	}

/* clang-format off */
static const struct txn_step table[MACHINES][STATES][EVENTS] = {
	/* 17.1.1, figure 5, and RFC 6026 */
	[INVITE_CLIENT] = {
		[CALLING] = {
			[EV_1XX] =     GO(PROCEEDING, DO_STOP | DO_TELL),
			[EV_2XX] =     GO(ACCEPTED, DO_STOP | DO_LINGER | DO_TELL),
			[EV_FINAL] =   GO(COMPLETED, DO_STOP | DO_ACK | DO_LINGER | DO_TELL),
			[EV_REPEAT] =  GO(CALLING, DO_SEND | DO_DOUBLE),
			[EV_TIMEOUT] = GO(OVER, DO_STALE),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[PROCEEDING] = {
			[EV_1XX] =   GO(PROCEEDING, DO_TELL),
			[EV_2XX] =   GO(ACCEPTED, DO_LINGER | DO_TELL),
			[EV_FINAL] = GO(COMPLETED, DO_ACK | DO_LINGER | DO_TELL),
			[EV_TIMEOUT] = GO(OVER, DO_STALE), /* once it has been cancelled (9.1) */
			[EV_ERROR] = GO(OVER, DO_BROKEN),
		},
		[COMPLETED] = {
			[EV_FINAL] =  GO(COMPLETED, DO_SEND),
			[EV_LINGER] = GO(OVER, DO_DONE),
			[EV_ERROR] =  GO(OVER, DO_DONE),
		},
		[ACCEPTED] = {
			[EV_2XX] =    GO(ACCEPTED, DO_TELL),
			[EV_LINGER] = GO(OVER, DO_DONE),
		},
	},
	/* 17.1.2, figure 6 */
	[OTHER_CLIENT] = {
		[CALLING] = {
			[EV_1XX] =     GO(PROCEEDING, DO_SLOW | DO_TELL),
			[EV_2XX] =     GO(COMPLETED, DO_STOP | DO_LINGER | DO_TELL),
			[EV_FINAL] =   GO(COMPLETED, DO_STOP | DO_LINGER | DO_TELL),
			[EV_REPEAT] =  GO(CALLING, DO_SEND | DO_DOUBLE),
			[EV_TIMEOUT] = GO(OVER, DO_STALE),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[PROCEEDING] = {
			[EV_1XX] =     GO(PROCEEDING, DO_TELL),
			[EV_2XX] =     GO(COMPLETED, DO_STOP | DO_LINGER | DO_TELL),
			[EV_FINAL] =   GO(COMPLETED, DO_STOP | DO_LINGER | DO_TELL),
			[EV_REPEAT] =  GO(PROCEEDING, DO_SEND | DO_SLOW),
			[EV_TIMEOUT] = GO(OVER, DO_STALE),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[COMPLETED] = {
			[EV_LINGER] = GO(OVER, DO_DONE),
		},
	},
	/* 17.2.1, figure 7, and RFC 6026 */
	[INVITE_SERVER] = {
		[PROCEEDING] = {
			[EV_1XX] =     GO(PROCEEDING, DO_SEND),
			[EV_2XX] =     GO(ACCEPTED, DO_SEND | DO_LINGER),
			[EV_FINAL] =   GO(COMPLETED, DO_SEND | DO_REPEAT | DO_REST),
			[EV_REQUEST] = GO(PROCEEDING, DO_SEND),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[COMPLETED] = {
			[EV_REQUEST] = GO(COMPLETED, DO_SEND),
			[EV_ACK] =     GO(CONFIRMED, DO_STOP | DO_LINGER),
			[EV_REPEAT] =  GO(COMPLETED, DO_SEND | DO_DOUBLE),
			[EV_TIMEOUT] = GO(OVER, DO_STALE),
			[EV_LINGER] =  GO(OVER, DO_DONE), /* no ACK has come, and room is short */
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[CONFIRMED] = {
			[EV_LINGER] = GO(OVER, DO_DONE),
		},
		[ACCEPTED] = {
			[EV_2XX] =    GO(ACCEPTED, DO_SEND),
			[EV_LINGER] = GO(OVER, DO_DONE),
		},
	},
	/* 17.2.2, figure 8 */
	[OTHER_SERVER] = {
		[CALLING] = {
			[EV_1XX] =   GO(PROCEEDING, DO_SEND),
			[EV_2XX] =   GO(COMPLETED, DO_SEND | DO_LINGER),
			[EV_FINAL] = GO(COMPLETED, DO_SEND | DO_LINGER),
			[EV_ERROR] = GO(OVER, DO_BROKEN),
		},
		[PROCEEDING] = {
			[EV_1XX] =     GO(PROCEEDING, DO_SEND),
			[EV_2XX] =     GO(COMPLETED, DO_SEND | DO_LINGER),
			[EV_FINAL] =   GO(COMPLETED, DO_SEND | DO_LINGER),
			[EV_REQUEST] = GO(PROCEEDING, DO_SEND),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
		[COMPLETED] = {
			[EV_REQUEST] = GO(COMPLETED, DO_SEND),
			[EV_LINGER] =  GO(OVER, DO_DONE),
			[EV_ERROR] =   GO(OVER, DO_BROKEN),
		},
	},
};
/* clang-format on */

static const char *const machines[] = { "INVITE client", "client", "INVITE server", "server" };
static const char *const states[] = { "calling",   "proceeding", "completed",
	                              "confirmed", "accepted",   "over" };
static const char *const events[] = { "1xx",    "2xx",     "3xx-6xx", "request",    "ACK",
	                              "repeat", "timeout", "linger",  "flow-failed" };
static const char *const actions[] = { "send",   "ack",  "double", "slow", "repeat", "stop",
	                               "linger", "tell", "408",    "503",  "done",   "rest" };

struct txn_step sip_txn_step_of(enum txn_machine machine, enum txn_state state,
                                enum txn_event event)
{
	return table[machine][state][event];
}

const char *sip_txn_state_name(enum txn_state state)
{
	return states[state];
}

const char *sip_txn_event_name(enum txn_event event)
{
	return events[event];
}

const char *sip_txn_machine_name(enum txn_machine machine)
{
	return machines[machine];
}

static void print_row(struct base_writer *w, enum txn_state state, enum txn_event event,
                      struct txn_step step)
{
	const char *sep = "";

	base_writer_printf(w, "| %s | %s | ", states[state], events[event]);
	for (size_t a = 0; a < BASE_COUNT(actions); a++) {
		if (!(step.actions & (1U << a)))
			continue;
		base_writer_printf(w, "%s%s", sep, actions[a]);
		sep = ", ";
	}
	base_writer_printf(w, " | %s |\n", states[step.next]);
}

void sip_txn_print(struct base_writer *w)
{
	for (unsigned m = 0; m < MACHINES; m++) {
		base_writer_printf(
		        w, "\n## %s\n\n| State | Event | Action | Next |\n|---|---|---|---|\n",
		        machines[m]);
		for (unsigned s = 0; s < STATES; s++) {
			for (unsigned e = 0; e < EVENTS; e++) {
				if (table[m][s][e].legal)
					print_row(w, (enum txn_state)s, (enum txn_event)e,
					          table[m][s][e]);
			}
		}
	}
}
