/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the tests of trust_decide share: one PKI, stores of it, questions to them. */
#ifndef GH_TESTS_TRUST_DECIDE_STAGE_H
#define GH_TESTS_TRUST_DECIDE_STAGE_H

#include "check.h"

#include "pki.h"
#include "trust/trust.h"

#define BIT(reason) (1U << (reason))

/** One PKI for all tests: root -> sub -> leaves. */
struct stage {
	struct pki root, sub, leaf, other_root;
	char *dir;
};

/** For cmocka's groups: the stage in `state`. */
int decide_setup(void **state);
int decide_teardown(void **state);

/** A store with that anchor and these CRLs (NULL-terminated, or NULL). */
struct trust_store *store_of(struct stage *s, X509 *anchor, X509_CRL *const *crls, bool required);

/** Decide on a chain (NULL-terminated, or NULL); what every verdict must be is asserted. */
struct trust_verdict ask(struct trust_store *store, const struct trust_question *question,
                         X509 *const *certs);

/** Ask about one leaf below Sub. */
struct trust_verdict ask_leaf(struct stage *s, const struct pki_spec *spec,
                              const struct trust_question *question);

extern const struct trust_question by_ca;

void expect(const struct trust_verdict *verdict, enum trust_reason reason, unsigned alert,
            int depth, const char *words);

#endif
