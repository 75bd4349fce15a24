/* SPDX-License-Identifier: Apache-2.0 */
/* What a TCP peer can send: a stream of TPKTs whose messages reach the transaction layer. The first
 * octet says in pieces of what size the stream arrives; cutting must not matter. The user answers
 * every other request late. Time goes on between messages. */
#include <stdlib.h>

#include "h248/h248.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct user {
	uint64_t now_ms;
	struct h248_incoming *held;
	unsigned executed;
};

static int on_send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	/* What we say must be readable, by ourselves to begin with. */
	struct base_arena arena = { 0 };
	struct h248_message *msg;

	(void)arg;
	(void)to;
	if (h248_codec_decode(&arena, data, len, NULL, &msg, NULL, NULL) != 0)
		abort();
	base_arena_done(&arena);
	return 0;
}

static uint64_t now_ms(void *arg)
{
	return ((struct user *)arg)->now_ms;
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct user *u = arg;

	(void)msg;
	if (++u->executed % 2 && !u->held) {
		h248_incoming_keep(in);
		u->held = in;
		return;
	}
	if (req->faulty)
		h248_txn_reply_error(in, H248_E_SYNTAX_COMMAND, NULL);
	else
		h248_txn_reply_error(in, H248_E_NOT_IMPLEMENTED, NULL);
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	(void)arg;
	(void)from;
	return msg->mid.kind != H248_MID_MTP;
}

static void on_reply(void *arg, enum h248_outcome outcome, const struct h248_message *msg,
                     const struct h248_transaction *reply)
{
	(void)arg;
	if ((outcome == H248_OUTCOME_REPLY) != (msg && reply))
		abort();
}

static void answer_held(struct user *u)
{
	struct h248_incoming *in = u->held;

	u->held = NULL;
	if (in)
		h248_txn_reply_error(in, H248_E_BUSY, NULL);
}

static void message(struct h248_txn *txn, struct user *u, const struct h248_addr *from,
                    struct base_str m)
{
	const struct h248_txn_counters *c = h248_txn_counters(txn);

	h248_txn_input(txn, from, m.ptr, m.len);
	if (c->rx_requests != c->rx_executed + c->rx_repeated + c->rx_refused + c->rx_faulty)
		abort();
	if (c->rx_executed != u->executed)
		abort();
	u->now_ms += 700 + m.len % 64 * 100;
	for (int i = 0; i < 1000 && h248_txn_deadline(txn) <= u->now_ms; i++)
		h248_txn_advance(txn);
	if (m.len % 3 == 0)
		answer_held(u);
}

/* The frames of a stream, one after the other. @return octets that are a beginning, or are bad. */
static size_t frames(struct base_str stream, struct h248_txn *txn, struct user *u,
                     const struct h248_addr *from, size_t *ret_count)
{
	struct base_str m;
	size_t used;

	while (h248_tpkt_next(stream, &m, &used) == 0) {
		++*ret_count;
		stream.ptr += used;
		stream.len -= used;
		if (txn)
			message(txn, u, from, m);
	}
	return stream.len;
}

static void run(struct base_str all, bool udp, size_t step)
{
	struct user u = { .now_ms = 1000 };
	struct h248_txn_config config = {
		.mid = { .kind = H248_MID_DEVICE, .name = BASE_STR("mg") },
		.seed = 1,
		.first_id = 1,
		.max_peers = 4,
		.max_incoming = 16,
		.pending_limit = 20,
	};
	struct h248_txn_ops ops = { .send = on_send,
		                    .now_ms = now_ms,
		                    .on_request = on_request,
		                    .on_stranger = on_stranger,
		                    .arg = &u };
	struct h248_addr from = { .transport = H248_TCP, .family = 4, .port = 5, .conn = 1 };
	struct base_arena arena = { 0 };
	struct h248_transaction *req = h248_request_new(&arena);
	size_t whole = 0, pieces = 0, begin = 0, have = 0;
	struct h248_txn *txn = NULL;
	struct h248_peer *peer;

	if (udp)
		from.transport = H248_UDP;
	if (h248_txn_new(&txn, &config, &ops) != 0 || h248_peer_new(&peer, txn, &from) != 0)
		abort();
	h248_audit_add(&arena,
	               h248_command_add(&arena, h248_action_add(&arena, req, H248_CONTEXT_NULL),
	                                H248_AUDIT_VALUE, BASE_STR("ROOT")),
	               0);
	for (int i = 0; i < 3; i++) {
		if (h248_txn_request(peer, req, 0, on_reply, &u, NULL) != 0)
			abort();
	}
	frames(all, txn, &u, &from, &whole);

	while (have < all.len) { /* the same in pieces: the same frames */
		have = BASE_MIN(have + step, all.len);
		begin = have - frames((struct base_str){ all.ptr + begin, have - begin }, NULL,
		                      NULL, NULL, &pieces);
	}
	if (whole != pieces)
		abort();
	answer_held(&u);
	h248_txn_free(txn);
	base_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		run((struct base_str){ (const char *)data + 1, size - 1 }, data[0] & 0x80,
		    (data[0] & 0x7f) + 1U);
	return 0;
}
