/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * TLS as a filter between bytes: no sockets, no clocks, no threads in here. A domain says what is
 * allowed, a context holds one engine's settings for one worker, a session is one TLS endpoint.
 * Two engines, OpenSSL and GnuTLS, stand behind these calls; callers never learn which.
 */
#ifndef GH_TLS_H
#define GH_TLS_H

#include "base/base.h"
#include "profile/profile.h"
#include "tls/dtls.h"
#include "trust/trust.h"
#include "x509/x509.h"

enum tls_engine { TLS_ENGINE_AUTO, TLS_ENGINE_OPENSSL, TLS_ENGINE_GNUTLS };
enum tls_role { TLS_ROLE_CLIENT, TLS_ROLE_SERVER };

/** "auto", "openssl", "gnutls"; pure. */
const char *tls_engine_name(enum tls_engine engine);

/** One pre-shared key (RFC 4279). The identity is at most 128 octets (RFC 4279, 5.3). */
struct tls_psk {
	struct base_str identity;
	struct base_secret key; /**< 1 to 64 octets (RFC 4279, 5.3) */
};

/** What a server asks of a client's certificate (H.248.TLSPROF 8.3.1). */
enum tls_client_auth { TLS_CLIENT_AUTH_NONE, TLS_CLIENT_AUTH_REQUEST, TLS_CLIENT_AUTH_REQUIRE };

/** What becomes of a session that is up when its peer's certificate is revoked. */
enum tls_on_revocation {
	TLS_REVOKED_END,    /**< close_notify, at once */
	TLS_REVOKED_GRACE,  /**< the same after a time, unless the revocation is taken back */
	TLS_REVOKED_REPORT, /**< it is told, and goes on */
};
/** "end", "grace", "report"; pure. */
const char *tls_on_revocation_name(enum tls_on_revocation action);

/** An OCSP response about one of our certificates (RFC 6066, 8), found good by trust_staple_own().
 * A server's alone: as client we send none. */
struct tls_staple {
	struct base_str der; /**< len 0 = none */
	int64_t until_s;     /**< UNIX time from which on it is not sent any more */
};

/** Everything a domain is made of. Borrowed for the call; tls_domain_new copies or references. */
/** TrustedAuthority (RFC 6066, 6). */
enum tls_authority_kind {
	TLS_AUTHORITY_AGREED,    /**< pre_agreed: nothing is said */
	TLS_AUTHORITY_KEY_HASH,  /**< SHA-1 of the authority's key */
	TLS_AUTHORITY_NAME,      /**< DER of its distinguished name */
	TLS_AUTHORITY_CERT_HASH, /**< SHA-1 of its certificate */
};

