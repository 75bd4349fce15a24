/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A server with several certificates (RFC 6066, 3 and 6), by each engine; the client is libssl
 * itself, so that it may say what ours does not.
 */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "lab.h"
#include "pairs.h"
#include "pki.h"
#include "tls/engine.h"

/** Two authorities and four certificates; all of one program. */
static struct {
	struct pki_ca ca[2];
	struct trust_store *trust; /**< both */
	struct x509_identity *a_ec, *a_rsa, *b_ec,
	        *a_other; /**< a_other: by the second authority */
} world;

static int world_open(void **state)
{
	char dir[] = "/tmp/gatehouse-choose-XXXXXX", path[2][PKI_PATH], made[PKI_PATH];
	const char *anchors[] = { path[0], path[1], NULL };
	const struct trust_store_files files = { .anchors = anchors };

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(made, sizeof(made), "%s/ca.pem", dir);
	for (int i = 0; i < 2; i++) {
		pki_ca_make(&world.ca[i], dir);
		(void)snprintf(path[i], sizeof(path[i]), "%s/ca%d.pem", dir, i);
		assert_int_equal(rename(made, path[i]), 0);
	}
	assert_int_equal(trust_store_load(&world.trust, &files, NULL), 0);
	world.a_ec = pki_issue(&world.ca[0], dir, "a.test", false, -60, 3600, false);
	world.a_rsa = pki_issue(&world.ca[0], dir, "a.test", true, -60, 3600, false);
	world.b_ec = pki_issue(&world.ca[0], dir, "b.test", false, -60, 3600, false);
	world.a_other = pki_issue(&world.ca[1], dir, "a.test", false, -60, 3600, false);
	for (int i = 0; i < 2; i++)
		(void)remove(path[i]);
	(void)rmdir(dir);
	return 0;
}

static int world_close(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		pki_ca_done(&world.ca[i]);
	trust_store_unref(world.trust);
	x509_identity_unref(world.a_ec);
	x509_identity_unref(world.a_rsa);
	x509_identity_unref(world.b_ec);
	x509_identity_unref(world.a_other);
	return 0;
}

/* -- a client that says what it is told to --------------------------------------------------- */

/** What to say, and what came of it. */
struct call {
	const char *name;        /**< server_name */
	const char *signatures;  /**< NULL = libssl's own */
	struct base_str trusted; /**< extension_data of trusted_ca_keys; len 0 = none */
	int version;             /**< 0 = as it comes */
	bool bare;               /**< takes no tickets */
	SSL_SESSION *resume;     /**< NULL = none */
	bool answered;           /**< the server has said trusted_ca_keys too */
	bool named;              /**< and server_name */
	bool resumed;
	int alert;   /**< that the server sent; -1 none */
	X509 *shown; /**< NULL = no handshake */
	SSL_SESSION *session;
};

static int trusted_put(SSL *ssl, unsigned type, unsigned where, const unsigned char **ret,
                       size_t *ret_len, X509 *cert, size_t index, int *ret_alert, void *arg)
{
	const struct call *call = arg;

	(void)ssl;
	(void)type;
	(void)where;
	(void)cert;
	(void)index;
	(void)ret_alert;
	*ret = (const unsigned char *)call->trusted.ptr;
	*ret_len = call->trusted.len;
	return call->trusted.len > 0;
}

static int trusted_take(SSL *ssl, unsigned type, unsigned where, const unsigned char *in,
                        size_t len, X509 *cert, size_t index, int *ret_alert, void *arg)
{
	struct call *call = arg;

	(void)ssl;
	(void)type;
	(void)where;
	(void)in;
	(void)cert;
	(void)index;
	(void)ret_alert;
	assert_int_equal(len, 0); /* "SHALL be empty" */
	call->answered = true;
	return 1;
}

/** EncryptedExtensions (RFC 8446, 4.3.1): is server_name among them, empty as it must be? */
static bool name_among(struct base_reader body)
{
	struct base_reader all = base_reader_sub(&body, base_reader_u16(&body));
	bool there = false;

	while (base_reader_left(&all)) {
		uint16_t type = base_reader_u16(&all), len = base_reader_u16(&all);

		there |= type == 0 && len == 0;
		(void)base_reader_take(&all, len);
	}
	assert_true(base_reader_done(&body) && base_reader_done(&all));
	return there;
}

static void on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
	const uint8_t *octet = data;
	struct call *call = arg;
	struct tls_hello_view hello;

	(void)version;
	(void)ssl;
	if (!write && type == SSL3_RT_ALERT && len == 2 && octet[0] == 2)
		call->alert = octet[1];
	if (!write && type == SSL3_RT_HANDSHAKE && octet[0] == SSL3_MT_SERVER_HELLO &&
	    tls_hello_read(&hello, octet + 4, len - 4, false))
		call->named = hello.present & TLS_HELLO_NAME;
	if (!write && type == SSL3_RT_HANDSHAKE && octet[0] == SSL3_MT_ENCRYPTED_EXTENSIONS)
		call->named = name_among(base_reader_of(octet + 4, len - 4));
}

