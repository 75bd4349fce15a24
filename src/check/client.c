/* SPDX-License-Identifier: Apache-2.0 */
#include "check/client.h"

#include <errno.h>
#include <openssl/x509.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "x509/x509.h"

/* -- answers ----------------------------------------------------------------------------------- */

unsigned check_client_version(const struct check_offered *o)
{
	unsigned found = 0;

	for (unsigned v = PROFILE_SSL_3_0; v <= PROFILE_TLS_1_2; v <<= 1)
		if (o->versions & v)
			found = v;
	/* it has TLS 1.2 unless its list says otherwise (RFC 8446, 4.2.1) */
	return found;
}

/** A suite of its offer that an RSA certificate goes with; RSA key transport first. */
static uint16_t suite_for(const struct check_offered *o, unsigned version)
{
	uint16_t found = 0;
	struct check_shape shape;

	for (size_t i = 0; i + 1 < o->suites.len; i += 2) {
		uint16_t code = (uint16_t)(o->suites.data[i] << 8 | o->suites.data[i + 1]);
		const struct profile_suite *suite = profile_suite_find(code);

		if (!suite || profile_suite_tls13(code) || !check_suite_fits(suite, version) ||
		    !check_shape_of(code, &shape) || !(suite->flags & PROFILE_SUITE_RSA_AUTH) ||
		    shape.psk)
			continue;
		if (shape.exchange == CHECK_BY_RSA)
			return code;
		found = found ? found : code;
	}
	return found;
}

static uint16_t suite_not_offered(const struct check_offered *o)
{
	static const uint16_t some[] = { 0x002f, 0x0005, 0x000a, 0x0033 };

	for (size_t i = 0; i < BASE_COUNT(some); i++)
		if (!check_codes_hold(o->suites, some[i]))
			return some[i];
	return 0;
}

struct answer {
	uint16_t version, suite;
	uint8_t compression;
	bool info;
};

/** What to say; false where this client cannot be lured so. */
static bool answer_choose(const struct check_offered *o, enum check_lure lure, struct answer *ret)
{
	unsigned version = check_client_version(o);

	*ret = (struct answer){ .info = lure != CHECK_LURE_NO_RI };
	if (lure >= CHECK_LURE_SSL_3_0) {
		version = (unsigned)PROFILE_SSL_3_0 << (lure - CHECK_LURE_SSL_3_0);
		/* only below what it names, where no list tells */
		if (o->listed || (o->versions & version) ||
		    profile_version_wire(version) > o->legacy_version)
			return false;
	}
	if (!version)
		return false;
	ret->version = profile_version_wire(version);
	ret->suite = lure == CHECK_LURE_UNOFFERED ? suite_not_offered(o) : suite_for(o, version);
	ret->compression = lure == CHECK_LURE_DEFLATE;
	return ret->suite != 0;
}

static void hello_put(const struct check_offered *o, const struct answer *a, struct base_writer *w)
{
	bool info = a->info && (check_offered_extension(o, 0xff01) ||
	                        check_codes_hold(o->suites, CHECK_SCSV_RENEGOTIATION));
	uint8_t random[32];
	size_t at;

	w->failed |= base_random(random, sizeof(random)) != 0;
	base_writer_u8(w, CHECK_SERVER_HELLO);
	at = check_vector_begin(w, 3);
	base_writer_u16(w, a->version);
	base_writer_put(w, random, sizeof(random));
	base_writer_u8(w, 0);
	base_writer_u16(w, a->suite);
	base_writer_u8(w, a->compression);
	if (info)
		base_writer_put(w, "\x00\x05\xff\x01\x00\x01\x00", 7);
	check_vector_end(w, at, 3);
}

static void certificate_put(X509 *cert, struct base_writer *w)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	size_t message, list, one;

	w->failed |= len <= 0;
	base_writer_u8(w, CHECK_CERTIFICATE);
	message = check_vector_begin(w, 3);
	list = check_vector_begin(w, 3);
	one = check_vector_begin(w, 3);
	base_writer_put(w, der, len > 0 ? (size_t)len : 0);
	check_vector_end(w, one, 3);
	check_vector_end(w, list, 3);
	check_vector_end(w, message, 3);
	OPENSSL_free(der);
}

/** Our flight. After it a client with RSA key transport sends its key; with others it waits. */
static bool flight_send(struct check_wire *w, const struct check_offered *o, const struct answer *a,
                        X509 *cert, struct base_writer *sent)
{
	struct check_shape shape;
	struct base_writer text = { 0 };

	hello_put(o, a, &text);
	certificate_put(cert, &text);
	(void)check_shape_of(a->suite, &shape);
	if (shape.exchange == CHECK_BY_RSA)
		base_writer_put(&text, "\x0e\0\0\0", 4);
	check_record_put(sent, CHECK_RECORD_HANDSHAKE, a->version, text.data, text.len);
	base_writer_done(&text);
	return !sent->failed && check_wire_send(w, sent->data, sent->len);
}

/* -- one visit --------------------------------------------------------------------------------- */

static bool hello_await(struct check_wire *w, struct check_answer *text, struct check_offered *o)
{
	for (;;) {
		if (check_answer_read(text, w->in.data, w->in.len))
			return false;
		if (check_offered_read(o, (struct check_bytes){ text->text.data, text->text.len }))
			return true;
		if (text->outcome == CHECK_GARBLED || text->alert >= 0 || !check_wire_more(w))
			return false;
	}
}

