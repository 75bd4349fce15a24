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

#include <stdatomic.h>

#include "tls/choose.h"
#include "tls/session_ids.h"
#include "tls/ticket_keys.h"
#include "tls/tls.h"

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

/** All that is decided at start-up. Immutable but for the identity made on demand. */
struct tls_domain {
	atomic_uint refs;
	char *name;
	struct profile_settings *settings; /**< `settings->profile` is the profile */
	const struct tls_engine_ops *ops;
	const struct tls_engine_ops *client_ops;  /**< of its client sessions; mostly `ops` */
	struct trust_store *trust;                /**< may be NULL */
	_Atomic(struct x509_identity *) identity; /**< may be NULL; set once */
	struct tls_certificate *certificates;     /**< the identity first; choose.c */
	size_t certificate_count;                 /**< 0 = nothing to choose */
	struct tls_staple *staples; /**< of the certificates, in that order; NULL = none */
	size_t staple_count;
	bool refuse_unknown_name;
	uint16_t max_fragment; /**< as client; 0 = none asked for */
	struct base_str told;  /**< as client: body of trusted_ca_keys; len 0 = it is not sent */
	struct base_str told_names; /**< the same of certificate_authorities */
	unsigned server_methods, client_methods, continue_on;
	enum tls_on_revocation on_revocation;
	uint32_t grace_ms;
	size_t client_tickets;            /**< of one context */
	enum tls_client_auth client_auth; /**< as it is done: methods and profile considered */
	struct tls_psk *psks;
	size_t psk_count;
	char *psk_hint;
	unsigned versions; /**< PROFILE_TLS_* bits that are offered */
	uint16_t *suites;  /**< what is offered, in order; TLS 1.3's first */
	size_t suite_count;
	uint32_t lifetime_s; /**< of tickets */
	bool renegotiate[2]; /**< by our role: profile and engine let the peer begin one */
	bool begin[2];       /**< by our role: they let us */
	bool end_ignored;    /**< who ignores a HelloRequest is shown out */
	void (*key_log)(void *arg, const char *line); /**< mostly NULL */
	void *key_log_arg;
	bool refuse_unknown_psk;      /**< TLS 1.3: no certificate in place of an unknown PSK */
	bool tickets;                 /**< as profile and policy say; see session_resumes() */
	struct tls_ticket_ring *ring; /**< of all contexts; perhaps the domain's before it, too */
	struct tls_ids *ids; /**< sessions by id; goes with the ring. NULL = none by profile */
	uint8_t basis[32];  /**< SHA-256 of all that decides about peers, by which a ring is kept */
	uint8_t common[32]; /**< the same without engine and own certificate */
	uint8_t scope[32];  /**< SHA-256 of name and policy, for the session id context */
	struct tls_gap *gaps;
	size_t gap_count;
	uint8_t cookie_key[32]; /**< random; what cookies of DTLS are made with */
	/** What is different for DTLS: versions (as those of TLS they stem from), suites, ticket
	 * keys, what is remembered; the rest is a copy. NULL = no DTLS. */
	struct tls_domain *datagram;
	struct tls_domain *whole; /**< of a `datagram` part: the domain it is of; else NULL */
	struct base_arena arena;  /**< names, PSK structs, suites, gaps */
};

/** Whether, for how long and with what keys sessions resume; those of `spec->before` where nothing
 * that decides about peers has changed (domain_resumption.c). */
int tls_domain_resumption(struct tls_domain *domain, const struct tls_domain_spec *spec,
                          struct base_error *err);
/** Likewise of its `datagram` part; `before`: the whole domain's predecessor, NULL = none.
 * @return 0 or BASE_LOCAL */
int tls_domain_datagram_resumption(struct tls_domain *part, const struct tls_domain *before);
/** Of a domain or its part. */
void tls_domain_resumption_done(struct tls_domain *domain);
/** Does it resume by session ids, too? */
bool tls_domain_ids(const struct tls_domain *domain);

/** The domain that a part is of: it has the references and the identity. */
static inline struct tls_domain *tls_domain_whole(struct tls_domain *domain)
{
	return domain->whole ? domain->whole : domain;
}
/** The number of a version on the wire, of a PROFILE_TLS_ bit of `domain->versions`. */
uint16_t tls_domain_wire(const struct tls_domain *domain, unsigned version);

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

