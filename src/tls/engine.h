/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to src/tls: what stands between the public calls and an engine.
 *
 * Invariants, kept by session.c so that no engine has to:
 * 1. An engine is called only while `session->io` is lent; it keeps no pointer into it afterwards.
 *    It holds no buffers while idle but a part of a record that has begun to arrive.
 * 2. Engines never judge certificates: they hand the peer's chain to tls_session_judge() and do
 *    what it says. They never see a private key they can do without.
 * 3. The first failure is the one that is told (tls_session_fail); after it, and after the peer's
 *    close_notify, the engine is not asked to read again.
 * 4. A ticket is a credential of the domain that earned it: keys and scope are the domain's, and a
 *    session with credentials of its own stream (PSK, fingerprint) neither gives nor takes tickets
 *    (session.c, session_resumes). A client's certificate is judged again when it resumes. As
 * client a context keeps tickets with what the peer had proved, by peer (tickets.c).
 * 5. A session of datagrams (`dtls`) is of a context of its own, whose domain is the domain's
 *    `datagram` part. Its clock and its timers are dtls.c's: an engine repeats a flight when it is
 *    told to, or when the peer repeats its own.
 * 6. A renegotiation proves everything anew and may not change who the peer is (renegotiate.c).
 *    While one goes on no engine is asked to write or to close.
 */
#ifndef GH_TLS_ENGINE_H
#define GH_TLS_ENGINE_H

#include "tls/domain.h"

/** Alerts we name ourselves (RFC 5246, 7.2; RFC 8446, 6; RFC 4279, 6). */
enum tls_alert {
	TLS_ALERT_CLOSE_NOTIFY = 0,
	TLS_ALERT_UNEXPECTED_MESSAGE = 10,
	TLS_ALERT_BAD_RECORD_MAC = 20,
	TLS_ALERT_HANDSHAKE_FAILURE = 40,
	TLS_ALERT_BAD_CERTIFICATE = 42,
	TLS_ALERT_UNSUPPORTED_CERTIFICATE = 43,
	TLS_ALERT_CERTIFICATE_REVOKED = 44,
	TLS_ALERT_CERTIFICATE_EXPIRED = 45,
	TLS_ALERT_CERTIFICATE_UNKNOWN = 46,
	TLS_ALERT_ILLEGAL_PARAMETER = 47,
	TLS_ALERT_UNKNOWN_CA = 48,
	TLS_ALERT_ACCESS_DENIED = 49,
	TLS_ALERT_DECRYPT_ERROR = 51,
	TLS_ALERT_PROTOCOL_VERSION = 70,
	TLS_ALERT_INTERNAL_ERROR = 80,
	TLS_ALERT_USER_CANCELED = 90,
	TLS_ALERT_NO_RENEGOTIATION = 100,
	TLS_ALERT_UNRECOGNIZED_NAME = 112,
	TLS_ALERT_BAD_STATUS = 113, /**< bad_certificate_status_response (RFC 6066, 9) */
	TLS_ALERT_UNKNOWN_PSK_IDENTITY = 115,
	TLS_ALERT_CERTIFICATE_REQUIRED = 116,
};

#define TLS_IDENTITY_MAX 128   /**< octets of a PSK identity (RFC 4279, 5.3) */
#define TLS_PSK_MAX      64    /**< octets of a PSK (RFC 4279, 5.3) */
#define TLS_RECORD_MAX   16384 /**< octets of clear text in a record (RFC 5246, 6.2.1) */
#define TLS_RECORD_EXTRA 325   /**< at most this much around it: header, IV, MAC, padding */
/** Records after which a TLS 1.3 writer changes its key: less than the 2^24.5 of RFC 8446, 5.5. */
#define TLS_KEY_RECORDS ((uint64_t)1 << 24)

/**
 * One engine. All functions get the session or context with everything common already set, and
 * keep their own objects in `engine`. Results are those of the public calls in tls.h.
 */
