/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A proxy (RFC 3261, 16), transaction by transaction, over its transactions (txn.h). Pure, as they
 * are: octets and time go in, octets and calls come out. What it does by itself: validation (16.3)
 * but for credentials, routing information (16.4), copies with Via, Max-Forwards and the Route that
 * its next hop has to find (16.6), other ways after a failure, all that responses are due (16.7),
 * timer C (16.8), CANCEL (16.10), ACKs of 2xx. Its owner decides whereto (16.5), and edits what
 * passes.
 *
 * A `struct sip_context` is one request that came, with all its copies: the RFC's response context.
 * It lives until on_over, and is never freed inside a call of this header but sip_proxy_advance,
 * sip_proxy_input and sip_proxy_free.
 *
 * Callbacks may call everything here but sip_proxy_input, sip_proxy_advance, sip_proxy_lost and
 * sip_proxy_free. One thread each.
 */
#ifndef GH_SIP_PROXY_H
#define GH_SIP_PROXY_H

#include "sip/edit.h"
#include "sip/txn.h"
#include "sip/ua.h"

struct sip_proxy;
struct sip_context;

/** Ways that one copy tries at most, one after the other. */
#define SIP_PROXY_ATTEMPTS_MAX 8
/** Targets of one request at a time. */
#define SIP_PROXY_TARGETS_MAX 16

/** Where a copy of a request goes (16.5). */
struct sip_target {
	struct base_str uri; /**< its Request-URI; ptr NULL = that of the request, after 16.4 */
	/** By this flow. id 0: a way is asked for (on_way) to the first Route that the copy has
	 * when it has been edited, else to its Request-URI. In callbacks: the flow it has gone by.
	 */
	struct sip_flow flow;
	/** No flow: to this URI instead (16.6, 7), which the Route does not tell. ptr NULL = none
	 */
	struct base_str hop;
	/** What it counts as when no way takes it and nobody answered: 503. A flow of a flow
	 * token: 430 (RFC 5626, 5.3). 0 = 503, which is told as 500 (16.7, 6). */
	unsigned lost_status;
	void *user;
};

/** All needed but those that say so. All that is given is borrowed. */
struct sip_proxy_ops {
	/** As of struct sip_txn_ops; 0 is no flow's id here. */
	int (*send)(void *arg, struct sip_flow flow, struct base_str octets);
	/** Our `transport` and `sent_by` on this flow, for Via; used at once. */
	void (*local)(void *arg, struct sip_flow flow, struct sip_local *ret);
	/** A way for a copy is wanted: answer with sip_proxy_way or sip_proxy_no_way, at once or
	 * later. */
	void (*on_way)(void *arg, const struct sip_way *way);
	/** As of struct sip_txn_ops: who is called has seen the Vias of the caller's side, too. */
	bool (*answers)(void *arg, struct sip_flow sent, struct sip_flow from);
	/**
	 * Does this sip or sips URI name us: in a Route, as the Request-URI of a strict router
	 * (16.4)? Tokens in it need not be good; on_request judges them.
	 */
	bool (*mine)(void *arg, const struct sip_uri *uri, struct sip_flow from);
	/**
	 * The first look at a request or ACK without fault, before all that is checked. false: it
	 * has been answered or dropped. May be NULL.
	 */
	bool (*admit)(void *arg, struct sip_context *ctx, const struct sip_message *msg,
	              struct sip_flow from);
	/**
	 * A request that can be forwarded: sip_proxy_forward, sip_proxy_reply or sip_proxy_drop,
	 * now or later. Also an ACK that belongs to no transaction, as that of a 2xx does: it is
	 * forwarded without state, to one target, and answering it does nothing.
	 */
	void (*on_request)(void *arg, struct sip_context *ctx, const struct sip_message *msg,
	                   struct sip_flow from);
	/**
	 * The copy for this target, before its way is asked for: what 16.4 takes off is off;
	 * Request-URI and Max-Forwards are set. Our Via and the turn of routes for a strict router
	 * come after it. May be NULL.
	 */
	void (*on_forward)(void *arg, struct sip_context *ctx, const struct sip_target *target,
	                   struct sip_edit *edit);
	/**
	 * A response is about to pass: each but 100, the best of the final ones. Our Via is off.
	 * May be NULL. @return 0; or a final status, 300 to 699, that a final one is replaced by
	 */
	unsigned (*on_response)(void *arg, struct sip_context *ctx, const struct sip_target *target,
	                        const struct sip_message *msg, struct sip_edit *edit);
	/** A final response has been given to who asked, by us or another: now its flow may be
	 * ended. Of an INVITE once for each 2xx that is not a repetition. May be NULL. */
	void (*on_answered)(void *arg, struct sip_context *ctx, unsigned status);
	/** The flow that it came by has failed before it was answered. It goes on (16.9) unless
	 * sip_proxy_cancel is called, for who cannot be reached any other way. May be NULL. */
	void (*on_orphan)(void *arg, struct sip_context *ctx);
	/** It is over and freed after this call: once for each that admit or on_request was called
	 * with. May be NULL. */
	void (*on_over)(void *arg, struct sip_context *ctx);
	/** sip_proxy_deadline has changed to this, or sip_proxy_advance has been called. */
	void (*rearm)(void *arg, uint64_t deadline_ms);
	uint64_t (*now_ms)(void *arg);
	/** Octets that nobody can foresee. */
	void (*random)(void *arg, uint8_t *out, size_t len);
	void *arg;
};

