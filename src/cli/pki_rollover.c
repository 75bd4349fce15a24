/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * `gatehouse pki rollover`: a new key for an authority, with links between both (RFC 4210, 4.4).
 *
 * The new authority is made whole in a folder beside the old one, then both change names in one
 * step; the old one becomes NAME.1, NAME.2, ... and goes on making CRLs for what it issued. A crash
 * leaves either the old state with a folder too many, or the new one with the old authority under
 * its temporary name: nothing is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/pki_folder.h"
#include "cli/pki_key.h"

#define CRL_FIRST_DAYS 7

static const char usage[] =
        "usage: gatehouse pki rollover --ca NAME [OPTION ...] DIR\n"
        "\n"
        "Gives an authority a new key under its old name. DIR/NAME is then the new one, "
        "DIR/NAME.1\n"
        "(NAME.2, ...) the old one, whose CRLs go on as long as certificates by it live. In "
        "DIR/NAME:\n"
        "new-with-old.pem leads who trusts the old key to the new one, old-with-new.pem the other\n"
        "way.\n"
        "\n"
        "  --ca NAME        interconnection, tls-client or tls-server\n" PKI_KEY_HELP
        "  --crl-url URL    where the new key's CRL will lie; not where the old one's does, since\n"
        "                   both are needed (may repeat)\n"
        "  --days N         validity (default 3650)\n"
        "  --help           this text\n";

struct rollover {
	const char *dir, *name;
	struct pki_list urls;
	struct pki_key_choice key;
	unsigned days;
};

/* Two CRLs cannot lie in one place. */
static int urls_check(const struct rollover *r, X509 *old, struct base_error *err)
{
	char **urls = x509_crl_urls(old);
	int rc = 0;

	if (urls && !r->urls.count)
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "the old key's CRL lies at %s; give the new one's another "
		                    "address with --crl-url",
		                    urls[0]);
	for (size_t i = 0; !rc && urls && urls[i]; i++)
		for (size_t j = 0; j < r->urls.count; j++)
			if (!strcmp(urls[i], r->urls.item[j]))
				rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
				                    "the old key's CRL lies at %s already",
				                    urls[i]);
	x509_urls_free(urls);
	return rc;
}

static int root_make(const struct rollover *r, const struct pki_ca *old, EVP_PKEY *key, X509 **ret,
                     struct base_error *err)
{
	struct x509_make what = { .kind = X509_MAKE_CA, .subject_of = old->id->cert };
	struct x509_about about;
	int rc = x509_about_cert(old->id->cert, &about);

	what.key = what.issuer_key = key;
	what.path_len = BASE_MAX(about.path_len, 0);
	what.crl_urls = r->urls.count ? r->urls.item : NULL;
	what.from_s = (int64_t)time(NULL) - 3600;
	what.until_s = (int64_t)time(NULL) + (int64_t)r->days * PKI_DAY_S;
	if (!rc)
		rc = x509_serial_make(what.serial);
	return rc ? rc : x509_make_cert(ret, &what, err);
}

/* The key of `subject` certified by `ca`, for as long as both live. */
static int link_make(struct pki_ca *ca, X509 *subject, const char *dir, const char *file,
                     struct base_error *err)
{
	struct x509_make what = { .kind = X509_MAKE_CA, .subject_of = subject };
	struct x509_about about;
	char *path = pki_join(dir, file);
	X509 *cert = NULL;
	int rc = path ? x509_about_cert(subject, &about) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc) {
		what.key = X509_get0_pubkey(subject);
		what.path_len = BASE_MAX(about.path_len, 0);
		what.from_s = about.from_s;
		what.until_s = about.until_s;
		rc = pki_ca_sign(ca, &what, "link", about.subject, &cert, err);
	}
	if (!rc)
		rc = pki_cert_write(path, cert, err);
	X509_free(cert);
	free(path);
	return rc;
}

