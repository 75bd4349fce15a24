/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The LDAP reader against a directory that is played from a script, octet by octet: answers in
 * order and out of it, limits that hold before memory is taken, referrals, stalls.
 */
#include "check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/ldap.h"
#include "pki.h"

/* What the directory does with the search of one connection. */
enum play {
	P_END, /* no more connections are expected */
	P_ANSWER,
	P_NOT_FOUND,
	P_DENIED,
	P_HUGE,     /* announces a message of 2 GiB */
	P_FLOOD,    /* values without end */
	P_SILENT,   /* reads and says nothing */
	P_HALF,     /* half an entry, then the end */
	P_GARBAGE,  /* no BER */
	P_GOODBYE,  /* ends the session (RFC 4511, 4.4.1) */
	P_REFERRAL, /* the search is referred to `urls` */
	P_PARTS,    /* an answer, of which a part is at `urls` */
};

struct value {
	const char *attribute;
	const void *data;
	size_t len;
};

struct directory {
	int fd;
	uint16_t port;
	pthread_t thread;
	const enum play *plays;
	const struct value *values; /* ends in an attribute of NULL */
	char url[128];              /* of referrals */
	pthread_mutex_t lock;       /* of what follows */
	struct base_writer asked;   /* all requests, as they came */
	unsigned connections;
};

/* ---- BER, to write ---- */

static void element(struct base_writer *w, uint8_t tag, const struct base_writer *body)
{
	base_writer_u8(w, tag);
	base_writer_u8(w, 0x84);
	base_writer_u32(w, (uint32_t)body->len);
	base_writer_put(w, body->data, body->len);
}

static void octets(struct base_writer *w, uint8_t tag, const void *data, size_t len)
{
	struct base_writer body = { .data = (uint8_t *)(uintptr_t)data, .len = len };

	element(w, tag, &body);
}

static void text(struct base_writer *w, uint8_t tag, const char *s)
{
	octets(w, tag, s, strlen(s));
}

static void message(struct base_writer *w, uint8_t id, uint8_t op, const struct base_writer *body)
{
	struct base_writer in = { 0 };

	octets(&in, 0x02, &id, 1);
	element(&in, op, body);
	element(w, 0x30, &in);
	base_writer_done(&in);
}

static void entry(struct base_writer *w, uint8_t id, const struct value *value)
{
	struct base_writer body = { 0 }, list = { 0 }, one = { 0 }, set = { 0 };

	text(&body, 0x04, "cn=x,o=A");
	for (; value->attribute; value++) {
		text(&one, 0x04, value->attribute);
		octets(&set, 0x04, value->data, value->len);
		element(&one, 0x31, &set);
		element(&list, 0x30, &one);
		base_writer_reset(&one);
		base_writer_reset(&set);
	}
	element(&body, 0x30, &list);
	message(w, id, 0x64, &body);
	base_writer_done(&body);
	base_writer_done(&list);
	base_writer_done(&one);
	base_writer_done(&set);
}

static void done(struct base_writer *w, uint8_t id, uint8_t code, const char *url)
{
	struct base_writer body = { 0 }, list = { 0 };

	octets(&body, 0x0a, &code, 1);
	text(&body, 0x04, "");
	text(&body, 0x04, "said\nby the directory");
	if (url) {
		text(&list, 0x04, url);
		element(&body, 0xa3, &list);
	}
	message(w, id, 0x65, &body);
	base_writer_done(&body);
	base_writer_done(&list);
}

static void reference(struct base_writer *w, uint8_t id, const char *url)
{
	struct base_writer body = { 0 };

	text(&body, 0x04, url);
	message(w, id, 0x73, &body);
	base_writer_done(&body);
}

/* ---- the directory ---- */

static bool send_all(int fd, const struct base_writer *w)
{
	return send(fd, w->data, w->len, MSG_NOSIGNAL) == (ssize_t)w->len;
}

