/* SPDX-License-Identifier: Apache-2.0 */
/** @file Private to src/tls: a domain, as it is decided at start-up. */
#ifndef GH_TLS_DOMAIN_H
#define GH_TLS_DOMAIN_H

#include <stdatomic.h>

#include "tls/choose.h"
#include "tls/session_ids.h"
#include "tls/ticket_keys.h"
#include "tls/tls.h"

struct tls_engine_ops;

/** All that is decided at start-up. Immutable but for the identity made on demand. */
struct tls_domain {
	atomic_uint refs;
	char *name;
	struct profile_settings *settings; /**< `settings->profile` is the profile */
	const struct tls_engine_ops *ops;
	const struct tls_engine_ops *client_ops;  /**< of its client sessions; mostly `ops` */
	struct trust_store *trust;                /**< may be NULL */
	_Atomic(struct x509_identity *) identity; /**< may be NULL; set once */
	struct tls_certificate *certificates;     /**< the identity first; choose.c */
	size_t certificate_count;                 /**< 0 = nothing to choose */
	struct tls_staple *staples; /**< of the certificates, in that order; NULL = none */
	size_t staple_count;
	bool refuse_unknown_name;
	uint16_t max_fragment; /**< as client; 0 = none asked for */
	struct base_str told;  /**< as client: body of trusted_ca_keys; len 0 = it is not sent */
	struct base_str told_names; /**< the same of certificate_authorities */
	unsigned server_methods, client_methods, continue_on;
	enum tls_on_revocation on_revocation;
	uint32_t grace_ms;
	size_t client_tickets;            /**< of one context */
	enum tls_client_auth client_auth; /**< as it is done: methods and profile considered */
	struct tls_psk *psks;
	size_t psk_count;
	char *psk_hint;
	unsigned versions; /**< PROFILE_TLS_* bits that are offered */
	uint16_t *suites;  /**< what is offered, in order; TLS 1.3's first */
	size_t suite_count;
	uint32_t lifetime_s; /**< of tickets */
	bool renegotiate[2]; /**< by our role: profile and engine let the peer begin one */
	bool begin[2];       /**< by our role: they let us */
	bool end_ignored;    /**< who ignores a HelloRequest is shown out */
	void (*key_log)(void *arg, const char *line); /**< mostly NULL */
	void *key_log_arg;
	bool refuse_unknown_psk;      /**< TLS 1.3: no certificate in place of an unknown PSK */
	bool tickets;                 /**< as profile and policy say; see session_resumes() */
	struct tls_ticket_ring *ring; /**< of all contexts; perhaps the domain's before it, too */
	struct tls_ids *ids; /**< sessions by id; goes with the ring. NULL = none by profile */
	uint8_t basis[32];  /**< SHA-256 of all that decides about peers, by which a ring is kept */
	uint8_t common[32]; /**< the same without engine and own certificate */
	uint8_t scope[32];  /**< SHA-256 of name and policy, for the session id context */
	struct tls_gap *gaps;
	size_t gap_count;
	uint8_t cookie_key[32]; /**< random; what cookies of DTLS are made with */
	/** What is different for DTLS: versions (as those of TLS they stem from), suites, ticket
	 * keys, what is remembered; the rest is a copy. NULL = no DTLS. */
	struct tls_domain *datagram;
	struct tls_domain *whole; /**< of a `datagram` part: the domain it is of; else NULL */
	struct base_arena arena;  /**< names, PSK structs, suites, gaps */
};

/** Whether, for how long and with what keys sessions resume; those of `spec->before` where nothing
 * that decides about peers has changed (domain_resumption.c). */
int tls_domain_resumption(struct tls_domain *domain, const struct tls_domain_spec *spec,
                          struct base_error *err);
/** Likewise of its `datagram` part; `before`: the whole domain's predecessor, NULL = none.
 * @return 0 or BASE_LOCAL */
int tls_domain_datagram_resumption(struct tls_domain *part, const struct tls_domain *before);
/** Of a domain or its part. */
void tls_domain_resumption_done(struct tls_domain *domain);
/** Does it resume by session ids, too? */
bool tls_domain_ids(const struct tls_domain *domain);

/** dtls_domain.c: work out what of the domain is for DTLS: `domain->datagram`, or NULL; `before`
 * its predecessor, NULL = none. @return 0 or BASE_LOCAL */
int tls_domain_datagram_new(struct tls_domain *domain, const struct tls_domain *before);

/** The domain that a part is of: it has the references and the identity. */
static inline struct tls_domain *tls_domain_whole(struct tls_domain *domain)
{
	return domain->whole ? domain->whole : domain;
}
/** The number of a version on the wire, of a PROFILE_TLS_ bit of `domain->versions`. */
uint16_t tls_domain_wire(const struct tls_domain *domain, unsigned version);

/* -- staple.c ------------------------------------------------------------------------------- */

/** Copy what may be stapled. @return 0 or BASE_LOCAL */
int tls_staples_make(struct tls_domain *domain, const struct tls_domain_spec *spec);
/**
 * What to staple to this certificate of the domain at `now_s` (UNIX time): one past its date only
 * does harm. Borrowed from the domain. @return len 0 = nothing
 */
struct base_str tls_staple_find(const struct tls_domain *domain, const X509 *cert, int64_t now_s);

#endif