struct tls_domain_spec {
	const char *name;
	const struct profile *profile;  /**< outlives the domain */
	enum tls_engine engine;         /**< AUTO = the one that meets the profile's "shall"s */
	struct x509_identity *identity; /**< NULL: none (PSK or anonymous client) */
	struct trust_store *trust;      /**< NULL: no anchors */
	unsigned
	        server_methods; /**< enum trust_method: how we, as client, check servers; 0 = not */
	unsigned client_methods; /**< how we, as server, check clients */
	enum tls_client_auth client_auth;
	unsigned continue_on;       /**< bits 1 << enum trust_reason that do not end the session */
	const struct tls_psk *psks; /**< the domain's own; a stream may bring more */
	size_t psk_count;
	const char *psk_hint; /**< ServerKeyExchange hint (RFC 4279, 2); NULL = none */
	enum tls_on_revocation on_revocation; /**< REPORT where `continue_on` has revoked */
	uint32_t grace_ms;                    /**< of GRACE */
	bool null_encryption; /**< configured use of NULL suites, where the profile lets it */
	/**
	 * The domain whose place it takes, or NULL. Where nothing has changed that decides about
	 * peers (name, profile, engine, methods, own certificate, anchors, keys) it goes on with
	 * that one's ticket keys; else it begins with new ones, and nobody resumes.
	 */
	const struct tls_domain *before;
	/** More certificates beside `identity`; a server shows the one that the client's
	 * server_name and trusted_ca_keys ask for (RFC 6066, 3 and 6), `identity` where they ask
	 * for none. */
	struct x509_identity *const *more;
	size_t more_count;
	/** What to send to clients that ask (status_request): of `identity`, then of each of
	 * `more`. NULL = nothing. */
	const struct tls_staple *staples;
	/** A server_name that none of the certificates proves: unrecognized_name ends the handshake
	 * (RFC 6066, 3), else it goes on with `identity`. */
	bool refuse_unknown_name;
	/** Client: octets of clear text a record may have, 512, 1024, 2048 or 4096 (RFC 6066, 4); 0
	 * = the 2^14 of the RFCs. Servers do what clients ask for. */
	uint16_t max_fragment;
	/** Who may begin a renegotiation, client or server; and whether peers without RFC 5746 are
	 * let in. Within what the profile lets. */
	enum profile_choice by_client, by_server, legacy_peers;
	bool end_ignored; /**< a client that ignores our HelloRequest is shown out */
	/** Server of TLS 1.3 with a certificate: a client whose PSK identity nobody knows is
	 * refused; else it is shown the certificate (RFC 8446, 4.2.11). */
	bool refuse_unknown_psk;
	/** Client: peers whose tickets a context keeps at a time; 0 = 64. */
	size_t client_tickets;
	/** Client: how servers are told which anchors it trusts; AGREED = not at all. In TLS 1.3
	 * their names are (RFC 8446, 4.2.4). */
	enum tls_authority_kind tell_authorities;
	/**
	 * Unsafe: called with each session's secrets, a line in the form that Wireshark reads
	 * (NSS key log: "CLIENT_RANDOM ..."), so that others can decrypt it. For tests and
	 * demonstrations. NULL = never.
	 */
	void (*unsafe_key_log)(void *arg, const char *line);
	void *unsafe_key_log_arg;
};
/** `identity` and `more` together. */
#define TLS_CERTIFICATES_MAX 16

/** Immutable after tls_domain_new; reference counted; read by any thread. */
struct tls_domain;

/**
 * Compile a domain: profile to engine settings, engine chosen, gaps found.
 * @return 0, or BASE_CONFIG when nothing usable is left (the text says by which clause).
 */
int tls_domain_new(struct tls_domain **ret, const struct tls_domain_spec *spec,
                   struct base_error *err);
struct tls_domain *tls_domain_ref(struct tls_domain *domain);
void tls_domain_unref(struct tls_domain *domain);
/**
 * Has anybody besides the caller a reference? When not, and nobody can get one from the caller, it
 * stays so: what the domain stands on may go together with it.
 */
bool tls_domain_shared(const struct tls_domain *domain);
const char *tls_domain_name(const struct tls_domain *domain);
const struct profile *tls_domain_profile(const struct tls_domain *domain);
/** What the profile compiled to; lives as long as the domain. */
const struct profile_settings *tls_domain_settings(const struct tls_domain *domain);
/** The engine that runs it; never AUTO. */
enum tls_engine tls_domain_engine(const struct tls_domain *domain);
/**
 * The one that runs its client sessions. With AUTO it may be another: GnuTLS would offer servers
 * suites that the domain does not list (docs/tls.md).
 */
enum tls_engine tls_domain_client_engine(const struct tls_domain *domain);
/** Code points in order of precedence as really offered (RFC 5246 and RFC 8446 suites). */
const uint16_t *tls_domain_suites(const struct tls_domain *domain, size_t *ret_count);
void tls_domain_versions(const struct tls_domain *domain, uint16_t *ret_min, uint16_t *ret_max);

/** A requirement of the profile that the chosen engine cannot meet; told, never dropped. */
struct tls_gap {
	const struct profile_rule *rule; /**< NULL: the domain's own choice */
	enum profile_strength strength;
	char text[240]; /**< with document, clause and the rule's id */
};
const struct tls_gap *tls_domain_gaps(const struct tls_domain *domain, size_t *ret_count);

/** Who is let in; NULL = no store. Borrowed from the domain. */
struct trust_store *tls_domain_trust(const struct tls_domain *domain);
/** *ret_grace_ms is 0 but for GRACE. */
enum tls_on_revocation tls_domain_on_revocation(const struct tls_domain *domain,
                                                uint32_t *ret_grace_ms);

