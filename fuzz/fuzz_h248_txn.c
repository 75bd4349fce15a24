/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A life of one entity, written by chance: messages right and wrong in any form, time that passes,
 * answers given late, requests, cancellations, peers that come and go, a transport that is full.
 * What must hold: a request is executed at most once while it is remembered; a request of ours ends
 * exactly once; what leaves can be decoded; the counters add up; nothing leaks.
 *
 * Octet 0 and 1 are settings. Then orders: an octet (low 4 bits what, high 4 bits a number) and the
 * octets that it takes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 6, IDS = 16, HELD = 32, LONG_MS = 3000 };

struct executed {
	bool used, answered;
	uint64_t until_ms;
};

/* What is known of one peer; its user pointer. */
struct known {
	struct executed by_id[256];
	struct h248_peer *peer;
};

struct held {
	struct h248_incoming *in;
	struct executed *record; /* NULL: its peer has gone */
	struct known *known;
};

struct world {
	struct h248_txn *txn;
	uint64_t now_ms;
	bool full;
	struct known known[PEERS];
	struct held held[HELD];
	unsigned held_count;
	unsigned asked, ended;
	const uint8_t *at, *end;
};

static void must(bool right, const char *what)
{
	if (right)
		return;
	(void)fprintf(stderr, "broken: %s\n", what);
	abort();
}

static unsigned octet(struct world *w)
{
	return w->at < w->end ? *w->at++ : 0;
}

/* ---- callbacks ---- */

static int on_send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	static const struct h248_text_options contain = { .contain = true };
	const struct world *w = arg;
	struct base_arena arena = { 0 };
	struct h248_message *msg = NULL;

	must(h248_addr_known(to), "a message goes somewhere");
	must(h248_codec_decode(&arena, data, len, &contain, &msg, NULL, NULL) == 0 && !msg->faults,
	     "what leaves can be decoded");
	base_arena_done(&arena);
	return w->full ? BASE_ERR(BASE_AGAIN, 0) : 0;
}

static uint64_t now_ms(void *arg)
{
	return ((const struct world *)arg)->now_ms;
}

static struct known *known_of(struct world *w, struct h248_peer *peer)
{
	struct known *k = h248_peer_user(peer);

	for (unsigned i = 0; i < PEERS && !k; i++) {
		if (w->known[i].peer)
			continue;
		k = &w->known[i];
		*k = (struct known){ .peer = peer };
		h248_peer_user_set(peer, k);
	}
	must(k != NULL, "no more peers than allowed");
	return k;
}

static void answer(struct world *w, unsigned n, unsigned how)
{
	struct base_arena arena = { 0 };
	struct held h = w->held[n];
	struct h248_transaction *reply;

	w->held[n] = w->held[--w->held_count];
	if (h.record && !h.record->answered) {
		h.record->answered = true;
		h.record->until_ms = w->now_ms + LONG_MS;
	}
	if (how < 4) {
		h248_txn_reply_error(h.in, H248_E_BUSY, NULL);
		return;
	}
	reply = h248_reply_new(&arena, 0);
	for (unsigned i = 0; i <= how / 4; i++) {
		struct h248_action *action = h248_action_add(&arena, reply, i + 1);

		for (unsigned c = 0; c <= how % 4; c++)
			(void)h248_command_add(&arena, action, H248_ADD, BASE_STR("ip/4711"));
	}
	(void)h248_txn_reply(h.in, reply); /* too big is one of the things to try */
	base_arena_done(&arena);
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct world *w = arg;
	struct known *k = known_of(w, h248_incoming_peer(in));
	struct executed *record = &k->by_id[req->id % 256];

	(void)msg;
	if (req->id < 256) {
		must(!record->used || (record->answered && w->now_ms >= record->until_ms),
		     "at most once");
		*record = (struct executed){ .used = true };
	} else {
		record = NULL;
	}
	w->held[w->held_count++] = (struct held){ in, record, k };
	if (req->id % 4 == 1)
		h248_incoming_keep(in);
	if (req->id % 2 || w->held_count == HELD)
		answer(w, w->held_count - 1, req->id % 64);
}

static void on_abort(void *arg, struct h248_incoming *in)
{
	struct world *w = arg;

	for (unsigned i = 0; i < w->held_count; i++) {
		struct held *h = &w->held[i];

		if (h->in != in)
			continue;
		if (h->record) {
			h->record->answered = true;
			h->record->until_ms = w->now_ms + LONG_MS;
		}
		if (h248_incoming_id(in) % 4 == 0)
			answer(w, i, 8);
		return;
	}
	must(false, "only what is held is aborted");
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)arg;
	(void)from;
	return msg->mid.name.len % 2;
}