static bool about_certificate(int alert)
{
	return (alert >= 41 && alert <= 49 && alert != 47) || alert == 51;
}

static void reaction_read(struct check_wire *w, struct check_lured *l)
{
	struct check_answer *a = &l->probe.answer;

	base_writer_reset(&w->in);
	*a = (struct check_answer){ .alert = -1, .alert_level = -1 };
	while (!a->ended && a->alert < 0 && !a->text.len) {
		bool more = check_wire_more(w);

		a->ended = w->ended;
		if (check_answer_read(a, w->in.data, w->in.len) || !more)
			break;
	}
	l->tried = true;
	l->went_on = a->text.len != 0;
	l->about_certificate = about_certificate(a->alert);
	if (!w->ended && a->alert < 0 && !l->went_on)
		a->outcome = CHECK_STALLED;
	base_writer_put(&l->probe.seen, w->in.data, w->in.len);
}

/** The first lure that is left for this client, or CHECK_LURES. */
static enum check_lure lure_next(const struct check_client *c, const struct check_offered *o,
                                 struct answer *ret)
{
	for (unsigned i = 0; i < CHECK_LURES; i++)
		if (!c->lured[i].tried && answer_choose(o, (enum check_lure)i, ret))
			return (enum check_lure)i;
	return CHECK_LURES;
}

/** What became of a visit. */
enum became { NO_TLS, MORE, ENOUGH };

static enum became visit(struct check_client *c, struct check_wire *w, X509 *cert)
{
	struct check_answer text = { .alert = -1 };
	struct check_offered offered;
	struct answer answer;
	enum check_lure lure;
	bool more;

	if (!hello_await(w, &text, &offered)) {
		check_answer_done(&text);
		return NO_TLS;
	}
	if (!c->came++) {
		base_writer_put(&c->hello.seen, w->in.data, w->in.len);
		base_writer_put(&c->text, text.text.data, text.text.len);
		if (!check_offered_read(&c->offered,
		                        (struct check_bytes){ c->text.data, c->text.len }))
			c->came = 0; /* memory is short */
	}
	lure = lure_next(c, &offered, &answer);
	if (lure < CHECK_LURES) {
		(void)flight_send(w, &offered, &answer, cert, &c->lured[lure].probe.sent);
		reaction_read(w, &c->lured[lure]);
	} else if (check_client_sessions_left(c, &text, &offered)) {
		check_client_session(c, w, &text, &offered);
	}
	more = lure_next(c, &offered, &answer) < CHECK_LURES ||
	       check_client_sessions_left(c, &text, &offered);
	check_answer_done(&text);
	return c->came && !more ? ENOUGH : MORE;
}

/* -- waiting ----------------------------------------------------------------------------------- */

static int listen_at(const struct check_target *t, struct base_error *err)
{
	int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    on = 1;

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !bind(fd, (const struct sockaddr *)&t->address, t->address_len) && !listen(fd, 16))
		return fd;
	(void)base_error_set(err, BASE_ERR(BASE_CONFIG, errno), "%s: cannot listen: %s", t->name,
	                     strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* nothing was done with it */
	return -1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** The next visitor, or -1; `left_ms` is what is left of waiting, and becomes less. */
static int visitor_await(int fd, int64_t *left_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t begin = now_ms();
	int rc = *left_ms > 0 ? poll(&p, 1, (int)*left_ms) : 0;

	*left_ms -= now_ms() - begin;
	return rc > 0 ? accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
}

/** Who speaks no TLS (a port scan) is let go, and is no end of waiting. */
static void visits(struct check_client *c, struct check_target *t, int fd, unsigned wait_ms,
                   X509 *cert)
{
	enum became became = MORE;
	int64_t left_ms = wait_ms;

	while (became != ENOUGH && atomic_load(&t->opened) < t->connections) {
		struct check_wire w;
		int visitor = visitor_await(fd, &left_ms);

		if (visitor < 0 && left_ms <= 0)
			return;
		if (visitor < 0)
			continue;
		check_wire_begin(&w, t);
		w.fd = visitor;
		atomic_fetch_add(&t->opened, 1);
		became = visit(c, &w, cert);
		check_wire_close(&w);
		if (became != NO_TLS)
			left_ms = t->timeout_ms;
	}
}

int check_client_run(struct check_client *c, struct check_target *t, unsigned wait_ms,
                     check_progress_fn *progress, void *arg, struct base_error *err)
{
	struct x509_identity *identity;
	int fd, rc = x509_identity_self_signed(&identity, X509_KEY_RSA_2048, "nobody.invalid",
	                                       86400, err);

	if (rc)
		return rc;
	fd = listen_at(t, err);
	if (fd < 0) {
		x509_identity_unref(identity);
		return BASE_ERR(BASE_CONFIG, 0);
	}
	progress(arg, "waiting for the client");
	c->nobody = identity;
	visits(c, t, fd, wait_ms, identity->cert);
	c->nobody = NULL;
	(void)close(fd); /* whoever still comes is refused */
	x509_identity_unref(identity);
	if (c->came)
		return 0;
	return base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s: %s", t->name,
	                      atomic_load(&t->opened) ? "who came did not speak TLS"
	                                              : "nobody came in time");
}

void check_client_done(struct check_client *c)
{
	check_probe_done(&c->hello);
	base_writer_done(&c->text);
	check_client_sessions_done(c);
	for (size_t i = 0; i < CHECK_LURES; i++)
		check_probe_done(&c->lured[i].probe);
}
