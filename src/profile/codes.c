/* SPDX-License-Identifier: Apache-2.0 */
/** Versions, groups, signature schemes and extensions: IANA TLS parameters. */
#include "profile/registry.h"

#include "base/base.h"

static const struct {
	unsigned version;
	uint16_t wire;
	const char *name;
} versions[] = {
	{ PROFILE_SSL_2_0, 0x0002, "SSL2.0" },   { PROFILE_SSL_3_0, 0x0300, "SSL3.0" },
	{ PROFILE_TLS_1_0, 0x0301, "TLS1.0" },   { PROFILE_TLS_1_1, 0x0302, "TLS1.1" },
	{ PROFILE_TLS_1_2, 0x0303, "TLS1.2" },   { PROFILE_TLS_1_3, 0x0304, "TLS1.3" },
	{ PROFILE_DTLS_1_0, 0xfeff, "DTLS1.0" }, { PROFILE_DTLS_1_2, 0xfefd, "DTLS1.2" },
	{ PROFILE_DTLS_1_3, 0xfefc, "DTLS1.3" },
};

const char *profile_version_name(unsigned version)
{
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		if (versions[i].version == version)
			return versions[i].name;
	}
	return "?";
}

unsigned profile_version_find(struct base_str name)
{
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		if (base_str_ieq(name, base_str_of(versions[i].name)))
			return versions[i].version;
	}
	return 0;
}

uint16_t profile_version_wire(unsigned version)
{
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		if (versions[i].version == version)
			return versions[i].wire;
	}
	return 0;
}

/* Engines' names as their lists take them: `openssl s_client -groups`, `gnutls-cli -l`. */
static const struct profile_code groups[] = {
	{ 19, "secp192r1", "P-192", "GROUP-SECP192R1" },
	{ 21, "secp224r1", "P-224", "GROUP-SECP224R1" },
	{ 23, "secp256r1", "P-256", "GROUP-SECP256R1" },
	{ 24, "secp384r1", "P-384", "GROUP-SECP384R1" },
	{ 25, "secp521r1", "P-521", "GROUP-SECP521R1" },
	{ 26, "brainpoolP256r1", "brainpoolP256r1", NULL },
	{ 27, "brainpoolP384r1", "brainpoolP384r1", NULL },
	{ 28, "brainpoolP512r1", "brainpoolP512r1", NULL },
	{ 29, "x25519", "X25519", "GROUP-X25519" },
	{ 30, "x448", "X448", "GROUP-X448" },
	{ 256, "ffdhe2048", "ffdhe2048", "GROUP-FFDHE2048" },
	{ 257, "ffdhe3072", "ffdhe3072", "GROUP-FFDHE3072" },
	{ 258, "ffdhe4096", "ffdhe4096", "GROUP-FFDHE4096" },
	{ 259, "ffdhe6144", "ffdhe6144", "GROUP-FFDHE6144" },
	{ 260, "ffdhe8192", "ffdhe8192", "GROUP-FFDHE8192" },
};

/* Names of RFC 8446, 4.2.3; older pairs of hash and signature (RFC 5246, 7.4.1.4.1) by analogy. */
static const struct profile_code signatures[] = {
	{ 0x0101, "rsa_pkcs1_md5", NULL, "SIGN-RSA-MD5" },
	{ 0x0201, "rsa_pkcs1_sha1", "RSA+SHA1", "SIGN-RSA-SHA1" },
	{ 0x0202, "dsa_sha1", "DSA+SHA1", "SIGN-DSA-SHA1" },
	{ 0x0203, "ecdsa_sha1", "ECDSA+SHA1", "SIGN-ECDSA-SHA1" },
	{ 0x0301, "rsa_pkcs1_sha224", "RSA+SHA224", "SIGN-RSA-SHA224" },
	{ 0x0303, "ecdsa_sha224", "ECDSA+SHA224", "SIGN-ECDSA-SHA224" },
	{ 0x0401, "rsa_pkcs1_sha256", "rsa_pkcs1_sha256", "SIGN-RSA-SHA256" },
	{ 0x0402, "dsa_sha256", "DSA+SHA256", "SIGN-DSA-SHA256" },
	{ 0x0403, "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256",
	  "SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256" },
	{ 0x0501, "rsa_pkcs1_sha384", "rsa_pkcs1_sha384", "SIGN-RSA-SHA384" },
	{ 0x0503, "ecdsa_secp384r1_sha384", "ecdsa_secp384r1_sha384",
	  "SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP384R1-SHA384" },
	{ 0x0601, "rsa_pkcs1_sha512", "rsa_pkcs1_sha512", "SIGN-RSA-SHA512" },
	{ 0x0603, "ecdsa_secp521r1_sha512", "ecdsa_secp521r1_sha512",
	  "SIGN-ECDSA-SHA512:+SIGN-ECDSA-SECP521R1-SHA512" },
	{ 0x0804, "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha256", "SIGN-RSA-PSS-RSAE-SHA256" },
	{ 0x0805, "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha384", "SIGN-RSA-PSS-RSAE-SHA384" },
	{ 0x0806, "rsa_pss_rsae_sha512", "rsa_pss_rsae_sha512", "SIGN-RSA-PSS-RSAE-SHA512" },
	{ 0x0807, "ed25519", "ed25519", "SIGN-EdDSA-Ed25519" },
	{ 0x0808, "ed448", "ed448", "SIGN-EdDSA-Ed448" },
	{ 0x0809, "rsa_pss_pss_sha256", "rsa_pss_pss_sha256", "SIGN-RSA-PSS-SHA256" },
	{ 0x080a, "rsa_pss_pss_sha384", "rsa_pss_pss_sha384", "SIGN-RSA-PSS-SHA384" },
	{ 0x080b, "rsa_pss_pss_sha512", "rsa_pss_pss_sha512", "SIGN-RSA-PSS-SHA512" },
};

