/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the core: the picture of the world and its invariants.
 *
 * 1. A termination other than ROOT is in exactly one context; a context without terminations does
 *    not exist between commands (RFC 3525, 6.1.2).
 * 2. What a controller ordered is immutable once committed: a command builds new parts (media,
 *    events) beside the old, prepares bearers for them, swaps, writes its reply, and settles; a
 *    failure before the settling swaps back and frees the new. So a command is all or nothing.
 * 3. A leg belongs to one stream of one termination and to one relay context, that of its
 *    context. Streams with the same StreamID in two terminations of a context are linked (7.1.6).
 * 4. Keys live in mg_keys alone, counted and wiped; no property list, reply or log holds them.
 */
#ifndef GH_MG_WORLD_H
#define GH_MG_WORLD_H

#include "loop/loop.h"
#include "mg/core.h"

#define MG_NAME_MAX    32
#define MG_KEYS_MAX    8
#define MG_PSK_MAX     64  /* RFC 4279, 5.3 */
#define MG_PSK_ID_MAX  128 /* RFC 4279, 5.3 */
#define MG_FINGERS_MAX 8

struct mg_term;
struct mg_context;
struct mg_choice;
struct mg_equipment_statistic;

/* Pre-shared keys of one stream; wiped with the last reference. */
struct mg_keys {
	unsigned refs;
	size_t count;
	struct tls_psk psk[MG_KEYS_MAX];
	char identity[MG_KEYS_MAX][MG_PSK_ID_MAX];
};

enum mg_leg_state {
	MG_LEG_WAITING, /* listening, or waiting for the order to connect */
	MG_LEG_TCP_UP,
	MG_LEG_TLS_UP,
	MG_LEG_ENDED, /* its last event has come */
};

/* What a leg with TLS has besides: a hundred thousand have none. */
struct mg_leg_session {
	const struct mg_domain *domain; /* only compared and named while the table is in place */
	char domain_name[64];
	uint64_t association; /* mg_stream_association, of datagrams */
	uint32_t mark;        /* counts what is said of the peer (relay_tls_spec) */
	uint64_t prints;      /* of that: mg_stream_prints */
	struct mg_keys *keys; /* likewise; counted */
	uint16_t srtp;        /* enum tls_srtp, agreed on */
	char version[16], suite[64], peer[128]; /* of the session, "" before */
	bool resumed;
	bool up, secured, orderable, unable; /* what tlsm can do with it */
	bool ordered;                        /* tlsm/Reneg was given, and is not answered */
};

/* One stream's bearer, from Local until Subtract or replacement. */
struct mg_leg {
	struct mg *mg;
	struct mg_term *term; /* its owner; where events go */
	uint16_t stream;
	uint8_t state; /* enum mg_leg_state */
	bool tls, udp;
	bool rtp, rtcp_port, rtcp_mux, shared; /* of one with datagrams, as it was made */
	bool unnamed;                          /* of a shared port, without a Remote */
	bool reserved; /* a=setup:actpass without a Remote: TLS waits for it, TCP may come before */
	uint8_t tcp_role; /* enum relay_tcp_role */
	uint8_t link;     /* enum h248_seplink */
	uint8_t app;      /* enum mg_app, as it was made */
	uint64_t seated;  /* in a hub, for that session; 0 = not yet */
	char *path;       /* our MSRP URI, where it was left to us; NULL = not made */
	bool path_anew;   /* Local has that of the former leg, whose port is another */
	struct relay_endpoint *endpoint;
	bool may_send, may_receive;     /* as ordered last */
	uint64_t latched;               /* the Remote it has latched for; 0 = it does not latch */
	struct mg_leg_session *session; /* NULL without TLS */
	struct relay_stats *carried;    /* of this stream's former endpoints; NULL = none */
	struct mg_leg *partner;         /* as ordered last; it says the same of us, or NULL */
	struct relay_gate *gate;        /* as ordered last; NULL = open */
};

