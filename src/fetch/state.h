/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `.sources` in the cache folder: which file came from which URL, so that after a restart the
 * fetcher knows what it has and which distribution points it had learnt. Lines of
 * `FILE KIND URL`, KIND one of `set` (configured) and `learnt`. Pure but for reading and writing.
 */
#ifndef GH_FETCH_STATE_H
#define GH_FETCH_STATE_H

#include "base/base.h"

#define FETCH_STATE_FILE ".sources"
#define FETCH_STATE_MAX  ((size_t)16 << 20)

struct fetch_state_line {
	struct base_str file; /**< HEX.crlx, checked */
	struct base_str url;  /**< visible ASCII */
	bool learnt;
};

/**
 * The next line. Lines that are damaged are skipped. `*at` is 0 at first.
 * @return false at the end
 */
bool fetch_state_next(struct base_str text, size_t *at, struct fetch_state_line *ret);
void fetch_state_line_put(struct base_writer *w, const struct fetch_state_line *line);

/** Write a file by a rename. @return 0, or BASE_LOCAL with errno as detail; the old one stays */
int fetch_file_replace(const char *path, struct base_str octets, struct base_error *err);

#endif
