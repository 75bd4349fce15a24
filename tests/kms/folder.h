/* SPDX-License-Identifier: Apache-2.0 */
/** @file A folder of a test's own, and its end. */
#ifndef GH_TESTS_KMS_FOLDER_H
#define GH_TESTS_KMS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
	char path[64];
	char store[96]; /* a file in it */
};

static inline void folder_make(struct folder *f)
{
	(void)snprintf(f->path, sizeof(f->path), "/tmp/gatehouse-kms-XXXXXX");
	if (!mkdtemp(f->path))
		abort();
	(void)snprintf(f->store, sizeof(f->store), "%s/store", f->path);
}

static inline int folder_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void folder_remove(struct folder *f)
{
	(void)nftw(f->path, folder_entry, 8, FTW_DEPTH | FTW_PHYS); /* /tmp, and a test */
}

#endif
