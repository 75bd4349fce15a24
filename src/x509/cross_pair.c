/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <openssl/err.h>

#include "x509/der.h"
#include "x509/internal.h"

/*
 * CertificatePair ::= SEQUENCE {
 *   issuedToThisCA [0] Certificate OPTIONAL,
 *   issuedByThisCA [1] Certificate OPTIONAL
 *   -- at least one of the pair shall be present -- }
 * in a module of explicit tags (X.509, Annex A, mark R; libcrypto's X509_CERT_PAIR agrees, mark V).
 */

static int refuse(struct base_error *err, const char *why, const char *more)
{
	return base_error_set(err, BASE_ERR(BASE_PEER, 0),
	                      "the CertificatePair cannot be used: %s%s%s (RFC 4523, 4.3)", why,
	                      *more ? ": " : "", more);
}

/* One Certificate inside its tag, which must hold nothing else. */
static int member_read(struct base_reader *r, unsigned number, X509 **ret, struct base_error *err)
{
	const char *name = number ? "issuedByThisCA" : "issuedToThisCA";
	const unsigned char *at;
	struct base_reader in;
	struct der tagged, cert;
	X509 *made;

	if (!der_is(r, (uint8_t)(DER_CONSTRUCTED + number)))
		return 0;
	if (!der_next(r, &tagged))
		return refuse(err, name, "its length runs past the value");
	in = der_in(&tagged);
	if (!der_take(&in, DER_SEQUENCE, &cert) || !base_reader_done(&in))
		return refuse(err, name, "not one certificate");
	at = cert.whole;
	ERR_clear_error();
	made = d2i_X509(NULL, &at, (long)tagged.len);
	if (!made || at != in.end) {
		X509_free(made);
		return refuse(err, name, x509_crypto_reason());
	}
	*ret = made;
	return 0;
}

static int pair_check(const struct x509_cross_pair *pair, struct base_error *err)
{
	if (!pair->to_this && !pair->by_this)
		return refuse(err, "there is no certificate in it", "");
	if (!pair->to_this || !pair->by_this)
		return 0;
	if (!x509_signed_by(pair->to_this, pair->by_this) ||
	    !x509_signed_by(pair->by_this, pair->to_this))
		return refuse(err, "its two certificates are not each other's issuer", "");
	return 0;
}

int x509_cross_pair_parse(const void *data, size_t len, struct x509_cross_pair *ret,
                          struct base_error *err)
{
	struct base_reader r = base_reader_of(data, len), in;
	struct x509_cross_pair pair = { 0 };
	struct der whole;
	int rc;

	if (len > X509_CROSS_PAIR_MAX)
		return refuse(err, "it is longer than 128 KiB", "");
	if (!der_take(&r, DER_SEQUENCE, &whole) || !base_reader_done(&r))
		return refuse(err, "it is not one DER SEQUENCE", "");
	in = der_in(&whole);
	rc = member_read(&in, 0, &pair.to_this, err);
	if (!rc)
		rc = member_read(&in, 1, &pair.by_this, err);
	if (!rc && !base_reader_done(&in))
		rc = refuse(err, "something unknown is in it", "");
	if (!rc)
		rc = pair_check(&pair, err);
	if (!rc) {
		*ret = pair;
		pair = (struct x509_cross_pair){ 0 };
	}
	x509_cross_pair_done(&pair);
	return rc;
}

static void header_write(struct base_writer *w, uint8_t tag, size_t len)
{
	unsigned octets = 0;

	base_writer_u8(w, tag);
	if (len < 0x80) {
		base_writer_u8(w, (uint8_t)len);
		return;
	}
	while (len >> 8 * octets)
		octets++;
	base_writer_u8(w, (uint8_t)(0x80 | octets));
	while (octets--)
		base_writer_u8(w, (uint8_t)(len >> 8 * octets));
}

static int member_write(struct base_writer *w, unsigned number, const X509 *cert)
{
	struct base_str der;

	if (!cert)
		return 0;
	if (x509_cert_der(cert, &der))
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	header_write(w, (uint8_t)(DER_CONSTRUCTED + number), der.len);
	base_writer_str(w, der);
	x509_der_free(&der);
	return 0;
}

int x509_cross_pair_write(const struct x509_cross_pair *pair, struct base_writer *w)
{
	struct base_writer body = { .limit = X509_CROSS_PAIR_MAX };
	int rc = member_write(&body, 0, pair->to_this);

	if (!rc)
		rc = member_write(&body, 1, pair->by_this);
	header_write(w, DER_SEQUENCE, body.len);
	base_writer_str(w, base_writer_view(&body));
	if (!rc && (body.failed || w->failed || !body.len))
		rc = BASE_ERR(BASE_LOCAL, ENOMEM);
	base_writer_done(&body);
	return rc;
}

void x509_cross_pair_done(struct x509_cross_pair *pair)
{
	X509_free(pair->to_this);
	X509_free(pair->by_this);
	*pair = (struct x509_cross_pair){ 0 };
}
