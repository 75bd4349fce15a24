/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a stream over loopback, in one loop, and what each was told. */
#ifndef GH_TESTS_STREAM_STAGE_H
#define GH_TESTS_STREAM_STAGE_H

#include "../tls/lab.h"
#include "stream/stream.h"

extern struct lab *lab;
extern char log_text[65536]; /* of one test */
extern unsigned log_lines;

/* What one end has been told. */
struct end {
	struct stream *stream;
	char got[65536]; /* what was taken, as far as it fits */
	size_t got_len;
	size_t shown; /* octets of the last on_data */
	size_t take;  /* at most so many of one on_data; SIZE_MAX = all */
	size_t total;
	unsigned up, writable, peer_end, ended;
	bool echo, hold_open; /* hold_open: has an on_peer_end of its own */
	bool free_on_data;
	enum stream_cause cause;
	bool was_up;
	char text[400];
	unsigned again[5]; /* by enum stream_again */
	const char *says;  /* when it is told of one; NULL = nothing */
};

/* A listener that lets everybody in with one spec, as `end`. */
struct place {
	struct streams *streams;
	struct stream_listener *listener;
	union stream_addr at;
	struct stream_spec spec;
	struct tls_session_spec session;
	struct end end; /* of who came last */
	unsigned came;
	bool closed; /* nobody is let in */
	bool leave;  /* the listener ends when somebody comes */
};

struct stream_ops end_ops(struct end *end);
void place_open(struct place *p, struct streams *streams, const struct stream_listen_spec *limits);
/* On the heap, for who frees it: a place without TLS or limits; an end. */
struct place *place_new(struct streams *streams);
struct end *end_new(void);
/* Connect `end` to `p`; the spec's ops are filled in. */
void come(struct end *end, struct streams *streams, const struct place *p, struct stream_spec spec);

/* What both sides have when nothing is said otherwise. */
struct tls_domain_spec good(enum tls_role role, enum tls_engine engine, const char *profile);
struct tls_domain *domain_new(const struct tls_domain_spec *spec);

#define UNTIL(streams, condition)                                                                  \
	do {                                                                                       \
		while (!(condition))                                                               \
			assert_int_equal(loop_run_once(streams_loop(streams), 5000), 0);           \
	} while (0)

/* Of each test (its state is a struct streams), and of all. */
int setup(void **state);
int teardown(void **state);
int lab_open(void **state);
int lab_close(void **state);

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
