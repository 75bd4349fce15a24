/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Shared by the files of this folder only. Invariants:
 *
 *  1. A stream is in `conns` (begun, not freed) or in `dead` (freed; its memory goes at the end of
 *     the iteration, for callers further out). `state` DEAD: its descriptor is closed and no timer
 *     runs, whichever list it is in.
 *  2. on_end is called by the task `later` alone, so never inside another call.
 *  3. `clear` of struct streams is used while a stream is read and by nobody else: reading is never
 *     nested. `wire` is empty whenever a callback runs.
 */
#ifndef GH_STREAM_PRIVATE_H
#define GH_STREAM_PRIVATE_H

#include "stream/stream.h"

#define STREAM_READ 32768
/* With a buffer of this size the engines decrypt into it. */
#define STREAM_CLEAR (32768 + 512)
/* Octets of one stream before others get their turn. */
#define STREAM_QUOTA 262144

/** A domain while streams use it. */
struct stream_slot {
	struct base_node node;
	size_t users;
	struct tls_domain *domain;
	struct tls_context *context;
};

struct streams {
	struct loop *loop;
	struct streams_config config;
	struct streams_counters count;
	struct base_node conns, dead, listeners, slots;
	size_t conns_count;
	struct loop_task reap;
	uint8_t *in, *clear;
	struct base_writer wire;
};

/** Octets that wait, the first of them at `at`. */
struct stream_queue {
	struct base_writer w;
	size_t at;
};
static inline size_t stream_queue_len(const struct stream_queue *q)
{
	return q->w.len - q->at;
}
static inline struct base_str stream_queue_view(const struct stream_queue *q)
{
	const char *data = (const char *)q->w.data;

	return (struct base_str){ q->at ? data + q->at : data, q->w.len - q->at };
}
/** @return false: no memory */
bool stream_queue_put(struct stream_queue *q, const void *data, size_t len);
void stream_queue_take(struct stream_queue *q, size_t len);
void stream_queue_done(struct stream_queue *q);

enum stream_state {
	STREAM_CONNECTING,
	STREAM_SHAKING,
	STREAM_UP,
	STREAM_DEAD,
};

struct stream_source;

/** Renegotiations of one stream; there from its first one on. */
struct stream_renegotiation {
	struct loop_timer timer;
	uint32_t count;       /**< told of */
	bool going_on, asked; /**< as it was when we looked last */
	bool ignored;         /**< and told */
	bool keys;            /**< to be told */
	bool keys_open;       /**< TLS 1.3: the peer's are waited for */
	uint8_t keys_late; /**< halves of handshake_ms since then; after both its next data should
	                        not come before them */
};

struct stream {
	struct base_node node;
	struct streams *streams;
	struct loop_fd w;
	union stream_addr remote, local;
	struct stream_spec spec; /* its pointers are dangling, but for ops */
	struct stream_slot *slot;
	struct tls_session *session;
	struct stream_ask *ask;
	struct stream_renegotiation *again; /* NULL: there was none */
	struct stream_source *source;       /* counted there */
	uint8_t state;                      /* enum stream_state */
	bool accepted, server;              /* server: of TLS */
	bool was_up, told_up;               /* on_up has been, or is due to be, called */
	bool end_wanted, ended;             /* by us: asked for; said */
	bool peer_ended, told_peer_end;
	bool paused, full, released, readable, hangup, urgent, deaf;
	bool condemned;
	bool gathered;             /* octets that the socket has not been offered */
	bool show;                 /* what was left is to be shown again */
	bool told;                 /* the handshake has its log line */
	bool over;                 /* on_end has been called */
	struct stream_queue early; /* in clear, until it is up */
	struct stream_queue out;   /* for the socket */
	struct stream_queue left;  /* in clear, not taken */
	struct base_writer held;   /* ciphertext, while a CRL is waited for */
	struct loop_timer limit;   /* connecting, the handshake, lingering, grace */
	struct loop_timer idle;
	struct loop_timer stall;    /* of what waits in `out` */
	struct loop_timer deadline; /* the owner's */
	const char *deadline_why;
	uint64_t touched_ms, moved_ms;
	uint64_t ask_until_ms;
	struct loop_task later;
	enum stream_cause cause; /* of DEAD */
	int error;
	char *text; /* NULL = no memory for it */
};

/* conn.c */

/** A stream for a socket, which is taken over (closed on failure). Nothing is watched yet. */
int stream_new(struct stream **ret, struct streams *streams, int fd, struct base_error *err);
/** What its owner wants of it. @return 0, or as stream_connect */
int stream_setup(struct stream *s, const struct stream_spec *spec, bool server,
                 struct base_error *err);
/** Watch it. @return 0, or BASE_LOCAL */
int stream_watch(struct stream *s, struct base_error *err);
/** Connected: shake hands, or be up. */
void stream_begin(struct stream *s);
/** It is over. */
void stream_fail(struct stream *s, enum stream_cause cause, int error, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
/** Do what there is to do, at the end of the iteration. */
void stream_later(struct stream *s);
void stream_limit(struct stream *s, uint32_t ms);
void stream_linger(struct stream *s);
/** Octets wait from now on. */
void stream_stall(struct stream *s);
/** Free those in `dead`. */
void stream_reap(struct streams *streams);

/* octets.c */

/** Read, show, end: all that can be done now. */
void stream_run(struct stream *s);
/** Handshake done, or there is none: what has been written before goes. */
void stream_up(struct stream *s);
/** Renegotiation done: what has been written meanwhile goes. */
void stream_early(struct stream *s);
/** Octets for the wire; what the socket does not take waits. */
void stream_put(struct stream *s, const uint8_t *data, size_t len);
/** The end of a turn in which octets were gathered. */
void stream_gathered(struct stream *s);
/** The socket takes octets again. */
void stream_drain(struct stream *s);
/** Records that wait in `io`. */
void stream_records(struct stream *s, struct tls_io *io);
/** Say what is to be said at our end, once nothing waits. */
void stream_try_end(struct stream *s);

/* shake.c */

/** @return 0, or BASE_CONFIG or BASE_LOCAL with words */
int stream_shake_new(struct stream *s, const struct stream_spec *spec, struct base_error *err);
/** Carry the handshake on with these octets. */
void stream_shake(struct stream *s, const uint8_t *data, size_t len);
/** Its log line, once. `why` NULL: it is up. */
void stream_shake_log(struct stream *s, const char *why);
/** TLS has failed with `rc`. */
void stream_shake_failed(struct stream *s, int rc);
void stream_slot_release(struct stream_slot *slot);
void stream_slots_free(struct streams *streams);

/** The same line about a renegotiation that is complete. */
void stream_shake_log_again(struct stream *s);

/* again.c */

/** Octets have been read: has a renegotiation begun, or ended? `data`: clear ones are among them.
 */
void stream_again_look(struct stream *s, bool data);
/** Does what is written wait for its end? */
bool stream_again_holds(const struct stream *s);
/** Tell what an own call has brought about. */
void stream_again_tell(struct stream *s);
void stream_again_stop(struct stream *s);

/* rejudge.c */

/** Its peer is revoked, and the time for that is up. */
void stream_condemned_end(struct stream *s);

/* ask.c */

/** Does the handshake wait for a CRL now? Then what is left of `io` is kept. */
bool stream_ask_begin(struct stream *s, const struct tls_io *io);
/** The stream does not wait any more. */
void stream_ask_leave(struct stream *s);

/* listen.c */

/** One of that source has gone. */
void stream_source_leave(struct stream_source *source);
void stream_listeners_free(struct streams *streams);

#endif
