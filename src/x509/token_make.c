/* SPDX-License-Identifier: Apache-2.0 */
/** @file A key pair made in a token. */
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "x509/token_internal.h"

/* What makes a kind: mechanism, and the curve's DER or the modulus' bits. */
static const struct recipe {
	CK_MECHANISM_TYPE mechanism;
	CK_KEY_TYPE type;
	CK_ULONG bits;
	size_t curve_len;
	uint8_t curve[10]; /* an OBJECT IDENTIFIER (RFC 5480, 2.1.1.1) */
} recipes[] = {
	[X509_KEY_EC_P256] = { CKM_EC_KEY_PAIR_GEN,
	                       CKK_EC,
	                       0,
	                       10,
	                       { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 } },
	[X509_KEY_EC_P384] = { CKM_EC_KEY_PAIR_GEN,
	                       CKK_EC,
	                       0,
	                       7,
	                       { 6, 5, 0x2b, 0x81, 4, 0, 0x22 } },
	[X509_KEY_RSA_2048] = { CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, 2048, 0, { 0 } },
	[X509_KEY_RSA_3072] = { CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA, 3072, 0, { 0 } },
};

static int nothing_there(const struct token *t, P11KitUri *uri, struct base_error *err)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY };
	CK_OBJECT_HANDLE object;
	unsigned count = 0;
	int rc = 0;

	for (size_t i = 0; !rc && !count && i < BASE_COUNT(classes); i++)
		rc = token_find(t, uri, classes[i], &object, &count, err);
	if (!rc && count)
		rc = base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "token '%s' has a key of this name already; nothing was made: use "
		        "it (without --generate) or name another",
		        t->label);
	return rc;
}

/* The name and the id of the URI; an id of our own where it has none, to join the two halves. */
static CK_ULONG names_set(P11KitUri *uri, uint8_t *fresh, size_t len, CK_ATTRIBUTE *into)
{
	CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
	CK_ULONG count = 0;

	if (label)
		into[count++] = *label;
	into[count++] = id ? *id : (CK_ATTRIBUTE){ CKA_ID, fresh, len };
	return count;
}

int token_generate(const struct token *t, P11KitUri *uri, enum x509_key_kind kind,
                   struct base_error *err)
{
	struct recipe r = recipes[kind];
	CK_MECHANISM mechanism = { r.mechanism, NULL, 0 };
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	uint8_t exponent[] = { 1, 0, 1 }, fresh[8];
	CK_ATTRIBUTE public[12] = { { CKA_TOKEN, &yes, sizeof(yes) },
		                    { CKA_VERIFY, &yes, sizeof(yes) } };
	CK_ATTRIBUTE private[12] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },     { CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SIGN, &yes, sizeof(yes) },      { CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_EXTRACTABLE, &no, sizeof(no) }, { CKA_DECRYPT, &no, sizeof(no) },
		{ CKA_UNWRAP, &no, sizeof(no) }
	};
	CK_OBJECT_HANDLE halves[2];
	CK_ULONG publics = 2, privates = 7;
	int rc = nothing_there(t, uri, err);
	CK_RV rv;

	if (rc || (rc = base_random(fresh, sizeof(fresh))))
		return rc;
	if (r.type == CKK_EC) {
		public[publics++] = (CK_ATTRIBUTE){ CKA_EC_PARAMS, r.curve, r.curve_len };
	} else {
		public[publics++] = (CK_ATTRIBUTE){ CKA_MODULUS_BITS, &r.bits, sizeof(r.bits) };
		public[publics++] =
		        (CK_ATTRIBUTE){ CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent) };
	}
	publics += names_set(uri, fresh, sizeof(fresh), public + publics);
	privates += names_set(uri, fresh, sizeof(fresh), private + privates);
	rv = t->f->C_GenerateKeyPair(t->session, &mechanism, public, publics, private, privates,
	                             &halves[0], &halves[1]);
	return rv == CKR_OK ? 0 : token_error(t, rv, "cannot make a key pair", err);
}
