/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Included by flow.h. A SIP user agent (sip/ua.h, sip/call.h) on the network: its flows, the ways
 * of its requests, its time. What a program adds is what it does with calls and requests.
 */
#ifndef GH_FLOW_UA_H
#define GH_FLOW_UA_H

#include "sip/sip.h"
#include "stream/stream.h"

struct flows;
struct flow_info;
struct flow_config;
struct streams;
struct flow_ua;

/** As of struct sip_ua_ops; all may be NULL. */
struct flow_ua_ops {
	void (*on_call)(void *arg, const struct sip_call_event *event);
	bool (*on_request)(void *arg, struct sip_txn *txn, const struct sip_message *msg,
	                   struct sip_call *call);
	/** Each message, before it is sent or read, for ladders: flows_info tells whose. */
	void (*trace)(void *arg, uint64_t flow, bool sent, struct base_str octets);
	/** A flow has failed; the user agent has been told already. */
	void (*on_lost)(void *arg, uint64_t flow, const char *why);
	/** As of struct flow_ops. */
	void (*on_up)(void *arg, uint64_t flow, const struct flow_info *info);
	void (*on_rekeyed)(void *arg, uint64_t flow, enum stream_again what);
	/** The answer to flow_ua_open: a flow, that may still be connecting; or id 0 and the status
	 * that fits. */
	void (*on_opened)(void *arg, struct sip_flow flow, unsigned status);
	void *arg;
};

/** @return 0; BASE_LOCAL or BASE_CONFIG with words */
int flow_ua_new(struct flow_ua **ret, struct streams *streams, const struct flow_config *config,
                const struct sip_ua_config *sip, const struct flow_ua_ops *ops,
                struct base_error *err);
/** All calls and flows are gone without a word. Not inside a callback. NULL is fine. */
void flow_ua_free(struct flow_ua *ua);
/**
 * A flow for who chooses by what all goes (RFC 5626): a way to this URI, as flows_seek finds it.
 * on_opened tells, at once or later; a question that is still open is taken back. `uri` NULL: that
 * alone. `next`: the last flow did not work, another address is wanted; 503 when there is none.
 */
void flow_ua_open(struct flow_ua *ua, struct base_str uri, bool next);
/** From now on requests go by this flow and no other, whatever their URIs say. Id 0: by none, they
 * get 503. Those that name their flow themselves (sip/access.h) are not meant. */
void flow_ua_only(struct flow_ua *ua, struct sip_flow flow);
/** Close it; who waits for an answer on it is told that it has failed, at the end of the
 * iteration. */
void flow_ua_drop(struct flow_ua *ua, uint64_t flow);
/** For calls, requests and answers: all of sip/ua.h and sip/call.h but _input, _lost, _advance. */
struct sip_ua *flow_ua_sip(const struct flow_ua *ua);
/** For flows_listen, flows_info, flows_domain_set, counters. */
struct flows *flow_ua_flows(const struct flow_ua *ua);

#endif
