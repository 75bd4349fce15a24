/* SPDX-License-Identifier: Apache-2.0 */
/** @file DTLS over a network that only delays: versions, credentials, data, ends. */
#include "dnet.h"
#include "pairs.h"

static void every_credential(void **state)
{
	static const struct way ways[] = {
		{ "dtls", false, false, 0xfefd },      { "dtls", true, false, 0xfefd },
		{ "dtls12", false, false, 0xfefd },    { "dtls12", true, false, 0xfefd },
		{ "dtls10", false, false, 0xfeff },    { "dtls10", true, false, 0xfeff },
		{ "dtls-psk", false, true, 0xfefd },   { "dtls-psk-dhe", false, true, 0xfefd },
		{ "dtls10-psk", false, true, 0xfeff }, { "dtls-psk-ecdhe", false, true, 0xfefd },
	};

	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		struct dnet net;

		dnet_open_way(&net, *state, &ways[i]);
		dnet_shake(&net);
		dnet_assert_up(&net);
		for (int role = 0; role < 2; role++) {
			struct tls_info info = dnet_info(&net, (enum tls_role)role);

			assert_int_equal(info.version, ways[i].version);
			assert_string_equal(info.version_name,
			                    ways[i].version == 0xfefd ? "DTLS1.2" : "DTLS1.0");
			assert_int_equal(info.psk, ways[i].psk);
			assert_int_equal(info.repeated, 0);
			assert_int_equal(tls_session_deadline(net.session[role]), UINT64_MAX);
		}
		dnet_assert_talk(&net);
		dnet_close(&net);
	}
}

/* -- who the peer is ------------------------------------------------------------------------- */

/** By what the SDP said, in both directions (RFC 8122, 5 and 6.2). */
static void by_fingerprint(void **state)
{
	struct lab_sides *sides = *state;
	struct lab *lab = sides->lab;
	const struct x509_fingerprint right[2] = { lab_fingerprint(lab->client),
		                                   lab_fingerprint(lab->server_ec) };

	for (int wrong = -1; wrong < 2; wrong++) {
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
		struct tls_session_spec session[2] = { { .fingerprints = &right[1] },
			                               { .fingerprints = &right[0] } };
		struct dnet net;

		s.client_methods = c.server_methods = TRUST_FINGERPRINT;
		c.identity = lab->client;
		session[0].fingerprint_count = session[1].fingerprint_count = 1;
		if (wrong >= 0)
			session[wrong].fingerprints = &right[wrong];
		dnet_open(&net, &s, &c, &session[1], &session[0]);
		dnet_settle(&net);
		if (wrong < 0) {
			dnet_assert_up(&net);
			dnet_assert_talk(&net);
		} else {
			struct tls_info info = dnet_info(&net, (enum tls_role)wrong);

			assert_int_equal(net.result[wrong], BASE_ERR(BASE_PEER, 42));
			assert_int_equal(info.alert, 42);
			assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
			assert_int_equal(info.verdict.reason, TRUST_FINGERPRINT_MISMATCH);
			assert_false(info.lost);
			info = dnet_info(&net, 1 - (enum tls_role)wrong);
			assert_int_equal(info.alert, 42);
			assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
		}
		dnet_close(&net);
	}
}

/** A client without a certificate, where one is required and where a fingerprint is to match. */
static void no_certificate(void **state)
{
	static const unsigned methods[] = { TRUST_CA, TRUST_FINGERPRINT };

	for (size_t i = 0; i < BASE_COUNT(methods); i++) {
		struct lab_sides *sides = *state;
		struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
		struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
		struct tls_info info;
		struct dnet net;

		s.client_methods = methods[i];
		s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
		dnet_open(&net, &s, &c, NULL, NULL);
		dnet_settle(&net);
		info = dnet_info(&net, TLS_ROLE_SERVER);
		assert_int_equal(base_err_class(net.result[TLS_ROLE_SERVER]), BASE_PEER);
		assert_true(info.has_verdict);
		assert_false(info.verdict.authenticated);
		assert_false(info.established);
		info = dnet_info(&net, TLS_ROLE_CLIENT);
		assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
		assert_false(info.lost);
		dnet_close(&net);
	}
}

