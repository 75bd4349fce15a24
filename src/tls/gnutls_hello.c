/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Hellos as GnuTLS sends and receives them: a server's choice of suite by the profile's precedence,
 * what a profile asks of the peer's extensions, and what was agreed on.
 */
#include "tls/dtls_session.h"
#include "tls/gnutls_engine.h"
#include "tls/hello.h"
#include "tls/psk.h"
#include "tls/renegotiate.h"
#include "tls/tickets.h"

#define TLS_1_2_WIRE       0x0303
#define SCSV_RENEGOTIATION 0x00ff

/* -- the server's choice --------------------------------------------------------------------- */

/** Does a client of at most `version` have `wire`? DTLS counts downwards (RFC 6347, 4.1). */
static bool hello_reaches(const struct tls_domain *domain, uint16_t version, uint16_t wire)
{
	return domain->whole ? wire >= version && version >> 8 == 0xfe
	                     : wire <= BASE_MIN(version, TLS_1_2_WIRE);
}

/** The highest version that both have, one PROFILE_TLS_ bit; 0 when there is none. */
static unsigned version_choose(const struct tls_domain *domain, const struct tls_hello_view *hello)
{
	for (unsigned bit = PROFILE_TLS_1_3; bit >= PROFILE_TLS_1_0; bit >>= 1) {
		uint16_t wire = tls_domain_wire(domain, bit);

		if (!(domain->versions & bit))
			continue;
		/* RFC 8446, 4.2.1: where the extension is there, legacy_version says nothing */
		if (hello->present & TLS_HELLO_VERSIONS
		            ? tls_numbers_have(hello->versions, wire)
		            : hello_reaches(domain, hello->version, wire))
			return bit;
	}
	return 0;
}

/** Some group of [low, high] that both have; none named by the client leaves us the choice. */
static bool group_common(const struct tls_session *session, const struct tls_hello_view *hello,
                         uint16_t low, uint16_t high)
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
	return !named && (low >= 256 || !(hello->present & TLS_HELLO_GROUPS));
}

/** The certificate that is shown, or may be. */
static const struct tls_gnutls_key *shown(const struct tls_session *session)
{
	const struct tls_gnutls_session *gs = session->engine;

	return gs->key;
}

