/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/proxy_table.h"

#include "sip/proxy.h"

#define GO(state, ...)                                                                             \
	{                                                                                          \
		.legal = true, .next = (state), .actions = (__VA_ARGS__)                           \
	}

/* clang-format off */
static const struct leg_step table[LEG_STATES][LEG_EVENTS] = {
	[LEG_SEEKING] = {
		[LEG_WAY] =    GO(LEG_CALLING, LEG_DO_SEND),
		[LEG_NO_WAY] = GO(LEG_OVER, 0),
		[LEG_CANCEL] = GO(LEG_OVER, LEG_DO_NONE),
	},
	[LEG_CALLING] = {
		[LEG_1XX] =     GO(LEG_PROCEEDING, LEG_DO_C | LEG_DO_PASS),
		[LEG_2XX] =     GO(LEG_ANSWERED, LEG_DO_KEEP | LEG_DO_PASS),
		[LEG_503] =     GO(LEG_SEEKING, LEG_DO_KEEP | LEG_DO_NEXT),
		[LEG_FINAL] =   GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_TIMEOUT] = GO(LEG_SEEKING, LEG_DO_MISSED | LEG_DO_NEXT),
		[LEG_BROKEN] =  GO(LEG_SEEKING, LEG_DO_LOST | LEG_DO_NEXT),
		[LEG_CANCEL] =  GO(LEG_DOOMED, 0),
		[LEG_END] =     GO(LEG_OVER, 0),
	},
	[LEG_PROCEEDING] = {
		[LEG_1XX] =     GO(LEG_PROCEEDING, LEG_DO_C | LEG_DO_PASS),
		[LEG_2XX] =     GO(LEG_ANSWERED, LEG_DO_KEEP | LEG_DO_PASS),
		[LEG_503] =     GO(LEG_SEEKING, LEG_DO_KEEP | LEG_DO_NEXT),
		[LEG_FINAL] =   GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_TIMEOUT] = GO(LEG_SEEKING, LEG_DO_MISSED | LEG_DO_NEXT),
		[LEG_BROKEN] =  GO(LEG_SEEKING, LEG_DO_LOST | LEG_DO_NEXT),
		[LEG_CANCEL] =  GO(LEG_CANCELLED, LEG_DO_CANCEL),
		[LEG_TIMER_C] = GO(LEG_CANCELLED, LEG_DO_CANCEL), /* 16.8 */
		[LEG_END] =     GO(LEG_OVER, 0),
	},
	[LEG_DOOMED] = {
		[LEG_1XX] =     GO(LEG_CANCELLED, LEG_DO_CANCEL | LEG_DO_PASS),
		[LEG_2XX] =     GO(LEG_ANSWERED, LEG_DO_KEEP | LEG_DO_PASS),
		[LEG_503] =     GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_FINAL] =   GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_TIMEOUT] = GO(LEG_OVER, LEG_DO_MISSED),
		[LEG_BROKEN] =  GO(LEG_OVER, LEG_DO_LOST),
		[LEG_END] =     GO(LEG_OVER, 0),
	},
	[LEG_CANCELLED] = {
		[LEG_1XX] =     GO(LEG_CANCELLED, LEG_DO_PASS),
		[LEG_2XX] =     GO(LEG_ANSWERED, LEG_DO_KEEP | LEG_DO_PASS),
		[LEG_503] =     GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_FINAL] =   GO(LEG_ANSWERED, LEG_DO_KEEP),
		[LEG_TIMEOUT] = GO(LEG_OVER, LEG_DO_MISSED),
		[LEG_BROKEN] =  GO(LEG_OVER, LEG_DO_LOST),
		[LEG_END] =     GO(LEG_OVER, 0),
	},
	[LEG_ANSWERED] = {
		[LEG_2XX] =     GO(LEG_ANSWERED, LEG_DO_PASS), /* once more, or of another fork */
		[LEG_TIMEOUT] = GO(LEG_OVER, 0),
		[LEG_BROKEN] =  GO(LEG_OVER, 0),
		[LEG_END] =     GO(LEG_OVER, 0),
	},
};
/* clang-format on */

static const char *const states[] = { "seeking",   "calling",  "proceeding", "doomed",
	                              "cancelled", "answered", "over" };
static const char *const events[] = { "way",    "no-way",  "1xx",     "2xx",
	                              "503",    "3xx-6xx", "timeout", "flow-failed",
	                              "cancel", "timer-C", "end" };
static const char *const actions[] = { "send", "C",   "pass",   "keep",       "408",
	                               "503",  "487", "CANCEL", "another-way" };

struct leg_step sip_leg_step_of(enum leg_state state, enum leg_event event)
{
	return table[state][event];
}

const char *sip_leg_state_name(enum leg_state state)
{
	return states[state];
}

static void print_row(struct base_writer *w, unsigned state, unsigned event)
{
	struct leg_step step = table[state][event];
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

void sip_proxy_print(struct base_writer *w)
{
	base_writer_text(w, "\n| State | Event | Action | Next |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < LEG_STATES; s++) {
		for (unsigned e = 0; e < LEG_EVENTS; e++) {
			if (table[s][e].legal)
				print_row(w, s, e);
		}
	}
}
