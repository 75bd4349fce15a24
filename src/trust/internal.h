/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the files of this folder only. */
#ifndef GH_TRUST_INTERNAL_H
#define GH_TRUST_INTERNAL_H

#include <stdatomic.h>

#include "trust/trust.h"

/** The roles a peer plays, a bit set. */
#define TRUST_ROLE_CLIENT 1U
#define TRUST_ROLE_SERVER 2U

/**
 * One way a peer's certificate can be vouched for between operators (TS 33.310, 5.2.2.2): an own
 * TLS CA, or a cross-certificate with what stands above it. Made once, when the store is loaded.
 */
struct trust_way {
	X509 *issuer; /**< what signs peers: own TLS CA or cross-certificate; borrowed */
	STACK_OF(X509) * between; /**< the cross-certificate and all below the anchor; borrowed */
	X509 *anchor;             /**< borrowed; NULL where there is a flaw */
	const char *flaw;         /**< why it vouches for nobody; NULL = it does */
	unsigned roles;           /**< TRUST_ROLE_... it vouches for */
	bool cross;
};

/** A CRL whose signature was checked when the store was loaded, see revoked.c. */
struct trust_crl {
	X509_CRL *crl;        /**< borrowed */
	X509 *issuer;         /**< whose key signed it; borrowed */
	int64_t from_s, to_s; /**< thisUpdate and nextUpdate */
};

/** Who issues certificates: name and key. Immutable, shared by all that it issued. */
struct trust_issuer {
	atomic_uint refs;
	uint8_t spki[32]; /**< SHA-256 of its SubjectPublicKeyInfo */
	size_t name_len;
	uint8_t name[]; /**< DER */
};
struct trust_issuer *trust_issuer_ref(struct trust_issuer *issuer);
void trust_issuer_unref(struct trust_issuer *issuer);

/** A certificate of the configuration as an issuer. */
struct trust_known {
	X509 *cert; /**< borrowed */
	struct trust_issuer *issuer;
};
struct trust_store;
/** Make `store->issuers` of what was loaded. @return 0 or BASE_LOCAL */
int trust_issuers_make(struct trust_store *store);
void trust_issuers_free(struct trust_store *store);

#define TRUST_SERIAL_MAX 64 /**< octets of a serial number; what an index can hold */

/** A path from the peer to the anchor; the serial numbers stand behind the links. */
struct trust_standing {
	atomic_uint refs;
	uint8_t count;
	struct trust_link {
		struct trust_issuer *issuer;
		uint8_t len; /**< of the serial number; 0 = not to be looked up */
	} link[];
};
/** Of a validated path. NULL when there is nothing to say, or memory is short. */
struct trust_standing *trust_standing_new(const struct trust_store *store, STACK_OF(X509) * chain);