/* One stream as ordered: in its media's arena. */
struct mg_stream {
	struct mg_stream *next;
	uint16_t id;
	uint8_t mode; /* enum h248_mode, never ABSENT */
	uint8_t reserved_value, reserved_group;
	bool has_control, has_local, has_remote;
	struct h248_parm *parms; /* properties as set, readable ones only */
	const char *domain_name; /* "" = the default one */
	const char *realm;       /* ipdc/realm; "" = none */
	bool latch;              /* ipnapt/latch: whoever comes first is the peer */
	uint8_t role;            /* enum h248_tls_role */
	uint8_t renegotiate;     /* enum h248_tls_reneg, which is enum tls_renegotiate */
	uint8_t link;            /* enum h248_seplink */
	const char *psk_hint;    /* NULL = none */
	const char *peer_name, *server_name; /* NULL = any, none */
	struct mg_keys *keys;                /* counted; NULL = none */
	const struct mg_choice *choice;      /* statistics of this stream; NULL = none */
	struct base_str local_text, remote_text;
	struct h248_sdp local, remote;
	bool signalled_client;  /* tlsbsc/EstBNC has been given for this bearer */
	bool signalled_connect; /* tcpbcc/EstBNC likewise */
	struct mg_leg *leg;     /* NULL = none */
	/* About the command that runs: */
	bool fresh;                                 /* it made `leg` */
	bool new_local, new_remote;                 /* it gave this descriptor */
	bool est_tcp, est_tls, again;               /* it gave this signal; tlsm/Reneg */
	bool tell_local, tell_remote, tell_control; /* chosen by us, so part of the reply */
	bool new_control;                           /* it gave LocalControl */
};

/* The Media of a termination, one generation. */
struct mg_media {
	struct base_arena arena;
	struct mg_stream *streams; /* in the order of their ids */
};

/* The Events of a termination, one generation. */
struct mg_events {
	struct base_arena arena;
	uint32_t request_id;
	bool has_request_id;
	struct h248_event *list;
	struct mg_events *origin; /* an embedded one is active: the controller's; else NULL */
};

/* The EventBuffer of a termination in LockStep (7.1.9, 7.1.10), made on first use. */
struct mg_buffer {
	struct base_arena arena;
	struct h248_event *list; /* what to buffer */
	struct base_node queue;  /* struct mg_happening, in the order they happened */
	unsigned count;
	bool full; /* and the controller was told so */
};

/* Digit maps by name, one generation. */
struct mg_maps {
	struct base_arena arena;
	struct h248_digit_map *list;
	size_t count;
};

/* TerminationState properties as set, one generation. */
struct mg_state {
	struct base_arena arena;
	struct h248_parm *parms;
};

/* Which statistics are kept, and from which value on (version 3, sheet 5.6). */
struct mg_kept {
	const struct mg_equipment_statistic *row;
	const char *package;
	uint64_t base;
};
struct mg_choice {
	size_t count;
	struct mg_kept kept[];
};

/* Of a ServiceChange with a delay. */
struct mg_delay {
	struct loop_timer timer;
	struct mg *mg;
	struct mg_term *term;
};

struct mg_term {
	struct base_node node;         /* in its context, in the order of arrival */
	struct base_map_node map_node; /* by name */
	char name[MG_NAME_MAX];
	struct mg_context *context; /* NULL for ROOT alone */
	struct mg_media *media;     /* NULL = nothing ordered yet */
	struct mg_events *events;   /* NULL = none */
	struct mg_choice *choice;   /* NULL = all */
	struct mg_state *state;     /* NULL = no property is set */
	struct mg_buffer *buffer;   /* NULL = none asked for yet */
	struct mg_maps *maps;       /* NULL = none */
	struct base_node plays;     /* signals that are active (play.h) */
	struct base_node notices;   /* not answered yet, in the order of events */
	uint64_t born_ms;
	struct mg_delay *delay; /* of a ServiceChange; NULL = never asked for */
	struct mg_hang *hang;   /* hangterm; likewise */
	struct mg_idle *idle;   /* adid; NULL = not asked for */
	uint8_t service;        /* enum mg_service */
	uint8_t service_state;  /* enum h248_service_state */
	bool lock_step;         /* EventBufferControl */
	bool suspended;         /* LockStep waits for a new Events descriptor */
};

