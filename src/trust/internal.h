/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of this folder only. */
#ifndef GH_TRUST_INTERNAL_H
#define GH_TRUST_INTERNAL_H

#include <stdatomic.h>

#include "trust/trust.h"

struct trust_store {
	X509_STORE *store; /**< the anchors; only read once it is loaded */
	STACK_OF(X509) * anchors;
	STACK_OF(X509) * untrusted;
	/** Beside the store, which would find a CRL by the certificate's issuer only: an indirect
	 * CRL has another (RFC 5280, 5.2.5). */
	STACK_OF(X509_CRL) * crls;
	bool crl_required;
	atomic_uint refs;
};

/** What an error of libcrypto's path validation means to us. */
struct trust_row {
	int error; /**< X509_V_ERR_... */
	enum trust_reason reason;
	const char *clause, *text;
	uint8_t alert; /**< 0 = the reason's own */
};
/** The row of an error; never NULL: errors without a row share a last one. Pure. */
const struct trust_row *trust_row_find(int error);
/** The alert that tells a reason (RFC 5246, 7.2.2). Pure. */
uint8_t trust_reason_alert(enum trust_reason reason);

/** Everything wrong with a peer, and the one thing of it that is told. */
struct trust_finding {
	unsigned failures; /**< bits 1 << reason */
	enum trust_reason reason;
	int depth;
	uint8_t alert;
	char text[256];
};
/** Add a failure; the one told is the first by precedence, of equals the first found. */
void trust_finding_add(struct trust_finding *finding, enum trust_reason reason, uint8_t alert,
                       int depth, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static inline bool trust_finding_tolerated(const struct trust_finding *finding,
                                           unsigned continue_on)
{
	return finding->failures && !(finding->failures & ~continue_on);
}

/**
 * Validate the path of `cert` (RFC 5280, 6.1) and everything else the question asks of a CA-signed
 * peer. `peer` holds the further certificates the peer sent.
 * @return 0 with what is wrong in `finding` (nothing: authenticated), or BASE_LOCAL
 */
int trust_path_check(const struct trust_store *store, const struct trust_question *question,
                     X509 *cert, STACK_OF(X509) * peer, struct trust_finding *finding);

/** Add TRUST_WEAK when the key is too weak for the question. */
void trust_key_check(const struct trust_question *question, X509 *cert, int depth,
                     struct trust_finding *finding);

#endif
