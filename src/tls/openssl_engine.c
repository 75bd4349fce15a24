/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The OpenSSL engine: one SSL_CTX per worker and domain (OpenSSL 3.0 pays dearly for a shared one),
 * set to exactly what the domain offers.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "tls/openssl_engine.h"

static int refused(struct tls_context *context, struct base_error *err, const char *what)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);
	enum base_class class =
	        ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? BASE_LOCAL : BASE_CONFIG;
	int rc = base_error_set(err, BASE_ERR(class, 0), "TLS domain %s: OpenSSL refuses %s: %s",
	                        context->domain->name, what, reason ? reason : "no reason given");

	ERR_clear_error();
	return rc;
}

/* -- what is offered ------------------------------------------------------------------------- */

/** TLS 1.0, TLS 1.1, SHA-1 signatures and suites without encryption exist only at level 0. */
static int security_level(const struct tls_domain *domain)
{
	const struct profile_list *signatures = &domain->settings->signatures;

	if (domain->versions & (PROFILE_TLS_1_0 | PROFILE_TLS_1_1))
		return 0;
	for (size_t i = 0; i < domain->suite_count; i++)
		if (profile_suite_find(domain->suites[i])->flags & PROFILE_SUITE_NULL)
			return 0;
	for (size_t i = 0; i < signatures->on; i++)
		if (signatures->item[i].code >> 8 == 2)
			return 0;
	return 2;
}

/** At level 0 OpenSSL takes any finite-field group; the profile's least size still holds. */
static int security_judge(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid,
                          void *other, void *ex)
{
	const struct openssl_context *oc = ex;
	uint32_t least = oc->context->domain->settings->dh_bits_min.value;

	(void)ssl;
	(void)ctx;
	(void)nid;
	(void)other;
	/* `bits` are of security: 80, 112, 128 for groups of 1024, 2048, 3072. */
	if (op == SSL_SECOP_TMP_DH)
		return bits >= (least >= 3072 ? 128 : least >= 2048 ? 112 : 80);
	return 1;
}

/** Did all we wrote fit? If not, refused() is to say so. */
static bool written(const struct base_writer *w)
{
	if (w->failed)
		ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
	return !w->failed;
}

static int set_versions(struct openssl_context *oc)
{
	static const struct {
		unsigned bit;
		uint64_t off, dtls_off;
	} row[] = {
		{ PROFILE_TLS_1_0, SSL_OP_NO_TLSv1, 0 },
		{ PROFILE_TLS_1_1, SSL_OP_NO_TLSv1_1, SSL_OP_NO_DTLSv1 },
		{ PROFILE_TLS_1_2, SSL_OP_NO_TLSv1_2, SSL_OP_NO_DTLSv1_2 },
		{ PROFILE_TLS_1_3, SSL_OP_NO_TLSv1_3, 0 },
	};
	const struct tls_domain *domain = oc->context->domain;
	int min = 0, max = 0;

	for (size_t i = 0; i < BASE_COUNT(row); i++) {
		if (!(domain->versions & row[i].bit)) {
			(void)SSL_CTX_set_options(oc->ctx,
			                          domain->whole ? row[i].dtls_off : row[i].off);
			continue;
		}
		min = min ? min : tls_domain_wire(domain, row[i].bit);
		max = tls_domain_wire(domain, row[i].bit);
	}
	return SSL_CTX_set_min_proto_version(oc->ctx, min) == 1 &&
	       SSL_CTX_set_max_proto_version(oc->ctx, max) == 1;
}

/** Are these, and no others, what OpenSSL took over, in this order? */
static bool suites_taken(const struct tls_domain *domain, SSL_CTX *ctx)
{
	STACK_OF(SSL_CIPHER) *taken = SSL_CTX_get_ciphers(ctx);

	if ((size_t)sk_SSL_CIPHER_num(taken) != domain->suite_count)
		return false;
	for (size_t i = 0; i < domain->suite_count; i++)
		if (SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(taken, (int)i)) !=
		    domain->suites[i])
			return false;
	return true;
}

static bool set_suites(struct openssl_context *oc)
{
	const struct tls_domain *domain = oc->context->domain;
	struct base_writer old = { 0 }, new = { 0 };
	bool ok;

	for (size_t i = 0; i < domain->suite_count; i++) {
		struct base_writer *w = profile_suite_tls13(domain->suites[i]) ? &new : &old;
		const char *name = profile_suite_find(domain->suites[i])->openssl;

		if (w->len)
			base_writer_u8(w, ':');
		base_writer_text(w, name ? name : "?");
	}
	/* An empty old list cannot be set; versions keep TLS 1.2 out then. */
	ok = written(&old) && written(&new) &&
	     SSL_CTX_set_ciphersuites(oc->ctx, base_writer_cstr(&new)) == 1 &&
	     (old.len == 0 || SSL_CTX_set_cipher_list(oc->ctx, base_writer_cstr(&old)) == 1) &&
	     (old.len == 0 || suites_taken(domain, oc->ctx));
	base_writer_done(&old);
	base_writer_done(&new);
	return ok;
}

