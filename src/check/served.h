/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions in which the checker is the server, TLS 1.0 to 1.2, with answers as no library would
 * give them. The client has connected, and its ClientHello was read.
 */
#ifndef GH_CHECK_SERVED_H
#define GH_CHECK_SERVED_H

#include "check/host.h"
#include "check/session.h"

/** What a handshake is to be like. */
enum check_serve {
	CHECK_SERVE_INFO = 1 << 0,             /**< words of RFC 5746, where the client has any */
	CHECK_SERVE_SPOILT_INFO = 1 << 1,      /**< wrong ones: it has to go (RFC 5746, 3.4, 3.5) */
	CHECK_SERVE_CERTIFICATE = 1 << 2,      /**< ask for the client's */
	CHECK_SERVE_TICKET = 1 << 3,           /**< give one, where it asks */
	CHECK_SERVE_REQUEST = 1 << 4,          /**< a HelloRequest right behind our Finished */
	CHECK_SERVE_SPOILT_FINISHED = 1 << 5,  /**< of a full handshake */
	CHECK_SERVE_NO_EMS = 1 << 6,           /**< as a server that does not know RFC 7627 */
	CHECK_SERVE_SPOILT_SIGNATURE = 1 << 8, /**< of CertificateVerify, TLS 1.3 */
	CHECK_SERVE_NO_ID = 1 << 7, /**< a session that is not to be taken up by its id */
};

/** What a client does in a session of its own accord, or upon a HelloRequest. */
enum check_heard {
	CHECK_HEARD_NOTHING,  /**< in time */
	CHECK_HEARD_HELLO,    /**< a ClientHello: it is in `offered` */
	CHECK_HEARD_DECLINED, /**< no_renegotiation (RFC 5246, 7.2.2) */
	CHECK_HEARD_DATA,
	CHECK_HEARD_CLOSED, /**< close_notify, or the connection's end */
	CHECK_HEARD_ALERT,  /**< a fatal one */
	CHECK_HEARD_NONSENSE,
};

struct check_served {
	struct check_wire *wire; /**< the caller's */
	const struct check_host *host;
	size_t read; /**< of `wire->in` */
	struct check_keys keys;
	struct base_writer inbox; /**< messages of the client's, opened, from `taken` on unread */
	size_t taken;
	bool changed;            /**< its ChangeCipherSpec came */
	struct base_writer hold; /**< records to be sent together */
	struct base_writer hello;
	struct check_offered offered;  /**< its last ClientHello; into `hello` */
	struct base_writer transcript; /**< of this handshake, without HelloRequest */
	struct check_resume resume;    /**< of this session */
	uint8_t client_random[32], server_random[32];
	uint8_t verify_client[12], verify_server[12]; /**< of the last handshake */
	bool up, resumed;
	bool secured;                  /**< its first hello had words of RFC 5746 */
	bool went_on;                  /**< it answered our flight of this handshake with its own */
	bool asked;                    /**< its certificate was asked for, and its flight came */
	struct base_writer cert;       /**< the first that it showed, DER */
	bool proved;                   /**< and it has the key */
	int alert;                     /**< a fatal one, or no_renegotiation; -1 = none */
	char why[160];                 /**< why it is not up */
	struct base_writer sent, seen; /**< evidence: records, opened */
};

/**
 * Begin with a ClientHello that was read in the clear.
 * @param text  the answer it was read as; `wire->in` holds the same octets
 */
bool check_served_begin(struct check_served *session, struct check_wire *wire,
                        const struct check_host *host, const struct check_answer *text);
/**
 * Answer the ClientHello at hand and shake hands.
 * @param version  profile_version bit
 * @param how      enum check_serve
 * @param resume   to be taken up as the client offers it, NULL = a full handshake
 * @return CHECK_ANSWERED: it is up
 */
enum check_outcome check_served_shake(struct check_served *session, unsigned version, unsigned how,
                                      const struct check_resume *resume);
/** Wait for the next thing that the client does. Data is passed over where `beyond_data`. */
enum check_heard check_served_hear(struct check_served *session, bool beyond_data);
/** Is the ClientHello at hand bound to the session that it came in (RFC 5746, 3.5)? */
bool check_served_bound(const struct check_served *session);
/**
 * Say close_notify, and read what it still says: a connection that is closed on unread data is
 * reset, and may take with it what the client has not read yet, or its wish to come back to it.
 */
void check_served_part(struct check_served *session);
/** Say close_notify, let the keys go; the connection stays the caller's. */
void check_served_done(struct check_served *session);

#endif