/** Octets of what a ticket key is derived from. */
#define TLS_TICKET_SECRET 32
/**
 * Turn the ticket keys: a new one when it is time, the old ones wiped when they are dead. One
 * thread at a time; all workers follow at once. `now_ms` is the clock of struct tls_io. Without a
 * first turn the first key is for ever.
 * Wipes sessions that are remembered by their id
 * and too old, too. @return after how many ms to come again; 0 = nothing is to be turned
 */
uint64_t tls_domain_tickets_turn(struct tls_domain *domain, uint64_t now_ms);
/** Of this part of its life a ticket key is the one that tickets are given under. */
#define TLS_TICKET_TURNS 4
/**
 * A key that others have, too; preferred to own ones while its turn lasts, from `from_ms` on (may
 * be over, before the clock began, or to come). TLS_TICKET_SECRET octets. One that is there already
 * changes nothing. @return 0 or BASE_LOCAL
 */
int tls_domain_tickets_put(struct tls_domain *domain, const uint8_t *secret, int64_t from_ms,
                           uint64_t now_ms);
/**
 * With whom it may have keys in common: SHA-256 of all that decides about peers, but for what each
 * gateway has of its own, engine and certificate. Domains of one scope ask the same of a peer.
 */
void tls_domain_tickets_scope(const struct tls_domain *domain, uint8_t ret[32]);
/** How long a ticket, and all that goes back to the same full handshake, is good for; 0 = none. */
uint32_t tls_domain_tickets_life_s(const struct tls_domain *domain);
/** What becomes of a session whose client ignores our HelloRequest (RFC 5246, 7.4.1.1). */
bool tls_domain_ends_ignored(const struct tls_domain *domain);
/** PROFILE_TLS_* bits that are really offered: no version without a suite, none the engine lacks.
 */
unsigned tls_domain_version_bits(const struct tls_domain *domain);
/** Until when (UNIX time) its certificate number `i` has a staple to send; 0 = it has none at all.
 * @return false = there is no such certificate, or none of them was ever to have one */
bool tls_domain_staple_until(const struct tls_domain *domain, size_t i, int64_t *ret_until_s);
/** Are there sessions of its own that can be resumed, by ticket or by session id? */
bool tls_domain_resumes(const struct tls_domain *domain);
/** Can its sessions of datagrams agree on that SRTP profile (enum tls_srtp), in that role? */
bool tls_domain_srtp(const struct tls_domain *domain, enum tls_role role, uint16_t profile);
/** Who may begin a renegotiation that RFC 5746 secures: bits 1 << enum tls_role, of the beginner.
 * 0 where no version has any. */
unsigned tls_domain_renegotiation(const struct tls_domain *domain);

/**
 * The fingerprint of the domain's own certificate, in the hash its profile names. A domain without
 * an identity makes a self-signed certificate on first demand (call it on the control thread).
 */
int tls_domain_fingerprint(struct tls_domain *domain, struct x509_fingerprint *ret);

/** One engine's objects for one worker and one domain: SSL_CTX or credentials. Not thread safe. */
struct tls_context;
int tls_context_new(struct tls_context **ret, struct tls_domain *domain, struct base_error *err);
/** Sessions made from it must be gone. */
void tls_context_free(struct tls_context *context);

/**
 * Renegotiation (up to TLS 1.2, secured by RFC 5746) as one stream says, beyond its domain's
 * setting and within the profile (H.248.TLSPROF 7-5): are the peer's taken up, may we begin one?
 */
enum tls_renegotiate {
	TLS_RENEGOTIATE_DOMAIN, /**< nothing is said */
	TLS_RENEGOTIATE_REFUSE, /**< neither */
	TLS_RENEGOTIATE_ACCEPT,
	TLS_RENEGOTIATE_INITIATE,
	TLS_RENEGOTIATE_BOTH,
};
/** The rule of the profile that is against it for sessions of this role; NULL = none is. */
const struct profile_rule *tls_domain_renegotiate_rule(const struct tls_domain *domain,
                                                       enum tls_role role,
                                                       enum tls_renegotiate what);

