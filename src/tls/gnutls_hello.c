/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hellos as GnuTLS sends and receives them: a server's choice of suite by the profile's precedence,
 * what a profile asks of the peer's extensions, and what was agreed on.
 */
#include "tls/gnutls_engine.h"

#define TLS_1_2_WIRE       0x0303
#define SCSV_RENEGOTIATION 0x00ff

/** Extensions we look for, as bits. */
enum {
	EXT_GROUPS = 1 << 0,
	EXT_MASTER_SECRET = 1 << 1,
	EXT_PSK = 1 << 2,
	EXT_VERSIONS = 1 << 3,
	EXT_KEY_SHARE = 1 << 4,
	EXT_RENEGOTIATION = 1 << 5,
	EXT_TICKET_SHOWN = 1 << 6,
};

struct hello {
	uint16_t version; /**< legacy_version */
	uint16_t suite;   /**< ServerHello */
	struct base_reader suites, versions, groups;
	struct base_reader ticket, identities; /**< ClientHello: what is to be resumed */
	unsigned present;                      /**< EXT_ bits */
};

static void extensions_read(struct hello *hello, struct base_reader *r)
{
	struct base_reader all = base_reader_sub(r, base_reader_u16(r));

	while (base_reader_left(&all) && !all.failed) {
		uint16_t type = base_reader_u16(&all);
		struct base_reader body = base_reader_sub(&all, base_reader_u16(&all));

		switch (type) {
		case 10: /* RFC 8422, 5.1.1 */
			hello->present |= EXT_GROUPS;
			hello->groups = base_reader_sub(&body, base_reader_u16(&body));
			break;
		case 23: /* RFC 7627, 5.1 */
			hello->present |= EXT_MASTER_SECRET;
			break;
		case 35: /* RFC 5077, 3.2 */
			hello->present |= base_reader_left(&body) ? EXT_TICKET_SHOWN : 0;
			hello->ticket = body;
			break;
		case 41: /* RFC 8446, 4.2.11 */
			hello->present |= EXT_PSK;
			hello->identities = base_reader_sub(&body, base_reader_u16(&body));
			break;
		case 43: /* RFC 8446, 4.2.1: a list from the client, one from the server */
			hello->present |= EXT_VERSIONS;
			hello->versions = body;
			break;
		case 51: /* RFC 8446, 4.2.8 */
			hello->present |= EXT_KEY_SHARE;
			break;
		case 0xff01: /* RFC 5746, 3.2 */
			hello->present |= EXT_RENEGOTIATION;
			break;
		default:
			break;
		}
	}
	r->failed |= all.failed;
}

/** RFC 5246, 7.4.1.2 and 7.4.1.3. False when it is malformed: GnuTLS will say so. */
static bool hello_read(struct hello *hello, const gnutls_datum_t *msg, bool client)
{
	struct base_reader r = base_reader_of(msg->data, msg->size);

	*hello = (struct hello){ 0 };
	hello->version = base_reader_u16(&r);
	(void)base_reader_take(&r, 32);
	(void)base_reader_take(&r, base_reader_u8(&r));
	if (client) {
		hello->suites = base_reader_sub(&r, base_reader_u16(&r));
		(void)base_reader_take(&r, base_reader_u8(&r));
	} else {
		hello->suite = base_reader_u16(&r);
		(void)base_reader_u8(&r);
	}
	if (base_reader_left(&r))
		extensions_read(hello, &r);
	return !r.failed;
}

/** Is it among these 16-bit numbers? */
static bool numbers_have(struct base_reader list, uint16_t number)
{
	while (base_reader_left(&list) >= 2)
		if (base_reader_u16(&list) == number)
			return true;
	return false;
}

/* -- the server's choice --------------------------------------------------------------------- */

/** The highest version that both have, one PROFILE_TLS_ bit; 0 when there is none. */
static unsigned version_choose(const struct tls_domain *domain, const struct hello *hello)
{
	struct base_reader list = hello->versions;

	if (hello->present & EXT_VERSIONS)
		list = base_reader_sub(&list, base_reader_u8(&list));
	for (unsigned bit = PROFILE_TLS_1_3; bit >= PROFILE_TLS_1_0; bit >>= 1) {
		uint16_t wire = profile_version_wire(bit);

		if (!(domain->versions & bit))
			continue;
		/* RFC 8446, 4.2.1: where the extension is there, legacy_version says nothing */
		if (hello->present & EXT_VERSIONS ? numbers_have(list, wire)
		                                  : wire <= BASE_MIN(hello->version, TLS_1_2_WIRE))
			return bit;
	}
	return 0;
}

/** Some group of [low, high] that both have; none named by the client leaves us the choice. */
static bool group_common(const struct tls_session *session, const struct hello *hello, uint16_t low,
                         uint16_t high)
{
	const struct profile_list *groups = &tls_settings(session)->groups;
	struct base_reader list = hello->groups;
	bool named = false;

	while (base_reader_left(&list) >= 2) {
		uint16_t group = base_reader_u16(&list);
		const struct profile_setting *ours;

		if (group < low || group > high)
			continue;
		named = true;
		ours = profile_list_find(groups, group);
		if (groups->on == 0 || (ours && ours->on))
			return true;
	}
	return !named && (low >= 256 || !(hello->present & EXT_GROUPS));
}

