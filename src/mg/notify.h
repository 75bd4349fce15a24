/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Notify requests on their way: in the order of the events, one at a time for each termination,
 * since a transport may not keep the order (RFC 3525, 9.1). What finds no controller, or is not
 * answered by the one that has failed, waits for the next one (11.5: "Repeated transaction requests
 * shall be directed to the new MGC"), within the limits below.
 */
#ifndef GH_MG_NOTIFY_H
#define GH_MG_NOTIFY_H

#include "mg/world.h"

#define MG_NOTICES_MAX     32    /* of one termination; what happens beyond is lost, and logged */
#define MG_NOTICES_MAX_ALL 65536 /* of all */

struct mg_notice {
	struct base_node node; /* in its termination's list, or alone */
	struct base_arena arena;
	struct mg *mg;
	struct mg_term *term; /* NULL when it has gone while this was out */
	struct h248_transaction *request;
	bool out;
};

/* NULL when memory is short. */
struct mg_notice *mg_notice_new(struct mg *mg, struct mg_term *term);
void mg_notice_free(struct mg_notice *notice);
/* Send it, now or when those before it are answered. Takes it over. */
void mg_notice_send(struct mg *mg, struct mg_notice *notice);
/* The termination goes: what waits is forgotten, what is out ends alone. */
void mg_notices_forget(struct mg_term *term);

#endif
