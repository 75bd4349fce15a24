/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Bearers: TCP, TLS and UDP endpoints and the bytes or datagrams between two of them. The control
 * thread calls the functions below; each context lives on one worker thread, which owns its sockets
 * and TLS objects. Orders travel to the worker as messages, events come back as messages; nobody
 * waits. Counters have one writer, the worker, and are read without a lock.
 */
#ifndef GH_RELAY_H
#define GH_RELAY_H

#include <sys/socket.h>

#include "base/base.h"
#include "loop/loop.h"
#include "tls/tls.h"

/** Workers and what they share. Made, used and freed by the control thread. */
struct relay_pool;
/** One H.248 Context's bearers; all on one worker. */
struct relay_context;
/** One stream endpoint: a TCP connection, perhaps with TLS on it; or a UDP port. */
struct relay_endpoint;

/**
 * A CRL that a handshake waits for. From relay_fetch_fn on it is the receiver's, who answers it
 * once; before relay_pool_free().
 */
struct relay_fetch;
/** Its address: printable ASCII without blanks, at most 1000 octets. */
const char *relay_fetch_url(const struct relay_fetch *fetch);
/** Get it into the caches of the domains' trust stores. Called on the control thread. */
typedef void relay_fetch_fn(void *arg, struct relay_fetch *fetch);
/**
 * The answer, on the control thread; the pointer is gone. Within relay_fetch_fn it is fine.
 * @param why  NULL: it is there, and the caches were refreshed. Else why not, in a few words
 */
void relay_fetched(struct relay_fetch *fetch, const char *why);

struct relay_pool_spec {
	unsigned workers;          /**< threads; 0 = one per core */
	unsigned endpoint_limit;   /**< refuse beyond; 0 = what RLIMIT_NOFILE leaves */
	size_t buffer_limit;       /**< octets an endpoint may hold for a slow peer; 0 = 256 KiB,
	                              at least 64 KiB */
	unsigned half_timeout_ms;  /**< a half-closed endpoint without traffic ends; 0 = 240 s */
	unsigned drain_timeout_ms; /**< how long an orderly close may take; 0 = 5 s.
	                              It starts anew while the peer takes 64 KiB in it */
	relay_fetch_fn *fetch;     /**< NULL: no handshake waits for a CRL, a missing one refuses */
	void *fetch_arg;
	unsigned fetch_limit_ms; /**< how long a handshake may wait for CRLs, all together; 0 = 5 s.
	                            Its own limit goes on meanwhile */
};

int relay_pool_new(struct relay_pool **ret, struct loop *control,
                   const struct relay_pool_spec *spec, struct base_error *err);
/**
 * Aborts what is still open, joins the workers. No callback comes afterwards; contexts, endpoints
 * and listeners of the pool are gone with it. NULL is fine. Not inside an event callback.
 */
void relay_pool_free(struct relay_pool *pool);

/**
 * Forget the workers' engine contexts of `domain` (a reload has replaced it). Sessions that run
 * keep theirs until they end. @return 0, or BASE_LOCAL when memory is short (call again later).
 */
int relay_pool_domain_drop(struct relay_pool *pool, struct tls_domain *domain);

/**
 * Something new is known of revocations (a CRL, or a reload): hold each session against what the
 * domain of its name in `domains` knows now. Whose peer is condemned ends as that domain's policy
 * says (tls_domain_on_revocation), with RELAY_CAUSE_REVOKED; no other one is touched. Sessions in
 * their handshake are looked at too, those of names that are not in `domains` are not. Workers do
 * it in slices, beside their traffic; one that is not through yet begins anew.
 *
 * @param domains  referenced while it lasts; those without a store are passed over
 * @return 0, or BASE_LOCAL when memory is short (call again)
 */
int relay_pool_rejudge(struct relay_pool *pool, struct tls_domain *const *domains, size_t count);

/**
 * What an endpoint tells. The last event of each endpoint is exactly one RELAY_TCP_FAILED or
 * RELAY_TCP_DOWN; a TLS event comes before it. A half-close alone is no event: it is carried to the
 * partner, and DOWN is told when both directions have ended. A renegotiation that fails ends the
 * session: RELAY_TLS_DOWN follows.
 */
