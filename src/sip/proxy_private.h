/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a proxy; private to this folder. */
#ifndef GH_SIP_PROXY_PRIVATE_H
#define GH_SIP_PROXY_PRIVATE_H

#include "sip/proxy.h"
#include "sip/proxy_table.h"

#define CONTEXT_ROUTES_MAX 8  /* of ours, that one request shows */
#define LOOP_HEX           16 /* octets of a branch's second part (16.6, 8) */

struct sip_proxy {
	struct sip_proxy_ops ops;
	struct sip_proxy_config config;
	struct sip_txns *txns;
	struct loop_timers timers;
	uint64_t txns_ms; /* as the transactions have told */
	uint64_t told_ms;
	uint64_t next_id;
	struct base_map by_id; /* legs that look for a way */
	struct base_node contexts;
	size_t count, acks; /* contexts; of them ACKs */
	uint64_t seed[2];   /* of loop detection and tags */
	struct base_arena scratch;
	bool scratch_used;
	struct base_writer request, wire, response, answer; /* kept warm */
};

/* One copy. */
struct sip_leg {
	struct sip_leg *next;
	struct sip_context *ctx;
	struct sip_target target;
	uint8_t state; /* enum leg_state */
	bool mapped;
	unsigned attempt;
	unsigned status; /* the best it has come to, 0 = nothing yet */
	struct sip_txn *txn;
	struct base_map_node by_id;
	uint64_t id;
	struct loop_timer timer_c;
	struct base_str octets; /* without our Via; ptr NULL = not kept, its flow was given */
	struct base_str hop;    /* the URI of its next hop */
	struct base_str kept;   /* a final response that may be the best */
};

struct sip_context {
	struct base_node node;
	struct sip_proxy *proxy;
	struct sip_txn *server;        /* NULL: an ACK, one of our own, or it is over */
	const struct sip_message *msg; /* as long as there is something to copy */
	struct sip_flow from;
	struct base_arena arena;
	struct sip_leg *legs;
	unsigned leg_count;
	bool own, stateless, invite;
	bool seen;       /* by the owner, who wants to hear that it is over */
	bool decided;    /* stateless: forwarded, or dropped */
	bool answered;   /* finally */
	bool cancelled;  /* no new copies (16.7, 5; 16.10) */
	bool forwarding; /* more copies are about to begin */
	struct loop_timer over;
	struct base_str uri; /* after 16.4 */
	struct base_str
	        via; /* the topmost as copies have it, `received` in it; ptr NULL = as it came */
	struct base_str routes[CONTEXT_ROUTES_MAX];
	size_t route_count;
	size_t route_total; /* elements of Route; the first `route_drops` are ours */
	size_t route_drops;
	bool strict; /* the last of them has become the Request-URI */
	bool hashed;
	char loop[LOOP_HEX + 1];
	char tag[17];
	const char *cancel_lines; /* Reason, as the CANCEL had it */
	sip_proxy_asked_fn *fn;
	void *user;
};

/* -- proxy.c -- */
void sip_proxy_timer(struct sip_proxy *proxy, struct loop_timer *timer, uint64_t delay_ms,
                     void (*fn)(void *arg), void *arg);
void sip_proxy_timer_stop(struct sip_proxy *proxy, struct loop_timer *timer);
int sip_context_new(struct sip_context **ret, struct sip_proxy *proxy, struct sip_flow from);
/* At once; nothing is told. */
void sip_context_free(struct sip_context *ctx);
/* It is freed soon, if nothing of it is left. */
void sip_context_check(struct sip_context *ctx);
/* An answer of ours, whole, in proxy->answer. */
int sip_context_answer(struct sip_context *ctx, unsigned status, const struct sip_content *content);
void sip_context_told(struct sip_context *ctx, unsigned status);
/* A CANCEL for each copy that is pending but this one. */
void sip_context_cancel(struct sip_context *ctx, const struct sip_leg *but);

/* -- proxy_check.c: 16.3, 16.4 -- */
/* @return may it go on? It has been answered otherwise. */
bool sip_context_validate(struct sip_context *ctx);
/* A sip URI without headers and these parameters (NULL at the end). */
void sip_uri_without(struct base_writer *w, const struct sip_uri *uri, bool port,
                     const char *const *drop);
/* The second part of its branches. */
const char *sip_context_loop(struct sip_context *ctx);

/* -- proxy_forward.c: 16.6 -- */
void sip_leg_step(struct sip_leg *leg, enum leg_event event, const struct sip_message *msg);
void sip_leg_unmap(struct sip_leg *leg);

/* -- proxy_respond.c: 16.7 -- */
void sip_leg_pass(struct sip_leg *leg, const struct sip_message *msg);
/* If all copies have come to an end: the best of it. `live` is the response that `leg` has just
 * had. */
void sip_context_settle(struct sip_context *ctx, struct sip_leg *leg,
                        const struct sip_message *live);

#endif