/** What one stream adds to its domain. Copied by tls_session_new. */
struct tls_session_spec {
	enum tls_role role;
	const struct x509_fingerprint *fingerprints; /**< of the peer, from the controller */
	size_t fingerprint_count;
	const struct tls_psk *psks; /**< bound to this stream alone; wiped with it */
	size_t psk_count;
	const char *psk_hint;    /**< replaces the domain's, for the server role */
	const char *server_name; /**< SNI to send as client; NULL = none */
	const char *peer_name;   /**< the name its certificate must prove, as in struct
	                              trust_question; NULL = any */
	/** Client: who the peer is, for resumption (its address): tickets of one are never shown
	 * to another. NULL = this session neither keeps nor offers tickets. */
	const char *resume_key;
	/** A CRL that is missing and whose address a certificate tells may be waited for: see
	 * tls_session_waits(). false: that refuses the peer at once. */
	bool may_wait;
	bool once; /**< nobody may renegotiate, whatever the profile says */
	enum tls_renegotiate renegotiate;
	/** A certificate that only a fingerprint could prove is let through the handshake: whose it
	 * is is said later (RFC 5763, 6.2), see tls_session_unproved(). Such a session resumes none
	 * and is not resumed. */
	bool prints_later;
	const struct tls_datagram_spec *datagram; /**< DTLS (dtls.h); NULL = TLS */
};

/** One TLS endpoint. Lives on one worker. */
struct tls_session;

int tls_session_new(struct tls_session **ret, struct tls_context *context,
                    const struct tls_session_spec *spec);
/** NULL is fine. Wipes the stream's keys. */
void tls_session_free(struct tls_session *session);

/**
 * The bytes of one step, lent to the session for the call (of a datagram session: dtls.h). A
 * session keeps what it needs of `in` (part of a record) and advances `in`; it appends what must be
 * sent to `out`. Share one pair of buffers per worker; nobody holds them while idle. There is no
 * clock in here, so the caller lends one: it ages tickets and gives back the right to renegotiate.
 */
struct tls_io {
	struct base_reader in;   /**< ciphertext received */
	struct base_writer *out; /**< ciphertext to send */
	uint64_t now_ms;         /**< any clock that only goes forward; all 0 = time stands still */
};

/**
 * Carry the handshake on.
 * @return 0 when it is complete (then see tls_session_info), BASE_AGAIN when more input is needed,
 *         BASE_PEER (detail: alert number) or BASE_LOCAL when it failed. On failure `io->out` may
 *         hold an alert to send first, and tls_session_info tells which side said what.
 */
int tls_session_handshake(struct tls_session *session, struct tls_io *io);

/**
 * Does the handshake wait for a CRL to be in the trust store's cache? Then tls_session_handshake()
 * says BASE_AGAIN and takes nothing (what it left in `io->in` is the caller's to keep), until
 * tls_session_arrived(). Never once it is established.
 * @return its address: printable ASCII without blanks; borrowed. NULL = it does not
 */
const char *tls_session_waits(const struct tls_session *session);
/**
 * The wait is over. The next tls_session_handshake() judges the peer again; where that leads to
 * another address it waits anew, unless `last`.
 * @param why  NULL: the cache has been refreshed. Else why nothing came, for the verdict's text
 */
void tls_session_arrived(struct tls_session *session, const char *why, bool last);

/** Is the peer's certificate still to be proved (`prints_later`)? Then nothing that the peer sends
 * may be passed on, and nothing sent to it. */
bool tls_session_unproved(const struct tls_session *session);
/**
 * The peer's fingerprints have come, or are others now; copied. Before its certificate is judged
 * they take the place of those of the spec; afterwards it is held against them at once, and the
 * verdict of tls_session_info() is the one by them. None, a peer that a PSK proved, and a domain
 * that does not ask for fingerprints: changes nothing.
 * @return 0; BASE_PEER (detail: the alert that the caller may end it with) where the certificate
 *         matches none; BASE_LOCAL
 */
int tls_session_prints(struct tls_session *session, const struct x509_fingerprint *fingerprints,
                       size_t count);

/**
 * Decrypt. Fills `clear` from as many records as are complete. Whole records for which `clear` has
 * no room may stay in `io->in`: call again with the same `io`. So call until it gives no data; an
 * end or a failure is told only after all data that came before it. A clear buffer of
 * 16 KiB + 512 or more is the fast one: records are then decrypted straight into it.
 * @return 0 with *ret_len > 0; BASE_AGAIN with *ret_len == 0 when no whole record is left; 0 with
 *         *ret_len == 0 after the peer's close_notify (half-close: writing goes on); an error as
 *         above otherwise.
 */
