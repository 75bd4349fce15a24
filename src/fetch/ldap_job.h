/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What `gatehouse-fetch --publish` is to write, as it comes on standard input from
 * `gatehouse pki publish`, which has the authorities' keys and therefore speaks to nobody:
 *
 *   entry NAME                 an authority: letters, digits, hyphens, dots, underscores
 *   at URL                     where its certificates say that its CRL is; may be left out
 *   attribute NAME COUNT       the values that this attribute shall have (RFC 4523, 4)
 *   value LEN                  COUNT times, each followed by LEN octets and a line end
 *   end                        of the job
 *
 * An attribute that is not named stays as it is; certificates and pairs of 0 values go.
 */
#ifndef GH_FETCH_LDAP_JOB_H
#define GH_FETCH_LDAP_JOB_H

#include "fetch/ldap_url.h"

#define FETCH_JOB_ENTRIES 32
#define FETCH_JOB_VALUES  4096

struct fetch_job_attribute {
	unsigned bit; /**< enum fetch_ldap_attribute */
	struct base_str *values;
	size_t count;
};

struct fetch_job_entry {
	char name[64];
	char url[FETCH_URL_MAX + 1]; /**< "" = none */
	struct fetch_job_attribute attribute[FETCH_LDAP_ATTRIBUTES];
	size_t count; /**< of attributes */
};

/** All zero is an empty one. */
struct fetch_job {
	struct base_arena arena;
	struct fetch_job_entry *entries;
	size_t count;
};

/**
 * @param octets  all of the input; the values are borrowed from it
 * @return 0; BASE_CONFIG with words; BASE_LOCAL; end it with fetch_job_done() in any case
 */
int fetch_job_parse(struct fetch_job *job, struct base_str octets, struct base_error *err);
void fetch_job_done(struct fetch_job *job);

#endif
