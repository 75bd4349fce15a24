/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction layer under a script, with callbacks that call back: an octet says what happens,
 * the next two how long the message is that follows. It must end with nothing left once all time
 * has passed.
 */
#include <stdlib.h>

#include "sip/sip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct sip_txns *txns;
	uint64_t now_ms;
	struct sip_txn *server, *client; /* the last ones */
	size_t begun, ended;
	bool broken, eager; /* eager: callbacks reply and cancel */
};

static int on_send(void *arg, struct sip_flow flow, struct base_str octets)
{
	(void)flow;
	if (!octets.len)
		abort();
	return ((struct world *)arg)->broken ? BASE_ERR(BASE_PEER, 0) : 0;
}

static void reply(struct world *w, unsigned status);

static void on_request(void *arg, struct sip_txn *txn, const struct sip_message *msg,
                       struct sip_flow from)
{
	struct world *w = arg;

	(void)from;
	if (msg->fault || (!txn && msg->method != SIP_ACK))
		abort();
	if (!txn)
		return;
	w->server = txn;
	w->begun++;
	if (w->eager) {
		reply(w, 180);
		reply(w, 200);
	}
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_message *msg)
{
	struct world *w = arg;

	if (!txn || msg->fault)
		abort();
	if (w->eager && !sip_request_cancel(txn, NULL, NULL, NULL))
		w->begun++;
}

static void on_end(void *arg, struct sip_txn *txn, enum sip_end why)
{
	struct world *w = arg;

	(void)why;
	w->ended++;
	if (w->server == txn)
		w->server = NULL;
	if (w->client == txn)
		w->client = NULL;
}

static void rearm(void *arg, uint64_t deadline_ms)
{
	(void)arg;
	(void)deadline_ms;
}

static uint64_t now_ms(void *arg)
{
	return ((struct world *)arg)->now_ms;
}

static void random_octets(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, 7, len);
}

static void reply(struct world *w, unsigned status)
{
	struct base_writer out = { 0 };

	if (!w->server)
		return;
	sip_reply_begin(&out, sip_txn_request(w->server), sip_txn_source(w->server), status, NULL,
	                BASE_STR("t"));
	sip_body_end(&out, NULL, (struct base_str){ NULL, 0 });
	if (base_err_class(sip_txn_reply(w->server, base_writer_view(&out))) == BASE_BUG &&
	    !sip_txn_answered(w->server))
		abort(); /* what we build of a good request is good */
	base_writer_done(&out);
}

static void act(struct world *w, uint8_t what, struct base_str octets)
{
	static const unsigned statuses[] = { 100, 180, 200, 404, 486, 503, 603, 183 };
	static const struct sip_source source = { .address = "2001:db8::1", .port = 5061 };
	struct sip_flow flow = { .id = what & 1U, .reliable = (what & 2U) != 0 };
	struct sip_txn *txn;

	switch (what >> 4) {
	case 0:
		w->now_ms += (uint64_t)(what & 15U) * 300;
		sip_txns_advance(w->txns);
		break;
	case 1:
		reply(w, statuses[what & 7U]);
		break;
	case 2:
		w->broken = what & 1U;
		w->eager = what & 2U;
		break;
	case 3:
		sip_txns_lost(w->txns, what & 1U);
		break;
	case 4:
		if (w->client && !sip_request_cancel(w->client, NULL, NULL, &txn))
			w->begun++;
		break;
	case 5:
		if (!sip_request_send(w->txns, flow, octets, w, &txn)) {
			w->client = txn;
			w->begun++;
		}
		break;
	default:
		sip_txns_input(w->txns, flow, &source, octets);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .now_ms = 1 };
	struct sip_txn_ops ops = { .send = on_send,
		                   .on_request = on_request,
		                   .on_response = on_response,
		                   .on_end = on_end,
		                   .rearm = rearm,
		                   .now_ms = now_ms,
		                   .random = random_octets,
		                   .arg = &w };
	struct base_reader in = base_reader_of(data, size);

	if (sip_txns_new(&w.txns, &(struct sip_txn_config){ .count_max = 16, .lingering_max = 4 },
	                 &ops))
		return 0;
	while (base_reader_left(&in)) {
		uint8_t what = base_reader_u8(&in);
		size_t len = what >> 4 >= 5 ? base_reader_u16(&in) : 0;

		len = BASE_MIN(len, base_reader_left(&in));
		act(&w, what, (struct base_str){ (const char *)base_reader_take(&in, len), len });
	}
	w.broken = false;
	reply(&w, 500);
	sip_txns_lost(w.txns, 0);
	sip_txns_lost(w.txns, 1);
	for (int i = 0; i < 300 && sip_txns_count(w.txns); i++) {
		w.now_ms += 1000;
		sip_txns_advance(w.txns);
		sip_txns_lost(w.txns, 0);
		sip_txns_lost(w.txns, 1);
	}
	if (w.begun - w.ended != sip_txns_count(w.txns))
		abort();
	sip_txns_free(w.txns);
	return 0;
}
