/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A network in memory with a virtual clock: 30 seconds cost a call. Each host is one h248_txn at an
 * address of its own; packets can be lost, doubled and reordered, by chance or by a filter.
 */
#ifndef GH_TESTS_H248_NET_H
#define GH_TESTS_H248_NET_H

#include "h248/h248.h"

#define NET_HOSTS 5

struct net;

/** What to do with a packet: drop it, or let it through. `n` counts from 1 for each sender. */
typedef bool net_drop_fn(struct net *net, unsigned from, unsigned n, const char *text);

struct net_host {
	struct net *net;
	unsigned number;
	struct h248_addr addr;
	struct h248_txn *txn;
	struct h248_txn_ops ops; /* the test's own callbacks and arg */
	unsigned sent, received;
	size_t longest;  /* message sent */
	bool full;       /* its transport says BASE_AGAIN */
	unsigned closed; /* connections that it asked to close */
	struct h248_addr last_closed;
	struct h248_addr last_to;
	uint64_t last_sent_ms;
	char last[2048]; /* what was sent last, cut */
	size_t last_len;
};

struct net_packet;

struct net {
	uint64_t now_ms;
	uint64_t random;
	unsigned loss, dup; /* per cent */
	unsigned delay_ms, jitter_ms;
	net_drop_fn *drop;
	void *arg;
	struct net_packet *first;
	struct net_host host[NET_HOSTS];
};

/** An empty network at time 1000, one-way delay 10 ms. */
void net_init(struct net *net);
/** The address of a host: `udp:10.0.0.N:2944`. Known before the host exists. */
struct h248_addr net_addr(unsigned number, enum h248_transport_kind transport);
/** Put an entity there, whose mId is its address. `ops` without send and clock. */
void net_host_new(struct net *net, unsigned number, enum h248_transport_kind transport,
                  const struct h248_txn_config *config, const struct h248_txn_ops *ops);
/** Take it away: packets to it vanish. */
void net_host_free(struct net *net, unsigned number);
void net_done(struct net *net);
/** Do the next thing, no later than `until_ms`. False when nothing is left before that. */
bool net_step(struct net *net, uint64_t until_ms);
/** Let so much time pass. */
void net_run(struct net *net, uint64_t ms);
/** Throw away what is under way. */
void net_clear(struct net *net);
/** A message by hand, from an address to a host, at once. */
void net_inject(struct net *net, const struct h248_addr *from, unsigned to, const char *text);
unsigned net_random(struct net *net, unsigned below);

/** Requests and replies to play with; in `arena`. */
struct h248_transaction *net_audit(struct base_arena *arena);
struct h248_transaction *net_audit_reply(struct base_arena *arena, uint32_t id);

#endif