/* @return the messageID of the request that came, 0 when the client went */
static uint8_t request_read(struct directory *d, int fd)
{
	uint8_t head[2], body[512];
	size_t len;

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		return 0;
	len = head[1];
	if (len & 0x80) {
		size_t octets_of = len & 0x7f;

		if (recv(fd, body, octets_of, MSG_WAITALL) != (ssize_t)octets_of)
			return 0;
		len = 0;
		for (size_t i = 0; i < octets_of; i++)
			len = len << 8 | body[i];
	}
	if (len < 3 || len > sizeof(body) || recv(fd, body, len, MSG_WAITALL) != (ssize_t)len)
		return 0;
	(void)pthread_mutex_lock(&d->lock);
	base_writer_put(&d->asked, body, len);
	(void)pthread_mutex_unlock(&d->lock);
	return body[2];
}

static void play(struct directory *d, int fd, enum play what)
{
	struct base_writer w = { 0 };
	uint8_t id = request_read(d, fd);

	if (what == P_ANSWER || what == P_PARTS)
		entry(&w, id, d->values);
	if (what == P_PARTS)
		reference(&w, id, d->url);
	if (what == P_ANSWER || what == P_PARTS)
		done(&w, id, 0, NULL);
	if (what == P_NOT_FOUND || what == P_DENIED)
		done(&w, id, what == P_DENIED ? 50 : 32, NULL);
	if (what == P_REFERRAL)
		done(&w, id, 10, d->url);
	if (what == P_HUGE)
		base_writer_put(&w, "\x30\x84\x7f\xff\xff\xf0\x02\x01", 8);
	for (unsigned i = 0; what == P_GARBAGE && i < 10; i++)
		base_writer_put(&w, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	if (what == P_GOODBYE)
		done(&w, 0, 52, NULL);
	if (what == P_FLOOD || what == P_HALF)
		entry(&w, id, d->values);
	if (what == P_HALF)
		w.len /= 2;
	while (send_all(fd, &w) && what == P_FLOOD)
		;
	if (what != P_HALF)
		(void)request_read(d, fd); /* the client's farewell, or its end */
	base_writer_done(&w);
}

static void *serve(void *arg)
{
	struct directory *d = arg;

	for (const enum play *p = d->plays; *p != P_END; p++) {
		int fd = accept(d->fd, NULL, NULL);

		if (fd < 0)
			break;
		(void)pthread_mutex_lock(&d->lock);
		d->connections++;
		(void)pthread_mutex_unlock(&d->lock);
		play(d, fd, *p);
		(void)close(fd); /* a socket of the test */
	}
	return NULL;
}

static void start(struct directory *d, const enum play *plays, const struct value *values)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(to);

	*d = (struct directory){ .plays = plays, .values = values };
	assert_int_equal(pthread_mutex_init(&d->lock, NULL), 0);
	d->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&to, len), 0);
	assert_int_equal(listen(d->fd, 8), 0);
	assert_int_equal(getsockname(d->fd, (struct sockaddr *)&to, &len), 0);
	d->port = ntohs(to.sin_port);
	(void)snprintf(d->url, sizeof(d->url), "ldap://127.0.0.1:%u/cn=else", d->port);
	assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void stop(struct directory *d)
{
	(void)shutdown(d->fd, SHUT_RDWR); /* who still waits for a connection stops */
	assert_int_equal(pthread_join(d->thread, NULL), 0);
	(void)close(d->fd);
	(void)pthread_mutex_destroy(&d->lock); /* nobody holds it */
	base_writer_done(&d->asked);
}

static bool was_sent(struct directory *d, const void *octets_sent, size_t len)
{
	bool found;

	(void)pthread_mutex_lock(&d->lock);
	found = d->asked.len && memmem(d->asked.data, d->asked.len, octets_sent, len);
	(void)pthread_mutex_unlock(&d->lock);
	return found;
}

static bool was_asked(struct directory *d, const char *words)
{
	return was_sent(d, words, strlen(words));
}

static unsigned connections(struct directory *d)
{
	unsigned count;

	(void)pthread_mutex_lock(&d->lock);
	count = d->connections;
	(void)pthread_mutex_unlock(&d->lock);
	return count;
}

/* ---- the client ---- */

static struct fetch_ldap_settings anonymous;

struct client {
	struct fetch_ldap_order order;
	struct fetch_url at;
	char url[256];
	struct fetch_blobs blobs;
	struct fetch_ldap_left_out left_out;
	struct base_error err;
};

