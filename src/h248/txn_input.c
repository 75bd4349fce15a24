/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a message into an entity: decoded, its sender found, its transactions handed on. */
#include <stdlib.h>

#include "h248/txn_private.h"

/* A message that needs more than this much decoded is refused with 510. */
#define INPUT_MEMORY ((size_t)32 << 20)

void txn_input_free(struct txn_input *input)
{
	if (!input)
		return;
	base_arena_done(&input->arena);
	free(input);
}

static struct txn_input *input_new(struct h248_txn *txn)
{
	struct txn_input *input = txn->spare;

	txn->spare = NULL;
	if (!input)
		input = calloc(1, sizeof(*input));
	if (!input)
		return NULL;
	input->refs = 1;
	input->arena.limit = INPUT_MEMORY;
	input->arena.wipe = true; /* a controller sends pre-shared keys */
	return input;
}

void txn_input_unref(struct h248_txn *txn, struct txn_input *input)
{
	if (!input || --input->refs)
		return;
	if (txn->spare) {
		txn_input_free(input);
		return;
	}
	base_arena_reset(&input->arena);
	txn->spare = input;
}

static bool has_request(const struct h248_message *msg)
{
	for (const struct h248_transaction *t = msg->transactions; t; t = t->next) {
		if (t->kind == H248_REQUEST && !t->fault)
			return true;
	}
	return false;
}

static bool source_right(const struct h248_txn *txn, struct h248_peer *peer,
                         const struct h248_addr *from)
{
	return !txn->ops.on_source || memcmp(from->ip, peer->addr.ip, sizeof(from->ip)) == 0 ||
	       txn->ops.on_source(txn->ops.arg, peer, from);
}

/* Who has sent this? A reply may tell the name of one that we only know by its address; a request
 * may make the sender a peer. */
static struct h248_peer *sender_of(struct h248_txn *txn, const struct h248_addr *from,
                                   const struct h248_message *msg)
{
	struct h248_peer *peer;

	if (msg->mid.kind == H248_MID_NONE)
		return NULL;
	peer = h248_peer_find(txn, &msg->mid);
	if (peer && !source_right(txn, peer, from))
		return NULL;
	peer = txn_peer_of(txn, from, &msg->mid);
	for (const struct h248_transaction *t = msg->transactions; t && !peer; t = t->next) {
		if (t->kind != H248_REPLY && t->kind != H248_PENDING)
			continue;
		peer = txn_out_unnamed(txn, t->id);
		if (peer && (!source_right(txn, peer, from) || txn_peer_name(peer, &msg->mid) != 0))
			peer = NULL;
	}
	if (peer || !has_request(msg) || !txn->ops.on_stranger ||
	    !txn->ops.on_stranger(txn->ops.arg, from, msg))
		return peer;
	peer = txn_peer_of(txn, from, &msg->mid); /* the callback may have made it itself */
	if (peer || h248_peer_new(&peer, txn, from) != 0)
		return peer;
	if (txn_peer_name(peer, &msg->mid) != 0) {
		h248_peer_free(peer);
		return NULL;
	}
	return peer;
}

static void on_transaction(struct h248_txn *txn, struct h248_peer *peer,
                           const struct h248_addr *from, const struct h248_message *msg,
                           const struct h248_transaction *t)
{
	bool asks = t->kind == H248_REQUEST || t->kind == H248_TRANSACTION_UNKNOWN;
	struct txn_form form = txn->current->form;

	if (asks)
		TXN_COUNT(txn, peer, rx_requests);
	if (asks && t->fault) { /* 8.2.2: 403 and the like, TransactionID 0 when unknown */
		TXN_COUNT(txn, peer, rx_faulty);
		txn_send_error(txn, peer, from, form, t->id, t->fault->code, t->fault->text);
		return;
	}
	if (asks && !peer) {
		txn->count.rx_refused++;
		txn_send_error(txn, NULL, from, form, t->id, H248_E_UNAUTHORIZED_ENTITY, NULL);
		return;
	}
	if (!peer) {
		txn->count.rx_replies_stray += t->kind == H248_REPLY;
		return;
	}
	if (t->kind == H248_REQUEST)
		txn_in_request(peer, from, msg, t);
	else if (t->kind == H248_REPLY)
		txn_out_reply(peer, from, msg, t);
	else if (t->kind == H248_PENDING)
		txn_out_pending(peer, t);
	else if (t->kind == H248_ACK)
		txn_in_ack(peer, t);
	else if (t->kind == H248_SEGMENT)
		txn_in_segment(peer, t);
}

static const struct h248_fault *message_fault(const struct h248_message *msg)
{
	for (const struct h248_fault *f = msg->faults; f; f = f->next) {
		if (f->level == H248_FAULT_MESSAGE)
			return f;
	}
	return NULL;
}

/* A stranger has been answered 504: its connection would only keep others out. */
static void refuse_connection(struct h248_txn *txn, const struct h248_addr *from)
{
	if (!h248_addr_connected(from) || !txn->ops.close)
		return;
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		const struct h248_addr *a = &BASE_CONTAINER_OF(node, struct h248_peer, node)->addr;

		if (h248_addr_connected(a) &&
		    (a->conn ? a->conn == from->conn : h248_addr_equal(a, from)))
			return;
	}
	txn->ops.close(txn->ops.arg, from);
}

static void heard(struct h248_peer *peer, size_t len)
{
	struct h248_txn *txn = peer->txn;

	peer->count.rx_messages++;
	peer->count.rx_octets += len;
	if (!peer->codec_set)
		peer->codec = txn->current->codec;
	peer->codec_heard = true;
}

