/* SPDX-License-Identifier: Apache-2.0 */
#include "check/fragments.h"

enum extension_type {
	SERVER_NAME = 0,
	MAX_FRAGMENT = 1,
	CLIENT_URL = 2,
	TRUSTED_CA = 3,
	TRUNCATED_HMAC = 4,
	STATUS = 5,
	GROUPS = 10,
	POINT_FORMATS = 11,
	SIGNATURES = 13,
	SRTP = 14,
	ETM = 22,
	EMS = 23,
	RECORD_LIMIT = 28,
	TICKET = 35,
	PRE_SHARED_KEY = 41,
	EARLY_DATA = 42,
	VERSIONS = 43,
	PSK_MODES = 45,
	SIGNATURES_CERT = 50,
	SHARE = 51,
	RENEGOTIATION = 0xff01
};

size_t check_vector_begin(struct base_writer *w, unsigned octets)
{
	static const uint8_t none[3];

	base_writer_put(w, none, octets);
	return w->len;
}

void check_vector_end(struct base_writer *w, size_t at, unsigned octets)
{
	size_t len = w->len - at;

	if (w->failed)
		return;
	for (unsigned i = 1; i <= octets; i++, len >>= 8)
		w->data[at - i] = (uint8_t)len;
	w->failed |= len != 0;
}

static void vector(struct base_writer *w, unsigned octets, struct check_bytes bytes)
{
	size_t at = check_vector_begin(w, octets);

	base_writer_put(w, bytes.data, bytes.len);
	check_vector_end(w, at, octets);
}

/** An extension whose data is constant. */
static void extension(struct base_writer *w, uint16_t type, const void *data, size_t len)
{
	base_writer_u16(w, type);
	vector(w, 2, (struct check_bytes){ data, len });
}

static bool is_dtls(const struct check_offer *o)
{
	return (o->version & PROFILE_DTLS_ALL) != 0;
}

static bool is_13(const struct check_offer *o)
{
	return (o->version & (PROFILE_TLS_1_3 | PROFILE_DTLS_1_3)) != 0;
}

unsigned check_tls_of(unsigned version)
{
	switch (version) {
	case PROFILE_DTLS_1_0:
		return PROFILE_TLS_1_1;
	case PROFILE_DTLS_1_2:
		return PROFILE_TLS_1_2;
	case PROFILE_DTLS_1_3:
		return PROFILE_TLS_1_3;
	default:
		return version < PROFILE_TLS_1_0 ? PROFILE_TLS_1_0 : version;
	}
}

static uint16_t legacy_version(const struct check_offer *o)
{
	if (o->version == PROFILE_TLS_1_3)
		return 0x0303;
	if (o->version == PROFILE_DTLS_1_3)
		return 0xfefd;
	return profile_version_wire(o->version);
}

/* -- suites ------------------------------------------------------------------------------------ */

bool check_suite_fits(const struct profile_suite *suite, unsigned version)
{
	unsigned tls = check_tls_of(version);

	return suite->min <= tls && tls <= suite->max &&
	       (!(version & PROFILE_DTLS_ALL) || suite->dtls);
}

static void every_suite(const struct check_offer *o, struct base_writer *w)
{
	size_t count;
	const struct profile_suite *suite = profile_suite_all(&count);

	for (size_t i = 0; i < count; i++)
		if (check_suite_fits(&suite[i], o->version))
			base_writer_u16(w, suite[i].code);
}

static void suites_put(const struct check_offer *o, struct base_writer *w)
{
	size_t at = check_vector_begin(w, 2);

	for (size_t i = 0; i < o->suites.count; i++)
		base_writer_u16(w, o->suites.code[i]);
	if (!o->suites.count)
		every_suite(o, w);
	if (o->with & CHECK_WITH_RENEGOTIATION_SCSV)
		base_writer_u16(w, CHECK_SCSV_RENEGOTIATION);
	if (o->with & CHECK_WITH_FALLBACK_SCSV)
		base_writer_u16(w, CHECK_SCSV_FALLBACK);
	check_vector_end(w, at, 2);
}

/* -- extensions -------------------------------------------------------------------------------- */

static void codes_extension(struct base_writer *w, uint16_t type, struct profile_codes chosen,
                            const struct profile_code *all, size_t count)
{
	size_t outer, inner;

	base_writer_u16(w, type);
	outer = check_vector_begin(w, 2);
	inner = check_vector_begin(w, 2);
	for (size_t i = 0; i < chosen.count; i++)
		base_writer_u16(w, chosen.code[i]);
	for (size_t i = 0; i < count && !chosen.count; i++)
		base_writer_u16(w, all[i].code);
	check_vector_end(w, inner, 2);
	check_vector_end(w, outer, 2);
}

