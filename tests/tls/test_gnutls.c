/* SPDX-License-Identifier: Apache-2.0 */
/** @file What only the GnuTLS engine has to get right, and whether its table tells the truth. */
#include <errno.h>

#include <gnutls/gnutls.h>

#include "lab.h"

static struct lab *lab;

static bool listed(const struct profile_codes *codes, uint16_t code)
{
	for (size_t i = 0; i < codes->count; i++)
		if (codes->code[i] == code)
			return true;
	return false;
}

/* -- the table ------------------------------------------------------------------------------- */

/** Does GnuTLS, given these words, have this suite (0 = any)? */
static bool library_takes(const char *words, uint16_t code)
{
	gnutls_priority_t priority;
	unsigned index;
	bool found = false;

	if (gnutls_priority_init(&priority, words, NULL) < 0)
		return false;
	for (unsigned i = 0; !found; i++) {
		int rc = gnutls_priority_get_cipher_suite_index(priority, i, &index);
		unsigned char id[2];

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (rc < 0 || !gnutls_cipher_suite_info(index, id, NULL, NULL, NULL, NULL))
			continue;
		found = !code || (id[0] << 8 | id[1]) == code;
	}
	gnutls_priority_deinit(priority);
	return found;
}

static void table_suites(void **state)
{
	const struct profile_engine_caps *caps = tls_engine_caps(TLS_ENGINE_GNUTLS);
	const struct profile_suite *all;
	size_t count;

	(void)state;
	all = profile_suite_all(&count);
	for (size_t i = 0; i < count; i++) {
		bool tls13 = profile_suite_tls13(all[i].code), takes;
		char words[256];

		(void)snprintf(words, sizeof(words),
		               "NONE:+VERS-%s%s%s:+%s:+%s:+GROUP-ALL:+SIGN-ALL:+COMP-NULL",
		               tls13 ? "TLS1.3" : "TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0",
		               tls13 ? "" : ":+", tls13 ? "" : all[i].gnutls_kx,
		               all[i].gnutls_cipher, all[i].gnutls_mac);
		takes = all[i].gnutls_cipher && library_takes(words, all[i].code);
		if (takes != listed(&caps->suites, all[i].code))
			fail_msg("%s: GnuTLS %s, the table does not agree", all[i].name,
			         takes ? "can" : "cannot");
	}
}

static void table_codes(const struct profile_codes *codes, const struct profile_code *all,
                        size_t count, const char *rest)
{
	for (size_t i = 0; i < count; i++) {
		char words[256];
		bool takes;

		(void)snprintf(words, sizeof(words),
		               "NONE:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+AEAD:+COMP-NULL:+%s:%s",
		               all[i].gnutls ? all[i].gnutls : "none", rest);
		takes = all[i].gnutls && library_takes(words, 0);
		if (takes != listed(codes, all[i].code))
			fail_msg("%s: GnuTLS %s, the table does not agree", all[i].name,
			         takes ? "can" : "cannot");
	}
}

static void table_groups_and_signatures(void **state)
{
	const struct profile_engine_caps *caps = tls_engine_caps(TLS_ENGINE_GNUTLS);
	const struct profile_code *all;
	size_t count;

	(void)state;
	all = profile_group_all(&count);
	table_codes(&caps->groups, all, count, "+GROUP-SECP256R1:+SIGN-ALL");
	all = profile_signature_all(&count);
	table_codes(&caps->signatures, all, count, "+GROUP-ALL:+SIGN-RSA-SHA256");
}

/* -- suites ---------------------------------------------------------------------------------- */

static const struct lab_sides *sides_of(enum tls_engine server, enum tls_engine client)
{
	static struct lab_sides sides;

	sides = (struct lab_sides){ lab, server, client };
	return &sides;
}

/** "mixed" lists two suites; GnuTLS makes four of their parts. */
static void products_are_refused(void **state)
{
	const struct lab_sides *gnutls_serves = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_OPENSSL);
	struct tls_domain_spec s = lab_spec(gnutls_serves, TLS_ROLE_SERVER, "mixed");
	struct tls_domain_spec c = lab_spec(gnutls_serves, TLS_ROLE_CLIENT, "mixed-not");
	struct lab_pair pair;

	(void)state;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, 40));
	assert_int_equal(pair.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, 40));
	lab_pair_close(&pair);

	s.engine = TLS_ENGINE_OPENSSL;
	s.profile = lab_profile(lab, "mixed-not");
	c.engine = TLS_ENGINE_GNUTLS;
	c.profile = lab_profile(lab, "mixed");
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	assert_int_equal(pair.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, 40));
	assert_int_equal(lab_info(&pair, TLS_ROLE_CLIENT).alert_side, TLS_SIDE_LOCAL);
	assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, 40));
	lab_pair_close(&pair);
}

