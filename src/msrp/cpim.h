/* SPDX-License-Identifier: Apache-2.0 */
/** @file The wrapper message/cpim (RFC 3862) as far as chat rooms need it (RFC 7701, 6). */
#ifndef GH_MSRP_CPIM_H
#define GH_MSRP_CPIM_H

#include "base/base.h"

/** Texts are borrowed; what is not there is empty. */
struct msrp_cpim {
	struct base_str from, to; /**< URIs, without the name and the angle brackets */
	size_t froms, tos;        /**< how many of these there were; `from`, `to` are the first */
	struct base_str date_time;
	struct base_str content_type; /**< of what is wrapped */
	size_t len;                   /**< octets up to the content */
};

/**
 * Read the headers at the beginning of a message. MIME headers stand behind an empty line (2), or,
 * as in the examples of RFC 4975 and RFC 7701, right behind the others.
 * @return 0, BASE_AGAIN when more octets are needed, BASE_PEER with detail 400
 */
int msrp_cpim_parse(struct base_str text, struct msrp_cpim *ret);
/** Headers, then the content type of what the caller writes next. Empty texts are left out. */
void msrp_cpim_write(struct base_writer *w, const struct msrp_cpim *cpim);

/**
 * Do two URIs name one participant? Scheme and host without case, the user's name as it is, and
 * whatever follows, without case; tel URIs without their visual separators. Less than RFC
 * 3261, 19.1.4: parameters have to be the same.
 */
bool msrp_same_participant(struct base_str a, struct base_str b);

#endif