enum relay_event_kind {
	RELAY_TCP_UP,                 /**< connected or accepted; `peer` is set */
	RELAY_TCP_FAILED,             /**< connect failed, timed out, or nobody came */
	RELAY_TCP_DOWN,               /**< closed: `cause`, by which side */
	RELAY_TLS_UP,                 /**< handshake done: `tls` */
	RELAY_TLS_FAILED,             /**< handshake failed or timed out: `tls`, `cause`. A DTLS
	                                 server waits for the next one then */
	RELAY_TLS_DOWN,               /**< ended: close_notify, alert or abort: `tls`, `cause` */
	RELAY_TLS_RENEGOTIATED,       /**< by either's wish (RFC 5746): `tls` as it is now */
	RELAY_TLS_RENEGOTIATE_FAILED, /**< refused half-way, or stalled: `tls`, `cause` */
	RELAY_TLS_CONDEMNED, /**< the peer was revoked: `tls`, `action`. END: it ends now */
	RELAY_TLS_REKEYED,   /**< ordered, TLS 1.3: our KeyUpdate is out and asks for the peer's */
	RELAY_TLS_UNCHANGED, /**< ordered, and nothing came of it: `again`, `cause`, `tls.text`. The
	                        session goes on */
	RELAY_EVENTS
};

enum relay_cause {
	RELAY_CAUSE_NONE,
	RELAY_CAUSE_PEER_CLOSE,  /**< FIN; with TLS up, after close_notify */
	RELAY_CAUSE_PEER_RESET,  /**< RST */
	RELAY_CAUSE_PEER_ALERT,  /**< fatal alert from the peer */
	RELAY_CAUSE_TRUNCATED,   /**< FIN without close_notify (RFC 5246, 7.2.1) */
	RELAY_CAUSE_LOCAL_CLOSE, /**< we were told to release */
	RELAY_CAUSE_LOCAL_ALERT, /**< we sent a fatal alert */
	RELAY_CAUSE_PARTNER,     /**< the other endpoint of the context went away */
	RELAY_CAUSE_REFUSED,
	RELAY_CAUSE_UNREACHABLE,
	RELAY_CAUSE_TIMEOUT,
	RELAY_CAUSE_AUTH,    /**< peer not authenticated */
	RELAY_CAUSE_REVOKED, /**< a CRL that came later lists it */
	RELAY_CAUSE_RESOURCES,
	RELAY_CAUSE_PROTOCOL, /**< what came is not the application's that was told (hub.h) */
	RELAY_CAUSES
};
/** Short stable word ("peer-reset"); pure. */
const char *relay_cause_name(enum relay_cause cause);

/** The part of tls_info that crosses threads; all storage inside. */
struct relay_tls_result {
	uint16_t version, suite;
	char version_name[16], suite_name[64];
	bool resumed, psk;
	bool secured;   /**< the peer knows RFC 5746, or it is TLS 1.3 */
	bool orderable; /**< relay_endpoint_renegotiate() may do something */
	bool unable;    /**< it might, were it not for the TLS engine */
	int alert;      /**< -1 none */
	enum tls_side alert_side;
	enum trust_reason reason; /**< TRUST_OK unless the peer's authentication failed */
	bool authenticated, tolerated;
	unsigned method; /**< the enum trust_method that authenticated the peer; 0 = none did */
	uint16_t srtp;   /**< enum tls_srtp: the profile that was agreed on */
	char text[256];  /**< one sentence on failure */
	char peer_subject[128];
};

struct relay_event {
	enum relay_event_kind kind;
	enum relay_cause cause;
	int error;                     /**< errno of a TCP failure, 0 = none */
	struct sockaddr_storage peer;  /**< its address; ss_family 0 = unknown */
	enum tls_on_revocation action; /**< of RELAY_TLS_CONDEMNED */
	enum tls_again again;          /**< of RELAY_TLS_UNCHANGED: why it was not even begun */
	bool ordered;                  /**< it answers relay_endpoint_renegotiate() */
	/** Of TLS: which set-up the session goes by. Others that were ordered since are still on
	 * their way, and the session is held against them when they arrive. */
	uint32_t mark;
	struct relay_tls_result tls;
};

