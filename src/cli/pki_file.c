/* SPDX-License-Identifier: Apache-2.0 */
/** @file Files that are replaced as a whole, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pki_folder.h"

static int failed(const char *path, struct base_error *err, const char *what)
{
	int error = errno;

	base_error_place(err, path, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, error), "%s: %s", what, strerror(error));
}

char *pki_join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

int pki_dir_sync(const char *dir, struct base_error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? failed(dir, err, "cannot sync the folder") : 0;

	if (fd >= 0)
		(void)close(fd); /* it was only synced */
	return rc;
}

static int fd_write(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t done = write(fd, at, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		len -= (size_t)done;
	}
	return fsync(fd);
}

static int parent_sync(const char *path, struct base_error *err)
{
	char *copy = strdup(path);
	int rc = copy ? pki_dir_sync(dirname(copy), err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	free(copy);
	return rc;
}

int pki_file_write(const char *path, const void *data, size_t len, unsigned mode,
                   struct base_error *err)
{
	char *temporary;
	int fd, rc = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		rc = failed(path, err, "cannot create the file");
	else if (fchmod(fd, (mode_t)mode) || fd_write(fd, data, len))
		rc = failed(path, err, "cannot write the file");
	if (fd >= 0 && close(fd) && !rc)
		rc = failed(path, err, "cannot write the file");
	if (!rc && rename(temporary, path))
		rc = failed(path, err, "cannot put the file in its place");
	if (rc && fd >= 0)
		(void)unlink(temporary); /* nothing more can be done about it */
	free(temporary);
	return rc ? rc : parent_sync(path, err);
}

int pki_cert_write(const char *path, const X509 *cert, struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	int rc = x509_cert_write(cert, &w);

	if (!rc)
		rc = pki_file_write(path, w.data, w.len, 0644, err);
	base_writer_done(&w);
	return rc;
}

int pki_key_write(const char *path, const EVP_PKEY *key, struct base_error *err)
{
	struct base_writer w = { .wipe = true };
	int rc = x509_key_write(key, &w);

	if (!rc)
		rc = pki_file_write(path, w.data, w.len, 0600, err);
	base_writer_done(&w);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void pki_tree_remove(const char *dir)
{
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* why is told already */
}
