/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <unistd.h>

#include "call.h"

static void endpoints_make(struct call *call, enum tls_role role,
                           const struct relay_dgram_spec *front,
                           const struct relay_dgram_spec *back)
{
	struct relay_endpoint_spec spec;

	call->front = call->back = (struct record){ 0 };
	call->tls.domain = call->domain;
	call->tls.session.role = role;
	spec = stage_datagrams(&call->front, call->port, front);
	spec.tls = &call->tls;
	stage_add(&call->stage, &spec);
	call->to = endpoint_port(call->front.endpoint);
	spec = stage_datagrams(&call->back, call->peer_port, back);
	stage_add(&call->stage, &spec);
	assert_int_equal(relay_endpoint_link(call->front.endpoint, call->back.endpoint), 0);
}

void call_make_as(struct call *call, void *state, enum tls_role role,
                  const struct relay_dgram_spec *front, const struct relay_dgram_spec *back,
                  const struct tls_domain_spec *domain, const struct relay_pool_spec *pool)
{
	struct relay_pool_spec usual = { .workers = 2 };
	struct tls_domain_spec made;

	memset(call, 0, sizeof(*call));
	call->sides = state;
	stage_begin(&call->stage, pool ? pool : &usual);
	made = lab_spec(call->sides, role, "dtls12");
	assert_int_equal(tls_domain_new(&call->domain, domain ? domain : &made, NULL), 0);
	call->fd = udp_peer(&call->port);
	udp_peers(call->peer, &call->peer_port);
	endpoints_make(call, role, front, back);
}

void call_make(struct call *call, void *state, enum tls_role role,
               const struct relay_dgram_spec *front, const struct relay_dgram_spec *back)
{
	call_make_as(call, state, role, front, back, NULL, NULL);
}

void call_over(struct call *call)
{
	relay_endpoint_remove(call->front.endpoint);
	relay_endpoint_remove(call->back.endpoint);
	call->front.endpoint = call->back.endpoint = NULL;
	stage_empty(&call->stage);
	relay_srtp_free(call->srtp);
	call->srtp = NULL;
}

void call_again(struct call *call, enum tls_role role, const struct relay_dgram_spec *front,
                const struct relay_dgram_spec *back)
{
	uint8_t scrap[4096];

	while (recv(call->fd, scrap, sizeof(scrap), MSG_DONTWAIT) > 0)
		; /* of the last one */
	endpoints_make(call, role, front, back);
}

static void session_make(struct call *call, enum tls_role role, const uint16_t *profiles,
                         size_t count)
{
	struct tls_datagram_spec datagram = { .srtp = profiles, .srtp_count = count, .rto_ms = 50 };
	struct tls_session_spec session = { .role = role,
		                            .datagram = &datagram,
		                            .resume_key = "the endpoint" };

	tls_session_free(call->session);
	assert_int_equal(tls_session_new(&call->session, call->context, &session), 0);
}

void dtls_make_as(struct call *call, enum tls_role role, const uint16_t *profiles, size_t count,
                  const struct tls_domain_spec *domain)
{
	struct tls_domain_spec made = lab_spec(call->sides, role, "dtls12");

	if (!call->context) {
		assert_int_equal(tls_domain_new(&call->far_domain, domain ? domain : &made, NULL),
		                 0);
		assert_int_equal(tls_context_new(&call->context, call->far_domain, NULL), 0);
	}
	session_make(call, role, profiles, count);
}

void dtls_make(struct call *call, enum tls_role role, const uint16_t *profiles, size_t count)
{
	dtls_make_as(call, role, profiles, count, NULL);
}

void call_done(struct call *call)
{
	call_over(call);
	stage_end(&call->stage);
	tls_session_free(call->session);
	tls_context_free(call->context);
	tls_domain_unref(call->far_domain);
	tls_domain_unref(call->domain);
	base_writer_done(&call->out);
	close(call->fd);
	close(call->peer[0]);
	close(call->peer[1]);
}

void dtls_flush(struct call *call)
{
	struct base_reader r = base_reader_of(call->out.data, call->out.len);
	struct base_str one;

	while (tls_datagram_next(&r, &one))
		if (!(call->sent < 32 && call->lose >> call->sent++ & 1))
			udp_send(call->fd, call->to, one.ptr, one.len);
	base_writer_reset(&call->out);
}

int dtls_step(struct call *call)
{
	uint8_t buf[4096];
	ssize_t n = recv(call->fd, buf, sizeof(buf), 0);
	struct tls_io io = { .in = base_reader_of(buf, (size_t)BASE_MAX(n, 0)),
		             .out = &call->out,
		             .now_ms = call->now_ms };
	int rc;

	call->asked += n > 13 && buf[0] == 22 && buf[13] == 3; /* HelloVerifyRequest */
	rc = tls_session_handshake(call->session, &io);
	dtls_flush(call);
	return rc;
}

static bool dtls_settled(void *arg)
{
	struct call *call = arg;
	int rc;

	call->now_ms += 5; /* as long as a turn of the stage may take */
	rc = dtls_step(call);
	assert_true(rc == 0 || base_err_class(rc) == BASE_AGAIN);
	return rc == 0;
}

void dtls_shake(struct call *call)
{
	stage_wait(&call->stage, dtls_settled, call);
}

void dtls_write(struct call *call, const void *data, size_t len)
{
	struct tls_io io = { .out = &call->out, .now_ms = call->now_ms };

	assert_int_equal(tls_session_write(call->session, &io, data, len), 0);
	dtls_flush(call);
}

void dtls_expect(struct call *call, const void *data, size_t len)
{
	uint8_t buf[4096], clear[4096];
	struct tls_io io = { .out = &call->out, .now_ms = call->now_ms };
	size_t got = 0;
	int rc;

	do {
		size_t n = udp_receive(&call->stage, call->fd, buf, sizeof(buf), NULL);

		io.in = base_reader_of(buf, n);
		rc = tls_session_read(call->session, &io, clear, sizeof(clear), &got);
		dtls_flush(call);
	} while (base_err_class(rc) == BASE_AGAIN && !got); /* a flight that was repeated */
	assert_int_equal(rc, 0);
	assert_int_equal(got, len);
	assert_memory_equal(clear, data, len);
}

void dtls_keys(struct call *call)
{
	struct tls_srtp_keys keys = { 0 };

	assert_int_equal(tls_session_srtp_keys(call->session, &keys), 0);
	assert_int_equal(relay_srtp_new(&call->srtp, &keys), 0);
	tls_srtp_keys_done(&keys);
}

void talk(struct call *call)
{
	uint8_t data[1100];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t len = 1; len <= sizeof(data); len += 157) {
		dtls_write(call, data, len);
		udp_expect(&call->stage, call->peer[0], data, len);
		udp_send(call->peer[0], endpoint_port(call->back.endpoint), data, len);
		dtls_expect(call, data, len);
	}
}
