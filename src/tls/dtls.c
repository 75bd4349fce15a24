/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Datagrams: what needs no engine.
 */
#include "tls/engine.h"

bool tls_datagram_next(struct base_reader *r, struct base_str *ret)
{
	size_t len;

	if (base_reader_left(r) == 0)
		return false;
	len = base_reader_u16(r);
	ret->ptr = (const char *)base_reader_take(r, len);
	ret->len = len;
	return !r->failed;
}

/* -- SRTP's protection profiles -------------------------------------------------------------- */

/** RFC 5764, 4.1.2 with its IANA names; the AEAD ones of RFC 7714, 14.2. */
static const struct srtp_profile {
	uint16_t code;
	uint8_t key, salt; /**< octets */
	const char *name;
} profiles[] = {
	{ TLS_SRTP_AES128_CM_SHA1_80, 16, 14, "SRTP_AES128_CM_HMAC_SHA1_80" },
	{ TLS_SRTP_AES128_CM_SHA1_32, 16, 14, "SRTP_AES128_CM_HMAC_SHA1_32" },
	{ TLS_SRTP_AEAD_AES_128_GCM, 16, 12, "SRTP_AEAD_AES_128_GCM" },
	{ TLS_SRTP_AEAD_AES_256_GCM, 32, 12, "SRTP_AEAD_AES_256_GCM" },
};

static const struct srtp_profile *profile_find(uint16_t code)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++)
		if (profiles[i].code == code)
			return &profiles[i];
	return NULL;
}

const char *tls_srtp_name(uint16_t profile)
{
	const struct srtp_profile *found = profile_find(profile);

	return found ? found->name : NULL;
}

bool tls_srtp_sizes(uint16_t profile, size_t *ret_key, size_t *ret_salt)
{
	const struct srtp_profile *found = profile_find(profile);

	if (!found)
		return false;
	*ret_key = found->key;
	*ret_salt = found->salt;
	return true;
}

uint16_t tls_srtp_named(struct base_str name)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++)
		if (base_str_ieq(name, base_str_of(profiles[i].name)))
			return profiles[i].code;
	return TLS_SRTP_NONE;
}

void tls_srtp_keys_done(struct tls_srtp_keys *keys)
{
	base_secret_done(&keys->ours);
	base_secret_done(&keys->theirs);
	keys->profile = TLS_SRTP_NONE;
}