static SSL_CTX *client_ctx(struct call *call)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	assert_non_null(ctx);
	SSL_CTX_set_msg_callback(ctx, on_message);
	SSL_CTX_set_msg_callback_arg(ctx, call);
	if (call->version)
		assert_int_equal(SSL_CTX_set_max_proto_version(ctx, call->version), 1);
	if (call->bare)
		(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (call->signatures)
		assert_int_equal(SSL_CTX_set1_sigalgs_list(ctx, call->signatures), 1);
	assert_int_equal(SSL_CTX_add_custom_ext(ctx, 3,
	                                        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO,
	                                        trusted_put, NULL, call, trusted_take, call),
	                 1);
	return ctx;
}

/** One step of ours. */
static int ours_step(struct tls_session *session, BIO *to, BIO *from)
{
	uint8_t in[32768];
	struct base_writer out = { 0 };
	int len = BIO_read(from, in, sizeof(in));
	struct tls_io io = { .in = base_reader_of(in, len > 0 ? (size_t)len : 0), .out = &out };
	int rc = tls_session_handshake(session, &io);

	if (out.len)
		assert_int_equal(BIO_write(to, out.data, (int)out.len), out.len);
	base_writer_done(&out);
	return rc;
}

static void call_make(struct call *call, struct tls_context *context)
{
	const struct tls_session_spec spec = { .role = TLS_ROLE_SERVER };
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_CTX *ctx = client_ctx(call);
	SSL *ssl = SSL_new(ctx);
	struct tls_session *session;
	int rc = 1;

	call->alert = -1;
	call->answered = call->named = call->resumed = false;
	call->shown = NULL;
	BIO_set_mem_eof_return(in, -1);
	BIO_set_mem_eof_return(out, -1);
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	if (call->name)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, call->name), 1);
	if (call->resume)
		assert_int_equal(SSL_set_session(ssl, call->resume), 1);
	assert_int_equal(tls_session_new(&session, context, &spec), 0);
	for (int i = 0; i < 8 && rc && (rc == 1 || base_err_class(rc) == BASE_AGAIN); i++) {
		(void)SSL_do_handshake(ssl);
		rc = ours_step(session, in, out);
	}
	if (SSL_do_handshake(ssl) == 1 && rc == 0) {
		char scrap[16];

		(void)SSL_read(ssl, scrap, sizeof(scrap)); /* a ticket of TLS 1.3 */
		call->shown = SSL_get1_peer_certificate(ssl);
		call->resumed = SSL_session_reused(ssl) == 1;
		call->session = SSL_get1_session(ssl);
		(void)SSL_shutdown(ssl);
	}
	tls_session_free(session);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void call_done(struct call *call)
{
	X509_free(call->shown);
	SSL_SESSION_free(call->session);
	call->shown = NULL;
	call->session = NULL;
}

/** One call, and which certificate it must be shown. */
static void expect(struct tls_context *context, struct call call,
                   const struct x509_identity *identity)
{
	call_make(&call, context);
	assert_non_null(call.shown);
	assert_int_equal(X509_cmp(call.shown, identity->cert), 0);
	call_done(&call);
}

/* -- the server ------------------------------------------------------------------------------ */

struct server {
	struct tls_domain *domain;
	struct tls_context *context;
};

static void server_open(struct server *server, const struct lab_sides *sides, const char *profile,
                        struct x509_identity *first, struct x509_identity *const *more,
                        size_t count, bool refuse)
{
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct base_error err = { 0 };

	spec.identity = first;
	spec.trust = world.trust;
	spec.more = more;
	spec.more_count = count;
	spec.refuse_unknown_name = refuse;
	if (tls_domain_new(&server->domain, &spec, &err) ||
	    tls_context_new(&server->context, server->domain, &err))
		fail_msg("%s", err.text);
}

static void server_close(struct server *server)
{
	tls_context_free(server->context);
	tls_domain_unref(server->domain);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void by_name(void **state)
{
	struct x509_identity *const more[] = { world.b_ec };
	struct server server;

	server_open(&server, *state, "modern", world.a_ec, more, 1, false);
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		expect(server.context, (struct call){ .name = "a.test", .version = versions[i] },
		       world.a_ec);
		expect(server.context, (struct call){ .name = "b.test", .version = versions[i] },
		       world.b_ec);
		expect(server.context, (struct call){ .name = "B.TEST", .version = versions[i] },
		       world.b_ec);
		expect(server.context, (struct call){ .version = versions[i] }, world.a_ec);
		expect(server.context, (struct call){ .name = "c.test", .version = versions[i] },
		       world.a_ec);
	}
	server_close(&server);
}

