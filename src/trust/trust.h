/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is this peer who it should be? One decision function for both TLS engines, which never judge
 * certificates themselves: paths (RFC 5280), cross-certificates between operators (TS 33.310,
 * 5.2.2.2), CRLs and OCSP staples, fingerprints (RFC 8122), names. A store is immutable after load;
 * reload makes a new one (ARCHITECTURE.md). What each decision rests on: docs/trust.md.
 */
#ifndef GH_TRUST_H
#define GH_TRUST_H

#include "base/base.h"
#include "profile/profile.h"
#include "trust/cache.h"
#include "trust/standing.h"
#include "x509/x509.h"

/** Anchors, intermediates and CRLs of one TLS domain; reference counted, read by any thread. */
struct trust_store;

struct trust_store_files {
	const char *const *anchors;   /**< files of trust anchors, NULL-terminated; may be NULL */
	const char *const *untrusted; /**< files of further CA certificates; may be NULL */
	const char *const *crls;      /**< PEM or DER CRL files; may be NULL */
	/*
	 * Every list names files or folders; a folder stands for all files in it whose names do not
	 * begin with a dot. All below may be NULL, and are read only where `interconnect` is set.
	 */
	const char *const *interconnection; /**< own Interconnection CA(s) (TS 33.310, 5.2.2.2) */
	const char *const *client_cas;      /**< own TLS client CAs: they vouch for clients */
	const char *const *server_cas;      /**< own TLS server CAs: they vouch for servers */
	/** Cross-certificates that an own Interconnection CA issued for peers' TLS client CAs. */
	const char *const *cross_clients;
	const char *const *cross_servers; /**< the same for peers' TLS server CAs */
	/**
	 * Cross-certificates whose own extendedKeyUsage says which of the two they are (P): without
	 * one they vouch for nobody, since a repository does not tell the role.
	 */
	const char *const *cross;
	/**
	 * Judge peers as TS 33.310, 5.2.2.2 does. The path is one of two, whatever else the peer
	 * sends: peer <- own TLS client or server CA (by the role the PEER plays), an anchor; or
	 * peer <- cross-certificate of that role <- own Interconnection CA, an anchor where it is
	 * self-signed, else with its issuers from `anchors`. Both CRL checks always: sets
	 * `crl_required`.
	 */
	bool interconnect;
	/**
	 * The folder that gatehouse-fetch writes (trust/cache.h); NULL = none. Its CRLs are used
	 * as they come, see trust_store_cache(). Its certificates are read when the store is
	 * loaded: `ca/` as `untrusted`, `cross/` as `cross`.
	 */
	const char *cache;
	/** That folder, open already, for stores that share it; the store takes a reference. NULL =
	 * the store opens `cache` for itself. */
	struct trust_cache *open_cache;
	/** A stapled OCSP response may stand in for the CRL of the peer's own certificate
	 * (TS 33.310, 6.1a, mark R). false: staples are not looked at. */
	bool ocsp_staples;
	/**
	 * true: hard fail, for the peer's certificate and every CA certificate below the anchor: a
	 * CRL check that cannot be done refuses the peer (TS 33.310, 5.2.2.2). false: a valid CRL
	 * that is there and lists a certificate refuses it, one that is missing, stale or unusable
	 * refuses nobody.
	 */
	bool crl_required;
	/**
	 * The certificate profile that peers' certificates must keep, and own TLS CAs and
	 * cross-certificates before they vouch for anybody; NULL = none. Referenced.
	 */
	struct profile_checks *checks;
	bool checks_warn; /**< what does not keep it is told and refuses nobody */
};

/** Read all files. @return 0; BASE_CONFIG with file and reason in `err`; BASE_LOCAL. */
int trust_store_load(struct trust_store **ret, const struct trust_store_files *files,
                     struct base_error *err);
struct trust_store *trust_store_ref(struct trust_store *store);
/** NULL is fine. */
void trust_store_unref(struct trust_store *store);

/** Told of each rule that a certificate or CRL in the store does not keep. */
typedef void trust_lint_fn(void *arg, const char *subject, enum profile_role role,
                           const struct profile_finding *finding);
/**
 * Hold what is the store's own between operators (authorities, cross-certificates, CRLs out of
 * files) against its certificate profile. Nobody is told anything without one. Not for the media
 * path.
 */
void trust_store_lint(const struct trust_store *store, trust_lint_fn *fn, void *arg);

/**
 * Anchors in the store, for a server's list of acceptable authorities (RFC 5246, 7.4.4); between
 * operators the CAs that vouch for clients: own ones, and by their cross-certificates those of
 * peers. Borrowed from the store. NULL `store` gives NULL.
 */
const STACK_OF(X509) * trust_store_anchors(const struct trust_store *store);

/**
 * The store's view of the cache folder; NULL where there is none. Borrowed from the store. Somebody
 * has to refresh it, one thread at a time: decisions see what the last refresh saw.
 */