/** Called on the control thread. The endpoint is alive; removing it in here is fine. */
typedef void relay_event_fn(void *arg, struct relay_endpoint *endpoint,
                            const struct relay_event *event);

/** Put a context on the worker with the fewest endpoints. NULL-safe free ends its endpoints. */
int relay_context_new(struct relay_context **ret, struct relay_pool *pool);
void relay_context_free(struct relay_context *context);

enum relay_tcp_role { RELAY_TCP_SERVER, RELAY_TCP_CLIENT };

struct relay_tls_spec {
	struct tls_domain *domain;       /**< referenced by the endpoint */
	struct tls_session_spec session; /**< copied */
	/** The caller's number of what is said of the peer here, another one when that is another.
	 * Comes back with events of TLS. */
	uint32_t mark;
};

/** Peers of one prefix. */
struct relay_source {
	uint8_t family;     /**< AF_INET or AF_INET6 */
	uint8_t prefix;     /**< bits that count */
	uint8_t octets[16]; /**< the address, in network order; 4 for IPv4 */
};
#define RELAY_SOURCES_MAX 8

/** A token bucket. */
struct relay_rate {
	uint32_t octets_per_s; /**< 0 = no limit */
	uint32_t burst;        /**< octets that may come at once; at least 1 */
};

/**
 * Who may come in, how fast they may send, and how our packets are marked. All zero: anybody, as
 * fast as they like, DSCP 0. A connection that is up is not asked again who it is.
 */
struct relay_gate {
	bool sources_only; /**< server: only `source`; none in it = nobody yet */
	uint8_t dscp;      /**< of the packets we send, 0 to 63 (RFC 2474) */
	uint8_t source_count;
	uint16_t port_min, port_max; /**< server: of the peer; 0, 0 = any */
	struct relay_source source[RELAY_SOURCES_MAX];
	/** Octets that are read from the peer, TLS included; it is slowed down, nothing is lost. */
	struct relay_rate sustained, peak;
};

#define RELAY_SRTP_PROFILES 4U

/**
 * A datagram endpoint (docs/datagrams.md). It is there from the start, so RELAY_TCP_UP is not told
 * of it, and without TLS it ends only when it is told to. What cannot go on at once is dropped and
 * counted. Copied.
 *
 * With TLS it is DTLS: a server takes up who comes first with a cookie of ours, and if that one
 * fails the next; a client begins when it is told to (or at once) and `remote` is known. From then
 * on its one peer is there, and it ends with the session. A server that was given no fingerprint
 * lets the handshake be done, and waits for one (relay_endpoint_tls_set) before anything is passed
 * on.
 */
struct relay_dgram_spec {
	bool rtp;       /**< only RTP and RTCP are let through; else any datagram */
	bool rtcp_port; /**< RTCP has the next port, which is bound too (RFC 3550, 11) */
	bool rtcp_mux;  /**< RTCP may come at the same port (RFC 5761) */
	bool latch;     /**< the first source that the gate lets in becomes the remote address */
	bool shared;    /**< others that are shared may have the same local port, each for a peer of
	                   its own, `remote`, who alone is heard; latch has no meaning. DTLS servers
	                   may do without `remote`: of those that wait at one port, all of one
	                   domain, a peer's is the one whose fingerprint or key it has */
	bool srtp; /**< RTP with TLS: its handshake keys SRTP (RFC 5764), with rtcp_mux alone */
	uint16_t srtp_profiles[RELAY_SRTP_PROFILES]; /**< enum tls_srtp, the best first */
	unsigned srtp_count;                         /**< 0 = our own choice */
	/** Where RTCP goes: the address of `remote` again = with the media. Family 0: with
	 * rtcp_port to the port behind `remote`, else with rtcp_mux to `remote`, else nowhere. */
	struct sockaddr_storage rtcp_remote;
};