static void on_late_reply(void *arg, struct h248_peer *peer, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	(void)arg;
	must(peer && msg && reply, "a late reply is whole");
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	struct world *w = arg;

	w->ended++;
	must((outcome == H248_OUTCOME_REPLY) == (msg && reply), "an answer is there or not");
}

/* ---- orders ---- */

static struct h248_peer *peer_at(const struct world *w, unsigned n)
{
	struct h248_peer *peer = h248_peer_next(w->txn, NULL);

	while (peer && n--)
		peer = h248_peer_next(w->txn, peer);
	return peer;
}

static struct h248_addr address(unsigned n)
{
	return (struct h248_addr){ .transport = n & 4 ? H248_TCP : H248_UDP,
		                   .family = 4,
		                   .port = 2944,
		                   .ip = { 10, 0, 0, (uint8_t)(n % 4 + 1) } };
}

static void raw(struct world *w, unsigned n)
{
	struct h248_addr from = address(n);
	size_t len = octet(w) + 256U * (n & 3);

	len = BASE_MIN(len, (size_t)(w->end - w->at));
	h248_txn_input(w->txn, &from, w->at, len);
	w->at += len;
}

/* One of the transactions there are, whole, with a small id. */
static void made(struct world *w, unsigned n)
{
	static const char *const mids[] = { "abc", "ab", "a", "abcde" };
	unsigned id = octet(w), kind = octet(w);
	struct h248_addr from = address(n);
	struct base_arena arena = { 0 };
	struct h248_transaction *t = h248_request_new(&arena);
	struct h248_ack ack = { .first = id, .last = id + kind % 8 };
	struct h248_message msg = { .mid = { .kind = H248_MID_DEVICE,
		                             .name = base_str_of(mids[n % 4]) },
		                    .version = (uint8_t)(1 + kind % 3),
		                    .transactions = t,
		                    .last = t };
	struct base_writer out = { 0 };

	t->id = id;
	t->kind = (uint8_t)(kind >> 4) % 5;
	if (t->kind == H248_REQUEST || t->kind == H248_REPLY)
		(void)h248_command_add(&arena, h248_action_add(&arena, t, 1), H248_SUBTRACT,
		                       BASE_STR("ip/1"));
	t->acks = &ack;
	t->ack_required = kind & 1;
	t->has_segment = t->kind == H248_SEGMENT || (t->kind == H248_REPLY && kind & 2);
	t->segment = (uint16_t)(kind % 16 / 4);
	t->segment_end = kind & 4;
	if (h248_codec_encode(&out, &msg, (enum h248_codec)(kind % 3)) == 0 ||
	    (base_writer_reset(&out), h248_codec_encode(&out, &msg, H248_CODEC_COMPACT) == 0))
		h248_txn_input(w->txn, &from, out.data, out.len);
	base_writer_done(&out);
	base_arena_done(&arena);
}

static void ask(struct world *w, unsigned n)
{
	struct h248_peer *peer = peer_at(w, n % 4);
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);

	(void)h248_command_add(&arena, h248_action_add(&arena, req, 1), H248_SUBTRACT,
	                       BASE_STR("ip/1"));
	if (peer && h248_txn_request(peer, req, 0, on_reply, w, NULL) == 0)
		w->asked++;
	base_arena_done(&arena);
}

static void pass_time(struct world *w, uint64_t ms)
{
	uint64_t until = w->now_ms + ms;

	for (int i = 0; i < 5000 && h248_txn_deadline(w->txn) <= until; i++) {
		w->now_ms = BASE_MAX(w->now_ms, h248_txn_deadline(w->txn));
		h248_txn_advance(w->txn);
	}
	w->now_ms = until;
	h248_txn_advance(w->txn);
}

static void forget(struct world *w, struct h248_peer *peer)
{
	struct known *k = h248_peer_user(peer);

	for (unsigned i = 0; k && i < w->held_count; i++) {
		if (w->held[i].known == k)
			w->held[i].record = NULL;
	}
	if (k)
		k->peer = NULL;
	h248_peer_free(peer);
}

