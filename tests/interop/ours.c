/* SPDX-License-Identifier: Apache-2.0 */
/** @file The interop matrix's near side: sessions of src/tls, over plain sockets. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"
#include "tls/tls.h"

struct shared {
	struct profile_store *profiles;
	struct trust_store *trust;
	struct x509_identity *identity;
	struct tls_domain *domain;
	struct tls_context *context;
	uint8_t secret[64];
	struct tls_psk psk;
};

struct near {
	const struct cell *cell;
	struct shared *shared;
	struct tls_session *session; /**< NULL: a server of datagrams that knows no peer yet */
	struct base_writer out;
	int fd;
	uint8_t got[20000]; /**< from the socket, from `at` on not yet read */
	size_t len, at;
	uint8_t clear[20000]; /**< read and not yet asked for: messages are read whole */
	size_t clear_len, clear_at;
	unsigned again; /**< as told last */
	const char *
	        why; /**< why it could not begin a renegotiation; NULL = it could, or never tried */
};

/* -- a profile of exactly what the cell is about -------------------------------------------- */

struct offer {
	const char *way, *cbc, *gcm; /**< suites before TLS 1.2 and in it */
};

static const struct offer offers[] = {
	{ "RSA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA",
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, "
	  "TLS_RSA_WITH_AES_128_GCM_SHA256" },
	{ "ECDSA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ "PSK", "TLS_PSK_WITH_AES_128_CBC_SHA", "TLS_PSK_WITH_AES_128_GCM_SHA256" },
	{ "DHE-PSK", "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256" },
	{ "ECDHE-PSK", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
	  "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256" },
};

static const char *suites_of(const struct cell *cell)
{
	if (!strcmp(cell->version, "TLS1.3"))
		return "TLS_AES_128_GCM_SHA256";
	for (size_t i = 0; i < BASE_COUNT(offers); i++)
		if (!strcmp(cell->way, offers[i].way))
			return strstr(cell->version, "1.2") ? offers[i].gcm : offers[i].cbc;
	return "";
}

static void rule(struct base_writer *w, const char *subject, const char *items)
{
	base_writer_printf(w,
	                   "  - { id: %.1s%zu, subject: %s, items: [%s], strength: may, mark: P, "
	                   "text: x }\n",
	                   subject, w->len, subject, items);
}

static void profile_text(const struct cell *cell, struct base_writer *w)
{
	static const char signatures[] =
	        "ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256, ecdsa_sha1, "
	        "rsa_pkcs1_sha1";
	const char *groups = !strcmp(cell->way, "DHE-PSK") ? "ffdhe2048" : "secp256r1, ffdhe2048";

	base_writer_printf(w,
	                   "name: cell\ntitle: interop\ndocument: interop\nclause: '1'\n"
	                   "release: none\nprecedence:\n  suites: [%s]\n  groups: [%s]\n"
	                   "  signatures: [%s]\nrules:\n",
	                   suites_of(cell), groups, signatures);
	/* A profile is never without a version of TLS; sessions of datagrams do not look at it. */
	rule(w, "version",
	     !cell->datagrams                    ? cell->version
	     : !strcmp(cell->version, "DTLS1.0") ? "TLS1.1, DTLS1.0"
	                                         : "TLS1.2, DTLS1.2");
	rule(w, "suite", suites_of(cell));
	rule(w, "group", groups);
	rule(w, "signature", signatures);
	rule(w, "extension", "extended_master_secret");
	if (cell->psk)
		rule(w, "authentication", "psk");
	if (cell->psk && !strcmp(cell->version, "TLS1.3"))
		rule(w, "authentication", "psk-dhe-only");
	if (cell->kind == CELL_TICKET)
		rule(w, "resumption", "any, tickets");
	else if (cell->kind == CELL_ID)
		rule(w, "resumption", "any, session-ids");
	else if (cell->kind == CELL_AGAIN)
		rule(w, "renegotiation",
		     "renegotiation-info, client-initiated, answer-hello-request, "
		     "server-initiated");
}

/* -- the domain ----------------------------------------------------------------------------- */

static bool credentials(struct shared *shared, const struct cell *cell, struct base_error *err)
{
	const char *anchors[] = { cell->ca, NULL };
	const struct trust_store_files files = { .anchors = anchors };

	if (*cell->ca && trust_store_load(&shared->trust, &files, err))
		return false;
	if (*cell->cert && x509_identity_load(&shared->identity, cell->cert, cell->key, err))
		return false;
	shared->psk.identity = base_str_of(cell->identity);
	shared->psk.key.data = shared->secret;
	shared->psk.key.len = cell_octets(cell->secret, shared->secret, sizeof(shared->secret));
	return true;
}

static bool domain(struct shared *shared, const struct cell *cell, struct base_error *err)
{
	struct base_writer text = { 0 };
	struct tls_domain_spec spec = {
		.name = "interop",
		.engine = strcmp(cell->engine, "gnutls") ? TLS_ENGINE_OPENSSL : TLS_ENGINE_GNUTLS,
		.identity = shared->identity,
		.trust = shared->trust,
		.server_methods = cell->psk ? 0 : TRUST_CA,
		.client_methods = cell->auth ? TRUST_CA : 0,
		.client_auth = cell->auth ? TLS_CLIENT_AUTH_REQUIRE : TLS_CLIENT_AUTH_NONE,
		.psks = &shared->psk,
		.psk_count = cell->psk ? 1 : 0,
	};
	int rc;

	profile_text(cell, &text);
	rc = profile_store_text(shared->profiles, "cell", (const char *)text.data, text.len,
	                        &spec.profile, err);
	base_writer_done(&text);
	return rc == 0 && tls_domain_new(&shared->domain, &spec, err) == 0 &&
	       tls_context_new(&shared->context, shared->domain, err) == 0;
}

static void on_end(void *arg)
{
	struct shared *shared = arg;

	tls_context_free(shared->context);
	tls_domain_unref(shared->domain);
	x509_identity_unref(shared->identity);
	trust_store_unref(shared->trust);
	profile_store_free(shared->profiles);
	free(shared);
}

static bool on_begin(const struct cell *cell, void **ret, char *why, size_t size)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	struct base_error err = { 0 };

	if (!shared || profile_store_new(&shared->profiles))
		abort();
	if (credentials(shared, cell, &err) && domain(shared, cell, &err)) {
		*ret = shared;
		return true;
	}
	(void)snprintf(why, size, "%s", err.text);
	on_end(shared);
	return false;
}