struct trust_cache *trust_store_cache(const struct trust_store *store);

/**
 * Between operators: is there an own TLS CA or a cross-certificate at all? Without one everybody is
 * refused until the cache folder brings one and the store is made anew. true in all other cases.
 */
bool trust_store_vouches(const struct trust_store *store);

/**
 * SHA-256 of what is not revocation: anchors and all other certificates of the store, who vouches
 * for whom, and what is asked of a path. Two stores of one basis let in the same peers, but for
 * CRLs. NULL `store` has one, too. @return 0 or BASE_LOCAL
 */
int trust_store_basis(const struct trust_store *store, uint8_t ret[32]);

/** Are stapled OCSP responses looked at? NULL `store` = no. */
bool trust_store_staples(const struct trust_store *store);

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
	TRUST_CRL_MISSING, /**< no usable CRL, and the domain asks for one */
	TRUST_CRL_STALE,
	TRUST_WRONG_PURPOSE, /**< key usage or EKU does not allow the peer's role */
	TRUST_WRONG_NAME,
	TRUST_WEAK,    /**< key or signature too weak for the profile */
	TRUST_PROFILE, /**< a rule of the certificate profile that was seen in a source is broken */
	TRUST_PATH,    /**< any other path failure, told in `text` */
	TRUST_REASON_COUNT
};

struct trust_question {
	unsigned methods;                            /**< enum trust_method bits; either suffices */
	const struct x509_fingerprint *fingerprints; /**< what the controller sent; may be NULL */
	size_t fingerprint_count;
	bool peer_is_server; /**< EKU serverAuth or clientAuth is asked for */
	/** dNSName the peer must prove (RFC 6125); "sip:example.com": SIP domain (RFC 5922, 7.2);
	 * NULL or "sip:" = any. */
	const char *peer_name;
	unsigned continue_on;  /**< bits 1 << enum trust_reason: tolerated, but reported */
	int64_t now_s;         /**< UNIX time to judge by; 0 = the clock */
	unsigned min_rsa_bits; /**< smallest RSA key; 0 = 2048 (TS 33.310, 6.1.1, mark R) */
	bool allow_sha1; /**< SHA-1 signatures (TS 33.310, 6.1.1: "shall not", mark V) are let pass;
	                      MD2, MD4 and MD5 never are */
	bool any_strength; /**< hand tool only: strength of keys and hashes is not judged */
	/**
	 * Initial policy inputs of RFC 5280, 6.1.1 (c) and (e) to (g). `policies` are dotted OIDs,
	 * NULL-terminated; NULL = any-policy.
	 */
	const char *const *policies;
	bool require_explicit_policy, inhibit_policy_mapping, inhibit_any_policy;
	/** DER of the OCSP response the peer stapled (RFC 6066, 8); len 0 = none. Borrowed. */
	struct base_str staple;
	/**
	 * Where to put what the peer rests on, when its path authenticated it or its failures are
	 * tolerated; NULL then where memory is short, and in all other cases. To be unreferenced.
	 * NULL = not wanted.
	 */
	struct trust_standing **ret_standing;
	/** `peer_name` with "sip:": where to put the SIP domains of the peer's certificate (RFC
	 * 5922, 7.1), blanks between, whatever the verdict; NULL = none. To be freed. NULL = not
	 * wanted.
	 */
	char **ret_sip_domains;
	/**
	 * Where to put the addresses of the CRL whose absence is all that refuses the peer, and
	 * which the cache could get (distribution points of the certificate that lacks it, RFC
	 * 5280, 4.2.1.13; NULL-terminated, x509_urls_free()); NULL in all other cases. The
	 * signatures on the path hold then, so that nobody unknown says what is fetched. NULL = not
	 * wanted.
	 */
	char ***ret_urls;
};

/** What a step of a decision looked at. */
enum trust_look {
	TRUST_LOOK_CERTIFICATE, /**< a certificate of the path: dates, signature, constraints */
	TRUST_LOOK_CRL,         /**< its revocation, by a CRL */
	TRUST_LOOK_OCSP,        /**< its revocation, by a staple */
	TRUST_LOOK_STRENGTH,
	TRUST_LOOK_NAME,
	TRUST_LOOK_FINGERPRINT,
	TRUST_LOOK_PATH,    /**< the path as a whole: which way was tried */
	TRUST_LOOK_PROFILE, /**< the certificate profile; warnings are steps that went well */
	TRUST_LOOK_COUNT
};

/** One step of a decision, in the order they were taken. Valid during the call only. */
struct trust_step {
	enum trust_look look;
	bool ok;
	int depth;                /**< 0 = the peer's own certificate */
	enum trust_reason reason; /**< TRUST_OK where `ok` */
	const char *subject;      /**< of the certificate, RFC 2253 form; "" where there is none */
	const char *text;         /**< what was found, with the CRL or clause */
};
typedef void trust_step_fn(void *arg, const struct trust_step *step);

