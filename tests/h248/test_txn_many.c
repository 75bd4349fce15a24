/* SPDX-License-Identifier: Apache-2.0 */
/* 10,000 transactions over a bad network, each executed exactly once. */
#include "check.h"

#include "txn_stage.h"

/* ---- the long run ---- */

enum { MANY = 10000 };

static void run_lossy(struct stage *s, unsigned loss, enum h248_codec codec)
{
	const struct h248_txn_config patient = { .first_id = 1, .codec = codec };
	const struct h248_txn_counters *c, *d;
	unsigned asked = 0;

	stage_restart(s, H248_UDP, &patient, NULL);
	s->net.loss = loss;
	s->net.dup = loss;
	s->net.jitter_ms = 60;
	s->server.times = calloc(MANY, sizeof(uint16_t));
	s->server.first = 1;
	assert_non_null(s->server.times);
	while (asked < MANY || h248_peer_outgoing(s->peer)) {
		while (asked < MANY && h248_peer_outgoing(s->peer) < 50) {
			stage_ask(s);
			asked++;
		}
		net_run(&s->net, 5);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(s->server.times[i], 1);
	assert_int_equal(s->server.executed, MANY);
	assert_int_equal(s->answers.replies, MANY);
	c = stage_count(s, 2);
	assert_int_equal(c->rx_requests,
	                 c->rx_executed + c->rx_repeated + c->rx_refused + c->rx_faulty);
	d = stage_count(s, 1);
	assert_int_equal(d->tx_requests, d->rx_replies + d->tx_timeouts + d->tx_cancelled);
	print_message("%2u %% loss, %s: %u requests, %llu repeated, %llu ms\n", loss,
	              h248_codec_name(codec), MANY, (unsigned long long)d->tx_retransmissions,
	              (unsigned long long)s->net.now_ms);
	net_run(&s->net, 31000);
	assert_int_equal(h248_txn_remembered(s->net.host[2].txn), 0);
	free(s->server.times);
}

static void ten_thousand_at_1_per_cent(void **state)
{
	run_lossy(*state, 1, H248_CODEC_COMPACT);
}
static void ten_thousand_at_5_per_cent(void **state)
{
	run_lossy(*state, 5, H248_CODEC_COMPACT);
}
static void ten_thousand_at_20_per_cent(void **state)
{
	run_lossy(*state, 20, H248_CODEC_COMPACT);
}
static void ten_thousand_binary_at_1_per_cent(void **state)
{
	run_lossy(*state, 1, H248_CODEC_BER);
}
static void ten_thousand_binary_at_5_per_cent(void **state)
{
	run_lossy(*state, 5, H248_CODEC_BER);
}
static void ten_thousand_binary_at_20_per_cent(void **state)
{
	run_lossy(*state, 20, H248_CODEC_BER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE(ten_thousand_at_1_per_cent),        STAGE(ten_thousand_at_5_per_cent),
		STAGE(ten_thousand_at_20_per_cent),       STAGE(ten_thousand_binary_at_1_per_cent),
		STAGE(ten_thousand_binary_at_5_per_cent), STAGE(ten_thousand_binary_at_20_per_cent),
	};

	return cmocka_run_group_tests_name("txn_many", tests, NULL, NULL);
}
