/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki issue`: a certificate for a TLS client or server (TS 33.310, 6.1.3a). */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "cli/pki_folder.h"
#include "cli/pki_key.h"
#include "cli/pki_lint.h"

static const char usage[] =
        "usage: gatehouse pki issue --role client|server --dns HOST [OPTION ...] --out NAME DIR\n"
        "\n"
        "Signs with the TLS client or TLS server CA in DIR. Writes NAME.pem and, unless a\n"
        "request is given, a new key to NAME.key, readable by its owner alone.\n"
        "\n"
        "  --role ROLE      what the certificate is for: its CA and its extendedKeyUsage\n"
        "  --dns HOST       dNSName; the first one is also the subject's CN (may repeat)\n"
        "  --csr FILE       certify the key of this PKCS#10 request; of its wishes only the key\n"
        "                   counts\n"
        "  --org NAME       the subject's O\n"
        "  --key KIND|URI   ec (P-256, default) or rsa (2048 bits), where there is no request; or\n"
        "                   the PKCS#11 URI of a key in a token (RFC 7512): then there is no\n"
        "                   NAME.key\n"
        "  --generate KIND  make the key of that URI in the token first: ec-p256, ec-p384,\n"
        "                   rsa-2048, rsa-3072\n"
        "  --crl-url URL    instead of the address in the CA's certificate (may repeat)\n"
        "  --days N         validity (default 365; never longer than the CA's)\n"
        "  --help           this text\n";

struct issue {
	const char *dir, *out, *csr, *org;
	struct pki_list dns, urls;
	struct pki_key_choice key;
	bool server, role;
	unsigned days;
};

static int write_out(const struct issue *issue, const X509 *cert, const EVP_PKEY *own,
                     struct base_error *err)
{
	char *pem, *key = NULL;
	int rc = 0;

	if (asprintf(&pem, "%s.pem", issue->out) < 0)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	if (asprintf(&key, "%s.key", issue->out) < 0) {
		free(pem);
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	}
	/* the key first: a certificate without its key serves nobody */
	if (own)
		rc = pki_key_write(key, own, err);
	if (!rc)
		rc = pki_cert_write(pem, cert, err);
	free(pem);
	free(key);
	return rc;
}

static int sign(const struct issue *issue, struct pki_ca *ca, EVP_PKEY *key, struct base_error *err)
{
	struct x509_make what = { .kind = X509_MAKE_ENTITY,
		                  .organization = issue->org,
		                  .common_name = issue->dns.item[0],
		                  .key = key,
		                  .client = !issue->server,
		                  .server = issue->server,
		                  .dns = issue->dns.item };
	struct profile_tally tally;
	struct x509_about about;
	char until[PKI_TIME_TEXT];
	X509 *cert = NULL;
	int rc;

	what.crl_urls = issue->urls.count ? issue->urls.item : NULL;
	what.from_s = (int64_t)time(NULL) - 3600;
	what.until_s = (int64_t)time(NULL) + (int64_t)issue->days * PKI_DAY_S;
	rc = pki_ca_sign(ca, &what, issue->server ? "server" : "client", issue->dns.item[0], &cert,
	                 err);
	if (!rc)
		rc = write_out(issue, cert, issue->csr || issue->key.uri ? NULL : key, err);
	if (!rc)
		rc = x509_about_cert(cert, &about);
	if (!rc)
		rc = pki_lint_show(issue->out, cert,
		                   issue->server ? PROFILE_ROLE_SERVER : PROFILE_ROLE_CLIENT,
		                   &tally);
	if (!rc)
		printf("issued %s.pem: %s, serial %s, until %s\n", issue->out, about.subject,
		       about.serial, pki_time_format(about.until_s, until));
	X509_free(cert);
	return rc;
}

static int run(const struct issue *issue, struct base_error *err)
{
	EVP_PKEY *key = NULL;
	struct pki_ca ca;
	int rc = issue->csr ? x509_request_key(&key, issue->csr, err)
	                    : pki_key_get(&issue->key, &key, err);

	if (!rc)
		rc = pki_ca_open(&ca, issue->dir, issue->server ? PKI_TLS_SERVER : PKI_TLS_CLIENT,
		                 err);
	if (!rc) {
		rc = sign(issue, &ca, key, err);
		pki_ca_close(&ca);
	}
	EVP_PKEY_free(key);
	return rc;
}

static bool role_take(struct issue *issue, const char *word)
{
	issue->server = !strcmp(word, "server");
	issue->role = issue->server || !strcmp(word, "client");
	if (!issue->role)
		(void)pki_refuse("--role is client or server, not '%s'", word);
	return issue->role;
}

static bool kind_take(struct issue *issue, const char *word)
{
	if (strcmp(word, "ec") != 0 && strcmp(word, "rsa") != 0)
		return pki_key_take(&issue->key, word);
	issue->key.kind = !strcmp(word, "rsa") ? X509_KEY_RSA_2048 : X509_KEY_EC_P256;
	return true;
}

static bool take(void *arg, int c, const char *word)
{
	struct issue *issue = arg;

	switch (c) {
	case 'r':
		return role_take(issue, word);
	case 'k':
		return kind_take(issue, word);
	case 'G':
		return pki_key_take_generate(&issue->key, word);
	case 'n':
		return pki_list_add(&issue->dns, word);
	case 'c':
		return pki_list_add(&issue->urls, word);
	case 'd':
		return pki_number("--days", word, 36500, &issue->days);
	case 's':
		issue->csr = word;
		return true;
	case 'g':
		issue->org = word;
		return true;
	case 'o':
		issue->out = word;
		return true;
	default:
		return false;
	}
}

int pki_issue_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "role", required_argument, NULL, 'r' },
		{ "dns", required_argument, NULL, 'n' },
		{ "csr", required_argument, NULL, 's' },
		{ "org", required_argument, NULL, 'g' },
		{ "key", required_argument, NULL, 'k' },
		{ "generate", required_argument, NULL, 'G' },
		{ "days", required_argument, NULL, 'd' },
		{ "crl-url", required_argument, NULL, 'c' },
		{ "out", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct issue issue = { .days = 365 };
	struct base_error err = { .rc = 0 };
	int status = pki_options(argc, argv, option, usage, take, &issue);

	if (status >= 0)
		return status;
	if (!issue.role || !issue.dns.count || !issue.out || optind != argc - 1)
		return pki_usage(usage);
	if (!pki_key_fits(&issue.key))
		return PKI_MISUSED;
	issue.dir = argv[optind];
	return run(&issue, &err) ? pki_complain(&err) : PKI_DONE;
}