static void manage(struct world *w, unsigned n)
{
	struct h248_peer *peer = peer_at(w, n % 4), *other = peer_at(w, octet(w) % 4), *new;
	struct h248_addr addr = address(octet(w));

	switch (octet(w) % 11) {
	case 0:
		if (h248_peer_new(&new, w->txn, &addr) == 0)
			(void)known_of(w, new);
		return;
	case 1:
		if (peer)
			forget(w, peer);
		return;
	case 2:
		if (peer && other && peer != other)
			h248_peer_move(peer, other);
		return;
	case 3:
		if (peer)
			h248_peer_resend(peer);
		return;
	case 4:
		if (peer)
			h248_peer_block(peer);
		return;
	case 5:
		if (peer)
			h248_peer_unblock(peer);
		return;
	case 6:
		w->full = !w->full;
		return;
	case 7:
		h248_txn_drained(w->txn, &addr);
		return;
	case 8:
		h248_txn_lost(w->txn, &addr, "chance");
		return;
	case 9:
		if (peer)
			h248_peer_version_set(peer, n % 4);
		return;
	default:
		h248_txn_cancel(w->txn, octet(w));
	}
}

static void order(struct world *w)
{
	unsigned what = octet(w), n = what >> 4;

	switch (what % 8) {
	case 0:
		raw(w, n);
		return;
	case 1:
		pass_time(w, (uint64_t)octet(w) << n % 8);
		return;
	case 2:
		if (w->held_count)
			answer(w, n % w->held_count, octet(w));
		return;
	case 3:
		ask(w, n);
		return;
	case 4:
		manage(w, n);
		return;
	default:
		made(w, n);
	}
}

static void judge(const struct world *w)
{
	const struct h248_txn_counters *c = h248_txn_counters(w->txn);
	size_t waiting = 0;

	for (struct h248_peer *p = h248_peer_next(w->txn, NULL); p; p = h248_peer_next(w->txn, p))
		waiting += h248_peer_outgoing(p);
	must(c->rx_requests == c->rx_executed + c->rx_repeated + c->rx_refused + c->rx_faulty,
	     "requests add up");
	must(c->tx_requests ==
	             c->rx_replies + c->tx_timeouts + c->tx_cancelled + c->tx_pended + waiting,
	     "our requests add up");
	must(w->asked == w->ended + waiting, "each request of ours ends once");
}

static void settings(struct world *w, struct h248_txn_config *c)
{
	unsigned a = octet(w), b = octet(w);

	*c = (struct h248_txn_config){
		.mid = { .kind = H248_MID_DEVICE, .name = BASE_STR("mg") },
		.long_timer_ms = LONG_MS,
		.t_max_ms = 2000,
		.pending_rto_ms = 400,
		.seed = 1,
		.first_id = 1,
		.max_peers = PEERS,
		.max_incoming = 64,
		.max_outgoing = 32,
		.max_queued = 8,
		.codec = a & 1 ? H248_CODEC_BER : H248_CODEC_COMPACT,
		.pretty = b & 1,
		.bundle_ms = a & 2 ? 20 : 0,
		.bundle_bytes = 300,
		.ack_ms = a & 4 ? 50 : 0,
		.ack_max = a & 8 ? 3 : 0,
		.window = a >> 4 & 3,
		.segment_bytes = a & 64 ? 120 : 0,
		.max_udp = a & 128 ? 400 : 0,
		.pending_limit = b & 3,
		.peer_pending_limit = b >> 2 & 3,
		.segment_window = b >> 4 & 3,
	};
	if (b & 64)
		c->timers.request = (struct h248_timer_rule){ 50, 2, -20, 5 };
	if (b & 128)
		c->timers.pending = (struct h248_timer_rule){ 30, 2, 10, 4 };
}

/* Nothing more comes: all ends by itself. */
static void finish(struct world *w)
{
	while (w->held_count)
		answer(w, 0, 8);
	w->full = false;
	for (struct h248_peer *p = h248_peer_next(w->txn, NULL); p; p = h248_peer_next(w->txn, p))
		h248_peer_unblock(p);
	pass_time(w, 20000);
	judge(w);
	must(w->asked == w->ended, "everything ends");
	must(h248_txn_remembered(w->txn) == 0, "everything is forgotten");
	must(h248_txn_deadline(w->txn) == UINT64_MAX, "then it is quiet");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));
	struct h248_txn_ops ops = { .send = on_send,
		                    .now_ms = now_ms,
		                    .on_request = on_request,
		                    .on_stranger = on_stranger,
		                    .on_abort = on_abort,
		                    .on_late_reply = on_late_reply,
		                    .arg = w };
	struct h248_txn_config config;

	if (!w)
		return 0;
	w->now_ms = 1000;
	w->at = data;
	w->end = size ? data + size : data;
	settings(w, &config);
	if (h248_txn_new(&w->txn, &config, &ops) != 0)
		abort();
	while (w->at < w->end) {
		order(w);
		judge(w);
	}
	finish(w);
	h248_txn_free(w->txn);
	free(w);
	return 0;
}