struct tls_engine_ops {
	enum tls_engine engine;
	const struct profile_engine_caps *caps;
	/** Microseconds of server CPU for a full handshake, to choose among equals (domain.c). */
	unsigned cost_ecdsa, cost_rsa;
	/** Would a client of this domain offer suites that the domain does not list? NULL = never.
	 */
	bool (*offers_more)(const struct tls_domain *domain);

	/** Make `context->engine`. BASE_CONFIG when the engine refuses the settings. */
	int (*context_new)(struct tls_context *context, struct base_error *err);
	/** Undo; must cope with a half-built or NULL `context->engine`. */
	void (*context_free)(struct tls_context *context);
	/** Sessions made from now on show `identity` (at most once per context, before or after
	 * others were made). */
	int (*context_identity)(struct tls_context *context, struct x509_identity *identity,
	                        struct base_error *err);
	int (*session_new)(struct tls_session *session);
	/** Client, before the first step: offer what tls_tickets_keep() was given. A failure only
	 * means that nothing is offered. */
	void (*offer)(struct tls_session *session, const uint8_t *ticket, size_t len);
	/** Must cope with a half-built or NULL `session->engine`. Writes nothing. */
	void (*session_free)(struct tls_session *session);
	/**
	 * As tls_session_handshake. On success has set version, suite, resumed, and psk where one
	 * was used (tls_session_psk_used), and `secured`. Frees what only the handshake needed.
	 */
	int (*handshake)(struct tls_session *session);
	/**
	 * As tls_session_read; `cap` > 0. Counts records_in. Where tls_renegotiation_due() says so
	 * takes part in a renegotiation: _begin() before anything is judged, _finish() at its end.
	 */
	int (*read)(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
	/** As tls_session_write; `len` > 0. Counts records_out. */
	int (*write)(struct tls_session *session, const uint8_t *clear, size_t len);
	/** Append close_notify; called once at most. */
	int (*close)(struct tls_session *session);
	/** Append what begins a renegotiation: HelloRequest or ClientHello, in TLS 1.3 a KeyUpdate
	 * that asks for the peer's. As client _begin() was called before. */
	int (*again)(struct tls_session *session);
	/**
	 * Append a fatal alert, `alert` where the engine lets us choose.
	 * @return the alert really sent, -1 when none could be
	 */
	int (*abort)(struct tls_session *session, uint8_t alert);
	/** Client up to TLS 1.2: the id the server gave, unless a ticket does its work. @return its
	 * length, 0 = none */
	size_t (*id)(const struct tls_session *session, uint8_t ret[TLS_ID_MAX]);
	/** As tls_session_export; `context` NULL = none. */
	int (*extract)(struct tls_session *session, const char *label,
	               const struct base_str *context, uint8_t *out, size_t len);

	/* Datagrams. There handshake() sets `dtls->moved` where the handshake got further, and
	 * read() gives one record. */

	/** Send the last flight again. @return as handshake: it may turn out to be complete */
	int (*repeat)(struct tls_session *session);
	/** From now on datagrams are of at most so many octets. */
	void (*set_mtu)(struct tls_session *session, uint16_t mtu);
	/** Octets of data that one datagram of `dtls->mtu` takes. */
	size_t (*room)(const struct tls_session *session);
	/** The SRTP profile agreed on, 0 = none. */
	uint16_t (*srtp)(const struct tls_session *session);
	/** SRTP profiles it can agree on. */
	struct profile_codes srtp_profiles;
	bool srtp_resumes; /**< sessions with use_srtp may be resumed */
	bool requests;     /**< a server can ask for a renegotiation of datagrams */
};

const struct tls_engine_ops *tls_openssl_ops(void);
/** NULL where it was not built. */
const struct tls_engine_ops *tls_gnutls_ops(void);

struct tls_context {
	struct tls_domain *domain;
	const struct tls_engine_ops *ops;
	bool has_identity;
	unsigned sessions; /**< alive */
	void *engine;
	struct tls_context *client;   /**< for client sessions, where another engine runs them; made
	                                 when first wanted */
	struct tls_context *datagram; /**< for datagram sessions; made when first wanted */
	struct base_node tickets;     /**< of servers, struct tls_ticket, the newest last */
	struct base_map ticket_of;    /**< the same by `peer` */
	size_t ticket_count;
};

/** What a renegotiation must not change; there only while one goes on. */
struct tls_before {
	struct trust_verdict *verdict; /**< NULL where nobody asked */
	char *psk_identity;            /**< NULL when none */
	uint16_t suite;
	bool psk, resumed;
	uint8_t id_len; /**< of the id it was remembered by; 0 = none */
	uint8_t id[TLS_ID_MAX];
	struct tls_marks marks;
};

struct tls_session {
	struct tls_context *context;
	struct tls_dtls *dtls; /**< NULL: not of datagrams */
	void *engine;
	struct tls_io *io;     /**< lent for the call, else NULL */
	struct tls_hand *hand; /**< NULL when the stream brought nothing, and after the handshake */
	struct trust_verdict *verdict;   /**< NULL when none was asked for */
	struct trust_standing *standing; /**< of the verdict; NULL = not on a path */
	char *psk_identity;              /**< NULL when none; printable copy */
	char *sip_domains;               /**< of the certificate that was judged, where asked */
	char *failure;                   /**< NULL when nothing failed */
	int rc;                          /**< the failure that ended it, 0 = none */
	int16_t alert;                   /**< -1 none */
	uint8_t side;                    /**< enum tls_side, of `alert` */
	uint8_t role;                    /**< enum tls_role */
	uint16_t version, suite;         /**< on the wire; 0 before */
	bool established, resumed, psk;
	bool begun;              /**< the first step was made */
	bool judged;             /**< the peer was, in the handshake that goes on or was the last */
	bool secured;            /**< the peer knows RFC 5746 */
	bool once;               /**< as the stream says */
	bool accepts, initiates; /**< a renegotiation, as stream, domain and profile have it */
	bool prints_later;       /**< likewise */
	bool unproved;           /**< its certificate was let through for that: prints.c */
	struct tls_prints *prints; /**< instead of those of `hand`; NULL = none came later */
	char *shown; /**< DER of the peer's own certificate, where a fingerprint may prove it, or
	                NULL */
	size_t shown_len;
	bool renegotiable;       /**< the peer may begin one: renegotiate.c */
	bool orderable;          /**< we may */
	uint8_t wish;            /**< enum tls_wish */
	bool later;              /**< OpenSSL: ours begins when a record that has begun is whole */
	bool renegotiating;      /**< one goes on; stays when it fails */
	uint8_t credit;          /**< renegotiations it may begin now */
	uint64_t credit_ms;      /**< when the last one was given back */
	uint32_t renegotiations; /**< completed */
	uint32_t key_updates;    /**< asked for */
	bool keys_due;           /**< the peer's, since the last of them */
	uint32_t bound_again, bound_keys; /**< those that `binding` is of */
	uint8_t binding_len;              /**< 0 = not asked for yet */
	uint8_t binding[TLS_BINDING_MAX];
	struct tls_before before;
	struct tls_wait *wait;     /**< NULL: it never waited; gone after the handshake */
	struct base_str staple;    /**< lent for tls_session_judge(): the peer's OCSP response */
	bool may_wait;             /**< as the stream says */
	struct tls_resume *resume; /**< NULL: a server, or a client that may not resume */
	bool authorities;          /**< trusted_ca_keys was of use in the choice */
	bool named;                /**< server_name was */
	bool has_called;           /**< `called` says something */
	bool psk_tried; /**< server: a key was given for the client's PSK identity, known or not */
	bool psk_unknown; /**< server of TLS 1.3, OpenSSL: the identity was not, and that is told */
	bool psk_refuse; /**< server of TLS 1.3: it has a certificate, and is not to go on with that
	                  */
	bool psk_rests;  /**< server of TLS 1.3: what is resumed was proved by an external PSK */
	bool tickets;    /**< may give tickets as server, keep them as client */
	bool ids;        /**< server: may be remembered by its id, up to TLS 1.2 */
	bool rests;      /**< server: what is to be resumed was judged, and let in */
	uint8_t id_len;  /**< of `id`; 0 = it is not remembered */
	uint8_t id[TLS_ID_MAX];
	uint8_t called[TLS_CALLED]; /**< server: by what server_name; see tls_session_call() */
	uint32_t ticket_serial;     /**< of the key its ticket was under; 0 = it had none */
	struct tls_marks marks;     /**< server: what its tickets are known by */
	bool extms;          /**< OpenSSL client: the ServerHello had extended_master_secret */
	uint8_t asked;       /**< renegotiations that were refused (tls_session_asks) */
	bool closed_in;      /**< the peer's close_notify was read */
	bool closed_out;     /**< ours was written */
	uint16_t record_max; /**< OpenSSL: octets of clear text in a record that we write */
	uint64_t records_in, records_out;
};

/** Is it time for new keys before more is written (RFC 8446, 5.5)? */
static inline bool tls_session_key_due(const struct tls_session *session, size_t records)
{
	return session->version == 0x0304 &&
	       session->records_out / TLS_KEY_RECORDS !=
	               (session->records_out + records) / TLS_KEY_RECORDS;
}

/**
 * The context that sessions of this role are made of: `context` itself, or where a domain's clients
 * run on another engine the one behind it. @return 0, BASE_LOCAL or BASE_CONFIG
 */
int tls_context_role(struct tls_context *context, enum tls_role role, struct tls_context **ret,
                     struct base_error *err);
/** The context that sessions of datagrams are made of. */
int tls_context_datagram(struct tls_context *context, struct tls_context **ret);
/** An identity made on demand, after the context was, is shown from the next session on. */
int tls_context_identity(struct tls_context *context, struct base_error *err);

/* -- what engines call ---------------------------------------------------------------------- */

static inline const struct profile_settings *tls_settings(const struct tls_session *session)
{
	return session->context->domain->settings;
}

/**
 * Judge the peer's chain as domain and stream ask; keeps the verdict for tls_session_info.
 * Call it when the peer's Certificate message came (also an empty one, count 0); session.c calls
 * it itself after a handshake in which the peer never got that far.
 * `session->staple` is looked at, too.
 * @return 0 = go on, BASE_PEER with the alert to send, BASE_LOCAL; BASE_AGAIN = a CRL is waited
 * for: judge again when tls_session_waits() says no more
 */
int tls_session_judge(struct tls_session *session, const struct base_str *chain, size_t count);

/** Are certificates of our peer of any interest: does a server ask for one, does a client look? */
bool tls_session_judges(const struct tls_session *session);

/** Does a client without a certificate end the handshake (certificate_required)? */
bool tls_session_requires(const struct tls_session *session);

/**
 * Keep why the session ends; the first reason stays. `alert` -1 = none.
 * @return the result to hand back: BASE_PEER with the alert, or BASE_LOCAL when `side` is NONE
 */
int tls_session_fail(struct tls_session *session, int alert, enum tls_side side, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

/** What a step came to: a failure stays the session's. @return `rc`, or the first failure */
int tls_session_ended(struct tls_session *session, int rc);

/**
 * The peer wishes to renegotiate, and is refused by a warning: the session goes on (RFC 5246,
 * 7.2.2). @return whether it has asked too often: a client twice, a server that reminds us a few
 * times more. Then the session is to be ended.
 */
bool tls_session_asks(struct tls_session *session);

/** What domain and stream ask of the peer's certificate. */
struct trust_question tls_session_question(const struct tls_session *session);

/** Is this code point among them? Pure. */
bool tls_caps_have(const struct profile_codes *codes, uint16_t code);

#endif
