/* SPDX-License-Identifier: Apache-2.0 */
/* One entity: its life, the way of a message through it, and the messages that leave. */
#include "h248/txn.h"

#include <errno.h>
#include <stdlib.h>

#include "h248/txn_private.h"
#include "h248/transport.h"

/* A message that needs more than this much decoded is refused with 510. */
#define INPUT_MEMORY ((size_t)32 << 20)

/* ---- life ---- */

static void set_defaults(struct h248_txn_config *c)
{
	c->long_timer_ms = txn_or(c->long_timer_ms, 30000);
	c->t_max_ms = txn_or(c->t_max_ms, 25000);
	c->rto_first_ms = txn_or(c->rto_first_ms, 200);
	c->rto_min_ms = txn_or(c->rto_min_ms, 100);
	c->rto_max_ms = txn_or(c->rto_max_ms, 4000);
	c->pending_rto_ms = txn_or(c->pending_rto_ms, 5000);
	c->execution_ms = txn_or(c->execution_ms, 500);
	c->max_peers = txn_or(c->max_peers, 64);
	c->max_incoming = txn_or(c->max_incoming, 262144);
	c->max_outgoing = txn_or(c->max_outgoing, 65536);
	c->max_udp = txn_or(c->max_udp, 65507);
	if (!c->max_reply_bytes)
		c->max_reply_bytes = (size_t)64 << 20;
}

static int seed(struct h248_txn *txn)
{
	uint64_t bytes[2];
	int rc;

	txn->random = txn->config.seed;
	txn->next_id = txn->config.first_id;
	if (txn->random && txn->next_id)
		return 0;
	rc = base_random(bytes, sizeof(bytes));
	if (rc)
		return rc;
	if (!txn->random)
		txn->random = bytes[0] | 1;
	if (!txn->next_id) /* well below the top, so that ids grow for a long time */
		txn->next_id = (uint32_t)(bytes[1] & 0x3fffffff) + 1;
	return 0;
}

int h248_txn_new(struct h248_txn **ret, const struct h248_txn_config *config,
                 const struct h248_txn_ops *ops)
{
	struct h248_txn *txn = calloc(1, sizeof(*txn));
	size_t name_len = config->mid.name.len;
	int rc;

	if (!txn)
		return BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	txn->config = *config;
	txn->ops = *ops;
	set_defaults(&txn->config);
	base_list_init(&txn->peers);
	base_list_init(&txn->dead_peers);
	base_list_init(&txn->orphans);
	txn->told_ms = UINT64_MAX;
	txn->out.wipe = true;
	rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);
	txn->mid_name = calloc(1, name_len + 1);
	if (!txn->mid_name)
		goto out;
	if (name_len)
		memcpy(txn->mid_name, config->mid.name.ptr, name_len);
	txn->config.mid.name = (struct base_str){ txn->mid_name, name_len };
	rc = seed(txn);
	if (rc)
		goto out;
	h248_txn_now(txn);
	*ret = txn;
	txn = NULL;
out:
	h248_txn_free(txn);
	return rc;
}

static void input_free(struct txn_input *input)
{
	if (!input)
		return;
	base_arena_done(&input->arena);
	free(input);
}

void h248_txn_free(struct h248_txn *txn)
{
	if (!txn)
		return;
	BASE_LIST_EACH(&txn->peers, node, after)
	txn_peer_destroy(BASE_CONTAINER_OF(node, struct h248_peer, node));
	txn_peer_reap(txn);
	BASE_LIST_EACH(&txn->orphans, node, after)
	txn_in_destroy(BASE_CONTAINER_OF(node, struct h248_incoming, node));
	base_map_done(&txn->by_mid);
	base_map_done(&txn->outgoing);
	base_writer_done(&txn->out);
	input_free(txn->spare);
	free(txn->mid_name);
	free(txn);
}

void h248_txn_limits_set(struct h248_txn *txn, uint32_t execution_ms, uint32_t pending_limit)
{
	txn->config.execution_ms = txn_or(execution_ms, 500);
	txn->config.pending_limit = pending_limit;
}

/* ---- time ---- */

uint64_t h248_txn_now(struct h248_txn *txn)
{
	txn->timers.now_ms = BASE_MAX(txn->timers.now_ms, txn->ops.now_ms(txn->ops.arg));
	return txn->timers.now_ms;
}

uint64_t h248_txn_deadline(const struct h248_txn *txn)
{
	return loop_timers_deadline(&txn->timers);
}