/** The OpenSSL names of what is on in `list` and known, joined by colons. */
static void list_names(const struct profile_list *list, const struct profile_codes *caps,
                       const struct profile_code *(*find)(uint16_t), struct base_writer *w)
{
	for (size_t i = 0; i < list->on; i++) {
		const struct profile_code *code = find(list->item[i].code);

		if (!code || !code->openssl || !tls_caps_have(caps, code->code))
			continue;
		if (w->len)
			base_writer_u8(w, ':');
		base_writer_text(w, code->openssl);
	}
}

static bool set_lists(struct openssl_context *oc)
{
	const struct profile_settings *settings = oc->context->domain->settings;
	struct base_writer groups = { 0 }, signatures = { 0 };
	bool ok;

	list_names(&settings->groups, &tls_openssl_caps.groups, profile_group_find, &groups);
	list_names(&settings->signatures, &tls_openssl_caps.signatures, profile_signature_find,
	           &signatures);
	ok = written(&groups) && written(&signatures) &&
	     (!groups.len || SSL_CTX_set1_groups_list(oc->ctx, base_writer_cstr(&groups)) == 1) &&
	     (!signatures.len ||
	      SSL_CTX_set1_sigalgs_list(oc->ctx, base_writer_cstr(&signatures)) == 1);
	base_writer_done(&groups);
	base_writer_done(&signatures);
	return ok;
}

/** A named group of RFC 7919, at least of the profile's size: never one made up on the way. */
static bool set_dh(struct openssl_context *oc)
{
	uint32_t least = oc->context->domain->settings->dh_bits_min.value;
	char name[] = "ffdhe2048";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name,
		                                                 0),
		                OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	EVP_PKEY *key = NULL;
	bool ok;

	if (least > 2048)
		memcpy(name, least > 3072 ? "ffdhe4096" : "ffdhe3072", sizeof(name));
	ok = maker && EVP_PKEY_fromdata_init(maker) == 1 &&
	     EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEY_PARAMETERS, params) == 1 &&
	     SSL_CTX_set0_tmp_dh_pkey(oc->ctx, key) == 1;
	if (!ok)
		EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(maker);
	return ok;
}

static bool denied(const struct profile_settings *settings, uint16_t extension)
{
	return profile_list_find(&settings->extensions_denied, extension) != NULL;
}

