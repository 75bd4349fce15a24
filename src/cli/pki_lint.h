/* SPDX-License-Identifier: Apache-2.0 */
/** @file What `pki issue` and `pki cross-certify` have of `pki lint`. */
#ifndef GH_CLI_PKI_LINT_H
#define GH_CLI_PKI_LINT_H

#include "cli/pki.h"
#include "profile/profile.h"

/** The certificate profile of all subcommands that are told no other. */
#define PKI_LINT_PROFILE "cert-ts33310"

/**
 * Print the findings of a certificate to standard error, one line each, `what` in front.
 * @return 0; BASE_CONFIG or BASE_LOCAL, told, when the profile cannot be had
 */
int pki_lint_show(const char *what, X509 *cert, enum profile_role role, struct profile_tally *ret);

#endif