static int get(struct client *c, const struct directory *d, const char *rest)
{
	(void)snprintf(c->url, sizeof(c->url), "ldap://127.0.0.1:%u/%s", d->port, rest);
	assert_int_equal(fetch_url_parse(base_str_of(c->url), &c->at, NULL), 0);
	c->order.url = c->url;
	c->order.at = &c->at;
	c->order.left_out = &c->left_out;
	if (!c->order.settings)
		c->order.settings = &anonymous;
	if (!c->order.total_ms)
		c->order.total_ms = 60000;
	c->order.connect_ms = 60000;
	if (!c->order.max_octets)
		c->order.max_octets = 100000;
	if (!c->order.max_values)
		c->order.max_values = 100;
	return fetch_ldap_get(&c->order, &c->blobs, &c->err);
}

static void holds(const struct client *c, size_t i, enum fetch_what what, const void *data,
                  size_t len)
{
	assert_true(i < c->blobs.count);
	assert_int_equal(c->blobs.at[i].what, what);
	assert_int_equal(c->blobs.at[i].len, len);
	assert_memory_equal(c->blobs.at[i].data, data, len);
}

static void refused(const enum play *plays, const struct value *values, struct client *c,
                    const char *words)
{
	struct directory d;
	int rc;

	start(&d, plays, values);
	rc = get(c, &d, "o=A");
	fetch_blobs_done(&c->blobs);
	stop(&d);
	assert_int_equal(base_err_class(rc), BASE_PEER);
	if (!strstr(c->err.text, words))
		fail_msg("%s", c->err.text);
}

static const struct value one_crl[] = { { "certificateRevocationList;binary", "CRL", 3 }, { 0 } };

static void a_repository(void **state)
{
	static const enum play plays[] = { P_ANSWER, P_END };
	struct pki ca = pki_ca("A"), b = pki_leaf("b", &ca);
	struct x509_cross_pair pair = { .by_this = b.cert };
	struct base_writer good = { 0 };
	struct base_str der = pki_der(b.cert);
	struct client c = { .order.repository = true };
	struct directory d;

	(void)state;
	assert_int_equal(x509_cross_pair_write(&pair, &good), 0);
	{
		const struct value values[] = {
			{ "cACertificate;binary", "ONE", 3 },
			{ "CROSScertificatePair;binary", good.data, good.len },
			{ "crossCertificatePair", "garbage", 7 },
			{ "description", "not asked for", 13 },
			{ "authorityRevocationList", "ARL", 3 },
			{ "deltaRevocationList;binary", "DELTA", 5 },
			{ 0 },
		};

		start(&d, plays, values);
		assert_int_equal(get(&c, &d, "o=A"), 0);
	}
	assert_int_equal(c.blobs.count, 4);
	holds(&c, 0, FETCH_CA, "ONE", 3);
	holds(&c, 1, FETCH_CROSS, der.ptr, der.len);
	holds(&c, 2, FETCH_CRL, "ARL", 3);
	holds(&c, 3, FETCH_CRL, "DELTA", 5);
	/* a broken pair takes nothing else with it, and is told */
	assert_int_equal(c.left_out.count, 1);
	assert_non_null(strstr(c.left_out.first.text, "CertificatePair"));
	assert_true(was_asked(&d, "crossCertificatePair;binary"));
	assert_true(was_asked(&d, "authorityRevocationList")); /* in the filter, too */
	stop(&d);
	fetch_blobs_done(&c.blobs);
	base_writer_done(&good);
	pki_der_free(&der);
	pki_free(&b);
	pki_free(&ca);
}

static void one_list(void **state)
{
	static const enum play plays[] = { P_ANSWER, P_NOT_FOUND, P_END };
	struct client c = { 0 };
	struct directory d;

	(void)state;
	start(&d, plays, one_crl);
	assert_int_equal(get(&c, &d, "cn=x?certificateRevocationList?base?objectClass=pkiCA"), 0);
	assert_int_equal(c.blobs.count, 1);
	holds(&c, 0, FETCH_CRL, "CRL", 3);
	assert_true(was_asked(&d, "certificateRevocationList;binary"));
	assert_false(was_asked(&d, "deltaRevocationList"));
	assert_true(was_asked(&d, "pkiCA"));
	fetch_blobs_done(&c.blobs);
	/* nothing there is no failure; the delta is asked for where the URL names nothing */
	assert_int_equal(get(&c, &d, "cn=x"), 0);
	assert_int_equal(c.blobs.count, 0);
	assert_true(was_asked(&d, "deltaRevocationList;binary"));
	stop(&d);
}

