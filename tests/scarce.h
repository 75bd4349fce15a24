/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Memory that runs short, for walks over every allocation: the linker leads our code's malloc,
 * calloc and realloc to scarce.c (--wrap); what libraries allocate stays as it is.
 */
#ifndef GH_TESTS_SCARCE_H
#define GH_TESTS_SCARCE_H

#include <stdbool.h>

/** So many allocations succeed, then one fails, or (`for_good`) all do. < 0: none fails any more.
 */
void scarce_after(long count, bool for_good);
/** Has one failed since memory was last made scarce? */
bool scarce_failed(void);

#endif
