/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Secure renegotiation (RFC 5746): where the profile insists on it, a peer that does not know it is
 * refused, client (4.3) or server (4.1); where it does not, such a peer is welcome. The peer is
 * a GnuTLS told to forget the RFC.
 */
#include <errno.h>
#include <gnutls/gnutls.h>

#include "lab.h"
#include "pairs.h"
#include "tls/engine.h"

static const char key_text[] = "0123456789abcdef";

/** A peer whose wire we hold. */
struct far {
	gnutls_session_t tls;
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
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

static int far_key(gnutls_session_t tls, const char *name, gnutls_datum_t *key)
{
	(void)tls;
	(void)name;
	key->data = gnutls_malloc(sizeof(key_text) - 1);
	if (!key->data)
		return -1;
	memcpy(key->data, key_text, sizeof(key_text) - 1);
	key->size = sizeof(key_text) - 1;
	return 0;
}

static void far_open(struct far *far, enum tls_role role, bool knows)
{
	const gnutls_datum_t key = { (unsigned char *)(uintptr_t)key_text, sizeof(key_text) - 1 };
	char words[128];

	*far = (struct far){ 0 };
	assert_int_equal(
	        gnutls_init(&far->tls, GNUTLS_NONBLOCK | (role == TLS_ROLE_CLIENT ? GNUTLS_CLIENT
	                                                                          : GNUTLS_SERVER)),
	        0);
	assert_int_equal(gnutls_psk_allocate_client_credentials(&far->client), 0);
	assert_int_equal(
	        gnutls_psk_set_client_credentials(far->client, "alice", &key, GNUTLS_PSK_KEY_RAW),
	        0);
	assert_int_equal(gnutls_psk_allocate_server_credentials(&far->server), 0);
	gnutls_psk_set_server_credentials_function(far->server, far_key);
	assert_int_equal(gnutls_credentials_set(far->tls, GNUTLS_CRD_PSK,
	                                        role == TLS_ROLE_CLIENT ? (void *)far->client
	                                                                : (void *)far->server),
	                 0);
	(void)snprintf(words, sizeof(words), "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK%s",
	               knows ? "" : ":%DISABLE_SAFE_RENEGOTIATION");
	assert_int_equal(gnutls_priority_set_direct(far->tls, words, NULL), 0);
	gnutls_transport_set_ptr(far->tls, far);
	gnutls_transport_set_push_function(far->tls, far_push);
	gnutls_transport_set_pull_function(far->tls, far_pull);
}

static void far_close(struct far *far)
{
	gnutls_deinit(far->tls);
	gnutls_psk_free_client_credentials(far->client);
	gnutls_psk_free_server_credentials(far->server);
	base_writer_done(&far->out);
	base_writer_done(&far->in);
}

/** Shake hands. @return what our side, in this role, came to; the peer hears what we say */
static int meet_as(const struct lab_sides *sides, enum tls_role ours, const char *profile,
                   bool knows, enum profile_choice legacy, int *ret_heard)
{
	const struct tls_psk psk = lab_psk("alice", key_text);
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	struct lab_pair pair;
	struct far far;
	int rc = 0, theirs = GNUTLS_E_AGAIN;

	s.identity = NULL;
	s.psks = c.psks = &psk;
	s.psk_count = c.psk_count = 1;
	s.legacy_peers = c.legacy_peers = legacy;
	lab_pair_open(&pair, &s, &c, NULL, NULL);
	far_open(&far, 1 - ours, knows);
	for (int turn = 0; turn < 6; turn++) {
		struct tls_io io = { .in = base_reader_of(far.out.data, far.out.len),
			             .out = &far.in };

		rc = tls_session_handshake(pair.session[ours], &io);
		base_writer_reset(&far.out);
		if (theirs == GNUTLS_E_AGAIN)
			theirs = gnutls_handshake(far.tls);
	}
	*ret_heard =
	        theirs == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)gnutls_alert_get(far.tls) : theirs;
	far_close(&far);
	lab_pair_close(&pair);
	return rc;
}

static int meet(const struct lab_sides *sides, enum tls_role ours, const char *profile, bool knows,
                int *ret_heard)
{
	return meet_as(sides, ours, profile, knows, PROFILE_CHOICE_NONE, ret_heard);
}

/** Where the profile leaves it open the domain may refuse them, or say that they are welcome. */
static void the_domain_chooses(void **state)
{
	for (int role = 0; role < 2; role++) {
		int heard;

		assert_int_equal(meet_as(*state, (enum tls_role)role, "psk", false,
		                         PROFILE_CHOICE_NO, &heard),
		                 BASE_ERR(BASE_PEER, TLS_ALERT_HANDSHAKE_FAILURE));
		assert_int_equal(heard, GNUTLS_A_HANDSHAKE_FAILURE);
		assert_int_equal(meet_as(*state, (enum tls_role)role, "psk", true,
		                         PROFILE_CHOICE_NO, &heard),
		                 0);
		assert_int_equal(meet_as(*state, (enum tls_role)role, "psk", false,
		                         PROFILE_CHOICE_YES, &heard),
		                 0);
	}
}

/** What the profile demands no domain takes back. */
static void the_profile_stands(void **state)
{
	const struct lab_sides *sides = *state;
	static const struct {
		const char *profile, *words;
		enum profile_choice client, server, legacy;
	} cases[] = {
		{ "psk-5746", "rule X7 (shall renegotiation-info-peer)", 0, 0, PROFILE_CHOICE_YES },
		{ "never-again", "rule X8 (shall-not client-initiated)", PROFILE_CHOICE_YES, 0, 0 },
		{ "never-again", "rule X8 (shall-not server-initiated)", 0, PROFILE_CHOICE_YES, 0 },
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, cases[i].profile);
		struct base_error err = { 0 };
		struct tls_domain *domain;

		spec.by_client = cases[i].client;
		spec.by_server = cases[i].server;
		spec.legacy_peers = cases[i].legacy;
		assert_int_equal(base_err_class(tls_domain_new(&domain, &spec, &err)), BASE_CONFIG);
		assert_non_null(strstr(err.text, cases[i].words));
	}
}

static void insistence(void **state)
{
	for (int role = 0; role < 2; role++) {
		int heard;

		assert_int_equal(meet(*state, (enum tls_role)role, "psk-5746", true, &heard), 0);
		assert_int_equal(heard, 0);
		assert_int_equal(meet(*state, (enum tls_role)role, "psk-5746", false, &heard),
		                 BASE_ERR(BASE_PEER, TLS_ALERT_HANDSHAKE_FAILURE));
		assert_int_equal(heard, GNUTLS_A_HANDSHAKE_FAILURE);
		assert_int_equal(meet(*state, (enum tls_role)role, "psk", false, &heard), 0);
		assert_int_equal(heard, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(insistence),
		                            cmocka_unit_test(the_domain_chooses),
		                            cmocka_unit_test(the_profile_stands) };

	return pairs_run_servers(tests, BASE_COUNT(tests));
}
