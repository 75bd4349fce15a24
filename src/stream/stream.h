/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A program's own stream connections on its loop: TCP, Unix sockets, and TLS over them by one of
 * our domains. Octets in clear go in and out; nothing here blocks, and what waits is bounded. Each
 * handshake ends in one log line. One thread: the loop's.
 *
 * Rules that callers may rely on:
 *   1. No callback is called from inside a call of this header: what fails in a call is told at the
 *      end of the loop's iteration.
 *   2. on_end comes once, last, and not after stream_free or stream_release. The stream stays its
 *      owner's, readable, until stream_free.
 *   3. Callbacks may call everything here but streams_free; stream_free of their own stream too.
 *   4. No octet of a peer that has not proven who it is, where that was asked, reaches on_data.
 */
#ifndef GH_STREAM_H
#define GH_STREAM_H

#include <netinet/in.h>
#include <sys/un.h>

#include "base/base.h"
#include "loop/loop.h"
#include "stream/order.h"
#include "tls/tls.h"

/* ---- addresses ---- */

/** `sa.sa_family` AF_UNSPEC: none. AF_UNIX: a path, which listening makes and its end removes. */
union stream_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/** Octets that stream_addr_format writes at most. */
#define STREAM_ADDR_TEXT 128
/** "192.0.2.1:5060", "[2001:db8::1]:5060", "unix:PATH". No names are looked up.
 * @return 0, or BASE_CONFIG with words */
int stream_addr_parse(union stream_addr *ret, struct base_str text, struct base_error *err);
/** The inverse; "-" for none. @return `buf` */
const char *stream_addr_format(const union stream_addr *addr, char *buf, size_t cap);
/** From an IP address as text, an IPv6 one with or without brackets. @return 0, or BASE_PEER */
int stream_addr_ip(union stream_addr *ret, struct base_str ip, uint16_t port);
/** The IP address alone, an IPv6 one without brackets; "-" where there is none. @return `buf` */
const char *stream_addr_host(const union stream_addr *addr, char *buf, size_t cap);
uint16_t stream_addr_port(const union stream_addr *addr);
bool stream_addr_equal(const union stream_addr *a, const union stream_addr *b);
/** For bind, connect and their kin. */
socklen_t stream_addr_len(const union stream_addr *addr);

/* ---- one connection ---- */

struct stream;

/** Why it is over. */
enum stream_cause {
	STREAM_DONE,      /**< in order: the peer has ended, or both have */
	STREAM_REFUSED,   /**< no connection came about: refused, unreachable */
	STREAM_LATE,      /**< a deadline: connecting, the handshake, idle, stream_deadline */
	STREAM_RESET,     /**< by the peer or the network */
	STREAM_TRUNCATED, /**< an end without close_notify: what came may have been cut off */
	STREAM_UNPROVEN,  /**< the peer has not proven who it is, or is revoked by now */
	STREAM_ALERT,     /**< TLS failed, by an alert of either side: see stream_tls */
	STREAM_FULL,      /**< more waited than may (output_max) */
	STREAM_RESOURCES, /**< memory or descriptors were short */
};
/** "done", "refused" ...; pure. */
const char *stream_cause_name(enum stream_cause cause);

struct stream_end {
	enum stream_cause cause;
	bool was_up;
	int error;        /**< an errno; 0 = it is about none */
	const char *text; /**< one sentence for people; lives until the callback returns */
};

/** What has become of a renegotiation. */
enum stream_again {
	STREAM_REKEYED, /**< complete, whoever began it: stream_tls and stream_binding tell anew */
	STREAM_KEYS,    /**< TLS 1.3: our KeyUpdate has gone out, the peer's is asked for */
	STREAM_KEYS_BOTH,     /**< and has come */
	STREAM_REFUSED_AGAIN, /**< the peer has said no_renegotiation (RFC 5246, 7.2.2); with
	                         OpenSSL that ends the stream instead */
	STREAM_IGNORED, /**< a client has not answered our HelloRequest within handshake_ms, or a
	                     peer that was sent our KeyUpdate that long ago sends data under its
	                     old keys (RFC 8446, 4.6.3); it may still answer. Where the domain
	                     ends who ignores it (`end_ignored`): on_end, STREAM_LATE */
};

/** What a stream's owner is told. on_data and on_end are needed. */
struct stream_ops {
	/** It can be used: connected, and with TLS the peer has proven what it was asked to. */
	void (*on_up)(void *arg, struct stream *stream);
	/**
	 * Octets that have not been taken: those that were left, then those that have come. Never
	 * empty. `data` is borrowed.
	 *
	 * @return how many were taken. What is left is kept and shown again together with what
	 *         comes next, or by stream_resume; once input_max octets are left nothing more is
	 *         read, so that the peer waits
	 */
	size_t (*on_data)(void *arg, struct stream *stream, struct base_str data);
	/** After stream_write has said BASE_AGAIN: little waits now, write on. */
	void (*on_writable)(void *arg, struct stream *stream);
	/**
	 * The peer has ended its direction, in order; all it sent has been shown. We may write on,
	 * and end with stream_end. NULL: it is ended likewise at once.
	 */
	void (*on_peer_end)(void *arg, struct stream *stream);
	/** A renegotiation (`renegotiable`) or a change of keys (stream_renegotiate) is over. One
	 * that fails, or takes longer than handshake_ms, ends the stream. */
	void (*on_rekeyed)(void *arg, struct stream *stream, enum stream_again what);
	/** It is over (rule 2). Octets that were left are gone. */
	void (*on_end)(void *arg, struct stream *stream, const struct stream_end *end);
	void *arg;
};

