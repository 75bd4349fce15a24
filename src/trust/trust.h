/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is this peer who it should be? One decision function for both TLS engines, which never judge
 * certificates themselves. In this part: anchors and CRLs from files, fingerprints (RFC 8122),
 * validity, names. A store is immutable after load; reload makes a new one (ARCHITECTURE.md).
 */
#ifndef GH_TRUST_H
#define GH_TRUST_H

#include "base/base.h"
#include "x509/x509.h"

/** Anchors, intermediates and CRLs of one TLS domain; reference counted, read by any thread. */
struct trust_store;

struct trust_store_files {
	const char *const *anchors; /**< PEM files of trust anchors, NULL-terminated; may be NULL */
	const char *const *untrusted; /**< PEM files of further CA certificates; may be NULL */
	const char *const *crls;      /**< PEM or DER CRL files; may be NULL */
	bool crl_required; /**< hard fail: a CRL check that cannot be done refuses the peer */
};

int trust_store_load(struct trust_store **ret, const struct trust_store_files *files,
                     struct base_error *err);
struct trust_store *trust_store_ref(struct trust_store *store);
void trust_store_unref(struct trust_store *store);

/** How the peer may authenticate itself, a bit set (H.248.TLSPROF 8.3). */
enum trust_method {
	TRUST_CA = 1, /**< CA-signed, path to an anchor */
	TRUST_FINGERPRINT =
	        2, /**< any certificate, also self-signed, whose fingerprint was given */
};

/** Why a peer is (not) authenticated. Order is precedence: the first that applies is told. */
enum trust_reason {
	TRUST_OK,
	TRUST_NO_CERTIFICATE, /**< none was sent */
	TRUST_NO_FINGERPRINT, /**< one is needed and the controller gave none (8.3.2.2.1) */
	TRUST_FINGERPRINT_MISMATCH,
	TRUST_MALFORMED,
	TRUST_UNKNOWN_CA,
	TRUST_EXPIRED,
	TRUST_NOT_YET_VALID,
	TRUST_REVOKED,
	TRUST_CRL_MISSING, /**< no CRL, and the domain asks for one */
	TRUST_CRL_STALE,
	TRUST_WRONG_PURPOSE, /**< key usage or EKU does not allow the peer's role */
	TRUST_WRONG_NAME,
	TRUST_WEAK, /**< key or signature too weak for the profile */
	TRUST_PATH, /**< any other path failure, told in `text` */
	TRUST_REASON_COUNT
};

struct trust_question {
	unsigned methods;                            /**< enum trust_method bits */
	const struct x509_fingerprint *fingerprints; /**< what the controller sent; may be NULL */
	size_t fingerprint_count;
	bool peer_is_server;   /**< EKU serverAuth or clientAuth is asked for */
	const char *peer_name; /**< dNSName the peer must prove (RFC 6125); NULL = any */
	unsigned continue_on;  /**< bits 1 << enum trust_reason: tolerated, but reported */
	int64_t now_s;         /**< UNIX time to judge by; 0 = the clock */
};

struct trust_verdict {
	bool authenticated;       /**< proven by one of the methods */
	bool tolerated;           /**< not authenticated, but the domain lets the session go on */
	unsigned method;          /**< the enum trust_method that decided */
	enum trust_reason reason; /**< TRUST_OK or what failed */
	int depth;                /**< of the deciding certificate, 0 = the peer's own */
	uint8_t alert;            /**< TLS alert to send when refused (RFC 5246, 7.2.2) */
	char text[256];           /**< one sentence for log and Notify: subject, CRL or clause */
	char subject[128];        /**< the peer's subject, RFC 2253 form, shortened */
	struct x509_fingerprint fingerprint; /**< SHA-256 of the peer's own certificate */
};

/**
 * Decide. `chain[0]` is the peer's own certificate, DER, as received; count 0 = none sent.
 * No I/O, any thread.
 * @return 0 with the verdict filled (also when it says no), or BASE_LOCAL.
 */
int trust_decide(struct trust_store *store, const struct trust_question *question,
                 const struct base_str *chain, size_t count, struct trust_verdict *ret);
/** Short stable word ("expired", "crl-missing"); pure. */
const char *trust_reason_name(enum trust_reason reason);

#endif
