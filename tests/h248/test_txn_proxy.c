/* SPDX-License-Identifier: Apache-2.0 */
/* 10,000 transactions over real UDP sockets, through a proxy that loses, doubles and reorders
 * datagrams by a seed: each is executed exactly once and answered. Timers are short, so that it
 * takes seconds; nothing here asserts a time. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#include "h248/transport_private.h"
#include "txn_stage.h"

enum { MANY = 10000, AT_A_TIME = 100, HELD_MS = 7 };

/* ---- the proxy ---- */

struct proxy;

struct side {
	struct proxy *proxy;
	struct loop_fd w;
	struct h248_addr local;
	struct h248_addr far; /* where what comes by the other side is sent */
	struct side *other;
};

struct proxy {
	struct loop *loop;
	struct side client, server;
	uint64_t random;
	unsigned rate; /* per cent, of each evil */
	unsigned passed, lost, doubled, reordered;
	struct base_node held;
};

struct held {
	struct base_node node;
	struct loop_timer timer;
	struct side *out;
	size_t len;
	char data[];
};

static bool chance(struct proxy *p)
{
	p->random = p->random * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(p->random >> 33) % 100 < p->rate;
}

static void pass(struct side *out, const void *data, size_t len)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = transport_sockaddr(&out->far, &sa);

	if (!h248_addr_known(&out->far))
		return;
	out->proxy->passed++;
	/* What the kernel does not take is one more loss. */
	(void)sendto(out->w.fd, data, len, 0, (struct sockaddr *)&sa, sa_len);
}

static void release(void *arg)
{
	struct held *h = arg;

	pass(h->out, h->data, h->len);
	base_list_remove(&h->node);
	free(h);
}

/* Others overtake it. */
static void hold(struct side *out, const void *data, size_t len)
{
	struct held *h = calloc(1, sizeof(*h) + len);

	assert_non_null(h);
	h->out = out;
	h->len = len;
	memcpy(h->data, data, len);
	base_list_append(&out->proxy->held, &h->node);
	out->proxy->reordered++;
	loop_timer_start(out->proxy->loop, &h->timer, HELD_MS, release, h);
}

static void treat(struct side *out, const void *data, size_t len)
{
	struct proxy *p = out->proxy;

	if (chance(p)) {
		p->lost++;
		return;
	}
	if (chance(p)) {
		p->doubled++;
		pass(out, data, len);
	}
	if (chance(p))
		hold(out, data, len);
	else
		pass(out, data, len);
}

static void on_event(void *arg, unsigned events)
{
	struct side *s = arg;
	char data[2048];

	(void)events;
	for (;;) {
		struct sockaddr_storage sa;
		socklen_t sa_len = sizeof(sa);
		ssize_t n =
		        recvfrom(s->w.fd, data, sizeof(data), 0, (struct sockaddr *)&sa, &sa_len);

		if (n < 0)
			return;
		transport_addr(H248_UDP, &sa, 0, &s->far);
		treat(s->other, data, (size_t)n);
	}
}

static struct h248_addr loopback(void)
{
	struct h248_addr a;

	assert_int_equal(h248_addr_parse(H248_UDP, BASE_STR("127.0.0.1"), 0, &a), 0);
	return a;
}

static void side_open(struct proxy *p, struct side *s, struct side *other)
{
	s->proxy = p;
	s->other = other;
	s->local = loopback();
	s->w = (struct loop_fd){ transport_bind(&s->local, SOCK_DGRAM, false), on_event, s };
	assert_true(s->w.fd >= 0);
	transport_local(s->w.fd, &s->local);
	assert_int_equal(loop_fd_start(p->loop, &s->w), 0);
}

static void proxy_open(struct proxy *p, struct loop *loop, const struct h248_addr *server,
                       unsigned rate)
{
	*p = (struct proxy){ .loop = loop, .random = 4711 + rate, .rate = rate };
	base_list_init(&p->held);
	side_open(p, &p->client, &p->server);
	side_open(p, &p->server, &p->client);
	p->server.far = *server;
}

static void proxy_close(struct proxy *p)
{
	BASE_LIST_EACH(&p->held, node, after)
	{
		struct held *h = BASE_CONTAINER_OF(node, struct held, node);

		loop_timer_stop(p->loop, &h->timer);
		free(h);
	}
	loop_fd_close(p->loop, &p->client.w);
	loop_fd_close(p->loop, &p->server.w);
}

/* ---- the two ends ---- */

struct ends {
	struct h248_node *client, *server;
	struct h248_peer *peer;
	struct h248_addr at; /* the server */
	unsigned asked, replies, others, executed;
	uint16_t times[MANY];
};

