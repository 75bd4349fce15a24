/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The UE's registration over a flow of its own (RFC 5626; TS 33.203, Annex O): one flow to the
 * P-CSCF, one registration on it, both gone together. Challenges are answered by the user agent's
 * credentials, the agreement of RFC 3329 is made, what fails is tried again after RFC 5626's wait.
 * Pure: flows are made and ended by its owner. The table is drawn in docs/state-ue.md.
 */
#ifndef GH_SIP_ACCESS_H
#define GH_SIP_ACCESS_H

#include "sip/ua.h"

struct sip_access;

enum sip_access_what {
	SIP_ACCESS_CONNECTING,   /**< a flow is wanted: `failures` */
	SIP_ACCESS_CHALLENGED,   /**< and it is answered: `status`, `stale` */
	SIP_ACCESS_REGISTERED,   /**< now, or anew: `expires_s`, `outbound` */
	SIP_ACCESS_DOWN,         /**< what stood is gone; it connects again: `why`, `status` */
	SIP_ACCESS_FAILED,       /**< it did not work: `why`, `status`; again in `again_ms` */
	SIP_ACCESS_UNREGISTERED, /**< as it was told to */
};

/** Why it failed. */
enum sip_access_why {
	SIP_ACCESS_NO_WAY,      /**< no flow could be had */
	SIP_ACCESS_LOST,        /**< the flow has failed */
	SIP_ACCESS_SILENT,      /**< nobody answered */
	SIP_ACCESS_DIGEST,      /**< our proof was refused, or we have none for who asks */
	SIP_ACCESS_NO_SECURITY, /**< no mechanism in common (RFC 3329), 494 */
	SIP_ACCESS_FLOW_FAILED, /**< 430 (RFC 5626, 11.5) */
	SIP_ACCESS_REFUSED,     /**< by another status */
};
/** "digest", "flow-failed"; pure. */
const char *sip_access_why_name(enum sip_access_why why);

struct sip_access_event {
	enum sip_access_what what;
	enum sip_access_why why;
	unsigned status;               /**< of the answer; 0 = there was none */
	const struct sip_message *msg; /**< borrowed; NULL = none */
	bool stale, outbound;
	uint32_t expires_s;
	uint64_t again_ms; /**< UINT64_MAX = not of its own accord */
	unsigned failures; /**< in a row */
};

/** All needed. They may call everything here but sip_access_free. */
struct sip_access_ops {
	/** A flow that nobody has used is wanted: sip_access_flow or sip_access_no_flow, at once or
	 * later. One wish at a time; where the last one is still open it is taken back. `next`: the
	 * one before did not come up, and another address is wanted. */
	void (*connect)(void *arg, bool next);
	/** It is used no more: end it; sip_ua_lost later. `forget`: nor may its TLS session be
	 * resumed. Id 0: the wish is taken back. */
	void (*close)(void *arg, struct sip_flow flow, bool forget);
	void (*told)(void *arg, const struct sip_access_event *event);
	void *arg;
};

/** All copied; 0 and NULL take the defaults. */
struct sip_access_config {
	struct base_str registrar;     /**< the Request-URI: `sip:home.example` */
	struct base_str aor;           /**< name-addr: `<sip:a@home.example>` */
	const struct base_str *routes; /**< elements of Route: the P-CSCF */
	size_t route_count;
	const char *instance;  /**< a URN (RFC 5626, 4.1); NULL: no outbound */
	uint32_t reg_id;       /**< 1 */
	const char *user;      /**< the first REGISTER says who we are; NULL: it does not */
	const char *realm;     /**< the home's domain, with `user` */
	bool sec_agree;        /**< RFC 3329, mechanism tls */
	uint32_t expires_s;    /**< 3600 */
	uint32_t retry_ms;     /**< base-time of RFC 5626, 4.5: 30000 */
	uint32_t retry_max_ms; /**< 1800000 */
	const char *lines;     /**< header lines more */
};

/** Nothing begins before sip_access_begin. @return 0; BASE_LOCAL */
int sip_access_new(struct sip_access **ret, struct sip_ua *ua,
                   const struct sip_access_config *config, const struct sip_access_ops *ops);
/** No callback; no flow is closed. Before its user agent is freed. NULL is fine. */
void sip_access_free(struct sip_access *a);

/** Register, now: connect, do not wait any longer, or refresh what stands. */
void sip_access_begin(struct sip_access *a);
/** Take it back, close the flow. UNREGISTERED or FAILED follows where anything was begun. */
void sip_access_stop(struct sip_access *a);
/** The flow that was wanted; it may still be connecting. */
void sip_access_flow(struct sip_access *a, struct sip_flow flow);
void sip_access_no_flow(struct sip_access *a);
/** This flow has failed; others' are passed over. `up`: it has been of use before. */
void sip_access_lost(struct sip_access *a, uint64_t flow, bool up);

/** Its flow; id 0 = none. */
struct sip_flow sip_access_flow_of(const struct sip_access *a);
/** It stands. */
bool sip_access_is(const struct sip_access *a);
/** Nothing is begun, and nothing waits. */
bool sip_access_idle(const struct sip_access *a);
/** "registered": its state's name. */
const char *sip_access_state(const struct sip_access *a);
/** As sip_register_routes. */
const struct base_str *sip_access_routes(const struct sip_access *a, size_t *ret_count);
/** Header lines that requests on the flow say (RFC 3329, 2.3.1); "" = none. */
const char *sip_access_lines(const struct sip_access *a);

#endif
