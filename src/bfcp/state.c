/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/state.h"

/* clang-format off */
static const enum bfcp_status table[BFCP_STATUSES][BFCP_EVENTS] = {
	/*                CONSENT        TURN          DENY         REVOKE        RELEASE */
	[BFCP_PENDING]  = { BFCP_ACCEPTED, 0,            BFCP_DENIED, 0,            BFCP_CANCELLED },
	[BFCP_ACCEPTED] = { BFCP_ACCEPTED, BFCP_GRANTED, BFCP_DENIED, 0,            BFCP_CANCELLED },
	[BFCP_GRANTED]  = { BFCP_GRANTED,  0,            0,           BFCP_REVOKED, BFCP_RELEASED  },
};
/* clang-format on */

enum bfcp_status bfcp_next_status(enum bfcp_status status, enum bfcp_event event)
{
	return status < BFCP_STATUSES && event < BFCP_EVENTS ? table[status][event]
	                                                     : BFCP_NO_STATUS;
}

bool bfcp_is_ongoing(enum bfcp_status status)
{
	return status == BFCP_PENDING || status == BFCP_ACCEPTED || status == BFCP_GRANTED;
}

const char *bfcp_event_name(enum bfcp_event event)
{
	static const char *const names[BFCP_EVENTS] = { "consent", "turn", "deny", "revoke",
		                                        "release" };

	return event < BFCP_EVENTS ? names[event] : "unknown";
}
