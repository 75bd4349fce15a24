/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki publish`: what others need of an operator's authorities, into one folder.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/pki_folder.h"

static const char usage[] =
        "usage: gatehouse pki publish DIR TO\n"
        "\n"
        "Writes each authority's CRL (NAME.crl, DER) and certificate (NAME.cer, DER) into the\n"
        "folder TO, as a web server hands them out; NAME is the file that the CRL's address in\n"
        "the certificates ends with. Authorities that were rolled over take part. Never a key. A "
        "CRL that has ended, or that is\n"
        "older than the published one, is refused and nothing is written.\n"
        "\n"
        "  --help  this text\n";

static const char *const names[] = { PKI_INTERCONNECTION, PKI_TLS_CLIENT, PKI_TLS_SERVER };

/** One authority's part, read before anything is written. */
struct part {
	char name[32]; /**< its folder */
	char stem[64]; /**< of the published files */
	struct base_writer crl;
	struct base_str cert;
};
#define PARTS_MAX 32

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

static int crl_take(const char *file, const char *published, struct part *part,
                    struct base_error *err)
{
	struct x509_about_crl about, last;
	struct stat st;
	int rc = crl_about(file, &about, &part->crl, err);

	if (rc)
		return rc;
	if (about.next_s <= (int64_t)time(NULL))
		return file_error(file, err, "the CRL has ended; make the next one with crl");
	if (stat(published, &st))
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

static int cert_take(const char *file, struct part *part, struct base_error *err)
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
	x509_urls_free(urls);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int part_take(const char *dir, const char *to, struct part *part, struct base_error *err)
{
	char *crl = NULL, *cert = NULL, *published = NULL;
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (asprintf(&cert, "%s/%s/ca.pem", dir, part->name) < 0)
		cert = NULL;
	if (cert)
		rc = cert_take(cert, part, err);
	if (asprintf(&crl, "%s/%s/ca.crl", dir, part->name) < 0)
		crl = NULL;
	if (asprintf(&published, "%s/%s.crl", to, part->stem) < 0)
		published = NULL;
	if (!rc)
		rc = crl && published ? crl_take(crl, published, part, err)
		                      : BASE_ERR(BASE_LOCAL, ENOMEM);
	free(crl);
	free(cert);
	free(published);
	return rc;
}

/* The authorities, and those they had before a rollover: NAME.1, NAME.2, ... */
static size_t parts_find(const char *dir, struct part part[PARTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		for (unsigned old = 0; count < PARTS_MAX; old++) {
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

static int stems_check(const struct part *part, size_t count, struct base_error *err)
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

static int publish(const char *dir, const char *to, struct base_error *err)
{
	struct part part[PARTS_MAX] = { 0 };
	size_t count = parts_find(dir, part);
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = part_take(dir, to, &part[i], err);
	if (!rc)
		rc = stems_check(part, count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = put(to, part[i].stem, ".cer", part[i].cert.ptr, part[i].cert.len, err);
		if (!rc)
			rc = put(to, part[i].stem, ".crl", part[i].crl.data, part[i].crl.len, err);
	}
	for (size_t i = 0; i < count; i++) {
		base_writer_done(&part[i].crl);
		x509_der_free(&part[i].cert);
	}
	return rc;
}

int pki_publish_main(int argc, char **argv)
{
	static const struct option option[] = { { "help", no_argument, NULL, 'h' },
		                                { NULL, 0, NULL, 0 } };
	struct base_error err = { .rc = 0 };
	int c;

	while ((c = getopt_long(argc, argv, "h", option, NULL)) != -1) {
		if (c != 'h')
			return PKI_MISUSED;
		printf("%s", usage);
		return PKI_DONE;
	}
	if (optind != argc - 2)
		return pki_usage(usage);
	if (strstr(argv[optind + 1], "://"))
		return pki_refuse("publishing to '%s' is not built: publish to a folder, and let "
		                  "the repository's own tools take it from there",
		                  argv[optind + 1]);
	return publish(argv[optind], argv[optind + 1], &err) ? pki_complain(&err) : PKI_DONE;
}
