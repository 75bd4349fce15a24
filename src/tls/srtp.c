/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys that a session makes for others: exporters (RFC 5705), and those of SRTP (RFC 5764).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "tls/dtls_session.h"
#include "tls/engine.h"

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

/* -- keys for others ------------------------------------------------------------------------- */

int tls_session_export(struct tls_session *session, const char *label,
                       const struct base_str *context, size_t len, struct base_secret *ret)
{
	uint8_t *out;
	int rc;

	if (!session->established || session->rc || len == 0 || len > UINT16_MAX)
		return BASE_ERR(BASE_BUG, 0);
	out = malloc(len);
	if (!out)
		return BASE_ERR(BASE_LOCAL, ENOMEM);
	rc = session->context->ops->extract(session, label, context, out, len);
	if (rc == 0)
		rc = base_secret_set(ret, out, len);
	base_wipe(out, len);
	free(out);
	return rc;
}

uint16_t tls_session_srtp(const struct tls_session *session)
{
	uint16_t code;

	if (!session->dtls || !session->established || !session->dtls->srtp[0])
		return TLS_SRTP_NONE;
	code = session->context->ops->srtp(session);
	for (const uint16_t *offered = session->dtls->srtp; *offered; offered++)
		if (*offered == code)
			return code;
	return TLS_SRTP_NONE;
}

/** One side's master key, and its salt behind it. */
static int srtp_take_one(struct base_secret *ret, const uint8_t *keys, size_t key_len,
                         const uint8_t *salts, size_t salt_len)
{
	uint8_t both[64];
	int rc;

	assert(key_len + salt_len <= sizeof(both));
	memcpy(both, keys, key_len);
	memcpy(both + key_len, salts, salt_len);
	rc = base_secret_set(ret, both, key_len + salt_len);
	base_wipe(both, sizeof(both));
	return rc;
}

int tls_session_srtp_keys(struct tls_session *session, struct tls_srtp_keys *ret)
{
	struct tls_srtp_keys keys = { .profile = tls_session_srtp(session) };
	struct base_secret *client = &keys.theirs, *server = &keys.ours, all = { 0 };
	size_t key, salt;
	int rc;

	if (!tls_srtp_sizes(keys.profile, &key, &salt))
		return BASE_ERR(BASE_BUG, 0);
	if (session->role == TLS_ROLE_CLIENT) {
		client = &keys.ours;
		server = &keys.theirs;
	}
	/* Client's key, server's key, client's salt, server's salt (RFC 5764, 4.2). */
	rc = tls_session_export(session, "EXTRACTOR-dtls_srtp", NULL, 2 * (key + salt), &all);
	if (rc == 0)
		rc = srtp_take_one(client, all.data, key, all.data + 2 * key, salt);
	if (rc == 0)
		rc = srtp_take_one(server, all.data + key, key, all.data + 2 * key + salt, salt);
	base_secret_done(&all);
	if (rc) {
		tls_srtp_keys_done(&keys);
		return rc;
	}
	*ret = keys;
	return 0;
}