static void on_request(void *user, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct ends *e = user;
	struct base_arena arena = { 0 };
	struct h248_transaction *reply = h248_reply_new(&arena, 0);

	(void)msg;
	assert_in_range(req->id, 1, MANY);
	e->times[req->id - 1]++;
	e->executed++;
	h248_command_add(&arena, h248_action_add(&arena, reply, req->actions->context),
	                 H248_AUDIT_VALUE, BASE_STR("ROOT"));
	assert_int_equal(h248_txn_reply(in, reply), 0);
	base_arena_done(&arena);
}

static bool on_stranger(void *user, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)user;
	(void)from;
	(void)msg;
	return true;
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct ends *e = arg;

	(void)msg;
	if (outcome == H248_OUTCOME_REPLY && !reply->error)
		e->replies++;
	else
		e->others++;
}

static void ask(struct ends *e)
{
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	h248_audit_add(&arena,
	               h248_command_add(&arena, h248_action_add(&arena, req, H248_CONTEXT_NULL),
	                                H248_AUDIT_VALUE, BASE_STR("ROOT")),
	               0);
	assert_int_equal(h248_txn_request(e->peer, req, 0, on_reply, e, NULL), 0);
	e->asked++;
	base_arena_done(&arena);
}

static struct h248_node *node_new(struct loop *loop, struct ends *e, const char *name,
                                  enum h248_codec codec)
{
	struct h248_node_config config = { .txn = { .mid = { .kind = H248_MID_DEVICE,
		                                             .name = base_str_of(name) },
		                                    .rto_first_ms = 30,
		                                    .rto_min_ms = 15,
		                                    .rto_max_ms = 120,
		                                    .t_max_ms = 60000,
		                                    .long_timer_ms = 65000,
		                                    .seed = 5,
		                                    .first_id = 1,
		                                    .codec = codec } };
	static const struct h248_user_ops ops = { .on_request = on_request,
		                                  .on_stranger = on_stranger };
	struct h248_addr local = loopback();
	struct h248_node *node;

	assert_int_equal(h248_node_new(&node, loop, &config, &ops, e), 0);
	assert_int_equal(h248_node_listen(node, &local, NULL), 0);
	local.conn = 0;
	e->at = local;
	return node;
}

static void judge(const struct ends *e, const struct proxy *p, const char *form)
{
	const struct h248_txn_counters *c = h248_txn_counters(h248_node_txn(e->client));
	const struct h248_txn_counters *s = h248_txn_counters(h248_node_txn(e->server));

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(e->times[i], 1);
	assert_int_equal(e->executed, MANY);
	assert_int_equal(e->replies, MANY);
	assert_int_equal(e->others, 0);
	assert_int_equal(c->tx_requests, c->rx_replies);
	assert_int_equal(s->rx_requests, s->rx_executed + s->rx_repeated);
	assert_true(p->lost && p->doubled && p->reordered);
	print_message("%2u %%, %s: %u lost, %u doubled, %u late; %llu requests and %llu replies "
	              "repeated\n",
	              p->rate, form, p->lost, p->doubled, p->reordered,
	              (unsigned long long)c->tx_retransmissions,
	              (unsigned long long)s->tx_replies_repeated);
}

static void run(struct loop *loop, unsigned rate, enum h248_codec codec)
{
	struct ends *e = calloc(1, sizeof(*e));
	struct proxy p;

	assert_non_null(e);
	e->client = node_new(loop, e, "client", codec);
	e->server = node_new(loop, e, "server", codec);
	proxy_open(&p, loop, &e->at, rate);
	assert_int_equal(h248_peer_new(&e->peer, h248_node_txn(e->client), &p.client.local), 0);
	while (e->asked < MANY || h248_peer_outgoing(e->peer)) {
		while (e->asked < MANY && h248_peer_outgoing(e->peer) < AT_A_TIME)
			ask(e);
		assert_int_equal(loop_run_once(loop, 5000), 0);
	}
	judge(e, &p, h248_codec_name(codec));
	proxy_close(&p);
	h248_node_free(e->client);
	h248_node_free(e->server);
	free(e);
}

static void three_rates(enum h248_codec codec)
{
	static const unsigned rates[] = { 1, 5, 20 };

	for (size_t i = 0; i < BASE_COUNT(rates); i++) {
		struct loop *loop;

		assert_int_equal(loop_new(&loop), 0);
		run(loop, rates[i], codec);
		loop_free(loop);
	}
}

static void exactly_once_through_a_bad_network_in_text(void **state)
{
	(void)state;
	three_rates(H248_CODEC_COMPACT);
}

static void exactly_once_through_a_bad_network_in_binary(void **state)
{
	(void)state;
	three_rates(H248_CODEC_BER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_once_through_a_bad_network_in_text),
		cmocka_unit_test(exactly_once_through_a_bad_network_in_binary),
	};

	return cmocka_run_group_tests_name("txn_proxy", tests, NULL, NULL);
}