static void wrong_psk(void **state)
{
	struct lab_sides *sides = *state;
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls-psk");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls-psk");
	const struct tls_psk ours = lab_psk("user", "0123456789abcdef");
	const struct tls_psk theirs = lab_psk("user", "fedcba9876543210");
	const struct tls_datagram_spec path = { .patience_ms = 5000 };
	const struct tls_session_spec session = { .datagram = &path };
	struct dnet net;

	s.psks = &ours;
	c.psks = &theirs;
	s.psk_count = c.psk_count = 1;
	dnet_open(&net, &s, &c, &session, &session);
	dnet_settle(&net);
	for (int role = 0; role < 2; role++) {
		assert_int_equal(base_err_class(net.result[role]), BASE_PEER);
		assert_false(dnet_info(&net, (enum tls_role)role).established);
	}
	dnet_close(&net);
}

/** RFC 6347, 4.1.2.2; TS 33.310, E6 and TS 33.328, M4: whatever else the profile lets. */
static void rc4_never(void **state)
{
	struct lab_sides *sides = *state;
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls-rc4");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls-rc4");
	struct tls_domain *only;
	struct dnet net;

	s.identity = sides->lab->server_rsa;
	dnet_open(&net, &s, &c, NULL, NULL);
	dnet_settle(&net);
	dnet_assert_up(&net);
	assert_string_equal(dnet_info(&net, TLS_ROLE_CLIENT).suite_name,
	                    "TLS_RSA_WITH_AES_128_CBC_SHA");
	dnet_close(&net);
	/* OpenSSL has none at all, GnuTLS has it for TLS. */
	s = lab_spec(sides, TLS_ROLE_SERVER, "only-rc4");
	if (tls_domain_new(&only, &s, NULL))
		return;
	assert_int_equal(sides->server, TLS_ENGINE_GNUTLS);
	assert_false(tls_domain_datagrams(only));
	tls_domain_unref(only);
}

/* -- data and ends --------------------------------------------------------------------------- */

static void messages_stay_messages(void **state)
{
	const struct way way = { "dtls12", false, false, 0 };
	struct dnet net;

	dnet_open_way(&net, *state, &way);
	dnet_shake(&net);
	for (int i = 0; i < 5; i++)
		dnet_write(&net, TLS_ROLE_CLIENT, "12345", 5);
	dnet_settle(&net);
	assert_int_equal(net.messages[TLS_ROLE_SERVER], 5);
	assert_int_equal(net.clear[TLS_ROLE_SERVER].len, 25);
	assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).records_in, 5);
	assert_int_equal(dnet_info(&net, TLS_ROLE_CLIENT).records_out, 5);
	dnet_close(&net);
}

/** Keeps the client's last datagram in the lab's hands. */
static uint8_t kept[2048];
static size_t kept_len;

static struct dnet_fate keep(struct dnet *net, enum tls_role from, unsigned index,
                             struct base_str datagram)
{
	(void)net;
	(void)index;
	if (from == TLS_ROLE_CLIENT && datagram.len <= sizeof(kept)) {
		memcpy(kept, datagram.ptr, datagram.len);
		kept_len = datagram.len;
	}
	return (struct dnet_fate){ 1, 0 };
}

/** RFC 6347, 4.1.2.6 and 4.1.2.7: dropped, and the session goes on. */
static void hostile_records(void **state)
{
	const struct way way = { "dtls12", false, false, 0 };
	struct dnet net;

	dnet_open_way(&net, *state, &way);
	net.rule = keep;
	dnet_shake(&net);
	dnet_assert_talk(&net);
	dnet_write(&net, TLS_ROLE_CLIENT, "once", 4);
	dnet_settle(&net);
	assert_int_equal(net.messages[TLS_ROLE_SERVER], 2);
	net.rule = NULL;
	for (int i = 0; i < 3; i++) /* replayed */
		dnet_inject(&net, TLS_ROLE_CLIENT, kept, kept_len);
	kept[10] = (uint8_t)(kept[10] + 1); /* a number the MAC is not of */
	dnet_inject(&net, TLS_ROLE_CLIENT, kept, kept_len);
	kept[4] = 7; /* an epoch nobody knows */
	dnet_inject(&net, TLS_ROLE_CLIENT, kept, kept_len);
	kept[3] = kept[4] = 0; /* data in the clear */
	dnet_inject(&net, TLS_ROLE_CLIENT, kept, kept_len);
	kept[0] = 21; /* an alert in the clear */
	dnet_inject(&net, TLS_ROLE_CLIENT, "\x15\xfe\xfd\0\0\0\0\0\0\0\x09\0\x02\x02\x28", 15);
	dnet_inject(&net, TLS_ROLE_CLIENT, "garbage", 7);
	dnet_inject(&net, TLS_ROLE_CLIENT, "", 0);
	dnet_settle(&net);
	assert_int_equal(net.messages[TLS_ROLE_SERVER], 2);
	assert_int_equal(net.result[TLS_ROLE_SERVER], 0);
	dnet_assert_talk(&net);
	dnet_close(&net);
}

