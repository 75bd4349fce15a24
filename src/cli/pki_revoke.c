/* SPDX-License-Identifier: Apache-2.0 */
/** @file `gatehouse pki revoke` and `crl`. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "cli/pki_delta.h"

static const char revoke_usage[] =
        "usage: gatehouse pki revoke --ca NAME [--reason REASON] DIR CERTIFICATE|SERIAL\n"
        "\n"
        "Notes in the index that a certificate is revoked, given as a file or by its serial\n"
        "number; `gatehouse pki crl` then tells the world.\n"
        "\n"
        "  --ca NAME        interconnection, tls-client or tls-server; after a rollover also\n"
        "                   the old ones, tls-server.1\n"
        "  --reason REASON  unspecified (default), keyCompromise, cACompromise,\n"
        "                   affiliationChanged, superseded, cessationOfOperation,\n"
        "                   privilegeWithdrawn, aACompromise; certificateHold for the time\n"
        "                   being, and removeFromCRL to lift that\n"
        "  --help           this text\n";

static const char crl_usage[] =
        "usage: gatehouse pki crl --ca NAME [--delta] [--hours N|--seconds N] [--out FILE] "
        "[--pem]\n"
        "                         [--delta-url URL ...] DIR\n"
        "\n"
        "Writes the authority's next complete CRL to DIR/NAME/ca.crl (DER), with its number and\n"
        "every certificate that is revoked.\n"
        "\n"
        "  --ca NAME   interconnection, tls-client or tls-server\n"
        "  --delta     instead: a delta CRL to DIR/NAME/delta.crl, of what has changed since\n"
        "              ca.crl (RFC 5280, 5.2.4)\n"
        "  --delta-url URL\n"
        "              http or ldap address of the delta CRL, written into this and later\n"
        "              complete CRLs (freshestCRL; may repeat)\n"
        "  --hours N   until nextUpdate (default 168; 24 of a delta)\n"
        "  --seconds N the same, for labs and tests\n"
        "  --out FILE  a copy here\n"
        "  --pem       the copy as PEM\n"
        "  --help      this text\n";

struct words {
	const char *ca, *reason, *out;
	unsigned hours, seconds; /* seconds, unless 0; then hours, unless 0 */
	struct pki_list delta_urls;
	bool pem, delta;
};

static bool take(void *arg, int c, const char *word)
{
	struct words *w = arg;

	switch (c) {
	case 'a':
		return pki_ca_name_ok(w->ca = word, true);
	case 'r':
		w->reason = word;
		return true;
	case 'o':
		w->out = word;
		return true;
	case 'p':
		w->pem = true;
		return true;
	case 'd':
		w->delta = true;
		return true;
	case 'u':
		return pki_list_add(&w->delta_urls, word);
	case 't':
		return pki_number("--hours", word, 24 * 3650, &w->hours);
	case 's':
		return pki_number("--seconds", word, 24 * 3600, &w->seconds);
	default:
		return false;
	}
}

/* -- revoke ---------------------------------------------------------------------------------- */

/* The serial number that `word` is, or that of the certificate in the file of that name. */
static int serial_of(const struct pki_ca *ca, const char *word, char out[X509_SERIAL_TEXT],
                     struct base_error *err)
{
	uint8_t octets[X509_SERIAL_OCTETS];
	struct x509_about about;
	STACK_OF(X509) * certs;
	size_t len;
	int rc;

	if (!base_hex_decode(base_str_of(word), octets, sizeof(octets), &len)) {
		(void)snprintf(out, X509_SERIAL_TEXT, "%s", word);
		return 0;
	}
	certs = sk_X509_new_null();
	rc = certs ? x509_certs_load(word, certs, err) : BASE_ERR(BASE_LOCAL, ENOMEM);
	if (!rc && !x509_signed_by(sk_X509_value(certs, 0), ca->id->cert))
		rc = base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                    "%s was not issued by this authority", word);
	if (!rc)
		rc = x509_about_cert(sk_X509_value(certs, 0), &about);
	if (!rc)
		(void)snprintf(out, X509_SERIAL_TEXT, "%.*s", X509_SERIAL_TEXT - 1, about.serial);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* RFC 5280, 5.3.1: a hold alone can be lifted. */
static int lift(struct pki_ca *ca, struct pki_row *row, struct base_error *err)
{
	int rc;

	if (!row->revoked || row->reason != X509_REASON_HOLD)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "there is no hold on %s to lift; a revocation stays (RFC "
		                      "5280, 5.3.1)",
		                      row->serial);
	row->revoked = false;
	rc = pki_ca_save(ca, err);
	if (!rc)
		printf("lifted the hold on %s (%s); the next CRL tells it\n", row->serial,
		       row->subject);
	return rc;
}

