/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to the OpenSSL engine. */
#ifndef GH_TLS_OPENSSL_ENGINE_H
#define GH_TLS_OPENSSL_ENGINE_H

#include <openssl/ssl.h>

#include "tls/engine.h"

/**
 * One SSL_CTX, and one BIO that all its sessions share: a context is one thread's, so at any time
 * at most one session is being stepped, and the BIO moves that one's lent bytes. It saves each
 * connection a BIO with its lock.
 */
struct openssl_context {
	SSL_CTX *ctx;
	BIO_METHOD *method;
	BIO *bio;
	struct tls_context *context;
	struct tls_session *session; /**< being stepped */
	size_t out_at;               /**< octets that were in `out` when this step began */
	int alert;                   /**< fatal alert seen in this step, -1 none */
	enum tls_side side;          /**< of `alert` */
	bool refused;                /**< a renegotiation, in this step */
	bool may;                    /**< take up one that begins now */
	bool done;      /**< one is complete: what comes after it is read after we have looked */
	bool bare;      /**< TLS 1.2: an empty Certificate came, and is not judged yet */
	int wish;       /**< alert to send in the clear when this step fails, -1 none ... */
	size_t wish_at; /**< ... in the place of what OpenSSL has written from there on */
	int wanted;     /**< alert that openssl_on_ticket() is to fail with, -1 none */
	bool poisoned;  /**< what is read is garbage (openssl_abort) */
	bool peek;      /**< what is read stays to be read */
};

extern const struct profile_engine_caps tls_openssl_caps;

/** The context behind an SSL, for callbacks. */
struct openssl_context *openssl_context_of(const SSL *ssl);

/** Callbacks of the handshake, openssl_peer.c. */
int openssl_verify(X509_STORE_CTX *store, void *arg);
/** A client's: all that comes before its answer is there, a staple too. */
int openssl_on_status(SSL *ssl, void *arg);
/** The wait is over. @return BASE_AGAIN = another one; 0: see `wait->refused` */
int openssl_judge_again(struct tls_session *session);
unsigned openssl_psk_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned cap);
unsigned openssl_psk_client(SSL *ssl, const char *hint, char *identity, unsigned identity_cap,
                            unsigned char *psk, unsigned cap);
/** Refuse a client without extended_master_secret or RFC 5746 where the profile insists; choose the
 * certificate. */
int openssl_client_hello(SSL *ssl, int *ret_alert, void *arg);
/** The answer to server_name: empty, where it was of use (RFC 6066, 3). */
int openssl_on_name(SSL *ssl, int *ret_alert, void *arg);
/** trusted_ca_keys, the same (RFC 6066, 6); taken without a look. */
int openssl_on_authorities(SSL *ssl, unsigned type, unsigned where, const unsigned char **ret,
                           size_t *ret_len, X509 *cert, size_t index, int *ret_alert, void *arg);
int openssl_take_authorities(SSL *ssl, unsigned type, unsigned where, const unsigned char *in,
                             size_t len, X509 *cert, size_t index, int *ret_alert, void *arg);
/**
 * Client: notes what the ServerHello says. Server, TLS 1.2: sees a Certificate without a
 * certificate, and makes the BIO stop there.
 */
void openssl_on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
                        void *arg);

/** Writes no extension into tickets, but fails with the alert that openssl_abort() wants. */
int openssl_on_ticket(SSL *ssl, unsigned type, unsigned where, const unsigned char **ret,
                      size_t *ret_len, X509 *cert, size_t index, int *ret_alert, void *arg);

/** The shared BIO, openssl_bio.c. @return 0 or BASE_LOCAL */
int openssl_bio_new(struct openssl_context *oc);

/* openssl_again.c: renegotiation, and resumption as client */