/** A server's ticket, with what that server had proved when it gave its first one. */
struct tls_ticket {
	struct base_node node;           /**< in its context, or alone when offered */
	struct base_map_node by_peer;    /**< likewise */
	uint8_t peer[32];                /**< SHA-256 of all that says who it is */
	uint64_t until_ms;               /**< never offered from then on */
	struct trust_verdict *verdict;   /**< NULL where nobody asked */
	struct trust_standing *standing; /**< what the verdict rests on; NULL = not on a path */
	size_t len;
	uint8_t data[]; /**< the engine's own form; a secret */
};

/** What a client that may resume needs beside its session. */
struct tls_resume {
	uint8_t peer[32];
	uint32_t proof_s;           /**< how long the peer's certificate is good for */
	bool renewed;               /**< the server has given a ticket */
	bool forgotten;             /**< it may give more: nobody wants them */
	struct tls_ticket *offered; /**< taken out of the context; NULL = none */
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

/** What the stream brought and only the handshake needs; one block, wiped and freed after it. */
struct tls_hand {
	size_t size; /**< of the block */
	struct x509_fingerprint *fingerprints;
	size_t fingerprint_count;
	struct tls_psk *psks;
	size_t psk_count;
	char *psk_hint, *server_name, *peer_name; /**< NULL = none */
};

/** A handshake that waits for a CRL (wait.c), or has. */
struct tls_wait {
	char *url[4]; /**< asked for so far, the last one now */
	unsigned count;
	bool pending;  /**< the caller is to get it */
	bool over;     /**< the next judgement is final */
	char why[160]; /**< nothing came; "" */
	/* OpenSSL's: */
	bool deferred; /**< `chain` is to be judged with a staple that comes later */
	bool hold;     /**< what is written goes to `held` */
	bool complete; /**< OpenSSL is through */
	int refused;   /**< the judgement that is to be told when it is; 0 = none */
	struct base_writer held;
	struct base_str chain[16], staple; /**< in `arena` */
	size_t chain_count;                /**< 0 = nothing is to be judged again */
	struct base_arena arena;
};

/** What a session of datagrams knows of its path and its time: dtls.c. */
struct tls_dtls {
	uint16_t mtu;                      /**< octets of UDP payload */
	uint32_t rto_first_ms, rto_max_ms; /**< as the stream says */
	uint32_t patience_ms;
	uint32_t rto_ms; /**< what counts now */
	uint64_t begun_ms, sent_ms, due_ms;
	uint32_t rtt_ms; /**< measured; 0 = not yet */
	uint32_t repeated;
	uint8_t tries; /**< repetitions of this flight */
	bool waiting;  /**< for an answer: due_ms counts */
	bool begun;
	bool moved;       /**< in this step */
	bool goes_on;     /**< this step, or the next, is the first after a wait (wait.c) ... */
	uint64_t wait_ms; /**< ... which began then; no time has passed in it */
	struct base_writer request;   /**< our HelloRequest, until it is answered */
	struct base_writer meanwhile; /**< datagrams that came in it, behind their lengths */
	bool lost;
	bool verified, srtp_required; /**< as the stream says */
	uint64_t sequence;            /**< epoch and number of the last record sent */
	size_t last_at; /**< where in `io->out` the last datagram begins; SIZE_MAX = none */
	void *timer;    /**< OpenSSL's: openssl_dtls.c */
	struct base_writer hello; /**< OpenSSL's: a verified ClientHello in pieces */
	uint16_t srtp[8];         /**< codes to offer or take, 0 = no more */
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

/* -- prints.c ------------------------------------------------------------------------------- */

/** Fingerprints that have come after the session was made. */
struct tls_prints {
	size_t count;
	struct x509_fingerprint print[];
};
/** The peer has shown this chain: keep what fingerprints may be compared with later. */
void tls_prints_shown(struct tls_session *session, const struct base_str *chain, size_t count);
/** The verdict refuses: is the last word to be said later? Then it goes on, unproved. */
bool tls_prints_wait(struct tls_session *session);
void tls_prints_free(struct tls_session *session);

/* -- renegotiate.c -------------------------------------------------------------------------- */

/** A new session: what does its stream say about it, within the profile? Sets `accepts`,
 * `initiates`. */
void tls_renegotiation_say(struct tls_session *session, enum tls_renegotiate what);
/** Up, and allowed to begin one, which its engine cannot. */
bool tls_renegotiation_unable(const struct tls_session *session);
/** A first handshake is done: who may begin another one? Sets `renegotiable`, `orderable`. */
void tls_renegotiation_init(struct tls_session *session);
/** May it begin one now? Always when we have asked for it; else not too often, and never again once
 * it was refused. Within a step. */
bool tls_renegotiation_due(struct tls_session *session);
/** It has begun: puts aside who the peer was. */
void tls_renegotiation_begin(struct tls_session *session);
/**
 * The engine is done; version, suite, resumed and psk are set. Judges a peer that sent nothing to
 * judge, and compares it with who it was. @return 0, or the failure, the alert sent
 */
int tls_renegotiation_finish(struct tls_session *session);
/** TLS 1.3: a KeyUpdate of the peer's has come. */
void tls_renegotiation_keys(struct tls_session *session);
/** The peer said no_renegotiation: if that answers our wish, all is as it was before. */
void tls_renegotiation_denied(struct tls_session *session);
/** The session that was before it is not resumed any more. @return false: some ticket of it is
 * still good, for memory is short */
bool tls_renegotiation_forget(struct tls_session *session, uint64_t now_ms);
/** What a session that ends has put aside. */
void tls_renegotiation_done(struct tls_session *session);

/* -- dtls.c, dtls_domain.c ------------------------------------------------------------------ */

/** Work out what of the domain is for DTLS: `domain->datagram`, or NULL; `before` its predecessor,
 * NULL = none. @return 0 or BASE_LOCAL */
int tls_domain_datagram_new(struct tls_domain *domain, const struct tls_domain *before);
/** Make `session->dtls` of the stream's wishes. @return 0, BASE_CONFIG or BASE_LOCAL */
int tls_dtls_new(struct tls_session *session, const struct tls_datagram_spec *spec);
void tls_dtls_free(struct tls_session *session);
/** Must this session not be resumed, nor be one that is? GnuTLS 3.7 restores what it kept of
 * use_srtp beyond its own memory. False for TLS. */
bool tls_dtls_once(const struct tls_session *session);
/** As the engine's handshake(), with all that depends on time. */
int tls_dtls_handshake(struct tls_session *session);
/** As the engine's read() and again(), with all that depends on time. */
int tls_dtls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
int tls_dtls_again(struct tls_session *session);
/** A datagram has come, or the time, while the handshake waits: it is kept, or lost. */
void tls_dtls_meanwhile(struct tls_session *session, struct tls_io *io);
/** What of a datagram is whole records. */
void tls_dtls_trim(struct base_reader *in);
/** It is complete: is what the stream requires agreed on? If not, the session has failed. */
bool tls_dtls_agreed(struct tls_session *session);
/** Append datagrams behind their lengths, and note their last records. */
void tls_dtls_sent(struct tls_session *session, const void *data, size_t len);
/** Append one datagram to what the engine writes to, and note its last record if it goes out. */
void tls_dtls_put(struct tls_session *session, const void *data, size_t len);
/** The same for a record that may go into the last datagram of this step, if there is room. */
void tls_dtls_add(struct tls_session *session, const void *data, size_t len, size_t mtu);
/** A fatal alert in the clear, while all we sent was; `version` of the record, 0 = not agreed on
 * yet. @return it, -1 = no more or no room */
int tls_dtls_plain_alert(struct tls_session *session, int version, uint8_t alert);

/** Where what an engine writes goes: out, or held back (wait.c). */
static inline struct base_writer *tls_session_out(const struct tls_session *session)
{
	return session->wait && session->wait->hold ? &session->wait->held : session->io->out;
}

/* -- staple.c ------------------------------------------------------------------------------- */

/** Copy what may be stapled. @return 0 or BASE_LOCAL */
int tls_staples_make(struct tls_domain *domain, const struct tls_domain_spec *spec);
/**
 * What to staple to this certificate of the domain at `now_s` (UNIX time): one past its date only
 * does harm. Borrowed from the domain. @return len 0 = nothing
 */
struct base_str tls_staple_find(const struct tls_domain *domain, const X509 *cert, int64_t now_s);

/* -- wait.c --------------------------------------------------------------------------------- */

bool tls_wait_may(const struct tls_session *session);
/** Wait for the first of these that has not been asked for. @return false = for none */
bool tls_wait_begin(struct tls_session *session, char *const *urls);
/** Copy what is to be judged later. @return false when memory is short, or it is too much */
bool tls_wait_keep(struct tls_session *session, const struct base_str *chain, size_t count,
                   struct base_str staple);
/** The verdict refuses: add to its text why nothing was fetched. */
void tls_wait_explain(struct tls_session *session);
void tls_wait_free(struct tls_session *session);

/* -- tickets.c ------------------------------------------------------------------------------ */

/** Make `session->resume` if this client may resume at all. @return 0 or BASE_LOCAL */
int tls_resume_new(struct tls_session *session, const struct tls_session_spec *spec);
/** Give the engine the peer's ticket to offer, if there is one. Before the first step. */
void tls_resume_offer(struct tls_session *session);
/** The handshake is done: a resumed session has the verdict of the one it resumes. */
void tls_resume_finish(struct tls_session *session);
/** A failed session is not resumed (RFC 5246, 7.2.2). */
void tls_resume_forget(struct tls_session *session);
void tls_resume_free(struct tls_session *session);
/**
 * The server gave a ticket. Copies it, in the place of an older one of that peer; when memory is
 * short it is not kept. `hint_s`: how long it is good for, by the server; 0 = it did not say.
 * `resumed`: this handshake was.
 */
void tls_tickets_keep(struct tls_session *session, const void *data, size_t len, uint32_t hint_s,
                      bool resumed);
/** The peer's chain was found good: no ticket outlives its first certificate. */
void tls_resume_proof(struct tls_session *session, const struct base_str *chain, size_t count);
/**
 * Server: a client wants to resume a session whose peer had shown this chain (none: count 0).
 * Judges it as if it had just been shown, but waits for no CRL; `session->verdict` is the
 * outcome's.
 * @return whether it may be resumed; else a full handshake is due, or the end
 */
bool tls_resume_judge(struct tls_session *session, const struct base_str *chain, size_t count);
/** What was judged is not what goes on: forget the verdict. */
void tls_resume_unjudge(struct tls_session *session);
/**
 * Server: remember this session by its id, in the engine's form; or get one so remembered, which
 * the caller ends. Nothing happens where it may not be. Within a step.
 */
void tls_ids_remember(struct tls_session *session, const void *id, size_t id_len, const void *data,
                      size_t len);
bool tls_ids_recall(struct tls_session *session, const void *id, size_t id_len,
                    struct base_secret *ret);
/**
 * Server, at each ClientHello: the name the client asks for, len 0 = none. What is given to be
 * resumed is resumed under that name alone (RFC 6066, 3).
 */
void tls_session_call(struct tls_session *session, struct base_str name);
/** TLS_CALLED octets that say which; NULL = none. */
const uint8_t *tls_session_called(const struct tls_session *session);
/** What the tickets of this session bear, from now on (OpenSSL). NULL = no randomness */
const uint8_t *tls_session_mark(struct tls_session *session);
/** Server: this mark is on what the client shows. @return false = it is barred */
bool tls_session_marked(struct tls_session *session, const uint8_t mark[TLS_MARK]);
/** What a ticket that bears none (GnuTLS) is known by. @return false = no memory */
bool tls_ticket_hash(struct base_str ticket, uint8_t ret[TLS_MARK]);
/** As tls_session_marked() of such a ticket. `given`: by us, so it is not asked. */
bool tls_session_hashed(struct tls_session *session, struct base_str ticket, bool given);
/** Wipe them all. */
void tls_tickets_drop(struct tls_context *context);

/** One sentence for a wrong key and for an identity that nobody knows (RFC 4279, 2). */
#define TLS_PSK_FAILED  "the peer's pre-shared key or its identity is not right"
#define TLS_PSK_UNKNOWN "the PSK identity is not known"

/** The name to send as SNI / hint to send, or NULL. */
const char *tls_session_server_name(const struct tls_session *session);
const char *tls_session_psk_hint(const struct tls_session *session);
/** Is there any PSK: the stream's, or else the domain's? */
bool tls_session_has_psk(const struct tls_session *session);

/**
 * Server: the PSK of an identity, the stream's before the domain's; every entry is compared, in
 * time that does not tell which matched.
 * @return NULL when unknown
 */
const struct tls_psk *tls_psk_find(const struct tls_session *session, const void *identity,
                                   size_t len);
/** Client: the PSK whose identity is the hint, or else the first (RFC 4279, 5.2). NULL = none. */
const struct tls_psk *tls_psk_choose(const struct tls_session *session, const char *hint,
                                     size_t len);
/** Server: is one of these PskIdentities (RFC 8446, 4.2.11) a PSK that it knows? */
bool tls_psk_any_known(const struct tls_session *session, struct base_reader identities);
/** Keep the identity that the handshake used, for tls_session_info. */
void tls_session_psk_used(struct tls_session *session, const void *identity, size_t len);
/** It was offered and not used after all: forget it. */
void tls_session_psk_unused(struct tls_session *session);

/** Is this code point among them? Pure. */
bool tls_caps_have(const struct profile_codes *codes, uint16_t code);

#endif
