/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the process gives up before it speaks to anybody. */
#ifndef GH_FETCH_CONFINE_H
#define GH_FETCH_CONFINE_H

#include <sys/types.h>

#include "base/base.h"

/**
 * Become that user for good, with all three ids, without further groups. Where we are not root,
 * only check that we are nobody's root.
 * @param user  NULL = stay who we are, which root may not
 * @return 0; BASE_CONFIG with the remedy
 */
int fetch_confine_user(const char *user, uid_t uid, gid_t gid, struct base_error *err);

/**
 * No new privileges, no core files, and of the system calls those that the program needs: another
 * one kills the process. All threads. Sanitizers need more and are only watched (the kernel's log).
 * @return 0; BASE_LOCAL
 */
int fetch_confine_calls(struct base_error *err);

#endif
