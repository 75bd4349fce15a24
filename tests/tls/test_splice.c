/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The attack of 2009 (RFC 5746, 1) as a whole: who stands in the middle opens a session of his own,
 * says something, and then carries somebody else's first handshake into it as a renegotiation, so
 * that what he has said counts as that other's. A server that knows nothing of RFC 5746 falls for
 * it, by the same script, in TLS 1.0 and 1.2: that is what shows that the others do not.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

#define PREFIX "order one pizza "
#define WORDS  "I am who I say"

enum { CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23 };

/** A wire with two ends: octets written here, and how many the reader has taken. */
struct wire {
	struct base_writer w;
	size_t read;
};

/** A GnuTLS session on two wires: the attacker's own, a victim, or a server of before 2010. */
struct gnu {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	struct wire in, out;
	bool shaking, up;
};

static ssize_t gnu_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct gnu *gnu = arg;

	base_writer_put(&gnu->out.w, data, len);
	return (ssize_t)len;
}

static ssize_t gnu_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct gnu *gnu = arg;

	len = BASE_MIN(len, gnu->in.w.len - gnu->in.read);
	if (!len) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, gnu->in.w.data + gnu->in.read, len);
	gnu->in.read += len;
	return (ssize_t)len;
}

static void gnu_identity(struct gnu *gnu, const struct x509_identity *identity)
{
	gnutls_datum_t cert = { (unsigned char *)(uintptr_t)identity->der[0].ptr,
		                (unsigned)identity->der[0].len };
	unsigned char *key = NULL;
	int len = i2d_PrivateKey(identity->key, &key);
	gnutls_datum_t datum = { key, (unsigned)len };

	assert_true(len > 0);
	assert_int_equal(
	        gnutls_certificate_set_x509_key_mem(gnu->cred, &cert, &datum, GNUTLS_X509_FMT_DER),
	        0);
	OPENSSL_free(key);
}

static void gnu_open(struct gnu *gnu, unsigned flags, const char *version, bool knows)
{
	char words[200];

	*gnu = (struct gnu){ .shaking = true };
	assert_int_equal(gnutls_init(&gnu->tls, flags | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS), 0);
	(void)snprintf(words, sizeof(words),
	               "NONE:+VERS-TLS%s:+ECDHE-ECDSA:+AES-128-CBC:+SHA1:+GROUP-SECP256R1:"
	               "+SIGN-ALL:+CTYPE-X509:+COMP-NULL:%%NO_ETM%s",
	               version, knows ? "" : ":%DISABLE_SAFE_RENEGOTIATION");
	assert_int_equal(gnutls_priority_set_direct(gnu->tls, words, NULL), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&gnu->cred), 0);
	assert_int_equal(gnutls_credentials_set(gnu->tls, GNUTLS_CRD_CERTIFICATE, gnu->cred), 0);
	gnutls_transport_set_ptr(gnu->tls, gnu);
	gnutls_transport_set_push_function(gnu->tls, gnu_push);
	gnutls_transport_set_pull_function(gnu->tls, gnu_pull);
}

static void gnu_close(struct gnu *gnu)
{
	gnutls_deinit(gnu->tls);
	gnutls_certificate_free_credentials(gnu->cred);
	base_writer_done(&gnu->in.w);
	base_writer_done(&gnu->out.w);
}

/** Handshakes, and data into `said`, NULL = nobody asks. */
static void gnu_step(struct gnu *gnu, struct base_writer *said)
{
	char clear[256];
	int n;

	for (int turn = 0; turn < 8; turn++) {
		if (gnu->shaking) {
			n = gnutls_handshake(gnu->tls);
			gnu->shaking = n != 0;
			gnu->up |= n == 0;
			if (n)
				return;
		}
		n = said ? (int)gnutls_record_recv(gnu->tls, clear, sizeof(clear)) : 0;
		gnu->shaking = n == GNUTLS_E_REHANDSHAKE;
		if (n > 0)
			base_writer_put(said, clear, (size_t)n);
		else if (!gnu->shaking)
			return;
	}
}

/* -- our sessions ---------------------------------------------------------------------------- */

struct ours {
	struct tls_domain *domain;
	struct tls_context *context;
	struct tls_session *session;
};