void txn_tell(struct h248_txn *txn)
{
	uint64_t deadline = h248_txn_deadline(txn);

	if (txn->depth || deadline == txn->told_ms)
		return;
	txn->told_ms = deadline;
	if (txn->ops.rearm)
		txn->ops.rearm(txn->ops.arg, deadline);
}

struct loop_timers *h248_txn_timers(struct h248_txn *txn)
{
	return &txn->timers;
}

void h248_txn_timers_changed(struct h248_txn *txn)
{
	txn_tell(txn);
}

static void leave(struct h248_txn *txn)
{
	if (--txn->depth == 0)
		txn_peer_reap(txn);
	txn_tell(txn);
}

void h248_txn_advance(struct h248_txn *txn)
{
	txn->depth++;
	txn->told_ms = 0; /* a one-shot timer outside has fired: it needs to hear again */
	loop_timers_run(&txn->timers, h248_txn_now(txn));
	leave(txn);
}

uint32_t txn_random(struct h248_txn *txn, uint32_t low, uint32_t high)
{
	/* xorshift64*: spreads timers, guards nothing */
	txn->random ^= txn->random >> 12;
	txn->random ^= txn->random << 25;
	txn->random ^= txn->random >> 27;
	return low +
	       (uint32_t)((txn->random * 2685821657736338717U >> 33) % ((uint64_t)high - low + 1));
}

const struct h248_mid *h248_txn_mid(const struct h248_txn *txn)
{
	return &txn->config.mid;
}

const struct h248_txn_counters *h248_txn_counters(const struct h248_txn *txn)
{
	return &txn->count;
}

size_t h248_txn_remembered(const struct h248_txn *txn)
{
	return txn->remembered;
}

/* ---- leaving ---- */

size_t txn_limit(const struct h248_txn *txn, const struct h248_addr *to)
{
	return h248_addr_connected(to) ? H248_TPKT_MAX : txn->config.max_udp;
}

void txn_put(struct h248_txn *txn, const struct h248_addr *to, const void *data, size_t len)
{
	txn->count.tx_messages++;
	txn->ops.send(txn->ops.arg, to, data, len);
}

static int encode(struct h248_txn *txn, const struct h248_message *msg)
{
	base_writer_reset(&txn->out);
	return h248_text_encode(&txn->out, msg,
	                        txn->config.pretty ? H248_TEXT_PRETTY : H248_TEXT_COMPACT);
}

static struct h248_message message(const struct h248_txn *txn, unsigned version)
{
	if (version < 1 || version > H248_VERSION_MAX)
		version = H248_VERSION_MAX;
	return (struct h248_message){ .mid = txn->config.mid, .version = (uint8_t)version };
}

int txn_encode(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
               unsigned version, struct h248_transaction *t)
{
	struct h248_message msg = message(txn, version);
	struct h248_transaction acks = { .kind = H248_ACK, .next = t };
	struct h248_ack range[TXN_ACK_RANGES];
	struct h248_transaction *next = t->next;
	unsigned n = peer ? peer->acks_count : 0;
	int rc;

	for (unsigned i = 0; i < n; i++)
		range[i] = (struct h248_ack){ i + 1 < n ? &range[i + 1] : NULL, peer->acks[i].first,
			                      peer->acks[i].last };
	acks.acks = range;
	t->next = NULL;
	msg.last = t;
	msg.transactions = n ? &acks : t;
	rc = encode(txn, &msg);
	if (n && rc == 0 && txn->out.len <= txn_limit(txn, to)) {
		peer->acks_count = 0;
	} else if (n) { /* the acknowledgements can wait */
		msg.transactions = t;
		rc = encode(txn, &msg);
	}
	t->next = next;
	if (rc == 0 && txn->out.len > txn_limit(txn, to))
		rc = BASE_ERR(BASE_LOCAL, H248_E_PDU_SIZE);
	return rc;
}

void txn_send(struct h248_txn *txn, const struct h248_addr *to, unsigned version,
              struct h248_transaction *t)
{
	if (txn_encode(txn, NULL, to, version, t) == 0)
		txn_put(txn, to, txn->out.data, txn->out.len);
}

struct h248_error txn_error(unsigned code, const char *text)
{
	struct h248_error e = { .d.kind = H248_ERROR, .code = (uint16_t)code, .has_text = true };

	if (!text)
		text = h248_error_text(code);
	e.text = base_str_of(text);
	return e;
}

void txn_send_error(struct h248_txn *txn, const struct h248_addr *to, unsigned version, uint32_t id,
                    unsigned code, const char *text)
{
	struct h248_error error = txn_error(code, text);
	struct h248_transaction t = { .kind = H248_REPLY, .id = id, .error = &error };

	txn_send(txn, to, version, &t);
}