/** "the server SHALL include an extension of type server_name in the (extended) server hello"
 * where it was of use; up to TLS 1.2 not "when resuming a session". */
static void name_is_answered(void **state)
{
	struct x509_identity *const more[] = { world.b_ec };
	struct server server;

	server_open(&server, *state, "modern", world.a_ec, more, 1, false);
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		struct call call = { .name = "b.test", .version = versions[i] }, again;

		call_make(&call, server.context);
		assert_true(call.named);
		call_done(&call);
		call.name = "a.test";
		call_make(&call, server.context);
		assert_true(call.named);
		again = call;
		again.resume = call.session;
		call_make(&again, server.context);
		assert_true(again.resumed);
		assert_true(!again.named || versions[i] == TLS1_3_VERSION);
		call_done(&again);
		call_done(&call);
		call.name = "c.test";
		call_make(&call, server.context);
		assert_false(call.named);
		call_done(&call);
		call.name = NULL;
		call_make(&call, server.context);
		assert_false(call.named);
		call_done(&call);
	}
	server_close(&server);
}

static void unknown_name_is_refused(void **state)
{
	struct server server;

	server_open(&server, *state, "modern", world.a_ec, NULL, 0, true);
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		struct call call = { .name = "c.test", .version = versions[i] };

		call_make(&call, server.context);
		assert_null(call.shown);
		assert_int_equal(call.alert, TLS_ALERT_UNRECOGNIZED_NAME);
		expect(server.context, (struct call){ .name = "a.test", .version = versions[i] },
		       world.a_ec);
		expect(server.context, (struct call){ .version = versions[i] }, world.a_ec);
	}
	server_close(&server);
}

/** Of two for one name, the one whose kind of key the client can do. */
static void by_kind_of_key(void **state)
{
	struct x509_identity *const more[] = { world.b_ec, world.a_rsa };
	struct server server;

	server_open(&server, *state, "modern", world.a_ec, more, 2, false);
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		expect(server.context,
		       (struct call){ .name = "a.test",
		                      .version = versions[i],
		                      .signatures = "RSA-PSS+SHA256:RSA+SHA256" },
		       world.a_rsa);
		expect(server.context,
		       (struct call){ .name = "a.test",
		                      .version = versions[i],
		                      .signatures = "ECDSA+SHA256" },
		       world.a_ec);
	}
	server_close(&server);
}

/** One TrustedAuthority, as a list. */
static struct base_str trusted_of(struct base_writer *w, enum tls_authority_kind kind, X509 *ca)
{
	const unsigned char *der = NULL;
	unsigned char digest[20];
	unsigned digest_len;
	size_t len = 0;

	base_writer_reset(w);
	if (kind == TLS_AUTHORITY_NAME)
		assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(ca), &der, &len), 1);
	else if (kind == TLS_AUTHORITY_KEY_HASH)
		assert_int_equal(X509_pubkey_digest(ca, EVP_sha1(), digest, &digest_len), 1);
	else if (kind == TLS_AUTHORITY_CERT_HASH)
		assert_int_equal(X509_digest(ca, EVP_sha1(), digest, &digest_len), 1);
	base_writer_u16(w, (uint16_t)(1 + (kind == TLS_AUTHORITY_NAME     ? 2 + len
	                                   : kind == TLS_AUTHORITY_AGREED ? 0
	                                                                  : 20)));
	base_writer_u8(w, (uint8_t)kind);
	if (kind == TLS_AUTHORITY_NAME) {
		base_writer_u16(w, (uint16_t)len);
		base_writer_put(w, der, len);
	} else if (kind != TLS_AUTHORITY_AGREED) {
		base_writer_put(w, digest, sizeof(digest));
	}
	return base_writer_view(w);
}

/** The same name by two authorities: the one that the client trusts (RFC 6066, 6). */
static void by_authority(void **state)
{
	static const enum tls_authority_kind kinds[] = { TLS_AUTHORITY_KEY_HASH, TLS_AUTHORITY_NAME,
		                                         TLS_AUTHORITY_CERT_HASH };
	struct x509_identity *const more[] = { world.a_other };
	struct base_writer w = { 0 };
	struct server server;

	server_open(&server, *state, "tls12", world.a_ec, more, 1, false);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++)
		for (int ca = 0; ca < 2; ca++) {
			struct call call = { .name = "a.test", .version = TLS1_2_VERSION };
			const struct x509_identity *wanted = ca ? world.a_other : world.a_ec;

			/* Both roots have one name; only hashes tell them apart. */
			if (kinds[i] == TLS_AUTHORITY_NAME)
				wanted = world.a_ec;
			call.trusted = trusted_of(&w, kinds[i], world.ca[ca].cert);
			call_make(&call, server.context);
			assert_non_null(call.shown);
			assert_int_equal(X509_cmp(call.shown, wanted->cert), 0);
			assert_true(call.answered);
			call_done(&call);
		}
	server_close(&server);
	base_writer_done(&w);
}