/** Can this session do this suite of TLS 1.2 or older with this client? */
static bool suite_fits(const struct tls_session *session, const struct tls_hello_view *hello,
                       const struct profile_suite *suite)
{
	gnutls_pk_algorithm_t pk = shown(session)->pk;
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
static bool suite13_fits(const struct tls_session *session, const struct tls_hello_view *hello,
                         uint16_t code, bool sha256_only)
{
	bool psk = hello->present & TLS_HELLO_PSK &&
	           (tls_session_has_psk(session) || session->tickets);

	if (sha256_only && code == 0x1302)
		return false;
	return psk || shown(session)->pk != GNUTLS_PK_UNKNOWN;
}

static bool index_fits(const struct tls_session *session, const struct tls_hello_view *hello,
                       unsigned version, size_t i, bool sha256_only)
{
	const struct profile_suite *suite = profile_suite_find(session->context->domain->suites[i]);

	if (version < suite->min || version > suite->max ||
	    !tls_numbers_have(hello->suites, suite->code))
		return false;
	if (profile_suite_tls13(suite->code))
		return suite13_fits(session, hello, suite->code, sha256_only);
	if (version < PROFILE_TLS_1_2 && mac_is_late(suite))
		return false;
	return suite_fits(session, hello, suite);
}

/** Index into the domain's suites, by our order or the client's; -1 = none. */
static int suite_choose(const struct tls_session *session, const struct tls_hello_view *hello,
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

static int suite_any(const struct tls_session *session, const struct tls_hello_view *hello,
                     unsigned version)
{
	int i = -1;

	if (version == PROFILE_TLS_1_3 && hello->present & TLS_HELLO_PSK &&
	    tls_session_has_psk(session))
		i = suite_choose(session, hello, version, true);
	return i < 0 ? suite_choose(session, hello, version, false) : i;
}

/** Does the client take signatures by this kind of key (RFC 5246, 7.4.1.4.1)? Who does not say so
 * takes what there is. */
static bool signature_fits(const struct tls_hello_view *hello, gnutls_pk_algorithm_t pk,
                           unsigned version)
{
	struct base_reader list = hello->signatures;
	bool any = false;

	while (base_reader_left(&list) >= 2) {
		uint16_t code = base_reader_u16(&list);
		bool old = code >> 8 < 8; /* hash, signature: RSA is 1, and for TLS 1.2 */

		any = true;
		if (pk == GNUTLS_PK_RSA &&
		    ((old && (code & 0xff) == 1 && version < PROFILE_TLS_1_3) ||
		     (code >= 0x0804 && code <= 0x0806)))
			return true;
		if (pk == GNUTLS_PK_ECDSA && old && (code & 0xff) == 3)
			return true;
		if (pk != GNUTLS_PK_RSA && pk != GNUTLS_PK_ECDSA)
			return true;
	}
	return !any;
}

/**
 * The suite, and with it the certificate: among those that the client's wishes leave, the one whose
 * suite comes first. @return index of the suite, -1 = none, -2 = the name is refused
 */
static int certificate_choose(struct tls_session *session, const struct tls_hello_view *hello,
                              unsigned version)
{
	struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	struct tls_gnutls_session *gs = session->engine;
	struct tls_gnutls_key *best = NULL;
	struct tls_choice choice;
	int found = -1;

	if (!tls_certificates_choose(session, hello, &choice))
		return -2;
	for (int lenient = 0; lenient < 2 && !best; lenient++)
		for (unsigned k = 0; k < choice.count; k++) {
			unsigned at = choice.index[k];
			int i;

			gs->key = at ? &gc->more[at - 1] : &gc->own;
			if (!lenient && !signature_fits(hello, gs->key->pk, version))
				continue;
			i = suite_any(session, hello, version);
			if (i < 0 || (best && i >= found))
				continue;
			found = i;
			best = gs->key;
		}
	gs->key = best ? best : &gc->own;
	session->named = choice.by_name;
	session->authorities = choice.by_authority;
	return found;
}

static int no_recv(gnutls_session_t tls, const unsigned char *data, size_t len)
{
	(void)tls;
	(void)data;
	(void)len;
	return 0; /* on_client_hello() has read it */
}

/** Empty, where it was of use (RFC 6066, 6). */
static int authorities_send(gnutls_session_t tls, gnutls_buffer_t into)
{
	const struct tls_session *session = gnutls_session_get_ptr(tls);

	(void)into;
	return session->authorities ? GNUTLS_E_INT_RET_0 : 0;
}

/** Where there was something to choose: show it. Tickets are of the first certificate alone. */
static int certificate_show(struct tls_session *session, struct tls_gnutls_session *gs,
                            unsigned version)
{
	const struct tls_gnutls_context *gc = tls_gnutls_context_of(session);
	int rc = gnutls_credentials_set(gs->tls, GNUTLS_CRD_CERTIFICATE, gs->key->cred);

	session->tickets &= gs->key == &gc->own;
	session->ids &= gs->key == &gc->own;
	if (rc < 0 || gs->chosen) /* a second ClientHello: RFC 8446, 4.1.4 */
		return rc;
	gs->chosen = true;
	if (session->authorities && version < PROFILE_TLS_1_3)
		rc = gnutls_session_ext_register(gs->tls, "trusted_ca_keys", 3, GNUTLS_EXT_TLS,
		                                 no_recv, authorities_send, NULL, NULL, NULL,
		                                 GNUTLS_EXT_FLAG_CLIENT_HELLO |
		                                         GNUTLS_EXT_FLAG_TLS12_SERVER_HELLO);
	return rc;
}

/** Let GnuTLS choose that suite; its priorities are made once per context. */
static int priority_narrow(struct tls_session *session, const struct tls_hello_view *hello,
                           size_t i)
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

static unsigned version_of(const struct tls_domain *domain, uint16_t wire)
{
	unsigned bit = PROFILE_TLS_1_0;

	while (bit < PROFILE_TLS_1_3 && tls_domain_wire(domain, bit) != wire)
		bit <<= 1;
	return bit;
}

/** RFC 8446, 4.2.11: none of the client's identities is known, so it is shown the certificate,
 * where the domain does not refuse that. GnuTLS goes on so only where it has no PSK at all. */
static int psk_leave(struct tls_session *session, struct tls_gnutls_session *gs,
                     const struct tls_hello_view *hello)
{
	if (!base_reader_left(&hello->identities) || !tls_session_has_psk(session) ||
	    gs->key->pk == GNUTLS_PK_UNKNOWN || session->context->domain->refuse_unknown_psk ||
	    session->ticket_serial || tls_psk_any_known(session, hello->identities))
		return 0;
	gnutls_credentials_clear(gs->tls);
	return gnutls_credentials_set(gs->tls, GNUTLS_CRD_CERTIFICATE, gs->key->cred);
}

static int on_client_hello(struct tls_session *session, const gnutls_datum_t *msg)
{
	const struct tls_domain *domain = session->context->domain;
	const struct profile_settings *settings = domain->settings;
	struct tls_gnutls_session *gs = session->engine;
	struct tls_hello_view hello;
	unsigned version;
	int i = -1, rc;

	if (!tls_hello_read(&hello, msg->data, msg->size, true))
		return 0;
	rc = tls_gnutls_limit_due(session, &hello, msg);
	if (rc)
		return rc;
	gs->hello_version = hello.version;
	tls_session_call(session, hello.name);
	if (session->renegotiating && hello.present & TLS_HELLO_TICKET)
		tls_gnutls_tickets_stop(session);
	version = session->established ? version_of(domain, session->version)
	                               : version_choose(domain, &hello);
	if (!version)
		return tls_gnutls_refuse(session, TLS_ALERT_PROTOCOL_VERSION,
		                         "no version in common");
	if (version < PROFILE_TLS_1_3 && settings->extended_master_secret_required.value &&
	    !(hello.present & TLS_HELLO_MASTER_SECRET))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the client has no extended_master_secret "
		                         "(RFC 7627, 5.3)");
	if (version < PROFILE_TLS_1_3 && settings->renegotiation_info_peer.value &&
	    !(hello.present & TLS_HELLO_RENEGOTIATION) &&
	    !tls_numbers_have(hello.suites, SCSV_RENEGOTIATION))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the client does not know RFC 5746");
	i = certificate_choose(session, &hello, version);
	if (i == -2)
		return tls_gnutls_refuse(session, TLS_ALERT_UNRECOGNIZED_NAME,
		                         "the client asks for a server_name that no certificate "
		                         "proves (RFC 6066, 3)");
	if (i < 0)
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "no cipher suite in common");
	gs->fragment = hello.present & TLS_HELLO_RECORD_SIZE ? 0 : hello.fragment;
	rc = domain->certificate_count ? certificate_show(session, gs, version) : 0;
	if (rc >= 0)
		rc = tls_gnutls_ticket_key(session, hello.ticket, hello.identities);
	if (rc >= 0 && version == PROFILE_TLS_1_3)
		rc = psk_leave(session, gs, &hello);
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
	struct tls_hello_view hello;
	bool tls13;

	if (!tls_hello_read(&hello, msg->data, msg->size, false))
		return 0;
	session->suite = hello.suite;
	if (!suite_offered(session->context->domain, hello.suite))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "a cipher suite that is not the profile's was chosen");
	if (session->role == TLS_ROLE_SERVER)
		return 0;
	tls13 = hello.present & TLS_HELLO_VERSIONS;
	if (!tls13 && settings->extended_master_secret_required.value &&
	    !(hello.present & TLS_HELLO_MASTER_SECRET))
		return tls_gnutls_refuse(session, TLS_ALERT_HANDSHAKE_FAILURE,
		                         "the server has no extended_master_secret "
		                         "(RFC 7627, 5.3)");
	if (tls13 && settings->psk_dhe_only.value && hello.present & TLS_HELLO_PSK &&
	    !(hello.present & TLS_HELLO_KEY_SHARE))
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

