/* SPDX-License-Identifier: Apache-2.0 */
/** @file Files of the data folder beside the project, found by place. */
#ifndef GH_TESTS_SHARED_H
#define GH_TESTS_SHARED_H

#include "base/base.h"

struct shared_file {
	char name[256];
	char *text; /* allocated, not terminated */
	size_t len;
};

/** All files of a folder below the shared data, sorted. 0 and a printed reason where absent. */
size_t shared_folder(const char *folder, struct shared_file **ret);
void shared_free(struct shared_file *files, size_t count);

#endif