/** One side of one connection. 0 and NULL take the defaults. Borrowed for the call. */
struct stream_spec {
	struct stream_ops ops;
	struct tls_domain *domain; /**< referenced; NULL: no TLS */
	/**
	 * Beyond the domain: keys, fingerprints, names. `role` counts: who connects need not be the
	 * TLS client. Keys are wiped with the stream. NULL = nothing: a connection that we make is
	 * the TLS client's, others are the server's.
	 */
	const struct tls_session_spec *session;
	/**
	 * Renegotiations (up to TLS 1.2) by either side, as profile, domain and
	 * `session->renegotiate` have it; what is written while one goes on waits for its end. Else
	 * nobody renegotiates.
	 */
	bool renegotiable;
	/**
	 * Go on with a peer that has proven nothing, where the domain lets it: servers whose
	 * clients show no certificate. Else that ends the stream: STREAM_UNPROVEN.
	 */
	bool anybody;
	/** What is written in one turn of the loop goes out in one call at its end: for a
	 * connection that carries the messages of many. */
	bool gather;
	uint32_t connect_ms;   /**< 10000 */
	uint32_t handshake_ms; /**< 10000 */
	uint32_t idle_ms;      /**< no octet either way for so long ends it; 0 = never */
	uint32_t stall_ms;     /**< octets wait and the peer takes none for so long; 0 = never */
	uint32_t linger_ms;    /**< after stream_end, for the peer's end: 5000 */
	size_t output_max;     /**< octets that may wait to be sent: 1 MiB */
	size_t output_mark;    /**< from so many on stream_write says BASE_AGAIN: 64 KiB */
	size_t input_max;      /**< octets that on_data may leave: 128 KiB */
};

struct streams;

/**
 * Connect to an address. It can be written to at once: that waits until it is up.
 *
 * @param from  our own address, its port may be 0; NULL = any
 * @param ret   its owner is the caller
 * @return 0, also where on_end is going to tell that it could not; BASE_LOCAL (memory, descriptors,
 *         conns_max); BASE_CONFIG when `from` is not ours or the domain lacks what the session
 *         needs
 */
int stream_connect(struct stream **ret, struct streams *streams, const union stream_addr *to,
                   const union stream_addr *from, const struct stream_spec *spec,
                   struct base_error *err);
/** Take over a stream socket that is connected, non-blocking or not (one end of a socketpair);
 * closed on failure too. */
int stream_adopt(struct stream **ret, struct streams *streams, int fd,
                 const struct stream_spec *spec, struct base_error *err);

/**
 * Send. All octets are taken, or none.
 * @return 0; BASE_AGAIN: taken, but the peer reads slowly, so what can wait should wait for
 *         on_writable; BASE_LOCAL: not taken: it has ended (or stream_end was called), or more than
 *         output_max would wait, which ends it: STREAM_FULL
 */
int stream_write(struct stream *stream, const void *data, size_t len);
/** Show what was left once more, at the end of the iteration. Also after stream_pause. */
void stream_resume(struct stream *stream);
/** No on_data until stream_resume, and nothing is read once a little has come. */
void stream_pause(struct stream *stream);
/** Unless called anew it ends in so many ms (STREAM_LATE, with `why`, static); 0 = no such
 * deadline. For what a peer has begun and must finish. */
void stream_deadline(struct stream *stream, uint32_t ms, const char *why);

/**
 * Say no more: what waits is sent, then close_notify, FIN. The peer is heard until its end, or
 * linger_ms: then on_end. Idempotent.
 */
void stream_end(struct stream *stream);
/** As stream_end, but it is nobody's any more: no callback comes, and it frees itself. NULL is
 * fine. */
void stream_release(struct stream *stream);
/** At once: close_notify if the socket takes it, what waits is lost, keys are wiped. No callback
 * comes. NULL is fine. */
void stream_free(struct stream *stream);

bool stream_is_up(const struct stream *stream);
/** Octets that wait to be sent. */
size_t stream_waiting(const struct stream *stream);
/** Both ends, as far as known. Borrowed. */
const union stream_addr *stream_remote(const struct stream *stream);
const union stream_addr *stream_local(const struct stream *stream);
/** @return false: it is without TLS. Strings live as long as the stream. */
bool stream_tls(const struct stream *stream, struct tls_info *ret);
/** Its TLS session, for what of it stream_tls does not tell; NULL: it is without TLS. */
const struct tls_session *stream_session(const struct stream *stream);
/**
 * Renegotiate, or in TLS 1.3 change keys, by our own wish: tls_session_renegotiate(). What comes of
 * it is told by on_rekeyed, or on_end.
 * @return TLS_AGAIN_BEGUN or _KEYS; else nothing happens, and tls_again_text() says why
 */
