/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "x509/facts.h"
#include "x509/internal.h"

/* -- algorithms ------------------------------------------------------------------------------ */

static const char *hash_name(int nid)
{
	static const struct {
		int nid;
		const char *name;
	} names[] = {
		{ NID_sha256, "sha-256" }, { NID_sha384, "sha-384" }, { NID_sha512, "sha-512" },
		{ NID_sha224, "sha-224" }, { NID_sha1, "sha-1" },     { NID_md5, "md5" },
		{ NID_md4, "md4" },        { NID_md2, "md2" },        { NID_undef, "none" },
	};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		if (names[i].nid == nid)
			return names[i].name;
	return "unknown";
}

static const char *signing_name(int nid)
{
	switch (nid) {
	case NID_rsaEncryption:
		return "rsa-pkcs1";
	case NID_rsassaPss:
		return "rsa-pss";
	case NID_X9_62_id_ecPublicKey:
		return "ecdsa";
	case NID_ED25519:
	case NID_ED448:
		return "eddsa";
	case NID_dsa:
		return "dsa";
	default:
		return "unknown";
	}
}

/* RSASSA-PSS names its hash in its parameters; without them it is SHA-1 (RFC 4055, 3.1). */
static int pss_hash(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *object;
	RSA_PSS_PARAMS *pss;
	const void *value;
	int type, nid = NID_sha1;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_SEQUENCE)
		return NID_sha1;
	pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (pss && pss->hashAlgorithm) {
		X509_ALGOR_get0(&object, NULL, NULL, pss->hashAlgorithm);
		nid = OBJ_obj2nid(object);
	}
	nid = pss ? nid : -1;
	RSA_PSS_PARAMS_free(pss);
	return nid;
}

static void signature_take(const X509_ALGOR *alg, struct x509_facts *f)
{
	const ASN1_OBJECT *object;
	int hash = -1, kind = -1, nid;

	X509_ALGOR_get0(&object, NULL, NULL, alg);
	nid = OBJ_obj2nid(object);
	if (nid == NID_rsassaPss) {
		kind = nid;
		hash = pss_hash(alg);
	} else if (OBJ_find_sigid_algs(nid, &hash, &kind) != 1) {
		hash = kind = -1;
	}
	f->hash = hash_name(hash);
	f->signing = signing_name(kind);
}

static const char *curve_name(const EVP_PKEY *key)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return "other";
	return !strcmp(group, "prime256v1")  ? "P-256"
	       : !strcmp(group, "secp384r1") ? "P-384"
	       : !strcmp(group, "secp521r1") ? "P-521"
	                                     : "other";
}

static bool curve_explicit(const EVP_PKEY *key)
{
	int yes = 0;

	return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &yes) &&
	       yes;
}

static uint64_t exponent_of(const EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	uint64_t value = 0;

	if (EVP_PKEY_get_bn_param(key, "e", &e) == 1)
		value = BN_num_bits(e) > 63 ? UINT64_MAX : (uint64_t)BN_get_word(e);
	BN_free(e);
	return value;
}

static void key_take(X509 *cert, struct x509_facts *f)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);

	f->key = "unknown";
	f->curve = "";
	if (!key)
		return;
	f->key_bits = (unsigned)EVP_PKEY_get_bits(key);
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		f->key = "rsa";
		f->exponent = exponent_of(key);
		break;
	case EVP_PKEY_EC:
		f->key = "ec";
		f->curve = curve_name(key);
		f->curve_explicit = curve_explicit(key);
		break;
	case EVP_PKEY_ED25519:
		f->key = "ed25519";
		break;
	case EVP_PKEY_DSA:
		f->key = "dsa";
		break;
	default:
		break;
	}
}

/* -- fields ---------------------------------------------------------------------------------- */

static int64_t seconds(const ASN1_TIME *time)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static unsigned integer_octets(const ASN1_INTEGER *number)
{
	/* libcrypto keeps the magnitude, without the sign's octet */
	return (unsigned)ASN1_STRING_length(number);
}

static void serial_take(const X509 *cert, struct x509_facts *f)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *data = ASN1_STRING_get0_data(serial);
	bool zero = true;

	f->serial_octets = integer_octets(serial);
	for (unsigned i = 0; i < f->serial_octets; i++)
		zero &= data[i] == 0;
	/* an INTEGER of 20 octets whose first bit is set needs a sign octet: 21 */
	if (f->serial_octets && data[0] & 0x80)
		f->serial_octets++;
	f->serial_positive = !zero && ASN1_STRING_type(serial) != V_ASN1_NEG_INTEGER;
}

