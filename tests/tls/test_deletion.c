/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A session that was deleted is not resumed, whatever its client shows: what GnuTLS servers look at
 * before their engine does, a deletion in the midst of a renegotiation, and a client's own.
 */
#include "foreign.h"
#include "pairs.h"
#include "tls/gnutls_engine.h"
#include "visit.h"

/* -- what a ClientHello shows to a GnuTLS server ----------------------------------------------- */

/** Tickets that a server gave: each of a visit of its own. */
struct wallet {
	struct shop shop;
	SSL_CTX *ctx;
	SSL_SESSION *kept;
	struct base_str ticket[8];
	uint8_t octets[8][2048];
};

static void wallet_open(struct wallet *w, const struct lab_sides *sides)
{
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "tls13");
	const unsigned char *ticket;

	spec.engine = TLS_ENGINE_GNUTLS;
	*w = (struct wallet){ 0 };
	shop_open(&w->shop, &spec);
	w->ctx = visit_client_new(&w->kept);
	for (size_t i = 0; i < BASE_COUNT(w->ticket); i++) {
		size_t len = 0;

		assert_true(visit(w->ctx, NULL, w->shop.context[0], NULL).up);
		SSL_SESSION_get0_ticket(w->kept, &ticket, &len);
		assert_in_range(len, 1, sizeof(w->octets[i]));
		memcpy(w->octets[i], ticket, len);
		w->ticket[i] = (struct base_str){ (const char *)w->octets[i], len };
	}
}

static void wallet_close(struct wallet *w)
{
	SSL_SESSION_free(w->kept);
	SSL_CTX_free(w->ctx);
	shop_close(&w->shop);
}

/** A server's session that reads a ClientHello with what was put here. */
struct hello {
	struct tls_session *session;
	struct base_writer out, list;
	struct tls_io io;
};

static void hello_open(struct hello *h, struct wallet *w)
{
	const struct tls_session_spec spec = { .role = TLS_ROLE_SERVER };

	*h = (struct hello){ 0 };
	assert_int_equal(tls_session_new(&h->session, w->shop.context[0], &spec), 0);
	h->io.out = &h->out;
	h->session->io = &h->io;
}

static void hello_close(struct hello *h)
{
	h->session->io = NULL;
	tls_session_free(h->session);
	base_writer_done(&h->out);
	base_writer_done(&h->list);
}

static void show(struct hello *h, struct base_str identity)
{
	base_writer_u16(&h->list, (uint16_t)identity.len);
	base_writer_str(&h->list, identity);
	base_writer_u32(&h->list, 0);
}

/** @return whether GnuTLS is let to know tickets */
static bool read_hello(struct hello *h, struct base_str extension)
{
	const struct tls_gnutls_session *gs = h->session->engine;

	return tls_gnutls_ticket_key(h->session, base_reader_of(extension.ptr, extension.len),
	                             base_reader_of(h->list.data, h->list.len)) >= 0 &&
	       gs->keyed;
}

static bool lets_in(struct wallet *w, struct base_str extension, const struct base_str *list,
                    size_t count)
{
	struct hello h;
	bool keyed;

	hello_open(&h, w);
	for (size_t i = 0; i < count; i++)
		show(&h, list[i]);
	keyed = read_hello(&h, extension);
	hello_close(&h);
	return keyed;
}

/** As if the session that came by it had been deleted. */
static void bar(struct wallet *w, struct base_str ticket)
{
	struct hello h;

	hello_open(&h, w);
	show(&h, ticket);
	assert_true(read_hello(&h, (struct base_str){ NULL, 0 }));
	h.session->established = true;
	h.session->version = 0x0304;
	h.session->bound_keys = h.session->key_updates;
	h.session->binding_len = 1;
	assert_true(tls_session_forget(h.session, 1));
	h.session->established = false;
	hello_close(&h);
}

