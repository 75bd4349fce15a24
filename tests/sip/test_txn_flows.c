/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on many flows: the end of one ends its own and no others. */
#include <stdio.h>

#include "check.h"
#include "sip/sip.h"

#define FLOWS 2000

struct net {
	struct sip_txns *txns;
	uint64_t now_ms, seed;
	unsigned ended[FLOWS + 1];
};

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	(void)arg;
	(void)flow;
	(void)octets;
	return 0;
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	(void)arg;
	(void)txn;
	(void)msg;
	(void)from;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_message *msg)
{
	(void)arg;
	(void)txn;
	(void)msg;
}

static void on_end(void *arg, struct sip_txn *txn, enum sip_end why)
{
	struct net *net = arg;

	assert_int_equal(why, SIP_END_FLOW);
	net->ended[sip_txn_flow(txn).id]++;
}

static void on_rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static uint64_t on_now(void *arg)
{
	return ((struct net *)arg)->now_ms;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
	struct net *net = arg;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(net->seed++ * 0x9E3779B97F4A7C15U >> 32);
}

static void begin(struct net *net, uint64_t flow, unsigned number)
{
	char text[400];
	int len = snprintf(text, sizeof(text),
	                   "MESSAGE sip:b@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK%u\r\n"
	                   "Max-Forwards: 70\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n"
	                   "Call-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
	                   number);

	assert_int_equal(sip_request_send(net->txns, (struct sip_flow){ flow, true },
	                                  (struct base_str){ text, (size_t)len }, NULL, NULL),
	                 0);
}

static void each_flow_ends_its_own(void **state)
{
	static struct net net;
	const struct sip_txn_config config = { 0 };
	const struct sip_txn_ops ops = { .send = on_send,
		                         .on_request = on_request,
		                         .on_response = on_response,
		                         .on_end = on_end,
		                         .rearm = on_rearm,
		                         .now_ms = on_now,
		                         .random = on_random,
		                         .arg = &net };

	(void)state;
	net.now_ms = 1;
	assert_int_equal(sip_txns_new(&net.txns, &config, &ops), 0);
	for (unsigned i = 0; i < 3 * FLOWS; i++)
		begin(&net, 1 + i % FLOWS, i);
	sip_txns_lost(net.txns, FLOWS + 1); /* nobody's */
	for (uint64_t flow = 1; flow <= FLOWS; flow += 2) {
		sip_txns_lost(net.txns, flow);
		sip_txns_lost(net.txns, flow); /* once is enough */
	}
	net.now_ms++;
	sip_txns_advance(net.txns);
	for (uint64_t flow = 1; flow <= FLOWS; flow++)
		assert_int_equal(net.ended[flow], flow % 2 ? 3 : 0);
	assert_int_equal(sip_txns_count(net.txns), 3 * FLOWS / 2);
	begin(&net, 1, 3 * FLOWS); /* a flow may come again */
	sip_txns_lost(net.txns, 1);
	net.now_ms++;
	sip_txns_advance(net.txns);
	assert_int_equal(net.ended[1], 4);
	sip_txns_free(net.txns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flow_ends_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