/* -- a session over a socket ---------------------------------------------------------------- */

static void session_open(struct near *near)
{
	static const struct tls_datagram_spec path = { .rto_ms = 200, .patience_ms = 8000 };
	const struct tls_datagram_spec verified = { .rto_ms = 200,
		                                    .patience_ms = 8000,
		                                    .verified = true };
	const struct cell *cell = near->cell;
	const struct tls_session_spec spec = {
		.role = cell->serve ? TLS_ROLE_SERVER : TLS_ROLE_CLIENT,
		.resume_key = cell->serve || cell->kind == CELL_FULL ? NULL : "peer",
		.peer_name = cell->serve || cell->psk ? NULL : cell->name,
		.server_name = cell->serve ? NULL : cell->name,
		.datagram = !cell->datagrams ? NULL
		            : cell->serve    ? &verified
		                             : &path,
	};

	if (tls_session_new(&near->session, near->shared->context, &spec))
		abort();
}

static void *on_open(void *arg, const struct cell *cell, int fd)
{
	struct near *near = calloc(1, sizeof(*near));

	if (!near)
		abort();
	near->shared = arg;
	near->cell = cell;
	near->fd = fd;
	if (!cell->serve || !cell->datagrams)
		session_open(near);
	return near;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct tls_io lend(struct near *near)
{
	return (struct tls_io){ .in = base_reader_of(near->got + near->at, near->len - near->at),
		                .out = &near->out,
		                .now_ms = now_ms() };
}

static bool sent(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/** What a step has read is gone, what it has written is sent. */
static bool given_back(struct near *near, const struct tls_io *io)
{
	struct base_reader r = base_reader_of(near->out.data, near->out.len);
	struct base_str datagram;
	bool ok = true;

	near->at = near->len - base_reader_left(&io->in);
	if (!near->cell->datagrams)
		ok = sent(near->fd, near->out.data, near->out.len);
	else
		while (ok && tls_datagram_next(&r, &datagram))
			ok = sent(near->fd, (const uint8_t *)datagram.ptr, datagram.len);
	base_writer_reset(&near->out);
	return ok;
}

/** Wait for octets, or until a flight is to be repeated. */
static bool wait_for(const struct near *near, bool *ret_due)
{
	uint64_t now = now_ms(), until = near->session && near->cell->datagrams
	                                         ? tls_session_deadline(near->session)
	                                         : UINT64_MAX;
	struct pollfd one = { .fd = near->fd, .events = POLLIN };

	*ret_due = false;
	if (until == UINT64_MAX)
		return cell_wait(near->fd);
	*ret_due = until <= now || poll(&one, 1, (int)(until - now)) == 0;
	return true;
}

/** More octets for the next step; none where a deadline has come. */
static bool more(struct near *near)
{
	ssize_t n;
	bool due;

	memmove(near->got, near->got + near->at, near->len - near->at);
	near->len -= near->at;
	near->at = 0;
	if (!wait_for(near, &due))
		return false;
	if (due)
		return true;
	n = recv(near->fd, near->got + near->len, sizeof(near->got) - near->len, 0);
	if (n > 0)
		near->len += (size_t)n;
	return n > 0;
}

/** A server of datagrams makes a session for who has shown our cookie (RFC 6347, 4.2.1). */
static bool known(struct near *near)
{
	const struct base_str peer = base_str_of("peer");

	while (!near->session) {
		struct tls_io io;
		enum tls_hello hello;

		if (!more(near))
			return false;
		hello = tls_hello_check(near->shared->domain,
		                        (struct base_str){ (const char *)near->got, near->len },
		                        peer, now_ms(), &near->out);
		if (hello == TLS_HELLO_VERIFIED) {
			session_open(near);
			return true;
		}
		io = lend(near);
		io.in.at = io.in.end; /* the question is answered */
		if (!given_back(near, &io))
			return false;
	}
	return true;
}

static bool again_later(int rc)
{
	return rc < 0 && base_err_class(rc) == BASE_AGAIN;
}

static bool on_shake(void *arg)
{
	struct near *near = arg;
	int rc;

	if (!known(near))
		return false;
	do {
		struct tls_io io = lend(near);

		rc = tls_session_handshake(near->session, &io);
		if (!given_back(near, &io))
			return false;
	} while (again_later(rc) && more(near));
	return rc == 0;
}

static void tell_again(struct near *near)
{
	struct tls_info info;

	tls_session_info(near->session, &info);
	if (info.renegotiations == near->again)
		return;
	near->again = info.renegotiations;
	cell_say("again %u", near->again);
}

/** One read of what has come. BASE_AGAIN: nothing for now */
static int take(struct near *near)
{
	struct tls_io io = lend(near);
	int rc;

	near->clear_at = 0;
	rc = tls_session_read(near->session, &io, near->clear, sizeof(near->clear),
	                      &near->clear_len);
	if (!given_back(near, &io) && rc == 0 && near->clear_len == 0)
		rc = BASE_ERR(BASE_PEER, 0);
	tell_again(near);
	return rc;
}

static int on_read(void *arg, char *into, size_t cap)
{
	struct near *near = arg;
	size_t n;
	int rc = 0;

	while (near->clear_at == near->clear_len) {
		rc = take(near);
		if (rc == 0 && near->clear_len == 0)
			return 0;
		if (rc && !(again_later(rc) && more(near)))
			return -1;
	}
	n = BASE_MIN(cap, near->clear_len - near->clear_at);
	memcpy(into, near->clear + near->clear_at, n);
	near->clear_at += n;
	return (int)n;
}

/** Until a renegotiation is complete, or none goes on where `any` is unset; no data may come. */
static bool settle(struct near *near, unsigned until)
{
	uint32_t count;

	while (tls_session_renegotiating(near->session, &count) || count < until) {
		int rc = take(near);

		if (!again_later(rc) || tls_session_wish(near->session) == TLS_WISH_REFUSED)
			return false;
		if (tls_session_renegotiating(near->session, &count) || count < until)
			if (!more(near))
				return false;
	}
	return true;
}

static bool on_write(void *arg, const char *data, size_t len)
{
	struct near *near = arg;
	struct tls_io io;
	int rc;

	do {
		io = lend(near);
		rc = tls_session_write(near->session, &io, (const uint8_t *)data, len);
		if (!given_back(near, &io))
			return false;
	} while (again_later(rc) && settle(near, 0));
	return rc == 0;
}

static bool on_again(void *arg)
{
	struct near *near = arg;
	struct tls_io io = lend(near);
	struct tls_info info;
	enum tls_again begun;
	int rc = tls_session_renegotiate(near->session, &io, &begun);

	if (!given_back(near, &io) || rc)
		return false;
	if (begun == TLS_AGAIN_KEYS)
		return true;
	if (begun != TLS_AGAIN_BEGUN) {
		near->why = tls_again_text(begun);
		return false;
	}
	tls_session_info(near->session, &info);
	return settle(near, info.renegotiations + 1);
}

static bool on_await(void *arg)
{
	struct near *near = arg;

	return settle(near, 1);
}

static void on_close(void *arg)
{
	struct near *near = arg;
	struct tls_io io = lend(near);

	(void)tls_session_close(near->session, &io);
	(void)given_back(near, &io);
}

static void on_tell(void *arg, struct cell_told *ret)
{
	struct near *near = arg;
	struct tls_info info;

	if (!near->session) {
		(void)snprintf(ret->why, sizeof(ret->why), "nobody has shown the cookie");
		return;
	}
	tls_session_info(near->session, &info);
	(void)snprintf(ret->version, sizeof(ret->version), "%s",
	               info.version_name ? info.version_name : "");
	(void)snprintf(ret->suite, sizeof(ret->suite), "%s",
	               info.suite_name ? info.suite_name : "");
	ret->resumed = info.resumed ? "1" : "0";
	ret->psk = info.psk;
	ret->again = info.renegotiations + info.key_updates;
	(void)snprintf(ret->why, sizeof(ret->why), "alert %s %s; %s",
	               info.alert < 0 ? "none" : tls_alert_name(info.alert),
	               info.alert_side == TLS_SIDE_LOCAL    ? "sent"
	               : info.alert_side == TLS_SIDE_REMOTE ? "received"
	                                                    : "",
	               near->why ? near->why : info.failure);
}

static void on_free(void *arg)
{
	struct near *near = arg;

	tls_session_free(near->session);
	base_writer_done(&near->out);
	free(near);
}

const struct stack stack = {
	.begin = on_begin,
	.end = on_end,
	.open = on_open,
	.shake = on_shake,
	.read = on_read,
	.write = on_write,
	.again = on_again,
	.await = on_await,
	.close = on_close,
	.tell = on_tell,
	.free = on_free,
};