static void no_ticket_hides_another(const struct lab_sides *sides)
{
	const struct base_str none = { NULL, 0 };
	struct base_str list[8];
	struct wallet w;

	wallet_open(&w, sides);
	memcpy(list, w.ticket, sizeof(list));
	assert_true(lets_in(&w, none, list, 1));
	assert_true(lets_in(&w, list[0], NULL, 0));
	bar(&w, list[0]);
	assert_false(lets_in(&w, none, list, 1));
	assert_false(lets_in(&w, list[0], NULL, 0));
	/* neither behind one of TLS 1.2, */
	assert_false(lets_in(&w, list[1], list, 1));
	/* nor before or behind others, */
	assert_false(lets_in(&w, none, list, 2));
	list[7] = list[0];
	assert_false(lets_in(&w, none, list + 5, 3));
	/* nor behind more than anybody looks at. */
	for (size_t i = 0; i < 7; i++)
		list[i] = BASE_STR("it is of someone else, and not a ticket of ours");
	assert_false(lets_in(&w, none, list, 8));
	assert_true(lets_in(&w, none, list, 1));
	wallet_close(&w);
}

/** Of two that are good one would not be noted, and stay good when the session is deleted. */
static void one_at_a_time(const struct lab_sides *sides)
{
	const struct base_str none = { NULL, 0 };
	struct wallet w;

	wallet_open(&w, sides);
	assert_false(lets_in(&w, none, w.ticket, 2));
	assert_false(lets_in(&w, w.ticket[0], w.ticket + 1, 1));
	/* The same twice is one. */
	assert_true(lets_in(&w, w.ticket[0], w.ticket, 1));
	wallet_close(&w);
}

/** RFC 8446, 4.1.2: the second ClientHello shows nothing new. */
static void nor_in_a_second_hello(const struct lab_sides *sides)
{
	const struct base_str none = { NULL, 0 };
	struct wallet w;
	struct hello h;

	wallet_open(&w, sides);
	bar(&w, w.ticket[0]);
	for (size_t i = 0; i < 3; i++) {
		hello_open(&h, &w);
		assert_true(read_hello(&h, none));
		show(&h, w.ticket[i]); /* the first is barred, the others are good */
		assert_false(read_hello(&h, none));
		hello_close(&h);
	}
	hello_open(&h, &w);
	show(&h, w.ticket[1]);
	assert_true(read_hello(&h, none));
	assert_true(read_hello(&h, none));
	hello_close(&h);
	wallet_close(&w);
}

/** The ticket of the first one again, in a handshake that asks for another group. */
static void resumed_by_a_second_hello(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "tls13");
	SSL_SESSION *kept = NULL;
	SSL_CTX *ctx = visit_client_new(&kept);
	struct shop shop;

	shop_open(&shop, &spec);
	assert_int_equal(SSL_CTX_set1_groups_list(ctx, "P-521:P-256"), 1);
	assert_true(visit(ctx, NULL, shop.context[0], NULL).up);
	for (int i = 0; i < 3; i++)
		assert_true(visit(ctx, kept, shop.context[i % 2], NULL).resumed);
	SSL_SESSION_free(kept);
	SSL_CTX_free(ctx);
	shop_close(&shop);
}

/* -- in the midst of a renegotiation ----------------------------------------------------------- */

/** What was put aside is deleted, too: the peer may stop here, and come back with its ticket. */
static void while_one_goes_on(void **state)
{
	struct tls_domain_spec ours = lab_spec(*state, TLS_ROLE_SERVER, "both");
	const struct tls_session_spec spec = { .role = TLS_ROLE_SERVER };
	struct tls_bars *bars;
	struct tls_marks marks;
	struct foreign far;
	char scrap[16];

	foreign_open(&far, TLS_ENGINE_OPENSSL, NULL, &ours, &spec, true);
	foreign_shake(&far);
	marks = far.session->marks;
	assert_int_equal(marks.count, 1);
	bars = tls_ticket_ring_bars(far.domain->ring);
	foreign_ask(&far);
	(void)foreign_ours(&far, scrap, sizeof(scrap));
	assert_true(tls_session_renegotiating(far.session, NULL));
	assert_true(tls_session_forget(far.session, far.now_ms));
	assert_true(tls_bars_has(bars, marks.mark[0]));
	foreign_close(&far);
}

/** Of GnuTLS's servers. */
static void what_is_shown(void **state)
{
	if (((const struct lab_sides *)*state)->server != TLS_ENGINE_GNUTLS)
		return;
	no_ticket_hides_another(*state);
	one_at_a_time(*state);
	nor_in_a_second_hello(*state);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_shown),
	cmocka_unit_test(resumed_by_a_second_hello),
	cmocka_unit_test(while_one_goes_on),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