/** The certificate that a refusal is about, for who has to do something about it. */
struct trust_culprit {
	char subject[128], issuer[128]; /**< RFC 2253 form, shortened */
	char serial[48];                /**< hex */
	char crl[200];                  /**< first address of its CRL; "" = it names none */
};

struct trust_verdict {
	bool authenticated;       /**< proven by one of the methods */
	bool tolerated;           /**< not authenticated, but the domain lets the session go on */
	unsigned method;          /**< the enum trust_method that decided */
	enum trust_reason reason; /**< TRUST_OK or what failed, the first of `failures` */
	unsigned failures;        /**< bits 1 << reason: everything wrong by the deciding method */
	int depth;                /**< of the deciding certificate, 0 = the peer's own */
	uint8_t alert;            /**< TLS alert to send when refused (RFC 5246, 7.2.2) */
	char rules[64]; /**< of the certificate profile, not kept, warnings too: "C5,E8" */
	char text[256]; /**< one sentence for log and Notify: subject, CRL or clause */
	struct trust_culprit culprit; /**< of the deciding failure; all "" where there is none */
	char subject[128];            /**< the peer's subject, RFC 2253 form, shortened */
	struct x509_fingerprint fingerprint; /**< SHA-256 of the peer's own certificate */
};

/**
 * Decide. `chain[0]` is the peer's own certificate, DER, as received; count 0 = none sent.
 *
 * CA-signed: RFC 5280, 6.1 from the peer's certificate to an anchor, with CRLs as the store says,
 * purpose by the peer's role, the name, and strength of keys and signatures; every failure is
 * collected, and the peer is tolerated only if ALL of them are in `continue_on`. The name is
 * looked for in dNSName; in the subject's CN only where there is no subjectAltName at all
 * (RFC 6125, 6.4.4).
 *
 * Fingerprint (RFC 8122, 5 and 5.1): of the fingerprints given those of the most preferred hash
 * (sha-256, sha-512, sha-384, sha-224, sha-1) count, one of them must match; names, dates and
 * path are not looked at, since the fingerprint vouches for the certificate as it is, but the key's
 * strength is. Where both methods are allowed and no fingerprint was given, the path decides.
 *
 * No I/O, any thread.
 * @param store  NULL = no anchors
 * @return 0 with the verdict filled (also when it says no), or BASE_LOCAL.
 */
int trust_decide(struct trust_store *store, const struct trust_question *question,
                 const struct base_str *chain, size_t count, struct trust_verdict *ret);
/**
 * As trust_decide(), telling every step on the way; the verdict is the same. A step that is not ok
 * need not refuse the peer: another way may lead to an anchor, or the domain may not ask for it.
 * The step that decided is the one whose `text` is the verdict's.
 */
int trust_explain(struct trust_store *store, const struct trust_question *question,
                  const struct base_str *chain, size_t count, trust_step_fn *step, void *arg,
                  struct trust_verdict *ret);
/**
 * May an OCSP response be stapled to our own certificate (RFC 6066, 8)? It has to be what our own
 * trust would take of a peer; who issued the certificate is looked for in its chain and the store.
 * @param store        NULL = none
 * @param ret_until_s  TRUST_OK: the first moment at which it may not be sent any more; else 0
 * @param text         one sentence
 * @return TRUST_OK; TRUST_CRL_STALE: not in date; TRUST_REVOKED; TRUST_UNKNOWN_CA: the issuer is
 *         not found; TRUST_CRL_MISSING: it is not for this certificate, or not by whom it must be
 */
enum trust_reason trust_staple_own(const struct trust_store *store,
                                   const struct x509_identity *identity, struct base_str der,
                                   int64_t now_s, int64_t *ret_until_s, char *text, size_t cap);
/**
 * What a log line about a handshake adds of a verdict, key=value with a blank before each: `rules`
 * where some are not kept; `culprit`, `issuer`, `serial` and `crl` where it refuses.
 * docs/certificates.md tells each. @return `buf`, terminated, "" where there is nothing to add
 */
const char *trust_verdict_fields(const struct trust_verdict *verdict, char *buf, size_t cap);
#define TRUST_FIELDS_TEXT 700

/** Is `name` among those of ret_sip_domains? By RFC 5922, 7.2: as a whole, no wildcards; pure. */
bool trust_sip_domain_in(const char *domains, struct base_str name);

/** Short stable word ("certificate", "crl"); pure. */
const char *trust_look_name(enum trust_look look);
/** Short stable word ("expired", "crl-missing"); pure. */
const char *trust_reason_name(enum trust_reason reason);
/** The reason of that name; BASE_CONFIG for an unknown one (and for "ok", which is no failure). */
int trust_reason_parse(struct base_str name, enum trust_reason *ret);

#endif
