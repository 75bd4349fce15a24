/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <unistd.h>

#include "pki.h"

struct lab *lab_new(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct pki_ca ca = { 0 };
	char path[PKI_PATH];
	const char *anchors[] = { path, NULL };
	struct trust_store_files files = { .anchors = anchors };
	struct base_error err = { 0 };

	assert_non_null(lab);
	(void)snprintf(lab->dir, sizeof(lab->dir), "%s", "/tmp/gatehouse-lab-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	pki_ca_make(&ca, lab->dir);
	(void)snprintf(path, sizeof(path), "%s/ca.pem", lab->dir);
	if (trust_store_load(&lab->trust, &files, &err))
		fail_msg("%s", err.text);
	(void)remove(path);
	lab->server_ec = pki_issue(&ca, lab->dir, "server.test", false, -3600, 86400, false);
	lab->server_rsa = pki_issue(&ca, lab->dir, "server.test", true, -3600, 86400, false);
	lab->client = pki_issue(&ca, lab->dir, "client.test", false, -3600, 86400, false);
	lab->expired = pki_issue(&ca, lab->dir, "client.test", false, -172800, -86400, false);
	lab->sha1 = pki_issue(&ca, lab->dir, "server.test", false, -3600, 86400, true);
	assert_int_equal(x509_identity_self_signed(&lab->stranger, X509_KEY_EC_P256, "stranger",
	                                           86400, NULL),
	                 0);
	pki_ca_done(&ca);
	(void)rmdir(lab->dir);
	assert_int_equal(profile_store_new(&lab->profiles), 0);
	return lab;
}

void lab_free(struct lab *lab)
{
	x509_identity_unref(lab->server_ec);
	x509_identity_unref(lab->server_rsa);
	x509_identity_unref(lab->client);
	x509_identity_unref(lab->expired);
	x509_identity_unref(lab->sha1);
	x509_identity_unref(lab->stranger);
	trust_store_unref(lab->trust);
	profile_store_free(lab->profiles);
	free(lab);
}

struct x509_fingerprint lab_fingerprint(const struct x509_identity *identity)
{
	struct x509_fingerprint fp;

	assert_int_equal(x509_fingerprint_make(X509_HASH_SHA256,
	                                       (const uint8_t *)identity->der[0].ptr,
	                                       identity->der[0].len, &fp),
	                 0);
	return fp;
}

struct tls_psk lab_psk(const char *identity, const char *key)
{
	return (struct tls_psk){
		.identity = base_str_of(identity),
		.key = { (uint8_t *)(uintptr_t)key, strlen(key) },
	};
}

struct tls_domain_spec lab_spec(const struct lab_sides *sides, enum tls_role role,
                                const char *profile)
{
	bool server = role == TLS_ROLE_SERVER;

	return (struct tls_domain_spec){
		.name = server ? "server" : "client",
		.profile = lab_profile(sides->lab, profile),
		.engine = server ? sides->server : sides->client,
		.identity = server ? sides->lab->server_ec : NULL,
		.trust = sides->lab->trust,
	};
}

static void side_open(struct lab_pair *pair, enum tls_role role, const struct tls_domain_spec *spec)
{
	struct base_error err = { 0 };

	if (tls_domain_new(&pair->domain[role], spec, &err) ||
	    tls_context_new(&pair->context[role], pair->domain[role], &err))
		fail_msg("%s", err.text);
}

void lab_pair_again(struct lab_pair *pair, const struct tls_session_spec *server_s,
                    const struct tls_session_spec *client_s)
{
	const struct tls_session_spec plain[2] = { { .role = TLS_ROLE_CLIENT },
		                                   { .role = TLS_ROLE_SERVER } };

	for (int role = 0; role < 2; role++) {
		tls_session_free(pair->session[role]);
		pair->session[role] = NULL;
		base_writer_reset(&pair->wire[role]);
		pair->result[role] = BASE_ERR(BASE_AGAIN, 0);
	}
	assert_int_equal(tls_session_new(&pair->session[TLS_ROLE_CLIENT],
	                                 pair->context[TLS_ROLE_CLIENT],
	                                 client_s ? client_s : &plain[TLS_ROLE_CLIENT]),
	                 0);
	assert_int_equal(tls_session_new(&pair->session[TLS_ROLE_SERVER],
	                                 pair->context[TLS_ROLE_SERVER],
	                                 server_s ? server_s : &plain[TLS_ROLE_SERVER]),
	                 0);
}

void lab_pair_open(struct lab_pair *pair, const struct tls_domain_spec *server,
                   const struct tls_domain_spec *client, const struct tls_session_spec *server_s,
                   const struct tls_session_spec *client_s)
{
	*pair = (struct lab_pair){ 0 };
	side_open(pair, TLS_ROLE_CLIENT, client);
	side_open(pair, TLS_ROLE_SERVER, server);
	lab_pair_again(pair, server_s, client_s);
}

void lab_pair_close(struct lab_pair *pair)
{
	for (int role = 0; role < 2; role++) {
		tls_session_free(pair->session[role]);
		tls_context_free(pair->context[role]);
		tls_domain_unref(pair->domain[role]);
		base_writer_done(&pair->wire[role]);
	}
}

/** Lend `to` up to a chunk of what the other side has written. */
static struct tls_io lend(struct lab_pair *pair, enum tls_role to)
{
	struct base_writer *from = &pair->wire[1 - to];
	size_t len = pair->chunk ? BASE_MIN(pair->chunk, from->len) : from->len;

	return (struct tls_io){ .in = base_reader_of(from->data, len),
		                .out = &pair->wire[to],
		                .now_ms = pair->now_ms };
}

/** Take what was read off the wire. */
static void taken(struct lab_pair *pair, enum tls_role to, const struct tls_io *io)
{
	struct base_writer *from = &pair->wire[1 - to];
	size_t used = from->len ? (size_t)(io->in.at - from->data) : 0;

	if (!used)
		return;
	memmove(from->data, from->data + used, from->len - used);
	from->len -= used;
}

static bool again(int rc)
{
	return rc < 0 && base_err_class(rc) == BASE_AGAIN;
}

/** One step of one side. @return whether anything moved */
static bool shake(struct lab_pair *pair, enum tls_role role)
{
	struct tls_io io = lend(pair, role);
	size_t before = pair->wire[role].len, left = base_reader_left(&io.in);
	int was = pair->result[role];

	if (!again(was))
		return false;
	pair->result[role] = tls_session_handshake(pair->session[role], &io);
	taken(pair, role, &io);
	return pair->wire[role].len != before || base_reader_left(&io.in) != left ||
	       pair->result[role] != was;
}

void lab_pair_shake(struct lab_pair *pair)
{
	bool moved = true;

	while (moved) {
		moved = shake(pair, TLS_ROLE_CLIENT);
		moved |= shake(pair, TLS_ROLE_SERVER);
	}
	/* With TLS 1.3 a client is up before it hears that the server refused it; tickets wait. */
	if (pair->result[TLS_ROLE_CLIENT] == 0) {
		uint8_t scrap[64];
		size_t n;

		pair->result[TLS_ROLE_CLIENT] =
		        lab_pair_read(pair, TLS_ROLE_CLIENT, scrap, sizeof(scrap), &n);
		if (again(pair->result[TLS_ROLE_CLIENT]))
			pair->result[TLS_ROLE_CLIENT] = 0;
	}
}

int lab_pair_read(struct lab_pair *pair, enum tls_role to, uint8_t *clear, size_t cap,
                  size_t *ret_len)
{
	int rc = BASE_ERR(BASE_AGAIN, 0);

	*ret_len = 0;
	do {
		struct tls_io io = lend(pair, to);

		rc = tls_session_read(pair->session[to], &io, clear, cap, ret_len);
		taken(pair, to, &io);
	} while (again(rc) && pair->wire[1 - to].len);
	return rc;
}

void lab_pair_send(struct lab_pair *pair, enum tls_role from, const void *data, size_t len)
{
	struct tls_io io = lend(pair, from);
	uint8_t *clear = malloc(len + 1);
	size_t got = 0, n;

	assert_non_null(clear);
	io.in.end = io.in.at;
	assert_int_equal(tls_session_write(pair->session[from], &io, data, len), 0);
	while (got < len) {
		assert_int_equal(lab_pair_read(pair, 1 - from, clear + got, len + 1 - got, &n), 0);
		assert_true(n > 0);
		got += n;
	}
	assert_int_equal(got, len);
	assert_memory_equal(clear, data, len);
	free(clear);
}

struct tls_info lab_info(const struct lab_pair *pair, enum tls_role role)
{
	struct tls_info info;

	tls_session_info(pair->session[role], &info);
	return info;
}

void lab_assert_up(const struct lab_pair *pair)
{
	for (int role = 0; role < 2; role++) {
		struct tls_info info = lab_info(pair, (enum tls_role)role);

		if (pair->result[role] || !info.established)
			fail_msg("%s: rc %d, alert %d by %d: %s", role ? "server" : "client",
			         pair->result[role], info.alert, info.alert_side, info.failure);
	}
}
