/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Private to the GnuTLS engine. Names begin with tls_gnutls_, for gnutls_ is the library's own.
 *
 * GnuTLS takes no list of suites: it offers every product of the key exchanges, ciphers and MACs it
 * is given. A server still does exactly what the domain says, for it reads the ClientHello before
 * GnuTLS does, chooses as the profile wants, and narrows GnuTLS to that one suite
 * (gnutls_hello.c). A client may offer a product that the domain does not list; a server that
 * chooses it is refused.
 */
#ifndef GH_TLS_GNUTLS_ENGINE_H
#define GH_TLS_GNUTLS_ENGINE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <openssl/evp.h>

#include "tls/engine.h"

/** A certificate with its key, in credentials of its own. */
struct tls_gnutls_key {
	struct tls_gnutls_context *gc;
	gnutls_certificate_credentials_t cred;
	struct x509_identity *identity; /**< NULL = none */
	EVP_PKEY_CTX *sign;             /**< set up for `sign_algo`; NULL = not yet */
	gnutls_sign_algorithm_t sign_algo;
	gnutls_pk_algorithm_t pk; /**< of its key; UNKNOWN = none */
};

/** What all sessions of a context share, so that a session parses and builds nothing. */
struct tls_gnutls_context {
	struct tls_context *context;
	struct tls_session *session; /**< being stepped: a context is one thread's */
	struct tls_gnutls_key own;   /**< of the domain's identity, and of clients */
	struct tls_gnutls_key *more; /**< of the domain's certificates from the second on */
	gnutls_psk_server_credentials_t psk_server;
	gnutls_psk_client_credentials_t psk_client;
	gnutls_dh_params_t dh;  /**< for clients that name no group */
	gnutls_priority_t all;  /**< everything the domain offers */
	gnutls_priority_t bare; /**< the same without tickets; made when first wanted */
	/** By index in domain->suites: that one first, without and with finite-field groups; made
	 * when first wanted. */
	gnutls_priority_t (*one)[2];
};

/**
 * Watches the borders of records during a handshake, to catch an alert that comes in the clear
 * where GnuTLS would only take an encrypted one (gnutls_session.c), and data in the midst of a
 * renegotiation (gnutls_again.c).
 */
struct tls_gnutls_watch {
	uint8_t head[7]; /**< of the record that is arriving; an alert's two octets too */
	uint8_t got;     /**< octets of `head` that are there */
	uint16_t left;   /**< octets of the record still to come */
	bool caught;     /**< head holds an alert, kept from GnuTLS */
};

/** One session's own. */
struct tls_gnutls_session {
	gnutls_session_t tls;
	struct tls_gnutls_key *key;             /**< what a server shows */
	gnutls_psk_server_credentials_t hinted; /**< NULL unless the stream brought a hint */
	const char *why;                        /**< a failure in words; NULL = GnuTLS's */
	uint16_t hello_version;                 /**< ClientHello.client_version */
	int16_t alert;            /**< to send for the failure at hand; -1 = GnuTLS's */
	uint64_t seq;             /**< of the next record in, as the last read left it */
	uint64_t empty;           /**< records in a row that brought no data */
	bool shaking;             /**< within gnutls_handshake() of a renegotiation */
	bool kept;                /**< the ticket of TLS 1.3 */
	uint8_t fragment;         /**< the client's max_fragment_length, 0 = none */
	bool limited;             /**< it holds from the ServerHello on */
	bool answers;             /**< server_name, where it was of use */
	struct base_writer first; /**< a ClientHello that is to be read once more */
	bool chosen;              /**< a certificate, of several */
	bool keyed;               /**< server: has a ticket key */
	struct tls_gnutls_watch watch;
	/* Datagrams, gnutls_dtls.c: */
	uint16_t mtu;    /**< as GnuTLS knows it */
	uint64_t flight; /**< the one sent last; 0 = none yet */
	bool fresh;      /**< nothing was sent in this step */
	bool mute;       /**< nothing more is to be */
	bool repeat;     /**< the last flight may go once more */
	bool given;      /**< the step began with a datagram */
	bool dry;        /**< it has asked for a datagram, and there was none */
	bool made;       /**< a message was, in this step */
};

