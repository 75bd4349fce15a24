/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Shared by the files of this folder only. Invariants:
 *
 *  1. A flow is in `ids` from its making to its end. In `peers` is the one to be used for a peer:
 *     a younger one takes an older one's place there.
 *  2. A flow whose octets are being handed out is `busy` and is freed afterwards: what is called
 *     may end it.
 */
#ifndef GH_FLOW_PRIVATE_H
#define GH_FLOW_PRIVATE_H

#include "flow/flow.h"
#include "flow/stun.h"

#define FLOW_KEY_MAX (1 + 8 + 19 + 256)

/** A Binding request of ours. */
struct flow_stun {
	uint8_t id[STUN_ID];
	unsigned sent;            /**< so often */
	union stream_addr mapped; /**< as we were seen; AF_UNSPEC = not yet */
};

/** Datagrams that are read in one call. */
#define FLOW_BATCH 8

/** A socket for datagrams. */
struct flow_socket {
	struct base_node node;
	struct flows *flows;
	struct loop_fd w;
	struct loop_task more;
	union stream_addr local;
	uint64_t number;
};

/** A place where connections come in. */
struct flow_door {
	struct base_node node;
	struct flows *flows;
	enum flow_transport transport;
	struct stream_listener *listener;
};

/** What a connection that came in may be called by (RFC 5923, 8.2). */
struct flow_alias {
	struct base_map_node node;
	struct flow *flow;
	bool mapped;
	uint8_t key[FLOW_KEY_MAX];
};
/** Identities of one peer that are looked at. */
#define FLOW_ALIASES_MAX 8

struct flow {
	struct base_map_node by_id, by_peer;
	struct base_node node; /* UDP: the most recently used last */
	struct flows *flows;
	uint64_t id;
	enum flow_transport transport;
	union stream_addr remote;
	struct flow_socket *socket; /* UDP */
	struct stream *stream;      /* else */
	bool accepted, known, mapped, busy, dead;
	bool partial;                /* of a message */
	bool provisional;            /* its TLS session goes with it */
	bool shaking;                /* its TLS handshake has been told to have begun */
	bool pinged;                 /* and no answer yet */
	uint32_t ping_ms, expect_ms; /* 0 = none */
	uint64_t heard_ms;           /* kept up where `expect_ms` */
	struct flow_stun *stun;      /* NULL = we never asked */
	void *user;
	struct sip_framer framer;
	struct loop_timer ping;
	struct flow_alias *aliases; /* NULL = none was asked for */
	size_t alias_count;
	size_t key_len, key_cap;
	uint8_t key[];
};

/** The way of one request, while it may want another one. */
struct flow_hunt {
	struct base_map_node by_id;
	struct base_node node; /* the most recently used last */
	struct flows *flows;
	uint64_t id;
	uint64_t used_ms;
	struct flow_lookup *lookup;
	struct sip_flow last;
	struct flow_target *targets;
	size_t count, next;
	bool tried; /* the one before `next` was taken */
	char *name;
};

/** An address that has failed. */
struct flow_failed {
	struct flow_target target;
	uint64_t until_ms; /* 0 = none */
};
#define FLOW_FAILED_MAX 64

/** A connection that came in and is no more. */
struct flow_gone {
	uint64_t id; /**< 0 = none */
	enum flow_transport transport;
	union stream_addr remote;
};
#define FLOW_GONE_MAX 64

struct flows {
	struct streams *streams;
	struct loop *loop;
	struct flow_config config;
	char host[256], user[128], peer[256];
	struct flow_ops ops;
	struct flow_resolver *resolver;
	struct tls_domain *domain;
	struct flow_counters count;
	uint64_t last_id;
	struct base_map ids, peers, hunts, aliases;
	struct base_node sockets, doors, datagrams, conns, hunting;
	size_t datagram_count;
	struct loop_timer forget;
	struct flow_failed failed[FLOW_FAILED_MAX];
	size_t failed_next;
	struct flow_gone gone[FLOW_GONE_MAX]; /* where `reopen` */
	size_t gone_next;
	uint64_t no_way_s; /* those told of in this second */
	unsigned no_way;
	char sent_by[320], contact[520];
	uint8_t *buffer; /* FLOW_BATCH datagrams */
};

/* flows.c */

struct flow *flow_find(const struct flows *flows, uint64_t id);
/** The one to be used for a peer. `number`: of the socket, 0 = none. `name`: NULL = any */
struct flow *flow_peer(const struct flows *flows, enum flow_transport transport, uint64_t number,
                       const union stream_addr *remote, const char *name);
/** As `number`: a connection that came in, and whose peer has proven nothing yet. */
#define FLOW_UNPROVEN UINT64_MAX
int flow_new(struct flow **ret, struct flows *flows, enum flow_transport transport, uint64_t number,
             const union stream_addr *remote, const char *name);
/** A connection that came in is up: who has proven who it is, is called by it. */
void flow_came_up(struct flow *flow);
/** It is no more; its stream is released. */
void flow_drop(struct flow *flow);
/** The same, because it failed: told to whom it concerns. */
void flow_lost(struct flow *flow, const char *why);
void flow_info_fill(const struct flow *flow, struct flow_info *ret);
struct sip_flow flow_of(const struct flow *flow);
/** Does its first line name SIP, of whatever version (505)? What does not makes no flow, and no
 * stream goes on after it. */
bool flow_is_sip(struct base_str octets);
/** Hand a message out. */
void flow_message(struct flow *flow, struct base_str octets);

/** The key of `peers`. @return its length */
size_t flow_peer_key(uint8_t key[FLOW_KEY_MAX], enum flow_transport transport, uint64_t number,
                     const union stream_addr *remote, const char *name);

/* alive.c */

/** It is up: pings as configured. */
void flow_alive_up(struct flow *flow);
/** Something has come by it. */
void flow_heard(struct flow *flow);
/** A datagram that is no SIP: STUN, perhaps. @return whether it was */
bool flow_stun_take(struct flow_socket *socket, const union stream_addr *from,
                    struct base_str octets);
void flow_alive_stop(struct flow *flow);

/* alias.c */

/** A message has come by it: does it ask to be called by its connection? */
void flow_alias_heard(struct flow *flow, struct base_str octets);
/** A TLS connection of ours is up. */
void flow_alias_up(struct flow *flow);
/** Who has said that he is there and has proven that name; NULL = nobody */
struct flow *flow_alias_find(const struct flows *flows, const union stream_addr *addr,
                             const char *name);
void flow_alias_drop(struct flow *flow);

/* udp.c */

int flow_udp_open(struct flows *flows, union stream_addr *local, struct base_error *err);
void flow_udp_close(struct flow_socket *socket);
/** The flow to a peer; a socket is opened where there is none of its family. */
int flow_udp_to(struct flows *flows, const union stream_addr *remote, struct flow **ret);
int flow_udp_send(struct flow *flow, struct base_str octets);
/** As flow_heard; others are forgotten before it. */
void flow_udp_heard(struct flow *flow);

/* reopen.c */

/** A connection of theirs ends: a response may still be due there. */
void flow_gone_note(const struct flow *flow);
/** Send a response to a flow that is no more by a new one. @return as flows_send */
int flow_reopen(struct flows *flows, uint64_t id, struct base_str octets);

/* conn.c */

int flow_conn_open(struct flows *flows, const struct flow_target *target, const char *name,
                   struct flow **ret);
int flow_door_open(struct flows *flows, enum flow_transport transport, union stream_addr *local,
                   struct base_error *err);
void flow_door_close(struct flow_door *door);

/* way.c */

void flow_hunts_free(struct flows *flows);

#endif
