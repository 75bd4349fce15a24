/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "x509/crl_internal.h"

static int64_t seconds(const ASN1_TIME *time)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void serial_text(const X509 *cert, char *out)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t len = (size_t)ASN1_STRING_length(serial);

	if (len > X509_SERIAL_OCTETS) {
		base_hex_encode(ASN1_STRING_get0_data(serial), X509_SERIAL_OCTETS, 0, true, out);
		(void)snprintf(out + (size_t)2 * X509_SERIAL_OCTETS, 2, "+");
	} else {
		base_hex_encode(ASN1_STRING_get0_data(serial), len, 0, true, out);
	}
}

static void key_text(const EVP_PKEY *key, char *out, size_t cap)
{
	char group[24] = "";
	size_t len;

	if (key && EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1)
		(void)snprintf(out, cap, "EC %s",
		               !strcmp(group, "prime256v1")  ? "P-256"
		               : !strcmp(group, "secp384r1") ? "P-384"
		                                             : group);
	else if (key)
		(void)snprintf(out, cap, "%s %d", EVP_PKEY_get0_type_name(key),
		               EVP_PKEY_get_bits(key));
	else
		(void)snprintf(out, cap, "unknown");
}

int x509_about_cert(X509 *cert, struct x509_about *ret)
{
	struct x509_fingerprint print;
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der), rc = BASE_ERR(BASE_LOCAL, 0);

	*ret = (struct x509_about){ .path_len = -1 };
	if (len > 0)
		rc = x509_fingerprint_make(X509_HASH_SHA256, der, (size_t)len, &print);
	OPENSSL_free(der);
	if (rc)
		return rc;
	x509_fingerprint_format(&print, ret->sha256);
	x509_name_format(X509_get_subject_name(cert), ret->subject, sizeof(ret->subject));
	x509_name_format(X509_get_issuer_name(cert), ret->issuer, sizeof(ret->issuer));
	serial_text(cert, ret->serial);
	key_text(X509_get0_pubkey(cert), ret->key, sizeof(ret->key));
	ret->from_s = seconds(X509_get0_notBefore(cert));
	ret->until_s = seconds(X509_get0_notAfter(cert));
	ret->ca = X509_check_ca(cert) == 1;
	ret->self_signed = X509_self_signed(cert, 1) == 1;
	ret->path_len = (int)X509_get_pathlen(cert);
	ERR_clear_error();
	return 0;
}

bool x509_signed_by(X509 *cert, X509 *issuer)
{
	bool yes = !X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) &&
	           X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return yes;
}

int x509_cert_der(const X509 *cert, struct base_str *ret)
{
	unsigned char *der = NULL;
	int len = i2d_X509((X509 *)cert, &der);

	if (len <= 0)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = (struct base_str){ (const char *)der, (size_t)len };
	return 0;
}

void x509_der_free(struct base_str *der)
{
	OPENSSL_free((void *)der->ptr);
	*der = (struct base_str){ NULL, 0 };
}

void x509_about_crl(X509_CRL *crl, struct x509_about_crl *ret)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	BIGNUM *big = number ? ASN1_INTEGER_to_BN(number, NULL) : NULL;
	char *text = big ? BN_bn2dec(big) : NULL;
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);

	*ret = (struct x509_about_crl){ .count = 0 };
	x509_name_format(X509_CRL_get_issuer(crl), ret->issuer, sizeof(ret->issuer));
	(void)snprintf(ret->number, sizeof(ret->number), "%s", text ? text : "");
	ret->this_s = seconds(X509_CRL_get0_lastUpdate(crl));
	ret->next_s = seconds(X509_CRL_get0_nextUpdate(crl));
	ret->count = entries ? (size_t)sk_X509_REVOKED_num(entries) : 0;
	OPENSSL_free(text);
	BN_free(big);
	ASN1_INTEGER_free(number);
	ERR_clear_error();
}

void x509_about_crl_index(const struct x509_crl_index *index, struct x509_about_crl *ret)
{
	const struct x509_crl_info *info = x509_crl_index_info(index);
	const unsigned char *at = (const unsigned char *)info->issuer.ptr;
	X509_NAME *issuer = d2i_X509_NAME(NULL, &at, (long)info->issuer.len);
	BIGNUM *big = info->number.ptr ? BN_bin2bn((const unsigned char *)info->number.ptr,
	                                           (int)info->number.len, NULL)
	                               : NULL;
	char *text = big ? BN_bn2dec(big) : NULL;

	*ret = (struct x509_about_crl){ .this_s = info->this_update_s,
		                        .next_s = info->next_update_s,
		                        .count = info->count };
	x509_name_format(issuer, ret->issuer, sizeof(ret->issuer));
	(void)snprintf(ret->number, sizeof(ret->number), "%s", text ? text : "");
	OPENSSL_free(text);
	BN_free(big);
	X509_NAME_free(issuer);
	ERR_clear_error();
}

static const GENERAL_NAMES *point_names(const DIST_POINT *point)
{
	const DIST_POINT_NAME *name = point->distpoint;

	return name && name->type == 0 ? name->name.fullname : NULL;
}

static size_t urls_of(const GENERAL_NAMES *names, char **into)
{
	size_t count = 0;

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const ASN1_IA5STRING *uri;

		if (name->type != GEN_URI)
			continue;
		uri = name->d.uniformResourceIdentifier;
		if (into)
			into[count] = strndup((const char *)ASN1_STRING_get0_data(uri),
			                      (size_t)ASN1_STRING_length(uri));
		count += !into || into[count];
	}
	return count;
}

static char **points_urls(const CRL_DIST_POINTS *points)
{
	size_t room = 0, count = 0;
	char **urls;

	for (int i = 0; points && i < sk_DIST_POINT_num(points); i++)
		room += urls_of(point_names(sk_DIST_POINT_value(points, i)), NULL);
	urls = room ? calloc(room + 1, sizeof(*urls)) : NULL;
	for (int i = 0; urls && i < sk_DIST_POINT_num(points); i++)
		count += urls_of(point_names(sk_DIST_POINT_value(points, i)), urls + count);
	return urls;
}

char **x509_crl_urls(X509 *cert)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	char **urls = points_urls(points);

	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	ERR_clear_error();
	return urls;
}

char **x509_crl_freshest(const void *der, size_t len)
{
	struct crl_parts parts;
	CRL_DIST_POINTS *points;
	const unsigned char *at;
	char **urls;

	if (crl_parse(der, len, &parts, NULL) || !parts.freshest.len)
		return NULL;
	at = (const unsigned char *)parts.freshest.ptr;
	points = d2i_CRL_DIST_POINTS(NULL, &at, (long)parts.freshest.len);
	urls = points_urls(points);
	sk_DIST_POINT_pop_free(points, DIST_POINT_free);
	ERR_clear_error();
	return urls;
}

void x509_urls_free(char **urls)
{
	for (size_t i = 0; urls && urls[i]; i++)
		free(urls[i]);
	free(urls);
}