static int revoke(struct pki_ca *ca, const char *word, int reason, struct base_error *err)
{
	char serial[X509_SERIAL_TEXT], when[PKI_TIME_TEXT];
	struct pki_row *row;
	int rc = serial_of(ca, word, serial, err);

	if (rc)
		return rc;
	row = pki_ca_find(ca, serial);
	if (!row)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "this authority never issued a certificate of serial number "
		                      "%s",
		                      serial);
	if (reason == X509_REASON_REMOVE)
		return lift(ca, row, err);
	if (row->revoked && (row->reason != X509_REASON_HOLD || reason == X509_REASON_HOLD))
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0), "%s is revoked since %s (%s)",
		                      serial, pki_time_format(row->revoked_s, when),
		                      x509_reason_name(row->reason));
	row->revoked = true;
	row->revoked_s = (int64_t)time(NULL);
	row->reason = reason;
	rc = pki_ca_save(ca, err);
	if (!rc)
		printf("revoked %s (%s), %s; the next CRL tells it\n", row->serial, row->subject,
		       x509_reason_name(reason));
	return rc;
}

int pki_revoke_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "ca", required_argument, NULL, 'a' },
		{ "reason", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct words w = { .reason = "unspecified" };
	struct base_error err = { .rc = 0 };
	struct pki_ca ca;
	int rc, reason, status;

	status = pki_options(argc, argv, option, revoke_usage, take, &w);
	if (status >= 0)
		return status;
	reason = strcasecmp(w.reason, "removeFromCRL") != 0 ? x509_reason_parse(w.reason)
	                                                    : X509_REASON_REMOVE;
	if (!w.ca || reason < 0 || optind != argc - 2)
		return pki_usage(revoke_usage);
	rc = pki_ca_open(&ca, argv[optind], w.ca, &err);
	if (!rc) {
		rc = revoke(&ca, argv[optind + 1], reason, &err);
		pki_ca_close(&ca);
	}
	return rc ? pki_complain(&err) : PKI_DONE;
}

/* -- crl ------------------------------------------------------------------------------------- */

static int copy(const struct pki_ca *ca, const struct words *w, struct base_error *err)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	struct base_writer out = { .data = NULL };
	char *path = pki_join(ca->dir, w->delta ? "delta.crl" : "ca.crl");
	int rc = crls && path ? x509_crls_load(path, crls, err) : BASE_ERR(BASE_LOCAL, ENOMEM);

	if (!rc)
		rc = x509_crl_write(sk_X509_CRL_value(crls, 0), w->pem, &out);
	if (!rc)
		rc = pki_file_write(w->out, out.data, out.len, 0644, err);
	base_writer_done(&out);
	free(path);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return rc;
}

static int64_t valid_of(const struct words *w)
{
	if (w->seconds)
		return w->seconds;
	return (int64_t)3600 * (w->hours ? w->hours : w->delta ? 24 : 168);
}

static int delta(struct pki_ca *ca, const struct words *w, struct base_error *err)
{
	char next[PKI_TIME_TEXT];
	struct pki_delta made;
	int rc = pki_ca_delta(ca, valid_of(w), &made, err);

	if (!rc && w->out)
		rc = copy(ca, w, err);
	if (!rc)
		printf("delta CRL %llu of %s: %zu changed since CRL %llu, next update %s\n",
		       (unsigned long long)made.number, w->ca, made.count,
		       (unsigned long long)made.base,
		       pki_time_format((int64_t)time(NULL) + valid_of(w), next));
	return rc;
}

static int crl(struct pki_ca *ca, const struct words *w, struct base_error *err)
{
	char next[PKI_TIME_TEXT];
	uint64_t number;
	int64_t valid_s = valid_of(w), now = time(NULL);
	size_t count = 0;
	int rc = w->delta_urls.count ? pki_delta_urls_save(ca, &w->delta_urls, err) : 0;

	if (!rc)
		rc = pki_ca_crl(ca, valid_s, &number, err);
	if (!rc && w->out)
		rc = copy(ca, w, err);
	for (size_t i = 0; i < ca->count; i++)
		count += ca->row[i].revoked;
	if (!rc)
		printf("CRL %llu of %s: %zu revoked, next update %s\n", (unsigned long long)number,
		       w->ca, count, pki_time_format(now + valid_s, next));
	return rc;
}

int pki_crl_main(int argc, char **argv)
{
	static const struct option option[] = {
		{ "ca", required_argument, NULL, 'a' },
		{ "hours", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "out", required_argument, NULL, 'o' },
		{ "pem", no_argument, NULL, 'p' },
		{ "delta", no_argument, NULL, 'd' },
		{ "delta-url", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct words w = { .hours = 0 };
	struct base_error err = { .rc = 0 };
	struct pki_ca ca;
	int rc, status;

	status = pki_options(argc, argv, option, crl_usage, take, &w);
	if (status >= 0)
		return status;
	if (!w.ca || optind != argc - 1 || (w.delta && w.delta_urls.count))
		return pki_usage(crl_usage);
	rc = pki_ca_open(&ca, argv[optind], w.ca, &err);
	if (!rc) {
		rc = w.delta ? delta(&ca, &w, &err) : crl(&ca, &w, &err);
		pki_ca_close(&ca);
	}
	return rc ? pki_complain(&err) : PKI_DONE;
}
