/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Certificates and CRLs held against a profile of certificates (TS 33.310, 6): rules as data, facts
 * by x509, and what of them does not fit. Vocabulary and marks: docs/certificates.md.
 */
#ifndef GH_PROFILE_CERTIFICATE_H
#define GH_PROFILE_CERTIFICATE_H

#include "base/base.h"
#include "profile/rule.h"
#include "x509/x509.h"

struct profile;

/** A profile's rules made ready, by role. Immutable, any thread; references are atomic. */
struct profile_checks;

/**
 * @param profile  of certificates; outlives the checks
 * @return 0; BASE_CONFIG for a profile of TLS; BASE_LOCAL
 */
int profile_checks_new(struct profile_checks **ret, const struct profile *profile,
                       struct base_error *err);
struct profile_checks *profile_checks_ref(struct profile_checks *checks);
/** NULL is fine. */
void profile_checks_unref(struct profile_checks *checks);
const struct profile *profile_checks_profile(const struct profile_checks *checks);

/** One rule that is not kept. `text` is what was found: "RSA 1024". Valid during the call only. */
struct profile_finding {
	const struct profile_rule *rule;
	bool fails; /**< shall or shall-not, seen in a source; all others warn */
	const char *text;
};
typedef void profile_finding_fn(void *arg, const struct profile_finding *finding);

struct profile_tally {
	unsigned fails, warns;
};

/**
 * Hold facts against the rules for one role. No allocation; some tens of comparisons.
 * @param role  exactly one; PROFILE_ROLE_CRL is for facts of CRLs and they for it
 * @param fn    told each rule that is not kept, in the profile's order; NULL = only count
 */
struct profile_tally profile_check(const struct profile_checks *checks, enum profile_role role,
                                   const struct x509_facts *facts, profile_finding_fn *fn,
                                   void *arg);

/** "shall-not hash sha-1: is sha-1 (TS 33.310 6.1.1 [C2 V]; text)"; terminated. @return `buf` */
const char *profile_finding_format(const struct profile_finding *finding, char *buf, size_t cap);

/** The role that a certificate says it has; several bits or none where it does not tell. Pure. */
unsigned profile_roles_guess(const struct x509_facts *facts);

#endif
