/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that leave: written, with the acknowledgements owed, and handed to the network. */
#include "h248/txn_private.h"
#include "h248/transport.h"

size_t txn_limit(const struct h248_txn *txn, const struct h248_addr *to)
{
	return h248_addr_connected(to) ? H248_TPKT_MAX : txn->config.max_udp;
}

/* Decoded anew, so that whoever traces sees what the peer will, repetitions and bundles too. */
static void trace(struct h248_txn *txn, const struct h248_addr *to, const void *data, size_t len)
{
	static const struct h248_text_options options = { .contain = true };
	struct base_arena arena = { .wipe = true };
	struct h248_message *msg = NULL;

	(void)h248_codec_decode(&arena, data, len, &options, &msg, NULL, NULL); /* NULL says it */
	txn->ops.on_traced(txn->ops.arg, true, to, msg, data, len);
	base_arena_done(&arena);
}

void txn_put(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
             const void *data, size_t len)
{
	int rc;

	TXN_COUNT(txn, peer, tx_messages);
	TXN_COUNT_BY(txn, peer, tx_octets, len);
	if (txn->ops.on_traced)
		trace(txn, to, data, len);
	rc = txn->ops.send(txn->ops.arg, to, data, len);
	if (peer && rc && base_err_class(rc) == BASE_AGAIN && h248_addr_connected(to))
		peer->full = true;
}

void txn_put_first(struct h248_peer *peer, const struct h248_addr *to, const void *data, size_t len)
{
	if (!txn_bundle_add(peer, to, data, len))
		txn_put(peer->txn, peer, to, data, len);
}

/* ---- in which form ---- */

static uint8_t own_codec(const struct h248_txn *txn)
{
	if (txn->config.pretty && txn->config.codec == H248_CODEC_COMPACT)
		return H248_CODEC_PRETTY;
	return (uint8_t)txn->config.codec;
}

uint8_t txn_codec_for(const struct h248_txn *txn, uint8_t heard)
{
	bool plain = heard == H248_CODEC_COMPACT;

	return plain && own_codec(txn) == H248_CODEC_PRETTY ? H248_CODEC_PRETTY : heard;
}

struct txn_form txn_form_of(const struct h248_peer *peer, unsigned version)
{
	uint8_t codec = own_codec(peer->txn);

	if (peer->codec_set)
		codec = peer->codec;
	else if (peer->codec_heard)
		codec = txn_codec_for(peer->txn, peer->codec);
	return (struct txn_form){ (uint8_t)(version ? version : h248_peer_version(peer)), codec };
}

void h248_peer_codec_set(struct h248_peer *peer, enum h248_codec codec)
{
	peer->codec = (uint8_t)codec;
	peer->codec_set = true;
}

enum h248_codec h248_peer_codec(const struct h248_peer *peer)
{
	return (enum h248_codec)txn_form_of(peer, 0).codec;
}

/* ---- writing ---- */

static int encode(struct h248_txn *txn, const struct h248_message *msg, uint8_t codec)
{
	base_writer_reset(&txn->out);
	return h248_codec_encode(&txn->out, msg, (enum h248_codec)codec);
}

static struct h248_message message(const struct h248_txn *txn, struct txn_form form)
{
	if (form.version < 1 || form.version > H248_VERSION_MAX)
		form.version = H248_VERSION_MAX;
	return (struct h248_message){ .mid = txn->config.mid, .version = form.version };
}

int txn_encode_within(struct h248_txn *txn, struct h248_peer *peer, struct txn_form form,
                      struct h248_transaction *t, size_t limit)
{
	struct h248_message msg = message(txn, form);
	struct h248_ack range[TXN_ACK_RANGES];
	struct h248_transaction acks = { .kind = H248_ACK, .next = t };
	struct h248_transaction *next = t->next;
	int rc;

	acks.acks = peer ? txn_ack_list(peer, range) : NULL;
	t->next = NULL;
	msg.last = t;
	msg.transactions = acks.acks ? &acks : t;
	rc = encode(txn, &msg, form.codec);
	if (acks.acks && rc == 0 && txn->out.len <= limit) {
		txn_ack_sent(peer);
	} else if (acks.acks) { /* the acknowledgements can wait */
		msg.transactions = t;
		rc = encode(txn, &msg, form.codec);
	}
	t->next = next;
	if (rc == 0 && txn->out.len > limit)
		rc = BASE_ERR(BASE_LOCAL, H248_E_PDU_SIZE);
	return rc;
}

int txn_encode(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
               struct txn_form form, struct h248_transaction *t)
{
	return txn_encode_within(txn, peer, form, t, txn_limit(txn, to));
}

void txn_send(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
              struct txn_form form, struct h248_transaction *t)
{
	if (txn_encode(txn, NULL, to, form, t) == 0)
		txn_put(txn, peer, to, txn->out.data, txn->out.len);
}

struct h248_error txn_error(unsigned code, const char *text)
{
	struct h248_error e = { .d.kind = H248_ERROR, .code = (uint16_t)code, .has_text = true };

	if (!text)
		text = h248_error_text(code);
	e.text = base_str_of(text);
	return e;
}

void txn_send_error(struct h248_txn *txn, struct h248_peer *peer, const struct h248_addr *to,
                    struct txn_form form, uint32_t id, unsigned code, const char *text)
{
	struct h248_error error = txn_error(code, text);
	struct h248_transaction t = { .kind = H248_REPLY, .id = id, .error = &error };

	txn_send(txn, peer, to, form, &t);
}

void txn_send_message_error(struct h248_txn *txn, const struct h248_addr *to, struct txn_form form,
                            unsigned code, const char *text)
{
	struct h248_message msg = message(txn, form);
	struct h248_error error = txn_error(code, text);

	msg.error = &error;
	txn->count.tx_message_errors++;
	if (encode(txn, &msg, form.codec) == 0)
		txn_put(txn, NULL, to, txn->out.data, txn->out.len);
}
