/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages shared by the tests of this folder: files of the data folder, found by place. */
#ifndef GH_TESTS_H248_SHARED_H
#define GH_TESTS_H248_SHARED_H

#include "h248/h248.h"

struct shared_file {
	char name[256];
	char *text; /* allocated, not terminated */
	size_t len;
};

/** All files of a folder below the shared data, sorted. 0 and a printed reason where absent. */
size_t shared_folder(const char *folder, struct shared_file **ret);
void shared_free(struct shared_file *files, size_t count);

#endif