static void set_options(struct openssl_context *oc)
{
	const struct tls_domain *domain = oc->context->domain;
	const struct profile_settings *settings = domain->settings;
	/* Which session may renegotiate after all, and when: openssl_renegotiation_let(). Without
	 * resumption in it OpenSSL would give no ticket there, for which GnuTLS's client waits. */
	uint64_t on = SSL_OP_NO_SSLv3 | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
	              SSL_OP_ALLOW_CLIENT_RENEGOTIATION;
	uint64_t off = SSL_OP_ENABLE_KTLS | SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_LEGACY_SERVER_CONNECT;

	*(settings->server_precedence.value ? &on : &off) |= SSL_OP_CIPHER_SERVER_PREFERENCE;
	if (!settings->psk_dhe_only.value) {
		on |= SSL_OP_ALLOW_NO_DHE_KEX;
		off &= ~(uint64_t)SSL_OP_ALLOW_NO_DHE_KEX;
	}
	if (!settings->renegotiation_info_peer.value) {
		on |= SSL_OP_LEGACY_SERVER_CONNECT;
		off &= ~(uint64_t)SSL_OP_LEGACY_SERVER_CONNECT;
	}
	if (!domain->tickets)
		on |= SSL_OP_NO_TICKET;
	if (denied(settings, 22))
		on |= SSL_OP_NO_ENCRYPT_THEN_MAC;
	if (denied(settings, 23))
		on |= SSL_OP_NO_EXTENDED_MASTER_SECRET;
	(void)SSL_CTX_set_options(oc->ctx, on);
	(void)SSL_CTX_clear_options(oc->ctx, off);
	/* No chain is guessed per handshake; idle connections hold no buffers. */
	(void)SSL_CTX_set_mode(oc->ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
	                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static bool set_resumption(struct openssl_context *oc)
{
	struct tls_domain *domain = oc->context->domain;

	/* It is we who keep: what a server gives, and the sessions of our clients by their id. */
	(void)SSL_CTX_set_session_cache_mode(
	        oc->ctx, (domain->ids ? SSL_SESS_CACHE_BOTH : SSL_SESS_CACHE_CLIENT) |
	                         SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(oc->ctx, openssl_on_session);
	if (SSL_CTX_set_session_ticket_cb(oc->ctx, openssl_chain_put, openssl_on_ticket_read,
	                                  NULL) != 1)
		return false;
	SSL_CTX_sess_set_get_cb(oc->ctx, openssl_on_id);
	SSL_CTX_set_not_resumable_session_callback(oc->ctx, openssl_not_resumable);
	(void)SSL_CTX_set_timeout(oc->ctx, (long)domain->lifetime_s);
	if (SSL_CTX_set_session_id_context(oc->ctx, domain->scope, sizeof(domain->scope)) != 1)
		return false;
	/* One ticket serves one resumption, and each more costs a record and its encryption. */
	if (SSL_CTX_set_num_tickets(oc->ctx, domain->tickets ? 1 : 0) != 1)
		return false;
	return !domain->tickets ||
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(oc->ctx, openssl_on_ticket_key) == 1;
}

/**
 * The authorities whose certificates we take (RFC 5246, 7.4.4); none where a fingerprint may do,
 * for then any certificate is acceptable.
 */
static bool set_authorities(struct openssl_context *oc)
{
	const struct tls_domain *domain = oc->context->domain;
	STACK_OF(X509) *anchors = NULL;

	if (domain->trust && !(domain->client_methods & TRUST_FINGERPRINT) &&
	    domain->client_auth != TLS_CLIENT_AUTH_NONE)
		anchors = (STACK_OF(X509) *)trust_store_anchors(domain->trust);
	for (int i = 0; i < sk_X509_num(anchors); i++)
		if (SSL_CTX_add_client_CA(oc->ctx, sk_X509_value(anchors, i)) != 1)
			return false;
	return true;
}

/* -- callbacks ------------------------------------------------------------------------------- */

/** Keep the fatal alert of this step, with its side; and that OpenSSL refused to renegotiate. */
static void on_info(const SSL *ssl, int where, int value)
{
	struct openssl_context *oc;
	int level = value >> 8, alert = value & 0xff;

	oc = openssl_context_of(ssl);
	if (!(where & SSL_CB_ALERT)) {
		if (oc->may)
			openssl_renegotiates(oc, where);
		return;
	}
	if (level != SSL3_AL_FATAL) {
		oc->refused |= alert == TLS_ALERT_NO_RENEGOTIATION && where & SSL_CB_WRITE;
		return;
	}
	oc->alert = alert;
	oc->side = where & SSL_CB_READ ? TLS_SIDE_REMOTE : TLS_SIDE_LOCAL;
}

static void on_key_log(const SSL *ssl, const char *line)
{
	const struct tls_domain *domain = openssl_context_of(ssl)->context->domain;

	domain->key_log(domain->key_log_arg, line);
}

static void set_callbacks(struct openssl_context *oc)
{
	const struct tls_domain *domain = oc->context->domain;
	const struct profile_settings *settings = domain->settings;

	SSL_CTX_set_info_callback(oc->ctx, on_info);
	SSL_CTX_set_cert_verify_callback(oc->ctx, openssl_verify, oc);
	(void)SSL_CTX_set_tlsext_status_cb(oc->ctx, openssl_on_status); /* always 1 */
	(void)SSL_CTX_set_tlsext_status_arg(oc->ctx, oc);
	if (settings->extended_master_secret_required.value ||
	    settings->renegotiation_info_peer.value || domain->certificate_count ||
	    domain->tickets || domain->ids || domain->refuse_unknown_psk)
		SSL_CTX_set_client_hello_cb(oc->ctx, openssl_client_hello, oc);
	if (domain->key_log)
		SSL_CTX_set_keylog_callback(oc->ctx, on_key_log);
	if (settings->extended_master_secret_required.value)
		SSL_CTX_set_msg_callback(oc->ctx, openssl_on_message);
	if (oc->context->domain->whole)
		SSL_CTX_set_cookie_verify_cb(oc->ctx, openssl_cookie_good);
	if (security_level(oc->context->domain) == 0) {
		SSL_CTX_set_security_callback(oc->ctx, security_judge);
		SSL_CTX_set0_security_ex_data(oc->ctx, oc);
	}
}

/** Of the domain's several certificates, see openssl_client_hello(); and what it tells of its
 * authorities. */
static bool set_choice(struct openssl_context *oc)
{
	const struct tls_domain *domain = oc->context->domain;

	if (!domain->certificate_count && !domain->told.len)
		return true;
	if (domain->certificate_count)
		(void)SSL_CTX_set_tlsext_servername_callback(oc->ctx, openssl_on_name);
	(void)SSL_CTX_set_tlsext_servername_arg(oc->ctx, oc); /* both always 1 */
	return SSL_CTX_add_custom_ext(
	               oc->ctx, 3, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO,
	               openssl_on_authorities, NULL, oc, openssl_take_authorities, oc) == 1;
}

/* -- life ------------------------------------------------------------------------------------ */

static int context_fill(struct openssl_context *oc, struct base_error *err)
{
	struct tls_context *context = oc->context;

	oc->ctx = SSL_CTX_new(context->domain->whole ? DTLS_method() : TLS_method());
	if (!oc->ctx || openssl_bio_new(oc))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for an SSL_CTX");
	SSL_CTX_set_app_data(oc->ctx, oc);
	/* Private use (RFC 8446, 11); never written. */
	if (SSL_CTX_add_custom_ext(oc->ctx, 0xff42, SSL_EXT_TLS1_3_NEW_SESSION_TICKET,
	                           openssl_on_ticket, NULL, oc, NULL, NULL) != 1)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for an SSL_CTX");
	if (!set_choice(oc))
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for an SSL_CTX");
	SSL_CTX_set_security_level(oc->ctx, security_level(context->domain));
	set_callbacks(oc);
	set_options(oc);
	if (!set_versions(oc))
		return refused(context, err, "the versions");
	if (!set_suites(oc))
		return refused(context, err, "the cipher suites");
	if (!set_lists(oc))
		return refused(context, err, "the groups or signature schemes");
	if (!set_dh(oc))
		return refused(context, err, "the Diffie-Hellman group");
	if (!set_resumption(oc))
		return refused(context, err, "the resumption settings");
	if (!set_authorities(oc))
		return refused(context, err, "a trust anchor's name");
	return 0;
}

static void openssl_context_free(struct tls_context *context)
{
	struct openssl_context *oc = context->engine;

	if (!oc)
		return;
	SSL_CTX_free(oc->ctx);
	BIO_free(oc->bio);
	BIO_meth_free(oc->method);
	free(oc);
	context->engine = NULL;
}

static int openssl_context_new(struct tls_context *context, struct base_error *err)
{
	struct openssl_context *oc = calloc(1, sizeof(*oc));

	if (!oc)
		return base_error_set(err, BASE_ERR(BASE_LOCAL, 0), "no memory for an SSL_CTX");
	ERR_clear_error();
	oc->context = context;
	oc->wanted = -1;
	context->engine = oc;
	return context_fill(oc, err); /* on failure the caller frees the half of it */
}

static int openssl_context_identity(struct tls_context *context, struct x509_identity *identity,
                                    struct base_error *err)
{
	struct openssl_context *oc = context->engine;

	ERR_clear_error();
	if (SSL_CTX_use_cert_and_key(oc->ctx, identity->cert, identity->key, identity->chain, 1) !=
	    1)
		return refused(context, err, "the certificate");
	return 0;
}

const struct tls_engine_ops *tls_openssl_ops(void)
{
	static const uint16_t srtp[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AES128_CM_SHA1_32,
		                         TLS_SRTP_AEAD_AES_128_GCM, TLS_SRTP_AEAD_AES_256_GCM };
	static const struct tls_engine_ops ops = {
		.engine = TLS_ENGINE_OPENSSL,
		.caps = &tls_openssl_caps,
		.cost_ecdsa = 281,
		.cost_rsa = 637,
		.context_new = openssl_context_new,
		.context_free = openssl_context_free,
		.context_identity = openssl_context_identity,
		.session_new = openssl_session_new,
		.session_free = openssl_session_free,
		.offer = openssl_offer,
		.handshake = openssl_handshake,
		.read = openssl_read,
		.write = openssl_write,
		.close = openssl_close,
		.again = openssl_again,
		.abort = openssl_abort,
		.id = openssl_id,
		.extract = openssl_extract,
		.repeat = openssl_repeat,
		.set_mtu = openssl_set_mtu,
		.room = openssl_room,
		.srtp = openssl_srtp,
		.srtp_profiles = { srtp, BASE_COUNT(srtp) },
		.srtp_resumes = true,
		.requests = true,
	};

	return &ops;
}