/* A relay context; terminations moved to a fresh context take theirs along. */
struct mg_bearer {
	unsigned refs;
	struct relay_context *relay;
};

/* A topology between two terminations that is not bothway (7.1.18). */
struct mg_topology {
	struct base_node node;
	struct mg_term *from, *to; /* what flows from `from` to `to` ... */
	uint16_t stream;
	bool has_stream;
	bool forward, backward; /* ... and back */
};

struct mg_context {
	struct base_node node;
	struct base_map_node map_node;
	uint32_t id;
	struct base_node terms;
	unsigned term_count;
	struct mg_bearer *bearer; /* NULL until a stream needs one */
	struct base_node topology;
	struct base_node hubs; /* struct mg_hub (app.c) */
	uint16_t priority;
	bool emergency, ieps;
};

struct mg {
	struct mg_settings set;
	const struct mg_bearer_ops *bearer;
	struct relay_pool *pool;
	struct mg_ops ops;
	const struct mg_domain *domains;
	size_t domain_count;
	const struct mg_domain *default_domain;
	struct base_map terms;
	struct base_map contexts;
	struct base_node context_list;
	struct mg_term root;
	struct mg_counts counts;
	size_t notices; /* Notify requests that are out or wait */
	uint32_t last_context;
	uint64_t last_term;
	uint32_t last_port;
	size_t last_address;
	unsigned regulated; /* nb/notreg: per cent towards the next Notify that is sent */
	bool door_closed;   /* by the gateway itself, which leaves */
	bool overloaded;
	unsigned busy;           /* per cent, of the control thread */
	uint8_t *address_states; /* enum mg_address_state of each of the settings' addresses */
	struct loop_timers timers;
	struct base_node happened; /* struct mg_happening: to be looked at (happen.h) */
	unsigned executing;        /* what happens meanwhile waits for the end of it */
	bool telling;              /* mg_happenings_run is at work */
	unsigned causes;           /* how many more may follow from what it looks at */
};

/* A timer of the gateway's clock; it ends with whoever owns it. Cannot fail. */
void mg_timer_start(struct mg *mg, struct loop_timer *timer, uint64_t delay_ms,
                    void (*fn)(void *arg), void *arg);
void mg_timer_stop(struct mg *mg, struct loop_timer *timer);

/* ---- world.c: contexts and terminations ---- */

struct mg_context *mg_context_find(const struct mg *mg, uint32_t id);
/* A new empty context. @return NULL with *ret_code 412 (no ids, too many) or 510. */
struct mg_context *mg_context_new(struct mg *mg, unsigned *ret_code);
/* It is empty, or its terminations are freed with it. */
void mg_context_free(struct mg *mg, struct mg_context *context);
bool mg_context_has(const struct mg_context *context, const struct mg_term *term);

struct mg_term *mg_term_find(const struct mg *mg, struct base_str name);
/* The next free name `ip/1/<n>`. */
void mg_term_name_next(struct mg *mg, char ret[MG_NAME_MAX]);
/* A termination in no context yet; mg_term_enter puts it in force. NULL when memory is short. */
struct mg_term *mg_term_new(struct mg *mg, const char *name);
/* @return 0, or BASE_LOCAL with nothing changed */
int mg_term_enter(struct mg *mg, struct mg_term *term, struct mg_context *context);
/* To another context; cannot fail. */
void mg_term_shift(struct mg_term *term, struct mg_context *context);
/* Out of context and map; not freed. */
void mg_term_leave(struct mg *mg, struct mg_term *term);
void mg_term_free(struct mg *mg, struct mg_term *term);
struct mg_stream *mg_term_stream(const struct mg_term *term, uint16_t id);
/* Pattern of a command (7.2: `*`, `ip/..*`), without case. */
bool mg_term_matches(const struct mg_term *term, const struct h248_term *pattern);

struct mg_term *mg_context_term_first(const struct mg_context *context);
struct mg_term *mg_context_term_next(const struct mg_context *context, const struct mg_term *term);

#endif