int tls_session_read(struct tls_session *session, struct tls_io *io, uint8_t *clear, size_t cap,
                     size_t *ret_len);

/**
 * Encrypt all of `clear` into io->out. @return 0, or BASE_LOCAL / BASE_PEER; BASE_AGAIN while a
 * renegotiation goes on (tls_session_renegotiating): nothing was taken, come back after it.
 */
int tls_session_write(struct tls_session *session, struct tls_io *io, const uint8_t *clear,
                      size_t len);

/**
 * Say close_notify (RFC 5246, 7.2.1). Reading goes on until the peer's. Idempotent. BASE_AGAIN
 * while a renegotiation goes on: nothing was said, come back after it.
 */
int tls_session_close(struct tls_session *session, struct tls_io *io);

/**
 * Is a renegotiation going on (RFC 5246, 7.4.1.1)? tls_session_read carries it on, whoever has
 * begun it; until it is done nothing can be written. It fails as a handshake does: the read says
 * so.
 * @param ret_count  how many were completed so far; NULL is fine
 */
bool tls_session_renegotiating(const struct tls_session *session, uint32_t *ret_count);

/** What becomes of our own wish to renegotiate. */
enum tls_again {
	TLS_AGAIN_BEGUN,     /**< a client: it goes on; a server: the peer has been asked */
	TLS_AGAIN_KEYS,      /**< TLS 1.3: both sides' keys change instead, nothing is proved */
	TLS_AGAIN_BUSY,      /**< one goes on, or the peer has not answered the last request */
	TLS_AGAIN_CLOSED,    /**< there is no session, or it ends */
	TLS_AGAIN_FORBIDDEN, /**< by profile, domain or stream */
	TLS_AGAIN_UNSECURED, /**< the peer does not know RFC 5746 */
	TLS_AGAIN_REFUSED,   /**< one was refused before, by the peer or by us */
	TLS_AGAIN_UNABLE,    /**< the engine cannot: GnuTLS as a server of DTLS */
	TLS_AGAIN_TOO_OFTEN, /**< the limit is reached, which is the peer's too */
};
/** One sentence with its clause; pure. */
const char *tls_again_text(enum tls_again again);

/**
 * Renegotiate by our own wish: as server HelloRequest, as client ClientHello, in TLS 1.3 a
 * KeyUpdate that asks for the peer's (RFC 8446, 4.6.3). Takes nothing of `io->in`. A server goes on
 * as before, also writing, until the client begins: see tls_session_wish().
 * @return 0 with the answer in *ret; BASE_PEER or BASE_LOCAL when the session has failed
 */
int tls_session_renegotiate(struct tls_session *session, struct tls_io *io, enum tls_again *ret);

/** What a HelloRequest or ClientHello of ours has come to. */
enum tls_wish {
	TLS_WISH_NONE,    /**< there was none, or it was done */
	TLS_WISH_OPEN,    /**< a server's that the client has not answered */
	TLS_WISH_REFUSED, /**< no_renegotiation: the session goes on (RFC 5246, 7.2.2) */
};
enum tls_wish tls_session_wish(const struct tls_session *session);
/**
 * TLS 1.3: have we asked for new keys of the peer's that have not come? It has to send them before
 * its next data once it has read our KeyUpdate (RFC 8446, 4.6.3), and needs to send none before.
 */
bool tls_session_keys_due(const struct tls_session *session);

#define TLS_BINDING_MAX 32
/**
 * What stands for the session as it is now, for who binds something to it (TS 33.203, O.2.2; RFC
 * 5626 flows). Up to TLS 1.2: the session id, where the server remembers the session by one. Else
 * (tickets, TLS 1.3) a value of the exporter under a label of ours (P), in TLS 1.3 with the number
 * of KeyUpdates that we have asked for as context; so another one after each renegotiation, and
 * after each tls_session_renegotiate() of TLS 1.3. No secret. A session that is resumed by its id
 * keeps it: whoever binds asks for the connection, too.
 *
 * @param ret      gets at most TLS_BINDING_MAX octets
 * @return 0; BASE_AGAIN in the midst of a renegotiation, where it was not asked for before;
 *         BASE_BUG when the session is not established; BASE_LOCAL
 */
