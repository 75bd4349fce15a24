/* SPDX-License-Identifier: Apache-2.0 */
/** @file A control loop, a pool, and real sockets on loopback as peers; waits end in a deadline. */
#ifndef GH_TESTS_RELAY_STAGE_H
#define GH_TESTS_RELAY_STAGE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "relay/relay.h"

/** What one endpoint has told so far. */
struct record {
	struct relay_endpoint *endpoint;
	unsigned count[RELAY_EVENTS];
	struct relay_event last[RELAY_EVENTS];
	bool remove_on_up; /**< remove it inside the callback */
};

struct stage {
	struct loop *control;
	struct relay_pool *pool;
	struct relay_context *context;
};

void stage_begin(struct stage *stage, const struct relay_pool_spec *spec);
/** Ends the pool with whatever is still open. */
void stage_end(struct stage *stage);
/** The same for cmocka: a stage of two workers in `state`, and any stage's end. */
int stage_setup(void **state);
int stage_teardown(void **state);
/** Run the control loop until `done(arg)`; fails the test after 20 s. */
void stage_wait(struct stage *stage, bool (*done)(void *arg), void *arg);
/** Until `record` has got an event of that kind. */
void stage_expect(struct stage *stage, struct record *record, enum relay_event_kind kind);
/** Until no endpoint is left in the pool. */
void stage_empty(struct stage *stage);

/** A spec with everything a test does not care about; events go to `record`. */
struct relay_endpoint_spec stage_server(struct record *record);
struct relay_endpoint_spec stage_client(struct record *record, int port);
void stage_add(struct stage *stage, const struct relay_endpoint_spec *spec);
int endpoint_port(const struct relay_endpoint *endpoint);
struct relay_stats endpoint_stats(const struct relay_endpoint *endpoint);

/* Peers: non-blocking sockets, -1 when there is none. */
int peer_listen(int *ret_port);
int peer_accept(struct stage *stage, int listener);
int peer_connect(struct stage *stage, int port);
void peer_send(struct stage *stage, int fd, const char *text);
/** Read exactly `text`. */
void peer_expect(struct stage *stage, int fd, const char *text);
/** Read the end of the stream: 0 = FIN, else errno. Fails on data. */
int peer_end(struct stage *stage, int fd);
/** RST. */
void peer_reset(int fd);

/** `len` octets of a stream from a to b and another from b to a at once, checked. */
void peers_exchange(struct stage *stage, int a, int b, size_t len);
/** Octet `at` of the stream that `seed` names. */
uint8_t stream_octet(unsigned seed, size_t at);

/** A pair: a server endpoint and a client one, linked, with both peers connected. */
struct pair {
	struct record front, back;
	int near, far; /**< the peers' sockets */
};
void pair_make(struct stage *stage, struct pair *pair);
void pair_done(struct pair *pair);

#endif
