/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Included by tls.h: what is different where a session carries datagrams (DTLS 1.0, RFC 4347; DTLS
 * 1.2, RFC 6347). The calls are those of tls.h. A session with `datagram` in its spec
 *
 * - takes ONE whole UDP payload per call in `io->in` (it never leaves any of it there);
 * - appends to `io->out` whole datagrams, each behind its length: see tls_datagram_next();
 * - needs `io->now_ms` and wants to be called again at tls_session_deadline();
 * - gives one message per read and sends one per write: what one side wrote is what the other
 *   reads, or nothing of it; a datagram may bring several (RFC 6347, 4.1): read, `io->in` empty
 *   from the second time on, until it says BASE_AGAIN, else the next datagram is lost;
 * - drops what no peer of ours can have sent (a broken record, a replayed one, one of another
 *   epoch) without a word (RFC 6347, 4.1.2.6 and 4.1.2.7);
 * - may have kept a message that overtook the end of the handshake: read once with an empty
 * `io->in` after tls_session_handshake() has said 0;
 * - once established wants every datagram by tls_session_read(), with a `clear` not smaller than
 *   the datagram; that may repeat the last flight into `io->out`;
 * - resumes as TLS does, but with use_srtp (where GnuTLS 3.7 does not);
 * - while it waits for a CRL (`may_wait`) takes every datagram and says nothing: it keeps what its
 *   peer repeats, within 16 KiB, until tls_session_arrived(), and has no deadline;
 * - renegotiates as TLS does, but that a GnuTLS server cannot ask for it. While one goes on, and
 * while a HelloRequest of ours is not answered, tls_session_deadline() counts: call
 * tls_session_read() with an empty `io->in` then. Who does not go on in time is lost.
 */
#ifndef GH_TLS_DTLS_H
#define GH_TLS_DTLS_H

#include "base/base.h"

struct tls_domain;
struct tls_session;
struct tls_io;

#define TLS_MTU_MIN      208   /**< least UDP payload a session works with */
#define TLS_MTU_DEFAULT  1200  /**< UDP payload that nearly every path carries */
#define TLS_DATAGRAM_MAX 16717 /**< no datagram of ours is longer (RFC 6347, 4.1) */

/** How a session deals with its path. 0 anywhere = the default. Copied by tls_session_new. */
struct tls_datagram_spec {
	uint16_t mtu;         /**< octets of UDP payload that fit (RFC 6347, 4.1.1); 1200 */
	uint32_t rto_ms;      /**< before the first repetition (RFC 6347, 4.2.4.1): 1000, or about
	                           twice the round trip where it is known */
	uint32_t rto_max_ms;  /**< it doubles up to this: 60000 */
	uint32_t patience_ms; /**< a handshake that is not done so long after its first step has
	                           lost its peer: 60000 */
	/** DTLS-SRTP protection profiles (RFC 5764, 4.1.2) in order of preference; 0 = no use_srtp.
	 * Those that the engine lacks are left out (GnuTLS 3.7: both AEAD ones); BASE_CONFIG when
	 * none is left. */
	const uint16_t *srtp;
	size_t srtp_count;
	bool srtp_required; /**< a peer that agrees on none is refused (handshake_failure) */
	/** Server: what comes first is what tls_hello_check() found TLS_HELLO_VERIFIED. false: the
	 * peer's address needs no proof (a port that is one peer's, its address known). */
	bool verified;
};

/**
 * The next datagram of what steps have appended to an `out`. @return false at the end
 * @param r  over `out->data`, `out->len`; moved past it
 */
bool tls_datagram_next(struct base_reader *r, struct base_str *ret);

/**
 * When does the session want to be called, on the clock of `io->now_ms`? At that time, or later,
 * call tls_session_handshake() (tls_session_read() when it is established) with an empty `io->in`:
 * it repeats the last flight, or gives the peer up (then: BASE_PEER, tls_session_info says `lost`).
 * Ask again after every call.
 * @return UINT64_MAX = never
 */
uint64_t tls_session_deadline(const struct tls_session *session);

/**
 * The path takes less, or more, than was thought (ICMP, RFC 6347 4.1.1.1; EMSGSIZE): from now on
 * datagrams are of at most `mtu` octets of UDP payload, repeated flights too. Less than
 * TLS_MTU_MIN counts as that.
 */
void tls_session_set_mtu(struct tls_session *session, uint16_t mtu);

/** The longest message that tls_session_write() takes now; 0 before it is established. */
size_t tls_session_room(const struct tls_session *session);