int tls_session_binding(struct tls_session *session, uint8_t ret[TLS_BINDING_MAX], size_t *ret_len);

/**
 * Nobody resumes this session here: what is remembered of it is wiped, and tickets that go back to
 * its full handshake are refused, by all workers of the domain. The session itself goes on. Others
 * of a pool are not told. Of a GnuTLS server's tickets those are refused that the session came by
 * and that it has given.
 * @param now_ms  the clock of struct tls_io
 * @return false: memory is short, or it is not known whether its client has a ticket; one would be
 *         good for tls_domain_tickets_life_s() at most
 */
bool tls_session_forget(struct tls_session *session, uint64_t now_ms);

/**
 * Abort with a fatal alert appended to `io->out`. `alert` is what we ask for; tls_session_info
 * tells which was sent: OpenSSL chooses its own but before the first answer and as a server of TLS
 * 1.3 (docs/tls.md).
 */
void tls_session_abort(struct tls_session *session, struct tls_io *io, uint8_t alert);

/**
 * What the peer rests on, to be held against CRLs that come later; NULL where no path authenticated
 * it (fingerprint, PSK, nobody asked). There from the judgement on, so in the handshake too; of a
 * resumed session that of the one it resumes. Borrowed.
 */
const struct trust_standing *tls_session_standing(const struct tls_session *session);
/** It is to end for that reason: from now on tls_session_info tells `text`, and TRUST_REVOKED. */
void tls_session_condemn(struct tls_session *session, const char *text);

/** `peer_name` with "sip:": the SIP domains that its certificate has proven (RFC 5922, 7.1), blanks
 * between, borrowed. NULL: none, no path has proven it, or the session is resumed. */
const char *tls_session_sip_domains(const struct tls_session *session);

enum tls_side { TLS_SIDE_NONE, TLS_SIDE_LOCAL, TLS_SIDE_REMOTE };

/** The session as log, Notify and audit want it. Strings live as long as the session. */
struct tls_info {
	bool established;
	bool resumed;
	uint16_t version;         /**< 0x0301 to 0x0304, DTLS 0xfeff and 0xfefd; 0 before */
	const char *version_name; /**< "TLS1.2", "DTLS1.2" */
	uint16_t suite;           /**< IANA code point, 0 before */
	const char *suite_name;   /**< IANA name */
	bool psk;                 /**< authenticated by a pre-shared key */
	const char *psk_identity; /**< NULL when none */
	bool has_verdict;
	struct trust_verdict verdict;
	int alert; /**< the alert that ended it, -1 none; close_notify (0): who said it first */
	enum tls_side alert_side;         /**< who sent it */
	const char *failure;              /**< one sentence, "" when nothing failed */
	uint64_t records_in, records_out; /**< application data records */
	uint32_t renegotiations;          /**< completed; what is above is then the last one's */
	bool renegotiating;               /**< one goes on, or was what failed */
	bool secured;              /**< the peer knows RFC 5746; TLS 1.3 needs no such thing */
	bool peer_may_renegotiate; /**< it may begin a renegotiation as things are (up to TLS 1.2)
	                            */
	bool we_may_renegotiate;   /**< in TLS 1.3 a KeyUpdate takes its place */
	bool cannot_renegotiate;   /**< we might, were it not for the engine: TLS_AGAIN_UNABLE */
	uint32_t key_updates;      /**< that we asked for (tls_session_renegotiate) */
	bool lost;                 /**< DTLS: it ended without a word of the peer */
	uint32_t repeated;         /**< DTLS: flights sent again because time was up */
};
void tls_session_info(const struct tls_session *session, struct tls_info *ret);
/** How the peer proved itself, for log lines: "psk", "psk-failed", "not-asked", "ca",
 * "fingerprint", or the reason why it did not; pure. */
const char *tls_info_auth(const struct tls_info *info);
/** "close_notify", "handshake_failure" ...; pure. */
const char *tls_alert_name(int alert);

/** What an engine can do on this machine, for profile_engine_gaps and audit. */
const struct profile_engine_caps *tls_engine_caps(enum tls_engine engine);

#endif
