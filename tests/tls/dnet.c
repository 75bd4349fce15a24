/* SPDX-License-Identifier: Apache-2.0 */
#include "dnet.h"

static bool again(int rc)
{
	return rc < 0 && base_err_class(rc) == BASE_AGAIN;
}

static void session_open(struct dnet *net, enum tls_role role,
                         const struct tls_session_spec *session)
{
	const struct tls_datagram_spec plain = { 0 };
	struct tls_session_spec made = session ? *session : (struct tls_session_spec){ 0 };

	made.role = role;
	if (!made.datagram)
		made.datagram = &plain;
	assert_int_equal(tls_session_new(&net->session[role], net->context[role], &made), 0);
	net->result[role] = BASE_ERR(BASE_AGAIN, 0);
}

static void side_open(struct dnet *net, enum tls_role role, const struct tls_domain_spec *spec,
                      const struct tls_session_spec *session)
{
	struct base_error err = { 0 };

	if (tls_domain_new(&net->domain[role], spec, &err) ||
	    tls_context_new(&net->context[role], net->domain[role], &err))
		fail_msg("%s", err.text);
	session_open(net, role, session);
}

void dnet_open(struct dnet *net, const struct tls_domain_spec *server,
               const struct tls_domain_spec *client, const struct tls_session_spec *server_s,
               const struct tls_session_spec *client_s)
{
	*net = (struct dnet){ .way_ms = 10, .now_ms = 1000000 };
	side_open(net, TLS_ROLE_CLIENT, client, client_s);
	side_open(net, TLS_ROLE_SERVER, server, server_s);
}

void dnet_again(struct dnet *net, const struct tls_session_spec *server_s,
                const struct tls_session_spec *client_s)
{
	for (int role = 0; role < 2; role++) {
		tls_session_free(net->session[role]);
		net->sent[role] = 0;
	}
	session_open(net, TLS_ROLE_CLIENT, client_s);
	session_open(net, TLS_ROLE_SERVER, server_s);
}

void dnet_again_with_cookies(struct dnet *net, const struct tls_session_spec *client_s)
{
	dnet_again(net, NULL, client_s);
	tls_session_free(net->session[TLS_ROLE_SERVER]);
	net->session[TLS_ROLE_SERVER] = NULL;
}

void dnet_close(struct dnet *net)
{
	for (int role = 0; role < 2; role++) {
		tls_session_free(net->session[role]);
		tls_context_free(net->context[role]);
		tls_domain_unref(net->domain[role]);
		base_writer_done(&net->clear[role]);
	}
	while (net->flying) {
		struct dnet_flying *next = net->flying->next;

		free(net->flying);
		net->flying = next;
	}
}

/* -- the network ----------------------------------------------------------------------------- */

static void fly(struct dnet *net, enum tls_role to, uint64_t at_ms, const void *data, size_t len)
{
	struct dnet_flying **at = &net->flying, *one = malloc(sizeof(*one) + len);

	assert_non_null(one);
	while (*at && (*at)->at_ms <= at_ms)
		at = &(*at)->next;
	*one = (struct dnet_flying){ .next = *at, .to = to, .at_ms = at_ms, .len = len };
	memcpy(one->data, data, len);
	*at = one;
}

void dnet_inject(struct dnet *net, enum tls_role from, const void *data, size_t len)
{
	fly(net, 1 - from, net->now_ms + net->way_ms, data, len);
}

static void send_all(struct dnet *net, enum tls_role from, struct base_writer *out)
{
	struct base_reader r = base_reader_of(out->data, out->len);
	struct base_str one;

	while (tls_datagram_next(&r, &one)) {
		struct dnet_fate fate = { 1, 0 };

		net->longest[from] = BASE_MAX(net->longest[from], one.len);
		if (net->rule)
			fate = net->rule(net, from, net->sent[from], one);
		net->sent[from]++;
		for (unsigned i = 0; i < fate.copies; i++)
			fly(net, 1 - from, net->now_ms + net->way_ms + (i ? 0 : fate.late_ms),
			    one.ptr, one.len);
	}
	assert_int_equal(base_reader_left(&r), 0);
	base_writer_done(out);
}

static void read_all(struct dnet *net, enum tls_role role, struct tls_io *io)
{
	uint8_t clear[17000];
	size_t n;
	int rc;

	while ((rc = tls_session_read(net->session[role], io, clear, sizeof(clear), &n)) == 0 &&
	       n) {
		base_writer_put(&net->clear[role], clear, n);
		net->messages[role]++;
	}
	assert_int_equal(base_reader_left(&io->in), 0);
	if (rc && !again(rc))
		net->result[role] = rc;
}

/** At the server's port, where nobody has a session. @return whether it has one now */
static bool knock(struct dnet *net, const void *data, size_t len)
{
	const struct tls_datagram_spec path = { .verified = true };
	const struct tls_session_spec session = { .datagram = &path };
	struct base_writer out = { 0 };
	enum tls_hello hello =
	        tls_hello_check(net->domain[TLS_ROLE_SERVER], (struct base_str){ data, len },
	                        BASE_STR("client"), net->now_ms, &out);

	send_all(net, TLS_ROLE_SERVER, &out);
	if (hello == TLS_HELLO_VERIFIED)
		session_open(net, TLS_ROLE_SERVER, &session);
	return hello == TLS_HELLO_VERIFIED;
}

