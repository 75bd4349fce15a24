/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki publish`: what others need of an operator's authorities. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/pki_publish.h"

static const char usage[] =
        "usage: gatehouse pki publish DIR FOLDER\n"
        "       gatehouse pki publish [OPTION ...] DIR URL\n"
        "\n"
        "Into a folder: each authority's CRL (NAME.crl, DER), delta CRL (NAME-delta.crl) and\n"
        "certificate (NAME.cer, DER), as a web server hands them out; NAME is the file that the\n"
        "CRL's address in the certificates ends with.\n"
        "\n"
        "Into a directory (URL is ldap or ldaps, a host and a DN; RFC 4523): the entry of each\n"
        "authority gets its certificates, its CRL, its delta CRL, if there is one in its folder,\n"
        "and, as pairs, the cross-certificates that live. The entry is the one that an LDAP\n"
        "address of the CRL in the certificates names, if that is below the DN, else cn=NAME. It\n"
        "is written by gatehouse-fetch, which has to be installed.\n"
        "\n"
        "Authorities that were rolled over take part. Never a key. A CRL that has ended, or that\n"
        "is older than the published one, is refused and nothing is written.\n"
        "\n"
        "  --to URL              the same as URL behind DIR\n"
        "  --anchors FILE        certificates that vouch for the directory; for ldaps, StartTLS\n"
        "  --start-tls           TLS inside ldap\n"
        "  --bind DN             who writes, with\n"
        "  --password-file FILE  the password in a file that not everybody can read\n"
        "  --unsafe-clear-bind   let the password go without TLS\n"
        "  --create              make entries that are not there\n"
        "  --help                this text\n";

static const char *const names[] = { PKI_INTERCONNECTION, PKI_TLS_CLIENT, PKI_TLS_SERVER };

static int file_error(const char *file, struct base_error *err, const char *what)
{
	base_error_place(err, file, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s", what);
}

static int crl_about(const char *file, struct x509_about_crl *about, struct base_writer *der,
                     struct base_error *err)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	int rc = crls ? x509_crls_load(file, crls, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		x509_about_crl(sk_X509_CRL_value(crls, 0), about);
	if (!rc && der)
		rc = x509_crl_write(sk_X509_CRL_value(crls, 0), false, der);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return rc;
}

/* Numbers of our own CRLs have at most 64 bits (pki_folder.c). */
static bool older(const struct x509_about_crl *a, const struct x509_about_crl *than)
{
	uint64_t x = 0, y = 0;

	return base_str_u64(base_str_of(a->number), UINT64_MAX, &x) ||
	       base_str_u64(base_str_of(than->number), UINT64_MAX, &y) || x < y;
}

/* `published` is what is there already; NULL = somebody else compares. */
static int crl_take(const char *file, const char *published, struct base_writer *ret,
                    struct base_error *err)
{
	struct x509_about_crl about, last;
	struct stat st;
	int rc = crl_about(file, &about, ret, err);

	if (rc)
		return rc;
	if (about.next_s <= (int64_t)time(NULL))
		return file_error(file, err, "the CRL has ended; make the next one with crl");
	if (!published || stat(published, &st))
		return 0; /* the first one */
	rc = crl_about(published, &last, NULL, err);
	if (!rc && (strcmp(about.issuer, last.issuer) != 0 || older(&about, &last)))
		rc = file_error(published, err, "is of another authority, or newer than ours");
	return rc;
}

/* "tls-server-2" of "http://crl.a.example/x/tls-server-2.crl", where that is a plain name. */
static bool stem_of(const char *url, char *out, size_t cap)
{
	const char *slash = strrchr(url, '/');
	const char *from = slash ? slash + 1 : url;
	size_t len = strlen(from);
	size_t plain = strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "0123456789-_.");

	if (*from == '.' || plain != len || len < 5 || len - 4 >= cap ||
	    strcmp(from + len - 4, ".crl") != 0)
		return false;
	(void)snprintf(out, cap, "%.*s", (int)(len - 4), from);
	return true;
}

static int cert_take(const char *file, struct pki_part *part, struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	int rc = certs ? x509_certs_load(file, certs, err) : BASE_ERR(BASE_LOCAL, ENOMEM);
	char **urls = rc ? NULL : x509_crl_urls(sk_X509_value(certs, 0));
	bool named = false;

	for (size_t i = 0; urls && urls[i] && !named; i++)
		named = stem_of(urls[i], part->stem, sizeof(part->stem));
	if (!named)
		(void)snprintf(part->stem, sizeof(part->stem), "%.*s", (int)sizeof(part->name) - 1,
		               part->name);
	if (!rc)
		rc = x509_cert_der(sk_X509_value(certs, 0), &part->cert);
	for (size_t i = 0; !rc && urls && urls[i] && !part->url; i++)
		if (!strncasecmp(urls[i], "ldap", 4)) {
			part->url = strdup(urls[i]);
			rc = part->url ? 0 : BASE_ERR(BASE_LOCAL, ENOMEM);
		}
	x509_urls_free(urls);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* One that has ended serves nobody: who goes on without deltas need not tidy up. */
static int delta_take(const char *dir, const char *to, struct pki_part *part,
                      struct base_error *err)
{
	struct x509_about_crl about = { .next_s = 0 };
	char *file = NULL, *published = NULL;
	struct stat st;
	int rc = 0;

	if (asprintf(&file, "%s/%s/delta.crl", dir, part->name) < 0)
		file = NULL;
	if (to && asprintf(&published, "%s/%s-delta.crl", to, part->stem) < 0)
		published = NULL;
	if (!file || (to && !published))
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!rc && !stat(file, &st)) {
		rc = crl_about(file, &about, NULL, err);
		if (!rc && about.next_s > (int64_t)time(NULL))
			rc = crl_take(file, published, &part->delta, err);
	}
	free(file);
	free(published);
	return rc;
}

/* `to` is the folder with what was published; NULL = it is a directory. */
static int part_take(const char *dir, const char *to, struct pki_part *part, struct base_error *err)
{
	char *crl = NULL, *cert = NULL, *published = NULL;
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (asprintf(&cert, "%s/%s/ca.pem", dir, part->name) < 0)
		cert = NULL;
	if (cert)
		rc = cert_take(cert, part, err);
	if (asprintf(&crl, "%s/%s/ca.crl", dir, part->name) < 0)
		crl = NULL;
	if (to && asprintf(&published, "%s/%s.crl", to, part->stem) < 0)
		published = NULL;
	if (!rc)
		rc = crl && (published || !to) ? crl_take(crl, published, &part->crl, err)
		                               : BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!rc)
		rc = delta_take(dir, to, part, err);
	free(crl);
	free(cert);
	free(published);
	return rc;
}

/* The authorities, and those they had before a rollover: NAME.1, NAME.2, ... */
static size_t parts_find(const char *dir, struct pki_part part[PKI_PARTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		for (unsigned old = 0; count < PKI_PARTS_MAX; old++) {
			char *name = part[count].name, *path;
			struct stat st;
			bool there;

			(void)snprintf(name, sizeof(part->name), "%s", names[i]);
			if (old)
				(void)snprintf(name, sizeof(part->name), "%s.%u", names[i], old);
			path = pki_join(dir, name);
			there = !old || (path && !stat(path, &st));
			free(path);
			if (!there)
				break;
			count++;
		}
	}
	return count;
}

static int stems_check(const struct pki_part *part, size_t count, struct base_error *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(part[i].stem, part[j].stem))
				return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
				                      "%s and %s would both be published as %s",
				                      part[j].name, part[i].name, part[i].stem);
	return 0;
}

static int put(const char *to, const char *name, const char *ending, const void *data, size_t len,
               struct base_error *err)
{
	char *path;
	int rc;

	if (asprintf(&path, "%s/%s%s", to, name, ending) < 0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = pki_file_write(path, data, len, 0644, err);
	if (!rc)
		printf("wrote %s\n", path);
	free(path);
	return rc;
}

static int parts_take(const char *dir, const char *to, struct pki_part part[PKI_PARTS_MAX],
                      size_t *ret_count, struct base_error *err)
{
	size_t count = *ret_count = parts_find(dir, part);
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = part_take(dir, to, &part[i], err);
	return rc ? rc : stems_check(part, count, err);
}

static int parts_put(const char *to, const struct pki_part *part, size_t count,
                     struct base_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++) {
		rc = put(to, part[i].stem, ".cer", part[i].cert.ptr, part[i].cert.len, err);
		if (!rc)
			rc = put(to, part[i].stem, ".crl", part[i].crl.data, part[i].crl.len, err);
		if (!rc && part[i].delta.len)
			rc = put(to, part[i].stem, "-delta.crl", part[i].delta.data,
			         part[i].delta.len, err);
	}
	return rc;
}

/* @return exit status */
static int publish(const char *dir, const char *folder, const struct pki_directory *directory)
{
	struct pki_part part[PKI_PARTS_MAX] = { 0 };
	struct base_error err = { .rc = 0 };
	size_t count;
	int rc = parts_take(dir, folder, part, &count, &err);
	int status;

	if (!rc && folder)
		rc = parts_put(folder, part, count, &err);
	status = rc ? pki_complain(&err) : PKI_DONE;
	if (!rc && !folder)
		status = pki_publish_ldap(dir, part, count, directory);
	for (size_t i = 0; i < count; i++) {
		base_writer_done(&part[i].crl);
		base_writer_done(&part[i].delta);
		x509_der_free(&part[i].cert);
		free(part[i].url);
	}
	return status;
}

/* @return false when the words are wrong, or help was asked for: then *ret_status says which */
static bool options_read(int argc, char **argv, struct pki_directory *to, int *ret_status)
{
	static const struct option option[] = { { "help", no_argument, NULL, 'h' },
		                                { "to", required_argument, NULL, 't' },
		                                { "anchors", required_argument, NULL, 'a' },
		                                { "start-tls", no_argument, NULL, 's' },
		                                { "bind", required_argument, NULL, 'b' },
		                                { "password-file", required_argument, NULL, 'p' },
		                                { "unsafe-clear-bind", no_argument, NULL, 'u' },
		                                { "create", no_argument, NULL, 'c' },
		                                { NULL, 0, NULL, 0 } };
	int c;

	*ret_status = PKI_MISUSED;
	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		switch (c) {
		case 't':
			to->to = optarg;
			break;
		case 'a':
			to->anchors = optarg;
			break;
		case 's':
			to->start_tls = true;
			break;
		case 'b':
			to->bind = optarg;
			break;
		case 'p':
			to->password_file = optarg;
			break;
		case 'u':
			to->unsafe_clear_bind = true;
			break;
		case 'c':
			to->create = true;
			break;
		case 'h':
			printf("%s", usage);
			*ret_status = PKI_DONE;
			return false;
		default:
			return false;
		}
	}
	return true;
}

int pki_publish_main(int argc, char **argv)
{
	struct pki_directory to = { .to = NULL };
	const char *folder = NULL;
	bool words;
	int status;

	if (!options_read(argc, argv, &to, &status))
		return status;
	if (optind != argc - (to.to ? 1 : 2))
		return pki_usage(usage);
	if (!to.to && strstr(argv[optind + 1], "://"))
		to.to = argv[optind + 1];
	else if (!to.to)
		folder = argv[optind + 1];
	words = to.anchors || to.bind || to.password_file || to.start_tls || to.unsafe_clear_bind ||
	        to.create;
	if ((folder && words) || !to.bind != !to.password_file)
		return pki_usage(usage);
	return publish(argv[optind], folder, &to);
}
