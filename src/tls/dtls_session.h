/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: what is different in a session of datagrams. */
#ifndef GH_TLS_DTLS_SESSION_H
#define GH_TLS_DTLS_SESSION_H

#include "tls/engine.h"

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

#endif
