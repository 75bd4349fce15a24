/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's side: nothing is ever written to under the name that readers look for. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "trust/cache.h"

#define TEMPORARY ".new-"

static const char *const kind_folder[] = { [TRUST_CACHE_CROSS] = "cross", [TRUST_CACHE_CA] = "ca" };

static bool hash_str(EVP_MD_CTX *ctx, struct base_str s)
{
	const uint8_t len[4] = { (uint8_t)(s.len >> 24), (uint8_t)(s.len >> 16),
		                 (uint8_t)(s.len >> 8), (uint8_t)s.len };

	return EVP_DigestUpdate(ctx, len, sizeof(len)) == 1 &&
	       EVP_DigestUpdate(ctx, s.ptr, s.len) == 1;
}

int trust_cache_name(const struct x509_crl_index *index, char ret[TRUST_CACHE_NAME_MAX])
{
	const struct x509_crl_info *info = x509_crl_index_info(index);
	const uint8_t delta = info->flags & X509_CRL_DELTA ? 1 : 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[32];
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	          hash_str(ctx, info->issuer) && hash_str(ctx, info->scope) &&
	          EVP_DigestUpdate(ctx, &delta, 1) == 1 &&
	          EVP_DigestUpdate(ctx, info->signer, 32) == 1 &&
	          EVP_DigestFinal_ex(ctx, sum, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!ok)
		return BASE_ERR(BASE_LOCAL, 0);
	base_hex_encode(sum, sizeof(sum), 0, false, ret);
	(void)snprintf(ret + 64, TRUST_CACHE_NAME_MAX - 64, ".crlx");
	return 0;
}

static int fail(const char *folder, int failed, const char *what, struct base_error *err)
{
	base_error_place(err, folder, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_LOCAL, failed), "cannot %s the cache: %s", what,
	                      strerror(failed));
}

static int all_write(int fd, struct base_str octets)
{
	while (octets.len) {
		ssize_t done = write(fd, octets.ptr, octets.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : EIO;
		octets.ptr += done;
		octets.len -= (size_t)done;
	}
	return 0;
}

/* @return 0 or errno */
static int file_put(int dir, const char *name, struct base_str octets)
{
	char temporary[64];
	int fd, failed;

	(void)snprintf(temporary, sizeof(temporary), TEMPORARY "%ld-%.16s", (long)getpid(), name);
	(void)unlinkat(dir, temporary, 0); /* of one with our number that was killed, if any */
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		return errno;
	failed = all_write(fd, octets);
	if (!failed && (fchmod(fd, 0444) < 0 || fsync(fd) < 0))
		failed = errno;
	if (close(fd) < 0 && !failed)
		failed = errno;
	if (!failed && renameat(dir, temporary, dir, name) < 0)
		failed = errno;
	if (failed)
		(void)unlinkat(dir, temporary, 0); /* if this fails too, tidying does it */
	else
		(void)fsync(
		        dir); /* the file is whole in either case; a crash may forget the name */
	return failed;
}

static int folder_put(const char *folder, const char *name, struct base_str octets,
                      struct base_error *err)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;

	if (dir < 0)
		return fail(folder, errno, "open", err);
	failed = file_put(dir, name, octets);
	(void)close(dir); /* only read from */
	return failed ? fail(folder, failed, "write to", err) : 0;
}

/* Below 0: `a` is older than `b`. */
static int age_compare(const struct x509_crl_info *a, const struct x509_crl_info *b)
{
	if (a->this_update_s != b->this_update_s)
		return a->this_update_s < b->this_update_s ? -1 : 1;
	return x509_crl_number_compare(a->number, b->number);
}

int trust_cache_write(const char *folder, const struct x509_crl_index *index,
                      struct base_error *err)
{
	const struct x509_crl_info *info = x509_crl_index_info(index);
	struct x509_crl_index *there = NULL;
	char name[TRUST_CACHE_NAME_MAX], path[4096];
	bool same = false;
	int rc = trust_cache_name(index, name), order = -1;

