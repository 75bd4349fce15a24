/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/state.h"

static const struct relay_state_info states[RELAY_STATES] = {
	[RELAY_IDLE] = { "idle", RELAY_TIMER_NONE, RELAY_WAIT_CONTROL },
	[RELAY_LISTENING] = { "listening", RELAY_TIMER_ACCEPT, RELAY_WAIT_PEER },
	[RELAY_CONNECTING] = { "connecting", RELAY_TIMER_CONNECT, RELAY_WAIT_PEER },
	[RELAY_TCP_READY] = { "tcp-ready", RELAY_TIMER_NONE, RELAY_WAIT_CONTROL },
	[RELAY_HANDSHAKE] = { "handshake", RELAY_TIMER_HANDSHAKE, RELAY_WAIT_PEER },
	[RELAY_OPEN] = { "open", RELAY_TIMER_IDLE, RELAY_WAIT_TRAFFIC },
	[RELAY_HALF_IN] = { "half-in", RELAY_TIMER_HALF, RELAY_WAIT_PEER },
	[RELAY_HALF_OUT] = { "half-out", RELAY_TIMER_HALF, RELAY_WAIT_PEER },
	[RELAY_DRAIN] = { "drain", RELAY_TIMER_DRAIN, RELAY_WAIT_PEER },
	[RELAY_GONE] = { "gone", RELAY_TIMER_NONE, RELAY_WAIT_NOBODY },
};

/* clang-format off */
static const char *const inputs[RELAY_INPUTS] = {
	[RELAY_ON_CONNECT] = "connect",
	[RELAY_ON_UP] = "up",
	[RELAY_ON_FAILED] = "failed",
	[RELAY_ON_PLAIN] = "plain",
	[RELAY_ON_START_TLS] = "start-tls",
	[RELAY_ON_SHAKEN] = "shaken",
	[RELAY_ON_SHAKE_FAILED] = "shake-failed",
	[RELAY_ON_GUEST_FAILED] = "guest-failed",
	[RELAY_ON_GUEST_COMES] = "guest-comes",
	[RELAY_ON_GUEST_GOES] = "guest-goes",
	[RELAY_ON_PEER_END] = "peer-end",
	[RELAY_ON_TLS_BROKEN] = "tls-broken",
	[RELAY_ON_RESET] = "reset",
	[RELAY_ON_PARTNER_END] = "partner-end",
	[RELAY_ON_PARTNER_RELEASED] = "partner-released",
	[RELAY_ON_PARTNER_BROKEN] = "partner-broken",
	[RELAY_ON_RELEASE] = "release",
	[RELAY_ON_ABORT] = "abort",
	[RELAY_ON_TIMEOUT] = "timeout",
	[RELAY_ON_FLUSHED] = "flushed",
};

static const char *const actions[RELAY_ACTIONS] = {
	[RELAY_DO_CONNECT] = "connect",
	[RELAY_DO_TCP_UP] = "tcp-up",
	[RELAY_DO_TLS] = "start-tls",
	[RELAY_DO_OPEN] = "open",
	[RELAY_DO_PEER_END] = "carry-end",
	[RELAY_DO_END] = "end-sending",
	[RELAY_DO_RELEASE] = "release",
	[RELAY_DO_BREAK_TLS] = "flush-alert",
	[RELAY_DO_DISMISS] = "dismiss",
	[RELAY_DO_RECEIVE] = "receive",
	[RELAY_DO_PASS_ON] = "pass-on",
	[RELAY_DO_ABORT] = "abort",
	[RELAY_DO_CLOSE] = "close",
};

static const char *const timers[RELAY_TIMERS] = {
	[RELAY_TIMER_NONE] = "-",
	[RELAY_TIMER_ACCEPT] = "accept",
	[RELAY_TIMER_CONNECT] = "connect",
	[RELAY_TIMER_HANDSHAKE] = "handshake",
	[RELAY_TIMER_IDLE] = "idle",
	[RELAY_TIMER_RENEGOTIATION] = "renegotiation",
	[RELAY_TIMER_HALF] = "half",
	[RELAY_TIMER_DRAIN] = "drain",
};

#define TO(action, next) { true, RELAY_DO_##action, RELAY_##next }