extern const struct profile_engine_caps tls_gnutls_caps;

static inline struct tls_gnutls_context *tls_gnutls_context_of(const struct tls_session *session)
{
	return session->context->engine;
}

/** A failure whose alert and words we choose. @return what a GnuTLS callback hands back */
int tls_gnutls_refuse(struct tls_session *session, int alert, const char *why);

/* gnutls_priority.c */

/** Everything the domain offers, most wanted first. @return GnuTLS's code */
int tls_gnutls_priority_all(const struct tls_domain *domain, gnutls_priority_t *ret);
/** Is there a product of the domain's key exchanges, ciphers and MACs that is not its own? */
bool tls_gnutls_offers_more(const struct tls_domain *domain);
/** The same, and no tickets. @return GnuTLS's code */
int tls_gnutls_priority_bare(const struct tls_domain *domain, gnutls_priority_t *ret);
/**
 * So that GnuTLS chooses this suite of the domain wherever it can, and a finite-field group only if
 * `finite`: of its own it would take that for TLS 1.3, at twenty times the cost, even where the
 * client prefers a curve and the domain too. @return GnuTLS's code
 */
int tls_gnutls_priority_one(const struct tls_domain *domain, uint16_t code, bool finite,
                            gnutls_priority_t *ret);

/* gnutls_hello.c */

/** Hook of every handshake message: reads hellos, and sees that no certificate came. */
int tls_gnutls_hook(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                    const gnutls_datum_t *msg);

/* gnutls_answer.c */

/** Server, a ClientHello was read: see that server_name is answered. @return GnuTLS's code */
int tls_gnutls_name_answer(struct tls_session *session);
/** Client: trusted_ca_keys and certificate_authorities, where the domain has it. @return its code
 */
int tls_gnutls_authorities_tell(struct tls_session *session, struct tls_gnutls_session *gs);
/** Server, before a ClientHello is read. @return GnuTLS's code: INTERRUPTED = it is to be read once
 * more, by tls_gnutls_limit() */
int tls_gnutls_limit_due(struct tls_session *session, const struct tls_hello_view *hello,
                         const gnutls_datum_t *msg);
/** Begin once more with `gs->first`, and the limit. @return what gnutls_handshake() does */
int tls_gnutls_limit(struct tls_session *session, struct tls_gnutls_session *gs);

/* gnutls_ticket.c */

/**
 * Server, at the ClientHello: the ring's key that what it shows is under (the session_ticket
 * extension, or identities of pre_shared_key), else the current one. GnuTLS takes one per session.
 * @return GnuTLS's code
 */
int tls_gnutls_ticket_key(struct tls_session *session, struct base_reader ticket,
                          struct base_reader identities);

/** Server: a NewSessionTicket goes out. */
void tls_gnutls_ticket_given(struct tls_session *session, const gnutls_datum_t *msg);
/** Server: sessions are remembered by their id. */
void tls_gnutls_ids(struct tls_session *session, struct tls_gnutls_session *gs);
/** Server, when the handshake is done: what was resumed rests on a chain that is judged again.
 * GnuTLS asks nobody before it resumes. @return its code */
int tls_gnutls_resumed(struct tls_session *session, struct tls_gnutls_session *gs);
/** Client: is there a session id that says something (RFC 5246, 7.4.1.3)? */
/** As of struct tls_engine_ops. */
size_t tls_gnutls_id(const struct tls_session *session, uint8_t ret[TLS_ID_MAX]);
bool tls_gnutls_has_id(const struct tls_session *session, gnutls_session_t tls);

/* gnutls_key.c */

/** A key whose operations libcrypto does. Borrows `key`. */
int tls_gnutls_key_new(struct tls_gnutls_key *key, gnutls_privkey_t *ret);
/** Kind of a libcrypto key in GnuTLS's words; UNKNOWN when it can do nothing with it. */
gnutls_pk_algorithm_t tls_gnutls_pk(EVP_PKEY *key);

