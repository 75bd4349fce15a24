/* SPDX-License-Identifier: Apache-2.0 */
/** @file A registration over a flow of its own from inside; shared by access*.c. */
#ifndef GH_SIP_ACCESS_PRIVATE_H
#define GH_SIP_ACCESS_PRIVATE_H

#include "sip/access.h"
#include "sip/access_table.h"
#include "sip/register_private.h"

struct sip_access {
	struct sip_ua *ua;
	struct sip_access_ops ops;
	struct base_arena arena; /* of what was configured */
	struct sip_draft draft;
	const char *instance, *user, *realm, *more;
	bool sec_agree;
	uint32_t expires_s, retry_ms, retry_max_ms;

	enum access_state state;
	struct sip_flow flow; /* id 0: none */
	struct sip_ask *ask;
	uint32_t cseq;
	bool known;     /* a challenge was met on this flow */
	bool answered;  /* and this REGISTER has answered one */
	bool hasty;     /* what stood last was lost too soon */
	bool stands;    /* on this flow */
	bool unreached; /* a flow was there, and did not come up */
	unsigned failures, longer;
	uint64_t since_ms, until_ms; /* it stands */
	struct base_writer verify, lines, own_lines;
	struct sip_service_routes routes;
	struct sip_content content; /* of the REGISTER that is being written */
	struct loop_timer timer;
	struct sip_access_event now;
};

/* access.c */

/* What `now` tells has happened. */
void sip_access_happens(struct sip_access *a, enum access_event event);
/* The flow has failed. */
enum access_event sip_access_lost_event(const struct sip_access *a);
uint64_t sip_access_now_ms(const struct sip_access *a);

/* access_ask.c */

/* REGISTER, as the state wants it, on the flow; what comes of it happens. */
void sip_access_send(struct sip_access *a);

#endif