/* RFC 3525, 7.1.19: never answered, even with a fault behind it. */
static void on_message_error(struct h248_txn *txn, struct h248_peer *peer,
                             const struct h248_addr *from, const struct h248_error *error)
{
	TXN_COUNT(txn, peer, rx_errors);
	if (txn->ops.on_message_error)
		txn->ops.on_message_error(txn->ops.arg, peer, from, error->code, error->text);
}

static void on_message(struct h248_txn *txn, const struct h248_addr *from,
                       const struct h248_message *msg, size_t len)
{
	const struct h248_fault *fault = message_fault(msg);
	struct txn_form form = txn->current->form;
	struct h248_peer *peer = NULL;

	if (!fault || msg->transactions)
		peer = sender_of(txn, from, msg);
	if (peer)
		heard(peer, len);
	if (peer && !fault && txn->ops.on_heard)
		txn->ops.on_heard(txn->ops.arg, peer);
	if (msg->error) {
		on_message_error(txn, peer, from, msg->error);
		return;
	}
	for (const struct h248_transaction *t = msg->transactions; t; t = t->next) {
		if (peer && peer->dead)
			return; /* a callback has parted with it */
		on_transaction(txn, peer, from, msg, t);
	}
	if (fault) {
		txn->count.rx_undecodable += !msg->transactions;
		txn_send_message_error(txn, from, form, fault->code, fault->text);
	} else if (!peer && has_request(msg)) {
		refuse_connection(txn, from);
	}
}

/* @return 0, or why nothing at all of it can be used. */
static int decode(struct txn_input *input, const void *data, size_t len, struct h248_message **ret)
{
	static const struct h248_text_options options = { .contain = true };
	/* A copy, because the model borrows from it and a user may keep the model. */
	const char *copy = base_arena_dup(&input->arena, (struct base_str){ data, len });
	enum h248_codec codec = H248_CODEC_COMPACT;
	int rc;

	if (!copy)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	rc = h248_codec_decode(&input->arena, copy, len, &options, ret, &codec, NULL);
	input->codec = (uint8_t)codec;
	return rc;
}

void h248_txn_input(struct h248_txn *txn, const struct h248_addr *from, const void *data,
                    size_t len)
{
	struct txn_input *input = input_new(txn), *outer = txn->current;
	struct h248_message *msg = NULL;
	struct txn_form form = { 0 };
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	txn_enter(txn);
	h248_txn_now(txn);
	txn->count.rx_messages++;
	txn->count.rx_octets += len;
	if (input)
		rc = decode(input, data, len, &msg);
	form.codec = txn_codec_for(txn, input ? input->codec : (uint8_t)txn->config.codec);
	if (txn->ops.on_traced)
		txn->ops.on_traced(txn->ops.arg, false, from, rc ? NULL : msg, data, len);
	txn->current = input;
	if (rc == 0) {
		form.version = msg->version;
		input->form = form;
		on_message(txn, from, msg, len);
	} else {
		bool theirs = base_err_class(rc) == BASE_PEER;

		txn->count.rx_undecodable++;
		txn_send_message_error(txn, from, form,
		                       theirs ? base_err_detail(rc) : H248_E_RESOURCES, NULL);
	}
	txn->current = outer;
	txn_input_unref(txn, input);
	txn_leave(txn);
}

/* ---- connections ---- */

static bool behind(const struct h248_peer *peer, const struct h248_addr *conn)
{
	return peer->addr.conn && h248_addr_connected(&peer->addr)
	               ? peer->addr.conn == conn->conn
	               : h248_addr_equal(&peer->addr, conn);
}

bool h248_txn_knows(const struct h248_txn *txn, const struct h248_addr *from)
{
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		if (behind(BASE_CONTAINER_OF(node, struct h248_peer, node), from))
			return true;
	}
	return false;
}

static struct h248_peer *next_by(struct h248_txn *txn, const struct h248_addr *conn)
{
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		struct h248_peer *peer = BASE_CONTAINER_OF(node, struct h248_peer, node);

		if (peer->round == txn->round || !h248_addr_connected(&peer->addr))
			continue;
		if (behind(peer, conn))
			return peer;
	}
	return NULL;
}

void h248_txn_lost(struct h248_txn *txn, const struct h248_addr *conn, const char *reason)
{
	struct h248_peer *peer;

	txn_enter(txn);
	txn->round++;
	h248_txn_now(txn);
	/* From the start each time: a callback may free any peer. */
	while ((peer = next_by(txn, conn)) != NULL) {
		peer->round = txn->round;
		peer->full = false; /* there is nothing to be drained any more */
		if (txn->ops.on_lost)
			txn->ops.on_lost(txn->ops.arg, peer, reason);
	}
	txn_leave(txn);
}

/* Which of them has been waiting for this connection? Its address may not name it yet. */
static bool waits_for(const struct h248_peer *peer, const struct h248_addr *conn)
{
	return peer->full && peer->addr.transport == conn->transport &&
	       memcmp(peer->addr.ip, conn->ip, sizeof(conn->ip)) == 0;
}

void h248_txn_drained(struct h248_txn *txn, const struct h248_addr *conn)
{
	txn_enter(txn);
	h248_txn_now(txn);
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		struct h248_peer *peer = BASE_CONTAINER_OF(node, struct h248_peer, node);

		if (!waits_for(peer, conn))
			continue;
		peer->full = false;
		txn_out_pump(peer); /* calls nothing back but `send` */
	}
	txn_leave(txn);
}