static unsigned attributes_of(const X509_NAME *name)
{
	unsigned has = 0;

	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
		case NID_countryName:
			has |= X509_ATTRIBUTE_C;
			break;
		case NID_organizationName:
			has |= X509_ATTRIBUTE_O;
			break;
		case NID_commonName:
			has |= X509_ATTRIBUTE_CN;
			break;
		default:
			has |= X509_ATTRIBUTE_OTHER;
			break;
		}
	}
	return has;
}

static void cn_take(const X509_NAME *name, struct x509_facts *f)
{
	for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);
		unsigned char *text = NULL;
		int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));

		f->cn_count++;
		(void)snprintf(f->cn, sizeof(f->cn), "%.*s", len < 0 ? 0 : len, (const char *)text);
		/* a NUL inside would make another name of it */
		f->cn_is_host = len > 0 && strlen(f->cn) == (size_t)len && x509_dns_ok(f->cn) &&
		                strchr(f->cn, '.');
		OPENSSL_free(text);
	}
}

static void names_take(X509 *cert, struct x509_facts *f)
{
	const X509_NAME *subject = X509_get_subject_name(cert),
	                *issuer = X509_get_issuer_name(cert);

	(void)x509_name_format(subject, f->subject, sizeof(f->subject));
	f->subject_empty = X509_NAME_entry_count(subject) == 0;
	f->issuer_empty = X509_NAME_entry_count(issuer) == 0;
	f->subject_has = attributes_of(subject);
	f->issuer_has = attributes_of(issuer);
	f->self_issued = X509_NAME_cmp(subject, issuer) == 0;
	cn_take(subject, f);
}

/* -- extensions ------------------------------------------------------------------------------ */

static unsigned extension_bit(const ASN1_OBJECT *object)
{
	/* id-pe-nftypes, 1.3.6.1.5.5.7.1.34 (RFC 9310), has no NID here */
	static const uint8_t nf_types[] = { 0x2b, 6, 1, 5, 5, 7, 1, 34 };

	switch (OBJ_obj2nid(object)) {
	case NID_authority_key_identifier:
		return X509_FACT_AUTHORITY_KEY;
	case NID_subject_key_identifier:
		return X509_FACT_SUBJECT_KEY;
	case NID_key_usage:
		return X509_FACT_KEY_USAGE;
	case NID_ext_key_usage:
		return X509_FACT_PURPOSES;
	case NID_subject_alt_name:
		return X509_FACT_NAMES;
	case NID_basic_constraints:
		return X509_FACT_BASIC;
	case NID_name_constraints:
		return X509_FACT_CONSTRAINTS;
	case NID_crl_distribution_points:
		return X509_FACT_POINTS;
	case NID_crl_number:
		return X509_FACT_NUMBER;
	case NID_delta_crl:
		return X509_FACT_DELTA;
	case NID_issuing_distribution_point:
		return X509_FACT_SCOPE;
	default:
		return OBJ_length(object) == sizeof(nf_types) &&
		                       !memcmp(OBJ_get0_data(object), nf_types, sizeof(nf_types))
		               ? X509_FACT_NF_TYPES
		               : 0;
	}
}

/* More than any certificate needs, and each is compared with each. */
#define EXTENSIONS_MAX 64

/* One look at every extension: which, critical or not, twice, unknown. */
static void extensions_take(const STACK_OF(X509_EXTENSION) * all, struct x509_facts *f)
{
	int count = sk_X509_EXTENSION_num(all);

	f->malformed |= count > EXTENSIONS_MAX;
	count = BASE_MIN(count, EXTENSIONS_MAX);
	for (int i = 0; i < count; i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(all, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(ext);
		unsigned bit = extension_bit(object);

		f->extension_twice |= X509v3_get_ext_by_OBJ(all, object, i) >= 0;
		f->present |= bit;
		if (!X509_EXTENSION_get_critical(ext))
			continue;
		f->critical |= bit;
		/* policies and their mappings and constraints are path validation's */
		f->unknown_critical |= !bit && (f->crl || !X509_supported_extension(ext));
	}
}

static unsigned usage_of(X509 *cert)
{
	uint32_t usage = X509_get_key_usage(cert);
	unsigned bits = 0;

	for (unsigned n = 0; n < 8; n++)
		bits |= usage & (0x80U >> n) ? 1U << n : 0;
	return bits;
}

static unsigned purposes_of(X509 *cert)
{
	uint32_t purposes = X509_get_extended_key_usage(cert);

	return (purposes & XKU_SSL_SERVER ? X509_PURPOSE_BIT_SERVER : 0U) |
	       (purposes & XKU_SSL_CLIENT ? X509_PURPOSE_BIT_CLIENT : 0U) |
	       (purposes & XKU_ANYEKU ? X509_PURPOSE_BIT_ANY : 0U);
}

static bool begins(const ASN1_STRING *text, const char *word)
{
	size_t len = strlen(word);

	return (size_t)ASN1_STRING_length(text) >= len &&
	       !strncasecmp((const char *)ASN1_STRING_get0_data(text), word, len);
}

static void alternatives_take(X509 *cert, struct x509_facts *f)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t cn_len = strlen(f->cn);

	f->malformed |= !names;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS) {
			f->other_names++;
			continue;
		}
		f->dns_count++;
		f->wildcard |= ASN1_STRING_length(name->d.dNSName) &&
		               memchr(ASN1_STRING_get0_data(name->d.dNSName), '*',
		                      (size_t)ASN1_STRING_length(name->d.dNSName));
		f->cn_in_names |= cn_len && begins(name->d.dNSName, f->cn) &&
		                  (size_t)ASN1_STRING_length(name->d.dNSName) == cn_len;
	}
	GENERAL_NAMES_free(names);
}