/* RFC 3525, 7.1.19: an error descriptor instead of transactions. */
static void send_message_error(struct h248_txn *txn, const struct h248_addr *to, unsigned version,
                               unsigned code, const char *text)
{
	struct h248_message msg = message(txn, version);
	struct h248_error error = txn_error(code, text);

	msg.error = &error;
	txn->count.tx_message_errors++;
	if (encode(txn, &msg) == 0)
		txn_put(txn, to, txn->out.data, txn->out.len);
}

/* ---- arriving ---- */

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
		input_free(input);
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

	if (asks)
		txn->count.rx_requests++;
	if (asks && t->fault) { /* 8.2.2: 403 and the like, TransactionID 0 when unknown */
		txn->count.rx_faulty++;
		txn_send_error(txn, from, msg->version, t->id, t->fault->code, t->fault->text);
		return;
	}
	if (asks && !peer) {
		txn->count.rx_refused++;
		txn_send_error(txn, from, msg->version, t->id, H248_E_UNAUTHORIZED_ENTITY, NULL);
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

static void on_message(struct h248_txn *txn, const struct h248_addr *from,
                       const struct h248_message *msg)
{
	const struct h248_fault *fault = message_fault(msg);
	struct h248_peer *peer = NULL;

	if (!fault || msg->transactions)
		peer = sender_of(txn, from, msg);
	if (peer && !fault && txn->ops.on_heard)
		txn->ops.on_heard(txn->ops.arg, peer);
	if (msg->error) {
		txn->count.rx_errors++;
		if (txn->ops.on_message_error)
			txn->ops.on_message_error(txn->ops.arg, peer, from, msg->error->code,
			                          msg->error->text);
		return; /* even with a fault behind it: a message error is never answered */
	}
	for (const struct h248_transaction *t = msg->transactions; t; t = t->next) {
		if (peer && peer->dead)
			return; /* a callback has parted with it */
		on_transaction(txn, peer, from, msg, t);
	}
	if (fault) {
		txn->count.rx_undecodable += !msg->transactions;
		send_message_error(txn, from, msg->version, fault->code, fault->text);
	} else if (!peer && has_request(msg)) {
		refuse_connection(txn, from);
	}
}

void h248_txn_input(struct h248_txn *txn, const struct h248_addr *from, const void *data,
                    size_t len)
{
	static const struct h248_text_options options = { .contain = true };
	struct txn_input *input = input_new(txn), *outer = txn->current;
	struct h248_message *msg = NULL;
	struct base_error err = { 0 };
	char *text;
	int rc = BASE_ERR(BASE_LOCAL, H248_E_RESOURCES);

	txn->depth++;
	h248_txn_now(txn);
	txn->count.rx_messages++;
	/* A copy, because the model borrows from it and a user may keep the model. */
	text = input ? base_arena_dup(&input->arena, (struct base_str){ data, len }) : NULL;
	if (text)
		rc = h248_text_decode(&input->arena, text, len, &options, &msg, &err);
	txn->current = input;
	if (rc == 0) {
		on_message(txn, from, msg);
	} else {
		unsigned code =
		        base_err_class(rc) == BASE_PEER ? base_err_detail(rc) : H248_E_RESOURCES;

		txn->count.rx_undecodable++;
		send_message_error(txn, from, 0, code, NULL);
	}
	txn->current = outer;
	txn_input_unref(txn, input);
	leave(txn);
}

/* ---- connections ---- */

static struct h248_peer *next_by(struct h248_txn *txn, const struct h248_addr *conn)
{
	BASE_LIST_EACH(&txn->peers, node, after)
	{
		struct h248_peer *peer = BASE_CONTAINER_OF(node, struct h248_peer, node);

		if (peer->round == txn->round || !h248_addr_connected(&peer->addr))
			continue;
		if (peer->addr.conn ? peer->addr.conn == conn->conn
		                    : h248_addr_equal(&peer->addr, conn))
			return peer;
	}
	return NULL;
}

void h248_txn_lost(struct h248_txn *txn, const struct h248_addr *conn, const char *reason)
{
	struct h248_peer *peer;

	txn->depth++;
	txn->round++;
	h248_txn_now(txn);
	/* From the start each time: a callback may free any peer. */
	while ((peer = next_by(txn, conn)) != NULL) {
		peer->round = txn->round;
		if (txn->ops.on_lost)
			txn->ops.on_lost(txn->ops.arg, peer, reason);
	}
	leave(txn);
}