static void name_put(struct base_writer *w, const char *name)
{
	size_t outer, inner;

	base_writer_u16(w, SERVER_NAME);
	outer = check_vector_begin(w, 2);
	inner = check_vector_begin(w, 2);
	base_writer_u8(w, 0); /* host_name */
	vector(w, 2, (struct check_bytes){ (const uint8_t *)name, strlen(name) });
	check_vector_end(w, inner, 2);
	check_vector_end(w, outer, 2);
}

static void share_put(const struct check_offer *o, struct base_writer *w)
{
	uint8_t random[32];
	size_t outer, inner;

	base_writer_u16(w, SHARE);
	outer = check_vector_begin(w, 2);
	inner = check_vector_begin(w, 2);
	if (o->share.len) {
		base_writer_u16(w, o->share_group);
		vector(w, 2, o->share);
	} else if (!(o->with & CHECK_WITH_NO_SHARE)) {
		w->failed |= base_random(random, sizeof(random)) != 0;
		base_writer_u16(w, 29); /* any 32 octets are a public key of X25519 (RFC 7748, 5) */
		vector(w, 2, (struct check_bytes){ random, sizeof(random) });
	}
	check_vector_end(w, inner, 2);
	check_vector_end(w, outer, 2);
}

/** The last of all (RFC 8446, 4.2.11). */
static void psk_put(const struct check_offer *o, struct base_writer *w)
{
	static const uint8_t zeros[64];
	size_t outer, inner;

	base_writer_u16(w, PRE_SHARED_KEY);
	outer = check_vector_begin(w, 2);
	inner = check_vector_begin(w, 2);
	vector(w, 2, o->ticket);
	base_writer_u32(w, o->ticket_age);
	check_vector_end(w, inner, 2);
	inner = check_vector_begin(w, 2);
	vector(w, 1, (struct check_bytes){ zeros, BASE_MIN(o->binder_len, sizeof(zeros)) });
	check_vector_end(w, inner, 2);
	check_vector_end(w, outer, 2);
}

static void extensions_13(const struct check_offer *o, struct base_writer *w)
{
	uint8_t versions[3] = { 2 };
	uint16_t wire = profile_version_wire(o->version);

	versions[1] = (uint8_t)(wire >> 8);
	versions[2] = (uint8_t)wire;
	extension(w, VERSIONS, versions, sizeof(versions));
	/* psk_dhe_ke: a server may then send tickets */
	extension(w, PSK_MODES, o->with & CHECK_WITH_PSK_KE ? "\x01\x00" : "\x01\x01", 2);
	if (o->with & CHECK_WITH_EARLY)
		extension(w, EARLY_DATA, "", 0);
	share_put(o, w);
}

