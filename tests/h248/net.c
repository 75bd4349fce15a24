/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "net.h"

struct net_packet {
	struct net_packet *next;
	uint64_t at_ms;
	unsigned to;
	struct h248_addr from;
	size_t len;
	char data[];
};

unsigned net_random(struct net *net, unsigned below)
{
	net->random = net->random * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(net->random >> 33) % below;
}

void net_init(struct net *net)
{
	*net = (struct net){ .now_ms = 1000, .random = 42, .delay_ms = 10 };
}

struct h248_addr net_addr(unsigned number, enum h248_transport_kind transport)
{
	return (struct h248_addr){ .transport = (uint8_t)transport,
		                   .family = 4,
		                   .port = H248_PORT_TEXT,
		                   .ip = { 10, 0, 0, (uint8_t)number } };
}

static void enqueue(struct net *net, unsigned to, const struct h248_addr *from, const void *data,
                    size_t len)
{
	struct net_packet *p = calloc(1, sizeof(*p) + len + 1), **at = &net->first;

	assert_non_null(p);
	p->at_ms = net->now_ms + net->delay_ms +
	           (net->jitter_ms ? net_random(net, net->jitter_ms) : 0);
	p->to = to;
	p->from = *from;
	p->len = len;
	memcpy(p->data, data, len);
	while (*at && (*at)->at_ms <= p->at_ms)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static int net_send(void *arg, const struct h248_addr *to, const void *data, size_t len)
{
	struct net_host *h = arg;
	struct net *net = h->net;
	unsigned n = to->ip[3];

	h->sent++;
	h->longest = BASE_MAX(h->longest, len);
	h->last_sent_ms = net->now_ms;
	h->last_to = *to;
	memset(h->last, 0, sizeof(h->last));
	h->last_len = BASE_MIN(len, sizeof(h->last) - 1);
	memcpy(h->last, data, h->last_len);
	if (n >= NET_HOSTS || (net->loss && net_random(net, 100) < net->loss) ||
	    (net->drop && net->drop(net, h->number, h->sent, h->last)))
		return 0;
	enqueue(net, n, &h->addr, data, len);
	if (net->dup && net_random(net, 100) < net->dup)
		enqueue(net, n, &h->addr, data, len);
	return h->full ? BASE_ERR(BASE_AGAIN, 0) : 0;
}

static uint64_t net_now(void *arg)
{
	return ((struct net_host *)arg)->net->now_ms;
}

static void on_request(void *arg, struct h248_incoming *in, const struct h248_message *msg,
                       const struct h248_transaction *req)
{
	struct net_host *h = arg;

	h->ops.on_request(h->ops.arg, in, msg, req);
}

static bool on_stranger(void *arg, const struct h248_addr *from, const struct h248_message *msg)
{
	struct net_host *h = arg;

	return h->ops.on_stranger && h->ops.on_stranger(h->ops.arg, from, msg);
}

static bool on_source(void *arg, struct h248_peer *peer, const struct h248_addr *from)
{
	struct net_host *h = arg;

	return !h->ops.on_source || h->ops.on_source(h->ops.arg, peer, from);
}

static void net_close(void *arg, const struct h248_addr *addr)
{
	struct net_host *h = arg;

	h->closed++;
	h->last_closed = *addr;
}

static void on_message_error(void *arg, struct h248_peer *peer, const struct h248_addr *from,
                             unsigned code, struct base_str text)
{
	struct net_host *h = arg;

	if (h->ops.on_message_error)
		h->ops.on_message_error(h->ops.arg, peer, from, code, text);
}

static void on_heard(void *arg, struct h248_peer *peer)
{
	struct net_host *h = arg;

	if (h->ops.on_heard)
		h->ops.on_heard(h->ops.arg, peer);
}

static void on_abort(void *arg, struct h248_incoming *in)
{
	struct net_host *h = arg;

	if (h->ops.on_abort)
		h->ops.on_abort(h->ops.arg, in);
}

static void on_late_reply(void *arg, struct h248_peer *peer, const struct h248_message *msg,
                          const struct h248_transaction *reply)
{
	struct net_host *h = arg;

	h->ops.on_late_reply(h->ops.arg, peer, msg, reply);
}

static void on_traced(void *arg, bool out, const struct h248_addr *addr,
                      const struct h248_message *msg, const void *data, size_t len)
{
	struct net_host *h = arg;

	h->ops.on_traced(h->ops.arg, out, addr, msg, data, len);
}

static void on_lost(void *arg, struct h248_peer *peer, const char *reason)
{
	struct net_host *h = arg;

	if (h->ops.on_lost)
		h->ops.on_lost(h->ops.arg, peer, reason);
}

void net_host_new(struct net *net, unsigned number, enum h248_transport_kind transport,
                  const struct h248_txn_config *config, const struct h248_txn_ops *ops)
{
	struct net_host *h = &net->host[number];
	struct h248_txn_config own = config ? *config : (struct h248_txn_config){ 0 };
	struct h248_txn_ops all = { .send = net_send,
		                    .now_ms = net_now,
		                    .on_request = on_request,
		                    .on_stranger = on_stranger,
		                    .on_source = on_source,
		                    .close = net_close,
		                    .on_message_error = on_message_error,
		                    .on_heard = on_heard,
		                    .on_lost = on_lost,
		                    .on_abort = on_abort,
		                    .on_late_reply = ops->on_late_reply ? on_late_reply : NULL,
		                    .on_traced = ops->on_traced ? on_traced : NULL,
		                    .arg = h };

	assert_null(h->txn);
	*h = (struct net_host){ .net = net, .number = number, .ops = *ops };
	h->addr = net_addr(number, transport);
	own.mid = h248_addr_mid(&h->addr);
	own.seed = own.seed ? own.seed : 99 + number;
	own.first_id = own.first_id ? own.first_id : 1000 * number + 1;
	assert_int_equal(h248_txn_new(&h->txn, &own, &all), 0);
}

void net_host_free(struct net *net, unsigned number)
{
	h248_txn_free(net->host[number].txn);
	net->host[number].txn = NULL;
}

void net_clear(struct net *net)
{
	while (net->first) {
		struct net_packet *p = net->first;

		net->first = p->next;
		free(p);
	}
}

void net_done(struct net *net)
{
	net_clear(net);
	for (unsigned i = 0; i < NET_HOSTS; i++)
		net_host_free(net, i);
}

void net_inject(struct net *net, const struct h248_addr *from, unsigned to, const char *text)
{
	net->host[to].received++;
	h248_txn_input(net->host[to].txn, from, text, strlen(text));
}

static void deliver(struct net *net)
{
	struct net_packet *p = net->first;
	struct net_host *h = &net->host[p->to];

	net->first = p->next;
	if (h->txn) {
		h->received++;
		h248_txn_input(h->txn, &p->from, p->data, p->len);
	}
	free(p);
}

bool net_step(struct net *net, uint64_t until_ms)
{
	uint64_t at = net->first ? net->first->at_ms : UINT64_MAX;
	struct h248_txn *due = NULL;

	for (unsigned i = 0; i < NET_HOSTS; i++) {
		struct h248_txn *txn = net->host[i].txn;

		if (txn && h248_txn_deadline(txn) < at) {
			at = h248_txn_deadline(txn);
			due = txn;
		}
	}
	if (at == UINT64_MAX || at > until_ms)
		return false;
	net->now_ms = BASE_MAX(net->now_ms, at);
	if (due)
		h248_txn_advance(due);
	else
		deliver(net);
	return true;
}

void net_run(struct net *net, uint64_t ms)
{
	uint64_t until = net->now_ms + ms;

	while (net_step(net, until))
		;
	net->now_ms = until;
}

struct h248_transaction *net_audit(struct base_arena *arena)
{
	struct h248_transaction *req = h248_request_new(arena);
	struct h248_action *action = h248_action_add(arena, req, H248_CONTEXT_NULL);
	struct h248_command *command =
	        h248_command_add(arena, action, H248_AUDIT_VALUE, BASE_STR("ROOT"));

	assert_non_null(h248_audit_add(arena, command, 0));
	return req;
}

struct h248_transaction *net_audit_reply(struct base_arena *arena, uint32_t id)
{
	struct h248_transaction *reply = h248_reply_new(arena, id);
	struct h248_action *action = h248_action_add(arena, reply, H248_CONTEXT_NULL);

	assert_non_null(h248_command_add(arena, action, H248_AUDIT_VALUE, BASE_STR("ROOT")));
	return reply;
}
