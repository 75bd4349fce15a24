/* SPDX-License-Identifier: Apache-2.0 */
/** @file DTLS over a network that loses, delays, doubles, and takes no long datagrams. */
#include "dnet.h"
#include "pairs.h"

/* -- a bad path ------------------------------------------------------------------------------ */

static const struct way short_ways[] = { { "dtls12", false, false, 0xfefd },
	                                 { "dtls10", true, false, 0xfeff },
	                                 { "dtls-psk", false, true, 0xfefd } };

/** Each with a certificate of the client's too: the most flights there are. */
static void open_mutual(struct dnet *net, struct lab_sides *sides, const char *profile,
                        const struct tls_datagram_spec *path)
{
	struct tls_domain_spec s = lab_spec(sides, TLS_ROLE_SERVER, profile);
	struct tls_domain_spec c = lab_spec(sides, TLS_ROLE_CLIENT, profile);
	struct tls_session_spec session = { .datagram = path };

	s.client_methods = c.server_methods = TRUST_CA;
	s.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	c.identity = sides->lab->client;
	dnet_open(net, &s, &c, &session, &session);
}

/** The datagram whose number is `param`, of both sides together, is lost. */
static struct dnet_fate lose_one(struct dnet *net, enum tls_role from, unsigned index,
                                 struct base_str datagram)
{
	(void)from;
	(void)index;
	(void)datagram;
	return (struct dnet_fate){ net->sent[0] + net->sent[1] == net->param ? 0 : 1, 0 };
}

static void loss_at_every_datagram(void **state)
{
	for (size_t i = 0; i < BASE_COUNT(short_ways); i++) {
		unsigned count = 1;

		for (uintptr_t lost = 0; lost < count; lost++) {
			struct dnet net;

			dnet_open_way(&net, *state, &short_ways[i]);
			net.rule = lose_one;
			net.param = lost;
			dnet_shake(&net);
			dnet_assert_up(&net);
			count = BASE_MAX(count, net.sent[0] + net.sent[1]);
			net.rule = NULL;
			assert_in_range(net.now_ms, 1000000, 1000000 + 4000);
			dnet_assert_talk(&net);
			dnet_close(&net);
			assert_in_range(count, 3, 40);
		}
	}
}

/** Of each side's datagrams those are lost whose bit is set in `param`: a side's first eight. */
static struct dnet_fate lose_mask(struct dnet *net, enum tls_role from, unsigned index,
                                  struct base_str datagram)
{
	(void)datagram;
	return (struct dnet_fate){ index < 4 && net->param >> (4 * (unsigned)from + index) & 1 ? 0
		                                                                               : 1,
		                   0 };
}

static void loss_of_whole_flights(void **state)
{
	static const uintptr_t masks[] = { 0x01, 0x03, 0x10, 0x30, 0xf0, 0x06,
		                           0x0f, 0xff, 0x55, 0xaa, 0x11, 0x88 };

	for (size_t i = 0; i < BASE_COUNT(masks); i++) {
		struct dnet net;

		open_mutual(&net, *state, "dtls12", NULL);
		net.rule = lose_mask;
		net.param = masks[i];
		net.way_ms = 150;
		dnet_shake(&net);
		dnet_assert_up(&net);
		net.rule = NULL;
		dnet_assert_talk(&net);
		dnet_close(&net);
	}
}

static void loss_order_and_copies(void **state)
{
	const struct tls_datagram_spec path = { .mtu = 500, .rto_ms = 700, .patience_ms = 600000 };
	unsigned up = 0;

	for (uintptr_t seed = 1; seed <= 40; seed++) {
		struct dnet net;

		open_mutual(&net, *state, seed % 2 ? "dtls12" : "dtls10", &path);
		net.rule = dnet_storm;
		net.param = seed;
		net.way_ms = 150;
		dnet_shake(&net);
		up += net.result[0] == 0 && net.result[1] == 0;
		net.rule = NULL;
		if (net.result[0] == 0 && net.result[1] == 0)
			dnet_assert_talk(&net);
		dnet_close(&net);
	}
	assert_int_equal(up, 40);
}