/* A directory that sends more than it was asked for. */
static void uncalled_for(void **state)
{
	static const enum play plays[] = { P_ANSWER, P_END };
	static const struct value values[] = { { "cACertificate;binary", "CA", 2 },
		                               { "deltaRevocationList;binary", "DELTA", 5 },
		                               { "certificateRevocationList;binary", "CRL", 3 },
		                               { 0 } };
	struct client c = { 0 };
	struct directory d;

	(void)state;
	start(&d, plays, values);
	assert_int_equal(get(&c, &d, "cn=x?certificateRevocationList"), 0);
	assert_int_equal(c.blobs.count, 1);
	holds(&c, 0, FETCH_CRL, "CRL", 3);
	stop(&d);
	fetch_blobs_done(&c.blobs);
}

static void wrong_urls(void **state)
{
	static const enum play plays[] = { P_END };
	struct client c = { 0 };
	struct directory d;

	(void)state;
	start(&d, plays, one_crl);
	assert_int_equal(base_err_class(get(&c, &d, "cn=x?cACertificate")), BASE_PEER);
	assert_non_null(strstr(c.err.text, "no CRLs"));
	assert_int_equal(base_err_class(get(&c, &d, "cn=x?userPassword")), BASE_PEER);
	assert_int_equal(base_err_class(get(&c, &d, "cn=%")), BASE_PEER);
	stop(&d);
}

static void limits(void **state)
{
	static const enum play huge[] = { P_HUGE, P_END }, flood[] = { P_FLOOD, P_END },
	                       answer[] = { P_ANSWER, P_END };
	static const uint8_t much[50000];
	const struct value large[] = { { "certificateRevocationList", much, sizeof(much) }, { 0 } };
	struct client c = { 0 };

	(void)state;
	refused(huge, one_crl, &c, "larger than allowed");
	c.order.max_octets = sizeof(much) - 1;
	refused(answer, large, &c, "not allowed");
	c.order.max_octets = sizeof(much);
	refused(flood, large, &c, "not allowed");
	c.order.max_octets = 1 << 20;
	c.order.max_values = 2;
	refused(flood, one_crl, &c, "2 values");
}

static void bad_directories(void **state)
{
	static const enum play silent[] = { P_SILENT, P_END }, half[] = { P_HALF, P_END },
	                       garbage[] = { P_GARBAGE, P_END }, denied[] = { P_DENIED, P_END },
	                       goodbye[] = { P_GOODBYE, P_END };
	struct client c = { 0 };

	(void)state;
	refused(half, one_crl, &c, "Can't contact");
	refused(garbage, one_crl, &c, "no LDAP");
	refused(goodbye, one_crl, &c, "ends the session");
	refused(denied, one_crl, &c, "Insufficient access: said?by the directory");
	c.order.total_ms = 50;
	refused(silent, one_crl, &c, "too long");
}

static void nobody_there(void **state)
{
	static const enum play plays[] = { P_END };
	struct client c = { 0 };
	struct directory d;

	(void)state;
	start(&d, plays, one_crl);
	stop(&d);
	assert_int_equal(base_err_class(get(&c, &d, "o=A")), BASE_PEER);
	assert_non_null(strstr(c.err.text, "refused"));
}

