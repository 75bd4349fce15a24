/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * OpenSSL's keys for the record layer. TLS 1.2: the session has the master secret. TLS 1.3: only
 * the callback made for key logs is told the traffic secrets; nothing is logged here, they stay in
 * memory of the session and are wiped with the handshake.
 */
#include <stdlib.h>

#include "tls/openssl_engine.h"

/** `line` is "LABEL CLIENT_RANDOM SECRET", the latter two in hex. */
void openssl_on_secret(const SSL *ssl, const char *line)
{
	static const char *const label[] = { "CLIENT_TRAFFIC_SECRET_0 ",
		                             "SERVER_TRAFFIC_SECRET_0 " };
	struct tls_session *session = openssl_context_of(ssl)->session;
	const char *hex = strrchr(line, ' ');
	size_t len;

	for (int role = 0; hex && role < 2; role++) {
		if (strncmp(line, label[role], strlen(label[role])) != 0)
			continue;
		if (!session->keys)
			session->keys = calloc(1, sizeof(*session->keys));
		if (session->keys &&
		    base_hex_decode(base_str_of(hex + 1), session->keys->of[role].secret,
		                    TLS_SECRET_MAX, &len))
			tls_record_keys_free(session); /* it stays with OpenSSL then */
	}
}

void openssl_keys_count(struct tls_session *session, const uint8_t *wire, size_t len)
{
	struct base_reader r = base_reader_of(wire, len);

	/* A server's answer to the client's Finished is tickets, each a record of its own. */
	if (!session->keys || session->role != TLS_ROLE_SERVER)
		return;
	while (base_reader_left(&r) && !r.failed) {
		(void)base_reader_take(&r, 3);
		(void)base_reader_take(&r, base_reader_u16(&r));
		session->keys->of[TLS_ROLE_SERVER].seq += !r.failed;
	}
}

static int master_keys(struct tls_session *session, struct tls_record_keys *ret)
{
	SSL *ssl = session->engine;
	uint8_t master[48], client[32], server[32];
	int rc = BASE_ERR(BASE_LOCAL, 0);

	if (SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master)) ==
	            sizeof(master) &&
	    SSL_get_client_random(ssl, client, sizeof(client)) == sizeof(client) &&
	    SSL_get_server_random(ssl, server, sizeof(server)) == sizeof(server))
		rc = tls_record_expand(session, master, client, server, ret);
	base_wipe(master, sizeof(master));
	return rc;
}

int openssl_keys(struct tls_session *session, struct tls_record_keys *ret)
{
	if (session->version < TLS1_3_VERSION)
		return master_keys(session, ret);
	if (!session->keys)
		return BASE_ERR(BASE_LOCAL, 0);
	*ret = *session->keys;
	return 0;
}
