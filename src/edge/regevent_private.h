/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by regevent*.c alone. */
#ifndef GH_EDGE_REGEVENT_PRIVATE_H
#define GH_EDGE_REGEVENT_PRIVATE_H

#include "edge/regevent.h"
#include "loop/loop.h"

#define EDGE_REGSUB_ID 24 /**< characters of a Call-ID or tag of ours */

struct edge_regevent {
	struct edge_regevent_ops ops;
	char *identity, *contact;
	const char *hop; /* borrowed */
	struct base_map by_identity, by_call, by_flow;
	struct loop_timers timers;
	uint64_t armed_ms;
	bool deaf; /**< it was told that the registrar knows no such package */
	struct edge_regevent_counts counts;
};

struct edge_regsub {
	struct base_map_node by_identity, by_call;
	struct edge_regevent *events;
	struct base_node flows; /**< struct edge_regflow */
	struct loop_timer timer;
	char *impu; /**< default identity: a URI */
	char call_id[EDGE_REGSUB_ID + 1], tag[EDGE_REGSUB_ID + 1];
	/* The dialog, once a 2xx or NOTIFY has made it. */
	char *remote_tag, *target, *routes; /**< `routes`: lines of Route, or NULL */
	uint32_t cseq;                      /**< of our last SUBSCRIBE */
	uint32_t notified;                  /**< CSeq of the last NOTIFY, 0 = none */
	struct sip_reginfo_versions versions;
	bool asking; /**< an answer is to come */
	bool again;  /**< ask anew when it has */
	bool over;   /**< nobody is interested any more */
	bool off;    /**< the registrar does not want it */
};

/** A flow whose binding has the subscription's identity as its default. */
struct edge_regflow {
	struct base_map_node by_flow;
	struct base_node node;
	struct edge_regsub *sub;
	uint64_t flow;
	uint32_t since; /**< the subscription's `cseq` when it was bound */
	char *contact;  /**< URI, as registered */
};

/** Ask for all there is, now or after the answer that is still to come. */
void edge_regsub_ask(struct edge_regsub *sub);
/** A dialog that was lost, or that the registrar has ended: a new one, after `delay_ms`. */
void edge_regsub_anew(struct edge_regsub *sub, uint64_t delay_ms);
/** How long it is good for: ask again before that. */
void edge_regsub_expires(struct edge_regsub *sub, uint64_t expires_s);
/** Who is at the other end, by a 2xx or the first NOTIFY. @return 0; BASE_PEER; BASE_LOCAL */
int edge_regsub_dialog(struct edge_regsub *sub, const struct sip_message *msg);
void edge_regevent_rearm(struct edge_regevent *events);

#endif
