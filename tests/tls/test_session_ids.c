/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Sessions that a server remembers by their id (RFC 5246, 7.3), for clients without tickets: within
 * bounds, for so long, at every worker of the domain and nowhere else.
 */
#include "pairs.h"
#include "tls/engine.h"
#include "tls/tickets.h"
#include "visit.h"

#define LIFE_MS 3600000ULL

/* -- the cache alone ------------------------------------------------------------------------- */

static struct base_str id_of(uint32_t *number)
{
	return (struct base_str){ (const char *)number, sizeof(*number) };
}

static bool has(struct tls_ids *ids, uint32_t number, uint64_t now_ms)
{
	struct base_secret got = { 0 };
	bool found = tls_ids_get(ids, id_of(&number), NULL, now_ms, &got);

	base_secret_done(&got);
	return found;
}

static void bounded(void **state)
{
	static const uint8_t data[TLS_IDS_ONE + 1];
	struct tls_ids *ids;
	size_t octets, each = TLS_IDS_OCTETS / 1024;

	(void)state;
	assert_int_equal(tls_ids_new(&ids, 3600), 0);
	for (uint32_t i = 0; i < 3 * TLS_IDS_MAX; i++)
		tls_ids_put(ids, id_of(&i), NULL, data, 10, 0);
	assert_int_equal(tls_ids_count(ids, &octets), TLS_IDS_MAX);
	assert_int_equal(octets, 10 * TLS_IDS_MAX);
	assert_false(has(ids, 2 * TLS_IDS_MAX - 1, 0)); /* the oldest went */
	assert_true(has(ids, 2 * TLS_IDS_MAX, 0));
	for (uint32_t i = 0; i < 3000; i++)
		tls_ids_put(ids, id_of(&(uint32_t){ 1000000 + i }), NULL, data, each, 0);
	assert_true(tls_ids_count(ids, &octets) <= 1024);
	assert_true(octets <= TLS_IDS_OCTETS);
	assert_true(has(ids, 1002999, 0));
	tls_ids_put(ids, id_of(&(uint32_t){ 5 }), NULL, data, sizeof(data), 0);
	assert_false(has(ids, 5, 0));
	tls_ids_unref(ids);
}

static void for_so_long(void **state)
{
	uint32_t one = 1, two = 2;
	struct base_secret got = { 0 };
	struct tls_ids *ids;
	size_t octets;

	(void)state;
	assert_int_equal(tls_ids_new(&ids, 3600), 0);
	tls_ids_put(ids, id_of(&one), NULL, "first", 5, 1000);
	tls_ids_put(ids, id_of(&two), NULL, "other", 5, 2000);
	tls_ids_put(ids, id_of(&one), NULL, "again", 5, 3000); /* keeps its age, and what it was */
	assert_true(tls_ids_get(ids, id_of(&one), NULL, 1000 + LIFE_MS - 1, &got));
	assert_memory_equal(got.data, "first", 5);
	base_secret_done(&got);
	assert_false(has(ids, 1, 1000 + LIFE_MS));
	tls_ids_age(ids, 1000 + LIFE_MS);
	assert_int_equal(tls_ids_count(ids, &octets), 1);
	assert_true(has(ids, 2, 1000 + LIFE_MS));
	tls_ids_remove(ids, id_of(&two));
	tls_ids_remove(ids, id_of(&two));
	assert_int_equal(tls_ids_count(ids, &octets), 0);
	assert_int_equal(octets, 0);
	tls_ids_unref(ids);
}

/* -- sessions -------------------------------------------------------------------------------- */

struct guest {
	SSL_SESSION *kept;
	SSL_CTX *ctx;
	struct shop shop;
};

/** A client that takes no tickets, and a server that may have them or not. */
static void guest_open(struct guest *g, const struct tls_domain_spec *spec)
{
	*g = (struct guest){ 0 };
	visit_now_ms = 0;
	g->ctx = visit_client_new(&g->kept);
	(void)SSL_CTX_set_options(g->ctx, SSL_OP_NO_TICKET);
	shop_open(&g->shop, spec);
}

static void guest_close(struct guest *g)
{
	SSL_SESSION_free(g->kept);
	SSL_CTX_free(g->ctx);
	shop_close(&g->shop);
	visit_now_ms = 0;
}

static bool resumes(struct guest *g, struct shop *shop, int worker)
{
	struct visit v = visit(g->ctx, g->kept, shop->context[worker], NULL);

	assert_true(v.up);
	return v.resumed;
}

static const char *const profiles[] = { "tls12", "ids", "tls10" };

static void at_every_worker(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(profiles); i++) {
		struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, profiles[i]);
		struct guest g;

		guest_open(&g, &spec);
		if (i == 2) {
			SSL_CTX_set_security_level(g.ctx, 0);
			(void)SSL_CTX_set_min_proto_version(g.ctx, TLS1_VERSION);
		}
		assert_false(resumes(&g, &g.shop, 0));
		assert_false(SSL_SESSION_has_ticket(g.kept));
		for (int round = 0; round < 4; round++)
			assert_true(resumes(&g, &g.shop, round % 2));
		guest_close(&g);
	}
}

static void nowhere_else(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ids");
	struct shop away;
	struct guest g;

	guest_open(&g, &spec);
	shop_open(&away, &spec);
	assert_false(resumes(&g, &g.shop, 0));
	assert_false(resumes(&g, &away, 0));
	shop_close(&away);
	guest_close(&g);
}