struct relay_endpoint_spec {
	/** UDP instead of TCP: `remote` is where datagrams go and no filter, and what is said of
	 * TCP below has no meaning. NULL = TCP. */
	const struct relay_dgram_spec *dgram;
	enum relay_tcp_role tcp_role;
	struct sockaddr_storage local; /**< port 0 = any; bound before relay_endpoint_add returns */
	struct sockaddr_storage remote; /**< client: where to; server: only peer let in, if set */
	bool connect_now; /**< client: send SYN at once, else on relay_endpoint_connect */
	const struct relay_tls_spec *tls; /**< NULL = plain TCP */
	bool tls_hold;                    /**< do not start TLS before relay_endpoint_start_tls */
	bool linked_setup;                /**< seplink: partner's TCP up triggers ours (H.248.92) */
	bool linked_tls;                  /**< likewise: partner's TLS up ends our tls_hold */
	unsigned connect_timeout_ms;   /**< 0 = 10 s; server: how long to wait for a peer, 0 = for
	                                  ever */
	unsigned handshake_timeout_ms; /**< 0 = 10 s */
	const struct relay_gate *gate; /**< copied; NULL = all zero */
	relay_event_fn *fn;
	void *arg;
};

/**
 * Make an endpoint. Socket, bind and listen happen here, on the control thread, so that the local
 * port is known and a failure is an answer, not an event.
 * @return 0; BASE_LOCAL with errno as detail (EMFILE, EADDRINUSE, EADDRNOTAVAIL, ENOMEM; of a
 *         shared port EDESTADDRREQ without `remote`, EPROTOTYPE where those that wait there have
 *         another domain, EXDEV where they are on another worker and the context cannot follow)
 */
int relay_endpoint_add(struct relay_endpoint **ret, struct relay_context *context,
                       const struct relay_endpoint_spec *spec, struct base_error *err);
/** Bound address with the real port. */
void relay_endpoint_local(const struct relay_endpoint *endpoint, struct sockaddr_storage *ret);
/** Set or replace the remote address before the connection is made. */
int relay_endpoint_remote_set(struct relay_endpoint *endpoint,
                              const struct sockaddr_storage *remote);
/** The same of a datagram endpoint, at any time; of `spec` only what speaks of the remote side, and
 * the SRTP profiles, where its handshake is still to come. */
int relay_endpoint_dgram_set(struct relay_endpoint *endpoint, const struct sockaddr_storage *remote,
                             const struct relay_dgram_spec *spec);
/**
 * Of a shared port: may the endpoint be given this peer? Then it is kept for it until dgram_set
 * gives it, or this is called again. NULL: no longer.
 * @return 0; BASE_LOCAL EADDRINUSE when it is another's, EDESTADDRREQ when it is none, ENOMEM
 */
int relay_endpoint_peer_keep(struct relay_endpoint *endpoint,
                             const struct sockaddr_storage *remote);
/**
 * Replace fingerprints, PSKs, role. Copied. Where there is a session already its peer is held
 * against the fingerprints at once; one that they do not prove, or that a key has proved when
 * `mark` is another, ends with RELAY_CAUSE_AUTH.
 */
int relay_endpoint_tls_set(struct relay_endpoint *endpoint, const struct relay_tls_spec *tls);
/*
 * Orders. They, and what add, move and remove ask for, reach a worker that sleeps at the end of the
 * control loop's iteration, all at once. Each is carried out in the order given; one that the
 * endpoint's state does not know (connect when it is connected) changes nothing. All but remove
 * return 0, or BASE_LOCAL when memory is short and nothing was ordered.
 */

/** Client: send SYN now (tcpbcc/EstBNC). */
int relay_endpoint_connect(struct relay_endpoint *endpoint);
/** Start TLS as soon as TCP is up (tlsbsc/EstBNC makes it the client). */
int relay_endpoint_start_tls(struct relay_endpoint *endpoint, enum tls_role role);
/**
 * Renegotiate (tlsm/Reneg), in TLS 1.3 change the keys. One event that is `ordered` answers:
 * RENEGOTIATED, RENEGOTIATE_FAILED, REKEYED or UNCHANGED; or the session ends meanwhile. A client
 * that ignores our request is given as long as a handshake; then the domain says whether it stays
 * (tls_domain_ends_ignored).
 */
