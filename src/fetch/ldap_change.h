/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What has to change in an entry, decided from what is there: one modify or one add, which holds
 * only while the entry is as it was read (RFC 4528, by entryCSN where the directory has it).
 */
#ifndef GH_FETCH_LDAP_CHANGE_H
#define GH_FETCH_LDAP_CHANGE_H

#include <ldap.h>

#include "fetch/ldap_job.h"

#define FETCH_CHANGE_MODS (FETCH_LDAP_ATTRIBUTES + 4)

/** An entry as it is; all zero is one that does not exist. */
struct fetch_ldap_entry {
	bool exists, is_ca, is_delta; /**< object classes pkiCA, deltaCRL (RFC 4523, 5) */
	char state[64];               /**< entryCSN; "" = the directory has none */
	struct fetch_ldap_there {
		unsigned bit;
		struct base_str value;
	} * there; /**< the lists in it */
	size_t count;
};

/** A list of modifications for libldap, in an arena. */
struct fetch_ldap_change {
	struct base_arena *arena;
	LDAPMod mod[FETCH_CHANGE_MODS], *list[FETCH_CHANGE_MODS + 1];
	size_t count;
};

/**
 * Decide. A CRL there that our own issuer signed with the same key for the same scope makes room
 * for ours, unless it is newer; CRLs of others stay. Certificates and pairs become what the job
 * says.
 * @param dn  where the entry is, or shall be made
 * @return 0; BASE_CONFIG with words (ours is older; the name has no object class here); BASE_LOCAL
 */
int fetch_ldap_change_make(struct fetch_ldap_change *change, const char *dn,
                           const struct fetch_job_entry *want, const struct fetch_ldap_entry *have,
                           struct base_error *err);

#endif