static const struct profile_code extensions[] = {
	{ 0, "server_name", NULL, NULL },
	{ 1, "max_fragment_length", NULL, NULL },
	{ 2, "client_certificate_url", NULL, NULL },
	{ 3, "trusted_ca_keys", NULL, NULL },
	{ 4, "truncated_hmac", NULL, NULL },
	{ 5, "status_request", NULL, NULL },
	{ 10, "supported_groups", NULL, NULL },
	{ 13, "signature_algorithms", NULL, NULL },
	{ 14, "use_srtp", NULL, NULL },
	{ 22, "encrypt_then_mac", NULL, NULL },
	{ 23, "extended_master_secret", NULL, NULL },
	{ 28, "record_size_limit", NULL, NULL },
	{ 35, "session_ticket", NULL, NULL },
	{ 41, "pre_shared_key", NULL, NULL },
	{ 43, "supported_versions", NULL, NULL },
	{ 44, "cookie", NULL, NULL },
	{ 45, "psk_key_exchange_modes", NULL, NULL },
	{ 50, "signature_algorithms_cert", NULL, NULL },
	{ 51, "key_share", NULL, NULL },
	{ 54, "connection_id", NULL, NULL },
	{ 65281, "renegotiation_info", NULL, NULL },
};

const char *profile_extension_never(uint16_t code)
{
	switch (code) {
	case 2:
		return "a server would connect to where a client tells it to (RFC 6066, 11.3)";
	case 4:
		return "RFC 9325, 4.6: MUST NOT be used";
	default:
		return NULL;
	}
}

static const struct profile_code *find(const struct profile_code *table, size_t count,
                                       uint16_t code)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].code == code)
			return &table[i];
	}
	return NULL;
}

static const struct profile_code *named(const struct profile_code *table, size_t count,
                                        struct base_str name)
{
	for (size_t i = 0; i < count; i++) {
		if (base_str_ieq(name, base_str_of(table[i].name)))
			return &table[i];
	}
	return NULL;
}

const struct profile_code *profile_group_find(uint16_t code)
{
	return find(groups, BASE_COUNT(groups), code);
}

const struct profile_code *profile_group_named(struct base_str name)
{
	return named(groups, BASE_COUNT(groups), name);
}

const struct profile_code *profile_group_all(size_t *ret_count)
{
	*ret_count = BASE_COUNT(groups);
	return groups;
}

const struct profile_code *profile_signature_find(uint16_t code)
{
	return find(signatures, BASE_COUNT(signatures), code);
}

const struct profile_code *profile_signature_named(struct base_str name)
{
	return named(signatures, BASE_COUNT(signatures), name);
}

const struct profile_code *profile_signature_all(size_t *ret_count)
{
	*ret_count = BASE_COUNT(signatures);
	return signatures;
}

const struct profile_code *profile_extension_find(uint16_t code)
{
	return find(extensions, BASE_COUNT(extensions), code);
}

const struct profile_code *profile_extension_named(struct base_str name)
{
	return named(extensions, BASE_COUNT(extensions), name);
}

const struct profile_code *profile_extension_all(size_t *ret_count)
{
	*ret_count = BASE_COUNT(extensions);
	return extensions;
}