static void ours_open(struct ours *ours, const struct tls_domain_spec *spec, enum tls_role role)
{
	const struct tls_session_spec plain = { .role = role };
	struct base_error err = { 0 };

	if (tls_domain_new(&ours->domain, spec, &err) ||
	    tls_context_new(&ours->context, ours->domain, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tls_session_new(&ours->session, ours->context, &plain), 0);
}

static void ours_close(struct ours *ours)
{
	tls_session_free(ours->session);
	tls_context_free(ours->context);
	tls_domain_unref(ours->domain);
}

static struct tls_info ours_info(const struct ours *ours)
{
	struct tls_info info;

	tls_session_info(ours->session, &info);
	return info;
}

static void ours_step(struct ours *ours, struct wire *in, struct wire *out,
                      struct base_writer *said)
{
	struct tls_io io = { .out = &out->w };
	uint8_t clear[256];
	size_t n = 1;

	if (in->w.len > in->read)
		io.in = base_reader_of(in->w.data + in->read, in->w.len - in->read);
	if (!ours_info(ours).established)
		(void)tls_session_handshake(ours->session, &io);
	while (ours_info(ours).established && n) {
		(void)tls_session_read(ours->session, &io, clear, sizeof(clear), &n);
		base_writer_put(said, clear, n);
	}
	in->read = in->w.len;
}

/* -- the server: ours, or one of before 2010 -------------------------------------------------- */

struct server {
	bool legacy;
	struct gnu gnu;
	struct ours ours;
	struct wire in, out; /**< ours */
	struct base_writer said;
};

static void server_open(struct server *server, const struct lab_sides *sides, bool legacy,
                        const char *version)
{
	struct tls_domain_spec spec =
	        lab_spec(sides, TLS_ROLE_SERVER, version[2] == '0' ? "splice10" : "splice12");

	*server = (struct server){ .legacy = legacy };
	if (legacy) {
		gnu_open(&server->gnu, GNUTLS_SERVER, version, false);
		gnu_identity(&server->gnu, sides->lab->server_ec);
	} else {
		ours_open(&server->ours, &spec, TLS_ROLE_SERVER);
	}
}

static void server_close(struct server *server)
{
	if (server->legacy)
		gnu_close(&server->gnu);
	else
		ours_close(&server->ours);
	base_writer_done(&server->in.w);
	base_writer_done(&server->out.w);
	base_writer_done(&server->said);
}

static struct wire *server_in(struct server *server)
{
	return server->legacy ? &server->gnu.in : &server->in;
}

static struct wire *server_out(struct server *server)
{
	return server->legacy ? &server->gnu.out : &server->out;
}

static void server_step(struct server *server)
{
	if (server->legacy)
		gnu_step(&server->gnu, &server->said);
	else
		ours_step(&server->ours, &server->in, &server->out, &server->said);
}

/* -- the attacker ---------------------------------------------------------------------------- */

/** One direction of his session: AES-128-CBC with HMAC-SHA1 (RFC 2246 and RFC 5246, 6.2.3). */
struct keys {
	uint8_t mac[20], key[16], iv[16]; /**< TLS 1.0: the last block of the record before */
	uint64_t seq;
};

struct attacker {
	struct gnu gnu;
	struct keys to, from; /**< the server */
	bool tls10;
	bool raw_to, raw_from; /**< the victim's ChangeCipherSpec is through: only carry */
	int alert;             /**< the first one of the server, -1 none */
};

static void move_all(struct wire *from, struct wire *to)
{
	base_writer_put(&to->w, from->w.data + from->read, from->w.len - from->read);
	from->read = from->w.len;
}

static void keys_take(struct attacker *a, bool read, struct keys *keys, const struct wire *wire)
{
	gnutls_datum_t mac, iv, key;
	uint8_t seq[8];
	struct base_reader r = base_reader_of(seq, sizeof(seq));

	assert_int_equal(gnutls_record_get_state(a->gnu.tls, read, &mac, &iv, &key, seq), 0);
	assert_int_equal(mac.size, 20);
	assert_int_equal(key.size, 16);
	memcpy(keys->mac, mac.data, 20);
	memcpy(keys->key, key.data, 16);
	memcpy(keys->iv, wire->w.data + wire->w.len - 16, 16); /* of Finished */
	keys->seq = base_reader_u64(&r);
}

static void attacker_open(struct attacker *a, struct server *server, const char *version,
                          bool knows)
{
	*a = (struct attacker){ .alert = -1, .tls10 = version[2] == '0' };
	gnu_open(&a->gnu, GNUTLS_CLIENT, version, knows);
	for (int turn = 0; turn < 6; turn++) {
		gnu_step(&a->gnu, NULL);
		move_all(&a->gnu.out, server_in(server));
		server_step(server);
		move_all(server_out(server), &a->gnu.in);
	}
	assert_true(a->gnu.up);
	keys_take(a, false, &a->to, &a->gnu.out);
	keys_take(a, true, &a->from, &a->gnu.in);
}

static void crypt_cbc(int enc, const uint8_t *key, const uint8_t *iv, const uint8_t *in, int len,
                      uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_int_equal(EVP_CipherInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, iv, enc), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
	assert_int_equal(EVP_CipherUpdate(ctx, out, &n, in, len), 1);
	assert_int_equal(n, len);
	EVP_CIPHER_CTX_free(ctx);
}

/** A record of any type, under the attacker's own keys, to the server. */
static void seal(struct attacker *a, struct wire *to, uint8_t type, const uint8_t *data, size_t len)
{
	uint8_t minor = a->tls10 ? 1 : 3, clear[20000], sealed[20000], iv[16] = { 7 };
	size_t total = len + 20, pad = 16 - total % 16;
	struct base_writer mac = { 0 };
	const uint8_t *use = a->tls10 ? a->to.iv : iv;
	unsigned n = 20;

	assert_true(len < 18000);
	base_writer_u32(&mac, (uint32_t)(a->to.seq >> 32));
	base_writer_u32(&mac, (uint32_t)a->to.seq++);
	base_writer_u8(&mac, type);
	base_writer_u8(&mac, 3);
	base_writer_u8(&mac, minor);
	base_writer_u16(&mac, (uint16_t)len);
	base_writer_put(&mac, data, len);
	memcpy(clear, data, len);
	assert_non_null(HMAC(EVP_sha1(), a->to.mac, 20, mac.data, mac.len, clear + len, &n));
	memset(clear + total, (int)(pad - 1), pad);
	crypt_cbc(1, a->to.key, use, clear, (int)(total + pad), sealed);
	memcpy(a->to.iv, sealed + total + pad - 16, 16);
	base_writer_u8(&to->w, type);
	base_writer_u8(&to->w, 3);
	base_writer_u8(&to->w, minor);
	base_writer_u16(&to->w, (uint16_t)(total + pad + (a->tls10 ? 0 : 16)));
	if (!a->tls10)
		base_writer_put(&to->w, iv, 16);
	base_writer_put(&to->w, sealed, total + pad);
	base_writer_done(&mac);
}

/** What stands in a record of the server under those keys. @return octets */
static size_t unseal(struct attacker *a, const uint8_t *body, size_t len, uint8_t *clear)
{
	const uint8_t *iv = a->tls10 ? a->from.iv : body;
	size_t skip = a->tls10 ? 0 : 16;

	assert_true(len > skip && (len - skip) % 16 == 0);
	crypt_cbc(0, a->from.key, iv, body + skip, (int)(len - skip), clear);
	memcpy(a->from.iv, body + len - 16, 16);
	len -= skip;
	return len - 20 - 1 - clear[len - 1];
}

/** The next whole record; false = none. */
static bool record_next(struct wire *wire, const uint8_t **ret, size_t *ret_len)
{
	size_t left = wire->w.len - wire->read;
	const uint8_t *at = left ? wire->w.data + wire->read : NULL;

	if (left < 5 || left < 5U + (size_t)(at[3] << 8 | at[4]))
		return false;
	*ret = at;
	*ret_len = 5U + (size_t)(at[3] << 8 | at[4]);
	wire->read += *ret_len;
	return true;
}

/** The victim's octets into the session: in the clear under his keys, afterwards as they are. */
static void carry_in(struct attacker *a, struct wire *victim, struct wire *server)
{
	const uint8_t *rec;
	size_t len;

	while (record_next(victim, &rec, &len)) {
		if (a->raw_to)
			base_writer_put(&server->w, rec, len);
		else
			seal(a, server, rec[0], rec + 5, len - 5);
		a->raw_to |= rec[0] == CCS;
	}
}

static void carry_out(struct attacker *a, struct wire *server, struct wire *victim)
{
	uint8_t clear[20000];
	const uint8_t *rec;
	size_t len;

	while (record_next(server, &rec, &len)) {
		if (a->raw_from) {
			base_writer_put(&victim->w, rec, len);
			continue;
		}
		len = unseal(a, rec + 5, len - 5, clear);
		if (rec[0] == ALERT && a->alert < 0)
			a->alert = clear[1];
		base_writer_put(&victim->w, rec, 3);
		base_writer_u16(&victim->w, (uint16_t)len);
		base_writer_put(&victim->w, clear, len);
		a->raw_from |= rec[0] == CCS;
	}
}

/* -- the plays ------------------------------------------------------------------------------- */

/** A victim of GnuTLS. @return the server took what the attacker said for the victim's */
static bool attack(struct server *server, struct attacker *a, const char *version, bool knows)
{
	struct gnu victim;
	bool fell;

	gnu_open(&victim, GNUTLS_CLIENT, version, knows);
	seal(a, server_in(server), DATA, (const uint8_t *)PREFIX, strlen(PREFIX));
	for (int turn = 0; turn < 8; turn++) {
		gnu_step(&victim, NULL);
		if (victim.up && turn == 7)
			(void)gnutls_record_send(victim.tls, WORDS, strlen(WORDS));
		carry_in(a, &victim.out, server_in(server));
		server_step(server);
		carry_out(a, server_out(server), &victim.in);
	}
	fell = strcmp(base_writer_cstr(&server->said), PREFIX WORDS) == 0;
	if (!fell)
		assert_string_equal(base_writer_cstr(&server->said), PREFIX);
	assert_int_equal(victim.up, fell);
	gnu_close(&victim);
	return fell;
}

static const char *const versions[] = { "1.0", "1.2" };

/** The script is right: without RFC 5746 a server falls for it. */
static void who_does_not_know_falls(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		struct server server;
		struct attacker a;

		server_open(&server, *state, true, versions[i]);
		attacker_open(&a, &server, versions[i], false);
		assert_true(attack(&server, &a, versions[i], false));
		gnu_close(&a.gnu);
		server_close(&server);
	}
}