static int links_make(const struct rollover *r, struct pki_ca *old, X509 *root, const char *folder,
                      const char *path, struct base_error *err)
{
	struct pki_ca new;
	uint64_t number;
	int rc = link_make(old, root, path, "new-with-old.pem", err);

	if (!rc)
		rc = pki_ca_open(&new, r->dir, folder, err);
	if (rc)
		return rc;
	rc = link_make(&new, old->id->cert, path, "old-with-new.pem", err);
	if (!rc)
		rc = pki_ca_crl(&new, (int64_t)CRL_FIRST_DAYS * PKI_DAY_S, &number, err);
	pki_ca_close(&new);
	return rc;
}

/* The first name that nobody has: NAME.1, NAME.2, ... */
static char *old_name(const struct pki_ca *old)
{
	struct stat st;
	char *path;

	for (unsigned i = 1; i < 1000; i++) {
		if (asprintf(&path, "%s.%u", old->dir, i) < 0)
			return NULL;
		if (lstat(path, &st) && errno == ENOENT)
			return path;
		free(path);
	}
	return NULL;
}

static int swap(const struct rollover *r, const struct pki_ca *old, const char *path,
                struct base_error *err)
{
	char *keep = old_name(old);
	int rc = keep ? pki_dir_sync(path, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc && renameat2(AT_FDCWD, path, AT_FDCWD, old->dir, RENAME_EXCHANGE))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot swap %s and %s: %s",
		                    path, old->dir, strerror(errno));
	else if (!rc && rename(path, keep))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno),
		                    "the new key is in place; the old authority is still called "
		                    "%s: %s",
		                    path, strerror(errno));
	if (!rc)
		rc = pki_dir_sync(r->dir, err);
	if (!rc)
		printf("%s has a new key; the old one is %s: go on with its CRLs\n", old->dir,
		       keep);
	free(keep);
	return rc;
}

static int make(const struct rollover *r, struct pki_ca *old, const char *path,
                struct base_error *err)
{
	const char *folder = strrchr(path, '/') + 1;
	EVP_PKEY *key = NULL;
	X509 *root = NULL;
	int rc = pki_key_get(&r->key, &key, err);

	if (!rc)
		rc = root_make(r, old, key, &root, err);
	if (!rc)
		rc = pki_folder_fill(path, root, key, r->key.uri, err);
	if (!rc)
		rc = links_make(r, old, root, folder, path, err);
	X509_free(root);
	EVP_PKEY_free(key);
	return rc;
}

static int run(const struct rollover *r, struct base_error *err)
{
	struct pki_ca old;
	char *path = NULL;
	int rc = pki_ca_open(&old, r->dir, r->name, err);

	if (rc)
		return rc;
	rc = urls_check(r, old.id->cert, err);
	if (!rc && asprintf(&path, "%s.XXXXXX", old.dir) < 0) {
		path = NULL;
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	if (!rc && !mkdtemp(path))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "cannot make a folder: %s",
		                    strerror(errno));
	else if (!rc && (rc = make(r, &old, path, err)))
		pki_tree_remove(path);
	if (!rc)
		rc = swap(r, &old, path, err);
	free(path);
	pki_ca_close(&old);
	return rc;
}

static bool take(void *arg, int c, const char *word)
{
	struct rollover *r = arg;

	switch (c) {
	case 'a':
		return pki_ca_name_ok(r->name = word, false);
	case 'k':
		return pki_key_take(&r->key, word);
	case 'g':
		return pki_key_take_generate(&r->key, word);
	case 'c':
		return pki_list_add(&r->urls, word);
	case 'd':
		return pki_number("--days", word, 36500, &r->days);
	default:
		return false;
	}
}

int pki_rollover_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "ca", required_argument, NULL, 'a' },
		{ "key", required_argument, NULL, 'k' },
		{ "generate", required_argument, NULL, 'g' },
		{ "crl-url", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct rollover r = { .days = 3650 };
	struct base_error err = { .rc = 0 };
	int status = pki_options(argc, argv, option, usage, take, &r);

	if (status >= 0)
		return status;
	if (!pki_key_fits(&r.key))
		return PKI_MISUSED;
	if (!r.name || optind != argc - 1)
		return pki_usage(usage);
	r.dir = argv[optind];
	return run(&r, &err) ? pki_complain(&err) : PKI_DONE;
}