static void slow_path(void **state)
{
	const struct tls_datagram_spec path = { .rto_ms = 100 };
	struct dnet net;

	/* 300 ms there and back: with the usual second nothing is repeated. */
	open_mutual(&net, *state, "dtls12", NULL);
	net.way_ms = 150;
	dnet_shake(&net);
	dnet_assert_up(&net);
	assert_int_equal(dnet_info(&net, TLS_ROLE_CLIENT).repeated, 0);
	assert_int_equal(dnet_info(&net, TLS_ROLE_SERVER).repeated, 0);
	assert_int_equal(tls_session_rtt(net.session[TLS_ROLE_CLIENT]), 300);
	dnet_close(&net);
	/* A time too short is made longer, and it comes up all the same. */
	open_mutual(&net, *state, "dtls12", &path);
	net.way_ms = 150;
	dnet_shake(&net);
	dnet_assert_up(&net);
	assert_in_range(dnet_info(&net, TLS_ROLE_CLIENT).repeated, 1, 6);
	dnet_assert_talk(&net);
	dnet_close(&net);
}

/** Of a first record: its type and, in the clear, the message and the place in it. */
static uint64_t piece_of(struct base_str datagram)
{
	struct base_reader r = base_reader_of(datagram.ptr, datagram.len);
	uint64_t key = base_reader_u8(&r);

	(void)base_reader_take(&r, 2);
	if (base_reader_u64(&r) >> 48)
		return 0;
	if (key != 22)
		return key << 56;
	(void)base_reader_take(&r, 2 + 4);
	key = key << 56 | (uint64_t)base_reader_u16(&r) << 24;
	return key | base_reader_u24(&r);
}

/** Later pieces of a message overtake the first one, whenever they are sent. */
static struct dnet_fate backwards(struct dnet *net, enum tls_role from, unsigned index,
                                  struct base_str datagram)
{
	(void)net;
	(void)from;
	(void)index;
	return (struct dnet_fate){ 1, piece_of(datagram) & 0xffffff ? 0 : 5 };
}

static void pieces_come_backwards(void **state)
{
	const struct tls_datagram_spec path = { .mtu = 228 };
	struct dnet net;

	open_mutual(&net, *state, "dtls12", &path);
	net.rule = backwards;
	dnet_shake(&net);
	dnet_assert_up(&net);
	dnet_close(&net);
}

/** What each side has sent in the clear. */
static struct {
	uint64_t key[2][64];
	unsigned count[2], twice;
} seen;

static struct dnet_fate look(struct dnet *net, enum tls_role from, unsigned index,
                             struct base_str datagram)
{
	uint64_t key = piece_of(datagram);

	(void)net;
	(void)index;
	for (unsigned i = 0; i < seen.count[from]; i++)
		seen.twice += key && seen.key[from][i] == key;
	if (seen.count[from] < 64)
		seen.key[from][seen.count[from]++] = key;
	return (struct dnet_fate){ 1, 0 };
}

/** Where nothing is lost nothing is repeated, however long it takes. */
static void nothing_is_sent_twice(void **state)
{
	static const uint16_t mtus[] = { 228, 400, 1200 };

	for (size_t i = 0; i < BASE_COUNT(mtus); i++) {
		const struct tls_datagram_spec path = { .mtu = mtus[i] };
		struct dnet net;

		open_mutual(&net, *state, "dtls12", &path);
		memset(&seen, 0, sizeof(seen));
		net.rule = look;
		net.way_ms = 400;
		dnet_shake(&net);
		dnet_assert_up(&net);
		assert_int_equal(seen.twice, 0);
		dnet_close(&net);
	}
}

/** The first hello is kept, and all that the server says is lost. */
static struct {
	uint8_t data[512];
	size_t len;
} hello;

static struct dnet_fate keep_hello(struct dnet *net, enum tls_role from, unsigned index,
                                   struct base_str datagram)
{
	(void)net;
	if (from == TLS_ROLE_CLIENT && index == 0 && datagram.len <= sizeof(hello.data)) {
		memcpy(hello.data, datagram.ptr, datagram.len);
		hello.len = datagram.len;
	}
	for (uint8_t i = 1; from == TLS_ROLE_SERVER && index == 0 && i <= 20; i++) {
		hello.data[10] = i;
		dnet_inject(net, TLS_ROLE_CLIENT, hello.data, hello.len);
	}
	return (struct dnet_fate){ from == TLS_ROLE_CLIENT, 0 };
}

/** Who repeats another one's hello, with new numbers, does not make us repeat a flight for each:
 * the answers are many times longer than the question. */