static int on_late(struct tls_session *session, unsigned type)
{
	if (type == GNUTLS_HANDSHAKE_KEY_UPDATE)
		tls_renegotiation_keys(session);
	return type == GNUTLS_HANDSHAKE_CLIENT_HELLO ? on_late_hello(session) : 0;
}

int tls_gnutls_hook(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                    const gnutls_datum_t *msg)
{
	struct tls_session *session = gnutls_session_get_ptr(tls);
	struct tls_gnutls_session *gs = session->engine;

	if (when == GNUTLS_HOOK_POST)
		return type == GNUTLS_HANDSHAKE_CLIENT_HELLO && incoming
		               ? tls_gnutls_name_answer(session)
		               : 0;
	if (session->established && !session->renegotiating)
		return incoming ? on_late(session, type) : 0;
	if (session->dtls && incoming)
		session->dtls->moved = true;
	gs->made |= !incoming;
	switch (type) {
	case GNUTLS_HANDSHAKE_CLIENT_HELLO:
		return incoming ? on_client_hello(session, msg) : 0;
	case GNUTLS_HANDSHAKE_SERVER_HELLO:
	case GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST:
		return on_server_hello(session, msg);
	case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
		return incoming ? on_certificate(session, msg) : 0;
	case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
		if (!incoming)
			tls_gnutls_ticket_given(session, msg);
		return 0;
	default:
		return 0;
	}
}
