/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a GnuTLS server gives to be resumed by: tickets, and session ids. The ticket key: GnuTLS 3.7
 * makes the keys it really uses from the one it is given and the time: 64 octets of SHA3-512 over
 * the number of the period (three lifetimes long) and that key, the first 16 the name; it takes
 * those of this period and of the one before. A session can be given one key only, so we look at
 * what the client shows and compute whose it is. Where another GnuTLS does it otherwise nothing is
 * recognised, and old tickets end in full handshakes; tests/tls/test_ticket_keys.c would say so.
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

/** Among these, that are bound to the name the client asks for. */
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

/** Is any of what it shows, and GnuTLS might take, barred? One that is taken is noted. */
static bool shows_barred(struct tls_session *session, const struct tls_ticket_key *keys,
                         unsigned count, struct base_reader ticket, struct base_reader list)
{
	uint32_t lifetime_s = session->context->domain->lifetime_s;

	if (key_find(keys, count, ticket, lifetime_s))
		return !tls_session_hashed(
		        session,
		        (struct base_str){ (const char *)ticket.at, base_reader_left(&ticket) },
		        false);
	while (base_reader_left(&list) && !list.failed) {
		struct base_reader one = base_reader_sub(&list, base_reader_u16(&list));

		(void)base_reader_u32(&list); /* obfuscated_ticket_age */
		if (list.failed)
			break;
		if (key_find(keys, count, one, lifetime_s) &&
		    !tls_session_hashed(
		            session,
		            (struct base_str){ (const char *)one.at, base_reader_left(&one) },
		            false))
			return true;
	}
	return false;
}

/** NewSessionTicket (RFC 5077, 3.3; RFC 8446, 4.6.1). */
void tls_gnutls_ticket_given(struct tls_session *session, const gnutls_datum_t *msg)
{
	const struct tls_gnutls_session *gs = session->engine;
	struct base_reader r = base_reader_of(msg->data, msg->size), ticket;

	(void)base_reader_u32(&r); /* lifetime */
	if (gnutls_protocol_get_version(gs->tls) == GNUTLS_TLS1_3) {
		(void)base_reader_u32(&r); /* ticket_age_add */
		(void)base_reader_take(&r, base_reader_u8(&r));
	}
	ticket = base_reader_sub(&r, base_reader_u16(&r));
	if (!r.failed)
		(void)tls_session_hashed(
		        session,
		        (struct base_str){ (const char *)ticket.at, base_reader_left(&ticket) },
		        true); /* else it is told as a ticket that stays good */
}

int tls_gnutls_ticket_key(struct tls_session *session, struct base_reader ticket,
                          struct base_reader identities)
{
	struct tls_gnutls_session *gs = session->engine;
	const struct tls_domain *domain = session->context->domain;
	bool shown = base_reader_left(&ticket) || base_reader_left(&identities);
	const uint8_t *called = tls_session_called(session);
	struct tls_ticket_key keys[TLS_TICKET_KEYS], give;
	const struct tls_ticket_key *key;
	unsigned count;
	int rc = 0;

	if (!session->tickets || gs->keyed)
		return 0;
	count = shown ? tls_ticket_keys_all(domain->ring, session->io->now_ms, keys) : 0;
	for (unsigned i = 0; i < count; i++)
		if (!tls_ticket_key_bind(&keys[i], called))
			count = i;
	if (shows_barred(session, keys, count, ticket, identities)) {
		base_wipe(keys, sizeof(keys));
		return 0; /* GnuTLS knows no ticket then, and gives none */
	}
	key = key_find(keys, count, ticket, domain->lifetime_s);
	if (!key)
		key = key_of_identities(keys, count, identities, domain->lifetime_s);
	if (key)
		session->ticket_serial = key->serial;
	if (tls_ticket_key_give(domain->ring, session->ticket_serial, session->io->now_ms, &give) &&
	    tls_ticket_key_bind(&give, called)) {
		gnutls_datum_t datum = { give.gnutls, sizeof(give.gnutls) };

		rc = gnutls_session_ticket_enable_server(gs->tls, &datum);
		gs->keyed = rc >= 0;
	}
	base_wipe(keys, sizeof(keys));
	base_wipe(&give, sizeof(give));
	return rc;
}

/* -- session ids ----------------------------------------------------------------------------- */

static int on_store(void *arg, gnutls_datum_t id, gnutls_datum_t data)
{
	struct tls_session *session = arg;
	const struct tls_gnutls_session *gs = session->engine;

	if (gnutls_protocol_get_version(gs->tls) != GNUTLS_TLS1_3)
		tls_ids_remember(session, id.data, id.size, data.data, data.size);
	return 0;
}

static gnutls_datum_t on_retrieve(void *arg, gnutls_datum_t id)
{
	struct base_secret data = { 0 };
	gnutls_datum_t ret = { NULL, 0 };

	if (!tls_ids_recall(arg, id.data, id.size, &data))
		return ret;
	ret.data = gnutls_malloc(data.len);
	if (ret.data) {
		memcpy(ret.data, data.data, data.len);
		ret.size = (unsigned)data.len;
	}
	base_secret_done(&data);
	return ret;
}

static int on_remove(void *arg, gnutls_datum_t id)
{
	struct tls_session *session = arg;

	if (session->ids)
		tls_ids_remove(session->context->domain->ids,
		               (struct base_str){ (const char *)id.data, id.size });
	return 0;
}

void tls_gnutls_ids(struct tls_session *session, struct tls_gnutls_session *gs)
{
	gnutls_db_set_ptr(gs->tls, session);
	gnutls_db_set_store_function(gs->tls, on_store);
	gnutls_db_set_retrieve_function(gs->tls, on_retrieve);
	gnutls_db_set_remove_function(gs->tls, on_remove);
}

bool tls_gnutls_has_id(const struct tls_session *session, gnutls_session_t tls)
{
	const struct tls_domain *domain = session->context->domain;
	gnutls_datum_t id = { NULL, 0 };

	/* It would name it again in a renegotiation, and a server that remembers would resume. */
	return domain->ids && !session->accepts && !session->initiates &&
	       gnutls_protocol_get_version(tls) != GNUTLS_TLS1_3 &&
	       gnutls_session_get_id2(tls, &id) >= 0 && id.size;
}

size_t tls_gnutls_id(const struct tls_session *session, uint8_t ret[TLS_ID_MAX])
{
	const struct tls_gnutls_session *gs = session->engine;
	gnutls_datum_t id = { NULL, 0 };
	size_t len;

	/* Of a session that was resumed it does not say by what. */
	if (gnutls_session_get_flags(gs->tls) & GNUTLS_SFLAGS_SESSION_TICKET ||
	    (session->resumed && session->tickets) || gnutls_session_get_id2(gs->tls, &id) < 0)
		return 0;
	len = BASE_MIN((size_t)id.size, (size_t)TLS_ID_MAX);
	memcpy(ret, id.data, len);
	return len;
}

/* -- what a session rests on ----------------------------------------------------------------- */

int tls_gnutls_resumed(struct tls_session *session, struct tls_gnutls_session *gs)
{
	bool may_wait = session->may_wait;
	int rc;

	if (session->role != TLS_ROLE_SERVER || !session->resumed || session->psk ||
	    !tls_session_judges(session))
		return 0;
	session->may_wait = false;
	rc = tls_gnutls_verify(gs->tls);
	session->may_wait = may_wait;
	return rc;
}