static void referrals(void **state)
{
	static const enum play once[] = { P_REFERRAL, P_END },
	                       led[] = { P_REFERRAL, P_ANSWER, P_END },
	                       round[] = { P_REFERRAL, P_REFERRAL, P_REFERRAL, P_END },
	                       parts[] = { P_PARTS, P_ANSWER, P_END }, alone[] = { P_PARTS, P_END };
	const char *here[] = { "127.0.0.1:*" }, *other[] = { "ldap.example:*" };
	struct fetch_allow allow = { here, 1, 1 << FETCH_LDAP },
	                   away = { other, 1, 1 << FETCH_LDAP };
	struct client c = { 0 };
	struct directory d;

	(void)state;
	refused(once, one_crl, &c, "referrals are not followed");
	c.order.allow = &away;
	c.order.referrals = 2;
	refused(once, one_crl, &c, "not allowed");
	c.order.allow = &allow;
	c.order.referrals = 0;
	refused(once, one_crl, &c, "too many");
	c.order.referrals = 2;
	refused(round, one_crl, &c, "too many");

	start(&d, led, one_crl);
	assert_int_equal(get(&c, &d, "cn=x"), 0);
	assert_int_equal(c.blobs.count, 1);
	assert_true(was_asked(&d, "cn=else"));
	stop(&d);
	fetch_blobs_done(&c.blobs);

	start(&d, parts, one_crl);
	assert_int_equal(get(&c, &d, "cn=x??sub"), 0);
	assert_int_equal(c.blobs.count, 2);
	assert_int_equal(c.left_out.count, 0);
	stop(&d);
	fetch_blobs_done(&c.blobs);

	/* a part that is elsewhere is left out and told */
	c.order.allow = NULL;
	start(&d, alone, one_crl);
	assert_int_equal(get(&c, &d, "cn=x??sub"), 0);
	assert_int_equal(c.blobs.count, 1);
	assert_int_equal(c.left_out.count, 1);
	assert_int_equal(connections(&d), 1);
	stop(&d);
	fetch_blobs_done(&c.blobs);
}

/* Who we are is told to nobody else, and not in the clear. */
static void passwords(void **state)
{
	static const enum play none[] = { P_END };
	struct fetch_ldap_settings bind = { .bind_dn = "cn=reader",
		                            .password = { (uint8_t *)(uintptr_t) "s3cret", 6 } };
	struct fetch_ldap_settings empty = { .bind_dn = "cn=reader", .unsafe_clear_bind = true };
	struct fetch_ldap_settings tls = { .start_tls = true };
	struct client c = { .order.settings = &bind };
	struct directory d;

	(void)state;
	start(&d, none, one_crl);
	assert_int_equal(base_err_class(get(&c, &d, "o=A")), BASE_CONFIG);
	assert_non_null(strstr(c.err.text, "in the clear"));
	c.order.settings = &empty;
	assert_int_equal(base_err_class(get(&c, &d, "o=A")), BASE_CONFIG);
	assert_non_null(strstr(c.err.text, "without a password"));
	c.order.settings = &tls;
	assert_int_equal(base_err_class(get(&c, &d, "o=A")), BASE_CONFIG);
	assert_non_null(strstr(c.err.text, "anchors"));
	assert_int_equal(connections(&d), 0);
	stop(&d);
}

/* ldap.conf, LDAPRC and LDAP... have no say: a time limit from there would be in the request. */
static void no_environment(void **state)
{
	static const enum play plays[] = { P_ANSWER, P_END };
	static const char bounds[] = "\x0a\x01\x00" /* aliases are never followed */
	                             "\x02\x01\x64" /* 100 entries */
	                             "\x02\x01";    /* no time limit: 0, see below */
	struct client c = { 0 };
	struct directory d;

	(void)state;
	start(&d, plays, one_crl);
	assert_int_equal(get(&c, &d, ""), 0);
	assert_true(was_sent(&d, bounds, sizeof(bounds)));
	stop(&d);
	fetch_blobs_done(&c.blobs);
}

static int set_up(void **state)
{
	struct base_error err = { 0 };

	(void)state;
	return setenv("LDAPTIMELIMIT", "77", 1) || fetch_ldap_init(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repository), cmocka_unit_test(one_list),
		cmocka_unit_test(wrong_urls),   cmocka_unit_test(uncalled_for),
		cmocka_unit_test(limits),       cmocka_unit_test(bad_directories),
		cmocka_unit_test(nobody_there), cmocka_unit_test(referrals),
		cmocka_unit_test(passwords),    cmocka_unit_test(no_environment),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