/** Can this session do this suite of TLS 1.2 or older with this client? */
static bool suite_fits(const struct tls_session *session, const struct hello *hello,
                       const struct profile_suite *suite)
{
	gnutls_pk_algorithm_t pk = tls_gnutls_context_of(session)->pk;
	bool rsa = pk == GNUTLS_PK_RSA || pk == GNUTLS_PK_RSA_PSS;
	const char *kx = suite->gnutls_kx ? suite->gnutls_kx : "";

	if (suite->flags & PROFILE_SUITE_DSS)
		return false;
	if (suite->flags & PROFILE_SUITE_PSK && !tls_session_has_psk(session))
		return false;
	if (suite->flags & PROFILE_SUITE_ECDSA && (rsa || pk == GNUTLS_PK_UNKNOWN))
		return false;
	if (suite->flags & (PROFILE_SUITE_RSA_AUTH | PROFILE_SUITE_RSA_KX) && !rsa)
		return false;
	if (strncmp(kx, "ECDHE", 5) == 0 || strcmp(kx, "ANON-ECDH") == 0)
		return group_common(session, hello, 1, 255);
	if (strncmp(kx, "DHE", 3) == 0 || strcmp(kx, "ANON-DH") == 0)
		return group_common(session, hello, 256, 511); /* RFC 7919, 4 */
	return true;
}

/** RFC 5487 and 5489 let CBC with SHA-256 and SHA-384 be used from TLS 1.0 on, GnuTLS from 1.2 on.
 */
static bool mac_is_late(const struct profile_suite *suite)
{
	return suite->gnutls_mac && strncmp(suite->gnutls_mac, "SHA", 3) == 0 &&
	       strcmp(suite->gnutls_mac, "SHA1") != 0;
}

/** TLS 1.3: a certificate to show, or a PSK to try. GnuTLS binds external PSKs with SHA-256. */
static bool suite13_fits(const struct tls_session *session, const struct hello *hello,
                         uint16_t code, bool sha256_only)
{
	bool psk = hello->present & EXT_PSK && (tls_session_has_psk(session) || session->tickets);

	if (sha256_only && code == 0x1302)
		return false;
	return psk || tls_gnutls_context_of(session)->pk != GNUTLS_PK_UNKNOWN;
}

static bool index_fits(const struct tls_session *session, const struct hello *hello,
                       unsigned version, size_t i, bool sha256_only)
{
	const struct profile_suite *suite = profile_suite_find(session->context->domain->suites[i]);

	if (version < suite->min || version > suite->max ||
	    !numbers_have(hello->suites, suite->code))
		return false;
	if (profile_suite_tls13(suite->code))
		return suite13_fits(session, hello, suite->code, sha256_only);
	if (version < PROFILE_TLS_1_2 && mac_is_late(suite))
		return false;
	return suite_fits(session, hello, suite);
}

/** Index into the domain's suites, by our order or the client's; -1 = none. */
static int suite_choose(const struct tls_session *session, const struct hello *hello,
                        unsigned version, bool sha256_only)
{
	const struct tls_domain *domain = session->context->domain;
	struct base_reader list = hello->suites;

	if (domain->settings->server_precedence.value) {
		for (size_t i = 0; i < domain->suite_count; i++)
			if (index_fits(session, hello, version, i, sha256_only))
				return (int)i;
		return -1;
	}
	while (base_reader_left(&list) >= 2) {
		uint16_t code = base_reader_u16(&list);

		for (size_t i = 0; i < domain->suite_count; i++)
			if (domain->suites[i] == code &&
			    index_fits(session, hello, version, i, sha256_only))
				return (int)i;
	}
	return -1;
}

/** Let GnuTLS choose that suite; its priorities are made once per context. */
static int priority_narrow(struct tls_session *session, const struct hello *hello, size_t i)
{
	struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	struct tls_gnutls_session *gs = session->engine;
	const struct tls_domain *domain = session->context->domain;

	/* Older versions' suites say which kind of group they want. */
	bool finite =
	        !profile_suite_tls13(domain->suites[i]) || !group_common(session, hello, 1, 255);
	gnutls_priority_t *one = &gc->one[i][finite];

	if (!*one) {
		int rc = tls_gnutls_priority_one(domain, domain->suites[i], finite, one);

		if (rc < 0)
			return rc;
	}
	return gnutls_priority_set(gs->tls, *one);
}

static unsigned version_of(uint16_t wire)
{
	unsigned bit = PROFILE_TLS_1_0;

	while (bit < PROFILE_TLS_1_3 && profile_version_wire(bit) != wire)
		bit <<= 1;
	return bit;
}