int relay_endpoint_renegotiate(struct relay_endpoint *endpoint);
/**
 * close_notify and FIN, or with `abort` RST. Events follow. The stream's end is carried to the
 * partner in the same manner: unlink first if that one shall live on.
 */
int relay_endpoint_release(struct relay_endpoint *endpoint, bool abort);
/**
 * Which way bytes may flow through this endpoint (LocalControl Mode); as seen from the context:
 * `may_send` towards its peer, `may_receive` from it. What may not flow waits at its sender
 * (back-pressure), it is not lost. Both are true for a new endpoint.
 */
int relay_endpoint_mode_set(struct relay_endpoint *endpoint, bool may_send, bool may_receive);
/** Another gate, from now on: for peers that come, octets that are read, packets that are sent. */
int relay_endpoint_gate_set(struct relay_endpoint *endpoint, const struct relay_gate *gate);
/** Bytes go between these two; NULL unlinks. Both must be of one context and both of TCP or both of
 * UDP. Earlier links of either end. */
int relay_endpoint_link(struct relay_endpoint *endpoint, struct relay_endpoint *partner);
/** Where an endpoint stands as seen from a context. */
enum relay_reach {
	RELAY_NEAR, /**< on the context's worker */
	RELAY_FAR,  /**< on another one */
	RELAY_BUSY, /**< on its way to another one: ask again after the next events */
};
enum relay_reach relay_endpoint_reach(const struct relay_endpoint *endpoint,
                                      const struct relay_context *context);
/**
 * Put it into another context of the pool. From afar it brings its socket and the bytes it holds,
 * but no TLS session: one that has begun meanwhile is aborted and told so (RELAY_CAUSE_RESOURCES).
 * Unlink it first; links and orders that are given now wait for its arrival. Not a busy one. Timers
 * of its state start anew. Cannot fail.
 */
void relay_endpoint_move(struct relay_endpoint *endpoint, struct relay_context *context);
/**
 * End it: orderly close in the background (see release), no more callbacks, the pointer is gone.
 * NULL is fine.
 */
void relay_endpoint_remove(struct relay_endpoint *endpoint);

/** What revocation has done, since the pool was made. Any thread. */
struct relay_trust_counts {
	uint64_t revoked;     /**< handshakes refused: a certificate is revoked */
	uint64_t crl_missing; /**< handshakes refused: a check could not be made, no usable CRL */
	uint64_t crl_stale;   /**< likewise, its CRL is out of date */
	uint64_t condemned;   /**< sessions whose peer was revoked while they were up */
	uint64_t waits;       /**< CRLs that handshakes have waited for */
	uint64_t waits_lost;  /**< of those, in vain */
};
void relay_pool_trust_counts(const struct relay_pool *pool, struct relay_trust_counts *ret);

/** Counters since the endpoint was made. `octets` are application data, above TLS. */
struct relay_stats {
	uint64_t octets_in, octets_out;   /**< from and to this endpoint's peer */
	uint64_t wire_in, wire_out;       /**< on the socket, TLS included */
	uint64_t records_in, records_out; /**< TLS application data records */
	uint64_t handshakes, handshake_failures;
	uint64_t resumptions;           /**< of the handshakes */
	uint64_t handshake_ms;          /**< time in handshakes that were completed */
	uint64_t auth_failures;         /**< of the failures: the peer's certificate, or its CRL */
	uint64_t alerts_in, alerts_out; /**< fatal ones */
	uint64_t renegotiations, renegotiation_failures;
	uint64_t segments_retransmitted; /**< TCP_INFO, at the last event or close */
	uint64_t buffered_peak;          /**< most octets held at once for a slow peer */
	uint64_t condemned;              /**< peers found revoked while their session was up */
	uint64_t refused; /**< connections, or datagrams, that the gate or `remote` kept out */
	/* Datagram endpoints: */
	uint64_t packets_in, packets_out; /**< let in and sent on; RTCP not counted */
	uint64_t packets_lost; /**< no way on, none of RTP's, too long, above the rate, or the
	                          socket took no more */
	/* Endpoints of a hub (hub.h): SEND requests of MSRP, messages of BFCP. */
	uint64_t messages_in, messages_out;
};
void relay_endpoint_stats(const struct relay_endpoint *endpoint, struct relay_stats *ret);
/**
 * What TLS has come to, by domain: one table of counters for metrics and whoever else asks. A
 * family is one name with labels; its counters lie one after the other, the last label's values
 * closest together.
 */
