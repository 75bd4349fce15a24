/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The controller's side of Mp (TS 23.333; RFC 3525): MRFPs register, are looked after and told what
 * to do. Nothing here knows a conference: whoever orders gets an answer, and is told what happens
 * in a context. On the loop's thread.
 */
#ifndef GH_MGC_MP_H
#define GH_MGC_MP_H

#include "h248/h248.h"
#include "loop/loop.h"

struct mgc_mp;
struct mgc_mrfp;

/** Of one order. */
#define MGC_STREAMS_MAX 2
#define MGC_PROPS_MAX   20

/** What came of an order. Borrowed until return. */
struct mgc_done {
	unsigned code;        /**< 0 = done; else the error of H.248 */
	struct base_str text; /**< of the error */
	uint32_t context;
	struct base_str term;
	const struct h248_media *media; /**< of the reply; NULL = none */
};
typedef void mgc_done_fn(void *arg, const struct mgc_done *done);

/** An event of a termination (Notify), or its end. Borrowed. */
struct mgc_told {
	uint32_t context;
	struct base_str term;
	uint16_t stream;       /**< 0 = none was named */
	struct h248_name name; /**< empty: a ServiceChange took the termination out of service */
	struct base_str type;  /**< of a BNCChange: `Est`, `Rel`, `EstFail` ... */
	struct base_str cause; /**< in words; may be empty */
	struct base_str suite; /**< of a session; may be empty */
	int alert;             /**< -1 = none */
};

struct mgc_mp_ops {
	/** It may be given contexts. `fresh`: it has none, whatever it had before. */
	void (*on_up)(void *arg, struct mgc_mrfp *mrfp, bool fresh);
	/** It is lost, with all contexts there. Orders that are out are not answered any more. It
	 * may come up again, as fresh; or be freed later. */
	void (*on_down)(void *arg, struct mgc_mrfp *mrfp, const char *why);
	void (*on_told)(void *arg, struct mgc_mrfp *mrfp, const struct mgc_told *told);
	/** Each message as it is on the wire, KEYS INCLUDED; may be NULL. */
	void (*on_trace)(void *arg, bool out, const struct h248_addr *peer, const void *data,
	                 size_t len);
	void *arg;
};

struct mgc_mp_config {
	struct h248_node_config node;
	struct h248_addr listen;     /**< with port 0: any */
	const char *const *gateways; /**< mIds that may register; NULL = see mgc_mp_new */
	size_t gateways_count;
	const struct h248_addr
	        *handoff;  /**< whither MRFPs are sent when we leave; NULL = nowhere */
	unsigned version;  /**< the highest we speak */
	uint32_t audit_ms; /**< a silent MRFP is asked whether it lives after so long; 0 = never */
	uint32_t lost_ms;  /**< a lost connection is waited for so long */
	bool unprotected_keys; /**< unsafe: send keys outside TLS beyond this machine */
};

/**
 * Listen. Without a list of gateways those may register that have proven who they are (TLS) or are
 * on this machine. Strings of `config` are borrowed for life.
 */
int mgc_mp_new(struct mgc_mp **ret, struct loop *loop, const struct mgc_mp_config *config,
               const struct mgc_mp_ops *ops, struct base_error *err);
/** Another list of gateways, other times, versions and rules about keys; the rest stays. */
void mgc_mp_rules_set(struct mgc_mp *mp, const struct mgc_mp_config *config);
/** NULL is fine; no callback is called. */
void mgc_mp_free(struct mgc_mp *mp);
/** Where it listens, with the true port. */
const struct h248_addr *mgc_mp_local(const struct mgc_mp *mp);
/** The one with the fewest contexts that takes new ones; NULL = there is none. */
struct mgc_mrfp *mgc_mp_pick(struct mgc_mp *mp);
/** Of registered MRFPs. */
size_t mgc_mp_count(const struct mgc_mp *mp);
/** Tell all MRFPs that we go (11.5: HandOff, where there is somewhere to go). */
void mgc_mp_leave(struct mgc_mp *mp);

const char *mgc_mrfp_name(const struct mgc_mrfp *mrfp);
/** Contexts that the owner has there; pick() looks at it. */
void mgc_mrfp_load(struct mgc_mrfp *mrfp, int contexts);
void mgc_mrfp_user_set(struct mgc_mrfp *mrfp, void *user);
void *mgc_mrfp_user(const struct mgc_mrfp *mrfp);

/** A property. Several of one name in a row are one with a list of values. */
struct mgc_prop {
	const char *name; /**< "gatehouse/role" */
	struct base_str value;
	bool quoted;
};

/** One stream of a termination. What is empty is not sent. */
struct mgc_stream {
	uint16_t id;
	struct base_str local, remote; /**< SDP; `$` is CHOOSE */
	struct mgc_prop props[MGC_PROPS_MAX];
	size_t prop_count;
	const char *psk_id; /**< NULL = no key */
	const uint8_t *psk; /**< write-only; wiped wherever it goes */
	size_t psk_len;
	bool tcp_start; /**< tcpbcc/EstBNC: be the TCP client, now */
	bool tls_start; /**< tlsbsc/EstBNC: be the TLS client as soon as TCP is up */
	bool control;   /**< send a LocalControl even if nothing but the mode is in it */
	bool release;   /**< empty Local and Remote: the stream ends, the termination stays */
};

/** An order about one termination. */
struct mgc_order {
	enum h248_command_kind kind; /**< H248_ADD, H248_MODIFY, H248_SUBTRACT, H248_AUDIT_VALUE */
	uint32_t context;            /**< H248_CONTEXT_CHOOSE: a new one */
	struct base_str term;        /**< "$" of an Add, "*": all of the context */
	struct mgc_stream streams[MGC_STREAMS_MAX];
	size_t stream_count;
	uint32_t events; /**< RequestID under which ends and failures are told; 0 = as before */
	/** Properties of the context, in its ContextAttr; needs version 3. */
	struct mgc_prop attrs[MGC_PROPS_MAX];
	size_t attr_count;
};

/**
 * `fn` comes later, once, unless the MRFP is lost before. It may be NULL.
 * @return 0; BASE_CONFIG where a key may not travel this way; BASE_LOCAL with a code of H.248
 */
int mgc_mrfp_order(struct mgc_mrfp *mrfp, const struct mgc_order *order, mgc_done_fn *fn, void *arg,
                   struct base_error *err);

/** Of all MRFPs since the start. */
#define MGC_MP_COUNTERS(X)                                                                         \
	X(registrations, "MRFPs that registered")                                                  \
	X(refused, "registrations and strangers that were refused")                                \
	X(lost, "MRFPs lost")                                                                      \
	X(orders, "orders sent")                                                                   \
	X(failed, "orders refused or unanswered")                                                  \
	X(events, "events told")
struct mgc_mp_counters {
#define MGC_COUNTER_FIELD(name, text) uint64_t name;
	MGC_MP_COUNTERS(MGC_COUNTER_FIELD)
#undef MGC_COUNTER_FIELD
};
const struct mgc_mp_counters *mgc_mp_counters(const struct mgc_mp *mp);

#endif
