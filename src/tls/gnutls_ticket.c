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
#include "tls/tickets.h"

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

#define SHOWN_MAX 4 /**< tickets of a ClientHello that are looked at */

/** What a client shows to be resumed by. */
struct shown {
	struct base_str ticket[SHOWN_MAX];
	unsigned count;
	bool many; /**< more than anybody looks at */
};

static void shown_add(struct shown *shown, const struct base_reader *one)
{
	shown->many |= shown->count == SHOWN_MAX;
	if (base_reader_left(one) && !shown->many)
		shown->ticket[shown->count++] =
		        (struct base_str){ (const char *)one->at, base_reader_left(one) };
}

/** The extension up to TLS 1.2 (RFC 5077, 3.2), and identities of TLS 1.3 (RFC 8446, 4.2.11): it
 * may have both, and which of them counts is GnuTLS's to say. */
static void shown_read(struct shown *shown, const struct base_reader *ticket,
                       struct base_reader list)
{
	*shown = (struct shown){ 0 };
	if (base_reader_left(ticket))
		shown_add(shown, ticket);
	while (base_reader_left(&list) && !shown->many) {
		struct base_reader one = base_reader_sub(&list, base_reader_u16(&list));

		(void)base_reader_u32(&list); /* obfuscated_ticket_age */
		if (list.failed)
			break;
		shown_add(shown, &one);
	}
}

/**
 * The one ticket of ours among them. With two of them nobody could say which is taken, and with
 * more than are looked at what is behind them: then the client is given a full handshake.
 * @return false = neither is to be resumed
 */
static bool shown_own(const struct shown *shown, const struct tls_ticket_key *keys, unsigned count,
                      uint32_t lifetime_s, const struct tls_ticket_key **ret_key,
                      struct base_str *ret)
{
	*ret_key = NULL;
	*ret = (struct base_str){ NULL, 0 };
	for (unsigned i = 0; i < shown->count; i++) {
		struct base_str one = shown->ticket[i];
		const struct tls_ticket_key *key =
		        key_find(keys, count, base_reader_of(one.ptr, one.len), lifetime_s);

		if (key && *ret_key && !base_str_eq(one, *ret))
			return false;
		if (key) {
			*ret_key = key;
			*ret = one;
		}
	}
	return !shown->many;
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

/** Let GnuTLS know tickets under the key that is due. */
static int give_key(struct tls_session *session, struct tls_gnutls_session *gs)
{
	struct tls_ticket_key give;
	int rc = 0;

	if (tls_ticket_key_give(session->context->domain->ring, session->ticket_serial,
	                        session->io->now_ms, &give) &&
	    tls_ticket_key_bind(&give, tls_session_called(session))) {
		gnutls_datum_t datum = { give.gnutls, sizeof(give.gnutls) };

		rc = gnutls_session_ticket_enable_server(gs->tls, &datum);
		gs->keyed = rc >= 0;
	}
	base_wipe(&give, sizeof(give));
	return rc;
}

/** A second ClientHello has what the first one had (RFC 8446, 4.1.2). */
static int second_key(struct tls_session *session, bool fits, struct base_str own)
{
	uint8_t mark[TLS_MARK];

	if (fits && (!own.len || (session->marks.count && tls_ticket_hash(own, mark) &&
	                          memcmp(mark, session->marks.mark[0], TLS_MARK) == 0)))
		return 0;
	return tls_gnutls_refuse(session, TLS_ALERT_ILLEGAL_PARAMETER,
	                         "the second ClientHello has another ticket (RFC 8446, 4.1.2)");
}

int tls_gnutls_ticket_key(struct tls_session *session, struct base_reader ticket,
                          struct base_reader identities)
{
	struct tls_gnutls_session *gs = session->engine;
	const struct tls_domain *domain = session->context->domain;
	struct tls_ticket_key keys[TLS_TICKET_KEYS];
	const struct tls_ticket_key *key;
	struct shown shown;
	struct base_str own;
	unsigned count;
	bool fits;

	/* In a renegotiation GnuTLS is let to know none. */
	if (!session->tickets || (gs->keyed && session->renegotiating))
		return 0;
	shown_read(&shown, &ticket, identities);
	count = shown.count ? tls_ticket_keys_all(domain->ring, session->io->now_ms, keys) : 0;
	for (unsigned i = 0; i < count; i++)
		if (!tls_ticket_key_bind(&keys[i], tls_session_called(session)))
			count = i;
	fits = shown_own(&shown, keys, count, domain->lifetime_s, &key, &own);
	if (key && !gs->keyed)
		session->ticket_serial = key->serial;
	base_wipe(keys, sizeof(keys));
	if (gs->keyed)
		return second_key(session, fits, own);
	if (!fits || (own.len && !tls_session_hashed(session, own, false))) {
		session->ticket_serial = 0;
		return 0; /* GnuTLS knows no ticket then, and gives none */
	}
	return give_key(session, gs);
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