/**
 * Ours does not: not for a victim that knows RFC 5746 nor for one that does not; an attacker that
 * knows it is found out by the engine, one that does not has no renegotiation.
 */
static void ours_does_not(void **state)
{
	for (size_t i = 0; i < 4 * BASE_COUNT(versions); i++) {
		const char *version = versions[i / 4];
		bool attacker_knows = i & 1, victim_knows = i & 2;
		struct server server;
		struct attacker a;

		server_open(&server, *state, false, version);
		attacker_open(&a, &server, version, attacker_knows);
		assert_string_equal(ours_info(&server.ours).version_name,
		                    version[2] == '0' ? "TLS1.0" : "TLS1.2");
		assert_int_equal(ours_info(&server.ours).peer_may_renegotiate, attacker_knows);
		assert_false(attack(&server, &a, version, victim_knows));
		assert_int_equal(ours_info(&server.ours).renegotiations, 0);
		assert_int_equal(a.alert, attacker_knows ? TLS_ALERT_HANDSHAKE_FAILURE
		                                         : TLS_ALERT_NO_RENEGOTIATION);
		gnu_close(&a.gnu);
		server_close(&server);
	}
}

/**
 * As client we cannot know what a server without RFC 5746 was told before (4.1): such a server
 * falls for it with us, too, unless the domain refuses it (legacy-peers).
 */