static const struct relay_step steps[RELAY_STATES][RELAY_INPUTS] = {
	[RELAY_IDLE] = {
		[RELAY_ON_CONNECT]          = TO(CONNECT,   CONNECTING),
		[RELAY_ON_RELEASE]          = TO(CLOSE,     GONE),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
	},
	[RELAY_LISTENING] = {
		[RELAY_ON_UP]               = TO(TCP_UP,    TCP_READY),
		[RELAY_ON_FAILED]           = TO(CLOSE,     GONE),
		[RELAY_ON_RELEASE]          = TO(CLOSE,     GONE),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(CLOSE,     GONE),
	},
	[RELAY_CONNECTING] = {
		[RELAY_ON_UP]               = TO(TCP_UP,    TCP_READY),
		[RELAY_ON_FAILED]           = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_RELEASED] = TO(CLOSE,     GONE),
		[RELAY_ON_PARTNER_BROKEN]   = TO(CLOSE,     GONE),
		[RELAY_ON_RELEASE]          = TO(CLOSE,     GONE),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
	},
	[RELAY_TCP_READY] = {
		[RELAY_ON_PLAIN]            = TO(OPEN,      OPEN),
		[RELAY_ON_START_TLS]        = TO(TLS,       HANDSHAKE),
		[RELAY_ON_GUEST_COMES]      = TO(RECEIVE,   HANDSHAKE),
		[RELAY_ON_PEER_END]         = TO(RELEASE,   DRAIN),
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_RELEASED] = TO(RELEASE,   DRAIN),
		[RELAY_ON_PARTNER_BROKEN]   = TO(ABORT,     GONE),
		[RELAY_ON_RELEASE]          = TO(RELEASE,   DRAIN),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
	},
	[RELAY_HANDSHAKE] = {
		[RELAY_ON_SHAKEN]           = TO(OPEN,      OPEN),
		[RELAY_ON_SHAKE_FAILED]     = TO(BREAK_TLS, DRAIN),
		[RELAY_ON_GUEST_FAILED]     = TO(DISMISS,   TCP_READY),
		[RELAY_ON_GUEST_GOES]       = TO(PASS_ON,   TCP_READY),
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_RELEASED] = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_BROKEN]   = TO(ABORT,     GONE),
		[RELAY_ON_RELEASE]          = TO(ABORT,     GONE),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
	},
	[RELAY_OPEN] = {
		[RELAY_ON_PEER_END]         = TO(PEER_END,  HALF_IN),
		[RELAY_ON_TLS_BROKEN]       = TO(BREAK_TLS, DRAIN),
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_END]      = TO(END,       HALF_OUT),
		[RELAY_ON_PARTNER_RELEASED] = TO(RELEASE,   DRAIN),
		[RELAY_ON_PARTNER_BROKEN]   = TO(ABORT,     GONE),
		[RELAY_ON_RELEASE]          = TO(RELEASE,   DRAIN),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
	},
	[RELAY_HALF_IN] = {
		[RELAY_ON_TLS_BROKEN]       = TO(BREAK_TLS, DRAIN),
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_END]      = TO(END,       DRAIN),
		[RELAY_ON_PARTNER_RELEASED] = TO(RELEASE,   DRAIN),
		[RELAY_ON_PARTNER_BROKEN]   = TO(ABORT,     GONE),
		[RELAY_ON_RELEASE]          = TO(RELEASE,   DRAIN),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
	},
	[RELAY_HALF_OUT] = {
		[RELAY_ON_PEER_END]         = TO(PEER_END,  DRAIN),
		[RELAY_ON_TLS_BROKEN]       = TO(BREAK_TLS, DRAIN),
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_PARTNER_RELEASED] = TO(RELEASE,   DRAIN),
		[RELAY_ON_PARTNER_BROKEN]   = TO(ABORT,     GONE),
		[RELAY_ON_RELEASE]          = TO(RELEASE,   DRAIN),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
	},
	[RELAY_DRAIN] = {
		[RELAY_ON_RESET]            = TO(ABORT,     GONE),
		[RELAY_ON_ABORT]            = TO(ABORT,     GONE),
		[RELAY_ON_TIMEOUT]          = TO(ABORT,     GONE),
		[RELAY_ON_FLUSHED]          = TO(CLOSE,     GONE),
	},
};
/* clang-format on */

const struct relay_state_info *relay_state_info(enum relay_state state)
{
	return &states[state];
}

struct relay_step relay_state_step(enum relay_state state, enum relay_input input)
{
	return steps[state][input];
}

const char *relay_input_name(enum relay_input input)
{
	return inputs[input];
}

const char *relay_action_name(enum relay_action action)
{
	return actions[action];
}

const char *relay_timer_name(enum relay_timer timer)
{
	return timers[timer];
}