/** An event of OpenSSL's state machine while `oc->may`: one begins, or is done. */
void openssl_renegotiates(struct openssl_context *oc, int where);
/** Before each SSL_read: may one begin now? */
void openssl_renegotiation_let(struct tls_session *session, struct openssl_context *oc);
/** Begin one ourselves, or in TLS 1.3 ask for new keys. */
int openssl_again(struct tls_session *session);
/** After each SSL_read: the one that had to wait begins as soon as it can. @return 0 = go on */
int openssl_again_later(struct tls_session *session, struct openssl_context *oc);
/** One is done: what has come of it? @return 0 = go on */
int openssl_renegotiated(struct tls_session *session, struct openssl_context *oc);
/** OpenSSL has said no_renegotiation. @return BASE_AGAIN = the session goes on */
int openssl_renegotiation_refused(struct tls_session *session, struct openssl_context *oc);
/** The server gave a ticket. @return 0 = OpenSSL keeps its reference */
int openssl_on_session(SSL *ssl, SSL_SESSION *given);
void openssl_offer(struct tls_session *session, const uint8_t *ticket, size_t len);

/** Server: the session that a client names by its id. */
/** As of struct tls_engine_ops. */
size_t openssl_id(const struct tls_session *session, uint8_t ret[TLS_ID_MAX]);
SSL_SESSION *openssl_on_id(SSL *ssl, const unsigned char *id, int len, int *copy);
/** Server: put the chain that the client has shown into what it may resume. @return OpenSSL's */
int openssl_chain_put(SSL *ssl, void *arg);
/** Server of TLS 1.3: is one of these identities a ticket under a key of the domain's? */
bool openssl_ticket_among(const struct tls_session *session, struct base_reader identities);
/** Server: may this session be resumed, by what it rests on? */
bool openssl_chain_judge(SSL *ssl, SSL_SESSION *shown);
/** Server: a ticket was read, or was not. */
SSL_TICKET_RETURN openssl_on_ticket_read(SSL *ssl, SSL_SESSION *shown, const unsigned char *name,
                                         size_t name_len, SSL_TICKET_STATUS status, void *arg);
/** Server: one that is told neither a ticket nor an id. */
int openssl_not_resumable(SSL *ssl, int forward_secure);
/** Server: the key of a ticket that is to be given (`enc`), or was shown; openssl_ticket.c. */
int openssl_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                          EVP_MAC_CTX *mac, int enc);

/** Begin a step: whose bytes the shared BIO moves. */
struct openssl_context *openssl_step(struct tls_session *session);
/** What a call that did not succeed means. */
int openssl_step_result(struct tls_session *session, struct openssl_context *oc, int n);
/** A step failed for good: which alert, whose, and why. */
int openssl_failed(struct tls_session *session, struct openssl_context *oc);

/* openssl_dtls.c */

long openssl_dtls_ctrl(struct openssl_context *oc, int cmd, long number, void *arg);
size_t openssl_dtls_take(struct openssl_context *oc, char *data, size_t len);
/** A session of datagrams, beside what openssl_session_new() does. */
bool openssl_dtls_new(struct tls_session *session, SSL *ssl);
int openssl_cookie_good(SSL *ssl, const unsigned char *cookie, unsigned len);
/** Begin with a ClientHello whose cookie was good. @return 0, or BASE_AGAIN until it is whole */
int openssl_listen(struct tls_session *session);
int openssl_repeat(struct tls_session *session);
int openssl_dtls_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
/** Agreed on, on the wire; 0 = not yet. */
int openssl_dtls_version(const SSL *ssl);
int openssl_dtls_abort(struct tls_session *session, uint8_t alert);
void openssl_set_mtu(struct tls_session *session, uint16_t mtu);
size_t openssl_room(const struct tls_session *session);
uint16_t openssl_srtp(const struct tls_session *session);
int openssl_extract(struct tls_session *session, const char *label, const struct base_str *context,
                    uint8_t *out, size_t len);

int openssl_session_new(struct tls_session *session);
void openssl_session_free(struct tls_session *session);
int openssl_handshake(struct tls_session *session);
int openssl_read(struct tls_session *session, uint8_t *clear, size_t cap, size_t *ret_len);
int openssl_write(struct tls_session *session, const uint8_t *clear, size_t len);
int openssl_close(struct tls_session *session);
int openssl_abort(struct tls_session *session, uint8_t alert);

#endif