/* gnutls_peer.c */

/** tls_session_judge(), its answer in the words of GnuTLS's callbacks. */
int tls_gnutls_judge(struct tls_session *session, const struct base_str *chain, size_t count);

/** The peer's Certificate message came: what do we think of it? */
int tls_gnutls_verify(gnutls_session_t tls);
int tls_gnutls_psk_server(gnutls_session_t tls, const gnutls_datum_t *identity,
                          gnutls_datum_t *key);
int tls_gnutls_psk_client(gnutls_session_t tls, gnutls_datum_t *identity, gnutls_datum_t *key);

/* gnutls_session.c */

int tls_gnutls_session_new(struct tls_session *session);
/** Ready the session's object for a call. */
struct tls_gnutls_session *tls_gnutls_step(struct tls_session *session);
/** A step failed for good: say so to the peer, and keep which alert, whose, and why. */
int tls_gnutls_failed(struct tls_session *session, struct tls_gnutls_session *gs, int rc);
/** A handshake is complete: version, suite's kind of credential, resumed. */
void tls_gnutls_shaken(struct tls_session *session, gnutls_session_t tls);
/** Not an end: come back with more input, or just go on. */
static inline bool tls_gnutls_again(int rc)
{
	return rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED;
}
void tls_gnutls_session_free(struct tls_session *session);
/** In a handshake of which nothing was sent: with a new session of the library. @return its code */
int tls_gnutls_session_anew(struct tls_session *session, struct tls_gnutls_session *gs);
int tls_gnutls_handshake(struct tls_session *session);
int tls_gnutls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
int tls_gnutls_write(struct tls_session *session, const uint8_t *clear, size_t len);
int tls_gnutls_close(struct tls_session *session);
int tls_gnutls_abort(struct tls_session *session, uint8_t alert);

/* gnutls_dtls.c */

/** A session of datagrams, beside what tls_gnutls_session_new() does. @return GnuTLS's code */
int tls_gnutls_dtls_new(struct tls_session *session, struct tls_gnutls_session *gs);
/** Before each step of a handshake. */
void tls_gnutls_dtls_begin(struct tls_session *session, struct tls_gnutls_session *gs);
void tls_gnutls_set_mtu(struct tls_session *session, uint16_t mtu);
/** The last flight once more. */
int tls_gnutls_repeat(struct tls_session *session);
size_t tls_gnutls_room(const struct tls_session *session);
uint16_t tls_gnutls_srtp(const struct tls_session *session);
int tls_gnutls_extract(struct tls_session *session, const char *label,
                       const struct base_str *context, uint8_t *out, size_t len);

/* gnutls_again.c: renegotiation, and resumption as client */

/**
 * The peer wants to renegotiate (GNUTLS_E_REHANDSHAKE): take it up, or refuse.
 * @return BASE_AGAIN = the session goes on, or its end
 */
int tls_gnutls_rehandshake(struct tls_session *session, struct tls_gnutls_session *gs);
/**
 * Carry a renegotiation on. @return 0 when it is complete, or data comes next; BASE_AGAIN when more
 * input is needed; else the session's end
 */
int tls_gnutls_reshake(struct tls_session *session, struct tls_gnutls_session *gs);
/** Begin one ourselves, or in TLS 1.3 ask for new keys. */
int tls_gnutls_restart(struct tls_session *session);
/** In a renegotiation: no ticket is shown, or none that is shown is looked at. */
void tls_gnutls_tickets_stop(struct tls_session *session);
/** A warning has come: no_renegotiation answers a wish of ours. */
void tls_gnutls_warned(struct tls_session *session, const struct tls_gnutls_session *gs);
/** Is what comes next, in the midst of a renegotiation, data and not its concern? */
bool tls_gnutls_data_next(const struct tls_session *session, const struct tls_gnutls_session *gs);
/** Keep a ticket that has come, if one has. */
void tls_gnutls_ticket_keep(struct tls_session *session, struct tls_gnutls_session *gs);
void tls_gnutls_offer(struct tls_session *session, const uint8_t *ticket, size_t len);

#endif