static void point_take(const DIST_POINT *point, struct x509_facts *f)
{
	const DIST_POINT_NAME *name = point->distpoint;
	const GENERAL_NAMES *full = name && name->type == 0 ? name->name.fullname : NULL;

	f->point_count++;
	for (int i = 0; full && i < sk_GENERAL_NAME_num(full); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(full, i);

		if (one->type != GEN_URI)
			continue;
		f->http_count += begins(one->d.uniformResourceIdentifier, "http://") ||
		                 begins(one->d.uniformResourceIdentifier, "https://");
		f->ldap_count += begins(one->d.uniformResourceIdentifier, "ldap://") ||
		                 begins(one->d.uniformResourceIdentifier, "ldaps://");
	}
}

static void points_take(X509 *cert, struct x509_facts *f)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);

	f->malformed |= !points;
	for (int i = 0; i < sk_DIST_POINT_num(points); i++)
		point_take(sk_DIST_POINT_value(points, i), f);
	CRL_DIST_POINTS_free(points);
}

/* -- both ------------------------------------------------------------------------------------- */

void x509_facts_cert(X509 *cert, struct x509_facts *ret)
{
	struct x509_facts f = { .path_len = -1 };
	uint32_t flags = X509_get_extension_flags(cert);
	const X509_ALGOR *outside;

	f.version = (unsigned)X509_get_version(cert) + 1;
	X509_get0_signature(NULL, &outside, cert);
	signature_take(outside, &f);
	f.algorithms_differ = X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(cert)) != 0;
	key_take(cert, &f);
	serial_take(cert, &f);
	names_take(cert, &f);
	f.from_s = seconds(X509_get0_notBefore(cert));
	f.until_s = seconds(X509_get0_notAfter(cert));
	f.malformed = flags & EXFLAG_INVALID;
	extensions_take(X509_get0_extensions(cert), &f);
	f.usage = f.present & X509_FACT_KEY_USAGE ? usage_of(cert) : 0;
	f.purposes = f.present & X509_FACT_PURPOSES ? purposes_of(cert) : 0;
	f.ca = flags & EXFLAG_CA;
	f.path_len = (int)X509_get_pathlen(cert);
	if (f.present & X509_FACT_NAMES)
		alternatives_take(cert, &f);
	if (f.present & X509_FACT_POINTS)
		points_take(cert, &f);
	ERR_clear_error();
	*ret = f;
}

void x509_facts_crl(X509_CRL *crl, struct x509_facts *ret)
{
	struct x509_facts f = { .crl = true, .key = "", .curve = "", .path_len = -1 };
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	const X509_ALGOR *outside;

	f.version = (unsigned)X509_CRL_get_version(crl) + 1;
	X509_CRL_get0_signature(crl, NULL, &outside);
	signature_take(outside, &f);
	(void)x509_name_format(X509_CRL_get_issuer(crl), f.subject, sizeof(f.subject));
	f.issuer_empty = X509_NAME_entry_count(X509_CRL_get_issuer(crl)) == 0;
	f.issuer_has = attributes_of(X509_CRL_get_issuer(crl));
	f.from_s = seconds(X509_CRL_get0_lastUpdate(crl));
	f.until_s = seconds(X509_CRL_get0_nextUpdate(crl));
	extensions_take(X509_CRL_get0_extensions(crl), &f);
	if (number) {
		f.number_octets = integer_octets(number);
		if (f.number_octets && ASN1_STRING_get0_data(number)[0] & 0x80)
			f.number_octets++;
	}
	f.malformed = f.present & X509_FACT_NUMBER && !number;
	ASN1_INTEGER_free(number);
	ERR_clear_error();
	*ret = f;
}
