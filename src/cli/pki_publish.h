/* SPDX-License-Identifier: Apache-2.0 */
/** @file Shared by the two ways to publish: into a folder, into a directory over LDAP. */
#ifndef GH_CLI_PKI_PUBLISH_H
#define GH_CLI_PKI_PUBLISH_H

#include "cli/pki_folder.h"

#define PKI_PARTS_MAX 32

/** One authority's part, read before anything is written. */
struct pki_part {
	char name[32]; /**< its folder */
	char stem[64]; /**< of the published files, or the name of the entry */
	char *url;     /**< LDAP address of its CRL, from its certificate; NULL = none */
	struct base_writer crl, delta; /**< DER; no delta is empty */
	struct base_str cert;
};

/** Where a directory is and how to speak to it; for gatehouse-fetch, which alone does. */
struct pki_directory {
	const char *to;                             /**< URL: host and DN */
	const char *anchors, *bind, *password_file; /**< NULL = none */
	bool start_tls, unsafe_clear_bind, create;
};

/**
 * Write the parts of the operator's folder `dir` into a directory, by a child gatehouse-fetch.
 * @return exit status, all said
 */
int pki_publish_ldap(const char *dir, const struct pki_part *part, size_t count,
                     const struct pki_directory *to);

#endif
