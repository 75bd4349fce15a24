/* SPDX-License-Identifier: Apache-2.0 */
/** @file What becomes of a floor request: status x event (RFC 8855, 4.1, 5.2.5, 11.1, 13.4). */
#ifndef GH_BFCP_STATE_H
#define GH_BFCP_STATE_H

#include "bfcp/message.h"

enum bfcp_event {
	BFCP_CONSENT, /**< every floor's chair has agreed, or it has none */
	BFCP_TURN,    /**< its floors are free, and it is next */
	BFCP_DENY,    /**< a chair denies one of its floors */
	BFCP_REVOKE,  /**< a chair takes one back; or a floor or its user is gone */
	BFCP_RELEASE, /**< the participant gives it back */
	BFCP_EVENTS,
};

/** @return the next status, or BFCP_NO_STATUS where the event has no place */
enum bfcp_status bfcp_next_status(enum bfcp_status status, enum bfcp_event event);
/** Pending, Accepted and Granted are (10.1.2). */
bool bfcp_is_ongoing(enum bfcp_status status);
const char *bfcp_event_name(enum bfcp_event event);

#endif
