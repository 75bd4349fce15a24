/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the transport_sctp*.c files share, and nobody else. */
#ifndef GH_H248_TRANSPORT_SCTP_H
#define GH_H248_TRANSPORT_SCTP_H

#include "h248/sctp.h"
#include "h248/transport_private.h"

struct sctp_end {
	struct base_node node;
	struct h248_transport *t;
	const struct sctp_backend *how;
	void *s;
	struct loop_fd w;
	struct loop_task more;
	struct loop_timer again; /* for what waits, should no event come */
	struct h248_addr local;
	bool listens;
};

struct sctp_conn {
	struct base_node node;
	struct sctp_end *end;
	struct h248_addr addr;
	uint32_t assoc;
	bool open, accepted, full, dead;
	struct h248_transport_counters count;
	struct base_writer in;
	struct base_writer out; /* messages with their length (uint32_t) in front */
	size_t out_at;
	struct loop_timer timer; /* connecting, or the first message */
	struct loop_task later;
	char why[120];
};

/** A socket of that family, watched, not bound. @return 0 or an errno */
int transport_sctp_end_new(struct sctp_end **ret, struct h248_transport *t, unsigned family);
/** Its associations must be gone from our lists; they are shut down gracefully. */
void transport_sctp_end_free(struct sctp_end *e);
/** Something to read or room to write: for `w` of an end. */
void transport_sctp_event(void *arg, unsigned events);

#endif
