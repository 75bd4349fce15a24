/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A stage for the gateway's core: text in, text out, a bearer that only writes down what it is
 * told, and a clock that stands still until somebody moves it.
 */
#ifndef GH_TESTS_MG_STAGE_H
#define GH_TESTS_MG_STAGE_H

#include "mg/core.h"

#define STAGE_ENDPOINTS 256
#define STAGE_NOTICES   4096

/** What the fake bearer knows of one endpoint. */
struct stage_endpoint {
	struct relay_context *context;
	unsigned worker;
	enum relay_tcp_role tcp_role;
	struct sockaddr_storage local, remote;
	bool tls, removed, connected, send, receive;
	bool dull;  /* orders find no memory */
	bool busy;  /* on its way to another worker */
	bool again; /* told to renegotiate */
	uint32_t mark;
	int keep_error; /* errno that peer_keep gives; 0 = none */
	bool kept;
	enum tls_role tls_role;
	struct tls_domain *domain;
	size_t psk_count, fingerprint_count;
	size_t fingers_when_aimed; /* it may begin then */
	uint16_t srtp_profile;     /* the first one named */
	uint8_t psk[64];
	size_t psk_len;
	char psk_id[129], psk_hint[129];
	struct relay_gate gate;
	struct stage_endpoint *partner;
	relay_event_fn *fn;
	void *arg;
	struct relay_stats stats;
};

struct stage {
	struct mg *mg;
	struct mg_settings settings;
	struct sockaddr_storage addresses[3];
	struct stage_endpoint endpoint[STAGE_ENDPOINTS];
	size_t endpoints;        /**< made so far, in order */
	size_t contexts;         /**< relay contexts that live */
	size_t context_number;   /**< made so far: each on another of two workers than the last */
	size_t hubs, hubs_there; /**< made so far; there now */
	bool dull_hubs;          /**< no memory for more */
	int add_error;           /**< errno that endpoint_add gives from now on; 0 = none */
	uint16_t next_port;      /**< what port 0 becomes */
	uint64_t now_ms, wall_ms;
	char reply[65536];   /**< of the last stage_send, compact */
	char request[65536]; /**< the last request of the gateway, compact; "" = none */
	unsigned requests;
	struct mg_notice *notice[STAGE_NOTICES]; /**< requests out */
	size_t notices, answered;
	bool unreachable;   /**< no controller: requests have to wait */
	bool unguarded;     /**< what is sent to it could have been read on the way */
	bool refuses;       /**< no memory for requests */
	char orders[16384]; /**< what the bearer was told since stage_forget, one line each */
	char log[65536];    /**< what was logged */
	char handoff[128];
	uint32_t inactivity_ms;
	uint32_t execution_ms, pending_limit; /* as set on ROOT */
	struct h248_txn_root root;            /* likewise, all of it */
	uint32_t segment_octets, segment_ms;  /* likewise */
	unsigned idles;
	uint32_t next_id;
	int execute_rc; /**< of the last mg_execute */
};

/** A gateway with addresses 192.0.2.1, 2001:db8::1 and, in realm "core", 192.0.2.99, domains
 * "access" (certificate) and "psk". */
void stage_start(struct stage *st);
void stage_stop(struct stage *st);
/** Send the actions as a transaction of that version; returns st->reply, its actions only. */
const char *stage_send_v(struct stage *st, unsigned version, const char *actions);
/** Version 2. */
const char *stage_send(struct stage *st, const char *actions);
/** Let the n-th endpoint tell something. */
void stage_event(struct stage *st, size_t n, enum relay_event_kind kind, enum relay_cause cause);
void stage_event_tls(struct stage *st, size_t n, enum relay_event_kind kind, enum relay_cause cause,
                     const struct relay_tls_result *tls);
/** The controller answers the oldest request that is out. */
void stage_answer(struct stage *st);
/** It does not: the request ends without an answer. */
void stage_silence(struct stage *st);
/** Forget orders, request and log. */
void stage_forget(struct stage *st);
/** Write behind what stands in one of those. */
void stage_say(char *into, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