/** An order that no order of key exchanges, ciphers and MACs can give. */
static void precedence_is_the_profiles(void **state)
{
	const struct lab_sides *sides = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_OPENSSL);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "crossed");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "crossed-less");
	struct lab_pair pair;

	(void)state;
	s.identity = lab->server_rsa;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).suite, 0x009e);
	lab_pair_close(&pair);
	c.profile = lab_profile(lab, "crossed");
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).suite, 0xc030);
	lab_pair_close(&pair);
}

/* -- RSA key transport ----------------------------------------------------------------------- */

/** Carry the wire by hand up to the client's second flight, and let `edit` change it. */
static void key_transport(const char *profile, size_t flip, int alert)
{
	const struct lab_sides *sides = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_OPENSSL);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	struct tls_session_spec plain[2] = { { .role = TLS_ROLE_CLIENT },
		                             { .role = TLS_ROLE_SERVER } };
	struct base_writer wire[2] = { { 0 }, { 0 } };
	struct lab_pair pair;
	int rc = BASE_ERR(BASE_AGAIN, 0);

	s.identity = lab->server_rsa;
	lab_pair_open(&pair, &s, &c, &plain[1], &plain[0]);
	for (int turn = 0; turn < 4; turn++) {
		enum tls_role role = turn % 2 ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT;
		struct tls_io io = { .in = base_reader_of(wire[1 - role].data, wire[1 - role].len),
			             .out = &wire[role] };

		base_writer_reset(&wire[role]);
		rc = tls_session_handshake(pair.session[role], &io);
		if (turn == 2 && flip)
			wire[role].data[flip] ^= 1;
	}
	/* the server has now read ClientKeyExchange and Finished */
	assert_int_equal(rc, alert ? BASE_ERR(BASE_PEER, alert) : 0);
	base_writer_done(&wire[0]);
	base_writer_done(&wire[1]);
	lab_pair_close(&pair);
}

static void rsa_key_transport(void **state)
{
	(void)state;
	key_transport("rsa-kx", 0, 0);
	key_transport("rsa-kx-old", 0, 0);
	/* A damaged secret shows at Finished and no sooner, wherever it is damaged: the record of
	 * ClientKeyExchange has 5 + 4 + 2 octets before 256 of ciphertext. */
	key_transport("rsa-kx", 11, 20);
	key_transport("rsa-kx", 100, 20);
	key_transport("rsa-kx", 11 + 255, 20);
}

/* -- alerts in the clear --------------------------------------------------------------------- */

/** OpenSSL refuses a server of TLS 1.3 before it encrypts; octet by octet it is still understood.
 */
static void alert_in_the_clear(void **state)
{
	const struct lab_sides *sides = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_OPENSSL);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "tls13");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "tls13");
	struct lab_pair pair;

	(void)state;
	s.identity = lab->stranger;
	c.server_methods = TRUST_CA;
	for (size_t chunk = 0; chunk < 9; chunk++) {
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		pair.chunk = chunk;
		lab_pair_shake(&pair);
		assert_int_equal(pair.result[TLS_ROLE_SERVER], BASE_ERR(BASE_PEER, 48));
		assert_int_equal(lab_info(&pair, TLS_ROLE_SERVER).alert_side, TLS_SIDE_REMOTE);
		lab_pair_close(&pair);
	}
}

/* -- a client that is not ours --------------------------------------------------------------- */

/** A client we did not write, whose wire we hold. */
struct far {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	struct base_writer out, in;
	size_t read; /**< of `in` */
};

static ssize_t far_push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct far *far = arg;

	base_writer_put(&far->out, data, len);
	return (ssize_t)len;
}

static ssize_t far_pull(gnutls_transport_ptr_t arg, void *into, size_t len)
{
	struct far *far = arg;

	len = BASE_MIN(len, far->in.len - far->read);
	if (!len) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(into, far->in.data + far->read, len);
	far->read += len;
	return (ssize_t)len;
}

static void far_open(struct far *far)
{
	*far = (struct far){ 0 };
	assert_int_equal(gnutls_init(&far->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&far->cred), 0);
	assert_int_equal(
	        gnutls_set_default_priority_append(far->tls, "-VERS-ALL:+VERS-TLS1.2", NULL, 0), 0);
	assert_int_equal(gnutls_credentials_set(far->tls, GNUTLS_CRD_CERTIFICATE, far->cred), 0);
	gnutls_transport_set_ptr(far->tls, far);
	gnutls_transport_set_push_function(far->tls, far_push);
	gnutls_transport_set_pull_function(far->tls, far_pull);
}

