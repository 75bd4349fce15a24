/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Cross-certificates that have left the repositories. All in `cross/` of the cache folder came out
 * of one, so what none of them has any more goes; but only when each has been read, whole, since
 * the start, and in a way that nobody could cut short.
 */
#ifndef GH_FETCH_WITHDRAWN_H
#define GH_FETCH_WITHDRAWN_H

#include "fetch/blob.h"

/** What each repository had when it was last read. All zero is nothing. */
struct fetch_seen {
	struct fetch_seen_part *part;
	size_t count;
};
void fetch_seen_done(struct fetch_seen *seen);

/**
 * A repository was read, whole: note its cross-certificates, and remove those that no one has.
 * @param which  tells it from the others; only compared
 * @param of     number of repositories
 * @return 0, or BASE_LOCAL: then nothing was noted, or not all removed
 */
int fetch_seen_note(struct fetch_seen *seen, const char *folder, const void *which, size_t of,
                    const struct fetch_blobs *blobs, struct base_error *err);

#endif
