/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several transactions in one message (RFC 3525, 8.3): what leaves for a peer over UDP waits a
 * little for company, together with the acknowledgements owed. Each was written as a message of its
 * own, as it will be repeated; a bundle is one header and their bodies.
 */
#include <stdlib.h>

#include "h248/txn_private.h"

struct txn_bundle {
	struct h248_peer *peer;
	struct h248_addr to;
	struct loop_timer timer;
	struct base_writer head, bodies;
	unsigned count;
};

/* ---- taking a message of our own apart ---- */

/* A header of definite length with that tag. @return its contents, with NULL for another */
static struct base_str ber_open(struct base_reader *r, uint8_t tag)
{
	bool right = base_reader_u8(r) == tag;
	size_t len = base_reader_u8(r);
	size_t octets = len & 0x7f;

	if (len & 0x80) {
		if (octets < 1 || octets > 4)
			return (struct base_str){ NULL, 0 };
		for (len = 0; octets; octets--)
			len = len << 8 | base_reader_u8(r);
	}
	if (!right || r->failed || len > base_reader_left(r))
		return (struct base_str){ NULL, 0 };
	return (struct base_str){ (const char *)r->at, len };
}

static void ber_skip(struct base_reader *r, uint8_t tag)
{
	struct base_str s = ber_open(r, tag);

	if (s.ptr)
		(void)base_reader_take(r, s.len);
	else
		r->failed = true;
}

/* MegacoMessage { mess [1] { version [0], mId [1], messageBody [2] { transactions [1] }}}. */
static bool split_ber(const void *data, size_t len, struct base_str *head, struct base_str *body)
{
	struct base_reader r = base_reader_of(data, len);
	const uint8_t *from;

	if (!ber_open(&r, 0x30).ptr || !ber_open(&r, 0xa1).ptr)
		return false;
	from = r.at;
	ber_skip(&r, 0x80);
	ber_skip(&r, 0xa1);
	if (r.failed)
		return false;
	*head = (struct base_str){ (const char *)from, (size_t)(r.at - from) };
	if (!ber_open(&r, 0xa2).ptr)
		return false;
	*body = ber_open(&r, 0xa1);
	return body->ptr != NULL;
}

/* "MEGACO/2 mId\n": the mId has no blank in it. */
static bool split_text(const char *data, size_t len, struct base_str *head, struct base_str *body)
{
	unsigned words = 0;
	size_t at = 0;

	while (at < len && words < 2) {
		words += data[at] == ' ' || data[at] == '\n';
		at++;
	}
	*head = (struct base_str){ data, at };
	*body = (struct base_str){ data + at, len - at };
	return words == 2 && at < len;
}

static bool split(const void *data, size_t len, struct base_str *head, struct base_str *body)
{
	if (len && *(const uint8_t *)data == 0x30)
		return split_ber(data, len, head, body);
	return split_text(data, len, head, body);
}

/* ---- and together ---- */

static size_t ber_size(size_t len)
{
	return 2 + (len > 0x7f) + (len > 0xff) + (len > 0xffff) + (len > 0xffffff);
}

static void ber_header(struct base_writer *w, uint8_t tag, size_t len)
{
	size_t octets = ber_size(len) - 2;

	base_writer_u8(w, tag);
	if (octets)
		base_writer_u8(w, (uint8_t)(0x80 | octets));
	for (size_t i = octets ? octets : 1; i; i--)
		base_writer_u8(w, (uint8_t)(len >> (8 * (i - 1))));
}

static void join(struct base_writer *w, struct base_str head, struct base_str bodies)
{
	base_writer_reset(w);
	if (head.len && (uint8_t)head.ptr[0] == 0x80) {
		size_t transactions = ber_size(bodies.len) + bodies.len;
		size_t mess = head.len + ber_size(transactions) + transactions;

		ber_header(w, 0x30, ber_size(mess) + mess);
		ber_header(w, 0xa1, mess);
		base_writer_str(w, head);
		ber_header(w, 0xa2, transactions);
		ber_header(w, 0xa1, bodies.len);
	} else {
		base_writer_str(w, head);
	}
	base_writer_str(w, bodies);
}

/* ---- the bundle ---- */

static void add_acks(struct txn_bundle *b)
{
	struct h248_peer *peer = b->peer;
	struct h248_txn *txn = peer->txn;
	struct h248_ack range[TXN_ACK_RANGES];
	struct h248_transaction t = { .kind = H248_ACK, .acks = txn_ack_list(peer, range) };
	struct txn_form form = txn_form_of(peer, 0);
	struct base_str head, body;

	if (!t.acks || !h248_addr_equal(&b->to, &peer->addr) ||
	    txn_encode(txn, NULL, &b->to, form, &t) != 0 ||
	    !split(txn->out.data, txn->out.len, &head, &body) ||
	    !base_str_eq(head, base_writer_view(&b->head)) ||
	    b->bodies.len + body.len > txn->config.bundle_bytes)
		return;
	base_writer_str(&b->bodies, body);
	txn_ack_sent(peer);
}

void txn_bundle_flush(struct h248_peer *peer)
{
	struct txn_bundle *b = peer->bundle;
	struct h248_txn *txn = peer->txn;

	if (!b || !b->count)
		return;
	loop_timers_stop(&txn->timers, &b->timer);
	add_acks(b);
	join(&txn->out, base_writer_view(&b->head), base_writer_view(&b->bodies));
	TXN_COUNT_BY(txn, peer, tx_bundled, b->count - 1);
	b->count = 0;
	if (!txn->out.failed && !b->bodies.failed) /* else lost, and repeated like all that is */
		txn_put(txn, peer, &b->to, txn->out.data, txn->out.len);
	base_writer_reset(&b->head);
	base_writer_reset(&b->bodies);
}

static void on_bundle(void *arg)
{
	txn_bundle_flush(arg);
}

static struct txn_bundle *get(struct h248_peer *peer)
{
	if (!peer->bundle) {
		peer->bundle = calloc(1, sizeof(*peer->bundle));
		if (!peer->bundle)
			return NULL;
		peer->bundle->peer = peer;
		peer->bundle->head.wipe = peer->bundle->bodies.wipe = true;
	}
	return peer->bundle;
}

bool txn_bundle_add(struct h248_peer *peer, const struct h248_addr *to, const void *data,
                    size_t len)
{
	const struct h248_txn_config *c = &peer->txn->config;
	struct base_str head, body;
	struct txn_bundle *b;

	if (!c->bundle_ms || h248_addr_connected(to) || peer->dead || len > c->bundle_bytes ||
	    !split(data, len, &head, &body) || !(b = get(peer)))
		return false;
	if (b->count && (!h248_addr_equal(&b->to, to) || b->to.conn != to->conn ||
	                 !base_str_eq(head, base_writer_view(&b->head)) ||
	                 b->bodies.len + len + 8 > c->bundle_bytes))
		txn_bundle_flush(peer);
	if (!b->count) {
		b->to = *to;
		base_writer_str(&b->head, head);
		loop_timers_start(&peer->txn->timers, &b->timer, c->bundle_ms, on_bundle, peer);
	}
	base_writer_str(&b->bodies, body);
	b->count++;
	return true;
}

void txn_bundle_free(struct h248_peer *peer)
{
	if (!peer->bundle)
		return;
	loop_timers_stop(&peer->txn->timers, &peer->bundle->timer);
	base_writer_done(&peer->bundle->head);
	base_writer_done(&peer->bundle->bodies);
	free(peer->bundle);
	peer->bundle = NULL;
}