struct trust_store {
	X509_STORE *store; /**< the anchors; only read once it is loaded */
	STACK_OF(X509) * anchors;
	STACK_OF(X509) * own;   /**< Interconnection CAs, TLS CAs, cross-certificates */
	STACK_OF(X509) * hints; /**< whose issuers vouch for clients; borrowed from `own` */
	struct trust_way *ways;
	size_t way_count;
	struct trust_crl *plain; /**< sorted by nothing: a few per operator */
	size_t plain_count;
	struct trust_known *issuers;
	size_t issuer_count;
	struct trust_cache *cache; /**< NULL = none */
	bool interconnect, ocsp_staples;
	STACK_OF(X509) * untrusted;
	/** Beside the store, which would find a CRL by the certificate's issuer only: an indirect
	 * CRL has another (RFC 5280, 5.2.5). */
	STACK_OF(X509_CRL) * crls;
	bool crl_required, checks_warn;
	struct profile_checks *checks; /**< NULL = none */
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

/** Who hears of each step. */
struct trust_teller {
	trust_step_fn *step;
	void *arg;
};

/** Everything wrong with a peer, and the one thing of it that is told. */
struct trust_finding {
	const struct trust_teller *teller; /**< NULL = nobody listens */
	const X509 *about;                 /**< the certificate the next steps are about; or NULL */
	unsigned failures;                 /**< bits 1 << reason */
	enum trust_reason reason;
	int depth;
	uint8_t alert;
	char text[256];
	bool keep;                       /**< `standing` is wanted */
	struct trust_standing *standing; /**< owned; NULL = none */
	char rules[64];                  /**< as the verdict's */
	struct trust_culprit culprit;
	bool seek;     /**< `urls` are wanted */
	bool hopeless; /**< a CRL is missing that nobody can get */
	char **urls;   /**< of the first CRL that is missing; owned; NULL = none */
};
/** Free what it owns. */
void trust_finding_done(struct trust_finding *finding);
/** Add a failure; the one told is the first by precedence, of equals the first found. */
/** sip.c: the SIP domains of a certificate, blanks between; NULL: none, or no memory. free() */
char *trust_sip_domains(X509 *cert);
/** Is it for that SIP domain? */
bool trust_sip_proves(X509 *cert, const char *name);

void trust_finding_add(struct trust_finding *finding, enum trust_reason reason, uint8_t alert,
                       int depth, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** Tell a step that went well. */
void trust_finding_good(const struct trust_finding *finding, enum trust_look look, int depth,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** Is `a` the better outcome? Proven before tolerated before refused; then by precedence. */
bool trust_finding_better(const struct trust_finding *a, const struct trust_finding *b,
                          unsigned continue_on);
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

/** One way for libcrypto to go: anchors and what may stand between them and the peer. */
struct trust_path {
	STACK_OF(X509) * anchors; /**< NULL = those of the store */
	STACK_OF(X509) * between;
	bool exact; /**< all of `between` and the anchor have to be on the path, and nothing else */
};
/** Validate one path; as trust_path_check(). */
int trust_path_walk(const struct trust_store *store, const struct trust_question *question,
                    X509 *cert, const struct trust_path *path, struct trust_finding *finding);
/** Have libcrypto's revocation checks of a store go through ours. @return 0 or BASE_LOCAL */
int trust_path_hook(X509_STORE *store);
/** The decision between operators (TS 33.310, 5.2.2.2); as trust_path_check(). */
int trust_interconnect_check(const struct trust_store *store, const struct trust_question *question,
                             X509 *cert, struct trust_finding *finding);
/** Make `store->ways` of what was loaded. `lists` by role. @return 0 or BASE_LOCAL */
struct trust_lists {
	STACK_OF(X509) * interconnection, *client_cas, *server_cas, *cross_clients, *cross_servers,
	        *cross;
};
int trust_ways_make(struct trust_store *store, const struct trust_lists *lists);
void trust_ways_free(struct trust_store *store);

/** What is known of a certificate's revocation. */
enum trust_status { TRUST_STATUS_UNKNOWN, TRUST_STATUS_GOOD, TRUST_STATUS_REVOKED };
struct trust_revocation {
	enum trust_status status;
	const char *reason; /**< CRLReason in words; "" where none is told */
	char source[160];   /**< which CRL */
	bool stale;         /**< unknown, for the cached CRL is out of date */
};
/**
 * Look `cert`, issued by `issuer`, up in the CRLs whose signatures were checked at load and in the
 * cache folder.
 * TRUST_STATUS_UNKNOWN where none of them is simple, in date and of that issuer's name and key:
 * then libcrypto looks at all (RFC 5280, 6.3.3). No I/O, any thread.
 */
void trust_revocation_find(const struct trust_store *store, X509 *cert, X509 *issuer, int64_t now_s,
                           struct trust_revocation *ret);
/** The same in the cache folder alone; `store->cache` is there and `ret` all unknown. */
void trust_revocation_cached(const struct trust_store *store, X509 *cert, X509 *issuer,
                             int64_t now_s, struct trust_revocation *ret);
/** CRLReason of an entry in words; "" where none is told. Pure. */
const char *trust_revoked_reason(X509_REVOKED *entry);
/** Check the CRLs' signatures and keep the simple ones. @return 0 or BASE_LOCAL */
int trust_revocation_prepare(struct trust_store *store);

/**
 * Judge a staple for `cert` (RFC 6960, 3.2 and 4.2.2) at `now_s`. Without a store a responder has
 * to be of those that need no check.
 * @return TRUST_STATUS_GOOD or _REVOKED where it may be relied on; else UNKNOWN, with the reason
 *         (stale or missing) and a sentence
 */
struct trust_staple {
	enum trust_status status;
	enum trust_reason reason;
	int64_t until_s; /**< GOOD: the first moment at which it may not be relied on any more */
	char text[200];
};
void trust_staple_judge(const struct trust_store *store, struct base_str der, int64_t now_s,
                        X509 *cert, X509 *issuer, struct trust_staple *ret);

/** Add TRUST_PROFILE for each rule that was seen and is not kept; note the others. */
void trust_lint_peer(const struct trust_store *store, const struct trust_question *question,
                     X509 *cert, struct trust_finding *finding);
/** A way whose certificate breaks such a rule vouches for nobody. */
void trust_lint_ways(struct trust_store *store);

/** Add TRUST_WEAK when the key is too weak for the question. */
void trust_key_check(const struct trust_question *question, X509 *cert, int depth,
                     struct trust_finding *finding);

#endif
