/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The reg event package at the edge (RFC 3680; TS 24.229, 5.2.3: R): for each default identity that
 * is bound here one subscription at the registrar, by which it says that a registration has ended
 * before its time. The binding then ends, too. Pure: octets and time go in. A registrar that knows
 * no such package costs one line in the log, and nothing else. Private to this folder.
 */
#ifndef GH_EDGE_REGEVENT_H
#define GH_EDGE_REGEVENT_H

#include "edge/core.h"

struct edge_regevent;
/** A subscription. */
struct edge_regsub;

/** Strings are copied. */
struct edge_regevent_spec {
	const char *identity; /**< URI that From and P-Asserted-Identity say */
	const char *contact;  /**< URI where NOTIFYs reach us */
	/** URI where SUBSCRIBEs go first; NULL = by their Request-URI. Borrowed, as that of
	 * edge_regevent_hop. */
	const char *hop;
};

/** All needed. Callbacks call nothing of this header but edge_regevent_told. */
struct edge_regevent_ops {
	/**
	 * Send this request, whole but for its Via, to `hop` (ptr NULL = by its Route or
	 * Request-URI). Once, and not before this returns, edge_regevent_answered follows.
	 * @return 0, or negative: it will not
	 */
	int (*ask)(void *arg, struct edge_regsub *sub, struct base_str octets, struct base_str hop);
	/** The network has ended the registration of this flow. */
	void (*ended)(void *arg, uint64_t flow, const char *why);
	/** It has shortened it: that long from now. */
	void (*shortened)(void *arg, uint64_t flow, uint32_t expires_s);
	void (*random)(void *arg, uint8_t *out, size_t len);
	uint64_t (*now_ms)(void *arg);
	/** edge_regevent_deadline has changed to this. */
	void (*rearm)(void *arg, uint64_t deadline_ms);
	void *arg;
};

/** @return 0, or BASE_LOCAL */
int edge_regevent_new(struct edge_regevent **ret, const struct edge_regevent_spec *spec,
                      const struct edge_regevent_ops *ops);
/** Nothing is sent and nobody told. NULL is fine. */
void edge_regevent_free(struct edge_regevent *events);

/** Another hop for SUBSCRIBEs to come. */
void edge_regevent_hop(struct edge_regevent *events, const char *hop);

/** What the core of the edge has told. */
void edge_regevent_told(struct edge_regevent *events, const struct edge_event *event);
/** The final answer to what `ask` has sent; `response` NULL: none has come. */
void edge_regevent_answered(struct edge_regsub *sub, const struct sip_message *response,
                            unsigned status);
/**
 * A NOTIFY has come from the core's side, to us.
 * @return the status it is due; 0: it belongs to no subscription of ours
 */
unsigned edge_regevent_notify(struct edge_regevent *events, const struct sip_message *notify);

uint64_t edge_regevent_deadline(const struct edge_regevent *events);
void edge_regevent_advance(struct edge_regevent *events);

/** Numbers for metrics. */
struct edge_regevent_counts {
	uint64_t subscriptions; /**< now */
	uint64_t notified, bad, ended;
};
struct edge_regevent_counts edge_regevent_counts(const struct edge_regevent *events);

#endif