/** The round trip the handshake has measured; 0 = it could not (all was repeated). */
uint32_t tls_session_rtt(const struct tls_session *session);

/**
 * The path says that the peer is no more (ICMP port unreachable, ICE consent gone): the session has
 * failed with `why`, and nothing is sent.
 */
void tls_session_lost(struct tls_session *session, const char *why);

/* -- before there is a session --------------------------------------------------------------- */

/** What a datagram is that comes to a server's port from a peer that has no session there. */
enum tls_hello {
	TLS_HELLO_DROP,     /**< nothing to be answered */
	TLS_HELLO_ASK,      /**< a ClientHello: a HelloVerifyRequest for it is in `out` */
	TLS_HELLO_VERIFIED, /**< a ClientHello with our cookie: make a session (`verified`), and
	                         give it this very datagram */
};

/**
 * The cookie exchange of RFC 6347, 4.2.1, without any state for the peer: cookies are made with
 * secrets of the domain that change every minute, and are good for one to two minutes, for that
 * peer and that ClientHello alone. The answer is never longer than the question. Any octets are
 * safe input. Thread safe: all workers of a domain know each other's cookies.
 *
 * @param peer    what the peer's address and port are, and our port if there are more than one
 * @param now_ms  the same clock for all who ask
 * @param out     gets the HelloVerifyRequest, in the form of tls_datagram_next()
 */
enum tls_hello tls_hello_check(struct tls_domain *domain, struct base_str datagram,
                               struct base_str peer, uint64_t now_ms, struct base_writer *out);

/** Whose is a datagram on a port shared with others (RFC 7983, 7; RFC 5764, 5.1.2)? By its first
 * octet: 20 to 63 is DTLS. */
static inline bool tls_datagram_is(struct base_str datagram)
{
	return datagram.len > 0 && (uint8_t)datagram.ptr[0] >= 20 && (uint8_t)datagram.ptr[0] <= 63;
}

/** Can sessions of this domain be datagrams at all: has its profile a version of DTLS, and the
 * engine a suite for it? */
bool tls_domain_datagrams(const struct tls_domain *domain);

/* -- keys for others ------------------------------------------------------------------------- */

/**
 * Keying material of an established session for another protocol (RFC 5705; RFC 8446, 7.5). TLS
 * and DTLS.
 * @param context  NULL = none, which is not the same as an empty one below TLS 1.3
 * @param ret      gets `len` octets; a secret that was in it is wiped
 * @return 0; BASE_BUG when it is not established; BASE_LOCAL
 */
int tls_session_export(struct tls_session *session, const char *label,
                       const struct base_str *context, size_t len, struct base_secret *ret);

/** SRTP's protection profiles (IANA, DTLS-SRTP Protection Profiles). */
enum tls_srtp {
	TLS_SRTP_NONE = 0,
	TLS_SRTP_AES128_CM_SHA1_80 = 0x0001,
	TLS_SRTP_AES128_CM_SHA1_32 = 0x0002,
	TLS_SRTP_AEAD_AES_128_GCM = 0x0007,
	TLS_SRTP_AEAD_AES_256_GCM = 0x0008,
};
/** "SRTP_AES128_CM_HMAC_SHA1_80" ..., NULL for what is not among them; pure. */
const char *tls_srtp_name(uint16_t profile);
/** Octets of its master key and of its master salt; false for what is not among them. Pure. */
bool tls_srtp_sizes(uint16_t profile, size_t *ret_key, size_t *ret_salt);
/** The profile of an IANA name, any case; TLS_SRTP_NONE for others. Pure. */
uint16_t tls_srtp_named(struct base_str name);

/** What the handshake agreed on: master keys with their salts behind them, as libsrtp takes them.
 */
struct tls_srtp_keys {
	uint16_t profile;
	struct base_secret ours;   /**< for what we send */
	struct base_secret theirs; /**< for what they send */
};
/** The profile agreed on (RFC 5764, 4.1.1); TLS_SRTP_NONE before the end and where none was. */
uint16_t tls_session_srtp(const struct tls_session *session);
/**
 * EXTRACTOR-dtls_srtp (RFC 5764, 4.2), cut in its four pieces.
 * @return 0; BASE_BUG where tls_session_srtp() is none; BASE_LOCAL
 */
int tls_session_srtp_keys(struct tls_session *session, struct tls_srtp_keys *ret);
/** Wipes. */
void tls_srtp_keys_done(struct tls_srtp_keys *keys);

#endif