struct relay_label {
	const char *name;
	unsigned count;
	const char *(*value)(unsigned i); /**< short stable words; "" = this one is never counted */
};
struct relay_family {
	const char *name, *help; /**< without prefix and unit of a metric's name */
	struct relay_label label[3];
	/** The only "label" is a time; counters are those of the buckets, then the sum in ms. */
	bool times;
	unsigned at, count; /**< its counters in `value` of a meter */
};
/** All families, in order. Pure but for the first call, which is the pool's. */
const struct relay_family *relay_families(size_t *ret_count);
/** Upper bound of a bucket of `times`, inclusive, in ms; 0 = the last one, which has none. */
unsigned relay_time_bound(unsigned bucket);

/** One domain under one profile: a reload may bring it another, and both go on to be told. */
struct relay_meter {
	const char *domain, *profile;
	bool used; /**< a worker has sessions of it, or may have */
	uint64_t *value;
};
/**
 * Sums over the workers, as they stand. They only grow, as long as the pool lives.
 * @return 0, or BASE_LOCAL; what is told is the arena's
 */
int relay_meters_read(const struct relay_pool *pool, struct base_arena *arena,
                      struct relay_meter **ret, size_t *ret_count);

/** Endpoints open now, and the most there may be. */
void relay_pool_usage(const struct relay_pool *pool, unsigned *ret_open, unsigned *ret_limit);

#include "relay/hub.h"

/* ---- standing listener ---- */

/**
 * A listening address that turns each accepted connection into a pair of linked endpoints on the
 * worker that accepted it: one towards the peer, one towards the backend, which is connected when
 * the front is open (its TLS done). No control thread is in the way and nobody is told of single
 * connections: a plain TLS-terminating proxy.
 */
struct relay_listener;

struct relay_listener_spec {
	struct sockaddr_storage local;            /**< port 0 = any */
	struct sockaddr_storage backend;          /**< where to connect */
	const struct relay_tls_spec *tls;         /**< towards peers; NULL = plain TCP */
	const struct relay_tls_spec *backend_tls; /**< towards the backend; NULL = plain TCP */
	unsigned connect_timeout_ms;              /**< to the backend; 0 = 10 s */
	unsigned handshake_timeout_ms;            /**< 0 = 10 s */
	unsigned idle_timeout_ms; /**< a pair through which nothing goes ends; 0 = never */
};

/** Sums over all workers. accepted = refused + what became a pair. */
struct relay_listener_stats {
	uint64_t accepted; /**< connections taken from the kernel */
	uint64_t refused;  /**< of those, closed at once: no descriptor, memory or room left */
};

/**
 * Bind and listen, one socket per worker on one port (SO_REUSEPORT). Control thread.
 * @return 0; BASE_LOCAL with errno as detail
 */
int relay_listener_new(struct relay_listener **ret, struct relay_pool *pool,
                       const struct relay_listener_spec *spec, struct base_error *err);
/** Bound address with the real port. */
void relay_listener_local(const struct relay_listener *listener, struct sockaddr_storage *ret);
void relay_listener_stats(const struct relay_listener *listener, struct relay_listener_stats *ret);
/** Stop listening; connections already made live on. The pointer is gone. NULL is fine. */
void relay_listener_free(struct relay_listener *listener);

#endif