/** Give a side a datagram, or (empty) the time. */
static void step(struct dnet *net, enum tls_role role, const void *data, size_t len)
{
	struct base_writer out = { 0 };
	struct tls_io io = { .in = base_reader_of(data, len), .out = &out, .now_ms = net->now_ms };

	if (!net->session[role] && !knock(net, data, len))
		return;
	if (again(net->result[role])) {
		net->result[role] = tls_session_handshake(net->session[role], &io);
		assert_int_equal(base_reader_left(&io.in), 0);
	}
	if (net->result[role] == 0)
		read_all(net, role, &io);
	send_all(net, role, &out);
}

/** One event. @return false when there is none any more, or none in time */
static bool turn(struct dnet *net, uint64_t until_ms)
{
	uint64_t due[2] = { UINT64_MAX, UINT64_MAX };
	struct dnet_flying *first = net->flying;
	enum tls_role role;

	for (int i = 0; i < 2; i++)
		if ((again(net->result[i]) || net->result[i] == 0) && net->session[i])
			due[i] = tls_session_deadline(net->session[i]);
	role = due[0] <= due[1] ? TLS_ROLE_CLIENT : TLS_ROLE_SERVER;
	if (BASE_MIN(first ? first->at_ms : UINT64_MAX, due[role]) > until_ms)
		return false;
	if (first && first->at_ms <= due[role]) {
		net->now_ms = BASE_MAX(net->now_ms, first->at_ms);
		net->flying = first->next;
		step(net, first->to, first->data, first->len);
		free(first);
		return true;
	}
	if (due[role] == UINT64_MAX)
		return false;
	net->now_ms = BASE_MAX(net->now_ms, due[role]);
	step(net, role, NULL, 0);
	return true;
}

static void turns(struct dnet *net, uint64_t until_ms)
{
	unsigned count = 0;

	while (turn(net, until_ms))
		if (++count > 20000)
			fail_msg("this goes on for ever");
}

void dnet_settle(struct dnet *net)
{
	turns(net, UINT64_MAX);
}

void dnet_run(struct dnet *net, uint64_t until_ms)
{
	turns(net, until_ms);
	net->now_ms = BASE_MAX(net->now_ms, until_ms);
}

void dnet_shake(struct dnet *net)
{
	dnet_settle(net);
}

enum tls_again dnet_renegotiate(struct dnet *net, enum tls_role by)
{
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out, .now_ms = net->now_ms };
	enum tls_again again;

	assert_int_equal(tls_session_renegotiate(net->session[by], &io, &again), 0);
	send_all(net, by, &out);
	return again;
}

void dnet_write(struct dnet *net, enum tls_role from, const void *data, size_t len)
{
	struct base_writer out = { 0 };
	struct tls_io io = { .out = &out, .now_ms = net->now_ms };

	assert_int_equal(tls_session_write(net->session[from], &io, data, len), 0);
	send_all(net, from, &out);
}

/* -- what it came to ------------------------------------------------------------------------- */

struct tls_info dnet_info(const struct dnet *net, enum tls_role role)
{
	struct tls_info info;

	tls_session_info(net->session[role], &info);
	return info;
}

void dnet_assert_up(const struct dnet *net)
{
	for (int role = 0; role < 2; role++) {
		struct tls_info info = dnet_info(net, (enum tls_role)role);

		if (net->result[role] || !info.established)
			fail_msg("%s: rc %d, alert %d by %d: %s", role ? "server" : "client",
			         net->result[role], info.alert, info.alert_side, info.failure);
	}
}

void dnet_assert_talk(struct dnet *net)
{
	for (int role = 0; role < 2; role++) {
		unsigned before = net->messages[1 - role];

		base_writer_reset(&net->clear[1 - role]);
		dnet_write(net, (enum tls_role)role, "message", 7);
		dnet_settle(net);
		assert_int_equal(net->messages[1 - role], before + 1);
		assert_string_equal(base_writer_cstr(&net->clear[1 - role]), "message");
	}
}

void dnet_open_way(struct dnet *net, struct lab_sides *sides, const struct way *way)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, way->profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, way->profile);
	const struct tls_psk psk = lab_psk("user", "0123456789abcdef");

	if (way->rsa)
		s.identity = sides->lab->server_rsa;
	if (way->psk) {
		s.identity = NULL;
		s.psks = c.psks = &psk;
		s.psk_count = c.psk_count = 1;
	} else {
		c.server_methods = TRUST_CA;
	}
	dnet_open(net, &s, &c, NULL, NULL);
}

struct dnet_fate dnet_storm(struct dnet *net, enum tls_role from, unsigned index,
                            struct base_str datagram)
{
	uint32_t dice = (uint32_t)net->param;

	(void)from;
	(void)index;
	(void)datagram;
	dice = dice * 1664525U + 1013904223U;
	net->param = dice;
	return (struct dnet_fate){ (dice >> 24) % 5 == 0   ? 0
		                   : (dice >> 24) % 5 == 1 ? 2
		                                           : 1,
		                   (dice >> 16) % 3 == 0 ? (dice >> 8) % 400 : 0 };
}
