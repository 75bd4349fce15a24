/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Two operators (TS 33.310, 5.2.2.2): Home asks whether a peer of Away is let in. Their
 * authorities, made once, and a configuration to ask.
 */
#ifndef GH_TESTS_TRUST_OPERATORS_H
#define GH_TESTS_TRUST_OPERATORS_H

#include "check.h"
#include "pki.h"
#include "trust/trust.h"

#define LONG      (30 * PKI_DAY)
#define ONE(cert) ((X509 *[]){ cert, NULL })

extern struct pki ica, home_clients, home_servers, home_server;          /* Home */
extern struct pki away_root, away_clients, away_servers, client, server; /* Away */
extern struct pki cross_clients, cross_servers; /* made by ica; keys of Away's CAs */

/** Setup and teardown of a group. */
int operators_make(void **state);
int operators_free(void **state);
/** A cross-certificate for a CA's key. */
struct pki cross_of(const struct pki *ca, const char *cn, const struct pki *by);

/** What Home has in its configuration. */
struct setting {
	X509 *interconnection, *anchor;                                   /* NULL = ica, none */
	X509 *const *cross_clients, *const *cross_servers, *const *cross; /* NULL = none */
	X509_CRL *crls[6];
	bool staples;
};

/** Places in `crls` of good(). */
enum { CRL_CLIENTS, CRL_SERVERS, CRL_ICA, CRL_HOME };

/** Good CRLs of everybody; the caller replaces what the case is about. Both roles are known. */
struct setting good(void);
/** Free its CRLs. */
void done(struct setting *set);
struct trust_store *store_of(const struct setting *set);

/** Of the last explanation: a CRL step per certificate below the anchor. */
extern bool crl_told;
/** Decide and explain; both must say the same. */
struct trust_verdict ask_with(const struct setting *set, bool peer_is_server, X509 *const *certs,
                              struct base_str staple);
/** The same for a peer that sends nothing but its certificate. */
struct trust_verdict ask(const struct setting *set, bool peer_is_server, X509 *cert);
void expect(struct trust_verdict v, enum trust_reason reason, unsigned alert, int depth,
            const char *words);
/** Ask both ways, with one CRL changed: away's CA's (`cross` false) or Home's Interconnection CA's.
 */
void with_crl(bool cross, struct pki *client_by, struct pki *server_by, X509 *revoked_client,
              X509 *revoked_server, long from_s, long to_s, enum trust_reason reason,
              unsigned alert, const char *words);

#endif
