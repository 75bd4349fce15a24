/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki cross-certify`: vouch for another operator's TLS CA (TS 33.310, 5.2.2.2).
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "cli/pki_folder.h"
#include "cli/pki_lint.h"

static const char usage[] =
        "usage: gatehouse pki cross-certify --role client|server --peer FILE --permit DOMAIN\n"
        "                                   [OPTION ...] --out FILE DIR\n"
        "\n"
        "Shows another operator's TLS client or server CA certificate and what vouching for it\n"
        "would allow, asks, and signs with the Interconnection CA in DIR.\n"
        "\n"
        "  --role ROLE      whom the peer's CA vouches for: its clients or its servers\n"
        "  --peer FILE      the CA certificate that the peer operator handed over\n"
        "  --permit DOMAIN  host names it may speak for: DOMAIN and all below (may repeat)\n"
        "  --path-len N     CAs that may stand below it (default 0)\n"
        "  --crl-url URL    instead of the address in the own CA's certificate (may repeat)\n"
        "  --days N         validity (default 730; never longer than either CA's)\n"
        "  --yes            do not ask\n"
        "  --help           this text\n";

struct cross {
	const char *dir, *peer, *out;
	struct pki_list permit, urls;
	bool server, role, yes;
	unsigned days, path_len;
};

/* What must hold before anybody is asked. */
static int peer_check(const struct cross *cross, const struct x509_about *about,
                      struct base_error *err)
{
	const char *why = NULL;

	if (!about->ca)
		why = "is no CA's certificate (basicConstraints, keyCertSign)";
	else if (!about->self_signed)
		why = "is not self-signed: ask the peer for its CA's own certificate, which proves "
		      "that it has the key";
	else if (about->until_s <= (int64_t)time(NULL))
		why = "has expired";
	if (!why)
		return 0;
	base_error_place(err, cross->peer, 0, 0);
	return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s %s", about->subject, why);
}

static void show(const struct cross *cross, const struct x509_about *about, int64_t until_s)
{
	char from[PKI_TIME_TEXT], until[PKI_TIME_TEXT];

	printf("The peer's CA:\n"
	       "  subject      %s\n"
	       "  key          %s\n"
	       "  valid        %s to %s\n"
	       "  SHA-256      %s\n"
	       "Compare the SHA-256 with the peer's engineer over another way than the file came.\n"
	       "\n"
	       "A cross-certificate would allow it to vouch\n"
	       "  for          TLS %ss\n"
	       "  named        ",
	       about->subject, about->key, pki_time_format(about->from_s, from),
	       pki_time_format(about->until_s, until), about->sha256,
	       cross->server ? "server" : "client");
	for (size_t i = 0; i < cross->permit.count; i++)
		printf("%s%s and all below", i ? ", " : "", cross->permit.item[i]);
	printf("\n  through      %u further CAs\n"
	       "  until        %s, or until you revoke it\n",
	       cross->path_len, pki_time_format(until_s, until));
}

/* What the certificate profile says of the peer's CA, for whoever is about to answer. */
static int lint(const struct cross *cross, X509 *peer)
{
	struct profile_tally tally;
	int rc;

	(void)fflush(stdout); /* the findings come after what is shown */
	rc = pki_lint_show(cross->peer, peer,
	                   cross->server ? PROFILE_ROLE_SERVER_CA : PROFILE_ROLE_CLIENT_CA, &tally);
	if (!rc)
		fprintf(stderr, "\nCertificate profile (" PKI_LINT_PROFILE "): %u fail, %u warn\n",
		        tally.fails, tally.warns);
	return rc;
}

/* Only the whole word counts, and the end of the input is a no. */
static bool asked(const struct cross *cross)
{
	char answer[16] = "";

	if (cross->yes)
		return true;
	printf("\nSign it? Type yes: ");
	(void)fflush(stdout); /* a prompt that nobody sees does no harm */
	return fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n");
}

static bool has_urls(const struct pki_ca *ca)
{
	char **urls = x509_crl_urls(ca->id->cert);
	bool any = urls != NULL;

	x509_urls_free(urls);
	return any;
}

static int sign(const struct cross *cross, struct pki_ca *ca, X509 *peer,
                const struct x509_about *about, int64_t until_s, struct base_error *err)
{
	struct x509_make what = { .kind = X509_MAKE_CROSS, .subject_of = peer };
	struct x509_about made;
	X509 *cert = NULL;
	int rc;

	what.key = X509_get0_pubkey(peer);
	what.path_len = (int)cross->path_len;
	what.server = cross->server;
	what.client = !cross->server;
	what.dns = cross->permit.item;
	what.crl_urls = cross->urls.count ? cross->urls.item : NULL;
	what.from_s = (int64_t)time(NULL) - 3600;
	what.until_s = until_s;
	if (!what.crl_urls && !has_urls(ca))
		fprintf(stderr, "gatehouse pki: warning: the cross-certificate names no CRL "
		                "distribution point (TS 33.310, 6.1.4, mark R); see --crl-url\n");
	rc = pki_ca_sign(ca, &what, "cross", about->subject, &cert, err);
	if (!rc)
		rc = pki_cert_write(cross->out, cert, err);
	if (!rc)
		rc = x509_about_cert(cert, &made);
	if (!rc)
		printf("signed %s, serial %s\n", cross->out, made.serial);
	X509_free(cert);
	return rc;
}

static int run_with(const struct cross *cross, struct pki_ca *ca, X509 *peer,
                    struct base_error *err)
{
	int64_t until_s = (int64_t)time(NULL) + (int64_t)cross->days * PKI_DAY_S;
	struct x509_about about, own;
	int rc = x509_about_cert(peer, &about);

	if (!rc)
		rc = x509_about_cert(ca->id->cert, &own);
	if (!rc)
		rc = peer_check(cross, &about, err);
	if (rc)
		return rc;
	until_s = BASE_MIN(BASE_MIN(until_s, about.until_s), own.until_s);
	show(cross, &about, until_s);
	rc = lint(cross, peer);
	if (rc)
		return rc;
	if (!asked(cross))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "not signed: nobody said yes");
	return sign(cross, ca, peer, &about, until_s, err);
}

static int run(const struct cross *cross, struct base_error *err)
{
	STACK_OF(X509) *peers = sk_X509_new_null();
	struct pki_ca ca;
	int rc = peers ? x509_certs_load(cross->peer, peers, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc && sk_X509_num(peers) != 1) {
		base_error_place(err, cross->peer, 0, 0);
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "%d certificates in the file; vouch for one at a time",
		                    sk_X509_num(peers));
	}
	if (!rc)
		rc = pki_ca_open(&ca, cross->dir, PKI_INTERCONNECTION, err);
	if (!rc) {
		rc = run_with(cross, &ca, sk_X509_value(peers, 0), err);
		pki_ca_close(&ca);
	}
	sk_X509_pop_free(peers, X509_free);
	return rc;
}

static bool role_take(struct cross *cross, const char *word)
{
	cross->server = !strcmp(word, "server");
	cross->role = cross->server || !strcmp(word, "client");
	if (!cross->role)
		(void)pki_refuse("--role is client or server, not '%s'", word);
	return cross->role;
}

static bool length_take(struct cross *cross, const char *word)
{
	if (!strcmp(word, "0")) {
		cross->path_len = 0;
		return true;
	}
	return pki_number("--path-len", word, 8, &cross->path_len);
}

static bool take(void *arg, int c, const char *word)
{
	struct cross *cross = arg;

	switch (c) {
	case 'r':
		return role_take(cross, word);
	case 'l':
		return length_take(cross, word);
	case 'm':
		return pki_list_add(&cross->permit, word);
	case 'c':
		return pki_list_add(&cross->urls, word);
	case 'd':
		return pki_number("--days", word, 36500, &cross->days);
	case 'p':
		cross->peer = word;
		return true;
	case 'o':
		cross->out = word;
		return true;
	case 'y':
		cross->yes = true;
		return true;
	default:
		return false;
	}
}

int pki_cross_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "role", required_argument, NULL, 'r' },
		{ "peer", required_argument, NULL, 'p' },
		{ "permit", required_argument, NULL, 'm' },
		{ "path-len", required_argument, NULL, 'l' },
		{ "crl-url", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "out", required_argument, NULL, 'o' },
		{ "yes", no_argument, NULL, 'y' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct cross cross = { .days = 730 };
	struct base_error err = { .rc = 0 };
	int status = pki_options(argc, argv, option, usage, take, &cross);

	if (status >= 0)
		return status;
	if (!cross.role || !cross.peer || !cross.permit.count || !cross.out || optind != argc - 1)
		return pki_usage(usage);
	cross.dir = argv[optind];
	return run(&cross, &err) ? pki_complain(&err) : PKI_DONE;
}
