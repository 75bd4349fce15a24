/* SPDX-License-Identifier: Apache-2.0 */
/** @file A hub with endpoints that sit in it; their peers are sockets on loopback. */
#ifndef GH_TESTS_RELAY_HALL_H
#define GH_TESTS_RELAY_HALL_H

#include "check.h"

#include "stage.h"

#define SEATS 4
#define ROOM  "sip:room@conf.example"

struct hall {
	struct stage stage;
	struct relay_hub *hub;
	struct record record[SEATS];
	int fd[SEATS];
	char heard[SEATS][262144];
	size_t len[SEATS];
	unsigned sent;
};

/** A pool of two workers and the hub; nobody in it. `buffer_limit` 0 = the pool's own. */
void hall_begin(struct hall *h, enum relay_hub_kind kind, size_t buffer_limit);
void hall_end(struct hall *h);

/** Paths of the i-th seat: ours, and its peer's. */
const char *hall_own_uri(unsigned i);
const char *hall_peer_uri(unsigned i);

/** The i-th endpoint listens. */
void hall_add(struct hall *h, unsigned i);
/** It gets a seat, with what the seat `as` is called by. @return as relay_endpoint_seat() */
int hall_take_seat(struct hall *h, unsigned i, unsigned as);
/** Its peer connects. */
void hall_come(struct hall *h, unsigned i);
/** All of that for the first `count`. */
void hall_sit(struct hall *h, unsigned count);

/** A message of text, in `into`. @return its length */
size_t hall_words(struct hall *h, unsigned i, const char *text, char *into, size_t cap);
/** It is sent. */
void hall_say(struct hall *h, unsigned i, const char *text);
/** Read what is there into `heard`. @return what recv gave last */
ssize_t hall_listen(struct hall *h, unsigned i);
/** Until its peer has heard that. */
void hall_hears(struct hall *h, unsigned i, const char *text);
/** Its peer hears the end; @return what control was told */
enum relay_cause hall_ends(struct hall *h, unsigned i);
/** Control was told of no end. */
bool hall_is_quiet(struct hall *h, unsigned i);

#endif