static void far_close(struct far *far)
{
	gnutls_deinit(far->tls);
	gnutls_certificate_free_credentials(far->cred);
	base_writer_done(&far->out);
	base_writer_done(&far->in);
}

/** Lend what the far client wrote to a call of ours. */
static struct tls_io far_lend(struct far *far)
{
	return (struct tls_io){ .in = base_reader_of(far->out.data, far->out.len),
		                .out = &far->in };
}

/** A finite-field group costs twenty times a curve: only for clients that have nothing else. */
static void finite_groups_come_last(void **state)
{
	static const struct {
		const char *words;
		gnutls_group_t group;
	} cases[] = {
		{ "-VERS-ALL:+VERS-TLS1.3", GNUTLS_GROUP_SECP256R1 },
		{ "-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-SECP256R1",
		  GNUTLS_GROUP_SECP256R1 },
		{ "-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-X25519",
		  GNUTLS_GROUP_FFDHE2048 },
	};
	const struct lab_sides *sides = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_GNUTLS);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "finite");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "finite");

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct lab_pair pair;
		struct far far;
		int rc = -1;

		lab_pair_open(&pair, &s, &c, NULL, NULL);
		far_open(&far);
		assert_int_equal(
		        gnutls_set_default_priority_append(far.tls, cases[i].words, NULL, 0), 0);
		for (int turn = 0; turn < 8 && (rc = gnutls_handshake(far.tls)) < 0; turn++) {
			struct tls_io io = far_lend(&far);

			(void)tls_session_handshake(pair.session[TLS_ROLE_SERVER], &io);
			base_writer_reset(&far.out);
		}
		assert_int_equal(rc, 0);
		assert_int_equal(gnutls_group_get(far.tls), cases[i].group);
		far_close(&far);
		lab_pair_close(&pair);
	}
}

/* -- signature_algorithms_cert --------------------------------------------------------------- */

static int no_recv(gnutls_session_t tls, const unsigned char *data, size_t len)
{
	(void)tls;
	(void)data;
	(void)len;
	return 0;
}

/** Certificates signed with ecdsa_secp256r1_sha256 (RFC 8446, 4.2.3). */
static int ecdsa_send(gnutls_session_t tls, gnutls_buffer_t body)
{
	int *sent = gnutls_session_get_ptr(tls);

	(*sent)++;
	return gnutls_buffer_append_data(body, "\x00\x02\x04\x03", 4) < 0 ? GNUTLS_E_MEMORY_ERROR
	                                                                  : 4;
}

/** A client that signs with RSA and takes certificates signed with ECDSA, as the CA's are. */
static void certificates_have_their_own_algorithms(void **state)
{
	static const char *const versions[] = { "tls12", "tls13" };
	const struct lab_sides *sides = sides_of(TLS_ENGINE_GNUTLS, TLS_ENGINE_GNUTLS);

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, versions[i]);
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, versions[i]);
		struct lab_pair pair;
		struct far far;
		int rc = -1, sent = 0;

		s.identity = lab->server_rsa;
		lab_pair_open(&pair, &s, &c, NULL, NULL);
		far_open(&far);
		assert_int_equal(gnutls_set_default_priority_append(
		                         far.tls,
		                         i ? "-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:"
		                             "+SIGN-RSA-PSS-RSAE-SHA256"
		                           : "-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA256",
		                         NULL, 0),
		                 0);
		assert_int_equal(gnutls_session_ext_register(
		                         far.tls, "signature_algorithms_cert", 50, GNUTLS_EXT_TLS,
		                         no_recv, ecdsa_send, NULL, NULL, NULL,
		                         GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS),
		                 0);
		gnutls_session_set_ptr(far.tls, &sent);
		for (int turn = 0; turn < 8 && (rc = gnutls_handshake(far.tls)) < 0; turn++) {
			struct tls_io io = far_lend(&far);

			(void)tls_session_handshake(pair.session[TLS_ROLE_SERVER], &io);
			base_writer_reset(&far.out);
		}
		assert_int_equal(rc, 0);
		assert_int_equal(sent, 1);
		far_close(&far);
		lab_pair_close(&pair);
	}
}

static int setup(void **state)
{
	(void)state;
	lab = lab_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lab_free(lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_suites),
		cmocka_unit_test(table_groups_and_signatures),
		cmocka_unit_test(products_are_refused),
		cmocka_unit_test(precedence_is_the_profiles),
		cmocka_unit_test(rsa_key_transport),
		cmocka_unit_test(alert_in_the_clear),
		cmocka_unit_test(finite_groups_come_last),
		cmocka_unit_test(certificates_have_their_own_algorithms),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