/** Those that are one flag and a constant. */
static void flagged(const struct check_offer *o, struct base_writer *w)
{
	static const struct {
		unsigned with;
		uint16_t type;
		const char *data;
		size_t len;
	} rows[] = {
		{ CHECK_WITH_MAX_FRAGMENT, MAX_FRAGMENT, "\x01", 1 },
		{ CHECK_WITH_CLIENT_URL, CLIENT_URL, "", 0 },
		{ CHECK_WITH_TRUSTED_CA, TRUSTED_CA, "\0\0", 2 },
		{ CHECK_WITH_TRUNCATED_HMAC, TRUNCATED_HMAC, "", 0 },
		{ CHECK_WITH_STATUS, STATUS, "\x01\0\0\0\0", 5 },
		{ CHECK_WITH_SRTP, SRTP, "\0\x02\0\x01\0", 5 },
		{ CHECK_WITH_ETM, ETM, "", 0 },
		{ CHECK_WITH_EMS, EMS, "", 0 },
		{ CHECK_WITH_RECORD_LIMIT, RECORD_LIMIT, "\x40\0", 2 },
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (o->with & rows[i].with)
			extension(w, rows[i].type, rows[i].data, rows[i].len);
}

static void extensions_put(const struct check_offer *o, struct base_writer *w)
{
	const struct profile_code *groups, *signatures;
	size_t group_count, signature_count, at = check_vector_begin(w, 2);

	groups = profile_group_all(&group_count);
	signatures = profile_signature_all(&signature_count);
	if (o->server_name)
		name_put(w, o->server_name);
	codes_extension(w, GROUPS, o->groups, groups, group_count);
	extension(w, POINT_FORMATS, "\x01\0", 2);
	if (check_tls_of(o->version) >= PROFILE_TLS_1_2)
		codes_extension(w, SIGNATURES, o->signatures, signatures, signature_count);
	if (o->signatures
	            .count) /* who restricts its handshake takes any certificate all the same */
		codes_extension(w, SIGNATURES_CERT, (struct profile_codes){ NULL, 0 }, signatures,
		                signature_count);
	flagged(o, w);
	if (o->with & CHECK_WITH_RENEGOTIATION_INFO) {
		size_t outer;

		base_writer_u16(w, RENEGOTIATION);
		outer = check_vector_begin(w, 2);
		vector(w, 1, o->verify);
		check_vector_end(w, outer, 2);
	}
	if (o->with & CHECK_WITH_TICKET) {
		base_writer_u16(w, TICKET);
		vector(w, 2, o->ticket);
	}
	if (is_13(o))
		extensions_13(o, w);
	if (o->binder_len)
		psk_put(o, w);
	check_vector_end(w, at, 2);
}

/* -- the message ------------------------------------------------------------------------------- */

void check_hello_put(const struct check_offer *o, struct base_writer *w)
{
	uint8_t fresh[64];
	struct check_bytes id = o->session_id;

	w->failed |= base_random(fresh, sizeof(fresh)) != 0;
	base_writer_u16(w, legacy_version(o));
	base_writer_put(w, o->random ? o->random : fresh, 32);
	if (!id.len && o->version == PROFILE_TLS_1_3) /* RFC 8446, D.4 */
		id = (struct check_bytes){ fresh + 32, 32 };
	vector(w, 1, id);
	if (is_dtls(o))
		vector(w, 1, o->cookie);
	suites_put(o, w);
	if (o->with & CHECK_WITH_DEFLATE)
		base_writer_put(w, "\x02\x01\x00", 3);
	else
		base_writer_put(w, "\x01\x00", 2);
	if (!(o->with & CHECK_WITH_NO_EXTENSIONS) && o->version > PROFILE_SSL_3_0)
		extensions_put(o, w);
}

void check_hello_message(const struct check_offer *o, struct base_writer *w)
{
	size_t at;

	base_writer_u8(w, CHECK_CLIENT_HELLO);
	at = check_vector_begin(w, 3);
	check_hello_put(o, w);
	check_vector_end(w, at, 3);
}

void check_record_put(struct base_writer *w, enum check_record type, uint16_t version,
                      const void *data, size_t len)
{
	base_writer_u8(w, (uint8_t)type);
	base_writer_u16(w, version);
	vector(w, 2, (struct check_bytes){ data, len });
}

void check_record_put_dtls(struct base_writer *w, enum check_record type, uint16_t version,
                           uint64_t number, const void *data, size_t len)
{
	base_writer_u8(w, (uint8_t)type);
	base_writer_u16(w, version);
	base_writer_u32(w, (uint32_t)(number >> 32));
	base_writer_u32(w, (uint32_t)number);
	vector(w, 2, (struct check_bytes){ data, len });
}

/** SSL 2.0's CLIENT-HELLO with its version, so that no TLS server takes it for a later one. */
static void hello_ssl2(struct base_writer *w)
{
	static const uint8_t suites[] = { 1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80,
		                          4, 0, 0x80, 6, 0, 0x40, 7, 0, 0xc0 };
	uint8_t challenge[16];

	w->failed |= base_random(challenge, sizeof(challenge)) != 0;
	base_writer_u16(w, 0x8000 | (9 + sizeof(suites) + sizeof(challenge)));
	base_writer_u8(w, 1);
	base_writer_u16(w, 0x0002);
	base_writer_u16(w, sizeof(suites));
	base_writer_u16(w, 0);
	base_writer_u16(w, sizeof(challenge));
	base_writer_put(w, suites, sizeof(suites));
	base_writer_put(w, challenge, sizeof(challenge));
}

void check_hello_wire(const struct check_offer *o, struct base_writer *w)
{
	struct base_writer message = { 0 };

	if (o->version == PROFILE_SSL_2_0) {
		hello_ssl2(w);
		return;
	}
	check_hello_message(o, &message);
	w->failed |= message.failed;
	/* RFC 5246, E.1: a first record carries the lowest version there is */
	check_record_put(w, CHECK_RECORD_HANDSHAKE, o->version == PROFILE_SSL_3_0 ? 0x0300 : 0x0301,
	                 message.data, message.len);
	base_writer_done(&message);
}

void check_hello_datagram(const struct check_offer *o, bool again, uint32_t record,
                          struct base_writer *w)
{
	struct base_writer body = { 0 }, message = { 0 };

	check_hello_put(o, &body);
	check_fragment_head(&message, CHECK_CLIENT_HELLO, again, body.len);
	base_writer_put(&message, body.data, body.len);
	w->failed |= body.failed || message.failed;
	check_record_put_dtls(w, CHECK_RECORD_HANDSHAKE,
	                      o->version == PROFILE_DTLS_1_0 || !again ? 0xfeff : 0xfefd, record,
	                      message.data, message.len);
	base_writer_done(&body);
	base_writer_done(&message);
}
