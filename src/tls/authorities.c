/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The authorities a client trusts, told to servers that have several certificates: trusted_ca_keys
 * (RFC 6066, 6) and, in TLS 1.3, certificate_authorities (RFC 8446, 4.2.4).
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "tls/domain.h"

#define LIST_MAX 16000 /**< octets of an extension that we send; a record has 2^14 */

/** "For RSA keys, the hash is of the big-endian byte string representation of the modulus without
 * any initial zero-valued bytes" (RFC 6066, 6). */
static bool modulus_hash(const EVP_PKEY *key, uint8_t ret[20])
{
	unsigned char octets[2048];
	BIGNUM *modulus = NULL;
	unsigned len = 20;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
	          BN_num_bytes(modulus) <= (int)sizeof(octets) &&
	          EVP_Digest(octets, (size_t)BN_bn2bin(modulus, octets), ret, &len, EVP_sha1(),
	                     NULL) == 1;

	BN_free(modulus);
	return ok;
}

bool tls_authority_key_hash(const X509 *authority, uint8_t ret[20])
{
	const EVP_PKEY *key = X509_get0_pubkey(authority);
	unsigned len = 20;

	if (key && EVP_PKEY_is_a(key, "RSA"))
		return modulus_hash(key, ret);
	return X509_pubkey_digest(authority, EVP_sha1(), ret, &len) == 1;
}

static bool name_put(struct base_writer *w, const X509 *authority)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(X509_get_subject_name(authority), &der, &len) != 1 ||
	    len > UINT16_MAX)
		return false;
	base_writer_u16(w, (uint16_t)len);
	base_writer_put(w, der, len);
	return true;
}

/** One TrustedAuthority. */
static bool authority_put(struct base_writer *w, const X509 *authority, enum tls_authority_kind how)
{
	uint8_t hash[20];
	unsigned len = sizeof(hash);

	base_writer_u8(w, (uint8_t)how);
	if (how == TLS_AUTHORITY_NAME)
		return name_put(w, authority);
	if (how == TLS_AUTHORITY_KEY_HASH ? !tls_authority_key_hash(authority, hash)
	                                  : X509_digest(authority, EVP_sha1(), hash, &len) != 1)
		return false;
	base_writer_put(w, hash, sizeof(hash));
	return true;
}

/** `how` AGREED: certificate_authorities. @return 0, or why there is no such list */
static int list_make(struct tls_domain *domain, enum tls_authority_kind how, struct base_str *ret,
                     struct base_error *err)
{
	const STACK_OF(X509) *anchors = trust_store_anchors(domain->trust);
	struct base_writer list = { 0 }, body = { 0 };
	bool ok = true;

	for (int i = 0; ok && i < sk_X509_num(anchors); i++)
		ok = how == TLS_AUTHORITY_AGREED
		             ? name_put(&list, sk_X509_value(anchors, i))
		             : authority_put(&list, sk_X509_value(anchors, i), how);
	base_writer_u16(&body, (uint16_t)BASE_MIN(list.len, (size_t)UINT16_MAX));
	base_writer_put(&body, list.data, list.len);
	ok = ok && !list.failed && !body.failed;
	if (ok)
		*ret = (struct base_str){ base_arena_dup(&domain->arena, base_writer_view(&body)),
			                  body.len };
	ok = ok && ret->ptr;
	base_writer_done(&list);
	base_writer_done(&body);
	ERR_clear_error();
	if (!ok)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for a TLS domain");
	return ret->len <= LIST_MAX
	               ? 0
	               : base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
	                                "TLS domain %s: its trust anchors are more than a "
	                                "ClientHello takes (RFC 6066, 6): tell key hashes, or none",
	                                domain->name);
}

int tls_authorities_make(struct tls_domain *domain, const struct tls_domain_spec *spec,
                         struct base_error *err)
{
	const struct profile_setting *never =
	        profile_list_find(&domain->settings->extensions_denied, 3);
	int rc;

	if (spec->tell_authorities == TLS_AUTHORITY_AGREED)
		return 0;
	if (never)
		return base_error_set(err, BASE_ERR(BASE_CONFIG, 0),
		                      "TLS domain %s: trusted_ca_keys is not sent by its profile "
		                      "(%s, %s, rule %s)",
		                      spec->name, never->rule->document, never->rule->clause,
		                      never->rule->id);
	if (!domain->trust || sk_X509_num(trust_store_anchors(domain->trust)) <= 0)
		return base_error_set(
		        err, BASE_ERR(BASE_CONFIG, 0),
		        "TLS domain %s: it has no trust anchors to tell of (RFC 6066, "
		        "6)",
		        spec->name);
	rc = list_make(domain, spec->tell_authorities, &domain->told, err);
	return rc ? rc : list_make(domain, TLS_AUTHORITY_AGREED, &domain->told_names, err);
}
