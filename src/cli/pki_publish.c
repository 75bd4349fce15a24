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
        "folder TO, as a web server hands them out. Never a key. A CRL that has ended, or that is\n"
        "older than the published one, is refused and nothing is written.\n"
        "\n"
        "  --help  this text\n";

static const char *const names[] = { PKI_INTERCONNECTION, PKI_TLS_CLIENT, PKI_TLS_SERVER };

/** One authority's part, read before anything is written. */
struct part {
	struct base_writer crl;
	struct base_str cert;
};

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

static int cert_take(const char *file, struct part *part, struct base_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	int rc = certs ? x509_certs_load(file, certs, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = x509_cert_der(sk_X509_value(certs, 0), &part->cert);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

static int part_take(const char *dir, const char *to, const char *name, struct part *part,
                     struct base_error *err)
{
	char *crl = NULL, *cert = NULL, *published = NULL;
	int rc = BASE_ERR(BASE_LOCAL, ENOMEM);

	if (asprintf(&crl, "%s/%s/ca.crl", dir, name) < 0)
		crl = NULL;
	if (asprintf(&cert, "%s/%s/ca.pem", dir, name) < 0)
		cert = NULL;
	if (asprintf(&published, "%s/%s.crl", to, name) < 0)
		published = NULL;
	if (crl && cert && published)
		rc = crl_take(crl, published, part, err);
	if (!rc)
		rc = cert_take(cert, part, err);
	free(crl);
	free(cert);
	free(published);
	return rc;
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
	struct part part[BASE_COUNT(names)] = { 0 };
	int rc = 0;

	for (size_t i = 0; !rc && i < BASE_COUNT(names); i++)
		rc = part_take(dir, to, names[i], &part[i], err);
	for (size_t i = 0; !rc && i < BASE_COUNT(names); i++) {
		rc = put(to, names[i], ".cer", part[i].cert.ptr, part[i].cert.len, err);
		if (!rc)
			rc = put(to, names[i], ".crl", part[i].crl.data, part[i].crl.len, err);
	}
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
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