static int on_client_hello(struct tls_session *session, const gnutls_datum_t *msg)
{
	const struct tls_domain *domain = session->context->domain;
	const struct profile_settings *settings = domain->settings;
	struct tls_gnutls_session *gs = session->engine;
	struct hello hello;
	unsigned version;
	int i = -1, rc;

	if (!hello_read(&hello, msg, true))
		return 0;
	gs->hello_version = hello.version;
	if (session->renegotiating && hello.present & EXT_TICKET_SHOWN)
		tls_gnutls_tickets_stop(session);
	version = session->established ? version_of(session->version)
	                               : version_choose(domain, &hello);
	if (!version)
		return tls_gnutls_refuse(session, TLS_ALERT_PROTOCOL_VERSION,
		                         "no version in common");
	if (version < PROFILE_TLS_1_3 && settings->extended_master_secret_required.value &&
	    !(hello.present & EXT_MASTER_SECRET))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the client has no extended_master_secret "
		                         "(RFC 7627, 5.3)");
	if (version < PROFILE_TLS_1_3 && settings->renegotiation_info_peer.value &&
	    !(hello.present & EXT_RENEGOTIATION) && !numbers_have(hello.suites, SCSV_RENEGOTIATION))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the client does not know RFC 5746");
	if (version == PROFILE_TLS_1_3 && hello.present & EXT_PSK && tls_session_has_psk(session))
		i = suite_choose(session, &hello, version, true);
	if (i < 0)
		i = suite_choose(session, &hello, version, false);
	if (i < 0)
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "no cipher suite in common");
	rc = tls_gnutls_ticket_key(session, hello.ticket, hello.identities);
	return rc < 0 ? rc : priority_narrow(session, &hello, (size_t)i);
}

/* -- what was agreed on ---------------------------------------------------------------------- */

static bool suite_offered(const struct tls_domain *domain, uint16_t code)
{
	for (size_t i = 0; i < domain->suite_count; i++)
		if (domain->suites[i] == code)
			return true;
	return false;
}

/** Of our own ServerHello as of the peer's. */
static int on_server_hello(struct tls_session *session, const gnutls_datum_t *msg)
{
	const struct profile_settings *settings = tls_settings(session);
	struct hello hello;
	bool tls13;

	if (!hello_read(&hello, msg, false))
		return 0;
	session->suite = hello.suite;
	if (!suite_offered(session->context->domain, hello.suite))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "a cipher suite that is not the profile's was chosen");
	if (session->role == TLS_ROLE_SERVER)
		return 0;
	tls13 = hello.present & EXT_VERSIONS;
	if (!tls13 && settings->extended_master_secret_required.value &&
	    !(hello.present & EXT_MASTER_SECRET))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the server has no extended_master_secret "
		                         "(RFC 7627, 5.3)");
	if (tls13 && settings->psk_dhe_only.value && hello.present & EXT_PSK &&
	    !(hello.present & EXT_KEY_SHARE))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the server uses a PSK without (EC)DHE (RFC 8446, 4.2.9)");
	return 0;
}

/**
 * A client without a certificate sends an empty list (RFC 5246, 7.4.6; RFC 8446, 4.4.2), which
 * GnuTLS does not ask us about.
 */
static int on_certificate(struct tls_session *session, const gnutls_datum_t *msg)
{
	struct tls_gnutls_session *gs = session->engine;
	struct base_reader r = base_reader_of(msg->data, msg->size);
	uint32_t len;

	if (session->role != TLS_ROLE_SERVER || !tls_session_judges(session))
		return 0;
	if (gnutls_protocol_get_version(gs->tls) == GNUTLS_TLS1_3)
		(void)base_reader_take(&r, base_reader_u8(&r));
	len = base_reader_u24(&r);
	if (r.failed || len)
		return 0;
	return tls_gnutls_judge(session, NULL, 0);
}

/** A renegotiation: see renegotiation_refuse(). TLS 1.3 has no such thing (RFC 8446, 4.1.2). */
static int on_late_hello(struct tls_session *session)
{
	if (session->version != 0x0304)
		return GNUTLS_E_AGAIN;
	return tls_gnutls_refuse(session, TLS_ALERT_UNEXPECTED_MESSAGE,
	                         "a ClientHello on an established session");
}

int tls_gnutls_hook(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                    const gnutls_datum_t *msg)
{
	struct tls_session *session = gnutls_session_get_ptr(tls);

	(void)when;
	if (session->established && !session->renegotiating)
		return type == GNUTLS_HANDSHAKE_CLIENT_HELLO && incoming ? on_late_hello(session)
		                                                         : 0;
	switch (type) {
	case GNUTLS_HANDSHAKE_CLIENT_HELLO:
		return incoming ? on_client_hello(session, msg) : 0;
	case GNUTLS_HANDSHAKE_SERVER_HELLO:
	case GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST:
		return on_server_hello(session, msg);
	case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
		return incoming ? on_certificate(session, msg) : 0;
	default:
		return 0;
	}
}