static void close_notify(void **state)
{
	const struct way way = { "dtls12", false, false, 0 };

	for (int role = 0; role < 2; role++) {
		struct base_writer out = { 0 };
		struct tls_io io = { .out = &out };
		struct base_str one;
		struct base_reader r;
		struct tls_info info;
		uint8_t clear[2048];
		struct dnet net;
		size_t n = 1;

		dnet_open_way(&net, *state, &way);
		dnet_shake(&net);
		assert_int_equal(tls_session_close(net.session[role], &io), 0);
		r = base_reader_of(out.data, out.len);
		assert_true(tls_datagram_next(&r, &one));
		io.in = base_reader_of(one.ptr, one.len);
		assert_int_equal(
		        tls_session_read(net.session[1 - role], &io, clear, sizeof(clear), &n), 0);
		assert_int_equal(n, 0);
		info = dnet_info(&net, 1 - (enum tls_role)role);
		assert_int_equal(info.alert, 0);
		assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
		base_writer_done(&out);
		dnet_close(&net);
	}
}

/** Give a side all datagrams of `out`. @return what the last call said */
static int give(struct dnet *net, enum tls_role to, const struct base_writer *out)
{
	struct base_reader r = base_reader_of(out->data, out->len);
	struct base_writer none = { 0 };
	struct tls_io io = { .out = &none, .now_ms = net->now_ms };
	uint8_t clear[2048];
	struct base_str one;
	size_t n;
	int rc = 0;

	while (tls_datagram_next(&r, &one)) {
		io.in = base_reader_of(one.ptr, one.len);
		rc = tls_session_handshake(net->session[to], &io);
		if (rc == 0)
			rc = tls_session_read(net->session[to], &io, clear, sizeof(clear), &n);
	}
	base_writer_done(&none);
	return rc;
}

/** Ours to end: before anything is encrypted by the alert we want, later by what there is. */
static void aborted(void **state)
{
	const struct lab_sides *sides = *state;
	const struct way way = { "dtls12", false, false, 0 };

	for (int late = 0; late < 2; late++)
		for (int role = 0; role < 2; role++) {
			enum tls_engine engine = role ? sides->server : sides->client;
			struct base_writer out = { 0 };
			struct tls_io io = { .out = &out };
			struct tls_info info;
			struct dnet net;

			dnet_open_way(&net, *state, &way);
			if (late)
				dnet_settle(&net);
			io.now_ms = net.now_ms;
			if (!late) {
				(void)tls_session_handshake(net.session[0], &io);
				(void)give(&net, TLS_ROLE_SERVER, &out);
				base_writer_reset(&out);
			}
			tls_session_abort(net.session[role], &io, 90);
			info = dnet_info(&net, (enum tls_role)role);
			assert_int_equal(info.alert_side, TLS_SIDE_LOCAL);
			assert_int_equal(info.alert, late && engine == TLS_ENGINE_OPENSSL ? 0 : 90);
			(void)give(&net, 1 - (enum tls_role)role, &out);
			info = dnet_info(&net, 1 - (enum tls_role)role);
			assert_int_equal(info.alert_side, TLS_SIDE_REMOTE);
			assert_int_equal(info.alert, late && engine == TLS_ENGINE_OPENSSL ? 0 : 90);
			base_writer_done(&out);
			dnet_close(&net);
		}
}

static void lost_by_the_path(void **state)
{
	const struct way way = { "dtls12", false, false, 0 };
	struct tls_info info;
	struct dnet net;

	dnet_open_way(&net, *state, &way);
	dnet_shake(&net);
	tls_session_lost(net.session[0], "port unreachable");
	info = dnet_info(&net, TLS_ROLE_CLIENT);
	assert_true(info.lost);
	assert_string_equal(info.failure, "port unreachable");
	assert_int_equal(info.alert, -1);
	assert_int_equal(info.alert_side, TLS_SIDE_NONE);
	dnet_close(&net);
}

/* -- keys for others ------------------------------------------------------------------------- */