static void our_client_and_such_a_server(void **state)
{
	for (size_t i = 0; i < 2 * BASE_COUNT(versions); i++) {
		const char *version = versions[i / 2];
		bool refuses = i & 1;
		struct lab_sides sides = *(const struct lab_sides *)*state;
		struct tls_domain_spec spec;
		struct wire in = { 0 }, out = { 0 };
		struct base_writer said = { 0 };
		struct tls_io io = { .out = &out.w };
		struct server server;
		struct attacker a;
		struct ours victim;

		sides.client = sides.server;
		spec = lab_spec(&sides, TLS_ROLE_CLIENT,
		                version[2] == '0' ? "splice10" : "splice12");
		spec.legacy_peers = refuses ? PROFILE_CHOICE_NO : PROFILE_CHOICE_NONE;
		server_open(&server, &sides, true, version);
		attacker_open(&a, &server, version, false);
		ours_open(&victim, &spec, TLS_ROLE_CLIENT);
		seal(&a, server_in(&server), DATA, (const uint8_t *)PREFIX, strlen(PREFIX));
		for (int turn = 0; turn < 8; turn++) {
			ours_step(&victim, &in, &out, &said);
			if (turn == 7 && ours_info(&victim).established)
				assert_int_equal(tls_session_write(victim.session, &io,
				                                   (const uint8_t *)WORDS,
				                                   strlen(WORDS)),
				                 0);
			carry_in(&a, &out, server_in(&server));
			server_step(&server);
			carry_out(&a, server_out(&server), &in);
		}
		assert_int_equal(ours_info(&victim).established, !refuses);
		assert_string_equal(base_writer_cstr(&server.said),
		                    refuses ? PREFIX : PREFIX WORDS);
		if (refuses)
			assert_int_equal(ours_info(&victim).alert, TLS_ALERT_HANDSHAKE_FAILURE);
		ours_close(&victim);
		base_writer_done(&in.w);
		base_writer_done(&out.w);
		base_writer_done(&said);
		gnu_close(&a.gnu);
		server_close(&server);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(who_does_not_know_falls),
	cmocka_unit_test(ours_does_not),
	cmocka_unit_test(our_client_and_such_a_server),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
