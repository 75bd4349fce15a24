/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The ticket key of a GnuTLS server. GnuTLS 3.7 makes the keys it really uses from the one it is
 * given and the time: 64 octets of SHA3-512 over the number of the period (three lifetimes long)
 * and that key, the first 16 the name; it takes those of this period and of the one before. A
 * session can be given one key only, so we look at what the client shows and compute whose it is.
 * Where another GnuTLS does it otherwise nothing is recognised, and old tickets end in full
 * handshakes; tests/tls/test_ticket_keys.c would say so.
 */
#include <time.h>

#include "tls/gnutls_engine.h"

#define PERIOD_LIFETIMES 3

/** Is `name` what GnuTLS calls this key in that period? */
static bool name_is(const uint8_t *name, const struct tls_ticket_key *key, uint64_t period)
{
	uint8_t text[8 + sizeof(key->gnutls)], made[64];
	unsigned len = sizeof(made);
	bool same;

	for (unsigned i = 0; i < 8; i++)
		text[i] = (uint8_t)(period >> (56 - 8 * i));
	memcpy(text + 8, key->gnutls, sizeof(key->gnutls));
	same = EVP_Digest(text, sizeof(text), made, &len, EVP_sha3_512(), NULL) == 1 &&
	       memcmp(made, name, TLS_TICKET_NAME) == 0;
	base_wipe(text, sizeof(text));
	base_wipe(made, sizeof(made));
	return same;
}

static const struct tls_ticket_key *key_find(const struct tls_ticket_key *keys, unsigned count,
                                             struct base_reader ticket, uint32_t lifetime_s)
{
	uint64_t period = (uint64_t)time(NULL) / ((uint64_t)lifetime_s * PERIOD_LIFETIMES);
	const uint8_t *name = base_reader_take(&ticket, TLS_TICKET_NAME);

	for (unsigned i = 0; name && i < count; i++)
		if (name_is(name, &keys[i], period) || name_is(name, &keys[i], period - 1))
			return &keys[i];
	return NULL;
}

/** The first identity that is a ticket of ours (RFC 8446, 4.2.11). */
static const struct tls_ticket_key *key_of_identities(const struct tls_ticket_key *keys,
                                                      unsigned count, struct base_reader list,
                                                      uint32_t lifetime_s)
{
	const struct tls_ticket_key *key = NULL;

	for (unsigned tries = 0; !key && tries < 4 && base_reader_left(&list); tries++) {
		struct base_reader one = base_reader_sub(&list, base_reader_u16(&list));

		(void)base_reader_u32(&list); /* obfuscated_ticket_age */
		if (list.failed)
			break;
		key = key_find(keys, count, one, lifetime_s);
	}
	return key;
}

int tls_gnutls_ticket_key(struct tls_session *session, struct base_reader ticket,
                          struct base_reader identities)
{
	struct tls_gnutls_session *gs = session->engine;
	const struct tls_domain *domain = session->context->domain;
	struct tls_ticket_key keys[TLS_TICKET_KEYS], give;
	const struct tls_ticket_key *key;
	unsigned count;
	int rc = 0;

	if (!session->tickets || gs->keyed)
		return 0;
	count = tls_ticket_keys_all(domain->ring, session->io->now_ms, keys);
	key = key_find(keys, count, ticket, domain->lifetime_s);
	if (!key)
		key = key_of_identities(keys, count, identities, domain->lifetime_s);
	if (key)
		session->ticket_serial = key->serial;
	if (tls_ticket_key_give(domain->ring, session->ticket_serial, session->io->now_ms, &give)) {
		gnutls_datum_t datum = { give.gnutls, sizeof(give.gnutls) };

		rc = gnutls_session_ticket_enable_server(gs->tls, &datum);
		gs->keyed = rc >= 0;
	}
	base_wipe(keys, sizeof(keys));
	base_wipe(&give, sizeof(give));
	return rc;
}