static void exporter(void **state)
{
	const struct way way = { "dtls12", false, false, 0 };
	const struct base_str contexts[] = { { "", 0 }, BASE_STR("context") };
	struct base_secret key[2][3] = { 0 };
	struct dnet net;

	dnet_open_way(&net, *state, &way);
	dnet_shake(&net);
	for (int role = 0; role < 2; role++)
		for (int i = 0; i < 3; i++) {
			assert_int_equal(
			        tls_session_export(net.session[role], "EXPERIMENTAL gatehouse",
			                           i ? &contexts[i - 1] : NULL, 40, &key[role][i]),
			        0);
			assert_int_equal(key[role][i].len, 40);
		}
	for (int i = 0; i < 3; i++)
		assert_memory_equal(key[0][i].data, key[1][i].data, 40);
	assert_memory_not_equal(key[0][0].data, key[0][1].data, 40);
	assert_memory_not_equal(key[0][1].data, key[0][2].data, 40);
	for (int i = 0; i < 6; i++)
		base_secret_done(&key[i / 3][i % 3]);
	dnet_close(&net);
}

static void open_srtp(struct dnet *net, struct lab_sides *sides,
                      const struct tls_datagram_spec *server,
                      const struct tls_datagram_spec *client)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, "dtls12");
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, "dtls12");
	struct tls_session_spec ss = { .datagram = server }, cs = { .datagram = client };

	dnet_open(net, &s, &c, &ss, &cs);
	dnet_shake(net);
}

static void srtp_agreed(void **state)
{
	static const uint16_t both[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AES128_CM_SHA1_32 };
	const struct tls_datagram_spec all = { .srtp = both, .srtp_count = 2 };
	const struct tls_datagram_spec one = { .srtp = both + 1, .srtp_count = 1 };
	struct tls_srtp_keys keys[2];
	struct dnet net;

	open_srtp(&net, *state, &all, &all);
	dnet_assert_up(&net);
	assert_int_equal(tls_session_srtp(net.session[0]), TLS_SRTP_AES128_CM_SHA1_80);
	dnet_close(&net);
	open_srtp(&net, *state, &all, &one);
	dnet_assert_up(&net);
	for (int role = 0; role < 2; role++) {
		assert_int_equal(tls_session_srtp(net.session[role]), TLS_SRTP_AES128_CM_SHA1_32);
		assert_int_equal(tls_session_srtp_keys(net.session[role], &keys[role]), 0);
		assert_int_equal(keys[role].ours.len, 30);
		assert_int_equal(keys[role].theirs.len, 30);
	}
	assert_memory_equal(keys[0].ours.data, keys[1].theirs.data, 30);
	assert_memory_equal(keys[1].ours.data, keys[0].theirs.data, 30);
	assert_memory_not_equal(keys[0].ours.data, keys[0].theirs.data, 30);
	tls_srtp_keys_done(&keys[0]);
	tls_srtp_keys_done(&keys[1]);
	dnet_close(&net);
}

static void srtp_not_agreed(void **state)
{
	static const uint16_t both[] = { TLS_SRTP_AES128_CM_SHA1_80, TLS_SRTP_AES128_CM_SHA1_32 };
	const struct tls_datagram_spec none = { 0 };
	struct tls_datagram_spec some = { .srtp = both, .srtp_count = 2 };
	struct tls_srtp_keys keys;
	struct dnet net;

	for (int i = 0; i < 2; i++) {
		open_srtp(&net, *state, i ? &some : &none, i ? &none : &some);
		dnet_assert_up(&net);
		assert_int_equal(tls_session_srtp(net.session[0]), TLS_SRTP_NONE);
		assert_int_equal(tls_session_srtp_keys(net.session[0], &keys),
		                 BASE_ERR(BASE_BUG, 0));
		dnet_close(&net);
	}
	some.srtp_required = true;
	for (int i = 0; i < 2; i++) {
		open_srtp(&net, *state, i ? &some : &none, i ? &none : &some);
		assert_int_equal(base_err_class(net.result[i]), BASE_PEER);
		assert_non_null(strstr(dnet_info(&net, (enum tls_role)i).failure, "SRTP"));
		dnet_close(&net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_credential), cmocka_unit_test(by_fingerprint),
		cmocka_unit_test(no_certificate),   cmocka_unit_test(wrong_psk),
		cmocka_unit_test(rc4_never),        cmocka_unit_test(messages_stay_messages),
		cmocka_unit_test(hostile_records),  cmocka_unit_test(close_notify),
		cmocka_unit_test(aborted),          cmocka_unit_test(lost_by_the_path),
		cmocka_unit_test(exporter),         cmocka_unit_test(srtp_agreed),
		cmocka_unit_test(srtp_not_agreed),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