static void old_hellos_do_not_multiply(void **state)
{
	const struct tls_datagram_spec path = { .patience_ms = 900 };
	struct dnet net;

	open_mutual(&net, *state, "dtls12", &path);
	net.rule = keep_hello;
	dnet_shake(&net);
	assert_in_range(net.sent[TLS_ROLE_SERVER], 1, 3);
	dnet_close(&net);
}

static struct dnet_fate lose_all(struct dnet *net, enum tls_role from, unsigned index,
                                 struct base_str datagram)
{
	(void)net;
	(void)from;
	(void)index;
	(void)datagram;
	return (struct dnet_fate){ 0, 0 };
}

/** 1 s, 2, 4, 8, 16: and then it is given up (RFC 6347, 4.2.4.1). */
static void nobody_there(void **state)
{
	const struct tls_datagram_spec path = { .patience_ms = 40000 };
	struct tls_info info;
	struct dnet net;

	open_mutual(&net, *state, "dtls12", &path);
	net.rule = lose_all;
	dnet_shake(&net);
	info = dnet_info(&net, TLS_ROLE_CLIENT);
	assert_int_equal(net.result[TLS_ROLE_CLIENT], BASE_ERR(BASE_PEER, 0));
	assert_true(info.lost);
	assert_int_equal(info.alert, -1);
	assert_int_equal(info.repeated, 5);
	assert_int_equal(net.now_ms, 1000000 + 40000);
	assert_true(dnet_info(&net, TLS_ROLE_SERVER).lost);
	assert_int_equal(tls_session_deadline(net.session[TLS_ROLE_CLIENT]), UINT64_MAX);
	dnet_close(&net);
}

static void every_mtu(void **state)
{
	static const uint16_t links[] = { 256, 300, 576, 1000, 1280, 1492, 1500 };

	for (size_t i = 0; i < BASE_COUNT(links); i++) {
		const struct tls_datagram_spec path = { .mtu = (uint16_t)(links[i] - 28) };
		uint8_t text[1500];
		struct dnet net;
		size_t room;

		memset(text, 'x', sizeof(text));
		open_mutual(&net, *state, i % 2 ? "dtls10" : "dtls12", &path);
		dnet_shake(&net);
		dnet_assert_up(&net);
		for (int role = 0; role < 2; role++) {
			struct base_writer none = { 0 };
			struct tls_io io = { .out = &none, .now_ms = net.now_ms };

			room = tls_session_room(net.session[role]);
			assert_in_range(room, path.mtu - 13 - 80, path.mtu - 13);
			dnet_write(&net, (enum tls_role)role, text, room);
			assert_int_equal(tls_session_write(net.session[role], &io, text, room + 1),
			                 BASE_ERR(BASE_LOCAL, 90)); /* EMSGSIZE */
			assert_int_equal(none.len, 0);
			assert_in_range(net.longest[role], 1, path.mtu);
		}
		dnet_settle(&net);
		assert_int_equal(net.messages[0] + net.messages[1], 2);
		/* It shrinks, and grows again. */
		room = tls_session_room(net.session[0]);
		tls_session_set_mtu(net.session[0], 210);
		assert_in_range(tls_session_room(net.session[0]), 100, 197);
		tls_session_set_mtu(net.session[0], path.mtu);
		assert_int_equal(tls_session_room(net.session[0]), room);
		dnet_close(&net);
	}
}

/** What is longer than the path says is dropped in silence, until the session says so, too. */
static struct dnet_fate narrow(struct dnet *net, enum tls_role from, unsigned index,
                               struct base_str datagram)
{
	(void)from;
	(void)index;
	return (struct dnet_fate){ datagram.len > net->param ? 0 : 1, 0 };
}

static void path_is_narrower(void **state)
{
	const struct tls_datagram_spec path = { .mtu = 1472 };

	for (uintptr_t least = 228; least < 600; least += 320) {
		struct dnet net;

		open_mutual(&net, *state, "dtls12", &path);
		net.rule = narrow;
		net.param = least;
		dnet_shake(&net);
		dnet_assert_up(&net);
		dnet_close(&net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_at_every_datagram),
		cmocka_unit_test(loss_of_whole_flights),
		cmocka_unit_test(loss_order_and_copies),
		cmocka_unit_test(slow_path),
		cmocka_unit_test(pieces_come_backwards),
		cmocka_unit_test(nothing_is_sent_twice),
		cmocka_unit_test(old_hellos_do_not_multiply),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(every_mtu),
		cmocka_unit_test(path_is_narrower),
	};

	return pairs_run(tests, BASE_COUNT(tests));
}
