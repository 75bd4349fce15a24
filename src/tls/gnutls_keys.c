/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GnuTLS's keys for the record layer: keys, IVs and counters it tells by itself; the traffic
 * secrets of TLS 1.3, from which a KeyUpdate makes the next keys, only the callback made for key
 * logs is told. Nothing is logged here.
 */
#include <stdlib.h>

#include "tls/gnutls_engine.h"

int tls_gnutls_on_secret(gnutls_session_t tls, const char *label, const gnutls_datum_t *secret)
{
	static const char *const known[] = { "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0" };
	struct tls_session *session = gnutls_session_get_ptr(tls);

	for (int role = 0; role < 2; role++) {
		if (strcmp(label, known[role]) != 0 || secret->size > TLS_SECRET_MAX)
			continue;
		if (!session->keys)
			session->keys = calloc(1, sizeof(*session->keys));
		if (session->keys)
			memcpy(session->keys->of[role].secret, secret->data, secret->size);
	}
	return 0;
}

static int state_take(gnutls_session_t tls, bool in, struct tls_record_key *ret)
{
	gnutls_datum_t iv, key;
	uint8_t seq[8];
	struct base_reader r = base_reader_of(seq, sizeof(seq));

	if (gnutls_record_get_state(tls, in, NULL, &iv, &key, seq) < 0 ||
	    iv.size > sizeof(ret->iv) || key.size > sizeof(ret->key))
		return BASE_ERR(BASE_LOCAL, 0);
	memcpy(ret->iv, iv.data, iv.size);
	memcpy(ret->key, key.data, key.size);
	ret->seq = base_reader_u64(&r);
	return 0;
}

int tls_gnutls_keys(struct tls_session *session, struct tls_record_keys *ret)
{
	const struct tls_gnutls_session *gs = session->engine;

	if (session->version >= 0x0304) {
		if (!session->keys)
			return BASE_ERR(BASE_LOCAL, 0);
		*ret = *session->keys;
	}
	ret->keyed = true;
	if (state_take(gs->tls, true, &ret->of[1 - session->role]))
		return BASE_ERR(BASE_LOCAL, 0);
	return state_take(gs->tls, false, &ret->of[session->role]);
}
