/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A client that holds its own keys: its handshake is GnuTLS's, and after it it writes records of
 * any type and text at a server of ours, as no honest library would.
 */
#ifndef GH_TESTS_TLS_RUDE_H
#define GH_TESTS_TLS_RUDE_H

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "lab.h"

/** Content types (RFC 5246, 6.2.1). */
enum rude_type { RUDE_CCS = 20, RUDE_ALERT = 21, RUDE_HANDSHAKE = 22, RUDE_DATA = 23 };

struct rude {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	gnutls_aead_cipher_hd_t aead;
	uint8_t iv[12];
	uint64_t seq; /**< of the next record it writes */
	bool tls13;
	struct base_writer out, in; /**< written by it; written by us */
	size_t read;                /**< of `in` */
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
};

/** Shake hands with a server of that profile; both are up afterwards. */
void rude_open(struct rude *rude, const struct lab_sides *sides, const char *profile);
void rude_close(struct rude *rude);
/** Append one record to `out`; in TLS 1.3 `type` is the inner one. */
void rude_write(struct rude *rude, enum rude_type type, const void *data, size_t len);
/** Our server reads all that was written. @return its last result; data is added up */
int rude_read(struct rude *rude, size_t *ret_len);
/** Our server says close_notify. @return its result */
int rude_bye(struct rude *rude);
/** The fatal alert that the client then hears, -1 = none. */
int rude_hears(struct rude *rude);
struct tls_info rude_info(const struct rude *rude);

#endif
