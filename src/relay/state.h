/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/relay: the life of an endpoint as a table, state x event -> action, next state.
 * What the table does not name is refused and changes nothing. Printed by a test into
 * docs/state-endpoint.md.
 */
#ifndef GH_RELAY_STATE_H
#define GH_RELAY_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum relay_state {
	RELAY_IDLE,       /**< made, nothing done yet */
	RELAY_LISTENING,  /**< waits for its one peer */
	RELAY_CONNECTING, /**< SYN sent */
	RELAY_TCP_READY,  /**< TCP is up, TLS is held */
	RELAY_HANDSHAKE,  /**< TLS handshake */
	RELAY_OPEN,       /**< bytes may go both ways */
	RELAY_HALF_IN,    /**< the peer has ended its direction, we still send */
	RELAY_HALF_OUT,   /**< we have ended ours, the peer still sends */
	RELAY_DRAIN,      /**< nothing more to relay: flush, say goodbye, wait for the peer's */
	RELAY_GONE,       /**< closed; known until it is removed */
	RELAY_STATES
};

enum relay_input {
	RELAY_ON_CONNECT,      /**< order, or the linked partner's TCP came up */
	RELAY_ON_UP,           /**< accepted or connected */
	RELAY_ON_FAILED,       /**< no connection: refused, unreachable, accept failed */
	RELAY_ON_PLAIN,        /**< TCP is up and there is no TLS */
	RELAY_ON_START_TLS,    /**< TCP is up and TLS may start */
	RELAY_ON_SHAKEN,       /**< handshake complete */
	RELAY_ON_SHAKE_FAILED, /**< alert either way, or the peer left */
	RELAY_ON_GUEST_FAILED, /**< the same of a DTLS server's: the next one may come (room.h) */
	RELAY_ON_GUEST_COMES,  /**< the peer of another endpoint's handshake turns out to be ours */
	RELAY_ON_GUEST_GOES,   /**< ours another endpoint's */
	RELAY_ON_PEER_END,     /**< FIN; with TLS, close_notify */
	RELAY_ON_TLS_BROKEN,   /**< fatal alert either way, or FIN without close_notify */
	RELAY_ON_RESET,        /**< RST or another failure of the socket */
	RELAY_ON_PARTNER_END,  /**< all that will ever come from the partner's peer was sent on */
	RELAY_ON_PARTNER_RELEASED, /**< the partner closes in order */
	RELAY_ON_PARTNER_BROKEN,   /**< the partner failed or was aborted */
	RELAY_ON_RELEASE,          /**< order */
	RELAY_ON_ABORT,            /**< order */
	RELAY_ON_TIMEOUT,          /**< of the state's timer */
	RELAY_ON_FLUSHED,          /**< all said and the peer has ended too */
	RELAY_INPUTS
};

enum relay_action {
	RELAY_DO_CONNECT,  /**< send SYN */
	RELAY_DO_TCP_UP,   /**< tell control; linked partner connects; TLS or plain as specified */
	RELAY_DO_TLS,      /**< make the session; a client speaks first */
	RELAY_DO_OPEN,     /**< tell control of TLS; the flow starts */
	RELAY_DO_PEER_END, /**< once all is delivered, the partner's sending ends */
	RELAY_DO_END,      /**< FIN or close_notify after what is pending */
	RELAY_DO_RELEASE,  /**< the partner closes too; FIN or close_notify after what is pending */
	RELAY_DO_BREAK_TLS, /**< the partner is reset; our alert is flushed */
	RELAY_DO_DISMISS,   /**< tell control; the session is gone, the endpoint waits again */
	RELAY_DO_RECEIVE,   /**< the session is ours */
	RELAY_DO_PASS_ON,   /**< it was */
	RELAY_DO_ABORT,     /**< RST; the partner is reset */
	RELAY_DO_CLOSE,     /**< close the socket */
	RELAY_ACTIONS
};

/** Timers of states. */
enum relay_timer {
	RELAY_TIMER_NONE,
	RELAY_TIMER_ACCEPT,
	RELAY_TIMER_CONNECT,
	RELAY_TIMER_HANDSHAKE,
	RELAY_TIMER_IDLE, /**< of a listener's connections that have one */
	/** In the place of the state's own while one goes on. */
	RELAY_TIMER_RENEGOTIATION,
	RELAY_TIMER_HALF,
	RELAY_TIMER_DRAIN,
	RELAY_TIMERS
};

/** Whom a state waits for; one that waits for a peer must have a timer. */
enum relay_wait { RELAY_WAIT_CONTROL, RELAY_WAIT_PEER, RELAY_WAIT_TRAFFIC, RELAY_WAIT_NOBODY };

struct relay_state_info {
	const char *name;
	enum relay_timer timer; /**< started on entry, stopped on leaving */
	enum relay_wait wait;
};

struct relay_step {
	bool on; /**< the state knows this event */
	uint8_t action, next;
};

/** The row of a state. Pure, as all of the file. */
const struct relay_state_info *relay_state_info(enum relay_state state);
/** What to do; `on` is false where the state refuses the event. */
struct relay_step relay_state_step(enum relay_state state, enum relay_input input);
const char *relay_input_name(enum relay_input input);
const char *relay_action_name(enum relay_action action);
const char *relay_timer_name(enum relay_timer timer);

#endif