enum tls_again stream_renegotiate(struct stream *stream);
/** What stands for its TLS session as it is now: tls_session_binding(). @return 0; BASE_BUG where
 * it is without TLS or not up; as there */
int stream_binding(struct stream *stream, uint8_t ret[TLS_BINDING_MAX], size_t *ret_len);
/** Nobody resumes its TLS session: tls_session_forget(). @return false: its peer has a
 * ticket that stays good */
bool stream_forget_session(struct stream *stream);
/** Change who is told, while it is handed from one owner to another. */
void stream_ops_set(struct stream *stream, const struct stream_ops *ops);
void *stream_arg(const struct stream *stream);

/* ---- those who come ---- */

struct stream_listener;

/**
 * Somebody has come: fill `ret` (all zero) with what it gets. Pointers in it are borrowed for the
 * call.
 * @param stream  theirs to keep, if they do: nothing is told of it before this returns
 * @return false: it is turned away
 */
typedef bool stream_accept_fn(void *arg, struct stream *stream, struct stream_spec *ret);

/** 0 and NULL take the defaults. */
struct stream_listen_spec {
	stream_accept_fn *fn;
	void *arg;
	size_t conns_max;  /**< of this listener at a time: 1024; more are accepted and closed */
	size_t source_max; /**< of one IP address (IPv6: of one /64) at a time; 0 = conns_max */
	unsigned mode;     /**< AF_UNIX: permissions of the path; 0 = 0600 */
};
/**
 * @param local  in: where; port 0 takes any; out: with the true port
 * @return 0; BASE_CONFIG when the address cannot be had; BASE_LOCAL
 */
int stream_listen(struct stream_listener **ret, struct streams *streams, union stream_addr *local,
                  const struct stream_listen_spec *spec, struct base_error *err);
/** No more come; those who have stay. NULL is fine. */
void stream_listener_free(struct stream_listener *listener);
/** Paused: who comes waits in the kernel's queue, and is accepted when that is over. */
void stream_listener_pause(struct stream_listener *listener, bool paused);
const union stream_addr *stream_listener_local(const struct stream_listener *listener);

/* ---- all of them ---- */

/** A handshake that waits for a CRL. */
struct stream_ask;

/** 0 and NULL take the defaults. */
struct streams_config {
	const char *area; /**< of the log lines: "stream". Outlives them */
	size_t conns_max; /**< connections of all kinds at a time: 16384 */
	uint32_t ask_ms;  /**< a handshake waits no longer for CRLs: 5000 */
	/**
	 * A certificate names a CRL that the domain's cache lacks, and which decides: fetch it and
	 * say stream_asked, soon or later, exactly once. NULL: that refuses the peer at once.
	 */
	void (*ask)(void *arg, struct stream_ask *ask);
	void *arg;
};
/** How they add up: up + failed + what is still in its beginning = connects + accepts. */
#define STREAM_COUNTERS(X)                                                                         \
	X(connects, "connections begun by us")                                                     \
	X(accepts, "connections that came in")                                                     \
	X(turned_away, "connections that came in beyond a limit, or were not wanted")              \
	X(up, "connections that came into use")                                                    \
	X(failed, "connections that ended before that")                                            \
	X(handshakes, "TLS handshakes completed")                                                  \
	X(handshakes_failed, "TLS handshakes failed")                                              \
	X(octets_in, "octets received in clear")                                                   \
	X(octets_out, "octets written in clear")
struct streams_counters {
#define STREAM_COUNTER_FIELD(name, text) uint64_t name;
	STREAM_COUNTERS(STREAM_COUNTER_FIELD)
#undef STREAM_COUNTER_FIELD
};

/** `config` is copied, may be NULL. @return 0, or BASE_LOCAL */
int streams_new(struct streams **ret, struct loop *loop, const struct streams_config *config);
/** Ends and frees all connections and listeners; nothing is called back. Not inside a callback.
 * NULL is fine. */
void streams_free(struct streams *streams);
/** A domain is not wanted for those to come: nothing of it is kept, but for who is there still. */
void streams_forget(struct streams *streams, const struct tls_domain *domain);
struct loop *streams_loop(const struct streams *streams);
const struct streams_counters *streams_count(const struct streams *streams);
/** Connections there are. */
size_t streams_conns(const struct streams *streams);
/**
 * Something new is known of revocations: hold all sessions against it. Their domains say what
 * becomes of those condemned.
 * @param store  what is known now; NULL: each against its own domain's store
 */
void streams_rejudge(struct streams *streams, struct trust_store *store);

/** Address of the CRL; borrowed. */
const char *stream_ask_url(const struct stream_ask *ask);
/** @param why  NULL: the store's cache has been refreshed. Else why nothing came */
void stream_asked(struct stream_ask *ask, const char *why);

#endif