static void a_lifetime_from_the_full_handshake(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ids");
	struct guest g;

	guest_open(&g, &spec);
	assert_false(resumes(&g, &g.shop, 0));
	for (visit_now_ms = LIFE_MS / 3; visit_now_ms < LIFE_MS; visit_now_ms += LIFE_MS / 3)
		assert_true(resumes(&g, &g.shop, 1));
	visit_now_ms = LIFE_MS;
	assert_false(resumes(&g, &g.shop, 1));
	guest_close(&g);
}

/** A stream's own credentials: neither kept nor resumed. */
static void not_where_something_was_proved(void **state)
{
	const struct lab_sides *sides = *state;
	const struct x509_fingerprint fp = lab_fingerprint(sides->lab->client);
	const struct tls_session_spec own = { .role = TLS_ROLE_SERVER,
		                              .fingerprints = &fp,
		                              .fingerprint_count = 1 };
	struct tls_domain_spec spec = lab_spec(sides, TLS_ROLE_SERVER, "ids");
	struct guest g;
	size_t octets;

	guest_open(&g, &spec);
	assert_false(visit(g.ctx, NULL, g.shop.context[0], &own).resumed);
	assert_int_equal(tls_ids_count(g.shop.domain->ids, &octets), 0);
	assert_false(resumes(&g, &g.shop, 0));
	assert_int_equal(tls_ids_count(g.shop.domain->ids, &octets), 1);
	assert_false(visit(g.ctx, g.kept, g.shop.context[0], &own).resumed);
	guest_close(&g);
}

static void over_a_reload(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ids");
	struct shop next;
	struct guest g;

	guest_open(&g, &spec);
	assert_false(resumes(&g, &g.shop, 0));
	spec.before = g.shop.domain;
	shop_open(&next, &spec);
	assert_true(resumes(&g, &next, 0));
	shop_close(&next);
	spec.continue_on = 1U << TRUST_EXPIRED;
	shop_open(&next, &spec);
	assert_false(resumes(&g, &next, 0));
	shop_close(&next);
	guest_close(&g);
}

/** RFC 5246, 7.2.2: what ended in a fatal alert is not resumed. */
static void not_after_a_fatal_alert(void **state)
{
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ids");
	const struct tls_session_spec mine = { .role = TLS_ROLE_SERVER };
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out };
	struct tls_session *session;
	struct guest g;
	size_t octets;

	guest_open(&g, &spec);
	assert_false(resumes(&g, &g.shop, 0));
	assert_int_equal(tls_ids_count(g.shop.domain->ids, &octets), 1);
	assert_int_equal(tls_session_new(&session, g.shop.context[0], &mine), 0);
	session->io = &io;
	tls_ids_remember(session, SSL_SESSION_get_id(g.kept, &(unsigned){ 0 }), 32, "x", 1);
	session->io = NULL;
	tls_session_abort(session, &io, TLS_ALERT_INTERNAL_ERROR);
	tls_session_free(session);
	base_writer_done(&out);
	assert_int_equal(tls_ids_count(g.shop.domain->ids, &octets), 0);
	assert_false(resumes(&g, &g.shop, 0));
	guest_close(&g);
}

/** Nor where the alert came in the same breath as data, which go first. */
static void not_after_one_beside_data(void **state)
{
	static const uint8_t forged[] = { 23, 3, 3, 0, 32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5,
		                          6,  7, 8, 9, 1,  2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5 };
	struct tls_domain_spec spec = lab_spec(*state, TLS_ROLE_SERVER, "ids");
	struct tls_domain_spec near = lab_spec(*state, TLS_ROLE_CLIENT, "ids");
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out };
	struct lab_pair pair;
	uint8_t clear[64];
	size_t len, octets;
	int rc;

	lab_pair_open(&pair, &spec, &near, NULL, NULL);
	lab_pair_shake(&pair);
	lab_assert_up(&pair);
	assert_int_equal(tls_ids_count(pair.domain[TLS_ROLE_SERVER]->ids, &octets), 1);
	base_writer_reset(&pair.wire[TLS_ROLE_CLIENT]);
	io.out = &pair.wire[TLS_ROLE_CLIENT];
	assert_int_equal(
	        tls_session_write(pair.session[TLS_ROLE_CLIENT], &io, (const uint8_t *)"last", 4),
	        0);
	base_writer_put(io.out, forged, sizeof(forged));
	io.in = base_reader_of(io.out->data, io.out->len);
	io.out = &out;
	rc = tls_session_read(pair.session[TLS_ROLE_SERVER], &io, clear, sizeof(clear), &len);
	if (rc == 0) {
		assert_int_equal(len, 4);
		rc = tls_session_read(pair.session[TLS_ROLE_SERVER], &io, clear, sizeof(clear),
		                      &len);
	}
	assert_int_equal(base_err_class(rc), BASE_PEER);
	assert_int_equal(tls_ids_count(pair.domain[TLS_ROLE_SERVER]->ids, &octets), 0);
	base_writer_done(&out);
	lab_pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bounded),
	cmocka_unit_test(for_so_long),
	cmocka_unit_test(at_every_worker),
	cmocka_unit_test(nowhere_else),
	cmocka_unit_test(a_lifetime_from_the_full_handshake),
	cmocka_unit_test(not_where_something_was_proved),
	cmocka_unit_test(over_a_reload),
	cmocka_unit_test(not_after_a_fatal_alert),
	cmocka_unit_test(not_after_one_beside_data),
};

int main(void)
{
	return pairs_run_servers(tests, BASE_COUNT(tests));
}