/** An authority nobody knows, and pre_agreed, say nothing: no answer, the first certificate. */
static void by_no_authority(void **state)
{
	struct x509_identity *const more[] = { world.a_other };
	struct call call = { .version = TLS1_2_VERSION };
	struct base_writer w = { 0 };
	struct server server;

	server_open(&server, *state, "tls12", world.a_ec, more, 1, false);
	call.trusted = trusted_of(&w, TLS_AUTHORITY_AGREED, NULL);
	call_make(&call, server.context);
	assert_int_equal(X509_cmp(call.shown, world.a_ec->cert), 0);
	assert_false(call.answered);
	call_done(&call);
	call.trusted = trusted_of(&w, TLS_AUTHORITY_CERT_HASH, world.b_ec->cert);
	call_make(&call, server.context);
	assert_int_equal(X509_cmp(call.shown, world.a_ec->cert), 0);
	assert_false(call.answered);
	call_done(&call);
	server_close(&server);
	base_writer_done(&w);
}

/** What was proved under one name is not resumed under another (RFC 6066, 3). */
static void not_resumed_by_another_name(void **state)
{
	struct x509_identity *const more[] = { world.b_ec };
	struct server server;

	server_open(&server, *state, "modern", world.a_ec, more, 1, false);
	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		struct call first = { .name = "a.test", .version = versions[i] };
		struct call again = { .name = "a.test", .version = versions[i] };

		call_make(&first, server.context);
		assert_non_null(first.session);
		again.resume = first.session;
		call_make(&again, server.context);
		assert_true(again.resumed);
		call_done(&again);
		again.name = "b.test";
		call_make(&again, server.context);
		assert_false(again.resumed);
		assert_int_equal(X509_cmp(again.shown, world.b_ec->cert), 0);
		call_done(&again);
		call_done(&first);
	}
	server_close(&server);
}

/** Of one client, twice: does it resume what it had under another name, or under none? */
static bool resumes_as(struct tls_context *context, struct call call, const char *then)
{
	struct call first = call, again = call;
	bool resumed;

	call_make(&first, context);
	assert_non_null(first.session);
	again.name = then;
	again.resume = first.session;
	call_make(&again, context);
	assert_non_null(again.shown);
	resumed = again.resumed;
	call_done(&again);
	call_done(&first);
	return resumed;
}

/** "A server that implements this extension MUST NOT accept the request to resume the session if
 * the server_name extension contains a different name", though both lead to one certificate. */
static void not_resumed_by_another_name_for_one_certificate(void **state)
{
	static const struct {
		const char *profile;
		int version;
		bool bare;
	} row[] = {
		{ "modern", TLS1_3_VERSION, false },
		{ "modern", TLS1_2_VERSION, false },
		{ "ids", TLS1_2_VERSION, true },
		{ "tls12", TLS1_2_VERSION, true },
	};

	for (size_t i = 0; i < BASE_COUNT(row); i++)
		for (size_t more = 0; more < 2; more++) {
			struct call call = { .version = row[i].version, .bare = row[i].bare };
			struct server server;

			/* With and without a list of certificates behind it. */
			server_open(&server, *state, row[i].profile, world.a_ec,
			            (struct x509_identity *const[]){ world.a_other }, more, false);
			assert_true(resumes_as(server.context, call, NULL));
			assert_false(resumes_as(server.context, call, "a.test"));
			call.name = "a.test";
			assert_true(resumes_as(server.context, call, "a.test"));
			assert_false(resumes_as(server.context, call, "c.test"));
			assert_false(resumes_as(server.context, call, NULL));
			call.name = "c.test";
			assert_false(resumes_as(server.context, call, "d.test"));
			server_close(&server);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(name_is_answered),
		cmocka_unit_test(unknown_name_is_refused),
		cmocka_unit_test(by_kind_of_key),
		cmocka_unit_test(by_authority),
		cmocka_unit_test(by_no_authority),
		cmocka_unit_test(not_resumed_by_another_name),
		cmocka_unit_test(not_resumed_by_another_name_for_one_certificate),
	};
	int rc;

	(void)world_open(NULL);
	rc = pairs_run_servers(tests, BASE_COUNT(tests));
	(void)world_close(NULL);
	return rc;
}
