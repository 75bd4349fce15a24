/* SPDX-License-Identifier: Apache-2.0 */
#include "guests.h"

#include <unistd.h>

static const struct relay_dgram_spec any = { 0 };

struct tls_domain *guests_domain(struct guests *s, const char *name)
{
	struct tls_domain_spec spec = lab_spec(s->sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain *domain;

	spec.name = name;
	spec.client_methods = TRUST_FINGERPRINT;
	assert_int_equal(tls_domain_new(&domain, &spec, NULL), 0);
	return domain;
}

void guests_begin(struct guests *s, void *state)
{
	struct relay_pool_spec pool = { .workers = 2 };

	memset(s, 0, sizeof(*s));
	s->sides = state;
	stage_begin(&s->stage, &pool);
	s->domain = guests_domain(s, "server");
}

void guests_end(struct guests *s)
{
	stage_empty(&s->stage);
	stage_end(&s->stage);
	tls_domain_unref(s->domain);
}

/* ---- clients ---- */

void guest_make(struct guest *g, struct guests *s, struct x509_identity *identity, int to)
{
	struct tls_domain_spec domain = lab_spec(s->sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_datagram_spec datagram = { .rto_ms = 50 };
	struct tls_session_spec session = { .role = TLS_ROLE_CLIENT, .datagram = &datagram };

	memset(g, 0, sizeof(*g));
	g->fd = udp_peer(&g->port);
	g->to = to;
	g->rc = BASE_ERR(BASE_AGAIN, 0);
	domain.identity = identity;
	assert_int_equal(tls_domain_new(&g->domain, &domain, NULL), 0);
	assert_int_equal(tls_context_new(&g->context, g->domain, NULL), 0);
	assert_int_equal(tls_session_new(&g->session, g->context, &session), 0);
}

void guest_done(struct guest *g)
{
	tls_session_free(g->session);
	tls_context_free(g->context);
	tls_domain_unref(g->domain);
	base_writer_done(&g->out);
	close(g->fd);
}

void guest_flush(struct guest *g)
{
	struct base_reader r = base_reader_of(g->out.data, g->out.len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		udp_send(g->fd, g->to, one.ptr, one.len);
	base_writer_reset(&g->out);
}

void guest_step(struct guest *g)
{
	uint8_t buf[4096], clear[4096];
	ssize_t n = recv(g->fd, buf, sizeof(buf), 0);
	struct tls_io io = { .in = base_reader_of(buf, (size_t)BASE_MAX(n, 0)), .out = &g->out };
	size_t got;

	io.now_ms = g->now_ms += 5;
	if (base_err_class(g->rc) == BASE_AGAIN)
		g->rc = tls_session_handshake(g->session, &io);
	else if (g->rc == 0)
		(void)tls_session_read(g->session, &io, clear, sizeof(clear), &got);
	guest_flush(g);
}

void guest_say(struct guest *g, const char *text)
{
	struct tls_io io = { .out = &g->out, .now_ms = g->now_ms };

	assert_int_equal(tls_session_write(g->session, &io, (const uint8_t *)text, strlen(text)),
	                 0);
	guest_flush(g);
}

static bool granted(void *arg)
{
	struct wish *w = arg;

	for (size_t i = 0; i < w->guests; i++)
		guest_step(&w->guest[i]);
	if (w->record)
		return w->record->count[w->kind] >= w->count;
	return base_err_class(w->guest->rc) != BASE_AGAIN;
}

void guest_until(struct guests *s, struct guest *g, const struct record *record,
                 enum relay_event_kind kind, unsigned count)
{
	struct wish w = { g, 1, record, kind, count };

	stage_wait(&s->stage, granted, &w);
}

/* ---- endpoints ---- */

void end_spec(struct guests *s, struct end *e, struct relay_endpoint_spec *ret,
              const struct x509_identity *expected, const struct relay_dgram_spec *dgram, int port)
{
	e->tls = (struct relay_tls_spec){ .domain = s->domain, .mark = 1 };
	e->tls.session.role = TLS_ROLE_SERVER;
	if (expected) {
		e->print = lab_fingerprint(expected);
		e->tls.session.fingerprints = &e->print;
		e->tls.session.fingerprint_count = 1;
	}
	*ret = stage_datagrams(&e->front, 0, dgram);
	ret->tls = &e->tls;
	((struct sockaddr_in *)&ret->local)->sin_port = htons((uint16_t)port);
}

static struct relay_context *context_of(const struct guests *s, const struct end *e)
{
	return e->context ? e->context : s->stage.context;
}

void end_back(struct guests *s, struct end *e)
{
	struct relay_endpoint_spec spec;

	e->peer = udp_peer(&e->peer_port);
	spec = stage_datagrams(&e->back, e->peer_port, &any);
	assert_int_equal(relay_endpoint_add(&e->back.endpoint, context_of(s, e), &spec, NULL), 0);
}

void end_make(struct guests *s, struct end *e, const struct x509_identity *expected,
              const struct relay_dgram_spec *dgram, int port)
{
	struct relay_endpoint_spec spec;

	end_spec(s, e, &spec, expected, dgram, port);
	assert_int_equal(relay_endpoint_add(&e->front.endpoint, context_of(s, e), &spec, NULL), 0);
	if (!e->back.endpoint)
		end_back(s, e);
	assert_int_equal(relay_endpoint_link(e->front.endpoint, e->back.endpoint), 0);
}

void end_done(struct end *e)
{
	relay_endpoint_remove(e->front.endpoint);
	relay_endpoint_remove(e->back.endpoint);
	close(e->peer);
}

void end_expect(struct end *e, const struct x509_identity *who)
{
	e->print = lab_fingerprint(who);
	e->tls.session.fingerprints = &e->print;
	e->tls.session.fingerprint_count = 1;
	e->tls.mark++;
	assert_int_equal(relay_endpoint_tls_set(e->front.endpoint, &e->tls), 0);
}

void end_hears(struct guests *s, struct end *e, struct guest *g, const char *text)
{
	guest_say(g, text);
	udp_expect(&s->stage, e->peer, text, strlen(text));
}