/** 0 and NULL = the default. The lists end in NULL; they and `lines` are borrowed. */
struct sip_proxy_config {
	struct sip_txn_config txns;
	uint32_t timer_c_ms;          /**< 181000; less than three minutes is not taken */
	const char *const *supported; /**< option tags that a Proxy-Require may have (16.3, 5) */
	const char *const *schemes;   /**< of Request-URIs, beside sip, sips and tel: "urn" */
	const char *lines;            /**< header lines of the answers that we make: Server */
};

/** Both are copied. @return 0, or BASE_LOCAL */
int sip_proxy_new(struct sip_proxy **ret, const struct sip_proxy_config *config,
                  const struct sip_proxy_ops *ops);
/** Frees all it has; no callback is called. NULL is fine. */
void sip_proxy_free(struct sip_proxy *proxy);

/** As sip_txns_input. */
void sip_proxy_input(struct sip_proxy *proxy, struct sip_flow from, const struct sip_source *source,
                     struct base_str octets);
/** As sip_txns_lost. Copies that went by it look for another way or count as `lost_status`; those
 * of a request that came by it go on, INVITEs too (16.9): `send` may have another connection for
 * its answer (18.2.2). */
void sip_proxy_lost(struct sip_proxy *proxy, uint64_t flow);
/** When sip_proxy_advance has to be called; UINT64_MAX = never. */
uint64_t sip_proxy_deadline(const struct sip_proxy *proxy);
void sip_proxy_advance(struct sip_proxy *proxy);
/** Contexts and transactions there are, those that linger for repetitions too. */
size_t sip_proxy_contexts(const struct sip_proxy *proxy);
size_t sip_proxy_transactions(const struct sip_proxy *proxy);
/** As sip_txns_busy and sip_txns_lingering. */
size_t sip_proxy_busy(const struct sip_proxy *proxy);
size_t sip_proxy_lingering(const struct sip_proxy *proxy);

/** The way that was asked for. An id that is over is passed over. */
void sip_proxy_way(struct sip_proxy *proxy, uint64_t id, struct sip_flow flow);
/** There is none, or no other: the copy counts as answered with this status (503, 404, 416). */
void sip_proxy_no_way(struct sip_proxy *proxy, uint64_t id, unsigned status);

/**
 * Forward to these, all at once; more may follow until there is a final response. A target that
 * cannot be reached counts as one that has answered so.
 * @return 0, also when the context has been answered already: nothing is sent; BASE_LOCAL: nothing
 *         was sent, answer it; BASE_BUG: too many targets, or several for an ACK
 */
int sip_proxy_forward(struct sip_context *ctx, const struct sip_target *targets, size_t count);
/** Answer it ourselves; copies that are pending are cancelled. `content` may be NULL.
 * @return as sip_txn_reply; 0 for an ACK */
int sip_proxy_reply(struct sip_context *ctx, unsigned status, const struct sip_content *content);
/** Never answer it. */
void sip_proxy_drop(struct sip_context *ctx);
/** Cancel its copies that are pending, as its CANCEL would (16.10). */
void sip_proxy_cancel(struct sip_context *ctx);

/** What the owner ties to it: NULL until it is set. */
void *sip_context_user(const struct sip_context *ctx);
void sip_context_user_set(struct sip_context *ctx, void *user);
/** The request as it came. NULL once its transaction is over. */
const struct sip_message *sip_context_request(const struct sip_context *ctx);
/** Its Request-URI after 16.4: a strict router's last Route, no maddr of ours. Not before
 * on_request. */
struct base_str sip_context_uri(const struct sip_context *ctx);
/**
 * URIs of ours that 16.4 has taken off, with what we put in them, flow tokens: a strict router's
 * Request-URI first, then each Route up to the first that is another's. Not before on_request.
 * @return how many
 */
size_t sip_context_routes(const struct sip_context *ctx, const struct base_str **ret);
struct sip_flow sip_context_flow(const struct sip_context *ctx);
/** NULL = not known. */
const struct sip_source *sip_context_source(const struct sip_context *ctx);
bool sip_context_answered(const struct sip_context *ctx);

/**
 * What became of a request of ours, once: the best final response, borrowed; or NULL with 408, the
 * status of sip_proxy_no_way or `lost_status`.
 */
typedef void sip_proxy_asked_fn(void *user, const struct sip_message *response, unsigned status);
/**
 * A request of the owner's own, whole but for our Via: REGISTER, SUBSCRIBE. No INVITE, no ACK. It
 * finds its way as a copy does; no callback but on_way is called for it. `fn` is never called
 * before this returns.
 * @param ret  for sip_proxy_forget; may be NULL
 * @return 0; BASE_BUG when it has a fault; BASE_LOCAL
 */
int sip_proxy_ask(struct sip_proxy *proxy, struct base_str octets, const struct sip_target *target,
                  sip_proxy_asked_fn *fn, void *user, struct sip_context **ret);
/** Its `fn` is not called any more. Only before it was. */
void sip_proxy_forget(struct sip_context *asked);

/** The table of a copy's states as text, for docs/state-sip.md. */
void sip_proxy_print(struct base_writer *w);

#endif