	if (rc)
		return rc;
	if (!(info->flags & X509_CRL_VERIFIED))
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "the CRL's signature was not verified");
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return fail(folder, ENAMETOOLONG, "write to", err);
	if (x509_crl_index_map(&there, path, NULL) == 0) {
		order = age_compare(x509_crl_index_info(there), info);
		same = memcmp(x509_crl_index_info(there)->tbs_sha256, info->tbs_sha256, 32) == 0;
		x509_crl_index_unref(there);
	}
	if (same)
		return 0;
	if (order > 0)
		return base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                      "the CRL is older than the one in the cache");
	return folder_put(folder, name, x509_crl_index_octets(index), err);
}

int trust_cache_cert_name(struct base_str der, char ret[TRUST_CACHE_NAME_MAX])
{
	uint8_t sum[32];

	if (EVP_Digest(der.ptr, der.len, sum, NULL, EVP_sha256(), NULL) != 1) {
		ERR_clear_error();
		return BASE_ERR(BASE_LOCAL, 0);
	}
	base_hex_encode(sum, sizeof(sum), 0, false, ret);
	(void)snprintf(ret + 64, TRUST_CACHE_NAME_MAX - 64, ".der");
	return 0;
}

static bool is_cert_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 64 && !strcmp(name + 64, ".der");
}

int trust_cache_certs_drop(const char *folder, enum trust_cache_kind kind,
                           bool (*keep)(void *arg, const char *name), void *arg,
                           struct base_error *err)
{
	char path[4096];
	const struct dirent *entry;
	int failed = 0, dropped = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, kind_folder[kind]);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : fail(path, errno, "read", err);
	while ((entry = readdir(dir))) {
		if (!is_cert_name(entry->d_name) || keep(arg, entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
			failed = errno;
		dropped++;
	}
	if (dropped)
		(void)fsync(dirfd(dir)); /* a crash may forget it: it is found again */
	(void)closedir(dir);             /* only read from */
	return failed ? fail(path, failed, "remove from", err) : 0;
}

int trust_cache_write_cert(const char *folder, enum trust_cache_kind kind, const X509 *cert,
                           struct base_error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der), rc = BASE_ERR(BASE_LOCAL, 0);
	char path[4096], name[TRUST_CACHE_NAME_MAX];

	if (len <= 0 ||
	    trust_cache_cert_name((struct base_str){ (const char *)der, (size_t)len }, name))
		goto out;
	if (snprintf(path, sizeof(path), "%s/%s", folder, kind_folder[kind]) >= (int)sizeof(path)) {
		rc = fail(folder, ENAMETOOLONG, "write to", err);
		goto out;
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		rc = fail(path, errno, "write to", err);
	else
		rc = folder_put(path, name, (struct base_str){ (const char *)der, (size_t)len },
		                err);
out:
	OPENSSL_free(der);
	ERR_clear_error();
	return rc;
}

int trust_cache_certs(const char *folder, enum trust_cache_kind kind, STACK_OF(X509) * into,
                      trust_cache_told_fn *told, void *arg)
{
	char path[4096], file[4096 + 300];
	const struct dirent *entry;
	DIR *dir;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, kind_folder[kind]);
	dir = opendir(path);
	while (dir && !rc && (entry = readdir(dir))) {
		struct base_error err = { 0 };
		size_t len = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || len < 5 ||
		    strcmp(entry->d_name + len - 4, ".der") != 0)
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		rc = x509_certs_load(file, into, &err);
		if (rc && base_err_class(rc) != BASE_LOCAL) {
			if (told)
				told(arg, &err);
			rc = 0;
		}
	}
	if (dir)
		(void)closedir(dir); /* only read from */
	return rc;
}

static void folder_tidy(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, TEMPORARY, sizeof(TEMPORARY) - 1) == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0); /* nobody looks at it */
	if (dir)
		(void)closedir(dir); /* only read from */
}

void trust_cache_tidy(const char *folder)
{
	char path[4096];

	folder_tidy(folder);
	for (size_t i = 0; i < BASE_COUNT(kind_folder); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, kind_folder[i]);
		folder_tidy(path);
	}
}
